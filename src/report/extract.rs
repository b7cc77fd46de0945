//! What can be taken out of a capture: messages, their attachments, certificates.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::bytes::{is_invisible, utf8};
use crate::imf::{self, Detail};
use crate::limits::{EXTRACT_NAME_OCTETS, EXTRACT_PIECE_OCTETS};
use crate::session::{At, MessageReader, Piece};
use crate::smtp::{self, EventKind};
use crate::stream::Span;
use crate::tls;

/// One step of taking something out. Octets of a file come in order, its entry after the last of them.
#[derive(Debug)]
pub enum Extracted {
    /// The next octets of a file.
    Octets {
        /// Its path below the output directory, of safe characters.
        path: String,
        /// The octets.
        octets: Vec<u8>,
    },
    /// A file is over.
    Done(Box<Entry>),
}

impl Extracted {
    /// The same, of something that was opened with keys.
    pub(super) fn sealed(mut self) -> Extracted {
        if let Extracted::Done(entry) = &mut self {
            entry.sealed = true;
        }
        self
    }
}

/// What the manifest says of a file.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// `message`, `attachment` or `certificate`.
    pub kind: &'static str,
    /// Its path below the output directory.
    pub path: String,
    /// The session that it comes from.
    pub session: u64,
    /// The nth message of the session, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<u64>,
    /// The packets that carried it.
    pub packets: Vec<u64>,
    /// Octets in the file.
    pub size: u64,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Whether it was sealed on its way, and opened with keys.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sealed: bool,
    /// Whether the file is all of it.
    pub complete: bool,
    /// Octets that the capture lacks. Nothing stands in their place.
    pub missing: u64,
    /// Where they are missing, where that is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// The name that the sender gave an attachment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The media type that the sender states.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
    /// The media type that its octets show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sniffed: Option<&'static str>,
}

/// Octets that are missing from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The octets of the file before it.
    pub offset: u64,
    /// How many are missing.
    pub octets: u64,
}

/// Takes messages, attachments and certificates out of sessions as they pass.
#[derive(Debug, Default)]
pub(super) struct Extractor {
    sessions: HashMap<u64, Mailbox>,
}

/// The messages of one session.
#[derive(Debug, Default)]
struct Mailbox {
    messages: u64,
    open: Option<Message>,
}

/// A message under way.
#[derive(Debug)]
struct Message {
    reader: MessageReader,
    number: u64,
    file: File,
    attachments: u64,
    /// Attachments under way, by the number of their part.
    parts: BTreeMap<u64, Attachment>,
    /// The stream octets of the event that is being read.
    span: Span,
}

#[derive(Debug)]
struct Attachment {
    file: File,
    start: u64,
    name: Option<Vec<u8>>,
    declared: String,
}

/// A file that is being written.
#[derive(Debug)]
struct File {
    path: String,
    held: Vec<u8>,
    size: u64,
    hash: Sha256,
    beginning: Vec<u8>,
    gaps: Vec<Gap>,
}

impl File {
    fn new(path: String) -> File {
        File { path, held: Vec::new(), size: 0, hash: Sha256::new(), beginning: Vec::new(), gaps: Vec::new() }
    }

    fn write(&mut self, octets: &[u8], give: &mut dyn FnMut(Extracted)) {
        self.size += octets.len() as u64;
        self.hash.update(octets);
        let room = SNIFFED_OCTETS.saturating_sub(self.beginning.len());
        self.beginning.extend_from_slice(&octets[..octets.len().min(room)]);
        self.held.extend_from_slice(octets);
        if self.held.len() >= EXTRACT_PIECE_OCTETS {
            self.pass_on(give);
        }
    }

    fn gap(&mut self, octets: u64) {
        match self.gaps.last_mut() {
            Some(last) if last.offset == self.size => last.octets += octets,
            _ => self.gaps.push(Gap { offset: self.size, octets }),
        }
    }

    fn pass_on(&mut self, give: &mut dyn FnMut(Extracted)) {
        give(Extracted::Octets { path: self.path.clone(), octets: std::mem::take(&mut self.held) });
    }

