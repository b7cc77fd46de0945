//! What is strange about a connection: a finding, never a failure.

use std::fmt;

use super::reassembly::Moment;
use crate::limits::CONNECTION_ANOMALIES;
use crate::stream::Span;

/// Something that a well-behaved pair of TCPs does not do, or that this analysis could not follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Anomaly {
    /// The same octets were sent twice with different values; the first copy counts.
    OverlapConflict,
    /// Too much was held back behind a missing segment, which was then given up.
    BufferFull,
    /// A segment lies further away than any window reaches, and was ignored.
    BeyondWindow,
    /// Octets after the sender's FIN, ignored.
    DataAfterFin,
    /// Octets after the sender's RST, ignored.
    DataAfterReset,
    /// A FIN that does not stand at the end of what was sent, ignored.
    FinMoved,
    /// An RST whose sequence number lies far from the connection's, ignored: perhaps forged.
    ResetOutOfWindow,
    /// A SYN with another sequence number within an open connection, ignored.
    SynInConnection,
}

impl Anomaly {
    /// All of them.
    pub const ALL: [Anomaly; 8] = [
        Anomaly::OverlapConflict,
        Anomaly::BufferFull,
        Anomaly::BeyondWindow,
        Anomaly::DataAfterFin,
        Anomaly::DataAfterReset,
        Anomaly::FinMoved,
        Anomaly::ResetOutOfWindow,
        Anomaly::SynInConnection,
    ];

    /// A stable name for machines.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Anomaly::OverlapConflict => "tcp_overlap_conflict",
            Anomaly::BufferFull => "tcp_buffer_full",
            Anomaly::BeyondWindow => "tcp_beyond_window",
            Anomaly::DataAfterFin => "tcp_data_after_fin",
            Anomaly::DataAfterReset => "tcp_data_after_reset",
            Anomaly::FinMoved => "tcp_fin_moved",
            Anomaly::ResetOutOfWindow => "tcp_reset_out_of_window",
            Anomaly::SynInConnection => "tcp_syn_in_connection",
        }
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Anomaly::OverlapConflict => {
                "the same octets were sent twice with different values; the first copy is shown"
            }
            Anomaly::BufferFull => "too much arrived after a missing segment; the segment was given up",
            Anomaly::BeyondWindow => "a segment lies outside any possible window; it was ignored",
            Anomaly::DataAfterFin => "octets were sent after the end of the stream; they were ignored",
            Anomaly::DataAfterReset => "octets were sent after a reset by the same side; they were ignored",
            Anomaly::FinMoved => "an end of stream does not stand where the octets end; it was ignored",
            Anomaly::ResetOutOfWindow => "a reset does not fit the connection's sequence numbers; it was ignored",
            Anomaly::SynInConnection => {
                "a SYN with another sequence number came within an open connection; it was ignored"
            }
        })
    }
}

/// An anomaly and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noted {
    /// What is strange.
    pub anomaly: Anomaly,
    /// The octets concerned; empty where it is a matter of headers.
    pub span: Span,
    /// The packet.
    pub packet: u64,
}

/// The anomalies of one connection, bounded by [`CONNECTION_ANOMALIES`].
#[derive(Debug, Default)]
pub struct Notes {
    kept: Vec<Noted>,
    beyond: u64,
}

impl Notes {
    /// Those that were kept, in order.
    #[must_use]
    pub fn kept(&self) -> &[Noted] {
        &self.kept
    }

    /// How many more there were.
    #[must_use]
    pub fn beyond(&self) -> u64 {
        self.beyond
    }

    pub(super) fn add(&mut self, anomaly: Anomaly, span: Span, at: Moment) {
        if self.kept.len() < CONNECTION_ANOMALIES {
            self.kept.push(Noted { anomaly, span, packet: at.packet });
        } else {
            self.beyond += 1;
        }
    }
}
