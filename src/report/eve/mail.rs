//! The message of a transaction as `email` and `fileinfo` tell of it.
//!
//! Its header and its MIME tree are read by [`Reader`]. Lines are looked at here as well, since some
//! events and the MD5 of the body are about lines as they were sent. Of contents nothing is kept but hashes,
//! sizes, and the addresses (URLs) in text.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::urls::find_urls;
use super::{Email, FileInfo};
use crate::bytes::utf8;
use crate::imf::{Anomaly, Detail, Event, Part, Reader, TransferEncoding};
use crate::limits;

/// A message under way.
#[derive(Debug)]
pub(super) struct Mail {
    /// Dots at line starts are doubled (RFC 5321 §4.5.2).
    is_stuffed: bool,
    line: Vec<u8>,
    /// The beginning of the line was handed on: what follows is no line of its own.
    is_within_line: bool,
    /// The end of the last line. That of the last line of all belongs to no part: the reader does
    /// not see it.
    held_end: &'static [u8],
    /// The place of the next octet in its stream, where all octets stand in one stretch.
    next: Option<u64>,
    body: Option<Md5>,
    reader: Reader,
    found: Found,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Found {
    email: Email,
    /// The message's header is over.
    has_body: bool,
    /// The part that is being read is quoted-printable.
    is_quoted: bool,
    /// Its text, if it has any: the line under way.
    text: Option<Vec<u8>>,
    file: Option<File>,
    files: Vec<FileInfo>,
    /// The message ends without its end having been seen.
    is_cut: bool,
    strange: Vec<&'static str>,
}

#[derive(Debug)]
struct File {
    part: u64,
    name: String,
    md5: Md5,
    sha1: Sha1,
    sha256: Sha256,
}

impl Mail {
    /// A message of which nothing has come. `is_stuffed`: dots at line starts are doubled (DATA).
    pub(super) fn new(is_stuffed: bool) -> Mail {
        Mail {
            is_stuffed,
            line: Vec::new(),
            is_within_line: false,
            held_end: b"",
            next: None,
            body: None,
            reader: Reader::new(Detail::Content),
            found: Found::default(),
        }
    }

    /// Takes the next octets, which stand at `start` of their stream. Chunks (BDAT) have commands
    /// between them; elsewhere a jump means that octets are missing.
    pub(super) fn feed(&mut self, start: u64, octets: &[u8]) {
        if self.is_stuffed {
            if let Some(next) = self.next.filter(|next| *next != start) {
                self.gap(start.saturating_sub(next));
            }
            self.next = Some(start + octets.len() as u64);
        }
        self.text(octets);
    }

    /// So many octets are missing here.
    pub(super) fn gap(&mut self, missing: u64) {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.line(&line, b"");
        }
        self.is_within_line = true;
        self.read(self.held_end);
        self.held_end = b"";
        let found = &mut self.found;
        self.reader.gap(missing, &mut |event| found.event(&event));
    }

    /// The names of what was strange since the last call.
    pub(super) fn strange(&mut self) -> impl Iterator<Item = &'static str> + '_ {
        self.found.strange.drain(..)
    }

    /// The message is over; `is_whole`: its end was seen.
    pub(super) fn finish(mut self, is_whole: bool) -> (Email, Vec<FileInfo>) {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.line(&line, b"");
        }
        let started = self.found.has_body;
        let mut found = self.found;
        found.is_cut = !is_whole;
        self.reader.finish(&mut |event| found.event(&event));
        found.email.status = match (is_whole, started) {
            (true, _) => "PARSE_DONE",
            (false, true) => "BODY_STARTED",
            (false, false) => "HEADER_STARTED",
        };
        found.email.body_md5 = self.body.take().map(|md5| hex(&md5.finalize()));
        (found.email, found.files)
    }

    /// Cuts lines. A line that is longer than any header or encoded line is handed on in pieces.
    fn text(&mut self, mut octets: &[u8]) {
        while let Some(lf) = memchr::memchr(b'\n', octets) {
            let (line, rest) = octets.split_at(lf + 1);
            octets = rest;
            if self.line.is_empty() {
                self.line_with_end(line);
            } else {
                let mut held = std::mem::take(&mut self.line);
                held.extend_from_slice(line);
                self.line_with_end(&held);
                held.clear();
                self.line = held;
            }
            self.is_within_line = false;
        }
        self.line.extend_from_slice(octets);
        if self.line.len() > limits::IMF_FIELD_OCTETS {
            // The last octet may be the CR of the line's end.
            let mut held = std::mem::take(&mut self.line);
            let last = held.pop();
            if !self.is_within_line {
                self.found.note("MIME_LONG_LINE");
            }
            self.line(&held, b"");
            self.is_within_line = true;
            self.line.extend(last);
        }
    }

    fn line_with_end(&mut self, line: &[u8]) {
        let (text, end): (&[u8], &'static [u8]) = match line {
            [text @ .., b'\r', b'\n'] => (text, b"\r\n"),
            [text @ .., b'\n'] => (text, b"\n"),
            _ => (line, b""),
        };
        self.line(text, end);
    }

    fn line(&mut self, text: &[u8], end: &'static [u8]) {
        self.read(self.held_end);
        self.held_end = b"";
        // Suricata passes over a line in the message's header that is no field; the reader ends the header there.
        if !self.found.has_body && !self.is_within_line && !is_header_line(text) {
            return;
        }
        self.held_end = end;
        if self.found.has_body {
            let md5 = self.body.get_or_insert_with(Md5::new);
            md5.update(text);
            md5.update(end);
        }
        if self.found.is_quoted && text.len() > QUOTED_OCTETS {
            self.found.note("MIME_LONG_ENC_LINE");
        }
        self.read(match text {
            [b'.', text @ ..] if self.is_stuffed && !self.is_within_line => text,
            _ => text,
        });
    }

    fn read(&mut self, octets: &[u8]) {
        let found = &mut self.found;
        self.reader.feed(octets, &mut |event| found.event(&event));
    }
}

