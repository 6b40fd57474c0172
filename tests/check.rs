//! `check` tells before a long run what would go wrong at its end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends"
)]

mod services;

use notify_pr::check::{Checkup, Finding, Level, check};
use notify_pr::{Report, Status};
use services::Service;
use stand_ins::{Bucket, BucketOptions, Fault};
use tempfile::TempDir;

const HEAD: &str = "0123456789abcdef0123456789abcdef01234567";
const TOKEN: &str = "lab-token";

struct Scene {
    github: stand_ins::GitHub,
    repository: stand_ins::Repository,
    bucket: Bucket,
    outbox: TempDir,
}

impl Scene {
    fn new() -> Scene {
        Scene::with(BucketOptions { lifecycle: true, ..BucketOptions::default() })
    }

    fn with(options: BucketOptions) -> Scene {
        let github = stand_ins::GitHub::start();
        github.token(TOKEN).login("lab-bot").scopes(&["public_repo"]);
        let repository = github.repository("apache", "cloudstack");
        repository.pull_from_fork("contributor", "topic", HEAD);
        let bucket = Bucket::start_with(options);
        Scene { github, repository, bucket, outbox: TempDir::new().unwrap() }
    }

    fn settings(&self) -> Vec<(String, String)> {
        [
            ("api_url", self.github.url().as_str()),
            ("token", TOKEN),
            ("repo", "apache/cloudstack"),
            ("commit", HEAD),
            ("timeout", "20s"),
            ("outbox_dir", self.outbox.path().to_str().unwrap()),
            ("store_api", "s3"),
            ("store_endpoint", self.bucket.url().as_str()),
            ("store_container", "logs"),
            ("store_identity", "example-id"),
            ("store_secret", "example-secret"),
            ("store_lifecycle", "manage"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
    }

    fn check(&self, more: &[(&str, &str)]) -> Checkup {
        let mut report = Report::new();
        for (name, value) in self.settings() {
            report.set(&name, &value).unwrap();
        }
        for (name, value) in more {
            report.set(name, value).unwrap();
        }
        let checkup = check(&mut report);
        for secret in [TOKEN, "example-secret", "wrong secret", "weedsecret"] {
            assert!(!checkup.to_json().contains(secret), "{}", checkup.to_json());
        }
        checkup
    }
}

fn find<'c>(checkup: &'c Checkup, check: &str, level: Level) -> &'c Finding {
    let found = checkup.findings.iter().find(|each| each.check == check && each.level == level);
    found.unwrap_or_else(|| panic!("no {level:?} of {check}: {}", checkup.to_json()))
}

#[test]
fn everything_is_looked_at_and_nothing_is_left_behind() {
    let scene = Scene::new();
    let checkup = scene.check(&[]);
    assert_eq!(checkup.status(), Status::Ok, "{}", checkup.to_json());
    for (name, words) in [
        ("settings", "set"),
        ("token", "lab-bot"),
        ("repository", "apache/cloudstack is public"),
        ("rights", "public_repo"),
        ("pull_request", "the commit is its head"),
        ("store_write", "takes objects"),
        ("store_read", "came back"),
        ("store_delete", "removed"),
        ("expiry", "notify_pr-notify_pr-7d"),
        ("clock", "GitHub"),
        ("clock", "agrees"),
        ("proxy", "none"),
    ] {
        let told = |each: &&Finding| each.check == name && each.text.contains(words);
        let found = checkup.findings.iter().find(told);
        let found = found.unwrap_or_else(|| panic!("{name}: {}", checkup.to_json()));
        assert_eq!(found.level, Level::Ok, "{found:?}");
    }
    let access = find(&checkup, "store_access", Level::Warn);
    assert!(access.text.contains("not verified from outside"), "it is loopback: {access:?}");
    #[cfg(unix)]
    for (compress, is_looked_at) in [("auto", true), ("off", false)] {
        let checkup = scene.check(&[("store_compress", compress)]);
        let of_disks = checkup.findings.iter().filter(|each| each.check == "disk");
        let temporary = of_disks.filter(|each| each.text.contains("temporary files")).count();
        assert_eq!(temporary > 0, is_looked_at, "store_compress = {compress}");
    }
    assert!(scene.bucket.keys().is_empty());
    let written = scene.github.requests();
    let writes = written.iter().filter(|each| {
        !matches!(each.method.as_str(), "GET" | "HEAD") && !each.path().ends_with("graphql")
    });
    assert_eq!(writes.count(), 0, "nothing is commented");
    let json: serde_json::Value = serde_json::from_str(&checkup.to_json()).unwrap();
    assert_eq!(json["status"], 0);
    let first = &json["findings"][0];
    for field in ["check", "level", "status", "text", "advice"] {
        assert!(first.get(field).is_some(), "{field}");
    }
}

