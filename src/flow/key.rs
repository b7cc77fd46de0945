//! Who talks to whom: endpoints, five-tuples, and the key that both directions share.

use std::fmt;
use std::net::IpAddr;

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// Its address.
    pub ip: IpAddr,
    /// Its port.
    pub port: u16,
}

impl Endpoint {
    /// An endpoint.
    #[must_use]
    pub fn new(ip: IpAddr, port: u16) -> Endpoint {
        Endpoint { ip, port }
    }

    /// The endpoint as one word for [`FlowKey::hash64`]: IPv4 without loss, IPv6 folded.
    fn word(&self) -> u64 {
        let port = u64::from(self.port);
        match self.ip {
            IpAddr::V4(ip) => u64::from(u32::from(ip)) << 16 | port,
            IpAddr::V6(ip) => {
                let bits = u128::from(ip);
                fold((bits >> 64) as u64 ^ MIX[0], bits as u64 ^ MIX[1]) ^ port
            }
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            IpAddr::V4(ip) => write!(f, "{ip}:{}", self.port),
            IpAddr::V6(ip) => write!(f, "[{ip}]:{}", self.port),
        }
    }
}

/// The endpoints of one packet, with its direction. The protocol is TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FiveTuple {
    /// Where the packet comes from.
    pub source: Endpoint,
    /// Where it goes.
    pub destination: Endpoint,
}

impl FiveTuple {
    /// The five-tuple of packets the other way.
    #[must_use]
    pub fn reversed(self) -> FiveTuple {
        FiveTuple { source: self.destination, destination: self.source }
    }
}

/// The two endpoints of a connection without direction: the same for packets of both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowKey {
    lower: Endpoint,
    upper: Endpoint,
}

impl FlowKey {
    /// The key of a packet, and whether the packet's source is the key's lower endpoint.
    #[must_use]
    pub fn of(tuple: &FiveTuple) -> (FlowKey, bool) {
        let (source, destination) = (tuple.source, tuple.destination);
        if source <= destination {
            (FlowKey { lower: source, upper: destination }, true)
        } else {
            (FlowKey { lower: destination, upper: source }, false)
        }
    }

    /// The lower of the two endpoints: address first, then port, IPv4 before IPv6.
    #[must_use]
    pub fn lower(&self) -> Endpoint {
        self.lower
    }

    /// The other endpoint.
    #[must_use]
    pub fn upper(&self) -> Endpoint {
        self.upper
    }

    /// The key of the two hosts, whatever the ports.
    #[must_use]
    pub fn hosts(&self) -> FlowKey {
        let (lower, upper) = (Endpoint { port: 0, ..self.lower }, Endpoint { port: 0, ..self.upper });
        FlowKey { lower, upper }
    }

    /// A fixed hash: the same for both directions, in every process, on every machine, for ever.
    ///
    /// With `fold(a, b) = a ^ b ^ low64(a · b) ^ high64(a · b)` and the constants `m0 … m4` (`MIX`):
    /// an endpoint's word is `address << 16 | port` for IPv4 and
    /// `fold(high64(address) ^ m0, low64(address) ^ m1) ^ port` for IPv6; the hash is
    /// `high64(p) ^ low64(p)` of `p = (fold(word(lower) ^ m2, word(upper) ^ m3) ^ m0) · m4`. The
    /// factors stand in the fold themselves, so that a zero factor does not swallow the other.
    #[must_use]
    pub fn hash64(&self) -> u64 {
        let both = fold(self.lower.word() ^ MIX[2], self.upper.word() ^ MIX[3]);
        let product = u128::from(both ^ MIX[0]) * u128::from(MIX[4]);
        product as u64 ^ (product >> 64) as u64
    }

    /// Which of `n` parts the key belongs to: below `n`, or 0 where `n` is 0.
    #[must_use]
    pub fn shard(&self, n: u32) -> u32 {
        self.hash64().checked_rem(u64::from(n)).map_or(0, |shard| shard as u32)
    }
}

