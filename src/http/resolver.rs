//! Looks names up on the thread that asks.

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::unversioned::transport::time::Duration;

/// Looks names up on the thread that asks, without a limit of its own.
///
/// With a limit ureq would start a thread for each lookup and leave it behind when the limit is
/// over, in a process that may not be ours. The system's resolver has limits (resolv.conf).
#[derive(Debug)]
pub(super) struct OnThisThread;

impl Resolver for OnThisThread {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let timeout = NextTimeout { after: Duration::NotHappening, ..timeout };
        DefaultResolver::default().resolve(uri, config, timeout)
    }
}
