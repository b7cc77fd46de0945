//! What a record of the client may be.

use super::grammar::{Command, End, Group, Mechanism, State, Taken};
use super::prior::Range;
use super::search::{Path, Record, Search, Waiting};

impl Search<'_> {
    /// Every way to take a record of the client.
    pub(super) fn client(&mut self, path: &Path, record: &Record) {
        let mut path = path.clone();
        path.greeting = false;
        match path.state {
            State::Chunk if self.answered => {
                // A chunk is sent in one go.
                path.score -= 7.0;
                return self.text(path, record);
            }
            State::Body | State::Chunk => return self.text(path, record),
            // Where records are padded, an alert may be any of the shortest.
            State::Over if record.length.contains(2) && record.length.width() > 1 => {
                return self.push(path, Taken::Unasked, -3.0);
            }
            State::Over => return,
            State::Auth(mechanism, lines) => return self.auth_line(path, mechanism, lines, record),
            _ => {}
        }
        if record.count > 1 && record.length.min > LONG {
            // So much at once is no row of commands: a chunk, whose command is in its first record.
            return self.chunk(path, record);
        }
        let waits = path.waiting.last().map(|w| w.command);
        let apart = match waits {
            None => 0.0,
            // Nothing may follow these before they are answered (RFC 2920 §3.1).
            Some(Command::Connect | Command::Ehlo | Command::Helo | Command::Auth(..) | Command::Data) => {
                if record.length.contains(6) {
                    // Unless the client has lost patience.
                    self.say(&path, Command::Quit, None, State::Over, -5.0, |path| path.waiting.clear());
                }
                return;
            }
            Some(Command::Quit) => return,
            Some(_) if self.context.offers.pipelining == Some(false) => -9.0,
            Some(Command::Body) => -4.0,
            // Who sends commands together waits for all their replies.
            Some(_) if path.waiting.last().is_some_and(|w| w.address.is_none()) => -9.0,
            Some(_) if path.separate => -0.2,
            Some(_) => self.context.habits.apart.ln(),
        };
        path.score += apart;
        path.separate |= waits.is_some();
        match path.state {
            State::Start => self.hello(&path, record.length),
            State::Between => self.between(&path, record.length),
            State::Transaction => self.transaction(&path, record.length),
            _ => {}
        }
    }

    /// One command in its record, with what else of the path it changes.
    fn say(
        &mut self,
        path: &Path,
        command: Command,
        address: Option<Range>,
        state: State,
        chance: f64,
        change: impl FnOnce(&mut Path),
    ) {
        if path.score + chance < self.cutoff() {
            return;
        }
        let mut next = path.clone();
        change(&mut next);
        next.waiting.push(Waiting { command, count: 1, address });
        next.state = state;
        next.group = None;
        self.push(next, Taken::Command(command), chance);
    }

    fn hello(&mut self, path: &Path, length: Range) {
        let chance = match self.context.ehlo {
            // The name is the one that was said in the clear (RFC 3207 §4.2).
            Some(octets) if length.contains(octets) => -0.05,
            Some(_) => -6.0,
            None => self.priors.hello.of(length).ln(),
        };
        if length.max < 7 {
            return;
        }
        for (command, share) in [(Command::Ehlo, -0.03), (Command::Helo, -3.5)] {
            self.say(path, command, None, State::Between, chance + share, |path| path.hello = length);
        }
    }

    /// What may be said between transactions.
    fn between(&mut self, path: &Path, length: Range) {
        let fresh = path.transactions == 0 && path.logins == 0;
        // Shares of: MAIL, AUTH, QUIT, RSET, NOOP, a question, EHLO again.
        let shares: [f64; 7] = match (fresh, path.failures > 0, path.transactions > 0) {
            (true, false, _) => [0.36, 0.54, 0.05, 0.01, 0.015, 0.01, 0.015],
            (_, true, _) => [0.06, 0.25, 0.6, 0.02, 0.02, 0.01, 0.02],
            (_, _, true) => [0.45, 0.002, 0.4, 0.1, 0.02, 0.005, 0.002],
            _ => [0.86, 0.002, 0.03, 0.015, 0.03, 0.015, 0.04],
        };
        let [mail, mut auth, quit, rset, noop, ask, again] = shares;
        if self.context.offers.auth == Some(false) {
            auth *= 0.001;
        }
        if length.contains(6) {
            for (command, share, state) in [
                (Command::Quit, quit, State::Over),
                (Command::Rset, rset, State::Between),
                (Command::Noop, noop, State::Between),
            ] {
                self.say(path, command, None, state, share.ln(), |_| {});
            }
        }
        if length.max >= 14 {
            let chance = self.mail(length);
            let address = length.less_octets(14);
            let alone = if path.grouped { 0.15 } else { 1.0 - self.context.habits.group * 0.85 };
            let chance = (mail * chance * alone).ln();
            self.say(path, Command::Mail, Some(address), State::Transaction, chance, Path::open_transaction);
            if length.max >= 14 + 13 {
                self.groups(path, length, true, mail);
            }
        }
        if length.max >= 7 {
            let asks = (ask * self.priors.ask.of(length)).ln();
            self.say(path, Command::Ask, None, State::Between, asks, |_| {});
            let again_chance = if length.meets(path.hello) { 0.9 } else { 0.1 * self.priors.hello.of(length) };
            let again = (again * again_chance).ln();
            self.say(path, Command::Ehlo, None, State::Between, again, |path| path.hello = length);
        }
        self.auth(path, length, auth);
        if path.failures > 0 && length.contains(CANCEL) {
            self.say(path, Command::Cancel, None, State::Between, (0.3f64).ln(), |_| {});
        }
        if path.more_chunks() && length.max >= 10 {
            let chance = (MORE_CHUNKS * octets_chance(length)).ln();
            self.say(path, Command::Bdat, None, State::Chunk, chance, |path| {
                path.text = path.text.plus(length);
                path.pieces += 1;
            });
        }
    }

    fn auth(&mut self, path: &Path, length: Range, share: f64) {
        // Programs choose among what is offered, unless they are told not to.
        let offers = |mechanism: Mechanism| match self.context.offers.mechanisms {
            Some(offered) if !offered.has(mechanism) => 0.02,
            _ => 1.0,
        };
        for (octets, mechanism, part) in FIXED {
            if length.contains(*octets) {
                let command = Command::Auth(*mechanism, 1);
                let chance = share * part * offers(*mechanism);
                self.say(path, command, None, State::Between, chance.ln(), |_| {});
            }
        }
        for (first, mechanism, part) in INITIAL {
            let Some(groups) = length.base64(*first) else { continue };
            let chances = match mechanism {
                Mechanism::PlainInitial => &self.priors.plain64,
                Mechanism::LoginInitial => &self.priors.user64,
                _ => &self.priors.token64,
            };
            let chance = share * part * offers(*mechanism) * chances.of(groups);
            let command = Command::Auth(*mechanism, 1);
            self.say(path, command, None, State::Between, chance.ln(), |_| {});
        }
    }

    /// A line of base64 that a login asks for.
    fn auth_line(&mut self, mut path: Path, mechanism: Mechanism, lines: u8, record: &Record) {
        let length = record.length;
        let done = lines >= mechanism.lines();
        let Some(groups) = length.base64(2) else { return };
        let chance = match (mechanism, lines) {
            // An empty answer or `*` to a refusal that explains itself.
            _ if done => {
                if length.contains(2) || length.contains(3) {
                    0.5
                } else {
                    return;
                }
            }
            (Mechanism::Login, _) | (Mechanism::LoginInitial, _) => self.priors.user64.of(groups),
            (Mechanism::Plain, _) => self.priors.plain64.of(groups),
            (Mechanism::CramMd5, _) if groups.max >= 11 => {
                self.priors.user64.of(Range::new(groups.min - 9, groups.max - 9))
            }
            (Mechanism::CramMd5, _) => return,
            (Mechanism::Xoauth2 | Mechanism::Xoauth2Initial, _) => self.priors.token64.of(groups),
            _ => 0.02 * f64::from(groups.width()),
        };
        let command = Command::Auth(mechanism, lines + 1);
        path.waiting.push(Waiting { command, count: 1, address: None });
        path.state = State::Between;
        self.push(path, Taken::Command(command), chance.ln());
    }

    /// What may be said within a transaction.
    fn transaction(&mut self, path: &Path, length: Range) {
        let refused = path.recipients > 0 && path.refused == path.recipients;
        // Shares of: RCPT, DATA, RSET, QUIT, NOOP, MAIL of another transaction, BDAT.
        let shares: [f64; 7] = match (path.recipients, refused) {
            (0, _) => [0.93, 0.0, 0.03, 0.02, 0.001, 0.002, 0.0],
            (_, true) => [0.45, 0.06, 0.24, 0.23, 0.001, 0.002, 0.01],
            _ => [0.62, 0.31, 0.02, 0.02, 0.0005, 0.001, 0.02],
        };
        let [rcpt, data, rset, quit, noop, mail, bdat] = shares;
        if length.contains(6) {
            for (command, share, state) in [
                (Command::Data, data, State::Transaction),
                (Command::Rset, rset, State::Between),
                (Command::Quit, quit, State::Over),
                (Command::Noop, noop, State::Transaction),
            ] {
                if share > 0.0 {
                    self.say(path, command, None, state, share.ln(), |_| {});
                }
            }
        }
        if length.max >= 15 {
            let address = length.less_octets(12);
            let alone = if path.grouped { 0.4 } else { 0.9 };
            let chance = (rcpt * self.priors.rcpt.of(length) * alone).ln();
            self.say(path, Command::Rcpt, Some(address), State::Transaction, chance, |path| path.recipients += 1);
            if length.max >= 12 + 6 + 3 {
                self.groups(path, length, false, rcpt);
            }
        }
        if refused && length.max >= 14 {
            let chance = (mail * self.mail(length)).ln();
            let address = Some(length.less_octets(14));
            self.say(path, Command::Mail, address, State::Transaction, chance, Path::open_transaction);
        }
        if path.recipients > 0 && self.context.offers.chunking != Some(false) && length.max >= 10 {
            let chance = (bdat * 10.0 * self.context.habits.chunk * octets_chance(length)).ln();
            self.say(path, Command::Bdat, None, State::Chunk, chance, |path| {
                path.text = length;
                path.pieces = 1;
            });
        }
    }

    /// Several commands in one record (RFC 2920).
    fn groups(&mut self, path: &Path, length: Range, mail: bool, share: f64) {
        let willing = match (self.context.offers.pipelining, path.grouped) {
            (Some(false), _) => return,
            (_, true) => 0.85,
            (Some(true), false) => self.context.habits.group * 0.85,
            (None, false) => self.context.habits.group * 0.6,
        };
        let fixed = if mail { 14 } else { 0 };
        let ends = [
            (End::Data, 6, if mail { 0.8 } else { 0.55 }),
            (End::Nothing, 0, if mail { 0.04 } else { 0.4 }),
            (
                End::Bdat,
                10,
                if self.context.offers.chunking == Some(false) { 0.0 } else { 1.2 * self.context.habits.chunk },
            ),
        ];
        for (end, last, part) in ends {
            let most = ((length.max - fixed - last) / 15).clamp(0, MOST_RECIPIENTS);
            for n in 1..=most {
                if !mail && end == End::Nothing && n < 2 {
                    continue;
                }
                let chance = match end {
                    End::Bdat => {
                        if length.max < 27 + n * 20 {
                            continue;
                        }
                        octets_chance(length) * (0.6f64).powi(n.min(12))
                    }
                    _ => rows(length, n, mail, last) * count_chance(n),
                };
                if chance < 1e-9 {
                    continue;
                }
                for quit in [false, true] {
                    let quits = match (end, quit) {
                        (End::Bdat, true) => 0.5,
                        (End::Bdat, false) => 0.5,
                        (_, true) => continue,
                        (_, false) => 1.0,
                    };
                    self.group(
                        path,
                        Group { mail, recipients: n as u16, end, quit },
                        (share * willing * part * chance * quits).ln(),
                        length,
                    );
                }
            }
        }
    }

    fn group(&mut self, path: &Path, group: Group, chance: f64, length: Range) {
        if path.score + chance < self.cutoff() {
            return;
        }
        let mut next = path.clone();
        let mut wait = |command, count| next.waiting.push(Waiting { command, count, address: None });
        if group.mail {
            wait(Command::Mail, 1);
        }
        wait(Command::Rcpt, group.recipients);
        match group.end {
            End::Data => wait(Command::Data, 1),
            End::Bdat => wait(Command::Bdat, 1),
            End::Nothing => {}
        }
        if group.quit {
            wait(Command::Quit, 1);
        }
        if group.mail {
            next.open_transaction();
        }
        next.recipients += group.recipients;
        next.grouped = true;
        next.group = path.waiting.is_empty().then_some((group, length));
        next.state = match group.end {
            End::Bdat => State::Chunk,
            _ => State::Transaction,
        };
        next.text = length;
        next.pieces = 1;
        self.push(next, Taken::Group(group), chance);
    }

    /// Octets of a message.
    fn text(&mut self, mut path: Path, record: &Record) {
        // After 354 comes the message; of a chunk, more of it, unless its reply is due.
        let chance = match record.count {
            // Who writes a line at a time goes on to do so.
            1 if path.pieces > 2 && path.state == State::Body => -0.5,
            1 if record.length.max <= 1000 => (f64::from(record.length.width()) / 90.0).ln(),
            1 => (f64::from(record.length.width()) / 3000.0).ln(),
            _ => -row(record),
        };
        path.text = path.text.plus(record.length);
        path.pieces += record.count;
        self.push(path, Taken::Text, chance);
    }

    /// A long run of records that begins with BDAT.
    fn chunk(&mut self, path: Path, record: &Record) {
        if self.context.offers.chunking == Some(false) || path.state == State::Start {
            return;
        }
        if path.more_chunks() {
            self.say(&path, Command::Bdat, None, State::Chunk, -3.0 - row(record), |path| {
                path.text = path.text.plus(record.length);
                path.pieces += record.count;
            });
        }
        if path.state == State::Between {
            for n in 1..=6u16 {
                for quit in [false, true] {
                    let group = Group { mail: true, recipients: n, end: End::Bdat, quit };
                    self.group(&path, group, -6.0 - f64::from(n) * 0.5 - row(record), record.length);
                }
            }
        } else if path.recipients > 0 {
            self.say(&path, Command::Bdat, None, State::Chunk, -6.0 - row(record), |path| {
                path.text = record.length;
                path.pieces = record.count;
            });
        }
    }
}

