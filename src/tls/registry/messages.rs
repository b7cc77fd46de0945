//! Record content types, handshake types and alerts, in the words of Wireshark.

use std::fmt;

use super::numbers;

numbers! {
    /// What a record carries (RFC 8446 §5.1, RFC 6520 for heartbeats).
    pub struct ContentType(u8) {
        20 CHANGE_CIPHER_SPEC "Change Cipher Spec"
        21 ALERT              "Alert"
        22 HANDSHAKE          "Handshake"
        23 APPLICATION_DATA   "Application Data"
        24 HEARTBEAT          "Heartbeat"
    }
}

numbers! {
    /// What a handshake message is (RFC 8446 §4, RFC 5246 §7.4).
    pub struct HandshakeType(u8) {
        0   HELLO_REQUEST          "Hello Request"
        1   CLIENT_HELLO           "Client Hello"
        2   SERVER_HELLO           "Server Hello"
        3   HELLO_VERIFY_REQUEST   "Hello Verify Request"
        4   NEW_SESSION_TICKET     "New Session Ticket"
        5   END_OF_EARLY_DATA      "End of Early Data"
        6   HELLO_RETRY_REQUEST    "Hello Retry Request"
        8   ENCRYPTED_EXTENSIONS   "Encrypted Extensions"
        11  CERTIFICATE            "Certificate"
        12  SERVER_KEY_EXCHANGE    "Server Key Exchange"
        13  CERTIFICATE_REQUEST    "Certificate Request"
        14  SERVER_HELLO_DONE      "Server Hello Done"
        15  CERTIFICATE_VERIFY     "Certificate Verify"
        16  CLIENT_KEY_EXCHANGE    "Client Key Exchange"
        20  FINISHED               "Finished"
        21  CERTIFICATE_URL        "Client Certificate URL"
        22  CERTIFICATE_STATUS     "Certificate Status"
        23  SUPPLEMENTAL_DATA      "Supplemental Data"
        24  KEY_UPDATE             "Key Update"
        25  COMPRESSED_CERTIFICATE "Compressed Certificate"
        67  NEXT_PROTOCOL          "Encrypted Extensions"
        254 MESSAGE_HASH           "Message Hash"
    }
}

numbers! {
    /// How bad an alert is (RFC 5246 §7.2).
    pub struct AlertLevel(u8) {
        1 WARNING "Warning"
        2 FATAL   "Fatal"
    }
}

numbers! {
    /// What an alert says (RFC 8446 §6, RFC 5246 §7.2, and the extensions that add some).
    pub struct AlertDescription(u8) {
        0   CLOSE_NOTIFY                    "Close Notify"
        1   END_OF_EARLY_DATA               "End of Early Data"
        10  UNEXPECTED_MESSAGE              "Unexpected Message"
        20  BAD_RECORD_MAC                  "Bad Record MAC"
        21  DECRYPTION_FAILED               "Decryption Failed"
        22  RECORD_OVERFLOW                 "Record Overflow"
        30  DECOMPRESSION_FAILURE           "Decompression Failure"
        40  HANDSHAKE_FAILURE               "Handshake Failure"
        41  NO_CERTIFICATE                  "No Certificate"
        42  BAD_CERTIFICATE                 "Bad Certificate"
        43  UNSUPPORTED_CERTIFICATE         "Unsupported Certificate"
        44  CERTIFICATE_REVOKED             "Certificate Revoked"
        45  CERTIFICATE_EXPIRED             "Certificate Expired"
        46  CERTIFICATE_UNKNOWN             "Certificate Unknown"
        47  ILLEGAL_PARAMETER               "Illegal Parameter"
        48  UNKNOWN_CA                      "Unknown CA"
        49  ACCESS_DENIED                   "Access Denied"
        50  DECODE_ERROR                    "Decode Error"
        51  DECRYPT_ERROR                   "Decrypt Error"
        60  EXPORT_RESTRICTION              "Export Restriction"
        70  PROTOCOL_VERSION                "Protocol Version"
        71  INSUFFICIENT_SECURITY           "Insufficient Security"
        80  INTERNAL_ERROR                  "Internal Error"
        86  INAPPROPRIATE_FALLBACK          "Inappropriate Fallback"
        90  USER_CANCELED                   "User Canceled"
        100 NO_RENEGOTIATION                "No Renegotiation"
        109 MISSING_EXTENSION               "Missing Extension"
        110 UNSUPPORTED_EXTENSION           "Unsupported Extension"
        111 CERTIFICATE_UNOBTAINABLE        "Certificate Unobtainable"
        112 UNRECOGNIZED_NAME               "Unrecognized Name"
        113 BAD_CERTIFICATE_STATUS_RESPONSE "Bad Certificate Status Response"
        114 BAD_CERTIFICATE_HASH_VALUE      "Bad Certificate Hash Value"
        115 UNKNOWN_PSK_IDENTITY            "Unknown PSK Identity"
        116 CERTIFICATE_REQUIRED            "Certificate Required"
        120 NO_APPLICATION_PROTOCOL         "No application Protocol"
        121 ECH_REQUIRED                    "ECH Required"
    }
}

/// An alert that was sent in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Alert {
    /// How bad it is.
    pub level: AlertLevel,
    /// What it says.
    pub description: AlertDescription,
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Level: {}, Description: {}", self.level, self.description)
    }
}
