//! What is told of dialogues that do not keep to what was offered, to the order, or to a limit.

use super::*;
use crate::time::{Interval, Timestamp};

/// What is told of `turns` after a greeting and an EHLO reply that lists `offers`.
#[track_caller]
fn anomalies_after(offers: &'static [u8], turns: &[Turn]) -> Vec<&'static str> {
    let hello = [S(b"220 mx.example.org ESMTP\r\n"), C(b"EHLO c.example.org\r\n"), S(offers)];
    tell(&[&hello[..], turns].concat()).anomalies
}

const NOTHING: &[u8] = b"250 mx.example.org\r\n";

#[test]
fn what_was_not_offered_is_told_where_it_stands() {
    assert_eq!(
        anomalies_after(NOTHING, &[C(b"MAIL FROM:<a@example.org> SIZE=10 BODY=8BITMIME X-NEW=1\r\n")]),
        ["unadvertised-use", "unadvertised-use"]
    );
    assert_eq!(
        anomalies_after(b"250-mx\r\n250-SIZE\r\n250 8bitmime\r\n", &[C(b"MAIL FROM:<> SIZE=1 BODY=7BIT\r\n")]),
        [""; 0]
    );
    assert_eq!(anomalies_after(NOTHING, &[C(b"STARTTLS\r\n")]), ["unadvertised-use"]);
    assert_eq!(anomalies_after(b"250-mx\r\n250 AUTH CRAM-MD5\r\n", &[C(b"AUTH CRAM-MD5\r\n")]), [""; 0]);
    assert_eq!(
        anomalies_after(b"250-mx\r\n250 AUTH CRAM-MD5\r\n", &[C(b"AUTH SCRAM-SHA-1\r\n")]),
        ["unadvertised-use"]
    );
    let after_helo = [S(b"220 mx\r\n"), C(b"HELO me\r\n"), S(b"250 mx\r\n"), C(b"MAIL FROM:<> SIZE=1\r\n")];
    assert_eq!(tell(&after_helo).anomalies, ["unadvertised-use"]);
    // Without the reply nothing is known.
    assert_eq!(tell(&[C(b"EHLO me\r\nMAIL FROM:<> SIZE=1 BODY=8BITMIME\r\n")]).anomalies, [""; 0]);
    let mut places = Vec::new();
    let mut dialogue = Dialogue::new(CLIENT);
    dialogue.data(CLIENT, 0, b"EHLO me\r\n", &mut |_| {});
    dialogue.data(SERVER, 0, b"220 mx\r\n250 mx\r\n", &mut |_| {});
    dialogue.data(CLIENT, 9, b"MAIL FROM:<> SIZE=1 RET=FULL\r\n", &mut |event| {
        if let EventKind::Anomaly(Anomaly::Unadvertised) = event.kind {
            places.push(event.span.range());
        }
    });
    assert_eq!(places, [22..28, 29..37]);
}

#[test]
fn an_offer_that_changes_is_told_unless_a_login_or_tls_came_between() {
    let again = [C(b"EHLO c.example.org\r\n"), S(b"250-mx.example.org\r\n250 SIZE 10\r\n")];
    let told = tell(&[&HELLO[..], &again].concat());
    assert_eq!(told.anomalies, ["ehlo-changed"]);
    assert_eq!(told.summary.earlier_offers.len(), 1);
    assert_eq!(told.summary.capabilities.len(), 1);
    let login = [C(b"AUTH EXTERNAL =\r\n"), S(b"235 ok\r\n")];
    let offered = [S(b"220 mx\r\n"), C(b"EHLO c\r\n"), S(b"250-mx\r\n250 AUTH EXTERNAL\r\n")];
    assert_eq!(tell(&[&offered[..], &login, &again].concat()).anomalies, [""; 0]);
    assert_eq!(tell(&[&HELLO[..], &HELLO[1..]].concat()).anomalies, [""; 0]);
}

#[test]
fn a_secret_in_the_clear_is_told_once_it_was_said() {
    let offer = b"250-mx\r\n250 AUTH PLAIN LOGIN\r\n";
    let login = [C(b"AUTH LOGIN dXNlcg==\r\n"), S(b"334 UGFzc3dvcmQ6\r\n"), C(b"c2VjcmV0\r\n"), S(b"235 ok\r\n")];
    assert_eq!(anomalies_after(offer, &login), ["plain-auth-offered", "plain-auth-clear"]);
    assert_eq!(anomalies_after(offer, &login[..2]), ["plain-auth-offered"]);
    let mut told = 0;
    let mut sealed = Dialogue::inside_tls(CLIENT);
    let count = &mut |event: Event<'_>| told += usize::from(matches!(event.kind, EventKind::Anomaly(_)));
    sealed.data(SERVER, 0, b"220 mx\r\n", count);
    sealed.data(CLIENT, 0, b"EHLO c\r\n", count);
    sealed.data(SERVER, 8, b"250-mx\r\n250-REQUIRETLS\r\n250 AUTH PLAIN\r\n", count);
    sealed.data(CLIENT, 8, b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n", count);
    assert_eq!((told, sealed.summary().replies), (0, 2));
}

#[test]
fn requiretls_has_no_place_in_the_clear() {
    let mail = [C(b"MAIL FROM:<a@example.org> REQUIRETLS\r\n")];
    assert_eq!(anomalies_after(b"250-mx\r\n250 REQUIRETLS\r\n", &mail), ["requiretls-clear", "requiretls-clear"]);
}

#[test]
fn a_status_that_contradicts_its_code_is_told() {
    let mail = |reply| [C(b"MAIL FROM:<>\r\n"), S(reply)];
    assert_eq!(anomalies_after(NOTHING, &mail(b"250 5.1.0 no\r\n")), ["status-mismatch"]);
    assert_eq!(anomalies_after(NOTHING, &mail(b"450 5.7.1 no\r\n")), ["status-mismatch"]);
    assert_eq!(anomalies_after(NOTHING, &mail(b"250 2.1.0 yes\r\n")), [""; 0]);
    assert_eq!(anomalies_after(NOTHING, &mail(b"250 10.0.0.1 yes\r\n")), [""; 0]);
    assert_eq!(tell(&[S(b"220 5.7.1 mx\r\n"), C(b"EHLO c\r\n"), S(b"250 5.7.1 mx\r\n")]).anomalies, [""; 0]);
}

#[test]
fn commands_out_of_order_are_told() {
    assert_eq!(tell(&[S(b"220 mx\r\n"), C(b"MAIL FROM:<>\r\n"), S(b"503 hello first\r\n")]).anomalies, ["order"]);
    let after_quit = [C(b"QUIT\r\n"), S(b"221 bye\r\n"), C(b"NOOP\r\n")];
    assert_eq!(anomalies_after(NOTHING, &after_quit), ["order"]);
    let in_between = [C(b"MAIL FROM:<>\r\n"), S(b"250 ok\r\n"), C(b"AUTH EXTERNAL =\r\n")];
    assert_eq!(anomalies_after(b"250-mx\r\n250 AUTH EXTERNAL\r\n", &in_between), ["order"]);
}

#[test]
fn what_is_longer_than_rfc_5321_allows_is_told() {
    let owned = |text: String| -> &'static [u8] { Box::leak(text.into_bytes().into_boxed_slice()) };
    let noop = |octets: usize| [C(owned(format!("NOOP {}\r\n", "x".repeat(octets - 7))))];
    assert_eq!(anomalies_after(NOTHING, &noop(512)), [""; 0]);
    assert_eq!(anomalies_after(NOTHING, &noop(513)), ["too-long"]);
    let reply = |octets: usize| [C(b"NOOP\r\n"), S(owned(format!("250 {}\r\n", "x".repeat(octets - 6))))];
    assert_eq!(anomalies_after(NOTHING, &reply(512)), [""; 0]);
    assert_eq!(anomalies_after(NOTHING, &reply(513)), ["too-long"]);
    let local = |octets: usize| [C(owned(format!("MAIL FROM:<{}@example.org>\r\n", "x".repeat(octets))))];
    assert_eq!(anomalies_after(NOTHING, &local(64)), [""; 0]);
    assert_eq!(anomalies_after(NOTHING, &local(65)), ["address-too-long"]);
    let domain = |octets: usize| [C(owned(format!("VRFY x\r\nMAIL FROM:<a@{}>\r\n", "x".repeat(octets))))];
    assert!(!anomalies_after(NOTHING, &domain(252)).contains(&"address-too-long"));
    assert!(anomalies_after(NOTHING, &domain(256)).contains(&"address-too-long"));
    assert_eq!(anomalies_after(b"250-mx\r\n250 SIZE 1\r\n", &[C(b"MAIL FROM:<> SIZE=1k\r\n")]), ["bad-parameter"]);
}

/// A transaction with a message of `text`, after `mail` was accepted.
fn message(mail: &'static [u8], text: &'static [u8]) -> Vec<Turn> {
    vec![
        C(mail),
        S(b"250 ok\r\n"),
        C(b"RCPT TO:<b@example.org>\r\n"),
        S(b"250 ok\r\n"),
        C(b"DATA\r\n"),
        S(b"354 go\r\n"),
        C(text),
        C(b".\r\n"),
        S(b"250 ok\r\n"),
    ]
}

#[test]
fn a_message_longer_than_announced_or_taken_is_told() {
    let text: &'static [u8] = Box::leak("0123456789\r\n".repeat(200).into_bytes().into_boxed_slice());
    let size = b"250-mx\r\n250 SIZE 100000\r\n";
    assert_eq!(anomalies_after(size, &message(b"MAIL FROM:<> SIZE=2400\r\n", text)), [""; 0]);
    assert_eq!(anomalies_after(size, &message(b"MAIL FROM:<> SIZE=2000\r\n", text)), [""; 0], "a guess");
    assert_eq!(anomalies_after(size, &message(b"MAIL FROM:<> SIZE=90000\r\n", text)), [""; 0], "more is no lie");
    assert_eq!(anomalies_after(size, &message(b"MAIL FROM:<> SIZE=100\r\n", text)), ["size-lie"]);
    assert_eq!(anomalies_after(size, &message(b"MAIL FROM:<> SIZE=100001\r\n", text)), ["over-limit"]);
    assert_eq!(anomalies_after(b"250-mx\r\n250 SIZE 1000\r\n", &message(b"MAIL FROM:<>\r\n", text)), ["over-limit"]);
    assert_eq!(anomalies_after(b"250-mx\r\n250 SIZE 0\r\n", &message(b"MAIL FROM:<>\r\n", text)), [""; 0]);
    let many = [C(b"MAIL FROM:<>\r\n"), S(b"250 ok\r\n"), C(b"RCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nRCPT TO:<c@x>\r\n")];
    assert_eq!(anomalies_after(b"250-mx\r\n250-PIPELINING\r\n250 LIMITS RCPTMAX=2\r\n", &many), ["over-limit"]);
}

#[test]
fn octets_and_lines_that_were_not_announced_are_told() {
    let offers = b"250-mx\r\n250 8BITMIME\r\n";
    let text = "caf\u{e9}\r\n".as_bytes();
    assert_eq!(anomalies_after(offers, &message(b"MAIL FROM:<>\r\n", text)), ["eight-bit-in-message"]);
    assert_eq!(anomalies_after(offers, &message(b"MAIL FROM:<> BODY=8BITMIME\r\n", text)), [""; 0]);
    let long: &'static [u8] = Box::leak(format!("{}\r\n", "x".repeat(2000)).into_bytes().into_boxed_slice());
    assert_eq!(anomalies_after(offers, &message(b"MAIL FROM:<>\r\n", long)), ["long-line-in-message"]);
}

#[test]
fn guesses_are_told_by_their_number() {
    let guess = [C(b"RCPT TO:<guess@example.org>\r\n"), S(b"550 5.1.1 unknown\r\n")];
    let policy = [C(b"RCPT TO:<guess@example.org>\r\n"), S(b"550 5.7.1 not from you\r\n")];
    let start = [C(b"MAIL FROM:<>\r\n"), S(b"250 ok\r\n")];
    let times = |turns: &[Turn], n: usize| [&start[..], &turns.repeat(n)].concat();
    assert_eq!(anomalies_after(NOTHING, &times(&guess, 9)), [""; 0]);
    assert_eq!(anomalies_after(NOTHING, &times(&guess, 30)), ["recipient-harvest"]);
    assert_eq!(anomalies_after(NOTHING, &times(&policy, 30)), [""; 0]);
    let login = [C(b"AUTH CRAM-MD5\r\n"), S(b"334 PDE+\r\n"), C(b"dSAwMA==\r\n"), S(b"535 no\r\n")];
    assert_eq!(anomalies_after(b"250-mx\r\n250 AUTH CRAM-MD5\r\n", &login.repeat(3)), [""; 0]);
    assert_eq!(anomalies_after(b"250-mx\r\n250 AUTH CRAM-MD5\r\n", &login.repeat(9)), ["login-guessing"]);
    let verify = [C(b"VRFY guess\r\n"), S(b"252 perhaps\r\n")];
    assert_eq!(anomalies_after(NOTHING, &verify.repeat(4)), [""; 0]);
    assert_eq!(anomalies_after(NOTHING, &verify.repeat(9)), ["address-probing"]);
    let refused = [C(b"MAIL FROM:<>\r\n"), S(b"554 5.7.1 listed at zen.spamhaus.org\r\n")];
    assert_eq!(anomalies_after(NOTHING, &refused.repeat(3)), ["blocklisted"]);
}

#[test]
fn another_protocol_in_the_place_of_commands_is_told_once() {
    let turns = [C(b"POST / HTTP/1.1\r\nHost: mx\r\n\r\n"), S(b"500 what\r\n500 what\r\n500 what\r\n")];
    let told = anomalies_after(b"250-mx\r\n250 PIPELINING\r\n", &turns);
    assert_eq!(told.iter().filter(|id| **id == "wrong-protocol").count(), 1);
    assert!(anomalies_after(NOTHING, &[C(b"\x16\x03\x01\x02\r\n")]).contains(&"wrong-protocol"));
}

/// A dialogue told second by second: `(second, from the client, octets)`; it ends at `end`.
fn timed(turns: &[(i64, bool, &[u8])], end: i64) -> (Vec<&'static str>, Summary) {
    let mut dialogue = Dialogue::new(CLIENT);
    dialogue.opened_at(Timestamp::from_parts(0, 0));
    let (mut told, mut at) = (Vec::new(), [0u64; 2]);
    let mut note = |event: Event<'_>| {
        if let EventKind::Anomaly(anomaly) = event.kind {
            told.push(anomaly.id());
        }
    };
    for (second, from_client, bytes) in turns {
        let direction = if *from_client { CLIENT } else { SERVER };
        dialogue.set_time(Timestamp::from_parts(*second, 0));
        dialogue.data(direction, at[direction.index()], bytes, &mut note);
        at[direction.index()] += bytes.len() as u64;
    }
    dialogue.set_time(Timestamp::from_parts(end, 0));
    Direction::BOTH.iter().for_each(|d| dialogue.finish(*d, &mut note));
    (told, dialogue.into_summary())
}

#[test]
fn waits_are_counted_and_long_ones_are_stalls() {
    let hello: [(i64, bool, &[u8]); 3] =
        [(2, false, b"220 mx\r\n"), (2, true, b"EHLO c\r\n"), (3, false, b"250 mx\r\n")];
    let (told, summary) = timed(&hello, 4);
    assert_eq!(told, [""; 0]);
    let waits: Vec<_> = summary.waiting.iter().map(|w| (w.awaited.name().to_owned(), w.longest)).collect();
    assert_eq!(waits, [("greeting".to_owned(), Interval::from_secs(2)), ("EHLO".to_owned(), Interval::from_secs(1))]);
    assert_eq!(timed(&[(31, false, b"220 mx\r\n")], 31).0, ["stall"]);
    let unanswered = [&hello[..], &[(5, true, &b"DATA\r\n"[..])]].concat();
    assert_eq!(timed(&unanswered, 36).0, ["order", "stall"]);
    assert_eq!(timed(&unanswered, 34).0, ["order"]);
    let in_message = [
        &hello[..],
        &[
            (5, true, b"MAIL FROM:<>\r\n"),
            (5, false, b"250 ok\r\n"),
            (5, true, b"RCPT TO:<a@x>\r\n"),
            (5, false, b"250 ok\r\n"),
            (5, true, b"DATA\r\n"),
            (5, false, b"354 go\r\n"),
            (6, true, b"text"),
        ],
    ]
    .concat();
    assert_eq!(timed(&in_message, 200).0, ["stall", "truncated"]);
    assert_eq!(timed(&in_message, 100).0, ["truncated"]);
    // A client that thinks for long keeps nobody waiting for a reply.
    assert_eq!(
        timed(&[&hello[..], &[(500, true, &b"QUIT\r\n"[..]), (500, false, b"221 bye\r\n")]].concat(), 501).0,
        [""; 0]
    );
}
