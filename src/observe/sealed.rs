//! What a TLS conversation gives away and what it hides.

use super::infer::{self, Calibration, Inference};
use super::{Exposure, Value, text, utf8};
use crate::session::{Session, TlsSeen, Verdict};
use crate::stream::Direction;
use crate::tls::{Certificate, Padding, Summary};

pub(super) fn exposures(session: &Session, tls: &TlsSeen, read: Option<&Inference>, out: &mut Vec<Exposure>) {
    let summary = &tls.summary;
    hello(summary, out);
    strength(summary, out);
    certificates(session, summary, out);
    for (span, alert) in &summary.alerts {
        out.push(Exposure::seen("alert", Value::Text(alert.to_string()), format!("in the clear: {alert}")).at([*span]));
    }
    records(session, tls, out);
    if session.verdict == Verdict::NotMail {
        return;
    }
    if session.smtp.is_some() {
        calibration(session, tls, out);
    }
    if let Some(read) = read {
        super::told::exposures(read, tls, out);
    }
    lengths(session, tls, out);
    for (subject, words) in HIDDEN {
        if !(summary.server_name.is_some() && *subject == "server name") {
            out.push(Exposure::hidden(subject, *words));
        }
    }
    if summary.certificates.is_empty() {
        out.push(Exposure::hidden("certificate", "the server's certificate"));
    }
}

/// What stays sealed in every mail session inside TLS, whatever sizes give away of its lengths.
const HIDDEN: &[(&str, &str)] = &[
    ("parties", "who wrote to whom"),
    ("subject", "subject"),
    ("message text", "text"),
    ("attachments", "attachments"),
    ("password", "user name and password"),
];

fn hello(summary: &Summary, out: &mut Vec<Exposure>) {
    let Some(hello) = &summary.client_hello else { return };
    let span = hello.span;
    match &summary.server_name {
        Some(name) => out.push(Exposure::seen("server name", utf8(name), text(name)).at([span])),
        None => out.push(Exposure::seen("server name", Value::None, "not asked for by name").at([span])),
    }
    if !hello.alpn().is_empty() {
        let names: Vec<String> = hello.alpn().iter().map(|name| text(name)).collect();
        let value = Value::List(hello.alpn().iter().map(|name| utf8(name)).collect());
        out.push(Exposure::seen("application", value, format!("offers {}", names.join(", "))).at([span]));
    }
    let extensions = hello.extensions.as_ref().map_or(0, |e| e.all.len());
    let mut words = format!(
        "a ClientHello of {} octets, {} cipher suites, {} extensions",
        span.len(),
        hello.cipher_suites.len(),
        extensions
    );
    words.push_str(match summary.resumed {
        Some(true) => ", resumes an earlier session",
        Some(false) => ", no session resumed",
        None => "",
    });
    let value = Value::Fields(vec![
        ("hello_octets", Value::Number(span.len())),
        ("cipher_suites", Value::Number(hello.cipher_suites.len() as u64)),
        ("extensions", Value::Number(extensions as u64)),
    ]);
    out.push(Exposure::seen("client software", value, words).at([span]));
}

fn strength(summary: &Summary, out: &mut Vec<Exposure>) {
    let Some(hello) = &summary.server_hello else { return };
    let version = summary.version.map(|version| version.to_string());
    let suite = summary.cipher_suite.map(|suite| suite.to_string());
    let group = summary.group.map(|group| group.to_string());
    let words: Vec<&str> = [&version, &suite, &group].into_iter().flatten().map(String::as_str).collect();
    let field = |value: &Option<String>| value.clone().map_or(Value::None, Value::Text);
    let value = Value::Fields(vec![("version", field(&version)), ("cipher", field(&suite)), ("group", field(&group))]);
    out.push(Exposure::seen("TLS", value, words.join(", ")).at([hello.span]));
}

