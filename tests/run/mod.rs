//! A run of a lab whose store is a bucket.

#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;

use notify_pr::Report;
use stand_ins::Bucket;
use tempfile::TempDir;

/// GitHub with a pull request, a bucket, and a folder with a log.
pub struct Run {
    pub github: stand_ins::GitHub,
    pub number: u64,
    pub bucket: Bucket,
    pub logs: TempDir,
}

pub const HEAD: &str = "0123456789abcdef0123456789abcdef01234567";

impl Run {
    pub fn new(bucket: Bucket, private: bool) -> Run {
        let github = stand_ins::GitHub::start();
        github.token("lab-token").login("lab-bot").scopes(&["repo"]);
        let repository = github.repository("apache", "cloudstack");
        repository.private(private).member("lab-bot", stand_ins::github::Permission::Write);
        let number = repository.pull_from_branch("topic", HEAD).number();
        let logs = TempDir::new().unwrap();
        fs::write(logs.path().join("secret.log"), "private things").unwrap();
        Run { github, number, bucket, logs }
    }

    pub fn report(&self, more: &[(&str, &str)]) -> Report {
        let (api, store) = (self.github.url(), self.bucket.url());
        let outbox = self.logs.path().join("outbox");
        let mut report = Report::new();
        for (name, value) in [
            ("api_url", api.as_str()),
            ("token", "lab-token"),
            ("repo", "apache/cloudstack"),
            ("commit", HEAD),
            ("full_detail_files", self.logs.path().join("*.log").to_str().unwrap()),
            ("outbox_dir", outbox.to_str().unwrap()),
            ("store_api", "s3"),
            ("store_endpoint", store.as_str()),
            ("store_container", "logs"),
            ("store_identity", "example-id"),
            ("store_secret", "example-secret"),
        ]
        .iter()
        .chain(more)
        {
            report.set(name, value).unwrap();
        }
        report.set_summary("It failed.");
        report
    }

    pub fn comment(&self) -> String {
        let comments = self.github.comments("apache/cloudstack", self.number);
        assert_eq!(comments.len(), 1);
        comments[0].body.clone()
    }
}

pub fn go_on(_: &notify_pr::Progress) -> std::ops::ControlFlow<()> {
    std::ops::ControlFlow::Continue(())
}
