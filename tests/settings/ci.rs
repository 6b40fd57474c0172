//! CI servers and git checkouts.

use super::{environment_of, settled};
use notify_pr::settings::{Environment, Origin, Settings, git};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const HEAD: &str = "3357460473a4ea60d338dd5f03d231294ba79f89";
const MERGE: &str = "feedfacefeedfacefeedfacefeedfacefeedface";

fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/env").join(file)
}

/// The pairs of a file with `NAME=value` lines, and some more.
fn environment(file: &str, more: &[(&str, &str)]) -> Environment {
    let text = std::fs::read_to_string(data(file)).unwrap();
    let pairs = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .chain(more.iter().copied());
    let pairs: Vec<(String, String)> =
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Environment::from_pairs(pairs, "/")
}

fn settle(environment: &Environment) -> Settings {
    let mut settings = Settings::new();
    settings.load_environment(environment).unwrap();
    settled(settings).unwrap()
}

/// The values and origins of what a CI server may say.
fn told(settings: &Settings) -> Vec<String> {
    ["commit", "pull_request", "owner", "repo", "context"]
        .iter()
        .filter_map(|name| {
            let origin = settings.origin(name).filter(|origin| **origin != Origin::Default)?;
            Some(format!("{name} = {} ({origin})", settings.text(name)?))
        })
        .collect()
}

#[test]
fn jenkins_with_ghprb_tells_the_head_and_not_the_merge() {
    let environment = environment("jenkins-ghprb.env", &[("JOB_NAME", "acs-pr")]);
    assert_eq!(
        told(&settle(&environment)),
        [
            &format!("commit = {HEAD} (Jenkins (ghprb): ghprbActualCommit)"),
            "pull_request = 42 (Jenkins (ghprb): ghprbPullId)",
            "owner = apache (Jenkins (ghprb): ghprbPullLink)",
            "repo = cloudstack (Jenkins (ghprb): ghprbPullLink)",
            "context = ci.example.org/acs-pr (Jenkins (ghprb): JOB_NAME)",
        ]
    );
}

#[test]
fn jenkins_multibranch_tells_the_number_and_the_commit_that_may_be_a_local_merge() {
    assert_eq!(
        told(&settle(&environment("jenkins-multibranch-merge.env", &[]))),
        [
            &format!("commit = {MERGE} (Jenkins (multibranch): GIT_COMMIT)"),
            "pull_request = 42 (Jenkins (multibranch): CHANGE_ID)",
            "owner = apache (Jenkins (multibranch): CHANGE_URL)",
            "repo = cloudstack (Jenkins (multibranch): CHANGE_URL)",
            "context = ci.example.org/acs (Jenkins (multibranch): JOB_NAME)",
        ]
    );
}

#[test]
fn jenkins_freestyle_tells_the_commit_and_false_is_no_number() {
    assert_eq!(
        told(&settle(&environment("jenkins-freestyle.env", &[]))),
        [
            &format!("commit = {HEAD} (Jenkins: GIT_COMMIT)"),
            "owner = apache (Jenkins: GIT_URL)",
            "repo = cloudstack (Jenkins: GIT_URL)",
            "context = ci.example.org/acs-nightly (Jenkins: JOB_NAME)",
        ]
    );
}

