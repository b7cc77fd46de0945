//! From the readings that are left to claims with a confidence.

use super::STATED;
use super::addresses::{Sender, recipients_lengths, sender_lengths};
use super::claims::{Login, Message, Octets, Recipient, Software, Transfer};
use super::grammar::{Mechanism, Taken};
use super::prior::{Priors, Range};
use super::reading::{Mail, Rcpt, Reading};
use super::reason;
use super::search::{Context, Found, Record};
use super::software::{self, Manner};
use super::templates::Templates;

/// What a record is, how sure that is, and what else it may be.
pub(super) type Voted = (Taken, f64, Vec<(Taken, f64)>);

/// What the search gives, before it is put on record.
#[derive(Clone, Debug, Default)]
pub(super) struct Stated {
    pub(super) messages: Option<Vec<Message>>,
    pub(super) auth: Option<Login>,
    pub(super) quit: Option<bool>,
    pub(super) server: Option<Software>,
    pub(super) client: Option<Software>,
    pub(super) confidence: f64,
    /// For each record: what it is, how sure that is, and what else it may be.
    pub(super) steps: Vec<Option<Voted>>,
    pub(super) undecided: Vec<String>,
    /// How well the best reading fits: the logarithm of its weight for each record that is not of a message.
    pub(super) sense: f64,
}

/// All that the claims are made of.
pub(super) struct Ground<'a> {
    pub(super) templates: &'a Templates,
    pub(super) priors: &'a Priors,
    pub(super) context: &'a Context,
    pub(super) records: &'a [Record],
    /// What the client shows of itself outside TLS.
    pub(super) manner: Manner<'a>,
}

/// Real sessions lie between -1 and -7; what is below this is another protocol.
const LEAST_SENSE: f64 = -9.0;

/// What rests on a server that is not known is stated with no less than this.
const STATED_OF_UNKNOWN: f64 = 0.93;

/// The same for senders, whose parameters hang on what the server offers and who the client is.
const SENDER_OF_UNKNOWN: f64 = 0.95;

/// Readings that are told; the others weigh next to nothing.
const TOLD: usize = 96;

pub(super) fn state(ground: &Ground<'_>, found: &Found) -> Stated {
    let readings = readings(ground, found);
    let mut stated = Stated::default();
    let Some(best) = readings.first() else { return stated };
    // Records of text are alike in any protocol; the others must fit SMTP.
    let telling = best.taken.iter().filter(|taken| !matches!(taken, Some(Taken::Text) | None)).count().max(4);
    stated.sense = found.paths.first().map_or(0.0, |path| path.score) / telling as f64;
    if ground.context.greets && stated.sense < LEAST_SENSE {
        stated.undecided.push("the lengths do not read as SMTP".to_owned());
        return stated;
    }
    let count = best.mails.len();
    let has_login = best.login.is_some();
    stated.confidence = share(&readings, |r| r.mails.len() == count && r.login.is_some() == has_login);
    let count_share = share(&readings, |r| r.mails.len() == count);
    stated.server = server(ground, &readings);
    let clients = software::clients(ground, best);
    stated.client = clients.best().map(|(name, confidence)| {
        let reason = software::reason(ground, best, name);
        Software { name: name.to_owned(), confidence, reason }
    });
    stated.quit = decide(share(&readings, |r| r.quit));
    if count_share >= 0.5 {
        let alike: Vec<&Reading> = readings.iter().filter(|r| r.mails.len() == count).collect();
        let named = stated.server.as_ref().filter(|server| server.confidence >= STATED);
        let offering = named.and_then(|named| ground.templates.servers.iter().find(|server| server.name == named.name));
        let (recipients, notified) = recipients_lengths(ground, best, &clients, offering);
        let senders = sender_lengths(ground, best, &clients, offering, notified);
        let is_interval = ground.records.iter().any(|record| record.count == 1 && record.length.width() > 1);
        let greeted = ground.context.servers.iter().any(|factor| *factor > 1.0);
        let is_known = |readings: &[&Reading]| {
            let known = |reading: &&Reading| {
                ground.templates.servers.get(usize::from(reading.server)).is_some_and(|server| server.recorded)
            };
            (greeted || !is_interval) && readings.first().is_some_and(known)
        };
        stated.messages = Some(
            (0..count)
                .map(|i| message(i, &alike, count_share, &senders, &recipients, &is_known, &mut stated.undecided))
                .collect(),
        );
    } else {
        stated.undecided.push("how many messages there are cannot be told: several readings fit".to_owned());
    }
    stated.auth = login(&readings);
    stated.steps = steps(&readings, ground.records.len());
    stated
}

