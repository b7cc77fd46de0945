//! The block format: sections of blocks, each section with its own order of octets and its own
//! interfaces (draft-ietf-opsawg-pcapng).
//!
//! ```text
//! type  length  contents …  length      a multiple of 4 octets
//! ```

use std::net::IpAddr;

use super::batch::Record;
use super::error::Foreign;
use super::file::{Indexer, Order, Walk};
use super::info::{Drops, FaultKind, Interface, SecretsKind};
use crate::limits;
use crate::time::Timestamp;
use crate::wire::LinkType;

/// Finds the packets of a pcapng file.
pub(super) struct Pcapng {
    order: Order,
    /// Those that the section declared so far.
    interfaces: Vec<Declared>,
    /// The drops of the sections before.
    drops: Option<Drops>,
}

impl Pcapng {
    /// Whether a file that begins so is of this format.
    pub fn begins(head: &[u8]) -> bool {
        head.starts_with(&SECTION_HEADER.to_be_bytes())
    }

    /// From the start of the first block.
    pub fn new(start: &[u8; SECTION_START]) -> Result<Pcapng, Foreign> {
        match section_order(start) {
            Some(order) => Ok(Pcapng { order, interfaces: Vec::new(), drops: None }),
            None => Err(Foreign::of(start)),
        }
    }

    /// Finds the packets in the blocks that stand whole in `octets`, which begins with a block.
    pub fn index(&mut self, octets: &[u8], found: &mut Indexer<'_>) -> Walk {
        let mut at = 0;
        loop {
            let rest = &octets[at..];
            let Some(start) = rest.first_chunk::<SECTION_START>() else { return Walk::needs(at, SMALLEST_BLOCK) };
            let mut block_type = self.order.u32([start[0], start[1], start[2], start[3]]);
            if Pcapng::begins(start) {
                let Some(order) = section_order(start) else { return Walk::broken(at, FaultKind::Section) };
                self.begin_section(order);
                block_type = SECTION_HEADER;
            }
            let stated = self.order.u32([start[4], start[5], start[6], start[7]]);
            let length = stated as usize;
            if !(SMALLEST_BLOCK..=limits::PCAPNG_BLOCK_OCTETS).contains(&length) {
                return Walk::broken(at, FaultKind::BlockLength { block_type, stated });
            }
            // Some programs leave the padding out of the length; Wireshark reads them too.
            let padded = length.next_multiple_of(4);
            let Some(block) = rest.get(..padded) else { return Walk::needs(at, padded) };
            let after = word(self.order, block, padded - 4).unwrap_or(0);
            if after != stated && after as usize != padded {
                return Walk::broken(at, FaultKind::BlockLengthsDiffer { block_type, before: stated, after });
            }
            match self.block(block_type, &block[8..padded - 4], at + 8, found) {
                Ok(()) => {}
                Err(Damage::Skip(what)) => found.fault(at, padded, what),
                Err(Damage::Stop(what)) => return Walk::broken(at, what),
            }
            at += padded;
        }
    }

    /// What is wrong with the `rest` that the file ends with, which is no whole block.
    pub fn cut(&self, rest: &[u8]) -> FaultKind {
        let order = section_order(rest).unwrap_or(self.order);
        match (word(order, rest, 0), word(order, rest, 4)) {
            (Some(block_type), Some(stated)) if rest.len() >= SMALLEST_BLOCK => {
                FaultKind::CutBlock { block_type, present: rest.len(), stated: stated as usize }
            }
            _ => FaultKind::CutRecordHeader { present: rest.len(), needed: SMALLEST_BLOCK },
        }
    }

    /// What all sections so far say that was not recorded.
    pub fn drops(&self) -> Option<Drops> {
        let section = self.interfaces.iter().filter_map(|interface| interface.drops);
        self.drops.into_iter().chain(section).reduce(Drops::plus)
    }

    fn begin_section(&mut self, order: Order) {
        self.drops = self.drops();
        self.interfaces.clear();
        self.order = order;
    }

