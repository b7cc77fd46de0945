//! The message of a transaction as `email` and `fileinfo` tell of it.
//!
//! Read line by line as the octets pass: the header of the message, then the leaves of its MIME tree.
//! Of a leaf nothing is kept but hashes, its size, and the addresses (URLs) in its text.

use base64::Engine as _;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::parameters::{Parameters, parameters};
use super::urls::find_urls;
use super::{Email, FileInfo};
use crate::bytes::utf8;
use crate::imf::decode_words;
use crate::limits;

/// A message under way.
#[derive(Debug)]
pub(super) struct Mail {
    /// Dots at line starts are doubled (RFC 5321 §4.5.2).
    is_stuffed: bool,
    line: Vec<u8>,
    /// The beginning of the line was handed on: what follows is no line of its own.
    is_within_line: bool,
    /// The place of the next octet in its stream, where all octets stand in one stretch.
    next: Option<u64>,
    email: Email,
    body: Option<Md5>,
    reading: Reading,
    header: PartHeader,
    boundaries: Vec<Vec<u8>>,
    leaf: Option<Leaf>,
    files: Vec<FileInfo>,
    strange: Vec<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// The header of the message.
    Header,
    /// The header of a part.
    PartHeader,
    /// Contents, or what stands around the parts.
    Body,
}

/// What the header of a part says.
#[derive(Debug, Default)]
struct PartHeader {
    /// The field that may go on in the next line.
    field: Vec<u8>,
    content_type: Vec<u8>,
    disposition: Vec<u8>,
    encoding: Vec<u8>,
}

/// A part without parts.
#[derive(Debug)]
struct Leaf {
    encoding: Encoding,
    /// Base64 digits that make no whole octets yet.
    digits: Vec<u8>,
    /// A line end that belongs to the contents if more of them follow.
    held_end: &'static [u8],
    file: Option<File>,
    /// The line of text under way, where addresses are looked for.
    text: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    None,
    Base64,
    QuotedPrintable,
}

#[derive(Debug)]
struct File {
    name: String,
    size: u64,
    md5: Md5,
    sha1: Sha1,
    sha256: Sha256,
    has_gap: bool,
}

impl Mail {
    /// A message of which nothing has come. `is_stuffed`: dots at line starts are doubled (DATA).
    pub(super) fn new(is_stuffed: bool) -> Mail {
        Mail {
            is_stuffed,
            line: Vec::new(),
            is_within_line: false,
            next: None,
            email: Email::default(),
            body: None,
            reading: Reading::Header,
            header: PartHeader::default(),
            boundaries: Vec::new(),
            leaf: None,
            files: Vec::new(),
            strange: Vec::new(),
        }
    }

    /// Takes the next octets, which stand at `start` of their stream. Chunks (BDAT) have commands
    /// between them; elsewhere a jump means that octets are missing.
    pub(super) fn feed(&mut self, start: u64, octets: &[u8]) {
        if self.is_stuffed {
            if self.next.is_some_and(|next| next != start) {
                self.gap();
            }
            self.next = Some(start + octets.len() as u64);
        }
        self.text(octets);
    }

    /// Octets are missing here.
    pub(super) fn gap(&mut self) {
        if let Some(file) = self.leaf.as_mut().and_then(|leaf| leaf.file.as_mut()) {
            file.has_gap = true;
        }
    }

    /// The names of what was strange since the last call.
    pub(super) fn strange(&mut self) -> impl Iterator<Item = &'static str> + '_ {
        self.strange.drain(..)
    }

