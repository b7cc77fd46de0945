//! Transfer encodings undone in a stream, wherever the octets are cut.

use super::part::TransferEncoding;
use super::reader::Detail;
use crate::limits;

/// Undoes one part's transfer encoding.
#[derive(Debug)]
pub(super) struct Decoder {
    state: State,
    detail: Detail,
    /// Decoded octets on their way out.
    out: Vec<u8>,
    /// Something was no valid encoding.
    pub(super) is_bad: bool,
}

#[derive(Debug)]
enum State {
    Identity,
    Base64 {
        bits: u32,
        count: u8,
    },
    /// What stands behind an equals sign, up to two octets.
    QuotedPrintable {
        held: [u8; 2],
        count: Option<u8>,
    },
    Uuencode {
        line: Vec<u8>,
        began: bool,
    },
}

impl Decoder {
    pub(super) fn new(encoding: TransferEncoding, detail: Detail) -> Decoder {
        let state = match encoding {
            TransferEncoding::Identity => State::Identity,
            TransferEncoding::Base64 => State::Base64 { bits: 0, count: 0 },
            TransferEncoding::QuotedPrintable => State::QuotedPrintable { held: [0; 2], count: None },
            TransferEncoding::Uuencode => State::Uuencode { line: Vec::new(), began: false },
        };
        Decoder { state, detail, out: Vec::new(), is_bad: false }
    }

    /// Takes the next octets; gives how many octets they stand for, and those octets where they are
    /// wanted.
    pub(super) fn feed(&mut self, bytes: &[u8], mut give: impl FnMut(u64, &[u8])) {
        match &mut self.state {
            State::Identity => return give(bytes.len() as u64, bytes),
            State::Base64 { count, .. } if self.detail == Detail::Structure => {
                return give(octets_of(count, characters(bytes)), b"");
            }
            State::Base64 { bits, count } => self.is_bad |= base64(bits, count, bytes, &mut self.out),
            State::QuotedPrintable { held, count } => {
                self.is_bad |= quoted_printable(held, count, bytes, &mut self.out);
            }
            State::Uuencode { line, began } => uuencode(line, began, bytes, &mut self.out),
        }
        give(self.out.len() as u64, &self.out);
        self.out.clear();
    }

    /// Counts characters where the encoding is one that is only counted; how many octets they stand for.
    pub(super) fn count(&mut self, characters: u64) -> Option<u64> {
        match &mut self.state {
            State::Base64 { count, .. } if self.detail == Detail::Structure => Some(octets_of(count, characters)),
            _ => None,
        }
    }

    /// Octets are missing: what was held back stands for nothing any more.
    pub(super) fn gap(&mut self) {
        match &mut self.state {
            State::Identity => {}
            State::Base64 { bits, count } => (*bits, *count) = (0, 0),
            State::QuotedPrintable { count, .. } => *count = None,
            State::Uuencode { line, .. } => line.clear(),
        }
    }

    /// The contents are over: what was held back comes out.
    pub(super) fn finish(&mut self, mut give: impl FnMut(u64, &[u8])) {
        match &mut self.state {
            // Two characters are one octet, three are two: the padding is often left out.
            State::Base64 { count, .. } if self.detail == Detail::Structure => {
                give(u64::from(count.saturating_sub(1)), b"")
            }
            State::Base64 { bits, count } => last_of_base64(*bits, *count, &mut self.out),
            State::QuotedPrintable { held, count: Some(count) } => {
                self.out.push(b'=');
                self.out.extend_from_slice(&held[..usize::from(*count)]);
                self.is_bad = true;
            }
            State::Uuencode { line, began: true } => uuencoded_line(line, &mut self.out),
            State::Identity | State::QuotedPrintable { .. } | State::Uuencode { .. } => {}
        }
        if !self.out.is_empty() {
            give(self.out.len() as u64, &self.out);
            self.out.clear();
        }
    }
}

/// Decodes base64; whether something in it is no base64. Padding ends a quantum; what follows begins another, as where
/// two encodings were put behind one another.
fn base64(bits: &mut u32, count: &mut u8, bytes: &[u8], out: &mut Vec<u8>) -> bool {
    let mut bad = false;
    out.reserve(bytes.len() / 4 * 3 + 3);
    for &b in bytes {
        let value = SEXTETS[usize::from(b)];
        if value < 64 {
            *bits = *bits << 6 | u32::from(value);
            *count += 1;
            if *count == 4 {
                out.extend_from_slice(&bits.to_be_bytes()[1..]);
                (*bits, *count) = (0, 0);
            }
        } else if b == b'=' {
            last_of_base64(*bits, *count, out);
            (*bits, *count) = (0, 0);
        } else {
            bad |= !b.is_ascii_whitespace();
        }
    }
    bad
}

/// Four characters stand for three octets: what is over waits in `count`.
fn octets_of(count: &mut u8, characters: u64) -> u64 {
    let characters = characters + u64::from(*count);
    *count = (characters % 4) as u8;
    characters / 4 * 3
}

/// How many characters of base64 stand in `bytes`. Octets are added up in small groups, so that the
/// compiler makes vector code of it: every octet of every attachment comes by here.
fn characters(bytes: &[u8]) -> u64 {
    let of_group = |group: &[u8]| group.iter().map(|b| u8::from((*b > b' ') & (*b != b'='))).sum::<u8>();
    bytes.chunks(224).map(|group| u64::from(of_group(group))).sum()
}

