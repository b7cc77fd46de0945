//! Conversations that were published or are made here, opened in every way that they may be cut.

use super::super::{Conversation, Event, EventKind};
use super::testing::octets;
use super::*;
use crate::stream::Direction::{self, FromOriginator, FromResponder};
use crate::stream::Span;
use crate::tls::{ContentType, HandshakeType};

/// What an opener makes of octets.
struct Read {
    opening: Opening,
    /// The application data of each direction.
    text: [Vec<u8>; 2],
    messages: Vec<(Direction, HandshakeType)>,
    outcomes: Vec<Outcome>,
}

/// Feeds pieces, each with its direction, cut into parts of at most `size` octets.
fn read(pieces: &[(Direction, Vec<u8>)], log: &str, size: usize) -> Read {
    let mut keys = Keys::default();
    let mut key_log = KeyLog::default();
    key_log.read(log.as_bytes());
    keys.add(key_log);
    let mut ring = Keyring::new(keys);
    let mut conversation = Conversation::new(FromOriginator);
    conversation.tell_octets();
    let mut opener = Opener::new(FromOriginator);
    let (mut text, mut messages, mut outcomes) = ([Vec::new(), Vec::new()], Vec::new(), Vec::new());
    let mut at = [0u64; 2];
    let mut take = |event: Event<'_>, ring: &mut Keyring| {
        let outcome = opener.event(ring, &event);
        if let Outcome::Opened(record) = &outcome {
            messages.extend(record.messages.iter().map(|message| (event.span.direction, *message)));
            if record.content_type == ContentType::APPLICATION_DATA {
                text[event.span.direction.index()].extend_from_slice(ring.plaintext(record));
            }
        }
        if matches!(event.kind, EventKind::Record(record) if record.sealed) {
            outcomes.push(outcome);
        }
    };
    for (direction, piece) in pieces {
        let at = &mut at[direction.index()];
        for part in piece.chunks(size) {
            conversation.data(*direction, *at, part, &mut |event| take(event, &mut ring));
            *at += part.len() as u64;
        }
    }
    Read { opening: opener.into_opening(&mut ring), text, messages, outcomes }
}

/// The trace of RFC 8448 §3. In the place of its session ticket stands a record that was never sealed.
fn published() -> Vec<(Direction, Vec<u8>)> {
    let hello = octets(CLIENT_HELLO);
    vec![
        (FromOriginator, [&[22, 3, 1, 0, hello.len() as u8], &hello[..]].concat()),
        (FromResponder, octets(SERVER_HELLO)),
        (FromResponder, octets(SERVER_FLIGHT)),
        (FromOriginator, octets(CLIENT_FINISHED)),
        (FromResponder, [&[23, 3, 3, 0, 40], &[0; 40][..]].concat()),
        (FromOriginator, octets(CLIENT_DATA)),
        (FromResponder, octets(SERVER_DATA)),
    ]
}

/// Its secrets as a key log.
fn secrets(labels: &[&str]) -> String {
    let random = "cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7";
    [
        ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21"),
        ("SERVER_HANDSHAKE_TRAFFIC_SECRET", "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"),
        ("CLIENT_TRAFFIC_SECRET_0", "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"),
        ("SERVER_TRAFFIC_SECRET_0", "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"),
    ]
    .iter()
    .filter(|(label, _)| labels.iter().any(|wanted| label.starts_with(wanted)))
    .map(|(label, secret)| format!("{label} {random} {secret}\n"))
    .collect()
}

