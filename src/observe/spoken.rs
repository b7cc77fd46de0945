//! What a dialogue in the clear says of logins, recipients and waits: the words for it.

use super::{Exposure, Value, text, utf8};
use crate::limits::SLOW_REPLY;
use crate::smtp::{AuthAttempt, Awaited, MASK, Recipient, StatusReply, Summary, Transaction};

/// A login, and what reading it is worth.
pub(super) fn login(attempt: &AuthAttempt) -> Exposure {
    let user = attempt.username.as_deref();
    let mut words = format!("AUTH {}", attempt.mechanism);
    let name = match (attempt.realm.as_deref(), user) {
        (Some(realm), Some(user)) => Some(format!("{}\\{}", text(realm), text(user))),
        (realm, user) => user.or(realm).map(text),
    };
    if let Some(name) = name {
        words.push_str(&format!(" {name}"));
    }
    if let Some(identity) = &attempt.authorization {
        words.push_str(&format!(" in the name of {}", text(identity)));
    }
    if let Some(workstation) = &attempt.workstation {
        words.push_str(&format!(" on {}", text(workstation)));
    }
    let gain = attempt.gain();
    if let Some(length) = attempt.secret_len {
        use crate::smtp::Gain;
        let what = match gain {
            Gain::Password => "password",
            Gain::Token => "token",
            Gain::OneTime => "code",
            _ => "response to a challenge",
        };
        words.push_str(&format!(", {what} {MASK} ({length} octets)"));
    }
    words.push_str(match (attempt.succeeded, attempt.cancelled) {
        (Some(true), _) => ", accepted",
        (_, true) => ", given up by the client",
        (Some(false), _) => ", refused",
        (None, _) => "",
    });
    words.push_str(&format!("{GAINS}{}", gain.in_words()));
    if let Some(rounds) = attempt.iterations {
        words.push_str(&format!(" (slowed by {rounds} rounds)"));
    }
    if let Some(error) = &attempt.error {
        words.push_str(&format!("; the server says {}", text(error)));
    }
    let known = |value: &Option<Vec<u8>>| value.as_deref().map_or(Value::None, utf8);
    Exposure::seen(
        "login",
        Value::Fields(vec![
            ("mechanism", Value::Text(attempt.mechanism.clone())),
            ("username", known(&attempt.username)),
            ("authorization", known(&attempt.authorization)),
            ("realm", known(&attempt.realm)),
            ("workstation", known(&attempt.workstation)),
            ("secret_length", attempt.secret_len.map_or(Value::None, Value::Number)),
            ("succeeded", attempt.succeeded.map_or(Value::None, Value::Bool)),
            ("gain", Value::Text(gain.name().to_owned())),
        ]),
        words,
    )
    .at([Some(attempt.span), attempt.responses, attempt.reply_span].into_iter().flatten())
    .alarming(attempt.reveals_secret())
}

/// What stands between a login and what reading it is worth.
pub(super) const GAINS: &str = "; whoever reads it gains ";

/// A recipient and what became of it.
pub(super) fn recipient(recipient: &Recipient) -> String {
    let outcome = match (recipient.accepted, recipient.reply()) {
        (Some(true), _) => "accepted".to_owned(),
        (Some(false), Some(reply)) => refusal(reply),
        (Some(false), None) => "refused".to_owned(),
        (None, _) => "answer not captured".to_owned(),
    };
    let delivered = match recipient.delivered {
        Some(reply) if reply.is_positive() == Some(false) => format!(", then {}", refusal(reply)),
        Some(reply) if reply.is_positive() == Some(true) => ", delivered".to_owned(),
        _ => String::new(),
    };
    format!("{} {outcome}{delivered}", text(&recipient.address))
}

/// `refused 550 5.1.1 (no such mailbox; for good)`.
fn refusal(reply: StatusReply) -> String {
    let mut words = "refused".to_owned();
    if let Some(code) = reply.code {
        words.push_str(&format!(" {code}"));
    }
    if let Some(enhanced) = reply.enhanced {
        words.push_str(&format!(" {enhanced}"));
    }
    let why = reply.enhanced.and_then(|enhanced| enhanced.meaning());
    let then = reply.retry().map(|retry| retry.in_words());
    let why: Vec<&str> = why.into_iter().chain(then).collect();
    if !why.is_empty() {
        words.push_str(&format!(" ({})", why.join("; ")));
    }
    words
}

/// What the parameters of MAIL and RCPT ask for and give away.
pub(super) fn options(transaction: &Transaction) -> Option<Exposure> {
    let mut words: Vec<String> = transaction.parameters().filter_map(|(_, value)| value.in_words()).collect();
    for recipient in &transaction.recipients {
        for asked in recipient.parameters().filter_map(|(_, value)| value.in_words()) {
            if !words.contains(&asked) && words.len() < OPTIONS_NAMED {
                words.push(asked);
            }
        }
    }
    let value = Value::List(words.iter().cloned().map(Value::Text).collect());
    let with_options = transaction.recipients.iter().filter(|r| !r.parameters.is_empty()).map(|r| r.span);
    let spans = transaction.mail_span.into_iter().chain(with_options);
    (!words.is_empty()).then(|| Exposure::seen("options", value, words.join("; ")).at(spans))
}

/// Parameters of one transaction that are spelled out.
const OPTIONS_NAMED: usize = 8;

/// For whom a proxy or filter speaks.
pub(super) fn behind_proxy(summary: &Summary, out: &mut Vec<Exposure>) {
    if let Some(header) = &summary.proxy {
        let words = match header.source {
            Some(source) => format!("{source}, says a proxy (PROXY v{})", header.version),
            None => format!("the proxy itself (PROXY v{})", header.version),
        };
        let value = header.source.map_or(Value::None, |source| Value::Text(source.to_string()));
        out.push(Exposure::seen("client behind", value, words).at([header.span]));
    }
    for claim in &summary.claims {
        let known = claim.attributes.iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let words: Vec<String> = known.map(|(name, value)| format!("{} {}", text(name), text(value))).collect();
        let words = format!("{}, says {}", words.join(", "), claim.verb);
        out.push(Exposure::seen("client behind", Value::Text(words.clone()), words).at([claim.span]));
    }
}

/// The reply that took longest, where somebody would have noticed.
pub(super) fn slowest(summary: &Summary) -> Option<Exposure> {
    let slowest = summary.waiting.iter().max_by_key(|waiting| waiting.longest)?;
    let name = match slowest.awaited {
        Awaited::Greeting => "for the greeting".to_owned(),
        Awaited::Message => "for the reply to a message".to_owned(),
        awaited => format!("for the reply to {}", awaited.name()),
    };
    (slowest.longest >= SLOW_REPLY).then(|| {
        let milliseconds = (slowest.longest.nanos() / 1_000_000).unsigned_abs();
        let words = format!("up to {} s {name}", slowest.longest.decimals(1));
        Exposure::seen("waiting", Value::Number(milliseconds), words).at([slowest.reply])
    })
}
