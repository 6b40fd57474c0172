//! Which repository, commit and pull request, and with which token.

use super::{Chapter, Setting};
use crate::settings::value::Kind;
use crate::status::Stage;

const fn setting(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    more: &'static str,
) -> Setting {
    Setting::new(name, Chapter::GitHub, kind, help, more)
}

pub(super) const TABLE: &[Setting] = &[
    setting(
        "token",
        Kind::Token,
        "The token of the account that comments",
        "A classic token with public_repo is enough for public repositories. GITHUB_TOKEN and \
         GH_TOKEN are used when nothing else gives a token, for github.com and for the server of \
         GITHUB_API_URL only. On a command line everybody on the machine can read it: use \
         token_file or NOTIFY_PR_TOKEN.",
    )
    .example_value("example-token")
    .needed_by_stages(&[Stage::Find, Stage::Post]),
    setting(
        "token_file",
        Kind::FileOrInput,
        "A file that holds the token; - is standard input",
        "Blanks and the end of line after the token are dropped. It stands in place of token, so \
         only one of the two is given in one place.",
    )
    .example_value("/run/secrets/github-token"),
    setting(
        "owner",
        Kind::Owner,
        "The owner of the repository with the pull request",
        "This is the repository that takes the pull request, never the fork it comes from.",
    )
    .example_value("apache")
    .needed_by_stages(&[Stage::Plan, Stage::Find]),
    setting(
        "repo",
        Kind::Repository,
        "The repository with the pull request",
        "owner/repo sets the owner too.",
    )
    .example_value("cloudstack")
    .needed_by_stages(&[Stage::Plan, Stage::Find]),
    setting(
        "commit",
        Kind::Commit,
        "The commit that was tested",
        "The pull request is found by it: the head, any of its commits, its test merge, or a merge \
         made on this machine. At least 7 digits are needed. By default it comes from the CI \
         server, else from the git checkout in the working directory if one of its remotes is \
         owner/repo or a fork of it with the same name.",
    )
    .example_value("c8443496d3fad78a4b1a48a0992ce545bde299e8")
    .needed_by_stages(&[Stage::Plan, Stage::Find]),
    setting(
        "pull_request",
        Kind::PullRequest,
        "The number of the pull request, none, or auto",
        "By default it is found by the commit, and a number that the CI server gives is only a \
         hint. none is for runs that belong to no pull request, such as nightly ones: the files \
         are uploaded and nothing is posted.",
    )
    .example_value("auto"),
    setting(
        "api_url",
        Kind::Url,
        "The address of GitHub's API",
        "GitHub Enterprise Server has https://HOST/api/v3, a tenant of ghe.com has \
         https://api.TENANT.ghe.com. On GitHub Actions it comes from GITHUB_API_URL.",
    )
    .default_value("https://api.github.com"),
];
