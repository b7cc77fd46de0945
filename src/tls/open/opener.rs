//! Opens the records of one conversation, where keys for it are known.

use std::ops::Range;

use crate::limits;
use crate::stream::{Direction, Span};

use super::super::certificate;
use super::super::event::{Event, EventKind, Record};
use super::super::hello::{ClientHello, ServerHello};
use super::super::registry::{
    Alert, AlertDescription, AlertLevel, CipherSuite, ContentType, HandshakeType, ProtocolVersion,
};
use super::super::summary::Summary;
use super::agreement::Agreement;
use super::cipher::{AeadKind, Algorithm, Opened, Place, RecordKey};
use super::key_log::{Label, Secret};
use super::keyring::Keyring;
use super::opening::{Opening, Reason};
use super::suite;

/// Follows a conversation by its events and opens its sealed records.
///
/// Give it every event of a [`Conversation`](super::super::Conversation) that tells its octets
/// ([`Conversation::tell_octets`](super::super::Conversation::tell_octets)), in order. Nothing of what it finds goes back to
/// the conversation: what is seen without keys stays what it is.
#[derive(Debug)]
pub struct Opener {
    client: Direction,
    /// What the hellos of the handshake under way, or of the last one, agreed on.
    agreement: Agreement,
    sides: [Side; 2],
    /// Records of both directions so far, sealed or not: the number of the last one.
    records: u64,
    opening: Opening,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is no sealed record.
    Other,
    /// A sealed record was opened; [`Keyring::plaintext`] has its contents.
    Opened(OpenedRecord),
    /// A sealed record stays sealed.
    Sealed(Reason),
}

/// A record that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedRecord {
    /// What it carries.
    pub content_type: ContentType,
    /// Where its contents stand in the keyring's buffer.
    pub(super) range: Range<usize>,
    /// Where in the stream the octet stands that seals its first octet; the others follow one by one.
    pub start: u64,
    /// The handshake messages that it completes.
    pub messages: Vec<HandshakeType>,
    /// Whether one of these is a Certificate.
    pub certificates: bool,
}

impl OpenedRecord {
    /// Octets of its contents.
    #[must_use]
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether it is empty, which some stacks send before others to change a chained vector.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }
}

/// One direction.
#[derive(Debug, Default)]
struct Side {
    /// The body of the sealed record under way.
    body: Vec<u8>,
    /// The octet after the last record.
    next: Option<u64>,
    epoch: Epoch,
    /// What its ChangeCipherSpec put into force (up to TLS 1.2).
    in_force: Option<Box<Agreement>>,
    /// Records sealed with the present key.
    sequence: u64,
    /// Keys that may be the present one. Once one has opened a record it is the only one.
    keys: Vec<Candidate>,
    settled: bool,
    /// The keys that were known when they were last looked for.
    looked: Option<u32>,
    /// Records that may be missing before the next one.
    lost: u64,
    /// The explicit nonce and the place of the last record that was opened.
    nonce: Option<(u64, u64)>,
    /// Octets that may still be spent on looking for a record's place.
    budget: usize,
    /// Handshake octets inside that do not make a message yet, and where the first of them was sealed.
    handshake: Vec<u8>,
    handshake_start: u64,
    /// Octets of sealed records that passed without a key, and the last of them.
    passed: u64,
    tail: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Epoch {
    #[default]
    Clear,
    /// TLS up to 1.2, after ChangeCipherSpec.
    Changed,
    /// TLS 1.3: what a client sends before the server's answer.
    EarlyData,
    /// TLS 1.3: from the ServerHello to Finished.
    Handshake,
    /// TLS 1.3: after Finished.
    Traffic,
}

struct Candidate {
    key: RecordKey,
    /// The traffic secret that it is made of (TLS 1.3).
    secret: Option<Secret>,
}

impl std::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Candidate")
    }
}

impl Opener {
    /// For a conversation in which `client` is believed to be the client; a ClientHello corrects it.
    #[must_use]
    pub fn new(client: Direction) -> Opener {
        Opener {
            client,
            agreement: Agreement::default(),
            sides: [Side::default(), Side::default()],
            records: 0,
            opening: Opening::new(client),
        }
    }

