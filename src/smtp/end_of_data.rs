//! Finds the line that ends a message sent by DATA, wherever its octets were cut.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// Looks for the dot line in a message's octets as they come.
///
/// Strictly, only CR LF dot CR LF ends a message (RFC 5321 §4.1.1.4); the line before the first
/// octet counts as ended. A *tolerant* search takes LF for a line end too. The octets of a dot
/// line that has not ended yet, or of a look-alike that nothing follows yet, are held back: they
/// are text only when something follows that makes them so.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndOfData {
    tolerant: bool,
    state: State,
}

/// What [`EndOfData::scan`] found in a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scan {
    /// Octets held back before this piece that turned out to be text, and come first.
    pub held: &'static [u8],
    /// So many of the piece's octets are text.
    pub text: usize,
    /// So many octets of the piece were looked at: all, or those up to the dot line's end.
    pub taken: usize,
    /// Whether the dot line ended.
    pub ended: bool,
    /// Look-alikes with text after them: those that only a tolerant server takes for the end.
    pub look_alikes: u32,
}

impl EndOfData {
    /// At the first octet of a message.
    pub(super) fn new(tolerant: bool) -> EndOfData {
        EndOfData { tolerant, state: State::Start(Break::Crlf) }
    }

    /// Octets held back: the beginning of what may be a dot line, or a look-alike.
    pub(super) fn held(&self) -> &'static [u8] {
        match self.state {
            State::Dot(_) => b".",
            State::DotCr(_) => b".\r",
            State::LookAlike(Break::Lf) => b".\n",
            State::LookAlike(Break::Crlf) => b".\r\n",
            State::Start(_) | State::Text { .. } => b"",
        }
    }

    /// Whether the last octets were a dot line with a bare LF in or before it, and nothing follows.
    pub(super) fn ends_in_look_alike(&self) -> bool {
        matches!(self.state, State::LookAlike(_))
    }

    /// After missing octets: what is held back is text, and a line may begin anywhere.
    pub(super) fn after_gap(&mut self) {
        self.state = State::Text { cr: false };
    }

    /// Passes over octets without a dot that begins a line, all of whose line ends are CR LF. Nothing may be held back.
    pub(super) fn pass(&mut self, bytes: &[u8]) {
        self.state = match bytes.last() {
            Some(b'\n') => State::Start(Break::Crlf),
            last => State::Text { cr: last == Some(&b'\r') },
        };
    }

    /// Looks at the next octets.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Scan {
        let carried = self.held();
        let mut scan = Scan { held: b"", text: 0, taken: bytes.len(), ended: false, look_alikes: 0 };
        // Where the dot line under suspicion begins; `None` while it is the carried one.
        let mut candidate = None;
        let mut i = 0;
        while let Some(&b) = bytes.get(i) {
            let before = self.state;
            self.state = match (before, b) {
                (State::Text { cr }, _) => {
                    i = self.skip_text(bytes, i, cr);
                    if matches!(self.state, State::Dot(_)) {
                        candidate = Some(i - 1);
                    }
                    continue;
                }
                (State::Start(line_break), b'.') => {
                    candidate = Some(i);
                    State::Dot(line_break)
                }
                (State::Dot(_), b'\n') if self.tolerant => return self.end(scan, candidate, carried, i),
                (State::Dot(_), b'\n') => State::LookAlike(Break::Lf),
                (State::Dot(line_break), b'\r') => State::DotCr(line_break),
                (State::DotCr(line_break), b'\n') if self.tolerant || line_break == Break::Crlf => {
                    return self.end(scan, candidate, carried, i);
                }
                (State::DotCr(_), b'\n') => State::LookAlike(Break::Crlf),
                (State::LookAlike(line_break), _) => {
                    scan.look_alikes += 1;
                    scan.held = if candidate.is_none() { carried } else { scan.held };
                    // The look-alike ended a line: look at the same octet again, at a line's start.
                    self.state = State::Start(line_break);
                    continue;
                }
                (State::DotCr(_), _) => {
                    self.state = State::Text { cr: true };
                    scan.held = if candidate.is_none() { carried } else { scan.held };
                    continue;
                }
                (State::Start(_) | State::Dot(_), _) => {
                    scan.held = if candidate.is_none() { carried } else { scan.held };
                    self.state = State::Text { cr: false };
                    continue;
                }
            };
            i += 1;
        }
        scan.text = match (self.held().is_empty(), candidate) {
            (true, _) => bytes.len(),
            (false, Some(from)) => from,
            (false, None) => 0,
        };
        if scan.text > 0 {
            scan.held = carried;
        }
        scan
    }

    /// The dot line ended with the octet at `last`.
    fn end(&mut self, scan: Scan, candidate: Option<usize>, carried: &'static [u8], last: usize) -> Scan {
        self.state = State::Text { cr: false };
        let held = if candidate.is_some() { carried } else { b"" };
        Scan { held, text: candidate.unwrap_or(0), taken: last + 1, ended: true, ..scan }
    }

    /// From `from`, inside a line, to behind the next dot that begins a line, or to the end;
    /// the state is then what stands there.
    fn skip_text(&mut self, bytes: &[u8], from: usize, cr: bool) -> usize {
        let rest = &bytes[from..];
        let break_at = |i: usize| match i.checked_sub(1).map_or(cr, |before| rest[before] == b'\r') {
            true => Break::Crlf,
            false => Break::Lf,
        };
        if let Some(found) = DOT_LINE.find(rest) {
            self.state = State::Dot(break_at(found));
            return from + found + 2;
        }
        self.state = match rest.last() {
            Some(b'\n') => State::Start(break_at(rest.len() - 1)),
            last => State::Text { cr: last == Some(&b'\r') },
        };
        bytes.len()
    }
}

