//! Sessions of every kind of suite between a real client and a real server, opened with the keys that they logged.
//!
//! `openssl s_client` talks to `openssl s_server` through a forwarder in this process, which writes down what passes as
//! a capture.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use overhear::capture::write::PcapWriter;
use overhear::capture::{Batch, Packet};
use overhear::time::Timestamp;
use overhear::wire::LinkType;
use serde_json::Value;

use super::harness::run;

/// A folder with certificates, keys and captures.
struct Lab {
    folder: tempfile::TempDir,
}

/// What passed between client and server.
struct Recorded {
    pieces: Vec<(bool, Vec<u8>)>,
}

impl Lab {
    /// `None`, and a word on standard error, where openssl is not installed.
    fn new() -> Option<Lab> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let lab = Lab { folder };
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=mail.example.org", "-days", "2"])
            .args(["-keyout", &lab.path("rsa.pem"), "-out", &lab.path("rsa.crt")])
            .stderr(Stdio::null())
            .status();
        if !made.is_ok_and(|status| status.success()) {
            assert!(std::env::var_os("CI").is_none(), "openssl is not installed");
            return None;
        }
        Some(lab)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    /// A mail dialogue of a few lines between the two programs; the capture's path.
    fn record(&self, name: &str, server: &[&str], client: &[&str], script: &[Step]) -> Option<String> {
        let (port, behind) = (free_port(), TcpListener::bind("127.0.0.1:0").expect("a port"));
        let port_text = port.to_string();
        let mut words: Vec<String> = ["s_server", "-quiet", "-accept", &port_text].map(str::to_owned).into();
        words.extend(["-cert", &self.path("rsa.crt"), "-key", &self.path("rsa.pem")].map(str::to_owned));
        words.extend(server.iter().map(|word| (*word).to_owned()));
        let mut server = Program::start("openssl", &words, Some(self.path("openssl.cnf")));
        let front = behind.local_addr().expect("it is bound").port();
        let passing = std::thread::spawn(move || forward(&behind, port));
        let keys = self.path(&format!("{name}.keys"));
        let mut words: Vec<String> = ["s_client", "-connect", &format!("127.0.0.1:{front}")].map(str::to_owned).into();
        words.extend(["-keylogfile", &keys].map(str::to_owned));
        words.extend(client.iter().map(|word| (*word).to_owned()));
        let mut client = Program::start("openssl", &words, None);
        for step in script {
            match *step {
                Step::Server(text) => server.say(text),
                Step::Client(text) => client.say(text),
                Step::ServerHears(text) => server.hears(text),
                Step::ClientHears(text) => client.hears(text),
                Step::Pause => std::thread::sleep(Duration::from_millis(1500)),
            }
        }
        client.end();
        let recorded = passing.join().expect("the forwarder ends");
        server.end();
        let capture = self.path(&format!("{name}.pcap"));
        recorded.write(Path::new(&capture));
        Some(capture)
    }
}

