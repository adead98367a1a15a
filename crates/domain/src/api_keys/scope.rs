use std::fmt;

use crate::choice::choice;

choice! {
    /// One thing that a key may open.
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

// Each scope is a bit.
const _: () = assert!(Scope::ALL.len() <= u64::BITS as usize);

impl Scopes {
    /// None.
    pub const NONE: Self = Self(0);
    /// Every one.
    pub const ALL: Self = Self::of(Scope::ALL);

    /// These.
    pub const fn of(scopes: &[Scope]) -> Self {
        let mut bits = 0;
        let mut rest = scopes;
        while let [scope, others @ ..] = rest {
            bits |= 1 << *scope as u32;
            rest = others;
        }
        Self(bits)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `scope` is one of them.
    pub const fn contain(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u32) != 0
    }

    /// Whether all of `others` are among them.
    pub const fn include(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Those that the words, separated by spaces, stand for. A word that stands for
    /// none is left out: a newer version of the program may know it.
    pub fn from_words(words: &str) -> Self {
        let scopes: Vec<Scope> = words.split_whitespace().filter_map(Scope::from_word).collect();
        Self::of(&scopes)
    }
}

impl fmt::Display for Scopes {
    /// The words, separated by spaces.
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
