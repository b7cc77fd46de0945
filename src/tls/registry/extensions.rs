//! Hello extensions and signature schemes.

use super::{is_grease, numbers};

numbers! {
    /// What a hello extension is (IANA "TLS ExtensionType Values", and drafts that were deployed).
    pub struct ExtensionType(u16) {
        0x0000 SERVER_NAME                            "server_name"
        0x0001 MAX_FRAGMENT_LENGTH                    "max_fragment_length"
        0x0002 CLIENT_CERTIFICATE_URL                 "client_certificate_url"
        0x0003 TRUSTED_CA_KEYS                        "trusted_ca_keys"
        0x0004 TRUNCATED_HMAC                         "truncated_hmac"
        0x0005 STATUS_REQUEST                         "status_request"
        0x0006 USER_MAPPING                           "user_mapping"
        0x0007 CLIENT_AUTHZ                           "client_authz"
        0x0008 SERVER_AUTHZ                           "server_authz"
        0x0009 CERT_TYPE                              "cert_type"
        0x000a SUPPORTED_GROUPS                       "supported_groups"
        0x000b EC_POINT_FORMATS                       "ec_point_formats"
        0x000c SRP                                    "srp"
        0x000d SIGNATURE_ALGORITHMS                   "signature_algorithms"
        0x000e USE_SRTP                               "use_srtp"
        0x000f HEARTBEAT                              "heartbeat"
        0x0010 APPLICATION_LAYER_PROTOCOL_NEGOTIATION "application_layer_protocol_negotiation"
        0x0011 STATUS_REQUEST_V2                      "status_request_v2"
        0x0012 SIGNED_CERTIFICATE_TIMESTAMP           "signed_certificate_timestamp"
        0x0013 CLIENT_CERTIFICATE_TYPE                "client_certificate_type"
        0x0014 SERVER_CERTIFICATE_TYPE                "server_certificate_type"
        0x0015 PADDING                                "padding"
        0x0016 ENCRYPT_THEN_MAC                       "encrypt_then_mac"
        0x0017 EXTENDED_MASTER_SECRET                 "extended_master_secret"
        0x0018 TOKEN_BINDING                          "token_binding"
        0x0019 CACHED_INFO                            "cached_info"
        0x001a TLS_LTS                                "tls_lts"
        0x001b COMPRESS_CERTIFICATE                   "compress_certificate"
        0x001c RECORD_SIZE_LIMIT                      "record_size_limit"
        0x0021 TLS_CERT_WITH_EXTERN_PSK               "tls_cert_with_extern_psk"
        0x0022 DELEGATED_CREDENTIALS                  "delegated_credentials"
        0x0023 SESSION_TICKET                         "session_ticket"
        0x0028 KEY_SHARE_DRAFT                        "key_share_draft"
        0x0029 PRE_SHARED_KEY                         "pre_shared_key"
        0x002a EARLY_DATA                             "early_data"
        0x002b SUPPORTED_VERSIONS                     "supported_versions"
        0x002c COOKIE                                 "cookie"
        0x002d PSK_KEY_EXCHANGE_MODES                 "psk_key_exchange_modes"
        0x002e TICKET_EARLY_DATA_INFO                 "ticket_early_data_info"
        0x002f CERTIFICATE_AUTHORITIES                "certificate_authorities"
        0x0030 OID_FILTERS                            "oid_filters"
        0x0031 POST_HANDSHAKE_AUTH                    "post_handshake_auth"
        0x0032 SIGNATURE_ALGORITHMS_CERT              "signature_algorithms_cert"
        0x0033 KEY_SHARE                              "key_share"
        0x0034 TRANSPARENCY_INFO                      "transparency_info"
        0x0035 CONNECTION_ID_DEPRECATED               "connection_id_deprecated"
        0x0036 CONNECTION_ID                          "connection_id"
        0x0037 EXTERNAL_ID_HASH                       "external_id_hash"
        0x0038 EXTERNAL_SESSION_ID                    "external_session_id"
        0x0039 QUIC_TRANSPORT_PARAMETERS              "quic_transport_parameters"
        0x003a TICKET_REQUEST                         "ticket_request"
        0x003b DNSSEC_CHAIN                           "dnssec_chain"
        0x003c SEQUENCE_NUMBER_ENCRYPTION_ALGORITHMS  "sequence_number_encryption_algorithms"
        0x003d RRC                                    "rrc"
        0x003e TLS_FLAGS                              "tls_flags"
        0x3374 NEXT_PROTOCOL_NEGOTIATION              "next_protocol_negotiation"
        0x4469 APPLICATION_SETTINGS                   "application_settings"
        0x44cd APPLICATION_SETTINGS_NEW               "application_settings_new"
        0x754f CHANNEL_ID_OLD                         "channel_id_old"
        0x7550 CHANNEL_ID                             "channel_id"
        0xfd00 ECH_OUTER_EXTENSIONS                   "ech_outer_extensions"
        0xfe0d ENCRYPTED_CLIENT_HELLO                 "encrypted_client_hello"
        0xff01 RENEGOTIATION_INFO                     "renegotiation_info"
        0xffa5 QUIC_TRANSPORT_PARAMETERS_DRAFT        "quic_transport_parameters_draft"
        0xffce ENCRYPTED_SERVER_NAME                  "encrypted_server_name"
    }
}

