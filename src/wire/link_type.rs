//! Numbers of link types, as capture files state them.

use std::fmt;

/// How packets of an interface begin: a number of the LINKTYPE_ registry. Prints its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LinkType(pub u32);

impl LinkType {
    /// BSD loopback: an address family in the byte order of the capturing host.
    pub const NULL: LinkType = LinkType(0);
    /// Ethernet.
    pub const ETHERNET: LinkType = LinkType(1);
    /// Point-to-Point Protocol, with or without address and control.
    pub const PPP: LinkType = LinkType(9);
    /// Raw IP, by the number that most systems give DLT_RAW; not in the registry, but found in files.
    pub const DLT_RAW: LinkType = LinkType(12);
    /// Raw IP, by the number that OpenBSD gives DLT_RAW; not in the registry, but found in files.
    pub const DLT_RAW_OPENBSD: LinkType = LinkType(14);
    /// PPP in HDLC-like framing, or Cisco HDLC.
    pub const PPP_SERIAL: LinkType = LinkType(50);
    /// PPP over Ethernet, from the PPPoE header on.
    pub const PPPOE: LinkType = LinkType(51);
    /// Raw IP: version 4 or 6.
    pub const RAW: LinkType = LinkType(101);
    /// Cisco HDLC.
    pub const CISCO_HDLC: LinkType = LinkType(104);
    /// OpenBSD loopback: an address family in network byte order.
    pub const LOOP: LinkType = LinkType(108);
    /// Linux cooked capture, version 1.
    pub const LINUX_SLL: LinkType = LinkType(113);
    /// Raw IPv4.
    pub const IPV4: LinkType = LinkType(228);
    /// Raw IPv6.
    pub const IPV6: LinkType = LinkType(229);
    /// Linux netfilter log messages.
    pub const NFLOG: LinkType = LinkType(239);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: LinkType = LinkType(276);

    /// All that [`decode`](super::decode) understands.
    pub const KNOWN: &[LinkType] = &[
        LinkType::NULL,
        LinkType::ETHERNET,
        LinkType::PPP,
        LinkType::DLT_RAW,
        LinkType::DLT_RAW_OPENBSD,
        LinkType::PPP_SERIAL,
        LinkType::PPPOE,
        LinkType::RAW,
        LinkType::CISCO_HDLC,
        LinkType::LOOP,
        LinkType::LINUX_SLL,
        LinkType::IPV4,
        LinkType::IPV6,
        LinkType::NFLOG,
        LinkType::LINUX_SLL2,
    ];

    /// Whether [`decode`](super::decode) understands it.
    #[must_use]
    pub fn is_known(self) -> bool {
        LinkType::KNOWN.contains(&self)
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            LinkType::NULL => "BSD loopback",
            LinkType::ETHERNET => "Ethernet",
            LinkType::PPP => "PPP",
            LinkType::DLT_RAW | LinkType::DLT_RAW_OPENBSD | LinkType::RAW => "raw IP",
            LinkType::PPP_SERIAL => "PPP over serial line",
            LinkType::PPPOE => "PPPoE",
            LinkType::CISCO_HDLC => "Cisco HDLC",
            LinkType::LOOP => "OpenBSD loopback",
            LinkType::LINUX_SLL => "Linux cooked v1",
            LinkType::IPV4 => "raw IPv4",
            LinkType::IPV6 => "raw IPv6",
            LinkType::NFLOG => "NFLOG",
            LinkType::LINUX_SLL2 => "Linux cooked v2",
            LinkType(number) => return write!(f, "link type {number}"),
        };
        f.pad(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_link_types_print_a_name_and_others_their_number() {
        assert_eq!(LinkType::ETHERNET.to_string(), "Ethernet");
        assert_eq!(LinkType(147).to_string(), "link type 147");
        for known in LinkType::KNOWN {
            assert!(!known.to_string().starts_with("link type"), "{known:?}");
        }
    }
}
