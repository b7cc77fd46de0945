//! What keys showed of a session: the `inside` object, and what else of it is marked as sealed.

use serde::Serialize;

use super::{Anomaly, Evidence, Exposure, Session, catalogue, convert};
use crate::observe::{self, Place};
use crate::session::{self, role};
use crate::stream::Direction;

/// What came of the keys that were given, and what they show. Nobody on the path saw any of it.
#[derive(Clone, Debug, Serialize)]
pub struct Inside {
    /// What came of the keys, as a sentence.
    pub text: String,
    /// What is spoken inside: `smtp`, `lmtp` or `other`; null where nothing was opened.
    pub protocol: Option<&'static str>,
    /// Sealed records, from the client and from the server.
    pub records: [u64; 2],
    /// Those of them that were opened.
    pub opened: [u64; 2],
    /// The first record of each side that stayed sealed though there were keys.
    pub failures: Vec<Failure>,
    /// Octets of text that are missing: about so many, where whole records are.
    pub missing_bytes: u64,
    /// Alerts that were sealed.
    pub alerts: Vec<String>,
    /// What an observer with keys reads. `start` and `end` count octets of the text inside, but for certificates.
    pub exposure: Vec<Exposure>,
}

/// A record that did not open.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// Its place among the records of the session, both ways, from 1.
    pub record: u64,
    /// `client` or `server`.
    pub from: &'static str,
    /// Why.
    pub reason: String,
}

/// Adds what keys showed to what is told of a session.
pub(super) fn add(session: &mut Session, found: &session::Session) {
    let Some(inside) = found.inside.as_deref() else { return };
    let opening = &inside.opening;
    let Some(text) = opening.in_words() else { return };
    if let Some(smtp) = &inside.smtp {
        session.messages.extend(smtp.transactions.iter().map(|transaction| super::Message {
            sealed: true,
            ..convert::message(transaction, inside.contents(transaction.index))
        }));
        let logins = smtp.auth.iter().map(|attempt| super::Auth { sealed: true, ..convert::auth(attempt) });
        session.auth.extend(logins);
    }
    if let Some(tls) = &mut session.tls {
        let sealed = opening.certificates.iter().map(convert::certificate);
        tls.certificates.extend(sealed.map(|certificate| super::Certificate { sealed: true, ..certificate }));
    }
    let both = [opening.client, opening.client.reversed()];
    let count = |of: [u64; 2]| both.map(|direction: Direction| of[direction.index()]);
    session.inside = Some(Inside {
        text,
        protocol: match &inside.smtp {
            Some(smtp) if smtp.lmtp => Some("lmtp"),
            Some(_) => Some("smtp"),
            None => (inside.octets != [0; 2]).then_some("other"),
        },
        records: count(opening.sealed),
        opened: count(opening.opened),
        failures: both
            .into_iter()
            .filter_map(|direction| {
                let (record, reason) = opening.first_failure[direction.index()]?;
                Some(Failure { record, from: role(opening.client, direction), reason: reason.to_string() })
            })
            .collect(),
        missing_bytes: inside.missing,
        alerts: opening.alerts.iter().map(|(_, alert)| alert.to_string()).collect(),
        exposure: observe::inside(found).into_iter().map(|exposure| exposed(found, inside, exposure)).collect(),
    });
}

/// The oddities of a dialogue inside.
pub(super) fn anomalies(found: &session::Session) -> impl Iterator<Item = Anomaly> {
    let inside = found.inside.as_deref();
    inside.into_iter().flat_map(move |inside| {
        inside.anomalies.iter().map(move |anomaly| {
            let evidence = anomaly.span.map(|span| evidence(found, inside, span));
            let here = || Evidence { packets: vec![anomaly.packet], direction: None, start: None, end: None };
            Anomaly {
                id: anomaly.kind.id(),
                severity: catalogue::severity(anomaly.kind.id()),
                session: found.connection.number,
                text: format!("Inside TLS: {}", anomaly.kind),
                evidence: vec![evidence.filter(|evidence| !evidence.packets.is_empty()).unwrap_or_else(here)],
            }
        })
    })
}

fn exposed(found: &session::Session, inside: &session::Inside, exposure: observe::Exposure) -> Exposure {
    let in_stream = observe::OF_THE_HANDSHAKE.contains(&exposure.subject) || exposure.subject == "alert";
    let places = exposure.evidence.iter().map(|place| match place {
        Place::Packet(packet) => Evidence { packets: vec![*packet], direction: None, start: None, end: None },
        Place::Span(span) if in_stream => convert::at(found, *span),
        Place::Span(span) => evidence(found, inside, *span),
    });
    Exposure {
        subject: exposure.subject,
        observer: exposure.observer.name(),
        visibility: Some(exposure.visibility.name()),
        evidence: places.collect(),
        value: convert::value(exposure.value),
        text: exposure.text,
        alarm: false,
        sealed: true,
        why: INSIDE.to_owned(),
        listed: true,
    }
}

fn evidence(found: &session::Session, inside: &session::Inside, span: crate::stream::Span) -> Evidence {
    Evidence {
        packets: inside.packets(span),
        direction: Some(role(found.client(), span.direction)),
        start: Some(span.start),
        end: Some(span.end),
    }
}

/// Why an observer is not told of what keys opened.
const INSIDE: &str = "It is said inside TLS: only the keys that were given show it.";
