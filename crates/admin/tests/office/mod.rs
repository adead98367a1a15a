//! The back office over mocked ports, for tests.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "each test binary uses a part, and a panic is the report"
)]

use std::sync::{Arc, LazyLock};

use actix_web::body::to_bytes;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service, try_call_service};
use chrono::{DateTime, TimeDelta, Utc};
use exit3_admin::{Admin, AdminSettings, OWN, Offer};
use exit3_app::quotas::Limits;
use exit3_app::sign_ins::Entrance;
use exit3_app::{App, contracts::Contracts};
use exit3_domain::api_keys::{ApiKey, ApiKeyDraft, ApiKeyId, ENTROPY, KeyToken, Scope, Scopes};
use exit3_domain::clients::{Client, ClientId, ClientTotals, Money, MoneyTotal, NewClient};
use exit3_domain::email::DisposableDomains;
use exit3_domain::events::{Act, Actor, Author, Changes, Event, EventId, Subject, Verb};
use exit3_domain::lead_notes::{LeadNote, LeadNoteId};
use exit3_domain::leads::{
    Lead, LeadCategory, LeadId, LeadPage, LeadSource, LeadStatus, LeadWeek, LeadWork, NewLead, Week,
};
use exit3_domain::paging::{Count, Glance, Page, Slice};
use exit3_domain::sign_ins::{SecretToken, SignIn, SignInId, TOKEN};
use exit3_domain::staff::{
    Language, PasswordHash, Preferences, Role, SALT, Staff, StaffId, StaffProfile,
};
use exit3_domain::subscribers::{Subscriber, SubscriberId};
use exit3_ports::staff::MockStaffRepository;
use exit3_ports::{
    ContractStore, MockClock, MockContractStore, MockQuotas, MockRepositories, Standing,
};
use exit3_web::{CorsSettings, Edge, Observer, Site, observe};

pub const HOST: &str = "office.test";
pub const PASSWORD: &str = "plavi-konj-daleko";
pub const ME: StaffId = StaffId(1);

pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_790_000_000_000_001).unwrap()
}

/// What the service itself offers.
pub static OFFER: LazyLock<Offer> = LazyLock::new(|| Offer::new(OWN.iter().copied()));

/// The token of the person who is signed in.
pub fn token() -> SecretToken {
    SecretToken::of(&[9; TOKEN])
}

pub fn staff(role: Role, language: Option<Language>) -> Staff {
    let mut profile = StaffProfile {
        username: "ana".to_owned(),
        first_name: "Ana <b>".to_owned(),
        last_name: "Horvat".to_owned(),
        email: "ana@exit3.agency".to_owned(),
        is_staff: true,
        is_active: true,
        is_superuser: false,
        role: None,
    };
    profile.set_role(role);
    Staff {
        id: ME,
        profile,
        password: PasswordHash::kept("x".to_owned()),
        preferences: Preferences { language, ..Preferences::default() },
        date_joined: now(),
        last_login: None,
    }
}

/// A lead with markup in every text.
pub fn lead(owner: Option<StaffId>) -> Lead {
    let text = |name: &str| format!("<script>alert('{name}')</script>");
    Lead {
        id: LeadId(7),
        details: NewLead {
            full_name: text("name"),
            position: text("position"),
            company_name: Some(text("company")),
            phone_number: Some(text("phone")),
            email: Some(text("email")),
            source: LeadSource::Website,
            status: LeadStatus::New,
            notes: Some(text("notes")),
            category: LeadCategory::WebDev,
        },
        work: LeadWork { owner, next_step: Some(text("step")), next_step_at: Some(now()) },
        created_at: now() - TimeDelta::days(3),
        updated_at: now(),
    }
}

/// The client that the lead became, with markup in every text.
pub fn client() -> Client {
    let text = |name: &str| format!("<script>alert('{name}')</script>");
    let details = NewClient {
        lead: Some(LeadId(7)),
        team_id: text("team"),
        monthly_charge: Money::charge(120_050),
        one_time_charge: Money::charge(99_000),
        contract_file: Some(text("contract")),
        short_description: text("description"),
        category: LeadCategory::WebDev,
    };
    Client { id: ClientId(7), details }
}

