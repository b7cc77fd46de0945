//! How long replies, commands and addresses are when nothing else is known of them.

use std::fmt;

use super::templates::{Echo, Kind, Law, Templates};

/// Lengths between two bounds, as the search reckons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Range {
    pub(super) min: i32,
    pub(super) max: i32,
}

/// `18`, or `18-33`; no length is below 0.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.min == self.max {
            true => write!(f, "{}", self.min),
            false => write!(f, "{}-{}", self.min.max(0), self.max.max(0)),
        }
    }
}

impl Range {
    pub(super) fn new(min: i32, max: i32) -> Range {
        Range { min, max }
    }

    pub(super) fn meets(self, other: Range) -> bool {
        self.min <= other.max && other.min <= self.max
    }

    pub(super) fn contains(self, value: i32) -> bool {
        (self.min..=self.max).contains(&value)
    }

    pub(super) fn overlap(self, other: Range) -> Range {
        Range { min: self.min.max(other.min), max: self.max.min(other.max) }
    }

    pub(super) fn width(self) -> i32 {
        self.max - self.min + 1
    }

    pub(super) fn plus(self, other: Range) -> Range {
        Range { min: self.min.saturating_add(other.min), max: self.max.saturating_add(other.max) }
    }

    pub(super) fn less(self, other: Range) -> Range {
        Range { min: self.min.saturating_sub(other.max), max: self.max.saturating_sub(other.min) }
    }

    /// The chance that a length of this range and one of `other`, all alike likely, together lie in `sum`.
    pub(super) fn plus_in(self, other: Range, sum: Range) -> f64 {
        let inside = |more: i32| {
            let moved = Range::new(self.min.saturating_add(more), self.max.saturating_add(more));
            if moved.meets(sum) { f64::from(moved.overlap(sum).width()) } else { 0.0 }
        };
        let all: f64 = (other.min..=other.max).map(inside).sum();
        all / f64::from(self.width()) / f64::from(other.width())
    }

    pub(super) fn less_octets(self, octets: i32) -> Range {
        Range { min: self.min.saturating_sub(octets), max: self.max.saturating_sub(octets) }
    }

    /// The residue-respecting count: the values `first + 4k` of it.
    pub(super) fn base64(self, first: i32) -> Option<Range> {
        let low = (self.min - first).max(0);
        let min = (low + 3) / 4;
        let max = (self.max - first).div_euclid(4);
        (min <= max && max >= 0).then_some(Range { min, max })
    }
}

/// Chances of lengths.
#[derive(Clone, Debug)]
pub(super) struct Chances {
    /// `sums[n]`: of a length below n.
    sums: Vec<f64>,
}

/// Longer lengths are all alike.
const LONGEST: usize = 640;

/// The least that any length gets, so that nothing is impossible.
const FLOOR: f64 = 2e-5;

impl Chances {
    fn from(weights: Vec<f64>) -> Chances {
        Chances::with_floor(weights, FLOOR)
    }

    fn with_floor(mut weights: Vec<f64>, floor: f64) -> Chances {
        weights.resize(LONGEST, 0.0);
        let total: f64 = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let mut sums = Vec::with_capacity(LONGEST + 1);
        let mut sum = 0.0;
        sums.push(0.0);
        for weight in weights {
            sum += weight / total * 0.98 + floor;
            sums.push(sum);
        }
        Chances { sums }
    }

    /// The chance that a length lies between the bounds.
    pub(super) fn of(&self, range: Range) -> f64 {
        let at = |n: i32| self.sums[usize::try_from(n).unwrap_or(0).min(LONGEST)];
        let beyond = (range.max - range.min.max(LONGEST as i32) + 1).max(0);
        (at(range.max.saturating_add(1)) - at(range.min)).max(0.0) + f64::from(beyond) * FLOOR * 0.2 + 1e-12
    }
}

