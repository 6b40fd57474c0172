//! The page of a pull request, so that a person can open the address of a comment.

use std::fmt::Write;

use super::state::{State, iso};
use crate::server::{Request, Response, decode};

/// Whether a browser asks: clients of the API never ask for HTML.
pub(crate) fn is_meant(request: &Request) -> bool {
    let accept = request.header("accept").unwrap_or_default();
    request.method == "GET" && accept.starts_with("text/html")
}

/// The page of `/{owner}/{name}/pull/{number}`. Markdown is shown as it was sent.
pub(crate) fn page(state: &State, request: &Request) -> Response {
    let segments: Vec<String> = request.path().split('/').skip(1).map(decode).collect();
    let [owner, name, pull, number] = segments.as_slice() else { return Response::html(404) };
    let number = number.parse::<u64>().unwrap_or_default();
    let repository = state.repository(&format!("{owner}/{name}"));
    let found = repository.filter(|repository| pull == "pull" && !repository.private);
    let Some(pull) = found.and_then(|repository| repository.pulls.get(&number)) else {
        return Response::html(404);
    };
    let title = escape(&pull.title);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         </head>\n<body><h1>{title} #{number}</h1>\n"
    );
    for comment in &pull.comments {
        let _ = write!(
            page,
            "<article id=\"issuecomment-{}\"><h2>{}, {}</h2>\n<pre>{}</pre></article>\n",
            comment.id,
            escape(&comment.login),
            iso(comment.updated),
            escape(&comment.body)
        );
    }
    page.push_str("</body></html>\n");
    Response::new(200).header("Content-Type", "text/html; charset=utf-8").body(page)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
