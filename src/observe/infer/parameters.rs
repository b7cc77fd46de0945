//! What follows the address of MAIL: parameters that the client has a habit of, as far as the server offers them.

use super::offers::Offers;
use super::software::Clients;
use super::templates::{Parameter, Server, Templates};

/// Sets of parameters of MAIL with how often they are to be expected. `offering`: the server, where it is known well enough to
/// tell what it offers; `notified`: how likely it is that notifications are asked for.
pub(super) fn sets(
    templates: &Templates,
    offers: &Offers,
    offering: Option<&Server>,
    clients: &Clients,
    notified: f64,
) -> Vec<(Vec<Parameter>, f64)> {
    let offered = |parameter: &Parameter| offered(offers, offering, *parameter);
    let mut sets: Vec<(Vec<Parameter>, f64)> = Vec::new();
    for (n, client) in templates.clients.iter().enumerate() {
        let whole: f64 = client.parameters.iter().map(|(_, share)| share).sum();
        for (set, share) in &client.parameters {
            let share = clients.share(n) * share / whole.max(1e-9);
            said(set, share, &offered, client.unoffered, &mut sets);
        }
    }
    for (set, share) in [
        (vec![], 0.5),
        (vec![Parameter::Size], 0.28),
        (vec![Parameter::Body], 0.1),
        (vec![Parameter::Size, Parameter::Body], 0.09),
        (vec![Parameter::Utf8], 0.01),
        (vec![Parameter::Body, Parameter::Utf8], 0.02),
    ] {
        said(&set, clients.unknown * share, &offered, UNOFFERED, &mut sets);
    }
    // Who asks for notifications of recipients may say so of the envelope too (RFC 3461).
    let notified = 0.7 * notified * offered(&Parameter::Ret);
    let with_dsn: Vec<(Vec<Parameter>, f64)> = sets
        .iter()
        .flat_map(|(set, share)| {
            [
                (vec![Parameter::Ret], 0.35),
                (vec![Parameter::Envid], 0.3),
                (vec![Parameter::Ret, Parameter::Envid], 0.35),
            ]
            .map(|(more, part)| (set.iter().copied().chain(more).collect(), share * part * notified))
        })
        .collect();
    sets.iter_mut().for_each(|(_, share)| *share *= 1.0 - notified);
    sets.extend(with_dsn);
    sets
}

/// The chance that the server offers a parameter: seen in the clear, or known of the server, or as most do.
fn offered(offers: &Offers, server: Option<&Server>, parameter: Parameter) -> f64 {
    let (seen, of_most) = match parameter {
        Parameter::Ret | Parameter::Envid => (offers.dsn, 1.0),
        Parameter::Size | Parameter::SizeAbove => (offers.size, 0.85),
        Parameter::Body => (offers.eight_bit, 0.9),
        Parameter::Utf8 => (offers.utf8, 0.6),
        Parameter::Auth => (offers.auth, 1.0),
    };
    match (seen, server) {
        (Some(seen), _) => f64::from(u8::from(seen)),
        (None, Some(server)) if server.may_lack.contains(&parameter) => of_most,
        (None, Some(server)) => f64::from(u8::from(!server.lacks.contains(&parameter))),
        (None, None) => of_most,
    }
}

/// The sets that are left of one when what is not offered is left out: but for those parameters that users and not programs
/// ask for, which a few programs say to any server.
fn said(
    set: &[Parameter],
    share: f64,
    offered: &impl Fn(&Parameter) -> f64,
    unoffered: f64,
    sets: &mut Vec<(Vec<Parameter>, f64)>,
) {
    let mut ways = vec![(Vec::new(), share)];
    for parameter in set {
        let chance = offered(parameter);
        let anyway = if matches!(parameter, Parameter::Body | Parameter::Utf8) { unoffered } else { 0.0 };
        let chance = chance + (1.0 - chance) * anyway;
        let with = |(kept, share): &(Vec<Parameter>, f64)| {
            let more: Vec<Parameter> = kept.iter().copied().chain([*parameter]).collect();
            [(more, share * chance), (kept.clone(), share * (1.0 - chance))]
        };
        ways = ways.iter().flat_map(with).filter(|(_, share)| *share > 0.0).collect();
    }
    for (set, share) in ways {
        add(sets, set, share);
    }
}

