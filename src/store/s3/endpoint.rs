//! Where a bucket is: the service's address, path style or virtual-host style, the region.

use crate::error::{Error, Result};
use crate::http::display_url;
use crate::settings::Settings;
use crate::status::Status;
use crate::store::choose::check_url;
use crate::store::encode_key;

/// The region that is signed for where nothing else is known.
const DEFAULT_REGION: &str = "us-east-1";

/// The address of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    scheme: &'static str,
    /// Host and port, without the port that is the scheme's own. For AWS without the region.
    host: String,
    /// `amazonaws.com` or `amazonaws.com.cn`, where the region is a part of the host.
    aws: Option<Aws>,
    /// The path before the bucket: empty, or `/…` without a slash at its end.
    base: String,
    bucket: String,
    /// Whether the bucket stands in the host's name.
    bucket_in_host: bool,
    /// The region to begin with.
    region: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Aws {
    domain: &'static str,
    dualstack: bool,
}

impl Endpoint {
    /// Reads `store_endpoint`, `store_container`, `store_region`, `store_addressing` and
    /// `allow_http`.
    pub(super) fn from_settings(settings: &Settings) -> Result<Endpoint> {
        let url = settings.text("store_endpoint").unwrap_or_default();
        check_url("store_endpoint", url)?;
        let (scheme, rest) = match url.strip_prefix("https://") {
            Some(rest) => ("https", rest),
            None => ("http", url.trim_start_matches("http://")),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = without_own_port(&authority.to_ascii_lowercase(), scheme);
        if scheme == "http" && !is_loopback(&host) && !settings.flag("allow_http") {
            return Err(Error::new(
                Status::BadSetting,
                "store_endpoint is http, which anyone on the way can read",
            )
            .at(display_url(url))
            .advise("use https, or set allow_http = true"));
        }
        let mut base: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let at = at_aws(&host);
        let bucket = match (settings.text("store_container"), at.as_ref().and_then(|at| at.bucket))
        {
            (Some(bucket), _) => {
                // The bucket may be named in both places.
                if base.last() == Some(&bucket) {
                    base.pop();
                }
                bucket.to_owned()
            }
            (None, Some(bucket)) => bucket.to_owned(),
            (None, None) => match base.pop() {
                Some(bucket) => bucket.to_owned(),
                None => {
                    return Err(Error::new(Status::BadSetting, "store_container is missing, and store_endpoint names no bucket")
                        .at(display_url(url))
                        .advise("set store_container to the name of the bucket, or write the bucket as the endpoint's path"));
                }
            },
        };
        if bucket.contains('/') || bucket.is_empty() || matches!(bucket.as_str(), "." | "..") {
            return Err(Error::new(
                Status::BadSetting,
                format!("store_container = {bucket} cannot be the name of a bucket"),
            )
            .advise("a folder inside the bucket is named by store_prefix"));
        }
        let bucket_in_host = match settings.text("store_addressing").unwrap_or("auto") {
            "path" => false,
            "host" => true,
            // A certificate for *.s3.… does not cover a name with more dots.
            _ => at.is_some() && !bucket.contains('.'),
        };
        let region = settings
            .text("store_region")
            .or_else(|| at.as_ref().and_then(|at| at.region))
            .unwrap_or(DEFAULT_REGION)
            .to_owned();
        let aws = at.map(|at| Aws { domain: at.domain, dualstack: at.dualstack });
        let base = base.iter().map(|part| format!("/{part}")).collect();
        Ok(Endpoint { scheme, host, aws, base, bucket, bucket_in_host, region })
    }

    pub(super) fn scheme(&self) -> &'static str {
        self.scheme
    }

    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The region to begin with.
    pub(super) fn region(&self) -> &str {
        &self.region
    }

    pub(super) fn is_aws(&self) -> bool {
        self.aws.is_some()
    }

