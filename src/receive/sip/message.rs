//! A SIP request (RFC 3261, sections 7 and 25), as far as one who only declines calls must understand it.

/// Bytes of a whole message at most.
pub const MOST: usize = 16 << 10;
const HEADERS: usize = 128;

/// A request, whose values are as they came.
#[derive(Debug)]
pub struct Request {
    pub method: String,
    pub uri: String,
    headers: Vec<(String, String)>,
}

/// What is wrong with a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Wrong {
    /// No request at all, or one that cannot even be answered: dropped.
    Nothing,
    /// A request with a mistake in it: 400.
    Request,
}

/// Where a message in a stream ends: bytes of its head with the empty line, and of its body.
pub fn framed(bytes: &[u8]) -> Option<(usize, usize)> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]);
    let mut lengths = text.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        (long(name.trim()) == "content-length").then(|| value.trim().parse().ok())
    });
    let body = lengths.next().unwrap_or(Some(0)).unwrap_or(usize::MAX);
    Some((head, body))
}

/// Reads one message.
pub fn read(bytes: &[u8]) -> Result<(Request, Option<Wrong>), Wrong> {
    let (head, body) = framed(bytes).ok_or(Wrong::Nothing)?;
    let text = String::from_utf8_lossy(&bytes[..head]);
    let control = |c: char| c.is_control() && !matches!(c, '\r' | '\n' | '\t');
    if text.contains(control) || text.replace("\r\n", "").contains(['\r', '\n']) {
        return Err(Wrong::Nothing);
    }
    let mut lines = text.trim_start_matches("\r\n").split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(uri), Some("SIP/2.0"), None) =
        (first.next(), first.next(), first.next(), first.next())
    else {
        return Err(Wrong::Nothing);
    };
    let token = |c: char| c.is_ascii_alphanumeric() || "-.!%*_+`'~".contains(c);
    if method.is_empty() || method.len() > 32 || !method.chars().all(token) || uri.is_empty() {
        return Err(Wrong::Nothing);
    }
    let mut request = Request {
        method: method.to_owned(),
        uri: uri.to_owned(),
        headers: Vec::new(),
    };
    for line in lines.take_while(|line| !line.is_empty()) {
        if line.starts_with([' ', '\t']) {
            let (_, last) = request.headers.last_mut().ok_or(Wrong::Nothing)?;
            last.push(' ');
            last.push_str(line.trim());
            continue;
        }
        let (name, value) = line.split_once(':').ok_or(Wrong::Nothing)?;
        if request.headers.len() >= HEADERS {
            return Err(Wrong::Nothing);
        }
        let header = (long(name.trim()), value.trim().to_owned());
        request.headers.push(header);
    }
    let needed = ["via", "from", "to", "call-id", "cseq"];
    let there = |name: &&str| request.get(name).is_some_and(|value| !value.is_empty());
    if !needed.iter().all(there) || request.via().is_none() {
        return Err(Wrong::Nothing);
    }
    let (number, named) = request.cseq();
    let mistaken = number.is_none() || named != request.method || bytes.len() - head < body;
    Ok((request, mistaken.then_some(Wrong::Request)))
}

/// A header's whole name in lower case.
fn long(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "v" => "via",
        "f" => "from",
        "t" => "to",
        "i" => "call-id",
        "m" => "contact",
        "l" => "content-length",
        other => other,
    }
    .to_owned()
}

/// The topmost Via: where the answer goes, and which transaction it is of.
pub struct Via {
    /// The topmost value, and what follows it in the same header.
    pub whole: String,
    pub rest: String,
    pub sent_by: String,
    pub port: u16,
    pub branch: String,
    /// The client wants the answer where the request came from (RFC 3581).
    pub rport: bool,
}

impl Request {
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.headers.iter().filter(move |(one, _)| one == name);
        named.map(|(_, value)| value.as_str())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(one, _)| one == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The extensions without which the caller does not want the call (RFC 3261, section 20.32), as they
    /// stand; none of them is understood here.
    pub fn required(&self) -> Option<String> {
        let named: Vec<&str> = self.all("require").filter(|one| !one.is_empty()).collect();
        (!named.is_empty()).then(|| named.join(", "))
    }

    /// The number and method of the CSeq header.
    pub fn cseq(&self) -> (Option<u32>, &str) {
        let (number, method) = self
            .get("cseq")
            .and_then(|value| value.split_once([' ', '\t']))
            .unwrap_or_default();
        (number.parse().ok(), method.trim())
    }

