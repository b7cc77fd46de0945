//! What a dialogue in the clear gives away.

use super::{Exposure, Value, spoken, text, utf8};
use crate::imf::decode_words;
use crate::limits::MAX_MESSAGES_IN_FULL;
use crate::session::{Contents, Protection};
use crate::smtp::{LenientReading, Summary, Transaction};
use crate::stream::Span;

/// What the message of a transaction contains.
type ContentsOf<'a> = dyn Fn(u64) -> Option<&'a Contents> + 'a;

pub(super) fn exposures(summary: &Summary, contents: &ContentsOf<'_>, out: &mut Vec<Exposure>) {
    if let Some(greeting) = &summary.greeting {
        out.push(
            Exposure::seen(
                "server",
                Value::Fields(vec![("name", utf8(greeting.name())), ("software", utf8(greeting.software()))]),
                text(&greeting.text),
            )
            .at([greeting.span]),
        );
    }
    if let Some(client) = &summary.client_name {
        out.push(
            Exposure::seen("client", utf8(&client.name), format!("calls itself {}", text(&client.name)))
                .at([client.span]),
        );
    }
    spoken::behind_proxy(summary, out);
    starttls(summary, out);
    for attempt in &summary.auth {
        out.push(spoken::login(attempt));
    }
    if summary.auth_not_kept > 0 {
        out.push(Exposure::seen(
            "login",
            Value::Number(summary.auth_not_kept),
            format!("and {} more attempts", summary.auth_not_kept),
        ));
    }
    for transaction in summary.transactions.iter().take(MAX_MESSAGES_IN_FULL) {
        mail(transaction, contents(transaction.index), out);
    }
    let more = summary.transactions.len().saturating_sub(MAX_MESSAGES_IN_FULL) as u64 + summary.transactions_not_kept;
    if more > 0 {
        let spans = summary.transactions.iter().skip(MAX_MESSAGES_IN_FULL).filter_map(|t| t.mail_span);
        out.push(
            Exposure::seen("messages", Value::Number(more), format!("and {more} more, as readable as these")).at(spans),
        );
    }
    out.extend(spoken::slowest(summary));
}

fn starttls(summary: &Summary, out: &mut Vec<Exposure>) {
    let ladder = &summary.starttls;
    let (value, words, spans): (&str, String, Vec<Span>) =
        match (&ladder.requested, &ladder.answered, &ladder.offered, &ladder.masked) {
            (Some(asked), Some(answer), _, _) if answer.is_positive() == Some(true) => {
                ("agreed", "asked for and agreed to".to_owned(), vec![*asked, answer.span])
            }
            (Some(asked), Some(answer), _, _) => {
                let code = answer.code.map_or_else(|| "without a code".to_owned(), |code| code.to_string());
                ("refused", format!("asked for and refused ({code})"), vec![*asked, answer.span])
            }
            (Some(asked), None, _, _) => ("unanswered", "asked for; no answer was captured".to_owned(), vec![*asked]),
            (None, _, Some(offered), _) => {
                ("offered", "offered by the server, and the client never asked".to_owned(), vec![*offered])
            }
            (None, _, None, Some(masked)) => {
                ("masked", "its offer was overwritten on the way, as some firewalls do".to_owned(), vec![*masked])
            }
            (None, _, None, None) if summary.ehlo_reply.is_some() => {
                ("missing", "not offered".to_owned(), summary.ehlo_reply.iter().map(|r| r.span).collect())
            }
            _ => return,
        };
    let alarm = matches!(value, "refused" | "masked");
    out.push(Exposure::seen("starttls", Value::Text(value.to_owned()), words).at(spans).alarming(alarm));
}

