//! Resource records (RFC 1035 §3.2 and §4.1.3) and what their data say.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Name, Section};
use crate::bytes::Cursor;

/// One resource record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    message: &'a [u8],
    data_at: usize,
    /// In which section it stands.
    pub section: Section,
    /// Whose record.
    pub name: Name<'a>,
    /// What its data are.
    pub record_type: RecordType,
    /// 1 is the Internet; in mDNS the top bit flushes caches (RFC 6762 §10.2); in OPT a size (RFC 6891).
    pub class: u16,
    /// Seconds that it may be kept; in OPT flags (RFC 6891 §6.1.3).
    pub ttl: u32,
    /// The data as they stand, as many as are there.
    pub octets: &'a [u8],
    /// The data are shorter than stated: the message ends before them.
    pub cut: bool,
}

/// The type of a resource record (IANA: DNS Parameters).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordType(pub u16);

/// What the data of a record say.
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address (RFC 3596).
    Aaaa(Ipv6Addr),
    /// Another name: NS, CNAME, PTR, DNAME.
    Name(Name<'a>),
    /// A host that takes mail for the name.
    Mx {
        /// Lower ones are tried first.
        preference: u16,
        /// The host.
        exchange: Name<'a>,
    },
    /// Character strings: TXT, SPF.
    Txt(Text<'a>),
    /// Where a service is (RFC 2782).
    Srv {
        /// Lower ones are tried first.
        priority: u16,
        /// The share among those of one priority.
        weight: u16,
        /// The service's port.
        port: u16,
        /// The host.
        target: Name<'a>,
    },
    /// The start of a zone.
    Soa {
        /// The primary server.
        primary: Name<'a>,
        /// The mailbox of who is in charge, its first dot standing for the at sign.
        mailbox: Name<'a>,
        /// Serial, refresh, retry, expire, minimum.
        numbers: [u32; 5],
    },
    /// What certificate a TLS server has to show (RFC 6698; for SMTP RFC 7672).
    Tlsa {
        /// 2 and 3: an authority or the server's own, without public authorities.
        usage: u8,
        /// 0 the whole certificate, 1 its public key.
        selector: u8,
        /// 0 as it is, 1 its SHA-256, 2 its SHA-512.
        matching: u8,
        /// The octets to compare with.
        association: &'a [u8],
    },
    /// The kind of host (RFC 1035 §3.3.2).
    Hinfo {
        /// The processor.
        cpu: &'a [u8],
        /// The operating system.
        os: &'a [u8],
    },
    /// How to rewrite a name (RFC 3403).
    Naptr {
        /// Lower ones first.
        order: u16,
        /// Lower ones first among equals.
        preference: u16,
        /// What the result is.
        flags: &'a [u8],
    },
    /// The next name of the zone (RFC 4034 §4).
    Nsec(Name<'a>),
    /// Anything else, undecoded.
    Other(&'a [u8]),
    /// Too few octets for the type, or a name in them that cannot be read.
    Broken,
}

/// Character strings, each with its length before it (RFC 1035 §3.3); stops before one that is cut.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Record<'a> {
    /// Decodes the data. A name in them may point anywhere in the message before.
    #[must_use]
    pub fn data(&self) -> Data<'a> {
        self.decode().unwrap_or(Data::Broken)
    }

    fn decode(&self) -> Option<Data<'a>> {
        let mut cursor = Cursor::new(self.octets);
        Some(match self.record_type {
            RecordType::A => Data::A(Ipv4Addr::from(cursor.u32()?)),
            RecordType::AAAA => {
                let octets: [u8; 16] = cursor.take(16)?.try_into().ok()?;
                Data::Aaaa(Ipv6Addr::from(octets))
            }
            RecordType::NS | RecordType::CNAME | RecordType::PTR | RecordType::DNAME => Data::Name(self.name_at(0)?.0),
            RecordType::MX | RecordType::KX => Data::Mx { preference: cursor.u16()?, exchange: self.name_at(2)?.0 },
            RecordType::TXT | RecordType::SPF => Data::Txt(Text(self.octets)),
            RecordType::SRV => Data::Srv {
                priority: cursor.u16()?,
                weight: cursor.u16()?,
                port: cursor.u16()?,
                target: self.name_at(6)?.0,
            },
            RecordType::SOA => {
                let (primary, at) = self.name_at(0)?;
                let (mailbox, at) = self.name_at(at)?;
                let mut numbers = Cursor::new(self.octets.get(at..)?);
                let mut next = || numbers.u32();
                Data::Soa { primary, mailbox, numbers: [next()?, next()?, next()?, next()?, next()?] }
            }
            RecordType::TLSA => Data::Tlsa {
                usage: cursor.u8()?,
                selector: cursor.u8()?,
                matching: cursor.u8()?,
                association: cursor.rest(),
            },
            RecordType::HINFO => Data::Hinfo { cpu: cursor.vector8()?, os: cursor.vector8()? },
            RecordType::NAPTR => {
                Data::Naptr { order: cursor.u16()?, preference: cursor.u16()?, flags: cursor.vector8()? }
            }
            RecordType::NSEC | RecordType::NXT => Data::Nsec(self.name_at(0)?.0),
            _ => Data::Other(self.octets),
        })
    }

    /// The name that stands `from` octets into the data, and where it ends there.
    fn name_at(&self, from: usize) -> Option<(Name<'a>, usize)> {
        let (name, end) = Name::parse(self.message, self.data_at + from)?;
        Some((name, end - self.data_at))
    }
}

