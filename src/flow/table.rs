//! The open connections of a capture, found by their endpoints and let go when they are over.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{BuildHasher, Hasher, RandomState};

use super::connection::{Connection, Segment};
use super::key::{FiveTuple, FlowKey, MIX, fold};
use crate::limits::{CLOSED_LINGER, CONNECTIONS, IDLE, REASSEMBLY_TOTAL, UNANSWERED};
use crate::stream::Direction;
use crate::time::{Interval, Timestamp};

/// Open connections, each with a `T` that its owner keeps about it.
///
/// When a connection ends depends on the times of the packets of the whole capture and on its own
/// packets, and on nothing else, as long as no limit is reached: every shard decides alike.
#[derive(Debug)]
pub struct Table<T> {
    /// The first slot of each hash; slots of equal hashes are chained.
    places: HashMap<u64, u32, Seeded>,
    slots: Vec<Option<Slot<T>>>,
    free: Vec<u32>,
    open: usize,
    /// When to look at a connection again. Each open one has an entry that is not later than its
    /// end; entries of connections that are gone are skipped.
    deadlines: BinaryHeap<Reverse<Deadline>>,
    /// The slot of the last packet, whose books are not settled yet.
    last: Option<u32>,
    /// Octets held back by all connections but the last, bookkeeping included.
    held: usize,
    limits: Limits,
    reached: Vec<LimitReached>,
}

#[derive(Debug)]
struct Slot<T> {
    key: FlowKey,
    connection: Connection,
    state: T,
    /// Whether the key's lower endpoint is the originator.
    lower_originates: bool,
    /// Whether its end after a close stands in the deadlines.
    closing: bool,
    /// What of `held` is this connection's.
    held: usize,
    next: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Deadline {
    time: Timestamp,
    number: u64,
    place: u32,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    connections: usize,
    held: usize,
}

/// The connection of a packet.
#[derive(Debug)]
pub struct Entry<'t, T> {
    /// The connection; the packet is still to be fed to it.
    pub connection: &'t mut Connection,
    /// What its owner keeps about it.
    pub state: &'t mut T,
    /// Which way the packet goes.
    pub direction: Direction,
    /// Whether the packet opened it.
    pub is_new: bool,
}

/// A limit that was reached, for the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitReached {
    /// More connections were open than [`CONNECTIONS`]: so many were ended before their time.
    Connections {
        /// How many.
        ended: u64,
        /// The packet at which it happened first.
        packet: u64,
    },
    /// More octets were held back than [`REASSEMBLY_TOTAL`]: from then on, missing segments were
    /// given up early.
    Held {
        /// The packet at which it happened first.
        packet: u64,
    },
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table::new()
    }
}

impl<T> Table<T> {
    /// Without connections.
    #[must_use]
    pub fn new() -> Table<T> {
        Table::with_limits(Limits { connections: CONNECTIONS, held: REASSEMBLY_TOTAL })
    }

    fn with_limits(limits: Limits) -> Table<T> {
        Table {
            places: HashMap::with_hasher(Seeded::new()),
            slots: Vec::new(),
            free: Vec::new(),
            open: 0,
            deadlines: BinaryHeap::new(),
            last: None,
            held: 0,
            limits,
            reached: Vec::new(),
        }
    }

