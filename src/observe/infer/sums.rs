//! Several replies in one record: what their lengths are together.

use std::rc::Rc;

use super::grammar::{Command, End, Outcome, State, Taken};
use super::learned::Learned;
use super::prior::Range;
use super::replies::{pop, refusal_chance};
use super::search::{Path, Search};
use super::templates::{Echo, Kind};

impl Search<'_> {
    /// Several replies in one record: to the first j commands, r of whose recipients are refused.
    pub(super) fn several(&mut self, path: &Path, length: Range, all: u32) {
        let mut sum = Sum::default();
        let mut taken = 0u32;
        for (place, waiting) in path.waiting.iter().enumerate() {
            if !matches!(
                waiting.command,
                Command::Mail
                    | Command::Rcpt
                    | Command::Data
                    | Command::Body
                    | Command::Bdat
                    | Command::Rset
                    | Command::Quit
            ) {
                return;
            }
            for nth in 0..waiting.count {
                taken += 1;
                if waiting.command == Command::Rcpt {
                    sum.recipients += 1;
                } else {
                    if waiting.command == Command::Bdat && taken == all && taken > 1 {
                        let mut first_chunk = sum;
                        let expected = self.expected(path, Kind::More);
                        first_chunk.mean += expected.mean;
                        first_chunk.variance += expected.variance;
                        (first_chunk.ends_bdat, first_chunk.more) = (true, true);
                        let weight = weight(path, taken, all) + (0.2f64).ln();
                        self.sums(path, length, taken, &first_chunk, weight, Command::Bdat);
                    }
                    self.add(path, &mut sum, waiting.command);
                }
                let among_many = waiting.count > 8 && nth + 1 < waiting.count;
                if taken < 2 || (among_many && sum.recipients > 24) {
                    continue;
                }
                self.sums(path, length, taken, &sum, weight(path, taken, all), waiting.command);
            }
            if place > 40 {
                return;
            }
        }
    }

    /// Adds what a reply to `command` is expected to be long.
    fn add(&mut self, path: &Path, sum: &mut Sum, command: Command) {
        let kind = match command {
            Command::Mail => Kind::Mail,
            Command::Data => Kind::Data,
            Command::Body => Kind::Queued,
            Command::Bdat => Kind::Bdat,
            Command::Rset => Kind::Rset,
            _ => Kind::Quit,
        };
        sum.mail |= command == Command::Mail;
        sum.ends_data |= command == Command::Data;
        sum.ends_bdat |= command == Command::Bdat;
        let expected = self.expected(path, kind);
        sum.mean += expected.mean;
        sum.variance += expected.variance;
        sum.echoes += f64::from(u8::from(expected.echo));
    }

    /// What the addresses of the group that awaits these replies take, where its length tells.
    fn pool(&self, path: &Path) -> Pool {
        let Some((group, length)) = path.group.filter(|(group, _)| group.end != End::Bdat) else {
            return Pool::default();
        };
        let (mail, data) = (u16::from(group.mail), u16::from(group.end == End::Data));
        let fixed = f64::from(14 * mail + 12 * group.recipients + 6 * data);
        let (parameters, spread) = if group.mail { self.context.habits.parameters } else { (0.0, 0.0) };
        let count = f64::from(group.recipients + mail);
        let mean = (f64::from(length.min + length.max) / 2.0 - fixed - parameters) / count;
        // With parameters of DSN (RFC 3461) it does not tell.
        if (6.0..45.0).contains(&mean) { Pool { mean, count, spread } } else { Pool::default() }
    }

    /// What is known of a kind of reply: its mean and how it varies.
    fn expected(&self, path: &Path, kind: Kind) -> Expected {
        let habit = Learned::slot(kind).map(|slot| path.learned.laws[slot]).filter(|h| h.seen > 0);
        if let Some(habit) = habit {
            if let Some(fixed) =
                habit.fixed.filter(|_| habit.seen > 1 || habit.echo.is_none() || !self.echoes(path, kind))
            {
                return Expected::between(fixed);
            }
            if let Some(echo) = habit.echo {
                return Expected { echo: true, ..Expected::between(echo) };
            }
        }
        if let Some(server) = self.templates.servers.get(usize::from(path.server)) {
            let laws: Vec<_> = server.laws(kind).collect();
            if let Some(law) = laws.first() {
                // Several laws of one kind make one broad expectation.
                let low = laws.iter().map(|l| i32::from(l.base)).min().unwrap_or(0);
                let high = laws.iter().map(|l| i32::from(l.base + l.span)).max().unwrap_or(0);
                let own = Expected::between(Range::new(low, high));
                return match law.echo {
                    Echo::Nothing => own,
                    Echo::Address => Expected { echo: true, ..own },
                    Echo::Host => {
                        let host = path.learned.host.unwrap_or(Range::new(8, 30));
                        let host = Expected::between(host);
                        Expected { mean: own.mean + host.mean, variance: own.variance + host.variance, echo: false }
                    }
                };
            }
        }
        match kind {
            Kind::Data => Expected { mean: 36.0, variance: 200.0, echo: false },
            Kind::More => Expected { mean: 26.0, variance: 100.0, echo: false },
            Kind::Queued | Kind::Bdat => Expected { mean: 38.0, variance: 250.0, echo: false },
            _ => Expected { mean: 16.0, variance: 150.0, echo: false },
        }
    }

    fn echoes(&self, path: &Path, kind: Kind) -> bool {
        self.templates
            .servers
            .get(usize::from(path.server))
            .is_none_or(|server| server.laws(kind).any(|law| law.echo == Echo::Address))
    }

    fn sums(&mut self, path: &Path, length: Range, commands: u32, sum: &Sum, weight: f64, last: Command) {
        if i64::from(length.max) < i64::from(commands) * LEAST_REPLY {
            return;
        }
        let n = sum.recipients;
        let accepted = self.expected(path, Kind::Rcpt);
        let refusals = self.refusals(path);
        let pool = self.pool(path);
        let first = path.waiting[0].command;
        let flushes = self.templates.servers.get(usize::from(path.server)).is_some_and(|server| server.flushes);
        let all: u32 = path.waiting.iter().map(|w| u32::from(w.count)).sum();
        let (of_recipients, of_data) = (self.usual_acceptances(path, sum), self.usual_go_ahead(path, sum));
        for refused in 0..=n.min(MOST_REFUSED) {
            let taken = n - refused;
            let any = u32::from(path.taken) + taken > 0;
            let mut chance = binomial(n, refused, refusal_chance(path));
            let mut outcome = Outcome::Yes;
            let mut mean = sum.mean + f64::from(taken) * accepted.mean;
            let mut variance = sum.variance;
            let echoes = sum.echoes + if accepted.echo { f64::from(taken) } else { 0.0 };
            // Unknown lengths of one kind are the same each time.
            let of_acceptances = if accepted.echo || accepted.variance < 30.0 {
                f64::from(taken) * accepted.variance
            } else {
                f64::from(taken * taken) * accepted.variance
            };
            variance += of_acceptances;
            if flushes && n > 0 {
                match (refused, last == Command::Rcpt) {
                    (0, true) if commands < all => chance *= 0.03,
                    (0, _) => {}
                    (1, true) => outcome = Outcome::No,
                    _ => chance *= 0.003,
                }
            }
            if sum.ends_data || sum.ends_bdat {
                if sum.more && !any {
                    continue;
                }
                if !any {
                    outcome = Outcome::No;
                    chance *= 0.95;
                    let (yes, no) = match sum.ends_data {
                        true => (self.expected(path, Kind::Data), self.expected(path, Kind::DataNo)),
                        false => (self.expected(path, Kind::Bdat), self.expected(path, Kind::BdatNo)),
                    };
                    mean += no.mean - yes.mean;
                    variance = variance - yes.variance + no.variance;
                } else {
                    chance *= 0.99;
                }
            }
            // No fit is better than 1.
            if path.score + chance.max(1e-300).ln() + weight < self.cutoff() {
                continue;
            }
            let rest = Rest { length, mean, variance: variance.max(0.0), echoes };
            let mut fit = 0.0;
            let mut known = Usual { share: 0.0, octets: None };
            for recipient in of_recipients {
                for data in of_data.iter().take(if any { 2 } else { 1 }) {
                    let mut rest = rest;
                    if let Some(octets) = recipient.octets {
                        rest.mean += f64::from(taken) * (octets - accepted.mean);
                        rest.variance -= of_acceptances;
                        if sum.mail {
                            let mail = self.expected(path, Kind::Mail);
                            rest.mean += octets - mail.mean;
                            rest.variance -= mail.variance;
                        }
                    }
                    if let Some(octets) = data.octets {
                        let data = self.expected(path, Kind::Data);
                        rest.mean += octets - data.mean;
                        rest.variance -= data.variance;
                    }
                    rest.variance = rest.variance.max(0.0);
                    let share = recipient.share * data.share;
                    if share > 0.0 {
                        let part = share * rest.fit(refused, &refusals, pool);
                        fit += part;
                        if recipient.octets.is_some() && part > known.share {
                            known = Usual { share: part, octets: recipient.octets };
                        }
                    }
                }
            }
            let total = (chance * fit).max(1e-300).ln() + weight;
            if path.score + total < self.cutoff() || fit < 1e-9 {
                continue;
            }
            let mut next = path.clone();
            pop(&mut next, commands);
            next.taken += taken as u16;
            next.refused += refused as u16;
            if first == Command::Body || last == Command::Body {
                next.close_transaction();
                next.state = State::Between;
            }
            match last {
                Command::Data if outcome == Outcome::Yes => {
                    next.state = State::Body;
                    next.text = Range::new(0, 0);
                    next.pieces = 0;
                }
                Command::Data => next.state = State::Between,
                Command::Bdat if next.waiting.is_empty() => {
                    next.state = State::Between;
                    if !sum.more {
                        next.close_transaction();
                    }
                }
                Command::Quit => next.state = State::Over,
                _ => {}
            }
            let learned = if accepted.variance < 1.0 && !accepted.echo {
                Some(accepted.mean)
            } else {
                known.octets.filter(|_| known.share > 0.8 * fit)
            };
            if let Some(octets) = learned.filter(|_| n > 0 && refused == 0) {
                // What fits is now known of the session.
                let value = octets.round() as i32;
                if next.learned.laws[1].seen == 0 {
                    let slot = &mut Rc::make_mut(&mut next.learned).laws[1];
                    slot.fixed = Some(Range::new(value, value));
                    slot.seen = 1;
                }
            }
            let taken = Taken::Replies {
                commands: commands as u16,
                refused: refused as u16,
                recipients: n as u16,
                first,
                outcome,
                surety: 100,
            };
            self.push(next, taken, total);
        }
    }

    /// How servers that are not in the table answer most often, of which nothing else is known: RCPT as they answer MAIL.
    fn usual_acceptances(&self, path: &Path, sum: &Sum) -> [Usual; 3] {
        let habit = |kind| path.learned.habit(kind).filter(|habit| habit.seen > 0);
        if self.is_known(path) || sum.recipients == 0 || habit(Kind::Rcpt).is_some() {
            return [Usual::ANY, Usual::NONE, Usual::NONE];
        }
        let exact = |range: Range| (range.width() == 1).then_some(f64::from(range.min));
        match habit(Kind::Mail) {
            Some(mail) => match mail.fixed.and_then(exact) {
                Some(octets) => {
                    [Usual { share: 0.67, octets: None }, Usual { share: 0.33, octets: Some(octets) }, Usual::NONE]
                }
                None => [Usual::ANY, Usual::NONE, Usual::NONE],
            },
            None if sum.mail => [
                Usual { share: 0.75, octets: None },
                Usual { share: 0.17, octets: Some(14.0) },
                Usual { share: 0.08, octets: Some(8.0) },
            ],
            None => [Usual::ANY, Usual::NONE, Usual::NONE],
        }
    }

    /// `354 End data with <CR><LF>.<CR><LF>`, which many servers have from one another.
    fn usual_go_ahead(&self, path: &Path, sum: &Sum) -> [Usual; 2] {
        let is_seen = path.learned.habit(Kind::Data).is_some_and(|habit| habit.seen > 0);
        if self.is_known(path) || is_seen || !sum.ends_data {
            return [Usual::ANY, Usual::NONE];
        }
        [Usual { share: 0.7, octets: None }, Usual { share: 0.3, octets: Some(37.0) }]
    }

    fn is_known(&self, path: &Path) -> bool {
        usize::from(path.server) < self.templates.servers.len()
    }

    /// How refusals of this server are long: pieces with their shares.
    fn refusals(&self, path: &Path) -> Vec<(Expected, f64)> {
        let mut pieces = Vec::new();
        for slot in [6, 7] {
            let habit = path.learned.laws[slot];
            match (habit.fixed, habit.echo) {
                (Some(fixed), _) if habit.seen > 0 => pieces.push((Expected::between(fixed), 2.0)),
                _ => {}
            }
        }
        if let Some(server) = self.templates.servers.get(usize::from(path.server)) {
            for (n, law) in server.laws(Kind::RcptNo).enumerate() {
                let own = Expected::between(Range::new(i32::from(law.base), i32::from(law.base + law.span)));
                let piece = match law.echo {
                    Echo::Address => Expected { echo: true, ..own },
                    _ => own,
                };
                // The first named is the commonest.
                pieces.push((piece, 1.0 / (n + 1) as f64));
            }
        }
        pieces.push((Expected { mean: 60.0, variance: 900.0, echo: false }, if pieces.is_empty() { 1.0 } else { 0.1 }));
        let total: f64 = pieces.iter().map(|(_, share)| share).sum();
        pieces.iter().map(|(piece, share)| (*piece, share / total)).collect()
    }
}

