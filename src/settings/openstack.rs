//! The credentials of OpenStack's own programs: `OS_*`, or a cloud of clouds.yaml.
//!
//! Source: python-openstackclient, "Authentication", and openstacksdk, "Configuring OpenStack SDK
//! Applications". They are taken as a whole set or not at all.

use std::collections::BTreeMap;
use std::path::PathBuf;

use yaml_rust2::{Yaml, YamlLoader};

use super::Settings;
use super::environment::Environment;
use super::url::Address;
use crate::error::{Error, Result};
use crate::status::Status;

/// Names as clouds.yaml writes them; a variable is the same in capitals after `OS_`.
const NAMES: &[&str] = &[
    "auth_url",
    "username",
    "user_id",
    "password",
    "project_name",
    "project_id",
    "tenant_name",
    "tenant_id",
    "user_domain_name",
    "user_domain_id",
    "project_domain_name",
    "project_domain_id",
    "application_credential_id",
    "application_credential_secret",
    "region_name",
    "interface",
    "endpoint_type",
];

/// The settings that say who uploads. With any of them nothing is taken from elsewhere.
const OURS: [&str; 4] =
    ["store_identity", "store_secret", "store_secret_file", "store_credential_id"];

/// A cloud and who asks for a token there.
#[derive(Default)]
struct Cloud {
    values: BTreeMap<&'static str, (String, String)>,
}

impl Cloud {
    fn add(&mut self, name: &'static str, place: String, value: &str) {
        let value = value.trim();
        if !value.is_empty() {
            self.values.insert(name, (place, value.to_owned()));
        }
    }

    /// The first of these that is there: its value, and where it stands.
    fn first<'a>(&'a self, names: &[&str]) -> Option<(&'a str, &'a str)> {
        let (place, value) = names.iter().find_map(|name| self.values.get(*name))?;
        Some((value, place))
    }

    fn of_variables(environment: &Environment) -> Cloud {
        let mut cloud = Cloud::default();
        for name in NAMES {
            let variable = format!("OS_{}", name.to_ascii_uppercase());
            if let Some(value) = environment.text(&variable) {
                cloud.add(name, variable, value);
            }
        }
        cloud
    }
}

impl Settings {
    /// Takes the credentials of OpenStack's own programs for a store of that kind, unless some
    /// were given to this program.
    pub(super) fn take_openstack(&mut self, environment: &Environment) -> Result<()> {
        if self.text("store_api") != Some("swift") || OURS.iter().any(|name| self.is_ours(name)) {
            return Ok(());
        }
        let cloud = match environment.text("OS_CLOUD") {
            Some(name) => of_file(environment, name)?,
            None => Cloud::of_variables(environment),
        };
        self.take_cloud(&cloud);
        Ok(())
    }

    fn take_cloud(&mut self, cloud: &Cloud) {
        let Some((auth_url, url_place)) = cloud.first(&["auth_url"]) else {
            if let Some((_, place)) = cloud.first(&["password", "application_credential_secret"]) {
                self.warn(format!("{place} is not used, because there is no auth_url with it"));
            }
            return;
        };
        // A secret is for the server that it was made for.
        let server = |url: &str| {
            Address::parse(url).map(|address| (address.host.to_ascii_lowercase(), address.port))
        };
        if let Some(endpoint) =
            self.text("store_endpoint").filter(|_| self.is_ours("store_endpoint"))
            && server(endpoint) != server(auth_url)
        {
            self.warn(format!(
                "the credentials of {url_place} are not used, because they are not meant for \
                     the server of store_endpoint"
            ));
            return;
        }
        let credential = cloud
            .first(&["application_credential_id"])
            .zip(cloud.first(&["application_credential_secret"]));
        let password = cloud.first(&["user_id", "username"]).zip(cloud.first(&["password"]));
        match (credential, password) {
            (Some(((id, id_place), (secret, place))), _) => {
                self.take_from_other("store_credential_id", id_place, id);
                self.take_from_other("store_secret", place, secret);
            }
            (None, Some(((user, user_place), (secret, place)))) => {
                let project =
                    cloud.first(&["project_id", "tenant_id", "project_name", "tenant_name"]);
                let identity = match project {
                    Some((project, place)) if project.contains(':') => {
                        self.warn(format!("{place} is not used, because it holds a colon"));
                        return;
                    }
                    Some((project, _)) => format!("{project}:{user}"),
                    None => user.to_owned(),
                };
                self.take_from_other("store_identity", user_place, &identity);
                self.take_from_other("store_secret", place, secret);
                for (name, kinds) in [
                    ("store_user_domain", ["user_domain_id", "user_domain_name"]),
                    ("store_project_domain", ["project_domain_id", "project_domain_name"]),
                ] {
                    // Without a domain a slash in the project would be taken for one.
                    let (domain, place) = cloud.first(&kinds).unwrap_or(("Default", user_place));
                    self.take_from_other(name, place, domain);
                }
            }
            (None, None) => {
                self.warn(format!(
                    "{url_place} is not used, because user and password, or an application \
                     credential, are not given with it"
                ));
                return;
            }
        }
        self.take_from_other("store_endpoint", url_place, auth_url);
        if let Some((region, place)) = cloud.first(&["region_name"]) {
            self.take_from_other("store_region", place, region);
        }
        if let Some((interface, place)) = cloud.first(&["interface", "endpoint_type"]) {
            // Older programs say publicURL.
            let interface = interface.strip_suffix("URL").unwrap_or(interface);
            self.take_from_other("store_interface", place, interface);
        }
    }
}

