use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

use super::super::{Exchange, Network, Request};
use super::*;
use crate::settings::{Origin, Settings};

const OK: &str = "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 0\r\n\r\n";

/// Answers on one connection: after so many more requests have come whole, this is said. Returns
/// how many came in all.
fn server(script: Vec<(usize, String)>) -> (SocketAddr, JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut came, mut total) = (Vec::new(), 0);
        for (count, answer) in script {
            let mut left = count;
            while left > 0 {
                match take(&mut came) {
                    true => (left, total) = (left - 1, total + 1),
                    false if more(&mut stream, &mut came) => {}
                    false => return total,
                }
            }
            stream.write_all(answer.as_bytes()).unwrap();
        }
        total
    };
    (address, std::thread::spawn(serve))
}

fn more(stream: &mut TcpStream, came: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 4096];
    let count = stream.read(&mut buffer).unwrap_or(0);
    came.extend_from_slice(&buffer[..count]);
    count > 0
}

/// Takes a whole request off what came.
fn take(came: &mut Vec<u8>) -> bool {
    let text = String::from_utf8_lossy(came).into_owned();
    let Some((head, rest)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.to_lowercase().lines().find_map(|line| {
        line.strip_prefix("content-length: ").map(|length| length.parse().unwrap())
    });
    let length: usize = length.unwrap_or(0);
    let is_whole = rest.len() >= length;
    if is_whole {
        came.drain(..head.len() + 4 + length);
    }
    is_whole
}

fn agent() -> Agent {
    let network = Network::from_settings(&Settings::new());
    let network = network.with_stall_timeout(Duration::from_millis(500));
    Agent::new(network, 4, Arc::new(|_: &str| ()))
}

/// An agent that has a connection to this server already.
fn warmed(address: SocketAddr) -> (Agent, String) {
    let (agent, url) = (agent(), format!("http://{address}/key"));
    let exchange = agent.exchange(Request::new("GET", &url));
    assert!(matches!(exchange, Exchange::Answered(_)), "{exchange:?}");
    (agent, url)
}

fn send(line: &mut Line, count: usize) -> usize {
    let head = b"PUT /key HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\n";
    (0..count).filter(|_| line.send(head, b"bytes")).count()
}

/// The statuses of all answers that come.
fn answers(line: &mut Line) -> Vec<u16> {
    std::iter::from_fn(|| line.answer(|head| head.status)).collect()
}

/// What comes back for two requests to which a server says this, and whether there may be more.
fn told(answer: impl Into<String>) -> (Vec<u16>, usize) {
    let (address, server) = server(vec![(1, OK.to_owned()), (2, answer.into())]);
    let (agent, url) = warmed(address);
    let mut line = agent.line(&url).expect("a line");
    assert_eq!(send(&mut line, 3), 2, "two are tried");
    let seen = answers(&mut line);
    drop(line);
    let together = agent.together();
    drop(agent);
    assert_eq!(server.join().unwrap(), 3);
    (seen, together)
}

#[test]
fn two_requests_are_tried_and_then_more_go_before_the_first_answer() {
    let script = vec![(1, OK.to_owned()), (2, OK.repeat(2)), (8, OK.repeat(8)), (1, OK.to_owned())];
    let (address, server) = server(script);
    let (agent, url) = warmed(address);
    assert_eq!(agent.together(), 2);
    let mut line = agent.line(&url).expect("a line");
    assert!(agent.line(&url).is_none(), "one tries");
    assert_eq!(send(&mut line, 2), 2);
    assert_eq!(answers(&mut line), [200, 200]);
    drop(line);
    assert_eq!(agent.together(), 8);
    let mut line = agent.line(&url).expect("a line");
    assert_eq!(send(&mut line, 9), 8, "no more than may go together");
    assert_eq!(answers(&mut line), [200; 8]);
    drop(line);
    // The connection is kept for whoever comes next.
    assert!(matches!(agent.exchange(Request::new("GET", &url)), Exchange::Answered(_)));
    assert_eq!(server.join().unwrap(), 12);
}

#[test]
fn answers_are_told_in_their_order_whatever_they_are() {
    let moved = "HTTP/1.1 301 Moved\r\nContent-Length: 3\r\n\r\nno!";
    assert_eq!(told(format!("{moved}{OK}")), (vec![301, 200], 8));
    let empty = "HTTP/1.1 204 No Content\r\n\r\n";
    assert_eq!(told(format!("{empty}{OK}")), (vec![204, 200], 8));
    let informed = "HTTP/1.1 102 Processing\r\n\r\n";
    assert_eq!(told(format!("{informed}{OK}{informed}{OK}")), (vec![200, 200], 8));
}

#[test]
fn a_server_that_does_not_answer_all_of_them_gets_one_request_at_a_time() {
    assert_eq!(told(OK), (vec![200], 1), "silence");
    let closes = "HTTP/1.1 200 OK\r\nConnection: Keep, Close\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(told(format!("{closes}{OK}")), (vec![200], 1));
    let old = "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(told(format!("{old}{OK}")), (vec![200], 1));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(told(format!("{chunked}{OK}")), (vec![200], 1));
    let unsized_ = "HTTP/1.1 200 OK\r\n\r\n";
    assert_eq!(told(format!("{unsized_}{OK}")), (vec![200], 1));
    let broken_off = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbroken";
    assert_eq!(told(broken_off), (vec![], 1));
    let twice = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 9\r\n\r\n";
    assert_eq!(told(format!("{twice}{OK}")), (vec![200], 1));
    let signed = "HTTP/1.1 200 OK\r\nContent-Length: +0\r\n\r\n";
    assert_eq!(told(format!("{signed}{OK}")), (vec![200], 1));
    let switched = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
    assert_eq!(told(format!("{switched}{OK}")), (vec![], 1));
    let many = "X: y\r\n".repeat(100);
    assert_eq!(told(format!("HTTP/1.1 200 OK\r\n{many}\r\n{OK}")), (vec![], 1));
    let long = "x".repeat(100_000);
    assert_eq!(told(format!("HTTP/1.1 200 OK\r\nX: {long}\r\n\r\n{OK}")), (vec![], 1));
    assert_eq!(told("no HTTP at all\r\n\r\n"), (vec![], 1));
}

#[test]
fn a_line_that_broke_off_is_no_connection_any_more() {
    let (address, server) = server(vec![(1, OK.to_owned()), (2, OK.to_owned())]);
    let (agent, url) = warmed(address);
    let mut line = agent.line(&url).expect("a line");
    send(&mut line, 2);
    assert_eq!(answers(&mut line), [200]);
    drop(line);
    assert!(agent.inner.pool.take(&url.parse().unwrap()).is_none());
    server.join().unwrap();
}

#[test]
fn bytes_that_nobody_asked_for_end_a_connection() {
    let (address, server) = server(vec![(1, OK.to_owned()), (2, OK.repeat(3))]);
    let (agent, url) = warmed(address);
    let mut line = agent.line(&url).expect("a line");
    send(&mut line, 2);
    assert_eq!(answers(&mut line), [200, 200]);
    drop(line);
    assert!(agent.inner.pool.take(&url.parse().unwrap()).is_none());
    server.join().unwrap();
}

#[test]
fn there_is_no_line_without_a_connection_and_nobody_waits_for_one() {
    let agent = agent();
    assert!(agent.line("http://127.0.0.1:9/key").is_none());
    assert_eq!(agent.together(), 2, "it may still be tried");
    assert!(agent.line("no URL").is_none());
}

#[test]
fn there_is_no_line_after_a_shut_down() {
    let (address, server) = server(vec![(1, OK.to_owned())]);
    let (agent, url) = warmed(address);
    agent.shut_down();
    assert!(agent.line(&url).is_none());
    server.join().unwrap();
}

#[test]
fn nothing_is_believed_behind_a_refusal_which_says_nothing_of_lines() {
    let refused = "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!";
    assert_eq!(told(format!("{refused}{OK}")), (vec![403], 2));
}

#[test]
fn an_answer_has_its_time_however_many_bytes_come_in_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut came = Vec::new();
        while !take(&mut came) && more(&mut stream, &mut came) {}
        stream.write_all(OK.as_bytes()).unwrap();
        // A byte after the other, never so late that a read would time out, and for twice as long as
        // they may be waited for.
        for byte in "HTTP/1.1 102 Processing\r\n\r\n".bytes().cycle().take(50) {
            std::thread::sleep(Duration::from_millis(100));
            if stream.write_all(&[byte]).is_err() {
                return;
            }
        }
    });
    let (agent, url) = warmed(address);
    let mut line = agent.line(&url).expect("a line");
    assert_eq!(send(&mut line, 2), 2);
    let began = Instant::now();
    assert!(answers(&mut line).is_empty());
    assert!(began.elapsed() < Duration::from_millis(2500), "five times as long as it may take");
    drop((line, agent));
    server.join().unwrap();
}

#[test]
fn a_proxy_in_between_gets_one_request_at_a_time() {
    let mut settings = Settings::new();
    settings.set("http_proxy", "http://127.0.0.1:9", Origin::Api).unwrap();
    let agent = Agent::new(Network::from_settings(&settings), 4, Arc::new(|_: &str| ()));
    assert!(agent.line("http://store.example.org/key").is_none());
    assert_eq!(agent.together(), 1);
}

#[test]
fn a_server_that_disappoints_thrice_in_a_row_gets_one_request_at_a_time() {
    let lines = Lines::default();
    assert_eq!(lines.begin(), Some(true));
    lines.end(true, End::Whole);
    for (end, together) in [
        (End::Broken, 8),
        (End::Broken, 8),
        (End::Whole, 8),
        (End::Broken, 8),
        (End::Open, 8),
        (End::Broken, 8),
        (End::Broken, 1),
    ] {
        assert_eq!(lines.begin(), Some(false));
        lines.end(false, end);
        assert_eq!(lines.together(), together);
    }
    assert_eq!(lines.begin(), None);
}
