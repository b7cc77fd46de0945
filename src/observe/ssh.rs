//! What an SSH connection gives away: for comparison with mail inside TLS. SSH shows the rhythm of
//! the keys with sizes that are all alike; mail shows sizes.

use super::{Exposure, Value, text, utf8};
use crate::ssh::Summary;

pub(super) fn exposures(summary: &Summary, out: &mut Vec<Exposure>) {
    let sides = [("client software", 0), ("server software", 1)];
    for (subject, side) in sides {
        if let Some(line) = &summary.identifications[side] {
            let words = format!("calls itself {}", text(line));
            out.push(Exposure::seen(subject, utf8(line), words).at(summary.identification_spans[side]));
        }
    }
    let names = [&summary.key_exchange, &summary.host_key, &summary.ciphers[0], &summary.macs[0]];
    if summary.key_exchange.is_some() {
        let names: Vec<_> = names.into_iter().flatten().collect();
        let words = names.iter().map(|name| text(name)).collect::<Vec<_>>().join(", ");
        let value = Value::List(names.iter().map(|name| utf8(name)).collect());
        let spans = summary.offer_spans.iter().flatten().copied();
        out.push(Exposure::seen("key exchange", value, words).at(spans));
    }
    keys(summary, out);
    out.push(Exposure::hidden("what is typed", "which keys, and what the server shows"));
    out.push(Exposure::hidden("password", "user name and password"));
}

fn keys(summary: &Summary, out: &mut Vec<Exposure>) {
    let keys = &summary.keys;
    let (Some(octets), Some((first, last))) = (summary.key_packets[0], keys.spans) else { return };
    let count = keys.echoed + keys.answered;
    if keys.echoed < TYPED {
        return;
    }
    if summary.is_obscured() {
        let words = format!(
            "packets of {octets} octets, as one key press makes, in a steady beat of 20 ms ({} of them): they hide how many keys are pressed and when, not that somebody types",
            keys.steady
        );
        out.push(Exposure::inferred("key presses", Value::None, words).at([first, last]));
        return;
    }
    let rhythm = keys.rhythm().map(|times| times.map(|nanos| nanos / 1_000_000));
    let apart = rhythm.map_or_else(String::new, |[shortest, middle, longest]| {
        format!("; {shortest} to {longest} ms apart, {middle} in the middle")
    });
    let words = format!(
        "{count} key press{}, each a packet of {octets} octets that the server answers at once: {} echoed alike, {} answered with more (Enter, control keys){apart}",
        if count == 1 { "" } else { "es" },
        keys.echoed,
        keys.answered
    );
    let number = |n: i64| Value::Number(n.max(0).unsigned_abs());
    let mut fields = vec![
        ("count", Value::Number(count)),
        ("echoed", Value::Number(keys.echoed)),
        ("packet_octets", Value::Number(u64::from(octets))),
    ];
    if let Some([shortest, middle, longest]) = rhythm {
        fields.extend([
            ("shortest_ms", number(shortest)),
            ("middle_ms", number(middle)),
            ("longest_ms", number(longest)),
        ]);
    }
    out.push(Exposure::inferred("key presses", Value::Fields(fields), words).at([first, last]));
}

/// Echoes below which nothing is said: a few packets of that size and their answers may be requests of
/// other kinds.
const TYPED: u64 = 5;
