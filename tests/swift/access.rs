//! Which way the public reads from a real cluster, and what `check` says of it.

use notify_pr::check::{Level, check};
use notify_pr::links;
use notify_pr::store::{Access, MARKER, Removal};
use notify_pr::{Report, Status};

use super::client::{Auth, DAY, store};
use super::cluster::{Cluster, cluster};

/// Deep enough that the folder is one run's own.
const RUN: &str = "notify_pr/7d/2026-11-23/apache/cloudstack/pr-1/0123456789abcdef";

#[test]
fn links_are_decided_by_what_opens() {
    let Some(cluster) = cluster() else { return };
    let key = format!("{RUN}/{MARKER}");
    for auth in Auth::BOTH {
        for (container, access, read, expected, listed) in [
            ("decide-private", "auto", "", Access::Signed, false),
            ("decide-public", "auto", ".r:*", Access::Public, false),
            ("decide-listed", "auto", ".r:*,.rlistings", Access::Public, true),
            ("decide-signed", "signed", ".r:*", Access::Signed, false),
        ] {
            let client = auth.client(cluster);
            client.ask(
                "PUT",
                container,
                &[
                    ("x-container-read", read),
                    ("x-container-meta-temp-url-key", "key-of-the-container"),
                ],
            );
            let made = store(&auth.settings(cluster, container, &[("store_access", access)]));
            made.put(&key, b"{}", DAY);
            let decided = links::decide(&made.submission, &*made.store, &key, false).unwrap();
            assert_eq!(decided.access, Some(expected), "{auth:?} {container}");
            let warned = made.warnings().contains("can list the container");
            assert_eq!(warned, listed, "{auth:?} {container}: {}", made.warnings());
            assert_eq!(made.store.expiry().unwrap().removal, Removal::EachObject);
            // What belongs to a private repository goes only where nobody else can look.
            let private = links::decide(&made.submission, &*made.store, &key, true);
            assert_eq!(private.is_err(), !read.is_empty(), "{auth:?} {container}");
        }
    }
}

#[test]
fn without_any_way_the_operator_is_told_the_command() {
    let Some(cluster) = cluster() else { return };
    let key = format!("{RUN}/{MARKER}");
    let auth = Auth::V3;
    auth.client(cluster).ask("PUT", "no-way", &[]);
    let made = store(&auth.settings(cluster, "no-way", &[]));
    made.put(&key, b"{}", DAY);
    let decided = links::decide(&made.submission, &*made.store, &key, false).unwrap();
    assert_eq!(decided.access, None);
    assert_eq!(decided.caution.as_deref(), Some("The logs are not public"));
    assert!(made.warnings().contains("swift post --read-acl '.r:*' no-way"), "{}", made.warnings());
}

fn checked(
    cluster: &Cluster,
    auth: Auth,
    container: &str,
    more: &[(&str, &str)],
) -> (Status, String) {
    let mut report = Report::new();
    for (name, value) in [
        ("store_api", "swift"),
        ("pull_request", "none"),
        ("repo", "apache/cloudstack"),
        ("commit", "0123456789abcdef0123456789abcdef01234567"),
    ] {
        report.set(name, value).unwrap();
    }
    for (name, value) in auth.settings(cluster, container, more) {
        report.set(name, value).unwrap();
    }
    let checkup = check(&mut report);
    let secret = cluster.variable("OS_PASSWORD");
    assert!(!checkup.to_json().contains(secret), "{}", checkup.to_json());
    if checkup.status() == Status::Ok {
        let gone = checkup
            .findings
            .iter()
            .any(|each| each.check == "store_delete" && each.level == Level::Ok);
        assert!(gone, "{}", checkup.to_json());
    }
    (checkup.status(), checkup.to_json())
}

#[test]
fn check_tells_bad_settings_from_each_other_before_anything_is_uploaded() {
    let Some(cluster) = cluster() else { return };
    let public = [("store_create", "true"), ("store_access", "public")];
    for auth in Auth::BOTH {
        let (status, text) = checked(cluster, auth, "checked", &public);
        assert_eq!(status, Status::Ok, "{auth:?}: {text}");
        assert!(auth.client(cluster).names("checked").is_empty(), "nothing is left");
        for (more, words) in [
            (&[("store_secret", "not the password")][..], "store_secret"),
            (&[("store_container", "nowhere-at-all")], "store_create"),
        ] {
            let (status, text) = checked(cluster, auth, "checked", more);
            assert_eq!(status, Status::StoreRefused, "{auth:?} {more:?}: {text}");
            assert!(text.contains(words), "{auth:?} {more:?}: {text}");
        }
    }
    let reader = ("store_identity", "ci-project:ci-reader");
    for (more, words) in [
        (&[("store_identity", "no-project:ci-user")][..], "store_identity"),
        (&[("store_identity", "ci-project:nobody")], "store_identity"),
        (&[reader, ("store_secret", "reader-secret")], "the role member in the project"),
    ] {
        let (status, text) = checked(cluster, Auth::V3, "checked", more);
        assert_eq!(status, Status::StoreRefused, "{more:?}: {text}");
        assert!(text.contains(words), "{more:?}: {text}");
    }
}
