//! Where the contract files of clients are kept, and what looks at new ones.

use std::sync::{Arc, OnceLock};

use exit3_files::{Clamd, ContractBucket, ContractDirectory};
use exit3_ports::{Clock, ContractScanner, ContractStore};
use tokio::runtime::{Builder, Handle, Runtime};

use super::{Arguments, SettingsError};
use crate::clock::SystemClock;
use crate::s3;

/// Where contract files are kept: CONTRACT_DIR or, without it, `contracts` in DATA_DIR.
pub(super) fn store(arguments: &Arguments) -> Result<Arc<dyn ContractStore>, SettingsError> {
    let Some(given) = &arguments.contract_dir else {
        return Ok(Arc::new(ContractDirectory::new(arguments.data_dir.join("contracts"))));
    };
    if !given.contains("://") {
        return Ok(Arc::new(ContractDirectory::required(given)));
    }
    let wrong = |problem: String| SettingsError::new("CONTRACT_DIR", problem);
    let (name, prefix) = s3::parse(given).ok_or_else(|| {
        wrong("is neither a directory nor of the form s3://bucket/prefix".to_owned())
    })?;
    let told = |error: &dyn std::fmt::Display| {
        let text = error.to_string();
        wrong(format!("cannot be used: {}", text.lines().next().unwrap_or_default()))
    };
    let bucket = s3::bucket(&name).map_err(|error| told(&error))?;
    let runtime = runtime().map_err(|error| told(&error))?;
    let shown = format!("{}{name}/{prefix}", s3::SCHEME);
    let now = || SystemClock.now();
    Ok(Arc::new(ContractBucket::new(Arc::new(bucket), prefix, shown, runtime, now)))
}

/// The scanner at CLAMD_ADDR.
pub(super) fn scanner(
    arguments: &Arguments,
) -> Result<Option<Arc<dyn ContractScanner>>, SettingsError> {
    let Some(address) = &arguments.clamd_addr else { return Ok(None) };
    let problem = "is neither of the form host:port nor the absolute path of a socket";
    let clamd = Clamd::at(address).ok_or_else(|| SettingsError::new("CLAMD_ADDR", problem))?;
    Ok(Some(Arc::new(clamd)))
}

/// The thread that talks to buckets of contract files. It lives as long as the process.
fn runtime() -> std::io::Result<Handle> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime.handle().clone());
    }
    let mut thread = Builder::new_multi_thread();
    let made = thread.worker_threads(1).thread_name("contracts").enable_all().build()?;
    Ok(RUNTIME.get_or_init(|| made).handle().clone())
}
