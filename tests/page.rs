//! The pages: every link leads to something that is stored, and nothing in them acts.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly")]

mod memory;

use std::collections::BTreeSet;
use std::sync::Arc;

use notify_pr::compose::Facts;
use notify_pr::events::Events;
use notify_pr::find::{Found, Match, Relation};
use notify_pr::github::{PullRequest, State};
use notify_pr::links::Links;
use notify_pr::page::{self, Page, pages};
use notify_pr::plan::LeftOut;
use notify_pr::publish::{self, publish};
use notify_pr::settings::{Origin, Settings};
use notify_pr::status::Status;
use notify_pr::store::{Access, Fault};
use notify_pr::submission::{Cancel, Submission};
use notify_pr::upload::File;
use time::macros::datetime;

use memory::Memory;

const COMMIT: &str = "c8443496d3fad78a4b1a48a0992ce545bde299e8";
const SECRET: &str = "example-token-8f3a91";

fn submission(settings: &[(&str, &str)]) -> Submission {
    let mut all = Settings::new();
    for (name, value) in [("context", "trillian-kvm"), ("token", SECRET)].iter().chain(settings) {
        all.set(name, value, Origin::Api).unwrap();
    }
    let mut submission = Submission::new(all, Arc::new(Events::new()), Cancel::new()).unwrap();
    submission.started = datetime!(2026-11-23 12:22:54 UTC);
    submission
}

fn found() -> Found {
    let pull_request = PullRequest {
        number: 42,
        url: "https://github.com/apache/cloudstack/pull/42".to_owned(),
        title: "A better thing".to_owned(),
        head_sha: "0d1e2f3a4b5c6d7e8f901234567890abcdef1234".to_owned(),
        merge_sha: None,
        state: State::Open,
        locked: false,
        base_branch: "main".to_owned(),
        base_sha: String::new(),
        head_branch: None,
    };
    Found {
        repository: "apache/cloudstack".to_owned(),
        repository_url: "https://github.com/apache/cloudstack".to_owned(),
        private: Some(false),
        commit: COMMIT.to_owned(),
        matches: vec![Match { pull_request, relation: Relation::Outdated }],
        skipped: Vec::new(),
        searched: String::new(),
    }
}

fn file(key: &str) -> File {
    let content_type = "text/plain; charset=utf-8".into();
    File { name: key.to_owned(), key: key.to_owned(), size: 1_234, content_type }
}

fn files(keys: &[&str]) -> Vec<File> {
    keys.iter().map(|key| file(key)).collect()
}

fn made(facts: &Facts<'_>, files: &[File]) -> Vec<Page> {
    pages(facts, files, None, &|_| Ok(None)).unwrap()
}

/// The addresses that a page links to, as a browser reads them.
fn links(html: &str) -> Vec<String> {
    let unescaped = |text: &str| {
        text.replace("&#x2f;", "/")
            .replace("&#x27;", "'")
            .replace("&quot;", "\"")
            .replace("&amp;", "&")
    };
    html.split(" href=\"").skip(1).map(|rest| unescaped(rest.split('"').next().unwrap())).collect()
}

/// Where a relative address leads, from a page of the given key.
fn target(page: &str, address: &str) -> String {
    let mut path: Vec<String> = page.split('/').map(str::to_owned).collect();
    path.pop();
    for part in address.split('/') {
        match part {
            ".." => drop(path.pop().expect("the link stays inside the run")),
            part => {
                path.push(percent_encoding::percent_decode_str(part).decode_utf8().unwrap().into())
            }
        }
    }
    path.join("/")
}

const HOSTILE: [&str; 9] = [
    "results.txt",
    "a folder/deep er/log #1 100%?.txt",
    "a folder/ü€😀.txt",
    "a folder/javascript:alert(1)",
    "\"><script>alert(1)</script>/x.txt",
    "'onmouseover='x/&amp;.txt",
    "index.html",
    "a folder/index.html",
    "a folder/index-2.html/x",
];

