//! Gathers what sessions tell into items that a view prints.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::eve;
use super::extract::Extractor;
use super::frames;
use super::rows;
use super::zeek;
use super::{Class, Content, Ended, Item, LenientReading, Order, dialogue};
use crate::bytes::utf8;
use crate::limits::MAX_MESSAGE_TEXT;
use crate::session::{At, Seen, Session, Sink, Upgraded};
use crate::smtp;
use crate::stream::Span;
use crate::tls;

/// What a view wants to know. Nothing else is worked out.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Rows of the packet list.
    pub rows: bool,
    /// Utterances of the dialogues.
    pub utterances: bool,
    /// Sessions, when they end.
    pub sessions: bool,
    /// Hashes of messages and attachments, with the sessions.
    pub hashes: bool,
    /// What the lengths of each sealed session give away, read at once: by the thread that gathers the session.
    pub readings: bool,
    /// Messages, attachments and certificates.
    pub extracts: bool,
    /// Events as Suricata writes them.
    pub eve: bool,
    /// Records as Zeek writes them.
    pub zeek: bool,
    /// Frames in octets: packet numbers.
    pub frames: Vec<RangeInclusive<u64>>,
    /// Only this session.
    pub session: Option<u64>,
    /// Whether utterances carry the text of messages.
    pub message_text: bool,
    /// Whether secrets are shown.
    pub reveal: bool,
    /// Decimals of times.
    pub decimals: usize,
}

impl Wanted {
    /// Whether every packet has to be told.
    #[must_use]
    pub fn packets(&self) -> bool {
        self.rows || self.eve || self.zeek || !self.frames.is_empty()
    }
}

/// Takes what happens in sessions, and keeps the items that are wanted until they are taken.
#[derive(Debug)]
pub struct Collector {
    wanted: Wanted,
    items: Vec<Item>,
    said: u64,
    rows: rows::Builder,
    frames: frames::Builder,
    /// The text of the messages under way, where it is wanted, by session.
    messages: HashMap<u64, Vec<u8>>,
    extractor: Extractor,
    eve: Option<eve::Collector>,
    zeek: Option<zeek::Collector>,
}

impl Collector {
    /// One that has nothing yet.
    #[must_use]
    pub fn new(wanted: Wanted) -> Collector {
        Collector {
            rows: rows::Builder::new(wanted.reveal),
            frames: frames::Builder::new(wanted.frames.clone()),
            eve: wanted.eve.then(eve::Collector::default),
            zeek: wanted.zeek.then(zeek::Collector::default),
            wanted,
            items: Vec::new(),
            messages: HashMap::new(),
            extractor: Extractor::default(),
            said: 0,
        }
    }

    /// Changes how many decimals times have, once the capture's precision is known.
    pub fn set_decimals(&mut self, decimals: usize) {
        self.wanted.decimals = decimals;
    }

    /// Takes the items gathered since the last call.
    pub fn take(&mut self) -> Vec<Item> {
        for (packet, session, event) in self.eve.iter_mut().flat_map(eve::Collector::take) {
            self.said += 1;
            let order = Order { packet, class: Class::Log, session, n: self.said };
            self.items.push(Item { order, content: Content::Eve(Box::new(event)) });
        }
        for (packet, session, record) in self.zeek.iter_mut().flat_map(zeek::Collector::take) {
            self.said += 1;
            let order = Order { packet, class: Class::Log, session, n: self.said };
            self.items.push(Item { order, content: Content::Zeek(Box::new(record)) });
        }
        let next = Vec::with_capacity(self.items.len());
        std::mem::replace(&mut self.items, next)
    }

    /// No more packets will come: sessions that end from now on end with the capture.
    pub fn close(&mut self) {
        if let Some(eve) = &mut self.eve {
            eve.close();
        }
    }

    /// The capture is over: items that had to wait for that. Returns how many frames were left out
    /// because of a limit.
    pub fn finish(&mut self) -> u64 {
        let (frames, left_out) = self.frames.finish();
        for frame in frames {
            let order = Order { packet: frame.number, class: Class::Frame, session: 0, n: 0 };
            self.items.push(Item { order, content: Content::Frame(Box::new(frame)) });
        }
        left_out
    }

    fn wants(&self, session: u64) -> bool {
        self.wanted.session.is_none_or(|wanted| wanted == session)
    }

    /// Messages follow the record that they are in: the last utterance.
    fn name_record(&mut self, name: String) {
        let Some(Item { content: Content::Utterance(record), .. }) = self.items.last_mut() else { return };
        match &mut record.reading {
            Some(reading) if record.named => {
                reading.push_str(", ");
                reading.push_str(&name);
            }
            reading => *reading = Some(name),
        }
        record.named = true;
    }

