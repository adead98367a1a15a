//! The protocol of clamd, against a stand-in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::thread::JoinHandle;

use exit3_files::Clamd;
use exit3_ports::ContractScanner;

/// The test file that every scanner knows, in two parts, so that no scanner minds this source.
const EICAR: [&str; 2] =
    ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];

/// Reads one content as clamd does, up to `most` bytes, and answers.
fn serve(mut stream: impl Read + Write, most: usize) -> Vec<u8> {
    let mut command = [0; 10];
    stream.read_exact(&mut command).unwrap();
    assert_eq!(&command, b"zINSTREAM\0");
    let mut content = Vec::new();
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length).unwrap();
        let length = u32::from_be_bytes(length) as usize;
        if length == 0 {
            break;
        }
        if content.len() + length > most {
            stream.write_all(b"INSTREAM size limit exceeded. ERROR\0").unwrap();
            return content;
        }
        let begin = content.len();
        content.resize(begin + length, 0);
        stream.read_exact(&mut content[begin..]).unwrap();
    }
    let answer = match content == EICAR.concat().as_bytes() {
        true => "stream: Eicar-Test-Signature FOUND\0",
        false => "stream: OK\0",
    };
    stream.write_all(answer.as_bytes()).unwrap();
    content
}

/// A stand-in that answers once.
fn once(most: usize) -> (Clamd, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let clamd = Clamd::at(&listener.local_addr().unwrap().to_string()).unwrap();
    (clamd, std::thread::spawn(move || serve(listener.accept().unwrap().0, most)))
}

#[test]
fn a_content_arrives_whole_and_is_clean() {
    for size in [0, 1, 65_536, 65_537, 3_000_000] {
        let content: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        let (clamd, seen) = once(usize::MAX);
        assert_eq!(clamd.scan(&mut content.as_slice()).unwrap(), None);
        assert!(seen.join().unwrap() == content, "{size}");
    }
}

#[test]
fn a_virus_has_a_name() {
    let (clamd, _seen) = once(usize::MAX);
    let virus = clamd.scan(&mut EICAR.concat().as_bytes()).unwrap();
    assert_eq!(virus.as_deref(), Some("Eicar-Test-Signature"));
}

#[test]
fn a_socket_in_the_file_system_works_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("clamd.ctl");
    let listener = UnixListener::bind(&path).unwrap();
    let clamd = Clamd::at(path.to_str().unwrap()).unwrap();
    let seen = std::thread::spawn(move || serve(listener.accept().unwrap().0, usize::MAX));
    assert_eq!(clamd.scan(&mut b"a".as_slice()).unwrap(), None);
    assert_eq!(seen.join().unwrap(), b"a");
}

#[test]
fn whatever_is_not_clean_is_an_error() {
    // Nobody listens.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let clamd = Clamd::at(&address.to_string()).unwrap();
    assert!(clamd.scan(&mut b"a".as_slice()).is_err());
    assert!(Clamd::at("/nonexistent/clamd").unwrap().scan(&mut b"a".as_slice()).is_err());
    // Larger than clamd accepts.
    let (clamd, _seen) = once(100);
    let error = clamd.scan(&mut [7; 200].as_slice()).unwrap_err();
    assert!(error.to_string().contains("size limit"), "{error}");
    // It ends without an answer.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let clamd = Clamd::at(&listener.local_addr().unwrap().to_string()).unwrap();
    std::thread::spawn(move || drop(listener.accept().unwrap()));
    assert!(clamd.scan(&mut b"a".as_slice()).is_err());
}

#[test]
fn an_address_is_a_port_of_a_host_or_a_socket() {
    for address in ["127.0.0.1:3310", "[::1]:3310", "clamav:3310", "/run/clamav/clamd.ctl"] {
        assert!(Clamd::at(address).is_some(), "{address}");
    }
    for address in ["", "clamav", "clamav:", ":3310", "clamav:0", "clamav:99999", "run/clamd"] {
        assert_eq!(Clamd::at(address), None, "{address}");
    }
}

/// A real clamd with one signature of our own, if the program is installed. Signatures of others
/// would have to be downloaded.
#[test]
fn a_real_clamd_answers_as_the_stand_in_does() {
    let directory = tempfile::tempdir().unwrap();
    let (place, socket) = (directory.path(), directory.path().join("clamd.ctl"));
    let hex: String = "EICAR".bytes().map(|byte| format!("{byte:02x}")).collect();
    std::fs::create_dir(place.join("signatures")).unwrap();
    std::fs::write(place.join("signatures/own.ndb"), format!("Own.Test:0:*:{hex}\n")).unwrap();
    let settings = format!(
        "DatabaseDirectory {}\nLocalSocket {}\nForeground yes\n",
        place.join("signatures").display(),
        socket.display()
    );
    std::fs::write(place.join("clamd.conf"), settings).unwrap();
    let mut command = std::process::Command::new("clamd");
    command.arg("--config-file").arg(place.join("clamd.conf"));
    let quiet = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    // Where it is not installed, the stand-in has to do.
    let Ok(mut program) = quiet.spawn() else { return };
    let clamd = Clamd::at(socket.to_str().unwrap()).unwrap();
    let began = std::time::Instant::now();
    let clean = loop {
        match clamd.scan(&mut b"Ugovor".as_slice()) {
            Ok(clean) => break clean,
            Err(error) => assert!(began.elapsed().as_secs() < 60, "{error}"),
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    let virus = clamd.scan(&mut EICAR.concat().as_bytes());
    let large = clamd.scan(&mut vec![7; 20 << 20].as_slice());
    program.kill().unwrap();
    program.wait().unwrap();
    assert_eq!(clean, None);
    assert_eq!(virus.unwrap().as_deref(), Some("Own.Test.UNOFFICIAL"));
    assert_eq!(large.unwrap(), None);
}
