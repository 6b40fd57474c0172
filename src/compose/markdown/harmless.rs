//! A summary stays Markdown, but nothing in it acts.
use super::outline::{Fence, Outline, Tag};
use super::{BREAK, clean, is_bidi, is_gh, language};
use crate::error::Result;

/// Tags for a few words. They are let through when a line closes what it opens.
const INLINE_TAGS: [&str; 8] = ["b", "i", "em", "strong", "code", "sub", "sup", "kbd"];

/// Pages of GitHub on which a link leaves a trace.
const TRACED: [&str; 5] = ["/issues/", "/pull/", "/pulls/", "/discussions/", "/commit/"];

/// Further than this no address is read, before a `#` or behind a host.
const LONGEST_URL: usize = 500;

/// How many bytes are gone through at a time.
const PART: usize = 64 * 1024;

/// Makes a summary harmless: it cannot mention, refer to issues, close them, command bots, load
/// images, hide or swallow what follows, or pass for our marker, and it closes what it opens.
///
/// Mentions and commands at the start of a line are broken in code as well: bots read the
/// raw text. `<pre>` is not let through, because it would reach to its end tag whatever comes
/// between; a code fence does the same.
pub fn harmless(summary: &str) -> String {
    let mut lines = Lines::default();
    lines.take_all(summary);
    lines.end()
}

/// The same, which asks every so often whether anybody still wants it.
///
/// # Errors
/// Those of `go_on`.
pub(crate) fn harmless_if(summary: &str, go_on: &dyn Fn() -> Result<()>) -> Result<String> {
    let mut lines = Lines::default();
    let mut rest = summary;
    while !rest.is_empty() {
        go_on()?;
        // A part ends with a line.
        let near = rest.as_bytes()[PART.min(rest.len())..].iter().position(|byte| *byte == b'\n');
        let (part, others) = rest.split_at(near.map_or(rest.len(), |at| PART + at + 1));
        lines.take_all(part);
        rest = others;
    }
    Ok(lines.end())
}

#[derive(Default)]
struct Lines {
    out: String,
    fence: Option<Fence>,
    /// Knows the open tags; the fence is kept here.
    outline: Outline,
}

impl Lines {
    fn take_all(&mut self, text: &str) {
        for line in clean(text).lines() {
            self.take(line);
        }
    }

    fn end(mut self) -> String {
        if let Some(fence) = self.fence {
            self.put(&fence.line());
        }
        let closing = self.outline.closing();
        self.out.truncate(self.out.trim_end_matches('\n').len());
        self.out + &closing
    }

