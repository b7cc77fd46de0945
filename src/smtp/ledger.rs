//! Which transaction and which recipient each command belongs to, until its reply comes.

use std::collections::VecDeque;

use super::dialogue::{Dialogue, Emit};
use super::event::{Event, EventKind};
use super::summary::{Recipient, StatusReply, Transaction, keep};
use super::{Anomaly, Command, Path, Verb};
use crate::limits;
use crate::stream::Span;
use crate::time::Timestamp;

/// A client line that waits for its reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outstanding {
    /// Its place among the client's lines.
    pub index: u64,
    pub asked: Asked,
    /// The transaction that its reply decides about.
    pub transaction: Option<u64>,
    /// The recipient that its reply decides about.
    pub recipient: Option<usize>,
    /// The line, or the message.
    pub span: Span,
    /// When it was there.
    pub sent: Option<Timestamp>,
}

impl Outstanding {
    pub(super) fn new(index: u64, asked: Asked, span: Span) -> Outstanding {
        Outstanding { index, asked, transaction: None, recipient: None, span, sent: None }
    }
}

/// What a reply is awaited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Command(Verb),
    /// BDAT or BURL with LAST, which ends a message. With LMTP, `answered` recipients have their
    /// reply.
    LastChunk {
        verb: Verb,
        answered: u64,
    },
    /// A SASL response.
    Auth,
    /// The dot line. With LMTP, `answered` recipients have their reply.
    Message {
        answered: u64,
    },
    Unparsed,
}

/// The transactions that are open.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Whose outcome is not known yet, the oldest first.
    pub open: VecDeque<Transaction>,
    /// The one that the client's next commands belong to.
    pub current: Option<u64>,
    /// A second MAIL, sent while a transaction is open, and its place among the client's lines:
    /// it counts only if the server takes it.
    pub second: Option<(Box<Transaction>, u64)>,
    next: u64,
}

impl Ledger {
    pub(super) fn transaction(&mut self, index: u64) -> Option<&mut Transaction> {
        self.open.iter_mut().find(|t| t.index == index)
    }

    pub(super) fn current(&mut self) -> Option<&mut Transaction> {
        let index = self.current?;
        self.transaction(index)
    }

    /// Opens a transaction; commands belong to it from now on.
    pub(super) fn open(&mut self, transaction: Transaction) -> u64 {
        let index = self.next;
        self.next += 1;
        self.open.push_back(Transaction { index, ..transaction });
        self.current = Some(index);
        index
    }
}

impl Dialogue {
    /// MAIL: a new transaction.
    pub(super) fn on_mail(&mut self, command: &Command<'_>, span: Span, emit: &mut Emit<'_>) -> Option<u64> {
        let path = command.path();
        let transaction = Transaction {
            mail_from: path.map(|p| keep(p.address)),
            mail_parameters: path.map(|p| keep(p.parameters)).unwrap_or_default(),
            mail_span: Some(span),
            ..Transaction::default()
        };
        let server_seen = self.seen.server;
        if let Some(current) = self.ledger.current() {
            let refused = |reply: &Option<StatusReply>| reply.is_some_and(|r| r.code.is_some_and(|c| c >= 400));
            let over = refused(&current.mail_reply) || refused(&current.data_reply) || current.accepted.is_some();
            let index = current.index;
            if !over && server_seen {
                emit(Event { span, kind: EventKind::Anomaly(Anomaly::Order) });
                self.ledger.second = Some((Box::new(transaction), command.index));
                return Some(index);
            }
            if !self.outstanding.iter().any(|o| o.transaction == Some(index)) {
                self.end_transactions(index, span, emit);
            }
        }
        if !server_seen {
            self.end_transactions(u64::MAX, span, emit);
        }
        Some(self.open_transaction(transaction, span, emit))
    }

    /// RCPT: a recipient of the current transaction.
    pub(super) fn on_rcpt(
        &mut self,
        command: &Command<'_>,
        span: Span,
        emit: &mut Emit<'_>,
    ) -> (Option<u64>, Option<usize>) {
        let path = command.path().unwrap_or(Path { address: b"", bracketed: false, parameters: b"" });
        let index = match self.ledger.current {
            Some(index) => index,
            None => {
                if !self.seen.client_gap && self.summary.greeting.is_some() {
                    emit(Event { span, kind: EventKind::Anomaly(Anomaly::Order) });
                }
                self.open_transaction(Transaction::default(), span, emit)
            }
        };
        let Some(transaction) = self.ledger.transaction(index) else { return (None, None) };
        if transaction.recipients.len() >= limits::SMTP_RECIPIENTS {
            transaction.recipients_not_kept += 1;
            return (Some(index), None);
        }
        transaction.recipients.push(Recipient {
            address: keep(path.address),
            parameters: keep(path.parameters),
            accepted: None,
            code: None,
            enhanced: None,
            waited: None,
            span,
            reply_span: None,
            delivered: None,
        });
        (Some(index), Some(transaction.recipients.len() - 1))
    }

    /// The transaction that a message sent now belongs to; one without MAIL if there is none.
    pub(super) fn transaction_for_message(&mut self, span: Span, emit: &mut Emit<'_>) -> u64 {
        match self.ledger.current {
            Some(index) => index,
            None => self.open_transaction(Transaction::default(), span, emit),
        }
    }

    pub(super) fn open_transaction(&mut self, transaction: Transaction, span: Span, emit: &mut Emit<'_>) -> u64 {
        if self.ledger.open.len() >= limits::SMTP_TRANSACTIONS_OPEN {
            let oldest = self.ledger.open.front().map_or(0, |t| t.index);
            self.end_transactions(oldest, span, emit);
        }
        self.ledger.open(transaction)
    }

    /// Ends every open transaction up to `last`: what is not known of them will not be.
    pub(super) fn end_transactions(&mut self, last: u64, span: Span, emit: &mut Emit<'_>) {
        while self.ledger.open.front().is_some_and(|t| t.index <= last) {
            let Some(mut transaction) = self.ledger.open.pop_front() else { return };
            // Without a message there is nothing that the server could have taken.
            let ended_by_client = !self.seen.client_gap && !span.is_empty();
            if transaction.transfer.is_none() && transaction.fetched == 0 && ended_by_client {
                transaction.accepted = Some(false);
            }
            if self.ledger.current == Some(transaction.index) {
                self.ledger.current = None;
            }
            emit(Event { span, kind: EventKind::TransactionEnd(&transaction) });
            if self.summary.transactions.len() < limits::SMTP_TRANSACTIONS {
                self.summary.transactions.push(transaction);
            } else {
                self.summary.transactions_not_kept += 1;
            }
        }
    }
}
