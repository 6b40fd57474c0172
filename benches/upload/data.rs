//! The files that are uploaded: the same on every machine, made once below `target/bench-data`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The data sets.
pub(crate) struct Data {
    /// Logs of 1 to 16 KiB.
    pub(crate) small: PathBuf,
    /// A thousand of them.
    pub(crate) thousand: PathBuf,
    /// A tree like that of a Marvin run.
    pub(crate) marvin: PathBuf,
    /// Logs that are just small enough to be prepared in memory.
    pub(crate) whole: PathBuf,
    /// One large file, alone in its folder.
    pub(crate) large: PathBuf,
    /// One file of 1 KiB, alone in its folder.
    pub(crate) one: PathBuf,
}

impl Data {
    /// Makes what is not there yet. A quick run has fewer and smaller files.
    pub(crate) fn make(root: &Path, quick: bool) -> io::Result<Data> {
        let part = if quick { 8 } else { 1 };
        let root = root.join(if quick { "quick" } else { "full" });
        Ok(Data {
            small: folder(&root, "A", |at| small(at, 10_000 / part))?,
            thousand: folder(&root, "A1000", |at| small(at, 1_000 / part.min(2)))?,
            marvin: folder(&root, "B", |at| marvin(at, 600 / part))?,
            whole: folder(&root, "E", |at| whole(at, 1_200 / part))?,
            large: folder(&root, "C", |at| one_file(&at.join("large.log"), (4 << 30) / part))?,
            one: folder(&root, "D", |at| one_file(&at.join("one.log"), 1 << 10))?,
        })
    }
}

fn folder(
    root: &Path,
    name: &str,
    make: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<PathBuf> {
    let path = root.join(name);
    if !path.exists() {
        let unfinished = root.join(format!("{name}.unfinished"));
        let _ = fs::remove_dir_all(&unfinished);
        fs::create_dir_all(&unfinished)?;
        make(&unfinished)?;
        fs::rename(&unfinished, &path)?;
    }
    Ok(path)
}

fn small(root: &Path, count: u64) -> io::Result<()> {
    for n in 0..count {
        let folder = root.join(format!("{:02}", n / 100));
        fs::create_dir_all(&folder)?;
        let mut log = Log(n + 1);
        let length = 1024 + log.random() % (15 << 10);
        log.write(&folder.join(format!("test_{n:05}.log")), length)?;
    }
    Ok(())
}

/// Few files hold most of the bytes: 400 MB in 600 files.
fn marvin(root: &Path, count: u64) -> io::Result<()> {
    for n in 0..count {
        let folder = root.join(format!("MarvinLogs/test_{:03}", n / 3));
        fs::create_dir_all(&folder)?;
        let name = ["runinfo.txt", "results.txt", "failed_plus_exceptions.txt"][n as usize % 3];
        let mut log = Log(1_000_000 + n);
        let length = match n % 30 {
            0 => (10 << 20) + log.random() % (6 << 20),
            1..=5 => (512 << 10) + log.random() % (1 << 20),
            _ => log.random() % (160 << 10),
        };
        log.write(&folder.join(name), length)?;
    }
    Ok(())
}

fn whole(root: &Path, count: u64) -> io::Result<()> {
    for n in 0..count {
        Log(2_000_000 + n).write(&root.join(format!("test_{n:04}.log")), 95 << 10)?;
    }
    Ok(())
}

fn one_file(path: &Path, length: u64) -> io::Result<()> {
    // A block that comes again and again, but not within what gzip looks back over.
    let mut block = Vec::new();
    Log(7).write_to(&mut block, length.min(64 << 20))?;
    let mut file = File::create(path)?;
    for _ in 0..length / block.len() as u64 {
        file.write_all(&block)?;
    }
    Ok(())
}

/// Writes what looks like the log of a management server.
struct Log(u64);

impl Log {
    fn random(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn write(&mut self, path: &Path, length: u64) -> io::Result<()> {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        self.write_to(&mut file, length)?;
        file.flush()
    }

    fn write_to(&mut self, out: &mut impl Write, length: u64) -> io::Result<()> {
        const CLASSES: [&str; 6] = [
            "c.c.v.VirtualMachineManagerImpl",
            "c.c.a.t.Request",
            "c.c.a.m.DirectAgentAttache",
            "o.a.c.f.j.i.AsyncJobManagerImpl",
            "c.c.n.NetworkServiceImpl",
            "c.c.s.StorageManagerImpl",
        ];
        const WORDS: [&str; 6] = [
            "Successfully transitioned the state of",
            "Sending to host with answers pending for",
            "Retrying the command, the agent did not answer about",
            "Complete async job, resultCode 0, for",
            "Lock is acquired for network",
            "Volume is being created in pool for",
        ];
        let mut left = length as usize;
        while left > 0 {
            let (a, b, c) = (self.random(), self.random(), self.random());
            let line = format!(
                "2026-11-23 {:02}:{:02}:{:02},{:03} {} [{}] (API-Job-Executor-{}:ctx-{:08x} job-{}) (logid:{:08x}) {} {:08x}-{:04x}-{:04x} in zone {}\n",
                a % 24,
                (a >> 8) % 60,
                (a >> 16) % 60,
                (a >> 24) % 1000,
                if a >> 60 == 0 { "WARN " } else { "DEBUG" },
                CLASSES[(b % 6) as usize],
                b % 50,
                (b >> 16) as u32,
                (b >> 8) % 10_000,
                (b >> 32) as u32,
                WORDS[((b >> 40) % 6) as usize],
                c as u32,
                (c >> 32) as u16,
                (c >> 48) as u16,
                (c >> 12) % 4,
            );
            let take = line.len().min(left);
            out.write_all(&line.as_bytes()[..take])?;
            left -= take;
        }
        Ok(())
    }
}
