//! How the quotas and the flood guard count addresses.

use std::net::IpAddr;

/// The number that a quota counts an address by: an IPv4 address has its own, an IPv6 address
/// shares that of its /64, since a peer that has one address of it has all of them.
pub fn subject(address: IpAddr) -> u64 {
    match address.to_canonical() {
        // Addresses of ff00::/8 are those of groups, so no peer has one.
        IpAddr::V4(address) => 0xffff_ffff_0000_0000 | u64::from(address.to_bits()),
        IpAddr::V6(address) => (address.to_bits() >> 64) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2001:db8::1", "2001:db8::ffff:1", true)]
    #[case("2001:db8::1", "2001:db8:0:1::1", false)]
    #[case("192.0.2.1", "192.0.2.2", false)]
    #[case("192.0.2.1", "::ffff:192.0.2.1", true)]
    #[case("0.0.0.0", "::1", false)]
    fn ipv6_counts_by_its_network(#[case] one: &str, #[case] other: &str, #[case] same: bool) {
        let subject = |text: &str| subject(text.parse().unwrap());
        assert_eq!(subject(one) == subject(other), same);
    }

    #[rstest]
    #[case("192.0.2.1", 0xffff_ffff_c000_0201)]
    #[case("::ffff:192.0.2.1", 0xffff_ffff_c000_0201)]
    #[case("2001:db8:1:2:3:4:5:6", 0x2001_0db8_0001_0002)]
    fn who_is_counted_is_the_same_in_every_version(#[case] address: &str, #[case] number: u64) {
        // Nodes of two versions count in one Redis.
        assert_eq!(subject(address.parse().unwrap()), number);
    }
}
