//! A run of CloudStack's: 160 processes at once, some of which are killed in the middle.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use serde_json::Value;

use super::lab::{Lab, err, files, names};

const PROCESSES: usize = 160;

/// What becomes of a process.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Passes,
    Fails,
    /// It is killed before it has done anything, as far as that can be timed.
    DiesEarly,
    /// It is killed while it writes its part.
    DiesInTheMiddle,
}

fn fate(number: usize) -> Fate {
    match number % 16 {
        3 | 11 => Fate::DiesInTheMiddle,
        7 if number % 32 == 7 => Fate::DiesEarly,
        5 | 13 => Fate::Fails,
        _ => Fate::Passes,
    }
}

fn suite(number: usize) -> String {
    format!("suite {number:03}")
}

fn start(lab: &Lab, number: usize) -> Child {
    let name = suite(number);
    let logs = format!("{name}/logs");
    lab.write(&format!("{logs}/results.txt"), &format!("the words of {name}"));
    let counts = match fate(number) {
        Fate::Fails => "passed=3,failed=1",
        _ => "passed=4",
    };
    if fate(number) != Fate::DiesInTheMiddle {
        return lab.collect(&name, &["--attach", &logs, "--counts", counts]);
    }
    // The INI has a secret, which is looked for in the long file. That takes longer than to kill it.
    let long = lab.path(&format!("{logs}/long.log"));
    fs::File::create(long).and_then(|file| file.set_len(128 << 20)).expect("a hole");
    lab.collect(&name, &["--attach", &logs, "--counts", counts, "--config", "run.ini"])
}

/// Where this process writes its part, if it has begun.
fn part_in_writing(lab: &Lab, process: u32) -> Option<PathBuf> {
    if !lab.spool().exists() {
        return None;
    }
    names(&lab.spool()).iter().find_map(|name| {
        let record = fs::read(lab.spool().join(name).join("part.json")).ok()?;
        let record: Value = serde_json::from_slice(&record).ok()?;
        let is_its = record["pid"] == process && record["finished"] != true;
        is_its.then(|| lab.spool().join(name).join("new"))
    })
}

/// Lets a process come to its fate, and says whether it ended well.
fn end(lab: &Lab, number: usize, mut child: Child) -> bool {
    match fate(number) {
        Fate::DiesEarly => child.kill().expect("it can be killed"),
        Fate::DiesInTheMiddle => {
            let id = child.id();
            let writes = || part_in_writing(lab, id).is_some_and(|folder| folder.exists());
            while !writes() && child.try_wait().expect("it can be asked").is_none() {
                std::thread::sleep(Duration::from_millis(5));
            }
            child.kill().expect("it can be killed");
        }
        Fate::Passes | Fate::Fails => {}
    }
    let output = child.wait_with_output().expect("it ends");
    let killed = output.status.signal() == Some(9);
    assert!(killed || output.status.success(), "{}", err(&output));
    !killed
}

#[test]
fn of_160_processes_at_once_each_that_began_has_its_line() {
    let lab = Lab::new();
    let ended: BTreeMap<usize, bool> = std::thread::scope(|scope| {
        let lab = &lab;
        let threads: Vec<_> = (0..PROCESSES)
            .map(|number| {
                let child = start(lab, number);
                scope.spawn(move || (number, end(lab, number, child)))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    // Some may have been too fast.
    let killed = |number: &usize| fate(*number) == Fate::DiesInTheMiddle && !ended[number];
    assert!((0..PROCESSES).any(|number| killed(&number)), "none was killed: {ended:?}");
    assert!(lab.github.requests().is_empty(), "parts are set aside without network");

    let receipt = lab.submitted(&[]);
    let comment = lab.comment();
    println!("{comment}");
    let parts: BTreeMap<&str, &Value> = receipt["parts"]
        .as_array()
        .expect("parts")
        .iter()
        .map(|part| (part["name"].as_str().expect("a name"), part))
        .collect();
    let published = files(lab.published.path());
    for (number, well) in &ended {
        let name = suite(*number);
        let Some(part) = parts.get(name.as_str()) else {
            assert!(fate(*number) == Fate::DiesEarly, "{name} has no line");
            continue;
        };
        // Its part may have been whole a moment before it was killed.
        let well = *well || (killed(number) && part["finished"] == true);
        assert_eq!(part["finished"], well, "{part}");
        let line = comment.lines().find(|line| line.starts_with(&format!("| {name} |")));
        let line = line.unwrap_or_else(|| panic!("{name} is not in the comment"));
        let said = match (well, fate(*number)) {
            (false, _) => "| ⏹️ Did not finish |",
            (true, Fate::Fails) => "| ❌ Failed | 3 | 1 |",
            (true, _) => "| ✅ Passed | 4 |",
        };
        assert!(line.contains(said), "{line}");
        let stored = published.iter().find(|path| path.ends_with(format!("{name}/results.txt")));
        let stored = stored.map(|path| fs::read_to_string(path).expect("text"));
        assert_eq!(stored, well.then(|| format!("the words of {name}")));
    }
    assert_eq!(lab.left(), Vec::<String>::new(), "nothing half written is left");
}
