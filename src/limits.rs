//! Every limit: a name, a number, and the reason for it. Reaching one is shown to the user.

use crate::time::Interval;

/// Octets of captured packets that are read, analysed and let go together. Large enough that the
/// work between batches does not count, small enough to stay in a processor's cache.
pub const BATCH_OCTETS: usize = 1 << 20;

/// Runs that a direction's map from octets to packets holds. A dialogue of some hundred commands
/// fits; beyond it, packets are named by the first and the last of a stretch.
pub const MAX_PACKET_RUNS: usize = 512;

/// Packets that a piece of evidence names one by one. A person follows a handful; the first ones
/// and the last one say where to look.
pub const MAX_EVIDENCE_PACKETS: usize = 16;

/// Octets kept of each direction while it is not yet clear what a connection speaks. The longest
/// first line that decides is a greeting of 512 octets (RFC 5321 §4.5.3.1.5) after a PROXY line of 107.
pub const MAX_UNDECIDED_OCTETS: usize = 2048;

/// Anomalies kept of a session; the rest are counted, but for the first of each kind.
pub const MAX_SESSION_ANOMALIES: usize = 64;

/// Anomalies that the JSON report lists at its end; the rest are counted. They wait in memory
/// until the sessions before them are written.
pub const MAX_REPORT_ANOMALIES: usize = 10_000;

/// Sessions that a text report lists in its table. A person reads a few screens, not more; all of
/// them stand in the JSON report and in `overhear sessions`.
pub const MAX_LISTED_SESSIONS: usize = 200;

/// Sessions that a text report shows in full, those that give most away first.
pub const MAX_FULL_SESSIONS: usize = 12;

/// Hosts whose questions to the DNS are remembered, to join them to their sessions.
pub const LOOKUPS: usize = 4096;

/// Questions that are remembered of a host: the latest. A busy mail server asks some dozens for each mail.
pub const LOOKUPS_OF_HOST: usize = 256;

/// Questions of a host that are joined to a session.
pub const LOOKUPS_OF_SESSION: usize = 32;

/// How long before a session a question may belong to it. A client that has just asked connects within seconds.
pub const LOOKUP_BEFORE: Interval = Interval::from_secs(30);

/// Hosts that ask for an address and were not answered yet, whose names are remembered.
pub const JOINING: usize = 4096;

/// Addresses of which names are remembered, and names of each.
pub const NAMES: usize = 16_384;
/// See [`NAMES`].
pub const NAMES_OF_ADDRESS: usize = 4;

/// Tickets and session ids that are remembered, to link the sessions that show them to those that issued them.
pub const LINKED_TOKENS: usize = 10_000;

/// Sessions between the same hosts of which the sizes of sealed tickets are remembered: the latest.
pub const TICKET_SESSIONS: usize = 16;

/// Pairs of hosts that a text report keeps totals for. Later pairs are counted together.
pub const MAX_HOST_PAIRS: usize = 10_000;

/// Pairs of hosts that a text report prints.
pub const MAX_LISTED_PAIRS: usize = 10;

/// Utterances that `follow` holds of a session until it ends, to print it in one piece. Octets of
/// their text; the JSON form streams what is in the clear, and holds what is sealed.
pub const MAX_DIALOGUE_OCTETS: usize = 4 << 20;

/// Messages, and recipients of a message, that the exposure list of a session spells out. The rest
/// are counted; `messages` in the JSON report has them.
pub const MAX_MESSAGES_IN_FULL: usize = 8;

/// Octets of one line that `follow` prints; an AUTH line may have 12 288 (RFC 4954 §4).
pub const MAX_UTTERANCE_OCTETS: usize = 16 << 10;

/// Frames that one `hex` command prints. They are held until the capture is over, since a record
/// that begins in one may end in another.
pub const MAX_HEX_FRAMES: usize = 4096;
/// Headers that `wire` lists of one packet. A mail packet has three; tunnels in tunnels with tags and
/// labels seldom reach ten, and what nests deeper is built to keep decoders busy.
pub const LAYERS: usize = 16;

