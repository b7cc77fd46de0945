//! NetBIOS name service (RFC 1001, RFC 1002 §4.2): who asks the local network for which host.
//!
//! The format is that of DNS, but for the encoding of names, the operations and the flags.

use std::fmt;
use std::net::Ipv4Addr;

use crate::bytes::Cursor;

/// A name service message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    octets: &'a [u8],
    /// What pairs a request with its response.
    pub id: u16,
    /// Response bit, operation, flags and result (RFC 1002 §4.2.1.1).
    pub flags: Flags,
    /// How many questions, answers, authority and additional records the header counts; `None` where
    /// it is cut.
    pub counts: Option<[u16; 4]>,
}

/// The second word of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub u16);

/// A NetBIOS name, decoded: fifteen characters, and one for what the name is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The characters, filled up with spaces or zeros.
    pub characters: [u8; 15],
    /// What it is the name of: 0x00 a workstation, 0x20 a file server, 0x1c domain controllers….
    pub suffix: u8,
    /// The labels after the encoded name, with dots: its scope (RFC 1001 §14.1).
    pub scope: String,
}

/// A name in a message, or why it is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameField {
    /// A name.
    Name(Name),
    /// The first label is no encoded name.
    Illegal(Illegal),
}

/// What is wrong with the encoding of a name (RFC 1001 §14.1: two letters for each octet).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Illegal {
    /// The first letter of a pair is none.
    First,
    /// The second letter of a pair is none.
    Second,
    /// An odd number of letters.
    Odd,
    /// So many octets instead of sixteen.
    Length(usize),
}

/// What is asked about a name (RFC 1002 §4.2.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordType(pub u16);

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// About which name.
    pub name: NameField,
    /// What is asked.
    pub record_type: RecordType,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// Whose answer.
    pub name: NameField,
    /// What the data are.
    pub record_type: RecordType,
    /// The data as they stand.
    pub data: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads the header. `None`: not even its first four octets are there.
    #[must_use]
    pub fn parse(octets: &'a [u8]) -> Option<Message<'a>> {
        let mut cursor = Cursor::new(octets);
        let id = cursor.u16()?;
        let flags = Flags(cursor.u16()?);
        let mut counts = || Some([cursor.u16()?, cursor.u16()?, cursor.u16()?, cursor.u16()?]);
        Some(Message { octets, id, flags, counts: counts() })
    }

    /// The questions, and whether all that the header counts could be read; and where the answers begin.
    fn read_questions(&self, mut emit: impl FnMut(Question)) -> Option<usize> {
        let mut at = HEADER_LEN;
        for _ in 0..self.counts?[0] {
            let (name, end) = name(self.octets, at)?;
            let mut cursor = Cursor::new(self.octets.get(end..)?);
            let record_type = RecordType(cursor.u16()?);
            cursor.u16()?;
            at = end + cursor.position();
            emit(Question { name, record_type });
        }
        Some(at)
    }

    fn read_answers(&self, mut at: usize, mut emit: impl FnMut(Answer<'a>)) -> Option<()> {
        for _ in 0..self.counts?[1] {
            let (name, end) = name(self.octets, at)?;
            let mut cursor = Cursor::new(self.octets.get(end..)?);
            let record_type = RecordType(cursor.u16()?);
            cursor.take(6)?;
            let length = usize::from(cursor.u16()?);
            let data = cursor.take(length)?;
            at = end + cursor.position();
            emit(Answer { name, record_type, data });
        }
        Some(())
    }

    /// The questions that can be read.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        self.read_questions(|question| questions.push(question));
        questions
    }

    /// The answers that can be read.
    #[must_use]
    pub fn answers(&self) -> Vec<Answer<'a>> {
        let mut answers = Vec::new();
        if let Some(at) = self.read_questions(|_| {}) {
            self.read_answers(at, |answer| answers.push(answer));
        }
        answers
    }
}

