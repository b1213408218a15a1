//! Rules about addresses and networks in text, and what is said of spellings that are accepted for the sake of old objects.

use core::net::{IpAddr, Ipv4Addr};

use super::quoted;
use crate::api::status_error::FieldError;

const ADDRESS: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const NETWORK: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/// Reads an address. Older objects may have zeros before the numbers of one, which upstream still accepts.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let parts: Vec<&str> = text.split('.').collect();
    let octet = |part: &&str| {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u64>().ok().filter(|_| is_number).and_then(|number| u8::try_from(number).ok())
    };
    let octets: Vec<u8> = parts.iter().map_while(octet).collect();
    let octets: [u8; 4] = octets.try_into().ok().filter(|_| parts.len() == 4)?;
    Some(Ipv4Addr::from(octets).into())
}

/// A network: an address in it, and how many bits all of its addresses share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    pub(super) bits: u8,
}

impl Network {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let address = self::address(address)?;
        let is_number = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits: u8 = bits.parse().ok().filter(|_| is_number)?;
        (bits <= Self::width(address)).then_some(Self { address, bits })
    }

    fn width(address: IpAddr) -> u8 {
        if address.is_ipv4() { 32 } else { 128 }
    }

    fn number(address: IpAddr) -> u128 {
        match address {
            IpAddr::V4(address) => u128::from(u32::from(address)),
            IpAddr::V6(address) => u128::from(address),
        }
    }

    /// The bits that are the network's own.
    fn prefix(self, address: IpAddr) -> u128 {
        let rest = u32::from(Self::width(address) - self.bits.min(Self::width(address)));
        Self::number(address).checked_shr(rest).unwrap_or(0)
    }

    /// Whether the other network's address is in this one.
    pub(super) fn contains(self, other: Self) -> bool {
        self.address.is_ipv4() == other.address.is_ipv4()
            && self.prefix(self.address) == self.prefix(other.address)
    }

    /// The network with nothing set beyond its own bits.
    fn masked(self) -> Self {
        let rest = u32::from(Self::width(self.address) - self.bits);
        let number = self.prefix(self.address).checked_shl(rest).unwrap_or(0);
        let address = match self.address {
            IpAddr::V4(_) => IpAddr::V4((number as u32).into()),
            IpAddr::V6(_) => IpAddr::V6(number.into()),
        };
        Self { address, ..self }
    }

    fn written(self) -> String {
        format!("{}/{}", self.address, self.bits)
    }
}

pub(super) fn validate_address(text: &str, path: &str) -> Option<FieldError> {
    address(text).is_none().then(|| FieldError::invalid(path, quoted(text), ADDRESS))
}

pub(super) fn validate_network(text: &str, path: &str) -> Option<FieldError> {
    Network::parse(text).is_none().then(|| FieldError::invalid(path, quoted(text), NETWORK))
}

/// What is said of an address that is accepted (GetWarningsForIP).
pub(super) fn warning_of_address(text: &str, path: &str) -> Option<String> {
    let address = address(text)?;
    let is_mapped = matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some());
    if text.parse::<IpAddr>().is_err() || is_mapped {
        return Some(format!(
            "{path}: non-standard IP address {text:?} will be considered invalid in a future Kubernetes release: use \
             \"{}\"",
            address.to_canonical()
        ));
    }
    (address.is_ipv6() && address.to_string() != text).then(|| {
        format!("{path}: IPv6 address {text:?} should be in RFC 5952 canonical format (\"{address}\")")
    })
}

/// What is said of a network that is accepted (GetWarningsForCIDR).
pub(super) fn warnings_of_network(text: &str, path: &str) -> Vec<String> {
    let Some(network) = Network::parse(text) else { return Vec::new() };
    let mut warnings = Vec::new();
    let masked = network.masked();
    if masked != network {
        let single = format!("{}/{}", network.address, Network::width(network.address));
        warnings.push(format!(
            "{path}: CIDR value {text:?} is ambiguous in this context (should be {:?} or {single:?}?)",
            masked.written()
        ));
    }
    let is_standard = text.split_once('/').is_some_and(|(address, bits)| {
        address.parse::<IpAddr>().is_ok() && (bits.len() == 1 || !bits.starts_with('0'))
    });
    if !is_standard {
        warnings.push(format!(
            "{path}: non-standard CIDR value {text:?} will be considered invalid in a future Kubernetes release: use {:?}",
            masked.written()
        ));
    } else if network.address.is_ipv6() && network.written() != text {
        warnings.push(format!(
            "{path}: IPv6 CIDR value {text:?} should be in RFC 5952 canonical format ({:?})",
            network.written()
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_and_compared_by_their_own_bits() {
        let network = |text: &str| Network::parse(text).expect(text);
        assert!(network("10.0.0.0/8").contains(network("10.1.0.0/16")));
        assert!(!network("10.0.0.0/8").contains(network("11.0.0.0/16")));
        assert!(network("0.0.0.0/0").contains(network("11.0.0.0/16")));
        assert!(network("2001:db8::/32").contains(network("2001:db8:1::/48")));
        assert!(!network("0.0.0.0/0").contains(network("::/0")));
        for bad in ["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "/8", "10.0.0.0/", "10.0.0.0/+8", "::/129"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn spellings_that_are_only_tolerated_are_named() {
        assert_eq!(warning_of_address("10.0.0.1", "p"), None);
        assert!(warning_of_address("010.0.0.1", "p").is_some_and(|text| text.contains("use \"10.0.0.1\"")));
        assert!(warning_of_address("2001:DB8::1", "p").is_some_and(|text| text.contains("RFC 5952")));
        assert_eq!(warnings_of_network("10.0.0.0/8", "p"), [""; 0]);
        assert_eq!(
            warnings_of_network("10.0.0.1/8", "p"),
            [
                "p: CIDR value \"10.0.0.1/8\" is ambiguous in this context (should be \"10.0.0.0/8\" or \"10.0.0.1/32\"?)"
            ]
        );
    }
}
