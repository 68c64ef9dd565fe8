//! A workspace: a directory with `otori.toml`, the registry and the keys.

mod evidence;
mod key;
mod unnamed;

pub use key::{KeyStep, MASTER_KEY_FILE};
pub(crate) use unnamed::{Unnamed, folder};

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::custody::{CustodyConfig, PersonConfig};
use crate::persona::Seeds;
use crate::registry::{MasterKey, Registry};

/// The file that makes a directory a workspace.
pub const CONFIG_FILE: &str = "otori.toml";
/// Secrets that a new workspace's configuration names; each is made at random.
const SECRET_FILES: [&str; 3] = [
    "keys/phone.secret",
    "keys/operator.token",
    "keys/mailroom.token",
];
/// The registry's key, in the environment: it goes before the file.
const KEY_VARIABLE: &str = "OTORI_KEY";

/// What can be wrong with a workspace.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No `otori.toml` at or above the directory.
    #[error(
        "no workspace: there is no {CONFIG_FILE} in {0} or above it; run `otori init`, or say --workspace DIR"
    )]
    NotFound(PathBuf),
    /// The directory is a workspace already.
    #[error("{0} is a workspace already: its registry and keys are left as they are")]
    Exists(PathBuf),
    /// A file that cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// `otori.toml` does not say what it should.
    #[error("{path}: {message}")]
    Config {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
    /// A secret that others may read.
    #[error(
        "{path} can be read by others (mode {mode:03o}): run `chmod 600 {path}`, and think about who has read it"
    )]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key is not in a file that could be replaced.
    #[error(
        "the registry's key comes from OTORI_KEY, where otori cannot put another one: write it into {MASTER_KEY_FILE} (mode 0600), unset OTORI_KEY, and rotate it there"
    )]
    KeyInEnvironment,
    /// A key that is none.
    #[error("{place}: {source}")]
    Key {
        /// The file, or the environment variable.
        place: String,
        /// What is wrong.
        source: crate::registry::InvalidKey,
    },
    /// A key of the evidence log that is none.
    #[error("{0} is no key of the evidence log: restore it from a backup")]
    EvidenceKey(PathBuf),
    /// The copy of the newest checkpoint that nobody of ours has signed.
    #[error(
        "{0} is not signed by this workspace's key: it was changed, or is another workspace's; run `otori evidence verify`"
    )]
    Anchor(PathBuf),
    /// A seed table does not read.
    #[error(transparent)]
    Seeds(#[from] crate::persona::SeedError),
    /// A checkpoint cannot go where it should, or a copy of one does not read.
    #[error(transparent)]
    Publish(Box<crate::publish::Error>),
    /// The registry does not open.
    #[error(transparent)]
    Registry(#[from] crate::registry::Error),
}

impl From<crate::publish::Error> for Error {
    fn from(error: crate::publish::Error) -> Error {
        Error::Publish(Box::new(error))
    }
}

/// `otori.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the registry is.
    pub registry: RegistryConfig,
    /// People, their tokens and roles; older files have them below `[receive]`.
    pub people: Vec<PersonConfig>,
    /// Whether roles are enforced, and what takes two people.
    pub custody: CustodyConfig,
    /// Where replacements for the built-in seed tables are, relative to the workspace.
    pub seeds: Option<PathBuf>,
    /// The evidence log: its name, and where its checkpoints go.
    pub evidence: crate::publish::PublishConfig,
    /// Planting.
    pub plant: PlantConfig,
    /// The receiver.
    #[cfg(feature = "receive")]
    pub receive: crate::receive::ReceiveConfig,
    /// The receiver's section, which this build does not read.
    #[cfg(not(feature = "receive"))]
    pub receive: toml::Table,
    /// How sightings are put together.
    pub incident: crate::registry::IncidentConfig,
    /// Where alerts go.
    pub alert: crate::alert::AlertConfig,
    /// How long contents of messages are kept.
    pub retention: crate::retention::RetentionConfig,
    /// Who plants the canaries of drips.
    pub drip: crate::drip::DripConfig,
    /// By which way drills go out.
    #[cfg(feature = "receive")]
    pub drill: crate::drill::DrillConfig,
    /// The drills' section, which this build does not read.
    #[cfg(not(feature = "receive"))]
    pub drill: toml::Table,
    /// Whether canaries age by themselves.
    pub tend: TendConfig,
}

