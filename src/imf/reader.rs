//! A message read as it streams by: header fields, the MIME tree, what its parts contain.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::decode::Decoder;
use super::part::{Part, TransferEncoding};
use super::{Anomaly, EvenLines, decode_words};
use crate::limits;

/// How much a [`Reader`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Names, types and sizes. Contents are counted, not decoded, where that is enough.
    Structure,
    /// Decoded contents too.
    Content,
}

/// What a [`Reader`] tells.
#[derive(Debug)]
pub enum Event<'a> {
    /// A header field, complete.
    Field {
        /// The part whose header it stands in.
        part: &'a Part,
        /// The field.
        field: Field<'a>,
    },
    /// A part's header is over.
    PartStart(&'a Part),
    /// Decoded octets of a part that holds no other, in pieces.
    Content {
        /// The part.
        part: &'a Part,
        /// The octets.
        octets: &'a [u8],
    },
    /// Octets of a part that holds a message, as they stand: that message whole, with its header and its parts.
    Message {
        /// The part.
        part: &'a Part,
        /// The octets.
        octets: &'a [u8],
    },
    /// A part is over: its sizes are known.
    PartEnd(&'a Part),
    /// Something unusual.
    Anomaly(Anomaly),
}

/// A header field (RFC 5322 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name, as spelled.
    pub name: &'a [u8],
    /// Its value as sent: folded, without the line end that ends it.
    pub value: &'a [u8],
}

impl Field<'_> {
    /// Its value in one line (RFC 5322 §2.2.3), without the spaces around it.
    #[must_use]
    pub fn unfolded(&self) -> Vec<u8> {
        let line: Vec<u8> = self.value.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
        line.trim_ascii().to_vec()
    }

    /// Its value in one line, with encoded words decoded.
    #[must_use]
    pub fn decoded(&self) -> Vec<u8> {
        let line = self.unfolded();
        match decode_words(&line) {
            Cow::Owned(decoded) => decoded,
            Cow::Borrowed(_) => line,
        }
    }
}

/// Reads one message from its octets, dot-stuffing undone, wherever they are cut.
///
/// Lines may end with CR LF or LF. Memory is bounded by the limits of [`limits`] on a field, on the
/// parts open and on boundaries, whatever the message's size.
///
/// ```text
/// message ── multipart/mixed ┬ text/plain
///    0            (0)        ├ application/pdf            2
///                            └ message/rfc822             3
///                                 └ the message in it     4
/// ```
#[derive(Debug)]
pub struct Reader {
    detail: Detail,
    /// The parts that are open, the message first.
    open: Vec<Open>,
    parts: u64,
    /// The header of the last open part is being read.
    in_header: bool,
    header_octets: usize,
    /// The field that may go on in the next line, without the end of its last line.
    field: Vec<u8>,
    field_cut: bool,
    /// Fields of this header that may stand once only, met so far.
    once: u32,
    /// The beginning of a line that has to be seen whole.
    line: Vec<u8>,
    /// The next octet begins a line.
    at_line_start: bool,
    /// A line end that belongs to the contents unless a boundary follows.
    line_end: &'static [u8],
    /// Lines of a header that are no fields do not end it.
    passes_over: bool,
    /// The line end that belongs to messages inside unless a boundary follows.
    message_line_end: &'static [u8],
    /// The line that is being gathered has been told as part of messages inside, so far as it goes.
    line_told: bool,
}

/// An open part.
#[derive(Debug)]
struct Open {
    part: Part,
    /// Of a multipart: its boundary, until it was closed.
    boundary: Option<Vec<u8>>,
    /// Of a multipart: its closing boundary was seen.
    closed: bool,
    /// Of a part that holds octets.
    decoder: Option<Decoder>,
    told_bad: bool,
}

impl Open {
    fn new(part: Part) -> Open {
        Open { part, boundary: None, closed: false, decoder: None, told_bad: false }
    }
}

type Emit<'e> = dyn FnMut(Event<'_>) + 'e;

