//! What the client's octets do to the dialogue.

use super::auth::Exchange;
use super::dialogue::{Dialogue, Emit, Mode};
use super::event::{AuthLine, Event, EventKind, Transfer};
use super::ledger::{Asked, Outstanding};
use super::line::{Held, Line, LineEnd};
use super::proxy::{self, ClientClaim, ProxyHeader};
use super::summary::{ClientName, keep};
use super::{Anomaly, Command, Verb};
use crate::limits;
use crate::stream::Span;

impl Dialogue {
    /// The client's next octets; how many were taken.
    pub(super) fn client_data(&mut self, start: u64, bytes: &[u8], emit: &mut Emit<'_>) -> usize {
        let mut at = if self.prefix.is_some() { self.prefix_data(start, bytes, emit) } else { 0 };
        while at < bytes.len() {
            let rest = &bytes[at..];
            let here = start + at as u64;
            self.next[self.client.index()] = here;
            match self.mode {
                Mode::Message => at += self.message_data(here, rest, emit),
                Mode::Chunk { left, last } => at += self.chunk_data(here, rest, left, last, emit),
                Mode::Binary { start, left } => at += self.binary_data(here, rest.len() as u64, start, left, emit),
                Mode::AwaitMessage => {
                    self.begin_message(here, Transfer::Data, emit);
                    self.mode = Mode::Message;
                }
                _ if self.line.is_empty() && rest[0] == TLS_HANDSHAKE && self.client_begins_tls() => {
                    self.hand_over_by_client(emit);
                    return at;
                }
                _ => at += self.line_data(here, rest, emit),
            }
        }
        at
    }