    /// One block. `contents` stands at `at` of the stretch.
    #[inline]
    fn block(&mut self, block_type: u32, contents: &[u8], at: usize, found: &mut Indexer<'_>) -> Result<(), Damage> {
        let odd = || Damage::Skip(FaultKind::BlockContents { block_type });
        match block_type {
            ENHANCED_PACKET => {
                let header: &[u8; 20] = contents.first_chunk().ok_or_else(odd)?;
                let number = |at: usize| self.order.u32([header[at], header[at + 1], header[at + 2], header[at + 3]]);
                let head = PacketHeader {
                    interface: number(0),
                    ticks: Some(u64::from(number(4)) << 32 | u64::from(number(8))),
                    captured: number(12),
                    original: number(16),
                    length: 20,
                };
                self.packet(block_type, &head, contents, at, found)
            }
            SIMPLE_PACKET => {
                let original = word(self.order, contents, 0).ok_or_else(odd)?;
                let room = contents.len() as u32 - 4;
                let snaplen = self.interfaces.first().map_or(0, |interface| interface.snaplen);
                let captured = original.min(room).min(if snaplen == 0 { u32::MAX } else { snaplen });
                let head = PacketHeader { interface: 0, ticks: None, captured, original, length: 4 };
                self.packet(block_type, &head, contents, at, found)
            }
            OBSOLETE_PACKET => {
                let header: &[u8; 20] = contents.first_chunk().ok_or_else(odd)?;
                let number = |at: usize| self.order.u32([header[at], header[at + 1], header[at + 2], header[at + 3]]);
                let head = PacketHeader {
                    interface: u32::from(self.order.u16([header[0], header[1]])),
                    ticks: Some(u64::from(number(4)) << 32 | u64::from(number(8))),
                    captured: number(12),
                    original: number(16),
                    length: 20,
                };
                self.packet(block_type, &head, contents, at, found)
            }
            SECTION_HEADER => self.section(contents, found),
            INTERFACE_DESCRIPTION => self.declare(contents, found),
            NAME_RESOLUTION => {
                self.names(contents, found);
                Ok(())
            }
            INTERFACE_STATISTICS => self.statistics(contents).ok_or_else(odd),
            DECRYPTION_SECRETS => {
                let kind = word(self.order, contents, 0).ok_or_else(odd)?;
                let length = word(self.order, contents, 4).ok_or_else(odd)? as usize;
                let data = contents[8..].get(..length).ok_or_else(odd)?;
                found.info.secret(SecretsKind(kind), data);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    #[inline]
    fn packet(
        &self,
        block_type: u32,
        head: &PacketHeader,
        contents: &[u8],
        at: usize,
        found: &mut Indexer<'_>,
    ) -> Result<(), Damage> {
        let PacketHeader { captured, original, length, .. } = *head;
        let Some(interface) = self.interfaces.get(head.interface as usize) else {
            return Err(Damage::Skip(FaultKind::UnknownInterface { interface: head.interface }));
        };
        if captured as usize > contents.len() - length {
            return Err(Damage::Skip(FaultKind::BlockContents { block_type }));
        }
        if captured as usize > limits::CAPTURED_PACKET_OCTETS {
            return Err(Damage::Skip(FaultKind::PacketTooLong { stated: captured }));
        }
        found.put(Record {
            timestamp: head.ticks.map_or(Timestamp::default(), |ticks| interface.clock.timestamp(ticks)),
            start: (at + length) as u32,
            captured,
            original,
            interface: interface.place,
            link_type: interface.link_type,
            ordinal: 0,
        });
        let end = length + (captured as usize).next_multiple_of(4);
        if contents.len() > end && block_type != SIMPLE_PACKET {
            for (_, comment) in options(self.order, &contents[end..]).filter(|(code, _)| *code == COMMENT) {
                found.info.comment(Some(found.packets), comment);
            }
        }
        Ok(())
    }

    /// Magic, version and the length of the section, which is not needed: blocks say where they end.
    fn section(&mut self, contents: &[u8], found: &mut Indexer<'_>) -> Result<(), Damage> {
        let header: &[u8; 16] = contents.first_chunk().ok_or(Damage::Stop(FaultKind::Section))?;
        if self.order.u16([header[4], header[5]]) != 1 {
            return Err(Damage::Stop(FaultKind::Section));
        }
        for (_, comment) in options(self.order, &contents[16..]).filter(|(code, _)| *code == COMMENT) {
            found.info.comment(None, comment);
        }
        Ok(())
    }

    fn declare(&mut self, contents: &[u8], found: &mut Indexer<'_>) -> Result<(), Damage> {
        // Those that follow could not be told apart without this one.
        let header: &[u8; 8] = contents
            .first_chunk()
            .ok_or(Damage::Stop(FaultKind::BlockContents { block_type: INTERFACE_DESCRIPTION }))?;
        if self.interfaces.len() == limits::PCAPNG_INTERFACES {
            return Err(Damage::Stop(FaultKind::TooManyInterfaces));
        }
        let link_type = LinkType(u32::from(self.order.u16([header[0], header[1]])));
        let snaplen = self.order.u32([header[4], header[5], header[6], header[7]]);
        let (mut clock, mut name) = (Clock::default(), None);
        for (code, value) in options(self.order, &contents[8..]) {
            match (code, value) {
                (COMMENT, comment) => found.info.comment(None, comment),
                // No system has names of more than a few dozen octets.
                (IF_NAME, value) => name = Some(value[..value.len().min(255)].to_vec()),
                (IF_TIME_RESOLUTION, [resolution]) => clock = Clock { offset: clock.offset, ..Clock::of(*resolution) },
                (IF_TIME_OFFSET, value) => {
                    if let Ok(value) = value.try_into() {
                        clock.offset = self.order.u64(value).cast_signed();
                    }
                }
                _ => {}
            }
        }
        let place = found.info.interface(Interface {
            file: 0,
            number: self.interfaces.len() as u32,
            name,
            link_type,
            snaplen,
            nanoseconds: clock.units > 1_000_000,
        });
        self.interfaces.push(Declared { place, link_type, snaplen, clock, drops: None });
        Ok(())
    }

    fn names(&self, contents: &[u8], found: &mut Indexer<'_>) {
        for (kind, value) in options(self.order, contents) {
            let (address, names) = match kind {
                NAME_IPV4 => match value.split_first_chunk::<4>() {
                    Some((address, names)) => (IpAddr::from(*address), names),
                    None => continue,
                },
                NAME_IPV6 => match value.split_first_chunk::<16>() {
                    Some((address, names)) => (IpAddr::from(*address), names),
                    None => continue,
                },
                _ => continue,
            };
            for name in names.split(|octet| *octet == 0).filter(|name| !name.is_empty()) {
                found.info.name(address, name);
            }
        }
    }

    /// Counters since the start of the capture: the last block of an interface counts.
    fn statistics(&mut self, contents: &[u8]) -> Option<()> {
        let interface = word(self.order, contents, 0)? as usize;
        let counters = contents.get(12..)?;
        let mut drops = Drops::default();
        for (code, value) in options(self.order, counters) {
            let Ok(value) = value.try_into() else { continue };
            let value = Some(self.order.u64(value));
            match code {
                STATISTICS_RECEIVED => drops.received = value,
                STATISTICS_INTERFACE_DROPS => drops.by_interface = value,
                STATISTICS_SYSTEM_DROPS => drops.by_system = value,
                _ => {}
            }
        }
        self.interfaces.get_mut(interface)?.drops = Some(drops);
        Some(())
    }
}

/// Octets with which the order of a section can be told.
pub(super) const SECTION_START: usize = 12;

/// What an Interface Description Block declares.
struct Declared {
    place: u32,
    link_type: LinkType,
    snaplen: u32,
    clock: Clock,
    drops: Option<Drops>,
}

struct PacketHeader {
    interface: u32,
    ticks: Option<u64>,
    captured: u32,
    original: u32,
    /// Of this header.
    length: usize,
}

/// What to do about a block that cannot be understood.
enum Damage {
    Skip(FaultKind),
    Stop(FaultKind),
}

/// How an interface counts time.
#[derive(Clone, Copy)]
struct Clock {
    /// Units in a second.
    units: u128,
    /// Nanoseconds in a unit, where that is a whole number.
    nanos: Option<i64>,
    /// Seconds to add.
    offset: i64,
}

impl Clock {
    /// From `if_tsresol`: a negative power of 10, or of 2 where the highest bit is set.
    fn of(resolution: u8) -> Clock {
        let exponent = u32::from(resolution & 0x7f);
        if resolution & 0x80 != 0 {
            return Clock { units: 1 << exponent, nanos: None, offset: 0 };
        }
        // From 10^-39 on even 2^64 units are less than a nanosecond.
        let units = 10u128.checked_pow(exponent).unwrap_or(u128::MAX);
        let nanos = exponent.le(&9).then(|| 10i64.pow(9 - exponent.min(9)));
        Clock { units, nanos, offset: 0 }
    }

    #[inline]
    fn timestamp(&self, ticks: u64) -> Timestamp {
        let nanos = self.nanos.and_then(|nanos| i64::try_from(ticks).ok()?.checked_mul(nanos));
        match nanos {
            Some(nanos) => Timestamp::from_parts(self.offset, nanos),
            None => {
                let (seconds, part) = (u128::from(ticks) / self.units, u128::from(ticks) % self.units);
                let seconds = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_add(self.offset);
                Timestamp::from_parts(seconds, (part * 1_000_000_000 / self.units) as i64)
            }
        }
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::of(6)
    }
}

/// The order in which the section that begins with `start` writes its numbers.
fn section_order(start: &[u8]) -> Option<Order> {
    if !Pcapng::begins(start) {
        return None;
    }
    [Order::Little, Order::Big].into_iter().find(|order| word(*order, start, 8) == Some(BYTE_ORDER))
}

fn word(order: Order, octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..)?.first_chunk().map(|word| order.u32(*word))
}

/// Codes and values of a list that options and name records share: code, length, value, padding.
/// Ends at code 0, or where the list does not hold together any more.
fn options(order: Order, mut list: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = list.split_first_chunk::<4>()?;
        let (code, length) = (order.u16([head[0], head[1]]), usize::from(order.u16([head[2], head[3]])));
        let value = rest.get(..length).filter(|_| code != 0)?;
        list = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    })
}

