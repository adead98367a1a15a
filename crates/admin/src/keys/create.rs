//! Makes a key. Its secret is in one response only, because nothing but a digest of it is stored.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use exit3_app::api_keys::{self, ManageKeysError};
use exit3_domain::access::{Action, Record};
use exit3_domain::api_keys::{ApiKey, ApiKeyDraft, ApiKeyId, DraftError, KeyToken, Scope, Scopes};
use exit3_domain::validation::{Invalid, Violation};
use exit3_web::ApiError;
use i18n_embed_fl::fl;

use super::address;
use crate::Admin;
use crate::errors::PageError;
use crate::fields::wrong;
use crate::form::Form;
use crate::format::violations_by_field;
use crate::page::{page, page_with, see_other, site};
use crate::shell::Shell;
use crate::visit::Member;

/// The path of the API, for the example on the page of a new key.
const API: &str = "/backend/api/v1/";

#[derive(Template)]
#[template(path = "keys/form.html")]
struct FormPage {
    shell: Shell,
    errors: Vec<(&'static str, String)>,
    is_refilled: bool,
    who: i64,
    token: String,
    name: Given,
    /// Each scope, and whether it is chosen.
    scopes: Vec<(String, bool)>,
    scopes_wrong: Vec<String>,
    origins: Given,
    rate: Given,
    expires: Given,
    forwards: bool,
    forwards_wrong: Vec<String>,
}

/// What was typed in a field, and what is wrong with it.
struct Given {
    value: String,
    wrong: Vec<String>,
}

fn show(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    sent: Option<&Form>,
    invalid: Option<&Invalid>,
) -> Result<HttpResponse, PageError> {
    let texts = member.visit.texts;
    let wrong = |name: &str| invalid.map(|invalid| wrong(texts, invalid, name)).unwrap_or_default();
    let given = |name: &str| Given {
        value: sent.and_then(|form| form.given(name)).unwrap_or_default().to_owned(),
        wrong: wrong(name),
    };
    let is_chosen = |word: &str| sent.is_some_and(|form| form.all("scopes").any(|own| own == word));
    let scopes = admin.settings.scopes.iter().map(ToString::to_string);
    let template = FormPage {
        shell: Shell::of(&member.visit, "keys"),
        errors: invalid.map(|invalid| violations_by_field(texts, invalid)).unwrap_or_default(),
        is_refilled: member.visit.refills,
        who: member.who.staff.id.0,
        token: sent.map_or_else(|| admin.new_token(), |form| form.text("_token").to_owned()),
        name: given("name"),
        scopes: scopes.map(|word| (word.clone(), is_chosen(&word))).collect(),
        scopes_wrong: wrong("scopes"),
        origins: given("origins"),
        rate: given("rate"),
        expires: given("expires"),
        forwards: sent.is_some_and(|form| form.has("forwards")),
        forwards_wrong: wrong("forwards"),
    };
    page_with(request, invalid.cloned().map(ApiError::from).as_ref(), &template)
}

pub(super) async fn blank(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Create, Record::ApiKey)?;
    show(&admin, &request, &member, None, None)
}

pub(super) async fn create(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    form: Form,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Create, Record::ApiKey)?;
    if member.visit.refills {
        return show(&admin, &request, &member, Some(&form), None);
    }
    let sending = admin.begin(request.path(), &form, exit3_domain::api_keys::RESOURCE).await?;
    if let Some(made) = &sending.made {
        // The secret is not shown again.
        let place = address(ApiKeyId(made.id));
        return Ok(see_other(&format!("{place}?done=key-shown-before")));
    }
    let draft = match draft(&form, &admin.settings.scopes, admin.app.clock.now()) {
        Ok(draft) => draft,
        Err(invalid) => return show(&admin, &request, &member, Some(&form), Some(&invalid)),
    };
    match api_keys::create(&admin.app, draft, &member.sender(&sending.batch)).await {
        Ok((key, token)) => made(&request, &member, &key, &token),
        Err(ManageKeysError::Draft(error)) => {
            let invalid = broken(error);
            show(&admin, &request, &member, Some(&form), Some(&invalid))
        }
        Err(error) => Err(error.into()),
    }
}

