//! The report as one JSON object, written as a stream: sessions stand in it as they end; and how every
//! value of the machine-readable outputs is written.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::bytes::is_invisible;
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
        value(&mut self.out, session)?;
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
        value(&mut self.out, &limits)?;
        self.out.write_all(b", \"capture\": ")?;
        value(&mut self.out, capture)?;
        self.out.write_all(b"}\n")?;
        self.out.flush()
    }
}

/// Writes a value as JSON that is safe on a terminal too.
///
/// Characters that steer a terminal or turn text around, which JSON lets through (DEL, the C1
/// controls, the marks of [`is_invisible`]), stand as `\uXXXX`: the same value to any reader of JSON.
///
/// # Errors
/// When the output cannot be written.
pub fn value<T: Serialize + ?Sized>(out: impl Write, it: &T) -> io::Result<()> {
    it.serialize(&mut Serializer::with_formatter(out, Safe))?;
    Ok(())
}

struct Safe;

impl Formatter for Safe {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.bytes().all(|b| (b' '..0x7f).contains(&b)) {
            return out.write_all(fragment.as_bytes());
        }
        let mut kept = 0;
        for (at, c) in fragment.char_indices().filter(|&(_, c)| c.is_control() || is_invisible(c)) {
            out.write_all(&fragment.as_bytes()[kept..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            kept = at + c.len_utf8();
        }
        out.write_all(&fragment.as_bytes()[kept..])
    }
}

/// Writes a value as one line.
///
/// # Errors
/// When the output cannot be written.
pub fn line<T: Serialize>(out: &mut dyn Write, it: &T) -> io::Result<()> {
    value(&mut *out, it)?;
    out.write_all(b"\n")
}

fn list<T: Serialize>(out: &mut dyn Write, values: &[T]) -> io::Result<()> {
    out.write_all(b"[")?;
    for (i, it) in values.iter().enumerate() {
        out.write_all(if i == 0 { b"\n" } else { b",\n" })?;
        value(&mut *out, it)?;
    }
    out.write_all(if values.is_empty() { b"]" } else { b"\n]" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_steer_a_terminal_are_written_out_and_read_back_the_same() {
        let hostile = "a\u{9b}31m\u{7f}\u{202e}\u{e0041}é😀\t\u{1b}\"\\";
        let mut out = Vec::new();
        line(&mut out, &hostile).expect("memory can be written");
        let text = String::from_utf8(out).expect("JSON is UTF-8");
        assert_eq!(text, "\"a\\u009b31m\\u007f\\u202e\\udb40\\udc41é😀\\t\\u001b\\\"\\\\\"\n");
        assert_eq!(serde_json::from_str::<String>(&text).expect("it is JSON"), hostile);
    }
}
