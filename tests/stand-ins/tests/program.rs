//! The program and its control over HTTP, as tests in other languages use them.

mod client;

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

use client::{Answer, agent, comment, get, send};
use serde_json::{Value, json};
use stand_ins::sha;

struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    addresses: Value,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stand-ins"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Program { child, stdin, addresses: serde_json::from_str(&line).unwrap() }
    }

    fn control(&self, method: &str, path: &str, body: &Value) -> Answer {
        let url = format!("{}{path}", self.addresses["control"].as_str().unwrap());
        let body = if body.is_null() { String::new() } else { body.to_string() };
        send(&agent(), method, &url, &[], body.as_bytes()).unwrap()
    }

    /// Ends it and hands back its status.
    fn end(mut self) -> Option<i32> {
        drop(self.stdin.take());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn scene() -> Value {
    json!({
        "tokens": [{ "token": "lab-token", "login": "lab-bot", "scopes": ["public_repo"] }],
        "repositories": [{
            "owner": "apache", "name": "cloudstack", "fill": 3,
            "members": { "maintainer": "write" },
            "pulls": [{
                "number": 42, "fork": "contributor", "branch": "fix-volumes", "head": sha("fix"),
                "title": "Fix volumes", "draft": true,
                "comments": [{ "login": "stranger", "body": "When?" }],
            }],
        }],
    })
}

#[test]
fn a_scene_is_served_commented_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("scene.json"), scene().to_string()).unwrap();
    fs::write(folder.path().join("a.log"), "log").unwrap();
    let state = folder.path().join("scene.json");
    let program = Program::start(&[
        "--state",
        state.to_str().unwrap(),
        "--directory",
        folder.path().to_str().unwrap(),
        "--s3",
    ]);
    let github = program.addresses["github"].as_str().unwrap().to_owned();
    let pull = get(&format!("{github}/repos/apache/cloudstack/pulls/42")).json();
    assert_eq!((&pull["title"], &pull["draft"]), (&json!("Fix volumes"), &json!(true)));
    assert_eq!(pull["head"]["sha"], sha("fix"));
    assert_eq!(get(&format!("{github}/repos/apache/cloudstack/pulls/45")).status, 200);

    let list = format!("{github}/repos/apache/cloudstack/issues/42/comments");
    let fault = json!({ "method": "POST", "path": "/comments", "trouble": { "html": 502 } });
    assert_eq!(program.control("POST", "/faults", &fault).status, 200);
    assert_eq!(comment(&list, "a report").status, 502);
    assert_eq!(comment(&list, "a report").status, 201);
    let comments =
        program.control("GET", "/comments?repository=apache/cloudstack&pull=42", &Value::Null);
    let comments = comments.json();
    assert_eq!((&comments[0]["body"], &comments[1]["body"]), (&json!("When?"), &json!("a report")));
    let requests = program.control("GET", "/requests", &Value::Null).json();
    assert_eq!(requests.as_array().unwrap().len(), 4, "control is not among them");
    assert_eq!(requests[3]["body"], "{\"body\":\"a report\"}");

    let log = format!("{}/a.log", program.addresses["directory"].as_str().unwrap());
    assert_eq!(send(&agent(), "GET", &log, &[], b"").unwrap().text, "log");
    assert_eq!(program.addresses["s3"]["bucket"], "logs");
    assert_eq!(program.end(), Some(0));
}

#[test]
fn violations_are_told_and_end_it_with_one() {
    let program = Program::start(&["--enterprise"]);
    let github = program.addresses["github"].as_str().unwrap().to_owned();
    assert_eq!(program.control("POST", "/state", &scene()).status, 200);
    assert!(github.ends_with("/api/v3"));
    assert_eq!(get(&format!("{github}/repos/apache/cloudstack/pulls?limit=1")).status, 400);
    let violations = program.control("GET", "/violations", &Value::Null).json();
    assert!(violations[0].as_str().unwrap().contains("limit is not known"), "{violations}");
    assert_eq!(program.end(), Some(1));
}

#[test]
fn orders_that_are_not_understood_are_refused() {
    let program = Program::start(&[]);
    let unknown = json!({ "repositories": [{ "owner": "a", "name": "b", "colour": 1 }] });
    let answer = program.control("POST", "/state", &unknown);
    assert!(answer.status == 400 && answer.text.contains("colour"), "{}", answer.text);
    let fault = json!({ "path": "/x", "trouble": "explode" });
    assert_eq!(program.control("POST", "/faults", &fault).status, 400);
    assert_eq!(program.control("POST", "/state", &scene()).status, 200);
    assert_eq!(program.control("POST", "/state", &scene()).status, 400, "42 is taken");
    assert_eq!(program.control("GET", "/nothing", &Value::Null).status, 404);
    let wrong = Command::new(env!("CARGO_BIN_EXE_stand-ins")).arg("--port").output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}
