//! One direction of a connection put in order.
//!
//! ```text
//!            next            first key of pending
//!   delivered │    the hole    │ buffered │ … │ buffered │
//!   ──────────┴────────────────┴──────────┴───┴──────────┴───►  offset
//! ```
//!
//! What always holds between calls: everything below `next` was delivered as data or as a gap;
//! buffered chunks lie at or above `next`, do not overlap, and none begins at `next`. An octet is
//! delivered once, and the first copy seen of it wins.

use std::collections::BTreeMap;

use super::anomaly::{Anomaly, Notes};
use super::recent::{History, Recent};
use super::sequence::SequenceNumber;
use crate::limits::{
    ANSWERED_HOLE_GRACE, ANSWERED_HOLE_GRACE_SEGMENTS, HOLE_GRACE, HOLE_GRACE_SEGMENTS, HOLE_PATIENCE,
    PLAUSIBLE_WINDOW, REASSEMBLY_DIRECTION, REASSEMBLY_ONE_SIDED,
};
use crate::stream::{Direction, Span, StreamEvent};
use crate::time::Timestamp;

/// A thing that happened to a stream, and the packet that brought it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// The packet that carried these octets; of a gap, the packet that decided it.
    pub packet: u64,
    /// That packet's time.
    pub time: Timestamp,
    /// What happened.
    pub event: StreamEvent<'a>,
}

/// What one side of a connection sent, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// TCP segments.
    pub packets: u64,
    /// Octets of those packets on the wire, all headers included.
    pub wire_octets: u64,
    /// Octets of payload as the headers state them, every copy counted.
    pub payload_octets: u64,
    /// Octets handed on as data.
    pub delivered: u64,
    /// Octets handed on as gaps.
    pub missing: u64,
    /// Gaps.
    pub gaps: u64,
    /// Octets that had been seen before.
    pub retransmitted: u64,
    /// Segments that came before an earlier one.
    pub out_of_order: u64,
    /// Keep-alives: no octet or one, just before the next (RFC 1122 §4.2.3.6).
    pub keep_alives: u64,
    /// Octets after an RST, beyond a FIN, or outside any window: not handed on.
    pub ignored: u64,
}

/// When something was seen: which packet, its time, and how many segments of the connection had
/// passed by then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub packet: u64,
    pub time: Timestamp,
    pub segments: u64,
}

/// How the number of offset 0 is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nothing was seen of this direction.
    Unknown,
    /// From an acknowledgment by the peer.
    Acknowledged,
    /// From a segment without octets.
    Bare,
    /// From a SYN, its acknowledgment, or the first octet seen.
    Known,
}

/// The payload of a segment and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    /// Offset of the first octet.
    pub start: i64,
    /// What was captured.
    pub bytes: &'a [u8],
    /// One past the last octet sent; beyond `bytes` where the capture cut the packet.
    pub end: i64,
}

/// One direction of a connection.
#[derive(Debug)]
pub(super) struct Reassembler {
    pub direction: Direction,
    pub origin: Origin,
    pub origin_sequence: SequenceNumber,
    /// The next offset to deliver.
    pub next: u64,
    /// Offset up to which the peer has acknowledged; a FIN counts one.
    pub acknowledged: u64,
    /// Octets below this were sent in a packet that the capture cut: nothing waits for them.
    cut_end: u64,
    pub fin: Option<u64>,
    pub ended: Ended,
    /// Nothing is buffered, missing or ended: the next segment in order needs no second look.
    pub calm: bool,
    pending: BTreeMap<u64, Chunk>,
    pending_cost: usize,
    /// Since when the octets from `next` to here count as acknowledged.
    covered: Option<(u64, Moment)>,
    /// Since when the present hole is waited for.
    opened: Option<Moment>,
    pub recent: Option<Box<Recent>>,
    pub counters: Counters,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    No,
    Fin,
    Reset,
}

#[derive(Debug)]
struct Chunk {
    bytes: Box<[u8]>,
    /// One past the last octet sent in that packet, where the capture cut it; else 0.
    cut_end: u64,
    packet: u64,
    time: Timestamp,
}

