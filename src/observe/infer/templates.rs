//! The table of what servers are known to say, read from `templates.txt`.

use std::sync::LazyLock;

use super::Octets;
use super::token::{REPLIES, Reply};

/// A server and its replies.
#[derive(Debug)]
pub(super) struct Server {
    /// Its name.
    pub name: &'static str,
    replies: [Vec<Pattern>; REPLIES],
}

impl Server {
    /// What it says on this occasion: alternatives, none if that is not known.
    pub(super) fn replies(&self, reply: Reply) -> &[Pattern] {
        &self.replies[reply as usize]
    }

    /// Whether it greets with these words, which stand behind the code.
    pub(super) fn greets_with(&self, banner: &[u8]) -> bool {
        self.replies(Reply::Banner).iter().any(|pattern| pattern.is_said(banner))
    }
}

/// A reply whose text is known, up to what is put in.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// Its text, as the table has it.
    pub text: &'static str,
    /// Octets that are always there, line ends included.
    fixed: u64,
    /// How often the address of the command is repeated in it.
    addresses: u64,
    /// Octets that are put in besides.
    free: Octets,
}

impl Pattern {
    fn read(text: &'static str) -> Pattern {
        let mut pattern = Pattern { text, fixed: 0, addresses: 0, free: Octets::exactly(0) };
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let field = rest.strip_prefix('{').and_then(|inside| inside.split_once('}'));
            match (c, field) {
                ('{', Some((field, behind))) => {
                    match field {
                        "addr" => pattern.addresses += 1,
                        "host" => pattern.free = pattern.free.plus(HOST),
                        range => pattern.free = pattern.free.plus(bounds(range)),
                    }
                    rest = behind;
                }
                _ => {
                    // A bar stands for the end of a line.
                    pattern.fixed += if c == '|' { 2 } else { c.len_utf8() as u64 };
                    rest = &rest[c.len_utf8()..];
                }
            }
        }
        pattern.fixed += 2;
        pattern
    }

    /// Its length, as the answer to a command with an address of `address` octets.
    pub(super) fn length(&self, address: Octets) -> Octets {
        Octets {
            min: self.fixed + self.free.min + self.addresses * address.min,
            max: self.fixed + self.free.max + self.addresses * address.max,
        }
    }

    /// Whether the command's address stands in it.
    pub(super) fn echoes(&self) -> bool {
        self.addresses > 0
    }

    /// The address that a reply of `length` octets repeats, if it repeats one and says nothing
    /// else of its own choice.
    pub(super) fn address(&self, length: Octets) -> Option<Octets> {
        (self.addresses == 1 && self.free.max == 0).then(|| length.less(self.fixed))
    }

    /// Whether the constant parts of its text, behind the code, stand in `text` in this order.
    fn is_said(&self, text: &[u8]) -> bool {
        let words = self.text.get(4..).unwrap_or_default();
        let mut rest = text;
        let constant = words.split(['{', '}']).step_by(2).map(str::trim).filter(|part| !part.is_empty());
        let mut any = false;
        for part in constant {
            let Some(at) = memchr::memmem::find(rest, part.as_bytes()) else { return false };
            rest = &rest[at + part.len()..];
            any |= part.len() > 5;
        }
        any
    }

    /// How many lengths it can have for one address.
    pub(super) fn choices(&self) -> u64 {
        self.free.max - self.free.min + 1
    }
}

/// The servers of the table.
pub(super) fn servers() -> &'static [Server] {
    &SERVERS
}

static SERVERS: LazyLock<Vec<Server>> = LazyLock::new(|| read(include_str!("templates.txt")));

fn read(table: &'static str) -> Vec<Server> {
    let mut servers: Vec<Server> = Vec::new();
    for line in table.lines() {
        let words = line.trim();
        if words.is_empty() || words.starts_with('#') {
            continue;
        }
        if let Some(name) = words.strip_prefix("server ") {
            servers.push(Server { name, replies: std::array::from_fn(|_| Vec::new()) });
        } else if let (Some(server), Some((kind, text))) = (servers.last_mut(), words.split_once(' '))
            && let Some(reply) = kind_of(kind)
        {
            server.replies[reply as usize].push(Pattern::read(text));
        }
    }
    servers
}

fn kind_of(word: &str) -> Option<Reply> {
    KINDS.iter().find(|(name, _)| *name == word).map(|(_, reply)| *reply)
}

/// `4-60`, or `16` for exactly so many.
fn bounds(range: &str) -> Octets {
    let (min, max) = range.split_once('-').unwrap_or((range, range));
    let number = |text: &str| text.parse().unwrap_or(0);
    Octets { min: number(min), max: number(max).max(number(min)) }
}

/// The name of a host, from a short one to the longest that is met.
const HOST: Octets = Octets { min: 4, max: 60 };

const KINDS: [(&str, Reply); 18] = [
    ("banner", Reply::Banner),
    ("prompt-user", Reply::PromptUser),
    ("prompt-password", Reply::PromptPassword),
    ("auth", Reply::Auth),
    ("auth-no", Reply::AuthNo),
    ("mail", Reply::Mail),
    ("mail-no", Reply::MailNo),
    ("rcpt", Reply::Rcpt),
    ("rcpt-no", Reply::RcptNo),
    ("data", Reply::Data),
    ("data-no", Reply::DataNo),
    ("queued", Reply::Queued),
    ("queued-no", Reply::QueuedNo),
    ("chunk", Reply::Chunk),
    ("chunk-no", Reply::ChunkNo),
    ("reset", Reply::Reset),
    ("noop", Reply::Noop),
    ("bye", Reply::Bye),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_server_or_a_reply_of_a_known_kind() {
        for line in include_str!("templates.txt").lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') || line.starts_with("server ") {
                continue;
            }
            let (kind, text) = line.split_once(' ').expect("a kind and a text");
            assert!(kind_of(kind).is_some(), "{kind}");
            assert!(text.starts_with(|c: char| c.is_ascii_digit()), "{text}");
        }
        assert!(servers().len() > 10);
    }

    #[test]
    fn lengths_count_line_ends_and_what_is_put_in() {
        let none = Octets::exactly(0);
        assert_eq!(Pattern::read("235 2.7.0 Accepted").length(none), Octets::exactly(20));
        assert_eq!(Pattern::read("250 <{addr}> ok").length(Octets::exactly(10)), Octets::exactly(21));
        assert_eq!(Pattern::read("250 id={9-12}").length(none), Octets { min: 18, max: 21 });
        assert_eq!(Pattern::read("503-no|503 no").length(none), Octets::exactly(16));
    }
}
