use crate::source::{AUTH_USER, COMMON_CLIENT, COMMON_LEAD, COMMON_NEWSLETTER};
use exit3_ports::{ForeignRow, ForeignTable, Shape, Value, table};
use rstest::rstest;

use super::*;

/// Reads a row that breaks no rule, with some columns replaced.
fn arrive(
    from: &'static ForeignTable,
    to: &str,
    given: &[(&str, Option<&str>)],
) -> (Arrival, Shape) {
    let usual = |column: &str| match column {
        "id" | "is_staff" | "is_active" | "is_superuser" | "is_subscribed" => Some("1"),
        "full_name" | "position" | "company_name" | "username" => Some("Ana Horvat"),
        "email" => Some("ana@acme.hr"),
        "source" => Some("website"),
        "status" => Some("new"),
        "category" => Some("web_dev"),
        "password" => Some("pbkdf2_sha256$1$a$b"),
        "created_at" | "updated_at" | "date_joined" => Some("2026-01-02 03:04:05.123456"),
        _ => None,
    };
    let value = |column: &&str| {
        let given = given.iter().find(|(name, _)| name == column);
        given.map_or_else(|| usual(column), |(_, value)| *value).map(str::to_owned)
    };
    let row: ForeignRow = from.columns.iter().map(value).collect();
    let shape = Shape::of(table(to).unwrap(), |_| true).unwrap();
    let mut reading = Reading::of(from, &row).unwrap();
    let read = match to {
        "leads" => lead,
        "subscribers" => subscriber,
        "clients" => client,
        _ => staff,
    };
    read(&mut reading, &DisposableDomains::default());
    (reading.finish(&shape), shape)
}

fn value<'a>((arrival, shape): &'a (Arrival, Shape), name: &str) -> &'a Value {
    let at = shape.columns.iter().position(|column| column.name == name).unwrap();
    &arrival.row[at]
}

