//! What a cluster says of itself: its limits, and what it can do besides.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::Swift;
use super::right::Doing;
use crate::http::{Agent, Answer, Exchange, Request};
use crate::store::{Fault, Stored};

/// After how many failures a cluster leaves an archive where nobody chose another number.
const FAILURES: u64 = 1000;

/// What matters here of `/info`; the default is what nearly every cluster has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Info {
    /// The largest object.
    pub(super) object_bytes: u64,
    /// The longest name of an object.
    pub(super) key_bytes: usize,
    /// The most segments of a large object; 0 if there are no large objects.
    pub(super) segments: u32,
    /// Whether temporary URLs with SHA-256 are to be had, which came after those for a prefix.
    pub(super) temp_urls: bool,
    /// How many objects may go wrong before the rest of an archive is left where it is, if archives
    /// are unpacked into objects that go when they should, as they do since 2.24.
    pub(super) bundled: Option<usize>,
    /// How long the answer took.
    pub(super) took: Duration,
}

impl Default for Info {
    fn default() -> Info {
        Info {
            object_bytes: 5 * (1 << 30) + 2,
            key_bytes: 1024,
            segments: 1000,
            temp_urls: false,
            bundled: None,
            took: Duration::ZERO,
        }
    }
}

impl Info {
    fn read(info: &Value) -> Info {
        let usual = Info::default();
        let swift = &info["swift"];
        let digests = info["tempurl"]["allowed_digests"].as_array();
        let methods = info["tempurl"]["methods"].as_array();
        let has = |list: Option<&Vec<Value>>, word: &str| {
            list.is_some_and(|list| list.iter().any(|item| item == word))
        };
        Info {
            object_bytes: swift["max_file_size"]
                .as_u64()
                .filter(|bytes| *bytes > 0)
                .unwrap_or(usual.object_bytes),
            key_bytes: swift["max_object_name_length"]
                .as_u64()
                .and_then(|bytes| usize::try_from(bytes).ok())
                .map_or(usual.key_bytes, |bytes| bytes.min(usual.key_bytes)),
            segments: match info.get("slo") {
                None => 0,
                Some(slo) => slo["max_manifest_segments"]
                    .as_u64()
                    .and_then(|segments| u32::try_from(segments).ok())
                    .unwrap_or(usual.segments),
            },
            temp_urls: has(digests, "sha256") && (methods.is_none() || has(methods, "GET")),
            bundled: info
                .get("bulk_upload")
                .filter(|_| swift["version"].as_str().is_some_and(|text| is_from(text, (2, 24))))
                .map(|bulk| {
                    let failures = bulk["max_failed_extractions"].as_u64().unwrap_or(FAILURES);
                    usize::try_from(failures).unwrap_or(usize::MAX)
                }),
            took: usual.took,
        }
    }
}

/// Whether a version is not older than another one.
fn is_from(version: &str, oldest: (u32, u32)) -> bool {
    let mut numbers = version.split('.').map_while(|number| number.parse().ok());
    numbers.next().zip(numbers.next()).is_some_and(|version| version >= oldest)
}

impl Swift {
    /// Asks the cluster. One that tells nothing is taken for a usual one.
    pub(super) fn ask_info(&self, agent: &Agent, storage_url: &str) -> Stored<Info> {
        let url = info_url(storage_url);
        let began = Instant::now();
        match agent.exchange(Request::new("GET", &url)) {
            Exchange::Answered(Answer { cut: Some(why), .. }) => Err(self.unreachable(why)),
            Exchange::Answered(answer) => match serde_json::from_slice::<Value>(&answer.body) {
                Ok(info) if answer.is_success() && info.is_object() => {
                    Ok(Info { took: began.elapsed(), ..Info::read(&info) })
                }
                _ => match self.refusal(Doing::Look, &answer) {
                    failure if matches!(failure.fault, Fault::Busy(_) | Fault::Unreachable) => {
                        Err(failure)
                    }
                    _ => Ok(Info::default()),
                },
            },
            Exchange::NotSent(failure) | Exchange::MaybeArrived(failure) => {
                Err(self.known.no_answer(agent, &self.name, &url, failure))
            }
        }
    }
}

/// `/info` stands beside `/v1`: on Ceph that is below `/swift`.
fn info_url(storage_url: &str) -> String {
    let start = storage_url.find("://").map_or(0, |at| at + 3);
    let path = storage_url[start..].find('/').map_or(storage_url.len(), |slash| start + slash);
    let version = storage_url[path..].find("/v1").map_or(path, |at| path + at);
    format!("{}/info", &storage_url[..version])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_stands_beside_the_version() {
        for (storage, info) in [
            ("https://s.example.org/v1/AUTH_lab", "https://s.example.org/info"),
            ("https://c.example.org/swift/v1", "https://c.example.org/swift/info"),
            ("https://v1.example.org:8080/v1/AUTH_v1", "https://v1.example.org:8080/info"),
            ("https://s.example.org", "https://s.example.org/info"),
        ] {
            assert_eq!(info_url(storage), info);
        }
    }

    #[test]
    fn limits_are_read_and_what_is_not_said_is_as_usual() {
        let small = serde_json::json!({
            "swift": { "max_file_size": 1_048_576, "max_object_name_length": 4096 },
            "slo": { "max_manifest_segments": 10 },
            "tempurl": { "methods": ["GET"], "allowed_digests": ["sha1", "sha256"] },
        });
        let expected =
            Info { object_bytes: 1 << 20, segments: 10, temp_urls: true, ..Info::default() };
        assert_eq!(Info::read(&small), expected);
        let old = serde_json::json!({ "swift": {}, "tempurl": { "methods": ["GET"] } });
        assert_eq!(Info::read(&old), Info { segments: 0, ..Info::default() });
    }

    #[test]
    fn bundles_are_for_clusters_that_hand_the_end_on() {
        for (version, bundles) in [
            ("2.38.0", true),
            ("2.24.0", true),
            ("3.0", true),
            ("2.23.1", false),
            ("1.30.0", false),
            ("2", false),
            ("", false),
        ] {
            let told = serde_json::json!({
                "swift": { "version": version }, "bulk_upload": { "max_failed_extractions": 1000 },
            });
            let read = Info::read(&told).bundled;
            assert_eq!(read, bundles.then_some(1000), "{version}");
        }
        let version = serde_json::json!({ "version": "2.38.0" });
        let without = serde_json::json!({ "swift": version });
        assert_eq!(Info::read(&without).bundled, None);
        for (limit, read) in [(serde_json::json!(7), 7), (serde_json::json!(null), 1000)] {
            let limit = serde_json::json!({ "max_failed_extractions": limit });
            let told = serde_json::json!({ "swift": version, "bulk_upload": limit });
            assert_eq!(Info::read(&told).bundled, Some(read));
        }
    }
}
