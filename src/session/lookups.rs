//! What the DNS, NetBIOS and DHCP say of the hosts of a session, as far as it passes by: names of addresses, and the questions
//! that a host asks while it talks mail, which give away whom it looks for.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use crate::dhcp;
use crate::dns::{self, Data, RecordType};
use crate::flow::Connection;
use crate::limits::{JOINING, LOOKUP_BEFORE, LOOKUPS, LOOKUPS_OF_HOST, LOOKUPS_OF_SESSION, NAMES, NAMES_OF_ADDRESS};
use crate::nbns;
use crate::time::Timestamp;
use crate::wire::{Frame, Transport};

/// A name that an answer gave to an address, or an address to a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameFound {
    /// The address.
    pub address: IpAddr,
    /// The name: octets, as sent.
    pub name: Vec<u8>,
    /// By which answer.
    pub by: NameSource,
    /// The packet of the answer.
    pub packet: u64,
}

/// Which answers give names to addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameSource {
    /// An address record for the name (A, AAAA).
    Address,
    /// A pointer record for the address (PTR).
    Pointer,
    /// A NetBIOS name (RFC 1002 §4.2.13).
    Netbios,
    /// What a host calls itself where it asks for its address (DHCP, RFC 2132 §3.14, RFC 4702 and RFC 4704).
    Dhcp,
}

/// A question that a host asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookUp {
    /// Who asked.
    pub host: IpAddr,
    /// What for: octets, as sent.
    pub name: Vec<u8>,
    /// Records of which type.
    pub record_type: RecordType,
    /// When.
    pub time: Timestamp,
    /// Its packet.
    pub packet: u64,
}

/// What passed by around a session: names of its two hosts, and what these asked for shortly before it and in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// Names of the two addresses, in order.
    pub names: Vec<NameFound>,
    /// What the two hosts asked for, in order. Where a host is in several sessions at once, they may belong to another.
    pub lookups: Vec<LookUp>,
    /// Questions beyond those kept.
    pub lookups_not_kept: u64,
}

/// All that passed by, in bounded memory.
#[derive(Debug, Default)]
pub(super) struct LookUps {
    names: HashMap<IpAddr, Vec<NameFound>>,
    asked: HashMap<IpAddr, VecDeque<LookUp>>,
    /// Names of hosts that ask for an address, by transaction and hardware address or identifier, with the packet.
    joining: HashMap<(u32, Vec<u8>), (Vec<u8>, u64)>,
    /// Names, questions of hosts, and hosts that ask for an address, that found no room.
    left_out: [u64; 3],
}

impl LookUps {
    /// Takes a packet that is none of TCP.
    pub(super) fn packet(&mut self, frame: &Frame<'_>, number: u64, time: Timestamp) {
        let (Transport::Udp(udp), Some(ip)) = (&frame.transport, &frame.ip) else { return };
        let is = |port: u16| udp.source_port == port || udp.destination_port == port;
        if is(DNS) || is(MULTICAST_DNS) || is(LINK_LOCAL) {
            let Some(message) = dns::Message::parse(udp.payload) else { return };
            if message.flags.is_response() {
                self.answer(&message, number);
            } else if udp.destination_port == DNS {
                for question in message.questions().take(QUESTIONS) {
                    let (name, record_type) = (question.name.octets(), question.record_type);
                    self.question(LookUp { host: ip.source, name, record_type, time, packet: number });
                }
            }
        } else if is(DHCP_SERVER) || is(DHCP_CLIENT) {
            if let Some(message) = dhcp::v4::Message::parse(udp.payload) {
                self.joins(&message, number);
            }
        } else if is(DHCPV6_SERVER) || is(DHCPV6_CLIENT) {
            if let Some(message) = dhcp::v6::Message::parse(udp.payload) {
                self.joins_v6(&message, number);
            }
        } else if is(NETBIOS)
            && let Some(message) = nbns::Message::parse(udp.payload)
            && message.flags.is_response()
        {
            for answer in message.answers() {
                if let (Some(address), nbns::NameField::Name(name)) = (answer.address(), &answer.name) {
                    let blank = |b: &u8| matches!(b, 0 | b' ');
                    let end = name.characters.iter().rposition(|b| !blank(b)).map_or(0, |last| last + 1);
                    let name = name.characters[..end].to_vec();
                    self.name(NameFound { address: address.into(), name, by: NameSource::Netbios, packet: number });
                }
            }
        }
    }

