//! How each statement on a session follows, step by step, and what would close its leaks.

use std::io::{self, Write};

use super::report::{Look, places, title_of};
use super::style::{Label, counted, wrapped};
use crate::bytes::escaped;
use crate::report::{Advice, Exposure, Inferred, Session, Step};

/// Prints what a session gives away and why.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, session: &Session, look: Look) -> io::Result<()> {
    let title = format!("Session {} · {}", session.session, escaped(title_of(session).as_bytes()));
    for line in wrapped(&title, look.width) {
        writeln!(out, "{}", look.painter.paint(Label::Heading, line))?;
    }
    if let Some(inferred) = session.inferred.as_ref().filter(|inferred| !inferred.steps.is_empty()) {
        writeln!(out)?;
        steps(out, inferred, session, look)?;
    }
    writeln!(out)?;
    findings(out, session, look)?;
    if !session.advice.is_empty() {
        writeln!(out)?;
        advice(out, &session.advice, look)?;
    }
    Ok(())
}

/// The sealed records one by one: octets, text, reading.
fn steps(out: &mut dyn Write, inferred: &Inferred, session: &Session, look: Look) -> io::Result<()> {
    heading(out, look, "The sealed records, one by one")?;
    let suite = session.tls.as_ref().and_then(|tls| tls.cipher.as_deref()).unwrap_or("TLS 1.3, if it is that,");
    let speaks = |from: &&str| inferred.steps.iter().any(|step| step.from == *from);
    let sides: Vec<_> =
        ["client", "server"].into_iter().filter(speaks).map(|from| always_around(inferred, from)).collect();
    let words = match sides[..] {
        [Some(client), Some(server)] if client != server => format!(
            "{suite}: {client} octets are around each text of the client, {server} around each of the server, padding \
             among them, so that the length of a record tells that of its text."
        ),
        [Some(octets)] | [Some(octets), _] if !sides.contains(&None) => {
            format!(
                "{suite} puts {octets} octets around each text, so that the length of a record tells that of its text."
            )
        }
        _ => format!("{suite}: the length of a record tells that of its text within some octets."),
    };
    paragraph(out, look, 2, 2, &words, None)?;
    for step in &inferred.steps {
        let packets = match step.packets.as_slice() {
            [] => String::new(),
            [one] => format!(", packet {one}"),
            [first, .., last] => format!(", packets {first}-{last}"),
        };
        let text = step.plaintext_length.map_or_else(String::new, |length| format!(", {length} of text"));
        let line = format!("record {:>3}  {:<6}  {} octets{text}{packets}", step.record, step.from, step.length);
        writeln!(out, "  {}", look.painter.paint(Label::Aside, line))?;
        if let Some(reading) = &step.reading {
            let mut words = format!("{reading}{}", step.confidence.map_or_else(String::new, share));
            if let Some(reason) = &step.reason {
                words.push_str(&format!(": {reason}"));
            }
            let rivals: Vec<String> =
                step.rivals.iter().map(|rival| format!("{}{}", rival.reading, share(rival.confidence))).collect();
            if !rivals.is_empty() {
                words.push_str(&format!("; or {}", rivals.join(", ")));
            }
            paragraph(out, look, 14, 16, &words, None)?;
        }
    }
    if inferred.steps_dropped > 0 {
        writeln!(out, "  … and {}", counted(inferred.steps_dropped, "record more", "records more"))?;
    }
    for why in &inferred.undecided {
        paragraph(out, look, 2, 4, &format!("! {why}"), Some(Label::Alarm))?;
    }
    Ok(())
}

/// Octets around the text of each record of one side, where they are always as many.
fn always_around(inferred: &Inferred, from: &str) -> Option<u64> {
    let mut all = inferred.steps.iter().filter(|step| step.from == from).map(around);
    let first = all.next()?;
    first.filter(|_| all.all(|octets| octets == first))
}

/// Octets around the text of a record, where its length is known exactly.
fn around(step: &Step) -> Option<u64> {
    let length = step.plaintext_length.filter(|length| length.min == length.max)?;
    u64::from(step.length).checked_sub(length.min)
}

fn share(confidence: f64) -> String {
    format!(" ({:.0} %)", (confidence * 100.0).floor())
}

/// Each finding with the sentence that says why.
fn findings(out: &mut dyn Write, session: &Session, look: Look) -> io::Result<()> {
    heading(out, look, "What is given away, and why")?;
    for (visibility, label) in [("seen", Label::Seen), ("inferred", Label::Inferred), ("hidden", Label::Hidden)] {
        let of = |finding: &&Exposure| finding.listed && finding.visibility == Some(visibility);
        let mut findings = session.exposure.iter().filter(of).peekable();
        while let Some(finding) = findings.next() {
            let mut words = format!("{visibility:<8}  {}: {}", finding.subject, escaped(finding.text.as_bytes()));
            let places = places(&finding.evidence);
            if !places.is_empty() {
                words.push_str(&format!(" ({places})"));
            }
            paragraph(out, look, 2, 12, &words, Some(label))?;
            // Findings that have one reason have it once, below the last of them.
            if findings.peek().is_none_or(|next| next.why != finding.why) {
                paragraph(out, look, 12, 12, &finding.why, None)?;
            }
        }
    }
    Ok(())
}

fn advice(out: &mut dyn Write, all: &[Advice], look: Look) -> io::Result<()> {
    heading(out, look, "What would close it")?;
    for advice in all {
        paragraph(out, look, 2, 4, &format!("- {}", advice.leak), Some(Label::Alarm))?;
        paragraph(out, look, 4, 4, &format!("{} ({})", advice.close, advice.source), None)?;
    }
    Ok(())
}

fn heading(out: &mut dyn Write, look: Look, words: &str) -> io::Result<()> {
    writeln!(out, "{}\n", look.painter.paint(Label::Heading, words))
}

/// Words wrapped to the width, the first line `first` columns from the left, the others `rest`.
fn paragraph(
    out: &mut dyn Write,
    look: Look,
    first: usize,
    rest: usize,
    words: &str,
    label: Option<Label>,
) -> io::Result<()> {
    let width = look.width.saturating_sub(first.max(rest)).max(24);
    for (nth, line) in wrapped(words, width).iter().enumerate() {
        let indent = if nth == 0 { first } else { rest };
        match label {
            Some(label) => writeln!(out, "{:indent$}{}", "", look.painter.paint(label, line))?,
            None => writeln!(out, "{:indent$}{line}", "")?,
        }
    }
    Ok(())
}
