//! Addresses (URLs) in text.

use crate::bytes::utf8;
use crate::limits;

/// Adds the addresses that stand in a line, each once: those of one scheme after those of another,
/// and of one scheme the last in the line first, as Suricata lists them.
pub(super) fn find_urls(line: &[u8], urls: &mut Vec<String>) {
    if memchr::memmem::find(line, b"://").is_none() {
        return;
    }
    let lower = line.to_ascii_lowercase();
    for scheme in SCHEMES {
        let mut places: Vec<usize> = memchr::memmem::find_iter(&lower, scheme).collect();
        places.reverse();
        for at in places {
            let rest = &line[at..];
            let end = rest.iter().position(|octet| is_end(*octet)).unwrap_or(rest.len());
            let url = utf8(&rest[..end]);
            if end > scheme.len() && urls.len() < limits::EVE_URLS && !urls.contains(&url) {
                urls.push(url);
            }
        }
    }
}

fn is_end(octet: u8) -> bool {
    octet <= b' ' || matches!(octet, b'"' | b'\'' | b'<' | b'>' | b'(' | b')' | b']' | 0x7f)
}

/// The schemes that are looked for.
const SCHEMES: [&[u8]; 3] = [b"ftp://", b"https://", b"http://"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_end_where_text_goes_on() {
        let mut urls = Vec::new();
        find_urls(
            b"<a href=\"http://Example.org/A?b=c\">x</a> https://example.net, ftp://192.0.2.1 http://",
            &mut urls,
        );
        find_urls(b"again http://Example.org/A?b=c, http://example.com\r\n", &mut urls);
        assert_eq!(
            urls,
            [
                "ftp://192.0.2.1",
                "https://example.net,",
                "http://Example.org/A?b=c",
                "http://example.com",
                "http://Example.org/A?b=c,"
            ]
        );
    }
}
