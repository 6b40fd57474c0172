//! The blocks of a comment and of the full text, in the order in which they are read.

use crate::compose::document::{Document, Summary, VERSION};
use crate::compose::fit::{Block, joined, length, lines_within};
use crate::compose::{LinkedFile, markdown, parts, summary};
use crate::english::{counted, date, moment, number, shortened, size};
use crate::plan::LeftOut;

/// Links to single files are given for at most so many of them, and in so many characters.
const FEW: (usize, usize) = (12, 4_000);
/// So many entries of a list of files are shown without asking for more room.
const SHOWN: usize = 10;
/// The longest title, name, value, reason in the comment; the full text has them whole.
const LONGEST: usize = 200;
/// Sizes are said of files from which on a reader wants to know before opening them.
const LARGE: u64 = 1_000_000;

/// The blocks of the comment, without the note that something was cut and without the marker.
/// `harmless` is the summary ready to be shown.
pub(crate) fn of_comment<'a>(document: &'a Document, harmless: &'a str) -> Vec<Block<'a>> {
    vec![
        Block::fixed(heading(document, LONGEST)),
        Block::fixed(notice(document)),
        Block {
            weight: 3,
            share: 15,
            text: table(document, LONGEST, usize::MAX),
            shorter: Box::new(|max| table(document, LONGEST, max)),
        },
        Block {
            weight: 4,
            share: 40,
            text: parts::block(document, LONGEST, usize::MAX),
            shorter: Box::new(|max| parts::block(document, LONGEST, max)),
        },
        summary_block(document, harmless),
        Block {
            weight: 4,
            share: 30,
            text: logs(document, usize::MAX),
            shorter: Box::new(|max| logs(document, max)),
        },
        Block {
            weight: 2,
            share: 15,
            text: missing(document, LONGEST, SHOWN, usize::MAX),
            shorter: Box::new(|max| missing(document, LONGEST, SHOWN, max)),
        },
        Block {
            weight: 1,
            share: 10,
            text: left_out(document, LONGEST, SHOWN, usize::MAX),
            shorter: Box::new(|max| left_out(document, LONGEST, SHOWN, max)),
        },
        Block::fixed(caution(document, LONGEST * 3)),
        Block::fixed(footer(document)),
    ]
}

/// Whether the comment leaves out something already before it is made to fit.
pub(crate) fn abridged(document: &Document) -> bool {
    let long = |text: &str| text.chars().nth(LONGEST).is_some();
    let long_entry = |entry: &LeftOut| long(&entry.name) || long(&entry.reason);
    long(&document.title)
        || document.context.as_deref().is_some_and(long)
        || document.details.iter().any(|(name, value)| long(name) || long(value))
        || [&document.missing, &document.left_out]
            .iter()
            .any(|list| list.len() > SHOWN || list.iter().any(long_entry))
        || (document.page_url.is_none() && link_lines(document, usize::MAX).is_none())
}

/// Everything.
pub(crate) fn of_full_text(document: &Document, harmless: &str) -> String {
    let all = usize::MAX;
    let files: Vec<String> = document.files.iter().map(file_line).collect();
    let files = match files.is_empty() {
        true => String::new(),
        false => {
            let kept = joined([logs_line(document).as_str(), &files.join("\n")]);
            joined([kept.as_str(), &kept_until(document)])
        }
    };
    joined([
        heading(document, all).as_str(),
        &notice(document),
        &table(document, all, all),
        &parts::block(document, all, all),
        &summary_whole(document, harmless),
        &files,
        &missing(document, all, all, all),
        &left_out(document, all, all, all),
        &caution(document, all),
        &footer(document),
    ])
}

fn heading(document: &Document, longest: usize) -> String {
    let title = markdown::inline(&shortened(&document.title, longest));
    let icon = document.verdict.icon;
    match &document.context {
        Some(context) => {
            format!("### {icon} {title} · {}", markdown::inline(&shortened(context, longest)))
        }
        None => format!("### {icon} {title}"),
    }
}

fn notice(document: &Document) -> String {
    let Some(about) = &document.about else {
        return String::new();
    };
    let head = commit(&about.head, about.head_url.as_deref());
    let kind = if about.warns() { "WARNING" } else { "NOTE" };
    about.notice(&head).map_or_else(String::new, |text| format!("> [!{kind}]\n> {text}"))
}

fn commit(sha: &str, url: Option<&str>) -> String {
    let short = shortened(crate::compose::document::short(sha), 64);
    let code = markdown::code_cell(&short);
    match url {
        Some(url) => format!("[{code}](<{url}>)"),
        None => code,
    }
}

