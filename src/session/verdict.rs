//! The verdict on a session, and the protocol it spoke.

use super::{AnomalyKind, Failure, Protocol, Speaks, TlsSeen, Upgraded, Verdict};
use crate::flow;
use crate::smtp;
use crate::stream::Direction;

/// What a session turned out to be.
pub(super) struct Finding {
    pub(super) protocol: Protocol,
    pub(super) verdict: Verdict,
    pub(super) text: &'static str,
    pub(super) anomaly: Option<AnomalyKind>,
}

/// Decides, from what was found; ports decide only what content leaves open. Beside the dialogue stands why it is not
/// sealed.
pub(super) fn decide(
    connection: &flow::Connection,
    (smtp, failure): (Option<&smtp::Summary>, Option<Failure>),
    tls: Option<&TlsSeen>,
    speaks: Speaks,
    ports: [u16; 2],
) -> Finding {
    let finding = |protocol, verdict, text| Finding { protocol, verdict, text, anomaly: None };
    let has_port = |port| ports.contains(&port);
    match (smtp, tls, speaks) {
        (Some(summary), None, _) => {
            let protocol = if summary.lmtp { Protocol::Lmtp } else { Protocol::Smtp };
            let (verdict, text) = clear(failure, says_more(summary));
            let anomaly = has_port(SUBMISSIONS).then_some(AnomalyKind::ClearOnTlsPort);
            Finding { protocol, verdict, text, anomaly }
        }
        (Some(_), Some(_), _) => {
            let text = match failure {
                Some(Failure::HelloUnanswered) => "clear up to STARTTLS; the client's TLS hello was not answered",
                Some(Failure::Broken) => "clear up to STARTTLS; the TLS handshake was broken off",
                _ => "clear, then sealed by STARTTLS",
            };
            finding(Protocol::SmtpStartTls, Verdict::ClearThenTls, text)
        }
        (None, Some(tls), _) => {
            let mail_alpn = tls.summary.alpn.as_deref().is_some_and(is_mail_alpn);
            if has_port(SUBMISSIONS) || mail_alpn {
                let text = if !connection.handshake.is_midstream() {
                    "sealed from the start"
                } else {
                    "sealed; its beginning was not captured"
                };
                finding(Protocol::Smtps, Verdict::TlsFromStart, text)
            } else if CLEAR_PORTS.iter().any(|port| has_port(*port)) {
                let mut found =
                    finding(Protocol::Tls, Verdict::Unknown, "sealed, on a port where mail begins in the clear");
                found.anomaly = (!connection.handshake.is_midstream()).then_some(AnomalyKind::TlsOnClearPort);
                found
            } else {
                finding(Protocol::Tls, Verdict::NotMail, "TLS, not known to be mail")
            }
        }
        (None, None, Speaks::Ssh) => finding(Protocol::Ssh, Verdict::NotMail, "SSH, not mail"),
        (None, None, Speaks::Undecided) => {
            let mail_port = has_port(SUBMISSIONS) || CLEAR_PORTS.iter().any(|port| has_port(*port));
            let silent = Direction::BOTH.iter().all(|d| connection.counters(*d).payload_octets == 0);
            match (mail_port, silent) {
                (true, true) => finding(Protocol::Other, Verdict::Unknown, "a mail port, but nothing was said"),
                (true, false) => {
                    finding(Protocol::Other, Verdict::Unknown, "a mail port, but too little was said to tell")
                }
                (false, true) => finding(Protocol::Other, Verdict::NotMail, "nothing was said"),
                (false, false) => finding(Protocol::Other, Verdict::NotMail, "not mail"),
            }
        }
        _ => finding(Protocol::Other, Verdict::NotMail, "not mail"),
    }
}

/// TLS that began inside another protocol.
pub(super) fn upgraded(from: Upgraded) -> Finding {
    Finding { protocol: Protocol::Tls, verdict: Verdict::NotMail, text: from.sentence(), anomaly: None }
}

/// Whether there was mail or a login.
pub(super) fn says_more(summary: &smtp::Summary) -> bool {
    !summary.transactions.is_empty() || !summary.auth.is_empty()
}

/// A dialogue that stayed in the clear to its end.
fn clear(failure: Option<Failure>, went_on: bool) -> (Verdict, &'static str) {
    match failure {
        Some(Failure::ClearAfterAgreement) if went_on => {
            (Verdict::Downgraded, "downgraded: the server agreed to STARTTLS, and the dialogue went on in the clear")
        }
        Some(Failure::ClearAfterAgreement) => {
            (Verdict::Clear, "in the clear: the server agreed to STARTTLS, and no TLS followed")
        }
        Some(Failure::NotBegun) => (Verdict::ClearThenTls, "clear up to STARTTLS; no TLS was captured after it"),
        Some(Failure::Refused) if went_on => {
            (Verdict::Downgraded, "downgraded: STARTTLS was refused and the client went on in the clear")
        }
        Some(Failure::Refused) => (Verdict::Clear, "in the clear: STARTTLS was refused and the client gave up"),
        Some(Failure::NotAnswered) => (Verdict::Clear, "in the clear up to STARTTLS, whose answer was not captured"),
        Some(Failure::Masked) if went_on => {
            (Verdict::Downgraded, "downgraded: the offer of STARTTLS was overwritten on the way")
        }
        Some(Failure::NotRequested) => {
            (Verdict::Clear, "in the clear, though the server offered STARTTLS and the client never asked")
        }
        _ => (Verdict::Clear, "in the clear"),
    }
}

/// ALPN names of mail submission and relay, as servers register or use them (`smtp`, `esmtp`).
fn is_mail_alpn(name: &[u8]) -> bool {
    matches!(name, b"smtp" | b"esmtp" | b"submission")
}

/// SMTP over TLS from the first octet (RFC 8314 §7.3).
const SUBMISSIONS: u16 = 465;

/// Where a mail dialogue begins in the clear: relay (RFC 5321 §4.5.4.2) and submission (RFC 6409).
const CLEAR_PORTS: [u16; 2] = [25, 587];