    /// The client's first octets, as long as they may be the header of a proxy; how many were taken.
    fn prefix_data(&mut self, start: u64, bytes: &[u8], emit: &mut Emit<'_>) -> usize {
        let Some(mut held) = self.prefix.take() else { return 0 };
        let mut at = 0;
        while at < bytes.len() {
            let have = held.kept.len();
            if have < proxy::FIXED {
                if proxy::SIGNATURE.get(have).is_some_and(|expected| *expected != bytes[at]) {
                    // What looked like a header is lines.
                    let kept = held.take();
                    if !kept.is_empty() {
                        self.client_data(held.start, &kept, emit);
                    }
                    return at;
                }
                held.push(start + at as u64, &bytes[at..=at], limits::SMTP_LINE_OCTETS);
                at += 1;
                continue;
            }
            let whole = proxy::whole_length(&held.kept).unwrap_or_default();
            let left = whole.saturating_sub(held.length);
            let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len() - at);
            held.push(start + at as u64, &bytes[at..at + taken], limits::SMTP_LINE_OCTETS);
            at += taken;
            if held.length == whole {
                self.on_proxy(&held, emit);
                return at;
            }
        }
        if held.kept.len() >= proxy::FIXED && proxy::whole_length(&held.kept) == Some(held.length) {
            self.on_proxy(&held, emit);
        } else {
            self.prefix = Some(held);
        }
        at
    }

    fn on_proxy(&mut self, held: &Held, emit: &mut Emit<'_>) {
        let span = Span::new(self.client, held.start, held.start + held.length);
        match ProxyHeader::parse(&held.kept, span) {
            Some(header) => {
                emit(Event { span, kind: EventKind::Proxy(&header) });
                self.summary.proxy = Some(header);
            }
            None => emit(Event { span, kind: EventKind::Unparsed(&held.kept) }),
        }
    }

    /// Octets that XEXCH50 announced; how many were taken.
    fn binary_data(&mut self, at: u64, octets: u64, start: u64, left: u64, emit: &mut Emit<'_>) -> usize {
        let taken = left.min(octets);
        let (end, left) = (at + taken, left - taken);
        self.mode = Mode::Binary { start, left };
        if left == 0 {
            self.mode = Mode::Commands;
            let span = Span::new(self.client, start, end);
            emit(Event { span, kind: EventKind::Binary(Verb::XEXCH50) });
            let asked = Asked::Command(Verb::XEXCH50);
            self.await_reply(Outstanding::new(self.summary.client_lines, asked, span), emit);
        }
        usize::try_from(taken).unwrap_or(usize::MAX)
    }

    /// Octets of a line; how many were taken: up to its end, or all.
    fn line_data(&mut self, start: u64, bytes: &[u8], emit: &mut Emit<'_>) -> usize {
        let limit = limits::SMTP_LINE_OCTETS;
        let lf = memchr::memchr(b'\n', bytes);
        let piece = &bytes[..lf.map_or(bytes.len(), |lf| lf + 1)];
        let length = self.line.length.saturating_add(piece.len() as u64);
        if self.mode == Mode::DataPending && length > limits::SMTP_PEEK_OCTETS as u64 {
            self.begin_message_at_line(start, emit);
            return 0;
        }
        if lf.is_some() && self.line.is_empty() {
            let before = piece.len().checked_sub(2).map_or(0, |i| piece[i]);
            let line = Line::new(start, piece, length, before, limit);
            if self.mode == Mode::DataPending && !decides_for_command(&line) {
                self.begin_message_at_line(start, emit);
                return 0;
            }
            self.on_line(line, emit);
            return piece.len();
        }
        self.line.push(start, piece, limit);
        if lf.is_none() {
            if length > limits::SMTP_GIVE_UP_OCTETS {
                self.flush_line(emit);
                self.mode = Mode::Unsure;
            }
            return piece.len();
        }
        let (at, before) = (self.line.start, self.line.before_last());
        let line = Line::new(at, &self.line.kept, length, before, limit);
        if self.mode == Mode::DataPending && !decides_for_command(&line) {
            self.begin_message_at_line(start, emit);
            return piece.len();
        }
        let kept = self.line.take();
        self.line.reset(Vec::new());
        self.on_line(Line::new(at, &kept, length, before, limit), emit);
        self.line.reset(kept);
        piece.len()
    }

    /// The line that stands after DATA is message text: what is held of it, and what comes at
    /// `next`.
    pub(super) fn begin_message_at_line(&mut self, next: u64, emit: &mut Emit<'_>) {
        let (at, held) = if self.line.is_empty() { (next, Vec::new()) } else { (self.line.start, self.line.take()) };
        self.line.reset(Vec::new());
        self.begin_message(at, Transfer::Data, emit);
        self.mode = Mode::Message;
        // What is held has at most one LF, at its end: all of it is taken, dot line or not.
        self.message_data(at, &held, emit);
        self.line.reset(held);
    }

    fn on_line(&mut self, line: Line<'_>, emit: &mut Emit<'_>) {
        let span = Span::new(self.client, line.start, line.stop);
        if !line.text.starts_with(b"PROXY ") {
            self.seen.first_line.get_or_insert(span);
        }
        self.line_anomalies(&line, span, emit);
        if self.is_auth_line(&line) {
            return self.on_auth_line(&line, span, emit);
        }
        let index = self.summary.client_lines;
        let command = Command::parse(index, line.text, line.end);
        let command = match (self.mode, command) {
            (Mode::Unsure, Some(command)) if !command.is_plausible() => None,
            (_, command) => command,
        };
        let Some(command) = command else { return self.on_unparsed(&line, span, emit) };
        if self.mode == Mode::Unsure || self.mode == Mode::DataPending {
            self.mode = Mode::Commands;
        }
        self.on_command(command, span, emit);
    }

    fn on_unparsed(&mut self, line: &Line<'_>, span: Span, emit: &mut Emit<'_>) {
        emit(Event { span, kind: EventKind::Unparsed(line.text) });
        if self.mode == Mode::Unsure {
            // Perhaps the middle of a message, and this its end.
            if line.text == b"." {
                self.mode = Mode::Commands;
            }
            return;
        }
        emit(Event { span, kind: EventKind::Anomaly(Anomaly::NotACommand) });
        self.check_no_command(line.text, span, emit);
        let index = self.summary.client_lines;
        self.summary.client_lines += 1;
        self.await_reply(Outstanding::new(index, Asked::Unparsed, span), emit);
    }

    fn on_command(&mut self, command: Command<'_>, span: Span, emit: &mut Emit<'_>) {
        let index = self.summary.client_lines;
        self.summary.client_lines += 1;
        self.ends_lines_with_lf = command.end == LineEnd::Lf;
        emit(Event { span, kind: EventKind::Command(command) });
        if command.verb == Verb::PROXY {
            self.summary.proxy = ProxyHeader::parse_line(command.line, span);
            return;
        }
        self.turn_anomalies(span, emit);
        self.check_command(&command, span, emit);
        let verb = command.verb;
        if verb != Verb::BDAT && self.message.is_some() {
            self.abandon_chunks(verb, span, emit);
        }
        let asked = Asked::Command(verb);
        let mut entry = Outstanding { transaction: self.ledger.current, ..Outstanding::new(index, asked, span) };
        match verb {
            _ if verb.is_hello() => {
                self.summary.client_name =
                    Some(ClientName { verb, name: keep(command.argument), small: command.is_small(), span });
                self.summary.lmtp = verb == Verb::LHLO;
                self.leave_transaction();
            }
            Verb::RSET => self.leave_transaction(),
            Verb::QUIT => {
                self.summary.quit.get_or_insert(span);
            }
            _ if verb.is_mail() => entry.transaction = self.on_mail(&command, span, emit),
            Verb::RCPT => (entry.transaction, entry.recipient) = self.on_rcpt(&command, span, emit),
            Verb::DATA => {
                self.data_order(span, emit);
                entry.transaction = Some(self.transaction_for_message(span, emit));
                self.mode = Mode::DataPending;
            }
            Verb::BDAT => return self.on_bdat(&command, entry, span, emit),
            Verb::BURL => self.on_burl(&command, &mut entry, span, emit),
            Verb::XCLIENT | Verb::XFORWARD => {
                if self.summary.claims.len() < limits::SMTP_CLAIMS {
                    self.summary.claims.push(ClientClaim::read(&command, span));
                } else {
                    self.summary.claims_not_kept += 1;
                }
            }
            Verb::XEXCH50 => {
                let size = command.argument.split(|b| b.is_ascii_whitespace()).next();
                self.announced_binary = size.and_then(super::parameter::number);
            }
            Verb::STARTTLS | Verb::X_ANONYMOUSTLS => {
                self.summary.starttls.requested = Some(span);
                self.summary.starttls.small = command.is_small();
                self.summary.starttls.answered = None;
                self.seen.injection = false;
                self.seen.clear_by_judgement = false;
            }
            Verb::AUTH | Verb::X_EXPS => {
                self.end_exchange(None, emit);
                let exchange = Exchange::new(&command, span);
                self.tell_secret(exchange.attempt.reveals_secret(), span, emit);
                self.exchange = Some(exchange);
            }
            _ => {}
        }
        self.await_reply(entry, emit);
    }

    /// BURL (RFC 4468 §3.2): the server fetches a part of the message, perhaps the last one.
    fn on_burl(&mut self, command: &Command<'_>, entry: &mut Outstanding, span: Span, emit: &mut Emit<'_>) {
        self.data_order(span, emit);
        let index = match &self.message {
            Some(message) => message.transaction,
            None => self.transaction_for_message(span, emit),
        };
        entry.transaction = Some(index);
        if let Some(transaction) = self.ledger.transaction(index) {
            transaction.fetched += 1;
        }
        if !last_word_is_last(command.argument) {
            return;
        }
        entry.asked = Asked::LastChunk { verb: Verb::BURL, answered: 0 };
        self.end_message(span.start, true, emit);
        self.ledger.current = None;
    }

    /// A secret was said.
    fn tell_secret(&self, revealed: bool, span: Span, emit: &mut Emit<'_>) {
        if revealed && !self.sealed {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::PlainAuthInClear) });
        }
    }

    /// BDAT: the chunk follows at once, whatever the server replies (RFC 3030 §2).
    fn on_bdat(&mut self, command: &Command<'_>, mut entry: Outstanding, span: Span, emit: &mut Emit<'_>) {
        let Some((size, last)) = chunk_size(command.argument) else {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::BadBdat) });
            return self.await_reply(entry, emit);
        };
        if self.message.is_none() {
            self.data_order(span, emit);
            self.begin_message(span.end, Transfer::Bdat, emit);
        }
        if let Some(message) = &mut self.message {
            message.chunks += 1;
            entry.transaction = Some(message.transaction);
        }
        if last {
            entry.asked = Asked::LastChunk { verb: Verb::BDAT, answered: 0 };
        }
        self.await_reply(entry, emit);
        self.chunk_left(size, last, span.end, emit);
    }

    /// A command other than BDAT while a message sent by BDAT lacks its last chunk.
    fn abandon_chunks(&mut self, verb: Verb, span: Span, emit: &mut Emit<'_>) {
        let Some(message) = &self.message else { return };
        let refused = self.ledger.open.iter().any(|t| t.index == message.transaction && t.accepted == Some(false));
        if verb == Verb::NOOP || verb == Verb::BURL {
            return;
        }
        if !refused && verb != Verb::RSET {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::BdatWithoutLast) });
        }
        if verb == Verb::DATA {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::MixedTransfer) });
        }
        let transaction = message.transaction;
        self.end_message(span.start, false, emit);
        if !self.ledger.open.iter().any(|t| t.index == transaction && t.accepted.is_some()) {
            self.ledger.current = Some(transaction);
        }
    }

    fn data_order(&mut self, span: Span, emit: &mut Emit<'_>) {
        let whole = !self.seen.client_gap && self.summary.greeting.is_some();
        if whole && self.ledger.current().is_none_or(|t| t.recipients.is_empty()) {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::Order) });
        }
    }

    /// RSET or EHLO: the transaction is over when the server agrees.
    fn leave_transaction(&mut self) {
        if let Some(current) = self.ledger.current() {
            current.reset = true;
        }
        self.ledger.current = None;
    }

    /// Commands that came before it was the client's turn.
    fn turn_anomalies(&mut self, span: Span, emit: &mut Emit<'_>) {
        if self.starttls_outstanding() && !std::mem::replace(&mut self.seen.injection, true) {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::CommandInjection) });
        }
        let Some(last) = self.outstanding.back() else { return };
        // RFC 2920 §3.1: these end a group of pipelined commands.
        let must_wait = match last.asked {
            Asked::Command(verb) => MUST_WAIT.contains(&verb),
            Asked::Auth => true,
            _ => false,
        };
        let pipelining = self.summary.capability("PIPELINING").is_some() || self.summary.ehlo_reply.is_none();
        if self.summary.greeting.is_some() && last.index >= self.unsure_before && (must_wait || !pipelining) {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::PipeliningViolation) });
        }
    }

    fn line_anomalies(&mut self, line: &Line<'_>, span: Span, emit: &mut Emit<'_>) {
        let mut tell = |found: bool, anomaly| {
            if found {
                emit(Event { span, kind: EventKind::Anomaly(anomaly) });
            }
        };
        tell(line.too_long, Anomaly::TooLong);
        tell(line.end == LineEnd::Lf, Anomaly::BareLf);
        tell(line.end == LineEnd::CrCrlf, Anomaly::DoubledCr);
        tell(line.end == LineEnd::Missing, Anomaly::Truncated);
        tell(memchr::memchr(b'\r', line.text).is_some(), Anomaly::BareCr);
        tell(memchr::memchr(0, line.text).is_some(), Anomaly::Nul);
        tell(!line.text.is_ascii() && self.summary.capability("SMTPUTF8").is_none(), Anomaly::EightBit);
    }

    /// Whether a line is a SASL response: the server asked for it, or the client did not wait and
    /// the mechanism has another one coming.
    fn is_auth_line(&self, line: &Line<'_>) -> bool {
        if self.mode == Mode::Auth {
            return true;
        }
        let asked = matches!(
            self.outstanding.back().map(|o| o.asked),
            Some(Asked::Command(Verb::AUTH | Verb::X_EXPS) | Asked::Auth)
        );
        let expects = self.exchange.as_ref().is_some_and(Exchange::expects_line);
        let base64 = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
        asked
            && expects
            && (line.text == b"*" || line.text.iter().all(base64))
            && Command::parse(0, line.text, line.end).is_none_or(|c| !c.is_plausible())
    }

    fn on_auth_line(&mut self, line: &Line<'_>, span: Span, emit: &mut Emit<'_>) {
        let index = self.summary.client_lines;
        self.summary.client_lines += 1;
        if self.mode == Mode::Auth {
            self.mode = Mode::Commands;
        }
        let mut revealed = false;
        if let Some(exchange) = &mut self.exchange {
            let before = exchange.attempt.reveals_secret();
            exchange.line(line.text, span);
            revealed = !before && exchange.attempt.reveals_secret();
        }
        emit(Event { span, kind: EventKind::Auth(AuthLine { index, line: line.text, end: line.end }) });
        self.tell_secret(revealed, span, emit);
        self.await_reply(Outstanding::new(index, Asked::Auth, span), emit);
    }

    pub(super) fn await_reply(&mut self, entry: Outstanding, emit: &mut Emit<'_>) {
        let span = entry.span;
        if self.outstanding.len() >= limits::SMTP_OUTSTANDING {
            self.outstanding.pop_front();
            if self.seen.server {
                emit(Event { span, kind: EventKind::Anomaly(Anomaly::TooManyOutstanding) });
            }
        }
        self.outstanding.push_back(Outstanding { sent: self.now, ..entry });
    }

    pub(super) fn starttls_outstanding(&self) -> bool {
        self.outstanding.iter().any(|o| matches!(o.asked, Asked::Command(Verb::STARTTLS | Verb::X_ANONYMOUSTLS)))
    }

    /// Whether a TLS record of the client is to be expected, though no 220 was seen.
    fn client_begins_tls(&self) -> bool {
        !self.seen.clear_by_judgement && self.starttls_outstanding()
    }

    /// The client begins TLS: the server's 220 was not captured, or comes late.
    fn hand_over_by_client(&mut self, emit: &mut Emit<'_>) {
        self.handed_over[self.client.index()] = true;
        if let Some(span) = self.summary.starttls.requested {
            emit(Event { span, kind: EventKind::StartTls });
        }
    }

    pub(super) fn client_gap(&mut self, span: Span, emit: &mut Emit<'_>) {
        match self.mode {
            Mode::AwaitMessage => {
                self.begin_message(span.start, Transfer::Data, emit);
                self.mode = Mode::Message;
                self.message_gap(span.len());
            }
            Mode::Message => {
                self.flush_message(span.start, emit);
                self.message_gap(span.len());
                if self.message.as_ref().is_some_and(|m| m.replied) {
                    // The server had the end already: it is among what is missing.
                    self.mode = Mode::Unsure;
                    self.end_message(span.end, false, emit);
                }
            }
            Mode::Chunk { left, last } => {
                self.message_gap(span.len().min(left));
                if span.len() > left {
                    self.mode = Mode::Unsure;
                    if last {
                        self.end_message(span.start + left, true, emit);
                    }
                    self.mode = Mode::Unsure;
                } else {
                    self.chunk_left(left - span.len(), last, span.end, emit);
                }
            }
            Mode::Binary { start, left } if span.len() <= left => {
                self.mode = Mode::Binary { start, left: left - span.len() };
                self.binary_data(span.end, 0, start, left - span.len(), emit);
            }
            Mode::Unsure | Mode::Commands | Mode::Auth | Mode::DataPending | Mode::Binary { .. } => {
                self.flush_line(emit);
                self.mode = Mode::Unsure;
            }
        }
    }

    /// The client's line that has not ended never will.
    pub(super) fn flush_line(&mut self, emit: &mut Emit<'_>) {
        if self.line.is_empty() {
            return;
        }
        if self.mode == Mode::DataPending {
            return self.begin_message_at_line(self.line.start, emit);
        }
        let (at, length, before) = (self.line.start, self.line.length, self.line.before_last());
        let kept = self.line.take();
        self.line.reset(Vec::new());
        let too_long = length > limits::SMTP_LINE_OCTETS as u64;
        let line = Line::new(at, &kept, length, before, limits::SMTP_LINE_OCTETS);
        self.on_line(Line { end: LineEnd::Missing, too_long, ..line }, emit);
        self.line.reset(kept);
    }

    pub(super) fn finish_client(&mut self, emit: &mut Emit<'_>) {
        if let Some(mut held) = self.prefix.take().filter(|held| !held.is_empty()) {
            let kept = held.take();
            self.client_data(held.start, &kept, emit);
        }
        self.flush_line(emit);
        let at = self.next[self.client.index()];
        if self.mode == Mode::AwaitMessage {
            self.begin_message(at, Transfer::Data, emit);
            self.mode = Mode::Message;
        }
        if self.message.is_some() {
            let look_alike = self.message.as_ref().is_some_and(|m| m.ends_in_look_alike());
            let span = Span::new(self.client, at, at);
            if !look_alike {
                emit(Event { span, kind: EventKind::Anomaly(Anomaly::Truncated) });
            }
            self.flush_message(at, emit);
            self.mode = Mode::Unsure;
            self.end_message(at, false, emit);
        }
    }
}

