//! What the openers of one worker share: keys and buffers.

use std::collections::HashMap;

use crate::limits;

use super::key_log::{Keys, Secret};
use super::opener::OpenedRecord;

/// Keys, and the memory that records are opened in.
#[derive(Debug, Default)]
pub struct Keyring {
    keys: Keys,
    /// The plaintext of the record that was opened last.
    pub(super) plain: Vec<u8>,
    /// Buffers for records under way.
    spare: Vec<Vec<u8>>,
    /// Master secrets that a server's key opened, by session id or ticket: a later session may be resumed.
    sessions: HashMap<Vec<u8>, Secret>,
}

impl Keyring {
    /// With these keys.
    #[must_use]
    pub fn new(keys: Keys) -> Keyring {
        Keyring { keys, ..Keyring::default() }
    }

    /// Takes other keys: those that were there, and more.
    pub fn set_keys(&mut self, keys: Keys) {
        self.keys = keys;
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The contents of the record that was opened last.
    #[must_use]
    pub fn plaintext(&self, record: &OpenedRecord) -> &[u8] {
        self.plain.get(record.range.clone()).unwrap_or_default()
    }

    pub(super) fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    pub(super) fn give_back(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() > 0 && self.spare.len() < limits::TLS_SPARE_BUFFERS {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    pub(super) fn remember(&mut self, name: Vec<u8>, master: Secret) {
        let known = self.sessions.len() < limits::TLS_REMEMBERED_SESSIONS;
        if !name.is_empty() && (known || self.sessions.contains_key(&name)) {
            self.sessions.insert(name, master);
        }
    }

    pub(super) fn remembered(&self, name: &[u8]) -> Option<Secret> {
        if name.is_empty() { None } else { self.sessions.get(name).copied() }
    }
}
