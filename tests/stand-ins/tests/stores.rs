//! Stores answer as a web server and as S3 do.

mod client;

use std::fs;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use client::{Answer, agent, send};
use md5::{Digest, Md5};
use stand_ins::{Bucket, BucketOptions, Fault, FileServer, Swift};
use time::OffsetDateTime;
use time::macros::format_description;

fn get(url: &str) -> Answer {
    send(&agent(), "GET", url, &[], b"").unwrap()
}

#[test]
fn a_folder_is_published_without_listings_and_nothing_above_it() {
    let above = tempfile::tempdir().unwrap();
    let folder = above.path().join("www");
    fs::create_dir_all(folder.join("run 1/empty")).unwrap();
    fs::write(above.path().join("secret.txt"), "secret").unwrap();
    fs::write(folder.join("run 1/a#b%.log"), "log").unwrap();
    fs::write(folder.join("run 1/index.html"), "<p>index").unwrap();
    let server = FileServer::start(&folder);
    let url = server.url();
    let log = get(&format!("{url}/run%201/a%23b%25.log"));
    assert_eq!(
        (log.status, log.text.as_str(), log.header("content-type")),
        (200, "log", "text/plain")
    );
    let index = get(&format!("{url}/run%201/"));
    assert_eq!((index.text.as_str(), index.header("content-type")), ("<p>index", "text/html"));
    let moved = get(&format!("{url}/run%201"));
    assert_eq!((moved.status, moved.header("location")), (301, "/run%201/"));
    for path in
        ["/run%201/empty/", "/nothing", "/%2e%2e/secret.txt", "/run%201/..%2f..%2fsecret.txt"]
    {
        assert_eq!(get(&format!("{url}{path}")).status, 404, "{path}");
    }
    assert_eq!(send(&agent(), "PUT", &format!("{url}/x"), &[], b"x").unwrap().status, 405);
    assert_eq!(server.requests().len(), 8);
}

/// A request that is signed in form; the signature itself nobody checks.
fn signed(method: &str, url: &str, more: &[(&str, &str)], body: &[u8]) -> Answer {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let date = OffsetDateTime::now_utc().format(format).unwrap();
    let mut names = vec!["host", "x-amz-content-sha256", "x-amz-date"];
    names.extend(more.iter().map(|(name, _)| *name));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=lab/{}/us-east-1/s3/aws4_request, SignedHeaders={}, Signature={}",
        &date[..8],
        names.join(";"),
        "0".repeat(64)
    );
    let mut headers = vec![("Authorization", authorization.as_str()), ("x-amz-date", &date)];
    if !more.iter().any(|(name, _)| *name == "x-amz-content-sha256") {
        headers.push(("x-amz-content-sha256", "UNSIGNED-PAYLOAD"));
    }
    headers.extend(more);
    send(&agent(), method, url, &headers, body).unwrap()
}

fn md5_of(bytes: &[u8]) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

#[test]
fn an_object_is_put_read_and_deleted_with_its_headers() {
    let bucket = Bucket::start("logs");
    let url = format!("{}/run%201/a%23b.log", bucket.public_url());
    let headers = [("content-type", "text/plain; charset=utf-8"), ("content-md5", &md5_of(b"log"))];
    let put = signed("PUT", &url, &headers, b"log");
    assert_eq!(
        (put.status, put.header("etag")),
        (200, "\"dc1d71bbb5c4d2a5e936db79ef10c19f\""),
        "{}",
        put.text
    );
    let object = bucket.object("run 1/a#b.log").unwrap();
    assert_eq!(object.header("content-type"), Some("text/plain; charset=utf-8"));
    let read = get(&url);
    assert_eq!(
        (read.text.as_str(), read.header("content-type")),
        ("log", "text/plain; charset=utf-8")
    );
    assert_eq!(signed("HEAD", &url, &[], b"").header("content-length"), "3");
    assert_eq!(signed("DELETE", &url, &[], b"").status, 204);
    assert_eq!(signed("GET", &url, &[], b"").status, 404);
    assert_eq!(get(&url).status, 403, "who may not list is not told that it is missing");
}

