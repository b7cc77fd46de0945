//! One TCP connection: its two ends, its two streams, how it was opened and how it closed.

use super::anomaly::{Anomaly, Notes};
use super::key::{Endpoint, FiveTuple};
use super::reassembly::{Counters, Delivery, Moment, Origin, Piece, Reassembler};
use super::recent::History;
use super::sequence::SequenceNumber;
use crate::limits::{PLAUSIBLE_WINDOW, REASSEMBLY_DIRECTION, RESET_WINDOW, REUSE_SILENCE};
use crate::stream::{Direction, Span, StreamEvent};
use crate::time::Timestamp;
use crate::wire::{Tcp, TcpOption};

/// A TCP segment and where it stands in the capture.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// The number of its packet.
    pub packet: u64,
    /// The packet's time.
    pub time: Timestamp,
    /// Octets of the packet on the wire, all headers included; only counted.
    pub wire_octets: u32,
    /// Its header and payload.
    pub tcp: &'a Tcp<'a>,
}

/// One TCP connection.
///
/// The originator is the sender of the SYN or the receiver of a SYN-ACK. Where the capture begins
/// later, it is the sender of the first packet seen; but if exactly one side has a well-known port
/// (below 1024), the other side is the originator.
#[derive(Debug)]
pub struct Connection {
    /// The number of its first packet, which is its name.
    pub number: u64,
    /// The side that opened it.
    pub originator: Endpoint,
    /// The side that accepted it.
    pub responder: Endpoint,
    /// The time of its first packet.
    pub first_time: Timestamp,
    /// The latest time of its packets.
    pub last_time: Timestamp,
    /// The number of its last packet.
    pub last_packet: u64,
    /// What was seen of the handshake.
    pub handshake: Handshake,
    /// Who has reset it first.
    pub reset_by: Option<Direction>,
    offers: [Offer; 2],
    streams: [Reassembler; 2],
    notes: Notes,
    rival: Option<Rival>,
    /// Octets that either direction may hold back.
    allowance: usize,
    /// A hole was given up because others hold back too much.
    is_starved: bool,
}

/// What was seen of the three-way handshake (RFC 9293 §3.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handshake {
    /// The originator's SYN.
    pub syn: bool,
    /// The responder's SYN-ACK.
    pub syn_ack: bool,
    /// The originator's acknowledgment of that.
    pub ack: bool,
}

impl Handshake {
    /// Whether all three were seen.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.syn && self.syn_ack && self.ack
    }

    /// Whether the capture holds neither SYN: the connection was open before.
    #[must_use]
    pub fn is_midstream(&self) -> bool {
        !self.syn && !self.syn_ack
    }
}

/// What a side offered in its SYN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Its initial sequence number; `None`: its SYN was not seen, and neither was what follows.
    pub initial: Option<SequenceNumber>,
    /// The largest segment it takes (RFC 9293 §3.7.1).
    pub maximum_segment_size: Option<u16>,
    /// By how many bits its windows are scaled (RFC 7323 §2).
    pub window_scale: Option<u8>,
    /// Whether it takes selective acknowledgments (RFC 2018 §2).
    pub sack_permitted: bool,
    /// Whether it sent timestamps (RFC 7323 §3).
    pub timestamps: bool,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// No end was seen.
    Open,
    /// One side sent a FIN, the other did not.
    Half(Direction),
    /// Both sides sent a FIN.
    Fin,
    /// This side sent an RST.
    Reset(Direction),
}

/// A SYN with a number of its own within an open connection: if it is answered, then it was the
/// connection that had ended unseen.
#[derive(Clone, Copy, Debug)]
struct Rival {
    direction: Direction,
    initial: SequenceNumber,
    packet: u64,
    time: Timestamp,
}

