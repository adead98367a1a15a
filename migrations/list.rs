// The migrations, oldest first, and what each one does to rows. Both dialects have the same
// ones. This file is part of `exit3-ports`; see README.md beside it.

/// The [`Migration`](crate::Migration)s of one directory below `migrations`, for a source
/// file of an adapter, which is three directories below the root.
#[macro_export]
macro_rules! migrations {
    ($dialect:literal) => {
        // After `back drops`, the tables and the columns (`leads.notes`) whose values are gone
        // when the migration is taken back.
        $crate::migrations! { $dialect;
            "00000000000001_leads_and_subscribers" keeps, back drops [leads, subscribers];
            "00000000000002_exact_counts" keeps, back drops [];
            "00000000000003_api_keys" keeps, back drops [api_keys];
            "00000000000004_clients" keeps, back drops [clients];
            "00000000000005_staff" keeps, back drops [staff];
            // Backups do not contain this table.
            "00000000000006_backup_status" keeps, back drops [];
            "00000000000007_django" keeps, back drops
                [django_leads, django_subscribers, django_clients, django_staff];
            "00000000000008_search_path" keeps, back drops [];
            "00000000000009_lists_and_accents" keeps, back drops [];
        }
    };
    (
        $dialect:literal;
        $($name:literal $effect:ident, back drops [$($table:ident $(. $column:ident)?),*];)*
    ) => {
        &[$($crate::Migration {
            name: $name,
            up: include_str!(concat!("../../../migrations/", $dialect, "/", $name, "/up.sql")),
            down: include_str!(concat!("../../../migrations/", $dialect, "/", $name, "/down.sql")),
            changes_data: $crate::migrations!(@$effect),
            back_drops: &[$($crate::Dropped::of(
                stringify!($table),
                $crate::migrations!(@column $($column)?),
            )),*],
        }),*]
    };
    (@column) => { None };
    (@column $column:ident) => { Some(stringify!($column)) };
    // No existing row changes.
    (@keeps) => { false };
    (@changes) => { true };
}
