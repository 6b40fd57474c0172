//! Which Content-Type a file is served with.
//!
//! The types come from the file's first bytes and a short table of endings, never from the
//! operating system's own table, so that a log opens in the browser wherever it was uploaded from.
//!
//! What a run leaves behind is not trusted: HTML, XHTML and SVG could execute scripts on the
//! store's host, under which other runs are published too. Everything that is text, whatever its
//! ending, is therefore served as `text/plain`, which browsers show as it is.

use crate::redact::Kind;

/// How many bytes from the beginning of a file are looked at.
pub const SAMPLE_BYTES: usize = 8 * 1024;

/// Text of a run, and our own full text.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// Text that begins with the byte order mark of UTF-16, in either order.
pub const TEXT_UTF16: &str = "text/plain; charset=utf-16";

/// Our own pages. Files of a run are never served with it.
pub const PAGE: &str = "text/html; charset=utf-8";

/// Bytes that nothing better is known of: browsers download them.
pub const BYTES: &str = "application/octet-stream";

/// The beginning of a format, where in the file it stands, and the type.
const MAGIC: &[(usize, &[u8], &str)] = &[
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\xfd7zXZ\x00", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (257, b"ustar", "application/x-tar"),
    (4, b"1AY&SY", "application/x-bzip2"),
];

/// Endings of formats that their first bytes do not tell; used only for what is not text.
const ENDINGS: &[(&str, &str)] = &[
    ("bmp", "image/bmp"),
    ("ico", "image/vnd.microsoft.icon"),
    ("mp4", "video/mp4"),
    ("webm", "video/webm"),
    ("cap", "application/vnd.tcpdump.pcap"),
    ("pcap", "application/vnd.tcpdump.pcap"),
    ("tar", "application/x-tar"),
    ("wasm", "application/wasm"),
];

/// The Content-Type for a file of this name that begins with these bytes, of which the first
/// [`SAMPLE_BYTES`] are looked at. The bytes win over the name: a log with binary in it is
/// [`BYTES`], and a compressed log called `.log` is what it is.
pub fn of(name: &str, first_bytes: &[u8]) -> &'static str {
    look(name, first_bytes).1
}

/// What may be masked in bytes that begin like this. UTF-16 counts as binary: the rules for text
/// read ASCII.
pub fn kind(first_bytes: &[u8]) -> Kind {
    look("", first_bytes).0
}

/// Both [`kind`] and [`of`], with one look at the bytes.
pub(super) fn look(name: &str, first_bytes: &[u8]) -> (Kind, &'static str) {
    let sample = sample(first_bytes);
    if let Some(known) = by_magic(sample) {
        return (Kind::Binary, known);
    }
    if is_utf16(sample) {
        return (Kind::Binary, TEXT_UTF16);
    }
    if looks_like_text(sample) {
        return (Kind::Text, TEXT);
    }
    let ending = name.rsplit('/').next().unwrap_or(name).rsplit_once('.').map_or("", |(_, e)| e);
    let known = ENDINGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(ending));
    (Kind::Binary, known.map_or(BYTES, |(_, known)| known))
}

fn sample(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(SAMPLE_BYTES)]
}

fn by_magic(sample: &[u8]) -> Option<&'static str> {
    if sample.starts_with(b"RIFF") && sample.get(8..12) == Some(b"WEBP") {
        return Some("image/webp");
    }
    let found = MAGIC.iter().find(|(at, magic, _)| {
        sample.get(*at..).is_some_and(|rest| rest.starts_with(magic))
            && (*at != 4 || sample.starts_with(b"BZh"))
    });
    found.map(|(_, _, known)| *known)
}

/// UTF-32 begins like UTF-16 and is not shown by browsers.
fn is_utf16(sample: &[u8]) -> bool {
    (sample.starts_with(b"\xff\xfe") && sample.get(2..4) != Some(b"\0\0"))
        || sample.starts_with(b"\xfe\xff")
}

