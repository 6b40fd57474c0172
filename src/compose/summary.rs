//! The summary in the comment: the first lines are visible, the rest of a long one is folded.

use crate::english::{counted, number};

/// A summary of at most so many lines and characters is shown whole.
const SHORT: (usize, usize) = (30, 3_000);
/// As much of a long one stays visible.
const VISIBLE: (usize, usize) = (12, 1_200);

/// Folds a summary that is already harmless, and whose fences are closed.
pub(crate) fn folded(markdown: &str) -> String {
    let lines: Vec<&str> = markdown.trim_end().lines().collect();
    if lines.len() <= SHORT.0 && markdown.chars().count() <= SHORT.1 {
        return lines.join("\n");
    }
    let cut = place_to_fold(&lines);
    let visible = lines[..cut.line].join("\n");
    let rest = lines[cut.line..].join("\n");
    if rest.trim().is_empty() {
        return visible;
    }
    let label = match cut.line {
        0 => format!("Summary ({})", counted(lines.len() as u64, "line")),
        _ if lines.len() - cut.line == 1 => "1 more line".to_owned(),
        _ => format!("{} more lines", number((lines.len() - cut.line) as u64)),
    };
    let mut text = String::with_capacity(markdown.len() + 200);
    if cut.line > 0 {
        text.push_str(visible.trim_end());
        text.push('\n');
        text.push_str(&cut.close);
        text.push('\n');
    }
    text.push_str("<details>\n<summary>");
    text.push_str(&label);
    text.push_str("</summary>\n\n");
    text.push_str(&cut.reopen);
    text.push_str(rest.trim_start_matches('\n'));
    text.push_str("\n\n</details>");
    text
}

