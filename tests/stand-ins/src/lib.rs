//! A GitHub and stores on loopback, for the tests, the quickstart and the benches of notify_pr.
//!
//! They keep state, answer as the real services do (unpleasant parts included), record every
//! request, refuse what the real services' descriptions do not know, and fail on demand.
//!
//! ```
//! use stand_ins::{Fault, GitHub, sha};
//!
//! let github = GitHub::start();
//! let repository = github.repository("apache", "cloudstack");
//! let pull = repository.pull_from_fork("contributor", "fix-volumes", &sha("fix"));
//! github.token("lab-token").login("lab-bot").scopes(&["public_repo"]);
//! github.fault(Fault::on("POST", "/comments").html(502).after_effect());
//! assert_eq!(github.comments("apache/cloudstack", pull.number()).len(), 0);
//! ```

// The JSON bodies of GitHub have more fields than json! expands by default.
#![recursion_limit = "256"]

pub mod control;
mod fault;
pub mod github;
pub mod openapi;
pub mod server;
pub mod store;
pub mod tls;

use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

pub use fault::Fault;
pub use github::{Change, Comment, GitHub, GitHubOptions, Pull, Repository, Token};
pub use server::{Bodies, Delivery, Desk, Handler, Options, Request, Response, Server};
pub use store::{
    Bucket, BucketOptions, FileServer, Stored, Swift, SwiftBulk, SwiftObject, SwiftState,
};
pub use tls::Identity;

/// A commit name of 40 hex digits that depends on nothing but the seed.
pub fn sha(seed: impl ToString) -> String {
    hex(&Sha256::digest(seed.to_string().as_bytes()))[..40].to_owned()
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A test that panicked elsewhere must not hide its own message behind a poisoned lock.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