static DOT_LINE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\n."));

/// What stands before the next octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A line's end, or the beginning of the message.
    Start(Break),
    /// The inside of a line; whether its last octet is a CR.
    Text { cr: bool },
    /// A dot that begins a line.
    Dot(Break),
    /// Such a dot and a CR.
    DotCr(Break),
    /// A whole dot line with a bare LF in or before it, in a strict search; how it ended.
    LookAlike(Break),
}

/// A line end in message text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Break {
    Crlf,
    Lf,
}

/// What of message text is unusual, once it was seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Oddities {
    /// An LF without a CR before it.
    pub bare_lf: bool,
    /// A CR without an LF after it.
    pub bare_cr: bool,
    /// A NUL.
    pub nul: bool,
    previous: u8,
}

impl Oddities {
    /// Passes over octets of which none is unusual.
    pub(super) fn pass(&mut self, bytes: &[u8]) {
        self.previous = bytes.last().copied().unwrap_or(self.previous);
    }

    /// Looks at the next octets of the text. No branch depends on an octet, so that the compiler
    /// makes vector code of it: every octet of every message comes by here.
    pub(super) fn look(&mut self, bytes: &[u8]) {
        let Some((&first, &last)) = bytes.first().zip(bytes.last()) else { return };
        let (mut bare_lf, mut bare_cr) = pair(self.previous, first);
        let mut nul = first == 0;
        for (&a, &b) in bytes.iter().zip(&bytes[1..]) {
            let (lf, cr) = pair(a, b);
            bare_lf |= lf;
            bare_cr |= cr;
            nul |= b == 0;
        }
        self.bare_lf |= bare_lf;
        self.bare_cr |= bare_cr;
        self.nul |= nul;
        self.previous = last;
    }
}

