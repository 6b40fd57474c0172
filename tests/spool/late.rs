//! Parts that come when the others were reported already.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use serde_json::{Value, json};
use stand_ins::{Fault, sha};

use super::lab::Lab;

/// A lab whose comment tells of one part that failed.
fn reported() -> Lab {
    let lab = Lab::new();
    lab.write("a.txt", "a");
    lab.collected("bad", &["--attach", "a.txt", "--counts", "passed=3,failed=1"]);
    lab.submitted(&[]);
    lab
}

/// What the spool remembers.
fn memory(lab: &Lab) -> Value {
    let remembered = lab.remembered();
    assert_eq!(remembered.len(), 1, "{remembered:?}");
    serde_json::from_slice(&fs::read(&remembered[0]).expect("a file")).expect("JSON")
}

/// Writes down what the spool shall remember.
fn remember(lab: &Lab, id: char, memory: &Value) {
    let name = format!(".reported-{}.json", id.to_string().repeat(32));
    fs::write(lab.spool().join(name), memory.to_string()).expect("written");
}

#[test]
fn a_part_that_comes_late_adds_a_line_and_the_worst_verdict_stays() {
    let lab = reported();
    let page = lab.submitted_page();
    lab.write("b.txt", "b");
    lab.collected("late", &["--attach", "b.txt", "--counts", "passed=2"]);
    let receipt = lab.submitted(&[]);
    let comment = lab.comment();
    for text in [
        "| Verdict | Failed |",
        "| Tests | 5 passed, 1 failed |",
        "**Parts** · 2: 1 failed, 1 passed",
        "| bad | ❌ Failed, reported before | 3 | 1 | 0 | 0 |",
        "| late | ✅ Passed | 2 |",
        &format!("reported before are on [an earlier page](<{page}>)"),
    ] {
        assert!(comment.contains(text), "{text} is missing in:\n{comment}");
    }
    assert_eq!(receipt["parts"][0]["reported_before"], true, "{receipt}");
    assert_eq!(receipt["parts"][1]["reported_before"], false, "{receipt}");
    let names: Vec<&Value> =
        receipt["files"].as_array().expect("files").iter().map(|file| &file["name"]).collect();
    assert_eq!(names, ["late/b.txt"], "only what came now is uploaded");
    // And once more.
    lab.collected("later", &["--counts", "passed=1"]);
    lab.submitted(&[]);
    let comment = lab.comment();
    assert!(comment.contains("**Parts** · 3: 1 failed, 2 passed"), "{comment}");
    assert!(comment.contains("| Tests | 6 passed, 1 failed |"), "{comment}");
    assert!(comment.contains("are on earlier pages: [1](<"), "{comment}");
}

#[test]
fn a_part_of_the_same_name_stays_beside_the_one_that_was_reported() {
    let lab = reported();
    lab.collected("bad", &["--counts", "passed=4"]);
    lab.submitted(&[]);
    let comment = lab.comment();
    assert!(comment.contains("| bad | ❌ Failed, reported before |"), "{comment}");
    assert!(comment.contains("| bad&#126;2 | ✅ Passed |"), "{comment}");
    assert!(comment.contains("| Verdict | Failed |"), "{comment}");
}

#[test]
fn what_is_remembered_is_small_and_its_owners_only_and_there_once() {
    let lab = reported();
    lab.collected("late", &[]);
    lab.submitted(&["--dry-run"]);
    assert_eq!(
        memory(&lab)["parts"].as_array().map(Vec::len),
        Some(1),
        "a rehearsal notes nothing"
    );
    lab.submitted(&[]);
    let metadata = fs::metadata(&lab.remembered()[0]).expect("a file");
    assert_eq!(metadata.mode() & 0o777, 0o600);
    let memory = memory(&lab);
    assert_eq!(memory["parts"].as_array().map(Vec::len), Some(2), "{memory}");
    assert!(!memory.to_string().contains("a.txt"), "no files: {memory}");
}

#[test]
fn a_failed_submission_forgets_nothing_and_remembers_nothing() {
    let lab = reported();
    let before = memory(&lab);
    lab.collected("late", &[]);
    lab.github.fault(Fault::on("PATCH", "/comments").status(422).forever());
    assert_eq!(lab.submit(&[]).status.code(), Some(31));
    lab.github.clear_faults();
    assert_eq!(memory(&lab), before);
    lab.submitted(&[]);
    assert!(lab.comment().contains("**Parts** · 2:"), "{}", lab.comment());
}

#[test]
fn another_commit_context_build_or_repository_begins_anew() {
    for change in [
        json!({ "run": { "commit": sha("other") } }),
        json!({ "run": { "repository": "apache/other" } }),
        json!({ "run": { "build_url": "https://ci.example.org/41/" } }),
        json!({ "context": "vmware" }),
        json!({ "notify_pr_reported": 0 }),
        json!({ "at": "2020-01-02T03:04:05Z" }),
        json!({ "at": "2999-01-02T03:04:05Z" }),
    ] {
        let lab = reported();
        let mut changed = memory(&lab);
        for (name, value) in change.as_object().expect("an object") {
            match value.as_object() {
                Some(inner) => inner.iter().for_each(|(inner, value)| {
                    changed[name][inner] = value.clone();
                }),
                None => changed[name] = value.clone(),
            }
        }
        fs::write(&lab.remembered()[0], changed.to_string()).expect("written");
        lab.collected("late", &["--verdict", "success"]);
        let receipt = lab.submitted(&["--build-url", "https://ci.example.org/42/"]);
        assert_eq!(receipt["parts"].as_array().map(Vec::len), Some(1), "{change}: {receipt}");
        // What is over goes, what another submission may go on with stays.
        let stays = !["build_url", "notify_pr", "\"at\""]
            .iter()
            .any(|over| change.to_string().contains(over));
        assert_eq!(lab.remembered().len(), 1 + usize::from(stays), "{change}");
    }
}

