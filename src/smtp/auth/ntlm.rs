//! The messages of NTLM ([MS-NLMP] §2.2.1), as far as they say who logs in from where.

/// What a message of NTLM says in the clear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// 1 negotiates, 2 challenges, 3 authenticates.
    pub kind: u32,
    /// Types 1 and 3: the client's domain; type 2: the server's.
    pub domain: Option<Vec<u8>>,
    /// Type 3.
    pub user: Option<Vec<u8>>,
    /// Types 1 and 3: the client's computer.
    pub workstation: Option<Vec<u8>>,
    /// Type 3: octets of the response to the challenge.
    pub response: Option<usize>,
}

/// Reads a message of any type; `None` where it is none.
pub(super) fn read(octets: &[u8]) -> Option<Message> {
    let kind = word(octets.strip_prefix(b"NTLMSSP\0").and(octets.get(8..))?)?;
    let mut message = Message { kind, ..Message::default() };
    match kind {
        1 => {
            message.domain = field(octets, 16, false);
            message.workstation = field(octets, 24, false);
        }
        2 => message.domain = field(octets, 12, is_unicode(octets, 20)),
        3 => {
            let unicode = is_unicode(octets, 60);
            message.domain = field(octets, 28, unicode);
            message.user = field(octets, 36, unicode);
            message.workstation = field(octets, 44, unicode);
            let [lm, nt] = [12, 20].map(|at| located(octets, at).map(<[u8]>::len).unwrap_or(0));
            message.response = Some(if nt > 0 { nt } else { lm }).filter(|length| *length > 0);
        }
        _ => return None,
    }
    Some(message)
}

/// NTLMSSP_NEGOTIATE_UNICODE; old clients send no flags at all, and text in octets.
fn is_unicode(octets: &[u8], flags_at: usize) -> bool {
    octets.get(flags_at..).and_then(word).is_some_and(|flags| flags & 1 != 0)
}

/// The text that a field at `at` points to; `None` where it is empty or outside the message.
fn field(octets: &[u8], at: usize, unicode: bool) -> Option<Vec<u8>> {
    let text = located(octets, at).filter(|text| !text.is_empty())?;
    if !unicode {
        return Some(text.to_vec());
    }
    let units: Vec<u16> = text.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    Some(String::from_utf16_lossy(&units).into_bytes())
}

/// A field: a length, room for it, and an offset.
fn located(octets: &[u8], at: usize) -> Option<&[u8]> {
    let head = octets.get(at..at.checked_add(8)?)?;
    let length = usize::from(u16::from_le_bytes([head[0], head[1]]));
    let offset = usize::try_from(word(&head[4..])?).ok()?;
    octets.get(offset..offset.checked_add(length)?)
}

fn word(octets: &[u8]) -> Option<u32> {
    octets.first_chunk().map(|word| u32::from_le_bytes(*word))
}

#[cfg(test)]
pub(in crate::smtp) mod tests {
    use super::*;

    /// A message of type 3 for tests: fields in UTF-16.
    pub(in crate::smtp) fn authenticate(domain: &str, user: &str, workstation: &str) -> Vec<u8> {
        let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
        message.resize(64, 0);
        message[60] = 1;
        let text = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let fields = [(20, vec![7; 60]), (28, text(domain)), (36, text(user)), (44, text(workstation))];
        for (at, value) in fields {
            let offset = u32::try_from(message.len()).unwrap().to_le_bytes();
            let length = u16::try_from(value.len()).unwrap().to_le_bytes();
            message[at..at + 2].copy_from_slice(&length);
            message[at + 2..at + 4].copy_from_slice(&length);
            message[at + 4..at + 8].copy_from_slice(&offset);
            message.extend_from_slice(&value);
        }
        message
    }

    #[test]
    fn a_message_of_type_3_says_who_logs_in_from_where() {
        let whole = authenticate("EXAMPLE", "alice", "DESK-1");
        let message = read(&whole).unwrap();
        let text = |field: &Option<Vec<u8>>| String::from_utf8(field.clone().unwrap()).unwrap();
        assert_eq!(
            [&message.domain, &message.user, &message.workstation].map(text),
            ["EXAMPLE", "alice", "DESK-1"].map(str::to_owned)
        );
        assert_eq!((message.kind, message.response), (3, Some(60)));
        for cut in 0..whole.len() {
            if let Some(message) = read(&whole[..cut]) {
                assert!(cut >= 12 && message.workstation.is_none(), "{cut}");
            }
        }
        let behind = [&whole[..], b"more"].concat();
        assert_eq!(read(&behind), read(&whole));
    }

    #[test]
    fn types_1_and_2_name_computers() {
        let mut hello = b"NTLMSSP\0\x01\0\0\0\x07\x82\x08\xa2".to_vec();
        hello.extend_from_slice(&[3, 0, 3, 0, 32, 0, 0, 0, 4, 0, 4, 0, 35, 0, 0, 0]);
        hello.extend_from_slice(b"DOMDESK");
        let message = read(&hello).unwrap();
        assert_eq!(
            (message.domain.as_deref(), message.workstation.as_deref()),
            (Some(&b"DOM"[..]), Some(&b"DESK"[..]))
        );
        let mut challenge = b"NTLMSSP\0\x02\0\0\0\x04\0\x04\0\x20\0\0\0\x01\0\0\0".to_vec();
        challenge.extend_from_slice(&[9; 8]);
        challenge.extend_from_slice(b"M\0X\0");
        assert_eq!(read(&challenge).unwrap().domain.as_deref(), Some(&b"MX"[..]));
        assert_eq!(read(b"NTLMSSP\0\x04\0\0\0"), None);
        assert_eq!(read(b"KERBEROS"), None);
    }
}
