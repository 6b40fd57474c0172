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
        Kind::Choice(&["directory", "s3", "swift"]),
        "What kind of store takes the files",
        "directory is a folder that a web server publishes, s3 is Amazon S3 and everything that \
         speaks its language, swift is OpenStack Swift, also that of Ceph. Without it there is a \
         comment without files.",
    )
    .example_value("s3"),
    setting(
        "store_endpoint",
        Kind::Endpoint,
        "The address of the store, or the folder",
        "For s3 the path of the address is the container if store_container is not set. For swift \
         it is the address of Keystone (https://…/v3, or without a version), or of TempAuth \
         (https://…/auth/v1.0).",
    )
    .example_value("https://s3.example.org")
    .needed_by_stages(&[Stage::Upload])
    .needed_only_for("store_api", &["directory", "s3", "swift"]),
    setting(
        "store_identity",
        Kind::Text,
        "Who uploads: for s3 the access key id, for swift project:user",
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the variables that belong to them, or the \
         profile of AWS_PROFILE in the shared credentials file, are used \
         when store_api is s3 and nothing else gives an identity or a secret. For swift it is \
         project:user, domain/project:user, tenant:user or account:user; the cloud of OS_CLOUD in \
         clouds.yaml, or OS_AUTH_URL, OS_USERNAME, OS_PASSWORD and the variables that belong to \
         them, are used in the same way.",
    )
    .example_value("example-identity")
    .needed_by_stages(&[Stage::Upload])
    .needed_only_for("store_api", &["s3"]),
    setting(
        "store_secret",
        Kind::Secret,
        "The secret of the identity: for s3 the secret access key, for swift the password",
        "On a command line everybody on the machine can read it: use store_secret_file or \
         NOTIFY_PR_STORE_SECRET.",
    )
    .example_value("example-secret")
    .needed_by_stages(&[Stage::Upload])
    .needed_only_for("store_api", &["s3", "swift"]),
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
        "store_session_end",
        Kind::Text,
        "When the temporary credentials of s3 end, as in 2026-11-30T12:00:00Z",
        "Signed links end with them. AWS_CREDENTIAL_EXPIRATION is used together with \
         AWS_SESSION_TOKEN.",
    )
    .example_value("2026-11-30T12:00:00Z"),
    setting(
        "store_container",
        Kind::Text,
        "The container (S3: bucket) of the files",
        "For s3 it may also stand in the path of store_endpoint. For swift it is notify-pr if \
         nothing is said.",
    )
    .example_value("ci-logs"),
    setting(
        "store_region",
        Kind::Text,
        "The region of the container",
        "For s3 a wrong or missing one is learned from the store where it tells. For swift it is \
         the first in the catalogue if nothing is said.",
    )
    .example_value("eu-central-1"),
    setting(
        "store_addressing",
        Kind::Choice(&["auto", "path", "host"]),
        "Whether s3 takes the container in the path or in the host name",
        "auto uses the host name for Amazon and the path for others.",
    )
    .default_value("auto"),
    setting(
        "store_credential_id",
        Kind::Text,
        "The id of an application credential of Keystone",
        "It stands in place of store_identity, and store_secret is its secret. It can be limited to \
         what an upload needs, and taken back alone.",
    )
    .example_value("0123456789abcdef0123456789abcdef"),
    setting(
        "store_user_domain",
        Kind::Text,
        "The domain of the user in Keystone, by name or id",
        "It is Default if nothing is said.",
    )
    .example_value("Default"),
    setting(
        "store_project_domain",
        Kind::Text,
        "The domain of the project in Keystone, by name or id",
        "It is Default if nothing is said.",
    )
    .example_value("Default"),
    setting(
        "store_interface",
        Kind::Choice(&["public", "internal", "admin"]),
        "Which address of swift in Keystone's catalogue is used",
        "Links begin with it too, unless store_public_url is set.",
    )
    .default_value("public"),
    setting(
        "store_access",
        Kind::Choice(&["auto", "public", "signed"]),
        "How the public reads what is stored",
        "auto uses what is public already, else signed links, which end after seven days at the \
         latest. public makes what is stored readable for everybody: it sends an ACL to s3, and a \
         swift container that store_create makes is readable, though not listable; a container \
         that exists is never changed. Files of a private repository go where everybody can read \
         only with public.",
    )
    .default_value("auto"),
    setting(
        "store_lifecycle",
        Kind::Choice(&["check", "manage"]),
        "Whether a bucket's rules of expiry are only read, or one is added",
        "check relies on a rule of the s3 bucket that covers the folder of store_expire_days in \
         store_prefix. manage adds one of its own to those that are there, and changes no other. \
         Without such a rule each run removes a few of the runs before it that are past their day.",
    )
    .default_value("check"),
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
        "The comment names the day. Where the store does not remove them by itself, notify_pr does, its own runs only.",
    )
    .default_value("7"),
    setting(
        "store_compress",
        Kind::Choice(&["auto", "off"]),
        "Whether text is stored compressed, with Content-Encoding: gzip",
        "auto compresses what shrinks by it, where the link to the store is slower than that. \
         Browsers show it as it was. A folder (store_api = directory) holds everything as it is.",
    )
    .default_value("auto"),
    setting("store_create", Kind::Switch, "Make the container if it does not exist", "")
        .default_value("false"),
];
