//! How far STARTTLS came in a session, as one value: offered, requested, agreed to, begun, answered, finished
//! (RFC 3207 §4, RFC 8446 §2), and how it failed where it did.

use crate::smtp;
use crate::stream::Span;
use crate::tls;

/// A rung: what has to happen before the next can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    /// The server's EHLO reply names STARTTLS.
    Offered,
    /// The client says STARTTLS.
    Requested,
    /// The server says 220.
    Agreed,
    /// The client's hello.
    Begun,
    /// The server's hello.
    Answered,
    /// Both sides have finished the handshake.
    Finished,
}

impl Rung {
    /// Its stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Rung::Offered => "offered",
            Rung::Requested => "requested",
            Rung::Agreed => "agreed",
            Rung::Begun => "client-hello",
            Rung::Answered => "server-hello",
            Rung::Finished => "finished",
        }
    }
}

/// Why a session did not get to the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The EHLO reply was seen and names no STARTTLS: the server cannot, or somebody took it out.
    NotOffered,
    /// A capability in the EHLO reply is overwritten.
    Masked,
    /// The client never asked.
    NotRequested,
    /// No answer was captured.
    NotAnswered,
    /// The server refused.
    Refused,
    /// The server agreed, and the dialogue went on in the clear.
    ClearAfterAgreement,
    /// The server agreed, and nothing more was captured.
    NotBegun,
    /// The client's hello was not answered with one.
    HelloUnanswered,
    /// The handshake was broken off.
    Broken,
}

impl Failure {
    /// Its stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Failure::NotOffered => "not-offered",
            Failure::Masked => "masked",
            Failure::NotRequested => "not-requested",
            Failure::NotAnswered => "not-answered",
            Failure::Refused => "refused",
            Failure::ClearAfterAgreement => "clear-after-agreement",
            Failure::NotBegun => "not-begun",
            Failure::HelloUnanswered => "hello-unanswered",
            Failure::Broken => "broken",
        }
    }

    /// What happened, in words.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Failure::NotOffered => "the server offered no STARTTLS, as far as the client could see",
            Failure::Masked => "the offer was overwritten on the way",
            Failure::NotRequested => "the server offered it and the client never asked",
            Failure::NotAnswered => "the answer to STARTTLS was not captured",
            Failure::Refused => "the server refused STARTTLS",
            Failure::ClearAfterAgreement => "the server agreed, and the dialogue went on in the clear",
            Failure::NotBegun => "the server agreed, and no TLS was captured",
            Failure::HelloUnanswered => "the client's TLS hello was not answered",
            Failure::Broken => "the TLS handshake was broken off",
        }
    }
}

/// How far it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// What was reached, in order, with where it shows; the end of a handshake that is sealed has no place of its own.
    /// A rung can be missing below another: the EHLO reply may not have been captured.
    pub steps: Vec<(Rung, Option<Span>)>,
    /// Why it went no further. `None` at the top, and where the capture does not tell.
    pub failure: Option<Failure>,
}

impl Ladder {
    /// The highest rung that was reached.
    #[must_use]
    pub fn reached(&self) -> Option<Rung> {
        self.steps.last().map(|(rung, _)| *rung)
    }

