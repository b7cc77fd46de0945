//! SASL exchanges (RFC 4954): who logs in, by which mechanism, how long the secret is, and what
//! reading it is worth.

mod gain;
mod mask;
mod mechanism;
pub(super) mod ntlm;
#[cfg(test)]
mod tests;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::Command;
use super::summary::keep;
use crate::stream::Span;

#[cfg(test)]
pub(super) use ntlm::tests::authenticate as ntlm_authenticate;

pub use gain::Gain;
pub use mask::{MASK, mask};

use mechanism::Prompt;

/// One AUTH command and the exchange after it. No secret is kept, only its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthAttempt {
    /// In upper case, as `PLAIN`.
    pub mechanism: String,
    /// Whether the AUTH line carried the first response (RFC 4954 §4).
    pub initial_response: bool,
    /// Who, where the mechanism says it.
    pub username: Option<Username>,
    /// In whose name, where that is somebody else (the authorization identity, RFC 4422 §3.4.1).
    pub authorization: Option<Username>,
    /// The user's domain (NTLM) or realm (DIGEST-MD5).
    pub realm: Option<Vec<u8>>,
    /// The client's computer (NTLM).
    pub workstation: Option<Vec<u8>>,
    /// SCRAM: the rounds that slow guessing down.
    pub iterations: Option<u32>,
    /// What a server of XOAUTH2 or OAUTHBEARER says of a token that it refuses, in JSON
    /// (RFC 7628 §3.2.2).
    pub error: Option<Vec<u8>>,
    /// Octets of the password, token or digest, decoded; `None` where the mechanism is not known.
    pub secret_len: Option<u64>,
    /// Octets of all the client's responses as sent, without line ends.
    pub responses_len: u64,
    /// Whether the server let the client in. `None`: cannot tell.
    pub succeeded: Option<bool>,
    /// Whether the client gave up with `*`.
    pub cancelled: bool,
    /// The code of the final reply.
    pub code: Option<u16>,
    /// The AUTH command.
    pub span: Span,
    /// The client's further lines: from the first to the last.
    pub responses: Option<Span>,
    /// The final reply.
    pub reply_span: Option<Span>,
}

/// A user's name, decoded.
pub type Username = Vec<u8>;

impl AuthAttempt {
    /// What somebody who reads the exchange can do with it.
    #[must_use]
    pub fn gain(&self) -> Gain {
        match Gain::of(&self.mechanism) {
            Gain::Unknown => Gain::Unknown,
            Gain::Nothing => Gain::Nothing,
            _ if self.secret_len.is_none() && self.responses_len > 0 && self.username.is_none() => Gain::Unknown,
            _ if self.secret_len.is_none() => Gain::NotSent,
            gain => gain,
        }
    }

    /// Whether somebody on the path can use what was sent again: a password or a token, not a
    /// response to a challenge.
    #[must_use]
    pub fn reveals_secret(&self) -> bool {
        self.gain().is_secret()
    }
}

/// An exchange that is not over.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) attempt: AuthAttempt,
    rounds: u32,
    prompt: Option<Prompt>,
}

impl Exchange {
    /// Begins with an AUTH command.
    pub(super) fn new(command: &Command<'_>, span: Span) -> Exchange {
        let mut words = command.argument.splitn(2, |&b| b == b' ');
        let mechanism = keep(words.next().unwrap_or_default());
        let initial = words.next().map(<[u8]>::trim_ascii).filter(|w| !w.is_empty());
        let attempt = AuthAttempt {
            mechanism: String::from_utf8_lossy(&mechanism).to_ascii_uppercase(),
            initial_response: initial.is_some(),
            username: None,
            authorization: None,
            realm: None,
            workstation: None,
            iterations: None,
            error: None,
            secret_len: None,
            responses_len: 0,
            succeeded: None,
            cancelled: false,
            code: None,
            span,
            responses: None,
            reply_span: None,
        };
        let mut exchange = Exchange { attempt, rounds: 0, prompt: None };
        if let Some(initial) = initial {
            exchange.read(initial);
        }
        exchange
    }

    /// A further line of the client.
    pub(super) fn line(&mut self, line: &[u8], span: Span) {
        let start = self.attempt.responses.map_or(span.start, |s| s.start);
        self.attempt.responses = Some(Span::new(span.direction, start, span.end));
        match line {
            b"*" => self.attempt.cancelled = true,
            _ => self.read(line),
        }
    }

    /// A challenge of the server: the text of a 334 reply.
    pub(super) fn challenge(&mut self, text: &[u8]) {
        let Some(decoded) = decode(text) else {
            // Some servers of LOGIN do not encode what they ask.
            self.prompt = Prompt::read(text);
            return;
        };
        let attempt = &mut self.attempt;
        match attempt.mechanism.as_str() {
            "LOGIN" => self.prompt = Prompt::read(&decoded).or_else(|| Prompt::read(text)),
            "XOAUTH2" | "OAUTHBEARER" if self.rounds > 0 && !decoded.is_empty() => attempt.error = Some(keep(&decoded)),
            mechanism => attempt.iterations = attempt.iterations.or(mechanism::iterations(mechanism, &decoded)),
        }
    }

    /// Whether the client has another response to give, as far as the mechanism tells: decides
    /// what a line is that comes before the server's reply.
    pub(super) fn expects_line(&self) -> bool {
        let wanted = match self.attempt.mechanism.as_str() {
            "PLAIN" | "CRAM-MD5" | "EXTERNAL" | "ANONYMOUS" => 1,
            "LOGIN" | "XOAUTH2" | "OAUTHBEARER" => 2,
            _ => u32::MAX,
        };
        !self.attempt.cancelled && self.rounds < wanted
    }

    fn read(&mut self, response: &[u8]) {
        let attempt = &mut self.attempt;
        attempt.responses_len = attempt.responses_len.saturating_add(response.len() as u64);
        let (nth, prompt) = (self.rounds, self.prompt.take());
        self.rounds = self.rounds.saturating_add(1);
        let Some(decoded) = decode(response) else { return };
        let said = mechanism::read(&attempt.mechanism, nth, prompt, &decoded);
        let set = |slot: &mut Option<Vec<u8>>, value: Option<Vec<u8>>| {
            if let Some(value) = value {
                *slot = Some(keep(&value));
            }
        };
        set(&mut attempt.username, said.username);
        set(&mut attempt.authorization, said.authorization);
        set(&mut attempt.realm, said.realm);
        set(&mut attempt.workstation, said.workstation);
        if let Some(length) = said.secret {
            attempt.secret_len = Some(attempt.secret_len.unwrap_or(0).max(length as u64));
        }
    }
}

/// The octets that a line of a SASL exchange stands for: base64 as clients send it (padding may
/// lack), and `=` for an empty response (RFC 4954 §4). `None` where it is none.
#[must_use]
pub fn decode(response: &[u8]) -> Option<Vec<u8>> {
    match response {
        b"=" => Some(Vec::new()),
        _ => TOLERANT.decode(response.trim_ascii()).ok(),
    }
}

const TOLERANT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
