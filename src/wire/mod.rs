//! Where the headers stand in a packet: link, IP, TCP, UDP. Views that judge nothing.
//!
//! [`decode`] goes as deep as it can and never fails: where a header is cut or states what cannot
//! be, the [`Frame`] keeps what was found before and a [`Stop`] says where and why. Tunnels are
//! followed; [`Frame::ip`] and [`Frame::transport`] are the innermost, [`Frame::layers`] names all.
//! Checksums are not verified: where packets are captured, they are often not computed yet.

mod defragment;
mod frame;
mod internet;
mod layers;
mod link;
mod link_type;
mod options;
#[cfg(test)]
mod samples;
mod stop;
#[cfg(test)]
mod tests;
mod tunnel;
mod walk;

pub use defragment::{Defragmenter, DefragmenterCounts};
pub use frame::{Frame, Ip, Mac, Tcp, TcpFlags, Transport, Udp};
pub use layers::{Layer, LayerKind, Layers, LayersIter};
pub use link_type::LinkType;
pub use options::{SackBlocks, TcpOption, TcpOptions};
pub use stop::{Stop, StopReason};

use crate::time::Timestamp;

/// Decodes a packet as deep as it goes. Never fails. A fragment stays a fragment.
#[inline]
#[must_use]
pub fn decode<'a>(link_type: LinkType, packet: &'a [u8]) -> Frame<'a> {
    let mut frame = Frame::new(packet);
    walk::walk(link_type, &mut frame, None);
    frame
}

/// Like [`decode`], where the capture says how long the packet was on the wire: a length in a header
/// that goes beyond it is not believed, as Wireshark does not.
#[inline]
#[must_use]
pub fn decode_with_original<'a>(link_type: LinkType, packet: &'a [u8], original_len: u32) -> Frame<'a> {
    let mut frame = Frame::new(packet);
    walk::walk(link_type, &mut frame, Some(original_len));
    frame
}

/// Fuzz body: decodes with each link type, reads all that a frame offers, and puts fragments together.
pub fn fuzz_decode(data: &[u8]) {
    let mut defragmenter = Defragmenter::new();
    for link_type in LinkType::KNOWN {
        let frame = decode(*link_type, data);
        check(&frame);
        for nanos in [0, 1, i64::MAX] {
            if let Some(whole) = defragmenter.put(&frame, Timestamp::from_nanos(nanos)) {
                check(&whole);
            }
        }
        let _ = decode_with_original(*link_type, data, data.len() as u32);
    }
}

/// What holds for every frame: the layers, the payload and the trailer are the packet, without a hole.
fn check(frame: &Frame<'_>) {
    let mut at = 0;
    for layer in frame.layers.iter() {
        assert_eq!(layer.start, at, "layers are contiguous");
        assert!(layer.end > layer.start, "a layer has octets");
        assert!(frame.octets(layer).is_some(), "a layer lies in the packet");
        at = layer.end;
    }
    let (start, end) = frame.payload_range();
    assert_eq!(start, at as usize, "the payload follows the headers");
    assert!(start <= end, "a range goes forward");
    assert_eq!(frame.trailer_range(), (end, frame.bytes.len()), "the trailer follows the payload");
    match frame.transport {
        Transport::Tcp(tcp) => {
            assert!(tcp.payload.len() <= tcp.payload_len as usize, "no more is captured than was sent");
            assert_eq!(frame.bytes.get(start..end), Some(tcp.payload));
            assert!(tcp.options().count() <= tcp.options.len());
        }
        Transport::Udp(udp) => assert_eq!(frame.bytes.get(start..end), Some(udp.payload)),
        _ => {}
    }
    if let Some(stop) = frame.stop {
        assert!(!stop.to_string().is_empty());
        assert!(stop.at as usize <= frame.bytes.len(), "decoding stops in the packet");
    }
}
