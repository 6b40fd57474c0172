//! Who can read: containers that are made, containers that are there, and signed links.

use notify_pr::store::{Access, Fault};
use time::OffsetDateTime;

use super::client::{Auth, DAY, anonymous, body, login, meta, store};
use super::cluster::cluster;

/// Deep enough that the folder is one run's own.
const RUN: &str = "notify_pr/7d/2026-11-23/apache/cloudstack/pr-1/0123456789abcdef";

#[test]
fn a_public_container_is_readable_by_name_and_not_listable() {
    let Some(cluster) = cluster() else { return };
    for auth in Auth::BOTH {
        let more = [("store_create", "true"), ("store_access", "public")];
        let made = store(&auth.settings(cluster, "public", &more));
        made.put("run/a.log", b"for everyone", DAY);
        assert_eq!(made.store.ways(), [Access::Public]);
        let until = made.submission.started + time::Duration::DAY;
        let link = made.store.link("run/a.log", Access::Public, until).unwrap();
        let seen = anonymous(&link);
        assert_eq!((seen.status, seen.text().as_str()), (200, "for everyone"), "{link}");
        let client = auth.client(cluster);
        assert_eq!(anonymous(&format!("{}/public", client.account)).status, 401);
        let read = client.ask("HEAD", "public", &[]).header("x-container-read").to_owned();
        assert_eq!(read, ".r:*");
    }
}

#[test]
fn many_threads_that_find_no_container_make_one() {
    let Some(cluster) = cluster() else { return };
    for auth in Auth::BOTH {
        let more = [("store_create", "true"), ("store_access", "public")];
        let made = store(&auth.settings(cluster, "at-once", &more));
        std::thread::scope(|scope| {
            for n in 0..16 {
                let made = &made;
                scope.spawn(move || made.put(&format!("{n}.log"), b"x", DAY));
            }
        });
        assert_eq!(auth.client(cluster).names("at-once").len(), 16);
        // A login, the container and its rights, and at worst a miss and the object for each.
        assert!(made.requests() <= 1 + 2 + 16 + 16, "{}", made.requests());
    }
}

#[test]
fn a_container_is_made_only_when_that_is_allowed() {
    let Some(cluster) = cluster() else { return };
    for auth in Auth::BOTH {
        let made = store(&auth.settings(cluster, "not-there", &[("store_access", "public")]));
        let failure = made.store.put("a.log", &body(b"x"), &meta(DAY), &|_| true).unwrap_err();
        assert_eq!(failure.fault, Fault::NotFound);
        let text = failure.to_string();
        assert!(text.contains("not-there") && text.contains("store_create"), "{text}");
        assert_eq!(made.store.list("", None).unwrap_err().fault, Fault::NotFound);
        assert_eq!(auth.client(cluster).ask("HEAD", "not-there", &[]).status, 404);
    }
}

#[test]
fn an_existing_container_is_left_as_it_is_and_its_key_signs_links() {
    let Some(cluster) = cluster() else { return };
    for auth in Auth::BOTH {
        let client = auth.client(cluster);
        let key = [("x-container-meta-temp-url-key", "a-key-of-the-operator")];
        assert_eq!(client.ask("PUT", "private", &key).status, 201);
        let more = [("store_create", "true"), ("store_access", "public")];
        store(&auth.settings(cluster, "private", &more)).put("seen.log", b"x", DAY);
        let made = store(&auth.settings(cluster, "private", &[("store_create", "true")]));
        let name = format!("{RUN}/logs/a b ü.log");
        let page = format!("{RUN}/index.html");
        made.put(&name, b"for some", DAY);
        made.put(&page, b"a page", DAY);
        made.put("shallow.log", b"alone", DAY);
        let until = made.submission.started + time::Duration::DAY;
        let plain = made.store.link(&name, Access::Public, until).unwrap();
        assert_eq!(anonymous(&plain).status, 401);
        assert_eq!(made.store.ways(), [Access::Signed]);
        let signed = made.store.link(&name, Access::Signed, until).unwrap();
        let seen = anonymous(&signed);
        assert_eq!((seen.status, seen.text().as_str()), (200, "for some"), "{signed}");
        assert!(!seen.header("content-disposition").starts_with("attachment"));
        assert!(!signed.contains("a-key-of-the-operator"));
        // The query of the page opens what is below the page, and nothing else.
        let page = made.store.link(&page, Access::Signed, until).unwrap();
        let query = page.split_once('?').unwrap().1;
        assert_eq!(anonymous(&format!("{plain}?{query}")).status, 200);
        let shallow = made.store.link("shallow.log", Access::Public, until).unwrap();
        assert_eq!(anonymous(&format!("{shallow}?{query}")).status, 401);
        let shallow = made.store.link("shallow.log", Access::Signed, until).unwrap();
        assert_eq!(anonymous(&shallow).text(), "alone");
        assert_eq!(anonymous(&shallow.replace("shallow", "seen")).status, 401);
        let past = made.store.link(&name, Access::Signed, until - time::Duration::days(3)).unwrap();
        assert_eq!(anonymous(&past).status, 401);
        let after = client.ask("HEAD", "private", &[]);
        assert_eq!(after.header("x-container-read"), "");
        assert_eq!(after.header("x-container-meta-temp-url-key"), "a-key-of-the-operator");
    }
}

