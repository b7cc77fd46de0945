//! How likely a length is: log-probabilities of what people and programs put into a line.
//!
//! These are priors, broad on purpose: they decide only where the grammar and the equations leave
//! more than one reading.

use super::Octets;

/// The logarithm of a probability.
pub(super) type LogP = f64;

/// So unlikely that the reading is given up.
pub(super) const NEVER: LogP = -1e9;

/// A bell over the logarithm of a length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bell {
    /// The most usual length.
    pub mode: f64,
    /// The spread of its logarithm.
    pub spread: f64,
    /// The least length that can be.
    pub least: u64,
}

impl Bell {
    pub(super) const fn new(mode: f64, spread: f64, least: u64) -> Bell {
        Bell { mode, spread, least }
    }

    fn density(self, n: u64) -> f64 {
        if n < self.least {
            return 0.0;
        }
        let x = (n.max(1) as f64).ln() - self.mode.ln();
        let bell = (-x * x / (2.0 * self.spread * self.spread)).exp() / (n.max(1) as f64 * self.spread * 2.506_628);
        // A little for everything else, so that no length is impossible.
        0.97 * bell + 0.03 / (n.max(4) as f64 * 12.0)
    }

    /// That the length lies in `octets`.
    pub(super) fn log(self, octets: Octets) -> LogP {
        self.sum(octets, 0).ln()
    }

    /// That a line of `fixed` octets besides this length lies in `line`.
    pub(super) fn log_beyond(self, line: Octets, fixed: u64) -> LogP {
        self.sum(line, fixed).max(1e-300).ln()
    }

    fn sum(self, line: Octets, fixed: u64) -> f64 {
        let low = line.min.max(fixed);
        if low > line.max {
            return 0.0;
        }
        (low..=line.max.min(low + 64)).map(|n| self.density(n - fixed)).sum()
    }
}

/// An address without its brackets (RFC 5321 §4.5.3.1.3 allows 254 octets).
pub(super) const ADDRESS: Bell = Bell::new(22.0, 0.42, 0);

/// The name that a client greets with.
pub(super) const GREETING_NAME: Bell = Bell::new(18.0, 0.6, 1);

/// A user name.
pub(super) const USER_NAME: Bell = Bell::new(16.0, 0.6, 1);

/// A password.
pub(super) const PASSWORD: Bell = Bell::new(14.0, 0.5, 1);

/// User name and password together, with the two separators of PLAIN.
pub(super) const CREDENTIALS: Bell = Bell::new(32.0, 0.45, 4);

/// That a value with no usual size, from `least` on, lies in `octets`: even over its logarithm.
pub(super) fn even(octets: Octets, least: u64) -> LogP {
    let low = octets.min.max(least).max(1);
    if low > octets.max {
        return NEVER;
    }
    let width = (octets.max - low + 1) as f64;
    (width / ((low as f64 + octets.max as f64) / 2.0 * 14.0)).min(1.0).ln()
}

/// That a sum which is `mean` on average, give or take `deviation`, lies in `octets`.
pub(super) fn normal(octets: Octets, mean: f64, deviation: f64) -> LogP {
    let middle = (octets.min as f64 + octets.max as f64) / 2.0;
    let width = (octets.max - octets.min + 1) as f64;
    let x = (middle - mean) / deviation;
    // The tail is kept heavier than a bell's: lengths in groups are known badly.
    (width / (deviation * 2.506_628) * ((-x * x / 2.0).exp() + 1e-5)).min(1.0).ln()
}

/// That base64 of a value whose length is told by `bell` makes the rest of a line in `line` beyond
/// `fixed` octets: four characters for three octets (RFC 4648 §4).
pub(super) fn base64(line: Octets, fixed: u64, bell: Bell) -> LogP {
    let mut sum = 0.0;
    let low = line.min.saturating_sub(fixed);
    let Some(high) = line.max.checked_sub(fixed) else { return NEVER };
    let mut characters = low.div_ceil(4) * 4;
    while characters <= high && characters <= low + 64 {
        if characters > 0 {
            let most = characters / 4 * 3;
            sum += (most - 2..=most).map(|n| bell.density(n)).sum::<f64>();
        }
        characters += 4;
    }
    if sum > 0.0 { sum.ln() } else { NEVER }
}

/// The octets that base64 in a line of `line` octets stands for, `fixed` of them besides it.
pub(super) fn base64_octets(line: Octets, fixed: u64) -> Option<Octets> {
    let least = line.min.saturating_sub(fixed).div_ceil(4);
    let most = line.max.checked_sub(fixed)? / 4;
    let least = least.max(1);
    (least <= most).then(|| Octets { min: 3 * least - 2, max: 3 * most })
}