/// The cloud of this name, with what a secure.yaml beside it adds.
fn of_file(environment: &Environment, name: &str) -> Result<Cloud> {
    let mut cloud = Cloud::default();
    let mut found = false;
    let folders = folders(environment);
    for (file, variable) in
        [("clouds.yaml", "OS_CLIENT_CONFIG_FILE"), ("secure.yaml", "OS_CLIENT_SECURE_FILE")]
    {
        let candidates = match environment.raw(variable) {
            Some(path) => vec![environment.working_directory().join(path)],
            None => folders.iter().map(|folder| folder.join(file)).collect(),
        };
        let Some(path) = candidates.iter().find(|path| path.is_file()) else { continue };
        let place = path.display().to_string();
        let bad = |what: &str| Error::new(Status::BadFile, what).at(place.clone());
        let text = std::fs::read_to_string(path)
            .map_err(|source| bad("it cannot be read").because(source))?;
        // What a parser says of a place in the file may quote it, and it holds secrets.
        let documents = YamlLoader::load_from_str(&text)
            .map_err(|error| bad(&format!("it is no YAML in line {}", error.marker().line())))?;
        let entry = documents.first().map_or(&Yaml::BadValue, |whole| &whole["clouds"][name]);
        found |= entry.as_hash().is_some();
        for key in NAMES {
            for value in [&entry[*key], &entry["auth"][*key]] {
                if let Some(value) = scalar(value) {
                    cloud.add(key, format!("{place}: {name}.{key}"), &value);
                }
            }
        }
    }
    if !found {
        let places: Vec<String> =
            folders.iter().map(|folder| folder.join("clouds.yaml").display().to_string()).collect();
        return Err(Error::new(Status::BadSetting, format!("there is no cloud {name}"))
            .at("OS_CLOUD")
            .advise(format!("add it to the first of these that exists: {}", places.join(", "))));
    }
    Ok(cloud)
}

/// Where the files are looked for, the first one found counts.
fn folders(environment: &Environment) -> Vec<PathBuf> {
    let mut folders = vec![environment.working_directory().to_owned()];
    let home = environment.raw("HOME").map(|home| PathBuf::from(home).join(".config"));
    let config = environment.raw("XDG_CONFIG_HOME").map(PathBuf::from).or(home);
    folders.extend(config.map(|config| config.join("openstack")));
    folders.push(PathBuf::from("/etc/openstack"));
    folders
}

