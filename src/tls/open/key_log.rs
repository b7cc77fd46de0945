//! Key logs: the lines that browsers, mail programs and TLS libraries write where `SSLKEYLOGFILE` is set.
//!
//! ```text
//! CLIENT_RANDOM <client random> <master secret>                TLS up to 1.2
//! CLIENT_TRAFFIC_SECRET_0 <client random> <traffic secret>     TLS 1.3, and so on
//! ```
//!
//! RFC 9850 describes them; what older programs wrote (`RSA`, `PMS_CLIENT_RANDOM`) is read too.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::limits;

/// What a secret is for: the label of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Label {
    /// The master secret of TLS up to 1.2.
    Master,
    /// What that is made of.
    PreMaster,
    ClientEarly,
    ClientHandshake,
    ServerHandshake,
    ClientTraffic,
    ServerTraffic,
}

/// A secret of up to 64 octets. It never prints.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Secret {
    octets: [u8; Secret::MAX],
    length: u8,
}

impl Secret {
    /// What the largest hash that is in use gives.
    const MAX: usize = 64;

    pub(super) fn new(octets: &[u8]) -> Option<Secret> {
        let mut secret = Secret { octets: [0; Secret::MAX], length: octets.len() as u8 };
        secret.octets.get_mut(..octets.len())?.copy_from_slice(octets);
        Some(secret)
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets[..usize::from(self.length)]
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} octets)", self.length)
    }
}

/// Secrets out of key logs, found by what a session shows of itself.
#[derive(Clone, Debug, Default)]
pub struct KeyLog {
    /// By the client's random.
    sessions: HashMap<[u8; 32], Vec<(Label, Secret)>>,
    /// Master secrets by session id.
    by_session_id: HashMap<Vec<u8>, Secret>,
    /// Pre-master secrets by the first octets of what they were encrypted to.
    encrypted: HashMap<[u8; 8], Secret>,
    secrets: u64,
    not_understood: u64,
    not_kept: u64,
}

impl KeyLog {
    /// Takes the lines of a key log: in order, whole lines together. What is no such line is only counted.
    pub fn read(&mut self, text: &[u8]) {
        for line in text.split(|octet| *octet == b'\n') {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            if self.line(line).is_none() {
                self.not_understood += 1;
            }
        }
    }

    /// Secrets that can open something.
    #[must_use]
    pub fn secrets(&self) -> u64 {
        self.secrets
    }

    /// Lines that are no lines of a key log: cut, damaged, or something else altogether.
    #[must_use]
    pub fn not_understood(&self) -> u64 {
        self.not_understood
    }

    /// Secrets that were left out because of `limits::KEY_LOG_SECRETS`.
    #[must_use]
    pub fn not_kept(&self) -> u64 {
        self.not_kept
    }

    fn line(&mut self, line: &[u8]) -> Option<()> {
        let mut words = line.split(|octet| octet.is_ascii_whitespace()).filter(|word| !word.is_empty());
        let (label, name, value) = (words.next()?, words.next()?, words.next()?);
        if words.next().is_some() {
            return None;
        }
        let kind = match label {
            b"CLIENT_RANDOM" => Label::Master,
            b"PMS_CLIENT_RANDOM" => Label::PreMaster,
            b"CLIENT_EARLY_TRAFFIC_SECRET" => Label::ClientEarly,
            b"CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Label::ClientHandshake,
            b"SERVER_HANDSHAKE_TRAFFIC_SECRET" => Label::ServerHandshake,
            b"CLIENT_TRAFFIC_SECRET_0" => Label::ClientTraffic,
            b"SERVER_TRAFFIC_SECRET_0" => Label::ServerTraffic,
            b"RSA" => return self.rsa_line(name, value),
            // What exporters and encrypted hellos use opens no record.
            b"EXPORTER_SECRET" | b"EARLY_EXPORTER_SECRET" | b"ECH_SECRET" | b"ECH_CONFIG" => {
                return (hex(name).is_some() && hex(value).is_some()).then_some(());
            }
            _ => return None,
        };
        let random: [u8; 32] = hex(name)?.try_into().ok()?;
        let octets = hex(value)?;
        let fits = match kind {
            Label::Master => octets.len() == MASTER_SECRET,
            Label::PreMaster => !octets.is_empty(),
            _ => matches!(octets.len(), 32 | 48),
        };
        let secret = Secret::new(&octets).filter(|_| fits)?;
        if self.is_full() {
            return Some(());
        }
        let known = self.sessions.entry(random).or_default();
        let of_kind = known.iter().filter(|(label, _)| *label == kind);
        if of_kind.clone().any(|(_, other)| *other == secret) || of_kind.count() >= limits::KEY_LOG_CANDIDATES {
            return Some(());
        }
        known.push((kind, secret));
        self.secrets += 1;
        Some(())
    }

