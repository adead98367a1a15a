//! Bookings: a table that a crate outside of this repository could add, and what must hold for it
//! in every adapter. Each adapter has a test that stores them with its public items alone.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::events::{Act, BatchId, Event, EventFilter};
use exit3_domain::order::{Order, Sort, SortColumn};
use exit3_domain::paging::{Direction, Page, PageNumber, PageRequest, Slice, Step};
use exit3_ports::events::FORM_SENT;
use exit3_ports::{Constraint, EventRepository, StoreError};

use crate::builders::{at, some_act};

/// The name of the resource in events.
pub const RESOURCE: &str = "booking";

exit3_domain::choice! {
    /// What became of a booking.
    State { Open = "open", Kept = "kept", Missed = "missed" }
}

/// A stored booking.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of the fields say it")]
pub struct Booking {
    pub id: i64,
    pub starts_at: DateTime<Utc>,
    pub place: String,
    pub state: State,
}

exit3_domain::choice! {
    /// The sort key of a list of bookings.
    BookingSort { Id = "id", StartsAt = "starts_at" }
}

/// The order of a list of bookings.
pub type BookingOrder = Order<BookingSort>;

impl Sort for BookingSort {
    type Row = Booking;

    const LIST: &'static str = "bookings";
    const NEWEST: BookingOrder = Order { by: Self::Id, descending: true };

    fn columns(self) -> &'static [SortColumn<Booking>] {
        match self {
            Self::Id => &[],
            Self::StartsAt => &[SortColumn::Time(|booking| booking.starts_at)],
        }
    }

    fn id(booking: &Booking) -> i64 {
        booking.id
    }
}

/// Selects bookings. `None` does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of a booking")]
pub struct BookingFilter {
    pub place: Option<String>,
    pub state: Option<State>,
}

/// The port. A place has 1 to 100 characters.
#[async_trait]
#[allow(missing_docs, reason = "the methods do what those of other repositories do")]
pub trait BookingRepository: Send + Sync {
    async fn create(
        &self,
        starts_at: DateTime<Utc>,
        place: &str,
        act: &Act,
    ) -> Result<Booking, StoreError>;

    async fn find(&self, id: i64) -> Result<Option<Booking>, StoreError>;

    async fn list(
        &self,
        filter: &BookingFilter,
        order: BookingOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Booking>>, StoreError>;

    async fn walk(
        &self,
        filter: &BookingFilter,
        order: BookingOrder,
        step: &Step,
    ) -> Result<Slice<Booking>, StoreError>;

    async fn update(&self, seen: &Booking, state: State, act: &Act) -> Result<Booking, StoreError>;
}

/// A database with a table of bookings, which is empty.
pub struct Scene {
    /// The bookings.
    pub bookings: Box<dyn BookingRepository>,
    /// The events of the service.
    pub events: Arc<dyn EventRepository>,
    /// Keeps the database.
    pub guard: Box<dyn Any>,
}

impl Scene {
    async fn create(&self, starts_at: i64, place: &str) -> Booking {
        self.bookings.create(at(starts_at), place, &some_act()).await.unwrap()
    }

    /// The verbs and the rows of all events, the latest first.
    async fn told(&self) -> Vec<(String, i64)> {
        let events = self.events.list(&EventFilter::default(), None, 100).await.unwrap();
        let told = |event: Event| {
            assert_eq!(&*event.subject.resource, RESOURCE);
            (event.verb.to_string(), event.subject.id)
        };
        events.into_iter().map(told).collect()
    }

