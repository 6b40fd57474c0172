//! Our uploader beside its peers, on the same files and the same servers.
//!
//! `cargo bench --bench upload -- --peers` runs everything and prints tables; `--quick` takes an
//! eighth of the files, `--only A,B-link` some of the comparisons, `--rounds 5` more runs. Runs are
//! interleaved, figures are medians, ratios are those of medians. The slow peers run once.
//! Peers come from `benches/install-peers.sh`, SeaweedFS from `tests/services/install.sh weed`.

#![allow(clippy::expect_used, clippy::panic, reason = "a bench that cannot go on ends")]

#[path = "upload/data.rs"]
mod data;
#[path = "upload/measure.rs"]
mod measure;
#[path = "upload/ours.rs"]
mod ours;
#[path = "upload/peers.rs"]
mod peers;
#[path = "upload/scenes.rs"]
mod scenes;
#[allow(dead_code, reason = "only one of the servers is uploaded to")]
#[path = "../tests/services/mod.rs"]
mod services;
#[path = "upload/sink.rs"]
mod sink;

use std::io;
use std::path::Path;
use std::time::Duration;

use data::Data;
use measure::Cost;
use peers::Who;
use scenes::{Scene, Server};

fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.first().map(String::as_str) {
        Some("--sink") => sink::serve(manner(&words[1..])),
        Some("--measure") => measure::measure(&words[1..]),
        Some("--ours") => ours::upload(&words[1], &words[2..]),
        Some("--floor") => ours::floor(&words[1], &words[2]),
        Some("--help") => {
            println!("[--quick] [--peers] [--rounds N] [--only KEY,KEY] [--settings NAME=VALUE]");
            Ok(())
        }
        // `cargo test` runs benches too, without a word.
        None if cfg!(debug_assertions) => Ok(()),
        _ => compare(&words),
    }
}

fn manner(words: &[String]) -> sink::Manner {
    let mut manner = sink::Manner::default();
    for (name, value) in words.iter().filter_map(|word| word.split_once('=')) {
        match name {
            "delay" => manner.delay = Duration::from_millis(value.parse().expect("milliseconds")),
            "rate" => manner.rate = Some(value.parse().expect("bytes per second")),
            _ => manner.certificate = Some(value.to_owned()),
        }
    }
    manner
}

fn compare(words: &[String]) -> io::Result<()> {
    let has = |word: &str| words.iter().any(|each| each == word);
    let after = |word: &str| {
        let at = words.iter().position(|each| each == word)?;
        words.get(at + 1).map(String::as_str)
    };
    let rounds = after("--rounds").map_or(3, |count| count.parse().expect("a number of rounds"));
    let only: Option<Vec<&str>> = after("--only").map(|keys| keys.split(',').collect());
    let settings: Vec<&str> = after("--settings").into_iter().collect();
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../bench-data");
    std::fs::create_dir_all(&scratch)?;
    let scratch = scratch.canonicalize()?;
    let data = Data::make(&scratch, has("--quick"))?;
    for scene in scenes::all(&scratch) {
        if only.as_ref().is_some_and(|only| !only.contains(&scene.key)) {
            continue;
        }
        let server = match &scene.sink {
            Some(words) => Server::named(words)?,
            None => match Server::seaweedfs() {
                Some(server) => server,
                None => {
                    println!("{}: SKIPPED, run tests/services/install.sh weed\n", scene.title);
                    continue;
                }
            },
        };
        if scene.sink.is_none() {
            make_bucket(&server)?;
        }
        let results = run(&scene, &server, &data, rounds, has("--peers"), &settings)?;
        print(&scene, scene.memory(&settings), &results);
    }
    Ok(())
}

/// The uploaders of a scene and what each of their runs cost.
type Results = Vec<(Who, Vec<Cost>)>;

