//! There is always an active owner, once there was one.

use std::sync::Arc;

use exit3_domain::staff::{Role, Staff, StaffProfile};
use exit3_ports::{Constraint, StoreError};

use super::Harness;
use super::concurrency::together;
use super::invitations::owner;
use super::sign_ins::{create, verbs};
use crate::builders::some_act;

fn disabled(account: &Staff) -> StaffProfile {
    StaffProfile { is_active: false, ..account.profile.clone() }
}

fn demoted(account: &Staff) -> StaffProfile {
    let mut profile = account.profile.clone();
    profile.set_role(Role::Viewer);
    profile
}

async fn make(harness: &Harness, name: &str) -> Staff {
    harness.staff.create(&owner(name), &some_act()).await.unwrap()
}

pub async fn the_last_active_owner_stays_one(harness: &Harness) {
    let by = &some_act();
    let update = async |account: &Staff, profile: &StaffProfile| {
        harness.staff.update(account, profile, by).await
    };
    let boss = make(harness, "boss").await;
    let retired = make(harness, "retired").await;
    update(&retired, &disabled(&retired)).await.unwrap();
    let worker = create(harness, "worker").await;
    update(&worker, &disabled(&worker)).await.unwrap();
    let before = verbs(harness).await;
    let both = StaffProfile { is_active: false, ..demoted(&boss) };
    for profile in [disabled(&boss), demoted(&boss), both] {
        let refused = update(&boss, &profile).await;
        let is_last = matches!(refused, Err(StoreError::Conflict(Constraint::LastOwner)));
        assert!(is_last, "{refused:?}");
        assert_eq!(harness.staff.find(boss.id).await.unwrap().as_ref(), Some(&boss));
    }
    assert_eq!(verbs(harness).await, before);
    let renamed = StaffProfile { last_name: "Novak".to_owned(), ..boss.profile.clone() };
    let boss = update(&boss, &renamed).await.unwrap();
    let second = make(harness, "second").await;
    let boss = update(&boss, &disabled(&boss)).await.unwrap();
    let refused = update(&second, &demoted(&second)).await;
    assert!(matches!(refused, Err(StoreError::Conflict(Constraint::LastOwner))), "{refused:?}");
    // One who is not active is no owner who could be lost.
    update(&boss, &StaffProfile { is_active: false, ..demoted(&boss) }).await.unwrap();
    assert_eq!(harness.staff.find(second.id).await.unwrap(), Some(second));
}

pub async fn of_owners_who_go_at_once_one_stays(harness: &Harness) {
    let mut owners = vec![make(harness, "first").await];
    for round in 0..6 {
        for number in 0..=round % 3 {
            owners.push(make(harness, &format!("owner-{round}-{number}")).await);
        }
        let went = together(owners.len(), |number| {
            let (accounts, account) = (Arc::clone(&harness.staff), owners[number].clone());
            async move {
                let profile = if number % 2 == 0 { demoted(&account) } else { disabled(&account) };
                match accounts.update(&account, &profile, &some_act()).await {
                    Ok(_) => true,
                    Err(StoreError::Conflict(Constraint::LastOwner)) => false,
                    Err(error) => panic!("{error:?}"),
                }
            }
        })
        .await;
        assert_eq!(went.iter().filter(|went| !**went).count(), 1, "{went:?}");
        let mut stay = Vec::new();
        for owner in &owners {
            let now = harness.staff.find(owner.id).await.unwrap().unwrap();
            stay.extend(now.profile.is_active_owner().then_some(now));
        }
        assert_eq!(stay.len(), 1);
        owners = stay;
    }
}
