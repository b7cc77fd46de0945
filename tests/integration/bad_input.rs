//! Input and arguments that are unusable, damaged or hostile.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use overhear::capture::Packet;
use overhear::capture::write::PcapWriter;
use overhear::time::Timestamp;
use overhear::wire::LinkType;

use super::harness::Side::{Client, Server};
use super::harness::{Side, conversation, root, run, run_with, skipped, start, temporary};
use super::sources::each_packet;

const VIEWS: &[&[&str]] = &[
    &["report"],
    &["report", "--json"],
    &["packets"],
    &["packets", "--format", "tsv"],
    &["packets", "--format", "json"],
    &["follow"],
    &["follow", "--json"],
    &["sessions"],
    &["sessions", "--json"],
];

#[test]
fn what_is_no_capture_gets_one_clear_sentence() {
    let (folder, empty) = temporary(b"");
    let (_other, text) = temporary(b"This is a letter, and not a capture at all.\n");
    let folder = folder.path().to_str().expect("the path is UTF-8");
    for (path, says) in [
        ("no/such.pcap", "there is no such file"),
        (folder, "directory"),
        (empty.to_str().expect("the path is UTF-8"), "empty"),
        (text.to_str().expect("the path is UTF-8"), "not a capture"),
    ] {
        for view in VIEWS {
            let run = run(&[view, &[path][..]].concat());
            assert_eq!(run.status, Some(2), "{view:?} {path}: {}", run.stderr);
            assert!(run.stderr.starts_with("overhear: ") && run.stderr.lines().count() == 1, "{}", run.stderr);
            assert!(run.stderr.contains(says), "{view:?} {path}: {}", run.stderr);
        }
    }
}

#[test]
fn a_file_that_may_not_be_read_is_told_apart() {
    let (_folder, path) = temporary(b"\xd4\xc3\xb2\xa1");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).expect("its owner may");
    if std::fs::File::open(&path).is_ok() {
        skipped("root reads every file");
        return;
    }
    let run = run(&["report", path.to_str().expect("the path is UTF-8")]);
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.contains("no permission") && run.stderr.lines().count() == 1, "{}", run.stderr);
}

#[test]
fn wrong_arguments_are_refused_with_a_reason() {
    for (arguments, says) in [
        (&["packets"][..], "not provided"),
        (&["hex", "samples/cleartext-25.pcap"], "hex needs the number of a packet"),
        (&["hex", "samples/cleartext-25.pcap", "0"], "count from 1"),
        (&["hex", "samples/cleartext-25.pcap", "3-1"], "3-1"),
        (&["hex", "samples/cleartext-25.pcap", "99"], "there is no packet 99: the capture has 48"),
        (&["hex", "samples/cleartext-25.pcap", "1", "99"], "there is no packet 99: the capture has 48"),
        (&["hex", "3"], "no capture was named"),
        (&["follow", "samples/cleartext-25.pcap", "1"], "packet 1 belongs to no TCP connection"),
        (&["follow", "samples/cleartext-25.pcap", "9999"], "there is no packet 9999: the capture has 48"),
        (&["follow", "samples/cleartext-25.pcap", "3", "8"], "one packet"),
        (&["report", "--session", "9999", "samples/cleartext-25.pcap"], "there is no packet 9999"),
        (&["report", "--shard", "3/3", "samples/cleartext-25.pcap"], "--shard 3/3"),
        (&["report", "--shard", "1", "samples/cleartext-25.pcap"], "--shard 1"),
        (&["report", "--jobs", "0", "samples/cleartext-25.pcap"], "'0' for '--jobs <N>'"),
        (&["report", "--port", "99999", "samples/cleartext-25.pcap"], "99999"),
        (&["report", "--sort", "samples/cleartext-25.pcap"], "--json"),
        (&["report", "-", "-"], "standard input (-) is named twice"),
        (&["packets", "--format", "xml", "samples/cleartext-25.pcap"], "text, tsv, json"),
        (&["--no-such-option", "samples/cleartext-25.pcap"], "--no-such-option"),
        (&["help", "nonsense"], "nonsense"),
    ] {
        let run = run(arguments);
        assert_eq!(run.status, Some(2), "{arguments:?}: {}", run.stderr);
        let first = run.stderr.split("\n\n").next().unwrap_or_default();
        assert!(first.contains(says) && first.len() < 200, "{arguments:?}: {}", run.stderr);
        let own = run.stderr.starts_with("overhear: ") && run.stderr.lines().count() == 1;
        assert!(own || run.stderr.starts_with("error: "), "{arguments:?}: {}", run.stderr);
    }
    for asks in [&["--help"][..], &["packets", "--help"], &["--version"]] {
        let run = run(asks);
        assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{asks:?}");
    }
}

