//! The bucket itself: whether it is there, where, and what is in it.

use std::collections::BTreeSet;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{BucketOptions, State, error};
use crate::server::{Request, Response};

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// What stays as it is with `encoding-type=url`.
const URL: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/').remove(b'*');

/// Answers requests for the bucket.
pub(super) fn answer(options: &BucketOptions, state: &mut State, request: &Request) -> Response {
    let region = options.region.as_deref().unwrap_or("us-east-1");
    if request.method == "PUT" && request.query().is_empty() {
        if state.exists {
            let message = "Your previous request to create the named bucket succeeded.";
            return error(409, "BucketAlreadyOwnedByYou", message);
        }
        state.exists = true;
        return Response::new(200).header("Location", format!("/{}", options.name));
    }
    if !state.exists {
        return error(404, "NoSuchBucket", "The specified bucket does not exist");
    }
    let response = match request.method.as_str() {
        "HEAD" => Response::new(200),
        "GET" if request.parameter("location").is_some() => {
            // The oldest region has no name here.
            let name = if region == "us-east-1" { "" } else { region };
            xml(format!("<LocationConstraint xmlns=\"{NAMESPACE}\">{name}</LocationConstraint>"))
        }
        "GET" if request.parameter("list-type").as_deref() == Some("2") => {
            list(options, state, request)
        }
        "GET" if request.parameter("uploads").is_some() => uploads(state, request),
        _ if request.parameter("lifecycle").is_some() && options.lifecycle => {
            lifecycle(options, state, request)
        }
        "POST" if request.parameter("delete").is_some() => delete(options, state, request),
        _ => error(501, "NotImplemented", "This is not implemented."),
    };
    response.header("x-amz-bucket-region", region)
}

/// The uploads in parts that are under way.
fn uploads(state: &State, request: &Request) -> Response {
    let prefix = request.parameter("prefix").unwrap_or_default();
    let encoded = request.parameter("encoding-type").as_deref() == Some("url");
    let mut rows = String::new();
    for (id, key) in super::multipart::begun(state) {
        if key.starts_with(&prefix) {
            let key = if encoded { utf8_percent_encode(key, URL).to_string() } else { escape(key) };
            let _ = write!(rows, "<Upload><Key>{key}</Key><UploadId>{id}</UploadId></Upload>");
        }
    }
    let encoding = if encoded { "<EncodingType>url</EncodingType>" } else { "" };
    xml(format!(
        "<ListMultipartUploadsResult xmlns=\"{NAMESPACE}\">{encoding}\
         <IsTruncated>false</IsTruncated>{rows}</ListMultipartUploadsResult>"
    ))
}

fn lifecycle(options: &BucketOptions, state: &mut State, request: &Request) -> Response {
    match (request.method.as_str(), &state.lifecycle) {
        ("GET", Some(rules)) => {
            Response::new(200).header("Content-Type", "application/xml").body(rules.clone())
        }
        ("GET", None) => {
            let message = "The lifecycle configuration does not exist";
            error(404, "NoSuchLifecycleConfiguration", message)
        }
        ("PUT", _) => {
            if request.header("content-md5").is_none() {
                return error(400, "InvalidRequest", "Missing required header: Content-MD5");
            }
            if let Err(refused) = super::objects::checked(options, request) {
                return refused;
            }
            state.lifecycle = Some(String::from_utf8_lossy(&request.body).into_owned());
            Response::new(200)
        }
        _ => error(405, "MethodNotAllowed", "The specified method is not allowed"),
    }
}