/// How likely it is that of all replies that are due the first so many come in one record.
fn weight(path: &Path, first: u32, all: u32) -> f64 {
    let chance = match (first == all, path.grouped) {
        (true, true) => 0.5,
        (false, true) => 0.4 / f64::from(all.min(6)),
        (true, false) => 0.12,
        (false, false) => 0.1 / f64::from(all),
    };
    chance.ln()
}

/// A record of replies, and what is expected of those in it that refuse no recipient.
#[derive(Clone, Copy, Debug)]
struct Rest {
    length: Range,
    mean: f64,
    variance: f64,
    /// How many of them repeat an address.
    echoes: f64,
}

impl Rest {
    /// The chance that what is left of the record is `refused` refusals.
    fn fit(&self, refused: u32, pieces: &[(Expected, f64)], pool: Pool) -> f64 {
        let with = |parts: &[(&Expected, f64)]| {
            let (mut mean, mut variance, mut echoes) = (self.mean, self.variance, self.echoes);
            for (piece, n) in parts {
                mean += n * piece.mean;
                variance += n * piece.variance;
                echoes += if piece.echo { *n } else { 0.0 };
            }
            density(self.length, mean + echoes * pool.mean, variance + pool.variance(echoes))
        };
        if refused == 0 {
            return with(&[]);
        }
        // All of one kind, or of two kinds in any proportion.
        let mut chance = 0.0;
        for (i, (piece, share)) in pieces.iter().enumerate() {
            chance += share.powi(refused as i32) * with(&[(piece, f64::from(refused))]);
            for (other, other_share) in &pieces[i + 1..] {
                // The share of k refusals of the one kind and the rest of the other, from k = 1 on.
                let mut mixed = f64::from(refused) * share * other_share.powi(refused as i32 - 1);
                for k in 1..refused {
                    let (one, rest) = (f64::from(k), f64::from(refused - k));
                    if mixed > LEAST_SHARE {
                        chance += mixed * with(&[(piece, one), (other, rest)]);
                    }
                    mixed *= rest / (one + 1.0) * share / other_share;
                }
            }
        }
        chance
    }
}

