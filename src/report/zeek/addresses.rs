//! How Zeek's scripts take mail and IP addresses out of text.

use std::net::IpAddr;

/// The mail addresses in the argument of MAIL or RCPT, or in a list, in order: what has one `@`
/// between a blank, comma, colon or `<` and a blank, comma, semicolon or `>`.
pub(super) fn mail_addresses(text: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for piece in text.split(|b| matches!(b, b'<' | b',' | b' ' | b'\t' | b'>' | b';')) {
        let Some(at) = piece.iter().position(|b| *b == b'@') else { continue };
        // The local part begins behind the last colon.
        let start = piece[..at].iter().rposition(|b| *b == b':').map_or(0, |colon| colon + 1);
        if start < at && at + 1 < piece.len() {
            found.push(piece[start..].to_vec());
        }
    }
    found
}

/// The members of a To or Cc field: parts between commas that stand in no quotes.
pub(super) fn members(value: &[u8]) -> Vec<Vec<u8>> {
    let mut members = Vec::new();
    let mut start = 0;
    let mut quoted = false;
    for (n, octet) in value.iter().chain(std::iter::once(&b',')).enumerate() {
        match octet {
            b'"' => quoted = !quoted,
            b',' if !quoted || n == value.len() => {
                let member = value[start..n].trim_ascii();
                if !member.is_empty() {
                    members.push(member.to_vec());
                }
                start = n + 1;
            }
            _ => {}
        }
    }
    members
}

/// The IP addresses in text, in order.
pub(super) fn ip_addresses(text: &[u8]) -> Vec<IpAddr> {
    let mut found = Vec::new();
    let is_part = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b'.' | b':');
    for word in text.split(|b| !is_part(b)) {
        let Ok(word) = std::str::from_utf8(word) else { continue };
        let word = word.trim_end_matches(['.', ':']);
        let is_v4 = word.split('.').count() == 4;
        let is_v6 = word.matches(':').count() >= 2;
        if (is_v4 || is_v6)
            && let Ok(ip) = word.parse()
        {
            found.push(ip);
        }
    }
    found
}

/// The host that a Received field names: the second address in it, which is the one that was seen
/// and not only said; the first, if it has no second.
pub(super) fn received_from(value: &[u8]) -> Option<IpAddr> {
    let found = ip_addresses(value);
    found.get(1).or_else(|| found.first()).copied()
}

/// Whether an address is one of a private network, as Zeek counts those by default.
pub(super) fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || (a == 100 && (64..128).contains(&b))
                || a == 0
                || (a == 192 && b == 0 && ip.octets()[2] == 0)
        }
        IpAddr::V6(ip) => {
            let first = ip.segments()[0];
            ip.is_loopback() || ip.is_unspecified() || first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_as_zeek_finds_them() {
        let found = |text: &str| -> Vec<String> {
            mail_addresses(text.as_bytes()).into_iter().map(|a| String::from_utf8(a).expect("text")).collect()
        };
        assert_eq!(found("FROM:<a@example.org> SIZE=300"), ["a@example.org"]);
        assert_eq!(found("TO: b@example.org"), ["b@example.org"]);
        assert_eq!(found("TO:b@example.org"), ["b@example.org"]);
        assert!(found("FROM:<>").is_empty());
        assert_eq!(members(b"\"B, C\" <b@example.org>, d@example.org").len(), 2);
        assert_eq!(
            received_from(b"from x (unknown [192.0.2.7]) by [192.0.2.9]; Mon, 1 Jan 2024 10:11:12"),
            Some(IpAddr::from([192, 0, 2, 9]))
        );
        assert_eq!(received_from(b"by mail.example.org at 10:11:12"), None);
    }
}