impl Reader {
    /// At the first octet of a message.
    #[must_use]
    pub fn new(detail: Detail) -> Reader {
        Reader {
            detail,
            open: vec![Open::new(Part::new(0, None, 0))],
            parts: 1,
            in_header: true,
            header_octets: 0,
            field: Vec::new(),
            field_cut: false,
            once: 0,
            line: Vec::new(),
            at_line_start: true,
            line_end: b"",
            passes_over: false,
            message_line_end: b"",
            line_told: false,
        }
    }

    /// The same, but a header ends at an empty line only: lines in it that are no fields are passed over, as some
    /// analyzers do.
    #[must_use]
    pub fn passing_over_strange_lines(self) -> Reader {
        Reader { passes_over: true, ..self }
    }

    /// Takes the next octets.
    pub fn feed(&mut self, text: &[u8], emit: &mut Emit<'_>) {
        let mut rest = text;
        while !rest.is_empty() {
            let may_be_boundary = !self.line.is_empty() || self.at_line_start && rest[0] == b'-';
            let taken = match self.in_header || may_be_boundary {
                true => self.whole_line(rest, emit),
                false => self.block(rest, emit),
            };
            rest = &rest[taken..];
        }
    }

    /// Takes the next octets of the text, which are lines as [`super::EvenLines`] takes them, of so many characters.
    pub fn feed_even(&mut self, text: &[u8], characters: u64, emit: &mut Emit<'_>) {
        let may_be_boundary = !self.line.is_empty() || self.at_line_start && text.first() == Some(&b'-');
        let is_plain = !self.in_header && !may_be_boundary && self.detail == Detail::Structure;
        match self.open.last_mut() {
            Some(Open { part, decoder: Some(decoder), .. }) if is_plain && text.len() > 2 => {
                let Some(count) = decoder.count(characters) else { return self.feed(text, emit) };
                let end = [&b"\r\n"[..], b"\r"].into_iter().find(|end| text.ends_with(end)).unwrap_or(b"");
                let octets = text.len() + self.line_end.len() - end.len();
                part.encoded = part.encoded.saturating_add(octets as u64);
                give(part, count, b"", emit);
                (self.line_end, self.at_line_start) = (end, end == b"\r\n");
            }
            _ => self.feed(text, emit),
        }
    }

    /// Octets are missing. What the header had not said by then stays unknown.
    pub fn gap(&mut self, missing: u64, emit: &mut Emit<'_>) {
        if self.in_header {
            self.line.clear();
            self.field.clear();
            self.field_cut = false;
            self.end_headers(emit);
        } else {
            self.release_line(emit);
        }
        if let Some(last) = self.open.last_mut()
            && let Some(decoder) = &mut last.decoder
        {
            decoder.gap();
        }
        self.line_told = false;
        self.end_messages(emit);
        for open in &mut self.open {
            open.part.missing = open.part.missing.saturating_add(missing);
        }
        self.at_line_start = false;
        self.line_end = b"";
    }

    /// The message is over: every open part ends.
    pub fn finish(&mut self, emit: &mut Emit<'_>) {
        if self.open.is_empty() {
            return;
        }
        if self.in_header {
            if !self.line.is_empty() {
                let line = std::mem::take(&mut self.line);
                self.line_is_whole(&line, emit);
            }
        } else {
            let line = std::mem::take(&mut self.line);
            if line.is_empty() || !self.boundary_line(&line, emit) {
                self.inside_messages(&line, self.open.len(), emit);
                self.contents(&line, emit);
            }
        }
        self.end_headers(emit);
        let line_end = std::mem::take(&mut self.line_end);
        self.octets(line_end, emit);
        self.end_messages(emit);
        self.close_to(0, true, emit);
    }

