//! The report as text: what a person reads first.

use std::collections::HashSet;
use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::anomalies::{self, Kind};
use super::matrix;
use super::style::{Label, Painter, counted, duration, grouped, octets, wrapped};
use crate::bytes::escaped;
use crate::report::{Capture, Evidence, Exposure, Session, Totals};

/// How the report looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Colours or not.
    pub painter: Painter,
    /// Columns of the terminal, or of the page.
    pub width: usize,
}

/// Everything that a text report shows.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The capture.
    pub capture: &'a Capture,
    /// The sessions that are shown, in order of their first packet.
    pub sessions: &'a [Session],
    /// Which of `sessions` are shown in full: those that give most away.
    pub in_full: &'a HashSet<u64>,
    /// All sessions, counted.
    pub totals: &'a Totals,
    /// Limits that were reached, a sentence each.
    pub limits: &'a [String],
    /// Whether the source can be looked at again, so that it makes sense to say how.
    pub lasting: bool,
}

/// Prints the report.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, page: &Page<'_>, look: Look) -> io::Result<()> {
    heading(out, page.capture, look)?;
    if page.totals.sessions == 0 {
        writeln!(out, "\nNo TCP connection in it, so no mail to speak of.")?;
    } else {
        writeln!(out)?;
        sessions_table(out, page.sessions, look)?;
        if (page.sessions.len() as u64) < page.totals.sessions {
            writeln!(
                out,
                "  … and {} more, counted below; `--json` or `sessions` lists them all",
                grouped(page.totals.sessions - page.sessions.len() as u64)
            )?;
        }
    }
    let weightiest: Vec<&Session> = page.sessions.iter().filter(|s| page.in_full.contains(&s.session)).collect();
    for session in &weightiest {
        writeln!(out)?;
        write_session(out, session, look)?;
    }
    if page.totals.sessions > page.sessions.len() as u64 || page.totals.mail > weightiest.len() as u64 {
        writeln!(out)?;
        totals(out, page.totals, weightiest.len() as u64, look)?;
    }
    damage(out, page, look)?;
    if let Some(session) = weightiest.first().filter(|_| page.lasting) {
        let source = page.capture.files.first().map_or("-", String::as_str);
        let source = escaped(source.as_bytes());
        let n = session.session;
        let more = [
            format!("overhear follow {source} {n}"),
            format!("overhear explain {source} {n}"),
            format!("overhear packets --session {n} {source}"),
            format!("overhear hex {source} {n}"),
        ];
        let mut line = String::from("More:");
        writeln!(out)?;
        for (i, command) in more.iter().enumerate() {
            if i > 0 && line.chars().count() + 3 + command.chars().count() > look.width {
                writeln!(out, "{}", look.painter.paint(Label::Aside, &line))?;
                line = String::from("     ");
            } else if i > 0 {
                line.push_str(" ·");
            }
            line.push(' ');
            line.push_str(command);
        }
        writeln!(out, "{}", look.painter.paint(Label::Aside, &line))?;
    }
    Ok(())
}

