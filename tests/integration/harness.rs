//! Runs the program and compares whole outputs.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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
    let mut child = Command::new(env!("CARGO_BIN_EXE_overhear"))
        .args(arguments)
        .current_dir(root())
        .env_remove("NO_COLOR")
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let writer = input.map(|input| {
        let (mut stdin, input) = (child.stdin.take().expect("standard input is a pipe"), input.to_vec());
        std::thread::spawn(move || {
            // In small pieces, as a slow program before the pipe would.
            for piece in input.chunks(97) {
                if stdin.write_all(piece).is_err() {
                    return;
                }
            }
        })
    });
    let output = child.wait_with_output().expect("the program ends");
    if let Some(writer) = writer {
        writer.join().expect("the writer ends");
    }
    Run {
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        status: output.status.code(),
    }
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

/// Fails with the first lines that differ.
pub fn assert_same(what: &str, expected: &str, got: &str) {
    if expected == got {
        return;
    }
    let (mut left, mut right) = (expected.lines(), got.lines());
    for number in 1.. {
        let (a, b) = (left.next(), right.next());
        assert!(
            a == b,
            "{what}, line {number}\nexpected: {}\ngot:      {}",
            a.unwrap_or("(end)"),
            b.unwrap_or("(end)")
        );
        if a.is_none() {
            break;
        }
    }
    panic!("{what}: the texts differ only in line ends");
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
