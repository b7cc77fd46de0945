//! Drives packets through the workers, batch by batch, and their items to the output.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::Result;

use super::keys::KeySource;
use super::output::Output;
use super::progress::Progress;
use crate::capture::{Batch, Filled, Source};
use crate::report::{Capture, Collector, Comparison, Content, Item, Wanted};
use crate::session::{Config, Shard, Tracker};
use crate::time::Timestamp;
use crate::tls::Keys;

/// What was done.
pub(super) struct Done {
    pub(super) capture: Capture,
    pub(super) limits: Vec<String>,
}

/// One shard of the flows, and what is gathered of it.
struct Worker {
    tracker: Tracker,
    collector: Collector,
}

impl Worker {
    fn new(config: Config, wanted: Wanted) -> Worker {
        Worker { tracker: Tracker::new(config), collector: Collector::new(wanted) }
    }

    fn batch(&mut self, batch: &Batch, keys: Option<Keys>, decimals: usize) -> Vec<Item> {
        if let Some(keys) = keys {
            self.tracker.set_keys(keys);
        }
        self.collector.set_decimals(decimals);
        self.tracker.batch(batch, &mut self.collector);
        self.collector.take()
    }

    fn finish(&mut self) -> (Vec<Item>, Vec<String>) {
        self.collector.close();
        self.tracker.finish(&mut self.collector);
        let left_out = self.collector.finish();
        let mut limits: Vec<String> = self.tracker.limits().into_iter().map(|limit| limit.text).collect();
        if left_out > 0 {
            limits.push(format!("{left_out} more frames were asked for and are left out"));
        }
        (self.collector.take(), limits)
    }
}

/// Runs `source` to its end through `jobs` workers.
pub(super) fn run(
    source: &mut dyn Source,
    config: &Config,
    wanted: &Wanted,
    keys: &mut KeySource,
    jobs: u32,
    output: &mut dyn Output,
    progress: &mut Progress,
) -> Result<Done> {
    let mut counts = Counts::default();
    let output = &mut Sorted { output, comparison: Comparison::default() };
    let mut limits = if jobs <= 1 {
        alone(source, Worker::new(config.clone(), wanted.clone()), keys, output, progress, &mut counts)?
    } else {
        together(source, config, wanted, keys, jobs, output, progress, &mut counts)?
    };
    limits.extend(keys.limit());
    limits.extend(output.comparison.limits());
    // Every thread sees all look-ups, and says the same of them.
    let mut said = HashSet::new();
    limits.retain(|limit| said.insert(limit.clone()));
    progress.done();
    Ok(Done { capture: counts.capture(source), limits })
}

fn alone(
    source: &mut dyn Source,
    mut worker: Worker,
    keys: &mut KeySource,
    output: &mut Sorted<'_>,
    progress: &mut Progress,
    counts: &mut Counts,
) -> Result<Vec<String>> {
    let mut batch = Batch::new();
    loop {
        match source.next_batch(&mut batch)? {
            Filled::End => break,
            Filled::Nothing => output.output.pause()?,
            Filled::Batch => {
                counts.add(&batch);
                let items = worker.batch(&batch, keys.news(source.info()), decimals(source));
                output.emit(items)?;
                progress.at(source.info());
            }
        }
    }
    let (items, limits) = worker.finish();
    output.emit(items)?;
    Ok(limits)
}

/// What a worker thread is told.
enum Task {
    Batch(Arc<Batch>, Option<Keys>, usize),
    Finish,
}

/// What it answers.
type Answer = (Vec<Item>, Vec<String>);

