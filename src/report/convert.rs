//! From a session and its exposure to what is printed of it.

use serde_json::json;

use super::{
    Advice, Anomaly, Attachment, Auth, Certificate, Endpoint, Evidence, Exposure, LenientReading, Matrix, Message,
    Reach, Recipient, Session, Tls,
};
use super::{catalogue, community_id, inferred, inside, spoken};
use crate::bytes::utf8;
use crate::flow;
use crate::imf::decode_words;
use crate::observe::infer::Inference;
use crate::observe::{self, Answer, Observer, Place, Value, Visibility};
use crate::session::{self, AnomalyKind, Contents, Protection, TlsSeen, Verdict};
use crate::smtp::{self, Transaction};
use crate::stream::{Direction, Span};
use crate::tls;

/// All that is printed of a session; `read` is what its lengths give away.
pub(super) fn session(found: &session::Session, read: Option<Inference>) -> Session {
    let mut session = seen(found, read);
    inside::add(&mut session, found);
    session
}

/// What shows without keys.
fn seen(found: &session::Session, read: Option<Inference>) -> Session {
    let smtp = found.smtp.as_ref();
    let fingerprints = found.tls.as_deref().map(|tls| &tls.summary);
    let findings = observe::exposures(found, read.as_ref());
    let matrix = observe::matrix(found, &findings, read.as_ref());
    let advice = observe::advice(found, &findings, matrix.as_ref(), read.as_ref());
    let advice = advice.into_iter().map(|a| Advice { leak: a.leak, close: a.close, source: a.source }).collect();
    let mut exposure: Vec<Exposure> = findings.into_iter().map(|finding| convert_exposure(found, finding)).collect();
    if let Some(matrix) = &matrix {
        cells(found, matrix, &mut exposure);
    }
    Session {
        community_id: community_id::of(found.connection.originator, found.connection.responder),
        ja3: fingerprints.and_then(tls::Summary::ja3),
        ja3s: fingerprints.and_then(tls::Summary::ja3s),
        ja4: fingerprints.and_then(tls::Summary::ja4),
        exposure,
        advice,
        matrix: matrix.as_ref().map(|matrix| convert_matrix(found, matrix)),
        messages: smtp
            .map(|s| s.transactions.iter().map(|t| message(t, found.contents(t.index))).collect())
            .unwrap_or_default(),
        auth: smtp.map(|s| s.auth.iter().map(auth).collect()).unwrap_or_default(),
        dialogue: smtp.map(|summary| spoken::dialogue(found, summary)).unwrap_or_default(),
        inferred: read.and_then(|read| Some(inferred::of(found, found.tls.as_deref()?, read))),
        anomalies: anomalies(found),
        anomalies_dropped: anomalies_dropped(found),
        ..line(found)
    }
}

/// What stands in a table of sessions.
pub(super) fn line(found: &session::Session) -> Session {
    let connection = &found.connection;
    Session {
        session: connection.number,
        last_packet: connection.last_packet,
        first_time: connection.first_time,
        last_time: connection.last_time,
        originator: endpoint(connection.originator),
        responder: endpoint(connection.responder),
        client: found.client.map(|client| match client {
            Direction::FromOriginator => "originator",
            Direction::FromResponder => "responder",
        }),
        protocol: found.protocol.name(),
        verdict: found.verdict.name(),
        verdict_text: found.verdict_text.to_owned(),
        complete: found.complete,
        missing_bytes: found.missing,
        packets: Direction::BOTH.iter().map(|d| connection.counters(*d).packets).sum(),
        octets: Direction::BOTH.iter().map(|d| connection.counters(*d).wire_octets).sum(),
        community_id: String::new(),
        ja3: None,
        ja3s: None,
        ja4: None,
        tls: found.tls.as_deref().map(|tls| convert_tls(found, tls)),
        exposure: Vec::new(),
        advice: Vec::new(),
        matrix: None,
        messages: Vec::new(),
        auth: Vec::new(),
        dialogue: spoken::Dialogue::default(),
        inferred: None,
        inside: None,
        anomalies: Vec::new(),
        anomalies_dropped: 0,
    }
}

