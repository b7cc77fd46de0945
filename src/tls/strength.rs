//! What an agreed protection is worth later: for the holder of a key that was kept, and for
//! somebody who recorded the conversation and waits for a quantum computer.

use std::fmt;

use super::registry::SuiteClass;
use super::summary::Summary;

/// Who could read the recorded records later, by the way the keys were agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ForwardSecrecy {
    /// Fresh keys on both sides, thrown away afterwards: nobody, whatever long-term key gets out
    /// (RFC 9325 §7.3).
    Ephemeral,
    /// Keys of an earlier session, or of this one, are in a ticket that passed in the clear, sealed
    /// with a key of the server's (TLS up to 1.2: RFC 5077 §4): the holder of that ticket key.
    TicketKey,
    /// A pre-shared key alone (RFC 8446 §4.2.9 psk_ke, RFC 4279): its holder, or the holder of the
    /// server's ticket key where it came from a ticket.
    PreSharedKey,
    /// The server's long-term key opens the key exchange (RSA key transport, static DH:
    /// RFC 9325 §4.1): its holder.
    ServerKey,
    /// Records are not encrypted: anybody.
    Unsealed,
}

impl ForwardSecrecy {
    /// Whether what was recorded stays sealed when the server's private key becomes known, the one
    /// of its certificate. A ticket key is another one, and usually does not live as long.
    #[must_use]
    pub fn is_forward_secret(self) -> bool {
        matches!(self, ForwardSecrecy::Ephemeral | ForwardSecrecy::TicketKey)
    }

    /// Who could read it later, in words that follow "can be read later by".
    #[must_use]
    pub fn reader(self) -> &'static str {
        match self {
            ForwardSecrecy::Ephemeral => "nobody: the keys were made fresh and are gone",
            ForwardSecrecy::TicketKey => "the holder of the server's ticket key: the session ticket has the keys in it",
            ForwardSecrecy::PreSharedKey => "the holder of the pre-shared key: no fresh key was mixed in",
            ForwardSecrecy::ServerKey => "the holder of the server's private key: it opens the key exchange",
            ForwardSecrecy::Unsealed => "anybody: the suite does not encrypt",
        }
    }

    /// Where that is written down.
    #[must_use]
    pub fn source(self) -> &'static str {
        match self {
            ForwardSecrecy::Ephemeral => "RFC 9325 section 7.3; RFC 8446 section 1.2",
            ForwardSecrecy::TicketKey => "RFC 5077 section 5.5; RFC 9325 section 7.3",
            ForwardSecrecy::PreSharedKey => "RFC 8446 section 2.2 and appendix E.1; RFC 4279 section 7",
            ForwardSecrecy::ServerKey => "RFC 9325 section 4.1",
            ForwardSecrecy::Unsealed => "RFC 9325 section 4.1",
        }
    }
}

impl fmt::Display for ForwardSecrecy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reader())
    }
}

impl Summary {
    /// Who could read the records later. `None` where the ServerHello was not seen, or the suite is
    /// not known.
    #[must_use]
    pub fn forward_secrecy(&self) -> Option<ForwardSecrecy> {
        let suite = self.cipher_suite?;
        if matches!(suite.class(), Some(SuiteClass::Null { .. })) {
            return Some(ForwardSecrecy::Unsealed);
        }
        if self.is_tls13() {
            return match (self.group, self.resumed) {
                (Some(_), _) => Some(ForwardSecrecy::Ephemeral),
                (None, Some(true)) => Some(ForwardSecrecy::PreSharedKey),
                (None, _) => None,
            };
        }
        let fresh = suite.forward_secrecy()?;
        if !fresh {
            let shared = suite.name().is_some_and(|name| name.starts_with("TLS_PSK_"));
            return Some(if shared { ForwardSecrecy::PreSharedKey } else { ForwardSecrecy::ServerKey });
        }
        let offered_ticket = self.client_hello.as_ref().and_then(|hello| hello.extensions.as_ref()?.session_ticket);
        let by_ticket = self.resumed == Some(true) && offered_ticket.is_some_and(|length| length > 0);
        let ticket = by_ticket || self.ticket_lifetime.is_some();
        Some(if ticket { ForwardSecrecy::TicketKey } else { ForwardSecrecy::Ephemeral })
    }

    /// Whether the key exchange withstands a quantum computer: what was recorded now could
    /// otherwise be read once there is one. `None` where that is not known: no ServerHello was
    /// seen, or the keys come from an earlier session alone.
    #[must_use]
    pub fn is_post_quantum(&self) -> Option<bool> {
        self.cipher_suite?;
        match self.group {
            Some(group) => Some(group.is_post_quantum()),
            None if self.is_tls13() => None,
            None => Some(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::{CipherSuite, Group, ProtocolVersion};
    use super::*;
    use crate::stream::Direction;

    fn agreed(version: ProtocolVersion, suite: u16, group: Option<Group>) -> Summary {
        let mut summary = Summary::new(Direction::FromOriginator);
        (summary.version, summary.cipher_suite, summary.group) = (Some(version), Some(CipherSuite(suite)), group);
        summary
    }

    #[test]
    fn who_could_read_later_follows_from_the_key_exchange() {
        let (tls12, tls13) = (ProtocolVersion::TLS12, ProtocolVersion::TLS13);
        let of = |summary: &Summary| summary.forward_secrecy();
        assert_eq!(of(&Summary::new(Direction::FromOriginator)), None);
        assert_eq!(of(&agreed(tls13, 0x1301, Some(Group::X25519))), Some(ForwardSecrecy::Ephemeral));
        let mut alone = agreed(tls13, 0x1301, None);
        assert_eq!(of(&alone), None);
        alone.resumed = Some(true);
        assert_eq!(of(&alone), Some(ForwardSecrecy::PreSharedKey));
        assert_eq!(alone.is_post_quantum(), None);
        assert_eq!(of(&agreed(tls12, 0x009c, None)), Some(ForwardSecrecy::ServerKey));
        assert_eq!(of(&agreed(tls12, 0x0002, None)), Some(ForwardSecrecy::Unsealed));
        assert_eq!(of(&agreed(tls12, 0x00a8, None)), Some(ForwardSecrecy::PreSharedKey));
        let mut fresh = agreed(tls12, 0xc02f, Some(Group::X25519));
        assert_eq!(of(&fresh), Some(ForwardSecrecy::Ephemeral));
        fresh.ticket_lifetime = Some(7200);
        assert_eq!(of(&fresh), Some(ForwardSecrecy::TicketKey));
    }

    #[test]
    fn only_groups_with_a_lattice_inside_withstand_a_quantum_computer() {
        let of = |group| agreed(ProtocolVersion::TLS13, 0x1301, Some(group)).is_post_quantum();
        assert_eq!(of(Group::X25519MLKEM768), Some(true));
        assert_eq!(of(Group::SECP384R1MLKEM1024), Some(true));
        assert_eq!(of(Group::X25519), Some(false));
        assert_eq!(agreed(ProtocolVersion::TLS12, 0x009c, None).is_post_quantum(), Some(false));
    }
}
