//! The promise of ABI.md: what programs were built against stays as it is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod c;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use c::{root, run, text};
use notify_pr::capi::{self, npr_stage, npr_status};
use notify_pr::status::{Stage, Status};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The header without comments and preprocessor, its white space made one blank.
fn declarations() -> String {
    let header = read("include/notify_pr.h");
    let code: String = header
        .split("/*")
        .enumerate()
        .map(|(index, part)| if index == 0 { part } else { part.split_once("*/").unwrap().1 })
        .collect();
    let lines = code.lines().filter(|line| !line.starts_with('#') && !line.starts_with("extern"));
    lines.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Functions with their signatures, numbers and fields, a line for each.
fn promised() -> BTreeSet<String> {
    let mut list = BTreeSet::new();
    let code = declarations();
    let mut rest = code.trim_start_matches('}').trim();
    while let Some(end) = rest.find(';') {
        let mut statement = rest[..end].trim();
        rest = &rest[end + 1..];
        if let Some(body) = statement.strip_prefix("typedef enum {") {
            // The last number has a comma, so the semicolon stands behind the name.
            let (numbers, name) = body.split_once('}').expect("an enum");
            for number in numbers.split(',').map(str::trim).filter(|number| !number.is_empty()) {
                list.insert(format!("{}: {number}", name.trim()));
            }
        } else if let Some(first) = statement.strip_prefix("typedef struct {") {
            let (others, after) = rest.split_once('}').expect("a struct");
            let (name, after) = after.split_once(';').expect("its name");
            let fields = format!("{first};{others}");
            for (place, field) in fields.split(';').map(str::trim).enumerate() {
                if !field.is_empty() {
                    list.insert(format!("{}: field {place}: {field}", name.trim()));
                }
            }
            rest = after;
        } else {
            statement = statement.trim_start_matches("} ").trim();
            list.insert(statement.to_owned());
        }
    }
    list
}

fn functions() -> BTreeSet<String> {
    let name = |line: &String| {
        let before = line.split_once('(')?.0;
        Some(before.rsplit([' ', '*']).next()?.to_owned()).filter(|_| !line.starts_with("typedef"))
    };
    promised().iter().filter_map(name).collect()
}

/// A type and a name.
type Parameter<'l> = (String, &'l str);

/// What a function returns, its name, and its parameters.
fn signature(line: &str) -> Option<(String, &str, Vec<Parameter<'_>>)> {
    let (before, list) = line.strip_suffix(')')?.split_once('(')?;
    if before.starts_with("typedef") {
        return None;
    }
    let at = before.rfind([' ', '*'])? + 1;
    let parameters = list.split(", ").filter(|parameter| *parameter != "void").map(|parameter| {
        let at = parameter.rfind([' ', '*']).expect("a type and a name") + 1;
        (parameter[..at].trim().to_owned(), &parameter[at..])
    });
    Some((before[..at].trim().to_owned(), &before[at..], parameters.collect()))
}

/// A value that a parameter of this type may have.
fn something(kind: &str) -> &'static str {
    match kind {
        "npr_report *" | "const npr_report *" => "report",
        "const npr_receipt *" | "npr_receipt *" | "npr_on_progress" | "void *" => "NULL",
        "npr_receipt **" => "&receipt",
        "const char *" | "const void *" => "\"x\"",
        "size_t" | "int" => "1",
        _ => panic!("what is a {kind}?"),
    }
}

/// What the header allows to be NULL.
const OPTIONAL: [(&str, &str); 3] = [
    ("npr_report_on_progress", "on_progress"),
    ("npr_report_on_progress", "user_data"),
    ("npr_report_submit", "receipt"),
];

#[test]
fn null_for_any_pointer_of_any_function_is_refused_or_is_nothing() {
    let Some(workshop) = c::Workshop::open("NULL") else { return };
    let list = promised();
    let mut source = String::from("#include \"check.h\"\nint main(void)\n{\n");
    let mut calls = 0;
    for (result, name, parameters) in list.iter().filter_map(|line| signature(line)) {
        for (at, (kind, parameter)) in parameters.iter().enumerate() {
            let is_pointer = kind.ends_with('*') || kind == "npr_on_progress";
            if !is_pointer || OPTIONAL.contains(&(name, parameter)) {
                continue;
            }
            let value = |(other, (kind, _)): (usize, &Parameter<'_>)| {
                if other == at { "NULL" } else { something(kind) }
            };
            let values: Vec<&str> = parameters.iter().enumerate().map(value).collect();
            let call = format!("{name}({})", values.join(", "));
            let says = format!("{parameter} is NULL");
            let check = match result.as_str() {
                "npr_status" if *parameter == "report" => {
                    format!("CHECK({call} == NPR_NULL_ARGUMENT);")
                }
                "npr_status" => format!(
                    "CHECK_STATUS(report, {call}, NPR_NULL_ARGUMENT); \
                     CHECK_TEXT(npr_report_error(report), \"{says}\");"
                ),
                "const char *" if name == "npr_report_error" => {
                    format!("CHECK_TEXT({call}, \"{says}\");")
                }
                "const char *" => format!("CHECK(strcmp({call}, \"\") == 0);"),
                "size_t" | "uint64_t" => format!("CHECK({call} == 0);"),
                "void" => format!("{call};"),
                _ => panic!("{name} returns {result}"),
            };
            source.push_str(&format!(
                "{{ npr_report *report = npr_report_new(); npr_receipt *receipt = NULL; {check} \
                 CHECK(receipt == NULL); npr_report_free(report); }}\n"
            ));
            calls += 1;
        }
    }
    source.push_str("return 0;\n}\n");
    assert!(calls > 30, "{calls} calls");
    let file = workshop.folder().join("null.c");
    fs::write(&file, source).expect("a file");
    let include = format!("-I{}", root().join("tests/c_api").display());
    let file = file.to_str().expect("UTF-8");
    run(&mut Command::new(workshop.build(file, c::Link::Shared, &[&include])), 0);
}

