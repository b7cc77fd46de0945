//! One part of a message's MIME tree, and what its header says of it.

use super::parameters;

/// A part of a message (RFC 2045). The message itself is part 0; the others count in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its place in the order in which parts begin.
    pub number: u64,
    /// The multipart or forwarded message that it stands in.
    pub parent: Option<u64>,
    /// How many of those it stands in.
    pub depth: u32,
    /// Its media type.
    pub content_type: ContentType,
    /// `inline`, `attachment` or another word (RFC 2183), in lower case.
    pub disposition: Option<Vec<u8>>,
    /// The name that the sender gave it, decoded. Never to be trusted as a path.
    pub file_name: Option<Vec<u8>>,
    /// How its contents are encoded.
    pub transfer_encoding: TransferEncoding,
    /// Octets of its contents as sent, without the line end before the boundary.
    pub encoded: u64,
    /// Octets of its contents, decoded. 0 for a multipart and for a forwarded message.
    pub octets: u64,
    /// Octets of it that the capture lacks.
    pub missing: u64,
    /// Whether its end was seen and nothing of it is missing; decided at its end.
    pub complete: bool,
}

impl Part {
    pub(super) fn new(number: u64, parent: Option<u64>, depth: u32) -> Part {
        Part {
            number,
            parent,
            depth,
            content_type: ContentType::default(),
            disposition: None,
            file_name: None,
            transfer_encoding: TransferEncoding::Identity,
            encoded: 0,
            octets: 0,
            missing: 0,
            complete: false,
        }
    }

    /// Whether it holds parts.
    #[must_use]
    pub fn is_multipart(&self) -> bool {
        self.content_type.main == "multipart"
    }

    /// Whether it holds a message (RFC 2046 §5.2.1).
    #[must_use]
    pub fn is_message(&self) -> bool {
        self.content_type.main == "message" && matches!(self.content_type.sub.as_str(), "rfc822" | "global")
    }

    /// Whether it holds a message whose parts can be read, because nothing encodes it (RFC 2046 §5.2.1 allows no more).
    #[must_use]
    pub fn holds_message(&self) -> bool {
        self.is_message() && self.transfer_encoding == TransferEncoding::Identity
    }

    /// Whether it is a file to its reader: declared as an attachment, or with a file name.
    #[must_use]
    pub fn is_attachment(&self) -> bool {
        !self.is_multipart() && (self.disposition.as_deref() == Some(b"attachment") || self.file_name.is_some())
    }

    /// Whether its reader would save it: an attachment, or what is no text. Multiparts and forwarded messages are none; what
    /// they hold may be.
    #[must_use]
    pub fn is_file(&self) -> bool {
        let holds_parts = self.is_multipart() || self.holds_message();
        !holds_parts && (self.is_attachment() || self.content_type.main != "text")
    }

    /// Takes what a field of its header says of its contents.
    pub(super) fn read(&mut self, name: &[u8], value: &[u8]) {
        if name.eq_ignore_ascii_case(b"Content-Type") {
            self.content_type = ContentType::of(value);
            if self.file_name.is_none() {
                self.file_name = self.content_type.parameter("name").map(<[u8]>::to_vec);
            }
        } else if name.eq_ignore_ascii_case(b"Content-Disposition") {
            let (first, parameters) = parameters::split(value);
            self.disposition = Some(first.to_ascii_lowercase());
            let named = parameters.into_iter().find(|(name, _)| name == "filename");
            if let Some((_, name)) = named {
                self.file_name = Some(name);
            }
        } else if name.eq_ignore_ascii_case(b"Content-Transfer-Encoding") {
            self.transfer_encoding = TransferEncoding::of(value);
        }
    }
}

/// A media type with its parameters (RFC 2045 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    /// `text`, `multipart`, …, in lower case.
    pub main: String,
    /// `plain`, `mixed`, …, in lower case.
    pub sub: String,
    /// Whether a field states it; otherwise it is what RFC 2045 §5.2 assumes.
    pub declared: bool,
    parameters: Vec<(String, Vec<u8>)>,
}

impl Default for ContentType {
    fn default() -> ContentType {
        ContentType { main: "text".into(), sub: "plain".into(), declared: false, parameters: Vec::new() }
    }
}

impl ContentType {
    pub(super) fn of(value: &[u8]) -> ContentType {
        let (name, parameters) = parameters::split(value);
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        match name.split_once('/') {
            Some((main, sub)) if !main.trim().is_empty() && !sub.trim().is_empty() => ContentType {
                main: main.trim().to_owned(),
                sub: sub.split_whitespace().next().unwrap_or_default().to_owned(),
                declared: true,
                parameters,
            },
            _ => ContentType { declared: true, parameters, ..ContentType::default() },
        }
    }

    /// `text/plain`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.main, self.sub)
    }

    /// A parameter's value; `name` in lower case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&[u8]> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }
}

/// How contents are encoded (RFC 2045 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferEncoding {
    /// 7bit, 8bit, binary, and what is not known: octets stand for themselves.
    Identity,
    /// Base64.
    Base64,
    /// Quoted-printable.
    QuotedPrintable,
    /// Uuencode, by one of its names (`x-uuencode`, `x-uue`, `uuencode`).
    Uuencode,
}

impl TransferEncoding {
    fn of(value: &[u8]) -> TransferEncoding {
        let word = value.trim_ascii().split(|b| b.is_ascii_whitespace() || matches!(b, b';' | b'(')).next();
        match word.unwrap_or_default().to_ascii_lowercase().as_slice() {
            b"base64" => TransferEncoding::Base64,
            b"quoted-printable" => TransferEncoding::QuotedPrintable,
            b"x-uuencode" | b"x-uue" | b"uuencode" => TransferEncoding::Uuencode,
            _ => TransferEncoding::Identity,
        }
    }
}