fn readings(ground: &Ground<'_>, found: &Found) -> Vec<Reading> {
    let Some(first) = found.paths.first() else { return Vec::new() };
    let top = first.score;
    let mut readings: Vec<Reading> = found
        .paths
        .iter()
        .take(TOLD)
        .map(|path| {
            let mut reading = Reading::of(found, path, ground.records);
            reading.share = (path.score - top).exp();
            reading
        })
        .collect();
    let whole: f64 = readings.iter().map(|r| r.share).sum();
    for reading in &mut readings {
        reading.share /= whole;
    }
    readings
}

/// The share of the readings for which something holds.
fn share(readings: &[Reading], holds: impl Fn(&Reading) -> bool) -> f64 {
    readings.iter().filter(|r| holds(r)).map(|r| r.share).sum()
}

fn decide(yes: f64) -> Option<bool> {
    if yes >= STATED {
        Some(true)
    } else if yes <= 1.0 - STATED {
        Some(false)
    } else {
        None
    }
}

/// The value that most of the readings agree on, with their share.
fn vote<T: PartialEq + Copy>(readings: &[&Reading], value: impl Fn(&Reading) -> T) -> Option<(T, f64)> {
    let mut votes: Vec<(T, f64)> = Vec::new();
    for reading in readings {
        let value = value(reading);
        match votes.iter_mut().find(|(known, _)| *known == value) {
            Some((_, weight)) => *weight += reading.share,
            None => votes.push((value, reading.share)),
        }
    }
    let whole: f64 = votes.iter().map(|(_, weight)| weight).sum();
    votes.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(value, weight)| (value, weight / whole))
}

