//! Every subject against every observer: whether it can be learned, why, and where that shows.

use super::infer::Inference;
use super::reach::{Answer, Reach, reach};
use super::{Exposure, Observer, Place, Value, Visibility, utf8};
use crate::imf::decode_words;
use crate::session::{Session, Verdict};
use crate::smtp::{Summary, Transaction};

/// What there is to learn of a mail session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Which hosts talk to each other: addresses and ports.
    Hosts,
    /// The server's name.
    ServerName,
    /// The server's software.
    ServerSoftware,
    /// The name that the client gives itself in EHLO.
    ClientName,
    /// The client's software.
    ClientSoftware,
    /// Whether and how the client logs in, and with what outcome.
    Login,
    /// The user's name.
    UserName,
    /// The password or token.
    Password,
    /// The envelope sender.
    Sender,
    /// The envelope recipients.
    Recipients,
    /// How many recipients there are, and which of them were taken.
    RecipientCount,
    /// The message's header fields.
    Header,
    /// The message's subject.
    MailSubject,
    /// The message's text.
    Text,
    /// The attachments and their names.
    Attachments,
    /// How large the message is.
    MessageSize,
    /// When what was said, and how long it took.
    Timing,
    /// Which other sessions belong to the same client or server.
    Links,
}

impl Subject {
    /// All of them, in the order in which a session shows them.
    pub const ALL: [Subject; 18] = [
        Subject::Hosts,
        Subject::ServerName,
        Subject::ServerSoftware,
        Subject::ClientName,
        Subject::ClientSoftware,
        Subject::Login,
        Subject::UserName,
        Subject::Password,
        Subject::Sender,
        Subject::Recipients,
        Subject::RecipientCount,
        Subject::Header,
        Subject::MailSubject,
        Subject::Text,
        Subject::Attachments,
        Subject::MessageSize,
        Subject::Timing,
        Subject::Links,
    ];

    /// Its name in outputs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Subject::Hosts => "hosts",
            Subject::ServerName => "server name",
            Subject::ServerSoftware => "server program",
            Subject::ClientName => "client name",
            Subject::ClientSoftware => "client program",
            Subject::Login => "login",
            Subject::UserName => "user name",
            Subject::Password => "password",
            Subject::Sender => "sender",
            Subject::Recipients => "recipients",
            Subject::RecipientCount => "recipient count",
            Subject::Header => "header fields",
            Subject::MailSubject => "subject",
            Subject::Text => "message text",
            Subject::Attachments => "attachments",
            Subject::MessageSize => "message size",
            Subject::Timing => "timing",
            Subject::Links => "links",
        }
    }

    /// Whether it is said in the dialogue, and so sealed where the dialogue is.
    fn is_said(self) -> bool {
        !matches!(self, Subject::Hosts | Subject::Timing | Subject::Links | Subject::ClientSoftware)
    }
}

/// What one observer learns of one subject.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Whether it can be learned; `None`: cannot tell.
    pub visibility: Option<Visibility>,
    /// What is learned, as far as this capture shows it.
    pub value: Value,
    /// One plain sentence.
    pub why: String,
    /// Where it shows.
    pub evidence: Vec<Place>,
}

/// One subject and all observers.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is about.
    pub subject: Subject,
    /// For each of [`Observer::ALL`].
    pub cells: [Cell; 4],
}

/// All subjects that a session has.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// In the order of [`Subject::ALL`].
    pub rows: Vec<Row>,
    /// How far each of [`Observer::ALL`] gets with what is sealed.
    pub reaches: [Reach; 4],
}

/// The matrix of a mail session; `findings` is what [`exposures`](super::exposures) found of it, `read` what its lengths
/// give away ([`read`](super::read)). A session that is not mail has none.
#[must_use]
pub fn matrix(session: &Session, findings: &[Exposure], read: Option<&Inference>) -> Option<Matrix> {
    if session.verdict == Verdict::NotMail || (session.smtp.is_none() && session.tls.is_none()) {
        return None;
    }
    let reaches = Observer::ALL.map(|observer| reach(session, observer));
    let sealed = reaches[0].answer == Answer::No;
    let rows = Subject::ALL
        .into_iter()
        .filter_map(|subject| {
            let passive = passive(session, findings, read, subject, sealed.then_some(&reaches[0]))?;
            let others = [1, 2, 3].map(|index| widened(subject, &passive, &reaches[index], Observer::ALL[index]));
            let [active, key_holder, future] = others;
            Some(Row { subject, cells: [passive, active, key_holder, future] })
        })
        .collect();
    Some(Matrix { rows, reaches })
}

