//! What can be typed. What it means is worked out in `plan`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Shows what somebody on the network path can and cannot see of a mail session.
///
/// Reads a capture (pcap, pcapng; gzip, zstd, lz4) or an interface, puts the TCP streams together,
/// decodes SMTP in the clear and the visible part of TLS, and says what was seen, what can be
/// inferred without keys, and what stayed hidden.
///
/// `overhear mail.pcap` is short for `overhear report mail.pcap`.
#[derive(Debug, Parser)]
#[command(name = "overhear", version, max_term_width = 100, after_help = EXIT_STATUS)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The views.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Every session, its verdict, and what was seen, inferred and hidden
    Report(Report),
    /// The packet list, with the columns and words of Wireshark
    Packets(Packets),
    /// Conversations as dialogues; sealed parts as their length and reading
    Follow(Follow),
    /// How each statement on a session follows, record by record, and what would close its leaks
    Explain(Explain),
    /// Frames in hex: every range named, clear and sealed octets told apart
    Hex(Hex),
    /// A table of all sessions
    Sessions(Sessions),
    /// Messages, attachments and certificates as files, with a manifest
    Extract(Extract),
    /// What is unusual, session by session; without a capture: the catalogue of anomalies
    Anomalies(Anomalies),
    /// Logs for other tools: Zeek's, Suricata's eve.json, or an object for each session
    Log(LogArgs),
    /// Any of these views on an interface, as it happens (as root)
    Live(Live),
}

/// Names of the subcommands, and what clap answers itself: the first word that is none of these is
/// a capture to report on.
pub(super) const SUBCOMMANDS: [&str; 11] =
    ["report", "packets", "follow", "explain", "hex", "sessions", "extract", "anomalies", "log", "live", "help"];

#[derive(Debug, Args)]
pub(super) struct Report {
    /// Captures; several are one capture in time order; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<String>,
    /// One JSON object, written as a stream
    #[arg(long)]
    pub(super) json: bool,
    /// With --json: sessions in order of their first packet (holds all of them in memory)
    #[arg(long, requires = "json")]
    pub(super) sort: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Packets {
    /// Captures; several are one capture in time order; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<String>,
    /// Columns for a person, seven columns between tabs, or an object a line
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Follow {
    /// Captures, then, if one session is wanted, the number of any of its packets
    #[arg(required = true, value_name = "FILE… [PACKET]")]
    pub(super) files: Vec<String>,
    /// An object for each utterance, a line each
    #[arg(long)]
    pub(super) json: bool,
    /// With --json: the text of messages too
    #[arg(long, requires = "json")]
    pub(super) message_text: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// Captures, then, if one session is wanted, the number of any of its packets
    #[arg(required = true, value_name = "FILE… [PACKET]")]
    pub(super) files: Vec<String>,
    /// All that is known of each session as an object a line
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Hex {
    /// Captures, then the packets to show: `17`, `17-20`
    #[arg(required = true, value_name = "FILE… PACKET…")]
    pub(super) files: Vec<String>,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Sessions {
    /// Captures; several are one capture in time order; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<String>,
    /// An object for each session, a line each, as sessions end
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Extract {
    /// Captures; several are one capture in time order; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<String>,
    /// Where the files go; what is there already is never written over
    #[arg(short, long, value_name = "DIR")]
    pub(super) output: PathBuf,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Anomalies {
    /// Captures; several are one capture in time order; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<String>,
    /// What this anomaly means, how grave it is, and where that is written down
    #[arg(long, value_name = "ID", conflicts_with = "files")]
    pub(super) explain: Option<String>,
    /// An object for each anomaly, a line each; of the catalogue a list of objects
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// Captures; several are one capture in time order; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<String>,
    /// Which logs
    #[arg(long, value_enum)]
    pub(super) format: LogFormat,
    /// With --format zeek: an object a line, as Zeek's JSON writer
    #[arg(long)]
    pub(super) zeek_json: bool,
    /// The folder to write into, made if it is not there; `-` is standard output. Nothing is overwritten
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub(super) output: String,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Live {
    /// The interface
    #[arg(value_name = "INTERFACE")]
    pub(super) interface: String,
    /// What to show while it happens; the finished report comes at the end
    #[arg(long, value_enum, default_value_t = View::Report)]
    pub(super) view: View,
    /// An object a line: sessions as they end, or what the view shows
    #[arg(long)]
    pub(super) json: bool,
    /// End after this many packets
    #[arg(short, long, value_name = "PACKETS")]
    pub(super) count: Option<u64>,
    /// Octets captured of each packet
    #[arg(long, value_name = "OCTETS", default_value_t = 262_144)]
    pub(super) snaplen: u32,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Options of every view.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// Only packets that this capture filter (BPF) lets pass; numbers stay those of the capture
    #[arg(short, long, value_name = "BPF")]
    pub(super) filter: Option<String>,
    /// Only connections with this TCP port; may be repeated
    #[arg(long, value_name = "PORT", value_delimiter = ',')]
    pub(super) port: Vec<u16>,
    /// Only the session that this packet belongs to
    #[arg(long, value_name = "PACKET")]
    pub(super) session: Option<u64>,
    /// Exit with status 1 if this is met: an anomaly (`overhear anomalies` lists them), anomalies of this severity
    /// (info, low, medium, high) or graver, or a session with this verdict (clear, downgraded, …); may be repeated
    #[arg(long, value_name = "ID|SEVERITY|VERDICT", value_delimiter = ',')]
    pub(super) fail_on: Vec<String>,
    /// Open what is sealed with the session keys in this key log, the format that SSLKEYLOGFILE asks for; may be
    /// repeated. Keys that the capture itself carries (pcapng) are used anyway
    #[arg(long, value_name = "FILE")]
    pub(super) keys: Vec<PathBuf>,
    /// Leave what is sealed as it is, though the capture carries keys
    #[arg(long, conflicts_with_all = ["keys", "server_key"])]
    pub(super) no_keys: bool,
    /// The server's RSA private key (PEM or DER): it opens sessions whose key exchange was RSA (TLS 1.2 and earlier)
    #[arg(long, value_name = "FILE")]
    pub(super) server_key: Vec<PathBuf>,
    /// Show passwords, tokens and other secrets
    #[arg(long)]
    pub(super) reveal: bool,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(super) color: Color,
    /// Threads, each with its share of the connections
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(super) jobs: u32,
    /// Only share I of N of the connections, I from 0: as `0/4`
    #[arg(long, value_name = "I/N")]
    pub(super) shard: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Tsv,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// eve.json: an event a line, as Suricata writes them
    Eve,
    /// conn.log, smtp.log, files.log, ssl.log, x509.log, weird.log: as Zeek writes them
    Zeek,
    /// sessions.ndjson: an object for each session, as sessions end
    Ndjson,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum View {
    Report,
    Packets,
    Follow,
    Sessions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

const EXIT_STATUS: &str = "\
Exit status: 0 done; 1 a --fail-on condition was met; 2 the input or the arguments are unusable; 3 done, but the input was damaged or cut short.

Every session is named by the number of its first packet; any packet of it will do.";
