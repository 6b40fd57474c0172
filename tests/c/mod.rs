//! Builds C programs against the library of this test run, and gives them a lab to report to.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use stand_ins::{Bucket, FileServer, GitHub, Pull, Repository, sha};
use tempfile::TempDir;

/// What a static libnotify_pr needs besides itself: rustc --print native-static-libs.
pub const NATIVE_LIBRARIES: &[&str] =
    &["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"];
/// C that is clean.
pub const STRICT: &[&str] = &["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-std=c99"];

/// A program that is built so notices what it does wrong, and what it leaves in memory.
pub const SANITIZED: &[&str] = &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Says what is not tested here, also where the test harness keeps the output of tests to itself.
pub fn skip(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}: {why}");
}

/// Whether a program is there to be run.
pub fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// The folder with the library that was built together with this test.
pub fn built() -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test");
    test.parent().expect("its folder").to_owned()
}

/// The shared library.
pub fn shared_library() -> PathBuf {
    built().join("libnotify_pr.so")
}

/// Whether a library was built with the feature fault-points, which no library has that is shipped.
pub fn holds_fault_points(library: &Path) -> bool {
    const SAID: &[u8] = b"the fault point ";
    let bytes = fs::read(library).expect("a library");
    bytes.windows(SAID.len()).any(|window| window == SAID)
}

/// The stand-ins as a program, built like this test.
pub fn stand_ins() -> PathBuf {
    let profile = built().parent().expect("the folder of the profile").to_owned();
    let target = profile.parent().expect("the target folder");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "stand-ins", "--bin", "stand-ins"]);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    run(cargo.arg("--target-dir").arg(target).current_dir(root()), 0);
    profile.join("stand-ins")
}

/// A compiler, and a folder in which the library has the name that programs look for.
pub struct Workshop {
    folder: TempDir,
}

/// How a program gets the library.
#[derive(Clone, Copy, PartialEq)]
pub enum Link {
    Shared,
    Static,
    /// Not at all: the program loads it.
    None,
}

impl Workshop {
    /// A workshop, unless there is no C compiler for this system; then that is said.
    pub fn open(what: &str) -> Option<Workshop> {
        Workshop::with_library(what, &shared_library())
    }