/// IP datagrams of which fragments are held at one time. Mail is TCP, which avoids fragments: a
/// capture with more than this many open at once is damaged or hostile. The oldest makes room.
pub const OPEN_DATAGRAMS: usize = 64;

/// Seconds, by the capture's clock, after which an incomplete datagram is given up. RFC 1122
/// §3.3.2 asks hosts for 60 to 120, Linux waits 30; who watches waits as long as the longest.
pub const DATAGRAM_SECONDS: i64 = 120;

/// Octets of options and extension headers that may stand before the fragment header of an IPv6
/// datagram that is put together. RFC 8200 §4.5 bounds nothing; real ones have less than 100.
pub const UNFRAGMENTABLE_OCTETS: usize = 1024;
/// The longest packet that a capture may hold, in octets. libpcap and Wireshark hold a record that
/// says more for damaged, and no usual tool records more (`tcpdump -s` ends there).
pub const CAPTURED_PACKET_OCTETS: usize = 256 << 10;

/// The longest pcapng block, in octets: what Wireshark takes. A block is read as a whole.
pub const PCAPNG_BLOCK_OCTETS: usize = 16 << 20;

/// Interfaces that one section of a pcapng capture may declare. Far more than any machine has; each
/// costs memory as long as the section lasts.
pub const PCAPNG_INTERFACES: usize = 65_536;

/// Interfaces that are kept to be shown, over all sections and files.
pub const CAPTURE_INTERFACES: usize = 4096;

/// Comments of a capture that are kept, and the octets of them together: they are read by people.
pub const CAPTURE_COMMENTS: usize = 1000;

/// Octets of all comments of a capture together.
pub const CAPTURE_COMMENT_OCTETS: usize = 1 << 20;

/// Names that a capture gives to addresses. Wireshark writes one for each host it resolved.
pub const CAPTURE_NAMES: usize = 100_000;

/// Octets of decryption secrets that a capture carries. A TLS 1.3 session takes about a thousand.
pub const CAPTURE_SECRET_OCTETS: usize = 64 << 20;

/// Faults of a capture that are told one by one; more are counted. Nobody reads on.
pub const CAPTURE_FAULTS: usize = 100;

/// Binary logarithm of the largest zstd window: 128 MiB, what the `zstd` tool takes without being
/// asked for more memory.
pub const ZSTD_WINDOW_LOG: u32 = 27;

/// Octets of a compressed capture that are read at once.
pub const COMPRESSED_READ_OCTETS: usize = 256 << 10;

/// Octets that are read ahead from all files of a capture together where they overlap in time; each
/// file has at least 64 KiB of them.
pub const MERGE_OCTETS: usize = 16 << 20;

/// Octets that the system keeps of a live capture while the program is busy: a tenth of a second of
/// a line with 1 Gbit/s has 12.5 MB, and a terminal may stop the program for longer.
pub const LIVE_BUFFER_OCTETS: u32 = 64 << 20;
/// Octets of a connection in another protocol that are searched for a request for TLS. It is made
/// at the beginning; XMPP's stream header and IMAP's capabilities are a few thousand octets.
pub const UPGRADE_OCTETS: u64 = 32 << 10;

/// Times between key presses of an SSH connection that are kept for their middle: hours of typing.
pub const SSH_KEY_PRESSES: usize = 16 << 10;

/// Octets of an SSH identification line that are kept (RFC 4253 §4.2 allows 255).
pub const SSH_IDENTIFICATION: usize = 255;

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

/// Sealed records of a session that the JSON report lists one by one. The rest are counted.
pub const MAX_STEPS: usize = 4096;
/// Octets kept of one client line. RFC 5321 §4.5.3.1.4 allows 512, RFC 4954 §4 asks for 12288 in
/// AUTH exchanges; what is longer is consumed and shown cut.
pub const SMTP_LINE_OCTETS: usize = 12_288;

/// Octets without a line end after which a line, or a reply, counts as over: SMTP has none that
/// long, and what comes later must not wait for its end.
pub const SMTP_GIVE_UP_OCTETS: u64 = 1 << 20;

