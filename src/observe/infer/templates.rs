//! The table of servers' replies and clients' ways, as data: `templates.txt`.

use std::sync::OnceLock;

use super::prior::Range;

/// A kind of reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Banner,
    Ehlo,
    Helo,
    User,
    Pass,
    Empty,
    Challenge,
    Login,
    LoginNo,
    Mail,
    MailNo,
    Rcpt,
    RcptNo,
    Data,
    DataNo,
    Queued,
    QueuedNo,
    Bdat,
    BdatNo,
    More,
    Rset,
    Noop,
    Vrfy,
    Quit,
}

/// Lengths from, to, and their weight.
type Pieces = &'static [(u16, u16, f64)];

/// Every kind, its name in the table, and where lengths of unknown servers lie: pieces with weights.
const KINDS: [(Kind, &str, Pieces); Kind::COUNT] = [
    (Kind::Banner, "banner", &[(20, 60, 6.0), (61, 120, 3.0), (121, 400, 1.0)]),
    (Kind::Ehlo, "ehlo", &[(60, 250, 8.0), (251, 500, 1.0), (10, 59, 2.0)]),
    (Kind::Helo, "helo", &[(12, 100, 9.0), (101, 200, 1.0)]),
    (Kind::User, "user", &[(18, 18, 8.0), (22, 22, 1.0), (6, 40, 1.0)]),
    (Kind::Pass, "pass", &[(18, 18, 9.0), (6, 40, 1.0)]),
    (Kind::Empty, "empty", &[(6, 6, 6.0), (5, 5, 2.0), (8, 8, 1.0), (7, 20, 1.0)]),
    (Kind::Challenge, "challenge", &[(34, 110, 9.0), (111, 300, 1.0)]),
    (Kind::Login, "login", &[(20, 45, 7.0), (8, 19, 3.0), (46, 90, 1.5)]),
    (Kind::LoginNo, "login!", &[(25, 75, 8.0), (76, 250, 2.0)]),
    (Kind::Mail, "mail", &[(8, 16, 5.0), (17, 35, 3.0), (36, 90, 2.5)]),
    (Kind::MailNo, "mail!", &[(20, 60, 3.0), (61, 120, 5.0), (121, 300, 2.0)]),
    (Kind::Rcpt, "rcpt", &[(8, 16, 5.0), (17, 35, 3.0), (36, 90, 2.5)]),
    (Kind::RcptNo, "rcpt!", &[(18, 45, 3.0), (46, 120, 6.0), (121, 400, 1.0)]),
    (Kind::Data, "data", &[(8, 60, 9.0), (61, 100, 1.0)]),
    (Kind::DataNo, "data!", &[(20, 60, 7.0), (61, 130, 3.0)]),
    (Kind::Queued, "queued", &[(8, 60, 8.0), (61, 130, 2.0), (131, 250, 0.5)]),
    (Kind::QueuedNo, "queued!", &[(20, 80, 6.0), (81, 300, 4.0)]),
    (Kind::Bdat, "bdat", &[(8, 75, 9.0), (76, 200, 1.0)]),
    (Kind::BdatNo, "bdat!", &[(20, 80, 8.0), (81, 200, 2.0)]),
    (Kind::More, "more", &[(8, 40, 9.0), (41, 75, 1.0)]),
    (Kind::Rset, "rset", &[(8, 30, 9.0), (31, 90, 1.0)]),
    (Kind::Noop, "noop", &[(8, 30, 9.0), (31, 90, 1.0)]),
    (Kind::Vrfy, "vrfy", &[(15, 80, 9.0), (81, 200, 1.0)]),
    (Kind::Quit, "quit", &[(8, 60, 9.0), (61, 120, 1.0)]),
];

impl Kind {
    /// How many there are.
    pub(super) const COUNT: usize = 24;

    pub(super) fn index(self) -> usize {
        self as usize
    }

    /// Where its lengths lie with a server of which nothing is known.
    pub(super) fn background(self) -> &'static [(u16, u16, f64)] {
        KINDS[self.index()].2
    }

    fn named(name: &str) -> Option<Kind> {
        KINDS.iter().find(|(_, known, _)| *known == name).map(|(kind, _, _)| *kind)
    }

    pub(super) fn all() -> impl Iterator<Item = Kind> {
        KINDS.iter().map(|(kind, _, _)| *kind)
    }
}

/// A reply's length: `base`, up to `span` octets more, and what it echoes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Law {
    pub(super) base: u16,
    pub(super) span: u16,
    pub(super) echo: Echo,
}

/// What a reply repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Echo {
    Nothing,
    Address,
    Host,
}

/// A server's replies.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) weight: f64,
    /// A refused recipient ends the record of its replies: what follows is sent in another one.
    pub(super) flushes: bool,
    /// Its replies were recorded, not only read of.
    pub(super) recorded: bool,
    /// Each line of a reply has a record of its own; `None`: not known.
    pub(super) lines_apart: Option<bool>,
    /// Parameters of MAIL that it does not offer.
    pub(super) lacks: Vec<Parameter>,
    /// Parameters of MAIL that it offers or not, as it is set up.
    pub(super) may_lack: Vec<Parameter>,
    /// Words of its greeting that tell it, in lower case.
    pub(super) greetings: Vec<String>,
    /// By the index of their kind.
    laws: [Vec<Law>; Kind::COUNT],
    /// What it says, where that is known word by word.
    texts: Vec<(Kind, &'static str)>,
}