impl Found {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Field { part, field } if part.number == 0 => {
                self.email.field(&field.name.to_ascii_lowercase(), &field.unfolded());
            }
            Event::PartStart(part) => self.begin(part),
            Event::Content { octets, .. } => self.octets(octets),
            Event::PartEnd(part) => self.end(part),
            Event::Anomaly(Anomaly::BadBase64) => self.note("MIME_INVALID_BASE64"),
            Event::Anomaly(Anomaly::BadQuotedPrintable) => self.note("MIME_INVALID_QP"),
            Event::Field { .. } | Event::Message { .. } | Event::Anomaly(_) => {}
        }
    }

    fn begin(&mut self, part: &Part) {
        self.has_body = true;
        let kind = &part.content_type;
        if kind.parameter("boundary").is_some_and(|boundary| boundary.len() > BOUNDARY_OCTETS) {
            self.note("MIME_LONG_BOUNDARY");
        }
        if part.is_multipart() || part.is_message() {
            return;
        }
        self.is_quoted = part.transfer_encoding == TransferEncoding::QuotedPrintable;
        self.text = (kind.main == "text" && matches!(kind.sub.as_str(), "plain" | "html")).then(Vec::new);
        let Some(name) = part.file_name.as_deref().filter(|name| !name.is_empty()) else { return };
        if name.len() > NAME_OCTETS {
            self.note("MIME_LONG_FILENAME");
        }
        if self.email.attachment.len() < limits::EVE_FILES {
            let name = utf8(&name[..name.len().min(NAME_OCTETS)]);
            self.email.attachment.push(name.clone());
            let (md5, sha1, sha256) = (Md5::new(), Sha1::new(), Sha256::new());
            self.file = Some(File { part: part.number, name, md5, sha1, sha256 });
        }
    }

    fn octets(&mut self, octets: &[u8]) {
        if let Some(file) = &mut self.file {
            file.md5.update(octets);
            file.sha1.update(octets);
            file.sha256.update(octets);
        }
        let Some(line) = &mut self.text else { return };
        for piece in octets.split_inclusive(|octet| *octet == b'\n') {
            line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || line.len() > limits::IMF_FIELD_OCTETS {
                find_urls(line, &mut self.email.url);
                line.clear();
            }
        }
    }

    fn end(&mut self, part: &Part) {
        if let Some(text) = self.text.take() {
            find_urls(&text, &mut self.email.url);
        }
        self.is_quoted = false;
        let Some(file) = self.file.take_if(|file| file.part == part.number) else { return };
        let has_gap = part.missing > 0;
        let hash = |octets: &[u8]| Some(hex(octets)).filter(|_| !has_gap);
        self.files.push(FileInfo {
            filename: file.name,
            gaps: has_gap,
            state: if has_gap || self.is_cut { "TRUNCATED" } else { "CLOSED" },
            md5: hash(&file.md5.finalize()),
            sha1: hash(&file.sha1.finalize()),
            sha256: hash(&file.sha256.finalize()),
            stored: false,
            size: part.octets,
            tx_id: 0,
        });
    }

    /// Something strange about the message. A hostile one must not fill the log.
    fn note(&mut self, event: &'static str) {
        if self.email.told < limits::EVE_MESSAGE_EVENTS {
            self.email.told += 1;
            self.strange.push(event);
        }
    }
}

/// An empty line, the next line of a field, or a field (RFC 5322 §2.2).
fn is_header_line(text: &[u8]) -> bool {
    match text.first() {
        None | Some(b' ' | b'\t') => true,
        Some(_) => memchr::memchr(b':', text)
            .map(|colon| text[..colon].trim_ascii_end())
            .is_some_and(|name| !name.is_empty() && name.iter().all(u8::is_ascii_graphic)),
    }
}

/// Octets in hexadecimal.
pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// RFC 2045 §6.7: a line of quoted-printable has at most 76 octets.
const QUOTED_OCTETS: usize = 76;