    /// What a dialogue and the TLS after it show; `None` where the capture says nothing of STARTTLS. `went_on`: clear
    /// text came after the server's 220. `over`: the connection has ended, so that what did not come will not.
    pub(super) fn of(smtp: &smtp::Summary, tls: Option<&tls::Summary>, went_on: bool, over: bool) -> Option<Ladder> {
        let seen = &smtp.starttls;
        let agreed = seen.answered.filter(|answer| answer.is_positive() == Some(true));
        let hello = tls.and_then(|tls| tls.client_hello.as_ref()).map(|hello| hello.span);
        let answer = tls.and_then(|tls| tls.server_hello.as_ref()).map(|hello| hello.span);
        let rungs = [
            (Rung::Offered, seen.offered),
            (Rung::Requested, seen.requested),
            (Rung::Agreed, agreed.map(|answer| answer.span)),
            (Rung::Begun, hello),
            (Rung::Answered, answer),
        ];
        let mut steps: Vec<(Rung, Option<Span>)> = rungs.into_iter().filter(|(_, span)| span.is_some()).collect();
        let finished = tls.is_some_and(tls::Summary::is_established);
        if finished {
            steps.push((Rung::Finished, None));
        }
        let failure = match (seen.requested, seen.answered, tls) {
            (None, _, None) if seen.masked.is_some() => Some(Failure::Masked),
            (None, _, None) if seen.offered.is_some() => Some(Failure::NotRequested),
            (None, _, None) if smtp.capabilities.is_empty() => return None,
            (None, _, None) => Some(Failure::NotOffered),
            (Some(_), None, None) => Some(Failure::NotAnswered),
            (Some(_), Some(_), None) if agreed.is_none() => Some(Failure::Refused),
            (Some(_), Some(_), None) if went_on => Some(Failure::ClearAfterAgreement),
            (Some(_), Some(_), None) => Some(Failure::NotBegun),
            (_, _, Some(tls)) if finished || tls.gaps || !over => None,
            (_, _, Some(_)) if hello.is_some() && answer.is_none() => Some(Failure::HelloUnanswered),
            (_, _, Some(_)) if answer.is_some() => Some(Failure::Broken),
            _ => None,
        };
        Some(Ladder { steps, failure })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Direction;

    const CLIENT: Direction = Direction::FromOriginator;
    const SERVER: Direction = Direction::FromResponder;

    /// What a dialogue of turns shows; a turn that begins with a digit is the server's.
    fn dialogue(turns: &[&str]) -> smtp::Summary {
        let mut dialogue = smtp::Dialogue::new(CLIENT);
        let mut at = [0, 0];
        for turn in turns {
            let direction = if turn.as_bytes()[0].is_ascii_digit() { SERVER } else { CLIENT };
            let start = &mut at[direction.index()];
            dialogue.data(direction, *start, turn.as_bytes(), &mut |_| {});
            *start += turn.len() as u64;
        }
        dialogue.into_summary()
    }

    /// The highest rung and the failure of turns that stay in the clear.
    fn of(turns: &[&str], went_on: bool) -> Option<(Option<Rung>, Option<Failure>)> {
        Ladder::of(&dialogue(turns), None, went_on, true).map(|ladder| (ladder.reached(), ladder.failure))
    }

    const OFFER: [&str; 3] = ["220 mail.example.org\r\n", "EHLO a\r\n", "250-mail\r\n250 STARTTLS\r\n"];

    #[test]
    fn each_way_to_stay_in_the_clear_has_its_name() {
        let [greeting, ehlo, offer] = OFFER;
        let cases: [(&[&str], bool, Option<Rung>, Failure); 8] = [
            (&[greeting, ehlo, "250-mail\r\n250 SIZE\r\n"], false, None, Failure::NotOffered),
            (&[greeting, ehlo, "250-mail\r\n250 XXXXXXXA\r\n"], false, None, Failure::Masked),
            (&[greeting, ehlo, offer], false, Some(Rung::Offered), Failure::NotRequested),
            (&[greeting, ehlo, offer, "STARTTLS\r\n"], false, Some(Rung::Requested), Failure::NotAnswered),
            (&[greeting, ehlo, offer, "STARTTLS\r\n", "454 no\r\n"], false, Some(Rung::Requested), Failure::Refused),
            (&[greeting, ehlo, offer, "STARTTLS\r\n", "220 go\r\n"], false, Some(Rung::Agreed), Failure::NotBegun),
            (
                &[greeting, ehlo, offer, "STARTTLS\r\n", "220 go\r\n"],
                true,
                Some(Rung::Agreed),
                Failure::ClearAfterAgreement,
            ),
            (&["STARTTLS\r\n", "454 no\r\n"], false, Some(Rung::Requested), Failure::Refused),
        ];
        for (turns, went_on, reached, failure) in cases {
            assert_eq!(of(turns, went_on), Some((reached, Some(failure))), "{turns:?}");
            assert!(!failure.name().is_empty() && !failure.sentence().is_empty());
        }
        assert_eq!(of(&[greeting, "HELO a\r\n", "250 mail\r\n"], false), None, "nothing is said of it");
    }

    #[test]
    fn a_handshake_that_ends_early_is_told_only_where_it_is_sure_to_have_ended() {
        let [greeting, ehlo, offer] = OFFER;
        let smtp = dialogue(&[greeting, ehlo, offer, "STARTTLS\r\n", "220 go\r\n"]);
        // A ClientHello: version, random, no session id, one suite, no compression.
        let mut hello = vec![22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3];
        hello.extend([7; 32]);
        hello.extend([0, 0, 2, 0, 0x2f, 1, 0]);
        let mut tls = tls::Conversation::new(CLIENT);
        tls.data(CLIENT, 0, &hello, &mut |_| {});
        let of = |over| Ladder::of(&smtp, Some(tls.summary()), false, over).map(|l| (l.reached(), l.failure));
        assert_eq!(of(true), Some((Some(Rung::Begun), Some(Failure::HelloUnanswered))));
        assert_eq!(of(false), Some((Some(Rung::Begun), None)));
    }
}
