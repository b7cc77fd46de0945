//! The fields of machine-readable outputs, as scripts read them.
//!
//! The types below mirror what is promised: a field that is missing, renamed or of another type fails
//! here, and so does a new one until it is written down. Fields marked *added* are this project's own
//! beyond the contract; they too are only ever added.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::harness::{root, run, sample, samples};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    sessions: Vec<Session>,
    anomalies: Vec<Anomaly>,
    limits: Vec<String>,
    capture: Capture,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Capture {
    files: Vec<String>,
    packets: u64,
    bytes: u64,
    first_time: Option<f64>,
    last_time: Option<f64>,
    truncated: bool,
    link_types: Vec<String>,
    /// What was lost, a sentence each: added.
    faults: Vec<String>,
    /// Added.
    dropped: Option<u64>,
    /// Added.
    cut_packets: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Session {
    session: u64,
    last_packet: u64,
    first_time: f64,
    last_time: f64,
    originator: Endpoint,
    responder: Endpoint,
    protocol: String,
    verdict: String,
    complete: bool,
    missing_bytes: u64,
    community_id: String,
    ja3: Option<String>,
    ja3s: Option<String>,
    ja4: Option<String>,
    tls: Option<Tls>,
    exposure: Vec<Exposure>,
    messages: Vec<Message>,
    auth: Vec<Auth>,
    inferred: Option<Inferred>,
    /// Added: what would close its leaks.
    advice: Vec<Advice>,
    /// What else the dialogue in the clear says, where it says something: added.
    starttls: Option<StartTls>,
    #[serde(rename = "capabilities")]
    _capabilities: Option<Vec<Value>>,
    #[serde(rename = "earlier_capabilities")]
    _earlier_capabilities: Option<Vec<Vec<Value>>>,
    #[serde(rename = "claims")]
    _claims: Option<Vec<Claim>>,
    #[serde(default)]
    waiting: Vec<Waiting>,
    /// What keys showed, where there are some: added.
    inside: Option<Inside>,
    /// `originator` or `responder`: added.
    client: Option<String>,
    /// Added.
    verdict_text: String,
    /// Added.
    packets: u64,
    /// Added.
    octets: u64,
}

/// Added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    #[serde(rename = "verb")]
    _verb: String,
    #[serde(rename = "attributes")]
    _attributes: Value,
    #[serde(rename = "accepted")]
    _accepted: Option<bool>,
}

