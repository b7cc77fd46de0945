//! SASL exchanges (RFC 4954): who logs in, by which mechanism, and how long the secret is.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::command::{Command, Verb};
use super::summary::keep;
use crate::stream::Span;

/// What stands in the place of a secret: always as long, whatever the secret's length.
pub const MASK: &str = "\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}";

/// One AUTH command and the exchange after it. No secret is kept, only its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthAttempt {
    /// In upper case, as `PLAIN`.
    pub mechanism: String,
    /// Whether the AUTH line carried the first response (RFC 4954 §4).
    pub initial_response: bool,
    /// Who, where the mechanism says it.
    pub username: Option<Username>,
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
    /// Whether somebody on the path can use what was sent again: a password or a token, not a
    /// response to a challenge.
    #[must_use]
    pub fn reveals_secret(&self) -> bool {
        matches!(self.mechanism.as_str(), "PLAIN" | "LOGIN" | "XOAUTH2" | "OAUTHBEARER") && self.secret_len.is_some()
    }
}

/// An exchange that is not over.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) attempt: AuthAttempt,
    rounds: u32,
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
            secret_len: None,
            responses_len: 0,
            succeeded: None,
            cancelled: false,
            code: None,
            span,
            responses: None,
            reply_span: None,
        };
        let mut exchange = Exchange { attempt, rounds: 0 };
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
        let nth = self.rounds;
        self.rounds = self.rounds.saturating_add(1);
        let Some(decoded) = decode(response) else { return };
        let (username, secret) = match attempt.mechanism.as_str() {
            "PLAIN" => plain(&decoded),
            "LOGIN" if nth == 0 => (Some(decoded), None),
            "LOGIN" if nth == 1 => (None, Some(decoded.len())),
            "CRAM-MD5" => cram_md5(&decoded),
            "XOAUTH2" if nth == 0 => xoauth2(&decoded),
            "OAUTHBEARER" if nth == 0 => oauthbearer(&decoded),
            "DIGEST-MD5" if nth == 0 => digest_md5(&decoded),
            "NTLM" => (ntlm_user(&decoded), (nth > 0).then_some(decoded.len())),
            "EXTERNAL" | "ANONYMOUS" if nth == 0 => (Some(decoded), None),
            name if name.starts_with("SCRAM-") => scram(&decoded, nth),
            "GSSAPI" | "GS2-KRB5" => (None, Some(decoded.len())),
            _ => (None, None),
        };
        if let Some(username) = username {
            attempt.username = Some(keep(&username));
        }
        if let Some(length) = secret {
            attempt.secret_len = Some(attempt.secret_len.unwrap_or(0).max(length as u64));
        }
    }
}

/// A client line with its secret masked: `AUTH PLAIN dGVz…` becomes `AUTH PLAIN ••••••••`, and so
/// does the access token of a BURL line. A line of a SASL exchange is masked whole, but for `*`
/// and `=`; `in_exchange` says that it is one.
#[must_use]
pub fn mask(line: &[u8], in_exchange: bool) -> Cow<'_, [u8]> {
    if in_exchange {
        return match line {
            b"*" | b"=" | b"" => Cow::Borrowed(line),
            _ => Cow::Borrowed(MASK.as_bytes()),
        };
    }
    let Some(command) = Command::parse(0, line, super::LineEnd::Crlf) else { return Cow::Borrowed(line) };
    let secret = match command.verb {
        Verb::AUTH | Verb::X_EXPS => {
            let rest = command.argument.iter().position(|b| b.is_ascii_whitespace()).map(|at| &command.argument[at..]);
            rest.map(<[u8]>::trim_ascii).filter(|secret| !matches!(*secret, b"" | b"="))
        }
        Verb::BURL => memchr::memmem::find(command.argument, b":internal:").map(|at| &command.argument[at + 10..]),
        _ => None,
    };
    match secret.and_then(|secret| memchr::memmem::rfind(line, secret)) {
        Some(at) => Cow::Owned([&line[..at], MASK.as_bytes()].concat()),
        None => Cow::Borrowed(line),
    }
}

/// Base64 as clients send it: padding may lack, `=` is an empty response (RFC 4954 §4).
pub(super) fn decode(response: &[u8]) -> Option<Vec<u8>> {
    match response {
        b"=" => Some(Vec::new()),
        _ => TOLERANT.decode(response.trim_ascii()).ok(),
    }
}

/// RFC 4616 §2: authorization identity, NUL, authentication identity, NUL, password.
fn plain(decoded: &[u8]) -> (Option<Username>, Option<usize>) {
    let mut parts = decoded.splitn(3, |&b| b == 0);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(user), Some(password)) => (Some(user.to_vec()), Some(password.len())),
        _ => (None, Some(decoded.len())),
    }
}

