//! From a stream offset back to the packets that carried it.

use std::ops::Range;

use crate::limits::{MAX_EVIDENCE_PACKETS, MAX_PACKET_RUNS};

/// Which packets carried which octets of one direction.
///
/// Runs are in stream order and do not overlap. A run is one packet, except inside the bulk of a
/// message or of a sealed transfer and past [`MAX_PACKET_RUNS`], where neighbours become one run
/// that knows its first and its last packet only.
#[derive(Clone, Debug, Default)]
pub struct PacketMap {
    runs: Vec<Run>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    start: u64,
    end: u64,
    first: u64,
    last: u64,
    bulk: bool,
}

impl PacketMap {
    /// Octets `span` came in `packet`. `bulk` says that nothing smaller than the whole transfer
    /// will ever be pointed at in here.
    pub fn push(&mut self, span: Range<u64>, packet: u64, bulk: bool) {
        if let Some(last) = self.runs.last_mut() {
            let joins = last.end == span.start && (last.last == packet || (bulk && last.bulk));
            if joins || self.runs.len() >= MAX_PACKET_RUNS {
                let last = self.runs.last_mut().expect("there is a last run in this branch");
                last.end = span.end.max(last.end);
                last.last = packet;
                return;
            }
        }
        self.runs.push(Run { start: span.start, end: span.end, first: packet, last: packet, bulk });
    }

    /// The packets that carried any octet of `span`, in stream order; where a run is of several,
    /// its first and its last. At most [`MAX_EVIDENCE_PACKETS`], the last one always among them.
    #[must_use]
    pub fn packets(&self, span: Range<u64>) -> Vec<u64> {
        let from = self.runs.partition_point(|run| run.end <= span.start);
        let mut packets = Vec::new();
        for run in self.runs[from..].iter().take_while(|run| run.start < span.end) {
            for packet in [run.first, run.last] {
                if packets.last() != Some(&packet) {
                    if packets.len() == MAX_EVIDENCE_PACKETS {
                        packets.pop();
                    }
                    packets.push(packet);
                }
            }
        }
        packets
    }

    /// The packet that carried the octet at `offset`, if it is in the capture.
    #[must_use]
    pub fn packet_at(&self, offset: u64) -> Option<u64> {
        let at = self.runs.partition_point(|run| run.end <= offset);
        self.runs.get(at).filter(|run| run.start <= offset).map(|run| run.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_names_every_packet_that_carried_a_part_of_it() {
        let mut map = PacketMap::default();
        map.push(0..10, 4, false);
        map.push(10..20, 6, false);
        map.push(25..30, 9, false);
        assert_eq!(map.packets(0..10), [4]);
        assert_eq!(map.packets(9..11), [4, 6]);
        assert_eq!(map.packets(0..30), [4, 6, 9]);
        assert_eq!(map.packets(20..25), [0; 0]);
        assert_eq!((map.packet_at(10), map.packet_at(22), map.packet_at(30)), (Some(6), None, None));
    }

    #[test]
    fn bulk_is_one_run_with_its_first_and_last_packet() {
        let mut map = PacketMap::default();
        map.push(0..10, 1, false);
        for i in 0..100 {
            map.push(10 + i * 10..20 + i * 10, 2 + i, true);
        }
        map.push(1010..1011, 200, false);
        assert_eq!(map.packets(0..1011), [1, 2, 101, 200]);
        assert_eq!(map.runs.len(), 3);
    }

    #[test]
    fn a_long_conversation_keeps_its_map_within_the_limit() {
        let mut map = PacketMap::default();
        for i in 0..10 * MAX_PACKET_RUNS as u64 {
            map.push(i..i + 1, i, false);
        }
        assert_eq!(map.runs.len(), MAX_PACKET_RUNS);
        assert_eq!(map.packets(0..5), [0, 1, 2, 3, 4]);
        let all = map.packets(0..u64::MAX);
        assert_eq!((all.len(), all.last()), (MAX_EVIDENCE_PACKETS, Some(&(10 * MAX_PACKET_RUNS as u64 - 1))));
    }
}
