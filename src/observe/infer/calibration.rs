//! What sizes and order give away without keys: lengths of plaintext, and whether they can be
//! trusted. Reads the record trace and nothing else of what is sealed.

use crate::stream::Direction;
use crate::tls::{Phase, RecordTrace, TraceRecord};

/// Octets of plaintext in a record of TLS 1.3 with `length` octets, for every suite but CCM_8
/// (RFC 8446 §5.2: content, one octet of type, 16 of authentication). `None`: too short for one.
#[must_use]
pub fn if_tls13(length: u16) -> Option<u16> {
    length.checked_sub(17)
}

/// The sealed records that carry the dialogue, as far as their order tells, with their index.
///
/// `server_first` says that the server greets inside TLS, as with SMTP over TLS from the start.
#[must_use]
pub fn dialogue(trace: &RecordTrace, client: Direction, server_first: bool) -> Vec<(usize, &TraceRecord)> {
    let phases = trace.phases(client.reversed(), server_first);
    trace
        .records()
        .iter()
        .enumerate()
        .zip(phases)
        .filter(|((_, record), phase)| record.sealed && *phase == Phase::Application)
        .map(|(indexed, _)| indexed)
        .collect()
}

/// What the repeated EHLO says about the lengths (INFERRED from RFC 3207 §4.2: after STARTTLS the
/// client must greet again, and it greets with the same name).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calibration {
    /// The first sealed words of the client are as long as its EHLO in the clear was: record
    /// lengths tell plaintext lengths, to the octet where the suite allows it.
    Confirmed {
        /// The record's index in the trace.
        record: usize,
        /// Octets of the EHLO line.
        octets: u64,
    },
    /// They are longer or shorter: padding, another greeting, or something that is not SMTP.
    Contradicted {
        /// The record's index in the trace.
        record: usize,
        /// Octets of the EHLO line in the clear.
        expected: u64,
    },
}

/// Compares the EHLO line before STARTTLS, of `clear_octets`, with the client's first sealed words.
#[must_use]
pub fn calibrate(trace: &RecordTrace, client: Direction, clear_octets: u64) -> Option<Calibration> {
    let (record, first) = dialogue(trace, client, false).into_iter().find(|(_, r)| r.direction == client)?;
    if first.after_gap {
        return None;
    }
    let plaintext = trace.plaintext(first)?;
    let fits = (u64::from(plaintext.min)..=u64::from(plaintext.max)).contains(&clear_octets);
    Some(if fits {
        Calibration::Confirmed { record, octets: clear_octets }
    } else {
        Calibration::Contradicted { record, expected: clear_octets }
    })
}
