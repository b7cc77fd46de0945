//! The readings of a sealed dialogue: a search over what each record can hold.
//!
//! Records are taken in the order in which they passed. A [`Reading`] is a state of the dialogue –
//! what waits for a reply, what is open, what this server's replies are like – with the logarithm
//! of its probability; each record makes several of one, and the likely ones are kept. What a
//! reading said of the records before stands in a tree of nodes that readings share.

use std::rc::Rc;

use super::lengths::{self, ADDRESS, CREDENTIALS, GREETING_NAME, LogP, NEVER, PASSWORD, USER_NAME};
use super::replies::Habits;
use super::templates::{self, Server};
use super::token::{Command, MECHANISMS, Mechanism, Replied, Reply, Said, Shape, Tail};
use super::{Octets, Sealed, calibration};
use crate::limits::{INFERENCE_READINGS, INFERENCE_TRIALS, INFERENCE_UNITS};
use crate::stream::Direction;

/// A record that carries part of the dialogue, or a run of records in the middle of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    /// The first record's index in the trace.
    pub record: usize,
    /// How many records.
    pub records: usize,
    /// The client sent it.
    pub client: bool,
    /// Who sent it.
    pub direction: Direction,
    /// Octets of text.
    pub length: Octets,
}

/// What was found: the readings that are left at the end.
#[derive(Debug)]
pub(super) struct Found {
    /// What was read, in order.
    pub units: Vec<Unit>,
    /// The readings, the likeliest first; their weights add up to one.
    pub ends: Vec<End>,
    /// Why the search ended before the last record.
    pub cut: Option<&'static str>,
    /// How much likelier the best reading is than lengths without meaning, in all.
    pub sense: LogP,
    nodes: Vec<Node>,
}

/// A reading of all records.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// Its share of all readings that are left.
    pub weight: f64,
    /// The server of the table that it supposes.
    pub server: Option<&'static Server>,
    last: u32,
}

/// What a reading says of one unit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Token {
    /// Words of the client.
    Said(Said),
    /// Words of the server.
    Replied(Replied),
}

impl Found {
    /// What a reading says of each unit, in order.
    pub(super) fn tokens(&self, end: &End) -> Vec<Token> {
        let mut tokens = Vec::with_capacity(self.units.len());
        let mut at = end.last;
        while let Some(node) = self.nodes.get(at as usize) {
            tokens.push(node.token);
            at = node.before;
        }
        tokens.reverse();
        tokens
    }
}

#[derive(Clone, Copy, Debug)]
struct Node {
    before: u32,
    token: Token,
}

/// A command whose reply has not come.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    command: Command,
    /// Octets of its line, where it has a record of its own.
    line: Option<Octets>,
}

/// What the client may say next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// EHLO.
    Start,
    /// AUTH, MAIL, QUIT.
    Ready,
    /// A line of a SASL exchange: the mechanism's place, lines still to come, lines said.
    Sasl { mechanism: u8, left: u8, said: u8 },
    /// RCPT, DATA, BDAT.
    Mail,
    /// Text of a message, so many octets so far.
    Body { octets: Octets, records: u32 },
    /// Octets of a chunk, BDAT included.
    Chunk { octets: Octets },
    /// Nothing.
    Gone,
}

/// One reading, up to some record.
#[derive(Clone, Debug)]
struct Reading {
    log: LogP,
    habits: Rc<Habits>,
    state: State,
    waiting: Vec<Waiting>,
    last: u32,
    /// RCPT said, taken and refused in the transaction that is open.
    said: u16,
    taken: u16,
    refused: u16,
    /// DATA was refused in it.
    data_refused: bool,
    messages: u16,
    authenticated: Option<bool>,
    after_reset: bool,
    /// Has been seen to speak without waiting, and to put several commands into a record.
    pipelines: bool,
    groups: bool,
    /// The reply before was to EHLO, or another that can have many lines.
    many_lines: bool,
}

/// Looks for the readings of a sealed dialogue.
pub(super) fn search(sealed: &Sealed<'_>) -> Found {
    let (units, mut cut) = units(sealed);
    let mut run = Run { sealed, servers: templates::servers(), nodes: Vec::new(), trials: 0 };
    let mut readings = run.beginnings();
    let mut sense = 0.0;
    let mut reached = 0;
    for unit in &units {
        let mut next: Vec<(Reading, Token)> = Vec::new();
        for reading in &readings {
            run.trials += 1;
            if unit.client { run.client(reading, unit, &mut next) } else { run.server(reading, unit, &mut next) }
        }
        run.trials += next.len() as u64;
        if run.trials > INFERENCE_TRIALS {
            cut = Some("the session is too long or too ambiguous to be read to its end");
            break;
        }
        let kept = best(next);
        if kept.is_empty() {
            cut = Some("a record fits nothing that SMTP allows there");
            break;
        }
        readings = kept
            .into_iter()
            .map(|(mut reading, token)| {
                let before = reading.last;
                reading.last = u32::try_from(run.nodes.len()).unwrap_or(u32::MAX);
                run.nodes.push(Node { before, token });
                reading
            })
            .collect();
        sense -= lengths::even(unit.length, 1);
        reached += 1;
    }
    let finished = cut.is_none() && sealed.closed;
    for reading in &mut readings {
        reading.log += ending(reading, finished);
    }
    readings.sort_by(|a, b| b.log.total_cmp(&a.log));
    let top = readings.first().map_or(0.0, |reading| reading.log);
    let total: f64 = readings.iter().map(|reading| (reading.log - top).exp()).sum();
    let ends = readings
        .iter()
        .map(|reading| End {
            weight: (reading.log - top).exp() / total,
            server: reading.habits.server.and_then(|n| run.servers.get(usize::from(n))),
            last: reading.last,
        })
        .collect();
    Found { units: units[..reached].to_vec(), ends, cut, sense: sense + top, nodes: run.nodes }
}

