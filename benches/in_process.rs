//! What it costs a program to have the library in it: `cargo bench --bench in_process`.
//!
//! Prints the sizes of the stripped libraries and of the command, how much longer a program in C,
//! Python or Java takes that loads the library and makes a report than one that does not (Python
//! with ctypes imported and Java with JNA started either way), and how much longer a submit takes
//! than the requests that it makes. A path after `--` measures another library, such as the one
//! that `cargo rustc --lib --crate-type cdylib,staticlib --profile library --no-default-features`
//! leaves in target/library: it is built as packages are.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench may fail loudly"
)]

#[path = "../tests/c/mod.rs"]
mod c;
#[path = "../tests/jvm/mod.rs"]
mod jvm;
#[path = "in_process/submit.rs"]
mod submit;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const EMPTY_C: &str = "int main(void) { return 0; }\n";
const LOADED_C: &str = "#include <notify_pr.h>\n\
    int main(void) { npr_report *report = npr_report_new(); npr_report_free(report); return 0; }\n";
const EMPTY_PYTHON: &str = "import ctypes";
const LOADED_PYTHON: &str = "import ctypes, notify_pr; notify_pr.Report().close()";
const JAVA: [(&str, &str); 2] = [
    ("Empty", "int size = com.sun.jna.Native.POINTER_SIZE;"),
    ("Loaded", "int size = com.sun.jna.Native.POINTER_SIZE; new org.notifypr.Report().close();"),
];

/// A program, started anew each time.
type Start<'s> = &'s dyn Fn() -> Command;

fn main() {
    let argument = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    // `cargo test` runs benches too, without a word.
    if cfg!(debug_assertions) && argument.is_none() {
        return;
    }
    let beside = || {
        let bench = std::env::current_exe().expect("the path of this program");
        bench.parent().expect("its folder").join("libnotify_pr.so")
    };
    let library = argument.map_or_else(beside, PathBuf::from);
    let folder = tempfile::TempDir::new().expect("a folder");
    let stripped = folder.path().join("libnotify_pr.so");
    strip(&library, &stripped);
    fs::copy(&stripped, folder.path().join("libnotify_pr.so.0")).expect("a copy");
    let archive = folder.path().join("libnotify_pr.a");
    let command = folder.path().join("notify_pr");
    strip(&library.with_extension("a"), &archive);
    strip(Path::new(env!("CARGO_BIN_EXE_notify_pr")), &command);
    println!("library: {}", library.display());
    for (what, file) in [("shared", &stripped), ("static", &archive), ("command", &command)] {
        let Ok(file) = fs::metadata(file) else { continue };
        println!("{what}, stripped: {:.2} MB ({} bytes)", file.len() as f64 / 1e6, file.len());
    }

    let empty = build(folder.path(), "empty", EMPTY_C, false);
    let loaded = build(folder.path(), "loaded", LOADED_C, true);
    compare("C", 500, &|| Command::new(&empty), &|| Command::new(&loaded));
    let program = build(folder.path(), "submit", submit::PROGRAM, true);
    let times = submit::measure(&program, 100);
    let (submit, raw) = (median(times.submit), median(times.raw));
    println!(
        "submit of one small file: {submit:.3} ms, its {} requests by plain sockets {raw:.3} ms, \
         {:.3} ms more (medians of 100)",
        times.requests,
        submit - raw
    );
    if c::installed("python3") {
        let python = |program: &str| {
            let mut command = Command::new("python3");
            command.args(["-c", program]).env("NOTIFY_PR_LIBRARY", &stripped);
            command.env("PYTHONPATH", c::root().join("bindings/python/src"));
            command
        };
        compare("Python", 100, &|| python(EMPTY_PYTHON), &|| python(LOADED_PYTHON));
    } else {
        c::skip("Python", "it needs python3");
    }
    if let Some(class_path) = jvm::class_path("Java") {
        let class_path = format!("{class_path}:{}", folder.path().display());
        for (name, body) in JAVA {
            let file = folder.path().join(format!("{name}.java"));
            let main = "public static void main(String[] words)";
            fs::write(&file, format!("class {name} {{ {main} {{ {body} }} }}")).expect("a file");
            run(Command::new("javac").arg("-cp").arg(&class_path).arg(&file));
        }
        let java = |name: &str| {
            let mut command = Command::new("java");
            command.arg("-cp").arg(&class_path).arg(name).env("NOTIFY_PR_LIBRARY", &stripped);
            command
        };
        compare("Java", 30, &|| java("Empty"), &|| java("Loaded"));
    }
}

/// By turns, so that whatever else the machine does meets both.
fn compare(language: &str, runs: usize, empty: Start<'_>, loaded: Start<'_>) {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        without.push(time(empty));
        with.push(time(loaded));
    }
    let (without, with) = (median(without), median(with));
    println!(
        "{language}: {without:.3} ms without the library, {with:.3} ms with a report, {:.3} ms more \
         (medians of {runs})",
        with - without
    );
}

/// A library or program without its symbols of debugging, as packages hold it.
fn strip(from: &Path, to: &Path) {
    if !from.exists() {
        return println!("there is no {}", from.display());
    }
    let what = if from.extension().is_some_and(|kind| kind == "a") { "-S" } else { "-s" };
    run(Command::new("strip").arg(what).arg("-o").arg(to).arg(from));
}

fn build(folder: &Path, name: &str, source: &str, link: bool) -> PathBuf {
    let (file, program) = (folder.join(format!("{name}.c")), folder.join(name));
    fs::write(&file, source).expect("a file");
    let mut cc = Command::new("cc");
    cc.arg("-O2").arg("-I").arg(c::root().join("include"));
    cc.arg(&file).arg("-o").arg(&program);
    if link {
        cc.arg("-L").arg(folder).arg("-lnotify_pr");
        cc.arg(format!("-Wl,-rpath,{}", folder.display()));
    }
    run(&mut cc);
    program
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

/// In milliseconds.
fn time(program: Start<'_>) -> f64 {
    let began = Instant::now();
    run(&mut program());
    began.elapsed().as_secs_f64() * 1e3
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
