//! Messages, attachments and certificates as files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::harness::{Side, conversation, run, sample};

/// Extracts samples into a directory of their own; the directory and its manifest.
fn extracted(samples: &[&str], more: &[&str]) -> (tempfile::TempDir, Value) {
    let paths: Vec<String> = samples.iter().map(|name| sample(name)).collect();
    extracted_from(&paths, more)
}

fn extracted_from(paths: &[String], more: &[&str]) -> (tempfile::TempDir, Value) {
    let folder = tempfile::tempdir().expect("a directory can be made");
    let mut words = vec!["extract", "-o", folder.path().to_str().expect("a path in UTF-8")];
    words.extend(paths.iter().map(String::as_str));
    words.extend(more);
    let run = run(&words);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let manifest = std::fs::read_to_string(folder.path().join("manifest.json")).expect("there is a manifest");
    (folder, serde_json::from_str(&manifest).expect("the manifest is JSON"))
}

/// Every file below a directory but the manifest, with its octets.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a directory can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("manifest.json") {
                let name = path.strip_prefix(folder).expect("below").to_owned();
                found.insert(name, std::fs::read(&path).expect("a file can be read"));
            }
        }
    }
    found
}

#[test]
fn attachments_are_what_pythons_mail_library_makes_of_the_message() {
    let (folder, manifest) = extracted(&["attachments-25"], &[]);
    let script = "import email, hashlib, sys\n\
        for part in email.message_from_binary_file(open(sys.argv[1], 'rb')).walk():\n\
        \x20   if part.get_filename(): print(hashlib.sha256(part.get_payload(decode=True)).hexdigest(), part.get_filename())";
    let entries = manifest["files"].as_array().expect("a list");
    let of_kind = |kind: &str| entries.iter().filter(|entry| entry["kind"] == kind).collect::<Vec<_>>();
    let message = of_kind("message")[0];
    let path = folder.path().join(message["path"].as_str().expect("a path"));
    let python = Command::new("python3").args(["-c", script]).arg(&path).output().expect("python3 runs");
    let expected = String::from_utf8(python.stdout).expect("text");
    // The library gives a forwarded message no octets of its own; it is the last file here.
    let ours: Vec<String> = of_kind("attachment")
        .iter()
        .filter(|entry| entry["declared"] != "message/rfc822")
        .map(|entry| {
            format!("{} {}", entry["sha256"].as_str().expect("a hash"), entry["name"].as_str().expect("a name"))
        })
        .collect();
    assert_eq!(ours.len(), 3);
    assert_eq!(ours, expected.lines().collect::<Vec<_>>());
    let sniffed: Vec<_> = of_kind("attachment").iter().map(|entry| entry["sniffed"].clone()).collect();
    assert_eq!(sniffed, ["application/pdf", "image/png", "text/plain", "text/plain"]);
    let names: Vec<String> = files(folder.path()).keys().map(|path| path.display().to_string()).collect();
    let session = message["session"].as_u64().expect("a number");
    assert_eq!(
        names,
        [
            format!("attachments/{session}-1-1-report.pdf"),
            format!("attachments/{session}-1-2-Hafen für Bob.png"),
            format!("attachments/{session}-1-3-profile"),
            format!("attachments/{session}-1-4-message.eml"),
            format!("messages/{session}-1.eml"),
        ]
    );
    let text = std::fs::read_to_string(&path).expect("a message in UTF-8");
    assert!(text.contains("\r\n.\r\nAlice"), "the stuffed dot is one dot again");
}

#[test]
fn every_file_has_the_size_and_hash_that_the_manifest_states() {
    let (folder, manifest) = extracted(&["attachments-25", "starttls-587-tls12", "smtp-pipelining-bdat"], &[]);
    let mut files = files(folder.path());
    for entry in manifest["files"].as_array().expect("a list") {
        let path = entry["path"].as_str().expect("a path");
        let octets = files.remove(Path::new(path)).unwrap_or_else(|| panic!("{path} was written"));
        assert_eq!(entry["size"], octets.len(), "{path}");
        let sum = Command::new("sha256sum").arg(folder.path().join(path)).output().expect("sha256sum runs").stdout;
        assert!(sum.starts_with(entry["sha256"].as_str().expect("a hash").as_bytes()), "{path}");
        assert_eq!(entry["complete"], true, "{path}");
        if entry["kind"] == "certificate" {
            let file = folder.path().join(path);
            let read = Command::new("openssl").args(["x509", "-inform", "DER", "-noout", "-in"]).arg(file).status();
            assert!(read.expect("openssl runs").success(), "{path}");
        }
    }
    assert!(files.is_empty(), "{files:?} are not in the manifest");
}

