//! A disk that is full in the middle of an upload. It is a small one of memory, which this program
//! mounts in a namespace of its own and runs itself in.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use notify_pr::events::Event;
use notify_pr::plan::{Planned, Source};
use stand_ins::{Bucket, BucketOptions};

use crate::scene::{FOLDER, Scene, bytes, plan, planned};

/// Where the small disk is, in the run that has one.
const DISK: &str = "NOTIFY_PR_TEST_SMALL_DISK";
/// What the shell says where nothing can be mounted.
const NO_MOUNT: i32 = 77;

/// Runs a test of this program again where a folder, which is the temporary one too, is on a disk
/// of its own with so many KiB. Where that cannot be had it is said.
fn run_on_a_small_disk(test: &str, kib: usize) {
    let folder = tempfile::TempDir::new().unwrap();
    let script =
        format!("mount -t tmpfs -o size={kib}k tmpfs \"$0\" || exit {NO_MOUNT}; exec \"$@\"");
    let run = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(DISK, folder.path())
        .env("TMPDIR", folder.path())
        .output();
    let output = match run {
        Err(_) => None,
        // unshare itself ends with 1 where the kernel refuses, before any test has said a word.
        Ok(output) if output.status.code() == Some(NO_MOUNT) || output.stdout.is_empty() => None,
        Ok(output) => Some(output),
    };
    let Some(output) = output else {
        println!("SKIPPED: a full disk: no small disk can be mounted here");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// All files below a folder, by their path from there.
fn found(folder: &Path, base: &Path) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.append(&mut found(&path, base)),
            false => drop(files.insert(path.strip_prefix(base).unwrap().to_owned())),
        }
    }
    files
}

#[test]
fn what_a_full_disk_has_no_room_for_is_named_and_the_rest_is_whole() {
    let Some(disk) = std::env::var_os(DISK).map(PathBuf::from) else {
        let test = "faults::full::\
                    what_a_full_disk_has_no_room_for_is_named_and_the_rest_is_whole";
        run_on_a_small_disk(test, 1024);
        return;
    };
    let endpoint = disk.display().to_string();
    let scene = Scene::new(&[
        ("store_api", "directory"),
        ("store_endpoint", &endpoint),
        ("store_public_url", "https://logs.example.org/"),
        ("jobs", "2"),
    ]);
    let plan = plan(vec![
        planned("too large.bin", bytes(1, 3 << 20)),
        planned("b.log", bytes(2, 400_000)),
        planned("c.log", bytes(3, 200_000)),
        planned("d.log", bytes(4, 1)),
    ]);
    let uploaded = scene.upload(&plan);
    let missing: Vec<_> = uploaded.missing.iter().map(|left| left.name.as_str()).collect();
    assert!(missing.contains(&"too large.bin"), "{missing:?}");
    for left in &uploaded.missing {
        assert!(left.reason.contains("the disk of the store is full"), "{}", left.reason);
    }
    assert_eq!(uploaded.files.len() + uploaded.missing.len(), plan.objects.len());
    for file in &uploaded.files {
        let object = plan.objects.iter().find(|object| object.name == file.name).unwrap();
        let Source::Memory(bytes) = &object.source else { panic!("it is in memory") };
        assert!(std::fs::read(disk.join(&file.key)).unwrap()[..] == bytes[..], "{}", file.name);
    }
    assert!(uploaded.files.iter().any(|file| file.name == "d.log"), "{missing:?}");
    let kept = found(&disk.join(FOLDER), &disk.join(FOLDER));
    assert_eq!(kept.len(), uploaded.files.len() + 1, "the marker and no half files: {kept:?}");
}

/// Text of which some half is left when it is compressed.
fn digits(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let line = |_| {
        let mut digits = String::new();
        for _ in 0..4 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            digits.push_str(&format!("{:012x}", state >> 16));
        }
        format!("the same words stand in every line of this log: {digits}\n").into_bytes()
    };
    (0..).flat_map(line).take(length).collect()
}

#[test]
fn text_that_finds_no_room_when_it_is_compressed_is_stored_as_it_is_and_that_is_said() {
    if std::env::var_os(DISK).is_none() {
        let test = "faults::full::\
                    text_that_finds_no_room_when_it_is_compressed_is_stored_as_it_is_and_that_is_said";
        run_on_a_small_disk(test, 1024);
        return;
    }
    let elsewhere = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = elsewhere.path().join(name);
        std::fs::File::create(&path).unwrap().write_all(bytes).unwrap();
        let (name, size) = (name.to_owned(), bytes.len() as u64);
        Planned { key: name.clone(), name, size, source: Source::File(path) }
    };
    // More than what may wait in memory.
    let texts = [("one.log", digits(1, 20 << 20)), ("two.log", digits(2, 18 << 20))];
    let mut objects: Vec<_> = texts.iter().map(|(name, bytes)| file(name, bytes)).collect();
    objects.push(file("small.log", &b"a line that comes again\n".repeat(9_000)));
    let plan = plan(objects);
    // Slow enough that compressing pays, on whatever machine.
    let (name, delay) = ("logs".to_owned(), Duration::from_secs(1));
    let bucket = Bucket::start_with(BucketOptions { name, delay, ..BucketOptions::default() });
    let scene = Scene::s3(&bucket, &[("jobs", "1")]);
    let uploaded = scene.upload(&plan);
    assert!(uploaded.failure.is_none(), "{:?}", uploaded.failure);
    assert!(uploaded.missing.is_empty(), "{:?}", uploaded.missing);
    for (name, bytes) in &texts {
        let stored = bucket.object(&format!("{FOLDER}{name}")).unwrap();
        assert!(stored.bytes[..] == bytes[..], "{name} is corrupt");
        assert_eq!(stored.header("content-encoding"), None);
    }
    let small = bucket.object(&format!("{FOLDER}small.log")).unwrap();
    assert_eq!(small.header("content-encoding"), Some("gzip"), "it waits in memory");
    let events = scene.events.lock().unwrap();
    let warnings: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Warning(text) => Some(text),
            _ => None,
        })
        .collect();
    assert_eq!(warnings.len(), 1, "it is said once: {warnings:?}");
    assert!(warnings[0].contains("uncompressed") && warnings[0].contains("TMPDIR"), "{warnings:?}");
}
