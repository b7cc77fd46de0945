//! Puts IP fragments together.

use super::Frame;
use crate::time::Timestamp;

/// IP fragments on their way to whole datagrams. Keeps none yet: `put` never returns a datagram.
#[derive(Debug, Default)]
pub struct Defragmenter;
/// What became of the fragments.
#[derive(Debug, Default, Clone, Copy)]
pub struct DefragmenterCounts;
impl Defragmenter {
    /// None open.
    #[must_use]
    pub fn new() -> Defragmenter {
        Defragmenter
    }
    /// Takes a frame; `Some` would be the datagram that it completes.
    pub fn put<'s>(&'s mut self, _frame: &Frame<'_>, _time: Timestamp) -> Option<Frame<'s>> {
        None
    }
}
