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
        Compression::Lz4 => Box::new(Lz4 {
            frames: FrameDecoder::new(Frames { packed, part: Part::Magic, at: 0, header: [0; 4], ended: false }),
        }),
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
        loop {
            // The decoder stops at the end of each frame, and goes on when it is asked again.
            let octets = self.frames.read(room)?;
            let packed = self.frames.get_ref();
            match octets {
                0 if room.is_empty() => return Ok(0),
                0 if !packed.ended => {}
                0 if packed.is_between_frames() => return Ok(0),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                octets => return Ok(octets),
            }
        }
    }
}

/// Follows the parts of LZ4 frames in the octets that pass through.
struct Frames<R> {
    packed: R,
    part: Part,
    /// Octets of the part that passed.
    at: usize,
    /// The first octets of the part.
    header: [u8; 4],
    /// Whether nothing more came.
    ended: bool,
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
        let [a, b, c, d] = self.header;
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
        self.ended = octets == 0 && !room.is_empty();
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::GzEncoder;
    use lz4_flex::frame::{BlockSize, FrameEncoder, FrameInfo};

    use super::super::samples::{Trickle, Xorshift, drain, pcap_header, record};
    use super::super::{Batch, Error, FaultKind, Filled, Foreign, Options, Source, read_from};
    use super::*;

    fn capture() -> Vec<u8> {
        let (mut random, mut capture) = (Xorshift(3), pcap_header());
        for n in 0..60 {
            let data: Vec<u8> = (0..n).map(|_| random.next() as u8 & 0x3f).collect();
            capture.extend(record(n, 0, &data, n));
        }
        capture
    }

    fn gzip(octets: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(octets).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(octets: &[u8]) -> Vec<u8> {
        zstd::encode_all(octets, 3).unwrap()
    }

    fn lz4(octets: &[u8]) -> Vec<u8> {
        lz4_with(octets, FrameInfo::new())
    }

    fn lz4_with(octets: &[u8], info: FrameInfo) -> Vec<u8> {
        let mut encoder = FrameEncoder::with_frame_info(info.block_size(BlockSize::Max64KB), Vec::new());
        // Several blocks, as a program that flushes writes them.
        for piece in octets.chunks(700) {
            encoder.write_all(piece).unwrap();
            encoder.flush().unwrap();
        }
        encoder.finish().unwrap()
    }

    type Pack = fn(&[u8]) -> Vec<u8>;
    const ALL: [(Compression, Pack); 4] = [
        (Compression::Gzip, gzip),
        (Compression::Zstd, zstd),
        (Compression::Lz4, lz4),
        (Compression::Lz4, |octets| lz4_with(octets, FrameInfo::new().block_checksums(true).content_checksum(true))),
    ];

    fn open(octets: Vec<u8>) -> Result<Box<dyn Source>, Error> {
        read_from(io::Cursor::new(octets), "test", &Options::default())
    }

    #[test]
    fn reads_a_packed_capture_as_the_plain_one_in_one_part_or_two() {
        let capture = capture();
        let plain = drain(&mut *open(capture.clone()).unwrap());
        let (first, second) = capture.split_at(1000);
        for (compression, pack) in ALL {
            for packed in [pack(&capture), [pack(first), pack(second)].concat()] {
                let octets = packed.len() as u64;
                let unpacked = drain(&mut *open(packed.clone()).unwrap());
                assert!(plain.0 == unpacked.0, "{compression}");
                assert_eq!((unpacked.1.faults.len(), unpacked.1.octets_read), (0, octets), "{compression}");
                let source = read_from(Trickle(io::Cursor::new(packed)), "-", &Options::default());
                assert!(plain.0 == drain(&mut *source.unwrap()).0, "{compression}");
            }
        }
    }

    #[test]
    fn a_packed_capture_cut_anywhere_gives_what_can_be_unpacked_and_a_fault() {
        let capture = capture();
        let all = drain(&mut *open(capture.clone()).unwrap()).0.concat();
        for (compression, pack) in ALL {
            let packed = [pack(&capture[..1000]), pack(&capture[1000..])].concat();
            let parts = pack(&capture[..1000]).len();
            let mut most = 0;
            for cut in 0..packed.len() {
                let mut source = match open(packed[..cut].to_vec()) {
                    Ok(source) => source,
                    Err(Error::Empty(_) | Error::NotACapture { .. }) => {
                        // zstd gives nothing of a block that is not there as a whole.
                        assert!(cut < parts, "{compression} cut at {cut}");
                        continue;
                    }
                    Err(error) => panic!("{compression} cut at {cut}: {error}"),
                };
                let (batches, info) = drain(&mut *source);
                let packets = batches.concat();
                assert!(all.starts_with(&packets), "{compression} cut at {cut}");
                assert!(packets.len() >= most, "{compression} cut at {cut}");
                most = packets.len();
                assert_eq!(info.faults.len(), 1, "{compression} cut at {cut}");
                if cut != parts {
                    assert_eq!(info.faults[0].what, FaultKind::CutCompressed(compression), "cut at {cut}");
                }
            }
            assert!(most > 20, "{compression}");
        }
    }

    #[test]
    fn a_damaged_stream_is_a_fault_after_the_last_good_packet() {
        for (compression, pack) in ALL {
            let packed = pack(&capture());
            let mut random = Xorshift(11);
            for _ in 0..200 {
                let mut damaged = packed.clone();
                let at = (random.next() as usize) % damaged.len();
                damaged[at] ^= 1 << (random.next() % 8);
                if let Ok(mut source) = open(damaged) {
                    let (_, info) = drain(&mut *source);
                    assert!(info.faults.len() <= 100, "{compression}");
                }
            }
        }
        let mut trailing = gzip(&capture());
        trailing.extend(b"and then garbage");
        let (batches, info) = drain(&mut *open(trailing).unwrap());
        assert_eq!((batches.concat().len(), info.faults.len()), (60, 1));
        assert!(matches!(info.faults[0].what, FaultKind::BrokenCompressed(Compression::Gzip, _)));
    }

    #[test]
    fn says_what_is_inside_when_it_is_no_capture() {
        for (compression, pack) in ALL {
            let inside = |octets: &[u8]| match open(pack(octets)).err() {
                Some(Error::NotACapture { what, .. }) => what,
                other => panic!("{compression}: {other:?}"),
            };
            assert_eq!(inside(b"not a capture"), Foreign::Inside(compression.name()));
            assert_eq!(inside(b""), Foreign::Inside(compression.name()));
        }
        let error = open(b"\x1f\x8b\x08\x00".to_vec()).err().unwrap();
        assert!(error.to_string().contains("begins like a gzip file"), "{error}");
    }

    #[test]
    fn a_stream_that_unpacks_to_a_thousand_times_its_size_takes_one_batch_of_memory() {
        let mut capture = pcap_header();
        for n in 0..300 {
            capture.extend(record(n, 0, &vec![0; 200_000], 1));
        }
        for (compression, pack) in ALL {
            let mut source = open(pack(&capture)).unwrap();
            let (mut batch, mut packets) = (Batch::new(), 0);
            while source.next_batch(&mut batch).unwrap() == Filled::Batch {
                packets += batch.len();
            }
            assert_eq!(packets, 300, "{compression}");
            assert_eq!(batch.buffer.len(), limits::BATCH_OCTETS, "{compression}");
        }
    }
}
