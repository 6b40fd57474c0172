//! The parts of a run that were set aside and submitted together: a line for each, those that
//! failed first.

use crate::compose::Part;
use crate::compose::document::{Document, Verdict};
use crate::compose::fit::{joined, length, lines_within};
use crate::compose::markdown;
use crate::english::{counted, number, shortened};
use crate::settings::{Counts, Settings};

/// So many parts are shown without folding those that passed.
const FEW: usize = 12;

const HEAD: &str =
    "| Part | Result | Passed | Failed | Errors | Skipped |\n|:--|:--|--:|--:|--:|--:|";

/// The worst of what the parts and the settings say: error, failure, unknown, success.
pub(crate) fn verdict<'v>(settings: &'v Settings, parts: &[Part]) -> &'v str {
    let own = settings.verdict().into_iter();
    own.chain(parts.iter().map(|part| part.verdict))
        .max_by_key(|verdict| rank(verdict))
        .unwrap_or("")
}

/// The larger, the worse.
pub(crate) fn rank(verdict: &str) -> u8 {
    match verdict {
        "error" => 3,
        "failure" => 2,
        "success" => 0,
        _ => 1,
    }
}

/// The tests of all parts together, if any part told how many it had.
pub(crate) fn total(parts: &[Part]) -> Option<Counts> {
    parts.iter().filter_map(|part| part.counts).reduce(|sum, counts| sum.plus(&counts))
}

/// The counts as a sentence has them; what is 0 is left out, but not the tests that passed.
pub(crate) fn in_words(counts: &Counts) -> String {
    let error = if counts.errors == 1 { "error" } else { "errors" };
    let rest = [(counts.failed, "failed"), (counts.errors, error), (counts.skipped, "skipped")];
    let mut words = vec![format!("{} passed", number(counts.passed))];
    words.extend(
        rest.iter()
            .filter(|(count, _)| *count > 0)
            .map(|(n, word)| format!("{} {word}", number(*n))),
    );
    words.join(", ")
}

/// The parts in at most `max` characters where that is possible. Those that did not pass are shown
/// in any case as long as there is room; of many that passed the list is folded.
pub(crate) fn block(document: &Document, longest: usize, max: usize) -> String {
    let parts = &document.parts;
    let count = document.counts.parts;
    if count == 0 {
        return String::new();
    }
    let title = format!("**Parts** · {}", overview(document));
    let before = reported_before(document);
    let title = match length(&title) + length(&before) < max {
        true => joined([title.as_str(), &before]),
        false => title,
    };
    let rows = |parts: &[&Part]| parts.iter().map(|part| row(part, longest)).collect::<Vec<_>>();
    let (passed, others): (Vec<&Part>, Vec<&Part>) =
        parts.iter().partition(|part| part.verdict == "success" && part.finished);
    let fold = |list: &str| {
        let summary = format!("{} passed", counted(passed.len() as u64, "part"));
        format!("<details>\n<summary>{summary}</summary>\n\n{HEAD}\n{list}\n\n</details>")
    };
    let hidden = count - parts.len();
    let spent = length(&title) + 2;
    if count <= FEW {
        let all = rows(&others.iter().chain(&passed).copied().collect::<Vec<_>>());
        return joined([title.as_str(), &table(&all, hidden, max.saturating_sub(spent))]);
    }
    let shown = table(&rows(&others), hidden, max.saturating_sub(spent));
    let spent = spent + length(&shown) + 2 + length(&fold(""));
    let list = lines_within(&rows(&passed), 0, max.saturating_sub(spent), more);
    let folded = if list.lines().count() < 2 { String::new() } else { fold(&list) };
    joined([title.as_str(), &shown, &folded])
}

fn table(rows: &[String], hidden: usize, max: usize) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let list = lines_within(rows, hidden, max.saturating_sub(length(HEAD) + 1), more);
    format!("{HEAD}\n{list}")
}

fn more(rest: usize) -> String {
    format!("| … | {} more | | | | |", number(rest as u64))
}

/// Where the files are of parts that were reported before.
fn reported_before(document: &Document) -> String {
    let link = |(text, url): (String, &String)| format!("[{text}](<{url}>)");
    match document.earlier_pages.as_slice() {
        [] => String::new(),
        [page] => {
            let link = link(("an earlier page".to_owned(), page));
            format!("The files of the parts that were reported before are on {link}.")
        }
        pages => {
            let number = |index: usize| (index + 1).to_string();
            let links: Vec<String> =
                pages.iter().enumerate().map(|(index, page)| link((number(index), page))).collect();
            let links = links.join(", ");
            format!(
                "The files of the parts that were reported before are on earlier pages: {links}."
            )
        }
    }
}

/// `160: 3 failed, 1 did not finish, 156 passed`.
fn overview(document: &Document) -> String {
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for part in &document.parts {
        let kind = outcome(part).1.to_lowercase();
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((kind, 1)),
        }
    }
    let words: Vec<String> =
        kinds.iter().map(|(kind, count)| format!("{} {kind}", number(*count as u64))).collect();
    format!("{}: {}", number(document.counts.parts as u64), words.join(", "))
}

/// An icon and a word for how a part ended.
pub(crate) fn outcome(part: &Part) -> (&'static str, &'static str) {
    if !part.finished {
        return ("⏹️", "Did not finish");
    }
    let verdict = Verdict::of(part.verdict);
    (verdict.icon, verdict.word)
}

fn row(part: &Part, longest: usize) -> String {
    let name = markdown::inline(&shortened(&part.name, longest));
    let (icon, word) = outcome(part);
    let counts = match part.counts {
        Some(Counts { passed, failed, errors, skipped }) => {
            [passed, failed, errors, skipped].map(number).join(" | ")
        }
        None => " | | | ".to_owned(),
    };
    let before = if part.reported_before { ", reported before" } else { "" };
    format!("| {name} | {icon} {word}{before} | {counts} |")
}
