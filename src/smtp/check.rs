//! Whether a command keeps to what the server offered, to the order of commands, and to the limits
//! of RFC 5321; and what many commands together are.

use super::command::parameters;
use super::dialogue::{Dialogue, Emit, Offers};
use super::event::{Event, EventKind};
use super::{Anomaly, Capability, Command, Path, Verb};
use super::{ParameterValue, StatusReply};
use crate::limits;
use crate::stream::Span;

/// What happened how often, for findings that only a number makes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    mails: u64,
    probes: u64,
    unknown_recipients: u64,
    known_recipients: u64,
    refused_logins: u64,
    told_recipients: bool,
    told_blocklist: bool,
    told_other_protocol: bool,
}

impl Dialogue {
    /// Looks at a command, before it changes anything.
    pub(super) fn check_command(&mut self, command: &Command<'_>, span: Span, emit: &mut Emit<'_>) {
        let mut tell = |found: bool, anomaly| {
            if found {
                emit(Event { span, kind: EventKind::Anomaly(anomaly) });
            }
        };
        let verb = command.verb;
        let extended = command.path().is_some() || LONG.contains(&verb);
        let limit = match verb {
            Verb::AUTH | Verb::X_EXPS => u64::MAX,
            _ if extended => limits::SMTP_EXTENDED_COMMAND_OCTETS,
            _ => limits::SMTP_COMMAND_OCTETS,
        };
        tell(span.len() > limit && span.len() <= limits::SMTP_LINE_OCTETS as u64, Anomaly::TooLong);
        let whole = !self.seen.client_gap && self.summary.greeting.is_some();
        tell(whole && verb.is_mail() && self.summary.client_name.is_none(), Anomaly::Order);
        let in_transaction = self.ledger.current.is_some();
        tell(whole && in_transaction && matches!(verb, Verb::AUTH | Verb::STARTTLS), Anomaly::Order);
        tell(self.summary.quit.is_some(), Anomaly::Order);
        if matches!(verb, Verb::VRFY | Verb::EXPN) {
            self.tally.probes += 1;
            tell(self.tally.probes == limits::SMTP_PROBES, Anomaly::AddressProbing);
        }
        if !verb.is_known() && is_http(command.line) {
            tell(!std::mem::replace(&mut self.tally.told_other_protocol, true), Anomaly::OtherProtocol);
        }
        self.check_offer(command, span, emit);
        if let Some(path) = command.path() {
            self.check_path(command, &path, span, emit);
        }
    }

