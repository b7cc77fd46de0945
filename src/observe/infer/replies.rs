//! How likely a reply is to have the length that a record shows.

use super::Octets;
use super::lengths::{Bell, LogP};
use super::templates::{Pattern, Server};
use super::token::{REPLIES, Reply};

/// What one server, known or not, has been seen to say: the lengths that its replies have had.
#[derive(Clone, Debug)]
pub(super) struct Habits {
    /// The server of the table that it is taken to be; its place there.
    pub server: Option<u8>,
    bound: [Bound; REPLIES],
}

/// What is known of the length of one kind of reply.
#[derive(Clone, Copy, Debug, Default)]
struct Bound {
    /// The lengths that it had, if it is the same text every time.
    same: Option<(u32, u32)>,
    /// The difference to the length of the command, if it repeats the command's address.
    echo: Option<(i32, i32)>,
    /// How often it was met.
    times: u32,
}

impl Habits {
    pub(super) fn new(server: Option<u8>) -> Habits {
        Habits { server, bound: [Bound::default(); REPLIES] }
    }

    /// That a reply of this kind to a command of `command` octets, with an address of `address`,
    /// has a length in `length`.
    pub(super) fn log(
        &self,
        servers: &[Server],
        reply: Reply,
        length: Octets,
        command: Option<Octets>,
        address: Octets,
    ) -> LogP {
        let free = self.free(reply, length, command);
        let Some(server) = self.server.and_then(|n| servers.get(usize::from(n))) else { return free.ln() };
        let known = server.replies(reply);
        if known.is_empty() {
            return free.ln();
        }
        let mut sum = 0.0;
        for pattern in known {
            sum += chance(pattern, length, address);
        }
        // A server may have been given other words by its administrator.
        (KNOWN_WORDS * sum / known.len() as f64 + (1.0 - KNOWN_WORDS) * free).ln()
    }

    /// The same without a table: by what this server said before, and by what replies are like.
    fn free(&self, reply: Reply, length: Octets, command: Option<Octets>) -> f64 {
        let bell = bell(reply).log(length).exp();
        let bound = &self.bound[reply as usize];
        if bound.times == 0 {
            return bell;
        }
        let steady = if varies(reply) { VARIED } else { STEADY };
        let same = bound.same.is_some_and(|(min, max)| overlap(length, u64::from(min), u64::from(max)));
        let echo = match (bound.echo, command) {
            (Some((min, max)), Some(command)) => {
                let low = command.min.saturating_add_signed(i64::from(min));
                let high = command.max.saturating_add_signed(i64::from(max));
                overlap(length, low, high)
            }
            _ => false,
        };
        let hit = match (bound.same.is_some(), bound.echo.is_some()) {
            (true, true) => 0.65 * f64::from(u8::from(same)) + 0.35 * f64::from(u8::from(echo)),
            (true, false) => f64::from(u8::from(same)),
            (false, true) => f64::from(u8::from(echo)),
            (false, false) => return 0.5 * bell,
        };
        steady * hit + (1.0 - steady) * bell
    }

    /// Remembers that a reply of this kind had a length in `length`.
    pub(super) fn learn(&mut self, reply: Reply, length: Octets, command: Option<Octets>) {
        let bound = &mut self.bound[reply as usize];
        let short = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let (min, max) = (short(length.min), short(length.max));
        let difference = command.map(|command| {
            let apart = |a: u64, b: u64| i32::try_from(a as i64 - b as i64).unwrap_or(i32::MAX);
            (apart(length.min, command.max), apart(length.max, command.min))
        });
        if bound.times == 0 {
            (bound.same, bound.echo) = (Some((min, max)), difference);
        } else {
            bound.same = bound.same.and_then(|(a, b)| (a.max(min) <= b.min(max)).then(|| (a.max(min), b.min(max))));
            bound.echo = match (bound.echo, difference) {
                (Some((a, b)), Some((c, d))) => (a.max(c) <= b.min(d)).then(|| (a.max(c), b.min(d))),
                _ => None,
            };
        }
        bound.times += 1;
    }

