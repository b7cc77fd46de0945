//! One path of the search, told as transactions, a login and words for each record.

use super::grammar::{Command, End, Mechanism, Outcome, Taken};
use super::prior::Range;
use super::search::{Found, Path, ROOT, Record};

/// What one path says.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    /// Its share of the weight of all paths.
    pub(super) share: f64,
    pub(super) server: u16,
    pub(super) mails: Vec<Mail>,
    pub(super) login: Option<LoginRead>,
    /// A login before it that failed.
    first_login: Option<LoginRead>,
    pub(super) quit: bool,
    /// For each record what it was taken for.
    pub(super) taken: Vec<Option<Taken>>,
    /// Features of the client.
    pub(super) ways: Ways,
}

/// How a client writes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ways {
    /// Messages whose last record is only the final dot line.
    pub(super) dots_alone: u32,
    /// Messages with another last record.
    pub(super) dots_with: u32,
    /// Messages of which each line seems to have a record.
    pub(super) by_line: u32,
    /// Commands shared a record.
    pub(super) grouped: bool,
    /// Commands followed each other without waiting.
    pub(super) apart: bool,
    /// Commands waited each for its reply.
    pub(super) waited: bool,
    /// Octets of the longest record of a message that was not its last, if it is longer than lines are.
    pub(super) block: Option<Range>,
}

impl Ways {
    fn block(&mut self, length: Option<Range>) {
        let longer = |length: &Range| length.max > LINE && self.block.is_none_or(|known| known.max < length.max);
        self.block = length.filter(longer).or(self.block);
    }
}

/// Octets within which a block cipher leaves a length open (RFC 5246 §6.2.3.2).
const BLOCK: i32 = 16;

/// A record of no more octets than this may be the final dot line, alone.
const DOT_ALONE: i32 = 19;

/// Octets that a line has at most (RFC 5321 §4.5.3.1.6), with its dot.
const LINE: i32 = 1001;

/// One transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Mail {
    /// Octets after `MAIL FROM:<` and its `>` and line end: the address with parameters. `None`: it shares a record.
    pub(super) after_mail: Option<Range>,
    /// Octets of the reply to MAIL, if it stands alone and agrees.
    pub(super) mail_reply: Option<Range>,
    pub(super) recipients: Vec<Rcpt>,
    pub(super) bdat: Option<bool>,
    /// Octets of the message, its dot line included; with BDAT, of chunk and command.
    pub(super) text: Range,
    /// The message shares a record with other commands than QUIT.
    pub(super) shared: bool,
    /// BDAT commands that have records of their own.
    pub(super) chunks: i32,
    /// QUIT stands behind it.
    pub(super) quit_inside: bool,
    pub(super) accepted: Option<bool>,
    pub(super) records: Vec<u32>,
    /// The first record of the text and how many there are.
    pub(super) pieces: u32,
    /// Octets of its last record.
    pub(super) last: Range,
}

/// One recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rcpt {
    /// Octets of address and parameters; `None`: it shares a record.
    pub(super) after: Option<Range>,
    /// Octets of its reply, if that stands alone.
    pub(super) reply: Option<Range>,
    pub(super) accepted: Option<bool>,
    /// How sure that is within this reading.
    pub(super) surety: f64,
}

/// A login.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LoginRead {
    pub(super) mechanism: Mechanism,
    pub(super) succeeded: Option<bool>,
    /// The client's lines.
    pub(super) lines: Vec<Range>,
    pub(super) records: Vec<u32>,
}

impl Reading {
    /// Tells a path.
    pub(super) fn of(found: &Found, path: &Path, records: &[Record]) -> Reading {
        let mut history = Vec::new();
        let mut at = path.tail;
        while at != ROOT {
            let Some(node) = found.nodes.get(at as usize) else { break };
            history.push((node.record, node.taken));
            at = node.before;
        }
        history.reverse();
        let mut reading = Reading { server: path.server, ..Reading::default() };
        reading.taken = vec![None; records.len()];
        let mut teller = Teller { reading, waiting: Vec::new(), last: Range::new(0, 0), lines: 0 };
        for (record, taken) in history {
            let Some(seen) = records.get(record as usize) else { continue };
            teller.tell(record, seen, taken);
            if let Some(slot) = teller.reading.taken.get_mut(record as usize) {
                *slot = Some(taken);
            }
        }
        teller.reading.finish();
        teller.reading
    }

