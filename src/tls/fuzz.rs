//! The decoder under arbitrary input.

use crate::stream::{Direction, Span};

use super::conversation::Conversation;
use super::event::{Event, EventKind};

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
