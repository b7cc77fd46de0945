//! Several captures as one, in time order.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::path::{Path, PathBuf};

use super::batch::Batch;
use super::error::Error;
use super::file::{FileSource, Reading};
use super::info::{Comment, Fault, Info, Interface};
use super::open::open_file;
use super::{Filled, Source};
use crate::limits;
use crate::time::Timestamp;

/// Several files as one capture in time order.
///
/// Each file keeps its own order, so a clock that steps back inside a file moves no packet out of its
/// place; between files the earliest next packet comes first, and with equal times the file named
/// first. Where a whole batch of one file comes before all others, it is handed on as it is.
pub(super) struct Merge {
    members: Vec<Member>,
    /// The time of the next packet of each file that has one, and the file.
    heads: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// The number of the last packet.
    packets: u64,
    info: Info,
}

/// One of the files.
pub(super) struct Member {
    path: PathBuf,
    size: Option<u64>,
    state: State,
    /// The time of its first packet, known before it is opened.
    first: Timestamp,
    batch: Batch,
    /// The next packet of `batch`.
    at: usize,
    /// The number of its last packet in the whole.
    last: u64,
    /// Octets of it that were read and are counted in the whole.
    octets_read: u64,
    /// Where its interfaces stand among those of the whole.
    places: Vec<u32>,
    /// With packet numbers of the file, waiting for those of the whole.
    faults: VecDeque<Fault>,
    comments: VecDeque<Comment>,
}

enum State {
    Closed(Reading),
    Open(Box<FileSource>),
    Ended,
}

impl Member {
    /// A file that is opened when its first packet is due.
    pub fn closed(path: &Path, first: Timestamp, size: Option<u64>, reading: Reading) -> Member {
        Member { first, size, ..Member::new(path, State::Closed(reading)) }
    }

    /// Something that can be read only once.
    pub fn opened(path: &Path, source: FileSource) -> Member {
        Member::new(path, State::Open(Box::new(source)))
    }

    fn new(path: &Path, state: State) -> Member {
        Member {
            path: path.to_path_buf(),
            size: None,
            state,
            first: Timestamp::default(),
            batch: Batch::new(),
            at: 0,
            last: 0,
            octets_read: 0,
            places: Vec::new(),
            faults: VecDeque::new(),
            comments: VecDeque::new(),
        }
    }

    /// The time of the next packet.
    fn head(&self) -> Timestamp {
        self.batch.records[self.at].timestamp
    }

    /// Whether no packet of its batch was taken yet, and all come before the head of any other file.
    fn goes_whole(&self, index: usize, next: Option<(Timestamp, usize)>) -> bool {
        self.at == 0 && next.is_none_or(|next| self.batch.records.iter().all(|record| (record.timestamp, index) < next))
    }
}

impl Merge {
    /// From at least one file.
    pub fn new(members: Vec<Member>) -> Result<Merge, Error> {
        let files = members.iter().map(|member| member.path.to_string_lossy().into_owned()).collect();
        let info = Info::new(files, members.iter().map(|member| member.size).sum());
        let mut merge = Merge { members, heads: BinaryHeap::new(), packets: 0, info };
        for index in 0..merge.members.len() {
            match merge.members[index].state {
                State::Closed(_) => merge.heads.push(Reverse((merge.members[index].first, index))),
                _ => merge.load(index)?,
            }
        }
        Ok(merge)
    }

    /// Reads the next batch of a file, and says when its first packet is due.
    fn load(&mut self, index: usize) -> Result<(), Error> {
        let member = &mut self.members[index];
        if let State::Closed(reading) = member.state {
            member.state = State::Open(Box::new(open_file(&member.path, reading)?));
        }
        let State::Open(source) = &mut member.state else { return Ok(()) };
        member.at = 0;
        let filled = source.next_batch(&mut member.batch)?;
        self.absorb(index);
        if filled == Filled::Batch {
            self.heads.push(Reverse((self.members[index].head(), index)));
        } else {
            self.members[index].state = State::Ended;
            self.settle(index, u64::MAX, |_| 0);
        }
        Ok(())
    }