    /// What names of resources in policies begin with.
    pub(super) fn partition(&self) -> &'static str {
        match &self.aws {
            Some(Aws { domain: "amazonaws.com.cn", .. }) => "aws-cn",
            _ => "aws",
        }
    }

    /// The host that serves the bucket in a region.
    pub(super) fn host(&self, region: &str) -> String {
        let service = match &self.aws {
            Some(Aws { domain, dualstack: true }) => format!("s3.dualstack.{region}.{domain}"),
            Some(Aws { domain, dualstack: false }) => format!("s3.{region}.{domain}"),
            None => self.host.clone(),
        };
        if self.bucket_in_host { format!("{}.{service}", self.bucket) } else { service }
    }

    /// The percent-encoded path of an object, or of the bucket itself.
    pub(super) fn path(&self, key: Option<&str>) -> String {
        let mut path = self.base.clone();
        if !self.bucket_in_host {
            path.push('/');
            path.push_str(&encode_key(&self.bucket));
        }
        if let Some(key) = key {
            path.push('/');
            path.push_str(&encode_key(key));
        } else if path.is_empty() {
            path.push('/');
        }
        path
    }

    /// Whether a host belongs to the configured service, so that a request may be signed for it.
    pub(super) fn covers(&self, host: &str) -> bool {
        let domain = self.aws.as_ref().map_or(self.host.as_str(), |aws| aws.domain);
        let host = without_own_port(&host.to_ascii_lowercase(), self.scheme);
        host == domain || host.strip_suffix(domain).is_some_and(|before| before.ends_with('.'))
    }

    /// The bucket's address as it is shown.
    pub(super) fn display(&self) -> String {
        format!("{}://{}{}", self.scheme, self.host(&self.region), self.path(None))
    }
}

fn without_own_port(authority: &str, scheme: &str) -> String {
    let own = if scheme == "https" { ":443" } else { ":80" };
    authority.strip_suffix(own).unwrap_or(authority).to_owned()
}

/// Whether nothing leaves the machine on the way to this host.
fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What a host name of AWS says.
struct AtAws<'a> {
    domain: &'static str,
    dualstack: bool,
    bucket: Option<&'a str>,
    region: Option<&'a str>,
}

