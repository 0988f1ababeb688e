#!/bin/sh
# run: builds the fuzz targets and runs each, two at a time.   sh tests/fuzz/run.sh [SECONDS [NAME...]]
#
# SECONDS: for each target, 60 when not given; NAME: schema_fuzz, plan_fuzz, payload_fuzz,
# wire_fuzz.
# leaks.txt: avro-c leaks on schemas that it refuses; what compiles is checked for leaks by the unit tests.
# BUILD: where to build, build/fuzz when not set. The corpus stays there, in corpus/, and grows from
# run to run. A finding ends its target; it is left in found/: mend what it shows, then keep it as
# tests/fuzz/findings/NAME-WHAT, and better still as a unit test or a case.
# Ends with one line for each target, and fails when one has a finding.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build/fuzz}
SECONDS_EACH=${1:-60}
[ $# -eq 0 ] || shift
TARGETS=${*:-schema_fuzz plan_fuzz payload_fuzz wire_fuzz}

build() {
    mkdir -p "$BUILD"
    cmake -G Ninja -S . -B "$BUILD" -DCMAKE_C_COMPILER=clang -DELEMENTOR_SYNC_FUZZ=ON \
        -DELEMENTOR_SYNC_TESTS=OFF >"$BUILD/build.log" 2>&1 &&
        # shellcheck disable=SC2086 # a list of words
        ninja -C "$BUILD" $TARGETS >>"$BUILD/build.log" 2>&1 ||
        { tail -n 40 "$BUILD/build.log" >&2 && exit 1; }
}

fuzz() { # NAME; what it prints goes to NAME.log
    mkdir -p "$BUILD/found" "$BUILD/corpus/$1"
    dictionary=
    case $1 in payload_fuzz | wire_fuzz) ;; *) dictionary=-dict=tests/fuzz/schema.dict ;; esac
    # shellcheck disable=SC2086 # there may be no dictionary
    ASAN_OPTIONS=detect_leaks=1 LSAN_OPTIONS=suppressions=tests/fuzz/leaks.txt:print_suppressions=0 \
        "$BUILD/tests/fuzz/$1" -max_total_time="$SECONDS_EACH" -timeout=60 -report_slow_units=60 -max_len=20000 \
        $dictionary -print_final_stats=1 -artifact_prefix="$BUILD/found/$1-" \
        "$BUILD/corpus/$1" "$BUILD/seeds/$1" >"$BUILD/$1.log" 2>&1
}

stat_of() { # NAME STAT
    sed -n "s/^stat::$2: *//p" "$BUILD/$1.log" | tail -n 1
}

report() { # NAME STATUS
    covered=$(sed -n 's/^#[0-9]*.* cov: \([0-9]*\) ft: \([0-9]*\) .*/\1 edges, \2 features/p' \
        "$BUILD/$1.log" | tail -n 1)
    if [ "$2" = 0 ]; then
        printf 'ok    %s: %s executions, %s a second, %s\n' "$1" \
            "$(stat_of "$1" number_of_executed_units)" "$(stat_of "$1" average_exec_per_sec)" \
            "$covered"
    else
        tail -n 60 "$BUILD/$1.log" >&2
        printf 'FAIL  %s: see %s/%s.log and %s/found\n' "$1" "$BUILD" "$1" "$BUILD"
        failed=1
    fi
}

build
python3 tests/fuzz/seeds.py "$BUILD/seeds"
failed=0
# shellcheck disable=SC2086 # a list of words
set -- $TARGETS
while [ $# -gt 0 ]; do
    first=$1 second=${2:-}
    fuzz "$first" &
    pid=$!
    status=0
    if [ -n "$second" ]; then
        fuzz "$second" || status=$?
        report "$second" "$status"
    fi
    status=0
    wait "$pid" || status=$?
    report "$first" "$status"
    shift
    [ -z "$second" ] || shift
done
exit "$failed"
