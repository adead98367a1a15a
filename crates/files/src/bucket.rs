//! Stores contract files in a bucket of S3 or of a compatible service.

mod staging;

use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Seek};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use chrono::{DateTime, Utc};
use exit3_ports::{
    ContractContent, ContractError, ContractFound, ContractStaging, ContractStore, ContractSum,
    ContractUpload, is_staged_name,
};
use futures_util::TryStreamExt;
use object_store::path::Path as Key;
use object_store::{Error, ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use self::staging::BucketStaging;
use crate::upload::Summing;

/// Bytes in one part of an upload: the least that S3 allows.
const PART: usize = 5 << 20;
/// Bytes in one part of a download.
const PIECE: u64 = 256 << 10;
/// How many files are sent at the same time, because each holds a part in memory.
const AT_ONCE: usize = 2;
/// Staged objects of this age are left over from an interrupted command.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// A bucket of contract files, or a part of one.
#[derive(Debug, Clone)]
pub struct ContractBucket {
    store: Arc<dyn ObjectStore>,
    prefix: Key,
    /// The name for people.
    name: String,
    /// Sends the requests, because the methods of the port block.
    runtime: Handle,
    turns: Arc<Semaphore>,
    now: fn() -> DateTime<Utc>,
}

impl ContractBucket {
    /// Uses the objects below `prefix`. `name` is what people call it, such as
    /// `s3://bucket/prefix`. `runtime` must have threads of its own.
    pub fn new(
        store: Arc<dyn ObjectStore>,
        prefix: Key,
        name: String,
        runtime: Handle,
        now: fn() -> DateTime<Utc>,
    ) -> Self {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        Self { store, prefix, name, runtime, turns, now }
    }

    /// The key of a file; `None` if its name leads out of the prefix.
    pub(crate) fn key(&self, name: &str) -> Option<Key> {
        let is_name = |part: &str| !matches!(part, "" | "." | "..");
        let key = format!("{}/{name}", self.prefix);
        name.split('/').all(is_name).then(|| Key::parse(key).ok()).flatten()
    }

    /// The key of a file that a backup would include.
    fn kept(&self, name: &str) -> Option<Key> {
        self.key(name).filter(|_| !is_staged_name(name.as_ref()))
    }

    /// Waits for requests that another thread sends.
    pub(crate) fn wait<T, F>(&self, requests: F) -> io::Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let (tell, told) = mpsc::sync_channel(1);
        self.runtime.spawn(async move {
            // Nobody waits any more if the process ends.
            let _ = tell.send(requests.await);
        });
        told.recv().map_err(io::Error::other)?.map_err(told_error)
    }

    pub(crate) fn head(&self, key: &Key) -> io::Result<Option<ObjectMeta>> {
        let (store, key) = (Arc::clone(&self.store), key.clone());
        self.wait(async move {
            match store.head(&key).await {
                Err(Error::NotFound { .. }) => Ok(None),
                found => found.map(Some),
            }
        })
    }

    /// Sends a whole file. The object appears only when it is complete.
    pub(crate) fn send(&self, mut file: File, key: Key) -> io::Result<()> {
        file.rewind()?;
        let (store, turns) = (Arc::clone(&self.store), Arc::clone(&self.turns));
        self.wait(async move {
            let _turn = turns.acquire().await.map_err(other)?;
            let first = part(&mut file)?;
            if first.len() < PART {
                return store.put(&key, first.into()).await.map(drop);
            }
            let mut upload = store.put_multipart(&key).await?;
            let mut next = first;
            let sent = async {
                while !next.is_empty() {
                    upload.put_part(std::mem::take(&mut next).into()).await?;
                    next = part(&mut file)?;
                }
                upload.complete().await.map(drop)
            };
            let sent = sent.await;
            if sent.is_err() {
                // The bucket may be away, and its rules remove unfinished uploads.
                let _ = upload.abort().await;
            }
            sent
        })
    }

    pub(crate) fn copy(&self, from: Key, to: Key) -> io::Result<()> {
        let store = Arc::clone(&self.store);
        self.wait(async move { store.copy(&from, &to).await })
    }

    pub(crate) fn delete(&self, key: Key) -> io::Result<()> {
        let store = Arc::clone(&self.store);
        self.wait(async move {
            match store.delete(&key).await {
                Err(Error::NotFound { .. }) => Ok(()),
                deleted => deleted,
            }
        })
    }

    pub(crate) fn read(&self, object: ObjectMeta) -> Pieces {
        let (key, size) = (object.location, object.size);
        Pieces { bucket: self.clone(), key, size, at: 0, piece: io::Cursor::default() }
    }

    /// All objects, with their names.
    fn objects(&self) -> io::Result<Vec<(String, DateTime<Utc>)>> {
        let (store, prefix) = (Arc::clone(&self.store), self.prefix.clone());
        let all: Vec<ObjectMeta> =
            self.wait(async move { store.list(Some(&prefix)).try_collect().await })?;
        let named = all.into_iter().filter_map(|object| {
            let parts: Vec<_> = object.location.prefix_match(&self.prefix)?.collect();
            let names: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
            Some((names.join("/"), object.last_modified))
        });
        Ok(named.collect())
    }
}

