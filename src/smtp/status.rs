//! Enhanced status codes in words (RFC 3463 and the registry of RFC 5248), and whether a refusal
//! is worth another try.

use super::EnhancedStatus;

impl EnhancedStatus {
    /// What its subject and detail mean; `None` where the registry has no such code, and for a
    /// success that says no more than that.
    #[must_use]
    pub fn meaning(&self) -> Option<&'static str> {
        // Success for no particular reason is nothing to tell.
        if self.class == 2 && self.detail == 0 {
            return None;
        }
        let key = (self.subject, self.detail);
        REGISTRY.binary_search_by_key(&key, |(subject, detail, _)| (*subject, *detail)).ok().map(|at| REGISTRY[at].2)
    }
}

/// What a client that was refused can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// Try the same again later (4yz, RFC 5321 §4.2.1).
    Later,
    /// Never send the same again (5yz).
    Never,
    /// Log in first (530, RFC 4954 §6).
    AfterLogin,
    /// Use TLS first (530 of RFC 3207 §4, 538, X.7.10, X.7.11).
    OverTls,
    /// Send these recipients in a transaction of their own (452 and 552 for RCPT: too many,
    /// RFC 5321 §4.5.3.1.10).
    FewerRecipients,
}

impl Retry {
    /// What a reply with `code` and `enhanced` leaves to its client; `None` where it was no refusal.
    #[must_use]
    pub fn of(code: Option<u16>, enhanced: Option<EnhancedStatus>) -> Option<Retry> {
        let security = enhanced.filter(|status| status.subject == 7).map(|status| status.detail);
        let too_many = enhanced.is_some_and(|status| (status.subject, status.detail) == (5, 3));
        let class = match (code, enhanced) {
            (Some(code), _) => code / 100,
            (None, Some(status)) => u16::from(status.class),
            (None, None) => return None,
        };
        match (class, code) {
            (4 | 5, _) if too_many => Some(Retry::FewerRecipients),
            (5, Some(538)) => Some(Retry::OverTls),
            (4 | 5, _) if matches!(security, Some(10 | 11)) => Some(Retry::OverTls),
            (5, Some(530)) => Some(Retry::AfterLogin),
            (4, _) => Some(Retry::Later),
            (5, _) => Some(Retry::Never),
            _ => None,
        }
    }

    /// Its name in machine-readable outputs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Retry::Later => "later",
            Retry::Never => "never",
            Retry::AfterLogin => "after-login",
            Retry::OverTls => "over-tls",
            Retry::FewerRecipients => "fewer-recipients",
        }
    }

    /// In words.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Retry::Later => "try again later",
            Retry::Never => "for good",
            Retry::AfterLogin => "log in first",
            Retry::OverTls => "use TLS first",
            Retry::FewerRecipients => "send these in another transaction",
        }
    }
}

