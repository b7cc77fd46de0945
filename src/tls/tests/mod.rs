//! Whole conversations, recorded and built.

mod build;
mod recordings;

use super::*;
use crate::stream::Direction::{self, FromOriginator, FromResponder};
use crate::stream::Span;
use crate::time::Timestamp;
use build::*;
use recordings::{TLS12, TLS13};

/// Feeds pieces and tells each event in words.
fn run(pieces: &[(Direction, Vec<u8>)]) -> (Conversation, Vec<String>) {
    let mut conversation = Conversation::new(FromOriginator);
    let mut events = Vec::new();
    let mut positions = [0; 2];
    for (direction, piece) in pieces {
        let position = &mut positions[direction.index()];
        conversation.data(*direction, *position, piece, &mut |event| events.push(in_words(&event)));
        *position += piece.len() as u64;
    }
    for direction in Direction::BOTH {
        conversation.finish(direction, &mut |event| events.push(in_words(&event)));
    }
    (conversation, events)
}

fn in_words(event: &Event<'_>) -> String {
    let kind = match &event.kind {
        EventKind::Record(record) => format!("record {} {}", record.content_type, record.length),
        EventKind::ClientHello(_) => "client hello".to_owned(),
        EventKind::ServerHello(_) => "server hello".to_owned(),
        EventKind::HelloRetryRequest(_) => "retry".to_owned(),
        EventKind::Certificates(chain) => format!("certificates {}", chain.len()),
        EventKind::Handshake(kind, _) => format!("{kind}"),
        EventKind::Alert(alert) => format!("alert {alert}"),
        EventKind::ChangeCipherSpec => "change cipher spec".to_owned(),
        EventKind::NotTls(octets) => format!("not tls {}", octets.len()),
        EventKind::Anomaly(anomaly) => anomaly.id().to_owned(),
        EventKind::SealedOctets(octets) => format!("sealed octets {}", octets.len()),
        EventKind::HandshakeOctets(octets) => format!("handshake octets {}", octets.len()),
    };
    let Span { direction, start, end } = event.span;
    format!("{} {start}..{end} {kind}", if direction == FromOriginator { "c" } else { "s" })
}

fn recorded(recording: &[(Direction, &str)]) -> Vec<(Direction, Vec<u8>)> {
    recording.iter().map(|(direction, hex)| (*direction, octets(hex))).collect()
}

fn client(message: &[u8]) -> (Direction, Vec<u8>) {
    (FromOriginator, record(22, message))
}

fn server(message: &[u8]) -> (Direction, Vec<u8>) {
    (FromResponder, record(22, message))
}

