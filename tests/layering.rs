//! Which module may use which. Reads `src/**/*.rs`, without comments, literals and test modules.

use std::collections::BTreeMap;
use std::path::Path;

use super::harness::root;

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
    ("dhcp", WORDS),
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
    ("cli", BELOW_CLI),
    ("main", &["cli"]),
];

const WORDS: &[&str] = &["bytes", "time", "stream", "limits"];

const BELOW_SESSION: &[&str] = &[
    "bytes", "time", "stream", "limits", "wire", "smtp", "imf", "tls", "dns", "dhcp", "nbns", "arp", "icmp", "ssh",
    "capture", "flow",
];

const BELOW_OBSERVE: &[&str] = &[
    "bytes", "time", "stream", "limits", "wire", "smtp", "imf", "tls", "dns", "dhcp", "nbns", "arp", "icmp", "ssh",
    "capture", "flow", "session",
];

const BELOW_REPORT: &[&str] = &[
    "bytes", "time", "stream", "limits", "wire", "smtp", "imf", "tls", "dns", "dhcp", "nbns", "arp", "icmp", "ssh",
    "capture", "flow", "session", "observe",
];

const BELOW_CLI: &[&str] = &[
    "bytes", "time", "stream", "limits", "wire", "smtp", "imf", "tls", "dns", "dhcp", "nbns", "arp", "icmp", "ssh",
    "capture", "flow", "session", "observe", "report", "render",
];

/// Rooms that may touch the world: files, clocks, threads, the terminal.
const WORLDLY: &[&str] = &["capture", "cli", "main"];

/// What touches it, as paths below `std`. A path of which one of these is the beginning is meant
/// too, and the module itself, as in `use std::fs;`.
const WORLD: &[&str] = &[
    "env",
    "fs",
    "io::stderr",
    "io::stdin",
    "io::stdout",
    "net::TcpListener",
    "net::TcpStream",
    "net::UdpSocket",
    "net::ToSocketAddrs",
    "os",
    "process",
    "thread",
    "time::Instant",
    "time::SystemTime",
    "print!",
    "println!",
    "eprint!",
    "eprintln!",
    "dbg!",
];

