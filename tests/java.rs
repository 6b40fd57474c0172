//! The Java package: `mvn test` in bindings/java, against the library of this test run.
#![allow(clippy::expect_used, reason = "a test may fail loudly")]

mod c;
mod jvm;

use std::process::Command;

#[test]
fn the_java_package_passes_its_tests() {
    if !jvm::installed("Java") {
        return;
    }
    let mut mvn = Command::new("mvn");
    mvn.current_dir(c::root().join("bindings/java")).args(["-q", "-B", "test"]);
    mvn.arg(format!("-Dnotifypr.test.library={}", c::shared_library().display()));
    mvn.arg(format!("-Dnotifypr.test.stand-ins={}", c::stand_ins().display()));
    assert!(mvn.status().expect("mvn runs").success(), "mvn test failed");
}
