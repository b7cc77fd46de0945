//! Where the headers stand in a packet: link, IP, TCP, UDP. Views that judge nothing.

/// What the first header of a packet is: a number of the LINKTYPE registry
/// (draft-ietf-opsawg-pcaplinktype).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LinkType(pub u32);
