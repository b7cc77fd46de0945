//! How long addresses are: what is left of MAIL and RCPT without their parameters.

use super::claims::Octets;
use super::parameters::{self, add};
use super::prior::Range;
use super::reading::{Mail, Reading};
use super::software::Clients;
use super::statements::{Ground, octets_of};
use super::templates::{Echo, Kind, Parameter, Server};

/// The length of each message's sender, with how sure it is. `offering`: the server, where it is known well enough to tell
/// what it offers.
pub(super) fn sender_lengths(
    ground: &Ground<'_>,
    reading: &Reading,
    clients: &Clients,
    offering: Option<&Server>,
    notified: f64,
) -> Vec<Option<Sender>> {
    let sets = parameters::sets(ground.templates, &ground.context.offers, offering, clients, notified);
    // Whether SIZE is given is a habit of the client: alike in all messages of a session.
    let mut habit = [0.0f64; 2];
    for (index, with) in [(0, false), (1, true)] {
        let prior: f64 = sets.iter().filter(|(set, _)| sized(set) == with).map(|(_, share)| share).sum();
        let mut score = prior.max(1e-9).ln();
        for mail in &reading.mails {
            let fit: f64 = candidates(ground, reading.server, mail, &sets)
                .into_iter()
                .filter(|c| sized(c.set) == with)
                .map(|c| c.weight)
                .sum();
            if mail.after_mail.is_some() {
                score += (fit / prior.max(1e-9)).max(1e-9).ln();
            }
        }
        habit[index] = score;
    }
    let top = habit[0].max(habit[1]);
    let shares = habit.map(|score| (score - top).exp());
    let sum = shares[0] + shares[1];
    reading
        .mails
        .iter()
        .map(|mail| {
            let after = mail.after_mail?;
            let mut all = candidates(ground, reading.server, mail, &sets);
            for (index, with) in [(0, false), (1, true)] {
                let whole: f64 = all.iter().filter(|c| sized(c.set) == with).map(|c| c.weight).sum();
                for candidate in all.iter_mut().filter(|c| sized(c.set) == with) {
                    candidate.weight *= shares[index] / sum / whole.max(1e-300);
                }
            }
            let (octets, surety) = chosen(all.iter().map(|c| (c.address, c.weight)).collect(), ENOUGH_FOR_SENDER)?;
            let of_this = |c: &&Candidate<'_>| octets.is_exact() && u64::try_from(c.address.min) == Ok(octets.min);
            let best = all.iter().filter(of_this).max_by(|a, b| a.weight.total_cmp(&b.weight));
            let reason = best.map(|candidate| in_words(candidate.set, after, candidate.address));
            Some(Sender { octets, surety, reason })
        })
        .collect()
}

/// The length of a message's sender.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) octets: Octets,
    /// How sure that is.
    pub(super) surety: f64,
    /// How it follows, where it is one length.
    pub(super) reason: Option<String>,
}

/// What is taken for parameters of MAIL.
fn in_words(set: &[Parameter], after: Range, address: Range) -> String {
    if set.is_empty() {
        return format!("{after} octets inside MAIL FROM:<> are the address, since no parameters are to be expected");
    }
    let names: Vec<&str> = set
        .iter()
        .map(|parameter| match parameter {
            Parameter::Size => "SIZE with the digits of the message's size",
            Parameter::SizeAbove => "SIZE with the digits of the message's size and 1024",
            Parameter::Body => "BODY=8BITMIME",
            Parameter::Utf8 => "SMTPUTF8",
            Parameter::Auth => "AUTH with the address once more",
            Parameter::Ret => "RET",
            Parameter::Envid => "ENVID",
        })
        .collect();
    let less = after.min - address.min;
    format!("of {after} octets inside MAIL FROM:<> {less} are taken for {}", names.join(", "))
}

/// A way to read MAIL: the address's length under one set of parameters.
struct Candidate<'a> {
    set: &'a [Parameter],
    address: Range,
    weight: f64,
}

fn sized(set: &[Parameter]) -> bool {
    set.iter().any(|p| matches!(p, Parameter::Size | Parameter::SizeAbove))
}

