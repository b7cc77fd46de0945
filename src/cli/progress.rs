//! How far a long run is, on standard error.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::capture::Info;

/// Shows nothing until a run takes long, and nothing at all where nobody looks.
pub(super) struct Progress {
    since: Instant,
    wanted: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn new(wanted: bool) -> Progress {
        Progress { since: Instant::now(), wanted: wanted && std::io::stderr().is_terminal(), bar: None }
    }

    pub(super) fn at(&mut self, info: &Info) {
        if !self.wanted || self.since.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| match info.octets_total {
            Some(total) => {
                ProgressBar::new(total).with_style(style("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}"))
            }
            None => ProgressBar::new_spinner().with_style(style("{spinner} {bytes} {bytes_per_sec}")),
        });
        bar.set_position(info.octets_read);
    }

    pub(super) fn done(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// A run that is shorter needs no progress shown.
const PATIENCE: Duration = Duration::from_millis(800);
