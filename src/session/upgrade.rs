//! TLS that begins inside another protocol: which one, and where. SMTP has its own decoder; of the
//! others only this is read, so that their TLS is not lost.

use crate::limits::UPGRADE_OCTETS;
use crate::stream::Direction;
use crate::tls;

/// A protocol in which the client can ask for TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Upgraded {
    /// STARTTLS of IMAP (RFC 9051 §6.2.1).
    Imap,
    /// STLS of POP3 (RFC 2595 §4).
    Pop3,
    /// AUTH TLS of FTP (RFC 4217 §4).
    Ftp,
    /// The extended operation StartTLS of LDAP (RFC 4511 §4.14).
    Ldap,
    /// `starttls` of XMPP (RFC 6120 §5.4).
    Xmpp,
    /// STARTTLS of ManageSieve (RFC 5804 §2.2) or NNTP (RFC 4642).
    SieveOrNntp,
    /// STARTTLS of IRC, as its servers have it.
    Irc,
    /// The SSL request of MySQL and MariaDB.
    MySql,
    /// Enhanced RDP security, which the X.224 connection request asks for (MS-RDPBCGR §5.4).
    Rdp,
    /// CONNECT of SOCKS 4 or 5 (RFC 1928 §4): TLS with somebody behind a proxy.
    Socks,
    /// SSLRequest of PostgreSQL.
    PostgreSql,
    /// CONNECT of HTTP (RFC 9110 §9.3.6): TLS with somebody behind a proxy.
    HttpConnect,
}

impl Upgraded {
    /// A short name, as other tools have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Upgraded::Imap => "imap",
            Upgraded::Pop3 => "pop3",
            Upgraded::Ftp => "ftp",
            Upgraded::Ldap => "ldap",
            Upgraded::Xmpp => "xmpp",
            Upgraded::SieveOrNntp => "sieve",
            Upgraded::Irc => "irc",
            Upgraded::MySql => "mysql",
            Upgraded::Rdp => "rdp",
            Upgraded::Socks => "socks",
            Upgraded::PostgreSql => "pgsql",
            Upgraded::HttpConnect => "http",
        }
    }

    /// What happened, in words.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Upgraded::Imap => "IMAP in the clear, then sealed by STARTTLS",
            Upgraded::Pop3 => "POP3 in the clear, then sealed by STLS",
            Upgraded::Ftp => "FTP in the clear, then sealed by AUTH TLS",
            Upgraded::Ldap => "LDAP in the clear, then sealed by StartTLS",
            Upgraded::Xmpp => "XMPP in the clear, then sealed by starttls",
            Upgraded::SieveOrNntp => "ManageSieve or NNTP in the clear, then sealed by STARTTLS",
            Upgraded::Irc => "IRC in the clear, then sealed by STARTTLS",
            Upgraded::MySql => "MySQL, sealed after its SSL request",
            Upgraded::Rdp => "RDP, sealed after its connection request",
            Upgraded::Socks => "TLS through a SOCKS proxy",
            Upgraded::PostgreSql => "PostgreSQL, sealed after SSLRequest",
            Upgraded::HttpConnect => "TLS through an HTTP proxy",
        }
    }
}

/// Follows a connection that nothing here decodes, as far as a request for TLS and its answer.
#[derive(Debug, Default)]
pub(super) struct Upgrade {
    asked: Option<(Direction, Upgraded)>,
    agreed: bool,
    /// Octets looked at.
    seen: u64,
}

impl Upgrade {
    /// Takes the next octets of one direction. `Some`: they are the first of TLS, and that side is
    /// the client.
    pub(super) fn octets(&mut self, direction: Direction, bytes: &[u8]) -> Option<Upgraded> {
        if self.seen > UPGRADE_OCTETS {
            return None;
        }
        self.seen += bytes.len() as u64;
        if let Some((client, protocol)) = self.asked {
            match (direction == client, self.agreed) {
                (true, true) => {
                    self.asked = None;
                    let begins = matches!(tls::probe(bytes), tls::Probe::Certain | tls::Probe::NeedMore);
                    if begins {
                        return Some(protocol);
                    }
                }
                (false, false) => {
                    // A client of IRC asks in the same words.
                    if protocol == Upgraded::SieveOrNntp && agrees(Upgraded::Irc, bytes) {
                        self.asked = Some((client, Upgraded::Irc));
                    }
                    let protocol = self.asked.map_or(protocol, |(_, protocol)| protocol);
                    self.agreed = agrees(protocol, bytes);
                    if !self.agreed && protocol != Upgraded::Imap {
                        self.asked = None;
                    }
                }
                _ => {}
            }
        }
        if self.asked.is_none()
            && let Some(protocol) = request(bytes)
        {
            // A MySQL server has offered it in its greeting, and does not answer.
            (self.asked, self.agreed) = (Some((direction, protocol)), protocol == Upgraded::MySql);
        }
        None
    }
}

