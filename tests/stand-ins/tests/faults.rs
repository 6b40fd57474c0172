//! Faults do what they say, on the wire.

mod client;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use client::{agent, comment, get, send, try_call};
use serde_json::json;
use stand_ins::{Fault, GitHub, Identity, Options, Request, Response, Server};

const LIST: &str = "/repos/apache/cloudstack/issues/1/comments";

fn start() -> (GitHub, String) {
    let github = GitHub::start();
    github.token("lab-token");
    github.repository("apache", "cloudstack").fill(1);
    let list = format!("{}{LIST}", github.url());
    (github, list)
}

fn count(github: &GitHub) -> usize {
    github.comments("apache/cloudstack", 1).len()
}

fn try_comment(url: &str) -> Result<client::Answer, ureq::Error> {
    try_call("POST", url, Some(json!({ "body": "a report" })))
}

#[test]
fn a_502_comes_before_or_after_the_effect() {
    let (github, list) = start();
    github.fault(Fault::on("POST", "/comments").html(502));
    let refused = comment(&list, "a report");
    assert_eq!((refused.status, count(&github)), (502, 0));
    assert!(refused.text.starts_with("<!DOCTYPE html>"));
    github.fault(Fault::on("POST", "/comments").html(502).after_effect());
    assert_eq!((comment(&list, "a report").status, count(&github)), (502, 1));
    assert_eq!((comment(&list, "a report").status, count(&github)), (201, 2));
}

#[test]
fn a_reset_comes_before_or_after_the_effect() {
    let (github, list) = start();
    github.fault(Fault::on("POST", "/comments").reset());
    assert!(try_comment(&list).is_err());
    assert_eq!(count(&github), 0);
    github.fault(Fault::on("POST", "/comments").reset().after_effect());
    let error = try_comment(&list).unwrap_err().to_string();
    assert!(error.contains("reset"), "{error}");
    assert_eq!(count(&github), 1);
    github.fault(Fault::on("POST", "/comments").close());
    assert!(try_comment(&list).is_err());
}

#[test]
fn limits_redirects_and_headers_are_answered_as_asked() {
    let (github, list) = start();
    github.fault(Fault::on("POST", "/comments").retry_after(429, 7));
    let refused = comment(&list, "a report");
    assert_eq!((refused.status, refused.header("retry-after")), (429, "7"));
    github.fault(Fault::on("*", "/comments").rate_limited(403, 1_900_000_000));
    let refused = comment(&list, "a report");
    assert_eq!(refused.header("x-ratelimit-remaining"), "0");
    assert_eq!(refused.header("x-ratelimit-reset"), "1900000000");
    github.fault(Fault::on("POST", "/comments").secondary_limit(403));
    assert!(comment(&list, "a report").text.contains("secondary rate limit"));
    github.fault(Fault::on("POST", "/comments").redirect(307, "http://elsewhere.example/x"));
    assert_eq!(comment(&list, "a report").header("location"), "http://elsewhere.example/x");
    assert_eq!(count(&github), 0);
    let link = "<http://elsewhere.example/2>; rel=\"next\"";
    github.fault(Fault::on("GET", "/comments").header("Link", link));
    assert_eq!(get(&list).next().as_deref(), Some("http://elsewhere.example/2"));
    assert_eq!(get(&list).next(), None);
}

#[test]
fn bodies_are_cut_broken_or_late() {
    let (github, list) = start();
    github.fault(Fault::on("GET", "/comments").truncate(1));
    assert!(try_call("GET", &list, None).is_err());
    github.fault(Fault::on("GET", "/pulls").broken_json());
    let broken = get(&format!("{}/repos/apache/cloudstack/pulls", github.url()));
    assert_eq!(broken.status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&broken.text).is_err());
    github.fault(Fault::on("GET", "/comments").delay(Duration::from_millis(300)));
    let began = Instant::now();
    assert_eq!(get(&list).status, 200);
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[test]
fn a_stall_ends_with_the_server_and_not_before() {
    for fault in
        [Fault::on("GET", "/comments").stall(), Fault::on("GET", "/comments").stall_in_body(1)]
    {
        let (github, list) = start();
        github.fault(fault);
        let waiting = std::thread::spawn(move || try_call("GET", &list, None));
        std::thread::sleep(Duration::from_millis(200));
        assert!(!waiting.is_finished());
        drop(github);
        assert!(waiting.join().unwrap().is_err());
    }
}

