//! The house rules, as tests.
#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};

use notify_pr::settings::{Kind, Setting};
use notify_pr::{Settings, Stage, Status};

/// The way of a report: a file imports only what stands above it.
const ORDER: &[&str] = &[
    "status",
    "error",
    "input",
    "english",
    "settings",
    "http",
    "redact",
    "events",
    "submission",
    "report",
    "fault_points",
    "content",
    "plan",
    "store",
    "upload",
    "github",
    "find",
    "links",
    "compose",
    "page",
    "publish",
    "post",
    "receipt",
    "outbox",
    "spool",
    "check",
    "conductor",
    "delivery",
    "lib",
    "capi",
];

/// A parent that holds what its children share stands above them, and they may import one another.
const MOST_LINES: usize = 460;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the project") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The first part of a file's place below `src`: `store/s3.rs` belongs to `store`.
fn chapter(file: &Path) -> String {
    let relative = file.strip_prefix(root().join("src")).expect("a file below src");
    let first = relative.components().next().expect("a name").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn place(chapter: &str, file: &Path) -> usize {
    ORDER
        .iter()
        .position(|known| *known == chapter)
        .unwrap_or_else(|| panic!("{}: {chapter} is not in the order of files", file.display()))
}

#[test]
fn a_file_imports_only_what_stands_above_it() {
    for file in rust_files("src") {
        let own = chapter(&file);
        if own == "bin" {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source file");
        // A test may use whatever it needs.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        if file.ends_with("tests.rs") {
            continue;
        }
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for after in line.split("crate::").skip(1) {
                let names: Vec<&str> = match after.strip_prefix('{') {
                    Some(group) => group.split(',').collect(),
                    None => vec![after],
                };
                for name in names {
                    let imported: String = name
                        .trim()
                        .chars()
                        .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                        .collect();
                    if imported.is_empty() || own == "lib" {
                        continue;
                    }
                    assert!(
                        place(&imported, &file) <= place(&own, &file),
                        "{}: {own} imports {imported}, which stands below it",
                        file.display()
                    );
                }
            }
        }
    }
}

#[test]
fn no_file_is_too_long_to_read_at_once() {
    for file in rust_files("src").into_iter().chain(rust_files("tests/stand-ins/src")) {
        let lines = fs::read_to_string(&file).expect("a source file").lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines and wants to be two", file.display());
    }
}

#[test]
fn unsafe_stands_in_the_c_api_only() {
    for file in rust_files("src") {
        let text = fs::read_to_string(&file).expect("a source file");
        let word = ["un", "safe"].concat();
        let found = text.lines().any(|line| {
            !line.trim_start().starts_with("//")
                && (line.contains(&format!("{word} {{")) || line.contains(&format!("{word} fn")))
        });
        assert!(!found || chapter(&file) == "capi", "{} is unsafe", file.display());
    }
}

#[test]
fn versions_agree() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(notify_pr::VERSION, version);
    assert!(
        read("CHANGELOG.md").contains(&format!("## {version}")),
        "CHANGELOG.md lacks {version}"
    );
}

#[test]
fn every_dependency_says_why_it_is_there() {
    for manifest in ["Cargo.toml", "tests/stand-ins/Cargo.toml"] {
        let text = read(manifest);
        let mut in_dependencies = false;
        let mut before = "";
        for line in text.lines() {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies");
            } else if in_dependencies && line.contains('=') && !line.starts_with('#') {
                assert!(before.starts_with('#'), "{manifest}: {line} has no reason above it");
            }
            before = line;
        }
    }
}

#[test]
fn the_readme_lists_every_status_with_its_number() {
    let readme = read("README.md");
    for status in Status::ALL {
        let row = format!("| {} | `{}` | {} |", status.code(), status.name(), status.text());
        assert!(readme.contains(&row), "README.md lacks the row {row}");
    }
}

#[test]
fn the_readme_names_every_field_of_a_receipt_and_every_variable_of_a_template() {
    let readme = read("README.md");
    let between = |text: &str, begin: &str, end: &str| {
        let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("there is no {begin}"));
        rest.split_once(end).unwrap_or_else(|| panic!("there is no {end}")).0.to_owned()
    };
    let fields = |file: &str, begin: &str| {
        let body = between(&read(file), begin, "\n}");
        let name = |line: &str| {
            let (name, _) = line.trim().trim_start_matches("pub ").split_once(": ")?;
            (!name.starts_with('/')).then(|| name.to_owned())
        };
        body.lines().filter_map(name).collect::<Vec<_>>()
    };
    let receipt = between(&readme, "## The receipt", "\n## ");
    let template = between(&readme, "## A layout of your own", "\n## ");
    for (chapter, file, structs) in [
        (receipt, "src/receipt.rs", &["struct Receipt {", "struct PartEntry {"][..]),
        (template, "src/compose/template.rs", &["struct Variables<'a> {", "struct PartLine {"]),
    ] {
        for begin in structs {
            let names = fields(file, begin);
            assert!(names.len() > 2, "{file}: {begin}");
            for name in names {
                assert!(chapter.contains(&format!("`{name}`")), "README.md lacks {name} of {file}");
            }
        }
    }
}

