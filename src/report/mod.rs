//! The view model: plain values that renderers print. The only types that are serialised.
//!
//! The names of the serialised fields are stable: fields are added, never renamed. What is not
//! known is absent or `null`.

pub mod catalogue;
mod collect;
mod community_id;
mod compare;
mod convert;
mod dialogue;
pub mod eve;
pub mod extract;
pub mod frames;
pub mod handshake;
mod inferred;
mod inside;
mod lenient;
mod links;
pub mod rows;
pub mod spoken;
mod totals;
pub mod zeek;

use std::net::IpAddr;

use serde::Serialize;

use crate::bytes::escaped;
use crate::observe::{self, infer::Inference};
use crate::session;
use crate::time::Timestamp;

pub use collect::{Collector, Wanted};
pub use compare::Comparison;
pub use frames::{HexFrame, Label, NamedRange};
pub use inferred::{Inferred, InferredAuth, InferredMessage, InferredRecipient, Length, Software, Step};
pub use inside::{Failure, Inside};
pub use lenient::{LenientReading, SmuggledMail};
pub use links::Resumes;
pub use rows::Row;
pub use totals::{HostPair, Totals};

/// One thing that a view prints, with its place among the others.
///
/// Ordering items by `order` gives the same sequence from one thread, from many and from the
/// shards of a cluster.
#[derive(Debug)]
pub struct Item {
    /// Its place.
    pub order: Order,
    /// What it is.
    pub content: Content,
}

/// The place of an [`Item`] among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order {
    /// The packet at which it was known.
    pub packet: u64,
    /// What comes first of one packet.
    pub class: Class,
    /// The session, or 0 for what belongs to none. At the end of the capture, and where time runs
    /// out for them, many sessions have something to say at the same packet.
    pub session: u64,
    /// Its place among those of its class and session: a count within one worker, to which all of
    /// the session belongs.
    pub n: u64,
}

/// The classes of items, in the order in which those of one packet are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A row.
    Row,
    /// An utterance.
    Utterance,
    /// A session's end.
    Session,
    /// A line of a log.
    Log,
    /// A frame.
    Frame,
}

/// The kinds of [`Item`].
#[derive(Debug)]
pub enum Content {
    /// A row of the packet list.
    Row(Row),
    /// Something said in a conversation.
    Utterance(Box<Utterance>),
    /// A session that has ended, or whose capture has.
    Session(Box<Ended>),
    /// An event as Suricata writes it.
    Eve(Box<eve::Event>),
    /// A record as Zeek writes them.
    Zeek(Box<zeek::Record>),
    /// A frame in octets, with its ranges named.
    Frame(Box<HexFrame>),
    /// Something taken out of the capture.
    Extracted(extract::Extracted),
}

/// A session that is over. What is printed of it is worked out when it is asked for: of a large
/// capture's sessions most are only counted.
#[derive(Debug)]
pub struct Ended {
    found: session::Session,
    read: Lengths,
    weight: u32,
    /// What is odd about it beside other sessions.
    beside: Vec<Anomaly>,
    /// The earlier sessions that it goes on from.
    resumes: Option<Resumes>,
}

/// What the lengths of a session give away, once that was looked for.
#[derive(Debug)]
enum Lengths {
    NotYet,
    Read(Option<Box<Inference>>),
}

impl Ended {
    fn new(found: session::Session, reads: bool) -> Ended {
        let read = if reads { Lengths::Read(observe::read(&found).map(Box::new)) } else { Lengths::NotYet };
        Ended { weight: convert::weight(&found), found, read, beside: Vec::new(), resumes: None }
    }

