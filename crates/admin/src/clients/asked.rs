//! What the address of the list of clients asks for.

use exit3_domain::clients::{ClientFilter, ClientSort};
use exit3_domain::leads::LeadCategory;

use crate::asked;
use crate::asked::Filters;

/// What the address of the list of clients asks for.
pub(super) type Asked = asked::Asked<ClientFilters>;

/// The longest name of a team, in characters.
const LONGEST_TEAM: usize = 100;

/// The filters of the list of clients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ClientFilters {
    pub(super) category: Option<LeadCategory>,
    /// Only those of this team; empty for all.
    pub(super) team: String,
    /// Only those with a contract, or only those without one.
    pub(super) has_contract: Option<bool>,
}

impl Filters for ClientFilters {
    type Sort = ClientSort;

    const PATH: &'static str = super::LIST;

    fn read(&mut self, name: &str, value: &str) {
        match name {
            "category" => self.category = LeadCategory::from_word(value),
            // No stored text contains NUL.
            "team" => {
                self.team = value.chars().filter(|c| *c != '\0').take(LONGEST_TEAM).collect();
            }
            "contract" => self.has_contract = value.parse().ok(),
            _ => {}
        }
    }

    fn fields(&self) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("category", self.category.map(|word| word.to_string())),
            ("team", Some(self.team.clone()).filter(|team| !team.is_empty())),
            ("contract", self.has_contract.map(|has| has.to_string())),
        ]
    }

    fn is_largest_first(by: ClientSort) -> bool {
        by != ClientSort::TeamId
    }
}

impl ClientFilters {
    /// The filter with these words.
    pub(super) fn filter(&self, words: Vec<String>) -> ClientFilter {
        ClientFilter {
            categories: self.category.map(|category| vec![category]),
            team_id: Some(self.team.clone()).filter(|team| !team.is_empty()),
            has_contract: self.has_contract,
            words,
            ..ClientFilter::default()
        }
    }

    /// Whether a filter is chosen that is hidden until somebody opens the others.
    pub(super) fn has_more(&self) -> bool {
        *self != Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use exit3_domain::clients::{Client, ClientId, Money, NewClient};
    use exit3_domain::paging::Direction;
    use rstest::rstest;

    #[rstest]
    #[case("")]
    #[case("q=acme&category=web_dev&team=T+1&contract=false&sort=-monthly_charge&size=25")]
    #[case("sort=team_id&after=3&at=T.1")]
    #[case("sort=team_id&after=3&at=+T+")]
    fn a_list_is_read_back_from_its_address(#[case] query: &str) {
        assert_eq!(Asked::read(query).query(), query);
    }

    #[rstest]
    #[case("", "after=7")]
    #[case("sort=team_id", "sort=team_id&after=7&at=T.1")]
    #[case("sort=monthly_charge", "sort=monthly_charge&after=7&at=120050")]
    #[case("sort=-one_time_charge", "sort=-one_time_charge&after=7&at=0")]
    fn every_order_has_positions(#[case] query: &str, #[case] beside: &str) {
        let details = NewClient {
            lead: None,
            team_id: "T.1".to_owned(),
            monthly_charge: Money::charge(120_050),
            one_time_charge: None,
            contract_file: None,
            short_description: String::new(),
            category: LeadCategory::WebDev,
        };
        let row = Client { id: ClientId(7), details };
        let asked = Asked::read(query).beside(Direction::Forward, &row);
        assert_eq!(asked.query(), beside);
        assert_eq!(Asked::read(beside).position(), Some(asked.order.position(&row)));
    }

    #[test]
    fn what_is_malformed_does_not_restrict() {
        let filters = Asked::read("category=no&contract=maybe&team=%00").filters;
        assert_eq!(filters, ClientFilters::default());
    }
}