/// The key that a form asks for.
fn draft(form: &Form, known: &[Scope], now: DateTime<Utc>) -> Result<ApiKeyDraft, Invalid> {
    let mut invalid = Invalid::new();
    let mut scopes = Vec::new();
    for word in form.all("scopes") {
        match known.iter().find(|scope| scope.to_string() == word) {
            Some(scope) => scopes.push(scope.clone()),
            None => invalid.push("scopes", Violation::new("invalid_choice", "Unknown scope.")),
        }
    }
    let rate = match form.text("rate") {
        "" => None,
        text => text.parse().map(Some).unwrap_or_else(|_| {
            let wrong = "A limit is a number and a time, such as 1000/hour.";
            invalid.push("rate", Violation::new("invalid", wrong));
            None
        }),
    };
    // The key is valid until the end of the day.
    let end = |day: NaiveDate| day.checked_add_days(Days::new(1));
    let expires_at = match form.text("expires") {
        "" => None,
        text => {
            let end = text.parse().ok().and_then(end);
            if end.is_none() {
                invalid.push("expires", Violation::new("invalid_time", "This is not a date."));
            }
            end.map(|day| day.and_time(NaiveTime::MIN).and_utc())
        }
    };
    let draft = ApiKeyDraft {
        name: form.text("name").to_owned(),
        scopes: Scopes::of(scopes),
        origins: form.text("origins").split_whitespace().map(str::to_owned).collect(),
        rate,
        forwards_visitors: form.has("forwards"),
        expires_at,
    };
    if let Err(error) = draft.check(now) {
        invalid.merge(broken(error));
    }
    if invalid.fields().next().is_some() { Err(invalid) } else { Ok(draft) }
}

/// A broken rule, with the field to which it belongs.
fn broken(error: DraftError) -> Invalid {
    let (field, code) = match error {
        DraftError::Name => ("name", "key_name"),
        DraftError::NoScope => ("scopes", "no_scope"),
        DraftError::PublishableScope => ("scopes", "publishable"),
        DraftError::PublishableForwards => ("forwards", "publishable"),
        DraftError::Origin => ("origins", "invalid"),
        DraftError::Expired => ("expires", "past"),
    };
    Invalid::field(field, Violation::new(code, error.to_string()))
}

#[derive(Template)]
#[template(path = "keys/made.html")]
struct MadePage {
    shell: Shell,
    name: String,
    address: String,
    key: String,
    curl: String,
    is_publishable: bool,
}

/// Shows a new key, once.
fn made(
    request: &HttpRequest,
    member: &Member,
    key: &ApiKey,
    token: &KeyToken,
) -> Result<HttpResponse, PageError> {
    let template = MadePage {
        shell: Shell::of(&member.visit, "keys"),
        name: key.draft.name.clone(),
        address: address(key.id),
        key: token.expose().to_owned(),
        curl: curl(&site(request), &key.draft, token),
        is_publishable: key.draft.is_publishable(),
    };
    page(request, &template)
}