#[test]
fn no_room_uses_what_its_layer_forbids() {
    let sources = sources();
    assert!(sources.len() > 50, "only {} source files were found", sources.len());
    let violations = violations(&sources);
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn every_room_stands_in_the_table() {
    for (path, _) in sources() {
        let room = room(&path);
        assert!(room == "lib" || ALLOWED.iter().any(|(name, _)| *name == room), "src/{path} belongs to no room");
    }
    for (name, allowed) in ALLOWED {
        let known = |other: &&str| ALLOWED.iter().any(|(name, _)| name == other);
        assert!(allowed.iter().all(known), "{name} may use a room that there is not");
    }
}

#[test]
fn an_import_against_the_table_is_found() {
    let found = |path: &str, source: &str| violations(&BTreeMap::from([(path.to_owned(), source.to_owned())]));
    let wrong = [
        ("smtp/line.rs", "use crate::tls::Record;"),
        ("smtp/line.rs", "use crate::{bytes::Cursor, flow};"),
        ("smtp/line.rs", "use crate::{\n    bytes::{Cursor, escaped},\n    tls::{self, Record},\n};"),
        ("smtp/line.rs", "fn f() -> crate::session::Verdict { todo() }"),
        ("smtp/line.rs", "use super::super::tls;"),
        ("smtp/mod.rs", "use super::tls;"),
        ("smtp.rs", "pub(crate) use super::{stream, wire};"),
        ("observe/mod.rs", "use crate::report::Session;"),
        ("render/json.rs", "use crate::session::Session;"),
        ("bytes.rs", "use crate::limits::MAX;"),
        ("tls/mod.rs", "use overhear::smtp::Reply;"),
        ("tls/mod.rs", "use std::time::{Duration, Instant};"),
        ("tls/mod.rs", "use std::fs;"),
        ("tls/mod.rs", "let t = std::thread::spawn(f);"),
        ("tls/mod.rs", "let t = time::SystemTime::now();"),
        ("tls/mod.rs", "use std::time; "),
        ("render/json.rs", "use std::{fmt, io::{self, stdout}};"),
        ("render/json.rs", "io::stdout().write_all(b)?;"),
        ("render/json.rs", "fn f() { println!(\"\"); }"),
        ("smtp/mod.rs", "#[cfg(test)] mod tests { use crate::tls; }\nuse crate::tls;"),
        ("smtp/mod.rs", "let c = '\"'; use crate::tls; let d = \"\";"),
        ("smtp/mod.rs", "fn f<'a>(x: &'a str) { crate::tls::g() }"),
    ];
    for (path, source) in wrong {
        assert_eq!(found(path, source).len(), 1, "{path}: {source}: {:?}", found(path, source));
    }
    let right = [
        ("smtp/line.rs", "use crate::bytes::{Cursor, escaped};\nuse crate::smtp::Reply;\nuse super::Reply;"),
        ("smtp/line.rs", "//! As crate::tls does it.\n/* crate::tls /* nested */ crate::tls */ // crate::tls"),
        ("smtp/line.rs", "const S: &str = \"crate::tls \\\" println!\"; const R: &str = r#\"crate::tls\"#;"),
        ("smtp/line.rs", "#[cfg(test)]\nmod tests { use crate::tls; fn f() { println!(\"{}\", '}'); } }"),
        ("smtp/line.rs", "pub(in crate::smtp) fn f() {}\npub(crate) fn g() {}"),
        ("smtp/line.rs", "use std::time::Duration;\nuse std::{fmt, io::{self, Write}};\nlet fs = 1; x.thread();"),
        ("session/mod.rs", "use crate::{smtp, tls, capture::Packet};"),
        ("capture/file.rs", "use std::fs::File;"),
        ("cli/run.rs", "use crate::render::json; use std::thread;"),
        ("lib.rs", "pub mod cli; pub mod tls;"),
    ];
    for (path, source) in right {
        assert_eq!(found(path, source), Vec::<String>::new(), "{path}: {source}");
    }
}

#[test]
fn a_file_that_is_only_for_tests_is_left_out() {
    let sources = BTreeMap::from([
        ("smtp/mod.rs".to_owned(), "#[cfg(test)]\nmod samples;\n#[cfg(test)]\n#[allow(x)]\nmod tests;".to_owned()),
        ("smtp/samples.rs".to_owned(), "use crate::tls;".to_owned()),
        ("smtp/tests/mod.rs".to_owned(), "mod deep; use crate::tls;".to_owned()),
        ("smtp/tests/deep.rs".to_owned(), "use crate::tls;".to_owned()),
        ("smtp/testsuite.rs".to_owned(), "use crate::tls;".to_owned()),
    ]);
    assert_eq!(violations(&sources), ["src/smtp/testsuite.rs: smtp uses tls, which is above or beside it"]);
}

/// Every source file by its path below `src`.
fn sources() -> BTreeMap<String, String> {
    fn walk(folder: &Path, below: &str, sources: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(folder).expect("src can be read") {
            let entry = entry.expect("src can be read");
            let path = format!("{below}{}", entry.file_name().to_str().expect("names are UTF-8"));
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{path}/"), sources);
            } else if path.ends_with(".rs") {
                sources.insert(path, std::fs::read_to_string(entry.path()).expect("sources are UTF-8"));
            }
        }
    }
    let mut sources = BTreeMap::new();
    walk(&root().join("src"), "", &mut sources);
    sources
}