    /// The file is over; also an empty one is written.
    fn end(mut self, give: &mut dyn FnMut(Extracted), entry: impl FnOnce(Entry) -> Entry) {
        if !self.held.is_empty() || self.size == 0 {
            self.pass_on(give);
        }
        give(Extracted::Done(Box::new(entry(Entry {
            kind: "message",
            path: self.path,
            session: 0,
            message: None,
            packets: Vec::new(),
            size: self.size,
            sha256: hex(&self.hash.finalize()),
            sealed: false,
            complete: true,
            missing: 0,
            gaps: self.gaps,
            name: None,
            declared: None,
            sniffed: imf::sniff(&self.beginning),
        }))));
    }
}

impl Extractor {
    /// Part of a mail dialogue.
    pub(super) fn smtp(&mut self, at: &At<'_>, event: &smtp::Event<'_>, give: &mut dyn FnMut(Extracted)) {
        if let EventKind::MessageStart { transfer, tolerant, .. } = event.kind {
            let mailbox = self.sessions.entry(at.session).or_default();
            mailbox.messages += 1;
            let path = format!("messages/{}-{}.eml", at.session, mailbox.messages);
            mailbox.open = Some(Message {
                reader: MessageReader::new(at.client, transfer, tolerant, Detail::Content),
                number: mailbox.messages,
                file: File::new(path),
                attachments: 0,
                parts: BTreeMap::new(),
                span: event.span,
            });
            return;
        }
        let Some(mailbox) = self.sessions.get_mut(&at.session) else { return };
        let Some(message) = &mut mailbox.open else { return };
        message.event(at, event, give);
        if let EventKind::MessageEnd(end) = event.kind
            && let Some(message) = mailbox.open.take()
        {
            let (packets, number) = (at.packets(event.span), message.number);
            message.file.end(give, |entry| Entry {
                session: at.session,
                message: Some(number),
                packets,
                complete: end.complete,
                missing: end.missing,
                sniffed: None,
                ..entry
            });
        }
    }

    /// Part of a TLS conversation.
    pub(super) fn tls(&mut self, at: &At<'_>, event: &tls::Event<'_>, give: &mut dyn FnMut(Extracted)) {
        let tls::EventKind::Certificates(chain) = event.kind else { return };
        certificates(at.session, &at.packets(event.span), chain, give);
    }

    /// A sealed record was opened that brought the certificates of the side that sent it.
    pub(super) fn opened(&mut self, at: &At<'_>, span: Span, opening: &tls::Opening, give: &mut dyn FnMut(Extracted)) {
        let (place, chain) = match span.direction == opening.client {
            true => (opening.client_certificates_span, &opening.client_certificates),
            false => (opening.certificates_span, &opening.certificates),
        };
        certificates(at.session, &at.packets(place.unwrap_or(span)), chain, give);
    }

    /// A session is over.
    pub(super) fn ended(&mut self, session: u64) {
        self.sessions.remove(&session);
    }
}

impl Message {
    fn event(&mut self, at: &At<'_>, event: &smtp::Event<'_>, give: &mut dyn FnMut(Extracted)) {
        let Message { reader, number, file, attachments, parts, span } = self;
        *span = event.span;
        reader.event(event, &mut |piece| match piece {
            Piece::Text(text) => file.write(text, give),
            Piece::Gap(octets) => {
                file.gap(octets);
                // A file that is open is that part, or a message around it.
                for part in parts.values_mut() {
                    part.file.gap(octets);
                }
            }
            Piece::Part(imf::Event::PartStart(part)) if part.is_file() || part.number > 0 && part.holds_message() => {
                *attachments += 1;
                let name = part.file_name.clone();
                let unnamed: &[u8] = if part.holds_message() { b"message.eml" } else { b"" };
                let safe = safe_name(name.as_deref().unwrap_or(unnamed));
                let path = format!("attachments/{}-{number}-{attachments}-{safe}", at.session);
                let declared = part.content_type.name();
                parts.insert(part.number, Attachment { file: File::new(path), start: span.start, name, declared });
            }
            Piece::Part(imf::Event::Content { part, octets } | imf::Event::Message { part, octets }) => {
                if let Some(attachment) = parts.get_mut(&part.number) {
                    attachment.file.write(octets, give);
                }
            }
            Piece::Part(imf::Event::PartEnd(part)) => {
                let Some(attachment) = parts.remove(&part.number) else { return };
                let packets = at.packets(Span::new(span.direction, attachment.start.min(span.end), span.end));
                attachment.file.end(give, |entry| Entry {
                    kind: "attachment",
                    session: at.session,
                    message: Some(*number),
                    packets,
                    complete: part.complete,
                    missing: part.missing,
                    name: attachment.name.as_deref().map(utf8),
                    declared: Some(attachment.declared),
                    ..entry
                });
            }
            Piece::Part(_) => {}
        });
    }
}