    /// Takes octets up to the end of a line that has to be seen whole; how many.
    fn whole_line(&mut self, text: &[u8], emit: &mut Emit<'_>) -> usize {
        let limit = if self.in_header { limits::IMF_HEADER_FIELD_OCTETS } else { limits::IMF_BOUNDARY_OCTETS };
        let end = memchr::memchr(b'\n', text).map(|at| at + 1);
        let taken = end.unwrap_or(text.len());
        if self.line.is_empty() && end.is_some() {
            self.line_is_whole(&text[..taken], emit);
        } else if self.in_header {
            let room = limit.saturating_sub(self.line.len()).max(usize::from(end.is_some()) * 2);
            self.field_cut |= taken > room;
            // Of a line that is too long its end is kept too, so that it stays a line.
            let from = &text[..taken];
            if self.line_told || taken > room {
                let begun = std::mem::take(&mut self.line);
                if !std::mem::replace(&mut self.line_told, true) {
                    self.inside_messages(&begun, self.open.len(), emit);
                }
                self.inside_messages(from, self.open.len(), emit);
                self.line = begun;
            }
            self.line.extend_from_slice(&from[..taken.min(room)]);
            if end.is_some() {
                let line = std::mem::take(&mut self.line);
                self.line_is_whole(&line, emit);
            }
        } else {
            self.line.extend_from_slice(&text[..taken]);
            if end.is_some() {
                let line = std::mem::take(&mut self.line);
                self.line_is_whole(&line, emit);
            } else if self.line.len() > limit || !is_boundary_so_far(&self.line) {
                self.release_line(emit);
            }
        }
        taken
    }

