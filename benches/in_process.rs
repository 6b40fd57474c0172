//! What it costs a C program to have the library in it: `cargo bench --bench in_process`.
//!
//! Prints the size of the stripped shared library, and how much longer a program takes that is
//! linked with it and makes a report than one that does nothing. A path after `--` measures another
//! library, such as the one that `cargo rustc --lib --crate-type cdylib --profile library
//! --no-default-features` leaves in target/library: it is built as packages are.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench may fail loudly"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const EMPTY: &str = "int main(void) { return 0; }\n";
const LOADED: &str = "#include <notify_pr.h>\n\
    int main(void) { npr_report *report = npr_report_new(); npr_report_free(report); return 0; }\n";
const RUNS: usize = 500;

fn main() {
    let argument = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let beside = || {
        let bench = std::env::current_exe().expect("the path of this program");
        bench.parent().expect("its folder").join("libnotify_pr.so")
    };
    let library = argument.map_or_else(beside, PathBuf::from);
    let folder = tempfile::TempDir::new().expect("a folder");
    let stripped = folder.path().join("libnotify_pr.so");
    run(Command::new("strip").arg("-o").arg(&stripped).arg(&library));
    fs::copy(&stripped, folder.path().join("libnotify_pr.so.0")).expect("a copy");
    let size = fs::metadata(&stripped).expect("the library").len();
    println!("library:           {}", library.display());
    println!("size, stripped:    {:.2} MB ({size} bytes)", size as f64 / 1e6);

    let empty = build(folder.path(), "empty", EMPTY, false);
    let loaded = build(folder.path(), "loaded", LOADED, true);
    let (mut without, mut with) = (Vec::new(), Vec::new());
    // By turns, so that whatever else the machine does meets both.
    for _ in 0..RUNS {
        without.push(time(&empty));
        with.push(time(&loaded));
    }
    let (without, with) = (median(without), median(with));
    println!("an empty program:  {:.3} ms (median of {RUNS})", millis(without));
    println!("with a report:     {:.3} ms", millis(with));
    println!("the library costs: {:.3} ms", millis(with) - millis(without));
}

fn build(folder: &Path, name: &str, source: &str, link: bool) -> PathBuf {
    let (file, program) = (folder.join(format!("{name}.c")), folder.join(name));
    fs::write(&file, source).expect("a file");
    let mut cc = Command::new("cc");
    cc.arg("-O2").arg("-I").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("include"));
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

fn time(program: &Path) -> Duration {
    let began = Instant::now();
    run(&mut Command::new(program));
    began.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
