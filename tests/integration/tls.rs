//! What is seen of TLS without keys, beside what keys show.

use std::process::Command;

use serde_json::Value;

use super::harness::{Side, conversation, root, run, run_with, sample, samples, skipped};

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

#[test]
fn tls_inside_another_protocol_is_found() {
    let hello = std::fs::read(root().join(sample("starttls-587"))).expect("a sample is there");
    let at = hello.windows(6).position(|w| w[..3] == [22, 3, 1] && w[5] == 1).expect("a ClientHello is in it");
    let hello = &hello[at..at + 517];
    let said: [(Side, &[u8]); 4] = [
        (Side::Server, b"* OK IMAP4rev1 ready\r\n"),
        (Side::Client, b"a1 STARTTLS\r\n"),
        (Side::Server, b"a1 OK begin\r\n"),
        (Side::Client, hello),
    ];
    let report = run_with(&["report", "--json", "-"], Some(&conversation(&said)));
    let report: Value = serde_json::from_slice(&report.stdout).expect("the report is JSON");
    let session = &report["sessions"][0];
    assert_eq!((&session["protocol"], &session["verdict"]), (&"tls".into(), &"not-mail".into()));
    assert_eq!(session["tls"]["upgraded_from"], "imap");
    assert_eq!(session["tls"]["client_hello"]["length"], 512);
    // The server acknowledges and says nothing.
    let anomalies: Vec<_> = report["anomalies"].as_array().expect("a list").iter().map(|a| &a["id"]).collect();
    assert_eq!(anomalies, ["tls-hello-unanswered"]);
}
