//! Integration tests: the program as its users run it. One binary, a line for each module.

/// Runs the program and compares whole outputs.
#[path = "integration/harness.rs"]
mod harness;

/// Each sample's output in every view, against the golden outputs beside it.
#[path = "integration/golden.rs"]
mod golden;

/// Modules use only what the house plan allows.
#[path = "layering.rs"]
mod layering;

/// The README shows what its commands print.
#[path = "integration/readme.rs"]
mod readme;

/// Shards and threads give what one process with one thread gives.
#[path = "integration/shards.rs"]
mod shards;

/// The same capture in other formats, from standard input and in pieces.
#[path = "integration/sources.rs"]
mod sources;

/// Input and arguments that are unusable, damaged or hostile.
#[path = "integration/bad_input.rs"]
mod bad_input;

/// The fields of machine-readable outputs, as scripts read them.
#[path = "integration/contract.rs"]
mod contract;

/// Logs for other tools.
#[path = "integration/log.rs"]
mod log;

/// Zeek's logs.
#[path = "integration/zeek.rs"]
mod zeek;

/// What each sample shows, said as a sentence.
#[path = "integration/samples_say.rs"]
mod samples_say;

/// Dialogues that other programs are known to misread.
#[path = "integration/misread.rs"]
mod misread;

/// What each observer could learn.
#[path = "integration/observers.rs"]
mod observers;

/// Nothing is stated across a gap.
#[path = "integration/gaps.rs"]
mod gaps;

/// Anomalies, the catalogue of them, and `--fail-on`.
#[path = "integration/anomalies.rs"]
mod anomalies;

/// Messages, attachments and certificates as files.
#[path = "integration/extract.rs"]
mod extract;

/// What keys open, and that an observer's view does not depend on them.
#[path = "integration/keys.rs"]
mod keys;

/// Suites of every kind, by the programs of OpenSSL.
#[path = "integration/suites.rs"]
mod suites;

/// The packet list beside tshark's.
#[path = "integration/peers.rs"]
mod peers;

/// What is seen of TLS without keys, beside what keys show.
#[path = "integration/tls.rs"]
mod tls;

/// Live capture on a pair of virtual interfaces, with a real mail server.
#[cfg(feature = "live")]
#[path = "integration/live.rs"]
mod live;
