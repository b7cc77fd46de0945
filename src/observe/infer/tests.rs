use super::claims::{Octets, Transfer};
use super::engine::built_in;
use super::fuzz::fuzz_infer;
use super::grammar::{Command, Mechanisms, Outcome, Taken};
use super::offers::Offers;
use super::prior::{Priors, Range};
use super::search::{Context, Record, Search, merged};
use super::software::{Habits, Manner};
use super::statements::{Ground, Stated, state};
use super::templates::Templates;

/// `C25` is a record of the client with 25 octets, `S0-15` one of the server in an interval.
fn read(records: &str, context: &Context) -> Stated {
    let (templates, priors) = built_in();
    read_with(templates, priors, records, context)
}

/// The same without the templates of a server.
fn read_without(server: &str, records: &str, context: &Context) -> Stated {
    let templates = Templates::built_in().without(&[server], &[]);
    let priors = Priors::new(&templates);
    read_with(&templates, &priors, records, context)
}

fn read_with(templates: &Templates, priors: &Priors, records: &str, context: &Context) -> Stated {
    let records: Vec<Record> = records
        .split_whitespace()
        .map(|word| {
            let (from, length) = word.split_at(1);
            let (low, high) = length.split_once('-').unwrap_or((length, length));
            let length = Range::new(low.parse().unwrap(), high.parse().unwrap());
            Record::one(from == "C", length)
        })
        .collect();
    let records = merged(&records);
    let found = Search::run(templates, priors, context, &records);
    let ground = Ground { templates, priors, context, records: &records, manner: Manner::default() };
    state(&ground, &found)
}

/// PIPELINING, and CHUNKING or not.
fn pipelining(chunking: bool) -> Offers {
    Offers { pipelining: Some(true), chunking: Some(chunking), ..Offers::default() }
}

fn implicit() -> Context {
    Context { greets: true, ended: true, ..Context::default() }
}

#[test]
fn every_word_of_the_table_is_understood() {
    let table = include_str!("templates.txt");
    let templates = Templates::parse(table);
    let headings = |word: &str| table.lines().filter(|line| line.starts_with(word)).count();
    assert_eq!(templates.servers.len(), headings("server "));
    assert_eq!(templates.clients.len(), headings("client "));
    for server in &templates.servers {
        assert!(server.weight > 0.0, "{}", server.name);
    }
    for client in &templates.clients {
        assert!(client.weight > 0.0 && !client.parameters.is_empty() && client.quit > 0.0, "{}", client.name);
    }
    assert_eq!(Templates::unread(table), Vec::<&str>::new());
}

#[test]
fn a_session_in_which_each_command_waits_is_read_whole() {
    let stated = read("S35 C25 S194 C53 S37 C31 S14 C36 S14 C43 S104 C6 S37 C1836 S37 C6 S15", &implicit());
    let messages = stated.messages.unwrap();
    let [message] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(message.size, Some(Octets::exactly(1833)));
    assert_eq!((message.transfer, message.accepted), (Some(Transfer::Data), Some(true)));
    let recipients = message.recipients.as_ref().unwrap();
    assert_eq!(recipients.iter().map(|r| r.accepted).collect::<Vec<_>>(), [Some(true), Some(false)]);
    assert_eq!(recipients[0].address_length, Some(Octets::exactly(24)));
    assert!(message.confidence >= 0.9, "{}", message.confidence);
    let login = stated.auth.unwrap();
    assert_eq!((login.mechanism, login.succeeded), (Some("PLAIN"), Some(true)));
    assert_eq!(login.credential_length, Some(Octets::between(26, 28)));
    assert_eq!(stated.server.unwrap().name, "postfix");
    assert_eq!(stated.quit, Some(true));
}

/// Exim takes MAIL, recipients and DATA of a Postfix client in one record, and answers in one: 8 + 14 n + 56.
#[test]
fn the_sum_of_replies_tells_how_many_recipients_shared_a_record() {
    let context = Context { ehlo: Some(29), offers: pipelining(false), ended: true, ..Context::default() };
    let stated = read("C29 S206 C130 S106 C301 S28 S41", &context);
    let message = &stated.messages.unwrap()[0];
    assert_eq!(message.recipients.as_ref().map(Vec::len), Some(3));
    assert!(message.recipients.iter().flatten().all(|r| r.accepted == Some(true) && r.address_length.is_none()));
    assert_eq!(message.size, Some(Octets::exactly(292)));
}

