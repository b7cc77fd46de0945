use super::ntlm::tests::authenticate;
use super::*;
use crate::smtp::LineEnd;
use crate::stream::Direction;

fn encode(text: &[u8]) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.encode(text).into_bytes()
}

fn begin(command: &[u8]) -> Exchange {
    Exchange::new(&Command::parse(0, command, LineEnd::Crlf).unwrap(), SPAN)
}

fn exchange(command: &[u8], lines: &[&[u8]]) -> AuthAttempt {
    let mut exchange = begin(command);
    lines.iter().for_each(|line| exchange.line(line, SPAN));
    exchange.attempt
}

/// A whole exchange, each message given decoded: the server's and the client's by turns.
fn talk(mechanism: &str, messages: &[(&[u8], &[u8])]) -> AuthAttempt {
    let mut exchange = begin(format!("AUTH {mechanism}").as_bytes());
    for (challenge, response) in messages {
        exchange.challenge(&encode(challenge));
        exchange.line(&encode(response), SPAN);
    }
    exchange.attempt
}

fn read(mechanism: &str, responses: &[&[u8]]) -> (Option<String>, Option<u64>) {
    let lines: Vec<_> = responses.iter().map(|r| encode(r)).collect();
    let lines: Vec<_> = lines.iter().map(|l| &l[..]).collect();
    let attempt = exchange(format!("AUTH {mechanism}").as_bytes(), &lines);
    (attempt.username.map(|u| String::from_utf8(u).unwrap()), attempt.secret_len)
}

const SPAN: Span = Span { direction: Direction::FromOriginator, start: 0, end: 1 };

#[test]
fn usernames_and_secret_lengths_are_read_for_each_mechanism() {
    let who = |name: &str, secret| (Some(name.to_owned()), secret);
    assert_eq!(read("PLAIN", &[b"\0user\0secret"]), who("user", Some(6)));
    assert_eq!(read("plain", &[b"admin\0user\0se\0cret"]), who("user", Some(7)));
    assert_eq!(read("LOGIN", &[b"user", b"secret"]), who("user", Some(6)));
    assert_eq!(read("CRAM-MD5", &[b"the user 0123456789abcdef0123456789abcdef"]), who("the user", Some(32)));
    assert_eq!(read("XOAUTH2", &[b"user=u@example.org\x01auth=Bearer token\x01\x01"]), who("u@example.org", Some(5)));
    assert_eq!(
        read("OAUTHBEARER", &[b"n,a=u@example.org,\x01host=mail.example.org\x01port=587\x01auth=Bearer token\x01\x01"]),
        who("u@example.org", Some(5))
    );
    assert_eq!(read("SCRAM-SHA-256", &[b"n,,n=a=2Cb=3Dc,r=nonce", b"c=biws,r=nonce,p=proof"]), who("a,b=c", Some(5)));
    assert_eq!(read("SCRAM-SHA-1-PLUS", &[b"p=tls-unique,,n=user,r=x"]), who("user", None));
    assert_eq!(read("DIGEST-MD5", &[b"username=\"user\",response=abcd,x=y"]), who("user", Some(4)));
    assert_eq!(read("NTLM", &[b"NTLMSSP\0\x01\0\0\0", &authenticate("D", "user", "W")]), who("user", Some(60)));
    assert_eq!(read("GSSAPI", &[b"token", b"", b"longer token"]), (None, Some(12)));
    assert_eq!(read("GSS-SPNEGO", &[&[b"`\x10", &authenticate("D", "u", "W")[..]].concat()]), who("u", Some(60)));
    assert_eq!(read("OTP", &[b"\0user", b"hex:11d4c147e227c1f1"]), who("user", Some(20)));
    assert_eq!(read("SECURID", &[b"\0user\x00123456\x00"]), who("user", Some(6)));
    assert_eq!(read("EXTERNAL", &[b"user"]), who("user", None));
    assert_eq!(read("EXTERNAL", &[b""]), (None, None));
    assert_eq!(read("ANONYMOUS", &[b"trace@example.org"]), who("trace@example.org", None));
    assert_eq!(read("X-NEW", &[b"user"]), (None, None));
}

#[test]
fn what_else_an_exchange_says_is_kept() {
    let text = |field: &Option<Vec<u8>>| field.clone().map(|f| String::from_utf8(f).unwrap());
    let plain = talk("PLAIN", &[(b"", b"admin\0user\0secret")]);
    assert_eq!(text(&plain.authorization).as_deref(), Some("admin"));
    assert_eq!(talk("PLAIN", &[(b"", b"user\0user\0secret")]).authorization, None);
    let ntlm = talk("NTLM", &[(b"", b"NTLMSSP\0\x01\0\0\0"), (b"", &authenticate("EXAMPLE", "alice", "DESK"))]);
    assert_eq!((text(&ntlm.realm).as_deref(), text(&ntlm.workstation).as_deref()), (Some("EXAMPLE"), Some("DESK")));
    let digest = br#"username="a\"b",realm="example.org",nonce="x,y",authzid="c",response=0123,qop=auth"#;
    let digest = talk("DIGEST-MD5", &[(b"realm=\"example.org\",nonce=\"x,y\"", digest)]);
    assert_eq!((text(&digest.username).as_deref(), digest.secret_len), (Some("a\"b"), Some(4)));
    assert_eq!(
        (text(&digest.realm).as_deref(), text(&digest.authorization).as_deref()),
        (Some("example.org"), Some("c"))
    );
    let scram =
        talk("SCRAM-SHA-256", &[(b"", b"n,a=boss,n=user,r=x"), (b"r=xy,s=c2FsdA==,i=4096", b"c=biws,r=xy,p=pp")]);
    assert_eq!((scram.iterations, text(&scram.authorization).as_deref()), (Some(4096), Some("boss")));
    let refused = talk("XOAUTH2", &[(b"", b"user=u\x01auth=Bearer t\x01\x01"), (b"{\"status\":\"401\"}", b"")]);
    assert_eq!(text(&refused.error).as_deref(), Some("{\"status\":\"401\"}"));
}