    /// How many connections are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open == 0
    }

    /// The limits that were reached.
    #[must_use]
    pub fn limits_reached(&self) -> &[LimitReached] {
        &self.reached
    }

    /// The connection that a segment belongs to, opened by it if there is none. `open` makes the
    /// state of a new one; `ended` takes a connection that this one follows on the same ports, or
    /// that a limit drove out. What a connection still holds back is the caller's to ask for
    /// ([`Connection::finish`]).
    pub fn put(
        &mut self,
        tuple: &FiveTuple,
        segment: &Segment<'_>,
        open: impl FnOnce(&Connection) -> T,
        ended: &mut impl FnMut(Connection, T),
    ) -> Entry<'_, T> {
        let (key, source_is_lower) = FlowKey::of(tuple);
        let found = self.find(&key);
        if self.last != found {
            self.settle();
        }
        let mut successor = None;
        if let Some(place) = found
            && let Some(slot) = self.slots.get(place as usize).and_then(Option::as_ref)
        {
            let direction = slot.direction(source_is_lower);
            if segment.tcp.flags.syn() && slot.connection.is_succeeded_by(direction, segment) {
                successor = Some(slot.connection.successor(direction, segment, tuple));
                self.last = None;
                if let Some((connection, state)) = self.remove(place) {
                    ended(connection, state);
                }
            }
        }
        let is_new = found.is_none() || successor.is_some();
        let place = match found {
            Some(place) if !is_new => place,
            _ => {
                self.make_room(segment.packet, ended);
                let connection = successor.unwrap_or_else(|| Connection::new(segment, tuple));
                let state = open(&connection);
                self.insert(key, connection, state)
            }
        };
        self.last = Some(place);
        let allowance = self.limits.held.saturating_sub(self.held);
        let slot = self.slots[place as usize].as_mut().expect("a place that was found or made holds a connection");
        slot.connection.set_allowance(allowance.saturating_add(slot.held));
        let direction = slot.direction(source_is_lower);
        Entry { connection: &mut slot.connection, state: &mut slot.state, direction, is_new }
    }

    /// Ends the connections whose time is over at `now`, a time of the capture; those that end
    /// together come in the order of their first packets. To be called between batches.
    pub fn expire(&mut self, now: Timestamp, ended: &mut impl FnMut(Connection, T)) {
        self.settle();
        let mut over = Vec::new();
        while let Some(place) = self.next_over(Some(now)) {
            over.extend(self.remove(place));
        }
        // Connections that ended early leave their later deadlines behind.
        if self.deadlines.len() > 4 * self.open + 1024 {
            let slots = &self.slots;
            self.deadlines.retain(|Reverse(deadline)| {
                matches!(slots.get(deadline.place as usize), Some(Some(slot)) if slot.connection.number == deadline.number)
            });
        }
        over.sort_by_key(|(connection, _)| connection.number);
        over.into_iter().for_each(|(connection, state)| ended(connection, state));
    }

    /// Ends every connection, in the order of their first packets.
    pub fn drain(&mut self, ended: &mut impl FnMut(Connection, T)) {
        self.places.clear();
        self.deadlines.clear();
        self.free.clear();
        (self.open, self.held, self.last) = (0, 0, None);
        let mut all: Vec<_> = self.slots.drain(..).flatten().collect();
        all.sort_by_key(|slot| slot.connection.number);
        all.into_iter().for_each(|slot| ended(slot.connection, slot.state));
    }

    fn find(&self, key: &FlowKey) -> Option<u32> {
        let holds = |place: &u32| matches!(self.slots.get(*place as usize), Some(Some(slot)) if slot.key == *key);
        if let Some(last) = self.last.filter(holds) {
            return Some(last);
        }
        let mut place = self.places.get(&key.hash64()).copied();
        while let Some(at) = place {
            if holds(&at) {
                return place;
            }
            place = self.slots[at as usize].as_ref().and_then(|slot| slot.next);
        }
        None
    }

    fn insert(&mut self, key: FlowKey, connection: Connection, state: T) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        let lower_originates = connection.originator == key.lower();
        // Not answered yet; what it turns out to be is seen when this time comes.
        let time = later(connection.last_time, UNANSWERED);
        self.deadlines.push(Reverse(Deadline { time, number: connection.number, place }));
        let next = self.places.insert(key.hash64(), place);
        self.slots[place as usize] =
            Some(Slot { key, connection, state, lower_originates, closing: false, held: 0, next });
        self.open += 1;
        place
    }

    fn remove(&mut self, place: u32) -> Option<(Connection, T)> {
        let slot = self.slots.get_mut(place as usize)?.take()?;
        let hash = slot.key.hash64();
        match self.places.get(&hash).copied() {
            Some(first) if first == place => {
                match slot.next {
                    Some(next) => self.places.insert(hash, next),
                    None => self.places.remove(&hash),
                };
            }
            first => {
                let mut at = first;
                while let Some(before) = at.and_then(|at| self.slots[at as usize].as_mut()) {
                    if before.next == Some(place) {
                        before.next = slot.next;
                        break;
                    }
                    at = before.next;
                }
            }
        }
        self.free.push(place);
        self.open -= 1;
        self.held -= slot.held;
        if self.last == Some(place) {
            self.last = None;
        }
        Some((slot.connection, slot.state))
    }

    /// Books what the last packet changed: octets held back, a close.
    fn settle(&mut self) {
        let Some(place) = self.last.take() else { return };
        let Some(slot) = self.slots[place as usize].as_mut() else { return };
        let held = slot.connection.held();
        self.held = self.held - slot.held + held;
        slot.held = held;
        if slot.connection.is_closed() && !slot.closing {
            slot.closing = true;
            let time = slot.end();
            self.deadlines.push(Reverse(Deadline { time, number: slot.connection.number, place }));
        }
        if slot.connection.is_starved() && !self.reached.iter().any(|r| matches!(r, LimitReached::Held { .. })) {
            self.reached.push(LimitReached::Held { packet: slot.connection.last_packet });
        }
    }

    /// The connection that ends first, if its end is not after `now`.
    fn next_over(&mut self, now: Option<Timestamp>) -> Option<u32> {
        while let Some(Reverse(deadline)) = self.deadlines.peek().copied() {
            if now.is_some_and(|now| deadline.time > now) {
                return None;
            }
            self.deadlines.pop();
            let Some(Some(slot)) = self.slots.get(deadline.place as usize) else { continue };
            if slot.connection.number != deadline.number {
                continue;
            }
            let end = slot.end();
            if end <= deadline.time {
                return Some(deadline.place);
            }
            self.deadlines.push(Reverse(Deadline { time: end, ..deadline }));
        }
        None
    }

    /// Where the table is full, the connection that would end soonest ends now: of those that are
    /// alike, the one that was idle longest.
    fn make_room(&mut self, packet: u64, ended: &mut impl FnMut(Connection, T)) {
        while self.open >= self.limits.connections.max(1) {
            let Some((connection, state)) = self.next_over(None).and_then(|place| self.remove(place)) else { return };
            ended(connection, state);
            let recorded = self.reached.iter_mut().find_map(|reached| match reached {
                LimitReached::Connections { ended, .. } => Some(ended),
                LimitReached::Held { .. } => None,
            });
            match recorded {
                Some(ended) => *ended += 1,
                None => self.reached.push(LimitReached::Connections { ended: 1, packet }),
            }
        }
    }
}

