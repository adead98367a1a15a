//! Compares the imported rows with those of the source.

use exit3_archive::{ArchiveError, Summing, TableSum, encode};
use exit3_ports::{ForeignSource, Load, Row};

use crate::error::ImportError;
use crate::tables::{Move, id};
use crate::walk::{Around, Arrivals, Stored};

/// Sums of the rows that should have arrived, and of the stored rows with the same ids.
pub(crate) async fn sums(
    it: &Move,
    source: &mut dyn ForeignSource,
    here: &mut dyn Load,
    around: &Around,
) -> Result<(TableSum, TableSum), ImportError> {
    let (mut there, mut own) = (Summing::default(), Summing::default());
    let (mut arrivals, mut stored) = (Arrivals::of(it), Stored::of(&it.to));
    let mut line = Vec::new();
    while let Some((arrival, is_ours)) = arrivals.next(source, around).await? {
        if !is_ours {
            continue;
        }
        add(&arrival.row, &mut there, &mut line)?;
        let wanted = id(&arrival.row);
        while let Some(at) = stored.peek(here).await? {
            if at > wanted {
                break;
            }
            if let Some(row) = stored.take(at)
                && at == wanted
            {
                add(&row, &mut own, &mut line)?;
                break;
            }
        }
    }
    let name = it.to.table.name;
    Ok((there.sum(name), own.sum(name)))
}

fn add(row: &Row, sum: &mut Summing, line: &mut Vec<u8>) -> Result<(), ArchiveError> {
    line.clear();
    encode(row, line)?;
    sum.add(line);
    Ok(())
}
