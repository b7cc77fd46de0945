//! What each reply decides about the line that it answers, and about the transaction behind it.

use super::capability::is_masked;
use super::dialogue::{Dialogue, Emit, Mode, Offers};
use super::event::{Event, EventKind, Transfer};
use super::ledger::{Asked, Outstanding};
use super::line::split_end;
use super::reply::lines;
use super::server::first_text;
use super::summary::{EhloKeyword, StatusReply, keep};
use super::{Anomaly, Verb};
use crate::limits;
use crate::stream::Span;

impl Dialogue {
    /// What a reply means for the line that it answers; whether TLS follows.
    pub(super) fn settle(
        &mut self,
        entry: Outstanding,
        status: StatusReply,
        octets: &[u8],
        emit: &mut Emit<'_>,
    ) -> bool {
        let span = status.span;
        match entry.asked {
            Asked::Message { answered } | Asked::LastChunk { answered, .. } => {
                self.settle_message(entry, answered, status, octets, emit)
            }
            Asked::Auth | Asked::Command(Verb::AUTH | Verb::X_EXPS) => self.settle_auth(status, octets, emit),
            Asked::Command(Verb::STARTTLS | Verb::X_ANONYMOUSTLS) => return self.settle_starttls(status, emit),
            Asked::Command(Verb::DATA) => self.settle_data(entry, status, octets, emit),
            Asked::Command(Verb::BDAT | Verb::BURL) => {
                if status.is_positive() == Some(false)
                    && let Some(index) = entry.transaction
                {
                    self.decide(index, status, octets);
                }
            }
            Asked::Command(Verb::RCPT) => {
                let recipient = entry.transaction.and_then(|index| self.ledger.transaction(index)).zip(entry.recipient);
                if let Some(recipient) = recipient.and_then(|(t, nth)| t.recipients.get_mut(nth)) {
                    recipient.accepted = status.is_positive();
                    recipient.code = status.code;
                    recipient.enhanced = status.enhanced;
                    recipient.waited = status.waited;
                    recipient.reply_span = Some(span);
                }
                self.count_recipient(status, emit);
            }
            Asked::Command(Verb::XCLIENT | Verb::XFORWARD) => self.settle_claim(entry, status, emit),
            Asked::Command(Verb::XEXCH50) if status.code == Some(354) => {
                if let Some(left) = self.announced_binary.take().filter(|_| self.mode == Mode::Commands) {
                    self.mode = Mode::Binary { start: self.next[self.client.index()], left };
                }
            }
            Asked::Command(Verb::RSET | Verb::QUIT) => self.end_transactions_of(entry, span, emit),
            Asked::Command(verb) if verb.is_mail() => self.settle_mail(entry, status, emit),
            Asked::Command(verb) if verb.is_hello() => {
                self.end_transactions_of(entry, span, emit);
                match (verb, status.is_positive()) {
                    (Verb::HELO, Some(true)) => self.offers = Offers::Nothing,
                    (_, Some(true)) => self.read_capabilities(octets, status, emit),
                    _ => {}
                }
            }
            Asked::Command(_) | Asked::Unparsed => {}
        }
        false
    }

    fn end_transactions_of(&mut self, entry: Outstanding, span: Span, emit: &mut Emit<'_>) {
        if let Some(index) = entry.transaction {
            self.end_transactions(index, span, emit);
        }
    }

    /// XCLIENT: the server forgets what it knew of the client, and greets it anew.
    fn settle_claim(&mut self, entry: Outstanding, status: StatusReply, emit: &mut Emit<'_>) {
        if let Some(claim) = self.summary.claims.iter_mut().rfind(|claim| claim.span == entry.span) {
            claim.accepted = status.is_positive();
        }
        if entry.asked == Asked::Command(Verb::XCLIENT) && status.is_positive() == Some(true) {
            self.end_transactions(u64::MAX, status.span, emit);
            self.offers = Offers::Unknown;
        }
    }

    fn settle_mail(&mut self, entry: Outstanding, status: StatusReply, emit: &mut Emit<'_>) {
        if let Some((mut second, _)) = self.ledger.second.take_if(|(_, index)| *index == entry.index) {
            if status.is_positive() == Some(true) {
                self.end_transactions_of(entry, status.span, emit);
                second.mail_reply = Some(status);
                self.open_transaction(*second, status.span, emit);
            }
            return;
        }
        if let Some(transaction) = entry.transaction.and_then(|index| self.ledger.transaction(index)) {
            transaction.mail_reply = Some(status);
        }
    }

