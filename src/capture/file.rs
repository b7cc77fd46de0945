//! One capture file: octets in, batches out.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::batch::{Batch, Record};
use super::error::{Error, Foreign};
use super::info::{Compression, Fault, FaultKind, Info};
use super::pcap::{self, Pcap};
use super::pcapng::{self, Pcapng};
use super::{Filled, Source};

/// One capture file, or any other stream of octets that is a capture.
///
/// A batch holds the records that stand whole in the next [`Reading::chunk`] octets of the capture, or the
/// next record alone where that one is longer.
pub(super) struct FileSource {
    input: Input,
    reading: Reading,
    format: Format,
    /// What was read but is part of no batch yet: less than a record.
    rest: Vec<u8>,
    /// Octets that the first record of `rest` takes, as far as is known.
    needed: usize,
    /// Where `rest` begins in the capture.
    offset: u64,
    /// The number of the last packet.
    packets: u64,
    state: State,
    /// Why the end came, where it is not the end of the file.
    failure: Option<FaultKind>,
    info: Info,
}

/// Where the octets of a capture come from.
pub(super) struct Input {
    /// The capture, unpacked.
    pub octets: Box<dyn Read + Send>,
    /// How it is packed.
    pub compression: Option<Compression>,
    /// Octets taken from the file so far, as they stand there.
    pub taken: Arc<AtomicU64>,
}

/// How to read a capture.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    /// Octets that make a batch.
    pub chunk: usize,
    /// Give what is there instead of waiting for a whole chunk.
    pub prompt: bool,
}

/// Why something that could be opened is no capture.
pub(super) enum Unfit {
    Empty,
    Foreign(Foreign),
    Unreadable(io::Error),
}

impl FileSource {
    /// Reads the first header of the capture called `name`, which has `size` octets where that is known.
    pub fn new(mut input: Input, name: String, size: Option<u64>, reading: Reading) -> Result<FileSource, Unfit> {
        let mut info = Info::new(vec![name], size);
        let mut head = [0; pcap::FILE_HEADER];
        let (mut present, mut end) = fill(&mut *input.octets, &mut head[..MAGIC], false);
        let is_pcap = Pcap::begins(&head[..present]);
        let wanted = if is_pcap { pcap::FILE_HEADER } else { pcapng::SECTION_START };
        if end.is_none() && (is_pcap || Pcapng::begins(&head)) {
            let more;
            (more, end) = fill(&mut *input.octets, &mut head[present..wanted], false);
            present += more;
        }
        let head = &head[..present];
        let format = if is_pcap {
            match head.first_chunk() {
                Some(header) => Format::Pcap(Pcap::new(header, &mut info).map_err(Unfit::Foreign)?),
                None => Format::Cut { needed: pcap::FILE_HEADER },
            }
        } else if Pcapng::begins(head) {
            match head.first_chunk() {
                Some(start) => Format::Pcapng(Pcapng::new(start).map_err(Unfit::Foreign)?),
                None => Format::Cut { needed: pcapng::SECTION_START },
            }
        } else {
            return Err(unfit(head, end, input.compression));
        };
        let (rest, offset) = match format {
            Format::Pcap(_) => (Vec::new(), present as u64),
            Format::Pcapng(_) | Format::Cut { .. } => (head.to_vec(), 0),
        };
        let mut source = FileSource {
            input,
            reading,
            format,
            rest,
            needed: 0,
            offset,
            packets: 0,
            state: State::Open,
            failure: None,
            info,
        };
        source.note(end);
        Ok(source)
    }

    /// For a merge, which moves on what is known to its own.
    pub fn info_mut(&mut self) -> &mut Info {
        &mut self.info
    }

