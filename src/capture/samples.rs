//! Captures for tests, built octet by octet, and what is read from them.

use std::io::{self, Read};

use super::{Batch, Filled, Info, Options, Source, read_from};

/// What a test compares of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub number: u64,
    pub nanos: i64,
    pub interface: u32,
    pub link_type: u32,
    pub data: Vec<u8>,
    pub original: u32,
}

/// All packets of a capture, and what else is known about it.
pub(super) fn read(octets: &[u8]) -> (Vec<Seen>, Info) {
    let mut source = read_from(io::Cursor::new(octets.to_vec()), "test", &Options::default())
        .unwrap_or_else(|error| panic!("is a capture: {error}"));
    let (batches, info) = drain(&mut *source);
    (batches.concat(), info)
}

/// All batches of a source.
pub(super) fn drain(source: &mut dyn Source) -> (Vec<Vec<Seen>>, Info) {
    let (mut batch, mut batches) = (Batch::new(), Vec::new());
    while source.next_batch(&mut batch).unwrap_or_else(|error| panic!("reads on: {error}")) != Filled::End {
        batches.push(seen(&batch));
    }
    assert!(batch.is_empty());
    (batches, source.info().clone())
}

pub(super) fn seen(batch: &Batch) -> Vec<Seen> {
    let seen = batch.packets().map(|packet| Seen {
        number: packet.number,
        nanos: packet.timestamp.nanos(),
        interface: packet.interface,
        link_type: packet.link_type.0,
        data: packet.data.to_vec(),
        original: packet.original_len,
    });
    seen.collect()
}

/// A little-endian file header with microseconds and Ethernet, snaplen 65535.
pub(super) fn pcap_header() -> Vec<u8> {
    let mut header = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header.extend([0xff, 0xff, 0, 0, 1, 0, 0, 0]);
    header
}

/// A little-endian record.
pub(super) fn record(seconds: u32, fraction: u32, data: &[u8], original: u32) -> Vec<u8> {
    let numbers = [seconds, fraction, data.len() as u32, original];
    let mut record: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    record.extend(data);
    record
}

/// A classic capture of packets with these seconds and contents.
pub(super) fn pcap(packets: &[(u32, &[u8])]) -> Vec<u8> {
    let records = packets.iter().flat_map(|(seconds, data)| record(*seconds, 0, data, data.len() as u32));
    pcap_header().into_iter().chain(records).collect()
}

/// Writes pcapng blocks in either order of octets.
#[derive(Clone, Copy)]
pub(super) struct Blocks {
    pub big: bool,
}

impl Blocks {
    pub fn u16(self, number: u16) -> Vec<u8> {
        if self.big { number.to_be_bytes().to_vec() } else { number.to_le_bytes().to_vec() }
    }

    pub fn u32(self, number: u32) -> Vec<u8> {
        if self.big { number.to_be_bytes().to_vec() } else { number.to_le_bytes().to_vec() }
    }

    pub fn u64(self, number: u64) -> Vec<u8> {
        if self.big { number.to_be_bytes().to_vec() } else { number.to_le_bytes().to_vec() }
    }

    pub fn block(self, block_type: u32, contents: &[&[u8]]) -> Vec<u8> {
        let contents = contents.concat();
        let length = self.u32(12 + contents.len().next_multiple_of(4) as u32);
        let padding = vec![0; contents.len().next_multiple_of(4) - contents.len()];
        [self.u32(block_type), length.clone(), contents, padding, length].concat()
    }

    pub fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
        [self.u16(code), self.u16(value.len() as u16), value.to_vec(), padding].concat()
    }

    pub fn section(self, options: &[u8]) -> Vec<u8> {
        self.block(0x0a0d_0d0a, &[&self.u32(0x1a2b_3c4d), &self.u16(1), &self.u16(0), &[0xff; 8], options])
    }

    pub fn interface(self, link_type: u16, snaplen: u32, options: &[u8]) -> Vec<u8> {
        self.block(1, &[&self.u16(link_type), &[0; 2], &self.u32(snaplen), options])
    }

    pub fn enhanced(self, interface: u32, ticks: u64, data: &[u8], original: u32, options: &[u8]) -> Vec<u8> {
        let padding = vec![0; data.len().next_multiple_of(4) - data.len()];
        let numbers = [interface, (ticks >> 32) as u32, ticks as u32, data.len() as u32, original];
        let header: Vec<u8> = numbers.iter().flat_map(|number| self.u32(*number)).collect();
        self.block(6, &[&header, data, &padding, options])
    }
}

/// Gives one octet for a call.
pub(super) struct Trickle(pub io::Cursor<Vec<u8>>);

impl Read for Trickle {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let most = room.len().min(1);
        self.0.read(&mut room[..most])
    }
}

/// Repeatable numbers for mutations.
pub(super) struct Xorshift(pub u64);

impl Xorshift {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
