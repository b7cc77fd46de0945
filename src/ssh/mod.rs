//! SSH (RFC 4253): versions, key exchange, and the lengths of what is sealed.
//!
//! A [`Connection`] is fed with what each side sends, in order and in pieces as they come, and tells what
//! each piece completes. After `New Keys` nothing can be told but how much is sent, and when.

mod message;
mod watch;

pub use message::{KeyExchange, KeyExchangeInit, MessageNumber, negotiated};
pub use watch::{Keys, Summary, Watch};

use crate::limits;
use crate::stream::{Direction, Span};
use crate::time::Timestamp;

/// Which side sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sender {
    /// The side that logs in.
    Client,
    /// The side that is logged in to.
    Server,
}

/// The version of the protocol that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// The client has not said.
    #[default]
    Unknown,
    /// Version 1, broken and obsolete.
    One,
    /// Version 2 (RFC 4253).
    Two,
}

/// One thing that a piece of the stream completes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The line that names version and program, without its end (RFC 4253 §4.2).
    Identification(&'a [u8]),
    /// What a side offers for the key exchange.
    KeyExchangeInit(KeyExchangeInit<'a>),
    /// Another message in the clear.
    Message {
        /// Its number.
        number: MessageNumber,
        /// What numbers of the key exchange mean here.
        method: KeyExchange,
        /// Its payload after the number.
        payload: &'a [u8],
    },
    /// A message of version 1.
    MessageOfVersion1(MessageNumber),
    /// So many octets that are sealed, or that this decoder cannot tell from sealed ones.
    Sealed(usize),
}

/// How a piece of the stream was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Its first event completes a packet whose length was known from earlier pieces.
    pub continued: bool,
    /// It ends within a packet; more is needed.
    pub incomplete: bool,
    /// A packet of this side says that it is longer than [`limits::SSH_PACKET`]: nothing after it can
    /// be told any more.
    pub lost: bool,
}

/// An SSH connection, as an observer sees it.
#[derive(Debug, Default)]
pub struct Connection {
    version: Version,
    sides: [Side; 2],
    method: Option<KeyExchange>,
    exchanged: bool,
}

#[derive(Debug, Default)]
struct Side {
    /// The start of a packet or line that is not complete; at most [`limits::SSH_PACKET`] octets and four.
    pending: Vec<u8>,
    identified: bool,
    /// Sent in version 1: a message.
    spoken: bool,
    sealed: bool,
    lost: bool,
    /// The lists of its offer: key exchange, and encryption from client to server and back.
    offer: Option<[Vec<u8>; 3]>,
}

impl Connection {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new() -> Connection {
        Connection::default()
    }

    /// The version that the client asks for.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The method of key exchange, once both offers were seen.
    #[must_use]
    pub fn key_exchange(&self) -> Option<KeyExchange> {
        self.method
    }

    /// Whether a server's reply of two-message key exchange (number 31) was seen.
    #[must_use]
    pub fn has_exchanged_keys(&self) -> bool {
        self.exchanged
    }

    /// The cipher that `sender` seals with after its `New Keys`; `None` where an offer was not seen or
    /// none agrees.
    #[must_use]
    pub fn cipher(&self, sender: Sender) -> Option<&[u8]> {
        let list = |side: Sender| self.sides[side as usize].offer.as_ref().map(|offer| &offer[1 + sender as usize]);
        negotiated(list(Sender::Client)?, list(Sender::Server)?)
    }

