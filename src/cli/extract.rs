//! Writes what is taken out of a capture below a directory, and the manifest that says where it came from.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::output::Output;
use crate::limits::EXTRACT_OPEN_FILES;
use crate::render::json;
use crate::render::style::counted;
use crate::report::extract::{Entry, Extracted};
use crate::report::{Capture, Content};

/// Takes extracted octets to their files. What is there already is never written over.
pub(super) struct Extraction<'w> {
    out: &'w mut dyn Write,
    folder: PathBuf,
    manifest: BufWriter<File>,
    /// Files under way. At most [`EXTRACT_OPEN_FILES`] are open.
    files: HashMap<String, Option<File>>,
    /// Certificates that were written: many sessions show the same.
    certificates: HashSet<String>,
    counts: [u64; 3],
    incomplete: u64,
}

impl<'w> Extraction<'w> {
    /// Makes the directory and the beginning of its manifest.
    pub(super) fn begin(folder: &Path, out: &'w mut dyn Write) -> io::Result<Extraction<'w>> {
        fs::create_dir_all(folder).map_err(|error| about(folder, &error))?;
        let mut manifest = BufWriter::new(create(&folder.join("manifest.json"))?);
        manifest.write_all(b"{\"files\": [")?;
        Ok(Extraction {
            out,
            folder: folder.to_owned(),
            manifest,
            files: HashMap::new(),
            certificates: HashSet::new(),
            counts: [0; 3],
            incomplete: 0,
        })
    }

    fn write(&mut self, path: &str, octets: &[u8]) -> io::Result<()> {
        if self.certificates.contains(path) {
            return Ok(());
        }
        let whole = self.folder.join(path);
        let slot = match self.files.get_mut(path) {
            Some(slot) => slot,
            None => {
                if let Some(parent) = whole.parent() {
                    fs::create_dir_all(parent).map_err(|error| about(parent, &error))?;
                }
                let file = create(&whole)?;
                if self.files.values().filter(|file| file.is_some()).count() >= EXTRACT_OPEN_FILES {
                    self.files.values_mut().for_each(|file| *file = None);
                }
                self.files.entry(path.to_owned()).or_insert(Some(file))
            }
        };
        let file = match slot {
            Some(file) => file,
            None => slot.insert(OpenOptions::new().append(true).open(&whole).map_err(|error| about(&whole, &error))?),
        };
        file.write_all(octets).map_err(|error| about(&whole, &error))
    }

    fn done(&mut self, entry: &Entry) -> io::Result<()> {
        self.files.remove(&entry.path);
        if entry.kind == "certificate" && !self.certificates.insert(entry.path.clone()) {
            return Ok(());
        }
        let first = self.counts.iter().sum::<u64>() == 0;
        self.manifest.write_all(if first { b"\n" } else { b",\n" })?;
        json::value(&mut self.manifest, entry)?;
        let kind = KINDS.iter().position(|(kind, ..)| *kind == entry.kind).unwrap_or_default();
        self.counts[kind] += 1;
        self.incomplete += u64::from(!entry.complete);
        Ok(())
    }
}

impl Output for Extraction<'_> {
    fn item(&mut self, item: Content) -> io::Result<()> {
        match item {
            Content::Extracted(Extracted::Octets { path, octets }) => self.write(&path, &octets),
            Content::Extracted(Extracted::Done(entry)) => self.done(&entry),
            _ => Ok(()),
        }
    }

    fn finish(&mut self, capture: &Capture, limits: &[String]) -> io::Result<()> {
        self.manifest.write_all(b"\n], \"limits\": ")?;
        json::value(&mut self.manifest, limits)?;
        self.manifest.write_all(b", \"capture\": ")?;
        json::value(&mut self.manifest, capture)?;
        self.manifest.write_all(b"}\n")?;
        self.manifest.flush()?;
        let counts = KINDS.iter().zip(self.counts).map(|((_, one, many), n)| counted(n, one, many));
        let counts = counts.collect::<Vec<_>>().join(", ");
        let folder = crate::bytes::escaped(self.folder.as_os_str().as_encoded_bytes()).to_string();
        writeln!(self.out, "{counts} written to {folder}")?;
        if self.incomplete > 0 {
            let what = counted(self.incomplete, "of them is", "of them are");
            writeln!(self.out, "! {what} incomplete: manifest.json says what is missing")?;
        }
        for limit in limits {
            writeln!(self.out, "! limit reached: {limit}")?;
        }
        self.out.flush()
    }
}

/// A new file; one that is there already is an error.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let message =
                format!("{}: is there already and is not written over; name another directory", path.display());
            io::Error::new(io::ErrorKind::AlreadyExists, message)
        }
        _ => about(path, &error),
    })
}

pub(super) fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Kinds of files, for one and for many.
const KINDS: [(&str, &str, &str); 3] = [
    ("message", "message", "messages"),
    ("attachment", "attachment", "attachments"),
    ("certificate", "certificate", "certificates"),
];