/// The addresses of a group: what one takes, and how far a sum of some may be from that.
#[derive(Clone, Copy, Debug)]
struct Pool {
    mean: f64,
    /// How many share a sum that is known; 0: nothing is known of them.
    count: f64,
    /// The variance of that sum.
    spread: f64,
}

impl Default for Pool {
    fn default() -> Pool {
        Pool { mean: ADDRESS_MEAN, count: 0.0, spread: 0.0 }
    }
}

impl Pool {
    /// The variance of the sum of so many of its addresses: of all of them, that of the whole.
    fn variance(&self, addresses: f64) -> f64 {
        if self.count == 0.0 {
            return addresses * ADDRESS_VARIANCE;
        }
        let part = (addresses / self.count).min(1.0);
        addresses * ADDRESS_VARIANCE * (1.0 - part) + part * part * self.spread
    }
}

/// The length of some replies together.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    mean: f64,
    variance: f64,
    /// How many of them repeat an address, whose octets come on top.
    echoes: f64,
    recipients: u32,
    /// MAIL is answered in it.
    mail: bool,
    ends_data: bool,
    ends_bdat: bool,
    /// The chunk is not the last.
    more: bool,
}

/// A length that many servers share, with how often it is met; `None`: any.
#[derive(Clone, Copy, Debug)]
struct Usual {
    share: f64,
    octets: Option<f64>,
}