    /// What a reply of this kind is expected to be long, for sums: the alternatives with their
    /// weights, each a length or a mean with a deviation.
    pub(super) fn expected(&self, servers: &[Server], reply: Reply) -> Vec<Expected> {
        let known: &[Pattern] =
            self.server.and_then(|n| servers.get(usize::from(n))).map_or(&[], |server| server.replies(reply));
        let bound = &self.bound[reply as usize];
        let mut all: Vec<Expected> = Vec::new();
        if let Some((min, max)) = bound.same.filter(|_| bound.times > 0) {
            let length = Octets { min: u64::from(min), max: u64::from(max) };
            all.push(Expected { weight: 1.0 + f64::from(bound.times), length, mean: 0.0, deviation: 0.0 });
        }
        for pattern in known {
            let length = pattern.length(Octets::exactly(0));
            if pattern.echoes() {
                let mean = (length.min + length.max) as f64 / 2.0 + 22.0;
                all.push(Expected {
                    weight: 1.0,
                    length,
                    mean,
                    deviation: 9.0 + (length.max - length.min) as f64 / 3.5,
                });
            } else if length.max - length.min > 24 {
                let mean = (length.min + length.max) as f64 / 2.0;
                all.push(Expected { weight: 1.0, length, mean, deviation: (length.max - length.min) as f64 / 3.5 });
            } else {
                all.push(Expected { weight: 1.0, length, mean: 0.0, deviation: 0.0 });
            }
        }
        if all.is_empty() {
            let bell = bell(reply);
            let mean = bell.mode * (bell.spread * bell.spread / 2.0).exp();
            all.push(Expected { weight: 1.0, length: Octets::exactly(0), mean, deviation: mean * bell.spread });
        }
        let total: f64 = all.iter().map(|e| e.weight).sum();
        for expected in &mut all {
            expected.weight /= total;
        }
        all
    }
}

/// How long a reply is expected to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// How likely this alternative is.
    pub weight: f64,
    /// Its length, where `deviation` is nothing.
    pub length: Octets,
    /// Its mean length otherwise.
    pub mean: f64,
    /// How far it strays from that.
    pub deviation: f64,
}

fn chance(pattern: &Pattern, length: Octets, address: Octets) -> f64 {
    let can = pattern.length(address);
    let low = can.min.max(length.min);
    let high = can.max.min(length.max);
    if low > high {
        return 0.0;
    }
    // Where the address is not known to the octet, neither is its echo.
    let spread = if pattern.echoes() { address.max - address.min } else { 0 } + pattern.choices();
    (high - low + 1) as f64 / spread.max(1) as f64
}

fn overlap(length: Octets, min: u64, max: u64) -> bool {
    length.min <= max && min <= length.max
}

/// What replies of this kind are like where nothing is known of the server.
fn bell(reply: Reply) -> Bell {
    match reply {
        Reply::Banner => Bell::new(50.0, 0.5, 6),
        Reply::Hello => Bell::new(150.0, 0.5, 6),
        Reply::PromptUser | Reply::PromptPassword => Bell::new(18.0, 0.12, 5),
        Reply::PromptEmpty => Bell::new(6.0, 0.08, 5),
        Reply::Challenge => Bell::new(55.0, 0.3, 14),
        Reply::Auth => Bell::new(33.0, 0.22, 5),
        Reply::AuthNo => Bell::new(45.0, 0.45, 5),
        Reply::Mail => Bell::new(17.0, 0.5, 5),
        Reply::MailNo => Bell::new(55.0, 0.5, 5),
        Reply::Rcpt => Bell::new(19.0, 0.5, 5),
        Reply::RcptNo => Bell::new(55.0, 0.5, 5),
        Reply::Data => Bell::new(40.0, 0.35, 5),
        Reply::DataNo => Bell::new(38.0, 0.4, 5),
        Reply::Queued => Bell::new(36.0, 0.4, 5),
        Reply::QueuedNo => Bell::new(55.0, 0.5, 5),
        Reply::Chunk => Bell::new(40.0, 0.4, 5),
        Reply::ChunkNo => Bell::new(40.0, 0.4, 5),
        Reply::Reset => Bell::new(15.0, 0.35, 5),
        Reply::Noop => Bell::new(14.0, 0.4, 5),
        Reply::Bye => Bell::new(20.0, 0.5, 5),
        Reply::Other => Bell::new(40.0, 0.7, 5),
    }
}

/// Whether one server says different things on this occasion.
fn varies(reply: Reply) -> bool {
    matches!(reply, Reply::RcptNo | Reply::Queued | Reply::QueuedNo | Reply::Chunk | Reply::Other | Reply::Challenge)
}

/// How often a server of the table says what the table says.
const KNOWN_WORDS: f64 = 0.93;

/// How often a reply has the length of the one of its kind before it.
const STEADY: f64 = 0.93;

/// The same for kinds in which more than one text is usual.
const VARIED: f64 = 0.6;