#[test]
fn the_two_lines_of_auth_login_are_each_told_within_three_octets() {
    let stated = read("S35 C25 S194 C12 S18 C26 S18 C18 S37 C31 S14 C36 S14 C6 S37 C500 S37 C6 S15", &implicit());
    let login = stated.auth.unwrap();
    assert_eq!(login.mechanism, Some("LOGIN"));
    assert_eq!(login.username_length, Some(Octets::between(16, 18)));
    assert_eq!(login.password_length, Some(Octets::between(10, 12)));
}

/// Exim sends what its first chunk leaves in another one, whose answer names the message; QUIT stands behind it.
#[test]
fn a_message_in_several_chunks_is_one_message() {
    let habits = Habits { chunk: 0.9, ..Habits::default() };
    let context = Context { offers: pipelining(true), habits, ..implicit() };
    let stated = read("S35 C28 S194 C29 S37 C542 S53 C8208 C8191 C2659 S64", &context);
    let messages = stated.messages.unwrap();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_ne!(stated.quit, Some(false));
    let apart = read("S35 C28 S194 C40 S14 C36 S14 C543 S25 C8209 C8191 C5008 S50 C6 S15", &context);
    let messages = apart.messages.unwrap();
    let [message] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!((message.transfer, message.accepted), (Some(Transfer::Bdat), Some(true)));
    let chunks = 543 - 10 + 8209 + 8191 + 5008 - 17;
    assert!(message.size.is_some_and(|size| (size.min..=size.max).contains(&chunks)), "{message:?}");
}

/// As recorded of swaks and python-slimta, which answers a recipient of a octets with a + 36 and refuses it, or with
/// a + 27 and takes it; the sender had an answer of its own and 24.
#[test]
fn of_two_echoes_of_a_server_that_is_not_known_the_longer_refuses() {
    let context = Context {
        ehlo: Some(25),
        offers: Offers { auth: Some(true), ..Offers::default() },
        ended: true,
        ..Context::default()
    };
    let recipients = [(20, 36), (24, 36), (34, 36), (28, 36), (26, 36), (16, 27), (33, 27), (34, 27), (15, 27)];
    let said: String = recipients.iter().map(|(a, around)| format!("C{} S{} ", a + 12, a + around)).collect();
    let stated = read_without("slimta", &format!("C25 S121 C35 S45 {said}C6 S46 C461 S41 C6 S15"), &context);
    assert_eq!(stated.server, None);
    let refusals: Vec<_> = stated
        .steps
        .iter()
        .filter_map(|step| match step {
            Some((Taken::Replies { first: Command::Rcpt, outcome, .. }, ..)) => Some(*outcome == Outcome::No),
            _ => None,
        })
        .collect();
    let expected: Vec<_> = recipients.iter().map(|(_, around)| *around == 36).collect();
    assert_eq!(refusals, expected);
    let wrong = |(told, refused): (&Option<bool>, &bool)| told.is_some_and(|told| told == *refused);
    let messages = stated.messages.unwrap();
    let told: Vec<_> = messages[0].recipients.iter().flatten().map(|r| r.accepted).collect();
    assert!(!told.iter().zip(&expected).any(wrong), "{told:?}");
}

/// As recorded of Go's net/smtp and Dovecot: after a refused login the client says `*`, for which it is told off.
#[test]
fn a_refused_login_may_be_given_up_once_more() {
    let context = Context { ehlo: Some(19), ended: true, ..Context::default() };
    let stated = read("C19 S136 C53 S34 C3 S34 C6 S15", &context);
    assert_eq!(stated.messages.as_deref(), Some(&[][..]));
    let login = stated.auth.unwrap();
    assert_eq!((login.mechanism, login.succeeded), (Some("PLAIN"), Some(false)));
}

/// As recorded of INetSim, which has the words of Postfix, but writes each line of a reply in a record of its own.
#[test]
fn a_server_that_writes_line_by_line_is_none_that_never_does() {
    let lines = "S20 S10 S20 S9 S10 S10 S10 S14 S51 S25";
    let dialogue = format!("S48 C22 {lines} C81 S37 C46 S14 C32 S14 C27 S14 C6 S37");
    let stated = read_without("inetsim", &dialogue, &implicit());
    assert!(stated.server.is_none_or(|server| server.name != "postfix"));
    let together = dialogue.replace(lines, "S179");
    assert_eq!(read_without("inetsim", &together, &implicit()).server.unwrap().name, "postfix");
}