/// The records of the dialogue as units, up to a gap.
fn units(sealed: &Sealed<'_>) -> (Vec<Unit>, Option<&'static str>) {
    let dialogue = calibration::dialogue(sealed.trace, sealed.client, sealed.server_first);
    let mut cut = None;
    let mut units: Vec<Unit> = Vec::new();
    let mut rest = &dialogue[..];
    while let Some((_, first)) = rest.first() {
        let run = rest.iter().take_while(|(_, record)| record.direction == first.direction).count();
        let (records, behind) = rest.split_at(run);
        rest = behind;
        let bulk = if run > RUN_HEAD + RUN_TAIL { RUN_HEAD..run - RUN_TAIL } else { 0..0 };
        for (n, (index, record)) in records.iter().enumerate() {
            if record.after_gap {
                return (units, Some("octets are missing from the capture: what was said after that cannot be told"));
            }
            let Some(plaintext) = record.plaintext else {
                return (units, Some("the length of a record does not fit its cipher suite"));
            };
            let length = Octets { min: u64::from(plaintext.min), max: u64::from(plaintext.max) };
            if bulk.contains(&n)
                && n > bulk.start
                && let Some(unit) = units.last_mut()
            {
                unit.length = unit.length.plus(length);
                unit.records += 1;
                continue;
            }
            if units.len() == INFERENCE_UNITS {
                return (units, Some("the session has more records than are read"));
            }
            units.push(Unit {
                record: *index,
                records: 1,
                client: record.direction == sealed.client,
                direction: record.direction,
                length,
            });
        }
    }
    if Direction::BOTH.iter().any(|direction| sealed.trace.beyond(*direction).records > 0) {
        cut = Some("the session has more records than are kept");
    }
    (units, cut)
}

/// The likely ones of many readings, the likeliest first.
fn best(mut next: Vec<(Reading, Token)>) -> Vec<(Reading, Token)> {
    next.retain(|(reading, _)| reading.log > NEVER / 2.0);
    next.sort_by(|(a, _), (b, _)| b.log.total_cmp(&a.log));
    let top = next.first().map_or(0.0, |(reading, _)| reading.log);
    next.truncate(INFERENCE_READINGS);
    next.retain(|(reading, _)| reading.log > top - GIVE_UP);
    next
}

/// How likely it is that the dialogue ends where the records do.
fn ending(reading: &Reading, finished: bool) -> LogP {
    if !finished {
        return 0.0;
    }
    let open = match reading.state {
        State::Gone => 0.0,
        State::Body { .. } | State::Chunk { .. } | State::Sasl { .. } => -3.0,
        State::Mail if reading.refused < reading.said => -2.5,
        State::Mail => -1.5,
        State::Start => -4.0,
        State::Ready => -1.2,
    };
    // QUIT is often not answered any more.
    let unanswered = reading.waiting.iter().filter(|waiting| waiting.command != Command::Quit).count();
    open - 2.0 * unanswered as f64
}

struct Run<'a> {
    sealed: &'a Sealed<'a>,
    servers: &'static [Server],
    nodes: Vec<Node>,
    trials: u64,
}

