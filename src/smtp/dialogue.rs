//! The dialogue: what both sides said so far, and what each side's next octets are.

use std::collections::VecDeque;

use super::auth::Exchange;
use super::check::Tally;
use super::event::{Event, EventKind};
use super::ledger::{Asked, Ledger, Outstanding};
use super::line::Held;
use super::server::PartialReply;
use super::transfer::{Message, Smuggled};
use super::{Anomaly, Summary};
use crate::limits;
use crate::stream::{Direction, Span};
use crate::time::Timestamp;

/// Where events go.
pub(super) type Emit<'e> = dyn FnMut(Event<'_>) + 'e;

/// A decoder of one SMTP or LMTP connection.
///
/// Give it the octets of each direction in stream order, both directions interleaved as they were
/// captured: what the client's next octets are can depend on what the server said before. It
/// works for one direction alone and from the middle of a stream too; then it says less.
///
/// After DATA the client waits for 354, so the reply normally comes first and decides. Where the
/// client's octets come first (it did not wait, or the server's side was not captured), its first
/// line decides: a known command of the right form means that DATA was refused and the client
/// knows; anything else is message text. A reply that comes later corrects this as far as it can.
#[derive(Debug)]
pub struct Dialogue {
    pub(super) client: Direction,
    pub(super) mode: Mode,
    /// The next octet of each direction, by [`Direction::index`].
    pub(super) next: [u64; 2],
    /// The client's line that has not ended.
    pub(super) line: Held,
    /// The server's reply that has not ended.
    pub(super) held_reply: Held,
    pub(super) partial: PartialReply,
    /// Commands without a reply, the oldest first.
    pub(super) outstanding: VecDeque<Outstanding>,
    /// Client lines before this one may have been answered by replies that are missing.
    pub(super) unsure_before: u64,
    pub(super) ledger: Ledger,
    pub(super) message: Option<Message>,
    pub(super) smuggled: Option<Smuggled>,
    pub(super) exchange: Option<Exchange>,
    /// Which directions belong to TLS now.
    pub(super) handed_over: [bool; 2],
    /// Whether the client's last command ended with LF alone: then its messages do too.
    pub(super) ends_lines_with_lf: bool,
    pub(super) seen: Seen,
    pub(super) offers: Offers,
    pub(super) tally: Tally,
    /// Whether somebody on the path cannot read it.
    pub(super) sealed: bool,
    /// What may be the header of a proxy, before the client's first line.
    pub(super) prefix: Option<Held>,
    /// Octets that XEXCH50 announced.
    pub(super) announced_binary: Option<u64>,
    /// When the octets that are being taken were captured, where the caller says it.
    pub(super) now: Option<Timestamp>,
    /// When the connection began.
    pub(super) opened: Option<Timestamp>,
    /// When the client's last octets came.
    pub(super) client_spoke: Option<Timestamp>,
    pub(super) finished: [bool; 2],
    pub(super) summary: Summary,
}

/// What the client's next octets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Not known: the stream began, or goes on after a gap, in the middle of something. Only a
    /// known command of the right form leads out, or a reply that says where we are.
    Unsure,
    /// Commands.
    Commands,
    /// A SASL response: 334 came.
    Auth,
    /// DATA was sent, and its reply is outstanding.
    DataPending,
    /// 354 came, and the message has not begun.
    AwaitMessage,
    /// Message text, up to the dot line.
    Message,
    /// A BDAT chunk: so many octets of it are left.
    Chunk { left: u64, last: bool },
    /// What follows XEXCH50: so many octets of it are left.
    Binary { start: u64, left: u64 },
}

/// What is known of the server's offers in this phase of the dialogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Offers {
    /// No reply to EHLO or HELO was seen, or a later one may be missing.
    #[default]
    Unknown,
    /// The client said HELO: there are none.
    Nothing,
    /// Those of the summary.
    Listed,
}

/// What was met so far, for findings that depend on it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub client: bool,
    pub server: bool,
    /// Where the client's first line stands.
    pub first_line: Option<Span>,
    /// The caller gave octets back that were handed over: they are no TLS, whatever they look like.
    pub clear_by_judgement: bool,
    /// The reply before the next server line was a 220 that no command seen asked for.
    pub lone_220: Option<Span>,
    /// Injected clear commands were told.
    pub injection: bool,
    pub client_gap: bool,
    pub server_gap: bool,
    /// A login, after which the server may offer something else.
    pub offers_may_change: bool,
}

