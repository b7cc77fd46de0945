//! What a client line says: its verb, its argument, a path and parameters.

use std::fmt;

use super::LineEnd;
use crate::bytes::escaped;

/// A command line as it was sent.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// The nth client line of the dialogue, from 0.
    pub index: u64,
    /// Its first word.
    pub verb: Verb,
    /// The line without its end; cut where it is too long.
    pub line: &'a [u8],
    /// What stands after the verb, without the spaces around it.
    pub argument: &'a [u8],
    /// How the line ended.
    pub end: LineEnd,
}

impl<'a> Command<'a> {
    /// Takes a line apart; `None` if it does not begin with a word.
    #[must_use]
    pub fn parse(index: u64, line: &'a [u8], end: LineEnd) -> Option<Command<'a>> {
        let text = line.trim_ascii();
        let word = text.iter().position(|&b| !is_verb_octet(b)).unwrap_or(text.len());
        let (verb, rest) = text.split_at(word);
        let ends_like_a_word = rest.first().is_none_or(|&b| b == b' ' || b == b'\t' || b == b':');
        if verb.is_empty() || !verb[0].is_ascii_alphabetic() || !ends_like_a_word {
            return None;
        }
        Some(Command { index, verb: Verb::new(verb), line, argument: rest.trim_ascii(), end })
    }

    /// Whether the verb is written in small letters: verbs are read alike in any case (RFC 5321 §2.4), and programs
    /// differ in it.
    #[must_use]
    pub fn is_small(&self) -> bool {
        self.line.trim_ascii_start().first().is_some_and(u8::is_ascii_lowercase)
    }

    /// The path and parameters of MAIL, RCPT and their relatives.
    #[must_use]
    pub fn path(&self) -> Option<Path<'a>> {
        match self.verb {
            Verb::MAIL | Verb::SEND | Verb::SOML | Verb::SAML => Path::parse(self.argument, b"FROM"),
            Verb::RCPT => Path::parse(self.argument, b"TO"),
            _ => None,
        }
    }

    /// Whether the verb is known and the argument is of the form that it takes. Tells a command
    /// from message text where nothing else does.
    #[must_use]
    pub fn is_plausible(&self) -> bool {
        let argument = self.argument;
        match self.verb {
            Verb::DATA | Verb::RSET | Verb::QUIT | Verb::STARTTLS | Verb::TURN => argument.is_empty(),
            Verb::EHLO | Verb::HELO | Verb::LHLO => !argument.is_empty() && !argument.contains(&b' '),
            Verb::MAIL | Verb::SEND | Verb::SOML | Verb::SAML => strip_keyword(argument, b"FROM").is_some(),
            Verb::RCPT => strip_keyword(argument, b"TO").is_some(),
            Verb::BDAT => argument.first().is_some_and(u8::is_ascii_digit),
            Verb::AUTH => argument.first().is_some_and(u8::is_ascii_alphabetic) && self.line.contains(&b' '),
            Verb::NOOP | Verb::HELP => argument.is_empty(),
            Verb::VRFY | Verb::EXPN | Verb::ETRN => !argument.is_empty() && !argument.contains(&b' '),
            Verb::XCLIENT | Verb::XFORWARD => argument.contains(&b'='),
            Verb::X_ANONYMOUSTLS => argument.is_empty(),
            Verb::PROXY => [&b"TCP4 "[..], b"TCP6 ", b"UNKNOWN"].iter().any(|kind| argument.starts_with(kind)),
            _ => false,
        }
    }
}

/// The first word of a command line, in upper case. Open: every word can be one, the known ones
/// have names. Words longer than 16 octets are cut; the line keeps them whole.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Verb([u8; VERB_OCTETS]);

impl Verb {
    /// The verb that `word` spells, in any case.
    #[must_use]
    pub const fn new(word: &[u8]) -> Verb {
        let mut octets = [0; VERB_OCTETS];
        let mut i = 0;
        while i < word.len() && i < VERB_OCTETS {
            octets[i] = word[i].to_ascii_uppercase();
            i += 1;
        }
        Verb(octets)
    }