impl ExtensionType {
    /// Whether it means nothing and is only there to be ignored (RFC 8701).
    #[must_use]
    pub fn is_grease(self) -> bool {
        is_grease(self.0)
    }
}

numbers! {
    /// A signature algorithm (RFC 8446 §4.2.3; before that a hash and a signature number, RFC 5246 §7.4.1.4.1).
    pub struct SignatureScheme(u16) {
        0x0101 RSA_PKCS1_MD5                     "rsa_pkcs1_md5"
        0x0201 RSA_PKCS1_SHA1                    "rsa_pkcs1_sha1"
        0x0202 DSA_SHA1                          "dsa_sha1"
        0x0203 ECDSA_SHA1                        "ecdsa_sha1"
        0x0301 RSA_PKCS1_SHA224                  "rsa_pkcs1_sha224"
        0x0302 DSA_SHA224                        "dsa_sha224"
        0x0303 ECDSA_SHA224                      "ecdsa_sha224"
        0x0401 RSA_PKCS1_SHA256                  "rsa_pkcs1_sha256"
        0x0402 DSA_SHA256                        "dsa_sha256"
        0x0403 ECDSA_SECP256R1_SHA256            "ecdsa_secp256r1_sha256"
        0x0420 RSA_PKCS1_SHA256_LEGACY           "rsa_pkcs1_sha256_legacy"
        0x0501 RSA_PKCS1_SHA384                  "rsa_pkcs1_sha384"
        0x0502 DSA_SHA384                        "dsa_sha384"
        0x0503 ECDSA_SECP384R1_SHA384            "ecdsa_secp384r1_sha384"
        0x0520 RSA_PKCS1_SHA384_LEGACY           "rsa_pkcs1_sha384_legacy"
        0x0601 RSA_PKCS1_SHA512                  "rsa_pkcs1_sha512"
        0x0602 DSA_SHA512                        "dsa_sha512"
        0x0603 ECDSA_SECP521R1_SHA512            "ecdsa_secp521r1_sha512"
        0x0620 RSA_PKCS1_SHA512_LEGACY           "rsa_pkcs1_sha512_legacy"
        0x0708 SM2SIG_SM3                        "sm2sig_sm3"
        0x0709 GOSTR34102012_256A                "gostr34102012_256a"
        0x0804 RSA_PSS_RSAE_SHA256               "rsa_pss_rsae_sha256"
        0x0805 RSA_PSS_RSAE_SHA384               "rsa_pss_rsae_sha384"
        0x0806 RSA_PSS_RSAE_SHA512               "rsa_pss_rsae_sha512"
        0x0807 ED25519                           "ed25519"
        0x0808 ED448                             "ed448"
        0x0809 RSA_PSS_PSS_SHA256                "rsa_pss_pss_sha256"
        0x080a RSA_PSS_PSS_SHA384                "rsa_pss_pss_sha384"
        0x080b RSA_PSS_PSS_SHA512                "rsa_pss_pss_sha512"
        0x081a ECDSA_BRAINPOOLP256R1TLS13_SHA256 "ecdsa_brainpoolP256r1tls13_sha256"
        0x081b ECDSA_BRAINPOOLP384R1TLS13_SHA384 "ecdsa_brainpoolP384r1tls13_sha384"
        0x081c ECDSA_BRAINPOOLP512R1TLS13_SHA512 "ecdsa_brainpoolP512r1tls13_sha512"
        0x0904 MLDSA44                           "mldsa44"
        0x0905 MLDSA65                           "mldsa65"
        0x0906 MLDSA87                           "mldsa87"
    }
}

impl SignatureScheme {
    /// Whether it means nothing and is only there to be ignored (RFC 8701).
    #[must_use]
    pub fn is_grease(self) -> bool {
        is_grease(self.0)
    }
}
