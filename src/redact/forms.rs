//! The forms in which software writes a secret down.
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::SHORTEST_SECRET;

/// Of a secret of several lines, shorter ones are not looked for.
const SHORTEST_LINE: usize = 8;

/// One way to write a secret.
pub(super) struct Form {
    pub(super) bytes: Vec<u8>,
    /// Hexadecimal digits in it may be of either case.
    pub(super) any_case: bool,
}

impl Form {
    /// Whether the bytes, which match without regard to case, are this form.
    pub(super) fn is(&self, found: &[u8]) -> bool {
        self.any_case || self.bytes == found
    }
}

/// All forms of all secrets, each once, and how many secrets are too short to have any.
pub(super) fn of_all<'a>(secrets: impl IntoIterator<Item = &'a str>) -> (Vec<Form>, usize) {
    let mut forms = BTreeMap::new();
    let mut too_short = 0;
    for secret in secrets {
        let secret = secret.trim();
        let lines = secret.lines().map(str::trim);
        // The first and last line of a PEM file say what it is, not what it holds.
        let lines = lines.filter(|line| line.len() >= SHORTEST_LINE && !line.starts_with("-----"));
        let lines: Vec<&str> = lines.collect();
        if secret.len() < SHORTEST_SECRET {
            too_short += usize::from(!secret.is_empty());
        } else if lines.is_empty() {
            of_one(secret, &mut forms);
        } else {
            lines.into_iter().for_each(|line| of_one(line, &mut forms));
        }
    }
    let forms = forms.into_iter().map(|(bytes, any_case)| Form { bytes, any_case });
    (forms.collect(), too_short)
}

fn of_one(secret: &str, forms: &mut BTreeMap<Vec<u8>, bool>) {
    let mut add = |form: Vec<u8>, any_case: bool| {
        // What is written as itself stays exact.
        *forms.entry(form).or_insert(any_case) &= any_case;
    };
    add(secret.as_bytes().to_vec(), false);
    add(utf16(secret, u16::to_le_bytes), false);
    add(utf16(secret, u16::to_be_bytes), false);
    for text in backslashed(secret).into_iter().chain(html(secret)) {
        add(text.into_bytes(), text_differs(secret));
    }
    for text in percent(secret) {
        // A URL inside a URL is encoded once more.
        add(text.replace('%', "%25").into_bytes(), true);
        add(text.into_bytes(), true);
    }
    for text in base64(secret.as_bytes()) {
        add(percent_but(&text, "-._~").into_bytes(), false);
        add(text.into_bytes(), false);
    }
    // Whatever equals the plain text must match exactly, whichever encoding gave it.
    forms.insert(secret.as_bytes().to_vec(), false);
}

/// Only secrets that must be escaped have hexadecimal digits in their escaped forms.
fn text_differs(secret: &str) -> bool {
    !secret.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn utf16(secret: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    secret.encode_utf16().flat_map(bytes).collect()
}

/// Percent-encoded, by the sets of bytes that encoders leave as they are.
fn percent(secret: &str) -> Vec<String> {
    // RFC 3986 unreserved; Python's quote(); encodeURIComponent; encodeURI; form encoding (WHATWG).
    let kept = ["-._~", "-._~/", "-._~!*'()", "-._~!*'();,/?:@&=+$#", "-._*"];
    let mut all = Vec::new();
    for kept in kept {
        let text = percent_but(secret, kept);
        all.push(text.replace("%20", "+"));
        all.push(text);
    }
    all
}

fn percent_but(text: &str, kept: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Base64 by both alphabets: alone, and the characters that the secret fully determines when
/// 0, 1 or 2 bytes stand before it in a group of three.
fn base64(secret: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        all.push(engine.encode(secret));
        for before in 0..3 {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(secret);
            let from = (before * 8).div_ceil(6);
            let until = bytes.len() * 8 / 6;
            all.push(engine.encode(&bytes)[from..until].to_owned());
        }
    }
    all
}

/// As JSON, Python, Java, C and the shell write strings.
fn backslashed(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).unwrap_or_default();
    let json = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(secret);
    let ascii = |text: &str, more: &str| -> String {
        let mut out = String::new();
        for c in text.chars() {
            if c.is_ascii() && !more.contains(c) {
                out.push(c);
            } else {
                c.encode_utf16(&mut [0; 2])
                    .iter()
                    .for_each(|u| out.push_str(&format!("\\u{u:04x}")));
            }
        }
        out
    };
    vec![
        json.to_owned(),
        json.replace('/', "\\/"),
        ascii(json, ""),
        ascii(&json.replace('/', "\\/"), ""),
        // Encoders that make JSON safe inside HTML.
        ascii(json, "<>&"),
        ascii(json, "<>&'="),
        // Inside a string that is inside a string.
        json.replace('\\', "\\\\").replace('"', "\\\""),
        secret.replace('\\', "\\\\"),
        secret.replace('\\', "\\\\").replace('\'', "\\'"),
        secret.replace('\'', "'\\''"),
    ]
}

/// As HTML and XML write text, in and outside of attributes.
fn html(secret: &str) -> Vec<String> {
    let text = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut all = vec![text.clone()];
    for double in ["&quot;", "&#34;"] {
        for single in ["'", "&#39;", "&#x27;", "&apos;"] {
            let text = text.replace('"', double).replace('\'', single);
            all.push(text.replace('/', "&#x2f;"));
            all.push(text);
        }
    }
    all
}
