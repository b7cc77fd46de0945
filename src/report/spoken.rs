//! What a dialogue in the clear says beyond its envelope: offers, parameters, outcomes, waits.

use serde::Serialize;
use serde_json::{Value, json};

use crate::bytes::utf8;
use crate::session;
use crate::smtp::{self, Capability, Notify, ParameterValue, ReturnContent, StatusReply};
use crate::stream::Span;
use crate::time::Interval;

/// One line of an EHLO reply.
#[derive(Clone, Debug, Serialize)]
pub struct Offer {
    /// As the server spells it.
    pub keyword: String,
    /// Everything after it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub parameters: String,
    /// The parameters as a value, where the keyword is known and has some.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub value: Value,
}

/// A parameter of MAIL or RCPT.
#[derive(Clone, Debug, Serialize)]
pub struct Parameter {
    /// As the client spells it.
    pub keyword: String,
    /// What stands after `=`: a number, a list or an object where the keyword is known, else text.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub value: Value,
    /// What it asks for, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether the keyword is known and cannot have this value.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub malformed: bool,
}

/// A reply about one recipient after the message (LMTP).
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    /// The reply code.
    pub code: Option<u16>,
    /// The enhanced status code (RFC 3463).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enhanced: Option<String>,
}

/// How long the server let the client wait for replies of one kind.
#[derive(Clone, Debug, Serialize)]
pub struct Waiting {
    /// `greeting`, a verb, `AUTH response`, `message` or `OTHER`.
    pub awaited: String,
    /// Replies.
    pub replies: u64,
    /// All waits together, in seconds.
    pub total: f64,
    /// The longest, in seconds.
    pub longest: f64,
    /// The packets of the reply that took longest.
    pub packets: Vec<u64>,
}

/// On whose behalf a proxy or filter speaks.
#[derive(Clone, Debug, Serialize)]
pub struct Claim {
    /// `PROXY`, `XCLIENT` or `XFORWARD`.
    pub verb: String,
    /// What it says, by name; null where it says that it does not know.
    pub attributes: serde_json::Map<String, Value>,
    /// Whether the server took it; null where that is not known.
    pub accepted: Option<bool>,
}

/// How far STARTTLS came.
#[derive(Clone, Debug, Serialize)]
pub struct StartTls {
    /// The last step that was reached: `offered`, `requested`, `agreed`, `client-hello`, `server-hello` or `finished`.
    pub reached: Option<&'static str>,
    /// Why it came no further: `not-offered`, `masked`, `not-requested`, `not-answered`, `refused`,
    /// `clear-after-agreement`, `not-begun`, `hello-unanswered` or `broken`; null where it did, or cannot be told.
    pub failure: Option<&'static str>,
    /// The failure as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'static str>,
    /// The steps that were reached, in order.
    pub steps: Vec<Step>,
}

/// A step of STARTTLS.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Its name.
    pub step: &'static str,
    /// The packets that show it; none for the end of a handshake, which is sealed.
    pub packets: Vec<u64>,
}

/// What is printed of a dialogue besides messages and logins.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Dialogue {
    /// How far STARTTLS came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starttls: Option<StartTls>,
    /// The server's last offers in the clear.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<Offer>,
    /// What it had offered before, where that was something else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier_capabilities: Vec<Vec<Offer>>,
    /// On whose behalf the client speaks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
    /// How long the server let the client wait.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Waiting>,
}

/// What a dialogue says of itself.
pub(super) fn dialogue(found: &session::Session, summary: &smtp::Summary) -> Dialogue {
    let offers = |all: &[smtp::EhloKeyword]| all.iter().map(offer).collect();
    Dialogue {
        starttls: found.ladder.as_ref().map(|ladder| starttls(found, ladder)),
        capabilities: offers(&summary.capabilities),
        earlier_capabilities: summary.earlier_offers.iter().map(|earlier| offers(earlier)).collect(),
        claims: summary.proxy.iter().map(proxy).chain(summary.claims.iter().map(claim)).collect(),
        waiting: summary.waiting.iter().map(|waiting| wait(found, waiting)).collect(),
    }
}

fn starttls(found: &session::Session, ladder: &session::Ladder) -> StartTls {
    let packets = |span: Option<Span>| span.map(|span| found.packets(span)).unwrap_or_default();
    StartTls {
        reached: ladder.reached().map(session::Rung::name),
        failure: ladder.failure.map(session::Failure::name),
        text: ladder.failure.map(session::Failure::sentence),
        steps: ladder.steps.iter().map(|(rung, span)| Step { step: rung.name(), packets: packets(*span) }).collect(),
    }
}

