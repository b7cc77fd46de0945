//! Fuzz bodies, one for each part of the decoder: whatever the octets are, nothing panics, and what
//! must hold holds.

use super::command::parameters;
use super::proxy::ClientClaim;
use super::{Command, Dialogue, EnhancedStatus, Event, EventKind, LineEnd, ProxyHeader, Retry, mask};
use crate::stream::{Direction, Span};

const CLIENT: Direction = Direction::FromOriginator;

/// Where each line, reply and message stands, and what it is.
type Places = Vec<(&'static str, u64, u64)>;

fn place(event: &Event<'_>, places: &mut Places) {
    let kind = match event.kind {
        EventKind::Command(_) => "command",
        EventKind::Auth(_) => "auth",
        EventKind::Reply(_) => "reply",
        EventKind::Unparsed(_) => "unparsed",
        EventKind::Proxy(_) => "proxy",
        EventKind::Binary(_) => "binary",
        EventKind::MessageStart { .. } => "start",
        EventKind::MessageEnd(_) => "end",
        EventKind::MessageData { .. }
        | EventKind::StartTls
        | EventKind::TransactionEnd(_)
        | EventKind::Lenient(_)
        | EventKind::Anomaly(_) => {
            return;
        }
    };
    places.push((kind, event.span.start, event.span.end));
}

/// Reads one direction alone, in pieces of `size`; stops where TLS takes over.
fn read(direction: Direction, data: &[u8], size: usize) -> Places {
    let (mut dialogue, mut places, mut at) = (Dialogue::new(CLIENT), Places::new(), 0);
    for piece in data.chunks(size.max(1)) {
        let taken = dialogue.data(direction, at, piece, &mut |event| place(&event, &mut places));
        at += taken as u64;
        if taken < piece.len() {
            break;
        }
    }
    dialogue.finish(direction, &mut |event| place(&event, &mut places));
    places
}

/// Fuzz body: any octets as a client's lines. However they are cut, the lines stand at the same
/// places.
pub fn fuzz_lines(data: &[u8]) {
    let whole = read(CLIENT, data, data.len());
    assert_eq!(read(CLIENT, data, 1), whole);
    assert_eq!(read(CLIENT, data, 7), whole);
    assert!(whole.iter().all(|(_, start, end)| start <= end && *end <= data.len() as u64));
}

/// Fuzz body: any octets as a server's replies. However they are cut, the replies stand at the same
/// places.
pub fn fuzz_replies(data: &[u8]) {
    let whole = read(CLIENT.reversed(), data, data.len());
    assert_eq!(read(CLIENT.reversed(), data, 1), whole);
    assert_eq!(read(CLIENT.reversed(), data, 7), whole);
    if let Some(status) = EnhancedStatus::parse(data) {
        assert_eq!(EnhancedStatus::parse(status.to_string().as_bytes()), Some(status));
        let _ = (status.meaning(), Retry::of(Some(u16::from(status.class) * 100), Some(status)));
    }
}

/// Fuzz body: any octets as one line: a command with its path and parameters, what a proxy says of
/// its client, and the same line with its secrets masked.
pub fn fuzz_command(data: &[u8]) {
    let span = Span::new(CLIENT, 0, data.len() as u64);
    let _ = (ProxyHeader::parse(data, span), ProxyHeader::parse_line(data, span));
    for parameter in parameters(data) {
        let meaning = parameter.meaning();
        let _ = (meaning.in_words(), parameter.extension());
    }
    let Some(command) = Command::parse(0, data, LineEnd::Crlf) else { return };
    let _ = command.is_plausible();
    if let Some(path) = command.path() {
        assert!(path.mailbox().len() <= path.address.len() && path.address.len() <= data.len());
        assert!(path.local_part().len() + path.domain().map_or(0, |d| d.len() + 1) == path.mailbox().len());
        for parameter in path.parameters() {
            let _ = parameter.meaning();
        }
    }
    let claim = ClientClaim::read(&command, span);
    assert!(claim.attributes.iter().all(|(name, _)| name.len() <= data.len()));
    let masked = mask(data, false);
    assert!(masked.len() <= data.len() + super::MASK.len());
}

/// Fuzz body: any octets as the contents of chunks whose sizes are stated rightly. The first octets
/// say how long the chunks are; whatever the contents look like, they come out as they went in.
pub fn fuzz_chunks(data: &[u8]) {
    let Some((&seed, rest)) = data.split_first() else { return };
    let count = usize::from(seed % 5);
    let Some((sizes, contents)) = rest.split_at_checked(count) else { return };
    let mut stream = b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\n".to_vec();
    let mut left = contents;
    for size in sizes {
        let (chunk, after) = left.split_at(usize::from(*size).min(left.len()));
        left = after;
        stream.extend_from_slice(format!("BDAT {}\r\n", chunk.len()).as_bytes());
        stream.extend_from_slice(chunk);
    }
    stream.extend_from_slice(format!("BDAT {} LAST\r\n", left.len()).as_bytes());
    stream.extend_from_slice(left);
    stream.extend_from_slice(b"QUIT\r\n");
    for size in [stream.len(), 1, 5] {
        let (mut dialogue, mut at, mut text, mut ended, mut quit) = (Dialogue::new(CLIENT), 0, Vec::new(), 0, 0);
        for piece in stream.chunks(size) {
            at += dialogue.data(CLIENT, at, piece, &mut |event| match event.kind {
                EventKind::MessageData { octets, .. } => text.extend_from_slice(octets),
                EventKind::MessageEnd(end) => {
                    ended += 1;
                    assert!(end.complete && end.size == contents.len() as u64);
                }
                EventKind::Command(command) => quit += u32::from(command.line == b"QUIT"),
                _ => {}
            }) as u64;
        }
        assert_eq!((&text[..], ended, quit), (contents, 1, 1));
    }
}

/// Fuzz body: any octets as the messages of a login, each a line of the client or of the server by
/// turns. The first says which mechanism it is.
pub fn fuzz_auth(data: &[u8]) {
    use base64::Engine;
    let Some((&seed, rest)) = data.split_first() else { return };
    let mechanism = MECHANISMS[usize::from(seed) % MECHANISMS.len()];
    let encode = |text: &[u8]| base64::engine::general_purpose::STANDARD.encode(text);
    let mut dialogue = Dialogue::new(CLIENT);
    let mut at = [0u64; 2];
    let mut say = |direction: Direction, line: &[u8]| {
        let next = &mut at[direction.index()];
        *next += dialogue.data(direction, *next, line, &mut |_| {}) as u64;
    };
    say(CLIENT, format!("AUTH {mechanism}\r\n").as_bytes());
    for turn in rest.split(|&b| b == b'\n') {
        let (challenge, response) = turn.split_at(memchr::memchr(b'|', turn).unwrap_or(0));
        let raw = seed & 0x80 != 0;
        say(CLIENT.reversed(), format!("334 {}\r\n", encode(challenge)).as_bytes());
        let line = if raw { response.to_vec() } else { encode(response).into_bytes() };
        say(CLIENT, &[&line, &b"\r\n"[..]].concat());
    }
    say(CLIENT.reversed(), b"235 ok\r\n");
    for direction in Direction::BOTH {
        dialogue.finish(direction, &mut |_| {});
    }
    for attempt in &dialogue.summary().auth {
        assert!(attempt.secret_len.unwrap_or(0) <= data.len() as u64);
        let _ = attempt.gain();
    }
}

const MECHANISMS: [&str; 14] = [
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "DIGEST-MD5",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1-PLUS",
    "NTLM",
    "GSSAPI",
    "GS2-KRB5",
    "XOAUTH2",
    "OAUTHBEARER",
    "OTP",
    "SECURID",
    "X-NEW",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a body over a seed, changed at random places.
    fn vary(seed: &[u8], body: fn(&[u8])) {
        body(b"");
        body(seed);
        let mut state = 88_172_645_463_325_252u64;
        for round in 0..1_000 {
            let mut data = seed.to_vec();
            for _ in 0..=round % 13 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let at = state as usize % data.len();
                match state >> 60 {
                    0..6 => data[at] = (state >> 32) as u8,
                    6..11 => data[at] = b"\r\n. -=+<>"[(state >> 32) as usize % 9],
                    11..13 => data.truncate(at.max(1)),
                    _ => data.extend_from_within(at..),
                }
                data.truncate(2_000);
            }
            body(&data);
        }
    }

    #[test]
    fn any_octets_are_lines() {
        vary(
            b"EHLO a\r\nMAIL FROM:<a@example.org> SIZE=1\r\nRCPT TO:<b>\nDATA\r\nx\r\n.\r\nBDAT 3\r\nxxxXEXCH50 3 2\r\nAUTH LOGIN\r\ndXNlcg==\r\n*\r\n",
            fuzz_lines,
        );
        vary(&[&super::super::proxy::tests::version_2()[..], b"EHLO a\r\n"].concat(), fuzz_lines);
    }

    #[test]
    fn any_octets_are_replies() {
        vary(
            b"220 a\r\n250-b\r\n250 2.1.5 c\r\n4.7.0 later\r\n550-no\r\nwrapped\r\n550 no\n700 x\r\n25\r\n",
            fuzz_replies,
        );
    }

    #[test]
    fn any_octets_are_a_command() {
        vary(b"RCPT TO:<@a,@b:\"x y\"@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb BY=1;R", fuzz_command);
        vary(b"XCLIENT NAME=a+3Db ADDR=[UNAVAILABLE] LOGIN=", fuzz_command);
        vary(b"AUTH PLAIN AHVzZXIAc2VjcmV0", fuzz_command);
        vary(b"PROXY TCP4 198.51.100.7 192.0.2.25 54321 25", fuzz_command);
        vary(&super::super::proxy::tests::version_2(), fuzz_command);
    }

    #[test]
    fn any_octets_are_chunks() {
        vary(b"\x03\x05\x00\x09QUIT\r\n.\r\nBDAT 5 LAST\r\n\0\xff", fuzz_chunks);
    }

    #[test]
    fn any_octets_are_a_login() {
        for seed in 0..MECHANISMS.len() as u8 {
            vary(
                &[
                    &[seed][..],
                    b"Username:|\0user\0secret\nr=x,s=y,i=4096|n,a=b,n=user,r=x\n|username=\"a\\\"b\",response=0,p=1",
                ]
                .concat(),
                fuzz_auth,
            );
        }
        let ntlm = super::super::auth::ntlm_authenticate("EXAMPLE", "alice", "DESK");
        vary(&[&[6, b'\n'][..], &ntlm].concat(), fuzz_auth);
    }
}
