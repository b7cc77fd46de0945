//! Where the last octets of a direction came from, to compare retransmissions with.

/// Gives the TCP payload of an earlier packet, by the packet's number, while the caller still has
/// it. `None` is always a right answer.
pub type History<'h> = dyn Fn(u64) -> Option<&'h [u8]> + 'h;

/// The last segments delivered, as places and not as octets: remembering one copies nothing.
///
/// What it cannot see: segments further back than [`KEPT`], packets that the caller no longer
/// holds, and octets after the first 64 KiB of a payload. It then says nothing, and never that two
/// copies differ where it has not compared them.
#[derive(Debug, Default)]
pub struct Recent {
    entries: [Entry; KEPT],
    at: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// The packet; 0 where there is none.
    packet: u64,
    /// Offset of the first octet of its payload, the low 32 bits.
    start: u32,
    /// How many octets of the payload had come before.
    skip: u16,
    /// How many were delivered after those.
    len: u16,
}

impl Recent {
    /// Octets `from..end` were delivered out of the payload of `packet` that begins at `start`.
    pub fn remember(&mut self, start: u64, from: u64, end: u64, packet: u64) {
        let (Ok(skip), Ok(len)) = (u16::try_from(from - start), u16::try_from(end - from)) else { return };
        // Only the low 32 bits of the offset: comparisons are made within 2 GiB of it.
        self.entries[self.at % KEPT] = Entry { packet, start: start as u32, skip, len };
        self.at = (self.at + 1) % KEPT;
    }

    /// Compares the octets from `start`, which come again, with those delivered before `next`.
    /// The range that differs, if one was found to.
    pub fn conflict(&self, start: u64, bytes: &[u8], next: u64, history: &History<'_>) -> Option<(u64, u64)> {
        let end = (start + bytes.len() as u64).min(next);
        self.entries.iter().filter(|entry| entry.packet != 0 && entry.len > 1).find_map(|entry| {
            let back = i64::from((next as u32).wrapping_sub(entry.start));
            let payload_start = u64::try_from(next as i64 - back).ok()?;
            let from = (payload_start + u64::from(entry.skip)).max(start);
            let to = (payload_start + u64::from(entry.skip) + u64::from(entry.len)).min(end);
            if to < from + 2 {
                return None;
            }
            let earlier = history(entry.packet)?;
            let earlier = earlier.get((from - payload_start) as usize..(to - payload_start) as usize)?;
            let again = bytes.get((from - start) as usize..(to - start) as usize)?;
            (earlier != again).then_some((from, to))
        })
    }
}

/// How many segments back it remembers.
const KEPT: usize = 16;
