//! What the comment looks like, and what to do when things are not as they should be.

use super::{Chapter, Setting};
use crate::settings::value::Kind;

const fn comment(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    more: &'static str,
) -> Setting {
    Setting::new(name, Chapter::Comment, kind, help, more)
}

const fn policy(name: &'static str, kind: Kind, help: &'static str, more: &'static str) -> Setting {
    Setting::new(name, Chapter::Policy, kind, help, more)
}

pub(super) const TABLE: &[Setting] = &[
    comment(
        "comment",
        Kind::Choice(&["update", "new"]),
        "Renew our comment of this context, or add another",
        "",
    )
    .default_value("update"),
    comment(
        "comment_max",
        Kind::Count(1000, 65_536),
        "The most characters that a comment has",
        "What does not fit is uploaded and linked. GitHub's own limit is 65,536.",
    )
    .default_value("16000"),
    comment("template_file", Kind::Path, "A template for the layout of the comment", "")
        .example_value("comment.md.j2"),
    policy(
        "on_outdated",
        Kind::Choice(&["comment", "skip", "fail"]),
        "When the commit is no longer the head of the pull request",
        "Such a report never replaces one for the head.",
    )
    .default_value("comment"),
    policy(
        "on_closed",
        Kind::Choice(&["skip", "comment", "fail"]),
        "When the pull request is closed or merged",
        "",
    )
    .default_value("skip"),
    policy(
        "on_multiple",
        Kind::Choice(&["all", "first", "fail"]),
        "When the commit belongs to several pull requests",
        "",
    )
    .default_value("all"),
    policy(
        "on_no_pull_request",
        Kind::Choice(&["fail", "ignore"]),
        "When the commit belongs to no pull request",
        "ignore uploads the files, prints their page and ends well.",
    )
    .default_value("fail"),
    policy(
        "on_failure",
        Kind::Choice(&["fail", "ignore"]),
        "When the report could not be delivered",
        "ignore ends the command with 0 and one line of warning, so that a build does not fail \
         because of its report.",
    )
    .default_value("fail"),
];
