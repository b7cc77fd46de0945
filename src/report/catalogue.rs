//! The catalogue of anomalies: what each means, how grave it is, and where that is written down.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// How grave an anomaly is for the privacy and integrity of mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing: the capture's own quality, or a habit that harms nobody.
    Info,
    /// A breach of a standard that peers usually put up with.
    Low,
    /// Mail can be lost, delayed or misread, or something is weaker than it need be.
    Medium,
    /// A secret is given away, or the sign of an attack.
    High,
}

impl Severity {
    /// All of them, the least grave first.
    pub const ALL: [Severity; 4] = [Severity::Info, Severity::Low, Severity::Medium, Severity::High];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Severity {
    type Err = ();

    fn from_str(name: &str) -> Result<Severity, ()> {
        Severity::ALL.into_iter().find(|severity| severity.name() == name).ok_or(())
    }
}

/// What the catalogue says of one kind of anomaly.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Entry {
    /// Its stable name.
    pub id: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// What it is, in one sentence.
    pub sentence: &'static str,
    /// What it means, and what to do about it.
    pub meaning: &'static str,
    /// Where that is written down.
    pub source: &'static str,
}

/// The entry of that name.
#[must_use]
pub fn entry(id: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.id == id)
}

/// How grave anomalies of that name are.
#[must_use]
pub fn severity(id: &str) -> Severity {
    entry(id).map_or(Severity::Info, |entry| entry.severity)
}

macro_rules! catalogue {
    ($($severity:ident $id:literal: $sentence:literal, $meaning:literal, $source:literal;)*) => {
        /// Every anomaly that a report can name, by subject: dialogue, TLS, TCP.
        pub const CATALOGUE: &[Entry] = &[$(Entry {
            id: $id,
            severity: Severity::$severity,
            sentence: $sentence,
            meaning: $meaning,
            source: $source,
        },)*];
    };
}

