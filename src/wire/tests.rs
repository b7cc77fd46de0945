//! Tests of decoding.

use super::samples::{self, PAYLOAD, Sample};
use super::*;
use crate::limits;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn tcp<'a>(frame: &Frame<'a>) -> Tcp<'a> {
    match frame.transport {
        Transport::Tcp(tcp) => tcp,
        other => panic!("no TCP: {other:?} {:?} {:?}", frame.layers, frame.stop),
    }
}

fn kinds(frame: &Frame<'_>) -> Vec<LayerKind> {
    frame.layers.iter().map(|layer| layer.kind).collect()
}

fn stop(frame: &Frame<'_>) -> String {
    frame.stop.map(|stop| stop.to_string()).unwrap_or_default()
}

/// The next pseudo-random number (xorshift).
fn random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state as usize
}

#[test]
fn finds_the_segment_behind_every_header() {
    for Sample { name, link_type, packet, layers } in samples::all() {
        let frame = decode(link_type, &packet);
        check(&frame);
        assert_eq!(frame.stop, None, "{name}");
        assert_eq!(kinds(&frame), layers, "{name}");
        let tcp = tcp(&frame);
        assert_eq!((tcp.source_port, tcp.destination_port), (40000, 25), "{name}");
        assert_eq!((tcp.sequence, tcp.acknowledgment), (0x0102_0304, 0x0506_0708), "{name}");
        assert_eq!((tcp.window, tcp.checksum, tcp.urgent_pointer), (0x2000, 0xabcd, 0), "{name}");
        assert_eq!(tcp.flags, TcpFlags::ACK | TcpFlags::PSH, "{name}");
        assert_eq!(tcp.options().last(), Some(TcpOption::Timestamps { value: 7, echo: 9 }), "{name}");
        assert_eq!((tcp.payload, tcp.payload_len), (PAYLOAD, PAYLOAD.len() as u32), "{name}");
        let ip = frame.ip.expect(name);
        assert_eq!((ip.protocol, ip.ttl), (6, 64), "{name}");
        let (source, destination) = match ip.source {
            IpAddr::V4(_) => (samples::SOURCE_4.into(), samples::DESTINATION_4.into()),
            IpAddr::V6(_) => (samples::SOURCE_6.into(), samples::DESTINATION_6.into()),
        };
        assert_eq!((ip.source, ip.destination), (source, destination), "{name}");
        assert_eq!((ip.total_len - ip.header_len) as usize, 32 + PAYLOAD.len(), "{name}");
        if let Some(mac) = frame.ethernet {
            assert_eq!(mac.source, samples::SOURCE_MAC, "{name}");
        }
    }
}

#[test]
fn a_packet_cut_at_any_length_says_what_is_missing() {
    for Sample { name, link_type, packet, layers } in samples::all() {
        let headers = decode(link_type, &packet).payload_range().0;
        for len in 0..packet.len() {
            let frame = decode(link_type, &packet[..len]);
            check(&frame);
            assert!(layers.starts_with(&kinds(&frame)), "{name} cut to {len}");
            if len >= headers {
                let tcp = tcp(&frame);
                assert_eq!((frame.stop, tcp.payload_len as usize), (None, PAYLOAD.len()), "{name} cut to {len}");
                assert_eq!(tcp.payload.len(), len - headers, "{name} cut to {len}");
                continue;
            }
            let stop = frame.stop.unwrap_or_else(|| panic!("{name} cut to {len} does not stop"));
            let StopReason::Cut { needed, captured } = stop.reason else { panic!("{name} cut to {len}: {stop}") };
            assert!(needed > captured && stop.at + captured == len as u32, "{name} cut to {len}: {stop:?}");
        }
    }
}

#[test]
fn a_tcp_header_whose_options_are_cut_still_tells_ports_and_length() {
    let packet = samples::ethernet(0x0800, &samples::ipv4(6, &samples::segment()));
    let frame = decode(LinkType::ETHERNET, &packet[..58]);
    let tcp = tcp(&frame);
    assert_eq!((tcp.destination_port, tcp.options, tcp.payload), (25, &[1, 1, 8, 10][..], &[][..]));
    assert_eq!(tcp.payload_len as usize, PAYLOAD.len());
    assert_eq!(stop(&frame), "TCP header cut: 32 octets needed, 24 captured");
}

