//! Who does something, and whether the rules of the back office allow it.

use exit3_domain::access::{Action, Record, Worker, may};
use exit3_domain::events::Author;
use exit3_domain::staff::StaffId;

/// The rules of the back office do not allow this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not allowed")]
pub struct Forbidden;

/// Who does something: the author of the events, and the worker whose role decides.
#[derive(Debug, Clone)]
pub struct Doer {
    /// The author of the events.
    pub author: Author,
    worker: Option<Worker>,
}

impl Doer {
    /// An operator at the command line, who may do everything.
    pub fn operator(author: impl Into<Author>) -> Self {
        Self { author: author.into(), worker: None }
    }

    /// A worker of the back office.
    pub fn worker(author: Author, worker: Worker) -> Self {
        Self { author, worker: Some(worker) }
    }

    /// Checks that the worker may do this.
    ///
    /// # Errors
    /// [`Forbidden`].
    pub fn check(&self, action: Action, record: Record) -> Result<(), Forbidden> {
        match &self.worker {
            Some(worker) if !may(worker, action, record) => Err(Forbidden),
            _ => Ok(()),
        }
    }

    /// Checks that the worker may give a lead of the owner `before` to `after`: to claim a lead that
    /// nobody owns, or to assign it.
    ///
    /// # Errors
    /// [`Forbidden`].
    pub fn check_owner(
        &self,
        before: Option<StaffId>,
        after: Option<StaffId>,
    ) -> Result<(), Forbidden> {
        if before == after {
            return Ok(());
        }
        let own = self.worker.as_ref().map(|worker| worker.id);
        let is_claim = before.is_none() && after.is_some() && after == own;
        let action = if is_claim { Action::Claim } else { Action::Assign };
        self.check(action, Record::Lead(before))
    }

    /// The owner of a lead that the worker makes a client of. Workers who could not edit that client
    /// otherwise claim the lead.
    pub(crate) fn owner_after_conversion(&self, before: Option<StaffId>) -> Option<StaffId> {
        let claims = self.check(Action::Edit, Record::Client(before)).is_err();
        let own = self.worker.as_ref().map(|worker| worker.id);
        before.or(own.filter(|_| claims))
    }
}

#[cfg(test)]
mod tests {
    use exit3_domain::events::Actor;
    use exit3_domain::staff::Role;

    use super::*;

    #[test]
    fn sales_claim_leads_and_managers_assign_them() {
        for (what, before, after, sales_may) in [
            ("claims", None, Some(1), true),
            ("leaves", Some(1), Some(1), true),
            ("gives away", Some(1), Some(2), false),
            ("gives up", Some(1), None, false),
            ("takes", Some(2), Some(1), false),
            ("assigns", None, Some(2), false),
        ] {
            let (before, after) = (before.map(StaffId), after.map(StaffId));
            let may = |role| {
                let worker = Worker { id: StaffId(1), role };
                Doer::worker(Actor::Service.into(), worker).check_owner(before, after).is_ok()
            };
            assert_eq!(may(Role::Sales), sales_may, "{what}");
            assert!(may(Role::Manager) && may(Role::Owner), "{what}");
            assert_eq!(may(Role::Viewer), before == after, "{what}");
            let operator = Doer::operator(Actor::Service);
            assert!(operator.check_owner(before, after).is_ok(), "{what}");
        }
    }
}