/// A multiplication of 64 by 64 bits, both halves of the product and both factors folded into one.
pub(super) fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    a ^ b ^ product as u64 ^ (product >> 64) as u64
}

/// The fraction of π in hexadecimal, five words of it, the lowest bit of each set.
pub(super) const MIX: [u64; 5] =
    [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7345, 0xa409_3822_299f_31d1, 0x082e_fa98_ec4e_6c89, 0x4528_21e6_38d0_1377];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn tuple(source: (u32, u16), destination: (u32, u16)) -> FiveTuple {
        let endpoint = |(ip, port)| Endpoint::new(IpAddr::V4(Ipv4Addr::from(ip)), port);
        FiveTuple { source: endpoint(source), destination: endpoint(destination) }
    }

    #[test]
    fn both_directions_share_the_key_and_the_hash() {
        let there = tuple((0xc000_0201, 58816), (0xc633_6402, 25));
        let (key, forward) = FlowKey::of(&there);
        let (back, backward) = FlowKey::of(&there.reversed());
        assert_eq!((key, key.hash64()), (back, back.hash64()));
        assert!(forward && !backward);
    }

    #[test]
    fn the_hosts_of_a_key_have_one_key_whatever_the_ports_and_the_direction() {
        let hosts = |source, destination| FlowKey::of(&tuple(source, destination)).0.hosts();
        let (client, server) = (0xc633_6402, 0xc000_0201);
        assert_eq!(hosts((client, 58816), (server, 25)), hosts((server, 465), (client, 1)));
        assert_ne!(hosts((client, 58816), (server, 25)), hosts((client, 58816), (client, 25)));
    }

    #[test]
    fn the_hash_is_fixed_for_ever() {
        let (key, _) = FlowKey::of(&tuple((0xc000_0201, 58816), (0xc633_6402, 25)));
        assert_eq!(key.hash64(), 0xe182_bacf_87a4_bc38);
        let v6 = |last, port| Endpoint::new(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last)), port);
        let (key, _) = FlowKey::of(&FiveTuple { source: v6(1, 40000), destination: v6(2, 465) });
        assert_eq!(key.hash64(), 0x51a6_93fc_126b_87b8);
        assert_eq!(key.shard(0), 0);
        assert_eq!(key.shard(1), 0);
    }

    #[test]
    fn neighbouring_ports_and_addresses_spread_over_shards() {
        for n in [2, 3, 8] {
            let mut counts = vec![0_u32; n as usize];
            let mut seen = HashSet::new();
            for i in 0..6000_u32 {
                let (key, _) =
                    FlowKey::of(&tuple((0xc000_0200 + i % 200, 40_000 + (i / 200) as u16), (0xc633_6402, 25)));
                counts[key.shard(n) as usize] += 1;
                assert!(seen.insert(key.hash64()));
            }
            let fair = 6000 / n;
            assert!(counts.iter().all(|&c| c > fair * 9 / 10 && c < fair * 11 / 10), "{counts:?}");
        }
    }

    #[test]
    fn one_bit_of_the_key_changes_about_half_of_the_hash() {
        let base = FlowKey::of(&tuple((0xc000_0201, 58816), (0xc633_6402, 25))).0.hash64();
        for bit in 0..16 {
            let other = FlowKey::of(&tuple((0xc000_0201, 58816 ^ 1 << bit), (0xc633_6402, 25))).0.hash64();
            let changed = (base ^ other).count_ones();
            assert!((14..=50).contains(&changed), "bit {bit}: {changed}");
        }
    }

    #[test]
    fn endpoints_print_as_people_write_them() {
        let v6 = Endpoint::new("2001:db8::1".parse().expect("an address"), 25);
        assert_eq!(v6.to_string(), "[2001:db8::1]:25");
        let v4 = Endpoint::new("192.0.2.1".parse().expect("an address"), 25);
        assert_eq!(v4.to_string(), "192.0.2.1:25");
    }
}
