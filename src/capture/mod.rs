//! Where packets come from: capture files, standard input, an interface.
//!
//! A [`Source`] fills one [`Batch`] after the other. The octets of a capture are read straight into
//! the batch, and its packets are found there where they stand: nothing is copied or allocated for
//! a packet.
//!
//! ```text
//! file | standard input ─► gzip, zstd, lz4 ─► pcap | pcapng ─► Batch ─┐
//! another file …                                                     ─┴► merge ─► Batch
//! interface (libpcap) ───────────────────────────────────────────────────────────► Batch
//! ```
//!
//! A damaged capture is a result, not a failure: what stands before the damage is delivered, and
//! [`Info::faults`] says what is wrong and where.

pub use batch::{Batch, Packet};
pub use error::{Error, Foreign};
pub use filter::{Filter, Filtered};
pub use info::{
    Comment, Compression, Drops, Fault, FaultKind, Info, Interface, Limit, NameRecord, Secrets, SecretsKind,
};
#[cfg(feature = "live")]
pub use live::{LiveOptions, LiveSource, open_live};
pub use open::{Options, fuzz_capture, open, read_from};

mod batch;
mod compressed;
mod error;
mod file;
mod filter;
mod info;
#[cfg(feature = "live")]
mod live;
mod merge;
mod open;
mod pcap;
mod pcapng;
#[cfg(test)]
mod samples;
pub mod write;

/// What [`Source::next_batch`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// At least one packet.
    Batch,
    /// No packet for now, but more may come: a live source answers so at least every 100 ms, so that
    /// the caller can show something or stop.
    Nothing,
    /// There is no more; the batch is empty.
    End,
}

/// Something that packets come from.
pub trait Source: Send {
    /// Fills `batch` anew; its memory is reused.
    ///
    /// Where one batch ends and the next begins depends on the capture alone, never on how it was
    /// read, unless [`Options::prompt`] was asked for or the source is live. A fault in the capture
    /// is not an error: what came before it is delivered, then the end, and [`Info::faults`] tells.
    fn next_batch(&mut self, batch: &mut Batch) -> Result<Filled, Error>;

    /// What is known about the capture so far; complete after [`Filled::End`].
    fn info(&self) -> &Info;
}

impl Source for Box<dyn Source> {
    fn next_batch(&mut self, batch: &mut Batch) -> Result<Filled, Error> {
        (**self).next_batch(batch)
    }

    fn info(&self) -> &Info {
        (**self).info()
    }
}