impl Reassembler {
    pub fn new(direction: Direction) -> Reassembler {
        Reassembler {
            direction,
            origin: Origin::Unknown,
            origin_sequence: SequenceNumber(0),
            next: 0,
            acknowledged: 0,
            cut_end: 0,
            fin: None,
            ended: Ended::No,
            calm: false,
            pending: BTreeMap::new(),
            pending_cost: 0,
            covered: None,
            opened: None,
            recent: None,
            counters: Counters::default(),
        }
    }

    /// The sequence number of the next octet to deliver.
    pub fn next_sequence(&self) -> SequenceNumber {
        self.origin_sequence.plus(self.next)
    }

    pub fn offset(&self, sequence: SequenceNumber) -> i64 {
        sequence.offset(self.origin_sequence, self.next)
    }

    /// Whether offset 0 can still be moved: nothing has been delivered or buffered.
    pub fn is_untouched(&self) -> bool {
        self.next == 0 && self.pending.is_empty() && self.fin.is_none()
    }

    pub fn set_origin(&mut self, origin: Origin, sequence: SequenceNumber) {
        self.origin = origin;
        self.origin_sequence = sequence;
        self.acknowledged = 0;
        self.covered = None;
    }

    /// Octets held back, bookkeeping included.
    pub fn held(&self) -> usize {
        self.pending_cost
    }

    /// The peer acknowledges everything before `offset`.
    pub fn acknowledge(&mut self, offset: i64) {
        let ahead = offset.saturating_sub(self.next as i64);
        if offset > self.acknowledged as i64 && ahead <= PLAUSIBLE_WINDOW {
            self.acknowledged = offset as u64;
            self.calm &= ahead <= 0;
        }
    }

