//! What the network looks like from here: proxies, trusted certificates, time-outs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::{STALL_TIMEOUT, display_url};
use crate::error::{Error, Result};
use crate::input;
use crate::settings::Settings;
use crate::status::Status;

/// No file of certificates is larger.
const LARGEST: u64 = 16 << 20;

/// What the network looks like from here: proxies, trusted certificates, time-outs.
#[derive(Clone)]
pub struct Network {
    http_proxy: Option<String>,
    https_proxy: Option<String>,
    no_proxy: Option<String>,
    ca_file: Option<PathBuf>,
    pub(super) stall: Duration,
}

impl Network {
    /// Reads `http_proxy`, `https_proxy`, `no_proxy` and `ca_file`.
    pub fn from_settings(settings: &Settings) -> Network {
        Network {
            http_proxy: settings.text("http_proxy").map(str::to_owned),
            https_proxy: settings.text("https_proxy").map(str::to_owned),
            no_proxy: settings.text("no_proxy").map(str::to_owned),
            ca_file: settings.path("ca_file"),
            stall: STALL_TIMEOUT,
        }
    }

    /// The same with another stall time-out, for tests of stalls.
    #[must_use]
    pub fn with_stall_timeout(mut self, stall: Duration) -> Network {
        self.stall = stall;
        self
    }

    pub(super) fn tls(&self) -> Result<TlsConfig> {
        let mut certificates: Vec<Certificate<'static>> = rustls_native_certs::load_native_certs()
            .certs
            .iter()
            .map(|der| Certificate::from_der(der).to_owned())
            .collect();
        let system_has_none = certificates.is_empty();
        if let Some(path) = &self.ca_file {
            certificates.extend(read_certificates(path)?);
        } else if system_has_none {
            return Ok(TlsConfig::builder().root_certs(RootCerts::WebPki).build());
        }
        Ok(TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(certificates))).build())
    }

    pub(super) fn proxy(&self, scheme: &str) -> Result<Option<ureq::Proxy>> {
        let (name, address) = match scheme {
            "https" => ("https_proxy", &self.https_proxy),
            _ => ("http_proxy", &self.http_proxy),
        };
        let Some(address) = address else { return Ok(None) };
        let bad = |source: ureq::Error| {
            Error::new(Status::BadSetting, format!("{name} is not the address of a proxy"))
                .at(display_url(address))
                .advise("write it as http://host:port")
                .because(source.to_string())
        };
        let plain = ureq::Proxy::new(address).map_err(bad)?;
        let mut builder =
            ureq::Proxy::builder(plain.protocol()).host(plain.host()).port(plain.port());
        if let Some(user) = plain.username() {
            builder = builder.username(user);
        }
        if let Some(password) = plain.password() {
            builder = builder.password(password);
        }
        for host in self.no_proxy.iter().flat_map(|list| list.split(',')).map(str::trim) {
            if !host.is_empty() {
                builder = builder.no_proxy(host);
            }
        }
        builder.build().map(Some).map_err(bad)
    }
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate<'static>>> {
    let place = path.display().to_string();
    let pem = input::read_patiently(path, LARGEST).map_err(|source| {
        Error::new(Status::BadFile, "ca_file cannot be read").at(place.clone()).because(source)
    })?;
    let found: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        return Err(Error::new(Status::BadFile, "ca_file holds no certificate")
            .at(place)
            .advise("give a file of PEM certificates, each between BEGIN and END CERTIFICATE"));
    }
    Ok(found)
}
