//! What programs are known to do, for the parameters of MAIL and for their names.

use super::search::Found;
use super::statements::{Told, ToldMessage};
use super::{Octets, Sealed};

/// The client's family, with its probability.
pub(super) fn recognise(_sealed: &Sealed<'_>, _found: &Found, _told: &Told) -> Option<(&'static str, f64)> {
    None
}

/// The sender's length, where the parameters of MAIL can be told.
pub(super) fn sender(
    line: Octets,
    _message: &ToldMessage,
    _client: &Option<(&'static str, f64)>,
    _sealed: &Sealed<'_>,
) -> Option<Octets> {
    let _ = line;
    None
}
