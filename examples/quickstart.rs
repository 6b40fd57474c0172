//! The whole way of a report, without an account anywhere: `cargo run --example quickstart`.
//!
//! A GitHub stand-in with a few pull requests and a folder that a web server publishes start on
//! loopback; then a Marvin run is reported to them exactly as it would be to the real ones.

use std::error::Error;
use std::io::{BufRead, IsTerminal};
use std::ops::ControlFlow;
use std::path::Path;

use notify_pr::Report;
use notify_pr::events::Event;
use stand_ins::{FileServer, GitHub, sha};

fn main() -> Result<(), Box<dyn Error>> {
    // What a project and its web server would be.
    let github = GitHub::start();
    github.token("an-invented-token").login("lab-bot").scopes(&["public_repo"]);
    let repository = github.repository("apache", "cloudstack");
    repository.fill(12);
    let tested = sha("Fix volume migration");
    let pull = repository.pull_from_fork("contributor", "fix-volume-migration", &tested);
    pull.title("Fix volume migration");
    let folder = tempfile::tempdir()?;
    let server = FileServer::start(folder.path());

    // What a CI job does.
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    let mut report = Report::new();
    report.set("api_url", &github.url())?;
    report.set("token", "an-invented-token")?;
    report.set("owner", "apache")?;
    report.set("repo", "cloudstack")?;
    report.set("commit", &tested)?;
    report.set("context", "kvm-centos7")?;
    report.set("title", "Smoke tests")?;
    report.set("verdict", "failure")?;
    report.set("summary_file", &run.join("summary.md").display().to_string())?;
    report.set("store_api", "directory")?;
    report.set("store_endpoint", &folder.path().display().to_string())?;
    report.set("store_public_url", &server.url())?;
    report.set("details.Hypervisor", "KVM, CentOS 7 (2 hosts)")?;
    report.set("details.Network", "Advanced")?;
    report.set("details.Duration", "8 h 06 min")?;
    report.attach(&run.join("MarvinLogs"))?;
    report.attach(&run.join("integration-test-results"))?;
    let receipt = report.submit(&mut |progress| {
        for event in &progress.news {
            match event {
                Event::Note(text) => println!("· {text}"),
                Event::Warning(text) => println!("· warning: {text}"),
                Event::Stored { name, size } => println!("· stored {name}, {size} bytes"),
                _ => {}
            }
        }
        ControlFlow::Continue(())
    })?;

    // What everybody sees.
    for comment in github.comments("apache/cloudstack", pull.number()) {
        println!(
            "\n──── the comment on pull request #{}, by {} ────\n",
            pull.number(),
            comment.login
        );
        println!("{}", comment.body);
    }
    println!("\n──── the published files ────\n");
    println!("{}", receipt.page_url.as_deref().unwrap_or("no page was published"));
    if std::io::stdin().is_terminal() {
        println!("\nThe files are served until you press Enter.");
        std::io::stdin().lock().lines().next();
    }
    Ok(())
}
