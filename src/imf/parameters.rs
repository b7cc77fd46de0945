//! Parameters of header fields: `text/plain; charset=utf-8; name*0*=utf-8''a%20; name*1=b` (RFC 2045 §5.1, RFC 2231).

use super::decode_words;
use super::words::to_text;
use crate::limits;

/// A field's value before its first parameter, and the parameters: names in lower case, values with
/// quotes, continuations, character sets and encoded words undone. What is broken stays as it is.
pub(super) fn split(value: &[u8]) -> (&[u8], Vec<(String, Vec<u8>)>) {
    let mut pieces = pieces(value);
    let first = pieces.next().unwrap_or_default().trim_ascii();
    let mut plain: Vec<(String, Vec<u8>)> = Vec::new();
    let mut sections: Vec<Section> = Vec::new();
    for piece in pieces.take(limits::IMF_PARAMETERS) {
        let Some(at) = memchr::memchr(b'=', piece) else { continue };
        let name = String::from_utf8_lossy(piece[..at].trim_ascii()).to_ascii_lowercase();
        let value = unquoted(piece[at + 1..].trim_ascii());
        match Section::of(&name, &value) {
            Some(section) => sections.push(section),
            None => plain.push((name, decode_words(&value).into_owned())),
        }
    }
    // A name in the form of RFC 2231 counts more than the plain one beside it, which is for old programs.
    for (name, value) in joined(sections) {
        match plain.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => plain.push((name, value)),
        }
    }
    (first, plain)
}

/// One section of a parameter of RFC 2231: `name*`, `name*0`, `name*0*`.
struct Section {
    name: String,
    number: u32,
    extended: bool,
    value: Vec<u8>,
}

impl Section {
    fn of(name: &str, value: &[u8]) -> Option<Section> {
        let (base, rest) = name.split_once('*')?;
        let (number, extended) = match rest.strip_suffix('*') {
            Some(number) => (number, true),
            None => (rest, rest.is_empty()),
        };
        let number = if number.is_empty() { 0 } else { number.parse().ok()? };
        Some(Section { name: base.to_owned(), number, extended, value: value.to_vec() })
    }
}

fn joined(mut sections: Vec<Section>) -> Vec<(String, Vec<u8>)> {
    sections.sort_by(|a, b| (&a.name, a.number).cmp(&(&b.name, b.number)));
    let mut out: Vec<(String, Vec<u8>)> = Vec::new();
    let mut rest = sections.as_slice();
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|section| section.name == first.name).count();
        let (ours, after) = rest.split_at(same);
        rest = after;
        let (mut charset, mut octets) = (None, Vec::new());
        for section in ours {
            let mut text = section.value.as_slice();
            if section.extended && section.number == 0 {
                let mut quoted = text.splitn(3, |b| *b == b'\'');
                if let (Some(set), Some(_), Some(value)) = (quoted.next(), quoted.next(), quoted.next()) {
                    (charset, text) = (Some(set), value);
                }
            }
            if section.extended { percent_decoded(text, &mut octets) } else { octets.extend_from_slice(text) }
        }
        let decoded = charset.and_then(|charset| to_text(charset, octets.clone()));
        out.push((first.name.clone(), decoded.map_or(octets, String::into_bytes)));
    }
    out
}

fn percent_decoded(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let digits = (first == b'%').then(|| after.get(..2)).flatten();
        let octet = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        rest = if octet.is_some() { &after[2..] } else { after };
        out.push(octet.unwrap_or(first));
    }
}

/// The pieces between semicolons that stand in no quoted string and in no comment.
fn pieces(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |&b| {
        let (was_quoted, was_escaped) = (quoted, escaped);
        escaped = was_quoted && b == b'\\' && !was_escaped;
        if b == b'"' && !was_escaped {
            quoted = !was_quoted;
        }
        b == b';' && !was_quoted
    })
}

/// A value without its quotes; without a comment behind it.
fn unquoted(value: &[u8]) -> Vec<u8> {
    let Some(inside) = value.strip_prefix(b"\"") else {
        let end =
            memchr::memchr3(b' ', b'\t', b'(', value).filter(|_| !value.starts_with(b"=?")).unwrap_or(value.len());
        return value[..end].to_vec();
    };
    let mut out = Vec::with_capacity(inside.len());
    let mut octets = inside.iter().copied();
    while let Some(octet) = octets.next() {
        match octet {
            b'"' => break,
            b'\\' => out.extend(octets.next()),
            b'\r' | b'\n' => {}
            _ => out.push(octet),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(value: &str, name: &str) -> Option<String> {
        let (_, parameters) = split(value.as_bytes());
        let found = parameters.into_iter().find(|(known, _)| known == name)?;
        Some(String::from_utf8_lossy(&found.1).into_owned())
    }

    #[test]
    fn parameters_are_plain_quoted_or_encoded() {
        let name = |value: &str| parameter(value, "name");
        assert_eq!(split(b"Text/Plain ; charset=utf-8").0, b"Text/Plain");
        assert_eq!(name("a/b; name=x.pdf").as_deref(), Some("x.pdf"));
        assert_eq!(name("a/b; NAME = \"a \\\"b\\\"; c.pdf\"; x=y").as_deref(), Some("a \"b\"; c.pdf"));
        assert_eq!(name("a/b; name==?utf-8?Q?H=C3=A4fen?=").as_deref(), Some("Häfen"));
        assert_eq!(name("a/b; name=x.pdf (a comment)").as_deref(), Some("x.pdf"));
        assert_eq!(name("a/b").as_deref(), None);
    }

    #[test]
    fn continuations_and_character_sets_are_put_together() {
        let name = |value: &str| parameter(value, "filename");
        assert_eq!(name("attachment; filename*=utf-8''Hafen%20f%C3%BCr.png").as_deref(), Some("Hafen für.png"));
        assert_eq!(name("attachment; filename*1=b.pdf; filename*0=a").as_deref(), Some("ab.pdf"));
        assert_eq!(name("a; filename*0*=iso-8859-1'de'%e4; filename*1=x; filename*2*=%20y").as_deref(), Some("äx y"));
        assert_eq!(name("a; filename=old; filename*=utf-8''new").as_deref(), Some("new"));
        assert_eq!(name("a; filename*=nonsense%zz").as_deref(), Some("nonsense%zz"));
    }
}