/// All of them.
#[derive(Clone, Debug)]
pub(super) struct Priors {
    replies: Vec<Chances>,
    /// MAIL with its parameters.
    pub(super) mail: Chances,
    /// RCPT with its parameters.
    pub(super) rcpt: Chances,
    /// EHLO and its kind.
    pub(super) hello: Chances,
    /// VRFY and what else has an argument.
    pub(super) ask: Chances,
    /// k of a login's base64 text.
    pub(super) user64: Chances,
    pub(super) plain64: Chances,
    pub(super) token64: Chances,
    pub(super) address: Vec<f64>,
}

impl Priors {
    pub(super) fn new(templates: &Templates) -> Priors {
        let address: Vec<f64> = (0..120).map(address_weight).collect();
        let total: f64 = address.iter().sum();
        let address: Vec<f64> = address.iter().map(|w| w / total).collect();
        Priors {
            replies: Kind::all().map(|kind| replies(kind, templates, &address)).collect(),
            mail: spread(MAIL, &address, EMPTY, MAIL_PARAMETERS),
            rcpt: spread(12, &address, 0.0, RCPT_PARAMETERS),
            hello: Chances::from((0..300).map(|n| if n < 8 { 0.0 } else { bell(n, 25.0, 12.0) + 0.001 }).collect()),
            ask: Chances::from((0..80).map(|n| if n < 7 { 0.0 } else { 1.0 }).collect()),
            user64: Chances::from((0..100).map(|k| if k < 1 { 0.0 } else { bell(k, 6.0, 4.0) + 0.002 }).collect()),
            plain64: Chances::from((0..120).map(|k| if k < 2 { 0.0 } else { bell(k, 11.0, 6.0) + 0.002 }).collect()),
            token64: Chances::from((0..600).map(|k| if k < 12 { 0.0 } else { 1.0 }).collect()),
            address,
        }
    }

    /// The chance that a reply of a server of which nothing is known has a length.
    pub(super) fn reply(&self, kind: Kind, range: Range) -> f64 {
        self.replies[kind.index()].of(range)
    }

    /// The chance of a length where no template fits.
    pub(super) fn background(&self, kind: Kind, range: Range) -> f64 {
        let pieces = kind.background();
        let whole: f64 = pieces.iter().map(|(_, _, weight)| weight).sum();
        pieces
            .iter()
            .map(|(low, high, weight)| {
                let piece = Range::new(i32::from(*low), i32::from(*high));
                let part = if piece.meets(range) { piece.overlap(range).width() } else { 0 };
                weight / whole * f64::from(part) / f64::from(piece.width())
            })
            .sum()
    }

    /// The chance that a law gives a length, when nothing is known of address and host.
    pub(super) fn law(&self, law: Law, range: Range) -> f64 {
        let own = Range::new(i32::from(law.base), i32::from(law.base + law.span));
        match law.echo {
            Echo::Nothing if own.meets(range) => f64::from(own.overlap(range).width()) / f64::from(own.width()),
            Echo::Nothing => 0.0,
            Echo::Address => self.address(range.less(own)) / f64::from(own.width()),
            Echo::Host => {
                let whole = own.plus(Range::new(8, 30));
                if whole.meets(range) {
                    f64::from(whole.overlap(range).width()) / f64::from(whole.width())
                } else {
                    0.0
                }
            }
        }
    }

    /// The chance that an address has a length.
    pub(super) fn address(&self, range: Range) -> f64 {
        (range.min.max(0)..=range.max.min(119)).map(|n| self.address[n as usize]).sum::<f64>() + 1e-9
    }
}

/// Addresses: most have 15 to 35 octets, with a long tail.
fn address_weight(n: usize) -> f64 {
    if n < 3 {
        return 0.0;
    }
    let n = n as f64;
    let z = (n / 24.0).ln() / 0.44;
    (-0.5 * z * z).exp() / n + if n <= 64.0 { 0.00005 } else { 0.000_005 }
}

fn bell(n: usize, mean: f64, deviation: f64) -> f64 {
    let z = (n as f64 - mean) / deviation;
    (-0.5 * z * z).exp()
}

