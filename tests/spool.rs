//! `submit = collect` and `notify_pr --spool`, as a CI run uses them.
#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod spool {
    mod aside;
    mod begin;
    mod hostile;
    mod lab;
    mod late;
    mod many;
    mod parts;
    mod runs;
    mod submit;
}
