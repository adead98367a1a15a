//! Moving from SQLite to PostgreSQL with `exit3 promote`.

use exit3_ports::events::Unread;
use exit3_postgres::PgSettings;
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::builders::{lead, some_act};
use tokio::runtime::Handle;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn no_answered_write_is_left_behind() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "800", "--subscribers", "300"]);
    let target = Site::new(Kind::Postgres).await;
    let service = Arc::new(site.service());
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write_until(Arc::clone(&service), Arc::clone(&stop)));
    while count(&service, "search=under-load").await < 20 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let said = tokio::task::block_in_place(|| site.must(&["promote", "--to", &target.url]));
    assert!(said.contains("DATABASE_URL"), "{said}");
    // Later writes are refused as well; reading continues.
    let lead = json!({"full_name": "Ana", "position": "CTO", "email": "late@example.com"});
    let late = service.post(LEADS, KEY, &lead.to_string()).await;
    assert_eq!(late.status(), 503);
    assert!(late.headers().contains_key("retry-after"));
    assert_eq!(service.get("/backend/health/ready/", "").await.status(), 200);
    let there = count(&service, "").await;
    stop.store(true, Ordering::Relaxed);
    let answers = writer.await.unwrap();
    assert!(answers.iter().all(|(_, status)| matches!(status, 201 | 503)), "{answers:?}");
    assert_eq!(answers.last().unwrap().1, 503);

    let promoted = target.service();
    assert_eq!(count(&promoted, "").await, there);
    let created = answers.iter().filter(|(_, status)| *status == 201).count() as u64;
    assert_eq!(count(&promoted, "search=under-load").await, created);

    // It also applies to later processes, until it is aborted.
    drop(Arc::into_inner(service));
    let service = site.service();
    assert_eq!(service.post(LEADS, KEY, &lead.to_string()).await.status(), 503);
    let archive = site.back_up();
    let restore = ["restore", archive.to_str().unwrap(), "--replace"];
    let create = ["api-key", "create", "--name", "a", "--scope", "leads:create"];
    let seed = ["seed-demo", "--leads", "1"];
    let migrate = ["migrate", "--to", "0", "--drop-rows"];
    for arguments in [&restore[..], &create, &seed, &migrate, &["migrate"]] {
        let sentence = refused(&site.run(arguments));
        assert!(sentence.contains("promote --abort"), "{arguments:?}: {sentence}");
    }
    site.must(&["api-key", "list"]);
    assert!(site.must(&["promote", "--abort"]).contains("can be written to again"));
    assert!(site.must(&["promote", "--abort"]).contains("was not promoted"));
    assert_eq!(service.post(LEADS, KEY, &lead.to_string()).await.status(), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_promotion_leaves_the_old_database_writable() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "10", "--subscribers", "10"]);
    let target = Site::new(Kind::Postgres).await;
    target.must(&["seed-demo", "--leads", "1", "--subscribers", "0"]);
    let service = site.service();
    let sentence = refused(&site.run(&["promote", "--to", &target.url]));
    assert!(sentence.contains("not empty"), "{sentence}");
    let lead = json!({"full_name": "Ana", "position": "CTO", "email": "on@example.com"});
    assert_eq!(service.post(LEADS, KEY, &lead.to_string()).await.status(), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_promotion_can_be_repeated() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "20000", "--subscribers", "1"]);
    let target = Site::new(Kind::Postgres).await;
    target.must(&["migrate"]);
    let client = postgres::client(&target.url).await;
    // Long enough to be killed in the middle.
    let slow = "CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    PERFORM pg_sleep(0.01); RETURN NEW;
                END $$;
                CREATE TRIGGER nap BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION nap()";
    client.batch_execute(slow).await.unwrap();
    let mut command = exit3(site.directory.path());
    command.envs(site.env()).args(["promote", "--to", &target.url]);
    let mut killed = command.spawn().unwrap();
    let begun = std::time::Instant::now();
    let copying = "SELECT count(*) FROM pg_stat_progress_copy WHERE tuples_processed > 0 \
                   AND datname = current_database()";
    while client.query_one(copying, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "the copy does not begin");
        assert!(killed.try_wait().unwrap().is_none(), "it ended before it could be killed");
    }
    killed.kill().unwrap();
    assert!(!killed.wait().unwrap().success(), "it was killed in the middle");
    client.batch_execute("DROP FUNCTION nap() CASCADE").await.unwrap();

    // The target rolls everything back once it has noticed.
    let leads = "SELECT count(*) FROM leads";
    assert_eq!(client.query_one(leads, &[]).await.unwrap().get::<_, i64>(0), 0);
    // The source still has everything. It is read-only, and says how to change that.
    let service = site.service();
    assert_eq!(count(&service, "").await, 20_000);
    let lead = json!({"full_name": "Ana", "position": "CTO", "email": "late@example.com"});
    assert_eq!(service.post(LEADS, KEY, &lead.to_string()).await.status(), 503);
    assert!(service.logs("promote --abort"), "{}", service.output());
    // The promotion can be repeated from scratch.
    let rows = sums(&site.back_up());
    site.must(&["promote", "--to", &target.url]);
    assert_eq!(sums(&target.back_up()), rows);
}