#[test]
fn a_capture_cut_at_any_octet_shows_all_that_is_whole() {
    let mut small = PcapWriter::new(Vec::new(), LinkType::ETHERNET, 262_144, false).expect("a capture can be written");
    let mut ends = vec![24];
    each_packet(&root().join("samples/cleartext-25.pcap"), |packet| {
        if packet.number <= 8 {
            small.write(packet).expect("a packet can be written");
            ends.push(ends[ends.len() - 1] + 16 + packet.data.len());
        }
    });
    let octets = small.finish().expect("a capture can be finished");
    assert_eq!(Some(&octets.len()), ends.last());
    for cut in 0..=octets.len() {
        let run = run_with(&["packets", "--format", "tsv", "-"], Some(&octets[..cut]));
        let whole = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1);
        let status = if cut < 4 { 2 } else { i32::from(!ends.contains(&cut)) * 3 };
        assert_eq!(run.status, Some(status), "cut at {cut}: {}", run.stderr);
        assert_eq!(run.text().lines().count(), whole, "cut at {cut}");
        assert_eq!(run.stderr.is_empty(), status == 0, "cut at {cut}: {}", run.stderr);
    }
}

#[test]
fn other_formats_cut_anywhere_show_a_beginning_of_the_whole() {
    for path in ["starttls-587.pcapng", "starttls-587.pcap.gz", "starttls-587.pcap.zst", "starttls-587.pcap.lz4"] {
        let octets = std::fs::read(root().join("samples/formats").join(path)).expect("the sample is there");
        let whole = run_with(&["packets", "--format", "tsv", "-"], Some(&octets)).text();
        let mut rows = 0;
        for cut in (0..64).chain((64..octets.len()).step_by(97)).chain([octets.len() - 1, octets.len()]) {
            let run = run_with(&["packets", "--format", "tsv", "-"], Some(&octets[..cut]));
            assert!(matches!(run.status, Some(0 | 2 | 3)), "{path} cut at {cut}: {:?}", run.status);
            assert_eq!(run.stderr.is_empty(), run.status == Some(0), "{path} cut at {cut}: {}", run.stderr);
            let text = run.text();
            assert!(whole.starts_with(&text), "{path} cut at {cut}");
            assert!(text.lines().count() >= rows, "{path} cut at {cut} shows less than cut before");
            rows = text.lines().count();
            assert!(run.status != Some(2) || rows == 0, "{path} cut at {cut}");
        }
        assert_eq!(rows, 34, "{path}");
    }
}

#[test]
fn damage_is_told_in_every_view_and_in_the_exit_status() {
    for view in VIEWS {
        let cut = run(&[view, &["samples/formats/cut-short.pcap"][..]].concat());
        assert_eq!(cut.status, Some(3), "{view:?}");
        let told = cut.text() + &cut.stderr;
        assert!(told.contains("cut short"), "{view:?}: {told}");
        let snapped = run(&[view, &["samples/formats/snaplen-96.pcap"][..]].concat());
        assert_eq!(snapped.status, Some(3), "{view:?}");
    }
}

