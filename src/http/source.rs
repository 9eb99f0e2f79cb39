//! Where a request comes from.

use std::net::IpAddr;

use crate::http::Headers;

/// The address that the platform says a request comes from, for counting: of IPv6 the network. `unknown` where it does not say.
#[must_use]
pub fn source(headers: &dyn Headers) -> String {
    let address = headers.get("cf-connecting-ip").unwrap_or_default();
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.to_string(),
        // Whoever has an IPv6 address has a network of them.
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Err(_) => "unknown".to_owned(),
    }
}
