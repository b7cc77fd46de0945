//! Rows of a mail dialogue in the clear.

use crate::imf::{HeaderReader, Unstuffer};
use crate::session::At;
use crate::smtp::{self, EventKind, Transfer, Verb};

use super::shown;
use crate::report::dialogue::may_be_secret;

/// What earlier packets of a dialogue mean for its later rows.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Octets of each direction that were part of something unfinished, since the last row.
    held: [u64; 2],
    /// The message under way.
    message: Option<(Transfer, Headers)>,
    /// What the next line of an AUTH LOGIN exchange is.
    login: &'static [&'static str],
}

/// Reads the header of the message that a session is sending.
#[derive(Debug)]
pub(super) struct Headers {
    unstuffer: Unstuffer,
    reader: HeaderReader,
    over: bool,
}

impl Headers {
    fn begin() -> Headers {
        Headers { unstuffer: Unstuffer::new(true), reader: HeaderReader::new(), over: false }
    }

    fn feed(&mut self, octets: &[u8], transfer: Transfer) {
        if self.over {
            return;
        }
        match transfer {
            Transfer::Bdat => self.over = self.reader.feed(octets),
            Transfer::Data => {
                let (reader, over) = (&mut self.reader, &mut self.over);
                self.unstuffer.feed(octets, |piece| *over = *over || reader.feed(piece));
            }
        }
    }

    /// `from: …, subject: …,  (text/plain)` as Wireshark sums up a message.
    fn line(&self) -> String {
        let header = self.reader.header();
        let mut line = String::new();
        for (name, value) in [("from", &header.from), ("subject", &header.subject)] {
            if let Some(value) = value {
                line.push_str(&format!("{name}: {}, ", shown(value)));
            }
        }
        line.push_str(" (text/plain)");
        line
    }
}

/// What a packet said of a dialogue.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// What the server said, and what the client said: a packet may make both known.
    parts: [Vec<String>; 2],
    message: Option<String>,
    note: Option<String>,
}

impl Line {
    pub(super) fn clear(&mut self) {
        *self = Line::default();
    }

    pub(super) fn event(&mut self, at: &At<'_>, event: &smtp::Event<'_>, progress: &mut Progress, reveal: bool) {
        let client = event.span.direction == at.client;
        match &event.kind {
            EventKind::Command(command) => {
                let is_login = command.verb == Verb::AUTH && command.argument.eq_ignore_ascii_case(b"LOGIN");
                progress.login = if is_login { &LOGIN } else { &[] };
                let masked = smtp::mask(command.line, false);
                self.parts[usize::from(client)].push(if reveal { shown(command.line) } else { shown(&masked) });
            }
            EventKind::Auth(line) => {
                let said = if reveal { shown(line.line) } else { shown(&smtp::mask(line.line, true)) };
                let (what, then) = progress.login.split_first().map_or(("", &[][..]), |(what, then)| (*what, then));
                progress.login = then;
                self.parts[usize::from(client)].push(format!("{what}{said}"));
                self.note = Some("a login in the clear".to_owned());
            }
            EventKind::Reply(reply) => {
                for (i, line) in reply.lines().enumerate() {
                    let text = if i == 0 { line } else { line.get(4..).unwrap_or_default() };
                    self.parts[usize::from(client)].push(shown(text));
                }
            }
            EventKind::Unparsed(line) => {
                let hidden = !reveal && may_be_secret(at, event.span, line);
                self.parts[usize::from(client)].push(if hidden { smtp::MASK.to_owned() } else { shown(line) });
            }
            EventKind::MessageStart { transfer, .. } => {
                progress.message = Some((*transfer, Headers::begin()));
            }
            EventKind::MessageData { octets, .. } => {
                if let Some((transfer, headers)) = &mut progress.message {
                    headers.feed(octets, *transfer);
                }
            }
            EventKind::MessageEnd(end) => {
                if let Some((_, headers)) = progress.message.take()
                    && end.complete
                    && end.size > 0
                {
                    self.message = Some(headers.line());
                }
            }
            EventKind::Lenient(_) => self.note = Some("commands inside the message: smuggling".to_owned()),
            EventKind::TransactionEnd(_)
            | EventKind::StartTls
            | EventKind::Anomaly(_)
            | EventKind::Proxy(_)
            | EventKind::Binary(_) => {}
        }
    }

    /// The row, or `None` where the packet's octets are all part of something unfinished.
    pub(super) fn row(
        &mut self,
        client: bool,
        payload: &[u8],
        progress: &mut Progress,
    ) -> Option<(&'static str, String, Option<String>)> {
        let parts = std::mem::take(&mut self.parts[usize::from(client)]);
        let held = &mut progress.held[usize::from(client)];
        let whole = payload.contains(&b'\n');
        if parts.is_empty() && !whole {
            *held += payload.len() as u64;
            return None;
        }
        if let Some(message) = self.message.take_if(|_| client) {
            *held = 0;
            let said = if parts.is_empty() { String::new() } else { format!(" | C: {}", parts.join(" | ")) };
            return Some(("SMTP/IMF", message + &said, self.note.take()));
        }
        let octets = std::mem::take(held) + payload.len() as u64;
        let side = if client { "C: " } else { "S: " };
        let mut info = String::from(side);
        if parts.is_empty() {
            info.push_str(&fragment(octets));
        } else {
            info.push_str(&parts.join(" | "));
        }
        Some(("SMTP", info, self.note.take()))
    }
}

impl Progress {
    /// The row of a packet that came before octets that stand before it: part of the message under
    /// way, if there is one.
    pub(super) fn ahead(&self, client: bool, payload: &[u8]) -> Option<String> {
        let shows = client && self.message.is_some() && payload.contains(&b'\n');
        shows.then(|| format!("C: {}", fragment(payload.len() as u64)))
    }
}

fn fragment(octets: u64) -> String {
    format!("DATA fragment, {octets} byte{}", if octets == 1 { "" } else { "s" })
}

/// What the client's lines after `AUTH LOGIN` are, one after the other.
const LOGIN: [&str; 2] = ["User: ", "Pass: "];
