//! Lines with their secrets masked.

use std::borrow::Cow;

use crate::smtp::{Command, LineEnd, Verb};

/// What stands in the place of a secret: always as long, whatever the secret's length.
pub const MASK: &str = "\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}";

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
    let Some(command) = Command::parse(0, line, LineEnd::Crlf) else { return Cow::Borrowed(line) };
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

#[cfg(test)]
mod tests {
    use super::*;

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
