//! Our own uploader as a program: plan and upload, as a submission does them, without GitHub.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use notify_pr::events::{Event, Events};
use notify_pr::plan;
use notify_pr::redact::Redactor;
use notify_pr::settings::{Origin, Settings};
use notify_pr::store;
use notify_pr::submission::{Cancel, Submission};
use notify_pr::upload;

/// Uploads a folder. The words are settings, `name=value`; `plain` among them switches masking
/// off, which no setting can: the peers do not mask either.
pub(crate) fn upload(folder: &str, words: &[String]) -> io::Result<()> {
    let mut settings = Settings::new();
    let mut set = |name: &str, value: &str| {
        settings.set(name, value, Origin::Api).map_err(|error| io::Error::other(error.to_string()))
    };
    set("full_detail_dir", folder)?;
    set("exclude", "")?;
    set("max_file", "100G")?;
    set("max_total", "100G")?;
    let mut masks = true;
    for word in words {
        match word.split_once('=') {
            Some((name, value)) => set(name, value)?,
            None => masks = false,
        }
    }
    let fail = |error: notify_pr::Error| io::Error::other(error.to_string());
    let mut submission =
        Submission::new(settings, Arc::new(Events::new()), Cancel::new()).map_err(fail)?;
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&warnings);
    submission.events.add_reader(move |event: &Event| {
        if let Event::Warning(text) = event
            && let Ok(mut heard) = heard.lock()
        {
            heard.push(text.clone());
        }
    });
    if !masks {
        submission.redactor = Redactor::idle();
    }
    let planned = plan::plan(&submission, &[]).map_err(fail)?;
    let store = store::choose(&submission).map_err(fail)?;
    let store = store.ok_or_else(|| io::Error::other("there is no store"))?;
    let uploaded = upload::upload(&submission, &*store, &planned, "bench/7d/run/");
    if let Some(failure) = uploaded.failure {
        return Err(fail(failure));
    }
    if let Some(missing) = uploaded.missing.first() {
        return Err(io::Error::other(format!("{}: {}", missing.name, missing.reason)));
    }
    for warning in warnings.lock().map(|all| all.clone()).unwrap_or_default() {
        eprintln!("ours: {warning}");
    }
    Ok(())
}

/// The least that any uploader can do: bare requests without checksums, signatures and retries
/// over eight connections, the bytes copied by the kernel.
pub(crate) fn floor(address: &str, folder: &str) -> io::Result<()> {
    let mut files = Vec::new();
    collect(Path::new(folder), &mut files)?;
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| -> io::Result<()> {
                    let mut stream = TcpStream::connect(address)?;
                    stream.set_nodelay(true)?;
                    let mut answer = [0; 4096];
                    loop {
                        let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        let Some(path) = files.get(at) else { break };
                        let file = File::open(path)?;
                        let length = file.metadata()?.len();
                        let head = format!(
                            "PUT /bench/floor/{at} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n"
                        );
                        stream.write_all(head.as_bytes())?;
                        send_file(&file, length, &mut stream)?;
                        let mut filled = 0;
                        while !answer[..filled].ends_with(b"\r\n\r\n") {
                            let count = stream.read(&mut answer[filled..])?;
                            if count == 0 {
                                return Err(io::ErrorKind::UnexpectedEof.into());
                            }
                            filled += count;
                        }
                    }
                    stream.shutdown(Shutdown::Both)
                })
            })
            .collect();
        for worker in workers {
            worker.join().map_err(|_| io::Error::other("a thread panicked"))??;
        }
        Ok(())
    })
}

#[cfg(target_os = "linux")]
fn send_file(file: &File, length: u64, stream: &mut TcpStream) -> io::Result<()> {
    let mut at = 0;
    while at < length {
        let left = (length - at).min(1 << 20) as usize;
        if rustix::fs::sendfile(&*stream, file, Some(&mut at), left)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn send_file(mut file: &File, _length: u64, stream: &mut TcpStream) -> io::Result<()> {
    io::copy(&mut file, stream).map(drop)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
