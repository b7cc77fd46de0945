//! The search: every way to read the records as a dialogue, the likely ones kept (INFERRED readings
//! of one session are the paths that are left at its end, weighed by how well lengths fit).

use std::rc::Rc;

use super::grammar::{Command, Group, Outcome, State, Taken};
use super::learned::{Learned, SECOND_REFUSAL};
use super::offers::Offers;
use super::prior::{Chances, Priors, Range};
use super::software::Habits;
use super::templates::{Echo, Kind, Law, Templates};
use crate::limits;

/// A record as the search sees it; several that follow each other without an answer may be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Record {
    pub(super) client: bool,
    /// Octets of plaintext, all records together.
    pub(super) length: Range,
    /// Records.
    pub(super) count: u32,
    /// Octets of the last one.
    pub(super) last: Range,
    /// Octets of the longest of those before the last; one record has none.
    pub(super) block: Option<Range>,
}

impl Record {
    /// One record.
    pub(super) fn one(client: bool, length: Range) -> Record {
        Record { client, length, count: 1, last: length, block: None }
    }
}

/// What is known beforehand.
#[derive(Clone, Debug, Default)]
pub(super) struct Context {
    /// The server greets inside TLS.
    pub(super) greets: bool,
    /// Octets of the EHLO line as it was in the clear.
    pub(super) ehlo: Option<i32>,
    /// What the server offers.
    pub(super) offers: Offers,
    /// A factor for each server of the table, from what stands in the clear.
    pub(super) servers: Vec<f64>,
    /// How long MAIL is to be expected of this client; `None`: as of any.
    pub(super) mail: Option<Chances>,
    /// What to expect of the client.
    pub(super) habits: Habits,
    /// Whether the connection was seen to its end.
    pub(super) ended: bool,
}

/// One reading of the records so far.
#[derive(Clone, Debug)]
pub(super) struct Path {
    /// The logarithm of its weight.
    pub(super) score: f64,
    /// The server's template; past the end of the table: none.
    pub(super) server: u16,
    pub(super) state: State,
    /// Commands that await their replies.
    pub(super) waiting: Vec<Waiting>,
    pub(super) learned: Rc<Learned>,
    /// The last node of its history.
    pub(super) tail: u32,
    pub(super) transactions: u16,
    /// Of the open transaction: recipients said, those taken, those refused.
    pub(super) recipients: u16,
    pub(super) taken: u16,
    pub(super) refused: u16,
    /// Logins that succeeded and that failed.
    pub(super) logins: u8,
    pub(super) failures: u8,
    /// Whether commands shared a record before; whether they stood apart.
    pub(super) grouped: bool,
    /// The last commands that shared a record, with its octets, until others follow.
    pub(super) group: Option<(Group, Range)>,
    pub(super) separate: bool,
    /// The last thing that the server said was the reply to EHLO, which may go on.
    pub(super) greeting: bool,
    /// Octets of the message so far.
    pub(super) text: Range,
    /// Records of it.
    pub(super) pieces: u32,
    /// Octets of EHLO.
    pub(super) hello: Range,
}

/// Commands of one record that await their replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) command: Command,
    pub(super) count: u16,
    /// The address of the command, where it has a record of its own.
    pub(super) address: Option<Range>,
}

/// A step of a reading, in one tree for all of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) before: u32,
    /// The record: its place among those given to the search.
    pub(super) record: u32,
    pub(super) taken: Taken,
}

/// No node: where histories begin.
pub(super) const ROOT: u32 = u32::MAX;

/// What the search found.
#[derive(Debug)]
pub(super) struct Found {
    /// The readings that are left, the best first.
    pub(super) paths: Vec<Path>,
    pub(super) nodes: Vec<Node>,
    /// Records that were read; fewer than given where a limit was reached or nothing fits.
    pub(super) read: usize,
    /// Whether a limit cut the work short.
    pub(super) limited: bool,
}

