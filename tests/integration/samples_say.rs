//! What each sample shows, said as a sentence.

use serde_json::{Value, json};

use super::harness::{run, sample};

/// The sessions of a sample.
pub(super) fn sessions(name: &str) -> Vec<Value> {
    let run = run(&["report", "--json", &sample(name)]);
    let report: Value = serde_json::from_slice(&run.stdout).expect("a report is one JSON object");
    report["sessions"].as_array().expect("sessions are a list").clone()
}

/// The one mail session of a sample.
pub(super) fn session(name: &str) -> Value {
    let mut mail = sessions(name).into_iter().filter(|session| session["verdict"] != "not-mail");
    let found = mail.next().expect("there is a mail session");
    assert!(mail.next().is_none(), "{name} has one mail session");
    found
}

pub(super) fn exposed<'a>(session: &'a Value, subject: &str) -> &'a Value {
    session["exposure"]
        .as_array()
        .and_then(|all| all.iter().find(|exposure| exposure["subject"] == subject))
        .unwrap_or_else(|| panic!("nothing is said of {subject}: {session:#}"))
}

#[test]
fn in_the_clear_sender_recipients_and_message_are_seen() {
    let session = session("cleartext-25");
    assert_eq!((&session["protocol"], &session["verdict"]), (&"smtp".into(), &"clear".into()));
    let message = &session["messages"][0];
    assert_eq!(message["mail_from"], "alice@example.org");
    let [eve, bob] = &message["recipients"].as_array().expect("recipients are a list")[..] else {
        panic!("two recipients: {message:#}");
    };
    assert_eq!(eve["address"], "eve@example.com");
    assert_eq!((&eve["accepted"], &eve["code"], &eve["enhanced"]), (&false.into(), &550.into(), &"5.1.1".into()));
    assert_eq!((&bob["address"], &bob["accepted"]), (&"bob@example.org".into(), &true.into()));
    assert_eq!(
        (&message["size"], &message["accepted"], &message["subject"]),
        (&134.into(), &true.into(), &"lunch".into())
    );
    assert_eq!(session["complete"], true);
}

#[test]
fn a_subject_after_the_first_line_of_text_is_no_subject() {
    let session = session("cleartext-misplaced-subject");
    assert_eq!(session["messages"][0]["subject"], Value::Null);
    assert_eq!(session["messages"][0]["accepted"], true);
}

#[test]
fn a_body_and_its_dot_in_one_write_are_one_message() {
    let session = session("python-client");
    assert_eq!(session["messages"].as_array().map(Vec::len), Some(1));
    assert_eq!(session["messages"][0]["accepted"], true);
}

#[test]
fn starttls_leaves_the_greeting_seen_and_the_mail_hidden() {
    for (name, version) in [("starttls-587", "TLSv1.3"), ("starttls-587-tls12", "TLSv1.2")] {
        let session = session(name);
        assert_eq!((&session["protocol"], &session["verdict"]), (&"smtp+starttls".into(), &"clear-then-tls".into()));
        assert_eq!(session["tls"]["version"], version);
        assert_eq!(exposed(&session, "server name")["value"], "mail.example.org");
        assert_eq!(exposed(&session, "parties")["visibility"], "hidden");
        assert_eq!(session["messages"].as_array().map(Vec::len), Some(0));
        assert_eq!(exposed(&session, "password")["visibility"], "hidden");
        if version == "TLSv1.2" {
            let leaf = &session["tls"]["certificates"][0];
            assert_eq!(
                (&leaf["subject"], &leaf["names"][0]),
                (&"CN=mail.example.org".into(), &"mail.example.org".into())
            );
        }
        let certificates = session["tls"]["certificates"].as_array().map(Vec::len);
        assert_eq!(certificates, Some(if version == "TLSv1.2" { 2 } else { 0 }), "{name}");
    }
}

#[test]
fn the_repeated_greeting_confirms_that_lengths_can_be_trusted() {
    let session = session("starttls-587");
    let greeting = exposed(&session, "greeting inside");
    assert_eq!((&greeting["visibility"], &greeting["value"]), (&"inferred".into(), &25.into()));
    let steps = session["inferred"]["steps"].as_array().expect("steps are a list");
    let exact = |step: &Value| (step["from"].as_str().map(str::to_owned), step["plaintext_length"]["max"].as_u64());
    assert_eq!(exact(&steps[0]), (Some("client".to_owned()), Some(25)));
    assert!(steps.iter().all(|step| step["plaintext_length"]["min"] == step["plaintext_length"]["max"]));
}

