//! What an S3 service answers: listings, ids, and errors in words that a user understands.

use std::time::Duration;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};
use time::OffsetDateTime;
use time::PrimitiveDateTime;
use time::macros::format_description;

use crate::http::Answer;
use crate::store::server::{retry_after, wants_tls};
use crate::store::{Fault, Listed, Listing, StoreError};

/// Calls `leaf` with the path of names and the text of every element without children. What
/// follows a fault in the XML is left out.
fn leaves(xml: &[u8], mut leaf: impl FnMut(&[String], &str)) {
    let mut reader = Reader::from_reader(xml);
    let (mut path, mut text, mut inner) = (Vec::new(), String::new(), false);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                path.push(String::from_utf8_lossy(start.local_name().as_ref()).into_owned());
                text.clear();
                inner = true;
            }
            Ok(Event::Empty(empty)) => {
                path.push(String::from_utf8_lossy(empty.local_name().as_ref()).into_owned());
                leaf(&path, "");
                path.pop();
                inner = false;
            }
            Ok(Event::Text(part)) => text.push_str(&part.decode().unwrap_or_default()),
            Ok(Event::CData(part)) => text.push_str(&part.decode().unwrap_or_default()),
            Ok(Event::GeneralRef(name)) => text.push_str(&referred(&name)),
            Ok(Event::End(_)) => {
                if inner {
                    leaf(&path, &text);
                }
                inner = false;
                path.pop();
            }
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// What a reference such as `&amp;` stands for.
pub(super) fn referred(name: &BytesRef<'_>) -> String {
    match name.resolve_char_ref() {
        Ok(Some(character)) => character.to_string(),
        _ => {
            let name = name.decode().unwrap_or_default();
            resolve_predefined_entity(&name).unwrap_or_default().to_owned()
        }
    }
}

/// The text of the first element of this name.
pub(super) fn text_of(xml: &[u8], name: &str) -> Option<String> {
    let mut found = None;
    leaves(xml, |path, text| {
        if found.is_none() && path.last().is_some_and(|last| last == name) {
            found = Some(text.to_owned());
        }
    });
    found.filter(|text| !text.is_empty())
}

/// The answer to ListObjectsV2.
pub(super) fn listing(xml: &[u8]) -> Listing {
    let more = text_of(xml, "IsTruncated").is_some_and(|text| text == "true");
    let encoded = text_of(xml, "EncodingType").is_some_and(|text| text == "url");
    let mut objects: Vec<Listed> = Vec::new();
    leaves(xml, |path, text| match path {
        [.., parent, name] if parent == "Contents" && name == "Key" => {
            let key = if encoded { url_decoded(text) } else { text.to_owned() };
            objects.push(Listed { key, size: 0 });
        }
        [.., parent, name] if parent == "Contents" && name == "Size" => {
            if let Some(last) = objects.last_mut() {
                last.size = text.parse().unwrap_or(0);
            }
        }
        _ => {}
    });
    Listing { objects, more }
}

/// The ids of the uploads of this key in the answer to ListMultipartUploads.
pub(super) fn uploads(xml: &[u8], wanted: &str) -> Vec<String> {
    let encoded = text_of(xml, "EncodingType").is_some_and(|text| text == "url");
    let (mut ids, mut is_wanted) = (Vec::new(), false);
    leaves(xml, |path, text| match path {
        [.., parent, name] if parent == "Upload" && name == "Key" => {
            is_wanted = if encoded { url_decoded(text) == wanted } else { text == wanted };
        }
        [.., parent, name] if parent == "Upload" && name == "UploadId" && is_wanted => {
            ids.push(text.to_owned());
        }
        _ => {}
    });
    ids
}

/// Why an object could not be removed, if the answer to DeleteObjects says so.
pub(super) fn not_deleted(xml: &[u8]) -> Option<String> {
    let mut first = None;
    leaves(xml, |path, text| {
        if let [_, error, code] = path
            && error == "Error"
            && code == "Code"
            && text != "NoSuchKey"
        {
            first.get_or_insert_with(|| text.to_owned());
        }
    });
    first
}