    fn settle_data(&mut self, entry: Outstanding, status: StatusReply, octets: &[u8], emit: &mut Emit<'_>) {
        let Some(index) = entry.transaction else { return };
        let mut sent = false;
        let ahead = self.message.as_ref().map(|m| m.start).filter(|_| self.mode == Mode::Message);
        if let Some(transaction) = self.ledger.transaction(index) {
            transaction.data_reply = Some(status);
            sent = transaction.transfer == Some(Transfer::Data);
        }
        if status.code.is_some_and(|code| code / 100 == 3) {
            let start = match self.ledger.transaction(index).and_then(|t| t.message_span) {
                Some(message) if sent => Some(message.start),
                _ => ahead,
            };
            // RFC 2920 §3.1: the message has to wait for 354.
            if let Some(start) = start.filter(|_| entry.index >= self.unsure_before && !self.seen.client_gap) {
                let span = Span::new(self.client, start, start);
                emit(Event { span, kind: EventKind::Anomaly(Anomaly::PipeliningViolation) });
            }
            if !sent && self.message.is_none() {
                // Commands that the client sent behind DATA were message text to the server.
                self.outstanding.clear();
                self.ledger.current = Some(index);
                self.await_message(emit);
            }
            return;
        }
        if self.mode == Mode::DataPending {
            self.mode = Mode::Commands;
        }
        self.decide(index, status, octets);
        if sent {
            emit(Event { span: status.span, kind: EventKind::Anomaly(Anomaly::DataAfterRefusal) });
            if let Some(message) = self.message.as_mut().filter(|m| m.transaction == index) {
                message.refused = true;
            }
            // The server reads the message's lines as commands: how many replies come is not known.
            self.outstanding.retain(|o| !(o.transaction == Some(index) && matches!(o.asked, Asked::Message { .. })));
            self.unsure_before = self.summary.client_lines;
        }
    }

    /// 354 came: the client's next octets are a message.
    pub(super) fn await_message(&mut self, emit: &mut Emit<'_>) {
        self.mode = Mode::AwaitMessage;
        if !self.line.is_empty() {
            self.begin_message_at_line(self.line.start, emit);
        }
    }

    fn settle_message(
        &mut self,
        entry: Outstanding,
        answered: u64,
        status: StatusReply,
        octets: &[u8],
        emit: &mut Emit<'_>,
    ) {
        let Some(index) = entry.transaction else { return };
        let lmtp = self.summary.lmtp;
        let nth = if lmtp { self.nth_accepted(index, answered) } else { None };
        let mut more = false;
        if let Some(transaction) = self.ledger.transaction(index) {
            let recipient = nth.and_then(|nth| transaction.recipients.get_mut(usize::try_from(nth).ok()?));
            if let Some(recipient) = recipient {
                recipient.delivered = Some(status);
                more = answered + 1 < transaction.accepted_recipients();
            }
        }
        self.decide(index, status, octets);
        if !more {
            return self.end_transactions(index, status.span, emit);
        }
        let answered = answered + 1;
        let asked = match entry.asked {
            Asked::LastChunk { verb, .. } => Asked::LastChunk { verb, answered },
            _ => Asked::Message { answered },
        };
        self.outstanding.push_front(Outstanding { asked, ..entry });
    }

    /// Whether the server took a message: with LMTP, once it took it for one recipient.
    pub(super) fn decide(&mut self, transaction: u64, status: StatusReply, octets: &[u8]) {
        let lmtp = self.summary.lmtp;
        let Some(transaction) = self.ledger.transaction(transaction) else { return };
        if lmtp && transaction.accepted == Some(true) {
            return;
        }
        transaction.accepted = status.is_positive();
        transaction.reply = Some(status);
        transaction.reply_text = keep(lines(octets).next().unwrap_or_default());
    }

    fn settle_auth(&mut self, status: StatusReply, octets: &[u8], emit: &mut Emit<'_>) {
        if status.code == Some(334) {
            if let Some(exchange) = &mut self.exchange {
                exchange.challenge(first_text(octets));
            }
            let ahead = self.outstanding.iter().any(|o| o.asked == Asked::Auth);
            if !ahead && matches!(self.mode, Mode::Commands | Mode::Unsure) {
                self.mode = Mode::Auth;
            }
            return;
        }
        if self.mode == Mode::Auth {
            self.mode = Mode::Commands;
        }
        self.end_exchange(Some(status), emit);
    }

    /// The SASL exchange, if there is one, is over.
    pub(super) fn end_exchange(&mut self, status: Option<StatusReply>, emit: &mut Emit<'_>) {
        let Some(exchange) = self.exchange.take() else { return };
        if let Some(status) = status {
            self.count_login(status, emit);
            if status.is_positive() == Some(true) {
                // RFC 4954 §4: what is offered after a login may be something else.
                self.seen.offers_may_change = true;
            }
        }
        let mut attempt = exchange.attempt;
        attempt.code = status.and_then(|s| s.code);
        attempt.succeeded = status.and_then(|s| s.is_positive());
        attempt.reply_span = status.map(|s| s.span);
        if self.summary.auth.len() < limits::SMTP_AUTH_ATTEMPTS {
            self.summary.auth.push(attempt);
        } else {
            self.summary.auth_not_kept += 1;
        }
    }

