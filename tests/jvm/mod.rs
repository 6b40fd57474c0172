//! The Java package, compiled, for tests and benches that start Java themselves.

#![allow(clippy::expect_used, reason = "a test may fail loudly")]
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::c;

/// Whether Java can be compiled here; if not, that is said.
pub fn installed(what: &str) -> bool {
    let there = cfg!(target_os = "linux") && c::installed("mvn") && c::installed("javac");
    if !there {
        c::skip(what, "it needs Linux, mvn and a JDK");
    }
    there
}

/// Compiles the package, and says with which class path its classes and JNA are found; `None`
/// where that is impossible, which is said.
pub fn class_path(what: &str) -> Option<String> {
    if !installed(what) {
        return None;
    }
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("bindings/java");
    let mut mvn = Command::new("mvn");
    mvn.args(["-q", "-B", "process-classes"]).current_dir(&package);
    assert!(mvn.status().expect("mvn runs").success(), "bindings/java does not compile");
    Some(fs::read_to_string(package.join("target/class-path")).expect("what pom.xml writes"))
}
