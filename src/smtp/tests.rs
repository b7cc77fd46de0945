//! Whole dialogues. Each runs as given, octet by octet, and in pieces of three; all must agree.

mod checks;
mod extensions;

use super::*;
use crate::stream::{Direction, Span};

const CLIENT: Direction = Direction::FromOriginator;
const SERVER: Direction = Direction::FromResponder;

/// A turn of a dialogue.
#[derive(Clone, Copy)]
enum Turn {
    C(&'static [u8]),
    S(&'static [u8]),
    ClientGap(u64),
    ServerGap(u64),
}
use Turn::{C, ClientGap, S, ServerGap};

/// What a dialogue told: a line for each event, message data joined, anomalies apart.
#[derive(Debug)]
struct Told {
    events: Vec<String>,
    anomalies: Vec<&'static str>,
    summary: Summary,
    left: usize,
}

fn show(event: &Event<'_>, told: &mut (Vec<String>, Vec<&'static str>, Vec<u8>)) {
    let text = |bytes: &[u8]| crate::bytes::escaped(bytes).to_string();
    let line = match event.kind {
        EventKind::Command(c) => format!("C {}: {}", c.verb, text(c.line)),
        EventKind::Auth(a) => format!("A {}", text(a.line)),
        EventKind::Reply(r) => {
            let to = match r.to {
                ReplyTo::Greeting => "greeting".to_owned(),
                ReplyTo::Command { verb, .. } => verb.to_string(),
                ReplyTo::Auth { .. } => "auth".to_owned(),
                ReplyTo::Message { recipient: Some(n), .. } => format!("message {n}"),
                ReplyTo::Message { .. } => "message".to_owned(),
                ReplyTo::Unparsed { .. } => "unparsed".to_owned(),
                ReplyTo::Unasked => "unasked".to_owned(),
            };
            format!("S {} to {to}", r.code.map_or("---".to_owned(), |c| c.to_string()))
        }
        EventKind::MessageStart { transfer, .. } => format!("message by {}", transfer.name()),
        EventKind::MessageData { octets: bytes, .. } => {
            assert_eq!(event.span.len(), bytes.len() as u64);
            told.2.extend_from_slice(bytes);
            return;
        }
        EventKind::MessageEnd(end) => {
            let data = std::mem::take(&mut told.2);
            assert_eq!(end.size, data.len() as u64 + end.missing);
            let whole = if end.complete { "whole".to_owned() } else { format!("{} missing", end.missing) };
            format!("message of {} {whole}: {}", end.size, text(&data))
        }
        EventKind::Lenient(reading) => {
            format!("leniently {} then {} commands, {} mails", reading.size, reading.commands, reading.mails.len())
        }
        EventKind::Proxy(header) => format!("proxy for {:?}", header.source),
        EventKind::Binary(verb) => format!("{} octets of {verb}", event.span.len()),
        EventKind::StartTls => "starttls".to_owned(),
        EventKind::TransactionEnd(t) => {
            format!("transaction {} of {} accepted {:?}", t.index, t.recipients.len(), t.accepted)
        }
        EventKind::Unparsed(line) => format!("? {}", text(line)),
        EventKind::Anomaly(anomaly) => {
            told.1.push(anomaly.id());
            return;
        }
    };
    told.0.push(line);
}

fn run(turns: &[Turn], size: usize) -> Told {
    let mut dialogue = Dialogue::new(CLIENT);
    let mut told = (Vec::new(), Vec::new(), Vec::new());
    let mut at = [0u64; 2];
    let mut left = 0;
    for turn in turns {
        let (direction, bytes) = match *turn {
            C(bytes) => (CLIENT, bytes),
            S(bytes) => (SERVER, bytes),
            ClientGap(n) | ServerGap(n) => {
                let direction = if matches!(turn, ClientGap(_)) { CLIENT } else { SERVER };
                let next = &mut at[direction.index()];
                dialogue.gap(Span::new(direction, *next, *next + n), &mut |e| show(&e, &mut told));
                *next += n;
                continue;
            }
        };
        let mut taken = 0;
        for piece in bytes.chunks(size) {
            let n = dialogue.data(direction, at[direction.index()], piece, &mut |e| show(&e, &mut told));
            assert!(dialogue.pending_from(direction) <= at[direction.index()] + n as u64);
            at[direction.index()] += n as u64;
            taken += n;
            let handed_over = told.0.last().is_some_and(|event| event == "starttls");
            if n < piece.len() || handed_over && direction == SERVER {
                break;
            }
        }
        left = bytes.len() - taken;
    }
    for direction in Direction::BOTH {
        dialogue.finish(direction, &mut |e| show(&e, &mut told));
    }
    assert!(told.2.is_empty(), "message data after its end");
    let summary = dialogue.summary().clone();
    Told { events: told.0, anomalies: told.1, summary, left }
}

/// Runs a dialogue whole and in pieces; what it told the first time.
fn tell(turns: &[Turn]) -> Told {
    let whole = run(turns, usize::MAX);
    for size in [1, 3] {
        let pieces = run(turns, size);
        assert_eq!(pieces.events, whole.events, "in pieces of {size}");
        assert_eq!(pieces.anomalies, whole.anomalies, "in pieces of {size}");
        assert_eq!(format!("{:?}", pieces.summary), format!("{:?}", whole.summary), "in pieces of {size}");
    }
    whole
}

#[track_caller]
fn check(turns: &[Turn], events: &[&str], anomalies: &[&str]) -> Summary {
    let told = tell(turns);
    assert_eq!(told.events, events);
    assert_eq!(told.anomalies, anomalies);
    told.summary
}

const HELLO: [Turn; 3] = [
    S(b"220 mx.example.org ESMTP Postfix\r\n"),
    C(b"EHLO c.example.org\r\n"),
    S(b"250-mx.example.org\r\n250-PIPELINING\r\n250-STARTTLS\r\n250-SIZE 1000000\r\n250 CHUNKING\r\n"),
];
const HELLO_TOLD: [&str; 3] = ["S 220 to greeting", "C EHLO: EHLO c.example.org", "S 250 to EHLO"];

#[track_caller]
fn check_after_hello(turns: &[Turn], events: &[&str], anomalies: &[&str]) -> Summary {
    check(&[&HELLO, turns].concat(), &[&HELLO_TOLD, events].concat(), anomalies)
}

#[test]
fn a_plain_session_is_told_line_by_line() {
    let summary = check_after_hello(
        &[
            C(b"MAIL FROM:<a@example.org> SIZE=10\r\n"),
            S(b"250 2.1.0 Ok\r\n"),
            C(b"RCPT TO:<b@example.net>\r\n"),
            S(b"550 5.1.1 unknown\r\n"),
            C(b"RCPT TO:<c@example.net>\r\n"),
            S(b"250 2.1.5 Ok\r\n"),
            C(b"DATA\r\n"),
            S(b"354 go\r\n"),
            C(b"Subject: hi\r\n\r\n..x\r\n.\r\n"),
            S(b"250 2.0.0 Ok: queued as 1\r\n"),
            C(b"QUIT\r\n"),
            S(b"221 bye\r\n"),
        ],
        &[
            "C MAIL: MAIL FROM:<a@example.org> SIZE=10",
            "S 250 to MAIL",
            "C RCPT: RCPT TO:<b@example.net>",
            "S 550 to RCPT",
            "C RCPT: RCPT TO:<c@example.net>",
            "S 250 to RCPT",
            "C DATA: DATA",
            "S 354 to DATA",
            "message by DATA",
            "message of 20 whole: Subject: hi\\x0d\\x0a\\x0d\\x0a..x\\x0d\\x0a",
            "S 250 to message",
            "transaction 0 of 2 accepted Some(true)",
            "C QUIT: QUIT",
            "S 221 to QUIT",
        ],
        &[],
    );
    let t = &summary.transactions[0];
    assert_eq!(t.mail_from.as_deref(), Some(&b"a@example.org"[..]));
    assert_eq!(t.recipients[0].accepted, Some(false));
    assert_eq!(t.recipients[0].enhanced.map(|e| e.to_string()).as_deref(), Some("5.1.1"));
    assert_eq!((t.size, t.complete, t.transfer), (Some(20), true, Some(Transfer::Data)));
    assert_eq!(t.header.subject.as_deref(), Some(&b"hi"[..]));
    assert_eq!(t.reply_text, b"250 2.0.0 Ok: queued as 1");
    assert_eq!(t.message_span, Some(Span::new(CLIENT, 111, 134)));
    let greeting = summary.greeting.unwrap();
    assert_eq!((greeting.name(), greeting.software()), (&b"mx.example.org"[..], &b"ESMTP Postfix"[..]));
    assert_eq!(summary.capabilities.len(), 4);
    assert_eq!(summary.starttls.offered, Some(Span::new(SERVER, 70, 84)));
    assert!(summary.quit.is_some());
}

#[test]
fn a_pipelined_group_is_paired_in_order() {
    check_after_hello(
        &[
            C(b"MAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"),
            S(b"250 ok\r\n250 ok\r\n354 go\r\n"),
            C(b"x\r\n.\r\nQUIT\r\n"),
            S(b"250 queued\r\n221 bye\r\n"),
        ],
        &[
            "C MAIL: MAIL FROM:<>",
            "C RCPT: RCPT TO:<b@example.net>",
            "C DATA: DATA",
            "S 250 to MAIL",
            "S 250 to RCPT",
            "S 354 to DATA",
            "message by DATA",
            "message of 3 whole: x\\x0d\\x0a",
            "C QUIT: QUIT",
            "S 250 to message",
            "transaction 0 of 1 accepted Some(true)",
            "S 221 to QUIT",
        ],
        &[],
    );
}

#[test]
fn a_message_sent_before_354_is_a_message() {
    check_after_hello(
        &[
            C(b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n"),
            S(b"250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n221 bye\r\n"),
        ],
        &[
            "C MAIL: MAIL FROM:<a@example.org>",
            "C RCPT: RCPT TO:<b@example.net>",
            "C DATA: DATA",
            "message by DATA",
            "message of 14 whole: Subject: x\\x0d\\x0a\\x0d\\x0a",
            "C QUIT: QUIT",
            "S 250 to MAIL",
            "S 250 to RCPT",
            "S 354 to DATA",
            "S 250 to message",
            "transaction 0 of 1 accepted Some(true)",
            "S 221 to QUIT",
        ],
        &["pipelining-violation"],
    );
}

#[test]
fn a_refused_data_leaves_the_client_with_commands() {
    let summary = check_after_hello(
        &[
            C(b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"),
            S(b"250 ok\r\n550 no\r\n554 no valid recipients\r\n"),
            C(b"RSET\r\n"),
            S(b"250 ok\r\n"),
        ],
        &[
            "C MAIL: MAIL FROM:<a@example.org>",
            "C RCPT: RCPT TO:<b@example.net>",
            "C DATA: DATA",
            "S 250 to MAIL",
            "S 550 to RCPT",
            "S 554 to DATA",
            "C RSET: RSET",
            "S 250 to RSET",
            "transaction 0 of 1 accepted Some(false)",
        ],
        &[],
    );
    assert!(summary.transactions[0].reset);
    assert_eq!(summary.transactions[0].transfer, None);
}

#[test]
fn a_session_typed_with_bare_lf_ends_its_message_at_a_bare_dot_line() {
    let told = tell(&[
        S(b"220 mx.example.org ESMTP\r\n"),
        C(b"HELO me\n"),
        S(b"250 mx.example.org\r\n"),
        C(b"MAIL FROM:<a@example.org>\n"),
        S(b"250 ok\r\n"),
        C(b"RCPT TO:<b@example.org>\n"),
        S(b"250 ok\r\n"),
        C(b"DATA\n"),
        S(b"354 go\r\n"),
        C(b"hello\n"),
        C(b".\n"),
        S(b"250 queued\r\n"),
        C(b"QUIT\n"),
        S(b"221 bye\r\n"),
    ]);
    assert_eq!(
        told.events[8..12],
        ["S 354 to DATA", "message by DATA", "message of 6 whole: hello\\x0a", "S 250 to message"]
    );
    assert_eq!(told.anomalies, ["bare-lf", "bare-lf", "bare-lf", "bare-lf", "bare-lf-in-message", "bare-lf"]);
    assert!(told.summary.transactions[0].header.ended_by_text);
}

#[test]
fn a_look_alike_ends_the_message_if_the_server_answers_it() {
    let start = [C(b"MAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"), S(b"250 ok\r\n250 ok\r\n354 go\r\n")];
    let head = [
        "C MAIL: MAIL FROM:<>",
        "C RCPT: RCPT TO:<b@example.net>",
        "C DATA: DATA",
        "S 250 to MAIL",
        "S 250 to RCPT",
        "S 354 to DATA",
        "message by DATA",
    ];
    check_after_hello(
        &[&start[..], &[C(b"x\n.\n"), S(b"250 queued\r\n"), C(b"QUIT\r\n"), S(b"221 bye\r\n")]].concat(),
        &[
            &head[..],
            &[
                "message of 2 whole: x\\x0a",
                "S 250 to message",
                "transaction 0 of 1 accepted Some(true)",
                "C QUIT: QUIT",
                "S 221 to QUIT",
            ],
        ]
        .concat(),
        &["bare-lf-in-message", "bare-lf-end-of-data"],
    );
    // Nothing is answered in between: one message, as RFC 5321 reads it.
    check_after_hello(
        &[&start[..], &[C(b"x\n.\r\nMAIL FROM:<>\r\n.\r\n"), S(b"250 queued\r\n")]].concat(),
        &[
            &head[..],
            &[
                "message of 19 whole: x\\x0a.\\x0d\\x0aMAIL FROM:<>\\x0d\\x0a",
                "leniently 2 then 1 commands, 1 mails",
                "S 250 to message",
                "transaction 0 of 1 accepted Some(true)",
            ],
        ]
        .concat(),
        &["bare-lf-in-message", "end-of-data-look-alike", "smuggling"],
    );
}

#[test]
fn chunks_are_as_long_as_they_say_whatever_they_hold() {
    let summary = check_after_hello(
        &[
            C(b"MAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nBDAT 11\r\nQUIT\r\n.\r\nxxBDAT 0 LAST\r\nQUIT\r\n"),
            S(b"250 ok\r\n250 ok\r\n250 11 octets\r\n250 queued\r\n221 bye\r\n"),
        ],
        &[
            "C MAIL: MAIL FROM:<>",
            "C RCPT: RCPT TO:<b@example.net>",
            "C BDAT: BDAT 11",
            "message by BDAT",
            "C BDAT: BDAT 0 LAST",
            "message of 11 whole: QUIT\\x0d\\x0a.\\x0d\\x0axx",
            "C QUIT: QUIT",
            "S 250 to MAIL",
            "S 250 to RCPT",
            "S 250 to BDAT",
            "S 250 to BDAT",
            "transaction 0 of 1 accepted Some(true)",
            "S 221 to QUIT",
        ],
        &[],
    );
    assert_eq!((summary.transactions[0].chunks, summary.transactions[0].size), (2, Some(11)));
}

#[test]
fn a_chunk_without_last_and_one_without_size_are_told() {
    let told = tell(
        &[
            &HELLO[..],
            &[
                C(b"MAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nBDAT 2\r\nxx"),
                S(b"250 ok\r\n250 ok\r\n250 ok\r\n"),
                C(b"MAIL FROM:<>\r\n"),
                S(b"503 nested\r\n"),
                C(b"BDAT two\r\n"),
                S(b"501 bad\r\n"),
            ],
        ]
        .concat(),
    );
    assert!(told.events.contains(&"message of 2 0 missing: xx".to_owned()));
    assert_eq!(told.anomalies, ["missing-bdat-last", "order", "bad-bdat"]);
}

#[test]
fn lmtp_has_a_reply_for_each_recipient_that_was_taken() {
    let summary = check(
        &[
            S(b"220 lmtp.example.org LMTP\r\n"),
            C(b"LHLO me\r\n"),
            S(b"250-lmtp.example.org\r\n250 PIPELINING\r\n"),
            C(b"MAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n"),
            S(b"250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n"),
            C(b".\r\nQUIT\r\n"),
            S(b"452 full\r\n250 ok\r\n221 bye\r\n"),
        ],
        &[
            "S 220 to greeting",
            "C LHLO: LHLO me",
            "S 250 to LHLO",
            "C MAIL: MAIL FROM:<>",
            "C RCPT: RCPT TO:<a@example.org>",
            "C RCPT: RCPT TO:<b@example.org>",
            "C RCPT: RCPT TO:<c@example.org>",
            "C DATA: DATA",
            "S 250 to MAIL",
            "S 250 to RCPT",
            "S 550 to RCPT",
            "S 250 to RCPT",
            "S 354 to DATA",
            "message by DATA",
            "message of 0 whole: ",
            "C QUIT: QUIT",
            "S 452 to message 0",
            "S 250 to message 2",
            "transaction 0 of 3 accepted Some(true)",
            "S 221 to QUIT",
        ],
        &[],
    );
    let delivered: Vec<_> =
        summary.transactions[0].recipients.iter().map(|r| r.delivered.and_then(|d| d.code)).collect();
    assert_eq!(delivered, [Some(452), None, Some(250)]);
}

#[test]
fn auth_is_read_round_by_round_and_secrets_are_not_kept() {
    let summary = check_after_hello(
        &[
            C(b"AUTH LOGIN\r\n"),
            S(b"334 VXNlcm5hbWU6\r\n"),
            C(b"QUIT\r\n"),
            S(b"334 UGFzc3dvcmQ6\r\n"),
            C(b"c2VjcmV0\r\n"),
            S(b"535 5.7.8 no\r\n"),
            C(b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n"),
            S(b"235 2.7.0 yes\r\n"),
        ],
        &[
            "C AUTH: AUTH LOGIN",
            "S 334 to AUTH",
            "A QUIT",
            "S 334 to auth",
            "A c2VjcmV0",
            "S 535 to auth",
            "C AUTH: AUTH PLAIN AHVzZXIAc2VjcmV0",
            "S 235 to AUTH",
        ],
        &["unadvertised-use", "plain-auth-clear", "unadvertised-use", "plain-auth-clear"],
    );
    let [login, plain] = &summary.auth[..] else { panic!("two attempts") };
    assert_eq!((login.succeeded, login.code, login.secret_len), (Some(false), Some(535), Some(6)));
    assert_eq!((plain.succeeded, plain.username.as_deref()), (Some(true), Some(&b"user"[..])));
    assert!(!format!("{summary:?}").contains("secret\""));
}

#[test]
fn auth_lines_sent_without_waiting_are_told_from_commands() {
    let told = tell(
        &[
            &HELLO[..],
            &[
                C(b"AUTH LOGIN\r\ndXNlcg==\r\nc2VjcmV0\r\nMAIL FROM:<>\r\n"),
                S(b"334 u\r\n334 p\r\n235 ok\r\n250 ok\r\n"),
            ],
        ]
        .concat(),
    );
    assert_eq!(told.events[3..7], ["C AUTH: AUTH LOGIN", "A dXNlcg==", "A c2VjcmV0", "C MAIL: MAIL FROM:<>"]);
    assert_eq!(told.events[7..11], ["S 334 to AUTH", "S 334 to auth", "S 235 to auth", "S 250 to MAIL"]);
    assert_eq!(told.summary.auth[0].succeeded, Some(true));
}

#[test]
fn starttls_hands_over_at_the_end_of_its_220() {
    let told = tell(&[&HELLO[..], &[C(b"STARTTLS\r\n"), S(b"220 ready\r\n\x16\x03\x03")]].concat());
    assert_eq!(told.events[3..], ["C STARTTLS: STARTTLS", "S 220 to STARTTLS", "starttls"]);
    assert_eq!(told.summary.starttls.answered.and_then(|a| a.code), Some(220));
    let whole = run(&[&HELLO[..], &[C(b"STARTTLS\r\n"), S(b"220 ready\r\n\x16\x03\x03")]].concat(), usize::MAX);
    assert_eq!(whole.left, 3);
}

#[test]
fn a_refused_starttls_leaves_the_dialogue_in_the_clear() {
    check_after_hello(
        &[C(b"STARTTLS\r\n"), S(b"454 4.7.0 not now\r\n"), C(b"MAIL FROM:<>\r\n"), S(b"250 ok\r\n")],
        &[
            "C STARTTLS: STARTTLS",
            "S 454 to STARTTLS",
            "C MAIL: MAIL FROM:<>",
            "S 250 to MAIL",
            "transaction 0 of 0 accepted None",
        ],
        &["starttls-refused"],
    );
}

#[test]
fn clear_text_after_220_goes_on_as_a_dialogue() {
    check_after_hello(
        &[C(b"STARTTLS\r\n"), S(b"220 ready\r\n"), C(b"EHLO c.example.org\r\n"), S(b"250 mx.example.org\r\n")],
        &["C STARTTLS: STARTTLS", "S 220 to STARTTLS", "starttls", "C EHLO: EHLO c.example.org", "S 250 to EHLO"],
        &["cleartext-after-220"],
    );
}

#[test]
fn octets_given_back_are_taken_whatever_they_look_like() {
    for hello in [C(b"\x16\x03\x01"), S(b"\x16\x03\x03")] {
        let mut dialogue = Dialogue::new(CLIENT);
        let (direction, bytes) = match hello {
            C(bytes) => {
                dialogue.data(CLIENT, 0, b"STARTTLS\r\n", &mut |_| {});
                (CLIENT, bytes)
            }
            S(bytes) => {
                dialogue.data(SERVER, 0, b"250 x\r\n220 go\r\n", &mut |_| {});
                (SERVER, bytes)
            }
            _ => unreachable!(),
        };
        assert_eq!(dialogue.data(direction, 20, bytes, &mut |_| {}), 0);
        assert_eq!(dialogue.data(direction, 20, bytes, &mut |_| {}), bytes.len());
    }
}

#[test]
fn clear_commands_behind_starttls_are_an_injection() {
    let told = tell(&[&HELLO[..], &[C(b"STARTTLS\r\nRSET\r\n"), S(b"220 ready\r\n")]].concat());
    assert_eq!(told.anomalies, ["cmd-injection", "pipelining-violation"]);
    assert_eq!(told.events[3..], ["C STARTTLS: STARTTLS", "C RSET: RSET", "S 220 to STARTTLS", "starttls"]);
}

#[test]
fn a_client_seen_alone_is_handed_over_at_its_hello() {
    let whole = run(&[C(b"EHLO c.example.org\r\nSTARTTLS\r\n\x16\x03\x01\x00")], usize::MAX);
    assert_eq!(whole.events, ["C EHLO: EHLO c.example.org", "C STARTTLS: STARTTLS", "starttls"]);
    assert_eq!(whole.left, 4);
    // The server's 220 comes late: it is still read, and not told twice.
    let late = run(&[&HELLO[..], &[C(b"STARTTLS\r\n\x16"), S(b"220 go\r\n\x16\x03")]].concat(), usize::MAX);
    assert_eq!(late.events[3..], ["C STARTTLS: STARTTLS", "starttls", "S 220 to STARTTLS"]);
    assert_eq!(late.left, 2);
}

#[test]
fn a_server_seen_alone_is_handed_over_at_its_hello() {
    let whole = run(&[S(b"220 mx.example.org ESMTP\r\n250-mx\r\n250 STARTTLS\r\n220 go\r\n\x16\x03\x03")], usize::MAX);
    assert_eq!(whole.events, ["S 220 to greeting", "S 250 to unasked", "S 220 to unasked", "starttls"]);
    assert_eq!((whole.left, whole.anomalies.len()), (3, 0));
}

#[test]
fn a_masked_starttls_shows() {
    let told = tell(&[
        S(b"220 **************\r\n"),
        C(b"EHLO c.example.org\r\n"),
        S(b"250-mx.example.org\r\n250-XXXXXXXA\r\n250 SIZE\r\n"),
    ]);
    assert_eq!(told.anomalies, ["starttls-masked"]);
    assert!(told.summary.starttls.masked.is_some() && told.summary.starttls.offered.is_none());
}

#[test]
fn a_gap_in_a_message_is_counted_and_its_end_is_still_found() {
    let summary = check_after_hello(
        &[
            C(b"MAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"),
            S(b"250 ok\r\n250 ok\r\n354 go\r\n"),
            C(b"Subject: x\r\n"),
            ClientGap(100),
            C(b"y\r\n.\r\n"),
            S(b"250 queued\r\n"),
        ],
        &[
            "C MAIL: MAIL FROM:<>",
            "C RCPT: RCPT TO:<b@example.net>",
            "C DATA: DATA",
            "S 250 to MAIL",
            "S 250 to RCPT",
            "S 354 to DATA",
            "message by DATA",
            "message of 115 100 missing: Subject: x\\x0d\\x0ay\\x0d\\x0a",
            "S 250 to message",
            "transaction 0 of 1 accepted Some(true)",
        ],
        &["gap"],
    );
    assert_eq!((summary.transactions[0].missing, summary.transactions[0].complete), (100, false));
    assert_eq!(summary.transactions[0].header.subject.as_deref(), Some(&b"x"[..]));
}

#[test]
fn an_end_of_data_lost_in_a_gap_is_told_by_the_reply() {
    let told = tell(
        &[
            &HELLO[..],
            &[
                C(b"MAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"),
                S(b"250 ok\r\n250 ok\r\n354 go\r\n"),
                C(b"x\r\n"),
                ClientGap(20),
                S(b"250 queued\r\n"),
                C(b"tail of a line\r\nQUIT\r\n"),
                S(b"221 bye\r\n"),
            ],
        ]
        .concat(),
    );
    assert_eq!(
        told.events[9..],
        [
            "message by DATA",
            "message of 23 20 missing: x\\x0d\\x0a",
            "S 250 to message",
            "transaction 0 of 1 accepted Some(true)",
            "? tail of a line",
            "C QUIT: QUIT",
            "S 221 to QUIT",
        ]
    );
}

#[test]
fn after_a_gap_of_the_server_the_newest_command_is_the_one_answered() {
    let told = tell(
        &[
            &HELLO[..],
            &[
                C(b"MAIL FROM:<>\r\n"),
                ServerGap(8),
                C(b"RCPT TO:<b@example.net>\r\n"),
                S(b"250 ok\r\n"),
                C(b"DATA\r\n"),
                S(b"354 go\r\n"),
                C(b".\r\n"),
                S(b"250 queued\r\n"),
            ],
        ]
        .concat(),
    );
    let replies: Vec<_> = told.events[3..].iter().filter(|e| e.starts_with("S ")).cloned().collect();
    assert_eq!(replies, ["S 250 to RCPT", "S 354 to DATA", "S 250 to message"]);
}

#[test]
fn a_client_seen_alone_is_read_with_its_messages() {
    check(
        &[C(b"EHLO c.example.org\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nDATA\r\nhi\r\n.\r\nMAIL FROM:<>\r\nRSET\r\nQUIT\r\n")],
        &[
            "C EHLO: EHLO c.example.org",
            "C MAIL: MAIL FROM:<>",
            "C RCPT: RCPT TO:<b@example.net>",
            "C DATA: DATA",
            "message by DATA",
            "message of 4 whole: hi\\x0d\\x0a",
            "C MAIL: MAIL FROM:<>",
            "transaction 0 of 1 accepted None",
            "C RSET: RSET",
            "C QUIT: QUIT",
            "transaction 1 of 0 accepted None",
        ],
        &[],
    );
}

#[test]
fn a_stream_that_begins_inside_a_message_finds_its_feet() {
    let told = tell(&[
        C(b"of a text\r\nmore text here\r\n.\r\n"),
        S(b"250 queued\r\n"),
        C(b"MAIL FROM:<>\r\n"),
        S(b"250 ok\r\n"),
    ]);
    assert_eq!(
        told.events,
        [
            "? of a text",
            "? more text here",
            "? .",
            "S 250 to unasked",
            "C MAIL: MAIL FROM:<>",
            "S 250 to MAIL",
            "transaction 0 of 0 accepted None"
        ]
    );
}

#[test]
fn odd_replies_are_taken_and_named() {
    let told = tell(
        &[
            &HELLO[..],
            &[
                C(b"NOOP\r\n"),
                S(b"250-a\r\n251 b\r\n"),
                C(b"NOOP\r\n"),
                S(b"250\r\n"),
                C(b"NOOP\r\n"),
                S(b"4.7.0 later\r\n"),
                C(b"NOOP\r\n"),
                S(b"250-a\r\nwrapped\r\n250 b\n"),
                C(b"NOOP\r\n"),
                S(b"hello\r\n700 what\r\n"),
                S(b"421 closing\r\n250 what\r\n"),
            ],
        ]
        .concat(),
    );
    let replies: Vec<_> = told.events[3..].iter().filter(|e| !e.starts_with("C ")).cloned().collect();
    assert_eq!(
        replies,
        [
            "S 251 to NOOP",
            "S 250 to NOOP",
            "S --- to NOOP",
            "S 250 to NOOP",
            "? hello",
            "S 700 to NOOP",
            "S 421 to unasked",
            "S 250 to unasked"
        ]
    );
    assert_eq!(
        told.anomalies,
        [
            "code-mismatch",
            "malformed-reply",
            "malformed-reply",
            "bare-lf",
            "not-a-reply",
            "unknown-code",
            "reply-orphan"
        ]
    );
}

#[test]
fn a_second_mail_counts_only_if_the_server_takes_it() {
    let mail = [C(b"MAIL FROM:<a@example.org>\r\n"), S(b"250 ok\r\n"), C(b"MAIL FROM:<b@example.org>\r\n")];
    let refused = tell(&[&HELLO[..], &mail, &[S(b"503 nested\r\n"), C(b"RSET\r\n"), S(b"250 ok\r\n")]].concat());
    assert_eq!(refused.anomalies, ["order"]);
    assert_eq!(refused.summary.transactions.len(), 1);
    let taken = tell(&[&HELLO[..], &mail, &[S(b"250 ok\r\n"), C(b"RSET\r\n"), S(b"250 ok\r\n")]].concat());
    let senders: Vec<_> = taken.summary.transactions.iter().map(|t| t.mail_from.clone().unwrap()).collect();
    assert_eq!(senders, [b"a@example.org", b"b@example.org"]);
}

#[test]
fn a_line_without_end_stays_bounded_and_is_consumed() {
    let mut dialogue = Dialogue::new(CLIENT);
    let mut lengths = Vec::new();
    let mut at = 0;
    for _ in 0..100 {
        at += dialogue.data(CLIENT, at, &[b'x'; 1000], &mut |_| {}) as u64;
    }
    assert!(dialogue.line.kept.len() <= crate::limits::SMTP_LINE_OCTETS);
    dialogue.data(CLIENT, at, b"\r\nQUIT\r\n", &mut |event| {
        if let EventKind::Unparsed(line) | EventKind::Command(Command { line, .. }) = event.kind {
            lengths.push((line.len(), event.span.len()));
        }
    });
    assert_eq!(lengths, [(crate::limits::SMTP_LINE_OCTETS, 100_002), (4, 6)]);
}

#[test]
fn recipients_beyond_the_limit_are_counted() {
    let mut dialogue = Dialogue::new(CLIENT);
    let rcpt = b"RCPT TO:<b@example.net>\r\n";
    let mut at = dialogue.data(CLIENT, 0, b"MAIL FROM:<>\r\n", &mut |_| {}) as u64;
    for _ in 0..crate::limits::SMTP_RECIPIENTS + 7 {
        at += dialogue.data(CLIENT, at, rcpt, &mut |_| {}) as u64;
    }
    Direction::BOTH.iter().for_each(|d| dialogue.finish(*d, &mut |_| {}));
    assert_eq!(dialogue.summary().transactions[0].recipients_not_kept, 7);
}

#[test]
fn a_dialogue_cut_at_any_octet_ends_in_order() {
    let client: &[u8] = b"EHLO c.example.org\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n";
    let server: &[u8] = b"220 hi\r\n250-a\r\n250 b\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n221 bye\r\n";
    for cut in 0..client.len() {
        for direction in Direction::BOTH {
            let bytes = if direction == CLIENT { client } else { &server[..cut.min(server.len())] };
            let mut dialogue = Dialogue::new(CLIENT);
            dialogue.data(direction, 0, &bytes[..cut.min(bytes.len())], &mut |_| {});
            Direction::BOTH.iter().for_each(|d| dialogue.finish(*d, &mut |_| {}));
            assert_eq!(dialogue.pending_from(direction), cut.min(bytes.len()) as u64);
        }
    }
}

#[test]
fn any_octets_are_a_dialogue() {
    let seed: &[u8] = b"\x07EHLO a\r\n250-x\r\n250 y\r\nMAIL FROM:<>\r\n354 go\r\nDATA\r\nBDAT 5 LAST\r\nAUTH LOGIN\r\n334 x\r\n.\r\nSTARTTLS\r\n220 \r\n";
    let mut state = 88_172_645_463_325_252u64;
    for round in 0..3_000 {
        let mut data = seed.to_vec();
        for _ in 0..round % 17 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = state as usize % data.len();
            match state >> 60 {
                0..6 => data[at] = (state >> 32) as u8,
                6..10 => data[at] = b"\r\n. -0"[(state >> 32) as usize % 6],
                10..13 => data.truncate(at.max(1)),
                _ => data.extend_from_within(at..),
            }
            data.truncate(4_000);
        }
        fuzz_smtp(&data);
    }
}
