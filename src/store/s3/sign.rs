//! Signatures of requests and links.
//!
//! Source: AWS Signature Version 4, "Authenticating Requests (Amazon S3)". The pieces come from
//! `s3::signing`; the canonical request is put together here, because a key must be signed
//! exactly as it is sent, and a URL parser changes some keys. What all requests of the same second
//! share is made once: the store may be asked for thousands of objects in it.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hmac::Mac;
use s3::Region;
use s3::error::S3Error;
use s3::signing::{self, HmacSha256, uri_encode};
use sha2::{Digest, Sha256};
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use crate::store::transfer::hex;
use crate::submission::CLOCKS_DIFFER;

/// The longest life of a signed link, in seconds: seven days.
pub(super) const LONGEST_LINK: i64 = 604_800;

/// A query: names and values as they are, without any encoding.
pub(super) type Query<'a> = [(&'a str, String)];

/// Who signs.
pub(super) struct Credentials {
    pub(super) access_key: String,
    pub(super) secret_key: String,
    pub(super) session_token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// Signs with one set of credentials, for a region and a clock that may be corrected.
#[derive(Debug)]
pub(super) struct Signer {
    credentials: Credentials,
    region: Mutex<String>,
    /// How many seconds the store's clock is ahead of ours.
    ahead: AtomicI64,
    moment: Mutex<Option<Arc<Moment>>>,
}

/// What all signatures of a second and region share.
struct Moment {
    second: i64,
    region: String,
    /// As `x-amz-date` has it.
    date: String,
    scope: String,
    /// Has taken the key of the day: four HMACs that need not be computed for every request.
    mac: HmacSha256,
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moment").field("date", &self.date).finish_non_exhaustive()
    }
}

/// What is signed of a request besides its headers.
pub(super) struct Target<'a> {
    pub(super) method: &'a str,
    pub(super) region: &'a str,
    pub(super) host: &'a str,
    /// Percent-encoded.
    pub(super) path: &'a str,
    pub(super) query: &'a Query<'a>,
}

impl Signer {
    pub(super) fn new(credentials: Credentials, region: &str) -> Signer {
        Signer {
            credentials,
            region: Mutex::new(region.to_owned()),
            ahead: AtomicI64::new(0),
            moment: Mutex::new(None),
        }
    }

    /// Whether the credentials are of a kind that ends.
    pub(super) fn is_temporary(&self) -> bool {
        self.credentials.session_token.is_some()
    }

