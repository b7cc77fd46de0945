//! Rows of the packet list, in the words of `tshark -n`.

pub mod side;
mod smtp;
pub mod tcp;
mod tls;

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::bytes::escaped;
use crate::session::{At, Seen, SegmentSeen, Speaks};
use crate::ssh::Sender;
use crate::stream::Direction;
use crate::time::{Interval, Timestamp};
use crate::wire::{Frame, Transport};
use crate::{smtp as mail, tls as sealed};

/// A row of the packet list.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The packet's number.
    pub number: u64,
    /// Since the first packet.
    pub time: Interval,
    /// When it was captured.
    pub epoch: Timestamp,
    /// Decimals of its times: 9 in captures of nanoseconds, else 6.
    pub decimals: usize,
    /// Where it came from.
    pub source: String,
    /// Where it went.
    pub destination: String,
    /// The protocol, as Wireshark's column says.
    pub protocol: &'static str,
    /// Octets on the wire.
    pub length: u32,
    /// What it says.
    pub info: String,
    /// The session it belongs to.
    pub session: Option<u64>,
    /// What an observer makes of it.
    pub note: Option<String>,
}

/// Gathers what a packet made happen, and makes its row.
#[derive(Debug, Default)]
pub struct Builder {
    reveal: bool,
    packet: u64,
    smtp: smtp::Line,
    tls: tls::Line,
    dialogues: HashMap<u64, smtp::Progress>,
    ssh: HashMap<u64, crate::ssh::Connection>,
    mailboxes: HashMap<u64, Mailbox>,
    ssh_line: Option<(&'static str, String)>,
    side: side::Memory,
}

impl Builder {
    /// Secrets are masked unless `reveal`.
    #[must_use]
    pub fn new(reveal: bool) -> Builder {
        Builder { reveal, ..Builder::default() }
    }

    /// Part of a mail dialogue.
    pub fn smtp(&mut self, at: &At<'_>, event: &mail::Event<'_>) {
        self.begin(at.now);
        self.smtp.event(at, event, self.dialogues.entry(at.session).or_default(), self.reveal);
    }

    /// Part of a TLS conversation.
    pub fn tls(&mut self, at: &At<'_>, event: &sealed::Event<'_>) {
        self.begin(at.now);
        self.tls.event(event);
    }

    /// Octets of an SSH connection.
    pub fn ssh(&mut self, at: &At<'_>, direction: Direction, bytes: &[u8]) {
        self.begin(at.now);
        let sender = if direction == at.client { Sender::Client } else { Sender::Server };
        let mut info = String::new();
        let protocol = side::ssh(self.ssh.entry(at.session).or_default(), sender, bytes, &mut info);
        self.ssh_line = protocol.map(|protocol| (protocol, info));
    }

    /// The session is over: nothing of it is held any more.
    pub fn ended(&mut self, session: u64) {
        self.dialogues.remove(&session);
        self.ssh.remove(&session);
        self.mailboxes.remove(&session);
    }

    /// The packet's row.
    pub fn row(&mut self, seen: &Seen<'_>, decimals: usize) -> Row {
        self.begin(seen.packet.number);
        let (source, destination) = addresses(seen.frame);
        let mut row = Row {
            number: seen.packet.number,
            time: seen.packet.timestamp.since(seen.first_time),
            epoch: seen.packet.timestamp,
            decimals,
            source,
            destination,
            protocol: "",
            length: seen.packet.original_len,
            info: String::with_capacity(INFO_ROOM),
            session: seen.segment.as_ref().map(|segment| segment.session),
            note: None,
        };
        match (&seen.frame.transport, &seen.segment) {
            (Transport::Tcp(tcp), Some(segment)) => self.tcp_row(&mut row, tcp, segment),
            _ => self.side_row(&mut row, seen),
        }
        row
    }

    fn begin(&mut self, packet: u64) {
        if self.packet != packet {
            self.packet = packet;
            self.smtp.clear();
            self.tls.clear();
            self.ssh_line = None;
        }
    }

    fn side_row(&mut self, row: &mut Row, seen: &Seen<'_>) {
        let frame = seen.frame;
        let cut = seen.packet.data.len() < seen.packet.original_len as usize;
        let around = frame.ip.as_ref().map(|ip| side::Around {
            number: seen.packet.number,
            source: ip.source,
            destination: ip.destination,
            time_to_live: ip.ttl,
            cut,
        });
        let v6 = frame.ip.as_ref().is_some_and(|ip| ip.source.is_ipv6());
        let info = &mut row.info;
        row.protocol = match (&frame.transport, &around, &frame.ip) {
            (Transport::Arp(message), ..) => self.side.arp(message, cut, info),
            (Transport::Icmpv4(message), Some(around), _) => self.side.icmp_v4(around, message, info),
            (Transport::Icmpv6(message), Some(around), _) => self.side.icmp_v6(around, message, info),
            (Transport::Udp(udp), ..) => {
                let header = side::UdpHeader {
                    source_port: udp.source_port,
                    destination_port: udp.destination_port,
                    length: udp.length,
                    checksum: udp.checksum,
                    room: None,
                    v6,
                };
                side::udp(&header, udp.payload, cut, info)
            }
            (Transport::Fragment { protocol, offset, more, .. }, _, Some(ip)) => {
                if v6 {
                    side::fragment_v6(*protocol, *offset, *more, ip.identification, info)
                } else {
                    side::fragment_v4(*protocol, *offset, ip.identification, info)
                }
            }
            (Transport::OtherIp { protocol, .. }, ..) if frame.stop.is_none() => {
                if v6 {
                    side::other_v6(*protocol, info)
                } else {
                    side::other_v4(*protocol, info)
                }
            }
            _ => return unknown(row, frame),
        };
    }

