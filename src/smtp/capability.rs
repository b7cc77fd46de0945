//! What a server offers in its reply to EHLO, keyword by keyword.

use super::EhloKeyword;
use super::parameter::number;

/// One offer (the registry of RFC 5321 §2.2.2, and what vendors add).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capability<'a> {
    /// `SIZE`: the longest message that is taken; 0 or none: no fixed limit (RFC 1870).
    Size(Option<u64>),
    /// `AUTH`: mechanisms (RFC 4954).
    Auth {
        /// As spelled.
        mechanisms: Vec<&'a [u8]>,
        /// Written `AUTH=`, for clients older than RFC 2554.
        legacy: bool,
    },
    /// `STARTTLS` (RFC 3207).
    StartTls,
    /// `PIPELINING` (RFC 2920).
    Pipelining,
    /// `CHUNKING`: BDAT (RFC 3030).
    Chunking,
    /// `BINARYMIME` (RFC 3030).
    BinaryMime,
    /// `8BITMIME` (RFC 6152).
    EightBitMime,
    /// `SMTPUTF8` (RFC 6531).
    SmtpUtf8,
    /// `DSN`: reports of delivery (RFC 3461).
    Dsn,
    /// `ENHANCEDSTATUSCODES` (RFC 2034).
    EnhancedStatusCodes,
    /// `DELIVERBY`: the shortest time that can be asked for, in seconds (RFC 2852).
    DeliverBy(Option<u64>),
    /// `FUTURERELEASE`: the longest hold in seconds, and the latest time (RFC 4865).
    FutureRelease {
        /// Seconds.
        longest: Option<u64>,
        /// As RFC 3339 writes it.
        latest: Option<&'a [u8]>,
    },
    /// `MT-PRIORITY`: the profile of priorities (RFC 6710).
    Priority(Option<&'a [u8]>),
    /// `RRVS` (RFC 7293).
    OwnerSince,
    /// `REQUIRETLS` (RFC 8689).
    RequireTls,
    /// `LIMITS` (RFC 9422).
    Limits(Limits),
    /// `BURL`: where a message may be fetched from (RFC 4468).
    Burl(&'a [u8]),
    /// `NO-SOLICITING`: the classes that are refused (RFC 3865).
    NoSoliciting(&'a [u8]),
    /// `ATRN`: the domains (RFC 2645).
    Atrn(&'a [u8]),
    /// `XCLIENT` and `XFORWARD`: the attributes that are taken (Postfix).
    Attributes(Vec<&'a [u8]>),
    /// Another registered keyword that has no parameters worth a type.
    Plain,
    /// A keyword overwritten in place, as firewalls leave it.
    Masked,
    /// A keyword that is not known here.
    Unknown,
}

/// What a server bounds (RFC 9422 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// `MAILMAX`: transactions in a session.
    pub mail: Option<u64>,
    /// `RCPTMAX`: recipients in a transaction.
    pub recipients: Option<u64>,
    /// `RCPTDOMAINMAX`: domains of recipients in a transaction.
    pub domains: Option<u64>,
}

impl EhloKeyword {
    /// What it offers.
    #[must_use]
    pub fn meaning(&self) -> Capability<'_> {
        let words = || self.parameters.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty());
        match self.keyword.to_ascii_uppercase().as_slice() {
            b"SIZE" => Capability::Size(words().next().and_then(number)),
            b"AUTH" => Capability::Auth { mechanisms: words().collect(), legacy: self.legacy },
            b"STARTTLS" => Capability::StartTls,
            b"PIPELINING" => Capability::Pipelining,
            b"CHUNKING" => Capability::Chunking,
            b"BINARYMIME" => Capability::BinaryMime,
            b"8BITMIME" => Capability::EightBitMime,
            b"SMTPUTF8" => Capability::SmtpUtf8,
            b"DSN" => Capability::Dsn,
            b"ENHANCEDSTATUSCODES" => Capability::EnhancedStatusCodes,
            b"DELIVERBY" => Capability::DeliverBy(words().next().and_then(number)),
            b"FUTURERELEASE" => {
                Capability::FutureRelease { longest: words().next().and_then(number), latest: words().nth(1) }
            }
            b"MT-PRIORITY" => Capability::Priority(words().next()),
            b"RRVS" => Capability::OwnerSince,
            b"REQUIRETLS" => Capability::RequireTls,
            b"LIMITS" => Capability::Limits(Limits::parse(words())),
            b"BURL" => Capability::Burl(&self.parameters),
            b"NO-SOLICITING" => Capability::NoSoliciting(&self.parameters),
            b"ATRN" => Capability::Atrn(&self.parameters),
            b"XCLIENT" | b"XFORWARD" => Capability::Attributes(words().collect()),
            keyword if PLAIN.contains(&keyword) => Capability::Plain,
            keyword if is_masked(keyword) => Capability::Masked,
            _ => Capability::Unknown,
        }
    }
}

impl Capability<'_> {
    /// Whether it offers a login by `mechanism`.
    #[must_use]
    pub fn offers_mechanism(&self, mechanism: &[u8]) -> bool {
        match self {
            Capability::Auth { mechanisms, .. } => mechanisms.iter().any(|m| m.eq_ignore_ascii_case(mechanism)),
            _ => false,
        }
    }
}

