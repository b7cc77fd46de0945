//! Domain names as they stand in a message (RFC 1035 §3.1 and §4.1.4): labels and pointers.

use std::fmt;

use crate::bytes::escaped;

/// A name in a message. Its labels are read from there each time, so that nothing is copied.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    message: &'a [u8],
    at: usize,
    /// Why the name has no labels to show.
    fault: Option<NameFault>,
}

/// Why a name that is all there cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// Its pointers lead back to where they came from.
    Loop,
    /// It has more than 255 octets (RFC 1035 §2.3.4).
    TooLong,
}

impl<'a> Name<'a> {
    /// Reads the name at `at`. Returns it and where it ends in place, which is after its first pointer.
    /// `None`: it runs past the end of the message, or has a label of an unknown kind.
    #[must_use]
    pub fn parse(message: &'a [u8], at: usize) -> Option<(Name<'a>, usize)> {
        let mut here = at;
        let mut end = None;
        let mut octets = 0;
        let mut pointers = 0;
        let fault = loop {
            match step(message, here)? {
                Step::End => {
                    end = end.or(Some(here + 1));
                    break None;
                }
                Step::Label(label) => {
                    octets += label.len() + 1;
                    here += label.len() + 1;
                }
                Step::Pointer(target) => {
                    end = end.or(Some(here + 2));
                    pointers += 1;
                    if pointers > MAX_POINTERS {
                        break Some(NameFault::Loop);
                    }
                    here = target;
                }
            }
            // A name that is too long is still walked to its end, where what follows it stands; once a
            // pointer was met the end is known.
            if octets >= MAX_OCTETS && end.is_some() {
                break Some(if pointers > 1 { NameFault::Loop } else { NameFault::TooLong });
            }
        };
        let fault = fault.or((octets >= MAX_OCTETS).then_some(NameFault::TooLong));
        Some((Name { message, at, fault }, end?))
    }

    /// What is wrong with it.
    #[must_use]
    pub fn fault(&self) -> Option<NameFault> {
        self.fault
    }

    /// Its labels, the root's empty one left out. None at all where the name has a fault.
    pub fn labels(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let Name { message, at, fault } = *self;
        let mut here = at;
        let mut done = fault.is_some();
        std::iter::from_fn(move || {
            while !done {
                match step(message, here) {
                    Some(Step::Label(label)) => {
                        here += label.len() + 1;
                        return Some(label);
                    }
                    Some(Step::Pointer(target)) => here = target,
                    Some(Step::End) | None => done = true,
                }
            }
            None
        })
    }

    /// Whether it is the root of all names.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.fault.is_none() && self.labels().next().is_none()
    }

    /// The labels with a dot between each two; bounded by 255 octets.
    #[must_use]
    pub fn octets(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        for label in self.labels() {
            if !octets.is_empty() {
                octets.push(b'.');
            }
            octets.extend_from_slice(label);
        }
        octets
    }
}

/// Equal where their labels are, letter case aside (RFC 4343).
impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        let (mut ours, mut theirs) = (self.labels(), other.labels());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return self.fault == other.fault,
                (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => {}
                _ => return false,
            }
        }
    }
}

/// Safe on a terminal; the root is a dot.
impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            Some(NameFault::Loop) => f.write_str("(a name whose pointers loop)"),
            Some(NameFault::TooLong) => f.write_str("(a name of more than 255 octets)"),
            None if self.is_root() => f.write_str("."),
            None => write!(f, "{}", escaped(&self.octets())),
        }
    }
}

enum Step<'a> {
    End,
    Label(&'a [u8]),
    Pointer(usize),
}

fn step(message: &[u8], at: usize) -> Option<Step<'_>> {
    let first = *message.get(at)?;
    match first >> 6 {
        0 if first == 0 => Some(Step::End),
        0 => {
            let start = at + 1;
            message.get(start..start + usize::from(first)).map(Step::Label)
        }
        3 => {
            let second = *message.get(at + 1)?;
            Some(Step::Pointer(usize::from(first & 0x3f) << 8 | usize::from(second)))
        }
        _ => None,
    }
}

/// The longest name has 127 labels; one with a pointer before each of them still has no more.
const MAX_POINTERS: usize = 128;
/// RFC 1035 §2.3.4, the root's octet left out.
const MAX_OCTETS: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(message: &[u8], at: usize) -> Option<(String, usize)> {
        Name::parse(message, at).map(|(name, end)| (name.to_string(), end))
    }

    #[test]
    fn labels_and_pointers_make_a_name() {
        let message = b"\x07example\x03org\x00\x04mail\xc0\x00";
        assert_eq!(parsed(message, 0), Some(("example.org".into(), 13)));
        assert_eq!(parsed(message, 13), Some(("mail.example.org".into(), 20)));
        assert_eq!(parsed(message, 12), Some((".".into(), 13)));
    }

    #[test]
    fn pointers_that_loop_end() {
        let fault = |message: &[u8]| Name::parse(message, 0).map(|(name, end)| (name.fault(), end));
        assert_eq!(fault(b"\xc0\x00"), Some((Some(NameFault::Loop), 2)));
        assert_eq!(fault(b"\x01a\xc0\x00"), Some((Some(NameFault::Loop), 4)));
        assert_eq!(fault(b"\xc0\x02\xc0\x00"), Some((Some(NameFault::Loop), 2)));
    }

    #[test]
    fn a_name_that_is_too_long_shows_no_labels_but_ends() {
        let mut message: Vec<u8> = Vec::new();
        for _ in 0..6 {
            message.push(60);
            message.extend([b'x'; 60]);
        }
        message.push(0);
        let (name, end) = Name::parse(&message, 0).unwrap();
        assert_eq!((name.fault(), end), (Some(NameFault::TooLong), message.len()));
        assert_eq!(name.labels().count(), 0);
    }

    #[test]
    fn a_name_that_is_cut_or_has_an_unknown_label_is_none() {
        let message = b"\x07example\x03org\x00";
        for end in 0..message.len() {
            assert_eq!(parsed(&message[..end], 0), None);
        }
        assert_eq!(parsed(b"\x80a\x00", 0), None);
        assert_eq!(parsed(b"\x01a\xc0\xff", 0), None);
    }

    #[test]
    fn names_are_equal_whatever_their_case_and_compression() {
        let message = b"\x04MAIL\x03org\x00\x04mail\xc0\x05";
        let (a, end) = Name::parse(message, 0).unwrap();
        let (b, _) = Name::parse(message, end).unwrap();
        assert!(a == b);
    }
}