    /// A line that began like a boundary is none.
    fn release_line(&mut self, emit: &mut Emit<'_>) {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.inside_messages(&line, self.open.len(), emit);
            self.contents(&line, emit);
            self.at_line_start = line.ends_with(b"\n");
        }
    }

    fn line_is_whole(&mut self, line: &[u8], emit: &mut Emit<'_>) {
        self.at_line_start = true;
        let told = std::mem::take(&mut self.line_told);
        if self.in_header {
            if !told && !self.is_boundary(line) {
                self.inside_messages(line, self.open.len(), emit);
            }
            self.header_line(line, emit);
        } else if !self.boundary_line(line, emit) {
            self.inside_messages(line, self.open.len(), emit);
            self.contents(line, emit);
        }
    }

    /// Octets that stand in messages inside this one, among the open parts before `depth`. The line end at their end waits.
    fn inside_messages(&mut self, bytes: &[u8], depth: usize, emit: &mut Emit<'_>) {
        if self.detail == Detail::Structure {
            return;
        }
        // The header of the last open part belongs to the part; what a message holds stands in parts below it.
        let depth = depth.min(self.open.len().saturating_sub(1));
        let mut holders =
            self.open[..depth].iter().map(|open| &open.part).filter(|part| part.holds_message()).peekable();
        if holders.peek().is_none() || bytes.is_empty() {
            return;
        }
        let (before, mut bytes) = (self.message_line_end, bytes);
        let mut end = &b""[..];
        if before == b"\r" && bytes == b"\n" {
            self.message_line_end = b"\r\n";
            return;
        }
        for line_end in [&b"\r\n"[..], b"\n", b"\r"] {
            if let Some(rest) = bytes.strip_suffix(line_end) {
                (bytes, end) = (rest, line_end);
                break;
            }
        }
        for part in holders {
            for octets in [before, bytes].into_iter().filter(|octets| !octets.is_empty()) {
                emit(Event::Message { part, octets });
            }
        }
        self.message_line_end = end;
    }

    /// Takes contents up to the next line that may be a boundary; how many octets.
    fn block(&mut self, text: &[u8], emit: &mut Emit<'_>) -> usize {
        let taken = match BOUNDARY.find(text) {
            Some(at) => at + 1,
            // The line at the end may become a boundary.
            None if text.ends_with(b"\n-") => text.len() - 1,
            None => text.len(),
        };
        self.inside_messages(&text[..taken], self.open.len(), emit);
        self.contents(&text[..taken], emit);
        self.at_line_start = text[..taken].ends_with(b"\n");
        taken
    }

    /// The line end that waited belongs to the messages inside.
    fn end_messages(&mut self, emit: &mut Emit<'_>) {
        let end = std::mem::take(&mut self.message_line_end);
        let depth = self.open.len().saturating_sub(1);
        for part in self.open[..depth].iter().map(|open| &open.part).filter(|part| part.holds_message()) {
            if !end.is_empty() {
                emit(Event::Message { part, octets: end });
            }
        }
    }

    /// Contents of the last open part; the line end at its end waits.
    fn contents(&mut self, bytes: &[u8], emit: &mut Emit<'_>) {
        let mut bytes = bytes;
        if self.line_end == b"\r" && bytes.first() == Some(&b'\n') {
            self.line_end = b"\r\n";
            bytes = &bytes[1..];
        }
        if bytes.is_empty() {
            return;
        }
        let before = std::mem::take(&mut self.line_end);
        self.octets(before, emit);
        self.line_end = [&b"\r\n"[..], b"\n", b"\r"].into_iter().find(|end| bytes.ends_with(end)).unwrap_or(b"");
        self.octets(&bytes[..bytes.len() - self.line_end.len()], emit);
    }

    /// Octets that are contents, whatever follows.
    fn octets(&mut self, bytes: &[u8], emit: &mut Emit<'_>) {
        let Some(Open { part, decoder: Some(decoder), told_bad, .. }) = self.open.last_mut() else { return };
        if bytes.is_empty() {
            return;
        }
        part.encoded = part.encoded.saturating_add(bytes.len() as u64);
        decoder.feed(bytes, |count, octets| give(part, count, octets, emit));
        tell_bad(part, decoder, told_bad, emit);
    }

    /// Whether a line is a boundary; then what it ends is ended, and what it begins is begun.
    fn boundary_line(&mut self, line: &[u8], emit: &mut Emit<'_>) -> bool {
        let Some(word) = line.strip_prefix(b"--").map(<[u8]>::trim_ascii_end) else { return false };
        let found = self.open.iter().enumerate().rev().find_map(|(i, open)| {
            let after = word.strip_prefix(open.boundary.as_deref()?)?;
            matches!(after, b"" | b"--").then_some((i, !after.is_empty()))
        });
        let Some((at, closes)) = found else { return false };
        // A lone CR is no part of the line end before the boundary.
        if self.line_end == b"\r" {
            self.octets(b"\r", emit);
        }
        self.line_end = b"";
        // The boundary of a multipart is part of the messages around it; of those in it not even the line end before it is.
        let around = self.open[..at].iter().any(|open| open.part.holds_message());
        if around {
            self.inside_messages(line, at, emit);
        } else {
            self.message_line_end = b"";
        }
        self.close_to(at + 1, false, emit);
        let multipart = &mut self.open[at];
        if closes {
            (multipart.boundary, multipart.closed) = (None, true);
        } else {
            let digest = multipart.part.content_type.sub == "digest";
            self.begin_part(digest, emit);
        }
        true
    }

    /// Begins a part inside the last open one.
    fn begin_part(&mut self, digest: bool, emit: &mut Emit<'_>) {
        let parent = self.open.last().map(|open| open.part.number);
        let depth = self.open.len();
        if depth >= limits::IMF_DEPTH || self.parts >= limits::IMF_PARTS {
            emit(Event::Anomaly(Anomaly::TooManyParts));
            // Its octets belong to nothing.
            return;
        }
        let mut part = Part::new(self.parts, parent, depth as u32);
        if digest {
            part.content_type = super::part::ContentType::of(b"message/rfc822");
            part.content_type.declared = false;
        }
        self.parts += 1;
        self.open.push(Open::new(part));
        self.in_header = true;
        (self.header_octets, self.once) = (0, 0);
    }

    /// Ends the open parts from `depth` on, the innermost first.
    fn close_to(&mut self, depth: usize, at_end: bool, emit: &mut Emit<'_>) {
        while self.open.len() > depth {
            let Some(mut open) = self.open.pop() else { return };
            let Open { part, decoder, told_bad, .. } = &mut open;
            if let Some(decoder) = decoder {
                decoder.finish(|count, octets| give(part, count, octets, emit));
                tell_bad(part, decoder, told_bad, emit);
            }
            let unclosed = open.boundary.is_some() && !open.closed;
            if unclosed {
                emit(Event::Anomaly(Anomaly::MissingEndBoundary));
            }
            // What stands in a multipart ends with a boundary, or it was cut off.
            let cut = at_end && self.open.iter().any(|outer| outer.boundary.is_some());
            open.part.complete = open.part.missing == 0 && !unclosed && !cut;
            emit(Event::PartEnd(&open.part));
        }
    }

    fn header_line(&mut self, line: &[u8], emit: &mut Emit<'_>) {
        self.header_octets = self.header_octets.saturating_add(line.len());
        let text = line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
        if text.is_empty() {
            return self.end_header(emit);
        }
        if matches!(text[0], b' ' | b'\t') && !self.field.is_empty() {
            let room = limits::IMF_HEADER_FIELD_OCTETS.saturating_sub(self.field.len() + 2);
            self.field_cut |= text.len() > room;
            if room > 0 {
                self.field.extend_from_slice(b"\r\n");
                self.field.extend_from_slice(&text[..text.len().min(room)]);
            }
            return;
        }
        self.end_field(emit);
        let is_field = memchr::memchr(b':', text).is_some_and(|at| is_field_name(text[..at].trim_ascii_end()));
        if is_field {
            self.field.extend_from_slice(&text[..text.len().min(limits::IMF_HEADER_FIELD_OCTETS)]);
            if self.header_octets > limits::IMF_HEADER_OCTETS {
                emit(Event::Anomaly(Anomaly::HeaderTooLong));
                self.end_header(emit);
            }
            return;
        }
        if self.passes_over && !self.is_boundary(text) {
            return;
        }
        // The line of a mailbox file, which some programs leave before the header.
        if self.header_octets == line.len() && (text.starts_with(b"From ") || text.starts_with(b">From ")) {
            return;
        }
        if !self.is_boundary(text) {
            emit(Event::Anomaly(Anomaly::HeaderEndedByText));
        }
        self.end_header(emit);
        if !self.boundary_line(line, emit) {
            self.contents(line, emit);
        }
    }

    fn is_boundary(&self, line: &[u8]) -> bool {
        let Some(word) = line.strip_prefix(b"--").map(<[u8]>::trim_ascii_end) else { return false };
        let known = |open: &Open| open.boundary.as_deref().is_some_and(|boundary| word.starts_with(boundary));
        self.open.iter().any(known)
    }

    fn end_field(&mut self, emit: &mut Emit<'_>) {
        if std::mem::take(&mut self.field_cut) {
            emit(Event::Anomaly(Anomaly::FieldTooLong));
        }
        if self.field.is_empty() {
            return;
        }
        let held = std::mem::take(&mut self.field);
        if let (Some(at), Some(open)) = (memchr::memchr(b':', &held), self.open.last_mut()) {
            let field = Field { name: held[..at].trim_ascii_end(), value: &held[at + 1..] };
            open.part.read(field.name, &field.unfolded());
            let nth = ONCE.iter().position(|name| name.eq_ignore_ascii_case(field.name));
            let repeated = nth.is_some_and(|nth| self.once & 1 << nth != 0);
            self.once |= nth.map_or(0, |nth| 1 << nth);
            emit(Event::Field { part: &open.part, field });
            if repeated {
                emit(Event::Anomaly(Anomaly::RepeatedField));
            }
        }
        self.field = held;
        self.field.clear();
    }

    /// No header goes on, not even that of a message just begun.
    fn end_headers(&mut self, emit: &mut Emit<'_>) {
        while self.in_header {
            self.end_header(emit);
        }
    }

    /// The header of the last open part is over: what follows are its contents.
    fn end_header(&mut self, emit: &mut Emit<'_>) {
        self.end_field(emit);
        self.in_header = false;
        let Some(open) = self.open.last_mut() else { return };
        emit(Event::PartStart(&open.part));
        let holds_message = open.part.holds_message();
        if open.part.is_multipart() {
            let boundary = open.part.content_type.parameter("boundary").map(<[u8]>::trim_ascii_end);
            open.boundary =
                boundary.filter(|b| !b.is_empty() && b.len() <= limits::IMF_BOUNDARY_OCTETS - 6).map(<[u8]>::to_vec);
            if open.boundary.is_some() {
                return;
            }
            emit(Event::Anomaly(Anomaly::NoBoundary));
        } else if holds_message && self.open.len() < limits::IMF_DEPTH && self.parts < limits::IMF_PARTS {
            // The line end before it is none of its own.
            self.end_messages(emit);
            return self.begin_part(false, emit);
        }
        if let Some(open) = self.open.last_mut() {
            open.decoder = Some(Decoder::new(open.part.transfer_encoding, self.detail));
        }
    }
}

