//! DNS messages (RFC 1035), and mDNS and LLMNR, which share their format.