fn last_of_base64(bits: u32, count: u8, out: &mut Vec<u8>) {
    match count {
        2 => out.push((bits >> 4) as u8),
        3 => out.extend_from_slice(&((bits >> 2) as u16).to_be_bytes()),
        _ => {}
    }
}

/// Decodes quoted-printable; whether an equals sign stood for nothing.
fn quoted_printable(held: &mut [u8; 2], count: &mut Option<u8>, bytes: &[u8], out: &mut Vec<u8>) -> bool {
    let mut bad = false;
    for &b in bytes {
        match *count {
            None if b == b'=' => *count = Some(0),
            None => out.push(b),
            // A soft line break is `=` CR LF, or `=` LF; spaces before it are padding.
            Some(_) if b == b'\n' => *count = None,
            Some(0) if matches!(b, b'\r' | b' ' | b'\t') => {}
            Some(0) if b.is_ascii_hexdigit() => (held[0], *count) = (b, Some(1)),
            Some(1) if b.is_ascii_hexdigit() => {
                out.push(digit(held[0]) << 4 | digit(b));
                *count = None;
            }
            Some(n) => {
                out.push(b'=');
                out.extend_from_slice(&held[..usize::from(n)]);
                out.push(b);
                *count = None;
                bad = true;
            }
        }
    }
    bad
}

fn digit(b: u8) -> u8 {
    match b {
        b'0'..=b'9' => b - b'0',
        _ => (b.to_ascii_uppercase() - b'A').wrapping_add(10),
    }
}

/// Decodes uuencode: lines between `begin` and `end`, each with its length in its first octet.
fn uuencode(line: &mut Vec<u8>, began: &mut bool, bytes: &[u8], out: &mut Vec<u8>) {
    for &b in bytes {
        if b != b'\n' {
            if line.len() < limits::IMF_UUENCODED_LINE_OCTETS {
                line.push(b);
            }
            continue;
        }
        let text = line.trim_ascii_end();
        if text.starts_with(b"begin ") {
            *began = true;
        } else if text == b"end" {
            *began = false;
        } else if *began {
            uuencoded_line(line, out);
        }
        line.clear();
    }
}

fn uuencoded_line(line: &[u8], out: &mut Vec<u8>) {
    let sextet = |b: u8| u32::from(b.wrapping_sub(b' ') & 0x3f);
    let Some((&first, rest)) = line.split_first() else { return };
    let length = sextet(first) as usize;
    let from = out.len();
    for four in rest.chunks(4) {
        let bits = (0..4).fold(0, |bits, i| bits << 6 | sextet(four.get(i).copied().unwrap_or(b' ')));
        out.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    out.truncate((from + length).min(out.len()));
}

/// The value of each character of base64; 64 for those that are none.
const SEXTETS: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [64; 256];
    let mut i = 0;
    while i < alphabet.len() {
        table[alphabet[i] as usize] = i as u8;
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes `text` whole and in pieces of every size; what only counts counts the same.
    fn decoded(encoding: TransferEncoding, text: &[u8]) -> (Vec<u8>, bool) {
        let read = |size: usize| {
            let mut decoder = Decoder::new(encoding, Detail::Content);
            let mut out = Vec::new();
            text.chunks(size).for_each(|piece| decoder.feed(piece, |_, octets| out.extend_from_slice(octets)));
            decoder.finish(|_, octets| out.extend_from_slice(octets));
            (out, decoder.is_bad)
        };
        let whole = read(text.len().max(1));
        for size in 1..text.len() {
            assert_eq!(read(size), whole, "pieces of {size}");
        }
        whole
    }

    #[test]
    fn base64_is_decoded_with_padding_and_without() {
        let base64 = |text: &[u8]| decoded(TransferEncoding::Base64, text);
        assert_eq!(base64(b"aGVsbG8gd29y\r\nbGQ=\r\n"), (b"hello world".to_vec(), false));
        assert_eq!(base64(b"aGVsbG8gd29ybGQ"), (b"hello world".to_vec(), false));
        assert_eq!(base64(b"YQ==YQ=="), (b"aa".to_vec(), false));
        assert_eq!(base64(b"aGVs*bG8="), (b"hello".to_vec(), true));
        assert_eq!(base64(b"a"), (b"".to_vec(), false));
    }

    #[test]
    fn the_size_of_base64_is_counted_without_decoding_it() {
        for length in 0..50_usize {
            use base64::Engine as _;
            let text = base64::engine::general_purpose::STANDARD.encode(vec![7; length]);
            for size in 1..9 {
                let mut decoder = Decoder::new(TransferEncoding::Base64, Detail::Structure);
                let mut count = 0;
                text.as_bytes().chunks(size).for_each(|piece| decoder.feed(piece, |n, _| count += n));
                decoder.finish(|n, _| count += n);
                assert_eq!(count, length as u64, "{text} in pieces of {size}");
            }
        }
    }

    #[test]
    fn quoted_printable_keeps_what_it_cannot_read() {
        let quoted = |text: &[u8]| decoded(TransferEncoding::QuotedPrintable, text);
        assert_eq!(quoted(b"a=20b=\r\nc=\nd=e4\r\n"), (b"a bcd\xe4\r\n".to_vec(), false));
        assert_eq!(quoted(b"a=zz"), (b"a=zz".to_vec(), true));
        assert_eq!(quoted(b"a=4"), (b"a=4".to_vec(), true));
    }

    #[test]
    fn uuencode_is_read_between_begin_and_end() {
        let text = b"before\r\nbegin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\nafter\r\n";
        assert_eq!(decoded(TransferEncoding::Uuencode, text), (b"Cat".to_vec(), false));
    }
}