/// RFC 2195 §2: user, space, digest in hex.
fn cram_md5(decoded: &[u8]) -> (Option<Username>, Option<usize>) {
    match decoded.iter().rposition(|&b| b == b' ') {
        Some(at) => (Some(decoded[..at].to_vec()), Some(decoded.len() - at - 1)),
        None => (None, Some(decoded.len())),
    }
}

/// `user=…^Aauth=Bearer …^A^A`.
fn xoauth2(decoded: &[u8]) -> (Option<Username>, Option<usize>) {
    let fields = || decoded.split(|&b| b == 1);
    let user = fields().find_map(|f| f.strip_prefix(b"user="));
    (user.map(<[u8]>::to_vec), fields().find_map(bearer))
}

/// RFC 7628 §3.1: a GS2 header `n,a=user,`, then fields as in XOAUTH2.
fn oauthbearer(decoded: &[u8]) -> (Option<Username>, Option<usize>) {
    let mut fields = decoded.split(|&b| b == 1);
    let user = fields.next().and_then(|header| header.split(|&b| b == b',').find_map(|f| f.strip_prefix(b"a=")));
    (user.map(sasl_name), fields.find_map(bearer))
}

fn bearer(field: &[u8]) -> Option<usize> {
    let value = field.strip_prefix(b"auth=")?;
    let at = value.iter().position(|&b| b == b' ')?;
    Some(value[at..].trim_ascii().len())
}

/// RFC 5802 §7: first `n,,n=user,r=nonce`, then the proof.
fn scram(decoded: &[u8], nth: u32) -> (Option<Username>, Option<usize>) {
    match nth {
        0 => (decoded.split(|&b| b == b',').skip(2).find_map(|f| f.strip_prefix(b"n=")).map(sasl_name), None),
        1 => (None, decoded.split(|&b| b == b',').find_map(|f| f.strip_prefix(b"p=")).map(<[u8]>::len)),
        _ => (None, None),
    }
}

/// RFC 5802 §5.1: `=2C` is a comma, `=3D` an equals sign.
fn sasl_name(name: &[u8]) -> Username {
    let mut out = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((&first, after)) = rest.split_first() {
        rest = match rest {
            [b'=', b'2', b'C' | b'c', tail @ ..] => {
                out.push(b',');
                tail
            }
            [b'=', b'3', b'D' | b'd', tail @ ..] => {
                out.push(b'=');
                tail
            }
            _ => {
                out.push(first);
                after
            }
        };
    }
    out
}

/// RFC 2831 §2.1.2: `username="…"` among directives, and a response of 32 hex digits.
fn digest_md5(decoded: &[u8]) -> (Option<Username>, Option<usize>) {
    let user = memchr::memmem::find(decoded, b"username=\"").map(|at| {
        let quoted = &decoded[at + 10..];
        quoted[..memchr::memchr(b'"', quoted).unwrap_or(quoted.len())].to_vec()
    });
    let response = memchr::memmem::find(decoded, b"response=").map(|at| {
        let value = &decoded[at + 9..];
        memchr::memchr(b',', value).unwrap_or(value.len())
    });
    (user, response)
}

/// The user of an NTLM message of type 3 ([MS-NLMP] §2.2.1.3): a length and an offset at 36, the
/// name in UTF-16 or in octets by a flag at 60.
fn ntlm_user(message: &[u8]) -> Option<Username> {
    if !message.starts_with(b"NTLMSSP\0\x03\0\0\0") {
        return None;
    }
    let length = usize::from(u16::from_le_bytes(message.get(36..38)?.try_into().ok()?));
    let offset = u32::from_le_bytes(message.get(40..44)?.try_into().ok()?) as usize;
    let flags = u32::from_le_bytes(message.get(60..64)?.try_into().ok()?);
    let name = message.get(offset..offset.checked_add(length)?)?;
    if flags & 1 == 0 {
        return Some(name.to_vec());
    }
    let units: Vec<u16> = name.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    Some(String::from_utf16_lossy(&units).into_bytes())
}

