//! The report as one JSON object, written as a stream: sessions stand in it as they end.

use std::io::{self, Write};

use serde::Serialize;

use crate::limits::MAX_REPORT_ANOMALIES;
use crate::report::{Anomaly, Capture, Session};

/// Writes `{"sessions": […], "anomalies": […], "limits": […], "capture": {…}}`.
#[derive(Debug)]
pub struct Report<W> {
    out: W,
    sessions: u64,
    anomalies: Vec<Anomaly>,
    anomalies_dropped: u64,
}

impl<W: Write> Report<W> {
    /// Begins the object.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn begin(mut out: W) -> io::Result<Report<W>> {
        out.write_all(b"{\"sessions\": [")?;
        Ok(Report { out, sessions: 0, anomalies: Vec::new(), anomalies_dropped: 0 })
    }

    /// Adds a session.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn session(&mut self, session: &Session) -> io::Result<()> {
        self.out.write_all(if self.sessions == 0 { b"\n" } else { b",\n" })?;
        self.sessions += 1;
        serde_json::to_writer(&mut self.out, session)?;
        let room = MAX_REPORT_ANOMALIES - self.anomalies.len().min(MAX_REPORT_ANOMALIES);
        let kept = session.anomalies.len().min(room);
        self.anomalies.extend(session.anomalies[..kept].iter().cloned());
        self.anomalies_dropped += (session.anomalies.len() - kept) as u64 + session.anomalies_dropped;
        Ok(())
    }

    /// Ends the object. `limits` are those that were reached, a sentence each.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn end(&mut self, capture: &Capture, limits: &[String]) -> io::Result<()> {
        self.out.write_all(b"\n], \"anomalies\": ")?;
        list(&mut self.out, &self.anomalies)?;
        let mut limits: Vec<String> = limits.to_vec();
        if self.anomalies_dropped > 0 {
            limits.push(format!("{} more anomalies are not listed", self.anomalies_dropped));
        }
        self.out.write_all(b", \"limits\": ")?;
        serde_json::to_writer(&mut self.out, &limits)?;
        self.out.write_all(b", \"capture\": ")?;
        serde_json::to_writer(&mut self.out, capture)?;
        self.out.write_all(b"}\n")?;
        self.out.flush()
    }
}

/// Writes a value as one line.
///
/// # Errors
/// When the output cannot be written.
pub fn line<T: Serialize>(out: &mut dyn Write, value: &T) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

fn list<T: Serialize>(out: &mut dyn Write, values: &[T]) -> io::Result<()> {
    out.write_all(b"[")?;
    for (i, value) in values.iter().enumerate() {
        out.write_all(if i == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, value)?;
    }
    out.write_all(if values.is_empty() { b"]" } else { b"\n]" })
}
