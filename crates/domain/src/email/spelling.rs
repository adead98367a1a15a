//! The canonical form of an address. A domain can be written in several ways: `bücher.de` and
//! `xn--bcher-kva.de` are the same name (RFC 5890), in upper or lower case.

use super::{is_domain, is_valid};
use crate::characters::is_joiner;

/// The prefix of an encoded label.
const ENCODED: &str = "xn--";

/// [`other_spellings`] lists every mixture for up to this many labels with two spellings.
const MIXED: usize = 3;

/// The form in which an address is stored and compared: lower case, with the domain in Unicode. A
/// label without a Unicode form (malformed, or with forbidden characters) is left unchanged, and so
/// is a text that is not an address.
pub fn canonical(address: &str) -> String {
    let address = address.trim_matches(is_joiner);
    let Some((local, name)) = address.rsplit_once('@') else {
        return address.to_lowercase();
    };
    if is_plain(name) || !is_valid(&address.to_lowercase()) {
        return address.to_lowercase();
    }
    format!("{}@{}", local.to_lowercase(), domain(name))
}

/// The canonical form of a domain.
pub(super) fn domain(name: &str) -> String {
    if is_plain(name) {
        return name.to_lowercase();
    }
    let last = name.split('.').count().saturating_sub(1);
    let labels = name.split('.').enumerate().map(|(at, label)| readable(label, at == last));
    labels.collect::<Vec<_>>().join(".")
}

/// The other spellings of a canonical address: first with its whole domain encoded, then with some
/// labels encoded. Rows from before addresses were canonicalized may have any of them. Empty, and
/// without cost, for most addresses.
pub fn other_spellings(address: &str) -> Vec<String> {
    let Some((local, name)) = address.rsplit_once('@').filter(|(_, name)| !name.is_ascii()) else {
        return Vec::new();
    };
    let labels: Vec<[String; 2]> =
        name.split('.').map(|label| [encoded(label), label.to_owned()]).collect();
    let two = labels.iter().filter(|[encoded, label]| encoded != label).count();
    let mut names = vec![String::new()];
    for (at, [encoded, label]) in labels.iter().enumerate() {
        let dot = if at == 0 { "" } else { "." };
        let spellings: &[&str] =
            if encoded == label || two > MIXED { &[encoded] } else { &[encoded, label] };
        let longer = |name: &String| {
            let names = spellings.iter().map(|label| format!("{name}{dot}{label}"));
            names.collect::<Vec<_>>()
        };
        names = names.iter().flat_map(longer).collect();
    }
    names.retain(|spelling| spelling != name);
    names.into_iter().map(|name| format!("{local}@{name}")).collect()
}

/// Whether a domain has only one spelling, apart from case.
fn is_plain(name: &str) -> bool {
    let is_encoded = |label: &str| {
        label.get(..ENCODED.len()).is_some_and(|start| start.eq_ignore_ascii_case(ENCODED))
    };
    name.is_ascii() && !name.split('.').any(is_encoded)
}

/// A label in Unicode, if that form is allowed; else unchanged.
fn readable(label: &str, is_last: bool) -> String {
    let (text, outcome) = idna::domain_to_unicode(label);
    let around = if is_last { format!("a.{text}") } else { format!("{text}.hr") };
    let is_label = outcome.is_ok() && !text.contains('.') && is_domain(&around);
    if is_label { text } else { label.to_lowercase() }
}