/// Reads `[bucket.]s3[.dualstack][.region].amazonaws.com[.cn]`, and the older `s3-region`.
fn at_aws(host: &str) -> Option<AtAws<'_>> {
    let (before, domain) = ["amazonaws.com", "amazonaws.com.cn"]
        .into_iter()
        .find_map(|domain| Some((host.strip_suffix(domain)?.strip_suffix('.')?, domain)))?;
    let mut start = 0;
    for label in before.split('.') {
        let bucket = before[..start].strip_suffix('.');
        let rest = before[start + label.len()..].trim_start_matches('.');
        if label == "s3" {
            let (dualstack, region) = match rest.strip_prefix("dualstack") {
                Some(region) => (true, region.trim_start_matches('.')),
                None => (false, rest),
            };
            let region = Some(region).filter(|region| !region.is_empty());
            // A gateway of one's own (vpce) is addressed as it is written.
            return match region {
                Some(region) if region.contains('.') => None,
                _ => Some(AtAws { domain, dualstack, bucket, region }),
            };
        }
        if let (Some(region), true) = (label.strip_prefix("s3-"), rest.is_empty()) {
            let plain = region.split('-').count() >= 3 && !region.starts_with("website");
            return plain.then_some(AtAws {
                domain,
                dualstack: false,
                bucket,
                region: Some(region),
            });
        }
        start += label.len() + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Origin;

    fn endpoint(settings: &[(&str, &str)]) -> Result<Endpoint> {
        let mut all = Settings::new();
        for (name, value) in settings {
            all.set(name, value, Origin::Api).unwrap();
        }
        Endpoint::from_settings(&all)
    }

    /// Endpoint, container and the URL of the object `a b`.
    #[test]
    fn addresses_are_built_as_each_provider_wants_them() {
        for (url, container, region, expected) in [
            ("https://s3.example.org", "logs", "us-east-1", "https://s3.example.org/logs/a%20b"),
            ("https://s3.example.org/logs", "", "us-east-1", "https://s3.example.org/logs/a%20b"),
            (
                "https://s3.example.org/logs/",
                "logs",
                "us-east-1",
                "https://s3.example.org/logs/a%20b",
            ),
            ("https://example.org/s3/logs", "", "us-east-1", "https://example.org/s3/logs/a%20b"),
            (
                "https://S3.example.org:443",
                "logs",
                "us-east-1",
                "https://s3.example.org/logs/a%20b",
            ),
            ("http://127.0.0.1:9000", "logs", "us-east-1", "http://127.0.0.1:9000/logs/a%20b"),
            (
                "https://s3.amazonaws.com",
                "logs",
                "us-east-1",
                "https://logs.s3.us-east-1.amazonaws.com/a%20b",
            ),
            (
                "https://s3.eu-west-1.amazonaws.com",
                "logs",
                "eu-west-1",
                "https://logs.s3.eu-west-1.amazonaws.com/a%20b",
            ),
            (
                "https://s3-eu-west-1.amazonaws.com",
                "logs",
                "eu-west-1",
                "https://logs.s3.eu-west-1.amazonaws.com/a%20b",
            ),
            (
                "https://s3.dualstack.eu-west-1.amazonaws.com",
                "logs",
                "eu-west-1",
                "https://logs.s3.dualstack.eu-west-1.amazonaws.com/a%20b",
            ),
            (
                "https://logs.s3.eu-west-1.amazonaws.com",
                "",
                "eu-west-1",
                "https://logs.s3.eu-west-1.amazonaws.com/a%20b",
            ),
            (
                "https://s3.eu-west-1.amazonaws.com",
                "my.logs",
                "eu-west-1",
                "https://s3.eu-west-1.amazonaws.com/my.logs/a%20b",
            ),
            (
                "https://s3.cn-north-1.amazonaws.com.cn",
                "logs",
                "cn-north-1",
                "https://logs.s3.cn-north-1.amazonaws.com.cn/a%20b",
            ),
        ] {
            let endpoint =
                endpoint(&[("store_endpoint", url), ("store_container", container)]).unwrap();
            let made = format!(
                "{}://{}{}",
                endpoint.scheme(),
                endpoint.host(endpoint.region()),
                endpoint.path(Some("a b"))
            );
            assert_eq!(made, expected, "{url}");
            assert_eq!(endpoint.region(), region, "{url}");
        }
    }

    #[test]
    fn addressing_can_be_forced() {
        let url = ("store_endpoint", "https://s3.example.org");
        let bucket = ("store_container", "logs");
        let host = endpoint(&[url, bucket, ("store_addressing", "host")]).unwrap();
        assert_eq!(host.display(), "https://logs.s3.example.org/");
        assert_eq!(host.path(Some("a")), "/a");
    }

    #[test]
    fn a_missing_bucket_and_bare_http_are_refused_with_advice() {
        let missing = endpoint(&[("store_endpoint", "https://s3.example.org")]).unwrap_err();
        assert!(missing.to_string().contains("store_container is missing"), "{missing}");
        let bare = endpoint(&[("store_endpoint", "http://s3.example.org/logs")]).unwrap_err();
        assert!(bare.to_string().contains("allow_http"), "{bare}");
        let slash =
            endpoint(&[("store_endpoint", "https://a.example"), ("store_container", "a/b")]);
        assert!(slash.unwrap_err().to_string().contains("store_prefix"));
        let nothing = endpoint(&[("store_endpoint", "s3.example.org"), ("store_container", "a")]);
        assert!(nothing.unwrap_err().to_string().contains("https://host"));
    }

    #[test]
    fn credentials_go_only_to_hosts_of_the_configured_service() {
        let own = endpoint(&[("store_endpoint", "https://s3.example.org/logs")]).unwrap();
        assert!(own.covers("s3.example.org") && own.covers("logs.s3.example.org"));
        assert!(!own.covers("example.org") && !own.covers("evil-s3.example.org"));
        let aws = endpoint(&[("store_endpoint", "https://s3.amazonaws.com/logs")]).unwrap();
        assert!(aws.covers("logs.s3.eu-west-1.amazonaws.com"));
        assert!(!aws.covers("amazonaws.com.evil.example"));
    }
}
