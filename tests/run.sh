#!/bin/sh
# run: installs what is missing, builds, and passes every test.   sh tests/run.sh
#
# Needs Debian 12 or 13 with root or sudo, nothing else. Everything it makes lies in build/ and in the
# user's cache folder. Ends with one line: N passed, N failed, N skipped. FUZZ_SECONDS: for each fuzz
# target, 60 when not set.
set -eu
cd "$(dirname "$0")/.."
ROOT=$(pwd)
BUILD=$ROOT/build
export DEBIAN_FRONTEND=noninteractive
PASSED=0 FAILED=0 SKIPPED=0
BEGAN=$(date +%s)
PROMTOOL=$BUILD/promtool/usr/bin/promtool

step() {
    printf '\n== %s (%s s)\n' "$*" "$(($(date +%s) - BEGAN))"
}

passed() {
    PASSED=$((PASSED + 1))
    printf 'ok    %s\n' "$1"
}

failed() {
    FAILED=$((FAILED + 1))
    printf 'FAIL  %s\n' "$1"
}

# A missing real component is a failure in CI, a visible skip elsewhere.
missing() { # NAME REASON
    if [ "${CI:-}" = true ]; then
        failed "$1: $2"
    else
        SKIPPED=$((SKIPPED + 1))
        printf 'skip  %s: %s\n' "$1" "$2"
    fi
}

check() { # NAME COMMAND...
    name=$1
    shift
    if "$@" >"$BUILD/check.log" 2>&1; then
        passed "$name"
    else
        cat "$BUILD/check.log"
        failed "$name"
    fi
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

is_installed() {
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

# node and npm come from elsewhere on many machines, and Debian's would conflict with them.
has_command() {
    case $1 in
    nodejs) command -v node >/dev/null ;;
    npm | chromium) command -v "$1" >/dev/null ;;
    *) false ;;
    esac
}

install_packages() {
    wanted=
    for package in $(cat consumer/packages.txt tests/packages.txt tests/stack/packages.txt); do
        is_installed "$package" || has_command "$package" || wanted="$wanted $package"
    done
    [ -n "$wanted" ] || return 0
    printf 'installing:%s\n' "$wanted"
    as_root apt-get update -qq
    # shellcheck disable=SC2086
    as_root apt-get install -y -qq --no-install-recommends $wanted >"$BUILD/apt.log" 2>&1 ||
        { tail -n 20 "$BUILD/apt.log"; exit 1; }
}

# Of the very version that clang has: its package carries it in its name.
install_fuzzer() {
    runtime=libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev
    is_installed "$runtime" || as_root apt-get install -y -qq --no-install-recommends "$runtime" \
        >>"$BUILD/apt.log" 2>&1
}

# One version of the formatter for every machine: what it prints differs between versions.
install_python() {
    wanted="clang-format==14.0.6 fastavro jsonschema prometheus-client pyflakes standardwebhooks"
    wanted="$wanted schemathesis compose-spec PyYAML"
    [ "$(cat "$BUILD/venv/holds" 2>/dev/null)" != "$wanted" ] || return 0
    # shellcheck disable=SC2086 # a list of words
    python3 -m venv "$BUILD/venv" && "$BUILD/venv/bin/pip" install -q $wanted &&
        printf '%s\n' "$wanted" >"$BUILD/venv/holds"
}

# The tool alone: Debian 12 has it in the package of the server, which would start one.
fetch_promtool() {
    [ -x "$PROMTOOL" ] || (cd "$BUILD" &&
        { apt-get download -qq promtool || apt-get download -qq prometheus; } &&
        dpkg -x prom*.deb promtool) >"$BUILD/promtool.log" 2>&1 ||
        { PROMTOOL= && missing "promtool" "Debian's package of it could not be fetched"; }
}

c_files() {
    git ls-files '*.c' '*.h' 2>/dev/null || find consumer tests -name '*.[ch]'
}

build() { # FOLDER OPTIONS...
    folder=$1
    shift
    cmake -G Ninja -S "$ROOT" -B "$folder" "$@" >"$folder.log" 2>&1 &&
        ninja -C "$folder" >>"$folder.log" 2>&1 || { tail -n 60 "$folder.log"; return 1; }
}

unit_tests() {
    ctest --test-dir "$BUILD/sanitized" -j 4 --output-on-failure >"$BUILD/ctest.log" 2>&1 || true
    grep -E '^ *[0-9]+/[0-9]+ Test' "$BUILD/ctest.log" || true
    good=$(grep -cE '^ *[0-9]+/[0-9]+ Test.* Passed' "$BUILD/ctest.log" || true)
    all=$(grep -cE '^ *[0-9]+/[0-9]+ Test' "$BUILD/ctest.log" || true)
    PASSED=$((PASSED + good))
    FAILED=$((FAILED + all - good))
    [ "$all" -gt 0 ] || failed "no unit test ran"
    [ "$good" = "$all" ] || sed -n '/The following tests FAILED/,$p;/\[  ERROR/p;/ERROR:/p' "$BUILD/ctest.log"
}

fuzzing() {
    BUILD=$BUILD/fuzz sh tests/fuzz/run.sh "${FUZZ_SECONDS:-60}" >"$BUILD/fuzz.log" 2>&1 || true
    good=$(grep -c '^ok ' "$BUILD/fuzz.log" || true)
    grep '^ok ' "$BUILD/fuzz.log" || true
    PASSED=$((PASSED + good))
    [ "$good" = 3 ] || { cat "$BUILD/fuzz.log" && FAILED=$((FAILED + 3 - good)); }
}

