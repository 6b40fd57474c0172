//! A lab that reports to a store in trouble.

use std::fs;
use std::ops::ControlFlow;
use std::sync::Arc;

use notify_pr::receipt::Receipt;
use notify_pr::{Report, Status};
use stand_ins::{Bucket, BucketOptions, Fault, GitHub, Request, Swift};
use tempfile::TempDir;

use crate::lab::{self, REPOSITORY, TOKEN};

pub(crate) const HEAD: &str = "0123456789abcdef0123456789abcdef01234567";

/// The store of a report.
pub(crate) enum Shelf {
    S3(Bucket),
    /// With the version of the identity service.
    Swift(Swift, &'static str),
}

impl Shelf {
    pub(crate) fn s3(public: bool) -> Shelf {
        Shelf::S3(Bucket::start_with(BucketOptions { public, ..BucketOptions::default() }))
    }

    pub(crate) fn swift(version: &'static str) -> Shelf {
        Shelf::Swift(Swift::start(), version)
    }

    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let (api, endpoint, container, identity, secret) = match self {
            Shelf::S3(bucket) => ("s3", bucket.url(), "logs", "example-id", "example-secret"),
            Shelf::Swift(swift, version) => {
                ("swift", swift.endpoint(version), "notify-pr", "lab:bot", "right-secret")
            }
        };
        let [api, container, identity, secret] =
            [api, container, identity, secret].map(str::to_owned);
        vec![
            ("store_api", api),
            ("store_endpoint", endpoint),
            ("store_container", container),
            ("store_identity", identity),
            ("store_secret", secret),
        ]
    }

    pub(crate) fn fault(&self, fault: Fault) {
        match self {
            Shelf::S3(bucket) => bucket.fault(fault),
            Shelf::Swift(swift, _) => swift.fault(fault),
        }
    }

    pub(crate) fn requests(&self) -> Vec<Arc<Request>> {
        match self {
            Shelf::S3(bucket) => bucket.requests(),
            Shelf::Swift(swift, _) => swift.requests(),
        }
    }

    /// What is stored under a key.
    pub(crate) fn object(&self, key: &str) -> Vec<u8> {
        self.find(key).unwrap_or_else(|| panic!("{key} is not there"))
    }

    /// The same, if it is there.
    pub(crate) fn find(&self, key: &str) -> Option<Vec<u8>> {
        match self {
            Shelf::S3(bucket) => bucket.object(key).map(|object| object.bytes.to_vec()),
            Shelf::Swift(swift, _) => swift.object(key),
        }
    }

    /// Where its objects are read.
    pub(crate) fn public_url(&self) -> String {
        match self {
            Shelf::S3(bucket) => bucket.public_url(),
            Shelf::Swift(swift, _) => format!("{}/v1/AUTH_lab/notify-pr", swift.server.url()),
        }
    }
}

/// A lab with a pull request, and files to report.
pub(crate) struct Desk {
    pub(crate) github: GitHub,
    pub(crate) number: u64,
    pub(crate) files: TempDir,
    pub(crate) outbox: TempDir,
}

impl Desk {
    pub(crate) fn new() -> Desk {
        let (github, repository) = lab::github();
        let number = repository.pull_from_fork("contributor", "topic", HEAD).number();
        Desk { github, number, files: TempDir::new().unwrap(), outbox: TempDir::new().unwrap() }
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.files.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Submits all files: the status, the receipt, and all comments.
    pub(crate) fn submit(&self, shelf: &Shelf, more: &[(&str, &str)]) -> (Status, Receipt, String) {
        let mut report = Report::new();
        let mut settings = shelf.settings();
        settings.extend([
            ("api_url", self.github.url()),
            ("token", TOKEN.to_owned()),
            ("repo", REPOSITORY.to_owned()),
            ("commit", HEAD.to_owned()),
            ("timeout", "20s".to_owned()),
            ("upload_timeout", "3s".to_owned()),
            ("jobs", "4".to_owned()),
            ("outbox_dir", self.outbox.path().to_str().unwrap().to_owned()),
        ]);
        for (name, value) in &settings {
            report.set(name, value).unwrap();
        }
        for (name, value) in more {
            report.set(name, value).unwrap();
        }
        report.set_summary("All suites look OK.");
        report.attach(self.files.path()).unwrap();
        let (status, receipt) = match report.submit(&mut |_| ControlFlow::Continue(())) {
            Ok(receipt) => (Status::Ok, receipt),
            Err(failure) => (failure.error.status(), *failure.receipt),
        };
        let comments = self.github.comments(REPOSITORY, self.number);
        let comments = comments.into_iter().map(|comment| comment.body).collect::<String>();
        for secret in [TOKEN, "example-secret", "right-secret", "token-1"] {
            let json = receipt.to_json();
            assert!(!json.contains(secret) && !comments.contains(secret), "{secret}: {json}");
        }
        (status, receipt, comments)
    }
}
