//! Anomalies as a list, and the catalogue that says what they mean.

use std::cmp::Reverse;
use std::io::{self, Write};

use serde::Serialize;

use super::report::{Look, places};
use super::style::{Label, counted, grouped, wrapped};
use crate::bytes::escaped;
use crate::report::catalogue::{CATALOGUE, Entry, Severity};
use crate::report::{Anomaly, Evidence};

/// What was found, by severity.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Sessions that were looked at.
    pub sessions: u64,
    /// Those of them with anomalies.
    pub odd_sessions: u64,
    /// Anomalies listed, by [`Severity`].
    pub listed: [u64; 4],
    /// Anomalies beyond those that are kept of a session.
    pub beyond: u64,
}

impl Tally {
    /// Counts a session and its anomalies.
    pub fn add(&mut self, anomalies: &[Anomaly], beyond: u64) {
        self.sessions += 1;
        self.odd_sessions += u64::from(!anomalies.is_empty());
        self.beyond += beyond;
        for anomaly in anomalies {
            self.listed[anomaly.severity as usize] += 1;
        }
    }
}

/// Anomalies of a session that are told in the same words.
#[derive(Debug)]
pub struct Kind<'a> {
    /// The first of them.
    pub first: &'a Anomaly,
    /// How many there are.
    pub times: u64,
    /// Where they all show.
    pub evidence: Vec<Evidence>,
}

/// The anomalies of one session, those of one kind together, the gravest first.
#[must_use]
pub fn kinds(anomalies: &[Anomaly]) -> Vec<Kind<'_>> {
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    for anomaly in anomalies {
        match kinds.iter_mut().find(|kind| kind.first.text == anomaly.text) {
            Some(kind) => {
                kind.times += 1;
                kind.evidence.extend(anomaly.evidence.iter().cloned());
            }
            None => kinds.push(Kind { first: anomaly, times: 1, evidence: anomaly.evidence.clone() }),
        }
    }
    kinds.sort_by_key(|kind| Reverse(kind.first.severity));
    kinds
}

/// Prints the anomalies of a session, those of one kind in a line; a longer sentence goes on below
/// itself.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, anomalies: &[Anomaly], look: Look) -> io::Result<()> {
    for Kind { first, times, evidence } in kinds(anomalies) {
        let name = format!("{:<8}  {:<id$}  {:>7}", first.severity, first.id, first.session, id = id_width());
        let room = look.width.saturating_sub(name.len() + 2 + 2 + ASIDE).max(24);
        let again = if times > 1 { format!(", {} times", grouped(times)) } else { String::new() };
        let text = format!("{}{again}", escaped(first.text.as_bytes()));
        for (i, line) in wrapped(&text, room).iter().enumerate() {
            let (name, place) = match i {
                0 => (name.clone(), places(&evidence)),
                _ => (" ".repeat(name.len()), String::new()),
            };
            let padding = room.saturating_sub(line.chars().count());
            let row = format!(
                "{}  {line}{:padding$}  {}",
                look.painter.paint(label(first.severity), name),
                "",
                look.painter.paint(Label::Aside, place)
            );
            writeln!(out, "{}", row.trim_end())?;
        }
    }
    Ok(())
}

/// Prints the headings of the columns of [`write()`].
///
/// # Errors
/// When `out` cannot be written.
pub fn headings(out: &mut dyn Write, look: Look) -> io::Result<()> {
    let text = format!("{:<8}  {:<id$}  {:>7}  What", "Severity", "Name", "Session", id = id_width());
    writeln!(out, "{}", look.painter.paint(Label::Heading, text))
}

/// Prints the sums.
///
/// # Errors
/// When `out` cannot be written.
pub fn totals(out: &mut dyn Write, tally: &Tally) -> io::Result<()> {
    let all: u64 = tally.listed.iter().sum();
    if all == 0 {
        return writeln!(out, "No anomalies in {}.", counted(tally.sessions, "session", "sessions"));
    }
    let by_severity: Vec<String> = Severity::ALL
        .iter()
        .rev()
        .map(|severity| (severity, tally.listed[*severity as usize]))
        .filter(|(_, n)| *n > 0)
        .map(|(severity, n)| format!("{n} {severity}"))
        .collect();
    writeln!(
        out,
        "{} in {} of {}: {}",
        counted(all, "anomaly", "anomalies"),
        tally.odd_sessions,
        counted(tally.sessions, "session", "sessions"),
        by_severity.join(", ")
    )?;
    if tally.beyond > 0 {
        writeln!(out, "! limit reached: {} more are not listed", counted(tally.beyond, "anomaly", "anomalies"))?;
    }
    Ok(())
}

/// Prints what the catalogue says of one anomaly.
///
/// # Errors
/// When `out` cannot be written.
pub fn explain(out: &mut dyn Write, entry: &Entry, look: Look) -> io::Result<()> {
    let severity = look.painter.paint(label(entry.severity), entry.severity);
    writeln!(out, "{}  ({severity})\n", look.painter.paint(Label::Heading, entry.id))?;
    for text in [entry.sentence, entry.meaning] {
        for line in wrapped(text, look.width.saturating_sub(4).min(96)) {
            writeln!(out, "  {line}")?;
        }
        writeln!(out)?;
    }
    writeln!(out, "  {}", look.painter.paint(Label::Aside, format!("Source: {}", entry.source)))
}

/// Prints the catalogue: a line or two for each anomaly.
///
/// # Errors
/// When `out` cannot be written.
pub fn catalogue(out: &mut dyn Write, look: Look) -> io::Result<()> {
    let indent = 8 + 2 + id_width() + 2;
    for entry in CATALOGUE {
        let name = format!("{:<8}  {:<id$}", entry.severity, entry.id, id = id_width());
        for (i, line) in wrapped(entry.sentence, look.width.saturating_sub(indent).max(24)).iter().enumerate() {
            if i == 0 {
                writeln!(out, "{}  {line}", look.painter.paint(label(entry.severity), &name))?;
            } else {
                writeln!(out, "{:indent$}{line}", "")?;
            }
        }
    }
    Ok(())
}

/// Writes the catalogue, or one entry of it, as JSON.
///
/// # Errors
/// When `out` cannot be written.
pub fn json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}

fn label(severity: Severity) -> Label {
    match severity {
        Severity::High => Label::Alarm,
        Severity::Medium => Label::Seen,
        Severity::Low | Severity::Info => Label::Aside,
    }
}

/// The longest name of the catalogue.
fn id_width() -> usize {
    CATALOGUE.iter().map(|entry| entry.id.len()).max().unwrap_or_default()
}

/// The width of the column of places.
const ASIDE: usize = 18;
