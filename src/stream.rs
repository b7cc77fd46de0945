//! The words of a byte stream: who sends, where something stands, and what happens to it.

use std::ops::Range;

/// Which way octets travel through a connection.
///
/// This is a fact of the handshake (or, without one, of the first packet seen). Which side is the
/// client and which the server of the dialogue inside is a finding of the decoders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// From the side that opened the connection.
    FromOriginator,
    /// From the side that accepted it.
    FromResponder,
}

impl Direction {
    /// Both directions, the originator's first.
    pub const BOTH: [Direction; 2] = [Direction::FromOriginator, Direction::FromResponder];

    /// The other way.
    #[must_use]
    pub fn reversed(self) -> Direction {
        match self {
            Direction::FromOriginator => Direction::FromResponder,
            Direction::FromResponder => Direction::FromOriginator,
        }
    }

    /// 0 for the originator, 1 for the responder: for tables with a row for each.
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

/// Where in a stream a fact stands: octets `start..end` of one direction, counted from the first
/// octet that the sender could have sent (after its SYN), or from the first one seen where the
/// capture begins later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// Whose octets.
    pub direction: Direction,
    /// The first octet.
    pub start: u64,
    /// One past the last octet; never below `start`.
    pub end: u64,
}

impl Span {
    /// A span from `start` to before `end`.
    #[must_use]
    pub fn new(direction: Direction, start: u64, end: u64) -> Span {
        Span { direction, start, end: end.max(start) }
    }

    /// The number of octets.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.end - self.start
    }

    /// Whether there is no octet in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The octets as a range.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.start..self.end
    }
}

/// One thing that happens to a stream, in stream order for its direction.
///
/// Missing octets are an event of their own. They are never filled in and never skipped silently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEvent<'a> {
    /// Octets, the next of their direction.
    Data {
        /// Where they stand.
        span: Span,
        /// The octets; as many as the span is long.
        bytes: &'a [u8],
    },
    /// Octets that were sent but are not in the capture, and can no longer arrive.
    Gap {
        /// Where they would have stood.
        span: Span,
    },
    /// The sender will send no more (FIN), after everything before it was delivered.
    Fin {
        /// Who.
        direction: Direction,
        /// The octets it sent in all.
        at: u64,
    },
    /// The sender has torn the connection down (RST).
    Reset {
        /// Who.
        direction: Direction,
        /// The octets delivered of it until then.
        at: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_reversed_twice_is_itself() {
        for direction in Direction::BOTH {
            assert_ne!(direction.reversed(), direction);
            assert_eq!(direction.reversed().reversed(), direction);
        }
    }

    #[test]
    fn a_span_never_ends_before_it_starts() {
        let span = Span::new(Direction::FromOriginator, 7, 3);
        assert_eq!((span.len(), span.is_empty()), (0, true));
        assert_eq!(Span::new(Direction::FromOriginator, 3, 7).range(), 3..7);
    }
}
