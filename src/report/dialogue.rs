//! What was said in a conversation, utterance by utterance.

use super::{Length, Utterance};
use crate::bytes::utf8;
use crate::limits::MAX_UTTERANCE_OCTETS;
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
        }
        EventKind::Auth(auth) => {
            utterance.kind = "auth";
            utterance.text = Some(if reveal { line(auth.line) } else { line(&smtp::mask(auth.line, true)) });
        }
        EventKind::Reply(reply) => {
            utterance.kind = if matches!(reply.to, ReplyTo::Greeting) { "greeting" } else { "reply" };
            utterance.code = reply.code;
            utterance.lines = Some(reply.lines().map(line).collect());
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
        EventKind::MessageStart { .. }
        | EventKind::MessageData(_)
        | EventKind::Lenient(_)
        | EventKind::StartTls
        | EventKind::TransactionEnd(_)
        | EventKind::Anomaly(_) => return None,
    }
    Some(utterance)
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
        length: span.len(),
        plaintext_length: None,
        reading: None,
        named: false,
        missing: 0,
        lenient_reading: None,
        packets: at.packets(span),
        start: span.start,
        end: span.end,
    }
}
