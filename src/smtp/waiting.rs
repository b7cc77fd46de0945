//! How long the server lets the client wait.

use super::Verb;
use super::dialogue::Dialogue;
use super::ledger::Asked;
use crate::limits;
use crate::stream::Span;
use crate::time::{Interval, Timestamp};

/// How long the server let the client wait for replies of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// For what.
    pub awaited: Awaited,
    /// Replies.
    pub replies: u64,
    /// All waits together.
    pub total: Interval,
    /// The longest.
    pub longest: Interval,
    /// The reply that took longest.
    pub reply: Span,
}

/// What a reply is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Awaited {
    /// The greeting, from the connection's first packet on.
    Greeting,
    /// A command of this verb; [`Verb::OTHER`] for those without a name here.
    Command(Verb),
    /// A line of a SASL exchange.
    Auth,
    /// A message, from its end on.
    Message,
}

impl Awaited {
    /// Its name in outputs.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Awaited::Greeting => "greeting",
            Awaited::Command(verb) => verb.as_str(),
            Awaited::Auth => "AUTH response",
            Awaited::Message => "message",
        }
    }

    pub(super) fn of(asked: Asked) -> Awaited {
        match asked {
            Asked::Command(verb) if verb.is_known() => Awaited::Command(verb),
            Asked::Command(_) | Asked::Unparsed => Awaited::Command(Verb::OTHER),
            Asked::Auth => Awaited::Auth,
            Asked::Message { .. } | Asked::LastChunk { .. } => Awaited::Message,
        }
    }
}

impl Dialogue {
    /// From `since` to now; `None` where one of the two is not known, or the clock stepped back.
    pub(super) fn waited(&self, since: Option<Timestamp>) -> Option<Interval> {
        let waited = self.now?.since(since?);
        (waited.nanos() >= 0).then_some(waited)
    }

    /// Counts a wait that has ended with `reply`; whether it was too long.
    pub(super) fn count_wait(&mut self, awaited: Awaited, waited: Interval, reply: Span) -> bool {
        let new = Waiting { awaited, replies: 0, total: Interval::default(), longest: Interval::default(), reply };
        let all = &mut self.summary.waiting;
        let at = all.iter().position(|w| w.awaited == awaited).unwrap_or_else(|| {
            all.push(new);
            all.len() - 1
        });
        let kind = &mut all[at];
        kind.replies += 1;
        kind.total = Interval::from_nanos(kind.total.nanos().saturating_add(waited.nanos()));
        if waited > kind.longest {
            (kind.longest, kind.reply) = (waited, reply);
        }
        waited > limits::SMTP_STALL
    }
}
