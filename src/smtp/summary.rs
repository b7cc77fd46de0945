//! What is kept of a dialogue when its octets have gone by.

use super::{AuthAttempt, ClientClaim, EnhancedStatus, LenientReading, Parameter, ParameterValue};
use super::{ProxyHeader, Retry, Transfer, Verb, Waiting};
use crate::imf::Header;
use crate::limits;
use crate::stream::Span;
use crate::time::Interval;

/// What a dialogue showed so far. Bounded: see [`limits`]; what was not kept is counted.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// The server's first reply.
    pub greeting: Option<Greeting>,
    /// The last EHLO, HELO or LHLO.
    pub client_name: Option<ClientName>,
    /// Whether the client said LHLO: every recipient has its own reply after the message.
    pub lmtp: bool,
    /// The capabilities of the last positive EHLO (LHLO) reply, its first line apart.
    pub capabilities: Vec<EhloKeyword>,
    /// That reply.
    pub ehlo_reply: Option<StatusReply>,
    /// The first text line of that reply: the server's name and its salute.
    pub ehlo_salute: Vec<u8>,
    /// Capabilities that earlier EHLO replies listed and the last one does not repeat, the oldest
    /// first: empty unless an offer changed.
    pub earlier_offers: Vec<Vec<EhloKeyword>>,
    /// On whose behalf a proxy connected.
    pub proxy: Option<ProxyHeader>,
    /// What XCLIENT and XFORWARD say, in order.
    pub claims: Vec<ClientClaim>,
    /// Such commands beyond those kept.
    pub claims_not_kept: u64,
    /// AUTH attempts, in order.
    pub auth: Vec<AuthAttempt>,
    /// AUTH attempts beyond those kept.
    pub auth_not_kept: u64,
    /// Mail transactions that are over, in order.
    pub transactions: Vec<Transaction>,
    /// Transactions beyond those kept.
    pub transactions_not_kept: u64,
    /// How far STARTTLS came.
    pub starttls: StartTls,
    /// The first QUIT.
    pub quit: Option<Span>,
    /// Client lines: commands, SASL lines, and what was neither.
    pub client_lines: u64,
    /// Replies.
    pub replies: u64,
    /// How long the server let the client wait, for each kind of reply.
    pub waiting: Vec<Waiting>,
    /// Octets that the capture lacks, of both directions.
    pub missing: u64,
}

impl Summary {
    /// The capability of that name, in any case.
    #[must_use]
    pub fn capability(&self, name: &str) -> Option<&EhloKeyword> {
        self.capabilities.iter().find(|c| c.keyword.eq_ignore_ascii_case(name.as_bytes()))
    }
}

/// The server's first reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// 220, or 554 where it will not serve (RFC 5321 §3.1).
    pub code: u16,
    /// The first line's text after the code: the server's name, often its software.
    pub text: Vec<u8>,
    /// Where it stands.
    pub span: Span,
}

impl Greeting {
    /// The name that the server gives itself: the first word.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.text.split(|b| b.is_ascii_whitespace()).next().unwrap_or_default()
    }

    /// What stands after the name: protocol, software, time of day, as it likes.
    #[must_use]
    pub fn software(&self) -> &[u8] {
        self.text[self.name().len()..].trim_ascii()
    }
}

/// EHLO, HELO or LHLO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientName {
    /// Which of the three.
    pub verb: Verb,
    /// Its argument.
    pub name: Vec<u8>,
    /// Whether the verb is written in small letters, as some programs do.
    pub small: bool,
    /// Where the command stands.
    pub span: Span,
}

/// One line of an EHLO reply (RFC 5321 §4.1.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EhloKeyword {
    /// As spelled; compare without case.
    pub keyword: Vec<u8>,
    /// Everything after it.
    pub parameters: Vec<u8>,
    /// Whether `=` stands between the two: `AUTH=LOGIN` is how servers before RFC 2554 wrote it.
    pub legacy: bool,
    /// The line.
    pub span: Span,
}

/// How far STARTTLS came (RFC 3207).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartTls {
    /// The capability in the EHLO reply.
    pub offered: Option<Span>,
    /// A capability overwritten with X, as a firewall leaves it (`XXXXXXXA`).
    pub masked: Option<Span>,
    /// The last command.
    pub requested: Option<Span>,
    /// Whether it is written in small letters.
    pub small: bool,
    /// The reply to it.
    pub answered: Option<StatusReply>,
}

/// A reply's code and place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusReply {
    /// The three digits, where there were any.
    pub code: Option<u16>,
    /// The enhanced status.
    pub enhanced: Option<EnhancedStatus>,
    /// How long the client waited for it.
    pub waited: Option<Interval>,
    /// Where it stands.
    pub span: Span,
}

impl StatusReply {
    /// Whether its code is 2xx; `None` without a code.
    #[must_use]
    pub fn is_positive(&self) -> Option<bool> {
        self.code.map(super::reply::is_positive)
    }

