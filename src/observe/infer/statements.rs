//! From readings to statements: what they agree in, with the share of their weight.

use super::search::{End, Found, Token, Unit};
use super::templates::Server;
use super::token::{Command, MECHANISMS, Replied, Reply, Said, Shape, Tail};
use super::{Auth, Inference, Message, Octets, Recipient, Sealed, Software, Step, Transfer, clients, lengths, words};

/// What the readings that were found say together.
pub(super) fn of(sealed: &Sealed<'_>, found: &Found) -> Inference {
    let mut inference =
        Inference { undecided: found.cut.iter().map(|why| (*why).to_owned()).collect(), ..Inference::default() };
    let Some(best) = found.ends.first() else { return inference };
    if found.sense < LEAST_SENSE {
        inference.undecided.push("the lengths do not read as SMTP".to_owned());
        return inference;
    }
    let told: Vec<(f64, Told)> =
        found.ends.iter().filter(|end| end.weight > LEAST_WEIGHT).map(|end| (end.weight, tell(found, end))).collect();
    let Some((_, first)) = told.first() else { return inference };
    let share = |agrees: &dyn Fn(&Told) -> bool| told.iter().filter(|(_, t)| agrees(t)).map(|(w, _)| *w).sum::<f64>();

    let client = clients::recognise(sealed, found, first);
    for (n, message) in first.messages.iter().enumerate() {
        let same = |t: &Told| {
            t.messages.len() == first.messages.len()
                && t.messages.get(n).is_some_and(|other| {
                    other.recipients.len() == message.recipients.len()
                        && other.transfer == message.transfer
                        && other.size == message.size
                        && other.accepted == message.accepted
                })
        };
        let confidence = share(&same);
        let recipients = message
            .recipients
            .iter()
            .enumerate()
            .map(|(k, recipient)| {
                let one = |t: &Told| {
                    t.messages
                        .get(n)
                        .and_then(|m| m.recipients.get(k))
                        .is_some_and(|other| other.accepted == recipient.accepted && other.line == recipient.line)
                };
                Recipient {
                    address_length: recipient.line.map(|line| line.less(12)),
                    accepted: recipient.accepted,
                    confidence: share(&|t| t.messages.len() == first.messages.len() && one(t)),
                    step: recipient.unit,
                }
            })
            .collect();
        inference.messages.push(Message {
            sender_length: sender(message, best.server, &client, sealed),
            recipients,
            transfer: message.transfer,
            size: message.size,
            accepted: message.accepted,
            confidence,
            determined: Vec::new(),
            steps: (message.first, message.last),
        });
    }
    if let Some(auth) = &first.auth {
        let same = |t: &Told| t.auth.as_ref().is_some_and(|other| other.claims() == auth.claims());
        inference.auth = Some(auth.stated(share(&same)));
    }
    let quit = share(&|t| t.quit == first.quit);
    inference.quit = (quit >= STATED && found.cut.is_none() && sealed.closed).then_some(first.quit);
    inference.server = software(found);
    inference.client =
        client.filter(|(_, confidence)| *confidence >= 0.5).map(|(name, confidence)| Software { name, confidence });
    inference.steps = steps(found, &told, best.server);
    inference
}

/// What one reading tells.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub messages: Vec<ToldMessage>,
    pub auth: Option<ToldAuth>,
    pub quit: bool,
    tokens: Vec<Token>,
}

#[derive(Debug)]
pub(super) struct ToldMessage {
    /// Octets of the MAIL command, where it has a record of its own.
    pub mail: Option<Octets>,
    /// Octets of the reply to it, likewise.
    pub mail_reply: Option<Octets>,
    pub recipients: Vec<ToldRecipient>,
    pub transfer: Option<Transfer>,
    pub size: Option<Octets>,
    pub accepted: Option<bool>,
    /// The records that its text stands in: the first unit and the last.
    pub body: Option<(usize, usize)>,
    pub first: usize,
    pub last: usize,
    octets: Option<Octets>,
}

#[derive(Debug)]
pub(super) struct ToldRecipient {
    pub line: Option<Octets>,
    pub accepted: Option<bool>,
    pub unit: usize,
}

