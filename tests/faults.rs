//! Stores that fail in every way that stores fail: whatever happens, where it happens and in which
//! store, nothing is lost, nothing is corrupt, nothing is left behind, and what is missing is named.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends"
)]

mod scene;

mod faults {
    mod bundles;
    #[cfg(target_os = "linux")]
    mod full;
    mod lasting;
    mod moving;
    mod passing;
    mod sink;
    mod stalls;
}
