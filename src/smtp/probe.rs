//! Tells SMTP from other protocols by what the two sides say first, never by port.

use super::line::split_end;
use super::reply::{LineKind, line_kind};
use super::{Command, LineEnd, Verb};

/// Which of two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The one given first.
    First,
    /// The one given second.
    Second,
}

/// What the first octets of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// SMTP or LMTP: `client` is the side that gives the commands.
    Certain {
        /// Who gives the commands.
        client: Side,
    },
    /// So far it fits, and other protocols fit too; more may decide. At the end of the stream,
    /// good enough.
    Likely {
        /// Who would give the commands.
        client: Side,
    },
    /// Too little to say.
    NeedMore,
    /// Not SMTP.
    Not,
}

/// Judges the first octets of both sides of a connection, from a line's beginning; either may be
/// empty. `first` is by custom the side that opened the connection, and so expected to be the
/// client, but the content decides.
#[must_use]
pub fn probe(first: &[u8], second: &[u8]) -> Probe {
    let (a, b) = (look(first), look(second));
    match (a, b) {
        (Look::NotMail, _) | (_, Look::NotMail) => Probe::Not,
        // The server says that it is one of mail, whatever the client sends to it.
        (Look::Noise, Look::Server) => Probe::Likely { client: Side::First },
        (Look::Server, Look::Noise) => Probe::Likely { client: Side::Second },
        (Look::Noise, _) | (_, Look::Noise) => Probe::Not,
        (Look::Client, Look::Client) | (Look::Server, Look::Server) => Probe::Not,
        (Look::Client, _) => Probe::Certain { client: Side::First },
        (_, Look::Client) => Probe::Certain { client: Side::Second },
        (Look::Server, _) => Probe::Certain { client: Side::Second },
        (_, Look::Server) => Probe::Certain { client: Side::First },
        (Look::MaybeClient, Look::MaybeClient) => Probe::Not,
        (Look::MaybeServer, Look::MaybeServer) => Probe::Not,
        (Look::MaybeClient, Look::MaybeServer) => Probe::Certain { client: Side::First },
        (Look::MaybeServer, Look::MaybeClient) => Probe::Certain { client: Side::Second },
        (Look::MaybeClient, _) => Probe::Likely { client: Side::First },
        (_, Look::MaybeClient) => Probe::Likely { client: Side::Second },
        (Look::MaybeServer, _) => Probe::Likely { client: Side::Second },
        (_, Look::MaybeServer) => Probe::Likely { client: Side::First },
        (Look::Little | Look::Text, Look::Little | Look::Text) => Probe::NeedMore,
    }
}

/// What one side alone looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Another protocol.
    NotMail,
    /// No text.
    Noise,
    /// A client of SMTP.
    Client,
    /// A server of SMTP.
    Server,
    /// A command that other protocols have too.
    MaybeClient,
    /// A reply that other protocols have too.
    MaybeServer,
    /// Not a line yet.
    Little,
    /// Lines that say nothing, as in the middle of a message.
    Text,
}

fn look(bytes: &[u8]) -> Look {
    let mut found = if bytes.is_empty() { Look::Little } else { Look::Text };
    let mut lines = bytes.split_inclusive(|&b| b == b'\n').take(LINES);
    for (nth, line) in lines.by_ref().enumerate() {
        let whole = line.ends_with(b"\n");
        let text = split_end(line).0;
        match look_at_line(text, whole) {
            Look::Text if nth == 0 && !is_text(text) => return Look::Noise,
            Look::Text => {}
            Look::Little if nth == 0 => found = Look::Little,
            Look::Little => {}
            maybe @ (Look::MaybeClient | Look::MaybeServer) => {
                if found == maybe && maybe == Look::MaybeClient {
                    return maybe;
                }
                found = maybe;
            }
            decided => return decided,
        }
    }
    found
}

fn look_at_line(text: &[u8], whole: bool) -> Look {
    if OTHERS.iter().any(|other| text.starts_with(other)) {
        return Look::NotMail;
    }
    if let LineKind::Last(code) | LineKind::More(code) = line_kind(&text[..text.len().min(16)]) {
        return look_at_reply(code, text, whole);
    }
    if text.starts_with(b"PROXY ") {
        return Look::Text;
    }
    let Some(command) = Command::parse(0, text, LineEnd::Crlf) else {
        return if whole || !is_text(text) || text.len() > 64 { Look::Text } else { Look::Little };
    };
    if !whole {
        return if text.len() < 512 { Look::Little } else { Look::Text };
    }
    match command.verb {
        _ if !command.is_plausible() => match NOT_MAIL.contains(&command.verb) {
            true => Look::NotMail,
            false => Look::Text,
        },
        Verb::EHLO
        | Verb::HELO
        | Verb::LHLO
        | Verb::MAIL
        | Verb::RCPT
        | Verb::BDAT
        | Verb::XCLIENT
        | Verb::XFORWARD => Look::Client,
        _ => Look::MaybeClient,
    }
}

fn look_at_reply(code: u16, text: &[u8], whole: bool) -> Look {
    let says = |words: &[&[u8]]| {
        let upper = text.to_ascii_uppercase();
        words.iter().any(|word| memchr::memmem::find(&upper, word).is_some())
    };
    match code {
        // Greetings of FTP (RFC 959) look alike; only words tell. 200 and 201 are NNTP's.
        220 | 421 | 554 if says(&[b"SMTP", b"LMTP", b"POSTFIX", b"EXIM", b"SENDMAIL"]) => Look::Server,
        _ if !whole => Look::Little,
        220 if says(&[b"FTP"]) => Look::NotMail,
        250 if says(&[b"PIPELINING", b"8BITMIME", b"250-SIZE", b"ENHANCEDSTATUSCODES", b"STARTTLS"]) => Look::Server,
        354 => Look::Server,
        200..=599 if super::EnhancedStatus::parse(text.get(4..).unwrap_or_default()).is_some() => Look::Server,
        220 | 221 | 235 | 250 | 334 | 421 | 450..=455 | 500..=504 | 521 | 530 | 535 | 550..=556 => Look::MaybeServer,
        200 | 201 => Look::NotMail,
        _ => Look::Text,
    }
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|&b| b >= 0x20 || matches!(b, b'\t' | b'\r' | b'\n'))
}

