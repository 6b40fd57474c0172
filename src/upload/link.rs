//! How fast the way to the store is, as far as was seen.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::content::compress::Gzip;

/// Requests with smaller bodies say more about the time for an answer than about the link.
pub(super) const TELLING: u64 = 32 << 10;

/// What large bodies took.
#[derive(Debug, Default)]
pub(super) struct Link {
    bytes: AtomicU64,
    micros: AtomicU64,
}

impl Link {
    /// A body of this length was sent and answered.
    pub(super) fn sent(&self, length: u64, time: Duration) {
        if length >= TELLING {
            self.bytes.fetch_add(length, Relaxed);
            self.micros.fetch_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Relaxed);
        }
    }

    /// Whether one connection carries less than one thread compresses, so that compressing saves
    /// time. Nobody knows it before something was sent: then it is taken for slow, as it mostly is.
    pub(super) fn is_slower_than(&self, gzip: &Gzip) -> bool {
        let micros = self.micros.load(Relaxed);
        if micros == 0 {
            return true;
        }
        let carried = self.bytes.load(Relaxed) as f64 * 1e6 / micros as f64;
        carried < gzip.speed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_slow_until_it_is_known_to_be_fast() {
        let (link, gzip) = (Link::default(), Gzip::new());
        assert!(link.is_slower_than(&gzip));
        link.sent(1 << 20, Duration::from_millis(100));
        assert!(link.is_slower_than(&gzip), "10 MB/s");
        link.sent(10 << 30, Duration::from_secs(1));
        assert!(!link.is_slower_than(&gzip));
    }
}