fn candidates<'a>(
    ground: &Ground<'_>,
    server: u16,
    mail: &Mail,
    sets: &'a [(Vec<Parameter>, f64)],
) -> Vec<Candidate<'a>> {
    let Some(after) = mail.after_mail else { return Vec::new() };
    let size = octets_of(mail);
    let mut found = Vec::new();
    for (set, share) in sets {
        let mut lengths = vec![Range::new(0, 0)];
        for parameter in set {
            let (low, high) = match (parameter, size) {
                (Parameter::Size, Some(size)) => sized_between(size.min * 97 / 100, size.max),
                (Parameter::SizeAbove, Some(size)) => sized_between(size.min + 900, size.max + 1100),
                // ` AUTH=`, and the address again or `<>`.
                (Parameter::Auth, _) => (6, 6),
                _ => parameters::bounds(*parameter),
            };
            let more: Vec<Range> = (low..=high).map(|n| Range::new(n, n)).collect();
            lengths = lengths.iter().flat_map(|one| more.iter().map(|other| one.plus(*other))).collect();
        }
        let ways = lengths.len() as f64;
        for length in lengths {
            let mut address = after.less(length);
            if set.contains(&Parameter::Auth) {
                // The address twice: every second length.
                address = Range::new((address.min + 1).div_euclid(2), address.max.div_euclid(2));
            }
            if address.max < 0 || address.min > address.max {
                continue;
            }
            let null = if address.contains(0) { 0.05 } else { 0.0 };
            let chance = 0.95 * ground.priors.address(address) + null;
            let echo = echo_fit(ground, server, Kind::Mail, mail.mail_reply, address);
            let address = Range::new(address.min.max(0), address.max);
            found.push(Candidate { set, address, weight: share * chance * echo / ways });
        }
    }
    found
}

/// The least and the most octets of ` SIZE=` and the digits of a number between two.
fn sized_between(low: u64, high: u64) -> (i32, i32) {
    (6 + digits(low), 6 + digits(high))
}

fn digits(n: u64) -> i32 {
    n.max(1).ilog10() as i32 + 1
}

/// How well an address fits the reply that repeats it, where the server is known to do so.
fn echo_fit(ground: &Ground<'_>, server: u16, kind: Kind, reply: Option<Range>, address: Range) -> f64 {
    let (Some(reply), Some(server)) = (reply, ground.templates.servers.get(usize::from(server))) else { return 1.0 };
    let laws: Vec<_> = server.laws(kind).collect();
    let echoes: Vec<_> = laws.iter().filter(|law| law.echo == Echo::Address).collect();
    if echoes.is_empty() {
        return 1.0;
    }
    let fits = echoes
        .iter()
        .any(|law| Range::new(i32::from(law.base), i32::from(law.base + law.span)).plus(address).meets(reply));
    if fits { 1.0 } else { 0.02 }
}

/// The length with the most weight, if it has enough; else the range that has.
fn chosen(mut all: Vec<(Range, f64)>, enough: f64) -> Option<(Octets, f64)> {
    let whole: f64 = all.iter().map(|(_, weight)| weight).sum();
    if whole <= 0.0 {
        return None;
    }
    let mut merged: Vec<(Range, f64)> = Vec::new();
    for (range, weight) in all.drain(..) {
        add(&mut merged, range, weight / whole);
    }
    merged.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (mut range, mut sum) = merged.first().copied()?;
    // An interval of lengths is not exact anyway: then all that may be is taken in.
    let alone = sum >= if range.width() > 1 { ENOUGH_TOGETHER } else { enough };
    for (other, weight) in merged.iter().skip(1) {
        if alone || sum >= ENOUGH_TOGETHER {
            break;
        }
        range = Range::new(range.min.min(other.min), range.max.max(other.max));
        sum += weight;
    }
    if range.width() > WIDEST {
        return None;
    }
    let octets = |n: i32| u64::try_from(n.max(0)).unwrap_or(0);
    Some((Octets::between(octets(range.min), octets(range.max)), sum))
}

/// How much weight a length needs to be told alone, and how much several need to be told as a range.
const ENOUGH: f64 = 0.94;
const ENOUGH_FOR_SENDER: f64 = 0.9;
const ENOUGH_TOGETHER: f64 = 0.99;

/// A wider range says nothing.
const WIDEST: i32 = 24;

/// Message by message, the length of each recipient's address with how sure it is.
pub(super) type Lengths = Vec<Vec<Option<(Octets, f64)>>>;

