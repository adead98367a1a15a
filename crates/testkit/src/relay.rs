//! A TCP relay that can lose connections silently, as firewalls do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards connections to a local server. It stops on drop.
pub struct Relay {
    url: String,
    /// How often connections were lost.
    losses: watch::Sender<u32>,
    accepted: Arc<AtomicUsize>,
}

impl Relay {
    /// Starts a relay to the server of `url`, which must have a port.
    ///
    /// # Panics
    /// If it cannot listen.
    pub async fn before(url: &str) -> Self {
        let begin = url.find("127.0.0.1:").expect("an address of this machine");
        let rest = &url[begin..];
        let server = rest[..rest.find('/').unwrap_or(rest.len())].to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let url = url.replace(&server, &address);
        let (losses, lost) = watch::channel(0);
        let accepted = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&accepted);
        tokio::spawn(async move {
            let mut ended = lost.clone();
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = dropped(&mut ended) => return,
                };
                let Ok((client, _)) = accepted else { return };
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(carry(client, server.clone(), lost.clone()));
            }
        });
        Self { url, losses, accepted }
    }

    /// The URL of the server, through the relay.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Silently stops forwarding on the open connections. New ones work.
    pub fn lose_connections(&self) {
        self.losses.send_modify(|losses| *losses += 1);
    }

    /// The number of connections accepted so far.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }
}

async fn carry(mut client: TcpStream, server: String, mut lost: watch::Receiver<u32>) {
    lost.mark_unchanged();
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let is_lost = tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => false,
        lost = lost.changed() => lost.is_ok(),
    };
    if is_lost {
        // Neither side is closed.
        dropped(&mut lost).await;
    }
}

async fn dropped(lost: &mut watch::Receiver<u32>) {
    while lost.changed().await.is_ok() {}
}