impl Connection {
    /// A connection whose first packet is `segment`, which is still to be fed.
    #[must_use]
    pub fn new(segment: &Segment<'_>, tuple: &FiveTuple) -> Connection {
        let FiveTuple { source, destination } = *tuple;
        let flags = segment.tcp.flags;
        let from_originator = match (flags.syn(), flags.ack()) {
            (true, acknowledges) => !acknowledges,
            _ => source.port >= WELL_KNOWN || destination.port < WELL_KNOWN,
        };
        let (originator, responder) = if from_originator { (source, destination) } else { (destination, source) };
        Connection {
            number: segment.packet,
            originator,
            responder,
            first_time: segment.time,
            last_time: segment.time,
            last_packet: segment.packet,
            handshake: Handshake::default(),
            reset_by: None,
            offers: [Offer::default(); 2],
            streams: Direction::BOTH.map(Reassembler::new),
            notes: Notes::default(),
            rival: None,
            allowance: REASSEMBLY_DIRECTION,
            is_starved: false,
        }
    }

    /// Which way a packet of this connection goes.
    #[must_use]
    pub fn direction_of(&self, tuple: &FiveTuple) -> Direction {
        if tuple.source == self.originator { Direction::FromOriginator } else { Direction::FromResponder }
    }

    /// The side that sends in `direction`.
    #[must_use]
    pub fn sender(&self, direction: Direction) -> Endpoint {
        match direction {
            Direction::FromOriginator => self.originator,
            Direction::FromResponder => self.responder,
        }
    }

    /// What was counted of one direction.
    #[must_use]
    pub fn counters(&self, direction: Direction) -> &Counters {
        &self.streams[direction.index()].counters
    }

    /// What the sender of `direction` offered in its SYN.
    #[must_use]
    pub fn offer(&self, direction: Direction) -> &Offer {
        &self.offers[direction.index()]
    }

    /// The next octet of a direction that has not been handed on, and how many octets that makes.
    #[must_use]
    pub fn position(&self, direction: Direction) -> u64 {
        self.streams[direction.index()].next
    }

    /// The offset of a sequence number of one direction, as far as the stream's origin is known.
    #[must_use]
    pub fn offset(&self, direction: Direction, sequence: SequenceNumber) -> Option<i64> {
        let stream = &self.streams[direction.index()];
        (stream.origin != Origin::Unknown).then(|| stream.offset(sequence))
    }

    /// How it ended.
    #[must_use]
    pub fn close(&self) -> Close {
        if let Some(direction) = self.reset_by {
            return Close::Reset(direction);
        }
        match [self.streams[0].fin, self.streams[1].fin] {
            [None, None] => Close::Open,
            [Some(_), None] => Close::Half(Direction::FromOriginator),
            [None, Some(_)] => Close::Half(Direction::FromResponder),
            [Some(_), Some(_)] => Close::Fin,
        }
    }

