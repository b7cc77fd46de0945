//! Zeek's logs, read as zeek-cut reads them: by the names in their headers.

use std::collections::BTreeMap;
use std::path::Path;

use super::harness::{Side, conversation, run, sample, samples, temporary};

/// A log's records: column → value.
type Records = Vec<BTreeMap<String, String>>;

fn logs(path: &str, more: &[&str]) -> BTreeMap<String, Records> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let into = folder.path().to_str().expect("a path");
    let run = run(&[&["log", path, "--format", "zeek", "-o", into], more].concat());
    assert!(matches!(run.status, Some(0 | 3)), "{path}: {}", run.stderr);
    read(folder.path())
}

fn read(folder: &Path) -> BTreeMap<String, Records> {
    let mut logs = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("logs are text");
        let head = |word: &str| {
            let line = text.lines().find(|line| line.starts_with(word)).expect("a header line");
            line.split('\t').skip(1).map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(text.starts_with("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"));
        assert_eq!(head("#path"), std::slice::from_ref(&name));
        assert!(text.lines().last().expect("a last line").starts_with("#close\t"));
        let columns = head("#fields");
        assert_eq!(columns.len(), head("#types").len());
        let records: Records = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let values: Vec<&str> = line.split('\t').collect();
                assert_eq!(values.len(), columns.len(), "{name}: {line}");
                columns.iter().cloned().zip(values.iter().map(|v| (*v).to_owned())).collect()
            })
            .collect();
        assert!(!records.is_empty(), "{name}: a log without a record is not written");
        logs.insert(name, records);
    }
    logs
}

#[test]
fn every_sample_s_logs_are_well_formed_and_every_record_belongs_to_a_connection() {
    for name in samples() {
        let logs = logs(&sample(&name), &[]);
        let uids: Vec<&String> = logs.get("conn").into_iter().flatten().map(|conn| &conn["uid"]).collect();
        for (log, records) in logs.iter().filter(|(log, _)| *log != "x509") {
            for record in records {
                assert!(uids.contains(&&record["uid"]), "{name}: {log}: {record:?}");
            }
        }
    }
}

#[test]
fn a_mail_is_a_connection_a_transaction_and_its_files() {
    let logs = logs(&sample("attachments-25"), &[]);
    let [conn] = &logs["conn"][..] else { panic!("{logs:?}") };
    assert_eq!((&conn["service"][..], &conn["conn_state"][..], &conn["history"][..3]), ("smtp", "SF", "ShA"));
    let [smtp] = &logs["smtp"][..] else { panic!("{logs:?}") };
    assert_eq!(
        (&smtp["mailfrom"][..], &smtp["rcptto"][..]),
        ("alice@example.org", "bob@example.org,postmaster@example.org")
    );
    assert_eq!(
        (&smtp["trans_depth"][..], &smtp["tls"][..], &smtp["path"][..]),
        ("1", "F", "192.0.2.20,192.0.2.100,192.0.2.77")
    );
    assert!(smtp["last_reply"].starts_with("250 2.0.0 Ok: queued as "), "{smtp:?}");
    let files: Vec<&String> = logs["files"].iter().map(|file| &file["fuid"]).collect();
    let told: Vec<&str> = smtp["fuids"].split(',').collect();
    assert!(files.len() > 3 && files.iter().all(|fuid| told.contains(&fuid.as_str())), "{logs:?}");
    assert!(logs["files"].iter().any(|file| file["mime_type"] == "application/pdf"), "{logs:?}");
}

#[test]
fn starttls_is_smtp_then_ssl() {
    let logs = logs(&sample("starttls-587"), &[]);
    assert_eq!(logs["conn"][0]["service"], "smtp,ssl");
    let [ssl] = &logs["ssl"][..] else { panic!("{logs:?}") };
    assert_eq!((&ssl["version"][..], &ssl["established"][..], &ssl["ssl_history"][..]), ("TLSv13", "T", "CsiI"));
    assert_eq!(logs["smtp"][0]["tls"], "T");
}

#[test]
fn shards_together_are_the_whole() {
    for name in ["cleartext-25", "dns-nbns", "lossy-25", "starttls-587-tls12"] {
        let whole = logs(&sample(name), &[]);
        let mut union: BTreeMap<String, Records> = BTreeMap::new();
        for shard in ["0/3", "1/3", "2/3"] {
            for (log, records) in logs(&sample(name), &["--shard", shard]) {
                union.entry(log).or_default().extend(records);
            }
        }
        assert_eq!(union, whole, "{name}");
        assert_eq!(logs(&sample(name), &["--jobs", "3"]), whole, "{name}");
    }
}

#[test]
fn a_value_that_means_nothing_to_zeek_or_ends_a_column_is_escaped() {
    let said: &[(Side, &[u8])] = &[
        (Side::Server, b"220 mail.example.org ESMTP\r\n"),
        (Side::Client, b"EHLO -\r\n"),
        (Side::Server, b"250 mail.example.org\r\n"),
        (Side::Client, b"MAIL FROM:<a@example.org>\r\n"),
        (Side::Server, b"250 ok\r\n"),
        (Side::Client, b"RCPT TO:<b@example.org>\r\n"),
        (Side::Server, b"250 ok\r\n"),
        (Side::Client, b"DATA\r\n"),
        (Side::Server, b"354 go on\r\n"),
        (Side::Client, b"Subject: a\tb\x1b[31m\\ \xff\r\n\r\nhello there\r\n.\r\n"),
        (Side::Server, b"250 ok\r\n"),
    ];
    let (_folder, path) = temporary(&conversation(said));
    let logs = logs(path.to_str().expect("a path"), &[]);
    assert_eq!(logs["smtp"][0]["helo"], "\\x2d");
    assert_eq!(logs["smtp"][0]["subject"], "a\\x09b\\x1b[31m\\\\ \\xff");
    assert_eq!(logs["smtp"][0]["last_reply"], "250 ok");
    assert_eq!(logs["files"][0]["seen_bytes"], "13");
}

#[test]
fn logs_are_never_overwritten_and_json_has_the_same_columns() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let into = folder.path().to_str().expect("a path");
    let log = || run(&["log", &sample("cleartext-25"), "--format", "zeek", "--zeek-json", "-o", into]);
    let first = log();
    assert_eq!(first.status, Some(0), "{}", first.stderr);
    let text = std::fs::read_to_string(folder.path().join("smtp.log")).expect("the log is there");
    let record: serde_json::Value = serde_json::from_str(text.lines().next().expect("a record")).expect("an object");
    assert!(record["ts"].is_f64() && record["rcptto"].is_array() && record.get("date").is_none(), "{record}");
    let again = log();
    assert_eq!(again.status, Some(2));
    assert!(again.stderr.contains("is not written over"), "{}", again.stderr);
    let to_nowhere = run(&["log", &sample("cleartext-25"), "--format", "zeek", "-o", "-"]);
    assert_eq!(to_nowhere.status, Some(2));
}
