# Sourced. The real binary and a throwaway PostgreSQL, which end with the run.

export API_KEY=key-of-the-end-to-end-tests

# The binary under test, as it was built last.
EXIT3=${EXIT3:-${CARGO_TARGET_DIR:-target}/debug/exit3}

# start_postgres: sets POSTGRES_URL. The server listens on a socket in the run's
# directory only, so that it needs no port.
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
        # Found by its process id and not that of runuser, which would not pass
        # a signal on.
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

# programs_of_postgres VERSION: makes them ready to be run by anybody, and says where.
programs_of_postgres() {
    local into="$RUN/postgres-$1-programs" package="$TOOLS/node/node_modules/postgres-$1"
    [ -d "$package" ] || fail "There are no programs of PostgreSQL $1 for this machine."
    cp -r "$package/native" "$into"
    # npm's archives hold no links; the package lists them.
    node -e '
        const [, list, into] = process.argv;
        const fs = require("node:fs"), path = require("node:path");
        for (const { source, target } of JSON.parse(fs.readFileSync(list))) {
            const from = path.join(into, path.relative("native", target));
            fs.symlinkSync(path.relative(path.dirname(target), source), from);
        }' "$into/pg-symlinks.json" "$into"
    chmod +x "$into"/bin/*
    "$into/bin/postgres" --version | grep -q " $1\." || fail "These are not of PostgreSQL $1."
    echo "$into/bin"
}

# database NAME: makes one in that PostgreSQL, and says its address.
database() {
    "$(postgres_programs)/createdb" -h "$RUN/postgres" -U postgres "$1"
    echo "${POSTGRES_URL/\/postgres\?//$1?}"
}

# start_service NAME [DATABASE_URL]: sets SERVICE_URL. Without an address it is on SQLite.
start_service() {
    local directory="$RUN/exit3-$1" settings=()
    # What is tested asks more often than the limits would let it.
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

# stop_service: a service that was asked to stop ends without a fault.
stop_service() {
    kill -TERM "$SERVICE" 2>/dev/null || fail "The service has ended too early."
    wait "$SERVICE" || fail "The service did not end well: exit code $?."
}