    /// Takes over what is newly known about a file.
    fn absorb(&mut self, index: usize) {
        let member = &mut self.members[index];
        let State::Open(source) = &mut member.state else { return };
        let known = source.info_mut();
        member.faults.extend(known.faults.drain(..));
        member.comments.extend(known.comments.drain(..));
        for interface in &known.interfaces[member.places.len().min(known.interfaces.len())..] {
            member.places.push(self.info.interface(Interface { file: index, ..interface.clone() }));
        }
        for name in known.names.drain(..) {
            self.info.name(name.address, &name.name);
        }
        for secrets in known.secrets.drain(..) {
            self.info.secret(secrets.kind, &secrets.data);
        }
        for limit in known.limits.drain(..) {
            self.info.reach(limit);
        }
        self.info.more_faults += std::mem::take(&mut known.more_faults);
        if let Some(drops) = known.drops.take() {
            self.info.drops = Some(self.info.drops.map_or(drops, |sum| sum.plus(drops)));
        }
        self.info.octets_read += known.octets_read - member.octets_read;
        member.octets_read = known.octets_read;
        for record in &mut member.batch.records {
            record.interface = member.places.get(record.interface as usize).copied().unwrap_or(u32::MAX);
        }
    }

    /// Hands on faults and comments up to packet `number` of a file; `whole` gives the number in the
    /// whole of a packet of the batch, and the last packet handed on stands for those before it.
    fn settle(&mut self, index: usize, number: u64, whole: impl Fn(u64) -> u64) {
        let member = &mut self.members[index];
        let first = member.batch.first;
        let translated = |packet: u64| if packet < first || number == u64::MAX { member.last } else { whole(packet) };
        while member.faults.front().is_some_and(|fault| fault.packet <= number) {
            let Some(fault) = member.faults.pop_front() else { break };
            self.info.fault(Fault { packet: translated(fault.packet), ..fault });
        }
        while member.comments.front().is_some_and(|comment| comment.packet.unwrap_or(0) <= number) {
            let Some(comment) = member.comments.pop_front() else { break };
            self.info.comment(comment.packet.map(translated), &comment.text);
        }
    }

    /// Hands on the whole batch of a file.
    fn pass(&mut self, index: usize, batch: &mut Batch) {
        let member = &mut self.members[index];
        let (number, first) = (member.batch.first, self.packets + 1);
        let last = number + member.batch.len() as u64 - 1;
        self.packets += member.batch.len() as u64;
        self.settle(index, last, |packet| packet - number + first);
        let member = &mut self.members[index];
        std::mem::swap(&mut member.batch, batch);
        batch.first = first;
        member.last = self.packets;
    }

    /// Copies packets of a file as long as they come before `next`.
    fn copy(&mut self, index: usize, next: Option<(Timestamp, usize)>, batch: &mut Batch, octets: &mut usize) {
        loop {
            let member = &mut self.members[index];
            let packet = member.batch.packet(member.at);
            batch.push(&packet);
            *octets += packet.data.len() + RECORD_OCTETS;
            let number = packet.number;
            member.at += 1;
            self.packets += 1;
            if !member.faults.is_empty() || !member.comments.is_empty() {
                let packets = self.packets;
                self.settle(index, number, |_| packets);
            }
            let member = &mut self.members[index];
            member.last = self.packets;
            let at_end = member.at == member.batch.len() || *octets >= limits::BATCH_OCTETS;
            if at_end || next.is_some_and(|next| (member.head(), index) > next) {
                return;
            }
        }
    }
}

impl Source for Merge {
    fn next_batch(&mut self, batch: &mut Batch) -> Result<Filled, Error> {
        batch.clear(self.packets + 1);
        let mut octets = 0;
        while octets < limits::BATCH_OCTETS {
            let Some(Reverse((_, index))) = self.heads.pop() else { break };
            if let State::Closed(_) = self.members[index].state {
                self.load(index)?;
                continue;
            }
            let next = self.heads.peek().map(|Reverse(next)| *next);
            if self.members[index].goes_whole(index, next) {
                if !batch.is_empty() {
                    self.heads.push(Reverse((self.members[index].head(), index)));
                    break;
                }
                self.pass(index, batch);
                self.load(index)?;
                return Ok(Filled::Batch);
            }
            self.copy(index, next, batch, &mut octets);
            let member = &self.members[index];
            if member.at == member.batch.len() {
                self.load(index)?;
            } else {
                self.heads.push(Reverse((member.head(), index)));
            }
        }
        Ok(if batch.is_empty() { Filled::End } else { Filled::Batch })
    }

    fn info(&self) -> &Info {
        &self.info
    }
}