    /// Octets that begin a TLS record stand where a command should.
    pub(super) fn check_no_command(&mut self, line: &[u8], span: Span, emit: &mut Emit<'_>) {
        let other = matches!(line, [0x16, 0x03, ..]) || is_http(line);
        if other && !std::mem::replace(&mut self.tally.told_other_protocol, true) {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::OtherProtocol) });
        }
    }

    /// A verb, or a mechanism of AUTH, that the server has not offered.
    fn check_offer(&mut self, command: &Command<'_>, span: Span, emit: &mut Emit<'_>) {
        let Some((_, keyword)) = OFFERED.iter().find(|(verb, _)| *verb == command.verb) else { return };
        let mechanism = command.argument.split(|b| b.is_ascii_whitespace()).next().unwrap_or_default();
        let offered = match command.verb {
            Verb::AUTH if !mechanism.is_empty() => self.offers_mechanism(mechanism),
            _ => self.offers(keyword),
        };
        if offered == Some(false) {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::Unadvertised) });
        }
    }

    fn check_path(&mut self, command: &Command<'_>, path: &Path<'_>, span: Span, emit: &mut Emit<'_>) {
        let domain = path.domain().unwrap_or_default();
        let long = path.local_part().len() > limits::SMTP_LOCAL_PART_OCTETS
            || domain.len() > limits::SMTP_DOMAIN_OCTETS
            || path.address.len() + 2 > limits::SMTP_PATH_OCTETS;
        if long {
            let span = part(command.line, path.address, span);
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::AddressTooLong) });
        }
        for parameter in parameters(path.parameters) {
            let span = part(command.line, parameter.keyword, span);
            let span =
                Span::new(span.direction, span.start, span.end + parameter.value.map_or(0, |v| v.len() as u64 + 1));
            let meaning = parameter.meaning();
            let mut tell = |found: bool, anomaly| {
                if found {
                    emit(Event { span, kind: EventKind::Anomaly(anomaly) });
                }
            };
            tell(meaning == ParameterValue::Malformed, Anomaly::BadParameter);
            tell(parameter.extension().and_then(|keyword| self.offers(keyword)) == Some(false), Anomaly::Unadvertised);
            tell(meaning == ParameterValue::RequireTls && !self.sealed, Anomaly::RequireTlsInClear);
            if let (ParameterValue::Size(size), Some(limit)) = (&meaning, self.size_limit()) {
                tell(*size > limit, Anomaly::OverLimit);
            }
        }
        self.check_numbers(command, span, emit);
    }

    /// LIMITS (RFC 9422): transactions in a session, recipients in a transaction.
    fn check_numbers(&mut self, command: &Command<'_>, span: Span, emit: &mut Emit<'_>) {
        let bounds = self.summary.capability("LIMITS").filter(|_| self.offers == Offers::Listed).map(|c| c.meaning());
        let bounds = match bounds {
            Some(Capability::Limits(bounds)) => bounds,
            _ => super::Limits::default(),
        };
        let over = if command.verb == Verb::RCPT {
            let recipients = self.ledger.current().map_or(0, |t| t.recipients.len() as u64 + t.recipients_not_kept);
            bounds.recipients == Some(recipients)
        } else {
            self.tally.mails += 1;
            bounds.mail.is_some_and(|most| self.tally.mails == most.saturating_add(1))
        };
        if over {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::OverLimit) });
        }
    }

    /// Whether the server offers `keyword`; `None` where its offer is not known.
    pub(super) fn offers(&self, keyword: &str) -> Option<bool> {
        match self.offers {
            Offers::Unknown => None,
            Offers::Nothing => Some(false),
            Offers::Listed => Some(self.summary.capability(keyword).is_some()),
        }
    }

    fn offers_mechanism(&self, mechanism: &[u8]) -> Option<bool> {
        let listed = || self.summary.capabilities.iter().any(|c| c.meaning().offers_mechanism(mechanism));
        match self.offers {
            Offers::Unknown => None,
            Offers::Nothing => Some(false),
            Offers::Listed => Some(listed()),
        }
    }

    /// The longest message that the server says it takes (RFC 1870); 0 is no limit.
    pub(super) fn size_limit(&self) -> Option<u64> {
        match self.summary.capability("SIZE").filter(|_| self.offers == Offers::Listed)?.meaning() {
            Capability::Size(limit) => limit.filter(|limit| *limit > 0),
            _ => None,
        }
    }

    /// Whether the size of a message is another than was announced, or beyond what the server takes.
    pub(super) fn check_size(&mut self, transaction: u64, size: u64, span: Span, emit: &mut Emit<'_>) {
        let announced = self.ledger.transaction(transaction).and_then(|t| t.announced_size());
        let limit = self.size_limit();
        let far_beyond =
            |bound: u64| size > bound.saturating_add(bound / 8).saturating_add(limits::SMTP_SIZE_TOLERANCE);
        if announced.is_some_and(far_beyond) {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::SizeLie) });
        }
        let told = announced.zip(limit).is_some_and(|(announced, limit)| announced > limit);
        if limit.is_some_and(far_beyond) && !told {
            emit(Event { span, kind: EventKind::Anomaly(Anomaly::OverLimit) });
        }
    }

    /// A reply to RCPT: many that are refused as unknown are guesses.
    pub(super) fn count_recipient(&mut self, status: StatusReply, emit: &mut Emit<'_>) {
        let tally = &mut self.tally;
        let about_address = status.enhanced.is_none_or(|enhanced| enhanced.subject == 1);
        match status.code {
            Some(550 | 551 | 553) if about_address => tally.unknown_recipients += 1,
            Some(code) if code / 100 == 2 => tally.known_recipients += 1,
            _ => {}
        }
        let guesses = tally.unknown_recipients >= limits::SMTP_UNKNOWN_RECIPIENTS
            && tally.unknown_recipients > tally.known_recipients;
        if guesses && !std::mem::replace(&mut tally.told_recipients, true) {
            emit(Event { span: status.span, kind: EventKind::Anomaly(Anomaly::RecipientHarvest) });
        }
    }

    /// The reply that ends a login.
    pub(super) fn count_login(&mut self, status: StatusReply, emit: &mut Emit<'_>) {
        let refused = status.code == Some(535);
        self.tally.refused_logins += u64::from(refused);
        if refused && self.tally.refused_logins == limits::SMTP_REFUSED_LOGINS {
            emit(Event { span: status.span, kind: EventKind::Anomaly(Anomaly::LoginGuessing) });
        }
    }

    /// Whether a refusal names a blocklist.
    pub(super) fn check_blocklist(&mut self, status: StatusReply, octets: &[u8], emit: &mut Emit<'_>) {
        let refused = status.code.is_some_and(|code| code >= 400);
        if refused && !self.tally.told_blocklist && names_blocklist(octets) {
            self.tally.told_blocklist = true;
            emit(Event { span: status.span, kind: EventKind::Anomaly(Anomaly::Blocklisted) });
        }
    }
}

