//! What an SSH connection gives away after its key exchange: how many keys are pressed, and when.
//!
//! A key press is one packet of the least size that the cipher makes of one octet of channel data, and
//! the server's echo is another (RFC 4254 §5.2; Song, Wagner and Tian, USENIX Security 2001). OpenSSH
//! from 9.5 on hides this among packets of the same size in a steady beat (`ObscureKeystrokeTiming`).

use crate::limits;
use crate::stream::Span;
use crate::time::Timestamp;

use super::{Connection, Event, Sender, negotiated};

/// Follows one SSH connection.
#[derive(Debug, Default)]
pub struct Watch {
    connection: Connection,
    summary: Summary,
    offers: [Option<Offer>; 2],
    /// The client's last packet of a key's size, until the server answers it.
    pressed: Option<Pressed>,
    /// The last key press that was echoed was the client's last word.
    is_typing: bool,
    /// When the last packet of a key's size came from the client.
    last_small: Option<Timestamp>,
}

/// What is known of an SSH connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// The identification lines of client and server, without `SSH-`.
    pub identifications: [Option<Vec<u8>>; 2],
    /// Where they stand.
    pub identification_spans: [Option<Span>; 2],
    /// The agreed method of key exchange.
    pub key_exchange: Option<Vec<u8>>,
    /// The agreed kind of host key.
    pub host_key: Option<Vec<u8>>,
    /// The agreed ciphers, from client to server and back.
    pub ciphers: [Option<Vec<u8>>; 2],
    /// The agreed authentication codes, from client to server and back; ciphers with authentication of
    /// their own do not use them.
    pub macs: [Option<Vec<u8>>; 2],
    /// The agreed compression, from client to server and back.
    pub compressions: [Option<Vec<u8>>; 2],
    /// Where the offers of client and server end.
    pub offer_spans: [Option<Span>; 2],
    /// Octets of a packet with one octet of channel data, from client to server and back.
    pub key_packets: [Option<u16>; 2],
    /// Key presses.
    pub keys: Keys,
    /// Sealed octets of client and server.
    pub sealed: [u64; 2],
}

/// Key presses, by size and order of packets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys {
    /// Single-key packets of the client that the server echoed with one of the same size.
    pub echoed: u64,
    /// Single-key packets right after such a one, which the server answered with more: Enter, Tab and
    /// control keys.
    pub answered: u64,
    /// The times between one key press and the next, in the order of length: at most
    /// `limits::SSH_KEY_PRESSES`, the first ones.
    intervals: Vec<i64>,
    /// The last key press.
    last: Option<Timestamp>,
    /// Single-key packets of the client that came in a steady beat after the one before.
    pub steady: u64,
    /// Where the first and the last of them stand.
    pub spans: Option<(Span, Span)>,
}

#[derive(Clone, Copy, Debug)]
struct Pressed {
    time: Timestamp,
    span: Span,
}

/// The lists of one side's offer.
#[derive(Clone, Debug)]
struct Offer {
    key_exchange: Vec<u8>,
    host_key: Vec<u8>,
    encryption: [Vec<u8>; 2],
    mac: [Vec<u8>; 2],
    compression: [Vec<u8>; 2],
}

