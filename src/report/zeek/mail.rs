//! Zeek's rules for `smtp.log` and `files.log`.
//!
//! A record of `smtp.log` begins with the first thing that is said, or with the reply that ended the
//! one before; it is written when the reply to the end of a message comes, at the next MAIL, and at
//! the end of the connection, if the client did anything in it.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::Value;
use super::addresses::{ip_addresses, mail_addresses, members, received_from};
use super::kinds::{self, BEGINNING};
use crate::imf::{self, TransferEncoding};
use crate::limits::{ZEEK_ADDRESSES, ZEEK_PENDING_COMMANDS, ZEEK_TEXT};
use crate::session::{MessageReader, Piece};
use crate::smtp::{Event, EventKind, Transfer};
use crate::stream::Direction;
use crate::time::Timestamp;

/// What the rules say of one connection so far.
#[derive(Debug, Default)]
pub(super) struct Dialogue {
    helo: Option<Vec<u8>>,
    current: Option<Info>,
    transferred: u64,
    /// The greeting was answered: from here on replies belong to commands.
    greeted: bool,
    /// Commands without a reply, the oldest first.
    waiting: VecDeque<Asked>,
    /// What the reply whose lines come is to.
    answered: Option<Asked>,
    last_chunk: bool,
    /// A command that is known was said.
    spoke: bool,
    has_mail: bool,
    has_recipient: bool,
    /// Parts of messages so far.
    parts: u64,
    /// DATA was said: its message has begun, whatever the server answers.
    has_data: bool,
    mail: Option<Box<Mail>>,
    /// Octets of the message under way are missing: what follows of it is not looked at.
    lost: bool,
}

/// A command, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    EndOfData,
    Bdat,
    Other,
}

/// A record of `smtp.log` under way.
#[derive(Clone, Debug)]
pub(super) struct Info {
    /// When it began.
    pub ts: Timestamp,
    depth: u64,
    helo: Option<Vec<u8>>,
    mail_from: Option<Vec<u8>>,
    recipients: Option<Vec<Vec<u8>>>,
    date: Option<Vec<u8>>,
    from: Option<Vec<u8>>,
    to: Option<Vec<Vec<u8>>>,
    cc: Option<Vec<Vec<u8>>>,
    reply_to: Option<Vec<u8>>,
    message_id: Option<Vec<u8>>,
    in_reply_to: Option<Vec<u8>>,
    subject: Option<Vec<u8>>,
    originating_ip: Option<IpAddr>,
    received: [Option<Vec<u8>>; 2],
    last_reply: Option<Vec<u8>>,
    /// Addresses that Received fields name, the last hop first.
    path: Vec<IpAddr>,
    user_agent: Option<Vec<u8>>,
    tls: bool,
    /// The files in its message: [`File::depth`] of each.
    pub files: Vec<u64>,
    /// Parts that began in it.
    parts: u64,
    active: bool,
}

/// A file of a message.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// When its first octet came, and its last.
    pub times: (Timestamp, Timestamp),
    /// Its place among the parts of the connection's messages, from 1: no two files share one.
    pub depth: u64,
    /// What its first octets show.
    pub kind: Option<&'static str>,
    /// The name that the sender gave it.
    pub name: Option<Vec<u8>>,
    /// Octets seen, decoded.
    pub seen: u64,
    /// Octets missing.
    pub missing: u64,
}