/// Text has next to no control characters besides those of terminals: one in twenty bytes is
/// allowed, as a log may hold what a crashed program wrote, and then still is to be read and
/// masked as text. Random bytes have twice as many. Bytes above 127 say nothing: they may be
/// UTF-8, cut in the middle, or an older encoding.
fn looks_like_text(sample: &[u8]) -> bool {
    // Comparisons without branches and counts of one byte, which the compiler does for many bytes
    // at a time: every file is looked at.
    let strange = |byte: u8| {
        (byte < 7)
            | (byte == 11)
            | (byte.wrapping_sub(14) < 13)
            | (byte.wrapping_sub(28) < 4)
            | (byte == 127)
    };
    let count = |block: &[u8]| block.iter().fold(0, |count, &byte| count + u8::from(strange(byte)));
    let strange: usize = sample.chunks(128).map(|block| usize::from(count(block))).sum();
    strange * 20 <= sample.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_opens_in_the_browser_whatever_its_ending() {
        for name in [
            "a.log",
            "a.txt",
            "a.out",
            "a.err",
            "a.xml",
            "a.json",
            "a.yaml",
            "a.cfg",
            "a.ini",
            "a.conf",
            "a.properties",
            "a.py",
            "a.java",
            "a.sh",
            "a.csv",
            "a.md",
            "results",
            "x/y",
            "management-server.log.1",
            "a.LOG",
        ] {
            assert_eq!(of(name, b"2026-11-23 ok: \x1b[32mpassed\x1b[0m\n"), TEXT, "{name}");
            assert_eq!(of(name, b""), TEXT, "{name} empty");
        }
        assert_eq!(of("a.log", "gr\u{fc}n \u{2713}".as_bytes()), TEXT);
        assert_eq!(of("latin-1.log", b"gr\xfcn und gel\xe4ndet"), TEXT);
    }

    #[test]
    fn nothing_of_a_run_is_executed_by_a_browser() {
        let script: &[u8] = b"<html><script>alert(1)</script></html>";
        for name in ["a.html", "a.htm", "a.xhtml", "a.svg", "a.js", "a.mhtml", "a.xml", "a.pdf"] {
            assert_eq!(of(name, script), TEXT, "{name}");
        }
        let mut noise = vec![0u8; 100];
        noise.extend(script);
        for name in ["a.html", "a.svg"] {
            assert_eq!(of(name, &noise), BYTES, "{name}");
        }
    }

    #[test]
    fn images_and_archives_have_their_own_types() {
        let mut tar = vec![b'n'; 257];
        tar.extend(b"ustar\0");
        let cases: [(&[u8], &str); 12] = [
            (b"\x89PNG\r\n\x1a\n\0\0", "image/png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
            (b"GIF89a\x01\0\x01\0", "image/gif"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
            (b"%PDF-1.7\n", "application/pdf"),
            (b"\x1f\x8b\x08\0\0\0", "application/gzip"),
            (b"PK\x03\x04\x14\0", "application/zip"),
            (b"\xfd7zXZ\0\0", "application/x-xz"),
            (b"\x28\xb5\x2f\xfd\x04", "application/zstd"),
            (b"BZh91AY&SY\0", "application/x-bzip2"),
            (b"7z\xbc\xaf\x27\x1c\0", "application/x-7z-compressed"),
            (&tar, "application/x-tar"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(of("console.log", bytes), expected);
            assert_eq!(kind(bytes), Kind::Binary, "{expected}");
        }
        assert_eq!(of("session.webm", b"\x1a\x45\xdf\xa3\0\0\0\x01"), "video/webm");
    }

    #[test]
    fn binary_is_downloaded_even_if_it_is_called_a_log() {
        assert_eq!(of("console.log", b"\x7fELF\x02\x01\x01\0\0\0\0\0"), BYTES);
        assert_eq!(kind(b"\x7fELF\x02\x01\x01\0\0\0\0\0"), Kind::Binary);
        let every_byte: Vec<u8> = (0..=255).cycle().take(4096).collect();
        assert_eq!(of("console.log", &every_byte), BYTES);
    }

    #[test]
    fn one_strange_byte_in_twenty_is_still_text() {
        let strange = |byte: u8| matches!(byte, 0..=6 | 11 | 14..=26 | 28..=31 | 127);
        for byte in 0..=255u8 {
            let mut log = vec![b'a'; 2000];
            log[..101].fill(byte);
            assert_eq!(looks_like_text(&log), !strange(byte), "{byte}");
            log[0] = b'a';
            assert!(looks_like_text(&log), "{byte}");
        }
    }

    #[test]
    fn a_log_with_a_single_odd_byte_is_still_masked_as_text() {
        let mut log = b"2026-11-23 12:00:00 DEBUG everything is as it should be\n".repeat(20);
        log[40] = 0;
        assert_eq!(kind(&log), Kind::Text);
        assert_eq!(of("a.log", &log), TEXT);
    }

    #[test]
    fn utf_16_is_named_and_is_not_masked_by_rules_for_ascii() {
        for bytes in [b"\xff\xfea\0b\0", b"\xfe\xff\0a\0b"] {
            assert_eq!(of("a.log", bytes), TEXT_UTF16);
            assert_eq!(kind(bytes), Kind::Binary);
        }
        assert_eq!(of("a.log", b"\xff\xfe\0\0a\0\0\0"), BYTES);
    }
}
