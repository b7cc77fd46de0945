//! Headers of the link layer.

use super::walk::{Next, Walk};
use super::{LayerKind, Mac, Transport};
use etherparse::{Ethernet2HeaderSlice, SingleVlanHeaderSlice};

impl Walk<'_, '_> {
    #[inline(always)]
    pub(super) fn ethernet(&mut self) -> Next {
        let header = match Ethernet2HeaderSlice::from_slice(self.rest()) {
            Ok(header) => header,
            Err(error) => return self.cut(LayerKind::Ethernet, error.required_len),
        };
        if !self.push(LayerKind::Ethernet, header.slice().len()) {
            return Next::End;
        }
        self.frame.ethernet = Some(Mac { source: header.source(), destination: Some(header.destination()) });
        self.by_type_or_length(header.ether_type().0)
    }

    /// IEEE 802.3 §3.2.6: up to 1500 the field is the length of what follows.
    #[inline]
    fn by_type_or_length(&mut self, field: u16) -> Next {
        if field > LENGTH_802_3 {
            return self.by_ether_type(field);
        }
        self.limit(field.into());
        // Novell's "raw" 802.3 has IPX here, whose checksum field is always this, and no LLC.
        if self.rest().starts_with(&[0xff, 0xff]) { self.unknown() } else { Next::Llc }
    }

    pub(super) fn llc(&mut self) -> Next {
        let Some(&[destination, source, control]) = self.header(LayerKind::Llc) else { return Next::End };
        // IEEE 802.2 §5.2: only unnumbered frames have a control field of one octet.
        let len = if control & 3 == 3 { 3 } else { 4 };
        if self.whole(LayerKind::Llc, len).is_none() || !self.push(LayerKind::Llc, len) {
            return Next::End;
        }
        match (destination, source, control) {
            (SAP_SNAP, SAP_SNAP, UNNUMBERED_INFORMATION) => Next::Snap,
            (SAP_IP, _, UNNUMBERED_INFORMATION) => Next::Ipv4,
            _ => self.unknown(),
        }
    }

    pub(super) fn snap(&mut self) -> Next {
        let Some(&[a, b, c, d, e]) = self.header(LayerKind::Snap) else { return Next::End };
        if !self.push(LayerKind::Snap, 5) {
            return Next::End;
        }
        match [a, b, c] {
            // RFC 1042, and bridged by IEEE 802.1H.
            [0, 0, 0] | [0, 0, 0xf8] => self.by_ether_type(u16::from_be_bytes([d, e])),
            _ => self.unknown(),
        }
    }

    pub(super) fn vlan(&mut self, kind: LayerKind) -> Next {
        let header = match SingleVlanHeaderSlice::from_slice(self.rest()) {
            Ok(header) => header,
            Err(error) => return self.cut(kind, error.required_len),
        };
        if !self.push(kind, header.slice().len()) {
            return Next::End;
        }
        self.by_type_or_length(header.ether_type().0)
    }

    pub(super) fn linux_cooked(&mut self) -> Next {
        let Some(header) = self.header::<16>(LayerKind::LinuxCooked) else { return Next::End };
        if !self.push(LayerKind::LinuxCooked, 16) {
            return Next::End;
        }
        let &[
            _,
            _,
            hardware_high,
            hardware_low,
            length_high,
            length_low,
            ref address @ ..,
            protocol_high,
            protocol_low,
        ] = header;
        self.cooked_source(u16::from_be_bytes([length_high, length_low]), address);
        self.by_cooked_protocol(
            u16::from_be_bytes([hardware_high, hardware_low]),
            u16::from_be_bytes([protocol_high, protocol_low]),
        )
    }

    pub(super) fn linux_cooked_2(&mut self) -> Next {
        let Some(header) = self.header::<20>(LayerKind::LinuxCooked2) else { return Next::End };
        if !self.push(LayerKind::LinuxCooked2, 20) {
            return Next::End;
        }
        let &[protocol_high, protocol_low, _, _, _, _, _, _, hardware_high, hardware_low, _, length, ref address @ ..] =
            header;
        self.cooked_source(length.into(), address);
        self.by_cooked_protocol(
            u16::from_be_bytes([hardware_high, hardware_low]),
            u16::from_be_bytes([protocol_high, protocol_low]),
        )
    }

    fn cooked_source(&mut self, length: u16, address: &[u8; 8]) {
        if let (6, &[a, b, c, d, e, f, _, _]) = (length, address) {
            self.frame.ethernet = Some(Mac { source: [a, b, c, d, e, f], destination: None });
        }
    }

    fn by_cooked_protocol(&mut self, hardware: u16, protocol: u16) -> Next {
        match (hardware, protocol) {
            (ARPHRD_NETLINK, _) => self.unknown(),
            (_, COOKED_LLC) => Next::Llc,
            (_, 0..=LENGTH_802_3) => self.unknown(),
            _ => self.by_ether_type(protocol),
        }
    }