impl Run<'_> {
    /// A reading for each server that may be meant, and one for a server that is not known.
    fn beginnings(&self) -> Vec<Reading> {
        let banner = self.sealed.clear.and_then(|clear| clear.banner);
        let fits = |server: &Server| banner.map(|banner| server.greets_with(banner));
        let known = self.servers.iter().filter(|server| fits(server) == Some(true)).count();
        let mut readings = Vec::new();
        for server in std::iter::once(None).chain((0..self.servers.len()).map(Some)) {
            let weight = match (server.map(|n| &self.servers[n]).and_then(fits), known) {
                (None, _) if server.is_none() => 0.25,
                (None, _) => 0.75 / self.servers.len() as f64,
                (Some(true), n) => 0.7 / n.max(1) as f64,
                (Some(false), 0) => 0.4 / self.servers.len() as f64,
                (Some(false), _) => 0.05 / self.servers.len() as f64,
            };
            let greeting = Waiting { command: Command::Greeting, line: None };
            readings.push(Reading {
                log: f64::ln(weight),
                habits: Rc::new(Habits::new(server.and_then(|n| u8::try_from(n).ok()))),
                state: State::Start,
                waiting: if self.sealed.server_first { vec![greeting] } else { Vec::new() },
                last: u32::MAX,
                said: 0,
                taken: 0,
                refused: 0,
                data_refused: false,
                messages: 0,
                authenticated: None,
                after_reset: false,
                pipelines: false,
                groups: false,
                many_lines: false,
            });
        }
        readings
    }

    /// What a record of the client can hold.
    fn client(&self, reading: &Reading, unit: &Unit, next: &mut Vec<(Reading, Token)>) {
        let length = unit.length;
        let mut say = |log: LogP, said: Said, change: &dyn Fn(&mut Reading)| {
            if log < -60.0 {
                return;
            }
            let mut child = reading.clone();
            child.log += log;
            child.many_lines = false;
            change(&mut child);
            next.push((child, Token::Said(said)));
        };
        let mut patience = 0.0;
        if let Some(last) = reading.waiting.last() {
            // RFC 2920 §3.1: these may be followed by others before their replies come.
            patience = match last.command {
                Command::Mail | Command::Rcpt | Command::Reset | Command::Chunk if reading.pipelines => -0.1,
                Command::Mail | Command::Rcpt | Command::Reset | Command::Chunk => -2.5,
                Command::EndOfData => -3.5,
                Command::Greeting | Command::Data => -8.0,
                _ => -7.0,
            };
        } else if reading.pipelines && reading.state == State::Mail {
            patience = -1.0;
        }
        let six = fixed(length, 6);
        let wait = |command: Command| Waiting { command, line: Some(length) };
        let pipelined = !reading.waiting.is_empty();
        let push = |child: &mut Reading, command: Command| {
            child.waiting.push(wait(command));
            child.pipelines |= pipelined;
        };
        match reading.state {
            State::Start => {
                say(patience + self.hello(length), Said::Hello, &|child| {
                    push(child, Command::Hello);
                    child.state = State::Ready;
                });
                say(patience - 6.0 + six, Said::Quit, &|child| {
                    push(child, Command::Quit);
                    child.state = State::Gone;
                });
            }
            State::Ready => {
                let prior = Priors::ready(reading);
                for (n, mechanism) in MECHANISMS.iter().enumerate() {
                    let place = u8::try_from(n).unwrap_or(u8::MAX);
                    for initial in [true, false] {
                        let log = patience + prior.auth + auth(mechanism, initial, length);
                        say(log, Said::Auth(place, initial), &|child| {
                            push(child, Command::Auth);
                            let left = mechanism.answers.saturating_sub(u8::from(initial));
                            child.state = State::Sasl { mechanism: place, left, said: u8::from(initial) };
                        });
                    }
                }
                let begin = |child: &mut Reading| {
                    child.state = State::Mail;
                    (child.said, child.taken, child.refused) = (0, 0, 0);
                    (child.data_refused, child.after_reset) = (false, false);
                };
                let alone = if reading.groups { -1.5 } else { -0.2 };
                say(patience + prior.mail + alone + mail(length), Said::Mail, &|child| {
                    push(child, Command::Mail);
                    begin(child);
                });
                let grouped = if reading.groups { -0.3 } else { -2.0 };
                self.groups(length, true, patience + prior.mail + grouped, &mut |log, said, recipients, tail| {
                    say(log, said, &|child| {
                        begin(child);
                        child.waiting.push(Waiting { command: Command::Mail, line: None });
                        enter_group(child, recipients, tail);
                    });
                });
                say(patience + prior.hello + self.hello(length), Said::Hello, &|child| push(child, Command::Hello));
                say(patience + prior.quit + six, Said::Quit, &|child| {
                    push(child, Command::Quit);
                    child.state = State::Gone;
                });
                say(patience + prior.reset + six, Said::Reset, &|child| {
                    push(child, Command::Reset);
                    child.after_reset = true;
                });
                say(patience + prior.noop + six, Said::Noop, &|child| push(child, Command::Noop));
                say(patience + prior.other + other(length), Said::Other, &|child| push(child, Command::Other));
            }
            State::Sasl { mechanism, left, said } if left > 0 => {
                let shape = MECHANISMS[usize::from(mechanism)].shape;
                say(patience + answer(shape, said, length), Said::Answer, &|child| {
                    push(child, Command::Answer);
                    child.state = State::Sasl { mechanism, left: left - 1, said: said + 1 };
                });
                // A line of one asterisk gives up (RFC 4954 §4).
                say(patience - 5.0 + fixed(length, 3), Said::Answer, &|child| {
                    push(child, Command::Answer);
                    child.state = State::Sasl { mechanism, left: 0, said };
                });
            }
            State::Sasl { .. } => {}
            State::Mail => {
                let prior = Priors::mail(reading);
                say(patience + prior.rcpt + rcpt(length), Said::Rcpt, &|child| {
                    push(child, Command::Rcpt);
                    child.said = child.said.saturating_add(1);
                });
                let grouped = if reading.groups { -1.0 } else { -4.0 };
                self.groups(length, false, patience + prior.rcpt + grouped, &mut |log, said, recipients, tail| {
                    say(log, said, &|child| enter_group(child, recipients, tail));
                });
                say(patience + prior.data + six, Said::Data, &|child| push(child, Command::Data));
                let chunk = length.max >= 12;
                if chunk {
                    let log = patience + prior.chunk + lengths::even(length, 10);
                    say(log, Said::Chunk, &|child| {
                        child.state = State::Chunk { octets: length };
                        child.pipelines |= pipelined;
                    });
                    let log = patience + prior.chunk - 2.0 + lengths::even(length, 16);
                    say(log, Said::ChunkQuit, &|child| {
                        child.waiting.push(wait(Command::Chunk));
                        child.waiting.push(Waiting { command: Command::Quit, line: None });
                        child.messages += 1;
                        child.state = State::Gone;
                    });
                }
                say(patience + prior.reset + six, Said::Reset, &|child| {
                    push(child, Command::Reset);
                    child.state = State::Ready;
                    child.after_reset = true;
                });
                say(patience + prior.quit + six, Said::Quit, &|child| {
                    push(child, Command::Quit);
                    child.state = State::Gone;
                });
                say(patience + prior.noop + six, Said::Noop, &|child| push(child, Command::Noop));
                say(patience + prior.other + other(length), Said::Other, &|child| push(child, Command::Other));
            }
            State::Body { octets, records } => {
                let more = lengths::even(length, 1);
                let records = records + u32::try_from(unit.records).unwrap_or(u32::MAX);
                say(more - 0.1, Said::Body, &|child| {
                    child.state = State::Body { octets: octets.plus(length), records };
                });
                if octets.max + length.max >= 9 {
                    say(more - 3.2, Said::BodyQuit, &|child| {
                        child.waiting.push(Waiting { command: Command::EndOfData, line: None });
                        child.waiting.push(Waiting { command: Command::Quit, line: None });
                        child.messages += 1;
                        child.state = State::Gone;
                    });
                }
                if records > 1 && octets.max >= 3 {
                    say(-3.5 + six, Said::Quit, &|child| {
                        child.waiting.push(Waiting { command: Command::EndOfData, line: None });
                        child.waiting.push(wait(Command::Quit));
                        child.messages += 1;
                        child.state = State::Gone;
                    });
                }
            }
            State::Chunk { octets } => {
                let more = lengths::even(length, 1);
                say(more - 0.1, Said::Chunk, &|child| child.state = State::Chunk { octets: octets.plus(length) });
                say(more - 3.0, Said::ChunkQuit, &|child| {
                    child.waiting.push(Waiting { command: Command::Chunk, line: None });
                    child.waiting.push(Waiting { command: Command::Quit, line: None });
                    child.messages += 1;
                    child.state = State::Gone;
                });
                say(-3.5 + six, Said::Quit, &|child| {
                    child.waiting.push(Waiting { command: Command::Chunk, line: None });
                    child.waiting.push(wait(Command::Quit));
                    child.messages += 1;
                    child.state = State::Gone;
                });
            }
            State::Gone => {}
        }
    }

    fn hello(&self, length: Octets) -> LogP {
        let usual = GREETING_NAME.log_beyond(length, 7);
        match self.sealed.clear.and_then(|clear| clear.ehlo) {
            Some(octets) if length.contains(octets) => -0.02,
            Some(_) => usual - 4.0,
            None => usual,
        }
    }

    /// The groups of commands that a record of this length can be.
    fn groups(&self, length: Octets, mail: bool, prior: LogP, tell: &mut dyn FnMut(LogP, Said, u16, Tail)) {
        let first = if mail { 14 } else { 0 };
        for tail in [Tail::Data, Tail::Nothing, Tail::Chunk, Tail::ChunkQuit] {
            let (behind, log) = match tail {
                Tail::Data => (6, -0.4),
                Tail::Nothing => (0, -1.8),
                Tail::Chunk => (0, -2.2),
                Tail::ChunkQuit => (6, -2.5),
            };
            for recipients in 1..=GROUP_RECIPIENTS {
                let count = u64::from(recipients);
                let least = first + behind + count * 13;
                if least > length.max {
                    break;
                }
                if !mail && recipients == 1 && tail == Tail::Nothing {
                    continue;
                }
                let addresses = count as f64 + if mail { 1.0 } else { 0.0 };
                let size = match tail {
                    Tail::Data | Tail::Nothing => {
                        let mean =
                            (first + behind + count * 12) as f64 + 23.0 * addresses + if mail { 8.0 } else { 0.0 };
                        let deviation = 10.0 * addresses.sqrt() + if mail { 8.0 } else { 0.0 };
                        lengths::normal(length, mean, deviation)
                    }
                    Tail::Chunk | Tail::ChunkQuit => lengths::even(length, least + 40),
                };
                let often = -(f64::from(recipients) * (f64::from(recipients) + 1.0)).ln();
                tell(prior + log + size + often, Said::Group { mail, recipients, tail }, recipients, tail);
            }
        }
    }

    /// What a record of the server can hold.
    fn server(&self, reading: &Reading, unit: &Unit, next: &mut Vec<(Reading, Token)>) {
        let mut reading = reading.clone();
        if reading.waiting.is_empty() {
            match reading.state {
                State::Body { octets, records } if records > 0 && octets.max >= 3 => {
                    reading.waiting.push(Waiting { command: Command::EndOfData, line: None });
                    reading.state = State::Ready;
                    reading.messages += 1;
                }
                State::Chunk { octets } if octets.max >= 10 => {
                    reading.waiting.push(Waiting { command: Command::Chunk, line: None });
                    reading.state = State::Ready;
                    reading.messages += 1;
                }
                _ => {}
            }
        }
        let more = match (reading.many_lines, reading.waiting.is_empty()) {
            (true, true) => -1.5,
            (true, false) => -3.0,
            (false, _) => -6.0,
        };
        let mut child = reading.clone();
        child.log += more + lengths::even(unit.length, 5);
        next.push((child, Token::Replied(Replied::More)));
        if reading.waiting.is_empty() {
            let mut child = reading.clone();
            child.log += -6.0 + lengths::even(unit.length, 5);
            next.push((child, Token::Replied(Replied::Unasked)));
            return;
        }
        let front = reading.waiting[0];
        let alone = if reading.waiting.len() > 1 { -0.9 } else { 0.0 };
        for (reply, prior) in possible(&reading, front.command) {
            let address = front.line.map_or(ANY_ADDRESS, |line| address_of(front.command, line));
            let command = front.line.filter(|_| matches!(front.command, Command::Mail | Command::Rcpt));
            let log = self.log(&reading, reply, unit.length, command, address);
            if alone + prior + log < -60.0 {
                continue;
            }
            let mut child = reading.clone();
            child.log += alone + prior + log;
            child.waiting.remove(0);
            Rc::make_mut(&mut child.habits).learn(reply, unit.length, command);
            child.settle(reply);
            next.push((child, Token::Replied(Replied::One(reply))));
        }
        if reading.waiting.len() > 1 {
            self.several(&reading, unit, next);
        }
    }

    fn log(&self, reading: &Reading, reply: Reply, length: Octets, command: Option<Octets>, address: Octets) -> LogP {
        if reply == Reply::Hello
            && let Some(clear) = self.sealed.clear.and_then(|clear| clear.ehlo_reply)
        {
            // The reply of before without its line about STARTTLS, often with one about AUTH.
            let near = Octets { min: clear.saturating_sub(14), max: clear + 60 };
            let inside = length.min <= near.max && near.min <= length.max;
            return if inside { (0.95f64 / 75.0 * (length.max - length.min + 1) as f64).min(1.0).ln() } else { -8.0 };
        }
        reading.habits.log(self.servers, reply, length, command, address)
    }

    /// Replies to several commands in one record: to the first two that wait, three, and so on.
    fn several(&self, reading: &Reading, unit: &Unit, next: &mut Vec<(Reading, Token)>) {
        let rcpt = reading.habits.expected(self.servers, Reply::Rcpt);
        let no = reading.habits.expected(self.servers, Reply::RcptNo);
        let no = mixture(&no);
        for commands in 2..=reading.waiting.len().min(usize::from(GROUP_RECIPIENTS) + 3) {
            let answered = &reading.waiting[..commands];
            let recipients = answered.iter().filter(|waiting| waiting.command == Command::Rcpt).count();
            let last = answered[commands - 1].command;
            let everything = if commands == reading.waiting.len() { -0.5 } else { -3.0 };
            let others: Vec<Command> =
                answered.iter().map(|waiting| waiting.command).filter(|command| *command != Command::Rcpt).collect();
            for refused in 0..=recipients.min(MOST_REFUSED) {
                let taken = recipients - refused;
                let all_refused = reading.taken == 0 && taken == 0 && recipients > 0;
                let prior = binomial(recipients, refused);
                for last_reply in endings(last, all_refused) {
                    let mut log = prior + everything + last_reply.map_or(0.0, |(_, log)| log);
                    let mut kinds: Vec<Reply> = others
                        .iter()
                        .take(others.len() - usize::from(last_reply.is_some()))
                        .map(|c| usual(*c))
                        .collect();
                    kinds.extend(last_reply.map(|(reply, _)| reply));
                    log += self.sum(reading, unit.length, &kinds, (taken, &rcpt), (refused, no));
                    if log < -45.0 {
                        continue;
                    }
                    let mut child = reading.clone();
                    child.log += log;
                    child.waiting.drain(..commands);
                    child.taken = child.taken.saturating_add(u16::try_from(taken).unwrap_or(u16::MAX));
                    child.refused = child.refused.saturating_add(u16::try_from(refused).unwrap_or(u16::MAX));
                    child.many_lines = false;
                    if let Some((reply, _)) = last_reply {
                        child.settle(reply);
                    }
                    let short = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
                    let replied = Replied::Many {
                        commands: short(commands),
                        refused: short(refused),
                        last: last_reply.map(|(reply, _)| reply),
                    };
                    next.push((child, Token::Replied(replied)));
                }
            }
        }
    }

    /// That replies of these kinds, so many RCPT taken and refused, add up to `length`.
    fn sum(
        &self,
        reading: &Reading,
        length: Octets,
        kinds: &[Reply],
        (taken, rcpt): (usize, &[super::replies::Expected]),
        (refused, no): (usize, (f64, f64)),
    ) -> LogP {
        // Alternatives of all kinds, multiplied out: (weight, certain octets, mean, variance).
        let mut sums = vec![(1.0, Octets::exactly(0), 0.0, 0.0)];
        let mut add = |alternatives: &[super::replies::Expected], times: usize| {
            if times == 0 {
                return;
            }
            let n = times as f64;
            let mut wider = Vec::with_capacity(sums.len() * alternatives.len());
            for (weight, octets, mean, variance) in &sums {
                for e in alternatives {
                    let most = times as u64;
                    let certain = e.deviation == 0.0;
                    let length = Octets { min: e.length.min * most, max: e.length.max * most };
                    wider.push((
                        weight * e.weight,
                        if certain { octets.plus(length) } else { *octets },
                        mean + if certain { 0.0 } else { n * e.mean },
                        // The same text each time strays together.
                        variance + if certain { 0.0 } else { (n * e.deviation).powi(2) },
                    ));
                }
            }
            wider.sort_by(|a, b| b.0.total_cmp(&a.0));
            wider.truncate(12);
            sums = wider;
        };
        add(rcpt, taken);
        for kind in kinds {
            add(&reading.habits.expected(self.servers, *kind), 1);
        }
        let refused = refused as f64;
        let mut total = 0.0;
        for (weight, octets, mean, variance) in sums {
            let mean = mean + refused * no.0;
            let variance = variance + refused * no.1 * no.1;
            let chance = if variance > 0.0 {
                let rest =
                    Octets { min: length.min.saturating_sub(octets.max), max: length.max.saturating_sub(octets.min) };
                if length.max < octets.min { 0.0 } else { lengths::normal(rest, mean, variance.sqrt().max(1.0)).exp() }
            } else {
                let low = octets.min.max(length.min);
                let high = octets.max.min(length.max);
                if low > high { 0.0 } else { (high - low + 1) as f64 / (octets.max - octets.min + 1) as f64 }
            };
            total += weight * chance;
        }
        (total + 1e-7 * (length.max - length.min + 1) as f64).ln()
    }
}

