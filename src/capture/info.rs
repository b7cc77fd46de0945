//! What is known about a capture besides its packets.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;

use crate::bytes::escaped;
use crate::limits;
use crate::wire::LinkType;

/// What is known about a capture besides its packets. Grows while it is read.
#[derive(Clone, Debug, Default)]
pub struct Info {
    /// The files in the order in which they were named, `-` for standard input; or the interface.
    pub files: Vec<String>,
    /// The link types of its interfaces, in order of appearance.
    pub link_types: Vec<LinkType>,
    /// Whether any of its clocks is finer than a microsecond.
    pub nanoseconds: bool,
    /// Its interfaces; [`Packet::interface`](super::Packet::interface) counts in them. Holds no
    /// more than [`limits::CAPTURE_INTERFACES`].
    pub interfaces: Vec<Interface>,
    /// What is wrong with it, in order.
    pub faults: Vec<Fault>,
    /// Faults beyond [`limits::CAPTURE_FAULTS`], only counted.
    pub more_faults: u64,
    /// Comments on the capture, its interfaces and packets.
    pub comments: Vec<Comment>,
    /// Names that it gives to addresses.
    pub names: Vec<NameRecord>,
    /// Keys that it carries.
    pub secrets: Vec<Secrets>,
    /// Octets read so far, as they stand in the file (compressed ones where it is compressed).
    pub octets_read: u64,
    /// The size of all files together; unknown for standard input and interfaces.
    pub octets_total: Option<u64>,
    /// What the recorder says that it did not record.
    pub drops: Option<Drops>,
    /// Limits that were reached; what is beyond them was left out.
    pub limits: Vec<Limit>,
    known: HashMap<Interface, u32>,
    comment_octets: usize,
    secret_octets: usize,
}

impl Info {
    pub(super) fn new(files: Vec<String>, octets_total: Option<u64>) -> Info {
        Info { files, octets_total, ..Info::default() }
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        if self.faults.len() < limits::CAPTURE_FAULTS {
            self.faults.push(fault);
        } else {
            self.more_faults += 1;
        }
    }

    /// The place of `interface` among the known ones; the same for equal ones.
    pub(super) fn interface(&mut self, interface: Interface) -> u32 {
        if let Some(&known) = self.known.get(&interface) {
            return known;
        }
        if self.interfaces.len() == limits::CAPTURE_INTERFACES {
            self.reach(Limit::Interfaces);
            return u32::MAX;
        }
        self.nanoseconds |= interface.nanoseconds;
        if !self.link_types.contains(&interface.link_type) {
            self.link_types.push(interface.link_type);
        }
        let place = self.interfaces.len() as u32;
        self.known.insert(interface.clone(), place);
        self.interfaces.push(interface);
        place
    }

    pub(super) fn comment(&mut self, packet: Option<u64>, text: &[u8]) {
        let octets = self.comment_octets.saturating_add(text.len());
        if self.comments.len() == limits::CAPTURE_COMMENTS || octets > limits::CAPTURE_COMMENT_OCTETS {
            return self.reach(Limit::Comments);
        }
        self.comment_octets = octets;
        self.comments.push(Comment { packet, text: text.to_vec() });
    }

    pub(super) fn name(&mut self, address: IpAddr, name: &[u8]) {
        if self.names.len() == limits::CAPTURE_NAMES {
            return self.reach(Limit::Names);
        }
        // A host name has 255 octets at most (RFC 1035 §2.3.4); what is longer is none.
        self.names.push(NameRecord { address, name: name[..name.len().min(255)].to_vec() });
    }

    pub(super) fn secret(&mut self, kind: SecretsKind, data: &[u8]) {
        let octets = self.secret_octets.saturating_add(data.len());
        if octets > limits::CAPTURE_SECRET_OCTETS {
            return self.reach(Limit::Secrets);
        }
        self.secret_octets = octets;
        self.secrets.push(Secrets { kind, data: data.to_vec() });
    }

    pub(super) fn reach(&mut self, limit: Limit) {
        if !self.limits.contains(&limit) {
            self.limits.push(limit);
        }
    }
}

