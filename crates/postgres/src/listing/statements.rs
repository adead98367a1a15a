//! The statements of a list. Each page is one statement, so its rows and its count belong to the same
//! moment.

use diesel::sql_types::BigInt;
use exit3_domain::paging::{DEFAULT_PAGE_SIZE, Direction, PageNumber, PageRequest, Step};

use super::{Arm, Listing, Way};
use crate::sql::{Conditions, Sql, Value};

/// How many rows a step of a walk looks at before it gathers all matching ones.
const AHEAD: i64 = 1000;

impl Listing {
    /// The statement that reads a page, with the count beside each row; `None` for a page number
    /// that no database can reach.
    pub(crate) fn page<ST>(&self, request: PageRequest) -> Option<Sql<(BigInt, ST)>> {
        let (size, descending) = (i64::from(request.size), self.descending);
        let offset = match request.number {
            PageNumber::Number(1) if matches!(self.way, Way::InOrder) => {
                let page = self.counted(self.begin("SELECT (")).sql("), ");
                return Some(limited(self.in_order(page, None, descending), size));
            }
            PageNumber::Number(1) | PageNumber::Last => None,
            PageNumber::Number(_) => Some(request.offset()?),
        };
        // The last page is read from the end, in reverse.
        let is_last = request.number == PageNumber::Last;
        let descending = descending != is_last;
        let mut page = self.begin("WITH ");
        if let Some((arm, conditions)) = self.way.gathers() {
            page = self.gather(page.sql("found AS MATERIALIZED ("), arm, conditions);
            page = page.sql("), ");
        }
        page = self
            .counted(page.sql("total (n) AS MATERIALIZED ("))
            .sql(") SELECT (SELECT n FROM total), ");
        page = match &self.way {
            Way::InOrder if is_last => {
                let page = self.in_order(page.sql("page.* FROM (SELECT "), None, descending);
                self.key.order(limited(page, size).sql(") page "), descending)
            }
            Way::InOrder => limited(self.in_order(page, offset, descending), size),
            Way::Merged(arms) => self
                .of_keys(page, descending, |page| self.merge(page, arms, offset, size, descending)),
            Way::Gathered(..) | Way::Few(..) => self.of_keys(page, descending, |page| {
                let page = self.key.order_by_names(page.sql("SELECT * FROM found"), descending);
                skipped(limited(page, size), offset)
            }),
        };
        if is_last {
            page = page.sql(" LIMIT (SELECT (n - 1) % ").value(Value::BigInt(size));
            return Some(page.sql(" + 1 FROM total)"));
        }
        Some(if matches!(self.way, Way::InOrder) { skipped(page, offset) } else { page })
    }

    /// The statement that reads the rows of a step, and one more.
    pub(crate) fn step<ST>(&self, step: &Step) -> Sql<ST> {
        let forward = step.direction == Direction::Forward;
        let (size, descending) = (i64::from(step.size) + 1, self.descending == forward);
        match &self.way {
            Way::InOrder => limited(self.in_order(self.begin("SELECT "), None, descending), size),
            Way::Merged(arms) => self.of_keys(self.begin("SELECT "), descending, |step| {
                self.merge(step, arms, None, size, descending)
            }),
            Way::Gathered(arm, conditions) => {
                self.step_gathered(arm.as_ref(), conditions, size, descending)
            }
            Way::Few(conditions, key) => {
                let mut conditions = conditions.clone();
                conditions.add_hidden(&self.beyond(descending));
                if let Some(key) = key {
                    return self.of_keys(self.begin("SELECT "), descending, |step| {
                        let rows = self.gather(step, None, &conditions);
                        limited(key.order(rows, descending), size)
                    });
                }
                // Without OFFSET, the planner might walk along the index of the order.
                self.of_keys(self.begin("SELECT "), descending, |step| {
                    let rows = self.gather(step.sql("SELECT * FROM ("), None, &conditions);
                    let rows = rows.sql(" OFFSET 0) found");
                    limited(self.key.order_by_names(rows, descending), size)
                })
            }
        }
    }

    /// The condition that a row lies beyond the start of a step.
    fn beyond(&self, descending: bool) -> Conditions {
        let mut beyond = Conditions::default();
        if let Some(from) = &self.from {
            beyond.add_beyond(self.key.0, descending, from);
        }
        beyond
    }

    /// First filters the next rows: if many rows match, enough of them are found there. Otherwise
    /// it gathers all matching rows. These may also be many, but only if few of the next rows
    /// match.
    fn step_gathered<ST>(
        &self,
        arm: Option<&Arm>,
        conditions: &Conditions,
        size: i64,
        descending: bool,
    ) -> Sql<ST> {
        let beyond = self.beyond(descending);
        let step = self.begin("WITH ahead AS MATERIALIZED (SELECT ");
        let step = self.key.select(step).sql(" FROM (SELECT * FROM ").sql(self.table);
        let step = self.key.order(step.all_of(&beyond), descending).sql(" LIMIT ");
        let step = step.literal(AHEAD).sql(") ahead").all_of(&self.conditions);
        let step = self.key.order(step, descending).sql(" LIMIT ");
        let step = step.value(Value::BigInt(size)).sql("), found AS MATERIALIZED (");
        let mut rest = conditions.clone();
        rest.add("(SELECT count(*) FROM ahead) < ", Value::BigInt(size), "");
        rest.add_hidden(&beyond);
        let step = self.gather(step, arm, &rest).sql(") SELECT ");
        self.of_keys(step, descending, |step| {
            let step = step.sql("SELECT * FROM ahead WHERE (SELECT count(*) FROM ahead) >= ");
            let step = step.value(Value::BigInt(size)).sql(" UNION ALL SELECT * FROM found");
            limited(self.key.order_by_names(step, descending), size)
        })
    }

