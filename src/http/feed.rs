//! How a body gets into a request: read, or in pieces of files.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use super::socket;

/// Bytes that lie in a file as they are to be sent.
#[derive(Debug)]
pub struct Piece {
    /// The file; its position says nothing.
    pub file: Arc<File>,
    /// Where the piece begins.
    pub at: u64,
    /// How many bytes it has, never none.
    pub len: usize,
}

/// Gives a body, to be read or in pieces of files that the kernel sends.
pub trait Feed: Read {
    /// The next bytes, at most `most`, as a piece of a file; they are then taken as read. `None`
    /// where they have to be read.
    ///
    /// # Errors
    /// Those of reading.
    fn piece(&mut self, most: usize) -> io::Result<Option<Piece>> {
        let _ = most;
        Ok(None)
    }

    /// Hears that a piece could not be read when it was sent.
    fn failed(&mut self, source: io::Error);
}

/// Reads exactly so many bytes. ureq would wait for ever for the rest of a body that ends early.
pub(super) struct Exactly<'a> {
    pub(super) feed: &'a mut (dyn Feed + 'a),
    pub(super) left: u64,
    pub(super) short: bool,
    /// Whether all bytes must be read here.
    pub(super) whole: bool,
}

impl Read for Exactly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if socket::was_cut() {
            // It goes nowhere, so it need not be read either.
            buffer[..most].fill(0);
            self.left -= most as u64;
            return Ok(most);
        }
        // ureq reads straight into what the socket sends next, so the socket can send a piece of a
        // file in the place of as many bytes of the buffer.
        if !self.whole
            && socket::sends_files()
            && let Some(piece) = self.feed.piece(most)?
        {
            let len = piece.len;
            socket::send_next(piece);
            self.left -= len as u64;
            return Ok(len);
        }
        let read = self.feed.read(&mut buffer[..most])?;
        if read == 0 {
            self.short = true;
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{SocketAddr, TcpListener};

    use super::super::{Agent, Exchange, Network, Payload, Request};
    use super::*;
    use crate::settings::Settings;

    /// Gives pieces of a file and nothing else.
    struct Pieces {
        file: Arc<File>,
        at: u64,
        failed: Option<io::Error>,
    }

    impl Read for Pieces {
        fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("it was read"))
        }
    }

    impl Feed for Pieces {
        fn piece(&mut self, most: usize) -> io::Result<Option<Piece>> {
            let piece = Piece { file: Arc::clone(&self.file), at: self.at, len: most };
            self.at += most as u64;
            Ok(Some(piece))
        }

        fn failed(&mut self, source: io::Error) {
            self.failed = Some(source);
        }
    }

    /// Answers one request and returns what came behind its head.
    fn server(
        answer: &'static str,
        length: usize,
    ) -> (SocketAddr, std::thread::JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serve = move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut came, mut buffer) = (Vec::new(), vec![0; 10_000]);
            let head = loop {
                let count = stream.read(&mut buffer).unwrap();
                came.extend_from_slice(&buffer[..count]);
                if let Some(end) = came.windows(4).position(|four| four == b"\r\n\r\n") {
                    break end + 4;
                }
            };
            came.drain(..head);
            while came.len() < length {
                match stream.read(&mut buffer) {
                    Ok(0) | Err(_) => return came,
                    Ok(count) => came.extend_from_slice(&buffer[..count]),
                }
            }
            stream.write_all(answer.as_bytes()).unwrap();
            came
        };
        (address, std::thread::spawn(serve))
    }

    fn put(address: SocketAddr, pieces: &mut Pieces, length: u64) -> Exchange {
        let agent = Agent::new(Network::from_settings(&Settings::new()), 1, Arc::new(|_| ()));
        let url = format!("http://{address}/key");
        agent.exchange(Request::new("PUT", &url).payload(Payload::Feed(pieces, length)))
    }

    fn noise(length: usize) -> (File, Vec<u8>) {
        let bytes: Vec<u8> = (0..length).map(|at| (at * at / 7) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        (file, bytes)
    }

    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    #[test]
    #[cfg(target_os = "linux")]
    fn pieces_of_a_file_arrive_as_they_lie_there_and_are_never_read() {
        let (file, bytes) = noise(700_000);
        let (address, server) = server(OK, 690_001);
        let mut pieces = Pieces { file: Arc::new(file), at: 5, failed: None };
        let exchange = put(address, &mut pieces, 690_001);
        assert!(matches!(&exchange, Exchange::Answered(answer) if answer.is_success()));
        assert!(server.join().unwrap() == bytes[5..690_006]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_piece_behind_the_end_of_its_file_is_told_and_never_hangs() {
        let (file, _) = noise(300_000);
        let (address, server) = server(OK, 400_000);
        let mut pieces = Pieces { file: Arc::new(file), at: 0, failed: None };
        let exchange = put(address, &mut pieces, 400_000);
        assert!(
            matches!(&exchange, Exchange::MaybeArrived(failure) if failure.what.contains("shorter"))
        );
        let failed = pieces.failed.expect("the feed is told");
        assert_eq!(failed.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(server.join().unwrap().len(), 300_000);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_that_cannot_be_read_while_it_is_sent_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("write-only")).unwrap();
        file.set_len(300_000).unwrap();
        let (address, server) = server(OK, 300_000);
        let mut pieces = Pieces { file: Arc::new(file), at: 0, failed: None };
        let exchange = put(address, &mut pieces, 300_000);
        assert!(matches!(exchange, Exchange::MaybeArrived(_)));
        assert!(pieces.failed.is_some());
        server.join().unwrap();
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_early_refusal_is_read_although_pieces_were_still_to_go() {
        let (file, _) = noise(8 << 20);
        let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!";
        let (address, server) = server(refusal, 1);
        let mut pieces = Pieces { file: Arc::new(file), at: 0, failed: None };
        match put(address, &mut pieces, 8 << 20) {
            Exchange::Answered(answer) => assert_eq!(answer.status, 403),
            // The reset may overtake the answer, as everywhere.
            Exchange::MaybeArrived(failure) => assert!(!failure.what.is_empty()),
            Exchange::NotSent(_) => panic!("it was sent"),
        }
        assert!(pieces.failed.is_none());
        server.join().unwrap();
    }
}
