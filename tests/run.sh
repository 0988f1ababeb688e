#!/bin/sh
# run: installs what is missing, builds, and passes every test, or the parts and tests named.
#
#   sh tests/run.sh                 everything
#   sh tests/run.sh PART...         form runner unit interop package image fuzz browser supabase
#                                   demo receivers wordpress stack chaos
#   sh tests/run.sh NAME...         tests by name: of tests/unit (rule_test), tests/e2e (a function's
#                                   name), the demo, tests/receivers, or a fuzz target
#
# Needs Debian 12 or 13 with root or sudo, nothing else. Everything it makes lies in build/ and in the
# user's cache folder. A part that fails does not keep the others from running. However it ends, it ends
# what it started, and its last line is: N passed, N failed, N skipped. FUZZ_SECONDS: for each fuzz
# target, 60 when not set.
set -u
cd "$(dirname "$0")/.." || exit 1
ROOT=$(pwd)
BUILD=$ROOT/build
BEGAN=$(date +%s)
ALL_PARTS="form runner unit interop package image fuzz browser supabase demo receivers wordpress stack chaos"
export DEBIAN_FRONTEND=noninteractive
. "$ROOT/tests/runner/lib.sh"
. "$ROOT/tests/runner/packages.sh"

# ---- what is asked for ----

PARTS='' UNITS='' END_TO_END='' DEMOS='' EXAMPLES='' WORDPRESS_TESTS='' FUZZERS=''

has_function() { # NAME FILE...: a test of Python
    name=$1
    shift
    grep -q "^def $name(" "$@"
}

