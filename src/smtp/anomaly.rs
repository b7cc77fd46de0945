//! What is unusual in a dialogue, each by a stable name.

use std::fmt;

macro_rules! anomalies {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $sentence:literal;)*) => {
        /// Something unusual in a dialogue; the event's span says where.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Anomaly {
            $($(#[$doc])* $name,)*
        }

        impl Anomaly {
            /// All of them, in the order of the catalogue.
            pub const ALL: &'static [Anomaly] = &[$(Anomaly::$name,)*];

            /// The stable name, for outputs that programs read.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self {
                    $(Anomaly::$name => $id,)*
                }
            }
        }

        impl fmt::Display for Anomaly {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Anomaly::$name => $sentence,)*
                })
            }
        }
    };
}

anomalies! {
    /// A command or reply line ends with LF alone (RFC 5321 §2.3.8).
    BareLf = "bare-lf", "a line ends with LF alone where CR LF is required";
    /// A CR stands inside a command or reply line.
    BareCr = "bare-cr", "a CR stands inside a line";
    /// A line ends with CR CR LF.
    DoubledCr = "doubled-cr", "a line ends with CR CR LF";
    /// A NUL stands inside a command or reply line.
    Nul = "nul", "a NUL stands inside a line";
    /// An octet above 127 stands in a command line, without SMTPUTF8.
    EightBit = "eight-bit", "a command holds octets above 127";
    /// A line of message text ends with LF alone.
    BareLfInMessage = "bare-lf-in-message", "lines of the message end with LF alone";
    /// A CR stands alone in message text.
    BareCrInMessage = "bare-cr-in-message", "a CR stands alone in the message";
    /// Message text holds a NUL.
    NulInMessage = "nul-in-message", "the message holds a NUL";
    /// A dot line with bare LF or CR around it stands inside a message that goes on.
    EndOfDataLookAlike = "end-of-data-look-alike", "a dot line with bare LF or CR stands inside the message: some servers end the message there";
    /// Commands follow such a dot line (SMTP smuggling, CVE-2023-51764).
    Smuggling = "smuggling", "commands follow a look-alike of the end of data inside the message: some servers obey them";
    /// The server replied to commands that stand inside a message.
    SmugglingAnswered = "smuggling-answered", "the server replied to commands inside a message: it read two messages where there is one";
    /// A message was ended by a dot line with bare LF.
    BareLfEndOfData = "bare-lf-end-of-data", "the message was ended by a dot line with bare LF";
    /// The client sent before it was its turn (RFC 2920 §3.1).
    PipeliningViolation = "pipelining-violation", "the client sent on where it has to wait for the reply";
    /// The client spoke before the greeting.
    EarlyTalker = "early-talker", "the client spoke before the server's greeting";
    /// The server replied while no command was outstanding.
    ReplyOrphan = "reply-orphan", "a reply that no command asked for";
    /// The lines of one reply state different codes.
    CodeMismatch = "code-mismatch", "the lines of one reply state different codes";
    /// A reply's code is not of class 2 to 5.
    UnknownCode = "unknown-code", "a reply whose code is not of class 2 to 5";
    /// A reply's lines are malformed: no separator, a line without a code.
    MalformedReply = "malformed-reply", "a reply with a malformed line";
    /// The server sent a line that is no reply.
    NotAReply = "not-a-reply", "the server sent a line that is no reply";
    /// The client sent a line that is no command.
    NotACommand = "not-a-command", "the client sent a line that is no command";
    /// A command came out of order: RCPT before MAIL, DATA without RCPT, a second MAIL.
    Order = "order", "a command out of order";
    /// A line is longer than any that RFC 5321 or RFC 4954 allow.
    TooLong = "too-long", "a line or reply is longer than any limit of the RFCs";
    /// More commands wait for replies than are kept.
    TooManyOutstanding = "too-many-outstanding", "more commands wait for replies than are kept";
    /// A BDAT argument is not a size and an optional LAST (RFC 3030 §2).
    BadBdat = "bad-bdat", "a BDAT command without a valid size";
    /// A message sent by BDAT was left without LAST.
    BdatWithoutLast = "missing-bdat-last", "a message sent by BDAT was left without its LAST chunk";
    /// The client sent a message although DATA was refused.
    DataAfterRefusal = "data-after-refusal", "the client sent a message although DATA was refused";
    /// The server replied before the message was over.
    EarlyReply = "early-reply", "the server replied before the message was over";
    /// Clear octets of the client follow STARTTLS before its reply (CVE-2011-0411).
    CommandInjection = "cmd-injection", "clear commands follow STARTTLS before its reply: a server that keeps them executes them inside TLS";
    /// Clear octets of the server follow its 220 to STARTTLS.
    ReplyInjection = "reply-injection", "clear octets follow the server's 220 to STARTTLS";
    /// The dialogue goes on in the clear after 220 to STARTTLS.
    ClearAfterStartTls = "cleartext-after-220", "the dialogue goes on in the clear after the server agreed to STARTTLS";
    /// The STARTTLS capability is overwritten in the EHLO reply.
    StartTlsMasked = "starttls-masked", "a capability of the EHLO reply is overwritten with X: something on the way hides STARTTLS";
    /// The server refused STARTTLS.
    StartTlsRefused = "starttls-refused", "the server refused STARTTLS";
    /// A password or a token was sent that anyone on the path can read and use.
    PlainAuthInClear = "plain-auth-clear", "a login whose secret anyone on the path can read and use";
    /// The server offers such a login in the clear, and no STARTTLS (RFC 4954 §4).
    PlainAuthOffered = "plain-auth-offered", "the server offers a login whose secret anyone on the path could read, and no STARTTLS";
    /// REQUIRETLS is offered or used in the clear (RFC 8689 §2).
    RequireTlsInClear = "requiretls-clear", "REQUIRETLS in the clear: it is about mail that must not be";
    /// The enhanced status of a reply is of another class than its code (RFC 2034 §4).
    StatusMismatch = "status-mismatch", "the enhanced status of a reply contradicts its code";
    /// A command, parameter or mechanism is used that the server did not offer.
    Unadvertised = "unadvertised-use", "the client uses what the server did not offer";
    /// A known parameter of MAIL or RCPT has a value that is not of its form.
    BadParameter = "bad-parameter", "a parameter of MAIL or RCPT has a value that it cannot have";
    /// The message is longer than its SIZE parameter says (RFC 1870 §6.1).
    SizeLie = "size-lie", "the message is longer than the client announced";
    /// The client exceeds SIZE or LIMITS (RFC 1870, RFC 9422).
    OverLimit = "over-limit", "the client exceeds what the server says it takes";
    /// The server's offers differ between two EHLO replies in the same phase.
    OfferChanged = "ehlo-changed", "the server offers something else than in its earlier EHLO reply";
    /// An address is longer than RFC 5321 §4.5.3.1 allows.
    AddressTooLong = "address-too-long", "an address is longer than RFC 5321 allows";
    /// A line of message text is longer than RFC 5321 §4.5.3.1.6 allows.
    LongLineInMessage = "long-line-in-message", "a line of the message is longer than 1000 octets";
    /// Message text holds octets above 127 that the client has not announced (RFC 6152 §3).
    EightBitInMessage = "eight-bit-in-message", "the message holds octets above 127 that were not announced";
    /// BDAT and DATA in one transaction (RFC 3030 §2).
    MixedTransfer = "mixed-transfer", "BDAT and DATA in one transaction";
    /// Another protocol's words stand in the dialogue.
    OtherProtocol = "wrong-protocol", "the client speaks another protocol: HTTP or TLS in the place of a command";
    /// One side kept the other waiting.
    Stall = "stall", "one side kept the other waiting for more than 30 seconds, or three minutes inside a message";
    /// Many VRFY or EXPN commands.
    AddressProbing = "address-probing", "the client asks for one address after the other";
    /// Many recipients refused as unknown.
    RecipientHarvest = "recipient-harvest", "most recipients are refused as unknown: the client guesses addresses";
    /// Many refused logins.
    LoginGuessing = "login-guessing", "one login after the other is refused";
    /// A refusal names a blocklist.
    Blocklisted = "blocklisted", "the server refuses the client because of a blocklist";
    /// Octets of the dialogue are missing from the capture.
    Gap = "gap", "octets of the dialogue are missing from the capture";
    /// The stream ended, or a gap began, inside a line, a reply or a message.
    Truncated = "truncated", "the stream ends inside a line, a reply or a message";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_anomaly_has_a_name_of_its_own_and_a_sentence() {
        let ids: HashSet<_> = Anomaly::ALL.iter().map(|a| a.id()).collect();
        assert_eq!(ids.len(), Anomaly::ALL.len());
        assert!(Anomaly::ALL.iter().all(|a| !a.to_string().is_empty()));
    }
}
