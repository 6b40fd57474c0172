//! Variables: ours, and those of other programs.

use super::{environment_of, settled};
use notify_pr::error::Result;
use notify_pr::settings::{Environment, Origin, Settings};
use notify_pr::status::Status;

fn load(pairs: &[(&str, &str)]) -> Result<Settings> {
    let mut settings = Settings::new();
    settings.load_environment(&environment_of(pairs)).map(|()| settings)
}

fn settle(pairs: &[(&str, &str)]) -> Settings {
    settled(load(pairs).unwrap()).unwrap()
}

fn other(variable: &str) -> Option<Origin> {
    Some(Origin::OtherProgram { variable: variable.to_owned() })
}

#[test]
fn an_unknown_variable_of_ours_is_refused() {
    let error = load(&[("NOTIFY_PR_TOKN", "x")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no variable NOTIFY_PR_TOKN; did you mean NOTIFY_PR_TOKEN?"
    );
    assert_eq!(error.status(), Status::BadSetting);
    let error = load(&[("NOTIFY_PR_token", "x")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no variable NOTIFY_PR_token; did you mean NOTIFY_PR_TOKEN?"
    );
    load(&[
        ("NOTIFY_PR_LIBRARY", "/usr/lib/libnotify_pr.so"),
        ("NOTIFY_PR_CONFIG", "run.ini"),
        ("NOTIFY_PR_TEST_FAULT", "x"),
        ("NOTIFY_PRINT", "not ours"),
    ])
    .unwrap();
}

#[test]
fn an_empty_variable_is_as_if_it_were_not_set() {
    let settings = load(&[("NOTIFY_PR_JOBS", ""), ("NOTIFY_PR_TOKN", "")]).unwrap();
    assert!(!settings.is_set("jobs"));
}

#[test]
fn an_impossible_value_names_the_variable() {
    let error = load(&[("NOTIFY_PR_JOBS", "many")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "NOTIFY_PR_JOBS: jobs cannot be \"many\"; jobs takes a whole number from 1 to 256"
    );
    let settings = load(&[("NOTIFY_PR_TOKEN", "example-token\n")]).unwrap();
    assert_eq!(settings.text("token"), Some("example-token"), "a last line feed is no part of it");
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_utf_8_names_the_variable_and_not_the_value() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    let value = OsString::from_vec(b"hush\xff".to_vec());
    let environment = Environment::from_pairs([("NOTIFY_PR_TOKEN", value)], "/");
    let error = Settings::new().load_environment(&environment).unwrap_err();
    assert_eq!(
        error.to_string(),
        "NOTIFY_PR_TOKEN: the value is not UTF-8; set it to text in UTF-8"
    );
    assert_eq!(error.status(), Status::BadText);
}

#[test]
fn a_token_of_github_counts_for_its_own_server_only() {
    let settings = settle(&[("GITHUB_TOKEN", "example-1"), ("GH_TOKEN", "example-2")]);
    assert_eq!(settings.text("token"), Some("example-1"));
    assert_eq!(settings.origin("token").cloned(), other("GITHUB_TOKEN"));

    let settings = settle(&[("GH_TOKEN", "example-2")]);
    assert_eq!(settings.origin("token").cloned(), other("GH_TOKEN"));

    let elsewhere = ("NOTIFY_PR_API_URL", "https://ghe.example.org/api/v3");
    let settings = settle(&[("GITHUB_TOKEN", "example-1"), elsewhere]);
    assert_eq!(settings.text("token"), None);
    assert_eq!(
        settings.warnings(),
        ["GITHUB_TOKEN is not used, because it is not meant for the server of api_url: set \
          NOTIFY_PR_TOKEN or token_file"]
    );

    let theirs = ("GITHUB_API_URL", "https://GHE.example.org/api/v3");
    let settings = settle(&[("GITHUB_TOKEN", "example-1"), elsewhere, theirs]);
    assert_eq!(settings.text("token"), Some("example-1"));

    let settings = settle(&[("GITHUB_TOKEN", "example-1"), ("NOTIFY_PR_TOKEN", "ours")]);
    assert_eq!(settings.text("token"), Some("ours"));

    let settings = settle(&[("GITHUB_TOKEN", "two words")]);
    assert_eq!(settings.text("token"), None);
    assert_eq!(settings.warnings(), ["GITHUB_TOKEN is not used: the value of token is impossible"]);
}

const AWS: &[(&str, &str)] = &[
    ("NOTIFY_PR_STORE_API", "s3"),
    ("AWS_ACCESS_KEY_ID", "example-id"),
    ("AWS_SECRET_ACCESS_KEY", "example-secret"),
    ("AWS_SESSION_TOKEN", "example-session"),
    ("AWS_DEFAULT_REGION", "eu-central-1"),
    ("AWS_ENDPOINT_URL", "https://s3.example.org"),
];

#[test]
fn the_credentials_of_amazon_count_as_a_whole_set() {
    let settings = settle(AWS);
    for (name, value) in [
        ("store_identity", "example-id"),
        ("store_secret", "example-secret"),
        ("store_session_token", "example-session"),
        ("store_region", "eu-central-1"),
        ("store_endpoint", "https://s3.example.org"),
    ] {
        assert_eq!(settings.text(name), Some(value), "{name}");
    }
    assert_eq!(settings.origin("store_region").cloned(), other("AWS_DEFAULT_REGION"));

    // The particular variables win over the general ones.
    let more = [("AWS_REGION", "us-west-2"), ("AWS_ENDPOINT_URL_S3", "https://other.example.org")];
    let settings = settle(&[AWS, &more].concat());
    assert_eq!(settings.text("store_region"), Some("us-west-2"));
    assert_eq!(settings.text("store_endpoint"), Some("https://other.example.org"));
}

#[test]
fn the_credentials_of_amazon_do_not_count_otherwise() {
    let absent = |settings: &Settings| {
        ["store_secret", "store_session_token", "store_region", "store_endpoint"]
            .iter()
            .all(|name| settings.text(name).is_none())
    };
    assert!(absent(&settle(&AWS[1..])), "without store_api");
    for name in ["STORE_IDENTITY", "STORE_SECRET", "STORE_SECRET_FILE", "STORE_SESSION_TOKEN"] {
        let name = format!("NOTIFY_PR_{name}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "ours\n").unwrap();
        let ours = [(name.as_str(), file.to_str().unwrap())];
        let settings = settle(&[AWS, &ours].concat());
        assert_eq!(settings.text("store_region"), None, "{name}");
        assert_eq!(settings.text("store_endpoint"), None, "{name}");
        assert_ne!(settings.text("store_secret"), Some("example-secret"), "{name}");
    }
    for (left, (has, lacks)) in [
        (AWS[1], ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
        (AWS[2], ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")),
    ] {
        let settings = settle(&[AWS[0], left, AWS[4]]);
        assert!(absent(&settings) && settings.text("store_identity").is_none());
        let expected = format!("{has} is not used, because {lacks} is not set");
        assert_eq!(settings.warnings(), [expected]);
    }
}

#[test]
fn a_profile_of_the_shared_credentials_file_counts_as_a_whole_set() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".aws");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("credentials");
    std::fs::write(
        &file,
        "# of the lab\n[default]\naws_access_key_id = default-id\n\
         aws_secret_access_key = a;b#c%d=e/+\n\n[Lab]\nAWS_ACCESS_KEY_ID=lab-id\n\
         aws_secret_access_key=lab-secret\naws_session_token=lab-session\n\
         x_security_token_expires = 2026-11-30T12:00:00Z\nregion = eu-west-1\n\n\
         [half]\naws_access_key_id = half-id\n",
    )
    .unwrap();
    let (home, path) = (home.path().to_str().unwrap(), file.to_str().unwrap());
    let s3 = ("NOTIFY_PR_STORE_API", "s3");
    let settings = settle(&[s3, ("HOME", home)]);
    assert_eq!(settings.text("store_identity"), Some("default-id"));
    assert_eq!(settings.text("store_secret"), Some("a;b#c%d=e/+"), "no comment, no cut");
    assert_eq!(settings.text("store_session_token"), None);
    assert!(!settings.origin("store_secret").unwrap().is_ours());

    for variables in [
        [("HOME", home), ("AWS_PROFILE", "Lab")],
        [("AWS_SHARED_CREDENTIALS_FILE", path), ("AWS_PROFILE", "Lab")],
    ] {
        let settings = settle(&[&[s3], &variables[..]].concat());
        for (name, value) in [
            ("store_identity", "lab-id"),
            ("store_secret", "lab-secret"),
            ("store_session_token", "lab-session"),
            ("store_session_end", "2026-11-30T12:00:00Z"),
            ("store_region", "eu-west-1"),
        ] {
            assert_eq!(settings.text(name), Some(value), "{name}");
        }
    }
    // Variables come before the file, and what was given to us before both.
    let settings = settle(&[AWS, &[("HOME", home), ("AWS_PROFILE", "Lab")]].concat());
    assert_eq!(settings.text("store_identity"), Some("example-id"));
    assert_eq!(settings.text("store_session_end"), None);
    let ours = ("NOTIFY_PR_STORE_IDENTITY", "our-id");
    let settings = settle(&[s3, ("HOME", home), ours]);
    assert_eq!(settings.text("store_secret"), None);
    // Without the environment nothing is read at all, and for another store neither.
    assert_eq!(settle(&[("HOME", home)]).text("store_secret"), None);

    for (profile, words) in [("half", "aws_secret_access_key"), ("nobody", "no profile nobody")] {
        let settings = settle(&[s3, ("HOME", home), ("AWS_PROFILE", profile)]);
        assert_eq!(settings.text("store_identity"), None, "{profile}");
        let said = settings.warnings().concat();
        assert!(said.contains(words) && !said.contains("half-id"), "{said}");
    }
    let settings = settle(&[s3, ("HOME", "/nonexistent")]);
    assert!(settings.warnings().is_empty(), "nobody has to have one");
}

#[test]
fn proxies_come_from_the_variables_of_other_programs() {
    let settings = settle(&[
        ("http_proxy", "http://small:1"),
        ("HTTP_PROXY", "http://large:1"),
        ("HTTPS_PROXY", "secure:2"),
        ("NO_PROXY", "localhost,.example.org"),
    ]);
    assert_eq!(settings.text("http_proxy"), Some("http://small:1"));
    assert_eq!(settings.text("https_proxy"), Some("secure:2"));
    assert_eq!(settings.list("no_proxy"), ["localhost", ".example.org"]);

    // In a CGI program HTTP_PROXY is what a stranger sent.
    let settings = settle(&[("HTTP_PROXY", "http://large:1"), ("REQUEST_METHOD", "GET")]);
    assert_eq!(settings.text("http_proxy"), None);

    let theirs = [("http_proxy", "http://a:1"), ("no_proxy", "b")];
    let settings = settle(&[&theirs[..], &[("NOTIFY_PR_HTTPS_PROXY", "http://ours:1")]].concat());
    assert_eq!(settings.text("http_proxy"), None, "a set counts as a whole");
    assert_eq!(settings.text("no_proxy"), None);
    let settings = settle(&[&theirs[..], &[("NOTIFY_PR_NO_PROXY", "ours")]].concat());
    assert_eq!(settings.text("http_proxy"), Some("http://a:1"));
    assert_eq!(settings.text("no_proxy"), Some("ours"));

    let settings = settle(&[("https_proxy", "socks5://lab:hush@proxy:1")]);
    assert_eq!(
        settings.warnings(),
        ["https_proxy is not used: the value of https_proxy is impossible"]
    );
}

#[cfg(not(windows))]
#[test]
fn the_outbox_lies_in_the_users_folder_of_state() {
    for (pairs, expected) in [
        (&[("HOME", "/home/lab"), ("XDG_STATE_HOME", "/state")][..], "/state/notify_pr/outbox"),
        (&[("HOME", "/home/lab")][..], "/home/lab/.local/state/notify_pr/outbox"),
        (
            &[("HOME", "/home/lab"), ("XDG_STATE_HOME", "relative")][..],
            "/home/lab/.local/state/notify_pr/outbox",
        ),
        (&[][..], "notify_pr-outbox"),
        (&[("HOME", "/home/lab"), ("NOTIFY_PR_OUTBOX_DIR", "/kept")][..], "/kept"),
    ] {
        let settings = settle(pairs);
        assert_eq!(settings.text("outbox_dir"), Some(expected), "{pairs:?}");
    }
    let settings = settle(&[("HOME", "/home/lab")]);
    assert!(!settings.is_set("outbox_dir"));
    assert_eq!(settings.origin("outbox_dir"), Some(&Origin::Default));
}
