//! Gathers events from what happens in sessions.

use std::collections::HashMap;
use std::mem::take;

use super::dialogue::{Dialogue, Told};
use super::handshake::Handshake;
use super::stamp::Stamps;
use super::{Anomaly, Ether, Event, FileInfo, Flow, Tcp, address, detect, timestamp};
use crate::flow::{Close, Connection, Endpoint, FiveTuple, FlowKey};
use crate::report::community_id;
use crate::session::{At, Protocol, Seen, SegmentSeen, Session, Upgraded};
use crate::smtp;
use crate::stream::Direction;
use crate::time::Timestamp;
use crate::tls;
use crate::wire::{Frame, LayerKind};

/// Takes what happens in sessions and makes events of it.
#[derive(Debug, Default)]
pub(in crate::report) struct Collector {
    flows: HashMap<u64, Track>,
    /// Events, each with the packet at which it was known and its session.
    told: Vec<(u64, u64, Event)>,
    /// The capture is over: sessions that end now did not time out.
    is_closing: bool,
}

/// What is kept of an open connection.
#[derive(Debug, Default)]
struct Track {
    ends: Option<Ends>,
    /// Events that wait until the packet that brought them is told, and with it the addresses.
    waiting: Vec<Waiting>,
    dialogue: Option<Box<Dialogue>>,
    handshake: Option<Box<Handshake>>,
    /// What was spoken before TLS, where it is not SMTP.
    upgraded: Option<Upgraded>,
    /// What each side speaks by its first octets; `None`: it was silent until now.
    speaks: [Option<Option<&'static str>>; 2],
    flags: [u16; 2],
    stamps: [Stamps; 2],
}

/// Who is at the ends of a connection.
#[derive(Debug)]
struct Ends {
    number: u64,
    /// The originator and the responder.
    endpoints: [Endpoint; 2],
    macs: [Option<[u8; 6]>; 2],
    vlan: Vec<u16>,
}

#[derive(Debug)]
struct Waiting {
    packet: u64,
    time: Timestamp,
    /// Whose address is the source.
    from: Direction,
    event: Event,
}

impl Collector {
    /// The events since the last call, each with the packet at which it was known and its session.
    pub(in crate::report) fn take(&mut self) -> Vec<(u64, u64, Event)> {
        take(&mut self.told)
    }

    /// No more packets will come.
    pub(in crate::report) fn close(&mut self) {
        self.is_closing = true;
    }

    /// Part of a mail dialogue.
    pub(in crate::report) fn smtp(&mut self, at: &At<'_>, event: &smtp::Event<'_>) {
        let track = self.flows.entry(at.session).or_default();
        let from_client = event.span.direction == at.client;
        let waiting = &mut track.waiting;
        let dialogue = track.dialogue.get_or_insert_default();
        dialogue.event(event, from_client, &mut |told| {
            // The parser sees octets when they are acknowledged, so that the packet is the peer's.
            let from = event.span.direction.reversed();
            Waiting::smtp(told, at.packet, at.time, [at.client, from], waiting);
        });
    }

    /// Part of a TLS conversation.
    pub(in crate::report) fn tls(&mut self, at: &At<'_>, event: &tls::Event<'_>) {
        let track = self.flows.entry(at.session).or_default();
        let handshake = track.handshake.get_or_insert_default();
        if let tls::EventKind::Anomaly(anomaly) = &event.kind {
            for name in handshake.anomaly(*anomaly) {
                let event_of = Event { tx_id: Some(0), ..Event::of_anomaly(Anomaly::parser("tls", name)) };
                track.waiting.push(Waiting::new(at.packet, at.time, event.span.direction.reversed(), event_of));
            }
            return;
        }
        if let Some(mut told) = handshake.event(&event.kind, event.span.direction == at.client) {
            told.from_proto = track.spoken_before();
            let event = Event { event_type: "tls", tls: Some(Box::new(told)), ..Event::default() };
            track.waiting.push(Waiting::new(at.packet, at.time, at.client, event));
        }
    }

    /// TLS begins inside another protocol.
    pub(in crate::report) fn upgraded(&mut self, at: &At<'_>, from: Upgraded) {
        self.flows.entry(at.session).or_default().upgraded = Some(from);
    }

