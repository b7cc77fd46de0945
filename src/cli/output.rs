//! What becomes of the items: one output for each view.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use super::extract::Extraction;
use super::plan::{Input, Plan, Show};
use super::zeek::Logs;
use crate::limits::{MAX_DIALOGUE_OCTETS, MAX_FULL_SESSIONS, MAX_LISTED_SESSIONS};
use crate::render::packets::Packets;
use crate::render::style::Painter;
use crate::render::{anomalies, dialogue, eve, explain, hexdump, json, report, style};
use crate::report::catalogue;
use crate::report::{Capture, Content, Ended, Session, Totals, Utterance, Wanted};

/// Takes items in their order and prints them.
pub(super) trait Output {
    /// The next one.
    fn item(&mut self, item: Content) -> io::Result<()>;

    /// A moment without items: what was printed may be handed on.
    fn pause(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// The capture is over.
    fn finish(&mut self, capture: &Capture, limits: &[String]) -> io::Result<()>;
}

/// What a plan's view wants to know.
pub(super) fn wanted(plan: &Plan) -> Wanted {
    let mut wanted = Wanted { reveal: plan.reveal, ..Wanted::default() };
    // On an interface a dialogue is told before its session is over and can be read.
    let at_its_end = matches!(plan.input, Input::Files(_));
    match &plan.show {
        Show::ReportJson { .. } | Show::SessionsJson | Show::ExplainJson => {
            (wanted.sessions, wanted.hashes, wanted.readings) = (true, true, true);
        }
        Show::Report | Show::Explain | Show::Sessions | Show::Anomalies | Show::AnomaliesJson => wanted.sessions = true,
        Show::Extract(_) => wanted.extracts = true,
        Show::Catalogue { .. } => {}
        Show::Eve => wanted.eve = true,
        Show::Zeek { .. } => wanted.zeek = true,
        Show::Packets(_) => wanted.rows = true,
        Show::Follow => (wanted.utterances, wanted.sessions, wanted.readings) = (true, true, at_its_end),
        Show::FollowJson { message_text } => {
            (wanted.utterances, wanted.sessions, wanted.readings) = (true, at_its_end, at_its_end);
            wanted.message_text = *message_text;
        }
        Show::Hex(packets) => wanted.frames = packets.clone(),
    }
    wanted
}

/// The output of a plan's view.
pub(super) fn output<'w>(plan: &Plan, live: bool, out: &'w mut dyn Write) -> io::Result<Box<dyn Output + 'w>> {
    let painter = Painter::new(plan.color);
    let look = report::Look { painter, width: plan.width };
    let one = plan.session.is_some();
    Ok(match &plan.show {
        Show::Report => Box::new(ReportText {
            out,
            look,
            one,
            kept: Vec::new(),
            least: None,
            lasting: !live,
            totals: Totals::default(),
        }),
        Show::ReportJson { sort } => {
            Box::new(ReportJson { report: json::Report::begin(out)?, sorted: sort.then(Vec::new) })
        }
        Show::Packets(format) => {
            let width = plan.terminal.then_some(plan.width);
            Box::new(PacketList { packets: Packets::new(out, *format, painter, width), live })
        }
        Show::Follow if live => {
            Box::new(Lines { out, look: dialogue::Look { painter, width: plan.width }, begun: HashMap::new() })
        }
        Show::Follow => Box::new(Dialogues {
            out,
            look: dialogue::Look { painter, width: plan.width },
            one,
            open: HashMap::new(),
            printed: 0,
            silent: 0,
        }),
        Show::FollowJson { .. } => Box::new(DialogueLines { out, live, held: HashMap::new() }),
        Show::ExplainJson | Show::SessionsJson | Show::Eve => Box::new(JsonLines { out, live }),
        Show::Explain => Box::new(Explanations { out, look, one, printed: 0, left_out: 0 }),
        Show::Hex(packets) => {
            let wanted = packets.iter().map(|range| *range.start()).collect();
            Box::new(HexDumps { out, look: hexdump::Look { painter, reveal: plan.reveal }, printed: 0, wanted })
        }
        Show::Sessions => Box::new(Table { out, look, kept: Vec::new() }),
        Show::Extract(folder) => Box::new(Extraction::begin(folder, out)?),
        Show::Zeek { folder, json } => Box::new(Logs::begin(folder, *json, out)?),
        Show::Anomalies => Box::new(AnomalyList { out, look, live, tally: anomalies::Tally::default() }),
        Show::AnomaliesJson => Box::new(AnomalyLines { out, live }),
        Show::Catalogue { one, json } => Box::new(Catalogue { out, look, one: *one, json: *json }),
    })
}

