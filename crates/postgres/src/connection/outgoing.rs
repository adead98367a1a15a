//! A query as it is sent: its text and the bytes of its values.

use std::error::Error as StdError;
use std::fmt;

use diesel::QueryResult;
use diesel::pg::{Pg, PgMetadataLookup, PgQueryBuilder, PgTypeMetadata};
use diesel::query_builder::bind_collector::RawBytesBindCollector;
use diesel::query_builder::{QueryBuilder, QueryFragment};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type};

/// The types of values, for log lines. Values must not be logged.
pub(super) struct Types<'a>(pub(super) &'a [Bind]);

impl fmt::Display for Types<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|bind| write!(formatter, "{} ", bind.type_.name()))
    }
}

/// A query as it is sent.
pub(super) struct Outgoing {
    pub(super) sql: String,
    pub(super) binds: Vec<Bind>,
    pub(super) cacheable: bool,
}

impl Outgoing {
    pub(super) fn of(query: &impl QueryFragment<Pg>) -> QueryResult<Self> {
        let mut sql = PgQueryBuilder::default();
        query.to_sql(&mut sql, &Pg)?;
        let mut collector = RawBytesBindCollector::<Pg>::new();
        query.collect_binds(&mut collector, &mut BuiltInTypes, &Pg)?;
        let binds = collector.metadata.into_iter().zip(collector.binds);
        let binds = binds.map(|(metadata, bytes)| Bind {
            type_: metadata.oid().ok().and_then(Type::from_oid).unwrap_or(Type::UNKNOWN),
            bytes,
        });
        Ok(Self {
            sql: sql.finish(),
            binds: binds.collect(),
            cacheable: query.is_safe_to_cache_prepared(&Pg)?,
        })
    }
}

/// The adapter only uses types that every PostgreSQL has.
struct BuiltInTypes;

impl PgMetadataLookup for BuiltInTypes {
    fn lookup_type(&mut self, _: &str, _: Option<&str>) -> PgTypeMetadata {
        PgTypeMetadata::new(0, 0)
    }
}

/// A value of a query, in the binary format of its type.
pub(super) struct Bind {
    pub(super) type_: Type,
    bytes: Option<Vec<u8>>,
}

impl fmt::Debug for Bind {
    /// `tokio-postgres` logs values at level debug; they are personal data.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.type_.name())
    }
}

impl ToSql for Bind {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        let Some(bytes) = &self.bytes else {
            return Ok(IsNull::Yes);
        };
        out.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(
        &self,
        type_: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        self.to_sql(type_, out)
    }
}
