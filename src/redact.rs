//! Masks secrets in everything that leaves the machine, while it streams by.
//!
//! A masked byte becomes `*`, so lengths and offsets stay as they were. Two things are masked: our
//! own secrets (the values of the secret settings) in every form that software commonly writes them
//! in (`forms`), and the values that follow names like `apiKey=` (`rules`). The result does
//! not depend on how the bytes were cut into reads, and masking twice changes nothing more.
mod forms;
mod rules;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use self::forms::Form;
use self::rules::{End, LOOKAHEAD, NAMES};

/// Secrets of fewer bytes are not masked: they would blank ordinary words.
pub const SHORTEST_SECRET: usize = 4;

/// How many bytes a [`Masked`] reads ahead, besides what it holds back.
const CHUNK: usize = 64 * 1024;

/// How many windows are kept for later readers.
const KEPT_WINDOWS: usize = 16;

/// A table over more bytes of patterns than this would cost more memory than its speed is worth.
const LARGEST_TABLE: usize = 8 * 1024;

/// What the bytes are, which decides what is looked for in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text of any encoding that contains ASCII: our own secrets and the rules.
    Text,
    /// Anything else, such as an archive: our own secrets only, as a rule could hit by chance.
    Binary,
}

/// Knows what to mask. A clone shares the tables, so it costs nothing.
#[derive(Clone)]
pub struct Redactor(Arc<Tables>);

struct Tables {
    forms: Vec<Form>,
    /// The forms followed by the names of the rules.
    text: Option<AhoCorasick>,
    /// The forms alone; none when there is no secret.
    own: Option<AhoCorasick>,
    longest: usize,
    too_short: usize,
    /// Windows of readers that are no longer read.
    windows: Mutex<Vec<Vec<u8>>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// Makes a redactor for our own secret values and the built-in rules. Empty values are ignored,
    /// blanks around a value do not belong to it, and of a value of several lines (a key file)
    /// every line of at least eight bytes is a secret.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Redactor {
        let (forms, too_short) = forms::of_all(secrets);
        let patterns: Vec<&[u8]> = forms.iter().map(|form| form.bytes.as_slice()).collect();
        let own = if patterns.is_empty() { None } else { automaton(&patterns) };
        let names = NAMES.iter().map(|name| name.as_bytes());
        let all: Vec<&[u8]> = patterns.iter().copied().chain(names).collect();
        let text = automaton(&all);
        let longest = all.iter().map(|pattern| pattern.len()).max().unwrap_or(1);
        let windows = Mutex::default();
        Redactor(Arc::new(Tables { forms, text, own, longest, too_short, windows }))
    }

    /// A redactor that masks nothing, to be measured beside programs that do not mask. No setting
    /// leads here.
    #[doc(hidden)]
    pub fn idle() -> Redactor {
        Redactor(Arc::new(Tables {
            forms: Vec::new(),
            text: None,
            own: None,
            longest: 1,
            too_short: 0,
            windows: Mutex::default(),
        }))
    }

    /// How many secrets are too short to be masked (fewer than [`SHORTEST_SECRET`] bytes).
    pub fn too_short(&self) -> usize {
        self.0.too_short
    }

    /// Whether nothing would ever be masked in bytes of this kind.
    pub fn is_idle(&self, kind: Kind) -> bool {
        self.0.automaton(kind).is_none()
    }

    /// Masks a text that is held whole. It is borrowed when nothing had to be masked.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut bytes = text.as_bytes().to_vec();
        if self.bytes(&mut bytes, Kind::Text) == 0 {
            return Cow::Borrowed(text);
        }
        // A UTF-16 form may begin inside a character; the rest of that one is then replaced.
        Cow::Owned(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(broken) => String::from_utf8_lossy(broken.as_bytes()).into_owned(),
        })
    }

    /// Masks bytes that are held whole, in place. Returns the number of places that were masked.
    pub fn bytes(&self, bytes: &mut [u8], kind: Kind) -> u64 {
        let limit = bytes.len();
        self.0.mask(bytes, limit, kind, &mut Scan::default())
    }

    /// Masks what is read from `inner`. Exactly as many bytes come out as go in, and errors of
    /// `inner` are passed through. At most 64 KiB and the longest secret are held in memory.
    pub fn reader<R: Read>(&self, inner: R, kind: Kind) -> Masked<R> {
        let idle = self.is_idle(kind);
        let hold = self.0.longest - 1 + LOOKAHEAD;
        let window = if idle { Vec::new() } else { self.0.window(CHUNK + hold) };
        Masked {
            inner,
            kind,
            idle,
            window: Window { bytes: window, redactor: self.clone() },
            hold,
            taken: 0,
            ready: 0,
            filled: 0,
            ended: false,
            scan: Scan::default(),
            masked: 0,
        }
    }

    /// Whether one of our own secrets, in any form, is in the text. It is the last check of what
    /// was composed; the rules do not matter here.
    pub fn finds_own_secret(&self, text: &str) -> bool {
        let tables = &self.0;
        let Some(own) = &tables.own else { return false };
        let found = |m: aho_corasick::Match| {
            tables.forms[m.pattern().as_usize()].is(&text.as_bytes()[m.range()])
        };
        own.find_overlapping_iter(text).any(found)
    }
}

