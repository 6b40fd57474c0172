//! Single objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use super::access::now;
use super::{BucketOptions, State, Stored, error};
use crate::hex;
use crate::server::{Request, Response, http_date};

const KEPT: [&str; 6] = [
    "content-type",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
];

/// Answers requests for an object.
pub(super) fn answer(
    options: &BucketOptions,
    state: &mut State,
    request: &Request,
    key: &str,
) -> Response {
    // Subresources such as ?acl and ?tagging; what begins with X-Amz belongs to the signature.
    let other = request.query().into_iter().map(|(name, _)| name).find(|name| {
        !name.starts_with("X-Amz-") && !name.starts_with("response-") && name != "x-id"
    });
    if let Some(other) = other {
        return error(501, "NotImplemented", &format!("The subresource {other} is not known."));
    }
    match request.method.as_str() {
        "PUT" => put(options, state, request, key),
        "GET" | "HEAD" => get(state, request, key),
        "DELETE" => {
            state.objects.remove(key);
            Response::new(204)
        }
        _ => error(405, "MethodNotAllowed", "The specified method is not allowed"),
    }
}

/// Checks the body of an upload, and hands back its ETag.
pub(super) fn checked(options: &BucketOptions, request: &Request) -> Result<String, Response> {
    if request.header("content-length").is_none() {
        let message = "You must provide the Content-Length HTTP header.";
        return Err(error(411, "MissingContentLength", message));
    }
    let sent = match request.header("content-md5") {
        None => None,
        Some(sent) => match STANDARD.decode(sent) {
            Ok(sent) if sent.len() == 16 => Some(hex(&sent)),
            _ => return Err(error(400, "InvalidDigest", "The Content-MD5 is not valid.")),
        },
    };
    if options.discard {
        // Without the bytes there is no MD5; a form that nobody takes for one, then.
        let made_up = format!("{:032x}-1", request.body_length);
        return Ok(format!("\"{}\"", sent.unwrap_or(made_up)));
    }
    let real = hex(&Md5::digest(request.body.as_slice()));
    if sent.is_some_and(|sent| sent != real) {
        let message = "The Content-MD5 you specified did not match what we received.";
        return Err(error(400, "BadDigest", message));
    }
    Ok(format!("\"{real}\""))
}

/// The headers that are kept with an object, or why one of them is refused.
pub(super) fn kept(
    options: &BucketOptions,
    request: &Request,
) -> Result<BTreeMap<String, String>, Response> {
    let mut kept = BTreeMap::new();
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        let amz =
            name.starts_with("x-amz-") && name != "x-amz-date" && name != "x-amz-content-sha256";
        if amz || KEPT.contains(&name.as_str()) {
            kept.insert(name, value.clone());
        }
    }
    let acl = kept.get("x-amz-acl").map(String::as_str);
    if !options.acls && acl.is_some_and(|acl| acl != "bucket-owner-full-control") {
        let message = "The bucket does not allow ACLs";
        return Err(error(400, "AccessControlListNotSupported", message));
    }
    if kept.contains_key("x-amz-copy-source") {
        return Err(error(501, "NotImplemented", "Copies are not made."));
    }
    Ok(kept)
}

/// A new object.
pub(super) fn stored(
    bytes: Arc<Vec<u8>>,
    length: u64,
    headers: BTreeMap<String, String>,
    modified: i64,
) -> Stored {
    let etag = format!("\"{}\"", hex(&Md5::digest(bytes.as_slice())));
    Stored { bytes, length, etag, headers, modified }
}

fn put(options: &BucketOptions, state: &mut State, request: &Request, key: &str) -> Response {
    let (etag, headers) = match (checked(options, request), kept(options, request)) {
        (Ok(etag), Ok(headers)) => (etag, headers),
        (Err(refused), _) | (_, Err(refused)) => return refused,
    };
    if request.body_length > 5 << 30 {
        return error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum size.");
    }
    let object = Stored {
        bytes: request.body.clone(),
        length: request.body_length,
        etag: etag.clone(),
        headers,
        modified: now() + state.ahead,
    };
    state.objects.insert(key.to_owned(), object);
    Response::new(200).header("ETag", etag)
}

fn get(state: &State, request: &Request, key: &str) -> Response {
    let Some(object) = state.objects.get(key) else {
        return error(404, "NoSuchKey", "The specified key does not exist.");
    };
    let mut response = Response::new(200)
        .header("Content-Type", "binary/octet-stream")
        .header("ETag", object.etag.clone())
        .header("Last-Modified", http_date(object.modified))
        .body(object.bytes.to_vec());
    for (name, value) in &object.headers {
        if KEPT.contains(&name.as_str()) || name.starts_with("x-amz-meta-") {
            response.set(name, value.clone());
        }
    }
    for (name, value) in request.query() {
        if let Some(header) = name.strip_prefix("response-") {
            response.set(header, value);
        }
    }
    if request.method == "HEAD" {
        response.set("Content-Length", object.length.to_string());
    }
    response
}