/// A subscriber with markup in the address.
pub fn subscriber() -> Subscriber {
    let email = "<script>alert('address')</script>".to_owned();
    Subscriber { id: SubscriberId(7), email, is_subscribed: true }
}

/// The event of the creation of a lead.
pub fn created(lead: i64) -> Event {
    let subject = Subject { resource: "lead".into(), id: lead };
    Event { subject, ..event(1, Verb::CREATED, Changes::None) }
}

/// A key with markup where it can be: an older release checks nothing that a newer one has stored.
pub fn api_key() -> ApiKey {
    let token = KeyToken::secret(&[5; ENTROPY]);
    ApiKey {
        id: ApiKeyId(7),
        draft: ApiKeyDraft {
            name: "<script>alert('key')</script>".to_owned(),
            scopes: Scopes::of([Scope::create("leads")]),
            origins: vec!["<script>alert('origin')</script>".to_owned()],
            rate: None,
            forwards_visitors: true,
            expires_at: None,
        },
        prefix: token.prefix().clone(),
        digest: token.digest(),
        created_at: now(),
        revoked_at: None,
        last_used_at: Some(now()),
    }
}

fn event(id: i64, action: &str, changes: Changes) -> Event {
    let author = Author::from(Actor::Staff("<i>ana</i>".into()));
    Event {
        id: EventId(id),
        act: Act { author, at: now() },
        verb: Verb::of("lead", action),
        subject: Subject { resource: "lead".into(), id: 7 },
        changes,
    }
}

/// The back office as a person of this role sees it.
pub struct Office {
    pub networks: Vec<ipnet::IpNet>,
    pub offer: Offer,
    pub repositories: MockRepositories,
    pub quotas: MockQuotas,
    pub intake: Option<Arc<exit3_app::intake::Intake>>,
    pub contracts: Option<Arc<dyn ContractStore>>,
}

