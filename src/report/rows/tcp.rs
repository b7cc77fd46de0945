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