impl Usual {
    const ANY: Usual = Usual { share: 1.0, octets: None };
    const NONE: Usual = Usual { share: 0.0, octets: None };
}

/// What a reply is expected to be long.
#[derive(Clone, Copy, Debug)]
struct Expected {
    mean: f64,
    variance: f64,
    /// It repeats an address, whose octets come on top.
    echo: bool,
}

impl Expected {
    fn between(range: Range) -> Expected {
        let width = f64::from(range.width());
        Expected { mean: f64::from(range.min + range.max) / 2.0, variance: (width * width - 1.0) / 12.0, echo: false }
    }
}

/// Addresses as part of a sum.
const ADDRESS_MEAN: f64 = 25.0;
const ADDRESS_VARIANCE: f64 = 81.0;

/// Octets of the shortest replies that servers send: `250 ok` and its line end, or less with a code alone.
const LEAST_REPLY: i64 = 6;

/// Mixtures of refusals that are rarer are not weighed.
const LEAST_SHARE: f64 = 1e-4;

/// Refusals that are looked for in one record.
const MOST_REFUSED: u32 = 12;

/// The chance that a sum lies in a range.
fn density(length: Range, mean: f64, variance: f64) -> f64 {
    let width = f64::from(length.width());
    if variance < 0.05 {
        let low = f64::from(length.min) - 0.5;
        let high = f64::from(length.max) + 0.5;
        return if (low..=high).contains(&mean) { 1.0 } else { 0.0 };
    }
    let middle = f64::from(length.min + length.max) / 2.0;
    let whole = variance + (width * width - 1.0) / 12.0;
    let z = (middle - mean) * (middle - mean) / whole;
    if z > 40.0 { 0.0 } else { (width * (-0.5 * z).exp() / (whole.sqrt() * 2.507)).min(1.0) }
}

fn binomial(n: u32, k: u32, chance: f64) -> f64 {
    binomial_ways(n, k) * chance.powi(k as i32) * (1.0 - chance).powi((n - k) as i32)
}

fn binomial_ways(n: u32, k: u32) -> f64 {
    (0..k).fold(1.0, |ways, i| ways * f64::from(n - i) / f64::from(i + 1))
}
