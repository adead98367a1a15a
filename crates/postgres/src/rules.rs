//! The rules that the schema guards, by the names of its constraints.

use exit3_ports::leads::ID_TAKEN;
use exit3_ports::{Constraint, rules};

/// The rule of a constraint, by the constraint's name: `<table>_<column>_key` if values are unique,
/// `<table>_<column>_exists` if the row that the column refers to must exist. The name leaves out
/// the `_id` at the end of a column. Of primary keys, only that of leads can be in the way.
pub(crate) fn told(name: &str) -> Option<Constraint> {
    if name == "leads_pkey" {
        return Some(ID_TAKEN);
    }
    rules().find(|rule| is_named(name, *rule))
}

fn is_named(name: &str, rule: Constraint) -> bool {
    let (table, column, ending) = match rule {
        Constraint::Taken { table, column } => (table, column, "key"),
        Constraint::Missing { table, column } => (table, column, "exists"),
        Constraint::Stale | Constraint::LastOwner | Constraint::OwnerExists => return false,
    };
    let column = column.strip_suffix("_id").unwrap_or(column);
    let mut rest = Some(name);
    for (part, between) in [(table, "_"), (column, "_"), (ending, "")] {
        rest = rest.and_then(|rest| rest.strip_prefix(part)?.strip_prefix(between));
    }
    rest == Some("")
}

/// Whether a check on a table is one of ours, which limit a column's length or its amount, or list
/// its words. No valid row breaks them.
pub(crate) fn is_own_check((table, name): (&str, &str)) -> bool {
    let rule = name.strip_prefix(table);
    rule.is_some_and(|rule| ["_length", "_range", "_choice"].iter().any(|end| rule.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use exit3_ports::clients::{LEAD_MISSING, LEAD_TAKEN};
    use exit3_ports::{STAYING, TABLES};
    use exit3_testkit::postgres;
    use tokio::runtime::Handle;

    use super::*;
    use crate::{PgSettings, connect};

    /// Queries unique indexes, including those over expressions, and references.
    const SCHEMA: &str = "
        SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text, false
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        WHERE i.indisunique AND NOT i.indisprimary AND c.relnamespace = current_schema::regnamespace
        UNION ALL
        SELECT conrelid::regclass::text, conname::text, true FROM pg_constraint
        WHERE contype = 'f' AND connamespace = current_schema::regnamespace";

    #[tokio::test(flavor = "multi_thread")]
    async fn every_constraint_of_the_schema_has_a_rule() {
        let database = postgres::shared().create_database().await;
        let settings = PgSettings::parse(database.url()).unwrap();
        connect(&settings, Handle::current()).migrate().await.unwrap();
        let rows = postgres::client(database.url()).await.query(SCHEMA, &[]).await.unwrap();
        let mut found: Vec<Constraint> = Vec::new();
        for row in &rows {
            let (table, name, refers): (String, String, bool) =
                (row.get(0), row.get(1), row.get(2));
            let rule = told(&name).unwrap_or_else(|| panic!("no rule is named like {name}"));
            let as_declared = match rule {
                Constraint::Taken { table: of, .. } => (of, false),
                Constraint::Missing { table: of, .. } => (of, true),
                _ => panic!("{name}"),
            };
            assert_eq!((table.as_str(), refers), as_declared, "{name}");
            found.push(rule);
        }
        let missing: Vec<Constraint> = rules().filter(|rule| !found.contains(rule)).collect();
        assert_eq!(missing, [], "the schema has no constraint of these names");
        assert_eq!(found.len(), rules().count());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_check_of_a_field_is_known_as_ours() {
        let database = postgres::shared().create_database().await;
        let settings = PgSettings::parse(database.url()).unwrap();
        connect(&settings, Handle::current()).migrate().await.unwrap();
        let query = "SELECT conrelid::regclass::text, conname::text FROM pg_constraint \
                     WHERE contype = 'c' AND conrelid::regclass::text = ANY ($1)";
        let tables = TABLES.iter().chain(STAYING);
        let written = tables.filter(|table| table.rights.contains("INSERT"));
        let written: Vec<&str> = written.map(|table| table.name).collect();
        let client = postgres::client(database.url()).await;
        let rows = client.query(query, &[&written]).await.unwrap();
        assert!(rows.len() > 5);
        // The use case of keys refuses what would break these two, which are no rules of one field.
        let others = ["api_keys_scopes_some", "api_keys_expires_later"];
        for row in rows {
            let (table, name): (String, String) = (row.get(0), row.get(1));
            if others.contains(&name.as_str()) {
                continue;
            }
            assert!(
                is_own_check((&table, &name)),
                "{name} should be named {table}_<column>_length, _range or _choice"
            );
        }
        assert!(!is_own_check(("leads", "leads_email_check")));
    }

    #[test]
    fn a_constraint_is_known_by_its_whole_name() {
        assert_eq!(told("clients_lead_key"), Some(LEAD_TAKEN));
        assert_eq!(told("clients_lead_exists"), Some(LEAD_MISSING));
        for other in
            ["clients_lead_id_key", "clients_lead_key1", "clients_lead", "clients_pkey", ""]
        {
            assert_eq!(told(other), None, "{other}");
        }
    }
}