/// Subject, detail, and what they mean: IANA's registry of SMTP enhanced status codes.
const REGISTRY: &[(u16, u16, &str)] = &[
    (0, 0, "no particular status"),
    (1, 0, "something about an address"),
    (1, 1, "no such mailbox"),
    (1, 2, "no such domain"),
    (1, 3, "the recipient's address is malformed"),
    (1, 4, "the recipient's address is ambiguous"),
    (1, 5, "the recipient's address is valid"),
    (1, 6, "the mailbox has moved"),
    (1, 7, "the sender's address is malformed"),
    (1, 8, "the sender's domain does not exist or takes no mail"),
    (1, 9, "passed on to a server that does not report back"),
    (1, 10, "the recipient's domain takes no mail (null MX)"),
    (2, 0, "something about the mailbox"),
    (2, 1, "the mailbox is disabled"),
    (2, 2, "the mailbox is full"),
    (2, 3, "the message is longer than the mailbox allows"),
    (2, 4, "the mailing list could not be expanded"),
    (3, 0, "something about the mail system"),
    (3, 1, "the mail system is full"),
    (3, 2, "the system takes no mail now"),
    (3, 3, "the system lacks a feature that the message needs"),
    (3, 4, "the message is too big for the system"),
    (3, 5, "the system is set up wrongly"),
    (3, 6, "the priority was changed"),
    (4, 0, "something about the network or the route"),
    (4, 1, "the next host does not answer"),
    (4, 2, "the connection was lost"),
    (4, 3, "a directory or name server failed"),
    (4, 4, "no route to the recipient"),
    (4, 5, "the mail system is congested"),
    (4, 6, "the mail goes round in a loop"),
    (4, 7, "the message is too old"),
    (5, 0, "something about the protocol"),
    (5, 1, "the command is not valid here"),
    (5, 2, "the command's syntax is wrong"),
    (5, 3, "too many recipients"),
    (5, 4, "the command's arguments are not valid"),
    (5, 5, "the wrong version of the protocol"),
    (5, 6, "the login's line is too long"),
    (6, 0, "something about the contents"),
    (6, 1, "the contents' type is not supported"),
    (6, 2, "conversion is required and prohibited"),
    (6, 3, "conversion is required and not supported"),
    (6, 4, "the contents were converted with loss"),
    (6, 5, "the contents could not be converted"),
    (6, 6, "the contents could not be fetched"),
    (6, 7, "addresses outside ASCII are not permitted for it"),
    (6, 8, "a reply in UTF-8 is required and not permitted"),
    (6, 9, "a header in UTF-8 cannot be passed on to a recipient"),
    (6, 10, "a reply in UTF-8 is required and not permitted"),
    (7, 0, "something about security or policy"),
    (7, 1, "not authorised: refused by policy"),
    (7, 2, "the sender may not use this mailing list"),
    (7, 3, "a conversion for security is required and not possible"),
    (7, 4, "a security feature is not supported"),
    (7, 5, "a cryptographic failure"),
    (7, 6, "a cryptographic algorithm is not supported"),
    (7, 7, "the message's integrity is broken"),
    (7, 8, "user name or password is wrong"),
    (7, 9, "the login mechanism is too weak"),
    (7, 10, "encryption is needed"),
    (7, 11, "this login mechanism needs encryption"),
    (7, 12, "the password must be changed over to this mechanism"),
    (7, 13, "the account is disabled"),
    (7, 14, "a trust relationship is required"),
    (7, 15, "the priority is too low"),
    (7, 16, "the message is too big for its priority"),
    (7, 17, "the mailbox has a new owner"),
    (7, 18, "the domain has a new owner"),
    (7, 19, "whether the mailbox has a new owner cannot be told"),
    (7, 20, "no DKIM signature holds"),
    (7, 21, "no DKIM signature is acceptable"),
    (7, 22, "no DKIM signature of the author's domain holds"),
    (7, 23, "SPF fails"),
    (7, 24, "SPF could not be evaluated"),
    (7, 25, "the client's address has no valid reverse name"),
    (7, 26, "several authentication checks fail"),
    (7, 27, "the sender's domain takes no mail (null MX)"),
    (7, 28, "too much mail from this sender"),
    (7, 29, "the ARC chain is broken"),
    (7, 30, "REQUIRETLS cannot be honoured from here on"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn status(text: &str) -> EnhancedStatus {
        EnhancedStatus::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_status_is_told_in_words() {
        assert!(REGISTRY.is_sorted_by_key(|(subject, detail, _)| (*subject, *detail)));
        assert_eq!(status("5.1.1").meaning(), Some("no such mailbox"));
        assert_eq!(status("4.2.2").meaning(), Some("the mailbox is full"));
        assert_eq!(status("2.1.5").meaning(), Some("the recipient's address is valid"));
        assert_eq!(status("5.7.30").meaning(), Some("REQUIRETLS cannot be honoured from here on"));
        assert_eq!(status("5.9.1").meaning(), None);
        assert_eq!(status("5.1.99").meaning(), None);
    }

    #[test]
    fn a_refusal_says_whether_another_try_is_worth_it() {
        let of = |code, enhanced: &str| Retry::of(Some(code), EnhancedStatus::parse(enhanced.as_bytes()));
        assert_eq!(of(250, "2.1.5"), None);
        assert_eq!(of(354, ""), None);
        assert_eq!(of(450, "4.2.0"), Some(Retry::Later));
        assert_eq!(of(421, ""), Some(Retry::Later));
        assert_eq!(of(550, "5.1.1"), Some(Retry::Never));
        assert_eq!(of(530, "5.7.0"), Some(Retry::AfterLogin));
        assert_eq!(of(530, "5.7.10"), Some(Retry::OverTls));
        assert_eq!(of(538, ""), Some(Retry::OverTls));
        assert_eq!(of(452, "4.5.3"), Some(Retry::FewerRecipients));
        assert_eq!(of(599, ""), Some(Retry::Never));
        assert_eq!(Retry::of(None, Some(status("4.7.0"))), Some(Retry::Later));
        assert_eq!(Retry::of(None, None), None);
    }
}
