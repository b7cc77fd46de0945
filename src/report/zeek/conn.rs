//! Zeek's rules for `conn.log`: states, histories and counts of TCP connections.

use crate::capture::Packet;
use crate::session::SegmentSeen;
use crate::stream::Direction;
use crate::time::Timestamp;
use crate::wire::{Frame, Tcp};

/// What is counted of one connection.
#[derive(Debug, Default)]
pub(super) struct Track {
    state: [State; 2],
    /// Who sent FIN.
    finished: [bool; 2],
    packets: [u64; 2],
    ip_octets: [u64; 2],
    /// The end of the sequence space that each end has used, and the octets of payload up to there.
    reach: [Option<(u32, u64)>; 2],
    times: Option<(u64, Timestamp, Timestamp)>,
    /// When it ended.
    ended: Option<Timestamp>,
    history: String,
    /// Letters that were written, a bit each.
    written: [u32; 2],
    /// How often the letters came that are written again at every tenth power.
    often: [[u32; 3]; 2],
}

/// The state of one end, as Zeek's TCP analyzer names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing came from it.
    #[default]
    Inactive,
    /// It sent SYN.
    SynSent,
    /// It sent SYN and ACK out of the blue.
    SynAckSent,
    /// Its beginning was not seen.
    Partial,
    /// It is connected.
    Established,
    /// It sent FIN.
    Closed,
    /// It sent RST.
    Reset,
}

impl Track {
    /// Takes the next segment.
    pub(super) fn segment(&mut self, packet: &Packet<'_>, frame: &Frame<'_>, tcp: &Tcp<'_>, segment: &SegmentSeen) {
        let i = segment.direction.index();
        let (number, now) = (packet.number, packet.timestamp);
        let (number, first, last) = self.times.unwrap_or((number, now, now));
        self.times = Some((number, first, last.max(now)));
        self.packets[i] += 1;
        self.ip_octets[i] += frame.ip.as_ref().map_or(0, |ip| u64::from(ip.total_len));
        let payload = u64::from(tcp.payload_len);
        let flags = tcp.flags;
        let [syn, ack, fin, rst] = [SYN, ACK, FIN, RST].map(|flag| flags.0 & flag != 0);
        match (syn, ack) {
            (true, false) => self.letter(i, 's'),
            (true, true) => self.letter(i, 'h'),
            (false, true) if payload == 0 && !fin && !rst => self.letter(i, 'a'),
            _ => {}
        }
        if payload > 0 {
            let is_fresh = segment.fresh.is_some_and(|span| !span.is_empty());
            if is_fresh || segment.ahead || segment.span.is_none() {
                self.letter(i, 'd');
            } else {
                self.letter(i, 'd');
                self.repeated(i, 't', 0);
            }
        }
        if tcp.window == 0 && !rst && !syn {
            self.repeated(i, 'w', 1);
        }
        if fin {
            self.letter(i, 'f');
        }
        if rst {
            self.letter(i, 'r');
        }
        // An acknowledgment without data may stand one behind a FIN, which is no octet.
        if !rst && (syn || fin || payload > 0 || self.reach[i].is_none()) {
            self.extend(i, tcp.sequence.wrapping_add(u32::from(syn)), tcp.payload_len);
        }
        self.step(i, syn, ack, fin, rst, payload > 0);
        let partial = self.finished.contains(&true) && self.state.contains(&State::Inactive);
        if self.ended.is_none() && (rst || self.finished == [true, true] || partial) {
            self.ended = Some(now);
        }
    }

    /// Takes note of the octets from a sequence number on.
    fn extend(&mut self, i: usize, sequence: u32, octets: u32) {
        let (end, before) = *self.reach[i].get_or_insert((sequence, 0));
        let next = sequence.wrapping_add(octets);
        let further = next.wrapping_sub(end);
        if further < FURTHEST {
            self.reach[i] = Some((next, before + u64::from(further)));
        }
    }