choose() { # WORD: a part, or one test
    case " $ALL_PARTS " in *" $1 "*) PARTS="$PARTS $1" && return ;; esac
    case $1 in *[!A-Za-z0-9_]*) return 1 ;; esac
    if [ -n "$(find tests/unit -name "$1.c")" ]; then
        PARTS="$PARTS unit" UNITS="$UNITS $1"
    elif [ -e "tests/fuzz/$1.c" ]; then
        PARTS="$PARTS fuzz" FUZZERS="$FUZZERS $1"
    elif has_function "$1" tests/e2e/demo.py; then
        PARTS="$PARTS demo" DEMOS="$DEMOS $1"
    elif has_function "$1" tests/receivers/examples.py; then
        PARTS="$PARTS receivers" EXAMPLES="$EXAMPLES $1"
    elif has_function "$1" tests/receivers/wordpress.py; then
        PARTS="$PARTS wordpress" WORDPRESS_TESTS="$WORDPRESS_TESTS $1"
    elif has_function "$1" tests/e2e/*.py; then
        PARTS="$PARTS stack" END_TO_END="$END_TO_END $1"
    else
        return 1
    fi
}

wants() { # PART...
    for part; do
        case " $PARTS " in *" $part "*) return 0 ;; esac
    done
    return 1
}

# A missing real component is a failure in CI, a visible skip elsewhere.
missing() { # NAME REASON
    if [ "${CI:-}" = true ]; then
        failed "$1: $2"
    else
        skipped "$1: $2"
    fi
}

# ---- builds ----

build() { # NAME OPTIONS...: build/NAME
    folder=$BUILD/$1 name=$1
    shift
    if run_for 300 "$folder.log" cmake -G Ninja -S "$ROOT" -B "$folder" "$@" &&
        run_for 3600 "$folder.log" ninja -C "$folder"; then
        passed "$name build"
    else
        tail -n 60 "$folder.log"
        failed "$name build"
        return 1
    fi
}

HAS_RELEASE=no HAS_SANITIZED=no HAS_SUPABASE=no HAS_KUBERNETES=no

build_all() {
    if wants form interop package image chaos; then
        build release -DELEMENTOR_SYNC_BENCH=ON -DCMAKE_INSTALL_PREFIX=/usr && HAS_RELEASE=yes
    fi
    if wants unit interop browser demo receivers wordpress stack; then
        build sanitized -DCMAKE_BUILD_TYPE=Debug -DELEMENTOR_SYNC_SANITIZE=ON && HAS_SANITIZED=yes
    fi
    return 0
}

sanitized_for() { # NAME: false, and a failure, when there is no build to test
    [ "$HAS_SANITIZED" = yes ] || { failed "$1: not run, there is no sanitized build" && return 1; }
}

release_for() { # NAME
    [ "$HAS_RELEASE" = yes ] || { failed "$1: not run, there is no release build" && return 1; }
}

# ---- the parts ----

# Linters compute, most of the other parts wait: they share the time.
begin_form() {
    tidied=
    release_for "clang-tidy" && tidied=$BUILD/release
    begin_beside form 3600 "$BUILD/form.log" env ROOT="$ROOT" BUILD="$BUILD" RUN="$RUN" \
        sh tests/runner/form.sh ${tidied:+"$tidied"}
}

# ctest's own account, a line a test, becomes this one's. A test waits for seven eighths of its time, for a Kafka most of all.
ctest_in() { # BUILD NAME OPTIONS...
    tree=$BUILD/$1 log=$BUILD/ctest-$1.log name=$2 ended=0
    shift 2
    run_for 3600 "$log" ctest --test-dir "$tree" -j 16 --output-on-failure --no-tests=error "$@" ||
        ended=$?
    grep -E '^ *[0-9]+/[0-9]+ Test' "$log"
    good=$(grep -cE '^ *[0-9]+/[0-9]+ Test.* Passed' "$log")
    all=$(grep -cE '^ *[0-9]+/[0-9]+ Test' "$log")
    record ok "$good" "$name"
    record FAIL $((all - good)) "$name"
    [ "$all" -gt 0 ] || failed "$name: no test ran"
    [ "$good" = "$all" ] || sed -n '/The following tests FAILED/,$p;/\[  ERROR/p;/ERROR:/p' "$log"
    [ "$ended" = 0 ] || [ "$all" = 0 ] || [ "$good" != "$all" ] || failed "$name: ctest ended with status $ended"
}

one_of() { # NAME...: as ctest wants it
    printf '^(%s)$' "$(printf '%s' "$*" | tr ' ' '|')"
}

# What a developer runs all day: a minute, once it was built.
unit() {
    sanitized_for "unit tests" || return 0
    # shellcheck disable=SC2086 # a list of words
    ctest_in sanitized "unit tests" ${UNITS:+-R "$(one_of $UNITS)"}
    [ -z "$UNITS" ] || return 0
    check "no circle between files" 120 "$BUILD/venv/bin/python" tests/tools/circles.py "$BUILD/sanitized"
    check "README.md and consumer/doc: links, commands, options" 60 "$BUILD/venv/bin/python" tests/tools/pages.py \
        "$BUILD/sanitized/elementor-sync"
}

# Everything that is held against other people's libraries and programs.
interop() {
    # The default build, as the optimizer makes it: those tests that look at the code itself.
    release_for "release tests" && ctest_in release "tests of the release build" -L release
    release_for "the image" && check "the image's files, entered by chroot" 300 \
        "$BUILD/venv/bin/python" tests/interop/image.py "$BUILD/release/elementor-sync"
    sanitized_for "interop" || return 0
    newest_librdkafka
    check "fastavro reads the same" 300 "$BUILD/venv/bin/python" tests/property/fastavro_check.py \
        "$BUILD/sanitized/tests/plan_dump"
    [ -n "$PROMTOOL" ] || missing "promtool" "Debian's package of it could not be fetched"
    check "signatures, metrics, records and docker/, by other people's libraries" 300 \
        "$BUILD/venv/bin/python" tests/interop/check.py "$BUILD/sanitized/tests/interop" \
        ${PROMTOOL:+"$PROMTOOL"}
    if [ -n "$NGINX" ] && [ -n "$TINYPROXY" ]; then
        check "the network between: nginx, tinyproxy, certificates by openssl" 300 "$BUILD/venv/bin/python" \
            tests/interop/network.py "$BUILD/sanitized/elementor-sync" "$NGINX" "$TINYPROXY"
    else
        missing "the network between" "Debian's packages of nginx and tinyproxy could not be fetched"
    fi
    if [ -n "$NGINX" ] && [ -n "$CADDY" ]; then
        check "the dashboard behind nginx, Caddy and Apache" 300 "$BUILD/venv/bin/python" tests/interop/proxies.py \
            "$BUILD/sanitized/elementor-sync" "$BUILD/sanitized/tests" "$NGINX" "$CADDY" /usr/sbin/apache2
    else
        missing "the dashboard behind proxies" "Debian's packages of nginx and Caddy could not be fetched"
    fi
    check "the configuration's schema, and reports, by jsonschema" 120 "$BUILD/venv/bin/python" \
        tests/interop/configuration.py "$BUILD/sanitized/elementor-sync"
    if [ -n "$KUBECTL" ] && [ "$HAS_KUBERNETES" = yes ]; then
        check "docker/kubernetes, by the schemas of Kubernetes, the Prometheus operator and KEDA" 300 \
            "$BUILD/venv/bin/python" tests/kubernetes/check.py "$BUILD/sanitized/elementor-sync" \
            "$BUILD/sanitized/tests" "$BUILD/kubernetes" "$KUBECTL"
    else
        missing "docker/kubernetes" "Debian's package of kubectl, or npm's of the definitions, could not be fetched"
    fi
    check "tokens by PyJWT and jwcrypto" 120 "$BUILD/venv/bin/python" tests/interop/tokens.py \
        "$BUILD/sanitized/elementor-sync" "$BUILD/sanitized/tests"
    check "Elementor's shapes, by PHP" 120 "$BUILD/venv/bin/python" tests/interop/shapes.py "$BUILD/sanitized/tests/shapes"
}

# Debian's is of 2023; where the program is built on a newer one, its groups must be as steady.
newest_librdkafka() {
    library=$(find "$BUILD/venv" -path '*/confluent_kafka.libs/librdkafka*.so.1' | head -n 1)
    [ -n "$library" ] || { missing "groups on the newest librdkafka" "confluent-kafka is not installed" && return; }
    mkdir -p "$BUILD/newest-librdkafka"
    ln -sf "$library" "$BUILD/newest-librdkafka/librdkafka.so.1"
    check "groups on the newest librdkafka, that of confluent-kafka" 120 env \
        LD_LIBRARY_PATH="$BUILD/newest-librdkafka" ctest --test-dir "$BUILD/sanitized" -j 8 --output-on-failure \
        --no-tests=error -R "$(one_of consumer_test group_wait_test member_properties_test pipeline_group_test pipeline_lost_test)"
}

