//! Sequence numbers: 32 bits that wrap around (RFC 9293 §3.4), and the 64-bit offsets made of them.

use std::fmt;

/// A sequence or acknowledgment number as it stands in a header.
///
/// It has no `Ord`: which of two numbers comes first is only known near a common place, within
/// half of the number space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SequenceNumber(pub u32);

impl SequenceNumber {
    /// The number `octets` further on.
    #[must_use]
    pub fn plus(self, octets: u64) -> SequenceNumber {
        // Only the low 32 bits of a distance count: the number space is a ring.
        SequenceNumber(self.0.wrapping_add(octets as u32))
    }

    /// How far this number lies after `other`, negative where it lies before it. Right while the
    /// two are less than 2 GiB apart.
    #[must_use]
    pub fn after(self, other: SequenceNumber) -> i32 {
        self.0.wrapping_sub(other.0) as i32
    }

    /// Whether this number lies before `other`.
    #[must_use]
    pub fn is_before(self, other: SequenceNumber) -> bool {
        self.after(other) < 0
    }

    /// The stream offset of this number, where `origin` is the number of offset 0 and the number
    /// is less than 2 GiB away from the offset `near`. Negative: before the origin.
    #[must_use]
    pub fn offset(self, origin: SequenceNumber, near: u64) -> i64 {
        (near as i64).saturating_add(i64::from(self.after(origin.plus(near))))
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_past_the_wrap_lies_after_one_before_it() {
        let before = SequenceNumber(u32::MAX - 1);
        let after = before.plus(5);
        assert_eq!(after, SequenceNumber(3));
        assert_eq!((after.after(before), before.after(after)), (5, -5));
        assert!(before.is_before(after) && !after.is_before(before) && !after.is_before(after));
    }

    #[test]
    fn offsets_go_on_beyond_four_gibibytes() {
        let origin = SequenceNumber(4_000_000_000);
        for near in [0, 1, 294_967_295, 294_967_296, 5_000_000_000, 1 << 40] {
            for step in [-70_000_i64, -1, 0, 1, 70_000] {
                let number = origin.plus((near as i64 + step) as u64);
                assert_eq!(number.offset(origin, near), near as i64 + step);
            }
        }
    }
}