    /// Takes the next octets that `sender` sent and emits what they complete.
    pub fn take(&mut self, sender: Sender, piece: &[u8], emit: &mut dyn FnMut(&Connection, Event<'_>)) -> Taken {
        let index = sender as usize;
        if self.sides[index].lost {
            return Taken { lost: true, incomplete: true, ..Taken::default() };
        }
        let mut joined = std::mem::take(&mut self.sides[index].pending);
        let continued = joined.len() >= LENGTH_LEN;
        let data = if joined.is_empty() {
            piece
        } else {
            joined.extend_from_slice(piece);
            &joined
        };
        let mut at = 0;
        let mut taken = Taken::default();
        while at < data.len() {
            match self.step(sender, &data[at..]) {
                Step::Done(event, length) => {
                    taken.continued |= continued && at == 0;
                    at += length;
                    emit(self, event);
                }
                Step::More => {
                    taken.incomplete = true;
                    break;
                }
                Step::Never => {
                    self.sides[index].lost = true;
                    return Taken { incomplete: true, lost: true, ..taken };
                }
            }
        }
        self.sides[index].pending = data[at..].to_vec();
        taken
    }

    /// What stands at the start of `data`, which is not empty.
    fn step<'a>(&mut self, sender: Sender, data: &'a [u8]) -> Step<'a> {
        let side = &mut self.sides[sender as usize];
        let speaks = side.identified || self.version == Version::Two && is_offer(data);
        if !speaks {
            return self.identification(sender, data);
        }
        match self.version {
            _ if side.sealed => Step::Done(Event::Sealed(data.len()), data.len()),
            Version::Unknown => Step::Done(Event::Sealed(data.len()), data.len()),
            Version::One => self.packet_of_version_1(sender, data),
            Version::Two => self.packet(sender, data),
        }
    }

    fn identification<'a>(&mut self, sender: Sender, data: &'a [u8]) -> Step<'a> {
        let head = &data[..data.len().min(4)];
        if !b"SSH-"[..head.len()].eq_ignore_ascii_case(head) {
            return Step::Done(Event::Sealed(data.len()), data.len());
        }
        let Some(end) = data.iter().position(|octet| *octet == b'\n') else {
            return if data.len() > MAX_LINE { Step::Never } else { Step::More };
        };
        let line = data[..end].strip_suffix(b"\r").unwrap_or(&data[..end]);
        self.sides[sender as usize].identified = true;
        if sender == Sender::Client {
            let starts = |with: &[u8]| line.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
            if starts(b"SSH-2.") || starts(b"SSH-1.99-") {
                self.version = Version::Two;
            } else if starts(b"SSH-1.") {
                self.version = Version::One;
            }
        }
        Step::Done(Event::Identification(line), end + 1)
    }

    /// Length, padding length, payload, padding (RFC 4253 §6).
    fn packet<'a>(&mut self, sender: Sender, data: &'a [u8]) -> Step<'a> {
        let length = match stated_length(data, 0) {
            Ok(length) => length,
            Err(unready) => return unready.into(),
        };
        let body = &data[LENGTH_LEN..LENGTH_LEN + length];
        let padding = body.first().map_or(0, |padding| usize::from(*padding));
        let payload_end = body.len().saturating_sub(padding).max(1);
        let Some((number, payload)) = body.get(1..payload_end).and_then(<[u8]>::split_first) else {
            return Step::Done(Event::Sealed(LENGTH_LEN + length), LENGTH_LEN + length);
        };
        let number = MessageNumber(*number);
        let method = self.method.unwrap_or_default();
        let event = match (number, KeyExchangeInit::parse(payload)) {
            (MessageNumber::KEX_INIT, Some(init)) => {
                self.offered(sender, &init);
                Event::KeyExchangeInit(init)
            }
            _ => Event::Message { number, method, payload },
        };
        match number {
            MessageNumber::NEW_KEYS => self.sides[sender as usize].sealed = true,
            MessageNumber(31) if method != KeyExchange::GroupExchange => self.exchanged = true,
            _ => {}
        }
        Step::Done(event, LENGTH_LEN + length)
    }

    /// Length, one to eight octets of padding, type, data, checksum; the length is of the last three.
    fn packet_of_version_1<'a>(&mut self, sender: Sender, data: &'a [u8]) -> Step<'a> {
        let padding = |length: usize| 8 - length % 8;
        let length = match data.get(3) {
            Some(low) => match stated_length(data, padding(usize::from(*low))) {
                Ok(length) => length,
                Err(unready) => return unready.into(),
            },
            None => return Step::More,
        };
        let whole = LENGTH_LEN + padding(length) + length;
        let side = &mut self.sides[sender as usize];
        let number = data.get(LENGTH_LEN + padding(length)).filter(|_| !side.spoken && length > 0);
        side.spoken = true;
        match number {
            Some(number) => Step::Done(Event::MessageOfVersion1(MessageNumber(*number)), whole),
            None => Step::Done(Event::Sealed(length), whole),
        }
    }

    fn offered(&mut self, sender: Sender, init: &KeyExchangeInit<'_>) {
        let side = &mut self.sides[sender as usize];
        if side.offer.is_none() {
            let [to_server, to_client] = init.encryption;
            side.offer = Some([init.key_exchange, to_server, to_client].map(<[u8]>::to_vec));
        }
        if let [Some(client), Some(server)] = [&self.sides[0].offer, &self.sides[1].offer]
            && let Some(name) = negotiated(&client[0], &server[0])
        {
            self.method = Some(KeyExchange::of(name));
        }
    }
}

/// Three answers: an event and its length, more is needed, it can never be one.
enum Step<'a> {
    Done(Event<'a>, usize),
    More,
    Never,
}