/// Relays connections to the database, except for the answer to the COMMIT that ends a copy: it
/// drops that and closes the connection.
async fn before(database: std::net::SocketAddr) -> std::net::SocketAddr {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = TcpStream::connect(database).await.unwrap();
            tokio::spawn(async move {
                let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
                let (mut copies, mut commits) = (false, false);
                loop {
                    let passed = tokio::select! {
                        read = client.read(&mut asked) => {
                            let Ok(read @ 1..) = read else { return };
                            let has = |word: &[u8]| asked[..read].windows(word.len()).any(|part| part == word);
                            copies |= has(b"COPY ");
                            commits |= copies && has(b"COMMIT");
                            server.write_all(&asked[..read]).await
                        }
                        read = server.read(&mut answered) => {
                            let Ok(read @ 1..) = read else { return };
                            if commits {
                                return;
                            }
                            client.write_all(&answered[..read]).await
                        }
                    };
                    if passed.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_an_answer_leaves_the_old_database_as_it_is() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "10", "--subscribers", "10"]);
    let target = Site::new(Kind::Postgres).await;
    let mut url = reqwest::Url::parse(&target.url).unwrap();
    let database = (url.host_str().unwrap().to_owned(), url.port().unwrap());
    let database = tokio::net::lookup_host(database).await.unwrap().next().unwrap();
    let proxy = before(database).await;
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(proxy.port())).unwrap();
    let promote = ["promote", "--to", url.as_str()];
    let sentence = tokio::task::block_in_place(|| refused(&site.run(&promote)));
    assert!(sentence.contains("not known") && sentence.contains("--abort"), "{sentence}");
    // The commit had happened, so only one of the databases may accept writes.
    assert_eq!(count(&target.service(), "").await, 10);
    let service = site.service();
    let lead = json!({"full_name": "Ana", "position": "CTO", "email": "on@example.com"});
    assert_eq!(service.post(LEADS, KEY, &lead.to_string()).await.status(), 503);
    site.must(&["promote", "--abort"]);
    assert_eq!(service.post(LEADS, KEY, &lead.to_string()).await.status(), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_of_events_go_on_where_they_were() {
    let site = Site::new(Kind::Sqlite).await;
    site.must(&["seed-demo", "--leads", "1", "--subscribers", "0"]);
    let path = site.directory.path().join("data/exit3.sqlite3");
    let database = SqliteDatabase::open(&path, &SqliteSettings::default()).unwrap();
    let repositories = database.repositories();
    let ids = |unread: &Unread| unread.events.iter().map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(ids(&repositories.events.unread("mail", 9).await.unwrap()), []);
    for _ in 0..3 {
        repositories.leads.create(&lead().build(), &some_act()).await.unwrap();
    }
    let first = repositories.events.unread("mail", 1).await.unwrap();
    repositories.events.note_read("mail", &first, &[]).await.unwrap();
    let left = ids(&repositories.events.unread("mail", 9).await.unwrap());
    assert_eq!(left.len(), 2);
    drop(repositories);
    database.close();
    let target = Site::new(Kind::Postgres).await;
    site.must(&["promote", "--to", &target.url]);
    let settings = PgSettings::parse(&target.url).unwrap();
    let events = exit3_postgres::connect(&settings, Handle::current()).repositories().events;
    // Transactions of other tests hold events up.
    loop {
        let unread = ids(&events.unread("mail", 9).await.unwrap());
        if !unread.is_empty() {
            assert_eq!(unread, left);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
