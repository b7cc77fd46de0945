//! Tests of putting fragments together.

use super::*;
use crate::wire::samples::{self, PAYLOAD};

/// What each packet completes, as the octets of the datagram.
fn put(defragmenter: &mut Defragmenter, seconds: i64, packets: &[Vec<u8>]) -> Vec<Option<Vec<u8>>> {
    let time = Timestamp::from_parts(seconds, 0);
    packets
        .iter()
        .map(|packet| defragmenter.put(&decode(LinkType::RAW, packet), time).map(|whole| whole.bytes.to_vec()))
        .collect()
}

/// A fragment of an IPv4 datagram: octets `start..end` of `payload`.
fn part(identification: u16, payload: &[u8], start: usize, end: usize) -> Vec<u8> {
    let more = if end < payload.len() { 0x2000 } else { 0 };
    samples::ipv4_part(6, identification, more | (start / 8) as u16, &payload[start..end])
}

/// The same of an IPv6 datagram, with hop-by-hop options before the fragment header.
fn part_6(identification: u8, payload: &[u8], start: usize, end: usize) -> Vec<u8> {
    let [high, low] = (start as u16 | u16::from(end < payload.len())).to_be_bytes();
    let headers = [44, 0, 1, 4, 0, 0, 0, 0, 6, 0, high, low, 0, 0, 0, identification];
    samples::ipv6(0, &[&headers[..], &payload[start..end]].concat())
}

fn whole(identification: u16, payload: &[u8]) -> Vec<u8> {
    let mut datagram = samples::ipv4_part(6, identification, 0, payload);
    let checksum = header_checksum(&datagram[..20]);
    datagram[10..12].copy_from_slice(&checksum.to_be_bytes());
    datagram
}

#[test]
fn fragments_in_any_order_make_the_datagram() {
    let segment = samples::segment();
    let parts = [part(7, &segment, 0, 16), part(7, &segment, 16, 40), part(7, &segment, 40, segment.len())];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut defragmenter = Defragmenter::new();
        let packets = order.map(|i| parts[i].clone());
        assert_eq!(put(&mut defragmenter, 0, &packets), [None, None, Some(whole(7, &segment))], "{order:?}");
        let counts = DefragmenterCounts { fragments: 3, completed: 1, ..DefragmenterCounts::default() };
        assert_eq!(defragmenter.counts(), counts);
    }
}

#[test]
fn the_datagram_is_decoded() {
    let segment = samples::segment();
    let mut defragmenter = Defragmenter::new();
    let first = samples::ethernet(0x0800, &part(7, &segment, 0, 16));
    let last = samples::ethernet(0x0800, &part(7, &segment, 16, segment.len()));
    assert_eq!(defragmenter.put(&decode(LinkType::ETHERNET, &first), Timestamp::default()), None);
    let last = decode(LinkType::ETHERNET, &last);
    let frame = defragmenter.put(&last, Timestamp::default()).expect("complete");
    let Transport::Tcp(tcp) = frame.transport else { panic!("{frame:?}") };
    assert_eq!((tcp.payload, tcp.payload_len as usize), (PAYLOAD, PAYLOAD.len()));
    assert_eq!((frame.ethernet, frame.ip.map(|ip| ip.identification)), (last.ethernet, Some(7)));
}

#[test]
fn ipv6_fragments_make_the_datagram_without_the_fragment_header() {
    let segment = samples::segment();
    let mut defragmenter = Defragmenter::new();
    let packets = [part_6(9, &segment, 24, segment.len()), part_6(9, &segment, 0, 24)];
    let expected = samples::ipv6(0, &[&[6, 0, 1, 4, 0, 0, 0, 0][..], &segment].concat());
    assert_eq!(put(&mut defragmenter, 0, &packets), [None, Some(expected)]);
    let direct = |start, end, more| {
        let header = [6, 0, 0, start as u8 | more, 0, 0, 0, 5];
        samples::ipv6(44, &[&header[..], &segment[start..end]].concat())
    };
    let packets = [direct(0, 24, 1), direct(24, segment.len(), 0)];
    assert_eq!(put(&mut defragmenter, 0, &packets), [None, Some(samples::ipv6(6, &segment))]);
}

