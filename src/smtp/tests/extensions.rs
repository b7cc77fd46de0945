//! Proxies, BURL, vendors' verbs, and what LMTP says of each recipient.

use super::*;

#[test]
fn a_proxy_says_for_whom_it_speaks_before_the_greeting() {
    let whole: &'static [u8] = Box::leak([&proxy::tests::version_2()[..], b"EHLO c\r\n"].concat().into_boxed_slice());
    let (header, hello) = whole.split_at(whole.len() - 8);
    let summary = check(
        &[C(header), S(b"220 mx\r\n"), C(hello), S(b"250 mx\r\n")],
        &["proxy for Some(198.51.100.7:54321)", "S 220 to greeting", "C EHLO: EHLO c", "S 250 to EHLO"],
        &[],
    );
    assert_eq!(summary.proxy.unwrap().authority.as_deref(), Some(&b"mx1.example.org"[..]));
    let line =
        [C(b"PROXY TCP4 198.51.100.7 192.0.2.25 54321 25\r\n"), S(b"220 mx\r\n"), C(b"QUIT\r\n"), S(b"221 bye\r\n")];
    let told = tell(&line);
    assert_eq!(told.anomalies, [""; 0], "a proxy is no early talker");
    assert_eq!(told.events[1..], ["S 220 to greeting", "C QUIT: QUIT", "S 221 to QUIT"]);
    assert_eq!(told.summary.proxy.unwrap().source, Some("198.51.100.7:54321".parse().unwrap()));
}

#[test]
fn what_only_looks_like_a_proxy_is_lines() {
    let told = tell(&[S(b"220 mx\r\n"), C(b"\r\nQUIT\r\n"), S(b"500 what\r\n221 bye\r\n")]);
    assert_eq!(told.events, ["S 220 to greeting", "? ", "C QUIT: QUIT", "S 500 to unparsed", "S 221 to QUIT"]);
    let header = proxy::tests::version_2();
    for cut in 1..header.len() {
        let mut dialogue = Dialogue::new(CLIENT);
        let mut proxies = 0;
        dialogue
            .data(CLIENT, 0, &header[..cut], &mut |e| proxies += usize::from(matches!(e.kind, EventKind::Proxy(_))));
        Direction::BOTH.iter().for_each(|d| dialogue.finish(*d, &mut |_| {}));
        assert_eq!(proxies, 0, "{cut}");
    }
}

#[test]
fn xclient_brings_a_new_greeting_and_new_offers() {
    let hello = [S(b"220 mx\r\n"), C(b"EHLO c\r\n"), S(b"250-mx\r\n250 XCLIENT NAME ADDR\r\n")];
    let claim = [C(b"XCLIENT NAME=spike.example.org ADDR=198.51.100.7\r\n"), S(b"220 mx\r\n")];
    let again = [C(b"EHLO spike.example.org\r\n"), S(b"250-mx\r\n250 SIZE 10\r\n")];
    let told = tell(&[&hello[..], &claim, &again].concat());
    assert_eq!(
        told.events[3..],
        [
            "C XCLIENT: XCLIENT NAME=spike.example.org ADDR=198.51.100.7",
            "S 220 to XCLIENT",
            "C EHLO: EHLO spike.example.org",
            "S 250 to EHLO"
        ]
    );
    assert_eq!(told.anomalies, [""; 0]);
    let claim = &told.summary.claims[0];
    assert_eq!((claim.accepted, claim.attributes.len()), (Some(true), 2));
    assert_eq!(told.summary.capabilities.len(), 1);
}