    /// The number of its first packet, which is its name.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.found.connection.number
    }

    /// Its verdict, by name.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        self.found.verdict.name()
    }

    /// How much it gives away, for choosing what a long report shows; more is worse.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// The addresses of the side that opened the connection and of the other.
    #[must_use]
    pub fn hosts(&self) -> (IpAddr, IpAddr) {
        (self.found.connection.originator.ip, self.found.connection.responder.ip)
    }

    /// The names of its oddities, in order.
    pub fn anomaly_ids(&self) -> impl Iterator<Item = &'static str> {
        let inside = self.found.inside.iter().flat_map(|inside| &inside.anomalies);
        let beside = self.beside.iter().map(|anomaly| anomaly.id);
        self.found.anomalies.iter().chain(inside).map(|anomaly| anomaly.kind.id()).chain(beside)
    }

    /// Its oddities, and how many more there were than are kept.
    #[must_use]
    pub fn anomalies(&self) -> (Vec<Anomaly>, u64) {
        let mut anomalies = convert::anomalies(&self.found);
        anomalies.extend(self.beside.iter().cloned());
        (anomalies, convert::anomalies_dropped(&self.found))
    }

    /// Its line in a table of sessions: everything that has no list.
    #[must_use]
    pub fn line(&self) -> Session {
        convert::line(&self.found)
    }

    /// What its lengths give away.
    fn read(&self) -> Option<Inference> {
        match &self.read {
            Lengths::NotYet => observe::read(&self.found),
            Lengths::Read(read) => read.as_deref().cloned(),
        }
    }

    /// Says of its sealed records, which are among `utterances` in order, how they read.
    pub fn tell_readings(&self, utterances: &mut [Utterance]) {
        if !utterances.iter().any(|utterance| utterance.kind == "tls" && utterance.sealed) {
            return;
        }
        if let Some(tls) = self.found.tls.as_deref() {
            inferred::tell_padding(&self.found, tls, utterances);
        }
        let Some(inferred) =
            self.read().and_then(|read| Some(inferred::of(&self.found, self.found.tls.as_deref()?, read)))
        else {
            return;
        };
        inferred::tell(inferred.steps, utterances);
    }

    /// All that is printed of it.
    #[must_use]
    pub fn whole(&self) -> Session {
        let mut session = convert::session(&self.found, self.read());
        if let (Some(tls), Some(resumes)) = (&mut session.tls, &self.resumes) {
            session.exposure.extend(resumes.finding(&self.found));
            tls.handshake.resumes = Some(resumes.clone());
        }
        session.anomalies.extend(self.beside.iter().cloned());
        session
    }
}

/// One session, as it stands in `report --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    /// The number of its first packet, which is its name.
    pub session: u64,
    /// The number of its last packet.
    pub last_packet: u64,
    /// When its first packet was captured.
    #[serde(serialize_with = "seconds")]
    pub first_time: Timestamp,
    /// When its last packet was captured.
    #[serde(serialize_with = "seconds")]
    pub last_time: Timestamp,
    /// The side that opened the connection.
    pub originator: Endpoint,
    /// The side that accepted it.
    pub responder: Endpoint,
    /// Which side speaks as the client: `originator` or `responder`, once it is known.
    pub client: Option<&'static str>,
    /// What is spoken: `smtp`, `smtp+starttls`, `smtps`, `lmtp`, `tls`, `ssh` or `other`.
    pub protocol: &'static str,
    /// `clear`, `clear-then-tls`, `tls-from-start`, `downgraded`, `not-mail` or `unknown`.
    pub verdict: &'static str,
    /// The verdict as a sentence.
    pub verdict_text: String,
    /// Whether the capture holds the connection from its first octet to its last.
    pub complete: bool,
    /// Octets that were sent but are not in the capture.
    pub missing_bytes: u64,
    /// Packets, both ways.
    pub packets: u64,
    /// Octets on the wire, both ways, headers included.
    pub octets: u64,
    /// The Community ID flow hash, version 1.
    pub community_id: String,
    /// JA3 of the ClientHello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ja3: Option<String>,
    /// JA3S of the ServerHello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ja3s: Option<String>,
    /// JA4 of the ClientHello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ja4: Option<String>,
    /// What the TLS handshake shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// What can be seen, inferred, and not seen: the findings of somebody on the path, then every subject for
    /// every observer.
    pub exposure: Vec<Exposure>,
    /// Who could learn what, for a page.
    #[serde(skip)]
    pub matrix: Option<Matrix>,
    /// Mail that was read.
    pub messages: Vec<Message>,
    /// Logins that were read.
    pub auth: Vec<Auth>,
    /// What else the dialogue in the clear says: `capabilities`, `claims`, `waiting`.
    #[serde(flatten)]
    pub dialogue: spoken::Dialogue,
    /// What sizes and order give away of a sealed dialogue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inferred: Option<Inferred>,
    /// What would close its leaks, the gravest first.
    pub advice: Vec<Advice>,
    /// What keys showed of it, where some were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inside: Option<Inside>,
    /// Oddities of this session.
    #[serde(skip)]
    pub anomalies: Vec<Anomaly>,
    /// Oddities beyond those kept.
    #[serde(skip)]
    pub anomalies_dropped: u64,
}

