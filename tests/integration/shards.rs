//! Shards and threads give what one process with one thread gives.

use serde_json::Value;

use super::harness::{assert_same, run, sample, samples};

/// Views whose records stand one a line, in an order of their own.
const LINES: &[&[&str]] = &[
    &["packets", "--format", "tsv"],
    &["packets", "--format", "json"],
    &["follow", "--json"],
    &["sessions", "--json"],
    &["log", "--format", "eve", "-o", "-"],
];

/// Each sample, and all of them as one capture with many sessions.
fn captures() -> Vec<Vec<String>> {
    let each: Vec<String> = samples().iter().map(|name| sample(name)).collect();
    each.iter().map(|path| vec![path.clone()]).chain([each.clone()]).collect()
}

fn text(view: &[&str], paths: &[String], more: &[&str]) -> String {
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let run = run(&[view, &paths, more].concat());
    assert_eq!(run.status, Some(0), "{view:?} {more:?} {paths:?}: {}", run.stderr);
    run.text()
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[test]
fn the_union_of_the_shards_is_the_whole() {
    for paths in captures() {
        for view in LINES {
            let whole = text(view, &paths, &[]);
            let shards = ["0/3", "1/3", "2/3"].map(|shard| text(view, &paths, &["--shard", shard]));
            assert_same(&format!("{view:?} of {paths:?}"), &sorted(&whole), &sorted(&shards.concat()));
            // Each is in the order of the whole.
            for shard in shards {
                let mut whole = whole.lines();
                assert!(shard.lines().all(|line| whole.any(|other| other == line)), "{view:?} of {paths:?}");
            }
        }
    }
}

#[test]
fn the_reports_of_all_shards_together_are_the_report_of_the_whole() {
    for paths in captures() {
        let report = |more: &[&str]| -> Value {
            serde_json::from_str(&text(&["report", "--json"], &paths, more)).expect("a report is one JSON object")
        };
        let whole = report(&[]);
        let shards = ["0/3", "1/3", "2/3"].map(|shard| report(&["--shard", shard]));
        for list in ["sessions", "anomalies"] {
            let of = |report: &Value| -> Vec<String> {
                report[list].as_array().expect("a list").iter().map(ToString::to_string).collect()
            };
            let union: Vec<String> = shards.iter().flat_map(of).collect();
            let what = format!("{list} of {paths:?}");
            assert_same(&what, &sorted(&of(&whole).join("\n")), &sorted(&union.join("\n")));
        }
        assert!(shards.iter().all(|shard| shard["capture"] == whole["capture"]), "{paths:?}: every shard reads all");
    }
}

#[test]
fn sessions_are_spread_over_the_shards() {
    let all = captures().pop().expect("all samples as one are the last");
    let counts =
        ["0/3", "1/3", "2/3"].map(|shard| text(&["sessions", "--json"], &all, &["--shard", shard]).lines().count());
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

#[test]
fn threads_change_no_octet_of_the_output() {
    for paths in captures() {
        for view in VIEWS {
            let one = text(view, &paths, &["--jobs", "1"]);
            assert_same(&format!("{view:?} of {paths:?}"), &one, &text(view, &paths, &["--jobs", "3"]));
        }
        let hex = run(&["hex", "--jobs", "3", &paths[0], "1-5"]);
        assert_eq!(hex.stdout, run(&["hex", &paths[0], "1-5"]).stdout, "{paths:?}");
    }
}

#[test]
fn the_threads_of_a_shard_give_what_the_shard_gives() {
    for paths in captures() {
        for view in VIEWS {
            let one = text(view, &paths, &["--shard", "1/2"]);
            let two = text(view, &paths, &["--shard", "1/2", "--jobs", "2"]);
            assert_same(&format!("{view:?} of {paths:?}"), &one, &two);
        }
    }
}

/// What a person and what a program reads.
const VIEWS: &[&[&str]] = &[
    &["report"],
    &["report", "--json"],
    &["packets"],
    &["packets", "--format", "tsv"],
    &["follow"],
    &["follow", "--json"],
    &["sessions"],
    &["log", "--format", "eve", "-o", "-"],
];
