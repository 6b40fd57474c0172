//! What the token may do, as far as GitHub tells without anything being written.
//!
//! Source: "Scopes for OAuth apps" and "Permissions required for fine-grained personal access
//! tokens" in GitHub's documentation. The scopes of a classic token come with every answer; what a
//! fine-grained token or an app may do shows only when it does it.

use super::answers::RepositoryJson;
use super::rest::get;
use super::{CallError, GitHub, Repository};
use crate::error::Result;

/// What the token may do, and where.
#[derive(Clone, Debug)]
pub struct Rights {
    /// The repository as it is now.
    pub repository: Repository,
    /// Whether the repository is read-only.
    pub archived: bool,
    /// The scopes of a classic token; None for other kinds, and without a token.
    pub scopes: Option<Vec<String>>,
}

impl Rights {
    /// Whether the scopes allow comments; None where the token has no scopes.
    pub fn may_comment(&self) -> Option<bool> {
        let needed = |scope: &String| {
            scope == "repo" || (scope == "public_repo" && self.repository.private != Some(true))
        };
        self.scopes.as_ref().map(|scopes| scopes.iter().any(needed))
    }

    /// The scope that is needed.
    pub fn needed(&self) -> &'static str {
        if self.repository.private == Some(true) { "repo" } else { "public_repo" }
    }
}

impl GitHub<'_> {
    /// Reads the repository and what GitHub says of the token on that occasion.
    pub fn rights(&self) -> Result<Rights> {
        let (json, headers) =
            self.call::<RepositoryJson>(&get(self.url(""))).map_err(CallError::into_error)?;
        let archived = json.archived == Some(true);
        let repository: Repository = json.into();
        self.learn(&repository);
        let scopes = headers.get("x-oauth-scopes").and_then(|value| value.to_str().ok());
        let scopes = scopes.map(|text| {
            text.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect()
        });
        Ok(Rights { repository, archived, scopes })
    }
}
