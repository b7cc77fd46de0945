//! From the facts to the search and back: which records are read, and where the reading ends.

use std::rc::Rc;
use std::sync::OnceLock;

use super::claims::Octets;
use super::facts::Facts;
use super::lone;
use super::memory::{self, Key, Outcome};
use super::offers::Offers;
use super::parameters;
use super::prior::{self, Priors, Range};
use super::reading;
use super::reason;
use super::search::{self, Context, Record, Search};
use super::software::{self, Manner};
use super::statements::{self, Ground, Stated};
use super::templates::Templates;
use super::{Inference, Step, if_tls13};
use crate::tls::{Padding, PlaintextLength, TraceRecord};

/// The built-in table with the chances that follow from it.
pub(super) fn built_in() -> (&'static Templates, &'static Priors) {
    static PRIORS: OnceLock<Priors> = OnceLock::new();
    let templates = Templates::built_in();
    (templates, PRIORS.get_or_init(|| Priors::new(templates)))
}

/// Reads the sealed part of a session with some templates.
pub(super) fn infer(facts: &Facts<'_>, templates: &Templates, priors: &Priors) -> Inference {
    let all = facts.dialogue();
    let mut undecided = Vec::new();
    let (kept, cut) = before_gaps(facts, &all, &mut undecided);
    let mut inference = Inference {
        steps: all.iter().map(|(index, record)| step(facts, *index, record)).collect(),
        ..Inference::default()
    };
    let padding = facts.trace.padding();
    if padding != Padding::NotSeen {
        undecided.push(match padding {
            Padding::Proven => "records are padded: lengths are upper bounds".to_owned(),
            _ => "records seem to be padded: lengths are known within a block, and nothing is sure".to_owned(),
        });
    }
    let unknown = kept.iter().any(|(_, record)| record.plaintext.is_none());
    if unknown {
        undecided.push("the cipher suite was not captured, so that lengths of text are not known".to_owned());
    }
    if unknown && all.len() == 1 {
        lone::read(facts, templates, priors, &mut inference.steps);
    }
    if unknown || padding == Padding::Proven {
        inference.undecided = undecided;
        return inference;
    }
    let beyond = facts.trace.beyond(facts.client).records + facts.trace.beyond(facts.client.reversed()).records;
    if beyond > 0 {
        undecided
            .push(format!("the last {beyond} records are counted, but not read: more than are kept of one session"));
    }
    let whole = !cut && beyond == 0;
    let single: Vec<Record> = kept
        .iter()
        .map(|(_, record)| {
            let plaintext = facts.trace.plaintext(record);
            let length = plaintext.map_or(Range::new(0, 0), |p| Range::new(i32::from(p.min), i32::from(p.max)));
            Record::one(record.direction == facts.client, length)
        })
        .collect();
    let merged = search::merged(&single);
    let manner = manner(facts);
    let context = context(facts, templates, Offers::of(facts.clear, &merged), whole);
    let key = Key::of(&merged, &context, &manner);
    let search = || {
        let context = with_client(context, templates, priors, &manner);
        let found = Search::run(templates, priors, &context, &merged);
        let ground = Ground { templates, priors, context: &context, records: &merged, manner };
        Outcome { stated: statements::state(&ground, &found), read: found.read, limited: found.limited }
    };
    let found = if std::ptr::eq(templates, Templates::built_in()) {
        memory::remembered(key, search)
    } else {
        Rc::new(search())
    };
    let mut stated = found.stated.clone();
    if found.limited {
        undecided.push("the session is too long, or fits too many readings, to be read whole".to_owned());
    } else if found.read < merged.len() {
        undecided.push("from some record on nothing that SMTP allows fits the lengths".to_owned());
    }
    let complete = whole && found.read == merged.len() && padding == Padding::NotSeen;
    if !complete {
        cautious(&mut stated);
    }
    let server = stated.server.as_ref();
    let server = server.and_then(|found| templates.servers.iter().find(|server| server.name == found.name));
    let mut place = 0;
    for (record, read) in merged.iter().zip(&stated.steps) {
        for _ in 0..record.count {
            let Some(step) = inference.steps.get_mut(place) else { break };
            if let Some((taken, confidence, rivals)) = read {
                let words = |taken| reading::words(taken, record);
                let reading = words(*taken);
                let (mut sure, mut others) = (*confidence, Vec::<(String, f64)>::new());
                for (rival, weight) in rivals.iter().map(|(taken, weight)| (words(*taken), *weight)) {
                    match others.iter_mut().find(|(known, _)| *known == rival) {
                        // What differs only in how sure an outcome is has the same words.
                        _ if rival == reading => sure += weight,
                        Some((_, sum)) => *sum += weight,
                        None => others.push((rival, weight)),
                    }
                }
                step.reading = Some(reading);
                step.reason = reason::reason(*taken, record, server);
                step.confidence = Some(sure.min(1.0));
                step.rivals = others;
            }
            place += 1;
        }
    }
    // Claims name the records of the search; each stands for one or more of the trace.
    let starts: Vec<usize> = merged
        .iter()
        .scan(0, |at, record| {
            let start = *at;
            *at += record.count as usize;
            Some(start)
        })
        .collect();
    let in_trace = |records: &mut Vec<usize>| {
        for record in records.iter_mut() {
            let place = starts.get(*record).copied().unwrap_or(0);
            *record = kept.get(place).map_or(0, |(index, _)| *index);
        }
        records.sort_unstable();
        records.dedup();
    };
    for message in stated.messages.iter_mut().flatten() {
        in_trace(&mut message.records);
    }
    if let Some(login) = &mut stated.auth {
        in_trace(&mut login.records);
    }
    undecided.append(&mut stated.undecided);
    inference.messages = stated.messages;
    inference.auth = stated.auth;
    inference.quit = stated.quit.filter(|quit| complete || *quit);
    inference.server = stated.server;
    inference.client = stated.client;
    inference.confidence = stated.confidence;
    inference.undecided = undecided;
    inference
}

