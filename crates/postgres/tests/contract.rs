//! Runs the contract suite of the ports.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod common;

use exit3_postgres::{PgSettings, connect};
use exit3_testkit::contract::Harness;
use exit3_testkit::postgres;
use tokio::runtime::Handle;

async fn harness() -> Harness {
    record_statements();
    let database = postgres::shared().create_migrated(migrate).await;
    // So few that searches come to the trigram index.
    let mut settings = PgSettings::parse(database.url()).unwrap();
    settings.ahead = 20;
    let connected = connect(&settings, Handle::current());
    let url = database.url().to_owned();
    Harness {
        guard: Box::new(database),
        refuse_events: Box::new(move |refused| Box::pin(refuse_events(url.clone(), refused))),
        ..common::harness_over(&connected)
    }
}

async fn refuse_events(url: String, refused: bool) {
    let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql \
                  AS $$ BEGIN RAISE EXCEPTION 'no event is taken'; END $$; \
                  CREATE TRIGGER refuse BEFORE INSERT ON events \
                  FOR EACH ROW EXECUTE FUNCTION refuse()";
    let take = "DROP FUNCTION refuse() CASCADE";
    let admin = postgres::client(&url).await;
    admin.batch_execute(if refused { refuse } else { take }).await.unwrap();
}

async fn migrate(url: String) {
    let settings = PgSettings::parse(&url).unwrap();
    connect(&settings, Handle::current()).migrate().await.unwrap();
}

/// For `scripts/freeze-statements`: records the adapter's statements in the file named by the
/// variable.
fn record_statements() {
    let Some(path) = std::env::var_os("RECORD_STATEMENTS") else { return };
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_env_filter("exit3_postgres::statements=trace")
            .with_writer(std::sync::Mutex::new(std::fs::File::create(path).unwrap()))
            .without_time()
            .with_level(false)
            .with_target(false)
            .with_ansi(false)
            .init();
    });
}

exit3_testkit::repository_contract!(harness().await);
