//! Values in PostgreSQL's binary format.

use std::error::Error;

use exit3_ports::{Kind, Shape, Value};
use tokio_postgres::Row;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

/// 2000-01-01, PostgreSQL's epoch, in microseconds since 1970.
const EPOCH: i64 = 946_684_800_000_000;

/// The PostgreSQL type of a column.
pub(super) fn type_of(kind: Kind) -> Type {
    match kind {
        Kind::Integer => Type::INT8,
        Kind::Boolean => Type::BOOL,
        Kind::Text => Type::TEXT,
        Kind::Time => Type::TIMESTAMPTZ,
        Kind::Bytes => Type::BYTEA,
    }
}

/// Reads the value of a column.
pub(super) fn read(row: &Row, at: usize, kind: Kind) -> Result<Value, tokio_postgres::Error> {
    Ok(match kind {
        Kind::Integer => row.try_get::<_, Option<i64>>(at)?.map(Value::Integer),
        Kind::Boolean => row.try_get::<_, Option<bool>>(at)?.map(Value::Boolean),
        Kind::Text => row.try_get::<_, Option<String>>(at)?.map(Value::Text),
        Kind::Time => row.try_get::<_, Option<Time>>(at)?.map(|Time(time)| Value::Time(time)),
        Kind::Bytes => row.try_get::<_, Option<Vec<u8>>>(at)?.map(Value::Bytes),
    }
    .unwrap_or(Value::Null))
}

/// A time in microseconds since 1970.
struct Time(i64);

impl FromSql<'_> for Time {
    fn from_sql(type_: &Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let time = i64::from_sql(type_, raw)?;
        Ok(Self(time.checked_add(EPOCH).ok_or("a time that does not end")?))
    }

    accepts!(TIMESTAMPTZ);
}

/// A value that is written to a column of its type.
#[derive(Debug)]
pub(super) struct Bind<'a>(pub(super) &'a Value);

impl ToSql for Bind<'_> {
    fn to_sql(
        &self,
        type_: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Integer(number) => number.to_sql(type_, out),
            Value::Boolean(truth) => truth.to_sql(type_, out),
            Value::Text(text) => text.to_sql(type_, out),
            Value::Time(time) => {
                time.checked_sub(EPOCH).ok_or("a time too far away")?.to_sql(type_, out)
            }
            Value::Bytes(bytes) => bytes.to_sql(type_, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The statement that updates one row, and the types of its values.
pub(super) fn update(shape: &Shape) -> (String, Vec<Type>) {
    let columns = shape.columns.iter().map(|column| (column.name, type_of(column.kind)));
    let document = (!shape.table.searched_by.is_empty()).then_some(("search_document", Type::TEXT));
    let (names, types): (Vec<_>, Vec<_>) = columns.chain(document).unzip();
    let sets = names.iter().enumerate().skip(1);
    let sets: Vec<_> = sets.map(|(at, name)| format!("\"{name}\" = ${}", at + 1)).collect();
    (format!("UPDATE \"{}\" SET {} WHERE id = $1", shape.table.name, sets.join(", ")), types)
}