/// Octets kept of one reply, all its lines together: room for a hundred lines of 512 octets
/// (RFC 5321 §4.5.3.1.5) and for long AUTH challenges.
pub const SMTP_REPLY_OCTETS: usize = 65_536;

/// Lines of one reply that may lack a code before the reply counts as over: real servers wrap a
/// line or two, a stream that is not SMTP never comes back.
pub const SMTP_REPLY_LINES_WITHOUT_CODE: u32 = 32;

/// Commands that wait for their replies. Clients pipeline a MAIL and its recipients (at least 100,
/// RFC 5321 §4.5.3.1.8); a capture of the client alone never empties the queue.
pub const SMTP_OUTSTANDING: usize = 2_048;

/// Recipients kept of one transaction; the rest is counted. Ten times what a server must accept
/// (RFC 5321 §4.5.3.1.8).
pub const SMTP_RECIPIENTS: usize = 1_000;

/// Transactions kept in a dialogue's summary; the rest is counted. Each was an event as it ended.
pub const SMTP_TRANSACTIONS: usize = 64;

/// Transactions whose outcome is still open: pipelining may put a few on the way.
pub const SMTP_TRANSACTIONS_OPEN: usize = 8;

/// AUTH attempts kept in a dialogue's summary; the rest is counted. Servers hang up after a few.
pub const SMTP_AUTH_ATTEMPTS: usize = 32;

/// Capabilities kept of one EHLO reply; real servers list under thirty.
pub const SMTP_CAPABILITIES: usize = 128;

/// Octets kept of an address, a name or a line of text in a summary: twice a path (RFC 5321
/// §4.5.3.1.3) and a whole reply line.
pub const SMTP_TEXT_OCTETS: usize = 1_024;

/// Octets of a client line after DATA that are looked at before they count as message text,
/// when the reply has not been seen: no command line is longer (RFC 5321 §4.5.3.1.4).
pub const SMTP_PEEK_OCTETS: usize = 512;

/// Mails kept of those that commands inside a message send; the rest is counted. One is the usual attack.
pub const SMTP_SMUGGLED_MAILS: usize = 8;

/// Recipients kept of each of them; the rest is counted.
pub const SMTP_SMUGGLED_RECIPIENTS: usize = 16;

/// Lines after a look-alike of the end of data that may be no commands before they count as text: servers
/// hang up after some ten to twenty errors (Postfix: `smtpd_hard_error_limit`, 20).
pub const SMTP_SMUGGLED_NOISE: u32 = 20;
/// How long a reply may take before it counts as a stall. RFC 5321 §4.5.3.2 has clients wait for
/// minutes, but what people use gives up after half a minute to a minute.
pub const SMTP_STALL: Interval = Interval::from_secs(30);

/// How long a client may pause inside a message before it counts as a stall: RFC 5321 §4.5.3.2.5
/// lets the server give up after three minutes.
pub const SMTP_MESSAGE_STALL: Interval = Interval::from_secs(180);

/// A wait for a reply that is worth a word to a person: a reader would notice it.
pub const SLOW_REPLY: Interval = Interval::from_secs(1);

/// EHLO replies whose capabilities are kept of a dialogue; real clients send one, or two.
pub const SMTP_OFFERS: usize = 4;

/// XCLIENT and XFORWARD commands kept of a dialogue: a filter sends two for each message.
pub const SMTP_CLAIMS: usize = 8;

/// Attributes read of one XCLIENT or XFORWARD command; Postfix knows eleven.
pub const SMTP_CLAIM_ATTRIBUTES: usize = 16;

/// VRFY and EXPN commands from which on they are a search for addresses, not a question.
pub const SMTP_PROBES: u64 = 5;

/// Recipients refused as unknown from which on they are guesses, if they outnumber those taken.
pub const SMTP_UNKNOWN_RECIPIENTS: u64 = 10;

/// Logins refused in one session from which on they are guesses; servers hang up soon after.
pub const SMTP_REFUSED_LOGINS: u64 = 4;

