//! What is compared: files, a server, who uploads, and what is to be reached.

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use stand_ins::{Bodies, Options, Swift, SwiftBulk};

use crate::data::Data;
use crate::peers::Who;
use crate::services::Service;

/// A server that uploaders are pointed at; it ends when this is dropped.
pub(crate) struct Server {
    pub(crate) endpoint: String,
    pub(crate) bucket: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    /// Of a server with TLS.
    pub(crate) certificate: Option<String>,
    counted: Option<String>,
    process: Option<(Child, ChildStdin)>,
    swift: Option<Swift>,
    _service: Option<Service>,
}

impl Server {
    /// What a scene names: a sink, or a Swift.
    pub(crate) fn named(words: &[String]) -> io::Result<Server> {
        match words.first().map(String::as_str) {
            Some("swift") => Ok(Server::swift(words.iter().any(|word| word == "bulk"))),
            _ => Server::sink(words),
        }
    }

    /// A sink in a process of its own; the words are its manner.
    fn sink(words: &[String]) -> io::Result<Server> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--sink")
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take().ok_or_else(|| io::Error::other("no pipe"))?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("no pipe"))?;
        let mut address = String::new();
        BufReader::new(stdout).read_line(&mut address)?;
        let address = address.trim().to_owned();
        let certificate = words.iter().find_map(|word| word.strip_prefix("tls="));
        let scheme = if certificate.is_some() { "https" } else { "http" };
        Ok(Server {
            endpoint: format!("{scheme}://{address}"),
            bucket: "bench".to_owned(),
            access_key: "benchaccess".to_owned(),
            secret_key: "bench-secret-key".to_owned(),
            certificate: certificate.map(str::to_owned),
            // The counters of a server with TLS cannot be asked by a bare socket.
            counted: certificate.is_none().then_some(address),
            process: Some((child, stdin)),
            swift: None,
            _service: None,
        })
    }

    /// A Swift that takes 100 ms to answer and 5 more for each object, as a cluster may that writes
    /// it thrice; with bulk upload or without.
    fn swift(bulk: bool) -> Server {
        let swift = Swift::start_with(Options { bodies: Bodies::Keep, tls: None });
        let mut state = swift.state();
        state.distance = Duration::from_millis(100);
        state.storing = Duration::from_millis(5);
        state.bulk = bulk.then(SwiftBulk::new);
        drop(state);
        Server {
            endpoint: swift.endpoint("v3"),
            bucket: "notify-pr".to_owned(),
            access_key: "lab:bot".to_owned(),
            secret_key: "right-secret".to_owned(),
            certificate: None,
            counted: None,
            process: None,
            swift: Some(swift),
            _service: None,
        }
    }

    /// SeaweedFS, if it is installed below `target/services`.
    pub(crate) fn seaweedfs() -> Option<Server> {
        let service = crate::services::seaweedfs()?;
        Some(Server {
            endpoint: service.endpoint.clone(),
            bucket: "bench".to_owned(),
            access_key: service.access_key.clone(),
            secret_key: service.secret_key.clone(),
            certificate: None,
            counted: None,
            process: None,
            swift: None,
            _service: Some(service),
        })
    }

    /// Connections, requests and bytes since the last reset; zeros where nobody counts.
    pub(crate) fn counts(&self, reset: bool) -> io::Result<[u64; 3]> {
        if let Some(swift) = &self.swift {
            return Ok(counted(swift, reset));
        }
        let Some(address) = &self.counted else { return Ok([0; 3]) };
        let mut stream = TcpStream::connect(address)?;
        let path = if reset { "/__reset" } else { "/__counts" };
        write!(stream, "GET {path} HTTP/1.1\r\nHost: sink\r\n\r\n")?;
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let body = text.rsplit("\r\n\r\n").next().unwrap_or_default();
        let mut counts = [0; 3];
        for (count, word) in counts.iter_mut().zip(body.split(' ')) {
            *count = word.trim().parse().map_err(io::Error::other)?;
        }
        Ok(counts)
    }
}

fn counted(swift: &Swift, reset: bool) -> [u64; 3] {
    if reset {
        swift.server.forget_requests();
        swift.state().objects.clear();
    }
    let requests = swift.requests();
    let connections: HashSet<u64> = requests.iter().map(|request| request.connection).collect();
    let bytes = requests.iter().map(|request| request.body_length).sum();
    [connections.len() as u64, requests.len() as u64, bytes]
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((mut child, stdin)) = self.process.take() {
            drop(stdin);
            let _ = child.wait();
        }
    }
}

/// What is to be reached against one other uploader: ratios of CPU time and of wall time.
pub(crate) struct Goal {
    pub(crate) against: Who,
    pub(crate) cpu: Option<f64>,
    pub(crate) wall: Option<f64>,
}

/// A ratio of zero is none.
fn goal(against: Who, cpu: f64, wall: f64) -> Goal {
    let some = |ratio: f64| (ratio > 0.0).then_some(ratio);
    Goal { against, cpu: some(cpu), wall: some(wall) }
}

/// One comparison.
pub(crate) struct Scene {
    pub(crate) key: &'static str,
    pub(crate) title: &'static str,
    /// The words of a sink or a Swift; none is the real server.
    pub(crate) sink: Option<Vec<String>>,
    pub(crate) folder: fn(&Data) -> &Path,
    pub(crate) who: Vec<Who>,
    /// Which of ours is compared.
    pub(crate) ours: Who,
    pub(crate) goals: Vec<Goal>,
    /// Settings of ours.
    pub(crate) settings: Vec<&'static str>,
}

