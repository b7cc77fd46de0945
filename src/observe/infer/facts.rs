//! All that the reading of sealed records may look at.

use super::calibration;
use crate::session::Session;
use crate::smtp;
use crate::stream::Direction;
use crate::tls::{Extension, Group, RecordTrace, Summary, TraceRecord};

/// The record trace and what stands in the clear around it.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Directions, times, types and lengths of the records.
    pub trace: &'a RecordTrace,
    /// Whose records are the client's.
    pub client: Direction,
    /// The dialogue before STARTTLS; `None`: TLS from the first octet.
    pub clear: Option<ClearSide<'a>>,
    /// Octets of the name that the client asked for in its hello.
    pub server_name: Option<&'a [u8]>,
    /// The groups that the client's hello offers for the key exchange, in its order.
    pub groups: &'a [Group],
    /// The extensions of that hello, in its order.
    pub extensions: &'a [Extension],
    /// The server's port.
    pub port: u16,
    /// Octets that the server's and the client's IP addresses have in print.
    pub address_octets: [usize; 2],
    /// Whether octets are missing anywhere in the connection.
    pub gaps: bool,
    /// Whether the connection was captured to its end.
    pub ended: bool,
}

/// What was said before STARTTLS.
#[derive(Clone, Copy, Debug)]
pub struct ClearSide<'a> {
    /// Octets of the EHLO line with its line end.
    pub ehlo: Option<u64>,
    /// Octets of the reply to it.
    pub ehlo_reply: Option<u64>,
    /// The text of the greeting.
    pub banner: Option<&'a [u8]>,
    /// The capabilities offered.
    pub capabilities: &'a [smtp::EhloKeyword],
    /// Whether the client writes EHLO and STARTTLS in small letters; `None`: they were not seen.
    pub small: Option<[bool; 2]>,
}

impl ClearSide<'_> {
    /// Whether a capability stands in the reply to EHLO, in any case.
    #[must_use]
    pub fn offers(&self, keyword: &str) -> bool {
        self.capabilities.iter().any(|c| c.keyword.eq_ignore_ascii_case(keyword.as_bytes()))
    }
}

impl<'a> Facts<'a> {
    /// What is known of a session with TLS.
    #[must_use]
    pub fn of(session: &'a Session, tls: &'a Summary, trace: &'a RecordTrace) -> Facts<'a> {
        let client = session.client();
        let connection = &session.connection;
        let (near, far) = match client {
            Direction::FromOriginator => (connection.originator, connection.responder),
            Direction::FromResponder => (connection.responder, connection.originator),
        };
        let hello = tls.client_hello.as_ref().and_then(|hello| hello.extensions.as_ref());
        let groups = hello.map(|extensions| extensions.supported_groups.as_slice()).unwrap_or_default();
        let extensions = hello.map(|extensions| extensions.all.as_slice()).unwrap_or_default();
        let clear = session.smtp.as_ref().map(|smtp| ClearSide {
            ehlo: smtp.client_name.as_ref().map(|name| name.span.len()),
            ehlo_reply: smtp.ehlo_reply.as_ref().map(|reply| reply.span.len()),
            banner: smtp.greeting.as_ref().map(|greeting| greeting.text.as_slice()),
            capabilities: &smtp.capabilities,
            small: smtp
                .client_name
                .as_ref()
                .filter(|_| smtp.starttls.requested.is_some())
                .map(|name| [name.small, smtp.starttls.small]),
        });
        Facts {
            trace,
            client,
            clear,
            server_name: tls.server_name.as_deref(),
            groups,
            extensions,
            port: far.port,
            address_octets: [far.ip.to_string().len(), near.ip.to_string().len()],
            gaps: tls.gaps || session.missing > 0,
            ended: session.complete,
        }
    }

    /// The sealed records that carry the dialogue, with their index.
    #[must_use]
    pub fn dialogue(&self) -> Vec<(usize, &'a TraceRecord)> {
        calibration::dialogue(self.trace, self.client, self.clear.is_none())
    }
}