/// The search over one session.
pub(super) struct Search<'a> {
    pub(super) templates: &'a Templates,
    pub(super) priors: &'a Priors,
    pub(super) context: &'a Context,
    pub(super) nodes: Vec<Node>,
    pub(super) next: Vec<Path>,
    pub(super) record: u32,
    work: usize,
    /// The best score among `next`.
    best: f64,
    /// The record before is the server's.
    pub(super) answered: bool,
}

impl<'a> Search<'a> {
    pub(super) fn run(templates: &'a Templates, priors: &'a Priors, context: &'a Context, records: &[Record]) -> Found {
        let mut search = Search {
            templates,
            priors,
            context,
            nodes: Vec::new(),
            next: Vec::new(),
            record: 0,
            work: 0,
            best: f64::NEG_INFINITY,
            answered: false,
        };
        let mut paths = search.beginnings();
        let mut limited = false;
        for (index, record) in records.iter().enumerate() {
            search.record = index as u32;
            search.next.clear();
            search.best = f64::NEG_INFINITY;
            search.answered = index.checked_sub(1).and_then(|before| records.get(before)).is_some_and(|r| !r.client);
            for path in &paths {
                if record.client {
                    search.client(path, record);
                } else {
                    search.server(path, record.length);
                }
            }
            search.work += search.next.len();
            let width = match search.work {
                work if work > limits::INFER_WORK => {
                    limited = true;
                    0
                }
                work if work > limits::INFER_WORK / 2 => limits::INFER_PATHS / 8,
                _ => limits::INFER_PATHS,
            };
            if search.next.is_empty() || width == 0 {
                return Found { paths, nodes: search.nodes, read: index, limited };
            }
            search.keep(&mut paths, width);
        }
        for path in &mut paths {
            path.score += search.ending(path);
        }
        paths.sort_by(|a, b| b.score.total_cmp(&a.score));
        Found { paths, nodes: search.nodes, read: records.len(), limited }
    }

    fn beginnings(&self) -> Vec<Path> {
        let (state, waiting) = match self.context.greets {
            true => (State::Start, vec![Waiting { command: Command::Connect, count: 1, address: None }]),
            false => (State::Start, Vec::new()),
        };
        let total: f64 = self.templates.servers.iter().map(|s| s.weight).sum::<f64>();
        let unknown = 0.35;
        (0..=self.templates.servers.len())
            .map(|server| {
                let chance = match self.templates.servers.get(server) {
                    Some(known) => {
                        known.weight / total
                            * (1.0 - unknown)
                            * self.context.servers.get(server).copied().unwrap_or(1.0)
                    }
                    None => unknown * self.context.servers.get(server).copied().unwrap_or(1.0),
                };
                Path {
                    score: chance.max(1e-9).ln(),
                    server: server as u16,
                    state,
                    waiting: waiting.clone(),
                    learned: Rc::default(),
                    tail: ROOT,
                    transactions: 0,
                    recipients: 0,
                    taken: 0,
                    refused: 0,
                    logins: 0,
                    failures: 0,
                    grouped: false,
                    group: None,
                    separate: false,
                    greeting: false,
                    text: Range::new(0, 0),
                    pieces: 0,
                    hello: Range::new(0, 0),
                }
            })
            .collect()
    }

    /// Keeps the best paths, and of the server that is not in the table the best few in any case: templates that
    /// fit a beginning must not crowd it out.
    fn keep(&mut self, paths: &mut Vec<Path>, width: usize) {
        let next = &mut self.next;
        // Places are sorted, not paths, which are large and of which most are dropped.
        let mut places: Vec<(f64, u32)> =
            next.iter().enumerate().map(|(place, path)| (path.score, place as u32)).collect();
        places.sort_by(|a, b| b.0.total_cmp(&a.0));
        let best = places.first().map_or(0.0, |(score, _)| *score);
        let unknown = self.templates.servers.len() as u16;
        let mut spared = 0;
        paths.clear();
        for (place, (_, from)) in places.into_iter().enumerate() {
            let path = &mut next[from as usize];
            let near = path.score > best - limits::INFER_REACH;
            let spare = path.server == unknown && spared < width / 8 && path.score > best - 3.0 * limits::INFER_REACH;
            if (place < width && near) || spare {
                spared += usize::from(path.server == unknown);
                let waiting = std::mem::take(&mut path.waiting);
                paths.push(Path { waiting, learned: Rc::clone(&path.learned), ..*path });
            } else if place >= width && spared >= width / 8 {
                break;
            }
        }
    }

