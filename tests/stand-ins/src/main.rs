//! Starts the stand-ins for tests in other languages: prints their addresses as one line of JSON
//! and ends when standard input does.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

use serde_json::json;
use stand_ins::github::Scene;
use stand_ins::{Bucket, FileServer, GitHub, GitHubOptions};

const HELP: &str = "\
usage: stand-ins [--state FILE.json] [--enterprise] [--directory DIR] [--s3]

Starts a GitHub on loopback, with --directory a web server for DIR, with --s3 a bucket \"logs\".
Prints the addresses as one line of JSON and ends when standard input does; then the status is 1
if a request violated GitHub's descriptions, and standard error says which.
Control over HTTP: see the documentation of stand_ins::control and stand_ins::github::scene.
";

#[derive(Default)]
struct Arguments {
    state: Option<PathBuf>,
    enterprise: bool,
    directory: Option<PathBuf>,
    s3: bool,
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("stand-ins: {error}");
            ExitCode::from(2)
        }
    }
}

fn arguments() -> Result<Option<Arguments>, String> {
    let mut found = Arguments::default();
    let mut words = env::args_os().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().map(PathBuf::from);
        match word.to_str() {
            Some("--help" | "-h") => return Ok(None),
            Some("--state") => found.state = Some(value().ok_or("--state needs a file")?),
            Some("--directory") => {
                found.directory = Some(value().ok_or("--directory needs a folder")?);
            }
            Some("--enterprise") => found.enterprise = true,
            Some("--s3") => found.s3 = true,
            _ => return Err(format!("{} is not known; see --help", word.to_string_lossy())),
        }
    }
    Ok(Some(found))
}

fn run() -> Result<ExitCode, String> {
    let Some(arguments) = arguments()? else {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let options = GitHubOptions { enterprise: arguments.enterprise, ..GitHubOptions::default() };
    let github = GitHub::start_with(options);
    if let Some(path) = &arguments.state {
        let name = path.display();
        let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        let scene: Scene =
            serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
        github.arrange(&scene).map_err(|error| format!("{name}: {error}"))?;
    }
    let directory = arguments.directory.map(FileServer::start);
    let bucket = arguments.s3.then(|| Bucket::start("logs"));

    let addresses = json!({
        "github": github.url(),
        "graphql": github.graphql_url(),
        "control": format!("{}/_control", github.origin()),
        "directory": directory.as_ref().map(FileServer::url),
        "s3": bucket.as_ref().map(|bucket| json!({
            "endpoint": bucket.url(), "bucket": "logs", "public_url": bucket.public_url(),
        })),
    });
    let mut out = io::stdout();
    writeln!(out, "{addresses}").and_then(|()| out.flush()).map_err(|error| error.to_string())?;
    // Whatever comes is not for us: only the end counts.
    let _ = io::copy(&mut io::stdin().lock().take(u64::MAX), &mut io::sink());

    let violations = github.violations();
    github.allow_violations();
    for violation in &violations {
        eprintln!("{violation}");
    }
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