/// An interface on which packets were captured; a classic pcap file is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Interface {
    /// The place of its file in [`Info::files`].
    pub file: usize,
    /// Its number in its section of the file.
    pub number: u32,
    /// Its name, where the capture states one.
    pub name: Option<Vec<u8>>,
    /// The first header of its packets.
    pub link_type: LinkType,
    /// The most octets of a packet that were to be captured; 0 where there is no such limit.
    pub snaplen: u32,
    /// Whether its clock is finer than a microsecond.
    pub nanoseconds: bool,
}

/// A comment that somebody or some program put into the capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The packet it is about; none where it is about the whole or an interface.
    pub packet: Option<u64>,
    /// The comment, UTF-8 by the specification.
    pub text: Vec<u8>,
}

/// A name of an address, as the recorder resolved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameRecord {
    /// The address.
    pub address: IpAddr,
    /// Its name, UTF-8 by the specification.
    pub name: Vec<u8>,
}

/// Keys in a capture (Decryption Secrets Block).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// Their format.
    pub kind: SecretsKind,
    /// The keys in this format.
    pub data: Vec<u8>,
}

/// The format of decryption secrets (draft-ietf-opsawg-pcapng, Decryption Secrets Block).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretsKind(pub u32);

impl SecretsKind {
    /// An NSS key log, as `SSLKEYLOGFILE` receives it.
    pub const TLS_KEY_LOG: SecretsKind = SecretsKind(0x544c_534b);
    /// An SSH key log.
    pub const SSH_KEY_LOG: SecretsKind = SecretsKind(0x5353_484b);
    /// A WireGuard key log.
    pub const WIREGUARD_KEY_LOG: SecretsKind = SecretsKind(0x5747_4b4c);
}

/// Packets that passed without being recorded, as the recorder counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    /// Packets that came to the recorder.
    pub received: Option<u64>,
    /// Packets that it lost for want of buffers.
    pub by_system: Option<u64>,
    /// Packets that the interface or its driver lost.
    pub by_interface: Option<u64>,
}

impl Drops {
    /// All that was lost.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_system.unwrap_or(0).saturating_add(self.by_interface.unwrap_or(0))
    }

    /// The sums of both.
    #[must_use]
    pub fn plus(self, other: Drops) -> Drops {
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (a, b) => a.or(b),
        };
        Drops {
            received: sum(self.received, other.received),
            by_system: sum(self.by_system, other.by_system),
            by_interface: sum(self.by_interface, other.by_interface),
        }
    }
}

/// Damage in a capture: what is wrong and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub file: String,
    /// Where the damaged record begins, in octets from the start of the capture (after unpacking).
    pub offset: u64,
    /// The number of the last packet before it; 0 where there is none.
    pub packet: u64,
    /// What is wrong.
    pub what: FaultKind,
    /// Octets from `offset` on that could not be read as packets; unknown where the size is.
    pub lost: Option<u64>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = if self.file == "-" { "standard input" } else { &self.file };
        write!(
            f,
            "{}: {}, at octet {}, after packet {}",
            escaped(file.as_bytes()),
            self.what,
            self.offset,
            self.packet
        )?;
        match self.lost {
            Some(octets) => write!(f, "; {octets} octets not read"),
            None => Ok(()),
        }
    }
}

