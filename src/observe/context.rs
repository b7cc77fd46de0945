//! What passes by around a session: names of its hosts, and whom they look for in the DNS.

use std::net::IpAddr;

use super::{Cell, Exposure, Place, Value, Visibility, plural, text, utf8};
use crate::dns::RecordType;
use crate::session::{LookUp, NameFound, NameSource, Session};
use crate::stream::Direction;

/// States what the DNS, NetBIOS and DHCP give away of a mail session.
pub(super) fn exposures(session: &Session, out: &mut Vec<Exposure>) {
    let (originator, responder) = (session.connection.originator.ip, session.connection.responder.ip);
    let (client, server) = match session.client() {
        Direction::FromOriginator => (originator, responder),
        Direction::FromResponder => (responder, originator),
    };
    let names = &session.around.names;
    for (nth, found) in names.iter().enumerate() {
        let is_it = |other: &NameFound| other.address == found.address && other.name.eq_ignore_ascii_case(&found.name);
        if names[..nth].iter().any(is_it) {
            continue;
        }
        let (whose, by) = match (found.address == server, found.by) {
            (true, _) if server == client => ("the host", how(found.by)),
            (true, by) => ("the server", how(by)),
            (false, by) => ("the client", how(by)),
        };
        let words = format!("{whose}, {}, is {} {by}", found.address, text(&found.name));
        out.push(Exposure::seen("host name", utf8(&found.name), words).because(why(found.by)).at_packet(found.packet));
    }
    let mut told: Vec<(&'static str, Vec<u8>)> = Vec::new();
    for lookup in &session.around.lookups {
        let Some((subject, name, words)) = meaning(lookup, client, server) else { continue };
        if told.iter().any(|(known, of)| *known == subject && of.eq_ignore_ascii_case(&name)) {
            continue;
        }
        let words = format!("{}: {words}", text(&name));
        out.push(
            Exposure::inferred(subject, utf8(&name), words)
                .because("What a host asks the DNS for while it sends or takes a mail is about that mail, or about another of the same time.")
                .at_packet(lookup.packet),
        );
        told.push((subject, name));
    }
    let more = session.around.lookups_not_kept;
    if let Some(last) = session.around.lookups.last().filter(|_| more > 0) {
        let words = format!("of both hosts {} more, which were not looked at", plural(more, "question"));
        out.push(Exposure::seen("look-ups", Value::Number(more), words).at_packet(last.packet));
    }
}

/// A name of the server's address that passed by before the session: one of the DNS if there is any.
pub(super) fn server_name(session: &Session) -> Option<Cell> {
    let server = match session.client() {
        Direction::FromOriginator => session.connection.responder.ip,
        Direction::FromResponder => session.connection.originator.ip,
    };
    let of_server = || session.around.names.iter().filter(|found| found.address == server);
    let of_dns = |found: &&NameFound| matches!(found.by, NameSource::Address | NameSource::Pointer);
    let found = of_server().find(of_dns).or_else(|| of_server().next())?;
    Some(Cell {
        visibility: Some(Visibility::Seen),
        value: utf8(&found.name),
        why: match found.by {
            NameSource::Address | NameSource::Pointer => {
                "The client asked the DNS for the server's address, or somebody for the name of that address."
                    .to_owned()
            }
            by => why(by).to_owned(),
        },
        evidence: vec![Place::Packet(found.packet)],
    })
}

fn why(by: NameSource) -> &'static str {
    match by {
        NameSource::Address | NameSource::Pointer => {
            "Questions to the DNS and their answers pass in the clear, unless DNS over TLS or HTTPS is used (RFC 7858, RFC 8484)."
        }
        NameSource::Netbios => {
            "NetBIOS tells the names of its machine to whoever asks in the local network (RFC 1002 §4.2)."
        }
        NameSource::Dhcp => {
            "A host says its name in the clear to the whole local network when it asks for an address (RFC 2131), unless it is set up not to (RFC 7844)."
        }
    }
}

fn how(by: NameSource) -> &'static str {
    match by {
        NameSource::Address => "by an answer of the DNS (A or AAAA)",
        NameSource::Pointer => "by an answer of the DNS (PTR)",
        NameSource::Netbios => "by NetBIOS",
        NameSource::Dhcp => "by the name that it gave itself when it asked for its address (DHCP)",
    }
}

