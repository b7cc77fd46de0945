//! What a network analyst reads off each segment: relative numbers, scaled windows, and notes such
//! as a retransmission, in the sense and the words of Wireshark's packet list.
//!
//! This is apart from reassembly on purpose: Wireshark judges each segment by the few numbers it
//! remembers, in one pass, and a list that agrees with it has to do the same.

use std::collections::{HashMap, VecDeque};
use std::fmt;

use super::connection::Segment;
use super::key::{FiveTuple, FlowKey};
use super::sequence::SequenceNumber;
use crate::limits::{ANALYSED_CONNECTIONS, UNACKNOWLEDGED_SEGMENTS};
use crate::time::{Interval, Timestamp};
use crate::wire::TcpOption;

/// What is to be said of one segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Analysis {
    /// The sequence number, counted from the initial one.
    pub sequence: u32,
    /// The acknowledgment number, counted from the peer's initial one; meaningful with ACK only.
    pub acknowledgment: u32,
    /// The window in octets, scaled where the scale is known.
    pub window: u32,
    /// What the peer's numbers are counted from: for the edges of selective acknowledgments.
    pub peer_base: u32,
    /// Notes.
    pub notes: NoteSet,
    /// Of a duplicate acknowledgment: the packet it repeats, and the how-manieth copy it is.
    pub duplicate: (u64, u32),
}

/// Something noteworthy about a segment. The order is that of the Info column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// Answers a probe of a closed window, which stays closed.
    ZeroWindowProbeAcknowledgment,
    /// The sender takes nothing more for now.
    ZeroWindow,
    /// One octet sent into a closed window.
    ZeroWindowProbe,
    /// Repeats the acknowledgment before it.
    DuplicateAcknowledgment,
    /// Answers a keep-alive.
    KeepAliveAcknowledgment,
    /// No octet or one, just before the next.
    KeepAlive,
    /// Fills the window that the peer has granted.
    WindowFull,
    /// Changes nothing but the window.
    WindowUpdate,
    /// Acknowledges octets that were not seen.
    AcknowledgesUnseen,
    /// Octets before these were not seen.
    PreviousNotCaptured,
    /// Comes after later octets, too soon for a retransmission.
    OutOfOrder,
    /// Sends octets again that were acknowledged.
    SpuriousRetransmission,
    /// Sends octets again after duplicate acknowledgments.
    FastRetransmission,
    /// Sends octets again.
    Retransmission,
    /// A new connection between ports that had one.
    PortsReused,
}

impl Note {
    /// Every note, in the order of the Info column.
    pub const ALL: [Note; 15] = [
        Note::ZeroWindowProbeAcknowledgment,
        Note::ZeroWindow,
        Note::ZeroWindowProbe,
        Note::DuplicateAcknowledgment,
        Note::KeepAliveAcknowledgment,
        Note::KeepAlive,
        Note::WindowFull,
        Note::WindowUpdate,
        Note::AcknowledgesUnseen,
        Note::PreviousNotCaptured,
        Note::OutOfOrder,
        Note::SpuriousRetransmission,
        Note::FastRetransmission,
        Note::Retransmission,
        Note::PortsReused,
    ];
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Note::ZeroWindowProbeAcknowledgment => "TCP ZeroWindowProbeAck",
            Note::ZeroWindow => "TCP ZeroWindow",
            Note::ZeroWindowProbe => "TCP ZeroWindowProbe",
            Note::DuplicateAcknowledgment => "TCP Dup ACK",
            Note::KeepAliveAcknowledgment => "TCP Keep-Alive ACK",
            Note::KeepAlive => "TCP Keep-Alive",
            Note::WindowFull => "TCP Window Full",
            Note::WindowUpdate => "TCP Window Update",
            Note::AcknowledgesUnseen => "TCP ACKed unseen segment",
            Note::PreviousNotCaptured => "TCP Previous segment not captured",
            Note::OutOfOrder => "TCP Out-Of-Order",
            Note::SpuriousRetransmission => "TCP Spurious Retransmission",
            Note::FastRetransmission => "TCP Fast Retransmission",
            Note::Retransmission => "TCP Retransmission",
            Note::PortsReused => "TCP Port numbers reused",
        })
    }
}

