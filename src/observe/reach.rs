//! How far each observer gets: whether what TLS seals in a session can be read by somebody on the path, by
//! somebody who interferes, by the later holder of the server's key, and by somebody with a quantum computer.

use super::{Observer, Place};
use crate::session::{Session, TlsSeen, Verdict};
use crate::stream::Span;
use crate::tls::{self, CipherSuite, SuiteClass, Summary};

/// Whether an observer can read what is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing is sealed: all of it is in the clear.
    Clear,
    /// Yes.
    Yes,
    /// No.
    No,
    /// The capture does not tell.
    CannotTell,
}

/// An [`Answer`], why, and where that shows.
#[derive(Clone, Debug)]
pub struct Reach {
    /// The answer.
    pub answer: Answer,
    /// The reason in a few words.
    pub brief: String,
    /// One sentence.
    pub why: String,
    /// Where it shows.
    pub evidence: Vec<Place>,
}

/// How far `observer` gets with `session`.
#[must_use]
pub fn reach(session: &Session, observer: Observer) -> Reach {
    let Some(tls) = session.tls.as_deref() else { return in_the_clear(session, observer) };
    if observer == Observer::Active
        && let Some((span, alert)) = refused_certificate(session, &tls.summary)
    {
        return Reach {
            answer: Answer::No,
            brief: "the client refused the certificate".to_owned(),
            why: format!(
                "The client refused the certificate ({alert}), as it would refuse that of somebody in between."
            ),
            evidence: vec![Place::Span(span)],
        };
    }
    if !seals(tls) {
        return in_the_clear(session, observer);
    }
    match observer {
        Observer::Passive => passive(session, tls),
        Observer::Active => active(session, tls),
        Observer::KeyHolder => key_holder(tls),
        Observer::Future => future(tls),
    }
}

/// Whether anything of the conversation is sealed. A handshake that failed seals nothing.
fn seals(tls: &TlsSeen) -> bool {
    tls.trace.records().iter().any(|record| record.sealed) || tls.summary.is_established()
}

fn in_the_clear(session: &Session, observer: Observer) -> Reach {
    let dialogue = session.smtp.as_ref();
    let evidence: Vec<Place> = dialogue
        .and_then(|smtp| smtp.greeting.as_ref().map(|greeting| greeting.span))
        .or_else(|| dialogue.and_then(|smtp| smtp.client_name.as_ref().map(|client| client.span)))
        .map(Place::Span)
        .into_iter()
        .collect();
    if dialogue.is_none() {
        return Reach {
            answer: Answer::CannotTell,
            brief: "nothing of a dialogue was captured".to_owned(),
            why: "Nothing was said, or nothing of it was captured.".to_owned(),
            evidence: Vec::new(),
        };
    }
    let why = match observer {
        Observer::Passive => "Nothing of the dialogue is sealed.",
        Observer::Active => "Nothing of the dialogue is sealed, and what is not sealed can be changed on the way.",
        Observer::KeyHolder => "Nothing of the dialogue is sealed: no key is needed.",
        Observer::Future => "Nothing of the dialogue is sealed: no quantum computer is needed.",
    };
    let brief = "nothing of the dialogue is sealed".to_owned();
    Reach { answer: Answer::Clear, brief, why: why.to_owned(), evidence }
}

fn passive(session: &Session, tls: &TlsSeen) -> Reach {
    let evidence = agreed(&tls.summary);
    if is_unencrypted(&tls.summary) {
        let why = "The suite that was agreed on encrypts nothing: it only guards against changes.";
        let brief = "the suite encrypts nothing".to_owned();
        return Reach { answer: Answer::Yes, brief, why: why.to_owned(), evidence };
    }
    let (brief, why) = match session.verdict {
        Verdict::ClearThenTls => (
            "but for what stood before STARTTLS",
            "What follows STARTTLS is sealed; what stood before it is in the clear.",
        ),
        _ => ("sealed", "It is sealed, and the keys never cross the network."),
    };
    let evidence = if evidence.is_empty() { first_sealed(tls) } else { evidence };
    Reach { answer: Answer::No, brief: brief.to_owned(), why: why.to_owned(), evidence }
}

