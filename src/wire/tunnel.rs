//! Headers that carry a whole packet of another network: MPLS, GRE, Ethernet in IP.

use super::LayerKind;
use super::walk::{Next, Walk};

impl Walk<'_, '_> {
    /// One label; the last one says nothing of what it leads to (RFC 3032 §2.2).
    pub(super) fn mpls(&mut self) -> Next {
        let Some(&[_, _, third, _]) = self.header(LayerKind::Mpls) else { return Next::End };
        if !self.push(LayerKind::Mpls, 4) {
            return Next::End;
        }
        if third & BOTTOM_OF_STACK == 0 {
            return Next::Mpls;
        }
        // RFC 4928 §3: who forwards looks at the first four bits too.
        match self.rest().first().map(|first| first >> 4) {
            Some(4) => Next::Ipv4,
            Some(6) => Next::Ipv6,
            // Zero begins a control word, and the address of many a network card too.
            Some(0) if !self.ethernet_at(0) || self.ethernet_at(4) => Next::ControlWord,
            Some(_) if self.ethernet_at(0) => Next::Ethernet,
            Some(_) => self.unknown(),
            None => self.cut(LayerKind::Ip, 1),
        }
    }

    /// Whether an Ethernet header here or some octets further would have a type that is common.
    fn ethernet_at(&self, offset: usize) -> bool {
        let field = self.rest().get(offset + 12..offset + 14);
        matches!(field, Some([0x08, 0x00 | 0x06] | [0x86, 0xdd] | [0x81, 0x00] | [0x88, 0xa8]))
    }

    /// RFC 4385 §3: zeros, flags and a sequence number, then (RFC 4448 §4.6) an Ethernet frame.
    pub(super) fn control_word(&mut self) -> Next {
        let Some([..]) = self.header::<4>(LayerKind::ControlWord) else { return Next::End };
        if self.push(LayerKind::ControlWord, 4) { Next::Ethernet } else { Next::End }
    }

    pub(super) fn gre(&mut self) -> Next {
        let Some(&[flags, version, high, low]) = self.header(LayerKind::Gre) else { return Next::End };
        let flag = |bit: u8| usize::from(flags & bit != 0);
        let mut len = 4;
        match version & 7 {
            0 => {
                len += 4 * (flag(CHECKSUM | ROUTING) + flag(KEY) + flag(SEQUENCE));
                if flags & ROUTING != 0 {
                    match source_route_len(self.rest().get(len..).unwrap_or_default()) {
                        Ok(route) => len += route,
                        Err(needed) => return self.cut(LayerKind::Gre, len + needed),
                    }
                }
            }
            // RFC 2637 §4.1: the key, two of whose octets are a length, is always there.
            1 => len += 4 + 4 * (flag(SEQUENCE) + usize::from(version & ACKNOWLEDGMENT != 0)),
            _ => return self.unknown(),
        }
        if self.whole(LayerKind::Gre, len).is_none() || !self.push(LayerKind::Gre, len) {
            return Next::End;
        }
        self.by_ether_type(u16::from_be_bytes([high, low]))
    }

    pub(super) fn ether_ip(&mut self) -> Next {
        let Some([..]) = self.header::<2>(LayerKind::EtherIp) else { return Next::End };
        if self.push(LayerKind::EtherIp, 2) { Next::Ethernet } else { Next::End }
    }

    /// What a switch copies of a port, directly after GRE: type I has no header of its own and no GRE
    /// sequence number, type II and III have both.
    pub(super) fn erspan(&mut self, ether_type: u16) -> Next {
        let len = if ether_type == ERSPAN_III {
            let Some(header) = self.header::<12>(LayerKind::Erspan) else { return Next::End };
            12 + 8 * usize::from(header[11] & 1)
        } else {
            let gre = self.frame.header(LayerKind::Gre).and_then(<[u8]>::first).copied().unwrap_or(0);
            if gre & SEQUENCE == 0 {
                return Next::Ethernet;
            }
            8
        };
        if self.whole(LayerKind::Erspan, len).is_none() || !self.push(LayerKind::Erspan, len) {
            return Next::End;
        }
        Next::Ethernet
    }
}

/// Octets of the source routes of a GRE header (RFC 1701): each an address family, an offset, a
/// length and that many octets; the last has neither family nor length. `Err`: so many are needed.
fn source_route_len(octets: &[u8]) -> Result<usize, usize> {
    let mut at = 0usize;
    loop {
        let entry: Option<&[u8; 4]> = octets.get(at..).and_then(<[u8]>::first_chunk);
        at += 4;
        match entry {
            None => return Err(at),
            Some([0, 0, _, 0]) => return Ok(at),
            Some(entry) => at += usize::from(entry[3]),
        }
    }
}

const BOTTOM_OF_STACK: u8 = 1;

// Of the first octet of a GRE header.
const CHECKSUM: u8 = 0x80;
const ROUTING: u8 = 0x40;
const KEY: u8 = 0x20;
const SEQUENCE: u8 = 0x10;
// Of its second octet, version 1.
const ACKNOWLEDGMENT: u8 = 0x80;

const ERSPAN_III: u16 = 0x22eb;