    pub fn via(&self) -> Option<Via> {
        let value = self.get("via")?;
        let (whole, rest) = value.split_once(',').unwrap_or((value, ""));
        let mut parts = whole.split(';').map(str::trim);
        let mut words = parts.next()?.split_whitespace();
        let (protocol, sent_by) = (words.next()?, words.next()?);
        if !protocol.to_ascii_uppercase().starts_with("SIP/2.0/") {
            return None;
        }
        let port = match sent_by.rsplit_once(':') {
            Some((_, port)) if !port.ends_with(']') => port.parse().ok()?,
            _ => 5060,
        };
        let mut via = Via {
            whole: whole.trim().to_owned(),
            rest: rest.trim().to_owned(),
            sent_by: sent_by.to_ascii_lowercase(),
            port,
            branch: String::new(),
            rport: false,
        };
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "branch" => via.branch = value.trim().to_owned(),
                "rport" => via.rport = true,
                _ => {}
            }
        }
        Some(via)
    }

    /// The tag of a From or To header.
    pub fn tag(&self, name: &str) -> &str {
        let value = self.get(name).unwrap_or_default();
        let (_, after) = value.rsplit_once('>').unwrap_or(("", value));
        let mut tags = after
            .split(';')
            .filter_map(|part| part.trim().strip_prefix("tag="));
        tags.next().unwrap_or_default()
    }
}

/// The address in a header: what stands between the brackets, or before the parameters.
pub fn address(value: &str) -> &str {
    let unquoted = match value.trim_start().strip_prefix('"') {
        Some(rest) => {
            let mut escaped = false;
            let end = rest.find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            end.map_or("", |end| &rest[end + 1..])
        }
        None => value,
    };
    match unquoted.split_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or_default(),
        None => unquoted.split(';').next().unwrap_or_default().trim(),
    }
}

/// The user part of a `sip:`, `sips:` or `tel:` address: a number, where a telephone is meant.
pub fn user(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once(':')?;
    let user = match scheme.to_ascii_lowercase().as_str() {
        "sip" | "sips" => rest.split_once('@')?.0.split(':').next()?,
        "tel" => rest,
        _ => return None,
    };
    let user = user.split(';').next()?;
    let decoded: String = percent_decoded(user).chars().take(64).collect();
    (!decoded.is_empty()).then_some(decoded)
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = |b: u8| {
            char::from(b)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
        };
        match after {
            [a, b, behind @ ..] if *first == b'%' && hex(*a).is_some() && hex(*b).is_some() => {
                bytes.push(hex(*a).unwrap_or(0) << 4 | hex(*b).unwrap_or(0));
                rest = behind;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:+81301234567@pbx.example SIP/2.0\r\n\
        v: SIP/2.0/UDP 192.0.2.1:5062;rport;branch=z9hG4bKa\r\n\
        From: \"A <b>\" <sip:0301239999@c.example>;tag=x\r\nTo: <sip:y@z.example>\r\n\
        i: 1@c\r\nCSeq: 7 INVITE\r\nSubject: a\r\n b\r\nl: 2\r\n\r\nhi";

    #[test]
    fn a_request_is_read() {
        let (request, wrong) = read(INVITE.as_bytes()).unwrap();
        assert_eq!(wrong, None);
        let via = request.via().unwrap();
        assert_eq!(
            (via.port, via.branch.as_str(), via.rport),
            (5062, "z9hG4bKa", true)
        );
        assert_eq!((request.tag("from"), request.tag("to")), ("x", ""));
        assert_eq!(request.get("subject"), Some("a b"));
        let from = user(address(request.get("from").unwrap()));
        assert_eq!(from.as_deref(), Some("0301239999"));
        assert_eq!(user(&request.uri).as_deref(), Some("+81301234567"));
        assert_eq!(user("tel:+81-3;x=y").as_deref(), Some("+81-3"));
        assert_eq!(user("sip:%2B81@h").as_deref(), Some("+81"));
        assert_eq!(user("sip:h.example"), None);
    }

    #[test]
    fn every_cut_and_every_wrong_byte_is_survived() {
        for end in 0..INVITE.len() - 2 {
            assert!(read(&INVITE.as_bytes()[..end]).is_err());
        }
        for at in 0..INVITE.len() {
            for byte in [0, b'\r', b'\n', b'<', b'"', b';', b'%', 0xff] {
                let mut bytes = INVITE.as_bytes().to_vec();
                bytes[at] = byte;
                if let Ok((request, _)) = read(&bytes) {
                    let _ = (request.cseq(), request.tag("to"), user(&request.uri));
                    let _ = user(address(request.get("from").unwrap()));
                }
            }
        }
        let cut = &INVITE.as_bytes()[..INVITE.len() - 1];
        assert_eq!(read(cut).unwrap().1, Some(Wrong::Request));
    }
}
