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