#[test]
fn the_published_trace_of_tls13_opens_however_it_is_cut() {
    let fifty: Vec<u8> = (0..50).collect();
    for size in [usize::MAX, 1, 2, 5, 7, 64, 679] {
        let read = read(&published(), &secrets(&["CLIENT", "SERVER"]), size);
        assert_eq!(read.text, [fifty.clone(), fifty.clone()], "in pieces of {size}");
        use HandshakeType as H;
        assert_eq!(
            read.messages,
            [
                (FromResponder, H::ENCRYPTED_EXTENSIONS),
                (FromResponder, H::CERTIFICATE),
                (FromResponder, H::CERTIFICATE_VERIFY),
                (FromResponder, H::FINISHED),
                (FromOriginator, H::FINISHED),
            ]
        );
        let opening = read.opening;
        let fields = opening.certificates[0].fields.as_ref().unwrap();
        assert_eq!((fields.subject.to_string().as_str(), fields.key_bits), ("CN=rsa", Some(1024)));
        assert_eq!(opening.certificates_span, Some(Span::new(FromResponder, 95, 95 + 679)));
        assert_eq!((opening.sealed, opening.opened), ([2, 3], [2, 2]));
        assert_eq!(opening.first_failure, [None, Some((5, Reason::NotAuthentic))]);
        assert_eq!(
            opening.in_words().unwrap(),
            "4 of 5 sealed records opened; record 5, from the server, did not open: the key does not fit"
        );
    }
}

#[test]
fn a_conversation_cut_at_any_octet_opens_what_came_before() {
    let whole: Vec<(Direction, u8)> =
        published().iter().flat_map(|(d, piece)| piece.iter().map(|octet| (*d, *octet))).collect();
    let log = secrets(&["CLIENT", "SERVER"]);
    let mut last = 0;
    for cut in 0..whole.len() {
        let pieces: Vec<(Direction, Vec<u8>)> = whole[..cut]
            .chunk_by(|a, b| a.0 == b.0)
            .map(|run| (run[0].0, run.iter().map(|(_, o)| *o).collect()))
            .collect();
        let opening = read(&pieces, &log, usize::MAX).opening;
        let opened: u64 = opening.opened.iter().sum();
        assert!(opened >= last && opened <= 4, "{cut}");
        last = opened;
    }
}

#[test]
fn keys_for_the_data_alone_open_it_and_keys_of_one_side_open_that_side() {
    let data = read(&published(), &secrets(&["CLIENT_TRAFFIC", "SERVER_TRAFFIC"]), 100);
    assert_eq!((data.text[0].len(), data.text[1].len(), data.opening.opened), (50, 50, [1, 1]));
    assert!(data.opening.without_handshake_keys && data.opening.certificates.is_empty());
    let client = read(&published(), &secrets(&["CLIENT"]), 100).opening;
    assert_eq!((client.opened, client.keys_known), ([2, 0], [true, false]));
    assert!(client.in_words().unwrap().starts_with("the client's keys only"));
    let none = read(&published(), "", 100);
    assert_eq!(none.opening.in_words().unwrap(), "keys given, but none for this session");
    assert!(none.outcomes.iter().all(|outcome| *outcome == Outcome::Sealed(Reason::NoKeys)));
}

#[test]
fn a_changed_octet_keeps_its_record_sealed_and_no_other() {
    let log = secrets(&["CLIENT", "SERVER"]);
    for place in [5, 40, 71] {
        let mut pieces = published();
        pieces[5].1[place] ^= 1;
        let read = read(&pieces, &log, usize::MAX);
        assert_eq!((read.text[0].len(), read.text[1].len()), (0, 50), "{place}");
        assert_eq!(read.opening.first_failure[0], Some((6, Reason::NotAuthentic)));
    }
}

#[test]
fn without_the_hellos_nothing_is_opened_and_the_reason_is_told() {
    let log = secrets(&["CLIENT", "SERVER"]);
    let opening = read(&published()[3..], &log, usize::MAX).opening;
    assert_eq!(opening.opened, [0; 2]);
    assert!(opening.in_words().unwrap().contains("ClientHello"), "{:?}", opening.in_words());
    let mut pieces = published();
    pieces[1].1.clear();
    let opening = read(&pieces, &log, usize::MAX).opening;
    assert_eq!(opening.opened, [0; 2]);
    assert!(opening.in_words().unwrap().contains("ServerHello"), "{:?}", opening.in_words());
}

