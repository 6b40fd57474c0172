//! Signatures of requests and links.
//!
//! Source: AWS Signature Version 4, "Authenticating Requests (Amazon S3)". The pieces come from
//! `s3::signing`; the canonical request is put together here, because a key must be signed
//! exactly as it is sent, and a URL parser changes some keys.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use hmac::Mac;
use s3::Region;
use s3::error::S3Error;
use s3::signing::{self, HmacSha256, uri_encode};
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime};

use crate::store::transfer::hex;

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
    key: Mutex<Option<DayKey>>,
}

/// The key of a day and region: four HMACs that need not be computed for every request.
struct DayKey {
    day: Date,
    region: String,
    key: Vec<u8>,
}

impl fmt::Debug for DayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DayKey").field("day", &self.day).finish_non_exhaustive()
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
            key: Mutex::new(None),
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
        let now = self.now();
        headers.push(("x-amz-date".to_owned(), long_date(now)?));
        headers.push(("x-amz-content-sha256".to_owned(), payload_hash.to_owned()));
        if let Some(token) = &self.credentials.session_token {
            headers.push(("x-amz-security-token".to_owned(), token.clone()));
        }
        let mut signed = BTreeMap::from([("host".to_owned(), target.host)]);
        for (name, value) in headers.iter() {
            let name = name.to_ascii_lowercase();
            if name.starts_with("x-amz-") || name == "content-type" || name == "content-md5" {
                signed.insert(name, value.trim());
            }
        }
        let names = signed.keys().map(String::as_str).collect::<Vec<_>>().join(";");
        let lines: String =
            signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!(
            "{}\n{}\n{}\n{lines}\n{names}\n{payload_hash}",
            target.method,
            target.path,
            query_string(target.query),
        );
        let region = named(target.region);
        let signature = self.signature(now, &region, &canonical)?;
        let value = signing::authorization_header(
            &self.credentials.access_key,
            &now,
            &region,
            &names,
            &signature,
        )?;
        headers.push(("authorization".to_owned(), value));
        Ok(())
    }

    /// The query string of a link that opens for anyone for `seconds` from now.
    pub(super) fn presign(&self, target: &Target<'_>, seconds: i64) -> Result<String, S3Error> {
        let now = self.now();
        let region = named(target.region);
        let scope = signing::scope_string(&now, &region)?;
        let mut query = target.query.to_vec();
        query.extend([
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("X-Amz-Credential", format!("{}/{scope}", self.credentials.access_key)),
            ("X-Amz-Date", long_date(now)?),
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
        let signature = self.signature(now, &region, &canonical)?;
        Ok(format!("{query}&X-Amz-Signature={signature}"))
    }

    fn signature(
        &self,
        now: OffsetDateTime,
        region: &Region,
        canonical: &str,
    ) -> Result<String, S3Error> {
        let text = signing::string_to_sign(&now, region, canonical)?;
        let mut mac = HmacSha256::new_from_slice(&self.day_key(now, region)?)?;
        mac.update(text.as_bytes());
        Ok(hex(&mac.finalize().into_bytes()))
    }

    fn day_key(&self, now: OffsetDateTime, region: &Region) -> Result<Vec<u8>, S3Error> {
        let mut kept = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        let name = region.to_string();
        if let Some(kept) = kept.as_ref()
            && kept.day == now.date()
            && kept.region == name
        {
            return Ok(kept.key.clone());
        }
        let key = signing::signing_key(&now, &self.credentials.secret_key, region, "s3")?;
        *kept = Some(DayKey { day: now.date(), region: name, key: key.clone() });
        Ok(key)
    }
}

fn named(region: &str) -> Region {
    Region::Custom { region: region.to_owned(), endpoint: String::new() }
}

fn long_date(time: OffsetDateTime) -> Result<String, S3Error> {
    Ok(time.format(format_description!("[year][month][day]T[hour][minute][second]Z"))?)
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