#[derive(Debug)]
pub(super) struct ToldAuth {
    mechanism: usize,
    initial: bool,
    succeeded: Option<bool>,
    command: Octets,
    answers: Vec<Octets>,
    first: usize,
    last: usize,
}

/// A command that waits, and what it belongs to.
type Open = (Command, usize);

/// Goes through a reading from the beginning, as the search did.
fn tell(found: &Found, end: &End) -> Told {
    let mut told = Told { tokens: found.tokens(end), ..Told::default() };
    let mut waiting: std::collections::VecDeque<Open> = [(Command::Greeting, 0)].into();
    if found.units.first().is_some_and(|unit| unit.client) {
        waiting.clear();
    }
    let tokens = told.tokens.clone();
    for (n, (token, unit)) in tokens.iter().zip(&found.units).enumerate() {
        match token {
            Token::Said(said) => told.client(*said, n, unit, &mut waiting),
            Token::Replied(replied) => told.server(*replied, n, unit, &mut waiting),
        }
    }
    told
}

impl Told {
    fn client(&mut self, said: Said, n: usize, unit: &Unit, waiting: &mut std::collections::VecDeque<Open>) {
        let length = unit.length;
        match said {
            Said::Hello => waiting.push_back((Command::Hello, 0)),
            Said::Auth(place, initial) => {
                self.auth = Some(ToldAuth {
                    mechanism: usize::from(place),
                    initial,
                    succeeded: None,
                    command: length,
                    answers: Vec::new(),
                    first: n,
                    last: n,
                });
                waiting.push_back((Command::Auth, 0));
            }
            Said::Answer => {
                if let Some(auth) = &mut self.auth {
                    auth.answers.push(length);
                    auth.last = n;
                }
                waiting.push_back((Command::Answer, 0));
            }
            Said::Mail => {
                self.begin(Some(length), n);
                waiting.push_back((Command::Mail, 0));
            }
            Said::Rcpt => self.recipient(Some(length), n, waiting),
            Said::Data => waiting.push_back((Command::Data, 0)),
            Said::Body => self.body(length, n, Transfer::Data),
            Said::BodyQuit => {
                self.body(length.less(6), n, Transfer::Data);
                self.end_of_body(n, waiting);
                self.bye(waiting);
            }
            Said::Chunk => self.body(length, n, Transfer::Bdat),
            Said::ChunkQuit => {
                self.body(length.less(6), n, Transfer::Bdat);
                self.end_of_body(n, waiting);
                self.bye(waiting);
            }
            Said::Reset => waiting.push_back((Command::Reset, 0)),
            Said::Noop => waiting.push_back((Command::Noop, 0)),
            Said::Quit => {
                self.end_of_body(n, waiting);
                self.bye(waiting);
            }
            Said::Other => waiting.push_back((Command::Other, 0)),
            Said::Group { mail, recipients, tail } => {
                if mail {
                    self.begin(None, n);
                    waiting.push_back((Command::Mail, 0));
                }
                for _ in 0..recipients {
                    self.recipient(None, n, waiting);
                }
                match tail {
                    Tail::Nothing => {}
                    Tail::Data => waiting.push_back((Command::Data, 0)),
                    Tail::Chunk | Tail::ChunkQuit => {
                        if let Some(message) = self.messages.last_mut() {
                            message.transfer = Some(Transfer::Bdat);
                            message.last = n;
                            message.body = Some((n, n));
                        }
                        waiting.push_back((Command::Chunk, 0));
                        if tail == Tail::ChunkQuit {
                            self.bye(waiting);
                        }
                    }
                }
            }
        }
    }