/// The length of each recipient's address, message by message, and how likely it is that notifications are asked for.
/// `offering`: see [`sender_lengths`].
pub(super) fn recipients_lengths(
    ground: &Ground<'_>,
    reading: &Reading,
    clients: &Clients,
    offering: Option<&Server>,
) -> (Lengths, f64) {
    let all = || reading.mails.iter().flat_map(|mail| &mail.recipients).filter(|rcpt| rcpt.after.is_some());
    let mut weights: Vec<(Extra, f64)> = Vec::new();
    let lacks = offering.is_some_and(|server| server.lacks.contains(&Parameter::Ret));
    let offered = ground.context.offers.dsn.unwrap_or(!lacks);
    let known = ground.templates.clients.iter().enumerate().filter(|(_, client)| client.original);
    let original: f64 = known.map(|(n, _)| clients.share(n)).sum();
    // Of a server whose offers did not show, half offer it.
    let original = original * if ground.context.offers.dsn.is_some() { 1.0 } else { 0.5 };
    for extra in Extra::ALL {
        let prior = extra.prior(offered, original);
        if prior == 0.0 {
            continue;
        }
        let mut score = prior.ln();
        for rcpt in all() {
            let Some(after) = rcpt.after else { continue };
            let address = extra.address(after);
            let chance = address.map_or(1e-6, |address| {
                ground.priors.address(address) * echo_fit(ground, reading.server, Kind::Rcpt, reply_of(rcpt), address)
            });
            score += chance.max(1e-9).ln();
        }
        weights.push((extra, score));
    }
    let top = weights.iter().map(|(_, score)| *score).fold(f64::NEG_INFINITY, f64::max);
    let whole: f64 = weights.iter().map(|(_, score)| (score - top).exp()).sum();
    // Some programs give ORCPT wherever they can, so that it says little of what else is asked for.
    let asks: f64 = weights.iter().map(|(extra, score)| (score - top).exp() * extra.asks()).sum();
    let lengths = reading
        .mails
        .iter()
        .map(|mail| {
            mail.recipients
                .iter()
                .map(|rcpt| {
                    let after = rcpt.after?;
                    let lengths = weights
                        .iter()
                        .filter_map(|(extra, score)| Some((extra.address(after)?, (score - top).exp() / whole)))
                        .collect();
                    chosen(lengths, ENOUGH)
                })
                .collect()
        })
        .collect();
    (lengths, if offered { (asks / whole).max(0.02) } else { 0.0 })
}

fn reply_of(rcpt: &super::reading::Rcpt) -> Option<Range> {
    rcpt.reply.filter(|_| rcpt.accepted == Some(true))
}

/// What follows the address of RCPT (RFC 3461), alike for all recipients of a session.
#[derive(Clone, Copy, Debug)]
struct Extra {
    /// ` ORCPT=rfc822;` and the address again.
    original: bool,
    /// ` NOTIFY=` and its value.
    notify: i32,
}

impl Extra {
    const ALL: [Extra; 9] = [
        Extra { original: false, notify: 0 },
        Extra { original: true, notify: 0 },
        // NEVER, FAILURE, FAILURE,DELAY, SUCCESS,FAILURE, all three
        Extra { original: false, notify: 13 },
        Extra { original: false, notify: 15 },
        Extra { original: false, notify: 21 },
        Extra { original: false, notify: 23 },
        Extra { original: false, notify: 29 },
        Extra { original: true, notify: 21 },
        Extra { original: true, notify: 23 },
    ];

    /// How much it says that somebody asked for notifications.
    fn asks(self) -> f64 {
        match (self.notify, self.original) {
            (0, false) => 0.0,
            (0, true) => 0.2,
            _ => 1.0,
        }
    }

    /// How often it is met where DSN is offered or not, with the share of clients that give ORCPT whenever they can.
    fn prior(self, offered: bool, original: f64) -> f64 {
        let (others, those) = match (self.original, self.notify, offered) {
            (false, 0, false) => (1.0, 1.0),
            (_, _, false) => (0.0, 0.0),
            (false, 0, true) => (0.93, 0.08),
            (true, 0, true) => (0.02, 0.8),
            (true, _, true) => (0.007, 0.05),
            (false, _, true) => (0.007, 0.002),
        };
        others * (1.0 - original) + those * original
    }

    fn address(self, after: Range) -> Option<Range> {
        let rest = after.less_octets(self.notify);
        if !self.original {
            return (rest.max >= 1).then_some(rest);
        }
        let twice = rest.less_octets(14);
        // There `+` and `=` take three octets each (RFC 3461 §4), so that the address may be one or two shorter.
        let (min, max) = ((twice.min + 1).div_euclid(2), twice.max.div_euclid(2));
        (min <= max && max >= 1).then_some(Range::new((min - 2).max(1), max))
    }
}