/// Lines looked at: an EHLO reply, or a group of pipelined commands.
const LINES: usize = 16;

/// How other protocols begin: their names, POP3's `+OK`, IMAP's `* OK`, HTTP's methods.
const OTHERS: [&[u8]; 14] = [
    b"SSH-",
    b"+OK",
    b"-ERR",
    b"* OK",
    b"* PREAUTH",
    b"* BYE",
    b"HTTP/",
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"OPTIONS ",
    b"CONNECT ",
    b"RFB ",
];

/// Commands of FTP, POP3, NNTP and IRC that begin a session there.
const NOT_MAIL: [Verb; 10] = [
    Verb::new(b"USER"),
    Verb::new(b"PASS"),
    Verb::new(b"APOP"),
    Verb::new(b"CAPA"),
    Verb::new(b"NICK"),
    Verb::new(b"MODE"),
    Verb::new(b"FEAT"),
    Verb::new(b"SYST"),
    Verb::new(b"PORT"),
    Verb::new(b"PASV"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Probe = Probe::Certain { client: Side::First };
    const SECOND: Probe = Probe::Certain { client: Side::Second };

    #[test]
    fn smtp_is_known_by_either_side_or_both() {
        assert_eq!(probe(b"EHLO c.example.org\r\n", b"220 mx.example.org ESMTP\r\n"), FIRST);
        assert_eq!(probe(b"", b"220 mx.example.org ESMTP Postfix\r\n"), FIRST);
        assert_eq!(probe(b"220 mx.example.org ESMTP Exim\r\n", b""), SECOND);
        assert_eq!(probe(b"HELO me\n", b""), FIRST);
        assert_eq!(probe(b"", b"lhlo me\r\n"), SECOND);
        assert_eq!(probe(b"MAIL FROM:<a@example.org>\r\n", b""), FIRST);
        assert_eq!(probe(b"", b"250-mx.example.org\r\n250-PIPELINING\r\n"), FIRST);
        assert_eq!(probe(b"", b"250 2.1.0 Ok\r\n"), FIRST);
        assert_eq!(probe(b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 25\r\nEHLO me\r\n", b""), FIRST);
        assert_eq!(probe(b"QUIT\r\n", b"221 bye\r\n"), FIRST);
        assert_eq!(probe(b"and some text\r\n.\r\nMAIL FROM:<>\r\n", b""), FIRST);
    }

    #[test]
    fn what_fits_others_too_is_only_likely() {
        assert_eq!(probe(b"", b"220 welcome\r\n"), Probe::Likely { client: Side::First });
        assert_eq!(probe(b"QUIT\r\n", b""), Probe::Likely { client: Side::First });
        assert_eq!(probe(b"", b"RSET\r\n"), Probe::Likely { client: Side::Second });
    }

    #[test]
    fn a_server_that_says_so_is_one_of_mail_whatever_the_client_sends() {
        let greeting = b"220 mx.example.org ESMTP Postfix\r\n";
        assert_eq!(probe(b"\0\x01\xe4Y\r\n", greeting), Probe::Likely { client: Side::First });
        assert_eq!(probe(greeting, b"\0\0\0\x2a"), Probe::Likely { client: Side::Second });
        assert_eq!(probe(b"\0\x01\xe4Y\r\n", b"220 ready\r\n"), Probe::Not);
    }

    #[test]
    fn other_protocols_are_not_mail() {
        let cases: [(&[u8], &[u8]); 12] = [
            (b"USER u\r\n", b"+OK ready\r\n"),
            (b"", b"+OK POP3 ready\r\n"),
            (b"a1 LOGIN u p\r\n", b"* OK IMAP4rev1\r\n"),
            (b"USER u\r\n", b"220 welcome\r\n"),
            (b"", b"220 ProFTPD Server\r\n"),
            (b"GET / HTTP/1.1\r\n", b""),
            (b"", b"HTTP/1.1 200 OK\r\n"),
            (b"SSH-2.0-x\r\n", b"SSH-2.0-y\r\n"),
            (b"\x16\x03\x01\x02\x00\x01", b""),
            (b"", b"200 news ready\r\n"),
            (b"EHLO a\r\n", b"EHLO b\r\n"),
            (b"\0\0\0\x2a", b""),
        ];
        for (first, second) in cases {
            assert_eq!(probe(first, second), Probe::Not, "{first:?} {second:?}");
        }
    }

    #[test]
    fn a_beginning_that_is_cut_needs_more_and_is_never_refused() {
        for (client, server) in [(&b"EHLO c.example.org\r\n"[..], &b"220 mx.example.org ESMTP\r\n"[..])] {
            for cut in 0..client.len() {
                assert_eq!(probe(&client[..cut], b""), Probe::NeedMore, "{cut}");
            }
            for cut in 0..server.len() {
                assert!(matches!(probe(b"", &server[..cut]), Probe::NeedMore | FIRST), "{cut}");
            }
        }
        assert_eq!(probe(b"in the middle of a text\r\n", b""), Probe::NeedMore);
    }
}