    fn server(&mut self, replied: Replied, n: usize, unit: &Unit, waiting: &mut std::collections::VecDeque<Open>) {
        if matches!(replied, Replied::More | Replied::Unasked) {
            return;
        }
        if self.open_body() {
            self.end_of_body(n, waiting);
        }
        match replied {
            Replied::One(reply) => {
                let Some((command, which)) = waiting.pop_front() else { return };
                if command == Command::Mail
                    && let Some(message) = self.messages.last_mut()
                {
                    message.mail_reply = Some(unit.length);
                }
                self.settle(reply, command, which, n);
            }
            Replied::Many { commands, refused, last } => {
                let answered: Vec<Open> = (0..commands).filter_map(|_| waiting.pop_front()).collect();
                let recipients = answered.iter().filter(|(command, _)| *command == Command::Rcpt).count();
                for (place, (command, which)) in answered.iter().enumerate() {
                    if *command == Command::Rcpt {
                        let accepted = match usize::from(refused) {
                            0 => Some(true),
                            all if all == recipients => Some(false),
                            _ => None,
                        };
                        if let Some(recipient) = self.messages.last_mut().and_then(|m| m.recipients.get_mut(*which)) {
                            recipient.accepted = accepted;
                        }
                    } else if place + 1 == answered.len()
                        && let Some(reply) = last
                    {
                        self.settle(reply, *command, *which, n);
                    } else if *command == Command::Chunk || *command == Command::EndOfData {
                        self.settle(Reply::Queued, *command, *which, n);
                    }
                }
            }
            Replied::More | Replied::Unasked => {}
        }
    }

