//! What would close a leak: advice to whoever runs the server or chooses the client.

use super::infer::Inference;
use super::reach::{Answer, Reach};
use super::{Exposure, Matrix, Observer, Visibility};
use crate::session::{Session, Verdict};

/// A leak of a session, with what would close it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What is given away.
    pub leak: &'static str,
    /// What to do about it.
    pub close: &'static str,
    /// Where that is written down.
    pub source: &'static str,
}

const CLEAR: Advice = Advice {
    leak: "envelope and message are in the clear",
    close: "Have the server offer TLS and the client insist on it: on port 465 from the first octet, or by STARTTLS that may not fail.",
    source: "RFC 8314 §3, RFC 3207",
};
const LOGIN: Advice = Advice {
    leak: "a password crosses the network in the clear",
    close: "Have the server refuse AUTH without TLS (538), and the client send it inside TLS only; change the password.",
    source: "RFC 4954 §4, RFC 8314 §3",
};
const DOWNGRADED: Advice = Advice {
    leak: "the client went on without TLS",
    close: "Publish that TLS is due, by MTA-STS or by TLSA records (DANE), and have the client stop where it cannot be had.",
    source: "RFC 8461, RFC 7672",
};
const PREAMBLE: Advice = Advice {
    leak: "greeting, capabilities and the client's name stand before STARTTLS, and whoever interferes can remove the offer",
    close: "Use TLS from the first octet, on port 465.",
    source: "RFC 8314 §3",
};
const SERVER_NAME: Advice = Advice {
    leak: "the client names the server in its hello",
    close: "Encrypted ClientHello hides the name, where client and server both know it; no mail program is known to.",
    source: "RFC 9849",
};
const KEY_LATER: Advice = Advice {
    leak: "whoever gets the server's key later can read what was recorded",
    close: "Allow suites with ephemeral keys (ECDHE) only.",
    source: "RFC 9325 §4.1",
};
const QUANTUM: Advice = Advice {
    leak: "whoever records it and has a quantum computer later can read it",
    close: "Agree on a hybrid group (X25519MLKEM768), which OpenSSL 3.5 and its like offer by themselves.",
    source: "RFC 8446 §4.2.7, draft-ietf-tls-ecdhe-mlkem",
};
const ENVELOPE: Advice = Advice {
    leak: "each command of the envelope is a record of its own: recipients can be counted, and their addresses measured",
    close: "Send the envelope in one record (PIPELINING), or with the message in it (CHUNKING, BDAT): only sums then show.",
    source: "RFC 2920, RFC 3030",
};
const LINES: Advice = Advice {
    leak: "each line of the message is a record of its own: every line can be measured, that of the subject among them",
    close: "Use a client that writes messages in blocks.",
    source: "RFC 8446 §5.1",
};
const SIZE: Advice = Advice {
    leak: "the size of the message shows",
    close: "Padding of records hides it, as far as it goes; no mail program is known to ask its TLS library for it.",
    source: "RFC 8446 §5.4",
};
const LINKS: Advice = Advice {
    leak: "a ticket links the session to an earlier one",
    close: "Have the client use each ticket once, and the server give out few of them.",
    source: "RFC 8446 §C.4",
};

/// What would close the leaks of a session, the gravest first.
#[must_use]
pub fn advice(
    session: &Session,
    findings: &[Exposure],
    matrix: Option<&Matrix>,
    read: Option<&Inference>,
) -> Vec<Advice> {
    let mut all = Vec::new();
    if session.verdict == Verdict::NotMail {
        return all;
    }
    let mut add = |holds: bool, advice: Advice| {
        if holds {
            all.push(advice);
        }
    };
    let verdict = session.verdict;
    let is_sealed = matches!(verdict, Verdict::ClearThenTls | Verdict::TlsFromStart);
    add(findings.iter().any(|finding| finding.subject == "login" && finding.alarm), LOGIN);
    add(verdict == Verdict::Clear, CLEAR);
    add(verdict == Verdict::Downgraded, DOWNGRADED);
    add(verdict == Verdict::ClearThenTls, PREAMBLE);
    let opens = |observer: Observer| {
        let place = Observer::ALL.iter().position(|one| *one == observer);
        let reach: Option<&Reach> = matrix.zip(place).and_then(|(matrix, place)| matrix.reaches.get(place));
        is_sealed && reach.is_some_and(|reach| reach.answer == Answer::Yes)
    };
    add(opens(Observer::KeyHolder), KEY_LATER);
    add(opens(Observer::Future), QUANTUM);
    if let Some(read) = read {
        let recipients = || read.messages.iter().flatten().flat_map(|message| message.recipients.iter().flatten());
        add(recipients().any(|recipient| recipient.address_length.is_some()), ENVELOPE);
        add(is_line_by_line(read), LINES);
        add(read.messages.iter().flatten().any(|message| message.size.is_some_and(|size| size.max > 0)), SIZE);
    }
    let is_named = |finding: &Exposure| finding.subject == "server name" && finding.visibility == Visibility::Seen;
    let names = session.tls.as_deref().is_some_and(|tls| tls.summary.server_name.is_some());
    add(is_sealed && names && findings.iter().any(is_named), SERVER_NAME);
    add(session.tls.as_deref().is_some_and(|tls| tls.summary.shown().is_some()), LINKS);
    all
}

/// Whether a message is written a line at a time: a row of short records.
fn is_line_by_line(read: &Inference) -> bool {
    let is_line = |step: &super::infer::Step| {
        step.reading.as_deref() == Some("message") && step.plaintext_length.is_some_and(|length| length.max < 200)
    };
    read.steps.windows(LINES_IN_A_ROW).any(|row| row.iter().all(is_line))
}

/// So many short records of a message behind one another are lines.
const LINES_IN_A_ROW: usize = 6;
