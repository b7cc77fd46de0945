//! Lines of one direction: where they end, and what is kept of one that comes in pieces.

/// How a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LineEnd {
    /// CR LF, as RFC 5321 §2.3.8 demands.
    Crlf,
    /// LF alone.
    Lf,
    /// CR CR LF: something on the way turned LF into CR LF twice.
    CrCrlf,
    /// The line was cut: by a gap, or by the end of its stream.
    Missing,
}

/// One line, its end told apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// The first octet's place in its stream.
    pub start: u64,
    /// One past the last octet, line end included.
    pub stop: u64,
    /// The line without its end; cut where it is longer than the limit.
    pub text: &'a [u8],
    /// How it ended.
    pub end: LineEnd,
    /// Whether `text` was cut.
    pub too_long: bool,
}

impl<'a> Line<'a> {
    /// The line that `kept` begins; `length` is how many octets it had in all, `before_last` the
    /// octet before its final LF.
    pub(super) fn new(start: u64, kept: &'a [u8], length: u64, before_last: u8, limit: usize) -> Line<'a> {
        let stop = start.saturating_add(length);
        if length > limit as u64 {
            let end = if before_last == b'\r' { LineEnd::Crlf } else { LineEnd::Lf };
            let text = &kept[..kept.len().min(limit)];
            return Line { start, stop, text, end, too_long: true };
        }
        let (text, end) = split_end(kept);
        Line { start, stop, text, end, too_long: false }
    }
}

/// Takes the line end off.
pub(super) fn split_end(line: &[u8]) -> (&[u8], LineEnd) {
    match line {
        [text @ .., b'\r', b'\r', b'\n'] => (text, LineEnd::CrCrlf),
        [text @ .., b'\r', b'\n'] => (text, LineEnd::Crlf),
        [text @ .., b'\n'] => (text, LineEnd::Lf),
        _ => (line, LineEnd::Missing),
    }
}

/// What has come of something whose end has not: the beginning of a line or of a reply.
///
/// Keeps at most `limit` octets and counts them all.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// The first octet's place in its stream; meaningless while nothing is held.
    pub start: u64,
    /// The octets, up to the limit.
    pub kept: Vec<u8>,
    /// How many octets there were in all.
    pub length: u64,
    /// The last two octets.
    last: [u8; 2],
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Takes the next octets, which stand at `start`.
    pub(super) fn push(&mut self, start: u64, bytes: &[u8], limit: usize) {
        if self.length == 0 {
            self.start = start;
        }
        let room = limit.saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.length = self.length.saturating_add(bytes.len() as u64);
        match *bytes {
            [] => {}
            [one] => self.last = [self.last[1], one],
            [.., a, b] => self.last = [a, b],
        }
    }

    /// The octet before the last.
    pub(super) fn before_last(&self) -> u8 {
        self.last[0]
    }

    /// Hands the buffer out, so that it can be read while its owner changes; give it back with
    /// [`Held::reset`].
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.kept)
    }

    /// Holds nothing again; `buffer` is used for what comes next.
    pub(super) fn reset(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        self.kept = buffer;
        self.length = 0;
        self.last = [0; 2];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_told_apart() {
        assert_eq!(split_end(b"NOOP\r\n"), (&b"NOOP"[..], LineEnd::Crlf));
        assert_eq!(split_end(b"NOOP\n"), (&b"NOOP"[..], LineEnd::Lf));
        assert_eq!(split_end(b"NOOP\r\r\n"), (&b"NOOP"[..], LineEnd::CrCrlf));
        assert_eq!(split_end(b"NOO"), (&b"NOO"[..], LineEnd::Missing));
        assert_eq!(split_end(b"\n"), (&b""[..], LineEnd::Lf));
    }

    #[test]
    fn what_is_held_is_bounded_and_counted() {
        let mut held = Held::default();
        held.push(10, b"abc", 4);
        held.push(13, b"def\r\n", 4);
        assert_eq!((held.start, &held.kept[..], held.length, held.before_last()), (10, &b"abcd"[..], 8, b'\r'));
        let line = Line::new(held.start, &held.kept, held.length, held.before_last(), 4);
        assert_eq!((line.text, line.end, line.stop, line.too_long), (&b"abcd"[..], LineEnd::Crlf, 18, true));
    }
}
