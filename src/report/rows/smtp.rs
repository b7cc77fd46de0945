//! Rows of a mail dialogue in the clear.

use std::collections::HashMap;

use crate::imf::{HeaderReader, Unstuffer};
use crate::session::At;
use crate::smtp::{self, EventKind, Transfer};

use super::shown;

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

    pub(super) fn event(
        &mut self,
        at: &At<'_>,
        event: &smtp::Event<'_>,
        headers: &mut HashMap<u64, (Transfer, Headers)>,
        reveal: bool,
    ) {
        let client = event.span.direction == at.client;
        match &event.kind {
            EventKind::Command(command) => {
                let masked = smtp::mask(command.line, false);
                self.parts[usize::from(client)].push(if reveal { shown(command.line) } else { shown(&masked) });
            }
            EventKind::Auth(line) => {
                self.parts[usize::from(client)].push(if reveal {
                    shown(line.line)
                } else {
                    shown(&smtp::mask(line.line, true))
                });
                self.note = Some("a login in the clear".to_owned());
            }
            EventKind::Reply(reply) => {
                for (i, line) in reply.lines().enumerate() {
                    let text = if i == 0 { line } else { line.get(4..).unwrap_or_default() };
                    self.parts[usize::from(client)].push(shown(text));
                }
            }
            EventKind::Unparsed(line) => {
                self.parts[usize::from(client)].push(shown(line));
            }
            EventKind::MessageStart { transfer, .. } => {
                headers.insert(at.session, (*transfer, Headers::begin()));
            }
            EventKind::MessageData(octets) => {
                if let Some((transfer, headers)) = headers.get_mut(&at.session) {
                    headers.feed(octets, *transfer);
                }
            }
            EventKind::MessageEnd(end) => {
                if let Some((_, headers)) = headers.remove(&at.session)
                    && end.complete
                    && end.size > 0
                {
                    self.message = Some(headers.line());
                }
            }
            EventKind::TransactionEnd(_) | EventKind::StartTls | EventKind::Anomaly(_) => {}
        }
    }

    /// The row, or `None` where the packet's octets are all part of something unfinished. `held`
    /// counts octets of such packets since the last row.
    pub(super) fn row(
        &mut self,
        client: bool,
        payload: &[u8],
        held: &mut u64,
    ) -> Option<(&'static str, String, Option<String>)> {
        let parts = std::mem::take(&mut self.parts[usize::from(client)]);
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
            info.push_str(&format!("DATA fragment, {octets} bytes"));
        } else {
            info.push_str(&parts.join(" | "));
        }
        Some(("SMTP", info, self.note.take()))
    }
}
