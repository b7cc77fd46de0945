//! A message's header, collected line by line.

use crate::limits;

/// What the header of a message says, as far as it was read. Values are raw: unfolded, without
/// the spaces around them, not decoded (see [`super::decode_words`]). Where a field stands more
/// than once, the first counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// `From`.
    pub from: Option<Vec<u8>>,
    /// `To`.
    pub to: Option<Vec<u8>>,
    /// `Cc`.
    pub cc: Option<Vec<u8>>,
    /// `Subject`.
    pub subject: Option<Vec<u8>>,
    /// `Date`.
    pub date: Option<Vec<u8>>,
    /// `Message-ID`.
    pub message_id: Option<Vec<u8>>,
    /// Fields in all, known or not.
    pub fields: u64,
    /// Octets of the header, the empty line that ends it included.
    pub size: u64,
    /// Whether its end was read: an empty line, or a line that is no field.
    pub complete: bool,
    /// Whether the header ended with a line that is no field, in the place of an empty one: the
    /// text begins there, whatever fields follow.
    pub ended_by_text: bool,
}

impl Header {
    /// The six that are kept, by name, where they stand in the header.
    pub fn known(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        [
            ("From", &self.from),
            ("To", &self.to),
            ("Cc", &self.cc),
            ("Subject", &self.subject),
            ("Date", &self.date),
            ("Message-ID", &self.message_id),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    fn slot(&mut self, name: &[u8]) -> Option<&mut Option<Vec<u8>>> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match name.len() {
            2 if is("To") => Some(&mut self.to),
            2 if is("Cc") => Some(&mut self.cc),
            4 if is("From") => Some(&mut self.from),
            4 if is("Date") => Some(&mut self.date),
            7 if is("Subject") => Some(&mut self.subject),
            10 if is("Message-ID") => Some(&mut self.message_id),
            _ => None,
        }
    }
}

/// Reads a header from the octets of a message, dot-stuffing undone, as they come.
///
/// Feed it until it says that the header is over; what comes later is the body. Memory is bounded
/// by [`limits::IMF_FIELD_OCTETS`] for each field kept and one line.
#[derive(Clone, Debug, Default)]
pub struct HeaderReader {
    header: Header,
    /// The line that has not ended, up to the limit.
    line: Vec<u8>,
    line_length: usize,
    /// The field read last, where a continuation line belongs.
    current: Field,
}

#[derive(Clone, Copy, Debug, Default)]
enum Field {
    /// None yet: a continuation line would be text.
    #[default]
    None,
    /// One that is not kept.
    Other,
    /// One that is kept, by its name.
    Kept(&'static str),
}

impl HeaderReader {
    /// At the first octet of a message.
    #[must_use]
    pub fn new() -> HeaderReader {
        HeaderReader::default()
    }

    /// Takes the next octets; `true` when the header is over.
    pub fn feed(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while !self.header.complete {
            let Some(lf) = memchr::memchr(b'\n', rest) else {
                self.hold(rest);
                return self.header.complete;
            };
            let (line, after) = rest.split_at(lf + 1);
            rest = after;
            if self.line_length == 0 {
                self.header.size = self.header.size.saturating_add(line.len() as u64);
                let kept = &line[..line.len().min(limits::IMF_FIELD_OCTETS)];
                self.line(kept, line.len());
            } else {
                self.hold(line);
                let held = std::mem::take(&mut self.line);
                self.line(&held, self.line_length);
                self.line = held;
                self.line.clear();
                self.line_length = 0;
            }
            self.header.complete |= self.header.size >= limits::IMF_HEADER_OCTETS as u64;
        }
        true
    }

    /// What was read; a line that has not ended counts as one.
    #[must_use]
    pub fn finish(mut self) -> Header {
        if !self.header.complete && self.line_length > 0 {
            let held = std::mem::take(&mut self.line);
            self.line(&held, self.line_length);
            self.header.complete = false;
        }
        self.header
    }

    /// What was read so far.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn hold(&mut self, bytes: &[u8]) {
        let room = limits::IMF_FIELD_OCTETS.saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.line_length = self.line_length.saturating_add(bytes.len());
        self.header.size = self.header.size.saturating_add(bytes.len() as u64);
        self.header.complete |= self.header.size >= limits::IMF_HEADER_OCTETS as u64;
    }

    /// A line, with its end where that was kept; `length` counts all its octets.
    fn line(&mut self, line: &[u8], length: usize) {
        let text = line.trim_ascii_end();
        match (line.first(), self.current) {
            (Some(b'\r' | b'\n') | None, _) if text.is_empty() => self.header.complete = true,
            (Some(b' ' | b'\t'), Field::Kept(name)) => {
                if let Some(Some(value)) = self.header.slot(name.as_bytes()) {
                    let room = limits::IMF_FIELD_OCTETS.saturating_sub(value.len());
                    // Unfolding takes the line end away and leaves the space (RFC 5322 §2.2.3).
                    let skip = usize::from(value.is_empty());
                    let more = if skip == 1 { text.trim_ascii_start() } else { text };
                    value.extend_from_slice(&more[..more.len().min(room)]);
                }
            }
            (Some(b' ' | b'\t'), Field::Other) => {}
            _ => self.field(text, length),
        }
    }

