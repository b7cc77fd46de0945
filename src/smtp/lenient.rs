//! The other reading of a message: that of a server which takes LF or CR alone for a line end, ends the message at a
//! look-alike of the end of data, and obeys what follows as commands (SMTP smuggling).

use std::fmt;

use super::{Command, LineEnd, Verb};
use crate::limits;
use crate::stream::{Direction, Span};

/// A message in which commands follow a look-alike of the end of data: read strictly (RFC 5321 §4.1.1.4) they are
/// text, read leniently they are obeyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LenientReading {
    /// The look-alike, from the line end before its dot to the line end after it.
    pub end_of_data: Span,
    /// The line ends before and after the dot.
    pub line_ends: [LenientEnd; 2],
    /// Octets of the message that ends there.
    pub size: u64,
    /// Lines that read as commands.
    pub commands: u64,
    /// The mails that those commands send.
    pub mails: Vec<SmuggledMail>,
    /// Mails beyond those kept.
    pub mails_not_kept: u64,
    /// Replies that the server gave beside the one to the message: it read leniently.
    pub replies: u64,
    /// Replies that a lenient server gives beside the one to the message, as far as is known.
    pub(super) replies_expected: u64,
}

impl LenientReading {
    /// The look-alike in words: `LF . CR LF`.
    #[must_use]
    pub fn sequence(&self) -> String {
        format!("{} . {}", self.line_ends[0], self.line_ends[1])
    }
}

/// A mail inside another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmuggledMail {
    /// The address of its MAIL; `None`: there was none.
    pub mail_from: Option<Vec<u8>>,
    /// The addresses of its RCPTs.
    pub recipients: Vec<Vec<u8>>,
    /// Recipients beyond those kept.
    pub recipients_not_kept: u64,
    /// Octets of its message; `None`: it has none, or its end is not known.
    pub size: Option<u64>,
}

/// What ends a line to a lenient reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LenientEnd {
    /// CR LF.
    Crlf,
    /// LF alone.
    Lf,
    /// CR alone.
    Cr,
}

impl LenientEnd {
    fn octets(self) -> u64 {
        if self == LenientEnd::Crlf { 2 } else { 1 }
    }
}

impl fmt::Display for LenientEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LenientEnd::Crlf => "CR LF",
            LenientEnd::Lf => "LF",
            LenientEnd::Cr => "CR",
        })
    }
}

/// Reads a message's octets leniently, once a bare LF or CR was met.
#[derive(Debug)]
pub(super) struct LenientReader {
    /// Where the message begins.
    start: u64,
    /// Where its next octet stands.
    at: u64,
    /// Its last octets, while nothing unusual was met: a look-alike may have begun among them.
    tail: [u8; TAIL],
    awake: bool,
    /// A command has ended with CR, and LF may follow.
    lf_of_command: bool,
    lines: Lines,
    state: State,
    found: Option<Box<LenientReading>>,
    /// Look-alikes with text after them.
    pub look_alikes: u32,
}

#[derive(Debug)]
enum State {
    /// Inside the message, before any look-alike that commands follow.
    Text,
    /// After a look-alike.
    Commands { ends: [LenientEnd; 2], span: (u64, u64), line: Vec<u8>, noise: u32, fresh: bool },
    /// Inside a smuggled message, which began at that octet.
    Data { from: u64 },
    /// Inside a smuggled chunk.
    Chunk { left: u64 },
    /// Nothing more is known: the server was told to quit, or octets are missing.
    Over,
}

impl LenientReader {
    /// At the first octet of a message.
    pub(super) fn new(start: u64) -> LenientReader {
        LenientReader {
            start,
            at: start,
            tail: [0; TAIL],
            awake: false,
            lf_of_command: false,
            lines: Lines::Start(LenientEnd::Crlf),
            state: State::Text,
            found: None,
            look_alikes: 0,
        }
    }

    /// Takes the next octets; `odd` says that a bare LF or CR was met in them or before.
    pub(super) fn feed(&mut self, client: Direction, bytes: &[u8], odd: bool) {
        if !odd && !self.awake {
            self.at += bytes.len() as u64;
            match bytes.last_chunk() {
                Some(last) => self.tail = *last,
                None => {
                    self.tail.rotate_left(bytes.len());
                    self.tail[TAIL - bytes.len()..].copy_from_slice(bytes);
                }
            }
            return;
        }
        if !std::mem::replace(&mut self.awake, true) {
            let before = (self.at - self.start).min(TAIL as u64);
            if self.at - self.start > before {
                self.lines = Lines::Inside;
            }
            self.at -= before;
            let tail = self.tail;
            self.take(client, &tail[TAIL - before as usize..]);
        }
        self.take(client, bytes);
    }

    /// Whether nothing unusual has come yet, so that octets in lines that end with CR LF need not be looked at.
    pub(super) fn is_asleep(&self) -> bool {
        !self.awake
    }