#[test]
fn reads_a_whole_tls12_conversation() {
    let (conversation, events) = run(&recorded(TLS12));
    let summary = conversation.summary();
    assert_eq!(summary.version, Some(ProtocolVersion::TLS12));
    assert_eq!(summary.cipher_suite.unwrap().to_string(), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    assert_eq!(summary.group, Some(Group::X25519));
    assert_eq!(summary.server_name.as_deref(), Some(&b"mail.example.org"[..]));
    assert_eq!(summary.client_hello.as_ref().unwrap().alpn(), [b"smtp".to_vec()]);
    assert_eq!((summary.resumed, summary.is_established()), (Some(false), true));
    assert!(summary.extended_master_secret && summary.ticket_lifetime.is_some());
    assert_eq!(summary.anomalies, []);
    let fields = summary.certificates[0].fields.as_ref().unwrap();
    assert_eq!(fields.subject.rfc2253(), "CN=mail.example.org,O=Example\\, Inc.");
    assert_eq!(fields.subject.to_string(), "O=Example, Inc., CN=mail.example.org");
    assert_eq!(fields.dns_names, ["mail.example.org", "mx.example.net"]);
    assert_eq!((fields.key.to_string().as_str(), fields.key_bits), ("EC secp256r1", Some(256)));
    assert_eq!(fields.signature_algorithm, "ecdsa-with-SHA256");
    assert!(fields.self_issued && fields.not_before < fields.not_after);
    let data: Vec<_> = conversation.trace().records().iter().filter(|r| r.phase == Phase::Application).collect();
    let lengths: Vec<_> = data.iter().map(|r| r.plaintext.unwrap().exact()).collect();
    assert_eq!(lengths, [Some(8), Some(6)]);
    assert_eq!(events[1], "c 5..172 client hello");
}

#[test]
fn tells_handshake_tickets_and_data_of_tls13_apart_by_size_and_order() {
    let (conversation, events) = run(&recorded(TLS13));
    let summary = conversation.summary();
    assert_eq!(summary.version, Some(ProtocolVersion::TLS13));
    assert_eq!(summary.cipher_suite, Some(CipherSuite::TLS_AES_256_GCM_SHA384));
    assert_eq!((summary.group, summary.resumed), (Some(Group::X25519), Some(false)));
    assert!(summary.is_established());
    assert_eq!(summary.anomalies, [], "{events:?}");
    let trace = conversation.trace();
    let phases = trace.phases(FromResponder, false);
    let sealed: Vec<_> = trace
        .records()
        .iter()
        .zip(phases)
        .filter(|(record, _)| record.sealed)
        .map(|(record, phase)| (record.direction, record.plaintext.unwrap().exact().unwrap(), phase))
        .collect();
    assert_eq!(sealed[3], (FromResponder, 52, Phase::Handshake));
    assert_eq!(sealed[4], (FromOriginator, 52, Phase::Handshake));
    assert_eq!(sealed[5], (FromOriginator, 8, Phase::Application));
    assert!(sealed[6..8].iter().all(|(_, _, phase)| *phase == Phase::PostHandshake), "{sealed:?}");
}

#[test]
fn the_way_the_octets_are_cut_changes_nothing() {
    for recording in [TLS12, TLS13] {
        let whole = recorded(recording);
        let (conversation, events) = run(&whole);
        for size in [1, 2, 3, 5, 7, 64] {
            let pieces: Vec<_> =
                whole.iter().flat_map(|(d, octets)| octets.chunks(size).map(|piece| (*d, piece.to_vec()))).collect();
            let (other, others) = run(&pieces);
            assert_eq!(events, others);
            assert_eq!(conversation.summary(), other.summary());
            assert_eq!(conversation.trace().records(), other.trace().records());
        }
    }
}

#[test]
fn a_conversation_cut_anywhere_tells_what_came_before_and_that_it_is_cut() {
    for recording in [TLS12, TLS13] {
        let whole = recorded(recording);
        let (_, events) = run(&whole);
        for (index, (direction, octets)) in whole.iter().enumerate() {
            for length in 0..octets.len() {
                let mut pieces = whole[..index].to_vec();
                pieces.push((*direction, octets[..length].to_vec()));
                let (_, cut) = run(&pieces);
                let told = cut.iter().filter(|event| !event.ends_with("cut") && !event.ends_with("incomplete"));
                assert!(told.eq(events.iter().take(cut.len()).filter(|event| cut.contains(event))), "{cut:?}");
            }
        }
    }
}

#[test]
fn octets_missing_inside_a_sealed_record_do_not_lose_the_next_one() {
    let mut conversation = Conversation::new(FromOriginator);
    let mut events = Vec::new();
    let mut emit = |event: Event<'_>| events.push(in_words(&event));
    let stream = [record(23, &[0; 100]), record(23, &[0; 50])].concat();
    conversation.set_time(Timestamp::from_nanos(7));
    conversation.data(FromOriginator, 0, &stream[..30], &mut emit);
    conversation.gap(Span::new(FromOriginator, 30, 90), &mut emit);
    conversation.data(FromOriginator, 90, &stream[90..], &mut emit);
    assert_eq!(
        events,
        [
            "c 0..105 record Application Data 100",
            "c 0..105 tls-record-incomplete",
            "c 105..160 record Application Data 50"
        ]
    );
    let records = conversation.trace().records();
    assert_eq!((records[0].after_gap, records[1].after_gap, records[1].time.nanos()), (true, false, 7));
    assert_eq!(records[1].span(), Span::new(FromOriginator, 105, 160));
}

#[test]
fn records_are_found_again_after_a_gap_over_their_headers() {
    let stream: Vec<u8> = (0..9u8).flat_map(|n| record(23, &vec![n; 40 + usize::from(n)])).collect();
    for missing in [45..46, 0..60, 30..200, 44..51] {
        for size in [1, 6, 1000] {
            let mut conversation = Conversation::new(FromOriginator);
            let mut events = Vec::new();
            let mut emit = |event: Event<'_>| events.push(in_words(&event));
            let (start, end) = (missing.start as u64, missing.end as u64);
            conversation.data(FromOriginator, 0, &stream[..missing.start], &mut emit);
            conversation.gap(Span::new(FromOriginator, start, end), &mut emit);
            for (index, piece) in stream[missing.end..].chunks(size).enumerate() {
                conversation.data(FromOriginator, end + (index * size) as u64, piece, &mut emit);
            }
            conversation.finish(FromOriginator, &mut emit);
            let last = conversation.trace().records().last().unwrap();
            assert_eq!(last.span(), Span::new(FromOriginator, 388, 441), "{events:?}");
            assert!(events.iter().any(|event| event.ends_with("tls-resynchronised")));
            assert!(conversation.trace().records().len() >= 4);
        }
    }
}

#[test]
fn clear_text_after_the_end_of_tls_is_handed_on() {
    let mut pieces = vec![client(&client_hello(0x303, &[], &[0x1301], &[]))];
    pieces.push((FromOriginator, b"QUIT\r\n".to_vec()));
    let (_, events) = run(&pieces);
    assert_eq!(events[2..], ["c 50..50 tls-not-a-record", "c 50..56 not tls 6"]);
    pieces.pop();
    pieces.extend(b"QUIT\r\n".iter().map(|octet| (FromOriginator, vec![*octet])));
    let (_, events) = run(&pieces);
    assert_eq!(events.iter().filter(|event| event.contains("not tls")).count(), 6);
}

#[test]
fn messages_are_put_together_from_records_and_taken_apart_within_one() {
    let hello = client_hello(
        0x303,
        &[],
        &[0xc02f],
        &[extension(0, &vector16(&[&[0][..], &vector16(b"mx.example.org")].concat()))],
    );
    let pieces: Vec<_> = hello.chunks(9).map(client).collect();
    let (conversation, events) = run(&pieces);
    let read = conversation.summary().client_hello.as_ref().unwrap();
    assert_eq!(read.records as usize, pieces.len());
    assert_eq!(read.server_name(), Some(&b"mx.example.org"[..]));
    assert_eq!(read.span.start, 5);
    assert_eq!(events.iter().filter(|event| event.contains("record")).count(), pieces.len());

    let flight = [server_hello([1; 32], &[], 0xc02f, &[]), message(14, &[])].concat();
    let (conversation, events) = run(&[client(&hello), server(&flight)]);
    assert_eq!(events[3..], ["s 5..47 server hello", "s 47..51 Server Hello Done"]);
    assert_eq!(conversation.summary().resumed, Some(false));
}

#[test]
fn a_retry_and_its_second_hello_are_one_handshake() {
    let versions = extension(43, &vector8(&numbers(&[0x0304])));
    let first = client_hello(0x303, &[9; 32], &[0x1301], &[versions.clone(), extension(51, &vector16(&[]))]);
    let retry_random = octets("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c");
    let retry = server_hello(
        retry_random.try_into().unwrap(),
        &[9; 32],
        0x1301,
        &[extension(43, &numbers(&[0x0304])), extension(51, &numbers(&[0x0017]))],
    );
    let (conversation, events) = run(&[
        client(&first),
        server(&retry),
        (FromOriginator, record(20, &[1])),
        client(&first),
        server(&server_hello([1; 32], &[9; 32], 0x1301, &[extension(43, &numbers(&[0x0304])), extension(41, &[0, 0])])),
    ]);
    assert!(events.iter().any(|event| event.ends_with("retry")));
    assert_eq!(events.iter().filter(|event| event.ends_with("client hello")).count(), 2);
    let summary = conversation.summary();
    assert!(summary.hello_retry_request.is_some() && summary.server_hello.is_some());
    assert_eq!((summary.resumed, &summary.anomalies[..]), (Some(true), &[][..]));
}

#[test]
fn a_server_that_seals_at_once_resumes_a_session() {
    let (conversation, _) = run(&[
        client(&client_hello(0x303, &[5; 32], &[0xc02f], &[])),
        server(&server_hello([1; 32], &[5; 32], 0xc02f, &[])),
        (FromResponder, [record(20, &[1]), record(22, &[0; 40])].concat()),
        (FromOriginator, [record(20, &[1]), record(22, &[0; 40]), record(23, &[0; 30]), record(21, &[0; 26])].concat()),
    ]);
    let summary = conversation.summary();
    assert_eq!((summary.resumed, summary.finished, summary.closing_alert), (Some(true), [true; 2], [true, false]));
    assert_eq!(summary.anomalies, []);
    assert_eq!(conversation.trace().records()[6].plaintext, Some(PlaintextLength::exactly(6)));
}

#[test]
fn a_hello_of_ssl2_form_is_read() {
    let body = [&[1, 3, 1, 0, 6, 0, 0, 0, 16, 0, 0, 0x2f, 7, 0, 0xc0][..], &[4; 16]].concat();
    let stream = [&[0x80, body.len() as u8], &body[..]].concat();
    let (conversation, events) = run(&[(FromOriginator, stream)]);
    let hello = conversation.summary().client_hello.as_ref().unwrap();
    assert!(hello.ssl2 && hello.ja3().is_none());
    assert_eq!((hello.legacy_version, &hello.cipher_suites[..]), (ProtocolVersion::TLS10, &[CipherSuite(0x2f)][..]));
    assert_eq!(hello.random[..17], [&[0; 16][..], &[4]].concat());
    assert_eq!(events, ["c 0..33 tls-ssl2-hello", "c 0..33 client hello"]);
}

#[test]
fn strange_hellos_are_read_as_far_as_they_go() {
    let twice = [extension(23, &[]), extension(23, &[]), extension(10, &[0, 9, 1])];
    let (conversation, events) = run(&[client(&client_hello(0x303, &[], &[0x1301, 0x0a0a], &twice))]);
    let hello = conversation.summary().client_hello.as_ref().unwrap();
    assert!(hello.grease && hello.extensions.as_ref().unwrap().all.len() == 3);
    assert_eq!(events[2..], ["c 5..69 tls-extension-repeated", "c 5..69 tls-extension-malformed"]);

    let long = [&[1, 0xff, 0xff, 0xff][..], &[0; 50]].concat();
    let (_, events) = run(&[client(&client_hello(0x303, &[], &[1], &[])), client(&long)]);
    assert!(events.contains(&"c 55..109 tls-handshake-too-long".to_owned()), "{events:?}");

    let (_, events) = run(&[client(&message(1, &[3, 3, 1]))]);
    assert!(events[2].ends_with("tls-handshake-malformed"));
}

#[test]
fn a_server_that_strays_from_the_offer_is_told() {
    let offer = [extension(43, &vector8(&numbers(&[0x0304, 0x0303])))];
    let mut random = [1; 32];
    random[24..].copy_from_slice(b"DOWNGRD\x01");
    let (conversation, _) =
        run(&[client(&client_hello(0x303, &[], &[0x1301], &offer)), server(&server_hello(random, &[], 0xc02f, &[]))]);
    let anomalies: Vec<_> = conversation.summary().anomalies.iter().map(|(_, anomaly)| *anomaly).collect();
    assert_eq!(
        anomalies,
        [Anomaly::SuiteNotOffered(CipherSuite(0xc02f)), Anomaly::DowngradeSentinel(ProtocolVersion::TLS12)]
    );
}

#[test]
fn alerts_and_heartbeats_in_the_clear_are_read() {
    let hello = client(&client_hello(0x303, &[], &[0xc02f], &[]));
    let (conversation, events) = run(&[hello.clone(), (FromResponder, record(21, &[2, 40]))]);
    assert_eq!(events[3], "s 0..7 alert Level: Fatal, Description: Handshake Failure");
    assert_eq!(conversation.summary().alerts.len(), 1);
    let (_, events) = run(&[hello, (FromOriginator, record(24, &[1, 0x40, 0]))]);
    assert!(events.last().unwrap().ends_with("tls-heartbeat-overread"));
}

#[test]
fn padding_is_suspected_when_all_lengths_are_multiples_of_a_block() {
    let versions = extension(43, &numbers(&[0x0304]));
    let mut pieces = vec![
        client(&client_hello(0x303, &[], &[0x1301], &[extension(43, &vector8(&numbers(&[0x0304])))])),
        server(&server_hello([1; 32], &[], 0x1301, &[versions])),
        (FromResponder, record(23, &[0; 53])),
        (FromOriginator, record(23, &[0; 53])),
    ];
    pieces.extend((0..8).map(|n| (FromOriginator, record(23, &vec![0; 16 + 64 * (1 + n % 3)]))));
    let (mut conversation, _) = run(&pieces);
    assert_eq!(conversation.trace().padding(), Padding::Suspected);
    conversation.set_padding(Padding::Proven);
    assert_eq!(conversation.trace().padding(), Padding::Proven);
}

/// A library that pads everything pads its Finished message too, by which the handshake is told from data.
#[test]
fn a_padded_handshake_ends_with_a_padded_finished() {
    let versions = extension(43, &numbers(&[0x0304]));
    let begins = [
        client(&client_hello(0x303, &[], &[0x1301], &[extension(43, &vector8(&numbers(&[0x0304])))])),
        server(&server_hello([1; 32], &[], 0x1301, &[versions])),
    ];
    let of = |from, lengths: &[usize]| -> Vec<_> { lengths.iter().map(|n| (from, record(23, &vec![0; *n]))).collect() };
    // Both sides pad to 64 octets, and sixteen are of the authentication.
    let flight = of(FromResponder, &[80, 848, 336, 80]);
    let data = [of(FromOriginator, &[80]), of(FromResponder, &[208]), of(FromOriginator, &[80, 144])].concat();
    let pieces = [&begins[..], &flight, &of(FromOriginator, &[80]), &data].concat();
    let (conversation, _) = run(&pieces);
    let trace = conversation.trace();
    assert_eq!((trace.padding(), trace.padding_block(FromResponder)), (Padding::Suspected, Some(64)));
    let phases = trace.phases(FromResponder, true);
    assert_eq!(
        phases[phases.len() - 5..].iter().filter(|phase| **phase == Phase::Application).count(),
        4,
        "{phases:?}"
    );
    let answer = trace.records().iter().rev().find(|record| record.direction == FromResponder).unwrap();
    assert_eq!(trace.plaintext(answer), Some(PlaintextLength { min: 128, max: 191 }));
    // Only the client pads, to 256 octets.
    let flight = of(FromResponder, &[23, 900, 281, 53]);
    let (conversation, _) =
        run(&[&begins[..], &flight, &of(FromOriginator, &[272]), &of(FromOriginator, &[272])].concat());
    let trace = conversation.trace();
    assert_eq!(trace.phases(FromResponder, true).last(), Some(&Phase::Application));
    assert_eq!(trace.padding_block(FromResponder), None);
}

#[test]
fn early_data_of_a_power_of_two_is_no_padded_finished() {
    let versions = extension(43, &numbers(&[0x0304]));
    let offer = [extension(43, &vector8(&numbers(&[0x0304]))), extension(42, &[])];
    let mut pieces = vec![
        client(&client_hello(0x303, &[], &[0x1301], &offer)),
        server(&server_hello([1; 32], &[], 0x1301, &[versions])),
    ];
    pieces.extend([23, 900, 281, 53].map(|length| (FromResponder, record(23, &vec![0; length]))));
    pieces.extend([80, 21, 53, 80].map(|length| (FromOriginator, record(23, &vec![0; length]))));
    let (conversation, _) = run(&pieces);
    let phases = conversation.trace().phases(FromResponder, true);
    let last = &phases[phases.len() - 4..];
    assert_eq!(last, [Phase::EarlyData, Phase::Handshake, Phase::Handshake, Phase::Application]);
}

/// JSSE ends every record of TLS 1.3 with 16 zero octets: the lengths of a real handshake of Java 17, as client and as server.
#[test]
fn sixteen_zeros_that_java_appends_are_not_taken_for_text() {
    let versions = extension(43, &numbers(&[0x0304]));
    let of = |from, lengths: &[usize]| -> Vec<_> { lengths.iter().map(|n| (from, record(23, &vec![0; *n]))).collect() };
    for (suite, hash) in [(0x1301, 32), (0x1302, 48)] {
        let plain = 4 + hash + 17;
        let begins = [
            client(&client_hello(0x303, &[], &[suite], &[extension(43, &vector8(&numbers(&[0x0304])))])),
            server(&server_hello([1; 32], &[], suite, std::slice::from_ref(&versions))),
        ];
        for (client_tail, server_tail) in [(16, 0), (0, 16), (16, 16), (0, 0)] {
            let mut pieces = begins.to_vec();
            pieces.extend(of(FromResponder, &[6, 830, 264, plain - 17].map(|n| n + 17 + server_tail)));
            pieces.extend(of(FromOriginator, &[plain + client_tail]));
            pieces.extend(of(FromResponder, &[26 + 17 + server_tail]));
            pieces.extend(of(FromOriginator, &[20 + 17 + client_tail]));
            pieces.extend(of(FromResponder, &[8 + 17 + server_tail]));
            // user_canceled, then close_notify.
            pieces.extend(of(FromOriginator, &[2 + 17 + client_tail; 2]));
            let trace = run(&pieces).0.trace().clone();
            assert_eq!(
                (trace.tail(FromOriginator), trace.tail(FromResponder)),
                (client_tail as u16, server_tail as u16)
            );
            let lengths: Vec<_> = trace.records()[2..].iter().map(|r| r.plaintext.unwrap().exact().unwrap()).collect();
            let finished = u16::try_from(hash + 4).unwrap();
            assert_eq!(lengths, [6, 830, 264, finished, finished, 26, 20, 8, 2, 2]);
            let phases = trace.phases(FromResponder, true);
            assert_eq!(
                phases[phases.len() - 3..],
                [Phase::Application, Phase::AlertOrTwoOctets, Phase::AlertOrTwoOctets]
            );
            assert_eq!(trace.padding(), Padding::NotSeen);
        }
    }
}

#[test]
fn a_few_equal_replies_are_no_padding() {
    let mut pieces = tls13(0x1301, &[53]);
    // Eight replies of 8 octets and one of 80: by chance all of them multiples of nine.
    pieces.extend((0..8).map(|_| (FromResponder, record(23, &[0; 25]))));
    pieces.push((FromResponder, record(23, &[0; 97])));
    assert_eq!(run(&pieces).0.trace().padding(), Padding::NotSeen);
}

/// A handshake of TLS 1.3 with a fresh key: the server's flight is EncryptedExtensions, a
/// certificate, its proof, Finished and the records of `more` lengths; then the client's Finished.
fn tls13(suite: u16, more: &[usize]) -> Vec<(Direction, Vec<u8>)> {
    let versions = extension(43, &numbers(&[0x0304]));
    let mut pieces = vec![
        client(&client_hello(0x303, &[], &[suite], &[extension(43, &vector8(&numbers(&[0x0304])))])),
        server(&server_hello([1; 32], &[], suite, &[versions])),
    ];
    let flight = [23, 900, 281, 53];
    pieces.extend(flight.iter().chain(more).map(|length| (FromResponder, record(23, &vec![0; *length]))));
    pieces.push((FromOriginator, record(23, &[0; 53])));
    pieces
}

#[test]
fn tickets_sent_before_the_client_has_finished_are_told_from_the_handshake() {
    let mut pieces = tls13(0x1301, &[252, 252]);
    pieces.push((FromOriginator, record(23, &[0; 30])));
    let (conversation, _) = run(&pieces);
    let phases = conversation.trace().phases(FromResponder, false);
    use Phase::{Application, Handshake, PostHandshake};
    assert_eq!(phases[2..6], [Handshake; 4]);
    assert_eq!(phases[6..], [PostHandshake, PostHandshake, Handshake, Application]);
}

#[test]
fn two_octets_with_data_after_them_are_data_and_at_the_end_perhaps_an_alert() {
    let mut pieces = tls13(0x1301, &[]);
    pieces.extend([30, 19, 40, 19].map(|length| (FromOriginator, record(23, &vec![0; length]))));
    let (conversation, _) = run(&pieces);
    let phases = conversation.trace().phases(FromResponder, false);
    use Phase::{AlertOrTwoOctets, Application};
    assert_eq!(phases[7..], [Application, Application, Application, AlertOrTwoOctets]);
}

#[test]
fn nonces_tell_how_many_records_a_gap_has_swallowed() {
    let mut pieces = recorded(TLS12);
    let nonce = |n: u64| record(23, &[&(0x5193_c8f9_c9a0_d533 + n).to_be_bytes()[..], &[0; 30]].concat());
    pieces.extend((1..4).map(|n| (FromResponder, nonce(n))));
    let (mut conversation, _) = run(&pieces);
    let start: u64 = pieces.iter().filter(|(d, _)| *d == FromResponder).map(|(_, piece)| piece.len() as u64).sum();
    let mut told = Vec::new();
    // Two whole records are missing, and the first twelve octets of a third.
    let lost = 2 * 43 + 12;
    conversation.gap(Span::new(FromResponder, start, start + lost), &mut |_| {});
    let rest = [&nonce(6)[12..], &nonce(7), &nonce(8), &nonce(9), &nonce(10)].concat();
    conversation.data(FromResponder, start + lost, &rest, &mut |event| {
        if let EventKind::Anomaly(Anomaly::RecordsMissing(count)) = event.kind {
            told.push(count);
        }
    });
    assert_eq!(told, [3], "the record of which only the end is there cannot be told from a lost one");
}

#[test]
fn a_capture_that_begins_in_the_middle_counts_records_without_guessing_their_contents() {
    let record = octets("1703030025112a8eb7b8d7112abcec146046b507a56ee05d87b42d7573010376b63ff6507d9ae535365c");
    let mut conversation = Conversation::new(FromResponder);
    let mut events = Vec::new();
    conversation.data(FromOriginator, 1000, &record, &mut |event| events.push(in_words(&event)));
    assert_eq!(events, ["c 1000..1042 record Application Data 37"]);
    let traced = conversation.trace().records()[0];
    assert_eq!((traced.sealed, traced.plaintext, traced.phase), (true, None, Phase::Application));
}

#[test]
fn published_fingerprints_are_met() {
    let named = extension(0, &vector16(&[&[0][..], &vector16(b"example.com")].concat()));
    let groups = extension(10, &vector16(&numbers(&[23, 24, 25])));
    let formats = extension(11, &vector8(&[0]));
    let suites = [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4];
    let (conversation, _) = run(&[client(&client_hello(769, &[], &suites, &[named.clone(), groups, formats]))]);
    let summary = conversation.summary();
    let text = summary.client_hello.as_ref().unwrap().ja3_text();
    assert_eq!(text.as_deref(), Some("769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0"));
    assert_eq!(summary.ja3().as_deref(), Some("ada70206e40642a3e4461f35503241d5"));

    let suites = [
        0x8a8a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x9c, 0x9d,
        0x2f, 0x35,
    ];
    let schemes = numbers(&[0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]);
    let mut extensions: Vec<_> =
        [0x001b, 0x0033, 0xff01, 0x0017, 0x002d, 0x0005, 0x0023, 0x0012, 0x0015, 0x4469, 0x000b, 0x000a, 0x1a1a]
            .map(|kind| extension(kind, &[]))
            .into();
    extensions.push(named);
    extensions.push(extension(13, &vector16(&schemes)));
    extensions.push(extension(43, &vector8(&numbers(&[0x2a2a, 0x0304, 0x0303]))));
    extensions.push(extension(16, &vector16(&[vector8(b"h2"), vector8(b"http/1.1")].concat())));
    let (conversation, _) = run(&[client(&client_hello(0x303, &[], &suites, &extensions))]);
    assert_eq!(conversation.summary().ja4().as_deref(), Some("t13d1516h2_8daaf6152771_e5627efa2ab1"));
}

/// Seeds with some of their octets changed.
fn mutated(seeds: &[Vec<u8>], rounds: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    let seeds = seeds.to_vec();
    (0..rounds).map(move |round| {
        let mut data = seeds[round % seeds.len()].clone();
        for _ in 0..random() % 6 {
            let at = random() % data.len();
            data[at] = random() as u8;
        }
        data.truncate(data.len() - random() % 4 * (data.len() / 8));
        data
    })
}

/// The handshake messages of a recording, as [`fuzz_handshake`] takes them.
fn messages_for_fuzzing(recording: &[(Direction, &str)]) -> Vec<u8> {
    let mut seed = Vec::new();
    for (direction, octets) in recorded(recording) {
        for record in records(&octets).iter().filter(|record| record[0] == 22) {
            let (kind, body) = (record[5], record.get(9..).unwrap_or_default());
            for piece in body.chunks(0x7f * 8) {
                seed.extend([kind, (direction.index() as u8) << 7 | piece.len().div_ceil(8) as u8]);
                seed.extend_from_slice(piece);
                seed.resize(seed.len().next_multiple_of(8) + 2, 0);
            }
        }
    }
    seed
}

#[test]
fn exercise_fuzz_handshake() {
    for data in mutated(&[messages_for_fuzzing(TLS12), messages_for_fuzzing(TLS13)], 2000) {
        fuzz_handshake(&data);
    }
}

#[test]
fn exercise_fuzz_certificate() {
    let (conversation, _) = run(&recorded(TLS12));
    let der = conversation.summary().certificates[0].der.clone();
    for data in mutated(&[der], 2000) {
        fuzz_certificate(&data);
    }
    fuzz_certificate(&[]);
}

#[test]
fn the_server_of_tls13_shows_its_kind_of_key_by_the_sizes_of_its_sealed_handshake() {
    let (conversation, _) = run(&tls13(0x1301, &[252]));
    let (summary, trace) = (conversation.summary(), conversation.trace());
    let found = trace.sealed_certificate(summary, FromResponder).expect("a certificate is there");
    assert_eq!((found.key, found.chain_octets), (SealedKey::Rsa(2048), 900 - 17 - 8));
    assert_eq!(found.records, [3, 4]);
    assert_eq!(trace.sealed_certificate(summary, FromOriginator), None);
    assert_eq!(trace.declined_certificate(summary), None);
}

#[test]
fn a_client_that_has_no_certificate_to_show_says_so_by_a_size() {
    let mut pieces = tls13(0x1301, &[]);
    pieces.insert(pieces.len() - 1, (FromOriginator, record(23, &[0; 25])));
    let (conversation, _) = run(&pieces);
    let declined = conversation.trace().declined_certificate(conversation.summary());
    assert_eq!(declined, Some(6));
}

#[test]
fn exercise_fuzz_tls() {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut seeds = vec![Vec::new()];
    for recording in [TLS12, TLS13] {
        let mut seed = Vec::new();
        for (direction, octets) in recorded(recording) {
            for piece in records(&octets).concat().chunks(0x3f) {
                seed.push((direction.index() as u8) << 7 | piece.len() as u8);
                seed.extend_from_slice(piece);
            }
        }
        seeds.push(seed);
    }
    for round in 0..3000 {
        let mut data = seeds[round % seeds.len()].clone();
        for _ in 0..random() % 8 {
            if !data.is_empty() {
                let at = random() as usize % data.len();
                data[at] = random() as u8;
            }
        }
        data.truncate((random() as usize % (data.len() + 1)).max(data.len() / 2));
        let tail = random() % 200;
        data.extend((0..tail).map(|_| [22, 3, 3, 0, 1, 2, 23, 20, 21, 5, 0x80, 64][random() as usize % 12]));
        fuzz_tls(&data);
    }
}