    /// The message is over; `is_whole`: its end was seen.
    pub(super) fn finish(mut self, is_whole: bool) -> (Email, Vec<FileInfo>) {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.line(&line, b"");
        }
        let started = self.reading != Reading::Header;
        if !started {
            self.field();
        }
        self.close_leaf(is_whole);
        self.email.status = match (is_whole, started) {
            (true, _) => "PARSE_DONE",
            (false, true) => "BODY_STARTED",
            (false, false) => "HEADER_STARTED",
        };
        self.email.body_md5 = self.body.take().map(|md5| hex(&md5.finalize()));
        (self.email, self.files)
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
                self.note("MIME_LONG_LINE");
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
        if let Some(md5) = &mut self.body {
            md5.update(text);
            md5.update(end);
        }
        let text = match text {
            [b'.', text @ ..] if self.is_stuffed && !self.is_within_line => text,
            _ => text,
        };
        match self.reading {
            Reading::Header | Reading::PartHeader if self.is_within_line => self.more_of_field(text),
            Reading::Header | Reading::PartHeader if text.is_empty() => self.header_over(),
            Reading::Header | Reading::PartHeader if matches!(text.first(), Some(b' ' | b'\t')) => {
                self.more_of_field(text);
            }
            Reading::Header | Reading::PartHeader => {
                self.field();
                self.more_of_field(text);
            }
            Reading::Body => self.body_line(text, end),
        }
    }

    fn more_of_field(&mut self, text: &[u8]) {
        let room = limits::EVE_FIELD_OCTETS.saturating_sub(self.header.field.len());
        self.header.field.extend_from_slice(&text[..text.len().min(room)]);
    }

    /// A field is complete.
    fn field(&mut self) {
        let field = std::mem::take(&mut self.header.field);
        let Some(colon) = memchr::memchr(b':', &field) else {
            return;
        };
        let (name, value) = (field[..colon].trim_ascii().to_ascii_lowercase(), field[colon + 1..].trim_ascii());
        match name.as_slice() {
            b"content-type" => self.header.content_type = value.to_vec(),
            b"content-disposition" => self.header.disposition = value.to_vec(),
            b"content-transfer-encoding" => self.header.encoding = value.to_ascii_lowercase(),
            _ => {}
        }
        if self.reading == Reading::Header {
            self.email.field(&name, value);
        }
    }

    fn header_over(&mut self) {
        self.field();
        if self.reading == Reading::Header {
            self.body = Some(Md5::new());
        }
        let header = std::mem::take(&mut self.header);
        let (kind, of_type) = parameters(&header.content_type);
        let (_, of_disposition) = parameters(&header.disposition);
        let kind = kind.to_ascii_lowercase();
        self.reading = Reading::Body;
        if kind.starts_with(b"multipart/")
            && let Some(boundary) = of_type.value("boundary").filter(|boundary| !boundary.is_empty())
        {
            if boundary.len() > BOUNDARY_OCTETS {
                self.note("MIME_LONG_BOUNDARY");
            }
            if self.boundaries.len() < limits::EVE_DEPTH {
                self.boundaries.push(boundary);
            }
            return;
        }
        let encoding = match header.encoding.as_slice() {
            b"base64" => Encoding::Base64,
            b"quoted-printable" => Encoding::QuotedPrintable,
            _ => Encoding::None,
        };
        if kind == b"message/rfc822" && encoding == Encoding::None && self.boundaries.len() < limits::EVE_DEPTH {
            self.reading = Reading::PartHeader;
            return;
        }
        let file = self.file(&of_disposition, &of_type);
        let is_text = matches!(kind.as_slice(), b"" | b"text" | b"text/plain" | b"text/html");
        let text = is_text.then(Vec::new);
        self.leaf = Some(Leaf { encoding, digits: Vec::new(), held_end: b"", file, text });
    }

    /// A part with a name is a file.
    fn file(&mut self, of_disposition: &Parameters, of_type: &Parameters) -> Option<File> {
        let name = of_disposition.value("filename").or_else(|| of_type.value("name"))?;
        if name.len() > NAME_OCTETS {
            self.note("MIME_LONG_FILENAME");
        }
        let name = utf8(&decode_words(&name[..name.len().min(NAME_OCTETS)]));
        if name.is_empty() || self.email.attachment.len() >= limits::EVE_FILES {
            return None;
        }
        self.email.attachment.push(name.clone());
        Some(File { name, size: 0, md5: Md5::new(), sha1: Sha1::new(), sha256: Sha256::new(), has_gap: false })
    }

    fn body_line(&mut self, text: &[u8], end: &'static [u8]) {
        if !self.is_within_line
            && let Some(after) = text.strip_prefix(b"--")
            && let Some(depth) = self.boundaries.iter().rposition(|boundary| after.starts_with(boundary))
        {
            let rest = &after[self.boundaries[depth].len()..];
            self.close_leaf(true);
            if rest.starts_with(b"--") {
                self.boundaries.truncate(depth);
            } else {
                self.boundaries.truncate(depth + 1);
                self.reading = Reading::PartHeader;
                self.header = PartHeader::default();
            }
            return;
        }
        let Some(leaf) = &mut self.leaf else { return };
        let told = leaf.line(text, end, &mut self.email.url);
        if let Some(event) = told {
            self.note(event);
        }
    }

    fn close_leaf(&mut self, is_whole: bool) {
        let Some(mut leaf) = self.leaf.take() else { return };
        if let Some(text) = leaf.text.take() {
            find_urls(&text, &mut self.email.url);
        }
        if let Some(file) = leaf.file {
            self.files.push(FileInfo {
                filename: file.name,
                gaps: file.has_gap,
                state: if is_whole && !file.has_gap { "CLOSED" } else { "TRUNCATED" },
                md5: Some(hex(&file.md5.finalize())).filter(|_| !file.has_gap),
                sha1: Some(hex(&file.sha1.finalize())).filter(|_| !file.has_gap),
                sha256: Some(hex(&file.sha256.finalize())).filter(|_| !file.has_gap),
                stored: false,
                size: file.size,
                tx_id: 0,
            });
        }
    }

    fn note(&mut self, event: &'static str) {
        if self.email.told < limits::EVE_MESSAGE_EVENTS {
            self.email.told += 1;
            self.strange.push(event);
        }
    }
}

