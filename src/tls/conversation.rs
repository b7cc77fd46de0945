//! Both directions of a TLS connection, from octets to events.

use crate::stream::{Direction, Span};
use crate::time::Timestamp;

use super::anomaly::Anomaly;
use super::event::{Event, EventKind, Record};
use super::handshake::Messages;
use super::hello::ClientHello;
use super::length::{Padding, PlaintextLength, Protection};
use super::phase::{Agreed, Tls13};
use super::probe::{Probe, ssl2_hello};
use super::record::{Header, MAX_LENGTH, Resync};
use super::registry::{Alert, AlertDescription, AlertLevel, ContentType, HandshakeType, ProtocolVersion};
use super::summary::Summary;
use super::trace::{Phase, RecordTrace, TraceRecord};

/// Decodes both directions of one TLS connection.
///
/// Feed it each direction's octets in stream order, the directions interleaved as captured: what
/// one side's records are depends on what the other side has said. [`Conversation::set_time`]
/// before each piece tells the moment that [`TraceRecord::time`] shall have.
#[derive(Debug)]
pub struct Conversation {
    pub(super) summary: Summary,
    pub(super) protection: Option<Protection>,
    pub(super) sides: [Side; 2],
    trace: RecordTrace,
    tls13: Tls13,
    time: Timestamp,
    /// Whether octets are told as they are, for somebody with keys.
    pub(super) tells_octets: bool,
}

/// One direction.
#[derive(Debug)]
pub(super) struct Side {
    /// The next octet.
    position: u64,
    reading: Reading,
    pub(super) messages: Messages,
    /// Whether this side has sent a ChangeCipherSpec.
    changed_cipher: bool,
    /// Whether octets before the next record are missing.
    after_gap: bool,
    /// Whether any octets of this direction are missing.
    pub(super) gaps: bool,
    nonces: Nonces,
}

#[derive(Debug)]
enum Reading {
    /// A header, of which some octets are there.
    Header {
        octets: [u8; Header::LEN],
        have: u8,
    },
    Body(Body),
    Lost(Box<Resync>),
}

#[derive(Clone, Copy, Debug)]
struct Body {
    header: Header,
    /// The first octet of the header.
    start: u64,
    remaining: u16,
    contents: Contents,
    /// The first octets, as many as `contents` asks for.
    first: [u8; FIRST],
    have: u8,
    /// Whether octets of it are missing.
    broken: bool,
}

/// What is done with the octets of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contents {
    /// They are counted.
    Sealed,
    /// They are counted, but for the nonce at their beginning.
    SealedWithNonce,
    /// They are clear and counted.
    Clear,
    Handshake,
    Alert,
    ChangeCipherSpec,
    Heartbeat,
    Ssl2Hello,
}

const FIRST: usize = 8;

/// The nonces that TLS 1.2 sends with GCM and CCM. Most stacks count them up by one; where one
/// does, a jump tells how many records are not in the capture, over missing octets too.
#[derive(Clone, Copy, Debug, Default)]
struct Nonces {
    last: Option<u64>,
    steps: u32,
    /// Records since the last nonce whose own nonce could not be read.
    unread: u64,
}

type Emit<'e> = dyn FnMut(Event<'_>) + 'e;

impl Conversation {
    /// A conversation in which `client` is believed to be the client; a ClientHello corrects it.
    #[must_use]
    pub fn new(client: Direction) -> Conversation {
        Conversation {
            summary: Summary::new(client),
            protection: None,
            sides: [Side::new(), Side::new()],
            trace: RecordTrace::default(),
            tls13: Tls13::default(),
            time: Timestamp::default(),
            tells_octets: false,
        }
    }

    /// From now on the octets of sealed records and of handshake messages are told as they are
    /// ([`EventKind::SealedOctets`], [`EventKind::HandshakeOctets`]): what an [`Opener`](super::Opener) needs.
    pub fn tell_octets(&mut self) {
        self.tells_octets = true;
    }

    /// The moment of the octets that come next.
    pub fn set_time(&mut self, time: Timestamp) {
        self.time = time;
    }

    /// What the caller found out about padding from lengths that it knows otherwise.
    pub fn set_padding(&mut self, padding: Padding) {
        self.trace.set_padding(padding);
    }