/// Whether the last thing that a client says here asks for TLS.
fn request(bytes: &[u8]) -> Option<Upgraded> {
    if bytes == SSL_REQUEST {
        return Some(Upgraded::PostgreSql);
    }
    if bytes.first() == Some(&0x30) && bytes.len() < 64 && contains(bytes, LDAP_START_TLS) {
        return Some(Upgraded::Ldap);
    }
    match bytes {
        // A packet of 32 octets, the second one; flags, of which 0x0800 is SSL.
        [32, 0, 0, 1, _, high, ..] if bytes.len() == 36 && high & 8 != 0 => return Some(Upgraded::MySql),
        // TPKT, X.224 connection request; at its end the protocols that the client can do besides RDP's own.
        [3, 0, _, _, _, 0xe0, .., 1, _, 8, 0, protocols, _, _, _] if *protocols != 0 => return Some(Upgraded::Rdp),
        [5, 1, 0, 1 | 3 | 4, ..] if bytes.len() >= 10 => return Some(Upgraded::Socks),
        [4, 1, _, _, _, _, _, _, .., 0] => return Some(Upgraded::Socks),
        _ => {}
    }
    if bytes.starts_with(b"CONNECT ") && bytes.ends_with(b"\r\n\r\n") {
        return Some(Upgraded::HttpConnect);
    }
    if bytes.ends_with(b">") {
        let start = &bytes[bytes.iter().rposition(|octet| *octet == b'<')?..];
        return start.starts_with(b"<starttls").then_some(Upgraded::Xmpp);
    }
    let line = bytes.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = &line[line.iter().rposition(|octet| *octet == b'\n').map_or(0, |end| end + 1)..];
    let is = |word: &[u8]| line.eq_ignore_ascii_case(word);
    if is(b"STLS") {
        return Some(Upgraded::Pop3);
    }
    if is(b"AUTH TLS") || is(b"AUTH SSL") || is(b"AUTH TLS-C") {
        return Some(Upgraded::Ftp);
    }
    if is(b"STARTTLS") {
        return Some(Upgraded::SieveOrNntp);
    }
    let (tag, command) = line.split_at(line.iter().position(|octet| *octet == b' ')?);
    (tag.len() <= 32 && command[1..].eq_ignore_ascii_case(b"STARTTLS")).then_some(Upgraded::Imap)
}

/// Whether the server's answer is that TLS may begin.
fn agrees(protocol: Upgraded, bytes: &[u8]) -> bool {
    match protocol {
        Upgraded::PostgreSql => bytes == b"S",
        Upgraded::Ldap => contains(bytes, LDAP_SUCCESS),
        Upgraded::Xmpp => contains(bytes, b"<proceed"),
        Upgraded::HttpConnect => bytes.starts_with(b"HTTP/1.") && bytes.get(8..10) == Some(b" 2"),
        Upgraded::Pop3 => bytes.starts_with(b"+OK"),
        Upgraded::Ftp => bytes.starts_with(b"234"),
        Upgraded::SieveOrNntp => bytes.starts_with(b"OK") || bytes.starts_with(b"382"),
        Upgraded::Irc => contains(bytes, b" 670 "),
        Upgraded::MySql => false,
        Upgraded::Rdp => matches!(bytes, [3, 0, _, _, _, 0xd0, .., 2, _, 8, 0, chosen, _, _, _] if *chosen != 0),
        Upgraded::Socks => matches!(bytes, [5, 0, 0, ..] | [0, 0x5a, _, _, _, _, _, _]),
        Upgraded::Imap => contains(bytes, b" OK"),
    }
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(bytes, word).is_some()
}

/// A length of 8 and the code 80877103 (PostgreSQL's documentation, "Message Formats").
const SSL_REQUEST: &[u8] = &[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f];

