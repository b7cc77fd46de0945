//! What each observer could learn, said of the samples.

use serde_json::Value;

use super::harness::{run, sample};

/// The exposure of a sample's mail session.
fn exposure(name: &str) -> Vec<Value> {
    let run = run(&["report", "--json", &sample(name)]);
    let report: Value = serde_json::from_slice(&run.stdout).expect("a report is one JSON object");
    let sessions = report["sessions"].as_array().expect("sessions are a list");
    let mail = sessions.iter().find(|session| session["verdict"] != "not-mail").expect("there is a mail session");
    mail["exposure"].as_array().expect("a list").clone()
}

/// What an observer can do about a subject.
fn sees<'a>(exposure: &'a [Value], observer: &str, subject: &str) -> &'a Value {
    exposure
        .iter()
        .find(|entry| entry["observer"] == observer && entry["subject"] == subject)
        .unwrap_or_else(|| panic!("{observer} is not told of {subject}"))
}

#[test]
fn in_the_clear_everybody_sees_the_mail() {
    let exposure = exposure("cleartext-25");
    for observer in ["passive", "active", "key-holder", "future"] {
        for subject in ["sender", "recipients", "subject", "message text", "message size", "dialogue"] {
            let seen = sees(&exposure, observer, subject);
            assert_eq!(seen["visibility"], "seen", "{observer}: {subject}");
            assert_ne!(seen["evidence"][0]["packets"], serde_json::json!([]), "{observer}: {subject}");
        }
    }
    assert!(!exposure.iter().any(|entry| entry["subject"] == "password"), "nobody logged in");
}

#[test]
fn a_fresh_key_is_lost_to_the_holder_of_the_servers_key_and_not_to_a_quantum_computer() {
    for name in ["starttls-587", "starttls-587-tls12", "smtps-465-auth-plain"] {
        let exposure = exposure(name);
        assert_eq!(sees(&exposure, "passive", "password")["visibility"], "hidden", "{name}");
        assert_eq!(sees(&exposure, "key-holder", "password")["visibility"], "hidden", "{name}");
        assert_eq!(sees(&exposure, "future", "password")["visibility"], "seen", "{name}");
        let why = sees(&exposure, "future", "dialogue")["why"].as_str().expect("a sentence").to_owned();
        assert!(why.contains("x25519"), "{name}: {why}");
    }
}

#[test]
fn whether_a_client_would_go_on_without_starttls_is_not_made_up() {
    let exposure = exposure("starttls-587");
    let dialogue = sees(&exposure, "active", "dialogue");
    assert_eq!(dialogue["visibility"], Value::Null);
    assert!(dialogue["why"].as_str().is_some_and(|why| why.contains("can be removed")), "{dialogue:#}");
    assert_eq!(sees(&exposure, "active", "server name")["visibility"], "seen");
}

#[test]
fn where_the_handshake_was_not_captured_nothing_is_said_of_later() {
    let exposure = exposure("gmail-2019-frame");
    for observer in ["key-holder", "future"] {
        assert_eq!(sees(&exposure, observer, "sender")["visibility"], Value::Null, "{observer}");
    }
    assert_eq!(sees(&exposure, "passive", "sender")["visibility"], "hidden");
}

#[test]
fn keys_that_are_given_change_nothing_of_what_observers_see() {
    let keys = "samples/starttls-587.keys";
    let with = run(&["report", "--json", "--keys", keys, &sample("starttls-587")]);
    let report: Value = serde_json::from_slice(&with.stdout).expect("a report is one JSON object");
    assert_eq!(report["sessions"][0]["exposure"].as_array(), Some(&exposure("starttls-587")));
}

#[test]
fn the_first_answer_of_a_report_is_who_could_read_it() {
    let text = run(&["report", &sample("starttls-587")]).text();
    for line in [
        "  with the server's key    no           forward secret (x25519)",
        "  with a quantum computer  yes          no post-quantum key exchange (x25519)",
    ] {
        assert!(text.contains(line), "{text}");
    }
}