#[test]
fn the_first_octets_win_where_fragments_overlap() {
    let segment = samples::segment();
    let other = vec![0xee; segment.len()];
    let mut defragmenter = Defragmenter::new();
    let packets = [
        part(7, &segment, 16, 32),
        part(7, &other, 8, 40),
        part(7, &other, 16, 24),
        part(7, &segment, 0, 16),
        part(7, &other, 24, segment.len()),
    ];
    let mut expected = other.clone();
    expected[..8].copy_from_slice(&segment[..8]);
    expected[16..32].copy_from_slice(&segment[16..32]);
    let put = put(&mut defragmenter, 0, &packets);
    assert_eq!(put.last(), Some(&Some(whole(7, &expected))));
    let counts = defragmenter.counts();
    assert_eq!((counts.overlapping, counts.duplicates, counts.completed), (3, 1, 1));
}

#[test]
fn a_late_duplicate_does_no_harm() {
    let segment = samples::segment();
    let mut defragmenter = Defragmenter::new();
    let (first, last) = (part(7, &segment, 0, 16), part(7, &segment, 16, segment.len()));
    let packets = [first.clone(), first.clone(), last.clone(), last, first];
    let complete: Vec<bool> = put(&mut defragmenter, 0, &packets).iter().map(Option::is_some).collect();
    assert_eq!(complete, [false, false, true, false, true]);
    assert!(defragmenter.open.is_empty());
}

#[test]
fn datagrams_with_another_identification_or_protocol_stay_apart() {
    let segment = samples::segment();
    let mut defragmenter = Defragmenter::new();
    let mut other = part(7, &segment, 16, segment.len());
    other[9] = 17;
    let packets = [part(7, &segment, 0, 16), part(8, &segment, 16, segment.len()), other];
    assert_eq!(put(&mut defragmenter, 0, &packets), [None, None, None]);
    assert_eq!(defragmenter.open.len(), 3);
}

#[test]
fn a_fragment_that_can_belong_to_no_datagram_is_left_out() {
    let segment = samples::segment();
    let beyond_65535 = samples::ipv4_part(6, 7, 0x1fff, &segment);
    let unaligned = samples::ipv4_part(6, 7, 0x2000, &segment[..13]);
    let empty = samples::ipv4_part(6, 7, 0x2001, &[]);
    let mut defragmenter = Defragmenter::new();
    assert_eq!(put(&mut defragmenter, 0, &[beyond_65535, unaligned, empty]), [None, None, None]);
    assert_eq!((defragmenter.counts().impossible, defragmenter.open.len()), (3, 0));

    let early_end = samples::ipv4_part(6, 7, 1, &segment[8..16]);
    let other_end = samples::ipv4_part(6, 7, 2, &segment[16..48]);
    let beyond = samples::ipv4_part(6, 7, 0x2000 | 10, &segment[..8]);
    let packets = [part(7, &segment, 16, 24), early_end, part(7, &segment, 24, segment.len()), other_end, beyond];
    assert_eq!(put(&mut defragmenter, 0, &packets), vec![None; 5]);
    assert_eq!((defragmenter.counts().impossible, defragmenter.open.len()), (6, 1));
    assert_eq!(put(&mut defragmenter, 0, &[part(7, &segment, 0, 16)]), [Some(whole(7, &segment))]);
}

#[test]
fn the_end_may_be_learnt_after_its_octets() {
    let payload = samples::tcp(&[1, 1, 1, 1], b"");
    assert_eq!(payload.len(), 24);
    let mut defragmenter = Defragmenter::new();
    let first = samples::ipv4_part(6, 7, 0x2000, &payload);
    let last = samples::ipv4_part(6, 7, 2, &payload[16..]);
    assert_eq!(put(&mut defragmenter, 0, &[first, last]), [None, Some(whole(7, &payload))]);
}

#[test]
fn a_datagram_with_a_fragment_that_was_cut_stays_incomplete() {
    let segment = samples::segment();
    let mut defragmenter = Defragmenter::new();
    let mut last = part(7, &segment, 16, segment.len());
    last.pop();
    assert_eq!(put(&mut defragmenter, 0, &[part(7, &segment, 0, 16), last]), [None, None]);
    assert_eq!((defragmenter.counts().cut, defragmenter.open.len()), (1, 1));
}