#[test]
fn every_relative_link_leads_to_a_stored_object() {
    let submission = submission(&[]);
    let found = found();
    let facts =
        Facts { found: Some(&found), ..Facts::new(&submission, "apache/cloudstack", COMMIT) };
    let files = files(&HOSTILE);
    let pages = pages(&facts, &files, Some("report.md"), &|_| Ok(None)).unwrap();
    let mut stored: BTreeSet<&str> = files.iter().map(|file| file.key.as_str()).collect();
    for page in &pages {
        assert!(stored.insert(&page.key), "{} is a file of the run", page.key);
    }
    stored.insert("report.md");
    let mut reached = BTreeSet::new();
    for page in &pages {
        for link in links(&page.html).into_iter().filter(|link| !link.starts_with("https://")) {
            let target = target(&page.key, &link);
            assert!(stored.contains(target.as_str()), "{}: {link} → {target}", page.key);
            reached.insert(target);
        }
    }
    for key in stored {
        assert!(reached.contains(key), "nothing leads to {key}");
    }
}

#[test]
fn no_name_or_text_acts_in_a_page() {
    let hostile = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'";
    let submission = submission(&[
        ("title", hostile),
        ("context", hostile),
        ("build_url", "https://ci.example.org/'><script>alert(1)</script>"),
    ]);
    let mut found = found();
    found.matches[0].pull_request.url = "javascript:alert(1)".to_owned();
    let details = vec![(hostile.to_owned(), hostile.to_owned())];
    let skipped = [LeftOut { name: hostile.to_owned(), reason: hostile.to_owned() }];
    let summary = format!("</pre>{hostile}");
    let facts = Facts {
        found: Some(&found),
        details: &details,
        summary: Some(&summary),
        missing: &skipped,
        left_out: &skipped,
        caution: Some(hostile),
        ..Facts::new(&submission, hostile, hostile)
    };
    let mut files = files(&HOSTILE);
    files[0].content_type = hostile.into();
    for page in made(&facts, &files) {
        assert!(!page.html.contains("<script"), "{}", page.html);
        assert!(!page.html.contains("<img"), "{}", page.html);
        assert!(!links(&page.html).iter().any(|link| link.starts_with("javascript:")));
        assert_eq!(page.html.matches("</pre>").count(), page.html.matches("<pre>").count());
        assert!(page.html.contains("<meta name=\"robots\" content=\"noindex, nofollow\">"));
        assert!(page.html.contains("content=\"default-src 'none'; style-src 'unsafe-inline'"));
        let anchors = page.html.matches("<a ").count();
        assert_eq!(page.html.matches("rel=\"nofollow noopener\"").count(), anchors);
    }
}

