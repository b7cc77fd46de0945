//! What an observer keeps of sealed records: who, when, how long.

use crate::limits;
use crate::stream::{Direction, Span};
use crate::time::Timestamp;

use super::length::{Padding, PlaintextLength};
use super::registry::ContentType;

/// The records of one conversation, in the order in which they passed.
///
/// Of more than `limits::TLS_TRACE_RECORDS` the rest is only counted.
#[derive(Clone, Debug, Default)]
pub struct RecordTrace {
    records: Vec<TraceRecord>,
    beyond: [Beyond; 2],
    padding: Padding,
    blocks: [Option<u16>; 2],
    tails: [u16; 2],
}

/// One record. Its index in the trace is its name elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceRecord {
    /// When its last octet passed: the moment that the caller gave with those octets.
    pub time: Timestamp,
    /// The first octet of its header.
    pub start: u64,
    /// Who sent it.
    pub direction: Direction,
    /// Its type, as its header says; TLS 1.3 says "application data" of all that is sealed.
    pub content_type: ContentType,
    /// Octets after the header: its length field.
    pub length: u16,
    /// What it carries, by the state of the conversation.
    pub phase: Phase,
    /// Whether its contents are encrypted.
    pub sealed: bool,
    /// Whether octets of it, or between it and the one before it, are missing.
    pub after_gap: bool,
    /// Octets of plaintext; `None` where the suite is not known, or makes no such record.
    pub plaintext: Option<PlaintextLength>,
}

/// What a record carries. For sealed records of TLS 1.3, where the type is hidden, this is an
/// inference from order and size (RFC 8446 §4.4 and appendix A); before that the type shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The conversation's state is not known: the capture begins in the middle, or lacks octets.
    Unknown,
    /// The handshake, in the clear or sealed.
    Handshake,
    /// TLS 1.3: sent by the client before the server answered.
    EarlyData,
    /// TLS 1.3: sent by the server after the handshake and before the client's second turn, where
    /// session tickets are sent: a ticket or data. [`RecordTrace::phases`] decides.
    TicketOrApplication,
    /// Application data.
    Application,
    /// TLS 1.3: of the size of an alert, after the handshake; two octets of data are as long.
    AlertOrTwoOctets,
    /// An alert.
    Alert,
    /// After the handshake: a session ticket, or in TLS 1.2 a renegotiation.
    PostHandshake,
}

/// Records that passed after the trace was full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beyond {
    /// How many.
    pub records: u64,
    /// The sum of their length fields.
    pub octets: u64,
}

impl RecordTrace {
    pub(super) fn push(&mut self, record: TraceRecord) {
        if self.records.len() < limits::TLS_TRACE_RECORDS {
            self.records.push(record);
        } else {
            let beyond = &mut self.beyond[record.direction.index()];
            beyond.records += 1;
            beyond.octets += u64::from(record.length);
        }
    }

    /// The records of a direction turn out to end with `tail` octets of padding: those that are here already do as well.
    pub(super) fn take_off(&mut self, direction: Direction, tail: u16) {
        self.tails[direction.index()] = tail;
        let sealed = self.records.iter_mut().filter(|record| record.direction == direction && record.sealed);
        sealed.filter_map(|record| record.plaintext.as_mut()).for_each(|length| *length = length.without(tail));
    }

    /// Octets of padding that each sealed record of a direction ends with, and that [`TraceRecord::plaintext`] leaves out: 16
    /// as Java's TLS appends them, or none.
    #[must_use]
    pub fn tail(&self, direction: Direction) -> u16 {
        self.tails[direction.index()]
    }

    /// Padding is known from elsewhere.
    pub(super) fn set_padding(&mut self, padding: Padding) {
        self.padding = self.padding.max(padding);
    }

    /// What the lengths until now say of padding; later ones may say otherwise.
    pub(super) fn suspect_padding(&mut self, blocks: [Option<u16>; 2]) {
        self.blocks = blocks;
        if self.padding < Padding::Proven {
            let suspected = blocks.iter().any(Option::is_some);
            self.padding = if suspected { Padding::Suspected } else { Padding::NotSeen };
        }
    }

    /// The records.
    #[must_use]
    pub fn records(&self) -> &[TraceRecord] {
        &self.records
    }

    /// What passed in a direction after the trace was full.
    #[must_use]
    pub fn beyond(&self, direction: Direction) -> Beyond {
        self.beyond[direction.index()]
    }

    /// The block to which the records of a direction seem to be padded; the true one may be a divisor of it.
    #[must_use]
    pub fn padding_block(&self, direction: Direction) -> Option<u16> {
        self.blocks[direction.index()]
    }

