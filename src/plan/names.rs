//! How the true name of a file becomes the key of an object.
//!
//! A key is the true name as it is, spaces, `#`, `%`, `?` and all, unless that cannot be. Then a
//! component gets `~` and 16 digits of a hash of its true bytes before its ending:
//! - it is not UTF-8, or has control characters or a backslash, which become `_`;
//! - it is longer than 255 bytes, the most that a file system takes;
//! - it is called as one of our own objects: `index.html` at any place (the page of its folder),
//!   and, at the top, `report.md` (the full text) or anything that begins with `.notify_pr`;
//! - it would share its key with another file, or with a folder that other files are in.
//!
//! Of a key that is too long as a whole, the innermost folders are left out, and the hash is that
//! of the whole name. Empty components, `.` and `..` never occur.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::path::{Component, Path};

use sha2::{Digest, Sha256};

/// The longest component of a key in bytes.
const COMPONENT_BYTES: usize = 255;

/// The longest ending that stays behind a hash, with its dot, in bytes.
const ENDING_BYTES: usize = 20;

/// `~` and the digits of a hash.
const HASH_BYTES: usize = 17;

/// The true name of a relative path: its components as bytes, `/` between them.
pub(super) fn of(path: &Path) -> Vec<u8> {
    let normal = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.as_encoded_bytes()),
        _ => None,
    });
    normal.collect::<Vec<_>>().join(&b'/')
}

/// The true name of bytes that a caller named: nothing in the name leads anywhere.
pub(super) fn of_bytes(name: &str) -> Vec<u8> {
    let components = name.split('/').filter(|component| !matches!(*component, "" | "." | ".."));
    match components.collect::<Vec<_>>().join("/") {
        empty if empty.is_empty() => b"attachment".to_vec(),
        name => name.into_bytes(),
    }
}

/// The name as it is shown.
pub(super) fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// The same, in the memory of the name if it is shown as it is, which nearly all are.
pub(super) fn into_shown(name: Vec<u8>) -> String {
    match String::from_utf8(name) {
        Ok(text) if !text.contains(char::is_control) => text,
        Ok(text) => shown(text.as_bytes()),
        Err(bytes) => shown(bytes.as_bytes()),
    }
}

/// The order of objects: component by component, so that a folder's files stay together.
pub(super) fn compare(one: &[u8], other: &[u8]) -> Ordering {
    let component = |byte: &u8| *byte == b'/';
    one.split(component).cmp(other.split(component))
}

/// The keys of true names, in their order, each at most `room` bytes long.
pub(super) fn keys(names: &[&[u8]], room: usize) -> Vec<String> {
    let mut keys: Vec<String> = names.iter().map(|name| key(name, room)).collect();
    let mut folders = HashSet::new();
    for key in &keys {
        for (at, _) in key.match_indices('/').rev() {
            // Whoever put this folder in has put its parents in, too.
            if !folders.insert(key[..at].to_owned()) {
                break;
            }
        }
    }
    let mut taken = HashSet::with_capacity(keys.len());
    for (name, key) in names.iter().zip(&mut keys) {
        let mut attempt = 0u32;
        let first = key.clone();
        while folders.contains(key.as_str()) || taken.contains(key.as_str()) {
            let seed = [*name, b"\0", attempt.to_string().as_bytes()].concat();
            let components: Vec<&str> = first.split('/').collect();
            *key = with_hash_of(&components, &seed, room);
            attempt += 1;
        }
        taken.insert(key.clone());
    }
    keys
}

fn key(name: &[u8], room: usize) -> String {
    let components = name.split(|byte| *byte == b'/');
    let components: Vec<Cow<'_, str>> =
        components.enumerate().map(|(depth, bytes)| component(bytes, depth == 0)).collect();
    let key = components.join("/");
    if key.len() <= room {
        return key;
    }
    let components: Vec<&str> = components.iter().map(Cow::as_ref).collect();
    with_hash_of(&components, name, room)
}

fn component(bytes: &[u8], at_top: bool) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && text.len() <= COMPONENT_BYTES
        && !text.contains(is_unsafe)
        && !is_ours(text, at_top)
    {
        return Cow::Borrowed(text);
    }
    let text = String::from_utf8_lossy(bytes);
    let replaced = |c: char| is_unsafe(c) || c == char::REPLACEMENT_CHARACTER;
    Cow::Owned(hashed(&text.replace(replaced, "_"), bytes, COMPONENT_BYTES))
}

/// On Windows, where the `directory` store may be, a colon names a drive or a hidden stream.
fn is_unsafe(c: char) -> bool {
    c.is_control() || c == '\\' || (cfg!(windows) && c == ':')
}

/// Without regard to case, as some file systems have none.
fn is_ours(component: &str, at_top: bool) -> bool {
    component.eq_ignore_ascii_case("index.html")
        || (at_top
            && (component.eq_ignore_ascii_case("report.md") || component.starts_with(".notify_pr")))
}

/// The key with a hash in its last component, and with as many folders as there is room for.
fn with_hash_of(components: &[&str], seed: &[u8], room: usize) -> String {
    let Some((last, folders)) = components.split_last() else { return String::new() };
    let last = hashed(last, seed, COMPONENT_BYTES.min(room));
    let mut key = String::new();
    for folder in folders {
        if key.len() + folder.len() + 1 + last.len() > room {
            break;
        }
        key.push_str(folder);
        key.push('/');
    }
    key + &last
}

