//! Positions of consumers that nobody has any more. Events behind a position are never removed.

use exit3_ports::StoreError;
use exit3_ports::events::Consumer;

use crate::App;
use crate::jobs::is_of;

/// The consumers with a position that are not known.
///
/// # Errors
/// [`StoreError`].
pub async fn left_behind(
    app: &App,
    is_known: impl Fn(&str) -> bool,
) -> Result<Vec<Consumer>, StoreError> {
    let mut consumers = app.repositories()?.events.consumers().await?;
    consumers.retain(|it| !is_known(&it.name));
    Ok(consumers)
}

/// Removes the position of one of those that [`left_behind`] tells.
///
/// # Errors
/// [`StoreError::NotFound`] if it is none of them.
pub async fn forget(
    app: &App,
    consumer: &str,
    is_known: impl Fn(&str) -> bool,
) -> Result<(), StoreError> {
    if is_known(consumer) {
        return Err(StoreError::NotFound);
    }
    app.repositories()?.events.forget_consumer(consumer).await
}

/// Removes the positions of all consumers of a module, and returns their names.
///
/// # Errors
/// [`StoreError`].
pub async fn forget_module(app: &App, module: &str) -> Result<Vec<String>, StoreError> {
    let events = &app.repositories()?.events;
    let mut names = Vec::new();
    for Consumer { name, .. } in events.consumers().await? {
        if is_of(&name, module) {
            match events.forget_consumer(&name).await {
                // Another program was faster.
                Err(StoreError::NotFound) => {}
                forgotten => {
                    forgotten?;
                    names.push(name);
                }
            }
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Mocks;

    fn with(names: &'static [&'static str]) -> Mocks {
        let mut mocks = Mocks::new();
        let consumer = |name: &&str| Consumer { name: (*name).to_owned(), unread_since: None };
        let events = &mut mocks.repositories.events;
        events.expect_consumers().returning(move || Ok(names.iter().map(consumer).collect()));
        mocks
    }

    #[tokio::test]
    async fn consumers_that_nobody_has_are_left_behind() {
        let app = with(&["tags.mail", "tags.old"]).into_app();
        let left = left_behind(&app, |name| name == "tags.mail").await.unwrap();
        assert_eq!(left.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["tags.old"]);
    }

    #[tokio::test]
    async fn consumers_that_somebody_has_are_not_forgotten() {
        let mut mocks = with(&[]);
        let events = &mut mocks.repositories.events;
        events
            .expect_forget_consumer()
            .times(1)
            .withf(|name| name == "tags.old")
            .returning(|_| Ok(()));
        let app = mocks.into_app();
        let refused = forget(&app, "tags.mail", |name| name == "tags.mail").await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
        forget(&app, "tags.old", |name| name == "tags.mail").await.unwrap();
    }

    #[tokio::test]
    async fn the_consumers_of_one_module_are_forgotten() {
        let mut mocks = with(&["lead_weeks", "tags.", "tags.a", "tags.b", "tags_of.a", "tagsa"]);
        let events = &mut mocks.repositories.events;
        events
            .expect_forget_consumer()
            .times(1)
            .withf(|name| name == "tags.a")
            .returning(|_| Ok(()));
        let gone = |_: &str| Err(StoreError::NotFound);
        events.expect_forget_consumer().times(1).withf(|name| name == "tags.b").returning(gone);
        assert_eq!(forget_module(&mocks.into_app(), "tags").await.unwrap(), ["tags.a"]);
    }
}