/// A leak, and what would close it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// What is given away.
    pub leak: &'static str,
    /// What to do about it.
    pub close: &'static str,
    /// Where that is written down.
    pub source: &'static str,
}

/// One side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Endpoint {
    /// Its address.
    pub ip: IpAddr,
    /// Its TCP port.
    pub port: u16,
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::net::SocketAddr::new(self.ip, self.port).fmt(f)
    }
}

/// The `tls` object of a session.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tls {
    /// `TLSv1.3`; null where no ServerHello was seen.
    pub version: Option<String>,
    /// The cipher suite by its IANA name.
    pub cipher: Option<String>,
    /// The key exchange group.
    pub group: Option<String>,
    /// The server name that the client asked for (RFC 6066 §3).
    pub server_name: Option<String>,
    /// The application protocol, chosen or else offered (RFC 7301).
    pub alpn: Option<String>,
    /// Whether an earlier session was resumed; null where it cannot be told.
    pub resumed: Option<bool>,
    /// Whether the handshake finished.
    pub established: Option<bool>,
    /// Whether somebody who gets the server's key later could read what was recorded.
    pub forward_secret: Option<bool>,
    /// Whether the key exchange withstands a quantum computer.
    pub post_quantum: Option<bool>,
    /// The server's certificates, where they are in the clear (TLS 1.2 and before).
    pub certificates: Vec<Certificate>,
    /// Alerts in the clear.
    pub alerts: Vec<String>,
    /// Records, from the client and from the server.
    pub records: [u64; 2],
    /// All that the handshake shows beyond that.
    #[serde(flatten)]
    pub handshake: handshake::Handshake,
}

/// A certificate of a chain.
#[derive(Clone, Debug, Serialize)]
pub struct Certificate {
    /// Whom it names.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The DNS names it stands for.
    pub names: Vec<String>,
    /// Valid from, seconds since the epoch.
    pub not_before: Option<f64>,
    /// Valid until, seconds since the epoch.
    pub not_after: Option<f64>,
    /// SHA-256 of its DER octets.
    pub sha256: String,
    /// Whether it was sealed, and opened with keys.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sealed: bool,
}

/// One line of the lists *seen*, *inferred* and *hidden*.
#[derive(Clone, Debug, Serialize)]
pub struct Exposure {
    /// What it is about: `sender`, `recipients`, `login`, …
    pub subject: &'static str,
    /// From where it is seen: `passive` is somebody on the path who reads along, `active` one who interferes,
    /// `key-holder` one who recorded it and gets the server's key later, `future` one with a quantum computer later.
    pub observer: &'static str,
    /// `seen`, `inferred` or `hidden`; null where it cannot be told.
    pub visibility: Option<&'static str>,
    /// The value, in machine form.
    pub value: serde_json::Value,
    /// The value, in words.
    pub text: String,
    /// Whether this gives away a secret.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub alarm: bool,
    /// Whether it was opened with keys, so that no observer saw it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sealed: bool,
    /// Where it shows.
    pub evidence: Vec<Evidence>,
    /// Why it can or cannot be learned: one sentence.
    pub why: String,
    /// Whether it is a finding of its own, and not only the cell of a table.
    #[serde(skip)]
    pub listed: bool,
}

/// Who could learn what of a session.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// A subject, and what each observer can do about it: `seen`, `inferred`, `hidden`; `None` where it cannot be told.
    pub rows: Vec<(&'static str, [Option<&'static str>; 4])>,
    /// What each observer can do about the dialogue as a whole.
    pub reaches: Vec<Reach>,
}