    /// Octets are missing: from here on nothing is sure.
    pub(super) fn gap(&mut self, missing: u64) {
        self.at = self.at.saturating_add(missing);
        self.state = State::Over;
        self.awake = true;
    }

    /// The other reading, once there is one.
    pub(super) fn found(&mut self) -> Option<&mut LenientReading> {
        self.found.as_deref_mut()
    }

    /// The message is over, by an end of data that both readings agree on.
    pub(super) fn finish(mut self) -> Option<Box<LenientReading>> {
        if let State::Data { from } = self.state {
            self.end_data(from, self.at);
        }
        self.found
    }

    fn take(&mut self, client: Direction, bytes: &[u8]) {
        let mut i = 0;
        while i < bytes.len() {
            let rest = &bytes[i..];
            // The command before ended with CR, and this is the rest of its line end.
            if std::mem::take(&mut self.lf_of_command) && rest[0] == b'\n' {
                if let State::Data { from } = &mut self.state {
                    *from += 1;
                }
                self.at += 1;
                i += 1;
                continue;
            }
            match &mut self.state {
                State::Over => {
                    self.at += rest.len() as u64;
                    return;
                }
                State::Chunk { left } => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    *left -= taken as u64;
                    if *left == 0 {
                        self.await_commands();
                    }
                    self.at += taken as u64;
                    i += taken;
                }
                State::Text | State::Data { .. } => {
                    let step = self.lines.step(rest);
                    self.at += step.taken as u64;
                    i += step.taken;
                    if let Some(ends) = step.ended {
                        self.dot_line(ends);
                    }
                }
                State::Commands { .. } => {
                    self.command_octet(client, rest[0]);
                    self.at += 1;
                    i += 1;
                }
            }
        }
    }

    /// A dot line ended before the octet at `self.at`.
    fn dot_line(&mut self, ends: [LenientEnd; 2]) {
        let dot = self.at - ends[1].octets() - 1;
        match self.state {
            State::Data { from } => {
                if !self.takes_cr() && ends.contains(&LenientEnd::Cr) {
                    return;
                }
                self.end_data(from, dot);
                self.await_commands();
            }
            _ => {
                let span = (dot.saturating_sub(ends[0].octets()).max(self.start), self.at);
                self.state = State::Commands { ends, span, line: Vec::new(), noise: 0, fresh: true };
            }
        }
    }

    fn takes_cr(&self) -> bool {
        self.found.as_ref().is_some_and(|found| found.line_ends.contains(&LenientEnd::Cr))
    }

    /// Commands follow a smuggled message or chunk.
    fn await_commands(&mut self) {
        let Some(found) = &self.found else { return };
        let span = (found.end_of_data.start, found.end_of_data.end);
        self.state = State::Commands { ends: found.line_ends, span, line: Vec::new(), noise: 0, fresh: false };
    }

    fn end_data(&mut self, from: u64, to: u64) {
        if let Some(found) = &mut self.found {
            found.replies_expected += 1;
            if let Some(mail) = found.mails.last_mut() {
                mail.size = Some(to.saturating_sub(from));
            }
        }
    }

    fn command_octet(&mut self, client: Direction, octet: u8) {
        let State::Commands { ends, line, fresh, .. } = &mut self.state else { return };
        if std::mem::take(fresh) {
            self.look_alikes += 1;
        }
        let takes_cr = ends.contains(&LenientEnd::Cr);
        match octet {
            b'\n' => self.command_line(client),
            b'\r' if takes_cr => {
                self.lf_of_command = true;
                self.command_line(client);
            }
            _ if line.len() < limits::SMTP_PEEK_OCTETS => line.push(octet),
            _ => {}
        }
    }

    fn command_line(&mut self, client: Direction) {
        let State::Commands { ends, span, line, noise, .. } = &mut self.state else { return };
        let text = line.strip_suffix(b"\r").unwrap_or(line);
        let command = Command::parse(0, text, LineEnd::Crlf)
            .filter(|command| command.is_plausible() && text.len() < limits::SMTP_PEEK_OCTETS);
        let Some(command) = command else {
            *noise += 1;
            if let Some(found) = &mut self.found {
                found.replies_expected += 1;
            }
            if *noise > limits::SMTP_SMUGGLED_NOISE {
                self.lines = Lines::Start(LenientEnd::Lf);
                self.state = if self.found.is_some() { State::Over } else { State::Text };
            } else {
                line.clear();
            }
            return;
        };
        let (start, noise) = (self.start, u64::from(*noise));
        let found = self.found.get_or_insert_with(|| {
            Box::new(LenientReading {
                end_of_data: Span::new(client, span.0, span.1),
                line_ends: *ends,
                size: span.1.saturating_sub(ends[1].octets() + 1 + start),
                commands: 0,
                mails: Vec::new(),
                mails_not_kept: 0,
                replies: 0,
                replies_expected: noise,
            })
        });
        found.commands += 1;
        found.replies_expected += 1;
        let mut next = None;
        match command.verb {
            verb if verb.is_mail() => {
                let mail_from = command.path().map(|path| super::summary::keep(path.address));
                found.open(SmuggledMail { mail_from, ..SmuggledMail::default() });
            }
            Verb::RCPT => {
                if found.mails.is_empty() {
                    found.open(SmuggledMail::default());
                }
                if let (Some(mail), Some(path)) = (found.mails.last_mut(), command.path()) {
                    if mail.recipients.len() < limits::SMTP_SMUGGLED_RECIPIENTS {
                        mail.recipients.push(super::summary::keep(path.address));
                    } else {
                        mail.recipients_not_kept += 1;
                    }
                }
            }
            Verb::DATA => next = Some(State::Data { from: self.at + 1 }),
            Verb::BDAT => {
                let size = command.argument.split(u8::is_ascii_whitespace).next().unwrap_or_default();
                let left = std::str::from_utf8(size).ok().and_then(|size| size.parse::<u64>().ok());
                if let Some(mail) = found.mails.last_mut() {
                    mail.size = Some(mail.size.unwrap_or(0).saturating_add(left.unwrap_or(0)));
                }
                next = left.filter(|left| *left > 0).map(|left| State::Chunk { left });
            }
            Verb::QUIT => next = Some(State::Over),
            _ => {}
        }
        self.lines = Lines::Start(LenientEnd::Crlf);
        match next {
            Some(state) => self.state = state,
            None => line.clear(),
        }
    }
}