/// What a row of records costs a reading that takes it for octets of a message.
fn row(record: &Record) -> f64 {
    0.1 * f64::from(record.count.min(100))
}

/// How often another chunk follows one that was taken.
const MORE_CHUNKS: f64 = 0.6;

/// `AUTH` and a mechanism that has no initial response: octets, mechanism, share.
const FIXED: &[(i32, Mechanism, f64)] = &[
    (12, Mechanism::Login, 0.32),
    (12, Mechanism::Plain, 0.08),
    (15, Mechanism::CramMd5, 0.14),
    (14, Mechanism::Xoauth2, 0.02),
    (17, Mechanism::DigestMd5, 0.005),
    (18, Mechanism::ScramSha1, 0.005),
    (20, Mechanism::ScramSha256, 0.01),
    (11, Mechanism::Ntlm, 0.002),
];

/// Octets of `*` and the line end.
const CANCEL: i32 = 3;

/// `AUTH` with an initial response: octets before its base64 and with the line end, mechanism, share.
const INITIAL: &[(i32, Mechanism, f64)] =
    &[(13, Mechanism::PlainInitial, 0.3), (13, Mechanism::LoginInitial, 0.1), (15, Mechanism::Xoauth2Initial, 0.03)];

/// Recipients that one record may hold.
const MOST_RECIPIENTS: i32 = 60;

