//! Builds records and hellos octet by octet.

use crate::bytes::Cursor;

pub(super) fn vector8(body: &[u8]) -> Vec<u8> {
    [&[body.len() as u8], body].concat()
}

pub(super) fn vector16(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16).to_be_bytes(), body].concat()
}

pub(super) fn numbers(list: &[u16]) -> Vec<u8> {
    list.iter().flat_map(|number| number.to_be_bytes()).collect()
}

pub(super) fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3], &vector16(body)[..]].concat()
}

pub(super) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &(body.len() as u32).to_be_bytes()[1..], body].concat()
}

pub(super) fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes(), &vector16(body)[..]].concat()
}

/// A ClientHello message of TLS 1.2 form.
pub(super) fn client_hello(version: u16, session_id: &[u8], suites: &[u16], extensions: &[Vec<u8>]) -> Vec<u8> {
    let mut body =
        [&version.to_be_bytes()[..], &[7; 32], &vector8(session_id), &vector16(&numbers(suites)), &[1, 0]].concat();
    if !extensions.is_empty() {
        body.extend(vector16(&extensions.concat()));
    }
    message(1, &body)
}

/// A ServerHello message.
pub(super) fn server_hello(random: [u8; 32], session_id: &[u8], suite: u16, extensions: &[Vec<u8>]) -> Vec<u8> {
    let mut body = [&[3, 3][..], &random, &vector8(session_id), &suite.to_be_bytes(), &[0]].concat();
    if !extensions.is_empty() {
        body.extend(vector16(&extensions.concat()));
    }
    message(2, &body)
}

/// Octets from hexadecimal.
pub(super) fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

/// The records that `stream` begins with, each with its header.
pub(super) fn records(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut cursor = Cursor::new(stream);
    let mut records = Vec::new();
    while let (Some(start), Some(body)) = (cursor.take(3), cursor.vector16()) {
        records.push([start, &vector16(body)].concat());
    }
    records
}
