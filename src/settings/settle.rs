//! Decides what depends on more than one setting, once everything is loaded.

use std::io::Read;

use super::table::Setting;
use super::url::Address;
use super::{Origin, Settings};
use crate::error::{Error, Result};
use crate::input;
use crate::status::Status;

/// No secret is longer; whoever names another file by mistake is told so.
const LONGEST_SECRET: u64 = 64 << 10;

/// The settings that may take standard input.
const READERS: &[&str] = &["token_file", "store_secret_file", "summary_file"];

impl Settings {
    /// Decides what depends on several settings; called when everything is loaded.
    ///
    /// It reads the secrets' files (`-` is `stdin`), parts `owner/repo`, takes proxies, CI server,
    /// git checkout and other programs' credentials from the environment if one was loaded, and
    /// checks that no secret would travel in the clear. Called again, it does again only what
    /// changed since. The summary is not read here, also when it comes from standard input.
    ///
    /// # Errors
    /// `BadSetting` if settings contradict each other, `BadFile` if a file with a secret cannot be
    /// read.
    pub fn settle(&mut self, stdin: &mut dyn Read) -> Result<()> {
        self.check_readers()?;
        self.read_secret("token", "token_file", stdin)?;
        self.read_secret("store_secret", "store_secret_file", stdin)?;
        self.part_repository()?;
        let environment = self.environment.clone().unwrap_or_default();
        self.take_proxies(&environment);
        self.take_ci(&environment);
        self.take_checkout();
        self.take_token(&environment);
        self.take_aws(&environment);
        self.take_fixed_time(&environment);
        self.take_openstack(&environment)?;
        let outbox = self.default_outbox();
        self.put("outbox_dir", outbox, Origin::Default);
        self.check_addresses()
    }

    fn check_readers(&self) -> Result<()> {
        let readers: Vec<&str> =
            READERS.iter().copied().filter(|name| self.text(name) == Some("-")).collect();
        match readers.as_slice() {
            [first, second, ..] => Err(Error::new(
                Status::BadSetting,
                format!("{first} and {second} cannot both be read from standard input"),
            )
            .at(format!("{}, {}", self.place(first), self.place(second)))
            .advise("give one of them as a file")),
            _ => Ok(()),
        }
    }

    /// Puts the content of `file` in place of `name`, if it is set with the higher rank.
    fn read_secret(&mut self, name: &'static str, file: &str, stdin: &mut dyn Read) -> Result<()> {
        let rank = |name: &str| self.values.get(name).map(|value| value.origin.rank());
        let (Some(path), Some(file_rank)) = (self.text(file), rank(file)) else { return Ok(()) };
        let read_before = self.values.get(name).is_some_and(|value| value.read_from_file);
        if read_before || rank(name).is_some_and(|rank| rank > file_rank) {
            return Ok(());
        }
        if rank(name) == Some(file_rank) && self.text(name).is_some() {
            let what = format!("{name} and {file} are both set");
            return Err(Error::new(Status::BadSetting, what)
                .at(format!("{}, {}", self.place(name), self.place(file)))
                .advise("remove one of the two"));
        }
        let (place, setting) =
            (if path == "-" { "standard input" } else { path }, self.place(file));
        let bad = |what: String| Error::new(Status::BadFile, what).at(setting.clone());
        let mut bytes = Vec::new();
        let read = match path {
            "-" => stdin.take(LONGEST_SECRET + 1).read_to_end(&mut bytes).map(|_| bytes),
            path => input::read_patiently(path.as_ref(), LONGEST_SECRET + 1),
        };
        let bytes = read.map_err(|source| {
            bad(format!("{file} cannot be read from {place}"))
                .advise("name a readable file that holds nothing but the secret")
                .because(source)
        })?;
        let text = String::from_utf8(bytes).unwrap_or_default();
        let secret = text.trim();
        let origin = self.values.get(file).map_or(Origin::Default, |value| value.origin.clone());
        let kept = Setting::find(name).and_then(|setting| setting.kind().check(secret));
        let (true, Some(kept), true) =
            (!secret.is_empty(), kept, secret.len() as u64 <= LONGEST_SECRET)
        else {
            let what = match secret.is_empty() {
                true => format!("{file}: {place} holds no text"),
                false => format!("{file}: {place} holds more than one secret of one line"),
            };
            return Err(bad(what).advise("write the secret into it, alone, as UTF-8"));
        };
        self.put(name, kept, origin);
        if let Some(value) = self.values.get_mut(name) {
            value.read_from_file = true;
        }
        Ok(())
    }

    /// Parts `repo = owner/name`; the owner in it counts where `repo` comes from.
    pub(super) fn part_repository(&mut self) -> Result<()> {
        let Some(repo) = self.values.get("repo").cloned() else { return Ok(()) };
        let Some((owner, name)) = repo.text.split_once('/') else { return Ok(()) };
        let contradicts = self.values.get("owner").is_some_and(|other| {
            other.origin.rank() == repo.origin.rank()
                && !other.text.is_empty()
                && !other.text.eq_ignore_ascii_case(owner)
        });
        if contradicts {
            let other = self.text("owner").unwrap_or_default();
            let what = format!("owner is {other}, but repo says {owner}");
            return Err(Error::new(Status::BadSetting, what)
                .at(format!("{}, {}", self.place("owner"), self.place("repo")))
                .advise("write repo without the owner, or leave owner out"));
        }
        self.put("owner", owner.to_owned(), repo.origin.clone());
        self.put("repo", name.to_owned(), repo.origin);
        Ok(())
    }

    /// A secret never travels in the clear over a network.
    fn check_addresses(&self) -> Result<()> {
        let api = self.text("store_api").unwrap_or_default();
        let store = matches!(api, "s3" | "swift");
        for (name, counts) in [("api_url", true), ("store_endpoint", store)] {
            let Some(url) = self.text(name).filter(|_| counts) else { continue };
            let Some(address) = Address::parse(url) else {
                return Err(Error::new(
                    Status::BadSetting,
                    format!("{name} is a folder, but store_api = {api} takes an address"),
                )
                .at(self.place(name))
                .advise("write an address with https://, or set store_api to directory"));
            };
            if address.has_scheme("http") && !address.is_loopback() && !self.flag("allow_http") {
                let what = format!("{name} would send secrets over http:// in the clear");
                return Err(Error::new(Status::BadSetting, what)
                    .at(self.place(name))
                    .advise("write https://, or set allow_http to true in a network you trust"));
            }
        }
        if self.text("store_api") == Some("directory")
            && let Some(url) = self.text("store_endpoint").filter(|url| url.contains("://"))
        {
            let what = format!("store_endpoint is {url}, but store_api = directory takes a folder");
            return Err(Error::new(Status::BadSetting, what)
                .at(self.place("store_endpoint"))
                .advise("name the folder, and its address in store_public_url"));
        }
        Ok(())
    }
}
