//! xtext (RFC 3461 §4): text in which `+` and two hex digits stand for an octet.

use std::borrow::Cow;

/// The octets that `text` stands for. A `+` that no hex digits follow stands for itself.
#[must_use]
pub fn decode_xtext(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'+', text) else { return Cow::Borrowed(text) };
    let mut out = text[..first].to_vec();
    let mut rest = &text[first..];
    while let Some((&octet, after)) = rest.split_first() {
        rest = match rest {
            [b'+', high, low, tail @ ..] => match digit(*high).zip(digit(*low)) {
                Some((high, low)) => {
                    out.push(high << 4 | low);
                    tail
                }
                None => {
                    out.push(octet);
                    after
                }
            },
            _ => {
                out.push(octet);
                after
            }
        };
    }
    Cow::Owned(out)
}

/// A hex digit's value. RFC 3461 wants upper case; clients write both.
fn digit(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plus_and_two_digits_are_an_octet_and_anything_else_is_itself() {
        let decoded = |text: &[u8]| decode_xtext(text).into_owned();
        assert_eq!(decoded(b"plain"), b"plain");
        assert_eq!(decoded(b"a+3Db+2Bc"), b"a=b+c");
        assert_eq!(decoded(b"a+3db"), b"a=b");
        assert_eq!(decoded(b"+00"), b"\0");
        assert_eq!(decoded(b"+"), b"+");
        assert_eq!(decoded(b"+3"), b"+3");
        assert_eq!(decoded(b"+3x+3D"), b"+3x=");
        assert_eq!(decoded(b"++3D"), b"+=");
        assert_eq!(decoded(b""), b"");
    }
}