    pub(super) fn region(&self) -> String {
        self.region.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_region(&self, region: &str) {
        region.clone_into(&mut self.region.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Takes the store's time for right from now on.
    pub(super) fn set_time(&self, theirs: OffsetDateTime) {
        let ahead = (theirs - OffsetDateTime::now_utc()).whole_seconds();
        self.ahead.store(ahead, Ordering::Relaxed);
    }

    /// Whether the store's time is another one than what is signed with.
    pub(super) fn is_off(&self, theirs: Option<OffsetDateTime>) -> bool {
        theirs.is_some_and(|theirs| (theirs - self.now()).abs() > CLOCKS_DIFFER)
    }

    /// What time the store has: signatures are checked against the real clock, never a fixed one.
    pub(super) fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + Duration::seconds(self.ahead.load(Ordering::Relaxed))
    }

    /// Adds the headers that sign a request: its date, the hash of its body, the signature.
    /// `Host`, `Content-Type`, `Content-MD5` and every `x-amz-` header are signed.
    pub(super) fn sign(
        &self,
        target: &Target<'_>,
        headers: &mut Vec<(String, String)>,
        payload_hash: &str,
    ) -> Result<(), S3Error> {
        let moment = self.moment(target.region)?;
        headers.push(("x-amz-date".to_owned(), moment.date.clone()));
        headers.push(("x-amz-content-sha256".to_owned(), payload_hash.to_owned()));
        if let Some(token) = &self.credentials.session_token {
            headers.push(("x-amz-security-token".to_owned(), token.clone()));
        }
        let mut signed = vec![(Cow::Borrowed("host"), target.host)];
        for (name, value) in headers.iter() {
            let name = lower(name);
            if name.starts_with("x-amz-") || name == "content-type" || name == "content-md5" {
                signed.push((name, value.trim()));
            }
        }
        signed.sort_unstable();
        let names = signed.iter().map(|(name, _)| &**name).collect::<Vec<_>>().join(";");
        let mut canonical = String::with_capacity(1024);
        canonical.extend([target.method, "\n", target.path, "\n"]);
        if !target.query.is_empty() {
            canonical.push_str(&query_string(target.query));
        }
        canonical.push('\n');
        for (name, value) in &signed {
            canonical.extend([name, ":", value, "\n"]);
        }
        canonical.extend(["\n", &names, "\n", payload_hash]);
        let mut value = String::with_capacity(512);
        let (access_key, scope) = (&self.credentials.access_key, &moment.scope);
        let signature = moment.signature(&canonical);
        // Writing to a text cannot fail.
        let _ = write!(
            value,
            "AWS4-HMAC-SHA256 Credential={access_key}/{scope},\
             SignedHeaders={names},Signature={signature}",
        );
        headers.push(("authorization".to_owned(), value));
        Ok(())
    }

    /// The query string of a link that opens for anyone for `seconds` from now.
    pub(super) fn presign(&self, target: &Target<'_>, seconds: i64) -> Result<String, S3Error> {
        let moment = self.moment(target.region)?;
        let scope = &moment.scope;
        let mut query = target.query.to_vec();
        query.extend([
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("X-Amz-Credential", format!("{}/{scope}", self.credentials.access_key)),
            ("X-Amz-Date", moment.date.clone()),
            ("X-Amz-Expires", seconds.clamp(1, LONGEST_LINK).to_string()),
            ("X-Amz-SignedHeaders", "host".to_owned()),
        ]);
        if let Some(token) = &self.credentials.session_token {
            query.push(("X-Amz-Security-Token", token.clone()));
        }
        let query = query_string(&query);
        let canonical = format!(
            "{}\n{}\n{query}\nhost:{}\n\nhost\nUNSIGNED-PAYLOAD",
            target.method, target.path, target.host,
        );
        let signature = moment.signature(&canonical);
        Ok(format!("{query}&X-Amz-Signature={signature}"))
    }

    fn moment(&self, region: &str) -> Result<Arc<Moment>, S3Error> {
        let now = self.now();
        let second = now.unix_timestamp();
        let mut kept = self.moment.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(moment) = kept.as_ref()
            && moment.second == second
            && moment.region == region
        {
            return Ok(Arc::clone(moment));
        }
        let named = Region::Custom { region: region.to_owned(), endpoint: String::new() };
        let key = signing::signing_key(&now, &self.credentials.secret_key, &named, "s3")?;
        let made = Arc::new(Moment {
            second,
            region: region.to_owned(),
            date: now.format(format_description!("[year][month][day]T[hour][minute][second]Z"))?,
            scope: signing::scope_string(&now, &named)?,
            mac: HmacSha256::new_from_slice(&key)?,
        });
        *kept = Some(Arc::clone(&made));
        Ok(made)
    }
}

impl Moment {
    /// The signature of a canonical request.
    fn signature(&self, canonical: &str) -> String {
        let mut mac = self.mac.clone();
        mac.update(b"AWS4-HMAC-SHA256\n");
        mac.update(self.date.as_bytes());
        mac.update(b"\n");
        mac.update(self.scope.as_bytes());
        mac.update(b"\n");
        mac.update(hex(&Sha256::digest(canonical)).as_bytes());
        hex(&mac.finalize().into_bytes())
    }
}

fn lower(name: &str) -> Cow<'_, str> {
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    }
}

/// A query as it is both sent and signed: encoded, in the order of the names.
pub(super) fn query_string(query: &Query<'_>) -> String {
    let mut pairs: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{}={}", uri_encode(name, true), uri_encode(value, true)))
        .collect();
    pairs.sort();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of "Authenticating Requests: Using Query Parameters", but for its fixed date,
    /// cannot be asked of a signer that takes the real time; the parts that decide can.
    #[test]
    fn queries_are_encoded_and_ordered_by_name() {
        let query = [("prefix", "a b/ü+&=~'()*".to_owned()), ("list-type", "2".to_owned())];
        assert_eq!(query_string(&query), "list-type=2&prefix=a%20b%2F%C3%BC%2B%26%3D~%27%28%29%2A");
    }

    #[test]
    fn every_header_that_must_be_signed_is_signed() {
        let credentials = Credentials {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: "secret".to_owned(),
            session_token: Some("session".to_owned()),
        };
        let signer = Signer::new(credentials, "us-east-1");
        let target = Target {
            method: "PUT",
            region: "eu-west-1",
            host: "h.example",
            path: "/b/k",
            query: &[],
        };
        let mut headers = vec![
            ("Content-Type".to_owned(), "text/plain".to_owned()),
            ("Expect".to_owned(), "100-continue".to_owned()),
        ];
        signer.sign(&target, &mut headers, "UNSIGNED-PAYLOAD").unwrap();
        let (_, value) = headers.last().unwrap();
        assert!(value.contains(
            "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"
        ));
        assert!(value.contains("/eu-west-1/s3/aws4_request"), "{value}");
        assert!(!format!("{signer:?}").contains("secret"), "{signer:?}");
    }
}
