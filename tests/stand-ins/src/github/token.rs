//! What a test holds to arrange a token.

use std::sync::Arc;

use super::World;
use super::state::{TokenKind, TokenState};
use crate::lock;

/// A token of the stand-in. Clones mean the same one.
#[derive(Clone)]
pub struct Token {
    pub(super) world: Arc<World>,
    pub(super) value: String,
}

impl Token {
    fn changed(&self, change: impl FnOnce(&mut TokenState)) -> Self {
        if let Some(token) = lock(&self.world.state).tokens.get_mut(&self.value) {
            change(token);
        }
        self.clone()
    }

    /// Whose token it is.
    pub fn login(&self, login: &str) -> Self {
        self.changed(|token| login.clone_into(&mut token.login))
    }

    /// Makes it a classic personal access token with these scopes, for instance `public_repo`.
    pub fn scopes(&self, scopes: &[&str]) -> Self {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        self.changed(|token| token.kind = TokenKind::Classic { scopes })
    }

    /// Makes it a fine-grained personal access token with these permissions, for instance
    /// `("issues", "write")`.
    pub fn fine_grained(&self, permissions: &[(&str, &str)]) -> Self {
        let permissions = owned(permissions);
        self.changed(|token| token.kind = TokenKind::FineGrained { permissions })
    }

    /// Makes it an installation token of an app; its login is then `app[bot]`, and `GET /user` is
    /// refused.
    pub fn installation(&self, app: &str, permissions: &[(&str, &str)]) -> Self {
        let permissions = owned(permissions);
        self.changed(|token| {
            token.login = format!("{app}[bot]");
            token.kind = TokenKind::Installation { app: app.to_owned(), permissions };
        })
    }

    /// Lets it expire: 401 from now on.
    pub fn expire(&self) -> Self {
        self.changed(|token| token.revoked = true)
    }

    /// How many requests an hour it has.
    pub fn limit(&self, requests: u64) -> Self {
        self.changed(|token| token.limit = requests)
    }
}

fn owned(permissions: &[(&str, &str)]) -> Vec<(String, String)> {
    permissions.iter().map(|&(name, level)| (name.to_owned(), level.to_owned())).collect()
}
