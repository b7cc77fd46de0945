//! Packets in, sessions out: every packet of a capture passes here once.

use super::connection::State;
use super::lookups::LookUps;
use super::{Seen, SegmentSeen, Session, Sink};
use crate::capture::{Batch, Packet};
use crate::flow::analysis::Analyses;
use crate::flow::{self, FiveTuple, FlowKey, Segment, Table};
use crate::stream::{Direction, Span, StreamEvent};
use crate::time::Timestamp;
use crate::tls::{Keyring, Keys};
use crate::wire::{self, Defragmenter, Frame, Tcp, Transport};

/// Which part is looked at: number `index` of `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: u32,
    /// How many there are; at least 1.
    pub of: u32,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Shard = Shard { index: 0, of: 1 };

    fn takes(self, hash: impl FnOnce(u32) -> u32) -> bool {
        self.of <= 1 || hash(self.of) == self.index
    }
}

/// What a [`Tracker`] looks at.
#[derive(Clone, Debug)]
pub struct Config {
    /// The shard of the pairs of hosts: what sessions between the same hosts say of each other is said in one process.
    pub shard: Shard,
    /// Of that shard, the part of the flows that one thread takes.
    pub thread: Shard,
    /// Only connections with one of these ports; empty for all.
    pub ports: Vec<u16>,
    /// Whether every packet is told to the sink, with its TCP analysis.
    pub packets: bool,
    /// Whether messages and attachments are hashed.
    pub hashes: bool,
}

impl Config {
    fn takes(&self, key: FlowKey) -> bool {
        self.shard.takes(|n| key.hosts().shard(n)) && self.thread.takes(|n| key.shard(n))
    }
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
    analyses: Option<Analyses>,
    /// What passes by beside the connections: read by every shard, so that all say the same.
    lookups: LookUps,
    /// Where there are keys.
    keyring: Option<Box<Keyring>>,
}

impl Tracker {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Tracker {
        Tracker {
            analyses: config.packets.then(Analyses::new),
            config,
            table: Table::new(),
            lookups: LookUps::default(),
            defragmenter: Defragmenter::new(),
            first_time: None,
            latest: Timestamp::from_nanos(i64::MIN),
            last_packet: 0,
            keyring: None,
        }
    }

    /// What is sealed is opened with these keys from now on. Keys that were there before stay among them.
    pub fn set_keys(&mut self, keys: Keys) {
        match &mut self.keyring {
            Some(keyring) => keyring.set_keys(keys),
            None => self.keyring = Some(Box::new(Keyring::new(keys))),
        }
    }

    /// Takes the packets of the next batch; after them, sessions that are over or idle for too long
    /// end.
    pub fn batch<S: Sink>(&mut self, batch: &Batch, sink: &mut S) {
        for packet in batch.packets() {
            self.packet(&packet, batch, sink);
        }
        let (now, packet) = (self.latest, self.last_packet);
        let (keyring, lookups) = (&mut self.keyring, &self.lookups);
        self.table.expire(now, &mut |connection, state| end(connection, state, packet, lookups, keyring, sink));
    }

    fn packet<S: Sink>(&mut self, packet: &Packet<'_>, batch: &Batch, sink: &mut S) {
        let first_time = *self.first_time.get_or_insert(packet.timestamp);
        self.latest = self.latest.max(packet.timestamp);
        self.last_packet = packet.number;
        let mut frame = wire::decode_with_original(packet.link_type, packet.data, packet.original_len);
        if matches!(frame.transport, Transport::Fragment { .. })
            && let Some(whole) = self.defragmenter.put(&frame, packet.timestamp)
        {
            frame = whole;
        }
        let view = View { config: &self.config, first_time, packet, frame: &frame, batch };
        match (&frame.transport, &frame.ip) {
            (Transport::Tcp(tcp), Some(ip)) => {
                let tuple = FiveTuple {
                    source: flow::Endpoint { ip: ip.source, port: tcp.source_port },
                    destination: flow::Endpoint { ip: ip.destination, port: tcp.destination_port },
                };
                let around = (&mut self.analyses, &self.lookups, &mut self.keyring);
                segment(&mut self.table, around, &view, tuple, tcp, sink);
            }
            _ => {
                self.lookups.packet(&frame, packet.number, packet.timestamp);
                view.alone(sink);
            }
        }
    }

    /// The capture is over: all sessions end, in order of their first packet.
    pub fn finish<S: Sink>(&mut self, sink: &mut S) {
        let packet = self.last_packet;
        let (keyring, lookups) = (&mut self.keyring, &self.lookups);
        self.table.drain(&mut |connection, state| end(connection, state, packet, lookups, keyring, sink));
    }

    /// Limits that were reached.
    #[must_use]
    pub fn limits(&self) -> Vec<LimitReached> {
        let of_table = self.table.limits_reached().iter().map(|limit| limit_in_words(*limit));
        of_table.chain(self.lookups.limits()).map(|text| LimitReached { text }).collect()
    }
}

/// A packet and what was located in it.
struct View<'a> {
    config: &'a Config,
    first_time: Timestamp,
    packet: &'a Packet<'a>,
    frame: &'a Frame<'a>,
    batch: &'a Batch,
}

