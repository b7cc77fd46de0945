//! What the sizes of the sealed handshake say of the certificates in it.

use super::{Exposure, Value};
use crate::session::TlsSeen;

pub(super) fn exposures(tls: &TlsSeen, out: &mut Vec<Exposure>) {
    let (summary, trace) = (&tls.summary, &tls.trace);
    let span = |index: usize| trace.records().get(index).map(|record| record.span());
    let sides = [("server key", summary.client.reversed()), ("client key", summary.client)];
    for (subject, sender) in sides {
        let Some(found) = trace.sealed_certificate(summary, sender) else { continue };
        let words = format!(
            "{}, by the size of its signature; the certificates with it are {} octets",
            found.key, found.chain_octets
        );
        let value = Value::Fields(vec![
            ("key", Value::Text(found.key.to_string())),
            ("chain_octets", Value::Number(u64::from(found.chain_octets))),
        ]);
        out.push(Exposure::inferred(subject, value, words).at(found.records.into_iter().filter_map(span)));
    }
    if let Some(index) = trace.declined_certificate(summary) {
        let words = "none, though the server asked for one: a message of eight octets before its Finished";
        out.push(Exposure::inferred("client certificate", Value::None, words).at(span(index)));
    }
}