impl Flags {
    /// A response, not a request.
    #[must_use]
    pub fn is_response(self) -> bool {
        self.0 & 0x8000 != 0
    }

    /// What is to be done: 0 query, 5 registration, 6 release, 7 wait, 8 refresh.
    #[must_use]
    pub fn operation(self) -> u8 {
        (self.0 >> 11 & 0xf) as u8
    }

    /// How it ended; 0 is well.
    #[must_use]
    pub fn result(self) -> u8 {
        (self.0 & 0xf) as u8
    }
}

impl RecordType {
    /// The addresses of a name.
    pub const NB: RecordType = RecordType(0x20);
    /// The names of a host.
    pub const NBSTAT: RecordType = RecordType(0x21);
}

impl Answer<'_> {
    /// The first address that it gives to the name, after the two octets of its flags.
    #[must_use]
    pub fn address(&self) -> Option<Ipv4Addr> {
        let octets: [u8; 4] = self.data.get(2..6)?.try_into().ok()?;
        (self.record_type == RecordType::NB).then(|| Ipv4Addr::from(octets))
    }
}

/// One line: `Name query NB WORKGROUP<1c>`. A request shows its questions, a response its answers.
impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.flags.operation();
        match operation {
            0 => f.write_str("Name query")?,
            5 => f.write_str("Registration")?,
            6 => f.write_str("Release")?,
            7 => f.write_str("Wait for acknowledgment")?,
            8 => f.write_str("Refresh")?,
            9 => f.write_str("Refresh (alternate opcode)")?,
            15 => f.write_str("Multi-homed registration")?,
            other => write!(f, "Unknown operation ({other})")?,
        }
        let response = self.flags.is_response();
        if response {
            f.write_str(" response")?;
            if let Some(result) = result_name(self.flags.result()) {
                write!(f, ", {result}")?;
            }
        }
        let mut written = Ok(());
        let mut broken = false;
        let answers_at = self.read_questions(|question| {
            if !response {
                written = written.and_then(|()| write!(f, " {} {}", question.record_type, question.name));
            }
        });
        let read = answers_at.and_then(|at| {
            self.read_answers(at, |answer| {
                if !response || operation == WAIT && answer.record_type == RecordType::NB {
                    return;
                }
                broken |= answer.record_type == RecordType::NB && answer.address().is_none();
                written = written.and_then(|()| match answer.address() {
                    Some(address) => write!(f, " NB {address}"),
                    None if broken => Ok(()),
                    None => write!(f, " {}", answer.record_type),
                });
            })
        });
        written?;
        if read.is_none() || broken {
            f.write_str("[Malformed Packet]")?;
        }
        Ok(())
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            RecordType::NB => "NB",
            RecordType::NBSTAT => "NBSTAT",
            _ => "Unknown",
        })
    }
}

/// The characters, those that are not printable as their octets in `<>`, without the spaces that fill
/// up, and the suffix in `<>`: `HOST<20>`.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let filled = self.characters.iter().rev().take_while(|octet| **octet == b' ').count();
        let shown = if filled == 15 { 15 } else { 15 - filled };
        for octet in &self.characters[..shown] {
            match octet {
                b' '..=b'~' => write!(f, "{}", char::from(*octet))?,
                _ => write!(f, "<{octet:02x}>")?,
            }
        }
        write!(f, "<{:02x}>{}", self.suffix, self.scope)
    }
}

impl fmt::Display for NameField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameField::Name(name) => name.fmt(f),
            NameField::Illegal(illegal) => write!(f, "Illegal NetBIOS name ({illegal})"),
        }
    }
}

impl fmt::Display for Illegal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Illegal::First => f.write_str("1st character not between A and Z in first-level encoding"),
            Illegal::Second => f.write_str("2nd character not between A and Z in first-level encoding"),
            Illegal::Odd => f.write_str("odd number of bytes"),
            Illegal::Length(length) => write!(f, "{length} bytes long"),
        }
    }
}