    /// Reads the next chunk and finds the packets in it; there may be none.
    fn advance(&mut self, batch: &mut Batch) {
        let target = self.reading.chunk.max(self.needed);
        batch.reserve(target.max(self.rest.len()));
        batch.buffer[..self.rest.len()].copy_from_slice(&self.rest);
        let mut filled = self.rest.len();
        if self.state == State::Open && filled < target {
            let room = &mut batch.buffer[filled..target];
            let (more, end) = fill(&mut *self.input.octets, room, self.reading.prompt);
            filled += more;
            self.note(end);
        }

        let octets = &batch.buffer[..filled];
        let mut found = Indexer {
            records: &mut batch.records,
            info: &mut self.info,
            offset: self.offset,
            before: self.packets,
            packets: self.packets,
        };
        let at_end = self.state == State::AtEnd;
        let walk = match &mut self.format {
            Format::Pcap(pcap) => pcap.index(octets, at_end, &mut found),
            Format::Pcapng(pcapng) => pcapng.index(octets, &mut found),
            Format::Cut { needed } => Walk::needs(0, *needed),
        };
        self.packets = found.packets;
        self.rest.clear();
        self.rest.extend_from_slice(&octets[walk.consumed..]);
        self.offset += walk.consumed as u64;
        match walk.then {
            Then::Needs(octets) => self.needed = octets,
            Then::Broken(what) => self.finish(Some(what)),
        }
        if self.state == State::AtEnd {
            let what = self.failure.take().or_else(|| match &self.format {
                _ if self.rest.is_empty() => None,
                Format::Pcap(pcap) => Some(pcap.cut(&self.rest)),
                Format::Pcapng(pcapng) => Some(pcapng.cut(&self.rest)),
                Format::Cut { needed } => Some(FaultKind::CutFileHeader { present: self.rest.len(), needed: *needed }),
            });
            self.finish(what);
        }
    }

    fn finish(&mut self, what: Option<FaultKind>) {
        self.state = State::Ended;
        if let Format::Pcapng(pcapng) = &mut self.format {
            self.info.drops = pcapng.drops();
        }
        let Some(what) = what else { return };
        let plain = self.info.octets_total.filter(|_| self.input.compression.is_none());
        let fault = Fault {
            file: self.info.files[0].clone(),
            offset: self.offset,
            packet: self.packets,
            what,
            lost: plain.map(|total| total.saturating_sub(self.offset)),
        };
        self.info.fault(fault);
    }

    /// Notes how much was read, and why nothing more can be.
    fn note(&mut self, end: Option<End>) {
        self.info.octets_read = self.input.taken.load(Ordering::Relaxed);
        let Some(end) = end else { return };
        self.state = State::AtEnd;
        let End::Failed(error) = end else { return };
        // What the system says has a number; what a decoder says has none.
        let by_system = error.raw_os_error().is_some();
        self.failure = Some(match self.input.compression {
            Some(compression) if error.kind() == io::ErrorKind::UnexpectedEof => FaultKind::CutCompressed(compression),
            Some(compression) if !by_system => FaultKind::BrokenCompressed(compression, error.to_string()),
            _ => FaultKind::Unreadable(error.to_string()),
        });
    }
}

impl Source for FileSource {
    fn next_batch(&mut self, batch: &mut Batch) -> Result<Filled, Error> {
        batch.clear(self.packets + 1);
        while batch.is_empty() {
            if self.state == State::Ended {
                return Ok(Filled::End);
            }
            self.advance(batch);
        }
        Ok(Filled::Batch)
    }

    fn info(&self) -> &Info {
        &self.info
    }
}

/// Takes what a format finds in a stretch of octets.
pub(super) struct Indexer<'a> {
    records: &'a mut Vec<Record>,
    /// What is known besides the packets.
    pub info: &'a mut Info,
    /// Where the stretch begins in the capture.
    offset: u64,
    /// The number of the last packet before the stretch.
    before: u64,
    /// The number of the last packet.
    pub packets: u64,
}

impl Indexer<'_> {
    /// The next packet; its ordinal is set here.
    #[inline]
    pub fn put(&mut self, mut record: Record) {
        record.ordinal = (self.packets - self.before) as u32;
        self.packets += 1;
        self.records.push(record);
    }

    /// Damage that does not end the capture, in the record at `start` of the stretch, `octets` long.
    pub fn fault(&mut self, start: usize, octets: usize, what: FaultKind) {
        let file = self.info.files[0].clone();
        let offset = self.offset + start as u64;
        self.info.fault(Fault { file, offset, packet: self.packets, what, lost: Some(octets as u64) });
    }
}

/// How far a format came in a stretch of octets.
pub(super) struct Walk {
    consumed: usize,
    then: Then,
}

impl Walk {
    /// All records before `consumed` were found; the one there takes `needed` octets as far as is
    /// known, more than there are.
    pub fn needs(consumed: usize, needed: usize) -> Walk {
        Walk { consumed, then: Then::Needs(needed) }
    }

    /// All records before `consumed` were found; from there on nothing can be.
    pub fn broken(consumed: usize, what: FaultKind) -> Walk {
        Walk { consumed, then: Then::Broken(what) }
    }
}

