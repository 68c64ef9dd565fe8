//! A certificate for STARTTLS from an ACME authority (RFC 8555), renewed before it ends.
//!
//! The authority looks for an answer over HTTP (challenge `http-01`) at port 80 of each name. It is given
//! by a listener of its own where the configuration names one, and by the receiver's HTTP port, to which
//! a server on port 80 may hand `/.well-known/acme-challenge/` on. Chain and key are one file that is
//! replaced in one step; STARTTLS reads it again as it does any certificate.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use cms::cert::x509::Certificate;
use der::Decode;
use instant_acme::{
    Account, AccountBuilder, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier,
    NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};

use super::{Error, TlsConfig};
use crate::canary::Domain;
use crate::workspace::replace_private;

/// The folder of the account and the certificate, in the workspace.
const FOLDER: &str = "acme";
/// The longest that the certificate is not looked at.
const LOOK: Duration = Duration::from_secs(3600);
/// Pauses after a failure: authorities count failed orders by the hour.
const PAUSES: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(24 * 3600));
/// How long an order may take.
const ORDER: Duration = Duration::from_secs(300);

/// Certificates from an ACME authority, such as Let's Encrypt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcmeConfig {
    /// The authority's directory (`https://acme-v02.api.letsencrypt.org/directory`).
    pub directory: String,
    /// The names that the certificate is for: those of the MX records, which lead to this machine.
    pub names: Vec<Domain>,
    /// Whether the operator has read the authority's terms of service and agrees to them. Without,
    /// nothing is asked.
    #[serde(default)]
    pub agree_to_terms: bool,
    /// Mail addresses at which the authority may reach the operator.
    #[serde(default)]
    pub contact: Vec<String>,
    /// Where the authority's questions are answered (`0.0.0.0:80`), besides the HTTP port.
    pub listen: Option<SocketAddr>,
    /// PEM of the root of an authority that the world does not know.
    pub root: Option<PathBuf>,
}

impl AcmeConfig {
    /// What of it can be seen to be wrong before anybody is asked.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |why: String| Err(Error::Config(format!("acme: {why}")));
        match url::Url::parse(&self.directory) {
            Ok(url) if url.scheme() == "https" => {}
            _ => return wrong("directory is not an https:// address".to_owned()),
        }
        if self.names.is_empty() {
            return wrong(
                "names is empty: the certificate is for the names of the MX records".to_owned(),
            );
        }
        if !self.agree_to_terms {
            return wrong(
                "read the authority's terms of service, and write agree_to_terms = true".to_owned(),
            );
        }
        Ok(())
    }
}

/// The answers that the authority may ask for now, by the token in its question.
#[derive(Clone, Default)]
pub(super) struct Challenges(Arc<RwLock<HashMap<String, String>>>);

impl Challenges {
    fn put(&self, token: String, answer: String) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(token, answer);
    }

    fn clear(&self) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.clear();
    }

    fn answer(&self, token: &str) -> Option<String> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(token).cloned()
    }

    /// The route that answers; any state may be beside it.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let challenges = self.clone();
        let answer = move |extract::Path(token): extract::Path<String>| async move {
            match challenges.answer(&token) {
                Some(answer) => answer.into_response(),
                None => StatusCode::NOT_FOUND.into_response(),
            }
        };
        Router::new().route("/.well-known/acme-challenge/{token}", get(answer))
    }
}

/// Sees to it that there is a certificate.
pub(super) struct Acme {
    config: AcmeConfig,
    folder: PathBuf,
    root: Option<PathBuf>,
    /// What is asked for, and answered.
    pub challenges: Challenges,
}

impl Acme {
    /// With its folder in the workspace `dir`.
    ///
    /// # Errors
    /// The configuration does not say what it should.
    pub fn new(config: &AcmeConfig, dir: &Path) -> Result<Acme, Error> {
        config.check()?;
        Ok(Acme {
            folder: dir.join(FOLDER),
            root: config.root.as_ref().map(|root| dir.join(root)),
            config: config.clone(),
            challenges: Challenges::default(),
        })
    }

