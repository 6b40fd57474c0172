//! Users who have not all rights: what they are told is what they lack, and the advice helps.

use notify_pr::store::{Fault as Outcome, StoreError};
use stand_ins::{Fault, Response, Swift};

use super::client::{Auth, Client, DAY, Made, application_credential, store, token_of};
use super::cluster::cluster;
use super::faults::{login, try_put};

/// Looks at what a refusal says, of which only the first part may be published.
fn assert_told(refused: &StoreError, what: &str, advice: &[&str]) {
    assert_eq!(refused.fault, Outcome::Refused, "{refused}");
    assert_eq!(refused.error.what(), what);
    let told = refused.error.advice().unwrap();
    advice.iter().for_each(|words| assert!(told.contains(words), "{words} is not in: {told}"));
    let text = refused.to_string();
    for secret in ["right-secret", "testing3", "reader-secret", "app-secret", "token-"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn each_refusal_names_what_was_refused_to_whom_and_who_gives_the_right() {
    for (version, all, listed) in [
        ("v3", "give the user lab:bot the role member in the project", "<project id>:<user id>"),
        ("v2.0", "give the user lab:bot the role member in the project", "<project id>:<user id>"),
        ("auth/v1.0", "give the user lab:bot all rights in the account (.admin", "lab:bot"),
    ] {
        let stand_in = Swift::start();
        let endpoint = stand_in.endpoint(version);
        let public = [("store_create", "true"), ("store_access", "public")];
        let made = login(&endpoint, &public);
        made.put("a.log", b"text", DAY);
        let trouble = |method: &str, path: &str| {
            let refused = Response::html(403).header("X-Trans-Id", "tx1");
            stand_in.server.fault(Fault::on(method, path).respond(refused));
        };
        let write = format!("write ACL (X-Container-Write), as `swift post --write-acl '{listed}'");
        trouble("PUT", "/a.log");
        let refused = try_put(&made, "a.log", b"text").unwrap_err();
        let what = "the user may not store objects in container notify-pr";
        assert_told(&refused, what, &[all, &write]);
        assert!(!refused.to_string().contains("X-Trans-Id"), "{refused}");
        trouble("HEAD", "/a.log");
        let refused = made.store.delete("a.log").unwrap_err();
        let read = format!("read ACL (X-Container-Read), as `swift post --read-acl '{listed}'");
        let what = "the user may not read objects in container notify-pr";
        assert_told(&refused, what, &[all, &read, ".rlistings in it are for everybody"]);
        trouble("DELETE", "/a.log");
        let refused = made.store.delete("a.log").unwrap_err();
        let what = "the user may not remove objects from container notify-pr";
        assert_told(&refused, what, &[all, &write]);
        trouble("GET", "format=json");
        let refused = made.store.list("", None).unwrap_err();
        assert_told(&refused, "the user may not list container notify-pr", &[all, &read]);
        // The container, which is made by the first object, and opened.
        let [create, access] = public;
        let made = login(&endpoint, &[create, access, ("store_container", "new")]);
        trouble("PUT", "/AUTH_lab/new");
        stand_in.server.fault(Fault::on("PUT", "/AUTH_lab/new/").html(404));
        trouble("PUT", "/AUTH_lab/new");
        let refused = try_put(&made, "a.log", b"text").unwrap_err();
        assert_told(&refused, "the user may not store objects in container new", &[all]);
        let refused = try_put(&made, "a.log", b"text").unwrap_err();
        let what = "container new does not exist, and the user may not make it";
        assert_told(&refused, what, &[all, "--write-acl"]);
        trouble("POST", "/AUTH_lab/new");
        let refused = try_put(&made, "a.log", b"text").unwrap_err();
        let what = "the user may not change who reads container new";
        assert_told(&refused, what, &[all, "no ACL gives this right"]);
    }
}

#[test]
fn a_refusal_that_is_none_of_swift_s_own_is_suspected_to_come_from_something_in_between() {
    let stand_in = Swift::start();
    let endpoint = stand_in.endpoint("v3");
    let made = login(&endpoint, &[]);
    stand_in.server.fault(Fault::on("PUT", "/v1/").html(403));
    let refused = try_put(&made, "a.log", b"text").unwrap_err();
    assert!(refused.to_string().contains("something in between"), "{refused}");
}

#[test]
fn where_the_settings_of_the_container_are_not_shown_that_is_said_beside_how_links_are_opened() {
    let stand_in = Swift::start();
    let endpoint = stand_in.endpoint("v3");
    let made = login(&endpoint, &[]);
    made.put("a.log", b"text", DAY);
    assert!(!made.store.how_to_publish().contains("may not see"));
    stand_in.server.fault(Fault::on("HEAD", "/v1/").html(403).forever());
    made.store.ways();
    let advice = made.store.how_to_publish();
    for words in ["swift post --read-acl", "the user lab:bot may not see the settings"] {
        assert!(advice.contains(words), "{advice}");
    }
}

/// What is advised for a user without any right helps step by step.
fn advice_helps(made: &Made, owner: &Client, container: &str, listed: &str, all: &str) {
    let allow = |list: &str| {
        let given = owner.ask("POST", container, &[(list, listed)]);
        assert_eq!(given.status, 204, "{listed}: {}", given.text());
    };
    let refused = try_put(made, "a.log", b"text").unwrap_err();
    let what = format!("the user may not store objects in container {container}");
    assert_told(&refused, &what, &[all, "X-Container-Write"]);
    assert!(!refused.to_string().contains("X-Trans-Id"), "{refused}");
    allow("x-container-write");
    made.put("a.log", b"text", DAY);
    let refused = made.store.list("", None).unwrap_err();
    let what = format!("the user may not list container {container}");
    assert_told(&refused, &what, &[all, "X-Container-Read"]);
    made.store.ways();
    assert!(made.store.how_to_publish().contains("may not see the settings"));
    allow("x-container-read");
    assert_eq!(made.store.list("", None).unwrap().objects.len(), 1);
    made.store.delete("a.log").unwrap();
    assert!(owner.names(container).is_empty());
}

#[test]
fn what_a_user_of_a_real_swift_is_advised_who_may_do_nothing_helps() {
    let Some(cluster) = cluster() else { return };
    let owner = Auth::V1.client(cluster);
    owner.ask("PUT", "no-rights", &[]);
    let tester = [("store_identity", "test:tester3"), ("store_secret", "testing3")];
    let made = store(&replaced(Auth::V1.settings(cluster, "no-rights", &[]), &tester));
    advice_helps(
        &made,
        &owner,
        "no-rights",
        "test:tester3",
        "give the user test:tester3 all rights",
    );

    let owner = Auth::V3.client(cluster);
    owner.ask("PUT", "no-rights", &[]);
    let reader = [("store_identity", "ci-project:ci-reader"), ("store_secret", "reader-secret")];
    let made = store(&replaced(Auth::V3.settings(cluster, "no-rights", &[]), &reader));
    let said = token_of(cluster, "ci-reader", "reader-secret").1;
    let id = |of: &str| said["token"][of]["id"].as_str().unwrap();
    let listed = format!("{}:{}", id("project"), id("user"));
    let all = "give the user ci-project:ci-reader the role member in the project";
    advice_helps(&made, &owner, "no-rights", &listed, all);
}

#[test]
fn an_application_credential_without_rights_is_to_be_replaced() {
    let Some(cluster) = cluster() else { return };
    let id = application_credential(cluster, "ci-reader", "reader-secret");
    let mut settings = Auth::V3.settings(cluster, "no-rights-either", &[]);
    settings.retain(|(name, _)| !["store_identity", "store_secret"].contains(name));
    settings.extend([("store_credential_id", id.as_str()), ("store_secret", "app-secret")]);
    let refused = try_put(&store(&settings), "a.log", b"text").unwrap_err();
    let what = "the application credential may not store objects in container no-rights-either";
    let instead = format!("in place of the application credential {id} use one that has");
    assert_told(&refused, what, &[&instead, "<project id>:<user id>"]);
}

fn replaced<'a>(
    mut settings: Vec<(&'a str, &'a str)>,
    others: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    settings.retain(|(name, _)| others.iter().all(|(other, _)| other != name));
    settings.extend(others);
    settings
}
