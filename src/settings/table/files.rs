//! Which files go along.

use super::{Chapter, Setting};
use crate::settings::value::Kind;

const fn setting(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    more: &'static str,
) -> Setting {
    Setting::new(name, Chapter::Files, kind, help, more)
}

pub(super) const TABLE: &[Setting] = &[
    setting(
        "full_detail_dir",
        Kind::Path,
        "A folder whose files are all uploaded",
        "A relative path begins at the working directory.",
    )
    .example_value("/tmp/MarvinLogs"),
    setting(
        "full_detail_files",
        Kind::PathList,
        "Files, folders and patterns to upload, parted by commas",
        "A comma that belongs to a name is written \\, and relative paths begin at the working \
         directory. What is missing is named in the comment and stops nothing.",
    )
    .example_value("integration-test-results/smoke/*.xml, jetty-log"),
    setting(
        "include",
        Kind::GlobList,
        "Of the folders only files that match one of these patterns",
        "By default everything is included. A pattern without a slash is compared with the name, \
         one with a slash with the path below the folder.",
    )
    .example_value("*.txt, *.log, *.xml"),
    setting(
        "exclude",
        Kind::GlobList,
        "Files that match one of these patterns are left out",
        "The patterns are those of include; one that ends in a slash leaves out whole folders. By \
         default disk images, core dumps, heap dumps, .git and Marvin's pickles (*.obj), which hold \
         the passwords of hosts, are left out. An empty value leaves out nothing.",
    )
    .default_value(
        "*.qcow, *.qcow2, *.vmdk, *.vhd, *.vhdx, *.vdi, *.iso, *.ova, *.img, core, core.[0-9]*, \
         *.core, vmcore, *.hprof, *.dmp, *.mdmp, *.obj, .git, .git/",
    ),
    setting(
        "max_file",
        Kind::Size,
        "Files larger than this are left out",
        "K, M, G and T are powers of 1,024.",
    )
    .default_value("1G"),
    setting(
        "max_total",
        Kind::Size,
        "The most that is uploaded; the largest files are left out first",
        "K, M, G and T are powers of 1,024.",
    )
    .default_value("5G"),
];