impl ContractStore for ContractBucket {
    fn check(&self) -> Result<(), ContractError> {
        let (store, prefix) = (Arc::clone(&self.store), self.prefix.clone());
        let first = self.wait(async move { store.list(Some(&prefix)).try_next().await });
        first
            .map(drop)
            .map_err(|source| ContractError::Unreachable { place: self.name.clone(), source })
    }

    fn has(&self, name: &str) -> bool {
        self.kept(name).is_some_and(|key| matches!(self.head(&key), Ok(Some(_))))
    }

    fn list<'a>(&'a self) -> Box<dyn Iterator<Item = io::Result<ContractFound>> + 'a> {
        let objects = match self.objects() {
            Ok(objects) => objects,
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        let kept = objects.into_iter().filter(|(name, _)| !is_staged_name(name.as_ref()));
        Box::new(kept.map(|(name, at)| Ok(ContractFound::File { name, written: Some(at) })))
    }

    fn open(&self, name: &str) -> io::Result<Option<ContractContent>> {
        let Some(key) = self.kept(name) else { return Ok(None) };
        let object = self.head(&key)?;
        Ok(object.map(|object| ContractContent {
            size: object.size,
            bytes: Box::new(self.read(object)),
        }))
    }

    fn receive(&self) -> io::Result<Box<dyn ContractUpload>> {
        let file = Summing::new(tempfile::tempfile()?);
        Ok(Box::new(BucketUpload { bucket: self.clone(), file }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.kept(name).map_or(Ok(()), |key| self.delete(key))
    }

    fn sweep(&self) {
        // Objects that cannot be listed or removed are left; they are no reason to fail.
        for (name, at) in self.objects().unwrap_or_default() {
            let age = (self.now)().signed_duration_since(at).to_std().unwrap_or_default();
            if let Some(key) = self.key(&name).filter(|_| is_staged_name(name.as_ref()))
                && age > STALE
            {
                let _ = self.delete(key);
            }
        }
    }

    fn stage(&self, replace: bool) -> Box<dyn ContractStaging> {
        self.sweep();
        Box::new(BucketStaging::new(self.clone(), replace))
    }
}

/// A file that arrives on the disk, and is sent when it is complete.
struct BucketUpload {
    bucket: ContractBucket,
    file: Summing<File>,
}

impl ContractUpload for BucketUpload {
    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.add(bytes)
    }

    fn content<'a>(&'a mut self) -> io::Result<Box<dyn Read + 'a>> {
        self.file.out.rewind()?;
        Ok(Box::new(&mut self.file.out))
    }

    fn finish(self: Box<Self>, name: &str) -> io::Result<ContractSum> {
        let Some(key) = self.bucket.kept(name) else {
            return Err(io::ErrorKind::InvalidFilename.into());
        };
        let (file, sum) = self.file.sum();
        self.bucket.send(file, key)?;
        Ok(sum)
    }
}

/// Reads an object piece by piece.
pub(crate) struct Pieces {
    bucket: ContractBucket,
    key: Key,
    size: u64,
    /// Where the next piece begins.
    at: u64,
    piece: io::Cursor<Vec<u8>>,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.piece.read(buffer)?;
        if read > 0 || self.at == self.size || buffer.is_empty() {
            return Ok(read);
        }
        let range = self.at..self.size.min(self.at + PIECE);
        self.at = range.end;
        let (store, key) = (Arc::clone(&self.bucket.store), self.key.clone());
        let piece = self.bucket.wait(async move { store.get_range(&key, range).await })?;
        self.piece = io::Cursor::new(piece.into());
        self.piece.read(buffer)
    }
}

/// The next part of a file; empty at its end.
fn part(file: &mut File) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(PART);
    file.take(PART as u64).read_to_end(&mut bytes).map_err(other)?;
    Ok(bytes)
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Generic { store: "contracts", source: Box::new(error) }
}

fn told_error(error: Error) -> io::Error {
    match error {
        Error::NotFound { .. } => io::Error::new(io::ErrorKind::NotFound, error),
        error => io::Error::other(error),
    }
}
