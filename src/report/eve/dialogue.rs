//! Suricata's view of an SMTP dialogue: where a transaction begins and ends, and what is an event.
//!
//! It differs from ours ([`crate::smtp`]) on purpose. A transaction begins with the first command,
//! EHLO included, and ends with the message, with the reply to RSET, or with STARTTLS. The first
//! reply that is none ends the analysis of the connection.

use std::collections::VecDeque;

use super::mail::Mail;
use super::{Email, Envelope, FileInfo};
use crate::bytes::utf8;
use crate::limits;
use crate::smtp::{Event, EventKind, LineEnd, MessageEnd, Transfer};

/// What the rules say of one connection so far.
#[derive(Debug, Default)]
pub(super) struct Dialogue {
    helo: Option<String>,
    current: Option<Transaction>,
    begun: u64,
    /// Commands without a reply, the oldest first.
    outstanding: VecDeque<Asked>,
    /// The server's first reply was seen.
    is_welcomed: bool,
    /// Nothing more is looked at.
    is_stopped: bool,
}

/// A transaction by Suricata's count.
#[derive(Debug, Default)]
struct Transaction {
    id: u64,
    mail_from: Option<String>,
    rcpt_to: Vec<String>,
    /// Octets of all recipients.
    kept: usize,
    /// The message under way, and what is known of it when it is over.
    mail: Option<Box<Mail>>,
    read: Option<Box<(Email, Vec<FileInfo>)>>,
    /// DATA was sent.
    has_data: bool,
    is_over: bool,
}

/// What a reply answers, so far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    StartTls,
    Data,
    /// The message after DATA.
    Message,
    /// RSET, or a greeting that takes its place: the transaction of this number ends.
    Reset(u64),
    Other,
}

/// What is told.
#[derive(Debug)]
pub(super) enum Told {
    /// Something strange, and the transaction that it is counted to.
    Anomaly(&'static str, u64),
    /// A transaction is over.
    Transaction {
        /// Its number.
        id: u64,
        /// Who writes to whom.
        envelope: Envelope,
        /// What the message says; `None`: none was sent.
        email: Option<Box<Email>>,
        /// Its files.
        files: Vec<FileInfo>,
    },
}

/// Where events go.
type Tell<'t> = dyn FnMut(Told) + 't;

impl Dialogue {
    /// Takes what happened next.
    pub(super) fn event(&mut self, event: &Event<'_>, from_client: bool, tell: &mut Tell<'_>) {
        if let EventKind::Anomaly(crate::smtp::Anomaly::ClearAfterStartTls) = event.kind {
            return self.strange("FAILED_PROTOCOL_CHANGE", tell);
        }
        if self.is_stopped {
            return;
        }
        match &event.kind {
            EventKind::Command(command) => self.command(command.line, command.end, tell),
            EventKind::Auth(_) => self.other(tell),
            EventKind::Unparsed(line) if from_client => self.command(line, LineEnd::Crlf, tell),
            EventKind::Unparsed(line) => self.reply_line(line, tell),
            EventKind::Reply(reply) => {
                for line in reply.lines() {
                    self.reply_line(line, tell);
                }
            }
            EventKind::MessageStart { transfer, .. } => {
                self.begin(false);
                let is_stuffed = *transfer == Transfer::Data;
                let current = self.current.get_or_insert_default();
                current.mail = Some(Box::new(Mail::new(is_stuffed)));
                current.read = None;
            }
            EventKind::MessageData { octets, .. } => {
                let Some(current) = &mut self.current else { return };
                if let Some(mail) = &mut current.mail {
                    mail.feed(event.span.start, octets);
                    for name in mail.strange() {
                        tell(Told::Anomaly(name, current.id));
                    }
                }
            }
            EventKind::MessageEnd(end) => self.message_end(end, tell),
            EventKind::Anomaly(crate::smtp::Anomaly::BadBdat) => self.strange("INVALID_BDAT", tell),
            _ => {}
        }
    }

    /// How many transactions there were.
    pub(super) fn transactions(&self) -> u64 {
        self.begun
    }

    /// The connection is over: so is its last transaction.
    pub(super) fn finish(&mut self, tell: &mut Tell<'_>) {
        self.end(tell);
        self.is_stopped = true;
    }

