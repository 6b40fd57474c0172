use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use super::compress::Gzip;
use super::file::Stamp;
use super::prepare::READ_AGAIN;
use super::*;

fn redactor() -> Redactor {
    Redactor::new(["the-long-secret-of-this-test"])
}

fn all(body: &Body, range: Range<u64>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    body.open(range)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Lines of different lengths, so that borders fall everywhere.
fn log(bytes: usize) -> Vec<u8> {
    let mut log = Vec::with_capacity(bytes + 100);
    for number in 0.. {
        writeln!(log, "{number} DEBUG {}", "x".repeat(number % 61)).unwrap();
        if log.len() >= bytes {
            break;
        }
    }
    log.truncate(bytes);
    log
}

fn file(dir: &tempfile::TempDir, bytes: &[u8]) -> Source {
    let path = dir.path().join("a.log");
    std::fs::write(&path, bytes).unwrap();
    Source::File(path)
}

fn prepared(source: &Source) -> io::Result<Body> {
    prepared_for(source, Checksum::Sha256)
}

fn prepared_for(source: &Source, checksum: Checksum) -> io::Result<Body> {
    Body::prepare(source, "a.log", &redactor(), checksum)
}

/// Plain, with SHA-256.
fn preparing(redactor: &Redactor, hashed_below: u64) -> Preparing<'_> {
    let checksum = Checksum::Sha256;
    Preparing { redactor, checksum, hashed_below, gzip: None, goes_on: &|| true }
}

