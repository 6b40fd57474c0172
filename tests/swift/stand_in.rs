//! A Swift with an identity service in front, small enough to fail on demand: tokens that end or
//! are forgotten, regions, limits, and whatever the faults of the server bring.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use stand_ins::{Options, Request, Response, Server};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What the stand-in is made of.
#[derive(Default)]
pub(super) struct State {
    /// Good tokens; `token-1` is the first that was given.
    tokens: HashSet<String>,
    /// How many tokens were given.
    given: usize,
    /// How long a token is good for, an hour if nothing is said.
    pub(super) life: Option<Duration>,
    /// How long a login takes.
    pub(super) login_takes: Duration,
    /// The regions that have an object store; one if nothing is said.
    pub(super) regions: Vec<&'static str>,
    /// The versions in the list of versions.
    pub(super) versions: Vec<&'static str>,
    /// The largest object.
    pub(super) max_file_size: Option<usize>,
    /// The containers.
    pub(super) containers: HashSet<String>,
    /// The objects by their whole decoded path.
    pub(super) objects: BTreeMap<String, Object>,
    url: String,
}

/// Bytes, and the headers that they came with.
pub(super) type Object = (Vec<u8>, Vec<(String, String)>);

/// The running stand-in.
pub(super) struct StandIn {
    pub(super) server: Server,
    state: Arc<Mutex<State>>,
}

impl StandIn {
    pub(super) fn start() -> StandIn {
        StandIn::with(Options::default())
    }

    pub(super) fn with(options: Options) -> StandIn {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let server = Server::start(move |request: &Request| answer(&shared, request), options);
        {
            let mut state = state.lock().unwrap();
            state.url = server.url();
            state.containers.insert("notify-pr".to_owned());
        }
        StandIn { server, state }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The cloud forgets every token that it gave.
    pub(super) fn forget_tokens(&self) {
        self.state().tokens.clear();
    }

    /// How many tokens were given.
    pub(super) fn given(&self) -> usize {
        self.state().given
    }

    /// The address of one of its versions, or without a version.
    pub(super) fn endpoint(&self, version: &str) -> String {
        format!("{}/{version}", self.server.url())
    }

    /// What is stored under a key of the default container.
    pub(super) fn object(&self, key: &str) -> Option<Vec<u8>> {
        self.state().objects.get(&format!("notify-pr/{key}")).map(|object| object.0.clone())
    }
}

fn answer(shared: &Mutex<State>, request: &Request) -> Response {
    let path = request.decoded_path();
    let takes = shared.lock().unwrap().login_takes;
    let mut state = shared.lock().unwrap();
    let mut answer = match (request.method.as_str(), path.as_str()) {
        ("GET", "/") => versions(&state),
        ("GET", "/info") => info(&state),
        ("POST", "/v3/auth/tokens") if state.versions != ["v2.0"] => v3(&mut state, request),
        ("GET", "/v3/auth/projects") => {
            Response::json(200, &json!({ "projects": [{ "name": "lab" }] }))
        }
        ("POST", "/v2.0/tokens") => v2(&mut state, request),
        ("GET", "/auth/v1.0") => v1(&mut state, request),
        (_, path) if path.starts_with("/v1/AUTH_lab/") => {
            let path = path["/v1/AUTH_lab/".len()..].to_owned();
            return storage(&mut state, request, &path);
        }
        _ => Response::html(404),
    };
    drop(state);
    answer.delay = takes;
    answer
}

fn versions(state: &State) -> Response {
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

fn info(state: &State) -> Response {
    let size = state.max_file_size.map_or(json!(null), |size| json!(size));
    Response::json(
        200,
        &json!({
            "swift": { "max_file_size": size },
            "slo": { "max_manifest_segments": 1000 },
        }),
    )
}

fn give(state: &mut State) -> String {
    state.given += 1;
    let token = format!("token-{}", state.given);
    state.tokens.insert(token.clone());
    token
}

/// When a token was given and when it ends, by a clock that is hours away from the real one.
fn times(state: &State) -> (String, String) {
    let issued = OffsetDateTime::now_utc() - time::Duration::hours(5);
    let ends = issued + state.life.unwrap_or(Duration::from_secs(3600));
    (issued.format(&Rfc3339).unwrap(), ends.format(&Rfc3339).unwrap())
}

fn regions(state: &State) -> Vec<&'static str> {
    if state.regions.is_empty() { vec!["only"] } else { state.regions.clone() }
}

fn v3(state: &mut State, request: &Request) -> Response {
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

fn v2(state: &mut State, request: &Request) -> Response {
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

fn v1(state: &mut State, request: &Request) -> Response {
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

fn storage(state: &mut State, request: &Request, path: &str) -> Response {
    if !state.tokens.contains(request.header("x-auth-token").unwrap_or_default()) {
        return Response::html(401);
    }
    let (container, key) = path.split_once('/').unwrap_or((path, ""));
    if key.is_empty() {
        return of_container(state, request, container);
    }
    if !state.containers.contains(container) {
        return Response::html(404);
    }
    match request.method.as_str() {
        "PUT" => put(state, request, path),
        "DELETE" => match state.objects.remove(path) {
            Some(_) => Response::new(204),
            None => Response::html(404),
        },
        _ => match state.objects.get(path) {
            Some((bytes, _)) => Response::new(200).body(bytes.clone()),
            None => Response::html(404),
        },
    }
}

fn of_container(state: &mut State, request: &Request, container: &str) -> Response {
    match request.method.as_str() {
        "PUT" if state.containers.insert(container.to_owned()) => Response::new(201),
        "PUT" => Response::new(202),
        _ if !state.containers.contains(container) => Response::html(404),
        "GET" => {
            let prefix = format!("{container}/{}", request.parameter("prefix").unwrap_or_default());
            let marker = format!("{container}/{}", request.parameter("marker").unwrap_or_default());
            let limit = request.parameter("limit").map_or(10_000, |limit| limit.parse().unwrap());
            let rows: Vec<Value> = state
                .objects
                .iter()
                .filter(|(path, _)| path.starts_with(&prefix) && **path > marker)
                .take(limit)
                .map(|(path, (bytes, _))| {
                    json!({ "name": path[container.len() + 1..], "bytes": bytes.len() })
                })
                .collect();
            Response::json(200, &Value::Array(rows))
        }
        _ => Response::new(204),
    }
}

fn put(state: &mut State, request: &Request, path: &str) -> Response {
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
    let object = (request.body.to_vec(), request.headers.clone());
    state.objects.insert(path.to_owned(), object);
    Response::new(201).header("ETag", md5)
}

fn manifest(state: &mut State, request: &Request, path: &str) -> Response {
    let list = request.json();
    let mut whole = Vec::new();
    for row in list.as_array().unwrap() {
        let segment = row["path"].as_str().unwrap().trim_start_matches('/');
        let Some((bytes, _)) = state.objects.get(segment) else { return Response::html(400) };
        if row["etag"] != md5_of(bytes) || row["size_bytes"] != bytes.len() {
            return Response::html(400);
        }
        whole.extend_from_slice(bytes);
    }
    state.objects.insert(path.to_owned(), (whole, request.headers.clone()));
    Response::new(201)
}

fn md5_of(bytes: &[u8]) -> String {
    use md5::{Digest, Md5};
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