# A runner that shows each test and closes with "N passed, N failed".
count() { # NAME LOG COMMAND...
    name=$1 log=$2 status=0
    shift 2
    "$@" >"$log" 2>&1 || status=$?
    grep -v ' passed, .* failed' "$log" || true
    good=$(sed -n 's/^\([0-9]*\) passed, .*/\1/p' "$log" | tail -n 1)
    bad=$(sed -n 's/^[0-9]* passed, \([0-9]*\) failed.*/\1/p' "$log" | tail -n 1)
    PASSED=$((PASSED + ${good:-0}))
    FAILED=$((FAILED + ${bad:-0}))
    [ "$status" = 0 ] || [ "${bad:-0}" -gt 0 ] || failed "$name"
}

browser() {
    mkdir -p "$BUILD/browser"
    cp tests/browser/package.json tests/browser/package-lock.json "$BUILD/browser/"
    if ! npm --prefix "$BUILD/browser" ci --no-audit --no-fund >"$BUILD/npm.log" 2>&1; then
        missing "the page in a browser" "npm: $(tail -n 1 "$BUILD/npm.log")"
        return
    fi
    count "the page in a browser" "$BUILD/browser.log" node tests/browser/run.mjs "$BUILD/browser" \
        "$BUILD/sanitized/elementor-sync" "$BUILD/sanitized/tests"
}

demo_tests() {
    python3 tests/e2e/demo.py "$BUILD/sanitized/elementor-sync" >"$BUILD/demo.log" 2>&1 || true
    cat "$BUILD/demo.log"
    good=$(sed -n 's/^\([0-9]*\) passed, .*/\1/p' "$BUILD/demo.log" | tail -n 1)
    bad=$(sed -n 's/^[0-9]* passed, \([0-9]*\) failed.*/\1/p' "$BUILD/demo.log" | tail -n 1)
    PASSED=$((PASSED + ${good:-0}))
    FAILED=$((FAILED + ${bad:-1}))
}

real_stack() {
    stack=$(mktemp -d)
    if ! sh tests/stack/up.sh "$stack"; then
        missing "the real stack" "it did not start"
        return
    fi
    status=0
    python3 tests/e2e/run.py "$BUILD/sanitized/elementor-sync" "$BUILD/sanitized/tests" "$stack" \
        >"$BUILD/e2e.log" 2>&1 & # shown as it goes; ended with the stack
    runner=$!
    tail -n +1 -f --pid="$runner" "$BUILD/e2e.log"
    wait "$runner" || status=$?
    check "chaos: 10 times kill -9, judged by journals" python3 tests/chaos/run.py \
        "$BUILD/release/elementor-sync" "$BUILD/release/tests" kill --kills 10 --orders 3000 \
        --stack "$stack"
    sh tests/stack/down.sh "$stack"
    good=$(sed -n 's/^\([0-9]*\) passed, .*/\1/p' "$BUILD/e2e.log" | tail -n 1)
    bad=$(sed -n 's/^[0-9]* passed, \([0-9]*\) failed.*/\1/p' "$BUILD/e2e.log" | tail -n 1)
    PASSED=$((PASSED + ${good:-0}))
    FAILED=$((FAILED + ${bad:-1}))
    [ "$status" = 0 ] || [ "${bad:-1}" -gt 0 ] || failed "end to end"
}

mkdir -p "$BUILD"
step "packages"
install_packages
install_fuzzer
install_python
fetch_promtool

step "build: release, and with ASan and UBSan"
build "$BUILD/release" -DELEMENTOR_SYNC_BENCH=ON && passed "release build" || failed "release build"
build "$BUILD/sanitized" -DCMAKE_BUILD_TYPE=Debug -DELEMENTOR_SYNC_SANITIZE=ON &&
    passed "sanitized build" || { failed "sanitized build"; exit 1; }

step "form: formatter, linters"
# shellcheck disable=SC2046
check "clang-format" "$BUILD/venv/bin/clang-format" --dry-run -Werror $(c_files)
check "cppcheck" cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 \
    --enable=warning,performance,portability --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -I consumer consumer
# shellcheck disable=SC2046
check "clang-tidy" sh -c '(git ls-files "consumer/*.c" 2>/dev/null || find consumer -name "*.c") |
    xargs -P 2 -n 4 clang-tidy --quiet -p "$1"' sh "$BUILD/release"
# shellcheck disable=SC2046
check "pyflakes" "$BUILD/venv/bin/python" -m pyflakes $(find tests -name '*.py')

step "unit tests, under ASan and UBSan"
unit_tests
check "fastavro reads the same" "$BUILD/venv/bin/python" tests/property/fastavro_check.py \
    "$BUILD/sanitized/tests/plan_dump"
check "signatures, metrics, records and docker/, by other people's libraries" "$BUILD/venv/bin/python" \
    tests/interop/check.py "$BUILD/sanitized/tests/interop" ${PROMTOOL:+"$PROMTOOL"}

step "fuzzing, ${FUZZ_SECONDS:-60} s a target"
fuzzing

step "the page in a real browser"
browser

step "the demo: nothing but the program"
demo_tests

step "the real stack: PostgreSQL, Debezium, Kafka, registry"
real_stack

step "done"
printf '%s passed, %s failed, %s skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
[ "$FAILED" = 0 ]
