//! What a reading has learned of the lengths of a server's replies.

use super::prior::Range;
use super::templates::Kind;

/// Lengths that replies of this session had; of refusals of recipients two habits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Learned {
    pub(super) laws: [Habit; HABITS],
    /// Octets of the server's host name.
    pub(super) host: Option<Range>,
}

const HABITS: usize = 10;

/// A second way to refuse a recipient.
pub(super) const SECOND_REFUSAL: usize = 9;

/// What the length of one kind of reply was: always the same, or an echo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Habit {
    pub(super) fixed: Option<Range>,
    pub(super) echo: Option<Range>,
    pub(super) seen: u8,
    /// The first one.
    pub(super) first: Option<Range>,
}

impl Learned {
    pub(super) fn habit(&self, kind: Kind) -> Option<Habit> {
        Learned::slot(kind).map(|slot| self.laws[slot])
    }

    /// Whether answers of this kind were seen, and all of another length.
    pub(super) fn is_new(&self, kind: Kind, length: Range, address: Option<Range>) -> bool {
        self.habit(kind).is_some_and(|habit| habit.seen > 0 && habit.chance(length, address) < 0.01)
    }

    pub(super) fn slot(kind: Kind) -> Option<usize> {
        Some(match kind {
            Kind::Mail => 0,
            Kind::Rcpt => 1,
            Kind::Data => 2,
            Kind::Queued => 3,
            Kind::Rset => 4,
            Kind::Bdat => 5,
            Kind::RcptNo => 6,
            Kind::MailNo => 7,
            Kind::Noop => 8,
            _ => return None,
        })
    }

    /// Takes in a reply. A refusal of a recipient that is unlike those before it begins a second habit.
    pub(super) fn learn(&mut self, kind: Kind, length: Range, address: Option<Range>) {
        let Some(slot) = Learned::slot(kind) else { return };
        if kind == Kind::RcptNo && self.laws[slot].seen > 0 && self.laws[slot].chance(length, address) < 0.01 {
            self.laws[SECOND_REFUSAL].learn(length, address);
        } else {
            self.laws[slot].learn(length, address);
        }
    }
}

impl Habit {
    /// The chance of a length, for one that has been seen before.
    pub(super) fn chance(&self, length: Range, address: Option<Range>) -> f64 {
        if self.seen == 0 {
            return 0.0;
        }
        let fixed = self.fixed.is_some_and(|fixed| fixed.meets(length));
        let echo = match (self.echo, address) {
            (Some(echo), Some(address)) => address.plus_in(echo, length),
            _ => 0.0,
        };
        match (fixed, self.fixed.is_some() && self.echo.is_some(), echo) {
            (true, true, _) => 0.62,
            (true, false, _) => 0.98,
            (false, true, echo) if echo > 0.0 => 0.36 * echo,
            (false, false, echo) if echo > 0.0 => 0.95 * echo,
            _ => {
                let near =
                    |octets| self.fixed.is_some_and(|f| Range::new(f.min - octets, f.max + octets).meets(length));
                match address {
                    // Identifiers of changing length.
                    _ if near(2) => 0.08,
                    // An echo of an address that shares its record with others.
                    None if near(UNKNOWN_ECHO) => 0.3 * f64::from(length.width()) / f64::from(2 * UNKNOWN_ECHO + 1),
                    _ => 0.0,
                }
            }
        }
    }

    /// The share of servers whose acceptance of a recipient has a length that this habit, of accepting senders, lets expect:
    /// the same words, or `recipient` where the other has `sender`, with the address or without.
    pub(super) fn of_recipient(&self, length: Range, address: Option<Range>) -> f64 {
        let same = if self.fixed.is_some_and(|fixed| fixed.meets(length)) { 0.33 } else { 0.0 };
        let longer = Range::new(3, 3);
        let other = if self.fixed.is_some_and(|fixed| fixed.plus(longer).meets(length)) { 0.08 } else { 0.0 };
        let echo = match (self.echo, address) {
            (Some(echo), Some(address)) => 0.2 * address.plus_in(echo.plus(longer), length),
            _ => 0.0,
        };
        same + other + echo
    }

    fn learn(&mut self, length: Range, address: Option<Range>) {
        let echoed = address.map(|address| length.less(address));
        if self.seen == 0 {
            *self = Habit { fixed: Some(length), echo: echoed, seen: 1, first: Some(length) };
            return;
        }
        self.seen = self.seen.saturating_add(1);
        let fixed = self.fixed.filter(|fixed| fixed.meets(length)).map(|fixed| fixed.overlap(length));
        let echo = match (self.echo, echoed) {
            (Some(echo), Some(other)) => echo.meets(other).then(|| echo.overlap(other)),
            (echo, None) => echo,
            (None, Some(_)) => None,
        };
        // One that fits nothing is an exception, not a new habit.
        if fixed.is_some() || echo.is_some() {
            self.fixed = fixed;
            self.echo = echo;
        }
    }
}

/// How far the lengths of two echoes of addresses may be apart.
const UNKNOWN_ECHO: i32 = 25;