impl LenientReading {
    fn open(&mut self, mail: SmuggledMail) {
        if self.mails.len() < limits::SMTP_SMUGGLED_MAILS {
            self.mails.push(mail);
        } else {
            self.mails_not_kept += 1;
        }
    }
}

/// Where in a line the next octet stands, to a reader that takes CR LF, LF and CR for line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lines {
    Start(LenientEnd),
    /// After a CR, which may be half of a CR LF.
    AfterCr,
    Inside,
    Dot(LenientEnd),
    DotCr(LenientEnd),
}

/// What [`Lines::step`] did.
struct Step {
    taken: usize,
    /// The line ends around the dot of a dot line that is over.
    ended: Option<[LenientEnd; 2]>,
}

impl Lines {
    /// Takes some of `bytes`, which are not empty. A dot line that ends with CR alone ends before the octet that
    /// shows it, and that octet is not taken.
    fn step(&mut self, bytes: &[u8]) -> Step {
        let octet = bytes[0];
        let mut taken = 1;
        let mut ended = None;
        *self = match (*self, octet) {
            (Lines::Inside, _) => match memchr::memchr2(b'\n', b'\r', bytes) {
                Some(at) => {
                    taken = at + 1;
                    if bytes[at] == b'\n' { Lines::Start(LenientEnd::Lf) } else { Lines::AfterCr }
                }
                None => {
                    taken = bytes.len();
                    Lines::Inside
                }
            },
            (Lines::AfterCr, b'\n') => Lines::Start(LenientEnd::Crlf),
            (Lines::AfterCr, b'.') => Lines::Dot(LenientEnd::Cr),
            (Lines::Start(before), b'.') => Lines::Dot(before),
            (Lines::Dot(before), b'\n') => {
                ended = Some([before, LenientEnd::Lf]);
                Lines::Start(LenientEnd::Lf)
            }
            (Lines::Dot(before), b'\r') => Lines::DotCr(before),
            (Lines::DotCr(before), b'\n') => {
                ended = Some([before, LenientEnd::Crlf]);
                Lines::Start(LenientEnd::Crlf)
            }
            (Lines::DotCr(before), _) => {
                ended = Some([before, LenientEnd::Cr]);
                taken = 0;
                Lines::Start(LenientEnd::Cr)
            }
            (_, b'\n') => Lines::Start(LenientEnd::Lf),
            (_, b'\r') => Lines::AfterCr,
            _ => Lines::Inside,
        };
        Step { taken, ended }
    }
}