    /// Its octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        let length = self.0.iter().position(|&b| b == 0).unwrap_or(VERB_OCTETS);
        &self.0[..length]
    }

    /// Its letters, as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or("?")
    }

    /// Whether it has a name here.
    #[must_use]
    pub fn is_known(self) -> bool {
        Verb::KNOWN.contains(&self)
    }

    /// EHLO, HELO or LHLO: the client says its name, and any transaction is over (RFC 5321 §4.1.4).
    #[must_use]
    pub fn is_hello(self) -> bool {
        matches!(self, Verb::EHLO | Verb::HELO | Verb::LHLO)
    }

    /// MAIL, or one of its obsolete relatives SEND, SOML and SAML (RFC 821 §3.4).
    #[must_use]
    pub fn is_mail(self) -> bool {
        matches!(self, Verb::MAIL | Verb::SEND | Verb::SOML | Verb::SAML)
    }
}

macro_rules! verbs {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        impl Verb {
            $($(#[$doc])* pub const $name: Verb = Verb::new($word.as_bytes());)*

            /// Every verb that has a name here.
            pub const KNOWN: &'static [Verb] = &[$(Verb::$name,)*];
        }
    };
}

impl Verb {
    /// Stands for any verb without a name here, where they are counted together.
    pub const OTHER: Verb = Verb::new(b"other");
}

verbs! {
    /// RFC 5321 §4.1.1.1.
    EHLO = "EHLO";
    /// RFC 5321 §4.1.1.1.
    HELO = "HELO";
    /// RFC 2033 §4.1: EHLO of LMTP.
    LHLO = "LHLO";
    /// RFC 5321 §4.1.1.2.
    MAIL = "MAIL";
    /// RFC 5321 §4.1.1.3.
    RCPT = "RCPT";
    /// RFC 5321 §4.1.1.4.
    DATA = "DATA";
    /// RFC 3030 §2.
    BDAT = "BDAT";
    /// RFC 5321 §4.1.1.5.
    RSET = "RSET";
    /// RFC 5321 §4.1.1.9.
    NOOP = "NOOP";
    /// RFC 5321 §4.1.1.10.
    QUIT = "QUIT";
    /// RFC 5321 §4.1.1.6.
    VRFY = "VRFY";
    /// RFC 5321 §4.1.1.7.
    EXPN = "EXPN";
    /// RFC 5321 §4.1.1.8.
    HELP = "HELP";
    /// RFC 3207.
    STARTTLS = "STARTTLS";
    /// RFC 4954.
    AUTH = "AUTH";
    /// RFC 1985.
    ETRN = "ETRN";
    /// RFC 2645.
    ATRN = "ATRN";
    /// RFC 821 §3.8, obsolete.
    TURN = "TURN";
    /// RFC 821 §3.4, obsolete.
    SEND = "SEND";
    /// RFC 821 §3.4, obsolete.
    SOML = "SOML";
    /// RFC 821 §3.4, obsolete.
    SAML = "SAML";
    /// RFC 4468.
    BURL = "BURL";
    /// Sendmail: verbose replies.
    VERB = "VERB";
    /// Sendmail: one transaction only.
    ONEX = "ONEX";
    /// Postfix: a proxy tells who the client is.
    XCLIENT = "XCLIENT";
    /// Postfix: a proxy tells where the message came from.
    XFORWARD = "XFORWARD";
    /// Exchange: STARTTLS without a certificate that anyone checks.
    X_ANONYMOUSTLS = "X-ANONYMOUSTLS";
    /// Exchange: AUTH between its servers.
    X_EXPS = "X-EXPS";
    /// Exchange: routing updates between its servers.
    X_LINK2STATE = "X-LINK2STATE";
    /// Exchange: message properties as binary data.
    XEXCH50 = "XEXCH50";
    /// The first line of a proxy (HAProxy's PROXY protocol, version 1). It has no reply.
    PROXY = "PROXY";
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", escaped(self.as_bytes()))
    }
}

