//! The API over mocked ports: what it calls, and how it reports the results. Tests over real
//! databases are in `exit3`.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod access;
mod authors;
mod bodies;
mod canaries;
mod clients;
mod conditions;
mod consistency;
mod contracts;
mod leads;
mod lists;
mod observe;
mod once;
mod outside;
mod protection;
mod routes;
#[path = "../service/mod.rs"]
mod service;
mod transport;

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use chrono::DateTime;
use exit3_app::quotas::Limits;
use exit3_domain::leads::{Lead, LeadOrder, LeadSort, LeadStatus};
use exit3_domain::paging::{Direction, Page, PageNumber, Slice};
use exit3_ports::{BackupStatus, StoreError};
use exit3_web::{AllowedHosts, CorsSettings, Site};
use rstest::rstest;
use serde_json::{Value, json};

use service::*;
