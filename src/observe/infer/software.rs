//! Which program the client is, by how it writes and by its hello.

use super::reading::Reading;
use super::statements::Ground;
use super::templates::{Client, Templates};
use crate::tls::{Extension, ExtensionType, Group};

/// What a client shows of itself outside TLS.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Manner<'a> {
    /// Whether its hello names the server; `None`: there is none.
    pub(super) names: Option<bool>,
    /// The groups that it offers, in its order.
    pub(super) groups: &'a [Group],
    /// The extensions in its hello, in its order.
    pub(super) extensions: &'a [Extension],
    /// Whether it writes EHLO and STARTTLS in small letters; `None`: not seen.
    pub(super) small: Option<[bool; 2]>,
}

impl Manner<'_> {
    /// Whether it offers the groups in an order that the client has of its own.
    fn has_groups_of(&self, client: &Client) -> bool {
        !client.groups.is_empty() && client.groups.iter().copied().eq(self.groups.iter().map(|group| group.0))
    }
}

/// What is believed of the client.
#[derive(Clone, Debug, Default)]
pub(super) struct Clients {
    /// Name, share; in the order of the table. Versions of one program have one name.
    shares: Vec<(&'static str, f64)>,
    /// The share of a program that is not in the table.
    pub(super) unknown: f64,
}

impl Clients {
    /// The share of the nth client of the table.
    pub(super) fn share(&self, n: usize) -> f64 {
        self.shares.get(n).map_or(0.0, |(_, share)| *share)
    }

    /// The likeliest, if it is likely enough to be named.
    pub(super) fn best(&self) -> Option<(&'static str, f64)> {
        let of_name =
            |name| self.shares.iter().filter(|(other, _)| *other == name).map(|(_, share)| share).sum::<f64>();
        let (name, _) = self.shares.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let confidence = of_name(name);
        (confidence >= NAMED).then_some((name, confidence))
    }
}

/// How often a client does what the search asks about, from its hello alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habits {
    /// Commands share a record, where the server offers PIPELINING.
    pub(super) group: f64,
    /// Commands have records of their own and do not wait.
    pub(super) apart: f64,
    /// Messages are sent with BDAT, where the server offers CHUNKING.
    pub(super) chunk: f64,
    /// Octets of the parameters of MAIL: their mean and variance.
    pub(super) parameters: (f64, f64),
}

/// Those of a program of which nothing is known.
impl Default for Habits {
    fn default() -> Habits {
        Habits { group: 0.3, apart: 0.13, chunk: 0.1, parameters: (7.0, 50.0) }
    }
}

/// What is believed of a client by its hello alone.
pub(super) fn by_hello(templates: &Templates, manner: &Manner<'_>) -> Clients {
    Weights::of(templates, manner).shares(templates)
}

/// The habits to expect of it.
pub(super) fn habits(templates: &Templates, clients: &Clients) -> Habits {
    let unknown = Habits::default();
    let mean = |habit: fn(&Client) -> f64, of_unknown: f64| {
        let known =
            templates.clients.iter().enumerate().map(|(n, client)| clients.share(n) * habit(client).clamp(0.02, 0.95));
        known.sum::<f64>() + clients.unknown * of_unknown
    };
    Habits {
        group: mean(|client| client.group, unknown.group),
        apart: mean(|client| client.apart, unknown.apart),
        chunk: mean(|client| client.chunk, unknown.chunk),
        parameters: unknown.parameters,
    }
}

/// How likely a program must be to be named.
const NAMED: f64 = 0.7;

/// How much of a chance programs that are not in the table have.
const UNKNOWN: f64 = 0.12;

/// How much speaks for each client of the table, and for none of them.
#[derive(Clone, Debug)]
struct Weights {
    known: Vec<f64>,
    unknown: f64,
}

