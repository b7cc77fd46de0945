//! Capture filters in the language of pcap-filter(7), compiled and run by libpcap.

use super::{Batch, Error, Filled, Info, Packet, Source};
use crate::wire::LinkType;

/// A filter for the packets of one link type.
pub struct Filter {
    #[cfg(feature = "live")]
    program: pcap::BpfProgram,
    #[cfg(not(feature = "live"))]
    never: std::convert::Infallible,
}

#[cfg(feature = "live")]
impl Filter {
    /// Compiles `text` for packets of `link_type`.
    pub fn compile(link_type: LinkType, text: &str) -> Result<Filter, Error> {
        let bad =
            |error: pcap::Error| Error::BadFilter { filter: text.to_string(), reason: super::live::reason(&error) };
        let handle = pcap::Capture::dead(pcap::Linktype(super::live::dlt(link_type))).map_err(bad)?;
        Ok(Filter { program: handle.compile(text, true).map_err(bad)? })
    }

    /// Whether the filter lets this packet pass. `len` and `greater` in a filter speak of what was
    /// captured, not of the length on the wire.
    #[must_use]
    pub fn matches(&self, packet: &[u8]) -> bool {
        self.program.filter(packet)
    }
}

#[cfg(not(feature = "live"))]
impl Filter {
    /// Says that this needs libpcap.
    pub fn compile(_: LinkType, _: &str) -> Result<Filter, Error> {
        Err(Error::WithoutLive("a capture filter"))
    }

    /// There is no filter without libpcap.
    #[must_use]
    pub fn matches(&self, _: &[u8]) -> bool {
        match self.never {}
    }
}

/// A source without the packets that a filter does not let pass. The others keep their numbers.
pub struct Filtered<S> {
    source: S,
    text: String,
    /// One for each link type that was seen.
    filters: Vec<(LinkType, Filter)>,
}

impl<S: Source> Filtered<S> {
    /// Compiles `text` for the link types that are known at this point, Ethernet if none is.
    pub fn new(source: S, text: &str) -> Result<Filtered<S>, Error> {
        let mut filters = Vec::new();
        for link_type in &source.info().link_types {
            filters.push((*link_type, Filter::compile(*link_type, text)?));
        }
        if filters.is_empty() {
            // Only to say now rather than later that it is not valid.
            Filter::compile(LinkType(1), text)?;
        }
        Ok(Filtered { source, text: text.to_string(), filters })
    }

    fn passes(&mut self, packet: &Packet<'_>) -> Result<bool, Error> {
        if let Some((_, filter)) = self.filters.iter().find(|(link_type, _)| *link_type == packet.link_type) {
            return Ok(filter.matches(packet.data));
        }
        let filter = Filter::compile(packet.link_type, &self.text)?;
        let passes = filter.matches(packet.data);
        self.filters.push((packet.link_type, filter));
        Ok(passes)
    }
}

impl<S: Source> Source for Filtered<S> {
    fn next_batch(&mut self, batch: &mut Batch) -> Result<Filled, Error> {
        loop {
            let filled = self.source.next_batch(batch)?;
            let mut failed = None;
            batch.retain(|packet| {
                self.passes(&packet).unwrap_or_else(|error| {
                    failed.get_or_insert(error);
                    false
                })
            });
            match failed {
                Some(error) => return Err(error),
                None if filled == Filled::Batch && batch.is_empty() => {}
                None => return Ok(filled),
            }
        }
    }

    fn info(&self) -> &Info {
        self.source.info()
    }
}

#[cfg(all(test, feature = "live"))]
mod tests {
    use std::io::Cursor;

    use super::super::samples::{drain, pcap};
    use super::super::{Options, read_from};
    use super::*;

    /// Ethernet, IPv4 and the first octets of TCP or UDP, from 192.0.2.1 to 198.51.100.2.
    fn frame(protocol: u8, port: u8) -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend([8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2]);
        frame.extend([0x80, 0, 0, port]);
        frame.extend([0; 16]);
        frame
    }

    #[test]
    fn only_packets_that_match_are_left_with_their_numbers() {
        let (smtp, dns) = (frame(6, 25), frame(17, 53));
        let capture = pcap(&[(1, &smtp), (2, &dns), (3, &smtp)]);
        let source = read_from(Cursor::new(capture), "test", &Options::default()).unwrap();
        let (batches, _) = drain(&mut Filtered::new(source, "tcp port 25 and host 192.0.2.1").unwrap());
        let numbers: Vec<u64> = batches.concat().iter().map(|packet| packet.number).collect();
        assert_eq!(numbers, [1, 3]);
    }

    #[test]
    fn a_filter_speaks_of_the_link_type() {
        let raw = Filter::compile(LinkType(101), "udp").unwrap();
        assert!(raw.matches(&frame(17, 53)[14..]));
        assert!(!raw.matches(&frame(6, 25)[14..]));
        assert!(!raw.matches(&[]));
    }

    #[test]
    fn a_filter_that_is_not_valid_is_refused_with_the_reason() {
        let source = read_from(Cursor::new(pcap(&[])), "test", &Options::default()).unwrap();
        let error = Filtered::new(source, "tcp prt 25").err().unwrap().to_string();
        assert!(error.starts_with("the filter \"tcp prt 25\" is not valid: "), "{error}");
        assert!(error.contains("syntax error"), "{error}");
    }
}
