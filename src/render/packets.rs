//! The packet list: one line a packet, streaming.

use std::io::{self, Write};

use serde::Serialize;

use super::json;
use super::style::{Label, Painter};
use crate::bytes::escaped;
use crate::report::Row;

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Columns for a person.
    Text,
    /// Seven columns between tabs, in the words of `tshark -n`.
    Tsv,
    /// An object a line.
    Json,
}

/// Prints rows as they come.
#[derive(Debug)]
pub struct Packets<W> {
    out: W,
    format: Format,
    painter: Painter,
    width: Option<usize>,
    begun: bool,
}

impl<W: Write> Packets<W> {
    /// A printer; `width` cuts text rows to a terminal's columns (with a sign), `None` never cuts.
    pub fn new(out: W, format: Format, painter: Painter, width: Option<usize>) -> Packets<W> {
        Packets { out, format, painter, width, begun: false }
    }

    /// Prints a row.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn row(&mut self, row: &Row) -> io::Result<()> {
        match self.format {
            Format::Text => self.text(row),
            Format::Tsv => writeln!(
                self.out,
                "{}\t{}\t{}\t{}\t{}\t{}\t{}",
                row.number,
                row.time.decimals(row.decimals),
                row.source,
                row.destination,
                row.protocol,
                row.length,
                row.info
            ),
            Format::Json => json::line(&mut self.out, &JsonRow::of(row)),
        }
    }

    /// Hands what was printed on.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn text(&mut self, row: &Row) -> io::Result<()> {
        if !self.begun {
            self.begun = true;
            let header = format!(
                "{:>5}  {:<12}  {:<15}  {:<15}  {:<8}  {:>6}  {}",
                "No.", "Time", "Source", "Destination", "Protocol", "Length", "Info"
            );
            writeln!(self.out, "{}", self.painter.paint(Label::Heading, header))?;
        }
        let mut info = escaped(row.info.as_bytes()).to_string();
        let note = row.note.as_deref().unwrap_or("");
        let mut head = format!(
            "{:>5}  {:<12}  {:<15}  {:<15}  {:<8}  {:>6}  ",
            row.number,
            row.time.decimals(row.decimals).to_string(),
            row.source,
            row.destination,
            row.protocol,
            row.length
        );
        let note_width = if note.is_empty() { 0 } else { note.chars().count() + 2 };
        if let Some(width) = self.width {
            let room = width.saturating_sub(head.chars().count() + note_width).max(16);
            if info.chars().count() > room {
                info = info.chars().take(room - 1).chain(['…']).collect();
            }
        }
        let label = match row.protocol {
            "SMTP" | "SMTP/IMF" => Label::Seen,
            p if p.starts_with("TLS") || p.starts_with("SSL") => Label::Sealed,
            _ => Label::Aside,
        };
        if matches!(label, Label::Aside) {
            head.push_str(&info);
            write!(self.out, "{head}")?;
        } else {
            write!(self.out, "{head}{}", self.painter.paint(label, info))?;
        }
        if !note.is_empty() {
            write!(self.out, "  {}", self.painter.paint(Label::Inferred, escaped(note.as_bytes())))?;
        }
        self.out.write_all(b"\n")
    }
}

#[derive(Serialize)]
struct JsonRow<'a> {
    number: u64,
    time: f64,
    epoch: f64,
    source: &'a str,
    destination: &'a str,
    protocol: &'a str,
    length: u32,
    info: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observer: Option<&'a str>,
}

impl<'a> JsonRow<'a> {
    fn of(row: &'a Row) -> JsonRow<'a> {
        let scale = 10f64.powi(row.decimals as i32);
        JsonRow {
            number: row.number,
            time: (row.time.nanos() as f64 / 1e9 * scale).round() / scale,
            epoch: row.epoch.seconds(),
            source: &row.source,
            destination: &row.destination,
            protocol: row.protocol,
            length: row.length,
            info: &row.info,
            session: row.session,
            observer: row.note.as_deref(),
        }
    }
}