#[test]
fn github_actions_tells_the_head_by_its_event() {
    let folder = tempfile::tempdir().unwrap();
    let event = folder.path().join("event.json");
    let json =
        format!(r#"{{"number":42,"pull_request":{{"number":42,"head":{{"sha":"{HEAD}"}}}}}}"#);
    std::fs::write(&event, json).unwrap();
    let more = [("GITHUB_EVENT_PATH", event.to_str().unwrap())];
    let settings = settle(&environment("github-actions-pull_request.env", &more));
    assert_eq!(
        told(&settings),
        [
            &format!("commit = {HEAD} (GitHub Actions: GITHUB_EVENT_PATH)"),
            "pull_request = 42 (GitHub Actions: GITHUB_EVENT_PATH)",
            "owner = apache (GitHub Actions: GITHUB_REPOSITORY)",
            "repo = cloudstack (GitHub Actions: GITHUB_REPOSITORY)",
        ]
    );
    assert!(settings.warnings().is_empty());
}

#[test]
fn github_actions_without_its_event_tells_the_number_and_warns() {
    let folder = tempfile::tempdir().unwrap();
    let event = folder.path().join("event.json");
    std::fs::write(&event, "{\"pull_request\":").unwrap();
    let absent = folder.path().join("absent.json");
    for (path, warning) in [
        (None, "GitHub Actions gives no GITHUB_EVENT_PATH, so its event is unknown"),
        (event.to_str(), "the event of GitHub Actions cannot be read from "),
        (absent.to_str(), "the event of GitHub Actions cannot be read from "),
    ] {
        let more: Vec<_> = path.map(|path| ("GITHUB_EVENT_PATH", path)).into_iter().collect();
        let settings = settle(&environment("github-actions-pull_request.env", &more));
        assert_eq!(settings.text("pull_request"), Some("42"));
        assert_eq!(settings.text("commit"), None, "GITHUB_SHA is the merge");
        assert_eq!(settings.warnings().len(), 1);
        assert!(settings.warnings()[0].starts_with(warning), "{:?}", settings.warnings());
    }
}

#[test]
fn github_actions_after_another_workflow_tells_the_commit_of_that_one() {
    let folder = tempfile::tempdir().unwrap();
    let event = folder.path().join("event.json");
    let json = format!(r#"{{"workflow_run":{{"head_sha":"{HEAD}","pull_requests":[]}}}}"#);
    std::fs::write(&event, json).unwrap();
    let more =
        [("GITHUB_EVENT_PATH", event.to_str().unwrap()), ("GITHUB_EVENT_NAME", "workflow_run")];
    let settings = settle(&environment("github-actions-pull_request.env", &more));
    assert_eq!(settings.text("commit"), Some(HEAD));
    assert_eq!(settings.text("pull_request"), None);
}

#[test]
fn github_actions_on_a_server_of_ones_own_tells_its_api() {
    let token = [("GITHUB_TOKEN", "example-token")];
    let settings = settle(&environment("github-actions-push.env", &token));
    assert_eq!(settings.text("api_url"), Some("https://ghe.example.org/api/v3"));
    assert_eq!(settings.text("token"), Some("example-token"));
    assert_eq!(
        told(&settings),
        [
            &format!("commit = {HEAD} (GitHub Actions: GITHUB_SHA)"),
            "owner = apache (GitHub Actions: GITHUB_REPOSITORY)",
            "repo = cloudstack (GitHub Actions: GITHUB_REPOSITORY)",
            "context = ghe.example.org/CI/smoke (GitHub Actions: GITHUB_JOB)",
        ]
    );
    let gitea = settle(&environment("github-actions-push.env", &[("GITEA_ACTIONS", "true")]));
    assert!(told(&gitea).is_empty(), "Gitea sets the same variables for its own server");
}

#[test]
fn what_is_set_wins_over_the_ci_server() {
    let more = [
        ("NOTIFY_PR_COMMIT", "c8443496d3fa"),
        ("NOTIFY_PR_PULL_REQUEST", "7"),
        ("NOTIFY_PR_CONTEXT", "lab"),
    ];
    let settings = settle(&environment("jenkins-ghprb.env", &more));
    assert_eq!(settings.text("commit"), Some("c8443496d3fa"));
    assert_eq!(settings.text("pull_request"), Some("7"));
    assert_eq!(settings.text("context"), Some("lab"));
    let settings = settle(&environment("jenkins-ghprb.env", &[("NOTIFY_PR_PULL_REQUEST", "auto")]));
    assert_eq!(settings.text("pull_request"), Some("42"), "auto leaves room for the hint");
    let settings = settle(&environment("jenkins-ghprb.env", &[("NOTIFY_PR_PULL_REQUEST", "none")]));
    assert_eq!(settings.text("pull_request"), Some("none"));
}

#[test]
fn a_build_of_another_repository_gives_no_hints() {
    let of = |file, repo| settle(&environment(file, &[("NOTIFY_PR_REPO", repo)]));
    let settings = of("jenkins-ghprb.env", "apache/cloudstack-docs");
    assert_eq!((settings.text("commit"), settings.text("pull_request")), (None, None));
    assert_eq!(
        settings.warnings(),
        ["Jenkins (ghprb) built apache/cloudstack, not cloudstack-docs: its commit and pull \
          request are not used"]
    );
    // In a fork of the same name the commit is the same, the number is not.
    let settings = of("jenkins-ghprb.env", "upstream/cloudstack");
    assert_eq!((settings.text("commit"), settings.text("pull_request")), (Some(HEAD), None));
    assert_eq!(settings.text("owner"), Some("upstream"));
    // A half that is given must agree before the other half is taken.
    let settings = settle(&environment("jenkins-ghprb.env", &[("NOTIFY_PR_OWNER", "other")]));
    assert_eq!(settings.text("repo"), None);
    let settings = settle(&environment("jenkins-ghprb.env", &[("NOTIFY_PR_OWNER", "Apache")]));
    assert_eq!(settings.text("repo"), Some("cloudstack"));
    // A repository of the same name elsewhere is not one of GitHub.
    let more = [("GIT_URL", "https://git.example.org/apache/cloudstack.git")];
    let settings = settle(&environment("jenkins-freestyle.env", &more));
    assert_eq!(settings.text("owner"), None);
}

#[test]
fn an_api_on_this_machine_stands_for_any_server() {
    let more = [("NOTIFY_PR_API_URL", "http://127.0.0.1:8080")];
    let settings = settle(&environment("jenkins-multibranch-merge.env", &more));
    assert_eq!(
        (settings.text("owner"), settings.text("pull_request")),
        (Some("apache"), Some("42"))
    );
}

#[test]
fn without_a_ci_server_nothing_is_told() {
    let settings = settle(&environment_of(&[("BUILD_ID", "1"), ("GIT_COMMIT", HEAD)]));
    assert!(told(&settings).is_empty());
    assert_eq!(settings.text("context"), Some("notify_pr"));
}

fn run_git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=lab-bot", "-c", "user.email=lab-bot@example.org"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stderr(Stdio::inherit())
        .output()
        .expect("git is there");
    assert!(output.status.success(), "git {arguments:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A checkout whose head is a merge; the folder, the head and its two parents.
fn checkout(remote: &str) -> (tempfile::TempDir, String, [String; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let commit = |message| {
        run_git(path, &["commit", "-q", "--allow-empty", "-m", message]);
        run_git(path, &["rev-parse", "HEAD"])
    };
    run_git(path, &["init", "-q", "-b", "main"]);
    run_git(path, &["remote", "add", "origin", remote]);
    commit("base");
    run_git(path, &["checkout", "-q", "-b", "fix"]);
    let fix = commit("fix");
    run_git(path, &["checkout", "-q", "main"]);
    let main = commit("main goes on");
    run_git(path, &["merge", "-q", "--no-ff", "-m", "parent deadbeef\n\nparent of", "fix"]);
    let head = run_git(path, &["rev-parse", "HEAD"]);
    (folder, head, [main, fix])
}

#[test]
fn a_checkout_tells_the_commit_if_a_remote_is_the_repository_or_a_fork_of_it() {
    for (remote, asked) in [
        ("https://github.com/apache/cloudstack.git", true),
        ("git@github.com:contributor/CloudStack.git", true),
        ("https://github.com/apache/cloudstack-docs", false),
        ("https://git.example.org/apache/cloudstack", false),
        ("/srv/git/cloudstack.git", false),
    ] {
        let (folder, head, _) = checkout(remote);
        let inside = folder.path().join("results");
        std::fs::create_dir(&inside).unwrap();
        let pairs = [("NOTIFY_PR_REPO", "apache/cloudstack")];
        let settings = settle(&Environment::from_pairs(pairs, inside.clone()));
        assert_eq!(settings.text("commit"), asked.then_some(head.as_str()), "{remote}");
        if asked {
            assert_eq!(settings.origin("commit"), Some(&Origin::Git));
        }
        let settings = settle(&Environment::from_pairs::<&str, &str>([], inside));
        assert_eq!(settings.text("owner"), None, "the repository is never guessed from a checkout");
        assert_eq!(settings.text("commit"), None);
    }
}

#[test]
fn a_given_commit_wins_over_the_checkout() {
    let (folder, ..) = checkout("https://github.com/apache/cloudstack.git");
    let pairs = [("NOTIFY_PR_REPO", "apache/cloudstack"), ("NOTIFY_PR_COMMIT", HEAD)];
    let settings = settle(&Environment::from_pairs(pairs, folder.path()));
    assert_eq!(settings.text("commit"), Some(HEAD));
}

#[test]
fn the_parents_of_a_merge_come_from_the_checkout() {
    let (folder, head, parents) = checkout("https://github.com/apache/cloudstack.git");
    assert_eq!(git::parents(folder.path(), &head), Some(parents.to_vec()));
    assert_eq!(git::parents(folder.path(), HEAD), None, "the checkout does not have it");
    assert_eq!(git::parents(folder.path(), "HEAD"), None, "only full names are passed on");
    assert_eq!(git::parents(folder.path(), "--help"), None);
    assert_eq!(git::parents(Path::new("/"), &head), None, "no checkout");
    assert_eq!(git::parents(&folder.path().join("absent"), &head), None, "no folder");
}

#[test]
fn a_checkout_is_never_asked_over_the_network() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let remote = format!("git://{}/apache/cloudstack", server.local_addr().unwrap());
    let (folder, ..) = checkout(&remote);
    for (name, value) in [
        ("core.repositoryformatversion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
    ] {
        run_git(folder.path(), &["config", name, value]);
    }
    assert_eq!(git::parents(folder.path(), HEAD), None);
    let knocked = server.accept();
    assert!(knocked.is_err(), "a partial clone fetches what it lacks");
}

#[cfg(unix)]
#[test]
fn the_checkout_of_another_user_answers_too() {
    let (folder, head, parents) = checkout("https://github.com/apache/cloudstack.git");
    // Only root can give a folder away; others have nothing to try here.
    if std::os::unix::fs::chown(folder.path(), Some(65_534), None).is_err() {
        return;
    }
    assert_eq!(git::parents(folder.path(), &head), Some(parents.to_vec()));
}
