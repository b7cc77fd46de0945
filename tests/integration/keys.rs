//! What keys open, and that an observer's view does not depend on them.

use std::fs;

use serde_json::Value;

use super::harness::{assert_same, run, sample};

/// Samples with the keys of their sessions.
const WITH_KEYS: [&str; 3] = ["starttls-587", "starttls-587-tls12", "smtps-465-auth-plain"];

fn read(arguments: &[&str]) -> String {
    let run = run(arguments);
    assert_eq!(run.status, Some(0), "{arguments:?}: {}", run.stderr);
    run.text()
}

fn keys_of(name: &str) -> String {
    format!("samples/{name}.keys")
}

fn lines(arguments: &[&str]) -> Vec<Value> {
    read(arguments).lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
}

/// The only session of a sample in `report --json`.
fn session(arguments: &[&str]) -> Value {
    let report: Value = serde_json::from_str(&read(&[&["report", "--json"], arguments].concat())).expect("JSON");
    report["sessions"][0].clone()
}

fn inside(arguments: &[&str]) -> String {
    session(arguments)["inside"]["text"].as_str().unwrap_or("nothing").to_owned()
}

/// A file with these octets, gone with the folder.
fn file(folder: &tempfile::TempDir, name: &str, octets: &[u8]) -> String {
    let path = folder.path().join(name);
    fs::write(&path, octets).expect("the temporary folder takes files");
    path.to_str().expect("its path is UTF-8").to_owned()
}

#[test]
fn what_an_observer_learns_does_not_depend_on_keys() {
    for name in WITH_KEYS {
        let (capture, keys) = (sample(name), keys_of(name));
        let without = session(&[&capture]);
        let mut with = session(&[&capture, "--keys", &keys]);
        let (inside, messages) = (with["inside"].take(), with["messages"].take());
        assert_eq!(inside["protocol"], "smtp", "{name}");
        let unsealed = |list: &Value| -> Vec<Value> {
            list.as_array().into_iter().flatten().filter(|item| item["sealed"] != Value::Bool(true)).cloned().collect()
        };
        with["tls"]["certificates"] = unsealed(&with["tls"]["certificates"]).into();
        with["auth"] = unsealed(&with["auth"]).into();
        with["messages"] = unsealed(&messages).into();
        with.as_object_mut().expect("an object").remove("inside");
        assert!(without["inferred"]["steps"].as_array().is_some_and(|steps| steps.len() > 10), "{name}");
        assert_same(name, &format!("{without:#}"), &format!("{with:#}"));
        for view in [&["packets", "--format", "tsv"][..], &["hex"], &["log", "--format", "eve", "-o", "-"]] {
            let range = if view == ["hex"] { &["1-30"][..] } else { &[] };
            let plain = read(&[view, &[&capture], range].concat());
            let keyed = read(&[view, &["--keys", &keys, &capture], range].concat());
            assert_same(&format!("{name} {view:?}"), &plain, &keyed);
        }
    }
}

#[test]
fn the_dialogue_inside_reads_as_if_in_the_clear_and_is_marked_as_sealed() {
    let said = lines(&["follow", "--json", "samples/starttls-587.pcap", "--keys", "samples/starttls-587.keys"]);
    let commands: Vec<(&str, bool)> = said
        .iter()
        .filter(|u| u["kind"] == "command")
        .map(|u| (u["text"].as_str().expect("a line"), u["sealed"].as_bool().expect("yes or no")))
        .collect();
    assert_eq!(
        commands,
        [
            ("ehlo client.example.org", false),
            ("STARTTLS", false),
            ("ehlo client.example.org", true),
            ("AUTH PLAIN ••••••••", true),
            ("mail FROM:<alice@example.org> size=441", true),
            ("rcpt TO:<bob@example.org>", true),
            ("data", true),
            ("QUIT", true),
        ]
    );
    let message = said.iter().find(|u| u["kind"] == "message").expect("a message");
    assert_eq!((&message["length"], &message["sealed"]), (&441.into(), &true.into()));
    assert_eq!(message["packets"], serde_json::json!([29]));
    let rcpt = said.iter().find(|u| u["verb"] == "RCPT").expect("a recipient");
    assert_eq!((&rcpt["packets"], &rcpt["length"]), (&serde_json::json!([25]), &27.into()));
    assert!(!said.iter().any(|u| u["kind"] == "tls" && u["reading"] == ""), "no application data stays sealed");
}

