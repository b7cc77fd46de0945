//! From what was typed to what it means.

use std::io::IsTerminal;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::args::{Color, Command, Common, Format, LogFormat, View};
use super::fail_on::Condition;
use crate::render::packets;
use crate::report::catalogue::{self, Entry};
use crate::session::Shard;

/// What is to be done.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) input: Input,
    pub(super) show: Show,
    /// The file that a log goes to; `None` is standard output.
    pub(super) file: Option<PathBuf>,
    pub(super) filter: Option<String>,
    pub(super) ports: Vec<u16>,
    /// Any packet of the one session that is wanted.
    pub(super) session: Option<u64>,
    /// What ends the run with status 1.
    pub(super) fail_on: Vec<Condition>,
    /// Key logs, and servers' private keys.
    pub(super) keys: Vec<PathBuf>,
    pub(super) server_keys: Vec<PathBuf>,
    /// Whether keys that the capture carries are left alone.
    pub(super) no_keys: bool,
    pub(super) reveal: bool,
    pub(super) color: bool,
    /// Columns, and whether there is a terminal that has them.
    pub(super) width: usize,
    pub(super) terminal: bool,
    pub(super) jobs: u32,
    pub(super) shard: Shard,
}

/// Where packets come from.
#[derive(Debug)]
pub(super) enum Input {
    Files(Vec<PathBuf>),
    Live { interface: String, count: Option<u64>, snaplen: u32 },
}

/// What is shown.
#[derive(Clone, Debug)]
pub(super) enum Show {
    Report,
    ReportJson {
        sort: bool,
    },
    Packets(packets::Format),
    Follow,
    FollowJson {
        message_text: bool,
    },
    Explain,
    ExplainJson,
    Hex(Vec<RangeInclusive<u64>>),
    Sessions,
    SessionsJson,
    /// Files below this directory.
    Extract(PathBuf),
    Anomalies,
    AnomaliesJson,
    /// Suricata's events.
    Eve,
    /// Zeek's logs below this directory.
    Zeek {
        folder: PathBuf,
        json: bool,
    },
    /// The catalogue, or one entry of it; reads no capture.
    Catalogue {
        one: Option<&'static Entry>,
        json: bool,
    },
}

impl Plan {
    pub(super) fn of(command: Command) -> Result<Plan> {
        let mut file = None;
        let (input, show, common, session) = match command {
            Command::Report(args) => {
                let show = if args.json { Show::ReportJson { sort: args.sort } } else { Show::Report };
                (files(&args.files), show, args.common, None)
            }
            Command::Packets(args) => {
                let format = if args.json { Format::Json } else { args.format };
                (files(&args.files), Show::Packets(format.into()), args.common, None)
            }
            Command::Follow(args) => {
                let (paths, session) = with_session("follow", &args.files)?;
                let show = if args.json { Show::FollowJson { message_text: args.message_text } } else { Show::Follow };
                (files(&paths), show, args.common, session)
            }
            Command::Explain(args) => {
                let (paths, session) = with_session("explain", &args.files)?;
                let show = if args.json { Show::ExplainJson } else { Show::Explain };
                (files(&paths), show, args.common, session)
            }
            Command::Hex(args) => {
                let (paths, packets) = apart(&args.files)?;
                if packets.is_empty() {
                    bail!("hex needs the number of a packet: overhear hex {} 1", paths.join(" "));
                }
                (files(&paths), Show::Hex(packets), args.common, None)
            }
            Command::Sessions(args) => {
                (files(&args.files), if args.json { Show::SessionsJson } else { Show::Sessions }, args.common, None)
            }
            Command::Extract(args) => (files(&args.files), Show::Extract(args.output), args.common, None),
            Command::Anomalies(args) if args.files.is_empty() => {
                let show =
                    Show::Catalogue { one: args.explain.as_deref().map(explained).transpose()?, json: args.json };
                (Input::Files(Vec::new()), show, args.common, None)
            }
            Command::Anomalies(args) => {
                let show = if args.json { Show::AnomaliesJson } else { Show::Anomalies };
                (files(&args.files), show, args.common, None)
            }
            Command::Log(args) if args.format == LogFormat::Zeek => {
                if args.output == "-" {
                    bail!("--format zeek writes several logs: name a folder for them with -o");
                }
                let show = Show::Zeek { folder: PathBuf::from(args.output), json: args.zeek_json };
                (files(&args.files), show, args.common, None)
            }
            Command::Log(args) => {
                let (show, name) = match args.format {
                    LogFormat::Eve => (Show::Eve, "eve.json"),
                    LogFormat::Ndjson | LogFormat::Zeek => (Show::SessionsJson, "sessions.ndjson"),
                };
                file = (args.output != "-").then(|| Path::new(&args.output).join(name));
                (files(&args.files), show, args.common, None)
            }
            Command::Live(args) => {
                let input = Input::Live { interface: args.interface, count: args.count, snaplen: args.snaplen };
                let show = match (args.view, args.json) {
                    (View::Report, false) => Show::Report,
                    (View::Packets, json) => {
                        Show::Packets(if json { packets::Format::Json } else { packets::Format::Text })
                    }
                    (View::Follow, false) => Show::Follow,
                    (View::Follow, true) => Show::FollowJson { message_text: false },
                    (View::Sessions, false) => Show::Sessions,
                    (View::Report | View::Sessions, true) => Show::SessionsJson,
                };
                (input, show, args.common, None)
            }
        };
        Ok(Plan { file, ..Plan::with(input, show, common, session)? })
    }

