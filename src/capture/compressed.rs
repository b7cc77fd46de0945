//! Captures in a compressed stream, told by its first octets. Memory does not grow with what a
//! stream unpacks to.

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

use super::file::Input;
use super::info::Compression;
use crate::limits;

/// The octets of `file`, unpacked where they are packed.
pub(super) fn unpack(file: impl Read + Send + 'static) -> io::Result<Input> {
    let taken = Arc::new(AtomicU64::new(0));
    let mut file = Counted { file, taken: Arc::clone(&taken) };
    let head = read_head(&mut file)?;
    let compression = MAGICS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, compression)| *compression);
    let whole = io::Cursor::new(head).chain(file);
    let Some(compression) = compression else {
        return Ok(Input { octets: Box::new(whole), compression: None, taken });
    };
    let packed = BufReader::with_capacity(limits::COMPRESSED_READ_OCTETS, whole);
    let octets: Box<dyn Read + Send> = match compression {
        Compression::Gzip => Box::new(MultiGzDecoder::new(packed)),
        Compression::Zstd => {
            let mut decoder = ZstdDecoder::with_buffer(packed)?;
            decoder.window_log_max(limits::ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
        Compression::Lz4 => {
            Box::new(Lz4 { frames: FrameDecoder::new(Frames { packed, part: Part::Magic, at: 0, header: [0; 6] }) })
        }
    };
    Ok(Input { octets, compression: Some(compression), taken })
}

fn read_head(file: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(4);
    file.take(4).read_to_end(&mut head)?;
    Ok(head)
}

/// Counts what is read.
struct Counted<R> {
    file: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let octets = self.file.read(room)?;
        self.taken.fetch_add(octets as u64, Ordering::Relaxed);
        Ok(octets)
    }
}

/// An lz4 stream that says when it is cut between two blocks, which the decoder takes for its end.
struct Lz4<R: Read> {
    frames: FrameDecoder<Frames<R>>,
}

impl<R: Read> Read for Lz4<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let octets = self.frames.read(room).map_err(io::Error::from)?;
        if octets == 0 && !room.is_empty() && !self.frames.get_ref().is_between_frames() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(octets)
    }
}

/// Follows the parts of LZ4 frames in the octets that pass through.
struct Frames<R> {
    packed: R,
    part: Part,
    /// Octets of the part that passed.
    at: usize,
    /// The first octets of the part.
    header: [u8; 6],
}

/// The parts of an LZ4 frame, in order (LZ4 Frame Format 1.6).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Magic,
    /// FLG and BD, which say how much header follows, and whether there are checksums.
    Descriptor,
    DescriptorRest {
        octets: usize,
        checksums: Checksums,
    },
    BlockSize(Checksums),
    Block {
        octets: usize,
        checksums: Checksums,
    },
    ContentChecksum,
    /// Not a frame that is known here: the decoder will say so.
    Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Checksums {
    of_blocks: bool,
    of_content: bool,
}

impl<R> Frames<R> {
    fn is_between_frames(&self) -> bool {
        matches!(self.part, Part::Unknown) || (self.part == Part::Magic && self.at == 0)
    }

    fn follow(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            let length = match self.part {
                Part::Magic | Part::BlockSize(_) | Part::ContentChecksum => 4,
                Part::Descriptor => 2,
                Part::DescriptorRest { octets, .. } | Part::Block { octets, .. } => octets,
                Part::Unknown => return,
            };
            let passing = octets.len().min(length - self.at);
            for (kept, octet) in self.header.iter_mut().skip(self.at).zip(&octets[..passing]) {
                *kept = *octet;
            }
            self.at += passing;
            octets = &octets[passing..];
            if self.at == length {
                self.at = 0;
                self.part = self.next();
            }
        }
    }

    /// The part after the one that has just passed.
    fn next(&self) -> Part {
        let [a, b, c, d, ..] = self.header;
        match self.part {
            Part::Magic if [a, b, c, d] == LZ4_MAGIC => Part::Descriptor,
            Part::Magic | Part::Unknown => Part::Unknown,
            Part::Descriptor => {
                let checksums = Checksums { of_blocks: a & 0x10 != 0, of_content: a & 0x04 != 0 };
                let size = if a & 0x08 != 0 { 8 } else { 0 };
                let dictionary = if a & 0x01 != 0 { 4 } else { 0 };
                Part::DescriptorRest { octets: size + dictionary + 1, checksums }
            }
            Part::DescriptorRest { checksums, .. } => Part::BlockSize(checksums),
            Part::BlockSize(checksums) => match u32::from_le_bytes([a, b, c, d]) & 0x7fff_ffff {
                0 if checksums.of_content => Part::ContentChecksum,
                0 => Part::Magic,
                octets => Part::Block { octets: octets as usize + if checksums.of_blocks { 4 } else { 0 }, checksums },
            },
            Part::Block { checksums, .. } => Part::BlockSize(checksums),
            Part::ContentChecksum => Part::Magic,
        }
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let octets = self.packed.read(room)?;
        self.follow(&room[..octets]);
        Ok(octets)
    }
}

const LZ4_MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

const MAGICS: [(&[u8], Compression); 3] = [
    (&[0x1f, 0x8b, 0x08], Compression::Gzip),
    (&[0x28, 0xb5, 0x2f, 0xfd], Compression::Zstd),
    (&LZ4_MAGIC, Compression::Lz4),
];
