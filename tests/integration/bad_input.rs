//! Input and arguments that are unusable, damaged or hostile.

use std::process::{Command, Stdio};

use overhear::capture::write::PcapWriter;
use overhear::wire::LinkType;

use super::harness::{root, run, run_with, sample, samples, temporary};
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
fn wrong_arguments_are_refused_with_a_reason() {
    for arguments in [
        &["packets"][..],
        &["hex", "samples/cleartext-25.pcap"],
        &["hex", "samples/cleartext-25.pcap", "0"],
        &["hex", "samples/cleartext-25.pcap", "99"],
        &["follow", "samples/cleartext-25.pcap", "1"],
        &["follow", "samples/cleartext-25.pcap", "9999"],
        &["report", "--shard", "3/3", "samples/cleartext-25.pcap"],
        &["report", "--jobs", "0", "samples/cleartext-25.pcap"],
        &["packets", "--format", "xml", "samples/cleartext-25.pcap"],
        &["--no-such-option", "samples/cleartext-25.pcap"],
    ] {
        let run = run(arguments);
        assert_eq!(run.status, Some(2), "{arguments:?}: {}", run.stderr);
        assert!(!run.stderr.is_empty(), "{arguments:?}");
    }
    for asks in [&["--help"][..], &["packets", "--help"], &["--version"]] {
        assert_eq!(run(asks).status, Some(0), "{asks:?}");
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
    let mut child = Command::new(env!("CARGO_BIN_EXE_overhear"))
        .args(["follow", "--json"])
        .args(samples().iter().map(|name| sample(name)))
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn captured_text_cannot_harm_a_terminal() {
    let hostile = b"HELO client.example.org\r\nNOOP \x1b]0;owned\x07\x1b[2J \xe2\x80\xaeevil\x9b1m\r\n";
    let mut capture = PcapWriter::new(Vec::new(), LinkType::IPV4, 262_144, false).expect("a capture can be written");
    let mut number = 0;
    each_packet(&root().join("samples/cleartext-25.pcap"), |packet| {
        // The client's HELO, with other octets in the place of its text.
        if packet.number == 8 {
            let mut data = packet.data[14..66].to_vec();
            data.extend_from_slice(hostile);
            let length = u16::try_from(data.len()).expect("a small packet");
            data[2..4].copy_from_slice(&length.to_be_bytes());
            number += 1;
            let packet = overhear::capture::Packet { data: &data, original_len: u32::from(length), number, ..*packet };
            capture.write(&packet).expect("a packet can be written");
        }
    });
    let octets = capture.finish().expect("a capture can be finished");
    for view in VIEWS.iter().filter(|view| !view.contains(&"--json") && !view.contains(&"json")) {
        let text = run_with(&[view, &["-"][..]].concat(), Some(&octets)).text();
        assert!(!text.contains(['\x1b', '\x07', '\u{202e}', '\u{9b}']), "{view:?}: {text:?}");
    }
    assert!(run_with(&["follow", "-"], Some(&octets)).text().contains("\\x1b]0;owned\\x07"));
}

#[test]
fn secrets_are_masked_in_every_view_unless_they_are_asked_for() {
    let path = "samples/starttls-not-used-auth-login.pcap";
    let secrets = ["correct-horse-7", "Y29ycmVjdC1ob3JzZS03"];
    let hex = ["63 6f 72 72 65 63 74", "59 32 39 79"];
    let mut views: Vec<Vec<&str>> = VIEWS.iter().map(|view| [view, &[path][..]].concat()).collect();
    views.push(vec!["hex", path, "1-31"]);
    for view in &views {
        let text = run(view).text();
        for secret in secrets.iter().chain(&hex) {
            assert!(!text.contains(secret), "{view:?} shows {secret}");
        }
    }
    let revealed = run(&["follow", "--reveal", path]).text();
    assert!(revealed.contains(secrets[1]), "{revealed}");
    assert!(run(&["hex", "--reveal", path, "1-31"]).text().contains(hex[1]));
}