impl Limits {
    fn parse<'a>(words: impl Iterator<Item = &'a [u8]>) -> Limits {
        let mut limits = Limits::default();
        for word in words {
            let Some(at) = memchr::memchr(b'=', word) else { continue };
            let slot = match word[..at].to_ascii_uppercase().as_slice() {
                b"MAILMAX" => &mut limits.mail,
                b"RCPTMAX" => &mut limits.recipients,
                b"RCPTDOMAINMAX" => &mut limits.domains,
                _ => continue,
            };
            *slot = number(&word[at + 1..]);
        }
        limits
    }
}

/// A keyword overwritten in place, as firewalls leave it: `XXXXXXXA`.
pub(super) fn is_masked(keyword: &[u8]) -> bool {
    keyword.len() >= 6 && keyword[..keyword.len() - 1].iter().all(|&b| b == b'X' || b == b'*')
}

const PLAIN: &[&[u8]] = &[
    b"ETRN",
    b"EXPN",
    b"HELP",
    b"VRFY",
    b"VERB",
    b"VERBOSE",
    b"ONEX",
    b"TURN",
    b"SEND",
    b"SOML",
    b"SAML",
    b"MTRK",
    b"CHECKPOINT",
    b"SUBMITTER",
    b"CONPERM",
    b"CONNEG",
    b"XVERP",
    b"X-EXPS",
    b"X-LINK2STATE",
    b"XEXCH50",
    b"X-ANONYMOUSTLS",
    b"XRDST",
    b"XSHADOW",
    b"XSHADOWREQUEST",
    b"XOORG",
    b"XPROXY",
    b"XPROXYFROM",
    b"XSYSPROBE",
    b"XORIGFROM",
    b"XMESSAGECONTEXT",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Direction, Span};

    fn offer(keyword: &str, parameters: &str) -> EhloKeyword {
        EhloKeyword {
            keyword: keyword.into(),
            parameters: parameters.into(),
            legacy: false,
            span: Span::new(Direction::FromResponder, 0, 0),
        }
    }

    #[test]
    fn keywords_have_typed_parameters() {
        assert_eq!(offer("SIZE", "35882577").meaning(), Capability::Size(Some(35_882_577)));
        assert_eq!(offer("size", "").meaning(), Capability::Size(None));
        let auth = offer("AUTH", "PLAIN  LOGIN");
        assert_eq!(auth.meaning(), Capability::Auth { mechanisms: vec![b"PLAIN", b"LOGIN"], legacy: false });
        assert!(auth.meaning().offers_mechanism(b"login") && !auth.meaning().offers_mechanism(b"LOG"));
        assert_eq!(offer("DELIVERBY", "240").meaning(), Capability::DeliverBy(Some(240)));
        assert_eq!(
            offer("FUTURERELEASE", "86400 2027-01-01T00:00:00Z").meaning(),
            Capability::FutureRelease { longest: Some(86_400), latest: Some(b"2027-01-01T00:00:00Z") }
        );
        assert_eq!(
            offer("LIMITS", "RCPTMAX=100 MAILMAX=5 rcptdomainmax=1 X=y Z").meaning(),
            Capability::Limits(Limits { mail: Some(5), recipients: Some(100), domains: Some(1) })
        );
        assert_eq!(offer("XFORWARD", "NAME ADDR").meaning(), Capability::Attributes(vec![b"NAME", b"ADDR"]));
        assert_eq!(offer("MT-PRIORITY", "MIXER").meaning(), Capability::Priority(Some(b"MIXER")));
        assert_eq!(offer("Etrn", "").meaning(), Capability::Plain);
        assert_eq!(offer("XXXXXXXA", "").meaning(), Capability::Masked);
        assert_eq!(offer("X-NEW", "1").meaning(), Capability::Unknown);
    }
}