/// The README's tables of settings, a table for each chapter.
fn settings_tables() -> String {
    let mut text = String::new();
    let mut chapter = None;
    for setting in Settings::table() {
        if chapter != Some(setting.chapter()) {
            chapter = Some(setting.chapter());
            let title = setting.chapter().title();
            text.push_str(&format!(
                "\n### {title}\n| setting | what it is | default |\n|---|---|---|\n"
            ));
        }
        let default = match setting.default() {
            "" => String::new(),
            default => format!("`{default}`"),
        };
        let words = match setting.kind() {
            Kind::Choice(_) => format!(": {}", setting.kind().takes()),
            _ => String::new(),
        };
        let row = format!("| `{}` | {}{words} | {default} |\n", setting.name(), setting.help());
        text.push_str(&row);
    }
    text.push('\n');
    text
}

/// The comment of `tests/compose.rs`, quoted so that it is shown as GitHub shows it, without the
/// marker.
fn quoted_comment() -> String {
    let comment = read("tests/data/comment.md");
    let comment = comment.replace("{version}", notify_pr::VERSION);
    let shown = comment.split("<!-- notify_pr:").next().unwrap_or_default();
    let quote = |line: &str| format!("> {line}").trim_end().to_owned() + "\n";
    shown.trim_end().lines().map(quote).collect()
}

#[test]
fn the_readme_shows_the_settings_and_a_comment_as_they_are() {
    let mut readme = read("README.md");
    for (name, wanted) in [("settings", settings_tables()), ("comment", quoted_comment())] {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let (before, rest) = readme.split_once(&begin).expect("where it begins");
        let (written, after) = rest.split_once(&end).expect("where it ends");
        if std::env::var_os("NPR_BLESS").is_some() {
            readme = format!("{before}{begin}{wanted}{end}{after}");
            fs::write(root().join("README.md"), &readme).expect("README.md can be written");
        } else {
            assert_eq!(written, wanted, "run NPR_BLESS=1 cargo test --test tidy");
        }
    }
}

#[test]
fn status_numbers_are_never_given_another_meaning() {
    let numbers: Vec<i32> = Status::ALL.iter().map(|status| status.code()).collect();
    let promised = [0, 1, 2, 3, 4, 10, 11, 12, 20, 21, 22, 30, 31, 32, 33, 34, 35, 40, 41, 42, 50];
    assert_eq!(numbers, promised);
}

/// The lines `NAME = 1` and `NAME(1)` whose names begin so, in their order; what follows the number
/// does not matter.
fn numbers(text: &str, prefix: &str) -> Vec<(String, i32)> {
    let number = |line: &str| {
        let line = line.trim().strip_prefix(prefix)?;
        let end = line.find(|c: char| !c.is_ascii_uppercase() && c != '_')?;
        let rest = line[end..].strip_prefix(" = ").or_else(|| line[end..].strip_prefix('('))?;
        let digits = rest.trim_end_matches([',', ';', ')']);
        Some((line[..end].to_owned(), digits.parse().ok()?))
    };
    // Java has one for what a later library adds, which no library says.
    text.lines().filter_map(number).filter(|(_, number)| *number >= 0).collect()
}

#[test]
fn statuses_and_stages_have_the_same_names_and_numbers_in_every_language() {
    let statuses: Vec<(String, i32)> =
        Status::ALL.iter().map(|status| (status.name().to_owned(), status.code())).collect();
    let stages: Vec<(String, i32)> =
        Stage::ALL.iter().map(|stage| (stage.name().to_uppercase(), *stage as i32)).collect();
    let header = read("include/notify_pr.h");
    let in_header: Vec<(String, i32)> = numbers(&header, "NPR_")
        .into_iter()
        .filter(|(name, _)| !name.starts_with("STAGE_"))
        .collect();
    assert_eq!(in_header, statuses, "notify_pr.h");
    assert_eq!(numbers(&header, "NPR_STAGE_"), stages, "notify_pr.h");
    let python = read("bindings/python/src/notify_pr/_status.py");
    let (in_python, rest) = python.split_once("class Stage").expect("the class Stage");
    assert_eq!(numbers(in_python, ""), statuses, "Python's Status");
    assert_eq!(numbers(rest, ""), stages, "Python's Stage");
    let java = |name: &str| read(format!("bindings/java/src/main/java/org/notifypr/{name}.java"));
    assert_eq!(numbers(&java("Status"), ""), statuses, "Java's Status");
    assert_eq!(numbers(&java("Stage"), ""), stages, "Java's Stage");
}

/// The files below a folder of the project that git would keep.
fn files_below(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut left = vec![root().join(folder)];
    while let Some(path) = left.pop() {
        if !path.is_dir() {
            files.push(path);
        } else if !path.ends_with("target") && !path.ends_with("__pycache__") {
            let entries = fs::read_dir(path).expect("a folder of the project");
            left.extend(entries.map(|entry| entry.expect("an entry").path()));
        }
    }
    files.sort();
    files
}

#[test]
fn packages_and_examples_name_only_settings_that_exist() {
    const CALLS: &[&str] = &[".set(\"", "report.get(\"", "npr_report_set(report, \""];
    // They are there to be refused.
    const REFUSED: &[&str] = &["no_such", "no_such_setting"];
    let mut seen = 0;
    for path in files_below("bindings").into_iter().chain(files_below("examples")) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for name in CALLS.iter().flat_map(|call| text.split(call).skip(1)) {
            let name = name.split('"').next().unwrap_or_default();
            let known = Setting::find(name).is_some() || REFUSED.contains(&name);
            assert!(known || name.starts_with("details."), "{}: {name}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 20, "the search finds {seen}");
}