    /// Takes the octets of a segment. `true`: a hole was given up because too much is held back.
    pub fn put(
        &mut self,
        at: Moment,
        piece: Piece<'_>,
        allowance: usize,
        history: &History<'_>,
        notes: &mut Notes,
        deliver: &mut dyn FnMut(Delivery<'_>),
    ) -> bool {
        let Piece { mut start, mut bytes, mut end } = piece;
        let length = (end - start) as u64;
        if end - start <= 1 && start + 1 == self.next as i64 {
            self.counters.keep_alives += 1;
            return false;
        }
        if length == 0 {
            return false;
        }
        if start.saturating_sub(self.next as i64) > PLAUSIBLE_WINDOW
            || (self.next as i64).saturating_sub(end) > PLAUSIBLE_WINDOW
        {
            self.counters.ignored += length;
            notes.add(Anomaly::BeyondWindow, self.empty_span(self.next), at);
            return false;
        }
        if self.ended == Ended::Reset {
            if end > self.next as i64 {
                self.counters.ignored += length;
                notes.add(Anomaly::DataAfterReset, self.span_of(start, end), at);
            }
            return false;
        }
        if let Some(fin) = self.fin
            && end > fin as i64
        {
            notes.add(Anomaly::DataAfterFin, self.span_of((fin as i64).max(start), end), at);
            let keep = (fin as i64).max(start);
            self.counters.ignored += (end - keep) as u64;
            end = keep;
            bytes = &bytes[..bytes.len().min((end - start) as usize)];
        }
        if start < 0 {
            let before = (-start).min(end - start);
            self.counters.retransmitted += before as u64;
            bytes = bytes.get(before as usize..).unwrap_or_default();
            start += before;
        }
        if start == end {
            return false;
        }
        let (start, end) = (start as u64, end as u64);
        if start <= self.next {
            self.put_at_next(at, start, bytes, end, history, notes, deliver);
            return false;
        }
        self.buffer(at, start, bytes, end, notes);
        let bound = allowance.min(REASSEMBLY_DIRECTION);
        if self.pending_cost <= bound {
            return false;
        }
        notes.add(Anomaly::BufferFull, self.empty_span(self.next), at);
        while self.pending_cost > bound && !self.pending.is_empty() {
            self.give_up_hole(at, deliver);
        }
        true
    }

    /// The sender says that it has sent `offset` octets in all.
    pub fn put_fin(&mut self, at: Moment, offset: i64, notes: &mut Notes, deliver: &mut dyn FnMut(Delivery<'_>)) {
        let ahead = offset.saturating_sub(self.next as i64);
        if self.ended == Ended::Reset || ahead.abs() > PLAUSIBLE_WINDOW {
            return;
        }
        match self.fin {
            None if offset < self.seen_end() as i64 => notes.add(Anomaly::FinMoved, self.span_of(offset, offset), at),
            None => {
                self.fin = Some(offset as u64);
                self.calm = false;
                self.drain(at, deliver);
            }
            Some(fin) if fin as i64 != offset => notes.add(Anomaly::FinMoved, self.span_of(offset, offset), at),
            Some(_) => {}
        }
    }

    /// The sender tears the connection down: what is held back comes out, then the reset.
    pub fn put_reset(&mut self, at: Moment, deliver: &mut dyn FnMut(Delivery<'_>)) {
        if self.ended == Ended::Reset {
            return;
        }
        self.flush(at, deliver);
        self.ended = Ended::Reset;
        self.calm = false;
        let event = StreamEvent::Reset { direction: self.direction, at: self.next };
        deliver(Delivery { packet: at.packet, time: at.time, event });
    }

    /// Decides which holes can no longer be filled. `peer_acknowledges`: whether the other side's
    /// acknowledgments are in the capture at all. `answered`: whether the other side sends octets of
    /// its own with its acknowledgment; then what it acknowledges has come before them, and a hole
    /// with octets behind it that are not new any more is not waited for.
    pub fn settle(
        &mut self,
        at: Moment,
        peer_acknowledges: bool,
        answered: bool,
        deliver: &mut dyn FnMut(Delivery<'_>),
    ) {
        if self.origin == Origin::Unknown || self.ended != Ended::No {
            return;
        }
        while self.ended == Ended::No {
            let acknowledged = self.acknowledged_octets();
            if acknowledged > self.next {
                let overtaken = answered
                    && !self.pending.is_empty()
                    && self.opened.is_some_and(|opened| {
                        has_passed(opened, at, ANSWERED_HOLE_GRACE.nanos(), ANSWERED_HOLE_GRACE_SEGMENTS)
                    });
                if overtaken {
                    self.covered = Some((acknowledged, at));
                }
                match self.covered {
                    Some((to, since)) if to > self.next => {
                        if !overtaken && !has_passed(since, at, HOLE_GRACE.nanos(), HOLE_GRACE_SEGMENTS)
                            || self.may_be_fin(acknowledged)
                        {
                            break;
                        }
                        self.gap(self.first_pending().map_or(to, |key| key.min(to)), at, deliver);
                        self.drain(at, deliver);
                    }
                    _ => {
                        self.covered = Some((acknowledged, at));
                        break;
                    }
                }
            } else if !peer_acknowledges && (self.fin.is_some() || !self.pending.is_empty()) {
                let since = *self.opened.get_or_insert(at);
                let waited = at.time.since(since.time) >= HOLE_PATIENCE;
                if !waited && self.pending_cost <= REASSEMBLY_ONE_SIDED {
                    break;
                }
                self.give_up_hole(at, deliver);
            } else {
                break;
            }
        }
        if self.pending.is_empty() {
            self.opened = None;
        } else if self.opened.is_none() {
            self.opened = Some(at);
        }
        self.calm = matches!(self.origin, Origin::Known | Origin::Bare)
            && self.pending.is_empty()
            && self.fin.is_none()
            && self.acknowledged <= self.next;
    }

    /// The end of the connection: no octet can arrive any more.
    pub fn finish(&mut self, at: Moment, deliver: &mut dyn FnMut(Delivery<'_>)) {
        if self.origin != Origin::Unknown && self.ended == Ended::No {
            self.flush(at, deliver);
        }
    }

    fn flush(&mut self, at: Moment, deliver: &mut dyn FnMut(Delivery<'_>)) {
        while !self.pending.is_empty() {
            self.give_up_hole(at, deliver);
        }
        let acknowledged = self.acknowledged_octets();
        let end = match self.fin {
            Some(fin) => fin,
            None if self.may_be_fin(acknowledged) => self.next,
            None => acknowledged,
        };
        if end > self.next {
            self.gap(end, at, deliver);
        }
        self.drain(at, deliver);
    }

    /// A segment whose first octet is already due.
    #[expect(clippy::too_many_arguments, reason = "the parts of one segment and its surroundings")]
    fn put_at_next(
        &mut self,
        at: Moment,
        start: u64,
        bytes: &[u8],
        end: u64,
        history: &History<'_>,
        notes: &mut Notes,
        deliver: &mut dyn FnMut(Delivery<'_>),
    ) {
        let captured_end = start + bytes.len() as u64;
        if start < self.next {
            self.counters.retransmitted += end.min(self.next) - start;
            if let Some(recent) = &self.recent
                && let Some((from, to)) = recent.conflict(start, bytes, self.next, history)
            {
                notes.add(Anomaly::OverlapConflict, Span::new(self.direction, from, to), at);
            }
        }
        let first = self.next;
        while self.next < captured_end {
            let key = self.first_pending().unwrap_or(u64::MAX);
            let to = captured_end.min(key);
            if self.next < to {
                let part = &bytes[(self.next - start) as usize..(to - start) as usize];
                self.emit(part, at.packet, at.time, deliver);
            }
            if key < captured_end {
                let Some((key, chunk)) = self.pop() else { break };
                let ours = &bytes[(key - start) as usize..];
                self.compare(key, ours, &chunk.bytes, at, notes);
                self.counters.retransmitted += (chunk.bytes.len() as u64).min(captured_end - key);
                self.consume(key, chunk, deliver);
            }
        }
        if self.next > first {
            self.recent.get_or_insert_default().remember(start, first, captured_end, at.packet);
        }
        self.cut_end = self.cut_end.max(end);
        self.drain(at, deliver);
    }

    /// Keeps what is new of a segment beyond a hole.
    fn buffer(&mut self, at: Moment, start: u64, bytes: &[u8], end: u64, notes: &mut Notes) {
        let captured_end = start + bytes.len() as u64;
        let mut free = Vec::new();
        let mut cursor = start;
        let from = self.pending.range(..=start).next_back().map_or(start, |(&key, _)| key);
        let mut overlaps = false;
        for (&key, chunk) in self.pending.range(from..captured_end.max(start + 1)) {
            let chunk_end = key + chunk.bytes.len() as u64;
            if chunk_end <= start || chunk.bytes.is_empty() {
                continue;
            }
            overlaps = true;
            let (low, high) = (key.max(start), chunk_end.min(captured_end));
            if low < high {
                let ours = &bytes[(low - start) as usize..(high - start) as usize];
                self.compare(low, ours, &chunk.bytes[(low - key) as usize..(high - key) as usize], at, notes);
                self.counters.retransmitted += high - low;
            }
            if key > cursor {
                free.push((cursor, key));
            }
            cursor = cursor.max(chunk_end);
        }
        if cursor < captured_end || (bytes.is_empty() && !overlaps) {
            free.push((cursor, captured_end));
        }
        if !free.is_empty() {
            self.counters.out_of_order += 1;
        }
        for (low, high) in free {
            let cut_end = if high == captured_end && end > captured_end { end } else { 0 };
            let part: Box<[u8]> = bytes[(low - start) as usize..(high - start) as usize].into();
            self.pending_cost += part.len() + CHUNK_COST;
            let mut chunk = Chunk { bytes: part, cut_end, packet: at.packet, time: at.time };
            if let Some(empty) = self.pending.remove(&low) {
                self.pending_cost -= empty.bytes.len() + CHUNK_COST;
                chunk.cut_end = chunk.cut_end.max(empty.cut_end);
            }
            self.pending.insert(low, chunk);
        }
        self.opened.get_or_insert(at);
        self.calm = false;
    }

    /// Hands on what has become due, and the end after the last octet.
    fn drain(&mut self, at: Moment, deliver: &mut dyn FnMut(Delivery<'_>)) {
        loop {
            match self.first_pending() {
                Some(key) if key <= self.next => {
                    let Some((key, chunk)) = self.pop() else { break };
                    self.consume(key, chunk, deliver);
                    self.opened = Some(at);
                }
                Some(key) if self.next < self.cut_end => self.gap(key.min(self.cut_end), at, deliver),
                None if self.next < self.cut_end => self.gap(self.cut_end, at, deliver),
                _ => break,
            }
        }
        if self.fin.is_some_and(|fin| fin <= self.next) && self.ended == Ended::No {
            self.ended = Ended::Fin;
            let event = StreamEvent::Fin { direction: self.direction, at: self.next };
            deliver(Delivery { packet: at.packet, time: at.time, event });
        }
    }

    /// The oldest hole becomes a gap.
    fn give_up_hole(&mut self, at: Moment, deliver: &mut dyn FnMut(Delivery<'_>)) {
        if let Some(to) = self.first_pending().or(self.fin) {
            self.gap(to, at, deliver);
        }
        self.opened = Some(at);
        self.drain(at, deliver);
    }

    fn gap(&mut self, to: u64, at: Moment, deliver: &mut dyn FnMut(Delivery<'_>)) {
        if to > self.next {
            let span = Span::new(self.direction, self.next, to);
            self.counters.missing += span.len();
            self.counters.gaps += 1;
            self.next = to;
            deliver(Delivery { packet: at.packet, time: at.time, event: StreamEvent::Gap { span } });
        }
    }

    fn consume(&mut self, key: u64, chunk: Chunk, deliver: &mut dyn FnMut(Delivery<'_>)) {
        self.cut_end = self.cut_end.max(chunk.cut_end);
        let captured_end = key + chunk.bytes.len() as u64;
        if captured_end > self.next {
            let first = self.next;
            let part = &chunk.bytes[(self.next - key) as usize..];
            self.emit(part, chunk.packet, chunk.time, deliver);
            self.recent.get_or_insert_default().remember(key, first, captured_end, chunk.packet);
        }
    }

    fn emit(&mut self, bytes: &[u8], packet: u64, time: Timestamp, deliver: &mut dyn FnMut(Delivery<'_>)) {
        let span = Span::new(self.direction, self.next, self.next + bytes.len() as u64);
        self.counters.delivered += span.len();
        self.next = span.end;
        deliver(Delivery { packet, time, event: StreamEvent::Data { span, bytes } });
    }

    fn pop(&mut self) -> Option<(u64, Chunk)> {
        let (key, chunk) = self.pending.pop_first()?;
        self.pending_cost -= chunk.bytes.len() + CHUNK_COST;
        Some((key, chunk))
    }

    /// Notes a conflict where two copies of the octets from `start` differ. A single octet is a
    /// probe of a closed window and may hold anything.
    fn compare(&self, start: u64, one: &[u8], other: &[u8], at: Moment, notes: &mut Notes) {
        let shared = one.len().min(other.len());
        if shared > 1 && one[..shared] != other[..shared] {
            let span = Span::new(self.direction, start, start + shared as u64);
            notes.add(Anomaly::OverlapConflict, span, at);
        }
    }

    fn first_pending(&self) -> Option<u64> {
        self.pending.first_key_value().map(|(&key, _)| key)
    }

    /// One past the last octet seen, delivered or not.
    fn seen_end(&self) -> u64 {
        self.pending
            .last_key_value()
            .map_or(self.next, |(&key, chunk)| chunk.cut_end.max(key + chunk.bytes.len() as u64))
    }

    /// The octets that the peer has acknowledged, without the FIN.
    fn acknowledged_octets(&self) -> u64 {
        self.fin.map_or(self.acknowledged, |fin| self.acknowledged.min(fin))
    }

    /// An acknowledgment of one more than was seen, with nothing after it, may be that of a FIN
    /// that was not captured: no proof of a missing octet.
    fn may_be_fin(&self, acknowledged: u64) -> bool {
        self.fin.is_none() && self.pending.is_empty() && acknowledged == self.next + 1
    }

    fn empty_span(&self, at: u64) -> Span {
        Span::new(self.direction, at, at)
    }

    fn span_of(&self, start: i64, end: i64) -> Span {
        Span::new(self.direction, start.max(0) as u64, end.max(0) as u64)
    }
}

fn has_passed(since: Moment, now: Moment, nanos: i64, segments: u64) -> bool {
    now.time.since(since.time).nanos() >= nanos || now.segments.saturating_sub(since.segments) >= segments
}

/// What a buffered chunk costs besides its octets: its place in the tree and the allocator's share.
const CHUNK_COST: usize = 96;
