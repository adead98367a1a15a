//! Receives a contract.

use exit3_domain::clients::{Client, ClientId};
use exit3_domain::contracts::{
    ContentCheck, ContractName, ContractRefused, NewContract, Received, path_of,
};
use exit3_domain::versions::Expected;
use exit3_ports::{ContractUpload, StoreError, TRACE};
use tokio::time::timeout;

use super::{ContractError, SCAN_PATIENCE, SCANS, blocking, find, give, in_turn};
use crate::App;
use crate::access::Doer;

/// How many bytes are written at a time.
const PIECE: usize = 32 << 10;

/// Starts to receive a contract for a client. `name` is what the sender calls the file.
///
/// # Errors
/// [`ContractError`].
#[tracing::instrument(target = TRACE, name = "contracts.receive", skip_all)]
pub async fn receive(
    app: &App,
    id: ClientId,
    name: &str,
    doer: &Doer,
) -> Result<Receiving, ContractError> {
    let client = find(app, id, doer).await?;
    let name = ContractName::parse(name)?;
    let kind = name.kind().ok_or(ContractRefused::Kind)?;
    let store = app.contracts.store.clone();
    let upload = blocking(move || store.receive()).await?;
    let check = ContentCheck::new(kind);
    Ok(Receiving { client, name, check, upload: Some(upload), piece: Vec::with_capacity(PIECE) })
}

/// A contract that arrives in pieces. Dropping it leaves nothing behind.
pub struct Receiving {
    client: Client,
    name: ContractName,
    check: ContentCheck,
    /// `None` after an error.
    upload: Option<Box<dyn ContractUpload>>,
    /// What has arrived and is not written yet.
    piece: Vec<u8>,
}

impl Receiving {
    /// Appends bytes.
    ///
    /// # Errors
    /// [`ContractError::Refused`] as soon as that shows; [`ContractError::Files`].
    pub async fn add(&mut self, mut bytes: &[u8]) -> Result<(), ContractError> {
        self.check.add(bytes)?;
        while !bytes.is_empty() {
            let (fits, rest) = bytes.split_at(bytes.len().min(PIECE - self.piece.len()));
            self.piece.extend_from_slice(fits);
            bytes = rest;
            if self.piece.len() == PIECE {
                self.write().await?;
            }
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<(), ContractError> {
        let mut piece = std::mem::take(&mut self.piece);
        let mut upload = self.upload.take().ok_or(ContractError::Files)?;
        let written = blocking(move || {
            upload.add(&piece)?;
            piece.clear();
            Ok((upload, piece))
        });
        let (upload, piece) = written.await?;
        (self.upload, self.piece) = (Some(upload), piece);
        Ok(())
    }

    /// Ends the file, lets the scanner look at it, stores it, and gives it to the client. The client
    /// must be the version that the caller expects.
    ///
    /// # Errors
    /// [`ContractError`]. The file is not kept then, unless the database is unavailable.
    #[tracing::instrument(target = TRACE, name = "contracts.received", skip_all)]
    pub async fn finish(
        mut self,
        app: &App,
        expected: &Expected,
        doer: &Doer,
    ) -> Result<Client, ContractError> {
        self.write().await?;
        self.check.finish()?;
        let mut upload = self.upload.ok_or(ContractError::Files)?;
        if let Some(scanner) = app.contracts.scanner.clone() {
            let scan = move || {
                let found = scanner.scan(&mut *upload.content()?);
                Ok((found, upload))
            };
            let turn = timeout(SCAN_PATIENCE, SCANS.acquire()).await;
            let turn = turn.ok().and_then(Result::ok).ok_or(ContractError::NotScanned)?;
            let (found, scanned) = in_turn(turn, scan).await?;
            let virus = found.map_err(|error| {
                tracing::error!(%error, "the virus scanner does not answer");
                ContractError::NotScanned
            })?;
            if let Some(virus) = virus {
                tracing::warn!(client = self.client.id.0, virus, "a contract was refused");
                return Err(ContractRefused::Infected.into());
            }
            upload = scanned;
        }
        // The body took its time, in which the client may have come to somebody else.
        let seen = find(app, self.client.id, doer).await?;
        let file = path_of(app.entrance.random());
        let path = file.clone();
        let sum = blocking(move || upload.finish(&path)).await?;
        let at = app.clock.now();
        let by = doer.author.actor.clone();
        let received = Received { size: sum.size, sha256: sum.sha256, at, by };
        let client = self.client.id;
        let new = NewContract { file: file.clone(), client, name: self.name, received };
        let files = &app.repositories()?.contract_files;
        let given = match files.receive(&new).await {
            Ok(()) => give(app, seen, Some(&file), expected, doer).await,
            Err(error) => Err(error.into()),
        };
        // If the answer of the database was lost, the client may still get the file. `sweep` removes it
        // later, unless the client has it by then, and also if something fails here.
        let is_certain = !matches!(given, Err(ContractError::Store(StoreError::Unavailable(_))));
        if given.is_err()
            && is_certain
            && let Ok(true) = files.discard(&file).await
        {
            let store = app.contracts.store.clone();
            let _ = blocking(move || store.remove(&file)).await;
        }
        given
    }
}