    pub(super) fn loopback(&mut self) -> Next {
        let Some(header) = self.header::<4>(LayerKind::Loopback) else { return Next::End };
        if !self.push(LayerKind::Loopback, 4) {
            return Next::End;
        }
        // Address families are small numbers: the byte order that makes it one is the right one.
        match u32::from_be_bytes(*header).min(u32::from_le_bytes(*header)) {
            2 => Next::Ipv4,
            // NetBSD and OpenBSD, FreeBSD, Darwin.
            24 | 28 | 30 => Next::Ipv6,
            // Linux, Windows, Solaris; something else on BSD.
            10 | 23 | 26 if self.rest().first().is_none_or(|first| first >> 4 == 6) => Next::Ipv6,
            // Some systems put an EtherType here.
            other => match u16::try_from(other) {
                Ok(ether_type) if ether_type > LENGTH_802_3 => self.by_ether_type(ether_type),
                _ => self.unknown(),
            },
        }
    }

    pub(super) fn nflog(&mut self) -> Next {
        let Some(&[family, ..]) = self.header::<4>(LayerKind::Nflog) else { return Next::End };
        // The fields are in the byte order of the capturing host, which nothing states: the one in
        // which they lead to the packet is the right one.
        let rest = self.rest();
        let little = nflog_payload(rest, u16::from_le_bytes);
        let found = little.or_else(|cut| nflog_payload(rest, u16::from_be_bytes).map_err(|other| cut.min(other)));
        let (start, len) = match found {
            Ok(found) => found,
            Err(needed) => return self.cut(LayerKind::Nflog, needed),
        };
        self.limit(start.saturating_add(len));
        if !self.push(LayerKind::Nflog, start) {
            return Next::End;
        }
        match family {
            2 => Next::Ipv4,
            10 => Next::Ipv6,
            _ => self.unknown(),
        }
    }

    /// RFC 1662 §3.1: address and control may be left out, and the first octet of the protocol.
    pub(super) fn ppp(&mut self) -> Next {
        let rest = self.rest();
        let framing = if rest.starts_with(&[0xff, 0x03]) { 2 } else { 0 };
        let (protocol, len) = match rest.get(framing..) {
            Some(&[0xff]) => return self.cut(LayerKind::Ppp, 4),
            Some(&[low, ..]) if low & 1 == 1 => (u16::from(low), 1),
            Some(&[high, low, ..]) => (u16::from_be_bytes([high, low]), 2),
            _ => return self.cut(LayerKind::Ppp, framing + 2),
        };
        if !self.push(LayerKind::Ppp, framing + len) {
            return Next::End;
        }
        match protocol {
            0x0021 => Next::Ipv4,
            0x0057 => Next::Ipv6,
            0x0281 | 0x0283 => Next::Mpls,
            _ => self.unknown(),
        }
    }

    pub(super) fn ppp_serial(&mut self) -> Next {
        match self.rest() {
            // Cisco's unicast and multicast addresses; PPP has 0xff.
            [0x0f | 0x8f, ..] => Next::CiscoHdlc,
            _ => Next::Ppp,
        }
    }

    pub(super) fn cisco_hdlc(&mut self) -> Next {
        let Some(&[_, _, high, low]) = self.header(LayerKind::CiscoHdlc) else { return Next::End };
        if !self.push(LayerKind::CiscoHdlc, 4) {
            return Next::End;
        }
        self.by_ether_type(u16::from_be_bytes([high, low]))
    }

    pub(super) fn pppoe(&mut self) -> Next {
        let Some(&[_, code, _, _, high, low]) = self.header(LayerKind::Pppoe) else { return Next::End };
        self.limit(6 + usize::from(u16::from_be_bytes([high, low])));
        if !self.push(LayerKind::Pppoe, 6) {
            return Next::End;
        }
        // RFC 2516 §4: zero is the code of session data.
        if code == 0 { Next::Ppp } else { self.unknown() }
    }

    pub(super) fn arp(&mut self) -> Next {
        let mut message = self.rest();
        if let Some(fixed) = self.header::<8>(LayerKind::Arp) {
            // Two hardware and two protocol addresses follow, of the lengths that octets 4 and 5 state.
            let len = 8 + 2 * (usize::from(fixed[4]) + usize::from(fixed[5]));
            if let Some(whole) = self.whole(LayerKind::Arp, len)
                && self.push(LayerKind::Arp, len)
            {
                message = whole;
                self.end = self.at;
            }
        }
        self.frame.transport = Transport::Arp(message);
        Next::End
    }
}

/// Where the packet in an NFLOG message is: (its first octet, its length). `Err`: the message is not
/// long enough to tell; so many octets would bring the next field.
fn nflog_payload(message: &[u8], number: impl Fn([u8; 2]) -> u16) -> Result<(usize, usize), usize> {
    let mut at = 4usize;
    loop {
        let &[a, b, c, d] = message.get(at..).and_then(<[u8]>::first_chunk).ok_or(at + 4)?;
        let (length, kind) = (usize::from(number([a, b])), number([c, d]));
        // A length that does not even count itself ends the fields as well as the message would.
        let len = length.checked_sub(4).ok_or(message.len() + 4)?;
        if kind == NFLOG_PAYLOAD {
            return Ok((at + 4, len));
        }
        at += length.next_multiple_of(4);
    }
}

/// The largest value of the type field that is a length.
const LENGTH_802_3: u16 = 1500;
const SAP_SNAP: u8 = 0xaa;
const SAP_IP: u8 = 0x06;
const UNNUMBERED_INFORMATION: u8 = 0x03;
/// Linux's ETH_P_802_2 in a cooked header.
const COOKED_LLC: u16 = 4;
const ARPHRD_NETLINK: u16 = 824;
const NFLOG_PAYLOAD: u16 = 9;
