//! From a capture to the printed page, every view of it: the body of a fuzz target.

use std::io::{Cursor, ErrorKind};

use clap::Parser;

use super::args::Cli;
use super::keys::KeySource;
use super::output;
use super::plan::Plan;
use super::progress::Progress;
use super::run;
use crate::capture;
use crate::report::Wanted;
use crate::session::{Config, Shard};

/// Fuzz body: `data` is a capture, and every view of it is printed. Pages and JSON are clean (no octet
/// of the capture steers the terminal), JSON is well-formed, and two threads print what one prints.
///
/// # Panics
///
/// When one of these does not hold.
pub fn fuzz_page(data: &[u8]) {
    for view in [&["report"][..], &["sessions"], &["anomalies"], &["packets"], &["follow"], &["hex"]] {
        let Some(page) = page(data, view, 1) else { return };
        let foul = page.chars().find(|c| steers_a_terminal(*c));
        assert!(foul.is_none(), "{view:?} prints {foul:?}");
    }
    let tabs = page(data, &["packets", "--format", "tsv"], 1).unwrap_or_default();
    assert!(tabs.lines().all(|line| line.split('\t').count() == 7), "a row has seven columns");
    let report = page(data, &["report", "--json"], 1).unwrap_or_default();
    assert!(serde_json::from_str::<serde_json::Value>(&report).is_ok(), "the report is a JSON object");
    assert!(!report.contains(steers_a_terminal), "the report in JSON steers no terminal");
    for view in [
        &["packets", "--json"][..],
        &["anomalies", "--json"],
        &["follow", "--json", "--message-text"],
        &["sessions", "--json"],
        EVE,
    ] {
        let lines = page(data, view, 1).unwrap_or_default();
        for line in lines.lines() {
            assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{view:?} is an object a line");
        }
        assert!(!lines.contains(steers_a_terminal), "{view:?} steers no terminal");
        assert!(page(data, view, 2).as_deref() == Some(lines.as_str()), "{view:?} differs on two threads");
    }
}

/// Suricata's events.
const EVE: &[&str] = &["log", "--format", "eve", "-o", "-"];

/// What a view prints, in the clear and without colours; `None` where `data` is no capture.
fn page(data: &[u8], view: &[&str], jobs: u32) -> Option<String> {
    let mut source = capture::read_from(Cursor::new(data.to_vec()), "-", &capture::Options::default()).ok()?;
    let plan = plan(view, jobs);
    let wanted = Wanted { session: None, ..output::wanted(&plan) };
    let config = Config {
        shard: plan.shard,
        thread: Shard::WHOLE,
        ports: Vec::new(),
        packets: wanted.packets(),
        hashes: wanted.hashes,
    };
    let mut out = Vec::new();
    let mut keys = KeySource::open(&plan, false).expect("no file is read");
    let mut printed = output::output(&plan, false, &mut out).expect("memory takes all");
    let done = run::run(&mut *source, &config, &wanted, &mut keys, plan.jobs, &mut *printed, &mut Progress::new(false));
    let done = done.expect("memory is read and written without errors");
    if let Err(error) = printed.finish(&done.capture, &done.limits) {
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    drop(printed);
    Some(String::from_utf8(out).expect("pages are UTF-8"))
}

fn plan(view: &[&str], jobs: u32) -> Plan {
    let jobs = jobs.to_string();
    let mut words = vec!["overhear"];
    words.extend_from_slice(view);
    words.extend(["-", "--color", "never", "--reveal", "--jobs", &jobs]);
    if view == ["hex"] {
        words.push("1-4096");
    }
    let cli = Cli::try_parse_from(words).expect("these words are a command");
    Plan::of(cli.command).expect("this command can be done")
}

/// Control characters but the end of a line, and those that change the direction of text.
fn steers_a_terminal(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn captures(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("the samples are there");
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
        paths.retain(|path| path.is_file() && path.extension().is_none_or(|e| e != "keys" && e != "md"));
        paths.sort();
        paths
    }

    fn samples() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
    }

    #[test]
    fn every_sample_prints_clean_pages() {
        let all = captures(&samples()).into_iter().chain(captures(&samples().join("formats")));
        let mut count = 0;
        for path in all {
            fuzz_page(&fs::read(path).expect("readable"));
            count += 1;
        }
        assert!(count > 20, "samples are missing");
    }

    #[test]
    fn mutated_samples_print_clean_pages() {
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random as usize
        };
        for path in captures(&samples()) {
            let octets = fs::read(&path).expect("readable");
            if octets.len() > 20_000 {
                continue;
            }
            for _ in 0..8 {
                let mut mutated = octets.clone();
                for _ in 0..1 + next() % 8 {
                    let at = next() % mutated.len();
                    mutated[at] = next() as u8;
                }
                mutated.truncate(if next() % 4 == 0 { next() % octets.len() } else { octets.len() });
                fuzz_page(&mutated);
            }
        }
    }
}