fn run(
    scene: &Scene,
    server: &Server,
    data: &Data,
    rounds: usize,
    with_peers: bool,
    settings: &[&str],
) -> io::Result<Results> {
    let folder = (scene.folder)(data);
    // Everybody finds the files in memory.
    read_all(folder)?;
    let mut results: Results = Vec::new();
    for &who in &scene.who {
        if who.is_peer() && !with_peers {
            continue;
        }
        match who.program() {
            Some(_) => results.push((who, Vec::new())),
            None => println!("{}: not here, run benches/install-peers.sh", who.name()),
        }
    }
    for round in 0..rounds {
        for (who, costs) in &mut results {
            let slow = matches!(who, Who::Rclone | Who::Aws | Who::Swift);
            if slow && round > 0 {
                continue;
            }
            let Some(program) = who.program() else { continue };
            let more: Vec<&str> = match who {
                Who::Ours | Who::OursDefault => {
                    scene.settings.iter().chain(settings).copied().collect()
                }
                _ => Vec::new(),
            };
            let (command, variables) = who.command(&program, server, folder, &more);
            server.counts(true)?;
            match measure::run(&command, &variables) {
                Ok(cost) => {
                    let [connections, requests, bytes] = server.counts(false)?;
                    costs.push(Cost { connections, requests, bytes, ..cost });
                }
                Err(error) => println!("{}: {error}", who.name()),
            }
        }
    }
    Ok(results)
}

fn read_all(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_all(&path)?;
        } else {
            io::copy(&mut std::fs::File::open(path)?, &mut io::sink())?;
        }
    }
    Ok(())
}

/// The store makes the bucket for everybody.
fn make_bucket(server: &Server) -> io::Result<()> {
    let empty = std::env::temp_dir().join(format!("notify_pr-bench-{}", std::process::id()));
    std::fs::create_dir_all(&empty)?;
    let program = std::env::current_exe()?;
    let (command, variables) = Who::Ours.command(&program, server, &empty, &["store_create=true"]);
    let made = measure::run(&command, &variables);
    std::fs::remove_dir_all(&empty)?;
    made.map(drop)
}

fn median(costs: &[Cost], of: impl Fn(&Cost) -> f64) -> f64 {
    let mut all: Vec<f64> = costs.iter().map(of).collect();
    all.sort_by(f64::total_cmp);
    match all.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => all[count / 2],
        count => (all[count / 2 - 1] + all[count / 2]) / 2.0,
    }
}

fn print(scene: &Scene, memory: f64, results: &Results) {
    println!("\n## {} [{}]", scene.title, scene.key);
    println!("| uploader | runs | wall s | CPU s | peak MB | requests | connections | MB sent |");
    println!("|---|---|---|---|---|---|---|---|");
    for (who, costs) in results {
        println!(
            "| {} | {} | {:.3} | {:.3} | {:.1} | {} | {} | {:.1} |",
            who.name(),
            costs.len(),
            median(costs, |cost| cost.wall),
            median(costs, |cost| cost.cpu),
            median(costs, |cost| cost.peak),
            median(costs, |cost| cost.requests as f64),
            median(costs, |cost| cost.connections as f64),
            median(costs, |cost| cost.bytes as f64 / 1e6),
        );
    }
    for (who, costs) in results.iter().filter(|(who, _)| who.is_ours()) {
        let peak = median(costs, |cost| cost.peak);
        let verdict = if peak <= memory { "kept" } else { "NOT KEPT" };
        println!("memory of {}: {peak:.1} MB (at most {memory}: {verdict})", who.name());
    }
    let costs_of = |who: Who| results.iter().find(|(each, _)| *each == who).map(|(_, c)| c);
    let Some(ours) = costs_of(scene.ours) else { return };
    for goal in &scene.goals {
        let Some(theirs) = costs_of(goal.against).filter(|costs| !costs.is_empty()) else {
            continue;
        };
        let cpu = median(ours, |cost| cost.cpu) / median(theirs, |cost| cost.cpu);
        let wall = median(ours, |cost| cost.wall) / median(theirs, |cost| cost.wall);
        for (kind, wanted, ratio) in [("CPU", goal.cpu, cpu), ("wall", goal.wall, wall)] {
            let verdict = match wanted {
                Some(wanted) if ratio <= wanted => format!("to reach {wanted}: reached"),
                Some(wanted) => format!("to reach {wanted}: NOT REACHED"),
                None => "no goal".to_owned(),
            };
            println!("{kind} against {}: {ratio:.3} ({verdict})", goal.against.name());
        }
    }
}