    /// IMAP and POP, by the ports that they are registered for.
    fn mailbox_row(&mut self, tcp: &crate::wire::Tcp<'_>, segment: &SegmentSeen, info: &mut String) -> side::Row {
        let port = |port| tcp.source_port == port || tcp.destination_port == port;
        let from_server = matches!(tcp.source_port, IMAP_PORT | POP3_PORT);
        let side = if from_server { side::Side::Server } else { side::Side::Client };
        let mailbox = match (port(IMAP_PORT), port(POP3_PORT)) {
            (true, _) => Mailbox::Imap(side::Imap::new()),
            (_, true) => Mailbox::Pop(side::Pop::new()),
            _ => return side::Row::Tcp,
        };
        match self.mailboxes.entry(segment.session).or_insert(mailbox) {
            Mailbox::Imap(imap) => imap.row(side, tcp.payload, self.reveal, info),
            Mailbox::Pop(pop) => pop.row(side, tcp.payload, self.reveal, info),
        }
    }

    fn tcp_row(&mut self, row: &mut Row, tcp: &crate::wire::Tcp<'_>, segment: &SegmentSeen) {
        let fresh = segment.fresh.is_some();
        let mut notes = String::new();
        tcp::notes(&mut notes, &segment.analysis);
        if segment.speaks == Speaks::Smtp && !tcp.payload.is_empty() {
            let from_client = segment.client == Some(segment.direction);
            let progress = self.dialogues.entry(segment.session).or_default();
            let found = match (fresh, segment.ahead) {
                (true, _) => self.smtp.row(from_client, tcp.payload, progress),
                (false, true) => progress.ahead(from_client, tcp.payload).map(|info| ("SMTP", info, None)),
                (false, false) => None,
            };
            if let Some((protocol, info, note)) = found {
                row.protocol = protocol;
                row.info = notes + &info;
                row.note = note;
                return;
            }
        }
        if fresh && let Some((protocol, info, note)) = self.tls.row(segment.tls_version) {
            row.protocol = protocol;
            row.info = if notes.is_empty() { info } else { format!("{notes}, {info}") };
            row.note = note;
            return;
        }
        if fresh && let Some((protocol, info)) = self.ssh_line.take() {
            row.protocol = protocol;
            row.info = notes + &info;
            return;
        }
        row.protocol = "TCP";
        if fresh && matches!(segment.speaks, Speaks::Other | Speaks::Undecided) {
            match self.mailbox_row(tcp, segment, &mut row.info) {
                side::Row::Written(protocol) => {
                    row.protocol = protocol;
                    row.info.insert_str(0, &notes);
                    return;
                }
                side::Row::Bare(protocol) => row.protocol = protocol,
                side::Row::Tcp => {}
            }
        }
        tcp::info(&mut row.info, tcp, &segment.analysis);
        let continues = match segment.speaks {
            Speaks::Smtp | Speaks::Tls => fresh && segment.pending,
            _ => false,
        };
        if continues {
            row.info.push_str(" [TCP segment of a reassembled PDU]");
        }
    }
}

/// A connection that fetches mail, as far as its rows need it.
#[derive(Debug)]
enum Mailbox {
    Imap(side::Imap),
    Pop(side::Pop),
}

fn addresses(frame: &Frame<'_>) -> (String, String) {
    match (&frame.ip, &frame.ethernet) {
        (Some(ip), _) => (ip.source.to_string(), ip.destination.to_string()),
        (None, Some(mac)) => (mac_text(mac.source), mac.destination.map(mac_text).unwrap_or_default()),
        (None, None) => (String::new(), String::new()),
    }
}

fn mac_text(mac: [u8; 6]) -> String {
    let mut text = String::with_capacity(17);
    for (i, octet) in mac.iter().enumerate() {
        let colon = if i == 0 { "" } else { ":" };
        let _ = write!(text, "{colon}{octet:02x}");
    }
    text
}

/// A packet that nothing here decodes: what its headers say, or why they say nothing.
fn unknown(row: &mut Row, frame: &Frame<'_>) {
    let innermost = frame.layers.iter().last();
    row.protocol = match (&frame.transport, frame.ip.is_some()) {
        (Transport::Tcp(_), _) => "TCP",
        (Transport::Udp(_), _) => "UDP",
        (_, true) => "IP",
        (Transport::OtherLink { .. }, _) => "Ethernet",
        _ => "unknown",
    };
    row.info = match (&frame.stop, &frame.transport) {
        (Some(stop), _) => stop.to_string(),
        (None, Transport::OtherIp { protocol, .. }) => format!("IP protocol {protocol}"),
        (None, Transport::OtherLink { ether_type, .. }) => format!("Ethernet type 0x{ether_type:04x}"),
        (None, _) => match innermost {
            Some(layer) => format!("nothing decoded after {}", layer.kind),
            None => format!("{} octets that are not decoded", frame.bytes.len()),
        },
    };
}

/// Captured octets in an Info column: what would break the line or the terminal is escaped.
fn shown(bytes: &[u8]) -> String {
    escaped(bytes).to_string()
}

const IMAP_PORT: u16 = 143;
const POP3_PORT: u16 = 110;

/// Octets that most Info columns fit into.
const INFO_ROOM: usize = 120;