#[test]
fn a_server_of_login_may_ask_in_its_own_words_and_order() {
    let user = |attempt: AuthAttempt| (attempt.username.unwrap(), attempt.secret_len);
    for prompts in
        [[&b"Username:"[..], b"Password:"], [b"User Name\0", b"Password\0"], [b"login", b"PASSWORD"], [b"?", b"?"]]
    {
        let attempt = talk("LOGIN", &[(prompts[0], b"alice"), (prompts[1], b"secret")]);
        assert_eq!(user(attempt), (b"alice".to_vec(), Some(6)), "{prompts:?}");
    }
    let reversed = talk("LOGIN", &[(b"Password:", b"secret"), (b"Username:", b"alice")]);
    assert_eq!(user(reversed), (b"alice".to_vec(), Some(6)));
    let mut initial = begin(&[b"AUTH LOGIN ", &encode(b"alice")[..]].concat());
    initial.challenge(b"Password:");
    initial.line(&encode(b"secret"), SPAN);
    assert_eq!(user(initial.attempt), (b"alice".to_vec(), Some(6)));
}

#[test]
fn an_eavesdropper_gains_what_the_mechanism_sends() {
    let gain = |mechanism: &str, messages: &[&[u8]]| {
        let turns: Vec<(&[u8], &[u8])> = messages.iter().map(|m| (&b""[..], *m)).collect();
        talk(mechanism, &turns).gain()
    };
    assert_eq!(gain("PLAIN", &[b"\0user\0secret"]), Gain::Password);
    assert_eq!(gain("LOGIN", &[b"user", b"secret"]), Gain::Password);
    assert_eq!(gain("LOGIN", &[b"user"]), Gain::NotSent);
    assert_eq!(gain("PLAIN", &[]), Gain::NotSent);
    assert_eq!(gain("XOAUTH2", &[b"user=u\x01auth=Bearer t\x01\x01"]), Gain::Token);
    assert_eq!(gain("CRAM-MD5", &[b"user 0123"]), Gain::ChallengeResponse);
    assert_eq!(gain("SCRAM-SHA-1", &[b"n,,n=u,r=x"]), Gain::NotSent);
    assert_eq!(gain("SCRAM-SHA-1", &[b"n,,n=u,r=x", b"c=,r=,p=x"]), Gain::ChallengeResponse);
    assert_eq!(gain("NTLM", &[&authenticate("", "u", "")]), Gain::ChallengeResponse);
    assert_eq!(gain("GSSAPI", &[b"token"]), Gain::Nothing);
    assert_eq!(gain("EXTERNAL", &[b""]), Gain::Nothing);
    assert_eq!(gain("SECURID", &[b"\0u\x001234\0"]), Gain::OneTime);
    assert_eq!(gain("X-NEW", &[b"what"]), Gain::Unknown);
    assert_eq!(exchange(b"AUTH PLAIN !!!", &[]).gain(), Gain::Unknown);
}

#[test]
fn an_initial_response_is_read_and_an_empty_one_is_one() {
    let line = [b"AUTH PLAIN ".as_slice(), &encode(b"\0user\0secret")].concat();
    let attempt = exchange(&line, &[]);
    assert!(attempt.initial_response && attempt.reveals_secret());
    assert_eq!((attempt.username.as_deref(), attempt.secret_len), (Some(&b"user"[..]), Some(6)));
    assert!(exchange(b"AUTH EXTERNAL =", &[]).initial_response);
    assert!(exchange(b"AUTH LOGIN", &[b"*"]).cancelled);
    assert_eq!(exchange(b"AUTH PLAIN !!!", &[]).secret_len, None);
}

#[test]
fn a_message_cut_at_any_octet_is_read_as_far_as_it_goes() {
    let messages: [(&str, &[u8]); 6] = [
        ("PLAIN", b"admin\0user\0secret"),
        ("CRAM-MD5", b"user 0123456789abcdef0123456789abcdef"),
        ("DIGEST-MD5", br#"username="a\"b",realm="r",response=0123"#),
        ("OAUTHBEARER", b"n,a=u@example.org,\x01auth=Bearer token\x01\x01"),
        ("SCRAM-SHA-256", b"n,a=boss,n=user,r=x"),
        ("SECURID", b"a\0b\0c\0d"),
    ];
    for (mechanism, message) in messages {
        for cut in 0..message.len() {
            let attempt = talk(mechanism, &[(b"", &message[..cut])]);
            let longest = attempt.username.map_or(0, |name| name.len());
            assert!(longest <= cut && attempt.secret_len.unwrap_or(0) <= cut as u64, "{mechanism} {cut}");
        }
    }
}
