//! What of a message's lines is beyond what its sender announced or any line may be.

use super::{Body, ParameterValue};
use crate::limits::SMTP_TEXT_LINE_OCTETS;

/// Looks at message text as it comes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TextLines {
    /// A line is longer than RFC 5321 §4.5.3.1.6 allows.
    pub long: bool,
    /// An octet above 127 stands in it.
    pub eight_bit: bool,
    /// Octets of the line that has not ended.
    open: usize,
}

impl TextLines {
    /// Looks at the next octets. Of a line that is short enough, most are not looked at.
    pub(super) fn look(&mut self, bytes: &[u8]) {
        self.eight_bit = self.eight_bit || !bytes.is_ascii();
        let mut at = 0;
        while !self.long {
            let room = SMTP_TEXT_LINE_OCTETS.saturating_sub(self.open);
            let window = &bytes[at..bytes.len().min(at + room)];
            match memchr::memrchr(b'\n', window) {
                Some(last) => {
                    self.open = 0;
                    at += last + 1;
                }
                None if at + window.len() < bytes.len() => self.long = true,
                None => {
                    self.open += window.len();
                    return;
                }
            }
        }
    }

    /// Passes over lines that are short and ASCII; `open` octets are the line that has not ended.
    pub(super) fn pass(&mut self, open: usize) {
        self.open = open;
    }

    /// Octets are missing: a line may end among them.
    pub(super) fn gap(&mut self) {
        self.open = 0;
    }
}

/// Whether a sender that gave this parameter may send octets above 127 (RFC 6152 §3, RFC 6531 §3.2).
pub(super) fn allows_eight_bit(value: &ParameterValue<'_>) -> bool {
    matches!(value, ParameterValue::Body(Body::EightBitMime | Body::BinaryMime) | ParameterValue::SmtpUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(pieces: &[&[u8]]) -> (bool, bool) {
        let mut lines = TextLines::default();
        pieces.iter().for_each(|piece| lines.look(piece));
        (lines.long, lines.eight_bit)
    }

    #[test]
    fn a_line_is_long_from_the_first_octet_beyond_the_limit_wherever_it_is_cut() {
        let line = |octets: usize| [&vec![b'x'; octets - 2][..], b"\r\n"].concat();
        for (octets, long) in [(2, false), (SMTP_TEXT_LINE_OCTETS, false), (SMTP_TEXT_LINE_OCTETS + 1, true)] {
            let text = [line(70), line(octets), line(70)].concat();
            assert_eq!(look(&[&text]).0, long, "{octets}");
            for size in [1, 7, 500, 999, 1000, 1001] {
                let pieces: Vec<&[u8]> = text.chunks(size).collect();
                assert_eq!(look(&pieces).0, long, "{octets} in pieces of {size}");
            }
        }
        assert!(look(&[&[b'x'; 1001]]).0 && !look(&[&[b'x'; 1000]]).0);
    }

    #[test]
    fn octets_above_127_are_seen() {
        assert!(look(&[b"plain", b"caf\xc3\xa9"]).1);
        assert!(!look(&[b"plain"]).1);
    }
}
