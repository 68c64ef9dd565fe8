//! Timestamps of RFC 3161: a time-stamping authority signs a hash of ours together with the time, so that
//! a checkpoint is shown to have existed then without anybody having to believe our clock.
//!
//! The messages' grammar is `x509-tsp`'s and `cms`'s, the certificates' path is `webpki`'s. What is
//! checked is what section 2.4.2 of the RFC asks of whoever relies on a token: the imprint, the nonce, the
//! signature over the attributes, that the attributes name the certificate which signed, and that the
//! certificate is meant for time-stamping.

use cms::cert::CertificateChoices;
use cms::cert::x509::Certificate;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{Int, ObjectIdentifier, OctetString};
use der::{Any, Decode, Encode, Sequence, Tag, Tagged};
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use sha2::{Digest, Sha256, Sha384, Sha512};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};
use webpki::aws_lc_rs as algorithms;
use webpki::{EndEntityCert, KeyUsage};
use x509_tsp::{Accuracy, MessageImprint, TimeStampReq, TimeStampResp, TspVersion};

const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
/// The content of the extension in a certificate that may stamp times and do nothing else.
const ONLY_TIME_STAMPING: [u8; 12] = [
    0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08,
];
/// id-kp-timeStamping (1.3.6.1.5.5.7.3.8) without tag and length.
const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];

/// What an authority is asked.
pub struct StampRequest {
    der: Vec<u8>,
    nonce: Int,
}

/// A token that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When the authority saw the hash, by its own clock.
    pub at: OffsetDateTime,
    /// The authority's name, as its certificate has it.
    pub authority: String,
    /// Whether its certificate is vouched for by one of the roots that were given.
    pub trusted: bool,
}