/// `stem~0123456789abcdef.ending`, at most `limit` bytes long.
fn hashed(text: &str, seed: &[u8], limit: usize) -> String {
    let dot = text.rfind('.').filter(|&at| at > 0 && text.len() - at <= ENDING_BYTES);
    let (stem, ending) = text.split_at(dot.unwrap_or(text.len()));
    let mut end = stem.len().min(limit - HASH_BYTES - ending.len());
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    let digest = Sha256::digest(seed);
    let hash: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}~{hash}{ending}", &stem[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: usize = 704;

    fn one(name: &[u8]) -> String {
        keys(&[name], ROOM).remove(0)
    }

    fn is_safe(key: &str) -> bool {
        key.len() <= ROOM
            && !key.contains(is_unsafe)
            && key.split('/').all(|c| !matches!(c, "" | "." | "..") && c.len() <= 255)
    }

    #[test]
    fn ordinary_names_stay_as_they_are() {
        for name in [
            "a.log",
            "a b/c#d?e%20f.txt",
            "\u{fc}\u{1f600}/x",
            ".hidden",
            "...",
            "a:b",
            "report.mdx",
        ] {
            assert_eq!(one(name.as_bytes()), name);
        }
        assert_eq!(one(b"x/report.md"), "x/report.md");
        assert_eq!(one("\u{fc}".repeat(127).as_bytes()).len(), 254);
    }

    #[test]
    fn bytes_that_no_key_may_hold_are_replaced_and_told_apart() {
        let names: [&[u8]; 5] = [b"a\xff.log", b"a\xfe.log", b"a\n.log", b"a\\.log", b"a\x7f.log"];
        let keys = keys(&names, ROOM);
        for key in &keys {
            assert!(is_safe(key) && key.starts_with("a_~") && key.ends_with(".log"), "{key}");
            assert_eq!(key.len(), "a_.log".len() + HASH_BYTES);
        }
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 5);
        for (name, seen) in
            [(&b"a\xff\n"[..], "a\u{fffd}\u{fffd}"), (b"a\n", "a\u{fffd}"), (b"a", "a")]
        {
            assert_eq!(
                (shown(name), into_shown(name.to_vec())),
                (seen.to_owned(), seen.to_owned())
            );
        }
    }

    #[test]
    fn long_components_keep_their_ending() {
        let long = [b"x".repeat(300), b".tar.gz".to_vec()].concat();
        let other = [b"x".repeat(301), b".tar.gz".to_vec()].concat();
        let (key, second) = (one(&long), one(&other));
        assert!(is_safe(&key) && key.len() == 255 && key.ends_with(".gz"), "{key}");
        assert_ne!(key, second);
        // Cut between characters, and an ending that is none is cut with the rest.
        let wide = one("\u{1f600}".repeat(80).as_bytes());
        assert!(is_safe(&wide) && wide.len() > 245, "{wide}");
        let dots = one(format!("a.{}", "b".repeat(300)).as_bytes());
        assert!(is_safe(&dots) && dots.len() == 255, "{dots}");
    }

    #[test]
    fn long_names_lose_their_innermost_folders() {
        let folders = ["a".repeat(250), "b".repeat(250), "c".repeat(250), "d".repeat(250)];
        let first = one(format!("{}/one.log", folders.join("/")).as_bytes());
        let second = one(format!("{}/two/one.log", folders.join("/")).as_bytes());
        assert!(is_safe(&first) && is_safe(&second), "{first} {second}");
        assert!(first.starts_with(&format!("{}/{}/one~", folders[0], folders[1])), "{first}");
        assert_ne!(first, second);
        let tight = keys(&[folders.join("/").as_bytes()], 300).remove(0);
        assert!(tight.len() <= 300, "{tight}");
    }

    #[test]
    fn our_own_names_are_reserved_everywhere_they_are_used() {
        for name in [
            "index.html",
            "x/index.html",
            "x/INDEX.html/y",
            "report.md",
            "report.md/x",
            ".notify_pr-run.json",
        ] {
            let key = one(name.as_bytes());
            assert!(key.contains('~') && is_safe(&key), "{key}");
        }
        assert!(one(b"index.html").starts_with("index~"));
        assert!(one(b"index.html").ends_with(".html"));
    }

    #[test]
    fn no_two_files_share_a_key_not_even_by_malice() {
        let stolen = one(b"a\n.log");
        let names: [&[u8]; 7] =
            [b"a\n.log", stolen.as_bytes(), b"same", b"same", b"same", b"file", b"file/inside"];
        let keys = keys(&names, ROOM);
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), names.len(), "{keys:?}");
        assert!(keys.iter().all(|key| is_safe(key)));
        // A key is never the folder of another one: no file system could hold both.
        assert!(keys[5].starts_with("file~"), "{keys:?}");
        assert_eq!(keys[6], "file/inside");
    }

    #[test]
    fn the_names_of_bytes_lead_nowhere() {
        let cases = [
            ("../../etc/passwd", "etc/passwd"),
            ("/etc/passwd", "etc/passwd"),
            ("a//b/./c", "a/b/c"),
            ("", "attachment"),
            ("/../.", "attachment"),
        ];
        for (name, expected) in cases {
            assert_eq!(of_bytes(name), expected.as_bytes());
        }
        assert!(is_safe(&one(&of_bytes("..\\..\\x"))));
    }

    #[test]
    fn folders_stay_together() {
        let mut names = ["a/b", "a-b", "a", "a/b/c", "a0"];
        names.sort_by(|one, other| compare(one.as_bytes(), other.as_bytes()));
        assert_eq!(names, ["a", "a/b", "a/b/c", "a-b", "a0"]);
    }
}