impl Reading {
    /// What follows from a reply.
    fn settle(&mut self, reply: Reply) {
        self.many_lines = matches!(reply, Reply::Hello | Reply::Banner | Reply::Other);
        match reply {
            Reply::Rcpt => self.taken = self.taken.saturating_add(1),
            Reply::RcptNo => self.refused = self.refused.saturating_add(1),
            Reply::Auth => (self.authenticated, self.state) = (Some(true), State::Ready),
            Reply::AuthNo => (self.authenticated, self.state) = (Some(false), State::Ready),
            Reply::MailNo if self.state == State::Mail && self.waiting.is_empty() => self.state = State::Ready,
            Reply::Data => self.state = State::Body { octets: Octets::exactly(0), records: 0 },
            Reply::DataNo => self.data_refused = true,
            _ => {}
        }
    }
}

/// How likely it is that the client says each thing next.
struct Priors {
    auth: LogP,
    mail: LogP,
    rcpt: LogP,
    data: LogP,
    chunk: LogP,
    hello: LogP,
    quit: LogP,
    reset: LogP,
    noop: LogP,
    other: LogP,
}

impl Priors {
    fn of(all: [f64; 10]) -> Priors {
        let [auth, mail, rcpt, data, chunk, hello, quit, reset, noop, other] = all.map(f64::ln);
        Priors { auth, mail, rcpt, data, chunk, hello, quit, reset, noop, other }
    }

