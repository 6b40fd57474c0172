//! A folder whose disk is full: the whole command, on a small disk that it has for itself.

use std::collections::BTreeSet;
use std::process::Command;

use notify_pr::Status;
use tempfile::TempDir;

use super::desk::{Desk, HEAD};
use crate::lab::{REPOSITORY, TOKEN};

/// What the shell says where nothing can be mounted.
const NO_MOUNT: i32 = 77;
/// Mounts a small disk in a namespace of its own, runs the command, and saves what is on the disk.
const SCRIPT: &str = "mount -t tmpfs -o size=1024k tmpfs \"$0\" || exit 77; out=$1; shift; \"$@\"; \
                      status=$?; cp -r \"$0/.\" \"$out\"; exit $status";

#[test]
fn what_a_full_disk_has_no_room_for_is_named_in_the_receipt_and_in_the_comment() {
    let (desk, disk, kept) = (Desk::new(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let noise = |seed: usize, length: usize| -> Vec<u8> {
        (0..length).map(|at| ((at * 31 + at / 251 + seed) % 251) as u8).collect()
    };
    let files = [
        ("too large.bin", noise(1, 3 << 20)),
        ("b.bin", noise(2, 400_000)),
        ("c.bin", noise(3, 1)),
    ];
    for (name, bytes) in &files {
        desk.write(name, bytes);
    }
    let (github, outbox) = (desk.github.url(), desk.outbox.path().to_str().unwrap());
    let (folder, logs) = (disk.path().to_str().unwrap(), desk.files.path().to_str().unwrap());
    let run = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", SCRIPT, folder])
        .arg(kept.path())
        .args([env!("CARGO_BIN_EXE_notify_pr"), "--json", "--full-detail-dir", logs])
        .args(["--store-api", "directory", "--store-endpoint", folder, "--outbox-dir", outbox])
        .args(["--store-public-url", "https://logs.invalid", "--api-url", &github])
        .args(["--repo", REPOSITORY, "--commit", HEAD])
        .env("NOTIFY_PR_TOKEN", TOKEN)
        .output();
    let output = match run {
        Ok(output) if output.status.code() != Some(NO_MOUNT) && !output.stdout.is_empty() => output,
        _ => {
            println!("SKIPPED: a full disk: no small disk can be mounted here");
            return;
        }
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let receipt: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(Status::StorePartial.code()), "{said}");
    let comments = desk.github.comments(REPOSITORY, desk.number);
    let [comment] = comments.as_slice() else { panic!("{} comments", comments.len()) };
    let missing = receipt["missing"].as_array().unwrap();
    assert_eq!(missing.len(), 1, "{receipt}");
    assert_eq!(missing[0]["name"], "too large.bin");
    let reason = missing[0]["reason"].as_str().unwrap();
    assert!(reason.contains("the disk of the store is full") && !reason.contains(folder));
    let (text, plain) = (&comment.body, comment.body.replace('\\', ""));
    assert!(plain.contains("too large.bin") && plain.contains(reason), "{text}");
    assert!(!text.contains("too%20large.bin"), "no dead link: {text}");
    let mut stored = BTreeSet::new();
    for file in receipt["files"].as_array().unwrap() {
        let name = file["name"].as_str().unwrap();
        let bytes = std::fs::read(kept.path().join(file["key"].as_str().unwrap())).unwrap();
        let expected = files.iter().find(|(known, _)| *known == name).unwrap();
        assert!(bytes == expected.1, "{name} is corrupt");
        stored.insert(name);
    }
    assert_eq!(stored, BTreeSet::from(["b.bin", "c.bin"]));
}