    /// A packet, after what its octets made happen.
    pub(in crate::report) fn packet(&mut self, seen: &Seen<'_>) {
        let (Some(segment), crate::wire::Transport::Tcp(tcp)) = (&seen.segment, &seen.frame.transport) else { return };
        let track = self.flows.entry(segment.session).or_default();
        let (number, time) = (seen.packet.number, seen.packet.timestamp);
        if track.ends.is_none() {
            track.ends = ends(seen.frame, segment);
        }
        let index = segment.direction.index();
        track.flags[index] |= tcp.flags.0;
        if track.stamps[index].is_invalid(tcp, time) {
            let event = Event::of_anomaly(Anomaly::stream("stream.pkt_invalid_timestamp"));
            track.waiting.push(Waiting::new(number, time, segment.direction, event));
        }
        if track.speaks[index].is_none() && !tcp.payload.is_empty() {
            track.speaks[index] = Some(detect::detect(tcp.payload));
            if let [Some(Some(one)), Some(Some(other))] = track.speaks
                && one != other
            {
                let mismatch = Anomaly::detection(one, "APPLAYER_MISMATCH_PROTOCOL_BOTH_DIRECTIONS");
                let from = segment.direction.reversed();
                track.waiting.push(Waiting::new(number, time, from, Event::of_anomaly(mismatch)));
            }
        }
        if let Some(ends) = &track.ends {
            for waiting in track.waiting.drain(..) {
                self.told.push((number, segment.session, waiting.complete(ends)));
            }
        }
    }

    /// A session is over, noticed at packet `now`.
    pub(in crate::report) fn ended(&mut self, session: &Session, now: u64) {
        let connection = &session.connection;
        let mut track = self.flows.remove(&connection.number).unwrap_or_default();
        let (packet, time, client) = (connection.last_packet, connection.last_time, session.client());
        let from_proto = track.spoken_before();
        if let Some(dialogue) = &mut track.dialogue {
            let waiting = &mut track.waiting;
            dialogue.finish(&mut |told| Waiting::smtp(told, packet, time, [client; 2], waiting));
        }
        if let Some(mut told) = track.handshake.as_mut().and_then(|handshake| handshake.finish()) {
            told.from_proto = from_proto;
            let event = Event { event_type: "tls", tls: Some(Box::new(told)), ..Event::default() };
            track.waiting.push(Waiting::new(packet, time, client, event));
        }
        let event = flow_event(session, &track, if self.is_closing { "shutdown" } else { "timeout" });
        track.waiting.push(Waiting::new(packet, time, client, event));
        let ends = track.ends.unwrap_or_else(|| Ends {
            number: connection.number,
            endpoints: [connection.originator, connection.responder],
            macs: [None; 2],
            vlan: Vec::new(),
        });
        for waiting in track.waiting {
            self.told.push((now, connection.number, waiting.complete(&ends)));
        }
    }
}

impl Track {
    /// What was spoken before TLS.
    fn spoken_before(&self) -> Option<&'static str> {
        self.dialogue.as_ref().map(|_| "smtp").or(self.upgraded.map(Upgraded::name))
    }
}

impl Event {
    fn of_anomaly(anomaly: Anomaly) -> Event {
        Event { event_type: "anomaly", anomaly: Some(anomaly), ..Event::default() }
    }
}

impl Waiting {
    fn new(packet: u64, time: Timestamp, from: Direction, event: Event) -> Waiting {
        Waiting { packet, time, from, event }
    }

    /// The events of what the dialogue told: `client` is the client's direction, `noticed` that of
    /// the packet at which it became known.
    fn smtp(told: Told, packet: u64, time: Timestamp, [client, noticed]: [Direction; 2], to: &mut Vec<Waiting>) {
        match told {
            Told::Anomaly(name, id) => {
                let event = Event { tx_id: Some(id), ..Event::of_anomaly(Anomaly::parser("smtp", name)) };
                to.push(Waiting::new(packet, time, noticed, event));
            }
            Told::Transaction { id, envelope, email, files } => {
                for file in files {
                    let event = Event {
                        event_type: "fileinfo",
                        smtp: Some(envelope.clone()),
                        email: email.as_ref().map(|email| Box::new(email.brief())),
                        app_proto: Some("smtp"),
                        fileinfo: Some(FileInfo { tx_id: id, ..file }),
                        ..Event::default()
                    };
                    to.push(Waiting::new(packet, time, client, event));
                }
                let event =
                    Event { event_type: "smtp", tx_id: Some(id), smtp: Some(envelope), email, ..Event::default() };
                to.push(Waiting::new(packet, time, client, event));
            }
        }
    }

    /// With the addresses.
    fn complete(self, ends: &Ends) -> Event {
        let mut event = self.event;
        let (from, to) = (self.from.index(), self.from.reversed().index());
        let [source, destination] = [ends.endpoints[from], ends.endpoints[to]];
        event.timestamp = timestamp(self.time);
        event.flow_id = flow_id(ends);
        if event.flow.is_none() {
            event.pcap_cnt = Some(self.packet);
            event.pkt_src = Some("wire/pcap");
        }
        event.vlan.clone_from(&ends.vlan);
        (event.src_ip, event.src_port) = (address(source.ip), source.port);
        (event.dest_ip, event.dest_port) = (address(destination.ip), destination.port);
        event.proto = "TCP";
        event.ip_v = if source.ip.is_ipv4() { 4 } else { 6 };
        event.community_id = community_id::of(source, destination);
        let mac = |mac: [u8; 6]| super::colons(&mac, false);
        event.ether = ends.macs[from].map(|source| Ether { src_mac: mac(source), dest_mac: ends.macs[to].map(mac) });
        event
    }
}

