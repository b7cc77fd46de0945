//! What a record can hold: commands of the client, replies of the server.

/// A command that waits for its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Command {
    /// The greeting, which is the server's: nothing asked for it.
    Greeting,
    /// EHLO, HELO or LHLO.
    Hello,
    /// AUTH, with or without an initial response.
    Auth,
    /// A line of the SASL exchange.
    Answer,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA.
    Data,
    /// The end of a message sent with DATA.
    EndOfData,
    /// A chunk sent with BDAT.
    Chunk,
    /// RSET.
    Reset,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
    /// Any other command: VRFY, EXPN, HELP, a vendor's.
    Other,
}

/// A SASL mechanism and the shape of its exchange (RFC 4954 §4).
#[derive(Clone, Copy, Debug)]
pub(super) struct Mechanism {
    /// Its name.
    pub name: &'static str,
    /// Lines of the client after AUTH, besides an initial response.
    pub answers: u8,
    /// How often it is met, before anything is seen.
    pub weight: f64,
    /// Its secret is spread over the lines as this.
    pub shape: Shape,
}

/// What the lines of a mechanism hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Shape {
    /// PLAIN: both in one line (RFC 4616).
    Both,
    /// LOGIN: the user name, then the password.
    Apart,
    /// CRAM-MD5: the user name, a space, 32 hexadecimal digits (RFC 2195).
    Digest,
    /// A token of any length.
    Token,
    /// Something else.
    Opaque,
}

/// The mechanisms that are told apart.
pub(super) const MECHANISMS: [Mechanism; 9] = [
    Mechanism { name: "PLAIN", answers: 1, weight: 0.40, shape: Shape::Both },
    Mechanism { name: "LOGIN", answers: 2, weight: 0.30, shape: Shape::Apart },
    Mechanism { name: "CRAM-MD5", answers: 1, weight: 0.10, shape: Shape::Digest },
    Mechanism { name: "XOAUTH2", answers: 1, weight: 0.08, shape: Shape::Token },
    Mechanism { name: "OAUTHBEARER", answers: 1, weight: 0.02, shape: Shape::Token },
    Mechanism { name: "SCRAM-SHA-256", answers: 2, weight: 0.03, shape: Shape::Opaque },
    Mechanism { name: "SCRAM-SHA-1", answers: 2, weight: 0.02, shape: Shape::Opaque },
    Mechanism { name: "DIGEST-MD5", answers: 2, weight: 0.02, shape: Shape::Opaque },
    Mechanism { name: "NTLM", answers: 2, weight: 0.02, shape: Shape::Opaque },
];

/// A line or more of the client, as one record holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Said {
    /// EHLO, HELO or LHLO.
    Hello,
    /// AUTH with the mechanism at this place in [`MECHANISMS`].
    Auth(u8, bool),
    /// A line of the exchange.
    Answer,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA.
    Data,
    /// Text of a message.
    Body,
    /// The end of a message, and QUIT behind it.
    BodyQuit,
    /// BDAT, or octets of its chunk.
    Chunk,
    /// The end of a chunk, and QUIT behind it.
    ChunkQuit,
    /// RSET.
    Reset,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
    /// Another command.
    Other,
    /// Several commands: MAIL if so, as many RCPT, and what ends them.
    Group {
        /// MAIL stands first.
        mail: bool,
        /// How many RCPT.
        recipients: u16,
        /// What stands last.
        tail: Tail,
    },
}

/// What a group of commands ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Tail {
    /// The last RCPT.
    Nothing,
    /// DATA.
    Data,
    /// BDAT with its chunk.
    Chunk,
    /// BDAT with its chunk, and QUIT.
    ChunkQuit,
}

/// What a reply says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Reply {
    /// 220.
    Banner,
    /// 250 to EHLO.
    Hello,
    /// 334 that asks for the user name of LOGIN.
    PromptUser,
    /// 334 that asks for its password.
    PromptPassword,
    /// 334 with nothing in it.
    PromptEmpty,
    /// 334 with a challenge.
    Challenge,
    /// 235.
    Auth,
    /// 5xx or 4xx to AUTH.
    AuthNo,
    /// 250 to MAIL.
    Mail,
    /// 4xx or 5xx to it.
    MailNo,
    /// 250 to RCPT.
    Rcpt,
    /// 4xx or 5xx to it.
    RcptNo,
    /// 354.
    Data,
    /// 4xx or 5xx to DATA.
    DataNo,
    /// 250 to the end of a message.
    Queued,
    /// 4xx or 5xx to it.
    QueuedNo,
    /// 250 to the last chunk.
    Chunk,
    /// 4xx or 5xx to a chunk.
    ChunkNo,
    /// 250 to RSET.
    Reset,
    /// 250 to NOOP.
    Noop,
    /// 221.
    Bye,
    /// Any reply to another command.
    Other,
}

/// How many kinds of [`Reply`] there are.
pub(super) const REPLIES: usize = Reply::Other as usize + 1;

/// What a record of the server holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Replied {
    /// One reply.
    One(Reply),
    /// Several: to so many commands that waited, this many RCPT refused, and what the last says.
    Many {
        /// How many commands they answer.
        commands: u16,
        /// How many RCPT among them were refused.
        refused: u16,
        /// The reply to the last of them, unless that is a RCPT.
        last: Option<Reply>,
    },
    /// More of the reply before it.
    More,
    /// Nothing that was asked for: a session ticket, or words of the server's own.
    Unasked,
}