    /// The client has hung up: what was not answered was not done.
    fn finish(&mut self) {
        for mail in &mut self.mails {
            if mail.bdat.is_none() {
                mail.accepted = Some(false);
            }
        }
        if self.login.as_ref().is_some_and(|login| login.succeeded != Some(true)) && self.first_login.is_some() {
            self.login = self.first_login.take();
        }
        if let Some(login) = &mut self.login
            && login.succeeded.is_none()
        {
            login.succeeded = Some(false);
        }
    }
}

/// What some replies say.
#[derive(Clone, Copy)]
struct Told {
    commands: u16,
    refused: u16,
    recipients: u16,
    outcome: Outcome,
    surety: u8,
}

struct Teller {
    reading: Reading,
    /// Commands that wait, with the transaction and the recipient that they belong to.
    waiting: Vec<(Command, usize, usize)>,
    last: Range,
    lines: u32,
}

impl Teller {
    fn tell(&mut self, record: u32, seen: &Record, taken: Taken) {
        match taken {
            Taken::Command(command) => {
                if !self.waiting.is_empty() {
                    self.reading.ways.apart = true;
                } else if command == Command::Rcpt {
                    self.reading.ways.waited = true;
                }
                self.command(command, record, Some(seen.length));
            }
            Taken::Group(group) => {
                self.reading.ways.grouped = true;
                if group.mail {
                    self.command(Command::Mail, record, None);
                }
                for _ in 0..group.recipients {
                    self.command(Command::Rcpt, record, None);
                }
                match group.end {
                    End::Data => self.command(Command::Data, record, None),
                    End::Bdat => {
                        self.command(Command::Bdat, record, None);
                        self.open_text(seen, true);
                    }
                    End::Nothing => {}
                }
                if group.quit {
                    self.command(Command::Quit, record, None);
                }
            }
            Taken::Text => {
                if let Some(mail) = self.reading.mails.last_mut() {
                    if mail.pieces == 0 {
                        self.lines = 0;
                    }
                    self.reading.ways.block(seen.block);
                    // Before a dot line alone stands what is left of the message, of any length.
                    if mail.pieces > 0 && seen.length.max > DOT_ALONE {
                        self.reading.ways.block(Some(self.last));
                    }
                    mail.text = mail.text.plus(seen.length);
                    mail.pieces += seen.count;
                    mail.records.push(record);
                }
                self.last = seen.last;
                if let Some(mail) = self.reading.mails.last_mut() {
                    mail.last = seen.last;
                }
                if seen.count == 1 && seen.length.min < 200
                    || seen.count > 1 && seen.length.max < seen.count as i32 * 140
                {
                    self.lines += seen.count;
                }
            }
            Taken::Replies { commands, refused, recipients, first, outcome, surety } => {
                if self.waiting.is_empty() {
                    // What was not a command of its own: the end of the message, and QUIT behind it.
                    let index = self.reading.mails.len().saturating_sub(1);
                    match first {
                        Command::Body => self.text_ended(index, commands),
                        Command::Quit => self.quit_inside(index),
                        _ => {}
                    }
                    self.waiting.push((first, index, 0));
                }
                if first == Command::Bdat && self.waiting.len() == 1 && commands > 1 {
                    let index = self.reading.mails.len().saturating_sub(1);
                    self.quit_inside(index);
                }
                self.replies(record, seen, Told { commands, refused, recipients, outcome, surety });
            }
            Taken::More | Taken::Unasked => {}
        }
    }

    fn open_text(&mut self, seen: &Record, shared: bool) {
        if let Some(mail) = self.reading.mails.last_mut() {
            mail.text = seen.length;
            mail.pieces = seen.count;
            mail.shared = shared;
        }
    }