#[test]
fn padding_after_the_datagram_is_a_trailer() {
    let datagram = samples::ipv4(6, &samples::tcp(&[], b""));
    let packet = samples::ethernet(0x0800, &[&datagram[..], &[0; 6]].concat());
    let frame = decode(LinkType::ETHERNET, &packet);
    check(&frame);
    assert_eq!((tcp(&frame).payload, tcp(&frame).payload_len), (&[][..], 0));
    assert_eq!((frame.payload_range(), frame.trailer_range()), ((54, 54), (54, 60)));
}

#[test]
fn a_total_length_of_zero_takes_what_was_captured() {
    let mut packet = samples::ipv4(6, &samples::segment());
    packet[2..4].fill(0);
    let frame = decode(LinkType::RAW, &packet);
    assert_eq!((tcp(&frame).payload, tcp(&frame).payload_len as usize), (PAYLOAD, PAYLOAD.len()));
    assert_eq!(frame.ip.map(|ip| ip.total_len), Some(0));
    let mut packet = samples::ipv6(6, &samples::segment());
    packet[4..6].fill(0);
    assert_eq!(tcp(&decode(LinkType::RAW, &packet)).payload, PAYLOAD);
}

#[test]
fn a_jumbo_payload_option_states_the_length() {
    let jumbo = |len: u32| [&[6, 0, 0xc2, 4][..], &len.to_be_bytes(), &samples::segment()].concat();
    for (len, payload_len) in [(70_000, 70_000 - 8 - 32), (8 + 32 + 5, 5)] {
        let mut packet = samples::ipv6(0, &jumbo(len));
        packet[4..6].fill(0);
        let frame = decode(LinkType::RAW, &packet);
        check(&frame);
        assert_eq!((tcp(&frame).payload_len, frame.ip.map(|ip| ip.total_len)), (payload_len, Some(40 + len)));
    }
}

#[test]
fn a_length_that_cannot_be_stops_with_the_addresses_known() {
    let mut packet = samples::ipv4(6, &samples::segment());
    packet[2..4].copy_from_slice(&[0, 19]);
    let frame = decode(LinkType::RAW, &packet);
    assert_eq!(stop(&frame), "IPv4 header states a length of 19 octets, at least 20 needed");
    assert_eq!(frame.stop.map(|stop| stop.at), Some(0));
    assert!(frame.ip.is_some() && matches!(frame.transport, Transport::OtherIp { protocol: 6, .. }));

    packet[2..4].copy_from_slice(&[0, 30]);
    let frame = decode(LinkType::RAW, &packet);
    assert_eq!(stop(&frame), "TCP header does not fit: 20 octets needed, the length before it leaves 10");

    let mut packet = samples::ipv4(6, &samples::segment());
    packet[32] = 0x40;
    assert_eq!(stop(&decode(LinkType::RAW, &packet)), "TCP header states a length of 16 octets, at least 20 needed");
    packet[0] = 0x44;
    assert_eq!(stop(&decode(LinkType::RAW, &packet)), "IPv4 header states a length of 16 octets, at least 20 needed");
}

#[test]
fn a_version_that_belongs_to_another_protocol_stops() {
    let packet = samples::ethernet(0x0800, &samples::ipv6(6, &samples::segment()));
    assert_eq!(stop(&decode(LinkType::ETHERNET, &packet)), "IPv4 header has version 6");
    let packet = samples::ethernet(0x86dd, &samples::ipv4(6, &samples::segment()));
    assert_eq!(stop(&decode(LinkType::ETHERNET, &packet)), "IPv6 header has version 4");
    assert_eq!(stop(&decode(LinkType::RAW, &[0x10])), "IP header has version 1");
}

#[test]
fn an_inner_length_beyond_the_outer_is_not_believed() {
    let mut inner = samples::ipv4(6, &samples::segment());
    inner[2..4].copy_from_slice(&[0xff, 0xff]);
    let packet = samples::ipv4(4, &inner);
    let frame = decode(LinkType::RAW, &packet);
    assert_eq!(tcp(&frame).payload_len as usize, PAYLOAD.len());
    // Without anything around it, it is: the capture may be cut.
    assert_eq!(tcp(&decode(LinkType::RAW, &inner)).payload_len, 0xffff - 52);
    let frame = decode_with_original(LinkType::RAW, &inner, inner.len() as u32);
    assert_eq!(tcp(&frame).payload_len as usize, PAYLOAD.len());
    let frame = decode_with_original(LinkType::RAW, &inner[..60], 1000);
    assert_eq!((tcp(&frame).payload_len, tcp(&frame).payload.len()), (1000 - 52, 8));
}