    /// Where chain and key are, once there are any.
    pub fn files(&self) -> TlsConfig {
        TlsConfig {
            certificate: self.folder.join("certificate.pem"),
            key: self.folder.join("certificate.pem"),
        }
    }

    /// Orders a certificate whenever there is none, it is for other names, or two thirds of its time are
    /// over; for ever.
    pub async fn keep(self) {
        let mut pause = PAUSES.0;
        loop {
            let wait = match self.due() {
                Some(wait) => wait.min(LOOK),
                None => match tokio::time::timeout(ORDER, self.order()).await {
                    Ok(Ok(())) => {
                        tracing::info!("there is a new certificate for STARTTLS");
                        pause = PAUSES.0;
                        continue;
                    }
                    failed => {
                        let why = match failed {
                            Ok(Err(Failed(why))) => why,
                            _ => "the authority took too long".to_owned(),
                        };
                        tracing::error!(
                            why,
                            again_in = pause.as_secs(),
                            "no certificate for STARTTLS"
                        );
                        let wait = pause;
                        pause = (pause * 2).min(PAUSES.1);
                        wait
                    }
                },
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// How long the certificate is good enough still; `None` if a new one is due.
    fn due(&self) -> Option<Duration> {
        let pem = std::fs::read(self.files().certificate).ok()?;
        let chain = CertificateDer::from_pem_slice(&pem).ok()?;
        let leaf = Certificate::from_der(&chain).ok()?;
        let validity = leaf.tbs_certificate.validity;
        let (from, until) = (
            validity.not_before.to_date_time().to_system_time(),
            validity.not_after.to_date_time().to_system_time(),
        );
        let life = until.duration_since(from).ok()?;
        let left = until.duration_since(SystemTime::now()).ok()?;
        let names = names(&leaf);
        let mut wanted = self.config.names.iter().map(Domain::as_str);
        if !wanted.all(|name| names.iter().any(|own| own == name)) {
            return None;
        }
        left.checked_sub(life / 3).filter(|wait| !wait.is_zero())
    }

    async fn order(&self) -> Result<(), Failed> {
        std::fs::create_dir_all(&self.folder)
            .map_err(|error| Failed(format!("{}: {error}", self.folder.display())))?;
        let account = self.account().await?;
        let names = self.config.names.iter();
        let names: Vec<_> = names
            .map(|name| Identifier::Dns(name.as_str().to_owned()))
            .collect();
        let mut order = account.new_order(&NewOrder::new(&names)).await?;
        let ordered = self.fulfil(&mut order).await;
        self.challenges.clear();
        let (chain, key) = ordered?;
        let file = self.files().certificate;
        replace_private(&file, format!("{chain}\n{key}").as_bytes())
            .map_err(|error| Failed(error.to_string()))
    }

    /// Answers what the authority asks for; chain and key, both PEM.
    async fn fulfil(&self, order: &mut Order) -> Result<(String, String), Failed> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            match authorization.status {
                AuthorizationStatus::Pending => {}
                AuthorizationStatus::Valid => continue,
                status => return Err(Failed(format!("an authorization is {status:?}"))),
            }
            let mut challenge = authorization
                .challenge(ChallengeType::Http01)
                .ok_or_else(|| Failed("the authority offers no http-01 challenge".to_owned()))?;
            let answer = challenge.key_authorization().as_str().to_owned();
            self.challenges.put(challenge.token.clone(), answer);
            challenge.set_ready().await?;
        }
        let patience = RetryPolicy::default().timeout(ORDER);
        match order.poll_ready(&patience).await? {
            OrderStatus::Ready => {}
            status => {
                return Err(Failed(format!(
                    "the order is {status:?}: can the authority reach port 80 of each name?"
                )));
            }
        }
        let key = order.finalize().await?;
        Ok((order.poll_certificate(&patience).await?, key))
    }

    /// The account with the authority, opened once.
    async fn account(&self) -> Result<Account, Failed> {
        let file = self.folder.join("account.json");
        match std::fs::read(&file) {
            Ok(kept) => {
                let (directory, kept): (String, AccountCredentials) = serde_json::from_slice(&kept)
                    .map_err(|_| {
                        Failed(format!(
                            "{}: not an account; remove it to open a new one",
                            file.display()
                        ))
                    })?;
                if directory == self.config.directory {
                    return Ok(self.builder()?.from_credentials(kept).await?);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failed(format!("{}: {error}", file.display()))),
        }
        let contact: Vec<String> = self
            .config
            .contact
            .iter()
            .map(|address| format!("mailto:{address}"))
            .collect();
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let wanted = NewAccount {
            contact: &contact,
            terms_of_service_agreed: self.config.agree_to_terms,
            only_return_existing: false,
        };
        let directory = self.config.directory.clone();
        let (account, credentials) = self
            .builder()?
            .create(&wanted, directory.clone(), None)
            .await?;
        let kept = serde_json::to_vec(&(directory, credentials))
            .map_err(|error| Failed(error.to_string()))?;
        replace_private(&file, &kept).map_err(|error| Failed(error.to_string()))?;
        Ok(account)
    }

    fn builder(&self) -> Result<AccountBuilder, Failed> {
        Ok(match &self.root {
            Some(root) => Account::builder_with_root(root)?,
            None => Account::builder()?,
        })
    }
}

/// The names that a certificate is for.
fn names(certificate: &Certificate) -> Vec<String> {
    use cms::cert::x509::ext::pkix::SubjectAltName;
    use cms::cert::x509::ext::pkix::name::GeneralName;
    let Ok(Some((_, names))) = certificate.tbs_certificate.get::<SubjectAltName>() else {
        return Vec::new();
    };
    let dns = |name: &GeneralName| match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_ascii_lowercase()),
        _ => None,
    };
    names.0.iter().filter_map(dns).collect()
}

