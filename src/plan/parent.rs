//! The common parent that names are relative to.
//!
//! A folder that is attached counts as itself, a file as the folder it is in, a pattern as the
//! folder before its first wildcard. With one of them that folder is the common parent: the files
//! of `/tmp/MarvinLogs` are called `test_a/results.txt`. With several it is the innermost folder
//! that holds them all: with `/tmp/summary.log` beside it they are `MarvinLogs/test_a/results.txt`
//! and `summary.log`.
//!
//! Sometimes there is no such folder that says something: the inputs share only the root of the
//! file system or a top folder such as `/var`, so that names would show half of an absolute path,
//! or a name would show whose home directory it is in. Then each input goes by its own last name.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::inputs::{Input, What, absolute};
use super::names;

/// The common parent, or none if each input goes by its own name.
pub(super) fn common(inputs: &[Input]) -> Option<PathBuf> {
    let mut anchors = inputs.iter().map(|input| input.anchor.as_path());
    let first = anchors.next()?.to_owned();
    let parent = anchors.fold(first, shared);
    let alone = inputs.iter().all(|input| input.anchor == parent);
    let shows_home = inputs
        .iter()
        .any(|input| input.anchor.ancestors().take_while(|folder| *folder != parent).any(is_home));
    let here = std::env::current_dir().unwrap_or_default();
    let is_deep = depth(&parent) >= 2 || (depth(&here) >= 1 && parent.starts_with(here));
    let is_near = inputs.iter().all(|input| depth(&input.anchor) <= depth(&parent) + 1);
    (alone || (!shows_home && (is_deep || is_near))).then_some(parent)
}

/// What stands before the names of each input's files.
pub(super) fn labels(inputs: &[Input], parent: Option<&Path>) -> Vec<PathBuf> {
    if let Some(parent) = parent {
        let below = |input: &Input| input.anchor.strip_prefix(parent).map(Path::to_owned);
        return inputs.iter().map(|input| below(input).unwrap_or_default()).collect();
    }
    let mut taken: BTreeMap<PathBuf, &Path> = BTreeMap::new();
    let label = |input| own_label(input, &mut taken);
    inputs.iter().map(label).collect()
}

fn own_label<'i>(input: &'i Input, taken: &mut BTreeMap<PathBuf, &'i Path>) -> PathBuf {
    if let What::File(_) = input.what {
        return PathBuf::new();
    }
    let name = match input.anchor.file_name() {
        Some(name) if !is_home(&input.anchor) => name.to_owned(),
        Some(_) => "home".into(),
        None => return PathBuf::new(),
    };
    let mut label = PathBuf::from(&name);
    for number in 2.. {
        if *taken.entry(label.clone()).or_insert(&input.anchor) == input.anchor {
            break;
        }
        let mut numbered = name.clone();
        numbered.push(format!("~{number}"));
        label = PathBuf::from(numbered);
    }
    label
}

/// The name that something is called by that is not there: as its object would be, or as it was
/// written, but never with an absolute path in it.
pub(super) fn name_of_absent(written: &Path, parent: Option<&Path>) -> Vec<u8> {
    let below = parent.and_then(|parent| {
        let path = absolute(written);
        path.strip_prefix(parent).ok().map(names::of)
    });
    if let Some(name) = below.filter(|name| !name.is_empty()) {
        return name;
    }
    let is_plain = |component| matches!(component, Component::Normal(_) | Component::CurDir);
    if written.components().all(is_plain) {
        return names::of(written);
    }
    written.file_name().map_or_else(|| b"..".to_vec(), |name| names::of(Path::new(name)))
}

fn shared(one: PathBuf, other: &Path) -> PathBuf {
    let pairs = one.components().zip(other.components());
    pairs.take_while(|(one, other)| one == other).map(|(component, _)| component).collect()
}

fn depth(path: &Path) -> usize {
    path.components().filter(|component| matches!(component, Component::Normal(_))).count()
}

/// Whether the last component is the name of a user.
fn is_home(path: &Path) -> bool {
    let above = path.parent().and_then(Path::file_name);
    path == Path::new("/root") || above.is_some_and(|above| above == "home" || above == "Users")
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::plan::inputs::NamedFile;

    fn folder(path: &str) -> Input {
        Input { anchor: path.into(), what: What::Folder { root: path.into() } }
    }

    fn file(path: &str) -> Input {
        let path = Path::new(path);
        Input {
            anchor: path.parent().unwrap().into(),
            what: What::File(NamedFile {
                name: path.file_name().unwrap().into(),
                path: path.into(),
                size: 0,
                linked: false,
            }),
        }
    }

    fn labels_of(inputs: &[Input]) -> Vec<String> {
        let parent = common(inputs);
        let labels = labels(inputs, parent.as_deref());
        labels.iter().map(|label| label.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn one_input_is_its_own_parent() {
        assert_eq!(labels_of(&[folder("/tmp/MarvinLogs")]), [""]);
        assert_eq!(labels_of(&[file("/home/contributor/a.log")]), [""]);
        assert_eq!(labels_of(&[file("/x/a.log"), file("/x/b.log")]), ["", ""]);
        assert_eq!(common(&[]), None);
    }

    #[test]
    fn several_inputs_are_named_below_what_they_share() {
        assert_eq!(labels_of(&[folder("/tmp/MarvinLogs"), file("/tmp/a.log")]), ["MarvinLogs", ""]);
        let job = [file("/ci/job/x/one/a.log"), file("/ci/job/y/a.log"), folder("/ci/job/logs")];
        assert_eq!(labels_of(&job), ["x/one", "y", "logs"]);
        // By component: /ci/job-2 is not in /ci/job.
        assert_eq!(labels_of(&[folder("/ci/x/job"), folder("/ci/x/job-2")]), ["job", "job-2"]);
    }

    #[test]
    fn without_a_telling_parent_each_goes_by_its_own_name() {
        let far = [folder("/var/lib/ci/logs"), file("/tmp/a.log"), folder("/opt/lab/logs")];
        assert_eq!(labels_of(&far), ["logs", "", "logs~2"]);
        let twice = [folder("/var/lib/ci/logs"), file("/tmp/a.log"), folder("/var/lib/ci/logs")];
        assert_eq!(labels_of(&twice), ["logs", "", "logs"]);
    }

    #[test]
    fn no_name_shows_a_user() {
        for inputs in [
            [folder("/home/contributor/logs"), folder("/home/stranger/results")],
            [folder("/home/contributor/logs"), file("/home/a.log")],
            [folder("/mnt/disk/home/contributor"), file("/mnt/disk/a.log")],
            [folder("/root"), file("/tmp/a.log")],
        ] {
            let labels = labels_of(&inputs);
            assert!(
                labels.iter().all(|l| ["logs", "results", "home", ""].contains(&l.as_str())),
                "{labels:?}"
            );
        }
    }

    #[test]
    fn what_is_absent_is_named_without_an_absolute_path() {
        let name = |written: &str, parent: Option<&str>| {
            String::from_utf8(name_of_absent(Path::new(written), parent.map(Path::new))).unwrap()
        };
        assert_eq!(name("/ci/job/x/a.log", Some("/ci/job")), "x/a.log");
        assert_eq!(name("/ci/job/x/a.log", Some("/ci/j")), "a.log");
        assert_eq!(name("/home/contributor/*.log", None), "*.log");
        assert_eq!(name("logs/./a.log", None), "logs/a.log");
        assert_eq!(name("../secret/a.log", None), "a.log");
    }
}
