//! The headers of a packet, outermost first, in little memory.

use crate::limits;
use std::fmt;

/// The headers of one packet, outermost first. They follow each other without a hole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Layers {
    /// Where each layer ends; it begins where the one before ends.
    ends: [u16; limits::LAYERS],
    kinds: [LayerKind; limits::LAYERS],
    count: u8,
}

impl Layers {
    /// No layer.
    #[must_use]
    pub const fn new() -> Layers {
        Layers { ends: [0; limits::LAYERS], kinds: [LayerKind::Ethernet; limits::LAYERS], count: 0 }
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// Whether there is none: raw contents, or a packet that is cut in its first header.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The `index`th from outside.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<Layer> {
        if index >= self.len() {
            return None;
        }
        let start = match index.checked_sub(1) {
            None => 0,
            Some(before) => self.ends[before],
        };
        Some(Layer { kind: self.kinds[index], start: start.into(), end: self.ends[index].into() })
    }

    /// The innermost.
    #[must_use]
    pub fn last(&self) -> Option<Layer> {
        self.at(self.len().checked_sub(1)?)
    }

    /// The innermost of a kind.
    #[must_use]
    pub fn find(&self, kind: LayerKind) -> Option<Layer> {
        (0..self.len()).rev().find(|i| self.kinds[*i] == kind).and_then(|i| self.at(i))
    }

    /// All, outermost first.
    #[must_use]
    pub fn iter(&self) -> LayersIter<'_> {
        LayersIter { layers: self, index: 0 }
    }

    /// Adds a layer that ends at `end`. False: there is no room for it.
    #[inline]
    pub(super) fn push(&mut self, kind: LayerKind, end: usize) -> bool {
        let (index, Ok(end)) = (self.len(), u16::try_from(end)) else { return false };
        if index >= limits::LAYERS {
            return false;
        }
        self.ends[index] = end;
        self.kinds[index] = kind;
        self.count += 1;
        true
    }
}

impl Default for Layers {
    fn default() -> Layers {
        Layers::new()
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl<'a> IntoIterator for &'a Layers {
    type Item = Layer;
    type IntoIter = LayersIter<'a>;

    fn into_iter(self) -> LayersIter<'a> {
        self.iter()
    }
}

/// What [`Layers::iter`] returns.
#[derive(Clone, Debug)]
pub struct LayersIter<'a> {
    layers: &'a Layers,
    index: usize,
}

impl Iterator for LayersIter<'_> {
    type Item = Layer;

    fn next(&mut self) -> Option<Layer> {
        let layer = self.layers.at(self.index)?;
        self.index += 1;
        Some(layer)
    }
}

/// One header: what it is, and its octets `start..end` in [`Frame::bytes`](super::Frame::bytes).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layer {
    /// What it is.
    pub kind: LayerKind,
    /// Its first octet.
    pub start: u32,
    /// The octet after its last.
    pub end: u32,
}

/// What a header is. Prints the name that Wireshark's tree would use, in short.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum LayerKind {
    /// Ethernet II or IEEE 802.3: addresses, type or length.
    Ethernet,
    /// IEEE 802.2 logical link control.
    Llc,
    /// Subnetwork access protocol, after LLC: organisation and type (RFC 1042).
    Snap,
    /// IEEE 802.1Q tag.
    Vlan,
    /// IEEE 802.1ad service tag ("QinQ"), 0x9100 and 0x9200 included.
    ServiceVlan,
    /// Linux cooked capture, version 1.
    LinuxCooked,
    /// Linux cooked capture, version 2.
    LinuxCooked2,
    /// Address family in front of a packet from a BSD loopback interface.
    Loopback,
    /// NFLOG header and its fields.
    Nflog,
    /// Point-to-Point Protocol: address, control, protocol (RFC 1661, RFC 1662).
    Ppp,
    /// PPP over Ethernet (RFC 2516).
    Pppoe,
    /// Cisco HDLC.
    CiscoHdlc,
    /// One MPLS label (RFC 3032).
    Mpls,
    /// Pseudowire control word (RFC 4385).
    ControlWord,
    /// Generic Routing Encapsulation (RFC 2784, RFC 2890, RFC 2637).
    Gre,
    /// Ethernet in IP (RFC 3378).
    EtherIp,
    /// Encapsulated remote switched port analyser header, of a mirror port.
    Erspan,
    /// An IP header whose version was not read. Only in a [`Stop`](super::Stop).
    Ip,
    /// IPv4 (RFC 791), options included.
    Ipv4,
    /// IPv6 (RFC 8200), without extension headers.
    Ipv6,
    /// IPv6 hop-by-hop options (RFC 8200 §4.3).
    HopByHop,
    /// IPv6 routing header (RFC 8200 §4.4).
    Routing,
    /// IPv6 fragment header (RFC 8200 §4.5).
    Fragment,
    /// IPv6 destination options (RFC 8200 §4.6).
    Destination,
    /// IP authentication header (RFC 4302).
    Authentication,
    /// Another IPv6 extension header: mobility, host identity, shim6.
    Extension,
    /// TCP (RFC 9293), options included.
    Tcp,
    /// UDP (RFC 768).
    Udp,
    /// ICMP (RFC 792): type, code, checksum, rest of header.
    Icmpv4,
    /// ICMPv6 (RFC 4443): type, code, checksum.
    Icmpv6,
    /// ARP (RFC 826), the whole message.
    Arp,
}

impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            LayerKind::Ethernet => "Ethernet",
            LayerKind::Llc => "LLC",
            LayerKind::Snap => "SNAP",
            LayerKind::Vlan => "802.1Q VLAN",
            LayerKind::ServiceVlan => "802.1ad VLAN",
            LayerKind::LinuxCooked => "Linux cooked v1",
            LayerKind::LinuxCooked2 => "Linux cooked v2",
            LayerKind::Loopback => "Null/Loopback",
            LayerKind::Nflog => "NFLOG",
            LayerKind::Ppp => "PPP",
            LayerKind::Pppoe => "PPPoE",
            LayerKind::CiscoHdlc => "Cisco HDLC",
            LayerKind::Mpls => "MPLS",
            LayerKind::ControlWord => "PW control word",
            LayerKind::Gre => "GRE",
            LayerKind::EtherIp => "EtherIP",
            LayerKind::Erspan => "ERSPAN",
            LayerKind::Ip => "IP",
            LayerKind::Ipv4 => "IPv4",
            LayerKind::Ipv6 => "IPv6",
            LayerKind::HopByHop => "IPv6 hop-by-hop options",
            LayerKind::Routing => "IPv6 routing header",
            LayerKind::Fragment => "IPv6 fragment header",
            LayerKind::Destination => "IPv6 destination options",
            LayerKind::Authentication => "Authentication header",
            LayerKind::Extension => "IPv6 extension header",
            LayerKind::Tcp => "TCP",
            LayerKind::Udp => "UDP",
            LayerKind::Icmpv4 => "ICMP",
            LayerKind::Icmpv6 => "ICMPv6",
            LayerKind::Arp => "ARP",
        })
    }
}