    /// A host has an address of which it says that it uses it, or which a server gives it.
    fn joins(&mut self, message: &dhcp::v4::Message<'_>, packet: u64) {
        let exchange = (message.transaction, message.hardware.to_vec());
        let own = message.host_name.and_then(|name| name.octets()).map(|name| (name, packet));
        let (address, name) = match message.kind {
            Some(dhcp::v4::Kind::ACK) => {
                let asked = self.joining.remove(&exchange);
                (message.your_address.or(message.client_address), asked)
            }
            Some(dhcp::v4::Kind::REQUEST | dhcp::v4::Kind::INFORM) => match (message.client_address, own) {
                (Some(address), name) => (Some(address), name),
                (None, Some(name)) => return self.waits(exchange, name),
                (None, None) => return,
            },
            Some(dhcp::v4::Kind::NAK) => {
                self.joining.remove(&exchange);
                return;
            }
            _ => return,
        };
        if let (Some(address), Some((name, packet))) = (address, name) {
            self.name(NameFound { address: address.into(), name, by: NameSource::Dhcp, packet });
        }
    }

    /// The same over IPv6.
    fn joins_v6(&mut self, message: &dhcp::v6::Message<'_>, packet: u64) {
        use dhcp::v6::Kind;
        let exchange = (message.transaction, message.client.to_vec());
        let own = message.host_name.and_then(|name| name.octets()).map(|name| (name, packet));
        let name = match (message.kind, own) {
            (Kind::SOLICIT | Kind::REQUEST, Some(name)) => return self.waits(exchange, name),
            // Of an offer nothing comes before it is asked for, in an exchange of its own.
            (Kind::ADVERTISE, _) => {
                self.joining.remove(&exchange);
                return;
            }
            // A name in the answer is the server's choice.
            (Kind::REPLY, _) => self.joining.remove(&exchange),
            (Kind::RENEW | Kind::REBIND, own) => own,
            _ => return,
        };
        let Some((name, packet)) = name else { return };
        let is_given = |lease: &dhcp::v6::Lease| lease.valid > 0 || message.kind != Kind::REPLY;
        for lease in message.leases().filter(is_given).take(NAMES_OF_ADDRESS) {
            let name = name.clone();
            self.name(NameFound { address: lease.address.into(), name, by: NameSource::Dhcp, packet });
        }
    }

    /// A host says its name before it has an address.
    fn waits(&mut self, exchange: (u32, Vec<u8>), name: (Vec<u8>, u64)) {
        if self.joining.len() < JOINING || self.joining.contains_key(&exchange) {
            self.joining.insert(exchange, name);
        } else {
            self.left_out[2] += 1;
        }
    }

    fn question(&mut self, lookup: LookUp) {
        if self.asked.len() >= LOOKUPS && !self.asked.contains_key(&lookup.host) {
            self.left_out[1] += 1;
            return;
        }
        let asked = self.asked.entry(lookup.host).or_default();
        if asked.len() >= LOOKUPS_OF_HOST {
            asked.pop_front();
        }
        asked.push_back(lookup);
    }

    fn answer(&mut self, message: &dns::Message<'_>, packet: u64) {
        for record in message.records().take(RECORDS) {
            let (address, name, by) = match record.data() {
                Data::A(address) => (IpAddr::V4(address), record.name.octets(), NameSource::Address),
                Data::Aaaa(address) => (IpAddr::V6(address), record.name.octets(), NameSource::Address),
                Data::Name(target) if record.record_type == RecordType::PTR => {
                    let Some(address) = reversed(&record.name.octets()) else { continue };
                    (address, target.octets(), NameSource::Pointer)
                }
                _ => continue,
            };
            self.name(NameFound { address, name, by, packet });
        }
    }

    fn name(&mut self, found: NameFound) {
        if self.names.len() >= NAMES && !self.names.contains_key(&found.address) {
            self.left_out[0] += 1;
            return;
        }
        let known = self.names.entry(found.address).or_default();
        let is_new = !known.iter().any(|other| other.name.eq_ignore_ascii_case(&found.name) && other.by == found.by);
        if is_new && known.len() < NAMES_OF_ADDRESS {
            known.push(found);
        } else if is_new {
            self.left_out[0] += 1;
        }
    }