/// A set of notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoteSet(u16);

impl NoteSet {
    /// Whether a note is in it.
    #[must_use]
    pub fn has(self, note: Note) -> bool {
        self.0 & 1 << note as u16 != 0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The notes in the order of the Info column.
    pub fn iter(self) -> impl Iterator<Item = Note> {
        Note::ALL.into_iter().filter(move |&note| self.has(note))
    }

    fn add(&mut self, note: Note) {
        self.0 |= 1 << note as u16;
    }
}

/// The analyzers of a capture by their endpoints. The most recently used ones are kept, at least
/// half of [`ANALYSED_CONNECTIONS`].
#[derive(Debug, Default)]
pub struct Analyses {
    recent: HashMap<FlowKey, Analyzer>,
    older: HashMap<FlowKey, Analyzer>,
}

impl Analyses {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Analyses {
        Analyses::default()
    }

    /// What is to be said of the next segment of the capture.
    pub fn put(&mut self, tuple: &FiveTuple, segment: &Segment<'_>) -> Analysis {
        let (key, from_lower) = FlowKey::of(tuple);
        if self.recent.len() >= ANALYSED_CONNECTIONS / 2 && !self.recent.contains_key(&key) {
            self.older = std::mem::take(&mut self.recent);
        }
        let older = &mut self.older;
        self.recent.entry(key).or_insert_with(|| older.remove(&key).unwrap_or_default()).put(from_lower, segment)
    }
}

/// What is remembered of one pair of endpoints.
#[derive(Debug, Default)]
pub struct Analyzer {
    sides: [Side; 2],
    /// The time of the last SYN.
    syn_time: Option<Timestamp>,
    /// From the SYN to the acknowledgment of its answer.
    first_round_trip: Option<Interval>,
}

#[derive(Debug, Default)]
struct Side {
    /// What relative numbers are counted from.
    base: Option<SequenceNumber>,
    scale: Scale,
    syn_seen: bool,
    /// The highest number seen, plus one.
    next: Option<SequenceNumber>,
    next_time: Timestamp,
    /// The highest number up to which everything was seen.
    contiguous: Option<SequenceNumber>,
    window: u16,
    /// The window was granted in a SYN and is not scaled.
    window_of_syn: bool,
    acknowledged: SequenceNumber,
    acknowledged_time: Timestamp,
    duplicates: u32,
    /// The packet that duplicates repeat.
    original: u64,
    last_notes: NoteSet,
    /// Segments sent and not acknowledged: first number and the one after the last.
    flying: VecDeque<(SequenceNumber, SequenceNumber)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Scale {
    #[default]
    Unknown,
    /// One side did not offer to scale.
    Unused,
    Shift(u8),
}

/// The numbers of a segment, in short.
#[derive(Clone, Copy)]
struct Numbers {
    packet: u64,
    time: Timestamp,
    sequence: SequenceNumber,
    acknowledgment: SequenceNumber,
    length: u32,
    window: u16,
    syn: bool,
    fin: bool,
    rst: bool,
    ack: bool,
}

impl Numbers {
    /// Neither SYN nor FIN nor RST.
    fn is_plain(&self) -> bool {
        !self.syn && !self.fin && !self.rst
    }

    fn takes_number(&self) -> bool {
        self.syn || self.fin
    }

    /// The number after the last octet, SYN and FIN counted.
    fn end(&self) -> SequenceNumber {
        self.after_octets().plus(u64::from(self.takes_number()))
    }

