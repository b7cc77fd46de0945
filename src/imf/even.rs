//! Lines of one length, as base64 has them: told at once, because most octets of mail stand in such lines.

use crate::limits::SMTP_TEXT_LINE_OCTETS;

/// Follows text whose lines all have one length, hold neither blanks nor equals signs nor anything but ASCII above
/// them, end with CR LF, and begin with neither a dot nor a hyphen.
///
/// In such text no message ends, nothing is stuffed, no boundary begins and no line is too long: whoever looks for one
/// of these need not look again.
#[derive(Clone, Copy, Debug, Default)]
pub struct EvenLines {
    /// Octets of each line with its CR LF; 0 where that is not known.
    length: usize,
    /// Octets of the line that has not ended.
    column: usize,
}

impl EvenLines {
    /// Takes the next octets of the text where they go on evenly: how many characters they are, line ends not counted.
    /// `None`: look at them otherwise, and [`EvenLines::learn`] from them.
    #[must_use]
    pub fn take(&mut self, bytes: &[u8]) -> Option<u64> {
        let EvenLines { length, column } = std::mem::take(self);
        if length == 0 || bytes.is_empty() || column == 0 && begins(bytes[0]) {
            return None;
        }
        let mut line_ends = 0;
        let mut next = length - 1 - column;
        while let Some(&lf) = bytes.get(next) {
            // The CR may be the last octet of the piece before, where it was seen.
            let cr = next.checked_sub(1).map(|at| bytes[at]);
            if lf != b'\n' || cr.is_some_and(|cr| cr != b'\r') || bytes.get(next + 1).is_some_and(|b| begins(*b)) {
                return None;
            }
            line_ends += 1 + usize::from(cr.is_some());
            next += length;
        }
        if next == bytes.len() {
            if bytes[next - 1] != b'\r' {
                return None;
            }
            line_ends += 1;
        }
        if !is_plain(bytes, line_ends) {
            return None;
        }
        *self = EvenLines { length, column: length - 1 - (next - bytes.len()) };
        Some((bytes.len() - line_ends) as u64)
    }

    /// Takes octets of the text that go on unevenly: the length of their last whole line is the one that others may have.
    pub fn learn(&mut self, bytes: &[u8]) {
        *self = EvenLines::default();
        let Some(last) = memchr::memrchr(b'\n', bytes) else { return };
        let Some(before) = memchr::memrchr(b'\n', &bytes[..last]) else { return };
        let (length, column) = (last - before, bytes.len() - 1 - last);
        let ends_with_cr = bytes.last() == Some(&b'\r');
        if (3..=SMTP_TEXT_LINE_OCTETS).contains(&length) && column < length && ends_with_cr == (column == length - 1) {
            *self = EvenLines { length, column };
        }
    }

    /// Octets are missing, or belong to something else: nothing is known of the line.
    pub fn forget(&mut self) {
        *self = EvenLines::default();
    }

    /// Octets of the line that has not ended.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }
}

/// What may begin a dot line or a boundary.
fn begins(octet: u8) -> bool {
    matches!(octet, b'.' | b'-')
}

/// Whether all octets but `line_ends` of them are ASCII above the blank, and none is an equals sign. Octets are added
/// up in small groups without a branch, and compared with their sign, so that the compiler makes short vector code of it.
fn is_plain(bytes: &[u8], line_ends: usize) -> bool {
    let (mut characters, mut all) = (0, 0);
    for group in bytes.chunks(224) {
        let mut of_group = 0;
        for &b in group {
            of_group += u8::from((b.cast_signed() > b' '.cast_signed()) & (b != b'='));
            all |= b;
        }
        characters += usize::from(of_group);
    }
    all.is_ascii() && characters == bytes.len() - line_ends
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"abcdefgh\r\nABCDEFGH\r\n01234567\r\n89+/0123\r\nabcdefgh\r\n";

    #[test]
    fn even_lines_are_taken_wherever_they_are_cut() {
        for learnt in 20..TEXT.len() {
            for size in 1..=TEXT.len() - learnt {
                let mut lines = EvenLines::default();
                lines.learn(&TEXT[..learnt]);
                let taken: Option<u64> = TEXT[learnt..].chunks(size).map(|piece| lines.take(piece)).sum();
                let characters = TEXT[learnt..].iter().filter(|b| !b.is_ascii_whitespace()).count() as u64;
                assert_eq!(taken, Some(characters), "{learnt} octets, then pieces of {size}");
                assert_eq!(lines.column(), 0);
            }
        }
    }

    #[test]
    fn whatever_is_not_even_is_not_taken() {
        for at in 20..TEXT.len() {
            for octet in [b'\n', b'\r', b' ', 0, b'=', 0x80, b'\t', b'.', b'-', b'x'] {
                let mut text = TEXT.to_vec();
                let is_in_place = match at % 10 {
                    0 => !matches!(octet, b'.' | b'-') && octet > b' ' && octet.is_ascii() && octet != b'=',
                    8 => octet == b'\r',
                    9 => octet == b'\n',
                    _ => octet > b' ' && octet.is_ascii() && octet != b'=',
                };
                text[at] = octet;
                for size in 1..text.len() - 20 {
                    let mut lines = EvenLines::default();
                    lines.learn(&text[..20]);
                    let taken: Option<u64> = text[20..].chunks(size).map(|piece| lines.take(piece)).sum();
                    assert_eq!(taken.is_some(), is_in_place, "{octet:#x} at {at} in pieces of {size}");
                }
            }
        }
    }

    #[test]
    fn nothing_is_taken_before_a_line_is_known() {
        let mut lines = EvenLines::default();
        assert_eq!(lines.take(TEXT), None);
        for unknown in [&b""[..], b"abc", b"abc\r\nabc", b"\n\n", b"a\r\nb\r\nccccc", b"aa\r\nbb\r\nc\r"] {
            lines.learn(unknown);
            assert_eq!(lines.take(b"abcd\r\n"), None, "{unknown:?}");
        }
        lines.learn(&TEXT[..25]);
        lines.forget();
        assert_eq!(lines.take(&TEXT[25..]), None);
    }
}
