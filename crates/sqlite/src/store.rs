//! What the repositories share.

use std::sync::Arc;
use std::time::Duration;

use crate::readers::Readers;
use crate::writer::Writer;

/// The state that all repositories share.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) readers: Arc<Readers>,
    pub(crate) writer: Arc<Writer>,
    pub(crate) patience: Duration,
}
