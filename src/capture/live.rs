//! Packets as they pass an interface, by libpcap.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pcap::{Active, Capture, Device, Precision};

use super::info::{Drops, Fault, FaultKind, Info, Interface};
use super::{Batch, Error, Filled, Packet, Source};
use crate::limits;
use crate::time::Timestamp;
use crate::wire::LinkType;

/// How to capture on an interface.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// A filter in the language of pcap-filter(7); the system runs it.
    pub filter: Option<String>,
    /// End after so many packets.
    pub count: Option<u64>,
    /// Octets of each packet to take at most.
    pub snaplen: u32,
    /// Octets that the system keeps while this program is busy.
    pub buffer: u32,
    /// Take packets that are for other machines too.
    pub promiscuous: bool,
    /// Take each packet as it comes, instead of several together at most 100 ms later.
    pub immediate: bool,
    /// The capture ends once somebody sets this.
    pub stop: Arc<AtomicBool>,
}

impl Default for LiveOptions {
    fn default() -> LiveOptions {
        LiveOptions {
            filter: None,
            count: None,
            snaplen: limits::CAPTURED_PACKET_OCTETS as u32,
            buffer: limits::LIVE_BUFFER_OCTETS,
            promiscuous: true,
            immediate: false,
            stop: Arc::default(),
        }
    }
}

/// An interface on which packets are captured.
pub struct LiveSource {
    capture: Capture<Active>,
    interface: String,
    link_type: LinkType,
    /// Packets that are still wanted.
    wanted: Option<u64>,
    stop: Arc<AtomicBool>,
    packets: u64,
    ended: bool,
    info: Info,
}

/// Begins to capture on `interface`.
pub fn open_live(interface: &str, options: &LiveOptions) -> Result<LiveSource, Error> {
    let failed = |error: pcap::Error| not_opened(interface, &error);
    let mut inactive = Capture::from_device(interface)
        .map_err(failed)?
        .promisc(options.promiscuous)
        .immediate_mode(options.immediate)
        .snaplen(i32::try_from(options.snaplen).unwrap_or(i32::MAX))
        .buffer_size(i32::try_from(options.buffer).unwrap_or(i32::MAX))
        .timeout(WAKE.as_millis() as i32);
    if NANOSECONDS {
        inactive = inactive.precision(Precision::Nano);
    }
    let mut capture = inactive.open().and_then(Capture::setnonblock).map_err(failed)?;
    if let Some(filter) = &options.filter {
        capture
            .filter(filter, true)
            .map_err(|error| Error::BadFilter { filter: filter.clone(), reason: reason(&error) })?;
    }
    let link_type = link_type(capture.get_datalink().0);
    let mut info = Info::new(vec![interface.to_string()], None);
    info.interface(Interface {
        file: 0,
        number: 0,
        name: Some(interface.as_bytes().to_vec()),
        link_type,
        snaplen: options.snaplen,
        nanoseconds: NANOSECONDS,
    });
    Ok(LiveSource {
        capture,
        interface: interface.to_string(),
        link_type,
        wanted: options.count,
        stop: Arc::clone(&options.stop),
        packets: 0,
        ended: false,
        info,
    })
}

impl LiveSource {
    /// Copies what the system has got for us. `Ok(0)`: nothing.
    fn take(&mut self, batch: &mut Batch) -> Result<usize, pcap::Error> {
        let most = self.wanted.map_or(PACKETS_AT_ONCE, |wanted| wanted.min(PACKETS_AT_ONCE as u64) as usize);
        let link_type = self.link_type;
        let taken = self.capture.dispatch(Some(most), |packet| {
            // The system states no negative time.
            let fraction = packet.header.ts.tv_usec * if NANOSECONDS { 1 } else { 1000 };
            batch.push(&Packet {
                number: 0,
                timestamp: Timestamp::from_parts(packet.header.ts.tv_sec, fraction),
                interface: 0,
                link_type,
                data: packet.data,
                original_len: packet.header.len,
            });
        })?;
        self.packets += taken as u64;
        if let Some(wanted) = &mut self.wanted {
            *wanted = wanted.saturating_sub(taken as u64);
        }
        Ok(taken)
    }

