//! Whom an address stands for: what one customer of a provider can easily be given.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The client behind an address: one line has a /64 of version 6.
pub(super) fn client(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
    }
}

/// The network around an address: its /24, or its /64 of version 6.
pub(super) fn around(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & !0xff)),
        IpAddr::V6(_) => client(address),
    }
}

/// The network's name.
pub(super) fn network(address: IpAddr) -> String {
    let length = if address.is_ipv4() { 24 } else { 64 };
    format!("{}/{length}", around(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_have_its_name() {
        for (address, name) in [
            ("192.0.2.7", "192.0.2.0/24"),
            ("192.0.2.255", "192.0.2.0/24"),
            ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(network(address.parse().unwrap()), name);
        }
    }
}
