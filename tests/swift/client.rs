//! Stores as the settings make them, and a client that is not ours to look at what they did.

use std::sync::{Arc, Mutex};

use notify_pr::content::{Body, Checksum};
use notify_pr::events::{Event, Events};
use notify_pr::settings::{Origin, Settings};
use notify_pr::store::{Fault, Meta, Store, choose};
use notify_pr::submission::{Cancel, Submission};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::cluster::Cluster;

/// A store, and the submission that it belongs to.
pub(super) struct Made {
    pub(super) store: Box<dyn Store>,
    pub(super) submission: Submission,
    events: Arc<Mutex<Vec<Event>>>,
}

/// A store of these settings.
pub(super) fn store(pairs: &[(&str, &str)]) -> Made {
    try_store(pairs).unwrap_or_else(|error| panic!("{error}"))
}

pub(super) fn try_store(pairs: &[(&str, &str)]) -> Result<Made, notify_pr::error::Error> {
    let mut settings = Settings::new();
    settings.set("store_api", "swift", Origin::Api)?;
    for (name, value) in pairs {
        settings.set(name, value, Origin::Api)?;
    }
    settled(settings)
}

/// The same where the settings are complete.
pub(super) fn settled(settings: Settings) -> Result<Made, notify_pr::error::Error> {
    let events = Arc::new(Events::new());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    events.add_reader(move |event: &Event| kept.lock().unwrap().push(event.clone()));
    let submission = Submission::new(settings, events, Cancel::new())?;
    let store = choose(&submission)?.expect("a store");
    Ok(Made { store, submission, events: seen })
}

impl Made {
    /// How many requests were sent.
    pub(super) fn requests(&self) -> usize {
        let events = self.events.lock().unwrap();
        events.iter().filter(|event| matches!(event, Event::Request { .. })).count()
    }

    /// The texts of all warnings.
    pub(super) fn warnings(&self) -> String {
        self.told(|event| match event {
            Event::Warning(text) => Some(text.clone()),
            _ => None,
        })
        .join("\n")
    }

    /// What was told, in its order.
    pub(super) fn told<T>(&self, what: impl FnMut(&Event) -> Option<T>) -> Vec<T> {
        self.events.lock().unwrap().iter().filter_map(what).collect()
    }

    /// Stores bytes that go after so many seconds. A store makes one attempt, so what it calls busy
    /// is tried again here.
    pub(super) fn put(&self, key: &str, bytes: &[u8], seconds: i64) {
        for attempt in 0.. {
            match self.store.put(key, &body(bytes), &meta(seconds), &|_| true) {
                Ok(()) => return,
                Err(failure) if matches!(failure.fault, Fault::Busy(_)) && attempt < 3 => {
                    std::thread::sleep(std::time::Duration::from_secs(1));
                }
                Err(failure) => panic!("{key}: {failure}"),
            }
        }
    }
}

/// A body with an MD5, as Swift wants it.
pub(super) fn body(bytes: &[u8]) -> Body {
    Body::memory(bytes.to_vec(), Checksum::Md5)
}

/// Plain text that goes after so many seconds.
pub(super) fn meta(seconds: i64) -> Meta {
    Meta {
        content_type: "text/plain; charset=utf-8".to_owned(),
        content_encoding: None,
        expires: Some(OffsetDateTime::now_utc() + time::Duration::seconds(seconds)),
    }
}

/// A day, which no test waits for.
pub(super) const DAY: i64 = 86_400;

/// The two kinds of login that the cluster has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Auth {
    V1,
    V3,
}

impl Auth {
    pub(super) const BOTH: [Auth; 2] = [Auth::V1, Auth::V3];

    /// The settings of its user, with a container and what else a test wants.
    pub(super) fn settings<'a>(
        self,
        cluster: &'a Cluster,
        container: &'a str,
        more: &[(&'a str, &'a str)],
    ) -> Vec<(&'a str, &'a str)> {
        let mut pairs = match self {
            Auth::V1 => vec![
                ("store_endpoint", cluster.variable("SWIFT_V1_AUTH")),
                ("store_identity", cluster.variable("SWIFT_V1_USER")),
                ("store_secret", cluster.variable("SWIFT_V1_KEY")),
            ],
            Auth::V3 => vec![
                ("store_endpoint", cluster.variable("OS_AUTH_URL")),
                ("store_identity", "ci-project:ci-user"),
                ("store_secret", cluster.variable("OS_PASSWORD")),
            ],
        };
        pairs.push(("store_container", container));
        pairs.extend(more);
        pairs
    }

    /// A client of the same account.
    pub(super) fn client(self, cluster: &Cluster) -> Client {
        match self {
            Auth::V1 => login(
                cluster.variable("SWIFT_V1_AUTH"),
                cluster.variable("SWIFT_V1_USER"),
                cluster.variable("SWIFT_V1_KEY"),
            ),
            Auth::V3 => {
                let token = keystone_token(cluster, "ci-user", "ci-secret", "ci-project");
                Client { token, account: cluster.variable("SWIFT_V3_STORAGE_URL").to_owned() }
            }
        }
    }
}