#[test]
fn the_hashes_are_those_of_the_bytes() {
    let body = Body::memory(*b"abc", Checksum::Sha256);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(
        hex(&body.sha256().unwrap()),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(body.md5(), None);
    let body = Body::memory(*b"abc", Checksum::Md5);
    assert_eq!(hex(&body.md5().unwrap()), "900150983cd24fb0d6963f7d28e17f72");
    assert_eq!(body.sha256(), None);
    assert!(Body::memory([], Checksum::Md5).is_empty());
}

#[test]
fn small_files_and_large_ones_give_their_bytes_and_hashes() {
    let dir = tempfile::tempdir().unwrap();
    for size in [0, 1, KEPT_IN_MEMORY as usize, KEPT_IN_MEMORY as usize + 1, 1_000_000] {
        let bytes = log(size);
        let body = prepared(&file(&dir, &bytes)).unwrap();
        let expected = Body::memory(bytes.clone(), Checksum::Sha256);
        assert_eq!(body.len(), size as u64);
        assert_eq!(body.sha256(), expected.sha256(), "{size}");
        let with_md5 = prepared_for(&file(&dir, &bytes), Checksum::Md5).unwrap();
        assert_eq!(with_md5.md5(), Body::memory(bytes.clone(), Checksum::Md5).md5(), "{size}");
        assert_eq!(body.media_type(), media_type::TEXT);
        // Twice: a body can be opened again.
        assert!(all(&body, 0..body.len()).unwrap() == bytes);
        assert!(all(&body, 0..body.len()).unwrap() == bytes);
    }
}

#[test]
fn a_range_holds_the_same_bytes_as_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = log(700_000);
    // Secrets across the borders of the ranges below, and of our buffers.
    let secret = b"the-long-secret-of-this-test";
    for border in [65_536, 131_072, 200_000, 262_144, 300_001, 699_900] {
        let at = border - 9;
        bytes[at..at + secret.len()].copy_from_slice(secret);
    }
    let body = prepared(&file(&dir, &bytes)).unwrap();
    let whole = all(&body, 0..body.len()).unwrap();
    assert_eq!(body.sha256(), Body::memory(whole.clone(), Checksum::Sha256).sha256());
    let borders = [0, 1, 65_535, 65_536, 131_072, 200_000, 300_001, 699_900, 699_999, 700_000];
    for (index, &start) in borders.iter().enumerate() {
        for &end in &borders[index..] {
            let part = all(&body, start..end).unwrap();
            assert!(part == whole[start as usize..end as usize], "{start}..{end}");
        }
    }
    assert!(body.open(0..700_001).is_err());
    #[allow(clippy::reversed_empty_ranges, reason = "that is what is refused")]
    let reversed = body.open(2..1);
    assert_eq!(reversed.err().unwrap().kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn a_file_that_grows_is_sent_up_to_its_length_when_it_was_prepared() {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = log(400_000);
    // What is half a secret at the end must not depend on what comes later.
    bytes.extend(b"the-long-secret");
    let source = file(&dir, &bytes);
    let body = prepared(&source).unwrap();
    let Source::File(path) = &source else { unreachable!() };
    File::options().append(true).open(path).unwrap().write_all(b"-of-this-test").unwrap();
    assert!(all(&body, 0..body.len()).unwrap() == bytes);
}

#[test]
fn a_file_that_shrinks_is_an_error_and_never_a_short_body() {
    let dir = tempfile::tempdir().unwrap();
    let source = file(&dir, &log(400_000));
    let body = prepared(&source).unwrap();
    let Source::File(path) = &source else { unreachable!() };
    let shrink = |to| File::options().write(true).open(path).unwrap().set_len(to).unwrap();

    // While it is open.
    let mut reader = body.open(0..400_000).unwrap();
    let mut start = [0; 100];
    reader.read_exact(&mut start).unwrap();
    shrink(300_000);
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert!(error.to_string().contains("became shorter"), "{error}");

    // Between two openings; what is left can be prepared again.
    assert_eq!(body.open(0..10).err().unwrap().kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(prepared(&source).unwrap().len(), 300_000);
}

#[test]
fn a_file_that_changes_no_longer_has_its_hash() {
    let dir = tempfile::tempdir().unwrap();
    let source = file(&dir, &log(400_000));
    let body = prepared(&source).unwrap();
    file(&dir, &log(400_000).iter().rev().copied().collect::<Vec<u8>>());
    let now = Body::memory(all(&body, 0..body.len()).unwrap(), Checksum::Sha256);
    assert_ne!(now.sha256(), body.sha256());
}

#[test]
fn only_regular_files_are_opened() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |path: &Path| {
        let error = prepared(&Source::File(path.to_owned())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{}: {error}", path.display());
    };
    refused(dir.path());
    let gone = Source::File(dir.path().join("gone"));
    assert_eq!(prepared(&gone).unwrap_err().kind(), io::ErrorKind::NotFound);
    #[cfg(unix)]
    {
        refused(Path::new("/dev/null"));
        // Opening a pipe that nobody writes to would wait for ever.
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        refused(&pipe);
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        refused(&link);
    }
}

#[test]
fn debug_shows_no_content() {
    let bytes = b"do-not-print-me";
    let source = Source::Memory(Arc::from(&bytes[..]));
    let body = prepared(&source).unwrap();
    for text in [format!("{body:?}"), format!("{source:?}")] {
        assert!(!text.contains("do-not") && !text.contains("100, 111"), "{text}");
    }
}

#[test]
fn a_body_is_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Body>();
}

/// A file that was left alone, so that its times tell whether it was written to.
fn settled(dir: &tempfile::TempDir, bytes: &[u8]) -> Source {
    let source = file(dir, bytes);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    source
}

#[test]
#[cfg(target_os = "linux")]
fn what_needs_no_mask_is_sent_from_its_file_until_somebody_writes_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = log(800_000);
    let source = settled(&dir, &bytes);
    let Source::File(path) = &source else { unreachable!() };
    let body = prepared(&source).unwrap();
    let range = 100..body.len();
    let mut reader = body.open(range.clone()).unwrap();
    let mut sent = Vec::new();
    for most in [64_000, 100_000, 16_384] {
        let piece = reader.piece(most).expect("a piece of the file");
        assert!(piece.len <= most && piece.at == 100 + sent.len() as u64);
        let mut taken = vec![0; piece.len];
        std::os::unix::fs::FileExt::read_exact_at(&*piece.file, &mut taken, piece.at).unwrap();
        sent.append(&mut taken);
    }
    // It stays one file: somebody writes into the rest of it, and what is written is masked.
    let secret = b"the-long-secret-of-this-test";
    let written = File::options().write(true).open(path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&written, secret, 500_000).unwrap();
    assert!(reader.piece(64_000).is_none());
    reader.read_to_end(&mut sent).unwrap();
    bytes[500_000..500_000 + secret.len()].fill(b'*');
    assert!(sent == bytes[100..]);
    // Opened anew it is masked from the beginning.
    let mut again = body.open(range).unwrap();
    assert!(again.piece(64_000).is_none());
    sent.clear();
    again.read_to_end(&mut sent).unwrap();
    assert!(sent == bytes[100..]);
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_not_small_waits_in_memory_only_where_it_was_masked_or_compressed() {
    let dir = tempfile::tempdir().unwrap();
    let clean = log(READ_AGAIN as usize + 1);
    let mut secret = clean.clone();
    secret[..28].copy_from_slice(b"the-long-secret-of-this-test");
    std::fs::write(dir.path().join("masked.log"), &secret).unwrap();
    let source = settled(&dir, &clean);
    let gzip = Gzip::new();
    let body = |source: &Source, gzip| {
        let redactor = redactor();
        let preparing = Preparing { gzip, ..preparing(&redactor, u64::MAX) };
        preparing.body(source, "a.log").unwrap()
    };
    let plain = body(&source, None);
    assert!(matches!(plain.content, Content::File { .. }));
    let expected = Body::memory(clean.clone(), Checksum::Sha256);
    assert_eq!(plain.sha256(), expected.sha256());
    assert!(all(&plain, 0..plain.len()).unwrap() == clean);
    let packed = body(&source, Some(&gzip));
    assert!(matches!(packed.content, Content::Memory(_)) && packed.encoding() == Some("gzip"));
    let masked = body(&Source::File(dir.path().join("masked.log")), None);
    assert!(matches!(masked.content, Content::Memory(_)));
    assert!(all(&masked, 0..28).unwrap() == [b'*'; 28]);
    // What is not compressed keeps its bytes while others use the same memory.
    let binary: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    std::fs::write(dir.path().join("binary"), &binary).unwrap();
    let first = body(&Source::File(dir.path().join("binary")), Some(&gzip));
    body(&source, Some(&gzip));
    assert!(all(&first, 0..5_000).unwrap() == binary);
}

#[test]
fn a_part_is_sent_from_its_file_once_it_was_read_without_a_mask() {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = log(800_000);
    let secret = b"the-long-secret-of-this-test";
    bytes[600_000..600_000 + secret.len()].copy_from_slice(secret);
    let source = settled(&dir, &bytes);
    let redactor = redactor();
    let body = preparing(&redactor, 1).body(&source, "a.log").unwrap();
    for (range, plain) in [(0..300_000, true), (300_000..800_000, false)] {
        assert!(body.open(range.clone()).unwrap().piece(64_000).is_none(), "nobody has looked yet");
        all(&body, range.clone()).unwrap();
        let lies_there = body.open(range.clone()).unwrap().piece(64_000).is_some();
        assert_eq!(lies_there, plain && cfg!(target_os = "linux"), "{range:?}");
    }
    let within = body.open(1000..200_000).unwrap().piece(64_000).is_some();
    assert_eq!(within, cfg!(target_os = "linux"));
    assert!(body.open(200_000..300_001).unwrap().piece(64_000).is_none());
}

#[test]
fn a_file_that_was_written_a_moment_ago_is_masked_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let body = prepared(&file(&dir, &log(400_000))).unwrap();
    assert!(body.open(0..body.len()).unwrap().piece(64_000).is_none());
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_whose_times_say_nothing_is_masked_each_time() {
    // Its times are those of when somebody looked at it first.
    let file = File::open("/proc/self/maps").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2100));
    assert!(Stamp::of_settled(&file).unwrap().is_none());
}

