//! Proxies, certificates and time limits, and what happens on this machine.

use super::{Chapter, Setting};
use crate::settings::value::Kind;

const fn network(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    more: &'static str,
) -> Setting {
    Setting::new(name, Chapter::Network, kind, help, more)
}

const fn local(name: &'static str, kind: Kind, help: &'static str, more: &'static str) -> Setting {
    Setting::new(name, Chapter::Local, kind, help, more)
}

pub(super) const TABLE: &[Setting] = &[
    network(
        "http_proxy",
        Kind::Proxy,
        "The proxy for addresses with http://",
        "The variables http_proxy, https_proxy and no_proxy are used, in small or capital letters, \
         when neither http_proxy nor https_proxy is set here. HTTP_PROXY does not count where \
         REQUEST_METHOD is set.",
    )
    .example_value("http://proxy.example.org:3128"),
    network(
        "https_proxy",
        Kind::Proxy,
        "The proxy for addresses with https://",
        "",
    )
    .example_value("http://proxy.example.org:3128"),
    network(
        "no_proxy",
        Kind::Hosts,
        "Hosts that are reached without a proxy, parted by commas",
        "",
    )
    .example_value("localhost, .example.org"),
    network(
        "ca_file",
        Kind::Path,
        "Certificates to trust besides those of the operating system",
        "The file holds certificates in PEM form.",
    )
    .example_value("/etc/ssl/lab-ca.pem"),
    network(
        "allow_http",
        Kind::Switch,
        "Send secrets over http:// to other machines too",
        "By default a token or a store's secret travels over https:// only, except on this machine.",
    )
    .default_value("false"),
    network(
        "timeout",
        Kind::Duration,
        "How long talking to GitHub may take, waiting for its limits included",
        "A number without a unit means seconds.",
    )
    .default_value("10 min"),
    network(
        "upload_timeout",
        Kind::Duration,
        "How long the upload may take",
        "A number without a unit means seconds.",
    )
    .default_value("60 min"),
    network(
        "jobs",
        Kind::Count(1, 256),
        "How many uploads run at the same time, at most",
        "It begins with few, and more come as long as that makes it faster.",
    )
    .default_value("64"),
    local(
        "outbox_dir",
        Kind::Path,
        "The folder where a report waits that could not be delivered",
        "By default it is notify_pr/outbox in $XDG_STATE_HOME or ~/.local/state, on Windows in \
         %LOCALAPPDATA%. Where the environment is not read or names no such folder it is \
         notify_pr-outbox in the working directory.",
    )
    .example_value("/var/lib/notify_pr/outbox"),
    local(
        "submit",
        Kind::Choice(&["now", "collect"]),
        "Submit the report now, or set it aside for a later notify_pr --spool",
        "collect needs no network and no credentials, so that they can be kept from a process that \
         runs the tested code.",
    )
    .default_value("now"),
    local(
        "spool_dir",
        Kind::Path,
        "The folder where submit = collect sets reports aside",
        "notify_pr --spool with the same folder submits all of them as one report. Make a new \
         folder for each build, below its workspace or with mktemp -d, and name it in \
         NOTIFY_PR_SPOOL_DIR: what could not be delivered stays there, and the next build shall not \
         find it.",
    )
    .example_value("/var/lib/ci/build-156/spool"),
    local(
        "begun",
        Kind::SubmissionId,
        "The part that this report ends, as notify_pr begin named it",
        "Without it, a report that is set aside is a part of its own. With it, the part has the \
         name that it began with, unless part says otherwise; name its files again.",
    )
    .example_value("00112233445566778899aabbccddeeff"),
    local(
        "dry_run",
        Kind::Switch,
        "Write nothing anywhere, but show the comment and the objects",
        "GitHub is read, so a token is needed all the same. No store is contacted.",
    )
    .default_value("false"),
    local(
        "submission_id",
        Kind::SubmissionId,
        "The id of a dry run, so that two of them are alike",
        "It counts in a dry run only: two submissions never share an id.",
    )
    .example_value("00112233445566778899aabbccddeeff"),
    local(
        "source_date_epoch",
        Kind::Count(0, 253_402_300_799),
        "The time of a dry run, in seconds since 1970, so that two of them are alike",
        "The variable SOURCE_DATE_EPOCH is used when it is not set here. It counts in a dry run \
         only.",
    )
    .example_value("1795000000"),
];
