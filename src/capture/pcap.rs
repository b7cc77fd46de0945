//! The classic format: a file header, then records of a header and a packet
//! (draft-ietf-opsawg-pcap).
//!
//! ```text
//! magic  major minor  zone  sigfigs  snaplen  link type     24 octets
//! seconds  fraction  captured  original  [more]  packet …   16 octets (24 or 28 with a patched libpcap)
//! ```

use super::batch::Record;
use super::error::Foreign;
use super::file::{Indexer, Order, Walk};
use super::info::{FaultKind, Info, Interface};
use crate::limits;
use crate::time::Timestamp;
use crate::wire::LinkType;

/// Finds the packets of a classic pcap file.
pub(super) struct Pcap {
    order: Order,
    /// Nanoseconds in a unit of a record's second number.
    unit: i64,
    lengths: Lengths,
    record: RecordHeader,
    link_type: LinkType,
    interface: u32,
}

impl Pcap {
    /// Whether a file that begins so is of this format.
    pub fn begins(head: &[u8]) -> bool {
        head.first_chunk().is_some_and(|magic| Variant::of(*magic).is_some())
    }

    /// From the file header.
    pub fn new(header: &[u8; FILE_HEADER], info: &mut Info) -> Result<Pcap, Foreign> {
        let magic = [header[0], header[1], header[2], header[3]];
        let Some((order, variant)) = Variant::of(magic) else { return Err(Foreign::of(header)) };
        let (major, minor) = (order.u16([header[4], header[5]]), order.u16([header[6], header[7]]));
        if major != 2 {
            return Err(Foreign::Version(major, minor));
        }
        let word = |at: usize| order.u32([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let link_type = LinkType(word(20) & LINK_TYPE_BITS);
        let nanoseconds = variant == Variant::Nanoseconds;
        let interface =
            info.interface(Interface { file: 0, number: 0, name: None, link_type, snaplen: word(16), nanoseconds });
        Ok(Pcap {
            order,
            unit: if nanoseconds { 1 } else { 1000 },
            lengths: match minor {
                0..=2 => Lengths::Swapped,
                3 => Lengths::PerhapsSwapped,
                _ => Lengths::AsDefined,
            },
            record: if variant == Variant::Modified {
                RecordHeader::Undecided
            } else {
                RecordHeader::Long(RECORD_HEADER)
            },
            link_type,
            interface,
        })
    }

    /// Finds the packets that stand whole in `octets`, which begins with a record. `all` says that no
    /// octet follows it.
    pub fn index(&mut self, octets: &[u8], all: bool, found: &mut Indexer<'_>) -> Walk {
        let header_len = match self.record {
            RecordHeader::Long(length) => length,
            RecordHeader::Undecided => match self.decide(octets, all) {
                Ok(length) => {
                    self.record = RecordHeader::Long(length);
                    length
                }
                Err(needed) => return Walk::needs(0, needed),
            },
        };
        let mut at = 0;
        loop {
            let rest = &octets[at..];
            let Some((seconds, fraction, captured, original)) = self.read(rest) else {
                return Walk::needs(at, header_len);
            };
            if captured as usize > limits::CAPTURED_PACKET_OCTETS {
                return Walk::broken(at, FaultKind::PacketTooLong { stated: captured });
            }
            let end = header_len + captured as usize;
            if rest.len() < end {
                return Walk::needs(at, end);
            }
            found.put(Record {
                // A fraction of a second or more is carried over, as Wireshark does.
                timestamp: Timestamp::from_parts(i64::from(seconds), i64::from(fraction) * self.unit),
                start: (at + header_len) as u32,
                captured,
                original,
                interface: self.interface,
                link_type: self.link_type,
                ordinal: 0,
            });
            at += end;
        }
    }

    /// What is wrong with the `rest` that the file ends with, which is no whole record.
    pub fn cut(&self, rest: &[u8]) -> FaultKind {
        let needed = match self.record {
            RecordHeader::Long(length) => length,
            RecordHeader::Undecided => MODIFIED[0],
        };
        match self.read(rest) {
            Some((_, _, captured, _)) if rest.len() >= needed => {
                FaultKind::CutPacket { present: rest.len() - needed, stated: captured as usize }
            }
            _ => FaultKind::CutRecordHeader { present: rest.len(), needed },
        }
    }

    /// Seconds, their fraction, captured and original length of the record that `octets` begins with.
    #[inline]
    fn read(&self, octets: &[u8]) -> Option<(u32, u32, u32, u32)> {
        let header: &[u8; RECORD_HEADER] = octets.first_chunk()?;
        let word = |at: usize| self.order.u32([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let (mut captured, mut original) = (word(8), word(12));
        let swapped = match self.lengths {
            Lengths::AsDefined => false,
            Lengths::Swapped => true,
            Lengths::PerhapsSwapped => captured > original,
        };
        if swapped {
            std::mem::swap(&mut captured, &mut original);
        }
        Some((word(0), word(4), captured, original))
    }

    /// How long the record headers of a patched libpcap are: the two patches share their magic, so
    /// the length is the one under which the second record looks like one too. `Err`: so many octets
    /// are needed to tell.
    fn decide(&self, octets: &[u8], all: bool) -> Result<usize, usize> {
        let mut needed = 0;
        for length in MODIFIED {
            let Some((_, _, captured, _)) = self.read(octets) else {
                return if all { Ok(MODIFIED[0]) } else { Err(length) };
            };
            let next = length.saturating_add(captured as usize);
            if captured as usize > limits::CAPTURED_PACKET_OCTETS || (all && octets.len() == next) {
                return Ok(length);
            }
            match octets.get(next..).and_then(|rest| self.read(rest)) {
                Some((_, fraction, captured, original)) => {
                    let looks_right = fraction < 1_000_000
                        && captured as usize <= limits::CAPTURED_PACKET_OCTETS
                        && captured <= original;
                    if looks_right {
                        return Ok(length);
                    }
                }
                None => needed = needed.max(next + RECORD_HEADER),
            }
        }
        if needed == 0 || all { Ok(MODIFIED[0]) } else { Err(needed) }
    }
}

/// Octets of the file header.
pub(super) const FILE_HEADER: usize = 24;

/// Which of the formats that share the file header.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Variant {
    Microseconds,
    Nanoseconds,
    /// Of Alexey Kuznetzov's patched libpcap: longer record headers.
    Modified,
}

impl Variant {
    fn of(magic: [u8; 4]) -> Option<(Order, Variant)> {
        [Order::Big, Order::Little].into_iter().find_map(|order| {
            let variant = match order.u32(magic) {
                0xa1b2_c3d4 => Variant::Microseconds,
                0xa1b2_3c4d => Variant::Nanoseconds,
                0xa1b2_cd34 => Variant::Modified,
                _ => return None,
            };
            Some((order, variant))
        })
    }
}

/// In which order a record states its two lengths. Before version 2.3 the original one came first,
/// and in 2.3 some programs did it one way and some the other.
enum Lengths {
    AsDefined,
    Swapped,
    PerhapsSwapped,
}

enum RecordHeader {
    Long(usize),
    Undecided,
}

const RECORD_HEADER: usize = 16;

/// Record headers with interface, protocol and packet type, without and with processor numbers.
const MODIFIED: [usize; 2] = [24, 28];

/// Above them stand the length of a frame check sequence and whether there is one.
const LINK_TYPE_BITS: u32 = 0x03ff_ffff;

#[cfg(test)]
mod tests {
    use super::super::samples::{pcap, pcap_header, read, record};
    use super::super::{Error, FaultKind, Options, read_from};
    use super::*;

    #[test]
    fn reads_both_orders_with_microseconds_and_nanoseconds() {
        let cases: [(&[u8], i64); 4] = [
            (&[0xd4, 0xc3, 0xb2, 0xa1], 1_000_007_000),
            (&[0xa1, 0xb2, 0xc3, 0xd4], 1_000_007_000),
            (&[0x4d, 0x3c, 0xb2, 0xa1], 1_000_000_007),
            (&[0xa1, 0xb2, 0x3c, 0x4d], 1_000_000_007),
        ];
        for (magic, nanos) in cases {
            let big = magic[0] == 0xa1;
            let number = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
            let short = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
            let mut capture = magic.to_vec();
            capture.extend([short(2), short(4)].concat());
            for n in [0, 0, 96, 113, 1, 7, 3, 60] {
                capture.extend(number(n));
            }
            capture.extend(b"abc");
            let (packets, info) = read(&capture);
            assert_eq!(packets.len(), 1, "{magic:x?}");
            assert_eq!((packets[0].nanos, packets[0].link_type, packets[0].original), (nanos, 113, 60));
            assert_eq!((packets[0].number, &packets[0].data[..]), (1, &b"abc"[..]));
            assert_eq!(info.nanoseconds, nanos == 1_000_000_007);
            assert_eq!((info.link_types, info.interfaces[0].snaplen), (vec![LinkType(113)], 96));
            assert!(info.faults.is_empty());
        }
    }

    #[test]
    fn reads_the_longer_records_of_a_patched_libpcap() {
        for (extra, big) in [(8, false), (12, false), (8, true), (12, true)] {
            let number = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
            let mut capture = pcap_header();
            if big {
                capture = [0xa1, 0xb2, 0xcd, 0x34, 0, 2, 0, 4].to_vec();
                capture.extend([0, 0, 65535, 1].map(number).concat());
            }
            capture[..4].copy_from_slice(&number(0xa1b2_cd34));
            for (fraction, data) in [(1, &b"first packet"[..]), (999_999, b"second"), (3, b"")] {
                capture.extend([1_000_000_000, fraction, data.len() as u32, 60].map(number).concat());
                capture.extend(&[4, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0][..extra]);
                capture.extend(data);
            }
            let (packets, info) = read(&capture);
            let data: Vec<&[u8]> = packets.iter().map(|packet| &packet.data[..]).collect();
            assert_eq!(data, [&b"first packet"[..], b"second", b""], "{extra} {big}");
            assert!(info.faults.is_empty());
            let (packets, info) = read(&capture[..capture.len() - 1]);
            assert_eq!((packets.len(), info.faults.len()), (2, 1));
        }
    }

    #[test]
    fn takes_only_the_link_type_where_the_length_of_a_check_sequence_stands_above_it() {
        let mut capture = pcap(&[(1, b"x")]);
        capture[20..24].copy_from_slice(&[1, 0, 0, 0x24]);
        assert_eq!(read(&capture).0[0].link_type, 1);
    }

    #[test]
    fn believes_a_record_and_not_the_snaplen() {
        let mut capture = pcap(&[(1, b"longer than that")]);
        capture[16..20].copy_from_slice(&[4, 0, 0, 0]);
        assert_eq!(read(&capture).0[0].data, b"longer than that");
    }

    #[test]
    fn takes_lengths_in_the_order_of_the_version() {
        let swapped = |minor: u8| {
            let mut capture = pcap_header();
            capture[6] = minor;
            capture.extend(record(1, 0, &[], 3));
            capture.extend(b"abc");
            read(&capture).0.first().map(|packet| (packet.data.len(), packet.original))
        };
        assert_eq!(swapped(2), Some((3, 0)));
        assert_eq!(swapped(3), Some((0, 3)));
        let mut capture = pcap_header();
        capture[6] = 3;
        capture.extend([1u32, 0, 60, 3].map(u32::to_le_bytes).concat());
        capture.extend(b"abc");
        assert_eq!(read(&capture).0[0].original, 60);
    }

    #[test]
    fn a_record_longer_than_any_packet_ends_the_capture_with_a_fault() {
        let mut capture = pcap(&[(1, b"good")]);
        capture.extend([2u32, 0, 262_145, 262_145].map(u32::to_le_bytes).concat());
        capture.extend(vec![0; 300_000]);
        let (packets, info) = read(&capture);
        assert_eq!(packets.len(), 1);
        assert_eq!((info.faults[0].offset, info.faults[0].packet), (44, 1));
        assert_eq!(info.faults[0].what, FaultKind::PacketTooLong { stated: 262_145 });
        let longest = pcap(&[(1, &vec![7; 262_144])]);
        assert_eq!(read(&longest).0[0].data.len(), 262_144);
    }

    #[test]
    fn carries_a_fraction_of_more_than_a_second_over() {
        let mut capture = pcap_header();
        capture.extend(record(1, 2_500_000, b"x", 1));
        capture.extend(record(u32::MAX, u32::MAX, b"x", 1));
        let (packets, _) = read(&capture);
        assert_eq!(packets[0].nanos, 3_500_000_000);
        assert_eq!(packets[1].nanos, i64::from(u32::MAX) * 1_000_000_000 + i64::from(u32::MAX) * 1000);
    }

    #[test]
    fn refuses_a_version_that_does_not_exist() {
        let mut capture = pcap(&[]);
        capture[4] = 3;
        let error = read_from(std::io::Cursor::new(capture), "x.pcap", &Options::default()).err();
        assert!(matches!(error, Some(Error::NotACapture { what: Foreign::Version(3, 4), .. })));
    }

    #[test]
    fn says_what_is_cut() {
        let capture = pcap(&[(1, b"good"), (2, b"cut")]);
        let what = |octets: &[u8]| read(octets).1.faults[0].to_string();
        assert_eq!(
            what(&capture[..capture.len() - 1]),
            "test: cut short: the last packet says 3 octets, 2 are there, at octet 44, after packet 1"
        );
        assert_eq!(
            what(&capture[..50]),
            "test: cut short: the next record takes at least 16 octets, 6 are there, at octet 44, after packet 1"
        );
        assert_eq!(
            what(&capture[..20]),
            "test: cut short: the header of the file takes 24 octets, 20 are there, at octet 0, after packet 0"
        );
    }
}
