//! The settings: what each place may say, what wins, and what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly, also in what its tests share"
)]

use std::collections::BTreeSet;
use std::path::Path;

use notify_pr::error::{Error, Result};
use notify_pr::settings::{Environment, Kind, Origin, Setting, Settings, example_ini};
use notify_pr::status::Status;

#[path = "settings/ci.rs"]
mod ci;
#[path = "settings/details.rs"]
mod details;
#[path = "settings/environment.rs"]
mod environment;
#[path = "settings/ini.rs"]
mod ini;
#[path = "settings/settle.rs"]
mod settle;

/// Settings from an INI of this text, in a file called `run.ini` that only we can read.
fn load(text: impl AsRef<[u8]>) -> Result<Settings> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ini");
    std::fs::write(&path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let mut settings = Settings::new();
    settings.load_ini(&path).map(|()| settings)
}

/// The error in one line, the folder of the INI left out.
fn message(error: &Error) -> String {
    let line = error.to_string();
    match (line.find("/run.ini"), line.starts_with('/')) {
        (Some(at), true) => line[at + 1..].to_owned(),
        _ => line,
    }
}

/// An environment of these pairs, in a folder without a checkout.
fn environment_of(pairs: &[(&str, &str)]) -> Environment {
    Environment::from_pairs(pairs.iter().copied(), "/")
}

fn variable(name: &str) -> Origin {
    Origin::Environment { variable: Setting::find(name).unwrap().variable() }
}

fn settled(settings: Settings) -> Result<Settings> {
    settle::with_input(settings, b"")
}

/// A value of each kind that is not the default of any setting, and the value as it is kept.
fn a_value_of(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Text => ("p%ss;w#rd = \"x\"", "p%ss;w#rd = \"x\""),
        Kind::Owner => ("apache", "apache"),
        Kind::Repository => ("cloudstack", "cloudstack"),
        Kind::Commit => ("C8443496D3FA", "c8443496d3fa"),
        Kind::PullRequest => ("#42", "42"),
        Kind::Token => ("a%b;c#d=e", "a%b;c#d=e"),
        Kind::Secret => ("p%ss;w#rd = x", "p%ss;w#rd = x"),
        Kind::FileOrInput | Kind::Path => ("C:\\temp\\new", "C:\\temp\\new"),
        Kind::PathList => ("a\\,b, C:\\temp\\new", "a\\,b, C:\\temp\\new"),
        Kind::GlobList => ("*.{iso,img}", "*.{iso,img}"),
        Kind::Choice(words) => (words[words.len() / 2], words[words.len() / 2]),
        Kind::Switch => ("yes", "true"),
        Kind::Size => ("123M", "123M"),
        Kind::Duration => ("77 s", "77 s"),
        Kind::Count(1, _) => ("099", "99"),
        Kind::Count(..) => ("12345", "12345"),
        Kind::Prefix => ("/a/b/", "a/b"),
        Kind::Url | Kind::UrlOrCi | Kind::Proxy => ("https://example.org", "https://example.org"),
        Kind::Endpoint => ("/srv/www", "/srv/www"),
        Kind::Hosts => ("localhost, .example.org", "localhost, .example.org"),
        Kind::Counts => ("failed=1,passed=2", "passed=2, failed=1, errors=0, skipped=0"),
        Kind::SubmissionId => {
            ("00112233445566778899AABBCCDDEEFF", "00112233445566778899aabbccddeeff")
        }
    }
}

/// A value that the kind refuses.
fn a_bad_value_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Secret | Kind::Hosts => "a\u{7}b",
        Kind::FileOrInput | Kind::Path | Kind::PathList => "a\0b",
        Kind::GlobList => "core.[0-9",
        Kind::Endpoint => "ftp://example.org",
        Kind::Prefix => "a/../b",
        _ => "no: such @ value",
    }
}

#[test]
fn every_setting_can_be_set_in_the_ini_by_variable_and_by_call() {
    for setting in Settings::table() {
        let (name, (value, kept)) = (setting.name(), a_value_of(setting.kind()));
        assert_ne!(kept, setting.default(), "{name}: the test must not pass by the default");

        let loaded = load(format!("{name} = {value}\n")).unwrap();
        assert_eq!(loaded.text(name), Some(kept), "{name} in the INI");
        assert!(matches!(loaded.origin(name), Some(Origin::Ini { line: 1, .. })), "{name}");

        let mut loaded = Settings::new();
        let pair = [(setting.variable(), value)];
        loaded.load_environment(&Environment::from_pairs(pair, "/")).unwrap();
        assert_eq!(loaded.text(name), Some(kept), "{name} by variable");
        assert_eq!(loaded.origin(name), Some(&variable(name)));

        for origin in [Origin::CommandLine, Origin::Api] {
            let mut settings = Settings::new();
            settings.set(name, value, origin.clone()).unwrap();
            assert_eq!(settings.text(name), Some(kept), "{name} by {origin}");
            assert!(settings.is_set(name));
            assert_eq!(settings.origin(name), Some(&origin));
        }
    }
}

