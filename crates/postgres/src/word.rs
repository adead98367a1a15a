//! Words that stand for the values of an enumeration.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::Text;
use exit3_domain::choice::Choice;

/// One word of a fixed set, stored as a text.
#[derive(Debug, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct Word<T>(pub T);

impl<T: Choice> FromSql<Text, Pg> for Word<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let word = std::str::from_utf8(value.as_bytes())?;
        T::from_word(word).map(Self).ok_or_else(|| format!("none of {:?}", T::WORDS).into())
    }
}
