//! Frames in hex: offset, octets, ASCII, and the name of every range beside them.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::style::{Label as Paint, Painter};
use crate::bytes::escaped;
use crate::report::{HexFrame, Label, NamedRange};

/// How a dump looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Colours or not.
    pub painter: Painter,
    /// Whether secrets are shown.
    pub reveal: bool,
}

/// Prints a frame.
///
/// Each row is an offset, sixteen octets in hex, a mark and the octets as ASCII. The mark and the
/// ASCII tell clear from sealed without colour: `│` clear, `▒` sealed; sealed octets are `▒` in the
/// ASCII column, for what they would show as text means nothing.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, frame: &HexFrame, look: Look) -> io::Result<()> {
    let cut = if (frame.bytes.len() as u64) < u64::from(frame.original_len) {
        format!(" ({} captured)", frame.bytes.len())
    } else {
        String::new()
    };
    let title = format!(
        "Frame {} · {} octets{cut} · {} s · {}",
        frame.number,
        frame.original_len,
        frame.time.decimals(frame.decimals),
        escaped(frame.parties.as_bytes())
    );
    writeln!(out, "{}\n", look.painter.paint(Paint::Heading, title))?;
    let labels = frame.labels();
    let mut ranges = frame.ranges.iter().filter(|range| !range.name.is_empty()).peekable();
    for (row, octets) in frame.bytes.chunks(16).enumerate() {
        let at = row * 16;
        let row_labels = &labels[at..at + octets.len()];
        let mut hex = String::new();
        let mut ascii = String::new();
        for (i, (octet, label)) in octets.iter().zip(row_labels).enumerate() {
            if i == 8 {
                hex.push(' ');
            }
            let (text, glyph) = shown(*octet, *label, look.reveal);
            let paint = paint_of(*label);
            let _ = write!(hex, " {}", look.painter.paint(paint, text));
            let _ = write!(ascii, "{}", look.painter.paint(paint, glyph));
        }
        let missing = 16 - octets.len();
        let padding = missing * 3 + usize::from(octets.len() <= 8);
        let sealed = row_labels.iter().filter(|l| **l == Label::Sealed).count();
        let mark = if sealed == 0 {
            "│"
        } else if sealed == octets.len() {
            "▒"
        } else {
            "╎"
        };
        let mut beside = Vec::new();
        while let Some(range) = ranges.next_if(|range| range.range.start < at + 16) {
            beside.push(named(range));
        }
        let line = format!(
            "{at:04x} {hex}{:padding$}  {mark} {ascii}{:missing$}   {}",
            "",
            "",
            look.painter.paint(Paint::Aside, beside.join(" · "))
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    if let Some(stop) = &frame.stop {
        writeln!(out, "\n{}", look.painter.paint(Paint::Alarm, escaped(stop.as_bytes())))?;
    }
    let has = |label| labels.contains(&label);
    let mut legend = Vec::new();
    if has(Label::Sealed) {
        legend.push("▒ sealed");
    }
    if has(Label::Clear) {
        legend.push("│ clear");
    }
    if has(Label::Secret) && !look.reveal {
        legend.push("•• a secret in the clear (--reveal shows it)");
    }
    if !legend.is_empty() {
        writeln!(out, "\n{}", look.painter.paint(Paint::Aside, legend.join("   ")))?;
    }
    Ok(())
}

/// `TCP 34-65: 465 → 65490, PSH ACK`: what it is, where, and what it says.
fn named(range: &NamedRange) -> String {
    let name = escaped(range.name.as_bytes()).to_string();
    let (what, says) = name.split_once(": ").map_or((name.as_str(), ""), |(what, says)| (what, says));
    let (first, last) = (range.range.start, range.range.end.saturating_sub(1).max(range.range.start));
    let place = if first == last { first.to_string() } else { format!("{first}-{last}") };
    if says.is_empty() { format!("{what} {place}") } else { format!("{what} {place}: {says}") }
}

fn shown(octet: u8, label: Label, reveal: bool) -> (String, char) {
    match label {
        Label::Secret if !reveal => ("••".to_owned(), '•'),
        Label::Sealed => (format!("{octet:02x}"), '▒'),
        _ if octet.is_ascii_graphic() || octet == b' ' => (format!("{octet:02x}"), char::from(octet)),
        _ => (format!("{octet:02x}"), '.'),
    }
}

fn paint_of(label: Label) -> Paint {
    match label {
        Label::Header | Label::Other => Paint::Aside,
        Label::Clear => Paint::Seen,
        Label::Secret => Paint::Alarm,
        Label::Sealed => Paint::Sealed,
    }
}