fn violations(sources: &BTreeMap<String, String>) -> Vec<String> {
    let code: BTreeMap<&String, String> = sources.iter().map(|(path, text)| (path, code_only(text))).collect();
    let for_tests: Vec<String> = code.iter().flat_map(|(path, code)| test_files(path, code)).collect();
    let mut violations = Vec::new();
    for (path, code) in &code {
        let room = room(path);
        let is_for_tests =
            for_tests.iter().any(|test| **path == format!("{test}.rs") || path.starts_with(&format!("{test}/")));
        if room == "lib" || is_for_tests {
            continue;
        }
        let code = without_test_modules(code);
        let allowed = ALLOWED.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, allowed)| allowed);
        for used in rooms_used(path, &code) {
            if used != room && !allowed.contains(&used.as_str()) {
                violations.push(format!("src/{path}: {room} uses {used}, which is above or beside it"));
            }
        }
        if !WORLDLY.contains(&room) {
            violations.extend(world(&code).into_iter().map(|what| format!("src/{path}: {room} uses {what}")));
        }
    }
    violations
}

/// The room that a file belongs to.
fn room(path: &str) -> &str {
    path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
}

/// The rooms that a file names, through `crate::`, `overhear::` or enough of `super::`.
fn rooms_used(path: &str, code: &str) -> Vec<String> {
    let mut used: Vec<String> = Vec::new();
    for start in ["crate", "overhear"] {
        used.extend(trees_after(code, start).into_iter().filter_map(|path| path.into_iter().next()));
    }
    let depth = path.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count();
    for tree in trees_after(code, "super") {
        let further = tree.iter().take_while(|word| *word == "super").count();
        if further + 1 >= depth {
            used.extend(tree.into_iter().nth(further));
        }
    }
    // `crate::Item` of a macro or of lib.rs is no room.
    used.retain(|word| ALLOWED.iter().any(|(name, _)| name == word));
    used.sort();
    used.dedup();
    used
}

/// What touches the world in a file.
fn world(code: &str) -> Vec<&'static str> {
    // Parents of forbidden names: `time` in `use std::time;`, through which `time::Instant` is written.
    let parents = |path: &[String]| -> Vec<String> { (1..=path.len()).map(|n| path[..n].join("::")).collect() };
    let named: Vec<String> = trees_after(code, "std").iter().flat_map(|path| parents(path)).collect();
    let bare = |what: &str| {
        let words: Vec<&str> = what.split("::").collect();
        words.len() > 1
            && trees_after(code, words[0]).iter().any(|path| path.first().is_some_and(|word| word == words[1]))
    };
    let module = |what: &str| {
        let parent = what.split_once("::").map(|(parent, _)| parent);
        parent == Some("time") && trees_after(code, "std").iter().any(|path| path.as_slice() == ["time"])
    };
    let is_macro = |what: &str| {
        what.strip_suffix('!')
            .is_some_and(|name| words(code).any(|(at, word)| word == name && code[at + word.len()..].starts_with('!')))
    };
    let mut found: Vec<&'static str> = WORLD
        .iter()
        .copied()
        .filter(|what| named.iter().any(|name| name == what) || bare(what) || is_macro(what))
        .collect();
    if found.is_empty() {
        found.extend(WORLD.iter().copied().filter(|what| module(what)).take(1));
    }
    found
}

/// Every path that begins with `start::`, without it; groups in braces are taken apart.
fn trees_after(code: &str, start: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for (at, word) in words(code) {
        let before = code[..at].trim_end();
        let after = code[at + word.len()..].trim_start();
        let begins = !before.ends_with("::") || before.trim_end_matches(':').trim_end().ends_with(['{', ',', ';']);
        let is_visibility = before.ends_with("(in") || before.ends_with(" in") && before.contains("pub(");
        if word == start
            && begins
            && !is_visibility
            && let Some(rest) = after.strip_prefix("::")
        {
            tree(rest, &mut Vec::new(), &mut paths);
        }
    }
    paths
}