    fn command(&mut self, line: &[u8], end: LineEnd, tell: &mut Tell<'_>) {
        // A line is cut with its line end, of which CR is left if it stands before the cut.
        let ends = match end {
            LineEnd::Crlf => 2,
            LineEnd::Lf => 1,
            LineEnd::CrCrlf => 3,
            LineEnd::Missing => 0,
        };
        let is_cut = line.len() + ends > LINE_OCTETS;
        let mut kept = line[..line.len().min(LINE_OCTETS)].to_vec();
        if is_cut && ends > 1 && kept.len() < LINE_OCTETS {
            kept.push(b'\r');
        }
        let line = kept.trim_ascii_start();

        let begins = |word: &[u8]| line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        self.begin(begins(b"RSET") || begins(b"QUIT"));
        if !self.is_welcomed {
            self.strange("NO_SERVER_WELCOME_MESSAGE", tell);
        }
        if is_cut {
            self.strange("TRUNCATED_LINE", tell);
        }
        let mut asked = Asked::Other;
        if begins(b"STARTTLS") {
            asked = Asked::StartTls;
        } else if begins(b"DATA") {
            asked = Asked::Data;
            let current = self.current.get_or_insert_default();
            if std::mem::replace(&mut current.has_data, true) {
                return self.strange("UNPARSABLE_CONTENT", tell);
            }
        } else if begins(b"HELO") || begins(b"EHLO") {
            match self.helo {
                None => self.helo = Some(parameter(line, 5)),
                Some(_) => self.strange("DUPLICATE_FIELDS", tell),
            }
            // RFC 5321 §4.1.4: a greeting inside a mail transaction ends it, as RSET does.
            if self.current.as_ref().is_some_and(|current| current.has_data || current.mail_from.is_some()) {
                asked = self.reset();
            }
        } else if begins(b"MAIL FROM") {
            match &mut self.current {
                Some(Transaction { mail_from: Some(_), .. }) => self.strange("DUPLICATE_FIELDS", tell),
                current => current.get_or_insert_default().mail_from = Some(parameter(line, 10)),
            }
        } else if begins(b"RCPT TO") {
            let current = self.current.get_or_insert_default();
            let recipient = parameter(line, 8);
            current.kept += recipient.len();
            if current.rcpt_to.len() < limits::SMTP_RECIPIENTS && current.kept <= limits::EVE_KEPT_OCTETS {
                current.rcpt_to.push(recipient);
            }
        } else if begins(b"RSET") {
            asked = self.reset();
        }
        self.await_reply(asked, tell);
    }

    fn reset(&self) -> Asked {
        self.current.as_ref().map_or(Asked::Other, |current| Asked::Reset(current.id))
    }

    /// A line inside an authentication.
    fn other(&mut self, tell: &mut Tell<'_>) {
        self.begin(false);
        if !self.is_welcomed {
            self.strange("NO_SERVER_WELCOME_MESSAGE", tell);
        }
        self.await_reply(Asked::Other, tell);
    }

    fn begin(&mut self, goes_on: bool) {
        let is_over = self.current.as_ref().is_none_or(|current| current.is_over && !goes_on);
        if is_over {
            self.current = Some(Transaction { id: self.begun, ..Transaction::default() });
            self.begun += 1;
        }
    }

    fn await_reply(&mut self, asked: Asked, tell: &mut Tell<'_>) {
        // RFC 2920 §3.1: these two end a group of commands that are sent without waiting.
        if matches!(self.outstanding.back(), Some(Asked::StartTls | Asked::Data)) {
            self.strange("INVALID_PIPELINED_SEQUENCE", tell);
        }
        if self.outstanding.len() >= limits::SMTP_OUTSTANDING {
            self.outstanding.pop_front();
        }
        self.outstanding.push_back(asked);
    }

    fn message_end(&mut self, end: &MessageEnd, tell: &mut Tell<'_>) {
        if let Some(current) = &mut self.current
            && let Some(mut mail) = current.mail.take()
        {
            if end.missing > 0 && end.transfer == Transfer::Bdat {
                mail.gap(end.missing);
            }
            current.read = Some(Box::new(mail.finish(end.complete || end.missing > 0)));
        }
        // Where octets are missing and the dialogue goes on, the end was among them.
        if !end.complete && end.missing == 0 {
            return;
        }
        if end.transfer == Transfer::Data {
            self.await_reply(Asked::Message, tell);
        }
        self.end(tell);
    }

