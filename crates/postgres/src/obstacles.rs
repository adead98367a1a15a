//! Queries of the catalogue for what the service, or a copy, needs.

use exit3_ports::{Column, Kind, STAYING, Shape, TABLES, Table, events};

/// Starts a query of what is needed but lacking: tables, columns, rights, and access to all rows.
/// Four arrays follow, those of [`Needs`], and then [`LACKS`].
pub(crate) const NEEDED: &str = "\
WITH needed AS (
    SELECT name, string_to_array(rights, ', ') AS rights, columns, whole FROM unnest(";

/// Continues [`NEEDED`]. Tables in a schema that the role may not use are invisible. A view in
/// place of a table may hide rows.
pub(crate) const LACKS: &str = ") AS needed (name, rights, columns, whole)
), named AS (
    SELECT needed.*, pg_class.oid AS relation, relkind IN ('r', 'p') AS is_table, (
        SELECT min(quote_ident(nspname)) FROM pg_class
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relname = name AND relkind IN ('r', 'p')
          AND NOT has_schema_privilege(pg_namespace.oid, 'USAGE')
    ) AS hidden_by
    FROM needed LEFT JOIN pg_class ON pg_class.oid = to_regclass(name)
), found AS (
    SELECT name, rights, columns, whole, relation FROM named WHERE is_table
), of_columns AS (
    SELECT name, whole, relation, split_part(wanted, ' ', 1) AS \"column\",
           split_part(wanted, ' ', 2) AS wanted
    FROM found, unnest(string_to_array(columns, ', ')) AS wanted
)
SELECT true, CASE WHEN NOT is_table
    THEN 'there is a view or another object in place of the table ' || name
    WHEN hidden_by IS NULL THEN 'the table ' || name || ' is missing'
    ELSE 'the role ' || quote_ident(current_user) || ' lacks USAGE on the schema ' || hidden_by END
FROM named WHERE is_table IS NOT TRUE
UNION
SELECT true, 'the role ' || quote_ident(current_user) || ' lacks '
    || string_agg(needed_right, ', ' ORDER BY at) || ' on the table ' || name
FROM found, unnest(rights) WITH ORDINALITY AS of_table (needed_right, at)
WHERE NOT has_table_privilege(relation, needed_right)
  AND (whole OR needed_right = 'DELETE' OR NOT has_any_column_privilege(relation, needed_right))
GROUP BY name
UNION
SELECT true, 'the role ' || quote_ident(current_user) || ' lacks SELECT on the column ' || \"column\"
    || ' of the table ' || name
FROM of_columns
JOIN pg_attribute ON attrelid = relation AND attname = \"column\" AND NOT attisdropped
WHERE NOT whole AND NOT has_column_privilege(relation, attnum, 'SELECT')
  AND has_any_column_privilege(relation, 'SELECT')
UNION
SELECT true, 'the table ' || name || CASE WHEN typname IS NULL
    THEN ' lacks the column ' || \"column\"
    ELSE ' has the column ' || \"column\" || ' of the type ' || typname || ', not ' || wanted END
FROM of_columns
LEFT JOIN pg_attribute ON attrelid = relation AND attname = \"column\" AND NOT attisdropped
LEFT JOIN pg_type ON pg_type.oid = atttypid
WHERE wanted <> '' AND typname IS DISTINCT FROM wanted
  AND (wanted <> 'text' OR typname IS DISTINCT FROM 'varchar')
UNION
SELECT true, 'row-level security of the table ' || name || ' may hide rows from the role '
    || quote_ident(current_user)
FROM found WHERE row_security_active(relation)";

/// Continues [`LACKS`] with what makes writes fail: a database that can only be read, and ids that
/// have run out, as far as the role may see that.
pub(crate) const WRITES_FAIL: &str = "
UNION
SELECT false, CASE WHEN pg_is_in_recovery()
    THEN 'the server is a standby, which can only be read'
    ELSE 'transactions can only read: default_transaction_read_only is on' END