/// Why there is no packet.
enum Unready {
    More,
    Never,
}

impl From<Unready> for Step<'_> {
    fn from(unready: Unready) -> Self {
        match unready {
            Unready::More => Step::More,
            Unready::Never => Step::Never,
        }
    }
}

/// Whether a packet begins that can only be the first of its side: lines may come before the
/// identification (RFC 4253 §4.2), and with it in one segment they hide it.
fn is_offer(data: &[u8]) -> bool {
    matches!(data, [0, 0, _, _, _, number, ..] if MessageNumber(*number) == MessageNumber::KEX_INIT)
}

/// The length before a packet, if the packet with `extra` octets more is there.
fn stated_length(data: &[u8], extra: usize) -> Result<usize, Unready> {
    let Some((length, rest)) = data.split_first_chunk::<LENGTH_LEN>() else { return Err(Unready::More) };
    let length = u32::from_be_bytes(*length) as usize;
    if length > limits::SSH_PACKET {
        Err(Unready::Never)
    } else if rest.len() < length + extra {
        Err(Unready::More)
    } else {
        Ok(length)
    }
}

/// Fuzz body: the octets are the two sides' pieces in turn, each with a length before it. However they
/// are cut, nothing may panic, and what is kept stays bounded.
pub fn fuzz_ssh(data: &[u8]) {
    let mut connection = Connection::new();
    let mut watch = Watch::default();
    let (mut sender, mut position) = (Sender::Client, 0);
    let mut rest = data;
    while let Some((length, after)) = rest.split_first() {
        let (piece, after) = after.split_at(after.len().min(usize::from(*length)));
        connection.take(sender, piece, &mut |_, event| {
            let _ = format!("{event:?}");
        });
        assert!(connection.sides[sender as usize].pending.len() <= limits::SSH_PACKET + 16);
        let span = Span::new(Direction::FromOriginator, position, position + piece.len() as u64);
        position = span.end;
        watch.take(sender, span, Timestamp::from_nanos((position as i64) << 20), piece);
        sender = if sender == Sender::Client { Sender::Server } else { Sender::Client };
        rest = after;
    }
    let _ = (connection.cipher(Sender::Client), connection.cipher(Sender::Server));
    let summary = watch.into_summary();
    let _ = (summary.is_obscured(), summary.is_post_quantum(), summary.keys.rhythm());
}

