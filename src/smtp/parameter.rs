//! The parameters of MAIL and RCPT as values, and what each asks for.

use std::borrow::Cow;

use super::Parameter;
use super::xtext::decode_xtext;

/// What a parameter of MAIL or RCPT says (RFC 5321 §4.1.1.11 and the extensions' own RFCs).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterValue<'a> {
    /// `SIZE`: octets of the message as the client counts or guesses them (RFC 1870).
    Size(u64),
    /// `BODY`: what octets the message has (RFC 6152, RFC 3030).
    Body(Body),
    /// `SMTPUTF8`: addresses and fields may be in UTF-8 (RFC 6531).
    SmtpUtf8,
    /// `RET`: how much of the message a report of failure brings back (RFC 3461 §4.3).
    Return(ReturnContent),
    /// `ENVID`: the sender's name for this envelope, decoded (RFC 3461 §4.4).
    EnvelopeId(Cow<'a, [u8]>),
    /// `NOTIFY`: when the sender wants a report (RFC 3461 §4.1).
    Notify(Notify),
    /// `ORCPT`: whom the sender first addressed (RFC 3461 §4.2).
    OriginalRecipient {
        /// The address type: `rfc822`, `utf-8`, …
        kind: &'a [u8],
        /// The address, decoded.
        address: Cow<'a, [u8]>,
    },
    /// `AUTH`: who submitted the message, decoded; `None` for `<>`: not known or not told
    /// (RFC 4954 §5).
    AuthIdentity(Option<Cow<'a, [u8]>>),
    /// `REQUIRETLS`: no hop may pass it on without TLS (RFC 8689).
    RequireTls,
    /// `MT-PRIORITY`: −9 to 9 (RFC 6710).
    Priority(i8),
    /// `HOLDFOR`: seconds that the server keeps it back (RFC 4865).
    HoldFor(u32),
    /// `HOLDUNTIL`: the time until then, as RFC 3339 writes it (RFC 4865).
    HoldUntil(&'a [u8]),
    /// `BY`: by when it must be delivered (RFC 2852).
    DeliverBy {
        /// From now; negative: it is late already.
        seconds: i32,
        /// Late mail is returned (`R`), not just reported (`N`).
        or_return: bool,
        /// Each hop is reported (`T`).
        trace: bool,
    },
    /// `RRVS`: only if the mailbox has had the same owner since (RFC 7293).
    OwnerSince {
        /// The time, as RFC 3339 writes it.
        time: &'a [u8],
        /// What to do otherwise: `C` go on, `R` refuse.
        otherwise: Option<&'a [u8]>,
    },
    /// `SOLICIT`: the classes of solicitation that it belongs to (RFC 3865).
    Solicit(&'a [u8]),
    /// `MTRK`: the message can be tracked by whoever has the secret behind this hash (RFC 3885).
    Track {
        /// The hash, in base64.
        certifier: &'a [u8],
        /// Seconds that tracking goes on.
        seconds: Option<u64>,
    },
    /// `CONPERM`: the contents may be converted (RFC 4141).
    ConversionPermitted,
    /// `CONNEG`: the recipient's capabilities are wanted (RFC 4141).
    NegotiateContent,
    /// `SUBMITTER`: who is responsible for the message, decoded (RFC 4405).
    Submitter(Cow<'a, [u8]>),
    /// `XVERP`: bounces come to an address of their own for each recipient (Postfix); the two
    /// delimiters where they are given.
    Verp(Option<&'a [u8]>),
    /// `TRANSID`: the name of a transaction that can be taken up again, decoded (RFC 1845).
    TransactionId(Cow<'a, [u8]>),
    /// A keyword that is known, with a value that is not of its form.
    Malformed,
    /// A keyword that is not known here.
    Unknown,
}

/// `BODY` (RFC 6152 §3, RFC 3030 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// `7BIT`: lines of US-ASCII.
    SevenBit,
    /// `8BITMIME`: lines of any octets.
    EightBitMime,
    /// `BINARYMIME`: any octets, lines or not; BDAT only.
    BinaryMime,
}

/// `RET` (RFC 3461 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnContent {
    /// `FULL`: all of it.
    Full,
    /// `HDRS`: its header.
    Header,
}

/// `NOTIFY` (RFC 3461 §4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notify {
    /// `NEVER`, which stands alone: none of the others is set then.
    pub never: bool,
    /// `SUCCESS`.
    pub success: bool,
    /// `FAILURE`.
    pub failure: bool,
    /// `DELAY`.
    pub delay: bool,
}

impl<'a> Parameter<'a> {
    /// What it says.
    #[must_use]
    pub fn meaning(&self) -> ParameterValue<'a> {
        let Some((_, read)) = READERS.iter().find(|(keyword, _)| self.is(keyword)) else {
            return ParameterValue::Unknown;
        };
        read(self.value).unwrap_or(ParameterValue::Malformed)
    }

    /// The EHLO keyword by which a server offers it (RFC 5321 §2.2.1); `None` where it is not
    /// known here.
    #[must_use]
    pub fn extension(&self) -> Option<&'static str> {
        OFFERED_AS.iter().find(|(keyword, _)| self.is(keyword)).map(|(_, extension)| match *extension {
            "8BITMIME" if self.value.is_some_and(|v| v.eq_ignore_ascii_case(b"BINARYMIME")) => "BINARYMIME",
            extension => extension,
        })
    }
}

impl ParameterValue<'_> {
    /// What it asks for or gives away, in words. `None` for what every client says (`SIZE`,
    /// `BODY`, `SMTPUTF8`) and for what is not understood. Captured octets in it are as they came.
    #[must_use]
    pub fn in_words(&self) -> Option<String> {
        let text = |octets: &[u8]| crate::bytes::utf8(octets);
        Some(match self {
            ParameterValue::Size(_)
            | ParameterValue::Body(_)
            | ParameterValue::SmtpUtf8
            | ParameterValue::Malformed
            | ParameterValue::Unknown => return None,
            ParameterValue::Return(ReturnContent::Full) => "a report of failure brings the whole message back".into(),
            ParameterValue::Return(ReturnContent::Header) => "a report of failure brings the header back".into(),
            ParameterValue::EnvelopeId(id) => format!("envelope id {}", text(id)),
            ParameterValue::Notify(notify) => notify.in_words(),
            ParameterValue::OriginalRecipient { address, .. } => format!("first addressed to {}", text(address)),
            ParameterValue::AuthIdentity(Some(who)) => format!("submitted by {}", text(who)),
            ParameterValue::AuthIdentity(None) => "submitted by somebody who is not named".into(),
            ParameterValue::RequireTls => "every hop must use TLS".into(),
            ParameterValue::Priority(level) => format!("priority {level:+}"),
            ParameterValue::HoldFor(seconds) => format!("to be held for {seconds} s"),
            ParameterValue::HoldUntil(time) => format!("to be held until {}", text(time)),
            ParameterValue::DeliverBy { seconds, or_return, .. } => {
                let otherwise = if *or_return { "return it" } else { "report it" };
                format!("to be delivered within {seconds} s, or else {otherwise}")
            }
            ParameterValue::OwnerSince { time, .. } => {
                format!("only if the mailbox has had the same owner since {}", text(time))
            }
            ParameterValue::Solicit(classes) => format!("a solicitation: {}", text(classes)),
            ParameterValue::Track { .. } => "can be tracked".into(),
            ParameterValue::ConversionPermitted => "its contents may be converted".into(),
            ParameterValue::NegotiateContent => "asks what the recipient can read".into(),
            ParameterValue::Submitter(who) => format!("responsible: {}", text(who)),
            ParameterValue::Verp(_) => "bounces come back with the recipient's name in them".into(),
            ParameterValue::TransactionId(id) => format!("transaction id {}", text(id)),
        })
    }
}

