//! Zeek's logs: values between tabs under header lines, or an object a line.

use std::io::{self, Write};

use serde_json::{Map, Number};

use crate::bytes::utf8;
use crate::report::zeek::{Log, Record, Value};
use crate::time::{Interval, Timestamp};

/// Writes the lines that a log begins with; `open` is the time that its `#open` line says.
///
/// # Errors
/// When the output cannot be written.
pub fn begin(out: &mut dyn Write, log: Log, open: Timestamp) -> io::Result<()> {
    let columns = log.columns();
    writeln!(out, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-")?;
    writeln!(out, "#path\t{}\n#open\t{}", log.path(), moment(open))?;
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let types: Vec<&str> = columns.iter().map(|(_, kind)| *kind).collect();
    writeln!(out, "#fields\t{}\n#types\t{}", names.join("\t"), types.join("\t"))
}

/// Writes the line that a log ends with.
///
/// # Errors
/// When the output cannot be written.
pub fn end(out: &mut dyn Write, close: Timestamp) -> io::Result<()> {
    writeln!(out, "#close\t{}", moment(close))
}

/// Writes a record as values between tabs.
///
/// # Errors
/// When the output cannot be written.
pub fn line(out: &mut dyn Write, record: &Record) -> io::Result<()> {
    let mut line = String::new();
    for (n, value) in record.values.iter().enumerate() {
        if n > 0 {
            line.push('\t');
        }
        put(&mut line, value, false);
    }
    line.push('\n');
    out.write_all(line.as_bytes())
}

/// Writes a record as an object, without what is not set.
///
/// # Errors
/// When the output cannot be written.
pub fn object(out: &mut dyn Write, record: &Record) -> io::Result<()> {
    let mut object = Map::new();
    for ((name, _), value) in record.log.columns().iter().zip(&record.values) {
        if *value != Value::Unset {
            object.insert((*name).to_owned(), json(value));
        }
    }
    super::json::line(out, &object)
}

fn json(value: &Value) -> serde_json::Value {
    let number = |seconds: f64| Number::from_f64(seconds).map_or(serde_json::Value::Null, serde_json::Value::Number);
    match value {
        Value::Unset => serde_json::Value::Null,
        Value::Bool(yes) => (*yes).into(),
        Value::Count(n) => (*n).into(),
        Value::Time(time) => number(time.seconds()),
        Value::Interval(interval) => number(interval.nanos() as f64 / 1e9),
        Value::Text(text) => utf8(text).into(),
        Value::Address(ip) => ip.to_string().into(),
        Value::List(list) => list.iter().map(json).collect(),
    }
}

fn put(line: &mut String, value: &Value, in_list: bool) {
    match value {
        Value::Unset => line.push('-'),
        Value::Bool(yes) => line.push(if *yes { 'T' } else { 'F' }),
        Value::Count(n) => line.push_str(&n.to_string()),
        Value::Time(time) => line.push_str(&Interval::from_nanos(time.nanos()).decimals(6).to_string()),
        Value::Interval(interval) => line.push_str(&interval.decimals(6).to_string()),
        Value::Address(ip) => line.push_str(&ip.to_string()),
        Value::Text(text) => put_text(line, text, in_list),
        Value::List(list) if list.is_empty() => line.push_str("(empty)"),
        Value::List(list) => {
            for (n, value) in list.iter().enumerate() {
                if n > 0 {
                    line.push(',');
                }
                put(line, value, true);
            }
        }
    }
}

/// Text with all octets escaped that would end a value, or that a terminal obeys. What means "unset" or "empty" is escaped too.
fn put_text(line: &mut String, text: &[u8], in_list: bool) {
    match text {
        b"" => return line.push_str("(empty)"),
        b"-" => return line.push_str("\\x2d"),
        b"(empty)" => return line.push_str("\\x28empty)"),
        _ => {}
    }
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => line.push_str("\\\\"),
                ',' if in_list => line.push_str("\\x2c"),
                c if c.is_control() => {
                    let mut octets = [0; 4];
                    for octet in c.encode_utf8(&mut octets).bytes() {
                        line.push_str(&format!("\\x{octet:02x}"));
                    }
                }
                c => line.push(c),
            }
        }
        for octet in chunk.invalid() {
            line.push_str(&format!("\\x{octet:02x}"));
        }
    }
}

/// `2026-11-24-10-03-12`.
fn moment(time: Timestamp) -> String {
    let text: String = time.utc().to_string().chars().take(19).collect();
    text.replace([' ', ':', 'T'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_zeek_writes_them() {
        let text = |value: &Value| {
            let mut line = String::new();
            put(&mut line, value, false);
            line
        };
        let of = |octets: &[u8]| Value::Text(octets.to_vec());
        assert_eq!(text(&Value::Unset), "-");
        assert_eq!(text(&of(b"")), "(empty)");
        assert_eq!(text(&of(b"-")), "\\x2d");
        assert_eq!(text(&of(b"a\tb\\\xff\x1b")), "a\\x09b\\\\\\xff\\x1b");
        assert_eq!(text(&Value::List(Vec::new())), "(empty)");
        assert_eq!(text(&Value::List(vec![of(b"a,b"), of(b"c")])), "a\\x2cb,c");
        assert_eq!(text(&Value::Interval(Interval::from_nanos(1_500_000))), "0.001500");
        assert_eq!(text(&Value::Bool(true)), "T");
    }
}