fn message(
    i: usize,
    alike: &[&Reading],
    count_share: f64,
    senders: &[Option<Sender>],
    lengths: &[Vec<Option<(Octets, f64)>>],
    is_known: &dyn Fn(&[&Reading]) -> bool,
    undecided: &mut Vec<String>,
) -> Message {
    let mut sure = count_share;
    let needed = if is_known(alike) { STATED } else { STATED_OF_UNKNOWN };
    let mut claim = |agreed: f64| {
        let stands = agreed * count_share >= needed;
        if stands {
            sure = sure.min(agreed * count_share);
        }
        stands
    };
    let mail = |reading: &Reading| reading.mails.get(i).cloned().unwrap_or_default();
    let best = alike.first().map(|r| mail(r)).unwrap_or_default();
    let mut message = Message {
        sender_length: None,
        sender_reason: None,
        recipients: None,
        transfer: None,
        size: None,
        accepted: None,
        confidence: 0.0,
        determined: Vec::new(),
        records: best.records.iter().map(|r| *r as usize).collect(),
    };
    let (number, agreed) = vote(alike, |r| r.mails.get(i).map(|m| m.recipients.len())).unwrap_or((None, 0.0));
    // Of a server that is not known, or known by intervals alone, refusals may have any length, so that a sum of them tells
    // no number.
    let any_sum =
        !is_known(alike) && best.recipients.iter().any(|rcpt| rcpt.after.is_none() && rcpt.accepted != Some(true));
    if let Some(number) = number.filter(|_| !any_sum && claim(agreed)) {
        let same: Vec<&Reading> =
            alike.iter().copied().filter(|r| r.mails.get(i).is_some_and(|m| m.recipients.len() == number)).collect();
        message.recipients = Some(
            (0..number)
                .map(|k| {
                    let rcpt =
                        |r: &Reading| r.mails.get(i).and_then(|m| m.recipients.get(k).copied()).unwrap_or_default();
                    let (accepted, surety) = outcome(&same, &rcpt);
                    let length = (number == best.recipients.len())
                        .then(|| lengths.get(i).and_then(|l| l.get(k)).copied().flatten())
                        .flatten();
                    let (_, alike_length) = vote(&same, |r| rcpt(r).after).unwrap_or((None, 0.0));
                    let mut confidence = agreed * count_share;
                    let accepted = accepted.filter(|_| surety * confidence >= needed);
                    if accepted.is_some() {
                        confidence *= surety;
                    }
                    let address_length =
                        length.filter(|(_, s)| s * alike_length * confidence >= needed).map(|(octets, _)| octets);
                    if let (Some(_), Some((_, s))) = (address_length, length) {
                        confidence = confidence.min(agreed * count_share * s * alike_length);
                    }
                    Recipient { address_length, accepted, confidence }
                })
                .collect(),
        );
    } else {
        let shared = best.recipients.iter().any(|rcpt| rcpt.after.is_none());
        let why = if shared {
            "commands share a record, and several numbers of recipients fit"
        } else {
            "several readings fit, with other numbers of recipients"
        };
        undecided.push(format!("message {}: {why}", i + 1));
    }
    if let Some(Sender { octets, surety, reason }) = senders.get(i).cloned().flatten() {
        let (_, agreed) = vote(alike, |r| r.mails.get(i).and_then(|m| m.after_mail)).unwrap_or((None, 0.0));
        let is_sure = is_known(alike) || agreed * surety * count_share >= SENDER_OF_UNKNOWN;
        if is_sure && claim(agreed * surety) {
            message.sender_length = Some(octets);
            message.sender_reason = reason;
        }
    }
    let (transfer, agreed) = vote(alike, |r| r.mails.get(i).and_then(|m| m.bdat)).unwrap_or((None, 0.0));
    if let Some(bdat) = transfer.filter(|_| claim(agreed)) {
        message.transfer = Some(if bdat { Transfer::Bdat } else { Transfer::Data });
    }
    size(i, alike, &mut message, &mut claim);
    let (accepted, agreed) = vote(alike, |r| r.mails.get(i).and_then(|m| m.accepted)).unwrap_or((None, 0.0));
    if accepted.is_some() && claim(agreed) {
        message.accepted = accepted;
    }
    let sent = vote(alike, |r| r.mails.get(i).and_then(|m| m.bdat).is_some());
    if message.accepted == Some(false) && sent.is_some_and(|(sent, agreed)| !sent && agreed >= STATED) {
        message.size = Some(Octets::exactly(0));
    }
    message.confidence = sure;
    message
}

/// Whether a recipient was taken, and how sure that is.
fn outcome(readings: &[&Reading], rcpt: &impl Fn(&Reading) -> Rcpt) -> (Option<bool>, f64) {
    let [mut yes, mut no, mut whole] = [0.0, 0.0, 0.0];
    for reading in readings {
        let rcpt = rcpt(reading);
        whole += reading.share;
        match rcpt.accepted {
            Some(true) => {
                yes += reading.share * rcpt.surety;
                no += reading.share * (1.0 - rcpt.surety);
            }
            Some(false) => {
                no += reading.share * rcpt.surety;
                yes += reading.share * (1.0 - rcpt.surety);
            }
            None => {}
        }
    }
    if yes >= no { (Some(true), yes / whole) } else { (Some(false), no / whole) }
}

