//! What is seen of TLS without keys, beside what keys show.

use std::process::Command;

use serde_json::Value;

use super::harness::{root, run, sample, samples, skipped};

#[test]
fn lengths_of_text_without_keys_are_those_that_keys_show() {
    if !Command::new("tshark").arg("--version").output().is_ok_and(|output| output.status.success()) {
        skipped("tshark is not installed");
        return;
    }
    let mut compared = 0;
    for name in samples() {
        if !root().join(format!("samples/{name}.keys")).exists() {
            continue;
        }
        let (opened, sealed) = (opened(&name), sealed(&name));
        assert_eq!(opened.len(), sealed.len(), "{name}: {opened:?} {sealed:?}");
        for (opened, (min, max)) in opened.iter().zip(&sealed) {
            assert!((min..=max).contains(&opened), "{name}: {opened} octets are not {min} to {max}");
        }
        compared += sealed.len();
    }
    assert!(compared > 50, "{compared} records were compared");
}

/// Octets in each sealed record in the order of the capture, as tshark finds by opening it.
fn opened(name: &str) -> Vec<u64> {
    let output = Command::new("tshark")
        .args(["-n", "-x", "-r", &sample(name), "-o", &format!("tls.keylog_file:samples/{name}.keys")])
        .current_dir(root())
        .output()
        .expect("tshark runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lengths = text.lines().filter_map(|line| line.strip_prefix("Decrypted TLS (")?.split(' ').next()?.parse().ok());
    lengths.collect()
}

/// Least and most octets in each sealed record, as their lengths tell.
fn sealed(name: &str) -> Vec<(u64, u64)> {
    let text = run(&["follow", "--json", &sample(name)]).text();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    let records = lines.filter(|line| line["kind"] == "tls" && line["sealed"] == true);
    records
        .map(|record| {
            let bound = |name: &str| record["plaintext_length"][name].as_u64().expect("the length is known");
            (bound("min"), bound("max"))
        })
        .collect()
}