    fn field(&mut self, text: &[u8], length: usize) {
        let parts = memchr::memchr(b':', text).map(|at| (text[..at].trim_ascii_end(), text[at + 1..].trim_ascii()));
        let Some((name, value)) = parts.filter(|(name, _)| is_field_name(name)) else {
            self.header.size = self.header.size.saturating_sub(length as u64);
            self.header.complete = true;
            self.header.ended_by_text = true;
            return;
        };
        self.header.fields += 1;
        self.current = Field::Other;
        let Some(known) = KEPT.iter().find(|known| known.as_bytes().eq_ignore_ascii_case(name)) else { return };
        if let Some(slot @ None) = self.header.slot(name) {
            *slot = Some(value.to_vec());
            self.current = Field::Kept(known);
        }
    }
}

/// Fuzz body: any octets as a message, whole and in pieces, must give the same header.
pub fn fuzz_imf(data: &[u8]) {
    let read = |size: usize| {
        let (mut unstuffer, mut reader) = (super::Unstuffer::new(true), HeaderReader::new());
        for piece in data.chunks(size) {
            unstuffer.feed(piece, |text| {
                reader.feed(text);
            });
        }
        reader.finish()
    };
    let whole = read(data.len().max(1));
    assert_eq!(whole, read(1));
    for (_, value) in whole.known() {
        let _ = super::decode_words(value);
    }
    let _ = super::decode_words(data);
}

/// RFC 5322 §2.2: printable US-ASCII but for the colon.
fn is_field_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

const KEPT: [&str; 6] = ["From", "To", "Cc", "Subject", "Date", "Message-ID"];

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `message` whole and in pieces of every size, which must agree.
    fn header(message: &[u8]) -> Header {
        let read = |size: usize| {
            let mut reader = HeaderReader::new();
            for piece in message.chunks(size) {
                if reader.feed(piece) {
                    break;
                }
            }
            reader.finish()
        };
        let whole = read(message.len().max(1));
        for size in 1..message.len() {
            assert_eq!(read(size), whole, "pieces of {size}");
        }
        whole
    }

    #[test]
    fn fields_are_unfolded_and_the_first_of_a_name_counts() {
        let read = header(
            b"from: A <a@example.org>\r\nSubject: one\r\n two\r\n\tthree\r\nX-Other: x\r\n y\r\nSubject: later\r\n z\r\n\r\nTo: body\r\n",
        );
        assert_eq!(read.from.as_deref(), Some(&b"A <a@example.org>"[..]));
        assert_eq!(read.subject.as_deref(), Some(&b"one two\tthree"[..]));
        assert_eq!((read.to.as_ref(), read.fields, read.complete, read.ended_by_text), (None, 4, true, false));
    }

    #[test]
    fn a_value_may_begin_on_the_next_line() {
        assert_eq!(header(b"Subject:\r\n hello\r\n\r\n").subject.as_deref(), Some(&b"hello"[..]));
    }

    #[test]
    fn text_before_a_field_ends_the_header() {
        let read = header(b"Hello there\nSubject: too late\n\n");
        assert_eq!((read.subject.as_ref(), read.ended_by_text, read.size), (None, true, 0));
    }

    #[test]
    fn a_header_that_is_cut_keeps_what_came() {
        let message = b"From: a@example.org\r\nTo: b@example.org\r\n\r\n";
        for cut in 0..message.len() - 1 {
            assert!(!header(&message[..cut]).complete);
        }
        assert_eq!(header(&message[..30]).to.as_deref(), Some(&b"b@exa"[..]));
    }

    #[test]
    fn a_header_without_end_stays_bounded() {
        let long = [b"Subject: ".as_slice(), &b"a".repeat(limits::IMF_HEADER_OCTETS)].concat();
        let mut reader = HeaderReader::new();
        assert!(reader.feed(&long));
        assert!(reader.line.len() <= limits::IMF_FIELD_OCTETS);
    }

    #[test]
    fn any_octets_are_a_message() {
        let mut state = 1u64;
        let mut message = b"From: =?utf-8?q?a?= <a@example.org>\r\n b\r\nSubject: =?x?b?!?=\r\n\r\n.x\r\n".to_vec();
        for _ in 0..500 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = state as usize % message.len();
            message[at] = (state >> 32) as u8;
            fuzz_imf(&message);
        }
    }
}
