//! What a submit takes longer than the requests that it makes.
//!
//! A program submits a report with one small file to stand-ins on loopback, and says how long
//! that took. Then the very requests that it made, head and body, are sent again by plain sockets,
//! one connection to a host, one request after the other.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Instant;

use stand_ins::Request;

use crate::c::{Lab, run, text};

/// The program. It times nothing but the submit: what loading costs is measured by itself.
pub(crate) const PROGRAM: &str = r#"
#include <notify_pr.h>
#include <stdio.h>
#include <time.h>

static double milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(void)
{
    npr_report *report = npr_report_new();
    npr_status status = npr_report_load_ini(report, "run.ini");
    double began;

    if (status == NPR_OK)
        status = npr_report_attach(report, "logs/results.txt");
    began = milliseconds();
    if (status == NPR_OK)
        status = npr_report_submit(report, NULL);
    printf("%.6f\n", milliseconds() - began);
    if (status != NPR_OK)
        fprintf(stderr, "%s\n", npr_report_error(report));
    npr_report_free(report);
    return status;
}
"#;

/// How long it took in milliseconds, with a pair for each run.
pub(crate) struct Times {
    pub(crate) submit: Vec<f64>,
    pub(crate) raw: Vec<f64>,
    /// Of the last run.
    pub(crate) requests: usize,
}

/// Runs the program, and sends its requests again, by turns.
pub(crate) fn measure(program: &Path, runs: usize) -> Times {
    let (lab, bucket) = Lab::with_bucket();
    let mut times = Times { submit: Vec::new(), raw: Vec::new(), requests: 0 };
    // The first one makes the comment, which the others renew: that can be sent again as often
    // as one likes.
    for measured in 0..=runs {
        lab.github.forget_requests();
        bucket.forget_requests();
        let said = text(&run(&mut lab.command(program), 0).stdout);
        let hosts = [(lab.github.url(), lab.github.requests()), (bucket.url(), bucket.requests())];
        times.requests = hosts.iter().map(|(_, requests)| requests.len()).sum();
        let mut raw = 0.0;
        for (url, requests) in &hosts {
            let bytes: Vec<_> = requests.iter().map(|request| written(request)).collect();
            let address = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
            let began = Instant::now();
            send(address, &bytes).unwrap_or_else(|error| panic!("{url}: {error}"));
            raw += began.elapsed().as_secs_f64() * 1e3;
        }
        if measured > 0 {
            times.submit.push(said.trim().parse().expect("a number"));
            times.raw.push(raw);
        }
    }
    times
}

/// A request as it was on the wire, and whether its answer has no body.
fn written(request: &Request) -> (Vec<u8>, bool) {
    let mut bytes = format!("{} {} HTTP/1.1\r\n", request.method, request.target).into_bytes();
    for (name, value) in &request.headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&request.body);
    (bytes, request.method == "HEAD")
}

/// Sends requests over one connection, each when the one before was answered.
fn send(address: &str, requests: &[(Vec<u8>, bool)]) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    for (request, no_body) in requests {
        stream.write_all(request)?;
        let mut length = 0;
        let mut line = String::new();
        loop {
            line.clear();
            if answers.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end().to_ascii_lowercase().split_once(':') {
                Some(("content-length", value)) => {
                    length = value.trim().parse().map_err(io::Error::other)?;
                }
                Some(_) => {}
                None if line.trim_end().is_empty() => break,
                None => {}
            }
        }
        if !no_body {
            answers.read_exact(&mut vec![0; length])?;
        }
    }
    Ok(())
}