#[test]
fn some_requests_are_skipped_and_clearing_ends_it() {
    let (github, list) = start();
    github.fault(Fault::on("GET", "/issues/*/comments").skip(1).forever().status(503));
    let statuses: Vec<u16> = (0..3).map(|_| get(&list).status).collect();
    assert_eq!(statuses, [200, 503, 503]);
    github.clear_faults();
    assert_eq!(get(&list).status, 200);
}

fn echo() -> Server {
    let answer = |request: &Request| Response::new(200).body(request.body.to_vec());
    Server::start(answer, Options::default())
}

/// Reads exactly what is expected.
fn expect(stream: &mut TcpStream, expected: &str) {
    let mut bytes = vec![0; expected.len()];
    stream.read_exact(&mut bytes).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn a_server_takes_chunks_and_continues_on_one_connection() {
    let server = echo();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream
        .write_all(b"PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        .unwrap();
    expect(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"ok").unwrap();
    expect(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let chunked =
        "PUT /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    stream.write_all(chunked.as_bytes()).unwrap();
    expect(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].connection, requests[1].connection);
    assert_eq!((requests[1].body_length, requests[1].text().as_str()), (5, "abcde"));
    assert_eq!(requests[0].body_sha256.len(), 64);
}

#[test]
fn an_answer_comes_before_the_body_or_a_reset_within_it() {
    let server = echo();
    server.fault(Fault::on("PUT", "/early").early(Response::html(403)));
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(b"PUT /early HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(!server.requests()[0].complete);

    server.fault(Fault::on("PUT", "/reset").reset_after(1000));
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(b"PUT /reset HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n").unwrap();
    stream.write_all(&[b'x'; 2000]).unwrap();
    let error = stream.read(&mut [0; 10]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

/// Begins a PUT of a million bytes and sends 2,000 of them.
fn begin_put(server: &Server, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = format!("PUT {path} HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&[b'x'; 2000]).unwrap();
    stream
}

#[test]
fn an_answer_comes_within_the_body_or_nothing_more_is_read() {
    let server = echo();
    server.fault(Fault::on("PUT", "/early").early_after(1500, Response::html(413)));
    let mut stream = begin_put(&server, "/early");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");

    server.fault(Fault::on("PUT", "/stop").stop_after(1500));
    let mut stream = begin_put(&server, "/stop");
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let error = stream.read(&mut [0; 10]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "it is neither answered nor closed");
    let requests = server.requests();
    assert!(requests.iter().all(|request| !request.complete && request.body_length >= 1500));
}

#[test]
fn a_byte_of_a_body_arrives_as_another_one() {
    let server = echo();
    server.fault(Fault::on("PUT", "/a").corrupt(70_000));
    let sent = vec![b'x'; 200_000];
    let put = || send(&agent(), "PUT", &format!("{}/a", server.url()), &[], &sent).unwrap();
    put();
    let arrived = server.requests()[0].body.clone();
    let changed: Vec<usize> = (0..sent.len()).filter(|&at| arrived[at] != sent[at]).collect();
    assert_eq!(changed, [70_000]);
    put();
    assert_eq!(server.requests()[1].body[..], sent[..]);
}

#[test]
fn tls_works_with_its_own_authority() {
    let identity = Identity::new();
    let answer = |_: &Request| Response::new(200).body("over TLS");
    let options = Options { tls: Some(identity.clone()), ..Options::default() };
    let server = Server::start(answer, options);
    assert!(server.url().starts_with("https://localhost:"));
    let certificate = ureq::tls::Certificate::from_pem(identity.ca_pem().as_bytes()).unwrap();
    let roots = ureq::tls::RootCerts::new_with_certs(&[certificate]);
    let tls = ureq::tls::TlsConfig::builder().root_certs(roots).build();
    let agent: ureq::Agent = ureq::Agent::config_builder().tls_config(tls).build().into();
    let text = agent.get(server.url()).call().unwrap().body_mut().read_to_string().unwrap();
    assert_eq!(text, "over TLS");
    assert!(ureq::get(server.url()).call().is_err(), "nobody else trusts it");
}
