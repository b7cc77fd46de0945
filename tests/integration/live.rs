//! Live capture on a pair of virtual interfaces, with a real mail server.
//!
//! `samples/record/live.sh` makes the namespaces, starts Postfix, runs the program on the client's
//! interface, sends mail once it listens, and then sends it SIGINT.

use std::process::Command;

use super::harness::{root, skipped};

/// What the program printed on the interface while mail was sent; `None` where this machine does
/// not allow or have what it takes.
fn live(mail: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new("samples/record/live.sh")
        .args([mail, env!("CARGO_BIN_EXE_overhear"), "live", "eth0"])
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("live.sh starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    match output.status.code() {
        Some(77) => {
            skipped(&err);
            None
        }
        Some(0) => Some(out.into_owned()),
        status => panic!("{status:?}\n{out}\n{err}"),
    }
}

#[test]
fn the_report_of_a_live_session_comes_when_it_is_interrupted() {
    let Some(report) = live("both", &[]) else { return };
    for says in ["SMTP, STARTTLS", "clear, then sealed by STARTTLS", "bob@example.org accepted", "0 dropped"] {
        assert!(report.contains(says), "{says} is not in\n{report}");
    }
}

#[test]
fn packets_are_listed_as_they_come_until_so_many_are_counted() {
    let Some(rows) = live("clear", &["--view", "packets", "-c", "8"]) else { return };
    let rows: Vec<&str> = rows.lines().filter(|line| line.contains("192.0.2.20")).collect();
    assert!(rows.len() <= 8 && rows.iter().any(|row| row.contains("[SYN]")), "{rows:?}");
}

#[test]
fn sessions_are_an_object_a_line() {
    let Some(lines) = live("clear", &["--json", "-f", "tcp port 25"]) else { return };
    let line = lines.lines().find(|line| line.starts_with('{')).expect("there is a session");
    let session: serde_json::Value = serde_json::from_str(line).expect("a line is a JSON object");
    assert_eq!(session["verdict"], "clear");
    assert_eq!(session["messages"][0]["recipients"][0]["address"], "bob@example.org");
}