#[test]
fn a_datagram_longer_than_any_can_be_is_given_up() {
    let payload = vec![0; 65_535];
    let mut defragmenter = Defragmenter::new();
    let packets = [part(7, &payload, 0, 40_000), part(7, &payload, 40_000, payload.len())];
    assert_eq!(put(&mut defragmenter, 0, &packets), [None, None]);
    assert_eq!((defragmenter.counts().impossible, defragmenter.open.len()), (1, 0));
}

#[test]
fn old_datagrams_and_too_many_are_given_up() {
    let segment = samples::segment();
    let mut defragmenter = Defragmenter::new();
    for identification in 0..=limits::OPEN_DATAGRAMS as u16 {
        put(&mut defragmenter, 0, &[part(identification, &segment, 0, 16)]);
    }
    assert_eq!((defragmenter.open.len(), defragmenter.counts().abandoned), (limits::OPEN_DATAGRAMS, 1));
    // The first one made room.
    assert_eq!(put(&mut defragmenter, 1, &[part(1, &segment, 16, segment.len())]), [Some(whole(1, &segment))]);
    let late = limits::DATAGRAM_SECONDS + 1;
    assert_eq!(put(&mut defragmenter, late, &[part(2, &segment, 16, segment.len())]), [None]);
    assert_eq!(defragmenter.open.len(), 1);
}

#[test]
fn a_fragmented_tunnel_may_carry_fragments() {
    let segment = samples::segment();
    let (first, last) = (part(7, &segment, 0, 16), part(7, &segment, 16, segment.len()));
    let outer = |identification, inner: &[u8], start: usize, end: usize| {
        let more = if end < inner.len() { 0x2000 } else { 0 };
        samples::ipv4_part(4, identification, more | (start / 8) as u16, &inner[start..end])
    };
    let packets = [
        outer(1, &first, 0, 24),
        outer(1, &first, 24, first.len()),
        outer(2, &last, 0, 24),
        outer(2, &last, 24, last.len()),
    ];
    let mut defragmenter = Defragmenter::new();
    assert_eq!(put(&mut defragmenter, 0, &packets), [None, None, None, Some(whole(7, &segment))]);
    assert_eq!(defragmenter.counts().completed, 3);
}

#[test]
fn random_fragments_make_what_a_simple_model_makes() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % below
    };
    let (mut completed, mut refused) = (0, 0);
    let mut defragmenter = Defragmenter::new();
    let mut octets: [Option<u8>; 128] = [None; 128];
    let mut stated_end = None;
    for turn in 0..20_000 {
        let start = 8 * random(8);
        let more = random(4) != 0;
        let end = start + if more { 8 * (1 + random(4)) } else { random(20) };
        // A whole datagram is no fragment; and what no last fragment reaches would never be complete.
        if (start == 0 && !more) || (more && end > 64) {
            continue;
        }
        let payload: Vec<u8> = (start..end).map(|_| random(256) as u8).collect();
        let field = (start / 8) as u16 | if more { 0x2000 } else { 0 };
        let packet = samples::ipv4_part(253, 7, field, &payload);

        let known_end = octets.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let allowed = match stated_end {
            Some(stated) => end <= stated && (more || end == stated),
            None => more || end >= known_end,
        };
        let mut expected = None;
        if allowed {
            for (at, octet) in (start..end).zip(&payload) {
                octets[at].get_or_insert(*octet);
            }
            if !more {
                stated_end = Some(end);
            }
            expected = stated_end.and_then(|stated| octets[..stated].iter().copied().collect::<Option<Vec<u8>>>());
        } else {
            refused += 1;
        }
        let frame = decode(LinkType::RAW, &packet);
        let whole = defragmenter.put(&frame, Timestamp::default());
        assert_eq!(whole.map(|whole| whole.bytes[20..].to_vec()), expected, "turn {turn}");
        if expected.is_some() {
            completed += 1;
            octets = [None; 128];
            stated_end = None;
        }
    }
    assert!(completed > 500 && refused > 500, "{completed} completed, {refused} refused");
}
