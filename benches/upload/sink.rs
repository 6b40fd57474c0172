//! A server that takes everything and keeps nothing, so that the client is what is measured.
//!
//! It speaks as much S3 and Swift as the uploaders ask for, remembers sizes (some look whether an
//! object arrived), and counts connections, requests and bytes. It runs in a process of its own.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What kind of server it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manner {
    /// How long every answer is on its way. The server is far, not slow: an answer leaves so long
    /// after its request has come, whatever else is on the way at that time.
    pub(crate) delay: Duration,
    /// What the link carries for all connections together, in bytes per second.
    pub(crate) rate: Option<u64>,
    /// Where the certificate of a server with TLS is written.
    pub(crate) certificate: Option<String>,
}

struct Sink {
    manner: Manner,
    tls: Option<Arc<rustls::ServerConfig>>,
    sizes: Mutex<HashMap<String, u64>>,
    link: Mutex<Instant>,
    connections: AtomicU64,
    requests: AtomicU64,
    bytes: AtomicU64,
}

/// Serves until standard input ends. The first line of the output is the address.
pub(crate) fn serve(manner: Manner) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let tls = manner.certificate.as_deref().map(identity);
    let sink = Arc::new(Sink {
        manner,
        tls,
        sizes: Mutex::default(),
        link: Mutex::new(Instant::now()),
        connections: AtomicU64::new(0),
        requests: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
    });
    println!("{}", listener.local_addr()?);
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
    for stream in listener.incoming() {
        let (sink, stream) = (Arc::clone(&sink), stream?);
        std::thread::Builder::new().stack_size(512 << 10).spawn(move || {
            let _ = sink.connection(stream);
        })?;
    }
    Ok(())
}

fn identity(path: &str) -> Arc<rustls::ServerConfig> {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    std::fs::write(path, made.cert.pem()).expect("the certificate can be written");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the default versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a key that fits");
    Arc::new(config)
}

impl Sink {
    fn connection(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let far = !self.manner.delay.is_zero();
        let late = far.then(|| late(&stream, self.manner.delay)).transpose()?;
        let way = Way { stream, late };
        match &self.tls {
            None => self.requests_of(way),
            Some(config) => {
                let session =
                    rustls::ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                self.requests_of(rustls::StreamOwned::new(session, way))
            }
        }
    }

    fn requests_of(&self, stream: impl Read + Write) -> io::Result<()> {
        let mut wire = Wire { stream, buffer: vec![0; 128 << 10], from: 0, until: 0, link: self };
        let mut counted = false;
        while let Some(head) = wire.head()? {
            if head.target.starts_with("/__") {
                let text = self.admin(&head.target);
                wire.answer(200, "", text.as_bytes(), false)?;
                continue;
            }
            if !std::mem::replace(&mut counted, true) {
                self.connections.fetch_add(1, Relaxed);
            }
            self.requests.fetch_add(1, Relaxed);
            self.exchange(&mut wire, &head)?;
        }
        Ok(())
    }

