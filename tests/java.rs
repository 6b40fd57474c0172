//! The Java package: `mvn test` in bindings/java, against the library of this test run.
#![allow(clippy::expect_used, reason = "a test may fail loudly")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn installed(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Builds the stand-ins' command beside this test, and says where it is.
fn stand_ins(root: &Path) -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test");
    let target = test.ancestors().nth(3).expect("target/debug/deps/test");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).args(["build", "--quiet", "-p", "stand-ins"]);
    let built = cargo.arg("--target-dir").arg(target).status().expect("cargo runs");
    assert!(built.success(), "the stand-ins do not build");
    target.join("debug/stand-ins")
}

#[test]
fn the_java_package_passes_its_tests() {
    if !cfg!(target_os = "linux") || !installed("mvn") || !installed("javac") {
        let _ = writeln!(std::io::stderr(), "SKIPPED: Java: it needs Linux, mvn and a JDK");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let test = std::env::current_exe().expect("the path of the test");
    let library = test.parent().expect("its folder").join("libnotify_pr.so");
    let mut mvn = Command::new("mvn");
    mvn.current_dir(root.join("bindings/java")).args(["-q", "-B", "test"]);
    mvn.arg(format!("-Dnotifypr.test.library={}", library.display()));
    mvn.arg(format!("-Dnotifypr.test.stand-ins={}", stand_ins(root).display()));
    assert!(mvn.status().expect("mvn runs").success(), "mvn test failed");
}