impl Watch {
    /// Takes the next octets that `sender` sent: one delivery, most often one packet.
    pub fn take(&mut self, sender: Sender, span: Span, time: Timestamp, bytes: &[u8]) {
        let (summary, offers) = (&mut self.summary, &mut self.offers);
        let index = sender as usize;
        let mut sealed = None;
        self.connection.take(sender, bytes, &mut |_, event| match event {
            Event::Identification(line) if summary.identifications[index].is_none() => {
                let line = line.get(4..).unwrap_or_default();
                summary.identifications[index] = Some(line[..line.len().min(limits::SSH_IDENTIFICATION)].to_vec());
                summary.identification_spans[index] = Some(span);
            }
            Event::KeyExchangeInit(init) if offers[index].is_none() => {
                offers[index] = Some(Offer {
                    key_exchange: init.key_exchange.to_vec(),
                    host_key: init.host_key.to_vec(),
                    encryption: init.encryption.map(<[u8]>::to_vec),
                    mac: init.mac.map(<[u8]>::to_vec),
                    compression: init.compression.map(<[u8]>::to_vec),
                });
                summary.offer_spans[index] = Some(span);
            }
            Event::Sealed(length) => sealed = Some(length),
            _ => {}
        });
        if let [Some(client), Some(server)] = &self.offers {
            self.summary.agree(client, server);
            self.offers = [None, None];
        }
        if let Some(length) = sealed {
            self.summary.sealed[index] = self.summary.sealed[index].saturating_add(length as u64);
            if length == bytes.len() {
                self.sealed(sender, span, time, length);
            } else {
                (self.pressed, self.is_typing) = (None, false);
            }
        }
    }

    /// Octets are missing: what was under way cannot be told.
    pub fn gap(&mut self) {
        (self.pressed, self.is_typing, self.last_small) = (None, false, None);
    }

    /// What is known, once the connection is over.
    #[must_use]
    pub fn into_summary(mut self) -> Summary {
        self.summary.keys.intervals.sort_unstable();
        self.summary
    }

    fn sealed(&mut self, sender: Sender, span: Span, time: Timestamp, length: usize) {
        let is_key = self.summary.key_packets[sender as usize].is_some_and(|key| usize::from(key) == length);
        match sender {
            Sender::Client => {
                // A second one before the answer is no key press with its echo, or both cannot be told apart.
                let waits = self.pressed.take().is_some();
                if is_key {
                    if self.last_small.is_some_and(|last| is_beat(time.since(last).nanos())) {
                        self.summary.keys.steady += 1;
                    }
                    self.last_small = Some(time);
                }
                if is_key && !waits {
                    self.pressed = Some(Pressed { time, span });
                } else {
                    self.is_typing = false;
                }
            }
            Sender::Server => {
                let Some(pressed) = self.pressed.take() else { return };
                if time.since(pressed.time).nanos() > ECHO {
                    self.is_typing = false;
                } else if is_key {
                    self.is_typing = true;
                    self.summary.keys.echoed += 1;
                    self.summary.keys.note(pressed);
                } else if std::mem::take(&mut self.is_typing) {
                    self.summary.keys.answered += 1;
                    self.summary.keys.note(pressed);
                }
            }
        }
    }
}

impl Summary {
    fn agree(&mut self, client: &Offer, server: &Offer) {
        let take = |client: &[u8], server: &[u8]| negotiated(client, server).map(<[u8]>::to_vec);
        self.key_exchange = take(&client.key_exchange, &server.key_exchange);
        self.host_key = take(&client.host_key, &server.host_key);
        for way in 0..2 {
            self.ciphers[way] = take(&client.encryption[way], &server.encryption[way]);
            self.macs[way] = take(&client.mac[way], &server.mac[way]);
            self.compressions[way] = take(&client.compression[way], &server.compression[way]);
            let plain = self.compressions[way].as_deref() == Some(b"none");
            self.key_packets[way] = self.ciphers[way]
                .as_deref()
                .filter(|_| plain)
                .and_then(|cipher| key_packet(cipher, self.macs[way].as_deref().unwrap_or_default()));
        }
    }

    /// Whether single-key packets come in such a steady beat that neither their number nor their rhythm tells of keys.
    #[must_use]
    pub fn is_obscured(&self) -> bool {
        self.keys.steady >= BEATS && self.keys.steady * 2 >= self.keys.echoed
    }

    /// Whether the key exchange withstands a quantum computer.
    #[must_use]
    pub fn is_post_quantum(&self) -> Option<bool> {
        let method = self.key_exchange.as_deref()?;
        Some(method.starts_with(b"mlkem") || method.starts_with(b"sntrup761"))
    }
}

