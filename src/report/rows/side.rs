//! Rows of the side protocols that a mail capture contains.

use crate::session::Seen;

/// What was seen of an SSH connection.
#[derive(Debug, Default)]
pub struct Ssh;

impl Ssh {
    /// Takes octets of one side.
    pub fn data(&mut self, client: bool, bytes: &[u8]) -> Option<(&'static str, String)> {
        let _ = (client, bytes);
        None
    }
}

/// What earlier packets said that later rows depend on.
#[derive(Debug, Default)]
pub struct State;

impl State {
    /// The protocol and the text of a packet that is no TCP segment.
    pub fn row(&mut self, seen: &Seen<'_>, source: &mut String, destination: &mut String) -> Option<(&'static str, String)> {
        let _ = (seen, source, destination);
        None
    }
}