/// Whether the whole answer is an error, whatever its status.
pub(super) fn is_error(xml: &[u8]) -> bool {
    let mut error = false;
    leaves(xml, |path, _| error |= path.len() == 2 && path[0] == "Error");
    error
}

/// Undoes `encoding-type=url`, in which `+` is a space.
fn url_decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// An answer that says no.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// S3's word for it, empty where there is none.
    pub(super) code: String,
    message: String,
    /// The region that the bucket is in, where the answer says so.
    pub(super) region: Option<String>,
    /// What time the server has.
    pub(super) date: Option<OffsetDateTime>,
    retry_after: Option<Duration>,
    plain_http: bool,
    /// Something was said, but not in the way of S3.
    foreign: bool,
}

impl Refusal {
    pub(super) fn of(answer: &Answer) -> Refusal {
        let mut code = String::new();
        let mut message = String::new();
        let mut region = None;
        leaves(&answer.body, |path, text| match path {
            [error, name] if error == "Error" => match name.as_str() {
                "Code" => text.trim().clone_into(&mut code),
                "Message" => message = shortened(text),
                "Region" => region = Some(text.trim().to_owned()),
                _ => {}
            },
            _ => {}
        });
        let region = region
            .or_else(|| answer.header("x-amz-bucket-region").map(str::to_owned))
            .filter(|region| is_region(region));
        Refusal {
            status: answer.status,
            plain_http: code.is_empty() && wants_tls(answer),
            foreign: code.is_empty() && !answer.body.is_empty(),
            code,
            message,
            region,
            date: answer.header("date").and_then(http_date),
            retry_after: retry_after(answer),
        }
    }

    /// Whether it was the checksum header that the service could not take.
    pub(super) fn knows_no_checksums(&self) -> bool {
        let named = self.message.to_ascii_lowercase().contains("checksum");
        self.status == 501 || (self.status == 400 && named && self.fault() == Fault::Refused)
    }

    fn fault(&self) -> Fault {
        self.meaning("", "").0
    }

    /// What may be done about it, and the words for the user.
    /// `doing` is what was wanted of the bucket.
    pub(super) fn into_error(self, doing: &str, bucket: &str, place: &str) -> StoreError {
        let (fault, what, advice) = self.meaning(doing, bucket);
        let failure = StoreError::new(fault, what).at(place);
        match advice {
            "" => failure,
            advice => failure.advise(advice),
        }
    }

