//! Filters and orders of lists of clients, and the totals of what they pay.

use super::{Client, Money, MoneyTotal};
use crate::choice::{choice, chosen};
use crate::leads::{LeadCategory, LeadId};
use crate::order::{Order, Sort, SortColumn};

/// Selects clients. `None` does not restrict; an empty set matches nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientFilter {
    /// One of these categories.
    pub categories: Option<Vec<LeadCategory>>,
    /// Of this team, compared exactly.
    pub team_id: Option<String>,
    /// The client that this lead became.
    pub lead: Option<LeadId>,
    /// Only those with a contract (`true`), or only those without one (`false`).
    pub has_contract: Option<bool>,
    /// Folded words. Each must be in the client's search document, or in that of its lead.
    pub words: Vec<String>,
}

impl ClientFilter {
    /// The words allowed for `category`, without duplicates; `None` allows all.
    pub fn category_words(&self) -> Option<Vec<&'static str>> {
        chosen(self.categories.as_ref())
    }
}

/// What the clients of a list pay together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClientTotals {
    /// The number of clients.
    pub count: u64,
    /// The sum of the monthly charges.
    pub monthly: MoneyTotal,
    /// The sum of the one-time charges.
    pub one_time: MoneyTotal,
}

choice! {
    /// The sort key of a list of clients.
    ClientSort {
        Id = "id",
        TeamId = "team_id",
        MonthlyCharge = "monthly_charge",
        OneTimeCharge = "one_time_charge",
    }
}

/// The order of a list of clients.
pub type ClientOrder = Order<ClientSort>;

/// A missing charge sorts like a charge of 0.
fn hundredths(charge: Option<Money>) -> i64 {
    charge.map_or(0, Money::hundredths)
}

impl Sort for ClientSort {
    type Row = Client;

    const LIST: &'static str = "clients";
    const NEWEST: ClientOrder = Order { by: Self::Id, descending: true };

    fn columns(self) -> &'static [SortColumn<Client>] {
        match self {
            Self::Id => &[],
            Self::TeamId => &[SortColumn::Text(|client| &client.details.team_id)],
            Self::MonthlyCharge => {
                &[SortColumn::Number(|client| hundredths(client.details.monthly_charge))]
            }
            Self::OneTimeCharge => {
                &[SortColumn::Number(|client| hundredths(client.details.one_time_charge))]
            }
        }
    }

    fn id(client: &Client) -> i64 {
        client.id.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;
    use rstest::rstest;

    /// Cursors that were given out contain these texts.
    #[rstest]
    #[case(ClientSort::Id, &[])]
    #[case(ClientSort::TeamId, &["T1"])]
    #[case(ClientSort::MonthlyCharge, &["120050"])]
    #[case(ClientSort::OneTimeCharge, &["0"])]
    fn stands_in_an_order_by_its_values(#[case] by: ClientSort, #[case] texts: &[&str]) {
        let order = ClientOrder { by, ..ClientOrder::default() };
        let position = order.position(&example());
        assert!(position.texts().iter().eq(texts), "{position:?}");
        assert_eq!(position.id, 7);
        assert_eq!(order.parse(&position.texts(), 7), Some(position));
    }
}