impl Server {
    pub(super) fn laws(&self, kind: Kind) -> impl Iterator<Item = Law> {
        self.laws[kind.index()].iter().copied()
    }

    /// What it says in a reply of that kind and length, if that is known word by word.
    pub(super) fn text(&self, kind: Kind, octets: u16) -> Option<&'static str> {
        self.texts.iter().find(|(k, text)| *k == kind && text.len() + 2 == usize::from(octets)).map(|(_, text)| *text)
    }
}

/// A client's ways.
#[derive(Clone, Debug, Default)]
pub(super) struct Client {
    pub(super) name: &'static str,
    pub(super) weight: f64,
    /// What follows the address of MAIL, with how often.
    pub(super) parameters: Vec<(Vec<Parameter>, f64)>,
    pub(super) dot_alone: bool,
    pub(super) lines: bool,
    pub(super) group: f64,
    pub(super) apart: f64,
    pub(super) chunk: f64,
    /// How often it says parameters that its user asks for to servers that do not offer them.
    pub(super) unoffered: f64,
    pub(super) quit: f64,
    /// The extensions of its hello, one list for each library that it is met with.
    pub(super) extensions: Vec<Vec<u16>>,
    /// Each hello has them in another order.
    pub(super) shuffles: bool,
    /// Whether it names the server in its hello; `None`: as it comes.
    pub(super) names: Option<bool>,
    /// The groups of its hello in their order, where it has an order of its own.
    pub(super) groups: Vec<u16>,
    /// Whether it writes EHLO and STARTTLS in small letters.
    pub(super) small: [bool; 2],
    /// It gives ORCPT wherever DSN is offered.
    pub(super) original: bool,
    /// Octets of the records that it writes long messages in.
    pub(super) blocks: Vec<i32>,
}

/// A parameter of MAIL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    /// ` SIZE=` and the size of the message.
    Size,
    /// The same with a size that is greater by about 1024.
    SizeAbove,
    /// ` BODY=8BITMIME`
    Body,
    /// ` SMTPUTF8`
    Utf8,
    /// ` AUTH=` and the address once more.
    Auth,
    /// ` RET=HDRS` or ` RET=FULL`
    Ret,
    /// ` ENVID=` and an identifier.
    Envid,
}

/// All templates.
#[derive(Clone, Debug)]
pub(super) struct Templates {
    pub(super) servers: Vec<Server>,
    pub(super) clients: Vec<Client>,
}

impl Client {
    /// The programs that it may be: what two have in common has one template, named after both.
    fn programs(&self) -> impl Iterator<Item = &'static str> {
        self.name.split(" or ")
    }
}

impl Templates {
    /// Those that come with the program.
    pub(super) fn built_in() -> &'static Templates {
        static TABLE: OnceLock<Templates> = OnceLock::new();
        TABLE.get_or_init(|| Templates::parse(include_str!("templates.txt")))
    }

    /// Those without some families, for the evaluation: what is left out is unknown software.
    pub(super) fn without(&self, servers: &[&str], clients: &[&str]) -> Templates {
        Templates {
            servers: self.servers.iter().filter(|s| !servers.contains(&s.name)).cloned().collect(),
            clients: self
                .clients
                .iter()
                .filter(|c| !c.programs().any(|name| clients.contains(&name)))
                .cloned()
                .collect(),
        }
    }

    /// The words of the table that are not understood.
    #[cfg(test)]
    pub(super) fn unread(table: &'static str) -> Vec<&'static str> {
        const KEYS: [&str; 24] = [
            "server",
            "client",
            "source",
            "says",
            "greets",
            "flushes",
            "lacks",
            "may-lack",
            "weight",
            "parameters",
            "dot",
            "lines",
            "group",
            "apart",
            "chunk",
            "unoffered",
            "quit",
            "sni",
            "shuffles",
            "orcpt",
            "groups",
            "extensions",
            "writes",
            "block",
        ];
        let mut unread = Vec::new();
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            let Some(key) = words.next() else { continue };
            if KEYS.contains(&key) && !(key == "quit" && line.contains("..")) {
                continue;
            }
            if Kind::named(key).is_none() {
                unread.push(key);
            }
            unread.extend(words.filter(|word| law(word).is_none()));
        }
        unread
    }

    /// Reads the table; what it does not know is left out, which a test of the built-in table rules out.
    pub(super) fn parse(table: &'static str) -> Templates {
        let mut templates = Templates { servers: Vec::new(), clients: Vec::new() };
        let mut in_server = true;
        for line in table.lines() {
            let mut words = line.split_whitespace();
            let Some(key) = words.next().filter(|key| !key.starts_with('#')) else { continue };
            match key {
                "server" => {
                    in_server = true;
                    let name = words.next().unwrap_or_default();
                    templates.servers.push(Server {
                        name,
                        weight: 1.0,
                        flushes: false,
                        recorded: false,
                        lines_apart: None,
                        lacks: Vec::new(),
                        may_lack: Vec::new(),
                        greetings: Vec::new(),
                        laws: Default::default(),
                        texts: Vec::new(),
                    });
                }
                "client" => {
                    in_server = false;
                    let name = line.trim_start().get(key.len()..).unwrap_or_default().trim();
                    templates.clients.push(Client { name, weight: 1.0, ..Client::default() });
                }
                "says" | "greets" | "source" if in_server => {
                    let rest = line.trim_start().get(key.len()..).unwrap_or_default().trim();
                    if let Some(server) = templates.servers.last_mut() {
                        server.read_text(key, rest);
                    }
                }
                "source" => {}
                _ if in_server => {
                    if let Some(server) = templates.servers.last_mut() {
                        server.read(key, words);
                    }
                }
                _ => {
                    if let Some(client) = templates.clients.last_mut() {
                        client.read(key, words);
                    }
                }
            }
        }
        templates
    }
}