    /// Takes octets `start..start + bytes.len()` of one direction. Octets that were taken before
    /// are left out; a jump ahead is a gap.
    pub fn data(&mut self, direction: Direction, start: u64, bytes: &[u8], emit: &mut Emit<'_>) {
        let side = &mut self.sides[direction.index()];
        if !side.is_begun() {
            side.position = start;
        }
        let position = side.position;
        if start > position {
            self.gap(Span::new(direction, position, start), emit);
        }
        let seen = usize::try_from(position.saturating_sub(start)).unwrap_or(usize::MAX);
        let mut rest = bytes.get(seen..).unwrap_or_default();
        while !rest.is_empty() {
            let taken = match &mut self.sides[direction.index()].reading {
                Reading::Header { .. } => self.header_octets(direction, rest, emit),
                Reading::Body(_) => self.body_octets(direction, rest, emit),
                Reading::Lost(_) => self.search(direction, rest, emit),
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
    }

    /// Octets that are missing for good.
    pub fn gap(&mut self, span: Span, emit: &mut Emit<'_>) {
        let direction = span.direction;
        let side = &mut self.sides[direction.index()];
        if !side.is_begun() {
            side.position = span.start;
        }
        let missing = span.end.saturating_sub(side.position);
        if missing == 0 {
            return;
        }
        self.summary.gaps = true;
        let side = &mut self.sides[direction.index()];
        let position = side.position;
        side.gaps = true;
        side.after_gap = true;
        side.position = span.end;
        let interrupted = side.messages.interrupt();
        match &mut side.reading {
            Reading::Body(body) => {
                body.broken = true;
                if body.contents == Contents::SealedWithNonce && usize::from(body.have) < FIRST {
                    body.contents = Contents::Sealed;
                }
                let within = u64::from(body.remaining) >= missing;
                let record_end = position + u64::from(body.remaining);
                body.remaining = body.remaining.saturating_sub(u16::try_from(missing).unwrap_or(u16::MAX));
                let (body, ends) = (*body, body.remaining == 0);
                if ends {
                    self.record_passed(direction, body, emit);
                }
                if !within {
                    self.lose(direction, record_end.min(span.end), false, emit);
                }
            }
            Reading::Header { .. } => {
                self.lose(direction, position, false, emit);
            }
            Reading::Lost(resync) => resync.gap(span.end),
        }
        if interrupted {
            self.anomaly(span, Anomaly::HandshakeIncomplete, emit);
        }
        self.tls13.gap();
    }

    /// One direction has ended: FIN, RST, or the end of the capture.
    pub fn finish(&mut self, direction: Direction, emit: &mut Emit<'_>) {
        let side = &mut self.sides[direction.index()];
        let position = side.position;
        let reading = std::mem::replace(&mut side.reading, Reading::Header { octets: [0; Header::LEN], have: 0 });
        let interrupted = side.messages.interrupt();
        match reading {
            Reading::Header { have: 0, .. } => {}
            Reading::Header { have, .. } => {
                let span = Span::new(direction, position - u64::from(have), position);
                self.anomaly(span, Anomaly::RecordCut { missing: Header::LEN as u32 - u32::from(have) }, emit);
            }
            Reading::Body(body) => {
                let span = Span::new(direction, body.start, position);
                self.anomaly(span, Anomaly::RecordCut { missing: u32::from(body.remaining) }, emit);
            }
            Reading::Lost(mut resync) => {
                if let Some(chain) = resync.finish(position) {
                    self.found(direction, resync.since, &chain.headers, position, emit);
                }
            }
        }
        if interrupted {
            self.anomaly(Span::new(direction, position, position), Anomaly::HandshakeIncomplete, emit);
        }
    }

    /// The earliest octet of a direction that a later event's span may begin with.
    #[must_use]
    pub fn pending_from(&self, direction: Direction) -> u64 {
        let side = &self.sides[direction.index()];
        let record = match &side.reading {
            Reading::Header { have, .. } => side.position - u64::from(*have),
            Reading::Body(body) => body.start,
            Reading::Lost(resync) => resync.pending_from(side.position),
        };
        side.messages.pending_from().map_or(record, |message| message.min(record))
    }

    /// What is known so far.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The records so far.
    #[must_use]
    pub fn trace(&self) -> &RecordTrace {
        &self.trace
    }

    /// What is known and the records, when the conversation is over.
    #[must_use]
    pub fn into_parts(self) -> (Summary, RecordTrace) {
        (self.summary, self.trace)
    }

    /// How the records are protected, once suite and version are known.
    #[must_use]
    pub fn protection(&self) -> Option<Protection> {
        self.protection.filter(|_| !self.summary.compressed)
    }

    fn header_octets(&mut self, direction: Direction, bytes: &[u8], emit: &mut Emit<'_>) -> usize {
        let side = &mut self.sides[direction.index()];
        let Reading::Header { octets, have } = &mut side.reading else { return 0 };
        let already = usize::from(*have).min(Header::LEN);
        let taken = (Header::LEN - already).min(bytes.len());
        octets[already..already + taken].copy_from_slice(&bytes[..taken]);
        let (octets, have) = (*octets, already + taken);
        let start = side.position - already as u64;
        if have < Header::LEN {
            // What can never become a header is told now: the peer may wait for an answer to it.
            let mut filled = [22, 3, 1, 0, 1];
            filled[..have].copy_from_slice(&octets[..have]);
            let possible = Header::read(filled).is_some() || (self.is_first(direction) && octets[0] & 0x80 != 0);
            if possible {
                let side = &mut self.sides[direction.index()];
                side.reading = Reading::Header { octets, have: have as u8 };
                side.position += taken as u64;
                return taken;
            }
        } else if let Some(header) = Header::read(octets) {
            self.begin(direction, start, header, emit);
            self.sides[direction.index()].position += taken as u64;
            self.end_if_passed(direction, emit);
            return taken;
        } else if self.begin_ssl2(direction, start, octets) {
            self.sides[direction.index()].position += taken as u64;
            return taken;
        }
        self.lose(direction, start, true, emit);
        // The octets of the header that came earlier were not told yet.
        let side = &mut self.sides[direction.index()];
        if already > 0
            && let Reading::Lost(resync) = &mut side.reading
        {
            let _ = resync.search(start, &octets[..already]);
            let span = Span::new(direction, start, start + already as u64);
            emit(Event { span, kind: EventKind::NotTls(&octets[..already]) });
        }
        0
    }

    fn begin(&mut self, direction: Direction, start: u64, header: Header, emit: &mut Emit<'_>) {
        let span = Span::new(direction, start, start + Header::LEN as u64);
        if header.length > MAX_LENGTH {
            self.anomaly(span, Anomaly::RecordTooLong(header.length), emit);
        }
        if header.version > ProtocolVersion::TLS13 {
            self.anomaly(span, Anomaly::RecordVersion(header.version), emit);
        }
        let contents = self.contents(direction, header);
        let side = &mut self.sides[direction.index()];
        if contents == Contents::Handshake {
            side.messages.begin_record(start + Header::LEN as u64);
        } else if matches!(contents, Contents::Alert | Contents::Heartbeat | Contents::Clear)
            && side.messages.interrupt()
        {
            self.anomaly(span, Anomaly::HandshakeInterleaved, emit);
        }
        self.sides[direction.index()].reading = Reading::Body(Body {
            header,
            start,
            remaining: header.length,
            contents,
            first: [0; FIRST],
            have: 0,
            broken: false,
        });
    }

    /// Takes the first message of a client for a hello in the format of SSL 2.0, if it is one.
    fn begin_ssl2(&mut self, direction: Direction, start: u64, octets: [u8; Header::LEN]) -> bool {
        let length = u16::from_be_bytes([octets[0] & 0x7f, octets[1]]);
        if !self.is_first(direction) || octets[0] & 0x80 == 0 || ssl2_hello(&octets) == Probe::Not || length < 9 {
            return false;
        }
        let version = ProtocolVersion(u16::from_be_bytes([octets[3], octets[4]]));
        let side = &mut self.sides[direction.index()];
        side.messages.begin_record(start + 2);
        side.messages.push(&octets[2..]);
        side.reading = Reading::Body(Body {
            header: Header { content_type: ContentType::HANDSHAKE, version, length },
            start,
            remaining: length - 3,
            contents: Contents::Ssl2Hello,
            first: [0; FIRST],
            have: 0,
            broken: false,
        });
        true
    }

    fn is_first(&self, direction: Direction) -> bool {
        self.summary.records[direction.index()] == 0 && !self.sides[direction.index()].gaps
    }

    /// Whether this direction's records are sealed since its ChangeCipherSpec, which in TLS 1.3
    /// (and before the server has chosen a version) means nothing.
    fn is_changed(&self, direction: Direction) -> bool {
        let side = &self.sides[direction.index()];
        side.changed_cipher
            && match self.summary.version {
                Some(version) => !version.is_tls13(),
                None => {
                    let waits = self.summary.client_hello.is_some() && direction == self.summary.client;
                    !waits || self.sides[direction.reversed().index()].gaps
                }
            }
    }

    fn contents(&self, direction: Direction, header: Header) -> Contents {
        let changed = self.is_changed(direction);
        if changed {
            return match self.protection {
                Some(protection) if protection.is_clear() => Contents::Clear,
                Some(protection) if protection.has_explicit_nonce() => Contents::SealedWithNonce,
                _ => Contents::Sealed,
            };
        }
        let in_middle = self.summary.client_hello.is_none() && self.summary.server_hello.is_none();
        match header.content_type {
            ContentType::HANDSHAKE => Contents::Handshake,
            ContentType::ALERT if header.length != 2 && in_middle => Contents::Sealed,
            ContentType::ALERT => Contents::Alert,
            ContentType::CHANGE_CIPHER_SPEC => Contents::ChangeCipherSpec,
            ContentType::HEARTBEAT if in_middle => Contents::Sealed,
            ContentType::HEARTBEAT => Contents::Heartbeat,
            _ if self.is_too_early(direction) => Contents::Clear,
            _ => Contents::Sealed,
        }
    }

    /// Whether application data of this direction comes before there can be a key for it.
    fn is_too_early(&self, direction: Direction) -> bool {
        if self.summary.gaps || self.summary.is_tls13() {
            return false;
        }
        let offers_early_data = self
            .summary
            .client_hello
            .as_ref()
            .and_then(|hello| hello.extensions.as_ref())
            .is_some_and(|e| e.early_data);
        let has_hello = match direction == self.summary.client {
            true => self.summary.client_hello.is_some(),
            false => self.summary.server_hello.is_some(),
        };
        has_hello && !offers_early_data
    }

    fn body_octets(&mut self, direction: Direction, bytes: &[u8], emit: &mut Emit<'_>) -> usize {
        let side = &mut self.sides[direction.index()];
        let Reading::Body(body) = &mut side.reading else { return 0 };
        let taken = usize::from(body.remaining).min(bytes.len());
        let octets = &bytes[..taken];
        match body.contents {
            Contents::Sealed | Contents::Clear => {}
            Contents::Handshake | Contents::Ssl2Hello if body.broken => {}
            Contents::Handshake | Contents::Ssl2Hello => side.messages.push(octets),
            _ => {
                let have = usize::from(body.have).min(FIRST);
                let wanted = (FIRST - have).min(taken);
                body.first[have..have + wanted].copy_from_slice(&octets[..wanted]);
                body.have += wanted as u8;
            }
        }
        let sealed = matches!(body.contents, Contents::Sealed | Contents::SealedWithNonce);
        body.remaining -= taken as u16;
        side.position += taken as u64;
        if sealed && self.tells_octets && taken > 0 {
            let end = side.position;
            let span = Span::new(direction, end - taken as u64, end);
            emit(Event { span, kind: EventKind::SealedOctets(octets) });
        }
        self.end_if_passed(direction, emit);
        taken
    }

    fn end_if_passed(&mut self, direction: Direction, emit: &mut Emit<'_>) {
        if let Reading::Body(body) = &self.sides[direction.index()].reading
            && body.remaining == 0
        {
            let body = *body;
            self.record_passed(direction, body, emit);
        }
    }

    /// A record is over: it is told, then what was in it.
    fn record_passed(&mut self, direction: Direction, mut body: Body, emit: &mut Emit<'_>) {
        let side = &mut self.sides[direction.index()];
        side.reading = Reading::Header { octets: [0; Header::LEN], have: 0 };
        let header = body.header;
        let body_start = body.start + Header::LEN as u64;
        let span = Span::new(direction, body.start, body_start + u64::from(header.length));
        if body.contents == Contents::Ssl2Hello {
            return self.ssl2_hello(direction, body, emit);
        }
        if body.contents == Contents::Handshake
            && self.summary.client_hello.is_none()
            && self.summary.server_hello.is_none()
            && !self.sides[direction.index()].messages.is_plausible()
        {
            self.sides[direction.index()].messages.drop_record();
            body.contents = Contents::Sealed;
        }
        let sealed = matches!(body.contents, Contents::Sealed | Contents::SealedWithNonce);
        let plaintext = if sealed || self.is_changed(direction) {
            self.protection().and_then(|protection| protection.plaintext(header.length))
        } else {
            Some(PlaintextLength::exactly(header.length))
        };
        let phase = self.phase(direction, header, sealed, plaintext);
        let tail = if sealed { self.tls13.tail(direction == self.summary.client) } else { 0 };
        if tail != self.trace.tail(direction) && tail != 0 {
            self.trace.take_off(direction, tail);
        }
        let plaintext = plaintext.map(|length| length.without(tail));
        let record = Record {
            content_type: header.content_type,
            version: header.version,
            length: header.length,
            sealed,
            phase,
            plaintext,
        };
        let side = &mut self.sides[direction.index()];
        let after_gap = std::mem::replace(&mut side.after_gap, false) || body.broken;
        self.trace.push(TraceRecord {
            time: self.time,
            start: body.start,
            direction,
            content_type: header.content_type,
            length: header.length,
            phase,
            sealed,
            after_gap,
            plaintext,
        });
        self.summary.records[direction.index()] += 1;
        self.summary.closing_alert[direction.index()] =
            matches!(phase, Phase::AlertOrTwoOctets) || (sealed && header.content_type == ContentType::ALERT);
        emit(Event { span, kind: EventKind::Record(record) });

        if sealed && plaintext.is_none() && self.protection().is_some() {
            self.anomaly(span, Anomaly::ImpossibleLength(header.length), emit);
        }
        if header.length == 0 && !sealed && header.content_type != ContentType::APPLICATION_DATA {
            self.anomaly(span, Anomaly::EmptyRecord(header.content_type), emit);
        }
        if body.broken {
            self.anomaly(span, Anomaly::RecordIncomplete, emit);
        }
        let first = &body.first[..usize::from(body.have).min(FIRST)];
        match body.contents {
            Contents::SealedWithNonce => {
                if let Ok(nonce) = first.try_into()
                    && let Some(missing) = self.sides[direction.index()].nonces.next(u64::from_be_bytes(nonce))
                {
                    self.anomaly(span, Anomaly::RecordsMissing(missing), emit);
                }
            }
            Contents::Sealed | Contents::Ssl2Hello => {
                let nonces = &mut self.sides[direction.index()].nonces;
                nonces.unread = nonces.unread.saturating_add(1);
            }
            _ if body.broken => {}
            Contents::Clear => {
                if header.content_type == ContentType::APPLICATION_DATA && !self.is_changed(direction) {
                    self.anomaly(span, Anomaly::ApplicationDataInClear, emit);
                }
            }
            Contents::Handshake => self.handshake_messages(direction, emit),
            Contents::Alert => self.alert(span, header, first, emit),
            Contents::ChangeCipherSpec => self.change_cipher_spec(span, header, first, emit),
            Contents::Heartbeat => {
                if let [1, high, low, ..] = first {
                    let claimed = u16::from_be_bytes([*high, *low]);
                    if u32::from(claimed) + 3 > u32::from(header.length) {
                        self.anomaly(span, Anomaly::HeartbeatOverread { claimed, length: header.length }, emit);
                    }
                }
            }
        }
    }

    fn ssl2_hello(&mut self, direction: Direction, body: Body, emit: &mut Emit<'_>) {
        let span = Span::new(direction, body.start, body.start + 2 + u64::from(body.header.length));
        self.summary.records[direction.index()] += 1;
        self.anomaly(span, Anomaly::Ssl2Hello, emit);
        let message = self.sides[direction.index()].messages.take_all();
        match ClientHello::read_ssl2(&message, span).filter(|_| !body.broken) {
            Some(hello) => self.client_hello(direction, hello, emit),
            None => self.anomaly(span, Anomaly::HandshakeMalformed(HandshakeType::CLIENT_HELLO), emit),
        }
    }

    fn alert(&mut self, span: Span, header: Header, first: &[u8], emit: &mut Emit<'_>) {
        match *first {
            [level, description] if header.length == 2 => {
                let alert = Alert { level: AlertLevel(level), description: AlertDescription(description) };
                if self.summary.alerts.len() < crate::limits::TLS_ANOMALIES {
                    self.summary.alerts.push((span, alert));
                }
                emit(Event { span, kind: EventKind::Alert(alert) });
            }
            _ => self.anomaly(span, Anomaly::AlertMalformed, emit),
        }
    }

    fn change_cipher_spec(&mut self, span: Span, header: Header, first: &[u8], emit: &mut Emit<'_>) {
        if header.length != 1 || first != [1] {
            self.anomaly(span, Anomaly::ChangeCipherSpecMalformed, emit);
        }
        self.sides[span.direction.index()].changed_cipher = true;
        if span.direction != self.summary.client && self.is_changed(span.direction) {
            self.server_changed_cipher();
        }
        emit(Event { span, kind: EventKind::ChangeCipherSpec });
    }

    /// What a record carries, and what that says about the handshake.
    fn phase(
        &mut self,
        direction: Direction,
        header: Header,
        sealed: bool,
        plaintext: Option<PlaintextLength>,
    ) -> Phase {
        let kind = header.content_type;
        if self.summary.is_tls13() && sealed && kind == ContentType::APPLICATION_DATA {
            let hello = self.summary.client_hello.as_ref();
            let agreed = Agreed {
                finished: self.summary.cipher_suite.and_then(|suite| suite.tls13_hash_len()).map(|hash| hash + 4),
                early_data: hello.and_then(|hello| hello.extensions.as_ref()).is_some_and(|e| e.early_data),
                resumed: self.summary.resumed == Some(true),
            };
            let phase = self.tls13.next(direction == self.summary.client, plaintext, &agreed);
            if self.tls13.is_established() {
                self.summary.finished = [true; 2];
            }
            if let Some(plaintext) = plaintext {
                let blocks = self.tls13.blocks(direction, phase, plaintext);
                self.trace.suspect_padding(blocks);
            }
            return phase;
        }
        if !sealed {
            return match kind {
                ContentType::ALERT => Phase::Alert,
                ContentType::APPLICATION_DATA => Phase::Application,
                ContentType::HANDSHAKE if self.is_changed(direction) => self.sealed_handshake(direction),
                _ => Phase::Handshake,
            };
        }
        match kind {
            ContentType::ALERT => Phase::Alert,
            ContentType::HANDSHAKE if self.is_changed(direction) => self.sealed_handshake(direction),
            ContentType::HANDSHAKE | ContentType::CHANGE_CIPHER_SPEC => Phase::PostHandshake,
            ContentType::APPLICATION_DATA if self.summary.version.is_none() && self.summary.client_hello.is_some() => {
                Phase::EarlyData
            }
            ContentType::APPLICATION_DATA if self.summary.is_tls13() => Phase::Unknown,
            ContentType::APPLICATION_DATA => Phase::Application,
            _ => Phase::Unknown,
        }
    }

    /// Up to TLS 1.2: the first handshake record after ChangeCipherSpec is Finished, later ones
    /// begin another handshake.
    fn sealed_handshake(&mut self, direction: Direction) -> Phase {
        let finished = &mut self.summary.finished[direction.index()];
        if std::mem::replace(finished, true) { Phase::PostHandshake } else { Phase::Handshake }
    }

    fn lose(&mut self, direction: Direction, since: u64, garbage: bool, emit: &mut Emit<'_>) {
        let side = &mut self.sides[direction.index()];
        side.reading = Reading::Lost(Box::new(Resync::new(since, garbage)));
        side.after_gap = true;
        let span = Span::new(direction, since, side.position.max(since));
        self.anomaly(span, if garbage { Anomaly::NotARecord } else { Anomaly::FramingLost }, emit);
    }

    fn search(&mut self, direction: Direction, bytes: &[u8], emit: &mut Emit<'_>) -> usize {
        let side = &mut self.sides[direction.index()];
        let position = side.position;
        let Reading::Lost(resync) = &mut side.reading else { return 0 };
        let (since, after_garbage) = (resync.since, resync.after_garbage);
        let found = resync.search(position, bytes);
        let first = found.as_ref().and_then(|chain| chain.headers.first()).map(|(at, _)| *at);
        if after_garbage {
            let end = first.map_or(bytes.len(), |at| {
                usize::try_from(at.saturating_sub(position)).unwrap_or(usize::MAX).min(bytes.len())
            });
            if end > 0 {
                let span = Span::new(direction, position, position + end as u64);
                emit(Event { span, kind: EventKind::NotTls(&bytes[..end]) });
            }
        }
        let side = &mut self.sides[direction.index()];
        let Some(chain) = found else {
            side.position += bytes.len() as u64;
            return bytes.len();
        };
        // The last header ends within `bytes`; what follows it was not looked at.
        let body_start = chain.headers.last().map_or(position, |(at, _)| at + Header::LEN as u64);
        let taken = usize::try_from(body_start.saturating_sub(position)).unwrap_or(0).min(bytes.len());
        side.position = position + taken as u64;
        self.found(direction, since, &chain.headers, body_start, emit);
        taken
    }

    /// Records were found again: those that have passed by `position` are told, and one that has
    /// not goes on.
    fn found(
        &mut self,
        direction: Direction,
        since: u64,
        headers: &[(u64, Header)],
        position: u64,
        emit: &mut Emit<'_>,
    ) {
        let Some((first, _)) = headers.first() else { return };
        let span = Span::new(direction, since, *first);
        self.anomaly(span, Anomaly::Resynchronised { skipped: span.len() }, emit);
        for (start, header) in headers {
            self.begin(direction, *start, *header, emit);
            let passed = start + Header::LEN as u64 + u64::from(header.length) <= position;
            if passed && let Reading::Body(body) = &mut self.sides[direction.index()].reading {
                body.remaining = 0;
                // Its octets went by while it was not known to be a record.
                if !matches!(body.contents, Contents::Sealed | Contents::Clear) {
                    body.contents = Contents::Sealed;
                }
                self.sides[direction.index()].messages.interrupt();
                self.end_if_passed(direction, emit);
            }
        }
    }

    pub(super) fn anomaly(&mut self, span: Span, anomaly: Anomaly, emit: &mut Emit<'_>) {
        self.summary.note(span, anomaly);
        emit(Event { span, kind: EventKind::Anomaly(anomaly) });
    }
}

impl Side {
    fn new() -> Side {
        Side {
            position: 0,
            reading: Reading::Header { octets: [0; Header::LEN], have: 0 },
            messages: Messages::default(),
            changed_cipher: false,
            after_gap: false,
            gaps: false,
            nonces: Nonces::default(),
        }
    }

    /// Whether octets or a gap of this direction were told; before that it may begin anywhere.
    fn is_begun(&self) -> bool {
        self.position != 0 || self.gaps
    }
}

impl Nonces {
    /// The next nonce; returns how many were left out, where they have counted up until now.
    fn next(&mut self, nonce: u64) -> Option<u64> {
        let unread = std::mem::take(&mut self.unread);
        let last = self.last.replace(nonce)?;
        let step = nonce.wrapping_sub(last).wrapping_sub(unread);
        match step {
            1 => self.steps = self.steps.saturating_add(1),
            2..=NONCE_JUMP if self.steps >= 2 => return Some(step - 1),
            _ => self.steps = 0,
        }
        None
    }
}

/// A jump of nonces beyond this is no loss of records but another way of making them.
const NONCE_JUMP: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_that_count_up_tell_of_missing_records_and_others_of_nothing() {
        let mut nonces = Nonces::default();
        let told: Vec<_> = [u64::MAX - 1, u64::MAX, 0, 1, 4, 5].map(|nonce| nonces.next(nonce)).into();
        assert_eq!(told, [None, None, None, None, Some(2), None]);
        nonces.unread = 2;
        assert_eq!(nonces.next(8), None, "records whose nonce was not read are not missing");
        nonces.unread = 1;
        assert_eq!(nonces.next(12), Some(2));
        let mut nonces = Nonces::default();
        assert!([9, 77, 3, 1 << 50, 12, 14].iter().all(|nonce| nonces.next(*nonce).is_none()));
    }
}
