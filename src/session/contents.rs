//! What messages in the clear contain: attachments, and what their headers say beside the usual fields.

use sha2::{Digest, Sha256};

use super::mail::{MessageReader, Piece};
use crate::imf::{self, Detail};
use crate::limits::{MESSAGE_ATTACHMENTS, MESSAGES_WITH_CONTENTS};
use crate::smtp::{self, EventKind};
use crate::stream::Direction;

/// What one message contains.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// [`smtp::Transaction::index`] of its transaction.
    pub transaction: u64,
    /// SHA-256 of the message, dot-stuffing undone; where hashes were asked for and nothing is missing.
    pub sha256: Option<[u8; 32]>,
    /// What its reader would save, in order.
    pub attachments: Vec<Attachment>,
    /// Attachments beyond those kept.
    pub attachments_not_kept: u64,
    /// `Received` fields: the hops that it had behind it.
    pub received: u64,
    /// Whether a domain signed it (DKIM, RFC 6376).
    pub dkim: bool,
    /// Whether a hop sealed what it found out about it (ARC, RFC 8617).
    pub arc: bool,
    /// What its author did to protect it, whatever the transport does.
    pub protection: Option<Protection>,
    /// Whether its header names blind recipients, whom everybody can read now.
    pub bcc: bool,
    /// Whether its author wants it delivered even where no TLS can be had (`TLS-Required: No`, RFC 8689 §5).
    pub tls_optional: bool,
}

/// Protection of a message from end to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Encrypted with S/MIME (RFC 8551).
    SmimeEncrypted,
    /// Signed with S/MIME.
    SmimeSigned,
    /// Encrypted with OpenPGP (RFC 3156).
    PgpEncrypted,
    /// Signed with OpenPGP.
    PgpSigned,
}

impl Protection {
    /// Its name in machine-readable outputs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Protection::SmimeEncrypted => "smime-encrypted",
            Protection::SmimeSigned => "smime-signed",
            Protection::PgpEncrypted => "pgp-encrypted",
            Protection::PgpSigned => "pgp-signed",
        }
    }

    /// Whether only its reader can read it; a signature hides nothing.
    #[must_use]
    pub fn is_encrypted(self) -> bool {
        matches!(self, Protection::SmimeEncrypted | Protection::PgpEncrypted)
    }

    /// What the type of the message as a whole says.
    fn of(part: &imf::Part) -> Option<Protection> {
        let kind = &part.content_type;
        let parameter = |name| kind.parameter(name).map(<[u8]>::to_ascii_lowercase).unwrap_or_default();
        let is = |value: &[u8], word: &str| memchr::memmem::find(value, word.as_bytes()).is_some();
        let protocol = parameter("protocol");
        match (kind.main.as_str(), kind.sub.trim_start_matches("x-")) {
            // Without the parameter it may be either, or merely compressed (RFC 8551 §3.2.2).
            ("application", "pkcs7-mime") if is(&parameter("smime-type"), "signed") => Some(Protection::SmimeSigned),
            ("application", "pkcs7-mime") if is(&parameter("smime-type"), "enveloped") => {
                Some(Protection::SmimeEncrypted)
            }
            ("multipart", "encrypted") if is(&protocol, "pgp") => Some(Protection::PgpEncrypted),
            ("multipart", "signed") if is(&protocol, "pgp") => Some(Protection::PgpSigned),
            ("multipart", "signed") if is(&protocol, "pkcs7") => Some(Protection::SmimeSigned),
            _ => None,
        }
    }
}

/// A file in a message.
#[derive(Clone, Debug, Default)]
pub struct Attachment {
    /// The name that the sender gave it.
    pub name: Option<Vec<u8>>,
    /// The media type that the sender states.
    pub declared: String,
    /// The media type that its first octets show; where hashes were asked for.
    pub sniffed: Option<&'static str>,
    /// Its octets, decoded.
    pub size: u64,
    /// SHA-256 of those; where hashes were asked for and nothing is missing.
    pub sha256: Option<[u8; 32]>,
    /// Octets that the capture lacks, as sent.
    pub missing: u64,
}

/// Gathers what the messages of one dialogue contain.
#[derive(Debug)]
pub(super) struct ContentsReader {
    hashes: bool,
    open: Option<Box<Open>>,
    done: Vec<Contents>,
}

#[derive(Debug)]
struct Open {
    reader: MessageReader,
    hash: Option<Sha256>,
    contents: Contents,
    /// The attachment under way: attachments do not hold one another.
    attachment: Option<(u64, Attachment, Sha256, Vec<u8>)>,
}

impl ContentsReader {
    /// With `hashes`, contents are decoded and hashed; without, only counted.
    pub(super) fn new(hashes: bool) -> ContentsReader {
        ContentsReader { hashes, open: None, done: Vec::new() }
    }

    /// What was found, message by message.
    pub(super) fn into_contents(self) -> Vec<Contents> {
        self.done
    }

    /// Takes the next event of the dialogue; tells what is unusual in the message.
    pub(super) fn event(&mut self, client: Direction, event: &smtp::Event<'_>, odd: &mut dyn FnMut(imf::Anomaly)) {
        if let EventKind::MessageStart { transaction, transfer, tolerant } = event.kind {
            let detail = if self.hashes { Detail::Content } else { Detail::Structure };
            let reader = MessageReader::new(client, transfer, tolerant, detail);
            let contents = Contents { transaction, ..Contents::default() };
            let hash = self.hashes.then(Sha256::new);
            let is_kept = self.done.len() < MESSAGES_WITH_CONTENTS;
            self.open = is_kept.then(|| Box::new(Open { reader, hash, contents, attachment: None }));
            return;
        }
        let Some(open) = &mut self.open else { return };
        open.event(event, odd);
        if let EventKind::MessageEnd(end) = event.kind
            && let Some(open) = self.open.take()
        {
            let mut contents = open.contents;
            contents.sha256 = open.hash.filter(|_| end.complete).map(|hash| hash.finalize().into());
            self.done.push(contents);
        }
    }
}