    /// Octets of plaintext in a record, padding taken into account: one block less one octet may be padding.
    #[must_use]
    pub fn plaintext(&self, record: &TraceRecord) -> Option<PlaintextLength> {
        let length = record.plaintext?;
        Some(match (self.padding, self.padding_block(record.direction)) {
            (_, Some(block)) => length.padded_to(block),
            (Padding::Proven, None) => length.padded(),
            _ => length,
        })
    }

    /// Whether TLS 1.3 padding was seen. Where it is proven, only the upper bound of
    /// [`TraceRecord::plaintext`] holds: see [`PlaintextLength::padded`].
    #[must_use]
    pub fn padding(&self) -> Padding {
        self.padding
    }

    /// The phase of each record, where all of them are known and tickets can be told from data.
    ///
    /// A server may send session tickets at any time after the handshake, and does so at once:
    /// before it says anything, or while it thinks about the client's first words. In a protocol
    /// in which the server speaks first (`server_first`, SMTP on a port of its own) the last
    /// record of its first turn is its greeting, and those before it are tickets if they are long
    /// enough; after STARTTLS it has nothing to say before the client, so that all before are
    /// tickets, and of those between the client's first and second words all but the last that
    /// look like one.
    ///
    /// After an alert of TLS 1.3 nothing but another one follows (RFC 8446 §6: close_notify ends a
    /// direction, every other alert but user_canceled the conversation), so that two octets with
    /// data after them are data. Java sends user_canceled before close_notify (§6.1): two in a row.
    #[must_use]
    pub fn phases(&self, server: Direction, server_first: bool) -> Vec<Phase> {
        let mut phases: Vec<Phase> = self.records.iter().map(|record| record.phase).collect();
        let open = |index: &usize| self.records[*index].phase == Phase::TicketOrApplication;
        let first_words = self
            .records
            .iter()
            .position(|record| record.direction != server && record.phase == Phase::Application)
            .unwrap_or(self.records.len());
        let before: Vec<usize> = (0..first_words).filter(open).collect();
        let after: Vec<usize> = (first_words..self.records.len()).filter(open).collect();
        let (certain, turn) = match (server_first, before.split_last()) {
            (true, Some((greeting, tickets))) => {
                phases[*greeting] = Phase::Application;
                (tickets, &after[..])
            }
            _ => (&before[..], &after[..]),
        };
        let mut ticket_length = None;
        for index in certain {
            let length = self.records[*index].length;
            let is_ticket = !server_first || length >= TICKET_MIN;
            phases[*index] = if is_ticket { Phase::PostHandshake } else { Phase::Application };
            ticket_length = is_ticket.then_some(length).or(ticket_length);
        }
        // Without another word from the client the turn may not be over, and its last record one
        // more ticket.
        let last = turn.last();
        let goes_on = last.is_some_and(|last| {
            self.records[*last..].iter().any(|r| r.direction != server && r.phase == Phase::Application)
        });
        for index in turn {
            let length = self.records[*index].length;
            let is_ticket = match Some(index) == last {
                true => !goes_on && Some(length) == ticket_length,
                false => Some(length) == ticket_length || is_ticket_length(length),
            };
            phases[*index] = if is_ticket { Phase::PostHandshake } else { Phase::Application };
            ticket_length = is_ticket.then_some(length).or(ticket_length);
        }
        let mut data_follows = Direction::BOTH.map(|direction| self.beyond(direction).records > 0);
        for (record, phase) in self.records.iter().zip(&mut phases).rev() {
            let data_follows = &mut data_follows[record.direction.index()];
            if *phase == Phase::AlertOrTwoOctets && *data_follows {
                *phase = Phase::Application;
            }
            *data_follows |= matches!(phase, Phase::Application | Phase::PostHandshake);
        }
        phases
    }
}

impl TraceRecord {
    /// Where it stands, header and body.
    #[must_use]
    pub fn span(&self) -> Span {
        Span::new(self.direction, self.start, self.start.saturating_add(5 + u64::from(self.length)))
    }
}

/// Whether records of this length are tickets of well-known stacks: OpenSSL's without and with
/// server state, as SHA-256 and SHA-384 suites make them, or any that is too long for one reply line.
fn is_ticket_length(length: u16) -> bool {
    length == 74 || (170..=300).contains(&length)
}

/// The least that a NewSessionTicket record of TLS 1.3 can be with a ticket of 32 octets: 4 of
/// header, 8 of times, 1 + 2 + 2 of lengths, 17 of protection.
const TICKET_MIN: u16 = 66;
