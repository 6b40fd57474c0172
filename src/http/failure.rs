//! Why there is no answer, and whether the request may have arrived.

use std::io;

use super::Exchange;

/// Why there is no answer. The text holds no URL and no secret.
#[derive(Debug)]
pub struct Failure {
    /// What happened, in words.
    pub what: String,
    /// Whether a time-out ended it.
    pub timed_out: bool,
    /// Whether trying again cannot help: a certificate that is not trusted, a URL that is none.
    pub hopeless: bool,
    /// What was wrong with the encryption, where it was that.
    pub tls: Option<Tls>,
}

/// What can be wrong with the encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// What answers there does not speak TLS.
    NotSpoken,
    /// The certificate comes from nobody who is trusted here.
    Untrusted,
    /// The certificate is that of an authority, which webpki takes from no server.
    OfAuthority,
    /// The certificate is for another host.
    OtherHost,
    /// The certificate is no longer good, or not yet.
    OtherTime,
    /// The two sides have no version or method in common, or one of them broke off.
    Disagreed,
}

/// Which errors leave no doubt that nothing was sent: see ureq's list of errors and time-outs.
pub(super) fn classify(error: ureq::Error) -> Exchange {
    use ureq::Timeout;
    let timed_out = matches!(error, ureq::Error::Timeout(_))
        || matches!(&error, ureq::Error::Io(e) if e.kind() == io::ErrorKind::TimedOut);
    let not_sent = match &error {
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => true,
        ureq::Error::Io(e) => matches!(
            e.kind(),
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::NotConnected
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::AddrNotAvailable
        ),
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::ConnectProxyFailed(_)
        | ureq::Error::InvalidProxyUrl
        | ureq::Error::BadUri(_)
        | ureq::Error::Http(_)
        | ureq::Error::Tls(_)
        | ureq::Error::Rustls(_)
        | ureq::Error::RequireHttpsOnly(_) => true,
        _ => false,
    };
    let encryption = matches!(&error, ureq::Error::Tls(_) | ureq::Error::Rustls(_))
        || matches!(&error, ureq::Error::Io(e) if e.kind() == io::ErrorKind::InvalidData);
    let hopeless = encryption
        || matches!(
            &error,
            ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl
        );
    let what = match &error {
        // Without a word before it that tells nobody anything.
        ureq::Error::Io(source) => source.to_string(),
        error => error.to_string(),
    };
    let tls = encryption.then(|| tls(&what));
    let failure = Failure { what, timed_out, hopeless, tls };
    if not_sent || failure.hopeless {
        Exchange::NotSent(failure)
    } else {
        Exchange::MaybeArrived(failure)
    }
}

/// rustls says it in words only, as far as it can be seen from here.
fn tls(what: &str) -> Tls {
    let says = |words: &[&str]| words.iter().any(|word| what.contains(word));
    if says(&["corrupt message"]) {
        Tls::NotSpoken
    } else if says(&["not valid for name", "NotValidForName"]) {
        Tls::OtherHost
    } else if says(&["expired", "Expired", "not valid yet", "NotValidYet"]) {
        Tls::OtherTime
    } else if says(&["CaUsedAsEndEntity"]) {
        Tls::OfAuthority
    } else if says(&["certificate"]) {
        Tls::Untrusted
    } else {
        Tls::Disagreed
    }
}

/// What was wrong before anything could be sent.
pub(super) fn hopeless(what: impl Into<String>) -> Failure {
    Failure { what: what.into(), timed_out: false, hopeless: true, tls: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_the_encryption_is_told_apart() {
        for (what, expected) in [
            ("received corrupt message of type InvalidContentType", Tls::NotSpoken),
            ("invalid peer certificate: UnknownIssuer", Tls::Untrusted),
            ("invalid peer certificate: BadSignature", Tls::Untrusted),
            ("invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))", Tls::OfAuthority),
            (
                "invalid peer certificate: certificate not valid for name \"127.0.0.1\"; \
                 certificate is only valid for DnsName(\"localhost\")",
                Tls::OtherHost,
            ),
            (
                "invalid peer certificate: certificate expired: verification time 1 (UNIX), but \
                 certificate is not valid after 0 (1 seconds ago)",
                Tls::OtherTime,
            ),
            ("received fatal alert: HandshakeFailure", Tls::Disagreed),
        ] {
            assert_eq!(tls(what), expected, "{what}");
        }
    }
}
