//! Whom an address stands for: what one customer of a provider can easily be given.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// A network of ours that the configuration names, as `10.1.0.0/16`, or one host, as `10.1.2.3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

/// Neither a network nor an address.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{0}' is neither an address nor a network: give one like 10.1.2.3, 10.1.0.0/16 or 2001:db8::/32"
)]
pub struct InvalidNetwork(String);

impl Network {
    /// Whether this address is in it. One of version 4 in the clothes of version 6 is one of version 4.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Network, InvalidNetwork> {
        let network = match text.parse::<IpAddr>() {
            Ok(address) => Ok(IpNet::from(address.to_canonical())),
            Err(_) => text.parse::<IpNet>(),
        };
        let network = network.map_err(|_| InvalidNetwork(text.to_owned()))?;
        // Clients have canonical addresses, and nobody would be in such a network.
        let mapped = matches!(network, IpNet::V6(six) if six.addr().to_ipv4_mapped().is_some());
        match mapped {
            true => Err(InvalidNetwork(text.to_owned())),
            false => Ok(Network(network)),
        }
    }
}

impl TryFrom<String> for Network {
    type Error = InvalidNetwork;

    fn try_from(text: String) -> Result<Network, InvalidNetwork> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(Network(network): Network) -> String {
        match network.prefix_len() == network.max_prefix_len() {
            true => network.addr().to_string(),
            false => network.to_string(),
        }
    }
}

/// The client behind an address: one line has a /64 of version 6.
pub(super) fn client(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
    }
}

/// The network around an address: its /24, or its /64 of version 6.
pub(in crate::receive) fn around(address: IpAddr) -> IpAddr {
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
    fn a_network_is_one_host_or_many() {
        let has = |network: &str, address: &str| {
            let network: Network = network.parse().unwrap();
            network.contains(address.parse().unwrap())
        };
        assert!(has("10.1.2.3", "10.1.2.3") && !has("10.1.2.3", "10.1.2.4"));
        assert!(has("10.1.0.0/16", "10.1.255.9") && !has("10.1.0.0/16", "10.2.0.1"));
        assert!(has("10.1.0.0/16", "::ffff:10.1.0.1") && !has("0.0.0.0/0", "::1"));
        assert!(has("::ffff:10.1.2.3", "10.1.2.3"));
        assert!(has("2001:db8::/32", "2001:db8:7::1") && !has("2001:db8::/32", "2001:db9::1"));
        for wrong in [
            "",
            "proxy.example",
            "10.1.0.0/33",
            "10.1",
            "::ffff:10.1.0.0/112",
        ] {
            let error = wrong.parse::<Network>().unwrap_err().to_string();
            assert!(error.contains("10.1.0.0/16"), "{error}");
        }
        for text in ["10.1.2.3", "10.1.0.0/16", "2001:db8::/32"] {
            let network: Network = text.parse().unwrap();
            assert_eq!(String::from(network), text);
        }
    }

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
