//! What a proxy says of the client before the dialogue: the PROXY protocol (HAProxy, versions 1
//! and 2), and Postfix's XCLIENT and XFORWARD inside it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::summary::keep;
use super::xtext::decode_xtext;
use super::{Command, Verb};
use crate::limits;
use crate::stream::Span;

/// The header of the PROXY protocol: on whose behalf the connection was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyHeader {
    /// 1 (a line of text) or 2 (octets).
    pub version: u8,
    /// The client behind the proxy; `None`: the proxy speaks for itself, or does not tell.
    pub source: Option<SocketAddr>,
    /// The server that the client wanted.
    pub destination: Option<SocketAddr>,
    /// Version 2: the host name that the client asked for.
    pub authority: Option<Vec<u8>>,
    /// Version 2: the version of TLS that the client used towards the proxy, as it spells it.
    pub tls: Option<Vec<u8>>,
    /// Where it stands.
    pub span: Span,
}

/// How the header of version 2 begins.
pub(super) const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Octets before the addresses of version 2.
pub(super) const FIXED: usize = 16;

impl ProxyHeader {
    /// Reads `PROXY TCP4 source destination source-port destination-port`.
    #[must_use]
    pub fn parse_line(line: &[u8], span: Span) -> Option<ProxyHeader> {
        let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
        let header =
            |source, destination| ProxyHeader { version: 1, source, destination, authority: None, tls: None, span };
        match (words.next()?, words.next()?) {
            ("PROXY", "UNKNOWN") => Some(header(None, None)),
            ("PROXY", "TCP4" | "TCP6") => {
                let (from, to): (IpAddr, IpAddr) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
                let (from_port, to_port) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
                Some(header(Some(SocketAddr::new(from, from_port)), Some(SocketAddr::new(to, to_port))))
            }
            _ => None,
        }
    }

    /// Reads a header of version 2, of which all octets are there.
    #[must_use]
    pub fn parse(octets: &[u8], span: Span) -> Option<ProxyHeader> {
        let length = 16 + usize::from(u16::from_be_bytes(*octets.get(14..)?.first_chunk()?));
        let (head, rest) = octets.get(..length)?.split_at(16);
        if !head.starts_with(SIGNATURE) || head[12] >> 4 != 2 {
            return None;
        }
        let local = head[12] & 0xf == 0;
        let mut header = ProxyHeader { version: 2, source: None, destination: None, authority: None, tls: None, span };
        let extra = match head[13] >> 4 {
            1 => {
                let addresses: &[u8; 12] = rest.first_chunk()?;
                let at = |i: usize| IpAddr::V4(Ipv4Addr::from([0, 1, 2, 3].map(|n| addresses[i + n])));
                header.source = Some(SocketAddr::new(at(0), port(&addresses[8..])));
                header.destination = Some(SocketAddr::new(at(4), port(&addresses[10..])));
                &rest[12..]
            }
            2 => {
                let addresses: &[u8; 36] = rest.first_chunk()?;
                let at = |i: usize| {
                    let mut octets = [0; 16];
                    octets.copy_from_slice(&addresses[i..i + 16]);
                    IpAddr::V6(Ipv6Addr::from(octets))
                };
                header.source = Some(SocketAddr::new(at(0), port(&addresses[32..])));
                header.destination = Some(SocketAddr::new(at(16), port(&addresses[34..])));
                &rest[36..]
            }
            3 => rest.get(216..).unwrap_or_default(),
            _ => rest,
        };
        if local {
            (header.source, header.destination) = (None, None);
        }
        for (kind, value) in extensions(extra) {
            match kind {
                AUTHORITY => header.authority = Some(keep(value)),
                // A bit field, a result, then extensions of their own.
                TLS => {
                    let inner = extensions(value.get(5..).unwrap_or_default());
                    header.tls = inner.into_iter().find(|(kind, _)| *kind == TLS_VERSION).map(|(_, v)| keep(v));
                }
                _ => {}
            }
        }
        Some(header)
    }
}

/// How many octets a header of version 2 has in all, once its fixed part is there.
pub(super) fn whole_length(head: &[u8]) -> Option<u64> {
    let length = head.get(14..)?.first_chunk()?;
    Some(FIXED as u64 + u64::from(u16::from_be_bytes(*length)))
}

fn port(octets: &[u8]) -> u16 {
    octets.first_chunk().map_or(0, |port| u16::from_be_bytes(*port))
}

/// Type, length, value.
fn extensions(mut rest: &[u8]) -> Vec<(u8, &[u8])> {
    let mut all = Vec::new();
    while let [kind, high, low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(value) = after.get(..length) else { break };
        all.push((*kind, value));
        rest = &after[length..];
    }
    all
}

/// PP2_TYPE_AUTHORITY.
const AUTHORITY: u8 = 0x02;
/// PP2_TYPE_SSL.
const TLS: u8 = 0x20;
/// PP2_SUBTYPE_SSL_VERSION.
const TLS_VERSION: u8 = 0x21;

/// XCLIENT or XFORWARD: what a proxy or filter says of the client that it speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientClaim {
    /// Which of the two.
    pub verb: Verb,
    /// Names in upper case, and values decoded from xtext; `None` for `[UNAVAILABLE]` and
    /// `[TEMPUNAVAIL]`.
    pub attributes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Whether the server took it; `None`: cannot tell.
    pub accepted: Option<bool>,
    /// The command.
    pub span: Span,
}

