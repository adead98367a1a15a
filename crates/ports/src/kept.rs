use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

/// What modules keep beside the repositories of the service: their own repositories and settings,
/// found by their type.
///
/// ```
/// use std::sync::Arc;
///
/// struct Meetings {
///     at_most: u32,
/// }
///
/// let mut kept = exit3_ports::Kept::default();
/// kept.keep(Arc::new(Meetings { at_most: 3 }));
/// assert_eq!(kept.get::<Meetings>().map(|meetings| meetings.at_most), Some(3));
/// assert!(kept.get::<u32>().is_none());
/// ```
#[derive(Clone, Default)]
pub struct Kept(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl Kept {
    /// Keeps a value, in place of an earlier one of its type.
    pub fn keep(&mut self, value: Arc<dyn Any + Send + Sync>) {
        self.0.insert(value.as_ref().type_id(), value);
    }

    /// The value of a type.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }
}