    fn after_octets(&self) -> SequenceNumber {
        self.sequence.plus(u64::from(self.length))
    }
}

impl Analyzer {
    /// What is to be said of the next segment. `from_lower`: which of the two ends sends it; any
    /// fixed choice will do.
    pub fn put(&mut self, from_lower: bool, segment: &Segment<'_>) -> Analysis {
        let tcp = segment.tcp;
        let now = Numbers {
            packet: segment.packet,
            time: segment.time,
            sequence: SequenceNumber(tcp.sequence),
            acknowledgment: SequenceNumber(tcp.acknowledgment),
            length: tcp.payload_len,
            window: tcp.window,
            syn: tcp.flags.syn(),
            fin: tcp.flags.fin(),
            rst: tcp.flags.rst(),
            ack: tcp.flags.ack(),
        };
        let mut notes = NoteSet::default();
        if now.syn && !now.ack && self.is_another(from_lower, now.sequence) {
            *self = Analyzer::default();
            notes.add(Note::PortsReused);
        }
        let [own, peer] = pair(&mut self.sides, from_lower);
        if now.syn && now.ack && own.base.is_some_and(|base| base != now.sequence) {
            own.base = Some(now.sequence);
            notes.add(Note::PortsReused);
        }
        let base =
            *own.base.get_or_insert(if now.syn { now.sequence } else { SequenceNumber(tcp.sequence.wrapping_sub(1)) });
        if now.ack {
            peer.base.get_or_insert(SequenceNumber(tcp.acknowledgment.wrapping_sub(1)));
        }
        let peer_base = peer.base.unwrap_or_default();
        let duplicate = judge(own, peer, &now, self.first_round_trip, &mut notes);
        own.last_notes = notes;

        if now.syn {
            own.scale = tcp
                .options()
                .find_map(|option| match option {
                    TcpOption::WindowScale(shift) => Some(Scale::Shift(shift.min(14))),
                    _ => None,
                })
                .unwrap_or(own.scale);
            own.syn_seen = true;
            if now.ack && [&*own, &*peer].iter().any(|side| side.syn_seen && side.scale == Scale::Unknown) {
                (own.scale, peer.scale) = (Scale::Unused, Scale::Unused);
            }
        }
        let window = match own.scale {
            Scale::Shift(shift) if !now.syn => u32::from(now.window) << shift,
            _ => u32::from(now.window),
        };
        let sequence = tcp.sequence.wrapping_sub(base.0);
        let acknowledgment = tcp.acknowledgment.wrapping_sub(peer_base.0);
        if now.syn && !now.ack {
            self.syn_time = Some(now.time);
        } else if !now.syn && now.ack && (sequence, acknowledgment) == (1, 1) && self.first_round_trip.is_none() {
            self.first_round_trip = self.syn_time.map(|syn| now.time.since(syn));
        }
        Analysis { sequence, acknowledgment, window, peer_base: peer_base.0, notes, duplicate }
    }