    /// What its client can do about it, where it is a refusal.
    #[must_use]
    pub fn retry(&self) -> Option<Retry> {
        Retry::of(self.code, self.enhanced)
    }
}

/// One mail transaction: MAIL, recipients, a message (RFC 5321 §3.3).
#[derive(Clone, Debug, Default)]
pub struct Transaction {
    /// The nth of the dialogue, from 0.
    pub index: u64,
    /// The sender's address between `<` and `>`; empty for the null path. `None`: no MAIL was seen.
    pub mail_from: Option<Vec<u8>>,
    /// MAIL's parameters, as sent.
    pub mail_parameters: Vec<u8>,
    /// The MAIL command.
    pub mail_span: Option<Span>,
    /// The reply to MAIL.
    pub mail_reply: Option<StatusReply>,
    /// The recipients, in order.
    pub recipients: Vec<Recipient>,
    /// Recipients beyond those kept.
    pub recipients_not_kept: u64,
    /// How the message was sent; `None`: it was not.
    pub transfer: Option<Transfer>,
    /// The reply to DATA.
    pub data_reply: Option<StatusReply>,
    /// Octets of the message as sent: after 354 up to the dot line, or the sum of the chunks.
    pub size: Option<u64>,
    /// The BDAT chunks, or 0.
    pub chunks: u64,
    /// Parts of the message that the server was told to fetch from elsewhere (BURL, RFC 4468).
    pub fetched: u64,
    /// Whether the message's end was seen and nothing of it is missing.
    pub complete: bool,
    /// Octets of the message that the capture lacks.
    pub missing: u64,
    /// Where the message stands, its dot line included.
    pub message_span: Option<Span>,
    /// Whether the server took the message: with LMTP, for any recipient. `None`: cannot tell.
    pub accepted: Option<bool>,
    /// The reply that decided it.
    pub reply: Option<StatusReply>,
    /// That reply's first line, bounded.
    pub reply_text: Vec<u8>,
    /// Whether RSET or a new EHLO ended it before a message was sent.
    pub reset: bool,
    /// What the message's header says.
    pub header: Header,
    /// How a lenient server reads the message, where commands stand in it.
    pub lenient: Option<Box<LenientReading>>,
}

impl Transaction {
    /// Whether the server agreed to MAIL; `None`: cannot tell.
    #[must_use]
    pub fn mail_accepted(&self) -> Option<bool> {
        self.mail_reply.and_then(|reply| reply.is_positive())
    }

    /// MAIL's parameters, and what each says.
    pub fn parameters(&self) -> impl Iterator<Item = (Parameter<'_>, ParameterValue<'_>)> {
        super::command::parameters(&self.mail_parameters).map(|parameter| (parameter, parameter.meaning()))
    }

    /// The size that the client announced (RFC 1870).
    #[must_use]
    pub fn announced_size(&self) -> Option<u64> {
        self.parameters().find_map(|(_, value)| match value {
            ParameterValue::Size(size) => Some(size),
            _ => None,
        })
    }

    /// The reply that decides whether `recipient` gets the message: the refusal of RCPT, else the
    /// reply to the message (with LMTP that for this recipient).
    #[must_use]
    pub fn verdict(&self, recipient: &Recipient) -> Option<StatusReply> {
        if recipient.accepted == Some(false) {
            return recipient.reply();
        }
        recipient.delivered.or(self.reply)
    }

    /// Recipients that the server took, among those kept.
    #[must_use]
    pub fn accepted_recipients(&self) -> u64 {
        self.recipients.iter().filter(|r| r.accepted == Some(true)).count() as u64
    }
}

/// One recipient of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The address between `<` and `>`.
    pub address: Vec<u8>,
    /// RCPT's parameters, as sent.
    pub parameters: Vec<u8>,
    /// Whether the server took it. `None`: cannot tell.
    pub accepted: Option<bool>,
    /// The code of the reply to RCPT.
    pub code: Option<u16>,
    /// Its enhanced status.
    pub enhanced: Option<EnhancedStatus>,
    /// How long the client waited for it.
    pub waited: Option<Interval>,
    /// The RCPT command.
    pub span: Span,
    /// The reply.
    pub reply_span: Option<Span>,
    /// LMTP: the reply after the message for this recipient (RFC 2033 §4.2).
    pub delivered: Option<StatusReply>,
}

impl Recipient {
    /// RCPT's parameters, and what each says.
    pub fn parameters(&self) -> impl Iterator<Item = (Parameter<'_>, ParameterValue<'_>)> {
        super::command::parameters(&self.parameters).map(|parameter| (parameter, parameter.meaning()))
    }

    /// The reply to RCPT.
    #[must_use]
    pub fn reply(&self) -> Option<StatusReply> {
        let (code, enhanced, waited) = (self.code, self.enhanced, self.waited);
        self.reply_span.map(|span| StatusReply { code, enhanced, waited, span })
    }
}

/// What is kept of a text: its beginning.
pub(super) fn keep(text: &[u8]) -> Vec<u8> {
    text[..text.len().min(limits::SMTP_TEXT_OCTETS)].to_vec()
}
