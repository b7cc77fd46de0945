//! A bounds-checked cursor over untrusted octets, and a safe way to show them.

use std::fmt::{self, Write as _};

/// Reads big-endian numbers and ranges from a slice. `None` always means: not that many octets left.
///
/// The position never passes the end of the slice.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// At the first octet of `data`.
    #[must_use]
    pub fn new(data: &'a [u8]) -> Cursor<'a> {
        Cursor { data, at: 0 }
    }

    /// How many octets were taken.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// What was not taken yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        &self.data[self.at..]
    }

    /// Whether everything was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.at == self.data.len()
    }

    /// The next `n` octets.
    pub fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let taken = self.rest().get(..n)?;
        self.at += n;
        Some(taken)
    }

    /// The next octet.
    pub fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }

    /// The next two octets as a number.
    pub fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|b| u16::from_be_bytes([b[0], b[1]]))
    }

    /// The next three octets as a number.
    pub fn u24(&mut self) -> Option<u32> {
        self.take(3).map(|b| u32::from_be_bytes([0, b[0], b[1], b[2]]))
    }

    /// The next four octets as a number.
    pub fn u32(&mut self) -> Option<u32> {
        self.take(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    }

    /// A vector with a length of one octet before it (RFC 8446 §3.4: `<0..2^8-1>`).
    pub fn vector8(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = ahead.u8()?;
        let taken = ahead.take(usize::from(length))?;
        *self = ahead;
        Some(taken)
    }

    /// A vector with a length of two octets before it (`<0..2^16-1>`).
    pub fn vector16(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = ahead.u16()?;
        let taken = ahead.take(usize::from(length))?;
        *self = ahead;
        Some(taken)
    }

    /// A vector with a length of three octets before it (`<0..2^24-1>`).
    pub fn vector24(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = ahead.u24()?;
        let taken = ahead.take(length as usize)?;
        *self = ahead;
        Some(taken)
    }
}

/// Captured octets as UTF-8 for machine-readable outputs: valid UTF-8 stays as it is, every other
/// octet becomes `\xNN`. Control characters stay; what prints to a terminal is [`escaped`].
#[must_use]
pub fn utf8(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for b in chunk.invalid() {
            let _ = write!(text, "\\x{b:02x}");
        }
    }
    text
}

/// Shows captured octets as text that can harm no terminal.
///
/// Valid UTF-8 stays, but for control characters, invisible characters that change how the text
/// around them is shown (bidirectional overrides, zero-width characters, line separators); those
/// and octets that are not UTF-8 print as `\xNN`, octet by octet, and a tab as `\t`. Showing what
/// was shown before changes nothing.
#[must_use]
pub fn escaped(bytes: &[u8]) -> Escaped<'_> {
    Escaped(bytes)
}

/// What [`escaped`] returns; print it.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\t' => f.write_str("\\t")?,
                    c if c.is_control() || is_invisible(c) => {
                        let mut buffer = [0; 4];
                        write_hex(f, c.encode_utf8(&mut buffer).as_bytes())?;
                    }
                    c => f.write_char(c)?,
                }
            }
            write_hex(f, chunk.invalid())?;
        }
        Ok(())
    }
}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|b| write!(f, "\\x{b:02x}"))
}

/// Characters without a glyph that reorder, join or break what stands beside them
/// (Unicode Standard Annex #9 and the general category Cf, Zl and Zp where it matters on a terminal).
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_takes_numbers_and_stops_at_the_end() {
        let mut cursor = Cursor::new(&[1, 0, 2, 0, 0, 3, 0, 0, 0, 4, 9]);
        assert_eq!(cursor.u8(), Some(1));
        assert_eq!(cursor.u16(), Some(2));
        assert_eq!(cursor.u24(), Some(3));
        assert_eq!(cursor.u32(), Some(4));
        assert_eq!((cursor.position(), cursor.rest()), (10, &[9][..]));
        assert_eq!(cursor.u16(), None);
        assert_eq!(cursor.u8(), Some(9));
        assert!(cursor.is_empty());
    }

    #[test]
    fn a_vector_that_is_cut_takes_nothing() {
        let mut cursor = Cursor::new(&[0, 3, b'a', b'b']);
        assert_eq!(cursor.vector16(), None);
        assert_eq!(cursor.position(), 0);
        assert_eq!(cursor.vector8(), Some(&[][..]));
        assert_eq!(cursor.vector8(), None);
        let mut cursor = Cursor::new(&[0, 0, 2, b'a', b'b']);
        assert_eq!(cursor.vector24(), Some(&b"ab"[..]));
    }

    #[test]
    fn octets_that_are_not_utf8_keep_their_value() {
        assert_eq!(utf8(b"caf\xe9 \xc3\xa9\t\\"), "caf\\xe9 \u{e9}\t\\");
    }

    #[test]
    fn text_that_could_harm_a_terminal_is_shown_as_its_octets() {
        let shown = |b: &[u8]| escaped(b).to_string();
        assert_eq!(shown(b"250 ok"), "250 ok");
        assert_eq!(shown(b"\x1b]0;owned\x07"), "\\x1b]0;owned\\x07");
        assert_eq!(shown("gr\u{fc}\u{df}e \u{9b}1m".as_bytes()), "gr\u{fc}\u{df}e \\xc2\\x9b1m");
        assert_eq!(shown("a\u{202e}b".as_bytes()), "a\\xe2\\x80\\xaeb");
        assert_eq!(shown(b"caf\xe9\tx\\y\r\n"), "caf\\xe9\\tx\\y\\x0d\\x0a");
        let once = shown(b"\x1b[2J\xff");
        assert_eq!(shown(once.as_bytes()), once);
    }
}
