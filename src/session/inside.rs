//! What is said inside TLS, where keys open it: a dialogue of its own, with its own streams and its own evidence.

use std::mem;

use super::connection::{Moment, note};
use super::contents::ContentsReader;
use super::{Anomaly, AnomalyKind, At, Contents, PacketMap, Sink};
use crate::limits::MAX_UNDECIDED_OCTETS;
use crate::smtp;
use crate::stream::{Direction, Span};
use crate::tls::{self, ContentType, Keyring, OpenedRecord, Opener, Opening, Outcome};

/// What keys showed of a session. Its octets are counted in streams of their own: the plaintext of each
/// direction, from the first octet that was opened.
#[derive(Debug)]
pub struct Inside {
    /// What came of the keys, and what the sealed handshake says.
    pub opening: Opening,
    /// The dialogue inside, where it is one of mail.
    pub smtp: Option<smtp::Summary>,
    /// What its messages contain, as far as kept, in order.
    pub contents: Vec<Contents>,
    /// Octets of plaintext that were opened.
    pub octets: [u64; 2],
    /// Octets of plaintext that are missing, as far as records show: those that were not captured or did not open.
    pub missing: u64,
    /// Oddities of the dialogue inside.
    pub anomalies: Vec<Anomaly>,
    /// Oddities beyond those kept.
    pub anomalies_dropped: u64,
    maps: [PacketMap; 2],
}

impl Inside {
    /// The packets that carried the octets `span` of the plaintext.
    #[must_use]
    pub fn packets(&self, span: Span) -> Vec<u64> {
        self.maps[span.direction.index()].packets(span.range())
    }

    /// What the message of a transaction contains, if there was one and it is kept.
    #[must_use]
    pub fn contents(&self, transaction: u64) -> Option<&Contents> {
        self.contents.iter().find(|contents| contents.transaction == transaction)
    }
}

/// Opens the records of one connection and reads what they carry.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) opener: Opener,
    ports: [u16; 2],
    stage: Stage,
    contents: ContentsReader,
    maps: [PacketMap; 2],
    /// The packets of the records under way: where their octets begin and end in the stream.
    recent: [Vec<(u64, u64, u64)>; 2],
    /// The end of the last record.
    next: [Option<u64>; 2],
    /// Octets of plaintext so far, missing ones included.
    reached: [u64; 2],
    octets: [u64; 2],
    missing: u64,
    in_message: bool,
    anomalies: Vec<Anomaly>,
    anomalies_dropped: u64,
}

/// What takes the plaintext.
#[derive(Debug)]
enum Stage {
    /// Nothing has decided yet; what came so far.
    Undecided(Vec<Piece>),
    Smtp(Box<smtp::Dialogue>),
    /// Something that is not decoded here.
    Other,
}

/// Plaintext that waits for a decision; without octets it is a gap.
#[derive(Debug)]
struct Piece {
    span: Span,
    bytes: Vec<u8>,
    at: Moment,
}

/// Which connection it is, and the packet that is being looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whose {
    pub(super) session: u64,
    pub(super) now: u64,
}

impl Reader {
    /// Beside a conversation that begins, or that is under way. `mail`: the dialogue inside goes on from
    /// one in the clear, so that it need not be found out what it is.
    pub(super) fn new(tls: &tls::Summary, ports: [u16; 2], mail: bool, hashes: bool) -> Reader {
        let stage = match mail {
            true => Stage::Smtp(Box::new(smtp::Dialogue::inside_tls(tls.client))),
            false => Stage::Undecided(Vec::new()),
        };
        Reader {
            opener: Opener::join(tls),
            ports,
            stage,
            contents: ContentsReader::new(hashes),
            maps: [PacketMap::default(), PacketMap::default()],
            recent: [Vec::new(), Vec::new()],
            next: [None; 2],
            reached: [0; 2],
            octets: [0; 2],
            missing: 0,
            in_message: false,
            anomalies: Vec::new(),
            anomalies_dropped: 0,
        }
    }