#[derive(Clone, Copy)]
enum Step {
    Server(&'static str),
    Client(&'static str),
    /// Until the server's program has printed this.
    ServerHears(&'static str),
    ClientHears(&'static str),
    /// Until the program has surely read what it was told.
    Pause,
}

/// Who says what, and that the other has heard it.
const DIALOGUE: [Step; 8] = [
    Step::Server("220 mail.example.org ESMTP\r\n"),
    Step::ClientHears("220 mail"),
    Step::Client("EHLO client.example.org\r\n"),
    Step::ServerHears("EHLO"),
    Step::Server("250-mail.example.org\r\n250 SIZE 1000\r\n"),
    Step::ClientHears("250 SIZE"),
    Step::Client("MAIL FROM:<alice@example.org>\r\n"),
    Step::ServerHears("alice"),
];

struct Program {
    child: Child,
    input: Option<ChildStdin>,
    heard: Receiver<Vec<u8>>,
    text: Vec<u8>,
}

impl Program {
    /// With this configuration, where the file is there.
    fn start(name: &str, words: &[String], configuration: Option<String>) -> Program {
        let mut child = Command::new(name)
            .args(words)
            .envs(configuration.filter(|path| Path::new(path).exists()).map(|path| ("OPENSSL_CONF", path)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut output = child.stdout.take().expect("it is piped");
        let (tell, heard) = channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut piece) {
                if tell.send(piece[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        let input = child.stdin.take();
        Program { child, input, heard, text: Vec::new() }
    }

    fn say(&mut self, text: &str) {
        let input = self.input.as_mut().expect("it is open");
        let _ = input.write_all(text.as_bytes()).and_then(|()| input.flush());
    }

    fn hears(&mut self, text: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.text.windows(text.len()).any(|window| window == text.as_bytes()) {
            match self.heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(piece) => self.text.extend_from_slice(&piece),
                Err(_) => panic!("{text:?} was not heard, only {:?}", String::from_utf8_lossy(&self.text)),
            }
        }
    }

    fn end(&mut self) {
        drop(self.input.take());
        let until = Instant::now() + Duration::from_secs(2);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long a program may take; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|bound| bound.local_addr()).expect("a port is free").port()
}

/// Takes one connection and passes it on, until both sides have ended.
fn forward(front: &TcpListener, port: u16) -> Recorded {
    let (client, _) = front.accept().expect("the client comes");
    let until = Instant::now() + PATIENCE;
    let server = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(server) => break server,
            Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(20)),
            Err(error) => panic!("the server does not answer: {error}"),
        }
    };
    let (tell, told) = channel();
    for (from_client, from, to) in [(true, &client, &server), (false, &server, &client)] {
        let (mut from, mut to) = (from.try_clone().expect("a handle"), to.try_clone().expect("a handle"));
        let tell = tell.clone();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = from.read(&mut piece) {
                let _ = tell.send((from_client, piece[..read].to_vec()));
                if to.write_all(&piece[..read]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Write);
        });
    }
    drop(tell);
    Recorded { pieces: told.iter().collect() }
}

impl Recorded {
    /// As a capture of raw IP packets, with a handshake before.
    fn write(&self, path: &Path) {
        let mut file = fs::File::create(path).expect("the folder takes files");
        let mut writer = PcapWriter::new(&mut file, LinkType(101), 65_535, false).expect("a header is written");
        let mut next = [1000u32, 2000];
        let mut batch = Batch::new();
        batch.clear(1);
        let mut put = |from_client: bool, flags: u8, data: &[u8], next: &mut [u32; 2]| {
            let side = usize::from(!from_client);
            let packet = segment(from_client, next[side], next[1 - side], flags, data);
            next[side] = next[side].wrapping_add(data.len() as u32 + u32::from(flags & 3 != 0));
            batch.push(&Packet {
                number: 0,
                timestamp: Timestamp::from_parts(1_700_000_000, 0),
                interface: 0,
                link_type: LinkType(101),
                data: &packet,
                original_len: packet.len() as u32,
            });
        };
        put(true, 0x02, &[], &mut next);
        put(false, 0x12, &[], &mut next);
        put(true, 0x10, &[], &mut next);
        for (from_client, piece) in &self.pieces {
            for part in piece.chunks(1400) {
                put(*from_client, 0x18, part, &mut next);
            }
        }
        put(true, 0x11, &[], &mut next);
        put(false, 0x11, &[], &mut next);
        for packet in batch.packets() {
            writer.write(&packet).expect("a packet is written");
        }
    }
}

fn segment(from_client: bool, sequence: u32, acknowledged: u32, flags: u8, data: &[u8]) -> Vec<u8> {
    let (client, server) = ([192, 0, 2, 100], [192, 0, 2, 20]);
    let (source, destination) = if from_client { (client, server) } else { (server, client) };
    let (from, to) = if from_client { (40_000u16, 465u16) } else { (465, 40_000) };
    let mut packet = vec![0x45, 0];
    packet.extend_from_slice(&(40 + data.len() as u16).to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0x40, 0, 64, 6, 0, 0]);
    packet.extend_from_slice(&source);
    packet.extend_from_slice(&destination);
    packet.extend_from_slice(&from.to_be_bytes());
    packet.extend_from_slice(&to.to_be_bytes());
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&(if flags == 2 { 0 } else { acknowledged }).to_be_bytes());
    packet.extend_from_slice(&[0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    packet.extend_from_slice(data);
    packet
}

/// The lines inside, and what came of the keys.
fn inside(capture: &str, keys: &[&str]) -> (Vec<String>, String, Value) {
    let follow = run(&[&["follow", "--json", capture], keys].concat());
    let lines = follow
        .text()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("an object a line"))
        .filter(|u| u["sealed"] == true && matches!(u["kind"].as_str(), Some("greeting" | "command" | "reply")))
        .flat_map(|u| match &u["lines"] {
            Value::Array(lines) => lines.iter().map(|line| line.as_str().unwrap_or_default().to_owned()).collect(),
            _ => vec![u["text"].as_str().unwrap_or_default().to_owned()],
        })
        .collect();
    let report: Value =
        serde_json::from_str(&run(&[&["report", "--json", capture], keys].concat()).text()).expect("JSON");
    let session = report["sessions"][0].clone();
    (lines, session["inside"]["text"].as_str().unwrap_or_default().to_owned(), session)
}

/// What a server reads before its options.
const CONFIGURATION: &str =
    "openssl_conf = conf\n[conf]\nssl_conf = ssl\n[ssl]\nsystem_default = default\n[default]\nOptions = ";

const SAID: [&str; 5] = [
    "220 mail.example.org ESMTP",
    "EHLO client.example.org",
    "250-mail.example.org",
    "250 SIZE 1000",
    "MAIL FROM:<alice@example.org>",
];

fn opens(lab: &Lab, name: &str, server: &[&str], client: &[&str]) -> Value {
    let capture = lab.record(name, server, client, &DIALOGUE).expect("a capture");
    let (lines, text, session) = inside(&capture, &["--keys", &lab.path(&format!("{name}.keys"))]);
    assert_eq!(lines, SAID, "{name}: {text}");
    assert!(text.starts_with("all "), "{name}: {text}");
    session
}

#[test]
fn every_suite_of_tls13_opens() {
    let Some(lab) = Lab::new() else { return };
    for suite in [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_CCM_SHA256",
        "TLS_AES_128_CCM_8_SHA256",
    ] {
        let session = opens(&lab, suite, &["-tls1_3", "-ciphersuites", suite], &["-quiet", "-ciphersuites", suite]);
        assert_eq!(session["tls"]["cipher"], suite);
        assert_eq!(session["tls"]["certificates"][0]["subject"], "CN=mail.example.org");
    }
}

#[test]
fn every_kind_of_suite_of_tls12_and_before_opens() {
    let Some(lab) = Lab::new() else { return };
    for (suite, version, more) in [
        ("ECDHE-RSA-AES128-GCM-SHA256", "-tls1_2", ""),
        ("ECDHE-RSA-AES256-GCM-SHA384", "-tls1_2", ""),
        ("ECDHE-RSA-CHACHA20-POLY1305", "-tls1_2", ""),
        ("AES128-CCM", "-tls1_2", ""),
        ("AES256-CCM8", "-tls1_2", ""),
        ("ECDHE-RSA-AES128-SHA", "-tls1_2", ""),
        ("ECDHE-RSA-AES128-SHA256", "-tls1_2", ""),
        ("ECDHE-RSA-AES256-SHA384", "-tls1_2", "-no_etm"),
        ("ECDHE-RSA-CAMELLIA256-SHA384", "-tls1_2", ""),
        ("AES256-SHA", "-tls1_1", ""),
        ("AES256-SHA", "-tls1_1", "-no_etm"),
        ("AES128-SHA", "-tls1", ""),
        ("CAMELLIA128-SHA", "-tls1", "-no_etm"),
    ] {
        let name = format!("{suite}{version}{more}");
        let cipher = format!("{suite}:@SECLEVEL=0");
        let words = |first: &'static str| -> Vec<&str> {
            [first, version, "-cipher", &cipher, more].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>()
        };
        let client: Vec<&str> = words("-quiet");
        opens(&lab, &name, &client[1..], &client);
    }
}

#[test]
fn the_servers_private_key_opens_rsa_key_exchange_and_what_is_resumed_of_it() {
    let Some(lab) = Lab::new() else { return };
    let key = lab.path("rsa.pem");
    let server = ["-tls1_2", "-cipher", "AES128-GCM-SHA256"];
    for (name, options) in [("extended", "ExtendedMasterSecret"), ("plain", "-ExtendedMasterSecret")] {
        fs::write(lab.path("openssl.cnf"), format!("{CONFIGURATION}{options}\n")).expect("a file");
        let capture = lab.record(name, &server, &["-quiet"], &DIALOGUE).expect("a capture");
        let (lines, text, _) = inside(&capture, &["--server-key", &key]);
        assert_eq!(lines, SAID, "{name}: {text}");
        let der = lab.path("rsa.der");
        let converted = Command::new("openssl")
            .args(["rsa", "-in", &key, "-outform", "DER", "-out", &der])
            .output()
            .expect("openssl");
        assert!(converted.status.success());
        assert_eq!(inside(&capture, &["--server-key", &der]).0, SAID, "{name}, DER");
    }
    // What was agreed on with a fresh key stays sealed for it.
    let capture = lab.record("fresh", &["-tls1_2"], &["-quiet"], &DIALOGUE).expect("a capture");
    assert_eq!(inside(&capture, &["--server-key", &key]).1, "keys given, but none for this session");
}

#[test]
fn key_updates_a_second_hello_and_renegotiation_are_followed() {
    let Some(lab) = Lab::new() else { return };
    let session = opens(&lab, "retry", &["-tls1_3", "-groups", "P-384"], &["-quiet", "-groups", "X25519:P-384"]);
    assert_eq!(session["tls"]["group"], "secp384r1");
    // Without -quiet a line that begins with K or R is a command to the client.
    let with = |command: &'static str| {
        let mut script = DIALOGUE[..6].to_vec();
        // A command is all that one reading of the input takes.
        script.extend([Step::Client(command), Step::Pause, Step::Client("NOOP\r\n"), Step::ServerHears("NOOP")]);
        script.extend(&DIALOGUE[6..]);
        script
    };
    for (name, version, command) in [("update", "-tls1_3", "K\n"), ("renegotiation", "-tls1_2", "R\n")] {
        let server = [version, "-client_renegotiation"];
        let capture = lab.record(name, &server, &[], &with(command)).expect("a capture");
        let (lines, text, _) = inside(&capture, &["--keys", &lab.path(&format!("{name}.keys"))]);
        let mut expected = SAID.to_vec();
        expected.insert(4, "NOOP");
        assert_eq!(lines, expected, "{name}: {text}");
        assert!(text.starts_with("all "), "{name}: {text}");
    }
}

