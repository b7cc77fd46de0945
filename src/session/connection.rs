//! What one connection speaks, and which decoder its octets go to.

use super::contents::ContentsReader;
use super::inside::{self, Whose};
use super::upgrade::{Upgrade, Upgraded};
use super::{Anomaly, AnomalyKind, At, Failure, Ladder, PacketMap, Session, Sink, Speaks, TlsSeen, verdict};
use crate::flow;
use crate::limits::{MAX_SESSION_ANOMALIES, MAX_UNDECIDED_OCTETS};
use crate::smtp;
use crate::ssh;
use crate::stream::{Direction, Span, StreamEvent};
use crate::time::Timestamp;
use crate::tls;

/// The decoders of a connection and what they found.
#[derive(Debug)]
pub(super) struct State {
    number: u64,
    /// The packet that is being looked at.
    now: u64,
    ports: [u16; 2],
    /// When its first packet was captured, where that was a SYN.
    opened: Option<Timestamp>,
    stage: Stage,
    client: Option<Direction>,
    smtp: Option<Box<smtp::Dialogue>>,
    contents: ContentsReader,
    tls: Option<Box<tls::Conversation>>,
    /// What was spoken before TLS, where it is not decoded.
    upgraded: Option<Upgraded>,
    /// What keys open of it.
    inside: Option<Box<inside::Reader>>,
    /// The worker's, while octets are looked at; where there are keys.
    keyring: Option<Box<tls::Keyring>>,
    hashes: bool,
    maps: [PacketMap; 2],
    /// Octets delivered or known to be missing, for each direction.
    reached: [u64; 2],
    missing: u64,
    in_message: bool,
    /// No more octets will come: what waits for a decision gets one.
    ended: bool,
    anomalies: Vec<Anomaly>,
    anomalies_dropped: u64,
}

/// What takes the next octets.
#[derive(Debug)]
enum Stage {
    /// Nothing has decided yet; what came so far.
    Undecided(Vec<Piece>),
    /// The mail dialogue.
    Smtp,
    /// STARTTLS was agreed to; the next octets decide whether TLS follows.
    HandOver,
    /// The TLS conversation.
    Tls,
    /// SSH, whose octets are also passed on.
    Ssh(Box<ssh::Watch>),
    /// Nothing that is decoded here; TLS may begin in it.
    Other(Upgrade),
}

/// Octets that wait for a decision, with what their packet was; without octets it is a gap.
#[derive(Debug)]
struct Piece {
    span: Span,
    bytes: Vec<u8>,
    at: Moment,
}

/// The packet that brought something, and its time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) packet: u64,
    pub(super) time: Timestamp,
}

impl Moment {
    pub(super) fn seen(self, session: u64, now: u64, client: Direction, maps: &[PacketMap; 2]) -> At<'_> {
        At { session, packet: self.packet, now, time: self.time, client, opened: false, maps }
    }
}

impl State {
    /// For the connection whose first packet is `number`, between the originator's port and the
    /// responder's; `opened` is when its SYN was captured. `hashes`: messages are hashed.
    pub(super) fn new(number: u64, ports: [u16; 2], opened: Option<Timestamp>, hashes: bool) -> State {
        State {
            number,
            now: number,
            ports,
            opened,
            stage: Stage::Undecided(Vec::new()),
            client: None,
            smtp: None,
            contents: ContentsReader::new(hashes),
            tls: None,
            upgraded: None,
            inside: None,
            keyring: None,
            hashes,
            maps: [PacketMap::default(), PacketMap::default()],
            reached: [0; 2],
            missing: 0,
            in_message: false,
            ended: false,
            anomalies: Vec::new(),
            anomalies_dropped: 0,
        }
    }

    /// Takes the next thing that happened to one of the streams. The keyring is lent.
    pub(super) fn deliver<S: Sink>(
        &mut self,
        delivery: &flow::Delivery<'_>,
        now: u64,
        keyring: &mut Option<Box<tls::Keyring>>,
        sink: &mut S,
    ) {
        std::mem::swap(&mut self.keyring, keyring);
        self.take(delivery, now, sink);
        std::mem::swap(&mut self.keyring, keyring);
    }