fn certificates(session: &Session, summary: &Summary, out: &mut Vec<Exposure>) {
    let chains = [
        ("certificate", &summary.certificates, summary.certificates_span),
        ("client certificate", &summary.client_certificates, summary.client_certificates_span),
    ];
    for (owner, chain, span) in chains {
        let Some(Certificate { fields: Some(fields), .. }) = chain.first() else { continue };
        let mut words = vec![format!("for {}", fields.subject)];
        if !fields.dns_names.is_empty() {
            words.push(format!("names {}", fields.dns_names.join(", ")));
        }
        words.push(if fields.self_issued {
            "signed by itself".to_owned()
        } else {
            format!("signed by {}", fields.issuer)
        });
        words.push(format!("valid {} to {}", day(fields.not_before), day(fields.not_after)));
        if !fields.is_valid_at(session.connection.first_time) {
            words.push("not valid when captured".to_owned());
        }
        let value = Value::Fields(vec![
            ("subject", Value::Text(fields.subject.to_string())),
            ("issuer", Value::Text(fields.issuer.to_string())),
            ("names", Value::List(fields.dns_names.iter().cloned().map(Value::Text).collect())),
        ]);
        out.push(Exposure::seen(owner, value, words.join("; ")).at(span));
    }
}

fn day(time: crate::time::Timestamp) -> String {
    time.utc().to_string().chars().take(10).collect()
}

fn records(session: &Session, tls: &TlsSeen, out: &mut Vec<Exposure>) {
    let client = session.client().index();
    let [ours, theirs] = [tls.summary.records[client], tls.summary.records[1 - client]];
    let value = Value::Fields(vec![("client", Value::Number(ours)), ("server", Value::Number(theirs))]);
    let places = [tls.trace.records().first(), tls.trace.records().last()].into_iter().flatten().map(|r| r.span());
    out.push(
        Exposure::seen(
            "records",
            value,
            format!("{ours} from the client, {theirs} from the server, each with its length"),
        )
        .at(places),
    );
}

/// The greeting repeated inside TLS is as long as it was in the clear: the lengths can be trusted.
fn calibration(session: &Session, tls: &TlsSeen, out: &mut Vec<Exposure>) {
    let summary = session.smtp.as_ref();
    let Some(ehlo) = summary.and_then(|smtp| smtp.client_name.as_ref()) else { return };
    let found = infer::calibrate(&tls.trace, session.client(), ehlo.span.len());
    let span_of = |record: usize| tls.trace.records().get(record).map(|r| r.span());
    match found {
        Some(Calibration::Confirmed { record, octets }) => {
            out.push(
                Exposure::inferred(
                    "greeting inside",
                    Value::Number(octets),
                    format!("the first sealed words are {octets} octets, as the EHLO in the clear was: record lengths tell the lengths of what is said"),
                )
                .at([ehlo.span])
                .at(span_of(record)),
            );
            capabilities(session, tls, record, out);
        }
        Some(Calibration::Contradicted { record, expected }) => out.push(
            Exposure::inferred(
                "greeting inside",
                Value::None,
                format!("the first sealed words are not the {expected} octets of the EHLO in the clear: padding, or another greeting"),
            )
            .at([ehlo.span])
            .at(span_of(record)),
        ),
        None => {}
    }
}