# Twice, of the build that is there: the test wants the same bytes.
package() {
    release_for "the package" || return 0
    for folder in publish publish-again; do
        run_for 900 "$BUILD/package.log" env BUILD="$BUILD/release" CMAKE_OPTIONS=-DELEMENTOR_SYNC_BENCH=ON \
            DEBSBOM="$BUILD/venv/bin/debsbom" sh docker/release.sh "$BUILD/$folder" ||
            { tail -n 60 "$BUILD/package.log" && failed "the package" && return; }
    done
    count "the package" 900 "$BUILD/package.log" "$BUILD/venv/bin/python" tests/package/check.py \
        "$BUILD/publish" "$BUILD/publish-again" "$BUILD/release/tests"
}

# Half of its time is spent on Debian's packages: it is built beside the others, and looked at near the end.
begin_image() {
    begin_beside image 3600 "$BUILD/image.log" "$BUILD/venv/bin/python" tests/image/build.py "$BUILD/image"
}

image() {
    release_for "the image" || return 0
    ended=0
    await_beside image || ended=$?
    case $ended in
    0) grep -E '^ *[0-9]+ s ' "$BUILD/image.log" ;;
    3) skipped "the image by buildah, which runs nothing here: $(tail -n 1 "$BUILD/image.log")" && return ;;
    4) missing "the image by buildah" "$(tail -n 1 "$BUILD/image.log")" && return ;;
    *) tail -n 60 "$BUILD/image.log" && failed "the image by buildah: ended with status $ended" && return ;;
    esac
    count "the image by buildah" 900 "$BUILD/image-check.log" "$BUILD/venv/bin/python" tests/image/check.py \
        "$BUILD/image" "$BUILD/release/tests"
}

