//! ICMP (RFC 792) and ICMPv6 (RFC 4443), as one line each.
