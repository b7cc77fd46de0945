//! Reassembly against a naive model: random segments of a known stream, in any order, again and
//! again, or never.

use super::connection::{Connection, Segment};
use super::testing::*;
use crate::limits::HOLE_GRACE_SEGMENTS;
use crate::stream::StreamEvent;

/// What the stream holds at an offset.
fn octet(at: u64) -> u8 {
    (at.wrapping_mul(0x9e37_79b9) >> 13) as u8
}

struct Run {
    connection: Connection,
    packet: u64,
    now: i64,
    initial: u32,
    seen: Vec<Option<u8>>,
    next: u64,
    fin: Option<u64>,
}

impl Run {
    fn new(initial: u32, length: u64) -> Run {
        let syn = tcp(SYN, initial, 0, b"");
        let segment = Segment { packet: 1, time: time(0), wire_octets: 54, tcp: &syn };
        let connection = Connection::new(&segment, &tuple(THERE));
        let seen = vec![None; length as usize];
        let mut run = Run { connection, packet: 0, now: 0, initial, seen, next: 0, fin: None };
        run.send(THERE, SYN, initial, 0, b"");
        run.send(BACK, SYN | ACK, 9000, initial.wrapping_add(1), b"");
        run.send(THERE, ACK, initial.wrapping_add(1), 9001, b"");
        run
    }

    fn sequence(&self, offset: u64) -> u32 {
        self.initial.wrapping_add(1).wrapping_add(offset as u32)
    }

    fn send(&mut self, direction: crate::stream::Direction, flags: u16, sequence: u32, ack: u32, payload: &[u8]) {
        let tcp = tcp(flags, sequence, ack, payload);
        self.packet += 1;
        self.now += 1;
        let segment = Segment { packet: self.packet, time: time(self.now), wire_octets: 54, tcp: &tcp };
        let (seen, next, fin) = (&mut self.seen, &mut self.next, &mut self.fin);
        self.connection.feed(direction, &segment, &mut |delivery| take(seen, next, fin, delivery.event));
    }

    fn send_octets(&mut self, from: u64, to: u64) {
        let payload: Vec<u8> = (from..to).map(octet).collect();
        self.send(THERE, ACK, self.sequence(from), 9001, &payload);
    }

    fn finish(&mut self) {
        let (seen, next, fin) = (&mut self.seen, &mut self.next, &mut self.fin);
        self.connection.finish(&mut |delivery| take(seen, next, fin, delivery.event));
    }
}

fn take(seen: &mut [Option<u8>], next: &mut u64, fin: &mut Option<u64>, event: StreamEvent<'_>) {
    match event {
        StreamEvent::Data { span, bytes } => {
            assert_eq!((span.start, span.len()), (*next, bytes.len() as u64));
            for (at, &byte) in span.range().zip(bytes) {
                seen[at as usize] = Some(byte);
            }
            *next = span.end;
        }
        StreamEvent::Gap { span } => {
            assert_eq!(span.start, *next);
            *next = span.end;
        }
        StreamEvent::Fin { at, .. } => {
            assert_eq!((at, *fin), (*next, None));
            *fin = Some(at);
        }
        StreamEvent::Reset { .. } => panic!("nothing was reset"),
    }
}

/// Cuts the stream into segments, some larger than they need be so that they overlap, and puts
/// them in a random order; with loss, some never come. What comes out must be what was sent, and
/// exactly that.
#[test]
fn what_comes_out_is_what_was_sent_whatever_the_order() {
    for seed in 1..400_u64 {
        let mut random = Random::new(seed);
        let length = random.below(600) + 1;
        let initial = if seed % 2 == 0 { u32::MAX - random.below(300) as u32 } else { random.below(1 << 32) as u32 };
        let mut run = Run::new(initial, length);
        let mut segments = Vec::new();
        let mut from = 0;
        while from < length {
            let to = (from + 1 + random.below(40)).min(length);
            let start = from.saturating_sub(random.below(8));
            segments.push((start, to));
            if random.below(4) == 0 {
                segments.push((start, (to + random.below(30)).min(length)));
            }
            from = to;
        }
        let loses = seed % 3 == 0;
        let reach = if seed % 5 == 0 { segments.len() as u64 } else { 4 };
        for i in 0..segments.len() {
            let other = (i + random.below(reach) as usize).min(segments.len() - 1);
            segments.swap(i, other);
        }
        let mut sent = vec![false; length as usize];
        for &(from, to) in &segments {
            if loses && random.below(10) == 0 {
                continue;
            }
            run.send_octets(from, to);
            (from..to).for_each(|at| sent[at as usize] = true);
        }
        run.send(THERE, FIN | ACK, run.sequence(length), 9001, b"");
        run.finish();
        assert_eq!((run.next, run.fin), (length, Some(length)), "seed {seed}");
        for at in 0..length {
            let expected = sent[at as usize].then(|| octet(at));
            assert_eq!(run.seen[at as usize], expected, "seed {seed}, octet {at}");
        }
        assert!(run.connection.anomalies().kept().is_empty(), "seed {seed}");
        let missing = sent.iter().filter(|sent| !**sent).count() as u64;
        assert_eq!(run.connection.counters(THERE).missing, missing);
        assert_eq!(run.connection.counters(THERE).delivered, length - missing);
        assert_eq!(run.connection.held(), 0);
    }
}

/// The peer acknowledges what was sent, whether the capture has it or not: every hole must be
/// decided before the end, and late copies change nothing.
#[test]
fn acknowledged_holes_are_decided_while_the_connection_goes_on() {
    for seed in 1..200_u64 {
        let mut random = Random::new(seed);
        let length = 2000;
        let mut run = Run::new(u32::MAX - 700, length);
        let mut sent = vec![false; length as usize];
        let mut at = 0;
        while at < length {
            let to = (at + 1 + random.below(60)).min(length);
            if random.below(5) != 0 {
                run.send_octets(at, to);
                (at..to).for_each(|at| sent[at as usize] = true);
            }
            run.send(BACK, ACK, 9001, run.sequence(to), b"");
            at = to;
        }
        // The last acknowledgment may have to wait until an earlier one has been decided.
        for _ in 0..2 * HOLE_GRACE_SEGMENTS + 2 {
            run.send(BACK, ACK, 9001, run.sequence(length), b"");
        }
        // One octet at the very end may have been the FIN.
        assert!(run.next >= length - 1, "seed {seed}: {}", run.next);
        run.send_octets(0, 500);
        for at in 0..length {
            assert_eq!(run.seen[at as usize], sent[at as usize].then(|| octet(at)), "seed {seed}, octet {at}");
        }
    }
}