/// What an observer learns who knows at least what `passive` says, and may open what is sealed.
fn widened(subject: Subject, passive: &Cell, reach: &Reach, observer: Observer) -> Cell {
    if passive.visibility == Some(Visibility::Seen) {
        let mut cell = passive.clone();
        if observer == Observer::Active && subject.is_said() {
            cell.why = "It stands in the clear for everybody on the path, who could also change it.".to_owned();
        }
        return cell;
    }
    let why = in_a_sentence(&reach.brief);
    let same = |why: String| Cell { why, evidence: reach.evidence.clone(), ..passive.clone() };
    if !subject.is_said() || reach.answer == Answer::Clear {
        return passive.clone();
    }
    match (reach.answer, passive.visibility) {
        (Answer::Yes, _) => {
            Cell { visibility: Some(Visibility::Seen), value: Value::None, why, evidence: reach.evidence.clone() }
        }
        (Answer::No, _) => same(why),
        // Whoever interferes can read along too.
        (_, Some(Visibility::Inferred)) => same(format!("At least by reading along; beyond that: {}.", reach.brief)),
        _ => Cell { visibility: None, value: Value::None, why, evidence: reach.evidence.clone() },
    }
}

/// A reason in a few words, as a sentence.
fn in_a_sentence(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), chars.as_str()))
}

/// What somebody who reads along learns. `None`: the session has nothing of the kind. `sealed` is how the dialogue
/// is sealed, if it is.
fn passive(
    session: &Session,
    findings: &[Exposure],
    read: Option<&Inference>,
    subject: Subject,
    sealed: Option<&Reach>,
) -> Option<Cell> {
    let in_clear = session.smtp.as_ref().and_then(|smtp| said(session, smtp, subject));
    let in_lengths = || super::told::cell(read?, session.tls.as_deref()?, subject);
    in_clear
        .or_else(|| around(session, subject))
        .or_else(|| found(findings, subject))
        .or_else(in_lengths)
        .or_else(|| super::context::server_name(session).filter(|_| subject == Subject::ServerName))
        .or_else(|| sealed.filter(|_| subject.is_said()).map(|reach| hidden(session, subject, reach)))
        .or_else(|| silent(session, subject, sealed.is_some()))
}

fn seen(value: Value, why: &str, evidence: impl IntoIterator<Item = Place>) -> Cell {
    let evidence: Vec<Place> = evidence.into_iter().collect();
    Cell { visibility: Some(Visibility::Seen), value, why: why.to_owned(), evidence }
}