    /// Limits that were reached, a sentence each.
    pub(super) fn limits(&self) -> impl Iterator<Item = String> + use<> {
        let [names, questions, joining] = self.left_out;
        let names = (names > 0).then(|| {
            format!("{NAMES_OF_ADDRESS} names of each of {NAMES} addresses are remembered: {names} messages gave more")
        });
        let questions = (questions > 0).then(|| {
            format!("what {LOOKUPS} hosts ask the DNS for is remembered: {questions} questions of others are not")
        });
        let joining = (joining > 0).then(|| {
            format!("names of {JOINING} hosts that wait for an address are remembered: {joining} messages of others gave more")
        });
        names.into_iter().chain(questions).chain(joining)
    }

    /// What belongs to a connection. What passed after its last packet does not, so that it is the same however the
    /// capture comes.
    pub(super) fn around(&self, connection: &Connection) -> Around {
        let hosts = [connection.originator.ip, connection.responder.ip];
        let mut around = Around::default();
        for (nth, host) in hosts.into_iter().enumerate() {
            if nth == 1 && hosts[0] == hosts[1] {
                break;
            }
            let in_time = |packet: u64| packet < connection.last_packet;
            around.names.extend(self.names.get(&host).into_iter().flatten().filter(|n| in_time(n.packet)).cloned());
            let lookups = self.asked.get(&host).into_iter().flatten();
            let near = |lookup: &&LookUp| {
                in_time(lookup.packet) && connection.first_time.since(lookup.time).nanos() <= LOOKUP_BEFORE.nanos()
            };
            let mut lookups = lookups.filter(near);
            around.lookups.extend(lookups.by_ref().take(LOOKUPS_OF_SESSION).cloned());
            around.lookups_not_kept += lookups.count() as u64;
        }
        around.lookups.sort_by_key(|lookup| lookup.packet);
        around
    }
}

/// The address that a name of a reverse zone stands for (RFC 1035 §3.5, RFC 3596 §2.5).
fn reversed(name: &[u8]) -> Option<IpAddr> {
    let name = std::str::from_utf8(name).ok()?.trim_end_matches('.').to_ascii_lowercase();
    if let Some(labels) = name.strip_suffix(".in-addr.arpa") {
        let mut octets = labels.split('.').rev().map(str::parse::<u8>);
        let mut next = || octets.next()?.ok();
        let address = [next()?, next()?, next()?, next()?];
        return next().is_none().then(|| IpAddr::from(address));
    }
    let labels = name.strip_suffix(".ip6.arpa")?;
    let nibbles: Vec<u8> =
        labels.split('.').rev().map(|l| u8::from_str_radix(l, 16).ok().filter(|n| *n < 16)).collect::<Option<_>>()?;
    let octets: Vec<u8> = nibbles.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    <[u8; 16]>::try_from(octets).ok().map(IpAddr::from)
}

const DNS: u16 = 53;
const MULTICAST_DNS: u16 = 5353;
const NETBIOS: u16 = 137;
const LINK_LOCAL: u16 = 5355;
const DHCP_SERVER: u16 = 67;
const DHCP_CLIENT: u16 = 68;
const DHCPV6_CLIENT: u16 = 546;
const DHCPV6_SERVER: u16 = 547;

