//! What is open at a place in a Markdown text: a code fence, or tags that fold or lay out.

/// Tags that may stand at the start of a line. Every one of them starts an HTML block, so it is
/// a tag for GitHub too, whatever stands around it.
const BLOCK_TAGS: [&str; 10] =
    ["details", "summary", "table", "tr", "th", "td", "ul", "ol", "li", "p"];

/// Of these HTML lets the end tag be left out.
const CLOSE_THEMSELVES: [&str; 5] = ["tr", "th", "td", "li", "p"];

/// More nested tags than this are not let through.
const DEEPEST: usize = 32;

/// No tag that is let through has more bytes.
const LONGEST_TAG: usize = 40;

/// A code fence: its character, its length and how far it was indented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    pub(super) mark: char,
    pub(super) length: usize,
    pub(super) indent: usize,
}

impl Fence {
    /// The fence that a line opens, however far it is indented, and its info text.
    pub(super) fn opened_by(line: &str) -> Option<(Fence, &str)> {
        let bare = line.trim_start();
        let mark = bare.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = bare.trim_start_matches(mark);
        let length = bare.len() - info.len();
        // A backtick in the info text makes it a code span.
        if length < 3 || mark == '`' && info.contains('`') {
            return None;
        }
        Some((Fence { mark, length, indent: line.len() - bare.len() }, info.trim()))
    }

    /// Whether the line closes this fence.
    pub(super) fn is_closed_by(&self, line: &str) -> bool {
        let bare = line.trim();
        let indent = line.len() - line.trim_start().len();
        indent <= self.indent + 3
            && bare.len() >= self.length
            && bare.chars().all(|c| c == self.mark)
    }

    pub(super) fn line(&self) -> String {
        String::from(self.mark).repeat(self.length)
    }
}

/// A tag at the start of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'t> {
    pub(super) name: &'t str,
    pub(super) closes: bool,
    /// How many bytes it has, brackets included.
    pub(super) length: usize,
}

impl<'t> Tag<'t> {
    /// The tag that the text begins with, if it has no attributes (but `<details open>` and the
    /// slash of `<br/>`).
    pub(super) fn at(text: &'t str) -> Option<Tag<'t>> {
        let inner = text.strip_prefix('<')?;
        let end = inner.bytes().take(LONGEST_TAG).position(|byte| byte == b'>')?;
        let inner = &inner[..end];
        let length = inner.len() + 2;
        let (inner, closes) = match inner.strip_prefix('/') {
            Some(inner) => (inner, true),
            None => (inner.strip_suffix('/').unwrap_or(inner), false),
        };
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inner.len());
        let (name, attributes) = inner.split_at(end);
        let open = name.eq_ignore_ascii_case("details") && !closes && attributes == " open";
        if name.is_empty() || !(attributes.chars().all(|c| c == ' ') || open) {
            return None;
        }
        Some(Tag { name, closes, length })
    }

    /// The name of a block tag as we write it.
    pub(super) fn block(&self) -> Option<&'static str> {
        BLOCK_TAGS.into_iter().find(|name| name.eq_ignore_ascii_case(self.name))
    }
}

/// What is open behind the lines read so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Outline {
    fence: Option<Fence>,
    tags: Vec<&'static str>,
}

impl Outline {
    /// Reads one line of text that is already harmless or our own.
    pub(super) fn read(&mut self, line: &str) {
        if let Some(fence) = self.fence {
            if fence.is_closed_by(line) {
                self.fence = None;
            }
        } else if let Some((fence, _)) =
            Fence::opened_by(line).filter(|(fence, _)| fence.indent == 0)
        {
            self.fence = Some(fence);
        } else if Tag::at(line).is_some_and(|tag| tag.block().is_some()) {
            for (at, _) in line.match_indices('<') {
                if let Some(tag) = Tag::at(&line[at..]) {
                    self.tag(tag);
                }
            }
        }
    }

    /// Reads a tag. False when it is not to be let through: unknown, too deep, or it closes what
    /// is not open.
    pub(super) fn tag(&mut self, tag: Tag<'_>) -> bool {
        let Some(name) = tag.block() else { return false };
        if !tag.closes {
            if self.tags.len() >= DEEPEST {
                return false;
            }
            self.tags.push(name);
            return true;
        }
        let Some(open) = self.tags.iter().rposition(|open| *open == name) else { return false };
        if !self.tags[open + 1..].iter().all(|inner| CLOSE_THEMSELVES.contains(inner)) {
            return false;
        }
        self.tags.truncate(open);
        true
    }

    pub(super) fn in_fence(&self) -> bool {
        self.fence.is_some()
    }

    /// Whether cutting inside this line would change what is open.
    pub(super) fn is_structure(&self, line: &str) -> bool {
        match self.fence {
            // Shortened, a line that begins like a fence could become one.
            Some(fence) => line.trim_start().starts_with(fence.mark),
            None => ["```", "~~~", "<"].iter().any(|mark| line.trim_start().starts_with(mark)),
        }
    }

    /// What has to follow so that nothing is open.
    pub(super) fn closing(&self) -> String {
        let mut out = String::new();
        if let Some(fence) = self.fence {
            out = format!("\n{}", fence.line());
        }
        if !self.tags.is_empty() {
            // A blank line, so that the tags start an HTML block of their own.
            out.push_str("\n\n");
            self.tags.iter().rev().for_each(|name| out.push_str(&format!("</{name}>")));
        }
        out
    }
}
