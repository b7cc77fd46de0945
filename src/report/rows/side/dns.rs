//! Rows of DNS and of its kin: `Standard query response 0x1234 A mail.example.org A 192.0.2.9`.

use std::fmt::Write as _;

use super::text::push_text;
use super::{Kind, MALFORMED};
use crate::dns::{Data, Entry, Message, Name, NameFault, Record};

/// Writes one message, without a length before it.
pub fn message(octets: &[u8], kind: Kind, out: &mut String) {
    let Some(message) = Message::parse(octets) else {
        out.push_str(MALFORMED);
        return;
    };
    head(&message, out);
    let multicast = kind == Kind::Mdns;
    let mut entries = message.entries();
    let mut broken = false;
    for entry in entries.by_ref() {
        match entry {
            Entry::Question(question) => {
                let _ = write!(out, " {} ", question.record_type);
                push_name(&question.name, out);
                if multicast {
                    let way = if question.class & TOP_BIT != 0 { "QU" } else { "QM" };
                    let _ = write!(out, ", \"{way}\" question");
                }
            }
            Entry::Record(record) => {
                let _ = write!(out, " {}", record.record_type);
                if multicast && record.class & TOP_BIT != 0 && record.record_type != crate::dns::RecordType::OPT {
                    out.push_str(", cache flush");
                }
                broken = !push_data(&record, out);
                if broken {
                    break;
                }
            }
        }
    }
    if broken || entries.is_short() {
        out.push_str(MALFORMED);
    }
}

fn head(message: &Message<'_>, out: &mut String) {
    match message.flags.opcode() {
        0 => out.push_str("Standard query"),
        1 => out.push_str("Inverse query"),
        2 => out.push_str("Server status request"),
        4 => out.push_str("Zone change notification"),
        5 => out.push_str("Dynamic update"),
        6 => out.push_str("DNS Stateful operations (DSO)"),
        other => {
            let _ = write!(out, "Unknown operation ({other})");
        }
    }
    let response = message.flags.is_response();
    let _ = write!(out, "{} 0x{:04x}", if response { " response" } else { "" }, message.id);
    if response {
        match message.flags.response_code() {
            0 => {}
            code => match RESULTS.get(usize::from(code) - 1) {
                Some(name) => {
                    let _ = write!(out, " {name}");
                }
                None => {
                    let _ = write!(out, " Unknown error ({code})");
                }
            },
        }
    }
}

/// Writes what a record's data say; `false` where they are broken.
fn push_data(record: &Record<'_>, out: &mut String) -> bool {
    if record.octets.is_empty() {
        return true;
    }
    match record.data() {
        Data::A(address) => {
            let _ = write!(out, " {address}");
        }
        Data::Aaaa(address) => {
            let _ = write!(out, " {address}");
        }
        Data::Name(name) | Data::Nsec(name) => spaced(&name, out),
        Data::Mx { preference, exchange } => {
            let _ = write!(out, " {preference}");
            spaced(&exchange, out);
        }
        Data::Srv { priority, weight, port, target } => {
            let _ = write!(out, " {priority} {weight} {port}");
            spaced(&target, out);
        }
        Data::Soa { primary, .. } => spaced(&primary, out),
        Data::Hinfo { cpu, os } => {
            for text in [cpu, os] {
                out.push(' ');
                push_text(text, out);
            }
        }
        Data::Naptr { order, preference, flags } => {
            let _ = write!(out, " {order} {preference} ");
            push_text(flags, out);
        }
        Data::Tlsa { .. } => spaced(&record.name, out),
        Data::Txt(text) => {
            let used: usize = text.map(|string| string.len() + 1).sum();
            return used == record.octets.len() || record.record_type != crate::dns::RecordType::TXT;
        }
        Data::Other(octets) => match record.record_type.0 {
            WKS => {
                if let Some(address) = octets.first_chunk::<4>() {
                    let _ = write!(out, " {}", std::net::Ipv4Addr::from(*address));
                }
            }
            number if NAMED_AFTER_OWNER.contains(&number) => spaced(&record.name, out),
            _ => {}
        },
        Data::Broken => return false,
    }
    true
}

fn spaced(name: &Name<'_>, out: &mut String) {
    out.push(' ');
    push_name(name, out);
}

fn push_name(name: &Name<'_>, out: &mut String) {
    match name.fault() {
        Some(NameFault::Loop) => out.push_str("<Name contains a pointer that loops>"),
        Some(NameFault::TooLong) => out.push_str("<Name too long>"),
        None if name.is_root() => out.push_str("<Root>"),
        None => push_text(&name.octets(), out),
    }
}

/// Response codes from 1 (IANA: DNS RCODEs).
const RESULTS: [&str; 11] = [
    "Format error",
    "Server failure",
    "No such name",
    "Not implemented",
    "Refused",
    "Name exists",
    "RRset exists",
    "RRset does not exist",
    "Not authoritative",
    "Name out of zone",
    "DSO-Type not implemented",
];

/// In mDNS the top bit of the class is a flag (RFC 6762 §5.4 and §10.2).
const TOP_BIT: u16 = 0x8000;
const WKS: u16 = 11;
/// Types whose row repeats the record's own name, for want of anything short in their data.
const NAMED_AFTER_OWNER: [u16; 21] = [3, 4, 7, 8, 9, 10, 14, 17, 18, 19, 20, 21, 22, 23, 26, 27, 42, 49, 51, 52, 55];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::tests::RESPONSE;

    fn line(octets: &[u8], kind: Kind) -> String {
        let mut out = String::new();
        message(octets, kind, &mut out);
        out
    }

    #[test]
    fn a_response_shows_question_and_answers() {
        assert_eq!(
            line(RESPONSE, Kind::Dns),
            "Standard query response 0x1234 A mail.example.org A 192.0.2.9 MX 10 mail.example.org"
        );
    }

    #[test]
    fn a_failed_query_says_how() {
        let mut octets = RESPONSE[..34].to_vec();
        octets[3] = 0x83;
        octets[7] = 0;
        assert_eq!(line(&octets, Kind::Dns), "Standard query response 0x1234 No such name A mail.example.org");
        octets[3] = 0x8c;
        assert_eq!(line(&octets, Kind::Dns), "Standard query response 0x1234 Unknown error (12) A mail.example.org");
    }

    #[test]
    fn multicast_has_its_flags_in_the_class() {
        let mut octets = RESPONSE.to_vec();
        octets[32] = 0x80;
        octets[38] = 0x80;
        assert_eq!(
            line(&octets, Kind::Mdns),
            "Standard query response 0x1234 A mail.example.org, \"QU\" question A, cache flush 192.0.2.9 \
             MX 10 mail.example.org"
        );
    }

    #[test]
    fn a_message_cut_anywhere_is_malformed_after_what_was_read() {
        for end in 0..RESPONSE.len() {
            assert!(line(&RESPONSE[..end], Kind::Dns).ends_with("[Malformed Packet]"), "{end}");
        }
        assert_eq!(line(&RESPONSE[..3], Kind::Dns), "[Malformed Packet]");
        assert_eq!(line(&RESPONSE[..30], Kind::Dns), "Standard query response 0x1234[Malformed Packet]");
        assert_eq!(
            line(&RESPONSE[..48], Kind::Dns),
            "Standard query response 0x1234 A mail.example.org A[Malformed Packet]"
        );
    }
}