#[test]
fn what_a_later_version_noted_stays_and_is_named_and_fields_that_are_not_known_are_ignored() {
    let lab = reported();
    let mut known = memory(&lab);
    known["colour"] = json!({ "of": ["the", "line"] });
    known["parts"][0]["colour"] = json!(7);
    let mut later = json!({ "notify_pr_reported": 2, "at": known["at"], "run": 1, "parts": {} });
    fs::write(&lab.remembered()[0], known.to_string()).expect("written");
    remember(&lab, 'b', &later);
    lab.collected("late", &["--verdict", "success"]);
    let receipt = lab.submitted(&[]);
    assert_eq!(receipt["parts"].as_array().map(Vec::len), Some(2), "{receipt}");
    let said = receipt["warnings"].to_string();
    assert!(said.contains("later version") && said.contains("layout 2"), "{said}");
    let kept = lab.spool().join(format!(".reported-{}.json", "b".repeat(32)));
    assert_eq!(fs::read_to_string(&kept).expect("it stays"), later.to_string());
    // It has its time like any other.
    later["at"] = json!("2020-01-02T03:04:05Z");
    remember(&lab, 'b', &later);
    lab.collected("last", &["--verdict", "success"]);
    lab.submitted(&[]);
    assert!(!kept.exists());
}

#[test]
fn what_the_spool_remembers_is_not_believed() {
    let lab = reported();
    let honest = memory(&lab);
    let page = honest["pages"][0].as_str().expect("a key");
    let mut forged = honest.clone();
    forged["pages"] = json!([
        "https://evil.example.org/index.html",
        page.replace("index.html", "../../secret/index.html"),
        page.replace("index.html", "private.key"),
        page.replace("cloudstack", "another"),
        page.replace("pr-1", "pr-2"),
    ]);
    forged["parts"] = json!([
        { "id": "a".repeat(32), "name": "../<b>@everyone", "verdict": "<script>", "counts": "x" },
        { "id": "../../x", "name": "no id", "verdict": "error" },
    ]);
    fs::remove_file(&lab.remembered()[0]).expect("removed");
    remember(&lab, 'a', &forged);
    remember(&lab, 'b', &json!("nonsense"));
    fs::File::create(lab.spool().join(".reported-huge.json"))
        .and_then(|file| file.set_len(1 << 40))
        .expect("a hole");
    lab.write("private.json", &honest.to_string());
    symlink(lab.path("private.json"), lab.spool().join(".reported-link.json")).expect("a link");
    fs::create_dir(lab.spool().join(".reported-folder")).expect("a folder");
    lab.collected("late", &["--verdict", "success"]);
    let receipt = lab.submitted(&[]);
    let comment = lab.comment();
    assert_eq!(receipt["parts"].as_array().map(Vec::len), Some(2), "{receipt}");
    assert!(!comment.contains("<b>") && !comment.contains("<script>"), "{comment}");
    assert!(!comment.contains("earlier page"), "{comment}");
    assert!(lab.path("private.json").exists());
    let left: Vec<bool> = lab.remembered().iter().map(|path| path.is_dir()).collect();
    assert_eq!(left.iter().filter(|is_dir| !**is_dir).count(), 1, "{:?}", lab.remembered());
}

#[test]
fn a_key_of_megabytes_is_forgotten() {
    let lab = reported();
    let mut forged = memory(&lab);
    forged["pages"] = json!([""]);
    let room = (8 << 20) - forged.to_string().len();
    forged["pages"] = json!(["x".repeat(room)]);
    fs::remove_file(&lab.remembered()[0]).expect("removed");
    remember(&lab, 'a', &forged);
    lab.collected("late", &["--verdict", "success"]);
    lab.submitted(&[]);
    let now = memory(&lab);
    assert_eq!(now["parts"].as_array().map(Vec::len), Some(2), "{now}");
    assert_eq!(now["pages"].as_array().map(Vec::len), Some(1));
}

#[test]
fn parts_beyond_what_one_submission_takes_are_added_by_the_next() {
    let lab = Lab::new();
    for number in 0..5_001 {
        let folder = lab.spool().join(format!("{number:032x}"));
        fs::create_dir_all(&folder).expect("a folder");
        let verdict = if number == 7 { "failure" } else { "success" };
        let part = json!({
            "notify_pr_part": 1, "part": format!("p{number}"), "finished": true,
            "verdict": verdict,
        });
        fs::write(folder.join("part.json"), part.to_string()).expect("a record");
    }
    let receipt = lab.submitted(&[]);
    let said = receipt["warnings"].to_string();
    assert!(said.contains("1 more part waits"), "{said}");
    let receipt = lab.submitted(&[]);
    assert_eq!(receipt["parts"].as_array().map(Vec::len), Some(5_001));
    let comment = lab.comment();
    assert!(comment.contains("| Verdict | Failed |"), "{comment}");
    assert!(comment.contains("| p7 | ❌ Failed, reported before |"), "{comment}");
}
