//! Which records of TLS 1.3 are handshake and which are data, told by order and size.

use crate::stream::Direction;

use super::length::{Padding, PlaintextLength};
use super::trace::Phase;

/// Follows the sealed records of TLS 1.3 after the ServerHello.
///
/// The server's are its handshake flight until the client's Finished, which is the record of just
/// the length that the suite's hash gives it; before it the client may send a certificate and its
/// proof, or end its early data (RFC 8446 §2).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tls13 {
    stage: Stage,
    /// Sealed records of the client that came before its Finished.
    before_finished: u8,
    lengths: [Lengths; 2],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Until the client's Finished.
    #[default]
    Handshake,
    /// After it, until the client speaks.
    Settling,
    /// The client has said its first words.
    ClientSpoke,
    /// The server has said something after them.
    ServerAnswered,
    /// From the client's second turn on.
    Open,
    /// The client's Finished cannot be told any more.
    Lost,
}

/// The greatest common divisor of the sealed lengths of one direction.
#[derive(Clone, Copy, Debug, Default)]
struct Lengths {
    count: u8,
    divisor: u16,
    first: u16,
    differ: bool,
}

impl Tls13 {
    /// The phase of the next sealed record. `finished` is the length of a Finished message.
    pub(super) fn next(
        &mut self,
        from_client: bool,
        early_data: bool,
        plaintext: Option<PlaintextLength>,
        finished: Option<u16>,
    ) -> Phase {
        let length = plaintext.and_then(PlaintextLength::exact);
        let is_alert = length == Some(ALERT);
        match self.stage {
            Stage::Lost => Phase::Unknown,
            Stage::Handshake if !from_client => Phase::Handshake,
            Stage::Handshake => {
                if length.is_some() && length == finished {
                    self.stage = Stage::Settling;
                    return Phase::Handshake;
                }
                if is_alert && !early_data {
                    return Phase::Alert;
                }
                if early_data {
                    return if length == Some(END_OF_EARLY_DATA) { Phase::Handshake } else { Phase::EarlyData };
                }
                self.before_finished += 1;
                if self.before_finished > CLIENT_FLIGHT {
                    self.stage = Stage::Lost;
                    return Phase::Unknown;
                }
                Phase::Handshake
            }
            _ if is_alert => Phase::AlertOrTwoOctets,
            stage if from_client => {
                self.stage = match stage {
                    Stage::Settling | Stage::ClientSpoke => Stage::ClientSpoke,
                    _ => Stage::Open,
                };
                Phase::Application
            }
            Stage::Open => Phase::Application,
            Stage::ClientSpoke | Stage::ServerAnswered => {
                self.stage = Stage::ServerAnswered;
                Phase::TicketOrApplication
            }
            Stage::Settling => Phase::TicketOrApplication,
        }
    }

    /// Octets are missing: during the handshake the client's Finished may be among them.
    pub(super) fn gap(&mut self) {
        if self.stage == Stage::Handshake {
            self.stage = Stage::Lost;
        }
    }

    /// Whether the client's Finished has passed.
    pub(super) fn is_established(&self) -> bool {
        !matches!(self.stage, Stage::Handshake | Stage::Lost)
    }

    /// Looks for padding in a record of application data: what is sealed, type octet included,
    /// then is a multiple of a block in each of `EVIDENCE` records, and not always the same.
    pub(super) fn padding(&mut self, direction: Direction, plaintext: PlaintextLength) -> Padding {
        let lengths = &mut self.lengths[direction.index()];
        let inner = plaintext.max.saturating_add(1);
        if lengths.count == 0 {
            lengths.first = inner;
        }
        lengths.differ |= inner != lengths.first;
        lengths.divisor = greatest_common_divisor(lengths.divisor, inner);
        lengths.count = lengths.count.saturating_add(1);
        if lengths.count >= EVIDENCE && lengths.divisor >= BLOCK && lengths.differ {
            Padding::Suspected
        } else {
            Padding::NotSeen
        }
    }
}

fn greatest_common_divisor(mut a: u16, mut b: u16) -> u16 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Octets of an alert.
const ALERT: u16 = 2;

/// Octets of an EndOfEarlyData message.
const END_OF_EARLY_DATA: u16 = 4;

/// Records that a client may send before its Finished without early data: a certificate in a few
/// pieces, and its proof.
const CLIENT_FLIGHT: u8 = 8;

/// Records that are looked at before padding is suspected, and the least block that counts: by
/// chance one in 8^7.
const EVIDENCE: u8 = 8;
const BLOCK: u16 = 8;