    fn admin(&self, target: &str) -> String {
        let counters = [&self.connections, &self.requests, &self.bytes];
        if target == "/__reset" {
            counters.iter().for_each(|counter| counter.store(0, Relaxed));
            self.sizes.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        counters.map(|counter| counter.load(Relaxed).to_string()).join(" ")
    }

    fn exchange<S: Read + Write>(&self, wire: &mut Wire<'_, S>, head: &Head) -> io::Result<()> {
        if head.expects {
            wire.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let length = wire.discard(head)?;
        self.bytes.fetch_add(length, Relaxed);
        let (path, query) = head.target.split_once('?').unwrap_or((&head.target, ""));
        let swift = path.starts_with("/v1/");
        let mut sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        let etag = "ETag: \"00000000000000000000000000000000-1\"\r\n";
        match head.method.as_str() {
            "PUT" => {
                *sizes.entry(path.to_owned()).or_default() += length;
                drop(sizes);
                wire.answer(if swift { 201 } else { 200 }, etag, b"", false)
            }
            "POST" if query.contains("uploadId") => {
                drop(sizes);
                wire.answer(200, "", b"<CompleteMultipartUploadResult><Bucket>bench</Bucket><Key>k</Key><ETag>\"0-1\"</ETag></CompleteMultipartUploadResult>", false)
            }
            "POST" => {
                drop(sizes);
                wire.answer(200, "", b"<InitiateMultipartUploadResult><Bucket>bench</Bucket><Key>k</Key><UploadId>upload</UploadId></InitiateMultipartUploadResult>", false)
            }
            "HEAD"
                if path.trim_matches('/').contains('/')
                    && !(swift && path.matches('/').count() < 4) =>
            {
                match sizes.get(path) {
                    Some(size) => {
                        let headers = format!(
                            "{etag}Last-Modified: Mon, 23 Nov 2026 12:00:00 GMT\r\nContent-Length: {size}\r\n"
                        );
                        drop(sizes);
                        wire.answer(200, &headers, b"", true)
                    }
                    None => {
                        drop(sizes);
                        wire.answer(404, "", b"", false)
                    }
                }
            }
            "GET" if !swift => {
                drop(sizes);
                wire.answer(200, "", b"<ListBucketResult><Name>bench</Name><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>", false)
            }
            "DELETE" => {
                drop(sizes);
                wire.answer(204, "", b"", true)
            }
            _ => {
                drop(sizes);
                wire.answer(200, "X-Container-Object-Count: 0\r\n", b"", false)
            }
        }
    }

    /// Lets so many bytes pass over the link that all connections share.
    fn carry(&self, count: usize) {
        let Some(rate) = self.manner.rate else { return };
        let now = Instant::now();
        let until = {
            let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
            *link = (*link).max(now) + Duration::from_secs_f64(count as f64 / rate as f64);
            *link
        };
        std::thread::sleep(until.saturating_duration_since(now));
    }
}

struct Head {
    method: String,
    target: String,
    length: u64,
    chunked: bool,
    expects: bool,
}

/// Bytes that are on their way, with the time when they left.
type Late = mpsc::Sender<(Instant, Vec<u8>)>;

fn late(stream: &TcpStream, delay: Duration) -> io::Result<Late> {
    let (late, answers) = mpsc::channel::<(Instant, Vec<u8>)>();
    let mut stream = stream.try_clone()?;
    std::thread::Builder::new().stack_size(256 << 10).spawn(move || {
        for (made, answer) in answers {
            std::thread::sleep((made + delay).saturating_duration_since(Instant::now()));
            if stream.write_all(&answer).is_err() {
                return;
            }
        }
    })?;
    Ok(late)
}

/// A connection whose answers may take a while to arrive, encrypted ones too.
struct Way {
    stream: TcpStream,
    late: Option<Late>,
}

impl Read for Way {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for Way {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(late) = &self.late else { return self.stream.write(bytes) };
        late.send((Instant::now(), bytes.to_vec())).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A connection and what was read ahead of it.
struct Wire<'a, S> {
    stream: S,
    buffer: Vec<u8>,
    from: usize,
    until: usize,
    link: &'a Sink,
}

impl<S: Read + Write> Wire<'_, S> {
    /// Reads more behind what is there; false at the end.
    fn more(&mut self) -> io::Result<bool> {
        if self.from == self.until {
            (self.from, self.until) = (0, 0);
        } else if self.until == self.buffer.len() {
            self.buffer.copy_within(self.from..self.until, 0);
            (self.from, self.until) = (0, self.until - self.from);
        }
        let count = self.stream.read(&mut self.buffer[self.until..])?;
        self.link.carry(count);
        self.until += count;
        Ok(count > 0)
    }

    fn head(&mut self) -> io::Result<Option<Head>> {
        let end = loop {
            let there = &self.buffer[self.from..self.until];
            match there.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(end) => break self.from + end + 4,
                None if self.more()? => {}
                None => return Ok(None),
            }
        };
        let text = String::from_utf8_lossy(&self.buffer[self.from..end]).into_owned();
        self.from = end;
        let mut lines = text.split("\r\n");
        let mut first = lines.next().unwrap_or_default().split(' ');
        let mut head = Head {
            method: first.next().unwrap_or_default().to_owned(),
            target: first.next().unwrap_or_default().to_owned(),
            length: 0,
            chunked: false,
            expects: false,
        };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = value.parse().map_err(io::Error::other)?,
                "transfer-encoding" => head.chunked = value.eq_ignore_ascii_case("chunked"),
                "expect" => head.expects = true,
                _ => {}
            }
        }
        Ok(Some(head))
    }

    fn discard(&mut self, head: &Head) -> io::Result<u64> {
        if !head.chunked {
            self.skip(head.length)?;
            return Ok(head.length);
        }
        let mut total = 0;
        loop {
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
            self.skip(size)?;
            self.line()?;
            total += size;
            if size == 0 {
                return Ok(total);
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            let there = &self.buffer[self.from..self.until];
            if let Some(end) = there.windows(2).position(|two| two == b"\r\n") {
                let line = String::from_utf8_lossy(&there[..end]).into_owned();
                self.from += end + 2;
                return Ok(line);
            }
            if !self.more()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn skip(&mut self, mut count: u64) -> io::Result<()> {
        loop {
            let there = ((self.until - self.from) as u64).min(count);
            self.from += there as usize;
            count -= there;
            if count == 0 {
                return Ok(());
            }
            if !self.more()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn answer(&mut self, status: u16, headers: &str, body: &[u8], sized: bool) -> io::Result<()> {
        let mut bytes =
            format!("HTTP/1.1 {status} OK\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\n{headers}")
                .into_bytes();
        if !sized {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
        }
        if !body.is_empty() {
            bytes.extend_from_slice(b"Content-Type: application/xml\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body);
        self.stream.write_all(&bytes)?;
        self.stream.flush()
    }
}