impl Dialogue {
    /// Of a connection whose client (the side that gives commands) sends in direction `client`.
    #[must_use]
    pub fn new(client: Direction) -> Dialogue {
        Dialogue {
            client,
            mode: Mode::Unsure,
            next: [0; 2],
            line: Held::default(),
            held_reply: Held::default(),
            partial: PartialReply::default(),
            outstanding: VecDeque::new(),
            unsure_before: 0,
            ledger: Ledger::default(),
            message: None,
            smuggled: None,
            exchange: None,
            handed_over: [false; 2],
            ends_lines_with_lf: false,
            seen: Seen::default(),
            offers: Offers::Unknown,
            tally: Tally::default(),
            sealed: false,
            prefix: Some(Held::default()),
            announced_binary: None,
            now: None,
            opened: None,
            client_spoke: None,
            finished: [false; 2],
            summary: Summary::default(),
        }
    }

    /// The same, of a dialogue that was read inside TLS with keys: nobody on the path sees it, so
    /// that a password in it is no alarm.
    #[must_use]
    pub fn inside_tls(client: Direction) -> Dialogue {
        // The greeting, if one is still to come, is that of a server behind TLS: no proxy's.
        Dialogue { sealed: true, ..Dialogue::new(client) }
    }

    /// Says when the connection began, so that the wait for the greeting can be told.
    pub fn opened_at(&mut self, time: Timestamp) {
        self.opened = Some(time);
    }

    /// Says when the octets were captured that are given from now on. Without it no waits are told.
    pub fn set_time(&mut self, time: Timestamp) {
        self.now = Some(time);
    }

    /// The direction of the side that gives commands.
    #[must_use]
    pub fn client(&self) -> Direction {
        self.client
    }

    /// Takes octets `start..start + bytes.len()` of one direction, the next of it in order.
    ///
    /// Returns how many were taken: all, unless the server agreed to STARTTLS
    /// ([`EventKind::StartTls`] was emitted). Then what follows is the caller's to judge, in both
    /// directions: TLS, or clear text after all, which is told by giving it to this method.
    ///
    /// A client that sends a TLS record after STARTTLS shows that the server agreed, though its
    /// reply was not seen (yet). Then the client's octets are not taken any more; the server's
    /// are, up to the 220, if it still comes.
    pub fn data(&mut self, direction: Direction, start: u64, bytes: &[u8], emit: &mut Emit<'_>) -> usize {
        if bytes.is_empty() {
            return 0;
        }
        if self.handed_over[direction.index()] {
            self.take_back(direction, start, bytes, emit);
        }
        self.next[direction.index()] = start;
        let taken = if direction == self.client {
            self.seen.client = true;
            let taken = self.client_data(start, bytes, emit);
            self.client_spoke = self.now;
            taken
        } else {
            self.seen.server = true;
            self.server_data(start, bytes, emit)
        };
        self.next[direction.index()] = start.saturating_add(taken as u64);
        taken
    }

    /// Octets of one direction that were sent but not captured. Ends what was being read there:
    /// a message goes on behind the gap, incomplete; what lines were lost cannot be known.
    pub fn gap(&mut self, span: Span, emit: &mut Emit<'_>) {
        if self.handed_over[span.direction.index()] {
            return;
        }
        self.summary.missing = self.summary.missing.saturating_add(span.len());
        emit(Event { span, kind: EventKind::Anomaly(Anomaly::Gap) });
        if span.direction == self.client {
            self.seen.client_gap = true;
            self.prefix = None;
            self.client_gap(span, emit);
        } else {
            if self.outstanding.iter().any(|o| matches!(o.asked, Asked::Command(verb) if verb.is_hello())) {
                self.offers = Offers::Unknown;
            }
            self.seen.server_gap = true;
            self.flush_reply(emit);
            self.unsure_before = self.summary.client_lines;
        }
        self.next[span.direction.index()] = span.end;
    }

    /// This direction ends: FIN, RST, or the end of the capture. What was cut becomes a named
    /// truncation. When both have ended, so have the transactions.
    pub fn finish(&mut self, direction: Direction, emit: &mut Emit<'_>) {
        if std::mem::replace(&mut self.finished[direction.index()], true) {
            return;
        }
        if !self.finished[direction.reversed().index()] {
            self.stalls_at_the_end(emit);
        }
        if direction == self.client {
            self.finish_client(emit);
        } else {
            self.flush_reply(emit);
        }
        if self.finished == [true; 2] {
            self.end_exchange(None, emit);
            let span = Span::new(direction, self.next[direction.index()], self.next[direction.index()]);
            self.end_transactions(u64::MAX, span, emit);
        }
    }

