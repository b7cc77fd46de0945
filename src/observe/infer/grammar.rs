//! The words of the hidden dialogue, and the states that it passes through (RFC 5321 §4.1, RFC 4954, RFC 2920, RFC 3030).

/// A command that has been said and awaits its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Command {
    /// Not a command: the connection itself, which the server greets.
    Connect,
    Ehlo,
    Helo,
    /// A line of a login: the mechanism, and how many lines the client has said.
    Auth(Mechanism, u8),
    /// `*`, which gives a login up (RFC 4954 §4): some clients say it even after a refusal.
    Cancel,
    Mail,
    Rcpt,
    Data,
    /// The message with its final dot.
    Body,
    Bdat,
    Rset,
    Noop,
    /// VRFY, EXPN, HELP: a question.
    Ask,
    Quit,
}

/// Mechanisms of AUTH, with an initial response or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Mechanism {
    Login,
    LoginInitial,
    Plain,
    PlainInitial,
    CramMd5,
    DigestMd5,
    Xoauth2,
    Xoauth2Initial,
    ScramSha1,
    ScramSha256,
    Ntlm,
}

impl Mechanism {
    pub(super) fn name(self) -> &'static str {
        match self {
            Mechanism::Login | Mechanism::LoginInitial => "LOGIN",
            Mechanism::Plain | Mechanism::PlainInitial => "PLAIN",
            Mechanism::CramMd5 => "CRAM-MD5",
            Mechanism::DigestMd5 => "DIGEST-MD5",
            Mechanism::Xoauth2 | Mechanism::Xoauth2Initial => "XOAUTH2",
            Mechanism::ScramSha1 => "SCRAM-SHA-1",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::Ntlm => "NTLM",
        }
    }

    /// Lines of the client, the command among them, until the server decides.
    pub(super) fn lines(self) -> u8 {
        match self {
            Mechanism::PlainInitial | Mechanism::Xoauth2Initial => 1,
            Mechanism::Plain | Mechanism::LoginInitial | Mechanism::CramMd5 | Mechanism::Xoauth2 => 2,
            Mechanism::Login | Mechanism::DigestMd5 | Mechanism::ScramSha1 | Mechanism::ScramSha256 => 3,
            Mechanism::Ntlm => 3,
        }
    }
}

/// Names of mechanisms, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Mechanisms(u16);

impl Mechanisms {
    /// Those of some names, in any case; others are left out.
    pub(super) fn of(names: &[&[u8]]) -> Mechanisms {
        let named = |name: &str| names.iter().any(|other| other.eq_ignore_ascii_case(name.as_bytes()));
        let bits = MECHANISMS.iter().enumerate().filter(|(_, m)| named(m.name())).map(|(bit, _)| 1 << bit);
        Mechanisms(bits.sum())
    }

    /// Those of either.
    pub(super) fn with(self, other: Mechanisms) -> Mechanisms {
        Mechanisms(self.0 | other.0)
    }

    pub(super) fn has(self, mechanism: Mechanism) -> bool {
        MECHANISMS.iter().enumerate().any(|(bit, m)| m.name() == mechanism.name() && self.0 & (1 << bit) != 0)
    }
}

/// One of each name.
const MECHANISMS: [Mechanism; 8] = [
    Mechanism::Login,
    Mechanism::Plain,
    Mechanism::CramMd5,
    Mechanism::DigestMd5,
    Mechanism::Xoauth2,
    Mechanism::ScramSha1,
    Mechanism::ScramSha256,
    Mechanism::Ntlm,
];

/// Where the dialogue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// Before EHLO.
    Start,
    /// Between transactions.
    Between,
    /// The client owes a line of a login.
    Auth(Mechanism, u8),
    /// After MAIL.
    Transaction,
    /// After 354.
    Body,
    /// In the octets of a chunk.
    Chunk,
    /// After QUIT.
    Over,
}

/// What a record was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Taken {
    /// One command.
    Command(Command),
    /// Several commands in one record.
    Group(Group),
    /// A part of a message.
    Text,
    /// Replies: to how many commands, and how many of its recipients were refused.
    Replies {
        commands: u16,
        refused: u16,
        recipients: u16,
        first: Command,
        outcome: Outcome,
        /// Percent: how sure the outcome is where both fit.
        surety: u8,
    },
    /// More of the reply before.
    More,
    /// A reply that nothing asked for.
    Unasked,
}

/// Commands that share a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Group {
    pub(super) mail: bool,
    pub(super) recipients: u16,
    pub(super) end: End,
    pub(super) quit: bool,
}

/// What follows the recipients of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum End {
    Nothing,
    Data,
    Bdat,
}

/// What the last of some replies says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Outcome {
    Yes,
    No,
    /// 334: go on.
    Continue,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mechanisms_are_known_by_the_words_of_an_auth_line() {
        let offered = Mechanisms::of(&[b"plain", b"CRAM-MD5", b"SCRAM-SHA-256-PLUS", b"GSSAPI"]);
        let all = |names: &[Mechanism]| names.iter().map(|m| offered.has(*m)).collect::<Vec<_>>();
        assert_eq!(all(&[Mechanism::Plain, Mechanism::PlainInitial, Mechanism::CramMd5]), [true; 3]);
        assert_eq!(all(&[Mechanism::Login, Mechanism::LoginInitial, Mechanism::ScramSha256]), [false; 3]);
        assert_eq!(Mechanisms::of(&[]), Mechanisms::default());
        let both = offered.with(Mechanisms::of(&[b"LOGIN"]));
        assert!(both.has(Mechanism::LoginInitial) && both.has(Mechanism::Plain));
    }
}
