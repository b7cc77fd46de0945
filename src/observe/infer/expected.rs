//! What replies are expected to be long: by what was learned, by templates, or as those of most servers.

use super::grammar::End;
use super::learned::Learned;
use super::prior::Range;
use super::search::{Path, Search};
use super::templates::{Echo, Kind};

impl Search<'_> {
    /// What the addresses of the group that awaits these replies take, where its length tells.
    pub(super) fn pool(&self, path: &Path) -> Pool {
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
    pub(super) fn expected(&self, path: &Path, kind: Kind) -> Expected {
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
        if let Some(server) = self.templates.servers.get(usize::from(path.server))
            && let Some(law) = server.laws(kind).next()
        {
            // Several laws of one kind make one broad expectation.
            let low = server.laws(kind).map(|l| i32::from(l.base)).min().unwrap_or(0);
            let high = server.laws(kind).map(|l| i32::from(l.base + l.span)).max().unwrap_or(0);
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

    /// How servers that are not in the table answer most often, of which nothing else is known: RCPT as they answer MAIL.
    pub(super) fn usual_acceptances(&self, path: &Path, recipients: u32, answers_mail: bool) -> [Usual; 3] {
        let habit = |kind| path.learned.habit(kind).filter(|habit| habit.seen > 0);
        if self.is_known(path) || recipients == 0 || habit(Kind::Rcpt).is_some() {
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
            None if answers_mail => [
                Usual { share: 0.75, octets: None },
                Usual { share: 0.17, octets: Some(14.0) },
                Usual { share: 0.08, octets: Some(8.0) },
            ],
            None => [Usual::ANY, Usual::NONE, Usual::NONE],
        }
    }

    /// `354 End data with <CR><LF>.<CR><LF>`, which many servers have from one another.
    pub(super) fn usual_go_ahead(&self, path: &Path, goes_ahead: bool) -> [Usual; 2] {
        let is_seen = path.learned.habit(Kind::Data).is_some_and(|habit| habit.seen > 0);
        if self.is_known(path) || is_seen || !goes_ahead {
            return [Usual::ANY, Usual::NONE];
        }
        [Usual { share: 0.7, octets: None }, Usual { share: 0.3, octets: Some(37.0) }]
    }

    /// Whether the server has a template.
    pub(super) fn is_known(&self, path: &Path) -> bool {
        usize::from(path.server) < self.templates.servers.len()
    }

    /// How refusals of this server are long: pieces with their shares.
    pub(super) fn refusals(&self, path: &Path) -> Vec<(Expected, f64)> {
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

/// The addresses of a group: what one takes, and how far a sum of some may be from that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pool {
    pub(super) mean: f64,
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
    pub(super) fn variance(&self, addresses: f64) -> f64 {
        if self.count == 0.0 {
            return addresses * ADDRESS_VARIANCE;
        }
        let part = (addresses / self.count).min(1.0);
        addresses * ADDRESS_VARIANCE * (1.0 - part) + part * part * self.spread
    }
}

/// A length that many servers share, with how often it is met; `None`: any.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usual {
    pub(super) share: f64,
    pub(super) octets: Option<f64>,
}

impl Usual {
    pub(super) const ANY: Usual = Usual { share: 1.0, octets: None };
    pub(super) const NONE: Usual = Usual { share: 0.0, octets: None };
}

/// What a reply is expected to be long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub(super) mean: f64,
    pub(super) variance: f64,
    /// It repeats an address, whose octets come on top.
    pub(super) echo: bool,
}

impl Expected {
    pub(super) fn between(range: Range) -> Expected {
        let width = f64::from(range.width());
        Expected { mean: f64::from(range.min + range.max) / 2.0, variance: (width * width - 1.0) / 12.0, echo: false }
    }
}

/// Addresses as part of a sum.
const ADDRESS_MEAN: f64 = 25.0;
const ADDRESS_VARIANCE: f64 = 81.0;