    fn command(&mut self, command: Command, record: u32, length: Option<Range>) {
        let (mut transaction, mut recipient) = (0, 0);
        match command {
            Command::Mail => {
                self.reading.mails.push(Mail {
                    after_mail: length.map(|l| l.less_octets(14)),
                    records: vec![record],
                    ..Mail::default()
                });
            }
            Command::Rcpt => {
                if let Some(mail) = self.reading.mails.last_mut() {
                    mail.recipients.push(Rcpt { after: length.map(|l| l.less_octets(12)), ..Rcpt::default() });
                    mail.records.push(record);
                    recipient = mail.recipients.len() - 1;
                }
            }
            Command::Bdat => {
                if let (Some(length), Some(mail)) = (length, self.reading.mails.last_mut()) {
                    mail.text = mail.text.plus(length);
                    mail.chunks += 1;
                    mail.pieces += 1;
                    mail.records.push(record);
                }
            }
            Command::Auth(mechanism, said) => {
                // Of several attempts the one that succeeded counts, else the first.
                if said == 1 {
                    if self.reading.login.as_ref().is_some_and(|login| login.succeeded != Some(true)) {
                        self.reading.first_login = self.reading.first_login.take().or(self.reading.login.take());
                    }
                    self.reading.login =
                        Some(LoginRead { mechanism, succeeded: None, lines: Vec::new(), records: Vec::new() });
                }
                if let Some(login) = &mut self.reading.login {
                    login.lines.extend(length);
                    login.records.push(record);
                }
            }
            Command::Quit => self.reading.quit = true,
            _ => {}
        }
        transaction = self.reading.mails.len().saturating_sub(1).max(transaction);
        self.waiting.push((command, transaction, recipient));
    }

