//! DNS messages (RFC 1035), and mDNS and LLMNR, which share their format.
//!
//! [`Message::parse`] reads the header; [`Message::entries`] walks the questions and the records, and
//! stops where the message is cut or broken, which [`Entries::is_short`] then tells. Names are read in
//! place ([`Name`]), record data when asked for ([`Record::data`]), so that a message costs no memory.

mod name;
mod record;

pub use name::{Name, NameFault};
pub use record::{Data, Record, RecordType, Text};

use crate::bytes::Cursor;

/// A DNS message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    octets: &'a [u8],
    /// What pairs a query with its response.
    pub id: u16,
    /// The bits of the header's second word.
    pub flags: Flags,
    /// How many questions and records the header counts; `None` where it is cut.
    pub counts: Option<[u16; 4]>,
}

/// The second word of the header (RFC 1035 §4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub u16);

/// Where in a message a record stands (RFC 1035 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// What is asked; in an update, the zone (RFC 2136).
    Question,
    /// What answers it.
    Answer,
    /// Who is in charge.
    Authority,
    /// What may help.
    Additional,
}

/// One question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Question<'a> {
    /// About which name.
    pub name: Name<'a>,
    /// Which records of it.
    pub record_type: RecordType,
    /// In which class; 1 is the Internet. In mDNS the top bit asks for a unicast answer (RFC 6762 §5.4).
    pub class: u16,
}

/// A question or a record.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'a> {
    /// A question.
    Question(Question<'a>),
    /// A record.
    Record(Record<'a>),
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

    /// The questions and records in order, to the end or to where they cannot be read any more.
    #[must_use]
    pub fn entries(&self) -> Entries<'a> {
        Entries {
            octets: self.octets,
            at: HEADER_LEN,
            left: self.counts.unwrap_or_default(),
            short: self.counts.is_none(),
        }
    }

    /// The questions.
    pub fn questions(&self) -> impl Iterator<Item = Question<'a>> + use<'a> {
        self.entries().map_while(|entry| match entry {
            Entry::Question(question) => Some(question),
            Entry::Record(_) => None,
        })
    }

    /// The records of all sections.
    pub fn records(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        self.entries().filter_map(|entry| match entry {
            Entry::Question(_) => None,
            Entry::Record(record) => Some(record),
        })
    }
}

impl Flags {
    /// A response, not a query.
    #[must_use]
    pub fn is_response(self) -> bool {
        self.0 & 0x8000 != 0
    }

    /// What kind of query: 0 is a standard one (IANA: DNS OpCodes).
    #[must_use]
    pub fn opcode(self) -> u8 {
        (self.0 >> 11 & 0xf) as u8
    }

    /// The answer comes from a server in charge of the name.
    #[must_use]
    pub fn is_authoritative(self) -> bool {
        self.0 & 0x0400 != 0
    }

    /// The answer did not fit.
    #[must_use]
    pub fn is_truncated(self) -> bool {
        self.0 & 0x0200 != 0
    }

    /// How a response ended: 0 is well, 3 means no such name (IANA: DNS RCODEs).
    #[must_use]
    pub fn response_code(self) -> u8 {
        (self.0 & 0xf) as u8
    }
}

/// The questions and records of a message, in order.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    octets: &'a [u8],
    at: usize,
    left: [u16; 4],
    short: bool,
}

impl Entries<'_> {
    /// After the last entry: whether the header counts more than could be read.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.short
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        if self.short {
            return None;
        }
        let index = self.left.iter().position(|left| *left > 0)?;
        self.left[index] -= 1;
        let section = [Section::Question, Section::Answer, Section::Authority, Section::Additional][index];
        let read = match section {
            Section::Question => question(self.octets, self.at).map(|(question, end)| (Entry::Question(question), end)),
            _ => record::parse(self.octets, self.at, section).map(|(record, end)| (Entry::Record(record), end)),
        };
        let Some((entry, end)) = read else {
            self.short = true;
            return None;
        };
        // A record whose data are cut is the last that can be read, and is still shown.
        self.short = matches!(entry, Entry::Record(Record { cut: true, .. }));
        self.at = end;
        Some(entry)
    }
}

/// The first message of a DNS stream over TCP, which has a length of two octets before each
/// (RFC 1035 §4.2.2), and what follows it. `None`: more is needed.
#[must_use]
pub fn first_of_stream(stream: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut cursor = Cursor::new(stream);
    let message = cursor.vector16()?;
    Some((message, cursor.rest()))
}