/// Adds to the weight of what is there, or puts it there.
pub(super) fn add<T: PartialEq>(all: &mut Vec<(T, f64)>, what: T, share: f64) {
    match all.iter_mut().find(|(known, _)| *known == what) {
        Some((_, weight)) => *weight += share,
        None => all.push((what, share)),
    }
}

/// How often a client that is not known says a parameter though it is not offered, where its user asks for it.
const UNOFFERED: f64 = 0.1;

/// Octets that parameters take, where more is not told apart.
const LONGEST: usize = 96;

/// The chance of each number of octets that parameters of MAIL take, when nothing is known of the message.
pub(super) fn expected(templates: &Templates, offers: &Offers, clients: &Clients) -> Vec<f64> {
    octets(&sets(templates, offers, None, clients, NOTIFIED))
}

/// How often notifications are asked for.
const NOTIFIED: f64 = 0.04;

/// The chance of each number of octets that some sets take, the size of the message not being known.
fn octets(sets: &[(Vec<Parameter>, f64)]) -> Vec<f64> {
    let mut chances = vec![0.0; LONGEST];
    for (set, share) in sets {
        let (low, high) =
            set.iter().map(|parameter| bounds(*parameter)).fold((0, 0), |sum, (low, high)| (sum.0 + low, sum.1 + high));
        for slot in (low..=high).filter_map(|octets| usize::try_from(octets).ok()) {
            if let Some(chance) = chances.get_mut(slot) {
                *chance += share / f64::from(high - low + 1);
            }
        }
    }
    chances
}

/// The least and the most octets that a parameter takes, the size of the message not being known.
pub(super) fn bounds(parameter: Parameter) -> (i32, i32) {
    match parameter {
        // Three to six digits.
        Parameter::Size => (9, 12),
        Parameter::SizeAbove => (10, 12),
        Parameter::Body => (14, 14),
        Parameter::Utf8 | Parameter::Ret => (9, 9),
        // ` AUTH=` and an address.
        Parameter::Auth => (18, 45),
        // ` ENVID=` and what the client calls the envelope.
        Parameter::Envid => (11, 30),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::infer::software::{Manner, by_hello};
    use crate::tls::{Extension, ExtensionType};

    #[test]
    fn parameters_take_what_the_programs_that_have_this_hello_say_and_the_server_offers() {
        let templates = Templates::built_in();
        let curl = [11, 10, 22, 23, 49, 13, 43, 45, 51].map(|kind| Extension {
            kind: ExtensionType(kind),
            length: 0,
            data: Vec::new(),
        });
        let manner = Manner { names: Some(true), extensions: &curl, ..Manner::default() };
        let clients = by_hello(templates, &manner);
        let chances = |size| expected(templates, &Offers { size, ..Offers::default() }, &clients);
        let sized = |chances: &[f64]| chances[9..=12].iter().sum::<f64>();
        let all: f64 = chances(None).iter().sum();
        assert!((0.95..=1.001).contains(&all), "{all}");
        assert!(sized(&chances(Some(true))) > 0.7, "{:?}", chances(Some(true)));
        assert!(sized(&chances(Some(false))) < 0.1 && chances(Some(false))[0] > 0.7, "{:?}", chances(Some(false)));
    }

    #[test]
    fn octets_of_a_set_are_those_of_its_parameters_together() {
        let sets = [(vec![Parameter::Body, Parameter::Utf8], 0.5), (vec![Parameter::Size], 0.4), (vec![], 0.1)];
        let chances = octets(&sets);
        assert_eq!((chances[23], chances[0]), (0.5, 0.1));
        assert!(chances[9..=12].iter().all(|chance| (chance - 0.1).abs() < 1e-9));
        let most = octets(&[(vec![Parameter::Auth, Parameter::Ret, Parameter::Envid, Parameter::Body], 1.0)]);
        assert_eq!(most.len(), LONGEST);
    }
}