/// More octets than any row of commands that is not answered in between.
const LONG: i32 = 20_000;

/// The chance that n recipients (and MAIL, and what ends them) take so many octets.
fn rows(length: Range, n: i32, mail: bool, last: i32) -> f64 {
    let n = f64::from(n);
    let (mail_mean, mail_spread) = if mail { (14.0 + 24.0 + 7.0, 12.0) } else { (0.0, 0.0) };
    let mean = mail_mean + n * (12.0 + 25.0) + f64::from(last);
    let middle = f64::from(length.min + length.max) / 2.0;
    // With parameters of DSN (RFC 3461) a recipient takes more.
    let more = (middle - mean - n * 35.0) / (mail_spread * mail_spread + n * 200.0 + n * n * 250.0f64).sqrt();
    let with_parameters = 0.06 * (-0.5 * more * more).exp() / ((n * 200.0 + n * n * 250.0).sqrt() * 2.507);
    // Addresses of one message have much in common, so that their sum varies more than by chance.
    let deviation = (mail_spread * mail_spread + n * 81.0 + n * n * 9.0f64).sqrt();
    let z = (middle - mean) / deviation;
    let plain = 0.94 * (-0.5 * z * z).exp() / (deviation * 2.507);
    f64::from(length.width()) * (plain + with_parameters)
}

/// The chance of n recipients.
fn count_chance(n: i32) -> f64 {
    match n {
        1 => 0.38,
        2..=4 => 0.1,
        5..=12 => 0.03,
        _ => 0.15 / f64::from(n * n),
    }
}

/// The chance of so many octets of any text: alike on every scale.
fn octets_chance(length: Range) -> f64 {
    f64::from(length.width()) / (f64::from(length.max.max(20)) * 10.0)
}
