# Sourced. Runs sections with titles and durations. Creates a temporary directory; at the end
# of the run, it is removed and the processes started in it are stopped.

export LC_ALL=C.UTF-8
RUN=$(mktemp -d "${TMPDIR:-/tmp}/exit3-test.XXXXXX")
export RUN
chmod 711 "$RUN"
SECTIONS=0
SECTION=
# Failed sections, by process id.
FAILED=()
# Sections that run in parallel, by process id, and how many may run at once.
declare -A BESIDE=() BEGAN=()
AT_ONCE=$(($(nproc) + 1))

# One file per process, or process group (-N), to be stopped at the end of the run.
mkdir "$RUN/processes"
# A separate process cleans up, however this script ends: it waits until this script's end of
# the pipe is closed.
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

# start COMMAND...: starts a command in its own process group, so that it can be stopped with
# its children, and in the background, so that this script still receives signals.
start() {
    setsid "$@" </dev/null 7>&- &
    : >"$RUN/processes/-$!"
}

# section TITLE COMMAND...: runs a section and waits for it.
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

# beside TITLE COMMAND...: starts a section that runs in parallel with the following ones. Its
# output is shown when it has ended. A failure does not stop the run; `all_ended` reports it.
beside() {
    [ ${#BESIDE[@]} -lt "$AT_ONCE" ] || one_ended
    start "${@:2}" >"$RUN/said" 2>&1
    mv "$RUN/said" "$RUN/said.$!"
    BESIDE[$!]=$1 BEGAN[$!]=$SECONDS
}

one_ended() {
    local process status=0
    # Not `wait -n`: it misses processes that a signal has ended earlier.
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
    [ "$status" -eq 0 ] || FAILED[$process]=${BESIDE[$process]}
    unset "BESIDE[$process]" "BEGAN[$process]"
    SECTIONS=$((SECTIONS + 1))
}

# Waits for all parallel sections, and fails if one of them has failed. Shows the end of a failed
# section's output again, because a log that is cut keeps only its last lines.
all_ended() {
    local process
    while [ ${#BESIDE[@]} -gt 0 ]; do
        one_ended
    done
    [ ${#FAILED[@]} -eq 0 ] || {
        for process in "${!FAILED[@]}"; do
            printf '\n== FAILED: %s\n' "${FAILED[$process]}" >&2
            tail -n 60 "$RUN/said.$process" | cut -c 1-400 >&2
        done
        exit 1
    }
}

section_summary() {
    printf '\n%s passed, 0 failed\n' "$SECTIONS"
}
