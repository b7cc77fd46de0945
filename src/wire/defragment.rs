//! Puts IP fragments together (RFC 791 §3.2, RFC 8200 §4.5).

use super::{Frame, LayerKind, LinkType, Transport, decode};
use crate::limits;
use crate::time::{Interval, Timestamp};
use etherparse::defrag::{IpDefragBuf, IpFragRange};
use etherparse::{IpFragOffset, IpNumber};
use std::net::IpAddr;

/// IP fragments on their way to whole datagrams.
///
/// Where fragments overlap, the octets that came first stay, whatever the later ones say; receivers
/// differ in this, and [`DefragmenterCounts::overlapping`] tells that it happened. A fragment of
/// which not all was captured is left out: nothing is made up.
///
/// Memory is bounded: [`limits::OPEN_DATAGRAMS`] datagrams of at most 64 KiB.
#[derive(Debug, Default)]
pub struct Defragmenter {
    /// In the order of their first fragments.
    open: Vec<Datagram>,
    /// The datagram that was completed last.
    whole: Vec<u8>,
    counts: DefragmenterCounts,
}

/// What became of the fragments, each counted once per fragment or datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DefragmenterCounts {
    /// Fragments seen.
    pub fragments: u64,
    /// Datagrams put together.
    pub completed: u64,
    /// Fragments that brought nothing new.
    pub duplicates: u64,
    /// Fragments that overlap what came before, but bring something new.
    pub overlapping: u64,
    /// Fragments left out because not all of them was captured.
    pub cut: u64,
    /// Fragments left out because they can belong to no datagram: beyond 65535 octets, beyond the
    /// end that another fragment states, or of a length that only a last fragment may have.
    pub impossible: u64,
    /// Datagrams given up: too old, or too many open at once.
    pub abandoned: u64,
}

impl Defragmenter {
    /// Without any fragment.
    #[must_use]
    pub fn new() -> Defragmenter {
        Defragmenter::default()
    }

    /// Takes the next frame, which was captured at `time`.
    ///
    /// `None`: nothing to add to the frame, for it is no fragment or its datagram is not complete
    /// yet. `Some`: the datagram that this fragment completes. Its offsets count in its own
    /// [`Frame::bytes`], which is the IP header of the first fragment, as it was before the
    /// fragmentation, and the whole payload.
    #[inline]
    pub fn put<'s>(&'s mut self, frame: &Frame<'_>, time: Timestamp) -> Option<Frame<'s>> {
        match frame.transport {
            Transport::Fragment { .. } => self.put_fragment(frame, time),
            _ => None,
        }
    }

    /// What became of the fragments so far.
    #[must_use]
    pub fn counts(&self) -> DefragmenterCounts {
        self.counts
    }

    fn put_fragment<'s>(&'s mut self, frame: &Frame<'_>, time: Timestamp) -> Option<Frame<'s>> {
        let mut key = self.insert(frame, time)?;
        // A tunnel may carry fragments, and be fragmented itself. Each turn but the last closes a
        // datagram and opens none, so that the turns end.
        loop {
            let whole = std::mem::take(&mut self.whole);
            let inner = decode(LinkType::RAW, &whole);
            if !matches!(inner.transport, Transport::Fragment { .. }) {
                self.whole = whole;
                break;
            }
            key = self.insert(&inner, time)?;
        }
        let mut whole = decode(LinkType::RAW, &self.whole);
        whole.ethernet = whole.ethernet.or(frame.ethernet);
        // The header that told it is gone from the whole datagram.
        if let Some(ip) = &mut whole.ip
            && ip.source.is_ipv6()
            && (ip.source, ip.destination) == (key.source, key.destination)
        {
            ip.identification = key.identification;
        }
        Some(whole)
    }

