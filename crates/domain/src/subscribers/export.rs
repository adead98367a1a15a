//! The columns of an export of subscribers.

use super::Subscriber;
use crate::exports::Column;

/// All columns: the fields of the API.
pub const COLUMNS: &[Column<Subscriber>] = &[
    Column::new("id", |subscriber, _| subscriber.id.0.to_string().into()),
    Column::new("email", |subscriber, _| (&subscriber.email).into()),
    Column::new("is_subscribed", |subscriber, _| {
        (if subscriber.is_subscribed { "true" } else { "false" }).into()
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exports::{Format, Separator, Sheet, Usernames};
    use crate::subscribers::{FIELDS, SubscriberId};

    #[test]
    fn every_field_is_a_column() {
        let names = COLUMNS.iter().map(|column| column.name);
        assert!(names.eq(["id"].into_iter().chain(FIELDS.iter().map(|field| field.name))));
    }

    #[test]
    fn a_subscriber_is_written_as_the_api_writes_it() {
        let row = |id, email: &str, is_subscribed| Subscriber {
            id: SubscriberId(id),
            email: email.to_owned(),
            is_subscribed,
        };
        let format = Format { separator: Separator::Comma, has_mark: false };
        let sheet = Sheet::of(COLUMNS, |_| true, format).unwrap();
        let mut bytes = Vec::new();
        let rows = [row(7, "-iva@b\u{fc}cher.de", true), row(8, "a@acme.hr", false)];
        sheet.add(&mut bytes, &rows, &Usernames::new()).unwrap();
        let expected =
            "\"7\",\"\t-iva@b\u{fc}cher.de\",\"true\"\r\n\"8\",\"a@acme.hr\",\"false\"\r\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}
