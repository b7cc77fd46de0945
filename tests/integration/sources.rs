//! The same capture in other formats, from standard input and in pieces.

use std::path::Path;

use overhear::capture::write::PcapWriter;
use overhear::capture::{self, Batch, Filled, Source as _};
use overhear::wire::LinkType;

use super::harness::{assert_same, root, run, run_with};

const PLAIN: &str = "samples/starttls-587.pcap";

fn packets(arguments: &[&str]) -> String {
    let run = run(&[&["packets", "--format", "tsv"], arguments].concat());
    assert_eq!(run.status, Some(0), "{arguments:?}: {}", run.stderr);
    run.text()
}

#[test]
fn a_capture_says_the_same_in_every_format() {
    let plain = packets(&[PLAIN]);
    for format in [".pcapng", "-be.pcap", ".pcap.gz", ".pcap.zst", ".pcap.lz4"] {
        let path = format!("samples/formats/starttls-587{format}");
        assert_same(&path, &plain, &packets(&[&path]));
    }
    let nanoseconds = packets(&["samples/formats/starttls-587-ns.pcap"]);
    let first = nanoseconds.lines().nth(1).and_then(|row| row.split('\t').nth(1)).unwrap_or_default();
    assert_eq!(first.split('.').nth(1).map(str::len), Some(9), "times of a nanosecond capture have nine decimals");
}

#[test]
fn standard_input_says_the_same_as_the_file() {
    let plain = packets(&[PLAIN]);
    for path in [
        PLAIN,
        "samples/formats/starttls-587.pcapng",
        "samples/formats/starttls-587.pcap.gz",
        "samples/formats/starttls-587.pcap.zst",
    ] {
        let octets = std::fs::read(root().join(path)).expect("the sample is there");
        let piped = run_with(&["packets", "--format", "tsv", "-"], Some(&octets));
        assert_eq!(piped.status, Some(0), "{}", piped.stderr);
        assert_same(path, &plain, &piped.text());
    }
}

#[test]
fn two_halves_are_one_capture_in_time_order() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let halves = [folder.path().join("one.pcap"), folder.path().join("two.pcap")];
    let mut files = halves.each_ref().map(|path| {
        let file = std::fs::File::create(path).expect("a temporary file can be made");
        PcapWriter::new(file, LinkType::ETHERNET, 262_144, false).expect("a capture can be written")
    });
    each_packet(&root().join(PLAIN), |packet| {
        files[usize::from(packet.number > 17)].write(packet).expect("a packet can be written");
    });
    for file in files {
        file.finish().expect("a capture can be finished");
    }
    let paths = halves.each_ref().map(|path| path.to_str().expect("the path is UTF-8"));
    assert_same("the halves in order", &packets(&[PLAIN]), &packets(&paths));
    assert_same("the halves the other way round", &packets(&[PLAIN]), &packets(&[paths[1], paths[0]]));
}

#[test]
fn a_session_is_named_by_any_of_its_packets() {
    let by_first = run(&["follow", "samples/cleartext-25.pcap", "3"]);
    let by_later = run(&["follow", "samples/cleartext-25.pcap", "40"]);
    let by_option = run(&["follow", "--session", "22", "samples/cleartext-25.pcap"]);
    assert_eq!(by_first.status, Some(0));
    assert_eq!((&by_first.stdout, &by_first.stdout), (&by_later.stdout, &by_option.stdout));
}

#[test]
fn a_filter_and_a_port_choose_packets_without_renumbering_them() {
    let rows = packets(&["--port", "587", PLAIN]);
    assert!(rows.starts_with("3\t"), "{rows}");
    assert_eq!(packets(&["--port", "25", PLAIN]), "");
    if cfg!(feature = "live") {
        let rows = packets(&["-f", "tcp port 587", PLAIN]);
        assert!(rows.starts_with("3\t"), "{rows}");
        let wrong = run(&["packets", "-f", "tcp prot 587", PLAIN]);
        assert_eq!((wrong.status, wrong.stdout.len()), (Some(2), 0), "{}", wrong.stderr);
    }
}

/// Calls `each` with the packets of a capture.
pub fn each_packet(path: &Path, mut each: impl FnMut(&capture::Packet<'_>)) {
    let mut source = capture::open(&[path.to_owned()], &capture::Options::default()).expect("the capture opens");
    let mut batch = Batch::new();
    while source.next_batch(&mut batch).expect("the capture is read") == Filled::Batch {
        batch.packets().for_each(|packet| each(&packet));
    }
}
