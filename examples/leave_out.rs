//! Reads the sealed sessions of captures with some families of software left out of the table of
//! templates, for `scripts/evaluate-inference.py`.
//!
//! Each line of standard input is `CAPTURE<TAB>SERVER<TAB>CLIENT`: a path, and the server's and the
//! client's family to leave out (empty: none). One line of JSON for each session with TLS comes out.
#![allow(missing_docs, reason = "an example is no interface")]
#![expect(clippy::print_stdout, reason = "what it is for")]

use std::collections::HashMap;
use std::io::BufRead;
use std::path::PathBuf;

use overhear::capture::{self, Batch, Filled};
use overhear::observe::infer::{Facts, Octets, Reader};
use overhear::session::{Config, Session, Shard, Sink, Tracker};
use serde_json::{Value, json};

#[derive(Default)]
struct Ended(Vec<Session>);

impl Sink for Ended {
    fn ended(&mut self, session: Session, _now: u64) {
        self.0.push(session);
    }
}

fn main() -> anyhow::Result<()> {
    let mut readers: HashMap<(String, String), Reader> = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut fields = line.split('\t').map(str::to_owned);
        let (Some(path), server, client) = (fields.next(), fields.next(), fields.next()) else { continue };
        let left_out = (server.unwrap_or_default(), client.unwrap_or_default());
        let reader = readers.entry(left_out.clone()).or_insert_with(|| Reader::without(&[&left_out.0], &[&left_out.1]));
        for session in sessions(&path)? {
            let Some(tls) = session.tls.as_deref() else { continue };
            let read = reader.infer(&Facts::of(&session, &tls.summary, &tls.trace));
            let messages = read.messages.as_ref().map(|messages| {
                messages
                    .iter()
                    .map(|message| {
                        let recipients = message.recipients.as_ref().map(|recipients| {
                            recipients
                                .iter()
                                .map(|r| {
                                    json!({"address_length": length(r.address_length), "accepted": r.accepted,
                                        "confidence": r.confidence})
                                })
                                .collect::<Vec<_>>()
                        });
                        json!({"sender_length": length(message.sender_length), "recipients": recipients,
                            "transfer": message.transfer.map(|t| t.name()), "size": length(message.size),
                            "accepted": message.accepted, "confidence": message.confidence,
                            "determined": message.determined.iter().map(|c| c.name()).collect::<Vec<_>>()})
                    })
                    .collect::<Vec<_>>()
            });
            let auth = read.auth.as_ref().map(|login| {
                json!({"mechanism": login.mechanism, "succeeded": login.succeeded,
                    "username_length": length(login.username_length), "password_length": length(login.password_length),
                    "credential_length": length(login.credential_length), "confidence": login.confidence,
                    "determined": login.determined.iter().map(|c| c.name()).collect::<Vec<_>>()})
            });
            let software = |of: &Option<overhear::observe::infer::Software>| {
                of.as_ref().map(|s| json!({"software": s.name, "confidence": s.confidence}))
            };
            let port = session.connection.responder.port;
            println!(
                "{}",
                json!({"capture": path, "port": port, "messages": messages, "auth": auth, "confidence": read.confidence,
                    "server": software(&read.server), "client": software(&read.client)})
            );
        }
    }
    Ok(())
}

fn length(octets: Option<Octets>) -> Value {
    octets.map_or(Value::Null, |octets| json!({"min": octets.min, "max": octets.max}))
}

fn sessions(path: &str) -> anyhow::Result<Vec<Session>> {
    let mut source = capture::open(&[PathBuf::from(path)], &capture::Options::default())?;
    let mut tracker = Tracker::new(Config {
        shard: Shard::WHOLE,
        thread: Shard::WHOLE,
        ports: Vec::new(),
        packets: false,
        hashes: false,
    });
    let mut ended = Ended::default();
    let mut batch = Batch::default();
    while source.next_batch(&mut batch)? != Filled::End {
        tracker.batch(&batch, &mut ended);
    }
    tracker.finish(&mut ended);
    Ok(ended.0)
}
