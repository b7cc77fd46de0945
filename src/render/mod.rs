//! From a report to octets, for any `Write`.

pub mod anomalies;
pub mod dialogue;
pub mod eve;
pub mod explain;
pub mod hexdump;
pub mod json;
pub mod matrix;
pub mod packets;
pub mod report;
pub mod style;
pub mod zeek;
