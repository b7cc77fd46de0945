//! What a server says: a code, lines, an enhanced status.

use std::fmt;

use super::Verb;
use super::line::split_end;
use crate::time::Interval;

/// A reply, all its lines (RFC 5321 §4.2).
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// Its three digits; `None` where the server sent something in the place of a reply that has
    /// no code, such as `4.7.0 Try again`. Lines that disagree: that of the last.
    pub code: Option<u16>,
    /// All its octets with line ends; cut where it is too long.
    pub octets: &'a [u8],
    /// The enhanced status of its first line.
    pub enhanced: Option<EnhancedStatus>,
    /// What it answers.
    pub to: ReplyTo,
    /// How long the client waited for it, since its line (or its message, or the connection's
    /// first packet) was there; `None` where that is not known.
    pub waited: Option<Interval>,
    /// Whether its last line has come whole.
    pub complete: bool,
}

impl<'a> Reply<'a> {
    /// Each line without its end.
    pub fn lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        lines(self.octets)
    }

    /// 2xx: done.
    #[must_use]
    pub fn is_positive(&self) -> bool {
        self.code.is_some_and(is_positive)
    }
}

/// What a reply answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyTo {
    /// Nothing: the server speaks first.
    Greeting,
    /// A command line.
    Command {
        /// Its [`super::Command::index`].
        index: u64,
        /// Its verb.
        verb: Verb,
    },
    /// A client line inside a SASL exchange.
    Auth {
        /// Its [`super::AuthLine::index`].
        index: u64,
    },
    /// A message sent after DATA; with LMTP, for one recipient.
    Message {
        /// Which [`super::Transaction::index`].
        transaction: u64,
        /// LMTP: which of its recipients, from 0.
        recipient: Option<u64>,
    },
    /// A client line that was no command.
    Unparsed {
        /// Its place among the client's lines.
        index: u64,
    },
    /// Nothing that was seen.
    Unasked,
}

/// An enhanced status code (RFC 3463), `class.subject.detail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EnhancedStatus {
    /// 2 success, 4 persistent transient failure, 5 permanent failure.
    pub class: u8,
    /// 0 to 999.
    pub subject: u16,
    /// 0 to 999.
    pub detail: u16,
}

impl EnhancedStatus {
    /// Reads it at the beginning of a reply's text.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<EnhancedStatus> {
        let word = text.split(|b| b.is_ascii_whitespace()).next()?;
        let mut parts = word.split(|&b| b == b'.');
        let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
        let class = match class {
            [class @ (b'2' | b'4' | b'5')] => class - b'0',
            _ => return None,
        };
        if parts.next().is_some() {
            return None;
        }
        Some(EnhancedStatus { class, subject: number(subject)?, detail: number(detail)? })
    }
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// What one line of the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineKind {
    /// `ddd-`: more lines follow.
    More(u16),
    /// `ddd ` or `ddd` alone: the last line.
    Last(u16),
    /// `dddtext`: a last line by its digits, without the separator.
    Malformed(u16),
    /// A line that begins with an enhanced status in the place of a code.
    StatusAlone,
    /// Anything else.
    Other,
}

/// How many octets of a line [`line_kind`] looks at.
pub(super) const LINE_HEAD: usize = 16;

/// What a line is, by its first octets (its line end may be among them).
pub(super) fn line_kind(head: &[u8]) -> LineKind {
    let (head, _) = split_end(head);
    let [a, b, c, rest @ ..] = head else { return LineKind::Other };
    if ![a, b, c].iter().all(|d| d.is_ascii_digit()) {
        return if EnhancedStatus::parse(head).is_some() { LineKind::StatusAlone } else { LineKind::Other };
    }
    let code = [a, b, c].iter().fold(0, |n, d| n * 10 + u16::from(**d - b'0'));
    match rest.first() {
        Some(b'-') => LineKind::More(code),
        None | Some(b' ' | b'\t' | b'\r') => LineKind::Last(code),
        Some(next) if (200..600).contains(&code) && !next.is_ascii_digit() => LineKind::Malformed(code),
        Some(_) => LineKind::Other,
    }
}

/// The enhanced status of a reply that begins with `octets`, if its class is that of the code.
pub(super) fn enhanced(code: Option<u16>, octets: &[u8]) -> Option<EnhancedStatus> {
    let Some(code) = code else { return EnhancedStatus::parse(octets) };
    let status = EnhancedStatus::parse(octets.get(4..)?)?;
    (u16::from(status.class) == code / 100).then_some(status)
}

/// Whether a reply that begins with `octets` states an enhanced status of another class.
pub(super) fn is_contradicted(code: u16, octets: &[u8]) -> bool {
    let status = octets.get(4..).and_then(EnhancedStatus::parse);
    status.is_some_and(|status| u16::from(status.class) != code / 100)
}

/// Each line without its end.
pub(super) fn lines(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    octets.split_inclusive(|&b| b == b'\n').map(|line| split_end(line).0)
}

/// 2xx.
pub(super) fn is_positive(code: u16) -> bool {
    code / 100 == 2
}

fn number(digits: &[u8]) -> Option<u16> {
    let fits = (1..=3).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    fits.then(|| digits.iter().fold(0, |n, d| n * 10 + u16::from(d - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_the_last_one_or_more_follow() {
        assert_eq!(line_kind(b"250-SIZE\r\n"), LineKind::More(250));
        assert_eq!(line_kind(b"250 ok\r\n"), LineKind::Last(250));
        assert_eq!(line_kind(b"250\r\n"), LineKind::Last(250));
        assert_eq!(line_kind(b"250"), LineKind::Last(250));
        assert_eq!(line_kind(b"250\r\r\n"), LineKind::Last(250));
        assert_eq!(line_kind(b"250ok\n"), LineKind::Malformed(250));
        assert_eq!(line_kind(b"2500 ok\n"), LineKind::Other);
        assert_eq!(line_kind(b"4.7.0 later\r\n"), LineKind::StatusAlone);
        assert_eq!(line_kind(b"hello\r\n"), LineKind::Other);
        assert_eq!(line_kind(b"\r\n"), LineKind::Other);
    }

    #[test]
    fn an_enhanced_status_must_be_of_the_class_of_its_code() {
        let status = |code, octets: &[u8]| enhanced(Some(code), octets).map(|s| s.to_string());
        assert_eq!(status(250, b"250 2.1.5 ok\r\n").as_deref(), Some("2.1.5"));
        assert_eq!(status(550, b"550-5.1.1 no such user\r\n").as_deref(), Some("5.1.1"));
        assert_eq!(status(250, b"250 2.1.5\r\n").as_deref(), Some("2.1.5"));
        assert_eq!(status(250, b"250 5.1.1 ok\r\n"), None);
        assert_eq!(status(250, b"250 2.1 ok\r\n"), None);
        assert_eq!(status(250, b"250 2.1.5.6 ok\r\n"), None);
        assert_eq!(status(250, b"250 2.1234.1 ok\r\n"), None);
        assert_eq!(status(250, b"250"), None);
        assert_eq!(status(354, b"354 3.0.0 go\r\n"), None);
    }
}