fn pair(before: u8, octet: u8) -> (bool, bool) {
    ((octet == b'\n') & (before != b'\r'), (before == b'\r') & (octet != b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `pieces`; the text found, octets taken, whether it ended, look-alikes.
    fn read<'a>(tolerant: bool, pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, usize, bool, u32) {
        let mut search = EndOfData::new(tolerant);
        let (mut text, mut taken, mut look_alikes) = (Vec::new(), 0, 0);
        for piece in pieces {
            let scan = search.scan(piece);
            text.extend_from_slice(scan.held);
            text.extend_from_slice(&piece[..scan.text]);
            taken += scan.taken;
            look_alikes += scan.look_alikes;
            assert!(scan.ended || scan.taken == piece.len());
            if scan.ended {
                return (text, taken, true, look_alikes);
            }
        }
        text.extend_from_slice(search.held());
        (text, taken, false, look_alikes)
    }

    /// Every way to cut `bytes` once, and octet by octet, gives the same.
    fn check(tolerant: bool, bytes: &[u8]) -> (Vec<u8>, usize, bool, u32) {
        let whole = read(tolerant, std::iter::once(bytes));
        for at in 0..=bytes.len() {
            let (a, b) = bytes.split_at(at);
            assert_eq!(read(tolerant, [a, b].into_iter()), whole, "cut at {at}");
        }
        assert_eq!(read(tolerant, bytes.chunks(1)), whole, "octet by octet");
        whole
    }

    #[test]
    fn finds_the_dot_line_wherever_it_is_cut() {
        assert_eq!(check(false, b"a\r\n.\r\nQUIT\r\n"), (b"a\r\n".to_vec(), 6, true, 0));
        assert_eq!(check(false, b".\r\nQUIT\r\n"), (b"".to_vec(), 3, true, 0));
        assert_eq!(check(false, b"a\r\n..\r\nb\r\n.\r\n"), (b"a\r\n..\r\nb\r\n".to_vec(), 13, true, 0));
        assert_eq!(check(false, b"a\r\n.b\r\n.\r\n"), (b"a\r\n.b\r\n".to_vec(), 10, true, 0));
        assert_eq!(check(false, b"a\r\n.\rb\r\n.\r\n"), (b"a\r\n.\rb\r\n".to_vec(), 11, true, 0));
        assert_eq!(check(false, b"a\r\n.\r\r\n.\r\n"), (b"a\r\n.\r\r\n".to_vec(), 10, true, 0));
        assert_eq!(check(false, b"a\r\r\n.\r\n"), (b"a\r\r\n".to_vec(), 7, true, 0));
    }

    #[test]
    fn a_look_alike_with_bare_lf_does_not_end_a_message_strictly_read() {
        assert_eq!(check(false, b"a\n.\nb\r\n.\r\n"), (b"a\n.\nb\r\n".to_vec(), 10, true, 1));
        assert_eq!(check(false, b"a\n.\r\nb\r\n.\r\n"), (b"a\n.\r\nb\r\n".to_vec(), 11, true, 1));
        assert_eq!(check(false, b"a\r\n.\nb\r\n.\r\n"), (b"a\r\n.\nb\r\n".to_vec(), 11, true, 1));
        assert_eq!(check(false, b"a\n.\n.\n.\r\nb"), (b"a\n.\n.\n.\r\nb".to_vec(), 10, false, 3));
        assert_eq!(check(false, b"a\n.\r\n.\r\n"), (b"a\n.\r\n".to_vec(), 8, true, 1));
    }

    #[test]
    fn a_tolerant_search_ends_at_bare_lf() {
        assert_eq!(check(true, b"a\n.\nQUIT\n"), (b"a\n".to_vec(), 4, true, 0));
        assert_eq!(check(true, b".\nQUIT\n"), (b"".to_vec(), 2, true, 0));
        assert_eq!(check(true, b"a\r\n.\r\nQUIT\n"), (b"a\r\n".to_vec(), 6, true, 0));
        assert_eq!(check(true, b"a\n..\n.x\n.\n"), (b"a\n..\n.x\n".to_vec(), 10, true, 0));
    }

    #[test]
    fn a_look_alike_at_the_end_is_held_back() {
        let mut search = EndOfData::new(false);
        let scan = search.scan(b"a\n.\n");
        assert_eq!((scan.text, scan.ended, search.held(), search.ends_in_look_alike()), (2, false, &b".\n"[..], true));
    }

    #[test]
    fn oddities_show_across_pieces() {
        let odd = |pieces: &[&[u8]]| {
            let mut oddities = Oddities::default();
            pieces.iter().for_each(|p| oddities.look(p));
            (oddities.bare_lf, oddities.bare_cr, oddities.nul)
        };
        assert_eq!(odd(&[b"a\r", b"\nb\r\n"]), (false, false, false));
        assert_eq!(odd(&[b"a\n"]), (true, false, false));
        assert_eq!(odd(&[b"a\r", b"b\0"]), (false, true, true));
    }
}