    /// Whether a SYN opens another connection than the one remembered.
    fn is_another(&mut self, from_lower: bool, sequence: SequenceNumber) -> bool {
        let [own, _] = pair(&mut self.sides, from_lower);
        own.base.is_some_and(|base| base != sequence)
    }
}

/// Makes the notes of a segment and updates what is remembered. Returns what it duplicates.
fn judge(
    own: &mut Side,
    peer: &mut Side,
    now: &Numbers,
    first_round_trip: Option<Interval>,
    notes: &mut NoteSet,
) -> (u64, u32) {
    let mut duplicate = (0, 0);
    judge_window(own, peer, now, notes, &mut duplicate);
    if now.acknowledgment != own.acknowledged {
        own.original = now.packet;
        own.duplicates = 0;
    }
    if now.ack
        && let Some(contiguous) = peer.contiguous
        && contiguous.is_before(now.acknowledgment)
    {
        if peer.last_notes.has(Note::ZeroWindowProbe) {
            // The probe's octet was taken after all.
            peer.next = Some(now.acknowledgment);
            peer.contiguous = Some(now.acknowledgment);
        } else {
            notes.add(Note::AcknowledgesUnseen);
            peer.contiguous = peer.next;
        }
    }
    if (now.length > 0 || now.takes_number())
        && !notes.has(Note::KeepAlive)
        && let Some(note) = judge_repetition(own, peer, now, first_round_trip)
    {
        notes.add(note);
    }
    remember(own, peer, now, *notes);
    duplicate
}

/// Windows, keep-alives and duplicates: what the numbers say against those of the segment before.
fn judge_window(own: &mut Side, peer: &Side, now: &Numbers, notes: &mut NoteSet, duplicate: &mut (u64, u32)) {
    let is_next = own.next == Some(now.sequence);
    if now.length == 1 && is_next && peer.window == 0 && peer.next.is_some() {
        notes.add(Note::ZeroWindowProbe);
        return;
    }
    if now.window == 0 && now.is_plain() {
        notes.add(Note::ZeroWindow);
    }
    if !now.rst && own.next.is_some_and(|next| next.is_before(now.sequence)) {
        notes.add(Note::PreviousNotCaptured);
    }
    if now.length <= 1 && now.is_plain() && own.next == Some(now.sequence.plus(1)) {
        notes.add(Note::KeepAlive);
    }
    let repeats = now.length == 0 && now.is_plain() && is_next && now.acknowledgment == own.acknowledged;
    if repeats && now.window != 0 && now.window != own.window {
        notes.add(Note::WindowUpdate);
    }
    if now.length > 0 && now.is_plain() && peer.edge() == Some(now.after_octets()) {
        notes.add(Note::WindowFull);
    }
    if repeats && now.window != 0 && now.window == own.window {
        if peer.last_notes.has(Note::KeepAlive) {
            notes.add(Note::KeepAliveAcknowledgment);
            return;
        }
        own.duplicates += 1;
        notes.add(Note::DuplicateAcknowledgment);
        *duplicate = (own.original, own.duplicates);
    } else if now.length == 0
        && now.is_plain()
        && is_next
        && now.window == 0
        && own.window == 0
        && peer.last_notes.has(Note::ZeroWindowProbe)
        && (now.acknowledgment == own.acknowledged || peer.next.map(|next| next.plus(1)) == Some(now.acknowledgment))
    {
        notes.add(Note::ZeroWindowProbeAcknowledgment);
    }
}

/// Whether octets come again, and in which way.
fn judge_repetition(own: &Side, peer: &Side, now: &Numbers, first_round_trip: Option<Interval>) -> Option<Note> {
    let next = own.next?;
    // An octet before the end may have been a probe, with the rest following.
    let is_again = now.sequence.is_before(next) && !(now.length > 1 && now.sequence.plus(1) == next);
    let acknowledged = peer.next.is_some() && !peer.acknowledged.is_before(now.after_octets());
    if now.length > 0 && acknowledged && peer.acknowledged != SequenceNumber(0) {
        return Some(Note::SpuriousRetransmission);
    }
    if !is_again {
        return None;
    }
    let since_acknowledgment = now.time.since(peer.acknowledged_time);
    if peer.duplicates >= 2 && peer.acknowledged == now.sequence && since_acknowledgment < FAST_RETRANSMISSION {
        return Some(Note::FastRetransmission);
    }
    let seen = |&segment: &(SequenceNumber, SequenceNumber)| segment == (now.sequence, now.end());
    let soon = first_round_trip.filter(|time| time.nanos() > 0).unwrap_or(OUT_OF_ORDER);
    if now.time.since(own.next_time) < soon && next != now.end() && !own.flying.iter().any(seen) {
        return Some(Note::OutOfOrder);
    }
    Some(Note::Retransmission)
}

fn remember(own: &mut Side, peer: &mut Side, now: &Numbers, notes: NoteSet) {
    let end = now.end();
    let is_probe = notes.has(Note::ZeroWindowProbe);
    if (now.length > 0 || now.takes_number()) && own.flying.len() < UNACKNOWLEDGED_SEGMENTS {
        own.flying.push_back((now.sequence, end));
    }
    if !is_probe {
        if own.next.is_none_or(|next| next.is_before(end)) {
            own.next = Some(end);
            own.next_time = now.time;
        }
        if own.contiguous.is_none_or(|contiguous| contiguous == now.sequence) {
            own.contiguous = own.next;
        }
    }
    own.window = now.window;
    own.window_of_syn = now.syn;
    own.acknowledged = now.acknowledgment;
    own.acknowledged_time = now.time;
    peer.flying.retain(|(_, end)| now.acknowledgment.is_before(*end));
}

impl Side {
    /// One past the last octet that this side has granted, if its scale is known.
    fn edge(&self) -> Option<SequenceNumber> {
        let shift = match self.scale {
            Scale::Unknown => return None,
            Scale::Unused => 0,
            Scale::Shift(_) if self.window_of_syn => 0,
            Scale::Shift(shift) => shift,
        };
        Some(self.acknowledged.plus(u64::from(self.window) << shift))
    }
}

fn pair(sides: &mut [Side; 2], first: bool) -> [&mut Side; 2] {
    let [lower, upper] = sides;
    if first { [lower, upper] } else { [upper, lower] }
}

/// So long after a duplicate acknowledgment a retransmission counts as its consequence.
const FAST_RETRANSMISSION: Interval = Interval::from_millis(20);

/// Where no round trip was measured: what comes late by less than this was overtaken and not sent
/// again.
const OUT_OF_ORDER: Interval = Interval::from_millis(3);

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::stream::Direction;
    use crate::wire::Tcp;

