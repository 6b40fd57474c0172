//! What is done so that everybody can read, and what the operator would have to do.
//!
//! Source: the Amazon S3 User Guide, "Controlling ownership of objects and disabling ACLs" and
//! "Blocking public access". Buckets made since April 2023 take no ACLs.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::S3;
use super::answer::Refusal;
use super::call::Call;
use super::endpoint::Endpoint;
use crate::settings::Settings;
use crate::store::{Access, Meta};

/// The header that makes one object readable for everybody, and its value.
const ACL: (&str, &str) = ("x-amz-acl", "public-read");

/// What `store_access` says, and what the bucket said to it.
#[derive(Debug)]
pub(super) struct Public {
    signed_only: bool,
    /// Whether objects are sent with an ACL. It ends when the bucket takes none.
    acl: AtomicBool,
    /// Whether the bucket refused it.
    refused: AtomicBool,
}

impl Public {
    pub(super) fn from_settings(settings: &Settings) -> Public {
        let access = settings.choice("store_access");
        Public {
            signed_only: access == "signed",
            acl: AtomicBool::new(access == "public"),
            refused: AtomicBool::new(false),
        }
    }

    pub(super) fn ways(&self) -> Vec<Access> {
        match self.signed_only {
            true => vec![Access::Signed],
            false => vec![Access::Public, Access::Signed],
        }
    }

    /// Whether this call is sent with an ACL.
    pub(super) fn sends(&self, call: &Call<'_>) -> bool {
        self.acl.load(Relaxed) && call.headers.iter().any(|(name, _)| name == ACL.0)
    }

    /// Whether a call that was refused with an ACL may be sent again without. Servers that know
    /// none, buckets that take none and keys that may set none refuse in words of their own.
    pub(super) fn yields(&self, refusal: &Refusal) -> bool {
        let refused = refusal.status == 501
            || matches!(
                refusal.code.as_str(),
                "AccessControlListNotSupported" | "AccessDenied" | "InvalidArgument"
            );
        if refused {
            self.refused.store(true, Relaxed);
            self.acl.store(false, Relaxed);
        }
        refused
    }

    pub(super) fn strip(headers: &mut Vec<(String, String)>) {
        headers.retain(|(name, _)| name != ACL.0);
    }

    /// What the operator of a bucket does so that everybody can get, and not list, what is stored.
    pub(super) fn advice(&self, endpoint: &Endpoint, prefix: &str) -> String {
        let bucket = endpoint.bucket();
        let partition = endpoint.partition();
        let policy = format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Sid\":\"NotifyPrRead\",\
             \"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\
             \"Resource\":\"arn:{partition}:s3:::{bucket}/{prefix}*\"}}]}}"
        );
        let mut advice = String::new();
        if self.refused.load(Relaxed) {
            advice.push_str("the bucket takes no ACLs, or the access key may set none; ");
        }
        advice.push_str(&format!(
            "let everybody get the objects with this policy of the bucket: {policy} (`aws s3api \
             put-bucket-policy --bucket {bucket} --policy …`"
        ));
        if endpoint.is_aws() {
            advice.push_str(
                ", after its settings BlockPublicPolicy and RestrictPublicBuckets are off",
            );
        }
        advice.push(')');
        advice
    }
}

impl S3 {
    /// The headers that say what an object is, and who may read it.
    pub(super) fn described(&self, meta: &Meta) -> Vec<(String, String)> {
        let mut headers = vec![("content-type".to_owned(), meta.content_type.clone())];
        if let Some(encoding) = &meta.content_encoding {
            headers.push(("content-encoding".to_owned(), encoding.clone()));
        }
        if self.public.acl.load(Relaxed) {
            headers.push((ACL.0.to_owned(), ACL.1.to_owned()));
        }
        headers
    }
}