    fn reply_line(&mut self, line: &[u8], tell: &mut Tell<'_>) {
        if self.is_stopped {
            return;
        }
        let code = line.get(..3).and_then(|code| std::str::from_utf8(code).ok()?.parse::<u16>().ok());
        let Some(code) = code.filter(|code| CODES.contains(code)) else {
            self.strange("INVALID_REPLY", tell);
            return self.finish(tell);
        };
        let is_last = line.get(3) != Some(&b'-');
        let Some(&asked) = self.outstanding.front() else {
            if !self.is_welcomed {
                self.is_welcomed = is_last;
                if code != 220 {
                    self.strange("INVALID_REPLY", tell);
                }
            }
            return;
        };
        match (asked, code) {
            (Asked::StartTls, 220) => return self.finish(tell),
            (Asked::StartTls, _) => self.strange("TLS_REJECTED", tell),
            (Asked::Data, 354) => {}
            (Asked::Data, _) => self.strange("DATA_COMMAND_REJECTED", tell),
            // Pipelined, the next transaction may have begun.
            (Asked::Reset(id), 250) if is_last && self.current.as_ref().is_some_and(|current| current.id == id) => {
                self.end(tell);
            }
            _ => {}
        }
        if is_last {
            self.outstanding.pop_front();
        }
    }

    fn strange(&self, event: &'static str, tell: &mut Tell<'_>) {
        if let Some(current) = &self.current {
            tell(Told::Anomaly(event, current.id));
        }
    }

    fn end(&mut self, tell: &mut Tell<'_>) {
        let Some(mut current) = self.current.take_if(|current| !current.is_over) else { return };
        current.is_over = true;
        if let Some(mail) = current.mail.take() {
            current.read = Some(Box::new(mail.finish(false)));
        }
        let (email, files) = match current.read.take() {
            Some(read) => (Some(Box::new(read.0)), read.1),
            // A message was announced and none came.
            None if current.has_data => (Some(Box::new(Mail::new(true).finish(true).0)), Vec::new()),
            None => (None, Vec::new()),
        };
        tell(Told::Transaction { id: current.id, envelope: self.envelope(&current), email, files });
        self.current = Some(current);
    }