/// A line end, a dot, and the first octet of another line end.
const TAIL: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> (Option<Box<LenientReading>>, u32) {
        let mut reader = LenientReader::new(100);
        let mut oddities = super::super::end_of_data::Oddities::default();
        for piece in pieces {
            oddities.look(piece);
            reader.feed(Direction::FromOriginator, piece, oddities.bare_lf || oddities.bare_cr);
        }
        let look_alikes = reader.look_alikes;
        (reader.finish(), look_alikes)
    }

    /// The same for every way to cut `bytes` once, and octet by octet.
    fn check(bytes: &[u8]) -> (Option<Box<LenientReading>>, u32) {
        let whole = read(&[bytes]);
        for at in 0..=bytes.len() {
            let (a, b) = bytes.split_at(at);
            assert_eq!(read(&[a, b]), whole, "cut at {at}");
        }
        assert_eq!(read(&bytes.chunks(1).collect::<Vec<_>>()), whole, "octet by octet");
        whole
    }

    fn smuggled(look_alike: &str) -> LenientReading {
        let ends = if look_alike.contains("\r\n") || look_alike.contains('\n') { "\r\n" } else { "\r" };
        let commands = ["MAIL FROM:<x@example.com>", "RCPT TO:<bob@example.org>", "DATA", "Subject: y"].join(ends);
        let text = format!("Subject: a\r\n\r\nhello{look_alike}{commands}{ends}{ends}text\r\n");
        let (found, look_alikes) = check(text.as_bytes());
        assert_eq!(look_alikes, 1, "{look_alike:?}");
        *found.unwrap_or_else(|| panic!("{look_alike:?} is followed by commands"))
    }

    #[test]
    fn commands_after_every_look_alike_are_a_second_mail() {
        for (look_alike, words) in [
            ("\n.\n", "LF . LF"),
            ("\n.\r\n", "LF . CR LF"),
            ("\r.\r\n", "CR . CR LF"),
            ("\r\n.\n", "CR LF . LF"),
            ("\r\n.\r", "CR LF . CR"),
            ("\n.\r", "LF . CR"),
            ("\r.\r", "CR . CR"),
            ("\r.\n", "CR . LF"),
        ] {
            let found = smuggled(look_alike);
            assert_eq!(found.sequence(), words);
            let before = if look_alike.starts_with("\r\n") { 2 } else { 1 };
            assert_eq!(found.size, 19 + before, "{words}");
            assert_eq!((found.end_of_data.start, found.end_of_data.len()), (119, look_alike.len() as u64), "{words}");
            let mail = &found.mails[0];
            assert_eq!(mail.mail_from.as_deref(), Some(&b"x@example.com"[..]), "{words}");
            assert_eq!(mail.recipients, [b"bob@example.org".to_vec()], "{words}");
            let ends = if look_alike.contains('\n') { 2 } else { 1 };
            assert_eq!(mail.size, Some(10 + 2 * ends + 6), "{words}");
            assert_eq!((found.commands, found.replies_expected), (3, 4), "{words}");
        }
    }

    #[test]
    fn text_after_a_look_alike_is_no_second_mail() {
        assert_eq!(check(b"a\n.\nMail me, please.\r\nor data\r\n"), (None, 1));
        assert_eq!(check(b"a\r\n..\r\nMAIL FROM:<x@example.com>\r\n"), (None, 0));
        assert_eq!(check(b"a\n.\n"), (None, 0), "nothing follows");
        let noise = format!("a\n.\n{}MAIL FROM:<x@example.com>\r\n", "text\r\n".repeat(30));
        assert_eq!(check(noise.as_bytes()).0, None, "no server puts up with so much");
    }

    #[test]
    fn a_third_mail_and_chunks_are_counted() {
        let text = b"a\n.\nMAIL FROM:<x@example.com>\nRCPT TO:<b@example.org>\nDATA\nhello\n.\nMAIL FROM:<>\nRCPT TO:<c@example.org>\nBDAT 4 LAST\nabcdQUIT\nignored\n";
        let found = check(text).0.expect("commands follow");
        assert_eq!((found.mails.len(), found.commands), (2, 7));
        assert_eq!((found.mails[0].size, found.mails[1].size), (Some(6), Some(4)));
        assert_eq!(found.mails[1].mail_from.as_deref(), Some(&b""[..]));
    }

    #[test]
    fn what_is_kept_of_many_smuggled_mails_is_bounded() {
        let many = format!("a\n.\n{}", "MAIL FROM:<x@example.com>\nRSET\n".repeat(limits::SMTP_SMUGGLED_MAILS + 5));
        let found = read(&[many.as_bytes()]).0.expect("commands follow");
        assert_eq!((found.mails.len(), found.mails_not_kept), (limits::SMTP_SMUGGLED_MAILS, 5));
    }

    #[test]
    fn nothing_is_said_of_what_follows_a_gap() {
        let mut reader = LenientReader::new(0);
        reader.feed(
            Direction::FromOriginator,
            b"a\n.\nMAIL FROM:<x@example.com>\nRCPT TO:<b@example.org>\nDATA\nhel",
            true,
        );
        reader.gap(10);
        reader.feed(Direction::FromOriginator, b"lo\n.\nQUIT\n", true);
        let found = reader.finish().expect("commands follow");
        assert_eq!((found.commands, found.mails[0].size), (3, None));
    }
}
