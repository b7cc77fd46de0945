//! Rows of a mail dialogue in the clear.

use crate::session::At;
use crate::smtp::{self, EventKind, Transfer};

use super::shown;

/// What a packet said of a dialogue.
#[derive(Debug, Default)]
pub(super) struct Line {
    parts: Vec<String>,
    client: Option<bool>,
    message_octets: u64,
    message_ended: Option<Transfer>,
    note: Option<String>,
}

impl Line {
    pub(super) fn clear(&mut self) {
        *self = Line::default();
    }

    pub(super) fn event(&mut self, at: &At<'_>, event: &smtp::Event<'_>, reveal: bool) {
        let client = event.span.direction == at.client;
        match &event.kind {
            EventKind::Command(command) => {
                self.side(client);
                let masked = smtp::mask(command.line, false);
                self.parts.push(if reveal { shown(command.line) } else { shown(&masked) });
            }
            EventKind::Auth(line) => {
                self.side(client);
                self.parts.push(if reveal { shown(line.line) } else { shown(&smtp::mask(line.line, true)) });
                self.note = Some("a login in the clear".to_owned());
            }
            EventKind::Reply(reply) => {
                self.side(client);
                for (i, line) in reply.lines().enumerate() {
                    let text = if i == 0 { line } else { line.get(4..).unwrap_or_default() };
                    self.parts.push(shown(text));
                }
            }
            EventKind::Unparsed(line) => {
                self.side(client);
                self.parts.push(shown(line));
            }
            EventKind::MessageData(octets) => {
                self.side(client);
                self.message_octets += octets.len() as u64;
            }
            EventKind::MessageEnd(end) => {
                self.side(client);
                self.message_ended = Some(end.transfer);
            }
            EventKind::TransactionEnd(transaction) => {
                let _ = transaction;
            }
            EventKind::MessageStart { .. } | EventKind::StartTls | EventKind::Anomaly(_) => {}
        }
    }

    /// The row, or `None` where the packet's octets are all part of something unfinished. `held`
    /// counts octets of such packets since the last row.
    pub(super) fn row(&mut self, payload: &[u8], held: &mut u64) -> Option<(&'static str, String, Option<String>)> {
        let whole = payload.contains(&b'\n');
        if self.parts.is_empty() && !whole {
            *held += payload.len() as u64;
            return None;
        }
        let octets = std::mem::take(held) + payload.len() as u64;
        let side = if self.client? { "C: " } else { "S: " };
        let mut info = String::from(side);
        if self.parts.is_empty() {
            info.push_str(&format!("DATA fragment, {octets} bytes"));
        } else {
            info.push_str(&self.parts.join(" | "));
        }
        Some(("SMTP", info, self.note.take()))
    }

    fn side(&mut self, client: bool) {
        self.client.get_or_insert(client);
    }
}
