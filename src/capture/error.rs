//! Why a capture could not be opened, in one sentence that says what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error as ThisError;

use crate::bytes::escaped;

/// Why there is no capture to read. Damage inside a capture is never one of these.
#[derive(Debug, ThisError)]
pub enum Error {
    /// No file at this path.
    #[error("{}: there is no such file; check the path", shown(.0))]
    NotFound(PathBuf),
    /// The path leads to a directory.
    #[error("{}: this is a directory; name the capture files in it, as in {}/*.pcap", shown(.0), shown(.0))]
    IsDirectory(PathBuf),
    /// The file may not be read.
    #[error("{}: no permission to read this file; change its mode, or run as a user who may read it", shown(.0))]
    Permission(PathBuf),
    /// The file has no octet at all.
    #[error("{}: empty; a capture begins with a header even when no packet was seen, so record it again", shown(.0))]
    Empty(PathBuf),
    /// The file is something else.
    #[error("{}: not a capture: {what}", shown(.path))]
    NotACapture {
        /// The file.
        path: PathBuf,
        /// What it is instead, as far as its first octets tell.
        what: Foreign,
    },
    /// Standard input is named more than once, and can be read only once.
    #[error("standard input (-) is named twice; name it once")]
    StandardInputTwice,
    /// No file was named.
    #[error("no capture is named; name a file, or - for standard input")]
    NoFile,
    /// The system could not read the file.
    #[error("{}: cannot read this file: {source}", shown(.path))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Capturing needs rights that this process does not have.
    #[error("no permission to capture on {}; run as root, or give the program the right with: \
        setcap cap_net_raw=ep \"$(command -v overhear)\"", escaped(.0.as_bytes()))]
    CaptureNotPermitted(String),
    /// There is no interface of this name.
    #[error("there is no interface {}; there are: {}", escaped(.name.as_bytes()), list(.available))]
    NoSuchInterface {
        /// The name that was asked for.
        name: String,
        /// The names there are.
        available: Vec<String>,
    },
    /// The interface exists but nothing can be captured on it.
    #[error("cannot capture on {}: {}", escaped(.interface.as_bytes()), escaped(.reason.as_bytes()))]
    Live {
        /// The interface.
        interface: String,
        /// What libpcap says.
        reason: String,
    },
    /// The capture filter is not valid.
    #[error("the filter \"{}\" is not valid: {}; pcap-filter(7) describes the language",
        escaped(.filter.as_bytes()), escaped(.reason.as_bytes()))]
    BadFilter {
        /// The filter as given.
        filter: String,
        /// What libpcap says.
        reason: String,
    },
    /// This program was built without libpcap.
    #[error("{0} needs libpcap, and this program was built without it; build it with: cargo build --features live")]
    WithoutLive(&'static str),
}

impl Error {
    /// The error for a path that could not be opened or read.
    pub(super) fn from_io(path: &Path, source: io::Error) -> Error {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::NotFound => Error::NotFound(path),
            io::ErrorKind::PermissionDenied => Error::Permission(path),
            io::ErrorKind::IsADirectory => Error::IsDirectory(path),
            _ => Error::Io { path, source },
        }
    }
}

