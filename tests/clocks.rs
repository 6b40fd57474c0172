//! A machine whose clock is wrong, and real servers whose clocks are right: the whole command runs
//! with another time of day than the servers have.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends"
)]

mod services;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use services::Service;
use tempfile::TempDir;

const HOUR: i64 = 3600;
/// Over midnight too, where the scope of a signature has another day.
const OFF: [i64; 6] = [-9 * 24 * HOUR, -30 * HOUR, -HOUR, 10 * 60, 5 * HOUR, 30 * HOUR];

/// A library that shifts the clock of the program that loads it first; None where there is no
/// compiler for it, which is said.
fn shifting(folder: &Path) -> Option<PathBuf> {
    let library = folder.join("shifted.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clocks/shifted.c");
    let mut cc = Command::new("cc");
    cc.args(["-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o"]);
    match cc.arg(&library).arg(source).status() {
        Ok(made) => {
            assert!(made.success(), "{made}");
            Some(library)
        }
        Err(_) => {
            let _ = writeln!(std::io::stderr(), "SKIPPED: wrong clocks: there is no cc");
            None
        }
    }
}

struct Job<'a> {
    folder: &'a Path,
    shifting: &'a Path,
    settings: &'a [(&'a str, &'a str)],
    secret: &'a str,
}

impl Job<'_> {
    fn run(&self, ahead: i64, command: &[&str]) -> Output {
        let mut run = Command::new(env!("CARGO_BIN_EXE_notify_pr"));
        run.env_clear().current_dir(self.folder).args(command);
        run.env("LD_PRELOAD", self.shifting).env("TEST_CLOCK_AHEAD", ahead.to_string());
        run.env("NOTIFY_PR_STORE_SECRET", self.secret).env("NOTIFY_PR_STORE_CREATE", "true");
        for (name, value) in [
            ("pull-request", "none"),
            ("repo", "apache/cloudstack"),
            ("commit", "0123456789abcdef0123456789abcdef01234567"),
            ("outbox-dir", "outbox"),
        ]
        .iter()
        .chain(self.settings)
        {
            run.arg(format!("--{name}")).arg(value);
        }
        run.output().unwrap()
    }

    /// Everything is stored, and its links open for a reader whose clock is right.
    fn holds(&self, ahead: i64) {
        let output = self.run(ahead, &["--json", "--full-detail-dir", "logs"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{ahead} s: {said}");
        let receipt: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let files = receipt["files"].as_array().unwrap();
        assert_eq!(files.len(), 2, "{ahead} s: {receipt}");
        // A link that was good for a moment only is not any more.
        std::thread::sleep(std::time::Duration::from_millis(1_200));
        for file in files {
            let link = file["url"].as_str().unwrap_or_else(|| panic!("{ahead} s: {receipt}"));
            let read = ureq::get(link).call().unwrap_or_else(|error| panic!("{ahead} s: {error}"));
            let text = read.into_body().read_to_string().unwrap();
            assert_eq!(text, format!("the log of {}", file["name"].as_str().unwrap()), "{ahead} s");
        }
        let output = self.run(ahead, &["check"]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{ahead} s: {text}");
        let told = text.lines().any(|line| line.starts_with("warn clock"));
        assert_eq!(told, ahead.abs() > 2 * 60, "{ahead} s: {text}");
    }
}

fn hold(secret: &str, settings: &[(&str, &str)], off: &[i64]) {
    let folder = TempDir::new().unwrap();
    let Some(shifting) = shifting(folder.path()) else { return };
    std::fs::create_dir(folder.path().join("logs")).unwrap();
    for name in ["a b.log", "ü.txt"] {
        std::fs::write(folder.path().join("logs").join(name), format!("the log of {name}"))
            .unwrap();
    }
    let job = Job { folder: folder.path(), shifting: &shifting, settings, secret };
    off.iter().for_each(|ahead| job.holds(*ahead));
}

fn over_s3(service: &Service) {
    let settings = [
        ("store-api", "s3"),
        ("store-endpoint", service.endpoint.as_str()),
        ("store-container", "wrong-clocks"),
        ("store-identity", service.access_key.as_str()),
    ];
    hold(&service.secret_key, &settings, &OFF);
}

#[test]
fn seaweedfs_takes_reports_of_a_machine_whose_clock_is_wrong() {
    let Some(service) = services::seaweedfs() else { return };
    over_s3(&service);
}

#[test]
fn swift_takes_reports_of_a_machine_whose_clock_is_wrong_with_either_api() {
    let Some(service) = services::swift() else { return };
    over_s3(&service);
    let endpoint = format!("{}/auth/v1.0", service.endpoint);
    let settings = [
        ("store-api", "swift"),
        ("store-endpoint", endpoint.as_str()),
        ("store-container", "wrong-clocks-too"),
        ("store-identity", service.access_key.as_str()),
    ];
    hold(&service.secret_key, &settings, &OFF);
}
