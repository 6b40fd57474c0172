//! A folder, published as an ordinary web server does it.

use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::fault::Fault;
use crate::server::{Options, Request, Response, Server};

/// Publishes a folder, read-only and without listings. It ends when it is dropped.
///
/// Symbolic links are followed: the folder belongs to the test.
pub struct FileServer {
    server: Server,
}

impl FileServer {
    /// Publishes this folder, which may be made later.
    pub fn start(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        let answer = move |request: &Request| answer(&folder, request);
        FileServer { server: Server::start(answer, Options::default()) }
    }

    /// The address of the folder, without a slash at the end: what `store_public_url` is set to.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Arc<Request>> {
        self.server.requests()
    }

    /// Switches a trouble on.
    pub fn fault(&self, fault: Fault) {
        self.server.fault(fault);
    }

    /// Switches all troubles off.
    pub fn clear_faults(&self) {
        self.server.clear_faults();
    }
}

impl fmt::Debug for FileServer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("FileServer").field(&self.url()).finish()
    }
}

fn answer(folder: &Path, request: &Request) -> Response {
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Response::html(405).header("Allow", "GET, HEAD");
    }
    let Some(mut path) = locate(folder, request.path()) else { return Response::html(404) };
    if path.is_dir() {
        if !request.path().ends_with('/') {
            let location = format!("{}/", request.path());
            return Response::html(301).header("Location", location);
        }
        path.push("index.html");
    }
    match fs::read(&path) {
        Ok(bytes) => Response::new(200).header("Content-Type", content_type(&path)).body(bytes),
        Err(_) => Response::html(404),
    }
}

/// The file of a path; None when the path leaves the folder.
fn locate(folder: &Path, path: &str) -> Option<PathBuf> {
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(path).collect();
    if bytes.contains(&0) {
        return None;
    }
    let path = to_path(bytes)?;
    let mut found = folder.to_owned();
    for component in path.components() {
        match component {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(name) => found.push(name),
            Component::ParentDir | Component::Prefix(_) => return None,
        }
    }
    Some(found)
}

#[cfg(unix)]
fn to_path(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn to_path(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

/// What an ordinary web server says of the usual names; the rest is a download.
fn content_type(path: &Path) -> &'static str {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "html" | "htm" => "text/html",
        "txt" | "log" => "text/plain",
        "md" => "text/markdown",
        "css" => "text/css",
        "js" => "text/javascript",
        "json" => "application/json",
        "xml" => "text/xml",
        "csv" => "text/csv",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "svg" => "image/svg+xml",
        "gz" | "tgz" => "application/gzip",
        "zip" => "application/zip",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}