#[test]
fn every_setting_refuses_what_it_does_not_take_and_says_what_it_takes() {
    for setting in Settings::table() {
        let (name, bad) = (setting.name(), a_bad_value_of(setting.kind()));
        let error = load(format!("# first line\n{name} = {bad}\n")).unwrap_err();
        assert_eq!(error.status(), Status::BadSetting, "{name}");
        assert!(message(&error).starts_with("run.ini:2: "), "{name}: {error}");
        assert!(error.to_string().contains(&setting.kind().takes()), "{name}: {error}");
        if setting.is_secret() {
            assert!(!error.to_string().contains(bad), "{name}: {error}");
        }
        let mut settings = Settings::new();
        let error = settings.set(name, bad, Origin::CommandLine).unwrap_err();
        assert_eq!(error.place(), Some(setting.option().as_str()));
        let error = settings.set(name, bad, Origin::Api).unwrap_err();
        assert_eq!(error.place(), Some(name));
        assert!(!settings.is_set(name));
    }
}

#[test]
fn every_default_is_in_force_until_something_is_set() {
    let settings = Settings::new();
    for setting in Settings::table() {
        let default = Some(setting.default()).filter(|default| !default.is_empty());
        assert_eq!(settings.text(setting.name()), default);
        assert!(!settings.is_set(setting.name()));
        assert_eq!(settings.origin(setting.name()), default.map(|_| &Origin::Default));
    }
    assert_eq!(settings.size("max_file"), 1 << 30);
    assert_eq!(settings.size("max_total"), 5 << 30);
    assert_eq!(settings.count("comment_max"), Some(16_000));
    assert_eq!(settings.count("pull_request"), None);
    assert_eq!(settings.duration("timeout").as_secs(), 600);
    assert_eq!(settings.duration("upload_timeout").as_secs(), 3600);
    assert_eq!(settings.choice("comment"), "update");
    assert!(!settings.flag("dry_run"));
    assert!(settings.list("exclude").contains(&"*.hprof".to_owned()));
    assert_eq!(settings.path("ca_file"), None);
}

#[test]
fn a_stronger_origin_wins_in_whatever_order_they_come() {
    let ini = Origin::Ini { file: "run.ini".to_owned(), line: 4 };
    let system = "Jenkins".to_owned();
    let origins = [
        Origin::Default,
        Origin::Git,
        Origin::Ci { system, variable: "GIT_COMMIT".to_owned() },
        Origin::OtherProgram { variable: "GITHUB_TOKEN".to_owned() },
        ini,
        Origin::Environment { variable: "NOTIFY_PR_TITLE".to_owned() },
        Origin::CommandLine,
        Origin::Api,
    ];
    for (i, first) in origins.iter().enumerate() {
        for (j, second) in origins.iter().enumerate() {
            let mut settings = Settings::new();
            settings.set("title", "first", first.clone()).unwrap();
            settings.set("title", "second", second.clone()).unwrap();
            // Of equal ones the later counts.
            let (text, origin) = if i > j { ("first", first) } else { ("second", second) };
            assert_eq!(settings.text("title"), Some(text), "{first}, then {second}");
            assert_eq!(settings.origin("title"), Some(origin));
        }
    }
    let shown: Vec<String> = origins.iter().map(Origin::to_string).collect();
    assert_eq!(
        shown.join(" < "),
        "default < git checkout < Jenkins: GIT_COMMIT < GITHUB_TOKEN < run.ini:4 < \
         NOTIFY_PR_TITLE < command line < API"
    );
}

#[test]
fn an_empty_value_switches_off_what_weaker_places_say() {
    let mut settings = load("title = from the INI\nexclude =\n").unwrap();
    assert!(settings.list("exclude").is_empty());
    settings.set("title", "", Origin::CommandLine).unwrap();
    assert_eq!(settings.text("title"), None);
    let error = settings.set("jobs", " ", Origin::CommandLine).unwrap_err();
    assert_eq!(
        error.to_string(),
        "--jobs: jobs has no value; jobs takes a whole number from 1 to 256"
    );
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_known_one() {
    let mut settings = Settings::new();
    let error = settings.set("tokn", "x", Origin::Api).unwrap_err();
    assert_eq!(error.to_string(), "there is no setting tokn; did you mean token?");
    let error = settings.set("full-detail-dri", "x", Origin::CommandLine).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no setting full-detail-dri; did you mean --full-detail-dir?"
    );
    let error = settings.set("xylophone", "x", Origin::Api).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no setting xylophone; notify_pr settings lists all of them"
    );
}

