//! Every limit: a name, a number, and the reason for it. Reaching one is shown to the user.

/// Octets of captured packets that are read, analysed and let go together. Large enough that the
/// work between batches does not count, small enough to stay in a processor's cache.
pub const BATCH_OCTETS: usize = 1 << 20;