/// DeleteObjects in its quiet form: only what failed is named, and here nothing fails.
fn delete(options: &BucketOptions, state: &mut State, request: &Request) -> Response {
    if request.header("content-md5").is_none() {
        return error(400, "InvalidRequest", "Missing required header: Content-MD5");
    }
    if let Err(refused) = super::objects::checked(options, request) {
        return refused;
    }
    let text = String::from_utf8_lossy(&request.body);
    let keys: Vec<String> = text
        .split("<Key>")
        .skip(1)
        .filter_map(|rest| rest.split("</Key>").next())
        .map(|key| {
            let plain = key.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
            plain.replace("&apos;", "'").replace("&amp;", "&")
        })
        .collect();
    if keys.is_empty() || keys.len() > 1000 {
        return error(400, "MalformedXML", "The XML you provided was not well-formed");
    }
    for key in keys {
        state.objects.remove(&key);
    }
    xml(format!("<DeleteResult xmlns=\"{NAMESPACE}\"></DeleteResult>"))
}

pub(super) fn xml(body: String) -> Response {
    Response::new(200).header("Content-Type", "application/xml").body(format!("{XML}{body}"))
}

pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            character => escaped.push(character),
        }
    }
    escaped
}

fn list(options: &BucketOptions, state: &State, request: &Request) -> Response {
    let parameter = |name: &str| request.parameter(name).unwrap_or_default();
    let prefix = parameter("prefix");
    let delimiter = parameter("delimiter");
    let most: usize = match request.parameter("max-keys").map(|keys| keys.parse()) {
        None => 1000,
        Some(Ok(keys)) => usize::min(keys, 1000),
        Some(Err(_)) => return error(400, "InvalidArgument", "max-keys is no number"),
    };
    let token = parameter("continuation-token");
    let start = match STANDARD.decode(&token).map(String::from_utf8) {
        Ok(Ok(key)) if !token.is_empty() => key,
        _ if token.is_empty() => parameter("start-after"),
        _ => return error(400, "InvalidArgument", "The continuation token is incorrect"),
    };
    let url = parameter("encoding-type") == "url";
    let encode = |key: &str| match url {
        true => utf8_percent_encode(key, URL).to_string(),
        false => escape(key),
    };

    let mut contents = String::new();
    let mut folders = BTreeSet::new();
    let mut count = 0;
    let mut last = None;
    let mut truncated = false;
    for (key, object) in &state.objects {
        let Some(rest) = key.strip_prefix(&prefix) else { continue };
        if *key <= start {
            continue;
        }
        let folder = match rest.find(&delimiter) {
            Some(at) if !delimiter.is_empty() => {
                Some(format!("{prefix}{}", &rest[..at + delimiter.len()]))
            }
            _ => None,
        };
        // A folder that was listed is not listed again; its other keys only move the mark.
        if folder
            .as_ref()
            .is_some_and(|folder| folders.contains(folder) || start.starts_with(folder))
        {
            last = Some(key);
            continue;
        }
        if count == most {
            truncated = true;
            break;
        }
        count += 1;
        last = Some(key);
        match folder {
            Some(folder) => {
                folders.insert(folder);
            }
            None => {
                let modified = OffsetDateTime::from_unix_timestamp(object.modified);
                let modified = modified.ok().and_then(|at| at.format(&Rfc3339).ok());
                let _ = write!(
                    contents,
                    "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag>\
                     <Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
                    encode(key),
                    modified.unwrap_or_default(),
                    escape(&object.etag),
                    object.length
                );
            }
        }
    }
    for folder in &folders {
        let folder = encode(folder);
        let _ = write!(contents, "<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>");
    }
    if let (true, Some(last)) = (truncated, last) {
        let next = STANDARD.encode(last);
        let _ = write!(contents, "<NextContinuationToken>{next}</NextContinuationToken>");
    }
    let encoding = if url { "<EncodingType>url</EncodingType>" } else { "" };
    xml(format!(
        "<ListBucketResult xmlns=\"{NAMESPACE}\"><Name>{}</Name><Prefix>{}</Prefix>{encoding}\
         <MaxKeys>{most}</MaxKeys><KeyCount>{count}</KeyCount>\
         <IsTruncated>{truncated}</IsTruncated>{contents}</ListBucketResult>",
        options.name,
        encode(&prefix),
    ))
}