fuzz() {
    seconds=${FUZZ_SECONDS:-60} log=$BUILD/fuzz.log
    targets=${FUZZERS:-schema_fuzz plan_fuzz payload_fuzz wire_fuzz}
    # shellcheck disable=SC2086 # a list of words
    run_for $((seconds * 3 + 1800)) "$log" env BUILD="$BUILD/fuzz" sh tests/fuzz/run.sh "$seconds" $targets
    for target in $targets; do
        if grep -q "^ok *$target:" "$log"; then
            passed "$(sed -n "s/^ok *\($target: .*\)/\1/p" "$log")"
        else
            tail -n 80 "$log"
            failed "$target"
        fi
    done
}

browser() {
    sanitized_for "the page in a browser" || return 0
    mkdir -p "$BUILD/browser"
    cp tests/browser/package.json tests/browser/package-lock.json "$BUILD/browser/"
    if ! run_for 900 "$BUILD/npm.log" npm --prefix "$BUILD/browser" ci --no-audit --no-fund; then
        missing "the page in a browser" "npm: $(tail -n 1 "$BUILD/npm.log")"
        return
    fi
    count "the page in a browser" 3600 "$BUILD/browser.log" node tests/browser/run.mjs \
        "$BUILD/browser" "$BUILD/sanitized/elementor-sync" "$BUILD/sanitized/tests"
}

# Each test file is checked for its types, and so is what it takes from docker/supabase.
supabase() {
    [ "$HAS_SUPABASE" = yes ] || return 0
    check "docker/supabase: function, hook and button, by Deno and the client library" 600 env NO_COLOR=1 \
        sh -c 'cd "$1" && PATH=$1/node_modules/.bin:$PATH exec deno test --allow-all' sh "$BUILD/supabase"
}

demo() {
    # shellcheck disable=SC2086 # a list of words
    sanitized_for "the demo" && count "the demo" 1800 "$BUILD/demo.log" \
        python3 tests/e2e/demo.py "$BUILD/sanitized/elementor-sync" $DEMOS
}

receivers() {
    sanitized_for "docker/receivers" || return 0
    deno=
    [ "$HAS_SUPABASE" != yes ] || deno=$BUILD/supabase/node_modules/.bin/deno
    # shellcheck disable=SC2086 # a list of words
    count "docker/receivers" 900 "$BUILD/receivers.log" "$BUILD/venv/bin/python" tests/receivers/examples.py \
        "$BUILD/sanitized/elementor-sync" "$BUILD/sanitized/tests" "$deno" $EXAMPLES
}

wordpress() {
    sanitized_for "docker/wordpress" || return 0
    if [ -z "$WORDPRESS" ] || [ -z "$FPM" ] || [ -z "$NGINX" ]; then
        missing "docker/wordpress" "Debian's packages of WordPress, PHP-FPM and nginx could not be fetched"
        return
    fi
    # shellcheck disable=SC2086 # a list of words
    count "docker/wordpress" 1200 "$BUILD/wordpress.log" "$BUILD/venv/bin/python" tests/receivers/wordpress.py \
        "$BUILD/sanitized/elementor-sync" "$BUILD/sanitized/tests" "$WORDPRESS" "$FPM" "$NGINX" $WORDPRESS_TESTS
}

