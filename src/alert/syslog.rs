//! Alerts to a log server, as RFC 5424 writes them: by UDP, by TCP with each message behind its length
//! (RFC 6587), or into a socket of this machine.
//!
//! The facts stand in structured data. Its name carries the number that IANA keeps for documentation, since
//! otori has none of its own. UDP says nothing of what becomes of a message.

use std::path::PathBuf;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, UnixDatagram};

use super::text::Told;
use super::{Error, SyslogConfig};
use crate::registry::Alert;

/// How long a host may take to say that nobody listens there.
const REFUSAL: Duration = Duration::from_millis(200);
/// How long a log server may take to close its side behind us.
const CLOSING: Duration = Duration::from_secs(5);
const FACILITIES: [(&str, u8); 4] = [("user", 1), ("daemon", 3), ("auth", 4), ("authpriv", 10)];

enum Way {
    /// Host and port.
    Udp(String),
    Tcp(String),
    Unix(PathBuf),
}

/// A log server.
pub struct Syslog {
    way: Way,
    facility: u8,
    hostname: String,
}

impl Syslog {
    /// The log server that the configuration asks for; nothing is connected yet.
    ///
    /// # Errors
    /// It is no address, or the facility is none.
    pub fn new(config: &SyslogConfig) -> Result<Syslog, Error> {
        let wrong = |message: String| Error::config("[alert.syslog]", message);
        let place = |text: &str| {
            let url = url::Url::parse(&format!("otori://{text}")).ok()?;
            let plain = url.path().is_empty() && url.username().is_empty();
            let (host, port) = (url.host_str().filter(|host| !host.is_empty())?, url.port()?);
            plain.then(|| format!("{host}:{port}"))
        };
        let to = config.to.as_str();
        let way = match to.split_once(':') {
            Some(("udp", rest)) => rest.strip_prefix("//").and_then(place).map(Way::Udp),
            Some(("tcp", rest)) => rest.strip_prefix("//").and_then(place).map(Way::Tcp),
            Some(("unix", path)) if path.starts_with('/') => Some(Way::Unix(path.into())),
            _ => None,
        };
        let way = way.ok_or_else(|| {
            wrong(format!(
                "to is '{to}', and must be like udp://host:514, tcp://host:601 or unix:/dev/log"
            ))
        })?;
        let name = config.facility.as_str();
        let known = FACILITIES.iter().find(|(known, _)| *known == name);
        let local = name.strip_prefix("local").and_then(|n| n.parse().ok());
        let local = local.filter(|n: &u8| *n < 8).map(|n| 16 + n);
        let facility = known.map(|(_, code)| *code).or(local).ok_or_else(|| {
            wrong(format!(
                "facility is '{name}', and must be user, daemon, auth, authpriv, or local0 to local7"
            ))
        })?;
        // A service that may not see the first can see the second.
        let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname")
            .or_else(|_| std::fs::read_to_string("/etc/hostname"))
            .unwrap_or_default();
        Ok(Syslog {
            way,
            facility,
            hostname: header(hostname.trim(), 255),
        })
    }

    /// Sends one alert.
    ///
    /// # Errors
    /// The log server cannot be reached, or breaks off.
    pub async fn send(&self, alert: &Alert, told: &Told) -> Result<(), Error> {
        let message = self.message(alert, told, OffsetDateTime::now_utc());
        let sent = match &self.way {
            Way::Udp(place) => by_udp(place, message.as_bytes()).await,
            Way::Tcp(place) => by_tcp(place, &message).await,
            Way::Unix(path) => by_socket(path, message.as_bytes()).await,
        };
        sent.map_err(Error::Syslog)
    }

    /// The message as RFC 5424 has it.
    fn message(&self, alert: &Alert, told: &Told, now: OffsetDateTime) -> String {
        let now = now.replace_microsecond(now.microsecond()).unwrap_or(now);
        let now = now.format(&Rfc3339).unwrap_or_else(|_| "-".to_owned());
        let severity = match told {
            // Something has to be done at once.
            Told::Incident(_) => 1,
            Told::Drill(drill) if drill.failed() => 3,
            Told::Drip(_) | Told::Campaign(_) => 4,
            Told::Drill(_) => 5,
        };
        let mut facts = vec![("id", told.name(alert)), ("alert", alert.id.to_string())];
        match told {
            Told::Incident(incident) => {
                facts.push(("incident", incident.incident.to_string()));
                facts.push(("source", incident.source.clone()));
                facts.push(("sightings", incident.sightings.to_string()));
                facts.push(("canaries", incident.canaries.to_string()));
                facts.push(("channel", incident.latest.channel.clone()));
                facts.extend(incident.latest.canary.clone().map(|id| ("canary", id)));
            }
            Told::Drill(drill) => {
                facts.push(("drill", drill.drill.to_string()));
                facts.push(("state", drill.state.clone()));
                facts.push(("source", drill.source.clone()));
                facts.push(("channel", drill.channel.clone()));
                facts.push(("canary", drill.canary.clone()));
            }
            Told::Drip(drip) => {
                facts.push(("source", drip.drip.clone()));
                facts.push(("tries", drip.tries.to_string()));
            }
            Told::Campaign(campaign) => {
                facts.push(("source", campaign.campaign.clone()));
                facts.push(("state", campaign.state.clone()));
                facts.push(("canaries", campaign.canaries.to_string()));
                facts.push(("came", campaign.came.to_string()));
            }
        }
        let facts: String = facts
            .iter()
            .map(|(name, value)| format!(" {name}=\"{}\"", escaped(value)))
            .collect();
        format!(
            "<{}>1 {now} {} otori {} {} [otori@32473{facts}] \u{feff}{}",
            u16::from(self.facility) * 8 + severity,
            self.hostname,
            std::process::id(),
            told.kind(),
            told.subject(),
        )
    }
}