/// The table of what was tested and where. Its first rows always stay.
fn table(document: &Document, longest: usize, max: usize) -> String {
    let verdict = document.verdict.word;
    let mut rows = vec![
        format!("| Verdict | {verdict} |\n|:--|:--|"),
        format!("| Commit | {} |", commit(&document.commit, document.commit_url.as_deref())),
    ];
    if document.about.is_none() && !document.repository.is_empty() {
        rows.push(row("Repository", &document.repository, longest));
    }
    if let Some(url) = &document.build_url {
        rows.push(format!("| Build | {} |", web_link(url)));
    }
    if let Some(tests) = &document.tests {
        rows.push(format!("| Tests | {} |", parts::in_words(tests)));
    }
    let fixed = rows.join("\n");
    let details: Vec<String> =
        document.details.iter().map(|(name, value)| row(name, value, longest)).collect();
    let room = max.saturating_sub(length(&fixed) + 1);
    let details = lines_within(&details, document.counts.details - details.len(), room, |rest| {
        format!("| … | {} more |", number(rest as u64))
    });
    if details.is_empty() { fixed } else { format!("{fixed}\n{details}") }
}

fn row(name: &str, value: &str, longest: usize) -> String {
    let web = value.starts_with("https://") || value.starts_with("http://");
    let value = match web && value.len() <= longest && !value.contains(' ') {
        true => web_link(value),
        false => markdown::inline(&shortened(value, longest)),
    };
    format!("| {} | {value} |", markdown::inline(&shortened(name, longest)))
}

/// A link whose text is its address, as browsers show it.
fn web_link(url: &str) -> String {
    let (_, address) = url.split_once("://").unwrap_or(("", url));
    markdown::link(&shortened(address.trim_end_matches('/'), 100), url)
}

fn summary_block<'a>(document: &'a Document, harmless: &'a str) -> Block<'a> {
    match &document.summary {
        Summary::Given(_) => Block {
            weight: 5,
            share: 50,
            text: summary::folded(&markdown::closed(harmless)),
            shorter: Box::new(|max| summary_within(harmless, max)),
        },
        Summary::Absent(why) => Block::fixed(no_summary(&shortened(why, 2 * LONGEST))),
        Summary::Unwanted => Block::fixed(String::new()),
    }
}

fn summary_whole(document: &Document, harmless: &str) -> String {
    match &document.summary {
        Summary::Given(_) => markdown::closed(harmless).trim_end().to_owned(),
        Summary::Absent(why) => no_summary(why),
        Summary::Unwanted => String::new(),
    }
}

fn no_summary(why: &str) -> String {
    format!("*No summary: {}.*", markdown::inline(why.trim_end_matches('.')))
}

/// The beginning of the summary. The fold and the heads of tables and fences that it repeats need
/// room of their own, so the cut is tried a second time where they were more than expected.
fn summary_within(harmless: &str, max: usize) -> String {
    const FOLD: usize = 150;
    const NOTE: &str = "\n\n*The summary is cut here.*";
    let mut room = max.saturating_sub(FOLD + NOTE.len());
    for _ in 0..4 {
        if room < 200 {
            break;
        }
        let (beginning, _) = markdown::cut(harmless, room);
        let text = format!("{}{NOTE}", summary::folded(beginning.trim_end()));
        match length(&text).checked_sub(max) {
            None | Some(0) => return text,
            Some(excess) => room = room.saturating_sub(excess + 50),
        }
    }
    "*The summary is too long to be shown here.*".to_owned()
}

/// A link per file while they are few, else the page that lists them.
fn logs(document: &Document, max: usize) -> String {
    if document.files.is_empty() {
        return String::new();
    }
    let ends = [logs_line(document), kept_until(document)];
    let room = max.saturating_sub(ends.iter().map(|end| length(end) + 2).sum());
    let lines = match link_lines(document, room) {
        Some(lines) => lines,
        None if document.page_url.is_some() => String::new(),
        None => some_links(document, room),
    };
    joined([ends[0].as_str(), &lines, &ends[1]])
}

fn logs_line(document: &Document) -> String {
    let count = counted(document.counts.files as u64, "file");
    let total = size(document.counts.bytes);
    match &document.page_url {
        Some(url) => {
            format!("**Logs** · {} · {total}", markdown::link(&format!("Browse {count}"), url))
        }
        None if document.files.iter().any(|file| file.url.is_some()) => {
            format!("**Logs** · {count} · {total}")
        }
        None => format!("**Logs** · {count} · {total}, stored where the public cannot read them"),
    }
}

