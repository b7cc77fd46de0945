//! What is inside TLS, where keys open it: told as it would be in the clear, and hidden from everybody without keys.

use super::{Exposure, Value, Visibility, clear, plural, spoken, text, utf8};
use crate::session::{Inside, Session};
use crate::tls;

/// What keys show of a session. Spans of the dialogue count octets of the plaintext ([`Inside::packets`]);
/// those of `certificates` and `certificates of the client` stand in the stream itself.
#[must_use]
pub fn inside(session: &Session) -> Vec<Exposure> {
    let Some(inside) = &session.inside else { return Vec::new() };
    let mut exposures = Vec::new();
    certificates(inside, &mut exposures);
    if let Some(summary) = &inside.smtp {
        clear::exposures(summary, None, &|transaction| inside.contents(transaction), &mut exposures);
    } else if inside.octets != [0; 2] {
        let octets = inside.octets.iter().sum();
        exposures
            .push(Exposure::hidden("contents", format!("{} of something that is not mail", plural(octets, "octet"))));
    }
    if inside.missing > 0 {
        exposures.push(Exposure::hidden(
            "capture",
            format!("about {} of text missing from it, or not opened", plural(inside.missing, "octet")),
        ));
    }
    // STARTTLS has done what it can, and what only keys read is no alarm.
    exposures.retain(|exposure| exposure.subject != "starttls");
    for exposure in &mut exposures {
        (exposure.visibility, exposure.alarm) = (Visibility::Hidden, false);
        let length = exposure.text.find(spoken::GAINS).unwrap_or(exposure.text.len());
        exposure.text.truncate(length);
    }
    exposures
}

/// Subjects whose evidence stands in the stream and not in the plaintext.
pub const OF_THE_HANDSHAKE: [&str; 2] = ["certificate", "client's certificate"];

fn certificates(inside: &Inside, out: &mut Vec<Exposure>) {
    let opening = &inside.opening;
    for (subject, chain, span) in [
        (OF_THE_HANDSHAKE[0], &opening.certificates, opening.certificates_span),
        (OF_THE_HANDSHAKE[1], &opening.client_certificates, opening.client_certificates_span),
    ] {
        let Some(first) = chain.first() else { continue };
        let mut words = match &first.fields {
            Some(fields) => format!("{}, issued by {}", fields.subject, fields.issuer),
            None => "one that cannot be read".to_owned(),
        };
        if chain.len() > 1 {
            words.push_str(&format!("; {} in the chain", plural(chain.len() as u64, "certificate")));
        }
        let value = first.fields.as_ref().map_or(Value::None, |fields| Value::Text(fields.subject.to_string()));
        out.push(Exposure::new(Visibility::Hidden, subject, value, words).at(span));
    }
    if let Some(protocol) = &opening.alpn {
        out.push(Exposure::new(Visibility::Hidden, "protocol", utf8(protocol), text(protocol)));
    }
    if opening.early_data > 0 {
        let words = format!("{} of it, sent before the server's answer", plural(opening.early_data, "octet"));
        out.push(Exposure::new(Visibility::Hidden, "early data", Value::Number(opening.early_data), words));
    }
    let grave = opening.alerts.iter().filter(|(_, alert)| alert.level == tls::AlertLevel::FATAL);
    for (span, alert) in grave {
        out.push(
            Exposure::new(Visibility::Hidden, "alert", Value::Text(alert.to_string()), alert.to_string()).at([*span]),
        );
    }
}
