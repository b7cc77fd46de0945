//! The opener under arbitrary input.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::super::conversation::Conversation;
use super::super::event::{Event, EventKind};
use super::key_log::{KeyLog, Keys};
use super::keyring::Keyring;
use super::opener::{Opener, Outcome};
use super::schedule::Hash;
use crate::stream::{Direction, Span};

/// Fuzz body: a handshake with a suite that the first octet chooses, and after it records as the input says: noise
/// under the right key's name, records that are sealed as they should be, and gaps. Whatever comes, nothing is opened that was not sealed.
pub fn fuzz_open(data: &[u8]) {
    let Some((&choice, mut rest)) = data.split_first() else { return };
    let (suite, version) = SUITES[usize::from(choice) % SUITES.len()];
    let mut ring = Keyring::new(keys());
    let mut conversation = Conversation::new(Direction::FromOriginator);
    conversation.tell_octets();
    let mut opener = Opener::new(Direction::FromOriginator);
    let mut take = |event: Event<'_>| {
        let outcome = opener.event(&mut ring, &event);
        if let (Outcome::Opened(record), EventKind::Record(sealed)) = (&outcome, &event.kind) {
            assert!(ring.plaintext(record).len() == record.len() && record.len() <= usize::from(sealed.length));
            assert!(event.span.start < record.start && record.start + record.len() as u64 <= event.span.end);
        }
    };
    let mut at = [0u64; 2];
    let mut sequences = [[0u64; 3]; 2];
    let mut feed = |conversation: &mut Conversation, direction: Direction, octets: &[u8]| {
        let at = &mut at[direction.index()];
        if octets.is_empty() {
            conversation.gap(Span::new(direction, *at, *at + 40), &mut take);
            *at += 40;
        }
        conversation.data(direction, *at, octets, &mut take);
        *at += octets.len() as u64;
    };
    let [client, server] = Direction::BOTH;
    feed(&mut conversation, client, &hello(1, suite, version, choice & 0x80 != 0));
    feed(&mut conversation, server, &hello(2, suite, version, choice & 0x80 != 0));
    if version < 0x0304 {
        for direction in Direction::BOTH {
            feed(&mut conversation, direction, &[20, 3, 3, 0, 1, 1]);
        }
    }
    while let Some((control, after)) = rest.split_first() {
        let direction = Direction::BOTH[usize::from(control >> 7)];
        let (contents, after) = after.split_at(usize::from(control & 0x3f).min(after.len()));
        rest = after;
        if contents.is_empty() || control & 0x40 == 0 {
            let header = [23, 3, 3, 0, contents.len() as u8];
            let noise = if contents.is_empty() { Vec::new() } else { [&header[..], contents].concat() };
            feed(&mut conversation, direction, &noise);
            continue;
        }
        // The first octet of what is sealed says which of the three secrets seals it.
        let epoch = usize::from(contents[0]) % SECRETS.len();
        let sequence = &mut sequences[direction.index()][epoch];
        if let Some(record) = seal(SECRETS[epoch], *sequence, &contents[1..]) {
            feed(&mut conversation, direction, &record);
        }
        *sequence += 1;
    }
    let opening = opener.into_opening(&mut ring);
    assert!(opening.opened.iter().zip(opening.sealed).all(|(opened, sealed)| *opened <= sealed));
    assert!(opening.in_words().is_none_or(|words| !words.is_empty()));
}

/// Suites and the versions that they are used in.
const SUITES: [(u16, u16); 12] = [
    (0x1301, 0x0304),
    (0x1301, 0x0304),
    (0x1301, 0x0304),
    (0x1303, 0x0304),
    (0x1305, 0x0304),
    (0xc02f, 0x0303),
    (0xcca8, 0x0303),
    (0xc0ac, 0x0303),
    (0xc013, 0x0303),
    (0xc014, 0x0301),
    (0x000a, 0x0302),
    (0x0005, 0x0301),
];

const RANDOM: [u8; 32] = [7; 32];
const SECRETS: [u8; 3] = [1, 2, 3];

fn keys() -> Keys {
    let hex = |octet: u8, count: usize| format!("{octet:02x}").repeat(count);
    let random = hex(RANDOM[0], 32);
    let mut log = KeyLog::default();
    for (label, secret) in [
        ("CLIENT_RANDOM", hex(9, 48)),
        ("CLIENT_EARLY_TRAFFIC_SECRET", hex(SECRETS[0], 32)),
        ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", hex(SECRETS[1], 32)),
        ("SERVER_HANDSHAKE_TRAFFIC_SECRET", hex(SECRETS[1], 32)),
        ("CLIENT_TRAFFIC_SECRET_0", hex(SECRETS[2], 32)),
        ("SERVER_TRAFFIC_SECRET_0", hex(SECRETS[2], 32)),
    ] {
        log.read(format!("{label} {random} {secret}\n").as_bytes());
    }
    let mut keys = Keys::default();
    keys.add(log);
    keys
}

/// A record with a hello of one suite: the client's (1) or the server's (2).
fn hello(kind: u8, suite: u16, version: u16, more: bool) -> Vec<u8> {
    let [high, low] = suite.to_be_bytes();
    let mut body = version.min(0x0303).to_be_bytes().to_vec();
    body.extend_from_slice(&RANDOM);
    body.push(0);
    let mut extensions: Vec<u8> = Vec::new();
    if kind == 1 {
        body.extend_from_slice(&[0, 2, high, low, 1, 0]);
        if version == 0x0304 {
            extensions.extend_from_slice(&[0, 43, 0, 3, 2, 3, 4]);
        }
    } else {
        body.extend_from_slice(&[high, low, 0]);
        if version == 0x0304 {
            extensions.extend_from_slice(&[0, 43, 0, 2, 3, 4]);
        }
    }
    match (more, kind, version) {
        // Early data, and the key of an earlier session.
        (true, 1, 0x0304) => extensions.extend_from_slice(&[0, 42, 0, 0]),
        (true, 2, 0x0304) => extensions.extend_from_slice(&[0, 41, 0, 2, 0, 0]),
        // Authentication after encryption.
        (true, ..) => extensions.extend_from_slice(&[0, 22, 0, 0]),
        _ => {}
    }
    body.extend_from_slice(&(extensions.len() as u16).to_be_bytes());
    body.extend_from_slice(&extensions);
    let length = body.len() as u16;
    let mut record = vec![22, 3, 1];
    record.extend_from_slice(&(length + 4).to_be_bytes());
    record.extend_from_slice(&[kind, 0]);
    record.extend_from_slice(&length.to_be_bytes());
    record.extend_from_slice(&body);
    record
}

/// A record of TLS 1.3 with AES-128-GCM; the contents end with their type.
fn seal(secret: u8, sequence: u64, contents: &[u8]) -> Option<Vec<u8>> {
    let secret = [secret; 32];
    let (mut key, mut nonce) = ([0; 16], [0; 12]);
    Hash::Sha256.expand_label(&secret, b"key", &mut key);
    Hash::Sha256.expand_label(&secret, b"iv", &mut nonce);
    for (octet, count) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
        *octet ^= count;
    }
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?);
    let mut sealed = contents.to_vec();
    let header = [23, 3, 3, 0, (contents.len() + 16) as u8];
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(header), &mut sealed).ok()?;
    Some([&header[..], &sealed].concat())
}