/// What a file that is no capture is, by its first octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// A capture in a format that is not read here.
    OtherCapture(&'static str),
    /// An archive or a compression that is not read here.
    Packed {
        /// Its name.
        name: &'static str,
        /// The program that unpacks it.
        with: &'static str,
    },
    /// Compressed, and what is inside is no capture.
    Inside(&'static str),
    /// Begins like something compressed, but cannot be unpacked as far as the capture's header.
    CannotUnpack(&'static str, String),
    /// A pcap or pcapng capture of a version that nobody defined.
    Version(u16, u16),
    /// Too few octets to be anything.
    TooShort(usize),
    /// Anything else, with its first octets.
    Unknown(Vec<u8>),
}

impl Foreign {
    /// What a file beginning with `head` is.
    pub(super) fn of(head: &[u8]) -> Foreign {
        const KNOWN: [(&[u8], Foreign); 14] = [
            (b"snoop\0\0\0", Foreign::OtherCapture("snoop")),
            (b"btsnoop\0", Foreign::OtherCapture("btsnoop")),
            (b"GMBU", Foreign::OtherCapture("Microsoft Network Monitor 2")),
            (b"RTSS", Foreign::OtherCapture("Microsoft Network Monitor 1")),
            (b"TRSNIFF data", Foreign::OtherCapture("Sniffer")),
            (b"XCP\0", Foreign::OtherCapture("NetXRay")),
            (b"ERF\0", Foreign::OtherCapture("ERF")),
            (b"\x7fver", Foreign::OtherCapture("EtherPeek")),
            (b"BZh", Foreign::Packed { name: "bzip2", with: "bunzip2" }),
            (b"\xfd7zXZ\0", Foreign::Packed { name: "xz", with: "unxz" }),
            (b"PK\x03\x04", Foreign::Packed { name: "a ZIP archive", with: "unzip" }),
            (b"7z\xbc\xaf\x27\x1c", Foreign::Packed { name: "a 7z archive", with: "7z x" }),
            (b"\x02\x21\x4c\x18", Foreign::Packed { name: "the old lz4 format", with: "lz4 -d" }),
            (b"\x1f\x9d", Foreign::Packed { name: "compress (.Z)", with: "uncompress" }),
        ];
        match KNOWN.iter().find(|(magic, _)| head.starts_with(magic)) {
            Some((_, foreign)) => foreign.clone(),
            None if head.len() < 4 => Foreign::TooShort(head.len()),
            None => Foreign::Unknown(head[..head.len().min(8)].to_vec()),
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Foreign::OtherCapture(name) => {
                write!(f, "it is in the {name} format; convert it with: editcap -F pcapng FILE NEW")
            }
            Foreign::Packed { name, with } => write!(f, "it is packed with {name}; unpack it with {with} first"),
            Foreign::Inside(name) => write!(f, "what the {name} file holds is neither pcap nor pcapng"),
            Foreign::CannotUnpack(name, reason) => write!(
                f,
                "it begins like a {name} file and cannot be unpacked ({}); copy or record it again",
                escaped(reason.as_bytes())
            ),
            Foreign::Version(major, minor) => {
                write!(f, "it says it has version {major}.{minor} of its format, which does not exist")
            }
            Foreign::TooShort(octets) => write!(f, "it has only {octets} octets; record it again"),
            Foreign::Unknown(head) => write!(
                f,
                "it begins with \"{}\", and neither pcap nor pcapng does; name a file that tcpdump or Wireshark wrote",
                escaped(head)
            ),
        }
    }
}

/// A path as it can be shown.
fn shown(path: &Path) -> String {
    if path.as_os_str() == "-" {
        return "standard input".to_string();
    }
    escaped(path.as_os_str().as_encoded_bytes()).to_string()
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none that this user may see".to_string();
    }
    let names: Vec<String> = names.iter().map(|name| escaped(name.as_bytes()).to_string()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_sentence_that_names_the_file_safely() {
        let error = Error::NotFound(PathBuf::from("a\x1b[2J.pcap"));
        assert_eq!(error.to_string(), "a\\x1b[2J.pcap: there is no such file; check the path");
        let error = Error::NotACapture { path: PathBuf::from("-"), what: Foreign::of(b"BZh91AY") };
        assert_eq!(
            error.to_string(),
            "standard input: not a capture: it is packed with bzip2; unpack it with bunzip2 first"
        );
        let error = Error::NoSuchInterface { name: "eth9".into(), available: vec!["lo".into(), "eth0".into()] };
        assert_eq!(error.to_string(), "there is no interface eth9; there are: lo, eth0");
    }

    #[test]
    fn a_foreign_file_is_told_by_its_first_octets() {
        assert_eq!(Foreign::of(b"ab"), Foreign::TooShort(2));
        assert_eq!(Foreign::of(b"snoop\0\0\0\0\0\0\x02"), Foreign::OtherCapture("snoop"));
        assert!(Foreign::of(b"#!/bin/sh\n").to_string().contains("\"#!/bin/s\""));
    }
}