impl Office {
    /// Everything can be read; the lead has this owner. Writes are refused by the mocks.
    pub fn of(role: Role, owner: Option<StaffId>, language: Option<Language>) -> Self {
        let mut all = MockRepositories::default();
        let person = staff(role, language);
        let sign_in = SignIn {
            id: SignInId(3),
            staff: ME,
            password: person.password.digest(),
            created_at: now(),
            seen_at: now(),
            ends_at: now() + TimeDelta::days(1),
            agent: "Mozilla/5.0 (X11; Linux) Firefox/1 <b>".to_owned(),
            address: "192.0.2.1".to_owned(),
        };
        let found = (sign_in.clone(), person.clone());
        let digest = token().digest();
        all.sign_ins
            .expect_find()
            .returning(move |given| Ok((*given == digest).then(|| found.clone())));
        all.sign_ins.expect_list().returning(move |_| Ok(vec![sign_in.clone()]));
        let team = person.clone();
        all.staff
            .expect_list()
            .returning(move |_| Ok(Some(Page { count: 1, number: 1, rows: vec![team.clone()] })));
        let by_name = person.clone();
        all.staff.expect_find_by_username().returning(move |_| Ok(Some(by_name.clone())));
        all.staff.expect_find().returning(move |_| Ok(Some(person.clone())));
        let rows = move || Slice { rows: vec![lead(owner)], has_next: true, has_previous: true };
        all.leads.expect_find().returning(move |id| Ok((id == LeadId(7)).then(|| lead(owner))));
        let glance = move || Glance { slice: rows(), is_cut_short: true };
        all.leads.expect_walk().returning(move |_, _, _| Ok(rows()));
        all.leads.expect_glance().returning(move |_, _, _| Ok(glance()));
        all.leads.expect_page().returning(move |_, _, _| {
            let by_status = LeadStatus::ALL.iter().map(|status| (*status, Count::Exact(7)));
            let (glance, by_status) = (glance(), by_status.collect());
            Ok(LeadPage { glance, count: Count::AtLeast(1000), by_status })
        });
        let week = LeadWeek {
            week: Week::of(now()),
            received: 1234,
            contacted: 900,
            half: Some(TimeDelta::hours(3)),
            most: Some(TimeDelta::days(4)),
        };
        all.lead_weeks.expect_list().returning(move |_| Ok(vec![week]));
        all.sign_ins.expect_left_at().returning(|_| Ok(Some(now() - TimeDelta::hours(14))));
        all.leads.expect_counts().returning(|| {
            let (new, won) = (LeadStatus::New, LeadStatus::Converted);
            Ok(vec![(new, LeadSource::Website, 750), (won, LeadSource::Referral, 250)])
        });
        all.leads.expect_list().returning(move |_, _, _| {
            Ok(Some(Page { count: 4321, number: 1, rows: vec![lead(owner)] }))
        });
        all.leads
            .expect_with_contact()
            .returning(move |_, _, _| Ok(vec![Lead { id: LeadId(8), ..lead(owner) }]));
        all.leads.expect_find_all().returning(move |ids| {
            Ok(if ids.contains(&LeadId(7)) { vec![lead(owner)] } else { Vec::new() })
        });
        all.clients.expect_find().returning(|id| Ok((id == ClientId(7)).then(client)));
        all.clients.expect_find_by_lead().returning(|_| Ok(None));
        all.clients.expect_walk().returning(|_, _, _| {
            Ok(Slice { rows: vec![client()], has_next: true, has_previous: true })
        });
        all.clients.expect_totals().returning(|_| {
            let (monthly, one_time) = (MoneyTotal(7_000_050), MoneyTotal(900));
            Ok(ClientTotals { count: 4321, monthly, one_time })
        });
        all.subscribers.expect_find().returning(|id| Ok((id == SubscriberId(7)).then(subscriber)));
        all.subscribers.expect_find_by_email().returning(|_| Ok(None));
        let rows = || Slice { rows: vec![subscriber()], has_next: true, has_previous: true };
        all.subscribers
            .expect_glance()
            .returning(move |_, _, _| Ok(Glance { slice: rows(), is_cut_short: true }));
        all.subscribers.expect_walk().returning(move |_, _, _| Ok(rows()));
        all.subscribers
            .expect_list()
            .returning(|_, _, _| Ok(Some(Page { count: 1234, number: 1, rows: Vec::new() })));
        let note = LeadNote {
            id: LeadNoteId(5),
            lead: LeadId(7),
            at: now(),
            author: Actor::BasicKey,
            text: "<script>alert('note')</script>".to_owned(),
        };
        let stored = note.clone();
        all.lead_notes.expect_list().returning(move |_, before, _| {
            Ok(if before.is_none() { vec![note.clone()] } else { Vec::new() })
        });
        all.lead_notes.expect_find().returning(move |_| Ok(Some(stored.clone())));
        all.events.expect_list().returning(|filter, before, _| {
            let is_history = filter.batch.is_none() && filter.verb.is_none() && before.is_none();
            let text = |text: &str| serde_json::Value::from(text);
            let changes = Changes::Fields(vec![(
                "full_name".into(),
                text("<script>alert('old')</script>"),
                text("<script>alert('new')</script>"),
            )]);
            Ok(match is_history {
                true => {
                    vec![event(2, Verb::UPDATED, changes), event(1, Verb::CREATED, Changes::None)]
                }
                false => Vec::new(),
            })
        });
        all.events
            .expect_find()
            .returning(|id| Ok(Some(event(id.0, Verb::DELETED, Changes::None))));
        all.api_keys.expect_list().returning(|| Ok(vec![api_key()]));
        all.contract_files.expect_find().returning(|_| Ok(None));
        let mut store = MockContractStore::new();
        store.expect_open().returning(|_| Ok(None));
        store.expect_has().returning(|_| true);
        let contracts: Option<Arc<dyn ContractStore>> = Some(Arc::new(store));
        let (networks, quotas) = (Vec::new(), MockQuotas::new());
        Self { networks, offer: *OFFER, repositories: all, quotas, contracts, intake: None }
    }

