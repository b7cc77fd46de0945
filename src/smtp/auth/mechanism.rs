//! What the messages of each SASL mechanism say, without keeping a secret.

use super::ntlm;

/// What one message of the client says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Who logs in.
    pub username: Option<Vec<u8>>,
    /// In whose name, where that is somebody else.
    pub authorization: Option<Vec<u8>>,
    /// The domain or realm of the user.
    pub realm: Option<Vec<u8>>,
    /// The client's computer.
    pub workstation: Option<Vec<u8>>,
    /// Octets of a password, token, response or digest.
    pub secret: Option<usize>,
}

impl Said {
    fn user(username: &[u8]) -> Said {
        Said { username: Some(username.to_vec()), ..Said::default() }
    }

    fn secret(length: usize) -> Said {
        Said { secret: Some(length), ..Said::default() }
    }
}

/// Reads the client's message number `nth`, decoded from base64.
pub(super) fn read(mechanism: &str, nth: u32, prompt: Option<Prompt>, message: &[u8]) -> Said {
    match (mechanism, nth) {
        ("PLAIN", _) => plain(message),
        ("LOGIN", _) => match prompt.unwrap_or(if nth == 0 { Prompt::User } else { Prompt::Password }) {
            Prompt::User => Said::user(message),
            Prompt::Password => Said::secret(message.len()),
        },
        ("XOAUTH2", 0) => xoauth2(message),
        ("OAUTHBEARER", 0) => oauthbearer(message),
        ("NTLM" | "SPA", _) => ntlm(message),
        ("EXTERNAL" | "ANONYMOUS", 0) if message.is_empty() => Said::default(),
        ("EXTERNAL" | "ANONYMOUS", 0) => Said::user(message),
        ("OTP", 0) => names(message),
        ("SKEY", 0) => Said::user(message),
        ("OTP" | "SKEY", _) => Said::secret(message.len()),
        ("SECURID", 0) => securid(message),
        ("GSSAPI" | "GSS-SPNEGO" | "GS2-KRB5" | "GS2-KRB5-PLUS" | "KERBEROS_V4", _) => gssapi(mechanism, message),
        _ if mechanism.starts_with("CRAM-") => cram(message),
        _ if mechanism.starts_with("DIGEST-") && nth == 0 => digest(message),
        _ if mechanism.starts_with("SCRAM-") => scram(message, nth),
        _ => Said::default(),
    }
}

/// What a server of LOGIN asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    User,
    Password,
}

impl Prompt {
    /// Reads it, decoded: servers write `Username:`, `User Name`, `login`, `Password:`, …
    pub(super) fn read(challenge: &[u8]) -> Option<Prompt> {
        let begins = |word: &[u8]| challenge.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        let asks = |words: &[&[u8]]| words.iter().any(|word| begins(word));
        match () {
            () if asks(&[b"pass"]) => Some(Prompt::Password),
            () if asks(&[b"user", b"name", b"login", b"account"]) => Some(Prompt::User),
            () => None,
        }
    }
}

/// The rounds by which a mechanism slows the guessing of a password down: `i=` of a SCRAM
/// challenge (RFC 5802 §5.1).
pub(super) fn iterations(mechanism: &str, challenge: &[u8]) -> Option<u32> {
    let value = challenge.split(|&b| b == b',').find_map(|field| field.strip_prefix(b"i="))?;
    let scram = mechanism.starts_with("SCRAM-");
    std::str::from_utf8(value).ok().filter(|_| scram)?.parse().ok()
}

/// RFC 4616 §2: authorization identity, NUL, authentication identity, NUL, password.
fn plain(message: &[u8]) -> Said {
    let mut parts = message.splitn(3, |&b| b == 0);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(identity), Some(user), Some(password)) => {
            Said { authorization: other_than(identity, user), secret: Some(password.len()), ..Said::user(user) }
        }
        _ => Said::secret(message.len()),
    }
}

/// RFC 2195 §2: user, space, digest in hex.
fn cram(message: &[u8]) -> Said {
    match memchr::memrchr(b' ', message) {
        Some(at) => Said { secret: Some(message.len() - at - 1), ..Said::user(&message[..at]) },
        None => Said::secret(message.len()),
    }
}

/// `user=…^Aauth=Bearer …^A^A`.
fn xoauth2(message: &[u8]) -> Said {
    let fields = || message.split(|&b| b == 1);
    let username = fields().find_map(|field| field.strip_prefix(b"user=")).map(<[u8]>::to_vec);
    Said { username, secret: fields().find_map(bearer), ..Said::default() }
}