/// What is changed, and the check that fails then, its status and words of text or advice.
#[test]
fn what_is_wrong_on_github_is_told_with_its_status() {
    type Change = fn(&Scene);
    type Row = (
        &'static str,
        Change,
        &'static [(&'static str, &'static str)],
        &'static str,
        Status,
        &'static str,
    );
    let table: &[Row] = &[
        ("wrong token", |_| {}, &[("token", "nobody")], "token", Status::GithubRefused, "token"),
        (
            "no scope",
            |scene| drop(scene.github.token(TOKEN).scopes(&[])),
            &[],
            "rights",
            Status::GithubRefused,
            "public_repo",
        ),
        (
            "archived",
            |scene| drop(scene.repository.archived(true)),
            &[],
            "repository",
            Status::GithubRefused,
            "archived",
        ),
        (
            "no such repository",
            |_| {},
            &[("repo", "apache/nothing")],
            "repository",
            Status::GithubRefused,
            "apache/nothing",
        ),
        (
            "unknown commit",
            |_| {},
            &[("commit", "ffffffffffffffffffffffffffffffffffffffff")],
            "pull_request",
            Status::NoPullRequest,
            "no pull request",
        ),
        ("no commit", |_| {}, &[("commit", "")], "settings", Status::BadSetting, "commit"),
    ];
    for (what, change, settings, name, status, words) in table {
        let scene = Scene::new();
        change(&scene);
        let checkup = scene.check(settings);
        let found = find(&checkup, name, Level::Fail);
        assert_eq!(checkup.status(), *status, "{what}: {}", checkup.to_json());
        assert_eq!(found.status, status.code(), "{what}");
        let text = format!("{} {}", found.text, found.advice.clone().unwrap_or_default());
        assert!(text.contains(words), "{what}: {text}");
    }
}

#[test]
fn a_new_name_a_token_that_tells_nothing_and_a_lock_are_warnings() {
    let scene = Scene::new();
    scene.repository.rename("apache", "clouds");
    scene.github.token("fine").login("lab-bot").fine_grained(&[("issues", "write")]);
    let pull = scene.repository.pull_from_fork("contributor", "other", &"a".repeat(40));
    pull.lock();
    let checkup = scene.check(&[("token", "fine"), ("commit", &"a".repeat(40))]);
    assert_eq!(checkup.status(), Status::Ok, "{}", checkup.to_json());
    assert!(find(&checkup, "repository", Level::Warn).text.contains("renamed"));
    assert!(find(&checkup, "rights", Level::Warn).advice.as_ref().unwrap().contains("Issues"));
    assert!(find(&checkup, "pull_request", Level::Warn).text.contains("locked"));
}