impl<T> Slot<T> {
    fn direction(&self, source_is_lower: bool) -> Direction {
        if source_is_lower == self.lower_originates { Direction::FromOriginator } else { Direction::FromResponder }
    }

    /// When the connection is over, if no further packet of it comes.
    fn end(&self) -> Timestamp {
        let connection = &self.connection;
        let after = match connection {
            closed if closed.is_closed() => CLOSED_LINGER,
            unanswered if unanswered.is_unanswered() => UNANSWERED,
            _ => IDLE,
        };
        later(connection.last_time, after)
    }
}

fn later(time: Timestamp, by: Interval) -> Timestamp {
    Timestamp::from_nanos(time.nanos().saturating_add(by.nanos()))
}

/// Hashes that are hashes already. The fixed hash of a flow is public, and who sends packets could
/// choose ports that fall together in a small table: a seed of this process moves them apart. Its
/// value shows nowhere: no output depends on the order of the map.
#[derive(Clone, Debug)]
struct Seeded {
    seed: u64,
}

impl Seeded {
    fn new() -> Seeded {
        Seeded { seed: RandomState::new().hash_one(MIX[0]) }
    }
}

impl BuildHasher for Seeded {
    type Hasher = Word;

    fn build_hasher(&self) -> Word {
        Word(self.seed)
    }
}

struct Word(u64);

impl Hasher for Word {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = fold(self.0 ^ word, MIX[1]);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::stream::StreamEvent;
    use crate::wire::Tcp;

    /// A table whose state is what was delivered, and the numbers of connections that ended.
    struct Bench {
        table: Table<Vec<String>>,
        packet: u64,
        ended: Vec<(u64, Vec<String>)>,
    }

    impl Bench {
        fn new(limits: Limits) -> Bench {
            Bench { table: Table::with_limits(limits), packet: 0, ended: Vec::new() }
        }

