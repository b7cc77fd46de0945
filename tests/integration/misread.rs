//! Ordinary and hostile dialogues that other programs are known to misread, a sample for each.

use serde_json::Value;

use super::harness::{run, sample};
use super::samples_say::{exposed, session, sessions};

/// The utterances of a sample, as `follow --json` has them.
fn said(name: &str) -> Vec<Value> {
    let run = run(&["follow", "--json", &sample(name)]);
    run.text().lines().map(|line| serde_json::from_str(line).expect("a line is a JSON object")).collect()
}

/// The verbs of the client's commands, in order.
fn verbs(name: &str) -> Vec<String> {
    said(name).iter().filter_map(|utterance| utterance["verb"].as_str().map(str::to_owned)).collect()
}

/// The names of a sample's oddities.
fn oddities(name: &str) -> Vec<String> {
    let run = run(&["anomalies", "--json", &sample(name)]);
    let lines = run.text();
    let parsed = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is a JSON object"));
    parsed.map(|anomaly| anomaly["id"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn pipelined_commands_with_a_last_chunk_are_commands_and_a_message() {
    let verbs = verbs("smtp-pipelining-bdat");
    assert_eq!(verbs, ["EHLO", "MAIL", "RCPT", "RCPT", "BDAT", "QUIT"]);
    let messages = said("smtp-pipelining-bdat").iter().filter(|utterance| utterance["kind"] == "message").count();
    assert_eq!(messages, 1);
}

#[test]
fn an_end_of_data_in_four_segments_ends_the_message() {
    let session = session("end-of-data-25");
    let messages = session["messages"].as_array().expect("a list");
    assert_eq!((messages.len(), &messages[0]["subject"]), (2, &"in pieces".into()));
    assert_eq!((&messages[0]["size"], &messages[0]["accepted"]), (&113.into(), &true.into()));
    assert!(oddities("end-of-data-25").is_empty());
}

#[test]
fn quit_in_the_segment_of_the_final_dot_is_a_command() {
    let said = said("end-of-data-25");
    let quit = said.iter().find(|utterance| utterance["verb"] == "QUIT").expect("QUIT was said");
    let last = said.iter().rfind(|utterance| utterance["kind"] == "message").expect("there is a message");
    assert_eq!(quit["packets"], last["packets"], "one segment holds both");
    assert_eq!(said.last().map(|utterance| &utterance["code"]), Some(&221.into()));
}

#[test]
fn xclient_and_xforward_are_commands_of_the_dialogue() {
    let verbs = verbs("xclient-xforward-25");
    assert_eq!(verbs, ["EHLO", "XCLIENT", "EHLO", "XFORWARD", "MAIL", "RCPT", "DATA", "QUIT"]);
    let session = session("xclient-xforward-25");
    assert_eq!(
        (&session["messages"][0]["subject"], &session["messages"][0]["accepted"]),
        (&"by way of a proxy".into(), &true.into())
    );
}

#[test]
fn a_smuggled_mail_shows_in_both_readings_side_by_side() {
    let session = session("smuggling-25");
    let [message] = &session["messages"].as_array().expect("a list")[..] else {
        panic!("strictly one message: {session:#}");
    };
    assert_eq!(message["size"], 284);
    let lenient = &message["lenient_reading"];
    assert_eq!(
        (&lenient["end_of_data"], &lenient["size"], &lenient["commands"]),
        (&"LF . CR LF".into(), &99.into(), &3.into())
    );
    let mail = &lenient["mails"][0];
    assert_eq!(
        (&mail["mail_from"], &mail["recipients"][0], &mail["size"]),
        (&"postmaster@example.org".into(), &"bob@example.org".into(), &113.into())
    );
    assert_eq!(lenient["replies"], 4, "Postfix took it for two messages");
    assert_eq!(exposed(&session, "lenient reading")["alarm"], true);
    let text = run(&["report", &sample("smuggling-25")]).text();
    assert!(text.contains("strict reading  one message of 284 octets") && text.contains("lenient reading LF . CR LF"));
    assert!(run(&["follow", &sample("smuggling-25")]).text().contains("MAIL FROM:<postmaster@example.org>"));
    let found = oddities("smuggling-25");
    assert!(["smuggling", "smuggling-answered"].iter().all(|id| found.iter().any(|found| found == id)), "{found:?}");
    assert_eq!(verbs("smuggling-25"), ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"], "and the dialogue goes on behind it");
}

#[test]
fn a_missing_segment_is_named_in_the_manifest_and_the_report() {
    let folder = tempfile::tempdir().expect("a directory can be made");
    let out = folder.path().to_str().expect("a path in UTF-8");
    assert_eq!(run(&["extract", &sample("missing-segment-25"), "-o", out]).status, Some(0));
    let manifest = std::fs::read_to_string(folder.path().join("manifest.json")).expect("there is a manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("the manifest is JSON");
    let message = &manifest["files"][0];
    assert_eq!((&message["missing"], &message["complete"]), (&1448.into(), &false.into()));
    let gap = &message["gaps"][0];
    assert_eq!((&gap["octets"], &gap["offset"]), (&1448.into(), &4344.into()));
    let written = std::fs::metadata(folder.path().join(message["path"].as_str().expect("a path")));
    assert_eq!(
        written.expect("the file is there").len(),
        message["size"].as_u64().expect("a size"),
        "nothing filled in"
    );
    let report = run(&["report", &sample("missing-segment-25")]).text();
    assert!(report.contains("1448 of them missing from the capture"), "{report}");
}

#[test]
fn lmtp_on_its_port_is_read_with_a_reply_for_each_recipient() {
    let session = session("lmtp-24");
    assert_eq!((&session["protocol"], &session["responder"]["port"]), (&"lmtp".into(), &24.into()));
    let recipients = session["messages"][0]["recipients"].as_array().expect("a list");
    let accepted: Vec<_> = recipients.iter().map(|recipient| recipient["accepted"].as_bool()).collect();
    assert_eq!(accepted, [Some(true), Some(false), Some(true)]);
    let said = said("lmtp-24");
    let message = said.iter().position(|utterance| utterance["kind"] == "message").expect("there is a message");
    let after: Vec<_> = said[message + 1..].iter().filter(|u| u["kind"] == "reply").map(|u| &u["code"]).collect();
    assert_eq!(after, [250, 250, 221], "one reply for each recipient that was taken");
    assert!(oddities("lmtp-24").is_empty());
}

#[test]
fn starttls_on_a_port_that_is_nobodys_is_found() {
    let session = session("starttls-2587");
    assert_eq!((&session["protocol"], &session["responder"]["port"]), (&"smtp+starttls".into(), &2587.into()));
    assert_eq!(verbs("starttls-2587"), ["EHLO", "STARTTLS"], "what was said before TLS");
    assert_eq!(session["tls"]["version"], "TLSv1.3");
}

#[test]
fn mail_after_a_refused_starttls_is_read() {
    let session = session("starttls-refused");
    assert_eq!((&session["verdict"], &session["messages"][0]["accepted"]), (&"downgraded".into(), &true.into()));
    assert_eq!(said("starttls-refused").iter().filter(|utterance| utterance["code"] == 454).count(), 1);
}

#[test]
fn an_attachment_sent_in_chunks_is_extracted() {
    let folder = tempfile::tempdir().expect("a directory can be made");
    let out = folder.path().to_str().expect("a path in UTF-8");
    assert_eq!(run(&["extract", &sample("bdat-attachment-25"), "-o", out]).status, Some(0));
    let file = std::fs::read(folder.path().join("attachments/3-1-1-plan.pdf")).expect("the attachment was written");
    let expected: String =
        std::iter::once("%PDF-1.4\n".to_owned()).chain((1..=400).map(|n| format!("{n}\n"))).collect();
    assert_eq!(file, expected.as_bytes());
    assert_eq!(verbs("bdat-attachment-25"), ["EHLO", "MAIL", "RCPT", "BDAT", "BDAT", "BDAT", "QUIT"]);
}

#[test]
fn an_offer_of_starttls_that_was_overwritten_is_a_downgrade() {
    let verdicts: Vec<_> = sessions("starttls-stripped").iter().map(|session| session["verdict"].clone()).collect();
    assert_eq!(verdicts[..2], ["clear-then-tls", "downgraded"]);
    assert!(oddities("starttls-stripped").contains(&"starttls-masked".to_owned()));
}