#[test]
fn the_pull_request_is_told_as_it_is_now() {
    type Change = fn(&stand_ins::Pull);
    type Row<'r> = (&'r str, Change, &'r [(&'r str, &'r str)], Level, &'r str);
    let table: [Row<'_>; 6] = [
        ("head", |_| (), &[], Level::Ok, "the commit is its head"),
        ("pushed", |pull| drop(pull.push(&"b".repeat(40))), &[], Level::Ok, "no longer its head"),
        ("closed", |pull| drop(pull.close()), &[], Level::Warn, "is closed"),
        ("merged", |pull| drop(pull.merge(&"c".repeat(40))), &[], Level::Warn, "is merged"),
        (
            "closed and forbidden",
            |pull| drop(pull.close()),
            &[("on_closed", "fail")],
            Level::Fail,
            "is closed",
        ),
        (
            "outdated and forbidden",
            |pull| drop(pull.push(&"b".repeat(40))),
            &[("on_outdated", "fail")],
            Level::Fail,
            "head",
        ),
    ];
    for (what, change, settings, level, words) in table {
        let scene = Scene::new();
        change(&scene.repository.pull(1));
        let checkup = scene.check(settings);
        let found = find(&checkup, "pull_request", level);
        assert!(found.text.contains(words), "{what}: {found:?}");
        let status = if level == Level::Fail { Status::RefusedByPolicy } else { Status::Ok };
        assert_eq!(checkup.status(), status, "{what}: {}", checkup.to_json());
    }
}

#[test]
fn credentials_that_end_and_the_disk_of_the_spool_are_told() {
    let scene = Scene::with(BucketOptions { public: true, ..BucketOptions::default() });
    let spool = scene.outbox.path().join("not/yet");
    let checkup = scene.check(&[
        ("store_session_token", "example-session"),
        ("store_session_end", "2026-11-30T12:22:33Z"),
        ("spool_dir", spool.to_str().unwrap()),
    ]);
    let ends = find(&checkup, "store_write", Level::Warn);
    assert!(ends.text.contains("until 2026-11-30 12:22 UTC"), "{ends:?}");
    assert!(!checkup.to_json().contains("example-session"), "{}", checkup.to_json());
    #[cfg(unix)]
    assert!(checkup.findings.iter().any(|each| each.text.contains("for the spool")));
}

#[test]
fn what_is_wrong_with_the_store_is_told_with_its_status() {
    let public = || BucketOptions { lifecycle: true, ..BucketOptions::default() };
    let table: Vec<(&str, BucketOptions, Option<Fault>, &str, &str)> = vec![
        (
            "no bucket",
            BucketOptions { exists: false, ..public() },
            None,
            "store_write",
            "does not exist",
        ),
        (
            "no right to write",
            public(),
            Some(Fault::on("PUT", "").s3(403, "AccessDenied").forever()),
            "store_write",
            "s3:PutObject",
        ),
        (
            "wrong key",
            public(),
            Some(Fault::on("PUT", "").s3(403, "InvalidAccessKeyId").forever()),
            "store_write",
            "store_identity",
        ),
        (
            "https at this address",
            public(),
            Some(
                Fault::on("PUT", "")
                    .respond(
                        stand_ins::Response::new(400)
                            .body("Client sent an HTTP request to an HTTPS server.\n"),
                    )
                    .forever(),
            ),
            "store_write",
            "https://",
        ),
        (
            "nobody can read",
            BucketOptions { public: false, ..public() },
            Some(Fault::on("GET", "X-Amz-Signature").s3(403, "AccessDenied").forever()),
            "store_access",
            "s3:GetObject",
        ),
    ];
    for (what, options, fault, name, words) in table {
        let scene = Scene::with(options);
        if let Some(fault) = fault {
            scene.bucket.fault(fault);
        }
        let checkup = scene.check(&[]);
        let found = find(&checkup, name, Level::Fail);
        assert_eq!(checkup.status(), Status::StoreRefused, "{what}: {}", checkup.to_json());
        let text = format!("{} {}", found.text, found.advice.clone().unwrap_or_default());
        assert!(text.contains(words), "{what}: {text}");
        let puts = scene.bucket.requests().iter().filter(|each| each.method == "PUT").count();
        assert!(puts <= 1 || name == "store_access", "{what}: nothing is tried in vain");
    }
}

#[test]
fn rights_that_are_only_nice_to_have_are_warnings() {
    let scene = Scene::new();
    scene.bucket.fault(Fault::on("DELETE", "").s3(403, "AccessDenied").forever());
    scene.bucket.fault(Fault::on("GET", "lifecycle").s3(403, "AccessDenied").forever());
    let checkup = scene.check(&[]);
    assert_eq!(checkup.status(), Status::Ok, "{}", checkup.to_json());
    assert!(find(&checkup, "store_delete", Level::Warn).text.contains("stays in the store"));
    assert!(find(&checkup, "expiry", Level::Warn).text.contains("rules cannot be read"));
}

