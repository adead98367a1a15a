//! Errors of pages, and which status they have.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use exit3_app::access::Forbidden;
use exit3_app::api_keys::ManageKeysError;
use exit3_app::contracts::ContractError;
use exit3_app::events::RecordError;
use exit3_app::exports::ExportError;
use exit3_app::staff::StaffError;
use exit3_app::{EditError, FindError, UpdateError};
use exit3_domain::events::EventId;
use exit3_ports::StoreError;
use exit3_ports::events::FORM_SENT;
use exit3_web::{ApiError, error::Absent};

/// Why a page could not be shown, or a form not be carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PageError {
    /// As in the API.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The account may not do that.
    #[error("not allowed")]
    Forbidden,
    /// The row was deleted by this event, which can be undone.
    #[error("deleted")]
    Deleted(EventId),
    /// Another node has carried out the same form at the same moment.
    #[error("sent before")]
    SentBefore,
    /// The module of the page, which is named, is off.
    #[error("the module {0} is off")]
    Off(&'static str),
}

impl PageError {
    /// Nothing is there.
    pub fn not_found() -> Self {
        Self::Api(ApiError::not_found("Not found."))
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(FORM_SENT) => Self::SentBefore,
            other => Self::Api(other.into()),
        }
    }
}

impl From<askama::Error> for PageError {
    fn from(error: askama::Error) -> Self {
        tracing::error!(%error, "a page cannot be rendered");
        Self::Api(ApiError::internal())
    }
}

impl From<FindError> for PageError {
    fn from(error: FindError) -> Self {
        Self::Api(Absent("page").find(error))
    }
}

impl From<UpdateError> for PageError {
    fn from(error: UpdateError) -> Self {
        Self::Api(Absent("page").update(error))
    }
}

impl From<Forbidden> for PageError {
    fn from(_: Forbidden) -> Self {
        Self::Forbidden
    }
}

impl From<StaffError> for PageError {
    fn from(error: StaffError) -> Self {
        match error {
            StaffError::Forbidden(_) => Self::Forbidden,
            StaffError::Invalid(invalid) => Self::Api(invalid.into()),
            // An invitation of the first owner is void once there is one.
            StaffError::NotFound | StaffError::OwnerExists => Self::not_found(),
            StaffError::LastOwner => Self::Api(ApiError::bad_request(error.to_string())),
            StaffError::Contended => UpdateError::Contended.into(),
            StaffError::Store(error) => error.into(),
        }
    }
}

impl From<ManageKeysError> for PageError {
    fn from(error: ManageKeysError) -> Self {
        match error {
            ManageKeysError::Forbidden(_) => Self::Forbidden,
            ManageKeysError::Draft(error) => Self::Api(ApiError::bad_request(error.to_string())),
            ManageKeysError::NotFound => Self::not_found(),
            ManageKeysError::Store(error) => error.into(),
        }
    }
}

impl From<RecordError> for PageError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Forbidden(_) => Self::Forbidden,
            RecordError::Store(error) => error.into(),
        }
    }
}

impl From<ContractError> for PageError {
    fn from(error: ContractError) -> Self {
        match error {
            ContractError::Forbidden(_) => Self::Forbidden,
            error => Self::Api(error.into()),
        }
    }
}

impl From<EditError> for PageError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Forbidden(_) => Self::Forbidden,
            EditError::Invalid(invalid) => Self::Api(invalid.into()),
            EditError::NotFound => Self::not_found(),
            // Only forms of a whole row show conflicts.
            EditError::Conflicts(_) => Self::Api(ApiError::precondition_failed()),
            EditError::Contended => UpdateError::Contended.into(),
            EditError::Store(error) => error.into(),
        }
    }
}

impl From<ExportError> for PageError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Forbidden(_) => Self::Forbidden,
            ExportError::NoColumns => {
                Self::Api(ApiError::bad_request("Choose at least one column."))
            }
            ExportError::Store(error) => error.into(),
            ExportError::Write(error) => {
                tracing::error!(%error, "a file cannot be written");
                Self::Api(ApiError::internal())
            }
        }
    }
}

impl PageError {
    /// The same error as the API would tell it.
    pub(crate) fn in_the_api(&self) -> ApiError {
        match self {
            Self::Api(error) => error.clone(),
            Self::Forbidden => ApiError::no_permission(),
            Self::Deleted(_) => ApiError::not_found("Not found."),
            Self::SentBefore => ApiError::conflict(),
            Self::Off(module) => ApiError::module_off(module),
        }
    }
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        self.in_the_api().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        self.in_the_api().page()
    }
}
