//! Moments and durations of a capture, in nanoseconds. Nothing here reads a clock.

use std::fmt;

const NANOS: i64 = 1_000_000_000;

/// A moment: nanoseconds since 1970-01-01 00:00:00 UTC, as the capture states it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From nanoseconds since the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Timestamp {
        Timestamp(nanos)
    }

    /// From whole seconds since the epoch and nanoseconds after them; the end of the range
    /// where a capture states more than 64 bits of nanoseconds hold (the year 2262).
    #[must_use]
    pub fn from_parts(seconds: i64, nanos: i64) -> Timestamp {
        Timestamp(seconds.saturating_mul(NANOS).saturating_add(nanos))
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Nanoseconds from `earlier` to this moment; negative where the clock stepped back.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> Interval {
        Interval(self.0.saturating_sub(earlier.0))
    }

    /// Seconds since the epoch, for outputs that want a number. Exact to about 0.2 µs today.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0.div_euclid(NANOS) as f64 + self.0.rem_euclid(NANOS) as f64 / NANOS as f64
    }

    /// `2026-11-24 10:03:12`, in UTC.
    #[must_use]
    pub fn utc(self) -> Utc {
        Utc(self)
    }
}

/// A length of time in nanoseconds; may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(i64);

impl Interval {
    /// From nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Interval {
        Interval(nanos)
    }

    /// From whole seconds.
    #[must_use]
    pub const fn from_secs(seconds: i64) -> Interval {
        Interval(seconds * NANOS)
    }

    /// From whole milliseconds.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Interval {
        Interval(millis * 1_000_000)
    }

    /// Nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Seconds with `digits` decimals (0 to 9), cut and not rounded, as Wireshark prints them.
    #[must_use]
    pub fn decimals(self, digits: usize) -> Decimals {
        Decimals { nanos: self.0, digits: digits.min(9) }
    }
}

/// Prints an [`Interval`] as seconds with a fixed number of decimals.
#[derive(Clone, Copy, Debug)]
pub struct Decimals {
    nanos: i64,
    digits: usize,
}

impl fmt::Display for Decimals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.nanos < 0 { "-" } else { "" };
        let magnitude = self.nanos.unsigned_abs();
        let (whole, part) = (magnitude / NANOS as u64, magnitude % NANOS as u64);
        if self.digits == 0 {
            return write!(f, "{sign}{whole}");
        }
        let cut = part / 10u64.pow(9 - self.digits as u32);
        write!(f, "{sign}{whole}.{cut:0width$}", width = self.digits)
    }
}

/// Prints a [`Timestamp`] as a date and a time of day in UTC.
#[derive(Clone, Copy, Debug)]
pub struct Utc(Timestamp);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.0.div_euclid(NANOS);
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        write!(f, "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
    }
}

/// The date in the proleptic Gregorian calendar, `days` after 1970-01-01.
///
/// Years are counted from 1 March, so that the leap day is the last of its year, in eras of
/// 400 years = 146 097 days.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_print_with_as_many_decimals_as_asked() {
        let interval = Interval::from_nanos(233_370_790_999);
        assert_eq!(interval.decimals(6).to_string(), "233.370790");
        assert_eq!(interval.decimals(9).to_string(), "233.370790999");
        assert_eq!(interval.decimals(0).to_string(), "233");
        assert_eq!(Interval::from_nanos(-1_500_000).decimals(3).to_string(), "-0.001");
    }

    #[test]
    fn dates_are_right_around_leap_days_and_before_the_epoch() {
        let utc = |seconds| Timestamp::from_parts(seconds, 0).utc().to_string();
        assert_eq!(utc(0), "1970-01-01 00:00:00");
        assert_eq!(utc(951_827_696), "2000-02-29 12:34:56");
        assert_eq!(utc(1_570_492_800), "2019-10-08 00:00:00");
        assert_eq!(utc(-1), "1969-12-31 23:59:59");
    }

    #[test]
    fn a_moment_beyond_the_range_stays_at_its_end() {
        assert_eq!(Timestamp::from_parts(i64::MAX, 5).nanos(), i64::MAX);
        assert_eq!(Timestamp::from_nanos(i64::MIN).since(Timestamp::from_nanos(1)).nanos(), i64::MIN);
    }
}
