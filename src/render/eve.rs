//! `eve.json`: an event a line.

use std::io::{self, Write};

use crate::report::eve::Event;

/// Writes an event as one line.
///
/// # Errors
/// When the output cannot be written.
pub fn line(out: &mut dyn Write, event: &Event) -> io::Result<()> {
    super::json::line(out, event)
}