#[test]
fn a_private_container_that_is_made_gets_a_key_and_is_not_public() {
    let Some(cluster) = cluster() else { return };
    for auth in Auth::BOTH {
        let settings = auth.settings(cluster, "made-private", &[("store_create", "true")]);
        let made = store(&settings);
        made.put("run/a.log", b"for some", DAY);
        let until = made.submission.started + time::Duration::DAY;
        let plain = made.store.link("run/a.log", Access::Public, until).unwrap();
        assert_eq!(anonymous(&plain).status, 401);
        // The one who made it and the ones who come later sign with the same key.
        for made in [made, store(&settings)] {
            assert_eq!(made.store.ways(), [Access::Signed]);
            let signed = made.store.link("run/a.log", Access::Signed, until).unwrap();
            assert_eq!(anonymous(&signed).text(), "for some");
        }
    }
}

#[test]
fn a_private_container_without_a_key_has_no_links_at_all() {
    let Some(cluster) = cluster() else { return };
    for auth in Auth::BOTH {
        auth.client(cluster).ask("PUT", "no-key", &[]);
        let made = store(&auth.settings(cluster, "no-key", &[]));
        made.put("a.log", b"x", DAY);
        assert_eq!(made.store.ways(), []);
        let refused =
            made.store.link("a.log", Access::Signed, OffsetDateTime::now_utc()).unwrap_err();
        assert!(refused.to_string().contains("Temp-URL-Key"), "{refused}");
        let more = [("store_public_url", "https://logs.example.org")];
        let served = store(&auth.settings(cluster, "no-key", &more));
        assert_eq!(served.store.ways(), [Access::Public]);
    }
}

#[test]
fn what_is_public_already_is_used_as_it_is() {
    let Some(cluster) = cluster() else { return };
    for auth in Auth::BOTH {
        let rights = [("x-container-read", ".r:*,.rlistings")];
        auth.client(cluster).ask("PUT", "open", &rights);
        let made = store(&auth.settings(cluster, "open", &[("store_create", "true")]));
        made.put("a.log", b"x", DAY);
        assert_eq!(made.store.ways(), [Access::Public]);
        let signed = [("store_access", "signed")];
        assert_eq!(store(&auth.settings(cluster, "open", &signed)).store.ways(), []);
    }
}

#[test]
fn the_key_of_the_account_signs_where_the_container_has_none() {
    let Some(cluster) = cluster() else { return };
    let mut settings = Auth::V1.settings(cluster, "account-key", &[("store_create", "true")]);
    settings.extend([("store_identity", "admin:admin"), ("store_secret", "admin")]);
    let client = login(cluster.variable("SWIFT_V1_AUTH"), "admin:admin", "admin");
    client.ask("POST", "", &[("x-account-meta-temp-url-key", "key-of-the-account")]);
    client.ask("PUT", "account-key", &[]);
    let made = store(&settings);
    made.put("a.log", b"for some", DAY);
    assert_eq!(made.store.ways(), [Access::Signed]);
    let until = made.submission.started + time::Duration::DAY;
    let signed = made.store.link("a.log", Access::Signed, until).unwrap();
    assert_eq!(anonymous(&signed).text(), "for some");
}

#[test]
fn links_begin_with_the_public_url_where_one_is_set() {
    let Some(cluster) = cluster() else { return };
    let more = [("store_public_url", "https://logs.example.org/x/")];
    let made = store(&Auth::V1.settings(cluster, "cdn", &more));
    let link = made.store.link("a/b c.log", Access::Public, OffsetDateTime::now_utc()).unwrap();
    assert_eq!(link, "https://logs.example.org/x/a/b%20c.log");
    assert_eq!(made.requests(), 0);
}
