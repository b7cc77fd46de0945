//! Several replies in one record: what their lengths are together.

use std::rc::Rc;

use super::expected::{Expected, Pool, Usual};
use super::grammar::{Command, Outcome, State, Taken};
use super::prior::Range;
use super::replies::{pop, refusal_chance};
use super::search::{Path, Search};
use super::templates::Kind;

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
        let of_recipients = self.usual_acceptances(path, n, sum.mail);
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
            let with = |recipient: Usual, data: Usual| {
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
                Rest { variance: rest.variance.max(0.0), ..rest }
            };
            let of_data = self.usual_go_ahead(path, sum.ends_data && any);
            let fit = |recipient, data| with(recipient, data).fit(refused, &refusals, pool);
            let (fit, likely) = weigh(of_recipients, of_data, fit);
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
            let learned = if accepted.variance < 1.0 && !accepted.echo { Some(accepted.mean) } else { likely };
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
}

/// How well a record fits what acceptances and the answer to DATA usually are, and how long an acceptance is where one length
/// has most of that.
fn weigh(recipients: [Usual; 3], data: [Usual; 2], fit: impl Fn(Usual, Usual) -> f64) -> (f64, Option<f64>) {
    let (mut whole, mut most) = (0.0, Usual::NONE);
    for recipient in recipients {
        for data in data {
            let share = recipient.share * data.share;
            let part = if share > 0.0 { share * fit(recipient, data) } else { 0.0 };
            whole += part;
            if recipient.octets.is_some() && part > most.share {
                most = Usual { share: part, octets: recipient.octets };
            }
        }
    }
    (whole, most.octets.filter(|_| most.share > 0.8 * whole))
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
