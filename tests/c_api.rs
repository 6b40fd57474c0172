//! The C API, as C programs use it: tests/c_api/*.c, run against the stand-ins.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod c;

use std::fs;
use std::process::Command;
use std::time::Duration;

use stand_ins::{Fault, Response};

use c::{Lab, Link, Workshop, run, text};

/// Builds a program of tests/c_api with the shared library.
fn program(name: &str) -> Option<(Workshop, std::path::PathBuf)> {
    let workshop = Workshop::open(name)?;
    let program = workshop.build(&format!("tests/c_api/{name}.c"), Link::Shared, &[]);
    Some((workshop, program))
}

#[test]
fn header_and_library_say_the_same_version() {
    let Some((_workshop, program)) = program("versions") else { return };
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        text(&run(&mut Command::new(program), 0).stdout),
        format!("{version} {version}\n0 0\n")
    );
}

#[test]
fn null_bad_text_and_a_wrong_order_are_refused_and_explained() {
    let Some((_workshop, program)) = program("errors") else { return };
    let lab = Lab::new();
    lab.run(&program, &["run.ini"]);
}

#[test]
fn a_receipt_tells_all_without_a_json_parser() {
    let Some((_workshop, program)) = program("receipt") else { return };
    let lab = Lab::new();
    let names = lab.run(&program, &["run.ini", "logs"]);
    let mut names: Vec<&str> = names.lines().collect();
    names.sort_unstable();
    assert_eq!(names, ["answer.txt", "results.txt", "ä ö.txt"]);
}

#[test]
fn a_submit_leaves_no_thread_descriptor_handler_variable_or_locale_behind() {
    let Some((_workshop, program)) = program("traces") else { return };
    Lab::new().run(&program, &["run.ini"]);
}

#[test]
fn nothing_but_load_environment_takes_anything_from_the_environment() {
    let Some(workshop) = Workshop::open("environment") else { return };
    let program = workshop.build("tests/c_api/environment.c", Link::Shared, &["-rdynamic"]);
    let lab = Lab::new();
    let nowhere = "http://127.0.0.1:9";
    let mut command = lab.command(&program);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "NOTIFY_PR_API_URL", "GITHUB_API_URL"] {
        command.env(name, nowhere);
    }
    let asked = text(&run(command.env("NOTIFY_PR_DRY_RUN", "true").arg("run.ini"), 0).stdout);
    // std asks for the first when it starts a thread, which also shows that getenv is watched; the
    // others are ureq's, which is then told what the settings say.
    for name in asked.lines() {
        let known = name == "RUST_MIN_STACK" || name.to_ascii_lowercase().ends_with("_proxy");
        assert!(known, "the environment was asked for {name}");
    }
    assert!(asked.contains("RUST_MIN_STACK"), "{asked}");
    assert_eq!(lab.comments().len(), 1);
}

#[test]
fn a_thousand_submits_leave_nothing_in_memory() {
    let Some((_workshop, program)) = program("memory") else { return };
    let lab = Lab::new();
    let mut command = lab.command(&program);
    // What is free is counted as free then, and not as kept for the next thread.
    command.env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1");
    println!("{}", text(&run(command.arg("run.ini"), 0).stdout));
    assert_eq!(lab.comments().len(), 1);
}

#[test]
fn two_copies_of_the_library_live_in_one_process() {
    let Some(workshop) = Workshop::open("copies") else { return };
    let program = workshop.build("tests/c_api/copies.c", Link::None, &[]);
    let copies = ["one.so", "two.so"].map(|name| {
        let copy = workshop.folder().join(name);
        fs::copy(c::shared_library(), &copy).expect("a copy");
        copy.display().to_string()
    });
    let lab = Lab::new();
    lab.run(&program, &["run.ini", &copies[0], &copies[1]]);
    assert_eq!(lab.comments().len(), 2);
}

#[test]
fn many_threads_submit_a_report_each_and_none_uses_another_ones() {
    let Some((_workshop, program)) = program("threads") else { return };
    let lab = Lab::new();
    lab.run(&program, &["run.ini"]);
    let comments = lab.comments();
    assert_eq!(comments.len(), 9, "{comments:?}");
}

#[test]
fn a_child_after_fork_submits() {
    let Some((_workshop, program)) = program("fork") else { return };
    let lab = Lab::new();
    lab.run(&program, &["run.ini"]);
    assert_eq!(lab.comments().len(), 1);
}

#[test]
fn parts_that_are_set_aside_are_submitted_later_as_one() {
    let Some((_workshop, program)) = program("collect") else { return };
    let lab = Lab::new();
    lab.run(&program, &["run.ini"]);
    assert_eq!(lab.comments().len(), 1);
}