    /// A workshop for another build of the shared library.
    pub fn with_library(what: &str, library: &Path) -> Option<Workshop> {
        if !cfg!(target_os = "linux") || !installed("cc") {
            skip(what, "it needs Linux and a C compiler named cc");
            return None;
        }
        let folder = TempDir::new().expect("a folder");
        for name in ["libnotify_pr.so", "libnotify_pr.so.0"] {
            std::os::unix::fs::symlink(library, folder.path().join(name)).expect("a link");
        }
        Some(Workshop { folder })
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Builds a program of one file.
    pub fn build(&self, source: &str, link: Link, flags: &[&str]) -> PathBuf {
        let source = root().join(source);
        let program = self.folder.path().join(source.file_stem().expect("a name"));
        let mut cc = Command::new("cc");
        cc.args(STRICT).arg("-D_GNU_SOURCE").args(flags).arg("-g");
        cc.arg("-I").arg(root().join("include"));
        cc.arg(&source).arg("-o").arg(&program);
        match link {
            Link::Shared => {
                let rpath = format!("-Wl,-rpath,{}", self.folder.path().display());
                cc.arg("-L").arg(self.folder.path()).arg("-lnotify_pr").arg(rpath);
            }
            Link::Static => {
                cc.arg(built().join("libnotify_pr.a")).args(NATIVE_LIBRARIES);
            }
            Link::None => {}
        }
        run(cc.arg("-lpthread").arg("-ldl"), 0);
        program
    }
}

/// Runs a command that has to end with this status, and returns what it said.
pub fn run(command: &mut Command, status: i32) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert_eq!(
        output.status.code(),
        Some(status),
        "{command:?}: {}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A GitHub, a published folder, and the folder of a job with `run.ini`.
pub struct Lab {
    pub github: GitHub,
    pub repository: Repository,
    pub pull: Pull,
    pub commit: String,
    pub job: TempDir,
    pub published: TempDir,
    pub server: FileServer,
}

impl Lab {
    pub fn new() -> Lab {
        let github = GitHub::start();
        github.token("lab-token").login("lab-bot").scopes(&["public_repo"]);
        let commit = sha("tested");
        let repository = github.repository("apache", "cloudstack").fill(3);
        let pull = repository.pull_from_fork("contributor", "fix-volumes", &commit);
        let published = TempDir::new().expect("a folder");
        let server = FileServer::start(published.path());
        let job = TempDir::new().expect("a folder");
        let lab = Lab { github, repository, pull, commit, job, published, server };
        lab.write("logs/results.txt", "test_a ... ok\n");
        lab.write("logs/ä ö.txt", "test_b ... ok\n");
        lab.write("token", "lab-token\n");
        let store = format!(
            "store_api = directory\nstore_endpoint = {}\nstore_public_url = {}\n",
            lab.published.path().display(),
            lab.server.url(),
        );
        lab.write_ini(&store);
        lab
    }

    /// A lab with a bucket in place of the folder.
    pub fn with_bucket() -> (Lab, Bucket) {
        let (lab, bucket) = (Lab::new(), Bucket::start("logs"));
        lab.write_bucket(&bucket);
        (lab, bucket)
    }

    /// Writes `run.ini` for a bucket named logs.
    pub fn write_bucket(&self, bucket: &Bucket) {
        self.write_ini(&format!(
            "store_api = s3\nstore_endpoint = {}\nstore_container = logs\n\
             store_region = us-east-1\nstore_identity = lab\nstore_secret = lab-secret\n\
             store_public_url = {}\n",
            bucket.url(),
            bucket.public_url(),
        ));
    }

    /// Writes `run.ini` with these lines about the store.
    pub fn write_ini(&self, store: &str) {
        let job = self.job.path().display();
        self.write(
            "run.ini",
            &format!(
                "token_file = {job}/token\nowner = apache\nrepo = cloudstack\napi_url = {}\n\
                 commit = {}\ncontext = kvm\noutbox_dir = {job}/outbox\n{store}",
                self.github.url(),
                self.commit,
            ),
        );
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.job.path().join(name)
    }

    /// Runs a program in the job's folder with nothing in its environment; it has to succeed.
    pub fn run(&self, program: &Path, arguments: &[&str]) -> String {
        text(&run(self.command(program).args(arguments), 0).stdout)
    }

    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.job.path());
        command
    }

    /// A program that was built [`SANITIZED`].
    pub fn sanitized(&self, program: &Path) -> Command {
        let symbols = text(&run(Command::new("nm").arg(program), 0).stdout);
        assert!(symbols.contains("__asan_init"), "the program is not watched");
        let mut command = self.command(program);
        command.env("ASAN_OPTIONS", "detect_leaks=1:exitcode=99");
        // main() is over then, and what it left on the stack would hide the leaks that it points to.
        command.env("LSAN_OPTIONS", "use_stacks=0");
        command
    }

    /// A program under Valgrind, unless that is not there, which is said.
    pub fn valgrind(&self, program: &Path) -> Option<Command> {
        if !installed("valgrind") {
            skip("valgrind", "it is not installed");
            return None;
        }
        let mut command = self.command("valgrind");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        // A static that points behind the head of an Arc is what Valgrind calls possibly lost.
        command.args(["--quiet", "--leak-check=full", "--show-leak-kinds=definite,indirect"]);
        command.args(["--errors-for-leak-kinds=definite,indirect", "--error-exitcode=99"]);
        command.arg(program);
        Some(command)
    }

    /// Lets examples/report.c, of which this makes a command, end in every way that it has.
    pub fn run_example(&self, command: impl Fn() -> Command) {
        let commit = self.commit.as_str();
        for (arguments, status) in [
            (&["run.ini", commit, "logs"][..], 0),
            (&["run.ini", commit, "logs", "gone"], 22),
            (&["no.ini", commit], 10),
            (&["run.ini", "no commit"], 3),
            (&["run.ini"], 3),
        ] {
            run(command().args(arguments), status);
        }
    }

    pub fn comments(&self) -> Vec<String> {
        let comments = self.github.comments("apache/cloudstack", self.pull.number());
        comments.into_iter().map(|comment| comment.body).collect()
    }
}