/// What is told.
#[derive(Debug)]
pub(super) enum Told {
    /// A record of `smtp.log` is done.
    Transaction(Box<Info>),
    /// A file is done.
    File(File),
    /// Something unusual: its name, and what is added to it.
    Weird(&'static str, String),
}

type Tell<'t> = dyn FnMut(Told) + 't;

#[derive(Debug)]
struct Mail {
    reader: MessageReader,
    files: Vec<Open>,
    /// Fields are the message's own: no other part has begun in this record.
    own: bool,
    /// Parts so far.
    parts: u64,
}

#[derive(Debug)]
struct Open {
    part: u64,
    file: File,
    /// Its first line was whole.
    begun: bool,
    /// Until then: the octets of it in the piece of the stream that begins at `at`.
    at: u64,
    now: u64,
    beginning: Vec<u8>,
}

impl Dialogue {
    /// Takes what happened next.
    pub(super) fn event(&mut self, event: &Event<'_>, client: Direction, time: Timestamp, tell: &mut Tell<'_>) {
        match &event.kind {
            EventKind::Command(command) => self.command(command.line, time, tell),
            EventKind::Auth(_) => self.ask(Asked::Other),
            EventKind::Reply(reply) => {
                self.begin(time);
                self.answered = if self.greeted { self.waiting.pop_front() } else { None };
                self.greeted = true;
                let mut lines = reply.lines().peekable();
                while let Some(line) = lines.next() {
                    self.reply_line(line, lines.peek().is_none(), time, tell);
                }
            }
            EventKind::MessageStart { transfer, tolerant, .. } => {
                self.lost = false;
                self.begin(time);
                let begun = std::mem::take(&mut self.has_data) && *transfer == Transfer::Data;
                self.parts -= u64::from(begun);
                let Some(info) = &mut self.current else { return };
                info.parts += u64::from(!begun);
                self.mail = Some(Box::new(Mail {
                    reader: MessageReader::new(client, *transfer, *tolerant, imf::Detail::Content)
                        .passing_over_strange_lines(),
                    files: Vec::new(),
                    own: info.parts == 1,
                    parts: 0,
                }));
            }
            EventKind::MessageData { .. } if !self.lost => self.message(event, time, tell),
            EventKind::MessageEnd(end) => {
                if !self.lost {
                    self.message(event, time, tell);
                }
                self.end_of_message(tell);
                if end.transfer == Transfer::Data && !self.lost {
                    self.ask(Asked::EndOfData);
                }
                (self.has_mail, self.has_recipient) = (false, false);
                self.lost = false;
            }
            EventKind::StartTls => {
                self.begin(time);
                if let Some(info) = &mut self.current {
                    (info.tls, info.active) = (true, true);
                }
            }
            _ => {}
        }
    }

    /// Whether the client said what an SMTP client says.
    pub(super) fn is_confirmed(&self) -> bool {
        self.spoke
    }

    /// Octets are missing: what waits for a reply is forgotten, a message under way ends.
    pub(super) fn gap(&mut self, from_client: bool, octets: u64, tell: &mut Tell<'_>) {
        self.waiting.clear();
        if let Some(mail) = &mut self.mail {
            if from_client && let Some(open) = mail.files.last_mut() {
                open.file.missing += octets;
            }
            self.end_of_message(tell);
            self.lost = true;
        }
    }

    /// The connection is over.
    pub(super) fn finish(&mut self, tell: &mut Tell<'_>) {
        self.end_of_message(tell);
        self.flush(tell);
    }

    fn begin(&mut self, time: Timestamp) {
        if self.current.is_none() {
            self.current = Some(Info::new(time, self.transferred + 1, self.helo.clone()));
        }
    }

    /// Writes the record under way, if the client did anything in it.
    fn flush(&mut self, tell: &mut Tell<'_>) {
        if let Some(info) = self.current.take_if(|info| info.active) {
            tell(Told::Transaction(Box::new(info)));
        }
    }

    fn ask(&mut self, asked: Asked) {
        if self.waiting.len() < ZEEK_PENDING_COMMANDS {
            self.waiting.push_back(asked);
        }
    }

    fn command(&mut self, line: &[u8], time: Timestamp, tell: &mut Tell<'_>) {
        let text = line.trim_ascii_start();
        let word = text.iter().position(|b| b.is_ascii_whitespace()).unwrap_or(text.len());
        let (verb, argument) = text.split_at(word);
        let argument = argument.trim_ascii_start();
        let verb = verb.to_ascii_uppercase();
        if !VERBS.iter().any(|known| known.as_bytes() == verb) {
            return;
        }
        self.spoke = true;
        self.begin(time);
        self.ask(if verb == b"BDAT" { Asked::Bdat } else { Asked::Other });
        let is = |prefix: &[u8]| argument.get(..prefix.len()).is_some_and(|b| b.eq_ignore_ascii_case(prefix));
        match &verb[..] {
            b"EHLO" | b"HELO" => {
                let name = clipped(argument);
                self.helo = Some(name.clone());
                if let Some(info) = &mut self.current {
                    info.helo = Some(name);
                }
            }
            b"MAIL" if is(b"FROM:") => {
                self.flush(tell);
                self.begin(time);
                (self.has_mail, self.has_recipient) = (true, false);
                let Some(info) = &mut self.current else { return };
                if let Some(sender) = mail_addresses(argument).into_iter().next() {
                    info.mail_from = Some(clipped(&sender));
                }
                info.active = true;
            }
            b"RCPT" if is(b"TO:") => {
                if !self.has_mail {
                    tell(Told::Weird("smtp_mail_transaction_invalid", "rcpt to missing mail from".to_owned()));
                }
                self.has_recipient = true;
                let Some(info) = &mut self.current else { return };
                let recipients = info.recipients.get_or_insert_default();
                for address in mail_addresses(argument) {
                    let address = address.strip_prefix(b"ORCPT=rfc822;".as_slice()).unwrap_or(&address);
                    if recipients.len() < ZEEK_ADDRESSES && !recipients.iter().any(|known| known == address) {
                        recipients.push(clipped(address));
                    }
                }
                info.active = true;
            }
            b"DATA" | b"BDAT" => {
                if !self.has_recipient {
                    tell(Told::Weird("smtp_mail_transaction_invalid", "data missing rcpt to".to_owned()));
                }
                if verb == b"DATA" {
                    self.parts += 1;
                    self.has_data = true;
                    if let Some(info) = &mut self.current {
                        info.parts += 1;
                    }
                }
                if verb == b"BDAT" && argument.ends_with(b" LAST") {
                    (self.has_mail, self.has_recipient, self.last_chunk) = (false, false, true);
                }
            }
            _ => {}
        }
    }