#[test]
fn no_secret_is_ever_shown() {
    let mut settings = Settings::new();
    for setting in Settings::table().iter().filter(|setting| setting.is_secret()) {
        settings.set(setting.name(), "hush-hush", Origin::Api).unwrap();
        assert_eq!(settings.shown(setting.name()), "••••");
    }
    settings.set("https_proxy", "http://lab:hush@proxy:3128", Origin::Api).unwrap();
    assert_eq!(settings.shown("https_proxy"), "http://••••@proxy:3128");
    assert_eq!(settings.secrets(), ["hush-hush", "hush-hush", "hush-hush", "hush"]);
    let everything = format!("{settings:?} {:?}", settings.in_force());
    assert!(!everything.contains("hush"), "{everything}");
    let pairs = [("NOTIFY_PR_TOKEN", "hush")];
    assert!(!format!("{:?}", environment_of(&pairs)).contains("hush"));
}

#[test]
fn a_secret_on_the_command_line_is_warned_of() {
    let mut settings = Settings::new();
    settings.set("token", "example-token", Origin::CommandLine).unwrap();
    settings.set("store_session_token", "example", Origin::CommandLine).unwrap();
    settings.set("store_secret", "example", Origin::Api).unwrap();
    assert_eq!(
        settings.warnings(),
        [
            "--token on the command line can be read by everybody on this machine: use \
             --token-file or NOTIFY_PR_TOKEN",
            "--store-session-token on the command line can be read by everybody on this machine: \
             use NOTIFY_PR_STORE_SESSION_TOKEN",
        ]
    );
}

#[test]
fn what_is_in_force_is_listed_with_where_it_came_from() {
    let mut settings = load("owner = apache\ntoken = example-token\n").unwrap();
    settings.set("jobs", "3", Origin::CommandLine).unwrap();
    let listed = settings.in_force();
    let find = |name| listed.iter().find(|(known, ..)| *known == name).unwrap();
    assert_eq!(find("jobs"), &("jobs", "3".to_owned(), Origin::CommandLine));
    assert_eq!(find("comment").2, Origin::Default);
    assert_eq!(find("token").1, "••••");
    assert!(find("owner").2.to_string().ends_with("run.ini:1"));
    assert!(!listed.iter().any(|(name, ..)| *name == "ca_file"), "what has no value is not listed");
}

#[test]
fn the_example_ini_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/notify_pr.ini");
    let expected = example_ini();
    if std::env::var_os("NPR_BLESS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(found == expected, "NPR_BLESS=1 cargo test --test settings writes {}", path.display());
}

#[test]
fn the_example_ini_loads_as_it_is_and_with_every_line_uncommented() {
    let example = example_ini();
    let as_is = load(&example).unwrap();
    assert!(Settings::table().iter().all(|setting| !as_is.is_set(setting.name())));

    let is_setting = |line: &&str| {
        line.strip_prefix('#').is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic()))
    };
    let uncommented: Vec<&str> =
        example.lines().map(|line| if is_setting(&line) { &line[1..] } else { line }).collect();
    let loaded = load(uncommented.join("\n")).unwrap();
    for setting in Settings::table() {
        assert!(loaded.is_set(setting.name()), "{} is in the example", setting.name());
    }
    assert_eq!(loaded.details().len(), 2);
}

/// Getters and the kinds that they make sense for.
fn suits(getter: &str, kind: Kind) -> bool {
    match getter {
        "choice" => matches!(kind, Kind::Choice(_)),
        "flag" => kind == Kind::Switch,
        "size" => kind == Kind::Size,
        "count" => matches!(kind, Kind::Count(..) | Kind::PullRequest),
        "duration" => kind == Kind::Duration,
        "list" => matches!(kind, Kind::PathList | Kind::GlobList | Kind::Hosts),
        "path" => matches!(kind, Kind::Path | Kind::FileOrInput | Kind::Endpoint),
        _ => true,
    }
}

#[test]
fn the_sources_ask_only_for_settings_that_exist_and_in_the_way_that_suits_them() {
    const GETTERS: &[&str] = &[
        "text", "choice", "flag", "size", "count", "duration", "list", "path", "is_set", "origin",
        "shown",
    ];
    let mut files = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut asked = BTreeSet::new();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        for getter in GETTERS {
            let call = format!(".{getter}(\"");
            for (at, _) in source.match_indices(&call) {
                let receiver = source[..at].trim_end();
                let inside =
                    path.parent().unwrap().ends_with("settings") && receiver.ends_with("self");
                if !inside && !receiver.ends_with("settings") && !receiver.ends_with("settings()") {
                    continue;
                }
                let name = source[at + call.len()..].split('"').next().unwrap();
                let setting = Setting::find(name);
                let place = path.display();
                let setting = setting.unwrap_or_else(|| panic!("{place}: there is no {name}"));
                assert!(suits(getter, setting.kind()), "{place}: .{getter}({name:?})");
                asked.insert(name.to_owned());
            }
        }
    }
    assert!(asked.contains("ca_file") && asked.contains("api_url"), "the search finds {asked:?}");
}
