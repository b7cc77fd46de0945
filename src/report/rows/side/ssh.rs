//! Rows of SSH: `Client: Key Exchange Init`.

use std::fmt::Write as _;

use super::text::push_text;
use crate::ssh::{Connection, Event, KeyExchange, Sender, Taken, Version};

/// Takes what one segment carries and writes its row. Returns the protocol column; `None` where the
/// segment completes nothing, and the row is TCP's.
pub fn row(connection: &mut Connection, sender: Sender, piece: &[u8], out: &mut String) -> Option<&'static str> {
    let protocol = match connection.version() {
        Version::Unknown => "SSH",
        Version::One => "SSHv1",
        Version::Two => "SSHv2",
    };
    let mut first = String::new();
    let mut rest = String::new();
    let mut count = 0;
    let taken = connection.take(sender, piece, &mut |connection, event| {
        let words = if count == 0 { &mut first } else { &mut rest };
        let before = words.len();
        if count > 1 {
            words.push_str(", ");
        }
        if !push_event(connection, sender, event, words) {
            words.truncate(before);
        }
        count += 1;
    });
    if count == 0 {
        return None;
    }
    let side = match sender {
        Sender::Client => "Client: ",
        Sender::Server => "Server: ",
    };
    // A packet that began in an earlier segment is worded on its own; what else the segment holds is
    // worded after it, and each of the two that is complete has the side before all.
    let groups = match taken {
        Taken { continued: true, incomplete, .. } => usize::from(!incomplete && count > 1) + 1,
        Taken { incomplete, .. } => usize::from(!incomplete),
    };
    for _ in 0..groups {
        out.push_str(side);
    }
    out.push_str(&first);
    if !first.is_empty() && !rest.is_empty() {
        out.push_str(", ");
    }
    out.push_str(&rest);
    Some(protocol)
}

/// Writes one event; `false` where the row says nothing of it.
fn push_event(connection: &Connection, sender: Sender, event: Event<'_>, out: &mut String) -> bool {
    match event {
        Event::Identification(line) => {
            out.push_str("Protocol (");
            push_text(line, out);
            out.push(')');
        }
        Event::KeyExchangeInit(_) => out.push_str("Key Exchange Init"),
        Event::Message { number, method, .. } => match number.name(method) {
            Some(name) => out.push_str(name),
            None => {
                let _ = write!(out, "Unknown ({})", number.0);
            }
        },
        Event::MessageOfVersion1(number) => match number.name_in_version_1() {
            Some(name) => out.push_str(name),
            None => {
                let _ = write!(out, "Unknown ({})", number.0);
            }
        },
        Event::Sealed(_) if is_passed_over(connection, sender) => return false,
        Event::Sealed(length) => {
            let _ = write!(out, "Encrypted packet (len={length})");
        }
    }
    true
}

/// Wireshark 4.0 tries to decrypt with these ciphers after these key exchanges, whether it has a key or
/// not, and then leaves the row empty.
fn is_passed_over(connection: &Connection, sender: Sender) -> bool {
    connection.has_exchanged_keys()
        && connection.key_exchange() != Some(KeyExchange::GroupExchange)
        && connection.cipher(sender).is_some_and(|cipher| PASSED_OVER.contains(&cipher))
}

const PASSED_OVER: [&[u8]; 7] = [
    b"chacha20-poly1305@openssh.com",
    b"aes128-cbc",
    b"aes192-cbc",
    b"aes256-cbc",
    b"aes128-ctr",
    b"aes192-ctr",
    b"aes256-ctr",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh::tests::{offer, packet};

    fn rows(method: &str, cipher: &str) -> Vec<(&'static str, String)> {
        use Sender::{Client, Server};
        let pieces = [
            (Client, b"SSH-2.0-a\x1b\r\n".to_vec()),
            (Server, b"SSH-2.0-b\r\n".to_vec()),
            (Client, offer(method, cipher)),
            (Server, offer(method, cipher)),
            (Client, packet(30, b"")),
            (Server, [packet(31, b""), packet(21, b"")].concat()),
            (Client, packet(21, b"")),
            (Client, vec![7; 36]),
        ];
        let mut connection = Connection::new();
        pieces
            .iter()
            .map(|(sender, piece)| {
                let mut out = String::new();
                let protocol = row(&mut connection, *sender, piece, &mut out);
                (protocol.unwrap_or("TCP"), out)
            })
            .collect()
    }

    #[test]
    fn a_connection_is_told_row_by_row() {
        let expected = [
            ("SSH", "Client: Protocol (SSH-2.0-a\\033)"),
            ("SSHv2", "Server: Protocol (SSH-2.0-b)"),
            ("SSHv2", "Client: Key Exchange Init"),
            ("SSHv2", "Server: Key Exchange Init"),
            ("SSHv2", "Client: Elliptic Curve Diffie-Hellman Key Exchange Init"),
            ("SSHv2", "Server: Elliptic Curve Diffie-Hellman Key Exchange Reply, New Keys"),
            ("SSHv2", "Client: New Keys"),
            ("SSHv2", "Client: Encrypted packet (len=36)"),
        ];
        assert_eq!(rows("curve25519-sha256", "3des-cbc"), expected.map(|(p, i)| (p, i.to_string())));
    }

    #[test]
    fn what_wireshark_tries_to_decrypt_has_an_empty_row() {
        assert_eq!(rows("curve25519-sha256", "aes128-ctr").last().unwrap().1, "Client: ");
        let group = rows("diffie-hellman-group-exchange-sha256", "aes128-ctr");
        assert_eq!(group.last().unwrap().1, "Client: Encrypted packet (len=36)");
    }

    #[test]
    fn a_packet_across_segments_is_in_the_row_of_the_last() {
        let mut connection = Connection::new();
        let mut take = |piece: &[u8]| {
            let mut out = String::new();
            (row(&mut connection, Sender::Client, piece, &mut out), out)
        };
        let offer = offer("a", "b");
        assert_eq!(take(&[b"SSH-2.0-a\r\n", &offer[..50]].concat()), (Some("SSH"), "Protocol (SSH-2.0-a)".into()));
        assert_eq!(take(&offer[50..80]), (None, String::new()));
        assert_eq!(
            take(&[&offer[80..], &packet(2, b"")].concat()),
            (Some("SSHv2"), "Client: Client: Key Exchange Init, Ignore".into())
        );
    }
}
