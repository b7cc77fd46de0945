//! What the server's octets do to the dialogue.

use super::dialogue::{Dialogue, Emit, Mode};
use super::event::{Event, EventKind};
use super::ledger::{Asked, Outstanding};
use super::line::split_end;
use super::reply::{LINE_HEAD, LineKind, Reply, ReplyTo, enhanced, is_contradicted, line_kind, lines};
use super::summary::{Greeting, StatusReply, keep};
use super::{Anomaly, Awaited, Verb};
use crate::limits;
use crate::stream::Span;

/// What the lines of a reply that has not ended said.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PartialReply {
    /// Lines before the one that has not ended.
    lines: u32,
    code: Option<u16>,
    mismatch: bool,
    malformed: bool,
    without_code: u32,
    /// Its end was never seen.
    cut: bool,
    /// The first octets of a line that comes in pieces.
    head: [u8; LINE_HEAD],
    head_length: usize,
}

/// What a line makes of the reply that it stands in.
enum Step {
    More,
    Last,
    /// It stands in none.
    Alone,
}

impl PartialReply {
    /// Takes the next octets of a line that has not ended.
    fn push(&mut self, bytes: &[u8]) {
        let room = LINE_HEAD - self.head_length;
        let taken = &bytes[..bytes.len().min(room)];
        self.head[self.head_length..self.head_length + taken.len()].copy_from_slice(taken);
        self.head_length += taken.len();
    }

    /// A line has ended, with `last` its last octets or all of it.
    fn line(&mut self, last: &[u8]) -> Step {
        let kind = if self.head_length == 0 {
            line_kind(&last[..last.len().min(LINE_HEAD)])
        } else {
            self.push(last);
            line_kind(&self.head[..self.head_length])
        };
        self.head_length = 0;
        self.step(kind)
    }

    fn step(&mut self, kind: LineKind) -> Step {
        let first = self.lines == 0;
        self.lines += 1;
        match kind {
            LineKind::More(code) => {
                self.see(code);
                Step::More
            }
            LineKind::Last(code) => {
                self.see(code);
                Step::Last
            }
            LineKind::Malformed(code) => {
                self.see(code);
                self.malformed = true;
                Step::Last
            }
            LineKind::StatusAlone if first => {
                self.malformed = true;
                Step::Last
            }
            LineKind::StatusAlone | LineKind::Other if !first => {
                self.malformed = true;
                self.without_code += 1;
                if self.without_code > limits::SMTP_REPLY_LINES_WITHOUT_CODE { Step::Last } else { Step::More }
            }
            LineKind::StatusAlone | LineKind::Other => Step::Alone,
        }
    }

    fn see(&mut self, code: u16) {
        self.mismatch |= self.code.is_some_and(|before| before != code);
        self.code = Some(code);
    }
}

impl Dialogue {
    /// The server's next octets; how many were taken.
    pub(super) fn server_data(&mut self, start: u64, bytes: &[u8], emit: &mut Emit<'_>) -> usize {
        // Where the reply begins that has not ended, and its last line.
        let (mut unit, mut at) = (0, 0);
        loop {
            if self.held_reply.is_empty()
                && unit == at
                && bytes.get(at) == Some(&TLS_HANDSHAKE)
                && self.server_begins_tls(emit)
            {
                return at;
            }
            let Some(lf) = memchr::memchr(b'\n', &bytes[at..]) else { break };
            let end = at + lf + 1;
            let step = self.partial.line(&bytes[at..end]);
            at = end;
            if matches!(step, Step::More) {
                continue;
            }
            let partial = std::mem::take(&mut self.partial);
            let alone = matches!(step, Step::Alone);
            let stop = if self.held_reply.is_empty() {
                let span = Span::new(self.client.reversed(), start + unit as u64, start + end as u64);
                let octets = &bytes[unit..end];
                let kept = &octets[..octets.len().min(limits::SMTP_REPLY_OCTETS)];
                self.on_server_unit(kept, span, partial, alone, emit)
            } else {
                self.held_reply.push(start + unit as u64, &bytes[unit..end], limits::SMTP_REPLY_OCTETS);
                self.on_held_reply(partial, alone, emit)
            };
            unit = end;
            if stop {
                return end;
            }
        }
        if unit < bytes.len() {
            self.held_reply.push(start + unit as u64, &bytes[unit..], limits::SMTP_REPLY_OCTETS);
            self.partial.push(&bytes[at..]);
            if self.held_reply.length > limits::SMTP_GIVE_UP_OCTETS {
                self.flush_reply(emit);
            }
        }
        bytes.len()
    }

