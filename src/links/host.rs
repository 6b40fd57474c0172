//! Which hosts only some can reach.

use std::net::{IpAddr, ToSocketAddrs};

use crate::submission::Submission;

/// Whether a link leads to a host that cannot be reached from everywhere, by its name or, where
/// no proxy looks names up in our place, by all of its addresses.
pub(super) fn is_inside(submission: &Submission, link: &str) -> bool {
    let Some(host) = host_of(link) else { return true };
    let settings = &submission.settings;
    let proxied = ["http_proxy", "https_proxy"].iter().any(|name| settings.text(name).is_some());
    is_inside_by_name(host) || (!proxied && resolves_inside(host))
}

/// The host was reached a moment ago, so its name is in the resolver's memory.
fn resolves_inside(host: &str) -> bool {
    let Ok(addresses) = (host, 0).to_socket_addrs() else { return false };
    let addresses: Vec<_> = addresses.collect();
    let inside = |ip: IpAddr| is_inside_by_name(&ip.to_string());
    !addresses.is_empty() && addresses.iter().all(|address| inside(address.ip()))
}

/// The host of a URL, without port and brackets.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    match authority.strip_prefix('[') {
        Some(ip) => ip.split(']').next(),
        None => authority.split(':').next(),
    }
}

/// Whether a host can only be reached from inside a machine or a network: loopback and private
/// addresses, single labels, and the names that RFC 6762 and RFC 8375 keep for local networks.
fn is_inside_by_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            let [a, b, ..] = ip.octets();
            ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_unspecified()
                || (a == 100 && (64..128).contains(&b))
        }
        Ok(IpAddr::V6(ip)) => {
            let first = ip.segments()[0];
            ip.is_loopback()
                || ip.is_unspecified()
                || first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80
                || ip.to_ipv4_mapped().is_some_and(|ip| is_inside_by_name(&ip.to_string()))
        }
        Err(_) => {
            !host.contains('.')
                || [".local", ".localhost", ".internal", ".home.arpa", ".lan", ".intranet"]
                    .iter()
                    .any(|end| host.ends_with(end))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_only_some_can_reach_are_never_called_public() {
        for inside in [
            "127.0.0.1",
            "::1",
            "10.1.2.3",
            "192.168.0.9",
            "172.16.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "logs",
            "localhost",
            "nas.local",
            "logs.internal",
            "LOGS.LAN.",
        ] {
            assert!(is_inside_by_name(inside), "{inside}");
        }
        for outside in ["logs.example.org", "8.8.8.8", "172.32.0.1", "2001:4860::8", "100.128.0.1"]
        {
            assert!(!is_inside_by_name(outside), "{outside}");
        }
    }

    #[test]
    fn the_host_of_a_link_is_found() {
        assert_eq!(host_of("http://[::1]:80/a"), Some("::1"));
        assert_eq!(host_of("http://a.example:80/a"), Some("a.example"));
        assert_eq!(host_of("https://a.example?x"), Some("a.example"));
    }
}
