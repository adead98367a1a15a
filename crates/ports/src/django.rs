use async_trait::async_trait;

use crate::StoreError;

/// A table of the Django service.
#[derive(Debug, PartialEq, Eq)]
pub struct DjangoTable {
    /// Its name.
    pub name: &'static str,
    /// Those of its columns that are taken over. The first is the `id`, a whole number.
    pub columns: &'static [&'static str],
}

/// A row of such a table: its columns in the order of [`DjangoTable::columns`], in the
/// words of the database, or NULL.
pub type DjangoRow = Vec<Option<String>>;

/// Everything that is taken over from the Django service.
pub const DJANGO_TABLES: &[&DjangoTable] =
    &[&COMMON_LEAD, &COMMON_NEWSLETTER, &COMMON_CLIENT, &AUTH_USER];

/// Leads.
pub const COMMON_LEAD: DjangoTable = DjangoTable {
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
pub const COMMON_NEWSLETTER: DjangoTable =
    DjangoTable { name: "common_newsletter", columns: &["id", "email", "is_subscribed"] };

/// Clients.
pub const COMMON_CLIENT: DjangoTable = DjangoTable {
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
pub const AUTH_USER: DjangoTable = DjangoTable {
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

/// The database of the Django service as it was at one moment, read only.
///
/// Every method may fail with [`StoreError::Unavailable`].
#[async_trait]
pub trait DjangoSource: Send {
    /// What the database lacks of [`DJANGO_TABLES`]: names of tables, and of columns
    /// behind that of their table and a dot.
    async fn missing(&mut self) -> Result<Vec<String>, StoreError>;

    /// The first `limit` rows of a table with an id above `after`, by id. Times are UTC.
    async fn rows(
        &mut self,
        table: &'static DjangoTable,
        after: i64,
        limit: u32,
    ) -> Result<Vec<DjangoRow>, StoreError>;
}

/// What is missing, where `has` tells of the tables and columns that are there.
pub fn missing_of_django(has: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let missing = |table: &&DjangoTable| -> Vec<String> {
        let missing = table.columns.iter().filter(|column| !has(table.name, column));
        let missing: Vec<String> =
            missing.map(|column| format!("{}.{column}", table.name)).collect();
        if missing.len() == table.columns.len() { vec![table.name.to_owned()] } else { missing }
    };
    DJANGO_TABLES.iter().flat_map(missing).collect()
}
