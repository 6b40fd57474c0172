//! What is decided when everything is loaded.

use super::{environment_of, load, message, settled};
use notify_pr::error::Result;
use notify_pr::settings::{Origin, Settings};
use notify_pr::status::{Stage, Status};

pub(super) fn with_input(mut settings: Settings, mut input: &[u8]) -> Result<Settings> {
    settings.settle(&mut input).map(|()| settings)
}

fn set(pairs: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::new();
    for (name, value) in pairs {
        settings.set(name, value, Origin::Api).unwrap();
    }
    settings
}

fn refused(pairs: &[(&str, &str)]) -> String {
    settled(set(pairs)).unwrap_err().to_string()
}

#[test]
fn a_secret_is_read_from_a_file_or_from_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, " example-token\r\n").unwrap();
    let settings = settled(set(&[("token_file", file.to_str().unwrap())])).unwrap();
    assert_eq!(settings.text("token"), Some("example-token"));
    assert_eq!(settings.origin("token"), Some(&Origin::Api));
    assert_eq!(settings.secrets(), ["example-token"]);

    let settings = with_input(set(&[("store_secret_file", "-")]), b"p%ss;w#rd = x\n").unwrap();
    assert_eq!(settings.text("store_secret"), Some("p%ss;w#rd = x"));
    // Standard input has an end: it is not read again.
    let settings = settled(settings).unwrap();
    assert_eq!(settings.text("store_secret"), Some("p%ss;w#rd = x"));
}

#[test]
fn another_file_takes_the_place_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["one", "two"] {
        std::fs::write(path(name), name).unwrap();
    }
    let mut settings = settled(set(&[("token_file", &path("one"))])).unwrap();
    settings.set("token_file", &path("two"), Origin::CommandLine).unwrap();
    let mut settings = settled(settings).unwrap();
    assert_eq!(settings.text("token"), Some("one"), "the command line is weaker");
    settings.set("token_file", &path("two"), Origin::Api).unwrap();
    assert_eq!(settled(settings).unwrap().text("token"), Some("two"));
}

#[test]
fn a_file_without_a_secret_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let path = file.to_str().unwrap();
    let settings = || set(&[("token_file", path)]);
    let error = settled(settings()).unwrap_err();
    assert_eq!(error.status(), Status::BadFile);
    let start = format!("token_file: token_file cannot be read from {path} (");
    assert!(error.to_string().starts_with(&start), "{error}");
    assert_eq!(error.advice(), Some("name a readable file that holds nothing but the secret"));
    for (content, what) in [
        (&b" \n"[..], format!("token_file: {path} holds no text")),
        (b"two words", format!("token_file: {path} holds more than one secret of one line")),
        (&[b'x'; 70_000], format!("token_file: {path} holds more than one secret of one line")),
    ] {
        std::fs::write(&file, content).unwrap();
        let error = settled(settings()).unwrap_err();
        assert_eq!(error.status(), Status::BadFile);
        assert_eq!(error.what(), what);
        assert_eq!(error.advice(), Some("write the secret into it, alone, as UTF-8"));
        assert!(!error.to_string().contains("words"), "{error}");
    }
    let error = with_input(set(&[("token_file", "-")]), b"").unwrap_err();
    assert_eq!(error.what(), "token_file: standard input holds no text");
}

#[test]
fn a_secret_and_its_file_in_the_same_place_contradict_each_other() {
    let error = settled(load("token = a\ntoken_file = b\n").unwrap()).unwrap_err();
    assert_eq!(error.what(), "token and token_file are both set");
    assert!(
        message(&error)
            .ends_with("run.ini:2: token and token_file are both set; remove one of the two")
    );
    assert!(error.place().unwrap().contains("run.ini:1, "));

    // In different places the stronger one counts, and the file is not even read.
    let mut settings = load("token_file = /does/not/exist\n").unwrap();
    settings.set("token", "example-token", Origin::CommandLine).unwrap();
    assert_eq!(settled(settings).unwrap().text("token"), Some("example-token"));
    let mut settings = load("token = weaker\n").unwrap();
    settings.set("token_file", "-", Origin::CommandLine).unwrap();
    assert_eq!(with_input(settings, b"stronger").unwrap().text("token"), Some("stronger"));
}

#[test]
fn standard_input_is_read_for_one_setting_only() {
    assert_eq!(
        refused(&[("token_file", "-"), ("summary_file", "-")]),
        "token_file, summary_file: token_file and summary_file cannot both be read from standard \
         input; give one of them as a file"
    );
}

#[test]
fn repo_may_bring_its_owner() {
    let settings = settled(set(&[("repo", "apache/cloudstack")])).unwrap();
    assert_eq!(
        (settings.text("owner"), settings.text("repo")),
        (Some("apache"), Some("cloudstack"))
    );
    settled(set(&[("owner", "Apache"), ("repo", "apache/cloudstack")])).unwrap();
    assert_eq!(
        refused(&[("owner", "other"), ("repo", "apache/cloudstack")]),
        "owner, repo: owner is other, but repo says apache; write repo without the owner, or leave \
         owner out"
    );
    let mut settings = load("owner = other\n").unwrap();
    settings.set("repo", "apache/cloudstack", Origin::CommandLine).unwrap();
    assert_eq!(settled(settings).unwrap().text("owner"), Some("apache"));
}