    /// The segments of one connection; each answers with the numbers and notes.
    struct Bench {
        analyses: Analyses,
        packet: u64,
    }

    impl Bench {
        fn new() -> Bench {
            Bench { analyses: Analyses::new(), packet: 0 }
        }

        fn opened() -> Bench {
            let mut bench = Bench::new();
            bench.send(THERE, 0, SYN, 1000, 0, b"");
            bench.send(BACK, 10, SYN | ACK, 5000, 1001, b"");
            bench.send(THERE, 11, ACK, 1001, 5001, b"");
            bench
        }

        fn send_tcp(&mut self, direction: Direction, millis: i64, tcp: &Tcp<'_>) -> Analysis {
            self.packet += 1;
            let segment = Segment { packet: self.packet, time: time(millis), wire_octets: 54, tcp };
            self.analyses.put(&tuple(direction), &segment)
        }

        fn send(&mut self, way: Direction, millis: i64, flags: u16, seq: u32, ack: u32, payload: &[u8]) -> String {
            self.send_window(way, millis, flags, seq, ack, payload, 64240)
        }

        #[expect(clippy::too_many_arguments, reason = "the fields of one segment")]
        fn send_window(
            &mut self,
            way: Direction,
            millis: i64,
            flags: u16,
            seq: u32,
            ack: u32,
            payload: &[u8],
            window: u16,
        ) -> String {
            let tcp = Tcp { window, ..tcp(flags, seq, ack, payload) };
            let analysis = self.send_tcp(way, millis, &tcp);
            let notes: String = analysis.notes.iter().map(|note| format!(" {note}")).collect();
            format!("{}/{}{notes}", analysis.sequence, analysis.acknowledgment)
        }
    }

    #[test]
    fn numbers_are_counted_from_the_syn_or_from_one_before_the_first() {
        let mut bench = Bench::opened();
        assert_eq!(bench.send(THERE, 12, ACK, 1001, 5001, b"EHLO"), "1/1");
        let mut bench = Bench::new();
        assert_eq!(bench.send(THERE, 0, ACK, 7000, 9000, b"EHLO"), "1/1");
        assert_eq!(bench.send(BACK, 1, ACK, 9000, 7004, b""), "1/5");
    }

    #[test]
    fn octets_sent_again_are_told_apart_by_time_and_by_what_was_acknowledged() {
        let mut bench = Bench::opened();
        bench.send(THERE, 20, ACK, 1001, 5001, b"aaaa");
        assert_eq!(bench.send(THERE, 300, ACK, 1001, 5001, b"aaaa"), "1/1 TCP Retransmission");
        bench.send(BACK, 310, ACK, 5001, 1005, b"");
        assert_eq!(bench.send(THERE, 320, ACK, 1001, 5001, b"aaaa"), "1/1 TCP Spurious Retransmission");
        bench.send(THERE, 400, ACK, 1009, 5001, b"cccc");
        assert_eq!(bench.send(THERE, 402, ACK, 1005, 5001, b"bbbb"), "5/1 TCP Out-Of-Order");
    }

