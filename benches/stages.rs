//! Nanoseconds a packet, stage by stage, over one capture made in memory.
//!
//! The capture repeats the sessions of some samples, each with addresses of its own, until it has
//! `OVERHEAR_BENCH_MIB` MiB (64); `OVERHEAR_BENCH_SAMPLES` names other samples, with commas between them. Every stage includes those before it; the ratio is to the first, in the same
//! run, so that a busy machine matters little. `OVERHEAR_BENCH_WRITE` names a file that the capture is
//! written to instead.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use overhear::capture::write::PcapWriter;
use overhear::capture::{self, Batch, Filled, Packet, Source};
use overhear::flow::{Connection, Endpoint, FiveTuple, Segment, Table};
use overhear::report::{Collector, Wanted};
use overhear::session::{Config, Shard, Sink, Tracker};
use overhear::time::{Interval, Timestamp};
use overhear::wire::{self, LinkType, Transport};

const SAMPLES: &[&str] = &[
    "starttls-587",
    "cleartext-25",
    "smtps-465-auth-plain",
    "starttls-not-used-auth-login",
    "python-client",
    "bulk-25",
];
const ROUNDS: usize = 5;

type Stage = (&'static str, fn(&'static [u8]) -> u64);

const STAGES: [Stage; 6] = [
    ("walk the records", walk),
    ("decode headers", decode),
    ("reassemble streams", reassemble),
    ("decode sessions", sessions),
    ("report", report),
    ("packet list", packets),
];

fn main() {
    // `cargo test --all-targets` runs this too, to see that it works; only `cargo bench` says `--bench`.
    let (usual, rounds) = if std::env::args().any(|word| word == "--bench") { (64, ROUNDS) } else { (1, 1) };
    let mib: usize = std::env::var("OVERHEAR_BENCH_MIB").ok().and_then(|n| n.parse().ok()).unwrap_or(usual);
    let capture: &'static [u8] = make(mib << 20).leak();
    if let Some(path) = std::env::var_os("OVERHEAR_BENCH_WRITE") {
        std::fs::write(path, capture).expect("the capture can be written");
        return;
    }
    let mut out = std::io::stdout().lock();
    let mut first = None;
    for (name, stage) in STAGES {
        let (mut best, mut count) = (Duration::MAX, 0);
        for _ in 0..rounds {
            let since = Instant::now();
            count = stage(capture);
            best = best.min(since.elapsed());
        }
        let base = *first.get_or_insert(best);
        let _ = writeln!(
            out,
            "{name:<20} {:>8.1} ns a packet {:>7.2} GB/s {:>7.1} times the walk   ({count} packets)",
            best.as_nanos() as f64 / count as f64,
            capture.len() as f64 / best.as_nanos() as f64,
            best.as_secs_f64() / base.as_secs_f64(),
        );
    }
}

fn each_batch(capture: &'static [u8], mut each: impl FnMut(&Batch)) -> u64 {
    let mut source =
        capture::read_from(std::io::Cursor::new(capture), "bench", &capture::Options::default()).expect("a capture");
    let (mut batch, mut packets) = (Batch::new(), 0);
    while source.next_batch(&mut batch).expect("a capture") == Filled::Batch {
        packets += batch.len() as u64;
        each(&batch);
    }
    packets
}

fn walk(capture: &'static [u8]) -> u64 {
    let mut octets = 0;
    let packets = each_batch(capture, |batch| octets += batch.packets().map(|p| p.data.len()).sum::<usize>());
    std::hint::black_box(octets);
    packets
}

fn decode(capture: &'static [u8]) -> u64 {
    each_batch(capture, |batch| {
        for packet in batch.packets() {
            std::hint::black_box(wire::decode(packet.link_type, packet.data).ip.is_some());
        }
    })
}

