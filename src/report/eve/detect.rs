//! What a side speaks by its first octets, so far as it cannot be anything else.

/// The protocol that the first segment of a side belongs to, by its name in events.
///
/// Only what content proves: a greeting with 220 may be that of SMTP or FTP and is none of these.
pub(super) fn detect(payload: &[u8]) -> Option<&'static str> {
    const HTTP: [&[u8]; 8] = [b"GET ", b"POST ", b"HEAD ", b"PUT ", b"OPTIONS ", b"DELETE ", b"CONNECT ", b"HTTP/1."];
    if payload.starts_with(b"SSH-") {
        return Some("ssh");
    }
    if HTTP.iter().any(|word| payload.starts_with(word)) {
        return Some("http");
    }
    match *payload {
        [20..=23, 3, 0..=4, ..] => Some("tls"),
        [a, b, c, d, b' ' | b'\r', ..] if is_greeting([a, b, c, d]) => Some("smtp"),
        _ => None,
    }
}

fn is_greeting(word: [u8; 4]) -> bool {
    [b"EHLO", b"HELO"].iter().any(|known| word.eq_ignore_ascii_case(*known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_octets_name_a_protocol_or_none() {
        assert_eq!(detect(b"SSH-2.0-x\r\n"), Some("ssh"));
        assert_eq!(detect(b"GET / HTTP/1.1\r\n"), Some("http"));
        assert_eq!(detect(b"ehlo client.example.org\r\n"), Some("smtp"));
        assert_eq!(detect(&[22, 3, 1, 0, 5]), Some("tls"));
        assert_eq!(detect(b"220 mail.example.org\r\n"), None);
        assert_eq!(detect(b""), None);
    }
}
