//! Packets in, sessions out: every packet of a capture passes here once.

use super::connection::State;
use super::{SegmentSeen, Seen, Sink};
use crate::capture::Packet;
use crate::flow::{self, FiveTuple, FlowKey, Segment, Table};
use crate::stream::{Direction, Span};
use crate::time::Timestamp;
use crate::wire::{self, Defragmenter, Frame, Tcp, Transport};

/// Which part of the flows is looked at: shard `index` of `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: u32,
    /// How many there are; at least 1.
    pub of: u32,
}

impl Shard {
    /// All flows.
    pub const WHOLE: Shard = Shard { index: 0, of: 1 };

    fn takes(self, hash: impl FnOnce(u32) -> u32) -> bool {
        self.of <= 1 || hash(self.of) == self.index
    }
}

/// What a [`Tracker`] looks at.
#[derive(Clone, Debug)]
pub struct Config {
    /// The shard of the flows.
    pub shard: Shard,
    /// Only connections with one of these ports; empty for all.
    pub ports: Vec<u16>,
    /// Whether every packet is told to the sink, with its TCP analysis.
    pub packets: bool,
}

/// A limit that was reached, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitReached {
    /// What happened, as a sentence.
    pub text: String,
}

/// Turns packets into sessions.
#[derive(Debug)]
pub struct Tracker {
    config: Config,
    table: Table<State>,
    defragmenter: Defragmenter,
    first_time: Option<Timestamp>,
    latest: Timestamp,
    last_packet: u64,
}

impl Tracker {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Tracker {
        Tracker {
            config,
            table: Table::new(),
            defragmenter: Defragmenter::new(),
            first_time: None,
            latest: Timestamp::from_nanos(i64::MIN),
            last_packet: 0,
        }
    }

    /// Takes the next packet.
    pub fn packet<S: Sink>(&mut self, packet: &Packet<'_>, sink: &mut S) {
        let first_time = *self.first_time.get_or_insert(packet.timestamp);
        self.latest = self.latest.max(packet.timestamp);
        self.last_packet = packet.number;
        let frame = wire::decode_with_original(packet.link_type, packet.data, packet.original_len);
        let mut whole = None;
        if matches!(frame.transport, Transport::Fragment(_)) {
            whole = self.defragmenter.put(&frame, packet.timestamp);
        }
        let frame = whole.as_ref().unwrap_or(&frame);
        let view = View { config: &self.config, first_time, packet, frame };
        match (&frame.transport, &frame.ip) {
            (Transport::Tcp(tcp), Some(ip)) => {
                let tuple = FiveTuple {
                    source: flow::Endpoint { ip: ip.source, port: tcp.source_port },
                    destination: flow::Endpoint { ip: ip.destination, port: tcp.destination_port },
                };
                segment(&mut self.table, &view, tuple, tcp, sink);
            }
            _ => view.alone(sink),
        }
    }

    /// Between batches: sessions that are over, or idle for too long, end.
    pub fn expire<S: Sink>(&mut self, sink: &mut S) {
        let (now, packet) = (self.latest, self.last_packet);
        self.table.expire(now, &mut |connection, state| end(connection, state, packet, sink));
    }

    /// The capture is over: all sessions end, in order of their first packet.
    pub fn finish<S: Sink>(&mut self, sink: &mut S) {
        let packet = self.last_packet;
        self.table.drain(&mut |connection, state| end(connection, state, packet, sink));
    }

    /// Limits that were reached.
    #[must_use]
    pub fn limits(&self) -> Vec<LimitReached> {
        self.table.limits().iter().map(|limit| LimitReached { text: limit.to_string() }).collect()
    }
}

/// A packet and what was located in it.
struct View<'a> {
    config: &'a Config,
    first_time: Timestamp,
    packet: &'a Packet<'a>,
    frame: &'a Frame<'a>,
}

impl View<'_> {
    /// A packet of no connection is told where its addresses' shard is.
    fn alone<S: Sink>(&self, sink: &mut S) {
        if !self.config.packets || !self.config.ports.is_empty() {
            return;
        }
        let shard = self.config.shard;
        let ours = match &self.frame.ip {
            Some(ip) => shard.takes(|n| {
                let tuple = FiveTuple {
                    source: flow::Endpoint { ip: ip.source, port: 0 },
                    destination: flow::Endpoint { ip: ip.destination, port: 0 },
                };
                FlowKey::of(&tuple).0.shard(n)
            }),
            None => shard.index == 0,
        };
        if ours {
            sink.packet(&Seen { packet: self.packet, frame: self.frame, first_time: self.first_time, segment: None });
        }
    }
}

fn segment<S: Sink>(table: &mut Table<State>, view: &View<'_>, tuple: FiveTuple, tcp: &Tcp<'_>, sink: &mut S) {
    let ports = &view.config.ports;
    if !ports.is_empty() && !ports.contains(&tcp.source_port) && !ports.contains(&tcp.destination_port) {
        return;
    }
    let (key, _) = FlowKey::of(&tuple);
    if !view.config.shard.takes(|n| key.shard(n)) {
        return;
    }
    let segment = Segment { packet: view.packet.number, time: view.packet.timestamp, tcp };
    let mut ended = None;
    let entry = table.entry(&tuple, &segment, |connection| {
        State::new(connection.number, [connection.originator.port, connection.responder.port])
    }, &mut |connection, state| ended = Some((connection, state)));
    let (connection, state, direction) = (entry.connection, entry.state, entry.direction);
    let before = connection.delivered(direction);
    let now = view.packet.number;
    connection.feed(direction, &segment, &mut |delivery| state.deliver(&delivery, now, sink));
    if view.config.packets {
        tell(view, connection, state, direction, before, &segment, sink);
    }
    if let Some((connection, state)) = ended {
        end(connection, state, view.packet.number, sink);
    }
}

fn tell<S: Sink>(
    view: &View<'_>,
    connection: &flow::Connection,
    state: &mut State,
    direction: Direction,
    before: u64,
    segment: &Segment<'_>,
    sink: &mut S,
) {
    let analysis = state.analyzer.get_or_insert_default().analyze(direction, segment);
    let span = connection.payload_span(direction, segment.tcp);
    let _ = before;
    let _: Option<Span> = span;
    sink.packet(&Seen {
        packet: view.packet,
        frame: view.frame,
        first_time: view.first_time,
        segment: Some(SegmentSeen {
            session: connection.number,
            direction,
            client: state.client(),
            speaks: state.speaks(),
            analysis: Some(analysis),
            span,
            pending: state.pending(direction),
            tls_version: state.tls_version(),
        }),
    });
}

fn end<S: Sink>(mut connection: flow::Connection, mut state: State, packet: u64, sink: &mut S) {
    let time = connection.last_time;
    connection.finish(&mut |delivery| state.deliver(&delivery, packet, sink));
    state.end(packet, time, sink);
    sink.ended(state.into_session(connection), packet);
}
