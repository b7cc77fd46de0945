//! Arguments to configuration; opens files, looks at the terminal, chooses the exit status.

mod args;
mod extract;
mod fail_on;
mod fuzz;
mod keys;
mod output;
mod plan;
mod progress;
mod resolve;
mod run;
mod zeek;

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

pub use self::fuzz::fuzz_page;

use self::args::{Cli, SUBCOMMANDS};
use self::fail_on::Watched;
use self::output::Output as _;
use self::plan::{Input, Plan};
use self::progress::Progress;
use crate::bytes::escaped;
use crate::capture::{self, Filtered, Source};
use crate::session::{Config, Shard};

/// Runs the command line `arguments`, the program's name first, and says how it went.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments = with_command(arguments.collect());
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let failed = error.use_stderr();
            let _ = error.print();
            return ExitCode::from(if failed { UNUSABLE } else { DONE });
        }
    };
    match Plan::of(cli.command).and_then(|plan| execute(&plan)) {
        Ok(status) => ExitCode::from(status),
        Err(error) if is_closed_pipe(&error) => ExitCode::from(DONE),
        Err(error) => {
            let text = format!("{error:#}");
            let _ = writeln!(io::stderr(), "overhear: {}", escaped(text.as_bytes()));
            ExitCode::from(UNUSABLE)
        }
    }
}

/// `overhear mail.pcap` means `overhear report mail.pcap`: a first word that is no command is a file.
fn with_command(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let first = arguments.get(1).and_then(|word| word.to_str());
    let is_command = match first {
        None => arguments.len() < 2,
        Some(word) => SUBCOMMANDS.contains(&word) || matches!(word, "-h" | "--help" | "-V" | "--version"),
    };
    if !is_command {
        arguments.insert(1, "report".into());
    }
    arguments
}

/// The exit status of what was done.
fn execute(plan: &Plan) -> Result<u8> {
    if let plan::Show::Catalogue { .. } = plan.show {
        let mut out = io::stdout().lock();
        output::output(plan, false, &mut out)?.finish(&crate::report::Capture::default(), &[])?;
        return Ok(DONE);
    }
    let session = resolve::session(plan)?;
    let mut source = open(plan)?;
    let live = matches!(plan.input, Input::Live { .. });
    let mut wanted = crate::report::Wanted { session, ..output::wanted(plan) };
    let shows_sessions = wanted.sessions;
    wanted.sessions |= !plan.fail_on.is_empty();
    let config = Config {
        shard: plan.shard,
        thread: Shard::WHOLE,
        ports: plan.ports.clone(),
        packets: wanted.packets(),
        hashes: wanted.hashes,
    };
    let mut keys = keys::KeySource::open(plan, live)?;
    let mut out = BufWriter::with_capacity(64 << 10, destination(plan)?);
    let mut progress = Progress::new(!plan.terminal || !matches!(plan.show, plan::Show::Packets(_)) && !live);
    let (done, met) = {
        let output = output::output(plan, live, &mut out)?;
        let mut output = Watched::new(output, &plan.fail_on, shows_sessions);
        let done = run::run(&mut *source, &config, &wanted, &mut keys, plan.jobs, &mut output, &mut progress)?;
        output.finish(&done.capture, &done.limits)?;
        (done, output.met())
    };
    out.flush()?;
    if !matches!(plan.show, plan::Show::Report) {
        say_damage(&done);
    }
    if live && !matches!(plan.show, plan::Show::Report) {
        let capture = &done.capture;
        let dropped = capture.dropped.unwrap_or(0);
        let _ = writeln!(io::stderr(), "overhear: {} packets captured, {dropped} dropped", capture.packets);
    }
    let lines = keys.not_understood();
    if lines > 0 {
        let what = if lines == 1 { "1 line is none".to_owned() } else { format!("{lines} lines are none") };
        let _ = writeln!(io::stderr(), "overhear: of what was given as key logs {what} of a key log and left out");
    }
    if let Some(met) = met {
        let sessions = if met.sessions == 1 { "1 session".to_owned() } else { format!("{} sessions", met.sessions) };
        let (what, first) = (met.what, met.first);
        let _ = writeln!(io::stderr(), "overhear: --fail-on is met by {sessions}, the first is {first}: {what}");
        return Ok(FAILED);
    }
    Ok(if done.capture.truncated { DAMAGED } else { DONE })
}

/// Where the view is written to: a log's own file, or standard output.
fn destination(plan: &Plan) -> Result<Box<dyn Write>> {
    let Some(path) = &plan.file else { return Ok(Box::new(io::stdout().lock())) };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    match fs::File::create_new(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            anyhow::bail!("{} is there already and is not overwritten: name another folder with -o", path.display())
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be written", path.display())),
    }
}

/// Views that have no place for it tell of damage on standard error.
fn say_damage(done: &run::Done) {
    let capture = &done.capture;
    let cut =
        (capture.cut_packets > 0).then(|| format!("{} packets were cut by the snapshot length", capture.cut_packets));
    for text in capture.faults.iter().cloned().chain(cut) {
        let _ = writeln!(io::stderr(), "overhear: {}", escaped(text.as_bytes()));
    }
}

fn open(plan: &Plan) -> Result<Box<dyn Source>> {
    let source = match &plan.input {
        Input::Files(paths) => open_files(paths)?,
        Input::Live { interface, count, snaplen } => return open_live(plan, interface, *count, *snaplen),
    };
    filtered(source, plan)
}

fn open_files(paths: &[PathBuf]) -> Result<Box<dyn Source>> {
    Ok(capture::open(paths, &capture::Options::default())?)
}

fn filtered(source: Box<dyn Source>, plan: &Plan) -> Result<Box<dyn Source>> {
    Ok(match &plan.filter {
        Some(filter) => Box::new(Filtered::new(source, filter)?),
        None => source,
    })
}

#[cfg(feature = "live")]
fn open_live(plan: &Plan, interface: &str, count: Option<u64>, snaplen: u32) -> Result<Box<dyn Source>> {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use anyhow::Context as _;

    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    ctrlc::set_handler(move || told.store(true, Ordering::Relaxed)).context("Ctrl-C cannot be watched for")?;
    let options =
        capture::LiveOptions { filter: plan.filter.clone(), count, snaplen, stop, ..capture::LiveOptions::default() };
    Ok(Box::new(capture::open_live(interface, &options)?))
}

#[cfg(not(feature = "live"))]
fn open_live(_: &Plan, interface: &str, _: Option<u64>, _: u32) -> Result<Box<dyn Source>> {
    anyhow::bail!("{interface}: this build reads files only; build with the feature `live` to sniff interfaces")
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
            || cause
                .downcast_ref::<serde_json::Error>()
                .is_some_and(|e| e.io_error_kind() == Some(io::ErrorKind::BrokenPipe))
    })
}

const DONE: u8 = 0;
/// What was asked for with `--fail-on` was found.
const FAILED: u8 = 1;
const UNUSABLE: u8 = 2;
const DAMAGED: u8 = 3;
