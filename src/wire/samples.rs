//! Packets for tests: the same mail segment behind each header that there is.

use super::LayerKind::{self, *};
use super::LinkType;

/// A packet and what is to be found in it.
pub(super) struct Sample {
    pub(super) name: &'static str,
    pub(super) link_type: LinkType,
    pub(super) packet: Vec<u8>,
    pub(super) layers: Vec<LayerKind>,
}

pub(super) const PAYLOAD: &[u8] = b"EHLO mail.example.org\r\n";
pub(super) const SOURCE_4: [u8; 4] = [192, 0, 2, 1];
pub(super) const DESTINATION_4: [u8; 4] = [198, 51, 100, 2];
pub(super) const SOURCE_6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
pub(super) const DESTINATION_6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
pub(super) const SOURCE_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// A TCP header with ports 40000 and 25, and options of a multiple of four octets.
pub(super) fn tcp(options: &[u8], payload: &[u8]) -> Vec<u8> {
    let offset = ((20 + options.len()) / 4) as u8;
    let fixed = [0x9c, 0x40, 0, 25, 1, 2, 3, 4, 5, 6, 7, 8, offset << 4, 0x18, 0x20, 0, 0xab, 0xcd, 0, 0];
    [&fixed[..], options, payload].concat()
}

/// The segment that the samples carry.
pub(super) fn segment() -> Vec<u8> {
    tcp(&[1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9], PAYLOAD)
}

/// An IPv4 datagram; `fragment` is the field with flags and offset.
pub(super) fn ipv4_part(protocol: u8, identification: u16, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let [total_high, total_low] = ((20 + payload.len()) as u16).to_be_bytes();
    let [id_high, id_low] = identification.to_be_bytes();
    let [fragment_high, fragment_low] = fragment.to_be_bytes();
    let fixed = [0x45, 0, total_high, total_low, id_high, id_low, fragment_high, fragment_low, 64, protocol, 0, 0];
    [&fixed[..], &SOURCE_4, &DESTINATION_4, payload].concat()
}

/// A whole IPv4 datagram.
pub(super) fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_part(protocol, 7, 0x4000, payload)
}

/// An IPv6 datagram.
pub(super) fn ipv6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (payload.len() as u16).to_be_bytes();
    [&[0x6b, 0x81, 0x23, 0x45, high, low, next_header, 64][..], &SOURCE_6, &DESTINATION_6, payload].concat()
}

/// An Ethernet II frame.
pub(super) fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 2][..], &SOURCE_MAC, &ether_type.to_be_bytes(), payload].concat()
}

/// An IEEE 802.3 frame.
fn ethernet_802_3(payload: &[u8]) -> Vec<u8> {
    ethernet(payload.len() as u16, payload)
}

/// Every link type and every header, each around the same segment.
pub(super) fn all() -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut add = |name, link_type, before: &[u8], inner: &[u8], layers: &[LayerKind]| {
        samples.push(Sample { name, link_type, packet: [before, inner].concat(), layers: layers.to_vec() });
    };
    let (four, six) = (&ipv4(6, &segment())[..], &ipv6(6, &segment())[..]);
    let none = &[][..];
    links(&mut add, four, six);
    tagged(&mut add, four, six);
    let raw = LinkType::RAW;
    for (name, protocol, header, layers) in tunnels() {
        let layers = [&[Ipv4][..], layers, &[Ipv4, Tcp]].concat();
        add(name, raw, &ipv4(protocol, &[header, four].concat()), none, &layers);
    }
    for (name, protocol, header, layers) in extensions() {
        let layers = [&[Ipv6][..], layers, &[Tcp]].concat();
        add(name, raw, &ipv6(protocol, &[header, &segment()[..]].concat()), none, &layers);
    }
    add("6in4", raw, &ipv4(41, six), none, &[Ipv4, Ipv6, Tcp]);
    add("4in6", raw, &ipv6(4, four), none, &[Ipv6, Ipv4, Tcp]);
    add(
        "GRE in GRE",
        raw,
        &ipv4(47, &[&[0, 0, 8, 0][..], &ipv4(47, &[&[0, 0, 8, 0], four].concat())].concat()),
        none,
        &[Ipv4, Gre, Ipv4, Gre, Ipv4, Tcp],
    );
    samples
}

type Add<'a> = dyn FnMut(&'static str, LinkType, &[u8], &[u8], &[LayerKind]) + 'a;

