//! INI files: what survives, and what each mistake is answered with.

use super::{load, message};
use notify_pr::settings::{Origin, Settings};
use notify_pr::status::Status;
use std::path::Path;

const COMMIT: &str = "c8443496d3fad78a4b1a48a0992ce545bde299e8";

#[test]
fn the_keys_of_the_proposal_of_2016_work_as_they_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ini/proposal-2016.ini");
    let mut settings = Settings::new();
    settings.load_ini(&path).unwrap();
    for (name, value) in [
        ("token", "example-token"),
        ("owner", "apache"),
        ("repo", "cloudstack"),
        ("commit", COMMIT),
        ("summary_file", "summary.txt"),
        ("full_detail_dir", "/tmp/MarvinLogs"),
        ("store_api", "s3"),
        ("store_endpoint", "https://s3.example.org"),
        ("store_identity", "project:user"),
        ("store_secret", "p%ss;w#rd = x"),
    ] {
        assert_eq!(settings.text(name), Some(value), "{name}");
    }
    let files = ["integration-test-results/smoke/test_volumes.xml", "jetty-log"];
    assert_eq!(settings.list("full_detail_files"), files);
}

#[test]
fn values_survive_as_they_are_written() {
    let text = "\u{feff}store_secret = p%ss;w#rd = x\r\n\
                full_detail_dir = C:\\temp\\new\r\n\
                title = \"quoted\" 'twice' ; no comment # here\r\n\
                \r\n; a comment\r\n# another = one\r\n  # an indented one\r\n\
                TOKEN: a=b:c\r\n\
                context=[not a section]\r\n\
                store_identity = %(token)s %% ${HOME} \\n\r\n";
    let settings = load(text).unwrap();
    for (name, value) in [
        ("store_secret", "p%ss;w#rd = x"),
        ("full_detail_dir", "C:\\temp\\new"),
        ("title", "\"quoted\" 'twice' ; no comment # here"),
        ("token", "a=b:c"),
        ("context", "[not a section]"),
        ("store_identity", "%(token)s %% ${HOME} \\n"),
    ] {
        assert_eq!(settings.text(name), Some(value), "{name}");
    }
    let Some(Origin::Ini { line, .. }) = settings.origin("token") else { panic!("no origin") };
    assert_eq!(*line, 8);
}

#[test]
fn every_mistake_is_named_with_its_line_and_what_to_do() {
    for (text, expected) in [
        ("owner = apache\ntokn = x\n", "run.ini:2: there is no setting tokn; write token"),
        (
            "xylophone = x\n",
            "run.ini:1: there is no setting xylophone; notify_pr settings lists all of them",
        ),
        (
            "owner = apache\n\nOwner = other\n",
            "run.ini:3: Owner is set a second time; the first is in line 1; remove one of the two \
             lines",
        ),
        (
            "[details]\nHost = a\nHost = b\n",
            "run.ini:3: Host is set a second time; the first is in line 2; remove one of the two \
             lines",
        ),
        (
            "this is garbage\n",
            "run.ini:1: the line is no setting; write name = value, or begin a comment with #",
        ),
        (
            "= value\n",
            "run.ini:1: the line is no setting; write name = value, or begin a comment with #",
        ),
        (
            "[details\n",
            "run.ini:1: the line is no setting; write name = value, or begin a comment with #",
        ),
        (
            "title = one\n  two\n",
            "run.ini:2: the line is indented, and a value cannot go on over several lines; begin \
             every setting in the first column and write its value on the same line",
        ),
        (
            "[store]\nfoo = x\n",
            "run.ini:1: there is no section [store]; write settings without a section, before the \
             section [details]",
        ),
        ("[Details]\nHost = a\n", "run.ini:1: the section is written [Details]; write [details]"),
        (
            "token =\n",
            "run.ini:1: token has no value; token takes a secret without blanks and control \
             characters",
        ),
        (
            "token = two words\n",
            "run.ini:1: the value of token is impossible; token takes a secret without blanks and \
             control characters",
        ),
        (
            "store_endpoint = ftp://lab:hush@example.org\n",
            "run.ini:1: the value of store_endpoint is impossible; store_endpoint takes a folder, \
             or an address with http:// or https://",
        ),
        (
            "verdict = ok\n",
            "run.ini:1: verdict cannot be \"ok\"; verdict takes success, failure, error or unknown",
        ),
        (
            "[details]\nHost = a\u{7}b\n",
            "run.ini:2: a detail is a name and one line of text; give it a name, and leave line \
             breaks and control characters out",
        ),
        (
            "owner = apache\ntokn = x\ngarbage\njobs = 0\n",
            "run.ini:2: there is no setting tokn; write token; there is more to mend in line 3, 4",
        ),
    ] {
        let error = load(text).unwrap_err();
        assert_eq!(message(&error), expected);
        assert_eq!(error.status(), Status::BadSetting, "{text}");
    }
}

#[test]
fn text_in_another_encoding_is_named_with_its_line() {
    let error = load(b"owner = apache\ntitle = T\xfcr\n").unwrap_err();
    assert_eq!(message(&error), "run.ini:2: the line is not UTF-8; save the file as UTF-8");
    assert_eq!(error.status(), Status::BadText);
}

#[test]
fn a_file_that_cannot_be_an_ini_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings::new();
    let error = settings.load_ini(&folder.path().join("absent.ini")).unwrap_err();
    assert_eq!(error.status(), Status::BadFile);
    assert_eq!(error.what(), "the INI cannot be read");
    assert!(error.place().unwrap().ends_with("absent.ini"));
    assert_eq!(error.advice(), Some("name a readable INI file, or leave the option out"));
    let error = load(vec![b'#'; (1 << 20) + 1]).unwrap_err();
    assert_eq!(error.status(), Status::BadFile);
    assert_eq!(error.what(), "the file is larger than 1 MiB and cannot be an INI");
}

#[test]
fn after_an_error_nothing_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ini");
    std::fs::write(&path, "owner = apache\njobs = 0\n[details]\nHost = a\n").unwrap();
    let mut settings = Settings::new();
    settings.load_ini(&path).unwrap_err();
    assert!(!settings.is_set("owner") && settings.details().is_empty());
}

#[cfg(unix)]
#[test]
fn an_ini_with_a_secret_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ini");
    for (text, mode, warned) in [
        ("token = example-token\n", 0o644, true),
        ("store_secret = example\n", 0o640, true),
        ("token = example-token\n", 0o600, false),
        ("owner = apache\n", 0o644, false),
    ] {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let mut settings = Settings::new();
        settings.load_ini(&path).unwrap();
        let place = path.display();
        let expected = format!(
            "{place} holds a secret and others can read it (mode {mode:04o}): chmod 600 {place}"
        );
        let expected: &[String] = if warned { &[expected] } else { &[] };
        assert_eq!(settings.warnings(), expected, "{mode:o}");
    }
}
