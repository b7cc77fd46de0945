//! Every limit: a name, a number, and the reason for it. Reaching one is shown to the user.

/// Octets of captured packets that are read, analysed and let go together. Large enough that the
/// work between batches does not count, small enough to stay in a processor's cache.
pub const BATCH_OCTETS: usize = 1 << 20;

/// Octets kept of one client line. RFC 5321 §4.5.3.1.4 allows 512, RFC 4954 §4 asks for 12288 in
/// AUTH exchanges; what is longer is consumed and shown cut.
pub const SMTP_LINE_OCTETS: usize = 12_288;

/// Octets without a line end after which a line, or a reply, counts as over: SMTP has none that
/// long, and what comes later must not wait for its end.
pub const SMTP_GIVE_UP_OCTETS: u64 = 1 << 20;

/// Octets kept of one reply, all its lines together: room for a hundred lines of 512 octets
/// (RFC 5321 §4.5.3.1.5) and for long AUTH challenges.
pub const SMTP_REPLY_OCTETS: usize = 65_536;

/// Lines of one reply that may lack a code before the reply counts as over: real servers wrap a
/// line or two, a stream that is not SMTP never comes back.
pub const SMTP_REPLY_LINES_WITHOUT_CODE: u32 = 32;

/// Commands that wait for their replies. Clients pipeline a MAIL and its recipients (at least 100,
/// RFC 5321 §4.5.3.1.8); a capture of the client alone never empties the queue.
pub const SMTP_OUTSTANDING: usize = 2_048;

/// Recipients kept of one transaction; the rest is counted. Ten times what a server must accept
/// (RFC 5321 §4.5.3.1.8).
pub const SMTP_RECIPIENTS: usize = 1_000;

/// Transactions kept in a dialogue's summary; the rest is counted. Each was an event as it ended.
pub const SMTP_TRANSACTIONS: usize = 64;

/// Transactions whose outcome is still open: pipelining may put a few on the way.
pub const SMTP_TRANSACTIONS_OPEN: usize = 8;

/// AUTH attempts kept in a dialogue's summary; the rest is counted. Servers hang up after a few.
pub const SMTP_AUTH_ATTEMPTS: usize = 32;

/// Capabilities kept of one EHLO reply; real servers list under thirty.
pub const SMTP_CAPABILITIES: usize = 128;

/// Octets kept of an address, a name or a line of text in a summary: twice a path (RFC 5321
/// §4.5.3.1.3) and a whole reply line.
pub const SMTP_TEXT_OCTETS: usize = 1_024;

/// Octets of a client line after DATA that are looked at before they count as message text,
/// when the reply has not been seen: no command line is longer (RFC 5321 §4.5.3.1.4).
pub const SMTP_PEEK_OCTETS: usize = 512;

/// Octets of a message's header that are read; real headers stay far below, and servers cut them
/// at about this size.
pub const IMF_HEADER_OCTETS: usize = 262_144;

/// Octets kept of one header field, unfolded: a few lines of 998 octets (RFC 5322 §2.1.1).
pub const IMF_FIELD_OCTETS: usize = 4_096;