impl Keys {
    fn note(&mut self, pressed: Pressed) {
        if let Some(last) = self.last.replace(pressed.time)
            && self.intervals.len() < limits::SSH_KEY_PRESSES
        {
            self.intervals.push(pressed.time.since(last).nanos());
        }
        let first = self.spans.map_or(pressed.span, |(first, _)| first);
        self.spans = Some((first, pressed.span));
    }

    /// The shortest, the middle and the longest time between one key press and the next, in nanoseconds.
    #[must_use]
    pub fn rhythm(&self) -> Option<[i64; 3]> {
        let (first, last) = (self.intervals.first()?, self.intervals.last()?);
        Some([*first, self.intervals[self.intervals.len() / 2], *last])
    }
}

/// Octets of a packet with SSH_MSG_CHANNEL_DATA of one octet: 1 + 4 + 4 + 1 of payload, a length of 4, one
/// octet for the length of padding and at least 4 of padding, to a multiple of the block; the tag. Where
/// the length is not encrypted with the rest, it does not count for the block (RFC 4253 §6, RFC 5647,
/// OpenSSH's PROTOCOL and PROTOCOL.chacha20poly1305). `None`: the algorithms are not known.
fn key_packet(cipher: &[u8], mac: &[u8]) -> Option<u16> {
    const PAYLOAD: u16 = 10;
    let (block, tag, apart) = match cipher {
        b"chacha20-poly1305@openssh.com" => (8, 16, true),
        b"aes128-gcm@openssh.com" | b"aes256-gcm@openssh.com" => (16, 16, true),
        _ => {
            let block = match cipher {
                b"aes128-ctr" | b"aes192-ctr" | b"aes256-ctr" | b"aes128-cbc" | b"aes192-cbc" | b"aes256-cbc" => 16,
                b"3des-cbc" | b"3des-ctr" | b"blowfish-cbc" | b"cast128-cbc" | b"arcfour" | b"arcfour128"
                | b"arcfour256" => 8,
                _ => return None,
            };
            let apart = mac.ends_with(b"-etm@openssh.com");
            let tag = match mac.strip_suffix(b"-etm@openssh.com").unwrap_or(mac) {
                b"umac-64" | b"umac-64@openssh.com" => 8,
                b"umac-128" | b"umac-128@openssh.com" | b"hmac-md5" => 16,
                b"hmac-sha1" => 20,
                b"hmac-sha1-96" | b"hmac-md5-96" => 12,
                b"hmac-sha2-256" => 32,
                b"hmac-sha2-512" => 64,
                _ => return None,
            };
            (block, tag, apart)
        }
    };
    let counted = 1 + PAYLOAD + 4 + if apart { 0 } else { 4 };
    let sealed = u16::next_multiple_of(counted, block);
    Some(sealed + if apart { 4 } else { 0 } + tag)
}

/// Whether a time between two packets is one of OpenSSH's beat: 20 ms, with what a scheduler adds.
fn is_beat(nanos: i64) -> bool {
    (15_000_000..30_000_000).contains(&nanos)
}

/// Packets in a beat from which on it is no typist: half a second of keys at 50 a second.
const BEATS: u64 = 25;

/// An echo that takes longer is no echo, in nanoseconds.
const ECHO: i64 = 2_000_000_000;

#[cfg(test)]
mod tests {
    use super::super::tests::{offer, packet};
    use super::*;
    use crate::stream::Direction;
    use Sender::{Client, Server};

    /// A connection that has agreed on chacha20-poly1305, and when its next packet comes.
    struct Told {
        watch: Watch,
        positions: [u64; 2],
        nanos: i64,
    }

    impl Told {
        fn new() -> Told {
            let mut told = Told { watch: Watch::default(), positions: [0; 2], nanos: 0 };
            let cipher = "chacha20-poly1305@openssh.com";
            for (sender, piece) in [
                (Client, b"SSH-2.0-a\r\n".to_vec()),
                (Server, b"SSH-2.0-b\r\n".to_vec()),
                (Client, offer("curve25519-sha256", cipher)),
                (Server, offer("curve25519-sha256", cipher)),
                (Server, packet(21, b"")),
                (Client, packet(21, b"")),
            ] {
                told.say(sender, &piece, 1);
            }
            told
        }

