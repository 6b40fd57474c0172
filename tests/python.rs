//! The Python package: its types are checked, and its tests run against this build.
#![allow(clippy::expect_used, reason = "a test may fail loudly")]

mod c;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use c::{root, run, shared_library, skip, text};

/// What the tests use. The package itself needs nothing.
const PACKAGES: &[&str] = &["pytest", "pytest-xdist", "pynose", "mypy"];

/// The folder of the package.
fn package() -> PathBuf {
    root().join("bindings/python")
}

/// The Python to test with: the one that NOTIFY_PR_TEST_PYTHON names, or python3.
fn python() -> Option<PathBuf> {
    let name = env::var_os("NOTIFY_PR_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let check = "import sys; assert sys.version_info >= (3, 8); print(sys.executable)";
    let output = Command::new(name).args(["-c", check]).output().ok()?;
    output.status.success().then(|| PathBuf::from(text(&output.stdout).trim()))
}

/// A virtualenv with what the tests need. It stays for the next time.
fn virtualenv(python: &Path) -> Option<PathBuf> {
    let version = text(&run(Command::new(python).arg("-VV"), 0).stdout);
    let name: String = version.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("venv-{name}"));
    let (own, ready) = (folder.join("bin/python"), folder.join("ready"));
    if !ready.exists() {
        let made = Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder).output();
        let installed = made.is_ok_and(|made| made.status.success())
            && Command::new(&own)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(PACKAGES)
                .status()
                .is_ok_and(|status| status.success());
        if !installed {
            return None;
        }
        fs::write(ready, "").expect("a file in target");
    }
    Some(own)
}

/// The stand-ins as a program, built like this test.
fn stand_ins() -> PathBuf {
    let profile = c::built().parent().expect("the folder of the profile").to_owned();
    let target = profile.parent().expect("the target folder");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "stand-ins", "--bin", "stand-ins"]);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    run(cargo.arg("--target-dir").arg(target).current_dir(root()), 0);
    profile.join("stand-ins")
}

#[test]
fn the_package_keeps_what_its_tests_promise() {
    let what = "the Python package";
    if !cfg!(unix) {
        return skip(what, "it is tested on Unix");
    }
    let Some(python) = python() else {
        return skip(what, "it needs python3, 3.8 or newer, or NOTIFY_PR_TEST_PYTHON");
    };
    let Some(python) = virtualenv(&python) else {
        return skip(what, "pip cannot install pytest, pytest-xdist, pynose and mypy");
    };
    // nose and pytest find plugins among what is installed, so the package is installed.
    let command = env!("CARGO_BIN_EXE_notify_pr");
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--force-reinstall", "--no-deps"])
        .arg(package())
        .env("NOTIFY_PR_BUILD_LIBRARY", shared_library())
        .env("NOTIFY_PR_BUILD_COMMAND", command);
    run(&mut pip, 0);
    run(Command::new(&python).args(["-m", "mypy"]).current_dir(package()), 0);
    let mut pytest = Command::new(&python);
    pytest
        .args(["-m", "pytest", "-p", "no:cacheprovider", "--quiet", "-rs", "tests"])
        .current_dir(package())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NOTIFY_PR_LIBRARY", shared_library())
        .env("NOTIFY_PR_TEST_COMMAND", command)
        .env("NOTIFY_PR_TEST_STAND_INS", stand_ins());
    let output = text(&run(&mut pytest, 0).stdout);
    for line in output.lines().filter(|line| line.contains("SKIPPED")) {
        skip(what, line);
    }
    println!("{output}");
}

#[test]
fn the_package_has_the_version_of_the_library() {
    let project = fs::read_to_string(package().join("pyproject.toml")).expect("pyproject.toml");
    let version = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(project.lines().any(|line| line == version), "pyproject.toml lacks {version}");
}