/// Reads one use tree; returns what stands behind it.
fn tree<'a>(text: &'a str, above: &mut Vec<String>, paths: &mut Vec<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            if let Some(behind) = rest.strip_prefix('}') {
                return behind;
            }
            let before = rest.len();
            let depth = above.len();
            rest = tree(rest, above, paths).trim_start();
            above.truncate(depth);
            // `as name`, commas, or what is no use tree after all.
            while !rest.is_empty() && !rest.starts_with([',', '}']) {
                rest = &rest[rest.chars().next().map_or(1, char::len_utf8)..];
            }
            rest = rest.strip_prefix(',').unwrap_or(rest);
            if rest.is_empty() || rest.len() == before {
                return rest;
            }
        }
    }
    let end = text.find(|c: char| !is_word(c)).unwrap_or(text.len());
    if end == 0 {
        paths.push(above.clone());
        return text;
    }
    if &text[..end] != "self" {
        above.push(text[..end].to_owned());
    }
    let rest = text[end..].trim_start();
    match rest.strip_prefix("::") {
        Some(rest) => tree(rest, above, paths),
        None => {
            paths.push(above.clone());
            rest
        }
    }
}

fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + code[at..].find(is_word)?;
        let end = code[start..].find(|c| !is_word(c)).map_or(code.len(), |n| start + n);
        at = end;
        Some((start, &code[start..end]))
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Files that a `#[cfg(test)] mod name;` names: their paths below `src` without `.rs`.
fn test_files(path: &str, code: &str) -> Vec<String> {
    let folder = match path.trim_end_matches(".rs") {
        "lib" | "main" => String::new(),
        stem => format!("{}/", stem.trim_end_matches("/mod")),
    };
    let named = |(_, item): &(usize, &str)| item.strip_suffix(';').map(|name| format!("{folder}{}", name.trim()));
    test_modules(code).iter().filter_map(named).collect()
}

fn without_test_modules(code: &str) -> String {
    let mut kept = code.to_owned();
    for (at, item) in test_modules(code).iter().rev() {
        if item.ends_with('{') {
            let open = at + item.len();
            let mut depth = 1;
            let length = code[open..]
                .find(|c| {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    depth == 0
                })
                .unwrap_or(code.len() - open);
            kept.replace_range(*at..open + length, "");
        }
    }
    kept
}

/// `name {` or `name;` of each module under `#[cfg(test)]`, with its place.
fn test_modules(code: &str) -> Vec<(usize, &str)> {
    let mut modules = Vec::new();
    for (at, attribute) in code.match_indices("#[cfg(test)]") {
        let mut rest = code[at + attribute.len()..].trim_start();
        while rest.starts_with("#[") {
            rest = rest.find(']').map_or("", |end| &rest[end + 1..]).trim_start();
        }
        rest = ["pub(crate) ", "pub(super) ", "pub "].iter().find_map(|word| rest.strip_prefix(word)).unwrap_or(rest);
        if let Some(rest) = rest.strip_prefix("mod ") {
            let end = rest.find(['{', ';']).map_or(rest.len(), |end| end + 1);
            modules.push((code.len() - rest.len(), &rest[..end]));
        }
    }
    modules
}

/// The source without what only looks like code: comments, texts, characters.
fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment(rest)
        } else if let Some(length) = raw_text(rest).filter(|_| !code.ends_with(is_word)) {
            length
        } else if c == '"' {
            text(rest, '"')
        } else if c == '\'' {
            // A character has its quote behind it; a lifetime has none.
            let mut next = rest.chars().skip(1);
            match (next.next(), next.next()) {
                (Some('\\'), _) | (Some(_), Some('\'')) => text(rest, '\''),
                _ => 0,
            }
        } else {
            0
        };
        if skipped > 0 {
            code.push(' ');
            rest = &rest[skipped..];
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    code
}

/// The length of a comment that may hold others.
fn comment(source: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < source.len() {
        if source[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if source[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += source[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    source.len()
}

/// The length of a text between quotes, both included.
fn text(source: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in source.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + 1;
        }
    }
    source.len()
}

/// The length of a raw text: `r"…"`, `r#"…"#`, `br"…"`.
fn raw_text(source: &str) -> Option<usize> {
    let body = source.strip_prefix("br").or_else(|| source.strip_prefix('r'))?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = source.len() - body.len() + hashes + 1;
    Some(source[start..].find(&end).map_or(source.len(), |at| start + at + end.len()))
}
