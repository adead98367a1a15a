//! What the address of the list of subscribers asks for.

use exit3_domain::subscribers::{SubscriberFilter, SubscriberSort};

use crate::asked;
use crate::asked::Filters;

/// What the address of the list of subscribers asks for.
pub(super) type Asked = asked::Asked<SubscriberFilters>;

/// The filters of the list of subscribers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SubscriberFilters {
    /// Only those who want the newsletter, or only those who do not.
    pub(super) is_subscribed: Option<bool>,
}

impl Filters for SubscriberFilters {
    type Sort = SubscriberSort;

    const PATH: &'static str = super::LIST;

    fn read(&mut self, name: &str, value: &str) {
        if name == "subscribed" {
            self.is_subscribed = value.parse().ok();
        }
    }

    fn fields(&self) -> Vec<(&'static str, Option<String>)> {
        vec![("subscribed", self.is_subscribed.map(|wanted| wanted.to_string()))]
    }

    fn is_largest_first(by: SubscriberSort) -> bool {
        matches!(by, SubscriberSort::Id | SubscriberSort::IsSubscribed)
    }
}

impl SubscriberFilters {
    /// The filter with these words.
    pub(super) fn filter(&self, words: Vec<String>) -> SubscriberFilter {
        SubscriberFilter { is_subscribed: self.is_subscribed, words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use exit3_domain::paging::Direction;
    use exit3_domain::subscribers::{Subscriber, SubscriberId};
    use rstest::rstest;

    #[rstest]
    #[case("")]
    #[case("q=ana%40acme&subscribed=false&sort=email&size=25")]
    #[case("subscribed=true&sort=is_subscribed&before=3&at=true")]
    #[case("after=7&count=exact")]
    fn a_list_is_read_back_from_its_address(#[case] query: &str) {
        assert_eq!(Asked::read(query).query(), query);
    }

    #[rstest]
    #[case("", "after=7")]
    #[case("sort=email", "sort=email&after=7&at=a.b%40acme.hr")]
    #[case("sort=-is_subscribed", "sort=-is_subscribed&after=7&at=true")]
    fn every_order_has_positions(#[case] query: &str, #[case] beside: &str) {
        let row = Subscriber {
            id: SubscriberId(7),
            email: "a.b@acme.hr".to_owned(),
            is_subscribed: true,
        };
        let asked = Asked::read(query).beside(Direction::Forward, &row);
        assert_eq!(asked.query(), beside);
        assert_eq!(Asked::read(beside).position(), Some(asked.order.position(&row)));
    }

    #[test]
    fn what_is_malformed_does_not_restrict() {
        assert_eq!(
            Asked::read("subscribed=maybe&sort=no&at=x"),
            Asked { at: Some("x".to_owned()), ..Asked::default() }
        );
        assert_eq!(Asked::read("sort=is_subscribed&after=7&at=maybe").position(), None);
    }
}