fn mail(transaction: &Transaction, contents: Option<&Contents>, out: &mut Vec<Exposure>) {
    if let Some(sender) = &transaction.mail_from {
        let words =
            if sender.is_empty() { "<> (the null sender: a report of delivery)".to_owned() } else { text(sender) };
        let refused = transaction.mail_accepted() == Some(false);
        let words = if refused { format!("{words}, refused") } else { words };
        out.push(Exposure::seen("sender", utf8(sender), words).at(transaction.mail_span));
    }
    if !transaction.recipients.is_empty() {
        let words: Vec<String> =
            transaction.recipients.iter().take(MAX_MESSAGES_IN_FULL).map(spoken::recipient).collect();
        let more =
            transaction.recipients.len().saturating_sub(MAX_MESSAGES_IN_FULL) as u64 + transaction.recipients_not_kept;
        let mut words = words.join("; ");
        if more > 0 {
            words.push_str(&format!("; and {more} more"));
        }
        let value = Value::List(transaction.recipients.iter().map(|r| utf8(&r.address)).collect());
        let spans = transaction.recipients.iter().flat_map(|r| [Some(r.span), r.reply_span]).flatten();
        out.push(Exposure::seen("recipients", value, words).at(spans));
    }
    out.extend(spoken::options(transaction));
    if transaction.transfer.is_none() && transaction.fetched > 0 {
        let words = "fetched by the server from elsewhere (BURL)";
        out.push(Exposure::seen("message", Value::None, words).at(transaction.mail_span));
    }
    if transaction.transfer.is_some() {
        let mut words = Vec::new();
        if let Some(subject) = &transaction.header.subject {
            words.push(format!("\u{201c}{}\u{201d}", text(&decode_words(subject))));
        }
        if let Some(size) = transaction.size {
            words.push(format!("{size} octets"));
        }
        words.extend(contents.and_then(attachments));
        if transaction.fetched > 0 {
            words.push("a part of it fetched by the server from elsewhere (BURL)".to_owned());
        }
        if transaction.missing > 0 {
            words.push(format!("{} of them missing from the capture", transaction.missing));
        }
        words.push(
            match transaction.accepted {
                Some(true) => "accepted",
                Some(false) => "refused",
                None => "its outcome was not captured",
            }
            .to_owned(),
        );
        let value = Value::Fields(vec![
            ("size", transaction.size.map_or(Value::None, Value::Number)),
            ("subject", transaction.header.subject.as_ref().map_or(Value::None, |s| utf8(&decode_words(s)))),
            ("accepted", transaction.accepted.map_or(Value::None, Value::Bool)),
        ]);
        out.push(Exposure::seen("message", value, words.join(", ")).at(transaction.message_span));
        if let (Some(lenient), Some(size)) = (&transaction.lenient, transaction.size) {
            readings(size, lenient, out);
        }
        let sealed = contents.and_then(|contents| contents.protection).filter(|protection| protection.is_encrypted());
        if let Some(protection) = sealed {
            let how = if protection == Protection::PgpEncrypted { "OpenPGP" } else { "S/MIME" };
            out.push(
                Exposure::seen("message header", Value::Bool(true), "every field of it, the subject too")
                    .at(transaction.message_span),
            );
            out.push(
                Exposure::hidden("message text", format!("declared as encrypted by its author, with {how}"))
                    .at(transaction.message_span)
                    .because("Its author says that it is encrypted, and only its reader's key opens it (RFC 3156, RFC 8551)."),
            );
        } else if transaction.size.is_some_and(|size| size > 0) {
            out.push(
                Exposure::seen(
                    "message text",
                    Value::Bool(transaction.complete),
                    if transaction.complete {
                        "every word of it, header, text and attachments"
                    } else {
                        "header, text and attachments, as far as captured"
                    },
                )
                .at(transaction.message_span),
            );
        }
    }
}

/// The two readings of a message in which commands stand.
fn readings(size: u64, lenient: &LenientReading, out: &mut Vec<Exposure>) {
    let at = [lenient.end_of_data];
    let strict = format!("one message of {size} octets (RFC 5321)");
    out.push(Exposure::seen("strict reading", Value::Number(size), strict).at(at));
    let mut words = format!(
        "{} taken for the end of data: a message of {} octets, then {} command{}",
        lenient.sequence(),
        lenient.size,
        lenient.commands,
        if lenient.commands == 1 { "" } else { "s" }
    );
    for mail in &lenient.mails {
        let sender = mail.mail_from.as_deref().map_or_else(|| "nobody".to_owned(), |from| format!("<{}>", text(from)));
        let to: Vec<String> = mail.recipients.iter().map(|to| format!("<{}>", text(to))).collect();
        words.push_str(&format!(
            "; a mail from {sender} to {}",
            if to.is_empty() { "nobody".to_owned() } else { to.join(", ") }
        ));
        if let Some(size) = mail.size {
            words.push_str(&format!(" of {size} octets"));
        }
    }
    if lenient.mails_not_kept > 0 {
        words.push_str(&format!("; and {} mails more", lenient.mails_not_kept));
    }
    if lenient.replies > 0 {
        words.push_str(" \u{2013} so the server read it: it replied to them");
    }
    let mails = lenient.mails.iter().map(|mail| {
        Value::Fields(vec![
            ("mail_from", mail.mail_from.as_deref().map_or(Value::None, utf8)),
            ("recipients", Value::List(mail.recipients.iter().map(|to| utf8(to)).collect())),
            ("size", mail.size.map_or(Value::None, Value::Number)),
        ])
    });
    let value = Value::Fields(vec![("size", Value::Number(lenient.size)), ("mails", Value::List(mails.collect()))]);
    out.push(Exposure::seen("lenient reading", value, words).at(at).alarming(true));
}

/// The attachments in words.
fn attachments(contents: &Contents) -> Option<String> {
    let all = contents.attachments.len() as u64 + contents.attachments_not_kept;
    let mut files: Vec<String> = contents
        .attachments
        .iter()
        .take(ATTACHMENTS_NAMED)
        .map(|file| {
            let name = file.name.as_deref().map_or_else(|| text(file.declared.as_bytes()), text);
            format!("{name}, {} octets", file.size)
        })
        .collect();
    let more = all.saturating_sub(files.len() as u64);
    if more > 0 {
        files.push(format!("and {more} more"));
    }
    let word = if all == 1 { "attachment" } else { "attachments" };
    (all > 0).then(|| format!("{all} {word} ({})", files.join("; ")))
}

/// Attachments that are named in a line of text.
const ATTACHMENTS_NAMED: usize = 4;
