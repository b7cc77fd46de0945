//! Events as Suricata writes them into `eve.json`: what tools behind it read.
//!
//! [`Event`] is one line. Field names, their spelling and their order are those of Suricata 8 and
//! 9; what it leaves out by default but can write (Community ID, Ethernet addresses, all fields of
//! `email`, the certificates themselves) is there. `collect` takes what happens in sessions;
//! `dialogue` holds Suricata's rules for SMTP transactions, `handshake` those for TLS, `detect`
//! what shows that both sides speak different protocols, `stamp` what TCP timestamps show, `mail`
//! reads the message.

mod collect;
mod detect;
mod dialogue;
mod handshake;
mod mail;
mod stamp;
mod urls;

use std::net::IpAddr;

use md5::{Digest as _, Md5};
use serde::Serialize;

use crate::bytes::utf8;
use crate::limits;
use crate::time::Timestamp;

pub(super) use collect::Collector;

/// One line of `eve.json`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Event {
    /// When: the time of the packet at which it was known, in UTC.
    pub timestamp: String,
    /// A number that all events of the connection share.
    pub flow_id: u64,
    /// The number of that packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pcap_cnt: Option<u64>,
    /// `smtp`, `tls`, `fileinfo`, `anomaly` or `flow`.
    pub event_type: &'static str,
    /// VLAN tags, the outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vlan: Vec<u16>,
    /// The source: of `smtp` and `tls` the client, of `anomaly` whoever sent the packet.
    pub src_ip: String,
    /// Its TCP port.
    pub src_port: u16,
    /// The destination.
    pub dest_ip: String,
    /// Its TCP port.
    pub dest_port: u16,
    /// `TCP`.
    pub proto: &'static str,
    /// The version of IP: 4 or 6.
    pub ip_v: u8,
    /// Where the packet comes from; `flow` events belong to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pkt_src: Option<&'static str>,
    /// The Community ID flow hash, version 1.
    pub community_id: String,
    /// Ethernet addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ether: Option<Ether>,
    /// Which transaction of the connection, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_id: Option<u64>,
    /// The envelope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smtp: Option<Envelope>,
    /// What the message says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Box<Email>>,
    /// What is spoken, of `flow` and `fileinfo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_proto: Option<&'static str>,
    /// What was spoken before STARTTLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_proto_orig: Option<&'static str>,
    /// A file in a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fileinfo: Option<FileInfo>,
    /// What TLS shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Box<Tls>>,
    /// What is strange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anomaly: Option<Anomaly>,
    /// Counters of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow: Option<Flow>,
    /// Its TCP flags and state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<Tcp>,
}

/// Ethernet addresses of a packet.
#[derive(Clone, Debug, Serialize)]
pub struct Ether {
    /// The sender's.
    pub src_mac: String,
    /// The receiver's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dest_mac: Option<String>,
}

/// The envelope of a transaction.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Envelope {
    /// What the client calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helo: Option<String>,
    /// The sender as written, with its angle brackets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_from: Option<String>,
    /// The recipients as written, with their angle brackets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rcpt_to: Vec<String>,
}

/// What a message says. Fields are as sent: unfolded, encoded words not decoded.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Email {
    /// `PARSE_DONE`; `HEADER_STARTED` or `BODY_STARTED` where its end was not seen.
    pub status: &'static str,
    /// Its author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// For whom it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// Who gets a copy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cc: Vec<String>,
    /// Names of its files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachment: Vec<String>,
    /// Addresses in its text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub url: Vec<String>,
    /// All other fields that Suricata can be told to write.
    #[serde(flatten)]
    pub more: More,
    /// MD5 of its subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_md5: Option<String>,
    /// MD5 of all that follows its header, as sent: with the dots that SMTP doubles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_md5: Option<String>,
    /// Events of it that were told.
    #[serde(skip)]
    told: usize,
    /// Octets of fields that are kept.
    #[serde(skip)]
    kept: usize,
}

/// Fields of a message's header under Suricata's names.
#[derive(Clone, Debug, Default, Serialize)]
pub struct More {
    /// Reply-To.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Bcc.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bcc: Vec<String>,
    /// Message-ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// X-Mailer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x_mailer: Option<String>,
    /// User-Agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Received, the last hop first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub received: Vec<String>,
    /// X-Originating-IP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x_originating_ip: Option<String>,
    /// In-Reply-To.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
    /// References.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub references: Option<String>,
    /// Importance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub importance: Option<String>,
    /// Priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// Sensitivity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<String>,
    /// Organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Content-MD5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_md5: Option<String>,
    /// Date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
}