/// Where `piece`, a part of `line`, stands; `span` is the line.
fn part(line: &[u8], piece: &[u8], span: Span) -> Span {
    let offset = (piece.as_ptr() as usize).wrapping_sub(line.as_ptr() as usize);
    if offset > line.len() {
        return span;
    }
    let start = span.start + offset as u64;
    Span::new(span.direction, start, start + piece.len() as u64)
}

/// A request line of HTTP: somebody has a browser speak to a mail server, or mistakes the port.
fn is_http(line: &[u8]) -> bool {
    let version = memchr::memmem::rfind(line, b" HTTP/").map(|at| &line[at + 6..]);
    version.is_some_and(|version| version.len() == 3 && version[0].is_ascii_digit())
}

fn names_blocklist(octets: &[u8]) -> bool {
    let text = octets[..octets.len().min(limits::SMTP_TEXT_OCTETS)].to_ascii_lowercase();
    let word = |word: &[u8]| {
        memchr::memmem::find_iter(&text, word).any(|at| {
            let before = at.checked_sub(1).map(|i| text[i]);
            let after = text.get(at + word.len()).copied();
            [before, after].iter().all(|b| b.is_none_or(|b| !b.is_ascii_alphanumeric()))
        })
    };
    BLOCKLISTS.iter().any(|name| memchr::memmem::find(&text, name).is_some()) || word(b"rbl")
}

/// Verbs that a server has to offer by a keyword. VRFY, EXPN and HELP need none (RFC 5321 §3.5.2).
const OFFERED: [(Verb, &str); 12] = [
    (Verb::AUTH, "AUTH"),
    (Verb::BDAT, "CHUNKING"),
    (Verb::BURL, "BURL"),
    (Verb::STARTTLS, "STARTTLS"),
    (Verb::ETRN, "ETRN"),
    (Verb::ATRN, "ATRN"),
    (Verb::XCLIENT, "XCLIENT"),
    (Verb::XFORWARD, "XFORWARD"),
    (Verb::X_EXPS, "X-EXPS"),
    (Verb::X_ANONYMOUSTLS, "X-ANONYMOUSTLS"),
    (Verb::X_LINK2STATE, "X-LINK2STATE"),
    (Verb::XEXCH50, "XEXCH50"),
];

/// Verbs with arguments that may be long, beside MAIL and RCPT.
const LONG: [Verb; 4] = [Verb::BURL, Verb::XCLIENT, Verb::XFORWARD, Verb::X_LINK2STATE];

const BLOCKLISTS: [&[u8]; 14] = [
    b"blocklist",
    b"block list",
    b"blacklist",
    b"denylist",
    b"dnsbl",
    b"spamhaus",
    b"spamcop",
    b"barracudacentral",
    b"sorbs.net",
    b"uribl",
    b"surbl",
    b"abuseat.org",
    b"uceprotect",
    b"psbl.org",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_names_a_blocklist_is_told_from_one_that_does_not() {
        for text in [
            &b"554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org\r\n"[..],
            b"550 your address is in our RBL.\r\n",
            b"550 Blacklisted\r\n",
        ] {
            assert!(names_blocklist(text));
        }
        assert!(!names_blocklist(b"550 the marble warbler is unknown\r\n"));
    }

    #[test]
    fn a_request_of_http_is_no_command() {
        assert!(is_http(b"GET / HTTP/1.1") && is_http(b"POST /x HTTP/1.0"));
        assert!(!is_http(b"XHTTP/1.1") && !is_http(b"NOOP HTTP/1.1.2"));
    }

    #[test]
    fn a_part_of_a_line_is_found_where_it_stands() {
        let line = b"MAIL FROM:<a> SIZE=1 SIZE=1";
        let span = Span::new(crate::stream::Direction::FromOriginator, 100, 129);
        assert_eq!(part(line, &line[21..25], span).range(), 121..125);
    }
}
