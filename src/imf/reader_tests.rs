use super::*;

/// Everything that is told of a message, a line each; contents put together.
fn told(detail: Detail, pieces: &[&[u8]], gap_after: Option<usize>) -> Vec<String> {
    let mut reader = Reader::new(detail);
    let mut lines: Vec<String> = Vec::new();
    let mut contents: std::collections::BTreeMap<u64, Vec<u8>> = std::collections::BTreeMap::new();
    let mut emit = |event: Event<'_>| match event {
        Event::Field { part, field } => {
            lines.push(format!("{} {}", part.number, String::from_utf8_lossy(field.name)));
        }
        Event::PartStart(part) => {
            let name = part.file_name.as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned();
            lines.push(format!("{} < {:?} {} {name}", part.number, part.parent, part.content_type.name()));
        }
        Event::Content { part, octets } => contents.entry(part.number).or_default().extend_from_slice(octets),
        Event::PartEnd(part) => {
            let text = contents.remove(&part.number).unwrap_or_default();
            if detail == Detail::Content {
                assert_eq!(text.len() as u64, part.octets);
            }
            lines.push(format!(
                "{} > {} of {} missing {} complete {} {:?}",
                part.number,
                part.octets,
                part.encoded,
                part.missing,
                part.complete,
                String::from_utf8_lossy(&text)
            ));
        }
        Event::Anomaly(anomaly) => lines.push(format!("! {}", anomaly.id())),
        Event::Message { .. } => {}
    };
    for (nth, piece) in pieces.iter().enumerate() {
        reader.feed(piece, &mut emit);
        if Some(nth) == gap_after {
            reader.gap(7, &mut emit);
        }
    }
    reader.finish(&mut emit);
    lines
}

/// What is told of `message`, whole; in pieces of any size the same is told.
fn read(message: &str) -> Vec<String> {
    let whole = told(Detail::Content, &[message.as_bytes()], None);
    for size in 1..message.len() {
        let pieces: Vec<&[u8]> = message.as_bytes().chunks(size).collect();
        assert_eq!(told(Detail::Content, &pieces, None), whole, "pieces of {size}");
        let counted: Vec<String> = told(Detail::Structure, &pieces, None);
        // What is not decoded is not found to be broken.
        let events = |lines: &[String]| lines.iter().filter(|line| !line.starts_with("! mime-bad")).count();
        assert_eq!(events(&counted), events(&whole), "pieces of {size}, without contents");
    }
    for length in 0..message.len() {
        let cut = told(Detail::Content, &[&message.as_bytes()[..length]], None);
        let ends = cut.iter().filter(|line| line.contains(" > ")).count();
        assert_eq!(cut.iter().filter(|line| line.contains(" < ")).count(), ends, "cut to {length}");
    }
    whole
}

const MIXED: &str = "From: a@example.org\r\nContent-Type: multipart/mixed;\r\n boundary=\"x\"\r\n\r\npreamble\r\n\
    --x\r\n\r\nfirst\r\n--x-\r\n--x\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n\
    aGVsbG8=\r\n--x--\r\nepilogue\r\n";

#[test]
fn a_multipart_is_told_part_by_part() {
    assert_eq!(
        read(MIXED),
        [
            "0 From",
            "0 Content-Type",
            "0 < None multipart/mixed ",
            "1 < Some(0) text/plain ",
            "1 > 11 of 11 missing 0 complete true \"first\\r\\n--x-\"",
            "2 Content-Type",
            "2 Content-Transfer-Encoding",
            "2 < Some(0) application/pdf a.pdf",
            "2 > 5 of 8 missing 0 complete true \"hello\"",
            "0 > 0 of 0 missing 0 complete true \"\"",
        ]
    );
    let lf = MIXED.replace("\r\n", "\n");
    assert_eq!(read(&lf).len(), read(MIXED).len());
}