#[test]
fn a_store_that_hangs_up_raises_no_signal() {
    let Some(workshop) = Workshop::open("hanging up") else { return };
    let program = workshop.build("examples/report.c", Link::Shared, &[]);
    let (lab, bucket) = Lab::with_bucket();
    let file = fs::File::create(lab.path("big.bin")).expect("a file");
    file.set_len(16 << 20).expect("a long file");
    // What has not changed for a while is sent by the kernel, and that raises SIGPIPE.
    std::thread::sleep(Duration::from_secs(3));
    bucket.fault(Fault::on("PUT", "big.bin").reset_after(1 << 20).times(2));
    bucket.fault(Fault::on("PUT", "big.bin").early_after(1 << 20, Response::html(503)));
    lab.run(&program, &["run.ini", &lab.commit, "big.bin"]);
    let tries = bucket.requests().iter().filter(|each| each.target.ends_with("big.bin")).count();
    assert!(tries > 3, "{tries}");
}

#[test]
fn a_lookup_of_a_name_is_waited_for_and_leaves_no_thread() {
    let Some(workshop) = Workshop::open("lookup") else { return };
    let program = workshop.build("tests/c_api/lookup.c", Link::Shared, &["-rdynamic"]);
    Lab::new().run(&program, &["run.ini"]);
}

#[test]
fn a_panic_comes_back_as_internal_in_debug_and_in_release() {
    for profile in ["dev", "release"] {
        let target = c::root().join("target/fault-points");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(c::root()).args(["rustc", "--quiet", "--locked", "--lib"]);
        cargo.args(["--crate-type", "cdylib", "--no-default-features"]);
        cargo.args(["--features", "fault-points", "--profile", profile, "--target-dir"]);
        run(cargo.arg(&target), 0);
        let folder = if profile == "dev" { "debug" } else { profile };
        let library = target.join(folder).join("libnotify_pr.so");
        let Some(workshop) = Workshop::with_library("panics", &library) else { return };
        assert!(c::holds_fault_points(&library), "so the tests of shipped libraries look in vain");
        let program = workshop.build("tests/c_api/panic.c", Link::Shared, &[]);
        let points = ["submit", "plan", "find", "upload", "compose", "publish", "post"];
        let arguments = [&["run.ini"][..], &points, &["request", "stored"]].concat();
        Lab::new().run(&program, &arguments);
    }
}

#[test]
fn the_example_reports_a_run() {
    let Some(workshop) = Workshop::open("examples/report.c") else { return };
    let program = workshop.build("examples/report.c", Link::Shared, &[]);
    let lab = Lab::new();
    let said = lab.run(&program, &["run.ini", &lab.commit, "logs"]);
    assert!(said.contains("#issuecomment-") && said.contains("/index.html"), "{said}");
    assert_eq!(lab.comments().len(), 1);
    let output = run(lab.command(&program).args(["no.ini", "x"]), 10);
    assert!(text(&output.stderr).contains("no.ini"), "{}", text(&output.stderr));
    let output = run(lab.command(&program).args(["run.ini", &lab.commit, "gone"]), 22);
    assert!(text(&output.stdout).contains("missing: gone: "), "{}", text(&output.stdout));
}

#[test]
fn what_is_refused_read_or_set_aside_is_clean_under_sanitizers() {
    let Some(workshop) = Workshop::open("sanitizers") else { return };
    for (name, arguments) in [
        ("errors", &["run.ini"][..]),
        ("receipt", &["run.ini", "logs"]),
        ("collect", &["run.ini"]),
        ("threads", &["run.ini"]),
    ] {
        let source = format!("tests/c_api/{name}.c");
        let program = workshop.build(&source, Link::Static, c::SANITIZED);
        let lab = Lab::new();
        run(lab.sanitized(&program).args(arguments), 0);
    }
}

#[test]
fn the_example_is_clean_under_sanitizers() {
    let Some(workshop) = Workshop::open("sanitizers") else { return };
    let program = workshop.build("examples/report.c", Link::Static, c::SANITIZED);
    let lab = Lab::new();
    lab.run_example(|| lab.sanitized(&program));
}

#[test]
fn the_example_is_clean_under_valgrind() {
    let Some(workshop) = Workshop::open("valgrind") else { return };
    let program = workshop.build("examples/report.c", Link::Shared, &[]);
    let lab = Lab::new();
    if lab.valgrind(&program).is_some() {
        lab.run_example(|| lab.valgrind(&program).expect("it was there a moment ago"));
    }
}
