//! TLS over a socket of ours, in the same buffers.
//!
//! ureq's own TLS holds each byte twice, above and below the encryption, as it goes over any
//! transport. Here the head of a request and its small body are one record and leave in one write,
//! and what is encrypted goes to the system straight away. What comes through a proxy's tunnel, or
//! trusts the bundled certificates, is still ureq's.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use once_cell::sync::OnceCell;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ALL_VERSIONS, ClientConfig, ClientConnection, RootCertStore};
use ureq::Error;
use ureq::tls::{Certificate, RootCerts};
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport,
};

use super::{Socket, is_connected};

/// Encrypts what goes over sockets to addresses with https.
#[derive(Debug, Default)]
pub(in crate::http) struct Encryption {
    /// Made for the first connection.
    config: OnceCell<Arc<ClientConfig>>,
}

impl<In: Transport> Connector<Either<In, Socket>> for Encryption {
    type Out = Either<Either<In, Socket>, Encrypted>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<Either<In, Socket>>,
    ) -> Result<Option<Self::Out>, Error> {
        let roots = details.config.tls_config().root_certs();
        match (chained, roots) {
            (Some(Either::B(socket)), RootCerts::Specific(roots)) if details.needs_tls() => {
                let config = self.config.get_or_try_init(|| config(roots))?;
                let tls = ClientConnection::new(Arc::clone(config), name(details)?)?;
                let mut encrypted = Encrypted { socket, tls: Box::new(tls) };
                encrypted.shake_hands(details)?;
                is_connected();
                Ok(Some(Either::B(encrypted)))
            }
            (other, _) => Ok(other.map(Either::A)),
        }
    }
}