WHERE current_setting('transaction_read_only')::boolean
UNION
SELECT false, 'the sequence ' || seqrelid::regclass || ' has no more ids for the table ' || name
FROM found
JOIN pg_depend ON refclassid = 'pg_class'::regclass AND refobjid = relation
    AND classid = 'pg_class'::regclass AND deptype IN ('a', 'i')
JOIN pg_sequence ON seqrelid = objid
WHERE 'INSERT' = ANY (rights) AND NOT seqcycle AND seqincrement > 0
  AND CASE WHEN has_sequence_privilege(seqrelid, 'SELECT')
      THEN pg_sequence_last_value(seqrelid) > seqmax - seqincrement END
ORDER BY 1 DESC, 2";

/// Whether the table of migrations is in a schema that the role may not use.
pub(crate) const HIDDEN: &str = "\
SELECT EXISTS (
    SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relname = '__diesel_schema_migrations' AND relkind IN ('r', 'p')
      AND NOT has_schema_privilege(pg_namespace.oid, 'USAGE')
)";

/// The rights and columns that are needed, by table.
#[derive(Default)]
pub(crate) struct Needs {
    pub(crate) names: Vec<Option<String>>,
    pub(crate) rights: Vec<Option<String>>,
    /// Names and types; a column without a type may have any.
    pub(crate) columns: Vec<Option<String>>,
    /// Whether rights on all columns are not enough, as for a table that is locked.
    pub(crate) whole: Vec<bool>,
}

impl Needs {
    /// What requests need. They do not use all tables, but backups do.
    pub(crate) fn of_service() -> Self {
        let mut needs = Self::default();
        for table in TABLES.iter().chain(STAYING) {
            let mut columns = list(table.columns.iter());
            if !table.searched_by.is_empty() {
                columns.push_str(", search_document text");
            }
            if *table == events::TABLE {
                columns.push_str(", transaction_id int8");
            }
            needs.add(table.name, table.rights, columns, false);
        }
        let counts = "SELECT, INSERT, UPDATE";
        let of_leads = "status text, source text, category text, slot int2, n int8";
        needs.add("lead_counts", counts, of_leads.to_owned(), false);
        let of_subscribers = "is_subscribed bool, slot int2, n int8";
        needs.add("subscriber_counts", counts, of_subscribers.to_owned(), false);
        let times = "backed_up_at timestamptz, verified_at timestamptz, verification_ok bool";
        needs.add("backup_status", "SELECT", times.to_owned(), false);
        needs.migrations();
        needs
    }

    /// What a copy of these tables needs, which locks them.
    pub(crate) fn of_copy<'a>(shapes: impl IntoIterator<Item = &'a Shape>, rights: &str) -> Self {
        let mut needs = Self::default();
        for shape in shapes {
            let columns = list(shape.columns.iter().copied());
            needs.add(shape.table.name, rights, columns, true);
        }
        needs.migrations();
        needs
    }

    /// Adds a table.
    pub(crate) fn add(&mut self, name: &str, rights: &str, columns: String, whole: bool) {
        self.names.push(Some(name.to_owned()));
        self.rights.push(Some(rights.to_owned()));
        self.columns.push(Some(columns));
        self.whole.push(whole);
    }

    fn migrations(&mut self) {
        let version = "version text".to_owned();
        self.add("__diesel_schema_migrations", "SELECT", version, false);
    }
}

/// All tables, as this program knows them.
pub(crate) fn all_tables() -> Vec<Shape> {
    let shape = |table: &'static Table| Shape::of(table, |_| true);
    TABLES.iter().filter_map(shape).collect()
}

fn list<'a>(columns: impl Iterator<Item = &'a Column>) -> String {
    let one = |column: &Column| {
        let kind = match column.kind {
            Kind::Integer => "int8",
            Kind::Boolean => "bool",
            Kind::Text => "text",
            Kind::Time => "timestamptz",
            Kind::Bytes => "bytea",
        };
        format!("{} {kind}", column.name)
    };
    columns.map(one).collect::<Vec<_>>().join(", ")
}