/// Fuzz body: decodes and prints; nothing may panic.
pub fn fuzz_nbns(data: &[u8]) {
    if let Some(message) = Message::parse(data) {
        let _ = message.to_string();
        assert!(message.questions().len() * 5 <= data.len());
        assert!(message.answers().len() * 11 <= data.len());
    }
}

/// Reads the name at `at` and returns where it ends in place. `None`: it is cut.
fn name(octets: &[u8], at: usize) -> Option<(NameField, usize)> {
    let mut here = at;
    let mut end = None;
    let mut pointers = 0;
    let mut first = None;
    let mut scope = String::new();
    let end = loop {
        let length = *octets.get(here)?;
        match length >> 6 {
            0 if length == 0 => break end.unwrap_or(here + 1),
            0 => {
                let label = octets.get(here + 1..here + 1 + usize::from(length))?;
                here += 1 + label.len();
                if first.is_none() {
                    first = Some(label);
                } else if scope.len() < MAX_SCOPE {
                    scope.push('.');
                    scope.extend(label.iter().map(|octet| match octet {
                        b'!'..=b'~' => char::from(*octet),
                        _ => '?',
                    }));
                }
            }
            3 => {
                let low = *octets.get(here + 1)?;
                let after = *end.get_or_insert(here + 2);
                pointers += 1;
                if pointers > MAX_POINTERS {
                    return Some((NameField::Illegal(Illegal::First), after));
                }
                here = usize::from(length & 0x3f) << 8 | usize::from(low);
            }
            _ => return None,
        }
    };
    let field = match first.map(decode) {
        Some(Ok((characters, suffix))) => NameField::Name(Name { characters, suffix, scope }),
        Some(Err(illegal)) => NameField::Illegal(illegal),
        None => NameField::Illegal(Illegal::First),
    };
    Some((field, end))
}

/// Two letters for each octet, its halves counted from `A` (RFC 1001 §14.1).
fn decode(label: &[u8]) -> Result<([u8; 15], u8), Illegal> {
    let mut decoded = [0; 16];
    for (i, pair) in label.chunks(2).enumerate() {
        if !pair[0].is_ascii_uppercase() {
            return Err(Illegal::First);
        }
        let &[high, low] = pair else { return Err(Illegal::Odd) };
        if !low.is_ascii_uppercase() {
            return Err(Illegal::Second);
        }
        if let Some(octet) = decoded.get_mut(i) {
            *octet = (high - b'A').wrapping_shl(4) | (low - b'A');
        }
    }
    if label.len() != 32 {
        return Err(Illegal::Length(label.len() / 2));
    }
    let mut characters = [0; 15];
    characters.copy_from_slice(&decoded[..15]);
    Ok((characters, decoded[15]))
}

fn result_name(result: u8) -> Option<&'static str> {
    Some(match result {
        0 => return None,
        1 => "Request was invalidly formatted",
        2 => "Server failure",
        3 => "Requested name does not exist",
        4 => "Request is not implemented",
        5 => "Request was refused",
        6 => "Name is owned by another node",
        7 => "Name is in conflict",
        _ => "Unknown error",
    })
}

