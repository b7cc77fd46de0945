//! The Community ID flow hash, version 1: one name for a flow in every tool.
//!
//! Specification: <https://github.com/corelight/community-id-spec>.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use crate::flow::Endpoint;

/// The Community ID of a TCP connection, with the default seed 0.
pub(super) fn of(one: Endpoint, other: Endpoint) -> String {
    let octets = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let (one, other) = ((octets(one.ip), one.port), (octets(other.ip), other.port));
    let (lower, upper) = if one <= other { (one, other) } else { (other, one) };
    let mut hash = Sha1::new();
    hash.update(SEED.to_be_bytes());
    hash.update(&lower.0);
    hash.update(&upper.0);
    hash.update([TCP, 0]);
    hash.update(lower.1.to_be_bytes());
    hash.update(upper.1.to_be_bytes());
    format!("1:{}", STANDARD.encode(hash.finalize()))
}

const SEED: u16 = 0;
const TCP: u8 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_have_the_id_that_the_specification_gives() {
        let end = |ip: [u8; 4], port| Endpoint { ip: IpAddr::from(ip), port };
        let (client, server) = (end([128, 232, 110, 120], 34855), end([66, 35, 250, 204], 80));
        assert_eq!(of(client, server), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        assert_eq!(of(server, client), of(client, server));
    }
}
