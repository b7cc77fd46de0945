//! What links a TLS session to earlier ones: the ticket or session id that the client shows again.

use std::collections::HashMap;
use std::net::IpAddr;

use serde::Serialize;

use super::Exposure;
use crate::limits::{LINKED_TOKENS, TICKET_SESSIONS};
use crate::session::{Session, TlsSeen};
use crate::stream::Direction;
use crate::tls::Phase;

/// The earlier sessions, between the same hosts, that a session goes on from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Resumes {
    /// Sessions of this capture that issued what the client shows, or may have; empty where none did.
    pub sessions: Vec<u64>,
    /// What the client shows: `session ticket`, `session id` or `pre-shared key`.
    pub by: &'static str,
    /// Whether the sessions are told by the size of their tickets, which are sealed (TLS 1.3).
    pub inferred: bool,
    /// An earlier session in which the client showed the same (RFC 8446 §C.4 advises against it).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also_shown_in: Option<u64>,
}

impl Resumes {
    /// It as a finding of the session that shows it.
    pub(super) fn finding(&self, found: &Session) -> Option<Exposure> {
        let hello = found.tls.as_deref()?.summary.client_hello.as_deref()?;
        let numbers: Vec<String> = self.sessions.iter().map(u64::to_string).collect();
        let by = self.by;
        let mut text = match (self.sessions.len(), self.inferred) {
            (0, _) => format!("the client shows a {by} that no session of this capture gave it"),
            (_, false) => format!("session {} gave the client the {by} that it shows", numbers.join(", ")),
            (1, true) => format!("session {} sent a sealed ticket of the size that the client shows", numbers[0]),
            (_, true) => {
                format!("sessions {} sent sealed tickets of the size that the client shows", numbers.join(", "))
            }
        };
        if let Some(other) = self.also_shown_in {
            text.push_str(&format!("; session {other} showed the same"));
        }
        let is_inferred = self.inferred && !self.sessions.is_empty();
        Some(Exposure {
            subject: "earlier session",
            observer: "passive",
            visibility: Some(if is_inferred { "inferred" } else { "seen" }),
            value: serde_json::json!({ "sessions": self.sessions, "by": by, "also_shown_in": self.also_shown_in }),
            text,
            alarm: false,
            sealed: false,
            evidence: vec![super::convert::at(found, hello.span)],
            why: "What a client shows to resume a session is in the clear, and the server gave it out before (RFC 8446 §C.4)."
                .to_owned(),
            listed: true,
        })
    }
}

type Hosts = (IpAddr, IpAddr);

/// Remembers, in bounded memory, which session issued a ticket or session id, and which showed one.
#[derive(Debug, Default)]
pub(super) struct Links {
    issued: HashMap<(Hosts, Vec<u8>), u64>,
    shown: HashMap<(Hosts, Vec<u8>), u64>,
    /// The sizes of sealed tickets, by the hosts and the latest session last.
    sealed: HashMap<Hosts, Vec<(u64, Vec<u16>)>>,
    /// Something found no room.
    is_full: bool,
}

impl Links {
    /// What a session goes on from; it is remembered for later ones.
    pub(super) fn take(&mut self, found: &Session) -> Option<Resumes> {
        let tls = found.tls.as_deref()?;
        let number = found.connection.number;
        let hosts = match found.client() {
            Direction::FromOriginator => (found.connection.originator.ip, found.connection.responder.ip),
            Direction::FromResponder => (found.connection.responder.ip, found.connection.originator.ip),
        };
        let resumes = self.resumes(hosts, number, tls);
        for token in tls.summary.issued() {
            if self.issued.len() < LINKED_TOKENS {
                self.issued.entry((hosts, token.to_vec())).or_insert(number);
            } else {
                self.is_full = true;
            }
        }
        let sizes = ticket_sizes(found, tls);
        if !sizes.is_empty() && self.sealed.len() >= LINKED_TOKENS && !self.sealed.contains_key(&hosts) {
            self.is_full = true;
        } else if !sizes.is_empty() {
            let sessions = self.sealed.entry(hosts).or_default();
            if sessions.len() >= TICKET_SESSIONS {
                sessions.remove(0);
            }
            sessions.push((number, sizes));
        }
        resumes
    }

    /// The limit, where it was reached.
    pub(super) fn limit(&self) -> Option<String> {
        self.is_full.then(|| {
            format!(
                "{LINKED_TOKENS} tickets and session ids are remembered: sessions that show later ones are not linked"
            )
        })
    }

    fn resumes(&mut self, hosts: Hosts, number: u64, tls: &TlsSeen) -> Option<Resumes> {
        let shown = tls.summary.shown()?;
        let is_sealed = tls.summary.is_tls13();
        let key = (hosts, shown.octets.to_vec());
        let also_shown_in = self.shown.get(&key).copied();
        let sessions = match self.issued.get(&key) {
            Some(issuer) => vec![*issuer],
            None if is_sealed => self.of_size(hosts, shown.length),
            None => Vec::new(),
        };
        if self.shown.len() < LINKED_TOKENS {
            self.shown.entry(key).or_insert(number);
        } else {
            self.is_full = true;
        }
        Some(Resumes { sessions, by: shown.kind, inferred: is_sealed, also_shown_in })
    }

    /// Sessions that sent a sealed record of the size that a ticket of `length` octets has.
    fn of_size(&self, hosts: Hosts, length: u16) -> Vec<u64> {
        let fits = |size: &u16| size.checked_sub(length).is_some_and(|around| AROUND_TICKET.contains(&around));
        let sessions = self.sealed.get(&hosts).into_iter().flatten();
        sessions.filter(|(_, sizes)| sizes.iter().any(fits)).map(|(number, _)| *number).collect()
    }
}

/// Octets of a NewSessionTicket message beside its ticket: 17, a nonce, and perhaps the early_data extension (RFC 8446
/// §4.6.1). Nonces are short: those of OpenSSL and GnuTLS have 8 octets.
const AROUND_TICKET: std::ops::RangeInclusive<u16> = 17..=17 + 32 + 8;

/// Octets in the sealed records after the handshake that are tickets.
fn ticket_sizes(found: &Session, tls: &TlsSeen) -> Vec<u16> {
    if !tls.summary.is_tls13() {
        return Vec::new();
    }
    let server = found.client().reversed();
    let phases = tls.trace.phases(server, found.smtp.is_none());
    let records = tls.trace.records().iter().zip(phases);
    let tickets = records.filter(|(record, phase)| *phase == Phase::PostHandshake && record.direction == server);
    tickets.filter_map(|(record, _)| Some(record.plaintext?.max)).take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_ticket_is_told_by_its_size_where_only_the_nonce_is_open() {
        let hosts = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let mut links = Links::default();
        links.sealed.insert(hosts, vec![(1, vec![217, 217]), (40, vec![233])]);
        assert_eq!(links.of_size(hosts, 192), [1, 40]);
        assert_eq!(links.of_size(hosts, 208), [40]);
        assert_eq!(links.of_size(hosts, 217), Vec::<u64>::new());
        assert_eq!(links.of_size((hosts.1, hosts.0), 192), Vec::<u64>::new());
    }
}
