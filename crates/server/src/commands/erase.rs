use clap::Args;
use exit3_app::erasure::{Found, IsErased};
use exit3_app::{contracts, erasure};
use exit3_domain::contact::{Contact, ContactKind};
use exit3_domain::email::is_valid;
use exit3_domain::events::{Actor, Author};
use exit3_ports::{Clock, Spool, StoreError};
use exit3_sqlite::SqliteSpool;
use secrecy::ExposeSecret;

use super::{Failure, prepare, runtime, say, unless_stopped};
use crate::backend::Backend;
use crate::clock::SystemClock;
use crate::erasures::{Erasures, digest};
use crate::settings::{Arguments, Secrets, Settings};
use crate::spool;

/// The person.
#[derive(Args)]
pub(super) struct Erase {
    #[command(flatten)]
    who: Who,
    /// Only tells what would be removed
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Who {
    /// The person's e-mail address, in any case
    #[arg(long)]
    email: Option<String>,
    /// The person's phone number, with the same digits as in the lead
    #[arg(long)]
    phone: Option<String>,
}

impl Who {
    fn contact(&self) -> Result<Contact, Failure> {
        let (contact, problem) = match (&self.email, &self.phone) {
            (Some(email), _) => {
                let contact = Contact::read(ContactKind::Email, email);
                (contact.filter(|_| is_valid(email.trim())), "--email is not one address")
            }
            (None, phone) => {
                let number = phone.as_deref().unwrap_or_default();
                (Contact::read(ContactKind::Phone, number), "--phone has fewer than six digits")
            }
        };
        contact.ok_or_else(|| problem.into())
    }
}

/// Removes a person.
pub(super) fn erase(
    settings: &Settings,
    arguments: &Arguments,
    what: &Erase,
) -> Result<(), Failure> {
    let contact = what.who.contact()?;
    let secrets = Secrets::check(settings, arguments)?;
    let backend = Backend::open(settings)?;
    runtime()?.block_on(unless_stopped(async {
        prepare::writable(&backend)?;
        prepare::schema(settings, &backend).await?;
        let transfer = backend.transfer();
        let is = |found: &Contact| *found == contact;
        let spool = spool_of_node(settings)?;
        if what.dry_run {
            let waiting = match &spool {
                Some(spool) => erasure::look_in_spool(spool, &is).await?.len(),
                None => 0,
            };
            let mut snapshot = transfer.snapshot().await?;
            let found = erasure::look(snapshot.as_mut(), &is).await?;
            say(format_args!("Would erase: {}", told(&counts(&found, waiting))));
            return Ok(());
        }
        // First, so that the service does not store them after the rest has been erased.
        let waiting = erase_waiting(spool.as_ref(), &is).await?;
        let mut snapshot = transfer.snapshot().await?;
        let before = erasure::look_ahead(snapshot.as_mut(), &is).await?;
        drop(snapshot);
        let now = SystemClock.now();
        let mut load = transfer.load().await?;
        let found = erasure::erase(load.as_mut(), &is, &before).await?;
        // Listed before the commit: if the command is killed in between, a restore erases all the
        // same.
        let store = settings.backup_store()?;
        let entry = Erasures::add(&store, &contact, now).await?;
        let mark = digest(secrets.secret_key.expose_secret().as_bytes(), &contact);
        let act = Author::from(Actor::command("erase")).at(now);
        let noted = erasure::note(load.as_mut(), &found, &mark, Some(&entry), &act).await;
        if let Err(error) = noted {
            store.remove(&entry).await?;
            return Err(error.into());
        }
        load.commit().await?;
        // The erasure itself locks the tables, so leads may have gone to the spool meanwhile.
        let late = erase_waiting(spool.as_ref(), &is).await;
        let waiting = waiting + late.as_ref().unwrap_or(&0);
        say(format_args!("Erased: {}", told(&counts(&found, waiting))));
        contracts::purge(&backend.patient_app()).await.map_err(|error| {
            format!(
                "the person was erased, but contract files that no client has could not be \
                 removed: {error}; run the command again"
            )
        })?;
        late.map_err(|error| {
            format!("the person was erased, but the spool failed: {error}; run the command again")
        })?;
        if let Some(own) = &settings.spool {
            let found = if spool.is_some() { "was searched too" } else { "does not exist" };
            say(format_args!("The spool in {} {found}.", own.directory.display()));
        }
        say(format_args!(
            "Backups from before now contain the person until they expire. `exit3 restore` erases \
             again what is listed beside them."
        ));
        Ok(())
    }))
}

fn spool_of_node(settings: &Settings) -> Result<Option<SqliteSpool>, Failure> {
    let Some(own) = &settings.spool else { return Ok(None) };
    let file = own.file();
    let exists = file.try_exists().map_err(|error| format!("{}: {error}", file.display()))?;
    exists.then(|| spool::open(own)).transpose()
}

/// The numbers of what was found in the database, and in the spool of this node.
fn counts(found: &Found, waiting: usize) -> Vec<(&'static str, usize)> {
    let mut counts = found.counts();
    counts.extend((waiting > 0).then_some(("spool", waiting)));
    counts
}

/// Removes what waits of a person. Returns how much that was.
async fn erase_waiting(spool: Option<&SqliteSpool>, is: IsErased<'_>) -> Result<usize, StoreError> {
    let Some(spool) = spool else { return Ok(0) };
    let found = erasure::look_in_spool(spool, is).await?;
    spool.remove(&found).await?;
    Ok(found.len())
}

/// Numbers of rows, by table.
pub(super) fn told(counts: &[(&str, usize)]) -> String {
    if counts.is_empty() {
        return "nothing".to_owned();
    }
    let count = |(table, count): &(&str, usize)| match *table {
        "events" => format!("values in {count} events"),
        "lead_notes" => format!("{count} notes"),
        "spool" => format!("{count} entries of the spool"),
        table => format!("{count} {table}"),
    };
    counts.iter().map(count).collect::<Vec<_>>().join(", ")
}
