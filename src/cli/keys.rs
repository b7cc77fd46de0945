//! Keys that the user gives: key logs, private keys, and what the capture itself carries.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::plan::Plan;
use crate::capture::{Info, SecretsKind};
use crate::tls::{KeyLog, Keys, ServerKey};

/// Where keys come from. Some may come while the capture is read.
pub(super) struct KeySource {
    keys: Keys,
    /// Key logs that may grow while packets are sniffed, and the beginning of a line that is not whole yet.
    growing: Vec<(File, Vec<u8>)>,
    /// Whether what the capture carries is left alone.
    ignores_capture: bool,
    /// Blocks of the capture that were looked at.
    taken: usize,
    /// Whether there is something that the workers do not have yet.
    news: bool,
}

impl KeySource {
    /// Reads what the plan names. `live`: key logs are read on as they grow.
    pub(super) fn open(plan: &Plan, live: bool) -> Result<KeySource> {
        let mut source = KeySource {
            keys: Keys::default(),
            growing: Vec::new(),
            ignores_capture: plan.no_keys,
            taken: 0,
            news: !plan.keys.is_empty(),
        };
        for path in &plan.keys {
            let mut file =
                File::open(path).with_context(|| format!("the key log {} cannot be opened", path.display()))?;
            let mut rest = Vec::new();
            let mut log = KeyLog::default();
            read_lines(&mut file, &mut rest, &mut log)
                .with_context(|| format!("the key log {} cannot be read", path.display()))?;
            if live {
                source.growing.push((file, rest));
            } else {
                log.read(&rest);
                if log.secrets() == 0 && log.not_understood() > 0 {
                    bail!("{} is no key log: none of its lines is one, such as `CLIENT_RANDOM …`", path.display());
                }
            }
            source.keys.add(log);
        }
        for path in &plan.server_keys {
            source.keys.add_server(server_key(path)?);
            source.news = true;
        }
        Ok(source)
    }

    /// The keys, where there are more than the last time: of the capture as far as it was read, and of
    /// key logs that have grown.
    pub(super) fn news(&mut self, capture: &Info) -> Option<Keys> {
        for secrets in capture.secrets.get(self.taken..).unwrap_or_default() {
            if secrets.kind == SecretsKind::TLS_KEY_LOG && !self.ignores_capture {
                let mut log = KeyLog::default();
                log.read(&secrets.data);
                self.keys.add(log);
                self.news = true;
            }
        }
        self.taken = capture.secrets.len();
        for (file, rest) in &mut self.growing {
            let mut log = KeyLog::default();
            // A log that cannot be read any more brings no keys; those that it brought stay.
            if read_lines(file, rest, &mut log).is_ok() && log.secrets() + log.not_understood() > 0 {
                self.keys.add(log);
                self.news = true;
            }
        }
        std::mem::take(&mut self.news).then(|| self.keys.clone())
    }

    /// What is to be told where secrets were left out.
    pub(super) fn limit(&self) -> Option<String> {
        let (left_out, most) = (self.keys.not_kept(), crate::limits::KEY_LOG_SECRETS);
        (left_out > 0).then(|| format!("{most} secrets of key logs are kept at most: {left_out} were left out"))
    }

    /// Lines of key logs that are no such lines.
    pub(super) fn not_understood(&self) -> u64 {
        self.keys.not_understood()
    }
}

/// Reads whole lines up to the present end of the file; the beginning of another stays in `rest`.
fn read_lines(file: &mut File, rest: &mut Vec<u8>, log: &mut KeyLog) -> std::io::Result<()> {
    loop {
        let read = file.by_ref().take(PIECE_OCTETS).read_to_end(rest)?;
        if read == 0 {
            return Ok(());
        }
        let whole = memchr::memrchr(b'\n', rest).map_or(0, |end| end + 1);
        log.read(&rest[..whole]);
        rest.drain(..whole);
        if rest.len() > LONGEST_LINE {
            // No line of a key log: it is told as one that was not understood.
            log.read(&rest[..1]);
            rest.clear();
        }
    }
}

fn server_key(path: &Path) -> Result<ServerKey> {
    let mut octets = Vec::new();
    let file = File::open(path).with_context(|| format!("the key {} cannot be opened", path.display()))?;
    file.take(MAX_KEY_OCTETS)
        .read_to_end(&mut octets)
        .with_context(|| format!("the key {} cannot be read", path.display()))?;
    ServerKey::read(&octets).with_context(|| format!("{} cannot be used as the server's key", path.display()))
}

/// Octets of a key log that are read at once.
const PIECE_OCTETS: u64 = 1 << 20;
/// Lines of key logs have some hundred octets; a configuration of ECH may have some thousand.
const LONGEST_LINE: usize = 1 << 18;
/// Private keys, certificates beside them included, have some thousand octets.
const MAX_KEY_OCTETS: u64 = 1 << 20;
