//! The README shows what its commands print.

use super::harness::{assert_same, is_blessing, root, run};

#[test]
fn the_readme_shows_what_its_commands_print() {
    let path = root().join("README.md");
    let text = std::fs::read_to_string(&path).expect("README.md is there");
    let mut real = String::new();
    let mut rest = text.as_str();
    let mut blocks = 0;
    while let Some(at) = rest.find(BLOCK) {
        let (before, block) = rest.split_at(at);
        let (block, after) = block[BLOCK.len()..].split_once("```").expect("a block ends");
        let command = block.lines().next().expect("a block has a command");
        real.push_str(&format!("{before}{BLOCK}{command}\n{}```", printed(command)));
        rest = after;
        blocks += 1;
    }
    real.push_str(rest);
    assert!(blocks >= 5, "the README has examples");
    if is_blessing() {
        std::fs::write(&path, &real).expect("README.md can be written");
    } else {
        assert_same("README.md", &text, &real);
    }
}

/// What `overhear …`, perhaps with `| head -n N` or `| tail -n N` behind it, prints.
fn printed(command: &str) -> String {
    let (program, filter) = command.split_once(" | ").unwrap_or((command, ""));
    let words: Vec<&str> = program.split_whitespace().collect();
    assert_eq!(words.first(), Some(&"overhear"), "{command}");
    let run = run(&words[1..]);
    assert_eq!(run.status, Some(0), "{command}: {}", run.stderr);
    let text = run.text();
    let lines: Vec<&str> = text.lines().collect();
    let count = |filter: &str| filter.rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or(lines.len());
    let shown = match filter.split(' ').next() {
        Some("head") => &lines[..count(filter).min(lines.len())],
        Some("tail") => &lines[lines.len() - count(filter).min(lines.len())..],
        _ => &lines[..],
    };
    shown.iter().map(|line| format!("{line}\n")).collect()
}

const BLOCK: &str = "```console\n$ ";