    #[test]
    fn duplicates_are_counted_and_lead_to_a_fast_retransmission() {
        let mut bench = Bench::opened();
        bench.send(THERE, 20, ACK, 1001, 5001, b"aaaa");
        bench.send(BACK, 30, ACK, 5001, 1005, b"");
        let lost = bench.send(THERE, 40, ACK, 1009, 5001, b"cccc");
        assert_eq!(lost, "9/1 TCP Previous segment not captured");
        for count in 1..=3 {
            let analysis = bench.send_tcp(BACK, 50, &tcp(ACK, 5001, 1005, b""));
            assert!(analysis.notes.has(Note::DuplicateAcknowledgment));
            assert_eq!(analysis.duplicate, (5, count));
        }
        assert_eq!(bench.send(THERE, 60, ACK, 1005, 5001, b"bbbb"), "5/1 TCP Fast Retransmission");
    }

    #[test]
    fn keep_alives_and_windows_have_their_notes() {
        let mut bench = Bench::opened();
        bench.send(THERE, 20, ACK, 1001, 5001, b"aaaa");
        bench.send(BACK, 30, ACK, 5001, 1005, b"");
        assert_eq!(bench.send(THERE, 5000, ACK, 1004, 5001, b""), "4/1 TCP Keep-Alive");
        assert_eq!(bench.send(BACK, 5010, ACK, 5001, 1005, b""), "1/5 TCP Keep-Alive ACK");
        assert_eq!(bench.send_window(BACK, 5020, ACK, 5001, 1005, b"", 100), "1/5 TCP Window Update");
        assert_eq!(bench.send_window(BACK, 5030, ACK, 5001, 1005, b"", 0), "1/5 TCP ZeroWindow");
        assert_eq!(bench.send(THERE, 5040, ACK, 1005, 5001, b"b"), "5/1 TCP ZeroWindowProbe");
        let answer = bench.send_window(BACK, 5050, ACK, 5001, 1005, b"", 0);
        assert_eq!(answer, "1/5 TCP ZeroWindowProbeAck TCP ZeroWindow");
    }

    #[test]
    fn unseen_octets_and_reused_ports_have_their_notes() {
        let mut bench = Bench::opened();
        bench.send(THERE, 20, ACK, 1001, 5001, b"aaaa");
        assert_eq!(bench.send(BACK, 30, ACK, 5001, 2001, b""), "1/1001 TCP ACKed unseen segment");
        assert_eq!(bench.send(THERE, 900, SYN, 77_000, 0, b""), "0/0 TCP Port numbers reused");
        assert_eq!(bench.send(THERE, 950, SYN, 77_000, 0, b""), "0/0 TCP Retransmission");
    }

    #[test]
    fn windows_are_scaled_once_both_sides_have_offered_it() {
        let scale = [3, 3, 7];
        let mut bench = Bench::new();
        let syn = Tcp { options: &scale, ..tcp(SYN, 1000, 0, b"") };
        assert_eq!(bench.send_tcp(THERE, 0, &syn).window, 64240);
        let answer = Tcp { options: &scale, ..tcp(SYN | ACK, 5000, 1001, b"") };
        assert_eq!(bench.send_tcp(BACK, 1, &answer).window, 64240);
        assert_eq!(bench.send_tcp(THERE, 2, &tcp(ACK, 1001, 5001, b"")).window, 64240 << 7);
        let mut bench = Bench::new();
        bench.send_tcp(THERE, 0, &syn);
        bench.send_tcp(BACK, 1, &tcp(SYN | ACK, 5000, 1001, b""));
        assert_eq!(bench.send_tcp(THERE, 2, &tcp(ACK, 1001, 5001, b"")).window, 64240);
    }
}
