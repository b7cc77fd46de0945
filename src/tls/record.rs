//! Record headers, and how to find them again after octets are missing.

use crate::limits;

use super::registry::{ContentType, ProtocolVersion};

/// A record header (RFC 8446 §5.1): five octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) content_type: ContentType,
    pub(super) version: ProtocolVersion,
    pub(super) length: u16,
}

impl Header {
    /// Octets of a header.
    pub(super) const LEN: usize = 5;

    /// Reads five octets; `None` where no stack would send them as a header.
    pub(super) fn read(octets: [u8; Header::LEN]) -> Option<Header> {
        let [kind, major, minor, high, low] = octets;
        ((20..=24).contains(&kind) && major == 3).then(|| Header {
            content_type: ContentType(kind),
            version: ProtocolVersion(u16::from_be_bytes([major, minor])),
            length: u16::from_be_bytes([high, low]),
        })
    }

    /// Whether it is within all limits, so that chance seldom makes it. Records of TLS 1.3 say 1.2.
    pub(super) fn is_plausible(&self) -> bool {
        self.version <= ProtocolVersion::TLS12
            && self.length <= MAX_LENGTH
            && match self.content_type {
                ContentType::CHANGE_CIPHER_SPEC => (1..=256).contains(&self.length),
                ContentType::ALERT => (2..=512).contains(&self.length),
                _ => self.length > 0,
            }
    }
}

/// Looks for records in a stream of which the place of the next one was lost.
///
/// Any five octets that look like a header are followed: when another stands where the first one
/// says that it ends, and a third after that, they are records.
#[derive(Debug)]
pub(super) struct Resync {
    /// Where the search began.
    pub(super) since: u64,
    /// Whether it began with octets that are no record, and not with missing ones.
    pub(super) after_garbage: bool,
    /// The last octets seen, up to four: a header may begin with them.
    tail: Vec<u8>,
    candidates: Vec<Chain>,
}

/// Headers found one behind the other.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// Each with the place of its first octet.
    pub(super) headers: Vec<(u64, Header)>,
    /// Where the next one must stand.
    pub(super) next: u64,
}

impl Resync {
    pub(super) fn new(since: u64, after_garbage: bool) -> Resync {
        Resync { since, after_garbage, tail: Vec::new(), candidates: Vec::new() }
    }

    /// Takes the next octets, which begin at `position`. A chain that is long enough ends with a
    /// header that ends within them; what follows it was not looked at.
    pub(super) fn search(&mut self, position: u64, bytes: &[u8]) -> Option<Chain> {
        let start = position - self.tail.len() as u64;
        let mut window = std::mem::take(&mut self.tail);
        window.extend_from_slice(bytes);
        for (index, octets) in window.windows(Header::LEN).enumerate() {
            if octets[1] != 3 || !(20..=24).contains(&octets[0]) {
                continue;
            }
            let header = octets.try_into().ok().and_then(Header::read).filter(Header::is_plausible);
            let Some(header) = header else { continue };
            if let Some(chain) = self.follow(start + index as u64, header) {
                return Some(chain);
            }
        }
        self.tail = window.split_off(window.len().saturating_sub(Header::LEN - 1));
        let seen = position + bytes.len() as u64 - self.tail.len() as u64;
        self.candidates.retain(|chain| chain.next >= seen);
        None
    }

    fn follow(&mut self, at: u64, header: Header) -> Option<Chain> {
        let next = at + (Header::LEN as u64) + u64::from(header.length);
        if let Some(index) = self.candidates.iter().position(|chain| chain.next == at) {
            let chain = &mut self.candidates[index];
            chain.headers.push((at, header));
            chain.next = next;
            return (chain.headers.len() >= CHAIN).then(|| self.candidates.swap_remove(index));
        }
        self.candidates.retain(|chain| chain.next >= at);
        if self.candidates.len() < limits::TLS_RESYNC_CANDIDATES {
            self.candidates.push(Chain { headers: vec![(at, header)], next });
        }
        None
    }

    /// More octets are missing, up to `end`: only chains that span them can go on.
    pub(super) fn gap(&mut self, end: u64) {
        self.tail.clear();
        self.candidates.retain(|chain| chain.next >= end);
    }

    /// The stream ends at `end`: the chain that ends just there, or else the longest of two.
    pub(super) fn finish(&mut self, end: u64) -> Option<Chain> {
        let chains = std::mem::take(&mut self.candidates);
        chains
            .into_iter()
            .filter(|chain| chain.next == end || chain.headers.len() >= 2)
            .max_by_key(|chain| (chain.next == end, chain.headers.len()))
    }

    /// The earliest octet that may still turn out to belong to a record.
    pub(super) fn pending_from(&self, position: u64) -> u64 {
        let candidates = self.candidates.iter().filter_map(|chain| chain.headers.first());
        candidates.map(|(at, _)| *at).min().unwrap_or(position - self.tail.len() as u64)
    }
}

/// The longest record that any version allows: 2^14 octets, and 2048 for protection
/// (RFC 5246 §6.2.3; TLS 1.3 has 256).
pub(super) const MAX_LENGTH: u16 = (1 << 14) + 2048;

/// Headers in a row that are taken for records.
const CHAIN: usize = 3;