#[test]
fn the_page_of_the_run_says_what_the_comment_says() {
    let submission = submission(&[
        ("title", "Marvin smoke tests"),
        ("verdict", "failure"),
        ("build_url", "https://jenkins.example.org/job/smoke/156/"),
    ]);
    let found = found();
    let details = vec![("Hypervisor".to_owned(), "KVM".to_owned())];
    let skipped = [LeftOut { name: "core.1".to_owned(), reason: "a core dump".to_owned() }];
    let facts = Facts {
        found: Some(&found),
        details: &details,
        summary: Some("**2** of 141 failed"),
        missing: &skipped,
        left_out: &skipped,
        expires: Some(datetime!(2026-11-30 00:00 UTC)),
        caution: Some("The links were not checked"),
        ..Facts::new(&submission, "apache/cloudstack", COMMIT)
    };
    let pages = made(&facts, &files(&["MarvinLogs/test_a/results.txt", "MarvinLogs/b.txt"]));
    let root = pages.last().unwrap();
    assert_eq!(root.key, "index.html");
    for part in [
        "Marvin smoke tests · trillian-kvm",
        ">Failed</span>",
        "23 November 2026, 12:22 UTC",
        "kept until 30 November 2026",
        "apache&#x2f;cloudstack#42</a>",
        "This is about an older commit; the head is now 0d1e2f3.",
        COMMIT,
        "https:&#x2f;&#x2f;jenkins.example.org&#x2f;job",
        "<th scope=\"row\">Hypervisor</th><td>KVM</td>",
        "<pre>**2** of 141 failed</pre>",
        "MarvinLogs/</a>",
        "2 files",
        "2.5 kB",
        "Not uploaded",
        "Left out by rule",
        "a core dump",
        "The links were not checked",
        concat!("notify_pr ", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(root.html.contains(part), "{part}\n{}", root.html);
    }
    let leaf = &pages[0];
    assert_eq!(leaf.key, "MarvinLogs/test_a/index.html");
    assert!(leaf.html.contains(">MarvinLogs</a> / test_a</nav>"), "{}", leaf.html);
    assert!(leaf.html.contains(">results.txt</a>"), "{}", leaf.html);
    assert!(!leaf.html.contains("of 141 failed"), "the summary stands on the run's page only");
}

#[test]
fn a_missing_summary_is_named_on_the_page() {
    let submission = submission(&[]);
    let facts = Facts {
        summary_missing: Some("summary.txt could not be read"),
        ..Facts::new(&submission, "apache/cloudstack", COMMIT)
    };
    let html = &made(&facts, &[])[0].html;
    assert!(html.contains("No summary: summary.txt could not be read."), "{html}");
    assert!(html.contains("No files were stored."), "{html}");
}

#[test]
fn pages_come_leaf_first_and_signed_ones_link_absolutely() {
    let submission = submission(&[]);
    let facts = Facts::new(&submission, "apache/cloudstack", COMMIT);
    let files = files(&["a/b/c/1.txt", "a/2.txt", "d/3.txt", "4.txt"]);
    let sign =
        |key: &str| Ok(Some(format!("https://s3.example.org/b/{key}?X-Amz-Signature=ab&x=1")));
    let pages = pages(&facts, &files, Some("report.md"), &sign).unwrap();
    let keys: Vec<&str> = pages.iter().map(|page| page.key.as_str()).collect();
    assert_eq!(
        keys,
        ["a/b/c/index.html", "a/b/index.html", "a/index.html", "d/index.html", "index.html"]
    );
    assert_eq!(keys, page::keys(&files));
    for page in &pages {
        for link in links(&page.html) {
            assert!(link.starts_with("https://s3.example.org/b/"), "{link}");
            assert!(link.ends_with("?X-Amz-Signature=ab&x=1"), "{link}");
        }
    }
}

#[test]
fn the_true_name_is_shown_where_the_key_is_another() {
    let submission = submission(&[]);
    let facts = Facts::new(&submission, "apache/cloudstack", COMMIT);
    let mut same_depth = file("f-1a2b/x-3c4d.txt");
    same_depth.name = "very long folder/very long name.txt".to_owned();
    let mut flattened = file("y-5e6f.txt");
    flattened.name = "one/two/three.txt".to_owned();
    let pages = made(&facts, &[same_depth, flattened]);
    assert!(pages[1].html.contains(">very long folder/</a>"), "{}", pages[1].html);
    assert!(pages[1].html.contains(">one&#x2f;two&#x2f;three.txt</a>"), "{}", pages[1].html);
    assert!(pages[0].html.contains(">very long name.txt</a>"), "{}", pages[0].html);
}

#[test]
fn a_run_of_very_many_folders_has_one_page() {
    let submission = submission(&[]);
    let facts = Facts::new(&submission, "apache/cloudstack", COMMIT);
    let files: Vec<File> = (0..10_000).map(|n| file(&format!("suite {n}/results.txt"))).collect();
    let pages = made(&facts, &files);
    assert_eq!(pages.len(), 1);
    assert_eq!(links(&pages[0].html).len(), 10_000);
    assert!(pages[0].html.contains("href=\"suite%209999&#x2f;results.txt\""));
    assert!(pages[0].html.contains("10,000 files"));
}

#[test]
fn secrets_are_masked_on_pages() {
    let submission = submission(&[("title", SECRET)]);
    let facts =
        Facts { summary: Some(SECRET), ..Facts::new(&submission, "apache/cloudstack", COMMIT) };
    let mut named = file("x.txt");
    named.name = format!("{SECRET}.txt");
    for page in made(&facts, &[named]) {
        assert!(!page.html.contains(SECRET));
    }
    let error = pages(&facts, &[file(&format!("{SECRET}.txt"))], None, &|_| Ok(None)).unwrap_err();
    assert_eq!(error.status(), Status::SecretFound);
}

const FOLDER: &str = "ci/7d/2026-11-23/apache/cloudstack/pr-42/0011/";

fn stored_files() -> Vec<File> {
    let under = |file: File| File { key: format!("{FOLDER}{}", file.key), ..file };
    files(&["a/b/1.txt", "2.txt"]).into_iter().map(under).collect()
}

fn way(access: Option<Access>) -> Links {
    Links { access, until: datetime!(2026-11-30 00:00 UTC), caution: None }
}

#[test]
fn the_full_text_and_the_pages_are_stored_leaf_first() {
    let submission = submission(&[]);
    let found = found();
    let facts =
        Facts { found: Some(&found), ..Facts::new(&submission, "apache/cloudstack", COMMIT) };
    for access in [Access::Public, Access::Signed] {
        let store = Memory::default();
        let published =
            publish(&submission, &store, &way(Some(access)), FOLDER, &facts, &stored_files());
        assert!(published.failure.is_none(), "{:?}", published.failure);
        let keys: Vec<String> = store.puts().into_iter().map(|put| put.key).collect();
        let expected = ["report.md", "a/b/index.html", "a/index.html", "index.html"];
        assert_eq!(keys, expected.map(|key| format!("{FOLDER}{key}")));
        assert_eq!(publish::keys(&files(&["a/b/1.txt", "2.txt"])), expected);
        let page_url = published.page_url.unwrap();
        assert!(page_url.contains(&format!("{FOLDER}index.html")), "{page_url}");
        assert!(published.full_text_url.unwrap().contains("report.md"));
        let puts = store.puts();
        assert_eq!(puts[0].content_type, "text/plain; charset=utf-8");
        assert_eq!(puts[3].content_type, "text/html; charset=utf-8");
        let text = String::from_utf8(puts[0].bytes.clone()).unwrap();
        assert!(text.contains("an older commit"), "{text}");
        let root = String::from_utf8(puts[3].bytes.clone()).unwrap();
        let absolute =
            links(&root).iter().any(|link| link.starts_with("https://store.example.org"));
        assert_eq!(absolute, access == Access::Signed, "{root}");
    }
}

#[test]
fn what_cannot_be_stored_is_not_linked_and_said() {
    let submission = submission(&[]);
    let facts = Facts::new(&submission, "apache/cloudstack", COMMIT);
    let links = way(Some(Access::Public));

    let store = Memory::failing("a/index.html", Fault::Refused);
    let published = publish(&submission, &store, &links, FOLDER, &facts, &stored_files());
    assert_eq!(published.page_url, None);
    assert!(published.full_text_url.is_some());
    assert!(published.failure.is_some());
    let keys: Vec<String> = store.puts().into_iter().map(|put| put.key).collect();
    assert!(!keys.contains(&format!("{FOLDER}index.html")), "a page with a dead link: {keys:?}");

    let store = Memory::failing("report.md", Fault::Refused);
    let published = publish(&submission, &store, &links, FOLDER, &facts, &stored_files());
    assert_eq!(published.full_text_url, None);
    assert!(published.page_url.is_some());
    assert!(published.failure.is_some());
    let puts = store.puts();
    let root = String::from_utf8(puts.last().unwrap().bytes.clone()).unwrap();
    assert!(!root.contains("report.md"), "{root}");
}

#[test]
fn pages_that_the_public_cannot_read_have_no_address() {
    let submission = submission(&[]);
    let facts = Facts::new(&submission, "apache/cloudstack", COMMIT);
    let store = Memory::default();
    let published = publish(&submission, &store, &way(None), FOLDER, &facts, &stored_files());
    assert!(published.failure.is_none() && published.page_url.is_none());
    assert_eq!(store.puts().len(), 4, "they are stored for the lab itself");
}