const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const SMALLEST_BLOCK: usize = 12;

const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const NAME_RESOLUTION: u32 = 4;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
const DECRYPTION_SECRETS: u32 = 10;
/// The same in both orders.
const SECTION_HEADER: u32 = 0x0a0d_0d0a;

const COMMENT: u16 = 1;
const IF_NAME: u16 = 2;
const IF_TIME_RESOLUTION: u16 = 9;
const IF_TIME_OFFSET: u16 = 14;
const STATISTICS_RECEIVED: u16 = 4;
const STATISTICS_INTERFACE_DROPS: u16 = 5;
const STATISTICS_SYSTEM_DROPS: u16 = 7;
const NAME_IPV4: u16 = 1;
const NAME_IPV6: u16 = 2;

#[cfg(test)]
mod tests {
    use super::super::samples::{Blocks, read};
    use super::super::{FaultKind, NameRecord, Secrets};
    use super::*;

    const LITTLE: Blocks = Blocks { big: false };
    const BIG: Blocks = Blocks { big: true };

    #[test]
    fn each_section_has_its_own_order_and_interfaces() {
        let mut capture = Vec::new();
        for (blocks, link_type) in [(LITTLE, 1), (BIG, 113)] {
            capture.extend(blocks.section(&blocks.option(1, b"a section")));
            capture.extend(blocks.interface(link_type, 0, &blocks.option(2, b"eth0")));
            capture.extend(blocks.interface(276, 0, &blocks.option(9, &[9])));
            capture.extend(blocks.enhanced(0, 1_000_001, b"micro", 60, &[]));
            capture.extend(blocks.enhanced(1, 1_000_000_001, b"nanos!", 61, &[]));
        }
        let (packets, info) = read(&capture);
        let seen: Vec<_> = packets.iter().map(|p| (p.nanos, p.interface, p.link_type, p.original)).collect();
        assert_eq!(
            seen,
            [
                (1_000_001_000, 0, 1, 60),
                (1_000_000_001, 1, 276, 61),
                (1_000_001_000, 2, 113, 60),
                (1_000_000_001, 1, 276, 61)
            ]
        );
        assert_eq!(packets[3].data, b"nanos!");
        assert_eq!(info.link_types, [LinkType(1), LinkType(276), LinkType(113)]);
        assert_eq!(info.interfaces[0].name.as_deref(), Some(&b"eth0"[..]));
        assert!(info.nanoseconds);
        assert_eq!(info.comments.len(), 2);
        assert!(info.faults.is_empty());
    }

