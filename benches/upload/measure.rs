//! What a program costs: each runs as the only child of a process of its own, which adds it up.

use std::io;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

/// What one run cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Seconds from the start to the end.
    pub(crate) wall: f64,
    /// Seconds of user and system time, children included.
    pub(crate) cpu: f64,
    /// The largest resident set in MB of 10^6 bytes.
    pub(crate) peak: f64,
    /// Connections that the server saw.
    pub(crate) connections: u64,
    /// Requests that the server saw.
    pub(crate) requests: u64,
    /// Bytes of bodies that the server saw.
    pub(crate) bytes: u64,
}

/// Runs a command below a measuring process.
pub(crate) fn run(command: &[String], variables: &[(String, String)]) -> io::Result<Cost> {
    let output = Command::new(std::env::current_exe()?)
        .arg("--measure")
        .args(command)
        .envs(variables.iter().cloned())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = text.lines().last().unwrap_or_default();
    let numbers: Vec<f64> = last.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [wall, cpu, peak] = numbers[..] else {
        return Err(io::Error::other(format!("{} failed: {text}", command[0])));
    };
    Ok(Cost { wall, cpu, peak, ..Cost::default() })
}

/// The measuring process itself.
pub(crate) fn measure(command: &[String]) -> io::Result<()> {
    let began = Instant::now();
    let output = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    let wall = began.elapsed().as_secs_f64();
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        return Err(io::Error::other(format!("{}: {text}", output.status)));
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1_000_000.0;
    let cpu = seconds(usage.user_time()) + seconds(usage.system_time());
    println!("{wall} {cpu} {}", usage.max_rss() as f64 * 1024.0 / 1_000_000.0);
    Ok(())
}