const LDAP_START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

/// The result code `success` of an ExtendedResponse: an enumeration of one octet, 0.
const LDAP_SUCCESS: &[u8] = &[0x0a, 0x01, 0x00];

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &[u8] = &[22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];

    /// What comes of it when client and server take turns.
    fn run(turns: &[&[u8]]) -> Option<Upgraded> {
        let mut upgrade = Upgrade::default();
        let mut directions = Direction::BOTH.iter().cycle();
        let mut found = None;
        for turn in turns {
            found = upgrade.octets(*directions.next().unwrap(), turn);
        }
        found
    }

    #[test]
    fn tls_is_found_where_a_client_asked_for_it_and_the_server_agreed() {
        let cases: [(&[u8], &[u8], Upgraded); 12] = [
            (b"a1 STARTTLS\r\n", b"a1 OK begin now\r\n", Upgraded::Imap),
            (b"STLS\r\n", b"+OK\r\n", Upgraded::Pop3),
            (b"auth tls\r\n", b"234 AUTH TLS OK.\r\n", Upgraded::Ftp),
            (
                b"0\x1d\x02\x01\x01w\x18\x80\x161.3.6.1.4.1.1466.20037",
                b"0\x0c\x02\x01\x01x\x07\n\x01\x00\x04\x00\x04\x00",
                Upgraded::Ldap,
            ),
            (b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", b"<proceed xmlns='x'/>", Upgraded::Xmpp),
            (b"STARTTLS\r\n", b"OK \"begin\"\r\n", Upgraded::SieveOrNntp),
            (b"STARTTLS\r\n", b":irc.example.org 670 * :STARTTLS successful\r\n", Upgraded::Irc),
            (
                b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x01\0\0\0",
                b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\0\x08\0\x01\0\0\0",
                Upgraded::Rdp,
            ),
            (b"\x05\x01\0\x01\xc0\0\x02\x14\x01\xbb", b"\x05\0\0\x01\0\0\0\0\0\0", Upgraded::Socks),
            (b"\x04\x01\x01\xbb\xc0\0\x02\x14user\0", b"\0\x5a\0\0\0\0\0\0", Upgraded::Socks),
            (SSL_REQUEST, b"S", Upgraded::PostgreSql),
            (b"CONNECT a:443 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 Connection established\r\n\r\n", Upgraded::HttpConnect),
        ];
        for (asks, answers, protocol) in cases {
            assert_eq!(run(&[asks, answers, HELLO]), Some(protocol));
            assert_eq!(run(&[asks, b"no\r\n", HELLO]), None, "{protocol:?} was refused");
            assert_eq!(run(&[asks, HELLO]), None, "{protocol:?} was not answered");
            assert_eq!(run(&[asks, answers, b"LIST\r\n"]), None);
            assert!(!protocol.name().is_empty() && !protocol.sentence().is_empty());
        }
    }

    #[test]
    fn a_mysql_server_has_offered_tls_and_does_not_answer_the_request() {
        let mut request = [0; 36];
        request[..8].copy_from_slice(&[32, 0, 0, 1, 0x85, 0xae, 0x7f, 0]);
        let mut upgrade = Upgrade::default();
        let [client, server] = Direction::BOTH;
        assert_eq!(upgrade.octets(server, b"\x4a\0\0\0\x0a8.0.11\0"), None);
        assert_eq!(upgrade.octets(client, &request), None);
        assert_eq!(upgrade.octets(client, HELLO), Some(Upgraded::MySql));
        request[5] = 0xa6;
        let mut upgrade = Upgrade::default();
        assert_eq!(upgrade.octets(client, &request), None);
        assert_eq!(upgrade.octets(client, HELLO), None, "the flag is not set");
    }

    #[test]
    fn octets_that_look_like_a_hello_without_a_request_are_left_alone() {
        assert_eq!(run(&[b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", HELLO]), None);
        assert_eq!(run(&[HELLO, HELLO, HELLO]), None);
    }

    #[test]
    fn a_request_late_in_a_long_conversation_is_not_looked_for() {
        let long = vec![b'x'; UPGRADE_OCTETS as usize + 1];
        assert_eq!(run(&[&long, b"ok", b"STLS\r\n", b"+OK\r\n", HELLO]), None);
    }
}
