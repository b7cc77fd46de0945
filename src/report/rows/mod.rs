//! The Info column of the packet list, one file for each protocol.

pub mod tcp;