/// Whether an observer could read the dialogue.
#[derive(Clone, Debug)]
pub struct Reach {
    /// The observer's name.
    pub observer: &'static str,
    /// `yes`, `no` or `cannot tell`.
    pub answer: &'static str,
    /// The reason in a few words.
    pub brief: String,
    /// The reason in one sentence.
    pub why: String,
    /// Where that shows.
    pub evidence: Vec<Evidence>,
}

/// Where a fact stands: packets, and the octets of the stream that they carried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Packet numbers; where they are many, the first ones and the last.
    pub packets: Vec<u64>,
    /// `client` or `server`; absent for facts of the whole connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<&'static str>,
    /// The first octet in the stream of that direction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<u64>,
    /// One past the last octet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<u64>,
}

/// A mail transaction that was read.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// Whether it was inside TLS (read with keys).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sealed: bool,
    /// The reverse-path.
    pub mail_from: Option<String>,
    /// The forward-paths, in order.
    pub recipients: Vec<Recipient>,
    /// Recipients beyond those kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub recipients_dropped: u64,
    /// The parameters of MAIL.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<spoken::Parameter>,
    /// Parts of it that the server was told to fetch from elsewhere (BURL).
    #[serde(skip_serializing_if = "is_zero")]
    pub fetched: u64,
    /// `DATA` or `BDAT`, once one of them began.
    pub transfer: Option<&'static str>,
    /// Octets between the reply 354 and the final dot line, or the sum of the chunks.
    pub size: Option<u64>,
    /// Octets of those that are not in the capture.
    #[serde(skip_serializing_if = "is_zero")]
    pub missing_bytes: u64,
    /// Whether the server took it; null where its reply was not seen.
    pub accepted: Option<bool>,
    /// The reply to the end of the message.
    pub reply: Option<String>,
    /// The Subject field, decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The From field, decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// SHA-256 of the message as its reader gets it: dots unstuffed, the final dot line left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What the message's reader would save.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Attachments beyond those kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub attachments_dropped: u64,
    /// `Received` fields: the hops that it had behind it.
    #[serde(skip_serializing_if = "is_zero")]
    pub received: u64,
    /// `DKIM`, `ARC`, `smime-encrypted`, `smime-signed`, `pgp-encrypted`, `pgp-signed`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub protection: Vec<&'static str>,
    /// Whether the header names blind recipients.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub bcc: bool,
    /// How a lenient server reads it, where commands stand in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lenient_reading: Option<LenientReading>,
}

/// A file in a message.
#[derive(Clone, Debug, Serialize)]
pub struct Attachment {
    /// The name that the sender gave it.
    pub name: Option<String>,
    /// The media type that the sender states.
    pub declared: String,
    /// The media type that its first octets show.
    pub sniffed: Option<&'static str>,
    /// Its octets, decoded.
    pub size: u64,
    /// SHA-256 of those; null where some are missing.
    pub sha256: Option<String>,
    /// Octets that the capture lacks, as sent.
    #[serde(skip_serializing_if = "is_zero")]
    pub missing_bytes: u64,
}

/// A recipient and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Recipient {
    /// What stands between `<` and `>`.
    pub address: String,
    /// Whether the server took it; null where its reply was not seen.
    pub accepted: Option<bool>,
    /// The reply code.
    pub code: Option<u16>,
    /// The enhanced status code (RFC 3463).
    pub enhanced: Option<String>,
    /// What the code that decides says in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<&'static str>,
    /// Where this recipient does not get the message: `later`, `never`, `after-login`, `over-tls`
    /// or `fewer-recipients`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<&'static str>,
    /// Seconds that the client waited for the reply to RCPT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited: Option<f64>,
    /// The parameters of RCPT.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<spoken::Parameter>,
    /// LMTP: the reply after the message for this recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered: Option<spoken::Delivery>,
}