fn active(session: &Session, tls: &TlsSeen) -> Reach {
    let summary = &tls.summary;
    if is_unencrypted(summary) {
        return passive(session, tls);
    }
    if let Some(suite) = summary.cipher_suite.filter(|suite| is_anonymous(*suite)) {
        return Reach {
            answer: Answer::Yes,
            brief: "nobody proves who they are".to_owned(),
            why: format!("With {suite} nobody proves who they are: anybody in the path could have stood between them."),
            evidence: agreed(summary),
        };
    }
    if let Some(hello) = summary.client_hello.as_deref()
        && let Some(suite) = hello.cipher_suites.iter().find(|suite| is_anonymous(**suite))
    {
        return Reach {
            answer: Answer::Yes,
            brief: "the client offers suites without certificates".to_owned(),
            why: format!(
                "The client offers {suite}, with which no server has to prove who it is: anybody could answer it."
            ),
            evidence: vec![Place::Span(hello.span)],
        };
    }
    let mut evidence = Vec::new();
    let mut why = match session.smtp.as_ref().map(|smtp| &smtp.starttls) {
        Some(ladder) => {
            evidence.extend(ladder.offered.or(ladder.requested).map(Place::Span));
            "The offer of STARTTLS is in the clear and can be removed; whether the client would then go on does not show"
                .to_owned()
        }
        None => "TLS from the first octet cannot be removed".to_owned(),
    };
    let (checks, words, places) = certificate(session, summary);
    let brief = match (session.smtp.is_some(), checks) {
        (true, None) => "STARTTLS can be removed; the client's answer to that does not show".to_owned(),
        (false, None) => "whether the client checks certificates does not show".to_owned(),
        (_, Some(fault)) => format!("the client took a certificate that {fault}"),
    };
    why.push_str("; ");
    why.push_str(&words);
    why.push('.');
    evidence.extend(places);
    Reach { answer: Answer::CannotTell, brief, why, evidence }
}

/// Whether the certificate is one that a client could have checked: its faults, a clause of a sentence, and where it
/// stands.
fn certificate(session: &Session, summary: &Summary) -> (Option<String>, String, Vec<Place>) {
    let places: Vec<Place> = summary.certificates_span.map(Place::Span).into_iter().collect();
    let Some(leaf) = summary.certificates.first().and_then(|leaf| leaf.fields.as_ref()) else {
        let words = "whether it checks the certificate does not show, for that is sealed or was not captured";
        return (None, words.to_owned(), agreed(summary));
    };
    let mut faults = Vec::new();
    if leaf.self_issued {
        faults.push("is signed by itself");
    }
    if !leaf.is_valid_at(session.connection.first_time) {
        faults.push("was not valid at that time");
    }
    let asked = summary.server_name.as_deref().and_then(|name| std::str::from_utf8(name).ok());
    if asked.is_some_and(|asked| !leaf.dns_names.iter().any(|name| covers(name, asked))) {
        faults.push("is not for the name that was asked for");
    }
    if faults.is_empty() {
        let words = "the certificate is one that a client can check, and whether it did does not show";
        return (None, words.to_owned(), places);
    }
    let faults = faults.join(" and ");
    let words =
        format!("the certificate {faults}, and the client went on: unless it knows this very one, it checks none");
    (Some(faults), words, places)
}

/// Whether a certificate's DNS name stands for a host (RFC 6125 §6.4: `*` is one whole label on the left).
fn covers(name: &str, host: &str) -> bool {
    let host = host.trim_end_matches('.');
    match name.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent)),
        None => name.eq_ignore_ascii_case(host),
    }
}

fn key_holder(tls: &TlsSeen) -> Reach {
    let summary = &tls.summary;
    let exchange = exchange(summary);
    let (answer, brief, why) = match forward_secret(summary) {
        Some(true) => (
            Answer::No,
            format!("forward secret{exchange}"),
            format!("The session's key was agreed on afresh{exchange}: the server's key does not open it later."),
        ),
        Some(false) => {
            let suite = summary.cipher_suite.map(|suite| suite.to_string()).unwrap_or_default();
            (
                Answer::Yes,
                "no forward secrecy".to_owned(),
                format!(
                    "With {suite} the session's key was sent under the server's key, which opens it at any time later."
                ),
            )
        }
        None => unknown_exchange(summary),
    };
    Reach { answer, brief, why, evidence: agreed(summary) }
}

