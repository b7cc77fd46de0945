//! What a `tls` event says, and when it is told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{CertificateFields, ClientHandshake, Fingerprint, ServerHandshake, Tls, colons, seconds};
use crate::bytes::utf8;
use crate::limits;
use crate::time::Timestamp;
use crate::tls::{self, Certificate, ClientHello, EventKind, ExtensionType, ProtocolVersion, ServerHello, is_grease};

/// What was seen of a handshake.
#[derive(Debug, Default)]
pub(super) struct Handshake {
    client_hello: Option<Box<ClientHello>>,
    server_hello: Option<Box<ServerHello>>,
    certificates: Vec<Certificate>,
    client_certificates: Vec<Certificate>,
    /// The server has sealed what follows: without a certificate before that, a session is resumed.
    server_changed: bool,
    is_told: bool,
    /// Anomalies that were told: each once.
    told: Vec<&'static str>,
}

impl Handshake {
    /// Takes what happened next. `Some`: now the handshake is over, as far as it can be seen.
    pub(super) fn event(&mut self, kind: &EventKind<'_>, from_client: bool) -> Option<Tls> {
        match kind {
            EventKind::ClientHello(hello) => {
                self.client_hello.get_or_insert_with(|| Box::new((*hello).clone()));
            }
            EventKind::ServerHello(hello) | EventKind::HelloRetryRequest(hello) => {
                self.server_hello.get_or_insert_with(|| Box::new((*hello).clone()));
            }
            EventKind::Certificates(chain) => {
                let kept = if from_client { &mut self.client_certificates } else { &mut self.certificates };
                if kept.is_empty() {
                    *kept = chain.to_vec();
                }
            }
            EventKind::ChangeCipherSpec if from_client => return self.tell(),
            EventKind::ChangeCipherSpec => self.server_changed = true,
            EventKind::Record(record) if from_client && record.sealed => return self.tell(),
            _ => {}
        }
        None
    }

    /// The names of an anomaly that were not told yet: a certificate that cannot be read makes its
    /// message invalid as well.
    pub(super) fn anomaly(&mut self, anomaly: tls::Anomaly) -> Vec<&'static str> {
        let message = matches!(anomaly, tls::Anomaly::CertificateMalformed).then_some("INVALID_HANDSHAKE_MESSAGE");
        let names = anomaly_name(anomaly).into_iter().chain(message);
        let names: Vec<_> = names.filter(|name| !self.told.contains(name)).collect();
        self.told.extend(&names);
        names
    }

    /// The connection is over: a handshake that did not finish is told as far as it came.
    pub(super) fn finish(&mut self) -> Option<Tls> {
        self.tell()
    }

    /// A handshake is told once, with a certificate, or where there is none to be seen: in TLS 1.3
    /// and where a session is resumed.
    fn tell(&mut self) -> Option<Tls> {
        let server = self.server_hello.as_deref()?;
        let version = server.version();
        let certificate = self.certificates.first().map(certificate);
        let is_resumed = !version.is_tls13() && certificate.is_none();
        if (is_resumed && !self.server_changed)
            || self.is_told
            || certificate.as_ref().is_some_and(|fields| fields.issuerdn.is_none())
        {
            return None;
        }
        self.is_told = true;
        let client = self.client_hello.as_deref();
        let alpns = |alpns: &[Vec<u8>]| alpns.iter().map(|name| utf8(name)).collect::<Vec<_>>();
        let (certificates, client_hello, server_hello) = (
            std::mem::take(&mut self.certificates),
            client.filter(|hello| !hello.ssl2).map(client_handshake),
            ServerHandshake {
                version: version_name(server.legacy_version),
                cipher: server.cipher_suite.0,
                exts: extensions(server.extensions.as_ref()),
            },
        );
        let base64 = |certificate: &Certificate| STANDARD.encode(&certificate.der);
        let ja3 = client.and_then(|hello| Some(Fingerprint { hash: hello.ja3()?, string: hello.ja3_text()? }));
        let told = Tls {
            certificate: certificate.unwrap_or_default(),
            session_resumed: is_resumed,
            sni: client.and_then(ClientHello::server_name).map(utf8),
            // Drafts of TLS 1.3 before 16 have its number in the version field.
            version: match server.legacy_version {
                ProtocolVersion::TLS13 => "TLS 1.3 draft-<16".to_owned(),
                _ => version_name(version),
            },
            der: certificates.first().map(base64),
            chain: certificates.iter().map(base64).collect(),
            ja3,
            ja3s: Some(Fingerprint { hash: server.ja3s(), string: server.ja3s_text() }),
            ja4: client.and_then(ClientHello::ja4_as_suricata),
            client_alpns: client.map(|hello| alpns(hello.alpn())).unwrap_or_default(),
            server_alpns: server.extensions.as_ref().map(|e| alpns(&e.alpn)).unwrap_or_default(),
            client: self.client_certificates.first().map(self::certificate),
            client_handshake: client_hello,
            server_handshake: Some(server_hello),
            from_proto: None,
        };
        (self.client_hello, self.server_hello, self.client_certificates) = (None, None, Vec::new());
        Some(told)
    }
}