    /// Adds a path: `path` after taking this record for `taken` with the logarithm of a chance.
    pub(super) fn push(&mut self, mut path: Path, taken: Taken, chance: f64) {
        path.score += chance;
        if path.score < self.cutoff() {
            return;
        }
        self.best = self.best.max(path.score);
        self.nodes.push(Node { before: path.tail, record: self.record, taken });
        path.tail = (self.nodes.len() - 1) as u32;
        self.next.push(path);
    }

    /// Paths with less are not worth making.
    pub(super) fn cutoff(&self) -> f64 {
        self.best - 2.0 * limits::INFER_REACH
    }

    /// What speaks for a path that ends here.
    fn ending(&self, path: &Path) -> f64 {
        let state = match path.state {
            State::Over => 0.0,
            // Who has logged in wants to send something.
            State::Between if path.logins > 0 && path.transactions == 0 => -3.5,
            State::Between => -1.2,
            State::Transaction if path.taken == 0 && path.recipients > 0 => -2.0,
            State::Transaction => -3.5,
            State::Start => -3.0,
            State::Auth(..) => -3.0,
            State::Body | State::Chunk => -5.0,
        };
        let waiting = match path.waiting.first().map(|w| w.command) {
            None => 0.0,
            Some(Command::Quit) => -0.7,
            Some(_) => -2.0,
        };
        if self.context.ended { state + waiting } else { (state + waiting) * 0.2 }
    }

    /// The chance of a length of MAIL. Who the client is may be mistaken.
    pub(super) fn mail(&self, length: Range) -> f64 {
        let of_any = self.priors.mail.of(length);
        self.context.mail.as_ref().map_or(of_any, |mail| 0.75 * mail.of(length) + 0.25 * of_any)
    }

    /// The logarithm of the chance of a reply's length. `address`: of the command answered.
    pub(super) fn reply(&self, path: &Path, kind: Kind, length: Range, address: Option<Range>) -> f64 {
        let learned = &path.learned;
        let base = self.priors.reply(kind, length);
        let known = self.templates.servers.get(usize::from(path.server));
        let habit_slot = Learned::slot(kind);
        // The first named is the commonest.
        let (mut chance, mut whole) = (0.0, 0.0);
        for (n, law) in known.into_iter().flat_map(|server| server.laws(kind)).enumerate() {
            let share = 1.0 / (n + 1) as f64;
            whole += share;
            chance += share * self.law(kind, law, length, address, learned.host);
        }
        if whole > 0.0 {
            chance /= whole;
            let known = habit_slot.map(|slot| learned.laws[slot]).filter(|habit| habit.seen > 0);
            let habit = known.map_or(0.0, |habit| habit.chance(length, address));
            let fit = match kind {
                // Of several answers of the table one is this server's, and remains so.
                Kind::Mail | Kind::Rcpt | Kind::Data if known.is_some() => 0.15 * chance + 0.85 * habit,
                _ => 0.5 * chance + 0.5 * habit.max(chance),
            };
            return (0.97 * fit + 0.03 * base).max(1e-12).ln();
        }
        let Some(slot) = habit_slot else { return base.ln() };
        let habit = learned.laws[slot];
        let chance = if habit.seen == 0 {
            match learned.habit(Kind::Mail).filter(|mail| kind == Kind::Rcpt && mail.seen > 0) {
                Some(mail) => 0.47 * base + mail.of_recipient(length, address),
                None => base,
            }
        } else {
            let mut share = habit.chance(length, address);
            if kind == Kind::RcptNo {
                share = share.max(learned.laws[SECOND_REFUSAL].chance(length, address));
                0.6 * share + 0.4 * base
            } else {
                0.93 * share + 0.07 * base
            }
        };
        chance.max(1e-12).ln()
    }

