//! The credentials of Amazon's own programs: `AWS_*`, or a profile of the shared credentials file.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files". They are
//! taken as a whole set or not at all, and the variables come before the file.

use std::path::PathBuf;

use ini::configparser::ini::Ini;

use super::Settings;
use super::environment::Environment;

/// The settings that say who uploads. With any of them nothing is taken from elsewhere.
const OURS: [&str; 4] =
    ["store_identity", "store_secret", "store_secret_file", "store_session_token"];
const PAIR: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
/// No file of credentials is larger.
const LARGEST: u64 = 1 << 20;

impl Settings {
    /// Takes the credentials of Amazon's own programs for a store of that kind, unless some were
    /// given to this program.
    pub(super) fn take_aws(&mut self, environment: &Environment) {
        if self.text("store_api") != Some("s3") || OURS.iter().any(|name| self.is_ours(name)) {
            return;
        }
        let taken = match PAIR.map(|name| environment.text(name)) {
            [Some(identity), Some(secret)] => {
                self.take_variables(environment, identity, secret);
                true
            }
            [None, None] => self.take_profile(environment),
            [identity, _] => {
                let (has, lacks) =
                    if identity.is_some() { (PAIR[0], PAIR[1]) } else { (PAIR[1], PAIR[0]) };
                self.warn(format!("{has} is not used, because {lacks} is not set"));
                false
            }
        };
        if !taken {
            return;
        }
        for (name, variables) in [
            ("store_region", ["AWS_REGION", "AWS_DEFAULT_REGION"]),
            ("store_endpoint", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]),
        ] {
            if let Some((variable, value)) = environment.first(&variables) {
                self.take_from_other(name, variable, value);
            }
        }
    }

    fn take_variables(&mut self, environment: &Environment, identity: &str, secret: &str) {
        self.take_from_other("store_identity", PAIR[0], identity);
        self.take_from_other("store_secret", PAIR[1], secret);
        for (name, variables) in [
            ("store_session_token", &["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"][..]),
            ("store_session_end", &["AWS_CREDENTIAL_EXPIRATION"]),
        ] {
            if let Some((variable, value)) = environment.first(variables) {
                self.take_from_other(name, variable, value);
            }
        }
    }

    /// Takes the profile of `AWS_PROFILE`, or `default`; whether there was one.
    fn take_profile(&mut self, environment: &Environment) -> bool {
        let asked = environment.first(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]);
        let profile = asked.map_or("default", |(_, profile)| profile);
        let (file, named) = match environment.raw("AWS_SHARED_CREDENTIALS_FILE") {
            Some(path) => (environment.working_directory().join(path), true),
            None => {
                let home = ["HOME", "USERPROFILE"].iter().find_map(|name| environment.raw(name));
                let Some(home) = home else { return false };
                (PathBuf::from(home).join(".aws").join("credentials"), false)
            }
        };
        let place = file.display().to_string();
        // Nobody who names neither profile nor file has to have one.
        let wanted = asked.is_some() || named;
        let values = match read(&file, profile) {
            Ok(values) => values,
            Err(why) => {
                if wanted {
                    self.warn(format!("the credentials of AWS in {place} are not used: {why}"));
                }
                return false;
            }
        };
        let value = |names: &[&str]| {
            names.iter().find_map(|name| values.get(*name)?.clone()).filter(|text| !text.is_empty())
        };
        let pair = (value(&["aws_access_key_id"]), value(&["aws_secret_access_key"]));
        let (Some(identity), Some(secret)) = pair else {
            self.warn(format!(
                "the profile {profile} in {place} is not used, because it holds no \
                 aws_access_key_id with its aws_secret_access_key"
            ));
            return false;
        };
        let place = format!("{place}: {profile}");
        self.take_from_other("store_identity", &place, &identity);
        self.take_from_other("store_secret", &place, &secret);
        for (name, keys) in [
            ("store_session_token", &["aws_session_token", "aws_security_token"][..]),
            // Programs that fetch temporary credentials write their end in these ways.
            ("store_session_end", &["x_security_token_expires", "aws_session_expiration"]),
            ("store_region", &["region"]),
        ] {
            if let Some(value) = value(keys) {
                self.take_from_other(name, &place, &value);
            }
        }
        true
    }
}

/// The keys of a profile, in small letters.
fn read(
    file: &std::path::Path,
    profile: &str,
) -> Result<std::collections::HashMap<String, Option<String>>, String> {
    let size = std::fs::metadata(file).map_err(|source| source.to_string())?.len();
    if size > LARGEST {
        return Err("it is too large".to_owned());
    }
    let text = std::fs::read_to_string(file).map_err(|source| source.to_string())?;
    let mut parser = Ini::new_cs();
    let mut rules = parser.defaults();
    // A secret may hold what begins a comment elsewhere.
    rules.enable_inline_comments = false;
    rules.comment_symbols = vec!['#', ';'];
    rules.delimiters = vec!['='];
    parser.load_defaults(rules);
    // What the parser says may quote a line, and the file holds secrets.
    let mut sections = parser
        .read(text.trim_start_matches('\u{feff}').to_owned())
        .map_err(|_| "it is no file of credentials".to_owned())?;
    let found = sections.remove(profile).ok_or_else(|| format!("it has no profile {profile}"))?;
    Ok(found.into_iter().map(|(key, value)| (key.to_ascii_lowercase(), value)).collect())
}