    fn reply_line(&mut self, line: &[u8], is_last: bool, time: Timestamp, tell: &mut Tell<'_>) {
        let Some(code) = line.get(..3).filter(|code| code.iter().all(u8::is_ascii_digit)) else { return };
        if !(b'1'..=b'5').contains(&code[0]) {
            return;
        }
        let behind = line.get(3..).unwrap_or_default();
        let behind = behind.strip_prefix(b"-").unwrap_or(behind).trim_ascii_start();
        self.begin(time);
        if let Some(info) = &mut self.current {
            info.last_reply = Some(clipped(&[code, b" ", behind].concat()));
        }
        let ends = match self.answered {
            Some(Asked::EndOfData) => true,
            Some(Asked::Bdat) => is_last && self.last_chunk,
            _ => false,
        };
        if ends {
            self.transferred += 1;
            self.last_chunk = false;
            self.flush(tell);
            self.current = Some(Info::new(time, self.transferred + 1, self.helo.clone()));
        }
    }

    fn message(&mut self, event: &Event<'_>, time: Timestamp, tell: &mut Tell<'_>) {
        self.begin(time);
        let (Some(mail), Some(info)) = (&mut self.mail, &mut self.current) else { return };
        let Mail { reader, files, own, parts } = &mut **mail;
        let before = self.parts;
        // Octets behind the last line end.
        let open_line = match event.kind {
            EventKind::MessageData { octets, .. } => {
                octets.len() - memchr::memrchr(b'\n', octets).map_or(0, |at| at + 1)
            }
            _ => 0,
        } as u64;
        reader.event(event, &mut |piece| match piece {
            Piece::Part(imf::Event::Field { part, field }) => {
                *own &= part.number == 0;
                *parts = (*parts).max(part.number + 1);
                if *own {
                    info.field(&field);
                }
            }
            Piece::Part(imf::Event::PartStart(part)) => *parts = (*parts).max(part.number + 1),
            Piece::Part(imf::Event::Content { part, octets }) => {
                if files.last().is_none_or(|open| open.part != part.number) {
                    let file = File {
                        times: (time, time),
                        depth: before + part.number + 1,
                        kind: None,
                        name: part.file_name.clone(),
                        seen: 0,
                        missing: 0,
                    };
                    files.push(Open {
                        part: part.number,
                        file,
                        begun: false,
                        at: u64::MAX,
                        now: 0,
                        beginning: Vec::new(),
                    });
                }
                if let Some(open) = files.last_mut() {
                    let room = BEGINNING.saturating_sub(open.beginning.len());
                    open.beginning.extend_from_slice(&octets[..octets.len().min(room)]);
                    // Contents are handed on line by line: a file begins when its first line is whole.
                    if !open.begun {
                        open.file.times.0 = time;
                        if open.at != event.span.start {
                            (open.at, open.now) = (event.span.start, 0);
                        }
                        open.now += octets.len() as u64;
                        let coded = part.transfer_encoding == TransferEncoding::Base64;
                        // More than the line that is not whole yet can hold.
                        open.begun = open.now > if coded { open_line * 3 / 4 } else { open_line };
                    }
                    open.file.seen += octets.len() as u64;
                    open.file.times.1 = time;
                }
            }
            Piece::Part(imf::Event::PartEnd(part)) => {
                *parts = (*parts).max(part.number + 1);
                if let Some(at) = files.iter().position(|open| open.part == part.number) {
                    let mut open = files.remove(at);
                    // The line end before a boundary is decoded with what it ends.
                    if part.transfer_encoding == TransferEncoding::QuotedPrintable && part.number > 0 && part.complete {
                        open.file.seen += 2;
                    }
                    if !open.begun {
                        open.file.times = (time, time);
                    }
                    info.files.push(open.file.depth);
                    tell(Told::File(open.done()));
                }
            }
            _ => {}
        });
    }