#[test]
fn tunnels_nested_too_deep_stop() {
    let mut packet = samples::ipv4(6, &samples::segment());
    for _ in 0..limits::LAYERS {
        packet = samples::ipv4(4, &packet);
    }
    let frame = decode(LinkType::RAW, &packet);
    check(&frame);
    assert_eq!(frame.layers.len(), limits::LAYERS);
    assert_eq!(stop(&frame), "IPv4 header is nested too deep to be decoded");
    let tags: Vec<u8> = (0..limits::LAYERS).flat_map(|_| [0, 5, 0x81, 0]).collect();
    assert_eq!(
        stop(&decode(LinkType::ETHERNET, &samples::ethernet(0x8100, &tags))),
        "802.1Q VLAN tag is nested too deep to be decoded"
    );
}

#[test]
fn a_udp_datagram_is_limited_by_its_own_length() {
    let udp = |length: u8| [&[0, 53, 0, 54, 0, length, 0, 0][..], b"query"].concat();
    for (length, payload) in [(13, &b"query"[..]), (10, b"qu"), (0, b"query"), (200, b"query")] {
        let packet = samples::ipv4(17, &udp(length));
        let frame = decode(LinkType::RAW, &packet);
        check(&frame);
        let Transport::Udp(udp) = frame.transport else { panic!("{frame:?}") };
        assert_eq!((udp.source_port, udp.destination_port, udp.payload), (53, 54, payload), "{length}");
        assert_eq!((udp.length, frame.stop), (length.into(), None));
    }
    let packet = samples::ipv4(17, &udp(7));
    let frame = decode(LinkType::RAW, &packet);
    assert_eq!(stop(&frame), "UDP header states a length of 7 octets, at least 8 needed");
    assert!(matches!(frame.transport, Transport::Udp(_)));
    let packet = samples::ipv4(17, &[0, 53]);
    let frame = decode(LinkType::RAW, &packet);
    assert_eq!(stop(&frame), "UDP header does not fit: 8 octets needed, the length before it leaves 2");
    assert_eq!(frame.transport, Transport::OtherIp { protocol: 17, payload: &[0, 53] });
}

#[test]
fn what_is_no_tcp_or_udp_is_named() {
    let transport = |protocol, payload: &[u8]| {
        let packet = samples::ipv4(protocol, payload);
        format!("{:?}", decode(LinkType::RAW, &packet).transport)
    };
    assert_eq!(transport(1, &[8, 0, 0, 0, 0, 1, 0, 1, 9]), "Icmpv4([8, 0, 0, 0, 0, 1, 0, 1, 9])");
    assert_eq!(transport(58, &[128, 0, 0, 0, 1]), "Icmpv6([128, 0, 0, 0, 1])");
    assert_eq!(transport(2, &[1]), "OtherIp { protocol: 2, payload: [1] }");
    assert_eq!(transport(60, &[1]), "OtherIp { protocol: 60, payload: [1] }");
    assert_eq!(transport(47, &[0, 0, 0x12, 0x34, 5]), "OtherLink { ether_type: 4660, payload: [5] }");
    assert_eq!(transport(47, &[0, 2, 8, 0, 5]), "Unknown([0, 2, 8, 0, 5])");
    let packet = samples::ethernet(0x88cc, &[1]);
    assert_eq!(
        decode(LinkType::ETHERNET, &packet).transport,
        Transport::OtherLink { ether_type: 0x88cc, payload: &[1] }
    );
    let packet = samples::ethernet(4, &[0x42, 0x42, 3, 1, 0, 0]);
    let frame = decode(LinkType::ETHERNET, &packet);
    assert_eq!((frame.transport, frame.trailer_range()), (Transport::Unknown(&[1]), (18, 20)));
    assert_eq!(decode(LinkType(147), &[1, 2]).transport, Transport::Unknown(&[1, 2]));
}

