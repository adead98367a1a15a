//! The constraint names of the rules that the schema guards.

use exit3_ports::{Constraint, Guard, RULES, Rule};

/// Names by table, column and kind.
const NAMES: &[(&str, &str, Guard, &str)] = &[
    ("subscribers", "email", Guard::Unique, "subscribers_email_key"),
    ("api_keys", "prefix", Guard::Unique, "api_keys_prefix_key"),
    ("clients", "lead_id", Guard::Unique, "clients_lead_key"),
    ("clients", "lead_id", Guard::Reference, "clients_lead_exists"),
    ("staff", "username", Guard::Unique, "staff_username_key"),
];

/// The rule of a constraint, by the constraint's name.
pub(crate) fn told(name: &str) -> Option<Constraint> {
    let (table, column, guard, _) = NAMES.iter().find(|(.., known)| *known == name)?;
    let named = |rule: &&Rule| (rule.table, rule.column, rule.guard) == (*table, *column, *guard);
    RULES.iter().find(named)?.told
}

/// Whether a check on a table is one of ours, which limit a column's length or list its words. No
/// valid row breaks them.
pub(crate) fn is_own_check((table, name): (&str, &str)) -> bool {
    let rule = name.strip_prefix(table);
    rule.is_some_and(|rule| rule.ends_with("_length") || rule.ends_with("_choice"))
}

#[cfg(test)]
mod tests {
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
        let guard = |refers| if refers { Guard::Reference } else { Guard::Unique };
        let mut found: Vec<(String, String, Guard)> =
            rows.iter().map(|row| (row.get(0), row.get(1), guard(row.get(2)))).collect();
        let named = NAMES.iter().map(|it| (it.0.to_owned(), it.3.to_owned(), it.2));
        let mut named: Vec<(String, String, Guard)> = named.collect();
        let order = |rule: &(String, String, Guard)| format!("{rule:?}");
        found.sort_by_key(order);
        named.sort_by_key(order);
        assert_eq!(found, named);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_check_of_a_field_is_known_as_ours() {
        let database = postgres::shared().create_database().await;
        let settings = PgSettings::parse(database.url()).unwrap();
        connect(&settings, Handle::current()).migrate().await.unwrap();
        let query = "SELECT conrelid::regclass::text, conname::text FROM pg_constraint \
                     WHERE contype = 'c' AND conrelid IN ('leads'::regclass, 'subscribers'::regclass)";
        let rows = postgres::client(database.url()).await.query(query, &[]).await.unwrap();
        assert!(rows.len() > 5);
        for row in rows {
            let (table, name): (String, String) = (row.get(0), row.get(1));
            assert!(is_own_check((&table, &name)), "{name}");
        }
        assert!(!is_own_check(("leads", "leads_email_check")));
    }

    #[test]
    fn every_rule_has_a_constraint_name() {
        let named: Vec<_> = NAMES.iter().map(|it| (it.0, it.1, it.2)).collect();
        let rules: Vec<_> = RULES.iter().map(|it| (it.table, it.column, it.guard)).collect();
        assert_eq!(named, rules);
        for (rule, (.., name)) in RULES.iter().zip(NAMES) {
            assert_eq!(told(name), rule.told, "{name}");
        }
        assert_eq!(told("leads_pkey"), None);
    }
}
