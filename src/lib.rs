//! What somebody on the network path can and cannot see of a mail session.
//!
//! The folders tell the story, and data goes one way through them:
//!
//! ```text
//! capture ─► wire ─► flow ─► smtp | tls | … ─► session ─► observe ─► report ─► render
//! Packet     Frame   StreamEvent   Event       Session    Exposure   Report    bytes out
//! ```
//!
//! Each stage takes plain values, returns plain values and knows nothing of the stages after it.
//! [`capture`] and [`cli`] are the only ones that touch the world. What a stage may use is a table
//! in `docs/architecture.md`, and a test holds it.

#![forbid(unsafe_code)]

pub mod bytes;
pub mod limits;
pub mod stream;
pub mod time;

pub mod arp;
pub mod dhcp;
pub mod dns;
pub mod icmp;
pub mod imf;
pub mod nbns;
pub mod smtp;
pub mod ssh;
pub mod tls;
pub mod wire;

pub mod capture;
pub mod flow;

pub mod session;

pub mod observe;

pub mod report;

pub mod render;

pub mod cli;