        fn send(&mut self, port: u16, direction: Direction, millis: i64, tcp: &Tcp<'_>) -> bool {
            self.packet += 1;
            let segment = Segment { packet: self.packet, time: time(millis), wire_octets: 54, tcp };
            let ended = &mut self.ended;
            let entry = self.table.put(
                &tuple_of(port, direction),
                &segment,
                |_| Vec::new(),
                &mut |mut connection, mut state| {
                    connection.finish(&mut |delivery| state.push(line(&delivery)));
                    ended.push((connection.number, state));
                },
            );
            assert_eq!(entry.direction, direction);
            let state = entry.state;
            entry.connection.feed(direction, &segment, &mut |delivery| state.push(line(&delivery)));
            entry.is_new
        }

        fn open(&mut self, port: u16, millis: i64) {
            self.send(port, THERE, millis, &tcp(SYN, 1000, 0, b""));
            self.send(port, BACK, millis, &tcp(SYN | ACK, 5000, 1001, b""));
            self.send(port, THERE, millis, &tcp(ACK, 1001, 5001, b""));
        }

        fn expire(&mut self, millis: i64) -> Vec<u64> {
            let mut numbers = Vec::new();
            self.table.expire(time(millis), &mut |connection, _| numbers.push(connection.number));
            numbers
        }
    }

    const ROOM: Limits = Limits { connections: CONNECTIONS, held: REASSEMBLY_TOTAL };

    fn millis(interval: Interval) -> i64 {
        interval.nanos() / 1_000_000
    }

    #[test]
    fn packets_of_both_directions_find_their_connection() {
        let mut bench = Bench::new(ROOM);
        bench.open(40_000, 0);
        bench.open(40_001, 1);
        assert!(!bench.send(40_000, THERE, 2, &tcp(ACK, 1001, 5001, b"a")));
        assert!(!bench.send(40_001, BACK, 2, &tcp(ACK, 5001, 1001, b"b")));
        assert_eq!(bench.table.len(), 2);
        let mut all = Vec::new();
        bench.table.drain(&mut |connection, state| all.push((connection.number, state)));
        assert_eq!(all, [(1, vec!["#7 > 0 \"a\"".to_owned()]), (4, vec!["#8 < 0 \"b\"".to_owned()])]);
        assert!(bench.table.is_empty());
        assert!(bench.send(40_000, THERE, 3, &tcp(SYN, 1, 0, b"")));
    }

    #[test]
    fn a_closed_connection_lingers_for_its_last_packets() {
        let mut bench = Bench::new(ROOM);
        bench.open(40_000, 0);
        bench.send(40_000, THERE, 10, &tcp(RST | ACK, 1001, 5001, b""));
        assert!(bench.expire(10).is_empty());
        assert!(!bench.send(40_000, BACK, 20, &tcp(ACK, 5001, 1001, b"late")));
        assert!(bench.expire(19 + millis(CLOSED_LINGER)).is_empty());
        assert_eq!(bench.expire(20 + millis(CLOSED_LINGER)), [1]);
        assert!(bench.table.is_empty());
    }

    #[test]
    fn unanswered_and_idle_connections_end_in_their_time() {
        let mut bench = Bench::new(ROOM);
        bench.send(40_000, THERE, 0, &tcp(SYN, 1000, 0, b""));
        bench.open(40_001, 0);
        assert!(bench.expire(millis(UNANSWERED) - 1).is_empty());
        assert_eq!(bench.expire(millis(UNANSWERED)), [1]);
        bench.send(40_001, THERE, 600_000, &tcp(ACK, 1001, 5001, b"x"));
        assert!(bench.expire(599_999 + millis(IDLE)).is_empty());
        assert_eq!(bench.expire(600_000 + millis(IDLE)), [2]);
    }

    #[test]
    fn a_syn_after_the_end_opens_a_new_connection_and_a_repeated_one_does_not() {
        let mut bench = Bench::new(ROOM);
        bench.open(40_000, 0);
        assert!(!bench.send(40_000, THERE, 1, &tcp(SYN, 1000, 0, b"")));
        assert!(!bench.send(40_000, THERE, 2, &tcp(SYN, 9000, 0, b"")));
        bench.send(40_000, THERE, 3, &tcp(FIN | ACK, 1001, 5001, b""));
        bench.send(40_000, BACK, 3, &tcp(FIN | ACK, 5001, 1002, b""));
        assert!(!bench.send(40_000, THERE, 4, &tcp(SYN, 1000, 0, b"")));
        assert!(bench.ended.is_empty());
        assert!(bench.send(40_000, THERE, 4, &tcp(SYN, 20_000, 0, b"")));
        assert_eq!(bench.ended.len(), 1);
        assert_eq!(bench.table.len(), 1);
    }

