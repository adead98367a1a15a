//! One request to the back office: who makes it, from where, and in which language.

use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use exit3_app::access::Doer;
use exit3_app::sign_ins::{Device, SignedIn};
use exit3_domain::access::{Action, Record, may};
use exit3_domain::events::BatchId;
use exit3_domain::staff::{Language, StaffId, Theme};
use exit3_web::{ApiError, current_request, subject};

use crate::Offer;
use crate::errors::PageError;
use crate::i18n::{Texts, preferred};

/// A request to the back office.
#[derive(Clone)]
pub(crate) struct Visit {
    /// The person, if somebody is signed in.
    pub(crate) who: Option<Arc<SignedIn>>,
    /// Everything that the back office shows.
    pub(crate) offer: Offer,
    /// The language of the pages.
    pub(crate) language: Language,
    /// The texts of that language.
    pub(crate) texts: Texts,
    /// Whether the request came over HTTPS.
    pub(crate) https: bool,
    /// The address of the visitor.
    pub(crate) address: IpAddr,
    /// What the page says once: the word and the event in the query.
    pub(crate) done: Option<(String, Option<i64>)>,
    /// Whether the form shall be shown filled instead of being carried out, because the person had
    /// to sign in first.
    pub(crate) refills: bool,
}

impl Visit {
    /// A request by this person, or by a stranger.
    pub(crate) fn of(
        request: &HttpRequest,
        offer: Offer,
        who: Option<Arc<SignedIn>>,
        https: bool,
        address: IpAddr,
    ) -> Self {
        let chosen = who.as_ref().and_then(|who| who.staff.preferences.language);
        let language = chosen.unwrap_or_else(|| preferred(request));
        let mut done = (None, None);
        for (name, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
            match &*name {
                "done" => done.0 = Some(value.into_owned()),
                "event" => done.1 = value.parse().ok(),
                _ => {}
            }
        }
        let done = done.0.map(|word| (word, done.1));
        let texts = offer.texts(language);
        Self { who, offer, language, texts, https, address, done, refills: false }
    }

    /// From where somebody signs in.
    pub(crate) fn device(&self, request: &HttpRequest) -> Device {
        let agent = request.headers().get(header::USER_AGENT);
        let agent = agent.and_then(|value| value.to_str().ok());
        Device {
            peer: subject(self.address),
            address: self.address.to_string(),
            agent: agent.unwrap_or_default().to_owned(),
        }
    }

    /// The theme that the person has chosen.
    pub(crate) fn theme(&self) -> Option<Theme> {
        self.who.as_ref().and_then(|who| who.staff.preferences.theme)
    }
}

impl FromRequest for Visit {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or_else(ApiError::internal))
    }
}

/// A person who is signed in. The handlers of all [`crate::Pages`] may ask for it.
#[derive(Clone)]
pub struct Member {
    /// The request.
    pub(crate) visit: Visit,
    /// The person.
    pub(crate) who: Arc<SignedIn>,
}

impl Member {
    /// The texts in the language of the person, those of modules among them.
    pub fn texts(&self) -> Texts {
        self.visit.texts
    }

    /// The account of the person. A form that a template writes itself sends it in the field `_who`.
    pub fn id(&self) -> StaffId {
        self.who.staff.id
    }

    /// Whether a form shall be shown filled instead of being carried out, because the person had to
    /// sign in first.
    pub fn refills(&self) -> bool {
        self.visit.refills
    }

    /// The doer of what the person does.
    pub fn doer(&self) -> Doer {
        self.who.doer(current_request())
    }

    /// The same for a form whose events have this batch, by which a second sending of the same form
    /// is recognised.
    pub fn sender(&self, batch: &BatchId) -> Doer {
        let mut doer = self.doer();
        doer.author.batch = Some(batch.clone());
        doer
    }

    /// Refuses what the person may not do.
    ///
    /// # Errors
    /// [`PageError::Forbidden`].
    pub fn check(&self, action: Action, record: Record) -> Result<(), PageError> {
        if self.may(action, record) { Ok(()) } else { Err(PageError::Forbidden) }
    }

    /// Whether the person may do something.
    pub fn may(&self, action: Action, record: Record) -> bool {
        may(&self.who.worker(), action, record)
    }
}

impl FromRequest for Member {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        let member = extensions.get::<Visit>().and_then(|visit| {
            let who = visit.who.clone()?;
            Some(Self { visit: visit.clone(), who })
        });
        ready(member.ok_or_else(ApiError::internal))
    }
}