/// Why a token does not hold, or there is none.
#[derive(Debug, thiserror::Error)]
pub enum InvalidStamp {
    /// It does not read.
    #[error("it is no timestamp token of RFC 3161: {0}")]
    Malformed(&'static str),
    /// The authority has refused.
    #[error("the authority gave no timestamp: it answered '{status}'{text}")]
    Refused {
        /// The status, in the RFC's words.
        status: String,
        /// What else it said.
        text: String,
    },
    /// It answers another question.
    #[error("it answers another request than ours: {0} differs")]
    Other(&'static str),
    /// It is over another text.
    #[error("it stamps another text than this one")]
    Imprint,
    /// The signature does not hold.
    #[error("its signature does not hold: {0}")]
    Signature(&'static str),
    /// The certificate is not for this.
    #[error("{authority} signed it with a certificate that may not stamp times: {why}")]
    Usage {
        /// The certificate's subject.
        authority: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// None of the roots vouches for the certificate.
    #[error("the certificate of {authority} does not lead to any of the roots given: {why}")]
    Untrusted {
        /// The certificate's subject.
        authority: String,
        /// What is wrong.
        why: String,
    },
}

use InvalidStamp::{Malformed, Signature};

/// `TSTInfo` of the RFC; the time stays text, for it may hold fractions of a second.
#[derive(Sequence)]
struct TstInfo {
    version: TspVersion,
    policy: ObjectIdentifier,
    message_imprint: MessageImprint,
    serial_number: Int,
    gen_time: Any,
    #[asn1(optional = "true")]
    accuracy: Option<Accuracy>,
    #[asn1(default = "Default::default")]
    ordering: bool,
    #[asn1(optional = "true")]
    nonce: Option<Int>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    tsa: Option<Any>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    extensions: Option<cms::cert::x509::ext::Extensions>,
}

/// `SigningCertificate` and `SigningCertificateV2` (RFC 5035): which certificate signed.
#[derive(Sequence)]
struct SigningCertificate {
    certs: Vec<EssCertId>,
    #[asn1(optional = "true")]
    policies: Option<Any>,
}

#[derive(Sequence)]
struct EssCertId {
    #[asn1(optional = "true")]
    hash_algorithm: Option<cms::cert::x509::spki::AlgorithmIdentifierOwned>,
    cert_hash: OctetString,
    #[asn1(optional = "true")]
    issuer_serial: Option<Any>,
}

impl StampRequest {
    /// Asks for a stamp over the message's SHA-256. The nonce ties the answer to this request: it must not
    /// be guessed.
    pub fn new(message: &[u8], mut nonce: [u8; 16]) -> StampRequest {
        // A positive integer of full length in DER.
        nonce[0] = nonce[0] & 0x7f | 0x40;
        let nonce = Int::new(&nonce).expect("sixteen bytes that begin with neither 00 nor ff");
        let request = TimeStampReq {
            version: TspVersion::V1,
            message_imprint: MessageImprint {
                hash_algorithm: cms::cert::x509::spki::AlgorithmIdentifier {
                    oid: SHA256,
                    parameters: Some(Any::null()),
                },
                hashed_message: OctetString::new(Sha256::digest(message).to_vec())
                    .expect("32 bytes fit"),
            },
            req_policy: None,
            nonce: Some(nonce.clone()),
            cert_req: true,
            extensions: None,
        };
        let der = request.to_der().expect("each part is valid by itself");
        StampRequest { der, nonce }
    }

    /// The request as it is sent (`application/timestamp-query`).
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The token in an answer (`application/timestamp-reply`), if it answers this request. Whether it holds
    /// is for [`Stamp::open`].
    ///
    /// # Errors
    /// The authority refused, or answers something else.
    pub fn token(&self, reply: &[u8]) -> Result<Vec<u8>, InvalidStamp> {
        let reply =
            TimeStampResp::from_der(reply).map_err(|_| Malformed("the answer does not read"))?;
        let Some(token) = reply.time_stamp_token else {
            let text = reply.status.status_string.unwrap_or_default();
            let text: String = text.iter().map(|text| format!(", '{text}'")).collect();
            return Err(InvalidStamp::Refused {
                status: format!("{:?}", reply.status.status).to_lowercase(),
                // What a stranger says is shown, and moves no cursor.
                text: text.chars().filter(|c| !c.is_control()).take(300).collect(),
            });
        };
        let token = token
            .to_der()
            .map_err(|_| Malformed("the token does not read"))?;
        let (_, _, info) = parts(&token)?;
        match info.nonce == Some(self.nonce.clone()) {
            true => Ok(token),
            false => Err(InvalidStamp::Other("its nonce")),
        }
    }
}

impl Stamp {
    /// Checks a token over a message. `roots` are certificates (DER) of authorities that are trusted; with
    /// none, the signature is checked and the certificate is taken as it is.
    ///
    /// # Errors
    /// See [`InvalidStamp`].
    pub fn open(
        token: &[u8],
        message: &[u8],
        roots: &[CertificateDer<'_>],
    ) -> Result<Stamp, InvalidStamp> {
        let (signed, content, info) = parts(token)?;
        let imprint = &info.message_imprint;
        let wanted = digest(imprint.hash_algorithm.oid, message).ok_or(Malformed(
            "its hash is none of SHA-256, SHA-384 and SHA-512",
        ))?;
        if imprint.hashed_message.as_bytes() != wanted {
            return Err(InvalidStamp::Imprint);
        }
        let at = gen_time(&info.gen_time).ok_or(Malformed("its time does not read"))?;
        let [signer] = signed.signer_infos.0.as_slice() else {
            return Err(Malformed("it has not exactly one signature"));
        };
        let certificates: Vec<Certificate> = signed
            .certificates
            .iter()
            .flat_map(|set| set.0.iter())
            .filter_map(|choice| match choice {
                CertificateChoices::Certificate(certificate) => Some(certificate.clone()),
                CertificateChoices::Other(_) => None,
            })
            .collect();
        let own = certificates
            .iter()
            .find(|certificate| is_of(certificate, signer))
            .ok_or(Signature("the certificate that signed is not in it"))?;
        let own_der = encoded(own)?;
        signature(signer, &content, &own_der)?;
        let authority: String = own.tbs_certificate.subject.to_string();
        usage(own).map_err(|why| InvalidStamp::Usage {
            authority: authority.clone(),
            why,
        })?;
        let trusted = !roots.is_empty();
        if trusted {
            let others: Vec<CertificateDer<'_>> = certificates
                .iter()
                .filter(|other| *other != own)
                .filter_map(|other| other.to_der().ok().map(CertificateDer::from))
                .collect();
            chain(&own_der, &others, roots, at).map_err(|why| InvalidStamp::Untrusted {
                authority: authority.clone(),
                why,
            })?;
        }
        Ok(Stamp {
            at,
            authority,
            trusted,
        })
    }
}

/// The signed data of a token, the bytes of its content, and the content.
fn parts(token: &[u8]) -> Result<(SignedData, Vec<u8>, TstInfo), InvalidStamp> {
    let outer = ContentInfo::from_der(token).map_err(|_| Malformed("it is no DER"))?;
    if outer.content_type != SIGNED_DATA {
        return Err(Malformed("it is not signed"));
    }
    let signed: SignedData = outer
        .content
        .decode_as()
        .map_err(|_| Malformed("its signed data does not read"))?;
    let inner = &signed.encap_content_info;
    let content = match (&inner.econtent, inner.econtent_type == TST_INFO) {
        (Some(content), true) => content
            .decode_as::<OctetString>()
            .map_err(|_| Malformed("its content does not read"))?
            .into_bytes(),
        _ => return Err(Malformed("it is signed, and no timestamp")),
    };
    let info = TstInfo::from_der(&content).map_err(|_| Malformed("its content does not read"))?;
    Ok((signed, content, info))
}

fn digest(algorithm: ObjectIdentifier, message: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        SHA256 => Some(Sha256::digest(message).to_vec()),
        SHA384 => Some(Sha384::digest(message).to_vec()),
        SHA512 => Some(Sha512::digest(message).to_vec()),
        _ => None,
    }
}

/// `YYYYMMDDHHMMSS[.f…]Z`.
fn gen_time(value: &Any) -> Option<OffsetDateTime> {
    if value.tag() != Tag::GeneralizedTime {
        return None;
    }
    let text = std::str::from_utf8(value.value()).ok()?;
    let (digits, fraction) = text.strip_suffix('Z')?.split_at_checked(14)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize| &digits[from..from + 2];
    let written = format!(
        "{}-{}-{}T{}:{}:{}{fraction}Z",
        &digits[..4],
        part(4),
        part(6),
        part(8),
        part(10),
        part(12)
    );
    let at = OffsetDateTime::parse(&written, &Rfc3339).ok()?;
    Some(at.to_offset(UtcOffset::UTC))
}

fn encoded(certificate: &Certificate) -> Result<CertificateDer<'static>, InvalidStamp> {
    let der = certificate.to_der();
    Ok(der
        .map_err(|_| Malformed("a certificate does not read"))?
        .into())
}

fn is_of(certificate: &Certificate, signer: &SignerInfo) -> bool {
    let tbs = &certificate.tbs_certificate;
    match &signer.sid {
        SignerIdentifier::IssuerAndSerialNumber(id) => {
            id.issuer == tbs.issuer && id.serial_number == tbs.serial_number
        }
        SignerIdentifier::SubjectKeyIdentifier(id) => {
            let found = tbs.get::<cms::cert::x509::ext::pkix::SubjectKeyIdentifier>();
            matches!(found, Ok(Some((_, found))) if found == *id)
        }
    }
}

/// The signature is over the attributes, and the attributes are over the content and name the certificate.
fn signature(
    signer: &SignerInfo,
    content: &[u8],
    certificate: &CertificateDer<'_>,
) -> Result<(), InvalidStamp> {
    let attributes = signer
        .signed_attrs
        .as_ref()
        .ok_or(Signature("it has no attributes"))?;
    let value = |oid: ObjectIdentifier| {
        let mut of = attributes.iter().filter(|attribute| attribute.oid == oid);
        match (of.next(), of.next()) {
            (Some(one), None) => match one.values.as_slice() {
                [value] => Some(value.clone()),
                _ => None,
            },
            _ => None,
        }
    };
    let content_type = value(CONTENT_TYPE).and_then(|v| v.decode_as::<ObjectIdentifier>().ok());
    if content_type != Some(TST_INFO) {
        return Err(Signature("it is over something else than a timestamp"));
    }
    let hash = signer.digest_alg.oid;
    let wanted = digest(hash, content).ok_or(Signature(
        "its hash is none of SHA-256, SHA-384 and SHA-512",
    ))?;
    let told = value(MESSAGE_DIGEST).and_then(|v| v.decode_as::<OctetString>().ok());
    if told.is_none_or(|told| told.as_bytes() != wanted) {
        return Err(Signature("the content was changed"));
    }
    if !names(
        certificate,
        value(SIGNING_CERTIFICATE_V2),
        value(SIGNING_CERTIFICATE),
    ) {
        return Err(Signature("it does not name the certificate that signed"));
    }
    let signed = attributes
        .to_der()
        .map_err(|_| Malformed("its attributes do not read"))?;
    let key = EndEntityCert::try_from(certificate)
        .map_err(|_| Signature("its certificate is none that can be checked"))?;
    let holds = by_hash(hash).iter().any(|algorithm| {
        key.verify_signature(*algorithm, &signed, signer.signature.as_bytes())
            .is_ok()
    });
    match holds {
        true => Ok(()),
        false => Err(Signature("another key made it, or it was changed")),
    }
}

/// Whether the first of the certificates named is this one.
fn names(certificate: &CertificateDer<'_>, v2: Option<Any>, v1: Option<Any>) -> bool {
    let first = |value: Option<Any>| {
        let named: SigningCertificate = value?.decode_as().ok()?;
        named.certs.into_iter().next()
    };
    if let Some(id) = first(v2) {
        let algorithm = id.hash_algorithm.map_or(SHA256, |algorithm| algorithm.oid);
        return digest(algorithm, certificate).is_some_and(|hash| hash == id.cert_hash.as_bytes());
    }
    // The first version of the attribute knows SHA-1 only; it picks a certificate and signs nothing.
    first(v1).is_some_and(|id| {
        id.hash_algorithm
            .is_none_or(|algorithm| algorithm.oid == SHA1)
            && sha1::Sha1::digest(certificate)[..] == *id.cert_hash.as_bytes()
    })
}

fn by_hash(hash: ObjectIdentifier) -> &'static [&'static dyn SignatureVerificationAlgorithm] {
    static OF_SHA256: [&dyn SignatureVerificationAlgorithm; 5] = [
        algorithms::RSA_PKCS1_2048_8192_SHA256,
        algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        algorithms::ECDSA_P256_SHA256,
        algorithms::ECDSA_P384_SHA256,
        algorithms::ECDSA_P521_SHA256,
    ];
    static OF_SHA384: [&dyn SignatureVerificationAlgorithm; 5] = [
        algorithms::RSA_PKCS1_2048_8192_SHA384,
        algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        algorithms::ECDSA_P256_SHA384,
        algorithms::ECDSA_P384_SHA384,
        algorithms::ECDSA_P521_SHA384,
    ];
    static OF_SHA512: [&dyn SignatureVerificationAlgorithm; 6] = [
        algorithms::RSA_PKCS1_2048_8192_SHA512,
        algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        algorithms::ECDSA_P256_SHA512,
        algorithms::ECDSA_P384_SHA512,
        algorithms::ECDSA_P521_SHA512,
        algorithms::ED25519,
    ];
    match hash {
        SHA256 => &OF_SHA256,
        SHA384 => &OF_SHA384,
        SHA512 => &OF_SHA512,
        _ => &[],
    }
}

/// RFC 3161, 2.3: the certificate is for time-stamping alone, and the extension that says so is critical.
fn usage(certificate: &Certificate) -> Result<(), &'static str> {
    let extensions = certificate.tbs_certificate.extensions.iter().flatten();
    let mut found = extensions.filter(|extension| extension.extn_id == EXTENDED_KEY_USAGE);
    match found.next() {
        None => Err("it has no extended key usage"),
        Some(extension) if !extension.critical => Err("its extended key usage is not critical"),
        Some(extension) if extension.extn_value.as_bytes() != ONLY_TIME_STAMPING => {
            Err("its extended key usage is another, or more than time-stamping")
        }
        Some(_) => Ok(()),
    }
}

/// A path from the certificate to a root, as it stood when the stamp was made.
fn chain(
    own: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
    roots: &[CertificateDer<'_>],
    at: OffsetDateTime,
) -> Result<(), String> {
    let anchors: Result<Vec<_>, _> = roots.iter().map(webpki::anchor_from_trusted_cert).collect();
    let anchors = anchors.map_err(|error| format!("a root does not read ({error})"))?;
    let own = EndEntityCert::try_from(own).map_err(|error| error.to_string())?;
    let seconds = u64::try_from(at.unix_timestamp()).map_err(|_| "its time is before 1970")?;
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let usage = KeyUsage::required(TIME_STAMPING);
    own.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &anchors,
        others,
        time,
        usage,
        None,
        None,
    )
    .map(drop)
    .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn times_are_read_with_and_without_fractions() {
        let at = |text: &str| gen_time(&Any::new(Tag::GeneralizedTime, text.as_bytes()).unwrap());
        assert_eq!(at("20261126011500Z"), Some(datetime!(2026-11-26 01:15 UTC)));
        assert_eq!(
            at("20261126011500.25Z"),
            Some(datetime!(2026-11-26 01:15:00.25 UTC))
        );
        for wrong in [
            "20261126011500",
            "2026112601150Z",
            "20261326011500Z",
            "２０２６１１Z",
            "Z",
        ] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_no_token_is_told_and_nothing_panics() {
        for bytes in [&[][..], &[0x30], &[0x30, 0x80, 0, 0], &[0xff; 64]] {
            assert!(Stamp::open(bytes, b"text", &[]).is_err());
            assert!(StampRequest::new(b"text", [7; 16]).token(bytes).is_err());
        }
    }
}
