//! Why decoding ended before the packet did.

use super::LayerKind;
use std::fmt;

/// Where and why decoding ended early. Prints as a sentence without its full stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stop {
    /// The header that could not be decoded, or not wholly.
    pub layer: LayerKind,
    /// Its first octet in [`Frame::bytes`](super::Frame::bytes).
    pub at: u32,
    /// Why.
    pub reason: StopReason,
}

/// Why decoding ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum StopReason {
    /// The capture ends before the header does.
    Cut {
        /// Octets of the header.
        needed: u32,
        /// Octets of it that were captured.
        captured: u32,
    },
    /// The length that an outer header states ends before the header does, whatever was captured.
    NoRoom {
        /// Octets of the header.
        needed: u32,
        /// Octets that the outer length leaves for it.
        left: u32,
    },
    /// A length field is smaller than it can be.
    Length {
        /// What it states, in octets.
        stated: u32,
        /// The least it can be, in octets.
        least: u32,
    },
    /// The version field has a value that belongs to another protocol.
    Version(u8),
    /// More headers in each other than [`limits::LAYERS`](crate::limits::LAYERS).
    TooDeep,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layer = Header(self.layer);
        match self.reason {
            StopReason::Cut { needed, captured } => {
                write!(f, "{layer} cut: {} needed, {captured} captured", Octets(needed))
            }
            StopReason::NoRoom { needed, left } => {
                write!(f, "{layer} does not fit: {} needed, the length before it leaves {left}", Octets(needed))
            }
            StopReason::Length { stated, least } => {
                write!(f, "{layer} states a length of {}, at least {least} needed", Octets(stated))
            }
            StopReason::Version(version) => write!(f, "{layer} has version {version}"),
            StopReason::TooDeep => write!(f, "{layer} is nested too deep to be decoded"),
        }
    }
}

/// `IPv4 header`, but not `IPv6 routing header header`.
struct Header(LayerKind);

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            LayerKind::Routing
            | LayerKind::Fragment
            | LayerKind::Extension
            | LayerKind::Authentication
            | LayerKind::HopByHop
            | LayerKind::Destination
            | LayerKind::ControlWord => write!(f, "{}", self.0),
            LayerKind::Arp => write!(f, "{} message", self.0),
            LayerKind::Vlan | LayerKind::ServiceVlan => write!(f, "{} tag", self.0),
            LayerKind::Mpls => write!(f, "{} label", self.0),
            _ => write!(f, "{} header", self.0),
        }
    }
}

struct Octets(u32);

impl fmt::Display for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octet{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_says_what_is_missing() {
        let stop = Stop { layer: LayerKind::Ipv4, at: 14, reason: StopReason::Cut { needed: 20, captured: 11 } };
        assert_eq!(stop.to_string(), "IPv4 header cut: 20 octets needed, 11 captured");
        let stop = Stop { layer: LayerKind::Routing, at: 54, reason: StopReason::NoRoom { needed: 1, left: 0 } };
        assert_eq!(stop.to_string(), "IPv6 routing header does not fit: 1 octet needed, the length before it leaves 0");
        let stop = Stop { layer: LayerKind::Tcp, at: 34, reason: StopReason::Length { stated: 16, least: 20 } };
        assert_eq!(stop.to_string(), "TCP header states a length of 16 octets, at least 20 needed");
        let stop = Stop { layer: LayerKind::Ipv4, at: 14, reason: StopReason::Version(6) };
        assert_eq!(stop.to_string(), "IPv4 header has version 6");
    }
}
