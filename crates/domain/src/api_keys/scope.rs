use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

const CREATE: &str = "create";
const READ: &str = "read";
const WRITE: &str = "write";

/// A permission that a key may have: what it may do with one resource, such as `leads:read`. Every
/// resource brings its own, so there is no list of all scopes here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    resource: Cow<'static, str>,
    action: Cow<'static, str>,
}

impl Scope {
    /// The permission to create rows of a resource.
    pub const fn create(resource: &'static str) -> Self {
        Self::of(resource, CREATE)
    }

    /// The permission to read rows of a resource.
    pub const fn read(resource: &'static str) -> Self {
        Self::of(resource, READ)
    }

    /// The permission to change and delete rows of a resource.
    pub const fn write(resource: &'static str) -> Self {
        Self::of(resource, WRITE)
    }

    const fn of(resource: &'static str, action: &'static str) -> Self {
        Self { resource: Cow::Borrowed(resource), action: Cow::Borrowed(action) }
    }

    /// The resource.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Whether it is the permission to create rows.
    pub(super) fn is_for_creating(&self) -> bool {
        self.action == CREATE
    }
}

/// The text is not a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a scope such as leads:read")]
pub struct NotAScope;

impl FromStr for Scope {
    type Err = NotAScope;

    fn from_str(word: &str) -> Result<Self, NotAScope> {
        let is_name = |text: &str, others: &[u8]| {
            let known = |byte: u8| byte.is_ascii_lowercase() || others.contains(&byte);
            !text.is_empty() && text.bytes().all(known)
        };
        match word.split_once(':') {
            Some((resource, action)) if is_name(resource, b"_") && is_name(action, b"") => {
                Ok(Self { resource: resource.to_owned().into(), action: action.to_owned().into() })
            }
            _ => Err(NotAScope),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.resource, self.action)
    }
}

/// A set of scopes.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// No scopes.
    pub const NONE: Self = Self(BTreeSet::new());

    /// The set of these scopes.
    pub fn of(scopes: impl IntoIterator<Item = Scope>) -> Self {
        Self(scopes.into_iter().collect())
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the set contains `scope`.
    pub fn contain(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// Whether all scopes of the set are for creating rows.
    pub(super) fn only_create(&self) -> bool {
        self.0.iter().all(Scope::is_for_creating)
    }

    /// Parses words separated by blanks. Scopes of unknown resources are kept: a newer version of
    /// the program may have stored them, and no route of this one asks for them. Words that are no
    /// scopes are ignored.
    pub fn from_words(words: &str) -> Self {
        Self::of(words.split_whitespace().filter_map(|word| word.parse().ok()))
    }
}

impl fmt::Display for Scopes {
    /// Writes the words in order, separated by spaces.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "";
        for scope in &self.0 {
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
    use rstest::rstest;

    #[rstest]
    #[case("leads:read", Some(Scope::read("leads")))]
    #[case("newsletter:create", Some(Scope::create("newsletter")))]
    #[case("price_lists:write", Some(Scope::write("price_lists")))]
    #[case("tags:export", Some(Scope::of("tags", "export")))]
    #[case("", None)]
    #[case("leads", None)]
    #[case("leads:", None)]
    #[case(":read", None)]
    #[case(":", None)]
    #[case("leads:read:all", None)]
    #[case("leads:read_all", None)]
    #[case("Leads:read", None)]
    #[case("leads:Read", None)]
    #[case("leads:*", None)]
    #[case("*:read", None)]
    #[case("leads2:read", None)]
    #[case("leads :read", None)]
    #[case(" leads:read", None)]
    #[case("leads,read", None)]
    #[case("žena:read", None)]
    fn a_scope_is_a_resource_and_what_may_be_done_with_it(
        #[case] word: &str,
        #[case] scope: Option<Scope>,
    ) {
        assert_eq!(word.parse(), scope.clone().ok_or(NotAScope));
        assert!(scope.is_none_or(|scope| scope.to_string() == word));
    }

    #[test]
    fn words_stand_for_a_set_and_back() {
        for (words, written) in [
            ("", ""),
            ("leads:create", "leads:create"),
            ("leads:write leads:create", "leads:create leads:write"),
            (" leads:read\n leads:read\t", "leads:read"),
            ("newsletter:read leads:write", "leads:write newsletter:read"),
        ] {
            let scopes = Scopes::from_words(words);
            assert_eq!(scopes.to_string(), written, "{words:?}");
            assert_eq!(Scopes::from_words(written), scopes);
        }
    }

    #[test]
    fn scopes_of_a_newer_version_are_kept_and_open_nothing_else() {
        let scopes = Scopes::from_words("leads:create tags:read leads:drop * LEADS:read leads");
        assert_eq!(scopes.to_string(), "leads:create leads:drop tags:read");
        for scope in [Scope::read("leads"), Scope::write("leads"), Scope::create("newsletter")] {
            assert!(!scopes.contain(&scope), "{scope}");
        }
    }

    #[test]
    fn a_set_has_what_it_was_made_of() {
        let scopes = Scopes::of([Scope::write("newsletter"), Scope::create("leads")]);
        assert!(scopes.contain(&Scope::create("leads")) && !scopes.contain(&Scope::read("leads")));
        assert!(!scopes.contain(&Scope::create("lead")) && !scopes.contain(&Scope::create("")));
        assert!(!scopes.is_empty() && Scopes::NONE.is_empty());
        assert_eq!(format!("{scopes:?}"), "Scopes(leads:create newsletter:write)");
    }

    #[test]
    fn a_set_only_creates_if_each_of_its_scopes_does() {
        assert!(Scopes::from_words("leads:create tags:create").only_create());
        for other in ["leads:read", "leads:write", "tags:creates", "tags:export"] {
            assert!(!Scopes::from_words(&format!("leads:create {other}")).only_create(), "{other}");
        }
    }
}
