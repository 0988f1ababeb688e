#!/bin/sh
# run: builds, measures everything, and prints one page.   sh tests/bench/run.sh [--write] [--quick] [NAME...]
#
#   sh tests/bench/run.sh                  all of it, about half an hour on a quiet machine
#   sh tests/bench/run.sh --quick          the same with a tenth of the records
#   sh tests/bench/run.sh --write          into consumer/doc/performance.md as well
#   sh tests/bench/run.sh idle again       these measures alone
#
# The measures: python3 tests/bench/page.py --help. It needs what `sh tests/run.sh` installs, starts a
# stack of its own on loopback (tests/stack/up.sh), and ends it however it ends.
set -eu
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=$ROOT/build/release STACK=$ROOT/build/bench-stack
mkdir -p "$ROOT/build"
{ cmake -G Ninja -S "$ROOT" -B "$BUILD" -DELEMENTOR_SYNC_BENCH=ON && ninja -C "$BUILD"; } >"$BUILD.log" 2>&1 ||
    { tail -n 40 "$BUILD.log"; exit 1; }
trap 'sh "$ROOT/tests/stack/down.sh" "$STACK" >/dev/null 2>&1 || true' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
echo "starting the stack" >&2
sh "$ROOT/tests/stack/up.sh" "$STACK" >"$STACK.log" 2>&1 || { tail -n 20 "$STACK.log"; exit 1; }
python3 "$ROOT/tests/bench/page.py" "$BUILD" "$STACK" "$@"
