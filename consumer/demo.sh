#!/bin/sh
# demo: installs what is missing, builds, and shows the whole pipeline at work.
#
#   sh consumer/demo.sh [arguments of `elementor-sync demo`]
#
# Debian 12 and 13 and Ubuntu 24.04, with root or sudo; elsewhere it says what to install. Everything
# it makes lies in build/. Started again, it starts the demo at once. The demo ends with its accounts;
# where it could not begin, the last line says so and why.
set -eu
cd "$(dirname "$0")/.."
BUILD=build/program
PROGRAM=$BUILD/elementor-sync
PACKAGES=$(cat consumer/packages.txt)
MODULES="rdkafka libcurl avro-c jansson yaml-0.1 libcrypto libmicrohttpd sqlite3 zlib"

NEEDED="Needed are librdkafka 2.0.2, libcurl 7.88, jansson 2.14, libmicrohttpd 0.9.75 and cmake 3.25
or newer; Debian 12 and 13 and Ubuntu 24.04 have them."

REASON="a command failed"
STEP=

end_tree() { # PID: it and what it started
    for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
        end_tree "$child"
    done
    kill "$1" 2>/dev/null || :
}

# The last line whatever happened; exec'ing the program leaves no trap behind.
not_started() {
    status=$?
    trap - EXIT
    trap '' INT TERM HUP
    [ -z "$STEP" ] || end_tree "$STEP"
    [ "$status" != 0 ] || status=1
    printf 'demo.sh: the demo did not start: %s\n' "$REASON"
    exit "$status"
}

interrupted() { # SIGNAL STATUS
    REASON="interrupted by SIG$1"
    exit "$2"
}

fail() { # REASON
    REASON=$1
    exit 1
}

# In the background: a shell that waits for a foreground command hears no signal until that has ended.
run() { # COMMAND...
    "$@" <&3 &
    STEP=$!
    status=0
    wait "$STEP" || status=$?
    STEP=
    return "$status"
}

is_installed() {
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

missing_packages() {
    for package in $PACKAGES; do
        is_installed "$package" || printf ' %s' "$package"
    done
}

ask_for() { # WHY PACKAGES
    printf '%s. Please install these packages (Debian names), then run this again:\n\n ' "$1"
    printf ' %s' $2
    printf '\n\n%s\n' "$NEEDED"
    REASON="packages are missing"
    exit 2
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# apt's own account of its progress, on one line of a terminal; elsewhere every now and then.
show_progress() {
    last=-1
    while IFS=: read -r kind _ percent text; do
        case $kind in pmstatus | dlstatus) ;; *) continue ;; esac
        tenth=${percent%.*}
        tenth=$((${tenth:-0} / 10))
        if [ -t 1 ]; then
            printf '\r\033[K  %3s %%  %.60s' "${percent%.*}" "$text"
        elif [ "$kind" = pmstatus ] && [ "$tenth" -gt "$last" ]; then
            printf '  %3s %%  %s\n' "${percent%.*}" "$text"
            last=$tenth
        fi
    done
    [ ! -t 1 ] || printf '\r\033[K'
}

# apt-get with its words in build/apt.log. Its progress needs a descriptor of its own, which is opened
# behind sudo: sudo closes all but three.
apt() { # ARGUMENTS...
    rm -f build/apt.ok
    if [ "$(id -u)" = 0 ]; then
        run apt_shown "$@" || :
    else
        apt_shown "$@" || : # sudo asks at the terminal, which is the foreground's, and so is Ctrl-C
    fi
    [ -e build/apt.ok ] || { tail -n 20 build/apt.log; fail "apt-get $1 failed; see build/apt.log"; }
}

apt_shown() { # ARGUMENTS...
    # shellcheck disable=SC2016
    { as_root env DEBIAN_FRONTEND=noninteractive sh -c \
        'log=$1; shift; exec apt-get -y -q -o APT::Status-Fd=3 "$@" 3>&1 >>"$log" 2>&1' \
        apt build/apt.log "$@" && touch build/apt.ok; } | show_progress
}

install_packages() {
    if ! command -v apt-get >/dev/null; then
        command -v cmake >/dev/null && command -v ninja >/dev/null &&
            pkg-config --exists $MODULES 2>/dev/null || ask_for "No apt-get here" "$PACKAGES"
        return 0
    fi
    wanted=$(missing_packages)
    [ -n "$wanted" ] || return 0
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || ask_for "Neither root nor sudo" "$wanted"
    printf 'installing:%s\n' "$wanted"
    : >build/apt.log
    apt update
    # shellcheck disable=SC2086
    apt install --no-install-recommends $wanted
}

build_program() {
    [ -e "$BUILD/build.ninja" ] || run cmake -G Ninja -S . -B "$BUILD" -DELEMENTOR_SYNC_TESTS=OFF \
        >"$BUILD.log" 2>&1 ||
        { tail -n 20 "$BUILD.log"; printf '\n%s\n' "$NEEDED"; fail "cmake failed; see $BUILD.log"; }
    export NINJA_STATUS='  %f of %t  '
    run ninja -C "$BUILD" elementor-sync || fail "the build failed; see above"
}

exec 3<&0 # what runs in the background would read nothing
trap not_started EXIT
trap 'interrupted INT 130' INT
trap 'interrupted TERM 143' TERM
trap 'interrupted HUP 129' HUP
mkdir -p build || fail "build/ cannot be made"
if [ -x "$PROGRAM" ]; then
    # Only what changed since, and not a word if nothing did.
    run ninja -C "$BUILD" elementor-sync >"$BUILD.log" 2>&1 ||
        { tail -n 40 "$BUILD.log"; fail "the build failed; see $BUILD.log"; }
else
    install_packages
    printf 'building %s\n' "$PROGRAM"
    build_program
fi
[ -x "$PROGRAM" ] || fail "the build made no $PROGRAM"
exec 3<&-
exec "$PROGRAM" demo "$@"