const TOLERANT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::LineEnd;
    use crate::stream::Direction;

    fn encode(text: &[u8]) -> Vec<u8> {
        base64::engine::general_purpose::STANDARD.encode(text).into_bytes()
    }

    fn exchange(command: &[u8], lines: &[&[u8]]) -> AuthAttempt {
        let span = Span::new(Direction::FromOriginator, 0, 1);
        let mut exchange = Exchange::new(&Command::parse(0, command, LineEnd::Crlf).unwrap(), span);
        lines.iter().for_each(|line| exchange.line(line, span));
        exchange.attempt
    }

    fn read(mechanism: &str, responses: &[&[u8]]) -> (Option<String>, Option<u64>) {
        let lines: Vec<_> = responses.iter().map(|r| encode(r)).collect();
        let lines: Vec<_> = lines.iter().map(|l| &l[..]).collect();
        let attempt = exchange(format!("AUTH {mechanism}").as_bytes(), &lines);
        (attempt.username.map(|u| String::from_utf8(u).unwrap()), attempt.secret_len)
    }

    #[test]
    fn usernames_and_secret_lengths_are_read_for_each_mechanism() {
        let who = |name: &str, secret| (Some(name.to_owned()), secret);
        assert_eq!(read("PLAIN", &[b"\0user\0secret"]), who("user", Some(6)));
        assert_eq!(read("plain", &[b"admin\0user\0se\0cret"]), who("user", Some(7)));
        assert_eq!(read("LOGIN", &[b"user", b"secret"]), who("user", Some(6)));
        assert_eq!(read("CRAM-MD5", &[b"the user 0123456789abcdef0123456789abcdef"]), who("the user", Some(32)));
        assert_eq!(
            read("XOAUTH2", &[b"user=u@example.org\x01auth=Bearer token\x01\x01"]),
            who("u@example.org", Some(5))
        );
        assert_eq!(
            read(
                "OAUTHBEARER",
                &[b"n,a=u@example.org,\x01host=mail.example.org\x01port=587\x01auth=Bearer token\x01\x01"]
            ),
            who("u@example.org", Some(5))
        );
        assert_eq!(
            read("SCRAM-SHA-256", &[b"n,,n=a=2Cb=3Dc,r=nonce", b"c=biws,r=nonce,p=proof"]),
            who("a,b=c", Some(5))
        );
        assert_eq!(read("DIGEST-MD5", &[b"username=\"user\",response=abcd,x=y"]), who("user", Some(4)));
        assert_eq!(read("EXTERNAL", &[b"user"]), who("user", None));
        assert_eq!(read("X-NEW", &[b"user"]), (None, None));
    }

    #[test]
    fn an_initial_response_is_read_and_an_empty_one_is_one() {
        let line = [b"AUTH PLAIN ".as_slice(), &encode(b"\0user\0secret")].concat();
        let attempt = exchange(&line, &[]);
        assert!(attempt.initial_response && attempt.reveals_secret());
        assert_eq!((attempt.username.as_deref(), attempt.secret_len), (Some(&b"user"[..]), Some(6)));
        assert!(exchange(b"AUTH EXTERNAL =", &[]).initial_response);
        assert!(exchange(b"AUTH LOGIN", &[b"*"]).cancelled);
        assert_eq!(exchange(b"AUTH PLAIN !!!", &[]).secret_len, None);
    }

    #[test]
    fn a_user_of_ntlm_is_found_in_utf_16() {
        let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
        message.resize(64, 0);
        message[36] = 8;
        message[40] = 64;
        message[60] = 1;
        message.extend_from_slice(b"u\0s\0e\0r\0");
        assert_eq!(ntlm_user(&message).as_deref(), Some(&b"user"[..]));
        for cut in 0..message.len() {
            assert_eq!(ntlm_user(&message[..cut]), None);
        }
    }

    #[test]
    fn a_masked_line_keeps_the_mechanism_and_nothing_of_the_secret() {
        let masked = |line: &[u8], in_exchange| String::from_utf8(mask(line, in_exchange).into_owned()).unwrap();
        assert_eq!(masked(b"AUTH PLAIN AHVzZXIAc2VjcmV0", false), format!("AUTH PLAIN {MASK}"));
        assert_eq!(masked(b"auth  login  dXNlcg==  ", false), format!("auth  login  {MASK}"));
        assert_eq!(masked(b"AUTH PLAIN", false), "AUTH PLAIN");
        assert_eq!(masked(b"AUTH EXTERNAL =", false), "AUTH EXTERNAL =");
        assert_eq!(masked(b"dXNlcg==", true), MASK);
        assert_eq!(masked(b"*", true), "*");
        assert_eq!(masked(b"MAIL FROM:<a@example.org>", false), "MAIL FROM:<a@example.org>");
        assert_eq!(
            masked(
                b"BURL imap://u@example.org/x;urlauth=submit+u:internal:91354a473744909de610943775f92038 LAST",
                false
            ),
            format!("BURL imap://u@example.org/x;urlauth=submit+u:internal:{MASK}")
        );
    }
}