#[test]
fn a_forwarded_message_is_told_with_its_own_parts() {
    let message = "Content-Type: multipart/digest; boundary=o\r\n\r\n--o\r\n\r\nSubject: in\r\nContent-Type: multipart/alternative;\r\n\
        \tboundary=i\r\n\r\n--i\r\nContent-Type: text/html\r\n\r\n<p>\r\n--i--\r\n--o--\r\n";
    assert_eq!(
        read(message),
        [
            "0 Content-Type",
            "0 < None multipart/digest ",
            "1 < Some(0) message/rfc822 ",
            "2 Subject",
            "2 Content-Type",
            "2 < Some(1) multipart/alternative ",
            "3 Content-Type",
            "3 < Some(2) text/html ",
            "3 > 3 of 3 missing 0 complete true \"<p>\"",
            "2 > 0 of 0 missing 0 complete true \"\"",
            "1 > 0 of 0 missing 0 complete true \"\"",
            "0 > 0 of 0 missing 0 complete true \"\"",
        ]
    );
}

#[test]
fn a_plain_message_is_one_part_with_all_its_text() {
    assert_eq!(
        read("Subject: x\r\n\r\none\r\n-\r\n--two\r\n"),
        ["0 Subject", "0 < None text/plain ", "0 > 15 of 15 missing 0 complete true \"one\\r\\n-\\r\\n--two\\r\\n\""]
    );
    assert_eq!(
        read("no header\r\nat all"),
        [
            "! header-ended-by-text",
            "0 < None text/plain ",
            "0 > 17 of 17 missing 0 complete true \"no header\\r\\nat all\""
        ]
    );
}

#[test]
fn what_is_cut_off_or_missing_is_not_complete() {
    let open = "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ntext";
    let lines = read(open);
    assert_eq!(
        lines[2..],
        [
            "1 < Some(0) text/plain ",
            "1 > 4 of 4 missing 0 complete false \"text\"",
            "! mime-missing-end-boundary",
            "0 > 0 of 0 missing 0 complete false \"\"",
        ]
    );
    let (before, after) = MIXED.split_at(MIXED.find("first").expect("there") + 2);
    let lines = told(Detail::Content, &[before.as_bytes(), after.as_bytes()], Some(0));
    assert!(lines.contains(&"1 > 11 of 11 missing 7 complete false \"first\\r\\n--x-\"".to_owned()), "{lines:?}");
    assert!(lines.contains(&"2 > 5 of 8 missing 0 complete true \"hello\"".to_owned()), "{lines:?}");
}

#[test]
fn oddities_of_header_and_contents_are_told() {
    let lines = read("Subject: a\r\nSubject: b\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!\r\n????\r\n");
    assert_eq!(lines.iter().filter(|line| line.starts_with('!')).count(), 2, "{lines:?}");
    assert!(lines.contains(&"! header-repeated-field".to_owned()) && lines.contains(&"! mime-bad-base64".to_owned()));
    assert!(read("Content-Type: multipart/mixed\r\n\r\nx").contains(&"! mime-no-boundary".to_owned()));
}

#[test]
fn a_field_and_a_depth_without_end_stay_within_limits() {
    let long = format!("Subject: {}\r\n {}\r\n\r\nx", "a".repeat(100_000), "b".repeat(100_000));
    let lines = told(Detail::Content, &[long.as_bytes()], None);
    assert!(lines.contains(&"! header-field-too-long".to_owned()), "{lines:?}");
    let deep = "Content-Type: message/rfc822\r\n\r\n".repeat(200);
    let lines = told(Detail::Content, &[deep.as_bytes()], None);
    assert_eq!(lines.iter().filter(|line| line.contains(" < ")).count(), limits::IMF_DEPTH);
}

#[test]
fn fields_are_unfolded_and_decoded() {
    let field = Field { name: b"Subject", value: b" =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n and more" };
    assert_eq!(field.unfolded(), b"=?utf-8?q?Gr=C3=BC=C3=9Fe?= and more");
    assert_eq!(field.decoded(), "Grüße and more".as_bytes());
}