/// A longer boundary is an event; RFC 2046 §5.1.1 allows 70.
const BOUNDARY_OCTETS: usize = 254;

/// A longer file name is an event, and is cut: no usual file system takes it.
const NAME_OCTETS: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a message whole and in pieces of every size, which must agree.
    fn read(message: &[u8]) -> (Email, Vec<FileInfo>) {
        let read = |size: usize| {
            let mut mail = Mail::new(true);
            for (nth, piece) in message.chunks(size).enumerate() {
                mail.feed((nth * size) as u64, piece);
            }
            mail.finish(true)
        };
        let whole = read(message.len().max(1));
        for size in 1..message.len().min(80) {
            let pieces = read(size);
            let text = |told: &(Email, Vec<FileInfo>)| {
                serde_json::to_string(&told.0).expect("it is JSON")
                    + &serde_json::to_string(&told.1).expect("it is JSON")
            };
            assert_eq!(text(&pieces), text(&whole), "pieces of {size}");
        }
        whole
    }

    #[test]
    fn fields_hashes_and_addresses_of_a_plain_message_are_told() {
        let (email, files) = read(
            b"From: A <a@example.org>\r\nTo: b@example.org,\r\n \"C, D\" <c@example.org>\r\nSubject: hello\r\n\r\nsee http://example.org/x.\r\n..\r\n",
        );
        assert_eq!(email.from.as_deref(), Some("A <a@example.org>"));
        assert_eq!(email.to, ["b@example.org", "\"C, D\" <c@example.org>"]);
        assert_eq!(email.subject_md5.as_deref(), Some("5d41402abc4b2a76b9719d911017c592"));
        assert_eq!(email.body_md5, Some(hex(&Md5::digest(b"see http://example.org/x.\r\n..\r\n"))));
        assert_eq!(email.url, ["http://example.org/x."]);
        assert!(files.is_empty());
    }

    #[test]
    fn files_are_found_in_nested_parts_and_decoded() {
        let (email, files) = read(
            b"Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\npreamble\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
              Subject: inner\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\
              Content-Disposition: attachment; filename=\"a.txt\"\r\nContent-Transfer-Encoding: base64\r\n\r\naGVs\r\nbG8=\r\n\
              --c--\r\n--b\r\nContent-Type: text/plain; name=b.txt\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
              h=65l=\r\nlo\r\n--b--\r\nend\r\n",
        );
        let told: Vec<_> = files.iter().map(|file| (file.filename.as_str(), file.size, file.state)).collect();
        assert_eq!(told, [("a.txt", 5, "CLOSED"), ("b.txt", 5, "CLOSED")]);
        assert_eq!(files[0].md5.as_deref(), Some("5d41402abc4b2a76b9719d911017c592"));
        assert_eq!(files[0].md5, files[1].md5);
        assert_eq!(email.attachment, ["a.txt", "b.txt"]);
        assert_eq!(email.more.subject, None, "the inner message's subject is not that of the message");
    }

    #[test]
    fn a_line_that_is_no_field_does_not_end_the_header() {
        let (email, _) = read(b"From: a@example.org\r\nwhat is this\r\nSubject: hello\r\n\r\nx\r\n");
        assert_eq!(email.more.subject.as_deref(), Some("hello"));
        assert_eq!(email.body_md5, Some(hex(&Md5::digest(b"x\r\n"))));
    }

    #[test]
    fn a_file_with_a_gap_has_no_hash() {
        let mut mail = Mail::new(true);
        let head = b"Content-Disposition: attachment; filename=x\r\n\r\nabc\r\n";
        mail.feed(0, head);
        mail.feed(head.len() as u64 + 10, b"def\r\n");
        let (_, files) = mail.finish(true);
        assert_eq!((files[0].state, files[0].gaps, files[0].sha256.as_ref()), ("TRUNCATED", true, None));
    }

    #[test]
    fn a_header_stays_bounded() {
        let mut mail = Mail::new(false);
        for _ in 0..2_000 {
            mail.feed(0, b"Received: from here\r\n by there\r\nTo: ");
            mail.feed(0, &b"a@example.org, ".repeat(100));
            mail.feed(0, b"\r\n");
        }
        let (email, _) = mail.finish(true);
        let octets: usize = email.to.iter().chain(&email.more.received).map(String::len).sum();
        assert!(octets <= limits::EVE_KEPT_OCTETS && octets > 10_000, "{octets}");
        assert!(email.to.len() <= limits::EVE_VALUES && email.more.received.len() <= limits::EVE_VALUES);
    }

    #[test]
    fn a_line_without_end_stays_bounded_and_is_told_once() {
        let mut mail = Mail::new(false);
        mail.feed(0, b"\r\n");
        for _ in 0..100 {
            mail.feed(0, &[b'x'; 1000]);
            assert!(mail.line.len() <= limits::IMF_FIELD_OCTETS + 1000);
        }
        assert_eq!(mail.strange().collect::<Vec<_>>(), ["MIME_LONG_LINE"]);
    }
}