#[test]
fn a_public_bucket_is_no_place_for_a_private_repository() {
    let scene = Scene::new();
    scene.github.token(TOKEN).scopes(&["repo"]);
    scene.repository.private(true).member("lab-bot", stand_ins::github::Permission::Write);
    let checkup = scene.check(&[]);
    assert!(find(&checkup, "repository", Level::Ok).text.contains("is private"));
    let found = find(&checkup, "store_access", Level::Fail);
    assert!(found.advice.as_ref().unwrap().contains("store_access = public"), "{found:?}");
    assert_eq!(checkup.status(), Status::StoreRefused);
    assert!(scene.bucket.keys().is_empty());
}

#[test]
fn without_a_pull_request_too_it_is_told_whether_everybody_may_see_the_files() {
    for (private, token, told, level) in [
        (true, TOKEN, "is private", Level::Ok),
        (true, "foreign-token", "counts as private", Level::Warn),
        (false, TOKEN, "is public", Level::Ok),
    ] {
        let scene = Scene::new();
        scene.github.token(TOKEN).scopes(&["repo"]);
        scene.github.token("foreign-token").login("stranger").scopes(&["repo"]);
        scene.repository.private(private);
        scene.repository.member("lab-bot", stand_ins::github::Permission::Write);
        let checkup = scene.check(&[("pull_request", "none"), ("token", token)]);
        let found = find(&checkup, "repository", level);
        assert!(found.text.contains(told), "{found:?}");
        let status = if private { Status::StoreRefused } else { Status::Ok };
        assert_eq!(checkup.status(), status, "{}", checkup.to_json());
        assert!(scene.bucket.keys().is_empty());
    }
    // Who does not say which repository it is asks nobody.
    let scene = Scene::new();
    let checkup = scene.check(&[("pull_request", "none"), ("token", "")]);
    assert_eq!(checkup.status(), Status::Ok, "{}", checkup.to_json());
    assert!(scene.github.requests().is_empty());
}

#[test]
fn what_comes_back_changed_or_not_at_all_and_what_goes_early_are_told() {
    let first_get = || Fault::on("GET", "run.json");
    let other = stand_ins::Response::new(200).header("ETag", "\"1\"").body("something else");
    for (fault, level, words) in [
        (first_get().respond(other), Level::Fail, "something else came back"),
        (first_get().s3(403, "AccessDenied"), Level::Warn, "may not read from the bucket"),
    ] {
        let scene = Scene::new();
        scene.bucket.fault(fault);
        let found = find(&scene.check(&[]), "store_read", level).clone();
        assert!(found.text.contains(words) && found.advice.is_some(), "{found:?}");
        let status = if level == Level::Fail { Status::StoreRefused } else { Status::Ok };
        assert_eq!(found.status, status.code());
    }
    let scene = Scene::new();
    scene.bucket.set_lifecycle(
        "<LifecycleConfiguration><Rule><ID>soon</ID><Filter/><Status>Enabled</Status>\
         <Expiration><Days>2</Days></Expiration></Rule></LifecycleConfiguration>",
    );
    let checkup = scene.check(&[]);
    let early = time::OffsetDateTime::now_utc() + time::Duration::days(2);
    let found = find(&checkup, "expiry", Level::Warn);
    assert!(found.text.contains(&early.date().to_string()), "{found:?}");
    assert!(found.advice.as_ref().unwrap().contains("store_expire_days"), "{found:?}");
}

#[test]
fn proxies_are_told_without_their_passwords() {
    let scene = Scene::new();
    let proxy = "http://bot:pass-of-proxy@proxy.example.org:3128";
    let checkup = scene.check(&[("https_proxy", proxy), ("no_proxy", ".example.org")]);
    let found = find(&checkup, "proxy", Level::Ok);
    let told = found.text.contains("proxy.example.org:3128") && found.text.contains("no_proxy");
    assert!(told, "{found:?}");
    assert!(!checkup.to_json().contains("pass-of-proxy"), "{}", checkup.to_json());
}

