//! The fields of a form: how they are typed, shown again, and read.

use exit3_domain::edits::{Edit, FieldTexts};
use exit3_domain::raw::RawValue;
use exit3_domain::validation::Invalid;
use exit3_domain::versions::Version;
use i18n_embed_fl::fl;

use crate::choices::Choice;
use crate::form::Form;
use crate::format::{day, minute, rule};
use crate::i18n::{Texts, say};

/// How a field is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text on one line.
    Text,
    /// An address for mail.
    Email,
    /// A telephone number.
    Phone,
    /// A text on several lines.
    Lines,
    /// The day of a time.
    Day,
    /// A time to the minute, in UTC as everywhere in the back office. The label should say so.
    Moment,
    /// An amount of money.
    Amount,
    /// One of several values.
    Choice,
}

/// A field of the form of a resource.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The name, which is that of its label: the text `field-starts-at` for `starts_at`.
    pub name: &'static str,
    /// How it is typed.
    pub kind: Kind,
    /// The longest text, in characters; 0 if nobody types a text.
    pub longest: usize,
    /// Whether it must be filled in.
    pub is_required: bool,
}

impl Field {
    /// A text on one line.
    pub const fn text(name: &'static str, longest: usize) -> Self {
        Self { name, kind: Kind::Text, longest, is_required: false }
    }

    /// One of several values.
    pub const fn choice(name: &'static str) -> Self {
        Self { name, kind: Kind::Choice, longest: 0, is_required: false }
    }

    /// The same, typed in another way.
    pub const fn typed_as(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// The same, which must be filled in.
    pub const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }
}

/// The form of a resource.
pub struct Fields<'a> {
    /// The fields, in the order in which they are typed.
    pub fields: &'a [Field],
    /// The value of a field in a blank form.
    pub usual: &'a dyn Fn(&str) -> String,
    /// The values of a field of [`Kind::Choice`]. The given value is the chosen one.
    pub choices: &'a dyn Fn(&str, &str) -> Vec<Choice>,
}

/// A field as it is shown.
pub(crate) struct ShownField {
    pub(crate) name: &'static str,
    pub(crate) label: String,
    pub(crate) kind: Kind,
    pub(crate) value: String,
    pub(crate) longest: usize,
    pub(crate) is_required: bool,
    pub(crate) wrong: Vec<String>,
    pub(crate) choices: Vec<Choice>,
}

impl ShownField {
    pub(crate) fn is_wide(&self) -> bool {
        self.kind == Kind::Lines
    }
}

impl Fields<'_> {
    /// The fields with these values and errors.
    pub(crate) fn shown(
        &self,
        texts: Texts,
        value: impl Fn(&str) -> String,
        invalid: Option<&Invalid>,
    ) -> Vec<ShownField> {
        let field = |field: &Field| {
            let Field { name, kind, longest, is_required } = *field;
            let value = value(name);
            ShownField {
                name,
                label: say(texts, "field", name),
                kind,
                choices: match kind {
                    Kind::Choice => (self.choices)(name, &value),
                    _ => Vec::new(),
                },
                value: match kind {
                    Kind::Day => day(&value),
                    Kind::Moment => minute(&value),
                    Kind::Amount => local(texts, &value),
                    _ => value,
                },
                longest,
                is_required,
                wrong: invalid.map(|invalid| wrong(texts, invalid, name)).unwrap_or_default(),
            }
        };
        self.fields.iter().map(field).collect()
    }

    /// The text of a field as people read it.
    pub(crate) fn readable(&self, texts: Texts, name: &str, value: &str) -> String {
        match kind_of(self.fields, name) {
            _ if value.is_empty() => fl!(texts, "nothing"),
            Kind::Day => day(value),
            Kind::Moment => minute(value).replace('T', " "),
            Kind::Amount => local(texts, value),
            Kind::Choice => {
                let mut choices = (self.choices)(name, value).into_iter();
                choices.find(|one| one.is_chosen).map_or_else(|| value.to_owned(), |one| one.text)
            }
            _ => value.to_owned(),
        }
    }
}

