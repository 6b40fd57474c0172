//! A submission can be cancelled at any time, as a C program does it: the callback is called often
//! in every stage, and cancelling ends within a second whatever the network does.
//!
//! tests/c_api/cancel.c looks at both, and prints how long it took.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod c;

use std::fs::{self, File};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use c::{Lab, Link, Workshop};
use notify_pr::Stage;
use socket2::{Domain, Socket, Type};
use stand_ins::{Bucket, BucketOptions, Fault, Swift};

/// So many calls in one stage show that it lasts.
const STALLED: u32 = 8;

/// The program, built.
struct Canceller {
    _workshop: Workshop,
    program: PathBuf,
}

impl Canceller {
    fn new() -> Option<Canceller> {
        let workshop = Workshop::open("cancelling")?;
        let program = workshop.build("tests/c_api/cancel.c", Link::Shared, &[]);
        Some(Canceller { _workshop: workshop, program })
    }

    /// Cancels when a stage was seen so often.
    fn cancels(&self, what: &str, lab: &Lab, stage: Stage, calls: u32, attached: &[&str]) {
        let (stage, calls) = ((stage as i32).to_string(), calls.to_string());
        let mut arguments = vec!["run.ini", &stage, &calls];
        arguments.extend(attached);
        println!("{what}: {}", lab.run(&self.program, &arguments).trim());
    }
}

#[test]
fn cancel_while_planning() {
    let Some(canceller) = Canceller::new() else { return };
    let lab = Lab::new();
    for folder in 0..200 {
        fs::create_dir_all(lab.path(&format!("many/{folder}"))).expect("a folder");
        for file in 0..200 {
            fs::write(lab.path(&format!("many/{folder}/{file}")), "").expect("a file");
        }
    }
    canceller.cancels("40,000 files", &lab, Stage::Plan, 1, &["many"]);
}

#[test]
fn cancel_while_github_is_silent_or_asks_to_wait() {
    let Some(canceller) = Canceller::new() else { return };
    for (fault, stage) in [
        (Fault::on("*", "/").stall(), Stage::Find),
        (Fault::on("*", "/").stall_in_body(10), Stage::Find),
        (Fault::on("*", "/").retry_after(429, 30), Stage::Find),
        (Fault::on("GET", "/comments").stall(), Stage::Post),
        (Fault::on("GET", "/comments").stall_in_body(1), Stage::Post),
        (Fault::on("POST", "/comments").stall(), Stage::Post),
        (Fault::on("POST", "/comments").retry_after(403, 30), Stage::Post),
    ] {
        let lab = Lab::new();
        let what = format!("{fault:?}");
        lab.github.fault(fault.forever());
        canceller.cancels(&what[..60], &lab, stage, STALLED, &[]);
    }
}

#[test]
fn cancel_while_a_bucket_is_silent_or_asks_to_wait() {
    let Some(canceller) = Canceller::new() else { return };
    for (fault, stage) in [
        // The marker, the proof of the links, the file, the rules of the bucket, old runs.
        (Fault::on("PUT", "/.notify_pr-run.json").stall(), Stage::Upload),
        (Fault::on("GET", "/.notify_pr-run.json").stall(), Stage::Upload),
        (Fault::on("PUT", "/answer.txt").stall(), Stage::Upload),
        (Fault::on("PUT", "/answer.txt").retry_after(503, 30), Stage::Upload),
        (Fault::on("GET", "?lifecycle").stall(), Stage::Upload),
        (Fault::on("GET", "encoding-type=url").stall(), Stage::Upload),
        (Fault::on("GET", "encoding-type=url").stall_in_body(1), Stage::Upload),
        (Fault::on("PUT", "/report.md").stall(), Stage::Publish),
        (Fault::on("PUT", "/index.html").stall(), Stage::Publish),
        (Fault::on("PUT", "/index.html").retry_after(503, 30), Stage::Publish),
    ] {
        let (lab, bucket) = Lab::with_bucket();
        let what = format!("{fault:?}");
        bucket.fault(fault.forever());
        canceller.cancels(&what[..60], &lab, stage, STALLED, &[]);
    }
}

