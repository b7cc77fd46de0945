//! The packet list beside tshark's.

use std::process::Command;

use super::harness::{root, run, sample, samples, skipped};

/// Of all rows of the samples, in per cent. What differs is masked secrets, and dialogues that
/// tshark loses track of.
const EQUAL: f64 = 97.0;

/// Samples of dialogues that tshark loses track of by what they show: `misread.rs` says how they are read here.
const MISREAD: [&str; 7] = [
    "bdat-attachment-25",
    "end-of-data-25",
    "lmtp-24",
    "smuggling-25",
    "starttls-2587",
    "starttls-stripped",
    "xclient-xforward-25",
];

#[test]
fn the_packet_list_says_what_tshark_says() {
    let version = Command::new("tshark").arg("--version").output();
    let Some(version) = version.ok().filter(|output| output.status.success()) else {
        skipped("tshark is not installed");
        return;
    };
    if !String::from_utf8_lossy(&version.stdout).contains(" 4.0.") {
        skipped("this tshark is not 4.0, whose words the packet list has");
        return;
    }
    let (mut equal, mut all, mut differing) = (0, 0, Vec::new());
    for name in samples().into_iter().filter(|name| !MISREAD.contains(&name.as_str())) {
        let path = sample(&name);
        let output = Command::new("tshark")
            .args(["-n", "-r", &path, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=f"])
            .args(COLUMNS.iter().flat_map(|column| ["-e", column]))
            .env("TZ", "UTC")
            .current_dir(root())
            .output()
            .expect("tshark runs");
        let theirs = String::from_utf8_lossy(&output.stdout).into_owned();
        let ours = run(&["packets", "--format", "tsv", "--reveal", &path]).text();
        assert_eq!(theirs.lines().count(), ours.lines().count(), "{name}");
        for (theirs, ours) in theirs.lines().zip(ours.lines()) {
            all += 1;
            if theirs == ours {
                equal += 1;
            } else {
                differing.push(format!("{name}\n  tshark {}\n  ours   {ours}", theirs));
            }
        }
    }
    let share = 100.0 * f64::from(equal) / f64::from(all);
    assert!(share >= EQUAL, "{share:.1} % of {all} rows are equal\n{}", differing.join("\n"));
}

/// What stands between the tabs of `--format tsv`.
const COLUMNS: [&str; 7] = [
    "frame.number",
    "_ws.col.Time",
    "_ws.col.Source",
    "_ws.col.Destination",
    "_ws.col.Protocol",
    "_ws.col.Length",
    "_ws.col.Info",
];
