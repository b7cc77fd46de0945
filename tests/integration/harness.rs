//! Runs the program and compares whole outputs.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use overhear::capture::Packet;
use overhear::capture::write::PcapWriter;
use overhear::time::Timestamp;
use overhear::wire::LinkType;

/// What a run printed and how it ended.
#[derive(Debug)]
pub struct Run {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
    /// The exit status; `None`: a signal.
    pub status: Option<i32>,
}

impl Run {
    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("output is UTF-8")
    }
}

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs the program in the repository, so that sample paths in outputs are the same everywhere.
pub fn run(arguments: &[&str]) -> Run {
    run_with(arguments, None)
}

/// Runs the program with `input` on standard input.
pub fn run_with(arguments: &[&str], input: Option<&[u8]>) -> Run {
    match input {
        // In small pieces, as a slow program before the pipe would.
        Some(input) => run_in_pieces(arguments, input, 97, Duration::ZERO),
        None => finish(start(arguments, Stdio::null()), None),
    }
}

/// Runs the program with `input` on standard input, in pieces of so many octets and a pause after each.
pub fn run_in_pieces(arguments: &[&str], input: &[u8], octets: usize, pause: Duration) -> Run {
    let mut child = start(arguments, Stdio::piped());
    let (mut stdin, input) = (child.stdin.take().expect("standard input is a pipe"), input.to_vec());
    let writer = std::thread::spawn(move || {
        for piece in input.chunks(octets) {
            // A program that needs no more of its input may close it.
            if stdin.write_all(piece).is_err() {
                return;
            }
            if !pause.is_zero() {
                std::thread::sleep(pause);
            }
        }
    });
    finish(child, Some(writer))
}

/// Starts the program with pipes for its outputs.
pub fn start(arguments: &[&str], input: Stdio) -> Child {
    Command::new(env!("CARGO_BIN_EXE_overhear"))
        .args(arguments)
        .current_dir(root())
        .env_remove("NO_COLOR")
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

fn finish(child: Child, writer: Option<JoinHandle<()>>) -> Run {
    let output = child.wait_with_output().expect("the program ends");
    if let Some(writer) = writer {
        writer.join().expect("the writer ends");
    }
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!stderr.contains("panicked"), "{stderr}");
    Run { stdout: output.stdout, stderr, status: output.status.code() }
}

/// The samples, by their names without `.pcap`.
pub fn samples() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join("samples"))
        .expect("samples are there")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.strip_suffix(".pcap").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() > 10, "there are samples");
    names
}

/// A sample's path, relative to the repository.
pub fn sample(name: &str) -> String {
    format!("samples/{name}.pcap")
}

/// Fails with the lines that differ.
pub fn assert_same(what: &str, expected: &str, got: &str) {
    let difference = difference(expected, got);
    assert!(difference.is_empty(), "{what}\n{difference}");
}

/// Two texts, line by line: what only the first has with `-`, what only the second has with `+`,
/// and a little of what surrounds it. Nothing where they are equal.
pub fn difference(expected: &str, found: &str) -> String {
    if expected == found {
        return String::new();
    }
    let (a, b): (Vec<&str>, Vec<&str>) = (expected.split('\n').collect(), found.split('\n').collect());
    // Lengths of the longest common subsequences of what is left of both.
    let mut common = vec![vec![0u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i][j] = if a[i] == b[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines: Vec<(char, &str)> = Vec::new();
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            lines.push((' ', a[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || i < a.len() && common[i + 1][j] >= common[i][j + 1] {
            lines.push(('-', a[i]));
            i += 1;
        } else {
            lines.push(('+', b[j]));
            j += 1;
        }
    }
    let near = |at: usize| lines[at.saturating_sub(2)..(at + 3).min(lines.len())].iter().any(|(mark, _)| *mark != ' ');
    let mut text = String::new();
    for (at, (mark, line)) in lines.iter().enumerate() {
        if near(at) {
            text.push_str(&format!("{mark} {line}\n"));
        } else if at > 0 && near(at - 1) {
            text.push_str("  …\n");
        }
    }
    text
}

/// Whether golden outputs are to be written anew.
pub fn is_blessing() -> bool {
    std::env::var_os("OVERHEAR_BLESS").is_some()
}

/// A file of a test's own, gone when the test is over.
pub fn temporary(octets: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("capture.pcap");
    std::fs::write(&path, octets).expect("a temporary file can be written");
    (folder, path)
}

/// The two sides of a made conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// A TCP connection to port 25 with its handshake, in which these octets are said, a packet each,
/// and which both sides end with FIN.
pub fn conversation(said: &[(Side, &[u8])]) -> Vec<u8> {
    let mut next = [1000u32, 5000];
    let mut capture =
        PcapWriter::new(Vec::new(), LinkType::ETHERNET, 262_144, false).expect("a capture can be written");
    let mut number = 0;
    let mut send = |side: Side, flags: u8, data: &[u8]| {
        let (own, other) = if side == Side::Client { (0, 1) } else { (1, 0) };
        let acknowledged = if flags & ACK != 0 { next[other] } else { 0 };
        number += 1;
        let data_len = data.len() as u32;
        let data = segment(side, next[own], acknowledged, flags, data);
        let packet = Packet {
            number,
            timestamp: Timestamp::from_nanos(1_800_000_000_000_000_000 + number as i64 * 1_000_000),
            interface: 0,
            link_type: LinkType::ETHERNET,
            data: &data,
            original_len: data.len() as u32,
        };
        capture.write(&packet).expect("a packet can be written");
        next[own] = next[own].wrapping_add(data_len + u32::from(flags & (SYN | FIN) != 0));
    };
    send(Side::Client, SYN, b"");
    send(Side::Server, SYN | ACK, b"");
    send(Side::Client, ACK, b"");
    for (side, data) in said {
        send(*side, PSH | ACK, data);
    }
    send(Side::Client, FIN | ACK, b"");
    send(Side::Server, FIN | ACK, b"");
    send(Side::Client, ACK, b"");
    capture.finish().expect("a capture can be finished")
}

fn segment(side: Side, sequence: u32, acknowledged: u32, flags: u8, data: &[u8]) -> Vec<u8> {
    let (client, server) = (([192, 0, 2, 100], 40_000u16), ([192, 0, 2, 20], 25u16));
    let (from, to) = if side == Side::Client { (client, server) } else { (server, client) };
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    frame.extend([0x45, 0]);
    frame.extend((40 + data.len() as u16).to_be_bytes());
    frame.extend([0, 1, 0x40, 0, 64, 6, 0, 0]);
    frame.extend(from.0);
    frame.extend(to.0);
    frame.extend(from.1.to_be_bytes());
    frame.extend(to.1.to_be_bytes());
    frame.extend(sequence.to_be_bytes());
    frame.extend(acknowledged.to_be_bytes());
    frame.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    frame.extend(data);
    frame
}

const FIN: u8 = 1;
const SYN: u8 = 2;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// Says on standard error why a test that passes has tested nothing.
pub fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {}", why.trim());
}

#[test]
fn a_difference_shows_the_lines_that_differ() {
    assert_eq!(difference("a\nb\n", "a\nb\n"), "");
    assert_eq!(difference("a\nb\nc", "a\nx\nc"), "  a\n- b\n+ x\n  c\n");
}