/// The reply to the repeated EHLO against the one in the clear, whose STARTTLS line is gone
/// (RFC 3207 §4.2): what is left over are capabilities that are offered only inside TLS.
fn capabilities(session: &Session, tls: &TlsSeen, record: usize, out: &mut Vec<Exposure>) {
    let Some(smtp) = &session.smtp else { return };
    let (Some(reply), Some(_)) = (&smtp.ehlo_reply, &smtp.starttls.offered) else { return };
    let server = session.client().reversed();
    let dialogue = infer::dialogue(&tls.trace, session.client(), false);
    let mut after = dialogue.iter().skip_while(|(index, _)| *index <= record);
    let Some((index, first)) = after.next().filter(|(_, r)| r.direction == server && !r.after_gap) else { return };
    let alone = after.next().is_none_or(|(_, next)| next.direction != server);
    let Some(octets) = tls.trace.plaintext(first).and_then(|p| p.exact()).filter(|_| alone) else { return };
    let (octets, expected) = (u64::from(octets), reply.span.len().saturating_sub(infer::STARTTLS_LINE));
    let words = match octets.checked_sub(expected) {
        Some(0) => {
            "as long as the one in the clear without its STARTTLS line: nothing new is offered inside".to_owned()
        }
        Some(infer::STARTTLS_LINE) => "as long as the one in the clear, as where STARTTLS is listed again".to_owned(),
        Some(more) => {
            let has_auth = smtp.capabilities.iter().any(|c| c.keyword.eq_ignore_ascii_case(b"AUTH"));
            let words = match infer::auth_line(more) {
                _ if has_auth => "capabilities offered only inside TLS".to_owned(),
                Some(line) => format!("as many as `250-AUTH {line}` has, which would be offered only inside TLS"),
                None => "capabilities offered only inside TLS, such as AUTH".to_owned(),
            };
            format!("{more} octets more than in the clear, its STARTTLS line apart: {words}")
        }
        None => format!("{} octets less than in the clear, its STARTTLS line apart", expected - octets),
    };
    let span = tls.trace.records().get(*index).map(|r| r.span());
    out.push(Exposure::inferred("reply to it", Value::Number(octets), words).at([reply.span]).at(span));
}

fn lengths(session: &Session, tls: &TlsSeen, out: &mut Vec<Exposure>) {
    let records = tls.trace.records();
    let sealed = || records.iter().filter(|record| record.sealed);
    if sealed().next().is_none() {
        return;
    }
    let known = sealed().filter(|record| record.plaintext.is_some()).count();
    if known == 0 {
        if let [only] = sealed().collect::<Vec<_>>()[..]
            && let Some(octets) = infer::if_tls13(only.length)
        {
            let words = format!(
                "{octets} octets of text in one record of {}, if it is TLS 1.3 (its handshake was not captured)",
                only.length
            );
            out.push(Exposure::inferred("length", Value::Number(u64::from(octets)), words).at([only.span()]));
        } else {
            let words = "the cipher suite was not captured, so lengths of text are not known exactly";
            out.push(Exposure::inferred("lengths", Value::None, words).at(sealed().next().map(|r| r.span())));
        }
        return;
    }
    let server_first = session.smtp.is_none();
    let dialogue = infer::dialogue(&tls.trace, session.client(), server_first);
    let bounds = |direction: Direction| {
        let of = || dialogue.iter().filter(move |(_, r)| r.direction == direction);
        let sum = |pick: fn(&crate::tls::PlaintextLength) -> u16| -> u64 {
            of().filter_map(|(_, r)| tls.trace.plaintext(r)).map(|p| u64::from(pick(&p))).sum()
        };
        (of().count(), sum(|p| p.min), sum(|p| p.max))
    };
    let (client, server) = (bounds(session.client()), bounds(session.client().reversed()));
    let padded = tls.trace.padding() != Padding::NotSeen;
    let range = |(_, min, max): (usize, u64, u64)| {
        if min == max { max.to_string() } else { format!("{min}-{max}") }
    };
    let certain = match (tls.summary.gaps, padded) {
        (true, _) => "; octets are missing, so this is only what was captured",
        (false, true) => "; records are padded to a block, it seems",
        (false, false) => "",
    };
    let tail = match [session.client(), session.client().reversed()].map(|direction| tls.trace.tail(direction)) {
        [0, 0] => String::new(),
        [octets, 0] => format!("; the client ends each record with {octets} octets of padding, left out here"),
        [0, octets] => format!("; the server ends each record with {octets} octets of padding, left out here"),
        [octets, _] => format!("; both end each record with {octets} octets of padding, left out here"),
    };
    let words = format!(
        "the client says {} octets in {} records, the server {} in {}{certain}{tail}",
        range(client),
        client.0,
        range(server),
        server.0
    );
    let value =
        Value::Fields(vec![("client", Value::Range(client.1, client.2)), ("server", Value::Range(server.1, server.2))]);
    let places = [dialogue.first(), dialogue.last()].into_iter().flatten().map(|(_, r)| r.span());
    out.push(Exposure::inferred("lengths", value, words).at(places));
}
