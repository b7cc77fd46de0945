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