#[test]
fn tls_from_the_first_octet_hides_the_greeting_too() {
    let session = session("smtps-465-auth-plain");
    assert_eq!((&session["protocol"], &session["verdict"]), (&"smtps".into(), &"tls-from-start".into()));
    assert_eq!(session["auth"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_ticket_that_is_shown_again_links_the_session_to_the_one_that_issued_it() {
    let resumes: Vec<Value> = sessions("resumed-465").iter().map(|session| session["tls"]["resumes"].clone()).collect();
    assert_eq!(resumes[0], Value::Null);
    assert_eq!(resumes[1], serde_json::json!({ "sessions": [3], "by": "session ticket", "inferred": false }));
    assert_eq!(resumes[2], Value::Null);
    assert_eq!(resumes[3], serde_json::json!({ "sessions": [49], "by": "pre-shared key", "inferred": true }));
    assert_eq!(resumes.len(), 4);
}

#[test]
fn what_lengths_give_away_is_not_said_to_be_hidden() {
    for name in ["smtps-465-auth-plain", "starttls-587", "starttls-2587"] {
        let session = session(name);
        let cell = |subject: &str| {
            let all = session["exposure"].as_array().expect("a list").iter();
            let found = all.clone().find(|e| e["subject"] == subject && e["observer"] == "passive");
            found.unwrap_or_else(|| panic!("{name}: nothing is said of {subject}")).clone()
        };
        for subject in ["recipient count", "message size", "login"] {
            let cell = cell(subject);
            assert_eq!(cell["visibility"], "inferred", "{name}: {subject}");
            assert!(!cell["evidence"].as_array().expect("a list").is_empty(), "{name}: {subject}");
        }
        for subject in ["sender", "recipients", "password", "message text"] {
            assert_eq!(cell(subject)["visibility"], "hidden", "{name}: {subject}");
        }
    }
}

#[test]
fn what_the_hosts_ask_the_dns_for_belongs_to_their_session() {
    let session = session("dns-nbns");
    let of = |subject: &str| -> Vec<(Value, Value)> {
        let all = session["exposure"].as_array().expect("a list").iter();
        let found = all.filter(|e| e["subject"] == subject && e["observer"] == "passive");
        found.map(|e| (e["value"].clone(), e["evidence"][0]["packets"][0].clone())).collect()
    };
    assert_eq!(of("host name"), [("client.example.org".into(), 17.into()), ("mail.example.org".into(), 4.into())]);
    assert_eq!(of("MX look-up"), [("example.org".into(), 3.into())]);
    assert_eq!(of("SPF look-up"), []);
}

#[test]
fn a_host_that_asks_for_its_address_gives_its_name_away_however_sealed_its_mail_is() {
    let session = session("dhcp-465");
    let name = exposed(&session, "host name");
    assert_eq!((&name["value"], &name["evidence"][0]["packets"][0]), (&"alices-laptop".into(), &3.into()));
    assert_eq!(session["inferred"]["client"]["software"], "curl");
}

#[test]
fn over_ipv6_a_host_gives_its_name_away_just_so() {
    let session = session("dhcpv6-465");
    let name = exposed(&session, "host name");
    assert_eq!((&name["value"], &name["evidence"][0]["packets"][0]), (&"alices-laptop.example.org".into(), &7.into()));
}

#[test]
fn a_client_that_pads_its_records_hides_lengths_and_not_the_dialogue() {
    let session = session("padded-465");
    let inferred = &session["inferred"];
    let message = &inferred["messages"][0];
    assert!(message["confidence"].as_f64().is_some_and(|sure| sure < 0.9), "nothing is stated: {message}");
    assert_eq!((&message["sender_length"], &message["size"]), (&Value::Null, &Value::Null));
    assert!(inferred["undecided"][0].as_str().is_some_and(|why| why.starts_with("records seem to be padded")));
    // How it ends a message does not show, and its hello alone is that of many programs.
    assert_eq!(inferred["client"], Value::Null);
    for step in inferred["steps"].as_array().expect("a list") {
        let length = &step["plaintext_length"];
        let exact = length["min"] == length["max"];
        assert_eq!(exact, step["from"] == "server", "only the client pads: {step}");
    }
    // With keys nothing of it matters.
    let opened = run(&["report", "--json", "--keys", "samples/padded-465.keys", "samples/padded-465.pcap"]);
    let opened: Value = serde_json::from_str(&opened.text()).expect("JSON");
    let message = &opened["sessions"][0]["messages"][0];
    assert_eq!((&message["mail_from"], &message["size"]), (&"alice@example.org".into(), &59.into()));
}

#[test]
fn the_sixteen_zeros_that_java_appends_to_each_record_hide_nothing() {
    let inferred = &session("java-465")["inferred"];
    assert_eq!(inferred["client"]["software"], "javamail");
    let exactly = |octets: u64| json!({"min": octets, "max": octets});
    let message = &inferred["messages"][0];
    assert_eq!(message["sender_length"], exactly("alice@example.org".len() as u64));
    let recipients = message["recipients"].as_array().expect("a list");
    let said: Vec<_> = recipients.iter().map(|one| (&one["address_length"], &one["accepted"])).collect();
    let [bob, carol] = ["bob@example.org", "carol@example.org"].map(|address| exactly(address.len() as u64));
    assert_eq!(said, [(&bob, &true.into()), (&carol, &false.into())]);
    let login = &inferred["auth"];
    assert_eq!((&login["mechanism"], &login["succeeded"]), (&"LOGIN".into(), &true.into()));
    assert_eq!(login["username_length"], json!({"min": 4, "max": 6}));
}

#[test]
fn a_refused_starttls_is_a_downgrade_when_the_client_goes_on() {
    let session = session("starttls-refused");
    assert_eq!(session["verdict"], "downgraded");
    assert_eq!(exposed(&session, "starttls")["value"], "refused");
}

#[test]
fn a_login_in_the_clear_gives_away_the_password_but_not_in_the_report() {
    let session = session("starttls-not-used-auth-login");
    let login = &session["auth"][0];
    assert_eq!((&login["mechanism"], &login["username"]), (&"LOGIN".into(), &"alice".into()));
    assert_eq!((&login["succeeded"], &login["secret_length"]), (&true.into(), &15.into()));
    assert_eq!(exposed(&session, "login")["alarm"], true);
    assert_eq!(exposed(&session, "starttls")["value"], "not-requested");
}

#[test]
fn a_missing_segment_is_said_to_be_missing() {
    let session = session("missing-segment-25");
    assert_eq!((&session["missing_bytes"], &session["complete"]), (&1448.into(), &false.into()));
    let message = &session["messages"][0];
    assert_eq!((&message["size"], &message["missing_bytes"]), (&10_135.into(), &1448.into()));
    assert_eq!(message["accepted"], true);
    assert_eq!(message["sha256"], Value::Null, "a hash of what is not known");
    for view in [&["follow", "--json", "--message-text"][..], &["follow"], &["report"], &["packets"]] {
        let text = run(&[view, &["samples/missing-segment-25.pcap"][..]].concat()).text();
        assert!(
            !text.contains("\\u0000") && !text.contains("\\x00") && !text.contains('\0'),
            "{view:?}: missing octets as NULs"
        );
    }
    let whole = &self::session("bulk-25")["messages"][0];
    assert_eq!((&whole["size"], &whole["missing_bytes"]), (&10_135.into(), &Value::Null));
}

#[test]
fn losses_and_repeats_on_the_way_lose_nothing_of_the_message() {
    let session = session("lossy-25");
    assert_eq!((&session["missing_bytes"], &session["complete"]), (&0.into(), &true.into()));
    let message = &session["messages"][0];
    assert_eq!((&message["size"], &message["accepted"]), (&56_337.into(), &true.into()));
    let said = run(&["follow", "--json", "--message-text", &sample("lossy-25")]).text();
    let text = said.lines().find(|line| line.contains("\"kind\":\"message\"")).expect("there is a message");
    let text: Value = serde_json::from_str(text).expect("a line is a JSON object");
    let numbers: Vec<usize> = text["text"]
        .as_str()
        .expect("its text was asked for")
        .lines()
        .filter_map(|line| line.strip_prefix("Line ")?.split(':').next()?.parse().ok())
        .collect();
    assert!(numbers.len() > 500 && numbers.iter().copied().eq(1..=numbers.len()), "every line once and in order");
}

#[test]
fn a_session_without_a_message_shows_its_envelope() {
    let session = session("dns-nbns");
    let message = &session["messages"][0];
    assert_eq!(message["recipients"][0]["address"], "bob@example.org");
    assert_eq!((&message["size"], &message["transfer"]), (&Value::Null, &Value::Null));
    assert_ne!(message["accepted"], true);
}

#[test]
fn chunks_and_pipelined_commands_are_told_apart() {
    let session = session("smtp-pipelining-bdat");
    let message = &session["messages"][0];
    assert_eq!((&message["transfer"], &message["accepted"]), (&"BDAT".into(), &true.into()));
    assert_eq!(message["recipients"].as_array().map(Vec::len), Some(2));
}

#[test]
fn ipv6_is_read_like_ipv4() {
    let session = session("smtp-ipv6");
    assert_eq!(session["responder"]["ip"], "2001:db8::20");
    assert_eq!(session["messages"][0]["accepted"], true);
}

#[test]
fn twenty_octets_are_all_that_the_frame_of_2019_gives_away() {
    let session = session("gmail-2019-frame");
    assert_eq!((&session["responder"]["port"], &session["verdict"]), (&465.into(), &"tls-from-start".into()));
    let length = exposed(&session, "length");
    assert_eq!((&length["visibility"], &length["value"]), (&"inferred".into(), &20.into()));
    assert!(length["text"].as_str().is_some_and(|text| text.contains("one record of 37")), "{length:#}");
    assert_eq!(session["complete"], false);
}

#[test]
fn ssh_is_not_taken_for_mail() {
    let run = run(&["sessions", "--json", &sample("ssh-keystrokes")]);
    let session: Value = serde_json::from_slice(&run.stdout).expect("a line is a JSON object");
    assert_eq!((&session["protocol"], &session["verdict"]), (&"ssh".into(), &"not-mail".into()));
}

#[test]
fn ssh_gives_away_how_many_keys_are_pressed_and_when() {
    let run = run(&["report", "--json", &sample("ssh-keystrokes")]);
    let report: Value = serde_json::from_slice(&run.stdout).expect("a report is one JSON object");
    let sessions = report["sessions"].as_array().expect("sessions are a list");
    let session = sessions.iter().find(|session| session["protocol"] == "ssh").expect("there is an SSH session");
    let keys = exposed(session, "key presses");
    assert_eq!((&keys["visibility"], &keys["value"]["packet_octets"]), (&"inferred".into(), &36.into()));
    // Ten letters and Enter are echoed; Ctrl-D is answered with the end of the session.
    assert_eq!((&keys["value"]["count"], &keys["value"]["echoed"]), (&12.into(), &11.into()));
    let middle = keys["value"]["middle_ms"].as_i64().expect("a number");
    assert!((900..1100).contains(&middle), "a key press a second, not each {middle} ms");
    assert_eq!(keys["evidence"][0]["packets"], serde_json::json!([41]));
}

#[test]
fn the_key_of_a_server_of_tls13_shows_by_sizes() {
    let session = session("starttls-587");
    let key = exposed(&session, "server key");
    assert_eq!((&key["visibility"], &key["value"]["key"]), (&"inferred".into(), &"RSA of 2048 bits".into()));
}

#[test]
fn attachments_are_named_with_their_sizes_and_hashes() {
    let session = session("attachments-25");
    let message = &session["messages"][0];
    let files: Vec<_> = message["attachments"].as_array().expect("a list").iter().collect();
    let names: Vec<_> = files.iter().map(|file| file["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["report.pdf", "Hafen für Bob.png", "../../etc/profile"]);
    assert_eq!(files[1]["sniffed"], "image/png");
    assert_eq!(files[1]["sha256"], "eaa4a94ea300e0d2c775968cbe42f0b5b51ceafdeb73d64e9efddf6d4e880865");
    assert_eq!((&message["bcc"], &message["received"]), (&true.into(), &1.into()));
    assert_eq!(message["sha256"].as_str().map(str::len), Some(64));
    let text = run(&["report", &sample("attachments-25")]).text();
    assert!(text.contains("3 attachments (report.pdf,"), "{text}");
}

#[test]
fn an_envelope_is_held_against_its_header() {
    let session = session("attachments-25");
    let envelope = exposed(&session, "envelope");
    let told = envelope["text"].as_str().expect("a sentence");
    assert!(told.contains("in no To or Cc") && told.contains("postmaster@example.org"), "{told}");
    let anomalies = run(&["anomalies", "--json", &sample("attachments-25")]).text();
    assert!(anomalies.contains("\"bcc-leak\""), "a Bcc field that was sent is named: {anomalies}");
}

#[test]
fn sessions_between_the_same_hosts_are_held_against_each_other() {
    let run = run(&["report", "--json", &sample("starttls-stripped")]);
    let report: Value = serde_json::from_slice(&run.stdout).expect("a report is one JSON object");
    let ladders: Vec<(&Value, &Value)> = report["sessions"]
        .as_array()
        .expect("sessions are a list")
        .iter()
        .map(|session| (&session["starttls"]["reached"], &session["starttls"]["failure"]))
        .collect();
    let (finished, none) = (Value::from("finished"), Value::Null);
    assert_eq!(ladders, [(&finished, &none), (&none, &"masked".into()), (&none, &"not-offered".into())]);
    let told: Vec<(u64, &str)> = report["anomalies"]
        .as_array()
        .expect("anomalies are a list")
        .iter()
        .filter_map(|anomaly| Some((anomaly["session"].as_u64()?, anomaly["id"].as_str()?)))
        .filter(|(_, id)| id.starts_with("starttls-") && *id != "starttls-masked")
        .collect();
    assert_eq!(told, [(33, "starttls-not-always"), (54, "starttls-missing-on-retry"), (54, "starttls-not-always")]);
    // What the comparison finds can be waited for like any other oddity.
    let status = |id: &str| super::harness::run(&["report", "--fail-on", id, &sample("starttls-stripped")]).status;
    assert_eq!((status("starttls-missing-on-retry"), status("clear-after-failed-tls")), (Some(1), Some(0)));
}