#[allow(clippy::too_many_arguments)]
/// Each worker walks every batch and takes its own flows; a batch is read while the one before it
/// is worked on.
fn together(
    source: &mut dyn Source,
    config: &Config,
    wanted: &Wanted,
    keys: &mut KeySource,
    jobs: u32,
    output: &mut Sorted<'_>,
    progress: &mut Progress,
    counts: &mut Counts,
) -> Result<Vec<String>> {
    std::thread::scope(|scope| {
        let workers: Vec<(Sender<Task>, Receiver<Answer>)> = (0..jobs)
            .map(|job| {
                let (tell, told) = channel();
                let (answer, answered) = channel();
                let thread = Shard { index: job, of: jobs };
                let mut worker = Worker::new(Config { thread, ..config.clone() }, wanted.clone());
                scope.spawn(move || work(&mut worker, &told, &answer));
                (tell, answered)
            })
            .collect();
        let mut spare = Batch::new();
        let mut in_work: Option<Arc<Batch>> = None;
        loop {
            let filled = source.next_batch(&mut spare)?;
            if let Some(batch) = in_work.take() {
                output.emit(gather(&workers)?.0)?;
                if filled != Filled::Batch {
                    drop(batch);
                } else {
                    let filled_batch = std::mem::replace(&mut spare, Arc::try_unwrap(batch).unwrap_or_default());
                    in_work = Some(Arc::new(filled_batch));
                }
            } else if filled == Filled::Batch {
                in_work = Some(Arc::new(std::mem::take(&mut spare)));
            }
            match filled {
                Filled::End => break,
                Filled::Nothing => output.output.pause()?,
                Filled::Batch => {
                    if let Some(batch) = &in_work {
                        counts.add(batch);
                        let news = keys.news(source.info());
                        for (tell, _) in &workers {
                            let _ = tell.send(Task::Batch(Arc::clone(batch), news.clone(), decimals(source)));
                        }
                    }
                    progress.at(source.info());
                }
            }
        }
        for (tell, _) in &workers {
            let _ = tell.send(Task::Finish);
        }
        let (items, limits) = gather(&workers)?;
        output.emit(items)?;
        Ok(limits)
    })
}

fn work(worker: &mut Worker, told: &Receiver<Task>, answer: &Sender<Answer>) {
    while let Ok(task) = told.recv() {
        let (answered, last) = match task {
            Task::Batch(batch, keys, decimals) => {
                let items = worker.batch(&batch, keys, decimals);
                // The batch is given back before the answer, so that its memory can be used again.
                drop(batch);
                ((items, Vec::new()), false)
            }
            Task::Finish => (worker.finish(), true),
        };
        if answer.send(answered).is_err() || last {
            return;
        }
    }
}

fn gather(workers: &[(Sender<Task>, Receiver<Answer>)]) -> Result<Answer> {
    let mut all = (Vec::new(), Vec::new());
    for (_, answered) in workers {
        let (items, limits) = answered.recv().map_err(|_| anyhow::anyhow!("a worker thread has died"))?;
        all.0.extend(items);
        all.1.extend(limits);
    }
    Ok(all)
}

/// Where items go, in order; sessions are held against those before them on the way.
struct Sorted<'a> {
    output: &'a mut dyn Output,
    comparison: Comparison,
}

impl Sorted<'_> {
    fn emit(&mut self, mut items: Vec<Item>) -> Result<()> {
        items.sort_by_key(|item| item.order);
        for mut item in items {
            if let Content::Session(session) = &mut item.content {
                self.comparison.take(session);
            }
            self.output.item(item.content)?;
        }
        self.output.pause()?;
        Ok(())
    }
}

fn decimals(source: &dyn Source) -> usize {
    if source.info().nanoseconds { 9 } else { 6 }
}

/// What is counted of all packets, whatever shard is looked at.
#[derive(Default)]
struct Counts {
    packets: u64,
    octets: u64,
    cut: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Counts {
    fn add(&mut self, batch: &Batch) {
        for packet in batch.packets() {
            self.packets += 1;
            self.octets += u64::from(packet.original_len);
            self.cut += u64::from((packet.data.len() as u64) < u64::from(packet.original_len));
            self.first.get_or_insert(packet.timestamp);
            self.last = Some(packet.timestamp);
        }
    }

    fn capture(&self, source: &dyn Source) -> Capture {
        let info = source.info();
        Capture {
            files: info.files.clone(),
            packets: self.packets,
            bytes: self.octets,
            first_time: self.first.map(Timestamp::seconds),
            last_time: self.last.map(Timestamp::seconds),
            truncated: !info.faults.is_empty() || self.cut > 0,
            faults: info.faults.iter().map(ToString::to_string).collect(),
            dropped: info.drops.map(|drops| drops.total()),
            cut_packets: self.cut,
            link_types: info.link_types.iter().map(ToString::to_string).collect(),
            decimals: decimals(source),
            first: self.first,
            last: self.last,
        }
    }
}
