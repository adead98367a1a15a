//! Archives in S3 or a compatible service.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use object_store::aws::AmazonS3;
use object_store::path::Path as Key;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt, WriteMultipart};

use super::{BackupStoreError, no_temporary};
use crate::s3;

/// Bytes in one part of an upload; S3 allows 10,000 parts.
const PART: usize = 8 << 20;

/// The time limit of completing an upload, which takes several requests.
const END: Duration = Duration::from_secs(110);

/// A bucket, and a prefix or a key in it.
pub(crate) struct Bucket {
    store: AmazonS3,
    name: String,
    key: Key,
}

impl Bucket {
    /// Opens `s3://bucket/key` without sending a request.
    pub(crate) fn open(url: &str) -> Result<Self, BackupStoreError> {
        let (name, key) = Self::parse(url)?;
        Ok(Self { store: s3::bucket(&name)?, name, key })
    }

    /// The bucket's name and the key in `s3://bucket/key`.
    pub(crate) fn parse(url: &str) -> Result<(String, Key), BackupStoreError> {
        s3::parse(url).ok_or_else(|| BackupStoreError::Form(url.to_owned()))
    }

    /// The full name of an object below the prefix.
    pub(crate) fn full_name(&self, name: &str) -> String {
        format!("s3://{}/{}", self.name, self.key.clone().join(name))
    }

    /// Uploads a file. The object appears only when it is complete.
    pub(crate) async fn keep(&self, from: &Path, name: &str) -> Result<String, BackupStoreError> {
        let io = |error| BackupStoreError::Io { place: from.display().to_string(), error };
        let mut file = File::open(from).map_err(io)?;
        let upload = self.store.put_multipart(&self.key.clone().join(name)).await?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART);
        let mut bytes = vec![0; 1 << 20];
        loop {
            let read = file.read(&mut bytes).map_err(io)?;
            match bytes.get(..read) {
                Some([]) | None => break,
                Some(bytes) => {
                    // One part is uploaded while the next one is read.
                    upload.wait_for_capacity(1).await?;
                    upload.write(bytes);
                }
            }
        }
        // Sends the last part, and aborts the upload if that fails.
        match tokio::time::timeout(END, upload.finish()).await {
            Ok(finished) => finished?,
            Err(_) => return Err(BackupStoreError::Silent(self.full_name(name))),
        };
        Ok(self.full_name(name))
    }

    /// Downloads the object to an unnamed file.
    pub(crate) async fn fetch(&self) -> Result<File, BackupStoreError> {
        let mut file = tempfile::tempfile().map_err(no_temporary)?;
        let object = self.store.head(&self.key).await?;
        // Downloads parts: each has a time limit, and the archive may be of any size.
        let mut start = 0;
        while start < object.size {
            let end = object.size.min(start + PART as u64);
            let options = GetOptions {
                range: Some((start..end).into()),
                if_match: object.e_tag.clone(),
                ..Default::default()
            };
            let bytes = self.store.get_opts(&self.key, options).await?.bytes().await?;
            file.write_all(&bytes).map_err(no_temporary)?;
            start = end;
        }
        Ok(file)
    }

    /// The names directly below the prefix.
    pub(crate) async fn names(&self) -> Result<Vec<String>, BackupStoreError> {
        let list = self.store.list_with_delimiter(Some(&self.key)).await?;
        let names = list.objects.iter().filter_map(|object| object.location.filename());
        Ok(names.map(str::to_owned).collect())
    }

    pub(crate) async fn remove(&self, name: &str) -> Result<(), BackupStoreError> {
        Ok(self.store.delete(&self.key.clone().join(name)).await?)
    }
}
