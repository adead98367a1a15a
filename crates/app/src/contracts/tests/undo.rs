//! Undo of what took a contract from a client.

use super::*;

/// Undoes an event of the client 7 that took this contract from it. Its file is there if `is_there`,
/// and unused for so many days.
async fn undo(action: &str, is_there: bool, days: i64) -> Result<Option<String>, String> {
    let (mut mocks, directory) = mocks(None, None);
    if is_there {
        put(directory.path(), "uploads/a", PDF);
    }
    let changes = match action {
        Verb::DELETED => Changes::Row(exit3_domain::events::record(&client(Some("uploads/a")))),
        _ => Changes::one(FILE, Some("uploads/a"), None),
    };
    let event = Event {
        id: EventId(5),
        act: author().at(now()),
        verb: Verb::of(RESOURCE, action),
        subject: Subject { resource: RESOURCE.into(), id: 7 },
        changes,
    };
    let all = &mut mocks.repositories;
    let found = event.clone();
    all.events.expect_find().returning(move |_| Ok(Some(found.clone())));
    all.events.expect_list().returning(move |_, _, _| Ok(vec![event.clone()]));
    all.contract_files.expect_find().returning(move |file| {
        let since = now() - chrono::TimeDelta::days(days);
        Ok(Some(Contract { unused_since: Some(since), ..Contract::at(file) }))
    });
    if action == Verb::DELETED {
        all.clients.checkpoint();
        all.clients.expect_find().returning(|_| Ok(None));
    }
    let back = Arc::new(Mutex::new(None));
    let (updated, restored) = (Arc::clone(&back), Arc::clone(&back));
    all.clients.expect_update().returning(move |seen, details, _| {
        *updated.lock().unwrap() = details.contract_file.clone();
        Ok(seen.clone())
    });
    all.clients.expect_restore().returning(move |row, _| {
        *restored.lock().unwrap() = row.details.contract_file.clone();
        Ok(())
    });
    let undone = crate::events::undo(&mocks.into_app(), EventId(5), &author()).await;
    let conflicts: Conflicts = undone.map_err(|error| error.to_string())?.conflicts;
    let back = back.lock().unwrap().clone();
    assert_eq!(conflicts == [FILE], back.is_none(), "{conflicts:?}");
    Ok(back)
}

#[tokio::test]
async fn a_contract_comes_back_as_long_as_its_file_is_there() {
    let file = Ok(Some("uploads/a".to_owned()));
    for action in [Verb::UPDATED, Verb::DELETED] {
        assert_eq!(undo(action, true, 0).await, file, "{action}");
        assert_eq!(undo(action, true, 28).await, file, "{action}");
        for (is_there, days) in [(false, 0), (true, 29), (true, 40)] {
            let outcome = undo(action, is_there, days).await;
            match action {
                Verb::UPDATED => assert!(outcome.is_err(), "{outcome:?}"),
                // The rest of the client comes back.
                _ => assert_eq!(outcome, Ok(None)),
            }
        }
    }
}