/// The summary with its headings three levels lower, below the heading of the comment.
pub(crate) fn lowered(markdown: &str) -> String {
    let mut fence: Option<&str> = None;
    let mut text = String::with_capacity(markdown.len());
    for line in markdown.lines() {
        match (fence, mark(line)) {
            (None, Some(_)) => fence = Some(line),
            (Some(opening), Some(closing)) if closes(opening, line, closing) => fence = None,
            (None, None) => {
                let indent = line.len() - line.trim_start_matches(' ').len();
                let level = line[indent..].bytes().take_while(|&byte| byte == b'#').count();
                let after = &line[indent + level..];
                if indent < 4 && (1..=6).contains(&level) && after.starts_with([' ', '\t']) {
                    text.extend(std::iter::repeat_n('#', 3.min(6 - level)));
                }
            }
            _ => {}
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Where the visible part ends: before this line, and what must be written on both sides of it.
#[derive(Default)]
struct Place {
    line: usize,
    close: String,
    reopen: String,
}

/// A blank line between two blocks, if there is one early enough; else the middle of a fence or a
/// table, which is closed and opened again; else the very beginning.
fn place_to_fold(lines: &[&str]) -> Place {
    let mut fence: Option<&str> = None;
    let mut depth = 0usize;
    let mut block = 0;
    let mut characters = 0;
    let mut best = Place::default();
    for (index, line) in lines.iter().enumerate() {
        if index >= VISIBLE.0 || characters + line.chars().count() > VISIBLE.1 {
            // A gap far up would leave little to see.
            if best.line * 2 >= index {
                break;
            }
            if let Some(opening) = fence.filter(|_| depth == 0) {
                let indent = opening.len() - opening.trim_start().len();
                let mark = mark(opening).unwrap_or("```");
                let close = format!("{}{mark}\n", &opening[..indent]);
                return Place { line: index, close, reopen: format!("{opening}\n") };
            }
            if depth == 0 && index > block + 2 && is_table(&lines[block..index]) {
                let head = format!("{}\n{}\n", lines[block], lines[block + 1]);
                return Place { line: index, close: String::new(), reopen: head };
            }
            break;
        }
        characters += line.chars().count() + 1;
        match (fence, mark(line)) {
            (None, Some(_)) => fence = Some(line),
            (Some(opening), Some(closing)) if closes(opening, line, closing) => fence = None,
            (Some(_), _) => {}
            (None, None) => {
                depth += line.matches("<details").count();
                depth = depth.saturating_sub(line.matches("</details").count());
                if line.trim().is_empty() {
                    block = index + 1;
                    if depth == 0 {
                        best = Place { line: index + 1, ..Place::default() };
                    }
                }
            }
        }
    }
    best
}

/// The run of backticks or tildes that a line begins with, if it begins a fence.
fn mark(line: &str) -> Option<&str> {
    let text = line.trim_start();
    if line.len() - text.len() > 3 {
        return None;
    }
    let first = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = text.len() - text.trim_start_matches(first).len();
    let info = &text[length..];
    (length >= 3 && !(first == '`' && info.contains('`'))).then(|| &text[..length])
}

fn closes(opening: &str, line: &str, closing: &str) -> bool {
    mark(opening).is_some_and(|mark| closing.starts_with(mark))
        && line.trim().trim_matches(['`', '~']).is_empty()
}

fn is_table(lines: &[&str]) -> bool {
    let delimiter = lines.get(1).map_or("", |line| line.trim());
    delimiter.contains("--")
        && delimiter.contains('|')
        && delimiter.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_summary_is_shown_whole() {
        assert_eq!(folded("All **well**.\n\nReally.\n"), "All **well**.\n\nReally.");
    }

    #[test]
    fn headings_stand_below_the_comments_own_and_code_is_left_alone() {
        let text = "# Smoke\n\n```\n# a comment\n```\n##### Deep\n#not a heading\n    # code\n";
        let lower =
            "#### Smoke\n\n```\n# a comment\n```\n###### Deep\n#not a heading\n    # code\n";
        assert_eq!(lowered(text), lower);
    }

    #[test]
    fn a_long_one_is_folded_between_two_blocks() {
        let text = (0..60).map(|n| format!("Paragraph {n}.")).collect::<Vec<_>>().join("\n\n");
        let folded = folded(&text);
        let (visible, rest) = folded.split_once("\n<details>\n").unwrap();
        assert!(visible.starts_with("Paragraph 0.\n\nParagraph 1."));
        assert!(visible.lines().count() <= VISIBLE.0 + 1);
        assert!(rest.contains("Paragraph 59.") && rest.ends_with("\n\n</details>"));
    }

    #[test]
    fn a_fence_is_closed_and_opened_again_around_the_fold() {
        let text = format!("Result:\n\n```text\n{}```", "line of a log\n".repeat(100));
        let folded = folded(&text);
        let (visible, rest) = folded.split_once("\n<details>\n").unwrap();
        assert_eq!(visible.matches("```").count(), 2, "{visible}");
        assert!(visible.trim_end().ends_with("\n```"), "{visible}");
        assert!(rest.contains("</summary>\n\n```text\nline of a log"), "{rest}");
        assert_eq!(folded.matches("line of a log").count(), 100);
    }

    #[test]
    fn a_table_keeps_its_head_on_both_sides_of_the_fold() {
        let text = format!("Test | Result\n--- | ---\n{}", "test_x | ok\n".repeat(100));
        let folded = folded(&text);
        assert_eq!(folded.matches("Test | Result\n--- | ---\ntest_x").count(), 2, "{folded}");
        assert_eq!(folded.matches("test_x").count(), 100);
    }

    #[test]
    fn the_fold_is_never_inside_a_fold_of_the_summary() {
        let text = format!("<details>\n\n{}</details>\n\nEnd", "a line\n\n".repeat(100));
        let folded = folded(&text);
        assert!(folded.starts_with("<details>\n<summary>Summary ("), "{folded}");
    }

    #[test]
    fn one_endless_line_is_folded_whole() {
        let folded = folded(&"x".repeat(10_000));
        assert!(folded.starts_with("<details>\n<summary>Summary (1 line)</summary>"), "{folded}");
    }
}
