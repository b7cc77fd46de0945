//! SMTP (RFC 5321) as a dialogue of commands and replies, read from octets; no I/O.