    /// Whether nothing more is to come: reset, or a FIN of each side that is in the capture.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        let done = |stream: &Reassembler| stream.fin.is_some() || stream.counters.packets == 0;
        let any_fin = self.streams.iter().any(|stream| stream.fin.is_some());
        self.reset_by.is_some() || (any_fin && self.streams.iter().all(done))
    }

    /// Whether there was nothing but unanswered SYNs.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        let [there, back] = &self.streams;
        self.handshake == Handshake { syn: true, syn_ack: false, ack: false }
            && back.counters.packets == 0
            && there.counters.payload_octets == 0
            && there.fin.is_none()
    }

    /// What is strange about it.
    #[must_use]
    pub fn anomalies(&self) -> &Notes {
        &self.notes
    }

    /// Octets held back in both directions, bookkeeping included.
    #[must_use]
    pub fn held(&self) -> usize {
        self.streams[0].held() + self.streams[1].held()
    }

    /// Takes the next segment of the connection and hands on what has become due.
    pub fn feed(&mut self, direction: Direction, segment: &Segment<'_>, deliver: &mut impl FnMut(Delivery<'_>)) {
        self.feed_with(direction, segment, &|_| None, deliver);
    }

    /// The same, with access to the payloads of earlier packets of this connection, so that a
    /// retransmission with other octets is noticed.
    pub fn feed_with(
        &mut self,
        direction: Direction,
        segment: &Segment<'_>,
        history: &History<'_>,
        deliver: &mut impl FnMut(Delivery<'_>),
    ) {
        let tcp = segment.tcp;
        self.last_packet = segment.packet;
        self.last_time = self.last_time.max(segment.time);
        let settled = self.handshake.ack || !self.handshake.syn_ack;
        let [own, other] = self.pair(direction);
        own.counters.packets += 1;
        own.counters.wire_octets += u64::from(segment.wire_octets);
        own.counters.payload_octets += u64::from(tcp.payload_len);
        // A segment of an orderly stream that is the next one needs nothing else.
        if own.calm && other.calm && settled && tcp.flags.0 & (FIN | SYN | RST | ACK) == ACK {
            let acknowledged = other.offset(SequenceNumber(tcp.acknowledgment));
            let due = SequenceNumber(tcp.sequence) == own.next_sequence();
            let whole = tcp.payload.len() == tcp.payload_len as usize;
            let known = own.origin == Origin::Known || tcp.payload_len == 0;
            if due && whole && known && acknowledged <= other.next as i64 {
                other.acknowledged = other.acknowledged.max(acknowledged.max(0) as u64);
                if tcp.payload_len > 0 {
                    let start = own.next;
                    let span = Span::new(direction, start, start + tcp.payload.len() as u64);
                    own.next = span.end;
                    own.counters.delivered += span.len();
                    own.recent.get_or_insert_default().remember(start, start, span.end, segment.packet);
                    let event = StreamEvent::Data { span, bytes: tcp.payload };
                    deliver(Delivery { packet: segment.packet, time: segment.time, event });
                }
                return;
            }
        }
        self.feed_any(direction, segment, history, deliver);
    }

    /// The end of the capture, or of the wait for more: what is held back comes out.
    pub fn finish(&mut self, deliver: &mut impl FnMut(Delivery<'_>)) {
        let at = self.moment(self.last_packet, self.last_time);
        for stream in &mut self.streams {
            stream.finish(at, deliver);
        }
    }

    /// Whether `segment` opens a new connection between the same endpoints: a SYN with a number of
    /// its own after the end of this one, after a long silence, or where this one never came to be;
    /// or the answer to a SYN that this one could not explain.
    #[must_use]
    pub fn is_succeeded_by(&self, direction: Direction, segment: &Segment<'_>) -> bool {
        let tcp = segment.tcp;
        if !tcp.flags.syn() || tcp.flags.rst() {
            return false;
        }
        if tcp.flags.ack() {
            return self.rival_answered(direction, tcp).is_some();
        }
        !self.is_our_syn(direction, tcp)
            && (self.is_closed() || self.is_unanswered() || segment.time.since(self.last_time) >= REUSE_SILENCE)
    }

    /// The connection that `segment` opens after this one; see [`Self::is_succeeded_by`].
    #[must_use]
    pub fn successor(&self, direction: Direction, segment: &Segment<'_>, tuple: &FiveTuple) -> Connection {
        let mut next = Connection::new(segment, tuple);
        if segment.tcp.flags.ack()
            && let Some(rival) = self.rival_answered(direction, segment.tcp)
        {
            next.number = rival.packet;
            next.first_time = rival.time;
            next.handshake.syn = true;
        }
        next
    }

    /// Bounds what each direction may hold back.
    pub(super) fn set_allowance(&mut self, octets: usize) {
        self.allowance = octets;
    }

    /// Whether a hole was given up for want of allowance.
    pub(super) fn is_starved(&self) -> bool {
        self.is_starved
    }

    fn rival_answered(&self, direction: Direction, tcp: &Tcp<'_>) -> Option<Rival> {
        let answered =
            |rival: &Rival| rival.direction == direction.reversed() && rival.initial.plus(1).0 == tcp.acknowledgment;
        self.rival.filter(answered)
    }

    /// Whether a SYN of this direction carries the number that the connection knows.
    fn is_our_syn(&self, direction: Direction, tcp: &Tcp<'_>) -> bool {
        let stream = &self.streams[direction.index()];
        match self.offers[direction.index()].initial {
            Some(initial) => initial.0 == tcp.sequence,
            None => stream.origin != Origin::Unknown && stream.origin_sequence == SequenceNumber(tcp.sequence).plus(1),
        }
    }

    fn feed_any(
        &mut self,
        direction: Direction,
        segment: &Segment<'_>,
        history: &History<'_>,
        deliver: &mut dyn FnMut(Delivery<'_>),
    ) {
        let tcp = segment.tcp;
        let flags = tcp.flags;
        let at = self.moment(segment.packet, segment.time);
        if flags.syn() && !self.take_syn(direction, tcp, at) {
            return;
        }
        self.find_origins(direction, tcp);
        if direction == Direction::FromOriginator && self.handshake.syn_ack && flags.ack() && !flags.rst() {
            self.handshake.ack = true;
        }
        let allowance = self.allowance;
        let (midstream, notes) = (self.handshake.is_midstream(), &mut self.notes);
        let [own, other] = pair(&mut self.streams, direction);
        if flags.ack() && !flags.rst() {
            let acknowledged = other.offset(SequenceNumber(tcp.acknowledgment));
            // A host that answers a SYN with the ACK of a connection it still has (RFC 9293 §3.5.1) says nothing of this one.
            let of_another =
                other.origin == Origin::Known && own.origin != Origin::Known && acknowledged > RESET_WINDOW;
            if !of_another {
                other.acknowledge(acknowledged);
            }
        }
        other.settle(at, own.counters.packets > 0, tcp.payload_len > 0, deliver);

        let first = SequenceNumber(tcp.sequence).plus(u64::from(flags.syn()));
        if flags.rst() {
            let distance = own.offset(first).saturating_sub(own.next as i64);
            if own.origin == Origin::Known && distance.abs() > RESET_WINDOW {
                notes.add(Anomaly::ResetOutOfWindow, Span::new(direction, own.next, own.next), at);
            } else {
                own.counters.ignored += u64::from(tcp.payload_len);
                own.put_reset(at, deliver);
                self.reset_by.get_or_insert(direction);
            }
            return;
        }
        if own.origin == Origin::Unknown {
            return;
        }
        if tcp.payload_len > 0 || flags.fin() {
            anchor(own, first, midstream);
        }
        let start = own.offset(first);
        let end = start + i64::from(tcp.payload_len);
        let bytes = &tcp.payload[..tcp.payload.len().min(tcp.payload_len as usize)];
        if !flags.fin() || tcp.payload_len > 0 {
            let gave_up = own.put(at, Piece { start, bytes, end }, allowance, history, notes, deliver);
            self.is_starved |= gave_up && allowance < REASSEMBLY_DIRECTION;
        }
        if flags.fin() {
            own.put_fin(at, end, notes, deliver);
        }
        own.settle(at, other.counters.packets > 0, false, deliver);
    }

    /// Reads a SYN. `false`: it is none of this connection's.
    fn take_syn(&mut self, direction: Direction, tcp: &Tcp<'_>, at: Moment) -> bool {
        let answers = tcp.flags.ack();
        let stream = &mut self.streams[direction.index()];
        let initial = SequenceNumber(tcp.sequence);
        let movable = stream.origin != Origin::Known && stream.is_untouched();
        if stream.origin == Origin::Unknown || movable {
            stream.set_origin(Origin::Known, initial.plus(1));
        } else if stream.origin_sequence != initial.plus(1) {
            let here = Span::new(direction, stream.next, stream.next);
            self.notes.add(Anomaly::SynInConnection, here, at);
            if !answers {
                self.rival = Some(Rival { direction, initial, packet: at.packet, time: at.time });
            }
            return false;
        }
        let offer = &mut self.offers[direction.index()];
        if offer.initial.is_none() {
            offer.initial = Some(initial);
            for option in tcp.options() {
                match option {
                    TcpOption::MaximumSegmentSize(size) => offer.maximum_segment_size = Some(size),
                    TcpOption::WindowScale(shift) => offer.window_scale = Some(shift),
                    TcpOption::SackPermitted => offer.sack_permitted = true,
                    TcpOption::Timestamps { .. } => offer.timestamps = true,
                    _ => {}
                }
            }
        }
        match direction {
            Direction::FromOriginator => self.handshake.syn = true,
            Direction::FromResponder => self.handshake.syn_ack |= answers,
        }
        true
    }

    /// Learns where the streams begin, as far as this segment tells.
    fn find_origins(&mut self, direction: Direction, tcp: &Tcp<'_>) {
        let flags = tcp.flags;
        let midstream = self.handshake.is_midstream();
        let [own, other] = self.pair(direction);
        if !flags.rst() && !flags.syn() {
            let number = SequenceNumber(tcp.sequence);
            match own.origin {
                Origin::Unknown => own.set_origin(Origin::Bare, number),
                Origin::Acknowledged if own.is_untouched() && tcp.payload_len == 0 && !flags.fin() => {
                    // After a handshake the acknowledged number is the true beginning, and what
                    // lies between it and this one was not captured.
                    if midstream || number.is_before(own.origin_sequence) {
                        own.set_origin(Origin::Bare, number);
                    } else {
                        own.origin = Origin::Bare;
                    }
                }
                _ => {}
            }
        }
        if other.origin == Origin::Unknown && flags.ack() && !flags.rst() {
            // The acknowledgment in a SYN-ACK is the number after the originator's SYN, exactly.
            let origin = if flags.syn() { Origin::Known } else { Origin::Acknowledged };
            other.set_origin(origin, SequenceNumber(tcp.acknowledgment));
        }
    }

    fn pair(&mut self, direction: Direction) -> [&mut Reassembler; 2] {
        pair(&mut self.streams, direction)
    }

    fn moment(&self, packet: u64, time: Timestamp) -> Moment {
        let segments = self.streams[0].counters.packets + self.streams[1].counters.packets;
        Moment { packet, time, segments }
    }
}

/// The stream of `direction` and the other one.
fn pair(streams: &mut [Reassembler; 2], direction: Direction) -> [&mut Reassembler; 2] {
    let [there, back] = streams;
    match direction {
        Direction::FromOriginator => [there, back],
        Direction::FromResponder => [back, there],
    }
}

/// The first octet (or FIN) of a stream settles where offset 0 is, if no SYN did.
///
/// A number from a bare segment or an acknowledgment stands where it leaves a hole of octets that
/// must have been sent; it does not where it lies after this octet, or one before it (a
/// keep-alive). An acknowledgment in the middle of a connection says nothing of octets under way.
fn anchor(stream: &mut Reassembler, first: SequenceNumber, midstream: bool) {
    if stream.origin == Origin::Known || !stream.is_untouched() {
        return;
    }
    let ahead = i64::from(first.after(stream.origin_sequence));
    let trusted = stream.origin == Origin::Bare || !midstream;
    if trusted && ahead > 1 && ahead <= PLAUSIBLE_WINDOW {
        stream.origin = Origin::Known;
    } else {
        let acknowledged = stream.origin_sequence.plus(stream.acknowledged);
        stream.set_origin(Origin::Known, first);
        stream.acknowledge(stream.offset(acknowledged));
    }
}

/// Ports that only a privileged process may offer (RFC 6335 §6, System Ports).
const WELL_KNOWN: u16 = 1024;

const FIN: u16 = 0x01;
const SYN: u16 = 0x02;
const RST: u16 = 0x04;
const ACK: u16 = 0x10;
