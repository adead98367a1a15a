# Sourced. A run: headed sections with their durations, and a directory that is
# gone afterwards, together with the processes that were started in it.

export LC_ALL=C.UTF-8
RUN=$(mktemp -d "${TMPDIR:-/tmp}/exit3-test.XXXXXX")
export RUN
chmod 711 "$RUN"
: >"$RUN/processes"
SECTIONS=0
SECTION=
RUNNING=

# Cleans up when this script has ended, however it did: then its end of the pipe
# is closed.
clean_up='
    trap "" INT TERM HUP
    cat >/dev/null
    while read -r process; do kill -TERM "$process"; done <"$1/processes"
    for _ in $(seq 50); do
        alive=
        while read -r process; do kill -0 "$process" && alive=1; done <"$1/processes"
        [ -n "$alive" ] || break
        sleep 0.1
    done
    [ -z "$alive" ] || while read -r process; do kill -KILL "$process"; done <"$1/processes"
    rm -rf "$1"
'
mkfifo "$RUN/life"
setsid bash -c "$clean_up" clean-up "$RUN" <"$RUN/life" >/dev/null 2>&1 &
CLEANER=$!
exec 7>"$RUN/life"

end_run() {
    local status=$?
    trap - EXIT HUP INT TERM
    [ -z "$RUNNING" ] || kill -TERM -- "-$RUNNING" 2>/dev/null || true
    if [ "$status" -ne 0 ] && [ -n "$SECTION" ]; then
        printf '\n== FAILED: %s\n' "$SECTION" >&2
    fi
    exec 7>&-
    wait "$CLEANER" || true
    exit "$status"
}
trap end_run EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# section TITLE COMMAND...
section() {
    SECTION=$1
    shift
    local began=$SECONDS
    printf '\n== %s\n' "$SECTION"
    if [ "$(type -t "$1")" = function ]; then
        "$@"
    else
        # In a group of its own, so that it can be ended with all that it started,
        # and in the background, so that this script hears when it has to.
        setsid "$@" 7>&- &
        RUNNING=$!
        wait "$RUNNING"
        RUNNING=
    fi
    SECTIONS=$((SECTIONS + 1))
    printf -- '-- %s s\n' "$((SECONDS - began))"
    SECTION=
}

section_summary() {
    printf '\n%s passed, 0 failed\n' "$SECTIONS"
}
