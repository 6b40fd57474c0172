//! Temporary URLs: links that open what is in a private container until a time.
//!
//! Source: Swift, "TempURL". A signature is made for the folder that an object is in, so that the
//! link of a page also opens what the page shows. The key is the account's or the container's own;
//! one is set only on a container that was made by this program.

use std::fmt;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use hmac::Mac;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use s3::signing::HmacSha256;
use time::OffsetDateTime;

use super::Swift;
use super::call::{Call, Target};
use crate::http::Answer;
use crate::store::transfer::hex;
use crate::store::{Fault, StoreError, Stored};
use crate::submission::random_id;

/// A folder that is less deep is shared by many runs, and its signature would open them all.
const DEPTH: usize = 5;

/// The headers that a container or an account keeps its keys in; every one is good.
const CONTAINER_KEYS: [&str; 2] =
    ["x-container-meta-temp-url-key", "x-container-meta-temp-url-key-2"];
const ACCOUNT_KEYS: [&str; 2] = ["x-account-meta-temp-url-key", "x-account-meta-temp-url-key-2"];

/// What temporary URLs are signed with.
#[derive(Clone)]
pub(super) struct Key(String);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

/// What is known of who may read.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// Whether everybody may, as far as can be seen.
    pub(super) public: bool,
    /// What links are signed with, if the cluster has temporary URLs and there is a key.
    pub(super) key: Option<Key>,
}

fn key_in(answer: &Answer, names: &[&str]) -> Option<Key> {
    let key = names.iter().find_map(|name| answer.header(name)).filter(|key| !key.is_empty());
    key.map(|key| Key(key.to_owned()))
}

impl Key {
    pub(super) fn random() -> Stored<Key> {
        let random = || random_id().map_err(|error| StoreError { fault: Fault::Local, error });
        Ok(Key(format!("{}{}", random()?, random()?)))
    }

    pub(super) fn secret(&self) -> &str {
        &self.0
    }

    fn sign(&self, text: &str) -> Stored<String> {
        let mut mac = HmacSha256::new_from_slice(self.0.as_bytes())
            .map_err(|_| StoreError::new(Fault::Refused, "a link cannot be signed"))?;
        mac.update(text.as_bytes());
        Ok(hex(&mac.finalize().into_bytes()))
    }
}

impl Swift {
    /// Who may read, asked for once: the container, and the account if that is not enough.
    pub(super) fn reading(&self) -> Stored<Reading> {
        let mut known = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reading) = &*known {
            return Ok(reading.clone());
        }
        let Some(container) = self.look(Target::Container)? else {
            // It is not there yet, or its rights are not ours to see: only trying tells.
            return Ok(Reading { public: true, key: None });
        };
        let open = container.header("x-container-read").is_some_and(|read| read.contains(".r:"));
        let mut reading = Reading { public: open, key: key_in(&container, &CONTAINER_KEYS) };
        if !open && reading.key.is_none() {
            // Only the owner of the account is told keys and rights. Who is not may not say that
            // a container is private because no right was seen.
            match self.look(Target::Account)? {
                Some(account) => reading.key = key_in(&account, &ACCOUNT_KEYS),
                None => reading.public = true,
            }
        }
        if reading.key.is_some() && !self.info(&self.agent)?.temp_urls {
            reading.key = None;
        }
        *known = Some(reading.clone());
        Ok(reading)
    }

    /// The headers of the container or the account, if they are ours to see.
    fn look(&self, target: Target<'_>) -> Stored<Option<Answer>> {
        let call = Call::new("HEAD", target);
        let answer = self.exchange(&self.agent, &call)?;
        match answer.status {
            401 | 403 => {
                self.hidden.store(true, Relaxed);
                Ok(None)
            }
            404 => Ok(None),
            _ => self.checked(&call, answer).map(Some),
        }
    }

    /// A link that opens until a time.
    pub(super) fn temporary_url(&self, key: &str, until: OffsetDateTime) -> Stored<String> {
        let Some(signer) = self.reading()?.key else {
            return Err(StoreError::new(
                Fault::Refused,
                "the store has no key for temporary URLs, so no link can be signed",
            )
            .at(self.name.clone())
            .advise("set a Temp-URL-Key on the container, or make the container public"));
        };
        let session = self.tokens.session(&self.agent)?;
        let url = self.url(&session.storage_url, Target::Object(key));
        // The end is one of our clock, and the cluster compares it with its own.
        let ahead = self.ahead.get().copied().unwrap_or_default();
        let expires = until.saturating_add(ahead).unix_timestamp();
        let path = decoded_path(&self.url(&session.storage_url, Target::Container));
        let folder = key.rfind('/').map_or("", |slash| &key[..=slash]);
        if folder.matches('/').count() < DEPTH {
            let signature = signer.sign(&format!("GET\n{expires}\n{path}/{key}"))?;
            return Ok(format!("{url}?temp_url_sig={signature}&temp_url_expires={expires}&inline"));
        }
        let signature = signer.sign(&format!("GET\n{expires}\nprefix:{path}/{folder}"))?;
        let folder = utf8_percent_encode(folder, NON_ALPHANUMERIC);
        Ok(format!(
            "{url}?temp_url_sig={signature}&temp_url_expires={expires}&temp_url_prefix={folder}\
             &inline"
        ))
    }
}

/// The path of a URL as the server sees it.
fn decoded_path(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("", |slash| &rest[slash..]);
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}
