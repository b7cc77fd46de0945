//! The visible part of TLS: records, handshake, certificates, alerts, and lengths; no I/O.
