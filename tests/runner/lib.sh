# lib: the life of a run: its account, its steps and its end. Sourced by run.sh and guard.sh.
#
# A run must close with its account and leave nothing behind, however it ends. Four things see to it:
#
#   the account    is a file, so no subshell loses a line and a run killed outright can still be closed
#   the traps      turn each way out, a signal too, into finish: end what lives, then show the account
#   the guard      a process beside the run that does the same after SIGKILL, which no trap hears
#   the mark       RUN, in the environment that each process of a run inherits: so they are found
#                  whatever became of their parent, group or session
#
# Each step has a session of its own, so that Ctrl-C at a terminal reaches the run alone: it then ends
# the step in order, where the terminal would hit all of the step's processes at once.
#
# RUN/results    a line for what came of something: KIND COUNT NAME, with KIND ok, FAIL or skip
# RUN/step       the name of the step that is under way
# RUN/current    the session of its command
# RUN/stack      the folder of the real stack while there is one
# RUN/beside-*   the session and the seconds of a command beside the steps
# RUN/finished   the account is closed

STOP_SECONDS=${STOP_SECONDS:-40} # for a step that is told to end: the stack takes its time
STACK_SECONDS=120                # for the stack
KILL_SECONDS=${KILL_SECONDS:-10} # for all others, before SIGKILL
GONE_SECONDS=60                  # after SIGKILL: a busy machine takes its time

begin_run() {
    RUN=$(mktemp -d "${TMPDIR:-/tmp}/elementor-sync-run.XXXXXX") || {
        printf '0 passed, 1 failed, 0 skipped\n'
        exit 1
    }
    : >"$RUN/results"
    MAIN=$$
    setsid sh "$ROOT/tests/runner/guard.sh" "$MAIN" "$RUN" </dev/null &
    GUARD=$!
    trap finish EXIT
    trap 'interrupted INT 130' INT
    trap 'interrupted TERM 143' TERM
    trap 'interrupted HUP 129' HUP
    trap 'interrupted QUIT 131' QUIT
    trap 'interrupted PIPE 141' PIPE
    OUTER_MARKS=${TESTS_RUN_MARKS:-} # this run may be a test of another one
    export TESTS_RUN_MARKS="$OUTER_MARKS:$RUN:"
}

# ---- the account ----

record() { # KIND COUNT NAME
    printf '%s %s %s\n' "$1" "$2" "$3" >>"$RUN/results"
}

passed() { # NAME
    record ok 1 "$1"
    printf 'ok    %s\n' "$1"
}

failed() { # NAME
    record FAIL 1 "$1"
    printf 'FAIL  %s\n' "$1"
}

skipped() { # NAME
    record skip 1 "$1"
    printf 'skip  %s\n' "$1"
}

total() { # KIND
    awk -v kind="$1" '$1 == kind { n += $2 } END { print n + 0 }' "$RUN/results"
}

# ---- a step ----

step() { # WORDS
    printf '%s\n' "$*" >"$RUN/step"
    printf '\n== %s (%s s)\n' "$*" "$(($(date +%s) - BEGAN))"
}

# Runs a command in a session of its own, its output in LOG; its status, 124 past the time. In the
# background: a shell that waits for a foreground command hears no signal until that has ended.
run_for() { # SECONDS LOG COMMAND...
    limit=$1 log=$2
    shift 2
    setsid timeout -k 10 "$limit" "$@" >"$log" 2>&1 </dev/null &
    await_step $! "$limit"
}

# The same, shown as it goes. The log exists before anything reads it.
show_for() { # SECONDS LOG COMMAND...
    limit=$1 log=$2
    shift 2
    : >"$log"
    setsid timeout -k 10 "$limit" "$@" >>"$log" 2>&1 </dev/null &
    shown=$! shown_status=0
    tail -n +1 -f --pid="$shown" "$log" 2>/dev/null &
    showing=$!
    await_step "$shown" "$limit" || shown_status=$?
    wait "$showing" || :
    return "$shown_status"
}

await_step() { # PID SECONDS
    printf '%s\n' "$1" >"$RUN/current"
    waited=0
    wait "$1" || waited=$?
    rm -f "$RUN/current"
    [ "$waited" != 124 ] || printf 'not done after %s s\n' "$2"
    return "$waited"
}

# A command beside the steps, for what they leave of the processor: nice counts within a session, and the
# session's own weight is its autogroup's. Each has a name.
begin_beside() { # NAME SECONDS LOG COMMAND...
    beside=$1 limit=$2 log=$3
    shift 3
    setsid timeout -k 10 "$limit" nice -n 19 sh -c '
        { echo 19 >/proc/self/autogroup; } 2>/dev/null
        exec "$@"' sh "$@" >"$log" 2>&1 </dev/null &
    printf '%s %s\n' "$!" "$limit" >"$RUN/beside-$beside"
}

await_beside() { # NAME: its status
    read -r pid limit <"$RUN/beside-$1"
    await_step "$pid" "$limit"
}

# One that writes its checks into the account by itself: they are shown.
end_beside() { # NAME LOG
    ended=0
    await_beside "$1" || ended=$?
    cat "$2"
    [ "$ended" = 0 ] || failed "$1: ended with status $ended"
}