    /// Octets `span` of the stream came in `packet`; told before the conversation gets them.
    pub(super) fn came(&mut self, span: Span, packet: u64) {
        let recent = &mut self.recent[span.direction.index()];
        match recent.last_mut() {
            // A record has 18 KiB at most, and so has this list as many entries, in segments of one octet.
            Some((_, end, last)) if *last == packet && *end == span.start => *end = span.end,
            _ => recent.push((span.start, span.end, packet)),
        }
    }

    /// Whether what a record says is told as a dialogue.
    pub(super) fn reads(&self, outcome: &Outcome) -> bool {
        matches!(self.stage, Stage::Smtp(_))
            && matches!(outcome, Outcome::Opened(opened) if opened.content_type == ContentType::APPLICATION_DATA)
    }

    /// A record has passed, and this is what became of it.
    pub(super) fn record<S: Sink>(
        &mut self,
        ring: &Keyring,
        span: Span,
        record: &tls::Record,
        outcome: &Outcome,
        (whose, at): (Whose, Moment),
        sink: &mut S,
    ) {
        let i = span.direction.index();
        if let Some(next) = self.next[i].replace(span.end)
            && next < span.start
            && self.octets[i] > 0
        {
            self.gap(span.direction, span.start - next, (whose, at), sink);
        }
        match outcome {
            Outcome::Opened(opened) if opened.content_type == ContentType::APPLICATION_DATA && !opened.is_empty() => {
                let from = self.reached[i];
                self.map(span.direction, opened, from);
                self.reached[i] += opened.len() as u64;
                self.octets[i] += opened.len() as u64;
                self.data(span.direction, from, ring.plaintext(opened), (whose, at), sink);
            }
            Outcome::Sealed(tls::Reason::Incomplete | tls::Reason::NotAuthentic) if is_data(record) => {
                let length = record.plaintext.map_or(record.length, |length| length.max);
                self.gap(span.direction, u64::from(length), (whose, at), sink);
            }
            _ => {}
        }
        self.recent[i].retain(|(_, end, _)| *end > span.end);
    }

    /// No more octets will come in this direction.
    pub(super) fn finish<S: Sink>(&mut self, direction: Direction, place: (Whose, Moment), sink: &mut S) {
        self.with_smtp(place, sink, |dialogue, emit| dialogue.finish(direction, emit));
    }

    /// No more octets will come at all: what waits is decided with what is there.
    pub(super) fn end<S: Sink>(&mut self, place: (Whose, Moment), sink: &mut S) {
        self.decide(true, place.0, sink);
        for direction in Direction::BOTH {
            self.finish(direction, place, sink);
        }
    }

    /// Everything that was found, once the connection is over.
    pub(super) fn into_inside(self, ring: &mut Keyring) -> Inside {
        Inside {
            opening: self.opener.into_opening(ring),
            smtp: match self.stage {
                Stage::Smtp(dialogue) if self.octets != [0; 2] => Some(dialogue.into_summary()),
                _ => None,
            },
            contents: self.contents.into_contents(),
            octets: self.octets,
            missing: self.missing,
            anomalies: self.anomalies,
            anomalies_dropped: self.anomalies_dropped,
            maps: self.maps,
        }
    }

    /// Which packets carried the plaintext of a record, which begins at `from`: octet by octet it stands
    /// where its ciphertext does.
    fn map(&mut self, direction: Direction, opened: &OpenedRecord, from: u64) {
        let map = &mut self.maps[direction.index()];
        let end = opened.start + opened.len() as u64;
        for (first, last, packet) in &self.recent[direction.index()] {
            let (first, last) = ((*first).max(opened.start), (*last).min(end));
            if first < last {
                map.push(from + (first - opened.start)..from + (last - opened.start), *packet, self.in_message);
            }
        }
    }

    fn data<S: Sink>(&mut self, direction: Direction, start: u64, bytes: &[u8], place: (Whose, Moment), sink: &mut S) {
        match &mut self.stage {
            Stage::Undecided(pieces) => {
                let span = Span::new(direction, start, start + bytes.len() as u64);
                pieces.push(Piece { span, bytes: bytes.to_vec(), at: place.1 });
                self.decide(false, place.0, sink);
            }
            Stage::Smtp(_) => self.with_smtp(place, sink, |dialogue, emit| {
                let mut taken = 0;
                // Whatever a STARTTLS inside TLS may mean, what follows is what it is: clear to us.
                while taken < bytes.len() {
                    taken += dialogue.data(direction, start + taken as u64, &bytes[taken..], emit).max(1);
                }
            }),
            Stage::Other => {}
        }
    }