impl Notify {
    fn parse(value: &[u8]) -> Option<Notify> {
        let mut notify = Notify::default();
        for word in value.split(|&b| b == b',') {
            let slot = match word.to_ascii_uppercase().as_slice() {
                b"NEVER" => &mut notify.never,
                b"SUCCESS" => &mut notify.success,
                b"FAILURE" => &mut notify.failure,
                b"DELAY" => &mut notify.delay,
                _ => return None,
            };
            *slot = true;
        }
        (!notify.never || notify == Notify { never: true, ..Notify::default() }).then_some(notify)
    }

    fn in_words(self) -> String {
        if self.never {
            return "never report".to_owned();
        }
        let named = [(self.success, "success"), (self.failure, "failure"), (self.delay, "delay")];
        let when: Vec<&str> = named.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
        format!("report {}", when.join(", "))
    }
}

type Read = for<'a> fn(Option<&'a [u8]>) -> Option<ParameterValue<'a>>;

const READERS: &[(&str, Read)] = &[
    ("SIZE", |v| number(v?).map(ParameterValue::Size)),
    ("BODY", |v| body(v?).map(ParameterValue::Body)),
    ("SMTPUTF8", |v| alone(v, ParameterValue::SmtpUtf8)),
    ("RET", |v| match v?.to_ascii_uppercase().as_slice() {
        b"FULL" => Some(ParameterValue::Return(ReturnContent::Full)),
        b"HDRS" => Some(ParameterValue::Return(ReturnContent::Header)),
        _ => None,
    }),
    ("ENVID", |v| Some(ParameterValue::EnvelopeId(decode_xtext(v?)))),
    ("NOTIFY", |v| Notify::parse(v?).map(ParameterValue::Notify)),
    ("ORCPT", |v| {
        let (kind, address) = split_once(v?, b';')?;
        Some(ParameterValue::OriginalRecipient { kind, address: decode_xtext(address) })
    }),
    ("AUTH", |v| {
        let identity = v?;
        Some(ParameterValue::AuthIdentity((identity != b"<>").then(|| decode_xtext(identity))))
    }),
    ("REQUIRETLS", |v| alone(v, ParameterValue::RequireTls)),
    ("MT-PRIORITY", |v| signed(v?).filter(|n: &i8| (-9..=9).contains(n)).map(ParameterValue::Priority)),
    ("HOLDFOR", |v| number(v?).and_then(|n| u32::try_from(n).ok()).map(ParameterValue::HoldFor)),
    ("HOLDUNTIL", |v| v.filter(|t| is_time(t)).map(ParameterValue::HoldUntil)),
    ("BY", |v| {
        let (seconds, mode) = split_once(v?, b';')?;
        let seconds = signed(seconds)?;
        let (or_return, trace) = match mode.to_ascii_uppercase().as_slice() {
            b"R" => (true, false),
            b"RT" => (true, true),
            b"N" => (false, false),
            b"NT" => (false, true),
            _ => return None,
        };
        Some(ParameterValue::DeliverBy { seconds, or_return, trace })
    }),
    ("RRVS", |v| {
        let value = v?;
        let (time, otherwise) = split_once(value, b';').map_or((value, None), |(time, rest)| (time, Some(rest)));
        is_time(time).then_some(ParameterValue::OwnerSince { time, otherwise })
    }),
    ("SOLICIT", |v| v.map(ParameterValue::Solicit)),
    ("MTRK", |v| {
        let value = v?;
        let (certifier, seconds) = match split_once(value, b':') {
            Some((certifier, seconds)) => (certifier, Some(number(seconds)?)),
            None => (value, None),
        };
        Some(ParameterValue::Track { certifier, seconds })
    }),
    ("CONPERM", |v| alone(v, ParameterValue::ConversionPermitted)),
    ("CONNEG", |v| alone(v, ParameterValue::NegotiateContent)),
    ("SUBMITTER", |v| Some(ParameterValue::Submitter(decode_xtext(v?)))),
    ("XVERP", |v| match v {
        Some(delimiters) if delimiters.len() != 2 => None,
        delimiters => Some(ParameterValue::Verp(delimiters)),
    }),
    ("TRANSID", |v| {
        let id = v?;
        let bare = id.strip_prefix(b"<").and_then(|id| id.strip_suffix(b">")).unwrap_or(id);
        Some(ParameterValue::TransactionId(decode_xtext(bare)))
    }),
];

