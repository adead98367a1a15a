//! How lists of leads are read.

mod arms;

pub(in crate::leads) use arms::choices;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use exit3_domain::leads::{Lead, LeadFilter, LeadOwner, LeadSort};
use exit3_domain::order::{ListPosition, SortValue};
use exit3_ports::StoreError;

use super::row::{COLUMNS, LeadRow, LeadTypes};
use crate::listing::Indexed;
use crate::merge::Arm;
use crate::search;
use crate::sql::Sql;
use crate::values::{microseconds, microseconds_rounded_up};
use crate::window::Access;

impl Indexed for LeadFilter {
    type Sort = LeadSort;
    type Row = LeadRow;
    type Types = LeadTypes;

    const TABLE: &'static str = "leads";
    const COLUMNS: &'static str = COLUMNS;

    fn key(by: LeadSort) -> &'static [&'static str] {
        match by {
            LeadSort::CreatedAt => &["created_at", "id"],
            LeadSort::UpdatedAt => &["updated_at", "id"],
            LeadSort::FullName => &["full_name", "id"],
            LeadSort::CompanyName => &["coalesce(company_name, '')", "id"],
            LeadSort::Status => &["status", "created_at", "id"],
            LeadSort::NextStepAt => &["next_step_at", "id"],
        }
    }

    fn read(row: LeadRow) -> Result<Lead, StoreError> {
        row.try_into()
    }

    fn words(&self) -> &[String] {
        &self.words
    }

    const CHECKED: &'static str =
        "id, created_at, status, source, category, owner_id, next_step_at, search_document";

    fn conditions<ST>(&self, select: &mut Sql<ST>) {
        bounds(self, select);
        work(self, select);
        if !self.words.is_empty() || self.own_arm().is_some() {
            // With very many words, the arms do not restrict the choices.
            arms::choices(select, self);
            select.words(&self.words);
        }
        if !self.is_counted() || arms::is_chosen(self) {
            select.sql(" AND in_time()");
        }
    }

    /// At most one value of one choice.
    fn is_common(&self) -> bool {
        let values = self.choices().iter().flatten().map(Vec::len).sum::<usize>();
        self.is_counted() && values <= 1
    }

    fn own_arm(&self) -> Option<Arm> {
        arms::own(self)
    }

    fn range<ST>(&self, by: LeadSort, select: &mut Sql<ST>) {
        if matches!(by, LeadSort::CreatedAt | LeadSort::Status) {
            bounds(self, select);
        }
    }

    fn query(&self) -> Option<String> {
        search::query(&self.words)
    }

    fn stored_count(&self) -> Option<Sql<BigInt>> {
        self.choice_count().filter(|_| self.is_counted())
    }

    fn choice_count(&self) -> Option<Sql<BigInt>> {
        let mut select = Sql::new("SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1");
        arms::choices(&mut select, self);
        Some(select)
    }

    fn difference(&self) -> Option<(Self, Self)> {
        self.difference()
    }

    /// Bounds on the time only follow the order of time, and the index of owners has no other. That
    /// of next steps has them in their order.
    fn is_unordered(&self, by: LeadSort) -> bool {
        match self.owner {
            Some(LeadOwner::Staff(_)) => return by != LeadSort::CreatedAt,
            _ if self.due.is_some() => return by != LeadSort::NextStepAt,
            Some(LeadOwner::Somebody) => return true,
            Some(LeadOwner::Nobody) | None => {}
        }
        self.is_bounded() && !matches!(by, LeadSort::CreatedAt | LeadSort::Status)
    }

    fn arms(
        &self,
        connection: &mut SqliteConnection,
        access: Access,
        by: LeadSort,
    ) -> QueryResult<Vec<Arm>> {
        arms::arms(connection, self, access, by)
    }

    fn beyond<'a>(
        &self,
        by: LeadSort,
        from: Option<&'a ListPosition>,
        descending: bool,
    ) -> (Self, Option<&'a ListPosition>) {
        match by {
            LeadSort::CreatedAt => self.beyond(from, descending),
            _ => (self.clone(), from),
        }
    }

    fn begins_beyond(&self, from: &ListPosition, descending: bool) -> bool {
        match from.values.as_slice() {
            // Within one status, the order is that of time.
            [SortValue::Word(_), SortValue::Time(at)] => self.begins_beyond(*at, descending),
            _ => false,
        }
    }
}

/// Adds the conditions on the time of creation.
fn bounds<ST>(filter: &LeadFilter, select: &mut Sql<ST>) {
    if let Some(after) = filter.created_after {
        select.sql(" AND created_at >= ").int(microseconds_rounded_up(after));
    }
    if let Some(before) = filter.created_before {
        select.sql(" AND created_at < ").int(microseconds_rounded_up(before));
    }
}

/// Adds the conditions on owner and next step.
pub(in crate::leads) fn work<ST>(filter: &LeadFilter, select: &mut Sql<ST>) {
    match filter.owner {
        None => {}
        Some(LeadOwner::Staff(id)) => {
            select.sql(" AND owner_id = ").int(id.0);
        }
        Some(LeadOwner::Somebody) => {
            select.sql(" AND owner_id IS NOT NULL");
        }
        Some(LeadOwner::Nobody) => {
            select.sql(" AND owner_id IS NULL");
        }
    }
    if let Some(due) = filter.due {
        select.sql(" AND next_step_at <= ").int(microseconds(due));
    }
}
