//! Looks names up, in the thread that asks.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How long a looked up address is used again: a moment, as services change theirs all the time
/// and want to be looked up anew after a failure.
const ADDRESS_LIFE: Duration = Duration::from_secs(10);

/// Looks names up, and remembers the answer for a moment: ureq asks before every request, even
/// for one that goes over a kept connection.
#[derive(Debug, Default)]
pub(super) struct Names {
    system: DefaultResolver,
    known: Mutex<Vec<Known>>,
}

#[derive(Debug)]
struct Known {
    of: String,
    until: Instant,
    addresses: ResolvedSocketAddrs,
}

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        // With a limit ureq would start a thread for each lookup and leave it behind when the limit
        // is over, in a process that may not be ours. The system's resolver has limits of its own.
        let timeout = NextTimeout {
            after: ureq::unversioned::transport::time::Duration::NotHappening,
            ..timeout
        };
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return self.system.resolve(uri, config, timeout);
        };
        let now = Instant::now();
        let is_it = |known: &Known| {
            known.until > now
                && known.of.strip_prefix(scheme.as_str()).is_some_and(|of| of == authority.as_str())
        };
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = known.iter().find(|known| is_it(known)) {
                return Ok(known.addresses.clone());
            }
        }
        let addresses = self.system.resolve(uri, config, timeout)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|known| known.until > now);
        known.push(Known {
            of: format!("{scheme}{authority}"),
            until: now + ADDRESS_LIFE,
            addresses: addresses.clone(),
        });
        Ok(addresses)
    }
}