start_stack() { # NAME
    stack=$(mktemp -d) || return 1
    printf '%s\n' "$stack" >"$RUN/stack"
    show_for 1800 "$BUILD/stack.log" sh tests/stack/up.sh "$stack" && return 0
    missing "$1" "the real stack did not start"
    stop_stack
    return 1
}

real_stack() {
    if wants stack && sanitized_for "end to end"; then
        # shellcheck disable=SC2086 # a list of words
        count "end to end" 3600 "$BUILD/e2e.log" "$BUILD/venv/bin/python" tests/e2e/run.py \
            "$BUILD/sanitized/elementor-sync" "$BUILD/sanitized/tests" "$stack" $END_TO_END
    fi
    if wants chaos && release_for "chaos"; then
        check "chaos: 10 times kill -9, judged by journals" 1800 python3 tests/chaos/run.py \
            "$BUILD/release/elementor-sync" "$BUILD/release/tests" kill --kills 10 --orders 3000 \
            --stack "$stack"
    fi
    stop_stack
}

runner() {
    count "the runner itself" 1200 "$BUILD/runner.log" python3 tests/runner/check.py
}

packages() {
    install_packages consumer/packages.txt tests/packages.txt || failed "packages"
    if wants stack chaos; then
        install_packages tests/stack/packages.txt || failed "packages of the real stack"
    fi
    ! wants fuzz || install_fuzzer || failed "packages: the fuzzer's runtime"
    if wants receivers wordpress; then
        install_packages tests/receivers/packages.txt || failed "packages of the receivers"
    fi
    ! wants package || install_packages tests/package/packages.txt || failed "packages of the package's tests"
    ! wants image || install_packages tests/image/packages.txt || failed "packages of the image's tests"
    ! wants form unit interop package image receivers wordpress stack || install_python || failed "packages: Python's, by pip"
    if wants interop; then
        fetch_programs
        install_kubernetes && HAS_KUBERNETES=yes
    fi
    if wants supabase receivers stack; then
        install_supabase && HAS_SUPABASE=yes ||
            missing "docker/supabase, by Deno and Supabase's own command" "npm: $(tail -n 1 "$BUILD/npm-supabase.log")"
    fi
    ! wants wordpress || fetch_wordpress
}

# ---- the run ----

begin_run
for word; do
    choose "$word" || {
        failed "$word: no such part (there are $ALL_PARTS) and no test of that name"
        exit 2
    }
done
PARTS=${PARTS:-$ALL_PARTS} PROMTOOL='' KUBECTL='' NGINX='' CADDY='' TINYPROXY='' WORDPRESS='' FPM=''
mkdir -p "$BUILD"
step "packages"
packages
step "builds"
build_all
if wants form; then begin_form; fi
if wants image; then begin_image; fi
if wants runner; then step "the runner itself" && runner; fi
if wants unit; then step "unit tests, under ASan and UBSan" && unit; fi
if wants interop; then step "interop: other people's libraries and programs" && interop; fi
if wants package; then step "the package, as Debian's tools and systemd see it" && package; fi
if wants fuzz; then step "fuzzing, ${FUZZ_SECONDS:-60} s a target" && fuzz; fi
if wants browser; then step "the page in a real browser" && browser; fi
if wants supabase; then step "docker/supabase, without a database" && supabase; fi
if wants demo; then step "the demo: nothing but the program" && demo; fi
if wants receivers; then step "receivers in PHP, Python, Node and Deno" && receivers; fi
if wants wordpress; then step "a real WordPress" && wordpress; fi
if wants stack chaos; then
    step "the real stack: PostgreSQL, Debezium, Kafka, registry"
    if start_stack "the real stack"; then real_stack; fi
fi
if wants image; then step "the image, which was built beside the others" && image; fi
if wants form; then step "form: formatter, linters, which ran beside the others" && end_beside form "$BUILD/form.log"; fi
step "the end"
exit 0
