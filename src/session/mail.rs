//! Messages out of dialogues: what SMTP sent as the message of a transaction, dot-stuffing undone, and its parts.

use crate::imf::{self, Reader, Unstuffer};
use crate::smtp::{self, EventKind, Transfer};
use crate::stream::{Direction, Span};

/// What a [`MessageReader`] tells.
#[derive(Debug)]
pub enum Piece<'a> {
    /// Octets of the message as its author's program had them, in order.
    Text(&'a [u8]),
    /// So many octets are missing here.
    Gap(u64),
    /// What those octets are.
    Part(imf::Event<'a>),
}

/// Reads the message of one transaction from the events of its dialogue, from [`EventKind::MessageStart`] to
/// [`EventKind::MessageEnd`]. Give it every event between the two.
#[derive(Debug)]
pub struct MessageReader {
    client: Direction,
    unstuffer: Option<Unstuffer>,
    reader: Reader,
    /// Octets that are missing, and stand behind what was held back before them.
    gap: Option<Span>,
}

impl MessageReader {
    /// For a message that begins; `client` is the direction of the one who sends it.
    #[must_use]
    pub fn new(client: Direction, transfer: Transfer, tolerant: bool, detail: imf::Detail) -> MessageReader {
        MessageReader {
            client,
            unstuffer: (transfer == Transfer::Data).then(|| Unstuffer::new(tolerant)),
            reader: Reader::new(detail),
            gap: None,
        }
    }

    /// The same, with headers that end at an empty line only: see [`Reader::passing_over_strange_lines`].
    #[must_use]
    pub fn passing_over_strange_lines(self) -> MessageReader {
        MessageReader { reader: self.reader.passing_over_strange_lines(), ..self }
    }

    /// Takes the next event of the dialogue.
    pub fn event(&mut self, event: &smtp::Event<'_>, tell: &mut dyn FnMut(Piece<'_>)) {
        match event.kind {
            EventKind::Anomaly(smtp::Anomaly::Gap) if event.span.direction == self.client => {
                self.pass_gap(tell);
                self.gap = Some(event.span);
            }
            EventKind::MessageData { octets, even } => {
                if self.gap.is_some_and(|gap| gap.start < event.span.start) {
                    self.pass_gap(tell);
                }
                let reader = &mut self.reader;
                if let Some(characters) = even {
                    tell(Piece::Text(octets));
                    reader.feed_even(octets, characters, &mut |event| tell(Piece::Part(event)));
                    if let Some(unstuffer) = &mut self.unstuffer {
                        unstuffer.pass(octets);
                    }
                    return;
                }
                let mut text = |text: &[u8]| {
                    tell(Piece::Text(text));
                    reader.feed(text, &mut |event| tell(Piece::Part(event)));
                };
                match &mut self.unstuffer {
                    Some(unstuffer) => unstuffer.feed(octets, &mut text),
                    None => text(octets),
                }
            }
            EventKind::MessageEnd(_) => {
                self.pass_gap(tell);
                self.reader.finish(&mut |event| tell(Piece::Part(event)));
            }
            _ => {}
        }
    }

    fn pass_gap(&mut self, tell: &mut dyn FnMut(Piece<'_>)) {
        let Some(gap) = self.gap.take() else { return };
        tell(Piece::Gap(gap.len()));
        self.reader.gap(gap.len(), &mut |event| tell(Piece::Part(event)));
        if let Some(unstuffer) = &mut self.unstuffer {
            unstuffer.gap();
        }
    }
}
