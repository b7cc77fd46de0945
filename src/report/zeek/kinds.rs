//! What a file is by its first octets, in Zeek's words.

use crate::imf::sniff;

/// How many octets are looked at.
pub(super) const BEGINNING: usize = 4096;

/// The media type of a file that begins with these octets; `None` where they show nothing.
pub(super) fn kind(beginning: &[u8]) -> Option<&'static str> {
    let starts = |word: &str| beginning.starts_with(word.as_bytes());
    if starts("diff ") || starts("*** ") || starts("Index: ") || (starts("--- ") && has_line(beginning, b"+++ ")) {
        return Some("text/x-diff");
    }
    if starts("#!") {
        return Some("text/x-shellscript");
    }
    // Text is what begins with ten octets of it.
    let is_text = |b: &u8| matches!(b, b' '..=b'~' | 0x09..=0x0d);
    let text = beginning.get(..10).filter(|octets| octets.iter().all(is_text)).map(|_| "text/plain");
    sniff(beginning).filter(|found| *found != "text/plain").or(text)
}

fn has_line(text: &[u8], start: &[u8]) -> bool {
    text.split(|b| *b == b'\n').take(8).any(|line| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_pictures_are_told_apart_and_blanks_are_nothing() {
        assert_eq!(kind(b"hello there\r\n"), Some("text/plain"));
        assert_eq!(kind(b"hello\r\n"), None);
        assert_eq!(kind(b"\r\n"), None);
        assert_eq!(kind(b""), None);
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n\0"), Some("image/png"));
        assert_eq!(kind(b"--- a\n+++ b\n"), Some("text/x-diff"));
    }
}