/// Octets of a command line with its CR LF (RFC 5321 §4.5.3.1.4).
pub const SMTP_COMMAND_OCTETS: u64 = 512;

/// The same for commands that extensions lengthen: SIZE, AUTH, DSN and others add some 1500
/// octets to MAIL and RCPT together (RFC 1870, 3461, 4954 …).
pub const SMTP_EXTENDED_COMMAND_OCTETS: u64 = 2_048;

/// Octets of a reply line with its CR LF (RFC 5321 §4.5.3.1.5).
pub const SMTP_REPLY_LINE_OCTETS: usize = 512;

/// Octets of a line of message text with its CR LF (RFC 5321 §4.5.3.1.6).
pub const SMTP_TEXT_LINE_OCTETS: usize = 1_000;

/// Octets of the part of an address before the `@` (RFC 5321 §4.5.3.1.1).
pub const SMTP_LOCAL_PART_OCTETS: usize = 64;

/// Octets of a domain (RFC 5321 §4.5.3.1.2).
pub const SMTP_DOMAIN_OCTETS: usize = 255;

/// Octets of an address with its angle brackets (RFC 5321 §4.5.3.1.3).
pub const SMTP_PATH_OCTETS: usize = 256;

/// By how much a message may exceed its `SIZE=` before the client was wrong, in octets; an eighth
/// of it comes on top. Clients count lines that end with LF alone, and RFC 1870 §6.1 lets them guess.
pub const SMTP_SIZE_TOLERANCE: u64 = 1_024;

/// Octets of a message's header that are read; real headers stay far below, and servers cut them
/// at about this size.
pub const IMF_HEADER_OCTETS: usize = 262_144;

/// Octets kept of one header field by [`crate::imf::Reader`], folds included: lists of some thousand recipients, and
/// signatures.
pub const IMF_HEADER_FIELD_OCTETS: usize = 65_536;

/// Octets of a boundary line; RFC 2046 §5.1.1 allows boundaries of 70.
pub const IMF_BOUNDARY_OCTETS: usize = 512;

/// Octets of a file name that `extract` writes, beside the numbers before it: file systems allow 255.
pub const EXTRACT_NAME_OCTETS: usize = 120;

/// Octets of a file that is being extracted which wait to be written together.
pub const EXTRACT_PIECE_OCTETS: usize = 65_536;

/// Files that are kept open while they are extracted; others are opened again for each piece.
pub const EXTRACT_OPEN_FILES: usize = 128;

/// Messages of one session whose contents are listed.
pub const MESSAGES_WITH_CONTENTS: usize = 256;

/// Attachments of one message that are listed; the rest are counted.
pub const MESSAGE_ATTACHMENTS: usize = 50;

/// Parts inside parts that are told apart; real mail stays below ten.
pub const IMF_DEPTH: usize = 32;

/// Parts of one message that are told apart.
pub const IMF_PARTS: u64 = 1_000;

/// Parameters of one header field that are read: a long name in pieces has some tens.
pub const IMF_PARAMETERS: usize = 100;

/// Octets of a line of uuencode: 45 octets of contents are the most that its length octet is used for.
pub const IMF_UUENCODED_LINE_OCTETS: usize = 128;

/// Octets kept of one header field, unfolded: a few lines of 998 octets (RFC 5322 §2.1.1).
pub const IMF_FIELD_OCTETS: usize = 4_096;

/// Files of one message that `log --format eve` tells of, an event each.
pub const EVE_FILES: usize = 256;

/// Octets of a transaction's recipients, and as many of a message's header fields, that are kept for its
/// events. Longer lists are cut: an event is one line, and one message must not fill the memory.
pub const EVE_KEPT_OCTETS: usize = 256 << 10;

/// Addresses (URLs) of one message that stand in its event. A newsletter has some dozens.
pub const EVE_URLS: usize = 512;

/// Events of one message (MIME_…), an event each: a hostile message must not fill the log.
pub const EVE_MESSAGE_EVENTS: usize = 64;