    /// The other reading of a message follows the message: the last utterance.
    fn lenient_reading(&mut self, event: &smtp::Event<'_>) {
        if let smtp::EventKind::Lenient(found) = event.kind
            && let Some(Item { content: Content::Utterance(message), .. }) = self.items.last_mut()
            && message.kind == "message"
        {
            message.lenient_reading = Some(Box::new(LenientReading { replies: None, ..LenientReading::of(found) }));
        }
    }

    /// Gathers the text of a message; beyond a limit it stays as it is.
    fn message_text(&mut self, at: &At<'_>, event: &smtp::Event<'_>) {
        match &event.kind {
            smtp::EventKind::MessageStart { .. } => {
                self.messages.insert(at.session, Vec::new());
            }
            smtp::EventKind::MessageData { octets, .. } => {
                if let Some(text) = self.messages.get_mut(&at.session) {
                    let room = MAX_MESSAGE_TEXT - text.len().min(MAX_MESSAGE_TEXT);
                    text.extend_from_slice(&octets[..octets.len().min(room)]);
                }
            }
            _ => {}
        }
    }

    fn extract(&mut self, at: &At<'_>, take: impl FnOnce(&mut Extractor, &mut dyn FnMut(super::extract::Extracted))) {
        let (items, said) = (&mut self.items, &mut self.said);
        take(&mut self.extractor, &mut |extracted| {
            *said += 1;
            let order = Order { packet: at.now, class: Class::Utterance, session: at.session, n: *said };
            items.push(Item { order, content: Content::Extracted(extracted) });
        });
    }

    fn utter(&mut self, now: u64, utterance: super::Utterance) {
        self.said += 1;
        let order = Order { packet: now, class: Class::Utterance, session: utterance.session, n: self.said };
        self.items.push(Item { order, content: Content::Utterance(Box::new(utterance)) });
    }
}

impl Sink for Collector {
    fn smtp(&mut self, at: &At<'_>, event: &smtp::Event<'_>) {
        if !self.wants(at.session) {
            return;
        }
        if let Some(eve) = &mut self.eve {
            eve.smtp(at, event);
        }
        if let Some(zeek) = &mut self.zeek {
            zeek.smtp(at, event);
        }
        if self.wanted.message_text {
            self.message_text(at, event);
        }
        if self.wanted.utterances {
            self.lenient_reading(event);
        }
        if self.wanted.utterances
            && let Some(mut utterance) = dialogue::smtp(at, event, self.wanted.reveal)
        {
            if utterance.kind == "message" {
                utterance.text = self.messages.remove(&at.session).map(|octets| utf8(&octets));
            }
            self.utter(at.now, utterance);
        }
        if self.wanted.extracts {
            self.extract(at, |extractor, give| extractor.smtp(at, event, give));
        }
        if self.wanted.rows {
            self.rows.smtp(at, event);
        }
        if !self.wanted.frames.is_empty() {
            self.frames.smtp(at, event);
        }
    }

    fn inside(&mut self, at: &At<'_>, event: &smtp::Event<'_>) {
        if !self.wants(at.session) {
            return;
        }
        if self.wanted.message_text {
            self.message_text(at, event);
        }
        if self.wanted.utterances {
            self.lenient_reading(event);
        }
        if self.wanted.utterances
            && let Some(mut utterance) = dialogue::smtp(at, event, self.wanted.reveal)
        {
            utterance.sealed = true;
            if utterance.kind == "message" {
                utterance.text = self.messages.remove(&at.session).map(|octets| utf8(&octets));
            }
            self.utter(at.now, utterance);
        }
        if self.wanted.extracts {
            self.extract(at, |extractor, give| extractor.smtp(at, event, &mut |file| give(file.sealed())));
        }
    }

    fn opened(&mut self, at: &At<'_>, span: Span, record: &tls::OpenedRecord, opening: &tls::Opening) {
        if !self.wants(at.session) {
            return;
        }
        if self.wanted.utterances {
            for message in &record.messages {
                self.name_record(format!("{message} (opened)"));
            }
        }
        if self.wanted.extracts && record.certificates {
            self.extract(at, |extractor, give| extractor.opened(at, span, opening, &mut |file| give(file.sealed())));
        }
    }

    fn tls(&mut self, at: &At<'_>, event: &tls::Event<'_>) {
        if !self.wants(at.session) {
            return;
        }
        if let Some(eve) = &mut self.eve {
            eve.tls(at, event);
        }
        if let Some(zeek) = &mut self.zeek {
            zeek.tls(at, event);
        }
        if self.wanted.utterances {
            if at.opened {
                // Its utterances were told.
            } else if let tls::EventKind::Record(record) = &event.kind {
                self.utter(at.now, dialogue::tls(at, event.span, record, phase_in_words(record)));
            } else if let Some(name) = message_name(event) {
                self.name_record(name);
            }
        }
        if self.wanted.extracts {
            self.extract(at, |extractor, give| extractor.tls(at, event, give));
        }
        if self.wanted.rows {
            self.rows.tls(at, event);
        }
        if !self.wanted.frames.is_empty() {
            self.frames.tls(at, event);
        }
    }