    fn with(input: Input, show: Show, common: Common, session: Option<u64>) -> Result<Plan> {
        let terminal = std::io::stdout().is_terminal();
        let width = terminal_size::terminal_size()
            .filter(|_| terminal)
            .map_or(PAGE_WIDTH, |(width, _)| usize::from(width.0).max(MIN_WIDTH));
        Ok(Plan {
            input,
            show,
            file: None,
            filter: common.filter,
            ports: common.port,
            session: session.or(common.session),
            fail_on: common.fail_on.iter().map(|word| Condition::of(word)).collect::<Result<_>>()?,
            reveal: common.reveal,
            keys: common.keys,
            no_keys: common.no_keys,
            // A resumed session needs what an earlier one agreed on, which may be another thread's.
            jobs: if common.server_key.is_empty() { common.jobs } else { 1 },
            server_keys: common.server_key,
            color: match common.color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
            },
            width,
            terminal,
            shard: common.shard.as_deref().map_or(Ok(Shard::WHOLE), shard)?,
        })
    }
}

impl From<Format> for packets::Format {
    fn from(format: Format) -> packets::Format {
        match format {
            Format::Text => packets::Format::Text,
            Format::Tsv => packets::Format::Tsv,
            Format::Json => packets::Format::Json,
        }
    }
}

fn explained(id: &str) -> Result<&'static Entry> {
    match catalogue::entry(id) {
        Some(entry) => Ok(entry),
        None => bail!("{id} is no anomaly: `overhear anomalies` lists them"),
    }
}

fn files(paths: &[String]) -> Input {
    Input::Files(paths.iter().map(PathBuf::from).collect())
}

/// The files, and the packet that names the one session that is wanted.
fn with_session(command: &str, words: &[String]) -> Result<(Vec<String>, Option<u64>)> {
    let (paths, mut packets) = apart(words)?;
    match (packets.pop(), packets.is_empty()) {
        (Some(range), true) if range.start() == range.end() => Ok((paths, Some(*range.start()))),
        (None, _) => Ok((paths, None)),
        _ => bail!("{command} takes the number of one packet"),
    }
}

/// Tells files from packet numbers at the end: a word of digits that names no file is a number.
fn apart(words: &[String]) -> Result<(Vec<String>, Vec<RangeInclusive<u64>>)> {
    let is_number = |word: &String| {
        word.starts_with(|c: char| c.is_ascii_digit())
            && word.chars().all(|c| c.is_ascii_digit() || c == '-')
            && !Path::new(word).exists()
    };
    let first = words.iter().rposition(|word| !is_number(word)).map_or(0, |last| last + 1);
    if first == 0 {
        bail!("no capture was named, only {}", words.join(" "));
    }
    let packets = words[first..].iter().map(|word| range(word)).collect::<Result<_>>()?;
    Ok((words[..first].to_vec(), packets))
}

fn range(word: &str) -> Result<RangeInclusive<u64>> {
    let (from, to) = word.split_once('-').unwrap_or((word, word));
    let number =
        |text: &str| text.parse::<u64>().with_context(|| format!("{word} is no packet number or range of them"));
    let (from, to) = (number(from)?, number(to)?);
    if from == 0 || to < from {
        bail!("{word} is no range of packets: they count from 1, the smaller one first");
    }
    Ok(from..=to)
}

fn shard(text: &str) -> Result<Shard> {
    let parsed = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
    match parsed {
        Some((index, of)) if index < of => Ok(Shard { index, of }),
        _ => bail!("--shard {text}: it takes a share as I/N with I from 0 to N-1, such as 0/4"),
    }
}

/// Columns of a page that is not a terminal.
const PAGE_WIDTH: usize = 120;

/// A terminal narrower than this is written beyond its edge.
const MIN_WIDTH: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|w| (*w).to_owned()).collect()
    }

    #[test]
    fn numbers_after_the_files_are_packets() {
        let (files, packets) = apart(&words(&["a.pcap", "b.pcap", "17", "20-22"])).expect("well formed");
        assert_eq!((files, packets), (words(&["a.pcap", "b.pcap"]), vec![17..=17, 20..=22]));
        assert!(apart(&words(&["17"])).is_err());
        for wrong in ["0", "5-3", "1-", "99999999999999999999"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_is_one_of_so_many() {
        assert_eq!(shard("1/4").expect("well formed"), Shard { index: 1, of: 4 });
        for wrong in ["4/4", "1", "1/0", "a/b", "-1/2"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }
}
