//! Which records of TLS 1.3 are handshake and which are data, told by order and size.

use crate::stream::Direction;

use super::length::PlaintextLength;
use super::trace::Phase;

/// Follows the sealed records of TLS 1.3 after the ServerHello.
///
/// The server's are its handshake flight until its Finished, which is a record of just the length
/// that the suite's hash gives it (unless the whole flight is one record); what it sends after that
/// and before the client's Finished are tickets, or first words. The client may send a certificate
/// and its proof before its Finished, or end its early data (RFC 8446 §2, §4.6.1).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tls13 {
    stage: Stage,
    /// Sealed records of the client that came before its Finished.
    before_finished: u8,
    /// Sealed records of the server before the client's Finished.
    flight: u8,
    /// The server's Finished has passed, as a record of its own.
    server_finished: bool,
    /// Lengths of application data, and of all that is sealed, by direction.
    lengths: [Lengths; 2],
    with_handshake: [Lengths; 2],
    /// Octets of padding at the end of each record, of the client's and of the server's: none, until a Finished shows them.
    tails: [u16; 2],
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

/// The sealed lengths of one direction: their greatest common divisor, and how many different ones
/// there are.
#[derive(Clone, Copy, Debug, Default)]
struct Lengths {
    count: u8,
    divisor: u16,
    different: [u16; DIFFERENT],
}

impl Lengths {
    fn add(&mut self, length: u16) {
        self.count = self.count.saturating_add(1);
        self.divisor = greatest_common_divisor(self.divisor, length);
        if let Some(slot) = self.different.iter_mut().find(|slot| **slot == 0 || **slot == length) {
            *slot = length;
        }
    }

    /// Whether chance would hardly make all of them multiples of one number. The first length is
    /// any number; of k different ones, k - 1 had to be multiples of the divisor of the first.
    fn are_padded(&self) -> bool {
        self.count >= EVIDENCE && (self.divisor >= BLOCK || self.are_no_chance())
    }

    fn are_no_chance(&self) -> bool {
        let different = self.different.iter().filter(|length| **length != 0).count() as u32;
        let bits = self.divisor.checked_ilog2().unwrap_or(0);
        bits >= 3 && bits * different.saturating_sub(1) >= BITS
    }
}

impl Tls13 {
    /// The phase of the next sealed record.
    pub(super) fn next(&mut self, from_client: bool, plaintext: Option<PlaintextLength>, hello: &Agreed) -> Phase {
        let (finished, early_data) = (hello.finished, hello.early_data);
        let whose = usize::from(!from_client);
        let tail = self.tails[whose];
        let length = plaintext.map(|length| length.without(tail)).and_then(PlaintextLength::exact);
        let has_tail = tail == 0 && length.is_some() && length == finished.map(|finished| finished + JSSE_TAIL);
        let is_alert = length == Some(ALERT);
        match self.stage {
            Stage::Lost => Phase::Unknown,
            Stage::Handshake if !from_client => {
                if is_alert {
                    return Phase::Alert;
                }
                if self.server_finished {
                    return Phase::TicketOrApplication;
                }
                // EncryptedExtensions stand before it, and without a pre-shared key a certificate.
                let before = if hello.resumed { 1 } else { 2 };
                let may_finish = self.flight >= before;
                if may_finish && has_tail {
                    self.tails[whose] = JSSE_TAIL;
                }
                self.server_finished = may_finish && (has_tail || length.is_some() && length == finished);
                self.flight = self.flight.saturating_add(1);
                Phase::Handshake
            }
            Stage::Handshake => {
                if has_tail && !early_data {
                    self.tails[whose] = JSSE_TAIL;
                    self.stage = Stage::Settling;
                    return Phase::Handshake;
                }
                if length.is_some() && (length == finished || !early_data && self.is_padded_finished(length, finished))
                {
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

    /// Zero octets that each record of the client, or of the server, ends with, as far as is known by now: the TLS of Java
    /// (JSSE, seen with Java 17) appends 16 to whatever it seals (RFC 8446 §5.4 allows any number). It shows by the Finished message, whose
    /// length is known.
    pub(super) fn tail(&self, from_client: bool) -> u16 {
        self.tails[usize::from(!from_client)]
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

    /// Takes a sealed record and says for each direction to which block all that is sealed until now, type octets
    /// included, is padded. Of a library that pads everything (RFC 8446 §5.4) the handshake is evidence too: not even
    /// a Finished message has the length that is known of it.
    pub(super) fn blocks(
        &mut self,
        direction: Direction,
        phase: Phase,
        plaintext: PlaintextLength,
    ) -> [Option<u16>; 2] {
        let sealed = plaintext.max.saturating_add(1);
        self.with_handshake[direction.index()].add(sealed);
        if phase == Phase::Application {
            self.lengths[direction.index()].add(sealed);
        }
        let block = |direction: Direction| {
            let (data, all) = (&self.lengths[direction.index()], &self.with_handshake[direction.index()]);
            let everything = all.count >= EVIDENCE_WITH_HANDSHAKE && all.are_no_chance() || all.are_padded();
            if everything { Some(all.divisor) } else { data.are_padded().then_some(data.divisor) }
        };
        [Direction::FromOriginator, Direction::FromResponder].map(block)
    }

    /// Whether a record of the client is as long as a Finished message that is padded to a block: to that of the server, if
    /// its flight has one, or else to a power of two, as such blocks are.
    fn is_padded_finished(&self, length: Option<u16>, finished: Option<u16>) -> bool {
        let (Some(sealed), Some(least)) = (length.map(|n| n.saturating_add(1)), finished.map(|n| n.saturating_add(1)))
        else {
            return false;
        };
        if sealed <= least {
            return false;
        }
        let padded = self.with_handshake.iter().filter(|all| all.count >= FLIGHT && all.divisor >= SMALL_BLOCK);
        let divides =
            |divisor: u16| divisor.is_multiple_of(sealed) || sealed == least.div_ceil(divisor).saturating_mul(divisor);
        padded.map(|all| all.divisor).any(divides)
            || (sealed >= BLOCK && sealed.is_power_of_two() && self.flight >= FLIGHT)
    }
}

/// What the hellos say that tells the records after them apart.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Agreed {
    /// Octets of a Finished message.
    pub(super) finished: Option<u16>,
    /// The client sends data before the server has answered.
    pub(super) early_data: bool,
    /// A pre-shared key is used, so that there is no certificate.
    pub(super) resumed: bool,
}

fn greatest_common_divisor(mut a: u16, mut b: u16) -> u16 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Octets of zeros that JSSE ends each record of TLS 1.3 with.
const JSSE_TAIL: u16 = 16;

/// Octets of an alert.
const ALERT: u16 = 2;

/// Octets of an EndOfEarlyData message.
const END_OF_EARLY_DATA: u16 = 4;

/// Records that a client may send before its Finished without early data: a certificate in a few
/// pieces, and its proof.
const CLIENT_FLIGHT: u8 = 8;

/// Records of a flight with a certificate in it, and the smallest block that it may be padded to.
const FLIGHT: u8 = 3;
const SMALL_BLOCK: u16 = 16;

/// Records of one direction, its handshake among them, that are looked at before padding is suspected.
const EVIDENCE_WITH_HANDSHAKE: u8 = 4;

/// Records that are looked at before padding is suspected.
const EVIDENCE: u8 = 8;

/// Different lengths that are kept.
const DIFFERENT: usize = 8;

/// A divisor that chance does not make of `EVIDENCE` records, and how improbable smaller ones have
/// to be: one in 2^12.
const BLOCK: u16 = 64;
const BITS: u32 = 12;
