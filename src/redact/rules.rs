//! The rules: values that are secret because of the name before them.
//!
//! Marvin writes every API call into `runinfo.txt`, once as a URL (`apiKey=…&signature=…`) and once
//! as a Python dictionary (`'apiKey': u'…'`); other logs hold JSON, XML and URLs inside URLs.

/// The names whose values are masked, in any case. A longer word may end with one
/// (`userpassword=`), but the name must end the word (`passwordenabled=` is something else).
pub(super) const NAMES: &[&str] = &[
    "apikey",
    "secretkey",
    "secret_key",
    "secret_access_key",
    "signature",
    "sessionkey",
    "password",
];

/// How many bytes behind the start of a name, or of what ends a value, are looked at.
pub(super) const LOOKAHEAD: usize = 96;

/// Blanks allowed on either side of `=` and `:`.
const MOST_BLANKS: usize = 8;

/// Quotation marks as they are written in plain text, in JSON inside a string, in HTML and in URLs.
const QUOTES: [&str; 12] = [
    "\"", "'", "\\\"", "\\'", "&quot;", "&#34;", "&apos;", "&#39;", "&#x27;", "%22", "%27",
    "\\u0022",
];

/// What stands between a name and its value, and whether it is written in an encoding in which
/// `&` is not `&`. The longer of two that begin alike stands first.
const SEPARATORS: [(&str, bool); 8] = [
    ("=>", false),
    ("=", false),
    (":", false),
    ("%3d", true),
    ("%3a", true),
    ("%253d", true),
    ("%253a", true),
    ("\\u003d", true),
];

/// What ends a bare value besides [`is_end`], where `&` is written like this.
const ENCODED_ENDS: [&str; 8] = ["%26", "%2526", "\\u0026", "%22", "%27", "%20", "%0a", "%3b"];

/// Where a value ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// At this quotation mark or the end of the line.
    Quote(&'static str),
    /// At the next tag or the end of the line.
    Tag,
    /// At a blank or at what divides values.
    Bare { encoded: bool },
}

/// Finds the value that a name has which ends at `at`: where it begins, and what ends it.
pub(super) fn value_after(window: &[u8], at: usize) -> Option<(usize, End)> {
    if window.get(at) == Some(&b'>') {
        return Some((at + 1, End::Tag));
    }
    let at = at + quote_at(window, at).map_or(0, str::len);
    let at = skip_blanks(window, at);
    let &(separator, encoded) =
        SEPARATORS.iter().find(|(separator, _)| starts_with(window, at, separator))?;
    let at = skip_blanks(window, at + separator.len());
    // Python marks its strings: u'…', b'…'.
    let marked = matches!(window.get(at), Some(b'u' | b'U' | b'b' | b'B' | b'r'));
    for at in [at, at + usize::from(marked)] {
        if let Some(quote) = quote_at(window, at) {
            return Some((at + quote.len(), End::Quote(quote)));
        }
    }
    Some((at, End::Bare { encoded }))
}

impl End {
    /// The position of the first byte behind the value, looked for from `from`, or where to go on
    /// looking, which is `limit` or a little more. Bytes of our own secrets end no value: they will
    /// be masked.
    pub(super) fn find(
        self,
        window: &[u8],
        from: usize,
        limit: usize,
        in_secret: impl Fn(usize) -> bool,
    ) -> usize {
        let mut at = from;
        while at < limit {
            if in_secret(at) {
                at += 1;
            } else if self.is_at(window, at) {
                return at;
            } else if window[at] == b'\\' && matches!(self, End::Quote("\"" | "'")) {
                at += 2;
            } else {
                at += 1;
            }
        }
        at
    }

    fn is_at(self, window: &[u8], at: usize) -> bool {
        let byte = window[at];
        match self {
            End::Quote(quote) => matches!(byte, b'\n' | b'\r') || starts_with(window, at, quote),
            End::Tag => matches!(byte, b'\n' | b'\r' | b'<'),
            End::Bare { encoded } => {
                is_end(byte)
                    || byte == b'\\' && matches!(window.get(at + 1), Some(b'"' | b'\''))
                    || encoded && ENCODED_ENDS.iter().any(|end| starts_with(window, at, end))
            }
        }
    }
}

fn is_end(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(byte, b'&' | b'"' | b'\'' | b'<' | b'>' | b';' | b',' | b')' | 0)
}

fn quote_at(window: &[u8], at: usize) -> Option<&'static str> {
    QUOTES.into_iter().find(|quote| starts_with(window, at, quote))
}

fn starts_with(window: &[u8], at: usize, what: &str) -> bool {
    window.get(at..at + what.len()).is_some_and(|found| found.eq_ignore_ascii_case(what.as_bytes()))
}

fn skip_blanks(window: &[u8], at: usize) -> usize {
    let blanks = window.iter().skip(at).take(MOST_BLANKS);
    at + blanks.take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}