    /// An owner whose password is [`PASSWORD`], before the sign-in.
    pub fn that_signs_in() -> Self {
        let mut office = Self::of(Role::Owner, None, None);
        let hash = PasswordHash::of(PASSWORD, &[7; SALT]).unwrap();
        let person = Staff { password: hash, ..staff(Role::Owner, None) };
        let mut accounts = MockStaffRepository::new();
        let team = person.clone();
        accounts
            .expect_list()
            .returning(move |_| Ok(Some(Page { count: 1, number: 1, rows: vec![team.clone()] })));
        accounts
            .expect_find_by_username()
            .returning(move |name| Ok((name == "ana").then(|| person.clone())));
        office.repositories.staff = accounts;
        office.repositories.sign_ins.expect_begin().returning(|new, _| {
            Ok(SignIn {
                id: SignInId(4),
                staff: new.staff,
                password: new.password,
                created_at: new.created_at,
                seen_at: new.created_at,
                ends_at: new.ends_at,
                agent: new.agent.clone(),
                address: new.address.clone(),
            })
        });
        office.quotas.expect_charge().returning(|charges| {
            charges.iter().map(|_| Standing { remaining: 9, refused_for: None }).collect()
        });
        office.quotas.expect_give_back().returning(|_| ());
        office
    }

    pub async fn answers(self, requests: Vec<TestRequest>) -> Vec<Answer> {
        let mut clock = MockClock::new();
        clock.expect_now().returning(now);
        let (idle, longest) = (TimeDelta::hours(12), TimeDelta::days(14));
        let entrance = Entrance::new(idle, longest, |bytes| bytes.fill(7));
        let store = self.contracts.unwrap_or_else(|| Arc::new(MockContractStore::new()));
        let app = App {
            database: Ok(self.repositories.into()),
            entrance: Arc::new(entrance),
            keyring: Arc::default(),
            bell: Arc::default(),
            quotas: Arc::new(self.quotas),
            limits: Limits::default(),
            clock: Arc::new(clock),
            disposable: DisposableDomains::default(),
            intake: self.intake,
            modules: Arc::default(),
            contracts: Contracts { store, scanner: None },
        };
        let scopes = [Scope::create("leads"), Scope::read("leads"), Scope::read("newsletter")];
        let admin = Admin::new(app, AdminSettings::new(self.networks, scopes, self.offer));
        let observer = Observer { new_id: || "made".to_owned(), ..Observer::default() };
        let edge = Edge::new(Site::default(), CorsSettings::default(), observer);
        let service = edge.application(|config| admin.register(config)).wrap(from_fn(observe));
        let service = init_service(service).await;
        let mut answers = Vec::new();
        for request in requests {
            let response = match try_call_service(&service, request.to_request()).await {
                Ok(response) => response.into_parts().1.map_into_boxed_body(),
                Err(error) => error.error_response(),
            };
            let (status, headers) = (response.status(), response.headers().clone());
            let body = to_bytes(response.into_body()).await;
            let is_whole = body.is_ok();
            let body = String::from_utf8(body.unwrap_or_default().to_vec()).unwrap();
            answers.push(Answer { status, headers, body, is_whole });
        }
        answers
    }

    pub async fn answer(self, request: TestRequest) -> Answer {
        self.answers(vec![request]).await.remove(0)
    }
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Empty if it broke off.
    pub body: String,
    pub is_whole: bool,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A request of a browser in which the person is signed in.
pub fn signed_in(request: TestRequest) -> TestRequest {
    request
        .insert_header(("Host", HOST))
        .insert_header(("Cookie", format!("exit3={}", token().expose())))
        .insert_header(("Sec-Fetch-Site", "same-origin"))
}

pub fn get(path: &str) -> TestRequest {
    signed_in(TestRequest::get().uri(path))
}

pub fn post(path: &str, form: &str) -> TestRequest {
    signed_in(TestRequest::post().uri(path))
        .insert_header(("Content-Type", "application/x-www-form-urlencoded"))
        .set_payload(form.to_owned())
}
