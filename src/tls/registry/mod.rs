//! The numbers of TLS and their names: one table each.
//!
//! A number from the wire stays a number, whatever it is. Those that the registries name
//! (IANA "TLS Parameters", and the drafts that were deployed) print their name, others print hex.

mod cipher_suites;
mod extensions;
mod groups;
mod messages;
mod versions;

pub use cipher_suites::{CipherSuite, Strength, SuiteClass};
pub use extensions::{ExtensionType, SignatureScheme};
pub use groups::Group;
pub use messages::{Alert, AlertDescription, AlertLevel, ContentType, HandshakeType};
pub use versions::ProtocolVersion;

/// Makes an open number: a newtype, a constant for each named value, its name, and `Display`.
macro_rules! numbers {
    (
        $(#[$meta:meta])*
        pub struct $name:ident($int:ty) { $( $number:literal $constant:ident $text:literal )* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $int);

        impl $name {
            $( #[doc = concat!("`", $text, "`.")] pub const $constant: $name = $name($number); )*

            /// Its registered name, if it has one.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $( $number => Some($text), )*
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "0x{:0width$x}", self.0, width = size_of::<$int>() * 2),
                }
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}
pub(crate) use numbers;

/// Whether a number is one of the sixteen that clients send to keep servers from choking on
/// unknown values (GREASE, RFC 8701): `0x0a0a`, `0x1a1a` … `0xfafa`.
#[must_use]
pub fn is_grease(number: u16) -> bool {
    number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_prints_and_known_ones_by_name() {
        assert_eq!(ContentType(22).to_string(), "Handshake");
        assert_eq!(ContentType(99).to_string(), "0x63");
        assert_eq!(HandshakeType(14).to_string(), "Server Hello Done");
        assert_eq!(Group(0x11ec).to_string(), "X25519MLKEM768");
        assert_eq!(Group(0x9999).to_string(), "0x9999");
        assert_eq!(ExtensionType(0xfe0d).to_string(), "encrypted_client_hello");
        assert_eq!(AlertDescription(40).to_string(), "Handshake Failure");
        for number in 0..=u16::MAX {
            assert!(!Group(number).to_string().is_empty());
            assert!(!ExtensionType(number).to_string().is_empty());
            assert!(!SignatureScheme(number).to_string().is_empty());
            assert!(!ProtocolVersion(number).to_string().is_empty());
            assert!(!CipherSuite(number).to_string().is_empty());
        }
    }

    #[test]
    fn grease_is_sixteen_numbers() {
        assert_eq!((0..=u16::MAX).filter(|n| is_grease(*n)).count(), 16);
        assert!(is_grease(0x0a0a) && is_grease(0xfafa) && !is_grease(0x0a1a));
    }
}
