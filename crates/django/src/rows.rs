//! Maps rows of the Django service to rows of ours.

mod reading;
mod value;

pub(crate) use reading::{Arrival, Reading};

use exit3_domain::clients::is_contract_path;
use exit3_domain::email::{DisposableDomains, MAX_LENGTH};
use exit3_domain::leads::{LeadCategory, LeadInput, LeadSource, LeadStatus};
use exit3_domain::raw::RawValue;
use exit3_domain::subscribers::SubscriberInput;

use crate::report::What;

/// The longest e-mail address, in characters.
const EMAIL: usize = MAX_LENGTH as usize;

/// Maps a row of `common_lead`.
pub(crate) fn lead(reading: &mut Reading<'_>, disposable: &DisposableDomains) {
    reading.text("full_name", 255);
    reading.text("position", 255);
    reading.optional_text("company_name", 255);
    reading.optional_text("phone_number", 20);
    reading.optional_text("email", EMAIL);
    reading.choice("source", LeadSource::from_word, LeadSource::Other.as_str());
    reading.choice("status", LeadStatus::from_word, LeadStatus::New.as_str());
    reading.optional_text("notes", usize::MAX);
    reading.choice("category", LeadCategory::from_word, LeadCategory::WebDev.as_str());
    reading.time("created_at");
    reading.time("updated_at");
    let mut input = LeadInput::default();
    for field in exit3_domain::leads::FIELDS {
        input.set(field.name, raw(reading, field.name));
    }
    reading.refused(input.into_new(disposable).err());
}

/// Maps a row of `common_newsletter`.
pub(crate) fn subscriber(reading: &mut Reading<'_>, disposable: &DisposableDomains) {
    reading.address("email", EMAIL);
    reading.boolean("is_subscribed");
    let input = SubscriberInput { email: raw(reading, "email"), ..SubscriberInput::default() };
    reading.refused(input.into_new(disposable).err());
}

/// Maps a row of `common_client`.
pub(crate) fn client(reading: &mut Reading<'_>, _: &DisposableDomains) {
    reading.reference("client_info_id", "lead_id");
    reading.text("team_id", 100);
    reading.charge("monthly_charge");
    reading.charge("one_time_charge");
    // Django stores an empty text if there is no file.
    if reading.given("contract_file").is_some_and(|path| !path.is_empty()) {
        reading.optional_text("contract_file", 100);
    }
    if let Some(path) = reading.given("contract_file").filter(|path| !path.is_empty())
        && !is_contract_path(path)
    {
        let (path, why) = (path.to_owned(), "it leads out of its directory");
        reading.remark("contract_file", What::NoContract { path, why });
    }
    reading.text("short_description", usize::MAX);
    reading.choice("category", LeadCategory::from_word, LeadCategory::WebDev.as_str());
}

/// Maps a row of `auth_user`.
pub(crate) fn staff(reading: &mut Reading<'_>, _: &DisposableDomains) {
    reading.text("username", 150);
    reading.text("first_name", 150);
    reading.text("last_name", 150);
    reading.text("email", EMAIL);
    reading.boolean("is_staff");
    reading.boolean("is_active");
    reading.boolean("is_superuser");
    reading.password("password");
    reading.time("date_joined");
    if reading.given("last_login").is_some() {
        reading.time("last_login");
    }
}

/// What the source has in a column, for today's rules. A field of ours that it does not know
/// is not given.
fn raw(reading: &Reading<'_>, column: &str) -> RawValue {
    match reading.given(column) {
        Some(text) => RawValue::text(text),
        None if reading.has(column) => RawValue::Null,
        None => RawValue::Missing,
    }
}

#[cfg(test)]
mod tests;