    fn take<S: Sink>(&mut self, delivery: &flow::Delivery<'_>, now: u64, sink: &mut S) {
        self.now = now;
        let at = Moment { packet: delivery.packet, time: delivery.time };
        match delivery.event {
            StreamEvent::Data { span, bytes } => {
                let i = span.direction.index();
                self.maps[i].push(span.range(), at.packet, self.in_message);
                self.reached[i] = span.end;
                self.octets(span.direction, span.start, bytes, at, sink);
            }
            StreamEvent::Gap { span } => {
                self.reached[span.direction.index()] = span.end;
                self.missing += span.len();
                self.gap(span, at, sink);
            }
            StreamEvent::Fin { direction, .. } => self.finish(direction, at, sink),
            StreamEvent::Reset { .. } => {
                for direction in Direction::BOTH {
                    self.finish(direction, at, sink);
                }
            }
        }
    }

    /// What it speaks, as far as known.
    pub(super) fn speaks(&self) -> Speaks {
        self.stage.speaks()
    }

    /// The client's direction, where it is known.
    pub(super) fn client(&self) -> Option<Direction> {
        self.client
    }

    /// Whether octets of `direction` wait for more before they mean something.
    pub(super) fn pending(&self, direction: Direction) -> bool {
        let reached = self.reached[direction.index()];
        match &self.stage {
            Stage::Smtp | Stage::HandOver => {
                self.smtp.as_ref().is_some_and(|dialogue| dialogue.pending_from(direction) < reached)
            }
            Stage::Tls => self.tls.as_ref().is_some_and(|tls| tls.pending_from(direction) < reached),
            _ => false,
        }
    }

    /// The TLS version negotiated so far.
    pub(super) fn tls_version(&self) -> Option<tls::ProtocolVersion> {
        self.tls.as_ref().and_then(|tls| tls.summary().version)
    }

    /// Everything that was found, once the connection is over.
    pub(super) fn into_session(
        mut self,
        connection: flow::Connection,
        keyring: &mut Option<Box<tls::Keyring>>,
    ) -> Session {
        for noted in connection.anomalies().kept() {
            let span = Some(noted.span).filter(|span| !span.is_empty());
            let anomaly = Anomaly { kind: AnomalyKind::Flow(noted.anomaly), span, packet: noted.packet };
            note(&mut self.anomalies, &mut self.anomalies_dropped, anomaly);
        }
        self.anomalies_dropped += connection.anomalies().beyond();
        let tls = self.tls.map(|tls| {
            let (summary, trace) = tls.into_parts();
            Box::new(TlsSeen { summary, trace })
        });
        let smtp = self.smtp.map(|dialogue| dialogue.into_summary());
        let inside = self.inside.zip(keyring.as_deref_mut()).map(|(reader, keyring)| reader.into_inside(keyring));
        if let Some(tls) = &tls {
            if let Some(hello) = tls.summary.client_hello.as_ref().filter(|_| is_unanswered(&tls.summary, &connection))
            {
                let packet = self.maps[hello.span.direction.index()].packets(hello.span.range()).pop();
                let kind = AnomalyKind::Tls(tls::Anomaly::HelloUnanswered { length: hello.length });
                let anomaly = Anomaly { kind, span: Some(hello.span), packet: packet.unwrap_or(self.number) };
                note(&mut self.anomalies, &mut self.anomalies_dropped, anomaly);
            }
            let banner = smtp.as_ref().and_then(|smtp| smtp.greeting.as_ref()).map(|greeting| greeting.name());
            for (weakness, span) in tls.summary.weaknesses(connection.first_time, banner) {
                let packet = span.and_then(|span| self.maps[span.direction.index()].packets(span.range()).pop());
                let packet = packet.unwrap_or(self.number);
                let anomaly = Anomaly { kind: AnomalyKind::TlsWeak(weakness), span, packet };
                note(&mut self.anomalies, &mut self.anomalies_dropped, anomaly);
            }
        }
        let ladder = smtp.as_ref().and_then(|smtp| {
            let in_clear = AnomalyKind::Smtp(smtp::Anomaly::ClearAfterStartTls);
            let went_on = self.anomalies.iter().any(|anomaly| anomaly.kind.id() == in_clear.id());
            let over = self.missing == 0 && connection.is_closed();
            Ladder::of(smtp, tls.as_deref().map(|tls| &tls.summary), went_on, over)
        });
        let failure = ladder.as_ref().and_then(|ladder| ladder.failure);
        if let (Some(Failure::NotRequested), Some(smtp)) = (failure, &smtp)
            && verdict::says_more(smtp)
        {
            let span = smtp.starttls.offered;
            let packet = span.and_then(|span| self.maps[span.direction.index()].packets(span.range()).pop());
            let anomaly = Anomaly { kind: AnomalyKind::StartTlsNotUsed, span, packet: packet.unwrap_or(self.number) };
            note(&mut self.anomalies, &mut self.anomalies_dropped, anomaly);
        }
        let speaks = self.stage.speaks();
        let mut found = verdict::decide(&connection, (smtp.as_ref(), failure), tls.as_deref(), speaks, self.ports);
        if let Some(upgraded) = self.upgraded.filter(|_| smtp.is_none()) {
            found = verdict::upgraded(upgraded);
        }
        if let Some(kind) = found.anomaly {
            note(&mut self.anomalies, &mut self.anomalies_dropped, Anomaly { kind, span: None, packet: self.number });
        }
        Session {
            complete: self.missing == 0 && is_whole(&connection),
            client: self.client,
            protocol: found.protocol,
            verdict: found.verdict,
            verdict_text: found.text,
            ssh: match self.stage {
                Stage::Ssh(watch) => Some(Box::new(watch.into_summary())),
                _ => None,
            },
            upgraded: self.upgraded,
            smtp,
            contents: self.contents.into_contents(),
            ladder,
            tls,
            inside: inside.map(Box::new),
            missing: self.missing,
            anomalies: self.anomalies,
            anomalies_dropped: self.anomalies_dropped,
            around: super::Around::default(),
            maps: self.maps,
            connection,
        }
    }