    fn envelope(&self, of: &Transaction) -> Envelope {
        Envelope { helo: self.helo.clone(), mail_from: of.mail_from.clone(), rcpt_to: of.rcpt_to.clone() }
    }
}

/// The word that follows a command and the octet behind it.
fn parameter(line: &[u8], after: usize) -> String {
    let rest = line.get(after..).unwrap_or_default();
    let start = rest.iter().position(|octet| *octet != b' ').unwrap_or(rest.len());
    let rest = &rest[start..];
    utf8(&rest[..rest.iter().position(|octet| *octet == b' ').unwrap_or(rest.len())])
}

/// Octets of a line that are looked at; what is longer is cut there.
const LINE_OCTETS: usize = 4096;

/// The reply codes that are known: those of RFC 5321 §4.2.3, RFC 4954 §6, RFC 3207 §4.1, and a few
/// that servers really send.
const CODES: [u16; 40] = [
    211, 214, 220, 221, 235, 250, 251, 252, 334, 354, 401, 402, 421, 432, 435, 450, 451, 452, 454, 455, 500, 501, 502,
    503, 504, 511, 521, 522, 525, 530, 534, 535, 538, 541, 543, 550, 551, 552, 553, 554,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp;
    use crate::stream::Direction;

    /// What is told of a dialogue: `C` and `S` lines as they follow each other.
    fn told(said: &[(char, &str)]) -> Vec<String> {
        let mut decoder = smtp::Dialogue::new(Direction::FromOriginator);
        let (mut dialogue, mut lines, mut at) = (Dialogue::default(), Vec::new(), [0u64; 2]);
        let mut tell = |told: Told| {
            lines.push(match told {
                Told::Anomaly(event, id) => format!("{event} {id}"),
                Told::Transaction { id, envelope, .. } => format!(
                    "{id}: {} {} {}",
                    envelope.helo.unwrap_or_default(),
                    envelope.mail_from.unwrap_or_default(),
                    envelope.rcpt_to.join(" ")
                ),
            });
        };
        for (side, text) in said {
            let direction = if *side == 'C' { Direction::FromOriginator } else { Direction::FromResponder };
            let start = at[direction.index()];
            at[direction.index()] += text.len() as u64;
            decoder.data(direction, start, text.as_bytes(), &mut |event| {
                let from_client = event.span.direction == Direction::FromOriginator;
                dialogue.event(&event, from_client, &mut tell);
            });
        }
        dialogue.finish(&mut tell);
        lines
    }

    #[test]
    fn a_transaction_holds_the_greeting_and_the_first_mail_and_the_next_one_only_its_own() {
        let lines = told(&[
            ('S', "220 a.example.org\r\n"),
            ('C', "EHLO c.example.org\r\n"),
            ('S', "250 a\r\n"),
            ('C', "MAIL FROM: <a@example.org> SIZE=5\r\n"),
            ('S', "250 ok\r\n"),
            ('C', "RCPT TO:<b@example.org>\r\n"),
            ('S', "250 ok\r\n"),
            ('C', "DATA\r\n"),
            ('S', "354 go\r\n"),
            ('C', "Subject: x\r\n\r\nx\r\n.\r\n"),
            ('S', "250 ok\r\n"),
            ('C', "MAIL FROM:<>\r\n"),
            ('S', "250 ok\r\n"),
            ('C', "RSET\r\n"),
            ('S', "250 ok\r\n"),
            ('C', "QUIT\r\n"),
            ('S', "221 bye\r\n"),
        ]);
        assert_eq!(lines, ["0: c.example.org <a@example.org> <b@example.org>", "1: c.example.org <> "]);
    }

    #[test]
    fn what_is_out_of_order_is_named_as_suricata_names_it() {
        let lines = told(&[
            ('C', "EHLO c.example.org\r\n"),
            ('S', "220 a.example.org\r\n"),
            ('S', "220 a.example.org\r\n"),
            ('C', "DATA\r\n"),
            ('S', "503 no\r\n"),
            ('C', "EHLO c.example.org\r\n"),
            ('S', "250-a\r\n250 PIPELINING\r\n"),
            ('C', "BDAT 5 X\r\n"),
            ('S', "what\r\n"),
            ('C', "QUIT\r\n"),
        ]);
        let expected = [
            "NO_SERVER_WELCOME_MESSAGE 0",
            "DATA_COMMAND_REJECTED 0",
            "DUPLICATE_FIELDS 0",
            "0: c.example.org  ",
            "INVALID_BDAT 1",
            "INVALID_REPLY 1",
            "1: c.example.org  ",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_reset_ends_the_transaction_that_it_was_sent_in_and_not_the_next() {
        let lines = told(&[
            ('S', "220 a.example.org\r\n"),
            ('C', "EHLO c.example.org\r\nMAIL FROM:<a@example.org>\r\nRSET\r\n"),
            ('S', "250 a\r\n250 ok\r\n250 ok\r\n"),
            ('C', "RSET\r\nMAIL FROM:<b@example.org>\r\nRCPT TO:<c@example.org>\r\n"),
            ('S', "250 ok\r\n250 ok\r\n250 ok\r\n"),
        ]);
        assert_eq!(lines, ["0: c.example.org <a@example.org> ", "1: c.example.org <b@example.org> <c@example.org>"]);
    }

    #[test]
    fn a_line_beyond_the_limit_is_cut() {
        let name = "x".repeat(LINE_OCTETS - 6);
        let lines = told(&[('S', "220 a\r\n"), ('C', &format!("EHLO {name}\r\n")), ('C', "QUIT\r\n")]);
        assert_eq!(lines[0], "TRUNCATED_LINE 0");
        assert_eq!(lines[1], format!("0: {name}\r  "), "the cut stands between CR and LF");
    }

    #[test]
    fn a_parameter_ends_at_the_first_space() {
        assert_eq!(parameter(b"MAIL FROM:  <a@example.org> SIZE=1", 10), "<a@example.org>");
        assert_eq!(parameter(b"EHLO", 5), "");
    }
}
