//! Every limit: a name, a number, and the reason for it. Reaching one is shown to the user.

/// Octets of captured packets that are read, analysed and let go together. Large enough that the
/// work between batches does not count, small enough to stay in a processor's cache.
pub const BATCH_OCTETS: usize = 1 << 20;

/// The longest packet that a capture may hold, in octets. libpcap and Wireshark hold a record that
/// says more for damaged, and no usual tool records more (`tcpdump -s` ends there).
pub const CAPTURED_PACKET_OCTETS: usize = 256 << 10;

/// The longest pcapng block, in octets: what Wireshark takes. A block is read as a whole.
pub const PCAPNG_BLOCK_OCTETS: usize = 16 << 20;

/// Interfaces that one section of a pcapng capture may declare. Far more than any machine has; each
/// costs memory as long as the section lasts.
pub const PCAPNG_INTERFACES: usize = 65_536;

/// Interfaces that are kept to be shown, over all sections and files.
pub const CAPTURE_INTERFACES: usize = 4096;

/// Comments of a capture that are kept, and the octets of them together: they are read by people.
pub const CAPTURE_COMMENTS: usize = 1000;

/// Octets of all comments of a capture together.
pub const CAPTURE_COMMENT_OCTETS: usize = 1 << 20;

/// Names that a capture gives to addresses. Wireshark writes one for each host it resolved.
pub const CAPTURE_NAMES: usize = 100_000;

/// Octets of decryption secrets that a capture carries. A TLS 1.3 session takes about a thousand.
pub const CAPTURE_SECRET_OCTETS: usize = 64 << 20;

/// Faults of a capture that are told one by one; more are counted. Nobody reads on.
pub const CAPTURE_FAULTS: usize = 100;

/// Binary logarithm of the largest zstd window: 128 MiB, what the `zstd` tool takes without being
/// asked for more memory.
pub const ZSTD_WINDOW_LOG: u32 = 27;

/// Octets of a compressed capture that are read at once.
pub const COMPRESSED_READ_OCTETS: usize = 256 << 10;

/// Octets that are read ahead from all files of a capture together where they overlap in time; each
/// file has at least 64 KiB of them.
pub const MERGE_OCTETS: usize = 16 << 20;

/// Octets that the system keeps of a live capture while the program is busy: a tenth of a second of
/// a line with 1 Gbit/s has 12.5 MB, and a terminal may stop the program for longer.
pub const LIVE_BUFFER_OCTETS: u32 = 64 << 20;
