//! E-mail addresses: what one is, and which domains hand out throw-away ones.

use std::collections::HashSet;

use email_address::{EmailAddress, Options};
use validator::ValidationError;

use crate::text::violation;

/// What is said of a value that is no address, whatever else it is.
pub(crate) const MESSAGE: &str = "Enter a valid email address.";

/// The longest address, in characters (RFC 5321, 4.5.3.1.3 less the brackets).
pub const MAX_LENGTH: u64 = 254;

/// Domains of throw-away addresses that are always refused.
const DISPOSABLE: &[&str] = &[
    "tempmail.com",
    "throwaway.email",
    "10minutemail.com",
    "guerrillamail.com",
    "mailinator.com",
    "maildrop.cc",
];

/// Whether `address` is one that mail on the internet can be sent to: RFC 5321,
/// with a domain of at least two labels or an address literal, and a local part
/// that needs no SMTPUTF8.
pub fn is_valid(address: &str) -> bool {
    let options = Options::default().without_display_text().with_required_tld();
    let Ok(parsed) = EmailAddress::parse_with_options(address, options) else {
        return false;
    };
    let domain = parsed.domain();
    parsed.local_part().is_ascii() && (domain.starts_with('[') || is_domain(domain))
}

/// [`is_valid`] as a field rule; a blank is the business of another rule.
pub(crate) fn check(text: &str) -> Result<(), ValidationError> {
    if text.is_empty() || is_valid(text) {
        return Ok(());
    }
    Err(violation("invalid_email", MESSAGE))
}

/// The hyphen and length rules of RFC 1035 that the address grammar leaves open.
fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.chars().count() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let top = domain.rsplit('.').next().unwrap_or_default();
    domain.split('.').all(label) && top.chars().count() >= 2
}

/// The domains of throw-away addresses: a fixed list and what an operator adds.
#[derive(Debug, Clone)]
pub struct DisposableDomains {
    domains: HashSet<String>,
}

impl Default for DisposableDomains {
    fn default() -> Self {
        Self { domains: DISPOSABLE.iter().map(|domain| (*domain).to_owned()).collect() }
    }
}

impl DisposableDomains {
    /// Adds the domains of `list`: one a line, `#` begins a comment.
    pub fn add_list(&mut self, list: &str) {
        let lines = list.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        self.domains.extend(lines.filter(|line| !line.is_empty()).map(str::to_lowercase));
    }

    /// Whether `address` (in lower case) is at one of the domains.
    pub fn contain(&self, address: &str) -> bool {
        address.rsplit_once('@').is_some_and(|(_, domain)| self.domains.contains(domain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("ana@acme.hr")]
    #[case("ana+tag@mail.acme.co.uk")]
    #[case("\"ana horvat\"@acme.hr")]
    #[case("ana@b\u{fc}cher.de")]
    #[case("o'hara@acme.hr")]
    #[case("ana@[127.0.0.1]")]
    fn accepts(#[case] address: &str) {
        assert!(is_valid(address));
    }

    #[rstest]
    #[case("")]
    #[case("ana")]
    #[case("ana@")]
    #[case("@acme.hr")]
    #[case("ana@acme")]
    #[case("ana@acme..hr")]
    #[case("ana@-acme.hr")]
    #[case("ana@acme.h")]
    #[case("ana..b@acme.hr")]
    #[case(".ana@acme.hr")]
    #[case("ana b@acme.hr")]
    #[case("Ana <ana@acme.hr>")]
    #[case("\u{111}uro@acme.hr")]
    #[case("ana@acme.hr\n")]
    #[case("ana@ac_me.hr")]
    fn refuses(#[case] address: &str) {
        assert!(!is_valid(address));
    }

    #[test]
    fn a_list_adds_domains_to_the_fixed_ones() {
        let mut domains = DisposableDomains::default();
        domains.add_list("# ours\nSpam.example # seen often\n\n");
        assert!(domains.contain("a@spam.example"));
        assert!(domains.contain("a@mailinator.com"));
        assert!(!domains.contain("a@acme.hr"));
        assert!(!domains.contain("a@not-mailinator.com"));
    }
}