#[test]
fn a_clock_that_is_off_is_noticed() {
    let scene = Scene::new();
    scene.bucket.set_clock_ahead(3600);
    let checkup = scene.check(&[]);
    assert!(find(&checkup, "clock", Level::Warn).text.contains("that of the store differ"));
    assert_eq!(checkup.status(), Status::Ok, "{}", checkup.to_json());
    let scene = Scene::new();
    let past = time::OffsetDateTime::now_utc().unix_timestamp() - 3600;
    scene.github.set_time(u64::try_from(past).ok());
    let checkup = scene.check(&[]);
    assert!(find(&checkup, "clock", Level::Warn).text.contains("that of GitHub differ"));
}

#[test]
fn a_dry_run_leaves_the_store_alone() {
    let scene = Scene::new();
    let checkup = scene.check(&[("dry_run", "true")]);
    assert_eq!(checkup.status(), Status::Ok);
    assert!(scene.bucket.requests().is_empty());
}

#[test]
fn the_command_prints_a_line_for_each_and_ends_with_the_status_of_the_worst() {
    let scene = Scene::new();
    let run = |more: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_notify_pr"));
        command.env_clear().current_dir(scene.outbox.path()).arg("check");
        for (name, value) in scene.settings() {
            if name.contains("secret") || name == "token" {
                command.env(format!("NOTIFY_PR_{}", name.to_ascii_uppercase()), value);
            } else {
                command.arg(format!("--{}", name.replace('_', "-"))).arg(value);
            }
        }
        let output = command.args(more).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, text) = run(&[]);
    assert_eq!(status, Some(0), "{text}");
    assert!(
        text.lines().any(|line| line.starts_with("ok   token         valid, of lab-bot")),
        "{text}"
    );
    scene.repository.archived(true);
    let (status, text) = run(&["--json"]);
    assert_eq!(status, Some(31), "{text}");
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["status"], 31);
}

// --- real servers --------------------------------------------------------------------------------

fn on_real_servers(service: &Service) {
    let scene = Scene::new();
    let endpoint = ("store_endpoint", service.endpoint.as_str());
    let identity = ("store_identity", service.access_key.as_str());
    let secret = ("store_secret", service.secret_key.as_str());
    let good = [endpoint, identity, secret, ("store_create", "true")];
    let checkup = scene.check(&good);
    assert_eq!(checkup.status(), Status::Ok, "{}", checkup.to_json());
    find(&checkup, "store_delete", Level::Ok);
    for (change, words) in [
        (("store_secret", "wrong secret"), "store_secret"),
        (("store_identity", "nobody"), "store_"),
        (("store_container", "no-such-bucket"), "does not exist"),
    ] {
        let bad = [endpoint, identity, secret, ("store_create", "false"), change];
        let checkup = scene.check(&bad);
        let found = find(&checkup, "store_write", Level::Fail);
        let text = format!("{} {}", found.text, found.advice.clone().unwrap_or_default());
        assert!(text.contains(words), "{text}");
        assert_eq!(checkup.status(), Status::StoreRefused);
    }
}

#[test]
fn seaweedfs_is_checked_as_it_is() {
    let Some(service) = services::seaweedfs() else { return };
    on_real_servers(&service);
    let reader = [
        ("store_endpoint", service.endpoint.as_str()),
        ("store_container", "logs"),
        ("store_identity", "weedreader"),
        ("store_secret", "weedreadersecret"),
    ];
    let checkup = Scene::new().check(&reader);
    let found = find(&checkup, "store_write", Level::Fail);
    assert!(found.advice.as_ref().unwrap().contains("s3:PutObject"), "{found:?}");
}

#[test]
fn swifts_s3_is_checked_as_it_is() {
    let Some(service) = services::swift() else { return };
    on_real_servers(&service);
}