const LENGTH_LEN: usize = 4;
/// RFC 4253 §4.2 allows 255 octets; some programs fill up with more.
const MAX_LINE: usize = 4096;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn packet(number: u8, payload: &[u8]) -> Vec<u8> {
        let length = (payload.len() + 8) as u32;
        [&length.to_be_bytes()[..], &[6, number], payload, &[0; 6]].concat()
    }

    pub(crate) fn offer(method: &str, cipher: &str) -> Vec<u8> {
        let mut payload = vec![0; 16];
        for list in [method, "ssh-ed25519", cipher, cipher, "hmac-sha2-256", "hmac-sha2-256", "none", "none", "", ""] {
            payload.extend((list.len() as u32).to_be_bytes());
            payload.extend(list.as_bytes());
        }
        payload.extend([0; 5]);
        packet(20, &payload)
    }

    fn named(event: Event<'_>) -> String {
        match event {
            Event::Identification(line) => String::from_utf8_lossy(line).into_owned(),
            Event::KeyExchangeInit(_) => "offer".into(),
            Event::Message { number, method, .. } => number.name(method).unwrap_or("unknown").into(),
            Event::MessageOfVersion1(number) => number.name_in_version_1().unwrap_or("unknown").into(),
            Event::Sealed(length) => format!("sealed {length}"),
        }
    }

    fn conversation() -> Vec<(Sender, Vec<u8>)> {
        use Sender::{Client, Server};
        vec![
            (Client, b"SSH-2.0-a\r\n".to_vec()),
            (Server, b"SSH-2.0-b\r\n".to_vec()),
            (Client, offer("curve25519-sha256", "aes128-ctr")),
            (Server, offer("curve25519-sha256", "aes128-ctr")),
            (Client, packet(30, b"key")),
            (Server, [packet(31, b"key"), packet(21, b"")].concat()),
            (Client, packet(21, b"")),
        ]
    }

    fn told(pieces: impl Iterator<Item = (Sender, Vec<u8>)>) -> Vec<(Sender, String)> {
        let mut connection = Connection::new();
        let mut told = Vec::new();
        for (sender, piece) in pieces {
            connection.take(sender, &piece, &mut |_, event| told.push((sender, named(event))));
        }
        told
    }

    #[test]
    fn a_key_exchange_is_told_however_it_is_cut() {
        let whole = told(conversation().into_iter());
        let words: Vec<&str> = whole.iter().map(|(_, word)| word.as_str()).collect();
        assert_eq!(
            words,
            [
                "SSH-2.0-a",
                "SSH-2.0-b",
                "offer",
                "offer",
                "Elliptic Curve Diffie-Hellman Key Exchange Init",
                "Elliptic Curve Diffie-Hellman Key Exchange Reply",
                "New Keys",
                "New Keys"
            ]
        );
        let octets =
            conversation().into_iter().flat_map(|(sender, piece)| piece.into_iter().map(move |o| (sender, vec![o])));
        assert_eq!(told(octets), whole);
    }

    #[test]
    fn what_was_agreed_can_be_asked() {
        let mut connection = Connection::new();
        for (sender, piece) in conversation() {
            connection.take(sender, &piece, &mut |_, _| {});
        }
        assert_eq!(connection.version(), Version::Two);
        assert_eq!(connection.key_exchange(), Some(KeyExchange::EllipticCurve));
        assert_eq!(connection.cipher(Sender::Server), Some(&b"aes128-ctr"[..]));
        let mut length = 0;
        connection.take(Sender::Client, &[7; 36], &mut |_, event| match event {
            Event::Sealed(sealed) => length = sealed,
            other => panic!("{other:?}"),
        });
        assert_eq!(length, 36);
    }

    #[test]
    fn a_piece_says_whether_it_continues_and_whether_it_ends_within_a_packet() {
        let mut connection = Connection::new();
        connection.take(Sender::Client, b"SSH-2.0-a\r\n", &mut |_, _| {});
        let offer = offer("a", "b");
        let first = connection.take(Sender::Client, &offer[..9], &mut |_, _| {});
        assert_eq!(first, Taken { incomplete: true, ..Taken::default() });
        let second = connection.take(Sender::Client, &offer[9..], &mut |_, _| {});
        assert_eq!(second, Taken { continued: true, ..Taken::default() });
    }

    #[test]
    fn a_packet_longer_than_the_limit_loses_its_side_only() {
        let mut connection = Connection::new();
        connection.take(Sender::Client, b"SSH-2.0-a\r\n", &mut |_, _| {});
        let taken = connection.take(Sender::Client, &[0xff; 40], &mut |_, event| panic!("{event:?}"));
        assert!(taken.lost);
        assert!(connection.take(Sender::Client, &packet(2, b""), &mut |_, _| {}).lost);
        assert!(!connection.take(Sender::Server, b"SSH-2.0-b\n", &mut |_, _| {}).lost);
    }

    #[test]
    fn without_an_identification_all_is_sealed() {
        let pieces = [(Sender::Client, b"GET / HTTP/1.0\r\n".to_vec()), (Sender::Server, b"SSH-2.0-b\n".to_vec())];
        let words: Vec<String> = told(pieces.into_iter()).into_iter().map(|(_, word)| word).collect();
        assert_eq!(words, ["sealed 16", "SSH-2.0-b"]);
    }

    #[test]
    fn version_1_names_the_first_message_of_each_side() {
        let packet = [&[0, 0, 0, 20, 0, 0, 0, 0, 2][..], &[b'p'; 19], &[0, 0, 0, 5, 0, 0, 0], &[b'e'; 5]].concat();
        let pieces =
            [(Sender::Client, b"SSH-1.5-y\n".to_vec()), (Sender::Server, [b"SSH-1.5-x\n", &packet[..]].concat())];
        let words: Vec<String> = told(pieces.into_iter()).into_iter().map(|(_, word)| word).collect();
        assert_eq!(words, ["SSH-1.5-y", "SSH-1.5-x", "Public Key", "sealed 5"]);
    }

    #[test]
    fn exercise_fuzz_ssh() {
        let mut whole = Vec::new();
        let mut last = Sender::Server;
        for (sender, piece) in conversation() {
            if sender == last {
                whole.push(0);
            }
            last = sender;
            whole.push(piece.len() as u8);
            whole.extend(piece);
        }
        let mut state = 0x5eed_5eed_u32;
        for round in 0..3000 {
            let mut mutated = whole[..whole.len() - round % 50].to_vec();
            for _ in 0..round % 6 {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                let at = state as usize % mutated.len();
                mutated[at] = (state >> 16) as u8;
            }
            fuzz_ssh(&mutated);
        }
    }
}