/// A lab whose files go to a Swift.
fn lab_with_swift() -> (Lab, Swift) {
    let (lab, swift) = (Lab::new(), Swift::start());
    lab.write_ini(&format!(
        "store_api = swift\nstore_endpoint = {}\nstore_container = notify-pr\n\
         store_identity = lab:bot\nstore_secret = right-secret\n",
        swift.endpoint("v3"),
    ));
    (lab, swift)
}

#[test]
fn cancel_while_swift_is_silent() {
    let Some(canceller) = Canceller::new() else { return };
    for fault in [
        Fault::on("POST", "/v3/auth/tokens").stall(),
        Fault::on("PUT", "/answer.txt").stall(),
        Fault::on("PUT", "/answer.txt").retry_after(503, 30),
    ] {
        let (lab, swift) = lab_with_swift();
        let what = format!("{fault:?}");
        swift.fault(fault.forever());
        canceller.cancels(&what[..60], &lab, Stage::Upload, STALLED, &[]);
    }
}

/// Makes a file with nothing in it, as long as it is.
fn hollow(lab: &Lab, name: &str, length: u64) {
    let file = File::create(lab.path(name)).expect("a file");
    file.set_len(length).expect("a long file");
}

#[test]
fn cancel_while_what_was_begun_in_a_store_cannot_be_given_up() {
    let Some(canceller) = Canceller::new() else { return };
    let attached = ["one.bin", "two.bin", "three.bin"];
    let (lab, bucket) = Lab::with_bucket();
    attached.iter().for_each(|name| hollow(&lab, name, 70 << 20));
    bucket.fault(Fault::on("PUT", "partNumber=").stop_after(1 << 20).forever());
    bucket.fault(Fault::on("DELETE", "uploadId=").stall().forever());
    canceller.cancels("a bucket", &lab, Stage::Upload, STALLED, &attached);

    let (lab, swift) = lab_with_swift();
    swift.state().max_file_size = Some(1 << 20);
    attached.iter().for_each(|name| hollow(&lab, name, 3 << 20));
    swift.fault(Fault::on("PUT", "segments").stall().forever());
    swift.fault(Fault::on("GET", "segments").stall().forever());
    canceller.cancels("Swift", &lab, Stage::Upload, STALLED, &attached);
    let asked = |part: &str| swift.requests().iter().any(|each| each.target.contains(part));
    assert!(asked("segments"), "nothing was begun");
}

#[test]
fn what_was_begun_in_a_store_is_given_up_after_a_cancel() {
    let Some(canceller) = Canceller::new() else { return };
    let attached = ["one.bin", "two.bin", "three.bin"];
    let (lab, bucket) = Lab::with_bucket();
    attached.iter().for_each(|name| hollow(&lab, name, 70 << 20));
    bucket.fault(Fault::on("PUT", "partNumber=").stop_after(1 << 20).forever());
    canceller.cancels("a bucket", &lab, Stage::Upload, STALLED, &attached);
    assert_eq!(bucket.unfinished_uploads(), 0);
    let begun = bucket.requests().iter().filter(|each| each.target.ends_with("uploads=")).count();
    assert!(begun > 0, "nothing was begun");
}

#[test]
fn cancel_while_a_huge_file_is_uploaded() {
    let Some(canceller) = Canceller::new() else { return };
    let lab = Lab::new();
    hollow(&lab, "huge.bin", 20 << 30);
    let ini = fs::read_to_string(lab.path("run.ini")).expect("the INI");
    lab.write("run.ini", &format!("{ini}max_file = 100G\nmax_total = 100G\n"));
    canceller.cancels("to a folder", &lab, Stage::Upload, 3, &["huge.bin"]);

    // As text it is compressed, for nobody knows yet how fast the store is.
    for (what, name) in [("to a bucket", "huge.bin"), ("compressed", "huge.log")] {
        let lab = Lab::new();
        let bucket =
            Bucket::start_with(BucketOptions { discard: true, ..BucketOptions::default() });
        lab.write_bucket(&bucket);
        let ini = fs::read_to_string(lab.path("run.ini")).expect("the INI");
        lab.write("run.ini", &format!("{ini}max_file = 100G\nmax_total = 100G\n"));
        let mut file = File::create(lab.path(name)).expect("a file");
        if name.ends_with(".log") {
            let line = b"2026-11-27 08:00:00 INFO the agent on kvm-1 said that it is alive\n";
            file.write_all(&line.repeat((1 << 30) / line.len())).expect("a long log");
        } else {
            file.set_len(20 << 30).expect("a long file");
        }
        canceller.cancels(what, &lab, Stage::Upload, 3, &[name]);
    }
}