    /// Plaintext is missing: about so many octets.
    fn gap<S: Sink>(&mut self, direction: Direction, octets: u64, place: (Whose, Moment), sink: &mut S) {
        let i = direction.index();
        let span = Span::new(direction, self.reached[i], self.reached[i].saturating_add(octets));
        self.reached[i] = span.end;
        self.missing = self.missing.saturating_add(octets);
        match &mut self.stage {
            Stage::Undecided(pieces) => pieces.push(Piece { span, bytes: Vec::new(), at: place.1 }),
            Stage::Smtp(_) => self.with_smtp(place, sink, |dialogue, emit| dialogue.gap(span, emit)),
            Stage::Other => {}
        }
    }

    /// Finds out whether it is mail.
    fn decide<S: Sink>(&mut self, last: bool, whose: Whose, sink: &mut S) {
        let Stage::Undecided(pieces) = &self.stage else { return };
        let head = |direction: Direction| {
            let pieces = pieces.iter().filter(|piece| piece.span.direction == direction);
            pieces.flat_map(|piece| &piece.bytes).copied().collect::<Vec<u8>>()
        };
        let [first, second] = Direction::BOTH.map(head);
        let waiting = first.len() + second.len();
        let last = last || waiting >= MAX_UNDECIDED_OCTETS || pieces.len() >= MAX_UNDECIDED_OCTETS;
        let is_mail_port = self.ports.iter().any(|port| matches!(port, 25 | 465 | 587 | 2525));
        let client = match smtp::probe(&first, &second) {
            smtp::Probe::Certain { client } => client,
            smtp::Probe::Likely { client } if last || is_mail_port => client,
            smtp::Probe::Likely { .. } | smtp::Probe::NeedMore if !last => return,
            smtp::Probe::Not if !last && is_mail_port && (first.is_empty() || second.is_empty()) => return,
            _ => {
                if waiting > 0 || last {
                    self.stage = Stage::Other;
                }
                return;
            }
        };
        let client = match client {
            smtp::Side::First => Direction::FromOriginator,
            smtp::Side::Second => Direction::FromResponder,
        };
        let dialogue = Stage::Smtp(Box::new(smtp::Dialogue::inside_tls(client)));
        let Stage::Undecided(pieces) = mem::replace(&mut self.stage, dialogue) else { return };
        for piece in pieces {
            let place = (whose, piece.at);
            if piece.bytes.is_empty() {
                self.with_smtp(place, sink, |dialogue, emit| dialogue.gap(piece.span, emit));
            } else {
                self.data(piece.span.direction, piece.span.start, &piece.bytes, place, sink);
            }
        }
    }

    fn with_smtp<S: Sink>(
        &mut self,
        (whose, at): (Whose, Moment),
        sink: &mut S,
        run: impl FnOnce(&mut smtp::Dialogue, &mut dyn FnMut(smtp::Event<'_>)),
    ) {
        let Stage::Smtp(dialogue) = &mut self.stage else { return };
        dialogue.set_time(at.time);
        let client = dialogue.client();
        let packet = at.packet;
        let at: At<'_> = at.seen(whose.session, whose.now, client, &self.maps);
        let (anomalies, dropped, in_message) = (&mut self.anomalies, &mut self.anomalies_dropped, &mut self.in_message);
        let contents = &mut self.contents;
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
            sink.inside(&at, &event);
        });
    }
}

/// Whether a record that did not open most likely carries what is said, and not the handshake.
fn is_data(record: &tls::Record) -> bool {
    use tls::Phase;
    record.content_type == ContentType::APPLICATION_DATA
        && matches!(record.phase, Phase::Application | Phase::Unknown | Phase::TicketOrApplication)
}