/// The message's size: the octets between 354 and the reply, less the dot line, and less QUIT where it shares the
/// last record. Where that cannot be told, both.
fn size(i: usize, alike: &[&Reading], message: &mut Message, claim: &mut impl FnMut(f64) -> bool) {
    let bounds = |reading: &Reading| reading.mails.get(i).and_then(octets_of);
    let sizes: Vec<(Octets, f64)> = alike.iter().filter_map(|r| bounds(r).map(|b| (b, r.share))).collect();
    let whole: f64 = alike.iter().map(|r| r.share).sum();
    let known: f64 = sizes.iter().map(|(_, weight)| weight).sum();
    let Some((best, _)) = sizes.first().copied() else { return };
    let agreed: f64 = sizes.iter().filter(|(b, _)| *b == best).map(|(_, weight)| weight).sum();
    if agreed / whole >= 0.95 {
        if claim(agreed / whole) {
            message.size = Some(best);
        }
        return;
    }
    let near: Vec<&(Octets, f64)> = sizes.iter().filter(|(b, _)| b.min.abs_diff(best.min) <= 16).collect();
    let weight: f64 = near.iter().map(|(_, weight)| weight).sum();
    if known > 0.0 && claim(weight / whole) {
        let min = near.iter().map(|(b, _)| b.min).min().unwrap_or(best.min);
        let max = near.iter().map(|(b, _)| b.max).max().unwrap_or(best.max);
        message.size = Some(Octets::between(min, max));
    }
}

/// Octets of a message's text, where its records hold nothing else than its end and QUIT.
pub(super) fn octets_of(mail: &Mail) -> Option<Octets> {
    let bdat = mail.bdat?;
    if mail.shared || mail.pieces == 0 {
        return None;
    }
    let rest = if mail.quit_inside { 6 } else { 0 };
    let octets = |n: i32| u64::try_from(n.max(0)).unwrap_or(0);
    if bdat {
        // `BDAT ` and the size, perhaps ` LAST`, and the line end, in front of every chunk.
        let before = |n: i32| 7 + digits(n);
        let more = (mail.chunks - 1).max(0);
        let max = mail.text.max - rest - before(mail.text.max - 12) - more * before(1);
        let min = mail.text.min - rest - before(mail.text.min) - 5 - more * (before(mail.text.min) + 5);
        return Some(Octets::between(octets(min), octets(max)));
    }
    // A last record of hardly more than the dot line holds nothing else, but perhaps the line end before it.
    let dot_alone = mail.pieces > 1 && mail.last.contains(3) && mail.last.max < 16 && !mail.quit_inside;
    if dot_alone && mail.accepted.is_some() {
        let line_end = if mail.last.width() > 1 { 2 } else { 0 };
        let (min, max) = (mail.text.min - mail.last.min, mail.text.max - mail.last.max + line_end);
        return Some(Octets::between(octets(min), octets(max)));
    }
    // Where no answer follows, the final dot line may not have been sent.
    let dot = if mail.accepted.is_some() { 3 } else { 0 };
    Some(Octets::between(octets(mail.text.min - 3 - rest), octets(mail.text.max - dot - rest)))
}

fn digits(n: i32) -> i32 {
    n.max(1).ilog10() as i32 + 1
}

fn server(ground: &Ground<'_>, readings: &[Reading]) -> Option<Software> {
    let all: Vec<&Reading> = readings.iter().collect();
    let (server, confidence) = vote(&all, |r| r.server)?;
    let known = ground.templates.servers.get(usize::from(server))?;
    let best = readings.first().filter(|best| best.server == server)?;
    let reason = reason::of_server(known, &best.taken, ground.records);
    (confidence >= 0.5).then(|| Software { name: known.name.to_owned(), confidence, reason })
}