    /// Adds a fragment. `Some`: `self.whole` is now the datagram that it completes.
    fn insert(&mut self, frame: &Frame<'_>, time: Timestamp) -> Option<Key> {
        self.counts.fragments += 1;
        let fragment = match Fragment::of(frame) {
            Ok(fragment) => fragment,
            Err(Refusal::Cut) => {
                self.counts.cut += 1;
                return None;
            }
            Err(Refusal::Impossible) => {
                self.counts.impossible += 1;
                return None;
            }
        };
        self.abandon_old(time);
        let index = match self.open.iter().position(|datagram| datagram.key == fragment.key) {
            Some(index) => index,
            None => {
                if self.open.len() >= limits::OPEN_DATAGRAMS {
                    self.open.remove(0);
                    self.counts.abandoned += 1;
                }
                self.open.push(Datagram::new(fragment.key, time));
                self.open.len() - 1
            }
        };
        let datagram = &mut self.open[index];
        match datagram.add(&fragment) {
            Added::New => {}
            Added::Overlapping => self.counts.overlapping += 1,
            Added::Nothing => self.counts.duplicates += 1,
            Added::Refused => self.counts.impossible += 1,
        }
        if !datagram.payload.is_complete() {
            if datagram.payload.sections().is_empty() {
                self.open.remove(index);
            }
            return None;
        }
        let datagram = self.open.remove(index);
        if datagram.write(&mut self.whole).is_none() {
            self.counts.impossible += 1;
            return None;
        }
        self.counts.completed += 1;
        Some(datagram.key)
    }

    fn abandon_old(&mut self, time: Timestamp) {
        let before = self.open.len();
        self.open.retain(|datagram| time.since(datagram.since) <= Interval::from_secs(limits::DATAGRAM_SECONDS));
        self.counts.abandoned += (before - self.open.len()) as u64;
    }
}

/// What fragments of the same datagram have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    identification: u32,
    /// Zero for IPv6, where the next header of the first fragment alone counts.
    protocol: u8,
}

/// One fragment, and what stands before it.
struct Fragment<'a> {
    key: Key,
    protocol: u8,
    offset: u16,
    end: u16,
    more: bool,
    payload: &'a [u8],
    /// All headers of the datagram that every fragment repeats.
    head: &'a [u8],
    /// Where in `head` the number of the protocol that follows is.
    next_header: usize,
}

enum Refusal {
    Cut,
    Impossible,
}

impl<'a> Fragment<'a> {
    fn of(frame: &Frame<'a>) -> Result<Fragment<'a>, Refusal> {
        let (Some(ip), Transport::Fragment { protocol, offset, more, payload }) = (frame.ip, frame.transport) else {
            return Err(Refusal::Impossible);
        };
        if ip.total_len.checked_sub(ip.header_len) != u32::try_from(payload.len()).ok() {
            return Err(Refusal::Cut);
        }
        let (Ok(offset), Ok(len)) = (u16::try_from(offset), u16::try_from(payload.len())) else {
            return Err(Refusal::Impossible);
        };
        let end = offset.checked_add(len).ok_or(Refusal::Impossible)?;
        if more && (len == 0 || !len.is_multiple_of(8)) {
            return Err(Refusal::Impossible);
        }
        let (head, next_header) = head(frame).ok_or(Refusal::Impossible)?;
        let key = Key {
            source: ip.source,
            destination: ip.destination,
            identification: ip.identification,
            protocol: if ip.source.is_ipv4() { protocol } else { 0 },
        };
        Ok(Fragment { key, protocol, offset, end, more, payload, head, next_header })
    }
}

/// The headers that every fragment repeats, and where in them the protocol number of what follows is.
fn head<'a>(frame: &Frame<'a>) -> Option<(&'a [u8], usize)> {
    let last = frame.layers.last()?;
    if last.kind == LayerKind::Ipv4 {
        return Some((frame.octets(last)?, 9));
    }
    let ip = frame.layers.find(LayerKind::Ipv6)?;
    let before = frame.layers.at(frame.layers.len().checked_sub(2)?)?;
    let head = frame.bytes.get(ip.start as usize..last.start as usize)?;
    let next_header = if before == ip { 6 } else { before.start.checked_sub(ip.start)? as usize };
    (last.kind == LayerKind::Fragment && head.len() <= limits::UNFRAGMENTABLE_OCTETS).then_some((head, next_header))
}

/// A datagram of which some fragments are there.
#[derive(Debug)]
struct Datagram {
    key: Key,
    since: Timestamp,
    payload: IpDefragBuf,
    /// The headers of the first fragment, with the right protocol number; empty until it is there.
    head: Vec<u8>,
}