#[test]
fn the_fuzz_body_takes_samples_and_noise() {
    for seed in 0..=255_u8 {
        let mut data = vec![seed];
        data.extend_from_slice(MIXED.as_bytes());
        fuzz_mime(&data);
        let mut state = u32::from(seed) + 1;
        for octet in &mut data[1..] {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if state >> 28 == 0 {
                *octet = (state >> 16) as u8;
            }
        }
        fuzz_mime(&data);
    }
}

/// The messages inside a message, by the number of their part.
fn forwarded(pieces: &[&[u8]], gap_after: Option<usize>) -> Vec<(u64, String)> {
    let mut reader = Reader::new(Detail::Content);
    let mut found: std::collections::BTreeMap<u64, Vec<u8>> = std::collections::BTreeMap::new();
    let mut emit = |event: Event<'_>| {
        if let Event::Message { part, octets } = event {
            found.entry(part.number).or_default().extend_from_slice(octets);
        }
    };
    for (nth, piece) in pieces.iter().enumerate() {
        reader.feed(piece, &mut emit);
        if Some(nth) == gap_after {
            reader.gap(7, &mut emit);
        }
    }
    reader.finish(&mut emit);
    found.into_iter().map(|(part, octets)| (part, String::from_utf8(octets).unwrap())).collect()
}

#[test]
fn messages_inside_come_out_octet_for_octet_however_they_are_cut() {
    let innermost = "Subject: 3\r\n\r\ntext\r\n";
    let inner = format!(
        "From: a@example.org\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\nbefore\r\n--in\r\n\r\none\r\n--in\r\n\
         Content-Type: message/rfc822\r\n\r\n{innermost}\r\n--in--\r\nafter --in\r\n--no boundary\r\n"
    );
    let whole = format!(
        "Content-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n\
         --out\r\n\r\nlast\r\n--out--\r\n"
    );
    let expected = [(1, inner.clone()), (4, innermost.to_owned())];
    assert_eq!(forwarded(&[whole.as_bytes()], None), expected);
    for size in [1, 2, 3, 7] {
        let pieces: Vec<&[u8]> = whole.as_bytes().chunks(size).collect();
        assert_eq!(forwarded(&pieces, None), expected, "pieces of {size}");
    }
    for cut in 0..whole.len() {
        // What was there before the cut is the beginning of what there is without one.
        for (part, text) in forwarded(&[&whole.as_bytes()[..cut]], None) {
            let full = &expected.iter().find(|(number, _)| *number == part).unwrap().1;
            let ends = ["\r\n--out--\r\n", "\r\n--in--\r\n"];
            assert!(ends.iter().any(|end| format!("{full}{end}").starts_with(&text)), "cut at {cut}: {text:?}");
        }
    }
    let gap: Vec<&[u8]> = vec![whole.as_bytes(), b"more"];
    assert_eq!(forwarded(&gap, Some(0)), expected);
    // A header line beyond what is kept of it is still part of the message.
    let long = format!("X: {}\r\n\r\nend", "x".repeat(limits::IMF_HEADER_FIELD_OCTETS * 2));
    let whole = format!("Content-Type: message/rfc822\r\n\r\n{long}");
    for size in [1000, whole.len()] {
        let pieces: Vec<&[u8]> = whole.as_bytes().chunks(size).collect();
        assert_eq!(forwarded(&pieces, None), [(0, long.clone())]);
    }
}

#[test]
fn even_lines_are_counted_as_others_are() {
    let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo";
    let lines = [line; 7].join("\r\n");
    let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let text = format!("{head}{lines}\r\nQUI=\r\n--b\r\n\r\n{lines}\r\n-{lines}\r\n--b--\r\n");
    let whole = part_sizes(text.as_bytes(), text.len(), false);
    assert_eq!((whole[0].1, whole[0].2), (7 * (line.len() as u64 + 2) + 4, 62 * 3));
    for size in 1..=text.len() {
        assert_eq!(part_sizes(text.as_bytes(), size, true), whole, "pieces of {size}");
    }
}
