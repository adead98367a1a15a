//! Finds the rights that a role lacks for migrations.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error};

/// Asks which of the necessary rights the role has.
const ASK: &str = "\
SELECT quote_ident(current_user), quote_ident(current_database()),
       quote_ident(current_schema()),
       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
       has_database_privilege(current_database(), 'CREATE')
           OR EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm')";

/// One sentence about missing rights, if they caused the error.
pub(super) async fn sentence(client: &Client, error: &Error) -> Option<String> {
    let answer = error.as_db_error()?;
    let codes = [&SqlState::INSUFFICIENT_PRIVILEGE, &SqlState::INVALID_SCHEMA_NAME];
    if !codes.contains(&answer.code()) {
        return None;
    }
    let message = answer.message();
    let Ok(row) = client.query_typed_one(ASK, &[]).await else {
        return Some(format!("the role of the database may not do this: {message}"));
    };
    let role: String = row.try_get(0).ok()?;
    let database: String = row.try_get(1).ok()?;
    let schema: Option<String> = row.try_get(2).ok()?;
    let (in_schema, in_database): (bool, bool) = (row.try_get(3).ok()?, row.try_get(4).ok()?);
    let mut grants = Vec::new();
    if !in_database {
        grants.push(format!("GRANT CREATE ON DATABASE {database} TO {role}"));
    }
    if !in_schema {
        let schema = schema.as_deref().unwrap_or("public");
        grants.push(format!("GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}"));
    }
    let remedy = if grants.is_empty() {
        "run `exit3 migrate` as the role that owns the tables".to_owned()
    } else {
        format!("let the owner of the database run {}", grants.join(" and "))
    };
    Some(format!("the role {role} lacks rights to migrate the database ({message}): {remedy}"))
}

/// One sentence about missing rights to see which migrations are applied, if they caused the error.
/// A role that only serves lacks them if the table of records was made after its rights were granted.
pub(super) async fn to_read(client: &Client, error: &Error) -> Option<String> {
    let answer = error.as_db_error()?;
    if *answer.code() != SqlState::INSUFFICIENT_PRIVILEGE {
        return None;
    }
    let message = answer.message();
    let row = client.query_typed_one("SELECT quote_ident(current_user)", &[]).await.ok()?;
    let role: String = row.try_get(0).ok()?;
    Some(format!(
        "the role {role} may not see which migrations are applied ({message}): let the role that \
         owns the tables run deploy/postgres/serving.sql again"
    ))
}
