//! Dot-stuffing undone, in a stream.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// Takes away the dot that SMTP puts before a line that begins with one (RFC 5321 §4.5.2).
#[derive(Clone, Copy, Debug)]
pub struct Unstuffer {
    at_line_start: bool,
    tolerant: bool,
    after_cr: bool,
}

impl Unstuffer {
    /// At the first octet of a message. A tolerant one takes LF alone for a line end.
    #[must_use]
    pub fn new(tolerant: bool) -> Unstuffer {
        Unstuffer { at_line_start: true, tolerant, after_cr: false }
    }

    /// Octets are missing: the next one may stand anywhere in a line, so a dot there is kept.
    pub fn gap(&mut self) {
        (self.at_line_start, self.after_cr) = (false, false);
    }

    /// Passes over octets in which nothing is stuffed and every line end is CR LF: see [`super::EvenLines`].
    pub fn pass(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last() {
            (self.at_line_start, self.after_cr) = (*last == b'\n', *last == b'\r');
        }
    }

    /// Gives the octets of `bytes` but for the stuffed dots to `out`, in pieces of `bytes`.
    pub fn feed<'a>(&mut self, bytes: &'a [u8], mut out: impl FnMut(&'a [u8])) {
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            if self.at_line_start && first == b'.' {
                self.at_line_start = false;
                rest = &rest[1..];
                continue;
            }
            // Only a dot after a line end can be stuffed: everything up to the next of them is one piece.
            let stuffed = STUFFED.find(rest);
            let (piece, after) = rest.split_at(stuffed.map_or(rest.len(), |lf| lf + 1));
            let ends_line = match piece {
                [.., before, b'\n'] => *before == b'\r' || self.tolerant,
                [b'\n'] => self.after_cr || self.tolerant,
                _ => false,
            };
            (self.at_line_start, self.after_cr) = (ends_line, piece.last() == Some(&b'\r'));
            out(piece);
            rest = after;
        }
    }
}

static STUFFED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\n."));

#[cfg(test)]
mod tests {
    use super::*;

    fn unstuffed(tolerant: bool, bytes: &[u8]) -> Vec<u8> {
        let read = |size: usize| {
            let (mut unstuffer, mut out) = (Unstuffer::new(tolerant), Vec::new());
            bytes.chunks(size).for_each(|piece| unstuffer.feed(piece, |text| out.extend_from_slice(text)));
            out
        };
        let whole = read(bytes.len().max(1));
        for size in 1..bytes.len() {
            assert_eq!(read(size), whole, "pieces of {size}");
        }
        whole
    }

    #[test]
    fn one_dot_is_taken_from_the_beginning_of_a_line() {
        assert_eq!(unstuffed(false, b"..a\r\n..\r\n.b\r\nc.\r\n"), b".a\r\n.\r\nb\r\nc.\r\n");
        assert_eq!(unstuffed(false, b"a\n..b\r\n"), b"a\n..b\r\n");
        assert_eq!(unstuffed(true, b"a\n..b\n"), b"a\n.b\n");
        assert_eq!(unstuffed(false, b""), b"");
    }
}
