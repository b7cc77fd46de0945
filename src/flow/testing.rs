//! Segments written as a sentence, and what comes out of them: for the tests of this module.

use super::connection::{Connection, Segment};
use super::key::{Endpoint, FiveTuple};
use super::reassembly::Delivery;
use crate::stream::{Direction, StreamEvent};
use crate::time::Timestamp;
use crate::wire::{Tcp, TcpFlags};

pub const FIN: u16 = 0x01;
pub const SYN: u16 = 0x02;
pub const RST: u16 = 0x04;
pub const PSH: u16 = 0x08;
pub const ACK: u16 = 0x10;

pub const THERE: Direction = Direction::FromOriginator;
pub const BACK: Direction = Direction::FromResponder;

/// The one place where a `Tcp` is made.
pub fn tcp(flags: u16, sequence: u32, acknowledgment: u32, payload: &[u8]) -> Tcp<'_> {
    Tcp {
        source_port: 58816,
        destination_port: 25,
        sequence,
        acknowledgment,
        flags: TcpFlags(flags),
        window: 64240,
        checksum: 0,
        urgent_pointer: 0,
        options: &[],
        payload,
        payload_len: payload.len() as u32,
    }
}

/// A client's port 58816 towards port 25 of a server, or the way back.
pub fn tuple(direction: Direction) -> FiveTuple {
    tuple_of(58816, direction)
}

pub fn tuple_of(port: u16, direction: Direction) -> FiveTuple {
    let endpoint = |ip: [u8; 4], port| Endpoint::new(ip.into(), port);
    let there = FiveTuple { source: endpoint([192, 0, 2, 1], port), destination: endpoint([198, 51, 100, 2], 25) };
    match direction {
        Direction::FromOriginator => there,
        Direction::FromResponder => there.reversed(),
    }
}

pub fn time(millis: i64) -> Timestamp {
    Timestamp::from_nanos(1_700_000_000_000_000_000 + millis * 1_000_000)
}

/// A connection being fed, and what it handed on, as lines.
pub struct Script {
    pub connection: Option<Connection>,
    pub packet: u64,
    pub now: i64,
    pub lines: Vec<String>,
    pub payloads: Vec<Vec<u8>>,
}

impl Script {
    pub fn new() -> Script {
        Script { connection: None, packet: 0, now: 0, lines: Vec::new(), payloads: Vec::new() }
    }

    /// A handshake with the initial numbers 1000 and 5000.
    pub fn opened() -> Script {
        let mut script = Script::new();
        script.send(THERE, SYN, 1000, 0, b"");
        script.send(BACK, SYN | ACK, 5000, 1001, b"");
        script.send(THERE, ACK, 1001, 5001, b"");
        script
    }

    pub fn send(&mut self, direction: Direction, flags: u16, sequence: u32, acknowledgment: u32, payload: &[u8]) {
        self.send_tcp(direction, &tcp(flags, sequence, acknowledgment, payload));
    }

    /// Each segment comes a millisecond after the one before.
    pub fn send_tcp(&mut self, direction: Direction, tcp: &Tcp<'_>) {
        self.packet += 1;
        self.now += 1;
        self.payloads.push(tcp.payload.to_vec());
        let segment = Segment { packet: self.packet, time: time(self.now), wire_octets: 54 + tcp.payload_len, tcp };
        let connection = self.connection.get_or_insert_with(|| Connection::new(&segment, &tuple(direction)));
        let direction = connection.direction_of(&tuple(direction));
        let payloads = &self.payloads;
        let history = |packet: u64| payloads.get(packet as usize - 1).map(Vec::as_slice);
        let lines = &mut self.lines;
        connection.feed_with(direction, &segment, &history, &mut |delivery| lines.push(line(&delivery)));
    }

    pub fn wait(&mut self, millis: i64) {
        self.now += millis;
    }

    pub fn finish(&mut self) {
        let lines = &mut self.lines;
        if let Some(connection) = &mut self.connection {
            connection.finish(&mut |delivery| lines.push(line(&delivery)));
        }
    }

    pub fn connection(&self) -> &Connection {
        self.connection.as_ref().expect("a segment was sent")
    }

    pub fn anomalies(&self) -> Vec<&'static str> {
        self.connection().anomalies().kept().iter().map(|noted| noted.anomaly.id()).collect()
    }

    /// What was handed on since the last call.
    pub fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }
}

/// `#4 > 0 "EHLO"`, `#5 < 3..7 missing`, `#9 > FIN at 4`.
pub fn line(delivery: &Delivery<'_>) -> String {
    let arrow = |direction| if direction == THERE { '>' } else { '<' };
    let packet = delivery.packet;
    match delivery.event {
        StreamEvent::Data { span, bytes } => {
            assert_eq!(span.len(), bytes.len() as u64);
            format!("#{packet} {} {} \"{}\"", arrow(span.direction), span.start, String::from_utf8_lossy(bytes))
        }
        StreamEvent::Gap { span } => {
            format!("#{packet} {} {}..{} missing", arrow(span.direction), span.start, span.end)
        }
        StreamEvent::Fin { direction, at } => format!("#{packet} {} FIN at {at}", arrow(direction)),
        StreamEvent::Reset { direction, at } => format!("#{packet} {} RST at {at}", arrow(direction)),
    }
}

/// Numbers that are the same in every run (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % limit
    }
}
