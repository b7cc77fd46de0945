//! Anomalies, the catalogue of them, and `--fail-on`.

use serde_json::Value;

use super::harness::{run, sample, samples};

#[test]
fn the_catalogue_lists_every_anomaly_and_explains_each() {
    let catalogue: Vec<Value> = serde_json::from_str(&run(&["anomalies", "--json"]).text()).expect("a list of objects");
    let listed = run(&["anomalies"]).text();
    assert!(catalogue.len() > 50, "{} entries", catalogue.len());
    for entry in &catalogue {
        let id = entry["id"].as_str().expect("a name");
        assert!(listed.contains(id), "{id} is listed");
        let explained = run(&["anomalies", "--explain", id]);
        assert_eq!(explained.status, Some(0), "{id}");
        assert!(explained.text().contains(entry["source"].as_str().expect("a source")), "{id}");
    }
    let unknown = run(&["anomalies", "--explain", "no-such-thing"]);
    assert_eq!((unknown.status, unknown.stdout.len()), (Some(2), 0));
    assert!(unknown.stderr.contains("no-such-thing"), "{}", unknown.stderr);
}

#[test]
fn every_anomaly_of_a_sample_is_in_the_catalogue_and_shows_its_packets() {
    let mut seen = 0;
    for name in samples() {
        for line in run(&["anomalies", "--json", &sample(&name)]).text().lines() {
            let anomaly: Value = serde_json::from_str(line).expect("an object a line");
            let id = anomaly["id"].as_str().expect("a name");
            assert_eq!(run(&["anomalies", "--explain", id]).status, Some(0), "{name}: {id}");
            let packets = anomaly["evidence"][0]["packets"].as_array().expect("packets");
            assert!(!packets.is_empty(), "{name}: {id}");
            seen += 1;
        }
    }
    assert!(seen > 5, "the samples have anomalies: {seen}");
}

#[test]
fn a_condition_that_is_met_ends_every_view_with_status_1_and_says_why() {
    let refused = sample("starttls-refused");
    let plain = run(&["packets", &refused]);
    for (view, condition) in [
        ("report", "starttls-refused"),
        ("packets", "medium"),
        ("follow", "downgraded"),
        ("sessions", "high,downgraded"),
        ("anomalies", "low"),
    ] {
        let run = run(&[view, "--fail-on", condition, &refused]);
        assert_eq!(run.status, Some(1), "{view} --fail-on {condition}: {}", run.stderr);
        assert!(run.stderr.contains("--fail-on is met by 1 session"), "{}", run.stderr);
        if view == "packets" {
            assert_eq!(run.text(), plain.text(), "the view itself stays as it is");
        }
    }
    let follow = run(&["follow", "--json", "--fail-on", "medium", &refused]);
    assert_eq!(follow.text(), run(&["follow", "--json", &refused]).text());
}

#[test]
fn a_condition_that_is_not_met_changes_nothing_and_one_that_means_nothing_is_refused() {
    let refused = sample("starttls-refused");
    let run_it = |condition| run(&["report", "--fail-on", condition, &refused]);
    assert_eq!(run_it("high").status, Some(0));
    assert_eq!(run_it("smuggling,tls-from-start").status, Some(0));
    let unknown = run_it("worst");
    assert_eq!((unknown.status, unknown.stdout.len()), (Some(2), 0));
    assert!(unknown.stderr.contains("info, low, medium, high"), "{}", unknown.stderr);
}
