//! TCP options, read one after the other (RFC 9293 §3.1).

/// One TCP option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TcpOption<'a> {
    /// Kind 0: the end; what follows is padding.
    EndOfList,
    /// Kind 1.
    NoOperation,
    /// Kind 2: largest segment that its sender takes, in octets (RFC 9293 §3.7.1).
    MaximumSegmentSize(u16),
    /// Kind 3: shift of the window field (RFC 7323 §2). As stated, even beyond 14.
    WindowScale(u8),
    /// Kind 4: the sender takes selective acknowledgments (RFC 2018 §2).
    SackPermitted,
    /// Kind 5: what was received beyond the acknowledgment number (RFC 2018 §3).
    Sack(SackBlocks<'a>),
    /// Kind 8 (RFC 7323 §3).
    Timestamps {
        /// TSval: the sender's clock.
        value: u32,
        /// TSecr: the clock of the peer, as it was last seen.
        echo: u32,
    },
    /// Kind 34: cookie, empty where one is asked for (RFC 7413 §4.1.1).
    FastOpen(&'a [u8]),
    /// Any other.
    Unknown {
        /// Its number.
        kind: u8,
        /// What follows its length octet.
        data: &'a [u8],
    },
    /// One whose length cannot be, or that is cut. The last one, for nothing says where the next begins.
    Malformed {
        /// Its number.
        kind: u8,
        /// All that follows the number.
        rest: &'a [u8],
    },
}

/// What [`Tcp::options`](super::Tcp::options) returns.
#[derive(Clone, Copy, Debug)]
pub struct TcpOptions<'a> {
    rest: &'a [u8],
}

impl<'a> TcpOptions<'a> {
    pub(super) fn new(options: &'a [u8]) -> TcpOptions<'a> {
        TcpOptions { rest: options }
    }
}

impl<'a> Iterator for TcpOptions<'a> {
    type Item = TcpOption<'a>;

    fn next(&mut self) -> Option<TcpOption<'a>> {
        let (&kind, after) = self.rest.split_first()?;
        match kind {
            END_OF_LIST => {
                self.rest = &[];
                return Some(TcpOption::EndOfList);
            }
            NO_OPERATION => {
                self.rest = after;
                return Some(TcpOption::NoOperation);
            }
            _ => {}
        }
        // The length counts kind and length octet.
        let data =
            after.split_first().and_then(|(&length, data)| data.split_at_checked(usize::from(length).checked_sub(2)?));
        let Some((data, rest)) = data else {
            self.rest = &[];
            return Some(TcpOption::Malformed { kind, rest: after });
        };
        self.rest = rest;
        Some(match (kind, data) {
            (2, &[a, b]) => TcpOption::MaximumSegmentSize(u16::from_be_bytes([a, b])),
            (3, &[shift]) => TcpOption::WindowScale(shift),
            (4, []) => TcpOption::SackPermitted,
            (5, blocks) if !blocks.is_empty() && blocks.len() % 8 == 0 => TcpOption::Sack(SackBlocks { data: blocks }),
            (8, &[a, b, c, d, e, f, g, h]) => TcpOption::Timestamps {
                value: u32::from_be_bytes([a, b, c, d]),
                echo: u32::from_be_bytes([e, f, g, h]),
            },
            (34, cookie) => TcpOption::FastOpen(cookie),
            (kind, data) => TcpOption::Unknown { kind, data },
        })
    }
}

/// Ranges of sequence numbers of a SACK option: left edge, and the number after the last octet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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

const END_OF_LIST: u8 = 0;
const NO_OPERATION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(octets: &[u8]) -> Vec<TcpOption<'_>> {
        TcpOptions::new(octets).collect()
    }

    #[test]
    fn reads_the_options_of_a_syn() {
        let octets = [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7];
        assert_eq!(
            read(&octets),
            [
                TcpOption::MaximumSegmentSize(1460),
                TcpOption::SackPermitted,
                TcpOption::Timestamps { value: 9, echo: 0 },
                TcpOption::NoOperation,
                TcpOption::WindowScale(7),
            ]
        );
    }

    #[test]
    fn reads_the_blocks_of_a_selective_acknowledgment() {
        let octets = [5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 8];
        let Some(TcpOption::Sack(blocks)) = read(&octets).first().copied() else { panic!("no SACK") };
        assert_eq!(blocks.collect::<Vec<_>>(), [(1, 2), (0xffff_ffff, 8)]);
    }

    #[test]
    fn ends_at_the_end_of_list_whatever_follows() {
        assert_eq!(read(&[1, 0, 2, 4]), [TcpOption::NoOperation, TcpOption::EndOfList]);
    }

    #[test]
    fn keeps_an_option_of_unknown_kind_or_odd_length() {
        assert_eq!(read(&[254, 3, 7]), [TcpOption::Unknown { kind: 254, data: &[7] }]);
        assert_eq!(read(&[2, 3, 7]), [TcpOption::Unknown { kind: 2, data: &[7] }]);
        assert_eq!(read(&[5, 2]), [TcpOption::Unknown { kind: 5, data: &[] }]);
    }

    #[test]
    fn an_option_with_a_length_that_cannot_be_is_the_last() {
        for octets in [&[8, 0, 1, 1][..], &[8, 1, 1, 1], &[8, 10, 1], &[8]] {
            assert_eq!(read(octets), [TcpOption::Malformed { kind: 8, rest: &octets[1..] }]);
        }
    }
}