/// Values of one field that stand in an event: recipients in `To` and `Cc`, `Received` lines.
pub const EVE_VALUES: usize = 1_000;

/// Octets (with their bookkeeping) that one direction of a connection holds back while it waits
/// for a missing segment. Bulk mail over long fat paths keeps windows of some MiB in flight; what
/// waits longer than that is not coming.
pub const REASSEMBLY_DIRECTION: usize = 4 << 20;

/// Octets that all connections of one table hold back together. A capture that lost packets on
/// thousands of connections at once must not need more memory than one that lost none.
pub const REASSEMBLY_TOTAL: usize = 32 << 20;

/// Octets held back behind a hole of a direction whose peer is not in the capture: no
/// acknowledgment will ever say whether the hole can still be filled. A sender keeps at most a
/// window unacknowledged, and windows of mail servers seldom pass 1 MiB.
pub const REASSEMBLY_ONE_SIDED: usize = 1 << 20;

/// How long such a hole is waited for. Retransmission timers start at 1 s (RFC 6298 §2) and
/// double; five tries pass in half a minute.
pub const HOLE_PATIENCE: Interval = Interval::from_secs(30);

/// How long an octet that the receiver has acknowledged may still turn up: packets taken from two
/// interfaces or queues are out of order by some milliseconds at most.
pub const HOLE_GRACE: Interval = Interval::from_millis(20);

/// How long a hole must have stood before an answer to what lies behind it closes it. Packets that
/// overtake each other on their way into a capture do so within microseconds.
pub const ANSWERED_HOLE_GRACE: Interval = Interval::from_millis(1);

/// The same in segments, for captures without usable times.
pub const ANSWERED_HOLE_GRACE_SEGMENTS: u64 = 4;

/// How many segments of the connection may pass before such an octet counts as not captured,
/// whatever the clock says: some captures have no usable times.
pub const HOLE_GRACE_SEGMENTS: u64 = 16;

/// The largest jump of sequence numbers that can be meant: the largest window of TCP, 65535 octets
/// scaled by 14 bits (RFC 7323 §2.3), is just below 1 GiB.
pub const PLAUSIBLE_WINDOW: i64 = 1 << 30;

/// How far the sequence number of a reset may lie from what its sender sent last. Far wider than
/// RFC 5961 §3.2 wants of a receiver, since an observer may have missed packets; still 1 in 128 of the
/// number space, so that a blind forgery is mostly told apart.
pub const RESET_WINDOW: i64 = 1 << 24;

/// Anomalies of one connection that are kept with their place; further ones are counted.
pub const CONNECTION_ANOMALIES: usize = 32;

/// Connections that a table holds open. At some KiB each with what the decoders keep, this stays
/// within 100 MiB; a flood of SYNs costs the longest idle connections, not the memory.
pub const CONNECTIONS: usize = 32_768;

/// How long after its end a connection is kept: the last acknowledgments and retransmissions still
/// belong to it. Far below the 60 s after which Linux lets go of TIME-WAIT.
pub const CLOSED_LINGER: Interval = Interval::from_secs(10);

/// How long a SYN may stand unanswered: Linux gives up after six retransmissions, 127 s.
pub const UNANSWERED: Interval = Interval::from_secs(130);

/// How long a connection may be silent. RFC 5321 §4.5.3.2 lets a client wait 10 minutes for the
/// reply to the final dot; after that and a margin nobody waits any more.
pub const IDLE: Interval = Interval::from_secs(15 * 60);

/// After so long a silence a SYN with a new number opens a new connection, even though the end of
/// the old one was not seen. RFC 9293 §3.6.1: twice the maximum segment lifetime of 2 minutes.
pub const REUSE_SILENCE: Interval = Interval::from_secs(240);
/// Echo requests that are remembered until their reply comes, so that a reply can name its request.
/// A flood must not grow the memory; a reply that comes after so many later requests stays unmatched.
pub const ECHO_REQUESTS: usize = 4096;