    /// The earliest octet of this direction that the span of a later event may still begin with.
    #[must_use]
    pub fn pending_from(&self, direction: Direction) -> u64 {
        let next = self.next[direction.index()];
        if direction != self.client {
            return if self.held_reply.is_empty() { next } else { self.held_reply.start };
        }
        match &self.message {
            Some(message) => message.start,
            None if !self.line.is_empty() => self.line.start,
            None => next,
        }
    }

    /// The connection ends: whoever kept the other waiting until then has stalled.
    fn stalls_at_the_end(&mut self, emit: &mut Emit<'_>) {
        let kept_waiting = |waited, limit| waited > Some(limit);
        let server_is_silent = self.seen.server && !self.seen.server_gap && self.held_reply.is_empty();
        if let Some(oldest) = self.outstanding.front().filter(|_| server_is_silent)
            && kept_waiting(self.waited(oldest.sent), limits::SMTP_STALL)
        {
            emit(Event { span: oldest.span, kind: EventKind::Anomaly(Anomaly::Stall) });
        }
        let at = self.next[self.client.index()];
        let in_message = matches!(self.mode, Mode::AwaitMessage | Mode::Message | Mode::Chunk { .. });
        if in_message && kept_waiting(self.waited(self.client_spoke), limits::SMTP_MESSAGE_STALL) {
            emit(Event { span: Span::new(self.client, at, at), kind: EventKind::Anomaly(Anomaly::Stall) });
        }
    }

    /// What the dialogue showed so far.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// What it showed, when it is over.
    #[must_use]
    pub fn into_summary(self) -> Summary {
        self.summary
    }

    /// Clear octets come in a direction that was handed over to TLS.
    fn take_back(&mut self, direction: Direction, start: u64, bytes: &[u8], emit: &mut Emit<'_>) {
        let span = Span::new(direction, start, start.saturating_add(bytes.len() as u64));
        let anomaly = if direction == self.client { Anomaly::ClearAfterStartTls } else { Anomaly::ReplyInjection };
        emit(Event { span, kind: EventKind::Anomaly(anomaly) });
        // Whoever gives octets back has judged them: the same octets must not be refused again.
        self.seen.clear_by_judgement = true;
        self.seen.lone_220 = None;
        self.handed_over[direction.index()] = false;
        if direction == self.client {
            self.handed_over = [false; 2];
        }
        if direction == self.client && self.mode == Mode::Unsure {
            self.mode = Mode::Commands;
        }
    }
}

/// Fuzz body: any octets as a dialogue. The first says how the rest is cut into pieces of both
/// directions and gaps; whatever comes, spans stay in order and nothing panics.
pub fn fuzz_smtp(data: &[u8]) {
    let Some((&seed, mut rest)) = data.split_first() else { return };
    let mut dialogue = Dialogue::new(Direction::FromOriginator);
    let mut at = [0u64; 2];
    let mut events = 0usize;
    let mut emit = |event: Event<'_>| {
        assert!(event.span.start <= event.span.end);
        if let EventKind::MessageData { octets, .. } = event.kind {
            assert_eq!(event.span.len(), octets.len() as u64);
        }
        events += 1;
    };
    let mut state = u64::from(seed) << 1 | 1;
    while !rest.is_empty() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let direction = Direction::BOTH[(state >> 33) as usize & 1];
        let size = 1 + (state >> 40) as usize % if seed & 1 == 0 { 8 } else { 200 };
        let (piece, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        let next = &mut at[direction.index()];
        if (state >> 52) % 61 == 0 {
            let end = *next + size as u64;
            dialogue.gap(Span::new(direction, *next, end), &mut emit);
            *next = end;
            continue;
        }
        let mut taken = 0;
        while taken < piece.len() {
            taken += dialogue.data(direction, *next + taken as u64, &piece[taken..], &mut emit);
        }
        *next += piece.len() as u64;
        assert!(dialogue.pending_from(direction) <= *next);
    }
    for direction in Direction::BOTH {
        dialogue.finish(direction, &mut emit);
    }
    let _ = super::probe(data, &data[data.len() / 2..]);
    let _ = super::mask(data, false);
}