/// Reads the record at `at`: as much as is there, once its fixed part is. Returns where the next begins.
pub(super) fn parse(message: &[u8], at: usize, section: Section) -> Option<(Record<'_>, usize)> {
    let (name, end) = Name::parse(message, at)?;
    let mut cursor = Cursor::new(message.get(end..)?);
    let record_type = RecordType(cursor.u16()?);
    let class = cursor.u16()?;
    let ttl = cursor.u32()?;
    let length = usize::from(cursor.u16()?);
    let data_at = end + cursor.position();
    let there = length.min(cursor.rest().len());
    let octets = cursor.take(there)?;
    let cut = there < length;
    let record = Record { message, data_at, section, name, record_type, class, ttl, octets, cut };
    Some((record, data_at + there))
}

impl<'a> Iterator for Text<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let mut cursor = Cursor::new(self.0);
        let string = cursor.vector8()?;
        self.0 = cursor.rest();
        Some(string)
    }
}

impl RecordType {
    /// An IPv4 address.
    pub const A: RecordType = RecordType(1);
    /// A server of the zone.
    pub const NS: RecordType = RecordType(2);
    /// The name is another's alias.
    pub const CNAME: RecordType = RecordType(5);
    /// The start of a zone.
    pub const SOA: RecordType = RecordType(6);
    /// The name of an address.
    pub const PTR: RecordType = RecordType(12);
    /// The kind of host.
    pub const HINFO: RecordType = RecordType(13);
    /// Who takes mail for the name.
    pub const MX: RecordType = RecordType(15);
    /// Text.
    pub const TXT: RecordType = RecordType(16);
    /// An IPv6 address (RFC 3596).
    pub const AAAA: RecordType = RecordType(28);
    /// The next name, before NSEC took its place (RFC 2535).
    pub const NXT: RecordType = RecordType(30);
    /// Where a service is (RFC 2782).
    pub const SRV: RecordType = RecordType(33);
    /// How to rewrite a name (RFC 3403).
    pub const NAPTR: RecordType = RecordType(35);
    /// Who exchanges keys for the name (RFC 2230).
    pub const KX: RecordType = RecordType(36);
    /// The whole subtree is another's alias (RFC 6672).
    pub const DNAME: RecordType = RecordType(39);
    /// Extended DNS (RFC 6891).
    pub const OPT: RecordType = RecordType(41);
    /// The next name (RFC 4034).
    pub const NSEC: RecordType = RecordType(47);
    /// What certificate a TLS server has to show (RFC 6698).
    pub const TLSA: RecordType = RecordType(52);
    /// The sender policy, before it moved to TXT (RFC 7208 §3.1).
    pub const SPF: RecordType = RecordType(99);
    /// All of them, in a question.
    pub const ANY: RecordType = RecordType(255);

