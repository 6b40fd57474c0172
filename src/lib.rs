//! Reports the results of independent CI runs on GitHub pull requests.

pub mod error;
pub mod settings;
pub mod status;