#[test]
fn a_sealed_message_is_extracted_with_its_hash_and_the_certificates_of_tls13() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("out");
    let out = out.to_str().expect("UTF-8");
    let (capture, keys) = ("samples/starttls-587.pcap", "samples/starttls-587.keys");
    read(&["extract", capture, "--keys", keys, "-o", out]);
    let manifest: Value =
        serde_json::from_slice(&fs::read(format!("{out}/manifest.json")).expect("a manifest")).expect("JSON");
    let files = manifest["files"].as_array().expect("files");
    let kinds: Vec<&str> = files.iter().map(|file| file["kind"].as_str().expect("a kind")).collect();
    assert_eq!(kinds, ["certificate", "certificate", "message"]);
    assert!(files.iter().all(|file| file["sealed"] == true && file["complete"] == true), "{manifest:#}");
    let told = session(&[capture, "--keys", keys]);
    assert_eq!(told["messages"][0]["sha256"], files[2]["sha256"]);
    assert_eq!(told["tls"]["certificates"][0]["sealed"], true);
    let der = fs::read(format!("{out}/{}", files[0]["path"].as_str().expect("a path"))).expect("the file");
    assert!(der.starts_with(&[0x30, 0x82]) && told["tls"]["certificates"][0]["subject"] == "CN=mail.example.org");
    let text = fs::read_to_string(format!("{out}/messages/3-1.eml")).expect("the message");
    assert!(text.contains("Subject: Minutes of the meeting"), "{text}");
}

#[test]
fn secrets_inside_are_masked_unless_they_are_asked_for() {
    for name in WITH_KEYS {
        let (capture, keys) = (sample(name), keys_of(name));
        let secrets = ["correct-horse-7", "AGFsaWNl"];
        for view in [&["report"][..], &["report", "--json"], &["follow"], &["follow", "--json"]] {
            let page = read(&[view, &[&capture, "--keys", &keys]].concat());
            assert!(secrets.iter().all(|secret| !page.contains(secret)), "{name} {view:?}");
        }
        let page = read(&["follow", &capture, "--keys", &keys, "--reveal"]);
        assert!(page.contains("AGFsaWNl"), "{name}");
    }
}

#[test]
fn keys_in_the_capture_itself_are_used_unless_they_are_not_wanted() {
    let capture = "samples/formats/starttls-587.pcapng";
    assert_eq!(inside(&[capture]), "all 21 sealed records opened");
    assert_eq!(inside(&[capture, "--no-keys"]), "nothing");
    let with_file = read(&["follow", "--json", "samples/starttls-587.pcap", "--keys", "samples/starttls-587.keys"]);
    assert_same(capture, &with_file, &read(&["follow", "--json", capture]));
}

/// A decryption secrets block at any place of a pcapng capture: in front, before the packets that need it, in a
/// section of its own behind others.
#[test]
fn keys_may_stand_anywhere_before_the_octets_that_need_them() {
    let original = fs::read("samples/formats/starttls-587.pcapng").expect("the sample is there");
    let blocks = blocks(&original);
    let secrets = blocks.iter().position(|block| block[..4] == [10, 0, 0, 0]).expect("the sample carries keys");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let first_packet = blocks.iter().position(|block| block[..4] == [6, 0, 0, 0]).expect("packets");
    for packets_before in [0, 1, 12, 14, 18] {
        let mut moved: Vec<&[u8]> = blocks.clone();
        let block = moved.remove(secrets);
        let place = first_packet - usize::from(secrets < first_packet) + packets_before;
        moved.insert(place, block);
        let path = file(&folder, &format!("moved-{packets_before}.pcapng"), &moved.concat());
        assert_eq!(inside(&[&path]), "all 21 sealed records opened", "after {packets_before} packets");
    }
    // The same packets in two sections, the second of which brings the keys first.
    let mut sections: Vec<&[u8]> = blocks.clone();
    let block = sections.remove(secrets);
    let begin = first_packet - usize::from(secrets < first_packet);
    let head: Vec<&[u8]> = sections[..begin].to_vec();
    sections.splice(begin + 15..begin + 15, head.into_iter().chain([block]));
    let path = file(&folder, "sections.pcapng", &sections.concat());
    assert_eq!(inside(&[&path]), "all 21 sealed records opened");
}

/// The blocks of a little-endian pcapng file.
fn blocks(mut octets: &[u8]) -> Vec<&[u8]> {
    let mut blocks = Vec::new();
    while let Some(length) = octets.get(4..8) {
        let length = u32::from_le_bytes(length.try_into().expect("four octets")) as usize;
        let (block, rest) = octets.split_at(length);
        blocks.push(block);
        octets = rest;
    }
    blocks
}

