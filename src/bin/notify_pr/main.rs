//! The notify_pr command.

fn main() {}