fn endpoint(end: flow::Endpoint) -> Endpoint {
    Endpoint { ip: end.ip, port: end.port }
}

/// How much a session gives away: a secret, then mail in the clear, then the rest.
pub(super) fn weight(found: &session::Session) -> u32 {
    let verdict = match found.verdict {
        Verdict::Downgraded => 60,
        Verdict::Clear => 50,
        Verdict::Unknown => 30,
        Verdict::ClearThenTls => 20,
        Verdict::TlsFromStart => 10,
        Verdict::NotMail => return 0,
    };
    let (secrets, said) = found.smtp.as_ref().map_or((0, false), |smtp| {
        let secrets = smtp.auth.iter().filter(|attempt| attempt.reveals_secret()).count().min(5) as u32;
        (secrets, !smtp.transactions.is_empty() || !smtp.auth.is_empty())
    });
    let odd = found.anomalies.iter().filter(|a| !matches!(a.kind, AnomalyKind::Flow(_))).count().min(5) as u32;
    verdict + 20 * secrets + 2 * odd + if said { 5 } else { 0 }
}

fn convert_exposure(found: &session::Session, exposure: observe::Exposure) -> Exposure {
    Exposure {
        subject: exposure.subject,
        observer: exposure.observer.name(),
        visibility: Some(exposure.visibility.name()),
        value: value(exposure.value),
        text: exposure.text,
        alarm: exposure.alarm && exposure.visibility == Visibility::Seen,
        sealed: false,
        evidence: exposure.evidence.into_iter().map(|place| evidence(found, place)).collect(),
        why: exposure.why.clone().into_owned(),
        listed: true,
    }
}

/// Adds every subject for every observer, and the dialogue as a whole. What somebody who reads along has found out
/// of a subject stands there already.
fn cells(found: &session::Session, matrix: &observe::Matrix, exposure: &mut Vec<Exposure>) {
    let entry = |subject, observer: Observer, cell: &observe::Cell, words: &str| Exposure {
        subject,
        observer: observer.name(),
        visibility: cell.visibility.map(Visibility::name),
        value: value(cell.value.clone()),
        text: words.to_owned(),
        alarm: false,
        sealed: false,
        evidence: cell.evidence.iter().map(|place| evidence(found, *place)).collect(),
        why: cell.why.clone(),
        listed: false,
    };
    for row in &matrix.rows {
        let subject = row.subject.name();
        let has_finding = exposure.iter().any(|e| e.listed && e.subject == subject);
        for (observer, cell) in Observer::ALL.into_iter().zip(&row.cells) {
            if !(has_finding && observer == Observer::Passive) {
                exposure.push(entry(subject, observer, cell, in_words(cell.visibility)));
            }
        }
    }
    for (observer, reach) in Observer::ALL.into_iter().zip(&matrix.reaches) {
        let visibility = match reach.answer {
            Answer::Clear | Answer::Yes => Some(Visibility::Seen),
            Answer::No => Some(Visibility::Hidden),
            Answer::CannotTell => None,
        };
        let cell = observe::Cell {
            visibility,
            value: observe::Value::None,
            why: reach.why.clone(),
            evidence: reach.evidence.clone(),
        };
        exposure.push(entry("dialogue", observer, &cell, in_words(visibility)));
    }
}

fn in_words(visibility: Option<Visibility>) -> &'static str {
    match visibility {
        Some(Visibility::Seen) => "can be read",
        Some(Visibility::Inferred) => "can be inferred",
        Some(Visibility::Hidden) => "cannot be read",
        None => "cannot tell",
    }
}