/// RFC 7628 §3.1: a GS2 header `n,a=user,`, then fields as in XOAUTH2.
fn oauthbearer(message: &[u8]) -> Said {
    let mut fields = message.split(|&b| b == 1);
    let username = fields.next().and_then(gs2_identity);
    Said { username, secret: fields.find_map(bearer), ..Said::default() }
}

fn bearer(field: &[u8]) -> Option<usize> {
    let value = field.strip_prefix(b"auth=")?;
    let at = memchr::memchr(b' ', value)?;
    Some(value[at..].trim_ascii().len())
}

/// RFC 5802 §7: first `n,a=other,n=user,r=nonce`, then the proof.
fn scram(message: &[u8], nth: u32) -> Said {
    let mut fields = message.split(|&b| b == b',');
    if nth > 0 {
        return Said { secret: fields.find_map(|f| f.strip_prefix(b"p=")).map(<[u8]>::len), ..Said::default() };
    }
    let username = fields.skip(2).find_map(|f| f.strip_prefix(b"n=")).map(sasl_name);
    let authorization = gs2_identity(message).filter(|identity| Some(identity) != username.as_ref());
    Said { username, authorization, ..Said::default() }
}

/// The `a=` of a GS2 header (RFC 5801 §4), the second of its fields.
fn gs2_identity(message: &[u8]) -> Option<Vec<u8>> {
    message.split(|&b| b == b',').nth(1)?.strip_prefix(b"a=").map(sasl_name)
}

/// RFC 5802 §5.1: `=2C` is a comma, `=3D` an equals sign.
fn sasl_name(name: &[u8]) -> Vec<u8> {
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

/// RFC 2831 §2.1.2: `username="…"`, `realm="…"` and others, and a response of 32 hex digits.
fn digest(message: &[u8]) -> Said {
    let mut said = Said::default();
    let mut rest = message;
    while let Some(directive) = next_directive(&mut rest) {
        let (name, value) = directive;
        match name.to_ascii_lowercase().as_slice() {
            b"username" => said.username = Some(value),
            b"realm" => said.realm = Some(value),
            b"authzid" => said.authorization = Some(value),
            b"response" => said.secret = Some(value.len()),
            _ => {}
        }
    }
    said.authorization = said.authorization.filter(|identity| Some(identity) != said.username.as_ref());
    said
}

/// `name=value` or `name="value"`, and the comma behind it.
fn next_directive<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], Vec<u8>)> {
    let text = *rest;
    let at = memchr::memchr(b'=', text)?;
    let name = text[..at].trim_ascii();
    let mut value = Vec::new();
    let (mut quoted, mut escape, mut end) = (false, false, text.len());
    for (i, &b) in text.iter().enumerate().skip(at + 1) {
        match b {
            _ if escape => {
                escape = false;
                value.push(b);
            }
            b'\\' if quoted => escape = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                end = i + 1;
                break;
            }
            _ => value.push(b),
        }
    }
    *rest = &text[end.min(text.len())..];
    Some((name, value))
}

fn ntlm(message: &[u8]) -> Said {
    let Some(message) = ntlm::read(message) else { return Said::default() };
    Said {
        username: message.user,
        realm: message.domain,
        workstation: message.workstation,
        secret: message.response,
        authorization: None,
    }
}

/// RFC 2444 §3.1: authorization identity, NUL, user.
fn names(message: &[u8]) -> Said {
    match memchr::memchr(0, message) {
        Some(at) => {
            let (identity, user) = (&message[..at], &message[at + 1..]);
            Said { authorization: other_than(identity, user), ..Said::user(user) }
        }
        None => Said::user(message),
    }
}

/// RFC 2808 §4.1: authorization identity, NUL, user, NUL, passcode, NUL, and perhaps a PIN.
fn securid(message: &[u8]) -> Said {
    let mut parts = message.split(|&b| b == 0);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(identity), Some(user), Some(passcode)) => Said {
            authorization: other_than(identity, user),
            secret: Some(passcode.len() + parts.next().map_or(0, <[u8]>::len)),
            ..Said::user(user)
        },
        _ => Said::secret(message.len()),
    }
}

/// Kerberos keeps the user sealed; SPNEGO may carry NTLM, which does not.
fn gssapi(mechanism: &str, message: &[u8]) -> Said {
    if let Some(at) = memchr::memmem::find(message, b"NTLMSSP\0") {
        return ntlm(&message[at..]);
    }
    // GS2: a header in the clear stands before the token (RFC 5801 §4).
    let authorization = mechanism.starts_with("GS2-").then(|| gs2_identity(message)).flatten();
    Said { authorization, ..Said::secret(message.len()) }
}

fn other_than(identity: &[u8], user: &[u8]) -> Option<Vec<u8>> {
    (!identity.is_empty() && identity != user).then(|| identity.to_vec())
}
