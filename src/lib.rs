//! Reports the results of independent CI runs on GitHub pull requests.

pub mod compose;
pub mod content;
pub mod error;
pub mod events;
pub mod find;
pub mod github;
pub mod http;
pub mod links;
pub mod page;
pub mod plan;
pub mod post;
pub mod publish;
pub mod redact;
pub mod report;
pub mod settings;
pub mod status;
pub mod store;
pub mod submission;
pub mod upload;
