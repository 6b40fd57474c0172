//! The Java package, compiled, for tests and benches that start Java themselves.

#![allow(clippy::expect_used, reason = "a test may fail loudly")]
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::c;

/// Whether Java can be compiled here; if not, that is said.
pub fn installed(what: &str) -> bool {
    let there = cfg!(target_os = "linux") && c::installed("mvn") && c::installed("javac");
    if !there {
        c::skip(what, "it needs Linux, mvn and a JDK");
    }
    there
}

/// Compiles the package, and says with which class path its classes and JNA are found; `None`
/// where that is impossible, which is said.
pub fn class_path(what: &str) -> Option<String> {
    if !installed(what) {
        return None;
    }
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("bindings/java");
    let mut mvn = Command::new("mvn");
    mvn.args(["-q", "-B", "process-classes"]).current_dir(&package);
    maven(what, &mut mvn)?;
    Some(fs::read_to_string(package.join("target/class-path")).expect("what pom.xml writes"))
}

/// The oldest Java that the package runs on.
const OLDEST: u32 = 17;

/// What Maven says where it lacks something and cannot get it.
const OFFLINE: [&str; 4] =
    ["Could not transfer artifact", "PluginResolutionException", "Unknown host", "offline mode"];

/// A JDK, and which one it is, as in 17.
pub struct Jdk {
    pub version: u32,
    home: PathBuf,
}

impl Jdk {
    fn at(home: PathBuf) -> Option<Jdk> {
        let output = Command::new(home.join("bin/javac")).arg("-version").output().ok()?;
        // Such as "javac 17.0.15".
        let said = text(&output);
        let version = said.trim().strip_prefix("javac ")?.split(['.', '-', '+']).next()?;
        let version = version.parse().ok().filter(|version| *version >= OLDEST)?;
        Some(Jdk { version, home })
    }

    /// Where the package is built with it.
    pub fn build(&self) -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("java-{}", self.version))
    }

    /// Maven, for the package.
    pub fn mvn(&self, goal: &str) -> Command {
        let mut mvn = Command::new("mvn");
        mvn.args(["-B", goal]).current_dir(c::root().join("bindings/java"));
        mvn.env("JAVA_HOME", &self.home);
        // Where cargo builds is no place of the system's.
        mvn.env_remove("LD_LIBRARY_PATH").env_remove("NOTIFY_PR_LIBRARY");
        if self.version >= 24 {
            // Maven's own libraries do what this Java warns of.
            let own = "--sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED";
            mvn.env("MAVEN_OPTS", own);
        }
        mvn.arg(format!("-Dnotifypr.build={}", self.build().display()));
        mvn.arg(format!("-Dnotifypr.native={}", c::shared_library().display()));
        mvn.arg(format!("-Dnotifypr.test.library={}", c::shared_library().display()));
        mvn.arg(format!("-Dnotifypr.test.stand-ins={}", c::stand_ins().display()));
        mvn
    }

    /// The virtual machine, told what bindings/java/README.md advises.
    pub fn java(&self) -> PathBuf {
        self.home.join("bin/java")
    }

    /// The option without which this Java warns of native code.
    pub fn native_access(&self) -> Option<&'static str> {
        (self.version >= 24).then_some("--enable-native-access=ALL-UNNAMED")
    }
}

/// The JDKs to test with: the oldest and the newest that are found, or what NOTIFY_PR_TEST_JAVA
/// says, which is `all` or the home of one.
pub fn jdks() -> Vec<Jdk> {
    let wanted = env::var_os("NOTIFY_PR_TEST_JAVA");
    if let Some(home) = wanted.as_ref().filter(|wanted| *wanted != "all") {
        return Jdk::at(home.into()).into_iter().collect();
    }
    let mut homes: Vec<PathBuf> = env::var_os("JAVA_HOME").map(PathBuf::from).into_iter().collect();
    for folder in fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten() {
        homes.push(folder.path());
    }
    let mut found: Vec<Jdk> = homes.into_iter().filter_map(Jdk::at).collect();
    found.sort_by_key(|jdk| jdk.version);
    found.dedup_by_key(|jdk| jdk.version);
    if wanted.is_none() && found.len() > 2 {
        found.drain(1..found.len() - 1);
    }
    found
}

/// Runs Maven, and returns what it said. `None` if it lacks something that it cannot get, which is
/// told.
pub fn maven(what: &str, mvn: &mut Command) -> Option<String> {
    let output = mvn.output().expect("mvn runs");
    let said = text(&output);
    if !output.status.success() && OFFLINE.iter().any(|words| said.contains(words)) {
        c::skip(what, "Maven cannot get what the build needs, and has not kept it");
        return None;
    }
    assert!(output.status.success(), "{mvn:?}: {}\n{said}", output.status);
    Some(said)
}

fn text(output: &Output) -> String {
    c::text(&output.stdout) + &c::text(&output.stderr)
}