    /// Beside a conversation of which so much is known; it may be under way. What passed before is counted as lost.
    #[must_use]
    pub fn join(summary: &Summary) -> Opener {
        let mut opener = Opener::new(summary.client);
        if let Some(hello) = &summary.client_hello {
            opener.client_hello(summary.client, hello);
        }
        if let Some(hello) = &summary.server_hello {
            opener.server_hello(summary.client.reversed(), hello);
        }
        for direction in Direction::BOTH {
            if summary.finished[direction.index()] {
                opener.change_cipher_spec(direction);
            }
            opener.sides[direction.index()].lost = summary.records[direction.index()];
        }
        opener.records = summary.records.iter().sum();
        opener
    }

    /// What was found so far.
    #[must_use]
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// What was found, when the conversation is over; its buffers go back.
    #[must_use]
    pub fn into_opening(mut self, ring: &mut Keyring) -> Opening {
        for side in &mut self.sides {
            ring.give_back(std::mem::take(&mut side.body));
        }
        self.opening
    }

    /// Takes the next event of the conversation.
    pub fn event(&mut self, ring: &mut Keyring, event: &Event<'_>) -> Outcome {
        let direction = event.span.direction;
        match &event.kind {
            EventKind::SealedOctets(octets) => {
                let body = &mut self.sides[direction.index()].body;
                if body.capacity() == 0 {
                    *body = ring.buffer();
                }
                if body.len() + octets.len() <= usize::from(u16::MAX) {
                    body.extend_from_slice(octets);
                }
            }
            EventKind::HandshakeOctets(octets) => self.agreement.transcribe(octets),
            EventKind::ClientHello(hello) => self.client_hello(direction, hello),
            EventKind::ServerHello(hello) => self.server_hello(direction, hello),
            EventKind::HelloRetryRequest(_) => self.opening.retried = true,
            EventKind::Handshake(kind, body) => self.clear_message(ring, direction, *kind, body),
            EventKind::ChangeCipherSpec => self.change_cipher_spec(direction),
            EventKind::Record(record) => return self.record(ring, event.span, record),
            _ => {}
        }
        Outcome::Other
    }

    fn client_hello(&mut self, direction: Direction, hello: &ClientHello) {
        if self.opening.has_hello && direction != self.client {
            return;
        }
        self.client = direction;
        self.opening.client = direction;
        self.opening.has_hello = true;
        self.opening.handshakes += 1;
        // The hello's octets came before it, and its transcript has begun with them.
        let begun = self.agreement.take_transcript();
        self.agreement = Agreement::of_client(hello, begun);
        let side = &mut self.sides[direction.index()];
        // A second hello after a HelloRetryRequest ends early data (RFC 8446 §4.2.10).
        if side.epoch == Epoch::EarlyData {
            side.enter(Epoch::Clear);
        }
    }

    fn server_hello(&mut self, direction: Direction, hello: &ServerHello) {
        if direction == self.client && self.opening.has_hello {
            return;
        }
        self.client = direction.reversed();
        self.opening.client = self.client;
        self.agreement.server(hello);
        self.opening.has_server_hello = true;
        self.opening.suite = Some(hello.cipher_suite);
        self.opening.can_open = self.agreement.can_open();
        if self.agreement.version.is_tls13() && self.sides[direction.index()].epoch == Epoch::Clear {
            self.sides[direction.index()].enter(Epoch::Handshake);
            let client = &mut self.sides[self.client.index()];
            if client.epoch == Epoch::Clear {
                client.enter(if self.agreement.early_data { Epoch::EarlyData } else { Epoch::Handshake });
            }
        }
    }

    fn clear_message(&mut self, ring: &mut Keyring, direction: Direction, kind: HandshakeType, body: &[u8]) {
        match kind {
            HandshakeType::CLIENT_KEY_EXCHANGE if direction == self.client => self.agreement.client_key_exchange(body),
            HandshakeType::NEW_SESSION_TICKET if direction != self.client => self.agreement.ticket(ring, body),
            _ => {}
        }
    }

    fn change_cipher_spec(&mut self, direction: Direction) {
        if self.agreement.version.is_tls13() || !self.agreement.has_server {
            return;
        }
        let side = &mut self.sides[direction.index()];
        side.enter(Epoch::Changed);
        side.in_force = Some(Box::new(self.agreement.clone()));
    }