fn give(part: &mut Part, count: u64, octets: &[u8], emit: &mut Emit<'_>) {
    part.octets = part.octets.saturating_add(count);
    if !octets.is_empty() {
        emit(Event::Content { part, octets });
    }
}

/// Says once for each part that its encoding is broken.
fn tell_bad(part: &Part, decoder: &Decoder, told: &mut bool, emit: &mut Emit<'_>) {
    if decoder.is_bad && !std::mem::replace(told, true) {
        emit(Event::Anomaly(match part.transfer_encoding {
            TransferEncoding::QuotedPrintable => Anomaly::BadQuotedPrintable,
            _ => Anomaly::BadBase64,
        }));
    }
}

/// Whether octets may be the beginning of a boundary line.
fn is_boundary_so_far(line: &[u8]) -> bool {
    line.starts_with(b"--") || line == b"-"
}

/// RFC 5322 §2.2: printable US-ASCII but the colon.
fn is_field_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|b| b.is_ascii_graphic())
}

static BOUNDARY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\n--"));

/// Fields that stand at most once in a header (RFC 5322 §3.6).
const ONCE: [&[u8]; 13] = [
    b"From",
    b"Sender",
    b"Reply-To",
    b"To",
    b"Cc",
    b"Bcc",
    b"Message-ID",
    b"In-Reply-To",
    b"References",
    b"Subject",
    b"Date",
    b"Content-Type",
    b"Content-Transfer-Encoding",
];