/// A client of an account of TempAuth.
pub(super) fn login(url: &str, user: &str, key: &str) -> Client {
    let headers = [("x-auth-user", user.to_owned()), ("x-auth-key", key.to_owned())];
    let answer = ask("GET", url, &headers, None);
    Client {
        token: answer.header("x-auth-token").to_owned(),
        account: answer.header("x-storage-url").to_owned(),
    }
}

/// A token of Keystone for a user in a project.
pub(super) fn keystone_token(
    cluster: &Cluster,
    user: &str,
    password: &str,
    project: &str,
) -> String {
    let domain = json!({ "id": "default" });
    let body = json!({ "auth": {
        "identity": { "methods": ["password"], "password": {
            "user": { "name": user, "domain": domain, "password": password } } },
        "scope": { "project": { "name": project, "domain": domain } },
    } });
    let url = format!("{}/auth/tokens", cluster.variable("OS_AUTH_URL"));
    ask("POST", &url, &[], Some(&body)).header("x-subject-token").to_owned()
}

/// A token of a user in the project of the tests, and what Keystone says of it.
pub(super) fn token_of(cluster: &Cluster, user: &str, password: &str) -> (String, Value) {
    let token = keystone_token(cluster, user, password, "ci-project");
    let url = format!("{}/auth/tokens", cluster.variable("OS_AUTH_URL"));
    let headers = [("x-auth-token", token.clone()), ("x-subject-token", token.clone())];
    let said = serde_json::from_slice(&ask("GET", &url, &headers, None).bytes).unwrap();
    (token, said)
}

/// The id of a new application credential of a user, whose secret is `app-secret`.
pub(super) fn application_credential(cluster: &Cluster, user: &str, password: &str) -> String {
    let (token, said) = token_of(cluster, user, password);
    let user = said["token"]["user"]["id"].as_str().unwrap();
    let keystone = cluster.variable("OS_AUTH_URL");
    let url = format!("{keystone}/users/{user}/application_credentials");
    let wanted = json!({ "application_credential": { "name": "uploads", "secret": "app-secret" } });
    // Keystone keeps all of its state in one SQLite file here, which other tests may have locked.
    let made = (0..20)
        .map(|_| ask("POST", &url, &[("x-auth-token", token.clone())], Some(&wanted)))
        .inspect(|made| {
            if made.status >= 500 {
                std::thread::sleep(std::time::Duration::from_millis(250));
            }
        })
        .find(|made| made.status < 500)
        .expect("Keystone answers");
    assert_eq!(made.status, 201, "{}", made.text());
    let made: Value = serde_json::from_slice(&made.bytes).unwrap();
    made["application_credential"]["id"].as_str().unwrap().to_owned()
}

/// An account in Swift, seen with its owner's token.
pub(super) struct Client {
    token: String,
    pub(super) account: String,
}

impl Client {
    /// A request about something in the account, with headers besides the token.
    pub(super) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Seen {
        let mut all = vec![("x-auth-token", self.token.clone())];
        all.extend(headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
        ask(method, &format!("{}/{path}", self.account), &all, None)
    }

    /// The names in a container.
    pub(super) fn names(&self, container: &str) -> Vec<String> {
        self.ask("GET", container, &[]).text().lines().map(str::to_owned).collect()
    }
}

/// An answer as a stranger sees it.
pub(super) struct Seen {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) bytes: Vec<u8>,
}

impl Seen {
    /// A header, empty if it is not there.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// What anybody gets at an address.
pub(super) fn anonymous(url: &str) -> Seen {
    ask("GET", url, &[], None)
}

/// One request with ureq's own defaults.
pub(super) fn ask(
    method: &str,
    url: &str,
    headers: &[(&str, String)],
    json: Option<&Value>,
) -> Seen {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let body = json.map(ToString::to_string).unwrap_or_default();
    let request = match json {
        Some(_) => request.header("content-type", "application/json"),
        None => request,
    };
    let sends = json.is_some() || matches!(method, "PUT" | "POST");
    let answered = match sends {
        true => agent.run(request.body(body).unwrap()),
        false => agent.run(request.body(()).unwrap()),
    };
    let mut response = answered.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    let headers = response.headers().iter().map(|(name, value)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let headers = headers.collect();
    let bytes = response.body_mut().read_to_vec().unwrap();
    Seen { status: response.status().as_u16(), headers, bytes }
}
