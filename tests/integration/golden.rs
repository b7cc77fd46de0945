//! Each sample's output in every view, against the golden outputs beside it.
//!
//! `make bless` writes them anew; look at the difference before you commit it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::harness::{assert_same, is_blessing, root, run, sample, samples};

/// A golden file's name, and the command before the sample's path.
const VIEWS: &[(&str, &[&str])] = &[
    ("report.txt", &["report"]),
    ("report.json", &["report", "--json", "--sort"]),
    ("sessions.txt", &["sessions"]),
    ("packets.txt", &["packets"]),
    ("packets.tsv", &["packets", "--format", "tsv"]),
    ("follow.txt", &["follow"]),
    ("explain.txt", &["explain"]),
    ("follow.ndjson", &["follow", "--json"]),
    ("anomalies.txt", &["anomalies"]),
];

/// Samples in other forms whose outputs are not those of the plain file, with the exit status. The
/// rest of `samples/formats` is compared with the plain file in `sources`.
pub const OTHER_FORMS: &[(&str, i32)] =
    &[("cut-short.pcap", 3), ("snaplen-96.pcap", 3), ("starttls-587-ns.pcap", 0), ("starttls-587.pcapng", 0)];

/// The frames that are shown in hex; of every other sample, the first frame of its dialogue.
const FRAMES: &[(&str, &str)] = &[
    ("cleartext-25", "1-12"),
    ("dns-nbns", "1-8"),
    ("gmail-2019-frame", "1"),
    ("smtp-ipv6", "1-8"),
    ("smtp-pipelining-bdat", "10-13"),
    ("snaplen-96.pcap", "13-15"),
    ("starttls-587", "8-19"),
    ("starttls-587-tls12", "14-18"),
    ("starttls-not-used-auth-login", "11-16"),
];

/// The samples whose events, as Suricata writes them, are kept too.
const EVE: [&str; 5] = ["attachments-25", "cleartext-25", "smtp-pipelining-bdat", "starttls-587", "starttls-587-tls12"];

/// Every capture that has golden outputs: their folder's name, its path, the exit status.
fn captures() -> Vec<(String, String, i32)> {
    let plain = samples().into_iter().map(|name| (name.clone(), sample(&name), 0));
    let forms =
        OTHER_FORMS.iter().map(|(name, status)| ((*name).to_owned(), format!("samples/formats/{name}"), *status));
    plain.chain(forms).collect()
}

fn folder() -> PathBuf {
    root().join("samples/golden")
}

fn check(file: &Path, got: &str) {
    if is_blessing() {
        std::fs::create_dir_all(file.parent().expect("a golden file is in a folder")).expect("a folder can be made");
        std::fs::write(file, got).expect("a golden file can be written");
        return;
    }
    let expected = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}; try make bless", file.display()));
    assert_same(&file.display().to_string(), &expected, got);
}

#[test]
fn every_view_of_every_sample_is_as_it_was_approved() {
    for (name, path, status) in captures() {
        for (golden, view) in VIEWS {
            let run = run(&[view, &[path.as_str()][..]].concat());
            assert_eq!(run.status, Some(status), "{golden} of {name}: {}", run.stderr);
            check(&folder().join(&name).join(golden), &run.text());
        }
    }
}

#[test]
fn frames_in_hex_are_as_they_were_approved() {
    for (name, path, status) in captures() {
        let frames = FRAMES.iter().find(|(of, _)| *of == name).map_or("6", |(_, frames)| frames);
        let run = run(&["hex", &path, frames]);
        assert_eq!(run.status, Some(status), "{name}: {}", run.stderr);
        check(&folder().join(&name).join("hex.txt"), &run.text());
    }
}

#[test]
fn events_as_suricata_writes_them_are_as_they_were_approved() {
    for name in EVE {
        let run = run(&["log", &sample(name), "--format", "eve", "-o", "-"]);
        assert_eq!(run.status, Some(0), "{name}: {}", run.stderr);
        check(&folder().join(name).join("eve.json"), &run.text());
    }
}

#[test]
fn no_sample_and_no_golden_output_is_forgotten() {
    if is_blessing() {
        return;
    }
    let views = VIEWS.iter().map(|(golden, _)| *golden).chain(["hex.txt"]);
    let mut expected: BTreeSet<String> =
        captures().iter().flat_map(|(name, ..)| views.clone().map(move |view| format!("{name}/{view}"))).collect();
    expected.extend(EVE.map(|name| format!("{name}/eve.json")));
    let mut golden = BTreeSet::new();
    for name in names(&folder()) {
        golden.extend(names(&folder().join(&name)).iter().map(|file| format!("{name}/{file}")));
    }
    assert_eq!(expected, golden);
    let told = std::fs::read_to_string(root().join("samples/README.md")).expect("samples/README.md is there");
    for name in samples() {
        assert!(told.contains(&format!("`{name}.pcap`")), "samples/README.md says nothing of {name}");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    entries.map(|entry| entry.expect("it can be read").file_name().into_string().expect("names are UTF-8")).collect()
}