/// Whether the first line after DATA shows that the client goes on with commands.
fn decides_for_command(line: &Line<'_>) -> bool {
    Command::parse(0, line.text, line.end).is_some_and(|command| command.is_plausible())
}

/// `BDAT`'s argument: a size and whether LAST follows (RFC 3030 §2).
fn chunk_size(argument: &[u8]) -> Option<(u64, bool)> {
    let mut words = argument.split(|b| b.is_ascii_whitespace()).filter(|w| !w.is_empty());
    let digits = std::str::from_utf8(words.next()?).ok()?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse().ok()?;
    match (words.next(), words.next()) {
        (None, _) => Some((size, false)),
        (Some(last), None) if last.eq_ignore_ascii_case(b"LAST") => Some((size, true)),
        _ => None,
    }
}

fn last_word_is_last(argument: &[u8]) -> bool {
    argument.rsplit(|&b| b == b' ').next().is_some_and(|w| w.eq_ignore_ascii_case(b"LAST"))
}

const MUST_WAIT: [Verb; 13] = [
    Verb::EHLO,
    Verb::DATA,
    Verb::VRFY,
    Verb::EXPN,
    Verb::TURN,
    Verb::QUIT,
    Verb::NOOP,
    Verb::HELO,
    Verb::LHLO,
    Verb::STARTTLS,
    Verb::AUTH,
    Verb::X_EXPS,
    Verb::XCLIENT,
];

/// A TLS record's first octet, when it begins a handshake (RFC 8446 §5.1): no command does.
const TLS_HANDSHAKE: u8 = 0x16;
