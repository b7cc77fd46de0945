//! What somebody who read a login can do with it.

/// What an eavesdropper gains from an exchange in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gain {
    /// The password itself.
    Password,
    /// A token that opens the account until it expires.
    Token,
    /// A challenge and the response to it: passwords can be tried against them offline.
    ChallengeResponse,
    /// A code that works once.
    OneTime,
    /// Nothing that can be used again.
    Nothing,
    /// Nothing: no secret was sent.
    NotSent,
    /// It cannot be told: the mechanism is not known, or its messages are not in the capture.
    Unknown,
}

impl Gain {
    /// What the secret of a mechanism is worth, once it was sent.
    pub(super) fn of(mechanism: &str) -> Gain {
        match mechanism {
            "PLAIN" | "LOGIN" => Gain::Password,
            "XOAUTH2" | "OAUTHBEARER" => Gain::Token,
            "NTLM" | "SPA" | "OTP" | "SKEY" => Gain::ChallengeResponse,
            "SECURID" => Gain::OneTime,
            "GSSAPI" | "GSS-SPNEGO" | "GS2-KRB5" | "GS2-KRB5-PLUS" | "KERBEROS_V4" | "EXTERNAL" | "ANONYMOUS" => {
                Gain::Nothing
            }
            _ if ["CRAM-", "DIGEST-", "SCRAM-"].iter().any(|family| mechanism.starts_with(family)) => {
                Gain::ChallengeResponse
            }
            _ => Gain::Unknown,
        }
    }

    /// Its name in machine-readable outputs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Gain::Password => "password",
            Gain::Token => "token",
            Gain::ChallengeResponse => "challenge-response",
            Gain::OneTime => "one-time",
            Gain::Nothing => "nothing",
            Gain::NotSent => "not-sent",
            Gain::Unknown => "unknown",
        }
    }

    /// In words, after "whoever reads it gains".
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Gain::Password => "the password itself",
            Gain::Token => "a token that opens the account until it expires",
            Gain::ChallengeResponse => "a challenge and its response, to try passwords against offline",
            Gain::OneTime => "a code that works once",
            Gain::Nothing => "nothing that can be used again",
            Gain::NotSent => "nothing: no secret was sent",
            Gain::Unknown => "what cannot be told",
        }
    }

    /// Whether it is usable as it is: a password or a token.
    #[must_use]
    pub fn is_secret(self) -> bool {
        matches!(self, Gain::Password | Gain::Token)
    }
}