enum Added {
    New,
    Overlapping,
    Nothing,
    Refused,
}

impl Datagram {
    fn new(key: Key, since: Timestamp) -> Datagram {
        Datagram {
            key,
            since,
            payload: IpDefragBuf::new(IpNumber(key.protocol), Vec::new(), Vec::new()),
            head: Vec::new(),
        }
    }

    /// Adds those octets of the fragment that are not there yet.
    fn add(&mut self, fragment: &Fragment<'_>) -> Added {
        let known = self.payload.sections();
        let known_end = known.iter().map(|range| range.end).max().unwrap_or(0);
        let refused = match self.payload.end() {
            Some(end) => fragment.end > end || (!fragment.more && fragment.end != end),
            None => !fragment.more && fragment.end < known_end,
        };
        if refused {
            return Added::Refused;
        }
        let missing = missing(known, fragment.offset, fragment.end);
        let ended = self.payload.end().is_some();
        for range in &missing {
            let more = fragment.more || range.end != fragment.end;
            let octets = usize::from(range.start - fragment.offset)..usize::from(range.end - fragment.offset);
            if !self.add_piece(range.start, more, fragment.payload.get(octets).unwrap_or_default()) {
                return Added::Refused;
            }
        }
        if !fragment.more && self.payload.end().is_none() {
            // Its last octets were there, but not that they are the last.
            if !self.add_piece(fragment.end, false, &[]) {
                return Added::Refused;
            }
        }
        if missing.first().is_some_and(|range| range.start == 0) {
            self.head.clear();
            self.head.extend_from_slice(fragment.head);
            if let Some(next_header) = self.head.get_mut(fragment.next_header) {
                *next_header = fragment.protocol;
            }
        }
        match missing.as_slice() {
            [] if ended || fragment.more => Added::Nothing,
            [] => Added::Overlapping,
            [range] if range.start == fragment.offset && range.end == fragment.end => Added::New,
            _ => Added::Overlapping,
        }
    }

    fn add_piece(&mut self, start: u16, more: bool, octets: &[u8]) -> bool {
        let Ok(offset) = IpFragOffset::try_new(start / 8) else { return false };
        offset.byte_offset() == start && self.payload.add(offset, more, octets).is_ok()
    }

    /// Writes the datagram as it was before it was fragmented. `None`: none can be that long.
    fn write(&self, whole: &mut Vec<u8>) -> Option<()> {
        whole.clear();
        whole.extend_from_slice(&self.head);
        whole.extend_from_slice(self.payload.data());
        if self.key.source.is_ipv4() {
            let total_len = u16::try_from(whole.len()).ok()?;
            let header = whole.get_mut(..self.head.len())?;
            header.get_mut(2..4)?.copy_from_slice(&total_len.to_be_bytes());
            // What remains of flags and offset are the reserved and the don't-fragment bit.
            *header.get_mut(6)? &= 0xc0;
            *header.get_mut(7)? = 0;
            header.get_mut(10..12)?.fill(0);
            let checksum = header_checksum(header);
            header.get_mut(10..12)?.copy_from_slice(&checksum.to_be_bytes());
        } else {
            let payload_len = u16::try_from(whole.len().checked_sub(40)?).ok()?;
            whole.get_mut(4..6)?.copy_from_slice(&payload_len.to_be_bytes());
        }
        Some(())
    }
}

/// The parts of `start..end` that no range of `known` covers, in order.
fn missing(known: &[IpFragRange], start: u16, end: u16) -> Vec<IpFragRange> {
    let mut known: Vec<IpFragRange> = known.to_vec();
    known.sort_unstable_by_key(|range| range.start);
    let mut missing = Vec::new();
    let mut at = start;
    for range in known {
        if range.start > at && at < end {
            missing.push(IpFragRange { start: at, end: range.start.min(end) });
        }
        at = at.max(range.end);
    }
    if at < end {
        missing.push(IpFragRange { start: at, end });
    }
    missing
}

/// RFC 1071, of a header whose checksum field is zero.
fn header_checksum(header: &[u8]) -> u16 {
    let mut sum: u32 = header.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests;
