//! Gathers records from what happens in sessions.

use std::collections::HashMap;
use std::mem::take;
use std::net::IpAddr;

use super::addresses::is_private;
use super::conn::Track as ConnTrack;
use super::handshake::{Handshake, certificates};
use super::mail::{Dialogue, File, Told};
use super::{Log, Record, Value, ids};
use crate::flow::{Endpoint, FiveTuple, FlowKey};
use crate::limits::ZEEK_AFTERMATHS;
use crate::session::{At, Protocol, Seen, Session, Upgraded};
use crate::smtp;
use crate::stream::{Direction, Span};
use crate::time::Timestamp;
use crate::tls;
use crate::wire::Transport;

/// Takes what happens in sessions and makes records of it.
#[derive(Debug, Default)]
pub(in crate::report) struct Collector {
    flows: HashMap<u64, Track>,
    /// Records, each with the packet at which it was known and its session.
    told: Vec<(u64, u64, Record)>,
}

/// What is kept of an open connection.
#[derive(Debug, Default)]
struct Track {
    ends: Option<Ends>,
    conn: ConnTrack,
    /// Those of Zeek's connections that were over before.
    earlier: Vec<ConnTrack>,
    dialogue: Option<Box<Dialogue>>,
    handshake: Option<Box<Handshake>>,
    /// What waits until the ends of the connection are known: when, and the client's direction.
    waiting: Vec<(Timestamp, Direction, Told)>,
}

/// Who is at the ends of a connection.
#[derive(Clone, Copy, Debug)]
struct Ends {
    /// The number of its first packet.
    number: u64,
    /// The hash of its key.
    flow: u64,
    originator: Endpoint,
    responder: Endpoint,
}

impl Collector {
    /// The records since the last call, each with the packet at which it was known and its session.
    pub(in crate::report) fn take(&mut self) -> Vec<(u64, u64, Record)> {
        take(&mut self.told)
    }

    /// Part of a mail dialogue.
    pub(in crate::report) fn smtp(&mut self, at: &At<'_>, event: &smtp::Event<'_>) {
        let Track { dialogue, waiting, .. } = self.flows.entry(at.session).or_default();
        let (client, time) = (at.client, at.time);
        dialogue.get_or_insert_default().event(event, client, time, &mut |told| waiting.push((time, client, told)));
    }

    /// Part of a TLS conversation.
    pub(in crate::report) fn tls(&mut self, at: &At<'_>, event: &tls::Event<'_>) {
        let track = self.flows.entry(at.session).or_default();
        let handshake = track.handshake.get_or_insert_with(|| Box::new(Handshake::new(at.time)));
        let from_client = event.span.direction == at.client;
        handshake.event(&event.kind, from_client);
        if let tls::EventKind::Certificates(chain) = &event.kind {
            let records = certificates(chain, from_client, at.time).into_iter();
            self.told.extend(records.map(|record| (at.now, at.session, record)));
        }
    }

    /// Octets that are not in the capture.
    pub(in crate::report) fn gap(&mut self, at: &At<'_>, span: Span) {
        let track = self.flows.entry(at.session).or_default();
        track.conn.gap(span.direction);
        let (client, time) = (at.client, at.time);
        let Track { dialogue, waiting, .. } = track;
        if let Some(dialogue) = dialogue {
            dialogue.gap(span.direction == client, span.len(), &mut |told| waiting.push((time, client, told)));
        }
    }

    /// A packet, after what its octets made happen.
    pub(in crate::report) fn packet(&mut self, seen: &Seen<'_>) {
        let (Some(segment), Transport::Tcp(tcp)) = (&seen.segment, &seen.frame.transport) else { return };
        let track = self.flows.entry(segment.session).or_default();
        if track.ends.is_none()
            && let Some(ip) = &seen.frame.ip
        {
            let sender = Endpoint::new(ip.source, tcp.source_port);
            let receiver = Endpoint::new(ip.destination, tcp.destination_port);
            let [originator, responder] = match segment.direction {
                Direction::FromOriginator => [sender, receiver],
                Direction::FromResponder => [receiver, sender],
            };
            track.ends = Some(Ends::new(segment.session, originator, responder));
        }
        if track.conn.is_over(seen.packet.timestamp) && track.earlier.len() < ZEEK_AFTERMATHS {
            track.earlier.push(take(&mut track.conn));
        }
        track.conn.segment(seen.packet, seen.frame, tcp, segment);
        if let Some(ends) = track.ends {
            for (time, client, told) in track.waiting.drain(..) {
                self.told.push((seen.packet.number, segment.session, ends.record(time, client, told)));
            }
        }
    }

    /// A session is over, noticed at packet `now`.
    pub(in crate::report) fn ended(&mut self, session: &Session, now: u64) {
        let connection = &session.connection;
        let mut track = self.flows.remove(&connection.number).unwrap_or_default();
        let ends = Ends::new(connection.number, connection.originator, connection.responder);
        let (time, client) = (connection.last_time, session.client());
        let speaks_smtp = track.dialogue.as_ref().is_some_and(|dialogue| dialogue.is_confirmed());
        if let Some(dialogue) = &mut track.dialogue {
            let waiting = &mut track.waiting;
            dialogue.finish(&mut |told| waiting.push((time, client, told)));
        }
        for (time, client, told) in take(&mut track.waiting) {
            self.told.push((now, connection.number, ends.record(time, client, told)));
        }
        if let (Some(handshake), Some(tls)) = (track.handshake.take(), &session.tls) {
            let record = handshake.record(tls, |ts| ends.head(ts));
            self.told.extend(record.map(|record| (now, connection.number, record)));
        }
        // What is spoken, and what is missing, is of the connection that carried something.
        let carried = |conn: &ConnTrack| conn.sizes().iter().sum::<u64>();
        let all: Vec<&ConnTrack> = track.earlier.iter().chain(std::iter::once(&track.conn)).collect();
        let most = (0..all.len()).rev().max_by_key(|n| carried(all[*n])).unwrap_or(0);
        for (n, one) in all.iter().enumerate() {
            let service = service(session, speaks_smtp).filter(|_| n == most);
            let record = conn(one, &ends, service, if n == most { session.missing } else { 0 });
            self.told.extend(record.map(|record| (now, connection.number, record)));
        }
    }
}