impl fmt::Debug for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The argument of MAIL or RCPT: an address and parameters.
///
/// Takes what real clients send: spaces around the colon, no colon, no angle brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path<'a> {
    /// What stands between `<` and `>` (or alone, without them); empty for the null path `<>`.
    pub address: &'a [u8],
    /// Whether it stood in angle brackets.
    pub bracketed: bool,
    /// Everything after the address, without the spaces around it.
    pub parameters: &'a [u8],
}

impl<'a> Path<'a> {
    /// Reads `FROM:<address> parameters`, with `keyword` FROM or TO.
    #[must_use]
    pub fn parse(argument: &'a [u8], keyword: &[u8]) -> Option<Path<'a>> {
        let rest = strip_keyword(argument, keyword)?.trim_ascii();
        let Some(inside) = rest.strip_prefix(b"<") else {
            let end = address_end(rest, |b| b == b' ' || b == b'\t').unwrap_or(rest.len());
            let (address, parameters) = rest.split_at(end);
            return Some(Path { address, bracketed: false, parameters: parameters.trim_ascii() });
        };
        let (address, after) = match address_end(inside, |b| b == b'>') {
            Some(end) => (&inside[..end], &inside[end + 1..]),
            None => {
                let end = address_end(inside, |b| b == b' ').unwrap_or(inside.len());
                (&inside[..end], &inside[end..])
            }
        };
        Some(Path { address: address.trim_ascii(), bracketed: true, parameters: after.trim_ascii() })
    }

    /// The address without a source route (`@one.example,@two.example:`, RFC 5321 §4.1.1.3).
    #[must_use]
    pub fn mailbox(&self) -> &'a [u8] {
        match (self.address.first(), memchr::memchr(b':', self.address)) {
            (Some(b'@'), Some(colon)) => &self.address[colon + 1..],
            _ => self.address,
        }
    }

    /// The part before the last `@`; all of it where there is none.
    #[must_use]
    pub fn local_part(&self) -> &'a [u8] {
        let mailbox = self.mailbox();
        &mailbox[..memchr::memrchr(b'@', mailbox).unwrap_or(mailbox.len())]
    }

    /// The part after the last `@`.
    #[must_use]
    pub fn domain(&self) -> Option<&'a [u8]> {
        let mailbox = self.mailbox();
        memchr::memrchr(b'@', mailbox).map(|at| &mailbox[at + 1..])
    }

    /// The parameters (RFC 5321 §4.1.2 `esmtp-param`), in order.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'a>> {
        parameters(self.parameters)
    }
}

/// One `KEYWORD=value` after a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// As spelled; compare without case.
    pub keyword: &'a [u8],
    /// What stands after `=`; may itself be masked by xtext (RFC 3461 §4).
    pub value: Option<&'a [u8]>,
}

impl Parameter<'_> {
    /// Whether its keyword is `name`, in any case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.keyword.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The words of `text` as parameters.
pub(super) fn parameters(text: &[u8]) -> impl Iterator<Item = Parameter<'_>> {
    text.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty()).map(|word| {
        match memchr::memchr(b'=', word) {
            Some(at) => Parameter { keyword: &word[..at], value: Some(&word[at + 1..]) },
            None => Parameter { keyword: word, value: None },
        }
    })
}

/// The rest after `keyword` and its colon, with spaces where they do not belong. A missing colon
/// is taken only before an angle bracket.
fn strip_keyword<'a>(argument: &'a [u8], keyword: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = argument.split_at_checked(keyword.len())?;
    if !head.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let rest = rest.trim_ascii_start();
    match rest.strip_prefix(b":") {
        Some(after) => Some(after),
        None => rest.starts_with(b"<").then_some(rest),
    }
}

/// Where an address ends: the first octet outside a quoted string that `stops` it.
fn address_end(text: &[u8], stops: impl Fn(u8) -> bool) -> Option<usize> {
    let (mut quoted, mut escape) = (false, false);
    for (i, &b) in text.iter().enumerate() {
        match b {
            _ if escape => escape = false,
            b'\\' if quoted => escape = true,
            b'"' => quoted = !quoted,
            _ if !quoted && stops(b) => return Some(i),
            _ => {}
        }
    }
    // A quote that never closes protects nothing.
    if quoted { text.iter().position(|&b| stops(b)) } else { None }
}