fn config(roots: &[Certificate<'static>]) -> Result<Arc<ClientConfig>, Error> {
    let mut trusted = RootCertStore::empty();
    // Old roots of a system may be beyond what can be read today.
    trusted.add_parsable_certificates(roots.iter().map(|root| CertificateDer::from(root.der())));
    let provider = CryptoProvider::get_default().cloned();
    let provider = provider.unwrap_or_else(|| Arc::new(ring::default_provider()));
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(ALL_VERSIONS)?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn name(details: &ConnectionDetails<'_>) -> Result<ServerName<'static>, Error> {
    let host = details.uri.host().unwrap_or_default();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    ServerName::try_from(bare.to_owned()).map_err(|_| Error::Tls("this is not the name of a host"))
}

/// What is left of the time for making a connection.
fn left(details: &ConnectionDetails<'_>) -> NextTimeout {
    let mut timeout = details.timeout;
    if let (Instant::Exact(now), Instant::Exact(began), Duration::Exact(limit)) =
        ((details.current_time)(), details.now, timeout.after)
    {
        let spent = now.saturating_duration_since(began);
        timeout.after = Duration::Exact(limit.saturating_sub(spent));
    }
    timeout
}

/// A connection over which everything is encrypted.
pub(in crate::http) struct Encrypted {
    /// What is in its buffers is plain.
    socket: Socket,
    tls: Box<ClientConnection>,
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encrypted").finish_non_exhaustive()
    }
}

impl Encrypted {
    /// The last word of it leaves together with the first request.
    fn shake_hands(&mut self, details: &ConnectionDetails<'_>) -> Result<(), Error> {
        while self.tls.is_handshaking() {
            self.flush(left(details))?;
            if self.receive(left(details))? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
        Ok(())
    }

    /// Reads some encrypted bytes; none at the end.
    fn receive(&mut self, timeout: NextTimeout) -> Result<usize, Error> {
        let tls = &mut self.tls;
        let count = self.socket.receive(timeout, |mut stream, _| tls.read_tls(&mut stream))?;
        if let Err(error) = tls.process_new_packets() {
            // The peer is told what is wrong, if it still listens.
            let _ = tls.write_tls(&mut &self.socket.socket.stream);
            return Err(io::Error::new(io::ErrorKind::InvalidData, error).into());
        }
        Ok(count)
    }

    fn flush(&mut self, timeout: NextTimeout) -> Result<(), Error> {
        let Encrypted { socket, tls } = self;
        let waiting = std::mem::take(&mut socket.room.waiting);
        if waiting == 0 && !tls.wants_write() {
            return Ok(());
        }
        socket.write(timeout, |shared, room| {
            let mut rest = &room.output[..waiting];
            loop {
                let taken = tls.writer().write(rest)?;
                rest = &rest[taken..];
                while tls.wants_write() {
                    match tls.write_tls(&mut &shared.stream) {
                        Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                        Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                            return Err(error);
                        }
                        _ => {}
                    }
                }
                if rest.is_empty() {
                    return Ok(());
                }
            }
        })
    }
}

impl Transport for Encrypted {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.socket.room
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if self.socket.room.collects(amount) { Ok(()) } else { self.flush(timeout) }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.flush(timeout)?;
        loop {
            let room = &mut self.socket.room;
            match self.tls.reader().read(room.input_append_buf()) {
                Ok(count) => {
                    room.input_appended(count);
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // The peer has closed the connection without saying so first.
                Err(error) => return Err(error.into()),
            }
            self.receive(timeout)?;
        }
    }

    fn is_open(&mut self) -> bool {
        let quiet = match self.tls.process_new_packets() {
            Ok(state) => state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed(),
            Err(_) => false,
        };
        quiet && self.socket.is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Agent, Exchange, Network, Payload, Request};
    use crate::settings::{Origin, Settings};
    use stand_ins::{Fault, Identity, Options, Response, Server};

    /// An agent of up to so many connections that trusts this certificate.
    fn agent(certificate: &str, connections: usize) -> Agent {
        let folder = tempfile::tempdir().unwrap();
        let ca = folder.path().join("ca.pem");
        std::fs::write(&ca, certificate).unwrap();
        let mut settings = Settings::new();
        settings.set("ca_file", ca.to_str().unwrap(), Origin::Api).unwrap();
        let agent = Agent::new(Network::from_settings(&settings), connections, Arc::new(|_| ()));
        // The certificates are read before the first request.
        agent.ureq("https").unwrap();
        agent
    }

    /// A server with TLS, and an agent of up to so many connections that trusts it.
    fn server(connections: usize) -> (Server, Agent) {
        let identity = Identity::new();
        let agent = agent(identity.ca_pem(), connections);
        let options = Options { tls: Some(identity), ..Options::default() };
        let answer = |request: &stand_ins::Request| {
            Response::new(200).body(request.body.iter().rev().copied().collect::<Vec<u8>>())
        };
        let server = Server::start(answer, options);
        (server, agent)
    }

    fn put(agent: &Agent, server: &Server, body: &[u8]) -> Result<(u16, Vec<u8>), String> {
        let url = format!("{}/key", server.url());
        match agent.exchange(Request::new("PUT", &url).payload(Payload::Bytes(body))) {
            Exchange::Answered(answer) => Ok((answer.status, answer.body)),
            Exchange::NotSent(failure) => Err(format!("not sent: {}", failure.what)),
            Exchange::MaybeArrived(failure) => Err(failure.what),
        }
    }

    #[test]
    fn whatever_its_size_a_body_arrives_over_one_connection_and_so_does_the_answer() {
        for connections in [1, 100] {
            let (server, agent) = server(connections);
            for size in [0, 1, 7_000, 16_384, 16_385, 65_536, 300_001] {
                let bytes: Vec<u8> = (0..size).map(|at: usize| (at * at / 7) as u8).collect();
                let (status, back) = put(&agent, &server, &bytes).unwrap();
                assert!(status == 200 && back.iter().rev().eq(&bytes), "{size} bytes");
            }
            let requests = server.requests();
            assert!(requests.iter().all(|request| request.connection == requests[0].connection));
        }
    }

    #[test]
    fn a_refusal_that_comes_before_the_body_was_sent_is_read() {
        let (server, agent) = server(1);
        server.fault(Fault::on("PUT", "/key").early(Response::new(403).body("no!")));
        match put(&agent, &server, &vec![7; 16 << 20]) {
            Ok(answer) => assert_eq!(answer, (403, b"no!".to_vec())),
            // The reset may overtake the answer, as everywhere.
            Err(what) => assert!(!what.starts_with("not sent"), "{what}"),
        }
        assert_eq!(put(&agent, &server, b"next").unwrap().0, 200, "over another connection");
    }

    #[test]
    fn a_connection_that_ends_while_nobody_uses_it_is_not_used_again() {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![made.cert.der().clone()], key.into())
                .unwrap();
        let config = Arc::new(config);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://localhost:{}/key", listener.local_addr().unwrap().port());
        let (ended, ends) = std::sync::mpsc::channel();
        let serve = move || {
            // One says that it ends, the other one does not.
            for says_so in [true, false, true] {
                let (stream, _) = listener.accept().unwrap();
                let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = rustls::StreamOwned::new(session, stream);
                let mut came = Vec::new();
                while !came.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    came.push(byte[0]);
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
                if says_so {
                    stream.conn.send_close_notify();
                }
                stream.flush().unwrap();
                drop(stream);
                ended.send(()).unwrap();
            }
        };
        let server = std::thread::spawn(serve);
        let agent = agent(&made.cert.pem(), 1);
        for _ in 0..3 {
            let exchange = agent.exchange(Request::new("GET", &url));
            assert!(matches!(&exchange, Exchange::Answered(answer) if answer.status == 200));
            ends.recv().unwrap();
        }
        server.join().unwrap();
    }
}
