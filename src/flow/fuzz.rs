//! Octets become segments of a few connections: the body of a fuzz target.

use super::analysis::Analyses;
use super::connection::{Connection, Segment};
use super::key::{Endpoint, FiveTuple};
use super::reassembly::Delivery;
use super::table::Table;
use crate::bytes::Cursor;
use crate::stream::StreamEvent;
use crate::time::Timestamp;
use crate::wire::{Tcp, TcpFlags};

/// Fuzz body: segments with any flags, numbers and lengths go through a table. Whatever they are,
/// each direction's events must follow one another without a gap that is not named, and the
/// analysis must not panic.
///
/// # Panics
///
/// When one of these does not hold.
pub fn fuzz_flow(data: &[u8]) {
    let mut cursor = Cursor::new(data);
    let mut table: Table<Story> = Table::new();
    let mut analyses = Analyses::new();
    let mut now = 0_i64;
    let mut packet = 0;
    while let Some(step) = read_step(&mut cursor) {
        packet += 1;
        now = now.saturating_add(step.wait);
        let time = Timestamp::from_nanos(now);
        let tcp = step.tcp;
        let segment = Segment { packet, time, wire_octets: 40, tcp: &tcp };
        let mut ended = |connection: Connection, story: Story| story.end(connection);
        if step.expire {
            table.expire(time, &mut ended);
        }
        let _ = analyses.put(&step.tuple, &segment);
        let entry = table.put(&step.tuple, &segment, |_| Story::default(), &mut ended);
        let story = entry.state;
        let history = |packet: u64| data.get((packet as usize % 7)..).filter(|_| packet.is_multiple_of(3));
        entry.connection.feed_with(entry.direction, &segment, &history, &mut |delivery| story.add(&delivery));
    }
    table.drain(&mut |connection, story| story.end(connection));
}

struct Step<'a> {
    tuple: FiveTuple,
    tcp: Tcp<'a>,
    wait: i64,
    expire: bool,
}

/// Four octets of choices, then numbers that are near or anywhere, then the payload.
fn read_step<'a>(cursor: &mut Cursor<'a>) -> Option<Step<'a>> {
    let choice = cursor.u8()?;
    let flags = u16::from(cursor.u8()?);
    let near = |cursor: &mut Cursor<'_>, far: bool| match far {
        true => cursor.u32(),
        false => cursor.u8().map(|low| u32::MAX.wrapping_sub(100).wrapping_add(u32::from(low))),
    };
    let sequence = near(cursor, choice & 0x18 == 0x18)?;
    let acknowledgment = near(cursor, choice & 0x60 == 0x60)?;
    let length = usize::from(cursor.u8()? & 0x1f);
    let wait = i64::from(cursor.u8()?).pow(4) * 1_000;
    let available = length.min(cursor.rest().len());
    let payload = cursor.take(available)?;
    let endpoint = |last, port| Endpoint::new([192, 0, 2, last].into(), port);
    let there = FiveTuple { source: endpoint(1, 40_000 + u16::from(choice & 2)), destination: endpoint(2, 25) };
    let tcp = Tcp {
        source_port: 40_000,
        destination_port: 25,
        sequence,
        acknowledgment,
        flags: TcpFlags(flags),
        window: u16::from(flags as u8) << 4,
        checksum: 0,
        urgent_pointer: 0,
        options: if choice & 4 != 0 { payload } else { &[] },
        payload,
        payload_len: length as u32,
    };
    let tuple = if choice & 1 != 0 { there } else { there.reversed() };
    Some(Step { tuple, tcp, wait, expire: choice & 0x80 != 0 })
}

/// How far each direction has come, and whether it has ended.
#[derive(Default)]
struct Story {
    at: [u64; 2],
    over: [bool; 2],
}

impl Story {
    fn add(&mut self, delivery: &Delivery<'_>) {
        let (direction, over) = match delivery.event {
            StreamEvent::Data { span, .. } | StreamEvent::Gap { span } => {
                assert!(span.start == self.at[span.direction.index()] && !span.is_empty());
                self.at[span.direction.index()] = span.end;
                if let StreamEvent::Data { bytes, .. } = delivery.event {
                    assert_eq!(bytes.len() as u64, span.len());
                }
                (span.direction, false)
            }
            StreamEvent::Fin { direction, at } | StreamEvent::Reset { direction, at } => {
                assert_eq!(at, self.at[direction.index()]);
                (direction, true)
            }
        };
        // A reset may follow a FIN; nothing else follows an end.
        let is_reset = matches!(delivery.event, StreamEvent::Reset { .. });
        assert!(is_reset || !self.over[direction.index()]);
        self.over[direction.index()] |= over;
    }

    fn end(mut self, mut connection: Connection) {
        connection.finish(&mut |delivery| self.add(&delivery));
        assert_eq!(connection.held(), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Random;
    use super::*;

    #[test]
    fn any_octets_make_streams_without_unnamed_holes() {
        let mut random = Random::new(0x1234_5678);
        for _ in 0..600 {
            let mut data: Vec<u8> = (0..400).map(|_| random.below(256) as u8).collect();
            if random.below(2) == 0 {
                // Mostly plain segments, so that streams grow.
                data.iter_mut().skip(1).step_by(9).for_each(|flags| *flags = 0x10);
            }
            fuzz_flow(&data);
        }
        fuzz_flow(&[]);
    }

    #[test]
    fn nothing_is_delivered_after_a_fin_in_an_orderly_stream() {
        let hex = concat!(
            "050a20212121062140300a0000000001000900280e01019a88888801000013200000a3a305af000000310a00000000010009",
            "88888801000013200000a3a305af000000300a000000000100000900280e01019a88888801000013200000a3a305af000000",
            "300a003a0000000100098888880100001320000900280e01019a888888010000050100280e01019a88888801",
        );
        let digit = |octet: u8| char::from(octet).to_digit(16).expect("a hexadecimal digit") as u8;
        let data: Vec<u8> = hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
        fuzz_flow(&data);
    }
}