    /// What a path knows of its replies after one more.
    pub(super) fn learned(&self, path: &Path, kind: Kind, length: Range, address: Option<Range>) -> Rc<Learned> {
        let known = self.templates.servers.get(usize::from(path.server));
        let of_host = |law: &Law| law.echo == Echo::Host;
        let mut laws = known.into_iter().flat_map(|server| server.laws(kind)).filter(of_host).peekable();
        if laws.peek().is_none() && Learned::slot(kind).is_none() {
            return Rc::clone(&path.learned);
        }
        let mut learned = Learned::clone(&path.learned);
        for law in laws {
            let host = length.less(Range::new(i32::from(law.base), i32::from(law.base + law.span)));
            learned.host = Some(learned.host.filter(|h| h.meets(host)).map_or(host, |h| h.overlap(host)));
        }
        learned.learn(kind, length, address);
        Rc::new(learned)
    }

    fn law(&self, kind: Kind, law: Law, length: Range, address: Option<Range>, host: Option<Range>) -> f64 {
        let own = Range::new(i32::from(law.base), i32::from(law.base + law.span));
        let spread = f64::from(law.span) + 1.0;
        match law.echo {
            Echo::Nothing if own.meets(length) => f64::from(own.overlap(length).width()) / spread,
            Echo::Nothing => 0.0,
            Echo::Address => match address {
                // What follows the command's verb may be more than the address: parameters.
                Some(after) => {
                    let rest = after.less(length.less(own));
                    let width = f64::from(length.width()).max(1.0);
                    let with_any = super::prior::parameters(kind == Kind::Mail, rest) * width / (spread + width - 1.0);
                    if after.width() == 1 && length.width() == 1 {
                        return with_any;
                    }
                    // An address in an interval: most often there are no parameters.
                    let bare = super::prior::parameters(kind == Kind::Mail, Range::new(0, 0));
                    bare * after.plus_in(own, length) + (1.0 - bare) * with_any.min(1.0)
                }
                None => self.priors.address(length.less(own)) / spread,
            },
            Echo::Host => {
                let host = host.unwrap_or(Range::new(4, 45));
                let whole = own.plus(host);
                if !whole.meets(length) {
                    return 0.0;
                }
                f64::from(whole.overlap(length).width()) / f64::from(whole.width())
            }
        }
    }
}

/// Of a transaction that ends.
impl Path {
    /// Whether the last thing that was taken is a chunk, after which others may come.
    pub(super) fn more_chunks(&self) -> bool {
        self.state == State::Between && self.taken > 0
    }

    pub(super) fn open_transaction(&mut self) {
        self.transactions += 1;
        self.close_transaction();
    }

    pub(super) fn close_transaction(&mut self) {
        self.recipients = 0;
        self.taken = 0;
        self.refused = 0;
        self.text = Range::new(0, 0);
        self.pieces = 0;
    }

    pub(super) fn outcome(yes: bool) -> Outcome {
        if yes { Outcome::Yes } else { Outcome::No }
    }
}

/// Puts long rows of the client's records together, which can only be octets of a message: more than the
/// commands that may stand in a row unanswered.
pub(super) fn merged(records: &[Record]) -> Vec<Record> {
    let mut merged: Vec<Record> = Vec::new();
    let mut rest = records;
    while let Some(first) = rest.first() {
        let run = rest.iter().take_while(|record| record.client == first.client).count();
        let (row, behind) = rest.split_at(run);
        rest = behind;
        let length = row.iter().fold(Range::new(0, 0), |sum, record| sum.plus(record.length));
        let last = row.last().unwrap_or(first).length;
        if first.client && run > 1 && (run > limits::INFER_ROW || length.max > LONG_ROW) {
            let block = row[..run - 1].iter().map(|record| record.length).max_by_key(|length| length.max);
            merged.push(Record { client: true, length, count: run as u32, last, block });
        } else {
            merged.extend_from_slice(row);
        }
    }
    merged
}

/// Octets of a row that no commands have.
const LONG_ROW: i32 = 20_000;
