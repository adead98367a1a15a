//! The rights that a role needs.

use std::time::Duration;

use exit3_domain::jobs::Schedule;
use exit3_domain::paging::PageRequest;
use exit3_ports::jobs::Capacity;
use exit3_ports::{Rows, SchemaState, TABLES, Target, Transfer};
use exit3_testkit::builders;
use exit3_testkit::contract::jobs::job;
use exit3_testkit::modules::GUESTS;
use exit3_testkit::postgres::{self, TestDatabase};
use tokio_postgres::Client;

use crate::{open, shared};

/// The rights that docs/OPERATIONS.md grants to a role that serves but does not migrate.
pub(crate) const SERVING: &str = include_str!("../../../../deploy/postgres/serving.sql");

/// A role without rights in this database, dropped with it.
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) admin: Client,
}

impl Role {
    pub(crate) async fn new(database: &TestDatabase) -> Self {
        let admin = postgres::client(database.url()).await;
        let name = name_of(database.url());
        let name = format!("role_{name}");
        let create = format!("DROP ROLE IF EXISTS {name}; CREATE ROLE {name} LOGIN PASSWORD 'x'");
        admin.batch_execute(&create).await.unwrap();
        Self { name, admin }
    }

    pub(crate) fn url(&self, database: &TestDatabase) -> String {
        let (_, server) = database.url().rsplit_once('@').unwrap();
        format!("postgres://{}:x@{server}", self.name)
    }
}

fn name_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap().split('?').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_rights_to_migrate_are_named() {
    let database = postgres::shared().create_database().await;
    let role = Role::new(&database).await;
    role.admin.batch_execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC").await.unwrap();
    let node = open(&role.url(&database));
    let refused = node.migrate().await.unwrap_err().to_string();
    assert!(refused.contains(&format!("the role {} lacks rights", role.name)), "{refused}");
    // The statements in the message are sufficient.
    let (_, grants) = refused.split_once(" run ").unwrap();
    role.admin.batch_execute(&grants.replace(" and ", ";")).await.unwrap();
    assert!(node.migrate().await.unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_schema_is_reported() {
    let database = postgres::shared().create_database().await;
    let role = Role::new(&database).await;
    role.admin.batch_execute("REVOKE ALL ON SCHEMA public FROM PUBLIC").await.unwrap();
    let node = open(&role.url(&database));
    let refused = node.migrate().await.unwrap_err().to_string();
    assert!(refused.contains("USAGE, CREATE ON SCHEMA public"), "{refused}");
    let (_, grants) = refused.split_once(" run ").unwrap();
    role.admin.batch_execute(&grants.replace(" and ", ";")).await.unwrap();
    assert!(node.migrate().await.unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_ownership_of_the_tables_is_reported() {
    let (owner, database) = shared().await;
    owner.migrate_to(Target::Version(7), Rows::Keep).await.unwrap();
    let role = Role::new(&database).await;
    let all = format!(
        "GRANT ALL ON SCHEMA public TO {0}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {0}; \
         GRANT CREATE ON DATABASE {1} TO {0}",
        role.name,
        name_of(database.url())
    );
    role.admin.batch_execute(&all).await.unwrap();
    let refused = open(&role.url(&database)).migrate().await.unwrap_err().to_string();
    assert!(refused.contains("must be owner of"), "{refused}");
    assert!(refused.contains("as the role that owns the tables"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_rights_are_not_reported_as_an_unavailable_database() {
    let (_, database) = shared().await;
    let role = Role::new(&database).await;
    let refused = open(&role.url(&database)).schema_state().await.unwrap_err().to_string();
    assert!(refused.contains("permission denied for table"), "{refused}");
    assert!(!refused.contains("not available"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_serves_without_rights_on_the_records_of_modules_is_told_how_to_get_them() {
    let (owner, database) = shared().await;
    let role = Role::new(&database).await;
    role.admin.batch_execute(&SERVING.replace("exit3_serving", &role.name)).await.unwrap();
    owner.migrate_module(GUESTS, Target::Newest, Rows::Keep).await.unwrap();
    let revoke = format!("REVOKE ALL ON __exit3_modules FROM {}", role.name);
    role.admin.batch_execute(&revoke).await.unwrap();
    let node = open(&role.url(&database));
    let refused = node.module_state(GUESTS).await.unwrap_err().to_string();
    let told = "may not see which migrations are applied (permission denied for table \
                __exit3_modules): let the role that owns the tables run \
                deploy/postgres/serving.sql again";
    assert!(refused.contains(told) && !refused.contains("GRANT"), "{refused}");
    role.admin.batch_execute(&SERVING.replace("exit3_serving", &role.name)).await.unwrap();
    assert_eq!(node.module_state(GUESTS).await.unwrap(), SchemaState::Current);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_rights_include_those_on_tables_of_later_migrations() {
    let (owner, database) = shared().await;
    let role = Role::new(&database).await;
    role.admin.batch_execute(&SERVING.replace("exit3_serving", &role.name)).await.unwrap();
    owner.migrate_module(GUESTS, Target::Newest, Rows::Keep).await.unwrap();
    let node = open(&role.url(&database));
    assert_eq!(node.module_state(GUESTS).await.unwrap(), SchemaState::Current);
    let client = postgres::client(&role.url(&database)).await;
    let work = "INSERT INTO guests (lead_id, name, email) VALUES (1, 'Iva', 'iva@acme.hr');
                UPDATE guests SET name = 'Eva';
                DELETE FROM guests;
                SELECT last_value FROM guests_id_seq";
    client.batch_execute(work).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_rights_are_enough_to_serve() {
    let (_, database) = shared().await;
    let role = Role::new(&database).await;
    role.admin.batch_execute(&SERVING.replace("exit3_serving", &role.name)).await.unwrap();
    let node = open(&role.url(&database));
    assert_eq!(node.migrate().await.unwrap(), 0, "nothing to migrate needs no rights");
    let lead = node
        .repositories()
        .leads
        .create(&builders::lead().build(), &builders::act(builders::at(5)))
        .await
        .unwrap();
    node.repositories().leads.delete(&lead, &builders::some_act()).await.unwrap();
    let subscriber = builders::subscriber("ana@acme.hr");
    node.repositories().subscribers.create(&subscriber, &builders::some_act()).await.unwrap();
    node.repositories().staff.list(PageRequest::first()).await.unwrap();
    let mut snapshot = node.transfer().snapshot().await.unwrap();
    for table in TABLES {
        snapshot.last_id(table).await.unwrap();
        snapshot.count(table).await.unwrap();
    }
    snapshot.schema().await.unwrap();
    node.repositories().backups.note_backup(builders::at(5)).await.unwrap();
    let queue = node.repositories().jobs;
    queue.enqueue(&[job("mail")]).await.unwrap();
    let often = Schedule::every("often", Duration::from_millis(1));
    for _ in 0..2 {
        queue.enqueue_occurrence(&often, &job("mail")).await.unwrap();
        tokio::time::sleep(often.every * 2).await;
    }
    let wanted = Capacity { kind: "mail".to_owned(), free: 1, attempts: 5 };
    let claimed = queue.claim(&[wanted], Duration::from_secs(60)).await.unwrap().jobs;
    queue.complete(claimed[0].claim).await.unwrap();
    assert_eq!(queue.depths().await.unwrap()[0].counts.len(), 1);
}
