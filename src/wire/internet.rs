//! IPv4, IPv6 and its extension headers, TCP, UDP, and where ICMP begins.

use super::walk::{Next, Walk};
use super::{Ip, LayerKind, StopReason, Tcp, TcpFlags, Transport, Udp};
use etherparse::err::{ip_auth, ipv4, ipv6};
use etherparse::{IpAuthHeaderSlice, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice};
use etherparse::{Ipv6RawExtHeaderSlice, UdpHeaderSlice};

impl<'a> Walk<'_, 'a> {
    /// An IP header of the version that its first four bits state.
    pub(super) fn ip_by_version(&mut self) -> Next {
        let Some([first]) = self.header(LayerKind::Ip) else { return Next::End };
        match first >> 4 {
            4 => Next::Ipv4,
            6 => Next::Ipv6,
            version => self.stop(LayerKind::Ip, StopReason::Version(version)),
        }
    }

    #[inline(always)]
    pub(super) fn ipv4(&mut self) -> Next {
        let header = match Ipv4HeaderSlice::from_slice(self.rest()) {
            Ok(header) => header,
            Err(error) => return self.not_ipv4(error),
        };
        let header_len = header.slice().len();
        let total_len = usize::from(header.total_len());
        // A sender that leaves segmentation to its network card may not know the length yet.
        if total_len >= header_len {
            self.limit(total_len);
        }
        let protocol = header.protocol().0;
        self.frame.ip = Some(Ip {
            source: header.source_addr().into(),
            destination: header.destination_addr().into(),
            protocol,
            ttl: header.ttl(),
            identification: header.identification().into(),
            total_len: total_len as u32,
            header_len: header_len as u32,
            dscp: header.dcp().value(),
            ecn: header.ecn().value(),
            dont_fragment: header.dont_fragment(),
            flow_label: 0,
        });
        if !self.push(LayerKind::Ipv4, header_len) {
            return Next::End;
        }
        self.datagram_payload = self.at;
        if total_len != 0 && total_len < header_len {
            let reason = StopReason::Length { stated: total_len as u32, least: header_len as u32 };
            return self.stop_after(LayerKind::Ipv4, header_len, reason);
        }
        if header.is_fragmenting_payload() {
            let offset = u32::from(header.fragments_offset().byte_offset());
            return self.fragment(protocol, offset, header.more_fragments());
        }
        self.by_protocol(protocol)
    }

    #[cold]
    fn not_ipv4(&mut self, error: ipv4::HeaderSliceError) -> Next {
        let reason = match error {
            ipv4::HeaderSliceError::Len(error) => return self.cut(LayerKind::Ipv4, error.required_len),
            ipv4::HeaderSliceError::Content(ipv4::HeaderError::UnexpectedVersion { version_number }) => {
                StopReason::Version(version_number)
            }
            ipv4::HeaderSliceError::Content(ipv4::HeaderError::HeaderLengthSmallerThanHeader { ihl }) => {
                StopReason::Length { stated: u32::from(ihl) * 4, least: 20 }
            }
        };
        self.stop(LayerKind::Ipv4, reason)
    }

    #[inline]
    pub(super) fn ipv6(&mut self) -> Next {
        let header = match Ipv6HeaderSlice::from_slice(self.rest()) {
            Ok(header) => header,
            Err(ipv6::HeaderSliceError::Len(error)) => return self.cut(LayerKind::Ipv6, error.required_len),
            Err(ipv6::HeaderSliceError::Content(ipv6::HeaderError::UnexpectedVersion { version_number })) => {
                return self.stop(LayerKind::Ipv6, StopReason::Version(version_number));
            }
        };
        let protocol = header.next_header().0;
        let mut payload_len = usize::from(header.payload_length());
        if payload_len == 0 && header.next_header() == IpNumber::IPV6_HEADER_HOP_BY_HOP {
            payload_len = self.rest().get(HEADER_IPV6..).and_then(jumbo_payload_len).unwrap_or(0);
        }
        // Zero is stated by a sender that leaves segmentation to its network card.
        if payload_len != 0 {
            self.limit(payload_len.saturating_add(HEADER_IPV6));
        }
        self.frame.ip = Some(Ip {
            source: header.source_addr().into(),
            destination: header.destination_addr().into(),
            protocol,
            ttl: header.hop_limit(),
            identification: 0,
            total_len: u32::try_from(payload_len.saturating_add(HEADER_IPV6)).unwrap_or(u32::MAX),
            header_len: HEADER_IPV6 as u32,
            dscp: header.traffic_class() >> 2,
            ecn: header.traffic_class() & 3,
            dont_fragment: false,
            flow_label: header.flow_label().value(),
        });
        if !self.push(LayerKind::Ipv6, HEADER_IPV6) {
            return Next::End;
        }
        self.datagram_payload = self.at;
        self.by_protocol(protocol)
    }

    pub(super) fn extension(&mut self, protocol: u8) -> Next {
        if IpNumber(protocol) == IpNumber::IPV6_FRAGMENTATION_HEADER {
            return self.fragment_header();
        }
        let kind = match IpNumber(protocol) {
            IpNumber::IPV6_HEADER_HOP_BY_HOP => LayerKind::HopByHop,
            IpNumber::IPV6_ROUTE_HEADER => LayerKind::Routing,
            IpNumber::IPV6_DESTINATION_OPTIONS => LayerKind::Destination,
            _ => LayerKind::Extension,
        };
        match Ipv6RawExtHeaderSlice::from_slice(self.rest()) {
            Ok(header) => self.extended(kind, header.slice().len(), header.next_header().0),
            Err(error) => self.cut(kind, error.required_len),
        }
    }

    fn fragment_header(&mut self) -> Next {
        let header = match Ipv6FragmentHeaderSlice::from_slice(self.rest()) {
            Ok(header) => header,
            Err(error) => return self.cut(LayerKind::Fragment, error.required_len),
        };
        if let Some(ip) = &mut self.frame.ip {
            ip.identification = header.identification();
        }
        let protocol = header.next_header().0;
        let next = self.extended(LayerKind::Fragment, header.slice().len(), protocol);
        if next == Next::End && self.frame.stop.is_some() {
            return next;
        }
        // RFC 8200 §4.5: one that is first and last at once is the whole datagram.
        if !header.is_fragmenting_payload() {
            return next;
        }
        self.fragment(protocol, header.fragment_offset().byte_offset().into(), header.more_fragments())
    }

    pub(super) fn authentication(&mut self) -> Next {
        match IpAuthHeaderSlice::from_slice(self.rest()) {
            Ok(header) => self.extended(LayerKind::Authentication, header.slice().len(), header.next_header().0),
            Err(ip_auth::HeaderSliceError::Len(error)) => self.cut(LayerKind::Authentication, error.required_len),
            Err(ip_auth::HeaderSliceError::Content(ip_auth::HeaderError::ZeroPayloadLen)) => {
                self.stop(LayerKind::Authentication, StopReason::Length { stated: 8, least: 12 })
            }
        }
    }

    /// An extension header of `len` octets has been read.
    fn extended(&mut self, kind: LayerKind, len: usize, protocol: u8) -> Next {
        if !self.push(kind, len) {
            return Next::End;
        }
        if let Some(ip) = &mut self.frame.ip {
            ip.protocol = protocol;
            ip.header_len = ip.header_len.saturating_add(len as u32);
        }
        self.datagram_payload = self.at;
        self.by_protocol(protocol)
    }

    fn fragment(&mut self, protocol: u8, offset: u32, more: bool) -> Next {
        self.frame.transport = Transport::Fragment { protocol, offset, more, payload: self.rest() };
        Next::End
    }

    #[inline(always)]
    pub(super) fn tcp(&mut self) -> Next {
        let rest = self.rest();
        let Some(fixed) = self.header::<HEADER_TCP>(LayerKind::Tcp) else { return Next::End };
        let header_len = usize::from(fixed[12] >> 4) * 4;
        let options = match rest.get(HEADER_TCP..header_len) {
            Some(options) => options,
            None => match self.tcp_header_end(header_len) {
                Some(options) => options,
                None => return Next::End,
            },
        };
        let captured = HEADER_TCP + options.len();
        if !self.push(LayerKind::Tcp, captured) {
            return Next::End;
        }
        let payload = self.rest();
        let payload_len = match self.stated {
            usize::MAX => payload.len(),
            // Where options are cut, `at` is not where the payload begins on the wire.
            stated => stated.saturating_sub(self.at - captured + header_len),
        };
        self.frame.transport = Transport::Tcp(Tcp {
            source_port: u16::from_be_bytes([fixed[0], fixed[1]]),
            destination_port: u16::from_be_bytes([fixed[2], fixed[3]]),
            sequence: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            acknowledgment: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            flags: TcpFlags(u16::from_be_bytes([fixed[12], fixed[13]]) & 0x0fff),
            window: u16::from_be_bytes([fixed[14], fixed[15]]),
            checksum: u16::from_be_bytes([fixed[16], fixed[17]]),
            urgent_pointer: u16::from_be_bytes([fixed[18], fixed[19]]),
            options,
            payload,
            payload_len: u32::try_from(payload_len).unwrap_or(u32::MAX),
        });
        Next::End
    }

    /// A TCP header whose length is wrong, or whose options are cut. In the second case ports and
    /// numbers are there, which is more than nothing: returns what there is of the options.
    #[cold]
    fn tcp_header_end(&mut self, header_len: usize) -> Option<&'a [u8]> {
        if header_len < HEADER_TCP {
            let reason = StopReason::Length { stated: header_len as u32, least: HEADER_TCP as u32 };
            self.stop(LayerKind::Tcp, reason);
            return None;
        }
        self.cut(LayerKind::Tcp, header_len);
        self.rest().get(HEADER_TCP..)
    }

    #[inline]
    pub(super) fn udp(&mut self) -> Next {
        let header = match UdpHeaderSlice::from_slice(self.rest()) {
            Ok(header) => header,
            Err(error) => return self.cut(LayerKind::Udp, error.required_len),
        };
        let length = usize::from(header.length());
        // RFC 2675 §4: zero for a jumbogram; so does a sender whose network card segments.
        if length >= HEADER_UDP {
            self.limit(length);
        }
        if !self.push(LayerKind::Udp, HEADER_UDP) {
            return Next::End;
        }
        if length != 0 && length < HEADER_UDP {
            let reason = StopReason::Length { stated: length as u32, least: HEADER_UDP as u32 };
            self.stop_after(LayerKind::Udp, HEADER_UDP, reason);
        }
        self.frame.transport = Transport::Udp(Udp {
            source_port: header.source_port(),
            destination_port: header.destination_port(),
            length: header.length(),
            checksum: header.checksum(),
            payload: self.rest(),
        });
        Next::End
    }

    pub(super) fn icmpv4(&mut self) -> Next {
        let message = self.rest();
        if self.header::<HEADER_ICMPV4>(LayerKind::Icmpv4).is_some() && !self.push(LayerKind::Icmpv4, HEADER_ICMPV4) {
            return Next::End;
        }
        self.frame.transport = Transport::Icmpv4(message);
        Next::End
    }

    pub(super) fn icmpv6(&mut self) -> Next {
        let message = self.rest();
        if self.header::<HEADER_ICMPV6>(LayerKind::Icmpv6).is_some() && !self.push(LayerKind::Icmpv6, HEADER_ICMPV6) {
            return Next::End;
        }
        self.frame.transport = Transport::Icmpv6(message);
        Next::End
    }

    /// A stop in a header that has just been noted as a layer of `len` octets.
    #[cold]
    fn stop_after(&mut self, layer: LayerKind, len: usize, reason: StopReason) -> Next {
        self.stop(layer, reason);
        if let Some(stop) = &mut self.frame.stop {
            stop.at = stop.at.saturating_sub(len as u32);
        }
        Next::End
    }
}

/// The length that a jumbo payload option states (RFC 2675 §2), of the hop-by-hop options at the
/// start of `octets`.
fn jumbo_payload_len(octets: &[u8]) -> Option<usize> {
    let header_len = (usize::from(*octets.get(1)?) + 1) * 8;
    let mut options = octets.get(2..header_len.min(octets.len()))?;
    loop {
        match *options {
            [0, ref rest @ ..] => options = rest,
            [0xc2, 4, a, b, c, d, ..] => return usize::try_from(u32::from_be_bytes([a, b, c, d])).ok(),
            [_, length, ref rest @ ..] => options = rest.get(usize::from(length)..)?,
            _ => return None,
        }
    }
}

const HEADER_IPV6: usize = 40;
const HEADER_TCP: usize = 20;
const HEADER_UDP: usize = 8;
/// Type, code, checksum and the four octets whose meaning depends on the type.
const HEADER_ICMPV4: usize = 8;
/// Type, code and checksum.
const HEADER_ICMPV6: usize = 4;