const OFFERED_AS: &[(&str, &str)] = &[
    ("SIZE", "SIZE"),
    ("BODY", "8BITMIME"),
    ("SMTPUTF8", "SMTPUTF8"),
    ("RET", "DSN"),
    ("ENVID", "DSN"),
    ("NOTIFY", "DSN"),
    ("ORCPT", "DSN"),
    ("AUTH", "AUTH"),
    ("REQUIRETLS", "REQUIRETLS"),
    ("MT-PRIORITY", "MT-PRIORITY"),
    ("HOLDFOR", "FUTURERELEASE"),
    ("HOLDUNTIL", "FUTURERELEASE"),
    ("BY", "DELIVERBY"),
    ("RRVS", "RRVS"),
    ("SOLICIT", "NO-SOLICITING"),
    ("MTRK", "MTRK"),
    ("CONPERM", "CONPERM"),
    ("CONNEG", "CONNEG"),
    ("SUBMITTER", "SUBMITTER"),
    ("XVERP", "XVERP"),
    ("TRANSID", "CHECKPOINT"),
];

fn alone<'a>(value: Option<&[u8]>, meaning: ParameterValue<'a>) -> Option<ParameterValue<'a>> {
    value.is_none().then_some(meaning)
}

fn body(value: &[u8]) -> Option<Body> {
    match value.to_ascii_uppercase().as_slice() {
        b"7BIT" => Some(Body::SevenBit),
        b"8BITMIME" => Some(Body::EightBitMime),
        b"BINARYMIME" => Some(Body::BinaryMime),
        _ => None,
    }
}

