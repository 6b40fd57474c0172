//! Swift: what is promised of it on a real cluster with a real Keystone, and what only a server
//! that fails on demand can show.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what goes wrong in a helper of a test fails the test"
)]

mod swift {
    mod access;
    mod bundles;
    mod client;
    mod cluster;
    mod faults;
    mod identity;
    mod large;
    mod making;
    mod objects;
    mod public;
    mod renewal;
    mod rights;
}
