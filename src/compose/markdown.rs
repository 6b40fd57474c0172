//! Makes untrusted text harmless in a GitHub comment, and cuts Markdown without breaking it.
//!
//! Most traps are broken by one invisible character, U+200B, at the place where a mention, a
//! reference, a tag or a command would begin. It works in text, code and raw HTML alike, so nothing
//! depends on guessing which of them GitHub will see, and the text looks as it was written. It is
//! removed from what comes in, so doing it twice changes nothing. Where GitHub's parser decides
//! about more than a word (code fences, tags that fold), lines are put into a form that leaves no
//! doubt: fences and block tags stand at the start of a line, outside of lists.
mod harmless;
mod outline;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use self::harmless::harmless;
pub(crate) use self::harmless::harmless_if;
use self::harmless::{command_broken, marks_broken};
use self::outline::Outline;

/// The invisible character that breaks what would otherwise act.
const BREAK: char = '\u{200B}';

/// How large a text is by the two measures of GitHub's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Unicode scalar values; a comment may have 65,536.
    pub scalars: usize,
    /// Bytes of UTF-8; a comment may have 262,144.
    pub bytes: usize,
}

/// Measures a text.
pub fn size(text: &str) -> Size {
    Size { scalars: text.chars().count(), bytes: text.len() }
}

/// Reads a text file of unknown origin: UTF-16 is known by its byte order mark, everything else
/// is UTF-8, and what is not valid becomes U+FFFD. Lines end with LF; NUL is dropped.
pub fn lossy(bytes: &[u8]) -> String {
    let utf16 = |unit: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    let text: Cow<'_, str> = match bytes {
        [0xFF, 0xFE, ..] => Cow::Owned(utf16(u16::from_le_bytes)),
        [0xFE, 0xFF, ..] => Cow::Owned(utf16(u16::from_be_bytes)),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest),
        _ => String::from_utf8_lossy(bytes),
    };
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "")
}

/// Plain text as one line of Markdown or HTML (a title, a name, a table cell) that looks like the
/// text: no markup, mention, reference, link or emoji comes of it. Characters are escaped as HTML
/// entities, because those also work where GitHub reads HTML, as in `<summary>`.
pub fn inline(text: &str) -> String {
    let text = one_line(text);
    let mut out = String::with_capacity(text.len() + 16);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        let next = rest.chars().next().unwrap_or(' ');
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // Inside a word an underscore means nothing, and test names are full of them.
            '_' if before.is_ascii_alphanumeric() && next.is_ascii_alphanumeric() => out.push(c),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '"' => {
                out.push_str(&format!("&#{};", u32::from(c)));
            }
            '#' | '-' | '+' | '=' if at == 0 => {
                out.push_str(&format!("&#{};", u32::from(c)));
                out.push(BREAK);
            }
            '.' | ')' if text[..at].bytes().all(|byte| byte.is_ascii_digit()) => {
                out.push_str(&format!("&#{};", u32::from(c)));
            }
            '@' => out.extend([c, BREAK]),
            '/' | '!' if at == 0 => out.extend([BREAK, c]),
            '#' if next.is_ascii_digit() => out.extend([c, BREAK]),
            '-' if is_gh(&text[..at]) && next.is_ascii_digit() => out.extend([c, BREAK]),
            ':' if rest.starts_with("//") || begins_emoji(rest) => out.extend([c, BREAK]),
            '.' if ends_with_www(&text[..at]) => out.extend([BREAK, c]),
            _ => out.push(c),
        }
        before = c;
    }
    out
}