fn remarks(arrived: &(Arrival, Shape)) -> Vec<String> {
    arrived.0.remarks.iter().map(ToString::to_string).collect()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn a_valid_row_is_kept_without_remarks() {
    for (from, to) in [
        (&COMMON_LEAD, "leads"),
        (&COMMON_NEWSLETTER, "subscribers"),
        (&COMMON_CLIENT, "clients"),
        (&AUTH_USER, "staff"),
    ] {
        let arrived = arrive(from, to, &[]);
        assert_eq!(remarks(&arrived), [] as [String; 0], "{to}");
        assert_eq!(arrived.0.original, "");
    }
    let lead = arrive(&COMMON_LEAD, "leads", &[]);
    assert_eq!(*value(&lead, "created_at"), Value::Time(1_767_323_045_123_456));
    assert_eq!(*value(&lead, "phone_number"), Value::Null);
}

#[test]
fn every_column_that_is_imported_is_read() {
    for it in crate::tables::moves() {
        let given: Vec<(&str, Option<&str>)> =
            it.from.columns.iter().map(|name| (*name, Some("1"))).collect();
        let arrived = arrive(it.from, it.to.table.name, &given);
        for column in &it.to.columns {
            assert_ne!(*value(&arrived, column.name), Value::Null, "{}", column.name);
        }
    }
}

#[test]
fn a_field_of_ours_that_the_source_does_not_know_is_not_held_against_a_row() {
    const WITHOUT_NOTES: ForeignTable =
        ForeignTable { name: "common_lead", columns: &["id", "email", "full_name", "position"] };
    let row = ["1", "ana@acme.hr", "Ana", "CTO"].map(|text| Some(text.to_owned())).to_vec();
    let mut reading = Reading::of(&WITHOUT_NOTES, &row).unwrap();
    for (column, expected) in
        [("email", RawValue::text("ana@acme.hr")), ("status", RawValue::Missing)]
    {
        assert_eq!(raw(&reading, column), expected, "{column}");
    }
    reading.refused(None);
}

#[rstest]
#[case("full_name", "<b>Ana</b>", "Name contains invalid characters")]
#[case("full_name", "", "This field may not be blank.")]
#[case("full_name", "12345", "Name cannot be only numbers")]
#[case("position", "x", "Name must be at least 2 characters")]
#[case("phone_number", "091-234-5678-(ext) 1", "Enter a valid international phone number.")]
#[case("email", "ana", "Enter a valid email address.")]
#[case("email", "Ana@mailinator.com", "Please use a valid business email")]
fn values_that_current_rules_refuse_are_kept_and_listed(
    #[case] column: &'static str,
    #[case] given: &str,
    #[case] rule: &str,
) {
    let arrived = arrive(&COMMON_LEAD, "leads", &[(column, Some(given))]);
    assert_eq!(*value(&arrived, column), text(given));
    let expected = format!("common_lead 1 {column}: kept, but refused today: {rule}");
    assert_eq!(remarks(&arrived), [expected]);
}

#[test]
fn a_subscription_is_stored_with_its_canonical_address() {
    let given = [("email", Some("Iva@xn--bcher-kva.de"))];
    let arrived = arrive(&COMMON_NEWSLETTER, "subscribers", &given);
    assert_eq!(*value(&arrived, "email"), text("iva@b\u{fc}cher.de"));
    assert!(arrived.0.original.contains("Iva@xn--bcher-kva.de"));
    assert_eq!(remarks(&arrived).len(), 1);
}

#[test]
fn a_lead_without_contact_details_is_kept_and_listed() {
    let arrived = arrive(&COMMON_LEAD, "leads", &[("email", None)]);
    assert_eq!(remarks(&arrived).len(), 1);
    assert_eq!(*value(&arrived, "email"), Value::Null);
}

#[test]
fn a_value_that_cannot_be_kept_is_replaced_and_remembered() {
    let long = "č".repeat(300);
    let given = [
        ("source", Some("fair")),
        ("company_name", Some(long.as_str())),
        ("notes", Some("a\0b")),
        ("created_at", Some("never")),
        ("updated_at", Some("infinity")),
    ];
    let arrived = arrive(&COMMON_LEAD, "leads", &given);
    assert_eq!(*value(&arrived, "source"), text("other"));
    assert_eq!(*value(&arrived, "company_name"), text(&"č".repeat(255)));
    assert_eq!(*value(&arrived, "notes"), text("ab"));
    assert_eq!(*value(&arrived, "created_at"), Value::Time(0));
    assert_eq!(*value(&arrived, "updated_at"), Value::Time(253_402_300_799_999_999));
    let original: serde_json::Value = serde_json::from_str(&arrived.0.original).unwrap();
    for (column, value) in given {
        assert_eq!(original[column].as_str(), value, "{column}");
    }
    assert_eq!(remarks(&arrived).len(), given.len(), "{:?}", remarks(&arrived));
}

#[test]
fn a_newsletter_address_is_stored_in_lower_case() {
    let given = [("email", Some("ŠIME@Acme.HR")), ("is_subscribed", Some("false"))];
    let arrived = arrive(&COMMON_NEWSLETTER, "subscribers", &given);
    assert_eq!(*value(&arrived, "email"), text("šime@acme.hr"));
    assert_eq!(*value(&arrived, "is_subscribed"), Value::Boolean(false));
    assert!(arrived.0.original.contains("ŠIME@Acme.HR"));
}

#[rstest]
#[case("10.50", Value::Integer(1050), 0)]
#[case("10.5", Value::Integer(1050), 0)]
#[case("10", Value::Integer(1000), 0)]
#[case("99999999.99", Value::Integer(9_999_999_999), 0)]
#[case("-0.01", Value::Integer(-1), 1)]
#[case("10.129", Value::Integer(1013), 1)]
#[case("1e+20", Value::Integer(9_999_999_999), 1)]
#[case("NaN", Value::Null, 1)]
fn money_becomes_hundredths(#[case] given: &str, #[case] sum: Value, #[case] remarked: usize) {
    let arrived = arrive(&COMMON_CLIENT, "clients", &[("monthly_charge", Some(given))]);
    assert_eq!(*value(&arrived, "monthly_charge"), sum);
    assert_eq!(remarks(&arrived).len(), remarked, "{:?}", remarks(&arrived));
}

#[rstest]
#[case(None, Value::Null, 0)]
#[case(Some(""), Value::Null, 0)]
#[case(Some("contracts/a.pdf"), text("contracts/a.pdf"), 0)]
#[case(Some("../../etc/passwd"), text("../../etc/passwd"), 1)]
#[case(Some("/etc/passwd"), text("/etc/passwd"), 1)]
fn paths_are_kept_and_those_outside_of_the_directory_listed(
    #[case] given: Option<&str>,
    #[case] path: Value,
    #[case] remarked: usize,
) {
    let arrived = arrive(&COMMON_CLIENT, "clients", &[("contract_file", given)]);
    assert_eq!(*value(&arrived, "contract_file"), path);
    assert_eq!(remarks(&arrived).len(), remarked);
}

#[test]
fn passwords_are_kept_and_never_shown() {
    let hash = "pbkdf2_sha256$1000000$salt$digest=";
    let arrived = arrive(&AUTH_USER, "staff", &[("password", Some(hash)), ("id", Some("7"))]);
    assert_eq!(*value(&arrived, "password"), text(hash));
    assert_eq!(*value(&arrived, "last_login"), Value::Null);
    let long = "md5$".repeat(100);
    for other in ["!none", "md5$a$b", &long] {
        let arrived = arrive(&AUTH_USER, "staff", &[("password", Some(other))]);
        assert_eq!(
            remarks(&arrived),
            ["auth_user 1 password: nobody can sign in with it: set a new one"]
        );
        assert_eq!(arrived.0.original, "");
    }
}

#[rstest]
#[case("2026-01-02 03:04:05", 1_767_323_045_000_000)]
#[case("2026-01-02 03:04:05.1+00", 1_767_323_045_100_000)]
#[case("2026-01-02T03:04:05.123456+00:00", 1_767_323_045_123_456)]
#[case("0001-01-01 00:00:00", -62_135_596_800_000_000)]
#[case("9999-12-31 23:59:59.999999+00", 253_402_300_799_999_999)]
fn times_are_kept_exactly(#[case] given: &str, #[case] micros: i64) {
    let arrived = arrive(&COMMON_LEAD, "leads", &[("created_at", Some(given))]);
    assert_eq!(*value(&arrived, "created_at"), Value::Time(micros));
    assert_eq!(remarks(&arrived), [] as [String; 0]);
}
