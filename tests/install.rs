//! The library, as it is installed for C: packaging/install-library, which runs cargo cinstall.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod c;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use c::{Lab, root, run, text};
use tempfile::TempDir;

/// PATH with cargo-c in it, or None, and that is said.
fn path_with_cargo_c() -> Option<String> {
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", root().join("target/tools/bin").display());
    let found = path.split(':').any(|folder| Path::new(folder).join("cargo-cinstall").is_file());
    if !found || !c::installed("pkg-config") || !c::installed("cc") {
        c::skip("cargo cinstall", "it needs cargo-c, pkg-config and a C compiler named cc");
        return None;
    }
    Some(path)
}

fn install(prefix: &Path, path: &str) {
    let mut command = Command::new(root().join("packaging/install-library"));
    command.arg(prefix).args(["--profile", "dev", "--target-dir"]);
    run(command.arg(root().join("target/cargo-c")).env("PATH", path), 0);
}

fn pkg_config(prefix: &Path, arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new("pkg-config");
    command.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"));
    let said = text(&run(command.args(arguments).arg("notify_pr"), 0).stdout);
    said.split_whitespace().map(str::to_owned).collect()
}

fn build(prefix: &Path, source: &str, static_library: bool, flags: &[&str]) -> PathBuf {
    let program = prefix.join(if static_library { "static" } else { "shared" });
    let mut cc = Command::new("cc");
    cc.args(c::STRICT)
        .args(flags)
        .arg("-D_GNU_SOURCE")
        .arg("-o")
        .arg(&program)
        .arg(root().join(source));
    if static_library {
        let flags = pkg_config(prefix, &["--cflags", "--libs", "--static"]);
        // The linker takes the shared library of two that it finds.
        cc.args(flags.iter().map(|flag| match flag.as_str() {
            "-lnotify_pr" => "-l:libnotify_pr.a",
            flag => flag,
        }));
    } else {
        cc.args(pkg_config(prefix, &["--cflags", "--libs"]));
    }
    run(&mut cc, 0);
    program
}

#[test]
fn an_installed_library_serves_c_programs_and_is_replaced_under_running_ones() {
    let Some(path) = path_with_cargo_c() else { return };
    let folder = TempDir::new().expect("a folder");
    let prefix = folder.path();
    install(prefix, &path);
    let library = prefix.join("lib");
    let number = notify_pr::capi::NPR_ABI_VERSION;
    let name = format!("libnotify_pr.so.{number}");
    assert!(library.join(&name).is_symlink() && library.join("libnotify_pr.so").is_symlink());
    assert_eq!(
        fs::read(prefix.join("include/notify_pr.h")).expect("the header"),
        fs::read(root().join("include/notify_pr.h")).expect("the header")
    );
    let dynamic = run(Command::new("readelf").arg("-d").arg(library.join("libnotify_pr.so")), 0);
    assert!(text(&dynamic.stdout).contains(&format!("[{name}]")), "{}", text(&dynamic.stdout));

    for shipped in ["libnotify_pr.so", "libnotify_pr.a"] {
        assert!(!c::holds_fault_points(&library.join(shipped)), "{shipped} panics on demand");
    }

    let lab = Lab::new();
    let found = |mut command: Command| {
        command.env("LD_LIBRARY_PATH", &library);
        command
    };
    for static_library in [false, true] {
        let program = build(prefix, "examples/report.c", static_library, &[]);
        let said = run(found(lab.command(&program)).args(["run.ini", &lab.commit]), 0);
        assert!(text(&said.stdout).contains("#issuecomment-"), "{}", text(&said.stdout));
        if let Some(valgrind) = lab.valgrind(&program) {
            run(found(valgrind).args(["run.ini", &lab.commit, "logs"]), 0);
        }
        let program = build(prefix, "examples/report.c", static_library, c::SANITIZED);
        lab.run_example(|| found(lab.sanitized(&program)));
    }

    // A program that has the library open when it is installed anew, and uses it afterwards.
    let program = build(prefix, "tests/c_api/wait.c", false, &[]);
    let mut running = lab
        .command(program)
        .arg("run.ini")
        .env("LD_LIBRARY_PATH", &library)
        .stdin(Stdio::piped())
        .spawn()
        .expect("the program runs");
    install(prefix, &path);
    running.stdin.take().expect("its input").write_all(b"go\n").expect("it reads");
    assert!(running.wait().expect("it ends").success());
}
