//! Opening captures by name.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::compressed::unpack;
use super::error::Error;
use super::file::{FileSource, Reading, Unfit};
use super::merge::{Member, Merge};
use super::{Batch, Filled, Source};
use crate::limits;
use crate::time::Timestamp;

/// How to read captures.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Give packets as soon as they are there, instead of waiting until a batch is full: for a
    /// capture that is still being recorded. Batches then depend on how the octets come.
    pub prompt: bool,
}

/// Opens captures; `-` is standard input. Several are one capture in time order: packets of equal
/// times come in the order of the files.
pub fn open(paths: &[PathBuf], options: &Options) -> Result<Box<dyn Source>, Error> {
    let reading = Reading { chunk: chunk(paths.len()), prompt: options.prompt };
    match paths {
        [] => Err(Error::NoFile),
        [path] => Ok(Box::new(open_file(path, reading)?)),
        _ if paths.iter().filter(|path| is_standard_input(path)).count() > 1 => Err(Error::StandardInputTwice),
        _ => {
            let mut members = Vec::with_capacity(paths.len());
            for path in paths {
                members.push(member(path, reading)?);
            }
            Ok(Box::new(Merge::new(members)?))
        }
    }
}

/// Reads a capture from anything that gives octets; `name` stands for it where it is shown.
pub fn read_from(octets: impl Read + Send + 'static, name: &str, options: &Options) -> Result<Box<dyn Source>, Error> {
    let reading = Reading { chunk: limits::BATCH_OCTETS, prompt: options.prompt };
    Ok(Box::new(source_of(octets, Path::new(name), None, reading)?))
}

/// Fuzz body: reads `data` as a capture, in whole and octet by octet, and looks at every packet. Both
/// ways must find the same.
pub fn fuzz_capture(data: &[u8]) {
    let whole = fingerprint(io::Cursor::new(data.to_vec()));
    let single = fingerprint(SingleOctets(io::Cursor::new(data.to_vec())));
    assert!(whole == single, "a capture must read the same however its octets come");
}

pub(super) fn open_file(path: &Path, reading: Reading) -> Result<FileSource, Error> {
    if is_standard_input(path) {
        return source_of(io::stdin(), path, None, reading);
    }
    let failed = |error| Error::from_io(path, error);
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(Error::IsDirectory(path.to_path_buf()));
    }
    let size = metadata.is_file().then_some(metadata.len());
    source_of(file, path, size, reading)
}

fn source_of(
    octets: impl Read + Send + 'static,
    path: &Path,
    size: Option<u64>,
    reading: Reading,
) -> Result<FileSource, Error> {
    let failed = |error| Error::from_io(path, error);
    let input = unpack(octets).map_err(failed)?;
    let name = path.to_string_lossy().into_owned();
    FileSource::new(input, name, size, reading).map_err(|unfit| match unfit {
        Unfit::Empty => Error::Empty(path.to_path_buf()),
        Unfit::Foreign(what) => Error::NotACapture { path: path.to_path_buf(), what },
        Unfit::Unreadable(error) => failed(error),
    })
}

/// One of several files. A file that can be read twice is closed until its time comes, so that any
/// number of files that do not overlap take no more memory than two.
fn member(path: &Path, reading: Reading) -> Result<Member, Error> {
    let repeatable = !is_standard_input(path) && path.metadata().is_ok_and(|metadata| metadata.is_file());
    if !repeatable {
        return Ok(Member::opened(path, open_file(path, reading)?));
    }
    let peek = Reading { chunk: PEEK_OCTETS, prompt: true };
    let mut source = open_file(path, peek)?;
    let mut batch = Batch::new();
    let first = match source.next_batch(&mut batch)? {
        Filled::Batch => batch.packet(0).timestamp,
        // It has no packets; what there is to say about it is said first.
        Filled::Nothing | Filled::End => Timestamp::from_nanos(i64::MIN),
    };
    Ok(Member::closed(path, first, source.info().octets_total, reading))
}

/// Octets of a batch of one of `files` files that may have to be open together.
fn chunk(files: usize) -> usize {
    (limits::MERGE_OCTETS / files.max(1)).clamp(PEEK_OCTETS, limits::BATCH_OCTETS)
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

const PEEK_OCTETS: usize = 64 << 10;

/// Gives one octet at a time, as a slow pipe does.
struct SingleOctets<R>(R);

impl<R: Read> Read for SingleOctets<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let room = match room {
            [] => return Ok(0),
            [first, ..] => std::slice::from_mut(first),
        };
        self.0.read(room)
    }
}

