//! A server's private key: it opens what was agreed on with RSA key exchange (TLS up to 1.2, RFC 5246 §7.4.7.1).

use std::fmt;

use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::{Pkcs1v15Encrypt, PrivateKey};

/// An RSA key. It never prints.
#[derive(Clone)]
pub struct ServerKey(PrivateKey);

/// Why a file is no key that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerKeyError {
    /// It is encrypted.
    #[error("the key is encrypted: decrypt it first, as with `openssl pkey -in FILE -out CLEAR`")]
    Encrypted,
    /// It is of another kind, or no key.
    #[error("it holds no RSA private key (PEM or DER); keys of other kinds open nothing that was recorded")]
    NotRsa,
}

impl ServerKey {
    /// Reads a key in PEM or DER, as PKCS #8 (RFC 5958) or PKCS #1 (RFC 8017); what stands before
    /// and behind it in a PEM file, such as certificates, is left out.
    ///
    /// # Errors
    /// Where there is no RSA key that is not encrypted.
    pub fn read(file: &[u8]) -> Result<ServerKey, ServerKeyError> {
        let found = PrivateKey::from_pkcs8_der(file).or_else(|_| PrivateKey::from_pkcs1_der(file));
        if let Ok(key) = found {
            return Ok(ServerKey(key));
        }
        let text = str::from_utf8(file).unwrap_or_default();
        if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(ServerKeyError::Encrypted);
        }
        let block = |name: &str| {
            let begin = format!("-----BEGIN {name}-----");
            let end = format!("-----END {name}-----");
            let start = text.find(&begin)?;
            let length = text[start..].find(&end)? + end.len();
            Some(&text[start..start + length])
        };
        let pkcs8 = block("PRIVATE KEY").and_then(|pem| PrivateKey::from_pkcs8_pem(pem).ok());
        let pkcs1 = || block("RSA PRIVATE KEY").and_then(|pem| PrivateKey::from_pkcs1_pem(pem).ok());
        pkcs8.or_else(pkcs1).map(ServerKey).ok_or(ServerKeyError::NotRsa)
    }

    /// The pre-master secret out of a ClientKeyExchange; `None` where it was encrypted to another key.
    pub(super) fn pre_master(&self, encrypted: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(Pkcs1v15Encrypt, encrypted).ok()
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey(RSA)")
    }
}