#[test]
fn keys_that_do_not_fit_or_are_partly_there_are_said_plainly() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let capture = "samples/starttls-587.pcap";
    let log = fs::read_to_string("samples/starttls-587.keys").expect("keys");
    let said = |name: &str, lines: Vec<String>| {
        inside(&[capture, "--keys", &file(&folder, name, (lines.join("\n") + "\n").as_bytes())])
    };
    let only = |words: &[&str]| -> Vec<String> {
        log.lines().filter(|line| words.iter().any(|word| line.starts_with(word))).map(str::to_owned).collect()
    };
    assert_eq!(
        inside(&[capture, "--keys", "samples/starttls-587-tls12.keys"]),
        "keys given, but none for this session"
    );
    assert!(said("client", only(&["CLIENT_"])).starts_with("the client's keys only: "));
    assert!(said("server", only(&["SERVER_"])).starts_with("the server's keys only: "));
    // Five records of the handshake stay sealed.
    assert_eq!(
        said("traffic", only(&["CLIENT_TRAFFIC", "SERVER_TRAFFIC"])),
        "16 of 21 sealed records opened; for the handshake there are no keys"
    );
    assert_eq!(
        said("handshake", only(&["CLIENT_HANDSHAKE", "SERVER_HANDSHAKE"])),
        "only the handshake opened, 5 of 21 sealed records: for what is said there are no keys"
    );
    let wrong = |line: &str| {
        let (start, secret) = line.rsplit_once(' ').expect("three words");
        format!("{start} {}", secret.chars().rev().collect::<String>())
    };
    assert_eq!(
        said("wrong", log.lines().map(wrong).collect()),
        "the keys given for this session do not fit: record 4 did not open"
    );
    // A wrong log beside the right one does no harm.
    let wrong = file(&folder, "wrong-too", log.lines().map(wrong).collect::<Vec<_>>().join("\n").as_bytes());
    assert_eq!(
        inside(&[capture, "--keys", &wrong, "--keys", "samples/starttls-587.keys"]),
        "all 21 sealed records opened"
    );
}

#[test]
fn a_key_log_cut_anywhere_opens_what_its_whole_lines_open() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let capture = "samples/starttls-587.pcap";
    let log = fs::read("samples/starttls-587.keys").expect("keys");
    let mut last = 0;
    for cut in (0..=log.len()).step_by(53).chain([log.len()]) {
        let path = file(&folder, "cut", &log[..cut]);
        let run = run(&["report", "--json", capture, "--keys", &path]);
        let lines = log[..cut].split(|octet| *octet == b'\n').filter(|line| !line.is_empty()).count();
        // The first line, cut before its end, makes a file without any key.
        if lines <= 1 && run.status == Some(2) {
            assert!(run.stderr.contains("is no key log"), "{}", run.stderr);
            continue;
        }
        let report: Value = serde_json::from_str(&run.text()).expect("JSON");
        let opened = &report["sessions"][0]["inside"]["opened"];
        let opened = opened.as_array().map_or(0, |both| both.iter().filter_map(Value::as_u64).sum::<u64>());
        assert!(opened >= last, "{cut} octets open {opened} records, fewer than before");
        last = opened;
    }
    assert_eq!(last, 21);
}

#[test]
fn hostile_lines_in_a_key_log_are_counted_and_do_no_harm() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = fs::read("samples/starttls-587.keys").expect("keys");
    let noise: &[&[u8]] = &[
        b"# a comment\r\n\r\n",
        b"\x1b]0;title\x07 CLIENT_RANDOM\n",
        b"CLIENT_RANDOM zz zz\n",
        b"CLIENT_RANDOM \xff\xfe \xf0\n",
        b"CLIENT_TRAFFIC_SECRET_0 00 00\n",
        b"RSA Session-ID: Master-Key:\n",
        &[b'A'; 300_000],
        b"\n\0\0\0\n",
    ];
    let path = file(&folder, "hostile", &[&noise.concat()[..], &log].concat());
    let run = run(&["report", "--json", "samples/starttls-587.pcap", "--keys", &path]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(run.stderr.contains("7 lines are none of a key log"), "{}", run.stderr);
    assert!(run.text().contains("all 21 sealed records opened"));
}

#[test]
fn key_files_that_cannot_be_used_are_told_before_anything_is_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (arguments, why) in [
        (["--keys", "samples/none.keys"], "cannot be opened"),
        (["--keys", "README.md"], "is no key log"),
        (["--server-key", "README.md"], "no RSA private key"),
        (["--server-key", &file(&folder, "empty", b"")], "no RSA private key"),
    ] {
        let run = run(&[&["report", "samples/starttls-587.pcap"], &arguments[..]].concat());
        assert_eq!(run.status, Some(2), "{arguments:?}");
        assert!(run.stderr.contains(why), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn threads_and_shares_open_the_same() {
    let all: Vec<String> = WITH_KEYS.iter().map(|name| keys_of(name)).collect();
    let captures: Vec<String> = WITH_KEYS.iter().map(|name| sample(name)).collect();
    let mut arguments: Vec<&str> = vec!["follow", "--json"];
    arguments.extend(captures.iter().map(String::as_str));
    for keys in &all {
        arguments.extend(["--keys", keys]);
    }
    let one = read(&arguments);
    assert!(one.matches("\"sealed\":true").count() > 50);
    assert_same("two threads", &one, &read(&[&arguments[..], &["--jobs", "2"]].concat()));
    let mut shares: Vec<String> = (0..3)
        .flat_map(|share| {
            read(&[&arguments[..], &["--shard", &format!("{share}/3")]].concat())
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    let mut whole: Vec<String> = one.lines().map(str::to_owned).collect();
    shares.sort();
    whole.sort();
    assert_eq!(shares, whole);
}