/// Writes a summary of 13 MB.
fn write_long_summary(lab: &Lab) {
    let row = "| test_a[<b>bold</b>](https://example.org) | `ok` @somebody |\n";
    let text = format!("| test | result |\n|---|---|\n{}", row.repeat(13_000_000 / row.len()));
    lab.write("summary.md", &text);
    let ini = fs::read_to_string(lab.path("run.ini")).expect("the INI");
    lab.write("run.ini", &format!("{ini}summary_file = summary.md\n"));
}

#[test]
fn cancel_while_a_long_summary_is_composed() {
    let Some(canceller) = Canceller::new() else { return };
    let lab = Lab::new();
    write_long_summary(&lab);
    canceller.cancels("a long summary", &lab, Stage::Compose, 1, &[]);
}

#[test]
fn cancel_while_github_is_asked_about_a_long_summary() {
    let Some(canceller) = Canceller::new() else { return };
    let lab = Lab::new();
    write_long_summary(&lab);
    lab.github.fault(Fault::on("*", "/").stall().forever());
    canceller.cancels("a long summary", &lab, Stage::Find, STALLED, &[]);
}

#[test]
fn cancel_while_the_pages_of_a_long_summary_are_written() {
    let Some(canceller) = Canceller::new() else { return };
    let (lab, _bucket) = Lab::with_bucket();
    write_long_summary(&lab);
    canceller.cancels("a long summary", &lab, Stage::Publish, 1, &[]);
}

/// A host that swallows every packet: its queue of connections is full, and nobody takes them.
struct Swallower {
    address: SocketAddr,
    _queue: (Socket, Vec<TcpStream>),
}

impl Swallower {
    fn new() -> Swallower {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("a port");
        socket.listen(0).expect("a port to listen on");
        let address = socket.local_addr().ok().and_then(|address| address.as_socket());
        let address = address.expect("its address");
        let mut waiting = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
            waiting.push(stream);
            assert!(waiting.len() < 100, "the queue is never full");
        }
        Swallower { address, _queue: (socket, waiting) }
    }
}

#[test]
fn cancel_while_a_host_swallows_every_packet() {
    let Some(canceller) = Canceller::new() else { return };
    let swallower = Swallower::new();
    let lab = Lab::new();
    let ini = fs::read_to_string(lab.path("run.ini")).expect("the INI");
    let instead = ini.replace(&lab.github.url(), &format!("http://{}", swallower.address));
    lab.write("run.ini", &instead);
    canceller.cancels("GitHub's", &lab, Stage::Find, STALLED, &[]);

    let (lab, bucket) = Lab::with_bucket();
    let ini = fs::read_to_string(lab.path("run.ini")).expect("the INI");
    let instead = ini.replace(&bucket.url(), &format!("http://{}", swallower.address));
    lab.write("run.ini", &instead);
    canceller.cancels("the store's", &lab, Stage::Upload, STALLED, &[]);
}

#[test]
fn cancel_while_encryption_or_a_proxy_is_waited_for() {
    let Some(canceller) = Canceller::new() else { return };
    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("its address");
    let lab = Lab::new();
    let ini = fs::read_to_string(lab.path("run.ini")).expect("the INI");
    lab.write("run.ini", &ini.replace(&lab.github.url(), &format!("https://{address}")));
    canceller.cancels("TLS", &lab, Stage::Find, STALLED, &[]);

    let instead = ini.replace(&lab.github.url(), "https://github.invalid/api/v3");
    lab.write("run.ini", &format!("{instead}https_proxy = http://{address}\n"));
    canceller.cancels("a proxy", &lab, Stage::Find, STALLED, &[]);
}
