//! A certificate authority that lives as long as a test.

use std::fmt;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate for `localhost` and 127.0.0.1, and the authority that signed it.
pub struct Identity {
    ca_pem: String,
    config: Arc<ServerConfig>,
}

impl Identity {
    /// Makes a new authority and a certificate signed by it.
    ///
    /// # Panics
    /// When the operating system gives no random numbers.
    pub fn new() -> Arc<Self> {
        let ca_key = KeyPair::generate().expect("a key");
        let mut ca = CertificateParams::default();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        ca.distinguished_name.push(rcgen::DnType::CommonName, "stand-ins of notify_pr");
        let ca_certificate = ca.self_signed(&ca_key).expect("a certificate");

        let key = KeyPair::generate().expect("a key");
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let params = CertificateParams::new(names).expect("valid names");
        let issuer = Issuer::new(ca, ca_key);
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .expect("a key that fits its certificate");
        Arc::new(Identity { ca_pem: ca_certificate.pem(), config: Arc::new(config) })
    }

    /// The authority's certificate in PEM, for `ca_file`.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    pub(crate) fn server_config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Identity")
    }
}
