//! The columns of an export of leads.

use chrono::{DateTime, SecondsFormat, Utc};

use super::Lead;
use crate::exports::Column;

/// All columns: the fields of the API, then the work, with the name of the owner's account.
pub const COLUMNS: &[Column<Lead>] = &[
    Column::new("id", |lead, _| lead.id.0.to_string().into()),
    Column::new("full_name", |lead, _| (&lead.details.full_name).into()),
    Column::new("position", |lead, _| (&lead.details.position).into()),
    Column::new("company_name", |lead, _| optional(&lead.details.company_name).into()),
    Column::new("phone_number", |lead, _| optional(&lead.details.phone_number).into()),
    Column::new("email", |lead, _| optional(&lead.details.email).into()),
    Column::new("source", |lead, _| lead.details.source.as_str().into()),
    Column::new("status", |lead, _| lead.details.status.as_str().into()),
    Column::new("notes", |lead, _| optional(&lead.details.notes).into()),
    Column::new("created_at", |lead, _| time(lead.created_at).into()),
    Column::new("updated_at", |lead, _| time(lead.updated_at).into()),
    Column::new("category", |lead, _| lead.details.category.as_str().into()),
    Column::new("owner", |lead, usernames| match lead.work.owner {
        Some(id) => usernames.get(&id).map_or_else(|| id.0.to_string().into(), Into::into),
        None => "".into(),
    }),
    Column::new("next_step", |lead, _| optional(&lead.work.next_step).into()),
    Column::new("next_step_at", |lead, _| {
        lead.work.next_step_at.map(time).unwrap_or_default().into()
    }),
];

fn optional(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

/// A time as the API writes it.
fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exports::{Format, Separator, Sheet, Usernames};
    use crate::leads::{FIELDS, LeadId, LeadWork, WORK_FIELDS};
    use crate::staff::StaffId;

    #[test]
    fn every_field_is_a_column() {
        let mut names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
        let mut fields = vec!["id", "created_at", "updated_at"];
        fields.extend(FIELDS.iter().map(|field| field.name));
        fields.extend(WORK_FIELDS);
        names.sort_unstable();
        fields.sort_unstable();
        assert_eq!(names, fields);
    }

    #[test]
    fn a_lead_is_written_as_the_api_writes_it_with_the_name_of_its_owner() {
        let at = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let work = LeadWork {
            owner: Some(StaffId(3)),
            next_step: Some("Send".to_owned()),
            next_step_at: Some(at),
        };
        let details = crate::leads::example();
        let lead = Lead { id: LeadId(7), details, work, created_at: at, updated_at: at };
        let of_stranger = LeadWork { owner: Some(StaffId(4)), ..LeadWork::default() };
        let mut other = Lead { work: of_stranger, ..lead.clone() };
        other.details.company_name = None;
        let format = Format { separator: Separator::Comma, has_mark: false };
        let sheet = Sheet::of(COLUMNS, |_| true, format).unwrap();
        let (mut bytes, usernames) = (Vec::new(), Usernames::from([(StaffId(3), "ivo".into())]));
        sheet.add(&mut bytes, &[lead, other], &usernames).unwrap();
        let time = "\"2026-09-21T14:13:20.000000Z\"";
        let expected = format!(
            "\"7\",\"Ana Horvat\",\"CTO\",\"Acme\",\"\t+385911\",\"ana@b\u{fc}cher.de\",\"other\",\
             \"closed\",\"secret\",{time},{time},\"web_dev\",\"ivo\",\"Send\",{time}\r\n\
             \"7\",\"Ana Horvat\",\"CTO\",\"\",\"\t+385911\",\"ana@b\u{fc}cher.de\",\"other\",\
             \"closed\",\"secret\",{time},{time},\"web_dev\",\"4\",\"\",\"\"\r\n"
        );
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}