/// Questions of one message, and records of one answer, that are looked at.
const QUESTIONS: usize = 4;
const RECORDS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_reverse_zones_are_addresses() {
        let of = |name: &str| reversed(name.as_bytes());
        assert_eq!(of("20.2.0.192.in-addr.arpa"), Some(IpAddr::from([192, 0, 2, 20])));
        assert_eq!(of("20.2.0.192.IN-ADDR.ARPA."), Some(IpAddr::from([192, 0, 2, 20])));
        let v6 = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
        assert_eq!(of(v6), "2001:db8::1".parse().ok());
        for other in [
            "2.0.192.in-addr.arpa",
            "1.20.2.0.192.in-addr.arpa",
            "300.2.0.192.in-addr.arpa",
            "x.ip6.arpa",
            "",
            "example.org",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn names_that_find_no_room_are_counted_and_said() {
        let mut lookups = LookUps::default();
        let mut give = |address: u32, name: String| {
            let address = IpAddr::from(address.to_be_bytes());
            lookups.name(NameFound { address, name: name.into_bytes(), by: NameSource::Address, packet: 1 });
        };
        for n in 0..NAMES_OF_ADDRESS {
            give(0xc000_0201, format!("host{n}.example.org"));
        }
        give(0xc000_0201, "HOST0.example.org".to_owned());
        assert_eq!(lookups.limits().count(), 0);
        let mut give = |name: &str| {
            let address = IpAddr::from([192, 0, 2, 1]);
            lookups.name(NameFound { address, name: name.into(), by: NameSource::Address, packet: 1 });
        };
        give("one-more.example.org");
        assert_eq!(lookups.left_out, [1, 0, 0]);
        assert!(lookups.limits().next().is_some_and(|limit| limit.ends_with("1 messages gave more")));
    }

    /// A DHCP message of the transaction, from the client or the server, with addresses and options.
    fn dhcp(operation: u8, transaction: u32, client: [u8; 4], your: [u8; 4], options: &[u8]) -> Vec<u8> {
        let mut octets = vec![operation, 1, 6, 0];
        octets.extend(transaction.to_be_bytes());
        octets.extend([0; 4]);
        octets.extend(client);
        octets.extend(your);
        octets.extend([0; 8 + 16 + 64 + 128]);
        octets.extend([99, 130, 83, 99]);
        octets.extend(options);
        octets.push(255);
        octets
    }

    #[test]
    fn the_name_of_a_host_is_that_of_the_address_it_is_given_not_of_the_one_it_asks_for() {
        let mut lookups = LookUps::default();
        let mut take = |octets: &[u8], packet| lookups.joins(&dhcp::v4::Message::parse(octets).unwrap(), packet);
        let request = [&[53, 1, 3, 50, 4, 192, 0, 2, 99, 12, 4][..], b"desk"].concat();
        take(&dhcp(1, 7, [0; 4], [0; 4], &request), 1);
        // Another host's, which is refused and has no address by it.
        take(&dhcp(1, 8, [0; 4], [0; 4], &request), 2);
        take(&dhcp(2, 8, [0; 4], [0; 4], &[53, 1, 6]), 3);
        take(&dhcp(2, 7, [0; 4], [192, 0, 2, 100], &[53, 1, 5]), 4);
        // A third renews the address that it has.
        let renew = [&[53, 1, 3, 12, 5][..], b"phone"].concat();
        take(&dhcp(1, 9, [192, 0, 2, 101], [0; 4], &renew), 5);
        let mut found: Vec<_> = lookups.names.values().flatten().map(|n| (n.address, &n.name[..], n.packet)).collect();
        found.sort_unstable();
        let ip = |last| IpAddr::from([192, 0, 2, last]);
        assert!(lookups.joining.is_empty(), "who was answered is not waited for");
        assert_eq!(found, [(ip(100), &b"desk"[..], 1), (ip(101), &b"phone"[..], 5)]);
    }

    #[test]
    fn over_ipv6_too_the_name_is_that_of_the_address_that_is_given() {
        let option = |code: u8, value: &[u8]| [&[0, code][..], &(value.len() as u16).to_be_bytes(), value].concat();
        let lease = |last: u8, valid: u8| {
            let address = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
            option(3, &[&[0; 12][..], &option(5, &[&address[..], &[0, 0, 0, valid, 0, 0, 0, valid]].concat())].concat())
        };
        let client = |last: u8| option(1, &[0, 3, 0, 1, 2, 0, 0, 0, 0, last]);
        let named = |name: &[u8]| option(39, &[&[1, name.len() as u8][..], name].concat());
        let mut lookups = LookUps::default();
        let mut take = |head: [u8; 4], options: &[Vec<u8>], packet| {
            let octets = [&head[..], &options.concat()].concat();
            lookups.joins_v6(&dhcp::v6::Message::parse(&octets).unwrap(), packet);
        };
        take([1, 0, 0, 1], &[client(1), named(b"desk")], 1);
        take([2, 0, 0, 1], &[client(1), lease(9, 60)], 2);
        take([3, 0, 0, 2], &[client(1), named(b"desk"), lease(9, 60)], 3);
        take([7, 0, 0, 2], &[client(1), lease(8, 60), lease(9, 0)], 4);
        // Another keeps the address that it has; a third is answered, but said no name.
        take([5, 0, 0, 3], &[client(2), named(b"phone"), lease(7, 60)], 5);
        take([7, 0, 0, 4], &[client(3), lease(6, 60)], 6);
        let mut found: Vec<_> = lookups.names.values().flatten().map(|n| (n.address, &n.name[..], n.packet)).collect();
        found.sort_unstable();
        let ip = |last| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
        assert!(lookups.joining.is_empty(), "who was answered is not waited for");
        assert_eq!(found, [(ip(7), &b"phone"[..], 5), (ip(8), &b"desk"[..], 3)]);
    }
}