/// Who is at the ends, by the first packet that is told.
fn ends(frame: &Frame<'_>, segment: &SegmentSeen) -> Option<Ends> {
    let (ip, crate::wire::Transport::Tcp(tcp)) = (frame.ip.as_ref()?, &frame.transport) else { return None };
    let mut endpoints =
        [Endpoint::new(ip.source, tcp.source_port), Endpoint::new(ip.destination, tcp.destination_port)];
    let mut macs = [frame.ethernet.map(|mac| mac.source), frame.ethernet.and_then(|mac| mac.destination)];
    if segment.direction == Direction::FromResponder {
        endpoints.reverse();
        macs.reverse();
    }
    Some(Ends { number: segment.session, endpoints, macs, vlan: vlan(frame) })
}

/// The VLAN identifiers: 12 bits of each tag (IEEE 802.1Q §9.6).
fn vlan(frame: &Frame<'_>) -> Vec<u16> {
    let tags = frame.layers.iter().filter(|layer| matches!(layer.kind, LayerKind::Vlan | LayerKind::ServiceVlan));
    let octets = tags.filter_map(|layer| frame.octets(layer)?.first_chunk::<2>().copied());
    octets.map(|octets| u16::from_be_bytes(octets) & 0x0fff).collect()
}

/// The same number for all events of a connection, and another one for the next connection between
/// the same ends; 53 bits, so that a reader in JavaScript keeps it.
fn flow_id(ends: &Ends) -> u64 {
    let [source, destination] = ends.endpoints;
    let hash = FlowKey::of(&FiveTuple { source, destination }).0.hash64();
    (hash ^ ends.number.wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 11
}

fn flow_event(session: &Session, track: &Track, reason: &'static str) -> Event {
    let connection = &session.connection;
    let (there, back) = (connection.counters(session.client()), connection.counters(session.client().reversed()));
    let seconds = |time: Timestamp| time.nanos().div_euclid(1_000_000_000);
    let app_proto = match (session.protocol, &session.tls) {
        (_, Some(_)) => Some("tls"),
        (Protocol::Smtp | Protocol::Lmtp | Protocol::SmtpStartTls, None) => Some("smtp"),
        (Protocol::Ssh, None) => Some("ssh"),
        _ => None,
    };
    let transactions = track.dialogue.as_ref().map(|dialogue| dialogue.transactions());
    let flow = Flow {
        pkts_toserver: there.packets,
        pkts_toclient: back.packets,
        bytes_toserver: there.wire_octets,
        bytes_toclient: back.wire_octets,
        start: timestamp(connection.first_time),
        end: timestamp(connection.last_time),
        age: seconds(connection.last_time) - seconds(connection.first_time),
        state: match connection.close() {
            Close::Fin | Close::Reset(_) => "closed",
            _ if connection.handshake.is_complete() || (there.packets > 0 && back.packets > 0) => "established",
            _ => "new",
        },
        reason,
        alerted: false,
        tx_cnt: transactions.or(session.tls.as_ref().map(|_| 1)),
    };
    let client = session.client();
    let [to_server, to_client] = [track.flags[client.index()], track.flags[client.reversed().index()]];
    let all = to_server | to_client;
    let tcp = Tcp {
        tcp_flags: format!("{:02x}", all & 0xff),
        tcp_flags_ts: format!("{:02x}", to_server & 0xff),
        tcp_flags_tc: format!("{:02x}", to_client & 0xff),
        syn: all & 0x02 != 0,
        fin: all & 0x01 != 0,
        rst: all & 0x04 != 0,
        psh: all & 0x08 != 0,
        ack: all & 0x10 != 0,
        urg: all & 0x20 != 0,
        ecn: all & 0x40 != 0,
        cwr: all & 0x80 != 0,
        state: tcp_state(connection),
        ts_gap: there.missing > 0,
        tc_gap: back.missing > 0,
    };
    Event {
        event_type: "flow",
        app_proto,
        app_proto_orig: track.spoken_before().filter(|_| app_proto == Some("tls")),
        flow: Some(flow),
        tcp: Some(tcp),
        ..Event::default()
    }
}

fn tcp_state(connection: &Connection) -> &'static str {
    match connection.close() {
        Close::Reset(_) | Close::Fin => "closed",
        Close::Half(Direction::FromOriginator) => "fin_wait2",
        Close::Half(Direction::FromResponder) => "close_wait",
        Close::Open if connection.handshake.syn && !connection.handshake.syn_ack => "syn_sent",
        Close::Open if connection.handshake.syn_ack && !connection.handshake.ack => "syn_recv",
        Close::Open => "established",
    }
}