/// What a packet counts in a batch besides its octets, as its record header in a file does.
const RECORD_OCTETS: usize = 16;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::samples::{Blocks, Seen, drain, pcap};
    use super::super::{Options, open};
    use super::*;

    fn merged(files: &[Vec<u8>]) -> (Vec<Vec<Seen>>, Info) {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = (0..files.len()).map(|n| folder.path().join(format!("{n}.pcap"))).collect();
        for (path, octets) in paths.iter().zip(files) {
            fs::write(path, octets).unwrap();
        }
        drain(&mut *open(&paths, &Options::default()).unwrap())
    }

    fn contents(packets: &[Seen]) -> Vec<&str> {
        packets.iter().map(|packet| std::str::from_utf8(&packet.data).unwrap()).collect()
    }

    #[test]
    fn several_files_are_one_capture_in_time_order() {
        let (batches, info) = merged(&[
            pcap(&[(5, b"5a"), (9, b"9a"), (8, b"8a, late")]),
            pcap(&[(1, b"1b"), (5, b"5b"), (9, b"9b")]),
            pcap(&[]),
            pcap(&[(0, b"0d"), (1, b"1d")]),
        ]);
        let packets = batches.concat();
        assert_eq!(contents(&packets), ["0d", "1b", "1d", "5a", "5b", "9a", "8a, late", "9b"]);
        let numbers: Vec<u64> = packets.iter().map(|packet| packet.number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!((info.files.len(), info.interfaces.len(), info.link_types.len()), (4, 4, 1));
        let files: Vec<usize> = packets.iter().map(|p| info.interfaces[p.interface as usize].file).collect();
        assert_eq!(files, [3, 1, 3, 0, 1, 0, 0, 1]);
        assert_eq!(info.octets_total, Some(info.octets_read));
        assert!(info.faults.is_empty());
    }

    #[test]
    fn files_that_follow_each_other_are_handed_on_whole() {
        let data = vec![b'x'; 100_000];
        let packets = |from: u32| -> Vec<(u32, &[u8])> { (from..from + 25).map(|n| (n, &data[..])).collect() };
        let files = [pcap(&packets(200)), pcap(&packets(100)), pcap(&packets(300))];
        let (batches, _) = merged(&files);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5, 10, 10, 5, 10, 10, 5]);
        let seconds: Vec<i64> = batches.concat().iter().map(|packet| packet.nanos / 1_000_000_000).collect();
        assert!(seconds.is_sorted());
        // The same, overlapping: batches are full again.
        let (batches, _) = merged(&[pcap(&packets(100)), pcap(&packets(100))]);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [11, 11, 11, 11, 6]);
    }

    #[test]
    fn faults_and_comments_are_numbered_over_the_whole() {
        let blocks = Blocks { big: false };
        let modern = |seconds: [u64; 2]| {
            let comment = blocks.option(1, b"this one");
            [
                blocks.section(&[]),
                blocks.interface(113, 0, &[]),
                blocks.enhanced(0, seconds[0] * 1_000_000, b"m", 1, &[]),
                blocks.enhanced(7, 0, b"bad", 3, &[]),
                blocks.enhanced(0, seconds[1] * 1_000_000, b"n", 1, &comment),
            ]
            .concat()
        };
        let cut = pcap(&[(2, b"two"), (4, b"four"), (9, b"cut")]);
        let cut = cut[..cut.len() - 1].to_vec();
        for (seconds, comment, skipped, cut_after) in [([1, 3], 3, 1, 4), ([5, 6], 4, 3, 2), ([0, 1], 2, 1, 4)] {
            let (batches, info) = merged(&[cut.clone(), modern(seconds)]);
            assert_eq!(batches.concat().len(), 4);
            assert_eq!(info.comments[0].packet, Some(comment), "{seconds:?}");
            let mut faults: Vec<(bool, u64)> =
                info.faults.iter().map(|fault| (fault.file.ends_with("0.pcap"), fault.packet)).collect();
            faults.sort_unstable();
            assert_eq!(faults, [(false, skipped), (true, cut_after)], "{seconds:?}");
        }
    }

    #[test]
    fn equals_sorting_all_packets_where_files_are_in_order() {
        let mut random = super::super::samples::Xorshift(5);
        for _ in 0..20 {
            let mut all = Vec::new();
            let mut files = Vec::new();
            for file in 0..1 + random.next() % 5 {
                let (mut time, mut packets) = (random.next() as u32 % 50, Vec::new());
                for _ in 0..random.next() % 30 {
                    time += random.next() as u32 % 3;
                    packets.push((time, format!("{time} {file}")));
                }
                all.extend(packets.iter().map(|(time, name)| (*time, file, name.clone())));
                let packets: Vec<(u32, &[u8])> = packets.iter().map(|(time, name)| (*time, name.as_bytes())).collect();
                files.push(pcap(&packets));
            }
            all.sort_by_key(|(time, file, _)| (*time, *file));
            let expected: Vec<&str> = all.iter().map(|(_, _, name)| name.as_str()).collect();
            assert_eq!(contents(&merged(&files).0.concat()), expected);
        }
    }
}
