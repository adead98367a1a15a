//! Buckets of S3 or of a compatible service. The address and the credentials come from the
//! environment and `.env`, under the names that S3 clients know (`AWS_ENDPOINT_URL`,
//! `AWS_ACCESS_KEY_ID`, …).

use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path as Key;
use object_store::{ClientConfigKey, RetryConfig};

use crate::variables;

/// The beginning of the name of a bucket.
pub(crate) const SCHEME: &str = "s3://";

/// The time limit of one request, including its data, unless AWS_TIMEOUT is set: 80 kB/s for a part
/// of an archive.
const PATIENCE: &str = "100 seconds";
/// How long a failed request is retried.
const RETRIES: Duration = Duration::from_secs(60);

/// The bucket's name and the key in `s3://bucket/key`; `None` for anything else.
pub(crate) fn parse(url: &str) -> Option<(String, Key)> {
    let rest = url.strip_prefix(SCHEME)?;
    let (name, key) = rest.split_once('/').unwrap_or((rest, ""));
    let key = Key::parse(key.trim_end_matches('/')).ok()?;
    (!name.is_empty()).then(|| (name.to_owned(), key))
}

/// A bucket, without sending a request.
pub(crate) fn bucket(name: &str) -> object_store::Result<AmazonS3> {
    // The standard names, and AWS_ALLOW_HTTP, which allows a test server without encryption.
    let given = variables::of_process().beginning("AWS_").into_iter();
    let known = given.filter_map(|(variable, value)| {
        Some((variable.to_ascii_lowercase().parse::<AmazonS3ConfigKey>().ok()?, value))
    });
    let patience = AmazonS3ConfigKey::Client(ClientConfigKey::Timeout);
    let usual = AmazonS3Builder::from_env().with_config(patience, PATIENCE);
    let builder =
        known.fold(usual, |builder, (variable, value)| builder.with_config(variable, value));
    // A request that took that long is not repeated.
    let again = RetryConfig { max_retries: 3, retry_timeout: RETRIES, ..Default::default() };
    builder.with_bucket_name(name).with_retry(again).build()
}
