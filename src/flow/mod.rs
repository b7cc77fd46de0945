//! TCP connections: who talks to whom, and both byte streams put together.
//!
//! - [`key`]: endpoints, five-tuples, the undirected key and its fixed hash (shards).
//! - [`sequence`]: numbers that wrap around.
//! - `reassembly`: one direction in order; octets in order pass through without a copy.
//! - [`connection`]: both directions, the handshake, the end.
//! - [`table`]: the open connections of a capture.
//! - [`analysis`]: what a network analyst reads off each segment, in Wireshark's words.

pub mod analysis;
mod anomaly;
pub mod connection;
mod fuzz;
pub mod key;
mod reassembly;
mod recent;
pub mod sequence;
pub mod table;

pub use anomaly::{Anomaly, Noted, Notes};
pub use connection::{Close, Connection, Handshake, Offer, Segment};
pub use fuzz::fuzz_flow;
pub use key::{Endpoint, FiveTuple, FlowKey};
pub use reassembly::{Counters, Delivery};
pub use recent::History;
pub use sequence::SequenceNumber;
pub use table::{Entry, LimitReached, Table};

#[cfg(test)]
mod model;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod testing;