#[test]
fn an_unknown_link_type_is_listed_and_stops_nothing() {
    let mut capture = PcapWriter::new(Vec::new(), LinkType(147), 262_144, false).expect("a capture can be written");
    each_packet(&root().join("samples/gmail-2019-frame.pcap"), |packet| {
        capture.write(packet).expect("a packet can be written");
    });
    let octets = capture.finish().expect("a capture can be finished");
    for view in VIEWS {
        let run = run_with(&[view, &["-"][..]].concat(), Some(&octets));
        assert_eq!(run.status, Some(0), "{view:?}: {}", run.stderr);
    }
    assert!(run_with(&["report", "-"], Some(&octets)).text().contains("147"), "the report names the link type");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let octets = std::fs::read(root().join("samples/lossy-25.pcap")).expect("the sample is there");
    for view in VIEWS {
        // The program waits for its input, and so begins to print when nobody reads any more.
        let mut child = start(&[view, &["-"][..]].concat(), Stdio::piped());
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        drop(child.stdout.take());
        let _ = stdin.write_all(&octets);
        drop(stdin);
        let output = child.wait_with_output().expect("the program ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*said), (Some(0), ""), "{view:?}");
    }
}

#[test]
fn captured_text_cannot_harm_a_terminal() {
    let octets = conversation(&[
        (Server, "220 mail.example.org \x1b]0;owned\x07\u{202e}evil\r\n".as_bytes()),
        (Client, b"EHLO client\x1b[2J\x9b1m.example.org\r\n"),
        (Server, "250-mail.example.org\r\n250-X\x1b[31m\u{2066}Y\r\n250 \x08\x08\x08\x7f\r\n".as_bytes()),
        (Client, b"NOOP \x1b]0;owned\x07\x1b[2J \xe2\x80\xaeevil\xc2\x9b1m\r\n"),
        (Server, b"250 \x1bc\r\n"),
        (Client, "MAIL FROM:<alice\u{202e}\x1b[1A@example.org>\r\n".as_bytes()),
        (Server, b"250 2.1.0 Ok\r\n"),
        (Client, "RCPT TO:<bob\r\x1b[K\u{200b}@example.org>\r\n".as_bytes()),
        (Server, b"250 2.1.5 Ok\r\n"),
        (Client, b"AUTH LOGIN\x1b[1m\r\n"),
        (Server, b"334 VXNlcm5hbWU6\r\n"),
        (Client, b"G1szMW0bYWxpY2U=\r\n"),
        (Server, b"334 UGFzc3dvcmQ6\r\n"),
        (Client, b"\x1b[1mG1szMW0=\r\n"),
        (Server, b"235 2.7.0 \x1b[1m\r\n"),
        (Client, b"DATA\r\n"),
        (Server, b"354 go\x1b[1m\r\n"),
        (
            Client,
            "From: \x1b[1mA <a@example.org>\r\nSubject: =?utf-8?Q?=1B]0;owned=07=E2=80=AE?= \x1b[5m\u{2067}\r\n\
             Content-Type: text/\x1b[1m\r\n\r\n\x1b[2J\r\n.\r\n"
                .as_bytes(),
        ),
        (Server, b"250 2.0.0 \x1b[1m queued\r\n"),
        (Client, b"\x1b[1mNONSENSE\x1b[1m\x00\r\n"),
        (Server, b"5\x1b[1m\r\n"),
    ]);
    let mut views: Vec<Vec<&str>> = VIEWS.iter().map(|view| [view, &["--reveal", "-"][..]].concat()).collect();
    let (_folder, path) = temporary(&octets);
    let path = path.to_str().expect("the path is UTF-8");
    views.push(vec!["hex", "--reveal", path, "1-27"]);
    views.push(vec!["follow", "--json", "--message-text", path]);
    for view in views {
        let run = run_with(&view, Some(&octets));
        assert_eq!(run.status, Some(0), "{view:?}: {}", run.stderr);
        let machine = view.contains(&"--json") || view.contains(&"json");
        // JSON escapes what RFC 8259 §7 demands, which are the control characters below the space.
        let allowed = |c: char| c == '\n' || c == '\t' && view.contains(&"tsv");
        for (number, line) in (1..).zip(run.text().split_inclusive('\n')) {
            let bad = line.chars().find(|c| {
                let invisible =
                    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
                c.is_control() && !allowed(*c) && !(machine && *c >= '\u{7f}') || invisible && !machine
            });
            assert!(bad.is_none(), "{view:?}, line {number}: {bad:?} in {line:?}");
        }
    }
    let shown = run_with(&["follow", "-"], Some(&octets)).text();
    assert!(shown.contains("\\x1b]0;owned\\x07"), "what was there is told: {shown}");
}

#[test]
fn the_name_of_a_file_cannot_harm_a_terminal() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("a\x1b[2J\u{202e}\n.pcap");
    std::fs::copy(root().join("samples/formats/cut-short.pcap"), &path).expect("the file system takes the name");
    let path = path.to_str().expect("the path is UTF-8");
    for path in [path, &format!("{path}.missing")] {
        for view in VIEWS {
            let run = run(&[view, &[path][..]].concat());
            assert!(matches!(run.status, Some(2 | 3)), "{view:?}");
            for text in [run.text(), run.stderr] {
                let machine = view.contains(&"--json");
                assert!(!text.contains('\x1b') && (machine || !text.contains('\u{202e}')), "{view:?}: {text:?}");
            }
        }
    }
}

