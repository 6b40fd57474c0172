//! The header is the manual: it fits the code, reads from front to back, and compiles anywhere.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod c;

use std::fs;
use std::path::{Path, PathBuf};

use cbindgen::{Builder, Config};

/// The functions with which a chapter begins.
const CHAPTERS: &[(&str, &str)] = &[
    ("npr_version", "The library"),
    ("npr_report_new", "A report: make it, load it, fill it, submit it"),
    ("npr_receipt_free", "The receipt: what was done"),
];
/// What stands before the first type.
const TYPES: &str = "Numbers and types";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn committed() -> (PathBuf, String) {
    let path = root().join("include/notify_pr.h");
    let text = fs::read_to_string(&path).unwrap_or_default();
    (path, text)
}

fn banner(title: &str) -> String {
    let line = "-".repeat(94);
    format!("/* {line}\n * {title}\n * {line} */\n\n")
}

/// Where a function is declared; comments name it too.
fn declaration(header: &str, function: &str) -> usize {
    let call = format!("{function}(");
    let mut at = 0;
    for line in header.split_inclusive('\n') {
        if line.contains(&call) && !line.starts_with([' ', '/', '#']) {
            return at;
        }
        at += line.len();
    }
    panic!("{function} is not declared");
}

/// Comments of one line on one line: the numbers are a table then.
fn on_one_line(header: &str) -> String {
    let lines: Vec<&str> = header.trim_start().lines().collect();
    let mut text = String::new();
    let mut at = 0;
    while at < lines.len() {
        let indent = lines[at].len() - lines[at].trim_start().len();
        let short = match &lines[at..] {
            [open, only, close, ..] if open.trim() == "/**" && close.trim() == "*/" => {
                only.trim().strip_prefix("* ").map(|said| format!("/** {said} */"))
            }
            _ => None,
        };
        match short.filter(|short| indent + short.len() <= 100) {
            Some(short) => {
                text.push_str(&format!("{:indent$}{short}\n", ""));
                at += 3;
            }
            None => {
                text.push_str(&format!("{}\n", lines[at]));
                at += 1;
            }
        }
    }
    text
}

/// The header as it is made from the code.
fn made() -> String {
    let mut config = Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml");
    let number = |name: &str, value: &str| format!("#define NPR_VERSION_{name} {value}\n");
    config.after_includes = Some(format!(
        "\n{}/** The version of this header; npr_version() is that of the library that runs. */\n{}{}{}",
        banner(TYPES),
        number("MAJOR", env!("CARGO_PKG_VERSION_MAJOR")),
        number("MINOR", env!("CARGO_PKG_VERSION_MINOR")),
        number("PATCH", env!("CARGO_PKG_VERSION_PATCH")).trim_end(),
    ));
    let mut builder = Builder::new().with_config(config);
    for file in ["src/capi.rs", "src/capi/report.rs", "src/capi/receipt.rs"] {
        builder = builder.with_src(root().join(file));
    }
    let mut bytes = Vec::new();
    builder.generate().expect("src/capi can be read").write(&mut bytes);
    let mut text = on_one_line(&String::from_utf8(bytes).expect("the header is UTF-8"));
    for (function, title) in CHAPTERS {
        let declared = declaration(&text, function);
        let comment = text[..declared].rfind("/**").expect("a comment before it");
        text.insert_str(comment, &banner(title));
    }
    text
}

#[test]
fn the_header_is_what_the_code_says() {
    let (path, committed) = committed();
    let made = made();
    if std::env::var_os("NPR_BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("include");
        fs::write(&path, made).expect("include/notify_pr.h can be written");
    } else {
        assert!(committed == made, "run NPR_BLESS=1 cargo test --test header");
    }
}

/// The program in the preface.
fn program() -> String {
    let (_, header) = committed();
    let preface = header.split("*/").next().unwrap_or_default().to_owned();
    let code = |line: &str| line.strip_prefix(" *     ").map(str::to_owned);
    let begin = preface.find(" *     #include").expect("a program in the preface");
    let end = preface.find("\n * Memory").expect("what follows the program");
    preface[begin..end].lines().map(|line| code(line).unwrap_or_default() + "\n").collect()
}

#[test]
fn the_header_compiles_alone_and_clean_in_every_dialect() {
    let Some(workshop) = c::Workshop::open("the header") else { return };
    let include = root().join("include");
    // Included twice, and nothing before it.
    let source = "#include <notify_pr.h>\n#include <notify_pr.h>\nint npr_nothing;\n";
    let (c, cpp) = (&["c99", "c11", "c17"][..], &["c++11", "c++20"][..]);
    for (compiler, extension, dialects) in
        [("cc", "c", c), ("c++", "cpp", cpp), ("clang", "c", c), ("clang++", "cpp", cpp)]
    {
        if !c::installed(compiler) {
            c::skip("the header", &format!("there is no compiler named {compiler}"));
            continue;
        }
        let file = workshop.folder().join(format!("alone.{extension}"));
        let first = workshop.folder().join(format!("program.{extension}"));
        fs::write(&file, source).expect("a file");
        fs::write(&first, program()).expect("a file");
        for dialect in dialects {
            for file in [&file, &first] {
                let mut command = std::process::Command::new(compiler);
                command.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]);
                command.arg(format!("-std={dialect}")).arg("-I").arg(&include).arg(file);
                c::run(&mut command, 0);
            }
        }
    }
}

#[test]
fn every_sentence_in_the_header_is_whole() {
    let (_, header) = committed();
    for comment in header.split("/**").skip(1) {
        let comment = comment.split("*/").next().unwrap_or_default();
        let words = comment.replace("\n * ", "\n").replace("\n     * ", "\n");
        for paragraph in words.split("\n *\n") {
            assert!(paragraph.trim().ends_with('.'), "no full stop: {paragraph}");
        }
    }
}

#[test]
fn every_name_in_the_header_and_the_example_exists() {
    let (_, header) = committed();
    let example = fs::read_to_string(root().join("examples/report.c")).expect("the example");
    let code: String =
        header.split("/*").map(|part| part.split_once("*/").map_or("", |p| p.1)).collect();
    let words = |text: &str| -> Vec<String> {
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|word| word.starts_with("npr_") || word.starts_with("NPR_"))
            .map(str::to_owned)
            .collect()
    };
    let known = words(&code);
    for word in words(&header).into_iter().chain(words(&example)) {
        // NPR_VERSION_ stands for the three macros that begin so.
        assert!(word.ends_with('_') || known.contains(&word), "there is no {word}");
    }
}
