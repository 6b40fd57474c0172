//! The comment: what a reader sees, and that it fits whatever comes in.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly")]

use std::sync::Arc;

use notify_pr::compose::marker::Marker;
use notify_pr::compose::{Facts, GITHUB_MAX, LinkedFile, check, comment, context, full_text};
use notify_pr::events::{Event, Events};
use notify_pr::find::{Found, Match, Relation};
use notify_pr::github::{PullRequest, State};
use notify_pr::plan::LeftOut;
use notify_pr::settings::{Origin, Settings};
use notify_pr::status::Status;
use notify_pr::submission::{Cancel, Submission};
use time::macros::datetime;

const COMMIT: &str = "c8443496d3fad78a4b1a48a0992ce545bde299e8";
const HEAD: &str = "0d1e2f3a4b5c6d7e8f901234567890abcdef1234";
const SECRET: &str = "example-token-8f3a91";
const PAGE: &str = "https://logs.example.org/7d/run/index.html";
const FULL: &str = "https://logs.example.org/7d/run/report.md";

fn submission(settings: &[(&str, &str)]) -> Submission {
    submission_with(settings, Events::default())
}

fn submission_with(settings: &[(&str, &str)], events: Events) -> Submission {
    let mut all = Settings::new();
    for (name, value) in [("context", "trillian-kvm"), ("token", SECRET)].iter().chain(settings) {
        all.set(name, value, Origin::Api).unwrap();
    }
    let mut submission = Submission::new(all, Arc::new(events), Cancel::new()).unwrap();
    submission.id = "00112233445566778899aabbccddeeff".to_owned();
    submission.started = datetime!(2026-11-23 12:22:54 UTC);
    submission
}

fn matched(relation: Relation) -> Match {
    let pull_request = PullRequest {
        number: 42,
        url: "https://github.com/apache/cloudstack/pull/42".to_owned(),
        title: "A better thing".to_owned(),
        head_sha: if relation == Relation::Head { COMMIT } else { HEAD }.to_owned(),
        merge_sha: None,
        state: State::Open,
        locked: false,
        base_branch: "main".to_owned(),
        base_sha: String::new(),
        head_branch: None,
    };
    Match { pull_request, relation }
}

fn found(relation: Relation) -> Found {
    Found {
        repository: "apache/cloudstack".to_owned(),
        repository_url: "https://github.com/apache/cloudstack".to_owned(),
        private: Some(false),
        commit: COMMIT.to_owned(),
        matches: vec![matched(relation)],
        skipped: Vec::new(),
        searched: String::new(),
    }
}

fn file(name: &str, size: u64) -> LinkedFile {
    LinkedFile {
        name: name.to_owned(),
        size,
        content_type: "text/plain; charset=utf-8".to_owned(),
        url: Some(format!("https://logs.example.org/7d/run/{}", name.replace(' ', "%20"))),
    }
}

fn files(count: usize) -> Vec<LinkedFile> {
    (0..count).map(|n| file(&format!("suite_{}/log {n}.txt", n % 160), 1_000_000)).collect()
}