impl Leaf {
    /// Takes a line; returns what is strange about it.
    fn line(&mut self, text: &[u8], end: &'static [u8], urls: &mut Vec<String>) -> Option<&'static str> {
        match self.encoding {
            Encoding::None => {
                let before = std::mem::replace(&mut self.held_end, end);
                self.octets(before, urls);
                self.octets(text, urls);
                None
            }
            Encoding::QuotedPrintable => {
                let before = std::mem::replace(&mut self.held_end, b"");
                self.octets(before, urls);
                let (decoded, is_soft) = quoted_printable(text);
                self.octets(&decoded, urls);
                self.held_end = if is_soft { b"" } else { end };
                (text.len() > ENCODED_OCTETS).then_some("MIME_LONG_ENC_LINE")
            }
            Encoding::Base64 => {
                let is_digit = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
                self.digits.extend(text.iter().copied().filter(is_digit));
                let padding = text.iter().filter(|octet| **octet == b'=').count();
                let strange = !text.iter().all(|octet| is_digit(octet) || matches!(octet, b'=' | b' ' | b'\t'));
                let whole = if padding > 0 { self.digits.len() } else { self.digits.len() / 4 * 4 };
                let rest = self.digits.split_off(whole);
                let digits = std::mem::replace(&mut self.digits, rest);
                let decoded = FORGIVING.decode(&digits).unwrap_or_default();
                self.octets(&decoded, urls);
                strange.then_some("MIME_INVALID_BASE64")
            }
        }
    }

    /// Decoded octets.
    fn octets(&mut self, octets: &[u8], urls: &mut Vec<String>) {
        if let Some(file) = &mut self.file {
            file.size += octets.len() as u64;
            file.md5.update(octets);
            file.sha1.update(octets);
            file.sha256.update(octets);
        }
        let Some(line) = &mut self.text else { return };
        for piece in octets.split_inclusive(|octet| *octet == b'\n') {
            line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || line.len() > limits::IMF_FIELD_OCTETS {
                find_urls(line, urls);
                line.clear();
            }
        }
    }
}

/// A line of quoted-printable decoded, and whether it goes on in the next (RFC 2045 §6.7).
fn quoted_printable(line: &[u8]) -> (Vec<u8>, bool) {
    let text = line.trim_ascii_end();
    let (text, is_soft) = match text {
        [text @ .., b'='] => (text, true),
        _ => (text, false),
    };
    let digit = |octet: u8| char::from(octet).to_digit(16).map(|digit| digit as u8);
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        match (first, after) {
            (b'=', [high, low, after @ ..]) if digit(*high).is_some() && digit(*low).is_some() => {
                decoded.push(digit(*high).unwrap_or(0) << 4 | digit(*low).unwrap_or(0));
                rest = after;
            }
            _ => {
                decoded.push(first);
                rest = after;
            }
        }
    }
    (decoded, is_soft)
}

/// Octets in hexadecimal.
pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Base64 whose padding may be missing, and whose last digit may carry bits that mean nothing.
const FORGIVING: base64::engine::GeneralPurpose = base64::engine::GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    base64::engine::GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
);

/// RFC 2045 §6.7: a line of quoted-printable has at most 76 octets.
const ENCODED_OCTETS: usize = 76;

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