impl Scene {
    /// The most memory that ours may take with these settings besides, in MB of 10^6 bytes.
    pub(crate) fn memory(&self, more: &[&str]) -> f64 {
        let jobs = |word: &&str| word.strip_prefix("jobs=").and_then(|jobs| jobs.parse().ok());
        let jobs: Option<u32> = self.settings.iter().chain(more).filter_map(jobs).next_back();
        if jobs.is_some_and(|jobs| jobs > 64) { 40.0 } else { 24.0 }
    }
}

/// The table of the comparison.
pub(crate) fn all(scratch: &Path) -> Vec<Scene> {
    use Who::*;
    let plain = || Some(Vec::new());
    let certificate = format!("tls={}", scratch.join("sink.pem").display());
    let far = || Some(vec![certificate.clone(), "delay=20".to_owned()]);
    let scene = |key, title, sink, folder, who: &[Who], goals| Scene {
        key,
        title,
        sink,
        folder,
        who: who.to_vec(),
        ours: Ours,
        goals,
        settings: Vec::new(),
    };
    let swift = |key, title, words: &[&str], jobs| Scene {
        settings: vec!["store_api=swift", jobs],
        ours: OursDefault,
        ..scene(
            key,
            title,
            Some(words.iter().map(|word| (*word).to_owned()).collect()),
            |data| &data.thousand,
            &[OursDefault],
            vec![],
        )
    };
    let real = |key, title, folder, cpu| {
        scene(key, title, None, folder, &[Ours, OursDefault, S5cmd], vec![goal(S5cmd, cpu, 1.0)])
    };
    vec![
        scene(
            "A",
            "A: 10,000 logs of 1-16 KiB, sink",
            plain(),
            |data| &data.small,
            &[Ours, OursDefault, Floor, S5cmd, Rclone, Aws, Swift],
            vec![
                goal(S5cmd, 0.18, 0.20),
                goal(Floor, 2.5, 0.0),
                goal(Rclone, 0.12, 0.0),
                goal(Aws, 0.02, 0.0),
                goal(Swift, 0.04, 0.0),
            ],
        ),
        Scene {
            settings: vec!["jobs=128"],
            ..scene(
                "A-far",
                "A: 1,000 of its files, a sink that answers after 20 ms, up to 128 workers",
                Some(vec!["delay=20".to_owned()]),
                |data| &data.thousand,
                &[Ours, OursDefault, S5cmd, Rclone, Aws],
                vec![goal(S5cmd, 0.0, 0.5), goal(Rclone, 0.0, 0.05), goal(Aws, 0.0, 0.06)],
            )
        },
        scene(
            "A-far-default",
            "the same with the default number of workers",
            Some(vec!["delay=20".to_owned()]),
            |data| &data.thousand,
            &[Ours, OursDefault, S5cmd],
            vec![],
        ),
        scene(
            "B",
            "B: a Marvin-like tree, 600 files, 400 MB, sink",
            plain(),
            |data| &data.marvin,
            &[Ours, OursDefault, Floor, S5cmd, Rclone, Aws, Swift],
            vec![goal(S5cmd, 0.5, 0.5), goal(Rclone, 0.4, 0.0), goal(Aws, 0.12, 0.0)],
        ),
        scene(
            "C",
            "C: one file of 4 GiB, sink",
            plain(),
            |data| &data.large,
            &[Ours, OursDefault, Floor, S5cmd, Rclone, Aws, Swift],
            vec![goal(S5cmd, 0.75, 0.75), goal(Rclone, 0.5, 0.0), goal(Aws, 0.4, 0.0)],
        ),
        scene(
            "D",
            "D: one file of 1 KiB, sink",
            plain(),
            |data| &data.one,
            &[Ours, OursDefault, Floor, S5cmd, Rclone, Aws, Swift],
            vec![goal(S5cmd, 0.0, 0.25), goal(Aws, 0.0, 0.01)],
        ),
        scene(
            "A-TLS",
            "A over TLS, sink",
            Some(vec![certificate.clone()]),
            |data| &data.small,
            &[Ours, OursDefault, S5cmd],
            vec![goal(S5cmd, 0.15, 0.0)],
        ),
        // Here all workers have a connection, and what is prepared waits to be sent.
        scene(
            "A-TLS-far",
            "A over TLS, a sink that answers after 20 ms",
            far(),
            |data| &data.small,
            &[Ours, OursDefault],
            vec![],
        ),
        scene("B-TLS-far", "B, the same", far(), |data| &data.marvin, &[Ours, OursDefault], vec![]),
        scene(
            "E-TLS-far",
            "E: 1,200 logs of 95 KiB, the largest that are prepared in memory, the same",
            far(),
            |data| &data.whole,
            &[Ours, OursDefault],
            vec![],
        ),
        Scene {
            ours: OursDefault,
            ..scene(
                "B-link",
                "B over a link of 100 Mbit/s, ours with its defaults",
                Some(vec!["rate=12500000".to_owned()]),
                |data| &data.marvin,
                &[OursDefault, S5cmd],
                vec![goal(S5cmd, 0.0, 0.45)],
            )
        },
        swift(
            "A-swift",
            "1,000 files of A to a Swift 100 ms away, in bundles, up to 16 workers",
            &["swift", "bulk"],
            "jobs=16",
        ),
        swift("A-swift-alone", "the same one by one", &["swift"], "jobs=16"),
        swift("A-swift-default", "in bundles, up to 64 workers", &["swift", "bulk"], "jobs=64"),
        swift("A-swift-default-alone", "the same one by one", &["swift"], "jobs=64"),
        real("A-real", "A on SeaweedFS", |data| &data.small, 0.18),
        real("B-real", "B on SeaweedFS", |data| &data.marvin, 0.5),
        real("C-real", "C on SeaweedFS", |data| &data.large, 0.75),
    ]
}
