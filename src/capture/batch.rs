//! Packets that are read, analysed and let go together.

use crate::time::Timestamp;
use crate::wire::LinkType;

/// One packet as captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its number in the capture, from 1; over all files where several are read as one.
    pub number: u64,
    /// When it was captured. A packet for which the capture states no time has the epoch.
    pub timestamp: Timestamp,
    /// The place of its interface in [`Info::interfaces`](super::Info::interfaces).
    pub interface: u32,
    /// What its first header is.
    pub link_type: LinkType,
    /// What was captured of it.
    pub data: &'a [u8],
    /// Its length on the wire, as stated; more than `data` where the capture cut it.
    pub original_len: u32,
}

/// A stretch of a capture: its octets, and where the packets stand in them.
#[derive(Debug, Default)]
pub struct Batch {
    /// As long as it ever had to be; what lies past the last record has no meaning.
    pub(super) buffer: Vec<u8>,
    pub(super) records: Vec<Record>,
    /// The number of the packet whose [`Record::ordinal`] is 0.
    pub(super) first: u64,
    /// Where [`Batch::push`] puts the next packet.
    used: usize,
}

impl Batch {
    /// Without packets.
    #[must_use]
    pub fn new() -> Batch {
        Batch::default()
    }

    /// The number of packets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is no packet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The packets in the order of the capture.
    pub fn packets(&self) -> impl ExactSizeIterator<Item = Packet<'_>> {
        self.records.iter().map(|record| self.view(record))
    }

    /// The packet at `index`, which counts from 0 and is below [`len`](Batch::len).
    ///
    /// # Panics
    ///
    /// Where there is no such packet.
    #[must_use]
    pub fn packet(&self, index: usize) -> Packet<'_> {
        self.view(&self.records[index])
    }

    /// Captured octets of all packets together.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.records.iter().map(|record| u64::from(record.captured)).sum()
    }

    /// Forgets the packets for which `keep` says no. The others keep their numbers.
    pub fn retain(&mut self, mut keep: impl FnMut(Packet<'_>) -> bool) {
        let mut records = std::mem::take(&mut self.records);
        records.retain(|record| keep(self.view(record)));
        self.records = records;
    }

    /// Forgets all packets; those to come are numbered from `first`.
    pub fn clear(&mut self, first: u64) {
        self.records.clear();
        self.first = first;
        self.used = 0;
    }

    /// Copies a packet in. Its number is not looked at: it becomes one more than that of the last
    /// packet.
    pub fn push(&mut self, packet: &Packet<'_>) {
        let end = self.used + packet.data.len();
        self.reserve(end);
        self.buffer[self.used..end].copy_from_slice(packet.data);
        let ordinal = self.records.last().map_or(0, |last| last.ordinal + 1);
        self.records.push(Record {
            timestamp: packet.timestamp,
            start: self.used as u32,
            captured: packet.data.len() as u32,
            original: packet.original_len,
            interface: packet.interface,
            link_type: packet.link_type,
            ordinal,
        });
        self.used = end;
    }

    /// Makes the buffer at least `octets` long.
    pub(super) fn reserve(&mut self, octets: usize) {
        if self.buffer.len() < octets {
            self.buffer.resize(octets.next_power_of_two(), 0);
        }
    }

    fn view(&self, record: &Record) -> Packet<'_> {
        let start = record.start as usize;
        Packet {
            number: self.first + u64::from(record.ordinal),
            timestamp: record.timestamp,
            interface: record.interface,
            link_type: record.link_type,
            data: &self.buffer[start..start + record.captured as usize],
            original_len: record.original,
        }
    }
}

/// Where a packet stands in the buffer of its batch, and what is known about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub timestamp: Timestamp,
    pub start: u32,
    pub captured: u32,
    pub original: u32,
    pub interface: u32,
    pub link_type: LinkType,
    /// The packet's number counted from the first of the batch, 0.
    pub ordinal: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(data: &[u8]) -> Packet<'_> {
        Packet {
            number: 0,
            timestamp: Timestamp::from_parts(1, data.len() as i64),
            interface: 0,
            link_type: LinkType(1),
            data,
            original_len: 100,
        }
    }

    #[test]
    fn packets_keep_their_numbers_when_others_are_forgotten() {
        let mut batch = Batch::new();
        batch.clear(41);
        for data in [&b"one"[..], b"", b"three"] {
            batch.push(&packet(data));
        }
        assert_eq!((batch.len(), batch.octets()), (3, 8));
        batch.retain(|packet| !packet.data.is_empty());
        let seen: Vec<(u64, &[u8])> = batch.packets().map(|p| (p.number, p.data)).collect();
        assert_eq!(seen, [(41, &b"one"[..]), (43, b"three")]);
        assert_eq!(batch.packet(1).original_len, 100);
        batch.push(&packet(b"four"));
        assert_eq!(batch.packet(2).number, 44);
        batch.clear(1);
        assert!(batch.is_empty());
    }

    #[test]
    fn a_record_stays_small() {
        assert_eq!(size_of::<Record>(), 32);
    }
}