/// The report as text: the weightiest sessions are kept until the end, all are counted.
struct ReportText<'w> {
    out: &'w mut dyn Write,
    look: report::Look,
    one: bool,
    kept: Vec<Ended>,
    /// What a session must weigh to be listed, once there are more than are listed.
    least: Option<(u32, Reverse<u64>)>,
    totals: Totals,
    /// Whether the source can be read again.
    lasting: bool,
}

impl Output for ReportText<'_> {
    fn item(&mut self, item: Content) -> io::Result<()> {
        if let Content::Session(session) = item {
            self.totals.add(&session);
            if self.least.is_none_or(|least| rank(&session) > least) {
                self.kept.push(*session);
            }
            if self.kept.len() >= 2 * MAX_LISTED_SESSIONS {
                self.prune();
            }
        }
        Ok(())
    }

    fn finish(&mut self, capture: &Capture, limits: &[String]) -> io::Result<()> {
        self.prune();
        let in_full = if self.one { self.kept.len() } else { MAX_FULL_SESSIONS };
        let mail = self.kept.iter().filter(|session| session.verdict() != "not-mail").take(in_full);
        let whole: HashSet<u64> = mail.map(Ended::number).collect();
        self.kept.sort_by_key(Ended::number);
        let sessions: Vec<Session> = self
            .kept
            .iter()
            .map(|session| if whole.contains(&session.number()) { session.whole() } else { session.line() })
            .collect();
        let page = report::Page {
            capture,
            sessions: &sessions,
            in_full: &whole,
            totals: &self.totals,
            limits,
            lasting: self.lasting,
        };
        report::write(self.out, &page, self.look)?;
        self.out.flush()
    }
}

impl ReportText<'_> {
    /// Keeps those that give most away, as many as a text report lists.
    fn prune(&mut self) {
        self.kept.sort_by_key(|session| Reverse(rank(session)));
        self.kept.truncate(MAX_LISTED_SESSIONS);
        if self.kept.len() == MAX_LISTED_SESSIONS {
            self.least = self.kept.last().map(rank);
        }
    }
}

/// The weightiest first, and of equals the earliest.
fn rank(session: &Ended) -> (u32, Reverse<u64>) {
    (session.weight(), Reverse(session.number()))
}

struct ReportJson<'w> {
    report: json::Report<&'w mut dyn Write>,
    sorted: Option<Vec<Session>>,
}

impl Output for ReportJson<'_> {
    fn item(&mut self, item: Content) -> io::Result<()> {
        match (item, &mut self.sorted) {
            (Content::Session(session), Some(sorted)) => sorted.push(session.whole()),
            (Content::Session(session), None) => self.report.session(&session.whole())?,
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, capture: &Capture, limits: &[String]) -> io::Result<()> {
        let mut sorted = self.sorted.take().unwrap_or_default();
        sorted.sort_by_key(|session| session.session);
        for session in &sorted {
            self.report.session(session)?;
        }
        self.report.end(capture, limits)
    }
}

struct PacketList<'w> {
    packets: Packets<&'w mut dyn Write>,
    live: bool,
}

impl Output for PacketList<'_> {
    fn item(&mut self, item: Content) -> io::Result<()> {
        if let Content::Row(row) = item { self.packets.row(&row) } else { Ok(()) }
    }

    fn pause(&mut self) -> io::Result<()> {
        if self.live { self.packets.flush() } else { Ok(()) }
    }

    fn finish(&mut self, _: &Capture, _: &[String]) -> io::Result<()> {
        self.packets.flush()
    }
}

/// Dialogues in one piece each: what was said waits until the session is over.
struct Dialogues<'w> {
    out: &'w mut dyn Write,
    look: dialogue::Look,
    one: bool,
    open: HashMap<u64, Said>,
    printed: u64,
    silent: u64,
}

#[derive(Default)]
struct Said {
    utterances: Vec<Utterance>,
    octets: usize,
    left_out: u64,
}

/// Octets that an utterance takes in memory, roughly.
fn weight(utterance: &Utterance) -> usize {
    256 + utterance.text.as_ref().map_or(0, String::len)
        + utterance.lines.iter().flatten().map(String::len).sum::<usize>()
}