/// A value as text. A password of digits is a number to YAML, as other programs read it too.
fn scalar(value: &Yaml) -> Option<String> {
    match value {
        Yaml::String(text) | Yaml::Real(text) => Some(text.clone()),
        Yaml::Integer(number) => Some(number.to_string()),
        Yaml::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Origin;

    const VARIABLES: &[(&str, &str)] = &[
        ("OS_AUTH_URL", "https://k.example.org:5000/v3"),
        ("OS_USERNAME", "bot"),
        ("OS_PASSWORD", "example-secret"),
        ("OS_PROJECT_NAME", "a/lab"),
        ("OS_USER_DOMAIN_NAME", "people"),
        ("OS_REGION_NAME", "east"),
        ("OS_ENDPOINT_TYPE", "internalURL"),
    ];

    fn settle(own: &[(&str, &str)], variables: &[(&str, &str)], folder: &str) -> Result<Settings> {
        let mut settings = Settings::new();
        settings.set("store_api", "swift", Origin::Api)?;
        for (name, value) in own {
            settings.set(name, value, Origin::Api)?;
        }
        let environment = Environment::from_pairs(variables.iter().copied(), folder);
        settings.take_openstack(&environment).map(|()| settings)
    }

    fn values<'s>(settings: &'s Settings, names: &[&str]) -> Vec<&'s str> {
        names.iter().map(|name| settings.text(name).unwrap_or("")).collect()
    }

    #[test]
    fn the_variables_count_as_a_whole_set() {
        let settings = settle(&[], VARIABLES, "/").unwrap();
        let names = [
            "store_endpoint",
            "store_identity",
            "store_secret",
            "store_user_domain",
            "store_project_domain",
            "store_region",
            "store_interface",
        ];
        assert_eq!(
            values(&settings, &names),
            [
                "https://k.example.org:5000/v3",
                "a/lab:bot",
                "example-secret",
                "people",
                "Default",
                "east",
                "internal"
            ]
        );
        for missing in ["OS_AUTH_URL", "OS_USERNAME", "OS_PASSWORD"] {
            let rest: Vec<_> =
                VARIABLES.iter().copied().filter(|(name, _)| *name != missing).collect();
            let settings = settle(&[], &rest, "/").unwrap();
            assert_eq!(settings.text("store_secret"), None, "{missing}");
            assert_eq!(settings.text("store_endpoint"), None, "{missing}");
            assert!(!settings.warnings().is_empty(), "{missing}");
        }
        let ours = settle(&[("store_identity", "lab:other")], VARIABLES, "/").unwrap();
        assert_eq!(ours.text("store_secret"), None);
        let mut s3 = Settings::new();
        s3.set("store_api", "s3", Origin::Api).unwrap();
        s3.take_openstack(&Environment::from_pairs(VARIABLES.iter().copied(), "/")).unwrap();
        assert_eq!(s3.text("store_secret"), None);
    }

    #[test]
    fn a_secret_is_not_taken_to_another_server() {
        let other = [("store_endpoint", "https://elsewhere.example.org/v3")];
        let settings = settle(&other, VARIABLES, "/").unwrap();
        assert_eq!(settings.text("store_secret"), None);
        assert!(settings.warnings().join("").contains("not meant for"), "{settings:?}");
        let same = [("store_endpoint", "https://K.example.org:5000")];
        let settings = settle(&same, VARIABLES, "/").unwrap();
        assert_eq!(settings.text("store_secret"), Some("example-secret"));
        assert_eq!(settings.text("store_endpoint"), Some(same[0].1));
    }

    #[test]
    fn a_cloud_of_clouds_yaml_counts_with_what_secure_yaml_adds() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_str().unwrap();
        let clouds = "clouds:\n  lab:\n    region_name: west\n    interface: public\n    auth:\n      \
                      auth_url: https://k.example.org/v3\n      application_credential_id: abc\n  \
                      other:\n    auth: {auth_url: https://o.example.org, username: u, \
                      password: 'p: #1', project_id: 0123456789abcdef0123456789abcdef}\n";
        let secure =
            "clouds:\n  lab:\n    auth:\n      application_credential_secret: example-secret\n";
        std::fs::write(folder.path().join("clouds.yaml"), clouds).unwrap();
        std::fs::write(folder.path().join("secure.yaml"), secure).unwrap();
        let lab = settle(&[], &[("OS_CLOUD", "lab")], place).unwrap();
        let names = ["store_endpoint", "store_credential_id", "store_secret", "store_region"];
        let expected = ["https://k.example.org/v3", "abc", "example-secret", "west"];
        assert_eq!(values(&lab, &names), expected);
        assert_eq!(lab.text("store_identity"), None);
        let other = settle(&[], &[("OS_CLOUD", "other"), VARIABLES[2]], place).unwrap();
        assert_eq!(other.text("store_secret"), Some("p: #1"));
        assert_eq!(other.text("store_identity"), Some("0123456789abcdef0123456789abcdef:u"));
        let unknown = settle(&[], &[("OS_CLOUD", "nope")], place).unwrap_err().to_string();
        assert!(unknown.contains("no cloud nope") && unknown.contains(place), "{unknown}");
        std::fs::write(folder.path().join("secure.yaml"), "a: [example-secret\nb: {").unwrap();
        let broken = settle(&[], &[("OS_CLOUD", "lab")], place).unwrap_err().to_string();
        assert!(broken.contains("secure.yaml") && !broken.contains("example-secret"), "{broken}");
    }
}
