//! The contract of a client: a part of the client's page, and a page of its own, which also shows why
//! a file was refused.

use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;
use exit3_app::contracts::{self, ContractError, Receiving};
use exit3_app::{clients, events, sign_ins};
use exit3_domain::access::{Action, Record};
use exit3_domain::clients::{Client, ClientId, RESOURCE};
use exit3_domain::contracts::MOST_BYTES;
use exit3_domain::validation::Violation;
use exit3_domain::versions::{Expected, Version, Versions};
use exit3_web::body::Parts;
use exit3_web::{
    ApiError, Endpoint, ErrorShape, RoutePolicy, attach, current_request, file_body, path,
};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use i18n_embed_fl::fl;

use crate::errors::PageError;
use crate::form::Form;
use crate::format;
use crate::i18n::Texts;
use crate::page::{POLICY, page, page_with, see_other};
use crate::resource::Pages;
use crate::shell::Shell;
use crate::visit::Member;
use crate::{Admin, BASE, cookie};

/// Contracts in the back office.
pub(crate) const PAGES: Pages =
    Pages { name: "contracts", endpoints, client_parts: &[part], ..Pages::EMPTY };

fn endpoints() -> Vec<Endpoint> {
    let upload = RoutePolicy::upload(MOST_BYTES, ErrorShape::Html, POLICY.page_security);
    vec![
        Endpoint::new("clients/{id}/contract/")
            .policy(upload)
            .route(Method::GET, show)
            .route(Method::POST, receive),
        Endpoint::new("clients/{id}/contract/file/").route(Method::GET, send),
        Endpoint::new("clients/{id}/contract/remove/").route(Method::POST, remove),
    ]
}

/// The page of a contract.
fn address(id: ClientId) -> String {
    format!("{}contract/", client_page(id))
}

fn client_page(id: ClientId) -> String {
    format!("{BASE}clients/{}/", id.0)
}

#[derive(Template)]
#[template(path = "contracts/page.html")]
struct ContractPage {
    shell: Shell,
    client: String,
    problem: Option<String>,
    part: String,
}

#[derive(Template)]
#[template(path = "contracts/part.html")]
struct ContractPart {
    texts: Texts,
    address: String,
    /// The name of the file, and facts about it.
    contract: Option<(String, String)>,
    version: String,
    may: bool,
    who: i64,
}

/// The part of the page of a client.
fn part<'a>(
    admin: &'a Admin,
    member: &'a Member,
    _: &'a HttpRequest,
    client: &'a Client,
    record: Record,
) -> LocalBoxFuture<'a, Result<String, PageError>> {
    render(admin, member, client, record).boxed_local()
}

async fn render(
    admin: &Admin,
    member: &Member,
    client: &Client,
    record: Record,
) -> Result<String, PageError> {
    let (app, texts) = (&admin.app, member.visit.texts);
    let contract = contracts::of(app, client).await?.map(|contract| {
        let facts = contract.received.as_ref().map(|received| {
            let kib = format::number(texts, received.size.div_ceil(1024));
            let by = format::actor(texts, &received.by);
            fl!(texts, "contract-facts", size = kib, when = format::moment(received.at), who = by)
        });
        (contract.name.as_str().to_owned(), facts.unwrap_or_default())
    });
    let part = ContractPart {
        texts,
        address: address(client.id),
        contract,
        version: Version::of(client).as_str().to_owned(),
        may: member.may(Action::Contract, record),
        who: member.who.staff.id.0,
    };
    Ok(part.render()?)
}

async fn show(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    let page_of = whole(&admin, &member, &id, None).await?;
    page(&request, &page_of)
}

async fn whole(
    admin: &Admin,
    member: &Member,
    id: &str,
    problem: Option<String>,
) -> Result<ContractPage, PageError> {
    let client = clients::find(&admin.app, ClientId(path::id(id)?)).await?;
    let record = Record::Client(clients::owner(&admin.app, &client).await?);
    member.check(Action::Contract, record)?;
    let part = render(admin, member, &client, record).await?;
    let client = client_page(client.id);
    Ok(ContractPage { shell: Shell::of(&member.visit, "clients"), client, problem, part })
}