#[test]
fn digests_are_checked() {
    let bucket = Bucket::start("logs");
    let url = format!("{}/a.log", bucket.public_url());
    let wrong = signed("PUT", &url, &[("content-md5", &md5_of(b"other"))], b"log");
    assert_eq!(wrong.status, 400);
    assert!(wrong.text.contains("<Code>BadDigest</Code>"));
    let other = "1".repeat(64);
    let wrong = signed("PUT", &url, &[("x-amz-content-sha256", &other)], b"log");
    assert!(wrong.text.contains("XAmzContentSHA256Mismatch"), "{}", wrong.text);
    let chunked = [("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")];
    assert_eq!(signed("PUT", &url, &chunked, b"log").status, 501);
    assert!(bucket.keys().is_empty());
}

#[test]
fn requests_must_be_signed_in_form() {
    let bucket = Bucket::start("logs");
    let url = format!("{}/a.log", bucket.public_url());
    assert_eq!(send(&agent(), "PUT", &url, &[], b"log").unwrap().status, 403);
    bucket.set_clock_ahead(3600);
    assert!(signed("PUT", &url, &[], b"log").text.contains("RequestTimeTooSkewed"));
    bucket.set_clock_ahead(0);
    assert_eq!(get(&format!("{}?list-type=2", bucket.public_url())).status, 403);
    let acl = signed("PUT", &url, &[("x-amz-acl", "public-read")], b"log");
    assert!(acl.text.contains("AccessControlListNotSupported"));
    let region = Bucket::start_with(BucketOptions {
        region: Some("eu-west-1".to_owned()),
        ..BucketOptions::default()
    });
    let answer = signed("PUT", &format!("{}/a", region.public_url()), &[], b"log");
    assert!(answer.text.contains("<Region>eu-west-1</Region>"), "{}", answer.text);
}

#[test]
fn the_bucket_is_found_by_host_and_by_path() {
    let bucket = Bucket::start("logs");
    let url = format!("{}/a.log", bucket.url());
    assert_eq!(signed("PUT", &url, &[("Host", "logs.s3.example")], b"log").status, 200);
    assert_eq!(bucket.keys(), ["a.log"]);
    assert_eq!(signed("HEAD", &bucket.public_url(), &[], b"").status, 200);
    assert!(
        signed("GET", &format!("{}?location", bucket.public_url()), &[], b"")
            .text
            .contains("LocationConstraint")
    );
    let other = signed("HEAD", &format!("{}/other", bucket.url()), &[], b"");
    assert_eq!(other.status, 404);
}

#[test]
fn a_listing_has_pages_prefixes_and_folders() {
    let bucket = Bucket::start("logs");
    for key in ["a/1", "a/2", "a/3&", "b/1", "c"] {
        bucket.put(key, b"x");
    }
    let list = |query: &str| {
        signed("GET", &format!("{}?list-type=2&{query}", bucket.public_url()), &[], b"").text
    };
    let first = list("prefix=a/&max-keys=2");
    assert!(first.contains("<Key>a/2</Key>") && !first.contains("<Key>a/3"));
    assert!(first.contains("<IsTruncated>true</IsTruncated>"));
    let token = first.split("<NextContinuationToken>").nth(1).unwrap();
    let token = token.split('<').next().unwrap().replace('=', "%3D");
    let second = list(&format!("prefix=a/&max-keys=2&continuation-token={token}"));
    assert!(second.contains("<Key>a/3&amp;</Key>") && second.contains("<KeyCount>1</KeyCount>"));
    assert!(list("start-after=b/1").contains("<KeyCount>1</KeyCount>"));
    let folders = list("delimiter=/");
    assert!(folders.contains("<Prefix>b/</Prefix>") && folders.contains("<KeyCount>3</KeyCount>"));
}

