//! Fields that only those clients get which ask for them.

use exit3_domain::leads::{Lead, LeadWork, WORK_FIELDS};
use exit3_web::{ApiError, query::Params};
use utoipa::IntoParams;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};

use super::LeadResponse;

/// The parameter that asks for further fields.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes a parameter")]
pub(super) struct IncludeQuery {
    #[param(style = Form, explode, schema_with = words)]
    include: Option<Vec<String>>,
}

fn words() -> RefOr<Schema> {
    let word = ObjectBuilder::new().schema_type(Type::String);
    let all = WORK_FIELDS.iter().copied().chain([""]);
    let description = "Further fields in the response: one or more of `owner`, `next_step` and \
        `next_step_at`. Repeat the parameter, or separate the words by commas.";
    let array = ArrayBuilder::new().items(word.enum_values(Some(all)));
    array.description(Some(description)).build().into()
}

/// The fields that a client asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Include {
    owner: bool,
    next_step: bool,
    next_step_at: bool,
}

impl Include {
    /// # Errors
    /// 400 for an unknown word.
    pub(super) fn read(params: &Params) -> Result<Self, ApiError> {
        let mut include = Self::default();
        for word in params.values("include") {
            match word {
                "owner" => include.owner = true,
                "next_step" => include.next_step = true,
                "next_step_at" => include.next_step_at = true,
                _ => {
                    let known = WORK_FIELDS.join(", ");
                    let message =
                        format!("\"{word}\" is not a valid choice. The choices are: {known}.");
                    return Err(ApiError::parameter("include", message));
                }
            }
        }
        Ok(include)
    }

    /// The lead with these fields.
    pub(super) fn show(self, lead: Lead) -> LeadResponse {
        let LeadWork { owner, next_step, next_step_at } = lead.work.clone();
        LeadResponse {
            owner: self.owner.then_some(owner.map(|id| id.0)),
            next_step: self.next_step.then_some(next_step),
            next_step_at: self.next_step_at.then_some(next_step_at),
            ..LeadResponse::from(lead)
        }
    }
}
