//! What the report says.

use super::{Chapter, Setting};
use crate::settings::value::Kind;

const fn setting(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    more: &'static str,
) -> Setting {
    Setting::new(name, Chapter::Report, kind, help, more)
}

pub(super) const TABLE: &[Setting] = &[
    setting(
        "context",
        Kind::Text,
        "Which lab or job is speaking",
        "A pull request has one comment for each context. By default it is the CI server's host \
         and the name of the job, without the part that names the branch; where no CI server is \
         known it is notify_pr.",
    )
    .default_value("notify_pr")
    .example_value("trillian-kvm"),
    setting(
        "title",
        Kind::Text,
        "The heading of the comment",
        "By default it is made of context and verdict.",
    )
    .example_value("Smoke tests on KVM"),
    setting(
        "verdict",
        Kind::Choice(&["success", "failure", "error", "unknown"]),
        "How the run ended",
        "failure means that tests failed, error that the run itself broke. By default it follows \
         from counts, if those are given.",
    )
    .default_value("unknown"),
    setting(
        "counts",
        Kind::Counts,
        "How many tests passed, failed, broke and were skipped",
        "What is left out is 0. The comment shows the counts as a row of its table.",
    )
    .example_value("passed=12, failed=1, errors=0, skipped=3"),
    setting(
        "part",
        Kind::Text,
        "What this part of the run is called when it is set aside",
        "It counts with submit = collect: the comment has a line of this name, and the files stand \
         under it. By default it is the name of the first file or folder that is attached.",
    )
    .example_value("test_volumes"),
    setting(
        "summary_file",
        Kind::FileOrInput,
        "A file with the text of the comment; - is standard input",
        "It is Markdown. A file that is missing or empty is named in the comment and stops nothing.",
    )
    .example_value("summary.txt"),
    setting(
        "trusted_summary",
        Kind::Switch,
        "The summary may mention people and give bots commands",
        "By default mentions, commands of bots and HTML comments in the summary are made harmless, \
         because a summary often repeats what a test printed.",
    )
    .default_value("false"),
    setting(
        "build_url",
        Kind::UrlOrCi,
        "The page of the build that the comment links; ci is the CI server's own",
        "By default none is published, since CI servers are often internal.",
    )
    .example_value("ci"),
];
