//! What is unusual in a message, each by a stable name.

use std::fmt;

/// Something that a message should not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Anomaly {
    /// Base64 with characters that are none of it (RFC 2045 §6.8).
    BadBase64,
    /// An equals sign in quoted-printable text that stands for nothing (RFC 2045 §6.7).
    BadQuotedPrintable,
    /// A multipart without its closing boundary (RFC 2046 §5.1.1).
    MissingEndBoundary,
    /// A multipart that states no boundary.
    NoBoundary,
    /// A header that ends with a line that is no field, in the place of an empty one (RFC 5322 §2.1).
    HeaderEndedByText,
    /// A field that must stand once stands again (RFC 5322 §3.6).
    RepeatedField,
    /// A header field is longer than is kept.
    FieldTooLong,
    /// A header is longer than is read.
    HeaderTooLong,
    /// Parts are nested deeper, or are more, than are told apart.
    TooManyParts,
    /// The header names blind recipients (RFC 5322 §3.6.3).
    BlindRecipients,
}

impl Anomaly {
    /// All of them.
    pub const ALL: [Anomaly; 10] = [
        Anomaly::BadBase64,
        Anomaly::BadQuotedPrintable,
        Anomaly::MissingEndBoundary,
        Anomaly::NoBoundary,
        Anomaly::HeaderEndedByText,
        Anomaly::RepeatedField,
        Anomaly::FieldTooLong,
        Anomaly::HeaderTooLong,
        Anomaly::TooManyParts,
        Anomaly::BlindRecipients,
    ];

    /// A stable name for scripts.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Anomaly::BadBase64 => "mime-bad-base64",
            Anomaly::BadQuotedPrintable => "mime-bad-quoted-printable",
            Anomaly::MissingEndBoundary => "mime-missing-end-boundary",
            Anomaly::NoBoundary => "mime-no-boundary",
            Anomaly::HeaderEndedByText => "header-ended-by-text",
            Anomaly::RepeatedField => "header-repeated-field",
            Anomaly::FieldTooLong => "header-field-too-long",
            Anomaly::HeaderTooLong => "header-too-long",
            Anomaly::TooManyParts => "mime-too-many-parts",
            Anomaly::BlindRecipients => "bcc-leak",
        }
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Anomaly::BadBase64 => "base64 contents hold characters that are no base64",
            Anomaly::BadQuotedPrintable => "quoted-printable contents hold an equals sign that stands for nothing",
            Anomaly::MissingEndBoundary => "a multipart lacks its closing boundary",
            Anomaly::NoBoundary => "a multipart states no boundary",
            Anomaly::HeaderEndedByText => "a header ends with a line that is no field, in the place of an empty one",
            Anomaly::RepeatedField => "a header field that must stand once stands again",
            Anomaly::FieldTooLong => "a header field is longer than is kept",
            Anomaly::HeaderTooLong => "a header is longer than is read",
            Anomaly::TooManyParts => "parts are nested deeper, or are more, than are told apart",
            Anomaly::BlindRecipients => "the header names blind recipients: every recipient can read who they are",
        })
    }
}