const HEADER_LEN: usize = 12;
/// The operation whose answer repeats the request and gives no address (RFC 1002 §4.2.16).
const WAIT: u8 = 7;
/// A scope is part of a name of at most 255 octets (RFC 1001 §14.1); the last label may pass this.
const MAX_SCOPE: usize = 192;
/// As many as the longest name has labels.
const MAX_POINTERS: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    /// `HOST           ` and 0x20, encoded.
    const NAME: &[u8] = b"\x20EIEPFDFECACACACACACACACACACACACA\x00";

    fn request(flags: u16) -> Vec<u8> {
        [&[0, 1], &flags.to_be_bytes()[..], &[0, 1, 0, 0, 0, 0, 0, 0], NAME, &[0, 0x20, 0, 1]].concat()
    }

    fn response(flags: u16, data: &[u8]) -> Vec<u8> {
        let length = (data.len() as u16).to_be_bytes();
        let head = [&[0, 1], &flags.to_be_bytes()[..], &[0, 0, 0, 1, 0, 0, 0, 0]].concat();
        [&head, NAME, &[0, 0x20, 0, 1, 0, 0, 0, 60], &length, data].concat()
    }

    fn line(octets: &[u8]) -> String {
        Message::parse(octets).unwrap().to_string()
    }

    #[test]
    fn a_query_shows_the_name_and_what_it_is_of() {
        assert_eq!(line(&request(0x0110)), "Name query NB HOST<20>");
        assert_eq!(line(&request(0x2910)), "Registration NB HOST<20>");
        let questions = Message::parse(&request(0x0110)).unwrap().questions();
        let NameField::Name(name) = &questions[0].name else { panic!("{questions:?}") };
        assert_eq!((&name.characters[..5], name.suffix), (&b"HOST "[..], 0x20));
    }

    #[test]
    fn a_response_shows_the_address_or_why_there_is_none() {
        let data = [0x60, 0, 192, 0, 2, 9];
        assert_eq!(line(&response(0x8580, &data)), "Name query response NB 192.0.2.9");
        let answers = response(0x8580, &data);
        let answers = Message::parse(&answers).unwrap().answers();
        assert_eq!(answers[0].address(), Some(Ipv4Addr::new(192, 0, 2, 9)));
        assert_eq!(line(&response(0x8583, &data)), "Name query response, Requested name does not exist NB 192.0.2.9");
        assert_eq!(line(&response(0x8580, &[])), "Name query response[Malformed Packet]");
    }

    #[test]
    fn octets_that_are_no_characters_show_in_hex() {
        let name = Name { characters: *b"\x01\x02__MSBROWSE__\x02", suffix: 1, scope: String::new() };
        assert_eq!(name.to_string(), "<01><02>__MSBROWSE__<02><01>");
        let name = Name { characters: *b"a b            ", suffix: 0, scope: ".x".into() };
        assert_eq!(name.to_string(), "a b<00>.x");
    }

    #[test]
    fn a_name_that_is_not_encoded_is_illegal() {
        assert_eq!(decode(b"host"), Err(Illegal::First));
        assert_eq!(decode(b"Ab"), Err(Illegal::Second));
        assert_eq!(decode(b"CACBA"), Err(Illegal::Odd));
        assert_eq!(decode(b"CACB"), Err(Illegal::Length(2)));
        assert!(matches!(name(b"\xc0\x00", 0), Some((NameField::Illegal(Illegal::First), 2))));
    }

    #[test]
    fn a_message_cut_anywhere_says_so() {
        for octets in [request(0x0110), response(0x8580, &[0x60, 0, 192, 0, 2, 9])] {
            for end in 0..octets.len() {
                match Message::parse(&octets[..end]) {
                    None => assert!(end < 4),
                    Some(message) => assert!(message.to_string().ends_with("[Malformed Packet]"), "{end}"),
                }
            }
            let trailed = [&octets[..], b"more"].concat();
            assert_eq!(line(&trailed), line(&octets));
        }
    }

    #[test]
    fn exercise_fuzz_nbns() {
        let whole = response(0x8580, &[0x60, 0, 192, 0, 2, 9]);
        let mut state = 0x0bad_cafe_u32;
        for round in 0..3000 {
            let mut mutated = whole[..whole.len() - round % 9].to_vec();
            for _ in 0..round % 6 {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                let at = state as usize % mutated.len();
                mutated[at] = (state >> 16) as u8;
            }
            fuzz_nbns(&mutated);
        }
        fuzz_nbns(&[0xff; 3000]);
        fuzz_nbns(&[0xc0, 0x0c].repeat(300));
    }
}
