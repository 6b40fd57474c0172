//! The Java package: `mvn package` in bindings/java, against the library of this test run.
#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod c;
mod jvm;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use c::{Lab, root};
use jvm::Jdk;

/// What the tests of JUnit say on each JDK; also that nothing is warned of.
#[test]
fn the_java_package_passes_its_tests_without_warnings_and_its_jar_works() {
    if !jvm::installed("Java") {
        return;
    }
    let jdks = jvm::jdks();
    if jdks.is_empty() {
        c::skip("Java", "it needs JDK 17 or newer in /usr/lib/jvm or JAVA_HOME");
    }
    // What they need is built before they need it at the same time.
    c::stand_ins();
    for two in jdks.chunks(2) {
        thread::scope(|scope| {
            for jdk in two {
                scope.spawn(|| tested(jdk));
            }
        });
    }
}

fn tested(jdk: &Jdk) {
    let what = format!("Java {}", jdk.version);
    let Some(said) = jvm::maven(&what, &mut jdk.mvn("package")) else { return };
    assert!(!said.contains("WARN"), "{what}:\n{said}");
    let tests = said.lines().rfind(|line| line.contains("Tests run:")).unwrap_or_default();
    println!("{what}: {tests}");
    the_examples_report_with_the_library_in_the_jar(jdk);
    a_run_of_surefire_is_set_aside(jdk);
}

/// The jar and JNA, and nothing else.
fn class_path(jdk: &Jdk) -> String {
    let jar = jdk.build().join(format!("notify_pr-{}.jar", env!("CARGO_PKG_VERSION")));
    let names = c::text(&c::run(Command::new("jar").arg("tf").arg(&jar), 0).stdout);
    for name in ["org/notifypr/Report.class", "linux-x86-64/libnotify_pr.so"] {
        let is_there = !cfg!(target_arch = "x86_64") || names.lines().any(|line| line == name);
        assert!(is_there, "{name} is not in the jar:\n{names}");
    }
    assert!(!names.contains("com/sun/jna"), "JNA is Jenkins', of which there can be only one");
    let all = fs::read_to_string(jdk.build().join("class-path")).expect("what pom.xml writes");
    let jna = all.split(':').find(|path| path.contains("/jna-")).expect("JNA");
    format!("{}:{jna}", jar.display())
}

fn the_examples_report_with_the_library_in_the_jar(jdk: &Jdk) {
    let lab = Lab::new();
    let readme = fs::read_to_string(root().join("bindings/java/README.md")).expect("the README");
    let program = readme.split("```java\n").nth(1).and_then(|rest| rest.split("```").next());
    lab.write("Example.java", program.expect("a program in the README"));
    lab.write("MarvinLogs/results.txt", "test_a ... ok\n");
    let class_path = class_path(jdk);
    let example = root().join("examples/Report.java");
    let programs: [(PathBuf, &[&str]); 2] = [
        (lab.path("Example.java"), &[&lab.commit]),
        (example, &["run.ini", &lab.commit, "MarvinLogs"]),
    ];
    for (program, arguments) in programs {
        let mut java = lab.command(jdk.java());
        java.args(jdk.native_access()).arg("-cp").arg(&class_path).arg(program).args(arguments);
        let output = c::run(&mut java, 0);
        let (out, err) = (c::text(&output.stdout), c::text(&output.stderr));
        assert!(out.contains("#issuecomment"), "{out}{err}");
        assert!(!err.contains("WARN"), "{err}");
    }
    // The second one renewed the comment of the first.
    let comments = lab.comments();
    assert_eq!(comments.len(), 1);
    assert!(comments[0].contains("results.txt"), "{}", comments[0]);
}

/// JUnit finds the listener in a project's tests, and here the project is ours.
fn a_run_of_surefire_is_set_aside(jdk: &Jdk) {
    let lab = Lab::new();
    let spool: PathBuf = lab.path("spool");
    let mut mvn = jdk.mvn("surefire:test");
    mvn.arg("-Dtest=NumbersTest").env("NOTIFY_PR_SPOOL_DIR", &spool);
    // A shell's part is not this one.
    let shells = "0".repeat(32);
    mvn.env("NOTIFY_PR_BEGUN", &shells);
    let said = jvm::maven("surefire", &mut mvn).expect("what the tests needed too");
    let line = "passed=4, failed=0, errors=0, skipped=0";
    assert!(
        said.contains(&format!("notify_pr: set aside in {} ({line})", spool.display())),
        "{said}"
    );
    assert!(!spool.join(shells).exists());
    let mut submit = lab.command(env!("CARGO_BIN_EXE_notify_pr"));
    c::run(submit.args(["--config", "run.ini", "--spool", "spool"]), 0);
    let comment = lab.comments().join("");
    assert!(comment.contains("| Tests | 4 passed |"), "{comment}");
}