/// Digits and nothing else; `None` beyond 64 bits.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| all)?.parse().ok()
}

fn signed<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Whether it begins as a date and time of RFC 3339 does: `2026-11-26T…`.
fn is_time(text: &[u8]) -> bool {
    let date = [4, 7].iter().all(|&at| text.get(at) == Some(&b'-'));
    date && text.get(10).is_some_and(|t| t.eq_ignore_ascii_case(&b'T')) && text.len() >= 17
}

fn split_once(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let found = memchr::memchr(at, text)?;
    Some((&text[..found], &text[found + 1..]))
}

#[cfg(test)]
mod tests {
    use super::super::command::parameters;
    use super::*;

    fn one(text: &[u8]) -> ParameterValue<'_> {
        let all: Vec<_> = parameters(text).collect();
        let [parameter] = all[..] else { panic!("one parameter: {text:?}") };
        parameter.meaning()
    }

    #[test]
    fn every_known_parameter_is_a_value() {
        let owned = |text: &[u8]| Cow::<[u8]>::Owned(text.to_vec());
        assert_eq!(one(b"SIZE=18446744073709551615"), ParameterValue::Size(u64::MAX));
        assert_eq!(one(b"body=8bitmime"), ParameterValue::Body(Body::EightBitMime));
        assert_eq!(one(b"BODY=7BIT"), ParameterValue::Body(Body::SevenBit));
        assert_eq!(one(b"BODY=BINARYMIME"), ParameterValue::Body(Body::BinaryMime));
        assert_eq!(one(b"SMTPUTF8"), ParameterValue::SmtpUtf8);
        assert_eq!(one(b"RET=HDRS"), ParameterValue::Return(ReturnContent::Header));
        assert_eq!(one(b"RET=full"), ParameterValue::Return(ReturnContent::Full));
        assert_eq!(one(b"ENVID=QQ+2B314"), ParameterValue::EnvelopeId(owned(b"QQ+314")));
        let wanted = Notify { success: true, delay: true, ..Notify::default() };
        assert_eq!(one(b"NOTIFY=SUCCESS,DELAY"), ParameterValue::Notify(wanted));
        assert_eq!(one(b"NOTIFY=NEVER"), ParameterValue::Notify(Notify { never: true, ..Notify::default() }));
        let address = owned(b"a+b@example.org");
        assert_eq!(
            one(b"ORCPT=rfc822;a+2Bb@example.org"),
            ParameterValue::OriginalRecipient { kind: b"rfc822", address }
        );
        assert_eq!(one(b"AUTH=<>"), ParameterValue::AuthIdentity(None));
        assert_eq!(one(b"AUTH=a+3Db@example.org"), ParameterValue::AuthIdentity(Some(owned(b"a=b@example.org"))));
        assert_eq!(one(b"REQUIRETLS"), ParameterValue::RequireTls);
        assert_eq!(one(b"MT-PRIORITY=-9"), ParameterValue::Priority(-9));
        assert_eq!(one(b"HOLDFOR=86400"), ParameterValue::HoldFor(86_400));
        assert_eq!(one(b"HOLDUNTIL=2026-11-26T12:00:00Z"), ParameterValue::HoldUntil(b"2026-11-26T12:00:00Z"));
        assert_eq!(one(b"BY=-120;RT"), ParameterValue::DeliverBy { seconds: -120, or_return: true, trace: true });
        assert_eq!(one(b"BY=5;N"), ParameterValue::DeliverBy { seconds: 5, or_return: false, trace: false });
        assert_eq!(
            one(b"RRVS=2014-04-03T23:01:00Z;C"),
            ParameterValue::OwnerSince { time: b"2014-04-03T23:01:00Z", otherwise: Some(b"C") }
        );
        assert_eq!(one(b"SOLICIT=org.example:ADV"), ParameterValue::Solicit(b"org.example:ADV"));
        assert_eq!(one(b"MTRK=c2Vj:3600"), ParameterValue::Track { certifier: b"c2Vj", seconds: Some(3600) });
        assert_eq!(one(b"CONPERM"), ParameterValue::ConversionPermitted);
        assert_eq!(one(b"CONNEG"), ParameterValue::NegotiateContent);
        assert_eq!(one(b"SUBMITTER=a@example.org"), ParameterValue::Submitter(owned(b"a@example.org")));
        assert_eq!(one(b"XVERP"), ParameterValue::Verp(None));
        assert_eq!(one(b"XVERP=+="), ParameterValue::Verp(Some(b"+=")));
        assert_eq!(one(b"TRANSID=<1@example.org>"), ParameterValue::TransactionId(owned(b"1@example.org")));
        assert_eq!(one(b"X-NEW=1"), ParameterValue::Unknown);
    }

    #[test]
    fn a_value_that_is_not_of_its_form_is_said_to_be_so() {
        for text in [
            &b"SIZE"[..],
            b"SIZE=",
            b"SIZE=-1",
            b"SIZE=1k",
            b"SIZE=18446744073709551616",
            b"BODY=9BIT",
            b"SMTPUTF8=yes",
            b"RET=HALF",
            b"NOTIFY=NEVER,DELAY",
            b"NOTIFY=",
            b"ORCPT=a@example.org",
            b"MT-PRIORITY=10",
            b"HOLDFOR=never",
            b"HOLDUNTIL=tomorrow",
            b"BY=120",
            b"BY=120;X",
            b"RRVS=yesterday",
            b"MTRK=x:y",
            b"XVERP=+",
        ] {
            assert_eq!(one(text), ParameterValue::Malformed, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn a_parameter_cut_at_any_octet_is_still_a_parameter() {
        let whole = b"ORCPT=rfc822;a+2Bb@example.org";
        for cut in 1..whole.len() {
            let meaning = one(&whole[..cut]);
            let known = cut >= b"ORCPT".len();
            let typed = matches!(meaning, ParameterValue::OriginalRecipient { .. });
            assert_eq!(typed, cut >= b"ORCPT=rfc822;".len(), "{cut}");
            assert_eq!(meaning == ParameterValue::Unknown, !known, "{cut}");
        }
    }

    #[test]
    fn each_parameter_has_the_extension_that_brings_it() {
        let extension = |text: &'static [u8]| parameters(text).next().and_then(|p| p.extension());
        assert_eq!(extension(b"NOTIFY=NEVER"), Some("DSN"));
        assert_eq!(extension(b"BODY=8BITMIME"), Some("8BITMIME"));
        assert_eq!(extension(b"BODY=BINARYMIME"), Some("BINARYMIME"));
        assert_eq!(extension(b"holdfor=1"), Some("FUTURERELEASE"));
        assert_eq!(extension(b"X-NEW"), None);
        assert!(READERS.iter().all(|(keyword, _)| OFFERED_AS.iter().any(|(other, _)| other == keyword)));
    }

    #[test]
    fn words_say_what_is_asked_for() {
        let words = |text: &'static [u8]| one(text).in_words();
        assert_eq!(words(b"SIZE=1"), None);
        assert_eq!(words(b"NOTIFY=SUCCESS,FAILURE").as_deref(), Some("report success, failure"));
        assert_eq!(words(b"ORCPT=rfc822;b@example.org").as_deref(), Some("first addressed to b@example.org"));
        assert_eq!(words(b"MT-PRIORITY=3").as_deref(), Some("priority +3"));
    }
}
