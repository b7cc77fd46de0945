//! What the lengths of sealed records say, as statements with their certainty.

use super::infer::{self, Facts, Inference, Login, Message, Octets};
use super::{Cell, Exposure, Place, Subject, Value, Visibility, plural};
use crate::limits::MAX_MESSAGES_IN_FULL;
use crate::session::{Protocol, Session, TlsSeen};
use crate::stream::Span;

/// What the lengths of a sealed mail session give away; `None`: it is no mail, or none of it is sealed.
#[must_use]
pub fn read(session: &Session) -> Option<Inference> {
    let tls = session.tls.as_deref().filter(|_| is_sealed_mail(session))?;
    Some(infer::infer(&Facts::of(session, &tls.summary, &tls.trace)))
}

fn is_sealed_mail(session: &Session) -> bool {
    matches!(session.protocol, Protocol::Smtps | Protocol::SmtpStartTls)
}

/// States what the dialogue inside TLS gives away.
pub(super) fn exposures(read: &Inference, tls: &TlsSeen, out: &mut Vec<Exposure>) {
    let spans = |records: &[usize]| -> Vec<Span> {
        records.iter().filter_map(|record| tls.trace.records().get(*record)).map(|record| record.span()).collect()
    };
    if let Some(login) = &read.auth {
        out.push(told_login(login).at(spans(&login.records)));
    }
    let messages = read.messages.as_deref().unwrap_or_default();
    for message in messages.iter().take(MAX_MESSAGES_IN_FULL) {
        out.push(told_message(message).at(spans(&message.records)));
    }
    let more = messages.len().saturating_sub(MAX_MESSAGES_IN_FULL) as u64;
    if more > 0 {
        let rest = messages.iter().skip(MAX_MESSAGES_IN_FULL).flat_map(|message| spans(&message.records));
        let words = format!("and {} more", plural(more, "message"));
        out.push(Exposure::inferred("messages", Value::Number(more), words).at(rest));
    }
    software(read, tls, out);
}

/// What the lengths say of a subject, where they say it surely enough to state it.
pub(super) fn cell(read: &Inference, tls: &TlsSeen, subject: Subject) -> Option<Cell> {
    let spans = |records: &mut dyn Iterator<Item = usize>| -> Vec<Place> {
        let record = |record: usize| tls.trace.records().get(record).map(|record| Place::Span(record.span()));
        records.filter_map(record).take(PLACES).collect()
    };
    let stated = |confidence: f64| confidence >= infer::STATED;
    let messages = || read.messages.iter().flatten().filter(|message| stated(message.confidence));
    let records = || spans(&mut messages().flat_map(|message| message.records.iter().copied()));
    let (value, why, evidence) = match subject {
        Subject::Login => {
            let login = read.auth.as_ref().filter(|login| stated(login.confidence))?;
            let mechanism = login.mechanism.map(str::to_owned);
            let value = Value::List(vec![mechanism.map_or(Value::None, Value::Text)]);
            let why = "The lengths of its lines and of the answers are those of a login; TLS hides no length (RFC 8446 §5.4).";
            (value, why, spans(&mut login.records.iter().copied()))
        }
        Subject::RecipientCount => {
            let all: Vec<_> = messages().filter_map(|message| message.recipients.as_ref()).collect();
            (!all.is_empty() && all.len() == read.messages.as_ref()?.len()).then_some(())?;
            let outcomes = |accepted| all.iter().flat_map(|r| *r).filter(|r| r.accepted == Some(accepted)).count();
            let [number, accepted, refused] = [all.iter().map(|r| r.len()).sum(), outcomes(true), outcomes(false)]
                .map(|n: usize| Value::Number(n as u64));
            let fields = if all.iter().flat_map(|r| *r).all(|recipient| recipient.accepted.is_some()) {
                vec![("recipients", number), ("accepted", accepted), ("refused", refused)]
            } else {
                vec![("recipients", number)]
            };
            let why = "Commands and answers can be counted by their lengths, which TLS does not hide (RFC 8446 §5.4).";
            (Value::Fields(fields), why, records())
        }
        Subject::MessageSize => {
            let sizes: Vec<Value> = messages()
                .filter(|m| m.transfer.is_some())
                .filter_map(|m| m.size)
                .take(PLACES)
                .map(|size| Value::Range(size.min, size.max))
                .collect();
            (!sizes.is_empty()).then_some(())?;
            let why = "The message's records can be added up: TLS does not hide their lengths (RFC 8446 §5.4).";
            (Value::List(sizes), why, records())
        }
        Subject::ServerSoftware => {
            let server = read.server.as_ref().filter(|server| stated(server.confidence))?;
            let steps = spans(&mut read.steps.iter().filter(|s| s.direction != tls.summary.client).map(|s| s.record));
            (Value::Text(server.name.clone()), "Its answers are as long as those of this program.", steps)
        }
        _ => return None,
    };
    Some(Cell { visibility: Some(Visibility::Inferred), value, why: why.to_owned(), evidence })
}