    fn ready(reading: &Reading) -> Priors {
        //                auth  mail  -    -    -    hello  quit  reset noop   other
        match (reading.messages > 0 || reading.said > 0, reading.authenticated, reading.after_reset) {
            (_, _, true) => Priors::of([1e-3, 0.80, 1e-9, 1e-9, 1e-9, 2e-3, 0.18, 5e-3, 5e-3, 3e-3]),
            (true, ..) => Priors::of([1e-3, 0.38, 1e-9, 1e-9, 1e-9, 2e-3, 0.50, 0.09, 0.015, 3e-3]),
            (false, Some(true), _) => Priors::of([2e-3, 0.92, 1e-9, 1e-9, 1e-9, 2e-3, 0.04, 0.01, 0.015, 5e-3]),
            (false, Some(false), _) => Priors::of([0.30, 0.05, 1e-9, 1e-9, 1e-9, 5e-3, 0.60, 0.03, 0.01, 5e-3]),
            (false, None, _) => Priors::of([0.50, 0.44, 1e-9, 1e-9, 1e-9, 0.01, 0.015, 0.01, 0.015, 5e-3]),
        }
    }

    fn mail(reading: &Reading) -> Priors {
        let waiting = reading.waiting.iter().filter(|w| w.command == Command::Rcpt).count();
        let all_refused = reading.said > 0 && reading.taken == 0 && waiting == 0;
        //                auth  mail  rcpt data  chunk hello quit  reset noop   other
        match (reading.said, reading.data_refused, all_refused) {
            (0, ..) => Priors::of([1e-9, 1e-9, 0.96, 2e-3, 1e-4, 1e-9, 0.01, 0.02, 3e-3, 3e-3]),
            (_, true, _) => Priors::of([1e-9, 1e-9, 0.02, 0.01, 0.01, 1e-9, 0.47, 0.47, 0.01, 5e-3]),
            (_, _, true) => Priors::of([1e-9, 1e-9, 0.40, 0.04, 0.02, 1e-9, 0.27, 0.27, 0.01, 5e-3]),
            _ => Priors::of([1e-9, 1e-9, 0.52, 0.39, 0.06, 1e-9, 0.01, 0.02, 3e-3, 2e-3]),
        }
    }
}

