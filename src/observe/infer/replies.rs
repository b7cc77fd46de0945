//! What a record of the server may be.

use std::rc::Rc;

use super::grammar::{Command, Mechanism, Outcome, State, Taken};
use super::learned::Learned;
use super::prior::Range;
use super::search::{Path, Search, Waiting};
use super::templates::Kind;

impl Search<'_> {
    /// Every way to take a record of the server.
    pub(super) fn server(&mut self, path: &Path, length: Range) {
        match path.state {
            State::Body => return self.message_end(path, length),
            State::Chunk if path.waiting.is_empty() => {}
            _ => {}
        }
        let Some(first) = path.waiting.first().copied() else {
            let alert = path.state == State::Over && length.contains(2) && length.width() > 1;
            let known = self.templates.servers.get(usize::from(path.server));
            let together = if known.is_some_and(|server| server.lines_apart == Some(false)) { TOGETHER } else { 0.0 };
            let chance = match (path.greeting, alert) {
                (true, _) => (0.5 * (f64::from(length.width()) / 60.0).min(1.0)).ln() + together,
                (false, true) => -3.0,
                (false, false) => -8.0,
            };
            let taken = if path.greeting { Taken::More } else { Taken::Unasked };
            return self.push(path.clone(), taken, chance);
        };
        let all: u32 = path.waiting.iter().map(|w| u32::from(w.count)).sum();
        let alone = if all == 1 {
            0.0
        } else if path.grouped {
            (0.3f64).ln()
        } else {
            (0.75f64).ln()
        };
        self.one(path, first, length, alone);
        if path.state == State::Chunk
            && all == 1
            && first.command == Command::Bdat
            && self.context.offers.pipelining != Some(false)
        {
            // QUIT may stand behind the last chunk, in its last record.
            let mut end = path.clone();
            end.waiting.push(Waiting { command: Command::Quit, count: 1, address: None });
            end.score += if end.grouped { (0.25f64).ln() } else { (0.05f64).ln() };
            self.several(&end, length, 2);
        }
        if all > 1 {
            self.several(path, length, all);
        }
    }

    /// The message is over: an answer comes.
    fn message_end(&mut self, path: &Path, length: Range) {
        if path.pieces == 0 {
            return;
        }
        let octets = f64::from(path.text.max.max(1));
        // Messages are alike on every scale, but the least of them have some header lines.
        let small = if octets < 40.0 {
            -5.0
        } else if octets < 100.0 {
            -1.5
        } else {
            0.0
        };
        let mut end = path.clone();
        end.state = State::Between;
        end.waiting = vec![Waiting { command: Command::Body, count: 1, address: None }];
        end.score += small;
        let plain = end.clone();
        self.one(&plain, plain.waiting[0], length, (0.93f64).ln());
        if self.context.offers.pipelining != Some(false) {
            end.waiting.push(Waiting { command: Command::Quit, count: 1, address: None });
            end.score += if end.grouped { (0.25f64).ln() } else { (0.05f64).ln() };
            self.one(&end, end.waiting[0], length, (0.5f64).ln());
            self.several(&end, length, 2);
        }
    }

    /// One reply, to the first command that waits.
    fn one(&mut self, path: &Path, first: Waiting, length: Range, weight: f64) {
        let address = first.address;
        match first.command {
            Command::Connect => {
                self.answer(path, Kind::Banner, length, None, weight, Outcome::Yes, |path| path.state = State::Start);
            }
            Command::Ehlo => {
                self.answer(path, Kind::Ehlo, length, None, weight, Outcome::Yes, |path| path.greeting = true);
            }
            Command::Helo => self.answer(path, Kind::Helo, length, None, weight, Outcome::Yes, |_| {}),
            Command::Auth(mechanism, lines) => self.auth_reply(path, mechanism, lines, length, weight),
            Command::Mail => {
                self.answer(path, Kind::Mail, length, address, weight - 0.015, Outcome::Yes, |_| {});
                self.answer(path, Kind::MailNo, length, address, weight - 4.6, Outcome::No, |path| {
                    if path.waiting.is_empty() {
                        path.state = State::Between;
                    }
                });
            }
            Command::Rcpt => {
                // An interval takes in refusals that are hardly longer than acceptances.
                let no = refusal_chance(path).max(if length.width() > 1 { 0.3 } else { 0.0 });
                let yes = self.reply(path, Kind::Rcpt, length, address);
                let refused = self.reply(path, Kind::RcptNo, length, address);
                let learned = |kind| self.learned(path, kind, length, address);
                let (yes, refused) = (yes + (1.0 - no).ln(), refused + no.ln());
                let (of_acceptance, of_refusal) = self.contrast(path, length, address);
                let (yes, refused) = (yes + of_acceptance, refused + of_refusal);
                // Of an answer unlike those before it either may be true, and later ones tell.
                let is_new = path.refused == 0 && path.learned.is_new(Kind::Rcpt, length, address);
                if path.taken == 0 || is_new {
                    // What follows tells which it was: without a recipient there is no message.
                    let (if_yes, if_no) = (learned(Kind::Rcpt), learned(Kind::RcptNo));
                    self.recipient(path, if_yes, true, weight + yes, 100);
                    self.recipient(path, if_no, false, weight + refused, 100);
                } else {
                    let top = yes.max(refused);
                    let sum = top + ((yes - top).exp() + (refused - top).exp()).ln();
                    let accepted = yes >= refused;
                    let learned = learned(if accepted { Kind::Rcpt } else { Kind::RcptNo });
                    let surety = ((top - sum).exp() * 100.0).floor().clamp(50.0, 100.0) as u8;
                    self.recipient(path, learned, accepted, weight + sum, surety);
                }
            }
            Command::Data => {
                let yes = if path.taken > 0 { 0.99 } else { 0.05f64 };
                self.answer(path, Kind::Data, length, None, weight + yes.ln(), Outcome::Yes, |path| {
                    path.state = State::Body;
                    path.text = Range::new(0, 0);
                    path.pieces = 0;
                });
                self.answer(path, Kind::DataNo, length, None, weight + (1.0 - yes).ln(), Outcome::No, |path| {
                    path.state = if path.taken == 0 { State::Between } else { State::Transaction };
                });
            }
            Command::Body => {
                self.answer(path, Kind::Queued, length, None, weight - 0.03, Outcome::Yes, Path::close_transaction);
                self.answer(path, Kind::QueuedNo, length, None, weight - 3.5, Outcome::No, Path::close_transaction);
            }
            Command::Bdat => {
                let yes = if path.taken > 0 { 0.97 } else { 0.05f64 };
                let state = |path: &mut Path| {
                    if path.waiting.is_empty() {
                        // More chunks may come, where that was not the last, or another transaction.
                        path.state = State::Between;
                    }
                };
                self.answer(path, Kind::Bdat, length, None, weight + (yes * 0.8).ln(), Outcome::Yes, |path| {
                    state(path);
                    path.close_transaction();
                });
                if path.waiting.len() == 1 {
                    self.answer(path, Kind::More, length, None, weight + (yes * 0.2).ln(), Outcome::Yes, state);
                }
                self.answer(path, Kind::BdatNo, length, None, weight + (1.0 - yes).ln(), Outcome::No, state);
            }
            Command::Rset => self.answer(path, Kind::Rset, length, None, weight, Outcome::Yes, |path| {
                if path.waiting.is_empty() {
                    path.state = State::Between;
                    path.close_transaction();
                }
            }),
            Command::Noop => self.answer(path, Kind::Noop, length, None, weight, Outcome::Yes, |_| {}),
            Command::Ask | Command::Cancel => self.answer(path, Kind::Vrfy, length, None, weight, Outcome::Yes, |_| {}),
            Command::Quit => {
                self.answer(path, Kind::Quit, length, None, weight, Outcome::Yes, |path| path.state = State::Over)
            }
        }
    }

    /// What the lengths of the other outcome say of an acceptance and of a refusal, where the server is not known and this
    /// would be the first of its kind: whoever refuses says why, which makes the longer answer of two the refusal. Of two
    /// that both echo the address, or that both do not, what stands around it is compared.
    fn contrast(&self, path: &Path, length: Range, address: Option<Range>) -> (f64, f64) {
        if self.is_known(path) {
            return (0.0, 0.0);
        }
        let weight = |own: Kind, other: Kind, is_refusal: bool| {
            let (Some(own), Some(other)) = (path.learned.habit(own), path.learned.habit(other)) else { return 0.0 };
            if own.seen > 0 || other.seen == 0 {
                return 0.0;
            }
            let echoed = address.map(|address| length.less(address));
            let (before, now, is_alike) = match (other.fixed, other.echo, other.first, echoed) {
                (None, Some(echo), _, Some(echoed)) => (echo, echoed, true),
                (Some(fixed), None, _, _) => (fixed, length, true),
                (_, _, Some(first), _) => (first, length, false),
                _ => return 0.0,
            };
            let fits = match is_refusal {
                true if now.min > before.max => true,
                false if now.max < before.min => true,
                _ if now.meets(before) => return 0.0,
                _ => false,
            };
            match (fits, is_alike) {
                (true, _) => -0.1,
                (false, true) => CONTRAST,
                (false, false) => -0.8,
            }
        };
        (weight(Kind::Rcpt, Kind::RcptNo, false), weight(Kind::RcptNo, Kind::Rcpt, true))
    }

    /// The answer to one RCPT.
    fn recipient(&mut self, path: &Path, learned: Rc<Learned>, accepted: bool, chance: f64, surety: u8) {
        if path.score + chance < self.cutoff() {
            return;
        }
        let mut next = path.clone();
        next.learned = learned;
        pop(&mut next, 1);
        next.taken += u16::from(accepted);
        next.refused += u16::from(!accepted);
        let taken = Taken::Replies {
            commands: 1,
            refused: u16::from(!accepted),
            recipients: 1,
            first: Command::Rcpt,
            outcome: Path::outcome(accepted),
            surety,
        };
        self.push(next, taken, chance);
    }

    #[expect(clippy::too_many_arguments, reason = "one kind of reply, with all that it depends on")]
    fn answer(
        &mut self,
        path: &Path,
        kind: Kind,
        length: Range,
        address: Option<Range>,
        weight: f64,
        outcome: Outcome,
        change: impl FnOnce(&mut Path),
    ) {
        let chance = self.reply(path, kind, length, address);
        if path.score + chance + weight < self.cutoff() {
            return;
        }
        let mut next = path.clone();
        next.learned = self.learned(path, kind, length, address);
        let first = next.waiting[0].command;
        pop(&mut next, 1);
        change(&mut next);
        let taken = Taken::Replies { commands: 1, refused: 0, recipients: 0, first, outcome, surety: 100 };
        self.push(next, taken, weight + chance);
    }

    fn auth_reply(&mut self, path: &Path, mechanism: Mechanism, lines: u8, length: Range, weight: f64) {
        let last = lines >= mechanism.lines();
        if !last {
            let kind = match (mechanism, lines) {
                (Mechanism::Login, 1) => Kind::User,
                (Mechanism::Login, _) | (Mechanism::LoginInitial, _) => Kind::Pass,
                (Mechanism::Plain | Mechanism::Xoauth2, _) => Kind::Empty,
                _ => Kind::Challenge,
            };
            self.answer(path, kind, length, None, weight - 0.03, Outcome::Continue, |path| {
                path.state = State::Auth(mechanism, lines);
            });
            self.answer(path, Kind::LoginNo, length, None, weight - 4.5, Outcome::No, |path| path.failures += 1);
            return;
        }
        self.answer(path, Kind::Login, length, None, weight - 0.1, Outcome::Yes, |path| path.logins += 1);
        self.answer(path, Kind::LoginNo, length, None, weight - 2.5, Outcome::No, |path| path.failures += 1);
        if matches!(mechanism, Mechanism::Xoauth2 | Mechanism::Xoauth2Initial) && lines == mechanism.lines() {
            self.answer(path, Kind::Challenge, length, None, weight - 3.0, Outcome::Continue, |path| {
                path.state = State::Auth(mechanism, lines);
            });
        }
    }
}

/// How much a reply in several records speaks against a server that writes each in one.
const TOGETHER: f64 = -4.0;

/// How much a refusal that is shorter than acceptances of the same form speaks against itself.
const CONTRAST: f64 = -2.0;

/// How often recipients are refused: more so where some have been.
pub(super) fn refusal_chance(path: &Path) -> f64 {
    if path.refused > 0 { 0.26 } else { 0.19 }
}

/// Takes the first commands off the queue.
pub(super) fn pop(path: &mut Path, commands: u32) {
    let mut left = commands;
    path.greeting = false;
    while left > 0 {
        let Some(first) = path.waiting.first_mut() else { return };
        let count = u32::from(first.count);
        if count > left {
            first.count -= left as u16;
            return;
        }
        left -= count;
        path.waiting.remove(0);
    }
}
