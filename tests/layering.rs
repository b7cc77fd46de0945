//! Modules use only what the house plan allows.

use std::path::{Path, PathBuf};

/// A module of the crate, and the modules that it may use. Layer by layer; what stands in one layer
/// does not use its neighbours.
const ALLOWED: &[(&str, &[&str])] = &[
    ("bytes", &[]),
    ("time", &[]),
    ("stream", &[]),
    ("limits", &["time"]),
    ("wire", WORDS),
    ("smtp", &["bytes", "time", "stream", "limits", "imf"]),
    ("imf", WORDS),
    ("tls", WORDS),
    ("dns", WORDS),
    ("nbns", WORDS),
    ("arp", WORDS),
    ("icmp", WORDS),
    ("ssh", WORDS),
    ("capture", &["bytes", "time", "stream", "limits", "wire"]),
    ("flow", &["bytes", "time", "stream", "limits", "wire"]),
    ("session", BELOW_SESSION),
    ("observe", BELOW_OBSERVE),
    ("report", BELOW_REPORT),
    ("render", &["bytes", "time", "stream", "limits", "report"]),
];

const WORDS: &[&str] = &["bytes", "time", "stream", "limits"];

const BELOW_SESSION: &[&str] = &[
    "bytes", "time", "stream", "limits", "wire", "smtp", "imf", "tls", "dns", "nbns", "arp", "icmp", "ssh", "capture",
    "flow",
];

const BELOW_OBSERVE: &[&str] = &[
    "bytes", "time", "stream", "limits", "wire", "smtp", "imf", "tls", "dns", "nbns", "arp", "icmp", "ssh", "capture",
    "flow", "session",
];

const BELOW_REPORT: &[&str] = &[
    "bytes", "time", "stream", "limits", "wire", "smtp", "imf", "tls", "dns", "nbns", "arp", "icmp", "ssh", "capture",
    "flow", "session", "observe",
];

/// What touches the world, and the only modules that may.
const WORLDLY: &[&str] =
    &["std::fs", "std::net::Tcp", "std::net::Udp", "std::thread", "Instant", "SystemTime", "std::process", "std::env"];
const TOUCH_THE_WORLD: &[&str] = &["capture", "cli"];

#[test]
fn no_module_uses_what_lies_above_or_beside_it() {
    let mut broken = Vec::new();
    for (module, path, text) in sources() {
        if module == "cli" {
            continue;
        }
        let allowed = ALLOWED.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed);
        let Some(allowed) = allowed else {
            broken.push(format!("{}: the table has no row for {module}", path.display()));
            continue;
        };
        for used in modules_used(&text) {
            if used != module && !allowed.contains(&used.as_str()) {
                broken.push(format!("{}: {module} may not use {used}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn only_capture_and_cli_touch_the_world() {
    let mut broken = Vec::new();
    for (module, path, text) in sources() {
        if TOUCH_THE_WORLD.contains(&module.as_str()) {
            continue;
        }
        for word in WORLDLY.iter().filter(|word| text.contains(**word)) {
            broken.push(format!("{}: {word}", path.display()));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_forbidden_import_would_be_noticed() {
    let text = "use crate::{flow::Endpoint, wire};\nuse crate::session::Session;\n";
    assert_eq!(modules_used(text), ["flow", "wire", "session"]);
    let nested = "use crate::{\n    smtp::{Command, Reply},\n    tls,\n};\nlet x = crate::report::Row;";
    assert_eq!(modules_used(nested), ["smtp", "tls", "report"]);
    let kept = production("use crate::bytes;\n// crate::cli\n#[cfg(test)]\nmod tests {\n    use crate::cli;\n}\n");
    assert_eq!(modules_used(&kept), ["bytes"]);
}

/// Each source file with the top-level module that it belongs to.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a source folder can be read") {
            let path = entry.expect("a source folder can be read").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(&root).expect("a source is in src");
            let module = inside.iter().next().and_then(|part| part.to_str()).unwrap_or_default();
            let module = module.trim_end_matches(".rs").to_owned();
            let is_test = matches!(
                path.file_stem().and_then(|s| s.to_str()),
                Some("tests" | "testing" | "scenarios" | "samples")
            );
            if !is_test && !matches!(module.as_str(), "lib" | "main") {
                let text = std::fs::read_to_string(&path).expect("a source can be read");
                found.push((module, path, production(&text)));
            }
        }
    }
    assert!(found.len() > 50, "there are sources");
    found
}

/// A source without its comments and without its tests, which stand at its end.
fn production(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The top-level modules that a text names after `crate::`, in order.
fn modules_used(text: &str) -> Vec<String> {
    let mut used = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("crate::") {
        rest = &rest[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            used.extend(first_words(group));
        } else {
            used.push(word(rest));
        }
    }
    used
}

/// The first word of each part of a `{…}` list, nested lists left out.
fn first_words(group: &str) -> Vec<String> {
    let (mut depth, mut expecting, mut words) = (0, true, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expecting = true,
            c if expecting && depth == 0 && !c.is_whitespace() => {
                words.push(word(&group[at..]));
                expecting = false;
            }
            _ => {}
        }
    }
    words
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