fn enter_group(child: &mut Reading, recipients: u16, tail: Tail) {
    for _ in 0..recipients {
        child.waiting.push(Waiting { command: Command::Rcpt, line: None });
    }
    child.said = child.said.saturating_add(recipients);
    (child.groups, child.pipelines) = (true, true);
    let behind: &[Command] = match tail {
        Tail::Nothing => &[],
        Tail::Data => &[Command::Data],
        Tail::Chunk => &[],
        Tail::ChunkQuit => &[Command::Chunk, Command::Quit],
    };
    child.waiting.extend(behind.iter().map(|command| Waiting { command: *command, line: None }));
    match tail {
        Tail::Chunk => {
            // The chunk may go on in further records.
            child.waiting.push(Waiting { command: Command::Chunk, line: None });
            child.messages += 1;
            child.state = State::Ready;
        }
        Tail::ChunkQuit => {
            child.messages += 1;
            child.state = State::Gone;
        }
        Tail::Nothing | Tail::Data => {}
    }
}

/// The replies that a command can get, with how often it does.
fn possible(reading: &Reading, command: Command) -> Vec<(Reply, LogP)> {
    let of = |all: &[(Reply, f64)]| all.iter().map(|(reply, often)| (*reply, often.ln())).collect();
    match command {
        Command::Greeting => of(&[(Reply::Banner, 1.0)]),
        Command::Hello => of(&[(Reply::Hello, 1.0)]),
        Command::Auth | Command::Answer => match reading.state {
            State::Sasl { mechanism, left, said } if left > 0 => {
                let prompts: &[(Reply, f64)] = match (MECHANISMS[usize::from(mechanism)].shape, said) {
                    (Shape::Apart, 0) => &[(Reply::PromptUser, 0.97), (Reply::AuthNo, 0.03)],
                    (Shape::Apart, _) => &[(Reply::PromptPassword, 0.97), (Reply::AuthNo, 0.03)],
                    (Shape::Both | Shape::Token, 0) => {
                        &[(Reply::PromptEmpty, 0.9), (Reply::PromptUser, 0.07), (Reply::AuthNo, 0.03)]
                    }
                    (Shape::Digest, 0) => &[(Reply::Challenge, 0.97), (Reply::AuthNo, 0.03)],
                    _ => &[(Reply::Challenge, 0.6), (Reply::PromptEmpty, 0.37), (Reply::AuthNo, 0.03)],
                };
                of(prompts)
            }
            _ => of(&[(Reply::Auth, 0.87), (Reply::AuthNo, 0.13)]),
        },
        Command::Mail => of(&[(Reply::Mail, 0.975), (Reply::MailNo, 0.025)]),
        Command::Rcpt => of(&[(Reply::Rcpt, 0.85), (Reply::RcptNo, 0.15)]),
        Command::Data if reading.taken == 0 && reading.refused > 0 => of(&[(Reply::DataNo, 0.99), (Reply::Data, 0.01)]),
        Command::Data => of(&[(Reply::Data, 0.985), (Reply::DataNo, 0.015)]),
        Command::EndOfData => of(&[(Reply::Queued, 0.96), (Reply::QueuedNo, 0.04)]),
        Command::Chunk if reading.taken == 0 && reading.refused > 0 => {
            of(&[(Reply::ChunkNo, 0.99), (Reply::Chunk, 0.01)])
        }
        Command::Chunk => of(&[(Reply::Chunk, 0.96), (Reply::ChunkNo, 0.04)]),
        Command::Reset => of(&[(Reply::Reset, 1.0)]),
        Command::Noop => of(&[(Reply::Noop, 1.0)]),
        Command::Quit => of(&[(Reply::Bye, 1.0)]),
        Command::Other => of(&[(Reply::Other, 1.0)]),
    }
}