async fn receive(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, PageError> {
    let client = ClientId(path::id(&id)?);
    let texts = member.visit.texts;
    let problem = match store(&admin, &request, &member, client, payload).await? {
        Ok(()) => return done(&admin, client, "contract-stored").await,
        Err(problem) => problem,
    };
    let told = match &problem {
        None => fl!(texts, "rule-file-required"),
        Some(ContractError::Refused(refused)) => {
            format::rule(texts, "file", &Violation::new(refused.code(), refused.to_string()))
        }
        Some(ContractError::NotScanned) => fl!(texts, "contract-not-scanned"),
        Some(ContractError::Files) => fl!(texts, "contract-no-files"),
        Some(ContractError::Unexpected | ContractError::Contended) => {
            fl!(texts, "contract-changed")
        }
        Some(_) => return Err(problem.map_or_else(PageError::not_found, PageError::from)),
    };
    let error = problem.map_or_else(|| ApiError::bad_request("No file."), ApiError::from);
    let page = whole(&admin, &member, &id, Some(told)).await?;
    page_with(&request, Some(&error), &page)
}

/// Reads the form. The inner error is a problem with the file, or that there is none.
async fn store(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    client: ClientId,
    payload: Payload,
) -> Result<Result<(), Option<ContractError>>, PageError> {
    let doer = member.doer();
    contracts::check(&admin.app, client, &doer).await?;
    let mut parts = Parts::open(request, payload)?;
    let (mut expected, mut received): (_, Option<Receiving>) = (Expected::default(), None);
    while let Some(part) = parts.next().await? {
        match (part.name.as_str(), part.file) {
            ("_version", None) => {
                let seen = Versions::These(vec![Version::named(parts.text().await?.trim())]);
                expected = Expected { only: Some(seen), except: None };
            }
            ("file", Some(name)) if received.is_none() => {
                let mut receiving = match contracts::receive(&admin.app, client, &name, &doer).await
                {
                    Ok(receiving) => receiving,
                    Err(error) => return Ok(Err(Some(error))),
                };
                while let Some(piece) = parts.piece().await? {
                    if let Err(error) = receiving.add(&piece).await {
                        return Ok(Err(Some(error)));
                    }
                }
                received = Some(receiving);
            }
            _ => {}
        }
    }
    let Some(received) = received else { return Ok(Err(None)) };
    // The file took its time, in which the sign-in may have ended or the role may have changed.
    let token = cookie::token(request, member.visit.https).ok_or(PageError::Forbidden)?;
    let who = sign_ins::signed_in(&admin.app, &token).await?.ok_or(PageError::Forbidden)?;
    let doer = who.doer(current_request());
    Ok(received.finish(&admin.app, &expected, &doer).await.map(drop).map_err(Some))
}

async fn send(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    let client = ClientId(path::id(&id)?);
    let is_sent = request.method() != Method::HEAD;
    let sending = contracts::send(&admin.app, client, is_sent, &member.doer()).await?;
    let mut response = HttpResponseBuilder::new(StatusCode::OK);
    attach(&mut response, sending.contract.name.as_str(), sending.contract.media_type());
    Ok(response.body(file_body(sending)))
}

async fn remove(
    admin: Data<Admin>,
    member: Member,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let client = ClientId(path::id(&id)?);
    // Nobody removes a contract that somebody else has replaced meanwhile without having seen it.
    let seen = Versions::These(vec![Version::named(form.text("_version"))]);
    let expected = Expected { only: Some(seen), except: None };
    match contracts::remove(&admin.app, client, &expected, &member.doer()).await {
        Ok(_) => done(&admin, client, "contract-removed").await,
        Err(ContractError::Unexpected | ContractError::Contended) => {
            Ok(see_other(&format!("{}?done=contract-changed", client_page(client))))
        }
        Err(error) => Err(error.into()),
    }
}

/// Leads back to the client, and offers to undo what was done.
async fn done(admin: &Admin, client: ClientId, what: &str) -> Result<HttpResponse, PageError> {
    let last = events::history(&admin.app, RESOURCE, client.0, None, 1).await?;
    let event = last.first().map(|event| format!("&event={}", event.id.0)).unwrap_or_default();
    Ok(see_other(&format!("{}?done={what}{event}", client_page(client))))
}