impl Server {
    /// `says login 235 2.7.0 Accepted`, `greets postfix`, `source own recordings`
    fn read_text(&mut self, key: &str, rest: &'static str) {
        if key == "source" {
            self.recorded = rest.contains("own recordings");
        } else if key == "greets" {
            self.greetings.push(rest.to_ascii_lowercase());
        } else if let Some((kind, text)) = rest.split_once(' ')
            && let Some(kind) = Kind::named(kind)
        {
            self.texts.push((kind, text));
        }
    }

    fn read<'a>(&mut self, key: &str, mut words: impl Iterator<Item = &'a str>) {
        if key == "weight" {
            self.weight = number(words);
        } else if key == "lacks" {
            self.lacks = words.filter_map(parameter).collect();
        } else if key == "may-lack" {
            self.may_lack = words.filter_map(parameter).collect();
        } else if key == "flushes" {
            self.flushes = true;
        } else if key == "lines" {
            self.lines_apart = words.next().and_then(|word| match word {
                "apart" => Some(true),
                "together" => Some(false),
                _ => None,
            });
        } else if let Some(kind) = Kind::named(key) {
            self.laws[kind.index()].extend(words.filter_map(law));
        }
    }
}

impl Client {
    /// Whether a record of that length is one of those that it writes long messages in.
    pub(super) fn writes_in(&self, block: Range) -> bool {
        self.blocks.iter().any(|usual| block.contains(*usual))
    }

    fn read(&mut self, key: &str, mut words: impl Iterator<Item = &'static str>) {
        match key {
            "weight" => self.weight = number(words),
            "group" => self.group = number(words),
            "apart" => self.apart = number(words),
            "chunk" => self.chunk = number(words),
            "unoffered" => self.unoffered = number(words),
            "quit" => self.quit = number(words),
            "dot" => self.dot_alone = words.next() == Some("alone"),
            "lines" => self.lines = words.next() == Some("yes"),
            "orcpt" => self.original = words.next() == Some("yes"),
            "shuffles" => self.shuffles = words.next() == Some("yes"),
            "extensions" => self.extensions.push(words.filter_map(|word| word.parse().ok()).collect()),
            "groups" => self.groups = words.filter_map(|word| word.parse().ok()).collect(),
            "block" => self.blocks = words.filter_map(|word| word.parse().ok()).collect(),
            "writes" => {
                self.small = [(); 2].map(|()| words.next().is_some_and(|word| word.starts_with(char::is_lowercase)))
            }
            "sni" => self.names = words.next().map(|word| word == "yes"),
            "parameters" => {
                self.parameters = words
                    .filter_map(|word| {
                        let (set, share) = word.split_once(':')?;
                        Some((set.split('+').filter_map(parameter).collect(), share.parse().ok()?))
                    })
                    .collect();
            }
            _ => {}
        }
    }
}

fn number<'a>(mut words: impl Iterator<Item = &'a str>) -> f64 {
    words.next().and_then(|word| word.parse().ok()).unwrap_or(0.0)
}

fn parameter(word: &str) -> Option<Parameter> {
    match word {
        "SIZE" => Some(Parameter::Size),
        "SIZE~" => Some(Parameter::SizeAbove),
        "BODY" => Some(Parameter::Body),
        "UTF8" => Some(Parameter::Utf8),
        "AUTH" => Some(Parameter::Auth),
        "RET" => Some(Parameter::Ret),
        "ENVID" => Some(Parameter::Envid),
        _ => None,
    }
}

/// `14`, `35..42`, `a+23`, `h+20..34`
fn law(word: &str) -> Option<Law> {
    let (echo, lengths) = match word.split_once('+') {
        Some(("a", rest)) => (Echo::Address, rest),
        Some(("h", rest)) => (Echo::Host, rest),
        Some(_) => return None,
        None => (Echo::Nothing, word),
    };
    let (low, high) = lengths.split_once("..").unwrap_or((lengths, lengths));
    let (low, high): (u16, u16) = (low.parse().ok()?, high.parse().ok()?);
    Some(Law { base: low, span: high.checked_sub(low)?, echo })
}
