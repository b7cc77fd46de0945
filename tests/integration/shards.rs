//! Shards and threads give what one process with one thread gives.

use super::harness::{assert_same, run, sample, samples};

/// Views whose records stand one a line, in an order of their own.
const LINES: &[&[&str]] = &[
    &["packets", "--format", "tsv"],
    &["packets", "--format", "json"],
    &["follow", "--json"],
    &["sessions", "--json"],
];

fn lines(view: &[&str], path: &str, more: &[&str]) -> Vec<String> {
    let run = run(&[view, &[path], more].concat());
    assert_eq!(run.status, Some(0), "{view:?} {path} {more:?}: {}", run.stderr);
    let mut lines: Vec<String> = run.text().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn the_union_of_the_shards_is_the_whole() {
    for name in samples() {
        let path = sample(&name);
        for view in LINES {
            let whole = lines(view, &path, &[]);
            let mut union: Vec<String> =
                ["0/3", "1/3", "2/3"].iter().flat_map(|shard| lines(view, &path, &["--shard", shard])).collect();
            union.sort();
            assert_same(&format!("{view:?} of {name}"), &whole.join("\n"), &union.join("\n"));
        }
    }
}

#[test]
fn the_sessions_of_the_reports_of_all_shards_are_those_of_the_whole() {
    let sessions = |path: &str, more: &[&str]| -> Vec<serde_json::Value> {
        let run = run(&[&["report", "--json", path], more].concat());
        let report: serde_json::Value = serde_json::from_slice(&run.stdout).expect("a report is one JSON object");
        report["sessions"].as_array().expect("sessions are a list").clone()
    };
    for name in samples() {
        let path = sample(&name);
        let by_number = |mut all: Vec<serde_json::Value>| {
            all.sort_by_key(|session| session["session"].as_u64());
            all
        };
        let whole = by_number(sessions(&path, &[]));
        let union = by_number(["0/2", "1/2"].iter().flat_map(|s| sessions(&path, &["--shard", s])).collect());
        assert!(whole == union, "the shards of {name} differ from the whole");
    }
}

#[test]
fn threads_change_no_octet_of_the_output() {
    let all: Vec<String> = samples().iter().map(|name| sample(name)).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    for view in
        [&["report"][..], &["report", "--json"], &["packets"], &["follow"], &["follow", "--json"], &["sessions"]]
    {
        let one = run(&[view, &all].concat());
        let three = run(&[view, &["--jobs", "3"], &all].concat());
        assert_eq!(one.status, Some(0), "{}", one.stderr);
        assert_same(&format!("{view:?}"), &one.text(), &three.text());
    }
    let share = run(&[&["packets", "--shard", "1/2"], &all[..]].concat());
    let threads = run(&[&["packets", "--shard", "1/2", "--jobs", "2"], &all[..]].concat());
    assert_same("a share in two threads", &share.text(), &threads.text());
}