fn convert_matrix(found: &session::Session, matrix: &observe::Matrix) -> Matrix {
    let rows = matrix.rows.iter().map(|row| {
        let of = |observer: usize| row.cells[observer].visibility.map(Visibility::name);
        (row.subject.name(), [of(0), of(1), of(2), of(3)])
    });
    let reaches = Observer::ALL.into_iter().zip(&matrix.reaches).map(|(observer, reach)| Reach {
        observer: observer.name(),
        answer: match reach.answer {
            Answer::Clear | Answer::Yes => "yes",
            Answer::No => "no",
            Answer::CannotTell => "cannot tell",
        },
        brief: reach.brief.clone(),
        why: reach.why.clone(),
        evidence: reach.evidence.iter().map(|place| evidence(found, *place)).collect(),
    });
    Matrix { rows: rows.collect(), reaches: reaches.collect() }
}

pub(super) fn value(value: Value) -> serde_json::Value {
    match value {
        Value::None => serde_json::Value::Null,
        Value::Text(text) => text.into(),
        Value::Number(n) => n.into(),
        Value::Range(min, max) => json!({"min": min, "max": max}),
        Value::Bool(yes) => yes.into(),
        Value::List(values) => values.into_iter().map(self::value).collect(),
        Value::Fields(fields) => {
            fields.into_iter().map(|(name, value)| (name.to_owned(), self::value(value))).collect()
        }
    }
}

fn evidence(found: &session::Session, place: Place) -> Evidence {
    match place {
        Place::Packet(packet) => Evidence { packets: vec![packet], direction: None, start: None, end: None },
        Place::Span(span) => at(found, span),
    }
}

pub(super) fn at(found: &session::Session, span: Span) -> Evidence {
    Evidence {
        packets: found.packets(span),
        direction: Some(session::role(found.client(), span.direction)),
        start: Some(span.start),
        end: Some(span.end),
    }
}

/// The oddities of a session.
pub(super) fn anomalies(found: &session::Session) -> Vec<Anomaly> {
    let seen = found.anomalies.iter().map(|anomaly| convert_anomaly(found, anomaly));
    seen.chain(inside::anomalies(found)).collect()
}

/// Its oddities beyond those kept.
pub(super) fn anomalies_dropped(found: &session::Session) -> u64 {
    found.anomalies_dropped + found.inside.as_ref().map_or(0, |inside| inside.anomalies_dropped)
}

fn convert_anomaly(found: &session::Session, anomaly: &session::Anomaly) -> Anomaly {
    let mut evidence = match anomaly.span {
        Some(span) => at(found, span),
        None => Evidence { packets: Vec::new(), direction: None, start: None, end: None },
    };
    if evidence.packets.is_empty() {
        evidence.packets.push(anomaly.packet);
    }
    Anomaly {
        id: anomaly.kind.id(),
        severity: catalogue::severity(anomaly.kind.id()),
        session: found.connection.number,
        text: anomaly.kind.to_string(),
        evidence: vec![evidence],
    }
}

fn convert_tls(found: &session::Session, tls: &TlsSeen) -> Tls {
    let summary = &tls.summary;
    let client = found.client().index();
    Tls {
        version: summary.version.map(|version| version.to_string()),
        cipher: summary.cipher_suite.map(|suite| suite.to_string()),
        group: summary.group.map(|group| group.to_string()),
        server_name: summary.server_name.as_deref().map(utf8),
        alpn: summary
            .alpn
            .as_deref()
            .or_else(|| summary.client_hello.as_ref().and_then(|hello| hello.alpn().first()).map(Vec::as_slice))
            .map(utf8),
        resumed: summary.resumed,
        established: (!summary.gaps).then(|| summary.is_established()),
        forward_secret: summary.forward_secrecy().map(tls::ForwardSecrecy::is_forward_secret),
        post_quantum: summary.is_post_quantum(),
        certificates: summary.certificates.iter().map(certificate).collect(),
        alerts: summary.alerts.iter().map(|(_, alert)| alert.to_string()).collect(),
        records: [summary.records[client], summary.records[1 - client]],
        handshake: super::handshake::handshake(found, tls),
    }
}

