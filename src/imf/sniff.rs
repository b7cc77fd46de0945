//! What a file is by its first octets, whatever its sender calls it.

/// The media type that the first octets of a file show; `None` where they show nothing. Give it at least 512 octets, or all there are.
#[must_use]
pub fn sniff(beginning: &[u8]) -> Option<&'static str> {
    let found = MAGIC.iter().find(|(at, magic, _)| beginning.get(*at..).is_some_and(|b| b.starts_with(magic)));
    if let Some((.., name)) = found {
        return Some(name);
    }
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning).trim_ascii_start();
    let starts = |with: &[&str]| {
        with.iter().any(|word| text.get(..word.len()).is_some_and(|b| b.eq_ignore_ascii_case(word.as_bytes())))
    };
    if starts(&["<!doctype html", "<html", "<head", "<body", "<script", "<title", "<table", "<!--"]) {
        return Some("text/html");
    }
    if starts(&["<?xml"]) {
        return Some("application/xml");
    }
    (!beginning.is_empty() && is_text(beginning)).then_some("text/plain")
}

/// Whether octets are text: UTF-8 perhaps cut at its end, or Latin letters; no control characters.
fn is_text(octets: &[u8]) -> bool {
    octets.iter().all(|b| matches!(b, 0x07..=0x0d | 0x1b | 0x20..=0x7e | 0x80..=0xff))
}

/// Where magic numbers stand, what they are, and what they show.
const MAGIC: &[(usize, &[u8], &str)] = &[
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"MZ", "application/x-dosexec"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/x-rar"),
    (0, b"MSCF", "application/vnd.ms-cab-compressed"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword"),
    (0, b"{\\rtf", "text/rtf"),
    (0, b"%!PS", "application/postscript"),
    (0, b"\xca\xfe\xba\xbe", "application/x-java-applet"),
    (0, b"RIFF", "application/x-riff"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS", "application/ogg"),
    (0, b"BM", "image/x-ms-bmp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"\0\0\x01\0", "image/x-icon"),
    (0, b"-----BEGIN PGP MESSAGE-", "application/pgp"),
    (4, b"ftyp", "video/mp4"),
    (257, b"ustar", "application/x-tar"),
    (0, b"x\x9f\x3e\x22", "application/vnd.ms-tnef"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_first_octets() {
        assert_eq!(sniff(b"%PDF-1.4\n"), Some("application/pdf"));
        assert_eq!(sniff(b"MZ\x90\0"), Some("application/x-dosexec"));
        assert_eq!(sniff(b"  <HTML><body>"), Some("text/html"));
        assert_eq!(sniff("Grüße\r\n".as_bytes()), Some("text/plain"));
        assert_eq!(sniff(b"\x01\x02\x03"), None);
        assert_eq!(sniff(b""), None);
    }
}