/// `[tend]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TendConfig {
    /// Whether `otori serve` tends each source once a day. It then writes to customer databases.
    pub daily: bool,
    /// Changes per canary and year, in the place of what a table shows.
    pub rate: Option<f64>,
}

/// `[plant]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlantConfig {
    /// The area under the ROC curve, 0.5 to 1, beyond which a thief who knows some canaries finds the others too
    /// well: planting and `otori stealth` stop there.
    pub stealth_limit: f64,
}

impl Default for PlantConfig {
    fn default() -> PlantConfig {
        PlantConfig {
            stealth_limit: 0.85,
        }
    }
}

/// `[registry]`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryConfig {
    /// `sqlite:PATH`, relative to the workspace, or `postgres://USER@HOST/DATABASE`.
    pub url: String,
}

impl Default for RegistryConfig {
    fn default() -> RegistryConfig {
        RegistryConfig {
            url: "sqlite:registry.db".to_owned(),
        }
    }
}

impl std::fmt::Debug for RegistryConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RegistryConfig(redacted)")
    }
}

/// An opened workspace.
#[derive(Clone, Debug)]
pub struct Workspace {
    dir: PathBuf,
    config: Config,
}

/// The text of a new workspace's `otori.toml`.
pub fn template(registry_url: &str) -> String {
    let url = toml::Value::from(registry_url);
    format!(
        r#"# A workspace of otori. Files are named relative to this one; secrets are in files of mode 0600.

[registry]
url = {url}

[receive]
# Loopback until told otherwise; see README, "Pointing mail, phone and post at the receiver".
smtp = "127.0.0.1:2525"
http = "127.0.0.1:8025"
# hostname = "mx1.shop.example"
# public_url = "https://hooks.shop.example"
# /metrics answers this machine alone; with a token in a file, everybody who has it.
# metrics_token_file = "keys/metrics.token"
# A Postfix in front hands mail on by LMTP, and asks which recipients there are: see examples/deploy/postfix.
# lmtp = "127.0.0.1:2424"
# socketmap = "127.0.0.1:2423"
# Domains of the pool that take mail for anybody; the others take it for their canaries alone.
# catch_all = ["shop.example"]

# Planned mailings of your own (columns source, sender, planned, tolerance, share): no alarm, and missed where they do
# not come.
# campaigns = "campaigns.csv"

# A canary's mailbox at an ordinary provider, read over IMAP; nothing in it is changed.
# [[receive.imap]]
# name = "provider-1"
# host = "imap.provider.example"
# user = "taro@provider.example"
# password_file = "keys/provider-1.password"
# folders = ["INBOX", "Junk"]
# tls = "starttls"                  # port 143; without it TLS from the first byte, port 993
# address = "taro@provider.example" # where the user name is not the address
# root = "tls/house.pem"            # where an authority of your own has signed the server's certificate

# Whether a mail is from whom it claims: the resolvers that are asked, or the servers in front that are believed.
# [receive.auth]
# resolvers = ["127.0.0.1:53"]
# trusted = ["mx.shop.example"]

# Who writes to a source's customers on its behalf: no alarm, if it is proven.
# [[receive.expected]]
# source = "shop"
# domains = ["news.shop.example"]

# A certificate for STARTTLS, or an authority that gives one (ACME); not both.
# [receive.tls]
# certificate = "tls/fullchain.pem"
# key = "tls/key.pem"
# [receive.acme]
# directory = "https://acme-v02.api.letsencrypt.org/directory"
# names = ["mx1.shop.example"]
# agree_to_terms = true
# contact = ["postmaster@shop.example"]
# listen = "0.0.0.0:80"             # where the authority asks; without it, at the HTTP port
# root = "tls/house.pem"            # of an authority that the world does not know

[receive.phone]
secret_file = "keys/phone.secret"
# twilio_token_file = "keys/twilio.token"
# vonage_secret_file = "keys/vonage.secret"
# burn_in_days = 14

# Calls over SIP (UDP and TCP): it rings, and nobody answers. peers are the provider's networks.
# [receive.sip]
# listen = "127.0.0.1:5060"
# peers = ["192.0.2.0/24"]

# A form on which customers themselves tell of firms they never dealt with, open to everybody.
# [receive.report]
# public = true
# path = "/contact-report"

# Roles: admin (everything), analyst (sightings, traces, single canaries), mail_room (letters only),
# auditor (what proves the control, without a canary's details).
[[people]]
name = "operator"
token_file = "keys/operator.token"
role = "admin"

[[people]]
name = "mailroom"
token_file = "keys/mailroom.token"
role = "mail_room"

[custody]
# With true every command wants `--as NAME` and that person's token (OTORI_TOKEN, or asked for).
enforce = false
# Acts that another person must approve (`otori approve`): "reveal", "unplant", "forget".
# four_eyes = ["reveal", "unplant"]

[evidence]
# origin = "shop.example/otori"
# A time-stamping authority (RFC 3161) stamps each checkpoint of the log; its root certificates.
# tsa = "https://tsa.example/tsr"
# tsa_roots = "tsa/roots.pem"
# Witnesses keep checkpoints where nobody here can change them: exactly one of directory, mail, url.
# [[evidence.witness]]
# name = "auditor"
# mail = ["audit@firm.example"]

[incident]
# After so many days without an alarm of its source, the next alarm opens another incident.
# quiet_days = 90
# Calls in which nobody said a canary's name open an incident from this log10 of their likelihood ratio on: one stray
# robocall never does, agreement across the numbers of one source does.
# calls_log10_lr = 2.0

[alert]
# relay = "smtp://127.0.0.1:25"     # or smtp://mail.shop.example:587?tls=required (STARTTLS), smtps://mail.shop.example
# user = "otori"
# password_file = "keys/alert.password"
# roots = "tls/house.pem"           # where an authority of your own has signed the relay's certificate
# from = "otori@shop.example"
# to = ["security@shop.example"]
# Each place is told by itself, and tried until it has taken the alert; any number of webhooks.
# [[alert.webhook]]
# name = "slack"
# url_file = "keys/slack.url"       # whoever knows the address may write there; or: url = "https://…"
# format = "slack"                  # or "teams"; without it: otori's own JSON
# secret_file = "keys/hook.secret"  # signs requests: X-Otori-Timestamp and X-Otori-Signature
# roots = "tls/house.pem"
# [alert.syslog]
# to = "tcp://logs.shop.example:601"  # or udp://host:514, unix:/dev/log

[drip]
# Where `otori serve` must not reach customer databases, `otori drip --run` plants from a host that may.
# by_serve = false

[drill]
# The outside path of test mails: a mail server that delivers to our MX as a stranger's would.
# relay = "smtp://smtp.provider.example:587?tls=required"
# user = "shop"
# password_file = "keys/drill.password"
# roots = "tls/house.pem"
# from = "info@shop.example"
# sender = "Example Shop\n1-2-3 Example, Chiyoda-ku, Tokyo"
# How often `otori serve` drills each channel of each source by itself.
# every = "7d"

[tend]
# `otori serve` gives canaries the small changes that customers' rows get, once a day (`otori tend`).
# daily = true

[retention]
# Contents of messages are erased after so many days, and their hashes stay; without, nothing ever is.
# noise_days = 30
# expected_days = 90
# closed_days = 1095
"#
    )
}

