//! A Swift with an identity service in front, small enough to fail on demand: tokens that end or
//! are forgotten, regions, limits, large objects, and whatever the faults of the server bring.
//!
//! Its account is `AUTH_lab`, its user `lab:bot` with the secret `right-secret`, and it speaks the
//! first, second and third version of the identity service.

mod bulk;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use md5::{Digest, Md5};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use self::bulk::SwiftBulk;
use crate::fault::Fault;
use crate::server::{Options, Request, Response, Server};
use crate::{hex, lock};

/// What a Swift is made of; a test changes it as it likes.
#[derive(Debug, Default)]
pub struct SwiftState {
    /// Good tokens; `token-1` is the first that was given.
    tokens: HashSet<String>,
    /// How many tokens were given.
    given: usize,
    /// How long a token is good for, an hour if nothing is said.
    pub life: Option<Duration>,
    /// How long a login takes.
    pub login_takes: Duration,
    /// The regions that have an object store; one if nothing is said.
    pub regions: Vec<&'static str>,
    /// The versions in the list of versions.
    pub versions: Vec<&'static str>,
    /// The largest object.
    pub max_file_size: Option<usize>,
    /// It makes no large objects of segments.
    pub no_large: bool,
    /// How long it takes to answer about itself and what is stored.
    pub distance: Duration,
    /// How much longer it takes for each object that is made.
    pub storing: Duration,
    /// The middleware that unpacks archives, if there is one.
    pub bulk: Option<SwiftBulk>,
    /// Whether everybody may get objects (but not list them).
    pub public: bool,
    /// The containers.
    pub containers: HashSet<String>,
    /// The objects by their whole decoded path, which begins with the container.
    pub objects: BTreeMap<String, SwiftObject>,
    url: String,
}

/// An object of a Swift.
#[derive(Debug, Clone, Default)]
pub struct SwiftObject {
    /// What a reader gets: of a large object, all that its segments hold.
    pub bytes: Vec<u8>,
    /// The headers that it came with.
    pub headers: Vec<(String, String)>,
    /// The paths of its segments, if it is a large object.
    pub segments: Vec<String>,
}

impl SwiftObject {
    /// A header that it came with.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A running Swift with a container `notify-pr`. It ends when it is dropped.
pub struct Swift {
    /// Its server, which holds the faults and the record of requests.
    pub server: Server,
    state: Arc<Mutex<SwiftState>>,
}

impl Swift {
    /// Starts one that everybody reaches in the clear.
    pub fn start() -> Self {
        Self::start_with(Options::default())
    }

    /// Starts one that differs.
    pub fn start_with(options: Options) -> Self {
        let state = Arc::new(Mutex::new(SwiftState::default()));
        let shared = Arc::clone(&state);
        let server = Server::start(move |request: &Request| answer(&shared, request), options);
        {
            let mut state = lock(&state);
            state.url = server.url();
            state.containers.insert("notify-pr".to_owned());
        }
        Swift { server, state }
    }

    /// What it is made of, to be looked at or changed.
    pub fn state(&self) -> MutexGuard<'_, SwiftState> {
        lock(&self.state)
    }

    /// The cloud forgets every token that it gave.
    pub fn forget_tokens(&self) {
        self.state().tokens.clear();
    }

    /// How many tokens were given.
    pub fn given(&self) -> usize {
        self.state().given
    }

    /// The address of one version of its identity service, or without a version.
    pub fn endpoint(&self, version: &str) -> String {
        format!("{}/{version}", self.server.url())
    }

    /// What is stored under a key of the container `notify-pr`.
    pub fn object(&self, key: &str) -> Option<Vec<u8>> {
        self.state().objects.get(&format!("notify-pr/{key}")).map(|object| object.bytes.clone())
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Arc<Request>> {
        self.server.requests()
    }

    /// Switches a trouble on.
    pub fn fault(&self, fault: Fault) {
        self.server.fault(fault);
    }
}

impl fmt::Debug for Swift {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Swift").field(&self.server.url()).finish()
    }
}

fn answer(shared: &Mutex<SwiftState>, request: &Request) -> Response {
    let path = request.decoded_path();
    let takes = lock(shared).login_takes;
    let mut state = lock(shared);
    let mut answer = match (request.method.as_str(), path.as_str()) {
        ("GET", "/") => versions(&state),
        ("GET", "/info") => return late(state.distance, info(&state)),
        ("POST", "/v3/auth/tokens") if state.versions != ["v2.0"] => v3(&mut state, request),
        ("GET", "/v3/auth/projects") => {
            Response::json(200, &json!({ "projects": [{ "name": "lab" }] }))
        }
        ("POST", "/v2.0/tokens") => v2(&mut state, request),
        ("GET", "/auth/v1.0") => v1(&mut state, request),
        (_, path) if path.starts_with("/v1/AUTH_lab/") => {
            let path = path["/v1/AUTH_lab/".len()..].to_owned();
            let before = state.objects.len();
            let answer = storage(&mut state, request, &path);
            let made = u32::try_from(state.objects.len().saturating_sub(before)).unwrap_or(0);
            return late(state.distance + state.storing * made, answer);
        }
        _ => Response::html(404),
    };
    drop(state);
    answer.delay = takes;
    answer
}