fn links(add: &mut Add<'_>, four: &[u8], six: &[u8]) {
    add("raw IPv4", LinkType::RAW, &[], four, &[Ipv4, Tcp]);
    add("raw IPv6", LinkType::RAW, &[], six, &[Ipv6, Tcp]);
    add("DLT_RAW 12", LinkType::DLT_RAW, &[], six, &[Ipv6, Tcp]);
    add("DLT_RAW 14", LinkType::DLT_RAW_OPENBSD, &[], four, &[Ipv4, Tcp]);
    add("link type IPv4", LinkType::IPV4, &[], four, &[Ipv4, Tcp]);
    add("link type IPv6", LinkType::IPV6, &[], six, &[Ipv6, Tcp]);
    add("loopback, little-endian", LinkType::NULL, &[2, 0, 0, 0], four, &[Loopback, Ipv4, Tcp]);
    add("loopback, big-endian", LinkType::NULL, &[0, 0, 0, 2], four, &[Loopback, Ipv4, Tcp]);
    for family in [10, 23, 24, 26, 28, 30] {
        add("loopback, IPv6", LinkType::NULL, &[family, 0, 0, 0], six, &[Loopback, Ipv6, Tcp]);
        add("OpenBSD loopback, IPv6", LinkType::LOOP, &[0, 0, 0, family], six, &[Loopback, Ipv6, Tcp]);
    }
    let cooked = [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0];
    add("Linux cooked v1", LinkType::LINUX_SLL, &cooked, four, &[LinuxCooked, Ipv4, Tcp]);
    let cooked = [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x81, 0, 0, 5, 0x86, 0xdd];
    add("Linux cooked v1, tagged", LinkType::LINUX_SLL, &cooked, six, &[LinuxCooked, Vlan, Ipv6, Tcp]);
    let cooked = [8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
    add("Linux cooked v2", LinkType::LINUX_SLL2, &cooked, four, &[LinuxCooked2, Ipv4, Tcp]);
    add("PPP", LinkType::PPP, &[0, 0x21], four, &[Ppp, Ipv4, Tcp]);
    add("PPP, framed", LinkType::PPP, &[0xff, 3, 0, 0x57], six, &[Ppp, Ipv6, Tcp]);
    add("PPP, compressed", LinkType::PPP, &[0x21], four, &[Ppp, Ipv4, Tcp]);
    add("PPP, labelled", LinkType::PPP, &[2, 0x81, 0, 1, 1, 64], four, &[Ppp, Mpls, Ipv4, Tcp]);
    add("serial PPP", LinkType::PPP_SERIAL, &[0xff, 3, 0, 0x21], four, &[Ppp, Ipv4, Tcp]);
    add("serial Cisco", LinkType::PPP_SERIAL, &[0x0f, 0, 0x86, 0xdd], six, &[CiscoHdlc, Ipv6, Tcp]);
    add("Cisco HDLC", LinkType::CISCO_HDLC, &[0x8f, 0, 8, 0], four, &[CiscoHdlc, Ipv4, Tcp]);
    let [high, low] = (four.len() as u16 + 2).to_be_bytes();
    add("PPPoE", LinkType::PPPOE, &[0x11, 0, 0, 9, high, low, 0, 0x21], four, &[Pppoe, Ppp, Ipv4, Tcp]);
    let [high, low] = (four.len() as u16 + 4).to_be_bytes();
    let mark = [2, 0, 0, 9, 5, 0, 10, 0, b'm', 0, 0, 0, low, high, 9, 0];
    add("NFLOG, little-endian", LinkType::NFLOG, &mark, four, &[Nflog, Ipv4, Tcp]);
    let [high, low] = (six.len() as u16 + 4).to_be_bytes();
    add("NFLOG, big-endian", LinkType::NFLOG, &[10, 0, 0, 9, high, low, 0, 9], six, &[Nflog, Ipv6, Tcp]);
}

fn tagged(add: &mut Add<'_>, four: &[u8], six: &[u8]) {
    let link = LinkType::ETHERNET;
    let mut frame = |name, packet: &[u8], layers: &[LayerKind]| add(name, link, packet, &[], layers);
    frame("Ethernet", &ethernet(0x0800, four), &[Ethernet, Ipv4, Tcp]);
    frame("Ethernet, IPv6", &ethernet(0x86dd, six), &[Ethernet, Ipv6, Tcp]);
    let with = |header: &[u8], inner: &[u8]| [header, inner].concat();
    frame("802.1Q", &ethernet(0x8100, &with(&[0, 5, 8, 0], four)), &[Ethernet, Vlan, Ipv4, Tcp]);
    let tags = [0, 5, 0x81, 0, 0, 6, 0x86, 0xdd];
    frame("802.1ad", &ethernet(0x88a8, &with(&tags, six)), &[Ethernet, ServiceVlan, Vlan, Ipv6, Tcp]);
    frame("0x9100", &ethernet(0x9100, &with(&tags, six)), &[Ethernet, ServiceVlan, Vlan, Ipv6, Tcp]);
    let snap = with(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], four);
    frame("SNAP", &ethernet_802_3(&snap), &[Ethernet, Llc, Snap, Ipv4, Tcp]);
    let tagged_snap = with(&[&[0, 5][..], &(snap.len() as u16).to_be_bytes()].concat(), &snap);
    frame("tagged SNAP", &ethernet(0x8100, &tagged_snap), &[Ethernet, Vlan, Llc, Snap, Ipv4, Tcp]);
    frame("IP over LLC", &ethernet_802_3(&with(&[6, 6, 3], four)), &[Ethernet, Llc, Ipv4, Tcp]);
    let [high, low] = (four.len() as u16 + 2).to_be_bytes();
    let session = with(&[0x11, 0, 0, 9, high, low, 0, 0x21], four);
    frame("PPPoE session", &ethernet(0x8864, &session), &[Ethernet, Pppoe, Ppp, Ipv4, Tcp]);
    let labels = [0, 1, 0, 64, 0, 1, 1, 64];
    frame("MPLS", &ethernet(0x8847, &with(&labels, six)), &[Ethernet, Mpls, Mpls, Ipv6, Tcp]);
    let wire = with(&[0, 1, 1, 64, 0, 0, 0, 0], &ethernet(0x0800, four));
    frame("pseudowire", &ethernet(0x8848, &wire), &[Ethernet, Mpls, ControlWord, Ethernet, Ipv4, Tcp]);
}