/// What is said of a session that was not read to its end is said with less confidence, and nothing of it is exact
/// beyond doubt: more may have been said.
fn cautious(stated: &mut Stated) {
    let most = 0.6;
    stated.confidence = stated.confidence.min(most);
    if let Some(messages) = &mut stated.messages {
        for message in messages.iter_mut() {
            message.confidence = message.confidence.min(most);
            message.determined.clear();
            for recipient in message.recipients.iter_mut().flatten() {
                recipient.confidence = recipient.confidence.min(most);
            }
        }
        if let Some(last) = messages.last_mut() {
            last.size = None;
            last.accepted = last.accepted.filter(|accepted| *accepted);
        }
    }
    if let Some(login) = &mut stated.auth {
        login.confidence = login.confidence.min(most);
        login.determined.clear();
    }
}

/// The records before the first that may be missing. A gap shows at the record behind it; what was lost stood
/// somewhere between that and the record before it in the same direction.
fn before_gaps<'a>(
    facts: &Facts<'_>,
    all: &[(usize, &'a TraceRecord)],
    undecided: &mut Vec<String>,
) -> (Vec<(usize, &'a TraceRecord)>, bool) {
    let mut end = all.len();
    let mut seen = false;
    for (place, (_, record)) in all.iter().enumerate() {
        if record.after_gap {
            let before = all[..place].iter().rposition(|(_, other)| other.direction == record.direction);
            end = end.min(before.map_or(0, |before| before + 1));
            seen = true;
        }
    }
    if facts.gaps && !seen {
        // Octets are missing behind the last record of a direction.
        for direction in [facts.client, facts.client.reversed()] {
            let last = all.iter().rposition(|(_, record)| record.direction == direction);
            end = end.min(last.map_or(0, |last| last + 1));
        }
        seen = true;
    }
    if seen {
        undecided.push("octets are missing from the capture: nothing is read across the gap".to_owned());
    }
    (all[..end].to_vec(), seen)
}

fn step(facts: &Facts<'_>, index: usize, record: &TraceRecord) -> Step {
    let between = |plaintext: PlaintextLength| Octets::between(u64::from(plaintext.min), u64::from(plaintext.max));
    let length = facts.trace.plaintext(record).map(between);
    Step {
        record: index,
        span: record.span(),
        direction: record.direction,
        time: record.time,
        plaintext_length: length,
        reading: None,
        reason: None,
        confidence: None,
        rivals: Vec::new(),
        determined: false,
    }
}

/// What is known beforehand, but for what follows from the client's hello and the offers: [`with_client`] adds it.
fn context(facts: &Facts<'_>, templates: &Templates, offers: Offers, whole: bool) -> Context {
    Context {
        greets: facts.clear.is_none(),
        ehlo: facts.clear.and_then(|clear| clear.ehlo).and_then(|octets| i32::try_from(octets).ok()),
        offers,
        servers: servers(facts, templates),
        ended: whole && facts.ended,
        ..Context::default()
    }
}

/// The same with what is to be expected of the client.
fn with_client(context: Context, templates: &Templates, priors: &Priors, manner: &Manner<'_>) -> Context {
    let clients = software::by_hello(templates, manner);
    let parameters = parameters::expected(templates, &context.offers, &clients);
    Context {
        mail: Some(prior::mail(&priors.address, &parameters)),
        habits: software::habits(templates, &clients),
        ..context
    }
}

/// How much the greeting in the clear speaks for each server of the table, and for none of them.
fn servers(facts: &Facts<'_>, templates: &Templates) -> Vec<f64> {
    let mut factors = vec![1.0; templates.servers.len() + 1];
    let Some(banner) = facts.clear.and_then(|clear| clear.banner) else { return factors };
    let banner = banner.to_ascii_lowercase();
    let says = |word: &str| !word.is_empty() && banner.windows(word.len()).any(|part| part == word.as_bytes());
    let named: Vec<bool> =
        templates.servers.iter().map(|server| server.greetings.iter().any(|word| says(word))).collect();
    if named.contains(&true) {
        for (factor, named) in factors.iter_mut().zip(&named) {
            *factor = if *named { 30.0 } else { 0.05 };
        }
        factors[templates.servers.len()] = 0.3;
    } else {
        // Greetings can be changed, but most are not.
        let names_itself = templates.servers.iter().map(|server| !server.greetings.is_empty());
        factors.iter_mut().zip(names_itself).filter(|(_, names)| *names).for_each(|(factor, _)| *factor = 0.2);
    }
    factors
}

/// What the client shows of itself outside TLS.
fn manner<'a>(facts: &Facts<'a>) -> Manner<'a> {
    Manner {
        names: (!facts.extensions.is_empty()).then_some(facts.server_name.is_some()),
        groups: facts.groups,
        extensions: facts.extensions,
        small: facts.clear.and_then(|clear| clear.small),
    }
}

/// Octets of plaintext if the record is of TLS 1.3, for records of which the suite is not known.
pub(super) fn likely_octets(record: &TraceRecord) -> Option<u16> {
    if_tls13(record.length)
}