#[test]
fn fuzz_bodies_run_over_noise_and_over_what_fits() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random as u8
    };
    for round in 0..400u32 {
        let data: Vec<u8> = (0..round).map(|_| next()).collect();
        fuzz_open(&data);
        fuzz_key_log(&data);
    }
    let log = secrets(&["CLIENT", "SERVER"]);
    for cut in 0..log.len() {
        fuzz_key_log(&log.as_bytes()[..cut]);
    }
}

/// The ClientHello, without a record's header.
const CLIENT_HELLO: &str = "
    010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece700000613011303130201
    0000910000000b0009000006736572766572ff01000100000a00140012001d0017001800190100010101020103010400
    230000003300260024001d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c002b00
    03020304000d0020001e040305030603020308040805080604010501060102010402050206020202002d00020101001c
    00024001";

/// The record of the ServerHello.
const SERVER_HELLO: &str = "
    160303005a020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e269280013010000
    2e00330024001d0020c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304";

/// EncryptedExtensions, Certificate, CertificateVerify, Finished.
const SERVER_FLIGHT: &str = "
    17030302a2d1ff334a56f5bff6594a07cc87b580233f500f45e489e7f33af35edf7869fcf40aa40aa2b8ea73f848a7ca
    07612ef9f945cb960b4068905123ea78b111b429ba9191cd05d2a389280f526134aadc7fc78c4b729df828b5ecf7b13b
    d9aefb0e57f271585b8ea9bb355c7c79020716cfb9b1183ef3ab20e37d57a6b9d7477609aee6e122a4cf51427325250c
    7d0e509289444c9b3a648f1d71035d2ed65b0e3cdd0cbae8bf2d0b227812cbb360987255cc744110c453baa4fcd61092
    8d809810e4b7ed1a8fd991f06aa6248204797e36a6a73b70a2559c09ead686945ba246ab66e5edd8044b4c6de3fcf2a8
    9441ac66272fd8fb330ef8190579b3684596c960bd596eea520a56a8d650f563aad27409960dca63d3e688611ea5e22f
    4415cf9538d51a200c27034272968a264ed6540c84838d89f72c24461aad6d26f59ecaba9acbbb317b66d902f4f292a3
    6ac1b639c637ce343117b659622245317b49eeda0c6258f100d7d961ffb138647e92ea330faeea6dfa31c7a84dc3bd7e
    1b7a6c7178af36879018e3f252107f243d243dc7339d5684c8b0378bf30244da8c87c843f5e56eb4c5e8280a2b48052c
    f93b16499a66db7cca71e4599426f7d461e66f99882bd89fc50800becca62d6c74116dbd2972fda1fa80f85df881edbe
    5a37668936b335583b599186dc5c6918a396fa48a181d6b6fa4f9d62d513afbb992f2b992f67f8afe67f76913fa388cb
    5630c8ca01e0c65d11c66a1e2ac4c85977b7c7a6999bbf10dc35ae69f5515614636c0b9b68c19ed2e31c0b3b66763038
    ebba42f3b38edc0399f3a9f23faa63978c317fc9fa66a73f60f0504de93b5b845e275592c12335ee340bbc4fddd50278
    4016e4b3be7ef04dda49f4b440a30cb5d2af939828fd4ae3794e44f94df5a631ede42c1719bfdabf0253fe5175be898e
    750edc53370d2b";

/// The client's Finished.
const CLIENT_FINISHED: &str = "
    170303003575ec4dc238cce60b298044a71e219c56cc77b0517fe9b93c7a4bfc44d87f38f80338ac98fc46deb384bd1c
    aeacab6867d726c40546";

/// Fifty octets, 0 to 49, by the client.
const CLIENT_DATA: &str = "
    1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b
    62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4";

/// The same by the server, the second record with its key: a session ticket stands before it.
const SERVER_DATA: &str = "
    17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8
    fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d";
