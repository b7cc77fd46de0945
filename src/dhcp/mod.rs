//! Dynamic host configuration: which address a host is given, and the name by which it calls itself when it asks.
//!
//! A host says its name unasked and in the clear whenever it joins a network, so that an observer of the local network can
//! tell a machine by its name where the mail it sends is sealed.

pub mod v4;
pub mod v6;

use crate::bytes::Cursor;

/// A host's name as it stands in an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// Characters (options 12 and 81 of DHCP; the latter of old clients).
    Text(&'a [u8]),
    /// Labels with their lengths, as in DNS (option 81 with its flag E, RFC 4702 §2.3.1; RFC 4704 §4.2).
    Labels(&'a [u8]),
}

impl Name<'_> {
    /// Its characters; labels with dots between them. `None`: it is empty, its labels do not fill it, or it is longer than
    /// a name may be (RFC 1035 §2.3.4).
    #[must_use]
    pub fn octets(&self) -> Option<Vec<u8>> {
        let name = match self {
            Name::Text(text) => text.to_vec(),
            Name::Labels(labels) => {
                let mut cursor = Cursor::new(labels);
                let mut name = Vec::new();
                // A name without its last dot is not full (RFC 4702 §2.3.1): then no empty label ends it.
                while !cursor.is_empty() {
                    let label = cursor.vector8().filter(|label| label.len() < 64)?;
                    if label.is_empty() {
                        break;
                    }
                    if !name.is_empty() {
                        name.push(b'.');
                    }
                    name.extend_from_slice(label);
                }
                name
            }
        };
        (1..=LONGEST_NAME).contains(&name.len()).then_some(name)
    }
}

/// Octets of the longest name, which an option of DHCPv6 could exceed.
const LONGEST_NAME: usize = 255;

/// Fuzz body: the first octet picks the version; decodes and prints.
pub fn fuzz_dhcp(data: &[u8]) {
    match data.split_first() {
        Some((choice, rest)) if choice & 1 == 1 => v6::fuzz_v6(rest),
        Some((_, rest)) => v4::fuzz_v4(rest),
        None => {}
    }
}
