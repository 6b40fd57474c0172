//! Starts the real servers that are installed below `target/services`, on free ports, and ends
//! them with the test. A server that is not installed is skipped, and that is said out loud.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An S3 service with one key that may do everything.
pub(crate) struct Service {
    pub(crate) endpoint: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    home: PathBuf,
    down: Command,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.down.stdin(Stdio::null()).output();
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// SeaweedFS. Its `weedreader` may only read.
pub(crate) fn seaweedfs() -> Option<Service> {
    let binary = installed("weed/venv/bin/weed", "SeaweedFS")?;
    let home = new_home("weed");
    // Master, volume, filer and the S3 service's own gRPC follow the base port; each of the first
    // three has another port 10,000 above.
    let (base, s3) = free_ports(&[1, 2, 3, 4, 10_001, 10_002, 10_003]);
    let mut down = script("weed-up.sh");
    down.arg("down").env("WEED_HOME", &home);
    let mut service = Service {
        endpoint: String::new(),
        access_key: String::new(),
        secret_key: String::new(),
        down,
        home,
    };
    let mut up = script("weed-up.sh");
    up.env("WEED_HOME", &service.home)
        .env("WEED", binary)
        .env("WEED_BASE_PORT", base.to_string())
        .env("WEED_S3_PORT", s3.to_string());
    let said = start(up);
    service.endpoint = said["S3_ENDPOINT"].clone();
    service.access_key = said["S3_ACCESS_KEY"].clone();
    service.secret_key = said["S3_SECRET_KEY"].clone();
    Some(service)
}

/// The s3api of OpenStack Swift, with TempAuth, which is at `/auth/v1.0`.
pub(crate) fn swift() -> Option<Service> {
    swift_with(&[])
}

/// The same with variables of swift-up.sh.
pub(crate) fn swift_with(variables: &[(&str, &str)]) -> Option<Service> {
    let binary = installed("swift/venv/bin/swift-proxy-server", "OpenStack Swift")?;
    let venv = binary.parent().and_then(Path::parent).expect("a virtualenv").to_owned();
    let home = new_home("swift");
    let (base, proxy) = free_ports(&[1, 2, 3]);
    let mut down = script("swift-down.sh");
    down.env("SWIFT_HOME", &home);
    let mut service = Service {
        endpoint: String::new(),
        access_key: String::new(),
        secret_key: String::new(),
        down,
        home,
    };
    let mut up = script("swift-up.sh");
    up.env("SWIFT_HOME", &service.home)
        .env("SWIFT_VENV", venv)
        .env("SWIFT_KEYSTONE", "0")
        .env("SWIFT_PORT", proxy.to_string())
        .env("SWIFT_BASE_PORT", base.to_string())
        .envs(variables.iter().copied());
    let said = start(up);
    service.endpoint = said["SWIFT_S3_ENDPOINT"].clone();
    service.access_key = said["SWIFT_S3_ACCESS_KEY"].clone();
    service.secret_key = said["SWIFT_S3_SECRET_KEY"].clone();
    Some(service)
}

/// Where the servers are installed.
pub(crate) fn folder() -> PathBuf {
    match std::env::var_os("NOTIFY_PR_SERVICES") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("target/services"),
    }
}

fn installed(binary: &str, name: &str) -> Option<PathBuf> {
    let path = folder().join(binary);
    if path.exists() {
        return Some(path);
    }
    // Not by a macro: the test harness would keep the line to itself.
    let line = format!("SKIPPED: no {name} at {}: run tests/services/install.sh\n", path.display());
    let _ = std::io::stderr().write_all(line.as_bytes());
    None
}

/// A folder for one server of one test, on the disk of the services: Swift needs a file system
/// with extended attributes.
fn new_home(name: &str) -> PathBuf {
    let home = folder().join(format!("run-{name}-{}-{:08x}", std::process::id(), fastrand()));
    fs::create_dir_all(&home).expect("a folder for a server");
    home
}

fn script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services").join(name))
}

/// Runs a script to its end and reads the variables that it prints.
fn start(mut script: Command) -> HashMap<String, String> {
    let output = script.stdin(Stdio::null()).stderr(Stdio::inherit()).output().expect("a script");
    assert!(output.status.success(), "{script:?}: {}", output.status);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .filter(|line| line.starts_with("export "))
        .flat_map(str::split_whitespace)
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// A base port and one more. All of the base and the offsets from it are free now.
fn free_ports(offsets: &[u16]) -> (u16, u16) {
    for _ in 0..200 {
        // All of them below 32,768, where the ports of outgoing connections begin.
        let base = 10_000 + (fastrand() % 12_700) as u16;
        let held: Option<Vec<TcpListener>> = offsets
            .iter()
            .chain(&[0])
            .map(|offset| TcpListener::bind(("127.0.0.1", base + offset)).ok())
            .collect();
        // SeaweedFS adds 10,000 to the port of its S3 service too, unless told otherwise.
        let more = 14_000 + (fastrand() % 5_000) as u16;
        if held.is_some() && TcpListener::bind(("127.0.0.1", more)).is_ok() {
            return (base, more);
        }
    }
    panic!("no free ports");
}

fn fastrand() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}