    fn put(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn take(&mut self, line: &str) {
        if let Some(fence) = self.fence {
            if fence.is_closed_by(line) {
                self.fence = None;
                return self.put(&fence.line());
            }
            // Less indented than the fence, the line would have ended a list item and the code
            // with it; at the start of the line the fence has no such end.
            return self.put(&command_broken(&marks_broken(line), true));
        }
        let (markers, rest) = split_markers(line);
        if let Some((mut fence, info)) = Fence::opened_by(rest).filter(|_| !markers.contains('>')) {
            fence.indent += markers.len();
            if !markers.trim().is_empty() {
                self.put(markers.trim_end());
            }
            if !self.out.is_empty() && !self.out.ends_with("\n\n") {
                // Ends an HTML block, in which a fence would be none.
                self.out.push('\n');
            }
            let info = language(info.split_whitespace().next().unwrap_or(""));
            self.fence = Some(fence);
            return self.put(&(fence.line() + &info));
        }
        let bare = line.trim_start();
        let line = match Tag::at(bare).is_some_and(|tag| tag.block().is_some()) {
            true => self.block_line(bare),
            false => tags_broken(line, inline_balanced(line), |_| false),
        };
        let line = command_broken(&text_broken(&line), false);
        self.put(&line);
    }

    /// A line that starts with a block tag. All tags in it are tags, unless the first one is broken.
    fn block_line(&mut self, line: &str) -> String {
        let mut is_block = None;
        tags_broken(line, inline_balanced(line), |tag| {
            let lets_through = is_block != Some(false) && self.outline.tag(tag);
            is_block.get_or_insert(lets_through);
            lets_through
        })
    }
}

/// Splits the quote and list markers off the start of a line.
fn split_markers(line: &str) -> (&str, &str) {
    let mut rest = line;
    loop {
        let bare = rest.trim_start();
        let digits = bare.bytes().take_while(u8::is_ascii_digit).count();
        let after = match bare.as_bytes().get(digits) {
            Some(b'>') if digits == 0 => Some(&bare[1..]),
            Some(b'-' | b'*' | b'+') if digits == 0 => Some(&bare[1..]),
            Some(b'.' | b')') if digits > 0 => Some(&bare[digits + 1..]),
            _ => None,
        };
        match after {
            Some(after) if bare.starts_with('>') || after.starts_with([' ', '\t']) => rest = after,
            _ => return line.split_at(line.len() - bare.len()),
        }
    }
}

/// Breaks a bot's command (`/retest`, `!build`) at the start of a line, behind markers as well.
/// In code a path such as `/usr/bin` is none.
pub(super) fn command_broken(line: &str, in_code: bool) -> String {
    let (markers, rest) = match in_code {
        true => line.split_at(line.len() - line.trim_start().len()),
        false => split_markers(line),
    };
    // Bold, italic or code, a command is one for bots that look past the markup.
    let word = rest.trim_start_matches(['*', '_', '`', '~']);
    let name = word.strip_prefix(['/', '!']).unwrap_or("");
    let end = name.find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_'));
    let is_path = end.is_some_and(|end| name[end..].starts_with('/'));
    let is_command = name.starts_with(char::is_alphabetic) && !(in_code && is_path);
    match is_command {
        true => {
            let marks = &rest[..rest.len() - word.len()];
            format!("{markers}{marks}{BREAK}{word}")
        }
        false => line.to_owned(),
    }
}

/// Breaks what would act even in code: mentions, for bots read the raw text, and HTML comments,
/// among them our own marker.
pub(super) fn marks_broken(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for (at, c) in line.char_indices() {
        out.push(c);
        let rest = &line[at + c.len_utf8()..];
        let breaks = match c {
            '@' => is_mention(&line[..at], rest),
            '<' => rest.starts_with('!'),
            _ => false,
        };
        if breaks {
            out.push(BREAK);
        }
    }
    out
}

/// Whether an `@` between these may begin a mention. In a mail address it does not, but HTML reads
/// `&nbsp@user` as a blank and a mention.
fn is_mention(before: &str, rest: &str) -> bool {
    let head = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric());
    let in_word = head.len() < before.len() && !head.ends_with(['&', '#']);
    !(in_word || before.ends_with('_'))
        && rest.starts_with(|c: char| !c.is_whitespace() && c != BREAK)
}

/// Breaks mentions, references and images in text outside of code blocks.
fn text_broken(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    let mut before = ' ';
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        let rest = &line[at + c.len_utf8()..];
        let next = rest.chars().next().unwrap_or(' ');
        if let Some((length, means)) = entity(&line[at..]) {
            // An ASCII letter is written this way only to hide a word from us.
            let hidden = means.is_control()
                || is_bidi(means)
                || means == BREAK
                || means.is_ascii_alphanumeric()
                || means == '.';
            let text = &line[at..at + length];
            match hidden {
                true => {
                    let start = if text.starts_with("&#") { 2 } else { 1 };
                    out.extend([&text[..start], "\u{200B}", &text[start..]]);
                }
                false => out.push_str(text),
            }
            if matches!(means, '@' | '#') {
                out.push(BREAK);
            }
            before = ';';
            at += length;
            continue;
        }
        match c {
            '@' if is_mention(&line[..at], rest) => out.extend([c, BREAK]),
            '#' if next.is_ascii_digit() && !in_url(&line[..at]) => out.extend([c, BREAK]),
            '#' if before == '&' || entity(rest).is_some() => out.extend([c, BREAK]),
            '-' if is_gh(&line[..at]) && (next.is_ascii_digit() || next == '&') => {
                out.extend([c, BREAK]);
            }
            // An image becomes a link: it would be fetched from wherever it lies.
            '!' if next == '[' && matches!(before, '!' | BREAK) => out.extend([c, BREAK]),
            '!' if next == '[' => {}
            '/' if rest.strip_prefix("www.").is_some_and(traced) => {
                out.extend([c, BREAK]);
            }
            '/' if traced(rest) => out.push_str("/redirect."),
            _ => out.push(c),
        }
        before = c;
        at += c.len_utf8();
    }
    out
}