fn client_handshake(hello: &ClientHello) -> ClientHandshake {
    let extensions_read = hello.extensions.as_ref();
    let offered = extensions_read.and_then(|e| e.supported_versions.iter().find(|version| !is_grease(version.0)));
    ClientHandshake {
        version: version_name(offered.copied().unwrap_or(hello.legacy_version)),
        ciphers: hello.cipher_suites.iter().map(|suite| suite.0).filter(|number| !is_grease(*number)).collect(),
        exts: extensions(extensions_read),
        sig_algs: extensions_read.map(|e| e.signature_algorithms.iter().map(|s| s.0).collect()).unwrap_or_default(),
    }
}

fn extensions(extensions: Option<&tls::Extensions>) -> Vec<u16> {
    let kinds = extensions.into_iter().flat_map(|e| &e.all).map(|extension| extension.kind.0);
    kinds.filter(|number| !is_grease(*number)).collect()
}

/// What a certificate says. Names are spelled as the x509-parser crate spells them, which Suricata
/// uses as well.
fn certificate(certificate: &Certificate) -> CertificateFields {
    let fingerprint = Some(colons(&Sha1::digest(&certificate.der), false));
    let Ok((_, read)) = X509Certificate::from_der(&certificate.der) else {
        return CertificateFields { fingerprint, ..CertificateFields::default() };
    };
    let moment = |time: x509_parser::time::ASN1Time| Some(seconds(Timestamp::from_parts(time.timestamp(), 0)));
    CertificateFields {
        subject: Some(read.subject().to_string()),
        issuerdn: Some(read.issuer().to_string()),
        subjectaltname: names(&read),
        serial: Some(colons(read.raw_serial(), true)),
        fingerprint,
        notbefore: moment(read.validity().not_before),
        notafter: moment(read.validity().not_after),
    }
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let names = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => Some((*text).to_owned()),
        GeneralName::IPAddress(octets) => address(octets),
        _ => None,
    });
    names.take(limits::TLS_CERTIFICATE_NAMES).collect()
}

fn address(octets: &[u8]) -> Option<String> {
    match octets.len() {
        4 => <[u8; 4]>::try_from(octets).ok().map(|ip| std::net::IpAddr::from(ip).to_string()),
        16 => <[u8; 16]>::try_from(octets).ok().map(|ip| std::net::IpAddr::from(ip).to_string()),
        _ => None,
    }
}

/// A version as Suricata spells it.
fn version_name(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::SSL2 => "SSLv2".to_owned(),
        ProtocolVersion::SSL3 => "SSLv3".to_owned(),
        ProtocolVersion::TLS10 => "TLSv1".to_owned(),
        ProtocolVersion::TLS11 => "TLS 1.1".to_owned(),
        ProtocolVersion::TLS12 => "TLS 1.2".to_owned(),
        ProtocolVersion::TLS13 => "TLS 1.3".to_owned(),
        ProtocolVersion(0x7f00..=0x7f0f) => "TLS 1.3 draft-<16".to_owned(),
        _ => match version.draft() {
            Some(draft) => format!("TLS 1.3 draft-{draft}"),
            None => format!("0x{:04x}", version.0),
        },
    }
}

/// What of ours is an event of Suricata's, by its name there.
fn anomaly_name(anomaly: tls::Anomaly) -> Option<&'static str> {
    use tls::Anomaly as A;
    Some(match anomaly {
        A::NotARecord => "INVALID_RECORD_TYPE",
        A::RecordVersion(_) => "INVALID_RECORD_VERSION",
        A::RecordTooLong(_) => "INVALID_RECORD_LENGTH",
        A::HandshakeMalformed(_) | A::HandshakeUnknown(_) => "INVALID_HANDSHAKE_MESSAGE",
        A::HeartbeatOverread { .. } => "OVERFLOW_HEARTBEAT",
        A::ExtensionRepeated(ExtensionType::SERVER_NAME) => "MULTIPLE_SNI_EXTENSIONS",
        A::CertificateMalformed => "INVALID_CERTIFICATE",
        A::AlertMalformed => "INVALID_ALERT_MESSAGE",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_spelled_as_suricata_spells_them() {
        let names = [0x0301, 0x0303, 0x0304, 0x7f0e, 0x7f10, 0x7f13, 0x0505].map(|n| version_name(ProtocolVersion(n)));
        let expected =
            ["TLSv1", "TLS 1.2", "TLS 1.3", "TLS 1.3 draft-<16", "TLS 1.3 draft-16", "TLS 1.3 draft-19", "0x0505"];
        assert_eq!(names, expected);
    }

    #[test]
    fn an_anomaly_is_told_once() {
        let mut handshake = Handshake::default();
        assert_eq!(handshake.anomaly(tls::Anomaly::RecordTooLong(20_000)), ["INVALID_RECORD_LENGTH"]);
        assert!(handshake.anomaly(tls::Anomaly::RecordTooLong(20_001)).is_empty());
        assert!(handshake.anomaly(tls::Anomaly::FramingLost).is_empty());
        let names = handshake.anomaly(tls::Anomaly::CertificateMalformed);
        assert_eq!(names, ["INVALID_CERTIFICATE", "INVALID_HANDSHAKE_MESSAGE"]);
    }

    #[test]
    fn nothing_is_told_before_the_server_has_chosen() {
        let mut handshake = Handshake::default();
        assert!(handshake.event(&EventKind::ChangeCipherSpec, true).is_none());
        assert!(handshake.finish().is_none());
    }
}