/// What a record of several replies can end with, where the last command is no RCPT.
fn endings(last: Command, all_refused: bool) -> Vec<Option<(Reply, LogP)>> {
    let two = |yes: Reply, no: Reply| {
        let (most, least) = (-0.02, -4.5);
        let (a, b) = if all_refused { (least, most) } else { (most, least) };
        vec![Some((yes, a)), Some((no, b))]
    };
    match last {
        Command::Rcpt => vec![None],
        Command::Data => two(Reply::Data, Reply::DataNo),
        Command::Chunk => two(Reply::Chunk, Reply::ChunkNo),
        command => vec![Some((usual(command), 0.0))],
    }
}

/// The reply that a command usually gets.
fn usual(command: Command) -> Reply {
    match command {
        Command::Greeting => Reply::Banner,
        Command::Hello => Reply::Hello,
        Command::Auth | Command::Answer => Reply::Auth,
        Command::Mail => Reply::Mail,
        Command::Rcpt => Reply::Rcpt,
        Command::Data => Reply::Data,
        Command::EndOfData => Reply::Queued,
        Command::Chunk => Reply::Chunk,
        Command::Reset => Reply::Reset,
        Command::Noop => Reply::Noop,
        Command::Quit => Reply::Bye,
        Command::Other => Reply::Other,
    }
}

/// Mean and deviation of alternatives taken together.
fn mixture(alternatives: &[super::replies::Expected]) -> (f64, f64) {
    let middle = |e: &super::replies::Expected| {
        if e.deviation == 0.0 { (e.length.min + e.length.max) as f64 / 2.0 } else { e.mean }
    };
    let mean: f64 = alternatives.iter().map(|e| e.weight * middle(e)).sum();
    let variance: f64 =
        alternatives.iter().map(|e| e.weight * ((middle(e) - mean).powi(2) + e.deviation.powi(2))).sum();
    (mean, variance.sqrt().max(1.0))
}

