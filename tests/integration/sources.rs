//! The same capture in other formats, from standard input and in pieces.

use std::path::Path;
use std::time::Duration;

use overhear::capture::write::PcapWriter;
use overhear::capture::{self, Batch, Filled, Source as _};
use overhear::wire::LinkType;
use serde_json::Value;

use super::harness::{Run, assert_same, root, run, run_in_pieces, run_with};

const PLAIN: &str = "samples/starttls-587.pcap";

/// What other programs read, which does not name the files. One of the forms carries keys.
const VIEWS: &[&[&str]] =
    &[&["packets", "--format", "tsv"], &["follow", "--json", "--no-keys"], &["sessions", "--json", "--no-keys"]];

fn view(view: &[&str], arguments: &[&str]) -> String {
    let run = run(&[view, arguments].concat());
    assert_eq!(run.status, Some(0), "{view:?} {arguments:?}: {}", run.stderr);
    run.text()
}

fn packets(arguments: &[&str]) -> String {
    view(&["packets", "--format", "tsv"], arguments)
}

/// The other forms of [`PLAIN`] that say what it says.
fn same_in_other_forms() -> Vec<String> {
    let folder = root().join("samples/formats");
    let names = std::fs::read_dir(folder)
        .expect("samples/formats is there")
        .map(|entry| entry.expect("samples/formats can be read").file_name().into_string().expect("names are UTF-8"));
    let differs = |name: &String| matches!(&**name, "cut-short.pcap" | "snaplen-96.pcap" | "starttls-587-ns.pcap");
    let mut paths: Vec<String> =
        names.filter(|name| !differs(name)).map(|name| format!("samples/formats/{name}")).collect();
    paths.sort();
    paths
}

#[test]
fn a_capture_says_the_same_in_every_format() {
    let others = same_in_other_forms();
    assert!(others.len() >= 5, "{others:?}");
    for words in VIEWS {
        let plain = view(words, &[PLAIN]);
        for path in &others {
            assert_same(path, &plain, &view(words, &[path]));
        }
    }
}

#[test]
fn a_nanosecond_capture_has_times_with_nine_decimals() {
    let fine = packets(&["samples/formats/starttls-587-ns.pcap"]);
    let coarse: String = fine
        .lines()
        .map(|row| {
            let columns: Vec<&str> = row.splitn(3, '\t').collect();
            let time = columns[1].strip_suffix("000").expect("editcap added three zeros");
            format!("{}\t{time}\t{}\n", columns[0], columns[2])
        })
        .collect();
    assert_same("without the three zeros", &packets(&[PLAIN]), &coarse);
}

#[test]
fn standard_input_says_the_same_as_the_file() {
    for words in VIEWS {
        let plain = view(words, &[PLAIN]);
        for path in same_in_other_forms().iter().map(String::as_str).chain([PLAIN]) {
            let octets = std::fs::read(root().join(path)).expect("the sample is there");
            let piped = run_with(&[words, &["-"][..]].concat(), Some(&octets));
            assert_eq!(piped.status, Some(0), "{path}: {}", piped.stderr);
            assert_same(path, &plain, &piped.text());
        }
    }
}

#[test]
fn a_pipe_may_deliver_octet_by_octet() {
    let octets = std::fs::read(root().join(PLAIN)).expect("the sample is there");
    let report = |run: Run| -> Value {
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        let mut report: Value = serde_json::from_slice(&run.stdout).expect("a report is one JSON object");
        report["capture"]["files"] = Value::Null;
        report
    };
    let expected = report(run(&["report", "--json", PLAIN]));
    for pieces in [1, 7, 1000] {
        let slowly = run_in_pieces(&["report", "--json", "-"], &octets, pieces, Duration::from_micros(pieces as u64));
        assert!(expected == report(slowly), "in pieces of {pieces}");
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
    for words in VIEWS {
        let whole = view(words, &[PLAIN]);
        assert_same("the halves in order", &whole, &view(words, &paths));
        assert_same("the halves the other way round", &whole, &view(words, &[paths[1], paths[0]]));
    }
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