type Header = (&'static str, u8, &'static [u8], &'static [LayerKind]);

/// What stands between two IPv4 headers: name, protocol number, octets, layers.
fn tunnels() -> [Header; 14] {
    const MAC: [u8; 14] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    const fn bridged<const N: usize>(before: &[u8]) -> [u8; N] {
        let mut octets = [0; N];
        let mut at = 0;
        while at < N {
            octets[at] = if at < before.len() { before[at] } else { MAC[at - before.len()] };
            at += 1;
        }
        octets
    }
    const BRIDGED: [u8; 22] = bridged(&[0x20, 0, 0x65, 0x58, 0, 0, 0, 9]);
    const ETHER_IP: [u8; 16] = bridged(&[0x30, 0]);
    const ERSPAN_1: [u8; 18] = bridged(&[0, 0, 0x88, 0xbe]);
    const ERSPAN_2: [u8; 30] = bridged(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0, 1, 0, 0, 0, 1]);
    const ERSPAN_3: [u8; 42] =
        bridged(&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    [
        ("IP in IP", 4, &[], &[]),
        (
            "authenticated",
            51,
            &[4, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
            &[Authentication],
        ),
        ("GRE", 47, &[0, 0, 8, 0], &[Gre]),
        ("GRE with checksum", 47, &[0x80, 0, 8, 0, 1, 2, 0, 0], &[Gre]),
        ("GRE with all", 47, &[0xb0, 0, 8, 0, 1, 2, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1], &[Gre]),
        ("GRE with routes", 47, &[0x40, 0, 8, 0, 1, 2, 0, 0, 8, 0, 0, 4, 192, 0, 2, 9, 0, 0, 0, 0], &[Gre]),
        ("PPTP", 47, &[0x30, 0x81, 0x88, 0x0b, 0, 90, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 3, 0, 0x21], &[Gre, Ppp]),
        ("bridged GRE", 47, &BRIDGED, &[Gre, Ethernet]),
        ("EtherIP", 97, &ETHER_IP, &[EtherIp, Ethernet]),
        ("MPLS in IP", 137, &[0, 1, 1, 64], &[Mpls]),
        ("MPLS in GRE", 47, &[0, 0, 0x88, 0x47, 0, 1, 1, 64], &[Gre, Mpls]),
        ("ERSPAN I", 47, &ERSPAN_1, &[Gre, Ethernet]),
        ("ERSPAN II", 47, &ERSPAN_2, &[Gre, Erspan, Ethernet]),
        ("ERSPAN III", 47, &ERSPAN_3, &[Gre, Erspan, Ethernet]),
    ]
}

/// What stands between an IPv6 header and the segment.
fn extensions() -> [Header; 7] {
    [
        ("hop-by-hop", 0, &[6, 0, 1, 4, 0, 0, 0, 0], &[HopByHop]),
        ("routing", 43, &[6, 2, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], &[Routing]),
        ("destination", 60, &[6, 0, 1, 4, 0, 0, 0, 0], &[Destination]),
        ("atomic fragment", 44, &[6, 0, 0, 0, 0, 0, 0, 9], &[Fragment]),
        ("authenticated IPv6", 51, &[6, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4], &[Authentication]),
        ("mobility", 135, &[6, 0, 1, 4, 0, 0, 0, 0], &[Extension]),
        (
            "four in a row",
            0,
            &[60, 0, 1, 4, 0, 0, 0, 0, 43, 0, 1, 4, 0, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0],
            &[HopByHop, Destination, Routing, Destination],
        ),
    ]
}
