//! Why a finding of somebody who only reads along can be made, or cannot: a sentence for each.

use super::Visibility;

/// The reason behind what is found out about `subject`.
pub(super) fn of_finding(subject: &str, visibility: Visibility) -> &'static str {
    match (subject, visibility) {
        ("server", _) => "The greeting stands in the clear before everything else (RFC 5321 §4.2).",
        ("client", _) => "The client names itself in the clear, in EHLO or HELO (RFC 5321 §4.1.1.1).",
        ("starttls", _) => "The offer of STARTTLS, the request and the answer are in the clear (RFC 3207 §4).",
        ("login", Visibility::Seen) => "AUTH encodes what it carries in base64, which hides nothing (RFC 4954 §4).",
        ("sender", Visibility::Seen) => "MAIL FROM stands in the clear (RFC 5321 §4.1.1.2).",
        ("recipients", Visibility::Seen) => "RCPT TO and the answer to it stand in the clear (RFC 5321 §4.1.1.3).",
        ("message" | "messages" | "message text" | "message header", Visibility::Seen) => {
            "The message stands in the clear between its command and its end (RFC 5321 §4.1.1.4)."
        }
        ("envelope", _) => {
            "Envelope and header are written apart and need not agree (RFC 5321 §2.3.1); both stand in the clear."
        }
        ("server name", Visibility::Seen) => {
            "Who asks for a server by name, asks in the clear (RFC 6066 §3, RFC 1035 §4.1)."
        }
        ("application", _) => "ALPN is offered in the ClientHello, which is in the clear (RFC 7301 §3.1).",
        ("client software", _) => {
            "A ClientHello is in the clear, and lists what its TLS library can do (RFC 8446 §4.1.2)."
        }
        ("TLS", _) => "The ServerHello is in the clear and names what was agreed on (RFC 8446 §4.1.3).",
        ("certificate", Visibility::Hidden) => {
            "From TLS 1.3 on the certificate is encrypted (RFC 8446 §2), or it was not captured."
        }
        ("certificate" | "client certificate", _) => {
            "Up to TLS 1.2 certificates are sent in the clear (RFC 5246 §7.4.2)."
        }
        ("alert", _) => "Before keys are in use alerts are in the clear (RFC 5246 §7.2).",
        ("records", _) => "Every record has its type and its length before it, in the clear (RFC 8446 §5.1).",
        ("timing, sizes", _) => "Whoever carries packets can count them and take their time, whatever is in them.",
        ("capture", _) => "Octets that were acknowledged, or lie before others, are not in the capture.",
        (_, Visibility::Seen) => "It stands in the clear.",
        (_, Visibility::Inferred) => {
            "Encryption hides what is said, not how long it is: TLS adds a fixed number of octets (RFC 8446 §5.2, §5.4)."
        }
        (_, Visibility::Hidden) => "It is said inside TLS, and its length does not tell it.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_one_sentence() {
        for subject in ["server", "login", "message text", "certificate", "records", "anything"] {
            for visibility in [Visibility::Seen, Visibility::Inferred, Visibility::Hidden] {
                let why = of_finding(subject, visibility);
                assert!(why.ends_with('.') && why.matches(". ").count() == 0, "{why}");
            }
        }
    }
}