    fn end_of_message(&mut self, tell: &mut Tell<'_>) {
        let Some(mail) = self.mail.take() else { return };
        for open in mail.files {
            if let Some(info) = &mut self.current {
                info.files.push(open.file.depth);
            }
            tell(Told::File(open.done()));
        }
        self.parts += mail.parts;
    }
}

impl Open {
    fn done(self) -> File {
        let mut file = self.file;
        file.kind = kinds::kind(&self.beginning);
        file
    }
}

impl Info {
    fn new(ts: Timestamp, depth: u64, helo: Option<Vec<u8>>) -> Info {
        Info {
            ts,
            depth,
            helo,
            mail_from: None,
            recipients: None,
            date: None,
            from: None,
            to: None,
            cc: None,
            reply_to: None,
            message_id: None,
            in_reply_to: None,
            subject: None,
            originating_ip: None,
            received: [None, None],
            last_reply: None,
            path: Vec::new(),
            user_agent: None,
            tls: false,
            files: Vec::new(),
            parts: 0,
            active: false,
        }
    }

    fn field(&mut self, field: &imf::Field<'_>) {
        let value = clipped(&field.unfolded());
        let list = |into: &mut Option<Vec<Vec<u8>>>| {
            let all = into.get_or_insert_default();
            for member in members(&value) {
                if all.len() < ZEEK_ADDRESSES && !all.contains(&member) {
                    all.push(member);
                }
            }
        };
        match &field.name.to_ascii_uppercase()[..] {
            b"MESSAGE-ID" => self.message_id = Some(value),
            b"RECEIVED" => {
                if let Some(ip) = received_from(&value)
                    && self.path.last() != Some(&ip)
                    && self.path.len() + 2 < ZEEK_ADDRESSES
                {
                    self.path.push(ip);
                }
                self.received[1] = self.received[0].replace(value);
            }
            b"IN-REPLY-TO" => self.in_reply_to = Some(value),
            b"SUBJECT" => self.subject = Some(value),
            b"FROM" => self.from = Some(value),
            b"REPLY-TO" => self.reply_to = Some(value),
            b"DATE" => self.date = Some(value),
            b"TO" => list(&mut self.to),
            b"CC" => list(&mut self.cc),
            b"X-ORIGINATING-IP" => self.originating_ip = ip_addresses(&value).first().copied(),
            b"X-MAILER" | b"USER-AGENT" | b"X-USER-AGENT" => self.user_agent = Some(value),
            _ => {}
        }
    }

    /// The columns from `trans_depth` on; the connection ran from `originator` to `responder`.
    pub(super) fn values(self, ends: [IpAddr; 2], id: impl Fn(u64) -> String) -> Vec<Value> {
        let set = |list: Option<Vec<Vec<u8>>>| list.map_or(Value::Unset, Value::list);
        let [first, second] = self.received;
        let mut path = vec![ends[1]];
        for ip in std::iter::once(ends[0]).chain(self.path) {
            if path.len() == 1 || path.last() != Some(&ip) {
                path.push(ip);
            }
        }
        vec![
            Value::Count(self.depth),
            Value::or_unset(self.helo),
            Value::or_unset(self.mail_from),
            set(self.recipients),
            Value::or_unset(self.date),
            Value::or_unset(self.from),
            set(self.to),
            set(self.cc),
            Value::or_unset(self.reply_to),
            Value::or_unset(self.message_id),
            Value::or_unset(self.in_reply_to),
            Value::or_unset(self.subject),
            self.originating_ip.map_or(Value::Unset, Value::Address),
            Value::or_unset(first),
            Value::or_unset(second),
            Value::or_unset(self.last_reply),
            Value::List(path.into_iter().map(Value::Address).collect()),
            Value::or_unset(self.user_agent),
            Value::Bool(self.tls),
            Value::list(self.files.into_iter().map(id)),
        ]
    }
}

/// At most as much of a text as a log keeps.
fn clipped(text: &[u8]) -> Vec<u8> {
    text[..text.len().min(ZEEK_TEXT)].to_vec()
}

/// The commands that Zeek knows.
const VERBS: [&str; 20] = [
    "EHLO",
    "HELO",
    "MAIL",
    "RCPT",
    "DATA",
    "QUIT",
    "RSET",
    "VRFY",
    "EXPN",
    "HELP",
    "NOOP",
    "AUTH",
    "STARTTLS",
    "BDAT",
    "TURN",
    "SEND",
    "SOML",
    "SAML",
    "ETRN",
    "X-ANONYMOUSTLS",
];
