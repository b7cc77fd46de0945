//! Totals by verdict and by pair of hosts, in bounded memory.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Ended;
use crate::limits::{MAX_HOST_PAIRS, MAX_LISTED_PAIRS};

/// Counts of sessions.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// All of them.
    pub sessions: u64,
    /// Those that are mail, or may be.
    pub mail: u64,
    /// Mail sessions of pairs beyond [`MAX_HOST_PAIRS`].
    pub other_pairs: u64,
    verdicts: BTreeMap<&'static str, u64>,
    pairs: BTreeMap<(IpAddr, IpAddr), BTreeMap<&'static str, u64>>,
}

/// What is said of a pair of hosts.
#[derive(Clone, Debug)]
pub struct HostPair {
    /// The side that opened the sessions.
    pub client: IpAddr,
    /// The other.
    pub server: IpAddr,
    /// How many sessions.
    pub sessions: u64,
    verdicts: BTreeMap<&'static str, u64>,
}

impl Totals {
    /// Counts a session.
    pub fn add(&mut self, session: &Ended) {
        self.sessions += 1;
        *self.verdicts.entry(session.verdict()).or_default() += 1;
        if session.verdict() == "not-mail" {
            return;
        }
        self.mail += 1;
        let pair = session.hosts();
        if !self.pairs.contains_key(&pair) && self.pairs.len() >= MAX_HOST_PAIRS {
            self.other_pairs += 1;
            return;
        }
        *self.pairs.entry(pair).or_default().entry(session.verdict()).or_default() += 1;
    }

    /// How many sessions had each verdict, by name.
    pub fn verdicts(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.verdicts.iter().map(|(verdict, n)| (*verdict, *n))
    }

    /// The pairs with most sessions, at most [`MAX_LISTED_PAIRS`].
    #[must_use]
    pub fn pairs(&self) -> Vec<HostPair> {
        let mut pairs: Vec<HostPair> = self
            .pairs
            .iter()
            .map(|((client, server), verdicts)| HostPair {
                client: *client,
                server: *server,
                sessions: verdicts.values().sum(),
                verdicts: verdicts.clone(),
            })
            .collect();
        pairs.sort_by_key(|pair| (std::cmp::Reverse(pair.sessions), pair.client, pair.server));
        pairs.truncate(MAX_LISTED_PAIRS);
        pairs
    }

    /// How many pairs are told apart.
    #[must_use]
    pub fn pair_limit(&self) -> usize {
        MAX_HOST_PAIRS
    }
}

impl HostPair {
    /// `clear 3, tls-from-start 1`.
    #[must_use]
    pub fn verdicts(&self) -> String {
        self.verdicts.iter().map(|(verdict, n)| format!("{verdict} {n}")).collect::<Vec<_>>().join(", ")
    }
}