fn late(distance: Duration, answer: Response) -> Response {
    Response { delay: distance, ..answer }
}

fn versions(state: &SwiftState) -> Response {
    let values: Vec<Value> = state
        .versions
        .iter()
        .map(|id| {
            // As behind a proxy: the inner host's name.
            let href = format!("http://keystone.internal.example/{id}/");
            json!({ "id": id, "links": [{ "rel": "self", "href": href }] })
        })
        .collect();
    Response::json(300, &json!({ "versions": { "values": values } }))
}

fn info(state: &SwiftState) -> Response {
    let size = state.max_file_size.map_or(json!(null), |size| json!(size));
    let mut told = json!({
        "swift": { "max_file_size": size },
        "slo": { "max_manifest_segments": 1000 },
    });
    if let (true, Some(told)) = (state.no_large, told.as_object_mut()) {
        told.remove("slo");
    }
    if let Some(bulk) = &state.bulk {
        told["swift"]["version"] = json!(bulk.version);
        told["bulk_upload"] = json!({ "max_failed_extractions": bulk.most_failures });
    }
    Response::json(200, &told)
}

fn give(state: &mut SwiftState) -> String {
    state.given += 1;
    let token = format!("token-{}", state.given);
    state.tokens.insert(token.clone());
    token
}

/// When a token was given and when it ends, by a clock that is hours away from the real one.
fn times(state: &SwiftState) -> (String, String) {
    let issued = OffsetDateTime::now_utc() - time::Duration::hours(5);
    let ends = issued + state.life.unwrap_or(Duration::from_secs(3600));
    let text = |time: OffsetDateTime| time.format(&Rfc3339).unwrap_or_default();
    (text(issued), text(ends))
}

fn regions(state: &SwiftState) -> Vec<&'static str> {
    if state.regions.is_empty() { vec!["only"] } else { state.regions.clone() }
}

fn v3(state: &mut SwiftState, request: &Request) -> Response {
    let identity = &request.json()["auth"]["identity"];
    if identity["password"]["user"]["password"] != "right-secret" {
        let body = json!({ "error": { "code": 401, "title": "Unauthorized",
            "message": "The request you have made requires authentication." } });
        return Response::json(401, &body);
    }
    let (issued, ends) = times(state);
    let storage = format!("{}/v1/AUTH_lab", state.url);
    let endpoints: Vec<Value> = regions(state)
        .iter()
        .map(|region| json!({ "interface": "public", "region_id": region, "url": storage }))
        .collect();
    let body = json!({ "token": {
        "issued_at": issued, "expires_at": ends,
        "catalog": [{ "type": "object-store", "endpoints": endpoints }],
    } });
    Response::json(201, &body).header("X-Subject-Token", give(state))
}

fn v2(state: &mut SwiftState, request: &Request) -> Response {
    let auth = &request.json()["auth"];
    let expected = json!({ "tenantName": "lab",
        "passwordCredentials": { "username": "bot", "password": "right-secret" } });
    if *auth != expected {
        let body = json!({ "error": { "code": 401, "title": "Unauthorized",
            "message": "Invalid user / password" } });
        return Response::json(401, &body);
    }
    let (issued, ends) = times(state);
    let storage = format!("{}/v1/AUTH_lab", state.url);
    let endpoints: Vec<Value> = regions(state)
        .iter()
        .map(|region| {
            json!({ "region": region, "publicURL": storage,
                "internalURL": "http://10.255.255.1/v1/AUTH_lab" })
        })
        .collect();
    Response::json(
        200,
        &json!({ "access": {
        "token": { "id": give(state), "issued_at": issued, "expires": ends },
        "serviceCatalog": [{ "type": "object-store", "endpoints": endpoints }],
    } }),
    )
}

fn v1(state: &mut SwiftState, request: &Request) -> Response {
    let user = request.header("x-auth-user").unwrap_or_default();
    if (user, request.header("x-auth-key")) != ("lab:bot", Some("right-secret")) {
        return Response::html(401);
    }
    let life = state.life.unwrap_or(Duration::from_secs(3600)).as_secs().to_string();
    Response::new(200)
        .header("X-Storage-Url", format!("{}/v1/AUTH_lab", state.url))
        .header("X-Auth-Token", give(state))
        .header("X-Auth-Token-Expires", life)
}