    /// A record has passed.
    fn record(&mut self, ring: &mut Keyring, span: Span, record: &Record) -> Outcome {
        let direction = span.direction;
        self.records += 1;
        let side = &mut self.sides[direction.index()];
        if let Some(next) = side.next.replace(span.end)
            && next < span.start
        {
            side.lost = side.lost.saturating_add((span.start - next).div_ceil(SHORTEST_RECORD));
            side.handshake.clear();
        }
        if !record.sealed {
            return Outcome::Other;
        }
        self.opening.sealed[direction.index()] += 1;
        let body = std::mem::take(&mut side.body);
        let outcome = match self.open(ring, span, record, &body) {
            Ok(opened) => {
                self.opening.opened[direction.index()] += 1;
                Outcome::Opened(self.contents(ring, span, opened))
            }
            Err(reason) => {
                self.opening.stayed_sealed(direction, self.records, reason);
                Outcome::Sealed(reason)
            }
        };
        ring.give_back(body);
        outcome
    }

    fn open(&mut self, ring: &mut Keyring, span: Span, record: &Record, body: &[u8]) -> Result<Opened, Reason> {
        let direction = span.direction;
        let from_client = direction == self.client;
        let (agreement, opening) = (&self.agreement, &mut self.opening);
        let side = &mut self.sides[direction.index()];
        if side.epoch == Epoch::Clear {
            if from_client && opening.has_hello && agreement.early_data && !agreement.has_server {
                side.enter(Epoch::EarlyData);
            } else {
                return Err(if opening.has_hello { Reason::NoServerHello } else { Reason::NoClientHello });
            }
        }
        let in_force = side.in_force.clone();
        let agreement = in_force.as_deref().unwrap_or(agreement);
        if agreement.has_server && !agreement.can_open() {
            return Err(Reason::Unsupported);
        }
        side.look(ring, agreement, from_client);
        opening.keys_known[direction.index()] |= side.has_data_keys(ring, agreement, from_client);
        let place = |sequence| Place { content_type: record.content_type, version: record.version, sequence };
        if body.len() != usize::from(record.length) {
            // What was kept of it ends elsewhere: only the count goes on.
            side.passes(ring, &[]);
            return Err(Reason::Incomplete);
        }
        if let Some(opened) = side.try_keys(ring, &place, body) {
            return Ok(opened);
        }
        if agreement.version.is_tls13() || side.epoch == Epoch::EarlyData {
            for epoch in side.later_epochs() {
                if let Some(opened) = side.try_epoch(ring, agreement, from_client, epoch, &place, body) {
                    return Ok(opened);
                }
            }
        }
        let reason = match (side.keys.is_empty(), side.epoch) {
            (true, Epoch::Handshake | Epoch::EarlyData) if opening.keys_known[direction.index()] => {
                Reason::NoHandshakeKeys
            }
            (true, _) => Reason::NoKeys,
            (false, _) => Reason::NotAuthentic,
        };
        side.passes(ring, body);
        Err(reason)
    }

    /// What an opened record does to the conversation.
    fn contents(&mut self, ring: &mut Keyring, span: Span, opened: Opened) -> OpenedRecord {
        let start = span.start + HEADER + opened.prefix as u64;
        let mut record = OpenedRecord {
            content_type: opened.content_type,
            range: opened.range,
            start,
            messages: Vec::new(),
            certificates: false,
        };
        match record.content_type {
            ContentType::APPLICATION_DATA if self.sides[span.direction.index()].epoch == Epoch::EarlyData => {
                self.opening.early_data += record.len() as u64;
            }
            ContentType::HANDSHAKE => {
                let side = &mut self.sides[span.direction.index()];
                if side.handshake.is_empty() {
                    side.handshake_start = span.start;
                }
                let mut pending = std::mem::take(&mut side.handshake);
                pending.extend_from_slice(ring.plaintext(&record));
                self.messages(ring, span, pending, &mut record);
            }
            ContentType::CHANGE_CIPHER_SPEC => self.change_cipher_spec(span.direction),
            ContentType::ALERT => {
                if let [level, description] = *ring.plaintext(&record)
                    && self.opening.alerts.len() < limits::TLS_ANOMALIES
                {
                    let alert = Alert { level: AlertLevel(level), description: AlertDescription(description) };
                    self.opening.alerts.push((span, alert));
                }
            }
            _ => {}
        }
        record
    }