    fn end(&mut self, failure: Option<&pcap::Error>) {
        self.ended = true;
        self.count_drops();
        let Some(failure) = failure else { return };
        self.info.fault(Fault {
            file: self.interface.clone(),
            offset: self.info.octets_read,
            packet: self.packets,
            what: FaultKind::Unreadable(reason(failure)),
            lost: None,
        });
    }

    fn count_drops(&mut self) {
        if let Ok(counted) = self.capture.stats() {
            self.info.drops = Some(Drops {
                received: Some(u64::from(counted.received)),
                by_system: Some(u64::from(counted.dropped)),
                by_interface: Some(u64::from(counted.if_dropped)),
            });
        }
    }
}

impl Source for LiveSource {
    fn next_batch(&mut self, batch: &mut Batch) -> Result<Filled, Error> {
        batch.clear(self.packets + 1);
        let (since, mut pause) = (Instant::now(), SHORTEST_PAUSE);
        let mut octets = 0;
        while !self.ended {
            if self.wanted == Some(0) || self.stop.load(Ordering::Relaxed) {
                self.end(None);
                break;
            }
            let before = batch.len();
            match self.take(batch) {
                Ok(0) if !batch.is_empty() => break,
                // Only a process that asks again and again notices the stop flag: libpcap would sleep
                // until the next packet, whatever the timeout.
                Ok(0) if since.elapsed() < WAKE => {
                    thread::sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Ok(0) => {
                    self.count_drops();
                    return Ok(Filled::Nothing);
                }
                Ok(_) => {
                    octets += (before..batch.len()).map(|new| batch.packet(new).data.len()).sum::<usize>();
                    if octets >= limits::BATCH_OCTETS || since.elapsed() >= WAKE {
                        break;
                    }
                }
                Err(error) => {
                    self.end(Some(&error));
                    break;
                }
            }
        }
        self.info.octets_read += octets as u64;
        Ok(if batch.is_empty() { Filled::End } else { Filled::Batch })
    }

    fn info(&self) -> &Info {
        &self.info
    }
}

/// Why capturing could not begin. libpcap says it in words alone.
fn not_opened(interface: &str, error: &pcap::Error) -> Error {
    let said = reason(error);
    if said.contains("ermission") || said.contains("ermitted") || said.contains("CAP_NET_RAW") {
        return Error::CaptureNotPermitted(interface.to_string());
    }
    let available: Vec<String> = Device::list().unwrap_or_default().into_iter().map(|device| device.name).collect();
    if available.iter().any(|name| name == interface) {
        return Error::Live { interface: interface.to_string(), reason: said };
    }
    Error::NoSuchInterface { name: interface.to_string(), available }
}

/// What libpcap says, without the wrapping's own words.
pub(super) fn reason(error: &pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(said) => said.clone(),
        error => error.to_string(),
    }
}

/// The number that libpcap calls a link type by in this process, where it differs from the one in
/// files (pcap-linktype(7)).
pub(super) fn dlt(link_type: LinkType) -> i32 {
    let known = DIFFERING.iter().find(|(in_files, _)| *in_files == link_type.0);
    known.map_or_else(|| i32::try_from(link_type.0).unwrap_or(i32::MAX), |(_, here)| *here)
}

fn link_type(dlt: i32) -> LinkType {
    let known = DIFFERING.iter().find(|(_, here)| *here == dlt);
    LinkType(known.map_or(dlt.unsigned_abs(), |(in_files, _)| *in_files))
}

/// LINKTYPE_ATM_RFC1483 and LINKTYPE_RAW, with DLT_ATM_RFC1483 and DLT_RAW.
#[cfg(not(target_os = "openbsd"))]
const DIFFERING: [(u32, i32); 2] = [(100, 11), (101, 12)];
#[cfg(target_os = "openbsd")]
const DIFFERING: [(u32, i32); 2] = [(100, 11), (101, 14)];