catalogue! {
    High "smuggling-answered": "The server replied to commands that stand inside a message.",
        "It took a look-alike for the end of the message and the text after it for commands: what was smuggled is a mail of its own now. Update the server, or let it refuse bare LF and CR.",
        "CVE-2023-51764, CVE-2023-51765, CVE-2023-51766; RFC 5321 section 2.3.8";
    High "smuggling": "Commands follow a look-alike of the end of data inside a message.",
        "A server that takes such a line for the end of the message reads what follows as commands: a second mail, with a sender of the attacker's choice, in the name of the sending server. Let servers refuse bare LF and CR.",
        "CVE-2023-51764, CVE-2023-51765, CVE-2023-51766; RFC 5321 section 2.3.8";
    Medium "end-of-data-look-alike": "A dot line with bare LF or CR stands inside a message that goes on.",
        "A server that takes such a line for the end of the message reads the rest as commands; here it is text, so no harm is done but to the message.",
        "RFC 5321 section 4.1.1.4";
    Medium "bare-lf-end-of-data": "The message was ended by a dot line with bare LF.",
        "The server accepted what RFC 5321 does not allow as the end of a message. A stricter server behind it may read on: the ground on which smuggling grows.",
        "RFC 5321 section 4.1.1.4";
    High "cmd-injection": "Clear commands follow STARTTLS before the server's reply.",
        "Whoever is on the path may have added them. A server that keeps them in its buffer executes them inside TLS, as if the client had said them there.",
        "CVE-2011-0411; RFC 3207 section 6";
    High "reply-injection": "Clear octets follow the server's 220 to STARTTLS.",
        "A client that keeps them reads them inside TLS as the server's words: somebody on the path can feed it replies.",
        "nostarttls.secvuln.info; RFC 3207 section 6";
    High "cleartext-after-220": "The dialogue goes on in the clear after the server agreed to STARTTLS.",
        "No TLS came about although both sides asked for it. A box on the path may have taken it off, or the client went on after a failed handshake.",
        "RFC 3207 section 4";
    High "starttls-masked": "A capability of the EHLO reply is overwritten with X.",
        "A firewall that inspects mail, or an attacker, hides STARTTLS from the client, which then sends everything in the clear.",
        "RFC 3207 section 6";
    Medium "starttls-not-used": "The server offered STARTTLS and the client never asked for it.",
        "Mail or a login went in the clear, for anybody on the path to read, though both could have sealed it. Let clients require TLS.",
        "RFC 3207 section 4.1; RFC 8314 section 3";
    High "starttls-missing-on-retry": "The server offered STARTTLS in an earlier session between the same hosts, and not in this one.",
        "Servers seldom take back what they can do; somebody on the path may have taken the offer out, so that the client goes on in the clear.",
        "RFC 3207 section 6; RFC 8461 section 1";
    Medium "starttls-not-always": "Of the sessions between the same hosts some were sealed by STARTTLS, and some were not.",
        "A client that seals when it can, and goes on in the clear when not, hides nothing from somebody who can make TLS fail once.",
        "RFC 7435 section 3; RFC 8461 section 1";
    Medium "clear-after-failed-tls": "The client came back in the clear after STARTTLS had failed in an earlier session.",
        "Whoever can make a handshake fail gets the mail in the clear with the next try.",
        "RFC 3207 section 6; RFC 7435 section 3";
    Medium "starttls-refused": "The server refused STARTTLS.",
        "The client can only give up or go on in the clear. The reply says why; 454 is temporary, so the retry may be sealed.",
        "RFC 3207 section 4";
    Medium "bare-lf": "A line ends with LF alone where CR LF is required.",
        "Some peers take it for a line end and some do not; whoever disagrees reads another dialogue.",
        "RFC 5321 section 2.3.8";
    Medium "bare-cr": "A CR stands inside a line.",
        "A peer that takes it for a line end reads two lines where others read one.",
        "RFC 5321 section 2.3.8";
    Low "doubled-cr": "A line ends with CR CR LF.",
        "Usually a program that adds CR to a line that has one.",
        "RFC 5321 section 2.3.8";
    Medium "nul": "A NUL stands inside a line.",
        "Programs that end their strings at NUL see a shorter line than others.",
        "RFC 5321 section 4.1.1.4";
    Low "eight-bit": "A command holds octets above 127, without SMTPUTF8.",
        "Servers without SMTPUTF8 may refuse or change it.",
        "RFC 5321 section 2.4; RFC 6531";
    Low "bare-lf-in-message": "Lines of the message end with LF alone.",
        "Servers may refuse the message, or change it and thereby break its signature.",
        "RFC 5321 section 2.3.8";
    Low "bare-cr-in-message": "A CR stands alone in the message.",
        "Servers may refuse the message, or change it and thereby break its signature.",
        "RFC 5321 section 2.3.8";
    Low "nul-in-message": "The message holds a NUL.",
        "Some programs stop reading there.",
        "RFC 5322 section 4";
    Medium "pipelining-violation": "The client sent on where it has to wait for the reply.",
        "A mark of spam software, and of an attempt to have the server take commands for text or text for commands.",
        "RFC 2920 section 3.1";
    Medium "early-talker": "The client spoke before the server's greeting.",
        "Mail servers wait for the greeting; much spam software does not, and is refused for it.",
        "RFC 5321 section 3.1";
    Medium "reply-orphan": "A reply that no command asked for.",
        "Replies are told apart by their order alone: one too many and the client takes each for the answer to the wrong command. 421 may come at any time and is none.",
        "RFC 5321 section 4.3.1";
    Low "code-mismatch": "The lines of one reply state different codes.",
        "Clients differ in which line they believe.",
        "RFC 5321 section 4.2.1";
    Low "unknown-code": "A reply whose code is not of class 2 to 5.",
        "Clients can only guess by its first digit.",
        "RFC 5321 section 4.2.1";
    Low "malformed-reply": "A reply with a malformed line: no separator, or a line without a code.",
        "A client may read its code wrongly, or wait for a line that does not come.",
        "RFC 5321 section 4.2";
    Low "not-a-reply": "The server sent a line that is no reply.",
        "Either it is no mail server, or the capture begins inside something.",
        "RFC 5321 section 4.2";
    Low "not-a-command": "The client sent a line that is no command.",
        "Message text after a refused DATA looks like this, and so does another protocol on a mail port.",
        "RFC 5321 section 4.1.1";
    Low "order": "A command out of order: RCPT before MAIL, DATA without RCPT, a second MAIL.",
        "Servers answer it with 503.",
        "RFC 5321 section 4.1.4";
    Low "too-long": "A line or reply is longer than any limit of the RFCs.",
        "The peer may cut it or end the connection; overlong lines have also been used to overrun buffers.",
        "RFC 5321 section 4.5.3.1; RFC 4954 section 4";
    Info "too-many-outstanding": "More commands wait for replies than are kept.",
        "From there on replies can no longer be told to their commands.",
        "a limit of this program";
    Medium "bad-bdat": "A BDAT command without a valid size.",
        "Without the size nobody can tell where the chunk ends: text may be taken for commands.",
        "RFC 3030 section 2";
    Medium "missing-bdat-last": "A message sent by BDAT was left without its LAST chunk.",
        "The message is not complete, and the server must not deliver it.",
        "RFC 3030 section 2";
    Medium "data-after-refusal": "The client sent a message although DATA was refused.",
        "The server reads the lines of the message as commands.",
        "RFC 5321 section 4.1.1.4";
    Low "early-reply": "The server replied before the message was over.",
        "Usually a refusal while the client still sends; the message was not taken.",
        "RFC 5321 section 3.3";
    Info "gap": "Octets of the dialogue are missing from the capture.",
        "What stood there is not known; what follows is read anew where it can be recognised.",
        "a fault of the capture";
    Info "truncated": "The stream ends, or a gap begins, inside a line, a reply or a message.",
        "What is shown of it is its beginning.",
        "a fault of the capture or of the connection";
    Low "mime-bad-base64": "Base64 contents hold characters that are no base64.",
        "Programs differ in what they make of them: a scanner may see another file than the reader.",
        "RFC 2045 section 6.8";
    Low "mime-bad-quoted-printable": "Quoted-printable contents hold an equals sign that stands for nothing.",
        "Programs differ in what they make of it.",
        "RFC 2045 section 6.7";
    Low "mime-missing-end-boundary": "A multipart lacks its closing boundary.",
        "The message was cut off, or the boundary is another than stated; programs differ in where its last part ends.",
        "RFC 2046 section 5.1.1";
    Low "mime-no-boundary": "A multipart states no boundary.",
        "Its parts cannot be told apart.",
        "RFC 2046 section 5.1.1";
    Low "header-ended-by-text": "A header ends with a line that is no field, in the place of an empty one.",
        "Fields that follow are text to some programs and fields to others.",
        "RFC 5322 section 2.1";
    Medium "header-repeated-field": "A header field that must stand once stands again.",
        "Programs differ in which of the two they show: a filter may check one sender and the reader see another.",
        "RFC 5322 section 3.6";
    Low "header-field-too-long": "A header field is longer than is kept.",
        "Its beginning is shown.",
        "a limit of this program";
    Low "header-too-long": "A header is longer than is read.",
        "What follows is taken for text.",
        "a limit of this program";
    Medium "bcc-leak": "The header of a message names blind recipients.",
        "Bcc is to be taken out before the message is sent on; here every recipient, and everybody on the path, can read it.",
        "RFC 5322 section 3.6.3";
    Low "mime-too-many-parts": "Parts are nested deeper, or are more, than are told apart.",
        "Those beyond are passed over; such messages are made to exhaust scanners.",
        "a limit of this program";
    Medium "wrong-protocol": "TLS begins at once on a port of clear SMTP, SMTP in the clear on a port of TLS, or HTTP in a mail dialogue.",
        "One of the two peers is set up wrongly: they will not understand each other, or mail that was meant to be sealed is not. A browser that is made to speak to a mail server can also be an attack on it.",
        "RFC 8314 section 7.3";
    High "plain-auth-clear": "A login whose secret anyone on the path can read and use.",
        "The password or the token is known to whoever saw these packets. Change it, and let the server refuse logins without TLS.",
        "RFC 4954 section 4; RFC 8314 section 4.1";
    Low "plain-auth-offered": "The server offers a login whose secret anyone on the path could read, and no STARTTLS.",
        "Clients that take the offer give their password away. Offer PLAIN and LOGIN inside TLS only.",
        "RFC 4954 section 4";
    Medium "requiretls-clear": "REQUIRETLS is offered or used in the clear.",
        "It asks that no hop passes the message on without TLS; in the clear the promise is broken already.",
        "RFC 8689 section 2";
    Low "status-mismatch": "The enhanced status code of a reply contradicts its code.",
        "Some clients believe the one and some the other: mail that was taken is sent again, or mail that was refused is lost.",
        "RFC 2034 section 4";
    Low "unadvertised-use": "The client uses a command, parameter or mechanism that the server did not offer.",
        "Servers may refuse it, or ignore what was asked for.",
        "RFC 5321 section 2.2.1";
    Low "bad-parameter": "A parameter of MAIL or RCPT has a value that it cannot have.",
        "Servers answer it with 501 or 555, or ignore it.",
        "RFC 5321 section 4.1.1.11";
    Low "size-lie": "The message is longer than the client announced.",
        "The server has set aside too little room, or was to be deceived about its limit.",
        "RFC 1870 section 6.1";
    Low "over-limit": "The client exceeds what the server says it takes: SIZE or LIMITS.",
        "The message, or a part of its recipients, will be refused.",
        "RFC 1870 section 3; RFC 9422 section 4";
    Medium "ehlo-changed": "The server offers something else than in its earlier EHLO reply of the same phase.",
        "Servers offer the same as long as neither TLS nor a login comes between. Another machine may answer now, or somebody changes the replies on their way.",
        "RFC 3207 section 6; RFC 5321 section 4.1.1.1";
    Low "address-too-long": "An address is longer than RFC 5321 allows: 64 octets before the @, 255 after it, 256 in all.",
        "Servers may refuse it; addresses made for bounces are often too long.",
        "RFC 5321 section 4.5.3.1";
    Low "long-line-in-message": "A line of the message is longer than 1000 octets.",
        "Servers may refuse the message, or break the line and thereby its signature.",
        "RFC 5321 section 4.5.3.1.6";
    Low "eight-bit-in-message": "The message holds octets above 127 that were not announced.",
        "Servers that take seven bits only may damage it.",
        "RFC 6152 section 3";
    Medium "mixed-transfer": "BDAT and DATA in one transaction.",
        "Servers differ in what becomes of the message.",
        "RFC 3030 section 2";
    Low "stall": "One side kept the other waiting for more than 30 seconds, or three minutes inside a message.",
        "An overloaded or tarpitting server, a slow check of the contents, or large packets that are lost on the way. Clients give up, try again, and may deliver twice.",
        "RFC 5321 section 4.5.3.2";
    Medium "address-probing": "The client asks for one address after the other by VRFY or EXPN.",
        "A search for addresses that exist, for spam or for guessing passwords.",
        "RFC 5321 section 7.3";
    Medium "recipient-harvest": "Most recipients are refused as unknown: the client guesses addresses.",
        "A search for addresses that exist; or a mailing list that was not kept up.",
        "RFC 5321 section 7.3";
    Medium "login-guessing": "One login after the other is refused in one session.",
        "Somebody guesses passwords, or a program has an old one.",
        "RFC 4954 section 9";
    Low "blocklisted": "The server refuses the client because of a blocklist.",
        "The list's operator holds the client's address for a source of spam. The reply says which list; mail from there will not arrive until it is taken off.",
        "RFC 5782";

    High "tls-weak-cipher": "The agreed cipher suite does not protect what it carries.",
        "NULL, export, RC4, DES, 3DES and anonymous suites can be read or changed with modest means. Take them out of the server's list.",
        "RFC 9325 section 4.1; RFC 7465";
    Medium "tls-weak-version": "A version of TLS or SSL is agreed on that must not be used any more.",
        "SSL 2.0, SSL 3.0, TLS 1.0 and TLS 1.1 rest on broken hashes and padding. Offer TLS 1.2 and 1.3 only.",
        "RFC 8996; RFC 7568; RFC 6176; RFC 9325 section 3.1";
    Medium "tls-weak-key-exchange": "The key exchange has no forward secrecy.",
        "Whoever gets the server's private key later, by theft or by order of a court, can read what was recorded. Prefer ECDHE suites or TLS 1.3.",
        "RFC 9325 section 4.1";
    Medium "tls-weak-prime": "The Diffie-Hellman prime has fewer than 2048 bits.",
        "Primes of 1024 bits are within reach of large organisations, and one computation opens every session with the same prime (Logjam).",
        "RFC 9325 section 4.2; CVE-2015-4000";
    Medium "tls-weak-key": "A certificate's key is too short.",
        "RSA keys below 2048 bits can be broken with large means: then anybody can pose as the server.",
        "RFC 9325 section 4.2.1";
    Medium "tls-weak-signature": "A certificate is signed with MD2, MD5 or SHA-1.",
        "Such signatures can be made for a forged certificate; no client of today accepts them.",
        "RFC 9155; RFC 6151";
    Medium "tls-weak-compression": "TLS records are compressed.",
        "An attacker who can mix text into the conversation reads secrets from the lengths of records (CRIME).",
        "RFC 9325 section 3.3; CVE-2012-4929";
    Low "tls-weak-renegotiation": "The server does not know secure renegotiation.",
        "An attacker may put octets before those of a client that the server then takes for one conversation.",
        "RFC 5746; RFC 9325 section 3.5";
    Medium "tls-weak-certificate-expired": "The server's certificate was no longer valid at the time of the capture.",
        "A client that checks it does not deliver; one that goes on does not check, and would talk to anybody.",
        "RFC 5280 section 4.1.2.5";
    Medium "tls-weak-certificate-not-yet-valid": "The server's certificate was not yet valid at the time of the capture.",
        "One of the clocks is wrong: that of the server, of the issuer, or of the capture.",
        "RFC 5280 section 4.1.2.5";
    Low "tls-weak-certificate-self-issued": "The server's certificate names itself as its issuer.",
        "Clients can check it only against a fingerprint or DANE. Usual between mail relays, which seldom check; not enough for submission.",
        "RFC 7672; RFC 8314 section 5.3";
    Medium "tls-weak-certificate-name": "The server's certificate is not for the name that the client asked for.",
        "A client that checks names gives up; one that goes on would talk to anybody with any certificate.",
        "RFC 9525 section 6; RFC 7817";
    Info "tls-weak-certificate-banner": "The server's certificate is not for the name that the server greets with.",
        "Not an error by itself: clients check the name that they looked up, which need not be the one in the greeting.",
        "RFC 7817 section 3; RFC 8461 section 4.1";
    Low "tls-weak-certificate-chain": "The server's certificates do not stand in the order in which they sign each other.",
        "Some clients cannot check such a chain. Put each issuer's certificate after the one that it signed.",
        "RFC 5246 section 7.4.2";
    Low "tls-hello-unanswered": "The ClientHello was never answered.",
        "Something on the way may drop large or unknown hellos (post-quantum key shares make two segments of them), or the server hangs.",
        "RFC 8446 section 4.1.2";
    High "tls-downgrade-sentinel": "The server's random says that it could do better than the version it chose.",
        "Somebody between the two may have brought the version down; a client that supports TLS 1.3 must give up.",
        "RFC 8446 section 4.1.3";
    High "tls-heartbeat-overread": "A heartbeat asks for more octets than it brings.",
        "The Heartbleed attack: a server that answers gives away its memory, keys included.",
        "CVE-2014-0160; RFC 6520 section 4";
    High "tls-suite-not-offered": "The server chose a cipher suite that the client did not offer.",
        "A sound client gives up. The hello may have been changed on the way.",
        "RFC 8446 section 4.1.3";
    High "tls-version-not-offered": "The server chose a version that the client did not offer.",
        "A sound client gives up. The hello may have been changed on the way.",
        "RFC 8446 section 4.2.1";
    High "tls-application-data-in-clear": "TLS application data comes before any key was agreed on.",
        "It cannot be protected by keys that do not exist yet; or the beginning of the handshake is missing.",
        "RFC 8446 section 2";
    Medium "tls-ssl2-hello": "The client's hello has the format of SSL 2.0.",
        "Such clients are older than any safe version of TLS.",
        "RFC 6176";
    Medium "tls-extension-repeated": "An extension appears twice in one hello.",
        "Peers may read different values.",
        "RFC 8446 section 4.2";
    Medium "tls-extension-malformed": "An extension's contents do not follow its format.",
        "The peer answers with decode_error, or reads what the sender did not mean.",
        "RFC 8446 section 4.2";
    Medium "tls-handshake-malformed": "A handshake message does not follow its format.",
        "The peer answers with decode_error, or reads what the sender did not mean.",
        "RFC 8446 section 4";
    Medium "tls-handshake-unexpected": "A handshake message comes from the wrong side or at the wrong time.",
        "A sound peer answers with unexpected_message; some old ones could be led astray by it.",
        "RFC 8446 section 4";
    Medium "tls-handshake-interleaved": "A handshake message is interrupted by a record of another type.",
        "A sound peer answers with unexpected_message.",
        "RFC 8446 section 5.1";
    Medium "tls-certificate-malformed": "A certificate cannot be read.",
        "What it says of its owner cannot be shown; the client will not have trusted it.",
        "RFC 5280";
    Low "tls-handshake-unknown": "A TLS handshake message is of an unknown type.",
        "A newer protocol than this program knows, or no handshake.",
        "RFC 8446 section 4";
    Low "tls-handshake-too-long": "A handshake message is longer than is read here.",
        "It is passed over.",
        "a limit of this program";
    Low "tls-certificates-many": "A chain holds more certificates than are read here.",
        "The first ones are shown.",
        "a limit of this program";
    Low "tls-trailing-octets": "Octets follow a hello inside its message.",
        "Peers ignore them or answer with decode_error.",
        "RFC 8446 section 4.1.2";
    Low "tls-change-cipher-spec-malformed": "A ChangeCipherSpec is not the single octet 1.",
        "A sound peer answers with unexpected_message.",
        "RFC 8446 section 5";
    Low "tls-alert-malformed": "A TLS alert is not two octets long.",
        "A sound peer answers with decode_error.",
        "RFC 8446 section 6";
    Low "tls-record-empty": "A TLS record that must have contents is empty.",
        "Harmless alone; in numbers it keeps a peer busy.",
        "RFC 8446 section 5.1";
    Low "tls-record-too-long": "A TLS record is longer than the protocol allows.",
        "A sound peer answers with record_overflow.",
        "RFC 5246 section 6.2.3; RFC 8446 section 5.2";
    Low "tls-record-version": "A TLS record bears a version that does not exist.",
        "Perhaps it is no TLS.",
        "RFC 8446 section 5.1";
    Low "tls-impossible-length": "A TLS record has a length that its cipher suite cannot make.",
        "The record is damaged, or no record of this connection.",
        "RFC 5246 section 6.2.3; RFC 8446 section 5.2";
    Low "tls-not-a-record": "Octets stand where a TLS record should begin, and are none.",
        "Clear text inside TLS, damage, or the end of TLS.",
        "RFC 8446 section 5.1";
    Info "tls-framing-lost": "Octets are missing, and with them the place where the next TLS record begins.",
        "The next record is searched for.",
        "a fault of the capture";
    Info "tls-resynchronised": "TLS records are found again.",
        "What stood between is not known.",
        "a fault of the capture";
    Info "tls-record-incomplete": "Octets within a TLS record are missing.",
        "Its length is known, its contents would not be readable even with keys.",
        "a fault of the capture";
    Info "tls-record-cut": "The stream ends before the end of a TLS record.",
        "The connection or the capture ended there.",
        "a fault of the capture or of the connection";
    Info "tls-records-missing": "TLS records are missing, whole or in part, by the nonces of their neighbours.",
        "What was said in them is not known.",
        "a fault of the capture";
    Info "tls-handshake-incomplete": "Octets of a TLS handshake message are missing.",
        "What the message said is not known.",
        "a fault of the capture";

    High "tcp_overlap_conflict": "The same octets were sent twice with different values; the first copy is shown.",
        "A sound TCP repeats what it sent. Two versions mean that somebody on the path forges segments, or wants an observer to read something else than the receiver does.",
        "RFC 9293 section 3.8.1";
    Medium "tcp_syn_in_connection": "A SYN with another sequence number came within an open connection; it was ignored.",
        "A forged segment, or a host that lost its memory.",
        "RFC 5961 section 4";
    Medium "tcp_reset_out_of_window": "A reset does not fit the connection's sequence numbers; it was ignored.",
        "Perhaps forged, to end the connection for the observer or for the peers.",
        "RFC 5961 section 3";
    Low "tcp_data_after_fin": "Octets were sent after the end of the stream; they were ignored.",
        "The receiver ignores them too.",
        "RFC 9293 section 3.10";
    Low "tcp_data_after_reset": "Octets were sent after a reset by the same side; they were ignored.",
        "The receiver ignores them too.",
        "RFC 9293 section 3.10";
    Low "tcp_fin_moved": "An end of stream does not stand where the octets end; it was ignored.",
        "A forged or damaged segment.",
        "RFC 9293 section 3.10";
    Low "tcp_beyond_window": "A segment lies outside any possible window; it was ignored.",
        "A forged or damaged segment, or two connections with the same ports.",
        "RFC 9293 section 3.10";
    Info "tcp_buffer_full": "Too much arrived after a missing segment; the segment was given up.",
        "It is shown as missing although it may have come later.",
        "a limit of this program";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_entry_has_a_name_of_its_own_and_says_something() {
        let ids: HashSet<_> = CATALOGUE.iter().map(|entry| entry.id).collect();
        assert_eq!(ids.len(), CATALOGUE.len());
        for entry in CATALOGUE {
            assert!(entry.sentence.ends_with('.') && entry.meaning.ends_with('.'), "{}", entry.id);
            assert!(!entry.source.is_empty() && entry.id.parse::<Severity>().is_err(), "{}", entry.id);
        }
    }

    #[test]
    fn every_anomaly_that_a_decoder_names_stands_in_the_catalogue() {
        let smtp = crate::smtp::Anomaly::ALL.iter().map(|anomaly| anomaly.id());
        let all = smtp
            .chain(crate::tls::Anomaly::IDS.iter().chain(crate::tls::Weakness::IDS).copied())
            .chain(crate::flow::Anomaly::ALL.map(|a| a.id()))
            .chain(crate::imf::Anomaly::ALL.map(|a| a.id()));
        for id in all.chain(["wrong-protocol"]) {
            assert!(entry(id).is_some(), "{id} is missing in the catalogue (src/report/catalogue.rs)");
        }
    }

    #[test]
    fn grave_anomalies_rank_above_slight_ones() {
        assert!(severity("smuggling") > severity("early-talker"));
        assert!(severity("early-talker") > severity("code-mismatch"));
        assert!(severity("code-mismatch") > severity("gap"));
        assert_eq!("medium".parse(), Ok(Severity::Medium));
        assert_eq!("worst".parse::<Severity>(), Err(()));
    }
}
