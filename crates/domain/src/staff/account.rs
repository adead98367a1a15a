//! New accounts, as they are typed.

use unicode_normalization::UnicodeNormalization;

use super::{Role, StaffProfile};
use crate::email::is_valid;
use crate::validation::{Invalid, Violation};

/// The account that somebody wants to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountInput {
    /// The sign-in name.
    pub username: String,
    /// May be empty.
    pub first_name: String,
    /// May be empty.
    pub last_name: String,
    /// May be empty.
    pub email: String,
    /// The role.
    pub role: Role,
}

/// The most characters of a name, as in Django.
const NAME: usize = 150;
/// The most characters of an e-mail address, as in Django.
const EMAIL: usize = 254;

impl AccountInput {
    /// An owner of this name.
    pub fn owner(username: &str) -> Self {
        let empty = String::new;
        Self {
            username: username.to_owned(),
            first_name: empty(),
            last_name: empty(),
            email: empty(),
            role: Role::Owner,
        }
    }

    /// The profile of the account.
    ///
    /// # Errors
    /// The broken rules of all fields.
    pub fn into_profile(self) -> Result<StaffProfile, Invalid> {
        let mut invalid = Invalid::new();
        let username = username(&self.username);
        let is_allowed = |c: char| c.is_alphanumeric() || "_.@+-".contains(c);
        if username.is_empty() {
            let blank = Violation::new("blank", "This field may not be blank.");
            invalid.push("username", blank);
        } else if !username.chars().all(is_allowed) {
            let message = "Use letters, digits and the characters @ . + - _ only.";
            invalid.push("username", Violation::new("invalid", message));
        }
        let (first_name, last_name) = (self.first_name.trim(), self.last_name.trim());
        let email = self.email.trim();
        for (field, text, most) in [
            ("username", username.as_str(), NAME),
            ("first_name", first_name, NAME),
            ("last_name", last_name, NAME),
            ("email", email, EMAIL),
        ] {
            if text.chars().count() > most {
                let message = format!("Ensure this field has no more than {most} characters.");
                invalid.push(field, Violation::new("max_length", message));
            }
            if field != "username" && text.chars().any(char::is_control) {
                let message = "Control characters are not allowed.";
                invalid.push(field, Violation::new("control_characters", message));
            }
        }
        if !email.is_empty() && !is_valid(email) {
            let wrong = Violation::new("invalid", "Enter a valid email address.");
            invalid.push("email", wrong);
        }
        if invalid.fields().next().is_some() {
            return Err(invalid);
        }
        let mut profile = StaffProfile {
            username,
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            email: email.to_owned(),
            is_staff: true,
            is_active: true,
            is_superuser: false,
            role: None,
        };
        profile.set_role(self.role);
        Ok(profile)
    }
}

impl StaffProfile {
    /// The texts about the person that make bad passwords.
    pub fn own_texts(&self) -> [&str; 5] {
        let mailbox = self.email.split('@').next().unwrap_or_default();
        [&self.username, &self.first_name, &self.last_name, &self.email, mailbox]
    }

    /// The name of the person: first and last name, or else the sign-in name.
    pub fn full_name(&self) -> String {
        let name = format!("{} {}", self.first_name, self.last_name);
        match name.trim() {
            "" => self.username.clone(),
            name => name.to_owned(),
        }
    }
}

/// A sign-in name as it is stored: without blanks around it, and in the normal form that Django
/// uses, so that different keyboards write the same name.
pub fn username(typed: &str) -> String {
    typed.trim().nfkc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(change: impl FnOnce(&mut AccountInput)) -> Result<StaffProfile, Vec<String>> {
        let mut input = AccountInput {
            email: " ana@exit3.agency ".to_owned(),
            first_name: "Ana".to_owned(),
            ..AccountInput::owner("ana")
        };
        change(&mut input);
        input.into_profile().map_err(|invalid| {
            let codes = invalid.fields().flat_map(|(field, violations)| {
                violations.iter().map(move |violation| format!("{field} {}", violation.code))
            });
            codes.collect()
        })
    }

    #[test]
    fn blanks_around_texts_are_no_part_of_them() {
        let profile = input(|input| input.username = "\u{a0}ana.horvat@exit3 ".to_owned()).unwrap();
        assert_eq!(profile.username, "ana.horvat@exit3");
        assert_eq!(profile.email, "ana@exit3.agency");
        assert_eq!(profile.works_as(), Some(Role::Owner));
        // The letter and its accent become one character.
        let profile = input(|input| input.username = "c\u{30c}ica".to_owned()).unwrap();
        assert_eq!(profile.username, "čica");
    }

    #[test]
    fn all_broken_rules_are_told() {
        let codes = input(|input| {
            input.username = "a na\0".to_owned();
            input.first_name = "č".repeat(151);
            input.last_name = "a\0b".to_owned();
            input.email = "ana".to_owned();
        });
        let expected = [
            "username invalid",
            "first_name max_length",
            "last_name control_characters",
            "email invalid",
        ];
        assert_eq!(codes.unwrap_err(), expected);
        let codes = input(|input| input.username = "  ".to_owned());
        assert_eq!(codes.unwrap_err(), ["username blank"]);
        let codes = input(|input| input.username = "č".repeat(151));
        assert_eq!(codes.unwrap_err(), ["username max_length"]);
        for fits in ["č".repeat(150), "a".to_owned(), "+@_-.".to_owned()] {
            assert_eq!(input(|input| input.username = fits.clone()).unwrap().username, fits);
        }
    }

    #[test]
    fn a_person_without_a_name_is_called_by_the_sign_in_name() {
        let profile = input(|_| ()).unwrap();
        assert_eq!(profile.full_name(), "Ana");
        let profile = input(|input| input.first_name = String::new()).unwrap();
        assert_eq!(profile.full_name(), "ana");
    }
}
