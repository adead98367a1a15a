//! TLS without a proxy, with a certificate that can be replaced while the service runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
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

/// How often the files are checked for changes.
const LOOK: Duration = Duration::from_secs(1);

/// The files of a certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain in PEM (`TLS_CERT`).
    pub cert: PathBuf,
    /// The private key in PEM (`TLS_KEY`).
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

/// The TLS configuration of the service.
#[derive(Clone)]
pub(crate) struct Tls {
    config: Arc<ServerConfig>,
    current: Arc<Current>,
}

impl Tls {
    /// Loads the certificate, and watches its files from now on.
    ///
    /// # Errors
    /// One sentence that names the setting.
    pub(crate) fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let (text, key) = files.load()?;
        let key = RwLock::new(Arc::new(key));
        let current = Arc::new(Current { key, is_newest: AtomicBool::new(true) });
        let watched = Arc::downgrade(&current);
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Config)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        std::thread::spawn(move || watch(&files, text, &watched));
        Ok(Self { config: Arc::new(config), current })
    }

    /// When the certificate in use expires, as the time since 1970.
    pub(crate) fn expiry(&self) -> Option<Duration> {
        let key = self.current.key();
        let own = Certificate::from_der(key.cert.first()?).ok()?;
        Some(own.tbs_certificate.validity.not_after.to_unix_duration())
    }

    /// Whether the certificate in use is the one in the files.
    pub(crate) fn is_newest(&self) -> bool {
        self.current.is_newest.load(Ordering::Relaxed)
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.config).into()
    }
}

/// The contents of the two files.
type Texts = (Vec<u8>, Vec<u8>);

impl TlsFiles {
    /// Checks that the files can be used.
    ///
    /// # Errors
    /// One sentence that names the setting.
    pub(crate) fn check(&self) -> Result<(), TlsError> {
        self.load().map(drop)
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

/// The certificate for new connections.
#[derive(Debug)]
struct Current {
    key: RwLock<Arc<CertifiedKey>>,
    is_newest: AtomicBool,
}

impl Current {
    fn key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.key())
    }
}

/// Loads the files again whenever they change, as long as the certificate is in use. A certificate
/// and a key that do not match, as in the middle of a change, are tried again later.
fn watch(files: &TlsFiles, mut known: Texts, current: &Weak<Current>) {
    let mut told = None;
    loop {
        std::thread::sleep(LOOK);
        let Some(current) = current.upgrade() else { return };
        let looked = look(files, &mut known, &current);
        current.is_newest.store(looked.is_ok(), Ordering::Relaxed);
        let error = looked.err().map(|error| error.to_string());
        if error != told
            && let Some(error) = &error
        {
            tracing::warn!(error, "cannot load the new certificate; the old one stays in use");
        }
        told = error;
    }
}

fn look(files: &TlsFiles, known: &mut Texts, current: &Current) -> Result<(), TlsError> {
    let texts = files.read()?;
    if texts != *known {
        let key = certified(&texts, &files.cert, &files.key)?;
        *current.key.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
        *known = texts;
        tracing::info!("loaded a new certificate");
    }
    Ok(())
}
