//! Stores: a folder that a web server publishes, a bucket like those of S3, and a Swift.

mod bucket;
mod file_server;
mod swift;

pub use bucket::{Bucket, BucketOptions, Stored};
pub use file_server::FileServer;
pub use swift::{Swift, SwiftBulk, SwiftObject, SwiftState};

use crate::server::Response;

/// An error in the form of S3.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
         <Message>{message}</Message><RequestId>STANDIN</RequestId></Error>"
    );
    Response::new(status).header("Content-Type", "application/xml").body(body)
}
