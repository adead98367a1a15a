//! What the database of the Django service has: the tables that are taken over.

use exit3_ports::{ForeignSource, ForeignTable, StoreError};

/// Everything that is taken over from the Django service.
pub const DJANGO_TABLES: &[&ForeignTable] =
    &[&COMMON_LEAD, &COMMON_NEWSLETTER, &COMMON_CLIENT, &AUTH_USER];

/// Leads.
pub(crate) const COMMON_LEAD: ForeignTable = ForeignTable {
    name: "common_lead",
    columns: &[
        "id",
        "full_name",
        "position",
        "company_name",
        "phone_number",
        "email",
        "source",
        "status",
        "notes",
        "created_at",
        "updated_at",
        "category",
    ],
};

/// Newsletter subscriptions.
pub(crate) const COMMON_NEWSLETTER: ForeignTable =
    ForeignTable { name: "common_newsletter", columns: &["id", "email", "is_subscribed"] };

/// Clients.
pub(crate) const COMMON_CLIENT: ForeignTable = ForeignTable {
    name: "common_client",
    columns: &[
        "id",
        "client_info_id",
        "team_id",
        "monthly_charge",
        "one_time_charge",
        "contract_file",
        "short_description",
        "category",
    ],
};

/// Accounts of staff, as Django 5.2 makes them.
pub(crate) const AUTH_USER: ForeignTable = ForeignTable {
    name: "auth_user",
    columns: &[
        "id",
        "username",
        "first_name",
        "last_name",
        "email",
        "is_staff",
        "is_active",
        "is_superuser",
        "password",
        "date_joined",
        "last_login",
    ],
};

/// What `source` lacks of [`DJANGO_TABLES`]: names of tables, and of columns behind that of their
/// table and a dot.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub(crate) async fn missing(source: &mut dyn ForeignSource) -> Result<Vec<String>, StoreError> {
    let has = source.columns().await?;
    let missing = |table: &&ForeignTable| -> Vec<String> {
        let lacks = |column: &&&str| !has.contains(&(table.name.to_owned(), (**column).to_owned()));
        let missing: Vec<String> = table
            .columns
            .iter()
            .filter(lacks)
            .map(|column| format!("{}.{column}", table.name))
            .collect();
        if missing.len() == table.columns.len() { vec![table.name.to_owned()] } else { missing }
    };
    Ok(DJANGO_TABLES.iter().flat_map(missing).collect())
}