    fn octets<S: Sink>(&mut self, direction: Direction, start: u64, bytes: &[u8], at: Moment, sink: &mut S) {
        match &mut self.stage {
            Stage::Undecided(pieces) => {
                let span = Span::new(direction, start, start + bytes.len() as u64);
                pieces.push(Piece { span, bytes: bytes.to_vec(), at });
                self.decide(sink);
            }
            Stage::Smtp => self.smtp_octets(direction, start, bytes, at, sink),
            Stage::HandOver => self.hand_over(direction, start, bytes, at, sink),
            Stage::Tls => self.tls_octets(direction, start, bytes, at, sink),
            Stage::Other(upgrade) => {
                if let Some(protocol) = upgrade.octets(direction, bytes) {
                    return self.upgrade(protocol, direction, start, bytes, at, sink);
                }
                let span = Span::new(direction, start, start + bytes.len() as u64);
                let client = self.client.unwrap_or(Direction::FromOriginator);
                sink.other(&at.seen(self.number, self.now, client, &self.maps), span, bytes);
            }
            Stage::Ssh(watch) => {
                let span = Span::new(direction, start, start + bytes.len() as u64);
                let client = self.client.unwrap_or(Direction::FromOriginator);
                let sender = if direction == client { ssh::Sender::Client } else { ssh::Sender::Server };
                watch.take(sender, span, at.time, bytes);
                sink.ssh(&at.seen(self.number, self.now, client, &self.maps), span, bytes);
            }
        }
    }

    /// Finds out what is spoken from the first octets of both directions, and hands them on.
    fn decide<S: Sink>(&mut self, sink: &mut S) {
        let Stage::Undecided(pieces) = &self.stage else { return };
        let last = self.ended;
        let head = |direction: Direction| {
            let mut head = Vec::new();
            for piece in pieces.iter().filter(|piece| piece.span.direction == direction) {
                head.extend_from_slice(&piece.bytes);
            }
            head
        };
        let heads = [head(Direction::FromOriginator), head(Direction::FromResponder)];
        let waiting: usize = heads.iter().map(Vec::len).sum();
        let finding = detect(&heads, self.ports, last || waiting >= MAX_UNDECIDED_OCTETS);
        let Some((stage, client)) = finding else { return };
        let Stage::Undecided(pieces) = std::mem::replace(&mut self.stage, stage) else { return };
        self.client = client;
        match (&self.stage, client) {
            (Stage::Smtp, Some(client)) => {
                let mut dialogue = smtp::Dialogue::new(client);
                if let Some(opened) = self.opened {
                    dialogue.opened_at(opened);
                }
                self.smtp = Some(Box::new(dialogue));
            }
            (Stage::Tls, Some(client)) => self.tls = Some(Box::new(tls::Conversation::new(client))),
            _ => {}
        }
        for piece in pieces {
            if piece.bytes.is_empty() {
                self.gap(piece.span, piece.at, sink);
            } else {
                self.octets(piece.span.direction, piece.span.start, &piece.bytes, piece.at, sink);
            }
        }
    }