impl ClientClaim {
    /// Reads the attributes of a command (Postfix, XCLIENT_README and XFORWARD_README).
    pub(super) fn read(command: &Command<'_>, span: Span) -> ClientClaim {
        let words = command.argument.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty());
        let attributes = words.take(limits::SMTP_CLAIM_ATTRIBUTES).map(|word| {
            let (name, value) = match memchr::memchr(b'=', word) {
                Some(at) => (&word[..at], &word[at + 1..]),
                None => (word, &b""[..]),
            };
            let unknown = [&b"[UNAVAILABLE]"[..], b"[TEMPUNAVAIL]"].iter().any(|no| value.eq_ignore_ascii_case(no));
            (keep(&name.to_ascii_uppercase()), (!unknown).then(|| keep(&decode_xtext(value))))
        });
        ClientClaim { verb: command.verb, attributes: attributes.collect(), accepted: None, span }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::smtp::LineEnd;
    use crate::stream::Direction;

    fn span() -> Span {
        Span::new(Direction::FromOriginator, 0, 1)
    }

    /// A header of version 2 for IPv4, with an authority and a TLS version.
    pub(in crate::smtp) fn version_2() -> Vec<u8> {
        let mut octets = SIGNATURE.to_vec();
        octets.extend_from_slice(&[0x21, 0x11, 0, 0]);
        octets.extend_from_slice(&[198, 51, 100, 7, 192, 0, 2, 25, 0xd4, 0x31, 0, 25]);
        octets.extend_from_slice(b"\x02\0\x0fmx1.example.org");
        octets.extend_from_slice(b"\x20\0\x0f\x01\0\0\0\0\x21\0\x07TLSv1.3");
        let length = u16::try_from(octets.len() - 16).unwrap().to_be_bytes();
        octets[14..16].copy_from_slice(&length);
        octets
    }

    #[test]
    fn version_1_is_a_line() {
        let header = ProxyHeader::parse_line(b"PROXY TCP4 198.51.100.7 192.0.2.25 54321 25", span()).unwrap();
        assert_eq!(header.source, Some("198.51.100.7:54321".parse().unwrap()));
        assert_eq!(header.destination, Some("192.0.2.25:25".parse().unwrap()));
        let six = ProxyHeader::parse_line(b"PROXY TCP6 2001:db8::7 2001:db8::25 1 25", span()).unwrap();
        assert_eq!(six.source, Some("[2001:db8::7]:1".parse().unwrap()));
        assert_eq!(ProxyHeader::parse_line(b"PROXY UNKNOWN", span()).map(|h| h.source), Some(None));
        assert_eq!(ProxyHeader::parse_line(b"PROXY TCP4 198.51.100.7", span()), None);
        assert_eq!(ProxyHeader::parse_line(b"PROXY UDP4 1 2 3 4", span()), None);
    }

    #[test]
    fn version_2_is_octets_with_extensions() {
        let octets = version_2();
        let header = ProxyHeader::parse(&octets, span()).unwrap();
        assert_eq!(header.source, Some("198.51.100.7:54321".parse().unwrap()));
        assert_eq!(header.authority.as_deref(), Some(&b"mx1.example.org"[..]));
        assert_eq!(header.tls.as_deref(), Some(&b"TLSv1.3"[..]));
        assert_eq!(whole_length(&octets), Some(octets.len() as u64));
        for cut in 0..octets.len() {
            assert_eq!(ProxyHeader::parse(&octets[..cut], span()), None, "{cut}");
        }
        assert_eq!(ProxyHeader::parse(&[&octets[..], b"EHLO x\r\n"].concat(), span()), Some(header));
        let mut local = octets.clone();
        local[12] = 0x20;
        assert_eq!(ProxyHeader::parse(&local, span()).map(|h| h.source), Some(None));
        let mut six = SIGNATURE.to_vec();
        six.extend_from_slice(&[0x21, 0x21, 0, 36]);
        six.extend_from_slice(&[1; 32]);
        six.extend_from_slice(&[0, 7, 0, 25]);
        assert_eq!(ProxyHeader::parse(&six, span()).and_then(|h| h.source).map(|s| s.port()), Some(7));
    }

    #[test]
    fn attributes_of_xclient_are_decoded() {
        let line = b"XFORWARD NAME=spike.example.org addr=198.51.100.7 HELO=a+3Db PORT=[UNAVAILABLE] LOGIN=";
        let command = Command::parse(0, line, LineEnd::Crlf).unwrap();
        let claim = ClientClaim::read(&command, span());
        let value = |name: &str| claim.attributes.iter().find(|(n, _)| n == name.as_bytes()).unwrap().1.clone();
        assert_eq!(value("NAME").as_deref(), Some(&b"spike.example.org"[..]));
        assert_eq!(value("ADDR").as_deref(), Some(&b"198.51.100.7"[..]));
        assert_eq!(value("HELO").as_deref(), Some(&b"a=b"[..]));
        assert_eq!(value("PORT"), None);
        assert_eq!(value("LOGIN").as_deref(), Some(&b""[..]));
    }
}