/// A label in ASCII; unchanged if it has no ASCII form.
fn encoded(label: &str) -> String {
    idna::domain_to_ascii(label).unwrap_or_else(|_| label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::encoded("iva@xn--bcher-kva.de", "iva@b\u{fc}cher.de")]
    #[case::readable("iva@b\u{fc}cher.de", "iva@b\u{fc}cher.de")]
    #[case::capitals("Iva@B\u{dc}CHER.De", "iva@b\u{fc}cher.de")]
    #[case::encoded_in_capitals("IVA@XN--BCHER-KVA.DE", "iva@b\u{fc}cher.de")]
    #[case::top_label("a@acme.xn--p1ai", "a@acme.\u{440}\u{444}")]
    #[case::mixed("a@b\u{fc}cher.xn--p1ai", "a@b\u{fc}cher.\u{440}\u{444}")]
    #[case::mixed_the_other_way("a@xn--bcher-kva.\u{440}\u{444}", "a@b\u{fc}cher.\u{440}\u{444}")]
    #[case::subdomain("a@mail.xn--bcher-kva.de", "a@mail.b\u{fc}cher.de")]
    #[case::sharp_s_is_a_letter("a@xn--strae-oqa.de", "a@stra\u{df}e.de")]
    #[case::sharp_s_is_no_double_s("a@strasse.de", "a@strasse.de")]
    #[case::final_sigma_of_the_name("a@xn--pxavbm.gr", "a@\u{3bf}\u{3b4}\u{3bf}\u{3c2}.gr")]
    #[case::capital_sigma("a@\u{39f}\u{394}\u{39f}\u{3a3}.gr", "a@\u{3bf}\u{3b4}\u{3bf}\u{3c3}.gr")]
    #[case::full_width("a@\u{ff41}\u{ff43}\u{ff4d}\u{ff45}.hr", "a@acme.hr")]
    #[case::joiners_around("\u{200d}a@acme.hr\u{200c}", "a@acme.hr")]
    #[case::plain("Ana.Horvat+x@Acme.HR", "ana.horvat+x@acme.hr")]
    fn every_spelling_has_the_same_canonical_form(#[case] given: &str, #[case] kept: &str) {
        assert_eq!(canonical(given), kept);
        assert_eq!(canonical(kept), kept, "once more");
        assert!(is_valid(kept));
    }

    #[rstest]
    #[case::broken("a@xn--zzzzzzzzzz99999.de")]
    #[case::broken_beside_a_whole_one("a@xn--99999999.de")]
    #[case::only_ascii_encoded("a@xn--acme-.de")]
    #[case::no_letters("a@xn--i-7iq.ws")]
    #[case::too_short_on_top("a@acme.xn--6ca")]
    #[case::literal("a@[127.0.0.1]")]
    #[case::no_address("xn--bcher-kva.de")]
    #[case::no_address_either("@")]
    #[case::forbidden_dot("a@acme\u{3002}hr")]
    #[case::trailing_dot("a@b\u{fc}cher.de.")]
    fn addresses_without_another_form_are_unchanged(#[case] given: &str) {
        assert_eq!(canonical(given), given);
    }

    #[test]
    fn an_encoded_label_never_makes_a_valid_address_an_invalid_one() {
        for label in ["xn--i-7iq", "xn--", "xn--6ca", "xn--a", "xn--1ch", "xn---", "xn--0"] {
            for address in [format!("a@{label}.de"), format!("a@acme.{label}")] {
                assert_eq!(is_valid(&canonical(&address)), is_valid(&address), "{address}");
            }
        }
    }

    #[test]
    fn tells_every_spelling_that_may_be_stored() {
        assert_eq!(other_spellings("iva@b\u{fc}cher.de"), ["iva@xn--bcher-kva.de"]);
        assert_eq!(
            other_spellings("iva@b\u{fc}cher.\u{440}\u{444}"),
            [
                "iva@xn--bcher-kva.xn--p1ai",
                "iva@xn--bcher-kva.\u{440}\u{444}",
                "iva@b\u{fc}cher.xn--p1ai",
            ]
        );
        assert_eq!(other_spellings("iva@\u{fc}.\u{fc}.\u{fc}.\u{fc}.de").len(), 1);
        assert!(other_spellings("iva@acme.hr").is_empty());
        assert!(other_spellings("no address").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn the_form_is_found_from_each_spelling(
            name in "[a-z\u{e0}-\u{f6}\u{107}\u{10d}\u{111}]{1,12}", top in "(de|hr|\u{440}\u{444})",
        ) {
            let address = canonical(&format!("a@{name}.{top}"));
            for spelling in other_spellings(&address) {
                proptest::prop_assert!(is_valid(&spelling));
                proptest::prop_assert_eq!(canonical(&spelling), address.clone());
            }
        }
    }
}