/// Why there is no certificate.
struct Failed(String);

impl From<instant_acme::Error> for Failed {
    fn from(error: instant_acme::Error) -> Failed {
        Failed(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn a_certificate_is_renewed_when_two_thirds_of_its_time_are_over() {
        let dir = tempfile::tempdir().unwrap();
        let config = AcmeConfig {
            directory: "https://127.0.0.1:1/dir".to_owned(),
            names: vec!["mx1.decoys.example".parse().unwrap()],
            agree_to_terms: true,
            contact: Vec::new(),
            listen: None,
            root: None,
        };
        let acme = Acme::new(&config, dir.path()).unwrap();
        std::fs::create_dir(dir.path().join(FOLDER)).unwrap();
        assert_eq!(acme.due(), None, "there is none");
        let key = KeyPair::generate().unwrap();
        let write = |name: &str, begun: i64, days: i64| {
            let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.not_before = OffsetDateTime::now_utc() - time::Duration::days(begun);
            params.not_after = params.not_before + time::Duration::days(days);
            let made = params.self_signed(&key).unwrap();
            std::fs::write(acme.files().certificate, made.pem()).unwrap();
        };
        for (begun, days, left) in [
            (0, 90, Some(60)),
            (59, 90, Some(1)),
            (61, 90, None),
            (91, 90, None),
            // As short as they are to become.
            (3, 6, Some(1)),
            (5, 6, None),
        ] {
            write("mx1.decoys.example", begun, days);
            let found = acme.due().map(|left| left.as_secs().div_ceil(24 * 3600));
            assert_eq!(found, left, "{begun} of {days}");
        }
        write("mx2.decoys.example", 0, 90);
        assert_eq!(acme.due(), None, "it is another's");
        std::fs::write(acme.files().certificate, "none").unwrap();
        assert_eq!(acme.due(), None);
    }
}
