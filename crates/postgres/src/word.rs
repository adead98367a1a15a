//! Words that stand for the values of an enumeration.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::Text;
use exit3_domain::leads::{LeadCategory, LeadSource, LeadStatus};

/// One word of a fixed set, stored as a text.
#[derive(Debug, FromSqlRow)]
#[diesel(sql_type = Text)]
pub(crate) struct Word<T>(pub(crate) T);

macro_rules! word {
    ($choice:ty) => {
        impl FromSql<Text, Pg> for Word<$choice> {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                let word = std::str::from_utf8(value.as_bytes())?;
                let choice = <$choice>::from_word(word);
                choice.map(Self).ok_or_else(|| concat!("not a ", stringify!($choice)).into())
            }
        }
    };
}

word!(LeadSource);
word!(LeadStatus);
word!(LeadCategory);
