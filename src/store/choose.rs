//! Picks the store that the settings name. Nothing is contacted here.

use super::Store;
use super::directory::{Directory, Own};
use super::s3::S3;
use super::swift::Swift;
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::status::Status;
use crate::submission::Submission;

/// The store of `store_api`, or `None` without it: then there is a comment without files.
///
/// What the store cannot work without is asked for here, so that its absence shows before
/// anything is done.
pub fn choose(submission: &Submission) -> Result<Option<Box<dyn Store>>> {
    let settings = &submission.settings;
    let Some(api) = settings.text("store_api") else { return Ok(None) };
    match api {
        "directory" => {
            needed(settings, "store_endpoint", "the folder that a web server publishes")?;
            let folder = settings.path("store_endpoint").unwrap_or_default();
            let public_url = needed(
                settings,
                "store_public_url",
                "the address under which the folder is published",
            )?;
            check_url("store_public_url", public_url)?;
            if settings.choice("store_access") == "signed" {
                return Err(Error::new(
                    Status::BadSetting,
                    "store_access = signed is not possible with store_api = directory, whose \
                     links have no signatures",
                )
                .advise("leave store_access out, or use s3 or swift"));
            }
            let own = Own {
                prefix: settings.text("store_prefix").unwrap_or_default().to_owned(),
                days: expire_days(settings),
            };
            let create = settings.flag("store_create");
            Ok(Some(Box::new(Directory::new(folder, public_url, create, own))))
        }
        "s3" => {
            needed(settings, "store_endpoint", "the address of the S3 service")?;
            needed(settings, "store_identity", "the access key id")?;
            needed(settings, "store_secret", "the secret access key")?;
            Ok(Some(Box::new(S3::new(settings, submission.agents.store.clone())?)))
        }
        "swift" => {
            needed(settings, "store_endpoint", "the address of Keystone or TempAuth")?;
            needed(settings, "store_secret", "the password, key or secret")?;
            Ok(Some(Box::new(Swift::new(submission)?)))
        }
        other => Err(Error::new(Status::BadSetting, format!("store_api = {other} is not known"))
            .advise("use directory, s3 or swift, or leave it out for a comment without files")),
    }
}

/// For how many days what is stored is kept.
pub(crate) fn expire_days(settings: &Settings) -> u64 {
    settings.count("store_expire_days").unwrap_or(7)
}

fn needed<'s>(settings: &'s Settings, name: &str, what: &str) -> Result<&'s str> {
    settings.text(name).ok_or_else(|| {
        let api = settings.choice("store_api");
        Error::new(Status::BadSetting, format!("{name} is missing, and store_api = {api} needs it"))
            .advise(format!("set {name} to {what}"))
    })
}

/// Refuses what is not the address of a web server.
pub(super) fn check_url(name: &str, url: &str) -> Result<()> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let whole = host.is_some_and(|host| !host.is_empty() && !host.contains('@'));
    if whole && !url.contains(['?', '#', ' ']) {
        return Ok(());
    }
    Err(Error::new(Status::BadSetting, format!("{name} is not the address of a web server"))
        .at(crate::http::display_url(url))
        .advise("write it as https://host/path, without a user, a query or a fragment"))
}
