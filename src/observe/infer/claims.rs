//! What is claimed of a sealed session, in plain values.

/// A length in octets, between two bounds that may be equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Octets {
    /// At least.
    pub min: u64,
    /// At most.
    pub max: u64,
}

impl Octets {
    /// Between two bounds.
    #[must_use]
    pub fn between(min: u64, max: u64) -> Octets {
        Octets { min: min.min(max), max }
    }

    /// Exactly so many.
    #[must_use]
    pub fn exactly(octets: u64) -> Octets {
        Octets { min: octets, max: octets }
    }

    /// Whether only one length fits.
    #[must_use]
    pub fn is_exact(self) -> bool {
        self.min == self.max
    }
}

/// A claim that holds in every reading that the grammar allows, whatever the software.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Claim {
    /// The number of recipients.
    Recipients,
    /// The size of the message.
    Size,
    /// The length of the sender's address.
    SenderLength,
    /// The length of each recipient's address.
    AddressLength,
    /// What became of each recipient, and of the message.
    Accepted,
    /// The login's mechanism.
    Mechanism,
    /// Whether the login succeeded.
    Succeeded,
    /// The length of the user name.
    UsernameLength,
    /// The length of the password.
    PasswordLength,
    /// The length of user name and password together.
    CredentialLength,
}

impl Claim {
    /// Its name in machine-readable outputs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Claim::Recipients => "recipients",
            Claim::Size => "size",
            Claim::SenderLength => "sender_length",
            Claim::AddressLength => "address_length",
            Claim::Accepted => "accepted",
            Claim::Mechanism => "mechanism",
            Claim::Succeeded => "succeeded",
            Claim::UsernameLength => "username_length",
            Claim::PasswordLength => "password_length",
            Claim::CredentialLength => "credential_length",
        }
    }
}

/// One mail transaction. A `None` cannot be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Octets between `<` and `>` of MAIL.
    pub sender_length: Option<Octets>,
    /// The recipients, in order.
    pub recipients: Option<Vec<Recipient>>,
    /// How the message was sent; `None` also where none was.
    pub transfer: Option<Transfer>,
    /// Octets of the message as sent: up to the dot line, or the sum of the chunks.
    pub size: Option<Octets>,
    /// Whether the server took it; `Some(false)` where none was sent.
    pub accepted: Option<bool>,
    /// How the sender's length follows from the length of MAIL: a clause.
    pub sender_reason: Option<String>,
    /// How sure all of this is, 0 to 1.
    pub confidence: f64,
    /// What of it holds in every reading.
    pub determined: Vec<Claim>,
    /// The records that it was read from: indices of `RecordTrace::records`.
    pub records: Vec<usize>,
}

/// One recipient of a transaction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipient {
    /// Octets between `<` and `>` of RCPT.
    pub address_length: Option<Octets>,
    /// Whether the server took it.
    pub accepted: Option<bool>,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
}

/// How a message was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transfer {
    /// DATA (RFC 5321 §4.1.1.4).
    Data,
    /// BDAT (RFC 3030).
    Bdat,
}

impl Transfer {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Transfer::Data => "DATA",
            Transfer::Bdat => "BDAT",
        }
    }
}

/// A login (RFC 4954). A `None` cannot be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// The mechanism's name.
    pub mechanism: Option<&'static str>,
    /// Whether the server agreed.
    pub succeeded: Option<bool>,
    /// Octets of the user name.
    pub username_length: Option<Octets>,
    /// Octets of the password.
    pub password_length: Option<Octets>,
    /// Octets of both together, where only their sum shows (PLAIN).
    pub credential_length: Option<Octets>,
    /// How these lengths follow from those of its lines: a clause.
    pub reason: Option<String>,
    /// How sure all of this is, 0 to 1.
    pub confidence: f64,
    /// What of it holds in every reading.
    pub determined: Vec<Claim>,
    /// The records that it was read from.
    pub records: Vec<usize>,
}

/// A program's name.
#[derive(Clone, Debug, PartialEq)]
pub struct Software {
    /// Its family: the name that stands in the table of templates.
    pub name: String,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    /// What speaks for it: a clause.
    pub reason: Option<String>,
}