fn storage(state: &mut SwiftState, request: &Request, path: &str) -> Response {
    let (container, key) = path.split_once('/').unwrap_or((path, ""));
    let open = state.public && request.method == "GET" && !key.is_empty();
    if !open && !state.tokens.contains(request.header("x-auth-token").unwrap_or_default()) {
        return Response::html(401);
    }
    if key.is_empty() {
        return of_container(state, request, container);
    }
    if !state.containers.contains(container) {
        return Response::html(404);
    }
    match request.method.as_str() {
        "PUT" if state.bulk.is_some() && request.parameter("extract-archive").is_some() => {
            bulk::extract(state, request, path)
        }
        "PUT" => put(state, request, path),
        "DELETE" => delete(state, request, path),
        _ => match state.objects.get(path) {
            None => Response::html(404),
            Some(object) => {
                let mut found = Response::new(200).body(object.bytes.clone());
                if !object.segments.is_empty() {
                    found.set("X-Static-Large-Object", "True");
                }
                let seconds = object.header("x-delete-after").and_then(|text| text.parse().ok());
                if let Some(seconds) = seconds {
                    let end = OffsetDateTime::now_utc() + Duration::from_secs(seconds);
                    found.set("X-Delete-At", end.unix_timestamp().to_string());
                }
                found
            }
        },
    }
}

/// Removes an object, and its segments where that is asked for.
fn delete(state: &mut SwiftState, request: &Request, path: &str) -> Response {
    let Some(object) = state.objects.remove(path) else { return Response::html(404) };
    if !request.target.contains("multipart-manifest=delete") {
        return Response::new(204);
    }
    for segment in &object.segments {
        state.objects.remove(segment);
    }
    Response::json(200, &json!({ "Response Status": "200 OK" }))
}

fn of_container(state: &mut SwiftState, request: &Request, container: &str) -> Response {
    match request.method.as_str() {
        "PUT" if state.containers.insert(container.to_owned()) => Response::new(201),
        "PUT" => Response::new(202),
        _ if !state.containers.contains(container) => Response::html(404),
        "GET" => {
            let prefix = format!("{container}/{}", request.parameter("prefix").unwrap_or_default());
            let marker = format!("{container}/{}", request.parameter("marker").unwrap_or_default());
            let end = request.parameter("end_marker").map(|end| format!("{container}/{end}"));
            let limit =
                request.parameter("limit").map_or(10_000, |limit| limit.parse().unwrap_or(10_000));
            let rows: Vec<Value> = state
                .objects
                .iter()
                .filter(|(path, _)| path.starts_with(&prefix) && **path > marker)
                .filter(|(path, _)| end.as_ref().is_none_or(|end| *path < end))
                .take(limit)
                .map(|(path, object)| {
                    // As a listing has it, without the spaces that the object keeps.
                    let kind = object.header("content-type").unwrap_or("application/octet-stream");
                    json!({ "name": path[container.len() + 1..], "bytes": object.bytes.len(),
                        "hash": md5_of(&object.bytes), "content_type": kind.replace("; ", ";") })
                })
                .collect();
            Response::json(200, &Value::Array(rows))
        }
        _ if state.public => Response::new(204).header("X-Container-Read", ".r:*"),
        _ => Response::new(204),
    }
}

fn put(state: &mut SwiftState, request: &Request, path: &str) -> Response {
    if request.target.contains("multipart-manifest=put") {
        return manifest(state, request, path);
    }
    if request.body.len() > state.max_file_size.unwrap_or(usize::MAX) {
        return Response::html(413);
    }
    let md5 = md5_of(&request.body);
    if request.header("etag").is_some_and(|etag| etag != md5) {
        return Response::html(422);
    }
    let object = SwiftObject {
        bytes: request.body.to_vec(),
        headers: request.headers.clone(),
        segments: Vec::new(),
    };
    state.objects.insert(path.to_owned(), object);
    Response::new(201).header("ETag", md5)
}

/// Makes a large object of its segments; what does not fit is told in Swift's own words.
fn manifest(state: &mut SwiftState, request: &Request, path: &str) -> Response {
    let list = request.json();
    let mut object = SwiftObject { headers: request.headers.clone(), ..SwiftObject::default() };
    let mut errors = Vec::new();
    for row in list.as_array().into_iter().flatten() {
        let named = row["path"].as_str().unwrap_or_default();
        let segment = named.trim_start_matches('/');
        let trouble = match state.objects.get(segment) {
            None => "404 Not Found",
            Some(found) if row["size_bytes"] != found.bytes.len() => "Size Mismatch",
            Some(found) if row["etag"] != md5_of(&found.bytes) => "Etag Mismatch",
            Some(found) => {
                object.bytes.extend_from_slice(&found.bytes);
                object.segments.push(segment.to_owned());
                continue;
            }
        };
        errors.push(format!("{named}, {trouble}\n"));
    }
    if !errors.is_empty() || object.segments.is_empty() {
        return Response::new(400)
            .header("Content-Type", "text/plain")
            .body(format!("Errors:\n{}", errors.concat()));
    }
    state.objects.insert(path.to_owned(), object);
    Response::new(201)
}

fn md5_of(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}