#[test]
fn secrets_are_masked_in_every_view_unless_they_are_asked_for() {
    let path = "samples/starttls-not-used-auth-login.pcap";
    let octets = std::fs::read(root().join(path)).expect("the sample is there");
    hidden_unless_revealed(&octets, SECRETS, SECRETS[1], true);
}

#[test]
fn a_secret_is_masked_however_it_is_said() {
    // What "\0alice\0correct-horse-7" is in Base64.
    let plain = "AGFsaWNlAGNvcnJlY3QtaG9yc2UtNw==";
    let ready =
        [(Server, &b"220 mail.example.org ESMTP\r\n"[..]), (Client, b"EHLO a\r\n"), (Server, b"250 AUTH PLAIN\r\n")];
    let ways: [&[(Side, &[u8])]; 5] = [
        // With the command.
        &[(Client, b"AUTH PLAIN AGFsaWNlAGNvcnJlY3QtaG9yc2UtNw==\r\n"), (Server, b"235 2.7.0 Ok\r\n")],
        // After it; refused; in lower case; with LF alone.
        &[
            (Client, b"auth plain\n"),
            (Server, b"334 \r\n"),
            (Client, b"AGFsaWNlAGNvcnJlY3QtaG9yc2UtNw==\n"),
            (Server, b"535 5.7.8 Error\r\n"),
        ],
        // In two segments, and never answered.
        &[(Client, b"AUTH PLAIN AGFsaWNlAGNv"), (Client, b"cnJlY3QtaG9yc2UtNw==\r\n")],
        // A line that the capture ends in.
        &[(Client, b"AUTH PLAIN AGFsaWNlAGNvcnJlY3QtaG9yc2UtNw==")],
        // With the command, before the server's greeting was heard.
        &[(Client, b"EHLO b\r\nAUTH PLAIN AGFsaWNlAGNvcnJlY3QtaG9yc2UtNw==\r\n"), (Server, b"235 2.7.0 Ok\r\n")],
    ];
    for (number, way) in ways.iter().enumerate() {
        let octets = conversation(&[&ready[..if number == 4 { 0 } else { 3 }], way].concat());
        hidden_unless_revealed(
            &octets,
            &["correct-horse-7", plain, "cnJlY3QtaG9yc2UtNw", "AGFsaWNlAGNv"],
            "cnJlY3QtaG9yc2UtNw",
            number != 3,
        );
    }
}

#[test]
fn a_login_that_was_sent_twice_is_masked_twice() {
    let packets = packets_of("samples/starttls-not-used-auth-login.pcap");
    for again in [15, 17] {
        let mut twice = packets.clone();
        twice.insert(again, packets[14].clone());
        hidden_unless_revealed(&capture_of(&twice), SECRETS, SECRETS[1], true);
    }
}

#[test]
fn a_login_of_which_the_beginning_is_missing_is_masked() {
    let packets = packets_of("samples/starttls-not-used-auth-login.pcap");
    for first in 11..14 {
        hidden_unless_revealed(&capture_of(&packets[first..]), SECRETS, SECRETS[1], false);
    }
    for lost in [10, 12] {
        let mut rest = packets.clone();
        rest.remove(lost);
        hidden_unless_revealed(&capture_of(&rest), SECRETS, SECRETS[1], false);
    }
}