#[test]
fn files_that_are_prepared_together_are_what_they_are_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes: Vec<_> = [0, 5, 300_000, 100_000, 700_000, 99_000, 2_000_000].map(log).into();
    bytes[4][65_530..65_558].copy_from_slice(b"the-long-secret-of-this-test");
    let write = |(at, bytes): (usize, &Vec<u8>)| {
        let path = dir.path().join(format!("{at}.log"));
        std::fs::write(&path, bytes).unwrap();
        Source::File(path)
    };
    let mut sources: Vec<_> = bytes.iter().enumerate().map(write).collect();
    sources.insert(3, Source::File(dir.path().join("gone")));
    sources.push(Source::Memory(bytes[4].clone().into()));
    let redactor = redactor();
    for checksum in [Checksum::Sha256, Checksum::Md5] {
        let preparing = Preparing { checksum, ..preparing(&redactor, 1_000_000) };
        let together = preparing.bodies(sources.iter().map(|source| (source, "a.log")));
        assert_eq!(together.len(), sources.len());
        for (source, together) in sources.iter().zip(together) {
            let Ok(alone) = preparing.body(source, "a.log") else {
                assert_eq!(together.unwrap_err().kind(), io::ErrorKind::NotFound);
                continue;
            };
            let together = together.unwrap();
            let of = |body: &Body| (body.len(), body.media_type(), body.sha256(), body.md5());
            assert_eq!(of(&together), of(&alone));
            assert_eq!(together.digest.is_some(), together.len() < 1_000_000);
            let read = all(&together, 0..together.len()).unwrap();
            assert!(read == all(&alone, 0..alone.len()).unwrap());
            let whole = Body::memory(read, checksum);
            let hashed = together.digest.is_none() || together.digest == whole.digest;
            assert!(hashed, "{} bytes", together.len());
        }
    }
    let stopped = Preparing { goes_on: &|| false, ..preparing(&redactor, u64::MAX) };
    assert!(stopped.bodies([(&sources[2], "a.log")])[0].is_err());
}

#[test]
fn parts_that_are_hashed_together_have_the_hashes_that_their_bytes_have() {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = log(900_000);
    bytes[299_990..300_018].copy_from_slice(b"the-long-secret-of-this-test");
    let source = settled(&dir, &bytes);
    let redactor = redactor();
    let body = preparing(&redactor, 1).body(&source, "a.log").unwrap();
    let ranges = [0..300_000, 300_000..600_000, 600_000..900_000, 899_999..900_001];
    assert_eq!(body.sha256_of(&ranges[0]), None);
    body.hash(&ranges, &|| false);
    assert_eq!(body.sha256_of(&ranges[0]), None);
    body.hash(&ranges, &|| true);
    for range in &ranges[..3] {
        let part = Body::memory(all(&body, range.clone()).unwrap(), Checksum::Sha256);
        assert_eq!(body.sha256_of(range), part.sha256(), "{range:?}");
    }
    // One that is not in the body is not known, nor is one that only begins like one that is.
    assert_eq!(body.sha256_of(&ranges[3]), None);
    assert_eq!(body.sha256_of(&(0..299_999)), None);
    // What was read without a mask is sent from its file.
    let lies_there = |range: Range<u64>| body.open(range).unwrap().piece(64_000).is_some();
    assert_eq!(lies_there(600_000..900_000), cfg!(target_os = "linux"));
    assert!(!lies_there(0..300_000));
}