/// What stands after the address, in octets, with how often.
const MAIL_PARAMETERS: &[(u16, u16, f64)] =
    &[(0, 0, 0.44), (9, 13, 0.35), (14, 14, 0.09), (23, 27, 0.07), (9, 9, 0.02), (32, 60, 0.03)];
const RCPT_PARAMETERS: &[(u16, u16, f64)] = &[(0, 0, 0.955), (13, 36, 0.033), (28, 90, 0.012)];

/// The chance that parameters of MAIL (or of RCPT) have a length.
pub(super) fn parameters(mail: bool, rest: Range) -> f64 {
    let pieces = if mail { MAIL_PARAMETERS } else { RCPT_PARAMETERS };
    pieces
        .iter()
        .map(|(low, high, share)| {
            let piece = Range::new(i32::from(*low), i32::from(*high));
            if piece.meets(rest) {
                share * f64::from(piece.overlap(rest).width()) / f64::from(piece.width())
            } else {
                0.0
            }
        })
        .sum()
}

/// The chances of lengths of MAIL whose parameters take 0, 1, 2 ... octets with these chances.
pub(super) fn mail(address: &[f64], parameters: &[f64]) -> Chances {
    line(MAIL, address, EMPTY, parameters)
}

/// Octets of MAIL FROM:<> and the line end.
const MAIL: usize = 14;

/// The share of empty senders.
const EMPTY: f64 = 0.05;

fn spread(fixed: usize, address: &[f64], empty: f64, pieces: &[(u16, u16, f64)]) -> Chances {
    let longest = pieces.iter().map(|(_, high, _)| usize::from(*high)).max().unwrap_or(0);
    let mut parameters = vec![0.0; longest + 1];
    for (low, high, share) in pieces {
        for octets in *low..=*high {
            parameters[usize::from(octets)] += share / f64::from(high - low + 1);
        }
    }
    line(fixed, address, empty, &parameters)
}

/// The chances of lengths of a line: fixed octets, an address or an empty one, and parameters.
fn line(fixed: usize, address: &[f64], empty: f64, parameters: &[f64]) -> Chances {
    let mut weights = vec![0.0; LONGEST];
    for (octets, share) in parameters.iter().enumerate().filter(|(_, share)| **share > 0.0) {
        for (n, chance) in address.iter().enumerate() {
            let chance = chance * (1.0 - empty) + if n == 0 { empty } else { 0.0 };
            if let Some(weight) = weights.get_mut(fixed + n + octets) {
                *weight += chance * share;
            }
        }
    }
    // An address may be much longer, but hardly ever is.
    Chances::with_floor(weights, FLOOR * 0.02)
}

/// Half of what the known servers do, half of the background.
fn replies(kind: Kind, templates: &Templates, address: &[f64]) -> Chances {
    let mut weights = vec![0.0; LONGEST];
    let mut add = |low: u16, high: u16, weight: f64| {
        for n in low..=high {
            if let Some(slot) = weights.get_mut(usize::from(n)) {
                *slot += weight / f64::from(high - low + 1);
            }
        }
    };
    let pieces = kind.background();
    let whole: f64 = pieces.iter().map(|(_, _, w)| w).sum();
    for (low, high, weight) in pieces {
        add(*low, *high, weight / whole);
    }
    let known: Vec<_> = templates.servers.iter().filter(|s| s.laws(kind).next().is_some()).collect();
    // Common servers count for more, but one that is not known is no copy of the commonest.
    let weights_of_known: f64 = known.iter().map(|server| server.weight.sqrt()).sum();
    for server in &known {
        let laws = server.laws(kind).count() as f64;
        let share = server.weight.sqrt() / (weights_of_known * laws);
        for law in server.laws(kind) {
            match law.echo {
                Echo::Nothing => add(law.base, law.base + law.span, share),
                Echo::Host => add(law.base + 8, law.base + law.span + 30, share),
                Echo::Address => {
                    for (n, chance) in address.iter().enumerate() {
                        let n = n as u16 + law.base;
                        add(n, n + law.span, share * chance);
                    }
                }
            }
        }
    }
    Chances::from(weights)
}
