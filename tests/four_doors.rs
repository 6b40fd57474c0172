//! One library, four doors: the same INI and the same inputs give the same receipt through the
//! command, C, Python and Java.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod c;
mod jvm;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use c::{Lab, Link, Workshop, root, text};
use notify_pr::Settings;
use stand_ins::sha;

/// What a door is given: an INI, something to attach, and settings.
struct Input<'a> {
    lab: &'a Lab,
    attachment: &'a str,
    settings: &'a [(&'a str, &'a str)],
}

impl Input<'_> {
    /// A program in the job's folder, in an environment that says something to notify_pr.
    fn program(&self, program: impl AsRef<Path>) -> Command {
        let mut command = self.lab.command(program.as_ref());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("LC_ALL", "C.UTF-8").env("NOTIFY_PR_TITLE", "Smoke tests of the environment");
        let server = fs::read_to_string(root().join("tests/data/env/jenkins-freestyle.env"));
        for line in server.expect("an environment").lines() {
            command.envs(line.split_once('='));
        }
        command
    }

    fn command(&self) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_notify_pr"));
        command.args(["--config", "run.ini", "--json", "--quiet", "--attach", self.attachment]);
        for (name, value) in self.settings {
            match name.strip_prefix("details.") {
                Some(row) => command.arg("--detail").arg(format!("{row}={value}")),
                None => command.arg(format!("--{}={value}", name.replace('_', "-"))),
            };
        }
        command
    }

    /// The same for a program of [`Doors`].
    fn door(&self, door: &Door) -> Command {
        let mut command = self.program(&door.program);
        command.args(&door.before).args(["run.ini", self.attachment]);
        command.args(self.settings.iter().map(|(name, value)| format!("{name}={value}")));
        command.envs(door.environment());
        command
    }
}

/// A way into the library besides the command: a program of tests/four_doors.
struct Door {
    program: PathBuf,
    before: Vec<String>,
}

impl Door {
    fn environment(&self) -> [(&'static str, PathBuf); 3] {
        [
            ("NOTIFY_PR_LIBRARY", c::shared_library()),
            ("PYTHONPATH", root().join("bindings/python/src")),
            ("PYTHONDONTWRITEBYTECODE", "1".into()),
        ]
    }
}

/// The doors that are open on this machine; of the others that is said.
struct Doors {
    _workshop: Option<Workshop>,
    doors: Vec<Door>,
}

impl Doors {
    fn open() -> Doors {
        let folder = root().join("tests/four_doors");
        let source = |name: &str| folder.join(name).display().to_string();
        let mut doors = Vec::new();
        let workshop = Workshop::open("the door C");
        if let Some(workshop) = &workshop {
            let program = workshop.build("tests/four_doors/door.c", Link::Shared, &[]);
            doors.push(Door { program, before: Vec::new() });
        }
        if cfg!(unix) && c::installed("python3") {
            doors.push(Door { program: "python3".into(), before: vec![source("door.py")] });
        } else {
            c::skip("the door Python", "it needs Unix and python3");
        }
        if let Some(class_path) = jvm::class_path("the door Java") {
            let before = vec!["-cp".to_owned(), class_path, source("Door.java")];
            doors.push(Door { program: "java".into(), before });
        }
        Doors { _workshop: workshop, doors }
    }

    /// Lets the same input in everywhere; the receipt, once all doors gave the same.
    fn receipt(&self, input: &Input<'_>, status: i32) -> String {
        let receipt = text(&c::run(&mut input.command(), status).stdout);
        for door in &self.doors {
            let same = text(&c::run(&mut input.door(door), status).stdout);
            assert_eq!(same, receipt, "{}", door.program.display());
        }
        receipt
    }
}

const FIXED: [(&str, &str); 3] = [
    ("dry_run", "true"),
    ("submission_id", "00112233445566778899aabbccddeeff"),
    ("source_date_epoch", "1795000000"),
];

#[test]
fn command_c_python_and_java_give_the_same_receipt_byte_for_byte() {
    let doors = Doors::open();
    let lab = Lab::new();
    let ini = fs::read_to_string(lab.path("run.ini")).expect("the INI");
    lab.write("summary.md", "All 12 suites look **OK**: ä ✓ <!-- hidden -->\n");
    lab.write("more/ä ö/empty.txt", "");
    let rows = "[details]\nHypervisor = KVM, CentOS 7\nNetwork = Basic\n";
    let more = "summary_file = summary.md\nfull_detail_files = logs/*.txt, gone/*.xml\n";
    let given = [
        &FIXED[..],
        &[("counts", "passed=12, failed=1"), ("details.Network", "Advanced"), ("build_url", "ci")],
        &[("details.Größe", "L"), ("details.Hypervisor", "")],
    ]
    .concat();

    // Stored in a folder, with something missing.
    lab.write("run.ini", &format!("{ini}{more}{rows}"));
    let receipt = doors.receipt(&Input { lab: &lab, attachment: "more/ä ö", settings: &given }, 22);
    for part in [
        "\"submission\": \"00112233445566778899aabbccddeeff\"",
        "\"started\": \"2026-11-18T11:06:40Z\"",
        "| Network | Advanced |\\n| Größe | L |\\n",
        "Smoke tests of the environment",
        "job/acs-nightly/17",
        "empty.txt",
        "gone/*.xml",
    ] {
        assert!(receipt.contains(part), "{part} is missing in:\n{receipt}");
    }

    // Stored in a bucket, of which a dry run knows less.
    lab.write_ini(
        "store_api = s3\nstore_endpoint = https://s3.example.org\nstore_container = logs\n\
         store_identity = lab\nstore_secret = lab-secret\n",
    );
    let receipt = doors.receipt(&Input { lab: &lab, attachment: "more", settings: &given }, 0);
    assert!(receipt.contains("\"status\": 0,") && !receipt.contains("lab-secret"), "{receipt}");

    // A commit that nobody knows.
    let unknown = sha("unknown");
    let given = [&FIXED[..], &[("commit", unknown.as_str())]].concat();
    let receipt = doors.receipt(&Input { lab: &lab, attachment: "more", settings: &given }, 33);
    assert!(receipt.contains("\"error_stage\": \"find\""), "{receipt}");
}

#[test]
fn c_python_and_java_name_the_settings_of_the_library() {
    let names: Vec<&str> = Settings::table().iter().map(|setting| setting.name()).collect();
    for door in Doors::open().doors {
        let mut command = Command::new(&door.program);
        let said = text(&c::run(command.args(&door.before).envs(door.environment()), 0).stdout);
        assert_eq!(said.lines().collect::<Vec<_>>(), names, "{}", door.program.display());
    }
}