fn left_out(count: usize) -> Vec<LeftOut> {
    let entry = |n| LeftOut {
        name: format!("core.{n}"),
        reason: "larger than max_file (4.3 GB; at most 1.1 GB)".to_owned(),
    };
    (0..count).map(entry).collect()
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// What holds for every comment.
fn checked(text: &str) -> &str {
    assert!(length(text) <= GITHUB_MAX, "{} characters", length(text));
    assert!(text.len() <= 262_144, "{} bytes", text.len());
    assert!(text.starts_with("### "), "{}", &text[..text.len().min(80)]);
    let marker = Marker::parse(text).expect("the last line is our marker");
    assert_eq!(marker.context, "trillian-kvm");
    assert_eq!(marker.commit, COMMIT);
    assert_eq!(text.matches("<!-- notify_pr:").count(), 1, "only one marker");
    assert!(text.contains("[`c844349`](<https://github.com/apache/cloudstack/commit/c8443496"));
    let outside: String = text.split("```").step_by(2).collect();
    assert_eq!(text.matches("```").count() % 2, 0, "a fence is open");
    assert_eq!(
        outside.matches("<details>").count(),
        outside.matches("</details>").count(),
        "a fold is open"
    );
    text
}

fn marvin_details() -> Vec<(String, String)> {
    [
        ("Hypervisor", "KVM (AlmaLinux 9, x2)"),
        ("Network", "Advanced zone"),
        ("Duration", "8 h 6 min"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

const SUMMARY: &str = "\
Smoke tests completed: **139 passed**, 2 failed, 1 did not run.

| Test | Result | Time (s) | File |
|---|---|--:|---|
| test_02_fail | `Failure` | 60.72 | test_demo.py |
| test_03_error | `Error` | 384.62 | test_demo.py |

```
AssertionError: 1 != 2 : VM state should be Running <not> Error & \"x\"
```
";

#[test]
fn a_reader_sees_the_verdict_the_commit_the_summary_and_the_logs() {
    let submission = submission(&[
        ("title", "Marvin smoke tests"),
        ("verdict", "failure"),
        ("build_url", "https://jenkins.example.org/job/smoke/156/"),
    ]);
    let found = found(Relation::Outdated);
    let details = marvin_details();
    let files = [
        file("console.txt", 48_213),
        file("TestDemo_ABC123/results.txt", 1_245),
        file("TestDemo_ABC123/runinfo.txt", 3_400_000),
        file("test_volumes_Q1W2E3/results.txt", 620),
    ];
    let missing = [LeftOut {
        name: "jetty-log/management.log".to_owned(),
        reason: "the store refused it (413)".to_owned(),
    }];
    let facts = Facts {
        found: Some(&found),
        details: &details,
        summary: Some(SUMMARY),
        files: &files,
        missing: &missing,
        left_out: &left_out(2),
        page_url: Some(PAGE),
        full_text_url: Some(FULL),
        expires: Some(datetime!(2026-11-30 00:00 UTC)),
        ..Facts::new(&submission, "apache/cloudstack", COMMIT)
    };
    let text = comment(&facts, Some(&found.matches[0])).unwrap();
    checked(&text);
    let expected = include_str!("data/comment.md").trim_end();
    assert_eq!(text, expected.replace("{version}", env!("CARGO_PKG_VERSION")), "\n{text}");
}

#[test]
fn a_comment_fits_whatever_the_summary_is() {
    let submission = submission(&[]);
    let found = found(Relation::Head);
    for summary in [
        "😀".repeat(65_536),
        "word ".repeat(2_000_000),
        "x".repeat(10_000_000),
        "@everyone ".repeat(100_000),
        "`".repeat(70_000),
        "```\n".repeat(50_000),
        format!("```\n{}", "a line of a log\n".repeat(100_000)),
        "| a | b |\n".repeat(30_000),
        format!("| a | b |\n|---|---|\n{}", "| c | d |\n".repeat(30_000)),
        "<details>\n".repeat(20_000),
        "- an item\n\n".repeat(30_000),
        "\u{0}\r\n".repeat(100_000),
    ] {
        let facts = Facts {
            found: Some(&found),
            summary: Some(&summary),
            full_text_url: Some(FULL),
            page_url: Some(PAGE),
            ..Facts::new(&submission, "apache/cloudstack", COMMIT)
        };
        let text = comment(&facts, Some(&found.matches[0])).unwrap();
        let beginning: String = summary.chars().take(20).collect();
        checked(&text);
        assert!(length(&text) <= 16_000, "{beginning:?}: {}", length(&text));
        if length(&summary) > 20_000 && !summary.trim_matches(['\0', '\r', '\n']).is_empty() {
            assert!(text.contains("This comment is shortened"), "{beginning:?}: {text}");
            assert!(text.contains(FULL), "{beginning:?}: {text}");
        }
    }
}

#[test]
fn a_comment_fits_whatever_is_listed() {
    let submission = submission(&[]);
    let found = found(Relation::Head);
    let rows = |count: usize, length: usize| -> Vec<(String, String)> {
        (0..count).map(|n| (format!("Name {n}"), "|<b>@x ".repeat(length))).collect()
    };
    let none = Vec::new();
    for (name, details, files, missing, skipped) in [
        ("details", rows(5_000, 2), Vec::new(), Vec::new(), Vec::new()),
        ("long details", rows(50, 100_000), Vec::new(), Vec::new(), Vec::new()),
        ("files", none.clone(), files(100_000), Vec::new(), Vec::new()),
        ("missing", none.clone(), Vec::new(), left_out(100_000), Vec::new()),
        ("left out", none, Vec::new(), Vec::new(), left_out(100_000)),
        ("all", rows(5_000, 200), files(10_000), left_out(10_000), left_out(10_000)),
    ] {
        for page_url in [Some(PAGE), None] {
            let summary = "A summary.\n\n".repeat(10_000);
            let facts = Facts {
                found: Some(&found),
                details: &details,
                summary: Some(&summary),
                files: &files,
                missing: &missing,
                left_out: &skipped,
                full_text_url: Some(FULL),
                page_url,
                ..Facts::new(&submission, "apache/cloudstack", COMMIT)
            };
            let text = comment(&facts, Some(&found.matches[0])).unwrap();
            checked(&text);
            assert!(length(&text) <= 16_000, "{name}: {}", length(&text));
            assert!(text.contains(FULL), "{name}");
            assert!(text.contains("A summary."), "{name}: the summary gave way entirely");
        }
    }
}

#[test]
fn even_the_shortest_comment_keeps_heading_commit_link_and_marker() {
    let submission = submission(&[("comment_max", "1000"), ("verdict", "success")]);
    let found = found(Relation::Head);
    let (details, files, skipped) = (marvin_details(), files(500), left_out(500));
    let summary = "word ".repeat(10_000);
    let facts = Facts {
        found: Some(&found),
        details: &details,
        summary: Some(&summary),
        files: &files,
        missing: &skipped,
        left_out: &skipped,
        page_url: Some(PAGE),
        full_text_url: Some(FULL),
        ..Facts::new(&submission, "apache/cloudstack", COMMIT)
    };
    let text = comment(&facts, Some(&found.matches[0])).unwrap();
    checked(&text);
    assert!(length(&text) < 1_500, "{text}");
    for part in
        ["✅", FULL, PAGE, "500 files", "too long to be shown", "Not uploaded** · 500 files"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn the_largest_comment_max_uses_the_room_that_github_gives() {
    let submission = submission(&[("comment_max", "65536")]);
    let found = found(Relation::Head);
    let summary = "😀 ".repeat(500_000);
    let facts = Facts {
        found: Some(&found),
        summary: Some(&summary),
        ..Facts::new(&submission, "apache/cloudstack", COMMIT)
    };
    let text = comment(&facts, Some(&found.matches[0])).unwrap();
    assert!(length(checked(&text)) > 60_000, "the room is used");
    assert!(text.contains("This comment is shortened."), "even without a full text");
}

#[test]
fn hostile_texts_everywhere_do_nothing() {
    let hostile = "@admin </details> <!-- x --> | ](http://evil.example) #12 \n/lgtm\n`` ``` <b>";
    let submission = submission(&[("title", &hostile.replace('\n', " "))]);
    let found = found(Relation::Given);
    let details = vec![(hostile.to_owned(), hostile.to_owned())];
    let named =
        LinkedFile { url: Some("https://logs.example.org/%22".to_owned()), ..file(hostile, 1) };
    let skipped = [LeftOut { name: hostile.to_owned(), reason: hostile.to_owned() }];
    let facts = Facts {
        found: Some(&found),
        details: &details,
        summary: Some(hostile),
        files: &[named],
        missing: &skipped,
        left_out: &skipped,
        caution: Some(hostile),
        ..Facts::new(&submission, "apache/cloudstack", COMMIT)
    };
    let text = comment(&facts, Some(&found.matches[0])).unwrap();
    assert!(Marker::parse(&text).is_some());
    assert!(!text.contains("@admin"), "{text}");
    assert_eq!(text.matches("<!--").count(), 1, "{text}");
    assert!(!text.contains("\n/lgtm"), "{text}");
    let row = text.lines().find(|line| line.starts_with("| ") && line.contains("admin")).unwrap();
    assert_eq!(row.matches('|').count(), 3, "{row}");
    let all = full_text(&facts, Some(&found.matches[0])).unwrap();
    assert!(!all.contains("@admin") && !all.contains("<!--"), "{all}");
}

#[test]
fn a_marker_in_a_summary_is_never_taken_for_ours() {
    let stranger = "<!-- notify_pr:1 {\"context\":\"trillian-kvm\",\"submission\":\"x\"} -->";
    for trusted in ["false", "true"] {
        let submission = submission(&[("trusted_summary", trusted)]);
        let found = found(Relation::Head);
        for summary in [stranger.to_owned(), format!("```\n{stranger}"), format!("text {stranger}")]
        {
            let facts = Facts {
                found: Some(&found),
                summary: Some(&summary),
                ..Facts::new(&submission, "apache/cloudstack", COMMIT)
            };
            checked(&comment(&facts, Some(&found.matches[0])).unwrap());
        }
    }
}

#[test]
fn a_trusted_summary_may_mention_people() {
    let found = found(Relation::Head);
    for (trusted, mentions) in [("false", false), ("true", true)] {
        let submission = submission(&[("trusted_summary", trusted)]);
        let facts = Facts {
            summary: Some("cc @contributor"),
            ..Facts::new(&submission, "apache/cloudstack", COMMIT)
        };
        let text = comment(&facts, Some(&found.matches[0])).unwrap();
        assert_eq!(text.contains("@contributor"), mentions);
    }
}

#[test]
fn secrets_are_masked_in_every_text() {
    let submission = submission(&[("title", &format!("Tests with {SECRET}"))]);
    let found = found(Relation::Head);
    let details = vec![("Token".to_owned(), SECRET.to_owned())];
    let skipped = [LeftOut { name: format!("{SECRET}.txt"), reason: SECRET.to_owned() }];
    let leaking = LinkedFile {
        url: Some(format!("https://logs.example.org/{SECRET}.txt")),
        ..file(&format!("{SECRET}.txt"), 5)
    };
    let facts = Facts {
        found: Some(&found),
        details: &details,
        summary: Some("GET /client/api?apiKey=AKEXAMPLE123&signature=abc%3D failed"),
        files: &[leaking, file("fine.txt", 5)],
        missing: &skipped,
        left_out: &skipped,
        caution: Some(SECRET),
        ..Facts::new(&submission, "apache/cloudstack", COMMIT)
    };
    for text in [
        comment(&facts, Some(&found.matches[0])).unwrap(),
        full_text(&facts, Some(&found.matches[0])).unwrap(),
    ] {
        assert!(!text.contains(SECRET), "{text}");
        assert!(!text.contains("AKEXAMPLE123"), "{text}");
        assert!(text.contains("Tests with &#42;") || text.contains("Tests with *"), "{text}");
        assert!(text.contains("[fine.txt]"), "{text}");
    }
}

#[test]
fn a_secret_that_no_masking_reached_stops_the_comment() {
    let submission = submission(&[]);
    let mut of = matched(Relation::Head);
    of.pull_request.head_sha = SECRET.to_owned();
    let mut found = found(Relation::Head);
    found.repository_url = format!("https://github.com/{SECRET}");
    let facts =
        Facts { found: Some(&found), ..Facts::new(&submission, "apache/cloudstack", COMMIT) };
    // The link is dropped instead.
    let text = comment(&facts, Some(&of)).unwrap();
    assert!(!text.contains(SECRET), "{text}");

    let template = written(&format!("literally {SECRET}"));
    let submission = self::submission(&[("template_file", path(&template))]);
    let facts = Facts::new(&submission, "apache/cloudstack", COMMIT);
    let error = comment(&facts, None).unwrap_err();
    assert_eq!(error.status(), Status::SecretFound);
    assert!(!error.to_string().contains(SECRET));
}

#[test]
fn a_signed_link_may_carry_its_session_token_and_nothing_else() {
    let submission = submission(&[("store_session_token", "FwoGexample-session-value")]);
    let signed = "https://s3.example.org/b/log.txt?X-Amz-Security-Token=FwoGexample-session-value&X-Amz-Signature=ab";
    let named = LinkedFile { url: Some(signed.to_owned()), ..file("log.txt", 5) };
    let facts = Facts {
        files: &[named],
        summary: Some("token FwoGexample-session-value"),
        ..Facts::new(&submission, "apache/cloudstack", COMMIT)
    };
    let text = comment(&facts, None).unwrap();
    assert!(text.contains(signed), "{text}");
    assert_eq!(text.matches("FwoGexample").count(), 1, "{text}");
}

#[test]
fn the_relation_to_the_pull_request_is_said_first() {
    let submission = submission(&[]);
    for (relation, words) in [
        (Relation::Head, None),
        (Relation::TestMerge, Some("GitHub's test merge of the head [`0d1e2f3`](<https://")),
        (Relation::MergeOf, Some("a merge of the head [`0d1e2f3`](<https://")),
        (Relation::Outdated, Some("an older commit; the head is now [`0d1e2f3`](<https://")),
        (Relation::Closed, Some("This pull request is closed.")),
        (Relation::Merged, Some("This pull request is merged already.")),
        (Relation::Given, Some("named by the caller; whether the tested commit belongs")),
    ] {
        let found = found(relation.clone());
        let facts =
            Facts { found: Some(&found), ..Facts::new(&submission, "apache/cloudstack", COMMIT) };
        let text = comment(&facts, Some(&found.matches[0])).unwrap();
        let second = text.split("\n\n").nth(1).unwrap();
        match words {
            Some(words) => assert!(second.starts_with("> [!") && second.contains(words), "{text}"),
            None => assert!(second.starts_with("| Verdict |"), "{text}"),
        }
        // A merge that only the CI server has is no link that opens.
        let linked = text.contains("/commit/c8443496");
        assert_eq!(linked, !matches!(relation, Relation::MergeOf | Relation::Given), "{text}");
    }
}

#[test]
fn without_a_pull_request_the_repository_is_named() {
    let submission = submission(&[]);
    let facts = Facts {
        summary: Some("All well."),
        ..Facts::new(&submission, "apache/cloudstack", COMMIT)
    };
    let text = comment(&facts, None).unwrap();
    assert!(text.contains("| Repository | apache/cloudstack |"), "{text}");
    assert!(text.contains("| Commit | `c844349` |"), "{text}");
    assert!(!text.contains("> [!"), "{text}");
    assert!(Marker::parse(&text).is_some());
}

#[test]
fn a_summary_that_is_missing_or_empty_is_named() {
    let submission = submission(&[]);
    let base = Facts::new(&submission, "apache/cloudstack", COMMIT);
    let text = |summary, missing| {
        let facts = Facts { summary, summary_missing: missing, ..base.clone() };
        comment(&facts, None).unwrap()
    };
    let why = "summary.txt could not be read: No such file or directory";
    assert!(text(None, Some(why)).contains(&format!("*No summary: {why}.*")));
    assert!(text(Some(" \n"), None).contains("*No summary: the summary is empty.*"));
    assert!(!text(None, None).contains("summary"));
}

#[test]
fn a_long_summary_shows_its_beginning_and_folds_the_rest() {
    let submission = submission(&[]);
    let summary = format!("Two failed.\n\n```\n{}```\n", "a line of a log\n".repeat(200));
    let facts =
        Facts { summary: Some(&summary), ..Facts::new(&submission, "apache/cloudstack", COMMIT) };
    let text = comment(&facts, None).unwrap();
    let (visible, folded) = text.split_once("<details>").unwrap();
    assert!(visible.contains("Two failed.") && visible.contains("a line of a log"), "{visible}");
    assert_eq!(visible.matches("```").count(), 2, "{visible}");
    assert_eq!(folded.matches("```").count(), 2, "{folded}");
    assert_eq!(text.matches("a line of a log").count(), 200);
}

#[test]
fn few_files_are_linked_one_by_one_and_many_by_their_page() {
    let submission = submission(&[]);
    let (few, many) = (files(12), files(13));
    let base = Facts {
        expires: Some(datetime!(2026-11-30 00:00 UTC)),
        ..Facts::new(&submission, "apache/cloudstack", COMMIT)
    };
    let text = |files, page_url| {
        let facts = Facts { files, page_url, ..base.clone() };
        comment(&facts, None).unwrap()
    };
    let linked = text(&few, Some(PAGE));
    assert_eq!(linked.matches("https://logs.example.org/7d/run/suite_").count(), 12, "{linked}");
    assert!(linked.contains("**Logs** · [Browse 12 files](<"), "{linked}");
    assert!(linked.contains("12 MB"), "{linked}");
    assert!(linked.contains("Logs are kept until 30 November 2026 (UTC)."), "{linked}");
    let indexed = text(&many, Some(PAGE));
    assert!(!indexed.contains("suite_"), "{indexed}");
    assert!(indexed.contains("[Browse 13 files](<https://logs.example.org/7d/run/index.html>)"));
    assert!(!indexed.contains("shortened"), "an index leaves nothing out: {indexed}");
    let lost = text(&many, None);
    assert_eq!(lost.matches("https://logs.example.org/7d/run/suite_").count(), 12, "{lost}");
    assert!(lost.contains("- and 1 more"), "{lost}");
    assert!(lost.contains("This comment is shortened"), "{lost}");
    let long = [LinkedFile {
        url: Some(format!("https://logs.example.org/?signature={}", "a".repeat(5_000))),
        ..file("a.txt", 1)
    }];
    assert!(!text(&long, Some(PAGE)).contains("signature="), "no link is that long");
}

#[test]
fn files_that_nobody_can_read_are_not_linked() {
    let submission = submission(&[]);
    let hidden = [LinkedFile { url: None, ..file("a.txt", 1) }];
    let facts = Facts {
        files: &hidden,
        expires: Some(datetime!(2026-11-30 00:00 UTC)),
        ..Facts::new(&submission, "apache/cloudstack", COMMIT)
    };
    let text = comment(&facts, None).unwrap();
    assert!(text.contains("1 file · 1 byte, stored where the public cannot read them"), "{text}");
    assert!(text.contains("- `a.txt`"), "{text}");
    assert!(!text.contains("kept until"), "{text}");
}

#[test]
fn what_was_not_uploaded_is_named_with_its_reason() {
    let submission = submission(&[]);
    let (missing, skipped) = (left_out(47), left_out(1));
    let facts = Facts {
        missing: &missing,
        left_out: &skipped,
        full_text_url: Some(FULL),
        caution: Some("The links could not be checked from outside"),
        ..Facts::new(&submission, "apache/cloudstack", COMMIT)
    };
    let text = comment(&facts, None).unwrap();
    assert!(text.contains("**Not uploaded** · 47 files\n\n- `core.0`: larger than"), "{text}");
    assert!(text.contains("- `core.9`: ") && !text.contains("`core.10`"), "{text}");
    assert!(text.contains("- and 37 more\n"), "{text}");
    assert!(text.contains("<summary>1 file left out by rule</summary>\n\n- `core.0`"), "{text}");
    assert!(text.contains("⚠️ The links could not be checked from outside."), "{text}");
    assert!(text.contains("read the full text"), "{text}");
}

#[test]
fn the_full_text_leaves_nothing_out() {
    let submission = submission(&[]);
    let found = found(Relation::Head);
    let (files, skipped) = (files(500), left_out(500));
    let details: Vec<_> = (0..500).map(|n| (format!("row {n}"), "value".repeat(200))).collect();
    let summary = "a line of the summary\n".repeat(20_000);
    let facts = Facts {
        found: Some(&found),
        details: &details,
        summary: Some(&summary),
        files: &files,
        missing: &skipped,
        left_out: &skipped,
        page_url: Some(PAGE),
        ..Facts::new(&submission, "apache/cloudstack", COMMIT)
    };
    let text = full_text(&facts, Some(&found.matches[0])).unwrap();
    assert_eq!(text.matches("a line of the summary").count(), 20_000);
    assert_eq!(text.matches("https://logs.example.org/7d/run/suite_").count(), 500);
    assert_eq!(text.matches("`: larger than").count(), 1_000);
    assert!(text.contains("| row 499 |") && text.contains(&"value".repeat(200)));
    assert!(!text.contains("shortened"));
    assert!(!text.contains("notify_pr:1"), "the full text is no comment");
}

#[test]
fn a_cancel_stops_the_long_texts_and_leaves_the_comment() {
    let submission = submission(&[]);
    let summary = "| test_a | `ok` |\n".repeat(10);
    let facts =
        Facts { summary: Some(&summary), ..Facts::new(&submission, "apache/cloudstack", COMMIT) };
    let pages = || notify_pr::page::pages(&facts, &[], None, &|_| Ok(None)).map(|_| String::new());
    assert!(full_text(&facts, None).is_ok() && pages().is_ok());
    submission.cancel.cancel();
    for cancelled in [full_text(&facts, None), pages()] {
        assert_eq!(cancelled.unwrap_err().status(), Status::Cancelled);
    }
    // It is what is kept in the outbox.
    assert!(comment(&facts, None).unwrap().contains("test_a"));
}

#[test]
fn the_context_in_the_marker_is_the_one_that_is_looked_for() {
    let submission = submission(&[]);
    let facts = Facts::new(&submission, "apache/cloudstack", COMMIT);
    let marker = Marker::parse(&comment(&facts, None).unwrap()).unwrap();
    assert_eq!(marker.context, context(&submission));
    assert_eq!(marker.submission, submission.id);
    assert_eq!(marker.started, submission.started);

    let endless = self::submission(&[("context", &"x".repeat(100_000))]);
    let error = comment(&Facts::new(&endless, "a/b", COMMIT), None).unwrap_err();
    assert_eq!(error.status(), Status::BadSetting);
    assert!(error.to_string().starts_with("context: "), "{error}");
}

// The user's own layout.

fn written(template: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("comment.md"), template).unwrap();
    folder
}

fn path(folder: &tempfile::TempDir) -> &'static str {
    String::leak(folder.path().join("comment.md").to_str().unwrap().to_owned())
}

#[test]
fn a_template_replaces_the_layout_and_the_marker_stays_last() {
    let template = written(
        "# {{ verdict_icon }} {{ title }} ({{ context }}) {{ pull_request }} {{ relation }}\n\
         {{ commit_short }} {{ commit_url }} {{ repository }} {{ verdict }}\n\
         {% for row in details %}\n* {{ row.name }} = {{ row.value }}\n{% endfor %}\n\
         {{ summary }}\n\
         {% for file in files %}\n[{{ file.name }}]({{ file.url }}) {{ file.size }} {{ file.bytes }}\n\
         {% endfor %}\n\
         {{ file_count }} {{ total_size }} {{ expires }} {{ notice }} {{ head }} {{ missing_count }}\n\
         {% for entry in missing + warnings %}\n{{ entry.name }}: {{ entry.reason }}\n{% endfor %}\n\
         {{ page_url }} {{ full_text_url }} {{ build_url }} {{ caution }} {{ version }} {{ started }}\n\
         {{ submission }} {{ pull_request_url }} {{ summary_missing }} {{ warning_count }} {{ cut }}\n\
         <!-- notify_pr:1 {} -->",
    );
    let submission = submission(&[("template_file", path(&template)), ("verdict", "success")]);
    let found = found(Relation::Head);
    let details = marvin_details();
    let facts = Facts {
        found: Some(&found),
        details: &details,
        summary: Some("cc @contributor"),
        files: &[file("a (1).txt", 1_500)],
        missing: &left_out(1),
        expires: Some(datetime!(2026-11-30 00:00 UTC)),
        ..Facts::new(&submission, "apache/cloudstack", COMMIT)
    };
    let text = comment(&facts, Some(&found.matches[0])).unwrap();
    for part in [
        "# ✅ Test results (trillian-kvm) 42 head\nc844349 https://github.com/apache/cloudstack/commit/c8443",
        "* Network = Advanced zone\n* Duration = 8 h 6 min\n",
        "[a (1).txt](https://logs.example.org/7d/run/a%20%281%29.txt) 1.5 kB 1500\n",
        "1 1.5 kB 30 November 2026",
        "core.0: larger than max_file",
        "00112233445566778899aabbccddeeff https://github.com/apache/cloudstack/pull/42",
    ] {
        assert!(text.contains(part), "{part}\n\n{text}");
    }
    assert!(!text.contains("@contributor"), "{text}");
    assert_eq!(text.matches("<!-- notify_pr:").count(), 1, "{text}");
    assert!(Marker::parse(&text).is_some(), "{text}");
}

#[test]
fn a_template_gets_smaller_parts_until_it_fits() {
    let template = written(
        "Head\n{{ summary }}\n{% for f in files %}{{ f.name }}\n{% endfor %}{{ file_count }}",
    );
    let (events, warnings) = heard();
    let submission = submission_with(&[("template_file", path(&template))], events);
    let (summary, files) = ("word ".repeat(100_000), files(10_000));
    let facts = Facts {
        summary: Some(&summary),
        files: &files,
        full_text_url: Some(FULL),
        ..Facts::new(&submission, "apache/cloudstack", COMMIT)
    };
    let text = comment(&facts, None).unwrap();
    assert!(text.starts_with("Head\nword word"), "{text}");
    assert!((3_000..=16_000).contains(&length(&text)), "{}", length(&text));
    assert!(text.contains("10000") && text.contains(FULL), "{text}");
    assert!(warnings.lock().unwrap().is_empty());
}

#[test]
fn a_template_that_never_fits_gives_way_to_the_usual_layout_with_a_warning() {
    let template = written(&"x".repeat(70_000));
    let (events, warnings) = heard();
    let submission = submission_with(&[("template_file", path(&template))], events);
    let facts = Facts::new(&submission, "apache/cloudstack", COMMIT);
    let text = comment(&facts, None).unwrap();
    assert!(text.starts_with("### 📋 Test results · trillian-kvm"), "{text}");
    let warnings = warnings.lock().unwrap();
    assert!(warnings[0].contains("comment.md") && warnings[0].contains("usual layout"));
}

#[test]
fn a_template_between_comment_max_and_githubs_limit_is_used() {
    let template = written(&"x".repeat(30_000));
    let submission = submission(&[("template_file", path(&template))]);
    let text = comment(&Facts::new(&submission, "apache/cloudstack", COMMIT), None).unwrap();
    assert!(text.starts_with("xxx"));
}

#[test]
fn a_template_that_is_wrong_is_named_with_its_line() {
    for (template, place, words) in [
        ("a\n{% for %}", "comment.md:2: ", "syntax error"),
        ("a\nb\n{{ titel }}", "comment.md:3: ", "undefined"),
        ("{% include '/etc/hostname' %}", "comment.md:1: ", "include"),
        (
            "{% for a in range(9999) %}{% for b in range(9999) %}{{ a * b }}{% endfor %}{% endfor %}",
            "comment.md",
            "takes too long",
        ),
    ] {
        let folder = written(template);
        let submission = submission(&[("template_file", path(&folder))]);
        let error = comment(&Facts::new(&submission, "a/b", COMMIT), None).unwrap_err();
        assert_eq!(error.status(), Status::BadFile);
        let text = error.to_string();
        assert!(text.contains(place) && text.contains(words), "{text}");
    }
    let folder = written("fine {{ title }}");
    assert!(check(&submission(&[("template_file", path(&folder))])).is_ok());
    let folder = written("{% if %}");
    assert!(check(&submission(&[("template_file", path(&folder))])).is_err());
    let error = check(&submission(&[("template_file", "no/such/file.md")])).unwrap_err();
    assert_eq!(error.status(), Status::BadFile);
    assert!(error.to_string().starts_with("no/such/file.md: the template cannot be read"));
    assert!(check(&submission(&[])).is_ok());
}

type Warnings = Arc<std::sync::Mutex<Vec<String>>>;

fn heard() -> (Events, Warnings) {
    let warnings = Warnings::default();
    let heard = Arc::clone(&warnings);
    let events = Events::default();
    events.add_reader(move |event: &Event| {
        if let Event::Warning(text) = event {
            heard.lock().unwrap().push(text.clone());
        }
    });
    (events, warnings)
}