    /// `RSA <8 octets of the encrypted pre-master secret> <pre-master secret>`, or what OpenSSL once
    /// printed: `RSA Session-ID:<id> Master-Key:<master secret>`.
    fn rsa_line(&mut self, name: &[u8], value: &[u8]) -> Option<()> {
        let session = name.strip_prefix(b"Session-ID:").zip(value.strip_prefix(b"Master-Key:"));
        let octets = hex(session.map_or(value, |(_, key)| key))?;
        let secret = Secret::new(&octets).filter(|_| octets.len() == MASTER_SECRET)?;
        match session {
            Some((id, _)) => {
                let id = hex(id).filter(|id| !id.is_empty() && id.len() <= 32)?;
                if !self.is_full() && self.by_session_id.insert(id, secret).is_none() {
                    self.secrets += 1;
                }
            }
            None => {
                let first: [u8; 8] = hex(name)?.try_into().ok()?;
                if !self.is_full() && self.encrypted.insert(first, secret).is_none() {
                    self.secrets += 1;
                }
            }
        }
        Some(())
    }

    fn is_full(&mut self) -> bool {
        let full = self.secrets >= limits::KEY_LOG_SECRETS;
        self.not_kept += u64::from(full);
        full
    }

    fn merge(&mut self, other: &KeyLog) {
        for (random, secrets) in &other.sessions {
            let known = self.sessions.entry(*random).or_default();
            known.extend(secrets.iter().filter(|secret| !known.contains(secret)).copied().collect::<Vec<_>>());
        }
        self.by_session_id.extend(other.by_session_id.iter().map(|(id, secret)| (id.clone(), *secret)));
        self.encrypted.extend(other.encrypted.iter().map(|(first, secret)| (*first, *secret)));
        self.secrets += other.secrets;
        self.not_understood += other.not_understood;
        self.not_kept += other.not_kept;
    }
}

/// All keys that were given, cheap to hand on: a snapshot that does not change any more.
///
/// Secrets may turn up while a capture is read. Each addition is a part of its own, and parts are
/// put together when they are of like size, so that many small ones cost no more than one large one.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    parts: Vec<Arc<KeyLog>>,
    servers: Arc<Vec<super::ServerKey>>,
    version: u32,
}

impl Keys {
    /// Adds the secrets of a key log.
    pub fn add(&mut self, log: KeyLog) {
        self.version += 1;
        let mut added = log;
        while let Some(last) = self.parts.last()
            && last.secrets / 2 <= added.secrets
        {
            added.merge(last);
            self.parts.pop();
        }
        self.parts.push(Arc::new(added));
    }

    /// Adds a server's private key.
    pub fn add_server(&mut self, key: super::ServerKey) {
        self.version += 1;
        Arc::make_mut(&mut self.servers).push(key);
    }

    /// Whether there is nothing that could open anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.secrets() == 0 && self.servers.is_empty()
    }

    /// Secrets of all key logs.
    #[must_use]
    pub fn secrets(&self) -> u64 {
        self.parts.iter().map(|part| part.secrets).sum()
    }

    /// Lines of all key logs that were not understood.
    #[must_use]
    pub fn not_understood(&self) -> u64 {
        self.parts.iter().map(|part| part.not_understood).sum()
    }

    /// Secrets of all key logs that were left out because of a limit.
    #[must_use]
    pub fn not_kept(&self) -> u64 {
        self.parts.iter().map(|part| part.not_kept).sum()
    }

    /// Changes with every addition.
    pub(super) fn version(&self) -> u32 {
        self.version
    }

    pub(super) fn servers(&self) -> &[super::ServerKey] {
        &self.servers
    }

    /// Whether anything is known of the session with this client random.
    pub(super) fn knows(&self, random: &[u8; 32]) -> bool {
        self.parts.iter().any(|part| part.sessions.contains_key(random))
    }

    /// The secrets of one kind for the session with this client random.
    pub(super) fn find(&self, random: &[u8; 32], label: Label) -> impl Iterator<Item = &Secret> {
        let sessions = self.parts.iter().filter_map(move |part| part.sessions.get(random));
        sessions.flatten().filter(move |(kind, _)| *kind == label).map(|(_, secret)| secret)
    }

    /// The master secrets of the session with this id.
    pub(super) fn by_session_id(&self, id: &[u8]) -> impl Iterator<Item = &Secret> {
        self.parts.iter().filter_map(move |part| part.by_session_id.get(id))
    }

    /// The pre-master secrets whose encrypted form begins so.
    pub(super) fn encrypted(&self, first: [u8; 8]) -> impl Iterator<Item = &Secret> {
        self.parts.iter().filter_map(move |part| part.encrypted.get(&first))
    }
}

/// Octets of a master secret (RFC 5246 §8.1), and of the pre-master secret of RSA.
pub(super) const MASTER_SECRET: usize = 48;

fn hex(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    // No value in a line is longer than a configuration of ECH.
    if pairs.len() > 1 << 16 {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// Fuzz body: any octets as a key log.
pub fn fuzz_key_log(data: &[u8]) {
    let mut log = KeyLog::default();
    log.read(data);
    let lines = data.split(|octet| *octet == b'\n').count() as u64;
    assert!(log.secrets() + log.not_understood() <= lines);
    let mut keys = Keys::default();
    let (first, second) = data.split_at(data.len() / 2);
    for part in [first, second, data] {
        let mut log = KeyLog::default();
        log.read(part);
        keys.add(log);
    }
    for random in log.sessions.keys() {
        assert!(keys.knows(random));
        for label in [Label::Master, Label::PreMaster, Label::ClientEarly, Label::ServerTraffic] {
            assert!(keys.find(random, label).all(|secret| secret.octets().len() <= Secret::MAX));
        }
    }
    assert!(!format!("{keys:?}").contains("octets: ["), "secrets do not print");
}