impl Open {
    fn event(&mut self, event: &smtp::Event<'_>, odd: &mut dyn FnMut(imf::Anomaly)) {
        let Open { reader, hash, contents, attachment } = self;
        reader.event(event, &mut |piece| match piece {
            Piece::Text(text) => {
                if let Some(hash) = hash {
                    hash.update(text);
                }
            }
            Piece::Gap(_) => {}
            Piece::Part(imf::Event::Field { part, field }) if part.number == 0 => {
                let had_bcc = contents.bcc;
                contents.field(field);
                if contents.bcc && !had_bcc {
                    odd(imf::Anomaly::BlindRecipients);
                }
            }
            Piece::Part(imf::Event::PartStart(part)) => {
                if part.number == 0 {
                    contents.protection = Protection::of(part);
                }
                if part.is_file() {
                    let begun = Attachment {
                        name: part.file_name.clone(),
                        declared: part.content_type.name(),
                        ..Attachment::default()
                    };
                    *attachment = Some((part.number, begun, Sha256::new(), Vec::new()));
                }
            }
            Piece::Part(imf::Event::Content { part, octets }) => {
                if let Some((number, _, file, beginning)) = attachment
                    && hash.is_some()
                    && *number == part.number
                {
                    file.update(octets);
                    let room = SNIFFED_OCTETS.saturating_sub(beginning.len());
                    beginning.extend_from_slice(&octets[..octets.len().min(room)]);
                }
            }
            Piece::Part(imf::Event::PartEnd(part)) => {
                let Some((_, mut file, sum, beginning)) = attachment.take_if(|(number, ..)| *number == part.number)
                else {
                    return;
                };
                (file.size, file.missing) = (part.octets, part.missing);
                if hash.is_some() {
                    file.sniffed = imf::sniff(&beginning);
                    file.sha256 = part.complete.then(|| sum.finalize().into());
                }
                if contents.attachments.len() < MESSAGE_ATTACHMENTS {
                    contents.attachments.push(file);
                } else {
                    contents.attachments_not_kept += 1;
                }
            }
            Piece::Part(imf::Event::Anomaly(anomaly)) => odd(anomaly),
            Piece::Part(imf::Event::Field { .. } | imf::Event::Message { .. }) => {}
        });
    }
}

impl Contents {
    fn field(&mut self, field: imf::Field<'_>) {
        let is = |name: &str| field.name.eq_ignore_ascii_case(name.as_bytes());
        self.received += u64::from(is("Received"));
        self.dkim |= is("DKIM-Signature");
        self.arc |= is("ARC-Seal");
        self.tls_optional |= is("TLS-Required") && field.value.trim_ascii().eq_ignore_ascii_case(b"No");
        self.bcc |= is("Bcc") && !field.value.trim_ascii().is_empty();
    }
}

/// What is looked at to tell what a file is.
const SNIFFED_OCTETS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Span;

    /// The contents of a message that comes by BDAT in one piece.
    fn contents(text: &str) -> Contents {
        let client = Direction::FromOriginator;
        let mut reader = ContentsReader::new(true);
        let end = text.len() as u64;
        let message =
            smtp::MessageEnd { transaction: 3, transfer: smtp::Transfer::Bdat, size: end, complete: true, missing: 0 };
        for kind in [
            EventKind::MessageStart { transaction: 3, transfer: smtp::Transfer::Bdat, tolerant: false },
            EventKind::MessageData { octets: text.as_bytes(), even: None },
            EventKind::MessageEnd(message),
        ] {
            reader.event(client, &smtp::Event { span: Span::new(client, 0, end), kind }, &mut |_| {});
        }
        reader.into_contents().pop().expect("a message was read")
    }

    #[test]
    fn what_an_author_did_to_protect_a_message_is_told_from_its_type() {
        let protection = |kind: &str| contents(&format!("Content-Type: {kind}\r\n\r\nx")).protection;
        assert_eq!(
            protection("multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b"),
            Some(Protection::PgpEncrypted)
        );
        assert_eq!(
            protection("multipart/signed; protocol=\"application/x-pkcs7-signature\"; boundary=b"),
            Some(Protection::SmimeSigned)
        );
        assert_eq!(
            protection("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"),
            Some(Protection::SmimeEncrypted)
        );
        assert_eq!(protection("application/pkcs7-mime; name=smime.p7m"), None, "it may be signed only");
        assert_eq!(protection("text/plain"), None);
    }

    #[test]
    fn fields_beside_the_usual_ones_are_noticed() {
        let found = contents(
            "Received: a\r\nReceived: b\r\nDKIM-Signature: v=1\r\nARC-Seal: i=1\r\nBcc: eve@example.com\r\n\r\nhello",
        );
        assert_eq!((found.transaction, found.received, found.dkim, found.arc, found.bcc), (3, 2, true, true, true));
        assert!(found.sha256.is_some() && found.attachments.is_empty());
        assert!(!contents("Bcc:\r\n\r\nhello").bcc, "an empty field names nobody");
    }
}
