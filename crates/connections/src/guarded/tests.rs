use super::*;
use crate::{Slots, stopping};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(25);

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

fn guarded() -> (Guarded<DuplexStream>, DuplexStream) {
    guarded_until(&never())
}

fn guarded_until(stopping: &Stopping) -> (Guarded<DuplexStream>, DuplexStream) {
    let (ours, theirs) = duplex(4096);
    let slot = Slots::new(1).take().unwrap();
    (Guarded::new(ours, slot, PATIENCE, stopping.clone()), theirs)
}

/// Writes a response as actix does.
async fn answer(stream: &mut Guarded<DuplexStream>, answer: &[u8]) {
    let body = stream.answers().watch(());
    stream.write_all(answer).await.unwrap();
    drop(body);
    stream.flush().await.unwrap();
}

fn never() -> Stopping {
    stopping::channel().1
}

async fn read(stream: &mut Guarded<DuplexStream>) -> io::Result<usize> {
    stream.read(&mut [0; 64]).await
}

#[tokio::test(start_paused = true)]
async fn a_request_that_arrives_byte_by_byte_times_out() {
    let (mut stream, mut client) = guarded();
    let began = Instant::now();
    let dripping = tokio::spawn(async move {
        while client.write_all(b"G").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(4)).await;
        }
    });
    let error = loop {
        if let Err(error) = read(&mut stream).await {
            break error;
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(began.elapsed().as_secs(), PATIENCE.as_secs());
    drop(stream);
    dripping.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_second_request_has_its_own_time_limit() {
    let (mut stream, mut client) = guarded();
    for _ in 0..5 {
        tokio::time::sleep(PATIENCE - Duration::from_secs(1)).await;
        client.write_all(GET).await.unwrap();
        assert_eq!(read(&mut stream).await.unwrap(), GET.len());
        answer(&mut stream, b"answer").await;
        client.read_exact(&mut [0; 6]).await.unwrap();
    }
    client.write_all(b"G").await.unwrap();
    // actix learns that a request has begun.
    assert_eq!(read(&mut stream).await.unwrap(), BEGUN.len());
    let begun = Instant::now();
    assert_eq!(read(&mut stream).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert_eq!(begun.elapsed().as_secs(), PATIENCE.as_secs());
}

#[tokio::test(start_paused = true)]
async fn the_next_request_waits_for_the_response_to_the_previous_one() {
    let (mut stream, mut client) = guarded();
    client.write_all(&[GET, GET, b"GET"].concat()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(read(&mut stream).await.unwrap(), GET.len());
        let waited = tokio::time::timeout(Duration::from_secs(1), read(&mut stream)).await;
        assert!(waited.is_err(), "{waited:?}");
        stream.write_all(CONTINUE).await.unwrap();
        stream.flush().await.unwrap();
        let waited = tokio::time::timeout(Duration::from_secs(1), read(&mut stream)).await;
        assert!(waited.is_err(), "{waited:?}");
        answer(&mut stream, b"HTTP/1.1 200 OK\r\n\r\n").await;
    }
    assert_eq!(read(&mut stream).await.unwrap(), BEGUN.len());
    client.write_all(b" / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(read(&mut stream).await.unwrap(), GET.len());
    answer(&mut stream, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    client.write_all(GET).await.unwrap();
    assert_eq!(read(&mut stream).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn stopping_closes_connections_on_which_nothing_arrives() {
    let (stop, stopping) = stopping::channel();
    let (mut fresh, _client) = guarded_until(&stopping);
    let (mut kept, mut asking) = guarded_until(&stopping);
    asking.write_all(b"POST / HTTP/1.1\r\n").await.unwrap();
    assert_eq!(read(&mut kept).await.unwrap(), BEGUN.len());
    stop.begin();
    let begun = Instant::now();
    assert_eq!(read(&mut fresh).await.unwrap(), 0);
    assert_eq!(begun.elapsed().as_secs(), GOODBYE.as_secs());
    let rest = async {
        sleep(2 * GOODBYE).await;
        asking.write_all(b"Content-Length: 4\r\n\r\n").await.unwrap();
    };
    assert!(tokio::join!(read(&mut kept), rest).0.unwrap() > 0);
    kept.write_all(CONTINUE).await.unwrap();
    asking.write_all(b"{}").await.unwrap();
    assert_eq!(read(&mut kept).await.unwrap(), 2);
    asking.write_all(b"\r\n").await.unwrap();
    assert_eq!(read(&mut kept).await.unwrap(), 2);
    answer(&mut kept, b"answer").await;
    assert_eq!(read(&mut kept).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_grows_when_encoded_is_passed_on_whole() {
    let (mut stream, mut client) = guarded();
    let begin = "GET /?";
    let writing = async {
        let request = format!("{begin}{} HTTP/1.1\r\n\r\n", "\"".repeat(40));
        client.write_all(request.as_bytes()).await.unwrap();
        drop(client);
    };
    let reading = async {
        let mut all = Vec::new();
        loop {
            let mut piece = [0; 7];
            match stream.read(&mut piece).await.unwrap() {
                0 => return String::from_utf8(all).unwrap(),
                read => all.extend_from_slice(&piece[..read]),
            }
        }
    };
    let (all, ()) = tokio::join!(reading, writing);
    assert_eq!(all, format!("\r\n{begin}{} HTTP/1.1\r\n\r\n", "%22".repeat(40)));
}

#[tokio::test(start_paused = true)]
async fn a_response_that_is_not_read_ends_the_connection() {
    let (mut stream, _client) = guarded();
    let error = stream.write_all(&[b'x'; 10_000]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_client_that_never_stops_sending_is_disconnected() {
    let (ours, mut client) = duplex(1024 * 1024);
    let mut stream = Guarded::new(ours, Slots::new(1).take().unwrap(), PATIENCE, never());
    let pouring = tokio::spawn(async move {
        let head = b"POST / HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n";
        client.write_all(head).await.unwrap();
        let mut taken = 0;
        while client.write_all(&[b'x'; 65_536]).await.is_ok() {
            taken += 65_536;
        }
        taken
    });
    // actix skips the body of a request that was refused.
    stream.appetite().leave();
    let mut piece = vec![0; 65_536];
    while stream.read(&mut piece).await.is_ok() {}
    drop(stream);
    let taken = pouring.await.unwrap();
    assert!((MOST_UNANSWERED..2 * MOST_UNANSWERED).contains(&taken), "{taken}");
}

/// Reads the bytes that have arrived. Returns their number.
async fn read_ready(stream: &mut Guarded<DuplexStream>) -> usize {
    let (mut piece, mut all) = ([0; 8192], 0);
    while let Ok(read) = timeout(Duration::from_millis(1), stream.read(&mut piece)).await {
        all += read.unwrap();
    }
    all
}

#[tokio::test(start_paused = true)]
async fn a_body_is_read_as_far_as_its_reader_asks() {
    let (mut stream, mut client) = guarded();
    let pouring = tokio::spawn(async move {
        client.write_all(b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n").await.unwrap();
        client.write_all(&[b'x'; 1_000_000]).await.unwrap();
        client
    });
    // The first piece contains the head, and the last one may be longer than what is left.
    let most = 32_768 + 2 * 8192;
    for _ in 0..3 {
        let read = read_ready(&mut stream).await;
        assert!((32_768..=most).contains(&read), "{read}");
        assert_eq!(read_ready(&mut stream).await, 0);
        stream.appetite().ask();
    }
    stream.appetite().leave();
    assert!(read_ready(&mut stream).await > 800_000);
    drop(pouring.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_never_asks_ends_the_connection() {
    let (mut stream, mut client) = guarded();
    let head = b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n";
    let pouring = tokio::spawn(async move {
        client.write_all(head).await.unwrap();
        client.write_all(&[b'x'; 1_000_000]).await
    });
    let began = Instant::now();
    let mut piece = [0; 8192];
    let error = loop {
        match stream.read(&mut piece).await {
            Ok(read) => assert!(read > 0, "all of it was read"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(began.elapsed().as_secs(), PATIENCE.as_secs());
    drop(stream);
    assert!(pouring.await.unwrap().is_err());
}

#[tokio::test]
async fn a_bare_error_gets_a_body_and_the_bytes_before_it_stay() {
    let (ours, mut client) = duplex(4096);
    let mut stream = Guarded::new(ours, Slots::new(1).take().unwrap(), PATIENCE, never());
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-content-type-options: nosniff\r\n\r\n{}";
    let bare = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.write_all(format!("{ok}{bare}").as_bytes()).await.unwrap();
    let closing = tokio::spawn(async move { stream.flush().await });
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    let error = answer.strip_prefix(ok).unwrap();
    assert!(error.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{error}");
    assert!(error.contains("\r\nx-content-type-options: nosniff\r\n"));
    assert!(error.ends_with("\r\n\r\n{\"detail\":\"Malformed request.\"}"), "{error}");
    // The client may still send before it notices.
    client.write_all(&[b'x'; 10_000]).await.unwrap();
    drop(client);
    closing.await.unwrap().unwrap();
}

#[test]
fn responses_of_the_service_are_not_changed() {
    let head = "HTTP/1.1 404 Not Found\r\nX-Content-Type-Options: nosniff\r\n\r\n";
    assert_eq!(bare_error(head.as_bytes()), None);
    let quoting = format!("{{\"notes\":\"HTTP/1.1 400\"}}{head}");
    assert_eq!(bare_error(quoting.as_bytes()), None);
    assert_eq!(bare_error(b"HTTP/1.1 400 Bad Request\r\n\r\n{}"), None);
    assert_eq!(bare_error(b"HTTP/1.1 200 OK\r\n\r\n"), None);
}