/// That of so many recipients so many are refused.
fn binomial(all: usize, refused: usize) -> LogP {
    let mut log = 0.0;
    for k in 0..refused {
        log += ((all - k) as f64 / (k + 1) as f64).ln();
    }
    log + refused as f64 * 0.15f64.ln() + (all - refused) as f64 * 0.85f64.ln()
}

fn fixed(length: Octets, octets: u64) -> LogP {
    if length.contains(octets) { 0.0 } else { NEVER }
}

/// Octets of the address in a command of so many octets, its parameters not known.
fn address_of(command: Command, line: Octets) -> Octets {
    match command {
        Command::Mail => {
            Octets { min: line.min.saturating_sub(14 + MOST_PARAMETERS), max: line.max.saturating_sub(14) }
        }
        _ => line.less(12),
    }
}

/// AUTH with this mechanism (RFC 4954 §4).
fn auth(mechanism: &Mechanism, initial: bool, length: Octets) -> LogP {
    let verb = 7 + mechanism.name.len() as u64;
    if !initial {
        let often = if mechanism.shape == Shape::Both || mechanism.shape == Shape::Token { 0.25f64 } else { 0.75 };
        return mechanism.weight.ln() + often.ln() + fixed(length, verb);
    }
    let often: f64 = match mechanism.shape {
        Shape::Both | Shape::Token => 0.75,
        Shape::Apart => 0.25,
        Shape::Digest => return NEVER,
        Shape::Opaque => 0.25,
    };
    let said = match mechanism.shape {
        Shape::Both => lengths::base64(length, verb + 1, CREDENTIALS),
        Shape::Apart => lengths::base64(length, verb + 1, USER_NAME),
        _ => base64_even(length, verb + 1, 24),
    };
    mechanism.weight.ln() + often.ln() + said
}

/// A line of the SASL exchange.
fn answer(shape: Shape, said: u8, length: Octets) -> LogP {
    match shape {
        Shape::Both => lengths::base64(length, 2, CREDENTIALS),
        Shape::Apart if said == 0 => lengths::base64(length, 2, USER_NAME),
        Shape::Apart => lengths::base64(length, 2, PASSWORD),
        // A user name, a space and 32 digits: fifty octets, give or take ten.
        Shape::Digest => lengths::base64(length, 2, lengths::Bell::new(49.0, 0.2, 34)),
        Shape::Token => base64_even(length, 2, 24),
        Shape::Opaque => base64_even(length, 2, 1),
    }
}

fn base64_even(length: Octets, fixed: u64, least: u64) -> LogP {
    match lengths::base64_octets(length, fixed) {
        Some(octets) if octets.max >= least => lengths::even(octets, least),
        _ => NEVER,
    }
}

/// MAIL with the parameters that are met.
fn mail(length: Octets) -> LogP {
    PARAMETERS
        .iter()
        .map(|(octets, weight)| weight * ADDRESS.log_beyond(length, 14 + octets).exp())
        .sum::<f64>()
        .max(1e-300)
        .ln()
}

/// RCPT, seldom with parameters (RFC 3461 §4).
fn rcpt(length: Octets) -> LogP {
    let plain = ADDRESS.log_beyond(length, 12).exp();
    let asked = ADDRESS.log_beyond(length, 12 + 22).exp();
    let half = Octets { min: length.min.saturating_sub(26) / 2, max: length.max.saturating_sub(26) / 2 };
    let original = if length.max > 28 { 0.5 * ADDRESS.log(half).exp() } else { 0.0 };
    (0.94 * plain + 0.03 * asked + 0.03 * original).max(1e-300).ln()
}

/// A command that is none of these.
fn other(length: Octets) -> LogP {
    if length.max < 6 { NEVER } else { lengths::Bell::new(20.0, 0.7, 6).log(length).max(-30.0) }
}

/// Octets that parameters add to MAIL, with how often: none, SIZE of two to seven digits
/// (RFC 1870), BODY=8BITMIME (RFC 6152), both, and others.
const PARAMETERS: [(u64, f64); 16] = [
    (0, 0.36),
    (8, 0.01),
    (9, 0.14),
    (10, 0.14),
    (11, 0.07),
    (12, 0.03),
    (13, 0.01),
    (14, 0.07),
    (23, 0.05),
    (24, 0.04),
    (25, 0.02),
    (26, 0.01),
    (27, 0.01),
    (34, 0.02),
    (45, 0.01),
    (60, 0.01),
];

const MOST_PARAMETERS: u64 = 80;

const ANY_ADDRESS: Octets = Octets { min: 6, max: 60 };

/// Records of one direction in a row that are looked at one by one, at the beginning and at the
/// end; those between are taken together, for only a message is so long.
const RUN_HEAD: usize = 64;
const RUN_TAIL: usize = 4;

/// Recipients in one record.
const GROUP_RECIPIENTS: u16 = 60;

/// Refused recipients in one record of replies.
const MOST_REFUSED: usize = 12;

/// Readings so much less likely than the best are given up.
const GIVE_UP: LogP = 16.0;