    #[test]
    fn a_syn_after_a_long_silence_opens_a_new_connection() {
        let mut bench = Bench::new(ROOM);
        bench.open(40_000, 0);
        assert!(bench.send(40_000, THERE, 300_000, &tcp(SYN, 9000, 0, b"")));
        assert_eq!(bench.ended.len(), 1);
    }

    #[test]
    fn the_answer_to_an_unexpected_syn_shows_that_the_old_connection_had_ended() {
        let mut bench = Bench::new(ROOM);
        bench.open(40_000, 0);
        assert!(!bench.send(40_000, THERE, 10, &tcp(SYN, 9000, 0, b"")));
        assert!(bench.send(40_000, BACK, 11, &tcp(SYN | ACK, 700, 9001, b"")));
        bench.send(40_000, THERE, 12, &tcp(ACK, 9001, 701, b"HELO"));
        let mut all = Vec::new();
        bench.table.drain(&mut |connection, state| all.push((connection.number, connection.handshake, state)));
        let (number, handshake, state) = &all[0];
        assert_eq!((*number, handshake.is_complete()), (4, true));
        assert_eq!(state, &["#6 > 0 \"HELO\""]);
    }

    #[test]
    fn a_full_table_ends_what_would_end_soonest_and_says_so() {
        let mut bench = Bench::new(Limits { connections: 3, held: REASSEMBLY_TOTAL });
        bench.open(40_000, 0);
        bench.open(40_001, 1);
        bench.send(40_000, THERE, 5, &tcp(ACK, 1001, 5001, b"x"));
        bench.send(40_002, THERE, 6, &tcp(SYN, 1000, 0, b""));
        bench.open(40_003, 7);
        bench.open(40_004, 8);
        let numbers: Vec<_> = bench.ended.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [8, 4]);
        assert_eq!(bench.table.limits_reached(), [LimitReached::Connections { ended: 2, packet: 9 }]);
        assert_eq!(bench.table.len(), 3);
    }

    #[test]
    fn the_octets_held_back_by_all_connections_are_bounded() {
        let mut bench = Bench::new(Limits { connections: 100, held: 10_000 });
        let payload = [b'x'; 1000];
        for port in 40_000..40_030 {
            bench.open(port, 0);
            bench.send(port, THERE, 1, &tcp(ACK, 1002, 5001, &payload));
            assert!(bench.table.held <= 11_200, "{}", bench.table.held);
        }
        assert!(matches!(bench.table.limits_reached(), [LimitReached::Held { .. }]));
        let held: usize = bench.table.slots.iter().flatten().map(|slot| slot.connection.held()).sum();
        assert!(held <= 11_200, "{held}");
        let mut gaps = 0;
        bench.table.drain(&mut |mut connection, _| {
            connection.finish(&mut |delivery| gaps += usize::from(matches!(delivery.event, StreamEvent::Gap { .. })));
        });
        assert!((8..=11).contains(&gaps), "{gaps}");
    }

    #[test]
    fn ten_thousand_open_connections_stay_small() {
        let slot = size_of::<Option<Slot<u64>>>() + size_of::<Deadline>() + 2 * size_of::<(u64, u32)>();
        assert!(slot * 10_000 < 12 << 20, "{slot}");
    }

    #[test]
    fn deadlines_of_ended_connections_do_not_pile_up() {
        let mut bench = Bench::new(ROOM);
        for round in 0..5000_u32 {
            let port = 20_000 + (round % 20_000) as u16;
            bench.open(port, i64::from(round) * 5);
            bench.send(port, THERE, i64::from(round) * 5, &tcp(RST, 1001, 0, b""));
            bench.expire(i64::from(round) * 5);
        }
        assert!(bench.table.deadlines.len() <= 4 * bench.table.len() + 1026, "{}", bench.table.deadlines.len());
    }
}
