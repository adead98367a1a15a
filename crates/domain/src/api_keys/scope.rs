use std::fmt;

use crate::choice::choice;

choice! {
    /// A permission that a key may have.
    Scope {
        LeadsCreate = "leads:create",
        LeadsRead = "leads:read",
        LeadsWrite = "leads:write",
        NewsletterCreate = "newsletter:create",
        NewsletterRead = "newsletter:read",
        NewsletterWrite = "newsletter:write",
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Scopes(u64);

// Each scope is one bit.
const _: () = assert!(Scope::ALL.len() <= u64::BITS as usize);

impl Scopes {
    /// No scopes.
    pub const NONE: Self = Self(0);
    /// All scopes.
    pub const ALL: Self = Self::of(Scope::ALL);

    /// The set of these scopes.
    pub const fn of(scopes: &[Scope]) -> Self {
        let mut bits = 0;
        let mut rest = scopes;
        while let [scope, others @ ..] = rest {
            bits |= 1 << *scope as u32;
            rest = others;
        }
        Self(bits)
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the set contains `scope`.
    pub const fn contain(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u32) != 0
    }

    /// Whether the set contains all of `others`.
    pub const fn include(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Parses words separated by spaces. Unknown words are ignored, because a newer version of the
    /// program may have stored them.
    pub fn from_words(words: &str) -> Self {
        let scopes: Vec<Scope> = words.split_whitespace().filter_map(Scope::from_word).collect();
        Self::of(&scopes)
    }
}

impl fmt::Display for Scopes {
    /// Writes the words, separated by spaces.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "";
        for scope in Scope::ALL.iter().filter(|scope| self.contain(**scope)) {
            write!(formatter, "{before}{scope}")?;
            before = " ";
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Scopes({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_for_scopes_and_back() {
        for (one, other) in
            Scope::ALL.iter().flat_map(|one| Scope::ALL.iter().map(move |other| (one, other)))
        {
            let scopes = Scopes::of(&[*one, *other]);
            assert_eq!(Scopes::from_words(&scopes.to_string()), scopes);
        }
        assert_eq!(Scopes::from_words(&Scopes::ALL.to_string()), Scopes::ALL);
        let known = Scopes::of(&[Scope::LeadsCreate]);
        assert_eq!(Scopes::from_words("leads:create leads:drop"), known);
        assert_eq!(Scopes::ALL.to_string().split(' ').count(), Scope::ALL.len());
    }

    #[test]
    fn a_set_has_what_it_was_made_of() {
        let scopes = Scopes::of(&[Scope::LeadsCreate, Scope::NewsletterWrite]);
        assert!(scopes.contain(Scope::LeadsCreate) && !scopes.contain(Scope::LeadsRead));
        assert!(Scopes::ALL.include(scopes) && !scopes.include(Scopes::ALL));
        assert!(!scopes.is_empty() && Scopes::NONE.is_empty());
        assert_eq!(Scopes::of(&[Scope::LeadsRead; 2]), Scopes::of(&[Scope::LeadsRead]));
        assert_eq!(format!("{scopes:?}"), "Scopes(leads:create newsletter:write)");
    }
}