/// None only when the patterns are beyond what the crate can number, which no setting can reach.
fn automaton(patterns: &[&[u8]]) -> Option<AhoCorasick> {
    let total: usize = patterns.iter().map(|pattern| pattern.len()).sum();
    let kind = match total <= LARGEST_TABLE {
        true => AhoCorasickKind::DFA,
        false => AhoCorasickKind::ContiguousNFA,
    };
    AhoCorasick::builder().ascii_case_insensitive(true).kind(Some(kind)).build(patterns).ok()
}

/// What is carried from one window to the next; positions count from the start of the window.
#[derive(Default)]
struct Scan {
    /// Bytes before this one belong to a secret that began earlier.
    own_until: usize,
    /// The value of a rule that is not at its end yet.
    value: Option<Value>,
}

struct Value {
    /// What is left to mask begins here.
    from: usize,
    /// The end is looked for from here: behind an escaped character it is one byte further on.
    look: usize,
    end: End,
}

impl Tables {
    /// A window of this size, which all windows have.
    fn window(&self, size: usize) -> Vec<u8> {
        let used = self.windows.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut window = used.unwrap_or_default();
        window.resize(size, 0);
        window
    }

    fn automaton(&self, kind: Kind) -> Option<&AhoCorasick> {
        match kind {
            Kind::Text => self.text.as_ref(),
            Kind::Binary => self.own.as_ref(),
        }
    }

    /// Masks `window[..limit]`. Behind `limit` the window must hold what may decide about a byte
    /// before it: the longest pattern and [`LOOKAHEAD`], or all there is.
    fn mask(&self, window: &mut [u8], limit: usize, kind: Kind, scan: &mut Scan) -> u64 {
        let Some(automaton) = self.automaton(kind) else { return 0 };
        let (mut own, mut names) = (Vec::new(), Vec::new());
        for found in automaton.find_overlapping_iter(&*window) {
            match self.forms.get(found.pattern().as_usize()) {
                Some(form) if form.is(&window[found.range()]) => own.push(found.range()),
                Some(_) => {}
                None => names.push(found.range()),
            }
        }
        let (secrets, mut places) = merge(own, limit, scan);
        let values = values(window, limit, &names, &secrets, scan);
        places += values.1;
        for range in secrets.iter().chain(&values.0) {
            window[range.start.min(limit)..range.end.min(limit)].fill(b'*');
        }
        scan.own_until = scan.own_until.saturating_sub(limit);
        if let Some(value) = &mut scan.value {
            value.from = value.from.saturating_sub(limit);
            value.look = value.look.saturating_sub(limit);
        }
        places
    }
}