    fn settle(&mut self, reply: Reply, command: Command, which: usize, n: usize) {
        match (command, reply) {
            (Command::Auth | Command::Answer, Reply::Auth | Reply::AuthNo) => {
                if let Some(auth) = &mut self.auth {
                    auth.succeeded = Some(reply == Reply::Auth);
                    auth.last = n;
                }
            }
            (Command::Rcpt, _) => {
                if let Some(recipient) = self.messages.last_mut().and_then(|m| m.recipients.get_mut(which)) {
                    recipient.accepted = Some(reply == Reply::Rcpt);
                }
            }
            (Command::Data, Reply::Data) => {
                if let Some(message) = self.messages.last_mut() {
                    message.transfer = Some(Transfer::Data);
                }
            }
            (Command::EndOfData | Command::Chunk, _) => {
                if let Some(message) = self.messages.last_mut() {
                    message.accepted = Some(matches!(reply, Reply::Queued | Reply::Chunk));
                    message.last = n;
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, mail: Option<Octets>, n: usize) {
        self.messages.push(ToldMessage {
            mail,
            mail_reply: None,
            recipients: Vec::new(),
            transfer: None,
            size: None,
            accepted: None,
            body: None,
            first: n,
            last: n,
            octets: None,
        });
    }

    fn recipient(&mut self, line: Option<Octets>, unit: usize, waiting: &mut std::collections::VecDeque<Open>) {
        let Some(message) = self.messages.last_mut() else { return };
        waiting.push_back((Command::Rcpt, message.recipients.len()));
        message.recipients.push(ToldRecipient { line, accepted: None, unit });
        message.last = unit;
    }

    fn body(&mut self, length: Octets, n: usize, transfer: Transfer) {
        let Some(message) = self.messages.last_mut() else { return };
        message.octets = Some(message.octets.map_or(length, |octets| octets.plus(length)));
        message.transfer = Some(transfer);
        message.body = Some((message.body.map_or(n, |(first, _)| first), n));
        message.last = n;
    }

    fn open_body(&self) -> bool {
        self.messages.last().is_some_and(|message| message.octets.is_some() && message.size.is_none())
    }

    fn end_of_body(&mut self, n: usize, waiting: &mut std::collections::VecDeque<Open>) {
        if !self.open_body() {
            return;
        }
        let Some(message) = self.messages.last_mut() else { return };
        let Some(octets) = message.octets else { return };
        message.last = n;
        let command = match message.transfer {
            Some(Transfer::Bdat) => {
                message.size = Some(chunk(octets));
                Command::Chunk
            }
            _ => {
                // Behind the text stands the line of one dot.
                message.size = Some(octets.less(3));
                Command::EndOfData
            }
        };
        waiting.push_back((command, 0));
    }

    fn bye(&mut self, waiting: &mut std::collections::VecDeque<Open>) {
        self.quit = true;
        waiting.push_back((Command::Quit, 0));
    }
}

impl ToldAuth {
    fn claims(&self) -> (usize, Option<bool>, Octets, &[Octets]) {
        (self.mechanism, self.succeeded, self.command, &self.answers)
    }

    fn stated(&self, confidence: f64) -> Auth {
        let mechanism = &MECHANISMS[self.mechanism];
        let initial =
            self.initial.then(|| lengths::base64_octets(self.command, 8 + mechanism.name.len() as u64)).flatten();
        let said: Vec<Option<Octets>> = self
            .initial
            .then_some(initial)
            .into_iter()
            .chain(self.answers.iter().map(|line| lengths::base64_octets(*line, 2)))
            .collect();
        let nth = |n: usize| said.get(n).copied().flatten();
        let mut auth = Auth {
            mechanism: Some(mechanism.name),
            succeeded: self.succeeded,
            username_length: None,
            password_length: None,
            credential_length: None,
            confidence,
            determined: Vec::new(),
            steps: (self.first, self.last),
        };
        match mechanism.shape {
            // The two separators of PLAIN apart (RFC 4616 §2).
            Shape::Both => auth.credential_length = nth(0).map(|octets| octets.less(2)),
            Shape::Apart => (auth.username_length, auth.password_length) = (nth(0), nth(1)),
            Shape::Digest => auth.username_length = nth(0).map(|octets| octets.less(33)),
            Shape::Token | Shape::Opaque => {}
        }
        auth
    }
}

/// The octets of a chunk that makes, with its `BDAT n LAST`, so many in all (RFC 3030 §2).
fn chunk(total: Octets) -> Octets {
    let one = |total: u64| {
        (1..=12).find_map(|digits| {
            let octets = total.checked_sub(12 + digits)?;
            (octets.max(1).ilog10() as u64 + 1 == digits).then_some(octets)
        })
    };
    let max = one(total.max).or_else(|| one(total.max.saturating_sub(1))).unwrap_or(0);
    let min = one(total.min).or_else(|| one(total.min + 1)).unwrap_or(0).min(max);
    Octets { min, max }
}

/// The sender's length: the command less what its parameters take, or what the server repeats.
fn sender(
    message: &ToldMessage,
    server: Option<&Server>,
    client: &Option<(&'static str, f64)>,
    sealed: &Sealed<'_>,
) -> Option<Octets> {
    let line = message.mail?;
    if let (Some(server), Some(reply)) = (server, message.mail_reply)
        && let Some(address) = server.replies(Reply::Mail).iter().find_map(|pattern| pattern.address(reply))
        && address.max + 14 <= line.max
    {
        return Some(address);
    }
    clients::sender(line, message, client, sealed)
}

/// The server's family, if one stands out.
fn software(found: &Found) -> Option<Software> {
    let mut names: Vec<(&'static str, f64)> = Vec::new();
    for end in &found.ends {
        let Some(server) = end.server else { continue };
        match names.iter_mut().find(|(name, _)| *name == server.name) {
            Some((_, weight)) => *weight += end.weight,
            None => names.push((server.name, end.weight)),
        }
    }
    let (name, confidence) = names.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    (confidence >= 0.5).then_some(Software { name, confidence })
}

/// Each unit with its reading.
fn steps(found: &Found, told: &[(f64, Told)], server: Option<&Server>) -> Vec<Step> {
    let Some((_, first)) = told.first() else { return Vec::new() };
    found
        .units
        .iter()
        .enumerate()
        .map(|(n, unit)| {
            let token = first.tokens.get(n);
            let alike = |t: &Told| match (t.tokens.get(n), token) {
                (Some(Token::Said(a)), Some(Token::Said(b))) => a == b,
                (Some(Token::Replied(a)), Some(Token::Replied(b))) => a == b,
                _ => false,
            };
            let confidence = told.iter().filter(|(_, t)| alike(t)).map(|(w, _)| *w).sum();
            Step {
                record: unit.record,
                records: unit.records,
                direction: unit.direction,
                length: unit.length,
                reading: token.map_or(String::new(), |token| words::reading(*token, unit.length, server)),
                confidence,
            }
        })
        .collect()
}

/// Readings of less weight than this change nothing that is stated.
const LEAST_WEIGHT: f64 = 1e-5;

/// A reading has to explain the lengths better than chance, by this much.
const LEAST_SENSE: f64 = 0.0;

/// From here on a claim counts as stated.
pub(super) const STATED: f64 = 0.9;
