//! Messages in transit: by DATA up to the dot line, by BDAT in chunks of stated length.

use super::dialogue::{Dialogue, Emit, Mode};
use super::end_of_data::{EndOfData, Oddities};
use super::event::{Event, EventKind, MessageEnd, Transfer};
use super::ledger::{Asked, Outstanding};
use super::lenient::LenientReader;
use super::text::{TextLines, allows_eight_bit};
use super::{Anomaly, Verb};
use crate::imf::{EvenLines, HeaderReader, Unstuffer};
use crate::stream::{Direction, Span};

/// A message in transit.
#[derive(Debug)]
pub(super) struct Message {
    pub transaction: u64,
    pub transfer: Transfer,
    /// Where its first octet stands.
    pub start: u64,
    pub size: u64,
    pub missing: u64,
    pub chunks: u64,
    /// The server has replied to it before its end.
    pub replied: bool,
    /// The server has refused the DATA that the client did not wait for.
    pub refused: bool,
    search: EndOfData,
    oddities: Oddities,
    /// Reads along leniently, where the message is read strictly.
    lenient: Option<LenientReader>,
    lines: TextLines,
    even: EvenLines,
    unstuffer: Option<Unstuffer>,
    header: HeaderReader,
    header_over: bool,
}

impl Message {
    /// Looks at the next octets of its text.
    fn text(&mut self, client: Direction, bytes: &[u8]) {
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.transfer == Transfer::Data {
            self.oddities.look(bytes);
            self.lines.look(bytes);
        }
        if let Some(lenient) = &mut self.lenient {
            lenient.feed(client, bytes, self.oddities.bare_lf || self.oddities.bare_cr);
        }
        if self.header_over {
            return;
        }
        match &mut self.unstuffer {
            Some(unstuffer) => unstuffer.feed(bytes, |text| self.header_over = self.header.feed(text)),
            None => self.header_over = self.header.feed(bytes),
        }
    }

    /// Takes the next octets of its text, where they are lines that need no closer look: how many characters those have.
    fn even_text(&mut self, client: Direction, bytes: &[u8]) -> Option<u64> {
        let is_asleep = self.lenient.as_ref().is_some_and(LenientReader::is_asleep);
        if !self.header_over || !is_asleep || !self.search.held().is_empty() {
            self.even.forget();
            return None;
        }
        let characters = self.even.take(bytes)?;
        self.size = self.size.saturating_add(bytes.len() as u64);
        self.search.pass(bytes);
        self.oddities.pass(bytes);
        self.lines.pass(self.even.column());
        if let Some(lenient) = &mut self.lenient {
            lenient.feed(client, bytes, false);
        }
        Some(characters)
    }

    /// Look-alikes so far, and where the first one stands that commands follow.
    fn lenient_state(&mut self) -> (u32, Option<Span>) {
        match &mut self.lenient {
            Some(lenient) => (lenient.look_alikes, lenient.found().map(|found| found.end_of_data)),
            None => (0, None),
        }
    }

    /// Counts a reply to commands that stand in it, where its own reply has come; whether it is the first one.
    pub(super) fn lenient_reply(&mut self) -> Option<bool> {
        let found = self.lenient.as_mut()?.found().filter(|_| self.replied)?;
        found.replies += 1;
        Some(found.replies == 1)
    }

    pub(super) fn ends_in_look_alike(&self) -> bool {
        self.transfer == Transfer::Data && self.search.ends_in_look_alike()
    }
}

/// Commands inside a message that is over, to which a lenient server replies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Smuggled {
    transaction: u64,
    /// So many replies may still come.
    left: u64,
    /// Whether one has come: the server does read leniently.
    answered: bool,
}