fn kept_until(document: &Document) -> String {
    let seen = document.page_url.is_some() || document.files.iter().any(|file| file.url.is_some());
    match document.expires {
        // Links end with the credentials that signed them, which may be in the middle of a day.
        Some(expires) if seen && expires - document.started < time::Duration::days(2) => {
            format!("Logs are kept until {}.", moment(expires))
        }
        Some(expires) if seen => format!("Logs are kept until {} (UTC).", date(expires)),
        _ => String::new(),
    }
}

/// The links of all files, those of a folder on one line, if they are few and short.
fn link_lines(document: &Document, room: usize) -> Option<String> {
    if document.files.len() > FEW.0 {
        return None;
    }
    let lines = folder_lines(&document.files);
    (length(&lines) <= FEW.1.min(room)).then_some(lines)
}

fn folder_lines(files: &[LinkedFile]) -> String {
    let mut folders: Vec<(&str, Vec<String>)> = Vec::new();
    for file in files {
        let (folder, name) = file.name.rsplit_once('/').unwrap_or(("", &file.name));
        let mut text = file_link(name, file.url.as_deref());
        if file.size >= LARGE {
            text.push_str(&format!(" ({})", size(file.size)));
        }
        match folders.iter_mut().find(|(known, _)| *known == folder) {
            Some((_, texts)) => texts.push(text),
            None => folders.push((folder, vec![text])),
        }
    }
    let line = |(folder, texts): &(&str, Vec<String>)| match *folder {
        "" => format!("- {}", texts.join(" · ")),
        folder => format!("- {}: {}", markdown::code(&format!("{folder}/")), texts.join(" · ")),
    };
    folders.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The first links, where there are many and no page lists them.
fn some_links(document: &Document, room: usize) -> String {
    let few = &document.files[..document.files.len().min(FEW.0)];
    let lines: Vec<String> = few.iter().map(file_line).collect();
    lines_within(&lines, document.counts.files - few.len(), room.min(FEW.1), more)
}

fn file_line(file: &LinkedFile) -> String {
    format!("- {} ({})", file_link(&file.name, file.url.as_deref()), size(file.size))
}

fn file_link(name: &str, url: Option<&str>) -> String {
    match url {
        Some(url) => markdown::link(name, url),
        None => markdown::code(name),
    }
}

fn missing(document: &Document, longest: usize, shown: usize, max: usize) -> String {
    let count = document.counts.missing;
    if count == 0 {
        return String::new();
    }
    let head = format!("**Not uploaded** · {}", counted(count as u64, "file"));
    let room = max.saturating_sub(length(&head) + 2);
    let list = entries(&document.missing, count, longest, shown, room);
    joined([head.as_str(), &list])
}

fn left_out(document: &Document, longest: usize, shown: usize, max: usize) -> String {
    let count = document.counts.left_out;
    if count == 0 {
        return String::new();
    }
    let head = format!("{} left out by rule", counted(count as u64, "file"));
    let fold = |list: &str| format!("<details>\n<summary>{head}</summary>\n\n{list}\n\n</details>");
    let room = max.saturating_sub(length(&fold("")));
    let list = entries(&document.left_out, count, longest, shown, room);
    if list.lines().count() < 2 && count > 1 {
        return format!("{head}.");
    }
    fold(&list)
}

/// The first `shown` of `count` entries, fewer where there is less room, then how many more there
/// are.
fn entries(entries: &[LeftOut], count: usize, longest: usize, shown: usize, max: usize) -> String {
    let line = |entry: &LeftOut| {
        let name = markdown::code(&shortened(&entry.name, longest));
        format!("- {name}: {}", markdown::inline(&shortened(&entry.reason, longest)))
    };
    let lines: Vec<String> = entries.iter().take(shown).map(line).collect();
    lines_within(&lines, count - lines.len(), max, more)
}

fn more(rest: usize) -> String {
    format!("- and {} more", number(rest as u64))
}

fn caution(document: &Document, longest: usize) -> String {
    match &document.caution {
        Some(text) => {
            let text = markdown::inline(&shortened(text.trim_end_matches('.'), longest));
            format!("⚠️ {text}.")
        }
        None => String::new(),
    }
}

/// The line that says that something was cut.
pub(crate) fn cut_note(document: &Document) -> String {
    match &document.full_text_url {
        Some(url) => {
            format!("✂️ This comment is shortened: {}.", markdown::link("read the full text", url))
        }
        None => "✂️ This comment is shortened.".to_owned(),
    }
}

fn footer(document: &Document) -> String {
    format!("<sub>notify_pr {VERSION} · report of {}</sub>", moment(document.started))
}
