//! A frame in octets: which range is what, and what of it an observer can read.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use crate::limits::MAX_HEX_FRAMES;
use crate::session::{At, Seen, SegmentSeen, Speaks};
use crate::smtp::{self, EventKind, Verb};
use crate::stream::Span;
use crate::time::{Interval, Timestamp};
use crate::tls;
use crate::wire::{LayerKind, Transport};

/// A captured frame with its ranges named.
#[derive(Clone, Debug)]
pub struct HexFrame {
    /// The packet's number.
    pub number: u64,
    /// Since the first packet.
    pub time: Interval,
    /// When it was captured.
    pub epoch: Timestamp,
    /// Decimals of its time.
    pub decimals: usize,
    /// The octets, as far as captured.
    pub bytes: Vec<u8>,
    /// Octets on the wire.
    pub original_len: u32,
    /// The ends, in words.
    pub parties: String,
    /// Named ranges in order of their first octet; a wider one before those inside it.
    pub ranges: Vec<NamedRange>,
    /// Why decoding ended early, if it did.
    pub stop: Option<String>,
}

/// A range of a frame's octets and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedRange {
    /// Octets of the frame.
    pub range: Range<usize>,
    /// What it is.
    pub label: Label,
    /// In words.
    pub name: String,
}

/// What kind of octets these are, for an observer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// A header.
    Header,
    /// Text in the clear.
    Clear,
    /// A secret in the clear; shown only when asked for.
    Secret,
    /// Encrypted.
    Sealed,
    /// Anything else.
    Other,
}

impl HexFrame {
    /// The label of each octet: that of the narrowest range it stands in.
    #[must_use]
    pub fn labels(&self) -> Vec<Label> {
        let mut labels = vec![Label::Other; self.bytes.len()];
        for range in &self.ranges {
            let end = range.range.end.min(labels.len());
            let start = range.range.start.min(end);
            labels[start..end].fill(range.label);
        }
        labels
    }
}

/// Gathers the frames that were asked for, and names their ranges as the streams are decoded.
///
/// A range may become known only after its frame: a record that begins in it ends in a later
/// one. Frames are complete when the capture is over.
#[derive(Debug, Default)]
pub(super) struct Builder {
    wanted: Vec<RangeInclusive<u64>>,
    recent: (u64, Vec<(u64, Span, Label, String)>),
    frames: BTreeMap<u64, Kept>,
    left_out: u64,
}

#[derive(Debug)]
struct Kept {
    frame: HexFrame,
    /// The session, the payload's place in its stream, and where the payload begins in the frame.
    payload: Option<(u64, Span, usize)>,
    speaks: Option<Speaks>,
}

impl Builder {
    pub(super) fn new(wanted: Vec<RangeInclusive<u64>>) -> Builder {
        Builder { wanted, ..Builder::default() }
    }

    pub(super) fn smtp(&mut self, at: &At<'_>, event: &smtp::Event<'_>) {
        let span = event.span;
        match &event.kind {
            EventKind::Command(command) => {
                let name = format!("command {}", command.verb.as_str());
                self.name(at, span, Label::Clear, name);
                if command.verb == Verb::AUTH
                    && let Some(from) = initial_response(command.line)
                {
                    let secret =
                        Span::new(span.direction, span.start + from as u64, span.start + command.line.len() as u64);
                    self.name(at, secret, Label::Secret, "initial response".to_owned());
                }
            }
            EventKind::Auth(_) => self.name(at, span, Label::Secret, "SASL response".to_owned()),
            EventKind::Reply(reply) => {
                let code = reply.code.map_or_else(String::new, |code| format!(" {code}"));
                self.name(at, span, Label::Clear, format!("reply{code}"));
            }
            EventKind::MessageData { .. } => self.name(at, span, Label::Clear, "message".to_owned()),
            EventKind::Unparsed(line) => {
                let secret = super::dialogue::may_be_secret(at, span, line);
                let label = if secret { Label::Secret } else { Label::Clear };
                self.name(at, span, label, "a line that is no command".to_owned());
            }
            _ => {}
        }
    }