impl View<'_> {
    /// A packet of no connection is told where its addresses' shard is.
    fn alone<S: Sink>(&self, sink: &mut S) {
        if !self.config.packets || !self.config.ports.is_empty() {
            return;
        }
        let endpoint = |ip| flow::Endpoint { ip, port: 0 };
        let ours = match &self.frame.ip {
            Some(ip) => {
                let tuple = FiveTuple { source: endpoint(ip.source), destination: endpoint(ip.destination) };
                self.config.takes(FlowKey::of(&tuple).0)
            }
            None => self.config.shard.index == 0 && self.config.thread.index == 0,
        };
        if ours {
            sink.packet(&Seen { packet: self.packet, frame: self.frame, first_time: self.first_time, segment: None });
        }
    }
}

fn segment<S: Sink>(
    table: &mut Table<State>,
    (analyses, lookups, keyring): (&mut Option<Analyses>, &LookUps, &mut Option<Box<Keyring>>),
    view: &View<'_>,
    tuple: FiveTuple,
    tcp: &Tcp<'_>,
    sink: &mut S,
) {
    let ports = &view.config.ports;
    if !ports.is_empty() && !ports.contains(&tcp.source_port) && !ports.contains(&tcp.destination_port) {
        return;
    }
    if !view.config.takes(FlowKey::of(&tuple).0) {
        return;
    }
    let now = view.packet.number;
    let segment = Segment { packet: now, time: view.packet.timestamp, wire_octets: view.packet.original_len, tcp };
    let mut ended = None;
    let entry = table.put(
        &tuple,
        &segment,
        |connection| {
            let ports = [connection.originator.port, connection.responder.port];
            let opened = tcp.flags.syn().then_some(view.packet.timestamp);
            State::new(connection.number, ports, opened, view.config.hashes)
        },
        &mut |connection, state| ended = Some((connection, state)),
    );
    let (connection, state, direction) = (entry.connection, entry.state, entry.direction);
    let history = |packet: u64| payload_of(view.batch, packet);
    let mut fresh: Option<Span> = None;
    connection.feed_with(direction, &segment, &history, &mut |delivery| {
        if let StreamEvent::Data { span, .. } = delivery.event
            && delivery.packet == now
        {
            fresh = Some(fresh.map_or(span, |before: Span| Span::new(direction, before.start, span.end)));
        }
        state.deliver(&delivery, now, keyring, sink);
    });
    if let Some(analyses) = analyses {
        let analysis = analyses.put(&tuple, &segment);
        let span = payload_span(connection, direction, tcp);
        sink.packet(&Seen {
            packet: view.packet,
            frame: view.frame,
            first_time: view.first_time,
            segment: Some(SegmentSeen {
                session: connection.number,
                direction,
                client: state.client(),
                speaks: state.speaks(),
                analysis,
                span,
                fresh,
                ahead: span.is_some_and(|span| span.start > connection.position(direction)),
                pending: state.pending(direction),
                tls_version: state.tls_version(),
            }),
        });
    }
    if let Some((connection, state)) = ended {
        end(connection, state, now, lookups, keyring, sink);
    }
}

/// Where the payload of a segment stands in its stream.
fn payload_span(connection: &flow::Connection, direction: Direction, tcp: &Tcp<'_>) -> Option<Span> {
    let first = flow::SequenceNumber(tcp.sequence.wrapping_add(u32::from(tcp.flags.syn())));
    let start = u64::try_from(connection.offset(direction, first)?).ok()?;
    Some(Span::new(direction, start, start + tcp.payload.len() as u64)).filter(|span| !span.is_empty())
}

/// The TCP payload of an earlier packet, as long as it is in the batch.
fn payload_of(batch: &Batch, number: u64) -> Option<&[u8]> {
    let (mut from, mut to) = (0, batch.len());
    while from < to {
        let middle = from + (to - from) / 2;
        let packet = batch.packet(middle);
        match packet.number.cmp(&number) {
            std::cmp::Ordering::Less => from = middle + 1,
            std::cmp::Ordering::Greater => to = middle,
            std::cmp::Ordering::Equal => {
                let frame = wire::decode_with_original(packet.link_type, packet.data, packet.original_len);
                return match frame.transport {
                    Transport::Tcp(tcp) => Some(tcp.payload),
                    _ => None,
                };
            }
        }
    }
    None
}

fn limit_in_words(limit: flow::LimitReached) -> String {
    match limit {
        flow::LimitReached::Connections { ended, packet } => format!(
            "{} connections are kept open at most: {ended} ended before their time, the first at packet {packet}",
            crate::limits::CONNECTIONS
        ),
        flow::LimitReached::Held { packet } => format!(
            "{} octets are held back at most for missing segments: from packet {packet} on, some were given up early",
            crate::limits::REASSEMBLY_TOTAL
        ),
    }
}

fn end<S: Sink>(
    mut connection: flow::Connection,
    mut state: State,
    packet: u64,
    lookups: &LookUps,
    keyring: &mut Option<Box<Keyring>>,
    sink: &mut S,
) {
    let time = connection.last_time;
    connection.finish(&mut |delivery| state.deliver(&delivery, packet, keyring, sink));
    state.end(packet, time, keyring, sink);
    let around = lookups.around(&connection);
    sink.ended(Session { around, ..state.into_session(connection, keyring) }, packet);
}