impl Workspace {
    /// Makes a workspace from the text of its `otori.toml`: key, secrets of the receiver (mode
    /// 0600) and registry. A directory that is one already is left as it is.
    ///
    /// # Errors
    /// [`Error::Exists`], a file cannot be written, or the registry cannot be made; then the
    /// configuration is not written, so that the next try starts anew.
    pub async fn create(dir: &Path, text: &str) -> Result<Workspace, Error> {
        let config_path = dir.join(CONFIG_FILE);
        let config = parse(&config_path, text)?;
        if config_path.exists() {
            return Err(Error::Exists(dir.to_owned()));
        }
        let keys = dir.join("keys");
        std::fs::create_dir_all(&keys).map_err(at(&keys))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let private = std::fs::Permissions::from_mode(0o700);
            std::fs::set_permissions(&keys, private).map_err(at(&keys))?;
        }
        let key_path = dir.join(MASTER_KEY_FILE);
        // A key left by an earlier try, or brought along, is kept: it may be somebody's only one.
        if !key_path.exists() && std::env::var_os(KEY_VARIABLE).is_none() {
            write_private(&key_path, MasterKey::generate().to_hex().as_bytes())?;
        }
        for secret in SECRET_FILES.map(|name| dir.join(name)) {
            if !secret.exists() {
                write_private(&secret, MasterKey::generate().to_hex().as_bytes())?;
            }
        }
        let workspace = Workspace {
            dir: dir.to_owned(),
            config,
        };
        Registry::create(
            &workspace.config.registry.url,
            dir,
            &workspace.master_key()?,
        )
        .await?;
        write_private(&config_path, text.as_bytes())?;
        Ok(workspace)
    }

    /// The workspace at `dir`, or, without one, the nearest at or above the current directory.
    ///
    /// # Errors
    /// There is none, or its configuration is not right.
    pub fn find(dir: Option<&Path>) -> Result<Workspace, Error> {
        let here = Path::new(".");
        let start = dir.unwrap_or(here);
        let start = start.canonicalize().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::NotFound(start.to_owned()),
            _ => at(start)(error),
        })?;
        let found = match dir {
            Some(_) => Some(start.as_path()).filter(|dir| dir.join(CONFIG_FILE).is_file()),
            None => start
                .ancestors()
                .find(|dir| dir.join(CONFIG_FILE).is_file()),
        };
        let dir = found.ok_or_else(|| Error::NotFound(start.clone()))?;
        let path = dir.join(CONFIG_FILE);
        let text = std::fs::read_to_string(&path).map_err(at(&path))?;
        Ok(Workspace {
            dir: dir.to_owned(),
            config: parse(&path, &text)?,
        })
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// SHA-256 of its configuration as it stands in the file, in hexadecimal.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn config_sha256(&self) -> Result<String, Error> {
        let path = self.dir.join(CONFIG_FILE);
        let text = std::fs::read(&path).map_err(at(&path))?;
        Ok(crate::evidence::hex(&Sha256::digest(text)))
    }

    /// Every file and directory that the configuration names, and whether it is a secret.
    pub fn named_files(&self) -> Vec<(PathBuf, bool)> {
        let config = &self.config;
        let tokens = config.people.iter().map(|person| &person.token_file);
        let mut named: Vec<(PathBuf, bool)> = tokens.map(|file| (file.clone(), true)).collect();
        named.extend(config.seeds.iter().map(|dir| (dir.clone(), false)));
        let roots = [&config.evidence.tsa_roots, &config.evidence.http_roots];
        named.extend(
            roots
                .into_iter()
                .flatten()
                .map(|file| (file.clone(), false)),
        );
        let alert = config.alert.files();
        named.extend(alert.map(|(file, secret)| (file.clone(), secret)));
        #[cfg(feature = "receive")]
        {
            let phone = &config.receive.phone;
            let secrets = [
                &phone.twilio_token_file,
                &phone.vonage_secret_file,
                &phone.secret_file,
                &config.receive.login.secret_file,
                &config.receive.metrics_token_file,
                &config.drill.password_file,
            ];
            let secrets = secrets.into_iter().flatten();
            named.extend(secrets.map(|file| (file.clone(), true)));
            named.extend(config.drill.roots.clone().map(|file| (file, false)));
            named.extend(config.receive.campaigns.clone().map(|file| (file, false)));
            for mailbox in &config.receive.imap {
                named.push((mailbox.password_file.clone(), true));
                named.extend(mailbox.root.clone().map(|root| (root, false)));
            }
            if let Some(tls) = &config.receive.tls {
                named.push((tls.certificate.clone(), false));
                named.push((tls.key.clone(), true));
            }
            let root = config
                .receive
                .acme
                .as_ref()
                .and_then(|acme| acme.root.clone());
            named.extend(root.map(|file| (file, false)));
        }
        named
    }

    /// The seed tables: the built-in ones, with the operator's in the place of those they replace.
    ///
    /// # Errors
    /// A table of the operator's own does not read.
    pub fn seeds(&self) -> Result<Seeds, Error> {
        Ok(match &self.config.seeds {
            Some(dir) => Seeds::overlaid(&self.dir.join(dir))?,
            None => Seeds::embedded(),
        })
    }

    /// The registry's key, from the environment or its file.
    ///
    /// # Errors
    /// It is missing, exposed, or none.
    pub fn master_key(&self) -> Result<MasterKey, Error> {
        let (place, text) = match std::env::var(KEY_VARIABLE) {
            Ok(text) => (KEY_VARIABLE.to_owned(), text),
            Err(_) => {
                let path = self.dir.join(MASTER_KEY_FILE);
                (path.display().to_string(), read_private(&path)?)
            }
        };
        let text = zeroize::Zeroizing::new(text);
        MasterKey::from_hex(&text).map_err(|source| Error::Key { place, source })
    }
}

