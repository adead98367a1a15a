use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// The SHA-256 of everything that can be read from `content`.
pub(crate) fn of(mut content: impl Read) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut bytes = vec![0; 64 << 10];
    loop {
        let read = content.read(&mut bytes)?;
        match bytes.get(..read) {
            Some([]) | None => return Ok(hash.finalize().into()),
            Some(bytes) => hash.update(bytes),
        }
    }
}