fn kind_of(fields: &[Field], name: &str) -> Kind {
    fields.iter().find(|field| field.name == name).map_or(Kind::Text, |field| field.kind)
}

/// An amount with a dot before its decimals, as people write it in this language.
fn local(texts: Texts, amount: &str) -> String {
    match amount.split_once('.') {
        Some((whole, decimals)) if is_number(whole) && is_number(decimals) => {
            format!("{whole}{}{decimals}", fl!(texts, "decimals"))
        }
        _ => amount.to_owned(),
    }
}

/// The amount that somebody typed, with a dot before its decimals: `1200.50` for `1.200,50 €`. What is
/// no amount stays as it is, and breaks a rule.
fn amount(typed: &str) -> String {
    let text: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '€').collect();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let is_group = |part: &str| part.len() == 3 && is_number(part);
    let is_grouped = |whole: &str| {
        let mut groups = whole.split(['.', ',']);
        groups.next().is_some_and(|first| (1..=3).contains(&first.len()) && is_number(first))
            && groups.all(is_group)
    };
    let without_marks = |whole: &str| whole.replace(['.', ','], "");
    match digits.rsplit_once(['.', ',']) {
        // Nobody has thousandths of a euro.
        Some((whole, last)) if is_group(last) && is_grouped(whole) => {
            format!("{sign}{}{last}", without_marks(whole))
        }
        Some((whole, decimals)) if is_grouped(whole) || is_number(whole) => {
            format!("{sign}{}.{decimals}", without_marks(whole))
        }
        _ => text,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The sentences about one field.
pub(crate) fn wrong(texts: Texts, invalid: &Invalid, field: &str) -> Vec<String> {
    let of_field = invalid.fields().filter(|(name, _)| *name == field);
    of_field
        .flat_map(|(_, violations)| violations)
        .map(|violation| rule(texts, field, violation))
        .collect()
}

/// Whether a field of a form differs from what the form was rendered with.
pub(crate) fn is_touched(fields: &[Field], form: &Form, name: &str) -> bool {
    let base = form.given(&format!("_base_{name}")).unwrap_or_default();
    form.given(name).is_some_and(|text| match kind_of(fields, name) {
        Kind::Day => text != day(base),
        Kind::Moment => text != minute(base),
        Kind::Amount => amount(text) != base,
        _ => text.replace("\r\n", "\n") != base.replace("\r\n", "\n"),
    })
}

/// The texts that a form was rendered with.
pub(crate) fn base_of(form: &Form, stored: &FieldTexts) -> Vec<(&'static str, String)> {
    let sent = |name: &'static str| {
        let text = form.given(&format!("_base_{name}"))?;
        Some((name, text.to_owned()))
    };
    stored.iter().filter_map(|(name, _)| sent(name)).collect()
}

/// The fields of a form for the use case. A day becomes its first moment; if it is still the day
/// that the form was rendered with, the time of day is kept. In the same way, a time to the minute keeps
/// its seconds. Amounts may be typed in any language.
pub fn values(fields: &[Field], form: &Form) -> Vec<(String, RawValue)> {
    let mut values = form.raw();
    for (name, value) in &mut values {
        let RawValue::Text(text) = value else { continue };
        let kind = kind_of(fields, name);
        let base = form.given(&format!("_base_{name}")).unwrap_or_default();
        let typed = text.trim();
        *text = match kind {
            Kind::Amount => amount(text),
            Kind::Day if !base.is_empty() && typed == day(base) => base.to_owned(),
            Kind::Day if typed.len() == 10 => format!("{typed}T00:00:00Z"),
            Kind::Moment if !base.is_empty() && typed == minute(base) => base.to_owned(),
            Kind::Moment if typed.len() == 16 => format!("{typed}:00Z"),
            Kind::Day | Kind::Moment => typed.to_owned(),
            _ => continue,
        };
    }
    values
}

