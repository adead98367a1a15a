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
# Sections that run beside each other, by their numbers, and how many do so at once.
declare -A BESIDE=() BESIDE_PROCESS=()
AT_ONCE=$(($(nproc) + 1))
FAILED=()
mkfifo "$RUN/ended"
exec 8<>"$RUN/ended"

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
    for process in $RUNNING "${BESIDE_PROCESS[@]}"; do
        kill -TERM -- "-$process" 2>/dev/null || true
    done
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

# beside TITLE COMMAND...: a section that runs beside those that follow. What it says is
# shown when it has ended; a failure ends nothing but is told by `all_ended`.
beside() {
    [ ${#BESIDE[@]} -lt "$AT_ONCE" ] || one_ended
    local number=$((SECTIONS + ${#BESIDE[@]}))
    BESIDE[$number]=$1
    shift
    setsid bash -c '
        began=$SECONDS status=0
        "${@:2}" >"$RUN/said.$1" 2>&1 || status=$?
        echo "$1 $status $((SECONDS - began))" >&8
    ' beside "$number" "$@" 7>&- &
    BESIDE_PROCESS[$number]=$!
}

one_ended() {
    local number status took
    read -r number status took <&8
    printf '\n== %s\n' "${BESIDE[$number]}"
    cat "$RUN/said.$number"
    if [ "$status" -eq 0 ]; then
        printf -- '-- %s s\n' "$took"
    else
        printf -- '-- %s s, FAILED\n' "$took"
        FAILED+=("${BESIDE[$number]}")
    fi
    unset "BESIDE[$number]" "BESIDE_PROCESS[$number]"
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
