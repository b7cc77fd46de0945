//! TCP timestamps that step back (RFC 7323 §5, PAWS).

use crate::time::Timestamp;
use crate::wire::{Tcp, TcpOption};

/// The timestamps of one direction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stamps {
    last: Option<(u32, Timestamp)>,
}

impl Stamps {
    /// Takes the next segment. `true`: its timestamp is older than the last one, so that a receiver
    /// drops the segment.
    pub(super) fn is_invalid(&mut self, tcp: &Tcp<'_>, time: Timestamp) -> bool {
        let value = tcp.options().find_map(|option| match option {
            TcpOption::Timestamps { value, .. } => Some(value),
            _ => None,
        });
        let Some(value) = value else { return false };
        let Some((last, since)) = self.last else {
            self.last = Some((value, time));
            return false;
        };
        // Receivers take a timestamp that is off by one; after 24 days the clock may have wrapped.
        let behind = (value.wrapping_sub(last) as i32) < -1 && time.since(since).nanos() <= WRAP;
        // A first timestamp of zero says that the sender has none yet.
        let invalid = behind && last != 0;
        if !invalid {
            self.last = Some((value, time));
        }
        invalid
    }
}

/// RFC 7323 §5.5: a timestamp of this age is no longer compared.
const WRAP: i64 = 24 * 24 * 3600 * 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::TcpFlags;

    #[test]
    fn a_timestamp_that_steps_back_is_invalid_until_the_clock_may_have_wrapped() {
        let mut stamps = Stamps::default();
        let mut next = |value: u32, day: i64| {
            let mut options = vec![1, 1, 8, 10];
            options.extend(value.to_be_bytes());
            options.extend([0; 4]);
            let tcp = Tcp {
                source_port: 1,
                destination_port: 2,
                sequence: 0,
                acknowledgment: 0,
                flags: TcpFlags(16),
                window: 0,
                checksum: 0,
                urgent_pointer: 0,
                options: &options,
                payload: &[],
                payload_len: 0,
            };
            stamps.is_invalid(&tcp, Timestamp::from_parts(day * 86_400, 0))
        };
        assert_eq!(
            [next(1000, 0), next(1001, 0), next(1000, 0), next(0, 0), next(998, 0)],
            [false, false, false, true, true]
        );
        assert!(!next(5, 30), "after a month anything goes");
    }
}