#[test]
fn secrets_do_not_travel_in_the_clear() {
    assert_eq!(
        refused(&[("api_url", "http://ghe.example.org/api/v3")]),
        "api_url: api_url would send secrets over http:// in the clear; write https://, or set \
         allow_http to true in a network you trust"
    );
    let store = [("store_api", "s3"), ("store_endpoint", "http://s3.example.org")];
    assert!(refused(&store).starts_with("store_endpoint: store_endpoint would send secrets"));
    settled(set(&[&store[..], &[("allow_http", "true")]].concat())).unwrap();
    settled(set(&[("api_url", "http://127.0.0.1:8080")])).unwrap();
    settled(set(&[("store_api", "s3"), ("store_endpoint", "http://[::1]:9000/logs")])).unwrap();
    settled(set(&[("store_endpoint", "http://s3.example.org")])).unwrap();
}

#[test]
fn an_endpoint_fits_its_store() {
    assert_eq!(
        refused(&[("store_api", "s3"), ("store_endpoint", "/srv/www")]),
        "store_endpoint: store_endpoint is a folder, but store_api = s3 takes an address; write an \
         address with https://, or set store_api to directory"
    );
    assert_eq!(
        refused(&[("store_api", "directory"), ("store_endpoint", "https://example.org")]),
        "store_endpoint: store_endpoint is https://example.org, but store_api = directory takes a \
         folder; name the folder, and its address in store_public_url"
    );
}

#[test]
fn the_address_of_the_build_is_published_only_when_asked_for() {
    let env = environment_of(&[
        ("JENKINS_URL", "https://ci.example.org/"),
        ("BUILD_ID", "17"),
        ("BUILD_URL", "https://ci.example.org/job/acs/17/"),
    ]);
    for (value, expected) in [
        (None, None),
        (Some("ci"), Some("https://ci.example.org/job/acs/17/")),
        (Some("https://other.example.org"), Some("https://other.example.org")),
    ] {
        let mut settings = Settings::new();
        settings.load_environment(&env).unwrap();
        if let Some(value) = value {
            settings.set("build_url", value, Origin::CommandLine).unwrap();
        }
        let settings = settled(settings).unwrap();
        assert_eq!(settings.text("build_url"), expected);
        assert!(settings.warnings().is_empty());
    }
    let settings = settled(set(&[("build_url", "ci")])).unwrap();
    assert_eq!(settings.text("build_url"), None);
    assert_eq!(
        settings.warnings(),
        ["build_url is ci, but no CI server gives the address of its build"]
    );
}

#[test]
fn what_a_stage_lacks_is_named_all_at_once_with_the_ways_to_give_it() {
    let error = load("owner = apache\n").unwrap().require(Stage::Find).unwrap_err();
    assert_eq!(error.status(), Status::BadSetting);
    assert_eq!(error.stage(), Some(Stage::Find));
    assert_eq!(
        error.to_string(),
        "token, repo, commit are not set; give token as token = … in the INI, as a file with \
         --token-file, or in NOTIFY_PR_TOKEN; give repo as repo = cloudstack in the INI, --repo or \
         NOTIFY_PR_REPO; give commit as commit = SHA in the \
         INI, --commit or NOTIFY_PR_COMMIT"
    );
    let mut settings =
        set(&[("owner", "apache"), ("repo", "cloudstack"), ("commit", "c8443496d3fa")]);
    settings.set("token", "", Origin::CommandLine).unwrap();
    let error = settings.require(Stage::Post).unwrap_err();
    assert!(error.to_string().starts_with("token (empty: command line) is not set; "), "{error}");
}

#[test]
fn what_is_needed_depends_on_the_pull_request_and_the_store() {
    let missing = |pairs: &[(&str, &str)], stage| match set(pairs).require(stage) {
        Ok(()) => String::new(),
        Err(error) => error.what().replace(" are not set", "").replace(" is not set", ""),
    };
    let repository = [("owner", "apache"), ("repo", "cloudstack")];
    let with = |more: &[(&'static str, &'static str)]| [&repository[..], more].concat();
    assert_eq!(missing(&with(&[("pull_request", "42")]), Stage::Find), "token");
    assert_eq!(missing(&with(&[("pull_request", "auto")]), Stage::Find), "token, commit");
    assert_eq!(missing(&[("pull_request", "none")], Stage::Find), "");
    assert_eq!(missing(&[("pull_request", "none")], Stage::Post), "");
    assert_eq!(missing(&[("pull_request", "none")], Stage::Plan), "owner, repo, commit");
    assert_eq!(missing(&with(&[("pull_request", "42")]), Stage::Plan), "");
    assert_eq!(missing(&[], Stage::Upload), "", "without a store nothing is needed");
    assert_eq!(
        missing(&[("store_api", "directory")], Stage::Upload),
        "store_endpoint, store_public_url"
    );
    assert_eq!(
        missing(&[("store_api", "s3")], Stage::Upload),
        "store_endpoint, store_identity, store_secret"
    );
    for (api, example) in [
        ("directory", "store_endpoint = /srv/www/logs in"),
        ("s3", "store_endpoint = https://s3.example.org in"),
        ("swift", "store_endpoint = https://keystone.example.org/v3 in"),
    ] {
        let error = set(&[("store_api", api)]).require(Stage::Upload).unwrap_err().to_string();
        assert!(error.contains(example), "{error}");
    }
    for stage in [Stage::Compose, Stage::Publish] {
        assert_eq!(missing(&[], stage), "");
    }
}
