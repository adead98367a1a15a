//! Writes that store their events in the same statement.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz};
use exit3_domain::events::{Act, Author, Changes};

use crate::sql::Sql;

const INSERT: &str =
    "INSERT INTO events (at, actor, batch, request, verb, resource, changes, resource_id) SELECT ";

/// Who did it, when, and on which occasion, as columns.
#[derive(Clone)]
struct ActRow {
    at: DateTime<Utc>,
    actor: String,
    batch: Option<String>,
    request: Option<String>,
}

impl From<&Act> for ActRow {
    fn from(act: &Act) -> Self {
        let Act { author: Author { actor, request, batch }, at } = act;
        Self {
            at: *at,
            actor: actor.to_string(),
            batch: batch.as_ref().map(|batch| batch.0.to_string()),
            request: request.as_deref().map(str::to_owned),
        }
    }
}

/// An event of a write, without the ids of the rows.
#[derive(Clone)]
pub struct EventRow {
    act: ActRow,
    verb: String,
    resource: &'static str,
    changes: Option<String>,
}

impl EventRow {
    /// The event of an action by `act` on a row of this kind.
    pub fn of(act: &Act, resource: &'static str, action: &str, changes: &Changes) -> Self {
        let verb = format!("{resource}.{action}");
        Self { act: ActRow::from(act), verb, resource, changes: changes.to_text() }
    }

    /// Writes the statement that stores the event for each row of `from`, which has a column `id`.
    pub(crate) fn insert<'b>(
        &'b self,
        out: &mut AstPass<'_, 'b, Pg>,
        from: &'static str,
    ) -> QueryResult<()> {
        let Self { act: ActRow { at, actor, batch, request }, verb, resource, changes } = self;
        out.push_sql(INSERT);
        out.push_bind_param::<Timestamptz, _>(at)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(actor)?;
        for text in [batch, request] {
            out.push_sql(", ");
            out.push_bind_param::<Nullable<Text>, _>(text)?;
        }
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(verb)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(resource)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(changes)?;
        out.push_sql(", id FROM ");
        out.push_sql(from);
        Ok(())
    }
}

