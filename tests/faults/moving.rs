//! Files that vanish, shrink, grow or are rotated away while they are uploaded: each is stored as it
//! was or as it is, never a part of the one and a part of the other, or it is named.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use notify_pr::events::{Event, Step};
use notify_pr::plan::{Plan, Planned, Source};
use notify_pr::store::MARKER;
use notify_pr::upload::Uploaded;
use tempfile::TempDir;

use super::bundles::far;
use super::sink::{NO_STALL, PART, Sink, each};
use crate::scene::{FOLDER, Scene, bytes, plan};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Vanishes,
    Shrinks,
    Grows,
    /// Another file takes its place.
    Rotates,
}

const CHANGES: [Change; 4] = [Change::Vanishes, Change::Shrinks, Change::Grows, Change::Rotates];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// It was planned, and nobody has opened it.
    BeforeItIsRead,
    WhileItIsSent,
}

/// Where the files go.
#[derive(Clone, Copy, Debug)]
enum To {
    S3,
    Swift,
    Directory,
    /// Swift, where small files go in bundles.
    Bundles,
}

enum Shelf {
    Sink(Sink),
    Folder(TempDir),
}

impl To {
    fn shelf(self) -> Shelf {
        match self {
            To::S3 => Shelf::Sink(Sink::s3()),
            To::Swift => Shelf::Sink(Sink::swift()),
            To::Bundles => Shelf::Sink(far()),
            To::Directory => Shelf::Folder(TempDir::new().unwrap()),
        }
    }
}

impl Shelf {
    /// One worker, so that it is known which file is sent first.
    fn scene(&self) -> Scene {
        let more = [("jobs", "1"), ("store_compress", "off")];
        match self {
            Shelf::Sink(sink) if sink.takes_bundles() => sink.plain_scene(&more, NO_STALL),
            Shelf::Sink(sink) => sink.scene(&more, NO_STALL),
            Shelf::Folder(folder) => Scene::new(&[
                ("store_api", "directory"),
                ("store_endpoint", folder.path().to_str().unwrap()),
                ("store_public_url", "https://logs.example.org"),
                ("jobs", "1"),
            ]),
        }
    }

    fn object(&self, name: &str) -> Option<Vec<u8>> {
        match self {
            Shelf::Sink(sink) => sink.object(name),
            Shelf::Folder(folder) => fs::read(folder.path().join(FOLDER).join(name)).ok(),
        }
    }

    fn names(&self) -> BTreeSet<String> {
        match self {
            Shelf::Sink(sink) => {
                assert_eq!(sink.leftovers(), [""; 0], "left behind");
                sink.names()
            }
            Shelf::Folder(folder) => {
                let entries = fs::read_dir(folder.path().join(FOLDER)).unwrap();
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
            }
        }
    }
}

fn apply(change: Change, path: &Path, length: usize) {
    match change {
        Change::Vanishes => fs::remove_file(path).unwrap(),
        Change::Shrinks => {
            let file = fs::File::options().write(true).open(path).unwrap();
            file.set_len(length as u64 / 3).unwrap();
        }
        Change::Grows => {
            let mut file = fs::File::options().append(true).open(path).unwrap();
            file.write_all(&bytes(8, 50_000)).unwrap();
        }
        Change::Rotates => {
            let new = path.with_extension("new");
            fs::write(&new, bytes(9, length + 10)).unwrap();
            fs::rename(new, path).unwrap();
        }
    }
}

/// Whether these bytes are the file as it was or as it is.
fn is_one(change: Change, found: &[u8], before: &[u8]) -> bool {
    found == before
        || match change {
            Change::Vanishes => false,
            Change::Shrinks => found == &before[..before.len() / 3],
            Change::Grows => {
                let rest = found.strip_prefix(before);
                rest.is_some_and(|rest| bytes(8, 50_000).starts_with(rest))
            }
            Change::Rotates => found == bytes(9, before.len() + 10),
        }
}

/// A run of files on the disk, of which the first one changes.
struct Files {
    folder: TempDir,
    plan: Plan,
    before: Vec<u8>,
}