impl Output for Dialogues<'_> {
    fn item(&mut self, item: Content) -> io::Result<()> {
        match item {
            Content::Utterance(utterance) => {
                let said = self.open.entry(utterance.session).or_default();
                let octets = weight(&utterance);
                if said.octets + octets > MAX_DIALOGUE_OCTETS {
                    said.left_out += 1;
                } else {
                    said.octets += octets;
                    said.utterances.push(*utterance);
                }
            }
            Content::Session(session) => {
                let mut said = self.open.remove(&session.number()).unwrap_or_default();
                session.tell_readings(&mut said.utterances);
                if said.utterances.is_empty() && !self.one {
                    self.silent += 1;
                    return Ok(());
                }
                if self.printed > 0 {
                    writeln!(self.out)?;
                }
                self.printed += 1;
                dialogue::write(self.out, &session.line(), &said.utterances, said.left_out, self.look)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, _: &Capture, limits: &[String]) -> io::Result<()> {
        if self.printed == 0 {
            writeln!(self.out, "No dialogue to follow: {} connections, none of them mail or TLS.", self.silent)?;
        }
        for limit in limits {
            writeln!(self.out, "! limit reached: {limit}")?;
        }
        self.out.flush()
    }
}

/// Utterances, an object a line. What a sealed record says is read when its session is over: from the first sealed
/// record on, a session is held until then, but not on an interface, where all is told as it happens.
struct DialogueLines<'w> {
    out: &'w mut dyn Write,
    live: bool,
    held: HashMap<u64, Said>,
}

impl DialogueLines<'_> {
    fn print(&mut self, utterances: &[Utterance]) -> io::Result<()> {
        utterances.iter().try_for_each(|utterance| json::line(self.out, utterance))
    }
}

impl Output for DialogueLines<'_> {
    fn item(&mut self, item: Content) -> io::Result<()> {
        match item {
            Content::Utterance(utterance) => {
                let is_sealed = utterance.kind == "tls" && utterance.sealed;
                if self.live || !is_sealed && !self.held.contains_key(&utterance.session) {
                    return json::line(self.out, &utterance);
                }
                let said = self.held.entry(utterance.session).or_default();
                said.octets += weight(&utterance);
                said.utterances.push(*utterance);
                if said.octets > MAX_DIALOGUE_OCTETS {
                    // Too long to be held: what was not read by now has no reading.
                    let utterances = std::mem::take(&mut said.utterances);
                    self.print(&utterances)?;
                }
                Ok(())
            }
            Content::Session(session) => {
                let mut said = self.held.remove(&session.number()).unwrap_or_default();
                session.tell_readings(&mut said.utterances);
                self.print(&said.utterances)
            }
            _ => Ok(()),
        }
    }

    fn pause(&mut self) -> io::Result<()> {
        if self.live { self.out.flush() } else { Ok(()) }
    }

    fn finish(&mut self, _: &Capture, _: &[String]) -> io::Result<()> {
        self.out.flush()
    }
}

/// Sessions explained, as they end.
struct Explanations<'w> {
    out: &'w mut dyn Write,
    look: report::Look,
    one: bool,
    printed: usize,
    left_out: u64,
}

impl Output for Explanations<'_> {
    fn item(&mut self, item: Content) -> io::Result<()> {
        let Content::Session(session) = item else { return Ok(()) };
        if session.verdict() == "not-mail" && !self.one {
            return Ok(());
        }
        if self.printed >= MAX_FULL_SESSIONS {
            self.left_out += 1;
            return Ok(());
        }
        if self.printed > 0 {
            writeln!(self.out)?;
        }
        self.printed += 1;
        explain::write(self.out, &session.whole(), self.look)
    }

    fn finish(&mut self, _: &Capture, limits: &[String]) -> io::Result<()> {
        if self.printed == 0 {
            writeln!(self.out, "No mail session to explain.")?;
        }
        if self.left_out > 0 {
            let left_out = style::counted(self.left_out, "mail session", "mail sessions");
            writeln!(self.out, "\n… and {left_out} more: name one by the number of any of its packets")?;
        }
        for limit in limits {
            writeln!(self.out, "! limit reached: {limit}")?;
        }
        self.out.flush()
    }
}

/// Dialogues as they happen, line by line, each with its session.
struct Lines<'w> {
    out: &'w mut dyn Write,
    look: dialogue::Look,
    begun: HashMap<u64, crate::time::Timestamp>,
}

impl Output for Lines<'_> {
    fn item(&mut self, item: Content) -> io::Result<()> {
        match item {
            Content::Utterance(utterance) => {
                let since = *self.begun.entry(utterance.session).or_insert_with(|| utterance.time);
                write!(self.out, "{:>6} ", utterance.session)?;
                dialogue::write_utterance(self.out, since, &utterance, self.look)
            }
            Content::Session(session) => {
                let session = session.line();
                self.begun.remove(&session.session);
                writeln!(self.out, "{:>6}  over: {}", session.session, session.verdict_text)
            }
            _ => Ok(()),
        }
    }

    fn pause(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self, _: &Capture, _: &[String]) -> io::Result<()> {
        self.out.flush()
    }
}

struct JsonLines<'w> {
    out: &'w mut dyn Write,
    live: bool,
}

impl Output for JsonLines<'_> {
    fn item(&mut self, item: Content) -> io::Result<()> {
        match item {
            Content::Session(session) => json::line(self.out, &session.whole()),
            Content::Eve(event) => eve::line(self.out, &event),
            _ => Ok(()),
        }
    }

    fn pause(&mut self) -> io::Result<()> {
        if self.live { self.out.flush() } else { Ok(()) }
    }

    fn finish(&mut self, _: &Capture, _: &[String]) -> io::Result<()> {
        self.out.flush()
    }
}