#[test]
fn what_is_missing_is_named_and_nothing_stands_in_its_place() {
    let (whole, _) = extracted(&["bulk-25"], &[]);
    let (folder, manifest) = extracted(&["missing-segment-25"], &[]);
    let entry = &manifest["files"][0];
    assert_eq!((&entry["complete"], &entry["missing"]), (&Value::Bool(false), &Value::from(1448)));
    let (offset, octets) = (entry["gaps"][0]["offset"].as_u64(), entry["gaps"][0]["octets"].as_u64());
    let (offset, octets) = (offset.expect("a number") as usize, octets.expect("a number") as usize);
    let only = |folder: &Path| files(folder).into_values().next().expect("a message");
    let (whole, cut) = (only(whole.path()), only(folder.path()));
    assert_eq!(cut.len() + octets, whole.len());
    assert!(whole[..offset] == cut[..offset] && whole[offset + octets..] == cut[offset..]);
}

#[test]
fn threads_and_shares_write_the_same_files() {
    let samples = ["attachments-25", "bulk-25", "starttls-587-tls12", "lossy-25", "starttls-not-used-auth-login"];
    let (whole, _) = extracted(&samples, &[]);
    let (threads, _) = extracted(&samples, &["--jobs", "3"]);
    assert!(files(whole.path()) == files(threads.path()));
    let mut shares = BTreeMap::new();
    for share in ["0/2", "1/2"] {
        shares.append(&mut files(extracted(&samples, &["--shard", share]).0.path()));
    }
    assert!(files(whole.path()) == shares && shares.len() > 5);
}

#[test]
fn what_is_there_already_is_not_written_over() {
    let (folder, _) = extracted(&["bulk-25"], &[]);
    let before = files(folder.path());
    let again = run(&["extract", &sample("bulk-25"), "-o", folder.path().to_str().expect("a path in UTF-8")]);
    assert_eq!(again.status, Some(2));
    assert!(again.stderr.contains("not written over"), "{}", again.stderr);
    assert!(files(folder.path()) == before);
}

#[test]
fn a_forwarded_message_is_a_file_as_it_was_sent() {
    let inner = "From: carol@example.org\r\nSubject: plans\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\n\r\nSee.\r\n--in\r\n\
        Content-Type: text/csv; name=plan.csv\r\nContent-Disposition: attachment; filename=plan.csv\r\n\r\na,b\r\n--in--\r\n";
    let message = format!(
        "From: alice@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=out\r\n\r\n\
         --out\r\n\r\nForwarded.\r\n--out\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--out--\r\n.\r\n"
    );
    let capture = conversation(&[
        (Side::Server, b"220 mx.example.org ESMTP\r\n"),
        (Side::Client, b"EHLO client.example.org\r\n"),
        (Side::Server, b"250 mx.example.org\r\n"),
        (Side::Client, b"MAIL FROM:<alice@example.org>\r\n"),
        (Side::Server, b"250 2.1.0 Ok\r\n"),
        (Side::Client, b"RCPT TO:<bob@example.org>\r\n"),
        (Side::Server, b"250 2.1.5 Ok\r\n"),
        (Side::Client, b"DATA\r\n"),
        (Side::Server, b"354 go\r\n"),
        (Side::Client, message.as_bytes()),
        (Side::Server, b"250 2.0.0 Ok\r\n"),
        (Side::Client, b"QUIT\r\n"),
        (Side::Server, b"221 2.0.0 Bye\r\n"),
    ]);
    let file = tempfile::NamedTempFile::new().expect("a file can be made");
    std::fs::write(file.path(), capture).expect("a file can be written");
    let (folder, manifest) = extracted_from(&[file.path().to_str().expect("a path in UTF-8").to_owned()], &[]);
    let written = files(folder.path());
    let forwarded = Path::new("attachments/1-1-1-message.eml");
    assert_eq!(written.get(forwarded).map(|octets| String::from_utf8_lossy(octets)).as_deref(), Some(inner));
    let entries = manifest["files"].as_array().expect("a list");
    let entry = entries.iter().find(|entry| entry["path"] == "attachments/1-1-1-message.eml").expect("it is listed");
    assert_eq!((&entry["declared"], &entry["complete"]), (&"message/rfc822".into(), &Value::Bool(true)));
    assert_eq!(written.get(Path::new("attachments/1-1-2-plan.csv")).map(Vec::as_slice), Some(&b"a,b"[..]));
}
