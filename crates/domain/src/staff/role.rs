//! What a person does at the agency, from which follows what they may do.

use super::StaffProfile;
use crate::choice::choice;

choice! {
    /// The role of an account. `access.rs` says what each role may do.
    Role {
        /// May do everything, including managing accounts and keys.
        Owner = "owner",
        /// May do everything with leads, subscribers and clients.
        Manager = "manager",
        /// Works on own and unassigned leads.
        Sales = "sales",
        /// Only reads.
        Viewer = "viewer",
    }
}

impl StaffProfile {
    /// The role of the account; `None` if it has none, and cannot sign in. The flags decide, because
    /// they are Django's, and an earlier release writes them alone: a superuser is an owner, and the
    /// column `role` only says what a member of the staff may do.
    pub fn works_as(&self) -> Option<Role> {
        match (self.is_superuser, self.is_staff, self.role) {
            (true, ..) => Some(Role::Owner),
            (false, true, None | Some(Role::Owner)) => Some(Role::Manager),
            (false, true, role) => role,
            (false, false, _) => None,
        }
    }

    /// Gives the account a role.
    pub fn set_role(&mut self, role: Role) {
        self.is_superuser = role == Role::Owner;
        self.is_staff = true;
        self.role = (role != Role::Owner).then_some(role);
    }

    /// Whether the account can sign in and has all rights.
    pub fn is_active_owner(&self) -> bool {
        self.is_active && self.is_superuser
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(is_superuser: bool, is_staff: bool, role: Option<Role>) -> StaffProfile {
        StaffProfile {
            username: "ana".to_owned(),
            first_name: String::new(),
            last_name: String::new(),
            email: String::new(),
            is_staff,
            is_active: true,
            is_superuser,
            role,
        }
    }

    #[test]
    fn the_flags_of_django_decide_and_the_column_refines_them() {
        for (is_superuser, is_staff, role, expected) in [
            (true, true, None, Some(Role::Owner)),
            (true, false, Some(Role::Viewer), Some(Role::Owner)),
            (false, true, None, Some(Role::Manager)),
            (false, true, Some(Role::Manager), Some(Role::Manager)),
            (false, true, Some(Role::Sales), Some(Role::Sales)),
            (false, true, Some(Role::Viewer), Some(Role::Viewer)),
            // No version writes an owner to the column.
            (false, true, Some(Role::Owner), Some(Role::Manager)),
            (false, false, None, None),
            (false, false, Some(Role::Sales), None),
        ] {
            let profile = profile(is_superuser, is_staff, role);
            assert_eq!(profile.works_as(), expected, "{profile:?}");
        }
    }

    #[test]
    fn an_account_has_the_role_that_it_is_given() {
        for old in Role::ALL {
            for new in Role::ALL {
                let mut profile = profile(false, false, None);
                profile.set_role(*old);
                profile.set_role(*new);
                assert_eq!(profile.works_as(), Some(*new));
                assert_ne!(profile.role, Some(Role::Owner), "the column has no word for it");
            }
        }
    }
}