    fn smtp_octets<S: Sink>(&mut self, direction: Direction, start: u64, bytes: &[u8], at: Moment, sink: &mut S) {
        let mut handed_over = false;
        let taken = self.with_smtp(at, sink, |dialogue, emit| {
            dialogue.data(direction, start, bytes, &mut |event| {
                handed_over |= matches!(event.kind, smtp::EventKind::StartTls);
                emit(event);
            })
        });
        if handed_over {
            self.stage = Stage::HandOver;
            if let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
                self.hand_over(direction, start + taken as u64, rest, at, sink);
            }
        }
    }

    /// After the 220 to STARTTLS: TLS records begin the conversation; anything else is clear text
    /// where none should be, and the dialogue goes on with it.
    fn hand_over<S: Sink>(&mut self, direction: Direction, start: u64, bytes: &[u8], at: Moment, sink: &mut S) {
        let client = self.client.unwrap_or(Direction::FromOriginator);
        if tls::probe(bytes) != tls::Probe::Not {
            self.stage = Stage::Tls;
            self.tls = Some(Box::new(tls::Conversation::new(client)));
            self.tls_octets(direction, start, bytes, at, sink);
            return;
        }
        if direction == client {
            self.stage = Stage::Smtp;
        }
        self.with_smtp(at, sink, |dialogue, emit| dialogue.data(direction, start, bytes, emit));
    }

    /// TLS begins inside a protocol that is not decoded here; `client` sends its first octets.
    fn upgrade<S: Sink>(
        &mut self,
        protocol: Upgraded,
        client: Direction,
        start: u64,
        bytes: &[u8],
        at: Moment,
        sink: &mut S,
    ) {
        self.stage = Stage::Tls;
        self.client = Some(client);
        self.upgraded = Some(protocol);
        self.tls = Some(Box::new(tls::Conversation::new(client)));
        sink.upgraded(&at.seen(self.number, self.now, client, &self.maps), protocol);
        self.tls_octets(client, start, bytes, at, sink);
    }

    fn tls_octets<S: Sink>(&mut self, direction: Direction, start: u64, bytes: &[u8], at: Moment, sink: &mut S) {
        self.open_with_keys();
        if let Some(inside) = &mut self.inside {
            inside.came(Span::new(direction, start, start + bytes.len() as u64), at.packet);
        }
        self.with_tls(at, sink, |tls, emit| tls.data(direction, start, bytes, emit));
    }

    /// Begins to read what is inside, once there are keys.
    fn open_with_keys(&mut self) {
        if self.inside.is_none()
            && self.keyring.is_some()
            && let Some(tls) = &mut self.tls
        {
            tls.tell_octets();
            let reader = inside::Reader::new(tls.summary(), self.ports, self.smtp.is_some(), self.hashes);
            self.inside = Some(Box::new(reader));
        }
    }

    fn gap<S: Sink>(&mut self, span: Span, at: Moment, sink: &mut S) {
        let client = self.client.unwrap_or(Direction::FromOriginator);
        if let Stage::Undecided(pieces) = &mut self.stage {
            pieces.push(Piece { span, bytes: Vec::new(), at });
            return;
        }
        sink.gap(&at.seen(self.number, self.now, client, &self.maps), span);
        match &mut self.stage {
            Stage::Ssh(watch) => watch.gap(),
            Stage::Smtp => self.with_smtp(at, sink, |dialogue, emit| dialogue.gap(span, emit)),
            Stage::HandOver if span.direction == client => {
                self.stage = Stage::Tls;
                self.tls = Some(Box::new(tls::Conversation::new(client)));
                self.with_tls(at, sink, |tls, emit| tls.gap(span, emit));
            }
            Stage::Tls => self.with_tls(at, sink, |tls, emit| tls.gap(span, emit)),
            _ => {}
        }
    }

    fn finish<S: Sink>(&mut self, direction: Direction, at: Moment, sink: &mut S) {
        match self.stage {
            Stage::Smtp | Stage::HandOver => {
                self.with_smtp(at, sink, |dialogue, emit| dialogue.finish(direction, emit));
            }
            Stage::Tls => {
                self.with_tls(at, sink, |tls, emit| tls.finish(direction, emit));
                if let Some(inside) = &mut self.inside {
                    inside.finish(direction, (Whose { session: self.number, now: self.now }, at), sink);
                }
            }
            _ => {}
        }
    }

    /// The capture is over: what waits is decided with what is there, and both decoders end.
    pub(super) fn end<S: Sink>(
        &mut self,
        packet: u64,
        time: Timestamp,
        keyring: &mut Option<Box<tls::Keyring>>,
        sink: &mut S,
    ) {
        let at = Moment { packet, time };
        self.ended = true;
        std::mem::swap(&mut self.keyring, keyring);
        self.decide(sink);
        for direction in Direction::BOTH {
            self.finish(direction, at, sink);
        }
        if let Some(inside) = &mut self.inside {
            inside.end((Whose { session: self.number, now: self.now }, at), sink);
        }
        std::mem::swap(&mut self.keyring, keyring);
    }

    fn with_smtp<S: Sink, T: Default>(
        &mut self,
        at: Moment,
        sink: &mut S,
        run: impl FnOnce(&mut smtp::Dialogue, &mut dyn FnMut(smtp::Event<'_>)) -> T,
    ) -> T {
        let Some(dialogue) = &mut self.smtp else { return T::default() };
        let client = self.client.unwrap_or(Direction::FromOriginator);
        let time = at.time;
        let (packet, at) = (at.packet, at.seen(self.number, self.now, client, &self.maps));
        let (anomalies, dropped, in_message) = (&mut self.anomalies, &mut self.anomalies_dropped, &mut self.in_message);
        let contents = &mut self.contents;
        dialogue.set_time(time);
        run(dialogue, &mut |event| {
            match &event.kind {
                smtp::EventKind::MessageStart { .. } => *in_message = true,
                smtp::EventKind::MessageEnd(_) => *in_message = false,
                smtp::EventKind::Anomaly(anomaly) => {
                    let kind = AnomalyKind::Smtp(*anomaly);
                    note(anomalies, dropped, Anomaly { kind, span: Some(event.span), packet });
                }
                _ => {}
            }
            contents.event(client, &event, &mut |anomaly| {
                note(anomalies, dropped, Anomaly { kind: AnomalyKind::Imf(anomaly), span: Some(event.span), packet });
            });
            sink.smtp(&at, &event);
        })
    }

    fn with_tls<S: Sink>(
        &mut self,
        at: Moment,
        sink: &mut S,
        run: impl FnOnce(&mut tls::Conversation, &mut dyn FnMut(tls::Event<'_>)),
    ) {
        let Some(tls) = &mut self.tls else { return };
        let client = self.client.unwrap_or(Direction::FromOriginator);
        let (moment, whose) = (at, Whose { session: self.number, now: self.now });
        let (packet, mut at) = (at.packet, at.seen(self.number, self.now, client, &self.maps));
        let (anomalies, dropped) = (&mut self.anomalies, &mut self.anomalies_dropped);
        let mut opening = self.inside.as_deref_mut().zip(self.keyring.as_deref_mut());
        tls.set_time(moment.time);
        run(tls, &mut |event| {
            if let Some((inside, keyring)) = &mut opening {
                let outcome = inside.opener.event(keyring, &event);
                match &event.kind {
                    tls::EventKind::SealedOctets(_) | tls::EventKind::HandshakeOctets(_) => return,
                    tls::EventKind::Record(record) => {
                        // What is said inside decides whether it is mail, so it is read first.
                        inside.record(keyring, event.span, record, &outcome, (whose, moment), sink);
                        at.opened = inside.reads(&outcome);
                        sink.tls(&at, &event);
                        at.opened = false;
                        if let tls::Outcome::Opened(opened) = &outcome {
                            sink.opened(&at, event.span, opened, inside.opener.opening());
                        }
                        return;
                    }
                    _ => {}
                }
            }
            if let tls::EventKind::Anomaly(anomaly) = &event.kind {
                let kind = AnomalyKind::Tls(*anomaly);
                note(anomalies, dropped, Anomaly { kind, span: Some(event.span), packet });
            }
            sink.tls(&at, &event);
        });
        if self.smtp.is_none() {
            self.client = Some(tls.summary().client);
        }
    }
}

impl Stage {
    fn speaks(&self) -> Speaks {
        match self {
            Stage::Undecided(_) => Speaks::Undecided,
            Stage::Smtp | Stage::HandOver => Speaks::Smtp,
            Stage::Tls => Speaks::Tls,
            Stage::Ssh(_) => Speaks::Ssh,
            Stage::Other(_) => Speaks::Other,
        }
    }
}

/// What the first octets of the originator and of the responder are, and who is the client.
/// `None`: more is needed. `last` says that no more will be waited for.
fn detect(heads: &[Vec<u8>; 2], ports: [u16; 2], last: bool) -> Option<(Stage, Option<Direction>)> {
    let side = |side| match side {
        smtp::Side::First => Some(Direction::FromOriginator),
        smtp::Side::Second => Some(Direction::FromResponder),
    };
    if heads.iter().any(|head| is_ftp(head)) {
        return Some((Stage::Other(Upgrade::default()), None));
    }
    let mut waiting = false;
    for head in heads.iter().filter(|head| !head.is_empty()) {
        if head.starts_with(b"SSH-") {
            return Some((Stage::Ssh(Box::default()), Some(Direction::FromOriginator)));
        }
        match tls::probe(head) {
            // A conversation finds out by itself who has sent the ClientHello.
            tls::Probe::Certain => return Some((Stage::Tls, Some(Direction::FromOriginator))),
            tls::Probe::Likely => return Some((Stage::Tls, Some(client_by_port(ports)))),
            tls::Probe::NeedMore => waiting = true,
            tls::Probe::Not => {}
        }
    }
    match smtp::probe(&heads[0], &heads[1]) {
        smtp::Probe::Certain { client } => Some((Stage::Smtp, side(client))),
        smtp::Probe::Likely { client } if last || has_clear_mail_port(ports) => Some((Stage::Smtp, side(client))),
        // Where mail is expected, what the server says decides, though the client sends anything.
        smtp::Probe::Not if !last && has_clear_mail_port(ports) && heads.iter().any(Vec::is_empty) => None,
        smtp::Probe::Not if !waiting => Some((Stage::Other(Upgrade::default()), None)),
        _ if last => Some((Stage::Other(Upgrade::default()), None)),
        _ => None,
    }
}

/// AUTH is a command of SMTP and of FTP; TLS and SSL are no SASL mechanisms (RFC 4217 §4).
fn is_ftp(head: &[u8]) -> bool {
    let is = |word: &[u8]| head.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    is(b"AUTH TLS") || is(b"AUTH SSL")
}

/// Where a greeting that other protocols have too is taken for that of a mail server.
fn has_clear_mail_port(ports: [u16; 2]) -> bool {
    ports.iter().any(|port| matches!(port, 25 | 587 | 465 | 2525))
}

/// Whether nothing came back after the ClientHello, though the server's side is in the capture.
fn is_unanswered(summary: &tls::Summary, connection: &flow::Connection) -> bool {
    let server = summary.client.reversed();
    summary.server_hello.is_none()
        && summary.records[server.index()] == 0
        && !summary.gaps
        && connection.counters(server).packets > 0
}

/// Whether the capture holds the connection from its handshake to its end.
fn is_whole(connection: &flow::Connection) -> bool {
    connection.handshake.syn && connection.handshake.syn_ack && connection.is_closed()
}

/// The side with the higher port, where nothing better is known: servers listen on low ports.
fn client_by_port([originator, responder]: [u16; 2]) -> Direction {
    if responder <= originator { Direction::FromOriginator } else { Direction::FromResponder }
}

/// Keeps an anomaly, or counts it where there are too many. The first of each kind is always kept:
/// no flood of slight ones hides a grave one.
pub(super) fn note(anomalies: &mut Vec<Anomaly>, dropped: &mut u64, anomaly: Anomaly) {
    let id = anomaly.kind.id();
    if anomalies.len() < MAX_SESSION_ANOMALIES || !anomalies.iter().any(|kept| kept.kind.id() == id) {
        anomalies.push(anomaly);
    } else {
        *dropped += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speaks(originator: &[u8], responder: &[u8], ports: [u16; 2], last: bool) -> Option<(Speaks, Option<Direction>)> {
        let found = detect(&[originator.to_vec(), responder.to_vec()], ports, last);
        found.map(|(stage, client)| (stage.speaks(), client))
    }

    const HIGH: [u16; 2] = [40_000, 2526];

    #[test]
    fn a_flood_of_slight_anomalies_hides_no_other_kind() {
        let (mut kept, mut dropped) = (Vec::new(), 0);
        let anomaly = |kind| Anomaly { kind: AnomalyKind::Smtp(kind), span: None, packet: 1 };
        for _ in 0..MAX_SESSION_ANOMALIES + 5 {
            note(&mut kept, &mut dropped, anomaly(smtp::Anomaly::BareLf));
        }
        note(&mut kept, &mut dropped, anomaly(smtp::Anomaly::Smuggling));
        assert_eq!((kept.len(), dropped), (MAX_SESSION_ANOMALIES + 1, 5));
        assert_eq!(kept.last().map(|a| a.kind.id()), Some("smuggling"));
    }

    #[test]
    fn mail_is_found_by_content_on_any_port() {
        let client = Some((Speaks::Smtp, Some(Direction::FromOriginator)));
        assert_eq!(speaks(b"", b"220 mail.example.org ESMTP\r\n", HIGH, false), client);
        assert_eq!(speaks(b"EHLO client.example.org\r\n", b"", HIGH, false), client);
        let reversed = Some((Speaks::Smtp, Some(Direction::FromResponder)));
        assert_eq!(speaks(b"220 mail.example.org ESMTP\r\n", b"EHLO a.example.org\r\n", HIGH, false), reversed);
    }

    #[test]
    fn a_greeting_that_other_protocols_share_waits_for_more_unless_the_port_is_one_of_mail() {
        assert_eq!(speaks(b"", b"220 ready\r\n", [40_000, 2121], false), None);
        assert!(matches!(speaks(b"", b"220 ready\r\n", [40_000, 25], false), Some((Speaks::Smtp, _))));
        assert!(matches!(speaks(b"USER bob\r\n", b"220 ready\r\n", [40_000, 2121], false), Some((Speaks::Other, _))));
    }

    #[test]
    fn on_a_mail_port_the_server_is_heard_before_a_client_is_given_up() {
        let noise = b"\0\x01\xe4Y\r\n";
        assert_eq!(speaks(noise, b"", [40_000, 25], false), None);
        assert!(matches!(speaks(noise, b"220 mx ESMTP\r\n", [40_000, 25], false), Some((Speaks::Smtp, _))));
        assert!(matches!(speaks(noise, b"what\r\n", [40_000, 25], false), Some((Speaks::Other, None))));
        assert!(matches!(speaks(noise, b"", [40_000, 25], true), Some((Speaks::Other, None))));
        assert!(matches!(speaks(noise, b"", HIGH, false), Some((Speaks::Other, None))));
    }

    #[test]
    fn tls_and_ssh_are_found_by_their_first_octets() {
        let hello = [22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
        assert!(matches!(speaks(&hello, b"", HIGH, false), Some((Speaks::Tls, _))));
        assert_eq!(speaks(&hello[..4], b"", HIGH, false), None, "four octets decide nothing");
        assert!(matches!(speaks(b"", b"SSH-2.0-x\r\n", HIGH, false), Some((Speaks::Ssh, _))));
        let middle = [23, 3, 3, 0, 5, 1, 2, 3, 4, 5];
        let found = speaks(&middle, b"", [465, 40_000], false);
        assert_eq!(found, Some((Speaks::Tls, Some(Direction::FromResponder))), "servers have the lower port");
    }

    #[test]
    fn ftp_that_asks_for_tls_is_no_mail() {
        let found = speaks(b"AUTH TLS\r\n", b"220 ready\r\n", [40_000, 21], false);
        assert!(matches!(found, Some((Speaks::Other, None))));
        assert!(matches!(speaks(b"AUTH PLAIN\r\n", b"220 ready\r\n", [40_000, 25], false), Some((Speaks::Smtp, _))));
    }

    #[test]
    fn what_nothing_fits_is_given_up_once_no_more_will_come() {
        assert_eq!(speaks(b"abc", b"", HIGH, false), None);
        assert!(matches!(speaks(b"abc", b"", HIGH, true), Some((Speaks::Other, None))));
        assert!(matches!(speaks(b"GET / HTTP/1.1\r\n", b"", HIGH, false), Some((Speaks::Other, None))));
    }
}