    fn begin<ST>(&self, sql: &'static str) -> Sql<ST> {
        if self.plannable { Sql::cached(sql) } else { Sql::planned(sql) }
    }

    fn counted<ST>(&self, statement: Sql<ST>) -> Sql<ST> {
        let Some(except) = &self.except else { return self.counted_all(statement) };
        let statement =
            self.counted_all(statement.sql("SELECT (")).sql(") - (SELECT count(*) FROM ");
        statement.sql(self.table).all_of(&except.rows).sql(")")
    }

    fn counted_all<ST>(&self, statement: Sql<ST>) -> Sql<ST> {
        match (self.counts, &self.way) {
            (Some(counts), _) => statement
                .sql("SELECT coalesce(sum(n), 0)::bigint FROM ")
                .sql(counts)
                .all_of(&self.conditions),
            (None, Way::InOrder) => {
                let statement = statement.sql("SELECT count(*) FROM ").sql(self.table);
                statement.all_of(&self.conditions)
            }
            (None, Way::Gathered(..) | Way::Few(..)) => statement.sql("SELECT count(*) FROM found"),
            (None, Way::Merged(arms)) => {
                let statement = statement.sql("SELECT coalesce(sum(n), 0)::bigint FROM (");
                let statement = union(statement, arms, |statement, arm| {
                    arm.combinations(statement.sql("SELECT found.n"), |each| {
                        let each = each.sql("SELECT count(*) AS n FROM ").sql(self.table);
                        arm.few(arm.within(each, false))
                    })
                });
                statement.sql(") counts")
            }
        }
    }

    /// The rows of a list whose conditions are at most bounds of its order. The condition on the
    /// offset does not depend on the row: the planner evaluates it once, and reads no rows for a
    /// page beyond the end.
    fn in_order<ST>(&self, statement: Sql<ST>, offset: Option<i64>, descending: bool) -> Sql<ST> {
        let mut conditions = self.conditions.clone();
        if let Some(except) = &self.except {
            conditions.add_sql(except.others);
        }
        if let Some(offset) = offset {
            conditions.add("", Value::BigInt(offset), " < (SELECT n FROM total)");
        }
        if let Some(from) = &self.from {
            conditions.add_beyond(self.key.0, descending, from);
        }
        let statement = statement.sql(self.columns).sql(" FROM ").sql(self.table);
        self.key.order(statement.all_of(&conditions), descending)
    }

    /// The keys of a page: the first ones among the first of each arm.
    pub(super) fn merge<ST>(
        &self,
        statement: Sql<ST>,
        arms: &[Arm],
        offset: Option<i64>,
        size: i64,
        descending: bool,
    ) -> Sql<ST> {
        let reach = offset.unwrap_or_default().saturating_add(size);
        let statement = union(statement, arms, |statement, arm| {
            arm.combinations(statement.sql("SELECT found.*"), |each| {
                let each = self.key.select(each.sql("SELECT ")).sql(" FROM ").sql(self.table);
                let mut each = arm.within(each, descending);
                if let Some(except) = &self.except {
                    each = each.sql(" AND ").sql(except.others);
                }
                if let Some(offset) = offset {
                    let offset = Value::BigInt(offset);
                    each = each.sql(" AND ").value(offset).sql(" < (SELECT n FROM total)");
                }
                limited(arm.order(each, descending), reach)
            })
        });
        let statement = self.key.order_by_names(statement, descending);
        skipped(limited(statement, size), offset)
    }

    /// The keys of all matching rows.
    fn gather<ST>(
        &self,
        statement: Sql<ST>,
        arm: Option<&Arm>,
        conditions: &Conditions,
    ) -> Sql<ST> {
        let rows = |statement: Sql<ST>| {
            self.key.select(statement.sql("SELECT ")).sql(" FROM ").sql(self.table)
        };
        match arm {
            None => rows(statement).all_of(conditions),
            Some(arm) => arm.combinations(statement.sql("SELECT found.*"), |each| {
                arm.few(arm.within(rows(each), false)).and_all_of(conditions)
            }),
        }
    }

    /// The rows with the keys of `keys`, in order.
    fn of_keys<ST>(
        &self,
        statement: Sql<ST>,
        descending: bool,
        keys: impl FnOnce(Sql<ST>) -> Sql<ST>,
    ) -> Sql<ST> {
        let statement = keys(statement.sql(self.columns).sql(" FROM ("));
        let statement = statement.sql(") page JOIN ").sql(self.table).sql(" ON id = ");
        self.key.order_by_names(self.key.id(statement), descending)
    }
}

/// The union of the rows of each arm.
fn union<ST>(
    mut statement: Sql<ST>,
    arms: &[Arm],
    mut rows: impl FnMut(Sql<ST>, &Arm) -> Sql<ST>,
) -> Sql<ST> {
    for (place, arm) in arms.iter().enumerate() {
        statement = rows(statement.sql(if place == 0 { "" } else { " UNION ALL " }), arm);
    }
    statement
}

/// Usual page sizes are part of the text, so that the planner sees them, makes one good plan and
/// keeps it. Other sizes are planned each time.
fn limited<ST>(statement: Sql<ST>, size: i64) -> Sql<ST> {
    let statement = statement.sql(" LIMIT ");
    let usual = i64::from(DEFAULT_PAGE_SIZE);
    if size == usual || size == usual + 1 {
        statement.literal(size)
    } else {
        statement.value(Value::BigInt(size))
    }
}

fn skipped<ST>(statement: Sql<ST>, offset: Option<i64>) -> Sql<ST> {
    match offset {
        Some(offset) => statement.sql(" OFFSET ").value(Value::BigInt(offset)),
        None => statement,
    }
}
