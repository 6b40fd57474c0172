//! A real Swift with TempAuth and with Keystone, started once for all tests of this program.
//!
//! It is started by tests/services/swift-up.sh in a folder of its own with free ports, and it ends
//! with the program: a small shell waits for the end of a pipe that this process holds open, so
//! that the cluster ends even when the tests are killed. `tests/services/install.sh swift` installs
//! it; where it is not installed the tests say so on stderr and do nothing.

use std::collections::HashMap;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// What is known of the running cluster.
pub(super) struct Cluster {
    home: PathBuf,
    environment: HashMap<String, String>,
    /// Its standard input is the pipe.
    _keeper: Child,
}

static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();

/// The cluster, or `None` where it is not installed.
pub(super) fn cluster() -> Option<&'static Cluster> {
    let cluster = CLUSTER.get_or_init(start).as_ref();
    if cluster.is_none() {
        // Not through the test harness, which keeps what passing tests print to itself.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: Swift is not installed (tests/services/install.sh swift)"
        );
    }
    cluster
}

fn start() -> Option<Cluster> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let services = std::env::var_os("NOTIFY_PR_SERVICES")
        .map_or_else(|| project.join("target/services"), PathBuf::from);
    let venv = services.join("swift/venv");
    if !venv.join("bin/swift-proxy-server").is_file() || !venv.join("bin/gunicorn").is_file() {
        return None;
    }
    let scripts = project.join("tests/services");
    // The catalogue and the rings name the ports, so a cluster is made anew for each run.
    let home = services.join(format!("swift-tests-{}", std::process::id()));
    let ports = free_ports();
    let settings = |command: &mut Command| {
        command.env("SWIFT_HOME", &home).env("SWIFT_VENV", &venv).env("SWIFT_KEYSTONE", "1");
        for (name, port) in
            ["SWIFT_PORT", "SWIFT_KS_PORT", "KEYSTONE_PORT", "SWIFT_BASE_PORT"].iter().zip(ports)
        {
            command.env(name, port.to_string());
        }
    };
    let mut keeper = Command::new("sh");
    settings(&mut keeper);
    let keeper = keeper
        .arg("-c")
        .arg("cat > /dev/null; \"$1\" --purge; rm -rf \"$SWIFT_HOME\"")
        .arg("keeper")
        .arg(scripts.join("swift-down.sh"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("a shell");
    let mut up = Command::new(scripts.join("swift-up.sh"));
    settings(&mut up);
    let done = up.stdin(Stdio::null()).output().expect("swift-up.sh");
    assert!(
        done.status.success(),
        "swift-up.sh failed:\n{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let mut environment = HashMap::new();
    for word in String::from_utf8_lossy(&done.stdout).split_whitespace() {
        if let Some((name, value)) = word.split_once('=') {
            environment.insert(name.to_owned(), value.to_owned());
        }
    }
    Some(Cluster { home, environment, _keeper: keeper })
}

/// Three free ports, and one with three free ones behind it.
fn free_ports() -> [u16; 4] {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).ok();
    let mut held: Vec<TcpListener> = (0..3).filter_map(|_| free(0)).collect();
    let port = |listener: &TcpListener| listener.local_addr().expect("an address").port();
    let [a, b, c] = [port(&held[0]), port(&held[1]), port(&held[2])];
    let base = (20_000..60_000)
        .step_by(10)
        .skip(std::process::id() as usize % 2000)
        .find(|base| {
            let four: Vec<TcpListener> = (1..=3).filter_map(|n| free(base + n)).collect();
            let whole = four.len() == 3;
            held.extend(four);
            whole
        })
        .expect("free ports");
    [a, b, c, base]
}

impl Cluster {
    /// A variable that swift-up.sh prints.
    pub(super) fn variable(&self, name: &str) -> &str {
        self.environment.get(name).unwrap_or_else(|| panic!("swift-up.sh prints no {name}"))
    }

    /// One pass of the daemons that remove what has expired.
    pub(super) fn expire_once(&self) {
        let done = Command::new(self.home.join("expire-once")).output().expect("expire-once");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}