/// Fuzz body: decodes and prints everything; nothing may panic or run away.
pub fn fuzz_dns(data: &[u8]) {
    let Some(message) = Message::parse(data) else { return };
    let mut entries = message.entries();
    let mut count = 0;
    for entry in entries.by_ref() {
        count += 1;
        match entry {
            Entry::Question(question) => {
                let _ = question.name.to_string();
                assert!(question.name.octets().len() <= 255);
            }
            Entry::Record(record) => {
                let _ = (record.name.to_string(), record.record_type.to_string());
                let _ = format!("{:?}", record.data());
                if let Data::Txt(text) = record.data() {
                    assert!(text.count() <= data.len());
                }
            }
        }
    }
    assert!(count * 5 <= data.len());
    let _ = (entries.is_short(), first_of_stream(data));
}

fn question(octets: &[u8], at: usize) -> Option<(Question<'_>, usize)> {
    let (name, end) = Name::parse(octets, at)?;
    let mut cursor = Cursor::new(octets.get(end..)?);
    let record_type = RecordType(cursor.u16()?);
    let class = cursor.u16()?;
    Some((Question { name, record_type, class }, end + cursor.position()))
}

const HEADER_LEN: usize = 12;

#[cfg(test)]
pub(crate) mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// A response: `mail.example.org` A 192.0.2.9, `example.org` MX 10 mail.example.org.
    pub(crate) const RESPONSE: &[u8] = b"\x12\x34\x81\x80\x00\x01\x00\x02\x00\x00\x00\x00\
        \x04mail\x07example\x03org\x00\x00\x01\x00\x01\
        \xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x09\
        \xc0\x11\x00\x0f\x00\x01\x00\x00\x00\x3c\x00\x04\x00\x0a\xc0\x0c";

    #[test]
    fn a_response_is_read_to_its_end() {
        let message = Message::parse(RESPONSE).unwrap();
        assert_eq!((message.id, message.flags.is_response()), (0x1234, true));
        assert_eq!((message.flags.opcode(), message.flags.response_code()), (0, 0));
        let question = message.questions().next().unwrap();
        assert_eq!(question.name.to_string(), "mail.example.org");
        assert_eq!(question.record_type, RecordType::A);
        let records: Vec<_> = message.records().collect();
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].ttl, 60);
        assert!(matches!(records[0].data(), Data::A(ip) if ip == Ipv4Addr::new(192, 0, 2, 9)));
        let Data::Mx { preference, exchange } = records[1].data() else { panic!("{records:?}") };
        assert_eq!((preference, exchange.to_string().as_str()), (10, "mail.example.org"));
        assert_eq!(records[1].name.to_string(), "example.org");
    }

    #[test]
    fn a_message_cut_anywhere_gives_what_stands_before_the_cut() {
        for end in 0..RESPONSE.len() {
            let message = Message::parse(&RESPONSE[..end]);
            assert_eq!(message.is_some(), end >= 4);
            let Some(message) = message else { continue };
            let mut entries = message.entries();
            let count = entries.by_ref().count();
            assert!(entries.is_short(), "{end}");
            assert!(count <= 3);
        }
        let trailed = [RESPONSE, b"more"].concat();
        let mut entries = Message::parse(&trailed).unwrap().entries();
        assert_eq!((entries.by_ref().count(), entries.is_short()), (3, false));
    }

    #[test]
    fn a_stream_holds_messages_with_their_length_before_them() {
        let stream = [b"\x00\x03abc", &b"\x00\x01d"[..]].concat();
        let (first, rest) = first_of_stream(&stream).unwrap();
        assert_eq!((first, rest), (&b"abc"[..], &b"\x00\x01d"[..]));
        for end in 0..5 {
            assert_eq!(first_of_stream(&stream[..end]), None);
        }
    }

    #[test]
    fn exercise_fuzz_dns() {
        let mut state = 0x1234_5678_u32;
        for round in 0..4000 {
            let mut mutated = RESPONSE[..RESPONSE.len() - round % 7].to_vec();
            for _ in 0..round % 5 {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                let at = state as usize % mutated.len();
                mutated[at] = (state >> 16) as u8;
            }
            fuzz_dns(&mutated);
        }
        for end in 0..RESPONSE.len() {
            fuzz_dns(&RESPONSE[..end]);
        }
        fuzz_dns(&[0xc0, 0x0c].repeat(400));
        fuzz_dns(&[0xff; 4000]);
    }
}
