//! SSH (RFC 4253): versions, key exchange, and the lengths of what is sealed.
