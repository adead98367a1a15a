//! Limits wrong passwords.
//!
//! An address has ten wrong passwords, and then one more every quarter of an hour, so that there are
//! at most ten in a quarter of an hour. A right password from another address always works. A right
//! password takes its own charge back, and those of the wrong ones that the same person typed
//! before: people in one office share an address.

use std::time::Duration;

use exit3_domain::api_keys::TokenDigest;
use exit3_domain::quotas::{Period, Quota, Rate};
use exit3_ports::Charge;
use metrics::counter;

use crate::App;
use crate::quotas::REFUSALS;

/// Ten at once, and one in fifteen minutes.
const FAILURES: Rate = Rate { limit: 10, period: Period::Minutes(150) };

/// An attempt that was charged as if the password were wrong.
pub(super) struct Attempt {
    charges: [Charge; 2],
    /// The wrong passwords of this account from this address, with this one.
    of_account: u32,
}

impl Attempt {
    /// Charges an attempt on an account, by its name. The name need not exist.
    ///
    /// # Errors
    /// The time until the next attempt is allowed. Nothing is charged then.
    pub(super) async fn charge(app: &App, name: &str, peer: u64) -> Result<Self, Duration> {
        let charge = |quota, subject| Charge { quota, rate: FAILURES, subject };
        let charges = [charge(Quota::SignIn, peer), charge(Quota::SignInAccount, both(name, peer))];
        let standings = app.quotas.charge(&charges).await;
        for (number, (charge, standing)) in charges.iter().zip(&standings).enumerate() {
            let Some(wait) = standing.refused_for else { continue };
            let granted: Vec<_> = charges.iter().take(number).map(|charge| (*charge, 1)).collect();
            app.quotas.give_back(&granted).await;
            counter!(REFUSALS, "quota" => charge.quota.as_str()).increment(1);
            return Err(wait);
        }
        let left = standings.last().map_or(0, |standing| standing.remaining);
        Ok(Self { charges, of_account: FAILURES.limit.saturating_sub(left).max(1) })
    }

    /// Takes this charge back: nobody knows whether the password was right.
    pub(super) async fn undecided(self, app: &App) {
        app.quotas.give_back(&self.charges.map(|charge| (charge, 1))).await;
    }

    /// Takes all charges for this account from this address back.
    pub(super) async fn succeeded(self, app: &App) {
        app.quotas.give_back(&self.charges.map(|charge| (charge, self.of_account))).await;
    }
}

/// The number of an account together with an address.
pub(super) fn both(name: &str, peer: u64) -> u64 {
    let TokenDigest(digest) = TokenDigest::of(&[name.as_bytes(), &peer.to_le_bytes()].concat());
    digest.first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
}
