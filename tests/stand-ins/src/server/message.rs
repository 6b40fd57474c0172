//! What goes in and out of a [`Server`](crate::Server).

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::FormatItem;
use time::macros::format_description;

const HTTP_DATE: &[FormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// One request as it arrived.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Counts the connections of the server from 1: two requests with one number shared a
    /// connection.
    pub connection: u64,
    /// `GET`, `POST` and so on.
    pub method: String,
    /// Path and query as they were sent, percent-encoding included.
    pub target: String,
    /// Header names in the case that was sent, in order.
    pub headers: Vec<(String, String)>,
    /// The body, without chunk framing. Empty when the server does not keep bodies.
    pub body: Arc<Vec<u8>>,
    /// How many bytes of body arrived, kept or not.
    pub body_length: u64,
    /// SHA-256 of the body in lower-case hex; empty when the server only counts.
    pub body_sha256: String,
    /// Whether the whole body arrived.
    pub complete: bool,
}

impl Request {
    /// The path without the query, still percent-encoded.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The path without the query, percent-decoded.
    pub fn decoded_path(&self) -> String {
        decode(self.path())
    }

    /// Names and values of the query, decoded, in order.
    pub fn query(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
            })
            .collect()
    }

    /// The first value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.query().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, or null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// Undoes percent-encoding; bytes that are no UTF-8 are replaced.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A time (seconds since 1970) as HTTP headers have it.
pub(crate) fn http_date(seconds: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(HTTP_DATE).unwrap_or_default()
}

/// How an answer reaches the client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Delivery {
    /// As it should.
    #[default]
    Whole,
    /// The connection is closed without an answer.
    Close,
    /// The connection is reset (TCP RST) without an answer.
    Reset,
    /// Nothing is sent, and the connection stays open until the server ends.
    Stall,
    /// The head and this many bytes of the body are sent; then nothing more until the server ends.
    StallInBody(usize),
    /// The head and this many bytes of the body are sent; then the connection is closed.
    Truncate(usize),
}

/// One answer, and how it is delivered.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers, without `Content-Length`, which the server adds.
    pub headers: Vec<(String, String)>,
    /// The body, not sent in answer to `HEAD`.
    pub body: Vec<u8>,
    /// What happens on the wire.
    pub delivery: Delivery,
    /// How long the server waits before it delivers.
    pub delay: Duration,
    /// Whether the connection is closed afterwards.
    pub close: bool,
}

impl Response {
    /// An answer without a body.
    pub fn new(status: u16) -> Self {
        Response { status, ..Response::default() }
    }

    /// An answer in JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Response::new(status)
            .header("Content-Type", "application/json; charset=utf-8")
            .body(body.to_string())
    }

    /// The error page of a proxy before the real service.
    pub fn html(status: u16) -> Self {
        let page = format!(
            "<!DOCTYPE html>\n<html><head><title>{status}</title></head>\
             <body><h1>{status} {}</h1><p>This is not JSON.</p></body></html>\n",
            reason(status)
        );
        Response::new(status).header("Content-Type", "text/html; charset=utf-8").body(page)
    }

    /// Sets a header; an earlier one of that name is replaced.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets a header in place.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
    }

    /// The head and body for the wire, and how long the head is.
    pub(crate) fn encode(&self, without_body: bool) -> (Vec<u8>, usize) {
        let mut bytes = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            // A line break would end the header; a stand-in must not be what splits an answer.
            let value = value.replace(['\r', '\n'], " ");
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.status != 304 && self.status != 204 {
            let set =
                self.headers.iter().any(|(key, _)| key.eq_ignore_ascii_case("content-length"));
            if !set {
                bytes.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
            }
        }
        if self.close {
            bytes.push_str("Connection: close\r\n");
        }
        bytes.push_str("\r\n");
        let mut bytes = bytes.into_bytes();
        let head = bytes.len();
        if !without_body && self.status != 304 && self.status != 204 {
            bytes.extend_from_slice(&self.body);
        }
        (bytes, head)
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
