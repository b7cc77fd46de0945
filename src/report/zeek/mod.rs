//! Records as Zeek writes them into its logs: what tools behind it read.
//!
//! [`Record`] is one line of one [`Log`]; columns, their types and their order are those of Zeek
//! 8.2 with its default scripts. `collect` takes what happens in sessions; `mail` holds Zeek's
//! rules for `smtp.log` and `files.log`, `conn` those for `conn.log`, `handshake` those for
//! `ssl.log` and `x509.log`. A rule of Zeek never reaches a decoder.

mod addresses;
mod collect;
mod conn;
mod handshake;
mod ids;
mod kinds;
mod mail;

use std::net::IpAddr;

use crate::time::{Interval, Timestamp};

pub(super) use collect::Collector;

/// A log of Zeek's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Log {
    /// `conn.log`: connections.
    Conn,
    /// `smtp.log`: mail transactions.
    Smtp,
    /// `files.log`: parts of messages, and certificates.
    Files,
    /// `ssl.log`: TLS handshakes.
    Ssl,
    /// `x509.log`: certificates.
    X509,
    /// `weird.log`: what is unusual.
    Weird,
}

impl Log {
    /// All of them.
    pub const ALL: [Log; 6] = [Log::Conn, Log::Smtp, Log::Files, Log::Ssl, Log::X509, Log::Weird];

    /// Its path, as its header says it: the file's name without `.log`.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Log::Conn => "conn",
            Log::Smtp => "smtp",
            Log::Files => "files",
            Log::Ssl => "ssl",
            Log::X509 => "x509",
            Log::Weird => "weird",
        }
    }

    /// Its columns: name and type.
    #[must_use]
    pub fn columns(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Log::Conn => CONN,
            Log::Smtp => SMTP,
            Log::Files => FILES,
            Log::Ssl => SSL,
            Log::X509 => X509,
            Log::Weird => WEIRD,
        }
    }
}

/// One line of a log.
#[derive(Clone, Debug)]
pub struct Record {
    /// The log that it stands in.
    pub log: Log,
    /// A value for each of the log's columns.
    pub values: Vec<Value>,
}

/// A value. Captured octets in it are not yet made safe.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Not set.
    Unset,
    /// Yes or no.
    Bool(bool),
    /// A number.
    Count(u64),
    /// A moment.
    Time(Timestamp),
    /// A length of time.
    Interval(Interval),
    /// Octets, text most often.
    Text(Vec<u8>),
    /// An address.
    Address(IpAddr),
    /// Several values: a set or a vector.
    List(Vec<Value>),
}

impl Value {
    fn text(text: impl Into<Vec<u8>>) -> Value {
        Value::Text(text.into())
    }

    fn or_unset(text: Option<impl Into<Vec<u8>>>) -> Value {
        text.map_or(Value::Unset, |text| Value::Text(text.into()))
    }

    fn list<T: Into<Vec<u8>>>(list: impl IntoIterator<Item = T>) -> Value {
        Value::List(list.into_iter().map(|text| Value::Text(text.into())).collect())
    }
}

const CONN: &[(&str, &str)] = &[
    ("ts", "time"),
    ("uid", "string"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("proto", "enum"),
    ("service", "string"),
    ("duration", "interval"),
    ("orig_bytes", "count"),
    ("resp_bytes", "count"),
    ("conn_state", "string"),
    ("local_orig", "bool"),
    ("local_resp", "bool"),
    ("missed_bytes", "count"),
    ("history", "string"),
    ("orig_pkts", "count"),
    ("orig_ip_bytes", "count"),
    ("resp_pkts", "count"),
    ("resp_ip_bytes", "count"),
    ("tunnel_parents", "set[string]"),
    ("ip_proto", "count"),
];

const SMTP: &[(&str, &str)] = &[
    ("ts", "time"),
    ("uid", "string"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("trans_depth", "count"),
    ("helo", "string"),
    ("mailfrom", "string"),
    ("rcptto", "set[string]"),
    ("date", "string"),
    ("from", "string"),
    ("to", "set[string]"),
    ("cc", "set[string]"),
    ("reply_to", "string"),
    ("msg_id", "string"),
    ("in_reply_to", "string"),
    ("subject", "string"),
    ("x_originating_ip", "addr"),
    ("first_received", "string"),
    ("second_received", "string"),
    ("last_reply", "string"),
    ("path", "vector[addr]"),
    ("user_agent", "string"),
    ("tls", "bool"),
    ("fuids", "vector[string]"),
];

const FILES: &[(&str, &str)] = &[
    ("ts", "time"),
    ("fuid", "string"),
    ("uid", "string"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("source", "string"),
    ("depth", "count"),
    ("analyzers", "set[string]"),
    ("mime_type", "string"),
    ("filename", "string"),
    ("duration", "interval"),
    ("local_orig", "bool"),
    ("is_orig", "bool"),
    ("seen_bytes", "count"),
    ("total_bytes", "count"),
    ("missing_bytes", "count"),
    ("overflow_bytes", "count"),
    ("timedout", "bool"),
    ("parent_fuid", "string"),
    ("md5", "string"),
    ("sha1", "string"),
    ("sha256", "string"),
    ("extracted", "string"),
    ("extracted_cutoff", "bool"),
    ("extracted_size", "count"),
];

const SSL: &[(&str, &str)] = &[
    ("ts", "time"),
    ("uid", "string"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("version", "string"),
    ("cipher", "string"),
    ("curve", "string"),
    ("server_name", "string"),
    ("resumed", "bool"),
    ("last_alert", "string"),
    ("next_protocol", "string"),
    ("established", "bool"),
    ("ssl_history", "string"),
    ("cert_chain_fps", "vector[string]"),
    ("client_cert_chain_fps", "vector[string]"),
    ("sni_matches_cert", "bool"),
];

const X509: &[(&str, &str)] = &[
    ("ts", "time"),
    ("fingerprint", "string"),
    ("certificate.version", "count"),
    ("certificate.serial", "string"),
    ("certificate.subject", "string"),
    ("certificate.issuer", "string"),
    ("certificate.not_valid_before", "time"),
    ("certificate.not_valid_after", "time"),
    ("certificate.key_alg", "string"),
    ("certificate.sig_alg", "string"),
    ("certificate.key_type", "string"),
    ("certificate.key_length", "count"),
    ("certificate.exponent", "string"),
    ("certificate.curve", "string"),
    ("san.dns", "vector[string]"),
    ("san.uri", "vector[string]"),
    ("san.email", "vector[string]"),
    ("san.ip", "vector[addr]"),
    ("basic_constraints.ca", "bool"),
    ("basic_constraints.path_len", "count"),
    ("host_cert", "bool"),
    ("client_cert", "bool"),
];

const WEIRD: &[(&str, &str)] = &[
    ("ts", "time"),
    ("uid", "string"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("name", "string"),
    ("addl", "string"),
    ("notice", "bool"),
    ("peer", "string"),
    ("source", "string"),
];