    #[test]
    fn time_counts_in_powers_of_ten_and_two_with_an_offset() {
        let at = |resolution: u8, ticks: u64| Clock::of(resolution).timestamp(ticks).nanos();
        assert_eq!(at(0, 3), 3_000_000_000);
        assert_eq!(at(3, 1500), 1_500_000_000);
        assert_eq!(at(12, 1_500_000_000_999), 1_500_000_000);
        assert_eq!(at(0x80 | 10, 1536), 1_500_000_000);
        assert_eq!(at(0x80 | 32, 3 << 31), 1_500_000_000);
        assert_eq!(at(0xff, u64::MAX), 0);
        assert_eq!(at(0x7f, u64::MAX), 0);
        assert_eq!(at(0, u64::MAX), i64::MAX);
        assert_eq!(at(9, u64::MAX), i64::MAX);
        for blocks in [LITTLE, BIG] {
            let options = [blocks.option(14, &blocks.u64((-10i64).cast_unsigned())), blocks.option(9, &[3])].concat();
            let capture =
                [blocks.section(&[]), blocks.interface(1, 0, &options), blocks.enhanced(0, 12_345, b"x", 1, &[])]
                    .concat();
            assert_eq!(read(&capture).0[0].nanos, 2_345_000_000);
        }
    }

