//! What a dialogue tells as its octets go by.

use super::{Anomaly, Command, LenientReading, LineEnd, ProxyHeader, Reply, Transaction, Verb};
use crate::stream::Span;

/// One thing that happened, and where its octets stand.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// The octets that show it, line ends included.
    pub span: Span,
    /// What it is.
    pub kind: EventKind<'a>,
}

/// What an [`Event`] can be. Slices borrow from the octets given or from the dialogue's buffers.
#[derive(Clone, Copy, Debug)]
pub enum EventKind<'a> {
    /// A command line of the client.
    Command(Command<'a>),
    /// A client line inside a SASL exchange (RFC 4954 §4). A secret: mask it.
    Auth(AuthLine<'a>),
    /// A reply of the server, all its lines.
    Reply(Reply<'a>),
    /// A header of the PROXY protocol, version 2. (Version 1 is a command line.)
    Proxy(&'a ProxyHeader),
    /// Octets of the client that are neither lines nor a message: what follows XEXCH50.
    Binary(Verb),
    /// The client begins to send a message. The span is empty and stands where it begins.
    MessageStart {
        /// [`Transaction::index`] of the transaction that it belongs to.
        transaction: u64,
        /// How it is sent.
        transfer: Transfer,
        /// Whether LF alone ends its lines too, as it ended the client's commands.
        tolerant: bool,
    },
    /// Octets of the message as sent (dot-stuffed with DATA), in pieces, without the final dot
    /// line; of BDAT the octets of the chunks.
    MessageData {
        /// The octets.
        octets: &'a [u8],
        /// Where they are lines as [`crate::imf::EvenLines`] takes them: how many characters these have.
        even: Option<u64>,
    },
    /// The message is over. The span is the whole message, the dot line included; with BDAT from
    /// the first chunk's first octet to the last chunk's last.
    MessageEnd(MessageEnd),
    /// Right after [`EventKind::MessageEnd`]: commands stand in the message, which a lenient server obeys. The span
    /// is the look-alike of the end of data before them.
    Lenient(&'a LenientReading),
    /// The server has agreed to STARTTLS: what follows in both directions is not the dialogue's.
    /// The span is the 220 reply; where only the client was captured, the STARTTLS command.
    StartTls,
    /// A mail transaction is over and its outcome known, as far as it will ever be. The span is
    /// the reply or command that ended it, or an empty one at the end of the stream.
    TransactionEnd(&'a Transaction),
    /// A line that is neither command nor reply, without its line end.
    Unparsed(&'a [u8]),
    /// Something unusual; the span is where it shows.
    Anomaly(Anomaly),
}

/// A client line inside a SASL exchange.
#[derive(Clone, Copy, Debug)]
pub struct AuthLine<'a> {
    /// The nth client line of the dialogue, from 0; commands and these share the count.
    pub index: u64,
    /// The line without its end: base64, `*` or `=`.
    pub line: &'a [u8],
    /// How the line ended.
    pub end: LineEnd,
}

/// How a message's octets are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transfer {
    /// DATA: lines up to a lone dot (RFC 5321 §4.1.1.4).
    Data,
    /// BDAT: chunks of stated length (RFC 3030 §2).
    Bdat,
}

impl Transfer {
    /// The command's name: `DATA` or `BDAT`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Transfer::Data => "DATA",
            Transfer::Bdat => "BDAT",
        }
    }
}

/// How a message's transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageEnd {
    /// [`Transaction::index`] of the transaction that it belongs to.
    pub transaction: u64,
    /// How it was sent.
    pub transfer: Transfer,
    /// Octets after the 354 up to the dot line, as sent, missing ones included; or the sum of the
    /// chunks.
    pub size: u64,
    /// Whether its end was seen and nothing of it is missing.
    pub complete: bool,
    /// Octets of it that the capture lacks.
    pub missing: u64,
}
