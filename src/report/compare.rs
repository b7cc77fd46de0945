//! Sessions between the same hosts, held against each other: STARTTLS in one and not in another.

use std::collections::HashMap;
use std::net::IpAddr;

use super::links::Links;
use super::{Anomaly, Ended, Evidence, catalogue};
use crate::limits::MAX_HOST_PAIRS;
use crate::session::{self, Failure, Rung};
use crate::stream::Direction;

/// A client's address, and where its server listens.
type Pair = (IpAddr, IpAddr, u16);

/// What earlier sessions of a pair showed: the first of each.
#[derive(Clone, Debug, Default)]
struct Earlier {
    sealed: Option<Shown>,
    in_clear: Option<Shown>,
    offered: Option<Shown>,
    failed: Option<Shown>,
}

/// A session, and where it shows what is said of it.
#[derive(Clone, Debug)]
struct Shown {
    session: u64,
    evidence: Evidence,
}

/// Remembers sessions by the hosts between which they were, in bounded memory: those of pairs beyond
/// [`MAX_HOST_PAIRS`] are not compared.
#[derive(Debug, Default)]
pub struct Comparison {
    pairs: HashMap<Pair, Earlier>,
    /// Sessions of pairs beyond the limit.
    left_out: u64,
    links: Links,
}

impl Comparison {
    /// Holds a session against those before it, and adds to it what is odd about the two.
    pub fn take(&mut self, ended: &mut Ended) {
        let found = &ended.found;
        ended.resumes = self.links.take(found);
        let (Some(smtp), Some(ladder)) = (&found.smtp, &found.ladder) else { return };
        let (client, server) = match found.client() {
            Direction::FromOriginator => (found.connection.originator, found.connection.responder),
            Direction::FromResponder => (found.connection.responder, found.connection.originator),
        };
        let pair = (client.ip, server.ip, server.port);
        if !self.pairs.contains_key(&pair) && self.pairs.len() >= MAX_HOST_PAIRS {
            self.left_out += 1;
            return;
        }
        let earlier = self.pairs.entry(pair).or_default();
        let said_more = !smtp.transactions.is_empty() || !smtp.auth.is_empty();
        let sealed = ladder.reached() == Some(Rung::Finished);
        let in_clear = said_more && found.tls.is_none();
        let offered = ladder.steps.first().is_some_and(|(rung, _)| *rung == Rung::Offered);
        let failed = matches!(
            ladder.failure,
            Some(Failure::Refused | Failure::HelloUnanswered | Failure::Broken | Failure::ClearAfterAgreement)
        );
        let shown = shown(found);
        let mut odd = Vec::new();
        let number = found.connection.number;
        let mut tell = |id, text: String, other: &Shown| {
            let evidence = vec![shown.evidence.clone(), other.evidence.clone()];
            odd.push(Anomaly { id, severity: catalogue::severity(id), session: number, text, evidence });
        };
        if let Some(other) = earlier.offered.as_ref().filter(|_| ladder.failure == Some(Failure::NotOffered)) {
            let text =
                format!("STARTTLS is not offered; session {} between the same hosts had the offer", other.session);
            tell("starttls-missing-on-retry", text, other);
        }
        if let Some(other) = earlier.failed.as_ref().filter(|_| in_clear && !failed) {
            let text =
                format!("in the clear, after STARTTLS had failed in session {} between the same hosts", other.session);
            tell("clear-after-failed-tls", text, other);
        }
        if let Some(other) = earlier.sealed.as_ref().filter(|_| in_clear) {
            let text = format!("in the clear; session {} between the same hosts was sealed by STARTTLS", other.session);
            tell("starttls-not-always", text, other);
        }
        if let Some(other) = earlier.in_clear.as_ref().filter(|_| sealed) {
            let text =
                format!("sealed by STARTTLS; session {} between the same hosts stayed in the clear", other.session);
            tell("starttls-not-always", text, other);
        }
        for (holds, first) in [
            (sealed, &mut earlier.sealed),
            (in_clear, &mut earlier.in_clear),
            (offered, &mut earlier.offered),
            (failed, &mut earlier.failed),
        ] {
            if holds && first.is_none() {
                *first = Some(shown.clone());
            }
        }
        ended.beside = odd;
    }

    /// Limits that were reached, a sentence each.
    #[must_use]
    pub fn limits(&self) -> Vec<String> {
        let mut limits = Vec::new();
        if self.left_out > 0 {
            limits.push(format!(
                "{MAX_HOST_PAIRS} pairs of hosts are remembered: {} sessions of others were not held against earlier ones",
                self.left_out
            ));
        }
        limits.extend(self.links.limit());
        limits
    }
}

/// Where a session shows how far STARTTLS came: its last step, else the EHLO reply, else its first packet.
fn shown(found: &session::Session) -> Shown {
    let step = found.ladder.as_ref().and_then(|ladder| ladder.steps.iter().rev().find_map(|(_, span)| *span));
    let reply = found.smtp.as_ref().and_then(|smtp| smtp.ehlo_reply.as_ref()).map(|reply| reply.span);
    let number = found.connection.number;
    let nowhere = Evidence { packets: vec![number], direction: None, start: None, end: None };
    let evidence = step.or(reply).map(|span| super::convert::at(found, span));
    Shown { session: number, evidence: evidence.filter(|e| !e.packets.is_empty()).unwrap_or(nowhere) }
}