    fn meaning(&self, doing: &str, bucket: &str) -> (Fault, String, &'static str) {
        let said = self.said();
        let plain = |fault, what: &str, advice| (fault, what.to_owned(), advice);
        match self.code.as_str() {
            "InvalidAccessKeyId" | "NotSignedUp" => plain(
                Fault::Refused,
                "the store does not know the access key",
                "check store_identity, and store_session_token if the credentials are temporary",
            ),
            "SignatureDoesNotMatch" => plain(
                Fault::Refused,
                "the secret does not belong to the access key",
                "check store_secret, and store_session_token if the credentials are temporary",
            ),
            "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired" => plain(
                Fault::Refused,
                "the temporary credentials are not valid, or no longer",
                "get new ones, and set store_session_token together with them",
            ),
            "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => (
                Fault::Refused,
                format!("the access key may not {doing} the bucket {bucket}"),
                "give it the rights s3:PutObject, s3:GetObject, s3:ListBucket, s3:DeleteObject and \
                 s3:AbortMultipartUpload for the bucket and what is in it",
            ),
            "NoSuchBucket" => (
                Fault::NotFound,
                format!("the bucket {bucket} does not exist"),
                "check store_container, make the bucket, or let it be made with store_create = true",
            ),
            "InvalidBucketName" => (
                Fault::Refused,
                format!("{bucket} cannot be the name of a bucket"),
                "check store_container: 3 to 63 small letters, digits, hyphens and dots",
            ),
            "NoSuchKey" | "NoSuchUpload" => {
                (Fault::NotFound, format!("it is not in the store: {said}"), "")
            }
            "RequestTimeTooSkewed" => plain(
                Fault::Refused,
                "this machine's clock and the store's differ by too much",
                "set the clock of this machine",
            ),
            "AuthorizationHeaderMalformed"
            | "PermanentRedirect"
            | "IllegalLocationConstraintException" => (
                Fault::Refused,
                format!("the bucket {bucket} is in another region: {said}"),
                "set store_region, and store_endpoint to the address of that region",
            ),
            "NotImplemented" | "MethodNotAllowed" => {
                (Fault::Refused, format!("the store does not know this: {said}"), "")
            }
            "EntityTooLarge" => plain(Fault::Refused, "the store takes no object of this size", ""),
            // A part has another ETag than the answer to it said.
            "BadDigest" | "XAmzContentSHA256Mismatch" | "IncompleteBody" | "InvalidPart" => {
                (Fault::Mismatch, format!("what arrived is not what was sent: {said}"), "")
            }
            "SlowDown" | "ServiceUnavailable" | "ThrottlingException" | "TooManyRequests" => {
                (Fault::Busy(self.retry_after), format!("the store is busy: {said}"), "")
            }
            "RequestTimeout"
            | "InternalError"
            | "OperationAborted"
            | "ConditionalRequestConflict" => {
                (Fault::Unreachable, format!("the store failed: {said}"), "")
            }
            _ => self.meaning_of_status(said, bucket),
        }
    }

    /// Where S3's own words say nothing.
    fn meaning_of_status(&self, said: String, bucket: &str) -> (Fault, String, &'static str) {
        match self.status {
            // 498 is Swift's own for too many requests.
            429 | 498 | 503 => {
                (Fault::Busy(self.retry_after), format!("the store is busy: {said}"), "")
            }
            507 => (Fault::Refused, "the store is full".to_owned(), "make room in it"),
            401 | 403 if self.foreign => (
                Fault::Refused,
                format!("this does not answer like an S3 service: {said}"),
                "check store_endpoint: a proxy or a web server asks for a login here",
            ),
            405 | 501 | 505 if self.foreign => self.no_s3(&said),
            501 | 505 => (Fault::Refused, format!("the store does not know this: {said}"), ""),
            408 | 500..=599 => (Fault::Unreachable, format!("the store failed: {said}"), ""),
            401 | 403 => (
                Fault::Refused,
                format!("the store refuses the access key: {said}"),
                "check store_identity, store_secret and the rights of the key",
            ),
            404 if self.code.is_empty() && self.message.is_empty() => (
                Fault::NotFound,
                format!("there is no bucket {bucket} here: {said}"),
                "check store_endpoint and store_container",
            ),
            404 => (Fault::NotFound, format!("it is not in the store: {said}"), ""),
            400 if self.plain_http => (
                Fault::Refused,
                "the store answers https at this address".to_owned(),
                "begin store_endpoint with https://",
            ),
            200..=399 => self.no_s3(&said),
            _ => (Fault::Refused, format!("the store refused: {said}"), ""),
        }
    }

    fn no_s3(&self, said: &str) -> (Fault, String, &'static str) {
        (
            Fault::Refused,
            format!("this does not answer like an S3 service: {said}"),
            "check that store_endpoint is the address of the S3 service itself",
        )
    }

    /// What the server itself said, on one line.
    fn said(&self) -> String {
        match (self.code.as_str(), self.message.as_str()) {
            ("", "") => format!("HTTP status {}", self.status),
            ("", message) => format!("HTTP status {}, {message}", self.status),
            (code, "") => code.to_owned(),
            (code, message) => format!("{code}, {message}"),
        }
    }
}

/// A server's message, fit for one line.
fn shortened(text: &str) -> String {
    let line: String = text.trim().chars().filter(|c| !c.is_control()).take(200).collect();
    line.trim_end_matches('.').to_owned()
}

