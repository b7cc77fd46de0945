//! TCP segments (RFC 9293 §3.1).

use crate::bytes::Cursor;

/// A TCP segment as captured.
#[derive(Clone, Copy, Debug)]
pub struct Tcp<'a> {
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgment number.
    pub acknowledgment: u32,
    /// Flags.
    pub flags: TcpFlags,
    /// Window, unscaled.
    pub window: u16,
    /// Checksum.
    pub checksum: u16,
    /// Urgent pointer.
    pub urgent_pointer: u16,
    /// Options.
    pub options: &'a [u8],
    /// What was captured of the payload.
    pub payload: &'a [u8],
    /// Octets of payload on the wire.
    pub payload_len: u32,
}

impl<'a> Tcp<'a> {
    /// The options, parsed one by one.
    pub fn options(&self) -> impl Iterator<Item = TcpOption<'a>> + use<'a> {
        let mut cursor = Cursor::new(self.options);
        std::iter::from_fn(move || {
            loop {
                match cursor.u8()? {
                    0 => return None,
                    1 => continue,
                    kind => {
                        let length = cursor.u8()?;
                        let data = cursor.take(usize::from(length).checked_sub(2)?)?;
                        let mut inner = Cursor::new(data);
                        return Some(match (kind, data.len()) {
                            (2, 2) => TcpOption::MaximumSegmentSize(inner.u16()?),
                            (3, 1) => TcpOption::WindowScale(inner.u8()?),
                            (4, 0) => TcpOption::SackPermitted,
                            (5, _) => TcpOption::Sack(SackBlocks { data }),
                            (34, _) => TcpOption::FastOpen(data),
                            (8, 8) => TcpOption::Timestamps { value: inner.u32()?, echo: inner.u32()? },
                            _ => TcpOption::Unknown { kind, data },
                        });
                    }
                }
            }
        })
    }
}

/// The flag bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct TcpFlags(pub u16);

impl TcpFlags {
    /// FIN.
    #[must_use]
    pub fn fin(self) -> bool {
        self.0 & 1 != 0
    }
    /// SYN.
    #[must_use]
    pub fn syn(self) -> bool {
        self.0 & 2 != 0
    }
    /// RST.
    #[must_use]
    pub fn rst(self) -> bool {
        self.0 & 4 != 0
    }
    /// PSH.
    #[must_use]
    pub fn psh(self) -> bool {
        self.0 & 8 != 0
    }
    /// ACK.
    #[must_use]
    pub fn ack(self) -> bool {
        self.0 & 16 != 0
    }
    /// URG.
    #[must_use]
    pub fn urg(self) -> bool {
        self.0 & 32 != 0
    }
}

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TcpOption<'a> {
    /// MSS.
    MaximumSegmentSize(u16),
    /// Window scale shift.
    WindowScale(u8),
    /// SACK permitted.
    SackPermitted,
    /// SACK blocks.
    Sack(SackBlocks<'a>),
    /// Timestamps.
    Timestamps {
        /// TSval.
        value: u32,
        /// TSecr.
        echo: u32,
    },
    /// Fast open cookie.
    FastOpen(&'a [u8]),
    /// Any other.
    Unknown {
        /// Kind.
        kind: u8,
        /// Data.
        data: &'a [u8],
    },
}

/// SACK blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SackBlocks<'a> {
    data: &'a [u8],
}

impl Iterator for SackBlocks<'_> {
    type Item = (u32, u32);

    fn next(&mut self) -> Option<(u32, u32)> {
        let (&[a, b, c, d, e, f, g, h], rest) = self.data.split_first_chunk()?;
        self.data = rest;
        Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])))
    }
}
