//! Reads INI files.
//!
//! The crate `ini` takes values as they stand, but forgets lines, lets a later key win over an
//! earlier one and lets anything pass as a key. So the text is scanned here first, and every line
//! that is not clearly a setting is an error that names the line.

use std::collections::BTreeMap;
use std::path::Path;

use ini::configparser::ini::Ini;

use super::table::Setting;
use super::{Origin, Settings};
use crate::error::{Error, Result};
use crate::input;
use crate::status::Status;

/// No INI is larger; whoever names a log file by mistake is told so at once.
const LARGEST: u64 = 1 << 20;

/// A line that sets something.
struct Row {
    line: usize,
    detail: bool,
    key: String,
}

impl Settings {
    /// Reads an INI file: settings without a section, then a section `[details]` of free rows.
    ///
    /// Every line is checked before any value counts, so after an error nothing has changed. The
    /// error names the first bad line, what is wrong there and what to do, and says which other
    /// lines are wrong too. Names are taken in any case. Values stand as they are written: quotes,
    /// `%`, `;`, `#` and backslashes are part of them, blanks at the ends are not. Relative paths
    /// in the file begin at the working directory.
    ///
    /// # Errors
    /// `BadFile` if the file cannot be read, `BadText` if it is not UTF-8, else `BadSetting`.
    pub fn load_ini(&mut self, path: &Path) -> Result<()> {
        let file = path.display().to_string();
        let bytes = read(path, &file)?;
        let text = match std::str::from_utf8(&bytes) {
            Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
            Err(error) => {
                let before = &bytes[..error.valid_up_to()];
                let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
                return Err(Error::new(Status::BadText, "the line is not UTF-8")
                    .at(format!("{file}:{line}"))
                    .advise("save the file as UTF-8"));
            }
        };
        let (rows, mut problems) = scan(text, &file);
        let values = parse(text, &file, &problems)?;
        let mut loaded = Settings::default();
        for row in &rows {
            let section = if row.detail { "details" } else { "default" };
            let value = values.get(&(section, row.key.clone())).map_or("", String::as_str);
            let origin = Origin::Ini { file: file.clone(), line: row.line };
            let result = if row.detail {
                loaded.set_detail(&row.key, value, &origin)
            } else {
                loaded.set(&row.key.to_ascii_lowercase(), value, origin)
            };
            if let Err(error) = result {
                let place = format!("{file}:{}", row.line);
                problems.push((row.line, error.at(place)));
            }
        }
        first_of(problems)?;
        self.warn_of_readers(path, &file, &loaded);
        let origin = Origin::Ini { file, line: 0 };
        for (name, value) in loaded.details() {
            self.set_detail(name, value, &origin)?;
        }
        for (name, value) in loaded.values {
            self.put(name, value.text, value.origin);
        }
        Ok(())
    }

    /// Warns if the file holds a secret and other users of this machine may read it.
    #[cfg(unix)]
    fn warn_of_readers(&mut self, path: &Path, file: &str, loaded: &Settings) {
        use std::os::unix::fs::PermissionsExt;
        let Ok(metadata) = std::fs::metadata(path) else { return };
        let mode = metadata.permissions().mode() & 0o777;
        if metadata.is_file() && mode & 0o044 != 0 && !loaded.secrets().is_empty() {
            self.warn(format!(
                "{file} holds a secret and others can read it (mode {mode:04o}): chmod 600 {file}"
            ));
        }
    }

    #[cfg(not(unix))]
    fn warn_of_readers(&mut self, _: &Path, _: &str, _: &Settings) {}
}

fn read(path: &Path, file: &str) -> Result<Vec<u8>> {
    let bad = |what: &str| Error::new(Status::BadFile, what).at(file);
    let advice = "name a readable INI file, or leave the option out";
    match input::read_patiently(path, LARGEST + 1) {
        Err(source) => Err(bad("the INI cannot be read").advise(advice).because(source)),
        Ok(bytes) if bytes.len() as u64 > LARGEST => {
            Err(bad("the file is larger than 1 MiB and cannot be an INI").advise(advice))
        }
        Ok(bytes) => Ok(bytes),
    }
}