    fn messages(&mut self, ring: &mut Keyring, span: Span, mut pending: Vec<u8>, record: &mut OpenedRecord) {
        let mut at = 0;
        while let Some([kind, high, middle, low]) = pending.get(at..).and_then(<[u8]>::first_chunk::<4>).copied() {
            let end = at + 4 + u32::from_be_bytes([0, high, middle, low]) as usize;
            let Some(message) = pending.get(at..end) else { break };
            let side = &mut self.sides[span.direction.index()];
            let place = Span::new(span.direction, side.handshake_start, span.end);
            side.handshake_start = span.start;
            record.messages.push(HandshakeType(kind));
            record.certificates |= HandshakeType(kind) == HandshakeType::CERTIFICATE;
            self.message(ring, place, HandshakeType(kind), message);
            at = end;
        }
        pending.drain(..at);
        // No message of any handshake is longer than a chain of certificates.
        if pending.len() <= limits::TLS_CERTIFICATES_OCTETS {
            self.sides[span.direction.index()].handshake = pending;
        }
    }

    /// A handshake message that was sealed, its header included.
    fn message(&mut self, ring: &mut Keyring, span: Span, kind: HandshakeType, message: &[u8]) {
        let direction = span.direction;
        let body = &message[4..];
        let tls13 = self.agreement.version.is_tls13();
        let mut anomalies = Vec::new();
        if !tls13 {
            match kind {
                // Another handshake inside the first one (RFC 5246 §7.4.1.1).
                HandshakeType::CLIENT_HELLO => {
                    if let Some(hello) = ClientHello::read(body, span, 1, &mut anomalies) {
                        self.client_hello(direction, &hello);
                    }
                }
                HandshakeType::SERVER_HELLO => {
                    if let Some(hello) = ServerHello::read(body, span, &mut anomalies) {
                        self.server_hello(direction, &hello);
                    }
                }
                _ => {}
            }
            if kind != HandshakeType::HELLO_REQUEST {
                self.agreement.transcribe(message);
            }
            return match kind {
                HandshakeType::CERTIFICATE => {
                    if let Some(chain) = certificate::read_chain(body, &mut anomalies) {
                        self.opening.certificates(span, direction == self.client, chain);
                    }
                }
                _ => self.clear_message(ring, direction, kind, body),
            };
        }
        let (client, side) = (direction == self.client, &mut self.sides[direction.index()]);
        match kind {
            HandshakeType::ENCRYPTED_EXTENSIONS => self.opening.encrypted_extensions(body),
            HandshakeType::CERTIFICATE => {
                if let Some(chain) = certificate::read_chain_tls13(body, &mut anomalies) {
                    self.opening.certificates(span, client, chain);
                }
            }
            HandshakeType::CERTIFICATE_REQUEST => self.opening.client_certificate_requested = true,
            HandshakeType::NEW_SESSION_TICKET => self.opening.tickets += 1,
            HandshakeType::END_OF_EARLY_DATA if side.epoch == Epoch::EarlyData => side.enter(Epoch::Handshake),
            HandshakeType::FINISHED if side.epoch == Epoch::Handshake => {
                self.opening.finished[direction.index()] = true;
                side.enter(Epoch::Traffic);
            }
            HandshakeType::KEY_UPDATE if side.epoch == Epoch::Traffic => {
                self.opening.key_updates[direction.index()] += 1;
                side.update_key(&self.agreement);
            }
            _ => {}
        }
    }
}

impl Side {
    /// Other keys from here on.
    fn enter(&mut self, epoch: Epoch) {
        self.epoch = epoch;
        self.in_force = None;
        self.sequence = 0;
        self.keys.clear();
        self.settled = false;
        self.looked = None;
        self.nonce = None;
        self.passed = 0;
        self.tail.clear();
        self.budget = limits::TLS_SEARCH_OCTETS;
    }

    /// Looks for keys, where there are none yet or there are new ones.
    fn look(&mut self, ring: &mut Keyring, agreement: &Agreement, from_client: bool) {
        let version = ring.keys().version();
        if self.settled || self.looked == Some(version) {
            return;
        }
        self.looked = Some(version);
        self.keys = match self.epoch {
            Epoch::Clear => Vec::new(),
            Epoch::Changed => agreement
                .record_keys(ring, from_client)
                .into_iter()
                .map(|key| Candidate { key, secret: None })
                .collect(),
            epoch => tls13_keys(ring, agreement, from_client, epoch),
        };
        // What passed before the keys came.
        if self.passed > 0 {
            for candidate in &mut self.keys {
                candidate.key.catch_up(self.passed, &self.tail);
            }
        }
    }

