//! Any records at all, for fuzzing and for a test.

use super::engine::built_in;
use super::offers::Offers;
use super::prior::Range;
use super::search::{Context, Record, Search, merged};
use super::software::{Habits, Manner};
use super::statements::{Ground, state};
use crate::limits;

/// Reads records of any direction and length: no panic, no more work than the limit allows, and no claim
/// with a confidence beyond 0 to 1.
///
/// # Panics
/// When one of these does not hold.
pub fn fuzz_infer(data: &[u8]) {
    let (templates, priors) = built_in();
    let Some((flags, rest)) = data.split_first() else { return };
    let yes = |bit: u8| flags & (1 << bit) != 0;
    let records: Vec<Record> = rest
        .chunks_exact(3)
        .map(|octets| {
            let low = i32::from(u16::from_be_bytes([octets[0] & 0x3f, octets[1]]));
            let length = Range::new(low, low + i32::from(octets[2] & 0x0f) * i32::from(yes(0)));
            Record::one(octets[2] & 0x80 != 0, length)
        })
        .collect();
    let records = merged(&records);
    let context = Context {
        greets: yes(1),
        ehlo: yes(2).then_some(25),
        offers: Offers {
            pipelining: yes(3).then_some(yes(4)),
            chunking: yes(5).then_some(yes(6)),
            ..Offers::default()
        },
        servers: Vec::new(),
        mail: None,
        habits: Habits::default(),
        ended: yes(7),
    };
    let found = Search::run(templates, priors, &context, &records);
    assert!(found.nodes.len() <= 2 * limits::INFER_WORK + limits::INFER_PATHS * 4096);
    let ground = Ground { templates, priors, context: &context, records: &records, manner: Manner::default() };
    let stated = state(&ground, &found);
    let sure = |confidence: f64| assert!((0.0..=1.000_001).contains(&confidence), "{confidence}");
    sure(stated.confidence);
    for message in stated.messages.iter().flatten() {
        sure(message.confidence);
        for length in [message.size, message.sender_length].into_iter().flatten() {
            assert!(length.min <= length.max);
        }
        for recipient in message.recipients.iter().flatten() {
            sure(recipient.confidence);
        }
    }
}
