//! Writes Zeek's logs below a directory, each when its first record comes.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::extract::{about, create};
use super::output::Output;
use crate::bytes::escaped;
use crate::limits::ZEEK_CERTIFICATES;
use crate::render::zeek;
use crate::report::zeek::{Log, Record, Value};
use crate::report::{Capture, Content};
use crate::time::Timestamp;

/// The logs of one capture. What is there already is never written over; a log without a record is not written.
pub(super) struct Logs<'w> {
    out: &'w mut dyn Write,
    folder: PathBuf,
    json: bool,
    /// Fingerprints and roles of the certificates that were written: each is written once.
    certificates: HashSet<Vec<u8>>,
    open: BTreeMap<Log, (BufWriter<File>, u64)>,
    /// The time of the newest record: a log does not read the clock, so that the same capture gives the same logs.
    latest: Timestamp,
}

impl<'w> Logs<'w> {
    /// Makes the directory, and makes sure that no log of Zeek's is in it.
    pub(super) fn begin(folder: &Path, json: bool, out: &'w mut dyn Write) -> io::Result<Logs<'w>> {
        fs::create_dir_all(folder).map_err(|error| about(folder, &error))?;
        for log in Log::ALL {
            let path = folder.join(format!("{}.log", log.path()));
            if path.exists() {
                let message =
                    format!("{}: is there already and is not written over; name another directory", path.display());
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
            }
        }
        Ok(Logs {
            out,
            folder: folder.to_owned(),
            json,
            certificates: HashSet::new(),
            open: BTreeMap::new(),
            latest: Timestamp::from_nanos(0),
        })
    }
}

impl Logs<'_> {
    /// Whether no certificate with this fingerprint was written in the same role: a server's, a client's, an issuer's.
    fn is_new(&mut self, record: &Record) -> bool {
        let Some(Value::Text(fingerprint)) = record.values.get(1) else { return true };
        let mut key = fingerprint.clone();
        key.extend(record.values.iter().rev().take(2).map(|role| u8::from(*role == Value::Bool(true))));
        let is_full = self.certificates.len() >= ZEEK_CERTIFICATES;
        if is_full { !self.certificates.contains(&key) } else { self.certificates.insert(key) }
    }
}

impl Output for Logs<'_> {
    fn item(&mut self, item: Content) -> io::Result<()> {
        let Content::Zeek(record) = item else { return Ok(()) };
        if let Some(Value::Time(time)) = record.values.first() {
            self.latest = self.latest.max(*time);
        }
        if record.log == Log::X509 && !self.is_new(&record) {
            return Ok(());
        }
        if !self.open.contains_key(&record.log) {
            let mut file = BufWriter::new(create(&self.folder.join(format!("{}.log", record.log.path())))?);
            if !self.json {
                zeek::begin(&mut file, record.log, self.latest)?;
            }
            self.open.insert(record.log, (file, 0));
        }
        let Some((file, records)) = self.open.get_mut(&record.log) else { return Ok(()) };
        *records += 1;
        if self.json { zeek::object(file, &record) } else { zeek::line(file, &record) }
    }

    fn pause(&mut self) -> io::Result<()> {
        self.open.values_mut().try_for_each(|(file, _)| file.flush())
    }

    fn finish(&mut self, _: &Capture, limits: &[String]) -> io::Result<()> {
        let mut counts = Vec::new();
        for (log, (file, records)) in &mut self.open {
            if !self.json {
                zeek::end(file, self.latest)?;
            }
            file.flush()?;
            counts.push(format!("{}.log ({records})", log.path()));
        }
        let folder = escaped(self.folder.as_os_str().as_encoded_bytes()).to_string();
        match counts.is_empty() {
            true => writeln!(self.out, "no connection over TCP: no log was written to {folder}")?,
            false => writeln!(self.out, "{} written to {folder}", counts.join(", "))?,
        }
        for limit in limits {
            writeln!(self.out, "! limit reached: {limit}")?;
        }
        self.out.flush()
    }
}
