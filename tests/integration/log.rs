//! Logs for other tools.

use serde_json::Value;

use super::harness::{Side, conversation, run, sample, samples, temporary};

fn events(path: &str) -> Vec<Value> {
    let run = run(&["log", path, "--format", "eve", "-o", "-"]);
    assert_eq!(run.status, Some(0), "{path}: {}", run.stderr);
    run.text().lines().map(|line| serde_json::from_str(line).expect("an event is a JSON object")).collect()
}

/// The events of one type.
fn of<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["event_type"] == kind).collect()
}

#[test]
fn every_event_of_every_sample_has_what_all_events_of_suricata_have() {
    for name in samples() {
        for event in events(&sample(&name)) {
            let time = event["timestamp"].as_str().expect("a time");
            assert_eq!((time.len(), &time[10..11], &time[26..]), (31, "T", "+0000"), "{event}");
            for number in ["flow_id", "src_port", "dest_port", "ip_v"] {
                assert!(event[number].is_u64(), "{number} of {event}");
            }
            for text in ["src_ip", "dest_ip", "community_id"] {
                assert!(event[text].is_string(), "{text} of {event}");
            }
            assert_eq!(event["proto"], "TCP");
            let kind = event["event_type"].as_str().expect("a type");
            assert!(event[kind].is_object(), "{kind} has an object of its name: {event}");
            assert_eq!(event["pcap_cnt"].is_u64(), kind != "flow", "{event}");
        }
    }
}

#[test]
fn a_flow_has_one_id_and_one_flow_event() {
    for name in samples() {
        let events = events(&sample(&name));
        let flows: Vec<&Value> = of(&events, "flow").iter().map(|flow| &flow["flow_id"]).collect();
        for (nth, id) in flows.iter().enumerate() {
            assert!(!flows[..nth].contains(id), "{id} of {name} twice");
        }
        for event in &events {
            assert!(flows.contains(&&event["flow_id"]), "{name}: {event} belongs to no flow");
        }
    }
}

#[test]
fn a_message_tells_its_envelope_its_header_and_its_files() {
    let said: &[(Side, &[u8])] = &[
        (Side::Server, b"220 mail.example.org ESMTP\r\n"),
        (Side::Client, b"EHLO client.example.org\r\n"),
        (Side::Server, b"250 mail.example.org\r\n"),
        (Side::Client, b"MAIL FROM:<a@example.org>\r\n"),
        (Side::Server, b"250 ok\r\n"),
        (Side::Client, b"RCPT TO:<b@example.org>\r\n"),
        (Side::Server, b"250 ok\r\n"),
        (Side::Client, b"DATA\r\n"),
        (Side::Server, b"354 go on\r\n"),
        (
            Side::Client,
            b"From: A <a@example.org>\r\nTo: b@example.org\r\nSubject: hello\r\n\
              Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nsee http://example.org/\r\n--x\r\n\
              Content-Disposition: attachment; filename=\"a.txt\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
              aGVsbG8=\r\n--x--\r\n.\r\n",
        ),
        (Side::Server, b"250 ok\r\n"),
    ];
    let (_folder, path) = temporary(&conversation(said));
    let events = events(path.to_str().expect("a path"));
    let [smtp] = of(&events, "smtp")[..] else { panic!("{events:?}") };
    assert_eq!(smtp["smtp"]["helo"], "client.example.org");
    assert_eq!(smtp["smtp"]["mail_from"], "<a@example.org>");
    assert_eq!(smtp["smtp"]["rcpt_to"][0], "<b@example.org>");
    assert_eq!(smtp["email"]["from"], "A <a@example.org>");
    assert_eq!(smtp["email"]["subject_md5"], "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(smtp["email"]["url"][0], "http://example.org/");
    let [file] = of(&events, "fileinfo")[..] else { panic!("{events:?}") };
    assert_eq!((&file["fileinfo"]["filename"], &file["fileinfo"]["state"]), (&"a.txt".into(), &"CLOSED".into()));
    assert_eq!(file["fileinfo"]["sha1"], "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d");
    assert!(of(&events, "anomaly").is_empty(), "{events:?}");
    let [flow] = of(&events, "flow")[..] else { panic!("{events:?}") };
    assert_eq!((&flow["app_proto"], &flow["flow"]["state"]), (&"smtp".into(), &"closed".into()));
}

#[test]
fn tls_after_starttls_says_where_it_comes_from() {
    let events = events(&sample("starttls-587-tls12"));
    let [tls] = of(&events, "tls")[..] else { panic!("{events:?}") };
    assert_eq!((&tls["tls"]["version"], &tls["tls"]["from_proto"]), (&"TLS 1.2".into(), &"smtp".into()));
    assert!(tls["tls"]["fingerprint"].is_string() && tls["tls"]["ja4"].is_string());
}

#[test]
fn a_password_stands_in_no_event() {
    let run = run(&["log", &sample("starttls-not-used-auth-login"), "--format", "eve", "-o", "-"]);
    let follow = super::harness::run(&["follow", "--json", "--reveal", &sample("starttls-not-used-auth-login")]);
    let secrets: Vec<String> = follow
        .text()
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|said| said["kind"] == "auth" && said["from"] == "client")
        .filter_map(|said| said["text"].as_str().map(str::to_owned))
        .collect();
    assert!(!secrets.is_empty(), "the sample has a login");
    assert!(secrets.iter().all(|secret| !run.text().contains(secret.as_str())));
}

#[test]
fn a_log_is_written_into_a_folder_and_never_overwritten() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let into = folder.path().join("new");
    let into = into.to_str().expect("a path");
    let log = || run(&["log", &sample("cleartext-25"), "--format", "eve", "-o", into]);
    let first = log();
    assert_eq!((first.status, first.stdout.len()), (Some(0), 0), "{}", first.stderr);
    let path = folder.path().join("new/eve.json");
    let written = std::fs::read_to_string(&path).expect("the log is there");
    let printed = run(&["log", &sample("cleartext-25"), "--format", "eve", "-o", "-"]).text();
    assert_eq!(written, printed);
    let second = log();
    assert_eq!(second.status, Some(2));
    assert!(second.stderr.contains("is not overwritten"), "{}", second.stderr);
    assert_eq!(std::fs::read_to_string(&path).expect("the log is there"), written);
}

#[test]
fn a_capture_that_cannot_be_read_leaves_no_empty_log() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let into = folder.path().to_str().expect("a path");
    let run = run(&["log", "samples/no-such-file.pcap", "--format", "eve", "-o", into]);
    assert_eq!(run.status, Some(2));
    assert!(!folder.path().join("eve.json").exists());
}

#[test]
fn ndjson_is_a_session_a_line() {
    let run = run(&["log", &sample("cleartext-25"), "--format", "ndjson", "-o", "-"]);
    let sessions = super::harness::run(&["sessions", "--json", &sample("cleartext-25")]);
    assert_eq!((run.status, run.text()), (Some(0), sessions.text()));
}
