//! Logins on a real Keystone and TempAuth: who gets in, and what everybody else is told.

use notify_pr::settings::{Environment, Origin, Settings};
use notify_pr::store::Fault;

use super::client::{Auth, DAY, application_credential, settled, store, token_of};
use super::cluster::{Cluster, cluster};

/// The settings of a good login with some in place of its own; empty ones are left out.
fn with<'a>(
    cluster: &'a Cluster,
    auth: Auth,
    pairs: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let mut settings = auth.settings(cluster, "identity", &[("store_create", "true")]);
    settings.retain(|(name, _)| pairs.iter().all(|(other, _)| other != name));
    settings.extend(pairs.iter().filter(|(_, value)| !value.is_empty()));
    settings
}

/// Puts an object with these settings, which come on top of a good login.
fn works(cluster: &Cluster, auth: Auth, pairs: &[(&str, &str)]) {
    let settings = with(cluster, auth, pairs);
    store(&settings).put("a.log", b"x", DAY);
}

/// What is said instead, which must name no secret and come from the first request on.
fn refused(cluster: &Cluster, auth: Auth, pairs: &[(&str, &str)]) -> String {
    let settings = with(cluster, auth, pairs);
    let mut made = store(&settings);
    let mut failure = made.store.prepare().unwrap_err();
    // Keystone's SQLite file may be locked by another test for a moment.
    for _ in 0..20 {
        if failure.fault == Fault::Refused {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(250));
        made = store(&settings);
        failure = made.store.prepare().unwrap_err();
    }
    assert_eq!(failure.fault, Fault::Refused, "{failure}");
    let text = failure.to_string();
    for secret in ["ci-secret", "testing", "wrong-secret"] {
        assert!(!text.contains(secret), "{text}");
    }
    // Asking again costs nothing and changes nothing.
    let requests = made.requests();
    assert_eq!(made.store.prepare().unwrap_err().to_string(), text);
    assert_eq!(made.requests(), requests);
    text
}

#[test]
fn every_way_of_naming_user_project_and_version_gets_in() {
    let Some(cluster) = cluster() else { return };
    let keystone = cluster.variable("OS_AUTH_URL");
    let bare = keystone.trim_end_matches("/v3");
    let who = token_of(cluster, "ci-user", "ci-secret").1;
    let user = who["token"]["user"]["id"].as_str().unwrap();
    let project = who["token"]["project"]["id"].as_str().unwrap();
    let ids = format!("{project}:{user}");
    works(cluster, Auth::V1, &[]);
    for pairs in [
        &[][..],
        &[("store_endpoint", bare)],
        &[("store_endpoint", &format!("{bare}/"))],
        &[("store_endpoint", &format!("{keystone}/auth/tokens"))],
        &[("store_identity", "Default/ci-project:ci-user")],
        &[("store_identity", "default/ci-project:ci-user")],
        &[("store_identity", &ids)],
        &[("store_user_domain", "default"), ("store_project_domain", "Default")],
        &[("store_region", "RegionOne")],
        &[("store_interface", "internal")],
    ] {
        works(cluster, Auth::V3, pairs);
    }
}

#[test]
fn an_application_credential_gets_in_without_a_project() {
    let Some(cluster) = cluster() else { return };
    let id = application_credential(cluster, "ci-user", "ci-secret");
    let id = id.as_str();
    let good =
        [("store_identity", ""), ("store_credential_id", id), ("store_secret", "app-secret")];
    works(cluster, Auth::V3, &good);
    let bad = [("store_credential_id", id), ("store_secret", "wrong-secret")];
    let text = refused(cluster, Auth::V3, &bad);
    assert!(text.contains("application credential") && text.contains("expired"), "{text}");
}

#[test]
fn the_credentials_of_openstacks_own_programs_get_in() {
    let Some(cluster) = cluster() else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = cluster.variable("OS_AUTH_URL");
    let clouds = format!(
        "clouds:\n  lab:\n    region_name: RegionOne\n    interface: public\n    auth:\n      \
         auth_url: {url}\n      username: ci-user\n      project_name: ci-project\n      \
         user_domain_name: Default\n      project_domain_id: default\n"
    );
    std::fs::write(folder.path().join("clouds.yaml"), clouds).unwrap();
    let secure = "clouds: {lab: {auth: {password: ci-secret}}}\n";
    std::fs::write(folder.path().join("secure.yaml"), secure).unwrap();
    let variables = [
        ("OS_AUTH_URL", url),
        ("OS_USERNAME", "ci-user"),
        ("OS_PASSWORD", "ci-secret"),
        ("OS_PROJECT_NAME", "ci-project"),
        ("OS_REGION_NAME", "RegionOne"),
    ];
    for pairs in [&[("OS_CLOUD", "lab")][..], &variables] {
        let mut settings = Settings::new();
        for (name, value) in
            [("store_api", "swift"), ("store_container", "identity"), ("store_create", "true")]
        {
            settings.set(name, value, Origin::Api).unwrap();
        }
        let environment = Environment::from_pairs(pairs.iter().copied(), folder.path());
        settings.load_environment(&environment).unwrap();
        settings.settle(&mut std::io::empty()).unwrap();
        settled(settings).unwrap().put("b.log", b"x", DAY);
    }
}

#[test]
fn a_login_that_fails_says_which_part_is_wrong() {
    let Some(cluster) = cluster() else { return };
    let keystone = cluster.variable("OS_AUTH_URL");
    let bare = keystone.trim_end_matches("/v3");
    for (auth, pairs, words) in [
        (Auth::V1, &[("store_secret", "wrong-secret")][..], &["not accepted", "store_secret"][..]),
        (Auth::V3, &[("store_secret", "wrong-secret")], &["secret is wrong", "ci-user"]),
        (Auth::V3, &[("store_user_domain", "elsewhere")], &["domain elsewhere"]),
        (Auth::V3, &[("store_identity", "nope:ci-user")], &["project nope", "ci-project"]),
        (Auth::V3, &[("store_project_domain", "elsewhere")], &["project ci-project", "elsewhere"]),
        (Auth::V3, &[("store_identity", "ci-user")], &["name a project", "ci-project"]),
        (Auth::V3, &[("store_region", "Mars")], &["region Mars", "RegionOne"]),
        (
            Auth::V3,
            &[("store_endpoint", &format!("{bare}/v2.0"))],
            &["give the address of Keystone"],
        ),
        (
            Auth::V3,
            &[("store_endpoint", cluster.variable("SWIFT_S3_ENDPOINT"))],
            &["give the address of Keystone"],
        ),
    ] {
        let text = refused(cluster, auth, pairs);
        for word in words {
            assert!(text.contains(word), "{pairs:?}: {text}");
        }
    }
}