    async fn count(&self) -> u64 {
        let (all, order) = (BookingFilter::default(), BookingOrder::NEWEST);
        let page = self.bookings.list(&all, order, PageRequest::first()).await;
        page.unwrap().unwrap().count
    }
}

/// A booking that was stored is found, and its event tells of it.
pub async fn a_booking_and_its_event_are_stored(scene: &Scene) {
    let booking = scene.create(7, "Šibenik").await;
    let expected =
        Booking { id: booking.id, starts_at: at(7), place: "Šibenik".into(), state: State::Open };
    assert_eq!(booking, expected);
    assert_eq!(scene.bookings.find(booking.id).await.unwrap(), Some(expected));
    assert_eq!(scene.bookings.find(booking.id + 1).await.unwrap(), None);
    assert_eq!(scene.told().await, [("booking.created".to_owned(), booking.id)]);
}

/// Neither the booking nor its event is stored if the other one cannot be.
pub async fn neither_is_stored_without_the_other(scene: &Scene) {
    let mut act = some_act();
    act.author.batch = Some(BatchId::of_form("7"));
    let first = scene.bookings.create(at(1), "Split", &act).await.unwrap();
    let told = scene.told().await;
    assert_eq!(told, [("booking.created".to_owned(), first.id)]);
    // The event of a form is stored once.
    let again = scene.bookings.create(at(2), "Split", &act).await;
    assert!(matches!(again, Err(StoreError::Conflict(FORM_SENT))), "{again:?}");
    // The table refuses the booking.
    let refused = scene.bookings.create(at(3), &"x".repeat(101), &some_act()).await;
    assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
    assert_eq!((scene.count().await, scene.told().await), (1, told));
}

/// Only the booking that was seen is changed.
pub async fn an_update_is_of_the_booking_that_was_seen(scene: &Scene) {
    let seen = scene.create(1, "Split").await;
    let kept = scene.bookings.update(&seen, State::Kept, &some_act()).await.unwrap();
    assert_eq!(kept, Booking { state: State::Kept, ..seen.clone() });
    let stale = scene.bookings.update(&seen, State::Missed, &some_act()).await;
    assert!(matches!(stale, Err(StoreError::Conflict(Constraint::Stale))), "{stale:?}");
    let gone = Booking { id: seen.id + 1, ..seen.clone() };
    let gone = scene.bookings.update(&gone, State::Missed, &some_act()).await;
    assert!(matches!(gone, Err(StoreError::NotFound)), "{gone:?}");
    // Nothing changes, so there is nothing to tell.
    assert_eq!(scene.bookings.update(&kept, State::Kept, &some_act()).await.unwrap(), kept);
    assert_eq!(scene.bookings.find(seen.id).await.unwrap(), Some(kept));
    let verbs = scene.told().await.into_iter().map(|(verb, _)| verb);
    assert!(verbs.eq(["booking.updated", "booking.created"]));
}

/// Pages and walks have the bookings that match, in every order.
pub async fn lists_have_what_matches_in_order(scene: &Scene) {
    let mut all = Vec::new();
    for (number, starts_at) in [3, 1, 2, 3, 5].into_iter().enumerate() {
        let place = if number % 2 == 0 { "Split" } else { "Zadar" };
        let booking = scene.create(starts_at, place).await;
        let state = if number < 3 { State::Kept } else { State::Open };
        all.push(scene.bookings.update(&booking, state, &some_act()).await.unwrap());
    }
    let split = Some("Split".to_owned());
    for filter in [
        BookingFilter::default(),
        BookingFilter { place: split.clone(), state: None },
        BookingFilter { place: None, state: Some(State::Kept) },
        BookingFilter { place: split, state: Some(State::Open) },
        BookingFilter { place: None, state: Some(State::Missed) },
    ] {
        let matches = |booking: &&Booking| {
            filter.place.as_ref().is_none_or(|place| *place == booking.place)
                && filter.state.is_none_or(|state| state == booking.state)
        };
        let matching: Vec<Booking> = all.iter().filter(matches).cloned().collect();
        for by in BookingSort::ALL {
            for descending in [false, true] {
                let order = BookingOrder { by: *by, descending };
                let mut expected = matching.clone();
                expected.sort_by_cached_key(|booking| order.position(booking));
                if descending {
                    expected.reverse();
                }
                assert_listed(scene, &filter, order, &expected).await;
            }
        }
    }
}

async fn assert_listed(
    scene: &Scene,
    filter: &BookingFilter,
    order: BookingOrder,
    expected: &[Booking],
) {
    let page = async |number| {
        let request = PageRequest { number, size: 2 };
        scene.bookings.list(filter, order, request).await.unwrap()
    };
    let pages: Vec<&[Booking]> = expected.chunks(2).collect();
    for (place, rows) in pages.iter().enumerate() {
        let number = place as u64 + 1;
        let found = page(PageNumber::Number(number)).await.unwrap();
        assert_eq!((found.number, found.count), (number, expected.len() as u64));
        assert_eq!(found.rows, *rows, "{filter:?} by {order}");
    }
    let last = page(PageNumber::Last).await.unwrap();
    assert_eq!(last.rows, pages.last().copied().unwrap_or_default(), "{filter:?} by {order}");
    assert_eq!(page(PageNumber::Number(pages.len() as u64 + 2)).await, None);

    let walk = async |from, direction| {
        scene.bookings.walk(filter, order, &Step { from, direction, size: 2 }).await.unwrap()
    };
    let (mut walked, mut from) = (Vec::new(), None);
    loop {
        let slice = walk(from, Direction::Forward).await;
        walked.extend(slice.rows);
        from = walked.last().map(|booking| order.position(booking));
        if !slice.has_next {
            break;
        }
    }
    assert_eq!(walked, expected, "{filter:?} by {order}");
    let before = walk(from, Direction::Backward).await.rows;
    let end = expected.len().saturating_sub(1);
    assert_eq!(before, expected[end.saturating_sub(2)..end], "{filter:?} by {order}");
}

/// Generates one test for each of the rules above. The expression is evaluated once per test and
/// must return a [`Scene`].
#[doc(hidden)]
#[macro_export]
macro_rules! booking_rules {
    ($scene:expr) => {
        $crate::booking_rules! { @rules $scene;
            a_booking_and_its_event_are_stored,
            neither_is_stored_without_the_other,
            an_update_is_of_the_booking_that_was_seen,
            lists_have_what_matches_in_order,
        }
    };
    (@rules $scene:expr; $($rule:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $rule() {
                $crate::bookings::$rule(&$scene).await;
            }
        )*
    };
}
