//! Small objects sent one behind the other over a kept connection.

use std::sync::atomic::Ordering::Relaxed;

use super::S3;
use super::call::Call;
use crate::content::Body;
use crate::http::{self, USER_AGENT};
use crate::store::{self, Meta, Put, check_key};

/// A connection to the service.
pub(super) struct Line<'a> {
    s3: &'a S3,
    line: http::Line,
    /// The head of a request.
    head: Vec<u8>,
}

impl<'a> Line<'a> {
    /// `None` where requests go one by one.
    pub(super) fn of(s3: &'a S3) -> Option<Line<'a>> {
        let place = s3.place(&Call::new("PUT", None));
        let line = s3.agent.line(&s3.url(&place, &[]))?;
        Some(Line { s3, line, head: Vec::with_capacity(1024) })
    }

    fn write(&mut self, parts: &[&str]) {
        parts.iter().for_each(|part| self.head.extend_from_slice(part.as_bytes()));
    }
}

impl store::Line for Line<'_> {
    fn put(&mut self, key: &str, body: &Body, meta: &Meta) -> bool {
        let s3 = self.s3;
        let Some(bytes) = body.bytes() else { return false };
        if check_key(key, &store::Store::limits(s3)).is_err() {
            return false;
        }
        let Ok(call) = s3.put_call(key, body, meta, &|_| true) else { return false };
        let place = s3.place(&call);
        let checksum = call.checksum.as_deref().filter(|_| s3.checksums.load(Relaxed));
        let Ok(headers) = s3.signed(&call, &place, checksum, s3.public.sends(&call)) else {
            return false;
        };
        // What is no header at all is told better by a request of its own.
        if headers.iter().any(|(_, value)| value.bytes().any(|byte| byte.is_ascii_control())) {
            return false;
        }
        self.head.clear();
        self.write(&["PUT ", &place.path, " HTTP/1.1\r\nHost: ", &place.host, "\r\n"]);
        self.write(&["User-Agent: ", USER_AGENT, "\r\n"]);
        for (name, value) in &headers {
            self.write(&[name, ": ", value, "\r\n"]);
        }
        self.write(&["Content-Length: ", &bytes.len().to_string(), "\r\n\r\n"]);
        self.line.send(&self.head, bytes)
    }

    fn answer(&mut self) -> Put {
        let answered = self.line.answer(|head| match head.status {
            // Whoever stores an object says what it is; a web page would not.
            200..300 if head.header("etag").is_some() => (Put::Stored, false),
            200..400 => (Put::Unknown, true),
            429 | 503 => (Put::Busy, false),
            _ => (Put::Unknown, false),
        });
        let (put, in_vain) = answered.unwrap_or((Put::Unknown, false));
        if in_vain {
            self.line.is_vain();
        }
        put
    }
}