#[test]
fn resumed_sessions_and_early_data_open() {
    let Some(lab) = Lab::new() else { return };
    let early: PathBuf = lab.path("early.txt").into();
    fs::write(&early, "EHLO client.example.org\r\n").expect("a file");
    let session = lab.path("session.pem");
    // One server for both: it resumes what it has issued.
    let port = free_port();
    // With -quiet s_server would not print early data.
    let words: Vec<String> = ["s_server", "-tls1_3", "-early_data", "-accept", &port.to_string()]
        .into_iter()
        .map(str::to_owned)
        .chain(["-cert", &lab.path("rsa.crt"), "-key", &lab.path("rsa.pem")].map(str::to_owned))
        .collect();
    let mut server = Program::start("openssl", &words, None);
    let mut captures = Vec::new();
    for (name, more) in [("first", vec!["-sess_out"]), ("resumed", vec!["-early_data", "early", "-sess_in"])] {
        let front = TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = format!("127.0.0.1:{}", front.local_addr().expect("it is bound").port());
        let passing = std::thread::spawn(move || forward(&front, port));
        let keys = lab.path(&format!("{name}.keys"));
        // Without -quiet the client says close_notify at the end of its input; the server resumes no session that was cut.
        let mut words: Vec<String> = ["s_client", "-connect", &at, "-keylogfile", &keys].map(str::to_owned).into();
        for word in more {
            words.push(if word == "early" { early.display().to_string() } else { word.to_owned() });
        }
        words.push(session.clone());
        let mut client = Program::start("openssl", &words, None);
        if name == "first" {
            server.say("220 mail.example.org ESMTP\r\n");
            client.hears("220 mail");
        } else {
            server.hears("EHLO");
            server.say("250 SIZE 1000\r\n");
            client.hears("250 SIZE");
        }
        client.end();
        let capture = lab.path(&format!("{name}.pcap"));
        passing.join().expect("the forwarder ends").write(Path::new(&capture));
        captures.push(inside(&capture, &["--keys", &keys]));
    }
    let [(_, first, _), (lines, second, session)] = &captures[..] else { panic!("two sessions") };
    assert!(first.starts_with("all ") && second.starts_with("all "), "{first}; {second}");
    assert_eq!(session["tls"]["resumed"], true);
    assert!(lines.iter().any(|line| line == "EHLO client.example.org"), "{lines:?}");
    let told = session["inside"]["exposure"].as_array().expect("a list");
    assert!(told.iter().any(|exposure| exposure["subject"] == "early data" && exposure["value"] == 25), "{told:?}");
}