/// What the dialogue in the clear shows of a subject.
fn said(session: &Session, smtp: &Summary, subject: Subject) -> Option<Cell> {
    let spans = |spans: Vec<crate::stream::Span>| spans.into_iter().map(Place::Span);
    let mails = || smtp.transactions.iter();
    let with_message = || mails().filter(|mail| mail.size.is_some_and(|size| size > 0));
    let places = |of: &dyn Fn(&Transaction) -> Option<crate::stream::Span>| -> Vec<Place> {
        mails().filter_map(of).take(PLACES).map(Place::Span).collect()
    };
    Some(match subject {
        Subject::ServerName => {
            let greeting = smtp.greeting.as_ref().filter(|greeting| !greeting.name().is_empty())?;
            seen(
                utf8(greeting.name()),
                "The server greets with its name, in the clear (RFC 5321 §4.2).",
                spans(vec![greeting.span]),
            )
        }
        Subject::ServerSoftware => {
            let greeting = smtp.greeting.as_ref().filter(|greeting| names_software(greeting.software()))?;
            let why = "The greeting says more than the server's name, in the clear (RFC 5321 §4.2).";
            seen(utf8(greeting.software()), why, spans(vec![greeting.span]))
        }
        Subject::ClientName => {
            let client = smtp.client_name.as_ref()?;
            seen(
                utf8(&client.name),
                "The client names itself in the clear (RFC 5321 §4.1.1.1).",
                spans(vec![client.span]),
            )
        }
        Subject::Login => {
            let attempts = &smtp.auth;
            let first = attempts.first()?;
            let value = Value::List(attempts.iter().take(PLACES).map(|a| Value::Text(a.mechanism.clone())).collect());
            let places = attempts.iter().take(PLACES).flat_map(|a| [Some(a.span), a.reply_span]).flatten();
            let why = match first.succeeded {
                Some(_) => "The AUTH command and the answer to it stand in the clear (RFC 4954 §4).",
                None => "The AUTH command stands in the clear (RFC 4954 §4); no answer to it was captured.",
            };
            seen(value, why, places.map(Place::Span))
        }
        Subject::UserName => {
            let attempt = smtp.auth.iter().find(|attempt| attempt.username.is_some())?;
            let value = attempt.username.as_deref().map_or(Value::None, utf8);
            let places = [Some(attempt.span), attempt.responses].into_iter().flatten().map(Place::Span);
            seen(value, "Base64 hides nothing: it can be read by everybody (RFC 4954 §4, RFC 4616).", places)
        }
        Subject::Password => {
            let attempt = smtp.auth.iter().find(|attempt| attempt.secret_len.is_some())?;
            let places: Vec<Place> =
                [Some(attempt.span), attempt.responses].into_iter().flatten().map(Place::Span).collect();
            if attempt.reveals_secret() {
                let why = "The secret itself crosses the network in base64, which hides nothing (RFC 4954 §9).";
                return Some(seen(Value::None, why, places));
            }
            let why = "Only an answer computed from it is sent, against which guesses can be tried (RFC 2195 §2).";
            Cell { visibility: Some(Visibility::Hidden), value: Value::None, why: why.to_owned(), evidence: places }
        }
        Subject::Sender => {
            let senders: Vec<Value> =
                mails().filter_map(|mail| mail.mail_from.as_deref()).take(PLACES).map(utf8).collect();
            let places = places(&|mail| mail.mail_span);
            (!senders.is_empty())
                .then(|| seen(one_or_list(senders), "MAIL FROM stands in the clear (RFC 5321 §4.1.1.2).", places))?
        }
        Subject::Recipients | Subject::RecipientCount => {
            let all = || mails().flat_map(|mail| &mail.recipients);
            let first = all().next()?;
            let more: u64 = mails().map(|mail| mail.recipients_not_kept).sum();
            let places = [Some(first.span), first.reply_span, all().last().and_then(|r| r.reply_span.or(Some(r.span)))];
            let places: Vec<Place> = places.into_iter().flatten().map(Place::Span).collect();
            if subject == Subject::Recipients {
                let value = Value::List(all().take(PLACES).map(|recipient| utf8(&recipient.address)).collect());
                seen(value, "RCPT TO stands in the clear (RFC 5321 §4.1.1.3).", places)
            } else {
                let accepted = all().filter(|recipient| recipient.accepted == Some(true)).count() as u64;
                let refused = all().filter(|recipient| recipient.accepted == Some(false)).count() as u64;
                let value = Value::Fields(vec![
                    ("recipients", Value::Number(all().count() as u64 + more)),
                    ("accepted", Value::Number(accepted)),
                    ("refused", Value::Number(refused)),
                ]);
                seen(value, "Each RCPT and the answer to it stand in the clear (RFC 5321 §3.3).", places)
            }
        }
        Subject::Header => {
            with_message().next()?;
            let why =
                "Header fields are the beginning of the message, in the clear; S/MIME and OpenPGP leave them so too.";
            seen(Value::None, why, places(&|mail| mail.message_span))
        }
        Subject::MailSubject => {
            let subjects: Vec<Value> = mails()
                .filter_map(|mail| mail.header.subject.as_deref())
                .take(PLACES)
                .map(|s| utf8(&decode_words(s)))
                .collect();
            let places: Vec<Place> = mails()
                .filter(|mail| mail.header.subject.is_some())
                .filter_map(|mail| mail.message_span)
                .take(PLACES)
                .map(Place::Span)
                .collect();
            (!subjects.is_empty()).then(|| {
                seen(
                    one_or_list(subjects),
                    "The Subject field is part of the message, in the clear (RFC 5322 §3.6.5).",
                    places,
                )
            })?
        }
        Subject::Text => {
            with_message().next()?;
            let places: Vec<Place> =
                with_message().filter_map(|mail| mail.message_span).take(PLACES).map(Place::Span).collect();
            let sealed = |mail: &Transaction| {
                session.contents(mail.index).and_then(|contents| contents.protection).is_some_and(|p| p.is_encrypted())
            };
            if with_message().all(sealed) {
                let why =
                    "Its author says that it is encrypted, which only its reader's key opens (RFC 8551, RFC 3156).";
                return Some(Cell {
                    visibility: Some(Visibility::Hidden),
                    value: Value::None,
                    why: why.to_owned(),
                    evidence: places,
                });
            }
            seen(Value::None, "The message stands in the clear (RFC 5321 §4.1.1.4).", places)
        }
        Subject::Attachments => {
            let with_files = || {
                with_message().filter(|mail| session.contents(mail.index).is_some_and(|c| !c.attachments.is_empty()))
            };
            with_files().next()?;
            let names = with_files()
                .filter_map(|mail| session.contents(mail.index))
                .flat_map(|contents| &contents.attachments)
                .take(PLACES)
                .map(|file| file.name.as_deref().map_or(Value::None, utf8))
                .collect();
            let places: Vec<Place> =
                with_files().filter_map(|mail| mail.message_span).take(PLACES).map(Place::Span).collect();
            seen(Value::List(names), "Attachments are parts of the message, in the clear (RFC 2045 §2.5).", places)
        }
        Subject::MessageSize => {
            let sizes: Vec<Value> = mails().filter_map(|mail| mail.size).take(PLACES).map(Value::Number).collect();
            let places = places(&|mail| mail.size.and(mail.message_span));
            (!sizes.is_empty()).then(|| seen(one_or_list(sizes), "The whole message can be counted.", places))?
        }
        Subject::Hosts | Subject::Timing | Subject::Links | Subject::ClientSoftware => return None,
    })
}