/// Addresses of which the owner is remembered, so that a second owner is noticed (ARP). More than the
/// hosts of any one link; a scan of a larger range forgets the oldest.
pub const ARP_OWNERS: usize = 4096;

/// Pairs of endpoints that the packet list remembers for its notes; about 300 octets each.
pub const ANALYSED_CONNECTIONS: usize = 32_768;

/// Segments in flight that the packet list remembers for each direction: what distinguishes a late
/// segment from one sent again. Windows of mail are some dozens of segments.
pub const UNACKNOWLEDGED_SEGMENTS: usize = 1024;
/// Octets of an unfinished SSH packet that are kept until the rest of it comes. RFC 4253 §6.1 asks for
/// 35000 in all; key exchange messages with post-quantum keys and long lists stay well below.
pub const SSH_PACKET: usize = 1 << 16;

/// Octets of a message's text that `follow --json --message-text` carries; `length` says how many
/// there were. Larger ones belong in a file of their own.
pub const MAX_MESSAGE_TEXT: usize = 1 << 20;

/// Secrets that are kept of all key logs. A session has one in TLS 1.2 and five in TLS 1.3, so these are
/// some hundred thousand sessions in a few hundred MiB.
pub const KEY_LOG_SECRETS: u64 = 2_000_000;

/// Different secrets for one use of one session: key logs of both sides, and one that is wrong.
pub const KEY_LOG_CANDIDATES: usize = 4;

/// Octets of handshake messages that are kept to work out an extended master secret (RFC 7627) from
/// a server's private key: two chains of certificates, and hellos.
pub const TLS_TRANSCRIPT_OCTETS: usize = 256 << 10;

/// Octets that are decrypted to find the place of a record after others are missing. Each lost record
/// makes one try more; a record of 16 KiB after 10 MB of loss has some hundred.
pub const TLS_SEARCH_OCTETS: usize = 32 << 20;

/// Buffers for records under way that are kept for the next ones, 18 KiB each.
pub const TLS_SPARE_BUFFERS: usize = 64;

/// Sessions of which the master secret is remembered, so that a resumed one can be opened with the
/// server's private key.
pub const TLS_REMEMBERED_SESSIONS: usize = 10_000;

/// Commands without a reply that are paired with replies for Zeek's logs; its own analyzer keeps as many.
pub const ZEEK_PENDING_COMMANDS: usize = 1000;

/// Members of one list in a record of Zeek's logs: as many as Zeek writes.
pub const ZEEK_ADDRESSES: usize = 100;

/// Octets of one value in Zeek's logs: longer ones are cut, as Zeek cuts them.
pub const ZEEK_TEXT: usize = 4096;

/// Letters of the history of a TLS handshake in Zeek's `ssl.log`; a whole handshake has about ten.
pub const ZEEK_HISTORY: usize = 1000;

/// Certificates that one run of `log --format zeek` remembers, so as to write each into `x509.log` once.
pub const ZEEK_CERTIFICATES: usize = 100_000;

/// Connections of Zeek's between the same ends that one of ours is told as: packets that come long after the end begin another.
pub const ZEEK_AFTERMATHS: usize = 64;

/// Readings of a sealed session that are kept side by side. Rivals that matter are a few; grouped
/// commands make some dozens for each count of recipients and of refusals.
pub const INFER_PATHS: usize = 96;

/// Readings that are weighed for one session in all, which keeps any session below 50 ms; what
/// needs more is not decided.
pub const INFER_WORK: usize = 60_000;

/// How far a reading may fall behind the best one before it is dropped: a factor of e to this.
pub const INFER_REACH: f64 = 9.0;

/// Readings that are remembered for sessions with the same lengths, and the records of the longest of them: together
/// some megabytes.
pub const INFER_REMEMBERED: usize = 512;
/// See [`INFER_REMEMBERED`].
pub const INFER_REMEMBERED_RECORDS: usize = 256;

/// Records of the client in a row that are read one by one; more can only be a message. RFC 5321
/// §4.5.3.1.8 has a client send at least 100 recipients, which may all be on their way at once.
pub const INFER_ROW: usize = 110;
