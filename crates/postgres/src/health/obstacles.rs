//! Queries of the catalogue for what the service needs.

use std::sync::LazyLock;

use exit3_ports::{Kind, TABLES, Table};

/// Finds what the service needs but the database lacks: tables, columns, rights, access to all
/// rows, and whether it can be written at all. Tables in a schema that the role may not use are
/// invisible.
pub(super) static OBSTACLES: LazyLock<String> = LazyLock::new(|| {
    // The columns of tables stand for themselves as `{leads}`.
    TABLES.iter().fold(QUESTION.to_owned(), |question, table| {
        question.replace(&format!("{{{}}}", table.name), &columns(table))
    })
});

/// The columns of a table and their types: `id int8, full_name text`.
fn columns(table: &Table) -> String {
    let columns = table.columns.iter().map(|column| {
        let kind = match column.kind {
            Kind::Integer => "int8",
            Kind::Boolean => "bool",
            Kind::Text => "text",
            Kind::Time => "timestamptz",
            Kind::Bytes => "bytea",
        };
        format!("{} {kind}", column.name)
    });
    let document = (!table.searched_by.is_empty()).then(|| "search_document text".to_owned());
    columns.chain(document).collect::<Vec<_>>().join(", ")
}

const QUESTION: &str = "\
WITH needed (name, rights, columns) AS (VALUES
    ('__diesel_schema_migrations', ARRAY['SELECT'], 'version text'),
    ('leads', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
        '{leads}'),
    ('lead_counts', ARRAY['SELECT', 'INSERT', 'UPDATE'],
        'status text, source text, category text, slot int2, n int8'),
    ('subscribers', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
        '{subscribers}'),
    ('subscriber_counts', ARRAY['SELECT', 'INSERT', 'UPDATE'],
        'is_subscribed bool, slot int2, n int8'),
    ('api_keys', ARRAY['SELECT', 'UPDATE'],
        '{api_keys}'),
    ('backup_status', ARRAY['SELECT'],
        'backed_up_at timestamptz, verified_at timestamptz, verification_ok bool')
), found AS (
    SELECT name, rights, columns, to_regclass(name)::oid AS relation, (
        SELECT min(quote_ident(nspname)) FROM pg_class
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relname = name AND relkind IN ('r', 'p')
          AND NOT has_schema_privilege(pg_namespace.oid, 'USAGE')
    ) AS hidden_by
    FROM needed
), of_columns AS (
    SELECT name, relation, split_part(wanted, ' ', 1) AS \"column\",
           split_part(wanted, ' ', 2) AS wanted
    FROM found, unnest(string_to_array(columns, ', ')) AS wanted
    WHERE relation IS NOT NULL
)
SELECT true, CASE WHEN hidden_by IS NULL
    THEN 'the table ' || name || ' is missing'
    ELSE 'the role ' || quote_ident(current_user) || ' lacks USAGE on the schema ' || hidden_by END
FROM found WHERE relation IS NULL
UNION
SELECT true, 'the role ' || quote_ident(current_user) || ' lacks '
    || string_agg(needed_right, ', ' ORDER BY at) || ' on the table ' || name
FROM found, unnest(rights) WITH ORDINALITY AS of_table (needed_right, at)
WHERE relation IS NOT NULL AND NOT has_table_privilege(relation, needed_right)
  AND (needed_right = 'DELETE' OR NOT has_any_column_privilege(relation, needed_right))
GROUP BY name
UNION
SELECT true, 'the table ' || name || CASE WHEN typname IS NULL
    THEN ' lacks the column ' || \"column\"
    ELSE ' has the column ' || \"column\" || ' of the type ' || typname || ', not ' || wanted END
FROM of_columns
LEFT JOIN pg_attribute ON attrelid = relation AND attname = \"column\" AND NOT attisdropped
LEFT JOIN pg_type ON pg_type.oid = atttypid
WHERE typname IS DISTINCT FROM wanted AND (wanted <> 'text' OR typname IS DISTINCT FROM 'varchar')
UNION
SELECT true, 'row-level security of the table ' || name || ' may hide rows from the role '
    || quote_ident(current_user)
FROM found WHERE relation IS NOT NULL AND row_security_active(relation)
UNION
SELECT false, CASE WHEN pg_is_in_recovery()
    THEN 'the server is a standby, which can only be read'
    ELSE 'transactions can only read: default_transaction_read_only is on' END
WHERE current_setting('transaction_read_only')::boolean
ORDER BY 1 DESC, 2";

/// Whether the table of migrations is in a schema that the role may not use.
pub(super) const HIDDEN: &str = "\
SELECT EXISTS (
    SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relname = '__diesel_schema_migrations' AND relkind IN ('r', 'p')
      AND NOT has_schema_privilege(pg_namespace.oid, 'USAGE')
)";