impl Ends {
    fn new(number: u64, originator: Endpoint, responder: Endpoint) -> Ends {
        let flow = FlowKey::of(&FiveTuple { source: originator, destination: responder }).0.hash64();
        Ends { number, flow, originator, responder }
    }

    /// The columns that begin most logs: when, which connection, between whom.
    fn head(&self, ts: Timestamp) -> Vec<Value> {
        vec![
            Value::Time(ts),
            Value::text(ids::connection(self.flow, self.number)),
            Value::Address(self.originator.ip),
            Value::Count(self.originator.port.into()),
            Value::Address(self.responder.ip),
            Value::Count(self.responder.port.into()),
        ]
    }

    fn ips(&self) -> [IpAddr; 2] {
        [self.originator.ip, self.responder.ip]
    }

    /// The id of the file at this place among the parts of the connection's messages.
    fn file_id(&self, depth: u64) -> String {
        ids::file(self.flow, self.number, depth)
    }

    fn record(&self, time: Timestamp, client: Direction, told: Told) -> Record {
        match told {
            Told::Transaction(info) => {
                let mut values = self.head(info.ts);
                values.extend(info.values(self.ips(), |depth| self.file_id(depth)));
                Record { log: Log::Smtp, values }
            }
            Told::File(file) => Record { log: Log::Files, values: self.file(file, client) },
            Told::Weird(name, more) => {
                let mut values = self.head(time);
                values.extend([
                    Value::text(name),
                    Value::or_unset(Some(more).filter(|more| !more.is_empty())),
                    Value::Bool(false),
                    Value::text(PEER),
                    Value::text("SMTP"),
                ]);
                Record { log: Log::Weird, values }
            }
        }
    }

    fn file(&self, file: File, client: Direction) -> Vec<Value> {
        let (first, last) = file.times;
        let mut values = self.head(first);
        values.insert(1, Value::text(self.file_id(file.depth)));
        let sender = if client == Direction::FromOriginator { self.originator.ip } else { self.responder.ip };
        values.extend([
            Value::text("SMTP"),
            Value::Count(file.depth),
            Value::List(Vec::new()),
            Value::or_unset(file.kind),
            Value::or_unset(file.name),
            Value::Interval(last.since(first)),
            Value::Bool(is_private(sender)),
            Value::Bool(client == Direction::FromOriginator),
            Value::Count(file.seen),
            Value::Unset,
            Value::Count(file.missing),
            Value::Count(0),
            Value::Bool(false),
        ]);
        values.resize(Log::Files.columns().len(), Value::Unset);
        values
    }
}

/// The record of `conn.log` for one connection of Zeek's.
fn conn(track: &ConnTrack, ends: &Ends, service: Option<String>, missing: u64) -> Option<Record> {
    let (number, first, last) = track.times()?;
    let sizes = track.sizes();
    let [(packets, octets), (packets_back, octets_back)] = track.counts();
    let lasting = last.since(first);
    let known = |value: Value| if lasting.nanos() == 0 { Value::Unset } else { value };
    let mut values = Ends { number, ..*ends }.head(first);
    values.extend([
        Value::text("tcp"),
        Value::or_unset(service),
        known(Value::Interval(lasting)),
        known(Value::Count(sizes[0])),
        known(Value::Count(sizes[1])),
        Value::text(track.state(sizes)),
        Value::Bool(is_private(ends.originator.ip)),
        Value::Bool(is_private(ends.responder.ip)),
        Value::Count(if packets == 0 || packets_back == 0 { 0 } else { missing }),
        Value::or_unset(Some(track.history()).filter(|history| !history.is_empty())),
        Value::Count(packets),
        Value::Count(octets),
        Value::Count(packets_back),
        Value::Count(octets_back),
        Value::Unset,
        Value::Count(6),
    ]);
    Some(Record { log: Log::Conn, values })
}

/// What is spoken, as Zeek's analyzers confirm it.
fn service(session: &Session, speaks_smtp: bool) -> Option<String> {
    let mut names = Vec::new();
    if speaks_smtp {
        names.push("smtp");
    } else if session.protocol == Protocol::Ssh {
        names.push("ssh");
    }
    // What was spoken before TLS, where it is not mail.
    let before = session.upgraded.filter(|&from| !speaks_smtp && from != Upgraded::Rdp); // which Zeek confirms later only
    names.extend(before.map(Upgraded::name));
    let tls = session.tls.as_deref().map(|tls| &tls.summary);
    if tls.is_some_and(|tls| tls.client_hello.is_some() && tls.records[tls.client.reversed().index()] > 0) {
        names.push("ssl");
    }
    (!names.is_empty()).then(|| names.join(","))
}

/// The name by which Zeek calls the process that wrote a record.
const PEER: &str = "zeek";
