//! One connection from its first packet to its last.
