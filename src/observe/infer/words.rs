//! Readings in words.

use super::lengths::base64_octets;
use super::templates::Server;
use super::token::{MECHANISMS, Replied, Reply, Said, Shape, Tail};
use super::{Octets, search::Token};

/// What a record says, in the words of the protocol, its unknown parts as their length.
pub(super) fn reading(token: Token, length: Octets, server: Option<&Server>) -> String {
    match token {
        Token::Said(said) => client(said, length),
        Token::Replied(Replied::One(reply)) => one(reply, length, server),
        Token::Replied(Replied::Many { commands, refused, last }) => {
            let mut words = format!("{commands} replies");
            if refused > 0 {
                words.push_str(&format!(", {refused} recipient{} refused", if refused == 1 { "" } else { "s" }));
            }
            if let Some(last) = last {
                words.push_str(&format!("; the last: {}", meaning(last)));
            }
            words
        }
        Token::Replied(Replied::More) => "more of that reply".to_owned(),
        Token::Replied(Replied::Unasked) => String::new(),
    }
}

fn client(said: Said, length: Octets) -> String {
    let octets =
        |n: Octets| if n.min == n.max { format!("{} octets", n.min) } else { format!("{}-{} octets", n.min, n.max) };
    match said {
        Said::Hello => format!("EHLO <{}>", octets(length.less(7))),
        Said::Auth(place, initial) => {
            let mechanism = &MECHANISMS[usize::from(place)];
            let name = mechanism.name;
            let inside = initial.then(|| base64_octets(length, 8 + name.len() as u64)).flatten();
            match (mechanism.shape, inside) {
                (Shape::Both, Some(n)) => format!("AUTH {name}, {} of user name and password", octets(n.less(2))),
                (Shape::Apart, Some(n)) => format!("AUTH {name}, user name of {}", octets(n)),
                (_, Some(n)) => format!("AUTH {name}, {} of initial response", octets(n)),
                (_, None) => format!("AUTH {name}"),
            }
        }
        Said::Answer => base64_octets(length, 2)
            .map_or("gives up the login".to_owned(), |n| format!("{} of answer to it", octets(n))),
        Said::Mail => format!("MAIL FROM:<…>, {} of address and parameters", octets(length.less(14))),
        Said::Rcpt => format!("RCPT TO:<{}>", octets(length.less(12))),
        Said::Data => "DATA".to_owned(),
        Said::Body => format!("message, {}", octets(length)),
        Said::BodyQuit => "the end of the message, and QUIT".to_owned(),
        Said::Chunk => format!("BDAT and its chunk, {}", octets(length)),
        Said::ChunkQuit => "the end of the chunk, and QUIT".to_owned(),
        Said::Reset => "RSET".to_owned(),
        Said::Noop => "NOOP".to_owned(),
        Said::Quit => "QUIT".to_owned(),
        Said::Other => "another command".to_owned(),
        Said::Group { mail, recipients, tail } => {
            let mut words = if mail { "MAIL, ".to_owned() } else { String::new() };
            words.push_str(&format!("{recipients} RCPT"));
            words.push_str(match tail {
                Tail::Nothing => "",
                Tail::Data => ", DATA",
                Tail::Chunk => ", BDAT with the message",
                Tail::ChunkQuit => ", BDAT with the message, QUIT",
            });
            words
        }
    }
}

/// The reply's text, where a server that is known says something of this length; else its meaning.
fn one(reply: Reply, length: Octets, server: Option<&Server>) -> String {
    server
        .into_iter()
        .flat_map(|server| server.replies(reply))
        .find(|pattern| {
            let can = pattern.length(Octets { min: 3, max: 64 });
            can.min <= length.max && length.min <= can.max
        })
        .map_or_else(|| meaning(reply).to_owned(), |pattern| pattern.text.replace('|', " · "))
}

/// What a reply means.
fn meaning(reply: Reply) -> &'static str {
    match reply {
        Reply::Banner => "220: the greeting",
        Reply::Hello => "250: what the server offers",
        Reply::PromptUser => "334: asks for the user name",
        Reply::PromptPassword => "334: asks for the password",
        Reply::PromptEmpty => "334: go on",
        Reply::Challenge => "334: a challenge",
        Reply::Auth => "235: login accepted",
        Reply::AuthNo => "login refused",
        Reply::Mail => "250: sender accepted",
        Reply::MailNo => "sender refused",
        Reply::Rcpt => "250: recipient accepted",
        Reply::RcptNo => "recipient refused",
        Reply::Data => "354: send the message",
        Reply::DataNo => "message not wanted",
        Reply::Queued => "250: message accepted",
        Reply::QueuedNo => "message refused",
        Reply::Chunk => "250: message accepted",
        Reply::ChunkNo => "chunk refused",
        Reply::Reset => "250: reset",
        Reply::Noop => "250: noted",
        Reply::Bye => "221: goodbye",
        Reply::Other => "a reply",
    }
}
