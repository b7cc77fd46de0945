//! What was said in a conversation, utterance by utterance.

use super::{Length, Utterance, spoken};
use crate::bytes::utf8;
use crate::limits::{MAX_UTTERANCE_OCTETS, SLOW_REPLY};
use crate::session::At;
use crate::smtp::{self, EventKind, ReplyTo};
use crate::stream::Span;
use crate::tls;

/// An utterance of a dialogue in the clear, where the event is one.
pub(super) fn smtp(at: &At<'_>, event: &smtp::Event<'_>, reveal: bool) -> Option<Utterance> {
    let line = |bytes: &[u8]| utf8(&bytes[..bytes.len().min(MAX_UTTERANCE_OCTETS)]);
    let mut utterance = begun(at, event.span);
    match &event.kind {
        EventKind::Command(command) => {
            utterance.kind = "command";
            utterance.verb = Some(command.verb.as_str().to_owned());
            utterance.text = Some(if reveal { line(command.line) } else { line(&smtp::mask(command.line, false)) });
            utterance.meaning = parameters_in_words(command);
            utterance.aside = utterance.meaning.clone().or_else(|| initial_response(command).filter(|_| reveal));
        }
        EventKind::Auth(auth) => {
            utterance.kind = "auth";
            utterance.text = Some(if reveal { line(auth.line) } else { line(&smtp::mask(auth.line, true)) });
            utterance.aside = smtp::decode_response(auth.line).filter(|_| reveal).map(|octets| line(&octets));
        }
        EventKind::Reply(reply) => {
            utterance.kind = if matches!(reply.to, ReplyTo::Greeting) { "greeting" } else { "reply" };
            utterance.code = reply.code;
            utterance.lines = Some(reply.lines().map(line).collect());
            utterance.meaning = reply.enhanced.and_then(|enhanced| enhanced.meaning()).map(str::to_owned);
            let retry = smtp::Retry::of(reply.code, reply.enhanced);
            utterance.retry = retry.map(smtp::Retry::name);
            utterance.waited = reply.waited.map(spoken::seconds);
            utterance.aside = reply_aside(reply, retry);
        }
        // A transaction that was given up has a message of no octets, so that messages and
        // transactions can be counted together.
        EventKind::TransactionEnd(transaction)
            if transaction.size.is_none()
                && transaction.mail_accepted() != Some(false)
                && transaction.mail_span.is_some() =>
        {
            utterance.kind = "message";
            utterance.from = at.role(at.client);
            utterance.length = 0;
        }
        EventKind::MessageEnd(end) => {
            utterance.kind = "message";
            utterance.length = end.size;
            utterance.missing = end.missing;
        }
        EventKind::Unparsed(bytes) => {
            utterance.kind = "other";
            let hidden = !reveal && may_be_secret(at, event.span, bytes);
            utterance.text = Some(if hidden { smtp::MASK.to_owned() } else { line(bytes) });
        }
        EventKind::Proxy(header) => {
            utterance.kind = "other";
            utterance.text = Some(proxy_in_words(header));
        }
        EventKind::Binary(_) => utterance.kind = "other",
        EventKind::MessageStart { .. }
        | EventKind::MessageData { .. }
        | EventKind::Lenient(_)
        | EventKind::StartTls
        | EventKind::TransactionEnd(_)
        | EventKind::Anomaly(_) => return None,
    }
    Some(utterance)
}

/// What the parameters of MAIL or RCPT ask for.
fn parameters_in_words(command: &smtp::Command<'_>) -> Option<String> {
    let words: Vec<String> = command.path()?.parameters().filter_map(|p| p.meaning().in_words()).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// The response on an AUTH line, decoded.
fn initial_response(command: &smtp::Command<'_>) -> Option<String> {
    let is_auth = matches!(command.verb, smtp::Verb::AUTH | smtp::Verb::X_EXPS);
    let response = command.argument.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty()).nth(1);
    let decoded = smtp::decode_response(response.filter(|_| is_auth)?)?;
    Some(utf8(&decoded))
}

/// What a reply's numbers mean: what a server of LOGIN asks, why it refuses and what is left to do,
/// and how slow it was.
fn reply_aside(reply: &smtp::Reply<'_>, retry: Option<smtp::Retry>) -> Option<String> {
    let mut words = Vec::new();
    if reply.code == Some(334) {
        let challenge = reply.lines().next().and_then(|line| smtp::decode_response(line.get(4..)?));
        let readable = |text: &Vec<u8>| !text.is_empty() && text.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
        words.extend(challenge.filter(readable).map(|text| utf8(&text)));
    }
    if let Some(retry) = retry {
        words.extend(reply.enhanced.and_then(|enhanced| enhanced.meaning()).map(str::to_owned));
        words.push(retry.in_words().to_owned());
    }
    if let Some(waited) = reply.waited.filter(|waited| *waited >= SLOW_REPLY) {
        words.push(format!("after {} s", waited.decimals(1)));
    }
    (!words.is_empty()).then(|| words.join(" \u{b7} "))
}

/// `PROXY v2: 198.51.100.7:54321 for 192.0.2.25:25, mx.example.org, TLSv1.3`.
fn proxy_in_words(header: &smtp::ProxyHeader) -> String {
    let mut words = format!("PROXY v{}: ", header.version);
    match (header.source, header.destination) {
        (Some(source), Some(destination)) => words.push_str(&format!("{source} for {destination}")),
        _ => words.push_str("the proxy for itself"),
    }
    for extra in [&header.authority, &header.tls].into_iter().flatten() {
        words.push_str(&format!(", {}", utf8(extra)));
    }
    words
}

/// Whether a line that was not understood may be a SASL response whose beginning was not captured:
/// a line of the client in base64.
pub(super) fn may_be_secret(at: &At<'_>, span: Span, line: &[u8]) -> bool {
    let is_base64 = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=');
    span.direction == at.client && line.len() >= 4 && line.trim_ascii().iter().all(is_base64)
}

/// A TLS record as an utterance.
pub(super) fn tls(at: &At<'_>, span: Span, record: &tls::Record, reading: String) -> Utterance {
    Utterance {
        kind: "tls",
        sealed: record.sealed,
        length: u64::from(record.length),
        plaintext_length: record.plaintext.map(|p| Length { min: u64::from(p.min), max: u64::from(p.max) }),
        reading: Some(reading),
        ..begun(at, span)
    }
}

/// Octets that are not in the capture.
pub(super) fn gap(at: &At<'_>, span: Span) -> Utterance {
    Utterance { kind: "gap", missing: span.len(), ..begun(at, span) }
}

fn begun(at: &At<'_>, span: Span) -> Utterance {
    Utterance {
        session: at.session,
        time: at.time,
        from: at.role(span.direction),
        kind: "other",
        sealed: false,
        verb: None,
        text: None,
        code: None,
        lines: None,
        meaning: None,
        retry: None,
        waited: None,
        aside: None,
        length: span.len(),
        plaintext_length: None,
        reading: None,
        confidence: None,
        named: false,
        missing: 0,
        lenient_reading: None,
        packets: at.packets(span),
        start: span.start,
        end: span.end,
    }
}
