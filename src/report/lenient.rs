//! The two readings of a message in which commands stand.

use serde::Serialize;

use super::is_zero;
use crate::bytes::utf8;
use crate::smtp;

/// How a server that takes bare LF or CR for a line end reads a message: the field `lenient_reading`. The strict
/// reading (RFC 5321 section 4.1.1.4) is the message that has it.
#[derive(Clone, Debug, Serialize)]
pub struct LenientReading {
    /// The look-alike of the end of data: `LF . CR LF`.
    pub end_of_data: String,
    /// Where it begins in the client's stream.
    pub start: u64,
    /// One past its last octet.
    pub end: u64,
    /// Octets of the message that ends there.
    pub size: u64,
    /// Lines that read as commands.
    pub commands: u64,
    /// The mails that they send.
    pub mails: Vec<SmuggledMail>,
    /// Mails beyond those kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub mails_dropped: u64,
    /// Replies that the server gave to them: it read leniently. `None`: the dialogue has not come so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replies: Option<u64>,
}

/// A mail inside a message.
#[derive(Clone, Debug, Serialize)]
pub struct SmuggledMail {
    /// The reverse-path.
    pub mail_from: Option<String>,
    /// The forward-paths.
    pub recipients: Vec<String>,
    /// Recipients beyond those kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub recipients_dropped: u64,
    /// Octets of its message.
    pub size: Option<u64>,
}

impl LenientReading {
    pub(super) fn of(found: &smtp::LenientReading) -> LenientReading {
        let mail = |mail: &smtp::SmuggledMail| SmuggledMail {
            mail_from: mail.mail_from.as_deref().map(utf8),
            recipients: mail.recipients.iter().map(|address| utf8(address)).collect(),
            recipients_dropped: mail.recipients_not_kept,
            size: mail.size,
        };
        LenientReading {
            end_of_data: found.sequence(),
            start: found.end_of_data.start,
            end: found.end_of_data.end,
            size: found.size,
            commands: found.commands,
            mails: found.mails.iter().map(mail).collect(),
            mails_dropped: found.mails_not_kept,
            replies: Some(found.replies),
        }
    }
}