fn is_verb_octet(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
}

const VERB_OCTETS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &[u8]) -> Command<'_> {
        Command::parse(0, line, LineEnd::Crlf).unwrap()
    }

    fn path(line: &[u8]) -> (String, bool, String) {
        let path = command(line).path().unwrap();
        let text = |b: &[u8]| String::from_utf8(b.to_vec()).unwrap();
        (text(path.address), path.bracketed, text(path.parameters))
    }

    #[test]
    fn a_verb_is_known_in_any_case_and_an_unknown_one_is_kept() {
        assert_eq!(command(b"ehlo client.example.org").verb, Verb::EHLO);
        assert_eq!(command(b" quit ").verb, Verb::QUIT);
        let unknown = command(b"xwhatever one two");
        assert_eq!(
            (unknown.verb.as_str(), unknown.verb.is_known(), unknown.argument),
            ("XWHATEVER", false, &b"one two"[..])
        );
        assert!(Command::parse(0, b"\x16\x03\x01", LineEnd::Lf).is_none());
        assert!(Command::parse(0, b"", LineEnd::Lf).is_none());
        assert!(Command::parse(0, b"user@example.org", LineEnd::Lf).is_none());
    }

    #[test]
    fn paths_are_read_as_clients_really_send_them() {
        let expect =
            |address: &str, bracketed, parameters: &str| (address.to_owned(), bracketed, parameters.to_owned());
        assert_eq!(path(b"MAIL FROM:<a@example.org> SIZE=300"), expect("a@example.org", true, "SIZE=300"));
        assert_eq!(path(b"MAIL FROM: <a@example.org>"), expect("a@example.org", true, ""));
        assert_eq!(path(b"MAIL FROM:a@example.org BODY=8BITMIME"), expect("a@example.org", false, "BODY=8BITMIME"));
        assert_eq!(path(b"mail from : <>"), expect("", true, ""));
        assert_eq!(path(b"MAIL FROM <a@example.org>"), expect("a@example.org", true, ""));
        assert_eq!(
            path(b"RCPT TO:<\"a > b\"@example.org> NOTIFY=NEVER"),
            expect("\"a > b\"@example.org", true, "NOTIFY=NEVER")
        );
        assert_eq!(path(b"RCPT TO:<a@example.org"), expect("a@example.org", true, ""));
        assert_eq!(path(b"RCPT TO:<\"a@example.org>"), expect("\"a@example.org", true, ""));
        assert!(command(b"RCPT FROM:<a@example.org>").path().is_none());
    }

    #[test]
    fn a_source_route_stands_before_the_mailbox() {
        let path = command(b"RCPT TO:<@one.example.org,@two.example.org:user@example.net>").path().unwrap();
        assert_eq!(path.mailbox(), b"user@example.net");
        assert_eq!((path.local_part(), path.domain()), (&b"user"[..], Some(&b"example.net"[..])));
    }

    #[test]
    fn parameters_are_keywords_with_or_without_values() {
        let path = command(b"MAIL FROM:<> SIZE=300  SMTPUTF8 AUTH=<>").path().unwrap();
        let all: Vec<_> = path.parameters().collect();
        assert_eq!(all.len(), 3);
        assert!(all[0].is("size") && all[0].value == Some(b"300"));
        assert!(all[1].is("SMTPUTF8") && all[1].value.is_none());
    }

    #[test]
    fn message_text_is_not_taken_for_a_command() {
        for text in [
            &b"Subject: QUIT"[..],
            b"Mail from him",
            b"Data is here",
            b"help me",
            b"From: <a@example.org>",
            b"HELO a b",
        ] {
            assert!(Command::parse(0, text, LineEnd::Crlf).is_none_or(|c| !c.is_plausible()), "{text:?}");
        }
        for text in [&b"QUIT"[..], b"RSET", b"MAIL FROM:<>", b"rcpt to:<a@example.org>", b"EHLO x", b"BDAT 0 LAST"] {
            assert!(command(text).is_plausible(), "{text:?}");
        }
    }
}
