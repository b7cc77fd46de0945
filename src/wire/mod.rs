//! Where the headers stand in a packet: link, IP, TCP, UDP. Views that judge nothing.

mod tcp;

pub use tcp::{SackBlocks, Tcp, TcpFlags, TcpOption};