fn parse(path: &Path, text: &str) -> Result<Config, Error> {
    let wrong = |message: String| Error::Config {
        path: path.to_owned(),
        message,
    };
    let mut config: Config = toml::from_str(text).map_err(|error| {
        // The whole error would repeat the line, which may hold a password.
        wrong(match error.span() {
            Some(span) => {
                let before = &text[..span.start.min(text.len())];
                format!(
                    "line {}: {}",
                    before.lines().count().max(1),
                    error.message()
                )
            }
            None => error.message().to_owned(),
        })
    })?;
    gather_people(&mut config).map_err(&wrong)?;
    match config.custody.wrong(&config.people) {
        Some(message) => Err(wrong(message)),
        None => Ok(config),
    }
}

/// People may stand below `[receive]` too, where older files have them: all of them are everywhere.
#[cfg(feature = "receive")]
fn gather_people(config: &mut Config) -> Result<(), String> {
    config.people.append(&mut config.receive.people);
    config.receive.people = config.people.clone();
    Ok(())
}

#[cfg(not(feature = "receive"))]
fn gather_people(config: &mut Config) -> Result<(), String> {
    if let Some(people) = config.receive.get("people") {
        let people: Result<Vec<PersonConfig>, _> = people.clone().try_into();
        let people = people.map_err(|error| format!("receive.people: {}", error.message()))?;
        config.people.extend(people);
    }
    Ok(())
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { path, source }
}

