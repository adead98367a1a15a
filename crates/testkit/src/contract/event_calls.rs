//! Calls of the methods that write sign-ins, invitations, preferences and downloads, for the rules of
//! events.

use exit3_domain::api_keys::TokenDigest;
use exit3_domain::contracts::Contract;
use exit3_domain::events::Changes;
use exit3_domain::sign_ins::{NewInvitation, NewSignIn};
use exit3_domain::staff::{PasswordHash, Staff};
use exit3_ports::sign_ins::Ending;

use super::Harness;
use super::clients::client;
use super::events::{Call, call, created};
use super::invitations::owner;
use super::sign_ins::{begin, create, invitation, sign_in};
use super::staff::{rich, staff};
use crate::builders::{at, some_act};

fn kept(text: &str) -> PasswordHash {
    PasswordHash::kept(text.to_owned())
}

/// A valid invitation with a token of this number, which is stored.
async fn invited(harness: &Harness, account: Option<&Staff>, token: u8) -> TokenDigest {
    // The acts of the calls have times of all kinds.
    let ends_at = at(4_000_000_000_000_000);
    let new = NewInvitation { ends_at, ..invitation(account, token) };
    harness.invitations.invite(&new, &some_act()).await.unwrap();
    new.digest
}

pub(super) async fn sign_in_calls(harness: &Harness) -> Vec<Call<'_>> {
    let (accounts, sign_ins, invitations) =
        (&harness.staff, &harness.sign_ins, &harness.invitations);
    let mut people = Vec::new();
    for name in ["preferring", "coming", "leaving", "changing", "asked", "accepting"] {
        people.push(create(harness, name).await);
    }
    let [preferring, coming, leaving, changing, asked, accepting] =
        <[Staff; 6]>::try_from(people).unwrap();
    for token in 101..=103 {
        begin(harness, &leaving, token).await;
    }
    begin(harness, &changing, 104).await;
    let (by_owner, by_person) =
        (invited(harness, None, 105).await, invited(harness, Some(&accepting), 106).await);
    vec![
        call("staff", "set_preferences", move |act| {
            let seen = preferring.clone();
            async move {
                let changes = Changes::between(&seen.preferences, &rich());
                accounts.set_preferences(&seen, &rich(), &act).await?;
                Ok(vec![("staff.preferences_set", seen.id.0, changes)])
            }
        }),
        call("sign_ins", "begin", move |act| {
            let new: NewSignIn = sign_in(&coming, 107);
            async move {
                sign_ins.begin(&new, &act).await?;
                Ok(created("staff.signed_in", new.staff.0))
            }
        }),
        call("sign_ins", "end", move |act| {
            let id = leaving.id;
            async move {
                // One event, however many have ended.
                sign_ins.end(id, Ending::All, &act).await?;
                Ok(created("staff.signed_out", id.0))
            }
        }),
        call("sign_ins", "change_password", move |act| {
            let seen = changing.clone();
            async move {
                sign_ins.change_password(&seen, &kept("second"), None, &act).await?;
                Ok(created("staff.password_set", seen.id.0))
            }
        }),
        call("invitations", "invite", move |act| {
            let new = invitation(Some(&asked), 108);
            let id = asked.id;
            async move {
                invitations.invite(&new, &act).await?;
                Ok(created("staff.invited", id.0))
            }
        }),
        call("invitations", "invite_new", move |act| async move {
            let new = staff("invited");
            let token = TokenDigest::of(&[109]);
            let made = invitations.invite_new(&new, &token, act.at, &act).await?;
            Ok(created("staff.created", made.id.0))
        }),
        call("invitations", "accept", move |act| {
            let seen = accepting.clone();
            async move {
                invitations.accept(&by_person, &seen, &kept("second"), &act).await?;
                Ok(created("staff.password_set", seen.id.0))
            }
        }),
        call("invitations", "accept_as_owner", move |act| async move {
            let made = invitations.accept_as_owner(&by_owner, &owner("made"), &act).await?;
            Ok(created("staff.created", made.id.0))
        }),
    ]
}

pub(super) async fn contract_calls(harness: &Harness) -> Vec<Call<'_>> {
    let files = &harness.contract_files;
    let id = harness.clients.create(&client("T9"), &some_act()).await.unwrap().id;
    vec![call("contract_files", "note_download", move |act| async move {
        let contract = Contract::at("2026/a.pdf");
        files.note_download(id, &contract, &act).await?;
        Ok(vec![("client.contract_downloaded", id.0, contract.downloaded())])
    })]
}