    fn settle_starttls(&mut self, status: StatusReply, emit: &mut Emit<'_>) -> bool {
        self.summary.starttls.answered = Some(status);
        if status.code != Some(220) {
            emit(Event { span: status.span, kind: EventKind::Anomaly(Anomaly::StartTlsRefused) });
            return false;
        }
        self.flush_line(emit);
        if !self.handed_over[self.client.index()] {
            emit(Event { span: status.span, kind: EventKind::StartTls });
        }
        self.leave_clear_text(status.span, emit);
        true
    }

    /// RFC 3207 §4.2: all that was said before is forgotten.
    pub(super) fn leave_clear_text(&mut self, span: Span, emit: &mut Emit<'_>) {
        self.handed_over = [true; 2];
        self.end_transactions(u64::MAX, span, emit);
        self.outstanding.clear();
        self.offers = Offers::Unknown;
        self.mode = Mode::Commands;
    }

    fn read_capabilities(&mut self, octets: &[u8], status: StatusReply, emit: &mut Emit<'_>) {
        let direction = status.span.direction;
        self.summary.ehlo_reply = Some(status);
        self.summary.ehlo_salute = keep(first_text(octets));
        let before = std::mem::take(&mut self.summary.capabilities);
        let starttls = &mut self.summary.starttls;
        (starttls.offered, starttls.masked) = (None, None);
        let mut at = status.span.start;
        for (nth, line) in octets.split_inclusive(|&b| b == b'\n').enumerate() {
            let span = Span::new(direction, at, at.saturating_add(line.len() as u64));
            at = span.end;
            let text = split_end(line).0.get(4..).unwrap_or_default().trim_ascii();
            if nth == 0 || text.is_empty() || self.summary.capabilities.len() >= limits::SMTP_CAPABILITIES {
                continue;
            }
            let end = text.iter().position(|b| b.is_ascii_whitespace() || *b == b'=').unwrap_or(text.len());
            let (keyword, parameters) = text.split_at(end);
            let starttls = &mut self.summary.starttls;
            if keyword.eq_ignore_ascii_case(b"STARTTLS") {
                starttls.offered.get_or_insert(span);
            } else if is_masked(keyword) {
                starttls.masked.get_or_insert(span);
                emit(Event { span, kind: EventKind::Anomaly(Anomaly::StartTlsMasked) });
            }
            let legacy = parameters.starts_with(b"=");
            let parameters = keep(parameters.strip_prefix(b"=").unwrap_or(parameters).trim_ascii());
            let keyword = EhloKeyword { keyword: keep(keyword), parameters, legacy, span };
            self.summary.capabilities.push(keyword);
        }
        if !self.sealed {
            self.check_offered(emit);
        }
        if self.offers == Offers::Listed {
            self.check_changed(before, status, emit);
        }
        self.offers = Offers::Listed;
        self.seen.offers_may_change = false;
    }

    /// What a server should not offer to a client that anyone can listen to.
    fn check_offered(&self, emit: &mut Emit<'_>) {
        let offers = &self.summary.capabilities;
        if let Some(offer) = self.summary.capability("REQUIRETLS") {
            emit(Event { span: offer.span, kind: EventKind::Anomaly(Anomaly::RequireTlsInClear) });
        }
        let plain = |offer: &&EhloKeyword| REUSABLE.iter().any(|m| offer.meaning().offers_mechanism(m));
        // With STARTTLS beside it the client has a choice.
        if let Some(offer) = offers.iter().find(plain).filter(|_| self.summary.starttls.offered.is_none()) {
            emit(Event { span: offer.span, kind: EventKind::Anomaly(Anomaly::PlainAuthOffered) });
        }
    }

    /// Whether the server offers something else than it did before in the same phase.
    fn check_changed(&mut self, before: Vec<EhloKeyword>, status: StatusReply, emit: &mut Emit<'_>) {
        let same = |a: &EhloKeyword, b: &EhloKeyword| {
            a.keyword.eq_ignore_ascii_case(&b.keyword) && a.parameters == b.parameters
        };
        let holds = |all: &[EhloKeyword], one: &EhloKeyword| all.iter().any(|other| same(one, other));
        let now = &self.summary.capabilities;
        let changed = before.iter().any(|one| !holds(now, one)) || now.iter().any(|one| !holds(&before, one));
        if !changed {
            return;
        }
        if !self.seen.offers_may_change {
            emit(Event { span: status.span, kind: EventKind::Anomaly(Anomaly::OfferChanged) });
        }
        if self.summary.earlier_offers.len() < limits::SMTP_OFFERS {
            self.summary.earlier_offers.push(before);
        }
    }
}

/// Mechanisms whose messages can be used by whoever reads them.
const REUSABLE: [&[u8]; 4] = [b"PLAIN", b"LOGIN", b"XOAUTH2", b"OAUTHBEARER"];
