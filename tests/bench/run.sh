#!/bin/sh
# run: builds, measures everything, and prints one page.   sh tests/bench/run.sh [--write] [--quick] [NAME...]
#
#   sh tests/bench/run.sh                  all of it, about an hour on a quiet machine
#   sh tests/bench/run.sh --quick          the same with fewer records and rounds, without the last four measures: 12 minutes
#   sh tests/bench/run.sh --write          into consumer/doc/performance.md as well
#   sh tests/bench/run.sh idle again       these measures alone
#
# The measures: python3 tests/bench/page.py --help. It needs what `sh tests/run.sh` installs, fetches nginx and
# matplotlib into build/ (a measure says so where one is missing), starts a stack of its own on loopback
# (tests/stack/up.sh), and ends it however it ends.
set -eu
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=$ROOT/build/release STACK=$ROOT/build/bench-stack VENV=$ROOT/build/bench-venv NGINX=$ROOT/build/nginx
mkdir -p "$ROOT/build"
{ cmake -G Ninja -S "$ROOT" -B "$BUILD" -DELEMENTOR_SYNC_BENCH=ON && ninja -C "$BUILD"; } >"$BUILD.log" 2>&1 ||
    { tail -n 40 "$BUILD.log"; exit 1; }

fetch_nginx() { # the program alone: its package would start a server
    mkdir -p "$NGINX" && (cd "$NGINX" && apt-get download -qq nginx && dpkg -x ./nginx_*.deb .)
}

fetch_matplotlib() {
    python3 -m venv "$VENV" && "$VENV/bin/pip" install -q matplotlib
}

command -v nginx >/dev/null || [ -x "$NGINX/usr/sbin/nginx" ] || fetch_nginx >&2 || echo "nginx could not be fetched" >&2
[ -x "$VENV/bin/python" ] && "$VENV/bin/python" -c 'import matplotlib' 2>/dev/null || fetch_matplotlib >&2 ||
    echo "matplotlib could not be fetched" >&2
PYTHON=python3
[ ! -x "$VENV/bin/python" ] || PYTHON=$VENV/bin/python
PATH=$PATH:$NGINX/usr/sbin
export PATH

trap 'sh "$ROOT/tests/stack/down.sh" "$STACK" >/dev/null 2>&1 || true' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
echo "starting the stack" >&2
sh "$ROOT/tests/stack/up.sh" "$STACK" >"$STACK.log" 2>&1 || { tail -n 20 "$STACK.log"; exit 1; }
"$PYTHON" "$ROOT/tests/bench/page.py" "$BUILD" "$STACK" "$@"
