//! Every limit: a name, a number, and the reason for it. Reaching one is shown to the user.

/// Octets of captured packets that are read, analysed and let go together. Large enough that the
/// work between batches does not count, small enough to stay in a processor's cache.
pub const BATCH_OCTETS: usize = 1 << 20;

/// Octets of one clear TLS handshake message that is no certificate chain. A hello with
/// post-quantum key shares and ECH is about 2 KiB; the format would allow 16 MiB.
pub const TLS_HANDSHAKE_OCTETS: usize = 64 << 10;

/// Octets of one TLS certificate message. Real chains stay below 32 KiB; a chain with
/// post-quantum signatures or hundreds of names may be ten times that.
pub const TLS_CERTIFICATES_OCTETS: usize = 1 << 20;

/// Certificates read of one chain. Chains are two to four long; the longest seen are below ten.
pub const TLS_CERTIFICATES: usize = 16;

/// DNS names kept of one certificate. Certificate authorities stop at 100 to 250; some of one's
/// own making hold a thousand.
pub const TLS_CERTIFICATE_NAMES: usize = 4096;

/// Octets kept of each hello extension as it was sent; what is read from it is read from all of it.
pub const TLS_EXTENSION_OCTETS: usize = 256;

/// Records of one conversation whose lengths are kept one by one: 32 octets each, so half a
/// mebibyte. A message of 100 MB in records of 16 KiB fits; what comes later is only counted.
pub const TLS_TRACE_RECORDS: usize = 16 << 10;

/// Anomalies and alerts kept for one conversation. Each is still told as an event.
pub const TLS_ANOMALIES: usize = 64;

/// Places that may be the start of a record, followed at once while looking for the records
/// after a gap. Chance makes one in three million octets of sealed data.
pub const TLS_RESYNC_CANDIDATES: usize = 8;