/// The edit that a form asks for.
pub fn edit_of(fields: &[Field], form: &Form, stored: &FieldTexts) -> Edit {
    let base = base_of(form, stored);
    Edit {
        version: Version::named(form.text("_version")),
        base: base.into_iter().map(|(name, text)| (name.to_owned(), text)).collect(),
        values: values(fields, form),
    }
}

/// Whether changes of others were kept beside those of a form: the row was not the version of the
/// form, and still has another text than the form in some field.
pub fn is_merged(form: &Edit, before: &Version, now: &FieldTexts) -> bool {
    let plain = |text: &str| text.trim().replace("\r\n", "\n");
    let is_kept = |(name, now): (&str, &str)| {
        form.values.iter().any(|(field, value)| {
            field == name && matches!(value, RawValue::Text(sent) if plain(sent) != plain(now))
        })
    };
    form.version != *before && now.iter().any(is_kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use exit3_domain::clients::{Client, ClientId, NewClient};
    use exit3_domain::leads::LeadCategory;
    use rstest::rstest;

    #[test]
    fn a_form_that_is_sent_again_was_not_merged() {
        let details = NewClient {
            lead: None,
            team_id: "T1".to_owned(),
            monthly_charge: None,
            one_time_charge: None,
            contract_file: None,
            short_description: "one\ntwo".to_owned(),
            category: LeadCategory::WebDev,
        };
        let now = Client { id: ClientId(7), details };
        let of = |team: &str| Edit {
            version: Version::named("of the form"),
            base: Vec::new(),
            values: [("team_id", team), ("short_description", "one\r\ntwo")]
                .map(|(field, text)| (field.to_owned(), RawValue::text(text)))
                .into(),
        };
        let is_merged = |edit: &Edit, version| is_merged(edit, &version, &FieldTexts::of(&now));
        assert!(!is_merged(&of(" T1"), Version::of(&now)));
        assert!(is_merged(&of("T2"), Version::of(&now)));
        assert!(!is_merged(&of("T2"), Version::named("of the form")));
    }

    #[rstest]
    #[case("", "2026-11-29T19:13", "2026-11-29T19:13:00Z")]
    #[case("2026-11-29T19:13:07Z", "2026-11-29T19:13", "2026-11-29T19:13:07Z")]
    #[case("2026-11-29T19:13:07Z", "2026-11-29T19:14", "2026-11-29T19:14:00Z")]
    #[case("2026-11-29T19:13:07Z", " tomorrow ", "tomorrow")]
    fn moments_keep_their_seconds_until_they_are_changed(
        #[case] base: &str,
        #[case] typed: &str,
        #[case] sent: &str,
    ) {
        let fields = [Field::text("starts_at", 0).typed_as(Kind::Moment)];
        let form = [("starts_at", typed), ("_base_starts_at", base)];
        let form =
            Form::of(form.map(|(name, text)| (name.to_owned(), RawValue::text(text))).into());
        let expected = ("starts_at".to_owned(), RawValue::text(sent));
        assert_eq!(values(&fields, &form), [expected]);
        assert_eq!(is_touched(&fields, &form, "starts_at"), sent != base);
    }

    #[rstest]
    #[case("1200.50", "1200.50")]
    #[case("1200,5", "1200.5")]
    #[case("1.200,50 €", "1200.50")]
    #[case("€1,200.50", "1200.50")]
    #[case("1 234 567,89", "1234567.89")]
    #[case("1.234.567", "1234567")]
    #[case("1.200", "1200")]
    #[case("0,05", "0.05")]
    #[case("7", "7")]
    #[case("-1,5", "-1.5")]
    #[case("1,2,3", "1,2,3")]
    #[case("12.34.567", "12.34.567")]
    #[case("1.2345", "1.2345")]
    #[case("x", "x")]
    #[case(",5", ",5")]
    fn amounts_are_read_as_people_write_them(#[case] typed: &str, #[case] sent: &str) {
        assert_eq!(amount(typed), sent);
    }
}
