//! What the server offers, by its reply to EHLO: in the clear word by word, inside TLS by its length.

use super::facts::ClearSide;
use super::grammar::Mechanisms;
use super::prior::Range;
use super::search::Record;
use crate::smtp::{Capability, EhloKeyword};

/// What the reply to EHLO offers; `None`: not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Offers {
    pub(super) size: Option<bool>,
    pub(super) eight_bit: Option<bool>,
    pub(super) utf8: Option<bool>,
    pub(super) dsn: Option<bool>,
    pub(super) pipelining: Option<bool>,
    pub(super) chunking: Option<bool>,
    pub(super) auth: Option<bool>,
    /// The mechanisms of AUTH.
    pub(super) mechanisms: Option<Mechanisms>,
}

impl Offers {
    /// By the reply in the clear, and by the first records of the client and of the server inside TLS.
    pub(super) fn of(clear: Option<ClearSide<'_>>, records: &[Record]) -> Offers {
        let Some(clear) = clear.filter(|clear| !clear.capabilities.is_empty()) else { return Offers::default() };
        let offered = |keyword| Some(clear.offers(keyword));
        let inside = Inside::of(clear, records);
        let mechanisms = match inside {
            Inside::Same => Some(named(clear)),
            Inside::More(octets) if !clear.offers("AUTH") => {
                let named = |line: &str| Mechanisms::of(&line.split(' ').map(str::as_bytes).collect::<Vec<_>>());
                auth_lines(octets).map(named).reduce(Mechanisms::with)
            }
            _ => None,
        };
        Offers {
            size: offered("SIZE"),
            eight_bit: offered("8BITMIME"),
            utf8: offered("SMTPUTF8"),
            dsn: offered("DSN"),
            pipelining: offered("PIPELINING"),
            chunking: offered("CHUNKING"),
            // Many servers offer AUTH only inside TLS, so that its absence in the clear alone says nothing.
            auth: offered("AUTH").filter(|offered| *offered || inside == Inside::Same),
            mechanisms,
        }
    }
}

/// The mechanisms that the AUTH lines in the clear name.
fn named(clear: ClearSide<'_>) -> Mechanisms {
    let of_line = |capability: &EhloKeyword| match capability.meaning() {
        Capability::Auth { mechanisms, .. } => Mechanisms::of(&mechanisms),
        _ => Mechanisms::default(),
    };
    clear.capabilities.iter().map(of_line).fold(Mechanisms::default(), Mechanisms::with)
}

/// The reply to the EHLO inside TLS against the one in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    /// As long, without its STARTTLS line (RFC 3207 §4.2) or, of servers that go on to list it, with that.
    Same,
    /// So many octets more, the STARTTLS line apart.
    More(u64),
    Unknown,
}

impl Inside {
    fn of(clear: ClearSide<'_>, records: &[Record]) -> Inside {
        let Some((hello, after)) = records.split_first().filter(|(first, _)| first.client) else {
            return Inside::Unknown;
        };
        let octets = |octets: u64| i32::try_from(octets).ok();
        let (Some(ehlo), Some(reply), true) =
            (clear.ehlo.and_then(octets), clear.ehlo_reply.and_then(octets), clear.offers("STARTTLS"))
        else {
            return Inside::Unknown;
        };
        let replies = after.iter().take_while(|record| !record.client);
        let inside = replies.fold(Range::new(0, 0), |sum, record| sum.plus(record.length));
        let expected = reply - STARTTLS_LINE as i32;
        // An AUTH line takes 16 octets at least, more than a block of a CBC suite leaves open.
        if !hello.length.contains(ehlo) || inside.width() > 16 {
            Inside::Unknown
        } else if inside.contains(expected) || inside.contains(reply) {
            Inside::Same
        } else {
            let more = u64::try_from(inside.min - expected).ok().filter(|_| inside.width() == 1);
            more.map_or(Inside::Unknown, Inside::More)
        }
    }
}

/// Octets of `250-STARTTLS` and its line end.
pub(in crate::observe) const STARTTLS_LINE: u64 = 14;

/// What stands in AUTH lines that are often met, the commonest first.
const AUTH_LINES: [&str; 9] = [
    "PLAIN LOGIN",
    "PLAIN",
    "LOGIN",
    "PLAIN LOGIN CRAM-MD5",
    "PLAIN CRAM-MD5",
    "PLAIN LOGIN CRAM-MD5 DIGEST-MD5",
    "PLAIN LOGIN XOAUTH2",
    "PLAIN LOGIN OAUTHBEARER",
    "PLAIN LOGIN XOAUTH2 OAUTHBEARER",
];

/// The AUTH lines often met that take so many octets, with `250-` and their line end.
fn auth_lines(octets: u64) -> impl Iterator<Item = &'static str> {
    AUTH_LINES.into_iter().filter(move |line| "250-AUTH ".len() + line.len() + 2 == octets as usize)
}

