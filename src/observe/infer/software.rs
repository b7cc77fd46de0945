//! Which program the client is, by how it writes and by its hello.

use super::claims::Software;
use super::reading::Reading;
use super::statements::Ground;
use super::templates::Client;
use crate::tls::Group;

/// What a client shows of itself outside TLS.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Manner<'a> {
    /// The fingerprint of its hello.
    pub(super) ja4: Option<&'a str>,
    /// The groups that it offers, in its order.
    pub(super) groups: &'a [Group],
    /// Whether it writes EHLO and STARTTLS in small letters; `None`: not seen.
    pub(super) small: Option<[bool; 2]>,
}

/// What is believed of the client.
#[derive(Clone, Debug, Default)]
pub(super) struct Clients {
    /// Name, share; in the order of the table.
    shares: Vec<(&'static str, f64)>,
    /// The share of a program that is not in the table.
    pub(super) unknown: f64,
}

impl Clients {
    /// The share of the nth client of the table.
    pub(super) fn share(&self, n: usize) -> f64 {
        self.shares.get(n).map_or(0.0, |(_, share)| *share)
    }

    /// The likeliest, if it is more likely than not.
    pub(super) fn best(&self) -> Option<Software> {
        let (name, confidence) = self.shares.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
        (confidence >= 0.5).then(|| Software { name: name.to_owned(), confidence })
    }
}

/// How much of a chance programs that are not in the table have.
const UNKNOWN: f64 = 0.12;

/// Weighs the clients of the table by what a reading shows of their ways.
pub(super) fn clients(ground: &Ground<'_>, reading: &Reading) -> Clients {
    let ways = reading.ways;
    let messages = ways.dots_alone + ways.dots_with;
    let mut weights = Vec::new();
    let whole: f64 = ground.templates.clients.iter().map(|c| c.weight).sum();
    let library = ground.manner.ja4.and_then(|ja4| ja4.rsplit('_').next());
    let names = ground.manner.ja4.and_then(|ja4| ja4.as_bytes().get(3)).map(|letter| *letter == b'd');
    let any_fingerprint =
        library.is_some_and(|library| ground.templates.clients.iter().any(|c| c.tls.contains(&library)));
    let own_groups = |client: &Client| {
        !client.groups.is_empty() && client.groups.iter().copied().eq(ground.manner.groups.iter().map(|group| group.0))
    };
    let any_groups = ground.templates.clients.iter().any(own_groups);
    for client in &ground.templates.clients {
        let mut weight = client.weight / whole;
        if messages > 0 {
            let alone = ways.dots_alone >= ways.dots_with;
            weight *= if alone == client.dot_alone { 0.96 } else { 0.04 };
            let lines = ways.by_line * 2 > messages;
            weight *= if lines == client.lines { 0.95 } else { 0.05 };
        }
        if ground.context.pipelining != Some(false) && (ways.grouped || ways.waited || ways.apart) {
            let grouped = client.group.clamp(0.02, 0.98);
            weight *= if ways.grouped { grouped } else { 1.0 - grouped };
            let apart = client.apart.clamp(0.02, 0.98);
            weight *= if ways.apart { apart } else { 1.0 - apart };
        }
        let quit = client.quit.clamp(0.03, 0.97);
        weight *= if reading.quit { quit } else { 1.0 - quit };
        if let Some(library) = library.filter(|_| any_fingerprint) {
            weight *= match (client.tls.contains(&library), client.tls.is_empty()) {
                (true, _) => 0.6,
                (false, true) => 0.01,
                (false, false) => 0.01,
            };
        }
        if let (Some(names), Some(usual)) = (names, client.names) {
            weight *= if names == usual { 0.95 } else { 0.05 };
        }
        if !ground.manner.groups.is_empty() {
            weight *= match (own_groups(client), client.groups.is_empty()) {
                (true, _) => 0.95,
                (false, false) => 0.01,
                (false, true) if any_groups => 0.01,
                (false, true) => 0.95,
            };
        }
        if let Some(small) = ground.manner.small {
            weight *= if small == client.small { 0.98 } else { 0.01 };
        }
        if let Some(block) = ways.block {
            weight *= match client.blocks.iter().any(|usual| block.contains(*usual)) {
                true => 0.9,
                false if client.blocks.is_empty() => 0.3,
                false => 0.05,
            };
        }
        weights.push((client.name, weight));
    }
    let sum: f64 = weights.iter().map(|(_, w)| w).sum();
    let ja4_unknown = if any_fingerprint { 0.15 } else { 1.0 };
    // A program that is not known behaves like any of them, without a preference.
    let small_unknown = ground.manner.small.map_or(1.0, |small| if small == [false; 2] { 0.9 } else { 0.05 });
    let groups_unknown = if any_groups { 0.02 } else { 1.0 };
    let unknown = UNKNOWN * small_unknown * groups_unknown * ja4_unknown * 0.1f64.powi(i32::from(messages > 0)) * 0.3;
    let total = sum * (1.0 - UNKNOWN) + unknown;
    Clients {
        shares: weights.into_iter().map(|(name, w)| (name, w * (1.0 - UNKNOWN) / total)).collect(),
        unknown: unknown / total,
    }
}
