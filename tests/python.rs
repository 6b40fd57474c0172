//! The Python package: its types are checked, and its tests run against this build.
#![allow(clippy::expect_used, reason = "a test may fail loudly")]

mod c;

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use c::{root, run, shared_library, skip, text};

/// What the tests use, with nose or its successor. The package itself needs nothing.
const PACKAGES: &[&str] = &["hatchling", "pytest", "pytest-xdist", "mypy"];

/// The folder of the package.
fn package() -> PathBuf {
    root().join("bindings/python")
}

/// The oldest minor version of Python 3 that the package runs on.
const OLDEST: u32 = 8;

/// An interpreter, and the version it has.
struct Python {
    version: Vec<u32>,
    program: PathBuf,
}

impl Python {
    /// The interpreter of this name, if there is one and it is new enough.
    fn at(name: &OsStr) -> Option<Python> {
        let ask = "import sys; print('.'.join(map(str, sys.version_info[:3])), sys.executable)";
        let output = Command::new(name).args(["-c", ask]).output().ok()?;
        let said = text(&output.stdout);
        let (version, program) = said.trim().split_once(' ')?;
        let version: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
        let known = output.status.success() && version >= vec![3, OLDEST];
        known.then(|| Python { version, program: program.into() })
    }

    fn version(&self) -> String {
        let parts: Vec<String> = self.version.iter().map(u32::to_string).collect();
        parts.join(".")
    }

    /// nose does not load in Python 3.10 and later; pynose took over.
    fn nose(&self) -> &'static str {
        if self.version < vec![3, 10] { "nose" } else { "pynose" }
    }

    /// A virtualenv with what the tests need. It stays for the next time.
    fn virtualenv(&self) -> Option<PathBuf> {
        let name = format!("python-{}", self.version());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let (own, ready) = (folder.join("bin/python"), folder.join("ready"));
        let packages = [PACKAGES, &[self.nose()]].concat();
        if fs::read_to_string(&ready).is_ok_and(|installed| installed == packages.join(" ")) {
            return Some(own);
        }
        let made =
            Command::new(&self.program).args(["-m", "venv", "--clear"]).arg(&folder).output();
        let installed = made.is_ok_and(|made| made.status.success())
            && pip(&own).args(&packages).status().is_ok_and(|status| status.success());
        if !installed {
            return None;
        }
        fs::write(ready, packages.join(" ")).expect("a file in target");
        Some(own)
    }
}

/// All that are found: by name, and those of pyenv. The oldest comes first.
fn all_pythons() -> Vec<Python> {
    let mut names: Vec<OsString> = vec!["python3".into()];
    names.extend((OLDEST..40).map(|minor| format!("python3.{minor}").into()));
    let pyenv = env::var_os("PYENV_ROOT").map(PathBuf::from);
    let pyenv = pyenv.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".pyenv")));
    let versions = pyenv.and_then(|root| fs::read_dir(root.join("versions")).ok());
    for version in versions.into_iter().flatten().flatten() {
        names.push(version.path().join("bin/python3").into());
    }
    let mut found: Vec<Python> = names.iter().filter_map(|name| Python::at(name)).collect();
    found.sort_by(|a, b| a.version.cmp(&b.version));
    found.dedup_by(|a, b| a.version == b.version);
    found
}

/// Those to test with: the oldest and the newest, or what NOTIFY_PR_TEST_PYTHON says, which is
/// `all` or a name.
fn pythons() -> Vec<Python> {
    match env::var_os("NOTIFY_PR_TEST_PYTHON") {
        Some(name) if name == "all" => all_pythons(),
        Some(name) => Python::at(&name).into_iter().collect(),
        None => {
            let mut found = all_pythons();
            let newest = found.pop();
            found.truncate(1);
            found.extend(newest);
            found
        }
    }
}

/// `pip install` in a virtualenv.
fn pip(python: &Path) -> Command {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip
}

#[test]
fn the_package_keeps_what_its_tests_promise() {
    let what = "the Python package";
    if !cfg!(unix) {
        return skip(what, "it is tested on Unix");
    }
    let pythons = pythons();
    if pythons.is_empty() {
        skip(what, "it needs python3, 3.8 or newer, or NOTIFY_PR_TEST_PYTHON");
    }
    let (command, stand_ins) = (env!("CARGO_BIN_EXE_notify_pr"), c::stand_ins());
    let each = |python: &Python| {
        let what = format!("{what} on Python {}", python.version());
        match python.virtualenv() {
            Some(own) => tested(&what, &own, command, &stand_ins),
            None => skip(&what, &format!("pip cannot install {PACKAGES:?} and {}", python.nose())),
        }
    };
    // Most of the time the tests wait for a process, so two run side by side.
    for two in pythons.chunks(2) {
        thread::scope(|scope| {
            for python in two {
                scope.spawn(|| each(python));
            }
        });
    }
}

/// Installs the package with an interpreter, checks its types and runs its tests.
fn tested(what: &str, python: &Path, command: &str, stand_ins: &Path) {
    // nose and pytest find plugins among what is installed, so the package is installed.
    let mut pip = pip(python);
    pip.args(["--force-reinstall", "--no-deps", "--no-build-isolation"])
        .arg(package())
        .env("NOTIFY_PR_BUILD_LIBRARY", shared_library())
        .env("NOTIFY_PR_BUILD_COMMAND", command);
    run(&mut pip, 0);
    run(Command::new(python).args(["-m", "mypy"]).current_dir(package()), 0);
    // And as somebody sees it who has it installed.
    run(
        Command::new(python)
            .args(["-m", "mypy", "--strict", "examples/report.py"])
            .current_dir(root()),
        0,
    );
    let mut pytest = Command::new(python);
    pytest
        .args(["-m", "pytest", "-p", "no:cacheprovider", "--quiet", "-rs", "tests"])
        .current_dir(package())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NOTIFY_PR_LIBRARY", shared_library())
        .env("NOTIFY_PR_TEST_COMMAND", command)
        .env("NOTIFY_PR_TEST_STAND_INS", stand_ins);
    let output = text(&run(&mut pytest, 0).stdout);
    for line in output.lines().filter(|line| line.contains("SKIPPED")) {
        skip(what, line);
    }
    println!("{what}:\n{output}");
}

#[test]
fn the_package_has_the_version_of_the_library() {
    let project = fs::read_to_string(package().join("pyproject.toml")).expect("pyproject.toml");
    let version = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(project.lines().any(|line| line == version), "pyproject.toml lacks {version}");
}