/// A field of the header: printable ASCII without spaces.
fn header(text: &str, most: usize) -> String {
    let plain: String = text
        .chars()
        .filter(char::is_ascii_graphic)
        .take(most)
        .collect();
    match plain.is_empty() {
        true => "-".to_owned(),
        false => plain,
    }
}

/// A value of structured data.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '"' | '\\' | ']') {
            text.push('\\');
        }
        text.push(if c.is_control() { ' ' } else { c });
    }
    text
}

async fn by_udp(place: &str, message: &[u8]) -> std::io::Result<()> {
    let address = tokio::net::lookup_host(place).await?.next();
    let address = address.ok_or(std::io::ErrorKind::NotFound)?;
    let any: std::net::IpAddr = match address.is_ipv4() {
        true => std::net::Ipv4Addr::UNSPECIFIED.into(),
        false => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(address).await?;
    socket.send(message).await?;
    // A host where nobody listens may say so; silence is all that a server ever answers.
    match tokio::time::timeout(REFUSAL, socket.recv(&mut [0; 1])).await {
        Ok(Err(error)) => Err(error),
        _ => Ok(()),
    }
}

async fn by_tcp(place: &str, message: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(place).await?;
    let framed = format!("{} {message}", message.len());
    stream.write_all(framed.as_bytes()).await?;
    stream.shutdown().await?;
    // A server that has read everything closes its side; one that has gone says so by a reset.
    match tokio::time::timeout(CLOSING, stream.read(&mut [0; 64])).await {
        Ok(Err(error)) => Err(error),
        _ => Ok(()),
    }
}

async fn by_socket(path: &std::path::Path, message: &[u8]) -> std::io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    socket.send(message).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_as_rfc_5424_has_it() {
        let syslog = |toml: &str| Syslog::new(&toml::from_str(toml).unwrap());
        let mut local = syslog("to = 'unix:/dev/log'\nfacility = 'local3'").unwrap();
        local.hostname = header("höst 1", 255);
        let body = r#"{"incident":3,"source":"sch]ool","opened_at":"2026-03-01T12:00:00Z","sightings":2,"canaries":1,
            "latest":{"at":"2026-03-02T12:00:00Z","channel":"mail","canary":"C2345678Z","batch":"school-1"}}"#;
        let alert = Alert {
            id: 7,
            delivery: 1,
            place: "syslog".to_owned(),
            sighting: 9,
            body: body.to_owned(),
            attempts: 0,
            failing_since: None,
        };
        let told = serde_json::from_str(body).unwrap();
        let now = time::macros::datetime!(2026-03-02 12:00:00.123456789 UTC);
        let message = local.message(&alert, &told, now);
        let pid = format!("otori {} incident", std::process::id());
        assert_eq!(
            message.replace(&pid, "otori PID incident"),
            "<153>1 2026-03-02T12:00:00.123456Z hst1 otori PID incident [otori@32473 \
             id=\"alert-7-9.20260301120000\" alert=\"7\" incident=\"3\" source=\"sch\\]ool\" \
             sightings=\"2\" canaries=\"1\" channel=\"mail\" canary=\"C2345678Z\"] \
             \u{feff}[otori] sch]ool: incident 3, 2 sightings"
        );
        for wrong in [
            "to = 'logs.example'",
            "to = 'udp://logs.example'",
            "to = 'tcp://:514'",
            "to = 'unix:log'",
            "to = 'https://logs.example:1'",
            "to = 'unix:/dev/log'\nfacility = 'local8'",
        ] {
            let error = syslog(wrong).err().unwrap().to_string();
            assert!(
                error.contains("[alert.syslog]") && error.contains("must be"),
                "{error}"
            );
        }
        assert!(syslog("to = 'tcp://[::1]:601'").is_ok());
    }
}