/// As recorded of Go's net/smtp and Courier, which says `235 Ok` and `250 Ok.`: the first of the records may be MAIL, and
/// whatever follows a recipient.
#[test]
fn what_rests_on_a_server_that_is_not_known_is_not_stated_with_little_more_than_a_guess() {
    let dialogue = "C20 S170 C41 S8 C73 S9 C37 S34 C28 S9 C28 S9 C29 S9 C6 S9 C446 S35 C6 S10";
    let context = Context { ehlo: Some(20), ended: true, ..Context::default() };
    let stated = read_without("courier", dialogue, &context);
    let best = stated.steps[2].as_ref().map(|(taken, sure, _)| (*taken, *sure > 0.9));
    assert_eq!(best, Some((Taken::Command(Command::Mail), true)), "which is likely, and wrong");
    assert_eq!(stated.undecided, ["message 1: several readings fit, with other numbers of recipients"]);
    for message in stated.messages.unwrap() {
        let told = message.recipients.is_some() || message.sender_length.is_some();
        assert!(!told || message.confidence >= 0.95, "{message:?}");
    }
    let known = read(dialogue, &context).messages.unwrap();
    assert_eq!(known[0].recipients.as_ref().map(Vec::len), Some(4));
}

#[test]
fn what_does_not_fit_smtp_is_not_read_as_mail() {
    let stated = read("S16384 C300 S16384 S16384 C150 S9000 S14000 C170 S300", &implicit());
    let claimed = stated.messages.is_some_and(|messages| !messages.is_empty() && stated.confidence >= 0.9);
    assert!(!claimed);
}

#[test]
fn any_records_are_read_within_bounds() {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    for length in 0..60 {
        let mut data: Vec<u8> = (0..length * 7).map(|_| next()).collect();
        fuzz_infer(&data);
        // The same with lengths of commands.
        data.iter_mut().skip(1).step_by(3).for_each(|octet| *octet = 0);
        fuzz_infer(&data);
    }
}

/// `250 Sender address accepted` and `250 Recipient address accepted`.
#[test]
fn of_a_server_that_is_not_known_a_recipient_may_have_the_answer_of_the_sender_but_for_that_word() {
    let records = "C60 S87 C14 S29 C46 S32 C55 S32 C29 S32 C44 S32 C6 S14 C16384 C7677 S26 C6 S19";
    let context = Context { ehlo: Some(60), ended: true, ..Context::default() };
    let stated = read_without("twisted", records, &context);
    let message = &stated.messages.unwrap()[0];
    let recipients = message.recipients.as_ref().unwrap();
    assert_eq!(recipients.len(), 4);
    assert!(recipients.iter().all(|recipient| recipient.accepted == Some(true)));
    assert!(stated.auth.is_none());
}

#[test]
fn no_login_is_read_where_none_is_offered_and_none_by_a_mechanism_that_is_not() {
    let records = "C20 S136 C57 S22 C57 S14 C45 S14 C29 S14 C6 S8 C500 S50 C6 S15";
    let clear = |auth, mechanisms| {
        let offers = Offers { auth, mechanisms, ..Offers::default() };
        Context { ehlo: Some(20), offers, ended: true, ..Context::default() }
    };
    let login = |context: &Context| read(records, context).auth.and_then(|login| login.mechanism);
    assert_eq!(login(&clear(None, None)), Some("PLAIN"));
    assert_eq!(login(&clear(Some(true), Some(Mechanisms::of(&[b"PLAIN", b"CRAM-MD5"])))), Some("PLAIN"));
    assert_eq!(login(&clear(Some(false), Some(Mechanisms::default()))), None);
    let without_a_login = |mechanisms| {
        let stated = read_without("dovecot", records, &clear(Some(true), mechanisms));
        stated.auth.is_none_or(|login| login.confidence < 0.5)
    };
    assert!(!without_a_login(None) && without_a_login(Some(Mechanisms::of(&[b"GSSAPI"]))));
}

/// Six times `250 Accepted` as MAIL was answered, and `354 End data with <CR><LF>.<CR><LF>`.
#[test]
fn replies_together_are_those_that_servers_share_where_their_sum_is_just_that() {
    let records = "S35 C24 S164 C37 S14 C39 C38 C32 C41 C34 C34 C6 S121 C900 S37 C6 S9";
    let stated = read_without("nodemailer", records, &implicit());
    let message = &stated.messages.unwrap()[0];
    let accepted = |r: &super::claims::Recipient| r.accepted == Some(true);
    assert!(message.recipients.as_ref().is_some_and(|all| all.len() == 6 && all.iter().all(accepted)), "{message:?}");
}

#[test]
fn a_template_of_two_programs_is_left_out_with_either() {
    let names = |without: &[&str]| Templates::built_in().without(&[], without).clients.len();
    assert_eq!(names(&["mutt"]), names(&[]) - 1);
    assert_eq!(names(&["neomutt"]), names(&[]) - 1);
}
