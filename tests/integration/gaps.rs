//! Segments taken out of captures at random: nothing is stated across a gap.

use overhear::capture::write::PcapWriter;
use overhear::capture::{self, Batch, Filled, Packet};
use overhear::wire::{LinkType, Transport, decode};
use serde_json::Value;

use super::harness::{root, run, sample, temporary};

/// Samples whose dialogue is sealed.
const SEALED: [&str; 4] = ["smtps-465-auth-plain", "starttls-587", "starttls-587-tls12", "starttls-2587"];

/// A capture without some of its packets, and the numbers of those with TCP octets.
fn without(name: &str, left_out: &[u64]) -> (Vec<u8>, Vec<u64>) {
    let mut source = capture::open(&[root().join(sample(name))], &capture::Options::default()).expect("a capture");
    let mut rest = PcapWriter::new(Vec::new(), LinkType::ETHERNET, 262_144, false).expect("a capture can be written");
    let (mut batch, mut with_octets) = (Batch::new(), Vec::new());
    while source.next_batch(&mut batch).expect("a capture can be read") == Filled::Batch {
        for packet in batch.packets() {
            let packet: Packet<'_> = packet;
            if matches!(&decode(packet.link_type, packet.data).transport, Transport::Tcp(tcp) if !tcp.payload.is_empty())
            {
                with_octets.push(packet.number);
            }
            if !left_out.contains(&packet.number) {
                rest.write(&packet).expect("a packet can be written");
            }
        }
    }
    (rest.finish().expect("a capture can be written"), with_octets)
}

/// Asserts that nothing is stated where octets are missing; whether some are.
fn nothing_is_stated(name: &str, left_out: &[u64]) -> bool {
    let (_folder, path) = temporary(&without(name, left_out).0);
    let report = run(&["report", "--json", path.to_str().expect("a path in UTF-8")]);
    let report: Value = serde_json::from_str(&report.text()).expect("a report is JSON");
    let mut gaps = false;
    for session in report["sessions"].as_array().expect("a list") {
        if session["missing_bytes"] == 0 {
            continue;
        }
        gaps = true;
        let what = format!("{name} without {left_out:?}");
        let Some(inferred) = session["inferred"].as_object() else { continue };
        let unsure = |claim: &Value| {
            claim["confidence"].as_f64().is_some_and(|confidence| confidence < 0.9)
                && claim["determined"].as_array().is_some_and(Vec::is_empty)
        };
        assert!(inferred["messages"].as_array().into_iter().flatten().all(unsure), "{what}: {inferred:?}");
        assert!(inferred["auth"].is_null() || unsure(&inferred["auth"]), "{what}: {inferred:?}");
        let said = inferred["undecided"].as_array().into_iter().flatten().filter_map(Value::as_str);
        assert!(said.clone().any(|why| why.contains("missing")), "{what}: {inferred:?}");
        for cell in session["exposure"].as_array().into_iter().flatten() {
            let is_of_lengths = ["recipient count", "message size", "login"].iter().any(|of| cell["subject"] == *of);
            let by_lengths = cell["visibility"] == "inferred" && is_of_lengths;
            assert!(!by_lengths, "{what}: {cell}");
        }
    }
    gaps
}

#[test]
fn one_segment_less_and_nothing_is_stated_of_what_is_sealed() {
    for name in SEALED {
        let mut gaps = 0;
        for number in without(name, &[]).1 {
            gaps += u32::from(nothing_is_stated(name, &[number]));
        }
        assert!(gaps > 10, "{name}: {gaps} gaps");
    }
}

#[test]
fn any_segments_less_and_nothing_is_stated_of_what_is_sealed() {
    let mut state = 7u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for name in SEALED {
        let with_octets = without(name, &[]).1;
        for _ in 0..24 {
            let left_out: Vec<u64> = (0..2 + next(3)).map(|_| with_octets[next(with_octets.len())]).collect();
            nothing_is_stated(name, &left_out);
        }
    }
}
