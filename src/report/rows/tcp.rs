//! The Info column of a plain TCP segment, as Wireshark writes it.

use std::fmt::{self, Write as _};

use crate::flow::analysis::{Analysis, Note};
use crate::wire::{Tcp, TcpFlags, TcpOption};

/// Appends the Info column of a segment: notes, ports, flags, numbers, options.
///
/// ```text
/// [TCP Dup ACK 7#1] 25 → 58816 [ACK] Seq=1 Ack=7 Win=65280 Len=0 SLE=9 SRE=12
/// ```
pub fn info(out: &mut String, tcp: &Tcp<'_>, analysis: &Analysis) {
    // Writing to a string cannot fail.
    let _ = write_info(out, tcp, analysis);
}

/// Appends the notes alone, each with a space after it.
pub fn notes(out: &mut String, analysis: &Analysis) {
    // Writing to a string cannot fail.
    let _ = write_notes(out, analysis);
}

fn write_notes(out: &mut String, analysis: &Analysis) -> fmt::Result {
    for note in analysis.notes.iter() {
        match note {
            Note::DuplicateAcknowledgment => {
                let (packet, times) = analysis.duplicate;
                write!(out, "[TCP Dup ACK {packet}#{times}] ")?;
            }
            note => write!(out, "[{note}] ")?,
        }
    }
    Ok(())
}

fn write_info(out: &mut String, tcp: &Tcp<'_>, analysis: &Analysis) -> fmt::Result {
    write_notes(out, analysis)?;
    write!(out, "{} → {} [", tcp.source_port, tcp.destination_port)?;
    write_flags(out, tcp.flags)?;
    write!(out, "] Seq={}", analysis.sequence)?;
    if tcp.flags.ack() {
        write!(out, " Ack={}", analysis.acknowledgment)?;
    }
    write!(out, " Win={}", analysis.window)?;
    if tcp.flags.urg() {
        write!(out, " Urg={}", tcp.urgent_pointer)?;
    }
    write!(out, " Len={}", tcp.payload_len)?;
    tcp.options().try_for_each(|option| write_option(out, &option, analysis))
}

fn write_flags(out: &mut String, flags: TcpFlags) -> fmt::Result {
    let mut first = true;
    for (bit, name) in FLAGS {
        if flags.0 & bit != 0 {
            let separator = if first { "" } else { ", " };
            write!(out, "{separator}{name}")?;
            first = false;
        }
    }
    if first { out.write_str("<None>") } else { Ok(()) }
}

fn write_option(out: &mut String, option: &TcpOption<'_>, analysis: &Analysis) -> fmt::Result {
    match *option {
        TcpOption::MaximumSegmentSize(size) => write!(out, " MSS={size}"),
        TcpOption::WindowScale(shift) => write!(out, " WS={}", 1_u32 << shift.min(14)),
        TcpOption::SackPermitted => out.write_str(" SACK_PERM"),
        TcpOption::Timestamps { value, echo } => write!(out, " TSval={value} TSecr={echo}"),
        TcpOption::Sack(mut blocks) => blocks.try_for_each(|(left, right)| {
            let relative = |edge: u32| edge.wrapping_sub(analysis.peer_base);
            write!(out, " SLE={} SRE={}", relative(left), relative(right))
        }),
        TcpOption::FastOpen([]) => out.write_str(" TFO=R"),
        TcpOption::FastOpen(_) => out.write_str(" TFO=C"),
        TcpOption::Unknown { kind: 6, data: &[a, b, c, d] } => {
            write!(out, " ECHO={}", u32::from_be_bytes([a, b, c, d]))
        }
        TcpOption::Unknown { kind: 7, data: &[a, b, c, d] } => {
            write!(out, " ECHOREPLY={}", u32::from_be_bytes([a, b, c, d]))
        }
        // Wireshark sets no space before this one (RFC 5925 §2.2).
        TcpOption::Unknown { kind: 29, .. } => out.write_str("TCP AO"),
        _ => Ok(()),
    }
}

/// The flag bits in the order of the column; the three reserved ones share a name.
const FLAGS: [(u16, &str); 10] = [
    (0x001, "FIN"),
    (0x002, "SYN"),
    (0x004, "RST"),
    (0x008, "PSH"),
    (0x010, "ACK"),
    (0x020, "URG"),
    (0x040, "ECE"),
    (0x080, "CWR"),
    (0x100, "AE"),
    (0xe00, "Reserved"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Segment;
    use crate::flow::analysis::Analyzer;
    use crate::time::Timestamp;

    fn tcp<'a>(flags: u16, options: &'a [u8], payload: &'a [u8]) -> Tcp<'a> {
        Tcp {
            source_port: 58816,
            destination_port: 25,
            sequence: 1000,
            acknowledgment: 5001,
            flags: TcpFlags(flags),
            window: 64240,
            checksum: 0,
            urgent_pointer: 7,
            options,
            payload,
            payload_len: payload.len() as u32,
        }
    }

    fn row(analyzer: &mut Analyzer, tcp: &Tcp<'_>) -> String {
        let segment = Segment { packet: 1, time: Timestamp::from_nanos(0), wire_octets: 54, tcp };
        let mut out = String::new();
        info(&mut out, tcp, &analyzer.put(true, &segment));
        out
    }

    #[test]
    fn a_syn_shows_its_options_in_their_order() {
        let options = [
            2, 4, 5, 180, // maximum segment size 1460
            4, 2, // selective acknowledgments
            8, 10, 0, 0, 0, 9, 0, 0, 0, 0, // timestamps
            1, 3, 3, 7, // scale
        ];
        let row = row(&mut Analyzer::default(), &tcp(0x002, &options, b""));
        assert_eq!(row, "58816 → 25 [SYN] Seq=0 Win=64240 Len=0 MSS=1460 SACK_PERM TSval=9 TSecr=0 WS=128");
    }

    #[test]
    fn flags_numbers_and_edges_are_written_as_wireshark_does() {
        let mut analyzer = Analyzer::default();
        let options = [1, 1, 5, 10, 0, 0, 0x13, 0x89 + 9, 0, 0, 0x13, 0x89 + 19];
        let first = row(&mut analyzer, &tcp(0x039, &options, b"bye"));
        assert_eq!(first, "58816 → 25 [FIN, PSH, ACK, URG] Seq=1 Ack=1 Win=64240 Urg=7 Len=3 SLE=10 SRE=20");
        assert_eq!(row(&mut Analyzer::default(), &tcp(0, &[], b"")), "58816 → 25 [<None>] Seq=1 Win=64240 Len=0");
        let again = row(&mut analyzer, &tcp(0x019, &[], b"bye"));
        assert!(again.starts_with("[TCP Retransmission] 58816 → 25 [FIN, PSH, ACK]"), "{again}");
    }
}
