//! What a dialogue in the clear gives away.

use super::{Exposure, Value, spoken, text, utf8};
use crate::imf::decode_words;
use crate::limits::MAX_MESSAGES_IN_FULL;
use crate::session::{Contents, Failure, Ladder, Protection, Rung};
use crate::smtp::{LenientReading, Summary, Transaction};
use crate::stream::Span;

/// What the message of a transaction contains.
type ContentsOf<'a> = dyn Fn(u64) -> Option<&'a Contents> + 'a;

pub(super) fn exposures(
    summary: &Summary,
    ladder: Option<&Ladder>,
    contents: &ContentsOf<'_>,
    out: &mut Vec<Exposure>,
) {
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
    if let Some(ladder) = ladder {
        starttls(ladder, summary, out);
    }
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

/// How far STARTTLS came, rung by rung, and why no further.
fn starttls(ladder: &Ladder, summary: &Summary, out: &mut Vec<Exposure>) {
    let mut words: Vec<&str> = Vec::new();
    for (rung, _) in &ladder.steps {
        words.push(match rung {
            Rung::Offered => "offered",
            Rung::Requested => "asked for",
            Rung::Agreed => "agreed to",
            Rung::Begun => "begun",
            Rung::Answered => "answered",
            Rung::Finished => "finished",
        });
    }
    let mut words = words.join(", ");
    if let Some(failure) = ladder.failure {
        let code = summary.starttls.answered.and_then(|answer| answer.code).filter(|_| failure == Failure::Refused);
        let separator = if words.is_empty() { "" } else { ": " };
        let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
        words = format!("{words}{separator}{}{code}", failure.sentence());
    }
    let value = ladder.failure.map(Failure::name).or(ladder.reached().map(Rung::name)).unwrap_or_default();
    let missing = summary.starttls.masked.or(summary.ehlo_reply.as_ref().map(|reply| reply.span));
    let refused =
        summary.starttls.answered.filter(|_| ladder.failure == Some(Failure::Refused)).map(|reply| reply.span);
    let spans: Vec<Span> = ladder.steps.iter().filter_map(|(_, span)| *span).chain(refused).collect();
    let spans = if spans.is_empty() { missing.into_iter().collect() } else { spans };
    let alarm = matches!(ladder.failure, Some(Failure::Refused | Failure::Masked | Failure::ClearAfterAgreement));
    out.push(Exposure::seen("starttls", Value::Text(value.to_owned()), words).at(spans).alarming(alarm));
}

/// Where the envelope says something else than the header.
fn envelope(transaction: &Transaction, contents: Option<&Contents>, out: &mut Vec<Exposure>) {
    let header = &transaction.header;
    let names =
        |value: &[u8], address: &[u8]| value.windows(address.len()).any(|part| part.eq_ignore_ascii_case(address));
    let mut words = Vec::new();
    let sender = transaction.mail_from.as_deref().filter(|sender| !sender.is_empty());
    let from = header.from.as_deref().filter(|from| !from.is_empty());
    let differs = sender.zip(from).is_some_and(|(sender, from)| !names(from, sender));
    if let Some(from) = from.filter(|_| differs) {
        words.push(format!("the header is from {}, not from the sender of the envelope", text(&decode_words(from))));
    }
    // A field that was cut might have named them.
    let fields = [header.to.as_deref(), header.cc.as_deref()];
    let whole = header.complete && fields.iter().flatten().map(|value| value.len()).sum::<usize>() < LONGEST_COMPARED;
    let named = |address: &[u8]| fields.iter().flatten().any(|value| names(value, address));
    let accepted = transaction.recipients.iter().filter(|r| r.accepted != Some(false) && !r.address.is_empty());
    let blind: Vec<&[u8]> =
        if whole { accepted.map(|r| &r.address[..]).filter(|a| !named(a)).collect() } else { Vec::new() };
    if !blind.is_empty() {
        let more = blind.len().saturating_sub(MAX_MESSAGES_IN_FULL);
        let listed: Vec<String> = blind.iter().take(MAX_MESSAGES_IN_FULL).map(|address| text(address)).collect();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        words.push(format!("in no To or Cc, blind copies or a list: {}{more}", listed.join(", ")));
    }
    if contents.is_some_and(|contents| contents.bcc) {
        words.push("its Bcc tells every recipient who the blind ones are".to_owned());
    }
    if contents.is_some_and(|contents| contents.tls_optional) {
        words.push("its author wants it delivered even without TLS (TLS-Required: No)".to_owned());
    }
    if words.is_empty() {
        return;
    }
    let value = Value::Fields(vec![
        ("from_differs", Value::Bool(differs)),
        ("not_in_header", Value::List(blind.into_iter().map(utf8).collect())),
    ]);
    out.push(Exposure::seen("envelope", value, words.join("; ")).at(transaction.message_span));
}

/// Longer lists of addresses than this are not held against the envelope: each recipient is looked for in them.
const LONGEST_COMPARED: usize = 16_384;

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
        envelope(transaction, contents, out);
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