/// Whether behind a `/` stands a page of GitHub that would note the link. GitHub's own other name
/// leads to the same page and leaves no trace.
fn traced(rest: &str) -> bool {
    const HOST: &str = "github.com";
    let host = rest.get(..HOST.len()).is_some_and(|host| host.eq_ignore_ascii_case(HOST));
    if !host || !rest[HOST.len()..].starts_with(['/', ':']) {
        return false;
    }
    let url = rest.chars().take(LONGEST_URL);
    let url = url.take_while(|c| !c.is_whitespace() && !matches!(c, ')' | '>' | '<' | '"'));
    let url: String = url.collect::<String>().to_ascii_lowercase();
    TRACED.iter().any(|page| url.contains(page))
}

/// Whether the text ends inside of an address, where `#` begins a fragment. Where markup might end
/// the address it counts as ended.
fn in_url(text: &str) -> bool {
    let near = text.char_indices().rev().take(LONGEST_URL);
    let mut start = text.len();
    for (at, c) in near {
        if c.is_whitespace() || "(<[\"".contains(c) {
            break;
        }
        start = at;
    }
    let word = &text[start..];
    let address = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://"));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._/:?&=%+,;".contains(c);
    address.is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphanumeric()) && rest.chars().all(plain)
    })
}

/// Breaks every tag that is not let through; `block` decides about block tags.
fn tags_broken(line: &str, inline: bool, mut block: impl FnMut(Tag<'_>) -> bool) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    for (at, c) in line.char_indices() {
        out.push(c);
        let rest = &line[at + c.len_utf8()..];
        if c != '<' || !rest.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c)) {
            continue;
        }
        let is_link = rest.starts_with("https://") || rest.starts_with("http://");
        let lets_through = match Tag::at(&line[at..]) {
            Some(tag) if matches!(tag.name, "br" | "hr" | "BR" | "HR") => !tag.closes,
            Some(tag) if is_inline(tag) => inline,
            Some(tag) => block(tag),
            None => {
                is_link && rest.find(['>', ' ', '<']).is_some_and(|at| rest[at..].starts_with('>'))
            }
        };
        if !lets_through {
            out.push(BREAK);
        }
    }
    out
}

fn is_inline(tag: Tag<'_>) -> bool {
    INLINE_TAGS.iter().any(|name| name.eq_ignore_ascii_case(tag.name))
}

/// Whether the line closes the inline tags that it opens, in the right order. In a line with
/// backticks they might be code, so they count as not closed there.
fn inline_balanced(line: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    for (at, _) in line.match_indices('<') {
        match Tag::at(&line[at..]).filter(|tag| is_inline(*tag)) {
            Some(tag) if !tag.closes => open.push(tag.name),
            Some(tag) => match open.pop() {
                Some(name) if name.eq_ignore_ascii_case(tag.name) => {}
                _ => return false,
            },
            None => {}
        }
    }
    open.is_empty() && !line.contains('`')
}

/// The entity that the text begins with: its length, and the character it means if that matters
/// here, else a blank.
pub(super) fn entity(text: &str) -> Option<(usize, char)> {
    let inner = text.strip_prefix('&')?;
    let end = inner.bytes().take(40).position(|byte| byte == b';')?;
    let name = &inner[..end];
    let means = if let Some(number) = name.strip_prefix('#') {
        let hex = number.strip_prefix(['x', 'X']);
        let value = match hex {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        char::from_u32(value.ok()?)?
    } else if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        match name {
            "commat" => '@',
            "period" => '.',
            "num" => '#',
            "lrm" | "rlm" => '\u{200E}',
            "ZeroWidthSpace" => BREAK,
            _ => ' ',
        }
    } else {
        return None;
    };
    Some((end + 2, means))
}
