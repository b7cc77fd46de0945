//! The parameters of a structured MIME field (RFC 2045 §5.1, RFC 2231).

use std::collections::BTreeMap;

use crate::limits;

/// Parameters by their names in lower case.
#[derive(Debug, Default)]
pub(super) struct Parameters(BTreeMap<String, Vec<u8>>);

impl Parameters {
    /// The value of a parameter, its pieces put together and percent signs undone.
    pub(super) fn value(&self, name: &str) -> Option<Vec<u8>> {
        if let Some(value) = self.0.get(name) {
            return Some(value.clone());
        }
        if let Some(value) = self.0.get(&format!("{name}*")) {
            return Some(without_percent(after_charset(value)));
        }
        let mut whole = Vec::new();
        for piece in 0..limits::EVE_PARAMETERS {
            if let Some(value) = self.0.get(&format!("{name}*{piece}")) {
                whole.extend_from_slice(value);
            } else if let Some(value) = self.0.get(&format!("{name}*{piece}*")) {
                let value = if piece == 0 { after_charset(value) } else { value };
                whole.extend(without_percent(value));
            } else {
                break;
            }
        }
        Some(whole).filter(|whole| !whole.is_empty())
    }
}

/// What stands before the first semicolon, and the parameters after it.
pub(super) fn parameters(value: &[u8]) -> (&[u8], Parameters) {
    let mut pieces = Pieces(value);
    let kind = pieces.next().unwrap_or_default().trim_ascii();
    let mut found = Parameters::default();
    for piece in pieces.take(limits::EVE_PARAMETERS) {
        let Some(equals) = memchr::memchr(b'=', piece) else { continue };
        let name = String::from_utf8_lossy(piece[..equals].trim_ascii()).to_ascii_lowercase();
        found.0.entry(name).or_insert_with(|| unquoted(piece[equals + 1..].trim_ascii()));
    }
    (kind, found)
}

/// Pieces between semicolons that stand outside quotes.
struct Pieces<'a>(&'a [u8]);

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let (mut is_quoted, mut is_escaped) = (false, false);
        for (at, octet) in self.0.iter().enumerate() {
            match octet {
                _ if is_escaped => is_escaped = false,
                b'\\' if is_quoted => is_escaped = true,
                b'"' => is_quoted = !is_quoted,
                b';' if !is_quoted => {
                    let piece = &self.0[..at];
                    self.0 = &self.0[at + 1..];
                    return Some(piece);
                }
                _ => {}
            }
        }
        Some(std::mem::take(&mut self.0))
    }
}

fn unquoted(value: &[u8]) -> Vec<u8> {
    let Some(inside) = value.strip_prefix(b"\"") else { return value.to_vec() };
    let mut text = Vec::new();
    let mut octets = inside.iter();
    while let Some(octet) = octets.next() {
        match octet {
            b'\\' => text.extend(octets.next()),
            b'"' => break,
            _ => text.push(*octet),
        }
    }
    text
}

/// What follows `charset'language'`.
fn after_charset(value: &[u8]) -> &[u8] {
    let mut quotes = memchr::memchr_iter(b'\'', value);
    match (quotes.next(), quotes.next()) {
        (Some(_), Some(second)) => &value[second + 1..],
        _ => value,
    }
}

fn without_percent(value: &[u8]) -> Vec<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(16).map(|digit| digit as u8);
    let mut text = Vec::new();
    let mut rest = value;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first == b'%'
            && let [high, low, after @ ..] = rest
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            text.push(high << 4 | low);
            rest = after;
        } else {
            text.push(first);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_pieces_and_percent_signs_are_undone() {
        let name =
            |field: &[u8]| parameters(field).1.value("filename").map(|v| String::from_utf8_lossy(&v).into_owned());
        assert_eq!(name(b"attachment; filename=\"a; \\\"b\\\".txt\"; size=3").as_deref(), Some("a; \"b\".txt"));
        assert_eq!(name(b"attachment; filename*=utf-8''%e2%82%ac.txt").as_deref(), Some("\u{20ac}.txt"));
        assert_eq!(name(b"attachment; FILENAME*0=\"a\"; filename*1*=%62; filename*2=c").as_deref(), Some("abc"));
        assert_eq!(name(b"attachment; filename= x.zip").as_deref(), Some("x.zip"));
        assert_eq!(name(b"attachment"), None);
        assert_eq!(parameters(b"text/plain; charset=x").0, b"text/plain");
    }
}
