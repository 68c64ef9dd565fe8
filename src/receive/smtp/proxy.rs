//! The PROXY protocol, versions 1 and 2: a load balancer says in front of the session who its client is.
//! Only the addresses that the configuration names are asked, and believed.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncRead, AsyncReadExt};

/// What a header of version 2 begins with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The longest line of version 1.
const LINE: usize = 107;
/// Addresses and what a balancer may tell beside them.
const LONGEST: u16 = 4096;

fn wrong() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "no PROXY header")
}

/// Reads the header, and not a byte more. `None`: the balancer speaks for itself, or does not know.
///
/// # Errors
/// What comes is no header, or the connection broke.
pub(super) async fn client(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    let mut start = [0; 12];
    stream.read_exact(&mut start).await?;
    if start != SIGNATURE {
        let mut line = start.to_vec();
        while !line.ends_with(b"\r\n") {
            if line.len() >= LINE || !line.starts_with(b"PROXY ") {
                return Err(wrong());
            }
            line.push(stream.read_u8().await?);
        }
        return version_1(&line).ok_or_else(wrong);
    }
    let [version, family] = [stream.read_u8().await?, stream.read_u8().await?];
    let length = stream.read_u16().await?;
    if length > LONGEST {
        return Err(wrong());
    }
    let mut rest = vec![0; usize::from(length)];
    stream.read_exact(&mut rest).await?;
    version_2(version, family, &rest).ok_or_else(wrong)
}

fn version_1(line: &[u8]) -> Option<Option<IpAddr>> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    let mut words = line.strip_prefix("PROXY ")?.split(' ');
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(None);
    }
    let source = words.next()?;
    let _destination: IpAddr = words.next()?.parse().ok()?;
    for port in [words.next()?, words.next()?] {
        let _: u16 = port.parse().ok()?;
    }
    if words.next().is_some() {
        return None;
    }
    match family {
        "TCP4" => Some(Some(IpAddr::V4(source.parse::<Ipv4Addr>().ok()?))),
        "TCP6" => {
            let source = IpAddr::V6(source.parse::<Ipv6Addr>().ok()?);
            Some(Some(source.to_canonical()))
        }
        _ => None,
    }
}

fn version_2(version: u8, family: u8, rest: &[u8]) -> Option<Option<IpAddr>> {
    match (version, family) {
        // LOCAL: a check of the balancer's own.
        (0x20, _) => Some(None),
        (0x21, 0x11) => {
            let source: [u8; 4] = rest.get(..12)?[..4].try_into().ok()?;
            Some(Some(IpAddr::from(source)))
        }
        (0x21, 0x21) => {
            let source: [u8; 16] = rest.get(..36)?[..16].try_into().ok()?;
            Some(Some(IpAddr::from(source).to_canonical()))
        }
        (0x21, _) => Some(None),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What was read, and what is left for the session.
    fn read(bytes: &[u8]) -> Option<(Option<IpAddr>, Vec<u8>)> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let mut stream = bytes;
        let client = runtime.block_on(client(&mut stream)).ok()?;
        Some((client, stream.to_vec()))
    }

    fn second(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE, &[command, family][..], &length, rest, b"EHLO"].concat()
    }

    #[test]
    fn both_versions_name_the_client() {
        let four = Some("192.0.2.7".parse().unwrap());
        let six = Some("2001:db8::7".parse().unwrap());
        for (header, client) in [
            ("PROXY TCP4 192.0.2.7 192.0.2.1 56324 25\r\n", four),
            ("PROXY TCP6 2001:db8::7 2001:db8::1 4124 25\r\n", six),
            ("PROXY TCP6 ::ffff:192.0.2.7 ::1 4124 25\r\n", four),
            ("PROXY UNKNOWN\r\n", None),
            ("PROXY UNKNOWN what ever\r\n", None),
        ] {
            let whole = format!("{header}EHLO");
            assert_eq!(
                read(whole.as_bytes()),
                Some((client, b"EHLO".to_vec())),
                "{header}"
            );
        }
        let rest = [192, 0, 2, 7, 192, 0, 2, 1, 220, 4, 0, 25];
        let extended = [&rest[..], &[3, 0, 4, 1, 2, 3, 4]].concat();
        let mut long = [0; 36];
        long[..16].copy_from_slice(&"2001:db8::7".parse::<Ipv6Addr>().unwrap().octets());
        for (bytes, client) in [
            (second(0x21, 0x11, &rest), four),
            (second(0x21, 0x11, &extended), four),
            (second(0x21, 0x21, &long), six),
            (second(0x20, 0x00, b""), None),
            (second(0x21, 0x31, &[0; 216]), None),
        ] {
            assert_eq!(read(&bytes), Some((client, b"EHLO".to_vec())));
        }
    }

    #[test]
    fn anything_else_is_no_header() {
        for bytes in [
            b"EHLO client.example\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 192.0.2.1 56324\r\nEHLO".to_vec(),
            b"PROXY TCP4 2001:db8::7 2001:db8::1 1 25\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 192.0.2.1 99999 25\r\n".to_vec(),
            b"PROXY TCP9 192.0.2.7 192.0.2.1 1 25\r\n".to_vec(),
            [b"PROXY ".as_slice(), &[b'x'; 200]].concat(),
            second(0x21, 0x11, &[1; 11]),
            second(0x31, 0x11, &[1; 12]),
            second(0x21, 0x11, &[1; 5000]),
            SIGNATURE.to_vec(),
            Vec::new(),
        ] {
            assert_eq!(read(&bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..60), version: bool) {
            let start = if version { &SIGNATURE[..] } else { b"PROXY TCP4 " };
            let _ = read(&[start, &bytes].concat());
            let _ = read(&bytes);
        }
    }
}