enum Then {
    Needs(usize),
    Broken(FaultKind),
}

/// The order of octets in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Big,
    Little,
}

impl Order {
    /// A number of two octets.
    #[inline]
    pub fn u16(self, octets: [u8; 2]) -> u16 {
        match self {
            Order::Big => u16::from_be_bytes(octets),
            Order::Little => u16::from_le_bytes(octets),
        }
    }

    /// A number of four octets.
    #[inline]
    pub fn u32(self, octets: [u8; 4]) -> u32 {
        match self {
            Order::Big => u32::from_be_bytes(octets),
            Order::Little => u32::from_le_bytes(octets),
        }
    }

    /// A number of eight octets.
    pub fn u64(self, octets: [u8; 8]) -> u64 {
        match self {
            Order::Big => u64::from_be_bytes(octets),
            Order::Little => u64::from_le_bytes(octets),
        }
    }
}

enum Format {
    Pcap(Pcap),
    Pcapng(Pcapng),
    /// One of them, but its first header is not there as a whole.
    Cut {
        needed: usize,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Nothing more can be read; what was read has not been looked at.
    AtEnd,
    Ended,
}

enum End {
    OfFile,
    Failed(io::Error),
}

/// Reads until `room` is full or the end comes; with `prompt`, until anything is there. Returns how
/// many octets were read.
fn fill(input: &mut dyn Read, room: &mut [u8], prompt: bool) -> (usize, Option<End>) {
    let mut filled = 0;
    while filled < room.len() {
        match input.read(&mut room[filled..]) {
            Ok(0) => return (filled, Some(End::OfFile)),
            Ok(octets) => filled += octets,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return (filled, Some(End::Failed(error))),
        }
        if prompt {
            break;
        }
    }
    (filled, None)
}

/// What a file with this `head`, which is that of no capture, is instead.
fn unfit(head: &[u8], end: Option<End>, compression: Option<Compression>) -> Unfit {
    match (end, compression) {
        (Some(End::Failed(error)), None) => Unfit::Unreadable(error),
        (Some(End::Failed(error)), Some(_)) if error.raw_os_error().is_some() => Unfit::Unreadable(error),
        (Some(End::Failed(error)), Some(compression)) => {
            Unfit::Foreign(Foreign::CannotUnpack(compression.name(), error.to_string()))
        }
        (_, Some(compression)) => Unfit::Foreign(Foreign::Inside(compression.name())),
        (_, None) if head.is_empty() => Unfit::Empty,
        (_, None) => Unfit::Foreign(Foreign::of(head)),
    }
}

const MAGIC: usize = 4;

#[cfg(test)]
mod tests {
    use super::super::samples::{Blocks, Trickle, Xorshift, drain, pcap, pcap_header, record, seen};
    use super::super::{Batch, Filled, Options, Source, read_from};
    use super::*;
    use crate::limits;

    /// Captures of a few MiB, with packets of all lengths, in both formats.
    fn large() -> [Vec<u8>; 2] {
        let blocks = Blocks { big: false };
        let (mut random, noise) = (Xorshift(7), vec![0x5a; 262_144]);
        let mut classic = pcap_header();
        let mut modern = [blocks.section(&[]), blocks.interface(1, 0, &[])].concat();
        for n in 0..4000 {
            let most = if n % 1000 == 0 { 262_144 } else { 1514 };
            let data = &noise[..(random.next() % (most + 1)) as usize];
            classic.extend(record(n, 0, data, 1));
            modern.extend(blocks.enhanced(0, u64::from(n), data, 1, &[]));
            if n == 2000 {
                modern.extend(blocks.block(0xbad, &[&vec![1; 3 << 20]]));
            }
        }
        [classic, modern]
    }

    #[test]
    fn batches_end_where_the_capture_says_however_its_octets_come() {
        for capture in large() {
            let options = Options::default();
            let whole = drain(&mut *read_from(io::Cursor::new(capture.clone()), "test", &options).unwrap());
            let single = drain(&mut *read_from(Trickle(io::Cursor::new(capture)), "test", &options).unwrap());
            assert!(whole.0.len() > 2);
            assert!(whole.0 == single.0);
            assert_eq!(whole.0.concat().len(), 4000);
            for batch in &whole.0 {
                assert!(batch.iter().map(|packet| packet.data.len()).sum::<usize>() <= limits::BATCH_OCTETS);
            }
        }
    }