    fn replies(&mut self, record: u32, seen: &Record, told: Told) {
        let Told { commands, refused, recipients, outcome, surety } = told;
        let alone = commands == 1;
        for nth in 0..usize::from(commands) {
            if self.waiting.is_empty() {
                break;
            }
            let (command, transaction, recipient) = self.waiting.remove(0);
            let last = nth + 1 == usize::from(commands);
            let mail = self.reading.mails.get_mut(transaction);
            match command {
                Command::Mail => {
                    if let Some(mail) = mail {
                        mail.mail_reply = (alone && outcome == Outcome::Yes).then_some(seen.length);
                        mail.records.push(record);
                    }
                }
                Command::Rcpt => {
                    if let Some(rcpt) = mail.and_then(|mail| mail.recipients.get_mut(recipient)) {
                        rcpt.accepted = match refused {
                            0 => Some(true),
                            all if all == recipients => Some(false),
                            // The one that was refused is the last: the server sends a refusal at once.
                            1 if outcome == Outcome::No => Some(!last),
                            _ => None,
                        };
                        rcpt.surety = f64::from(surety) / 100.0;
                        rcpt.reply = alone.then_some(seen.length);
                    }
                }
                Command::Data => {
                    if let Some(mail) = mail
                        && !(last && outcome == Outcome::No)
                    {
                        mail.bdat = Some(false);
                    }
                }
                Command::Body => {
                    if let Some(mail) = mail {
                        mail.accepted = Some(!(last && outcome == Outcome::No));
                        mail.records.push(record);
                    }
                }
                Command::Bdat => {
                    if let Some(mail) = mail {
                        mail.bdat = Some(true);
                        mail.accepted = Some(!(last && outcome == Outcome::No));
                        mail.records.push(record);
                    }
                }
                Command::Auth(..) => {
                    if let Some(login) = &mut self.reading.login {
                        login.records.push(record);
                        match outcome {
                            Outcome::Yes => login.succeeded = Some(true),
                            Outcome::No => login.succeeded = Some(false),
                            Outcome::Continue => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn text_ended(&mut self, index: usize, commands: u16) {
        // A padded record does not show whether the dot line, or one line, is all that it holds.
        if self.last.width() <= BLOCK {
            self.ways_of_text();
        }
        self.lines = 0;
        if commands > 1 {
            self.quit_inside(index);
        }
    }

    /// How the message that is over was written.
    fn ways_of_text(&mut self) {
        let ways = &mut self.reading.ways;
        // With or without the line end before it.
        if (self.last.contains(3) || self.last.contains(5)) && self.last.max < 30 {
            ways.dots_alone += 1;
        } else {
            ways.dots_with += 1;
        }
        let pieces = self.reading.mails.last().map_or(0, |mail| mail.pieces);
        if pieces >= 4 && self.lines * 10 > pieces * 6 {
            ways.by_line += 1;
        }
    }

    fn quit_inside(&mut self, index: usize) {
        self.reading.quit = true;
        if let Some(mail) = self.reading.mails.get_mut(index) {
            mail.quit_inside = true;
        }
    }
}

/// Words for what a record was taken for.
pub(super) fn words(taken: Taken, seen: &Record) -> String {
    let octets = |range: Range, less: i32| {
        let range = range.less_octets(less);
        if range.min == range.max {
            count(range.min)
        } else {
            format!("{}-{} octets", range.min.max(0), range.max.max(0))
        }
    };
    match taken {
        Taken::Command(command) => match command {
            Command::Connect => String::new(),
            Command::Ehlo => format!("EHLO <{}>", octets(seen.length, 7)),
            Command::Helo => format!("HELO <{}>", octets(seen.length, 7)),
            Command::Auth(mechanism, 1) => match mechanism {
                Mechanism::PlainInitial | Mechanism::LoginInitial | Mechanism::Xoauth2Initial => {
                    format!("AUTH {} with its initial response", mechanism.name())
                }
                _ => format!("AUTH {}", mechanism.name()),
            },
            Command::Auth(mechanism, line) => match (mechanism, line) {
                (Mechanism::Login, 2) => "user name, in base64".to_owned(),
                (Mechanism::Login, _) | (Mechanism::LoginInitial, _) => "password, in base64".to_owned(),
                _ => format!("answer of AUTH {}, in base64", mechanism.name()),
            },
            Command::Mail => format!("MAIL FROM:<{} with parameters>", octets(seen.length, 14)),
            Command::Rcpt => format!("RCPT TO:<{}>", octets(seen.length, 12)),
            Command::Data => "DATA".to_owned(),
            Command::Body => "message".to_owned(),
            Command::Bdat => "BDAT and its chunk".to_owned(),
            Command::Rset => "RSET".to_owned(),
            Command::Noop => "NOOP".to_owned(),
            Command::Ask => "VRFY or another question".to_owned(),
            Command::Cancel => "*, which gives the login up".to_owned(),
            Command::Quit => "QUIT".to_owned(),
        },
        Taken::Group(group) => {
            let mut parts = Vec::new();
            if group.mail {
                parts.push("MAIL".to_owned());
            }
            parts.push(match group.recipients {
                1 => "RCPT".to_owned(),
                n => format!("{n} × RCPT"),
            });
            match group.end {
                End::Data => parts.push("DATA".to_owned()),
                End::Bdat => parts.push("BDAT and its chunk".to_owned()),
                End::Nothing => {}
            }
            if group.quit {
                parts.push("QUIT".to_owned());
            }
            parts.join(", ")
        }
        Taken::Text => "message".to_owned(),
        Taken::Replies { commands: 1, first, outcome, .. } => reply_words(first, outcome),
        Taken::Replies { commands, refused: 0, .. } => format!("{commands} replies"),
        Taken::Replies { commands, refused, recipients, .. } => {
            format!("{commands} replies, {refused} of {recipients} recipients refused")
        }
        Taken::More => "more of the reply".to_owned(),
        Taken::Unasked if seen.client || seen.length.contains(2) => "an alert, it seems".to_owned(),
        Taken::Unasked => "a reply to nothing".to_owned(),
    }
}

fn reply_words(command: Command, outcome: Outcome) -> String {
    let text = match (command, outcome) {
        (Command::Connect, _) => "220 greeting",
        (Command::Ehlo, _) => "250 capabilities",
        (Command::Helo, _) => "250 hello",
        (Command::Auth(..), Outcome::Yes) => "235 login accepted",
        (Command::Auth(..), Outcome::No) => "535 login refused",
        (Command::Auth(..), Outcome::Continue) => "334 go on with the login",
        (Command::Mail, Outcome::No) => "5xx sender refused",
        (Command::Mail, _) => "250 sender accepted",
        (Command::Rcpt, Outcome::No) => "550 recipient refused",
        (Command::Rcpt, _) => "250 recipient accepted",
        (Command::Data, Outcome::No) => "554 no message wanted",
        (Command::Data, _) => "354 send the message",
        (Command::Body, Outcome::No) => "554 message refused",
        (Command::Body, _) => "250 message accepted",
        (Command::Bdat, Outcome::No) => "554 chunk refused",
        (Command::Bdat, _) => "250 chunk accepted",
        (Command::Rset, _) => "250 reset",
        (Command::Noop, _) => "250 reply to NOOP",
        (Command::Ask, _) => "reply to a question",
        (Command::Cancel, _) => "5xx no login to give up",
        (Command::Quit, _) => "221 closing",
    };
    text.to_owned()
}

fn count(octets: i32) -> String {
    let octets = octets.max(0);
    if octets == 1 { "1 octet".to_owned() } else { format!("{octets} octets") }
}