#[test]
fn a_login_in_disorder_is_masked() {
    let packets = packets_of("samples/starttls-not-used-auth-login.pcap");
    // The password before the server asks for it, and before the user name.
    for earlier in [13, 12] {
        let mut disorder = packets.clone();
        let password = disorder.remove(14);
        disorder.insert(earlier, password);
        hidden_unless_revealed(&capture_of(&disorder), SECRETS, SECRETS[1], true);
    }
    // Only what the client sends.
    let client = |(_, data): &&(Timestamp, Vec<u8>)| data.get(26..30) == Some(&[192, 0, 2, 100]);
    let client: Vec<_> = packets.iter().filter(client).cloned().collect();
    hidden_unless_revealed(&capture_of(&client), SECRETS, SECRETS[1], true);
}

/// Times and octets of the packets of a sample.
fn packets_of(path: &str) -> Vec<(Timestamp, Vec<u8>)> {
    let mut packets = Vec::new();
    each_packet(&root().join(path), |packet| packets.push((packet.timestamp, packet.data.to_vec())));
    packets
}

fn capture_of(packets: &[(Timestamp, Vec<u8>)]) -> Vec<u8> {
    let mut capture =
        PcapWriter::new(Vec::new(), LinkType::ETHERNET, 262_144, false).expect("a capture can be written");
    for (number, (timestamp, data)) in (1..).zip(packets) {
        let packet = Packet {
            number,
            timestamp: *timestamp,
            interface: 0,
            link_type: LinkType::ETHERNET,
            data,
            original_len: data.len() as u32,
        };
        capture.write(&packet).expect("a packet can be written");
    }
    capture.finish().expect("a capture can be finished")
}

/// The password of the samples, and what is sent for it.
const SECRETS: &[&str] = &["correct-horse-7", "Y29ycmVjdC1ob3JzZS03"];

/// None of the secrets stands in any view, nor their octets in hex; `revealed` does when it is asked
/// for. A line that has not `ended` stands in no row.
fn hidden_unless_revealed(capture: &[u8], secrets: &[&str], revealed: &str, ended: bool) {
    let (_folder, path) = temporary(capture);
    let path = path.to_str().expect("the path is UTF-8");
    let mut views: Vec<Vec<&str>> = VIEWS.iter().map(|view| [view, &[path][..]].concat()).collect();
    views.push(vec!["follow", "--json", "--message-text", path]);
    for view in &views {
        let text = run(view).text();
        for secret in secrets {
            assert!(!text.contains(secret), "{view:?} shows {secret}\n{text}");
        }
    }
    let hex = |more: &[&str]| {
        let dump = run(&[&["hex", path, "1-9999"], more].concat());
        assert_eq!(dump.status, Some(0), "{}", dump.stderr);
        octets_of(&dump.text())
    };
    let (masked, open) = (hex(&[]), hex(&["--reveal"]));
    for secret in secrets {
        assert!(!masked.contains(secret), "hex shows {secret}\n{masked}");
    }
    assert!(open.contains(revealed), "hex --reveal\n{open}");
    let rows: &[&[&str]] = if ended { &[&["packets"], &["packets", "--format", "tsv"]] } else { &[] };
    let dialogues: &[&[&str]] = &[&["follow"], &["follow", "--json"]];
    for view in dialogues.iter().chain(rows) {
        let text = run(&[*view, &["--reveal", path][..]].concat()).text();
        assert!(text.contains(revealed), "{view:?} --reveal\n{text}");
    }
}

/// The octets of dumps as text, from their hex columns and from their text columns.
fn octets_of(dumps: &str) -> String {
    let (mut hex, mut text) = (String::new(), String::new());
    for line in dumps.lines().filter(|line| line.len() > 6 && line.as_bytes()[..4].iter().all(u8::is_ascii_hexdigit)) {
        for octet in line.chars().skip(6).take(49).collect::<String>().split_whitespace() {
            hex.push(u8::from_str_radix(octet, 16).map_or('•', char::from));
        }
        text.extend(line.chars().skip(58).take(16));
    }
    assert!(hex.chars().count() > 50, "these are no dumps: {dumps}");
    format!("{hex}\n{text}")
}