/// A command that tries the key. It changes nothing: it reads if the key may read, and otherwise sends
/// an empty object, to which the API answers what is missing.
fn curl(site: &str, draft: &ApiKeyDraft, token: &KeyToken) -> String {
    let words = draft.scopes.to_string();
    let of = |action: &str| words.split(' ').find_map(|word| word.strip_suffix(action));
    let (method, path) = match (of(":read"), of(":create"), of(":write")) {
        (Some(resource), ..) => ("", format!("{resource}/")),
        (None, Some(resource), _) => (" -X POST", format!("{resource}/")),
        (None, None, Some(resource)) => (" -X PATCH", format!("{resource}/1/")),
        (None, None, None) => ("", String::new()),
    };
    let origin = draft.origins.first();
    let origin = origin.map(|origin| format!(" -H 'Origin: {origin}'")).unwrap_or_default();
    let body = match method {
        "" => "",
        _ => " -H 'Content-Type: application/json' -d '{}'",
    };
    let key = token.expose();
    format!("curl{method} -H 'Authorization: Bearer {key}'{origin}{body} {site}{API}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use exit3_domain::api_keys::ENTROPY;
    use rstest::rstest;

    fn form(fields: &[(&str, &str)]) -> Form {
        let text = |text: &str| exit3_domain::raw::RawValue::Text(text.to_owned());
        Form::of(fields.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect())
    }

    fn known() -> Vec<Scope> {
        vec![Scope::create("leads"), Scope::read("leads"), Scope::write("leads")]
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap()
    }

    #[test]
    fn a_form_asks_for_all_that_a_key_can_have() {
        let form = form(&[
            ("name", " website "),
            ("scopes", "leads:create"),
            ("origins", "https://exit3.agency\r\nhttps://www.exit3.agency"),
            ("rate", "100/hour"),
            ("expires", "2027-01-01"),
        ]);
        let draft = draft(&form, &known(), now()).unwrap();
        assert_eq!(draft.name, "website");
        assert_eq!(draft.scopes, Scopes::of([Scope::create("leads")]));
        assert_eq!(draft.origins, ["https://exit3.agency", "https://www.exit3.agency"]);
        assert_eq!(draft.rate.unwrap().to_string(), "100/hour");
        assert_eq!(draft.expires_at.unwrap().to_rfc3339(), "2027-01-02T00:00:00+00:00");
        assert!(!draft.forwards_visitors);
    }

    #[rstest]
    #[case(&[("name", "a b"), ("scopes", "leads:read")], &["name key_name"])]
    #[case(&[("name", "a")], &["scopes no_scope"])]
    #[case(&[("name", "a"), ("scopes", "tags:read")], &["scopes invalid_choice", "scopes no_scope"])]
    #[case(
        &[("name", "a"), ("scopes", "leads:read"), ("rate", "x"), ("expires", "soon")],
        &["rate invalid", "expires invalid_time"]
    )]
    #[case(
        &[("name", "a"), ("scopes", "leads:read"), ("expires", "2000-01-01")],
        &["expires past"]
    )]
    #[case(
        &[("name", "a"), ("scopes", "leads:read"), ("origins", "https://a.hr")],
        &["scopes publishable"]
    )]
    #[case(
        &[("name", "a"), ("scopes", "leads:create"), ("origins", "https://a.hr"), ("forwards", "on")],
        &["forwards publishable"]
    )]
    #[case(
        &[("name", "a"), ("scopes", "leads:create"), ("origins", "a.hr")],
        &["origins invalid"]
    )]
    fn a_form_with_errors_makes_no_key(#[case] fields: &[(&str, &str)], #[case] expected: &[&str]) {
        let invalid = draft(&form(fields), &known(), now()).unwrap_err();
        let codes = invalid.fields().flat_map(|(field, violations)| {
            violations.iter().map(move |violation| format!("{field} {}", violation.code))
        });
        assert_eq!(codes.collect::<Vec<_>>(), expected);
    }

    #[rstest]
    #[case(
        "leads:create leads:read",
        None,
        "curl -H 'Authorization: Bearer KEY' https://a.hr/backend/api/v1/leads/"
    )]
    #[case(
        "leads:create newsletter:create",
        Some("https://exit3.agency"),
        "curl -X POST -H 'Authorization: Bearer KEY' -H 'Origin: https://exit3.agency' \
         -H 'Content-Type: application/json' -d '{}' https://a.hr/backend/api/v1/leads/"
    )]
    #[case(
        "leads:write",
        None,
        "curl -X PATCH -H 'Authorization: Bearer KEY' -H 'Content-Type: application/json' -d '{}' \
         https://a.hr/backend/api/v1/leads/1/"
    )]
    fn the_example_tries_a_key_without_a_change(
        #[case] scopes: &str,
        #[case] origin: Option<&str>,
        #[case] expected: &str,
    ) {
        let draft = ApiKeyDraft {
            name: "a".to_owned(),
            scopes: Scopes::from_words(scopes),
            origins: origin.map(str::to_owned).into_iter().collect(),
            rate: None,
            forwards_visitors: false,
            expires_at: None,
        };
        let token = KeyToken::secret(&[7; ENTROPY]);
        let curl = curl("https://a.hr", &draft, &token);
        assert_eq!(curl.replace(token.expose(), "KEY"), expected);
    }
}