#[test]
fn burl_ends_a_message_that_others_began() {
    let offers =
        [S(b"220 mx\r\n"), C(b"EHLO c\r\n"), S(b"250-mx\r\n250-CHUNKING\r\n250-PIPELINING\r\n250 BURL imap\r\n")];
    let alone = [
        C(b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nBURL imap://example.org/2 LAST\r\nQUIT\r\n"),
        S(b"250 ok\r\n250 ok\r\n250 queued\r\n221 bye\r\n"),
    ];
    let told = tell(&[&offers[..], &alone].concat());
    let fetched: Vec<_> = told.summary.transactions.iter().map(|t| (t.fetched, t.chunks, t.accepted)).collect();
    assert_eq!((&fetched[..], told.anomalies.len()), (&[(1, 0, Some(true))][..], 0));
    let exact = [
        C(b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nBDAT 3\r\nx\r\nBURL imap://example.org/1 LAST\r\n"),
        S(b"250 ok\r\n250 ok\r\n250 ok\r\n250 queued\r\n"),
        C(b"QUIT\r\n"),
        S(b"221 bye\r\n"),
    ];
    let told = tell(&[&offers[..], &exact].concat());
    assert_eq!(told.anomalies, [""; 0]);
    let t = &told.summary.transactions[0];
    assert_eq!((t.fetched, t.chunks, t.size, t.accepted), (1, 1, Some(3), Some(true)));
    assert!(told.events.contains(&"S 250 to BURL".to_owned()));
}

#[test]
fn what_xexch50_announces_is_no_text() {
    let hello = [S(b"220 mx\r\n"), C(b"EHLO c\r\n"), S(b"250-mx\r\n250 XEXCH50\r\n")];
    let turns = [
        C(b"XEXCH50 8 2\r\n"),
        S(b"354 Send binary data\r\n"),
        C(b"QUIT\r\n\0\n"),
        S(b"250 ok\r\n"),
        C(b"QUIT\r\n"),
        S(b"221 bye\r\n"),
    ];
    let told = tell(&[&hello[..], &turns].concat());
    assert_eq!(
        told.events[3..],
        [
            "C XEXCH50: XEXCH50 8 2",
            "S 354 to XEXCH50",
            "8 octets of XEXCH50",
            "S 250 to XEXCH50",
            "C QUIT: QUIT",
            "S 221 to QUIT"
        ]
    );
    assert_eq!(told.anomalies, [""; 0]);
}

#[test]
fn a_login_of_exchange_is_a_login() {
    let hello = [S(b"220 mx\r\n"), C(b"EHLO c\r\n"), S(b"250-mx\r\n250 X-EXPS LOGIN\r\n")];
    let turns = [
        C(b"X-EXPS LOGIN\r\n"),
        S(b"334 VXNlcm5hbWU6\r\n"),
        C(b"dXNlcg==\r\n"),
        S(b"334 UGFzc3dvcmQ6\r\n"),
        C(b"c2VjcmV0\r\n"),
        S(b"235 ok\r\n"),
    ];
    let told = tell(&[&hello[..], &turns].concat());
    assert_eq!(told.anomalies, ["plain-auth-clear"]);
    let attempt = &told.summary.auth[0];
    assert_eq!((attempt.username.as_deref(), attempt.gain()), (Some(&b"user"[..]), Gain::Password));
}

#[test]
fn each_recipient_of_lmtp_has_its_own_verdict() {
    let turns = [
        S(b"220 lmtp\r\n"),
        C(b"LHLO me\r\n"),
        S(b"250-lmtp\r\n250 PIPELINING\r\n"),
        C(b"MAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n"),
        S(b"250 ok\r\n250 ok\r\n550 5.1.1 no\r\n250 ok\r\n354 go\r\n"),
        C(b".\r\n"),
        S(b"452 4.2.2 full\r\n250 2.0.0 ok\r\n"),
    ];
    let told = tell(&turns);
    let t = &told.summary.transactions[0];
    let retry: Vec<_> = t.recipients.iter().map(|r| t.verdict(r).and_then(|v| v.retry())).collect();
    assert_eq!(retry, [Some(Retry::Later), Some(Retry::Never), None]);
}

#[test]
fn data_inside_a_transaction_of_chunks_is_told() {
    let turns = [
        C(b"MAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nBDAT 2\r\nxx"),
        S(b"250 ok\r\n250 ok\r\n250 ok\r\n"),
        C(b"DATA\r\n"),
        S(b"503 no\r\n"),
    ];
    assert_eq!(tell(&[&HELLO[..], &turns].concat()).anomalies, ["missing-bdat-last", "mixed-transfer"]);
}