/// Prints the table of sessions.
///
/// # Errors
/// When `out` cannot be written.
pub fn sessions_table(out: &mut dyn Write, sessions: &[Session], look: Look) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(look.width).unwrap_or(u16::MAX));
    table.set_header(["#", "client", "server", "protocol", "packets", "octets", "time", "verdict"]);
    for session in sessions {
        let (client, server) = match session.client {
            Some("responder") => (session.responder, session.originator),
            _ => (session.originator, session.responder),
        };
        table.add_row([
            session.session.to_string(),
            client.to_string(),
            server.to_string(),
            protocol_name(session.protocol).to_owned(),
            grouped(session.packets),
            grouped(session.octets),
            duration(session.last_time.since(session.first_time)),
            session.verdict_text.clone(),
        ]);
    }
    for column in [0, 4, 5, 6] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines = table.lines();
    if let Some(header) = lines.next() {
        writeln!(out, "{}", look.painter.paint(Label::Heading, header.trim_end()))?;
    }
    for line in lines {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The protocol in a reader's words.
#[must_use]
pub fn protocol_name(protocol: &str) -> &str {
    match protocol {
        "smtp" => "SMTP",
        "smtp+starttls" => "SMTP, STARTTLS",
        "smtps" => "SMTP over TLS",
        "lmtp" => "LMTP",
        "tls" => "TLS",
        "ssh" => "SSH",
        _ => "other",
    }
}

fn heading(out: &mut dyn Write, capture: &Capture, look: Look) -> io::Result<()> {
    let files = match capture.files.as_slice() {
        [] => "standard input".to_owned(),
        [one] => escaped(one.as_bytes()).to_string(),
        [first, rest @ ..] => {
            format!("{} and {}", escaped(first.as_bytes()), counted(rest.len() as u64, "file more", "files more"))
        }
    };
    let mut parts = vec![
        files,
        format!(
            "{}, {}{}",
            counted(capture.packets, "packet", "packets"),
            octets(capture.bytes),
            match (capture.first, capture.last) {
                (Some(first), Some(last)) => format!(", {}", duration(last.since(first))),
                _ => String::new(),
            }
        ),
    ];
    if let Some(dropped) = capture.dropped {
        parts.push(format!("{} dropped", grouped(dropped)));
    }
    if !capture.link_types.is_empty() {
        parts.push(capture.link_types.join(", "));
    }
    if let Some(first) = capture.first {
        parts.push(format!("{} UTC", first.utc()));
    }
    for (i, line) in wrapped(&parts.join(" · "), look.width).iter().enumerate() {
        writeln!(out, "{}", look.painter.paint(if i == 0 { Label::Heading } else { Label::Aside }, line))?;
    }
    Ok(())
}

fn write_session(out: &mut dyn Write, session: &Session, look: Look) -> io::Result<()> {
    let title = format!("Session {} · {}", session.session, escaped(title_of(session).as_bytes()));
    for line in wrapped(&title, look.width) {
        writeln!(out, "{}", look.painter.paint(Label::Heading, line))?;
    }
    writeln!(out)?;
    for (name, visibility, label) in
        [("SEEN", "seen", Label::Seen), ("INFERRED", "inferred", Label::Inferred), ("HIDDEN", "hidden", Label::Hidden)]
    {
        let lines: Vec<&Exposure> =
            session.exposure.iter().filter(|e| e.listed && e.visibility == Some(visibility)).collect();
        if visibility == "hidden" {
            let subjects: Vec<&str> = lines.iter().map(|e| e.text.as_str()).collect();
            let text = if subjects.is_empty() { "nothing".to_owned() } else { subjects.join(", ") };
            entry(out, look, (name, label), &text, "", &[], false)?;
            continue;
        }
        for (i, exposure) in lines.iter().enumerate() {
            let tag = if i == 0 { name } else { "" };
            entry(out, look, (tag, label), exposure.subject, &exposure.text, &exposure.evidence, exposure.alarm)?;
        }
    }
    inside(out, session, look)?;
    if let Some(matrix) = &session.matrix {
        matrix::write(out, matrix, look)?;
    }
    oddities(out, session, look)
}

/// What keys showed, which no observer saw.
fn inside(out: &mut dyn Write, session: &Session, look: Look) -> io::Result<()> {
    let Some(inside) = &session.inside else { return Ok(()) };
    if inside.opened == [0; 2] {
        return entry(out, look, ("INSIDE", Label::Sealed), &inside.text, "", &[], false);
    }
    writeln!(out, "  {}", look.painter.paint(Label::Sealed, "INSIDE (opened with keys, hidden from the observer)"))?;
    entry(out, look, ("", Label::Sealed), "records", &inside.text, &[], false)?;
    for exposure in &inside.exposure {
        entry(out, look, ("", Label::Sealed), exposure.subject, &exposure.text, &exposure.evidence, false)?;
    }
    Ok(())
}

/// The oddities of a session, those of one kind together, the gravest first.
fn oddities(out: &mut dyn Write, session: &Session, look: Look) -> io::Result<()> {
    let kinds = anomalies::kinds(&session.anomalies);
    if !kinds.is_empty() {
        writeln!(out)?;
    }
    for Kind { first: anomaly, times, evidence } in kinds.iter().take(ANOMALIES_IN_FULL) {
        let times = if *times > 1 { format!(", {} times", grouped(*times)) } else { String::new() };
        let text = format!("{} ({}, {}{times})", escaped(anomaly.text.as_bytes()), anomaly.id, anomaly.severity);
        let text_width = look.width.saturating_sub(4 + ASIDE + 2).max(24);
        for (i, line) in wrapped(&text, text_width).iter().enumerate() {
            let (mark, aside) = if i == 0 { ("!", places(evidence)) } else { (" ", String::new()) };
            let padding = text_width.saturating_sub(line.chars().count());
            let row = format!(
                "  {} {line}{:padding$}  {}",
                look.painter.paint(Label::Alarm, mark),
                "",
                look.painter.paint(Label::Aside, aside)
            );
            writeln!(out, "{}", row.trim_end())?;
        }
    }
    let rest: u64 = kinds.iter().skip(ANOMALIES_IN_FULL).map(|kind| kind.times).sum();
    let more = rest + session.anomalies_dropped;
    if more > 0 {
        writeln!(out, "  ! and {} more of this session", counted(more, "oddity", "oddities"))?;
    }
    Ok(())
}

/// The verdict, with what was agreed on.
pub(super) fn title_of(session: &Session) -> String {
    let mut title = session.verdict_text.clone();
    if let Some(tls) = &session.tls {
        let known: Vec<&str> =
            [&tls.version, &tls.cipher, &tls.group].into_iter().flatten().map(String::as_str).collect();
        if !known.is_empty() {
            title = format!("{title}: {}", known.join(", "));
        }
    }
    title
}

/// `  SEEN      sender          alice@example.org            packet 18`, wrapped to the width.
fn entry(
    out: &mut dyn Write,
    look: Look,
    (tag, label): (&str, Label),
    subject: &str,
    text: &str,
    evidence: &[Evidence],
    alarm: bool,
) -> io::Result<()> {
    let aside = places(evidence);
    let text_width = look.width.saturating_sub(TAG + SUBJECT + ASIDE + 4).max(24);
    if text.is_empty() {
        for (i, line) in wrapped(&escaped(subject.as_bytes()).to_string(), look.width.saturating_sub(TAG + 2).max(24))
            .iter()
            .enumerate()
        {
            let tag = if i == 0 { tag } else { "" };
            writeln!(out, "  {}{line}", look.painter.paint(label, format!("{tag:TAG$}")))?;
        }
        return Ok(());
    }
    let shown = escaped(text.as_bytes()).to_string();
    for (i, line) in wrapped(&shown, text_width).iter().enumerate() {
        let (tag, subject, aside) = if i == 0 { (tag, subject, aside.as_str()) } else { ("", "", "") };
        let padding = text_width.saturating_sub(line.chars().count());
        let line_out = format!(
            "  {}{subject:SUBJECT$}{}{:padding$}  {}",
            look.painter.paint(label, format!("{tag:TAG$}")),
            if alarm { look.painter.paint(Label::Alarm, line).to_string() } else { line.clone() },
            "",
            look.painter.paint(Label::Aside, aside),
        );
        writeln!(out, "{}", line_out.trim_end())?;
    }
    Ok(())
}

fn totals(out: &mut dyn Write, totals: &Totals, shown: u64, look: Look) -> io::Result<()> {
    writeln!(
        out,
        "{}",
        look.painter.paint(
            Label::Heading,
            format!(
                "In all {}, of which {} mail; {} shown in full",
                counted(totals.sessions, "session", "sessions"),
                grouped(totals.mail),
                grouped(shown)
            )
        )
    )?;
    for (verdict, n) in totals.verdicts() {
        writeln!(out, "  {:>12}  {verdict}", grouped(n))?;
    }
    let pairs = totals.pairs();
    if !pairs.is_empty() {
        writeln!(out, "  pairs of hosts with most mail sessions:")?;
    }
    for pair in pairs {
        writeln!(out, "  {:>12}  {} → {}  {}", grouped(pair.sessions), pair.client, pair.server, pair.verdicts())?;
    }
    if totals.other_pairs > 0 {
        writeln!(
            out,
            "  {:>12}  sessions of other pairs (a limit: {} pairs are kept)",
            grouped(totals.other_pairs),
            totals.pair_limit()
        )?;
    }
    Ok(())
}

fn damage(out: &mut dyn Write, page: &Page<'_>, look: Look) -> io::Result<()> {
    let mut lines: Vec<String> = page.capture.faults.iter().map(|fault| format!("damaged: {fault}")).collect();
    if page.capture.cut_packets > 0 {
        lines.push(format!(
            "{} cut by the snapshot length: what they carried beyond it is missing",
            counted(page.capture.cut_packets, "packet was", "packets were")
        ));
    }
    if let Some(dropped) = page.capture.dropped.filter(|n| *n > 0) {
        lines.push(format!("{} dropped while capturing", counted(dropped, "packet was", "packets were")));
    }
    lines.extend(page.limits.iter().map(|limit| format!("limit reached: {limit}")));
    if !lines.is_empty() {
        writeln!(out)?;
    }
    for line in lines {
        for (i, part) in wrapped(&escaped(line.as_bytes()).to_string(), look.width.saturating_sub(2)).iter().enumerate()
        {
            writeln!(out, "{}{}", if i == 0 { "! " } else { "  " }, look.painter.paint(Label::Alarm, part))?;
        }
    }
    Ok(())
}

/// `packet 8`, `packets 8-10`, `packets 8, 12, 20`.
#[must_use]
pub fn places(evidence: &[Evidence]) -> String {
    let mut packets: Vec<u64> = evidence.iter().flat_map(|e| e.packets.iter().copied()).collect();
    packets.sort_unstable();
    packets.dedup();
    match packets.as_slice() {
        [] => String::new(),
        [one] => format!("packet {one}"),
        [first, .., last] if packets.len() > 3 || last - first == packets.len() as u64 - 1 => {
            format!("packets {first}-{last}")
        }
        several => format!("packets {}", several.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
    }
}

const TAG: usize = 10;
const SUBJECT: usize = 16;
const ASIDE: usize = 16;
const ANOMALIES_IN_FULL: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_name_one_packet_a_run_or_a_few() {
        let at = |packets: &[u64]| {
            places(&[Evidence { packets: packets.to_vec(), direction: None, start: None, end: None }])
        };
        assert_eq!(at(&[]), "");
        assert_eq!(at(&[8]), "packet 8");
        assert_eq!(at(&[8, 9]), "packets 8-9");
        assert_eq!(at(&[8, 12]), "packets 8, 12");
        assert_eq!(at(&[8, 12, 20, 21]), "packets 8-21");
    }
}
