//! Every limit: a name, a number, and the reason for it. Reaching one is shown to the user.

use crate::time::Interval;

/// Octets of captured packets that are read, analysed and let go together. Large enough that the
/// work between batches does not count, small enough to stay in a processor's cache.
pub const BATCH_OCTETS: usize = 1 << 20;

/// Octets (with their bookkeeping) that one direction of a connection holds back while it waits
/// for a missing segment. Bulk mail over long fat paths keeps windows of some MiB in flight; what
/// waits longer than that is not coming.
pub const REASSEMBLY_DIRECTION: usize = 4 << 20;

/// Octets that all connections of one table hold back together. A capture that lost packets on
/// thousands of connections at once must not need more memory than one that lost none.
pub const REASSEMBLY_TOTAL: usize = 32 << 20;

/// Octets held back behind a hole of a direction whose peer is not in the capture: no
/// acknowledgment will ever say whether the hole can still be filled. A sender keeps at most a
/// window unacknowledged, and windows of mail servers seldom pass 1 MiB.
pub const REASSEMBLY_ONE_SIDED: usize = 1 << 20;

/// How long such a hole is waited for. Retransmission timers start at 1 s (RFC 6298 §2) and
/// double; five tries pass in half a minute.
pub const HOLE_PATIENCE: Interval = Interval::from_secs(30);

/// How long an octet that the receiver has acknowledged may still turn up: packets taken from two
/// interfaces or queues are out of order by some milliseconds at most.
pub const HOLE_GRACE: Interval = Interval::from_millis(20);

/// How many segments of the connection may pass before such an octet counts as not captured,
/// whatever the clock says: some captures have no usable times.
pub const HOLE_GRACE_SEGMENTS: u64 = 16;

/// The largest jump of sequence numbers that can be meant: the largest window of TCP, 65535 octets
/// scaled by 14 bits (RFC 7323 §2.3), is just below 1 GiB.
pub const PLAUSIBLE_WINDOW: i64 = 1 << 30;

/// How far the sequence number of a reset may lie from what its sender sent last. Far wider than
/// RFC 5961 §3.2 wants of a receiver, since an observer may have missed packets; still 1 in 128 of the
/// number space, so that a blind forgery is mostly told apart.
pub const RESET_WINDOW: i64 = 1 << 24;

/// Anomalies of one connection that are kept with their place; further ones are counted.
pub const CONNECTION_ANOMALIES: usize = 32;

/// Connections that a table holds open. At some KiB each with what the decoders keep, this stays
/// within 100 MiB; a flood of SYNs costs the longest idle connections, not the memory.
pub const CONNECTIONS: usize = 32_768;

/// How long after its end a connection is kept: the last acknowledgments and retransmissions still
/// belong to it. Far below the 60 s after which Linux lets go of TIME-WAIT.
pub const CLOSED_LINGER: Interval = Interval::from_secs(10);

/// How long a SYN may stand unanswered: Linux gives up after six retransmissions, 127 s.
pub const UNANSWERED: Interval = Interval::from_secs(130);

/// How long a connection may be silent. RFC 5321 §4.5.3.2 lets a client wait 10 minutes for the
/// reply to the final dot; after that and a margin nobody waits any more.
pub const IDLE: Interval = Interval::from_secs(15 * 60);

/// After so long a silence a SYN with a new number opens a new connection, even though the end of
/// the old one was not seen. RFC 9293 §3.6.1: twice the maximum segment lifetime of 2 minutes.
pub const REUSE_SILENCE: Interval = Interval::from_secs(240);

/// Pairs of endpoints that the packet list remembers for its notes; about 300 octets each.
pub const ANALYSED_CONNECTIONS: usize = 32_768;

/// Segments in flight that the packet list remembers for each direction: what distinguishes a late
/// segment from one sent again. Windows of mail are some dozens of segments.
pub const UNACKNOWLEDGED_SEGMENTS: usize = 1024;