    pub(super) fn tls(&mut self, at: &At<'_>, event: &tls::Event<'_>) {
        let span = event.span;
        match &event.kind {
            tls::EventKind::Record(record) => {
                let body = Span::new(span.direction, (span.start + 5).min(span.end), span.end);
                let header = Span::new(span.direction, span.start, body.start);
                let plural = if record.length == 1 { "" } else { "s" };
                let name = format!("TLS record header: {}, {} octet{plural}", record.content_type, record.length);
                self.name(at, header, Label::Header, name);
                let label = if record.sealed { Label::Sealed } else { Label::Clear };
                // Messages name themselves.
                let messages = !record.sealed
                    && matches!(record.content_type, tls::ContentType::HANDSHAKE | tls::ContentType::ALERT);
                let name = if messages { String::new() } else { super::collect::record_in_words(record) };
                self.name(at, body, label, name);
            }
            tls::EventKind::NotTls(_) => self.name(at, span, Label::Other, "not a TLS record".to_owned()),
            tls::EventKind::ChangeCipherSpec => {}
            _ => {
                if let Some(name) = super::collect::message_name(event) {
                    self.name(at, span, Label::Clear, name);
                }
            }
        }
    }

    pub(super) fn packet(&mut self, seen: &Seen<'_>, decimals: usize) {
        let number = seen.packet.number;
        if !self.wanted.iter().any(|range| range.contains(&number)) {
            return;
        }
        if self.frames.len() >= MAX_HEX_FRAMES {
            self.left_out += 1;
            return;
        }
        let kept = keep(seen, decimals);
        self.frames.insert(number, kept);
        if self.recent.0 == number {
            for (session, span, label, name) in std::mem::take(&mut self.recent.1) {
                if let Some(kept) = self.frames.get_mut(&number) {
                    kept.name(session, span, label, &name);
                }
            }
        }
    }

    /// The frames, and how many more were asked for than a limit allows.
    pub(super) fn finish(&mut self) -> (Vec<HexFrame>, u64) {
        let frames = std::mem::take(&mut self.frames);
        (frames.into_values().map(Kept::finished).collect(), self.left_out)
    }

    fn name(&mut self, at: &At<'_>, span: Span, label: Label, name: String) {
        if self.recent.0 != at.now {
            self.recent = (at.now, Vec::new());
        }
        for kept in self.frames.values_mut() {
            kept.name(at.session, span, label, &name);
        }
        self.recent.1.push((at.session, span, label, name));
    }
}

impl Kept {
    fn name(&mut self, session: u64, span: Span, label: Label, name: &str) {
        let Some((ours, place, begins)) = self.payload else { return };
        if ours != session || place.direction != span.direction {
            return;
        }
        let (start, end) = (span.start.max(place.start), span.end.min(place.end));
        if start >= end {
            return;
        }
        let at = |offset: u64| begins + usize::try_from(offset - place.start).unwrap_or(usize::MAX / 2);
        let mut name = name.to_owned();
        if name.is_empty() {
            self.frame.ranges.push(NamedRange { range: at(start)..at(end), label, name });
            return;
        }
        if span.start < place.start {
            name.push_str(" (begun before)");
        }
        if span.end > place.end {
            name.push_str(" (goes on)");
        }
        self.frame.ranges.push(NamedRange { range: at(start)..at(end), label, name });
    }