/// What the packets and the hellos around the dialogue show.
fn around(session: &Session, subject: Subject) -> Option<Cell> {
    let connection = &session.connection;
    let ends = || [connection.number, connection.last_packet].map(Place::Packet);
    let tls = session.tls.as_deref().map(|tls| &tls.summary);
    let hello = tls.and_then(|summary| summary.client_hello.as_deref());
    Some(match subject {
        Subject::Hosts => {
            let end = |end: crate::flow::Endpoint| Value::Text(std::net::SocketAddr::new(end.ip, end.port).to_string());
            let value = Value::Fields(vec![
                ("originator", end(connection.originator)),
                ("responder", end(connection.responder)),
            ]);
            seen(value, "Every packet has both addresses and ports in the clear, or it could not be delivered.", ends())
        }
        Subject::Timing => {
            let milliseconds = connection.last_time.since(connection.first_time).nanos() / 1_000_000;
            let value = Value::Fields(vec![("milliseconds", Value::Number(milliseconds.max(0).unsigned_abs()))]);
            seen(value, "Whoever carries packets can take their time and size, whatever is in them.", ends())
        }
        Subject::ServerName => {
            let (summary, name) = tls.and_then(|summary| Some((summary, summary.server_name.as_deref()?)))?;
            let span = summary.client_hello.as_deref().map(|hello| Place::Span(hello.span));
            seen(utf8(name), "The client asks for it by name in its hello, in the clear (RFC 6066 §3).", span)
        }
        Subject::ClientSoftware => {
            let hello = hello?;
            Cell {
                visibility: Some(Visibility::Inferred),
                value: hello.ja4().map_or(Value::None, Value::Text),
                why: "What a ClientHello offers, and in which order, is much the same for one program and TLS library."
                    .to_owned(),
                evidence: vec![Place::Span(hello.span)],
            }
        }
        Subject::Links => {
            let (hello, extensions) = hello.and_then(|hello| Some((hello, hello.extensions.as_ref()?)))?;
            let ticket =
                !extensions.psk_identities.is_empty() || extensions.session_ticket.is_some_and(|octets| octets > 0);
            let resumed = tls.and_then(|summary| summary.resumed) == Some(true);
            if ticket || resumed {
                let why = "The client shows a ticket or session id that the server gave it in an earlier session (RFC 8446 §C.4).";
                seen(Value::Bool(true), why, [Place::Span(hello.span)])
            } else {
                Cell {
                    visibility: Some(Visibility::Hidden),
                    value: Value::Bool(false),
                    why: "The hello shows nothing from an earlier session; addresses and fingerprints may still recur."
                        .to_owned(),
                    evidence: vec![Place::Span(hello.span)],
                }
            }
        }
        _ => return None,
    })
}

/// What was found out otherwise: read from lengths, or told by what happened around the session.
fn found(findings: &[Exposure], subject: Subject) -> Option<Cell> {
    let of = |visibility: Visibility| {
        findings.iter().find(|finding| {
            finding.subject == subject.name() && finding.visibility == visibility && finding.value != Value::None
        })
    };
    let finding = of(Visibility::Seen).or_else(|| of(Visibility::Inferred))?;
    Some(Cell {
        visibility: Some(finding.visibility),
        value: finding.value.clone(),
        why: finding.why.clone().into_owned(),
        evidence: finding.evidence.clone(),
    })
}