fn is_region(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// RFC 9110 section 5.6.7, the form that every server sends today.
fn http_date(text: &str) -> Option<OffsetDateTime> {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    PrimitiveDateTime::parse(text, format).ok().map(PrimitiveDateTime::assume_utc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_gives_keys_as_they_are() {
        let xml = br#"<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
            <Name>b</Name><Prefix>p/</Prefix><IsTruncated>true</IsTruncated>
            <Contents><Key>p/a &amp; b&#x27;.txt</Key><Size>3</Size><Owner><ID>o</ID></Owner></Contents>
            <Contents><Key>p/100%25+x</Key><Size>0</Size></Contents></ListBucketResult>"#;
        let plain = listing(xml);
        assert!(plain.more);
        assert_eq!(plain.objects[0], Listed { key: "p/a & b'.txt".to_owned(), size: 3 });
        assert_eq!(plain.objects[1].key, "p/100%25+x");
        let text = String::from_utf8_lossy(xml)
            .replace("<Name>", "<EncodingType>url</EncodingType><Name>");
        assert_eq!(listing(text.as_bytes()).objects[1].key, "p/100% x");
    }

    fn refusal(status: u16, body: &str) -> StoreError {
        let answer = Answer {
            status,
            headers: crate::http::HeaderMap::new(),
            body: body.as_bytes().to_vec(),
            cut: None,
        };
        Refusal::of(&answer).into_error("write into", "logs", "https://s3.example.org/logs")
    }

    fn xml(code: &str) -> String {
        format!(
            "<Error><Code>{code}</Code><Message>Said the server.</Message><AWSAccessKeyId>AKIDEXAMPLE</AWSAccessKeyId></Error>"
        )
    }

    #[test]
    fn each_refusal_says_what_to_do_and_whether_to_try_again() {
        for (status, code, fault, words) in [
            (403, "InvalidAccessKeyId", Fault::Refused, "store_session_token"),
            (403, "SignatureDoesNotMatch", Fault::Refused, "store_secret"),
            (403, "ExpiredToken", Fault::Refused, "store_session_token"),
            (403, "AccessDenied", Fault::Refused, "s3:PutObject"),
            (404, "NoSuchBucket", Fault::NotFound, "store_create"),
            (404, "NoSuchKey", Fault::NotFound, "Said the server"),
            (403, "RequestTimeTooSkewed", Fault::Refused, "clock"),
            (400, "AuthorizationHeaderMalformed", Fault::Refused, "store_region"),
            (400, "BadDigest", Fault::Mismatch, "not what was sent"),
            (400, "InvalidPart", Fault::Mismatch, "not what was sent"),
            (503, "SlowDown", Fault::Busy(None), "busy"),
            (429, "TooManyRequests", Fault::Busy(None), "busy"),
            (429, "Whatever", Fault::Busy(None), "busy"),
            (500, "InternalError", Fault::Unreachable, "failed"),
            (507, "XMinioStorageFull", Fault::Refused, "full"),
            (501, "NotImplemented", Fault::Refused, "does not know"),
            (418, "Teapot", Fault::Refused, "Teapot, Said the server"),
        ] {
            let failure = refusal(status, &xml(code));
            assert_eq!(failure.fault, fault, "{code}");
            let text = failure.to_string();
            assert!(text.contains(words), "{code}: {text}");
            assert!(!text.contains("AKIDEXAMPLE"), "{text}");
        }
    }

    #[test]
    fn answers_that_are_not_s3_at_all_are_called_so() {
        let page = "<!DOCTYPE html><html><body>Welcome</body></html>";
        assert!(refusal(302, page).to_string().contains("does not answer like an S3 service"));
        let tls = refusal(400, "Client sent an HTTP request to an HTTPS server.\n");
        assert!(tls.to_string().contains("https://"), "{tls}");
        assert_eq!(refusal(502, page).fault, Fault::Unreachable);
        assert!(refusal(404, page).to_string().contains("store_endpoint"));
    }

    #[test]
    fn a_servers_date_is_read() {
        let date = http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(date.unix_timestamp(), 784_111_777);
    }
}
