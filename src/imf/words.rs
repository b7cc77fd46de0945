//! Encoded words (RFC 2047) made readable.

use std::borrow::Cow;

use base64::Engine as _;

/// The text of a header field with its encoded words decoded, for display.
///
/// Words in UTF-8, US-ASCII, ISO-8859-1, ISO-8859-15 and windows-1252 are decoded; others, and
/// broken ones, stay as they are. Space between two encoded words is not text (RFC 2047 §6.2).
#[must_use]
pub fn decode_words(value: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memmem::find(value, b"=?") else { return Cow::Borrowed(value) };
    let mut out = value[..first].to_vec();
    let mut rest = &value[first..];
    while !rest.is_empty() {
        if let Some((text, after)) = decode_word(rest) {
            out.extend_from_slice(text.as_bytes());
            let next = after.trim_ascii_start();
            rest = if next.len() < after.len() && decode_word(next).is_some() { next } else { after };
            continue;
        }
        let next = memchr::memmem::find(&rest[1..], b"=?").map_or(rest.len(), |at| at + 1);
        out.extend_from_slice(&rest[..next]);
        rest = &rest[next..];
    }
    Cow::Owned(out)
}

/// An encoded word at the beginning of `text`, and what follows it.
fn decode_word(text: &[u8]) -> Option<(String, &[u8])> {
    let inside = text.strip_prefix(b"=?")?;
    let charset_end = memchr::memchr(b'?', inside)?;
    let (charset, rest) = (&inside[..charset_end], &inside[charset_end + 1..]);
    let (encoding, rest) = match rest {
        [encoding, b'?', rest @ ..] => (encoding.to_ascii_uppercase(), rest),
        _ => return None,
    };
    let end = memchr::memmem::find(rest, b"?=")?;
    let (encoded, after) = (&rest[..end], &rest[end + 2..]);
    if encoded.iter().any(|b| b.is_ascii_whitespace() && encoding == b'B') {
        return None;
    }
    let octets = match encoding {
        b'B' => base64::engine::general_purpose::STANDARD.decode(encoded).ok()?,
        b'Q' => quoted(encoded)?,
        _ => return None,
    };
    // A language may follow the charset: RFC 2231 §5.
    let charset = charset.split(|&b| b == b'*').next()?;
    Some((to_text(charset, octets)?, after))
}

/// RFC 2047 §4.2: `_` is a space, `=XX` an octet.
fn quoted(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'_' => out.push(b' '),
            b'=' => {
                let [high, low, after @ ..] = rest else { return None };
                out.push(hex(*high)? << 4 | hex(*low)?);
                rest = after;
            }
            _ => out.push(first),
        }
    }
    Some(out)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|d| d as u8)
}

/// Octets of a character set that is known as text.
pub(super) fn to_text(charset: &[u8], octets: Vec<u8>) -> Option<String> {
    match charset.to_ascii_lowercase().as_slice() {
        b"utf-8" | b"utf8" => String::from_utf8(octets).ok(),
        b"us-ascii" | b"ascii" => octets.is_ascii().then(|| octets.iter().map(|&b| char::from(b)).collect()),
        b"iso-8859-1" | b"latin1" => Some(octets.iter().map(|&b| char::from(b)).collect()),
        b"iso-8859-15" => Some(octets.iter().map(|&b| latin9(b)).collect()),
        b"windows-1252" | b"cp1252" => octets.iter().map(|&b| windows_1252(b)).collect(),
        _ => None,
    }
}

/// ISO-8859-15 differs from ISO-8859-1, which is the first 256 of Unicode, in eight places.
fn latin9(octet: u8) -> char {
    match octet {
        0xa4 => '\u{20ac}',
        0xa6 => '\u{160}',
        0xa8 => '\u{161}',
        0xb4 => '\u{17d}',
        0xb8 => '\u{17e}',
        0xbc => '\u{152}',
        0xbd => '\u{153}',
        0xbe => '\u{178}',
        _ => char::from(octet),
    }
}

/// windows-1252 has characters where ISO-8859-1 has control codes; five are not assigned.
fn windows_1252(octet: u8) -> Option<char> {
    const HIGH: [u16; 32] = [
        0x20ac, 0, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0, 0x17d, 0, 0,
        0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0, 0x17e, 0x178,
    ];
    match octet {
        0x80..=0x9f => char::from_u32(u32::from(HIGH[usize::from(octet - 0x80)])).filter(|&c| c != '\0'),
        _ => Some(char::from(octet)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(value: &[u8]) -> String {
        String::from_utf8(decode_words(value).into_owned()).unwrap()
    }

    #[test]
    fn words_of_each_charset_and_encoding_are_decoded() {
        assert_eq!(decoded(b"=?utf-8?q?Gr=C3=BC=C3=9Fe_aus?= here"), "Gr\u{fc}\u{df}e aus here");
        assert_eq!(decoded(b"Re: =?UTF-8?B?R3LDvMOfZQ==?="), "Re: Gr\u{fc}\u{df}e");
        assert_eq!(decoded(b"=?iso-8859-1?Q?caf=E9?="), "caf\u{e9}");
        assert_eq!(decoded(b"=?iso-8859-15*de?Q?10_=A4?="), "10 \u{20ac}");
        assert_eq!(decoded(b"=?windows-1252?Q?=93x=94?="), "\u{201c}x\u{201d}");
    }

    #[test]
    fn space_between_encoded_words_is_not_text() {
        assert_eq!(decoded(b"=?utf-8?q?a?= =?utf-8?q?b?= c =?utf-8?q?d?="), "ab c d");
        assert_eq!(decoded(b"=?utf-8?q?a_?=  =?utf-8?q?b?="), "a b");
        assert_eq!(decoded(b"=?utf-8?q?a?= =?broken"), "a =?broken");
    }

    #[test]
    fn what_cannot_be_decoded_stays_as_it_is() {
        for value in
            [&b"=?koi8-r?B?8A==?="[..], b"=?utf-8?B?!!?=", b"=?utf-8?Q?=FF?=", b"=?utf-8?Q?=4?=", b"=?", b"plain"]
        {
            assert_eq!(&*decode_words(value), value);
        }
    }
}