/// A file in a message.
#[derive(Clone, Debug, Serialize)]
pub struct FileInfo {
    /// Its name as sent, encoded words decoded.
    pub filename: String,
    /// Octets of it are not in the capture.
    pub gaps: bool,
    /// `CLOSED`, or `TRUNCATED` where it is not whole.
    pub state: &'static str,
    /// Its MD5; absent where octets are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
    /// Its SHA-1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha1: Option<String>,
    /// Its SHA-256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Whether it was written to disk: never, here.
    pub stored: bool,
    /// Its octets, decoded.
    pub size: u64,
    /// The transaction that it belongs to.
    pub tx_id: u64,
}

/// What TLS shows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tls {
    /// The server's certificate.
    #[serde(flatten)]
    pub certificate: CertificateFields,
    /// Whether an earlier session was resumed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub session_resumed: bool,
    /// The name that the client asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sni: Option<String>,
    /// The version agreed on.
    pub version: String,
    /// The server's certificate in DER, base64.
    #[serde(rename = "certificate", skip_serializing_if = "Option::is_none")]
    pub der: Option<String>,
    /// The server's certificates in DER, base64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
    /// JA3 of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ja3: Option<Fingerprint>,
    /// JA3S of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ja3s: Option<Fingerprint>,
    /// JA4 of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ja4: Option<String>,
    /// Application protocols that the client offers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub client_alpns: Vec<String>,
    /// The one that the server chose.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub server_alpns: Vec<String>,
    /// The client's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<CertificateFields>,
    /// What the ClientHello offers, values without meaning (RFC 8701) left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_handshake: Option<ClientHandshake>,
    /// What the ServerHello chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_handshake: Option<ServerHandshake>,
    /// The protocol that TLS was agreed on in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_proto: Option<&'static str>,
}

/// What a certificate says.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CertificateFields {
    /// For whom it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Who issued it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuerdn: Option<String>,
    /// The names that it holds for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subjectaltname: Vec<String>,
    /// Its serial number in hexadecimal, as DER has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Its SHA-1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// From when it is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notbefore: Option<String>,
    /// Until when it is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notafter: Option<String>,
}

/// A fingerprint and what it is the hash of.
#[derive(Clone, Debug, Serialize)]
pub struct Fingerprint {
    /// MD5, in hexadecimal.
    pub hash: String,
    /// What was hashed.
    pub string: String,
}

/// What a ClientHello offers.
#[derive(Clone, Debug, Serialize)]
pub struct ClientHandshake {
    /// The first version offered.
    pub version: String,
    /// Cipher suites.
    pub ciphers: Vec<u16>,
    /// Extensions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exts: Vec<u16>,
    /// Signature algorithms.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sig_algs: Vec<u16>,
}

/// What a ServerHello chose.
#[derive(Clone, Debug, Serialize)]
pub struct ServerHandshake {
    /// Its version field.
    pub version: String,
    /// The cipher suite.
    pub cipher: u16,
    /// Extensions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exts: Vec<u16>,
}

/// Something strange.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Anomaly {
    /// What is spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_proto: Option<&'static str>,
    /// `applayer` or `stream`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What it is.
    pub event: &'static str,
    /// Who noticed it, of `applayer`: `proto_parser` or `proto_detect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<&'static str>,
}

/// Counters of a connection.
#[derive(Clone, Debug, Serialize)]
pub struct Flow {
    /// Packets of the originator.
    pub pkts_toserver: u64,
    /// Packets of the responder.
    pub pkts_toclient: u64,
    /// Their octets on the wire, all headers included.
    pub bytes_toserver: u64,
    /// Their octets on the wire, all headers included.
    pub bytes_toclient: u64,
    /// The time of its first packet.
    pub start: String,
    /// The time of its last packet.
    pub end: String,
    /// Whole seconds by the clock between the two.
    pub age: i64,
    /// `new`, `established` or `closed`.
    pub state: &'static str,
    /// Why it is told now: `timeout`, or `shutdown` at the end of the capture.
    pub reason: &'static str,
    /// Whether a signature matched: there are none here.
    pub alerted: bool,
    /// Transactions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_cnt: Option<u64>,
}

/// The TCP flags seen in a connection, and its state.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tcp {
    /// All flags seen, in hexadecimal.
    pub tcp_flags: String,
    /// Those of the originator.
    pub tcp_flags_ts: String,
    /// Those of the responder.
    pub tcp_flags_tc: String,
    /// SYN was seen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub syn: bool,
    /// FIN was seen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fin: bool,
    /// RST was seen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rst: bool,
    /// PSH was seen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub psh: bool,
    /// ACK was seen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ack: bool,
    /// URG was seen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub urg: bool,
    /// ECE was seen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ecn: bool,
    /// CWR was seen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cwr: bool,
    /// How far it came: `syn_sent`, `syn_recv`, `established`, `fin_wait2`, `close_wait`, `closed`.
    pub state: &'static str,
    /// Octets of the originator are not in the capture.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ts_gap: bool,
    /// Octets of the responder are not in the capture.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tc_gap: bool,
}

