//! Who could learn what: a table of subjects and observers, and whether each of them could read the dialogue.

use std::io::{self, Write};

use super::report::{Look, places};
use super::style::{Label, wrapped};
use crate::bytes::escaped;
use crate::report::{Matrix, Reach};

/// Prints the answers, and the table, in which subjects that everybody learns alike stand together.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, matrix: &Matrix, look: Look) -> io::Result<()> {
    answers(out, matrix, look)?;
    writeln!(out)?;
    let subjects = look.width.saturating_sub(MARGIN + 4 * COLUMN).clamp(20, 60);
    let mut heading = format!("  {:subjects$}", "Who could learn it?");
    for name in HEADS {
        heading.push_str(&format!("{name:COLUMN$}"));
    }
    writeln!(out, "{}", look.painter.paint(Label::Heading, heading.trim_end()))?;
    for (names, cells) in groups(matrix) {
        for (i, line) in wrapped(&names.join(", "), subjects - 2).iter().enumerate() {
            let padding = subjects.saturating_sub(line.chars().count());
            write!(out, "  {line}")?;
            if i == 0 {
                write!(out, "{:padding$}", "")?;
                for (column, cell) in cells.iter().enumerate() {
                    let width = if column + 1 < cells.len() { COLUMN } else { 0 };
                    let word = cell.unwrap_or("cannot tell");
                    write!(
                        out,
                        "{}{:2$}",
                        look.painter.paint(label(*cell), word),
                        "",
                        width.saturating_sub(word.len())
                    )?;
                }
            }
            writeln!(out)?;
        }
    }
    Ok(())
}

/// Subjects of which every observer learns as much, in the order of the first of each.
fn groups(matrix: &Matrix) -> Vec<(Vec<&'static str>, [Option<&'static str>; 4])> {
    let mut groups: Vec<(Vec<&'static str>, [Option<&'static str>; 4])> = Vec::new();
    for (subject, cells) in &matrix.rows {
        match groups.iter_mut().find(|(_, other)| other == cells) {
            Some((names, _)) => names.push(subject),
            None => groups.push((vec![subject], *cells)),
        }
    }
    groups
}

fn answers(out: &mut dyn Write, matrix: &Matrix, look: Look) -> io::Result<()> {
    writeln!(out)?;
    writeln!(out, "  {}", look.painter.paint(Label::Heading, "Could it be read?"))?;
    let Some(first) = matrix.reaches.first() else { return Ok(()) };
    // What reading along gives away, nobody needs more for.
    if first.answer == "yes" {
        return answer(out, "by everybody on the path", first, look);
    }
    for reach in &matrix.reaches {
        answer(out, who(reach.observer), reach, look)?;
    }
    Ok(())
}

fn answer(out: &mut dyn Write, who: &str, reach: &Reach, look: Look) -> io::Result<()> {
    let aside = places(&reach.evidence);
    let room = look.width.saturating_sub(2 + WHO + ANSWER + 2 + ASIDE).max(24);
    for (i, line) in wrapped(&escaped(reach.brief.as_bytes()).to_string(), room).iter().enumerate() {
        let (who, answer, aside) = if i == 0 { (who, reach.answer, aside.as_str()) } else { ("", "", "") };
        let answered = look.painter.paint(answer_label(answer), answer);
        let (gap, padding) = (ANSWER - answer.len().min(ANSWER), room.saturating_sub(line.chars().count()));
        let aside = look.painter.paint(Label::Aside, aside);
        let row = format!("  {who:WHO$}{answered}{:gap$}{line}{:padding$}  {aside}", "", "");
        writeln!(out, "{}", row.trim_end())?;
    }
    Ok(())
}

fn who(observer: &str) -> &'static str {
    match observer {
        "passive" => "by reading along",
        "active" => "by interfering",
        "key-holder" => "with the server's key",
        _ => "with a quantum computer",
    }
}

fn label(cell: Option<&str>) -> Label {
    match cell {
        Some("seen") => Label::Seen,
        Some("inferred") => Label::Inferred,
        Some(_) => Label::Hidden,
        None => Label::Aside,
    }
}

fn answer_label(answer: &str) -> Label {
    match answer {
        "yes" => Label::Alarm,
        "no" => Label::Hidden,
        _ => Label::Aside,
    }
}

/// The observers, as heads of columns: who reads along, who interferes, who has the server's key later, and who has a
/// quantum computer later.
const HEADS: [&str; 4] = ["passive", "active", "key later", "quantum"];

const MARGIN: usize = 2;
const COLUMN: usize = 13;
const WHO: usize = 25;
const ANSWER: usize = 13;
const ASIDE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::style::Painter;
    use crate::report::Evidence;

    fn reach(observer: &'static str, answer: &'static str) -> Reach {
        let evidence = vec![Evidence { packets: vec![14], direction: None, start: None, end: None }];
        Reach {
            observer,
            answer,
            brief: "for a reason of some more words than fit".to_owned(),
            why: String::new(),
            evidence,
        }
    }

    fn printed(matrix: &Matrix, width: usize) -> String {
        let mut out = Vec::new();
        write(&mut out, matrix, Look { painter: Painter::new(false), width }).expect("memory takes all");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn subjects_that_all_learn_alike_share_a_line_and_eighty_columns_suffice() {
        let (seen, inferred) = (Some("seen"), Some("inferred"));
        let matrix = Matrix {
            rows: vec![("hosts", [seen; 4]), ("sender", [inferred, inferred, inferred, None]), ("timing", [seen; 4])],
            reaches: vec![reach("passive", "no"), reach("active", "cannot tell")],
        };
        let text = printed(&matrix, 80);
        assert!(text.contains("  hosts, timing             seen         seen         seen         seen\n"), "{text}");
        assert!(text.contains("inferred     inferred     inferred     cannot tell\n"), "{text}");
        assert!(text.contains("  by interfering           cannot tell  for a reason"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn what_is_in_the_clear_has_one_answer() {
        let matrix = Matrix {
            rows: vec![("hosts", [Some("seen"); 4])],
            reaches: vec![reach("passive", "yes"), reach("active", "yes")],
        };
        let text = printed(&matrix, 80);
        assert!(text.contains("by everybody on the path") && !text.contains("by interfering"), "{text}");
    }
}
