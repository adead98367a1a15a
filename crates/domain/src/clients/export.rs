//! The columns of an export of clients.

use super::{Client, Money};
use crate::exports::Column;

/// All columns: the fields of the API.
pub const COLUMNS: &[Column<Client>] = &[
    Column::new("id", |client, _| client.id.0.to_string().into()),
    Column::new("lead", |client, _| {
        client.details.lead.map(|lead| lead.0.to_string()).unwrap_or_default().into()
    }),
    Column::new("team_id", |client, _| (&client.details.team_id).into()),
    Column::new("monthly_charge", |client, _| charge(client.details.monthly_charge).into()),
    Column::new("one_time_charge", |client, _| charge(client.details.one_time_charge).into()),
    Column::new("contract_file", |client, _| {
        client.details.contract_file.as_deref().unwrap_or_default().into()
    }),
    Column::new("short_description", |client, _| (&client.details.short_description).into()),
    Column::new("category", |client, _| client.details.category.as_str().into()),
];

fn charge(charge: Option<Money>) -> String {
    charge.map(String::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;
    use crate::clients::FIELDS;
    use crate::exports::{Format, Separator, Sheet, Usernames};

    #[test]
    fn every_field_is_a_column() {
        let mut names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
        let mut fields = vec!["id", "contract_file"];
        fields.extend(FIELDS.iter().map(|field| field.name));
        names.sort_unstable();
        fields.sort_unstable();
        assert_eq!(names, fields);
    }

    #[test]
    fn a_client_is_written_as_the_api_writes_it() {
        let mut other = example();
        (other.details.lead, other.details.contract_file) = (None, None);
        (other.details.monthly_charge, other.details.one_time_charge) = (None, Money::kept(-50));
        let format = Format { separator: Separator::Semicolon, has_mark: false };
        let sheet = Sheet::of(COLUMNS, |_| true, format).unwrap();
        let mut bytes = Vec::new();
        sheet.add(&mut bytes, &[example(), other], &Usernames::new()).unwrap();
        let description = "\"Web\u{161}op\nsa skladi\u{161}tem\"";
        let expected = format!(
            "\"7\";\"3\";\"T1\";\"1200.50\";\"\";\"2026/a.pdf\";{description};\"web_dev\"\r\n\
             \"7\";\"\";\"T1\";\"\";\"\t-0.50\";\"\";{description};\"web_dev\"\r\n"
        );
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}
