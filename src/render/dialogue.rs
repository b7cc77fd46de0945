//! A conversation as a dialogue: who said what and when, sealed stretches as their length.

use std::io::{self, Write};

use super::style::{Label, Painter, counted, grouped, octets, wrapped};
use crate::bytes::escaped;
use crate::report::{LenientReading, Session, Utterance};
use crate::time::Timestamp;

/// How a dialogue looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Colours or not.
    pub painter: Painter,
    /// Columns.
    pub width: usize,
}

/// Prints one session's dialogue.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, session: &Session, said: &[Utterance], left_out: u64, look: Look) -> io::Result<()> {
    let (client, server) = match session.client {
        Some("responder") => (session.responder, session.originator),
        _ => (session.originator, session.responder),
    };
    let title = format!("Session {} · {client} → {server} · {}", session.session, session.verdict_text);
    for line in wrapped(&escaped(title.as_bytes()).to_string(), look.width) {
        writeln!(out, "{}", look.painter.paint(Label::Heading, line))?;
    }
    writeln!(out)?;
    if said.is_empty() {
        writeln!(
            out,
            "  nothing that a mail dialogue is made of: see  overhear packets --session {}",
            session.session
        )?;
    }
    let mut sealed = false;
    let opened = said.iter().any(is_opened);
    for utterance in said {
        if utterance.kind == "tls" && !sealed {
            sealed = true;
            let version = session.tls.as_ref().and_then(|tls| tls.version.as_deref()).unwrap_or("TLS");
            let what = match opened {
                true => "what stands behind ▒ was sealed, and is opened with keys",
                false => "what ▒ stands for is sealed",
            };
            writeln!(
                out,
                "           {}",
                look.painter.paint(Label::Sealed, format!("── {version} from here: {what} ──"))
            )?;
        }
        write_utterance(out, session.first_time, utterance, look)?;
    }
    if left_out > 0 {
        writeln!(out, "  … and {} more utterances (a limit; `--json` has them all)", grouped(left_out))?;
    }
    Ok(())
}

/// Prints one utterance, as its lines.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_utterance(out: &mut dyn Write, since: Timestamp, utterance: &Utterance, look: Look) -> io::Result<()> {
    let arrow = if utterance.from == "client" { "→ C" } else { "← S" };
    let label = match (utterance.kind, utterance.from) {
        ("tls", _) => Label::Sealed,
        ("gap", _) => Label::Alarm,
        (_, "client") => Label::Client,
        _ => Label::Server,
    };
    let mut lines: Vec<String> = match (utterance.kind, &utterance.lines, &utterance.text) {
        (_, Some(lines), _) => lines.clone(),
        ("tls", _, _) => vec![sealed_text(utterance)],
        ("gap", _, _) => vec![format!("[{} octets are missing from the capture]", grouped(utterance.length))],
        ("message", _, None) => vec![message_text(utterance)],
        (_, _, Some(text)) => text.split('\n').map(str::to_owned).collect(),
        _ => vec![format!("[{} octets]", grouped(utterance.length))],
    };
    if let Some(reading) = &utterance.lenient_reading {
        lines.extend(both_readings(utterance.length, reading));
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    let packets = match utterance.packets.as_slice() {
        [] => String::new(),
        [one] => one.to_string(),
        [first, .., last] => format!("{first}-{last}"),
    };
    // What nobody on the path could read stands behind the sign for it.
    let sign = if is_opened(utterance) { "▒ " } else { "" };
    let room = look.width.saturating_sub(16 + 10).max(20);
    let mut first = true;
    for line in &lines {
        for part in wrapped(&escaped(line.as_bytes()).to_string(), room - sign.chars().count()) {
            let part = format!("{sign}{part}");
            let (time, arrow, packets) = if first {
                (utterance.time.since(since).decimals(3).to_string(), arrow, packets.as_str())
            } else {
                (String::new(), "   ", "")
            };
            first = false;
            let padding = room.saturating_sub(part.chars().count());
            let row = format!(
                "{time:>9}  {}  {}{:padding$}  {}",
                look.painter.paint(label, arrow),
                look.painter.paint(label, part),
                "",
                look.painter.paint(Label::Aside, packets)
            );
            writeln!(out, "{}", row.trim_end())?;
        }
    }
    if let Some(aside) = &utterance.aside {
        for (i, part) in wrapped(&escaped(aside.as_bytes()).to_string(), room.saturating_sub(2)).iter().enumerate() {
            let mark = if i == 0 { "\u{2514}" } else { " " };
            writeln!(out, "{:16}{}", "", look.painter.paint(Label::Aside, format!("{mark} {part}")))?;
        }
    }
    Ok(())
}

/// Whether it was sealed and reads in the clear here, since there were keys.
fn is_opened(utterance: &Utterance) -> bool {
    utterance.sealed && utterance.kind != "tls"
}

fn sealed_text(utterance: &Utterance) -> String {
    let reading = utterance.reading.as_deref().unwrap_or("");
    if !utterance.sealed {
        return format!("{reading} ({} in the clear)", octets(utterance.length));
    }
    let length = match utterance.plaintext_length {
        Some(length) if length.max == 1 => "1 octet".to_owned(),
        Some(length) => format!("{length} octets"),
        None => format!("in a record of {}", octets(utterance.length)),
    };
    let share = match utterance.confidence {
        Some(confidence) if confidence < 0.98 => format!(" ({:.0} %)", (confidence * 100.0).floor()),
        _ => String::new(),
    };
    format!("▒▒▒▒▒▒▒▒ {length:<14}  {reading}{share}").trim_end().to_owned()
}

/// The strict and the lenient reading of a message in which commands stand.
fn both_readings(size: u64, lenient: &LenientReading) -> Vec<String> {
    let mut lines = vec![
        format!("! read strictly (RFC 5321): one message of {} octets", grouped(size)),
        format!("! read leniently ({} ends it): {} octets, then", lenient.end_of_data, grouped(lenient.size)),
    ];
    for mail in &lenient.mails {
        let sender = mail.mail_from.as_ref().map_or_else(|| "no MAIL".to_owned(), |from| format!("MAIL FROM:<{from}>"));
        let recipients: String = mail.recipients.iter().map(|to| format!(", RCPT TO:<{to}>")).collect();
        let size = mail.size.map_or_else(String::new, |size| format!(", a message of {} octets", grouped(size)));
        lines.push(format!("!   {sender}{recipients}{size}"));
    }
    if lenient.mails.is_empty() {
        lines.push(format!("!   {}", counted(lenient.commands, "command", "commands")));
    }
    lines
}

fn message_text(utterance: &Utterance) -> String {
    if utterance.length == 0 && utterance.missing == 0 {
        return "[the transaction ends without a message]".to_owned();
    }
    let missing = if utterance.missing > 0 {
        format!(", {} of them missing from the capture", grouped(utterance.missing))
    } else {
        String::new()
    };
    format!("[a message of {} octets{missing}]", grouped(utterance.length))
}