#[test]
fn parts_become_one_object() {
    let bucket = Bucket::start_with(BucketOptions { least_part: 3, ..BucketOptions::default() });
    let url = format!("{}/big.log", bucket.public_url());
    let begun = signed("POST", &format!("{url}?uploads"), &[("content-type", "text/plain")], b"");
    let id = begun.text.split("<UploadId>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(bucket.unfinished_uploads(), 1);
    let part = |number: u32, bytes: &[u8]| {
        let answer = signed("PUT", &format!("{url}?partNumber={number}&uploadId={id}"), &[], bytes);
        let etag = answer.header("etag").to_owned();
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
    };
    let (one, two) = (part(1, b"abc"), part(2, b"de"));
    let complete = |parts: &str| {
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        signed("POST", &format!("{url}?uploadId={id}"), &[], body.as_bytes())
    };
    assert!(complete(&format!("{two}{one}")).text.contains("InvalidPartOrder"));
    assert_eq!(complete(&format!("{one}{two}")).status, 200);
    let object = bucket.object("big.log").unwrap();
    assert_eq!(
        (object.text().as_str(), object.header("content-type")),
        ("abcde", Some("text/plain"))
    );
    assert!(object.etag.ends_with("-2\""));
    let again = signed("POST", &format!("{url}?uploads"), &[], b"");
    let id = again.text.split("<UploadId>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(signed("DELETE", &format!("{url}?uploadId={id}"), &[], b"").status, 204);
    assert_eq!(bucket.unfinished_uploads(), 0);
}

#[test]
fn troubles_of_s3_come_on_demand() {
    let bucket = Bucket::start("logs");
    let url = format!("{}/a.log", bucket.public_url());
    bucket.fault(Fault::on("PUT", "a.log").s3(503, "SlowDown"));
    let slow = signed("PUT", &url, &[], b"log");
    assert!(slow.status == 503 && slow.text.contains("<Code>SlowDown</Code>"));
    bucket.fault(Fault::on("PUT", "a.log").header("ETag", "\"00000000000000000000000000000000\""));
    assert!(signed("PUT", &url, &[], b"log").header("etag").starts_with("\"0000"));
    assert!(bucket.object("a.log").is_some());
}

#[test]
fn a_sink_keeps_lengths_only_and_answers_late() {
    let bucket = Bucket::start_with(BucketOptions {
        discard: true,
        delay: Duration::from_millis(1),
        ..BucketOptions::default()
    });
    let url = format!("{}/a.log", bucket.public_url());
    let put = signed("PUT", &url, &[("content-md5", &md5_of(b"log"))], b"log");
    assert_eq!(put.header("etag"), "\"dc1d71bbb5c4d2a5e936db79ef10c19f\"");
    let object = bucket.object("a.log").unwrap();
    assert_eq!((object.length, object.bytes.len()), (3, 0));
    assert!(bucket.requests()[0].body.is_empty());
}

#[test]
fn a_large_object_of_swift_is_made_of_segments_that_fit_and_removed_with_them() {
    let swift = Swift::start();
    let user = [("X-Auth-User", "lab:bot"), ("X-Auth-Key", "right-secret")];
    let login = send(&agent(), "GET", &swift.endpoint("auth/v1.0"), &user, b"").unwrap();
    let account = format!("{}/notify-pr", login.header("x-storage-url"));
    let call = |method: &str, path: &str, body: &[u8]| {
        let token = [("X-Auth-Token", login.header("x-auth-token"))];
        send(&agent(), method, &format!("{account}/{path}"), &token, body).unwrap()
    };
    let rows: Vec<serde_json::Value> = ["one, ", "two"]
        .iter()
        .enumerate()
        .map(|(at, text)| {
            let put = call("PUT", &format!("parts/{at}"), text.as_bytes());
            serde_json::json!({ "path": format!("/notify-pr/parts/{at}"),
                "etag": put.header("etag"), "size_bytes": text.len() })
        })
        .collect();
    let manifest = |rows: &[serde_json::Value]| {
        let list = serde_json::Value::Array(rows.to_vec()).to_string();
        call("PUT", "whole?multipart-manifest=put", list.as_bytes())
    };
    for (field, value, words) in [
        ("etag", serde_json::json!("0".repeat(32)), "Etag Mismatch"),
        ("size_bytes", serde_json::json!(1), "Size Mismatch"),
        ("path", serde_json::json!("/notify-pr/parts/9"), "404 Not Found"),
    ] {
        let mut wrong = rows.clone();
        wrong[1][field] = value;
        let refused = manifest(&wrong);
        assert_eq!(refused.status, 400);
        assert!(refused.text.contains(words), "{}", refused.text);
    }
    assert_eq!(manifest(&rows).status, 201);
    assert_eq!(call("GET", "whole", b"").text, "one, two");
    assert_eq!(call("HEAD", "whole", b"").header("x-static-large-object"), "True");
    assert_eq!(call("DELETE", "whole?multipart-manifest=delete", b"").status, 200);
    assert!(swift.state().objects.is_empty());
}