fn committed() -> PathBuf {
    root().join(format!("abi/{}.txt", capi::NPR_ABI_VERSION))
}

#[test]
fn what_programs_were_built_against_is_there_unchanged() {
    let path = committed();
    let now = promised();
    let before: BTreeSet<String> =
        fs::read_to_string(&path).unwrap_or_default().lines().map(str::to_owned).collect();
    let broken: Vec<&String> = before.difference(&now).collect();
    assert!(broken.is_empty(), "gone or changed, and ABI.md says what to do: {broken:#?}");
    if std::env::var_os("NPR_BLESS").is_some() {
        let mut lines = now.into_iter().collect::<Vec<_>>().join("\n");
        lines.push('\n');
        fs::create_dir_all(path.parent().expect("a folder")).expect("abi");
        return fs::write(path, lines).expect("the list can be written");
    }
    let new: Vec<&String> = now.difference(&before).collect();
    assert!(new.is_empty(), "new; run NPR_BLESS=1 cargo test --test abi: {new:#?}");
}

#[test]
fn the_numbers_in_c_are_those_of_the_library() {
    let list = promised();
    for status in Status::ALL {
        assert_eq!(npr_status::from(status) as i32, status.code());
        let line = format!("npr_status: NPR_{} = {}", status.name(), status.code());
        assert!(list.contains(&line), "the header lacks {line}");
    }
    for stage in Stage::ALL {
        assert_eq!(npr_stage::from(stage) as i32, stage as i32);
        let name = stage.name().to_uppercase();
        let line = format!("npr_stage: NPR_STAGE_{name} = {}", stage as i32);
        assert!(list.contains(&line), "the header lacks {line}");
    }
    let count = |what: &str| list.iter().filter(|line| line.starts_with(what)).count();
    assert_eq!(count("npr_status: "), Status::ALL.len());
    assert_eq!(count("npr_stage: "), Stage::ALL.len());
}

#[test]
fn the_shared_library_exports_what_the_header_declares_and_nothing_else() {
    if !cfg!(target_os = "linux") || !c::installed("nm") {
        return c::skip("exported symbols", "it needs Linux and nm");
    }
    let mut nm = Command::new("nm");
    let symbols = text(&run(nm.args(["-D", "--defined-only"]).arg(c::shared_library()), 0).stdout);
    let exported: BTreeSet<String> =
        symbols.lines().filter_map(|line| line.rsplit(' ').next()).map(str::to_owned).collect();
    assert_eq!(exported, functions());
}

/// The value of a key in a section of Cargo.toml.
fn manifest(section: &str, key: &str) -> String {
    let text = read("Cargo.toml");
    let (_, section) = text.split_once(&format!("\n[{section}]\n")).expect("the section");
    let section = section.split("\n[").next().unwrap_or_default();
    let line = section.lines().find_map(|line| line.strip_prefix(&format!("{key} = ")));
    line.expect("the key").trim_matches('"').to_owned()
}

#[test]
fn header_library_and_packages_have_the_same_number() {
    let number = capi::NPR_ABI_VERSION.to_string();
    assert!(read("include/notify_pr.h").contains(&format!("#define NPR_ABI_VERSION {number}\n")));
    assert_eq!(capi::npr_abi_version().to_string(), number);
    let version = manifest("package.metadata.capi.library", "version");
    assert_eq!(version.split('.').next(), Some(number.as_str()), "the version for cargo-c");
    assert_eq!(manifest("package.metadata.capi.library", "version_suffix_components"), "1");
    if !cfg!(target_os = "linux") || !c::installed("readelf") {
        return c::skip("SONAME", "it needs Linux and readelf");
    }
    let read = run(Command::new("readelf").arg("-d").arg(c::shared_library()), 0);
    let name = format!("[libnotify_pr.so.{number}]");
    assert!(text(&read.stdout).lines().any(|line| line.contains("SONAME") && line.contains(&name)));
}

#[test]
fn no_profile_aborts_on_a_panic() {
    // A bug would end the process of whoever calls.
    assert!(!read("Cargo.toml").contains("panic = \"abort\""));
}
