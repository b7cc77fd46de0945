//! Each sample's output in every view, against the golden outputs beside it.
//!
//! `make bless` writes them anew; look at the difference before you commit it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::harness::{assert_same, is_blessing, root, run, sample, samples};

/// A golden file's name, and the command before the sample's path.
const VIEWS: &[(&str, &[&str])] = &[
    ("report.txt", &["report"]),
    ("report.json", &["report", "--json", "--sort"]),
    ("sessions.txt", &["sessions"]),
    ("packets.txt", &["packets"]),
    ("packets.tsv", &["packets", "--format", "tsv"]),
    ("follow.txt", &["follow"]),
    ("follow.ndjson", &["follow", "--json"]),
];

fn folder(name: &str) -> PathBuf {
    root().join("samples/golden").join(name)
}

fn check(file: PathBuf, got: &str) {
    if is_blessing() {
        std::fs::create_dir_all(file.parent().expect("a golden file is in a folder")).expect("a folder can be made");
        std::fs::write(&file, got).expect("a golden file can be written");
        return;
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}; try make bless", file.display()));
    assert_same(&file.display().to_string(), &expected, got);
}

#[test]
fn every_view_of_every_sample_is_as_it_was_approved() {
    for name in samples() {
        let path = sample(&name);
        for (golden, view) in VIEWS {
            let run = run(&[view, &[path.as_str()][..]].concat());
            assert_eq!(run.status, Some(0), "{golden} of {name}: {}", run.stderr);
            check(folder(&name).join(golden), &run.text());
        }
    }
}

#[test]
fn frames_in_hex_are_as_they_were_approved() {
    for (name, packets) in [
        ("gmail-2019-frame", "1"),
        ("starttls-587", "8-19"),
        ("cleartext-25", "1-12"),
        ("starttls-not-used-auth-login", "11-16"),
        ("smtp-ipv6", "6-8"),
    ] {
        let run = run(&["hex", &sample(name), packets]);
        assert_eq!(run.status, Some(0), "{name}: {}", run.stderr);
        check(folder(name).join("hex.txt"), &run.text());
    }
}

#[test]
fn no_sample_and_no_golden_output_is_forgotten() {
    let names: BTreeSet<String> = samples().into_iter().collect();
    let golden: BTreeSet<String> = std::fs::read_dir(root().join("samples/golden"))
        .expect("golden outputs are there")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    assert_eq!(names, golden);
    let told = std::fs::read_to_string(root().join("samples/README.md")).expect("samples/README.md is there");
    for name in names {
        assert!(told.contains(&name), "samples/README.md says nothing of {name}");
    }
}