impl Email {
    /// Takes a field of the header: its name in lower case, its value unfolded. Of fields that may
    /// stand once the first counts.
    fn field(&mut self, name: &[u8], value: &[u8]) {
        self.kept += value.len();
        if self.kept > limits::EVE_KEPT_OCTETS {
            return;
        }
        let more = &mut self.more;
        let once = match name {
            b"from" => &mut self.from,
            b"to" => return split(value, &mut self.to),
            b"cc" => return split(value, &mut self.cc),
            b"bcc" => return split(value, &mut more.bcc),
            b"received" => {
                if more.received.len() < limits::EVE_VALUES {
                    more.received.push(utf8(value));
                }
                return;
            }
            b"subject" => {
                self.subject_md5.get_or_insert_with(|| mail::hex(&Md5::digest(value)));
                &mut more.subject
            }
            b"reply-to" => &mut more.reply_to,
            b"message-id" => &mut more.message_id,
            b"x-mailer" => &mut more.x_mailer,
            b"user-agent" => &mut more.user_agent,
            b"x-originating-ip" => &mut more.x_originating_ip,
            b"in-reply-to" => &mut more.in_reply_to,
            b"references" => &mut more.references,
            b"importance" => &mut more.importance,
            b"priority" => &mut more.priority,
            b"sensitivity" => &mut more.sensitivity,
            b"organization" => &mut more.organization,
            b"content-md5" => &mut more.content_md5,
            b"date" => &mut more.date,
            _ => return,
        };
        once.get_or_insert_with(|| utf8(value));
    }

    /// What a `fileinfo` event repeats of it.
    fn brief(&self) -> Email {
        Email { more: More::default(), subject_md5: None, body_md5: None, ..self.clone() }
    }
}

/// Adds what stands between commas outside quotes.
fn split(value: &[u8], to: &mut Vec<String>) {
    let mut is_quoted = false;
    let pieces = value.split(|octet| {
        is_quoted ^= *octet == b'"';
        *octet == b',' && !is_quoted
    });
    let room = limits::EVE_VALUES - to.len().min(limits::EVE_VALUES);
    to.extend(pieces.map(|piece| utf8(piece.trim_ascii())).filter(|piece| !piece.is_empty()).take(room));
}

impl Anomaly {
    /// Noticed by the parser of a protocol.
    fn parser(app_proto: &'static str, event: &'static str) -> Anomaly {
        Anomaly { app_proto: Some(app_proto), kind: "applayer", event, layer: Some("proto_parser") }
    }

    /// Noticed while it was found out what is spoken.
    fn detection(app_proto: &'static str, event: &'static str) -> Anomaly {
        Anomaly { app_proto: Some(app_proto), kind: "applayer", event, layer: Some("proto_detect") }
    }

    /// Noticed in TCP.
    fn stream(event: &'static str) -> Anomaly {
        Anomaly { app_proto: None, kind: "stream", event, layer: None }
    }
}

/// `2016-01-01T00:00:00.000000+0000`.
fn timestamp(time: Timestamp) -> String {
    let micros = time.nanos().rem_euclid(1_000_000_000) / 1000;
    format!("{}.{micros:06}+0000", seconds(time))
}

/// `2016-01-01T00:00:00`.
fn seconds(time: Timestamp) -> String {
    time.utc().to_string().replace(' ', "T")
}

/// Suricata writes all eight groups of an IPv6 address, with their zeros.
fn address(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => ip.segments().map(|group| format!("{group:04x}")).join(":"),
    }
}

/// Octets in hexadecimal between colons.
fn colons(octets: &[u8], upper: bool) -> String {
    let one = |octet: &u8| if upper { format!("{octet:02X}") } else { format!("{octet:02x}") };
    octets.iter().map(one).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_addresses_are_spelled_as_suricata_spells_them() {
        assert_eq!(timestamp(Timestamp::from_parts(1_451_606_400, 1_500)), "2016-01-01T00:00:00.000001+0000");
        assert_eq!(timestamp(Timestamp::from_nanos(-1_000)), "1969-12-31T23:59:59.999999+0000");
        assert_eq!(address(IpAddr::from([192, 0, 2, 1])), "192.0.2.1");
        let v6: IpAddr = "2001:db8::25".parse().expect("an address");
        assert_eq!(address(v6), "2001:0db8:0000:0000:0000:0000:0000:0025");
        assert_eq!(colons(&[8, 0x3a], true), "08:3A");
    }
}
