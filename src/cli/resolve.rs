//! Which session a packet belongs to: any packet of a session names it.

use anyhow::{Result, bail};

use super::plan::{Input, Plan};
use crate::capture::{self, Batch, Filled, Source};
use crate::session::{Config, Seen, Shard, Sink, Tracker};

/// The session that the plan's packet belongs to, by the number of its first packet.
///
/// Files are read once for it. What cannot be read twice must be given the first packet.
pub(super) fn session(plan: &Plan) -> Result<Option<u64>> {
    let Some(packet) = plan.session else { return Ok(None) };
    let Input::Files(paths) = &plan.input else { return Ok(Some(packet)) };
    if paths.iter().any(|path| path.as_os_str() == "-") {
        return Ok(Some(packet));
    }
    let mut source = capture::open(paths, &capture::Options::default())?;
    match find(&mut *source, packet)? {
        Found::Session(number) => Ok(Some(number)),
        Found::NoConnection => bail!("packet {packet} belongs to no TCP connection"),
        Found::NoPacket(packets) => bail!("there is no packet {packet}: the capture has {packets}"),
    }
}

enum Found {
    Session(u64),
    NoConnection,
    NoPacket(u64),
}

fn find(source: &mut dyn Source, packet: u64) -> Result<Found> {
    let mut tracker = Tracker::new(Config {
        shard: Shard::WHOLE,
        thread: Shard::WHOLE,
        ports: Vec::new(),
        packets: true,
        hashes: false,
    });
    let mut search = Search { packet, found: None };
    let mut batch = Batch::new();
    let mut packets = 0;
    while source.next_batch(&mut batch)? != Filled::End {
        tracker.batch(&batch, &mut search);
        if let Some(found) = search.found {
            return Ok(found.map_or(Found::NoConnection, Found::Session));
        }
        packets += batch.len() as u64;
    }
    Ok(Found::NoPacket(packets))
}

struct Search {
    packet: u64,
    found: Option<Option<u64>>,
}

impl Sink for Search {
    fn packet(&mut self, seen: &Seen<'_>) {
        if seen.packet.number == self.packet {
            self.found = Some(seen.segment.as_ref().map(|segment| segment.session));
        }
    }
}