/// A statement that writes rows and returns their columns, together with an event for each row that
/// it returns. Without an event it is the statement alone. Its text is always the same, so it stays
/// prepared.
pub(crate) struct Noted<Q> {
    before: Vec<(&'static str, Sql)>,
    /// A write before that of the rows, and its event.
    first: Option<(&'static str, Sql, EventRow)>,
    write: Q,
    /// The event, and the rows that it is about.
    event: Option<(EventRow, &'static str)>,
    beside: Vec<(&'static str, Sql)>,
    returned: &'static str,
}

impl<Q> Noted<Q> {
    pub(crate) fn new(write: Q, event: impl Into<Option<EventRow>>) -> Self {
        let event = event.into().map(|event| (event, "written"));
        let (before, beside) = (Vec::new(), Vec::new());
        Self { before, first: None, write, event, beside, returned: "written" }
    }

    /// Adds a query, under a name that the statement uses.
    pub(crate) fn after(mut self, name: &'static str, query: Sql) -> Self {
        self.before.push((name, query));
        self
    }

    /// Adds a write that comes first, with an event for each row that it returns, under a name that
    /// the statement uses.
    pub(crate) fn after_write(mut self, name: &'static str, write: Sql, event: EventRow) -> Self {
        self.first = Some((name, write, event));
        self
    }

    /// Adds another write, which may use the rows of `written`.
    pub(crate) fn beside(mut self, name: &'static str, write: Sql) -> Self {
        self.beside.push((name, write));
        self
    }

    /// Returns the rows of another write, which must have columns of the same types.
    pub(crate) fn returning(mut self, name: &'static str) -> Self {
        self.returned = name;
        self
    }

    /// Leaves the event for each row of `from`, which has a column `id`, not of `written`.
    pub(crate) fn about(mut self, from: &'static str) -> Self {
        self.event = self.event.map(|(event, _)| (event, from));
        self
    }
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Noted<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let is_alone = self.event.is_none() && self.first.is_none();
        if is_alone && self.before.is_empty() && self.beside.is_empty() {
            return self.write.walk_ast(out);
        }
        out.push_sql("WITH ");
        if let Some((name, write, event)) = &self.first {
            out.push_sql(name);
            out.push_sql(" AS (");
            write.walk_ast(out.reborrow())?;
            out.push_sql("), noted_first AS (");
            event.insert(&mut out, name)?;
            out.push_sql("), ");
        }
        for (name, query) in &self.before {
            out.push_sql(name);
            out.push_sql(" AS (");
            query.walk_ast(out.reborrow())?;
            out.push_sql("), ");
        }
        out.push_sql("written AS (");
        self.write.walk_ast(out.reborrow())?;
        if let Some((event, from)) = &self.event {
            out.push_sql("), noted AS (");
            event.insert(&mut out, from)?;
        }
        for (name, write) in &self.beside {
            out.push_sql("), ");
            out.push_sql(name);
            out.push_sql(" AS (");
            write.walk_ast(out.reborrow())?;
        }
        out.push_sql(") SELECT * FROM ");
        out.push_sql(self.returned);
        Ok(())
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q> QueryId for Noted<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Noted<Q> {
    type SqlType = Q::SqlType;
}

/// A statement that writes a row, another one that follows from it, and the events of both. It
/// returns the columns of the first, and whether the second has written anything.
pub(crate) struct NotedBoth<Q> {
    write: Q,
    event: EventRow,
    follow: Sql,
    of_follow: EventRow,
}

impl<Q> NotedBoth<Q> {
    /// `follow` refers to the row of `write` as `written`, and returns the ids of its own rows.
    pub(crate) fn new(write: Q, event: EventRow, follow: Sql, of_follow: EventRow) -> Self {
        Self { write, event, follow, of_follow }
    }
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for NotedBoth<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH written AS (");
        self.write.walk_ast(out.reborrow())?;
        out.push_sql("), noted AS (");
        self.event.insert(&mut out, "written")?;
        out.push_sql("), followed AS (");
        self.follow.walk_ast(out.reborrow())?;
        out.push_sql("), noted_too AS (");
        self.of_follow.insert(&mut out, "followed")?;
        out.push_sql(") SELECT *, EXISTS (SELECT FROM followed) FROM written");
        Ok(())
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q> QueryId for NotedBoth<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for NotedBoth<Q> {
    type SqlType = (Q::SqlType, Bool);
}

/// A statement that writes several rows, each on behalf of a caller of its own, together with an
/// event for each row. The acts are in the order of the rows' ids. If a trigger of somebody else
/// leaves out some of the rows, the statement divides by zero, so that none is stored: nobody could
/// tell which rows are missing.
pub(crate) struct NotedEach<Q> {
    write: Q,
    verb: String,
    resource: &'static str,
    count: i64,
    at: Vec<DateTime<Utc>>,
    actors: Vec<String>,
    batches: Vec<Option<String>>,
    requests: Vec<Option<String>>,
}

impl<Q> NotedEach<Q> {
    /// The events have no changes.
    pub(crate) fn new<'a>(
        write: Q,
        resource: &'static str,
        action: &str,
        acts: impl Iterator<Item = &'a Act>,
    ) -> Self {
        let mut each = Self {
            write,
            verb: format!("{resource}.{action}"),
            resource,
            count: 0,
            at: Vec::new(),
            actors: Vec::new(),
            batches: Vec::new(),
            requests: Vec::new(),
        };
        for act in acts {
            let ActRow { at, actor, batch, request } = ActRow::from(act);
            each.count += 1;
            each.at.push(at);
            each.actors.push(actor);
            each.batches.push(batch);
            each.requests.push(request);
        }
        each
    }
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for NotedEach<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH written AS (");
        self.write.walk_ast(out.reborrow())?;
        out.push_sql("), noted AS (");
        out.push_sql(INSERT);
        out.push_sql("act.at, act.actor, act.batch, act.request, ");
        out.push_bind_param::<Text, _>(&self.verb)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.resource)?;
        out.push_sql(
            ", NULL, numbered.id \
             FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM written) numbered \
             JOIN unnest(",
        );
        out.push_bind_param::<Array<Timestamptz>, _>(&self.at)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.actors)?;
        for texts in [&self.batches, &self.requests] {
            out.push_sql(", ");
            out.push_bind_param::<Array<Nullable<Text>>, _>(texts)?;
        }
        out.push_sql(
            ") WITH ORDINALITY AS act (at, actor, batch, request, n) USING (n)) \
             SELECT * FROM written WHERE 1 / (SELECT CASE count(*) WHEN ",
        );
        out.push_bind_param::<BigInt, _>(&self.count)?;
        out.push_sql(" THEN 1 ELSE 0 END FROM written) = 1");
        Ok(())
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q> QueryId for NotedEach<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for NotedEach<Q> {
    type SqlType = Q::SqlType;
}
