//! From a report to octets, for any `Write`.
