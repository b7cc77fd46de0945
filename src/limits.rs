//! Every limit: a name, a number, and the reason for it. Reaching one is shown to the user.

/// Octets of captured packets that are read, analysed and let go together. Large enough that the
/// work between batches does not count, small enough to stay in a processor's cache.
pub const BATCH_OCTETS: usize = 1 << 20;

/// Echo requests that are remembered until their reply comes, so that a reply can name its request.
/// A flood must not grow the memory; a reply that comes after so many later requests stays unmatched.
pub const ECHO_REQUESTS: usize = 4096;

/// Addresses of which the owner is remembered, so that a second owner is noticed (ARP). More than the
/// hosts of any one link; a scan of a larger range forgets the oldest.
pub const ARP_OWNERS: usize = 4096;

/// Octets of an unfinished SSH packet that are kept until the rest of it comes. RFC 4253 §6.1 asks for
/// 35000 in all; key exchange messages with post-quantum keys and long lists stay well below.
pub const SSH_PACKET: usize = 1 << 16;
