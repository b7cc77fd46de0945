//! Conditions under which a run that went well ends with status 1, for use in scripts and CI.

use std::io;

use anyhow::{Result, bail};

use super::output::Output;
use crate::report::catalogue::{self, Severity};
use crate::report::{Capture, Content, Ended};
use crate::session::Verdict;

/// One `--fail-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// An anomaly of this name.
    Anomaly(&'static str),
    /// An anomaly that is as grave, or graver.
    Severity(Severity),
    /// A session with this verdict.
    Verdict(&'static str),
}

impl Condition {
    /// What a word stands for.
    pub(super) fn of(word: &str) -> Result<Condition> {
        if let Ok(severity) = word.parse() {
            return Ok(Condition::Severity(severity));
        }
        if let Some(entry) = catalogue::entry(word) {
            return Ok(Condition::Anomaly(entry.id));
        }
        if let Some(verdict) = Verdict::ALL.iter().find(|verdict| verdict.name() == word) {
            return Ok(Condition::Verdict(verdict.name()));
        }
        bail!(
            "--fail-on {word}: it takes the name of an anomaly (`overhear anomalies` lists them), a severity ({}) or a verdict ({})",
            Severity::ALL.map(Severity::name).join(", "),
            Verdict::ALL.map(Verdict::name).join(", ")
        )
    }

    /// What of a session meets it, in a word.
    fn met(self, session: &Ended) -> Option<&'static str> {
        match self {
            Condition::Anomaly(id) => session.anomaly_ids().find(|met| *met == id),
            Condition::Severity(least) => session.anomaly_ids().find(|id| catalogue::severity(id) >= least),
            Condition::Verdict(name) => (session.verdict() == name).then_some(name),
        }
    }
}

/// Sessions that met a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Met {
    /// How many.
    pub(super) sessions: u64,
    /// The first of them.
    pub(super) first: u64,
    /// What met it there.
    pub(super) what: &'static str,
}

/// Hands everything on to the view, and looks at the sessions that pass.
pub(super) struct Watched<'w> {
    output: Box<dyn Output + 'w>,
    conditions: Vec<Condition>,
    /// Whether the view wants sessions itself.
    wants_sessions: bool,
    met: Option<Met>,
}

impl<'w> Watched<'w> {
    pub(super) fn new(output: Box<dyn Output + 'w>, conditions: &[Condition], wants_sessions: bool) -> Watched<'w> {
        Watched { output, conditions: conditions.to_vec(), wants_sessions, met: None }
    }

    /// What was met.
    pub(super) fn met(&self) -> Option<Met> {
        self.met
    }
}

impl Output for Watched<'_> {
    fn item(&mut self, item: Content) -> io::Result<()> {
        if let Content::Session(session) = &item {
            if let Some(what) = self.conditions.iter().find_map(|condition| condition.met(session)) {
                let met = self.met.get_or_insert(Met { sessions: 0, first: session.number(), what });
                met.sessions += 1;
            }
            if !self.wants_sessions {
                return Ok(());
            }
        }
        self.output.item(item)
    }

    fn pause(&mut self) -> io::Result<()> {
        self.output.pause()
    }

    fn finish(&mut self, capture: &Capture, limits: &[String]) -> io::Result<()> {
        self.output.finish(capture, limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_an_anomaly_a_severity_or_a_verdict() {
        assert_eq!(Condition::of("smuggling").ok(), Some(Condition::Anomaly("smuggling")));
        assert_eq!(Condition::of("medium").ok(), Some(Condition::Severity(Severity::Medium)));
        assert_eq!(Condition::of("downgraded").ok(), Some(Condition::Verdict("downgraded")));
        let error = Condition::of("worst").expect_err("no such word").to_string();
        assert!(error.contains("medium") && error.contains("clear-then-tls"), "{error}");
    }
}
