//! Who may do what, by the form of the authorization.

use time::format_description::FormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::{BucketOptions, State, error};
use crate::server::{Request, Response};

const AMZ: &[FormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");
/// Seconds since 1970.
pub(super) fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

/// Checks the authorization of a request, as far as that is possible without the secret.
pub(super) fn check(
    options: &BucketOptions,
    state: &State,
    request: &Request,
    key: &str,
) -> Result<(), Response> {
    if let Some(header) = request.header("authorization") {
        return signed(options, state, request, header);
    }
    if request.parameter("X-Amz-Signature").is_some() {
        return presigned(options, state, request);
    }
    let reads = matches!(request.method.as_str(), "GET" | "HEAD") && !key.is_empty();
    let there = state.objects.contains_key(key);
    let acl = state.objects.get(key).and_then(|object| object.header("x-amz-acl"));
    let public = options.public || acl == Some("public-read");
    if options.listable && request.parameter("list-type").is_some() && key.is_empty() {
        return Ok(());
    }
    // Who may not list is not told that there is no such object.
    if public && reads && there && request.query().is_empty() {
        return Ok(());
    }
    Err(error(403, "AccessDenied", "Access Denied"))
}

fn malformed(message: &str) -> Response {
    error(400, "AuthorizationHeaderMalformed", message)
}

fn signed(
    options: &BucketOptions,
    state: &State,
    request: &Request,
    header: &str,
) -> Result<(), Response> {
    let Some(fields) = header.strip_prefix("AWS4-HMAC-SHA256 ") else {
        return Err(malformed("The authorization mechanism you have provided is not supported."));
    };
    let field = |name: &str| {
        fields.split(',').find_map(|each| each.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let (Some(credential), Some(names), Some(signature)) =
        (field("Credential"), field("SignedHeaders"), field("Signature"))
    else {
        return Err(malformed("The authorization header is incomplete."));
    };
    if signature.len() != 64 {
        return Err(malformed("The signature is no SHA-256."));
    }
    let Some(date) = request.header("x-amz-date") else {
        return Err(error(403, "AccessDenied", "AWS authentication requires a valid Date header"));
    };
    in_scope(options, state, credential, date)?;
    let names: Vec<&str> = names.split(';').collect();
    let unsigned = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).find(|name| {
        (name == "host" || name == "content-md5" || name.starts_with("x-amz-"))
            && !names.contains(&name.as_str())
    });
    if let Some(name) = unsigned {
        let message = format!("There were headers present which were not signed: {name}");
        return Err(error(403, "AccessDenied", &message));
    }
    match request.header("x-amz-content-sha256") {
        None => Err(error(400, "InvalidRequest", "x-amz-content-sha256 is missing")),
        Some("UNSIGNED-PAYLOAD") => Ok(()),
        Some(sent) if sent.len() == 64 => {
            let known = !options.discard && request.complete;
            if known && sent != request.body_sha256 {
                let message = "The provided x-amz-content-sha256 does not match what was computed.";
                return Err(error(400, "XAmzContentSHA256Mismatch", message));
            }
            Ok(())
        }
        // Stores that do not know aws-chunked keep its framing inside the file.
        Some(_) => Err(error(501, "NotImplemented", "aws-chunked bodies are not understood")),
    }
}

/// Checks the scope of a signature and its time.
fn in_scope(
    options: &BucketOptions,
    state: &State,
    credential: &str,
    date: &str,
) -> Result<(), Response> {
    let scope: Vec<&str> = credential.split('/').collect();
    let [_, day, region, "s3", "aws4_request"] = scope.as_slice() else {
        return Err(malformed("The Credential is no access key with date, region and service."));
    };
    if let Some(wanted) = options.region.as_deref().filter(|wanted| wanted != region) {
        let message = format!("the region '{region}' is wrong; expecting '{wanted}'");
        let mut refused = malformed(&message);
        let region = format!("<Region>{wanted}</Region></Error>");
        let body = String::from_utf8_lossy(&refused.body).replace("</Error>", &region);
        refused.body = body.into_bytes();
        return Err(refused);
    }
    let Ok(at) = PrimitiveDateTime::parse(date, AMZ) else {
        return Err(error(403, "AccessDenied", "x-amz-date is no date"));
    };
    if !date.starts_with(day) {
        return Err(malformed("The date of the Credential is not that of the request."));
    }
    let skew = at.assume_utc().unix_timestamp() - (now() + state.ahead);
    if skew.abs() > 15 * 60 {
        let message = "The difference between the request time and the server's time is too large.";
        return Err(error(403, "RequestTimeTooSkewed", message));
    }
    Ok(())
}

fn presigned(options: &BucketOptions, state: &State, request: &Request) -> Result<(), Response> {
    let parameter = |name: &str| request.parameter(name).unwrap_or_default();
    let wrong = |message: &str| Err(error(400, "AuthorizationQueryParametersError", message));
    if parameter("X-Amz-Algorithm") != "AWS4-HMAC-SHA256" {
        return wrong("X-Amz-Algorithm only supports AWS4-HMAC-SHA256");
    }
    let expires: i64 = match parameter("X-Amz-Expires").parse() {
        Ok(expires) if (1..=604_800).contains(&expires) => expires,
        _ => return wrong("X-Amz-Expires must be between 1 and 604800 seconds"),
    };
    let date = parameter("X-Amz-Date");
    let Ok(at) = PrimitiveDateTime::parse(&date, AMZ) else {
        return wrong("X-Amz-Date is no date");
    };
    let at = at.assume_utc().unix_timestamp();
    let now = now() + state.ahead;
    if now > at + expires {
        return Err(error(403, "AccessDenied", "Request has expired"));
    }
    // Its age is no skew, so the scope is checked against the present.
    let present = OffsetDateTime::from_unix_timestamp(now).ok().and_then(|at| at.format(AMZ).ok());
    let credential = parameter("X-Amz-Credential");
    let today = present.unwrap_or_default();
    let day = today.get(..8).unwrap_or_default();
    let mut scope: Vec<&str> = credential.split('/').collect();
    if let Some(signed) = scope.get_mut(1) {
        *signed = day;
    }
    in_scope(options, state, &scope.join("/"), &today)
}