/// Reads a secret that only its owner may read.
///
/// # Errors
/// The file cannot be read, or others may read it.
pub fn read_private(path: &Path) -> Result<String, Error> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_err(at(path))?;
        let mode = mode.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let path = path.to_owned();
            return Err(Error::Exposed { path, mode });
        }
    }
    std::fs::read_to_string(path).map_err(at(path))
}

/// Writes a new file that only its owner may read, durably.
///
/// # Errors
/// It exists, or cannot be written.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), Error> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(at(path))?;
    file.write_all(content).map_err(at(path))?;
    file.sync_all().map_err(at(path))
}

/// Puts a file that only its owner may read in the place of the one that is there, durably and in one
/// step: whoever reads it finds the old content or the new.
///
/// # Errors
/// It cannot be written; then the old one stands.
pub fn replace_private(path: &Path, content: &[u8]) -> Result<(), Error> {
    let mut next = path.as_os_str().to_owned();
    next.push(".writing");
    let next = PathBuf::from(next);
    match std::fs::remove_file(&next) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(&next)(error)),
        _ => {}
    }
    write_private(&next, content)?;
    move_durably(&next, path)
}

/// Renames a file, over another one if there is one, and waits until the directory is on disk.
fn move_durably(from: &Path, to: &Path) -> Result<(), Error> {
    std::fs::rename(from, to).map_err(at(from))?;
    let dir = to.parent().unwrap_or(Path::new("."));
    let dir_file = std::fs::File::open(dir).map_err(at(dir))?;
    dir_file.sync_all().map_err(at(dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "receive")]
    fn what_a_new_workspace_suggests_reads() {
        let setting = |line: &str| {
            let key = line.split_once(" = ").map(|(key, _)| key);
            let named = |key: &str| !key.contains(|c: char| !c.is_ascii_lowercase() && c != '_');
            line.starts_with('[') || key.is_some_and(named)
        };
        // Four eyes are somebody's.
        let text = template("sqlite:registry.db").replace("enforce = false", "enforce = true");
        let lines = text.lines().map(|line| match line.strip_prefix("# ") {
            Some(bare) if setting(bare) => bare,
            _ => line,
        });
        let all: Vec<&str> = lines.collect();
        let config = parse(Path::new(CONFIG_FILE), &all.join("\n")).unwrap();
        assert!(config.alert.roots.is_some() && config.alert.syslog.is_some());
        assert!(config.receive.acme.is_some() && config.drill.every.is_some());
        assert_eq!(config.retention.noise_days, Some(30));
    }
}
