//! The trigram index of the search documents of leads.
//!
//! `lead_search` says which leads may contain a word. It is filled after commits, so it may lack
//! the newest leads (those above `indexed_to`) and may be wrong about those in the queue. Searches
//! look at both kinds row by row. They compare every document with the words, so an entry of the
//! index that is out of date finds nothing.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use exit3_ports::StoreError;

use crate::error::from_diesel;
use crate::sql::Sql;
use crate::store::SqliteStore;

/// The length of an entry of the index, in characters.
const TRIGRAM: usize = 3;
/// For words up to this length, every third trigram suffices. Longer ones are addresses, and their
/// rare trigrams must not be left out.
const SHORT: usize = 14;
/// The most trigrams in a query. Each costs the reading of its leads.
const MOST: usize = 32;

/// The query of the index that finds all leads with these words; `None` if the index cannot help.
pub(crate) fn query(words: &[String]) -> Option<String> {
    let mut trigrams: Vec<String> = Vec::new();
    // The query language ends at a NUL. No document contains one.
    for word in words.iter().filter(|word| !word.contains('\0')) {
        let letters: Vec<char> = word.chars().take(1000).collect();
        let step = if letters.len() > SHORT { 1 } else { TRIGRAM };
        let last = letters.len().saturating_sub(TRIGRAM);
        let all = letters.windows(TRIGRAM).enumerate();
        for (_, trigram) in all.filter(|(at, _)| at.is_multiple_of(step) || *at == last) {
            let quoted = format!("\"{}\"", String::from_iter(trigram).replace('"', "\"\""));
            if !trigrams.contains(&quoted) && trigrams.len() < MOST {
                trigrams.push(quoted);
            }
        }
    }
    (!trigrams.is_empty()).then(|| trigrams.join(" AND "))
}

/// The ids of all leads that may contain the words of a [`query`], some of them twice. `None` if they
/// are more than `most`.
pub(crate) fn candidates(
    connection: &mut SqliteConnection,
    query: &str,
    most: u64,
) -> QueryResult<Option<Vec<i64>>> {
    let mut select = Sql::<BigInt>::new("SELECT rowid FROM lead_search WHERE lead_search MATCH ");
    select.text(query).sql(
        " UNION ALL SELECT id FROM lead_search_queue UNION ALL SELECT id FROM leads \
         WHERE id > (SELECT indexed_to FROM lead_search_state) LIMIT ",
    );
    select.int(i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1));
    let ids: Vec<i64> = select.load(connection)?;
    Ok((ids.len() as u64 <= most).then_some(ids))
}

/// Whether a lead is missing in the index, or may be in it as it was before.
const IS_BEHIND: &str = "SELECT EXISTS (SELECT 1 FROM lead_search_queue) OR EXISTS (SELECT 1 \
    FROM leads WHERE id > (SELECT indexed_to FROM lead_search_state))";

/// Brings the index up to date for at most `most` leads, in a transaction of its own. Returns their
/// number; 0 if there is nothing left to do.
pub(crate) async fn index(store: &SqliteStore, most: u32) -> Result<u64, StoreError> {
    // Reads first, so that nothing is written if there is nothing to do.
    let is_behind = |connection: &mut SqliteConnection| {
        Sql::<Bool>::new(IS_BEHIND).get_result::<bool>(connection)
    };
    if !store.readers.run(is_behind).await? {
        return Ok(0);
    }
    let index = move |connection: &mut SqliteConnection| {
        let queued = index_queue(connection, most.into()).map_err(from_diesel)?;
        let rest = i64::from(most).saturating_sub_unsigned(queued);
        let added = index_tail(connection, rest).map_err(from_diesel)?;
        Ok(queued.saturating_add(added))
    };
    store.write(index).await
}

/// Indexes queued leads again, or removes them from the index.
fn index_queue(connection: &mut SqliteConnection, most: i64) -> QueryResult<u64> {
    for (begin, end) in [
        ("DELETE FROM lead_search WHERE rowid IN (", ")"),
        (
            "INSERT INTO lead_search (rowid, document) \
             SELECT id, search_document FROM leads WHERE id IN (",
            ") ORDER BY id",
        ),
    ] {
        let mut statement = Sql::<()>::new(begin);
        statement.sql("SELECT id FROM lead_search_queue ORDER BY id LIMIT ").int(most).sql(end);
        statement.execute(connection)?;
    }
    let mut done = Sql::<()>::new("DELETE FROM lead_search_queue WHERE id IN (");
    done.sql("SELECT id FROM lead_search_queue ORDER BY id LIMIT ").int(most).sql(")");
    Ok(done.execute(connection)? as u64)
}

/// Indexes the next leads that were never indexed.
fn index_tail(connection: &mut SqliteConnection, most: i64) -> QueryResult<u64> {
    let mut add = Sql::<()>::new(
        "INSERT OR REPLACE INTO lead_search (rowid, document) \
         SELECT id, search_document FROM leads \
         WHERE id > (SELECT indexed_to FROM lead_search_state) ORDER BY id LIMIT ",
    );
    add.int(most);
    let added = add.execute(connection)? as u64;
    let mut note = Sql::<()>::new(
        "UPDATE lead_search_state SET indexed_to = coalesce((SELECT max(id) FROM (SELECT id \
         FROM leads WHERE id > indexed_to ORDER BY id LIMIT ",
    );
    note.int(most).sql(")), indexed_to)");
    note.execute(connection)?;
    Ok(added)
}

/// Empties the index. All leads are then indexed again.
pub(crate) fn reset(connection: &mut SqliteConnection) -> QueryResult<()> {
    let mut is_there = Sql::<BigInt>::new("SELECT count(*) FROM sqlite_schema WHERE name = ");
    is_there.text("lead_search_state");
    if is_there.get_result::<i64>(connection)? == 0 {
        return Ok(());
    }
    for statement in [
        "UPDATE lead_search_state SET indexed_to = 0",
        "DELETE FROM lead_search_queue",
        "INSERT INTO lead_search (lead_search) VALUES ('delete-all')",
    ] {
        Sql::<()>::new(statement).execute(connection)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&["ana"], Some(r#""ana""#))]
    #[case(&["horvat"], Some(r#""hor" AND "vat""#))]
    #[case(&["marić"], Some(r#""mar" AND "rić""#))]
    #[case(&["an", "ana", "anana"], Some(r#""ana""#))]
    #[case(&["say\"hi"], Some(r#""say" AND """hi""#))]
    #[case(&["an", "b"], None)]
    #[case(&["ana\0"], None)]
    #[case(&[], None)]
    fn asks_for_trigrams(#[case] words: &[&str], #[case] asked: Option<&str>) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(query(&words).as_deref(), asked);
    }

    #[test]
    fn asks_for_all_trigrams_of_an_address_and_for_a_limited_number() {
        let address = query(&["ana@acme-123.example".to_owned()]).unwrap();
        assert!(address.contains("\"123\"") && address.contains("\"23.\""), "{address}");
        let long: String = ('\u{4e00}'..).take(900).collect();
        assert_eq!(query(&[long]).unwrap().matches(" AND ").count(), MOST - 1);
    }
}
