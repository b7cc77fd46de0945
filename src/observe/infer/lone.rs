//! One sealed record without its handshake: what a server's reply of that length most often is.

use super::Step;
use super::claims::Octets;
use super::engine::likely_octets;
use super::facts::Facts;
use super::prior::{Priors, Range};
use super::templates::{Kind, Templates};

/// How often a reply of each kind is heard in a session.
const OFTEN: &[(Kind, f64, &str)] = &[
    (Kind::Banner, 0.5, "220 greeting"),
    (Kind::Ehlo, 1.0, "250 capabilities"),
    (Kind::User, 0.3, "334 the user name, please"),
    (Kind::Pass, 0.3, "334 the password, please"),
    (Kind::Login, 1.0, "235 login accepted"),
    (Kind::LoginNo, 0.05, "535 login refused"),
    (Kind::Mail, 1.0, "250 sender accepted"),
    (Kind::Rcpt, 1.5, "250 recipient accepted"),
    (Kind::RcptNo, 0.15, "550 recipient refused"),
    (Kind::Data, 0.9, "354 send the message"),
    (Kind::Queued, 0.9, "250 message accepted"),
    (Kind::Rset, 0.1, "250 reset"),
    (Kind::Noop, 0.05, "250 reply to NOOP"),
    (Kind::Quit, 0.9, "221 closing"),
];

/// Gives the only record of a capture a reading, if it is the server's and TLS 1.3 is assumed.
pub(super) fn read(facts: &Facts<'_>, templates: &Templates, priors: &Priors, steps: &mut [Step]) {
    let [step] = steps else { return };
    let Some(record) = facts.trace.records().get(step.record) else { return };
    let Some(octets) = likely_octets(record) else { return };
    step.plaintext_length = Some(Octets::exactly(u64::from(octets)));
    if record.direction == facts.client {
        return;
    }
    let length = Range::new(i32::from(octets), i32::from(octets));
    let weight: f64 = templates.servers.iter().map(|server| server.weight).sum();
    let mut readings: Vec<(String, f64)> = Vec::new();
    let mut add = |words: &str, chance: f64| match readings.iter_mut().find(|(known, _)| known == words) {
        Some((_, sum)) => *sum += chance,
        None => readings.push((words.to_owned(), chance)),
    };
    for (kind, often, words) in OFTEN {
        let background = 0.35 * often * priors.background(*kind, length);
        add(words, background);
        for server in &templates.servers {
            let laws: Vec<_> = server.laws(*kind).collect();
            let fits: f64 = laws.iter().map(|law| priors.law(*law, length)).sum::<f64>() / laws.len().max(1) as f64;
            let chance = 0.65 * often * server.weight / weight * fits;
            if chance > 0.0 {
                add(server.text(*kind, octets).unwrap_or(words), chance);
            }
        }
    }
    let whole: f64 = readings.iter().map(|(_, chance)| chance).sum();
    readings.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut readings = readings.into_iter().map(|(words, chance)| (words, chance / whole));
    if let Some((words, confidence)) = readings.next() {
        step.reading = Some(words);
        step.confidence = Some(confidence);
        step.rivals = readings.take(4).filter(|(_, confidence)| *confidence >= 0.01).collect();
    }
}