/// All that a capture tells, with the places where batches end.
fn fingerprint(octets: impl Read + Send + 'static) -> Option<String> {
    use std::fmt::Write as _;
    let mut source = read_from(octets, "fuzz", &Options::default()).ok()?;
    let (mut batch, mut all) = (Batch::new(), String::new());
    while let Ok(Filled::Batch) = source.next_batch(&mut batch) {
        for packet in batch.packets() {
            let _ = write!(all, "{packet:?};");
        }
        all.push('|');
    }
    let info = source.info();
    let _ = write!(all, "{:?} {:?} {:?} {:?}", info.faults, info.comments, info.names, info.drops);
    Some(all)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Foreign;
    use super::super::samples::{Blocks, Xorshift, drain, pcap};
    use super::*;

    fn error(path: &Path) -> Error {
        open(&[path.to_path_buf()], &Options::default()).err().unwrap()
    }

    #[test]
    fn says_why_a_path_is_no_capture() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(error(folder.path()), Error::IsDirectory(_)));
        assert!(matches!(error(&folder.path().join("missing")), Error::NotFound(_)));
        let file = folder.path().join("file");
        fs::write(&file, b"").unwrap();
        assert!(matches!(error(&file), Error::Empty(_)));
        fs::write(&file, b"Received: from client.example.org\r\n").unwrap();
        assert!(matches!(error(&file), Error::NotACapture { what: Foreign::Unknown(_), .. }));
        assert!(matches!(open(&[], &Options::default()).err(), Some(Error::NoFile)));
        let twice = [PathBuf::from("-"), PathBuf::from("-")];
        assert!(matches!(open(&twice, &Options::default()).err(), Some(Error::StandardInputTwice)));
    }

    #[test]
    fn one_bad_file_of_several_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (good, bad) = (folder.path().join("good.pcap"), folder.path().join("bad.pcap"));
        fs::write(&good, pcap(&[(1, b"x")])).unwrap();
        let error = open(&[good.clone(), bad], &Options::default()).err().unwrap();
        assert!(error.to_string().contains("bad.pcap"));
        let (batches, info) = drain(&mut *open(&[good], &Options::default()).unwrap());
        assert_eq!((batches.concat().len(), info.octets_total), (1, Some(41)));
    }

    #[test]
    fn a_mutated_capture_reads_the_same_however_its_octets_come() {
        let blocks = Blocks { big: true };
        let comment = blocks.option(1, b"first");
        let modern = [
            blocks.section(&[]),
            blocks.interface(1, 0, &blocks.option(9, &[9])),
            blocks.enhanced(0, 1, b"one", 3, &comment),
            blocks.block(4, &[&blocks.option(1, b"\xc0\0\x02\x01mx\0"), &[0; 4]]),
            blocks.block(3, &[&blocks.u32(2), b"22"]),
            blocks.block(5, &[&blocks.u32(0), &[0; 8], &blocks.option(4, &[1; 8])]),
            blocks.block(10, &[&blocks.u32(1), &blocks.u32(3), b"key"]),
        ]
        .concat();
        let mut patched = pcap(&[(1, b"12345678one"), (2, b"12345678two")]);
        patched[..4].copy_from_slice(&[0x34, 0xcd, 0xb2, 0xa1]);
        let mut random = Xorshift(9);
        for capture in [pcap(&[(1, b"one"), (2, b""), (3, b"three")]), modern, patched] {
            for cut in 0..=capture.len() {
                fuzz_capture(&capture[..cut]);
            }
            for _ in 0..2000 {
                let mut mutated = capture.clone();
                for _ in 0..=random.next() % 4 {
                    let at = random.next() as usize % mutated.len();
                    mutated[at] = random.next() as u8;
                }
                fuzz_capture(&mutated);
            }
        }
    }

    /// What the pcap-parser crate finds, up to where it stops.
    fn second_opinion(octets: &[u8]) -> Vec<Vec<u8>> {
        use pcap_parser::traits::PcapNGPacketBlock;
        use pcap_parser::{Block, LegacyPcapSlice, PcapBlockOwned, PcapNGSlice};
        let block = |block| match block {
            PcapBlockOwned::Legacy(packet) => Some(packet.data.to_vec()),
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => Some(packet.packet_data().to_vec()),
            _ => None,
        };
        if let Ok(blocks) = LegacyPcapSlice::from_slice(octets) {
            return blocks.map_while(Result::ok).filter_map(block).collect();
        }
        match PcapNGSlice::from_slice(octets) {
            Ok(blocks) => blocks.map_while(Result::ok).filter_map(block).collect(),
            Err(_) => Vec::new(),
        }
    }

    #[test]
    fn another_reader_finds_no_packet_that_is_not_found_here() {
        let blocks = Blocks { big: false };
        let modern = [
            blocks.section(&[]),
            blocks.interface(1, 0, &[]),
            blocks.enhanced(0, 1, b"one", 3, &blocks.option(1, b"first")),
            blocks.block(0xbad, &[b"other"]),
            blocks.enhanced(0, 2, b"two!", 4, &[]),
        ]
        .concat();
        for capture in [pcap(&[(1, b"one"), (2, b""), (3, b"three")]), modern] {
            for cut in 0..=capture.len() {
                let cut = &capture[..cut];
                let Ok(mut source) = read_from(io::Cursor::new(cut.to_vec()), "test", &Options::default()) else {
                    assert!(second_opinion(cut).is_empty());
                    continue;
                };
                let packets: Vec<Vec<u8>> = drain(&mut *source).0.concat().into_iter().map(|p| p.data).collect();
                assert_eq!(packets, second_opinion(cut));
            }
        }
    }
}
