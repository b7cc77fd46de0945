//! NetBIOS name service (RFC 1002 §4.2).