    fn step(&mut self, i: usize, syn: bool, ack: bool, fin: bool, rst: bool, data: bool) {
        let peer = 1 - i;
        if syn && !rst {
            match (i, ack, self.state[i]) {
                (_, false, State::Inactive) => self.state[i] = State::SynSent,
                (_, true, State::Inactive) if self.state[peer] == State::Inactive => self.state[i] = State::SynAckSent,
                (_, true, State::Inactive) => {
                    self.state[i] = State::Established;
                    if matches!(self.state[peer], State::SynSent) {
                        self.state[peer] = State::Established;
                    }
                }
                _ => {}
            }
        } else if self.state[i] == State::Inactive && !rst {
            if ack || data || fin {
                self.state[i] = State::Partial;
            }
        } else if self.state[i] == State::SynSent && ack && self.state[peer] != State::Inactive && !rst {
            self.state[i] = State::Established;
        }
        if fin {
            self.finished[i] = true;
            if self.state[i] != State::Reset {
                self.state[i] = State::Closed;
            }
        }
        if rst {
            self.state[i] = State::Reset;
        }
    }

    /// A gap in what this end sent was noticed.
    pub(super) fn gap(&mut self, direction: Direction) {
        self.repeated(direction.index(), 'g', 2);
    }

    /// Writes a letter the first time that it is met; that of the originator in upper case.
    fn letter(&mut self, i: usize, letter: char) {
        let bit = 1 << (letter as u32 - 'a' as u32);
        if self.written[i] & bit == 0 {
            self.written[i] |= bit;
            self.history.push(if i == 0 { letter.to_ascii_uppercase() } else { letter });
        }
    }

    /// Writes a letter the first, the tenth, the hundredth time.
    fn repeated(&mut self, i: usize, letter: char, place: usize) {
        let count = &mut self.often[i][place];
        *count = count.saturating_add(1);
        let mut power = *count;
        while power >= 10 && power.is_multiple_of(10) {
            power /= 10;
        }
        if power == 1 {
            self.history.push(if i == 0 { letter.to_ascii_uppercase() } else { letter });
        }
    }

    /// Packets and octets of IP, of the originator and the responder.
    pub(super) fn counts(&self) -> [(u64, u64); 2] {
        [(self.packets[0], self.ip_octets[0]), (self.packets[1], self.ip_octets[1])]
    }

    pub(super) fn history(&self) -> &str {
        &self.history
    }

    /// Octets of payload that each end sent, from its first sequence number to its last.
    pub(super) fn sizes(&self) -> [u64; 2] {
        self.reach.map(|reach| reach.map_or(0, |(_, octets)| octets))
    }

    /// The first packet and its time, and the time of the last.
    pub(super) fn times(&self) -> Option<(u64, Timestamp, Timestamp)> {
        self.times
    }

    /// Whether a packet at this time belongs to another connection: the end of this one was so long ago that Zeek has
    /// forgotten it (`tcp_close_delay`, `tcp_reset_delay`, `tcp_partial_close_delay`).
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        let Some(at) = self.ended else { return false };
        let partial = self.state.contains(&State::Inactive);
        let delay = match (self.state.contains(&State::Reset) && self.finished != [true, true], partial) {
            (true, _) => 100_000_000,
            (false, true) => 3_000_000_000,
            (false, false) => 5_000_000_000,
        };
        now.since(at).nanos() > delay
    }

    /// The summary that `conn_state` is.
    pub(super) fn state(&self, sizes: [u64; 2]) -> &'static str {
        if self.finished == [true, true] {
            return "SF";
        }
        let [originator, responder] = self.state;
        let asleep = |state: State| matches!(state, State::Inactive | State::Partial);
        match (originator, responder) {
            (State::SynSent | State::SynAckSent, State::Reset) => "REJ",
            (State::Reset, State::Reset) if sizes == [0, 0] => "REJ",
            (originator, State::Reset) if asleep(originator) => "RSTRH",
            (_, State::Reset) => "RSTR",
            (State::Reset, responder) if asleep(responder) => "RSTOS0",
            (State::Reset, _) => "RSTO",
            (State::Closed, State::Closed) => "SF",
            (State::Closed, responder) if asleep(responder) => "SH",
            (State::Closed, _) => "S2",
            (originator, State::Closed) if asleep(originator) => "SHR",
            (_, State::Closed) => "S3",
            (State::SynSent, State::Inactive) => "S0",
            (State::Established, State::Established) => "S1",
            _ => "OTH",
        }
    }
}

/// No window is wider (RFC 7323 §2.3): what claims to be further on is an old segment, or none.
const FURTHEST: u32 = 1 << 30;

const FIN: u16 = 0x01;
const SYN: u16 = 0x02;
const RST: u16 = 0x04;
const ACK: u16 = 0x10;
