//! Readings that are remembered: who probes a server every minute, or sends one notice to many, says the same in records
//! of the same lengths, and a reading depends on nothing else.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::offers::Offers;
use super::search::{Context, Record};
use super::software::Manner;
use super::statements::Stated;
use crate::limits::{INFER_REMEMBERED, INFER_REMEMBERED_RECORDS};

/// All that a reading depends on, but for the table of templates.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    records: Vec<Record>,
    context: Numbers,
    offers: Offers,
    names: Option<bool>,
    small: Option<[bool; 2]>,
    groups: Vec<u16>,
    extensions: Vec<u16>,
}

/// A context in numbers that can be compared: its chances as their bits.
type Numbers = ([bool; 2], Option<i32>, Vec<u64>);

impl Key {
    pub(super) fn of(records: &[Record], context: &Context, manner: &Manner<'_>) -> Key {
        // What else is in it follows from the hello and the offers, which are in the key.
        let Context { greets, ehlo, offers, ref servers, ended, .. } = *context;
        let servers = servers.iter().map(|factor| factor.to_bits()).collect();
        Key {
            records: records.to_vec(),
            context: ([greets, ended], ehlo, servers),
            offers,
            names: manner.names,
            small: manner.small,
            groups: manner.groups.iter().map(|group| group.0).collect(),
            extensions: manner.extensions.iter().map(|extension| extension.kind.0).collect(),
        }
    }
}

/// What a search came to.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) stated: Stated,
    /// Records that were read.
    pub(super) read: usize,
    /// Whether a limit cut the work short.
    pub(super) limited: bool,
}

thread_local! {
    static REMEMBERED: RefCell<HashMap<Key, Rc<Outcome>>> = RefCell::default();
}

/// What is remembered of a key, or what `search` finds, which is remembered from now on. It must depend on the key alone.
pub(super) fn remembered(key: Key, search: impl FnOnce() -> Outcome) -> Rc<Outcome> {
    if key.records.len() > INFER_REMEMBERED_RECORDS {
        return Rc::new(search());
    }
    if let Some(known) = REMEMBERED.with_borrow(|known| known.get(&key).cloned()) {
        return known;
    }
    let outcome = Rc::new(search());
    REMEMBERED.with_borrow_mut(|known| {
        if known.len() >= INFER_REMEMBERED {
            known.clear();
        }
        known.insert(key, Rc::clone(&outcome));
    });
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::infer::prior::Range;

    fn key(octets: i32) -> Key {
        let records = [Record::one(true, Range::new(octets, octets))];
        Key::of(&records, &Context::default(), &Manner::default())
    }

    #[test]
    fn what_is_remembered_is_of_the_same_lengths_and_no_more_than_the_limit() {
        let outcome = |read| Outcome { stated: Stated::default(), read, limited: false };
        for octets in 0..2 * INFER_REMEMBERED as i32 {
            let found = remembered(key(octets), || outcome(octets as usize));
            assert_eq!(found.read, octets as usize);
            let again = remembered(key(octets), || panic!("it is remembered"));
            assert_eq!(again.read, octets as usize);
            assert!(REMEMBERED.with_borrow(HashMap::len) <= INFER_REMEMBERED);
        }
        let mut other = key(-1);
        other.context.0[0] = true;
        remembered(key(-1), || outcome(1));
        assert_eq!(remembered(other, || outcome(2)).read, 2);
    }
}