fn certificates(session: u64, packets: &[u64], chain: &[tls::Certificate], give: &mut dyn FnMut(Extracted)) {
    for certificate in chain {
        let mut file = File::new(format!("certificates/{}.der", hex(&certificate.sha256)));
        file.write(&certificate.der, give);
        let name = certificate.fields.as_ref().map(|fields| fields.subject.to_string());
        file.end(give, |entry| Entry {
            kind: "certificate",
            session,
            packets: packets.to_vec(),
            name,
            sniffed: None,
            ..entry
        });
    }
}

/// A file name that is safe on any system: one component, no control characters or marks that turn
/// text around, no reserved name, not too long. Its extension stays.
fn safe_name(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    let last = text.rsplit(['/', '\\']).find(|part| !part.trim_matches(['.', ' ']).is_empty()).unwrap_or_default();
    let safe: String = last
        .chars()
        .map(|c| match c {
            '<' | '>' | ':' | '"' | '|' | '?' | '*' | '\u{fffd}' => '_',
            c if c.is_control() || is_invisible(c) => '_',
            c => c,
        })
        .collect();
    let trimmed = safe.trim().trim_matches('.').trim();
    let (stem, extension) = match trimmed.rsplit_once('.') {
        Some((stem, extension)) if extension.len() <= 16 && !stem.is_empty() => (stem, Some(extension)),
        _ => (trimmed, None),
    };
    let room = EXTRACT_NAME_OCTETS - extension.map_or(0, |extension| extension.len() + 1);
    let mut stem = stem[..stem.floor_char_boundary(room)].to_owned();
    let first = stem.split('.').next().unwrap_or_default().trim().to_ascii_uppercase();
    let is_device = matches!(first.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || matches!(first.get(..3), Some("COM" | "LPT")) && first.chars().count() == 4;
    if is_device {
        stem.insert(0, '_');
    }
    match extension {
        _ if stem.is_empty() => "unnamed".to_owned(),
        Some(extension) => format!("{stem}.{extension}"),
        None => stem,
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// What is looked at to tell what a file is.
const SNIFFED_OCTETS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_cannot_leave_their_folder_or_mislead() {
        let safe = |name: &str| safe_name(name.as_bytes());
        assert_eq!(safe("report.pdf"), "report.pdf");
        assert_eq!(safe("../../etc/profile"), "profile");
        assert_eq!(safe("..\\..\\windows\\system.ini"), "system.ini");
        assert_eq!(safe("/"), "unnamed");
        assert_eq!(safe(".."), "unnamed");
        assert_eq!(safe(""), "unnamed");
        assert_eq!(safe("a\0b\nc\x1b[31m.txt"), "a_b_c_[31m.txt");
        assert_eq!(safe("invoice\u{202e}fdp.exe"), "invoice_fdp.exe");
        assert_eq!(safe("con.txt"), "_con.txt");
        assert_eq!(safe("LPT1"), "_LPT1");
        assert_eq!(safe("com¹.tar.gz"), "_com¹.tar.gz");
        assert_eq!(safe(".profile. "), "profile");
        assert_eq!(safe("Hafen für Bob.png"), "Hafen für Bob.png");
        let long = format!("{}.pdf", "ä".repeat(500));
        assert!(safe(&long).len() <= EXTRACT_NAME_OCTETS && safe(&long).ends_with("ä.pdf"));
        assert_eq!(safe_name(b"\xff\xfe"), "__");
    }
}
