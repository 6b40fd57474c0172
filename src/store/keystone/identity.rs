//! Who asks for a token, and for which project.

use std::fmt;

use serde_json::{Value, json};

use super::endpoint::{Endpoint, Version};
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::status::Status;

/// The domain of users and projects where none is named.
const DEFAULT_DOMAIN: &str = "Default";

/// Credentials, as the settings give them.
pub(super) struct Identity {
    /// The user, and what names the project, tenant or account before it.
    pub(super) user: String,
    pub(super) project: Option<String>,
    pub(super) user_domain: String,
    pub(super) project_domain: String,
    /// The id of an application credential, which stands for user and project.
    pub(super) credential_id: Option<String>,
    pub(super) secret: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Identity {
    /// Reads `store_identity` as `user`, `project:user` or `domain/project:user`, the two
    /// domains, `store_credential_id` and `store_secret`.
    pub(super) fn from_settings(settings: &Settings, endpoint: &Endpoint) -> Result<Identity> {
        let text = settings.text("store_identity").unwrap_or_default();
        let credential_id = settings.text("store_credential_id").map(str::to_owned);
        let secret = settings.text("store_secret").unwrap_or_default().to_owned();
        let named_project_domain = settings.text("store_project_domain");
        let (project, user) = match text.split_once(':') {
            Some((project, user)) => (Some(project), user),
            None => (None, text),
        };
        // A slash belongs to the name of the project where its domain is said elsewhere, and where
        // there are no domains.
        let has_domains = !matches!(endpoint.version, Some(Version::V1 | Version::V2));
        let (domain, project) = match project.and_then(|project| project.split_once('/')) {
            Some((domain, project)) if has_domains && named_project_domain.is_none() => {
                (Some(domain), Some(project))
            }
            _ => (None, project),
        };
        let user_domain = settings.text("store_user_domain").or(domain).unwrap_or(DEFAULT_DOMAIN);
        let project_domain = named_project_domain.or(domain).unwrap_or(DEFAULT_DOMAIN);
        let identity = Identity {
            user: user.to_owned(),
            project: project.filter(|project| !project.is_empty()).map(str::to_owned),
            user_domain: user_domain.to_owned(),
            project_domain: project_domain.to_owned(),
            credential_id,
            secret,
        };
        identity.check(endpoint)?;
        Ok(identity)
    }

    /// Who this is, in words.
    pub(super) fn who(&self) -> String {
        match (&self.credential_id, &self.project) {
            (Some(id), _) => format!("the application credential {id}"),
            (None, Some(project)) => format!("the user {project}:{}", self.user),
            (None, None) => format!("the user {}", self.user),
        }
    }

    /// How a list of who may do something in the store names this user: by names where there are
    /// no domains, else by ids.
    pub(super) fn in_lists(&self, by_names: bool) -> String {
        let listed = |name: &str, kind: &str| match by_names || is_id(name) {
            true => name.to_owned(),
            false => format!("<{kind} id>"),
        };
        let (project, user) = match self.credential_id {
            Some(_) => ("", ""),
            None => (self.project.as_deref().unwrap_or_default(), self.user.as_str()),
        };
        format!("{}:{}", listed(project, "project"), listed(user, "user"))
    }

    fn check(&self, endpoint: &Endpoint) -> Result<()> {
        let bad = |what: &str, advice: &str| {
            Err(Error::new(Status::BadSetting, what).at(endpoint.display()).advise(advice))
        };
        if self.credential_id.is_some()
            && matches!(endpoint.version, Some(Version::V1 | Version::V2))
        {
            return bad(
                "store_credential_id is set, and only v3 of Keystone has application credentials",
                "give the address of v3 as store_endpoint, or store_identity instead",
            );
        }
        let missing = self.credential_id.is_none() && self.user.is_empty();
        if missing {
            return bad(
                "store_identity names no user",
                "write it as project:user, or set store_credential_id",
            );
        }
        // These two go into headers.
        let headers = endpoint.version == Some(Version::V1);
        if headers && self.secret.trim() != self.secret {
            return bad("store_secret begins or ends with a blank", "remove it");
        }
        match endpoint.version {
            Some(Version::V1) if self.project.is_none() => bad(
                "store_identity names no account",
                "write it as account:user for this version of the service",
            ),
            Some(Version::V2) if self.project.is_none() => bad(
                "store_identity names no tenant",
                "write it as tenant:user for this version of the service",
            ),
            _ => Ok(()),
        }
    }
}

/// A user or project as v3 names it: `{"id": …}`, or a name with its domain. Keystone's ids are
/// 32 hexadecimal digits, or 64 for users that come from a directory.
pub(super) fn in_domain(text: &str, domain_text: &str) -> Value {
    if is_id(text) {
        return json!({ "id": text });
    }
    json!({ "name": text, "domain": domain(domain_text) })
}

/// A domain; `default` is the id of the one that is called `Default`.
fn domain(text: &str) -> Value {
    if is_id(text) || text == "default" { json!({ "id": text }) } else { json!({ "name": text }) }
}

/// Whether this is one of Keystone's ids and not a name.
pub(super) fn is_id(text: &str) -> bool {
    matches!(text.len(), 32 | 64)
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Origin;

    fn read(url: &str, pairs: &[(&str, &str)]) -> Result<Identity> {
        let mut settings = Settings::new();
        for (name, value) in pairs {
            settings.set(name, value, Origin::Api).unwrap();
        }
        Identity::from_settings(&settings, &Endpoint::parse(url).unwrap())
    }

    const V3: &str = "https://k.example.org/v3";
    const V2: &str = "https://k.example.org/v2.0";
    const V1: &str = "https://s.example.org/auth/v1.0";

    #[test]
    fn every_form_of_an_identity_names_user_project_and_domains() {
        for (text, user, project, domain) in [
            ("lab:bot", "bot", Some("lab"), "Default"),
            ("ldap/lab:bot", "bot", Some("lab"), "ldap"),
            ("bot", "bot", None, "Default"),
            ("lab:bot:7", "bot:7", Some("lab"), "Default"),
        ] {
            let read = read(V3, &[("store_identity", text)]).unwrap();
            assert_eq!((read.user.as_str(), read.project.as_deref()), (user, project), "{text}");
            assert_eq!((read.user_domain.as_str(), read.project_domain.as_str()), (domain, domain));
        }
        let both = read(
            V3,
            &[
                ("store_identity", "a/b:bot"),
                ("store_user_domain", "people"),
                ("store_project_domain", "labs"),
            ],
        )
        .unwrap();
        assert_eq!(both.project.as_deref(), Some("a/b"));
        assert_eq!((both.user_domain.as_str(), both.project_domain.as_str()), ("people", "labs"));
        let tenant = read(V2, &[("store_identity", "a/b:bot")]).unwrap();
        assert_eq!(tenant.project.as_deref(), Some("a/b"));
    }

    #[test]
    fn names_and_ids_are_told_apart() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(in_domain(id, "Default"), json!({ "id": id }));
        assert_eq!(
            in_domain("bot", "default"),
            json!({ "name": "bot", "domain": { "id": "default" } })
        );
        assert_eq!(
            in_domain("bot", "Default"),
            json!({ "name": "bot", "domain": { "name": "Default" } })
        );
    }

    #[test]
    fn what_is_missing_is_said_before_anybody_is_asked() {
        for (url, pairs, words) in [
            (V3, &[("store_secret", "s")][..], "store_identity"),
            (V1, &[("store_identity", "bot")][..], "account:user"),
            (V2, &[("store_identity", "bot")][..], "tenant:user"),
            (V2, &[("store_credential_id", "abc")][..], "v3"),
        ] {
            let error = read(url, pairs).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        assert!(read(V3, &[("store_credential_id", "abc"), ("store_secret", "s")]).is_ok());
    }
}