/// A login that was read.
#[derive(Clone, Debug, Serialize)]
pub struct Auth {
    /// The SASL mechanism.
    pub mechanism: String,
    /// The user name, where the mechanism shows it.
    pub username: Option<String>,
    /// Whether it succeeded; null where the reply was not seen.
    pub succeeded: Option<bool>,
    /// Whether it was inside TLS (read with keys).
    pub sealed: bool,
    /// Octets of the secret, where they can be counted. Never the secret itself.
    pub secret_length: Option<u64>,
    /// What whoever reads it gains: `password`, `token`, `challenge-response`, `one-time`,
    /// `nothing`, `not-sent` or `unknown`.
    pub gain: &'static str,
    /// In whose name, where that is another than the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization: Option<String>,
    /// The user's domain or realm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// The client's computer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workstation: Option<String>,
    /// The rounds that slow the guessing of the password down (SCRAM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iterations: Option<u32>,
    /// What the server says of a token that it refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether the client gave up.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
    /// The code of the final reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
}

/// An oddity, with where it stands.
#[derive(Clone, Debug, Serialize)]
pub struct Anomaly {
    /// Its stable name.
    pub id: &'static str,
    /// How grave it is.
    pub severity: catalogue::Severity,
    /// The session.
    pub session: u64,
    /// One sentence.
    pub text: String,
    /// Where it shows.
    pub evidence: Vec<Evidence>,
}

/// One utterance of `follow`.
#[derive(Clone, Debug, Serialize)]
pub struct Utterance {
    /// The session it belongs to.
    pub session: u64,
    /// When its last octet was captured.
    #[serde(serialize_with = "seconds")]
    pub time: Timestamp,
    /// `client` or `server`.
    pub from: &'static str,
    /// `greeting`, `command`, `reply`, `auth`, `message`, `tls`, `gap` or `other`.
    pub kind: &'static str,
    /// Whether it was inside TLS.
    pub sealed: bool,
    /// The command's verb, in upper case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verb: Option<String>,
    /// The line without its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The reply code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// The lines of a reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<String>>,
    /// What a reply's enhanced status, or what a command's parameters say, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
    /// Of a refusal: `later`, `never`, `after-login`, `over-tls` or `fewer-recipients`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<&'static str>,
    /// Seconds that the client waited for a reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited: Option<f64>,
    /// What a person is told beside the lines.
    #[serde(skip)]
    pub aside: Option<String>,
    /// Octets, line ends included.
    pub length: u64,
    /// Octets of text in a sealed record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plaintext_length: Option<Length>,
    /// What a sealed record is, as far as it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<String>,
    /// How sure the reading is, 0 to 1, where it was read from lengths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Whether `reading` names the messages in a record.
    #[serde(skip)]
    pub named: bool,
    /// Octets that are not in the capture.
    #[serde(skip_serializing_if = "is_zero")]
    pub missing: u64,
    /// How a lenient server reads a message, where commands stand in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lenient_reading: Option<Box<LenientReading>>,
    /// The packets that carried it.
    pub packets: Vec<u64>,
    /// The first octet in the stream of its direction.
    pub start: u64,
    /// One past the last octet.
    pub end: u64,
}

/// What the whole capture was: the `capture` object.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Capture {
    /// The files, or the interface.
    pub files: Vec<String>,
    /// Packets read.
    pub packets: u64,
    /// Octets that those packets had on the wire.
    pub bytes: u64,
    /// Time of the first packet, seconds since the epoch.
    pub first_time: Option<f64>,
    /// Time of the last packet.
    pub last_time: Option<f64>,
    /// Whether the capture was damaged or cut short.
    pub truncated: bool,
    /// What was lost, a sentence each.
    pub faults: Vec<String>,
    /// Packets that the capturing program says it dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<u64>,
    /// Packets of which only the beginning was captured.
    pub cut_packets: u64,
    /// The link types, in order of appearance.
    pub link_types: Vec<String>,
    /// Decimals of its times: 6 or 9.
    #[serde(skip)]
    pub decimals: usize,
    /// When the first packet was captured.
    #[serde(skip)]
    pub first: Option<Timestamp>,
    /// When the last packet was captured.
    #[serde(skip)]
    pub last: Option<Timestamp>,
}

/// Captured octets as text for a person or for JSON.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    escaped(bytes).to_string()
}

fn seconds<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.seconds())
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}
