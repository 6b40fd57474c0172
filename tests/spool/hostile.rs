//! What the tested code may have written to the spool.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::json;
use stand_ins::sha;

use super::lab::Lab;

#[test]
fn a_hostile_spool_is_harmless() {
    let lab = Lab::new();
    lab.write("private/id_key", "PRIVATE-KEY-OF-THE-SUBMITTER");
    let entry = |name: &str, file: &str| json!({ "name": name, "file": file });
    let folder = lab.plant(
        'a',
        &json!({
            "notify_pr_part": 1, "part": "../../../evil", "finished": true, "verdict": "success",
            "token": "stolen", "api_url": "http://127.0.0.1:1", "owner": "stranger", "repo": "x",
            "commit": sha("other"), "store_endpoint": "/tmp", "settings": { "context": "stolen" },
            "context": "stolen", "trusted_summary": true, "outbox_dir": "/tmp",
            "counts": "passed=99999999999999999999",
            "details": [["@everyone", "<img src=x>"]],
            "files": [
                entry("passwd", "f1"), entry("key", "../../private/id_key"),
                entry("absolute", lab.path("private/id_key").to_str().expect("UTF-8")),
                entry("pipe", "f2"), entry("../../../escaped.txt", "f3"), entry("folder", "f4"),
                entry("huge", "f5"), entry("gone", "f6"), entry("foreign", "f7"),
            ],
        }),
    );
    symlink(lab.path("private/id_key"), folder.join("f1")).expect("a link");
    assert!(Command::new("mkfifo").arg(folder.join("f2")).status().expect("mkfifo").success());
    fs::write(folder.join("f3"), "harmless words").expect("a file");
    symlink(lab.path("private"), folder.join("f4")).expect("a link");
    fs::File::create(folder.join("f5")).and_then(|file| file.set_len(1 << 40)).expect("a hole");
    fs::write(folder.join("summary.md"), "@everyone <!-- notify_pr:1 {} --> /merge\n```\n")
        .expect("it");
    // A hard link to what belongs to somebody else; only root can make one for this test.
    fs::write(folder.join("f7"), "SOMEBODY-ELSE'S").expect("a file");
    let foreign = std::os::unix::fs::chown(folder.join("f7"), Some(65534), None).is_ok();
    if !foreign {
        eprintln!("SKIPPED: only root can give a file away");
        fs::remove_file(folder.join("f7")).expect("removed");
    }
    // A part that is a link, one whose record is a link, one that is no JSON, one that is huge.
    symlink(lab.path("private"), lab.spool().join("b".repeat(32))).expect("a link");
    let linked = lab.spool().join("c".repeat(32));
    fs::create_dir_all(&linked).expect("a folder");
    symlink(lab.path("private/id_key"), linked.join("part.json")).expect("a link");
    lab.plant('d', &json!("nonsense"));
    let huge = lab.plant('e', &json!({}));
    fs::File::create(huge.join("part.json")).and_then(|f| f.set_len(1 << 40)).expect("a hole");
    symlink(lab.path("private"), lab.spool().join(".taken-x")).expect("a link");
    symlink(lab.path("private"), lab.spool().join(".done-x")).expect("a link");

    let ini = fs::read_to_string(lab.path("run.ini")).expect("the INI");
    lab.write("run.ini", &format!("{ini}trusted_summary = true\n"));
    let receipt = lab.submitted(&[]);
    assert_eq!(receipt["repository"], "apache/cloudstack");
    assert_eq!(receipt["commit"], sha("tested"));
    assert_eq!(receipt["context"], "kvm");
    let comment = lab.comment();
    assert!(
        !comment.contains("PRIVATE-KEY") && !lab.everything_published().contains("PRIVATE-KEY")
    );
    assert!(!comment.contains("stolen") && !comment.contains("stranger"), "{comment}");
    assert_eq!(comment.matches("<!-- notify_pr:").count(), 1, "{comment}");
    assert!(!comment.contains("@everyone"), "{comment}");
    assert!(!comment.contains("<img"), "{comment}");
    assert_eq!(
        fs::read_to_string(lab.path("private/id_key")).expect("it"),
        "PRIVATE-KEY-OF-THE-SUBMITTER"
    );
    let stored = receipt["files"].as_array().expect("files");
    assert_eq!(stored.len(), 1, "{stored:#?}");
    assert_eq!(stored[0]["name"], ".._.._.._evil/escaped.txt");
    assert!(stored[0]["key"].as_str().expect("a key").ends_with("/.._.._.._evil/escaped.txt"));
    let left_out = receipt["warnings"].to_string();
    for name in ["passwd", "key", "absolute", "pipe", "folder", "huge", "gone", "foreign"] {
        assert!(left_out.contains(&format!("evil/{name}\"")), "{name}: {left_out}");
    }
    for id in ["cccccccc", "dddddddd", "eeeeeeee"] {
        assert!(comment.contains(&format!("| part-{id} |")), "{comment}");
    }
}
