//! Why a record is taken for what it is taken for, in words.

use super::grammar::{Command, End, Mechanism, Outcome, Taken};
use super::prior::Range;
use super::search::Record;
use super::templates::{Echo, Kind, Law, Server};

/// One sentence without its full stop; `server` is whose answers they are believed to be.
pub(super) fn reason(taken: Taken, record: &Record, server: Option<&Server>) -> Option<String> {
    let octets = |less: i32| record.length.less_octets(less).to_string();
    Some(match taken {
        Taken::Command(command) => match command {
            Command::Connect | Command::Ask => return None,
            Command::Cancel => "`*` and the line end are as long, and a login was refused".to_owned(),
            Command::Ehlo | Command::Helo => {
                format!("the command, a space and the line end are 7 octets, which leaves {} for the name", octets(7))
            }
            Command::Auth(mechanism, 1) => match mechanism {
                Mechanism::PlainInitial | Mechanism::LoginInitial => {
                    format!("beside 13 octets of command and line end, {} of base64, which comes in fours", octets(13))
                }
                Mechanism::Xoauth2Initial => {
                    format!("beside 15 octets of command and line end, {} of base64, which comes in fours", octets(15))
                }
                _ => format!("`AUTH {}` and the line end are as long", mechanism.name()),
            },
            Command::Auth(..) => {
                format!(
                    "beside the line end, {} octets of base64, which comes in fours; the server asked for it",
                    octets(2)
                )
            }
            Command::Mail => {
                format!(
                    "`MAIL FROM:<>` and the line end are 14 octets, which leaves {} for address and parameters",
                    octets(14)
                )
            }
            Command::Rcpt => {
                format!(
                    "`RCPT TO:<>` and the line end are 12 octets, which leaves {} for the address, and parameters if there are any",
                    octets(12)
                )
            }
            Command::Data => "six octets, and what follows the answer is longer than a command".to_owned(),
            Command::Body => return None,
            Command::Bdat => {
                "behind the recipients, and longer than a command: a chunk comes with its command".to_owned()
            }
            Command::Rset | Command::Noop | Command::Quit => "six octets, and the place in the dialogue".to_owned(),
        },
        Taken::Group(group) => {
            let what = if group.end == End::Bdat { "the chunk" } else { "the commands" };
            format!("longer than one command; the answers that follow tell how many recipients are among {what}")
        }
        Taken::Text => "between the answer to DATA and the next answer there is only the message".to_owned(),
        Taken::Replies { commands: 1, first, outcome, .. } => one_reply(kind(first, outcome)?, record, server),
        Taken::Replies { commands, .. } => {
            let whose = server.map_or("this server", |server| server.name);
            format!("as long as {commands} answers of {whose} together")
        }
        Taken::More => "the answer to EHLO may come in several records".to_owned(),
        Taken::Unasked => return None,
    })
}

/// What speaks for a server of the table: the answers whose length is always the same with it. A clause.
pub(super) fn of_server(server: &Server, taken: &[Option<Taken>], records: &[Record]) -> Option<String> {
    let mut told: Vec<(&str, i32)> = Vec::new();
    for (taken, record) in taken.iter().zip(records) {
        let Some(Taken::Replies { commands: 1, first, outcome, .. }) = *taken else { continue };
        let Some((kind, to)) = kind(first, outcome).zip(name(first, outcome)) else { continue };
        let always =
            |law: Law| law.echo == Echo::Nothing && law.span == 0 && record.length.contains(i32::from(law.base));
        if server.laws(kind).any(always) && !told.iter().any(|(known, _)| *known == to) {
            told.push((to, record.length.max));
        }
    }
    let told: Vec<String> = told.iter().map(|(to, octets)| format!("{octets} octets to {to}")).collect();
    (!told.is_empty()).then(|| format!("its answers are as long: {}", told.join(", ")))
}

/// What an answer is to.
fn name(command: Command, outcome: Outcome) -> Option<&'static str> {
    if outcome == Outcome::No {
        return None;
    }
    Some(match command {
        Command::Auth(..) if outcome == Outcome::Yes => "the login",
        Command::Mail => "MAIL",
        Command::Rcpt => "RCPT",
        Command::Data => "DATA",
        Command::Body => "the message",
        Command::Rset => "RSET",
        Command::Quit => "QUIT",
        _ => return None,
    })
}

fn one_reply(kind: Kind, record: &Record, server: Option<&Server>) -> String {
    let follows = match kind {
        Kind::Banner => "the server speaks first, and greets".to_owned(),
        Kind::Ehlo => "it answers EHLO, and has room for capabilities".to_owned(),
        _ => "it answers the command before it".to_owned(),
    };
    let Some(server) = server else { return follows };
    let exact = u16::try_from(record.length.min).ok().filter(|_| record.length.min == record.length.max);
    if let Some(text) = exact.and_then(|octets| server.text(kind, octets)) {
        return format!("`{text}` of {} has as many octets", server.name);
    }
    let fits = |law: Law| {
        let own = Range::new(i32::from(law.base), i32::from(law.base + law.span));
        law.echo == Echo::Nothing && own.meets(record.length)
    };
    if server.laws(kind).any(fits) {
        return format!("{follows}, and has as many octets as such an answer of {}", server.name);
    }
    follows
}

/// The kind of answer that a command has.
fn kind(command: Command, outcome: Outcome) -> Option<Kind> {
    let is_no = outcome == Outcome::No;
    Some(match command {
        Command::Connect => Kind::Banner,
        Command::Ehlo => Kind::Ehlo,
        Command::Helo => Kind::Helo,
        Command::Auth(..) if is_no => Kind::LoginNo,
        Command::Auth(..) if outcome == Outcome::Yes => Kind::Login,
        Command::Auth(Mechanism::Login, 1) => Kind::User,
        Command::Auth(Mechanism::Login | Mechanism::LoginInitial, _) => Kind::Pass,
        Command::Auth(Mechanism::Plain | Mechanism::Xoauth2, _) => Kind::Empty,
        Command::Auth(..) => Kind::Challenge,
        Command::Mail => {
            if is_no {
                Kind::MailNo
            } else {
                Kind::Mail
            }
        }
        Command::Rcpt => {
            if is_no {
                Kind::RcptNo
            } else {
                Kind::Rcpt
            }
        }
        Command::Data => {
            if is_no {
                Kind::DataNo
            } else {
                Kind::Data
            }
        }
        Command::Body => {
            if is_no {
                Kind::QueuedNo
            } else {
                Kind::Queued
            }
        }
        Command::Bdat => {
            if is_no {
                Kind::BdatNo
            } else {
                Kind::Bdat
            }
        }
        Command::Rset => Kind::Rset,
        Command::Noop => Kind::Noop,
        Command::Ask | Command::Cancel => Kind::Vrfy,
        Command::Quit => Kind::Quit,
    })
}
