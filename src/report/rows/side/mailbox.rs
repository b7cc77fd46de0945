//! Rows of IMAP and POP, the protocols that fetch mail: `Request: a1 NOOP`, `S: +OK`.
//!
//! A segment's row shows one line of it. Passwords are masked unless they are asked for.

use super::text::push_text;

/// Which side of a mailbox protocol sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The side that fetches.
    Client,
    /// The side that has the mailbox.
    Server,
}

/// An IMAP connection (RFC 9051), as far as its rows need it.
#[derive(Debug, Default)]
pub struct Imap {
    /// For each side, the start of a line that is not complete; at most [`MAX_LINE`] octets.
    pending: [Vec<u8>; 2],
    /// The client's next lines answer a challenge.
    authenticating: bool,
}

/// A POP3 connection (RFC 1939), as far as its rows need it.
#[derive(Debug, Default)]
pub struct Pop {
    /// The client's next lines answer a challenge.
    authenticating: bool,
    /// The client asked for a message, and the server has not answered yet.
    retrieving: bool,
    /// Octets of a message that the server has announced and not sent yet.
    message_left: u64,
}

/// What a segment is to the packet list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// A row of this protocol, with the info written.
    Written(&'static str),
    /// A row of this protocol, with TCP's info.
    Bare(&'static str),
    /// A row of TCP: the segment completes nothing.
    Tcp,
}

impl Imap {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new() -> Imap {
        Imap::default()
    }

    /// Takes what one segment carries, in order, and writes its row. A client's first line stands for
    /// the segment; of a server the first line with a tag, if there is one.
    pub fn row(&mut self, side: Side, piece: &[u8], reveal: bool, out: &mut String) -> Row {
        let pending = &mut self.pending[side as usize];
        pending.extend_from_slice(piece);
        let Some(end) = pending.iter().rposition(|octet| *octet == b'\n') else {
            pending.truncate(MAX_LINE);
            return Row::Tcp;
        };
        let mut complete = std::mem::take(pending);
        let rest = complete.split_off(end + 1);
        let whole = rest.is_empty();
        *pending = rest;
        pending.truncate(MAX_LINE);

        let mut lines = complete.split_inclusive(|octet| *octet == b'\n').map(without_end);
        let first = lines.clone().next().unwrap_or_default();
        match side {
            Side::Client => {
                out.push_str("Request: ");
                self.request(first, reveal, out);
            }
            Side::Server => {
                let tagged = lines.find(|line| is_tagged(line));
                self.authenticating &= tagged.is_none();
                if tagged.is_none() && !whole {
                    return Row::Bare("IMAP");
                }
                out.push_str("Response: ");
                push_text(tagged.unwrap_or(first), out);
            }
        }
        Row::Written("IMAP")
    }

    fn request(&mut self, line: &[u8], reveal: bool, out: &mut String) {
        if self.authenticating && !reveal {
            out.push_str(MASK);
            return;
        }
        let mut words = line.splitn(3, |octet| *octet == b' ');
        let (tag, verb) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let arguments = words.next().unwrap_or_default();
        let is_login = verb.eq_ignore_ascii_case(b"LOGIN");
        let is_authenticate = verb.eq_ignore_ascii_case(b"AUTHENTICATE");
        // A login may send its arguments as literals, on lines of their own (RFC 9051 §4.3).
        self.authenticating |= is_authenticate || is_login && arguments.ends_with(b"}");
        // The mechanism is no secret, an initial response after it is.
        let secret_from = arguments.iter().position(|octet| *octet == b' ').filter(|_| is_login || is_authenticate);
        match secret_from {
            Some(at) if !reveal => {
                push_text(&line[..tag.len() + verb.len() + 2 + at], out);
                out.push(' ');
                out.push_str(MASK);
            }
            _ => push_text(line, out),
        }
        // Wireshark 4.0 looks for two quoted strings, and takes their absence for a broken packet.
        if is_login && arguments.iter().filter(|octet| **octet == b'"').count() < 4 {
            out.push_str(super::MALFORMED);
        }
    }
}

impl Pop {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new() -> Pop {
        Pop::default()
    }

    /// Takes what one segment carries, in order, and writes its row: its first line, or how much of a
    /// message it is.
    pub fn row(&mut self, side: Side, piece: &[u8], reveal: bool, out: &mut String) -> Row {
        let end = piece.iter().position(|octet| *octet == b'\n').map_or(piece.len(), |at| at + 1);
        let line = without_end(&piece[..end]);
        match side {
            Side::Client => {
                out.push_str("C: ");
                self.command(line, reveal, out);
            }
            Side::Server if self.message_left > 0 => {
                self.message_left = self.message_left.saturating_sub(piece.len() as u64);
                out.push_str("S: DATA fragment, ");
                out.push_str(&piece.len().to_string());
                out.push_str(" bytes");
            }
            Side::Server if matches!(line.first(), Some(b'+' | b'-')) => {
                self.authenticating &= line.starts_with(b"+ ");
                if std::mem::take(&mut self.retrieving) {
                    self.message_left = announced(line).saturating_sub((piece.len() - end) as u64);
                }
                out.push_str("S: ");
                push_text(line, out);
            }
            Side::Server => return Row::Bare("POP"),
        }
        Row::Written("POP")
    }

    fn command(&mut self, line: &[u8], reveal: bool, out: &mut String) {
        if self.authenticating && !reveal {
            out.push_str(MASK);
            return;
        }
        let verb_end = line.iter().position(|octet| *octet == b' ').unwrap_or(line.len());
        let verb = line[..verb_end].to_ascii_uppercase();
        self.authenticating |= verb == b"AUTH";
        self.retrieving = verb == b"RETR";
        // PASS has its secret first, APOP and AUTH after a name.
        let after_name = || Some(verb_end + 1 + line.get(verb_end + 1..)?.iter().position(|octet| *octet == b' ')?);
        let secret_from = match verb.as_slice() {
            b"PASS" if verb_end < line.len() => Some(verb_end),
            b"APOP" | b"AUTH" => after_name(),
            _ => None,
        };
        match secret_from {
            Some(at) if !reveal => {
                push_text(&line[..at], out);
                out.push(' ');
                out.push_str(MASK);
            }
            _ => push_text(line, out),
        }
    }
}

/// Fuzz body: the octets are both sides' pieces in turn, each with a length before it; nothing may
/// panic, and what is kept stays bounded.
pub fn fuzz_mailbox(data: &[u8]) {
    let (mut imap, mut pop) = (Imap::new(), Pop::new());
    let mut side = Side::Client;
    let mut rest = data;
    while let Some((length, after)) = rest.split_first() {
        let (piece, after) = after.split_at(after.len().min(usize::from(*length)));
        let mut out = String::new();
        imap.row(side, piece, length & 1 == 0, &mut out);
        pop.row(side, piece, length & 1 == 0, &mut out);
        assert!(!out.chars().any(char::is_control));
        assert!(imap.pending.iter().all(|pending| pending.len() <= MAX_LINE));
        side = if side == Side::Client { Side::Server } else { Side::Client };
        rest = after;
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Neither untagged nor a request to go on (RFC 9051 §2.2.2).
fn is_tagged(line: &[u8]) -> bool {
    !matches!(line.first(), Some(b'*' | b'+') | None)
}

/// The size in `+OK 120 octets`.
fn announced(line: &[u8]) -> u64 {
    let mut words = line.split(|octet| *octet == b' ').skip(1);
    let number = words.next().and_then(|word| std::str::from_utf8(word).ok()).and_then(|word| word.parse().ok());
    match (number, words.next()) {
        (Some(number), Some(b"octets")) => number,
        _ => 0,
    }
}

/// Octets of an unfinished line that are kept. RFC 9051 §4 asks for 8192; what is longer shows its start.
const MAX_LINE: usize = 8192;
const MASK: &str = "••••••••";

#[cfg(test)]
mod tests {
    use super::*;

    fn imap(pieces: &[(Side, &str)], reveal: bool) -> Vec<String> {
        let mut imap = Imap::new();
        let row = |(side, piece): &(Side, &str)| {
            let mut out = String::new();
            match imap.row(*side, piece.as_bytes(), reveal, &mut out) {
                Row::Written(_) => out,
                other => format!("{other:?}"),
            }
        };
        pieces.iter().map(row).collect()
    }

    fn pop(pieces: &[(Side, &str)], reveal: bool) -> Vec<String> {
        let mut pop = Pop::new();
        let row = |(side, piece): &(Side, &str)| {
            let mut out = String::new();
            match pop.row(*side, piece.as_bytes(), reveal, &mut out) {
                Row::Written(_) => out,
                other => format!("{other:?}"),
            }
        };
        pieces.iter().map(row).collect()
    }

    use Side::{Client, Server};

    #[test]
    fn one_line_stands_for_an_imap_segment() {
        let pieces = [
            (Server, "* one\r\n* two\r\n"),
            (Server, "* one\r\na1 OK x\r\na2 OK y\r\n"),
            (Client, "a2 NOOP\r\na3 NOOP\r\n"),
            (Client, "a4 LI"),
            (Client, "ST\r\n"),
            (Server, "* a\r\n* b"),
            (Server, " rest\r\n"),
        ];
        let rows = [
            "Response: * one",
            "Response: a1 OK x",
            "Request: a2 NOOP",
            "Tcp",
            "Request: a4 LIST",
            "Bare(\"IMAP\")",
            "Response: * b rest",
        ];
        assert_eq!(imap(&pieces, false), rows);
    }

    #[test]
    fn passwords_are_masked_unless_asked_for() {
        let pieces = [
            (Client, "a LOGIN \"u\" \"p\"\r\n"),
            (Client, "b AUTHENTICATE PLAIN\r\n"),
            (Server, "+\r\n"),
            (Client, "AGEAYg==\r\n"),
            (Server, "b OK\r\n"),
            (Client, "c NOOP\r\n"),
            (Client, "d LOGIN {1}\r\n"),
            (Server, "+\r\n"),
            (Client, "u {1}\r\n"),
            (Client, "p\r\n"),
        ];
        let masked = imap(&pieces, false);
        assert_eq!(masked[0], "Request: a LOGIN \"u\" ••••••••");
        assert_eq!(masked[3], "Request: ••••••••");
        assert_eq!(masked[5], "Request: c NOOP");
        assert_eq!(masked[8..], ["Request: ••••••••", "Request: ••••••••"]);
        assert_eq!(imap(&pieces, true)[3], "Request: AGEAYg==");
        let pieces = [
            (Client, "USER u"),
            (Client, "PASS p w\r\n"),
            (Client, "AUTH PLAIN AGEAYg==\r\n"),
            (Server, "+OK\r\n"),
            (Client, "QUIT\r\n"),
        ];
        let masked = pop(&pieces, false);
        assert_eq!(masked, ["C: USER u", "C: PASS ••••••••", "C: AUTH PLAIN ••••••••", "S: +OK", "C: QUIT"]);
        assert_eq!(pop(&pieces, true)[1], "C: PASS p w");
    }

    #[test]
    fn a_pop_message_is_counted() {
        let pieces =
            [(Client, "RETR 1\r\n"), (Server, "+OK 30 octets\r\nFrom: a\r\nSubj"), (Server, "ect: x\r\n\r\nbody\r\n")];
        assert_eq!(pop(&pieces, false), ["C: RETR 1", "S: +OK 30 octets", "S: DATA fragment, 16 bytes"]);
        assert_eq!(pop(&[(Server, "2 OK\r\n")], false), ["Bare(\"POP\")"]);
    }

    #[test]
    fn exercise_fuzz_mailbox() {
        let whole = b"\x0ba LOGIN u p\n\x06+ go\r\n\x07AUTH X\n\x10+OK 12 octets\r\nab";
        let mut state = 0x00b0_a710_u32;
        for round in 0..3000 {
            let mut mutated = whole[..whole.len() - round % 9].to_vec();
            for _ in 0..round % 5 {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                let at = state as usize % mutated.len();
                mutated[at] = (state >> 16) as u8;
            }
            fuzz_mailbox(&mutated);
        }
        let long: Vec<u8> = std::iter::repeat_n(&[&[200][..], &[b'x'; 200]].concat(), 100).flatten().copied().collect();
        fuzz_mailbox(&long);
    }
}