/// Fuzz body: any octets as a message, cut anywhere, with gaps. Parts end in the reverse of the order in which they
/// begin, contents are counted as they are told, and nothing panics.
pub fn fuzz_mime(data: &[u8]) {
    let Some((&seed, text)) = data.split_first() else { return };
    let detail = if seed & 1 == 0 { Detail::Content } else { Detail::Structure };
    let mut reader = Reader::new(detail);
    let (mut open, mut counted): (Vec<u64>, u64) = (Vec::new(), 0);
    let mut emit = |event: Event<'_>| match event {
        Event::PartStart(part) => {
            assert_eq!(part.parent, open.last().copied());
            open.push(part.number);
        }
        Event::Content { part, octets } => {
            assert_eq!(Some(part.number), open.last().copied());
            counted += if detail == Detail::Content { octets.len() as u64 } else { 0 };
        }
        Event::PartEnd(part) => {
            assert_eq!(open.pop(), Some(part.number));
            let contents = part.octets;
            if detail == Detail::Content {
                assert!(contents <= counted);
                counted -= contents;
            }
        }
        Event::Message { part, octets } => {
            assert!(open.iter().rev().skip(1).any(|number| *number == part.number) && !octets.is_empty());
        }
        Event::Field { field, .. } => assert!(field.value.len() <= limits::IMF_HEADER_FIELD_OCTETS + 2),
        Event::Anomaly(_) => {}
    };
    let size = usize::from(seed >> 1).max(1);
    for (nth, piece) in text.chunks(size).enumerate() {
        reader.feed(piece, &mut emit);
        if nth % 97 == 96 {
            reader.gap(10, &mut emit);
        }
    }
    reader.finish(&mut emit);
    reader.finish(&mut emit);
    assert!(open.is_empty() && counted == 0);
    assert_eq!(part_sizes(text, size, false), part_sizes(text, size, true));
    let _ = super::sniff(text);
}

/// The sizes of each part that is counted only; with `even`, lines of one length are passed over.
fn part_sizes(text: &[u8], size: usize, even: bool) -> Vec<(u64, u64, u64)> {
    let (mut reader, mut sizes, mut lines) = (Reader::new(Detail::Structure), Vec::new(), EvenLines::default());
    let mut emit = |event: Event<'_>| {
        if let Event::PartEnd(part) = event {
            sizes.push((part.number, part.encoded, part.octets));
        }
    };
    for piece in text.chunks(size) {
        match lines.take(piece) {
            Some(characters) if even => reader.feed_even(piece, characters, &mut emit),
            Some(_) => reader.feed(piece, &mut emit),
            None => {
                lines.learn(piece);
                reader.feed(piece, &mut emit);
            }
        }
    }
    reader.finish(&mut emit);
    sizes
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