fn login(readings: &[Reading]) -> Option<Login> {
    let present = share(readings, |r| r.login.is_some());
    let with: Vec<&Reading> = readings.iter().filter(|r| r.login.is_some()).collect();
    let best = with.first()?.login.clone()?;
    if present < 0.5 {
        return None;
    }
    let mut sure = present;
    let (mechanism, agreed) = vote(&with, |r| r.login.as_ref().map(|l| l.mechanism))?;
    let mechanism = mechanism.filter(|_| agreed * present >= STATED);
    let mut login = Login {
        mechanism: None,
        succeeded: None,
        username_length: None,
        password_length: None,
        credential_length: None,
        reason: None,
        confidence: present,
        determined: Vec::new(),
        records: best.records.iter().map(|r| *r as usize).collect(),
    };
    if let Some(mechanism) = mechanism {
        login.mechanism = Some(mechanism.name());
        sure = sure.min(agreed * present);
        lengths(mechanism, &best.lines, &mut login);
    } else {
        let (name, agreed) = vote(&with, |r| r.login.as_ref().map(|l| l.mechanism.name()))?;
        if agreed * present >= STATED {
            login.mechanism = name;
            sure = sure.min(agreed * present);
        }
    }
    let (succeeded, agreed) = vote(&with, |r| r.login.as_ref().and_then(|l| l.succeeded))?;
    if succeeded.is_some() && agreed * present >= STATED {
        login.succeeded = succeeded;
        sure = sure.min(agreed * present);
    }
    login.confidence = sure;
    Some(login)
}

/// What the lengths of base64 lines leave of user name and password (RFC 4616, RFC 4954): n octets make 4⌈n/3⌉.
fn lengths(mechanism: Mechanism, lines: &[Range], login: &mut Login) {
    let text = |line: usize, before: i32| -> Option<Octets> {
        let groups = lines.get(line)?.base64(before)?;
        let octets = |n: i32| u64::try_from(n.max(0)).unwrap_or(0);
        Some(Octets::between(octets(3 * groups.min - 2), octets(3 * groups.max)))
    };
    // PLAIN has two NUL octets among them.
    let credentials = |octets: Octets| Octets::between(octets.min.saturating_sub(2), octets.max.saturating_sub(2));
    match mechanism {
        Mechanism::PlainInitial => login.credential_length = text(0, 13).map(credentials),
        Mechanism::Plain => login.credential_length = text(1, 2).map(credentials),
        Mechanism::Login => {
            login.username_length = text(1, 2);
            login.password_length = text(2, 2);
        }
        Mechanism::LoginInitial => {
            login.username_length = text(0, 13);
            login.password_length = text(1, 2);
        }
        // The answer is the user name, a space and 32 hexadecimal digits (RFC 2195).
        Mechanism::CramMd5 => {
            login.username_length =
                text(1, 2).map(|octets| Octets::between(octets.min.saturating_sub(33), octets.max.saturating_sub(33)));
        }
        _ => return,
    }
    let less = match mechanism {
        Mechanism::PlainInitial | Mechanism::Plain => {
            ", of which PLAIN takes two for the zeros between its parts (RFC 4616)"
        }
        Mechanism::CramMd5 => ", of which CRAM-MD5 takes 33 for its digest (RFC 2195)",
        _ => "",
    };
    login.reason = Some(format!("base64 has four characters for each one to three octets (RFC 4648 §4){less}"));
}

fn steps(readings: &[Reading], records: usize) -> Vec<Option<Voted>> {
    (0..records)
        .map(|record| {
            let mut votes: Vec<(Taken, f64)> = Vec::new();
            for reading in readings {
                let Some(taken) = reading.taken.get(record).copied().flatten() else { continue };
                match votes.iter_mut().find(|(known, _)| *known == taken) {
                    Some((_, weight)) => *weight += reading.share,
                    None => votes.push((taken, reading.share)),
                }
            }
            let chosen = readings.first().and_then(|r| r.taken.get(record).copied().flatten())?;
            let weight = votes.iter().find(|(taken, _)| *taken == chosen).map_or(0.0, |(_, w)| *w);
            votes.retain(|(taken, weight)| *taken != chosen && *weight >= 0.01);
            votes.sort_by(|a, b| b.1.total_cmp(&a.1));
            votes.truncate(3);
            Some((chosen, weight, votes))
        })
        .collect()
}