    /// The reply that has not ended never will.
    pub(super) fn flush_reply(&mut self, emit: &mut Emit<'_>) {
        if self.held_reply.is_empty() {
            return;
        }
        let mut partial = std::mem::take(&mut self.partial);
        let in_line = partial.head_length > 0;
        let alone = in_line && matches!(partial.line(b""), Step::Alone);
        let span = self.held_span();
        self.on_held_reply(PartialReply { cut: true, ..partial }, alone, emit);
        emit(Event { span, kind: EventKind::Anomaly(Anomaly::Truncated) });
    }

    fn held_span(&self) -> Span {
        let start = self.held_reply.start;
        Span::new(self.client.reversed(), start, start.saturating_add(self.held_reply.length))
    }

    fn on_held_reply(&mut self, partial: PartialReply, alone: bool, emit: &mut Emit<'_>) -> bool {
        let span = self.held_span();
        let octets = self.held_reply.take();
        self.held_reply.reset(Vec::new());
        let stop = self.on_server_unit(&octets, span, partial, alone, emit);
        self.held_reply.reset(octets);
        stop
    }

    /// A reply, or a line that is none; whether TLS follows.
    fn on_server_unit(
        &mut self,
        octets: &[u8],
        span: Span,
        partial: PartialReply,
        alone: bool,
        emit: &mut Emit<'_>,
    ) -> bool {
        let mut tell = |found: bool, anomaly| {
            if found {
                emit(Event { span, kind: EventKind::Anomaly(anomaly) });
            }
        };
        tell(span.len() > octets.len() as u64, Anomaly::TooLong);
        tell(memchr::memchr(0, octets).is_some(), Anomaly::Nul);
        if alone {
            tell(true, Anomaly::NotAReply);
            emit(Event { span, kind: EventKind::Unparsed(split_end(octets).0) });
            return false;
        }
        tell(partial.mismatch, Anomaly::CodeMismatch);
        tell(partial.malformed, Anomaly::MalformedReply);
        tell(partial.code.is_some_and(|code| !(200..600).contains(&code)), Anomaly::UnknownCode);
        tell(octets.ends_with(b"\n") && !octets.ends_with(b"\r\n"), Anomaly::BareLf);
        tell(octets.ends_with(b"\r\r\n"), Anomaly::DoubledCr);
        let long = |line: &[u8]| line.len() > limits::SMTP_REPLY_LINE_OCTETS && !line.starts_with(b"334");
        let cut = span.len() > octets.len() as u64;
        tell(!cut && octets.split_inclusive(|&b| b == b'\n').any(long), Anomaly::TooLong);
        let status = StatusReply { code: partial.code, enhanced: enhanced(partial.code, octets), waited: None, span };
        self.on_reply(octets, status, !partial.cut, emit)
    }

