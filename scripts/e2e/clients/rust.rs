//! Creates a lead with the Rust client that openapi-generator generates from the document.

use openapi::apis::configuration::Configuration;
use openapi::apis::leads_api::{create_lead, delete_lead};
use openapi::models::LeadCreate;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let configuration = Configuration {
        base_path: arguments.next().unwrap(),
        bearer_access_token: arguments.next(),
        ..Configuration::default()
    };
    let lead = LeadCreate {
        email: Some(Some("rosa@acme.hr".to_owned())),
        ..LeadCreate::new("Rosa Rust".to_owned(), "CTO".to_owned())
    };
    let lead = create_lead(&configuration, lead, None, None).await.unwrap();
    assert_eq!(lead.full_name, "Rosa Rust");
    assert_eq!(lead.email.as_deref(), Some("rosa@acme.hr"));
    delete_lead(&configuration, lead.id, None, None).await.unwrap();
}