impl Weights {
    /// By the hello, and by how the client writes its commands in the clear.
    fn of(templates: &Templates, manner: &Manner<'_>) -> Weights {
        let clients = &templates.clients;
        let whole: f64 = clients.iter().map(|c| c.weight).sum();
        let hello = Hello::of(manner.extensions);
        let of_a_client = clients.iter().any(|client| hello.fits(client) == Fit::InOrder);
        let any_groups = clients.iter().any(|client| manner.has_groups_of(client));
        let weight = |client: &Client| {
            let mut weight = client.weight / whole;
            let fit = hello.fits(client);
            if of_a_client || fit == Fit::Shuffled {
                weight *= match (fit, client.shuffles) {
                    (Fit::InOrder, false) | (Fit::Shuffled, true) => 0.6,
                    (Fit::InOrder, true) | (Fit::Shuffled, false) => 0.05,
                    (Fit::No, _) => 0.01,
                };
            }
            if let (Some(names), Some(usual)) = (manner.names, client.names) {
                weight *= match (names, usual) {
                    (true, true) | (false, false) => 0.95,
                    // Who connects to an address has no name to send.
                    (false, true) => 0.12,
                    (true, false) => 0.05,
                };
            }
            if !manner.groups.is_empty() {
                weight *= match (manner.has_groups_of(client), client.groups.is_empty()) {
                    (true, _) => 0.95,
                    (false, false) => 0.01,
                    (false, true) if any_groups => 0.01,
                    (false, true) => 0.95,
                };
            }
            if let Some(small) = manner.small {
                weight *= if small == client.small { 0.98 } else { 0.01 };
            }
            weight * (1.0 - UNKNOWN)
        };
        // A program that is not known behaves like any of them, without a preference.
        let of_library = if of_a_client { 0.15 } else { 1.0 };
        let of_groups = if any_groups { 0.02 } else { 1.0 };
        let of_case = manner.small.map_or(1.0, |small| if small == [false; 2] { 0.9 } else { 0.05 });
        Weights {
            known: clients.iter().map(weight).collect(),
            unknown: UNKNOWN * 0.3 * of_library * of_groups * of_case,
        }
    }

    fn shares(&self, templates: &Templates) -> Clients {
        let total = self.known.iter().sum::<f64>() + self.unknown;
        let names = templates.clients.iter().map(|client| client.name);
        Clients {
            shares: names.zip(&self.known).map(|(name, weight)| (name, weight / total)).collect(),
            unknown: self.unknown / total,
        }
    }
}

/// Weighs the clients of the table by their hello and by what a reading shows of their ways.
pub(super) fn clients(ground: &Ground<'_>, reading: &Reading) -> Clients {
    let ways = reading.ways;
    let messages = ways.dots_alone + ways.dots_with;
    let mut weights = Weights::of(ground.templates, &ground.manner);
    for (client, weight) in ground.templates.clients.iter().zip(&mut weights.known) {
        if messages > 0 {
            let alone = ways.dots_alone >= ways.dots_with;
            *weight *= if alone == client.dot_alone { 0.96 } else { 0.04 };
            let lines = ways.by_line * 2 > messages;
            *weight *= if lines == client.lines { 0.95 } else { 0.05 };
        }
        if ground.context.offers.pipelining != Some(false) && (ways.grouped || ways.waited || ways.apart) {
            let grouped = client.group.clamp(0.02, 0.98);
            *weight *= if ways.grouped { grouped } else { 1.0 - grouped };
            let apart = client.apart.clamp(0.02, 0.98);
            *weight *= if ways.apart { apart } else { 1.0 - apart };
        }
        let quit = client.quit.clamp(0.03, 0.97);
        *weight *= if reading.quit { quit } else { 1.0 - quit };
        if let Some(block) = ways.block {
            *weight *= match client.writes_in(block) {
                true => 0.9,
                false if client.blocks.is_empty() => 0.3,
                false => 0.05,
            };
        }
    }
    if messages > 0 {
        weights.unknown *= 0.1;
    }
    weights.shares(ground.templates)
}