        fn say(&mut self, sender: Sender, piece: &[u8], milliseconds: i64) {
            self.nanos += milliseconds * 1_000_000;
            let position = &mut self.positions[sender as usize];
            let direction = if sender == Client { Direction::FromOriginator } else { Direction::FromResponder };
            let span = Span::new(direction, *position, *position + piece.len() as u64);
            *position += piece.len() as u64;
            self.watch.take(sender, span, Timestamp::from_nanos(self.nanos), piece);
        }

        fn key(&mut self, milliseconds: i64) {
            self.say(Client, &[7; 36], milliseconds);
            self.say(Server, &[7; 36], 1);
        }
    }

    #[test]
    fn the_size_of_a_key_press_is_that_of_openssh() {
        let of = |cipher: &str, mac: &str| key_packet(cipher.as_bytes(), mac.as_bytes());
        assert_eq!(of("chacha20-poly1305@openssh.com", "umac-64-etm@openssh.com"), Some(36));
        assert_eq!(of("aes256-gcm@openssh.com", ""), Some(36));
        assert_eq!(of("aes128-ctr", "umac-64-etm@openssh.com"), Some(28));
        assert_eq!(of("aes128-ctr", "umac-128-etm@openssh.com"), Some(36));
        assert_eq!(of("aes128-ctr", "hmac-sha2-256-etm@openssh.com"), Some(52));
        assert_eq!(of("aes128-ctr", "hmac-sha1"), Some(52));
        assert_eq!(of("aes128-ctr", "hmac-sha2-256"), Some(64));
        assert_eq!(of("unknown", "hmac-sha1"), None);
        assert_eq!(of("aes128-ctr", "unknown"), None);
    }

    #[test]
    fn keys_are_counted_with_their_rhythm() {
        let mut told = Told::new();
        for milliseconds in [500, 100, 300, 200] {
            told.key(milliseconds);
        }
        told.say(Client, &[7; 36], 400);
        told.say(Server, &[7; 100], 1);
        let summary = told.watch.into_summary();
        assert_eq!(summary.identifications[0].as_deref(), Some(&b"2.0-a"[..]));
        assert_eq!(summary.key_exchange.as_deref(), Some(&b"curve25519-sha256"[..]));
        assert_eq!(summary.key_packets, [Some(36); 2]);
        assert_eq!((summary.keys.echoed, summary.keys.answered), (4, 1));
        assert_eq!(summary.keys.rhythm(), Some([101_000_000, 301_000_000, 401_000_000]));
        assert!(!summary.is_obscured());
        assert_eq!(summary.is_post_quantum(), Some(false));
    }

    #[test]
    fn what_is_not_echoed_in_time_or_of_another_size_is_no_key() {
        let mut told = Told::new();
        told.say(Client, &[7; 36], 100);
        told.say(Server, &[7; 1000], 1);
        told.say(Client, &[7; 52], 100);
        told.say(Server, &[7; 36], 1);
        told.say(Client, &[7; 36], 100);
        told.say(Client, &[7; 36], 1);
        told.say(Server, &[7; 36], 1);
        told.say(Client, &[7; 36], 100);
        told.say(Server, &[7; 36], 3000);
        assert_eq!(told.watch.into_summary().keys.echoed, 0);
    }

    #[test]
    fn a_steady_beat_hides_number_and_rhythm() {
        let mut told = Told::new();
        for _ in 0..60 {
            told.key(19);
        }
        assert!(told.watch.into_summary().is_obscured());
    }

    #[test]
    fn what_passes_a_gap_is_not_joined() {
        let mut told = Told::new();
        told.say(Client, &[7; 36], 100);
        told.watch.gap();
        told.say(Server, &[7; 36], 1);
        assert_eq!(told.watch.into_summary().keys.echoed, 0);
    }
}