    fn gap(&mut self, at: &At<'_>, span: Span) {
        if let Some(zeek) = &mut self.zeek {
            zeek.gap(at, span);
        }
        if self.wanted.utterances && self.wants(at.session) {
            self.utter(at.now, dialogue::gap(at, span));
        }
    }

    fn upgraded(&mut self, at: &At<'_>, from: Upgraded) {
        if let Some(eve) = self.eve.as_mut().filter(|_| self.wanted.session.is_none_or(|wanted| wanted == at.session)) {
            eve.upgraded(at, from);
        }
    }

    fn ssh(&mut self, at: &At<'_>, span: Span, bytes: &[u8]) {
        if self.wanted.rows && self.wants(at.session) {
            self.rows.ssh(at, span.direction, bytes);
        }
    }

    fn packet(&mut self, seen: &Seen<'_>) {
        if let Some(wanted) = self.wanted.session
            && seen.segment.as_ref().is_none_or(|segment| segment.session != wanted)
        {
            return;
        }
        if let Some(eve) = &mut self.eve {
            eve.packet(seen);
        }
        if let Some(zeek) = &mut self.zeek {
            zeek.packet(seen);
        }
        if self.wanted.rows {
            let row = self.rows.row(seen, self.wanted.decimals);
            let order = Order { packet: row.number, class: Class::Row, session: 0, n: 0 };
            self.items.push(Item { order, content: Content::Row(row) });
        }
        if !self.wanted.frames.is_empty() {
            self.frames.packet(seen, self.wanted.decimals);
        }
    }

    fn ended(&mut self, session: Session, now: u64) {
        let number = session.connection.number;
        if self.wanted.rows {
            self.rows.ended(number);
        }
        self.messages.remove(&number);
        self.extractor.ended(number);
        if let Some(eve) = self.eve.as_mut().filter(|_| self.wanted.session.is_none_or(|wanted| wanted == number)) {
            eve.ended(&session, now);
        }
        if let Some(zeek) = self.zeek.as_mut().filter(|_| self.wanted.session.is_none_or(|wanted| wanted == number)) {
            zeek.ended(&session, now);
        }
        if self.wanted.sessions && self.wants(number) {
            let order = Order { packet: now, class: Class::Session, session: number, n: 0 };
            let ended = Box::new(Ended::new(session, self.wanted.readings));
            self.items.push(Item { order, content: Content::Session(ended) });
        }
    }
}

/// The name of the handshake message, alert or signal that an event is; `None` for others.
pub(super) fn message_name(event: &tls::Event<'_>) -> Option<String> {
    match &event.kind {
        tls::EventKind::ClientHello(_) => Some("Client Hello".to_owned()),
        tls::EventKind::ServerHello(_) => Some("Server Hello".to_owned()),
        tls::EventKind::HelloRetryRequest(_) => Some("Hello Retry Request".to_owned()),
        tls::EventKind::Certificates(_) => Some("Certificate".to_owned()),
        tls::EventKind::Handshake(kind, _) => Some(kind.to_string()),
        tls::EventKind::Alert(alert) => Some(format!("Alert ({alert})")),
        tls::EventKind::ChangeCipherSpec => Some("Change Cipher Spec".to_owned()),
        _ => None,
    }
}

/// What part of a conversation a record is.
fn phase_in_words(record: &tls::Record) -> String {
    use tls::Phase;
    match record.phase {
        _ if !record.sealed => record.content_type.to_string(),
        Phase::Handshake => "handshake".to_owned(),
        Phase::EarlyData => "early data".to_owned(),
        Phase::TicketOrApplication => "a session ticket, or what the server says".to_owned(),
        Phase::AlertOrTwoOctets => "an alert (close_notify), or two octets".to_owned(),
        Phase::Alert => "alert".to_owned(),
        Phase::PostHandshake => "session ticket, or more handshake".to_owned(),
        Phase::Unknown | Phase::Application => String::new(),
    }
}

/// What a record is, as far as its header and the state of the conversation tell.
pub(super) fn record_in_words(record: &tls::Record) -> String {
    if !record.sealed {
        return record.content_type.to_string();
    }
    match record.plaintext {
        Some(plaintext) if plaintext.min == plaintext.max => format!("sealed: {} octets of text", plaintext.max),
        Some(plaintext) => format!("sealed: {} to {} octets of text", plaintext.min, plaintext.max),
        None => match crate::observe::infer::if_tls13(record.length) {
            Some(octets) => format!("sealed: {octets} octets of text, type octet, 16 of tag (if TLS 1.3)"),
            None => "sealed".to_owned(),
        },
    }
}