#[test]
fn a_pseudowire_without_control_word_is_known_by_its_ether_type() {
    for first in [0, 2] {
        let mut inner = samples::ethernet(0x0800, &samples::ipv4(6, &samples::segment()));
        inner[0] = first;
        let packet = samples::ethernet(0x8847, &[&[0, 1, 1, 64][..], &inner].concat());
        let frame = decode(LinkType::ETHERNET, &packet);
        assert_eq!(tcp(&frame).payload, PAYLOAD);
        assert_eq!(frame.layers.iter().filter(|layer| layer.kind == LayerKind::Ethernet).count(), 2);
    }
    let packet = samples::ethernet(0x8847, &[0, 1, 1, 64, 0x20, 0]);
    assert_eq!(decode(LinkType::ETHERNET, &packet).transport, Transport::Unknown(&[0x20, 0]));
}

#[test]
fn an_address_family_that_systems_disagree_on_is_told_by_the_version() {
    let packet = [&[23, 0, 0, 0][..], &samples::ipv4(6, &samples::segment())].concat();
    let frame = decode(LinkType::NULL, &packet);
    assert_eq!((frame.transport, frame.stop), (Transport::Unknown(&packet[4..]), None));
}

#[test]
fn an_arp_message_ends_before_the_padding() {
    let message: Vec<u8> = [&[0, 1, 8, 0, 6, 4, 0, 1][..], &[7; 20]].concat();
    let packet = samples::ethernet(0x0806, &[&message[..], &[0; 18]].concat());
    let frame = decode(LinkType::ETHERNET, &packet);
    check(&frame);
    assert_eq!((frame.transport, frame.trailer_range()), (Transport::Arp(&message), (42, 60)));
    let frame = decode(LinkType::ETHERNET, &packet[..40]);
    assert_eq!(stop(&frame), "ARP message cut: 28 octets needed, 26 captured");
    assert_eq!(frame.transport, Transport::Arp(&message[..26]));
}

#[test]
fn the_fields_of_ip_headers_are_read() {
    let mut packet = samples::ipv4(6, &samples::segment());
    packet[1] = 0xb9;
    let ip = decode(LinkType::RAW, &packet).ip.expect("IPv4");
    assert_eq!((ip.dscp, ip.ecn, ip.dont_fragment, ip.identification, ip.header_len), (46, 1, true, 7, 20));
    assert_eq!(ip.source, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    let packet = samples::ipv6(6, &samples::segment());
    let ip = decode(LinkType::RAW, &packet).ip.expect("IPv6");
    assert_eq!((ip.dscp, ip.ecn, ip.flow_label, ip.header_len), (46, 0, 0x12345, 40));
    assert_eq!(ip.source, IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)));
}

#[test]
fn a_fragment_stays_a_fragment() {
    let segment = samples::segment();
    let packet = samples::ipv4_part(6, 9, 0x2000, &segment[..48]);
    let Transport::Fragment { protocol, offset, more, payload } = decode(LinkType::RAW, &packet).transport else {
        panic!("no fragment")
    };
    assert_eq!((protocol, offset, more, payload), (6, 0, true, &segment[..48]));
    let packet = samples::ipv6(44, &[&[6, 0, 0, 0x30, 0, 0, 1, 2][..], &segment[48..]].concat());
    let frame = decode(LinkType::RAW, &packet);
    assert_eq!(frame.transport, Transport::Fragment { protocol: 6, offset: 48, more: false, payload: &segment[48..] });
    assert_eq!(frame.ip.map(|ip| (ip.identification, ip.protocol, ip.header_len)), Some((0x102, 6, 48)));
}

#[test]
fn a_frame_stays_small() {
    assert!(size_of::<Frame<'_>>() <= 256, "{}", size_of::<Frame<'_>>());
}

#[test]
fn the_fuzz_body_holds_on_cases_truncations_and_mutations() {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for Sample { packet, .. } in samples::all() {
        fuzz_decode(&packet);
        for _ in 0..100 {
            let mut mutated = packet.clone();
            for _ in 0..=random(&mut state) % 6 {
                let at = random(&mut state) % mutated.len();
                mutated[at] = random(&mut state) as u8;
            }
            mutated.truncate(1 + random(&mut state) % (2 * packet.len()));
            fuzz_decode(&mutated);
        }
    }
    for len in 0..64 {
        for fill in [0, 0x45, 0x60, 0x81, 0xff] {
            fuzz_decode(&vec![fill; len * 33]);
        }
    }
}