/// Added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StartTls {
    reached: Option<String>,
    failure: Option<String>,
    #[serde(rename = "text")]
    _text: Option<String>,
    steps: Vec<LadderStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LadderStep {
    step: String,
    #[serde(rename = "packets")]
    _packets: Vec<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiting {
    awaited: String,
    replies: u64,
    total: f64,
    longest: f64,
    #[serde(rename = "packets")]
    _packets: Vec<u64>,
}

/// Added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameter {
    keyword: String,
    #[serde(rename = "value")]
    _value: Option<Value>,
    #[serde(rename = "text")]
    _text: Option<String>,
    #[serde(rename = "malformed")]
    _malformed: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Endpoint {
    #[serde(rename = "ip")]
    _ip: IpAddr,
    port: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tls {
    version: Option<String>,
    cipher: Option<String>,
    #[serde(rename = "group")]
    _group: Option<String>,
    #[serde(rename = "server_name")]
    _server_name: Option<String>,
    #[serde(rename = "alpn")]
    _alpn: Option<String>,
    #[serde(rename = "resumed")]
    _resumed: Option<bool>,
    certificates: Vec<Certificate>,
    /// Added.
    #[serde(rename = "established")]
    _established: Option<bool>,
    /// Added.
    #[serde(rename = "forward_secret")]
    _forward_secret: Option<bool>,
    /// Added.
    #[serde(rename = "post_quantum")]
    _post_quantum: Option<bool>,
    /// Added.
    #[serde(rename = "alerts")]
    _alerts: Vec<String>,
    /// From the client, from the server: added.
    records: [u64; 2],
    /// What handshakes show: all added.
    #[serde(rename = "upgraded_from")]
    _upgraded_from: Option<String>,
    #[serde(rename = "readable_later_by")]
    _readable_later_by: Option<String>,
    #[serde(rename = "tier")]
    _tier: Option<String>,
    #[serde(rename = "dh_bits")]
    _dh_bits: Option<u32>,
    #[serde(rename = "server_signature")]
    _server_signature: Option<String>,
    #[serde(rename = "encrypt_then_mac")]
    _encrypt_then_mac: bool,
    #[serde(rename = "extended_master_secret")]
    _extended_master_secret: bool,
    #[serde(rename = "compressed")]
    _compressed: bool,
    #[serde(rename = "hello_retry")]
    _hello_retry: bool,
    #[serde(rename = "early_data")]
    _early_data: bool,
    #[serde(rename = "client_certificate_requested")]
    _client_certificate_requested: bool,
    #[serde(default, rename = "client_certificates")]
    _client_certificates: Vec<Certificate>,
    client_hello: Option<ClientHello>,
    #[serde(rename = "ticket_lifetime")]
    _ticket_lifetime: Option<u32>,
    resumes: Option<Resumes>,
}

/// What links a session to earlier ones: added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resumes {
    sessions: Vec<u64>,
    by: String,
    #[serde(rename = "inferred")]
    _inferred: bool,
    also_shown_in: Option<u64>,
}

/// What a client offers: added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientHello {
    length: u32,
    records: u32,
    packets: u64,
    versions: Vec<String>,
    cipher_suites: Vec<String>,
    #[serde(rename = "extensions")]
    _extensions: Vec<u16>,
    #[serde(rename = "groups")]
    _groups: Vec<String>,
    key_shares: Vec<Share>,
    #[serde(rename = "signature_algorithms")]
    _signature_algorithms: Vec<String>,
    #[serde(rename = "alpn")]
    _alpn: Vec<String>,
    #[serde(rename = "encrypted_client_hello")]
    _encrypted_client_hello: bool,
    #[serde(rename = "grease")]
    _grease: bool,
    #[serde(rename = "record_size_limit")]
    _record_size_limit: Option<u16>,
    #[serde(rename = "max_fragment_length")]
    _max_fragment_length: Option<u32>,
    session_id_length: u64,
    #[serde(rename = "session_ticket_length")]
    _session_ticket_length: Option<u16>,
    #[serde(default, rename = "psk_identity_lengths")]
    _psk_identity_lengths: Vec<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Share {
    group: String,
    length: u16,
}

/// How a server that takes bare LF or CR for a line end reads a message: added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LenientReading {
    end_of_data: String,
    start: u64,
    end: u64,
    #[serde(rename = "size")]
    _size: u64,
    commands: u64,
    mails: Vec<SmuggledMail>,
    #[serde(rename = "mails_dropped")]
    _mails_dropped: Option<u64>,
    #[serde(rename = "replies")]
    _replies: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SmuggledMail {
    #[serde(rename = "mail_from")]
    _mail_from: Option<String>,
    #[serde(rename = "recipients")]
    _recipients: Vec<String>,
    #[serde(rename = "recipients_dropped")]
    _recipients_dropped: Option<u64>,
    #[serde(rename = "size")]
    _size: Option<u64>,
}

/// The contract leaves its fields open; all are added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Certificate {
    subject: String,
    issuer: String,
    #[serde(rename = "names")]
    _names: Vec<String>,
    not_before: Option<f64>,
    not_after: Option<f64>,
    sha256: String,
    /// Whether it was opened with keys: added.
    sealed: Option<bool>,
    // Added.
    #[serde(rename = "key")]
    _key: Option<String>,
    #[serde(rename = "key_bits")]
    _key_bits: Option<u32>,
    #[serde(rename = "signature")]
    _signature: Option<String>,
    #[serde(rename = "serial")]
    _serial: Option<String>,
    #[serde(rename = "self_issued")]
    _self_issued: Option<bool>,
}