/// Whether libpcap gives nanoseconds. It does on every interface of Linux.
const NANOSECONDS: bool = cfg!(target_os = "linux");

const WAKE: Duration = Duration::from_millis(100);
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(10);
const PACKETS_AT_ONCE: usize = 4096;

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::super::samples::seen;
    use super::*;

    /// The loopback interface with a filter for what is sent to `port`; none where this user may not capture.
    fn loopback(port: u16, options: LiveOptions) -> Option<LiveSource> {
        let filter = Some(format!("udp dst port {port}"));
        match open_live("lo", &LiveOptions { filter, ..options }) {
            Ok(source) => Some(source),
            Err(Error::CaptureNotPermitted(_) | Error::NoSuchInterface { .. }) => None,
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn packets_come_soon_and_the_count_ends_the_capture() {
        for immediate in [true, false] {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let port = socket.local_addr().unwrap().port();
            let options = LiveOptions { count: Some(3), immediate, ..LiveOptions::default() };
            let Some(mut source) = loopback(port, options) else { return };
            let mut batch = Batch::new();
            let since = Instant::now();
            assert_eq!(source.next_batch(&mut batch).unwrap(), Filled::Nothing);
            assert!(since.elapsed() < WAKE * 5);
            let mut packets = Vec::new();
            for text in [&b"first"[..], b"second", b"third", b"fourth"] {
                socket.send_to(text, ("127.0.0.1", port)).unwrap();
            }
            while since.elapsed() < Duration::from_secs(10) {
                match source.next_batch(&mut batch).unwrap() {
                    Filled::Batch => packets.extend(seen(&batch)),
                    Filled::Nothing => {}
                    Filled::End => break,
                }
            }
            let ends: Vec<(u64, bool)> = packets
                .iter()
                .map(|packet| {
                    (
                        packet.number,
                        packet.data.ends_with([&b"first"[..], b"second", b"third"][packet.number as usize - 1]),
                    )
                })
                .collect();
            assert_eq!(ends, [(1, true), (2, true), (3, true)]);
            assert_eq!(source.info().link_types, [LinkType(1)]);
            assert!(source.info().drops.is_some() && source.info().faults.is_empty());
            assert_eq!(source.next_batch(&mut batch).unwrap(), Filled::End);
            // Between the years 2020 and 2200, so the unit is right.
            assert!((1_577_000_000_000_000_000..7_258_000_000_000_000_000).contains(&packets[0].nanos));
        }
    }

    #[test]
    fn the_stop_flag_ends_the_capture() {
        let stop = Arc::new(AtomicBool::new(false));
        let Some(mut source) = loopback(9, LiveOptions { stop: Arc::clone(&stop), ..LiveOptions::default() }) else {
            return;
        };
        let mut batch = Batch::new();
        assert_eq!(source.next_batch(&mut batch).unwrap(), Filled::Nothing);
        stop.store(true, Ordering::Relaxed);
        assert_eq!(source.next_batch(&mut batch).unwrap(), Filled::End);
    }

    #[test]
    fn says_which_interfaces_there_are() {
        match open_live("no-such-interface", &LiveOptions::default()).err() {
            Some(Error::NoSuchInterface { name, .. }) => assert_eq!(name, "no-such-interface"),
            Some(Error::CaptureNotPermitted(_)) => {}
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_filter_that_is_not_valid_is_refused() {
        let options = LiveOptions { filter: Some("port port".into()), ..LiveOptions::default() };
        match open_live("lo", &options).err() {
            Some(Error::BadFilter { reason, .. }) => assert!(reason.contains("syntax error"), "{reason}"),
            Some(Error::CaptureNotPermitted(_) | Error::NoSuchInterface { .. }) => {}
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn link_types_are_numbered_as_in_files() {
        for number in [0, 1, 9, 100, 101, 108, 113, 228, 276] {
            assert_eq!(link_type(dlt(LinkType(number))), LinkType(number));
        }
        assert_eq!(link_type(12), LinkType(101));
    }
}