    /// Whether keys for what is said are known, not only those for the handshake.
    fn has_data_keys(&self, ring: &Keyring, agreement: &Agreement, from_client: bool) -> bool {
        match self.epoch {
            Epoch::Clear => false,
            Epoch::Changed | Epoch::Traffic => !self.keys.is_empty(),
            Epoch::EarlyData | Epoch::Handshake => {
                let label = if from_client { Label::ClientTraffic } else { Label::ServerTraffic };
                ring.keys().find(&agreement.client_random, label).next().is_some()
            }
        }
    }

    /// Tries the keys of this epoch at the next place, and at later ones where records are missing.
    fn try_keys(&mut self, ring: &mut Keyring, place: &dyn Fn(u64) -> Place, body: &[u8]) -> Option<Opened> {
        let out = &mut ring.plain;
        let nonce = body.first_chunk().copied().map(u64::from_be_bytes);
        let hint = match (self.nonce, nonce) {
            // Most stacks count nonces up by one (RFC 5288 §3 leaves them free).
            (Some((last, sequence)), Some(nonce)) if self.lost > 0 => {
                Some(sequence.wrapping_add(nonce.wrapping_sub(last)))
            }
            _ => None,
        };
        let hint = hint.filter(|hint| (self.sequence..=self.sequence.saturating_add(self.lost)).contains(hint));
        let mut found = None;
        let attempts = hint.into_iter().chain(self.sequence..=self.sequence.saturating_add(self.lost));
        'search: for (attempt, sequence) in attempts.enumerate() {
            if attempt > 0 {
                let cost = body.len().max(SHORTEST_RECORD as usize) * self.keys.len().max(1);
                match self.budget.checked_sub(cost) {
                    Some(left) => self.budget = left,
                    None => break,
                }
            }
            for (index, candidate) in self.keys.iter_mut().enumerate() {
                if attempt > 0 && !candidate.key.survives_loss() {
                    continue;
                }
                if let Some(opened) = candidate.key.open(place(sequence), body, out) {
                    found = Some((index, sequence, opened));
                    break 'search;
                }
            }
        }
        let (index, sequence, opened) = found?;
        if !self.settled {
            self.keys.swap(0, index);
            self.keys.truncate(1);
            self.settled = true;
        }
        self.sequence = sequence.wrapping_add(1);
        self.lost = 0;
        self.budget = limits::TLS_SEARCH_OCTETS;
        if self.keys.first().is_some_and(|candidate| candidate.key.has_explicit_nonce()) {
            self.nonce = nonce.map(|nonce| (nonce, sequence));
        }
        Some(opened)
    }

    /// What may come in the place of a record that does not open: the message that ends this epoch
    /// was not seen, or is sealed with a key that is not known.
    fn later_epochs(&self) -> &'static [Epoch] {
        match self.epoch {
            Epoch::EarlyData => &[Epoch::Handshake, Epoch::Traffic],
            Epoch::Handshake => &[Epoch::Traffic],
            // The next generation of keys.
            Epoch::Traffic if self.lost > 0 => &[Epoch::Traffic],
            _ => &[],
        }
    }

    fn try_epoch(
        &mut self,
        ring: &mut Keyring,
        agreement: &Agreement,
        from_client: bool,
        epoch: &Epoch,
        place: &dyn Fn(u64) -> Place,
        body: &[u8],
    ) -> Option<Opened> {
        if !agreement.has_server {
            return None;
        }
        let keys = if self.epoch == Epoch::Traffic {
            self.keys.iter().filter_map(|candidate| candidate.next(agreement)).collect()
        } else {
            tls13_keys(ring, agreement, from_client, *epoch)
        };
        if keys.is_empty() {
            return None;
        }
        // Those that passed unopened may have belonged to it already.
        let skipped = if self.epoch == Epoch::Traffic { 0 } else { self.sequence };
        let mut side = Side {
            epoch: *epoch,
            keys,
            lost: self.lost.saturating_add(skipped),
            budget: self.budget,
            ..Side::default()
        };
        let opened = side.try_keys(ring, place, body);
        self.budget = side.budget;
        let opened = opened?;
        let looked = self.looked;
        self.enter(*epoch);
        self.looked = looked;
        (self.keys, self.settled, self.sequence, self.lost) = (side.keys, true, side.sequence, 0);
        Some(opened)
    }

    /// A record passes that was not opened.
    fn passes(&mut self, ring: &mut Keyring, body: &[u8]) {
        for candidate in &mut self.keys {
            candidate.key.pass(body, &mut ring.plain);
        }
        self.sequence = self.sequence.wrapping_add(1);
        self.passed = self.passed.saturating_add(body.len() as u64);
        if self.keys.is_empty() {
            self.tail.clear();
            self.tail.extend_from_slice(&body[body.len().saturating_sub(TAIL)..]);
        }
        self.handshake.clear();
    }

    /// After a KeyUpdate (RFC 8446 §7.2).
    fn update_key(&mut self, agreement: &Agreement) {
        let next = self.keys.first().and_then(|candidate| candidate.next(agreement));
        self.keys.clear();
        self.keys.extend(next);
        self.sequence = 0;
    }
}

