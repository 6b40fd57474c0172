//! Uploads in parts.

use std::collections::BTreeMap;
use std::sync::Arc;

use md5::{Digest, Md5};

use super::access::now;
use super::listing::{escape, xml};
use super::objects::{checked, kept};
use super::{BucketOptions, State, Stored, error};
use crate::hex;
use crate::server::{Request, Response};

/// An upload under way.
pub(super) struct Upload {
    key: String,
    headers: BTreeMap<String, String>,
    parts: BTreeMap<u32, Part>,
}

struct Part {
    bytes: Arc<Vec<u8>>,
    length: u64,
    etag: String,
}

/// Ids and keys of all uploads under way.
pub(super) fn begun(state: &State) -> impl Iterator<Item = (&String, &String)> {
    state.uploads.iter().map(|(id, upload)| (id, &upload.key))
}

/// Answers requests that have to do with uploads in parts.
pub(super) fn answer(
    options: &BucketOptions,
    state: &mut State,
    request: &Request,
    key: &str,
) -> Response {
    if request.method == "POST" && request.parameter("uploads").is_some() {
        return initiate(options, state, request, key);
    }
    let id = request.parameter("uploadId").unwrap_or_default();
    if state.uploads.get(&id).is_none_or(|upload| upload.key != key) {
        return error(404, "NoSuchUpload", "The specified upload does not exist.");
    }
    match request.method.as_str() {
        "PUT" => part(options, state, request, &id),
        "POST" => complete(options, state, request, &id),
        "DELETE" => {
            state.uploads.remove(&id);
            Response::new(204)
        }
        _ => error(501, "NotImplemented", "This is not implemented."),
    }
}

fn initiate(options: &BucketOptions, state: &mut State, request: &Request, key: &str) -> Response {
    let headers = match kept(options, request) {
        Ok(headers) => headers,
        Err(refused) => return refused,
    };
    state.last_upload += 1;
    let id = crate::sha(format!("upload {}", state.last_upload));
    let upload = Upload { key: key.to_owned(), headers, parts: BTreeMap::new() };
    state.uploads.insert(id.clone(), upload);
    xml(format!(
        "<InitiateMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key>\
         <UploadId>{id}</UploadId></InitiateMultipartUploadResult>",
        options.name,
        escape(key)
    ))
}

fn part(options: &BucketOptions, state: &mut State, request: &Request, id: &str) -> Response {
    let number = request.parameter("partNumber").and_then(|number| number.parse().ok());
    let Some(number) = number.filter(|number| (1..=10_000).contains(number)) else {
        let message = "Part number must be an integer between 1 and 10000, inclusive";
        return error(400, "InvalidArgument", message);
    };
    let etag = match checked(options, request) {
        Ok(etag) => etag,
        Err(refused) => return refused,
    };
    let part =
        Part { bytes: request.body.clone(), length: request.body_length, etag: etag.clone() };
    if let Some(upload) = state.uploads.get_mut(id) {
        upload.parts.insert(number, part);
    }
    Response::new(200).header("ETag", etag)
}

/// What stands between the first `<tag>` and `</tag>`.
fn between<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(&format!("<{tag}>"))?;
    after.split_once(&format!("</{tag}>")).map(|(inside, _)| inside)
}

fn complete(options: &BucketOptions, state: &mut State, request: &Request, id: &str) -> Response {
    // A sink keeps no bodies, so it cannot know which parts were named and takes all.
    let text = request.text();
    let listed: Vec<&str> = text.split("<Part>").skip(1).collect();
    let Some(upload) = state.uploads.get(id) else {
        return error(404, "NoSuchUpload", "The specified upload does not exist.");
    };
    let mut numbers = Vec::new();
    for each in listed {
        let number = between(each, "PartNumber").and_then(|number| number.trim().parse().ok());
        let etag = between(each, "ETag").unwrap_or_default().replace("&quot;", "\"");
        let Some(number) = number else {
            return error(400, "MalformedXML", "The XML you provided was not well-formed.");
        };
        let same = |part: &Part| part.etag.trim_matches('"') == etag.trim().trim_matches('"');
        if !upload.parts.get(&number).is_some_and(same) {
            let message = "One or more of the specified parts could not be found.";
            return error(400, "InvalidPart", message);
        }
        numbers.push(number);
    }
    if options.discard {
        numbers = upload.parts.keys().copied().collect();
    }
    if numbers.is_empty() {
        return error(400, "MalformedXML", "The XML you provided was not well-formed.");
    }
    if numbers.windows(2).any(|pair| pair[0] >= pair[1]) {
        return error(400, "InvalidPartOrder", "The list of parts was not in ascending order.");
    }
    let parts: Vec<&Part> = numbers.iter().map(|number| &upload.parts[number]).collect();
    let all_but_last = &parts[..parts.len() - 1];
    if all_but_last.iter().any(|part| part.length < options.least_part as u64) {
        return error(400, "EntityTooSmall", "Your proposed upload is smaller than allowed.");
    }
    let bytes: Vec<u8> = parts.iter().flat_map(|part| part.bytes.iter().copied()).collect();
    let mut digests = Md5::new();
    for part in &parts {
        digests.update(part.etag.as_bytes());
    }
    // Not the MD5 of the whole, which is why an ETag with a hyphen must not be compared.
    let etag = format!("\"{}-{}\"", hex(&digests.finalize()), parts.len());
    let object = Stored {
        length: parts.iter().map(|part| part.length).sum(),
        bytes: Arc::new(bytes),
        etag: etag.clone(),
        headers: upload.headers.clone(),
        modified: now() + state.ahead,
    };
    let key = upload.key.clone();
    state.objects.insert(key.clone(), object);
    state.uploads.remove(id);
    xml(format!(
        "<CompleteMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key><ETag>{}</ETag>\
         </CompleteMultipartUploadResult>",
        options.name,
        escape(&key),
        escape(&etag)
    ))
}