/// Joins what overlaps. Counts the places that begin before the limit.
fn merge(mut own: Vec<Range<usize>>, limit: usize, scan: &mut Scan) -> (Vec<Range<usize>>, u64) {
    own.sort_unstable_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<usize>> = Vec::new();
    let mut places = 0;
    if scan.own_until > 0 {
        joined.push(0..scan.own_until);
    }
    for range in own {
        match joined.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => {
                places += u64::from(range.start < limit);
                joined.push(range.clone());
            }
        }
        if range.start < limit {
            scan.own_until = scan.own_until.max(range.end);
        }
    }
    (joined, places)
}

/// The values that rules find before the limit, and how many of them begin there. A name inside
/// a value is part of the value.
fn values(
    window: &[u8],
    limit: usize,
    names: &[Range<usize>],
    secrets: &[Range<usize>],
    scan: &mut Scan,
) -> (Vec<Range<usize>>, u64) {
    let in_secret = |at: usize| {
        let after = secrets.partition_point(|range| range.end <= at);
        secrets.get(after).is_some_and(|range| range.start <= at)
    };
    let (mut values, mut places) = (Vec::new(), 0);
    let mut names = names.iter();
    let mut done = 0;
    loop {
        if let Some(value) = scan.value.take() {
            let until = value.end.find(window, value.look, limit, in_secret);
            values.push(value.from.min(limit)..until.min(limit));
            if until >= limit {
                scan.value = Some(Value { from: value.from.max(limit), look: until, ..value });
                return (values, places);
            }
            done = until;
        }
        let Some(name) = names.find(|name| name.start >= done) else { break };
        if name.start >= limit {
            break;
        }
        scan.value =
            rules::value_after(window, name.end).map(|(from, end)| Value { from, look: from, end });
        places += u64::from(scan.value.is_some());
    }
    (values, places)
}

/// A reader that masks what it passes on; see [`Redactor::reader`].
pub struct Masked<R> {
    inner: R,
    kind: Kind,
    idle: bool,
    /// `taken..ready` is masked and waits to be read, `ready..filled` is as it came.
    window: Window,
    /// How many bytes behind a byte may decide whether it is masked.
    hold: usize,
    taken: usize,
    ready: usize,
    filled: usize,
    ended: bool,
    scan: Scan,
    masked: u64,
}

/// What a reader looks at, which later ones use again: made anew by every thread, windows would
/// stay behind wherever one of them was.
struct Window {
    bytes: Vec<u8>,
    redactor: Redactor,
}

impl Drop for Window {
    fn drop(&mut self) {
        let mut windows = self.redactor.0.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.bytes.is_empty() && windows.len() < KEPT_WINDOWS {
            windows.push(std::mem::take(&mut self.bytes));
        }
    }
}

impl<R> Masked<R> {
    /// How many places have been masked so far.
    pub fn masked(&self) -> u64 {
        self.masked
    }

    /// Gives the inner reader back. What was read ahead of the caller is lost.
    pub fn into_inner(self) -> R {
        self.inner
    }
}

impl<R> fmt::Debug for Masked<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Masked").field("masked", &self.masked).finish_non_exhaustive()
    }
}

impl<R: Read> Masked<R> {
    fn fill(&mut self) -> io::Result<()> {
        let Window { bytes: whole, redactor } = &mut self.window;
        if self.taken > 0 {
            whole.copy_within(self.taken..self.filled, 0);
            self.filled -= self.taken;
            (self.taken, self.ready) = (0, 0);
        }
        while self.filled < whole.len() && !self.ended {
            match self.inner.read(&mut whole[self.filled..]) {
                Ok(0) => self.ended = true,
                Ok(n) => self.filled += n,
                Err(interrupted) if interrupted.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let limit = if self.ended { self.filled } else { self.filled - self.hold };
        let window = &mut whole[..self.filled];
        self.masked += redactor.0.mask(window, limit, self.kind, &mut self.scan);
        self.ready = limit;
        Ok(())
    }
}

impl<R: Read> Read for Masked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.idle {
            return self.inner.read(out);
        }
        if self.taken == self.ready && !out.is_empty() {
            self.fill()?;
        }
        let n = out.len().min(self.ready - self.taken);
        out[..n].copy_from_slice(&self.window.bytes[self.taken..self.taken + n]);
        self.taken += n;
        Ok(n)
    }
}