    #[test]
    fn reads_simple_and_obsolete_packets() {
        for blocks in [LITTLE, BIG] {
            let obsolete: Vec<u8> =
                [blocks.u16(0), blocks.u16(7), blocks.u32(0), blocks.u32(5), blocks.u32(3), blocks.u32(9)].concat();
            let capture = [
                blocks.section(&[]),
                blocks.interface(1, 4, &[]),
                blocks.block(3, &[&blocks.u32(100), b"abcd"]),
                blocks.block(3, &[&blocks.u32(3), b"abc"]),
                blocks.block(2, &[&obsolete, b"old"]),
            ]
            .concat();
            let (packets, info) = read(&capture);
            let seen: Vec<_> = packets.iter().map(|p| (p.nanos, &p.data[..], p.original)).collect();
            assert_eq!(seen, [(0, &b"abcd"[..], 100), (0, b"abc", 3), (5000, b"old", 9)]);
            assert!(info.faults.is_empty());
        }
    }

    #[test]
    fn keeps_comments_names_keys_and_drops_and_skips_the_rest() {
        for blocks in [LITTLE, BIG] {
            let names = [blocks.option(1, b"\xc0\x00\x02\x01mx.example.org\0mail.example.org\0"), vec![0; 4]].concat();
            let statistics = |received: u64, lost: u64| {
                let counters = [blocks.option(4, &blocks.u64(received)), blocks.option(7, &blocks.u64(lost))].concat();
                blocks.block(5, &[&blocks.u32(0), &[0; 8], &counters])
            };
            let capture = [
                blocks.section(&[]),
                blocks.interface(1, 0, &blocks.option(1, b"about the interface")),
                blocks.block(0xbad, &[b"whose"]),
                blocks.block(4, &[&names]),
                blocks.block(10, &[&blocks.u32(0x544c_534b), &blocks.u32(5), b"KEYS\n"]),
                blocks.enhanced(0, 1, b"abc", 3, &[blocks.option(2, &[0; 4]), blocks.option(1, b"odd one")].concat()),
                statistics(5, 1),
                statistics(10, 2),
                blocks.section(&[]),
                blocks.interface(1, 0, &[]),
                statistics(7, 3),
            ]
            .concat();
            let (packets, info) = read(&capture);
            assert_eq!(packets.len(), 1);
            let comments: Vec<_> = info.comments.iter().map(|c| (c.packet, &c.text[..])).collect();
            assert_eq!(comments, [(None, &b"about the interface"[..]), (Some(1), b"odd one")]);
            let address = IpAddr::from([192, 0, 2, 1]);
            assert_eq!(info.names[1], NameRecord { address, name: b"mail.example.org".to_vec() });
            assert_eq!(info.secrets, [Secrets { kind: SecretsKind::TLS_KEY_LOG, data: b"KEYS\n".to_vec() }]);
            assert_eq!(info.drops, Some(Drops { received: Some(17), by_system: Some(5), by_interface: None }));
            assert!(info.faults.is_empty(), "{:?}", info.faults);
        }
    }