# A command is a test: shown only when it fails.
check() { # NAME SECONDS COMMAND...
    name=$1 limit=$2
    shift 2
    if run_for "$limit" "$BUILD/check.log" "$@"; then
        passed "$name"
    else
        cat "$BUILD/check.log"
        failed "$name"
    fi
}

# A runner that shows each test and closes with "N passed, N failed": its numbers are the account's.
# One that closes without them has failed, and so has one whose numbers do not fit its status.
count() { # NAME SECONDS LOG COMMAND...
    name=$1 limit=$2 log=$3 ended=0
    shift 3
    show_for "$limit" "$log" "$@" || ended=$?
    closing=$(sed -n 's/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed.*/\1 \2/p' "$log" | tail -n 1)
    good=${closing% *} bad=${closing#* }
    record ok "${good:-0}" "$name"
    record FAIL "${bad:-0}" "$name"
    if [ -z "$closing" ]; then
        failed "$name: ended with status $ended before its last line"
    elif [ "$ended" != 0 ] && [ "$bad" = 0 ]; then
        failed "$name: ended with status $ended though no test failed"
    elif [ "$good" = 0 ] && [ "$bad" = 0 ]; then
        failed "$name: no test ran"
    fi
}

# ---- the end ----

# Once: a second signal, or what is said into a closed pipe, must not begin the end again.
interrupted() { # SIGNAL STATUS
    trap '' INT TERM HUP QUIT PIPE
    failed "interrupted by SIG$1 during: $(cat "$RUN/step" 2>/dev/null)"
    exit "$2"
}

# A zombie lives no more: its parent may never ask for it.
lives() { # PID
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    case ${stat##*) } in [ZX]*) return 1 ;; esac
}

# The living processes of this run, in LIVING: those that bear its mark, and the children of its shell,
# the newest of which may not have become its command yet. The guard is neither's.
find_living() {
    LIVING='' born=''
    marked=$(grep -lszF ":$RUN:" /proc/[0-9]*/environ | cut -d / -f 3)
    read -r born 2>/dev/null <"/proc/$MAIN/task/$MAIN/children" || : # its line does not end
    for pid in $marked $born; do
        [ "$pid" = "$GUARD" ] || ! lives "$pid" || LIVING="$LIVING $pid"
    done
}

end_living() { # SIGNAL SECONDS: sends it to what lives, and waits; false when some live on
    until=$(($(date +%s) + $2)) sent=
    while find_living && [ -n "$LIVING" ]; do
        # shellcheck disable=SC2086 # a list of ids
        [ "$LIVING" = "$sent" ] || kill "-$1" $LIVING 2>/dev/null || :
        sent=$LIVING
        [ "$(date +%s)" -le "$until" ] || return 1
        sleep 0.1
    done
}

# The step first, by its own ways: up.sh takes down what it began. Then the stack, then the rest.
end_processes() {
    export TESTS_RUN_MARKS="$OUTER_MARKS" # the tools that look for the marked ones must not bear it
    session=$(cat "$RUN/current" 2>/dev/null)
    if [ -n "$session" ] && kill -TERM -- "-$session" 2>/dev/null; then
        tenths=$((STOP_SECONDS * 10))
        while lives "$session" && [ "$tenths" -gt 0 ]; do
            tenths=$((tenths - 1))
            sleep 0.1
        done
    fi
    stop_stack
    end_living TERM "$KILL_SECONDS" || end_living KILL "$GONE_SECONDS" ||
        failed "these processes of the run do not end:$LIVING"
}

# Its folder is known until it is gone: whatever interrupts this, the end tries again.
stop_stack() {
    [ -e "$RUN/stack" ] || return 0
    stack=$(cat "$RUN/stack")
    if [ -e "$stack/secret" ]; then
        timeout -k 10 "$STACK_SECONDS" sh "$ROOT/tests/stack/down.sh" "$stack" >/dev/null 2>&1 ||
            printf 'the stack did not end by itself; it is ended now\n'
    fi
    [ -z "$stack" ] || rm -rf "$stack"
    rm -f "$RUN/stack"
}

close_account() {
    printf '\n== done (%s s)\n' "$(($(date +%s) - BEGAN))"
    grep '^FAIL [1-9]' "$RUN/results" | cut -d ' ' -f 3- | sort -u | sed 's/^/failed: /'
    printf '%s passed, %s failed, %s skipped\n' "$(total ok)" "$(total FAIL)" "$(total skip)"
}

# Runs on every way out. The failed parts decide on the status; a signal keeps its own.
finish() {
    status=$?
    trap - EXIT
    trap '' INT TERM HUP QUIT PIPE
    end_processes
    [ "$status" = 0 ] || [ "$(total FAIL)" != 0 ] || failed "the run itself: status $status during: $(cat "$RUN/step" 2>/dev/null)"
    [ "$(total ok)" != 0 ] || [ "$(total FAIL)" != 0 ] || failed "no test ran"
    [ "$status" != 0 ] || [ "$(total FAIL)" = 0 ] || status=1
    : >"$RUN/finished"
    kill "$GUARD" 2>/dev/null
    wait "$GUARD" 2>/dev/null
    close_account
    rm -rf "$RUN"
    exit "$status"
}
