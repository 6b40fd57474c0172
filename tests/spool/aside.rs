//! Setting a part aside.

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use notify_pr::Status;

use super::lab::{Lab, TOKEN, collecting, err, files, names};

#[test]
fn a_part_that_begins_and_ends_is_there_once() {
    let lab = Lab::new();
    let mut report = collecting(&lab);
    report.attach_bytes("a.txt", &b"bytes"[..]).expect("a name");
    report.begin().expect("it begins");
    assert!(lab.left()[0].ends_with(".begun"));
    let receipt = report.submit(&mut |_| ControlFlow::Continue(())).expect("it is set aside");
    assert_eq!(receipt.status(), Status::Ok);
    assert_eq!(receipt.status_text, Status::Queued.text());
    let folder = PathBuf::from(receipt.spooled.expect("a folder"));
    assert_eq!(lab.left(), [folder.file_name().expect("a name").to_str().expect("UTF-8")]);
    assert_eq!(names(&folder), ["f1", "part.json"]);
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&lab.spool()), mode(&folder)), (0o700, 0o700));
    assert_eq!((mode(&folder.join("f1")), mode(&folder.join("part.json"))), (0o600, 0o600));
}

#[test]
fn what_is_written_over_later_is_kept_as_it_was() {
    let lab = Lab::new();
    for suite in ["one", "two"] {
        lab.write("nosetests.xml", suite);
        lab.collected(suite, &["--attach", "nosetests.xml"]);
    }
    lab.submitted(&[]);
    let published = files(lab.published.path());
    for suite in ["one", "two"] {
        let path = published
            .iter()
            .find(|path| path.ends_with(format!("{suite}/nosetests.xml")))
            .expect("it is published");
        assert_eq!(fs::read_to_string(path).expect("text"), suite);
    }
}

#[test]
fn no_secret_is_in_the_spool() {
    let lab = Lab::new();
    lab.write("logs/runinfo.txt", &format!("sent Authorization: {TOKEN}\n"));
    lab.write("summary.md", &format!("We used {TOKEN}.\n"));
    lab.write("secret", "s3cr3t-of-the-store\n");
    lab.collected(
        "leaky",
        &[
            "--config",
            "run.ini",
            "--store-secret-file",
            "secret",
            "--attach",
            "logs",
            "--summary-file",
            "summary.md",
            "--detail",
            &format!("Token={TOKEN}"),
        ],
    );
    let mut kept = 0;
    for path in files(&lab.spool()) {
        let text = String::from_utf8_lossy(&fs::read(&path).expect("a file")).into_owned();
        for secret in [TOKEN, "s3cr3t-of-the-store", &lab.github.url()] {
            assert!(!text.contains(secret), "{secret} is in {}", path.display());
        }
        kept += usize::from(text.contains("sent Authorization"));
    }
    assert_eq!(kept, 1);
}

#[test]
fn credentials_that_cannot_be_read_do_not_matter_to_a_part() {
    let lab = Lab::new();
    lab.collected("plain", &["--token-file", "nowhere", "--store-secret-file", "nowhere"]);
    assert_eq!(lab.left().len(), 1);
}

#[test]
fn without_a_spool_dir_collecting_is_refused_and_says_what_to_do() {
    let lab = Lab::new();
    let output = lab.command(&["--submit", "collect"]).output().expect("the command runs");
    assert_eq!(output.status.code(), Some(3));
    assert!(err(&output).contains("NOTIFY_PR_SPOOL_DIR"), "{}", err(&output));
    assert!(!lab.path("outbox").exists() && !lab.path(".local").exists());
    let output = lab
        .command(&["--submit", "collect", "--spool-dir", "run.ini/spool"])
        .output()
        .expect("the command runs");
    assert_eq!(output.status.code(), Some(11), "{}", err(&output));
}