impl Dialogue {
    /// Whether a reply is to commands that stand inside a message, which shows that the server read it leniently.
    pub(super) fn answers_smuggled(&mut self, code: Option<u16>, span: Span, emit: &mut Emit<'_>) -> bool {
        if code == Some(421) {
            return false;
        }
        if let Some(message) = &mut self.message {
            let Some(first) = message.lenient_reply() else { return false };
            if first {
                emit(Event { span, kind: EventKind::Anomaly(Anomaly::SmugglingAnswered) });
            }
            return true;
        }
        let Some(smuggled) = &mut self.smuggled else { return false };
        let its_own = matches!(self.outstanding.front(), Some(Outstanding { asked: Asked::Message { .. }, transaction, .. })
            if *transaction == Some(smuggled.transaction));
        let quit = matches!(self.outstanding.front().map(|o| o.asked), Some(Asked::Command(Verb::QUIT)));
        let fits = self.outstanding.is_empty() || smuggled.answered || (quit && code != Some(221));
        if its_own || smuggled.left == 0 || !fits {
            return false;
        }
        smuggled.left -= 1;
        let (index, first) = (smuggled.transaction, !std::mem::replace(&mut smuggled.answered, true));
        let kept = self.summary.transactions.iter_mut().rfind(|t| t.index == index);
        if let Some(found) = kept.or(self.ledger.transaction(index)).and_then(|t| t.lenient.as_mut()) {
            found.replies += 1;
        }
        if first {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::SmugglingAnswered) });
        }
        true
    }

    /// A message begins at `at`. `tolerant`: its lines may end with LF alone.
    pub(super) fn begin_message(&mut self, at: u64, transfer: Transfer, emit: &mut Emit<'_>) {
        let span = Span::new(self.client, at, at);
        let transaction = self.transaction_for_message(span, emit);
        if let Some(open) = self.ledger.transaction(transaction) {
            open.transfer = Some(transfer);
        }
        let tolerant = self.ends_lines_with_lf;
        self.message = Some(Message {
            transaction,
            transfer,
            start: at,
            size: 0,
            missing: 0,
            chunks: 0,
            replied: false,
            refused: false,
            search: EndOfData::new(tolerant),
            oddities: Oddities::default(),
            lenient: (transfer == Transfer::Data && !tolerant).then(|| LenientReader::new(at)),
            lines: TextLines::default(),
            even: EvenLines::default(),
            unstuffer: (transfer == Transfer::Data).then(|| Unstuffer::new(tolerant)),
            header: HeaderReader::new(),
            header_over: false,
        });
        emit(Event { span, kind: EventKind::MessageStart { transaction, transfer, tolerant } });
    }

    /// Octets after DATA; how many were taken.
    pub(super) fn message_data(&mut self, start: u64, bytes: &[u8], emit: &mut Emit<'_>) -> usize {
        let client = self.client;
        let Some(message) = &mut self.message else {
            self.mode = Mode::Unsure;
            return 0;
        };
        if let Some(characters) = message.even_text(client, bytes) {
            let span = Span::new(client, start, start + bytes.len() as u64);
            emit(Event { span, kind: EventKind::MessageData { octets: bytes, even: Some(characters) } });
            return bytes.len();
        }
        let (odd, lines) = (message.oddities, message.lines);
        let (look_alikes, smuggled) = message.lenient_state();
        let scan = message.search.scan(bytes);
        if !scan.held.is_empty() {
            let span = Span::new(client, start.saturating_sub(scan.held.len() as u64), start);
            message.text(client, scan.held);
            emit(Event { span, kind: EventKind::MessageData { octets: scan.held, even: None } });
        }
        let text = &bytes[..scan.text];
        if !text.is_empty() {
            message.text(client, text);
            message.even.learn(text);
            let span = Span::new(client, start, start + text.len() as u64);
            emit(Event { span, kind: EventKind::MessageData { octets: text, even: None } });
        }
        let span = Span::new(client, start, start + scan.taken as u64);
        let (now, lines_now) = (message.oddities, message.lines);
        let (look_alikes_now, smuggled_now) = message.lenient_state();
        let may_be_8bit = lines.eight_bit || !lines_now.eight_bit || self.announced_eight_bit();
        for (before, after, anomaly) in [
            (odd.bare_lf, now.bare_lf, Anomaly::BareLfInMessage),
            (odd.bare_cr, now.bare_cr, Anomaly::BareCrInMessage),
            (odd.nul, now.nul, Anomaly::NulInMessage),
            (lines.long, lines_now.long, Anomaly::LongLineInMessage),
            (may_be_8bit, lines_now.eight_bit, Anomaly::EightBitInMessage),
            (false, look_alikes_now > look_alikes, Anomaly::EndOfDataLookAlike),
            (smuggled.is_some(), smuggled_now.is_some(), Anomaly::Smuggling),
        ] {
            if !before && after {
                let span = smuggled_now.filter(|_| anomaly == Anomaly::Smuggling).unwrap_or(span);
                emit(Event { span, kind: EventKind::Anomaly(anomaly) });
            }
        }
        if scan.ended {
            self.end_message(start + scan.taken as u64, true, emit);
        }
        scan.taken
    }

    /// Whether the message in transit was announced as one of octets above 127.
    fn announced_eight_bit(&mut self) -> bool {
        let Some(index) = self.message.as_ref().map(|message| message.transaction) else { return true };
        // Without MAIL nothing is known of what was announced.
        let transaction = self.ledger.transaction(index);
        transaction.is_none_or(|t| t.mail_from.is_none() || t.parameters().any(|(_, value)| allows_eight_bit(&value)))
    }

    /// Octets of a BDAT chunk; how many were taken.
    pub(super) fn chunk_data(&mut self, start: u64, bytes: &[u8], left: u64, last: bool, emit: &mut Emit<'_>) -> usize {
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let chunk = &bytes[..taken];
        if let Some(message) = &mut self.message {
            message.text(self.client, chunk);
        }
        let end = start + taken as u64;
        if taken > 0 {
            emit(Event {
                span: Span::new(self.client, start, end),
                kind: EventKind::MessageData { octets: chunk, even: None },
            });
        }
        self.chunk_left(left - taken as u64, last, end, emit);
        taken
    }

    /// So many octets of the chunk are left at `at`; none: it is over.
    pub(super) fn chunk_left(&mut self, left: u64, last: bool, at: u64, emit: &mut Emit<'_>) {
        self.mode = if left > 0 { Mode::Chunk { left, last } } else { Mode::Commands };
        if left == 0 && last {
            self.end_message(at, true, emit);
        }
    }

    /// The message in transit is over at `at`; `ended` says that its end was seen.
    pub(super) fn end_message(&mut self, at: u64, ended: bool, emit: &mut Emit<'_>) {
        self.mode = if self.mode == Mode::Unsure { Mode::Unsure } else { Mode::Commands };
        let Some(mut message) = self.message.take() else { return };
        let lenient = message.lenient.take().and_then(LenientReader::finish);
        let span = Span::new(self.client, message.start, at);
        let complete = ended && message.missing == 0;
        let end = MessageEnd {
            transaction: message.transaction,
            transfer: message.transfer,
            size: message.size,
            complete,
            missing: message.missing,
        };
        if let Some(open) = self.ledger.transaction(message.transaction) {
            open.size = Some(end.size);
            open.chunks = message.chunks;
            open.complete = complete;
            open.missing = end.missing;
            open.message_span = Some(span);
            open.header = message.header.finish();
            open.lenient = lenient.clone();
        }
        if self.ledger.current == Some(message.transaction) {
            self.ledger.current = None;
        }
        emit(Event { span, kind: EventKind::MessageEnd(end) });
        if let Some(lenient) = &lenient {
            emit(Event { span: lenient.end_of_data, kind: EventKind::Lenient(lenient) });
            let left = lenient.replies_expected.saturating_sub(lenient.replies);
            self.smuggled = Some(Smuggled { transaction: message.transaction, left, answered: lenient.replies > 0 });
        }
        self.check_size(end.transaction, end.size, span, emit);
        if ended && message.transfer == Transfer::Data && !message.replied && !message.refused {
            let asked = Asked::Message { answered: 0 };
            let entry = Outstanding::new(self.summary.client_lines, asked, span);
            self.await_reply(Outstanding { transaction: Some(message.transaction), ..entry }, emit);
        } else if message.replied {
            self.end_transactions(message.transaction, span, emit);
        }
    }

    /// The octets that the search for the end holds back are text after all: nothing follows.
    pub(super) fn flush_message(&mut self, at: u64, emit: &mut Emit<'_>) {
        let client = self.client;
        if let Some(message) = &mut self.message
            && message.transfer == Transfer::Data
        {
            let held = message.search.held();
            message.search.after_gap();
            if !held.is_empty() {
                message.text(client, held);
                let span = Span::new(client, at.saturating_sub(held.len() as u64), at);
                emit(Event { span, kind: EventKind::MessageData { octets: held, even: None } });
            }
        }
    }

    /// Octets of the message in transit are missing.
    pub(super) fn message_gap(&mut self, missing: u64) {
        if let Some(message) = &mut self.message {
            message.missing = message.missing.saturating_add(missing);
            message.size = message.size.saturating_add(missing);
            if let Some(lenient) = &mut message.lenient {
                lenient.gap(missing);
            }
            message.lines.gap();
            message.even.forget();
            // A header with a hole could join two fields into one.
            message.header_over = true;
        }
    }
}