impl Files {
    fn new(length: usize, others: usize) -> Files {
        let folder = TempDir::new().unwrap();
        let before = bytes(1, length);
        let file = |name: String, bytes: &[u8]| {
            let path: PathBuf = folder.path().join(&name);
            fs::write(&path, bytes).unwrap();
            Planned {
                key: name.clone(),
                name,
                size: bytes.len() as u64,
                source: Source::File(path),
            }
        };
        let mut objects = vec![file("moving.bin".to_owned(), &before)];
        objects.extend((0..others).map(|n| file(format!("still{n:02}.bin"), &bytes(n, 500 + n))));
        Files { plan: plan(objects), before, folder }
    }

    /// Uploads, and lets the file change at the moment.
    fn upload(&self, scene: &Scene, change: Change, when: When) -> Uploaded {
        let path = self.folder.path().join("moving.bin");
        let (pending, sent) = (Mutex::new(Some(path)), AtomicU64::new(0));
        let (length, trigger) = (self.before.len(), self.before.len() as u64 / 4);
        scene.submission.events.add_reader(move |event: &Event| {
            let now = match (when, event) {
                (When::BeforeItIsRead, Event::StepDone(Step::Stored(key))) => key.ends_with(MARKER),
                (When::WhileItIsSent, Event::Sent(bytes)) => {
                    sent.fetch_add(*bytes, Relaxed) + bytes > trigger
                }
                _ => false,
            };
            if let Some(path) = now.then(|| pending.lock().unwrap().take()).flatten() {
                apply(change, &path, length);
            }
        });
        scene.upload(&self.plan)
    }
}

fn holds(to: To, length: usize, others: usize, change: Change, when: When) {
    let what = format!("{to:?}, {length} bytes: it {change:?} {when:?}");
    let (shelf, files) = (to.shelf(), Files::new(length, others));
    let scene = shelf.scene();
    let uploaded = files.upload(&scene, change, when);
    assert!(uploaded.failure.is_none(), "{what}: {:?}", uploaded.failure);
    for file in &uploaded.files {
        let found = shelf.object(&file.name).unwrap_or_else(|| panic!("{what}: {}", file.name));
        assert_eq!(file.size, found.len() as u64, "{what}");
        match file.name.strip_prefix("still") {
            Some(n) => {
                let n: usize = n.trim_end_matches(".bin").parse().unwrap();
                assert!(found == bytes(n, 500 + n), "{what}: {}", file.name);
            }
            None => assert!(is_one(change, &found, &files.before), "{what}: it is torn"),
        }
    }
    let missing: Vec<&str> = uploaded.missing.iter().map(|left| left.name.as_str()).collect();
    assert_eq!(uploaded.files.len() + missing.len(), files.plan.objects.len(), "{what}");
    match change {
        Change::Vanishes => assert!(missing.is_empty() || missing == ["moving.bin"], "{what}"),
        _ => assert_eq!(missing, [""; 0], "{what}: {:?}", uploaded.missing),
    }
    if when == When::BeforeItIsRead && change == Change::Vanishes {
        assert_eq!(missing, ["moving.bin"], "{what}");
    }
    for left in &uploaded.missing {
        let told = left.reason.contains("read") && !left.reason.contains('/');
        assert!(told, "{what}: {}", left.reason);
    }
    let mut expected: BTreeSet<String> =
        uploaded.files.iter().map(|file| file.name.clone()).collect();
    expected.insert(MARKER.to_owned());
    assert_eq!(shelf.names(), expected, "{what}");
    let sizes: u64 = uploaded.files.iter().map(|file| file.size).sum();
    assert_eq!(scene.sent() as u64, sizes, "{what}: what was sent in vain is taken back");
}

#[test]
fn files_that_change_while_they_are_uploaded_are_stored_as_one_or_named() {
    let whens = [When::BeforeItIsRead, When::WhileItIsSent];
    let mut cases = Vec::new();
    for to in [To::S3, To::Swift, To::Directory] {
        for length in [40_000, 900_000, 3 * PART + 77_777] {
            for change in CHANGES {
                cases.extend(whens.map(|when| (to, length, 3, change, when)));
            }
        }
    }
    for change in CHANGES {
        cases.extend(whens.map(|when| (To::Bundles, 5_000, 60, change, when)));
    }
    each(&cases, |(to, length, others, change, when)| holds(*to, *length, *others, *change, *when));
}
