//! Encryption without a proxy, with a certificate that may be replaced at any time.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Where a certificate and its key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those that vouch for it, in PEM.
    pub cert: PathBuf,
    /// The certificate's key, in PEM.
    pub key: PathBuf,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("TLS_CERT cannot be read: {path}: {1}", path = .0.display())]
    Cert(PathBuf, io::Error),
    #[error("TLS_CERT holds no certificate: {}", .0.display())]
    NoCert(PathBuf),
    #[error("TLS_KEY cannot be read: {path}: {1}", path = .0.display())]
    Key(PathBuf, io::Error),
    #[error("TLS_KEY holds no private key: {}", .0.display())]
    NoKey(PathBuf),
    #[error("TLS_KEY is not the key of TLS_CERT: {0}")]
    Mismatch(rustls::Error),
    #[error("TLS_CERT and TLS_KEY cannot be used: {0}")]
    Config(rustls::Error),
}

/// What encrypts connections.
#[derive(Clone)]
pub(crate) struct Tls {
    config: Arc<ServerConfig>,
}

impl Tls {
    /// Takes the certificate from its files, and looks after them from now on.
    ///
    /// # Errors
    /// One sentence that names the variable.
    pub(crate) fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let (text, key) = files.load()?;
        let current = Arc::new(Current(RwLock::new(Arc::new(key))));
        let watched = Arc::downgrade(&current);
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Config)?
            .with_no_client_auth()
            .with_cert_resolver(current);
        std::thread::spawn(move || watch(&files, text, &watched));
        Ok(Self { config: Arc::new(config) })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.config).into()
    }
}

/// What the files held.
type Texts = (Vec<u8>, Vec<u8>);

impl TlsFiles {
    /// When the certificate ends, as the time since 1970; none where it cannot be read.
    pub(crate) fn expiry(&self) -> Option<Duration> {
        let text = fs::read(&self.cert).ok()?;
        let own = CertificateDer::pem_slice_iter(&text).next()?.ok()?;
        let own = Certificate::from_der(&own).ok()?;
        Some(own.tbs_certificate.validity.not_after.to_unix_duration())
    }

    fn read(&self) -> Result<Texts, TlsError> {
        let cert = fs::read(&self.cert).map_err(|e| TlsError::Cert(self.cert.clone(), e))?;
        let key = fs::read(&self.key).map_err(|e| TlsError::Key(self.key.clone(), e))?;
        Ok((cert, key))
    }

    fn load(&self) -> Result<(Texts, CertifiedKey), TlsError> {
        let texts = self.read()?;
        let key = certified(&texts, &self.cert, &self.key)?;
        Ok((texts, key))
    }
}

fn certified(
    (cert, key): &Texts,
    cert_path: &Path,
    key_path: &Path,
) -> Result<CertifiedKey, TlsError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(cert).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| TlsError::NoCert(cert_path.to_owned()))?;
    let key =
        PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::NoKey(key_path.to_owned()))?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(TlsError::Mismatch)
}

/// The certificate that new connections get.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Takes over what the files hold whenever that has changed, as long as somebody uses
/// it. A pair that does not fit, as in the middle of a change, is left for the next
/// look.
fn watch(files: &TlsFiles, mut known: Texts, current: &Weak<Current>) {
    let mut told = None;
    loop {
        std::thread::sleep(LOOK);
        let Some(current) = current.upgrade() else { return };
        match files.read() {
            Ok(texts) if texts == known => {}
            Ok(texts) => match certified(&texts, &files.cert, &files.key) {
                Ok(key) => {
                    *current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
                    known = texts;
                    told = None;
                    tracing::info!("took over a new certificate");
                }
                Err(error) => tell_once(&mut told, &error),
            },
            Err(error) => tell_once(&mut told, &error),
        }
    }
}

fn tell_once(told: &mut Option<String>, error: &TlsError) {
    let text = error.to_string();
    if told.as_ref() != Some(&text) {
        tracing::warn!(error = text, "the certificate is still the old one");
        *told = Some(text);
    }
}
