//! Is this TLS? Asked of the first octets that one direction sends.

use super::record::Header;
use super::registry::{ContentType, ProtocolVersion};

/// What the first octets of a direction look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Probe {
    /// A ClientHello or a ServerHello.
    Certain,
    /// A TLS record, in the middle of a conversation.
    Likely,
    /// TLS so far; more octets decide.
    NeedMore,
    /// Something else.
    Not,
}

/// Looks at the first octets of one direction.
#[must_use]
pub fn probe(bytes: &[u8]) -> Probe {
    match bytes {
        [] => Probe::NeedMore,
        [0x80..=0xff, ..] => ssl2_hello(bytes),
        _ => record(bytes),
    }
}

fn record(bytes: &[u8]) -> Probe {
    let Some((octets, body)) = bytes.split_first_chunk::<{ Header::LEN }>() else {
        // Filled up with what would be right, the octets that are there decide.
        let mut octets = [22, 3, 1, 0, 64];
        octets[..bytes.len()].copy_from_slice(bytes);
        return match Header::read(octets) {
            Some(header) if header.version <= ProtocolVersion::TLS13 => Probe::NeedMore,
            _ => Probe::Not,
        };
    };
    let Some(header) = Header::read(*octets).filter(Header::is_plausible) else {
        return Probe::Not;
    };
    if header.content_type == ContentType::HANDSHAKE {
        match body {
            [] | [1 | 2] | [1 | 2, _] | [1 | 2, _, _] => return Probe::NeedMore,
            [1 | 2, 0, high, low, ..] if u16::from_be_bytes([*high, *low]) >= 34 => return Probe::Certain,
            _ => {}
        }
    }
    match body.get(usize::from(header.length)..) {
        None | Some([]) => Probe::Likely,
        Some(next) => {
            let octets: Option<[u8; Header::LEN]> = next.first_chunk().copied();
            let fits = octets.is_none_or(|octets| Header::read(octets).is_some_and(|header| header.is_plausible()));
            let begins = (20..=24).contains(&next[0]) && next.get(1).is_none_or(|major| *major == 3);
            if fits && begins { Probe::Likely } else { Probe::Not }
        }
    }
}

/// A hello in the format of SSL 2.0: a length with the top bit set, type 1, a version, three
/// lengths that add up.
pub(super) fn ssl2_hello(bytes: &[u8]) -> Probe {
    let Some((start, _)) = bytes.split_first_chunk::<11>() else {
        let fits =
            bytes.get(2).is_none_or(|kind| *kind == 1) && bytes.get(3).is_none_or(|major| matches!(major, 0 | 3));
        return if fits { Probe::NeedMore } else { Probe::Not };
    };
    let number = |at: usize| u32::from(start[at]) << 8 | u32::from(start[at + 1]);
    let version = ProtocolVersion(number(3) as u16);
    let (suites, session_id, challenge) = (number(5), number(7), number(9));
    let right = start[2] == 1
        && (version == ProtocolVersion::SSL2 || (ProtocolVersion::SSL3..=ProtocolVersion::TLS13).contains(&version))
        && suites > 0
        && suites % 3 == 0
        && challenge <= 32
        && number(0) & 0x7fff == 9 + suites + session_id + challenge;
    if right { Probe::Certain } else { Probe::Not }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hellos_are_certain_from_nine_octets_on() {
        let hello = [22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
        for length in 0..9 {
            assert_eq!(probe(&hello[..length]), Probe::NeedMore, "{length}");
        }
        assert_eq!(probe(&hello), Probe::Certain);
        let ssl2 = [0x80, 0x2e, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10, 1];
        for length in 0..11 {
            assert_eq!(probe(&ssl2[..length]), Probe::NeedMore, "{length}");
        }
        assert_eq!(probe(&ssl2), Probe::Certain);
    }

    #[test]
    fn a_record_in_the_middle_is_likely_unless_another_thing_follows_it() {
        assert_eq!(probe(&[23, 3, 3, 0, 37, 0x11, 0x2a]), Probe::Likely);
        assert_eq!(probe(&[21, 3, 3, 0, 2, 2, 40]), Probe::Likely);
        assert_eq!(probe(&[21, 3, 3, 0, 2, 2, 40, 21, 3]), Probe::Likely);
        assert_eq!(probe(&[21, 3, 3, 0, 2, 2, 40, b'2', b'2']), Probe::Not);
    }

    #[test]
    fn mail_and_garbage_are_not_tls() {
        for other in
            [&b"220 mx.example.org"[..], b"EHLO a", b"SSH-2.0-x", &[22, 3, 9], &[23, 3, 3, 0xff, 0xff], &[0x80, 1, 9]]
        {
            assert_eq!(probe(other), Probe::Not, "{other:?}");
        }
    }
}
