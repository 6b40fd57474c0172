//! A way to a server that takes long: everything arrives, but later.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

/// A port of this machine from which it is far to a server. It ends when it is dropped.
pub(crate) struct Far {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Far {
    /// The way to the server of a URL, on which everything takes so long in each direction.
    pub(crate) fn from(url: &str, delay: Duration) -> Far {
        let server = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
        let server: SocketAddr = server.parse().expect("the address of a server");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        let accepting = std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if stop.load(Relaxed) {
                    return;
                }
                let Ok(far) = TcpStream::connect(server) else { continue };
                for stream in [&near, &far] {
                    stream.set_nodelay(true).expect("a socket");
                }
                let (back, forth) = (near.try_clone(), far.try_clone());
                std::thread::spawn(move || carry(near, far, delay));
                if let (Ok(back), Ok(forth)) = (back, forth) {
                    std::thread::spawn(move || carry(forth, back, delay));
                }
            }
        });
        Far { address, ended, accepting: Some(accepting) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Hands on what comes until nothing comes any more.
fn carry(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let mut buffer = vec![0; 256 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        std::thread::sleep(delay);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

impl Drop for Far {
    fn drop(&mut self) {
        self.ended.store(true, Relaxed);
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}