impl Candidate {
    fn of_secret(secret: Secret, suite: CipherSuite, version: ProtocolVersion) -> Option<Candidate> {
        let Some(Algorithm::Aead(kind)) = suite::algorithm(suite) else { return None };
        let key = traffic_key(&secret, kind, suite, version)?;
        Some(Candidate { key, secret: Some(secret) })
    }

    /// The next generation.
    fn next(&self, agreement: &Agreement) -> Option<Candidate> {
        let hash = suite::hash(agreement.suite, agreement.version);
        let mut next = [0; 48];
        let next = &mut next[..hash.len().min(48)];
        hash.expand_label(self.secret?.octets(), b"traffic upd", next);
        Candidate::of_secret(Secret::new(next)?, agreement.suite, agreement.version)
    }
}

/// Record keys of TLS 1.3 from the secrets that were given.
fn tls13_keys(ring: &Keyring, agreement: &Agreement, from_client: bool, epoch: Epoch) -> Vec<Candidate> {
    let label = match (epoch, from_client) {
        (Epoch::EarlyData, true) => Label::ClientEarly,
        (Epoch::Handshake, true) => Label::ClientHandshake,
        (Epoch::Handshake, false) => Label::ServerHandshake,
        (Epoch::Traffic, true) => Label::ClientTraffic,
        (Epoch::Traffic, false) => Label::ServerTraffic,
        _ => return Vec::new(),
    };
    // Early data is sealed with the suite of the session that is resumed: one that is offered.
    let offered = if epoch == Epoch::EarlyData { agreement.offered.as_slice() } else { &[agreement.suite] };
    let version = if epoch == Epoch::EarlyData { ProtocolVersion::TLS13 } else { agreement.version };
    let secrets = ring.keys().find(&agreement.client_random, label);
    secrets
        .flat_map(|secret| offered.iter().map(move |suite| (secret, *suite)))
        .filter(|(secret, suite)| secret.octets().len() == suite::hash(*suite, version).len())
        .filter_map(|(secret, suite)| Candidate::of_secret(*secret, suite, version))
        .collect()
}

/// Key and vector of a traffic secret (RFC 8446 §7.3).
fn traffic_key(secret: &Secret, kind: AeadKind, suite: CipherSuite, version: ProtocolVersion) -> Option<RecordKey> {
    let hash = suite::hash(suite, version);
    let (mut key, mut iv) = ([0; 32], [0; super::cipher::NONCE]);
    let key = &mut key[..kind.key_len()];
    hash.expand_label(secret.octets(), b"key", key);
    hash.expand_label(secret.octets(), b"iv", &mut iv);
    RecordKey::tls13(kind, key, iv, version.draft().is_some_and(|draft| draft < 25))
}

/// Octets of a record's header.
const HEADER: u64 = 5;
/// Octets of the shortest record that a cipher makes, header included: an alert of TLS 1.2 with RC4 and MD5.
const SHORTEST_RECORD: u64 = 23;
/// Octets that the next record may depend on: a block.
const TAIL: usize = 16;
