//! Swift's bulk upload: unpacks archives, and fails as a cluster may. It reads them with a library
//! that is not ours.

use std::io::{self, Read};

use flate2::read::GzDecoder;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{SwiftObject, SwiftState};
use crate::server::{Request, Response};

/// How the middleware behaves, and what it did.
#[derive(Debug, Clone, Default)]
pub struct SwiftBulk {
    /// The version of Swift that `/info` tells.
    pub version: &'static str,
    /// The end of the request is not handed on to the objects.
    pub forgets_ends: bool,
    /// The types of members are not heeded.
    pub forgets_types: bool,
    /// Objects whose paths end like this are refused.
    pub refuses: Option<&'static str>,
    /// Objects whose paths end like this are stored with other bytes.
    pub spoils: Option<&'static str>,
    /// Objects whose paths end like this are lost without a word.
    pub loses: Option<&'static str>,
    /// After how many failures it leaves the rest of an archive.
    pub most_failures: usize,
    /// How many members each archive had that was unpacked.
    pub archives: Vec<usize>,
}

impl SwiftBulk {
    /// One of a new Swift, which does everything right.
    pub fn new() -> Self {
        SwiftBulk { version: "2.38.0", most_failures: 1000, ..SwiftBulk::default() }
    }
}

/// Unpacks the body of a request below a path that begins with the container.
pub(super) fn extract(state: &mut SwiftState, request: &Request, below: &str) -> Response {
    let mut bulk = state.bulk.take().unwrap_or_default();
    let mut errors = Vec::new();
    let created = members(&mut bulk, request, below, &mut errors, state);
    state.bulk = Some(bulk);
    // The status of HTTP is 200 whatever happened.
    let (status, why) = match &created {
        Ok(_) if errors.is_empty() => ("201 Created", String::new()),
        Ok(_) => ("400 Bad Request", String::new()),
        Err(error) => ("400 Bad Request", format!("Invalid Tar File: {error}")),
    };
    let said = json!({ "Response Status": status, "Response Body": why,
        "Number Files Created": created.unwrap_or(0), "Errors": errors });
    // Heartbeats stand before it, as after some seconds of work.
    Response::new(200).header("Content-Type", "application/json").body(format!("  \r\n\r\n{said}"))
}

fn members(
    bulk: &mut SwiftBulk,
    request: &Request,
    below: &str,
    errors: &mut Vec<Value>,
    state: &mut SwiftState,
) -> io::Result<usize> {
    let ends = |end: Option<&str>, path: &str| end.is_some_and(|end| path.ends_with(end));
    let (mut created, mut seen) = (0, 0);
    let mut archive = tar::Archive::new(GzDecoder::new(&request.body[..]));
    for entry in archive.entries()? {
        let mut entry = entry?;
        if errors.len() >= bulk.most_failures {
            break;
        }
        if !entry.header().entry_type().is_file() {
            continue;
        }
        seen += 1;
        let path = format!("{below}/{}", String::from_utf8_lossy(&entry.path_bytes()));
        if ends(bulk.refuses, &path) {
            let encoded = utf8_percent_encode(&path, NON_ALPHANUMERIC).to_string();
            errors.push(json!([encoded, "413 Request Entity Too Large"]));
            continue;
        }
        let mut object = SwiftObject::default();
        for record in entry.pax_extensions()?.into_iter().flatten() {
            let record = record?;
            if record.key_bytes() == b"SCHILY.xattr.user.mime_type" && !bulk.forgets_types {
                let value = String::from_utf8_lossy(record.value_bytes()).into_owned();
                object.headers.push(("content-type".to_owned(), value));
            }
        }
        let after = request.header("x-delete-after").filter(|_| !bulk.forgets_ends);
        object.headers.extend(after.map(|after| ("x-delete-after".to_owned(), after.to_owned())));
        entry.read_to_end(&mut object.bytes)?;
        if ends(bulk.spoils, &path) {
            object.bytes.iter_mut().for_each(|byte| *byte ^= 1);
        }
        created += 1;
        if !ends(bulk.loses, &path) {
            state.objects.insert(path, object);
        }
    }
    bulk.archives.push(seen);
    Ok(created)
}