/// What speaks for a client of the table: a clause.
pub(super) fn reason(ground: &Ground<'_>, reading: &Reading, name: &str) -> Option<String> {
    let of_name = || ground.templates.clients.iter().filter(|client| client.name == name);
    let ways = reading.ways;
    let mut parts = Vec::new();
    let hello = Hello::of(ground.manner.extensions);
    if of_name().any(|client| hello.fits(client) == Fit::InOrder) {
        parts.push("its hello lists the extensions that this program's does, in that order".to_owned());
    }
    if of_name().any(|client| ground.manner.has_groups_of(client)) {
        parts.push("it offers groups in an order that is this program's own".to_owned());
    }
    match ground.manner.small {
        Some([true, starttls]) if of_name().any(|client| client.small == [true, starttls]) => {
            parts.push(format!("it writes `ehlo` in small letters{}", if starttls { ", and `starttls`" } else { "" }));
        }
        _ => {}
    }
    if let Some(block) = ways.block.filter(|block| of_name().any(|client| client.writes_in(*block))) {
        parts.push(format!("it writes long messages in records of {} octets", block.max));
    }
    if ways.dots_alone + ways.dots_with > 0 {
        let alone = ways.dots_alone >= ways.dots_with;
        if of_name().any(|client| client.dot_alone == alone) {
            let how = if alone { "alone" } else { "with the end of the message" };
            parts.push(format!("it sends the final dot line {how}"));
        }
        if ways.by_line > 0 && of_name().any(|client| client.lines) {
            parts.push("each line of the message has a record".to_owned());
        }
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The extensions of a hello that tell the library, in their order.
struct Hello(Vec<u16>);

/// How far a hello is that of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    InOrder,
    /// The same extensions in another order.
    Shuffled,
    No,
}

impl Hello {
    fn of(extensions: &[Extension]) -> Hello {
        let tells = |kind: &ExtensionType| !OF_THE_SESSION.contains(kind) && !kind.is_grease();
        Hello(extensions.iter().map(|extension| extension.kind).filter(tells).map(|kind| kind.0).collect())
    }

    fn fits(&self, client: &Client) -> Fit {
        let tls13 = self.0.contains(&ExtensionType::SUPPORTED_VERSIONS.0);
        let fit = |list: &Vec<u16>| {
            let expected = || list.iter().copied().filter(|kind| tls13 || !OF_TLS13.contains(&ExtensionType(*kind)));
            if expected().eq(self.0.iter().copied()) {
                Fit::InOrder
            } else if expected().count() == self.0.len() && expected().all(|kind| self.0.contains(&kind)) {
                Fit::Shuffled
            } else {
                Fit::No
            }
        };
        let fits = || client.extensions.iter().map(fit);
        fits().find(|fit| *fit == Fit::InOrder).or_else(|| fits().find(|fit| *fit == Fit::Shuffled)).unwrap_or(Fit::No)
    }
}

/// Extensions that are there or not from one session of a client to the next.
const OF_THE_SESSION: &[ExtensionType] = &[
    ExtensionType::SERVER_NAME,
    ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION,
    ExtensionType::PADDING,
    ExtensionType::PRE_SHARED_KEY,
];

/// Extensions that only TLS 1.3 has (RFC 8446 §4.2).
const OF_TLS13: &[ExtensionType] = &[
    ExtensionType::SUPPORTED_VERSIONS,
    ExtensionType::PSK_KEY_EXCHANGE_MODES,
    ExtensionType::POST_HANDSHAKE_AUTH,
    ExtensionType::KEY_SHARE,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Extensions as they stand in a hello; only their kinds tell.
    fn hello(kinds: &[u16]) -> Vec<Extension> {
        kinds.iter().map(|kind| Extension { kind: ExtensionType(*kind), length: 0, data: Vec::new() }).collect()
    }

    fn best(manner: &Manner<'_>) -> Option<&'static str> {
        let templates = Templates::built_in();
        Weights::of(templates, manner).shares(templates).best().map(|(name, _)| name)
    }

    #[test]
    fn a_client_is_told_by_what_its_hello_has_of_its_own() {
        let openssl = hello(&[0, 11, 10, 35, 22, 23, 13, 43, 45, 51, 21]);
        let default = [29, 23, 30, 25, 24].map(Group);
        let postfix = [29, 30, 23, 25, 24].map(Group);
        let manner = Manner { names: Some(false), groups: &postfix, extensions: &openssl, small: None };
        assert_eq!(best(&manner), Some("postfix"));
        // Many programs have the library as it is.
        assert_eq!(best(&Manner { groups: &default, ..manner }), None);
        let small = Some([true, false]);
        assert_eq!(best(&Manner { groups: &default, names: Some(true), small, ..manner }), Some("smtplib"));
        assert_eq!(best(&Manner::default()), None);
    }

    #[test]
    fn what_changes_from_session_to_session_does_not_tell_a_client() {
        let curl = Templates::built_in().clients.iter().find(|client| client.name == "curl").unwrap();
        let fit = |kinds: &[u16]| Hello::of(&hello(kinds)).fits(curl);
        assert_eq!(fit(&[0, 11, 10, 22, 23, 49, 13, 43, 45, 51, 21]), Fit::InOrder);
        assert_eq!(fit(&[11, 10, 16, 22, 23, 49, 13, 43, 45, 51, 41]), Fit::InOrder);
        // Without TLS 1.3.
        assert_eq!(fit(&[0, 11, 10, 22, 23, 13]), Fit::InOrder);
        assert_eq!(fit(&[0, 10, 11, 22, 23, 49, 13, 43, 45, 51]), Fit::Shuffled);
        assert_eq!(fit(&[0, 11, 10, 35, 22, 23, 49, 13, 43, 45, 51]), Fit::No);
        assert_eq!(fit(&[]), Fit::No);
    }
}