    #[test]
    fn a_block_whose_contents_do_not_fit_is_skipped_with_a_fault() {
        let mut too_long = LITTLE.enhanced(0, 1, b"abcd", 4, &[]);
        too_long[20] = 200;
        let capture = [
            LITTLE.section(&[]),
            LITTLE.interface(1, 0, &[]),
            too_long,
            LITTLE.enhanced(9, 1, b"of no interface", 15, &[]),
            LITTLE.enhanced(0, 1, b"good", 4, &[]),
        ]
        .concat();
        let (packets, info) = read(&capture);
        assert_eq!((packets.len(), &packets[0].data[..]), (1, &b"good"[..]));
        let what: Vec<_> = info.faults.iter().map(|fault| (fault.offset, fault.what.clone())).collect();
        assert_eq!(
            what,
            [(48, FaultKind::BlockContents { block_type: 6 }), (84, FaultKind::UnknownInterface { interface: 9 })]
        );
    }

    #[test]
    fn a_block_length_that_cannot_be_ends_the_capture_with_a_fault() {
        let start = [LITTLE.section(&[]), LITTLE.interface(1, 0, &[]), LITTLE.enhanced(0, 1, b"good", 4, &[])].concat();
        let next = LITTLE.enhanced(0, 1, b"lost", 4, &[]);
        let broken = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut block = next.clone();
            change(&mut block);
            let (packets, info) = read(&[start.clone(), block, next.clone()].concat());
            assert_eq!((packets.len(), info.faults.len()), (1, 1));
            assert_eq!((info.faults[0].offset, info.faults[0].packet), (start.len() as u64, 1));
            info.faults[0].what.clone()
        };
        assert_eq!(broken(&|block| block[4] = 8), FaultKind::BlockLength { block_type: 6, stated: 8 });
        assert_eq!(broken(&|block| block[7] = 0x7f), FaultKind::BlockLength { block_type: 6, stated: 0x7f00_0024 });
        let differ = FaultKind::BlockLengthsDiffer { block_type: 6, before: 36, after: 40 };
        assert_eq!(broken(&|block| block[32] = 40), differ);
        assert_eq!(broken(&|block| *block = b"\x0a\x0d\x0d\x0a            ".to_vec()), FaultKind::Section);
    }

    #[test]
    fn a_length_without_the_padding_is_read_too() {
        let mut block = LITTLE.enhanced(0, 1, b"odd", 3, &[]);
        block[4] = 35;
        block[32] = 35;
        let capture = [LITTLE.section(&[]), LITTLE.interface(1, 0, &[]), block.clone(), block].concat();
        let (packets, info) = read(&capture);
        assert_eq!((packets.len(), info.faults.len()), (2, 0));
        assert_eq!(packets[1].data, b"odd");
    }

    #[test]
    fn many_interfaces_are_a_limit_and_not_a_loss() {
        let mut capture = LITTLE.section(&[]);
        for _ in 0..5000 {
            capture.extend(LITTLE.interface(1, 0, &[]));
        }
        capture.extend(LITTLE.enhanced(4999, 1, b"abc", 3, &[]));
        let (packets, info) = read(&capture);
        assert_eq!((packets.len(), packets[0].interface), (1, u32::MAX));
        assert_eq!(info.limits.len(), 1);
        assert!(info.faults.is_empty());
    }
}