/// Added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inside {
    text: String,
    protocol: Option<String>,
    records: [u64; 2],
    opened: [u64; 2],
    failures: Vec<Failure>,
    #[serde(rename = "alerts")]
    _alerts: Vec<String>,
    #[serde(rename = "missing_bytes")]
    _missing_bytes: u64,
    exposure: Vec<Exposure>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure {
    record: u64,
    from: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exposure {
    subject: String,
    observer: String,
    /// Null where it cannot be told.
    visibility: Option<String>,
    #[serde(rename = "value")]
    _value: Value,
    evidence: Vec<Evidence>,
    /// The value in words: added.
    text: String,
    /// Whether it gives away a secret, where it does: added.
    alarm: Option<bool>,
    /// One sentence: added.
    why: String,
    /// Whether it was opened with keys: added.
    sealed: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Evidence {
    packets: Vec<u64>,
    direction: Option<String>,
    start: Option<u64>,
    end: Option<u64>,
}

/// The contract leaves its fields open; all are added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Anomaly {
    /// Added.
    severity: String,
    id: String,
    session: u64,
    text: String,
    evidence: Vec<Evidence>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    /// Whether it was opened with keys: added.
    sealed: Option<bool>,
    mail_from: Option<String>,
    recipients: Vec<Recipient>,
    transfer: Option<String>,
    size: Option<u64>,
    #[serde(rename = "accepted")]
    _accepted: Option<bool>,
    #[serde(rename = "reply")]
    _reply: Option<String>,
    sha256: Option<String>,
    /// Added, where there are some.
    #[serde(default)]
    parameters: Vec<Parameter>,
    /// Added, where it is not 0.
    #[serde(rename = "fetched")]
    _fetched: Option<u64>,
    /// Added, where it is not 0.
    #[serde(rename = "recipients_dropped")]
    _recipients_dropped: Option<u64>,
    /// Added, where it is not 0.
    missing_bytes: Option<u64>,
    /// Added.
    #[serde(rename = "subject")]
    _subject: Option<String>,
    /// Added.
    #[serde(rename = "from")]
    _from: Option<String>,
    /// Added.
    #[serde(default)]
    attachments: Vec<Attachment>,
    /// Added, where they are not 0 or empty.
    #[serde(rename = "attachments_dropped")]
    _attachments_dropped: Option<u64>,
    #[serde(rename = "received")]
    _received: Option<u64>,
    #[serde(rename = "protection")]
    _protection: Option<Vec<String>>,
    #[serde(rename = "bcc")]
    _bcc: Option<bool>,
    /// The other reading: added.
    lenient_reading: Option<LenientReading>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attachment {
    #[serde(rename = "name")]
    _name: Option<String>,
    declared: String,
    #[serde(rename = "sniffed")]
    _sniffed: Option<String>,
    size: u64,
    sha256: Option<String>,
    missing_bytes: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipient {
    address: String,
    accepted: Option<bool>,
    code: Option<u16>,
    #[serde(rename = "enhanced")]
    _enhanced: Option<String>,
    /// Added.
    #[serde(rename = "meaning")]
    _meaning: Option<String>,
    /// Added.
    retry: Option<String>,
    /// Added.
    #[serde(rename = "waited")]
    _waited: Option<f64>,
    /// Added, where there are some.
    #[serde(rename = "parameters")]
    _parameters: Option<Vec<Parameter>>,
    /// With LMTP: added.
    #[serde(rename = "delivered")]
    _delivered: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Auth {
    mechanism: String,
    #[serde(rename = "username")]
    _username: Option<String>,
    #[serde(rename = "succeeded")]
    _succeeded: Option<bool>,
    sealed: bool,
    /// Added.
    #[serde(rename = "secret_length")]
    _secret_length: Option<u64>,
    /// Added.
    gain: String,
    /// Added, where the exchange says it.
    #[serde(rename = "authorization")]
    _authorization: Option<String>,
    #[serde(rename = "realm")]
    _realm: Option<String>,
    #[serde(rename = "workstation")]
    _workstation: Option<String>,
    #[serde(rename = "iterations")]
    _iterations: Option<u32>,
    #[serde(rename = "error")]
    _error: Option<String>,
    #[serde(rename = "cancelled")]
    _cancelled: Option<bool>,
    #[serde(rename = "code")]
    _code: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inferred {
    messages: Option<Vec<InferredMessage>>,
    /// Added: of the number of messages and the presence of a login.
    confidence: f64,
    auth: Option<InferredAuth>,
    #[serde(rename = "quit")]
    _quit: Option<bool>,
    server: Option<Software>,
    client: Option<Software>,
    steps: Vec<Step>,
    #[serde(rename = "undecided")]
    _undecided: Vec<String>,
    /// Added, where it is not 0.
    #[serde(rename = "steps_dropped")]
    _steps_dropped: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InferredMessage {
    sender_length: Option<Length>,
    recipients: Option<Vec<InferredRecipient>>,
    transfer: Option<String>,
    size: Option<Length>,
    #[serde(rename = "accepted")]
    _accepted: Option<bool>,
    confidence: f64,
    #[serde(rename = "determined")]
    _determined: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InferredRecipient {
    address_length: Option<Length>,
    #[serde(rename = "accepted")]
    _accepted: Option<bool>,
    confidence: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InferredAuth {
    #[serde(rename = "mechanism")]
    _mechanism: Option<String>,
    #[serde(rename = "succeeded")]
    _succeeded: Option<bool>,
    username_length: Option<Length>,
    password_length: Option<Length>,
    credential_length: Option<Length>,
    confidence: f64,
    #[serde(rename = "determined")]
    _determined: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Software {
    software: String,
    confidence: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advice {
    leak: String,
    close: String,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    record: u64,
    packets: Vec<u64>,
    from: String,
    time: f64,
    plaintext_length: Option<Length>,
    #[serde(rename = "reading")]
    _reading: Option<String>,
    /// Added: octets of the record, and why it reads so.
    length: u16,
    #[serde(rename = "reason")]
    _reason: Option<String>,
    confidence: Option<f64>,
    /// Added: other readings, where there are any.
    #[serde(default)]
    rivals: Vec<Rival>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rival {
    reading: String,
    confidence: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Length {
    min: u64,
    max: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Utterance {
    session: u64,
    time: f64,
    from: String,
    kind: String,
    sealed: bool,
    verb: Option<String>,
    text: Option<String>,
    code: Option<u16>,
    lines: Option<Vec<String>>,
    length: u64,
    packets: Vec<u64>,
    start: u64,
    end: u64,
    plaintext_length: Option<Length>,
    reading: Option<String>,
    /// How sure the reading is, where it was read from lengths: added.
    confidence: Option<f64>,
    /// Octets that are not in the capture, where there are some: added.
    missing: Option<u64>,
    /// The other reading of a message: added.
    #[serde(rename = "lenient_reading")]
    _lenient_reading: Option<LenientReading>,
    /// Of replies, and of commands with parameters: added.
    #[serde(rename = "meaning")]
    _meaning: Option<String>,
    #[serde(rename = "retry")]
    _retry: Option<String>,
    #[serde(rename = "waited")]
    _waited: Option<f64>,
}

/// The seven columns of the packet list by name, and more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    number: u64,
    time: f64,
    source: String,
    destination: String,
    protocol: String,
    length: u64,
    info: String,
    epoch: f64,
    session: Option<u64>,
    #[serde(rename = "observer")]
    _observer: Option<String>,
}

#[test]
fn the_report_of_every_sample_keeps_the_contract() {
    for path in paths() {
        let report: Report = parsed(&path, &read(&["report", "--json", &path]));
        let capture = &report.capture;
        assert_eq!(capture.files, [path.as_str()]);
        assert!(capture.packets > 0 && capture.bytes > 0 && !capture.link_types.is_empty(), "{path}");
        assert!(capture.first_time.is_some() && capture.first_time <= capture.last_time, "{path}");
        let damaged = path.contains("cut-short") || path.contains("snaplen");
        assert_eq!(capture.truncated, damaged, "{path}");
        assert_eq!(!capture.faults.is_empty() || capture.cut_packets > 0, damaged, "{path}");
        assert_eq!((capture.dropped, report.limits.len()), (None, 0), "{path}");
        let names: BTreeSet<u64> = report.sessions.iter().map(|session| session.session).collect();
        assert_eq!(names.len(), report.sessions.len(), "{path}: a name is given twice");
        for session in &report.sessions {
            keeps_the_contract(&path, session, capture);
        }
        for anomaly in &report.anomalies {
            assert!(names.contains(&anomaly.session), "{path}: {}", anomaly.text);
            assert!(!anomaly.id.contains(' ') && !anomaly.text.is_empty(), "{path}: {}", anomaly.id);
            assert!(["info", "low", "medium", "high"].contains(&anomaly.severity.as_str()), "{path}: {}", anomaly.id);
            anomaly.evidence.iter().for_each(|evidence| evidence_is_sound(&path, evidence, capture.packets));
        }
    }
}

fn keeps_the_contract(path: &str, session: &Session, capture: &Capture) {
    let what = format!("session {} of {path}", session.session);
    assert!(session.session <= session.last_packet && session.last_packet <= capture.packets, "{what}");
    assert!(session.first_time <= session.last_time, "{what}");
    assert!(session.packets > 0 && session.octets > 0 && session.originator.port != session.responder.port, "{what}");
    one_of(&what, &session.protocol, &["smtp", "smtp+starttls", "smtps", "lmtp", "tls", "ssh", "other"]);
    one_of(
        &what,
        &session.verdict,
        &["clear", "clear-then-tls", "tls-from-start", "downgraded", "not-mail", "unknown"],
    );
    assert!(!session.verdict_text.is_empty() && session.community_id.starts_with("1:"), "{what}");
    assert!(!session.complete || session.missing_bytes == 0, "{what}: complete, and octets are missing");
    if let Some(client) = &session.client {
        one_of(&what, client, &["originator", "responder"]);
    }
    for hash in session.ja3.iter().chain(&session.ja3s) {
        assert!(is_hex(hash, 32), "{what}: {hash}");
    }
    assert_eq!(session.ja3.is_some(), session.ja4.is_some(), "{what}: both are made of the ClientHello");
    if let Some(tls) = &session.tls {
        assert!(tls.records.iter().sum::<u64>() > 0, "{what}");
        if let Some(hello) = &tls.client_hello {
            assert!(hello.length > 0 && hello.records > 0 && hello.packets > 0, "{what}");
            assert!(!hello.versions.is_empty() && !hello.cipher_suites.is_empty(), "{what}");
            assert!(hello.session_id_length <= 32, "{what}");
            assert!(hello.key_shares.iter().all(|share| !share.group.is_empty() && share.length > 0), "{what}");
        }
        if let Some(resumes) = &tls.resumes {
            one_of(&what, &resumes.by, &["session ticket", "session id", "pre-shared key"]);
            let earlier = resumes.sessions.iter().chain(&resumes.also_shown_in);
            assert!(earlier.clone().all(|number| *number != session.session), "{what}: it goes on from itself");
        }
        assert_eq!(tls.version.is_some(), tls.cipher.is_some(), "{what}: both stand in the ServerHello");
        for certificate in &tls.certificates {
            assert!(!certificate.subject.is_empty() && !certificate.issuer.is_empty(), "{what}");
            assert!(certificate.not_before < certificate.not_after && is_hex(&certificate.sha256, 64), "{what}");
        }
    }
    for exposure in &session.exposure {
        let what = format!("{what}: {}", exposure.subject);
        let visibility = exposure.visibility.as_deref();
        visibility.iter().for_each(|word| one_of(&what, word, &["seen", "inferred", "hidden"]));
        one_of(&what, &exposure.observer, OBSERVERS);
        assert!(!exposure.text.is_empty(), "{what}");
        assert!(exposure.why.ends_with('.') && exposure.why.len() > 10, "{what}: {}", exposure.why);
        let is_claim = matches!(visibility, Some("seen" | "inferred")) && exposure.subject != "capture";
        assert!(!is_claim || !exposure.evidence.is_empty(), "{what}: a claim without evidence");
        assert!(exposure.alarm != Some(false), "{what}: an alarm is true or absent");
        exposure.evidence.iter().for_each(|evidence| evidence_is_sound(&what, evidence, capture.packets));
    }
    every_observer_is_told_of_every_subject(&what, session);
    if let Some(inside) = &session.inside {
        assert!(!inside.text.is_empty(), "{what}");
        assert!(inside.opened.iter().zip(&inside.records).all(|(opened, all)| opened <= all), "{what}");
        assert_eq!(inside.protocol.is_some(), inside.opened != [0; 2], "{what}");
        inside.protocol.iter().for_each(|protocol| one_of(&what, protocol, &["smtp", "lmtp", "other"]));
        for exposure in &inside.exposure {
            assert_eq!((exposure.visibility.as_deref(), exposure.sealed), (Some("hidden"), Some(true)), "{what}");
            exposure.evidence.iter().for_each(|evidence| evidence_is_sound(&what, evidence, capture.packets));
        }
        for failure in &inside.failures {
            one_of(&what, &failure.from, &["client", "server"]);
            assert!(failure.record > 0 && !failure.reason.is_empty(), "{what}");
        }
    }
    let sealed = [
        session.messages.iter().any(|message| message.sealed.is_some()),
        session.exposure.iter().any(|exposure| exposure.sealed.is_some()),
        session.tls.iter().flat_map(|tls| &tls.certificates).any(|certificate| certificate.sealed.is_some()),
    ];
    assert!(session.inside.is_some() || sealed == [false; 3], "{what}: nothing is read inside TLS without keys");
    assert!(!sealed[1], "{what}: what an observer can tell does not depend on keys");
    for message in &session.messages {
        message.recipients.iter().for_each(|recipient| {
            assert!(!recipient.address.contains(['<', '>']), "{what}");
            assert_eq!(recipient.accepted.is_some(), recipient.code.is_some(), "{what}");
            assert!(recipient.accepted != Some(false) || recipient.retry.is_some(), "{what}");
        });
        assert!(message.mail_from.is_some() || !message.recipients.is_empty(), "{what}: a message of nobody");
        if let Some(transfer) = &message.transfer {
            one_of(&what, transfer, &["DATA", "BDAT"]);
        }
        assert!(message.size >= message.missing_bytes || message.missing_bytes.is_none(), "{what}");
        assert!(message.sha256.as_ref().is_none_or(|hash| is_hex(hash, 64)), "{what}");
        if let Some(reading) = &message.lenient_reading {
            lenient_reading_is_sound(&what, reading);
        }
        for file in &message.attachments {
            assert!(file.declared.contains('/') && file.size > 0, "{what}");
            assert_eq!(file.sha256.is_none(), file.missing_bytes.is_some(), "{what}");
            assert!(file.sha256.as_ref().is_none_or(|hash| is_hex(hash, 64)), "{what}");
        }
    }
    if let Some(ladder) = &session.starttls {
        assert_eq!(ladder.reached.as_ref(), ladder.steps.last().map(|step| &step.step), "{what}");
        let top = ladder.reached.as_deref() == Some("finished");
        assert!(!(top && ladder.failure.is_some()), "{what}: it failed at the top");
    }
    for waiting in &session.waiting {
        assert!(!waiting.awaited.is_empty() && waiting.replies > 0, "{what}");
        assert!(waiting.longest <= waiting.total && waiting.longest >= 0.0, "{what}");
    }
    let parameters = session.messages.iter().flat_map(|message| &message.parameters);
    assert!(parameters.into_iter().all(|parameter| !parameter.keyword.is_empty()), "{what}");
    for auth in &session.auth {
        assert!(!auth.mechanism.is_empty(), "{what}");
        let gains = ["password", "token", "challenge-response", "one-time", "nothing", "not-sent", "unknown"];
        one_of(&what, &auth.gain, &gains);
        assert!(!auth.sealed || session.inside.is_some(), "{what}: nothing is read inside TLS without keys");
    }
    if let Some(inferred) = &session.inferred {
        let bounds = |length: &Option<Length>| length.as_ref().is_none_or(|length| length.min <= length.max);
        let sure = |confidence: f64| (0.0..1.0).contains(&confidence);
        assert!(sure(inferred.confidence), "{what}");
        for message in inferred.messages.iter().flatten() {
            assert!(bounds(&message.sender_length) && bounds(&message.size) && sure(message.confidence), "{what}");
            assert!(message.transfer.as_ref().is_none_or(|t| t == "DATA" || t == "BDAT"), "{what}");
            for recipient in message.recipients.iter().flatten() {
                assert!(bounds(&recipient.address_length) && sure(recipient.confidence), "{what}");
            }
        }
        if let Some(auth) = &inferred.auth {
            assert!(bounds(&auth.username_length) && bounds(&auth.password_length), "{what}");
            assert!(bounds(&auth.credential_length) && sure(auth.confidence), "{what}");
        }
        for software in inferred.server.iter().chain(&inferred.client) {
            assert!(!software.software.is_empty() && sure(software.confidence), "{what}");
        }
    }
    for advice in &session.advice {
        let is_said = |words: &String| !words.is_empty();
        assert!([&advice.leak, &advice.close, &advice.source].into_iter().all(is_said), "{what}: {}", advice.leak);
    }
    for step in session.inferred.iter().flat_map(|inferred| &inferred.steps) {
        let what = format!("{what}: record {}", step.record);
        one_of(&what, &step.from, &["client", "server"]);
        assert!(step.length > 0, "{what}");
        assert!(step.record > 0 && !step.packets.is_empty() && step.time >= session.first_time, "{what}");
        assert!(step.plaintext_length.as_ref().is_none_or(|length| length.min <= length.max), "{what}");
        assert!(step.confidence.is_none_or(|confidence| (0.0..=1.0).contains(&confidence)), "{what}");
        let less = |rival: &Rival| !rival.reading.is_empty() && (0.0..1.0).contains(&rival.confidence);
        assert!(step.rivals.iter().all(less), "{what}");
    }
}

/// What one observer is told of, all are; and none sees less than one who only reads along.
fn every_observer_is_told_of_every_subject(what: &str, session: &Session) {
    let of = |observer: &str| -> Vec<&Exposure> {
        session.exposure.iter().filter(|exposure| exposure.observer == observer).collect()
    };
    let rank = |exposure: &Exposure| match exposure.visibility.as_deref() {
        Some("seen") => 2,
        Some("inferred") => 1,
        _ => 0,
    };
    let is_mail = session.verdict != "not-mail";
    for observer in &OBSERVERS[1..] {
        let cells = of(observer);
        assert!(is_mail || cells.is_empty(), "{what}: {observer}");
        for cell in cells {
            let passive: Vec<_> = of("passive").into_iter().filter(|e| e.subject == cell.subject).collect();
            assert!(!passive.is_empty(), "{what}: {} of {observer} only", cell.subject);
            let least = passive.iter().map(|exposure| rank(exposure)).min();
            assert!(Some(rank(cell)) >= least, "{what}: {observer} sees less of {}", cell.subject);
        }
    }
}

const OBSERVERS: &[&str] = &["passive", "active", "key-holder", "future"];

fn lenient_reading_is_sound(what: &str, reading: &LenientReading) {
    assert!(reading.start < reading.end && !reading.end_of_data.is_empty(), "{what}");
    assert!(reading.commands > 0 && !reading.mails.is_empty(), "{what}");
}

fn evidence_is_sound(what: &str, evidence: &Evidence, packets: u64) {
    assert!(evidence.packets.iter().all(|packet| (1..=packets).contains(packet)), "{what}: {:?}", evidence.packets);
    assert!(evidence.packets.is_sorted(), "{what}: {:?}", evidence.packets);
    assert_eq!(evidence.start.is_some(), evidence.end.is_some(), "{what}");
    assert_eq!(evidence.start.is_some(), evidence.direction.is_some(), "{what}");
    assert!(evidence.start <= evidence.end, "{what}");
    if let Some(direction) = &evidence.direction {
        one_of(what, direction, &["client", "server"]);
    }
}

#[test]
fn the_sessions_of_the_table_are_those_of_the_report() {
    for path in paths() {
        let report: Report = parsed(&path, &read(&["report", "--json", &path]));
        let sessions: Vec<Session> = lines(&path, &["sessions", "--json", &path]);
        let names = |sessions: &[Session]| -> Vec<u64> { sessions.iter().map(|session| session.session).collect() };
        assert_eq!(names(&report.sessions), names(&sessions), "{path}");
    }
}

#[test]
fn the_dialogue_of_every_sample_keeps_the_contract() {
    for path in paths() {
        let utterances: Vec<Utterance> = lines(&path, &["follow", "--json", &path]);
        let rows: Vec<Row> = lines(&path, &["packets", "--json", &path]);
        for said in &utterances {
            let what = format!("{path}: {} at {}", said.kind, said.start);
            one_of(&what, &said.from, &["client", "server"]);
            one_of(&what, &said.kind, &["greeting", "command", "reply", "auth", "message", "tls", "gap", "other"]);
            assert_eq!(said.kind == "command", said.verb.is_some(), "{what}");
            assert_eq!(matches!(&*said.kind, "greeting" | "reply"), said.lines.is_some(), "{what}");
            assert!(said.code.is_none() || said.lines.is_some(), "{what}");
            assert!(said.kind != "tls" || said.reading.is_some(), "{what}");
            assert!(said.kind == "tls" || said.plaintext_length.is_none(), "{what}");
            assert!(said.confidence.is_none_or(|sure| (0.0..1.0).contains(&sure) && said.kind == "tls"), "{what}");
            assert!(said.kind == "tls" || !said.sealed || path.ends_with(".pcapng"), "{what}: no keys were given");
            assert!(said.kind != "message" || said.text.is_none(), "{what}: its text comes with --message-text");
            assert!(said.kind != "gap" || said.missing.is_some_and(|octets| octets > 0), "{what}");
            assert!(said.start <= said.end && said.packets.is_sorted(), "{what}");
            let lines = said.text.iter().chain(said.lines.iter().flatten());
            assert!(lines.clone().all(|line| !line.contains(['\r', '\n'])), "{what}: a line with its end");
            if matches!(&*said.kind, "greeting" | "command" | "reply" | "auth") {
                assert_eq!(said.length, said.end - said.start, "{what}: octets on the wire");
            }
            for packet in &said.packets {
                let row = &rows[*packet as usize - 1];
                assert_eq!((row.number, row.session), (*packet, Some(said.session)), "{what}");
            }
            assert!(rows.iter().any(|row| (row.epoch - said.time).abs() < 0.000_001), "{what}: a time of no packet");
        }
    }
}

#[test]
fn the_text_of_messages_is_told_only_when_it_is_asked_for() {
    let path = sample("python-client");
    let said: Vec<Utterance> = lines(&path, &["follow", "--json", "--message-text", &path]);
    let text = said.iter().find(|said| said.kind == "message").and_then(|said| said.text.clone());
    assert!(text.is_some_and(|text| text.contains("Subject: sensor 7")));
}

#[test]
fn rows_are_the_same_in_json_and_between_tabs() {
    for path in paths() {
        let rows: Vec<Row> = lines(&path, &["packets", "--format", "json", &path]);
        let table = read(&["packets", "--format", "tsv", &path]);
        assert_eq!(rows.len(), table.lines().count(), "{path}");
        let first = rows.first().map_or(0.0, |row| row.epoch);
        for (line, row) in table.lines().zip(&rows) {
            let columns: Vec<&str> = line.split('\t').collect();
            let [number, time, source, destination, protocol, length, info] = columns[..] else {
                panic!("{path}: seven columns: {line}");
            };
            assert_eq!((number.parse(), time.parse(), length.parse()), (Ok(row.number), Ok(row.time), Ok(row.length)));
            assert_eq!((source, destination), (&*row.source, &*row.destination), "{path}: {line}");
            assert_eq!((protocol, info), (&*row.protocol, &*row.info), "{path}: {line}");
            assert!((row.epoch - first - row.time).abs() < 0.000_001, "{path}: {line}");
        }
    }
}

/// Every sample, in its other forms too.
fn paths() -> Vec<String> {
    let formats = std::fs::read_dir(root().join("samples/formats")).expect("samples/formats is there");
    let formats = formats.map(|entry| entry.expect("samples/formats can be read").file_name());
    let mut paths: Vec<String> =
        formats.map(|name| format!("samples/formats/{}", name.to_str().expect("names are UTF-8"))).collect();
    paths.extend(samples().iter().map(|name| sample(name)));
    paths.sort();
    paths
}

fn read(arguments: &[&str]) -> String {
    let run = run(arguments);
    assert!(matches!(run.status, Some(0 | 3)), "{arguments:?}: {}", run.stderr);
    run.text()
}

fn lines<T: DeserializeOwned>(path: &str, arguments: &[&str]) -> Vec<T> {
    read(arguments).lines().map(|line| parsed(path, line)).collect()
}

fn parsed<T: DeserializeOwned>(path: &str, json: &str) -> T {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{path}: {error}\n{json}"))
}

fn one_of(what: &str, value: &str, allowed: &[&str]) {
    assert!(allowed.contains(&value), "{what}: {value} is none of {allowed:?}");
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}