    /// The mnemonic, for the assigned ones.
    #[must_use]
    pub fn mnemonic(self) -> Option<&'static str> {
        let below = |names: &[&'static str], from: u16| names.get(usize::from(self.0 - from)).copied();
        match self.0 {
            0..=65 => below(&FIRST, 0).filter(|name| !name.is_empty()),
            99..=109 => below(&FROM_99, 99),
            249..=257 => below(&FROM_249, 249),
            32768 => Some("TA"),
            32769 => Some("DLV"),
            65281 => Some("WINS"),
            65282 => Some("WINS-R"),
            65422 => Some("XPF"),
            _ => None,
        }
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mnemonic() {
            Some(mnemonic) => f.write_str(mnemonic),
            None => write!(f, "Unknown ({})", self.0),
        }
    }
}

#[rustfmt::skip]
const FIRST: [&str; 66] = [
    "Unused", "A", "NS", "MD", "MF", "CNAME", "SOA", "MB", "MG", "MR", "NULL", "WKS", "PTR", "HINFO", "MINFO", "MX",
    "TXT", "RP", "AFSDB", "X25", "ISDN", "RT", "NSAP", "NSAP-PTR", "SIG", "KEY", "PX", "GPOS", "AAAA", "LOC", "NXT",
    "EID", "NIMLOC", "SRV", "ATMA", "NAPTR", "KX", "CERT", "A6", "DNAME", "SINK", "OPT", "APL", "DS", "SSHFP",
    "IPSECKEY", "RRSIG", "NSEC", "DNSKEY", "DHCID", "NSEC3", "NSEC3PARAM", "TLSA", "", "", "HIP", "", "RKEY",
    "TALINK", "CDS", "CDNSKEY", "OPENPGPKEY", "CSYNC", "ZONEMD", "SVCB", "HTTPS",
];
#[rustfmt::skip]
const FROM_99: [&str; 11] =
    ["SPF", "UINFO", "UID", "GID", "UNSPEC", "NID", "L32", "L64", "LP", "EUI48", "EUI64"];
#[rustfmt::skip]
const FROM_249: [&str; 9] = ["TKEY", "TSIG", "IXFR", "AXFR", "MAILA", "MAILB", "ANY", "URI", "CAA"];

#[cfg(test)]
mod tests {
    use super::super::Message;
    use super::*;

    fn data_of(record_type: u16, octets: &[u8], check: impl Fn(Data<'_>)) {
        let mut message = b"\x00\x01\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01a\x00".to_vec();
        message.extend(record_type.to_be_bytes());
        message.extend([0, 1, 0, 0, 0, 60]);
        message.extend((octets.len() as u16).to_be_bytes());
        message.extend(octets);
        let record = Message::parse(&message).unwrap().records().next().unwrap();
        check(record.data());
    }

    #[test]
    fn data_are_typed() {
        data_of(52, b"\x03\x01\x01abc", |data| {
            assert!(matches!(data, Data::Tlsa { usage: 3, selector: 1, matching: 1, association: b"abc" }));
        });
        data_of(33, b"\x00\x01\x00\x02\x01\xbb\x01s\xc0\x0c", |data| {
            let Data::Srv { priority: 1, weight: 2, port: 443, target } = data else { panic!("{data:?}") };
            assert_eq!(target.to_string(), "s.a");
        });
        data_of(16, b"\x02hi\x00\x03yes", |data| {
            let Data::Txt(text) = data else { panic!("{data:?}") };
            assert_eq!(text.collect::<Vec<_>>(), [&b"hi"[..], b"", b"yes"]);
        });
        data_of(6, b"\x01n\x00\x01m\x00\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05", |data| {
            let Data::Soa { numbers, .. } = data else { panic!("{data:?}") };
            assert_eq!(numbers, [1, 2, 3, 4, 5]);
        });
    }

    #[test]
    fn data_that_are_too_short_are_broken() {
        for (record_type, octets) in [(1, &b"abc"[..]), (28, b"abc"), (15, b"a"), (5, b"\xc0"), (52, b"\x03\x01")] {
            data_of(record_type, octets, |data| assert!(matches!(data, Data::Broken), "{record_type}"));
        }
    }

    #[test]
    fn types_have_their_mnemonics() {
        assert_eq!(RecordType(65).to_string(), "HTTPS");
        assert_eq!(RecordType(53).to_string(), "Unknown (53)");
        assert_eq!(RecordType(257).to_string(), "CAA");
        assert_eq!(RecordType(1000).to_string(), "Unknown (1000)");
    }
}