/// What is wrong with a capture. Lengths are octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The file ends in its first header.
    CutFileHeader {
        /// What is there.
        present: usize,
        /// What the header takes.
        needed: usize,
    },
    /// The file ends in the header of a record.
    CutRecordHeader {
        /// What is there.
        present: usize,
        /// What the header takes.
        needed: usize,
    },
    /// The file ends in a packet.
    CutPacket {
        /// What is there of it.
        present: usize,
        /// What its record says was captured.
        stated: usize,
    },
    /// The file ends in a pcapng block.
    CutBlock {
        /// The type of the block.
        block_type: u32,
        /// What is there of it.
        present: usize,
        /// Its length as stated.
        stated: usize,
    },
    /// A record states a length that no packet has.
    PacketTooLong {
        /// The stated length.
        stated: u32,
    },
    /// A pcapng block states a length that no block has.
    BlockLength {
        /// The type of the block.
        block_type: u32,
        /// The stated length.
        stated: u32,
    },
    /// The two lengths of a pcapng block differ.
    BlockLengthsDiffer {
        /// The type of the block.
        block_type: u32,
        /// The length before its contents.
        before: u32,
        /// The length after its contents.
        after: u32,
    },
    /// What a pcapng block should hold does not fit into it. The block is skipped.
    BlockContents {
        /// The type of the block.
        block_type: u32,
    },
    /// A packet is of an interface that was not declared; it is skipped.
    UnknownInterface {
        /// The number of the interface.
        interface: u32,
    },
    /// A section with more interfaces than [`limits::PCAPNG_INTERFACES`].
    TooManyInterfaces,
    /// A section header that is none, or of an unknown version.
    Section,
    /// The compressed stream ends early.
    CutCompressed(Compression),
    /// The compressed stream is damaged.
    BrokenCompressed(Compression, String),
    /// The system could not read on.
    Unreadable(String),
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FaultKind::CutFileHeader { present, needed } => {
                write!(f, "cut short: the header of the file takes {needed} octets, {present} are there")
            }
            FaultKind::CutRecordHeader { present, needed } => {
                write!(f, "cut short: the next record takes at least {needed} octets, {present} are there")
            }
            FaultKind::CutPacket { present, stated } => {
                write!(f, "cut short: the last packet says {stated} octets, {present} are there")
            }
            FaultKind::CutBlock { block_type, present, stated } => {
                write!(f, "cut short: the last block ({block_type:#x}) says {stated} octets, {present} are there")
            }
            FaultKind::PacketTooLong { stated } => write!(
                f,
                "broken: a packet says {stated} octets, more than the {} that a packet has at most",
                limits::CAPTURED_PACKET_OCTETS
            ),
            FaultKind::BlockLength { block_type, stated } => {
                write!(f, "broken: a block ({block_type:#x}) says {stated} octets, which no block has")
            }
            FaultKind::BlockLengthsDiffer { block_type, before, after } => write!(
                f,
                "broken: a block ({block_type:#x}) says {before} octets at its beginning and {after} at its end"
            ),
            FaultKind::BlockContents { block_type } => {
                write!(f, "broken: the contents of a block ({block_type:#x}) do not fit into it")
            }
            FaultKind::UnknownInterface { interface } => {
                write!(f, "broken: a packet is of interface {interface}, which was not declared")
            }
            FaultKind::TooManyInterfaces => {
                write!(f, "broken: a section declares more than {} interfaces", limits::PCAPNG_INTERFACES)
            }
            FaultKind::Section => f.write_str("broken: a section header that is none"),
            FaultKind::CutCompressed(compression) => write!(f, "cut short: the {compression} stream ends early"),
            FaultKind::BrokenCompressed(compression, reason) => {
                write!(f, "broken: the {compression} stream cannot be unpacked: {}", escaped(reason.as_bytes()))
            }
            FaultKind::Unreadable(reason) => write!(f, "cannot be read on: {}", escaped(reason.as_bytes())),
        }
    }
}

/// How a capture is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// The LZ4 frame format.
    Lz4,
}

impl Compression {
    /// The name of the format, as that of its program.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Lz4 => "lz4",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A limit that was reached; what is beyond it was left out. No packet is ever left out so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// [`limits::CAPTURE_INTERFACES`].
    Interfaces,
    /// [`limits::CAPTURE_COMMENTS`] or [`limits::CAPTURE_COMMENT_OCTETS`].
    Comments,
    /// [`limits::CAPTURE_NAMES`].
    Names,
    /// [`limits::CAPTURE_SECRET_OCTETS`].
    Secrets,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Interfaces => {
                write!(f, "more than {} interfaces; the names of the others are not kept", limits::CAPTURE_INTERFACES)
            }
            Limit::Comments => write!(
                f,
                "more than {} comments or {} octets of them; the others are not kept",
                limits::CAPTURE_COMMENTS,
                limits::CAPTURE_COMMENT_OCTETS
            ),
            Limit::Names => write!(f, "more than {} names; the others are not kept", limits::CAPTURE_NAMES),
            Limit::Secrets => {
                write!(f, "more than {} octets of keys; the others are not kept", limits::CAPTURE_SECRET_OCTETS)
            }
        }
    }
}
