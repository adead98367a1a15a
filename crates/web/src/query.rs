//! Query parameters of lists.

mod moment;

use actix_web::HttpRequest;
use chrono::{DateTime, Datelike, Utc};
use exit3_domain::paging::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, PageNumber, PageRequest};
use exit3_domain::search;

use crate::error::ApiError;

/// The decoded query parameters, in the order in which they were sent.
pub struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// Decodes the query of a request.
    pub fn of(request: &HttpRequest) -> Self {
        let query = request.query_string().as_bytes();
        Self { pairs: form_urlencoded::parse(query).into_owned().collect() }
    }

    /// The last value of a parameter; an empty value counts as absent.
    pub fn last(&self, name: &str) -> Option<&str> {
        let value = self.pairs.iter().rev().find(|(key, _)| key == name);
        value.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Whether a parameter is present, even if it is empty.
    pub fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(key, _)| key == name)
    }

    /// The values of a parameter that may be repeated or hold a comma-separated list, without
    /// empty ones.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.pairs.iter().filter(move |(key, _)| key == name);
        values.flat_map(|(_, value)| value.split(',')).filter(|word| !word.is_empty())
    }

    /// The values of a parameter that may be repeated or hold a comma-separated list. Unknown
    /// values match nothing; `None` if there are no values.
    pub fn choices<T: PartialEq>(
        &self,
        name: &str,
        from_word: fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut given = false;
        let mut choices = Vec::new();
        for word in self.values(name) {
            given = true;
            choices.extend(from_word(word).filter(|choice| !choices.contains(choice)));
        }
        given.then_some(choices)
    }

    /// A boolean. Any other value is ignored.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        match self.last(name)?.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    /// A point in time, or a date, which means its first moment (see [`moment`]).
    ///
    /// # Errors
    /// 400 for any other value.
    pub fn time(&self, name: &'static str) -> Result<Option<DateTime<Utc>>, ApiError> {
        match self.last(name).map(moment::read) {
            None => Ok(None),
            // The years that the databases can store; no row has a time in the year 10000.
            Some(Some(time)) if (0..=9999).contains(&time.year()) => Ok(Some(time)),
            Some(_) => Err(ApiError::parameter(name, "Enter a valid date/time.")),
        }
    }

    /// The words of the `search` parameter.
    ///
    /// # Errors
    /// 400 for too many words, or a NUL.
    pub fn words(&self) -> Result<Vec<String>, ApiError> {
        let query = self.last("search").unwrap_or_default();
        if query.contains('\0') {
            return Err(ApiError::parameter("search", "Null characters are not allowed."));
        }
        search::words(query).map_err(|_| {
            let message = format!("Ensure this has no more than {} words.", search::MAX_WORDS);
            ApiError::parameter("search", message)
        })
    }

    /// The sort order from the `ordering` parameter, and whether it is descending.
    ///
    /// # Errors
    /// 400 for a value that `from_word` does not know.
    pub fn ordering<T>(
        &self,
        from_word: fn(&str) -> Option<T>,
    ) -> Result<Option<(T, bool)>, ApiError> {
        let Some(text) = self.last("ordering") else {
            return Ok(None);
        };
        let (word, descending) = match text.strip_prefix('-') {
            Some(word) => (word, true),
            None => (text, false),
        };
        match from_word(word) {
            Some(sort) => Ok(Some((sort, descending))),
            None => {
                Err(ApiError::parameter("ordering", format!("\"{text}\" is not a valid choice.")))
            }
        }
    }

    /// The number of rows on a page. Large values are clamped; the default replaces anything that
    /// is not a positive number.
    pub fn page_size(&self) -> u32 {
        let size = self.last("page_size").and_then(|text| {
            let text = text.trim();
            let number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
            // A number that overflows is larger than the maximum anyway.
            number.then(|| text.parse().unwrap_or(u32::MAX))
        });
        match size {
            None | Some(0) => DEFAULT_PAGE_SIZE,
            Some(size) => size.min(MAX_PAGE_SIZE),
        }
    }

    /// The requested page.
    ///
    /// # Errors
    /// 404 for an impossible page.
    pub fn page(&self) -> Result<PageRequest, ApiError> {
        let number = match self.last("page") {
            None => PageNumber::Number(1),
            Some("last") => PageNumber::Last,
            Some(text) => match text.trim().parse::<u64>() {
                Ok(number) if number > 0 => PageNumber::Number(number),
                _ => return Err(ApiError::not_found("Invalid page.")),
            },
        };
        Ok(PageRequest { number, size: self.page_size() })
    }

    /// The address of the same list with `name` set to `value`, or removed. All other parameters
    /// stay, sorted by name.
    pub fn link(&self, base: &str, name: &str, value: Option<&str>) -> String {
        let mut pairs: Vec<(&str, &str)> = self
            .pairs
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .filter(|(key, _)| *key != name)
            .chain(value.map(|value| (name, value)))
            .collect();
        pairs.sort_by_key(|(key, _)| *key);
        if pairs.is_empty() {
            return base.to_owned();
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("{base}?{query}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use rstest::rstest;

    #[derive(Debug, PartialEq)]
    enum Status {
        New,
        Closed,
    }

    impl Status {
        fn from_word(word: &str) -> Option<Self> {
            match word {
                "new" => Some(Self::New),
                "closed" => Some(Self::Closed),
                _ => None,
            }
        }
    }

    fn params(query: &str) -> Params {
        Params::of(&TestRequest::with_uri(&format!("/?{query}")).to_http_request())
    }

    #[rstest]
    #[case("", PageNumber::Number(1))]
    #[case("page=", PageNumber::Number(1))]
    #[case("page=+2", PageNumber::Number(2))]
    #[case("page=02", PageNumber::Number(2))]
    #[case("page=1&page=3", PageNumber::Number(3))]
    #[case("page=last", PageNumber::Last)]
    fn takes_a_page(#[case] query: &str, #[case] number: PageNumber) {
        assert_eq!(params(query).page().unwrap().number, number);
    }

    #[rstest]
    #[case("page=0")]
    #[case("page=-1")]
    #[case("page=abc")]
    #[case("page=1.0")]
    #[case("page=LAST")]
    #[case("page=99999999999999999999")]
    fn refuses_a_page(#[case] query: &str) {
        assert!(params(query).page().is_err());
    }

    #[rstest]
    #[case("", 50)]
    #[case("page_size=0", 50)]
    #[case("page_size=x", 50)]
    #[case("page_size=-1", 50)]
    #[case("page_size=1", 1)]
    #[case("page_size=200", 200)]
    #[case("page_size=201", 200)]
    #[case("page_size=99999999999999999999", 200)]
    fn clamps_the_page_size(#[case] query: &str, #[case] size: u32) {
        assert_eq!(params(query).page_size(), size);
    }

    #[rstest]
    #[case("", None)]
    #[case("status=", None)]
    #[case("status=new", Some(vec![Status::New]))]
    #[case("status=new&status=closed", Some(vec![Status::New, Status::Closed]))]
    #[case("status=closed,new,new", Some(vec![Status::Closed, Status::New]))]
    #[case("status=bogus", Some(vec![]))]
    #[case("status=bogus,new", Some(vec![Status::New]))]
    #[case("status=NEW", Some(vec![]))]
    fn reads_choices(#[case] query: &str, #[case] choices: Option<Vec<Status>>) {
        assert_eq!(params(query).choices("status", Status::from_word), choices);
    }

    #[test]
    fn links_keep_the_other_parameters() {
        let params = params("status=new&page=2&search=a%20b");
        assert_eq!(params.link("/x", "page", Some("3")), "/x?page=3&search=a+b&status=new");
        assert_eq!(params.link("/x", "page", None), "/x?search=a+b&status=new");
    }

    #[test]
    fn a_date_means_its_first_moment() {
        let time = params("t=2026-11-24").time("t").unwrap().unwrap();
        assert_eq!(time.to_rfc3339(), "2026-11-24T00:00:00+00:00");
        let exact = params("t=2026-11-24T04:08:03.111736%2B01:00").time("t").unwrap().unwrap();
        assert_eq!(exact.timestamp_subsec_micros(), 111_736);
        for same in
            ["t=2026-11-24T00:00:00", "t=2026-11-24%2000:00:00", "t=2026-11-24T02:00:00+02:00"]
        {
            assert_eq!(params(same).time("t").unwrap(), Some(time), "{same}");
        }
        for wrong in ["t=yesterday", "t=2026-13-01", "t=%2B12026-01-01T00:00:00Z", "t=%20"] {
            assert!(params(wrong).time("t").is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_plus_need_not_be_encoded() {
        let time = |query| params(query).time("t").unwrap().unwrap();
        let encoded = time("t=2026-11-28T10:00%2B0100");
        assert_eq!(time("t=2026-11-28T10:00+0100"), encoded);
        assert_eq!(time("t=2026-11-28+10:00+01:00"), encoded);
    }

    #[rstest]
    #[case("t=0000-01-01T00:00:00%2B00:01")]
    #[case("t=9999-12-31T23:59:59-00:01")]
    #[case("t=9999-12-31T24:00")]
    #[case("t=9999-12-31T23:59:60")]
    fn a_year_that_databases_cannot_store_is_refused(#[case] query: &str) {
        assert!(params(query).time("t").is_err());
    }
}
