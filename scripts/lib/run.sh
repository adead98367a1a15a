# Sourced. A run: headed sections with their durations, and a directory that is
# gone afterwards, together with the processes that were started in it.

export LC_ALL=C.UTF-8
RUN=$(mktemp -d "${TMPDIR:-/tmp}/exit3-test.XXXXXX")
export RUN
chmod 711 "$RUN"
SECTIONS=0
SECTION=
FAILED=()
# Sections that run beside each other, by the process of each, and how many do at once.
declare -A BESIDE=() BEGAN=()
AT_ONCE=$(($(nproc) + 1))

# A file for each process, or group of processes (-N), that ends with the run.
mkdir "$RUN/processes"
# Cleans up when this script has ended, however it did: then its end of the pipe
# is closed.
clean_up='
    trap "" INT TERM HUP
    cat >/dev/null
    cd "$1/processes" && shopt -s nullglob && processes=(*)
    for process in "${processes[@]}"; do kill -TERM -- "$process"; done
    for _ in $(seq 50); do
        alive=
        for process in "${processes[@]}"; do ! kill -0 -- "$process" || alive=1; done
        [ -n "$alive" ] || break
        sleep 0.1
    done
    for process in "${processes[@]}"; do kill -KILL -- "$process"; done
    rm -rf "$1"
'
mkfifo "$RUN/life"
setsid bash -c "$clean_up" clean-up "$RUN" <"$RUN/life" >/dev/null 2>&1 &
CLEANER=$!
exec 7>"$RUN/life"

end_run() {
    local status=$?
    trap - EXIT HUP INT TERM
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

# start COMMAND...: in a group of its own, so that it can be ended with all that it
# started, and in the background, so that this script hears when it has to end.
start() {
    setsid "$@" </dev/null 7>&- &
    : >"$RUN/processes/-$!"
}

# section TITLE COMMAND...
section() {
    SECTION=$1
    shift
    local began=$SECONDS
    printf '\n== %s\n' "$SECTION"
    if [ "$(type -t "$1")" = function ]; then
        "$@"
    else
        start "$@"
        wait $!
        rm "$RUN/processes/-$!"
    fi
    SECTIONS=$((SECTIONS + 1))
    printf -- '-- %s s\n' "$((SECONDS - began))"
    SECTION=
}

# beside TITLE COMMAND...: a section that runs beside those that follow. What it says is
# shown when it has ended; a failure ends nothing but is told by `all_ended`.
beside() {
    [ ${#BESIDE[@]} -lt "$AT_ONCE" ] || one_ended
    start "${@:2}" >"$RUN/said" 2>&1
    mv "$RUN/said" "$RUN/said.$!"
    BESIDE[$!]=$1 BEGAN[$!]=$SECONDS
}

one_ended() {
    local process status=0
    # Not `wait -n`, which does not know any more whom a signal has ended before.
    while :; do
        for process in "${!BESIDE[@]}"; do
            kill -0 "$process" 2>/dev/null || break 2
        done
        sleep 0.1
    done
    wait "$process" || status=$?
    rm "$RUN/processes/-$process"
    printf '\n== %s\n' "${BESIDE[$process]}"
    cat "$RUN/said.$process"
    printf -- '-- %s s%s\n' "$((SECONDS - BEGAN[$process]))" "$([ "$status" -eq 0 ] || echo ", FAILED ($status)")"
    [ "$status" -eq 0 ] || FAILED+=("${BESIDE[$process]}")
    unset "BESIDE[$process]" "BEGAN[$process]"
    SECTIONS=$((SECTIONS + 1))
}

# Waits for all that run beside each other, and fails if one of them has failed.
all_ended() {
    while [ ${#BESIDE[@]} -gt 0 ]; do
        one_ended
    done
    [ ${#FAILED[@]} -eq 0 ] || {
        printf '\n== FAILED: %s' "${FAILED[@]}" >&2
        echo >&2
        exit 1
    }
}

section_summary() {
    printf '\n%s passed, 0 failed\n' "$SECTIONS"
}
