//! The decoder under arbitrary input.

use crate::stream::{Direction, Span};

use super::certificate::Certificate;
use super::conversation::Conversation;
use super::event::{Event, EventKind};
use super::summary::Summary;

/// Fuzz body: pieces of both directions, gaps and ends as the input says, in any order. The first
/// octet of each piece is its length and direction.
pub fn fuzz_tls(data: &[u8]) {
    let mut conversation = Conversation::new(Direction::FromOriginator);
    let mut positions = [0u64; 2];
    let mut rest = data;
    let mut emit = |event: Event<'_>| {
        assert!(event.span.start <= event.span.end);
        if let EventKind::Anomaly(anomaly) = event.kind {
            assert!(!anomaly.to_string().is_empty() && anomaly.id().starts_with("tls-"));
        }
    };
    while let Some((control, after)) = rest.split_first() {
        let direction = Direction::BOTH[usize::from(control >> 7)];
        let length = usize::from(control & 0x3f) * if control & 0x40 == 0 { 1 } else { 16 };
        let position = &mut positions[direction.index()];
        if length == 0 {
            let missing = after.first().map_or(1, |octet| u64::from(*octet) + 1);
            conversation.gap(Span::new(direction, *position, *position + missing), &mut emit);
            *position += missing;
            rest = after.get(1..).unwrap_or_default();
            continue;
        }
        let (piece, after) = after.split_at(length.min(after.len()));
        conversation.data(direction, *position, piece, &mut emit);
        *position += piece.len() as u64;
        assert!(conversation.pending_from(direction) <= *position);
        rest = after;
    }
    for direction in Direction::BOTH {
        conversation.finish(direction, &mut emit);
        conversation.finish(direction, &mut emit);
    }
    let server = conversation.summary().client.reversed();
    for first in [false, true] {
        assert_eq!(conversation.trace().phases(server, first).len(), conversation.trace().records().len());
    }
    let _ = super::probe::probe(data);
    for record in conversation.trace().records() {
        assert!(record.plaintext.is_none_or(|length| length.min <= length.max && length.max <= record.length));
    }
}

/// Fuzz body: the octets are handshake messages, each with a header of its own made for it: the first octet
/// of each piece is its type, the second its direction and its length in units of eight.
pub fn fuzz_handshake(data: &[u8]) {
    let mut conversation = Conversation::new(Direction::FromOriginator);
    let mut positions = [0u64; 2];
    let mut rest = data;
    while let [kind, control, after @ ..] = rest {
        let (body, after) = after.split_at(after.len().min(usize::from(control & 0x7f) * 8));
        rest = after;
        let direction = Direction::BOTH[usize::from(control >> 7)];
        let length = (body.len() as u32).to_be_bytes();
        let message = [&[*kind], &length[1..], body].concat();
        let record = [&[22, 3, 3], &(message.len() as u16).to_be_bytes()[..], &message].concat();
        let position = &mut positions[direction.index()];
        conversation.data(direction, *position, &record, &mut |_| {});
        *position += record.len() as u64;
    }
    for direction in Direction::BOTH {
        conversation.finish(direction, &mut |_| {});
    }
    let (summary, trace) = conversation.into_parts();
    exercise(&summary);
    for sender in Direction::BOTH {
        let _ = trace.sealed_certificate(&summary, sender);
    }
    let _ = trace.declined_certificate(&summary);
}

/// Fuzz body: the octets are a certificate in DER; it is read, printed and judged.
pub fn fuzz_certificate(data: &[u8]) {
    let certificate = Certificate::read(data);
    if let Some(fields) = &certificate.fields {
        let _ = (fields.subject.rfc2253(), fields.issuer.to_string(), fields.key.to_string());
        let _ = fields.is_for(data);
    }
    let mut summary = Summary::new(Direction::FromOriginator);
    summary.certificates = vec![certificate.clone(), certificate];
    exercise(&summary);
}

/// Whatever was read has names, fingerprints and a judgement.
fn exercise(summary: &Summary) {
    let _ = (summary.ja3(), summary.ja3s(), summary.ja4(), summary.forward_secrecy(), summary.tier());
    for seconds in [0, i64::from(i32::MAX)] {
        let now = crate::time::Timestamp::from_parts(seconds, 0);
        for (weakness, _) in summary.weaknesses(now, Some(b"mail.example.org")) {
            assert!(weakness.id().starts_with("tls-weak-") && !weakness.to_string().is_empty());
        }
    }
}
