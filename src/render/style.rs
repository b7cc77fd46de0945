//! Labels, and how a terminal paints them. Colour repeats what the words already say.

use std::fmt::{self, Display};

use crate::time::Interval;

/// What a piece of text is. Each output maps the same labels to its own look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// A heading.
    Heading,
    /// In the clear.
    Seen,
    /// Worked out from sizes and order.
    Inferred,
    /// Not visible.
    Hidden,
    /// Inside TLS.
    Sealed,
    /// A secret given away, or damage.
    Alarm,
    /// What the client says.
    Client,
    /// What the server says.
    Server,
    /// Packet numbers, times: beside the matter.
    Aside,
}

/// Paints labels with ANSI colours, or with nothing.
#[derive(Clone, Copy, Debug)]
pub struct Painter {
    color: bool,
}

impl Painter {
    /// With colours or without.
    #[must_use]
    pub fn new(color: bool) -> Painter {
        Painter { color }
    }

    /// `text`, painted as `label` when it is printed. `text` must be safe to print.
    pub fn paint<T: Display>(self, label: Label, text: T) -> impl Display {
        let code = self.color.then_some(match label {
            Label::Heading => "1",
            Label::Seen => "33",
            Label::Inferred => "36",
            Label::Hidden => "32",
            Label::Sealed => "35",
            Label::Alarm => "1;31",
            Label::Client => "34",
            Label::Server => "33",
            Label::Aside => "2",
        });
        Painted { code, text }
    }
}

struct Painted<T> {
    code: Option<&'static str>,
    text: T,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => {
                write!(f, "\x1b[{code}m")?;
                self.text.fmt(f)?;
                f.write_str("\x1b[0m")
            }
            None => self.text.fmt(f),
        }
    }
}

/// A count with its thousands apart: `7 912`.
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// `1 octet`, `7 912 octets`.
#[must_use]
pub fn octets(n: u64) -> String {
    counted(n, "octet", "octets")
}

/// A length of time for a person: `45 ms`, `31.8 s`.
#[must_use]
pub fn duration(interval: Interval) -> String {
    if interval.nanos().unsigned_abs() < 1_000_000_000 {
        format!("{} ms", interval.nanos() / 1_000_000)
    } else {
        format!("{} s", interval.decimals(1))
    }
}

/// `1 packet`, `2 packets`.
#[must_use]
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// Breaks `text` into lines of at most `width` characters, at spaces where there are any.
#[must_use]
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        for c in word.chars() {
            if used == width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += 1;
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_adds_nothing_but_colour() {
        assert_eq!(Painter::new(false).paint(Label::Alarm, "x").to_string(), "x");
        assert_eq!(Painter::new(true).paint(Label::Alarm, "x").to_string(), "\x1b[1;31mx\x1b[0m");
    }

    #[test]
    fn thousands_stand_apart() {
        let shown: Vec<String> = [0, 999, 1000, 7912, 1_234_567].map(grouped).into();
        assert_eq!(shown, ["0", "999", "1 000", "7 912", "1 234 567"]);
        assert_eq!(counted(1, "packet", "packets"), "1 packet");
    }

    #[test]
    fn text_breaks_at_spaces_and_a_long_word_anywhere() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
