//! Writing captures.

use std::io::{self, Write};

use super::Packet;
use crate::wire::LinkType;

/// Writes a classic pcap file, little-endian.
pub struct PcapWriter<W: Write> {
    file: W,
    nanoseconds: bool,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the header of a file whose packets are of `link_type` and were cut to `snaplen` octets
    /// or will be as long as they are (262144 is usual). Times have microseconds or nanoseconds.
    pub fn new(mut file: W, link_type: LinkType, snaplen: u32, nanoseconds: bool) -> io::Result<PcapWriter<W>> {
        let magic: u32 = if nanoseconds { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
        let mut header = [0; 24];
        header[..4].copy_from_slice(&magic.to_le_bytes());
        header[4..6].copy_from_slice(&2u16.to_le_bytes());
        header[6..8].copy_from_slice(&4u16.to_le_bytes());
        header[16..20].copy_from_slice(&snaplen.to_le_bytes());
        header[20..].copy_from_slice(&link_type.0.to_le_bytes());
        file.write_all(&header)?;
        Ok(PcapWriter { file, nanoseconds })
    }

    /// Writes one packet. A time outside 1970 to 2106, which the format cannot state, becomes the
    /// nearest that it can; fractions of a microsecond are cut where the file has none.
    pub fn write(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        let nanos = packet.timestamp.nanos().clamp(0, i64::from(u32::MAX) * NANOS + NANOS - 1);
        let fraction = nanos % NANOS / if self.nanoseconds { 1 } else { 1000 };
        let captured = u32::try_from(packet.data.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut header = [0; 16];
        for (at, number) in [(nanos / NANOS) as u32, fraction as u32, captured, packet.original_len].iter().enumerate()
        {
            header[at * 4..at * 4 + 4].copy_from_slice(&number.to_le_bytes());
        }
        self.file.write_all(&header)?;
        self.file.write_all(packet.data)
    }

    /// Writes out what is held back, and returns what was written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.file.flush()?;
        Ok(self.file)
    }
}

const NANOS: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::super::samples::read;
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn what_is_written_reads_back() {
        for (nanoseconds, nanos) in [(false, 1_570_492_800_123_456_000), (true, 1_570_492_800_123_456_789)] {
            let mut writer = PcapWriter::new(Vec::new(), LinkType(113), 262_144, nanoseconds).unwrap();
            for (number, data) in [(1, &b"first"[..]), (2, b"")] {
                let packet = Packet {
                    number,
                    timestamp: Timestamp::from_nanos(1_570_492_800_123_456_789),
                    interface: 0,
                    link_type: LinkType(113),
                    data,
                    original_len: 77,
                };
                writer.write(&packet).unwrap();
            }
            let (packets, info) = read(&writer.finish().unwrap());
            assert_eq!((packets.len(), info.nanoseconds, info.faults.len()), (2, nanoseconds, 0));
            assert_eq!((packets[0].nanos, packets[0].original, packets[0].link_type), (nanos, 77, 113));
            assert_eq!(packets[0].data, b"first");
        }
    }

    #[test]
    fn a_time_that_the_format_cannot_state_becomes_the_nearest() {
        for (nanos, stated) in [(-5, 0), (i64::MAX, 4_294_967_295_999_999_999)] {
            let mut writer = PcapWriter::new(Vec::new(), LinkType(1), 262_144, true).unwrap();
            let timestamp = Timestamp::from_nanos(nanos);
            let packet =
                Packet { number: 1, timestamp, interface: 0, link_type: LinkType(1), data: b"x", original_len: 1 };
            writer.write(&packet).unwrap();
            assert_eq!(read(&writer.finish().unwrap()).0[0].nanos, stated);
        }
    }
}
