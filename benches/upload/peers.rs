//! The command lines of the uploaders.

use std::path::{Path, PathBuf};

use crate::scenes::Server;

/// Who uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// As the peers do it: plain bytes with checksums.
    Ours,
    /// As it comes: secrets are masked, and gzip where it pays.
    OursDefault,
    /// Bare sockets.
    Floor,
    S5cmd,
    Rclone,
    Aws,
    Swift,
}

impl Who {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Who::Ours => "ours",
            Who::OursDefault => "ours, masking + gzip auto",
            Who::Floor => "bare sockets",
            Who::S5cmd => "s5cmd",
            Who::Rclone => "rclone",
            Who::Aws => "aws",
            Who::Swift => "swift",
        }
    }

    pub(crate) fn is_peer(self) -> bool {
        !matches!(self, Who::Ours | Who::OursDefault | Who::Floor)
    }

    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Who::Ours | Who::OursDefault)
    }

    /// Where the program is, if it is a peer that is installed.
    pub(crate) fn program(self) -> Option<PathBuf> {
        let home = crate::services::folder().join("peers/venv");
        let path = match self {
            Who::Ours | Who::OursDefault | Who::Floor => return std::env::current_exe().ok(),
            // Not the script beside it, which is Python and costs more than s5cmd itself.
            Who::S5cmd => {
                let lib = std::fs::read_dir(home.join("lib")).ok()?;
                let python = lib.filter_map(Result::ok).next()?.path();
                python.join("site-packages/s5cmd/bin/s5cmd")
            }
            Who::Rclone => home.join("bin/rclone"),
            Who::Aws => home.join("bin/aws"),
            Who::Swift => home.join("bin/swift"),
        };
        path.exists().then_some(path)
    }

    /// The command that uploads a folder, and its variables.
    pub(crate) fn command(
        self,
        program: &Path,
        server: &Server,
        folder: &Path,
        more: &[&str],
    ) -> (Vec<String>, Vec<(String, String)>) {
        let Server { endpoint, access_key, secret_key, certificate, bucket, .. } = server;
        let folder = folder.display();
        let mut line: Vec<String> = match self {
            Who::Ours | Who::OursDefault => {
                let mut line = vec![
                    "--ours".to_owned(),
                    folder.to_string(),
                    "store_api=s3".to_owned(),
                    format!("store_endpoint={endpoint}"),
                    format!("store_container={bucket}"),
                    format!("store_identity={access_key}"),
                    format!("store_secret={secret_key}"),
                ];
                if self == Who::Ours {
                    line.extend(["store_compress=off".to_owned(), "plain".to_owned()]);
                }
                line.extend(certificate.iter().map(|path| format!("ca_file={path}")));
                line
            }
            Who::Floor => {
                let address = endpoint.trim_start_matches("http://").to_owned();
                vec!["--floor".to_owned(), address, folder.to_string()]
            }
            Who::S5cmd => words(&format!(
                "--endpoint-url {endpoint} --log error cp {folder}/ s3://{bucket}/s5cmd/"
            )),
            Who::Rclone => words(&format!(
                "copy {folder} :s3:{bucket}/rclone --config /dev/null --log-level ERROR \
                 --s3-provider Other --s3-endpoint {endpoint} --s3-access-key-id {access_key} \
                 --s3-secret-access-key {secret_key} --s3-force-path-style"
            )),
            Who::Aws => words(&format!(
                "--endpoint-url {endpoint} s3 cp --recursive --only-show-errors {folder} \
                 s3://{bucket}/aws/"
            )),
            // The sink knows no MD5 to compare with.
            Who::Swift => words(&format!(
                "--os-storage-url {endpoint}/v1/AUTH_bench --os-auth-token token --quiet upload \
                 --ignore-checksum {bucket} {folder}"
            )),
        };
        line.insert(0, program.display().to_string());
        line.extend(more.iter().map(|word| (*word).to_owned()));
        let mut variables = vec![
            ("AWS_ACCESS_KEY_ID", access_key.as_str()),
            ("AWS_SECRET_ACCESS_KEY", secret_key),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("PYTHONWARNINGS", "ignore"),
        ];
        if let Some(path) = certificate {
            variables.extend([("SSL_CERT_FILE", path.as_str()), ("AWS_CA_BUNDLE", path)]);
        }
        let variables =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        (line, variables.collect())
    }
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}