    #[test]
    fn a_block_longer_than_a_batch_comes_alone() {
        let blocks = Blocks { big: true };
        let long = blocks.option(1, &[b'c'; 60_000]).repeat(30);
        let capture = [
            blocks.section(&[]),
            blocks.interface(1, 0, &[]),
            blocks.enhanced(0, 1, b"a", 1, &[]),
            blocks.enhanced(0, 2, b"b", 1, &long),
            blocks.enhanced(0, 3, b"c", 1, &[]),
        ]
        .concat();
        let (batches, _) = drain(&mut *read_from(io::Cursor::new(capture), "test", &Options::default()).unwrap());
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1]);
    }

    #[test]
    fn a_prompt_source_gives_a_packet_before_the_next_one_is_there() {
        let capture = pcap(&[(1, b"one"), (2, b"two"), (3, b"three")]);
        let octets = Trickle(io::Cursor::new(capture));
        let mut source = read_from(octets, "-", &Options { prompt: true }).unwrap();
        let mut batch = Batch::new();
        for number in 1..=3 {
            assert_eq!(source.next_batch(&mut batch).unwrap(), Filled::Batch);
            let packets = seen(&batch);
            assert_eq!((packets.len(), packets[0].number), (1, number));
            // The record of the next packet has not been asked for.
            assert!(source.info().octets_read <= 24 + number * 19 + 2);
        }
        assert_eq!(source.next_batch(&mut batch).unwrap(), Filled::End);
        assert_eq!(source.next_batch(&mut batch).unwrap(), Filled::End);
    }

    #[test]
    fn a_system_that_cannot_read_on_is_a_fault() {
        struct Failing(bool);
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                // First a signal, then EIO.
                let number = if std::mem::replace(&mut self.0, false) { 4 } else { 5 };
                Err(io::Error::from_raw_os_error(number))
            }
        }
        let octets = io::Cursor::new(pcap(&[(1, b"good"), (2, b"cut")])[..50].to_vec()).chain(Failing(true));
        let (batches, info) = drain(&mut *read_from(octets, "test", &Options::default()).unwrap());
        assert_eq!(batches.concat().len(), 1);
        assert!(matches!(info.faults[..], [Fault { what: FaultKind::Unreadable(_), offset: 44, packet: 1, .. }]));
    }

    #[test]
    fn a_capture_cut_at_any_octet_gives_every_packet_that_is_whole() {
        let blocks = Blocks { big: true };
        let classic: Vec<Vec<u8>> =
            vec![pcap_header(), record(1, 0, b"one", 3), record(2, 0, b"", 0), record(3, 0, b"33", 9)];
        let modern = vec![
            blocks.section(&blocks.option(1, b"comment")),
            blocks.interface(1, 0, &blocks.option(9, &[9])),
            blocks.enhanced(0, 1, b"one", 3, &blocks.option(1, b"first")),
            blocks.block(0xbad, &[b"custom"]),
            blocks.block(3, &[&blocks.u32(2), b"22"]),
            blocks.section(&[]),
            blocks.interface(113, 0, &[]),
            blocks.enhanced(0, 1, b"three", 5, &[]),
        ];
        for (parts, is_packet) in
            [(classic, &(|n: usize| n >= 1) as &dyn Fn(usize) -> bool), (modern, &|n| [2, 4, 7].contains(&n))]
        {
            let capture = parts.concat();
            let ends: Vec<usize> = (1..=parts.len()).map(|n| parts[..n].concat().len()).collect();
            for cut in 0..=capture.len() {
                let source = read_from(io::Cursor::new(capture[..cut].to_vec()), "test", &Options::default());
                match (cut, source) {
                    (0, source) => assert!(matches!(source.err(), Some(Error::Empty(_)))),
                    (1..4, source) => assert!(matches!(
                        source.err(),
                        Some(Error::NotACapture { what: Foreign::TooShort(octets), .. }) if octets == cut
                    )),
                    (_, source) => {
                        let (batches, info) = drain(&mut *source.unwrap());
                        let whole = (0..parts.len()).filter(|n| ends[*n] <= cut && is_packet(*n)).count();
                        assert_eq!(batches.concat().len(), whole, "cut at {cut}");
                        assert_eq!(info.faults.len(), usize::from(!ends.contains(&cut)), "cut at {cut}");
                        for fault in &info.faults {
                            assert!(fault.offset == 0 || ends.contains(&(fault.offset as usize)));
                            assert!(fault.to_string().contains("cut short"), "{fault}");
                        }
                    }
                }
            }
        }
    }
}
