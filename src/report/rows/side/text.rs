//! Captured text in the words of packet lists.

/// Appends `octets` as Wireshark's columns show text: valid UTF-8 that has a glyph stays; control
/// characters as C writes them (`\n`, otherwise `\033`), other characters without a glyph as `\u202E`,
/// octets that are not UTF-8 as the replacement character. Nothing that could harm a terminal is left.
pub fn push_text(octets: &[u8], out: &mut String) {
    for chunk in octets.utf8_chunks() {
        for character in chunk.valid().chars() {
            push_character(character, out);
        }
        if !chunk.invalid().is_empty() {
            out.push('\u{fffd}');
        }
    }
}

fn push_character(character: char, out: &mut String) {
    use std::fmt::Write as _;

    match character {
        '\x07' => out.push_str("\\a"),
        '\x08' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\x0b' => out.push_str("\\v"),
        '\x0c' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        '\0'..'\x20' | '\x7f' => {
            let _ = write!(out, "\\{:03o}", u32::from(character));
        }
        ' '..'\x7f' => out.push(character),
        _ if has_no_glyph(character) && u32::from(character) > 0xffff => {
            let _ = write!(out, "\\U{:08X}", u32::from(character));
        }
        _ if has_no_glyph(character) => {
            let _ = write!(out, "\\u{:04X}", u32::from(character));
        }
        _ => out.push(character),
    }
}

/// Controls, formats, surrogates, private and line ends (general categories Cc, Cf, Co, Zl, Zp).
fn has_no_glyph(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{8e2}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(octets: &[u8]) -> String {
        let mut out = String::new();
        push_text(octets, &mut out);
        out
    }

    #[test]
    fn text_that_could_harm_a_terminal_is_written_out() {
        assert_eq!(shown(b"x\tq\n\r\x1b\x7f\x00"), "x\\tq\\n\\r\\033\\177\\000");
        assert_eq!(shown("a\u{202e}b\u{9b}".as_bytes()), "a\\u202Eb\\u009B");
        assert_eq!(shown("é😀 \\\"<>&".as_bytes()), "é😀 \\\"<>&");
        assert_eq!(shown(b"\xff\xfe|\xe2\x80"), "\u{fffd}\u{fffd}|\u{fffd}");
    }
}
