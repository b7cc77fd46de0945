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