/// What a question gives away: what about, the name, and why in words.
fn meaning(lookup: &LookUp, client: IpAddr, server: IpAddr) -> Option<(&'static str, Vec<u8>, &'static str)> {
    let name = lookup.name.as_slice();
    let (from_client, from_server) = (lookup.host == client, lookup.host == server);
    let after = |prefix: &[u8]| {
        let (first, rest) = name.split_at_checked(prefix.len())?;
        (first.eq_ignore_ascii_case(prefix) && !rest.is_empty()).then(|| rest.to_vec())
    };
    match lookup.record_type {
        RecordType::MX if from_client => Some((
            "MX look-up",
            name.to_vec(),
            "a recipient's domain, it seems: the client asked who takes mail for it (RFC 5321 §5.1)",
        )),
        RecordType::TLSA if from_client => {
            let host = after(b"_25._tcp.")?;
            Some(("TLSA look-up", host, "the client asked which certificate it has to show (RFC 7672)"))
        }
        RecordType::TXT | RecordType::SPF => {
            if let Some(domain) = after(b"_mta-sts.") {
                return from_client.then_some((
                    "MTA-STS look-up",
                    domain,
                    "a recipient's domain, it seems: the client asked whether TLS is due (RFC 8461 §3.1)",
                ));
            }
            if !from_server {
                return None;
            }
            if let Some(domain) = after(b"_dmarc.") {
                return Some((
                    "DMARC look-up",
                    domain,
                    "the author's domain, it seems: the server asked for its policy (RFC 7489 §6.6.3)",
                ));
            }
            if let Some(at) = memchr::memmem::find(&name.to_ascii_lowercase(), b"._domainkey.") {
                let domain = name[at + b"._domainkey.".len()..].to_vec();
                return Some((
                    "DKIM look-up",
                    domain,
                    "the signer's domain: the server asked for its key (RFC 6376 §3.6.2)",
                ));
            }
            (!name.starts_with(b"_")).then(|| {
                (
                    "SPF look-up",
                    name.to_vec(),
                    "the sender's domain, it seems: the server asked who may send for it (RFC 7208 §4.4)",
                )
            })
        }
        RecordType::A if from_server => {
            let zone = listed_in(name, client)?;
            Some(("blocklist", zone, "the server asked it for the client's address (RFC 5782)"))
        }
        _ => None,
    }
}

/// The blocklist that a name asks for an address: the address reversed, and the list's zone (RFC 5782 §2.1).
fn listed_in(name: &[u8], address: IpAddr) -> Option<Vec<u8>> {
    let IpAddr::V4(address) = address else { return None };
    let [a, b, c, d] = address.octets();
    let zone = name.strip_prefix(format!("{d}.{c}.{b}.{a}.").as_bytes())?;
    (!zone.is_empty() && !zone.eq_ignore_ascii_case(b"in-addr.arpa")).then(|| zone.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn what_a_host_asks_for_tells_about_its_mail() {
        let (client, server) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let of = |host: IpAddr, name: &str, record_type| {
            let time = Timestamp::from_nanos(0);
            let lookup = LookUp { host, name: name.as_bytes().to_vec(), record_type, time, packet: 1 };
            meaning(&lookup, client, server).map(|(subject, name, _)| (subject, String::from_utf8(name).unwrap()))
        };
        let is = |subject: &'static str, name: &str| Some((subject, name.to_owned()));
        assert_eq!(of(client, "example.org", RecordType::MX), is("MX look-up", "example.org"));
        assert_eq!(of(server, "example.org", RecordType::MX), None);
        assert_eq!(of(client, "_MTA-STS.example.org", RecordType::TXT), is("MTA-STS look-up", "example.org"));
        assert_eq!(of(client, "_25._tcp.mail.example.org", RecordType::TLSA), is("TLSA look-up", "mail.example.org"));
        assert_eq!(of(server, "example.com", RecordType::TXT), is("SPF look-up", "example.com"));
        assert_eq!(of(server, "_dmarc.example.com", RecordType::TXT), is("DMARC look-up", "example.com"));
        assert_eq!(of(server, "s1._domainkey.example.com", RecordType::TXT), is("DKIM look-up", "example.com"));
        assert_eq!(of(server, "1.2.0.192.list.example.net", RecordType::A), is("blocklist", "list.example.net"));
        assert_eq!(of(server, "2.2.0.192.list.example.net", RecordType::A), None);
        assert_eq!(of(client, "example.com", RecordType::TXT), None);
        assert_eq!(of(server, "_dmarc.", RecordType::TXT), None);
    }
}