/// The lines that set something, and what is wrong with the others.
fn scan(text: &str, file: &str) -> (Vec<Row>, Vec<(usize, Error)>) {
    let mut rows: Vec<Row> = Vec::new();
    let mut problems = Vec::new();
    let mut first_lines: BTreeMap<(bool, String), usize> = BTreeMap::new();
    // None while the rows of an unknown section pass by: one error for the section is enough.
    let mut detail = Some(false);
    for (line, raw) in (1..).zip(text.lines()) {
        let content = raw.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        let mut problem = |what: String, advice: String| {
            let error =
                Error::new(Status::BadSetting, what).at(format!("{file}:{line}")).advise(advice);
            problems.push((line, error));
        };
        if raw.starts_with(char::is_whitespace) {
            problem(
                "the line is indented, and a value cannot go on over several lines".to_owned(),
                "begin every setting in the first column and write its value on the same line"
                    .to_owned(),
            );
        } else if let Some(name) = section(content) {
            detail = name.eq_ignore_ascii_case("details").then_some(true);
            if detail.is_none() {
                problem(
                    format!("there is no section [{name}]"),
                    "write settings without a section, before the section [details]".to_owned(),
                );
            } else if name != "details" {
                problem(format!("the section is written [{name}]"), "write [details]".to_owned());
            }
        } else if let (Some(in_details), key) = (detail, key(content)) {
            let Some(key) = key else {
                problem(
                    "the line is no setting".to_owned(),
                    "write name = value, or begin a comment with #".to_owned(),
                );
                continue;
            };
            let folded = if in_details { key.to_owned() } else { key.to_ascii_lowercase() };
            if let Some(first) = first_lines.get(&(in_details, folded.clone())) {
                problem(
                    format!("{key} is set a second time; the first is in line {first}"),
                    "remove one of the two lines".to_owned(),
                );
                continue;
            }
            if !in_details && Setting::find(&folded).is_none() {
                let (what, advice) =
                    super::unknown("setting", key, |setting| format!("write {}", setting.name()));
                problem(what, advice);
            } else {
                rows.push(Row { line, detail: in_details, key: key.to_owned() });
            }
            first_lines.insert((in_details, folded), line);
        }
    }
    (rows, problems)
}

/// The name between the brackets of a section's line.
fn section(content: &str) -> Option<&str> {
    content.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(str::trim)
}

/// What stands before the first `=` or `:`.
fn key(content: &str) -> Option<&str> {
    let end = content.find(['=', ':']).filter(|_| !content.starts_with('['))?;
    Some(content[..end].trim()).filter(|key| !key.is_empty())
}

/// The values as the INI parser reads them, by section and key.
fn parse(
    text: &str,
    file: &str,
    problems: &[(usize, Error)],
) -> Result<BTreeMap<(&'static str, String), String>> {
    // Lines that are wrong in themselves may make the parser give up; they are reported already.
    let good: Vec<&str> = (1..)
        .zip(text.lines())
        .map(|(line, raw)| if problems.iter().any(|(bad, _)| *bad == line) { "" } else { raw })
        .collect();
    let mut parser = Ini::new_cs();
    let mut rules = parser.defaults();
    rules.enable_inline_comments = false;
    rules.multiline = false;
    rules.comment_symbols = vec!['#', ';'];
    rules.delimiters = vec!['=', ':'];
    parser.load_defaults(rules);
    let map = parser.read(good.join("\n")).map_err(|source| {
        Error::new(Status::BadSetting, "the INI cannot be understood").at(file).because(source)
    })?;
    let mut values = BTreeMap::new();
    for section in ["default", "details"] {
        for (key, value) in map.get(section).into_iter().flatten() {
            values.insert((section, key.clone()), value.clone().unwrap_or_default());
        }
    }
    Ok(values)
}

/// The first problem as the error, which also names the lines of the others.
fn first_of(mut problems: Vec<(usize, Error)>) -> Result<()> {
    problems.sort_by_key(|(line, _)| *line);
    let mut problems = problems.into_iter();
    let Some((_, first)) = problems.next() else { return Ok(()) };
    let others: Vec<String> = problems.map(|(line, _)| line.to_string()).collect();
    if others.is_empty() {
        return Err(first);
    }
    let more = format!("there is more to mend in line {}", others.join(", "));
    let advice = match first.advice() {
        Some(advice) => format!("{advice}; {more}"),
        None => more,
    };
    Err(first.advise(advice))
}