/// A parameter as it is printed.
pub(super) fn parameter((parameter, value): (smtp::Parameter<'_>, ParameterValue<'_>)) -> Parameter {
    Parameter {
        keyword: utf8(parameter.keyword),
        text: value.in_words(),
        malformed: value == ParameterValue::Malformed,
        value: parameter_value(&value).unwrap_or_else(|| parameter.value.map_or(Value::Null, |v| utf8(v).into())),
    }
}

/// A reply after the message for one recipient.
pub(super) fn delivery(status: StatusReply) -> Delivery {
    Delivery { code: status.code, enhanced: status.enhanced.map(|enhanced| enhanced.to_string()) }
}

/// Seconds as a number.
pub(super) fn seconds(interval: Interval) -> f64 {
    interval.nanos() as f64 / 1e9
}

fn offer(keyword: &smtp::EhloKeyword) -> Offer {
    Offer {
        keyword: utf8(&keyword.keyword),
        parameters: utf8(&keyword.parameters),
        value: offer_value(&keyword.meaning()),
    }
}

fn offer_value(meaning: &Capability<'_>) -> Value {
    let words = |all: &[&[u8]]| all.iter().map(|word| Value::from(utf8(word))).collect();
    match meaning {
        Capability::Size(size) => json!(size),
        Capability::Auth { mechanisms, .. } => words(mechanisms),
        Capability::Attributes(attributes) => words(attributes),
        Capability::DeliverBy(seconds) => json!(seconds),
        Capability::FutureRelease { longest, latest } => {
            json!({"longest": longest, "latest": latest.map(utf8)})
        }
        Capability::Limits(limits) => {
            let all = [("MAILMAX", limits.mail), ("RCPTMAX", limits.recipients), ("RCPTDOMAINMAX", limits.domains)];
            all.into_iter().filter_map(|(name, most)| Some((name.to_owned(), Value::from(most?)))).collect()
        }
        _ => Value::Null,
    }
}

/// `None`: as text.
fn parameter_value(value: &ParameterValue<'_>) -> Option<Value> {
    Some(match value {
        ParameterValue::Size(size) => json!(size),
        ParameterValue::Return(ReturnContent::Full) => "FULL".into(),
        ParameterValue::Return(ReturnContent::Header) => "HDRS".into(),
        ParameterValue::EnvelopeId(text) | ParameterValue::Submitter(text) | ParameterValue::TransactionId(text) => {
            utf8(text).into()
        }
        ParameterValue::Notify(notify) => notify_value(*notify),
        ParameterValue::OriginalRecipient { kind, address } => json!({"type": utf8(kind), "address": utf8(address)}),
        ParameterValue::AuthIdentity(Some(identity)) => utf8(identity).into(),
        ParameterValue::Priority(level) => json!(level),
        ParameterValue::HoldFor(seconds) => json!(seconds),
        ParameterValue::DeliverBy { seconds, or_return, trace } => {
            json!({"seconds": seconds, "return": or_return, "trace": trace})
        }
        ParameterValue::OwnerSince { time, otherwise } => json!({"time": utf8(time), "otherwise": otherwise.map(utf8)}),
        ParameterValue::Track { certifier, seconds } => json!({"certifier": utf8(certifier), "seconds": seconds}),
        _ => return None,
    })
}

fn notify_value(notify: Notify) -> Value {
    let all =
        [(notify.never, "NEVER"), (notify.success, "SUCCESS"), (notify.failure, "FAILURE"), (notify.delay, "DELAY")];
    all.into_iter().filter(|(set, _)| *set).map(|(_, name)| Value::from(name)).collect()
}

fn wait(found: &session::Session, waiting: &smtp::Waiting) -> Waiting {
    Waiting {
        awaited: waiting.awaited.name().to_owned(),
        replies: waiting.replies,
        total: seconds(waiting.total),
        longest: seconds(waiting.longest),
        packets: found.packets(waiting.reply),
    }
}

fn claim(claim: &smtp::ClientClaim) -> Claim {
    let value = |value: &Option<Vec<u8>>| value.as_deref().map_or(Value::Null, |v| utf8(v).into());
    Claim {
        verb: claim.verb.as_str().to_owned(),
        attributes: claim.attributes.iter().map(|(name, v)| (utf8(name), value(v))).collect(),
        accepted: claim.accepted,
    }
}

fn proxy(header: &smtp::ProxyHeader) -> Claim {
    let all = [
        ("source", header.source.map(|source| source.to_string())),
        ("destination", header.destination.map(|destination| destination.to_string())),
        ("authority", header.authority.as_deref().map(utf8)),
        ("tls", header.tls.as_deref().map(utf8)),
    ];
    Claim {
        verb: "PROXY".to_owned(),
        attributes: all.into_iter().filter_map(|(name, v)| Some((name.to_owned(), Value::from(v?)))).collect(),
        accepted: None,
    }
}
