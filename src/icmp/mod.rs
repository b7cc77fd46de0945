//! ICMP (RFC 792) and ICMPv6 (RFC 4443), as one line each.
//!
//! [`v4`] and [`v6`] decode one message each and need nothing but its octets. Which request an
//! echo reply answers is a fact of earlier packets: [`Echoes`] remembers the requests.

pub mod v4;
pub mod v6;

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use crate::limits;

/// What makes an echo request and its reply belong together: both ends, whichever way, the
/// identifier, the sequence number, and the checksum, which covers the data that a reply repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    lower: IpAddr,
    upper: IpAddr,
    identifier: u16,
    sequence: u16,
    /// The checksum of the request; of a reply, what the request's must have been.
    checksum: u16,
}

/// An echo request or reply (RFC 792, RFC 4443 §4.1 and §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// A reply, not a request.
    pub reply: bool,
    /// Tells the senders on one host apart.
    pub identifier: u16,
    /// Counts the requests of a sender.
    pub sequence: u16,
    /// As the message states it.
    pub checksum: u16,
}

/// The echo requests that wait for their replies. Bounded by [`limits::ECHO_REQUESTS`]; the oldest goes first.
#[derive(Debug, Default)]
pub struct Echoes {
    waiting: HashMap<Key, u64>,
    order: VecDeque<(Key, u64)>,
}

impl Echoes {
    /// Nothing waits yet.
    #[must_use]
    pub fn new() -> Echoes {
        Echoes::default()
    }

    /// Takes packet `number`, an echo between two hosts. For a reply: the packet number of the latest
    /// request that it answers, if that request was not answered before.
    pub fn answer(&mut self, number: u64, source: IpAddr, destination: IpAddr, echo: Echo) -> Option<u64> {
        let request_checksum = if echo.reply { request_checksum(echo.checksum, source) } else { echo.checksum };
        let key = Key {
            lower: source.min(destination),
            upper: source.max(destination),
            identifier: echo.identifier,
            sequence: echo.sequence,
            checksum: request_checksum,
        };
        if echo.reply {
            return self.waiting.remove(&key);
        }
        self.waiting.insert(key, number);
        self.order.push_back((key, number));
        while self.order.len() > limits::ECHO_REQUESTS {
            if let Some((oldest, of)) = self.order.pop_front()
                && self.waiting.get(&oldest) == Some(&of)
            {
                self.waiting.remove(&oldest);
            }
        }
        None
    }
}

/// Fuzz body: decodes and prints as both versions and matches echoes; nothing may panic.
pub fn fuzz_icmp(data: &[u8]) {
    let mut echoes = Echoes::new();
    let address = IpAddr::from([192, 0, 2, 1]);
    if let Some(message) = v4::Message::parse(data) {
        let request = message.echo().and_then(|echo| echoes.answer(1, address, address, echo));
        let _ = message.line(64, request).to_string();
    }
    if let Some(message) = v6::Message::parse(data) {
        let request = message.echo().and_then(|echo| echoes.answer(2, address, address, echo));
        let _ = message.line(64, request).to_string();
    }
}

/// The checksum of the request that a reply with `checksum` repeats: the two differ only in their type
/// (ICMP: 8 and 0, ICMPv6: 128 and 129), in one's-complement arithmetic (RFC 1624).
fn request_checksum(checksum: u16, address: IpAddr) -> u16 {
    let (request, reply) = if address.is_ipv4() { (0x0800, 0x0000) } else { (0x8000, 0x8100) };
    let mut sum = u32::from(!checksum) + u32::from(!reply as u16) + u32::from(request as u16);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    match !(sum as u16) {
        0 => 0xffff,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo(reply: bool, checksum: u16) -> Echo {
        Echo { reply, identifier: 1, sequence: 7, checksum }
    }

    fn hosts() -> (IpAddr, IpAddr) {
        (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]))
    }

    #[test]
    fn a_reply_names_the_latest_request_once() {
        let (a, b) = hosts();
        let mut echoes = Echoes::new();
        assert_eq!(echoes.answer(1, a, b, echo(false, 0xf7f7)), None);
        assert_eq!(echoes.answer(2, a, b, echo(false, 0xf7f7)), None);
        assert_eq!(echoes.answer(3, b, a, echo(true, 0xfff7)), Some(2));
        assert_eq!(echoes.answer(4, b, a, echo(true, 0xfff7)), None);
    }

    #[test]
    fn a_reply_with_other_data_or_from_another_host_answers_nothing() {
        let (a, b) = hosts();
        let mut echoes = Echoes::new();
        echoes.answer(1, a, b, echo(false, 0xf7f7));
        assert_eq!(echoes.answer(2, b, a, echo(true, 0xfff6)), None);
        assert_eq!(echoes.answer(3, IpAddr::from([192, 0, 2, 3]), a, echo(true, 0xfff7)), None);
    }

    #[test]
    fn requests_without_a_reply_do_not_pile_up() {
        let (a, b) = hosts();
        let mut echoes = Echoes::new();
        for number in 0..(limits::ECHO_REQUESTS as u64 + 1000) {
            let identifier = number as u16;
            echoes.answer(number, a, b, Echo { identifier, ..echo(false, 0xf7f7) });
        }
        assert_eq!(echoes.order.len(), limits::ECHO_REQUESTS);
        assert!(echoes.waiting.len() <= limits::ECHO_REQUESTS);
        assert_eq!(echoes.answer(0, b, a, Echo { identifier: 0, ..echo(true, 0xfff7) }), None);
    }

    #[test]
    fn exercise_fuzz_icmp() {
        let mut state = 0x1c3b_0001_u32;
        for round in 0..5000_usize {
            let mut message = vec![0; round % 60];
            for octet in &mut message {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                *octet = if state & 0x100 == 0 { state as u8 } else { (state & 7) as u8 };
            }
            if let Some(first) = message.first_mut() {
                *first = [0, 3, 8, 13, 128, 129, 134, 135, 136, 137, 143][round % 11];
            }
            fuzz_icmp(&message);
        }
    }
}
