//! Sends a contract.

use std::io::Read;

use exit3_domain::clients::ClientId;
use exit3_domain::contracts::Contract;
use exit3_ports::TRACE;

use super::{ContractError, blocking, file_of, find, of};
use crate::App;
use crate::access::Doer;

/// How many bytes are read at a time.
const PIECE: u64 = 32 << 10;

/// Opens the contract of a client, in order to send it. With `is_sent`, stores the event that it was
/// sent.
///
/// # Errors
/// [`ContractError`].
#[tracing::instrument(target = TRACE, name = "contracts.send", skip_all)]
pub async fn send(
    app: &App,
    id: ClientId,
    is_sent: bool,
    doer: &Doer,
) -> Result<Sending, ContractError> {
    let client = find(app, id, doer).await?;
    let contract = of(app, &client).await?.ok_or(ContractError::NotFound)?;
    let (store, file) = (app.contracts.store.clone(), contract.file.clone());
    let Some(content) = blocking(move || store.open(&file)).await? else {
        let file = file_of(&client);
        tracing::error!(client = id.0, file, "the contract file of a client is missing");
        return Err(ContractError::NotFound);
    };
    if is_sent {
        let act = doer.author.at(app.clock.now());
        app.repositories()?.contract_files.note_download(id, &contract, &act).await?;
    }
    Ok(Sending { contract, size: content.size, bytes: Some(content.bytes) })
}

/// A contract that is sent in pieces.
pub struct Sending {
    /// What is known of it.
    pub contract: Contract,
    /// The number of bytes.
    pub size: u64,
    /// `None` after an error.
    bytes: Option<Box<dyn Read + Send>>,
}

impl Sending {
    /// The next piece; empty at the end.
    ///
    /// # Errors
    /// [`ContractError::Files`].
    pub async fn next(&mut self) -> Result<Vec<u8>, ContractError> {
        let mut bytes = self.bytes.take().ok_or(ContractError::Files)?;
        let read = blocking(move || {
            let mut piece = Vec::new();
            bytes.by_ref().take(PIECE).read_to_end(&mut piece)?;
            Ok((piece, bytes))
        });
        let (piece, bytes) = read.await?;
        self.bytes = Some(bytes);
        Ok(piece)
    }
}