    fn on_reply(&mut self, octets: &[u8], status: StatusReply, complete: bool, emit: &mut Emit<'_>) -> bool {
        let span = status.span;
        let first = self.summary.replies == 0;
        self.summary.replies += 1;
        self.seen.lone_220 = None;
        let entry = if first && self.is_greeting(status.code) {
            None
        } else if self.answers_smuggled(status.code, span, emit) {
            let reply = Reply {
                code: status.code,
                octets,
                enhanced: status.enhanced,
                to: ReplyTo::Unasked,
                waited: None,
                complete,
            };
            emit(Event { span, kind: EventKind::Reply(reply) });
            return false;
        } else {
            self.reply_inside_message(span, emit);
            self.take_outstanding(status.code)
        };
        let to = match &entry {
            Some(entry) => self.reply_to(entry),
            None if first && self.is_greeting(status.code) => ReplyTo::Greeting,
            // RFC 5321 §3.8: a server that shuts down may say so at any time.
            None if status.code == Some(421) => ReplyTo::Unasked,
            None => match self.message_replied_early() {
                Some(transaction) => ReplyTo::Message { transaction, recipient: None },
                None => ReplyTo::Unasked,
            },
        };
        let awaited = match (&entry, to) {
            (Some(entry), _) if entry.index >= self.unsure_before => Some((Awaited::of(entry.asked), entry.sent)),
            (None, ReplyTo::Greeting) => Some((Awaited::Greeting, self.opened)),
            _ => None,
        };
        let waited = awaited.and_then(|(awaited, since)| self.waited(since).map(|waited| (awaited, waited)));
        let status = StatusReply { waited: waited.map(|(_, waited)| waited), ..status };
        let (code, enhanced, waited_for) = (status.code, status.enhanced, status.waited);
        emit(Event {
            span,
            kind: EventKind::Reply(Reply { code, octets, enhanced, to, waited: waited_for, complete }),
        });
        let hello = matches!(to, ReplyTo::Command { verb, .. } if verb.is_hello());
        // RFC 2034 §3: neither the greeting nor the reply to EHLO or HELO has an enhanced status.
        if !hello && to != ReplyTo::Greeting && code.is_some_and(|code| is_contradicted(code, octets)) {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::StatusMismatch) });
        }
        if waited.is_some_and(|(awaited, waited)| self.count_wait(awaited, waited, span)) {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::Stall) });
        }
        self.check_blocklist(status, octets, emit);
        match (entry, to) {
            (Some(entry), _) => self.settle(entry, status, octets, emit),
            (None, ReplyTo::Greeting) => {
                self.on_greeting(octets, status, emit);
                false
            }
            (None, ReplyTo::Message { transaction, .. }) => {
                self.decide(transaction, status, octets);
                false
            }
            (None, _) => {
                self.on_unasked(octets, status, emit);
                false
            }
        }
    }

    /// Whether a first reply is a greeting: 220, or a refusal before any command.
    fn is_greeting(&self, code: Option<u16>) -> bool {
        match code {
            Some(220) => !self.starttls_outstanding() || self.outstanding.len() > 1,
            Some(code) => code >= 400 && self.outstanding.is_empty() && self.message.is_none(),
            None => false,
        }
    }

    fn on_greeting(&mut self, octets: &[u8], status: StatusReply, emit: &mut Emit<'_>) {
        self.summary.greeting =
            Some(Greeting { code: status.code.unwrap_or(0), text: keep(first_text(octets)), span: status.span });
        if self.mode == Mode::Unsure && self.line.is_empty() {
            self.mode = Mode::Commands;
        }
        if let Some(span) = self.seen.first_line {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::EarlyTalker) });
        }
    }

    fn on_unasked(&mut self, octets: &[u8], status: StatusReply, emit: &mut Emit<'_>) {
        let span = status.span;
        match status.code {
            Some(421) => {
                if let Some(index) = self.message_replied_early() {
                    self.decide(index, status, octets);
                }
            }
            Some(354) if self.seen.client && matches!(self.mode, Mode::Unsure | Mode::Commands) => {
                self.await_message(emit)
            }
            Some(220) => self.seen.lone_220 = Some(span),
            _ => {}
        }
        let whole =
            self.seen.client && !self.seen.client_gap && !self.seen.server_gap && self.summary.greeting.is_some();
        if whole && status.code != Some(421) {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::ReplyOrphan) });
        }
    }

    /// A reply while the client still sends a message, and nothing else is outstanding: either the
    /// server has found an end that a strict reading has not, or the end is among what is missing.
    fn reply_inside_message(&mut self, span: Span, emit: &mut Emit<'_>) {
        let at = self.next[self.client.index()];
        let Some(message) = &mut self.message else { return };
        if self.mode != Mode::Message || !self.outstanding.is_empty() || message.replied {
            return;
        }
        if message.ends_in_look_alike() {
            let dot_line = Span::new(self.client, at.saturating_sub(3).max(message.start), at);
            emit(Event { span: dot_line, kind: EventKind::Anomaly(Anomaly::BareLfEndOfData) });
            self.end_message(at, true, emit);
        } else if message.missing > 0 {
            self.flush_message(at, emit);
            self.mode = Mode::Unsure;
            let transaction = self.message.as_ref().map(|m| m.transaction);
            self.end_message(at, false, emit);
            let index = self.summary.client_lines;
            let asked = Asked::Message { answered: 0 };
            let end = Span::new(self.client, at, at);
            self.await_reply(Outstanding { transaction, ..Outstanding::new(index, asked, end) }, emit);
            if let Some(entry) = self.outstanding.back_mut() {
                entry.sent = None;
            }
        } else {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::EarlyReply) });
        }
    }

    /// The transaction whose message was replied to before its end.
    fn message_replied_early(&mut self) -> Option<u64> {
        match (&mut self.message, self.mode) {
            (Some(message), Mode::Message) if !message.replied => {
                message.replied = true;
                Some(message.transaction)
            }
            (None, Mode::AwaitMessage) => self.ledger.current,
            _ => None,
        }
    }

    /// The client line that a reply answers: the oldest outstanding one, unless replies are
    /// missing or the code names another.
    fn take_outstanding(&mut self, code: Option<u16>) -> Option<Outstanding> {
        let is = |wanted: fn(&Asked) -> bool| self.outstanding.iter().position(|o| wanted(&o.asked));
        let named = match code {
            Some(354) => is(|a| matches!(a, Asked::Command(Verb::DATA))),
            Some(334 | 235) => is(|a| matches!(a, Asked::Command(Verb::AUTH | Verb::X_EXPS) | Asked::Auth)),
            Some(221) if self.seen.server_gap => is(|a| matches!(a, Asked::Command(Verb::QUIT))),
            _ => None,
        };
        let unsure = self.outstanding.iter().take_while(|o| o.index < self.unsure_before).count();
        let at = match named {
            Some(named) => named,
            // Lines sent after replies went missing tell that those before were answered.
            None if unsure < self.outstanding.len() => unsure,
            None => unsure.saturating_sub(1),
        };
        self.outstanding.drain(..at.min(self.outstanding.len()));
        self.outstanding.pop_front()
    }

    fn reply_to(&mut self, entry: &Outstanding) -> ReplyTo {
        let index = entry.index;
        match entry.asked {
            Asked::Command(verb) => ReplyTo::Command { index, verb },
            Asked::Auth => ReplyTo::Auth { index },
            Asked::Unparsed => ReplyTo::Unparsed { index },
            Asked::LastChunk { verb, .. } if !self.summary.lmtp => ReplyTo::Command { index, verb },
            Asked::LastChunk { answered, .. } | Asked::Message { answered } => {
                let transaction = entry.transaction.unwrap_or(0);
                let recipient = self.summary.lmtp.then(|| self.nth_accepted(transaction, answered)).flatten();
                ReplyTo::Message { transaction, recipient }
            }
        }
    }

    pub(super) fn nth_accepted(&mut self, transaction: u64, nth: u64) -> Option<u64> {
        let transaction = self.ledger.transaction(transaction)?;
        let accepted = transaction.recipients.iter().enumerate().filter(|(_, r)| r.accepted == Some(true));
        accepted.map(|(i, _)| i as u64).nth(usize::try_from(nth).ok()?)
    }

    /// The server sends a TLS record: only where the client's STARTTLS was not seen, or its hello
    /// was seen before.
    fn server_begins_tls(&mut self, emit: &mut Emit<'_>) -> bool {
        if self.seen.clear_by_judgement {
            return false;
        }
        if self.handed_over[self.client.index()] {
            self.handed_over = [true; 2];
            return true;
        }
        let Some(span) = self.seen.lone_220 else { return false };
        emit(Event { span, kind: EventKind::StartTls });
        self.leave_clear_text(span, emit);
        true
    }
}

/// The text of a reply's first line, after the code.
pub(super) fn first_text(octets: &[u8]) -> &[u8] {
    lines(octets).next().and_then(|line| line.get(4..)).unwrap_or_default().trim_ascii()
}

/// A TLS record's first octet, when it begins a handshake (RFC 8446 §5.1): no reply does.
const TLS_HANDSHAKE: u8 = 0x16;