fn hidden(session: &Session, subject: Subject, reach: &Reach) -> Cell {
    let why = match subject {
        Subject::ServerName => {
            "The client did not ask for it by name, and the certificate is sealed or was not captured."
        }
        Subject::Password | Subject::UserName | Subject::Login => "A login is said inside TLS.",
        Subject::ServerSoftware | Subject::ClientName => "The greetings are said inside TLS.",
        _ => "The envelope and the message are said inside TLS.",
    };
    let certificate = session.tls.as_deref().and_then(|tls| {
        let leaf = tls.summary.certificates.first()?.fields.as_ref()?;
        Some((leaf.dns_names.first()?, tls.summary.certificates_span?))
    });
    if let (Subject::ServerName, Some((name, span))) = (subject, certificate) {
        let why = "The server's certificate is in the clear up to TLS 1.2 and names it (RFC 5246 §7.4.2).";
        return seen(Value::Text(name.clone()), why, [Place::Span(span)]);
    }
    Cell {
        visibility: Some(Visibility::Hidden),
        value: Value::None,
        why: why.to_owned(),
        evidence: reach.evidence.clone(),
    }
}

/// A subject of which the session says nothing: without meaning where it would have been in the clear and was not
/// said, an open question otherwise.
fn silent(session: &Session, subject: Subject, sealed: bool) -> Option<Cell> {
    let why = match subject {
        Subject::ServerSoftware => "The greeting does not name it.",
        Subject::ClientSoftware if !sealed => "No command names it; the message's header may.",
        Subject::ServerName | Subject::ClientName => "It was not said, or not captured.",
        Subject::ClientSoftware | Subject::Links => "The hello was not captured.",
        _ => return None,
    };
    if subject == Subject::Links && session.tls.is_none() {
        return None;
    }
    Some(Cell { visibility: None, value: Value::None, why: why.to_owned(), evidence: Vec::new() })
}

/// Whether a greeting says more than which protocol is spoken.
fn names_software(words: &[u8]) -> bool {
    words.split(|octet| octet.is_ascii_whitespace()).any(|word| {
        !word.is_empty() && !matches!(word.to_ascii_uppercase().as_slice(), b"ESMTP" | b"SMTP" | b"LMTP" | b"ESMTPS")
    })
}

fn one_or_list(mut values: Vec<Value>) -> Value {
    if values.len() == 1 { values.remove(0) } else { Value::List(values) }
}

/// Values and places that a cell names; the findings beside it have all that are kept.
const PLACES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_that_names_only_its_protocol_names_no_software() {
        assert!(!names_software(b"ESMTP"));
        assert!(!names_software(b""));
        assert!(names_software(b"ESMTP Postfix (Debian/GNU)"));
    }

    #[test]
    fn every_subject_has_a_name_of_its_own() {
        let mut names: Vec<&str> = Subject::ALL.iter().map(|subject| subject.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Subject::ALL.len());
    }

    fn cell(visibility: Visibility) -> Cell {
        Cell { visibility: Some(visibility), value: Value::None, why: "as it is.".to_owned(), evidence: Vec::new() }
    }

    fn to(answer: Answer) -> Reach {
        Reach { answer, brief: "so".to_owned(), why: "for this reason.".to_owned(), evidence: Vec::new() }
    }

    #[test]
    fn who_opens_what_is_sealed_sees_what_is_said_and_no_one_sees_less_than_by_reading_along() {
        let of = |passive, answer| widened(Subject::Sender, &cell(passive), &to(answer), Observer::Active).visibility;
        for answer in [Answer::Clear, Answer::Yes, Answer::No, Answer::CannotTell] {
            assert_eq!(of(Visibility::Seen, answer), Some(Visibility::Seen));
        }
        assert_eq!(of(Visibility::Hidden, Answer::Yes), Some(Visibility::Seen));
        assert_eq!(of(Visibility::Inferred, Answer::Yes), Some(Visibility::Seen));
        assert_eq!(of(Visibility::Hidden, Answer::No), Some(Visibility::Hidden));
        assert_eq!(of(Visibility::Inferred, Answer::No), Some(Visibility::Inferred));
        assert_eq!(of(Visibility::Inferred, Answer::CannotTell), Some(Visibility::Inferred));
        assert_eq!(of(Visibility::Hidden, Answer::CannotTell), None);
    }

    #[test]
    fn a_key_opens_nothing_that_is_not_said_in_the_dialogue() {
        let links = widened(Subject::Links, &cell(Visibility::Hidden), &to(Answer::Yes), Observer::KeyHolder);
        assert_eq!(links.visibility, Some(Visibility::Hidden));
    }
}