    fn finished(mut self) -> HexFrame {
        let labels = self.frame.labels();
        if let Some((_, place, begins)) = self.payload {
            let end = (begins + usize::try_from(place.len()).unwrap_or(0)).min(labels.len());
            // What no decoder has named: all of it, or what stands behind the last name.
            let unnamed = labels[begins.min(end)..end].iter().rposition(|label| *label != Label::Other);
            let from = unnamed.map_or(begins, |last| begins + last + 1);
            let covered = self.frame.ranges.iter().any(|r| r.range.start == from && r.range.end >= end);
            if from < end && !covered {
                let (label, name) = match self.speaks {
                    Some(Speaks::Tls) => (Label::Sealed, "part of a TLS record"),
                    // It may be a secret sent again, so it is treated as one.
                    Some(Speaks::Smtp) => (Label::Secret, "part of a line, or octets sent again"),
                    _ => (Label::Other, "payload"),
                };
                self.frame.ranges.push(NamedRange { range: from..end, label, name: name.to_owned() });
            }
        }
        self.frame.ranges.sort_by_key(|r| (r.range.start, std::cmp::Reverse(r.range.end)));
        self.frame.ranges.dedup();
        self.frame
    }
}

fn keep(seen: &Seen<'_>, decimals: usize) -> Kept {
    let frame = seen.frame;
    let rebuilt = !std::ptr::eq(frame.bytes.as_ptr(), seen.packet.data.as_ptr());
    let mut ranges: Vec<NamedRange> = frame
        .layers
        .iter()
        .map(|layer| NamedRange {
            range: layer.start as usize..layer.end as usize,
            label: Label::Header,
            name: layer_in_words(layer.kind, seen),
        })
        .collect();
    let (start, end) = frame.payload_range();
    let (_, trailer_end) = frame.trailer_range();
    if end < trailer_end {
        ranges.push(NamedRange { range: end..trailer_end, label: Label::Other, name: "padding".to_owned() });
    }
    let payload = seen.segment.as_ref().and_then(|segment| {
        let span = segment.span.filter(|span| !span.is_empty())?;
        Some((segment.session, span, start))
    });
    if start < end && payload.is_none() {
        ranges.push(NamedRange { range: start..end, label: Label::Other, name: "payload".to_owned() });
    }
    Kept {
        frame: HexFrame {
            number: seen.packet.number,
            time: seen.packet.timestamp.since(seen.first_time),
            epoch: seen.packet.timestamp,
            decimals,
            bytes: frame.bytes.to_vec(),
            original_len: if rebuilt {
                u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX)
            } else {
                seen.packet.original_len
            },
            parties: parties(seen) + if rebuilt { " (put together from fragments)" } else { "" },
            ranges,
            stop: frame.stop.map(|stop| stop.to_string()),
        },
        payload,
        speaks: seen.segment.as_ref().map(|segment| segment.speaks),
    }
}

fn parties(seen: &Seen<'_>) -> String {
    let ports = match &seen.frame.transport {
        Transport::Tcp(tcp) => Some((tcp.source_port, tcp.destination_port)),
        Transport::Udp(udp) => Some((udp.source_port, udp.destination_port)),
        _ => None,
    };
    match (&seen.frame.ip, ports) {
        (Some(ip), Some((from, to))) => {
            format!(
                "{} → {}",
                std::net::SocketAddr::new(ip.source, from),
                std::net::SocketAddr::new(ip.destination, to)
            )
        }
        (Some(ip), None) => format!("{} → {}", ip.source, ip.destination),
        (None, _) => seen.packet.link_type.to_string(),
    }
}

fn layer_in_words(kind: LayerKind, seen: &Seen<'_>) -> String {
    match (kind, &seen.frame.transport, &seen.segment) {
        (LayerKind::Tcp, Transport::Tcp(tcp), segment) => {
            let mut name = format!("TCP: {} → {}, {}", tcp.source_port, tcp.destination_port, tcp.flags);
            if let Some(SegmentSeen { span: Some(span), .. }) = segment
                && !span.is_empty()
            {
                name.push_str(&format!(", stream octets {}-{}", span.start, span.end - 1));
            }
            name
        }
        _ => kind.to_string(),
    }
}

/// Where the initial response begins in an AUTH line (RFC 4954 §4), if there is one.
fn initial_response(line: &[u8]) -> Option<usize> {
    let word = line.iter().position(|b| *b == b' ')? + 1;
    let second = line.get(word..)?.iter().position(|b| *b == b' ')? + word + 1;
    (second < line.len()).then_some(second)
}
