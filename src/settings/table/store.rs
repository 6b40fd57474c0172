//! Where the files go.

use super::{Chapter, Setting};
use crate::settings::value::Kind;
use crate::status::Stage;

const fn setting(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    more: &'static str,
) -> Setting {
    Setting::new(name, Chapter::Store, kind, help, more)
}

pub(super) const TABLE: &[Setting] = &[
    setting(
        "store_api",
        Kind::Choice(&["directory", "s3"]),
        "What kind of store takes the files",
        "directory is a folder that a web server publishes, s3 is Amazon S3 and everything that \
         speaks its language. Without it there is a comment without files.",
    )
    .example_value("s3"),
    setting(
        "store_endpoint",
        Kind::Endpoint,
        "The address of the store, or the folder",
        "For s3 the path of the address is the container if store_container is not set.",
    )
    .example_value("https://s3.example.org")
    .needed_by_stages(&[Stage::Upload])
    .needed_only_for("store_api", &["directory", "s3"]),
    setting(
        "store_identity",
        Kind::Text,
        "Who uploads: for s3 the access key id",
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the variables that belong to them are used \
         when store_api is s3 and nothing else gives an identity or a secret.",
    )
    .example_value("example-identity")
    .needed_by_stages(&[Stage::Upload])
    .needed_only_for("store_api", &["s3"]),
    setting(
        "store_secret",
        Kind::Secret,
        "The secret of the identity: for s3 the secret access key",
        "On a command line everybody on the machine can read it: use store_secret_file or \
         NOTIFY_PR_STORE_SECRET.",
    )
    .example_value("example-secret")
    .needed_by_stages(&[Stage::Upload])
    .needed_only_for("store_api", &["s3"]),
    setting(
        "store_secret_file",
        Kind::FileOrInput,
        "A file that holds the secret; - is standard input",
        "Blanks and the end of line after the secret are dropped. It stands in place of \
         store_secret, so only one of the two is given in one place.",
    )
    .example_value("/run/secrets/store-secret"),
    setting(
        "store_session_token",
        Kind::Token,
        "The session token of temporary credentials of s3",
        "",
    )
    .example_value("example-session-token"),
    setting(
        "store_container",
        Kind::Text,
        "The container (S3: bucket) of the files",
        "For s3 it may also stand in the path of store_endpoint.",
    )
    .example_value("ci-logs"),
    setting(
        "store_region",
        Kind::Text,
        "The region of the container",
        "For s3 a wrong or missing one is learned from the store where it tells.",
    )
    .example_value("eu-central-1"),
    setting(
        "store_addressing",
        Kind::Choice(&["auto", "path", "host"]),
        "Whether s3 takes the container in the path or in the host name",
        "auto uses the host name for Amazon and the path for others.",
    )
    .default_value("auto"),
    setting("store_prefix", Kind::Prefix, "What the name of every object begins with", "")
        .default_value("notify_pr"),
    setting(
        "store_public_url",
        Kind::Url,
        "The address under which the public reads the container or folder",
        "",
    )
    .example_value("https://logs.example.org")
    .needed_by_stages(&[Stage::Upload])
    .needed_only_for("store_api", &["directory"]),
    setting(
        "store_expire_days",
        Kind::Count(1, 3650),
        "After how many days the files may go",
        "The comment names the day. A folder is cleaned by notify_pr itself; of its own runs only.",
    )
    .default_value("7"),
    setting("store_create", Kind::Switch, "Make the container if it does not exist", "")
        .default_value("false"),
];