/// A code span for one line of any text.
pub fn code(text: &str) -> String {
    let text = marks_broken(&one_line(text));
    if text.is_empty() {
        return text;
    }
    let ticks = "`".repeat(longest_run(&text, '`') + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// A code span for a cell of a table, where `|` would end the cell.
pub fn code_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// A fenced code block that the text cannot end. Of `info` only what may name a language is used.
/// There is no line feed at the end.
pub fn fence(text: &str, info: &str) -> String {
    let text = clean(text);
    let ticks = "`".repeat(longest_run(&text, '`').max(2) + 1);
    let mut out = format!("{ticks}{}\n", language(info));
    for line in text.lines() {
        out.push_str(&command_broken(&marks_broken(line), true));
        out.push('\n');
    }
    out + &ticks
}

/// A link. The text is made harmless by [`inline`]; a URL that is not http or https becomes no link,
/// only the text.
pub fn link(text: &str, url: &str) -> String {
    let lower = url.trim().to_ascii_lowercase();
    if !(lower.starts_with("https://") || lower.starts_with("http://")) {
        return inline(text);
    }
    let mut out = format!("[{}](<", inline(text));
    let url = url.trim();
    for (at, c) in url.char_indices() {
        match c {
            '<' | '>' | '\\' | '"' | '`' | '|' | ' ' | '\u{7F}' => {
                out.push_str(&format!("%{:02X}", u32::from(c)));
            }
            c if c.is_control() => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| {
                out.push_str(&format!("%{byte:02X}"));
            }),
            // GitHub would decode `&copy;` in an address.
            '&' if harmless::entity(&url[at..]).is_some() => out.push_str("&amp;"),
            c if is_bidi(c) || c == BREAK => {}
            c => out.push(c),
        }
    }
    out + ">)"
}

/// Closes what is open at the end: a code fence, and tags that fold or lay out.
pub fn closed(markdown: &str) -> String {
    let mut outline = Outline::default();
    markdown.lines().for_each(|line| outline.read(line));
    format!("{}{}", markdown.trim_end_matches('\n'), outline.closing())
}

/// The beginning of a Markdown text, closed like [`closed`], in at most `most` Unicode scalars,
/// and whether anything was left out. It ends with a whole line where that loses little, else
/// between two words.
pub fn cut(markdown: &str, most: usize) -> (String, bool) {
    let whole = closed(markdown);
    if whole.chars().count() <= most {
        return (whole, false);
    }
    let mut outline = Outline::default();
    let (mut kept, mut used) = (String::new(), 0);
    let mut best = (0, String::new());
    for line in markdown.lines() {
        let room = most.saturating_sub(used);
        let before = outline.clone();
        outline.read(line);
        let fits = line.chars().count() + outline.closing().chars().count() <= room;
        if !fits && !before.is_structure(line) {
            let room = room.saturating_sub(before.closing().chars().count());
            let part = part_of_line(line, room, before.in_fence());
            if !part.trim().is_empty() {
                kept.push_str(part);
                best = (kept.len(), before.closing());
            }
            break;
        }
        kept.push_str(line);
        if fits {
            best = (kept.len(), outline.closing());
        }
        kept.push('\n');
        used += line.chars().count() + 1;
        if used > most {
            break;
        }
    }
    let (length, closing) = best;
    let text = &kept[..length];
    (format!("{}{closing}", text.trim_end_matches('\n')), true)
}

/// As much of a line as fits, without a half word, tag, entity or code span at its end.
fn part_of_line(line: &str, room: usize, in_fence: bool) -> &str {
    let end = line.char_indices().nth(room).map_or(line.len(), |(at, _)| at);
    let mut part = &line[..end];
    if in_fence {
        return part;
    }
    if let Some(space) = part.rfind(' ') {
        part = &part[..space];
    }
    for (open, close) in [('<', '>'), ('&', ';'), ('[', ')')] {
        let Some(at) = part.rfind(open) else { continue };
        if !part[at..].contains(close) {
            part = &part[..at];
        }
    }
    let runs = part.split('`').count() - 1;
    match part.find('`') {
        Some(at) if runs % 2 == 1 => &part[..at],
        _ => part,
    }
}

/// One line without control characters; runs of blanks become one.
fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lines end with LF, and nothing is left that is invisible and acts: control characters,
/// characters that turn the direction of writing, and our own [`BREAK`].
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n");
    let kept = |c: &char| match c {
        '\n' | '\t' => true,
        &BREAK | '\u{FEFF}' => false,
        c => !c.is_control() && !is_bidi(*c),
    };
    text.chars().filter(kept).collect()
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{061C}')
}

fn longest_run(text: &str, of: char) -> usize {
    text.split(|c| c != of).map(str::len).max().unwrap_or(0)
}

/// What of a fence's info text can be the name of a language.
fn language(info: &str) -> String {
    let named = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '_');
    info.chars().filter(named).collect()
}

/// Whether the text ends with the word `GH`, as in `GH-123`.
fn is_gh(text: &str) -> bool {
    let mut back = text.chars().rev();
    back.next().is_some_and(|c| c.eq_ignore_ascii_case(&'h'))
        && back.next().is_some_and(|c| c.eq_ignore_ascii_case(&'g'))
        && !back.next().is_some_and(|c| c.is_ascii_alphanumeric())
}

fn ends_with_www(text: &str) -> bool {
    text.len() >= 3 && text.as_bytes()[text.len() - 3..].eq_ignore_ascii_case(b"www")
}

/// Whether what follows a colon is the rest of an emoji's short name, such as `+1:`. A time of day
/// is none, but `:100:` and `:1234:` are.
fn begins_emoji(rest: &str) -> bool {
    let Some((name, _)) = rest.split_once(':') else { return false };
    let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'-');
    !name.is_empty()
        && name.bytes().all(named)
        && (matches!(name, "100" | "1234") || !name.bytes().all(|byte| byte.is_ascii_digit()))
}