pub(super) fn certificate(certificate: &tls::Certificate) -> Certificate {
    let fields = certificate.fields.as_ref();
    Certificate {
        subject: fields.map(|f| f.subject.to_string()).unwrap_or_default(),
        issuer: fields.map(|f| f.issuer.to_string()).unwrap_or_default(),
        names: fields.map(|f| f.dns_names.clone()).unwrap_or_default(),
        not_before: fields.map(|f| f.not_before.seconds()),
        not_after: fields.map(|f| f.not_after.seconds()),
        sha256: hex(&certificate.sha256),
        sealed: false,
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

pub(super) fn message(transaction: &Transaction, contents: Option<&Contents>) -> Message {
    let signs = |signs: bool, name| signs.then_some(name);
    Message {
        sealed: false,
        mail_from: transaction.mail_from.as_deref().map(utf8),
        recipients: transaction
            .recipients
            .iter()
            .map(|recipient| Recipient {
                address: utf8(&recipient.address),
                accepted: recipient.accepted,
                code: recipient.code,
                enhanced: recipient.enhanced.map(|enhanced| enhanced.to_string()),
                meaning: transaction.verdict(recipient).and_then(|status| status.enhanced?.meaning()),
                retry: transaction.verdict(recipient).and_then(|status| status.retry()).map(smtp::Retry::name),
                waited: recipient.waited.map(spoken::seconds),
                parameters: recipient.parameters().map(spoken::parameter).collect(),
                delivered: recipient.delivered.map(spoken::delivery),
            })
            .collect(),
        recipients_dropped: transaction.recipients_not_kept,
        parameters: transaction.parameters().map(spoken::parameter).collect(),
        fetched: transaction.fetched,
        transfer: transaction.transfer.map(smtp::Transfer::name),
        size: transaction.size,
        missing_bytes: transaction.missing,
        accepted: transaction.accepted,
        reply: transaction.reply.map(|_| utf8(&transaction.reply_text)),
        subject: transaction.header.subject.as_deref().map(|value| utf8(&decode_words(value))),
        from: transaction.header.from.as_deref().map(|value| utf8(&decode_words(value))),
        sha256: contents.and_then(|contents| contents.sha256.as_ref()).map(|sum| hex(sum)),
        attachments: contents.map(|c| c.attachments.iter().map(attachment).collect()).unwrap_or_default(),
        attachments_dropped: contents.map_or(0, |contents| contents.attachments_not_kept),
        received: contents.map_or(0, |contents| contents.received),
        protection: contents
            .map(|c| [signs(c.dkim, "DKIM"), signs(c.arc, "ARC"), c.protection.map(Protection::name)])
            .into_iter()
            .flatten()
            .flatten()
            .collect(),
        bcc: contents.is_some_and(|contents| contents.bcc),
        lenient_reading: transaction.lenient.as_deref().map(LenientReading::of),
    }
}

fn attachment(file: &session::Attachment) -> Attachment {
    Attachment {
        name: file.name.as_deref().map(utf8),
        declared: utf8(file.declared.as_bytes()),
        sniffed: file.sniffed,
        size: file.size,
        sha256: file.sha256.as_ref().map(|sum| hex(sum)),
        missing_bytes: file.missing,
    }
}

pub(super) fn auth(attempt: &smtp::AuthAttempt) -> Auth {
    Auth {
        mechanism: attempt.mechanism.clone(),
        username: attempt.username.as_deref().map(utf8),
        succeeded: attempt.succeeded,
        sealed: false,
        secret_length: attempt.secret_len,
        gain: attempt.gain().name(),
        authorization: attempt.authorization.as_deref().map(utf8),
        realm: attempt.realm.as_deref().map(utf8),
        workstation: attempt.workstation.as_deref().map(utf8),
        iterations: attempt.iterations,
        error: attempt.error.as_deref().map(utf8),
        cancelled: attempt.cancelled,
        code: attempt.code,
    }
}
