//! A service with modules that panic wherever they can, for the test that they harm only themselves.
#![allow(clippy::panic, reason = "that is what the program is for")]

use std::process::ExitCode;

use actix_web::HttpResponse;
use actix_web::http::Method;
use exit3::Module;
use exit3_app::App;
use exit3_app::jobs::{Handling, Payload};
use exit3_http::Resource;
use exit3_web::Endpoint;
use serde::{Deserialize, Serialize};
use utoipa::OpenApi;

/// Loud things
#[utoipa::path(get, path = "/backend/api/v1/loud/", tag = "loud", operation_id = "loud_list", responses((status = 200)))]
async fn loud() -> HttpResponse {
    panic!("in a route")
}

#[derive(OpenApi)]
#[openapi(paths(loud), tags((name = "loud", description = "Loud things.")))]
struct Loud;

/// What the module has kept
#[utoipa::path(get, path = "/backend/api/v1/keeping/", tag = "keeping", operation_id = "keeping_list", responses((status = 200)))]
async fn keeping() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[derive(OpenApi)]
#[openapi(paths(keeping), tags((name = "keeping", description = "Kept things.")))]
struct Keeping;

#[derive(clap::Subcommand)]
enum Shout {
    /// Shouts
    Shout,
}

#[derive(Serialize, Deserialize)]
struct Look {}

impl Payload for Look {
    const KIND: &'static str = "adding.look";
}

async fn shout(_: App, _: Shout) -> Result<(), exit3::Failure> {
    panic!("in a command")
}

fn main() -> ExitCode {
    let loud = Resource {
        name: "loud",
        endpoints: || vec![Endpoint::new("").route(Method::GET, loud)],
        document: Loud::openapi,
        ..Resource::EMPTY
    };
    let keeping = Resource {
        name: "keeping",
        endpoints: || vec![Endpoint::new("").route(Method::GET, keeping)],
        document: Keeping::openapi,
        ..Resource::EMPTY
    };
    let keeping = Module::<()>::new("keeping")
        .keeps(|_, ()| -> u8 { panic!("while it keeps") })
        .resource(keeping)
        .command("Shouts", shout);
    // Its tables, if it had some, would turn it on.
    let adding = Module::<()>::new("adding").schema(&[], &[], &[]).jobs(|registry, ()| {
        registry.handle(Handling::default(), |_, _: Look| async { Ok(()) });
        panic!("while it adds jobs")
    });
    let loud = Module::<()>::new("loud").resource(loud).command("Shouts", shout);
    exit3::Service::new().module(keeping).module(adding).module(loud).run()
}
