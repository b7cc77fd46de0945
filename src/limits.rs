//! Every limit: a name, a number, and the reason for it. Reaching one is shown to the user.

/// Octets of captured packets that are read, analysed and let go together. Large enough that the
/// work between batches does not count, small enough to stay in a processor's cache.
pub const BATCH_OCTETS: usize = 1 << 20;

/// Headers that `wire` lists of one packet. A mail packet has three; tunnels in tunnels with tags and
/// labels seldom reach ten, and what nests deeper is built to keep decoders busy.
pub const LAYERS: usize = 16;

/// IP datagrams of which fragments are held at one time. Mail is TCP, which avoids fragments: a
/// capture with more than this many open at once is damaged or hostile. The oldest makes room.
pub const OPEN_DATAGRAMS: usize = 64;

/// Seconds, by the capture's clock, after which an incomplete datagram is given up. RFC 1122
/// §3.3.2 asks hosts for 60 to 120, Linux waits 30; who watches waits as long as the longest.
pub const DATAGRAM_SECONDS: i64 = 120;

/// Octets of options and extension headers that may stand before the fragment header of an IPv6
/// datagram that is put together. RFC 8200 §4.5 bounds nothing; real ones have less than 100.
pub const UNFRAGMENTABLE_OCTETS: usize = 1024;