fn told_login(login: &Login) -> Exposure {
    let mut words = match login.mechanism {
        Some(mechanism) => format!("AUTH {mechanism}"),
        None => "AUTH, by a mechanism that cannot be told".to_owned(),
    };
    words.push_str(match login.succeeded {
        Some(true) => ", accepted",
        Some(false) => ", refused",
        None => "",
    });
    for (length, what) in [
        (login.credential_length, "user name and password together"),
        (login.username_length, "user name"),
        (login.password_length, "password"),
    ] {
        if let Some(length) = length {
            words.push_str(&format!("; {what} {} octets", range(length)));
        }
    }
    words.push_str(&format!(" ({})", certainty(login.confidence)));
    let text = |name: Option<&str>| name.map_or(Value::None, |name| Value::Text(name.to_owned()));
    let value = Value::Fields(vec![
        ("mechanism", text(login.mechanism)),
        ("succeeded", login.succeeded.map_or(Value::None, Value::Bool)),
    ]);
    let exposure = Exposure::inferred("login inside", value, words);
    match &login.reason {
        Some(reason) => exposure.because(format!("{LENGTHS}: {reason}.")),
        None => exposure,
    }
}

fn told_message(message: &Message) -> Exposure {
    let mut parts = Vec::new();
    let was_sent = message.transfer.is_some() || message.accepted != Some(false);
    if let Some(size) = message.size.filter(|_| was_sent) {
        parts.push(format!("{} octets", range(size)));
    }
    match (&message.transfer, message.accepted) {
        (None, Some(false)) => parts.push("not sent".to_owned()),
        (_, Some(true)) => parts.push("accepted".to_owned()),
        (_, Some(false)) => parts.push("refused".to_owned()),
        _ => {}
    }
    if let Some(sender) = message.sender_length {
        parts.push(format!("sender of {} octets", range(sender)));
    }
    match &message.recipients {
        Some(recipients) => {
            let mut words = plural(recipients.len() as u64, "recipient");
            let told: Vec<String> = recipients
                .iter()
                .take(RECIPIENTS_IN_FULL)
                .filter_map(|recipient| {
                    let outcome = match recipient.accepted {
                        Some(true) => " accepted",
                        Some(false) => " refused",
                        None => "",
                    };
                    match recipient.address_length {
                        Some(length) => Some(format!("{} octets{outcome}", range(length))),
                        None => recipient.accepted.map(|_| outcome.trim_start().to_owned()),
                    }
                })
                .collect();
            if !told.is_empty() {
                words.push_str(&format!(" ({}", told.join(", ")));
                words.push_str(if recipients.len() > RECIPIENTS_IN_FULL { ", …)" } else { ")" });
            }
            parts.push(words);
        }
        None => parts.push("recipients whose number cannot be told".to_owned()),
    }
    let words = format!("{} ({})", parts.join(", "), certainty(message.confidence));
    let bounds = |length: Option<Octets>| length.map_or(Value::None, |l| Value::Range(l.min, l.max));
    let value = Value::Fields(vec![
        ("size", bounds(message.size)),
        ("sender_length", bounds(message.sender_length)),
        ("recipients", message.recipients.as_ref().map_or(Value::None, |r| Value::Number(r.len() as u64))),
    ]);
    let exposure = Exposure::inferred("message inside", value, words);
    match &message.sender_reason {
        Some(reason) => exposure.because(format!("{LENGTHS}: {reason}.")),
        None => exposure,
    }
}

/// Why lengths tell anything.
const LENGTHS: &str = "TLS hides no length (RFC 8446 §5.4)";

fn software(read: &Inference, tls: &TlsSeen, out: &mut Vec<Exposure>) {
    let found: Vec<String> = [&read.server, &read.client]
        .into_iter()
        .flatten()
        .map(|software| format!("{} {:.0} %", software.name, (software.confidence * 100.0).min(99.0).floor()))
        .collect();
    if found.is_empty() {
        return;
    }
    let name = |of: &Option<infer::Software>| of.as_ref().map_or(Value::None, |s| Value::Text(s.name.clone()));
    let value = Value::Fields(vec![("server", name(&read.server)), ("client", name(&read.client))]);
    let steps = [read.steps.first(), read.steps.last()].into_iter().flatten();
    let places: Vec<Span> =
        steps.filter_map(|step| tls.trace.records().get(step.record)).map(|record| record.span()).collect();
    let reasons = [&read.server, &read.client].into_iter().flatten();
    let reasons: Vec<String> =
        reasons.filter_map(|s| s.reason.as_ref().map(|reason| format!("{}: {reason}", s.name))).collect();
    let exposure = Exposure::inferred("software inside", value, found.join(", ")).at(places);
    out.push(match reasons.is_empty() {
        true => exposure,
        false => exposure.because(format!("{}.", reasons.join("; "))),
    });
}

/// How sure a statement is, in a word that stays the same everywhere.
fn certainty(confidence: f64) -> String {
    match confidence {
        c if c >= 0.98 => "as good as certain".to_owned(),
        c if c >= 0.9 => format!("{:.0} % sure", (c * 100.0).floor()),
        c => format!("a guess, {:.0} %", (c * 100.0).floor()),
    }
}

fn range(octets: Octets) -> String {
    if octets.is_exact() { octets.min.to_string() } else { format!("{}-{}", octets.min, octets.max) }
}

/// Values and places that a cell names.
const PLACES: usize = 8;

/// Recipients that are told one by one.
const RECIPIENTS_IN_FULL: usize = 4;
