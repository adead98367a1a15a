//! E-mail addresses: their syntax, and the domains of disposable addresses.

mod spelling;

pub use spelling::{canonical, other_spellings};

use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use email_address::EmailAddress;
use unicode_normalization::char::is_combining_mark;
use validator::ValidationError;

use crate::characters::is_invisible;
use crate::validation::violation;

/// The message for every value that is not an address.
pub(crate) const MESSAGE: &str = "Enter a valid email address.";

/// The maximum length of an address in characters (RFC 5321, 4.5.3.1.3 without the brackets).
pub const MAX_LENGTH: u64 = 254;

/// Domains of disposable addresses that are always refused.
const DISPOSABLE: &[&str] = &[
    "tempmail.com",
    "throwaway.email",
    "10minutemail.com",
    "guerrillamail.com",
    "mailinator.com",
    "maildrop.cc",
];

/// Whether mail on the internet can be sent to `address`: RFC 5321, with a domain of at least two
/// labels or an address literal, and a local part that needs no SMTPUTF8. Another rule checks
/// [`MAX_LENGTH`]. A local part may exceed 64 characters: not all servers enforce that limit, and
/// the replaced service accepted addresses of up to 320 characters.
pub fn is_valid(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let literal = domain.strip_prefix('[').and_then(|domain| domain.strip_suffix(']'));
    address.chars().count() <= 320
        && is_local_part(local)
        && literal.map_or_else(|| is_domain(domain), is_address_literal)
}

fn is_local_part(local: &str) -> bool {
    let known = EmailAddress::is_valid_local_part;
    // Checked in pieces, because the parser enforces the 64 characters.
    let is_atom = |atom: &str| {
        let mut pieces = atom.as_bytes().chunks(64).map(std::str::from_utf8);
        !atom.is_empty()
            && pieces.all(|piece| piece.is_ok_and(|piece| !piece.contains('"') && known(piece)))
    };
    // The parser treats a tab as a space; RFC 5321 does not.
    local.is_ascii() && !local.contains('\t') && (known(local) || local.split('.').all(is_atom))
}

/// Whether `literal` is the inside of an address literal. The `IPv6:` tag may be missing, as in the
/// replaced service.
fn is_address_literal(literal: &str) -> bool {
    let tag = "ipv6:";
    let untagged = match literal.get(..tag.len()) {
        Some(start) if start.eq_ignore_ascii_case(tag) => literal.get(tag.len()..).unwrap_or(""),
        _ => literal,
    };
    untagged.parse::<Ipv6Addr>().is_ok() || literal.parse::<Ipv4Addr>().is_ok()
}

/// [`is_valid`] as a field rule. Another rule reports blank values.
pub(crate) fn check(text: &str) -> Result<(), ValidationError> {
    if text.is_empty() || is_valid(text) {
        return Ok(());
    }
    Err(violation("invalid_email", MESSAGE))
}

/// Whether `domain` is a domain name of the internet: the parser's grammar, plus the rules of RFC
/// 1035 about hyphens and lengths, plus a top-level label of letters only unless it is encoded. Two
/// things are allowed that the parser does not know: marks, which are separate characters in many
/// scripts, and the dot between two `l` in Catalan (RFC 5892, A.3).
fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        label.chars().count() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && !label.starts_with(is_combining_mark)
    };
    let letters = domain.replace("l\u{b7}l", "ll").replace(is_combining_mark, "");
    let Some((_, top)) = letters.rsplit_once('.') else {
        return false;
    };
    EmailAddress::is_valid_domain(&letters)
        && letters.chars().all(|c| c.is_alphanumeric() || "-.".contains(c))
        && !domain.contains(is_invisible)
        && domain.split('.').all(label)
        && top.chars().count() >= 2
        && (!top.contains(char::is_numeric) || top.to_ascii_lowercase().starts_with("xn--"))
}

/// The domains of disposable addresses: a built-in list, plus those that the operator adds.
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
    /// Adds the domains of `list`: one per line; `#` starts a comment.
    pub fn add_list(&mut self, list: &str) {
        let lines = list.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        self.domains.extend(lines.filter(|line| !line.is_empty()).map(spelling::domain));
    }

    /// Whether the domain of `address` (in [`canonical`] form) is in the list.
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
    #[case("ana@[IPv6:2001:db8::1]")]
    #[case("ana@[::1]")]
    #[case("ana@acme.xn--p1ai")]
    #[case("ana@4711.hr")]
    #[case("ana@\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}.\u{92d}\u{93e}\u{930}\u{924}")]
    #[case("ana@\u{e44}\u{e17}\u{e22}\u{e19}\u{e35}\u{e49}.com")]
    #[case("ana@l\u{b7}l.cat")]
    #[case(&format!("{}@acme.hr", "a".repeat(65)))]
    #[case(&format!("{}@acme.hr", "a".repeat(312)))]
    #[case(&format!("ana@{}.hr", "a".repeat(63)))]
    #[case(&format!("{}.{}@acme.hr", "a".repeat(63), "b".repeat(200)))]
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
    #[case("ana@[300.1.1.1]")]
    #[case(&format!("{}@acme.hr", "a".repeat(313)))]
    #[case(&format!("ana@{}.hr", "a".repeat(64)))]
    #[case("ana@acme-.hr")]
    #[case("ana@[acme]")]
    #[case("ana@acme.123")]
    #[case("ana@acme.hr1")]
    #[case("\"@acme.hr")]
    #[case("\"a\tb\"@acme.hr")]
    #[case("ana@\u{301}acme.hr")]
    #[case("ana@ac\u{b7}me.hr")]
    #[case("ana@ac\u{200b}me.hr")]
    #[case("ana@ac\u{200d}me.hr")]
    #[case("ana@ac\u{ad}me.hr")]
    #[case("ana@ac\u{3164}me.hr")]
    #[case("ana\u{202c}@acme.hr")]
    #[case("ana@acme.hr.")]
    #[case("ana@acme\u{3002}hr")]
    #[case(&format!("{}.@acme.hr", "a".repeat(64)))]
    #[case(&format!("{} @acme.hr", "a".repeat(64)))]
    #[case(&format!("{}\"\"@acme.hr", "a".repeat(64)))]
    fn refuses(#[case] address: &str) {
        assert!(!is_valid(address));
    }

    #[test]
    fn a_list_adds_domains_to_the_fixed_ones() {
        let mut domains = DisposableDomains::default();
        domains
            .add_list("# ours\nSpam.example # seen often\n\nxn--mll-hoa.example\nM\u{dc}LL.hr\n");
        assert!(domains.contain("a@spam.example"));
        assert!(domains.contain(&canonical("a@m\u{fc}ll.example")));
        assert!(domains.contain(&canonical("a@XN--mll-hoa.hr")));
        assert!(domains.contain("a@mailinator.com"));
        assert!(!domains.contain("a@acme.hr"));
        assert!(!domains.contain("a@not-mailinator.com"));
    }
}
