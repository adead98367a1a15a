//! Asks clamd, the virus scanner of ClamAV, about a content.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use exit3_ports::ContractScanner;

/// How long clamd may take to accept a connection or some bytes.
const SHORT: Duration = Duration::from_secs(5);
/// How long clamd may look at a content. A request must be answered in less than 25 seconds.
const LONG: Duration = Duration::from_secs(15);
/// Bytes in one piece.
const PIECE: usize = 64 << 10;
/// The longest answer: the name of a virus and some words.
const LONGEST: u64 = 1024;

/// Where clamd listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clamd {
    /// A host and a port.
    Tcp(String),
    /// A socket in the file system.
    Unix(PathBuf),
}

impl Clamd {
    /// Reads `host:port` or the absolute path of a socket; `None` for anything else.
    pub fn at(address: &str) -> Option<Self> {
        if address.starts_with('/') {
            return Some(Self::Unix(address.into()));
        }
        let (host, port) = address.rsplit_once(':')?;
        let is_one = !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0);
        is_one.then(|| Self::Tcp(address.to_owned()))
    }

    /// Sends a content over a new connection, and returns the answer.
    fn ask(&self, content: &mut dyn Read) -> io::Result<String> {
        match self {
            Self::Tcp(address) => {
                let mut last = io::Error::from(io::ErrorKind::NotFound);
                for address in address.to_socket_addrs()? {
                    match TcpStream::connect_timeout(&address, SHORT) {
                        Ok(stream) => {
                            stream.set_write_timeout(Some(SHORT))?;
                            stream.set_read_timeout(Some(LONG))?;
                            return talk(stream, content);
                        }
                        Err(error) => last = error,
                    }
                }
                Err(last)
            }
            Self::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_write_timeout(Some(SHORT))?;
                stream.set_read_timeout(Some(LONG))?;
                talk(stream, content)
            }
        }
    }
}

impl ContractScanner for Clamd {
    fn scan(&self, content: &mut dyn Read) -> io::Result<Option<String>> {
        let answer = self.ask(content)?;
        let said = answer.strip_prefix("stream: ").unwrap_or(&answer);
        match said.strip_suffix(" FOUND") {
            Some(virus) => Ok(Some(virus.to_owned())),
            None if said == "OK" => Ok(None),
            None => Err(io::Error::other(format!("clamd says {answer:?}"))),
        }
    }
}

/// The command INSTREAM of clamd, in the form whose texts end with NUL.
fn talk(mut stream: impl Read + Write, content: &mut dyn Read) -> io::Result<String> {
    let sent = send(&mut stream, content);
    let mut answer = Vec::new();
    let read = stream.take(LONGEST).read_to_end(&mut answer);
    // clamd stops reading when the content is larger than it accepts, and says so.
    if answer.is_empty() {
        sent.and(read)?;
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let text = String::from_utf8_lossy(&answer);
    Ok(text.trim_end_matches(['\0', '\n']).to_owned())
}

fn send(stream: &mut impl Write, content: &mut dyn Read) -> io::Result<()> {
    stream.write_all(b"zINSTREAM\0")?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = content.read(&mut piece)?;
        let bytes = piece.get(..read).unwrap_or_default();
        // A piece without bytes is the end.
        stream.write_all(&u32::try_from(bytes.len()).map_err(io::Error::other)?.to_be_bytes())?;
        stream.write_all(bytes)?;
        if bytes.is_empty() {
            return stream.flush();
        }
    }
}