fn reassemble(capture: &'static [u8]) -> u64 {
    let mut table: Table<()> = Table::new();
    let mut octets = 0;
    let packets = each_batch(capture, |batch| {
        let mut latest = Timestamp::from_nanos(i64::MIN);
        for packet in batch.packets() {
            latest = latest.max(packet.timestamp);
            let frame = wire::decode(packet.link_type, packet.data);
            let (Transport::Tcp(tcp), Some(ip)) = (&frame.transport, &frame.ip) else { continue };
            let tuple = FiveTuple {
                source: Endpoint::new(ip.source, tcp.source_port),
                destination: Endpoint::new(ip.destination, tcp.destination_port),
            };
            let wire_octets = packet.original_len;
            let segment = Segment { packet: packet.number, time: packet.timestamp, wire_octets, tcp };
            let entry = table.put(&tuple, &segment, |_| (), &mut |_, ()| {});
            entry.connection.feed(entry.direction, &segment, &mut |delivery| {
                if let overhear::stream::StreamEvent::Data { bytes, .. } = delivery.event {
                    octets += bytes.len();
                }
            });
        }
        table.expire(latest, &mut |_: Connection, ()| {});
    });
    std::hint::black_box(octets);
    packets
}

struct Nothing;

impl Sink for Nothing {}

fn tracker(packets: bool) -> Tracker {
    Tracker::new(Config { shard: Shard::WHOLE, thread: Shard::WHOLE, ports: Vec::new(), packets, hashes: false })
}

fn sessions(capture: &'static [u8]) -> u64 {
    let mut tracker = tracker(false);
    let packets = each_batch(capture, |batch| tracker.batch(batch, &mut Nothing));
    tracker.finish(&mut Nothing);
    packets
}

fn collected(capture: &'static [u8], wanted: Wanted) -> u64 {
    let mut tracker = tracker(wanted.packets());
    let mut collector = Collector::new(wanted);
    let packets = each_batch(capture, |batch| {
        tracker.batch(batch, &mut collector);
        std::hint::black_box(collector.take());
    });
    tracker.finish(&mut collector);
    std::hint::black_box(collector.take());
    packets
}

fn report(capture: &'static [u8]) -> u64 {
    collected(capture, Wanted { sessions: true, ..Wanted::default() })
}

fn packets(capture: &'static [u8]) -> u64 {
    collected(capture, Wanted { rows: true, decimals: 6, ..Wanted::default() })
}

/// A capture of at least `octets`: the samples over and over, later each time and between other hosts.
fn make(octets: usize) -> Vec<u8> {
    let chosen = std::env::var("OVERHEAR_BENCH_SAMPLES").unwrap_or_else(|_| SAMPLES.join(","));
    let templates: Vec<Vec<(Timestamp, Vec<u8>)>> = chosen.split(',').map(|name| read(&path(name))).collect();
    let mut capture = PcapWriter::new(Vec::new(), LinkType::ETHERNET, 262_144, false).expect("memory can be written");
    let (mut written, mut number, mut host) = (0, 0, 0u32);
    let mut start = Timestamp::from_parts(1_700_000_000, 0);
    while written < octets {
        for template in &templates {
            let first = template[0].0;
            for (time, data) in template {
                let mut data = data.clone();
                if data[12..14] == [8, 0] {
                    // The last three octets of both addresses tell the pair; checksums are left as they are.
                    for at in [27, 31] {
                        data[at..at + 3].copy_from_slice(&host.to_be_bytes()[1..]);
                    }
                    data[26] = 10;
                    data[30] = 10;
                    let from_server = u16::from_be_bytes([data[34], data[35]]) < 1024;
                    data[if from_server { 27 } else { 31 }] |= 0x80;
                }
                number += 1;
                written += data.len() + 16;
                let timestamp = Timestamp::from_nanos(start.nanos() + time.since(first).nanos() / 100);
                let original_len = u32::try_from(data.len()).expect("a frame is small");
                let packet = Packet {
                    number,
                    timestamp,
                    interface: 0,
                    link_type: LinkType::ETHERNET,
                    data: &data,
                    original_len,
                };
                capture.write(&packet).expect("memory can be written");
            }
            host = (host + 1) & 0x7f_ffff;
            start = Timestamp::from_nanos(start.nanos() + Interval::from_millis(20).nanos());
        }
    }
    capture.finish().expect("memory can be written")
}

fn read(path: &Path) -> Vec<(Timestamp, Vec<u8>)> {
    let mut source = capture::open(&[path.to_owned()], &capture::Options::default()).expect("a sample");
    let (mut batch, mut packets) = (Batch::new(), Vec::new());
    while source.next_batch(&mut batch).expect("a sample") == Filled::Batch {
        packets.extend(batch.packets().map(|packet| (packet.timestamp, packet.data.to_vec())));
    }
    packets
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(format!("{name}.pcap"))
}
