//! The ids that Zeek gives connections and files: here the same on every run, in every shard.

use sha2::{Digest, Sha256};

/// The uid of the connection with this flow hash and first packet: `C` and 17 letters and digits.
pub(super) fn connection(flow: u64, packet: u64) -> String {
    format!("C{}", letters(&[flow, packet], 17))
}

/// The id of the nth file of a connection.
pub(super) fn file(flow: u64, packet: u64, nth: u64) -> String {
    format!("F{}", letters(&[flow, packet, nth, 1], 17))
}

/// So many letters and digits out of numbers. They are evenly spread, whoever chose the numbers.
fn letters(numbers: &[u64], count: usize) -> String {
    let mut hash = Sha256::new();
    for number in numbers {
        hash.update(number.to_be_bytes());
    }
    let digest = hash.finalize();
    let mut rest = digest.iter().take(16).fold(0_u128, |all, octet| all << 8 | u128::from(*octet));
    let mut text = String::with_capacity(count);
    for _ in 0..count {
        text.push(char::from(ALPHABET[(rest % 62) as usize]));
        rest /= 62;
    }
    text
}

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_look_like_zeek_s_and_differ() {
        let ids = [connection(1, 1), connection(1, 2), connection(2, 1), file(1, 1, 0), file(1, 1, 1)];
        for (n, id) in ids.iter().enumerate() {
            assert!(id.len() == 18 && id.bytes().all(|b| b.is_ascii_alphanumeric()), "{id}");
            assert!(!ids[..n].contains(id), "{id}");
        }
        assert_eq!(connection(7, 9), connection(7, 9));
    }
}
