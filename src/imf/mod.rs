//! Internet messages (RFC 5322): header fields, read as they stream by.