/// The commonest of them.
pub(in crate::observe) fn auth_line(octets: u64) -> Option<&'static str> {
    auth_lines(octets).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::infer::grammar::Mechanism;
    use crate::stream::{Direction, Span};

    fn keyword(keyword: &str, parameters: &str) -> EhloKeyword {
        let span = Span { direction: Direction::FromResponder, start: 0, end: 0 };
        let (keyword, parameters) = (keyword.as_bytes().to_vec(), parameters.as_bytes().to_vec());
        EhloKeyword { keyword, parameters, legacy: false, span }
    }

    /// A reply of 118 octets to an EHLO of 25.
    fn clear(capabilities: &[EhloKeyword]) -> ClearSide<'_> {
        ClearSide { ehlo: Some(25), ehlo_reply: Some(118), banner: None, capabilities, small: None }
    }

    fn records(hello: (i32, i32), replies: &[(i32, i32)]) -> Vec<Record> {
        let record = |client, (min, max)| Record::one(client, Range::new(min, max));
        let replies = replies.iter().map(|bounds| record(false, *bounds));
        [record(true, hello)].into_iter().chain(replies).chain([record(true, (40, 40))]).collect()
    }

    #[test]
    fn the_reply_to_ehlo_inside_tls_offers_the_same_where_its_length_leaves_no_room_for_a_line() {
        let offered = [keyword("starttls", "")];
        let same =
            |hello, replies: &[(i32, i32)]| Inside::of(clear(&offered), &records(hello, replies)) == Inside::Same;
        assert!(same((25, 25), &[(104, 104)]));
        assert!(same((25, 25), &[(60, 60), (44, 44)]), "a line in a record of its own");
        assert!(same((25, 25), &[(118, 118)]), "STARTTLS is still listed");
        assert!(same((16, 31), &[(96, 111)]), "blocks of CBC");
        assert!(!same((25, 25), &[(120, 120)]), "`250-AUTH PLAIN` is new");
        assert!(!same((26, 26), &[(104, 104)]), "another hello may have another answer");
        assert!(!same((16, 31), &[(48, 79), (32, 63)]));
        let without_starttls = clear(&[]);
        assert_eq!(Inside::of(without_starttls, &records((25, 25), &[(104, 104)])), Inside::Unknown);
        let unseen = ClearSide { ehlo_reply: None, ..clear(&offered) };
        assert_eq!(Inside::of(unseen, &records((25, 25), &[(104, 104)])), Inside::Unknown);
        assert_eq!(Inside::of(clear(&offered), &[]), Inside::Unknown);
    }

    #[test]
    fn what_is_offered_is_known_by_words_in_the_clear_and_by_octets_inside() {
        let with = |auth: &[&str], inside: i32| {
            let mut offered = vec![keyword("STARTTLS", ""), keyword("SIZE", "1000")];
            offered.extend(auth.iter().map(|parameters| keyword("AUTH", parameters)));
            Offers::of(Some(clear(&offered)), &records((25, 25), &[(inside, inside)]))
        };
        let has =
            |offers: Offers| offers.mechanisms.map(|m| [Mechanism::Plain, Mechanism::CramMd5].map(|one| m.has(one)));
        let same = with(&["PLAIN"], 104);
        assert_eq!((same.size, same.dsn, same.auth), (Some(true), Some(false), Some(true)));
        assert_eq!(has(same), Some([true, false]));
        assert_eq!((with(&[], 104).auth, has(with(&[], 104))), (Some(false), Some([false, false])));
        // `250-AUTH PLAIN LOGIN CRAM-MD5` has 31 octets, and no line of 19 is known.
        assert_eq!((with(&[], 135).auth, has(with(&[], 135))), (None, Some([true, true])));
        assert_eq!((with(&[], 126).auth, has(with(&[], 126))), (None, Some([true, false])));
        assert_eq!((with(&[], 123).auth, has(with(&[], 123))), (None, None));
        assert_eq!((with(&["PLAIN"], 126).auth, has(with(&["PLAIN"], 126))), (Some(true), None));
        assert_eq!(Offers::of(None, &records((25, 25), &[(104, 104)])), Offers::default());
    }

    #[test]
    fn an_auth_line_is_told_by_its_octets() {
        for line in AUTH_LINES {
            let octets = format!("250-AUTH {line}\r\n").len() as u64;
            assert!(auth_lines(octets).any(|other| other == line));
        }
        assert_eq!(
            [16, 22, 31, 17].map(auth_line),
            [Some("PLAIN"), Some("PLAIN LOGIN"), Some("PLAIN LOGIN CRAM-MD5"), None]
        );
    }
}