struct HexDumps<'w> {
    out: &'w mut dyn Write,
    look: hexdump::Look,
    printed: u64,
    /// The first packet of each range that was asked for.
    wanted: Vec<u64>,
}

impl Output for HexDumps<'_> {
    fn item(&mut self, item: Content) -> io::Result<()> {
        if let Content::Frame(frame) = item {
            if self.printed > 0 {
                writeln!(self.out)?;
            }
            self.printed += 1;
            hexdump::write(self.out, &frame, self.look)?;
        }
        Ok(())
    }

    fn finish(&mut self, capture: &Capture, limits: &[String]) -> io::Result<()> {
        self.out.flush()?;
        if let Some(beyond) = self.wanted.iter().find(|packet| **packet > capture.packets) {
            let message = format!("there is no packet {beyond}: the capture has {}", capture.packets);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        for limit in limits {
            writeln!(self.out, "! limit reached: {limit}")?;
        }
        self.out.flush()
    }
}

/// A table of sessions. Columns are as wide as their contents, so all are held until the end.
struct Table<'w> {
    out: &'w mut dyn Write,
    look: report::Look,
    kept: Vec<Session>,
}

impl Output for Table<'_> {
    fn item(&mut self, item: Content) -> io::Result<()> {
        if let Content::Session(session) = item {
            self.kept.push(session.line());
            if self.kept.len() >= SESSIONS_IN_A_TABLE {
                self.print()?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &Capture, limits: &[String]) -> io::Result<()> {
        self.print()?;
        for limit in limits {
            writeln!(self.out, "! limit reached: {limit}")?;
        }
        self.out.flush()
    }
}

impl Table<'_> {
    fn print(&mut self) -> io::Result<()> {
        self.kept.sort_by_key(|session| session.session);
        report::sessions_table(self.out, &self.kept, self.look)?;
        self.kept.clear();
        Ok(())
    }
}

/// Anomalies, session by session as they end.
struct AnomalyList<'w> {
    out: &'w mut dyn Write,
    look: report::Look,
    live: bool,
    tally: anomalies::Tally,
}

impl Output for AnomalyList<'_> {
    fn item(&mut self, item: Content) -> io::Result<()> {
        let Content::Session(session) = item else { return Ok(()) };
        let (found, beyond) = session.anomalies();
        if self.tally.odd_sessions == 0 && !found.is_empty() {
            anomalies::headings(self.out, self.look)?;
        }
        self.tally.add(&found, beyond);
        anomalies::write(self.out, &found, self.look)
    }

    fn pause(&mut self) -> io::Result<()> {
        if self.live { self.out.flush() } else { Ok(()) }
    }

    fn finish(&mut self, _: &Capture, limits: &[String]) -> io::Result<()> {
        if self.tally.odd_sessions > 0 {
            writeln!(self.out)?;
        }
        anomalies::totals(self.out, &self.tally)?;
        for limit in limits {
            writeln!(self.out, "! limit reached: {limit}")?;
        }
        self.out.flush()
    }
}

/// Anomalies as an object a line.
struct AnomalyLines<'w> {
    out: &'w mut dyn Write,
    live: bool,
}

impl Output for AnomalyLines<'_> {
    fn item(&mut self, item: Content) -> io::Result<()> {
        let Content::Session(session) = item else { return Ok(()) };
        session.anomalies().0.iter().try_for_each(|anomaly| json::line(self.out, anomaly))
    }

    fn pause(&mut self) -> io::Result<()> {
        if self.live { self.out.flush() } else { Ok(()) }
    }

    fn finish(&mut self, _: &Capture, _: &[String]) -> io::Result<()> {
        self.out.flush()
    }
}

/// The catalogue of anomalies, which stands whatever the capture.
struct Catalogue<'w> {
    out: &'w mut dyn Write,
    look: report::Look,
    one: Option<&'static catalogue::Entry>,
    json: bool,
}

impl Output for Catalogue<'_> {
    fn item(&mut self, _: Content) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, _: &Capture, _: &[String]) -> io::Result<()> {
        match (self.one, self.json) {
            (Some(entry), true) => anomalies::json(self.out, entry)?,
            (Some(entry), false) => anomalies::explain(self.out, entry, self.look)?,
            (None, true) => anomalies::json(self.out, &catalogue::CATALOGUE)?,
            (None, false) => anomalies::catalogue(self.out, self.look)?,
        }
        self.out.flush()
    }
}

/// Sessions that share one table's columns; a longer list goes on in another table.
const SESSIONS_IN_A_TABLE: usize = 10_000;