fn future(tls: &TlsSeen) -> Reach {
    let summary = &tls.summary;
    let exchange = exchange(summary);
    let (answer, brief, why) = match post_quantum(summary) {
        Some(true) => (
            Answer::No,
            format!("post-quantum key exchange{exchange}"),
            format!("The key exchange{exchange} is made to withstand a quantum computer (FIPS 203)."),
        ),
        Some(false) => (
            Answer::Yes,
            format!("no post-quantum key exchange{exchange}"),
            format!("The key exchange{exchange} falls to a quantum computer: what is recorded now can be read then."),
        ),
        None => unknown_exchange(summary),
    };
    Reach { answer, brief, why, evidence: agreed(summary) }
}

fn unknown_exchange(summary: &Summary) -> (Answer, String, String) {
    let (brief, why) = if summary.resumed == Some(true) {
        ("the session that is resumed decides", "An earlier session is resumed, and its key exchange decides.")
    } else {
        ("the key exchange was not captured", "How the key was agreed on was not captured.")
    };
    (Answer::CannotTell, brief.to_owned(), why.to_owned())
}

/// ` (x25519)`, where the group is known.
fn exchange(summary: &Summary) -> String {
    summary.group.map(|group| format!(" ({group})")).unwrap_or_default()
}

/// Where it shows what was agreed on.
fn agreed(summary: &Summary) -> Vec<Place> {
    summary.server_hello.as_deref().map(|hello| Place::Span(hello.span)).into_iter().collect()
}

fn first_sealed(tls: &TlsSeen) -> Vec<Place> {
    tls.trace.records().iter().find(|record| record.sealed).map(|r| Place::Span(r.span())).into_iter().collect()
}

/// A client's alert about the server's certificate, after which nothing more was said (RFC 8446 §6.2).
fn refused_certificate(session: &Session, summary: &Summary) -> Option<(Span, tls::Alert)> {
    let client = session.client();
    summary
        .alerts
        .iter()
        .find(|(span, alert)| span.direction == client && REFUSALS.contains(&alert.description.0))
        .copied()
}

/// bad_certificate, unsupported_certificate, certificate_revoked, certificate_expired, certificate_unknown, unknown_ca.
const REFUSALS: [u8; 6] = [42, 43, 44, 45, 46, 48];

/// Whether whoever gets the server's key later can read what was recorded. `None`: cannot be told.
///
/// TLS 1.3 always agrees on a fresh key, but for resumption without one (psk_ke, RFC 8446 §4.2.9). Before it a
/// resumed session has no key exchange of its own.
fn forward_secret(summary: &Summary) -> Option<bool> {
    match (summary.is_tls13(), summary.group, summary.resumed) {
        (true, Some(_), _) => Some(true),
        (true, None, _) | (false, _, Some(true)) => None,
        (false, ..) => summary.cipher_suite.and_then(CipherSuite::forward_secrecy),
    }
}

/// Whether the key exchange withstands a quantum computer. `None`: cannot be told, as where a session is resumed
/// without a key exchange of its own.
fn post_quantum(summary: &Summary) -> Option<bool> {
    match (summary.group, summary.is_tls13() || summary.resumed == Some(true)) {
        (Some(group), _) => Some(group.is_post_quantum()),
        (None, true) => None,
        (None, false) => summary.cipher_suite.map(|_| false),
    }
}

fn is_unencrypted(summary: &Summary) -> bool {
    summary.cipher_suite.and_then(CipherSuite::class).is_some_and(|class| matches!(class, SuiteClass::Null { .. }))
}

fn is_anonymous(suite: CipherSuite) -> bool {
    suite.name().is_some_and(|name| name.contains("_anon_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        assert!(covers("mail.example.org", "MAIL.example.org."));
        assert!(covers("*.example.org", "mail.example.org"));
        assert!(!covers("*.example.org", "a.mail.example.org"));
        assert!(!covers("*.example.org", "example.org"));
        assert!(!covers("example.org", "mail.example.org"));
    }

    #[test]
    fn suites_without_authentication_are_known_by_their_names() {
        assert!(is_anonymous(CipherSuite(0x0034)) && is_anonymous(CipherSuite(0xc018)));
        assert!(!is_anonymous(CipherSuite::TLS_AES_128_GCM_SHA256));
    }
}
